#include <array>

#include "codebook_ema.hpp"
#include "docs/tests/chapter.hpp"
#include "docs/tests/costs.hpp"
#include "elbo.hpp"
#include "encode_decode.hpp"
#include "fsq.hpp"
#include "reparameterization.hpp"
#include "tokenizers.hpp"
#include "training_a_vae.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

constexpr double kGiga = 1e9, kMiB = 1048576.0;

TokenizerDesign stable_diffusion(std::int64_t side) {
  TokenizerDesign design;
  design.height = design.width = side;
  design.multipliers = {1, 2, 4, 4};
  return design;
}

// ---- why_latents ---------------------------------------------------------------------------

TEST(WhyLatents, CountsPixels) {
  const Chapter chapter("why_latents");
  struct Row {
    std::int64_t side;
    std::string positions, values, bits;
  };
  for (const Row& row :
       {Row{256, "65,536", "196,608", "1,572,864"}, Row{512, "262,144", "786,432", "6,291,456"},
        Row{1024, "1,048,576", "3,145,728", "25,165,824"}}) {
    chapter.prints("| " + row.positions + " | " + row.values + " | " + row.bits + " |");
    chapter.states(row.positions, double(values_in({row.side, row.side})));
    chapter.states(row.values, double(values_in({3, row.side, row.side})));
    chapter.states(row.bits, 8.0 * double(values_in({3, row.side, row.side})));
  }
}

TEST(WhyLatents, CountsOneLayer) {
  const Chapter chapter("why_latents");
  struct Row {
    std::int64_t side;
    std::string positions, convolution, attention, scores;
    double mebibytes;
  };
  for (const Row& row : {Row{32, "1,024", "0.94", "0.67", "4 MiB", 4},
                         Row{64, "4,096", "3.77", "10.7", "64 MiB", 64},
                         Row{128, "16,384", "15.1", "172", "1 GiB", 1024},
                         Row{256, "65,536", "60.4", "2,749", "16 GiB", 16384},
                         Row{512, "262,144", "242", "43,980", "256 GiB", 262144}}) {
    chapter.prints("| " + row.positions + " | " + row.convolution + " | " + row.attention + " | " +
                   row.scores + " |");
    const Shape map{1, 320, row.side, row.side};
    chapter.states(row.positions, double(row.side * row.side));
    const LayerCost conv = conv_cost(map, {320, 3, 1, 1, 1, true}, 4);
    chapter.states(row.convolution, double(conv.macs) / kGiga);
    // The four projections are not in the column.
    const LayerCost attention = attention_cost(map, 4);
    const std::int64_t projections = 4 * row.side * row.side * 320 * 320;
    chapter.states(row.attention, double(attention.macs - projections) / kGiga);
    EXPECT_EQ(double(attention.activation_bytes), row.mebibytes * kMiB);
  }
  chapter.states("1,440", 4.5 * 320);
  chapter.prints("38 x 38");
  EXPECT_NEAR(std::sqrt(4.5 * 320), 38.0, 0.5);
}

TEST(WhyLatents, CountsTheDecoder) {
  const Chapter chapter("why_latents");
  chapter.states("1,257", double(sd_decoder_macs(512)) / kGiga);
  chapter.states("5,235", double(sd_decoder_macs(1024)) / kGiga);
  chapter.prints("768 MiB and 3 GiB");
  EXPECT_EQ(double(decoder_peak_bytes(stable_diffusion(512))), 768 * kMiB);
  EXPECT_EQ(double(decoder_peak_bytes(stable_diffusion(1024))), 3072 * kMiB);
  chapter.prints("that is 12 GiB in fp32 for four");
  const TokenizerReport report = design_tokenizer(stable_diffusion(1024), {});
  EXPECT_DOUBLE_EQ(report.conv_cost, 1.0 / 64);
  EXPECT_DOUBLE_EQ(report.attention_cost, 1.0 / 4096);
  chapter.prints("4,096 times (\\ref ex_conv_cost");
}

TEST(WhyLatents, MeasuresTheLoss) {
  const Chapter chapter("why_latents");
  chapter.states("5.49", 1.0 / latent_contract(AutoencoderFamily::kSd1).scale);
  const DoubleVector neighbours{{1.95, 0.05}};  // of two values with a correlation of 0.95
  chapter.states("0.0975", neighbours(0) * neighbours(1));
  // What the law charges for a value of variance 1 down to that error is what need not be sent.
  const RateDistortion law = rate_distortion_law(DoubleVector{{1.0}}, 2.0 * 0.0975);
  chapter.states("1.68", law.total_rate / std::log(2.0));
  chapter.states("15.7", 255.0 * std::pow(10.0, -24.19 / 20.0));
  chapter.states("10.7", 255.0 * std::pow(10.0, -27.53 / 20.0));
  double kl8 = 0.0, kl4 = 0.0;
  for (const PublishedTokenizer& p : published_tokenizers()) {
    if (p.kind == LatentKind::kContinuous && p.factor == 8) kl8 = p.psnr;
    if (p.kind == LatentKind::kContinuous && p.factor == 4) kl4 = p.psnr;
  }
  chapter.states("24.19", kl8);
  chapter.states("27.53", kl4);
}

TEST(WhyLatents, CountsTheApplications) {
  const Chapter chapter("why_latents");
  chapter.prints("33 frames has 9 latent frames");
  EXPECT_EQ(latent_frames(33, 4), 9);
  EXPECT_EQ(latent_frames(1, 4), 1);
  chapter.prints("320 samples make a frame, 75 a second");
  EXPECT_DOUBLE_EQ(1000.0 * rvq_bitrate(24000, 320, 2, 1), 75.0);
  chapter.states("43.07", 1000.0 * rvq_bitrate(44100, 1024, 2, 1));
  chapter.prints("32 times fewer values");
  EXPECT_DOUBLE_EQ(compression_ratio({2, 1024}, 16, {64, 1}, 16).values, 32.0);
  chapter.prints("512 x 512 becomes 64 x 64");
  EXPECT_EQ(latent_shape(AutoencoderFamily::kSd1, 512, 512, false), (Shape{4, 64, 64}));
  const CompressionRatio sixteen = compression_ratio({3, 512, 512}, 8, {4, 64, 64}, 16);
  chapter.prints("1/48 of the values");
  EXPECT_DOUBLE_EQ(sixteen.values, 48.0);
  chapter.prints("in bits it is 1/24");
  EXPECT_DOUBLE_EQ(sixteen.bits, 24.0);
  EXPECT_DOUBLE_EQ(compression_ratio({3, 512, 512}, 8, {4, 64, 64}, 32).bits, 12.0);
}

// ---- losses_beyond -------------------------------------------------------------------------

TEST(LossesBeyond, CountsBits) {
  const Chapter chapter("losses_beyond");
  const DoubleVector p = DoubleVector{{1.0, 2.0, 0.0}}.array().exp().matrix();
  chapter.states("0.2447", p(0) / p.sum());
  chapter.states("0.6652", p(1) / p.sum());
  chapter.states("0.0900", p(2) / p.sum());
  chapter.states("0.4076", -std::log(p(1) / p.sum()));
  chapter.states("0.5881", -std::log2(p(1) / p.sum()));
  chapter.states("0.166", 90.0 / (784.0 * std::log(2.0)));
  const double two_modes =
      gaussian_nll(one(20), one(125), one(static_cast<float>(2.0 * std::log(105.0)))).value;
  chapter.states("8.76", two_modes / std::log(2.0));
  chapter.states("6.994", std::log2(127.5));
}

TEST(LossesBeyond, WorksTheDensities) {
  const Chapter chapter("losses_beyond");
  struct Row {
    double sigma;
    std::string printed, probability, density, averaged;
  };
  for (const Row& row :
       {Row{2.0, "2", "2.341", "2.326", "2.341"}, Row{1.0, "1", "1.385", "1.326", "1.386"},
        Row{0.5, "0.5", "0.551", "0.326", "0.566"},
        Row{0.288675, "0.2887", "0.125", "-0.467", "0.255"},
        Row{0.1, "0.1", "0.000", "-1.996", "4.015"}}) {
    chapter.prints("| " + row.printed + " | " + row.probability + " | " + row.density + " | " +
                   row.averaged + " |");
    const Matrix log_var = one(static_cast<float>(2.0 * std::log(row.sigma)));
    const auto bits = [&](double u) {
      return gaussian_nll(one(static_cast<float>(u)), one(0), log_var).value / std::log(2.0);
    };
    EXPECT_NEAR(bits(0.0), std::stod(row.density), 6e-4);
    double averaged = 0.0;
    constexpr int kPoints = 4000;
    for (int i = 0; i < kPoints; ++i) averaged += bits((i + 0.5) / kPoints - 0.5) / kPoints;
    EXPECT_NEAR(averaged, std::stod(row.averaged), 6e-4);
    const double level = std::erf(0.5 / (row.sigma * std::sqrt(2.0)));
    EXPECT_NEAR(-std::log2(level), std::stod(row.probability), 6e-4);
    EXPECT_GE(averaged, -std::log2(level));
  }
}

TEST(LossesBeyond, WorksTheJudges) {
  const Chapter chapter("losses_beyond");
  chapter.states("0.08", 2.0 * (0.8 - 0.6) * (0.8 - 0.6));
  chapter.states("-2.118", (-1.0 + 0.030) / 0.458);
  chapter.states("2.249", (1.0 + 0.030) / 0.458);
  chapter.states("0.066", (0.0 + 0.030) / 0.458);
  chapter.prints("256 \\to 128 \\to 64 \\to 32 \\to 31 \\to 30");
  std::int64_t side = 256, field = 1, jump = 1;
  const std::array<std::int64_t, 5> sides{128, 64, 32, 31, 30}, strides{2, 2, 2, 1, 1};
  for (std::size_t i = 0; i < sides.size(); ++i) {
    side = conv2d_out(side, 4, strides[i], 1, 1);
    EXPECT_EQ(side, sides[i]);
    field += 3 * jump;
    jump *= strides[i];
  }
  chapter.prints("900 logits");
  EXPECT_EQ(side * side, 900);
  chapter.states("70", double(field));
  chapter.prints("6 \\times 6\\f$ for 64 x 64");
  EXPECT_EQ(patch_discriminator(64).side(), 6);
  chapter.prints("62 \\times 62");
  EXPECT_EQ(patch_discriminator(512).side(), 62);
  // Three layers have a normalisation, two numbers per channel, in place of a bias, one.
  chapter.states("2,765,633", double(patch_discriminator(256).params() + 128 + 256 + 512));
  // A ratio of 0.051 between means, against a sum over 196,608 elements.
  const double mean = adaptive_weight(one(0.051F), one(1.0F), 1.0);
  const double sum = adaptive_weight(one(0.051F * 196608.0F), one(1.0F), 1.0);
  chapter.states("0.051", mean);
  chapter.prints("the clamp's 10,000");
  EXPECT_DOUBLE_EQ(sum, 1e4);
  chapter.states("50,001", 50001.0);
  EXPECT_EQ(adopt_weight(0.5, 50000, 50001), 0.0);
  EXPECT_EQ(adopt_weight(0.5, 50001, 50001), 0.5);
}

TEST(LossesBeyond, AddsUpTheFirstStage) {
  const Chapter chapter("losses_beyond");
  const Tensor4 x(1, 3, 256, 256), x_hat(1, 3, 256, 256, 0.05F);
  const auto loss = [&](double perceptual) {
    return ldm_total_loss(x, x_hat, DoubleVector::Constant(1, perceptual),
                          DoubleVector::Constant(1, 4096), {}, {1.0, 1e-6, 0.0});
  };
  chapter.states("9,830.4", loss(0.0).reconstruction);
  chapter.states("39,321.6", loss(0.2).reconstruction - loss(0.0).reconstruction);
  chapter.states("49,152", loss(0.2).reconstruction);
  chapter.states("0.004096", loss(0.2).kl);
  chapter.states("196,608", double(values_in({3, 256, 256})));
  chapter.prints("up to 5,000 times");
  EXPECT_DOUBLE_EQ(adaptive_weight(one(1e9F), one(1.0F), 0.5), 5000.0);
  chapter.states("0.0078", 2.0 / 255.0);
  chapter.prints("\\f$b\\f$ of 0.2");
  EXPECT_NEAR(1e-6 * 196608.0, 0.2, 5e-3);
}

// ---- commonly_said -------------------------------------------------------------------------

TEST(CommonlySaid, CountsBits) {
  const Chapter chapter("commonly_said");
  const Shape image{3, 256, 256};
  const auto ratio = [&](std::int64_t side, std::int64_t codes) {
    return compression_ratio(image, 8, {side, side}, bits_per_token(codes));
  };
  chapter.prints("196,608 / 1,024 = 192");
  EXPECT_DOUBLE_EQ(ratio(32, 8192).values, 192.0);
  chapter.states("118.2", ratio(32, 8192).bits);
  chapter.states("153.6", ratio(32, 1024).bits);
  chapter.states("341.3", ratio(16, 262144).bits);
  chapter.states("262,144", double(values_in({256, 32, 32})));
  chapter.states("16,777,216", 64.0 * double(values_in({256, 32, 32})));
  chapter.prints("256 · 3 / 16 = 48");
  chapter.prints("36 for 9 frames");
  const Shape clip{3, 9, 512, 512}, latent{16, latent_frames(9, 4), 64, 64};
  EXPECT_DOUBLE_EQ(compression_ratio(clip, 8, latent, 16).values, 36.0);
}

TEST(CommonlySaid, DifferentiatesTheDraw) {
  const Chapter chapter("commonly_said");
  chapter.states("0.0009995", softplus_parameterisation(0.001).dsigma_dx);
  chapter.states("0.0005", exp_parameterisation(0.001).dsigma_dx);
  chapter.prints("about -1 and -1/2");
  EXPECT_NEAR(softplus_parameterisation(0.001).dkl_dx, -1.0, 1e-3);
  EXPECT_NEAR(exp_parameterisation(0.001).dkl_dx, -0.5, 1e-3);
  // Both estimators for z^2 at mu = sigma = 1, integrated over eps.
  constexpr int kPoints = 24000;
  DoubleVector eps(kPoints), weight(kPoints);
  for (int i = 0; i < kPoints; ++i) {
    eps(i) = (i + 0.5 - kPoints / 2) * 1e-3;
    weight(i) = 1e-3 * std::exp(-0.5 * eps(i) * eps(i)) / std::sqrt(2.0 * std::acos(-1.0));
  }
  const DoubleVector z = (1.0 + eps.array()).matrix();
  const auto variance = [&](const DoubleVector& each) {
    const double mean = weight.dot(each);
    EXPECT_NEAR(mean, 2.0, 1e-6);
    return weight.dot(each.cwiseAbs2()) - mean * mean;
  };
  chapter.prints("4 against 30");
  EXPECT_NEAR(variance(pathwise_gradient(2.0 * z, eps).mu), 4.0, 1e-4);
  EXPECT_NEAR(variance(score_function_gradient(z.cwiseAbs2(), z, 1.0, 1.0).mu), 30.0, 1e-4);
}

TEST(CommonlySaid, WorksTheBound) {
  const Chapter chapter("commonly_said");
  const LinearGaussian model{2.0, 0.5}, worse{3.5, 0.5};
  chapter.states("-3.5855", elbo_gap(1.7, model, {0.3, 0.4}).elbo);
  chapter.states("-1.9921", linear_gaussian_evidence(1.7, model).log_evidence);
  const LinearGaussianEvidence other = linear_gaussian_evidence(1.7, worse);
  chapter.states("-2.3050", other.log_evidence);
  chapter.states("-2.3050", elbo_gap(1.7, worse, other.posterior).elbo);
  chapter.states("0.7071", std::sqrt(implied_decoder_variance(1.0, 1)));
  chapter.states("1.5811", std::sqrt(implied_decoder_variance(5.0, 1)));
  chapter.states("0.8208", 3.0 * 3.0 * 0.04 + 0.5 * (0.04 - 1.0) * (0.04 - 1.0));
}

TEST(CommonlySaid, WorksTheTable) {
  const Chapter chapter("commonly_said");
  struct Row {
    double mu, var;
    std::string kl;
  };
  double total = 0.0;
  for (const Row& row : {Row{0.1, 0.9, "0.007680"}, Row{2.5, 0.1, "3.826293"},
                         Row{0.0, 0.01, "1.807585"}, Row{0.3, 1.2, "0.053839"}}) {
    const double kl = kl_standard_normal_1d(row.mu, std::log(row.var));
    chapter.states(row.kl, kl);
    total += kl;
  }
  chapter.states("5.695397", total);
  chapter.states("56.954", 10.0 * total);
  chapter.states("206.954", 150.0 + 10.0 * total);
  chapter.states("26.3", 150.0 / total);
  chapter.states("0.610864", bce_with_logits(one(std::log(0.3F / 0.7F)), one(0.3F)).value);
}

TEST(CommonlySaid, WorksTheCodebooks) {
  const Chapter chapter("commonly_said");
  const EmaCodebook fresh{one(0), {DoubleVector::Ones(1), one(0)}, 0};
  const Matrix rows = Matrix::Ones(50, 1);
  chapter.states("0.33557",
                 ema_codebook_step(rows, fresh, {}, EmaOptions{}, true).state.codebook(0, 0));
  const ClusterStats moved{DoubleVector{{0.05, 1.95}}, Matrix{{0.25F}, {0.0F}}};
  const ClusterStats nothing{DoubleVector::Zero(2), Matrix::Zero(2, 1)};
  chapter.states("4.999", codebook_from_ema(ema_decay(moved, nothing, 0.99), 1e-5)(0, 0));
  chapter.states("1146", std::ceil(std::log(1e-5) / std::log(0.99)));
  chapter.states("27.8", 32.0 * (1.0 - std::pow(31.0 / 32.0, 64.0)));
  chapter.prints("comes back as 0, 10, 1, 11");
  Tensor4 map(1, 2, 2, 2);
  const std::array<float, 8> values{0, 1, 2, 3, 10, 11, 12, 13};
  std::copy(values.begin(), values.end(), map.data());
  const Matrix found = rows_from_nchw(map);
  const std::array<float, 4> scrambled{0, 10, 1, 11};
  EXPECT_TRUE(std::equal(scrambled.begin(), scrambled.end(), found.data()));
}

TEST(CommonlySaid, WorksTheLevels) {
  const Chapter chapter("commonly_said");
  const LevelGeometry four = level_geometry(4);
  chapter.states("0.346199", four.shift);
  chapter.states("0.345881", std::tan(four.offset / four.half_l));
  chapter.prints("2L + 1 levels, 11 for L = 5");
  EXPECT_EQ(2 * std::lround(5.0 * std::tanh(20.0)) + 1, 11);
  chapter.states("64,000", double(fsq_codebook_size({8, 8, 8, 5, 5, 5})));
  for (const auto& [sigma, printed] : {std::pair(0.1, "1.07"), std::pair(10.0, "2.71")}) {
    constexpr int kPoints = 24000;
    Matrix z(kPoints, 1);
    for (int i = 0; i < kPoints; ++i) {
      z(i, 0) = static_cast<float>(sigma * (i + 0.5 - kPoints / 2) * 1e-3);
    }
    const std::vector<std::int64_t> index = codes_to_index(fsq_quantize(z, {5}), {5});
    DoubleVector p = DoubleVector::Zero(5);
    for (int i = 0; i < kPoints; ++i) {
      const double x = (i + 0.5 - kPoints / 2) * 1e-3;
      p(index[static_cast<std::size_t>(i)]) += std::exp(-0.5 * x * x);
    }
    p /= p.sum();
    double entropy = 0.0;
    for (const double each : p) entropy -= each > 0.0 ? each * std::log(each) : 0.0;
    chapter.states(printed, std::exp(entropy));
  }
}

TEST(CommonlySaid, WorksThePipelines) {
  const Chapter chapter("commonly_said");
  chapter.states("0.18215", latent_contract(AutoencoderFamily::kSd1).scale);
  chapter.states("0.13025", latent_contract(AutoencoderFamily::kSdxl).scale);
  chapter.states("0.3611", latent_contract(AutoencoderFamily::kFlux1).scale);
  chapter.states("0.1159", latent_contract(AutoencoderFamily::kFlux1).shift);
  chapter.states("5.49", 1.0 / latent_contract(AutoencoderFamily::kSd1).scale);
  chapter.prints("128 x 128 x 16");
  EXPECT_EQ(latent_shape(AutoencoderFamily::kSd3, 1024, 1024, false), (Shape{16, 128, 128}));
  chapter.prints("33 frames become 9");
  EXPECT_EQ(latent_frames(33, 4), 9);
  const double judges =
      4.0 * double(vgg16(256).macs()) + 9.0 * double(patch_discriminator(256).macs());
  const double model = 3.0 * double(sd_encoder_macs(256) + sd_decoder_macs(256));
  chapter.states("108.5", judges / kGiga);
  chapter.states("1,342.4", model / kGiga);
  chapter.prints("or 8 %");
  EXPECT_NEAR(judges / model, 0.08, 5e-3);
}

// ---- family_tree ---------------------------------------------------------------------------

TEST(FamilyTree, HasTheContracts) {
  const Chapter chapter("family_tree");
  struct Row {
    AutoencoderFamily family;
    std::string channels, before;
  };
  for (const Row& row : {Row{AutoencoderFamily::kSd1, "4", "z \\cdot 0.18215"},
                         Row{AutoencoderFamily::kSdxl, "4", "z \\cdot 0.13025"},
                         Row{AutoencoderFamily::kSd3, "16", "(z - 0.0609) \\cdot 1.5305"},
                         Row{AutoencoderFamily::kFlux1, "16", "(z - 0.1159) \\cdot 0.3611"}}) {
    const LatentContract contract = latent_contract(row.family);
    chapter.prints("| 8 | " + row.channels + " channels | none |");
    EXPECT_EQ(contract.channels, std::stoll(row.channels));
    EXPECT_EQ(contract.factor, 8);
    chapter.prints(row.before);
    const std::string scale = row.before.substr(row.before.rfind(' ') + 1);
    EXPECT_DOUBLE_EQ(contract.scale, std::stod(scale));
    if (row.before[0] == '(') {
      EXPECT_DOUBLE_EQ(contract.shift, std::stod(row.before.substr(5, 6)));
    } else {
      EXPECT_EQ(contract.shift, 0.0);
    }
  }
  chapter.prints("| 8, packed 16 | 32 channels, packed 128 | none |");
  const LatentContract flux2 = latent_contract(AutoencoderFamily::kFlux2);
  EXPECT_EQ(flux2.channels, 32);
  EXPECT_EQ(flux2.factor * flux2.pack, 16);
  EXPECT_EQ(flux2.channels * flux2.pack * flux2.pack, 128);
}

TEST(FamilyTree, CountsLatents) {
  const Chapter chapter("family_tree");
  const std::array<AutoencoderFamily, 3> families{AutoencoderFamily::kSd1, AutoencoderFamily::kSd3,
                                                  AutoencoderFamily::kFlux2};
  const std::array<std::string, 3> values{"65,536", "262,144", "524,288"};
  const std::array<double, 3> ratios{48, 12, 6};
  chapter.prints("from 48 to 12 to 6");
  for (std::size_t i = 0; i < families.size(); ++i) {
    const Shape shape = latent_shape(families[i], 1024, 1024, false);
    chapter.states(values[i], double(values_in(shape)));
    EXPECT_DOUBLE_EQ(compression_ratio({3, 1024, 1024}, 8, shape, 16).values, ratios[i]);
  }
}

TEST(FamilyTree, CountsCodes) {
  const Chapter chapter("family_tree");
  chapter.prints("levels 8, 8, 8, 5, 5, 5: 64,000 codes");
  chapter.states("64,000", double(fsq_codebook_size({8, 8, 8, 5, 5, 5})));
  chapter.prints("\\f$2^{18}\\f$ codes");
  const Matrix last = Matrix::Ones(1, 18);
  EXPECT_EQ(bits_to_index(last)[0] + 1, std::int64_t{1} << 18);
  chapter.prints("8,192 codes, 32 x 32 tokens");
  EXPECT_EQ(conv2d_out(256, 8, 8, 0, 0), 32);
  EXPECT_DOUBLE_EQ(bits_per_token(8192), 13.0);
  chapter.prints("1,024 codes in each of up to 32 stages: 1.5 to 24 kbit/s");
  EXPECT_DOUBLE_EQ(rvq_bitrate(24000, 320, 1024, 2), 1.5);
  EXPECT_DOUBLE_EQ(rvq_bitrate(24000, 320, 1024, 32), 24.0);
  EXPECT_EQ(rvq_stages_for(24.0, 24000, 320, 1024), 32);
  chapter.prints("8 x 8 x 4 = 256");
  chapter.prints("it is 48 for a long clip");
  const Shape clip{3, 40001, 8, 8}, latent{16, latent_frames(40001, 4), 1, 1};
  EXPECT_NEAR(compression_ratio(clip, 8, latent, 16).values, 48.0, 0.01);
}

TEST(FamilyTree, CountsParameters) {
  const Chapter chapter("family_tree");
  chapter.prints("1.2 million parameters in place of 49");
  EXPECT_EQ(autoencoder_parameters(stable_diffusion(256)).decoder / 1000000, 49);
  LayerSum tiny(4, 32);  // TAESD's decoder: ten blocks of three convolutions
  tiny.conv(64);
  for (int block = 0; block < 10; ++block) {
    for (int i = 0; i < 3; ++i) tiny.conv(64);
  }
  for (int i = 0; i < 3; ++i) tiny.conv(64);
  tiny.conv(3);
  EXPECT_EQ(tiny.params() - 3 * 64, 1222531);  // three of them have no bias
  chapter.prints("weight 0.5 times an adaptive one; KL 1e-6");
  EXPECT_DOUBLE_EQ(LdmWeights{}.kl, 1e-6);
  chapter.prints("step 50,001");
  EXPECT_EQ(adopt_weight(1.0, 50000, 50001), 0.0);
}

}  // namespace
}  // namespace latent

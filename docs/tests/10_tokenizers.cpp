#include "docs/tests/chapter.hpp"
#include "docs/tests/costs.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

const std::vector<RvqStage>& stages() {
  static const std::vector<RvqStage> all{{Matrix{{1.0F, 0.0F}, {-1.0F, 0.0F}}},
                                         {Matrix{{0.0F, 0.5F}, {0.0F, -0.5F}}},
                                         {Matrix{{0.1F, 0.1F}, {-0.1F, -0.1F}}}};
  return all;
}

const Matrix& row() {
  static const Matrix x{{0.8F, 0.45F}};
  return x;
}

TEST(Chapter10, WorksTheStages) {
  const Chapter chapter("10_tokenizers");
  const RvqOutput out = residual_quantize(row(), stages());
  EXPECT_EQ(out.indices, (RvqIndices{{0, 0, 1}}));
  chapter.states("0.492443", out.residual_norms(0, 0));
  chapter.states("0.206155", out.residual_norms(0, 1));
  chapter.states("0.111803", out.residual_norms(0, 2));
  chapter.prints("The sum is (0.9, 0.4)");
  EXPECT_NEAR(out.quantized(0, 0), 0.9, 1e-6);
  EXPECT_NEAR(out.quantized(0, 1), 0.4, 1e-6);
  Matrix each = Matrix::Zero(1, 2);
  for (const RvqStage& stage : stages())
    each += stage.codebook.row(nearest_code(row(), stage.codebook)[0]);
  chapter.states("1.1", each(0, 0));
  chapter.states("0.6", each(0, 1));
  chapter.states("0.335410", (row() - each).norm());
  const RvqIndices indices{{0, 0, 1}};
  const double prefixes[3][2] = {{1.0, 0.0}, {1.0, 0.5}, {0.9, 0.4}};
  for (int used = 1; used <= 3; ++used) {
    const Matrix decoded = rvq_decode(indices, stages(), used);
    EXPECT_NEAR(decoded(0, 0), prefixes[used - 1][0], 1e-6);
    EXPECT_NEAR(decoded(0, 1), prefixes[used - 1][1], 1e-6);
    EXPECT_NEAR((row() - decoded).norm(), out.residual_norms(0, used - 1), 1e-6);
  }
}

TEST(Chapter10, WorksTheGradientsOfTheStages) {
  const Chapter chapter("10_tokenizers");
  const RvqGradients d =
      rvq_backward(Matrix::Zero(1, 2), row(), stages(), RvqIndices{{0, 0, 1}}, 0.25);
  const char* to_x[3][2] = {{"-0.05", "0.1125"}, {"-0.05", "-0.0125"}, {"-0.025", "0.0125"}};
  const char* to_code[3][2] = {{"0.2", "-0.45"}, {"0.2", "0.05"}, {"0.1", "-0.05"}};
  const Index chosen[3] = {0, 0, 1};
  for (std::size_t q = 0; q < 3; ++q) {
    for (Index i = 0; i < 2; ++i) {
      chapter.states(to_x[q][i], d.stages[q].x(0, i));
      chapter.states(to_code[q][i], d.stages[q].codebook(chosen[q], i));
    }
  }
  chapter.states("-0.125", d.x(0, 0));
  chapter.states("0.1125", d.x(0, 1));
  chapter.states("40", 100.0 * d.stages[0].x(0, 0) / d.x(0, 0));
}

TEST(Chapter10, WorksTheBitrates) {
  const Chapter chapter("10_tokenizers");
  chapter.prints("| kbit/s | 1.5 | 3 | 6 | 12 | 24 |");
  const double rates[5] = {1.5, 3, 6, 12, 24};
  for (int i = 0; i < 5; ++i) {
    const std::int64_t used = std::int64_t{2} << i;
    EXPECT_DOUBLE_EQ(rvq_bitrate(24000, 320, 1024, used), rates[i]);
    EXPECT_EQ(rvq_stages_for(rates[i], 24000, 320, 1024), used);
  }
  chapter.states("86.13", 1000.0 * rvq_bitrate(44100, 512, 2, 1));
  chapter.states("9.966", 1000.0 * rvq_bitrate(1, 1, 1000, 1));
  chapter.states("118.2", 1572864.0 / (1024 * 13));
  chapter.states("153.6", 1572864.0 / (1024 * 10));
}

TEST(Chapter10, WorksTheBits) {
  const Chapter chapter("10_tokenizers");
  const Matrix codes = lfq_quantize(Matrix{{0.3F, 0.0F, -2.0F, 5.0F, 1e-9F}}, 1.0);
  EXPECT_EQ(codes, (Matrix{{1.0F, -1.0F, -1.0F, 1.0F, 1.0F}}));
  chapter.prints("1 + 8 + 16 = 25");
  chapter.prints("16 + 2 + 1 = 19");
  EXPECT_EQ(bits_to_index(codes), std::vector<std::int64_t>{25});
  EXPECT_EQ(bits_to_index(codes.rowwise().reverse()), std::vector<std::int64_t>{19});
  EXPECT_EQ(index_to_bits({25}, 5, 1.0), codes);
}

TEST(Chapter10, WorksTheEntropies) {
  const Chapter chapter("10_tokenizers");
  const Matrix z{{0.3F, -1.2F}}, first{{0.3F}}, second{{-1.2F}};
  chapter.states("0.588429", entropy_terms(z, 1.0, 1.0).per_sample);
  chapter.states("0.541053", entropy_terms(first, 1.0, 1.0).per_sample);
  chapter.states("0.047376", entropy_terms(second, 1.0, 1.0).per_sample);
  chapter.states("0.768525", 1.0 / (1.0 + std::exp(-1.2)));
  chapter.states("0.008163", 1.0 / (1.0 + std::exp(4.8)));
  chapter.states("0.936545", entropy_terms(z, 0.5, 1.0).per_sample);
  const Matrix d = entropy_backward(z, 1.0, 0.0);
  chapter.states("-0.853893", d(0, 0));
  chapter.states("0.155442", d(0, 1));
  const Matrix sure{{9.0F, 9.0F}, {-9.0F, -9.0F}};
  const EntropyTerms terms = entropy_terms(sure, 1.0, 1.0);
  chapter.states("0.693147", terms.codebook);
  chapter.states("-0.693147", terms.loss);
  chapter.states("1.386294", 2.0 * entropy_terms(sure.col(0), 1.0, 1.0).codebook);
  chapter.states("12.48", 18.0 * std::log(2.0));
  chapter.states("11.51", -std::log(1e-5));
}

TEST(Chapter10, WorksTheClip) {
  const Chapter chapter("10_tokenizers");
  const Matrix x{{1.0F}, {2.0F}, {4.0F}}, ones = Matrix::Ones(3, 1);
  Tensor4 taps(1, 1, 2, 1);
  taps(0, 0, 0, 0) = -1.0F;
  taps(0, 0, 1, 0) = 2.0F;
  const RowVector no_bias = RowVector::Zero(1);
  chapter.prints("y = 1, 3, 6");
  chapter.prints("dx = (0, 1, 2)");
  EXPECT_EQ(causal_conv_time(x, taps, no_bias, 1), (Matrix{{1.0F}, {3.0F}, {6.0F}}));
  EXPECT_EQ(causal_conv_time_backward(ones, x, taps, 1).x, (Matrix{{0.0F}, {1.0F}, {2.0F}}));
  EXPECT_EQ(latent_frames(9, 4), 3);
  EXPECT_EQ(latent_frames(33, 4), 9);
  EXPECT_EQ(latent_frames(33, 8), 5);
  EXPECT_EQ(padded_frames(32, 4), 33);
  EXPECT_EQ(latent_frames(padded_frames(72, 8), 8), 10);
  chapter.prints("256 \\cdot 3 / 16 = 48");
  EXPECT_EQ(9 * 3 * 64 / (latent_frames(9, 4) * 16), 36);
  StreamStep step = streaming_conv(x.topRows(2), Matrix(0, 1), taps, no_bias);
  EXPECT_EQ(step.y, (Matrix{{1.0F}, {3.0F}}));
  EXPECT_EQ(step.cache, one(2.0F));
  step = streaming_conv(x.bottomRows(1), step.cache, taps, no_bias);
  EXPECT_EQ(step.y, one(6.0F));
  EXPECT_EQ(streaming_conv(x.bottomRows(1), Matrix(0, 1), taps, no_bias).y, one(4.0F));
}

TokenizerDesign design(std::vector<std::int64_t> multipliers, std::int64_t channels) {
  TokenizerDesign d;
  d.multipliers = std::move(multipliers);
  d.channels = channels;
  return d;
}

TEST(Chapter10, WorksTheDesign) {
  const Chapter chapter("10_tokenizers");
  const TokenizerTargets targets{100'000'000, 8'000'000'000, 30.0};
  struct Row {
    TokenizerDesign design;
    std::string encoder, decoder, together;
  };
  for (const Row& printed :
       {Row{design({1, 2, 4}, 3), "22,351,238", "32,960,771", "55,312,009"},
        Row{design({1, 2, 4, 4}, 4), "34,163,592", "49,490,179", "83,653,771"},
        Row{design({1, 2, 4, 4}, 16), "34,274,208", "49,545,475", "83,819,683"}}) {
    const ParameterCount count = autoencoder_parameters(printed.design);
    chapter.prints(printed.encoder + " | " + printed.decoder + " | " + printed.together);
    chapter.states(printed.encoder, double(count.encoder));
    chapter.states(printed.decoder, double(count.decoder));
    chapter.states(printed.together, double(count.encoder + count.decoder));
  }
  TokenizerDesign sd = design({1, 2, 4, 4}, 4);
  const TokenizerReport report = design_tokenizer(sd, targets);
  chapter.states("4,096", double(report.latent_values));
  chapter.prints("201{,}326{,}592");
  EXPECT_EQ(report.decoder_peak_bytes, 201326592);
  chapter.states("334,615,084",
                 4.0 * double(report.parameters.encoder + report.parameters.decoder));
  chapter.states("0.54", 1e-9 * (334615084.0 + double(report.decoder_peak_bytes)));
  chapter.states("24.19", report.verdicts.published_psnr);
  EXPECT_EQ(report.verdicts.parameters, TargetVerdict::kMet);
  EXPECT_EQ(report.verdicts.bytes, TargetVerdict::kMet);
  EXPECT_EQ(report.verdicts.psnr, TargetVerdict::kUnknown);
  EXPECT_DOUBLE_EQ(report.conv_cost, 1.0 / 64);
  EXPECT_DOUBLE_EQ(report.attention_cost, 1.0 / 4096);
  sd.height = sd.width = 1024;
  chapter.states("3,221,225,472", double(decoder_peak_bytes(sd)));
  // R and A, from differences of whole counts.
  const auto decoder = [](std::vector<std::int64_t> m) {
    return autoencoder_parameters(design(std::move(m), 4)).decoder;
  };
  const std::int64_t up = 9 * 128 * 128 + 128;
  EXPECT_EQ(decoder({1, 1}) - decoder({1}) - up, 3 * 295680);
  chapter.states("295,680", 295680.0);
  chapter.states("919,040", 919040.0);
  chapter.states("4,721,664", 4721664.0);
  chapter.states("1,051,648", 1051648.0);
  chapter.states("10,494,976", 2.0 * 4721664 + 1051648);
}

TEST(Chapter10, WorksTheKindsOfLatent) {
  const Chapter chapter("10_tokenizers");
  struct Row {
    LatentKind kind;
    std::int64_t codes;
    std::string encoder, codebook, bits, psnr;
  };
  for (const Row& row : {Row{LatentKind::kContinuous, 0, "34,163,592", "0", "64", "24.19"},
                         Row{LatentKind::kDiscrete, 16384, "34,145,156", "65,536", "14", "23.07"},
                         Row{LatentKind::kDiscrete, 256, "34,145,156", "1,024", "8", "22.35"}}) {
    TokenizerDesign d = design({1, 2, 4, 4}, 4);
    d.kind = row.kind;
    d.codes = row.codes;
    d.bytes_per_number = 2;
    const TokenizerReport report = design_tokenizer(d, {});
    chapter.prints("| " + row.encoder + " | " + row.codebook + " | " + row.bits + " | " + row.psnr +
                   " |");
    chapter.states(row.encoder, double(report.parameters.encoder));
    chapter.states(row.codebook, double(report.parameters.codebook));
    EXPECT_DOUBLE_EQ(report.bits / double(report.positions), std::stod(row.bits));
    const auto all = published_tokenizers();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const PublishedTokenizer& p) {
      return p.kind == row.kind && p.factor == 8 && p.codes == row.codes &&
             p.psnr == std::stod(row.psnr);
    }));
  }
  chapter.states("0.72", 23.07 - 22.35);
  chapter.states("1.12", 24.19 - 23.07);
  chapter.states("3.25", 24.08 - 20.83);
}

TEST(Chapter10, WorksTheCostOfTraining) {
  const Chapter chapter("10_tokenizers");
  const double encoder = 1e-9 * double(sd_encoder_macs(256));
  const double decoder = 1e-9 * double(sd_decoder_macs(256));
  const double vgg = 1e-9 * double(vgg16(256).macs());
  const double patches = 1e-9 * double(patch_discriminator(256).macs());
  EXPECT_EQ(patch_discriminator(256).side(), 30);
  chapter.states("136.4", encoder);
  chapter.states("311.1", decoder);
  chapter.states("1,342.4", 3 * (encoder + decoder));
  chapter.states("20.0", vgg);
  chapter.states("60.1", 3 * vgg);
  chapter.states("3.147", patches);
  chapter.states("6.3", 2 * patches);
  chapter.states("18.9", 6 * patches);
  chapter.states("23.2", vgg + patches);
  const double judges = 4 * vgg + 9 * patches;
  chapter.states("108.5", judges);
  chapter.prints("8 % on top");
  EXPECT_NEAR(judges / (3 * (encoder + decoder)), 0.08, 5e-3);
  chapter.states("14,714,688", double(vgg16(256).params()));
}

TEST(Chapter10, WorksTheBudget) {
  const Chapter chapter("10_tokenizers");
  TokenizerDesign sd = design({1, 2, 4, 4}, 4);
  sd.bytes_per_number = 2;
  const ParameterCount count = autoencoder_parameters(sd);
  const double own = double(count.encoder + count.decoder), denoiser = 4e8;
  chapter.states("800,000,000", 2 * denoiser);
  chapter.states("167,307,542", 2 * own);
  chapter.states("100,663,296", double(decoder_peak_bytes(sd)));
  const double run = 2 * denoiser + 2 * own + double(decoder_peak_bytes(sd));
  chapter.states("1,067,970,838", run);
  chapter.states("1.07", 1e-9 * run);
  chapter.prints("seven times over");
  EXPECT_EQ(std::floor(8e9 / run), 7.0);
  chapter.states("6,400,000,000", 16 * denoiser);
  chapter.states("8,000,000,000", 20 * denoiser);
  chapter.states("1,338,460,336", 16 * own);
  chapter.states("44,250,128", 16.0 * 2765633);
  const double vgg = 4 * double(vgg16(256).params());
  chapter.states("58,858,752", vgg);
  chapter.states("1.44", 1e-9 * (16 * own + 16.0 * 2765633 + vgg));
}

TEST(Chapter10, WorksTheLosses) {
  const Chapter chapter("10_tokenizers");
  const Matrix real{{1.5F, 0.2F, -0.3F}}, fake{{-1.2F, 0.4F, -0.5F}};
  const HingeLoss d = hinge_d_loss(real, fake);
  chapter.states("0.666667", d.value);
  chapter.states("0.633333", 1.9 / 3.0);
  EXPECT_NEAR(d.d_real(0, 1), -1.0 / 6.0, 1e-6);
  EXPECT_NEAR(d.d_fake(0, 2), 1.0 / 6.0, 1e-6);
  chapter.states("0.433333", g_loss(fake).value);
  const Matrix nll{{1.0F, -2.0F, 2.0F}}, adversarial{{0.3F, 0.4F, 0.0F}};
  chapter.states("5.998800", adaptive_weight(nll, adversarial, 1.0));
  EXPECT_DOUBLE_EQ(adaptive_weight(nll, Matrix::Zero(1, 3), 1.0), 1e4);
  EXPECT_EQ(adopt_weight(0.5, 50000, 50001), 0.0);
  EXPECT_EQ(adopt_weight(0.5, 50001, 50001), 0.5);
  const Tensor4 x(1, 3, 256, 256), x_hat(1, 3, 256, 256, 0.05F);
  const auto loss = [&](double s) {
    return ldm_total_loss(x, x_hat, DoubleVector::Constant(1, 0.2), DoubleVector::Constant(1, 4096),
                          {}, {1.0, 1e-6, s});
  };
  chapter.states("49,152", loss(0.0).reconstruction);
  chapter.states("0.004096", loss(0.0).kl);
  chapter.states("9,830.6", 196608 * 0.05 + 0.2);
  const double best = std::log(0.25);
  chapter.states("-1.386294", best);
  EXPECT_LT(loss(best).total, loss(best - 0.01).total);
  EXPECT_LT(loss(best).total, loss(best + 0.01).total);
}

}  // namespace
}  // namespace latent

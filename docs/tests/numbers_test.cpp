// The numbers worked in the chapters, computed by the reference solutions. Each is given as the
// chapter prints it: the test fails if the text is not there, or if the function yields another
// number than its digits say.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include "autoencoder.hpp"
#include "reparameterization.hpp"

namespace latent {
namespace {

class Chapter {
 public:
  explicit Chapter(const std::string& name) {
    std::ifstream file(std::string(HANDBOOK) + "/" + name + ".md");
    std::ostringstream all;
    all << file.rdbuf();
    text_ = all.str();
  }

  void prints(const std::string& words) const {
    EXPECT_NE(text_.find(words), std::string::npos) << words << " is not in the chapter";
  }

  /// Does the chapter print this number, and is it `value` to the last digit printed?
  void states(const std::string& number, double value) const {
    prints(number);
    std::string plain = number;
    plain.erase(std::remove(plain.begin(), plain.end(), ','), plain.end());
    const std::size_t point = plain.find('.');
    const auto decimals =
        point == std::string::npos ? 0 : static_cast<int>(plain.size() - point - 1);
    // Results are float: beyond seven digits they cannot agree.
    const double tolerance = std::max(0.501 * std::pow(10.0, -decimals), 1e-6 * std::abs(value));
    EXPECT_NEAR(std::stod(plain), value, tolerance);
  }

 private:
  std::string text_;
};

Matrix one(float value) {
  return Matrix::Constant(1, 1, value);
}

TEST(Chapter01, CountsValuesAndBits) {
  const Chapter chapter("01_autoencoder");
  chapter.states("786,432", static_cast<double>(values_in({3, 512, 512})));
  chapter.states("12,884,901,888", static_cast<double>(values_in({3, 65536, 65536})));
  chapter.states("9.966", bits_per_token(1000));
  struct Row {
    Shape input, latent;
    double bits;
    std::string values_text, bits_text;
  };
  for (const Row& row : {Row{{3, 512, 512}, {4, 64, 64}, 16, "48", "24"},
                         Row{{3, 512, 512}, {4, 64, 64}, 32, "48", "12"},
                         Row{{3, 1024, 1024}, {16, 128, 128}, 16, "12", "6"},
                         Row{{3, 256, 256}, {32, 32}, 13, "192", "118.2"},
                         Row{{3, 256, 256}, {32, 32}, 10, "192", "153.6"},
                         Row{{3, 256, 256}, {16, 16}, 18, "768", "341.3"},
                         Row{{9, 3, 512, 512}, {16, 3, 64, 64}, 16, "36", "18"}}) {
    const CompressionRatio ratio = compression_ratio(row.input, 8, row.latent, row.bits);
    chapter.states(row.values_text, ratio.values);
    chapter.states(row.bits_text, ratio.bits);
    chapter.prints("| " + row.values_text + " | " + row.bits_text + " |");
  }
}

TEST(Chapter01, WorksTheLinearLayer) {
  const Matrix x{{1, 2, 3}, {4, 5, 6}}, weight{{1, 0, -1}, {2, 1, 0}}, dy{{1, 0}, {2, -1}};
  const RowVector bias{{10, 20}};
  EXPECT_EQ(linear_forward(x, weight, bias), (Matrix{{8, 24}, {8, 33}}));
  const LinearGradients d = linear_backward(dy, x, weight);
  EXPECT_EQ(d.x, (Matrix{{1, 0, -1}, {0, -1, -2}}));
  EXPECT_EQ(d.weight, (Matrix{{9, 12, 15}, {-4, -5, -6}}));
  EXPECT_EQ(d.bias, (RowVector{{3, -1}}));
}

TEST(Chapter01, WorksTanh) {
  const Chapter chapter("01_autoencoder");
  const Matrix y = tanh_forward(one(2));
  chapter.states("0.964028", y(0, 0));
  chapter.states("0.070651", tanh_backward(one(1), y)(0, 0));
  EXPECT_EQ(tanh_backward(one(1), tanh_forward(one(30)))(0, 0), 0.0F);
}

TEST(Chapter01, WorksTheLoss) {
  const Chapter chapter("01_autoencoder");
  const Matrix x_hat{{1, 2}, {3, 4}}, x{{0, 2}, {3, 2}};
  const Loss sum = mse_loss(x_hat, x, Reduction::kSum),
             batch = mse_loss(x_hat, x, Reduction::kBatchMean),
             mean = mse_loss(x_hat, x, Reduction::kMean);
  chapter.prints("| sum | 1 | 5 | 2, 4 |");
  chapter.prints("| batch mean | 2 | 2.5 | 1, 2 |");
  chapter.prints("| mean | 4 | 1.25 | 0.5, 1 |");
  EXPECT_EQ(sum.value, 5);
  EXPECT_EQ(batch.value, 2.5);
  EXPECT_EQ(mean.value, 1.25);
  EXPECT_EQ(sum.gradient, (Matrix{{2, 0}, {0, 4}}));
  EXPECT_EQ(batch.gradient, (Matrix{{1, 0}, {0, 2}}));
  EXPECT_EQ(mean.gradient, (Matrix{{0.5, 0}, {0, 1}}));
}

TEST(Chapter01, WorksAdam) {
  const Chapter chapter("01_autoencoder");
  const auto step_length = [](float gradient, float m, float v, std::int64_t t) {
    AdamOptions options;
    options.learning_rate = 1.0;
    return 0.0 - adam_step({one(0), one(m), one(v)}, one(gradient), t, options).parameter(0, 0);
  };
  chapter.states("0.99900000002",
                 adam_step({one(1), one(0), one(0)}, one(0.5), 1, {}).parameter(0, 0));
  chapter.states("3.162",
                 step_length(0.5F, 0, 0, 1000000));  // so late that nothing is corrected any more
  chapter.states("0.316", step_length(0.5F, 0.5F, 0.25F, 1));
  chapter.states("0.0909", step_length(1e-9F, 0, 0, 1));
}

TEST(Chapter01, WorksTheSmallestAutoencoder) {
  const Chapter chapter("01_autoencoder");
  const Layer layer{one(1), RowVector::Zero(1)};
  const AutoencoderGradients pass = autoencoder_gradients({layer, layer, layer, layer}, one(1));
  const Autoencoder& d = pass.gradient;
  chapter.states("0.761594", pass.latent(0, 0));
  chapter.states("0.642015", pass.reconstruction(0, 0));
  chapter.states("0.128153", pass.loss);
  chapter.states("-0.715970", d.decoder_output.bias(0));
  chapter.states("-0.459663", d.decoder_output.weight(0, 0));
  chapter.states("-0.320524", d.decoder_hidden.weight(0, 0));
  chapter.states("-0.320524", d.encoder_output.weight(0, 0));
  chapter.states("-0.420859", d.encoder_output.bias(0));
  chapter.states("-0.176750", d.encoder_hidden.weight(0, 0));
}

TEST(Chapter01, WorksTheConvolution) {
  const Chapter chapter("01_autoencoder");
  EXPECT_EQ(conv2d_out(256, 4, 2, 1, 1), 128);
  EXPECT_EQ(conv2d_out(8, 3, 2, 0, 0), 3);
  Tensor4 ramp(1, 1, 4, 4);
  for (Index i = 0; i < 16; ++i) ramp(0, 0, i / 4, i % 4) = static_cast<float>(i);
  const auto sums = [&ramp](const Conv2dOptions& options) {
    const Tensor4 y = conv2d_forward(ramp, Tensor4(1, 1, 3, 3, 1.0F), RowVector::Zero(1), options);
    return Matrix(Eigen::Map<const Matrix>(y.data(), y.h(), y.w()));
  };
  EXPECT_EQ(sums({.stride = 2, .left = 1, .right = 1, .top = 1, .bottom = 1}),
            (Matrix{{10, 24}, {51, 90}}));
  EXPECT_EQ(sums({.stride = 2, .right = 1, .bottom = 1}), (Matrix{{45, 39}, {66, 50}}));
  chapter.prints("\\begin{pmatrix}10&24\\\\51&90\\end{pmatrix}");
  chapter.prints("\\begin{pmatrix}45&39\\\\66&50\\end{pmatrix}");
}

TEST(Chapter02, WorksTheSampleAndItsGradient) {
  const Chapter chapter("02_reparameterization");
  const Matrix mu = one(2.3F), log_var = one(-1.39F), eps = one(-0.7F);
  const Matrix sigma = std_from_logvar(log_var);
  chapter.states("0.499074", sigma(0, 0));
  chapter.states("0.249537", std_from_logvar_backward(one(1), sigma)(0, 0));
  chapter.states("1.950648", reparameterize(mu, log_var, eps)(0, 0));
  chapter.states("2.649352", reparameterize(mu, log_var, -eps)(0, 0));
  chapter.states("2.125647", reparameterize(mu, 2 * log_var, eps)(0, 0));
  chapter.states("-0.174676", reparameterize_backward(one(1), mu, log_var, eps).log_var(0, 0));
}

TEST(Chapter02, WorksTheTwoHeads) {
  const Layer mean{Matrix{{1, 0}}, RowVector::Zero(1)}, log_var{Matrix{{0, 1}}, RowVector::Zero(1)};
  const Matrix hidden{{1, 2}};
  const Gaussian q = gaussian_heads(hidden, {mean, log_var});
  EXPECT_EQ(q.mu(0, 0), 1.0F);
  EXPECT_EQ(q.log_var(0, 0), 2.0F);
  EXPECT_EQ(gaussian_heads_backward(one(3), one(5), hidden, {mean, log_var}).hidden,
            (Matrix{{3, 5}}));
}

/// Mean and variance of what an estimator returns, over standard normal noise, by the midpoint
/// rule.
struct Statistics {
  double mean, variance;
};

Statistics over_noise(const DoubleVector& eps, const DoubleVector& estimates, double step) {
  const DoubleVector weight =
      (-0.5 * eps.array().square()).exp() * (step / std::sqrt(2 * std::acos(-1.0)));
  const double mean = weight.dot(estimates);
  return {mean, weight.dot(estimates.cwiseAbs2()) - mean * mean};
}

TEST(Chapter02, WorksBothEstimators) {
  constexpr double kStep = 1e-3;
  const DoubleVector eps = DoubleVector::LinSpaced(24001, -12.0, 12.0);
  const DoubleVector z = (1.0 + eps.array()).matrix();
  const GradientSamples path = pathwise_gradient(2.0 * z, eps),
                        score = score_function_gradient(z.cwiseAbs2(), z, 1.0, 1.0);
  const GradientSamples baseline =
      score_function_gradient((z.array().square() - 4.0).matrix(), z, 1.0, 1.0);
  struct Row {
    const DoubleVector& estimates;
    double variance;
  };
  for (const Row& row : {Row{path.mu, 4}, Row{path.sigma, 12}, Row{score.mu, 30},
                         Row{score.sigma, 136}, Row{baseline.mu, 14}}) {
    const Statistics found = over_noise(eps, row.estimates, kStep);
    EXPECT_NEAR(found.mean, 2.0, 1e-6);
    EXPECT_NEAR(found.variance, row.variance, 1e-6);
  }
  const Chapter chapter("02_reparameterization");
  chapter.prints("12 against 136");
  chapter.prints("brings 30 down to 14");
  for (const auto& [d, text] :
       {std::pair(1, "30"), std::pair(4, "132"), std::pair(16, "1,260"), std::pair(64, "17,292")}) {
    chapter.states(text, 30.0 + 22.0 * (d - 1) + 4.0 * (d - 1) * (d - 1));
  }
}

TEST(Chapter02, WorksTheParameterisations) {
  const Chapter chapter("02_reparameterization");
  struct Row {
    double sigma;
    std::string x, slope, kl;
  };
  for (const Row& row : {Row{1e-3, "-13.8155", "0.000500000", "-0.4999995"},
                         Row{1.0, "0", "0.5", "0"}, Row{5.0, "3.2189", "2.5", "12"}}) {
    const SigmaParameterisation found = exp_parameterisation(row.sigma);
    chapter.states(row.x, found.x);
    chapter.states(row.slope, found.dsigma_dx);
    chapter.states(row.kl, found.dkl_dx);
  }
  for (const Row& row :
       {Row{1e-3, "-6.9073", "0.000999500", "-0.9994992"}, Row{1.0, "0.5413", "0.632121", "0"},
        Row{5.0, "4.9932", "0.993262", "4.767658"}}) {
    const SigmaParameterisation found = softplus_parameterisation(row.sigma);
    chapter.states(row.x, found.x);
    chapter.states(row.slope, found.dsigma_dx);
    chapter.states(row.kl, found.dkl_dx);
  }
  EXPECT_NEAR(softplus(-40.0), 4.248354e-18, 1e-24);
}

}  // namespace
}  // namespace latent

// The kernels of lab 04 at sizes that no tile divides.

#include "solutions/04_training_a_vae/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"
#include "solutions/tests/device/expect_close.hpp"

namespace latent {
namespace {

using device::Size;
using Doubles = std::vector<double>;

/// KL of one dimension.
double kl(double mu, double log_var) {
  return 0.5 * (mu * mu + (std::expm1(log_var) - log_var));
}

class LossOnDevice : public DeviceTest {
 protected:
  void check_beta_loss(Size n, Size d, Size l, double beta) {
    const auto x = normal_floats(random, n * d), x_hat = normal_floats(random, n * d),
               mu = normal_floats(random, n * l), log_var = normal_floats(random, n * l);
    const double share = 1.0 / static_cast<double>(n);
    Doubles terms(2), dx_hat, dmu, dlog_var;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = double(x_hat[i]) - double(x[i]);
      terms[0] += share * error * error;
      dx_hat.push_back(2.0 * share * error);
    }
    for (std::size_t i = 0; i < mu.size(); ++i) {
      terms[1] += share * kl(double(mu[i]), double(log_var[i]));
      dmu.push_back(beta * share * double(mu[i]));
      dlog_var.push_back(0.5 * beta * share * std::expm1(double(log_var[i])));
    }
    const auto on_x = on_device(x), on_x_hat = on_device(x_hat), on_mu = on_device(mu),
               on_log_var = on_device(log_var);
    device::Buffer<double> on_terms(2), per_sample(n);
    device::Buffer<float> on_dx_hat(n * d), on_dmu(n * l), on_dlog_var(n * l);
    device::beta_loss(on_x.data(), on_x_hat.data(), on_mu.data(), on_log_var.data(), beta,
                      on_terms.data(), per_sample.data(), on_dx_hat.data(), on_dmu.data(),
                      on_dlog_var.data(), n, d, l);
    expect_close(fetched(on_terms), terms, "terms", 1e-12);
    expect_close(fetched(on_dx_hat), dx_hat, "gradient for x_hat", 2e-7);
    expect_close(fetched(on_dmu), dmu, "gradient for mu", 2e-7);
    expect_close(fetched(on_dlog_var), dlog_var, "gradient for log_var", 2e-7);
  }

  /// Value and gradient of n x d pixels.
  static std::pair<double, std::vector<float>> bce(const std::vector<float>& logits,
                                                   const std::vector<float>& x, Size n, Size d) {
    const auto on_logits = on_device(logits), on_x = on_device(x);
    device::Buffer<double> value(1);
    device::Buffer<float> gradient(n * d);
    device::bce_with_logits(on_logits.data(), on_x.data(), value.data(), gradient.data(), n, d);
    return {fetched(value)[0], fetched(gradient)};
  }

  Random random{20261201};
};

TEST_F(LossOnDevice, BetaLossHasTermsAndGradientsAtAwkwardSizes) {
  for (const Size n : kAwkward) {
    for (const Size l : {1, 5, 33}) check_beta_loss(n, 37, l, 0.3);
  }
  check_beta_loss(3, 1, 2, 0.0);
}

TEST_F(LossOnDevice, BceHasAValueAndAGradientAtAwkwardSizes) {
  for (const Size n : kAwkward) {
    for (const Size d : {1, 37}) {
      const auto logits = normal_floats(random, n * d, 5.0);
      auto x = normal_floats(random, n * d);
      for (float& pixel : x) pixel = std::clamp(pixel, 0.0F, 1.0F);  // half of them are 0
      double value = 0.0;
      Doubles gradient;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double logit = double(logits[i]), pixel = double(x[i]);
        value += (std::max(logit, 0.0) - logit * pixel + std::log1p(std::exp(-std::abs(logit)))) /
                 static_cast<double>(n);
        gradient.push_back((1.0 / (1.0 + std::exp(-logit)) - pixel) / static_cast<double>(n));
      }
      const auto got = bce(logits, x, n, d);
      expect_close(Doubles{got.first}, {value}, "value", 2e-7);
      expect_close(got.second, gradient, "gradient", 2e-7);
    }
  }
}

TEST_F(LossOnDevice, BceKeepsItsDigitsFarOut) {
  const auto expect = [](float logit, float pixel, double cost, double slope) {
    const auto got = bce({logit}, {pixel}, 1, 1);
    EXPECT_LE(std::abs(got.first - cost), 1e-6 * cost) << logit << ", " << pixel;
    EXPECT_LE(std::abs(double(got.second[0]) - slope), 1e-6 * std::abs(slope)) << logit;
  };
  expect(-50.0F, 1.0F, 50.0, -1.0);
  expect(40.0F, 1.0F, std::exp(-40.0), 0.0);
  expect(-40.0F, 0.0F, std::exp(-40.0), std::exp(-40.0));
  expect(1000.0F, 0.0F, 1000.0, 1.0);
  expect(40.0F, 1.0F - 0x1p-24F, 40.0 * 0x1p-24, 0x1p-24);  // l and l x would cancel
}

}  // namespace
}  // namespace latent

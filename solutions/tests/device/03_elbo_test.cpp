// The kernels of lab 03 at sizes that no warp and no block divides.

#include "solutions/03_elbo/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"
#include "solutions/tests/device/expect_close.hpp"

namespace latent {
namespace {

using device::Size;
using Doubles = std::vector<double>;

class ElboOnDevice : public DeviceTest {
 protected:
  /// Expects value, sums and gradients of n x d divergences.
  static void expect_kl(const std::vector<float>& mu, const std::vector<float>& log_var, Size n,
                        Size d, double weight, double tolerance) {
    Doubles per_sample(static_cast<std::size_t>(n)), dmu, dlog_var;
    double value = 0.0;
    for (std::size_t i = 0; i < mu.size(); ++i) {
      const double m = double(mu[i]), l = double(log_var[i]);
      const double kl = 0.5 * (m * m + (std::expm1(l) - l));
      per_sample[i / static_cast<std::size_t>(d)] += kl;
      value += kl / static_cast<double>(n);
      dmu.push_back(weight * m / static_cast<double>(n));
      dlog_var.push_back(weight * std::expm1(l) / (2.0 * static_cast<double>(n)));
    }
    const std::string what = std::to_string(n) + " x " + std::to_string(d);
    const auto on_mu = on_device(mu), on_log_var = on_device(log_var);
    device::Buffer<double> on_sums(n), on_value(1);
    device::Buffer<float> on_dmu(n * d), on_dlog_var(n * d);
    device::kl_standard_normal(on_mu.data(), on_log_var.data(), on_sums.data(), on_value.data(),
                               on_dmu.data(), on_dlog_var.data(), n, d, weight);
    expect_close(fetched(on_sums), per_sample, "KL of each sample, " + what, tolerance);
    expect_close(fetched(on_value), {value}, "KL, " + what, tolerance);
    expect_close(fetched(on_dmu), dmu, "its gradient for mu, " + what, 2e-7);
    expect_close(fetched(on_dlog_var), dlog_var, "its gradient for log_var, " + what, 2e-7);
  }

  /// Expects the Gaussian's share of the negative ELBO, and its gradient.
  void check_reconstruction(Size n, Size d, double variance) {
    const auto x = normal_floats(random, n * d), x_hat = normal_floats(random, n * d);
    double value = 0.0;
    Doubles gradient;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double away = double(x_hat[i]) - double(x[i]);
      value +=
          0.5 *
          (std::log(2.0 * 3.14159265358979323846) + std::log(variance) + away * away / variance) /
          static_cast<double>(n);
      gradient.push_back(away / variance / static_cast<double>(n));
    }
    const auto on_x = on_device(x), on_x_hat = on_device(x_hat);
    device::Buffer<double> on_value(1);
    device::Buffer<float> on_gradient(n * d);
    device::gaussian_reconstruction(on_x.data(), on_x_hat.data(), on_value.data(),
                                    on_gradient.data(), n, d, variance);
    const std::string what = std::to_string(n) + " x " + std::to_string(d);
    expect_close(fetched(on_value), {value}, "reconstruction, " + what, 1e-12);
    expect_close(fetched(on_gradient), gradient, "its gradient, " + what, 2e-7);
  }

  Random random{20261130};
};

TEST_F(ElboOnDevice, KlHasSumsAndGradientsAtAwkwardSizes) {
  for (const Size n : {1, 2, 67, 257}) {
    for (const Size d : {1, 2, 3, 7, 31, 33, 67})
      expect_kl(normal_floats(random, n * d), normal_floats(random, n * d, 2.0), n, d, 1.0, 1e-12);
  }
}

TEST_F(ElboOnDevice, KlWeighsItsGradientsOnly) {
  expect_kl(normal_floats(random, 35), normal_floats(random, 35), 5, 7, 0.25, 1e-12);
  expect_kl(normal_floats(random, 35), normal_floats(random, 35), 5, 7, 0.0, 1e-12);
}

// Of 2.5e-19 no float has a digit left after 1e-9 and -1e-9 have been added up.
TEST_F(ElboOnDevice, KlKeepsItsDigitsNearZero) {
  expect_kl({0.0F}, {1e-9F}, 1, 1, 1.0, 1e-25);
}

TEST_F(ElboOnDevice, ReconstructionHasAValueAndAGradientAtAwkwardSizes) {
  for (const Size n : {1, 31, 67}) {
    for (const Size d : {1, 5, 37}) check_reconstruction(n, d, 0.03);
  }
  check_reconstruction(3, 2, 40.0);
}

}  // namespace
}  // namespace latent

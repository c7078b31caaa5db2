// The kernels of lab 02 at sizes that no block divides.

#include "solutions/02_reparameterization/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"
#include "solutions/tests/device/expect_close.hpp"

namespace latent {
namespace {

using device::Size;

constexpr Size kCounts[] = {0, 1, 67, 1031};  // each() takes 1024 to a block

class ReparameterizationOnDevice : public DeviceTest {
 protected:
  /// Expects z = mu + sigma eps of n elements, and its gradients on top of others.
  void check(Size n, float keep) {
    const auto mu = normal_floats(random, n), log_var = normal_floats(random, n, 2.0),
               eps = normal_floats(random, n), dz = normal_floats(random, n),
               was = normal_floats(random, n);
    std::vector<double> z, dmu, dlog_var;
    for (std::size_t i = 0; i < mu.size(); ++i) {
      const double spread = std::exp(0.5 * double(log_var[i])) * double(eps[i]);
      const double kept = double(keep) * double(was[i]);
      z.push_back(double(mu[i]) + spread);
      dmu.push_back(double(dz[i]) + kept);
      dlog_var.push_back(0.5 * double(dz[i]) * spread + kept);
    }
    const auto on_mu = on_device(mu), on_log_var = on_device(log_var), on_eps = on_device(eps),
               on_dz = on_device(dz);
    device::Buffer<float> on_z(n);
    device::reparameterize(on_mu.data(), on_log_var.data(), on_eps.data(), on_z.data(), n);
    expect_close(fetched(on_z), z, "z of " + std::to_string(n), 1e-6);
    // Where nothing is kept nothing may be read either: a new buffer is full of NaN.
    auto on_dmu = keep == 0.0F ? device::Buffer<float>(n) : on_device(was),
         on_dlog_var = keep == 0.0F ? device::Buffer<float>(n) : on_device(was);
    device::reparameterize_backward(on_dz.data(), on_log_var.data(), on_eps.data(), on_dmu.data(),
                                    on_dlog_var.data(), n, keep);
    expect_close(fetched(on_dmu), dmu, "dmu of " + std::to_string(n), 1e-6);
    expect_close(fetched(on_dlog_var), dlog_var, "dlog_var of " + std::to_string(n), 1e-6);
  }

  Random random{20261129};
};

TEST_F(ReparameterizationOnDevice, DrawsAndCarriesGradientsBack) {
  for (const Size n : kCounts) check(n, 0.0F);
}

TEST_F(ReparameterizationOnDevice, AddsToTheGradientsOfTheKl) {
  for (const Size n : kCounts) {
    check(n, 1.0F);
    check(n, -0.5F);
  }
}

}  // namespace
}  // namespace latent

// 1_kl_standard_normal.cpp on a GPU: what the contract says, around 1_kl_standard_normal.cu.

#include <cmath>

#include "common/require.hpp"
#include "elbo.hpp"
#include "kernels.hpp"

namespace latent {

double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * (mu * mu + (std::expm1(log_var) - log_var));
}

KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  require_size(log_var.rows(), mu.rows(), "kl_standard_normal: rows of log_var");
  require_size(log_var.cols(), mu.cols(), "kl_standard_normal: columns of log_var");
  require(mu.size() > 0, "kl_standard_normal: expected at least one element, got " + shape_of(mu));
  const device::Buffer<float> mean(mu.data(), mu.size()), width(log_var.data(), mu.size());
  device::Buffer<double> per_sample(mu.rows()), value(1);
  device::Buffer<float> dmu(mu.size()), dlog_var(mu.size());
  device::kl_standard_normal(mean.data(), width.data(), per_sample.data(), value.data(), dmu.data(),
                             dlog_var.data(), mu.rows(), mu.cols());
  KlStandardNormal kl{DoubleVector(mu.rows()), 0.0, Matrix(mu.rows(), mu.cols()),
                      Matrix(mu.rows(), mu.cols())};
  per_sample.copy_to(kl.per_sample.data());
  value.copy_to(&kl.value);
  dmu.copy_to(kl.mu.data());
  dlog_var.copy_to(kl.log_var.data());
  return kl;
}

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * (mu * mu + (std::expm1(log_var) - log_var));
}

KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  require_size(log_var.rows(), mu.rows(), "kl_standard_normal: rows of log_var");
  require_size(log_var.cols(), mu.cols(), "kl_standard_normal: columns of log_var");
  require(mu.size() > 0, "kl_standard_normal: expected at least one element, got " + shape_of(mu));
  DoubleVector per_sample = DoubleVector::Zero(mu.rows());
  for (Index n = 0; n < mu.rows(); ++n) {
    for (Index d = 0; d < mu.cols(); ++d) {
      per_sample(n) += kl_standard_normal_1d(mu(n, d), log_var(n, d));
    }
  }
  const auto samples = static_cast<float>(mu.rows());
  return {per_sample, per_sample.mean(), mu / samples,
          (log_var.array().exp() - 1.0F) / (2.0F * samples)};
}

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  require_size(log_var.size(), mu.size(), "kl_monte_carlo: size of log_var");
  require_size(eps.cols(), mu.size(), "kl_monte_carlo: columns of eps");
  DoubleVector estimates = DoubleVector::Zero(eps.rows());
  for (Index s = 0; s < eps.rows(); ++s) {
    for (Index d = 0; d < eps.cols(); ++d) {
      const double noise = eps(s, d), z = mu(d) + std::exp(0.5 * log_var(d)) * noise;
      estimates(s) += 0.5 * (z * z - noise * noise - log_var(d));
    }
  }
  return estimates;
}

}  // namespace latent

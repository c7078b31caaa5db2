#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  require_size(log_var.rows(), mu.rows(), "reparameterize: rows of log_var");
  require_size(log_var.cols(), mu.cols(), "reparameterize: columns of log_var");
  require_size(eps.rows(), mu.rows(), "reparameterize: rows of eps");
  require_size(eps.cols(), mu.cols(), "reparameterize: columns of eps");
  return mu.array() + (0.5F * log_var.array()).exp() * eps.array();
}

}  // namespace latent

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  for (const Matrix* other : {&mu, &log_var, &eps}) {
    require_size(other->rows(), dz.rows(), "reparameterize_backward: rows of mu, log_var, eps");
    require_size(other->cols(), dz.cols(), "reparameterize_backward: columns of mu, log_var, eps");
  }
  const Matrix dsigma = dz.cwiseProduct(eps);  // dz/dsigma is the noise
  return {dz, 0.5F * dsigma.array() * (0.5F * log_var.array()).exp()};
}

}  // namespace latent

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix posterior_mode(const Posterior& posterior) {
  return posterior.mean;
}

Spread posterior_spread(const Posterior& posterior) {
  if (posterior.deterministic) {
    const Matrix none = Matrix::Zero(posterior.mean.rows(), posterior.mean.cols());
    return {none, none};
  }
  return {std_from_logvar(posterior.log_var), posterior.log_var.array().exp()};
}

Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  require_size(eps.rows(), posterior.mean.rows(), "posterior_sample: rows of eps");
  require_size(eps.cols(), posterior.mean.cols(), "posterior_sample: columns of eps");
  if (posterior.deterministic) return posterior.mean;
  return reparameterize(posterior.mean, posterior.log_var, eps);
}

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0,
          "neg_elbo: expected decoder_var above 0, got " + std::to_string(decoder_var));
  require_size(mu.rows(), x.rows(), "neg_elbo: rows of mu");
  const auto decoder_log_var = static_cast<float>(std::log(decoder_var));
  const GaussianNll nll =
      gaussian_nll(x, x_hat, Matrix::Constant(x.rows(), x.cols(), decoder_log_var));
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  return {nll.value + kl.value, nll.value, kl.value, nll.mean, kl.mu, kl.log_var};
}

}  // namespace latent

#include <utility>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  for (const Matrix* direct : {&loss.mu, &loss.log_var}) {
    require_size(direct->rows(), eps.rows(), "vae_backward: rows of loss.mu, loss.log_var");
    require_size(direct->cols(), eps.cols(), "vae_backward: columns of loss.mu, loss.log_var");
  }
  require_size(x.rows(), eps.rows(), "vae_backward: rows of x");
  require_size(x.cols(), model.encoder_hidden.weight.cols(), "vae_backward: columns of x");
  LinearGradients output =
      linear_backward(loss.x_hat, pass.decoder_hidden, model.decoder_output.weight);
  LinearGradients decoder = linear_backward(tanh_backward(output.x, pass.decoder_hidden), pass.z,
                                            model.decoder_hidden.weight);
  const Gaussian through_z = reparameterize_backward(decoder.x, pass.q.mu, pass.q.log_var, eps);
  const GaussianHeadsGradients heads = gaussian_heads_backward(
      through_z.mu + loss.mu, through_z.log_var + loss.log_var, pass.encoder_hidden, model.heads);
  // Not linear_backward: dx, which nobody asks for, would cost as much as the gradient of W.
  const Matrix dhidden = tanh_backward(heads.hidden, pass.encoder_hidden);
  return {{dhidden.transpose() * x, dhidden.colwise().sum()},
          heads.heads,
          {std::move(decoder.weight), std::move(decoder.bias)},
          {std::move(output.weight), std::move(output.bias)}};
}

}  // namespace latent

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const auto forward = [](const Layer& layer, const Matrix& in) {
    return linear_forward(in, layer.weight, layer.bias);
  };
  VaePass pass;
  pass.encoder_hidden = tanh_forward(forward(model.encoder_hidden, x));
  pass.q = gaussian_heads(pass.encoder_hidden, model.heads);
  pass.z = reparameterize(pass.q.mu, pass.q.log_var, eps);
  pass.decoder_hidden = tanh_forward(forward(model.decoder_hidden, pass.z));
  pass.x_hat = forward(model.decoder_output, pass.decoder_hidden);
  return pass;
}

}  // namespace latent

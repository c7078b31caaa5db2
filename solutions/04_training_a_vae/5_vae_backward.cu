// 4.5 vae_backward on a GPU: two products for each of the forward pass's, but for the encoder's
// first layer, of which nobody asks for dX: with the sizes there 2.7 billion operations. The
// gradients of a tanh overwrite what came to it, those of mu and log_var are added to what the KL
// has left there, and those of the hidden features to what the first head has sent: no sum has a
// pass of its own. Gradients of parameters lie as the parameters do, for Adam.

#include "kernels.hpp"
#include "solutions/02_reparameterization/kernels.hpp"

namespace latent::device {

void vae_backward(const VaeSizes& sizes, const float* parameters, const float* x, const float* eps,
                  const VaeActivations& pass, VaeActivations& back, float* gradient) {
  const VaeLayout layout(sizes);
  const auto send_back = [&](const LayerAt& layer, const float* dy, const float* in, float* din,
                             float keep = 0.0F) {
    linear_backward(dy, in, parameters + layer.weight, din, gradient + layer.weight,
                    gradient + layer.bias, pass.n, layer.in, layer.out, keep);
  };
  const auto through_tanh = [](const Buffer<float>& y, Buffer<float>& dy) {
    tanh_backward(dy.data(), y.data(), dy.data(), y.size());
  };
  float *const hidden = back.encoder_hidden.data(), *const decoded = back.decoder_hidden.data();
  send_back(layout.decoder_output, back.x_hat.data(), pass.decoder_hidden.data(), decoded);
  through_tanh(pass.decoder_hidden, back.decoder_hidden);
  send_back(layout.decoder_hidden, decoded, pass.z.data(), back.z.data());
  reparameterize_backward(back.z.data(), pass.log_var.data(), eps, back.mu.data(),
                          back.log_var.data(), pass.z.size(), 1.0F);
  send_back(layout.mu, back.mu.data(), pass.encoder_hidden.data(), hidden);
  send_back(layout.log_var, back.log_var.data(), pass.encoder_hidden.data(), hidden, 1.0F);
  through_tanh(pass.encoder_hidden, back.encoder_hidden);
  send_back(layout.encoder_hidden, hidden, x, nullptr);
}

}  // namespace latent::device

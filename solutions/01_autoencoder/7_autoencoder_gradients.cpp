#include "autoencoder.hpp"

namespace latent {
namespace {

Matrix forward(const Layer& layer, const Matrix& x) {
  return linear_forward(x, layer.weight, layer.bias);
}

Layer layer_of(const LinearGradients& gradients) {
  return {gradients.weight, gradients.bias};
}

}  // namespace

AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Matrix h = tanh_forward(forward(model.encoder_hidden, x));
  const Matrix z = forward(model.encoder_output, h);
  const Matrix k = tanh_forward(forward(model.decoder_hidden, z));
  const Matrix x_hat = forward(model.decoder_output, k);
  const Loss loss = mse_loss(x_hat, x, Reduction::kBatchMean);

  const LinearGradients d4 = linear_backward(loss.gradient, k, model.decoder_output.weight);
  const LinearGradients d3 =
      linear_backward(tanh_backward(d4.x, k), z, model.decoder_hidden.weight);
  const LinearGradients d2 = linear_backward(d3.x, h, model.encoder_output.weight);
  const LinearGradients d1 =
      linear_backward(tanh_backward(d2.x, h), x, model.encoder_hidden.weight);
  return {loss.value, z, x_hat, {layer_of(d1), layer_of(d2), layer_of(d3), layer_of(d4)}};
}

}  // namespace latent

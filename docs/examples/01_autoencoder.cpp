// The calls that the chapter on lab 01 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "autoencoder.hpp"

namespace {

using namespace latent;

//! [compression_ratio]
const CompressionRatio r =
    compression_ratio({3, 256, 256}, 8, {32, 32}, bits_per_token(8192));
// r.values is 192, r.bits is 118.154
//! [compression_ratio]

Matrix linear(const Matrix& x, const Layer& layer) {
  //! [linear_forward]
  const Matrix y = linear_forward(x, layer.weight, layer.bias);
  //! [linear_forward]
  return y;
}

Matrix linear_back(const Matrix& dy, const Matrix& x, const Layer& layer) {
  //! [linear_backward]
  const LinearGradients d = linear_backward(dy, x, layer.weight);
  // d.x [N, Di]   d.weight [Do, Di]   d.bias [Do]
  //! [linear_backward]
  return d.x;
}

Matrix tanh_there_and_back(const Matrix& x, const Matrix& dy) {
  //! [tanh]
  const Matrix y = tanh_forward(x);
  const Matrix dx = tanh_backward(dy, y);
  //! [tanh]
  return dx;
}

double losses(const Matrix& x_hat, const Matrix& x) {
  //! [mse_loss]
  const Loss sum = mse_loss(x_hat, x, Reduction::kSum);
  const Loss batch = mse_loss(x_hat, x, Reduction::kBatchMean);
  const Loss mean = mse_loss(x_hat, x, Reduction::kMean);
  //! [mse_loss]
  return sum.value + batch.value + mean.value;
}

AdamState optimise(AdamState state, const Matrix& gradient) {
  //! [adam_step]
  for (std::int64_t t = 1; t <= 100; ++t) {
    state = adam_step(state, gradient, t, AdamOptions{});
  }
  //! [adam_step]
  return state;
}

Matrix one_pass(const Autoencoder& model, const Matrix& x) {
  //! [autoencoder_gradients]
  const AutoencoderGradients pass = autoencoder_gradients(model, x);
  // pass.loss   pass.latent   pass.reconstruction
  // pass.gradient.encoder_hidden.weight, and seven more
  //! [autoencoder_gradients]
  return pass.latent;
}

Tensor4 downsample(const Tensor4& x, const Tensor4& weight,
                   const RowVector& bias) {
  //! [conv2d_forward]
  const Conv2dOptions options{.stride = 2, .right = 1, .bottom = 1};
  const Tensor4 y = conv2d_forward(x, weight, bias, options);
  //! [conv2d_forward]
  return y;
}

std::int64_t positions() {
  //! [conv2d_out]
  const std::int64_t rows = conv2d_out(256, 4, 2, 1, 1);  // 128
  //! [conv2d_out]
  return rows;
}

}  // namespace

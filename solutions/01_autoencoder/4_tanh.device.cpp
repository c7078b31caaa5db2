// 4_tanh.cpp on a GPU: what the contract says, around 4_tanh.cu.

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "kernels.hpp"

namespace latent {

Matrix tanh_forward(const Matrix& x) {
  device::Buffer<float> values(x.data(), x.size());
  device::tanh_forward(values.data(), values.data(), x.size());
  Matrix y(x.rows(), x.cols());
  values.copy_to(y.data());
  return y;
}

Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(),
          "tanh_backward: expected dy of shape " + shape_of(y) + ", got " + shape_of(dy));
  device::Buffer<float> gradient(dy.data(), dy.size());
  const device::Buffer<float> output(y.data(), y.size());
  device::tanh_backward(gradient.data(), output.data(), gradient.data(), y.size());
  Matrix dx(y.rows(), y.cols());
  gradient.copy_to(dx.data());
  return dx;
}

}  // namespace latent

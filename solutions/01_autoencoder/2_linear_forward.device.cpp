// 2_linear_forward.cpp on a GPU: what the contract says, around 2_linear_forward.cu.

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "kernels.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "linear_forward: columns of x");
  require_size(bias.size(), weight.rows(), "linear_forward: size of bias");
  const device::Buffer<float> in(x.data(), x.size()), w(weight.data(), weight.size()),
      b(bias.data(), bias.size());
  Matrix y(x.rows(), weight.rows());
  device::Buffer<float> out(y.size());
  device::linear_forward(in.data(), w.data(), b.data(), out.data(), x.rows(), x.cols(), y.cols());
  out.copy_to(y.data());
  return y;
}

}  // namespace latent

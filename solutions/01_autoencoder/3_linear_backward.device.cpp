// 3_linear_backward.cpp on a GPU: what the contract says, around 3_linear_backward.cu.

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "kernels.hpp"

namespace latent {

LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(dy.rows(), x.rows(), "linear_backward: rows of dy");
  require_size(dy.cols(), weight.rows(), "linear_backward: columns of dy");
  require_size(x.cols(), weight.cols(), "linear_backward: columns of x");
  const device::Buffer<float> out(dy.data(), dy.size()), in(x.data(), x.size()),
      w(weight.data(), weight.size());
  device::Buffer<float> dx(x.size()), dweight(weight.size()), dbias(weight.rows());
  device::linear_backward(out.data(), in.data(), w.data(), dx.data(), dweight.data(), dbias.data(),
                          x.rows(), x.cols(), dy.cols());
  LinearGradients gradients{Matrix(x.rows(), x.cols()), Matrix(weight.rows(), weight.cols()),
                            RowVector(weight.rows())};
  dx.copy_to(gradients.x.data());
  dweight.copy_to(gradients.weight.data());
  dbias.copy_to(gradients.bias.data());
  return gradients;
}

}  // namespace latent

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "linear_forward: columns of x");
  require_size(bias.size(), weight.rows(), "linear_forward: size of bias");
  Matrix y(x.rows(), weight.rows());
  y.rowwise() = bias;
  y.noalias() += x * weight.transpose();
  return y;
}

}  // namespace latent

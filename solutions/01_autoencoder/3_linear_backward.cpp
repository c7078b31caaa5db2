#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(dy.rows(), x.rows(), "linear_backward: rows of dy");
  require_size(dy.cols(), weight.rows(), "linear_backward: columns of dy");
  require_size(x.cols(), weight.cols(), "linear_backward: columns of x");
  return {dy * weight, dy.transpose() * x, dy.colwise().sum()};
}

}  // namespace latent

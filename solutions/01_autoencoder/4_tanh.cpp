#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

Matrix tanh_forward(const Matrix& x) {
  return x.array().tanh();
}

Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(),
          "tanh_backward: expected dy of shape " + shape_of(y) + ", got " + shape_of(dy));
  return dy.array() * (1.0F - y.array().square());
}

}  // namespace latent

// Returns gradients of wrong shapes, with which a careless test would compute.
// file: 3_linear_backward.cpp
// verdict: fail

#include "autoencoder.hpp"

namespace latent {

LinearGradients linear_backward(const Matrix&, const Matrix&, const Matrix&) {
  static Index calls = 0;
  const Index n = calls++ % 3;
  return {Matrix::Zero(n, 0), Matrix::Zero(n, n), RowVector::Zero(n)};
}

}  // namespace latent

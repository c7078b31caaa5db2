// Calls abort.
// verdict: crashed

#include <cstdlib>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::abort();
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

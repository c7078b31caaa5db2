// Writes to address 0.
// verdict: crashed
// says: Segmentation fault

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  volatile int* nowhere = nullptr;
  *nowhere = 1;
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

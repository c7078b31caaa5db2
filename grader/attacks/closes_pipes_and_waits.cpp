// Closes the pipes and lives on.
// verdict: crashed timed_out

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  close(4);
  for (;;) pause();
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

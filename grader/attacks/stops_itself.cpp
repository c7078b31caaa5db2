// Stops itself, so that it neither runs nor ends.
// verdict: timed_out

#include <csignal>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::raise(SIGSTOP);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

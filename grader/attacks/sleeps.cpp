// Sleeps for a day.
// verdict: timed_out

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  sleep(86400);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

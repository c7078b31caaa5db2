// Takes nearly as long as an answer may, each time, so that a grading takes hours.
// verdict: timed_out fail

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  usleep(2'500'000);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

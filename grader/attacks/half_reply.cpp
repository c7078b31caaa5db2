// Sends half a header and stalls.
// verdict: timed_out

#include <unistd.h>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  const char half[] = {0x4C, 0x54, 0x41};
  if (write(4, half, sizeof half) > 0) sleep(1000);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

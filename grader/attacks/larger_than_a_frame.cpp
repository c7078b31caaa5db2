// Answers with more than fits into one message.
// verdict: crashed fail timed_out

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix&, const Matrix&, const RowVector&) {
  return Matrix::Zero(20 << 10, 1 << 10);
}

}  // namespace latent

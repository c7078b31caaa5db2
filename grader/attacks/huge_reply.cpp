// Answers every question with 60 MB, to fill the judge's memory.
// verdict: crashed

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix&, const Matrix&, const RowVector&) {
  return Matrix::Zero(15 << 10, 1 << 10);
}

}  // namespace latent

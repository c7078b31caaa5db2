// Holds an array of 1.5 GB, to fill the disk.
// verdict: does_not_compile

#include "autoencoder.hpp"

char large[1'500'000'000] = {1};

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  return Matrix::Constant(x.rows(), weight.rows(), static_cast<float>(large[x.size()]));
}

}  // namespace latent

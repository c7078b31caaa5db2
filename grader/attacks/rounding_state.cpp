// Changes the rounding direction and asks for fast mathematics, for itself and all that follow.
// verdict: fail

#include <cfenv>

#include "autoencoder.hpp"

#pragma GCC optimize("Ofast", "fast-math")

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::fesetround(FE_UPWARD);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

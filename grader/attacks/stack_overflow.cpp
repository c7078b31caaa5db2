// Recurses without end.
// verdict: crashed

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  volatile float deep[4096];
  deep[0] = x.size() > 0 ? x(0, 0) : 0.0F;
  const float first = deep[0];
  return linear_forward(x, weight, bias) * first;
}

}  // namespace latent

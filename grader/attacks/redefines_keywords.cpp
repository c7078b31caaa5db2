// Redefines keywords before it includes the contract.
// verdict: does_not_compile fail

#define return \
  if (true) return
#define float double
#define private public
#define const
#define throw \
  if (false) throw
#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

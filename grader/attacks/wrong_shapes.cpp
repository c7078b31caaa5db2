// Returns another wrong shape each time: empty, one number, transposed, one row more.
// verdict: fail

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  static int calls = 0;
  const Index rows = x.rows(), cols = weight.rows();
  switch (calls++ % 4) {
    case 0:
      return Matrix();
    case 1:
      return Matrix::Zero(1, 1);
    case 2:
      return Matrix::Zero(cols, rows);
    default:
      return Matrix::Zero(rows + 1, cols);
  }
}

}  // namespace latent

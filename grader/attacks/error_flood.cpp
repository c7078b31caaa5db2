// Makes the compiler print errors without end.
// verdict: does_not_compile

#include "autoencoder.hpp"

#define E static_assert(sizeof(int) == 0, "\x1b[2J an error that repeats itself");
#define F E E E E E E E E E E
#define G F F F F F F F F F F
#define H G G G G G G G G G G
H H H H H

    namespace latent {
  Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
    return Matrix::Zero(x.rows(), weight.rows());
  }

}  // namespace latent

// 1.5 mse_loss: the squared error, its gradient, and what to divide by.  Roughly 9 lines.
// The contract is in autoencoder.hpp. Try it: ./lab grade 1.5      Stuck: ./lab hint 1.5

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  // First c: what does each of the three reductions divide by? x.rows() and x.size() are integers.
  // Then the value. A float holds 7 digits: what happens to an error of 1 that is added to a sum
  // of 16777216? .cast<double>() before the sum, not after it.
  // Then the gradient. Does it have the same c as the value? Which sign, if x_hat is too large?
  return todo(x_hat, x, reduction);
}

}  // namespace latent

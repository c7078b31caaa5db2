// 1.3 linear_backward: the chain rule through Y = X W^T + b.  Roughly 4 lines and 3 refusals.
// The contract is in autoencoder.hpp. Try it: ./lab grade 1.3      Stuck: ./lab hint 1.3

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  // Three pairs of sizes have to agree. Which?
  // Then let the shapes guide you: dy is [N, Do], weight is [Do, Di], x is [N, Di]. Which product
  // of two of them has the shape of X? Which one has the shape of W? Over what does it sum?
  // One element of b is added in every row of Y. From how many places does its gradient come?
  return todo(dy, x, weight);
}

}  // namespace latent

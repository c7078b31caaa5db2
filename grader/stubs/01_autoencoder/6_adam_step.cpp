// 1.6 adam_step: one step of the optimizer.  Roughly 10 lines and 4 refusals.
// The contract is in autoencoder.hpp. Try it: ./lab grade 1.6      Stuck: ./lab hint 1.6

#include <cmath>

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  // Three results: both moments first, then the parameter, which uses the *new* moments.
  // After one step from zero, m is only a tenth of g. What undoes that, and why does it fade as t
  // grows? Does the corrected moment belong into the state that you return?
  // The options are doubles, the matrices floats: compute 1 - beta^t in double, then cast.
  return todo(state, gradient, step, options);
}

}  // namespace latent

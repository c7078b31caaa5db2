// 6.3 ema_decay: one step of two running averages.  Roughly 7 lines, four of them refusals.
// The contract is in codebook_ema.hpp. Try it: ./lab grade 6.3    Stuck: ./lab hint 6.3

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  // With a decay of 0.99, which of the two arguments should the result resemble?
  // A code got no rows in this batch. What happens to its size, and what to its sum? What then
  // happens to their quotient?
  return todo(average, batch, decay);
}

}  // namespace latent

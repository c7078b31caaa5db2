// 5.5 vq_losses: three terms and their sum.  Roughly 15 lines, half of them refusals.
// The contract is in vq_straight_through.hpp. Try it: ./lab grade 5.5    Stuck: ./lab hint 5.5

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  // What does sg[.] do to a value? So how many different sums of squares are there to compute?
  // The mean is over which elements? And which index is the first that is too large?
  return todo(reconstruction, z_e, codebook, indices, beta);
}

}  // namespace latent

// 5.6 vq_gradients: who receives what.  Roughly 20 lines, half of them refusals.
// The contract is in vq_straight_through.hpp. Try it: ./lab grade 5.6    Stuck: ./lab hint 5.6

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  // Draw a table first: three terms down, two receivers across. In which three of the six cells
  // does a stop-gradient, or straight-through, leave nothing? What do two rows that were given the
  // same code do to it? And what does a code get that no row was given?
  return todo(dz_q, z_e, codebook, indices, beta);
}

}  // namespace latent

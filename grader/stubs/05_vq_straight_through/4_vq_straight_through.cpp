// 5.4 vq_straight_through and its backward: the list of codes, and a gradient that ignores it.
// Roughly 4 lines each.
// The contract is in vq_straight_through.hpp. Try it: ./lab grade 5.4    Stuck: ./lab hint 5.4

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  // Which of your functions knows the indices? What does the decoder get: something near a code, or
  // the code?
  return todo(z_e, codebook);
}

VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  // Move z_e by a little: by how much does z_q move? Training cannot use that answer. What is sent
  // back in its place, and what is left for the codebook?
  // Two of the three arguments give nothing but their shapes.
  return todo(dz_q, z_e, codebook);
}

}  // namespace latent

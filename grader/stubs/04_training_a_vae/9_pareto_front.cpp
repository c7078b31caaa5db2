// 4.9 pareto_front: the models that no other model beats.  Roughly 12 lines, of which two refuse.
// The contract is in training_a_vae.hpp. Try it: ./lab grade 4.9      Stuck: ./lab hint 4.9

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  // Say in a sentence when j beats i. Does i beat itself? Do two equal points beat each other?
  return todo(distortion, rate);
}

}  // namespace latent

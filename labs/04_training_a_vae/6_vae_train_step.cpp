// 4.6 vae_train_step: one step of training, from the data to ten better parameters.  Roughly 25
// lines with a helper or two.
// The contract is in training_a_vae.hpp. Try it: ./lab grade 4.6      Stuck: ./lab hint 4.6

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  // Forward, loss, backward: three of your functions, in this order.
  // Then ten parameters want the same treatment. How do you say it once? adam_step takes matrices,
  // and five of the ten are row vectors.
  // Adam counts steps from 1. How many were taken before the first?
  return todo(state, x, eps, beta, options);
}

}  // namespace latent

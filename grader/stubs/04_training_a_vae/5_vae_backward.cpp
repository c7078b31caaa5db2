// 4.5 vae_backward: ten gradients, from the loss back to the first layer.  Roughly 14 lines, of
// which three refuse; the others are calls.
// The contract is in training_a_vae.hpp. Try it: ./lab grade 4.5      Stuck: ./lab hint 4.5

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  // Read vae_forward from its last line to its first. Each line becomes a backward call.
  // Along how many paths does mu reach the loss?
  // Which mismatch of shapes would none of the functions that you call notice?
  return todo(model, x, eps, pass, loss);
}

}  // namespace latent

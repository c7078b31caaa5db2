// 1.7 autoencoder_gradients: there and back through four layers.  Roughly 12 lines.
// The contract is in autoencoder.hpp. Try it: ./lab grade 1.7      Stuck: ./lab hint 1.7

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  // No new mathematics: every line calls one of your own functions. Name what you compute on the
  // way there, because the way back asks for it again: which inputs does linear_backward want, and
  // does tanh_backward want what went into tanh or what came out?
  // Where does the gradient that leaves the decoder go next? And who refuses sizes that do not fit,
  // if you check nothing here?
  return todo(model, x);
}

}  // namespace latent

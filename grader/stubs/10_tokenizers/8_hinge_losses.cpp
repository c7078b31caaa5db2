// 10.8 hinge_d_loss, g_loss, adaptive_weight, adopt_weight and ldm_total_loss: what Stable
// Diffusion's first stage was trained with.  Roughly 9, 3, 5, 1 and 18 lines.
// The contract is in tokenizers.hpp. Try it: ./lab grade 10.8    Stuck: ./lab hint 10.8

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  // Which logits are already sure enough, and what do they still contribute?
  return todo(real, fake);
}

GeneratorLoss g_loss(const Matrix& fake) {
  // Is there a logit at which the generator may stop pulling?
  return todo(fake);
}

double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  // By what must the second gradient be multiplied to be as long as the first? And if it is 0?
  return todo(d_nll, d_adversarial, weight);
}

double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  // Does the discriminator take part at the threshold itself?
  return todo(weight, step, threshold);
}

LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  // One number per image is added to each of its elements, and then all elements are summed. How
  // often does it count?
  return todo(x, x_hat, perceptual, kl, adversarial, weights);
}

}  // namespace latent

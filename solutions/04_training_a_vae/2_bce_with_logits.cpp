#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  require_size(x.rows(), logits.rows(), "bce_with_logits: rows of x");
  require_size(x.cols(), logits.cols(), "bce_with_logits: columns of x");
  require(x.size() > 0, "bce_with_logits: expected at least one element, got " + shape_of(x));
  require(x.minCoeff<Eigen::PropagateNaN>() >= 0.0F && x.maxCoeff<Eigen::PropagateNaN>() <= 1.0F,
          "bce_with_logits: expected every x from 0 to 1");
  const auto l = logits.array(), pixel = x.array();
  // log1p(e^-|l|) in operations that Eigen vectorizes: what 1 + odds rounds away is added again.
  const auto odds = (-l.abs()).exp().eval(), rounded = (1.0F + odds).eval();
  const auto log1p_odds = rounded.log() + (odds - (rounded - 1.0F)) / rounded;
  // For x = 1 and a large l the answer is log(1 + e^-l): l itself must not enter the sum.
  const Matrix cost = l.max(0.0F) * (1.0F - pixel) - l.min(0.0F) * pixel + log1p_odds;
  const auto samples = static_cast<double>(x.rows());
  return {cost.cast<double>().sum() / samples,
          (l.logistic() - pixel) / static_cast<float>(samples)};
}

}  // namespace latent

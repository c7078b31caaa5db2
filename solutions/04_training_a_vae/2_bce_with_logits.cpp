#include <cmath>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  require_size(x.rows(), logits.rows(), "bce_with_logits: rows of x");
  require_size(x.cols(), logits.cols(), "bce_with_logits: columns of x");
  require(x.size() > 0, "bce_with_logits: expected at least one element, got " + shape_of(x));
  require((x.array() >= 0.0F && x.array() <= 1.0F).all(),
          "bce_with_logits: expected every x from 0 to 1");
  const auto samples = static_cast<double>(x.rows());
  Loss loss{0.0, logits};
  for (Index i = 0; i < x.size(); ++i) {
    const double l = logits.data()[i], pixel = x.data()[i];
    // For x = 1 and a large l the answer is log(1 + e^-l): l itself must not enter the sum.
    const double reach = l > 0.0 ? l * (1.0 - pixel) : -l * pixel;
    loss.value += reach + std::log1p(std::exp(-std::abs(l)));
    loss.gradient.data()[i] = static_cast<float>((1.0 / (1.0 + std::exp(-l)) - pixel) / samples);
  }
  loss.value /= samples;
  return loss;
}

}  // namespace latent

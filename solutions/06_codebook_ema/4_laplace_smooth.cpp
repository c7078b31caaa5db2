#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require((size.array() >= 0.0).all(), "laplace_smooth: expected sizes >= 0, got another one");
  require(epsilon > 0.0, "laplace_smooth: expected epsilon > 0, got " + std::to_string(epsilon));
  const double sum = size.sum();
  const double smoothed_sum = sum + static_cast<double>(size.size()) * epsilon;
  return (size.array() + epsilon) / smoothed_sum * sum;
}

}  // namespace latent

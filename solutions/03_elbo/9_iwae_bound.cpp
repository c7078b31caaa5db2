#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "iwae_bound: expected at least one weight, got none");
  const double highest = log_weights.maxCoeff();
  if (highest == -std::numeric_limits<double>::infinity()) return highest;
  return highest + std::log((log_weights.array() - highest).exp().mean());
}

}  // namespace latent

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

ActiveUnits active_units(const Matrix& mu, double threshold) {
  require(mu.size() > 0, "active_units: expected at least one element, got " + shape_of(mu));
  require(threshold >= 0.0,
          "active_units: expected no negative threshold, got " + std::to_string(threshold));
  ActiveUnits units{DoubleVector::Zero(mu.cols()), 0};
  for (Index j = 0; j < mu.cols(); ++j) {
    const DoubleVector unit = mu.col(j).cast<double>();
    units.variance(j) = (unit.array() - unit.mean()).square().mean();
    if (units.variance(j) > threshold) ++units.count;
  }
  return units;
}

}  // namespace latent

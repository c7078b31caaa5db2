#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  require(beta > 0.0, "rate_distortion_law: expected a beta above 0, got " + std::to_string(beta));
  require((variances.array() >= 0.0).all(), "rate_distortion_law: expected no negative variance");
  const double level = 0.5 * beta;
  const DoubleVector zeros = DoubleVector::Zero(variances.size());
  RateDistortion law{variances.cwiseMin(level), zeros, zeros, zeros.array() + 1.0};
  for (Index j = 0; j < variances.size(); ++j) {
    const double lambda = variances(j);
    if (!(lambda > level)) continue;  // not worth its nats: nothing is sent
    law.rate(j) = 0.5 * std::log(lambda / level);
    law.weight(j) = std::sqrt(lambda - level);
    law.posterior_var(j) = level / lambda;
    ++law.active;
  }
  law.total_distortion = law.distortion.sum();
  law.total_rate = law.rate.sum();
  return law;
}

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require_size(rate.size(), distortion.size(), "pareto_front: size of rate");
  require(!distortion.hasNaN() && !rate.hasNaN(), "pareto_front: expected numbers, got NaN");
  std::vector<std::int64_t> front;
  for (Index i = 0; i < rate.size(); ++i) {
    bool beaten = false;
    for (Index j = 0; j < rate.size(); ++j) {
      const bool no_worse = distortion(j) <= distortion(i) && rate(j) <= rate(i);
      const bool equal = distortion(j) == distortion(i) && rate(j) == rate(i);
      beaten = beaten || (no_worse && (!equal || j < i));  // of equal points the first stays
    }
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace latent

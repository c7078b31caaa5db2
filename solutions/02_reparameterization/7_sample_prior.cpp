#include "common/random.hpp"
#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  require(samples >= 0, "sample_prior: expected samples >= 0, got " + std::to_string(samples));
  require(features >= 1, "sample_prior: expected features >= 1, got " + std::to_string(features));
  return Random(seed).normal_matrix(samples, features);
}

}  // namespace latent

// 2.7 sample_prior: latents out of nothing, to decode into something new.  Roughly 3 lines, of
// which two refuse.
// The contract is in reparameterization.hpp. Try it: ./lab grade 2.7    Stuck: ./lab hint 2.7

#include "common/random.hpp"
#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  // Which generator does the contract name, and in which order do its numbers fill the rows?
  // Look through common/random.hpp before you write loops.
  // Which of 0 samples and 0 features makes sense?
  return todo(samples, features, seed);
}

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {
namespace {

void require_weights(const DoubleVector& weights, const std::string& what) {
  require((weights.array() >= 0.0).all(), "jensen_chain: expected no negative " + what);
}

void require_distribution(const DoubleVector& weights, const std::string& what) {
  require_weights(weights, what);
  require(std::abs(weights.sum() - 1.0) <= 1e-9,
          "jensen_chain: expected " + what + " to sum to 1, got " + std::to_string(weights.sum()));
}

}  // namespace

JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  require_size(likelihood.size(), prior.size(), "jensen_chain: size of likelihood");
  require_size(q.size(), prior.size(), "jensen_chain: size of q");
  require_distribution(prior, "prior");
  require_distribution(q, "q");
  require_weights(likelihood, "likelihood");
  const double evidence = prior.dot(likelihood);
  require(evidence > 0.0, "jensen_chain: expected p(x) > 0, got " + std::to_string(evidence));
  JensenChain chain;
  double mean_ratio = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) == 0.0) continue;  // q never visits z, and 0 log 0 is 0
    const double joint = prior(z) * likelihood(z);
    mean_ratio += joint;  // q(z) times joint / q(z)
    chain.mean_log_ratio += q(z) * std::log(joint / q(z));
    chain.reconstruction += q(z) * std::log(likelihood(z));
    chain.kl += q(z) * std::log(q(z) / prior(z));
    chain.gap += q(z) * std::log(q(z) * evidence / joint);
  }
  chain.log_evidence = std::log(evidence);
  chain.log_mean_ratio = std::log(mean_ratio);
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}

}  // namespace latent

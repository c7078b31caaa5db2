#include <cmath>

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

DoubleVector counts_of(const std::vector<std::int64_t>& indices, std::int64_t codebook_size,
                       const std::string& caller) {
  require(codebook_size >= 1,
          caller + ": expected at least one code, got " + std::to_string(codebook_size));
  DoubleVector counts = DoubleVector::Zero(codebook_size);
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook_size, caller + ": expected an index below " +
                                             std::to_string(codebook_size) + ", got " +
                                             std::to_string(k));
    counts(k) += 1.0;
  }
  return counts;
}

}  // namespace

CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const Index used = (counts_of(indices, codebook_size, "codebook_usage").array() > 0.0).count();
  return {used, static_cast<double>(used) / static_cast<double>(codebook_size)};
}

double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(!indices.empty(), "codebook_perplexity: expected at least one index, got none");
  double entropy = 0.0;
  for (const double count : counts_of(indices, codebook_size, "codebook_perplexity")) {
    const double p = count / static_cast<double>(indices.size());
    if (p > 0.0) entropy -= p * std::log(p);  // the limit of p ln p at 0 is 0, log(0) is not
  }
  return std::exp(entropy);
}

}  // namespace latent

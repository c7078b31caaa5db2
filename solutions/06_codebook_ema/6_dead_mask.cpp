#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(rows >= 1, "dead_mask: expected at least one row, got " + std::to_string(rows));
  require(updates >= 0, "dead_mask: expected updates >= 0, got " + std::to_string(updates));
  require(decay >= 0.0 && decay < 1.0,
          "dead_mask: expected 0 <= decay < 1, got " + std::to_string(decay));
  require(threshold >= 0.0, "dead_mask: expected threshold >= 0, got " + std::to_string(threshold));
  const bool too_young = static_cast<double>(updates) <= 1.0 / (1.0 - decay);
  const double even_share = static_cast<double>(rows) / static_cast<double>(size.size());
  std::vector<std::int32_t> dead;
  for (const double n : size) dead.push_back(!too_young && n < threshold * even_share ? 1 : 0);
  return dead;
}

}  // namespace latent

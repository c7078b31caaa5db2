#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

void require_at_least(std::int64_t found, std::int64_t least, const std::string& what) {
  require(found >= least, "rvq_bitrate: expected " + what + " >= " + std::to_string(least) +
                              ", got " + std::to_string(found));
}

}  // namespace

double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  require_at_least(sample_rate, 1, "sample_rate");
  require_at_least(hop, 1, "hop");
  require_at_least(codes, 1, "codes");
  require_at_least(stages, 1, "stages");
  const double frame_rate = static_cast<double>(sample_rate) / static_cast<double>(hop);
  return static_cast<double>(stages) * std::log2(static_cast<double>(codes)) * frame_rate / 1000.0;
}

std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  require(std::isfinite(bandwidth) && bandwidth > 0.0,
          "rvq_stages_for: expected a finite bandwidth > 0, got " + std::to_string(bandwidth));
  require_at_least(codes, 2, "codes");  // a single code costs nothing: any number would fit
  const double each = rvq_bitrate(sample_rate, hop, codes, 1);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(bandwidth / each)));
}

}  // namespace latent

#include <algorithm>
#include <cmath>

#include "encode_decode.hpp"

namespace latent {

TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats;
  double squares = 0.0;  // of the distances from the mean
  for (Index i = 0; i < x.size(); ++i) {
    const double v = x.data()[i];
    if (std::isnan(v)) {
      ++stats.nans;
      continue;
    }
    stats.min = stats.count == 0 ? v : std::min(stats.min, v);
    stats.max = stats.count == 0 ? v : std::max(stats.max, v);
    ++stats.count;
    const double before = v - stats.mean;
    stats.mean += before / static_cast<double>(stats.count);
    squares += before * (v - stats.mean);
  }
  if (stats.count > 0) stats.std = std::sqrt(squares / static_cast<double>(stats.count));
  stats.absmax = std::max(std::abs(stats.min), std::abs(stats.max));
  return stats;
}

}  // namespace latent

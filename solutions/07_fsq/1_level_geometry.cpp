#include <cmath>

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

LevelGeometry level_geometry(std::int64_t levels) {
  require(levels >= 3 && levels <= 999,
          "level_geometry: expected 3 to 999 levels, got " + std::to_string(levels));
  constexpr double kMargin = 1e-3;  // of the two spellings in use, the one that widens
  LevelGeometry geometry;
  geometry.half_width = levels / 2;
  geometry.offset = levels % 2 == 0 ? 0.5 : 0.0;
  geometry.half_l = static_cast<double>(levels - 1) * (1.0 + kMargin) / 2.0;
  geometry.shift = std::atanh(geometry.offset / geometry.half_l);
  return geometry;
}

}  // namespace latent

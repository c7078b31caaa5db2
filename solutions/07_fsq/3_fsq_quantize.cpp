#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {
namespace {

/// h of every dimension: how many steps a code of 1 is.
RowVector half_widths(const Levels& levels) {
  RowVector widths(std::ssize(levels));
  for (Index d = 0; d < widths.size(); ++d) {
    const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
    widths(d) = static_cast<float>(g.half_width);
  }
  return widths;
}

}  // namespace

Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  const Matrix bounded = fsq_bound(z, levels);  // refuses what does not fit
  return bounded.array().rint().rowwise() / half_widths(levels).array();
}

Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  // Nothing here knows of the rounding: that is the whole straight-through estimator.
  const Matrix dbounded = fsq_bound_backward(dcodes, z, levels);
  return dbounded.array().rowwise() / half_widths(levels).array();
}

}  // namespace latent

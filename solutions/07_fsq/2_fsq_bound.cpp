#include <cmath>

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "fsq_bound: number of levels");
  Matrix bounded(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
    for (Index n = 0; n < z.rows(); ++n) {
      bounded(n, d) = static_cast<float>(std::tanh(z(n, d) + g.shift) * g.half_l - g.offset);
    }
  }
  return bounded;
}

Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  require_size(dbounded.rows(), z.rows(), "fsq_bound_backward: rows of dbounded");
  require_size(dbounded.cols(), z.cols(), "fsq_bound_backward: columns of dbounded");
  require_size(std::ssize(levels), z.cols(), "fsq_bound_backward: number of levels");
  Matrix dz(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
    for (Index n = 0; n < z.rows(); ++n) {
      const double t = std::tanh(z(n, d) + g.shift);  // of the shifted latent, not the result's
      dz(n, d) = static_cast<float>(dbounded(n, d) * g.half_l * (1.0 - t * t));
    }
  }
  return dz;
}

}  // namespace latent

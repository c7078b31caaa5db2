#include <cmath>

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {
namespace {

void require_levels(const Levels& levels, const Matrix& z) {
  require_size(std::ssize(levels), z.cols(), "symmetric_quantize: number of levels");
  for (const std::int64_t l : levels) {
    require(l >= 2 && l <= 999,
            "symmetric_quantize: expected 2 to 999 levels, got " + std::to_string(l));
  }
}

}  // namespace

Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  require_levels(levels, z);
  Matrix codes(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const auto steps = static_cast<double>(levels[static_cast<std::size_t>(d)] - 1);
    for (Index n = 0; n < z.rows(); ++n) {
      const double digit = std::floor(steps * (std::tanh(z(n, d)) + 1.0) / 2.0 + 0.5);
      codes(n, d) = static_cast<float>(2.0 * digit / steps - 1.0);
    }
  }
  return codes;
}

Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require_levels(levels, z);
  require_size(dcodes.rows(), z.rows(), "symmetric_quantize_backward: rows of dcodes");
  require_size(dcodes.cols(), z.cols(), "symmetric_quantize_backward: columns of dcodes");
  const Matrix t = z.array().tanh();
  return dcodes.array() * (1.0F - t.array().square());
}

}  // namespace latent

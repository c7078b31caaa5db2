#include <cmath>

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

void require_scale(const LatentScale& scale) {
  require(std::isfinite(scale.scale) && scale.scale != 0.0 && std::isfinite(scale.shift),
          "scale_latents: expected a finite scale other than 0 and a finite shift, got " +
              std::to_string(scale.scale) + " and " + std::to_string(scale.shift));
}

}  // namespace

Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  require_scale(scale);
  Tensor4 scaled = z;
  for (float* v = scaled.data(); v != scaled.data() + scaled.size(); ++v)
    *v = static_cast<float>((*v - scale.shift) * scale.scale);
  return scaled;
}

Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  require_scale(scale);
  Tensor4 raw = z;
  for (float* v = raw.data(); v != raw.data() + raw.size(); ++v)
    *v = static_cast<float>(*v / scale.scale + scale.shift);
  return raw;
}

LatentScale fit_latent_scale(const Tensor4& z) {
  const TensorStats stats = tensor_stats(z);
  require(stats.count > 0 && stats.nans == 0 && std::isfinite(stats.absmax),
          "fit_latent_scale: expected elements, all finite, got " + shape_of(z) + " with " +
              std::to_string(stats.nans) + " NaN, largest magnitude " +
              std::to_string(stats.absmax));
  require(stats.min < stats.max,
          "fit_latent_scale: expected elements that differ, got only " + std::to_string(stats.min));
  return {1.0 / stats.std, 0.0};
}

}  // namespace latent

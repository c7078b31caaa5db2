// 2_scale_latents.cpp on a GPU: what the contract says, around the kernels of 2_scale_latents.cu.
// Fitting reads the tensor through tensor_stats, and nowhere else.

#include <cmath>

#include "common/require.hpp"
#include "encode_decode.hpp"
#include "kernels.hpp"

namespace latent {
namespace {

void require_scale(const LatentScale& scale) {
  require(std::isfinite(scale.scale) && scale.scale != 0.0 && std::isfinite(scale.shift),
          "scale_latents: expected a finite scale other than 0 and a finite shift, got " +
              std::to_string(scale.scale) + " and " + std::to_string(scale.shift));
}

using Kernel = void (*)(const float*, double, double, float*, device::Size);

Tensor4 moved(Kernel kernel, const Tensor4& z, const LatentScale& scale) {
  require_scale(scale);
  device::Buffer<float> latents(z.data(), z.size());
  kernel(latents.data(), scale.scale, scale.shift, latents.data(), z.size());
  Tensor4 result(z.n(), z.c(), z.h(), z.w());
  latents.copy_to(result.data());
  return result;
}

}  // namespace

Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  return moved(device::scale_latents, z, scale);
}

Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  return moved(device::unscale_latents, z, scale);
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

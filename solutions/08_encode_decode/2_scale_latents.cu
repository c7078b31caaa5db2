// 8.2 scale_latents on a GPU: 8 bytes per element for two operations, so memory sets the pace. The
// operations are in double, as scale and shift are; on a GPU made for computing that still leaves
// them time to spare.

#include "kernels.hpp"

namespace latent::device {

void scale_latents(const float* z, double scale, double shift, float* scaled, Size size) {
  each(size, [=] __device__(Size i) { scaled[i] = static_cast<float>((z[i] - shift) * scale); });
}

void unscale_latents(const float* scaled, double scale, double shift, float* z, Size size) {
  each(size, [=] __device__(Size i) { z[i] = static_cast<float>(scaled[i] / scale + shift); });
}

}  // namespace latent::device

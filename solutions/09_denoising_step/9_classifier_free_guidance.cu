// 9.9 on a GPU. Guidance is the walk of 8_euler_step.cu, from one prediction towards the other and
// beyond it: 12 bytes per element for three operations. Here are the thresholds.
//
// A quantile wants the magnitudes of each row in order. They are sorted all at once, not row by
// row: the bits of a float that is not negative are in the order of the floats, so that (row, bits)
// is one key of 63 bits, and CCCL's radix sort brings the rows one after the other and each of them
// into order. It moves keys and values, 16 bytes per element, some eight times back and forth: the
// far larger part of the work. A selection would move less, but a step of a sampler has a few
// hundred thousand elements, and what this costs is next to nothing beside the denoiser.

#include "kernels.hpp"

namespace latent::device {

void dynamic_threshold(const float* x0, double ratio, float* result, Size n, Size d) {
  const double place = static_cast<double>(d - 1) * ratio;
  const auto below = static_cast<Size>(place);  // towards 0, as it is not negative
  const Size above = below + 1 < d ? below + 1 : below;
  const double share = place - static_cast<double>(below);
  Buffer<std::int64_t> keys(n * d), unused(n * d);
  Buffer<float> limits(n);
  std::int64_t* const key = keys.data();
  float* const limit = limits.data();
  each(n * d, [=] __device__(Size i) { key[i] = i / d << 32 | __float_as_int(fabsf(x0[i])); });
  sort_pairs(key, unused.data(), n * d);
  each(n, [=] __device__(Size row) {
    const float lower = __int_as_float(static_cast<int>(key[row * d + below] & 0xFFFFFFFF));
    const float upper = __int_as_float(static_cast<int>(key[row * d + above] & 0xFFFFFFFF));
    const double quantile = lower + share * (upper - lower);
    limit[row] = quantile > 1.0 ? static_cast<float>(quantile) : 1.0F;
  });
  each(n * d, [=] __device__(Size i) {
    const float m = limit[i / d];
    result[i] = (x0[i] < -m ? -m : x0[i] > m ? m : x0[i]) / m;
  });
}

}  // namespace latent::device

// 7.3 fsq_quantize on a GPU. Every element is read once and written once, 8 bytes there and 12
// back, for one tanh or exponential: memory sets the pace, as long as nothing is done twice. So
// bounding, rounding and dividing are one kernel, which keeps the bounded latent in a register; the
// plain solution writes it down and reads it again.
//
// Float is enough: tanhf is right to some units of the last place, and the margin of half_l keeps
// the outermost levels 1e-3 of the width away from a wrong step. The few constants of the columns
// stay in the L1 cache.

#include "kernels.hpp"

namespace latent::device {

void fsq_quantize(const float* z, const FsqColumn* columns, float* codes, Size n, Size d) {
  each(n * d, [=] __device__(Size i) {
    const FsqColumn c = columns[i % d];
    codes[i] = rintf(c.half_l * tanhf(z[i] + c.shift) - c.offset) / c.half_width;
  });
}

void fsq_quantize_backward(const float* dcodes, const float* z, const FsqColumn* columns, float* dz,
                           Size n, Size d) {
  each(n * d, [=] __device__(Size i) {
    const FsqColumn c = columns[i % d];
    // 1 - tanh^2 x is 4 e / (1 + e)^2 with e = exp(-2 |x|): nothing cancels where tanh is flat.
    const float e = expf(-2.0F * fabsf(z[i] + c.shift));
    const float slope = 4.0F * e / ((1.0F + e) * (1.0F + e));
    dz[i] = dcodes[i] * c.half_l * slope / c.half_width;
  });
}

}  // namespace latent::device

// 4.2 bce_with_logits on a GPU: two numbers come in and one goes out for each pixel, 12 bytes for
// an exponential, a log1p and about ten operations. Value and gradient share the exponential e^-|l|
// and one pass, which takes as long as its memory does; one for each would read everything twice. A
// pixel's cost is a float, with its digits however small it is; the sum is a double.

#include "kernels.hpp"

namespace latent::device {

void bce_with_logits(const float* logits, const float* x, double* value, float* gradient, Size n,
                     Size d) {
  const double samples = static_cast<double>(n);
  sum_into(value, n * d, [=] __device__(Size i) {
    const float l = logits[i], pixel = x[i], odds = expf(-fabsf(l));
    const float sigmoid = (l < 0.0F ? odds : 1.0F) / (1.0F + odds);
    gradient[i] = (sigmoid - pixel) / static_cast<float>(samples);
    // Not max(l, 0) - l x: near x = 1 and with a large l the two would cancel.
    const float wrong = fmaxf(l, 0.0F) * (1.0F - pixel) - fminf(l, 0.0F) * pixel;
    return double{wrong + log1pf(odds)} / samples;
  });
}

}  // namespace latent::device

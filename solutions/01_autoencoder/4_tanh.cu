// 1.4 tanh on a GPU: a handful of operations for every 8 bytes, 12 in the backward pass, so both
// take as long as their memory does. What can be saved is passes over it. After a linear layer the
// bias and the tanh share one: the product is written, read and written again, where bias, product
// and tanh one after the other would write it three times and read it twice.

#include "kernels.hpp"

namespace latent::device {

void tanh_forward(const float* x, float* y, Size n) {
  each(n, [=] __device__(Size i) { y[i] = tanhf(x[i]); });
}

void tanh_backward(const float* dy, const float* y, float* dx, Size n) {
  each(n, [=] __device__(Size i) { dx[i] = dy[i] * (1.0F - y[i] * y[i]); });
}

void linear_tanh(const float* x, const float* weight, const float* bias, float* y, Size n, Size in,
                 Size out) {
  multiply(x, Side::kAsIs, weight, Side::kTransposed, y, n, out, in);
  each(n * out, [=] __device__(Size i) { y[i] = tanhf(y[i] + bias[i % out]); });
}

}  // namespace latent::device

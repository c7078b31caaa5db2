// 2.4 reparameterize on a GPU: three numbers come in and one goes out for each element, 16 bytes
// for an exponential and two operations, so it takes as long as its memory does. In one pass, sigma
// never leaves a register; as a matrix of its own it would be written and read once more.

#include "kernels.hpp"

namespace latent::device {

void reparameterize(const float* mu, const float* log_var, const float* eps, float* z, Size n) {
  each(n, [=] __device__(Size i) { z[i] = mu[i] + expf(0.5F * log_var[i]) * eps[i]; });
}

}  // namespace latent::device

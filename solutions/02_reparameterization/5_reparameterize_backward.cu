// 2.5 reparameterize_backward on a GPU: three numbers come in and two go out for each element, 20
// bytes for an exponential and three operations, so it takes as long as its memory does. sigma is
// computed again: that costs nothing here, and keeping it from the forward pass would cost 8 bytes.
//
// In a VAE the KL has gradients for mu and log_var, too. With keep they are added here, where both
// are at hand, and not in a pass of their own.

#include "kernels.hpp"

namespace latent::device {

void reparameterize_backward(const float* dz, const float* log_var, const float* eps, float* dmu,
                             float* dlog_var, Size n, float keep) {
  each(n, [=] __device__(Size i) {
    const float mu = dz[i], width = 0.5F * dz[i] * eps[i] * expf(0.5F * log_var[i]);
    dmu[i] = keep == 0.0F ? mu : mu + keep * dmu[i];
    dlog_var[i] = keep == 0.0F ? width : width + keep * dlog_var[i];
  });
}

}  // namespace latent::device

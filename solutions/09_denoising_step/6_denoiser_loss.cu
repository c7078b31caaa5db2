// 9.6 denoiser_task and denoiser_loss on a GPU. Both are bound by memory. A task for velocities
// reads x_0 and eps once for both of its arrays, 16 bytes per element instead of 24. The loss reads
// output and target and writes the gradient, 12 bytes per element; the squares are summed up on the
// way, in double and in a fixed order, so that the value needs no pass of its own.

#include "kernels.hpp"

namespace latent::device {

void noise_and_velocity(const float* x0, const float* eps, const Turn* turns, float* x_t, float* v,
                        Size n, Size d) {
  each(n * d, [=] __device__(Size i) {
    const Turn turn = turns[i / d];
    const float clean = x0[i], noise = eps[i];
    x_t[i] = turn.signal * clean + turn.noise * noise;
    v[i] = turn.signal * noise - turn.noise * clean;
  });
}

void denoiser_loss(const float* output, const float* target, const double* weight, float* gradient,
                   double* loss, Size n, Size d) {
  const double elements = static_cast<double>(n * d);
  sum_into(loss, n * d, [=] __device__(Size i) {  // asks for each term once
    const double share = weight[i / d] / elements;
    const float difference = output[i] - target[i];
    gradient[i] = static_cast<float>(2.0 * share) * difference;
    return share * difference * difference;
  });
}

}  // namespace latent::device

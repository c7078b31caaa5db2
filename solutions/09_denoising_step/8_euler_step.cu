// 9.8 on a GPU: a step of Euler's method is the kernel of 4_ddim_step.cu, without noise, 16 bytes
// per element; here are its factors. Scaling moves 8 bytes per element, a step of a flow 12.

#include <cmath>

#include "kernels.hpp"

namespace latent::device {

Step euler(const Conversion& conversion, double sigma, double next_sigma) {
  // x' = x + length (x - x_0), from -1, which is x_0, upwards.
  const double length = (next_sigma - sigma) / sigma;
  Step step;
  step.x0_of_x = static_cast<float>(conversion.x0_of_x);
  step.x0_of_output = static_cast<float>(conversion.x0_of_output);
  step.limit = INFINITY;
  step.of_x0 = static_cast<float>(-length);
  step.of_x = static_cast<float>(1.0 + length);
  return step;
}

void scale_model_input(const float* sample, double sigma, float* scaled, Size count) {
  const auto deviation = static_cast<float>(std::sqrt(sigma * sigma + 1.0));
  each(count, [=] __device__(Size i) { scaled[i] = sample[i] / deviation; });
}

void walk(const float* x, double length, const float* p, const float* q, float* y, Size count) {
  const auto far = static_cast<float>(length);
  each(count, [=] __device__(Size i) {
    const float direction = q == nullptr ? p[i] : p[i] - q[i];
    y[i] = x[i] + far * direction;
  });
}

}  // namespace latent::device

// 1.6 adam_step on a GPU: four numbers come in and three go out for each parameter, 28 bytes for
// about ten operations, so it takes as long as its memory does, if it is one pass. Three passes,
// for m, v and the parameter, would move 48 bytes. In place, because nobody needs the state before.
//
// A step over a small array is all launch, some microseconds of it, so callers with many layers put
// their parameters into one array and step once.

#include <cmath>

#include "kernels.hpp"

namespace latent::device {

void adam_step(float* parameter, float* first_moment, float* second_moment, const float* gradient,
               Size n, std::int64_t step, const Adam& adam) {
  const auto t = static_cast<double>(step);
  // The corrections of the bias are the same for all, so the host works them out, in double.
  const auto rate = static_cast<float>(adam.learning_rate / (1.0 - std::pow(adam.beta1, t)));
  const auto scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(adam.beta2, t)));
  const auto epsilon = static_cast<float>(adam.epsilon);
  const auto beta1 = static_cast<float>(adam.beta1), fresh1 = static_cast<float>(1.0 - adam.beta1);
  const auto beta2 = static_cast<float>(adam.beta2), fresh2 = static_cast<float>(1.0 - adam.beta2);
  each(n, [=] __device__(Size i) {
    const float g = gradient[i];
    const float m = beta1 * first_moment[i] + fresh1 * g;
    const float v = beta2 * second_moment[i] + fresh2 * (g * g);
    first_moment[i] = m;
    second_moment[i] = v;
    parameter[i] -= rate * m / (scale * sqrtf(v) + epsilon);
  });
}

}  // namespace latent::device

// 9.4 ddim_step on a GPU: up to five arrays, 20 bytes per element for about ten operations, so
// memory sets the pace. Written matrix by matrix, as in the plain solution, a step would read and
// write x_0 and eps several times over. But a step is linear on both sides of the clip: x_0 is a
// sum of x_t and the output, and what comes out is one of x_0 clipped, x_t, the output and the
// noise. So one kernel does the steps of all samplers, and what tells DDIM, DDPM and Euler apart is
// seven factors, computed in double on the host. Where no noise is added, it is not even fetched.

#include <cmath>

#include "kernels.hpp"

namespace latent::device {

void denoising_step(const Step& step, const StepArrays& arrays, Size count) {
  each(count, [=] __device__(Size i) {
    const float x = arrays.x_t[i], o = arrays.output[i];
    float x0 = step.x0_of_x * x + step.x0_of_output * o;
    x0 = x0 < -step.limit ? -step.limit : x0 > step.limit ? step.limit : x0;  // NaN stays NaN
    float prev = step.of_x0 * x0 + step.of_x * x + step.of_output * o;
    if (step.of_noise != 0.0F) prev += step.of_noise * arrays.noise[i];
    arrays.x0[i] = x0;
    arrays.prev[i] = prev;
  });
}

Step ddim(const Conversion& conversion, double a, double next, double eta, double clip,
          bool rederive) {
  const double variance = eta * eta * (1.0 - next) / (1.0 - a) * (1.0 - a / next);
  const double direction = std::sqrt(1.0 - next - variance);  // how much eps counts
  double of_x0 = std::sqrt(next), of_x = 0.0, of_output = 0.0;
  if (rederive) {  // eps = (x_t - sqrt(a) x_0) / sqrt(1 - a), with x_0 clipped
    of_x0 -= direction * std::sqrt(a / (1.0 - a));
    of_x = direction / std::sqrt(1.0 - a);
  } else {
    of_x = direction * conversion.eps_of_x;
    of_output = direction * conversion.eps_of_output;
  }
  return {static_cast<float>(conversion.x0_of_x),
          static_cast<float>(conversion.x0_of_output),
          static_cast<float>(clip),
          static_cast<float>(of_x0),
          static_cast<float>(of_x),
          static_cast<float>(of_output),
          static_cast<float>(std::sqrt(variance))};
}

}  // namespace latent::device

// 9.5 ddpm_step on a GPU: the kernel is that of 4_ddim_step.cu, 20 bytes per element; here are its
// factors. The mean of the posterior is a sum of x_0 and x_t, and the output enters by x_0 alone.

#include <cmath>

#include "kernels.hpp"

namespace latent::device {

Step ddpm(const Conversion& conversion, double a, double next, double clip, bool large) {
  const double alpha = a / next, beta = 1.0 - alpha;  // of the whole jump, not of one timestep
  const double small = (1.0 - next) / (1.0 - a) * beta;
  const double variance = next == 1.0 ? 0.0 : large ? beta : small;
  return {static_cast<float>(conversion.x0_of_x),
          static_cast<float>(conversion.x0_of_output),
          static_cast<float>(clip),
          static_cast<float>(std::sqrt(next) * beta / (1.0 - a)),
          static_cast<float>(std::sqrt(alpha) * (1.0 - next) / (1.0 - a)),
          0.0F,
          static_cast<float>(std::sqrt(variance))};
}

}  // namespace latent::device

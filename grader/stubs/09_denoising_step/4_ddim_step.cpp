// 9.4 ddim_step: from one noisy latent to a less noisy one.  Roughly 15 lines, and as many
// refusals. The contract is in denoising_step.hpp. Try it: ./lab grade 9.4    Stuck: ./lab hint 9.4

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  // Your 9.2 says what x_0 and eps are, whatever the model puts out. What is left is to mix them
  // again, for another a. Which a belongs to a previous timestep of -1? The variances of the two
  // noises have to add up to 1 - a'. What is left for eps if n takes s^2?
  return todo(x_t, output, t, previous, alphas_cumprod, noise, options);
}

}  // namespace latent

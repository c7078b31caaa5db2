// 9.1 add_noise and velocity: a clean latent and noise, mixed twice.  Roughly 10 lines each, fewer
// if one calls the other. The contract is in denoising_step.hpp. Try it: ./lab grade 9.1    Stuck:
// ./lab hint 9.1

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  // If x_0 and eps have variance 1 each, what must the squares of the two coefficients add up to?
  // How many different timesteps can there be in one batch?
  return todo(x0, eps, t, alphas_cumprod);
}

Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  // Draw x_0 and eps as two axes and x_t as an arrow between them. v is at right angles to it.
  // Which arguments would make add_noise draw that arrow?
  return todo(x0, eps, t, alphas_cumprod);
}

}  // namespace latent

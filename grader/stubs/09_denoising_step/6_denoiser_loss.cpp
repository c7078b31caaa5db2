// 9.6 denoiser_task and denoiser_loss: what a denoiser learns from.  Roughly 16 and 12 lines, with
// a helper for the weight. The contract is in denoising_step.hpp. Try it: ./lab grade 9.6    Stuck:
// ./lab hint 9.6

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

DenoiserTask denoiser_task(PredictionType type, const Matrix& x0, const Matrix& eps,
                           const std::vector<std::int64_t>& t, const DoubleVector& alphas_cumprod,
                           double gamma) {
  // Both functions of 9.1 are wanted here. The weight is meant for the error of x_0: if eps is off
  // by d, by how much is x_0 off? And if v is?
  return todo(type, x0, eps, t, alphas_cumprod, gamma);
}

DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  // A mean over which elements? Which of the factors of the value are in the gradient, too?
  return todo(task, output);
}

}  // namespace latent

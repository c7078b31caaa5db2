// 9.8 euler_sigmas, scale_model_input, euler_step, flow_sigmas and flow_match_step: the same steps
// in other units.  Roughly 10, 2, 12, 10 and 4 lines. The contract is in denoising_step.hpp. Try
// it: ./lab grade 9.8    Stuck: ./lab hint 9.8

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  // Timestep 3.25 lies between two sigmas. Nearer to which, and where does the last step go?
  return todo(timesteps, alphas_cumprod);
}

Matrix scale_model_input(const Matrix& sample, double sigma) {
  // What is the variance of x_0 + sigma eps? What was it in training?
  return todo(sample, sigma);
}

DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  // The line from x_0 through x: at sigma you stand at x, at 0 you would stand at x_0. Where do you
  // stand at next_sigma? For v, put y = sqrt(a) x into your 9.2 and write a as 1 / (sigma^2 + 1).
  return todo(sample, output, sigma, next_sigma, prediction);
}

DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  // Equal steps first, then the shift, and how many times?
  return todo(train_steps, steps, shift);
}

Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  // u points from clean to noise. Which way does a sampler go, and which sign does next_s - s have?
  return todo(sample, output, s, next_s);
}

}  // namespace latent

/// @file
/// What the .device.cpp files of this lab have in common.
#pragma once

#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"
#include "kernels.hpp"

namespace latent {

/// Refuses what `add_noise` does.
/// @param x0              `[N, D]`
/// @param eps             Of the same shape.
/// @param t               `[N]`
/// @param alphas_cumprod  `[T]`
/// @throws std::invalid_argument  as `add_noise` does.
inline void require_noise_fits(const Matrix& x0, const Matrix& eps,
                               const std::vector<std::int64_t>& t,
                               const DoubleVector& alphas_cumprod) {
  require_size(eps.rows(), x0.rows(), "rows of eps");
  require_size(eps.cols(), x0.cols(), "columns of eps");
  require_size(static_cast<Index>(t.size()), x0.rows(), "number of timesteps");
  for (const std::int64_t step : t) {
    require(step >= 0 && step < alphas_cumprod.size(), "expected a timestep from 0 to below " +
                                                           std::to_string(alphas_cumprod.size()) +
                                                           ", got " + std::to_string(step));
  }
}

/// x_0 and eps as sums of x_t and the output, refused as `convert_prediction` does.
/// @param type    What the model puts out.
/// @param x_t     The noisy latent.
/// @param output  What the model put out.
/// @param a_t     a of the timestep.
/// @return        Four factors.
/// @throws std::invalid_argument  as `convert_prediction` does.
inline device::Conversion conversion_of(PredictionType type, const Matrix& x_t,
                                        const Matrix& output, double a_t) {
  require_size(output.rows(), x_t.rows(), "rows of output");
  require_size(output.cols(), x_t.cols(), "columns of output");
  require(a_t >= 0.0 && a_t <= 1.0,
          "convert_prediction: expected a from 0 to 1, got " + std::to_string(a_t));
  const double signal = std::sqrt(a_t), noise = std::sqrt(1.0 - a_t);
  if (type == PredictionType::kEpsilon) {
    require(a_t > 0.0, "convert_prediction: expected a above 0 for epsilon, got 0: no signal");
    return {1.0 / signal, -noise / signal, 0.0, 1.0};
  }
  if (type == PredictionType::kSample) {
    require(a_t < 1.0, "convert_prediction: expected a below 1 for sample, got 1: no noise");
    return {0.0, 1.0, 1.0 / noise, -signal / noise};
  }
  return {signal, -noise, noise, signal};
}

/// Sends the arrays of a step to the device and fetches what it makes of them.
/// @param step    Of the sampler.
/// @param x_t     The noisy latent.
/// @param output  Of the same shape.
/// @param noise   Of the same shape; looked at only where the step adds some.
/// @return        x' and x_0.
DenoisingStep step_on_device(const device::Step& step, const Matrix& x_t, const Matrix& output,
                             const Matrix& noise);

}  // namespace latent

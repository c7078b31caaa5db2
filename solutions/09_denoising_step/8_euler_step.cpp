#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

void require_same_shape(const Matrix& output, const Matrix& sample) {
  require_size(output.rows(), sample.rows(), "rows of output");
  require_size(output.cols(), sample.cols(), "columns of output");
}

bool is_share(double s) {
  return s >= 0.0 && s <= 1.0;
}

}  // namespace

DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  const DoubleVector sigmas = noise_sigmas(alphas_cumprod);
  DoubleVector visited = DoubleVector::Zero(timesteps.size() + 1);  // the last one stays 0
  for (Index i = 0; i < timesteps.size(); ++i) {
    const double t = timesteps(i);
    require(t >= 0.0 && t <= static_cast<double>(sigmas.size() - 1),
            "euler_sigmas: expected a timestep from 0 to " + std::to_string(sigmas.size() - 1) +
                ", got " + std::to_string(t));
    const auto below = static_cast<Index>(std::floor(t));
    const Index above = std::min(below + 1, sigmas.size() - 1);
    visited(i) = sigmas(below) + (t - static_cast<double>(below)) * (sigmas(above) - sigmas(below));
  }
  return visited;
}

Matrix scale_model_input(const Matrix& sample, double sigma) {
  require(sigma >= 0.0, "scale_model_input: expected sigma >= 0, got " + std::to_string(sigma));
  return sample / static_cast<float>(std::sqrt(sigma * sigma + 1.0));
}

DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  require_same_shape(output, sample);
  require(sigma > 0.0, "euler_step: expected sigma above 0, got " + std::to_string(sigma));
  require(next_sigma >= 0.0,
          "euler_step: expected next_sigma >= 0, got " + std::to_string(next_sigma));
  const double total = sigma * sigma + 1.0;
  Matrix x0 = output;
  if (prediction == PredictionType::kEpsilon) x0 = sample - static_cast<float>(sigma) * output;
  if (prediction == PredictionType::kVelocity) {
    x0 = static_cast<float>(1.0 / total) * sample -
         static_cast<float>(sigma / std::sqrt(total)) * output;
  }
  // A step of length (next_sigma - sigma) along (x - x0) / sigma.
  return {sample + static_cast<float>((next_sigma - sigma) / sigma) * (sample - x0), x0};
}

DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  require(train_steps >= 1 && steps >= 1, "flow_sigmas: expected at least one step, got " +
                                              std::to_string(std::min(train_steps, steps)));
  require(shift > 0.0, "flow_sigmas: expected a shift above 0, got " + std::to_string(shift));
  const double last = 1.0 / static_cast<double>(train_steps);
  DoubleVector sigmas = DoubleVector::Zero(steps + 1);
  for (Index i = 0; i < steps; ++i) {
    const double share = i == 0 ? 0.0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    const double s = 1.0 + (last - 1.0) * share;
    sigmas(i) = shift * s / (1.0 + (shift - 1.0) * s);
  }
  return sigmas;
}

Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  require_same_shape(output, sample);
  require(is_share(s) && is_share(next_s), "flow_match_step: expected shares from 0 to 1, got " +
                                               std::to_string(s) + " and " +
                                               std::to_string(next_s));
  return sample + static_cast<float>(next_s - s) * output;
}

}  // namespace latent

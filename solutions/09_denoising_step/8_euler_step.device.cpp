// 8_euler_step.cpp on a GPU: what the contract says, around the kernels of 8_euler_step.cu and
// 4_ddim_step.cu. Schedules are a few numbers, and stay on the host.

#include <algorithm>

#include "on_device.hpp"

namespace latent {
namespace {

void require_same_shape(const Matrix& output, const Matrix& sample) {
  require_size(output.rows(), sample.rows(), "rows of output");
  require_size(output.cols(), sample.cols(), "columns of output");
}

bool is_share(double s) {
  return s >= 0.0 && s <= 1.0;
}

/// sample + length * direction.
Matrix walked(const Matrix& sample, double length, const Matrix& direction) {
  const device::Buffer<float> from(sample.data(), sample.size()),
      along(direction.data(), direction.size());
  device::Buffer<float> to(sample.size());
  device::walk(from.data(), length, along.data(), nullptr, to.data(), sample.size());
  Matrix result(sample.rows(), sample.cols());
  to.copy_to(result.data());
  return result;
}

device::Conversion euler_conversion(PredictionType prediction, double sigma) {
  const double total = sigma * sigma + 1.0;
  if (prediction == PredictionType::kEpsilon) return {1.0, -sigma, 0.0, 1.0};
  if (prediction == PredictionType::kSample) return {0.0, 1.0, 1.0 / sigma, -1.0 / sigma};
  return {1.0 / total, -sigma / std::sqrt(total), sigma / total, 1.0 / std::sqrt(total)};
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
  device::Buffer<float> x(sample.data(), sample.size());
  device::scale_model_input(x.data(), sigma, x.data(), sample.size());
  Matrix scaled(sample.rows(), sample.cols());
  x.copy_to(scaled.data());
  return scaled;
}

DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  require_same_shape(output, sample);
  require(sigma > 0.0, "euler_step: expected sigma above 0, got " + std::to_string(sigma));
  require(next_sigma >= 0.0,
          "euler_step: expected next_sigma >= 0, got " + std::to_string(next_sigma));
  const device::Conversion conversion = euler_conversion(prediction, sigma);
  return step_on_device(device::euler(conversion, sigma, next_sigma), sample, output, Matrix());
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
  return walked(sample, next_s - s, output);
}

}  // namespace latent

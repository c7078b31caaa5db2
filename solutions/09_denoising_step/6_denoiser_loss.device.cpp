// 6_denoiser_loss.cpp on a GPU: what the contract says, around the kernels of 6_denoiser_loss.cu.

#include <algorithm>

#include "on_device.hpp"

namespace latent {
namespace {

/// How much the error of one sample counts, in the units of its prediction.
double min_snr_weight(PredictionType type, double a, double gamma) {
  if (gamma == 0.0) return 1.0;
  const double ratio = a / (1.0 - a), capped = std::min(ratio, gamma);
  if (type == PredictionType::kEpsilon) return capped / ratio;
  return type == PredictionType::kVelocity ? capped / (ratio + 1.0) : capped;
}

/// Input and target of a task for velocities.
void turn_both(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
               const DoubleVector& alphas_cumprod, DenoiserTask& task) {
  const device::Buffer<float> clean(x0.data(), x0.size()), noise(eps.data(), eps.size());
  const device::Buffer<std::int64_t> steps(t.data(), std::ssize(t));
  const device::Buffer<double> alphas(alphas_cumprod.data(), alphas_cumprod.size());
  device::Buffer<device::Turn> turns(x0.rows());
  device::Buffer<float> x_t(x0.size()), v(x0.size());
  device::turns_of(steps.data(), alphas.data(), turns.data(), x0.rows());
  device::noise_and_velocity(clean.data(), noise.data(), turns.data(), x_t.data(), v.data(),
                             x0.rows(), x0.cols());
  x_t.copy_to(task.x_t.data());
  v.copy_to(task.target.data());
}

}  // namespace

DenoiserTask denoiser_task(PredictionType type, const Matrix& x0, const Matrix& eps,
                           const std::vector<std::int64_t>& t, const DoubleVector& alphas_cumprod,
                           double gamma) {
  require(x0.size() > 0, "denoiser_task: expected at least one element, got " + shape_of(x0));
  require(gamma >= 0.0, "denoiser_task: expected gamma >= 0, got " + std::to_string(gamma));
  require_noise_fits(x0, eps, t, alphas_cumprod);
  DenoiserTask task{x0, type == PredictionType::kEpsilon ? eps : x0, DoubleVector(x0.rows())};
  if (type == PredictionType::kVelocity)
    turn_both(x0, eps, t, alphas_cumprod, task);
  else
    task.x_t = add_noise(x0, eps, t, alphas_cumprod);
  Index n = 0;
  for (const std::int64_t step : t)
    task.weight(n++) = min_snr_weight(type, alphas_cumprod(step), gamma);
  return task;
}

DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  const Matrix& target = task.target;
  require_size(output.rows(), target.rows(), "denoiser_loss: rows of output");
  require_size(output.cols(), target.cols(), "denoiser_loss: columns of output");
  require_size(task.weight.size(), target.rows(), "denoiser_loss: number of weights");
  require(target.size() > 0, "denoiser_loss: expected at least one element, got none");
  const device::Buffer<float> predicted(output.data(), output.size()),
      wanted(target.data(), target.size());
  const device::Buffer<double> weight(task.weight.data(), task.weight.size());
  device::Buffer<float> gradient(target.size());
  device::Buffer<double> value(1);
  device::denoiser_loss(predicted.data(), wanted.data(), weight.data(), gradient.data(),
                        value.data(), target.rows(), target.cols());
  DenoiserLoss loss{0.0, Matrix(target.rows(), target.cols())};
  value.copy_to(&loss.value);
  gradient.copy_to(loss.gradient.data());
  return loss;
}

}  // namespace latent

#include <algorithm>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

/// How much the error of one sample counts, in the units of its prediction.
double min_snr_weight(PredictionType type, double a, double gamma) {
  if (gamma == 0.0) return 1.0;
  const double ratio = a / (1.0 - a), capped = std::min(ratio, gamma);
  if (type == PredictionType::kEpsilon) return capped / ratio;
  return type == PredictionType::kVelocity ? capped / (ratio + 1.0) : capped;
}

}  // namespace

DenoiserTask denoiser_task(PredictionType type, const Matrix& x0, const Matrix& eps,
                           const std::vector<std::int64_t>& t, const DoubleVector& alphas_cumprod,
                           double gamma) {
  require(x0.size() > 0, "denoiser_task: expected at least one element, got " + shape_of(x0));
  require(gamma >= 0.0, "denoiser_task: expected gamma >= 0, got " + std::to_string(gamma));
  DenoiserTask task{add_noise(x0, eps, t, alphas_cumprod), x0, DoubleVector(x0.rows())};
  if (type == PredictionType::kEpsilon) task.target = eps;
  if (type == PredictionType::kVelocity) task.target = velocity(x0, eps, t, alphas_cumprod);
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
  const auto elements = static_cast<double>(target.size());
  DenoiserLoss loss{0.0, output - target};
  for (Index n = 0; n < target.rows(); ++n) {
    const double share = task.weight(n) / elements;
    loss.value += share * loss.gradient.row(n).cast<double>().squaredNorm();
    loss.gradient.row(n) *= static_cast<float>(2.0 * share);
  }
  return loss;
}

}  // namespace latent

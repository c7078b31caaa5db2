#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

void require_fitting(const Matrix& x_t, std::int64_t t, std::int64_t previous,
                     const DoubleVector& alphas_cumprod, const Matrix& noise, double clip) {
  require_size(noise.rows(), x_t.rows(), "ddpm_step: rows of noise");
  require_size(noise.cols(), x_t.cols(), "ddpm_step: columns of noise");
  require(t >= 0 && t < alphas_cumprod.size(), "ddpm_step: expected t from 0 to below " +
                                                   std::to_string(alphas_cumprod.size()) +
                                                   ", got " + std::to_string(t));
  require(previous >= -1 && previous < t, "ddpm_step: expected previous from -1 to below " +
                                              std::to_string(t) + ", got " +
                                              std::to_string(previous));
  require(clip > 0.0, "ddpm_step: expected clip above 0, got " + std::to_string(clip));
}

}  // namespace

DenoisingStep ddpm_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdpmOptions& options) {
  require_fitting(x_t, t, previous, alphas_cumprod, noise, options.clip);
  const double a = alphas_cumprod(t);
  const double next = previous < 0 ? 1.0 : alphas_cumprod(previous);
  const double alpha = a / next, beta = 1.0 - alpha;  // of the whole jump, not of timestep t
  const auto limit = static_cast<float>(options.clip);
  const Denoised denoised = convert_prediction(options.prediction, x_t, output, a);
  const Matrix x0 = denoised.x0.cwiseMax(-limit).cwiseMin(limit);
  const double small = (1.0 - next) / (1.0 - a) * beta;
  const double variance = options.variance == StepVariance::kSmall ? small : beta;
  const auto of_x0 = static_cast<float>(std::sqrt(next) * beta / (1.0 - a));
  const auto of_x_t = static_cast<float>(std::sqrt(alpha) * (1.0 - next) / (1.0 - a));
  const auto fresh = static_cast<float>(previous < 0 ? 0.0 : std::sqrt(variance));
  return {of_x0 * x0 + of_x_t * x_t + fresh * noise, x0};
}

}  // namespace latent

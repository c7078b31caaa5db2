#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

void require_fitting(const Matrix& x_t, std::int64_t t, std::int64_t previous,
                     const DoubleVector& alphas_cumprod, const Matrix& noise,
                     const DdimOptions& options) {
  require_size(noise.rows(), x_t.rows(), "ddim_step: rows of noise");
  require_size(noise.cols(), x_t.cols(), "ddim_step: columns of noise");
  require(t >= 0 && t < alphas_cumprod.size(), "ddim_step: expected t from 0 to below " +
                                                   std::to_string(alphas_cumprod.size()) +
                                                   ", got " + std::to_string(t));
  require(previous >= -1 && previous < t, "ddim_step: expected previous from -1 to below " +
                                              std::to_string(t) + ", got " +
                                              std::to_string(previous));
  require(options.eta >= 0.0 && options.eta <= 1.0,
          "ddim_step: expected eta from 0 to 1, got " + std::to_string(options.eta));
  require(options.clip > 0.0,
          "ddim_step: expected clip above 0, got " + std::to_string(options.clip));
  require(options.final_alpha > 0.0 && options.final_alpha <= 1.0,
          "ddim_step: expected final_alpha above 0, at most 1, got " +
              std::to_string(options.final_alpha));
}

}  // namespace

DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  require_fitting(x_t, t, previous, alphas_cumprod, noise, options);
  const double a = alphas_cumprod(t);
  const double next = previous < 0 ? options.final_alpha : alphas_cumprod(previous);
  auto [x0, eps] = convert_prediction(options.prediction, x_t, output, a);
  const auto limit = static_cast<float>(options.clip);
  x0 = x0.cwiseMax(-limit).cwiseMin(limit);
  if (options.rederive_eps) {
    eps = (x_t - static_cast<float>(std::sqrt(a)) * x0) / static_cast<float>(std::sqrt(1.0 - a));
  }
  const double variance = options.eta * options.eta * (1.0 - next) / (1.0 - a) * (1.0 - a / next);
  const auto signal = static_cast<float>(std::sqrt(next));
  const auto direction = static_cast<float>(std::sqrt(1.0 - next - variance));
  const auto fresh = static_cast<float>(std::sqrt(variance));
  return {signal * x0 + direction * eps + fresh * noise, x0};
}

}  // namespace latent

// 5_ddpm_step.cpp on a GPU: what the contract says, around the kernel of 4_ddim_step.cu.

#include "on_device.hpp"

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
  const device::Conversion conversion = conversion_of(options.prediction, x_t, output, a);
  const bool large = options.variance == StepVariance::kLarge;
  return step_on_device(device::ddpm(conversion, a, next, options.clip, large), x_t, output, noise);
}

}  // namespace latent

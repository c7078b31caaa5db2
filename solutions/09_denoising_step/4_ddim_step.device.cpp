// 4_ddim_step.cpp on a GPU: what the contract says, around the kernel of 4_ddim_step.cu.

#include "on_device.hpp"

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

DenoisingStep step_on_device(const device::Step& step, const Matrix& x_t, const Matrix& output,
                             const Matrix& noise) {
  const Index enters = step.of_noise == 0.0F ? 0 : noise.size();
  const device::Buffer<float> noisy(x_t.data(), x_t.size()), predicted(output.data(), x_t.size()),
      fresh(noise.data(), enters);
  device::Buffer<float> prev(x_t.size()), x0(x_t.size());
  device::denoising_step(
      step, {noisy.data(), predicted.data(), fresh.data(), prev.data(), x0.data()}, x_t.size());
  DenoisingStep done{Matrix(x_t.rows(), x_t.cols()), Matrix(x_t.rows(), x_t.cols())};
  prev.copy_to(done.prev.data());
  x0.copy_to(done.x0.data());
  return done;
}

DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  require_fitting(x_t, t, previous, alphas_cumprod, noise, options);
  const double a = alphas_cumprod(t);
  const double next = previous < 0 ? options.final_alpha : alphas_cumprod(previous);
  const device::Conversion conversion = conversion_of(options.prediction, x_t, output, a);
  return step_on_device(
      device::ddim(conversion, a, next, options.eta, options.clip, options.rederive_eps), x_t,
      output, noise);
}

}  // namespace latent

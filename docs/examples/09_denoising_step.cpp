// The calls that the chapter on lab 09 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "denoising_step.hpp"

namespace {

using namespace latent;
using Timesteps = std::vector<std::int64_t>;

double schedule(std::int64_t T, double b0, double b1) {
  //! [noise_schedule]
  const DoubleVector betas =
      make_betas(BetaSchedule::kScaledLinear, T, b0, b1);
  const DoubleVector a = cumulative_alphas(betas);
  const DoubleVector sigmas = noise_sigmas(a);
  //! [noise_schedule]
  return sigmas(0);
}

Matrix noising(const Matrix& x0, const Matrix& eps, const Timesteps& t,
               const DoubleVector& a) {
  //! [add_noise]
  const Matrix x_t = add_noise(x0, eps, t, a);
  const Matrix v = velocity(x0, eps, t, a);
  //! [add_noise]
  return x_t + v;
}

Matrix convert(const Matrix& x_t, const Matrix& out, double a_t) {
  //! [convert_prediction]
  const Denoised d = convert_prediction(PredictionType::kVelocity, x_t,
                                        out, a_t);  // d.x0, d.eps
  //! [convert_prediction]
  return d.x0 + d.eps;
}

Timesteps places(std::int64_t T, std::int64_t S) {
  //! [timesteps]
  const SamplingSteps steps =
      sampling_timesteps(TimestepSpacing::kTrailing, T, S, 0);
  // steps.timesteps, steps.previous
  //! [timesteps]
  return steps.previous;
}

Matrix ddim(const Matrix& x_t, const Matrix& out, std::int64_t t,
            std::int64_t previous, const DoubleVector& a,
            const Matrix& noise) {
  //! [ddim_step]
  DdimOptions options;
  options.eta = 0.5;
  options.clip = 1.0;
  const DenoisingStep step =
      ddim_step(x_t, out, t, previous, a, noise, options);
  //! [ddim_step]
  return step.prev;
}

Matrix ddpm(const Matrix& x_t, const Matrix& out, std::int64_t t,
            std::int64_t previous, const DoubleVector& a,
            const Matrix& noise) {
  //! [ddpm_step]
  const DdpmOptions options;  // epsilon, no clip, small variance
  const DenoisingStep step =
      ddpm_step(x_t, out, t, previous, a, noise, options);
  //! [ddpm_step]
  return step.prev;
}

double loss(const Matrix& x0, const Matrix& eps, const Timesteps& t,
            const DoubleVector& a, const Matrix& output) {
  //! [denoiser_loss]
  const DenoiserTask task =
      denoiser_task(PredictionType::kVelocity, x0, eps, t, a, 5.0);
  // ask the model about task.x_t and t
  const DenoiserLoss loss = denoiser_loss(task, output);
  //! [denoiser_loss]
  return loss.value;
}

Matrix pipeline(const Matrix& x, const LinearCodec& codec,
                const DoubleVector& a, const Matrix& n,
                const Matrix& noise) {
  //! [trace_pipeline]
  PipelineOptions options;
  options.strength = 0.5;
  const PipelineTrace trace =
      trace_pipeline(x, codec, options, a, n, noise);
  // trace.result, trace.records[i].stage, .t, .value
  //! [trace_pipeline]
  return trace.result;
}

Matrix euler(const Matrix& y, const Matrix& out, double sigma,
             double sigma1) {
  //! [euler_step]
  const Matrix input = scale_model_input(y, sigma);  // for the model
  const DenoisingStep step =
      euler_step(y, out, sigma, sigma1, PredictionType::kEpsilon);
  //! [euler_step]
  return input + step.prev;
}

Matrix guidance(const Matrix& u, const Matrix& c, const DoubleVector& a) {
  //! [classifier_free_guidance]
  const Matrix out = classifier_free_guidance(u, c, 7.5);
  const DoubleVector to_zero = rescale_zero_terminal_snr(a);
  //! [classifier_free_guidance]
  return out * static_cast<float>(to_zero(0));
}

}  // namespace

#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

void require_shape(const Matrix& x, Index rows, Index cols, const std::string& what) {
  require_size(x.rows(), rows, "trace_pipeline: rows of " + what);
  require_size(x.cols(), cols, "trace_pipeline: columns of " + what);
}

void require_fitting(const Matrix& x, const LinearCodec& codec, const Matrix& posterior_noise,
                     const Matrix& noise) {
  const Index size = codec.decoder_weight.cols();
  require_shape(codec.encoder_weight, 2 * size, x.cols(), "encoder_weight");
  require_size(codec.encoder_bias.size(), 2 * size, "trace_pipeline: size of encoder_bias");
  require_size(codec.decoder_weight.rows(), x.cols(), "trace_pipeline: rows of decoder_weight");
  require_size(codec.decoder_bias.size(), x.cols(), "trace_pipeline: size of decoder_bias");
  require_shape(posterior_noise, x.rows(), size, "posterior_noise");
  require_shape(noise, x.rows(), size, "noise");
  require(codec.scale != 0.0, "trace_pipeline: expected a scale that is not 0, got 0");
}

/// The timesteps that are run: the last floor(steps * strength) of the schedule.
SamplingSteps run_steps(const PipelineOptions& options, std::int64_t train_steps) {
  require(options.strength > 0.0 && options.strength <= 1.0,
          "trace_pipeline: expected a strength above 0, at most 1, got " +
              std::to_string(options.strength));
  SamplingSteps all =
      sampling_timesteps(options.spacing, train_steps, options.steps, options.offset);
  const auto run =
      static_cast<std::int64_t>(std::floor(static_cast<double>(options.steps) * options.strength));
  require(run >= 1, "trace_pipeline: expected at least one step to run, got none of " +
                        std::to_string(options.steps));
  all.timesteps.erase(all.timesteps.begin(), all.timesteps.end() - run);
  all.previous.erase(all.previous.begin(), all.previous.end() - run);
  return all;
}

/// What a denoiser puts out that knows the clean latent z.
Matrix oracle(PredictionType type, const Matrix& x_t, const Matrix& z, double a) {
  if (type == PredictionType::kSample) return z;
  const auto signal = static_cast<float>(std::sqrt(a));
  const auto noise = static_cast<float>(std::sqrt(1.0 - a));
  const Matrix eps = (x_t - signal * z) / noise;
  return type == PredictionType::kEpsilon ? eps : signal * eps - noise * z;
}

void record(PipelineTrace& trace, PipelineStage stage, std::int64_t t, const Matrix& value) {
  trace.records.push_back({stage, t, value});
  trace.result = value;
}

/// From images to the denoiser's latents.
void encode(PipelineTrace& trace, const Matrix& x, const LinearCodec& codec, bool sample,
            const Matrix& posterior_noise) {
  const Index size = posterior_noise.cols();
  record(trace, PipelineStage::kMoments, -1,
         (x * codec.encoder_weight.transpose()).rowwise() + codec.encoder_bias);
  Matrix latent = trace.result.leftCols(size);
  const Matrix log_var = trace.result.rightCols(size);
  if (sample) latent.array() += (0.5F * log_var.array()).exp() * posterior_noise.array();
  record(trace, PipelineStage::kLatent, -1, latent);
  const auto scale = static_cast<float>(codec.scale), shift = static_cast<float>(codec.shift);
  record(trace, PipelineStage::kScaled, -1, (latent.array() - shift) * scale);
}

/// One turn of the loop: the model's output, and what the scheduler makes of it.
void denoise(PipelineTrace& trace, PredictionType type, const Matrix& z, std::int64_t t,
             std::int64_t previous, const DoubleVector& alphas_cumprod) {
  const Matrix x_t = trace.result, output = oracle(type, x_t, z, alphas_cumprod(t));
  record(trace, PipelineStage::kModelOutput, t, output);
  DdimOptions options;
  options.prediction = type;
  const DenoisingStep step = ddim_step(x_t, output, t, previous, alphas_cumprod, z, options);
  record(trace, PipelineStage::kPrevious, previous, step.prev);
}

}  // namespace

PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise) {
  require_fitting(x, codec, posterior_noise, noise);
  const SamplingSteps steps = run_steps(options, alphas_cumprod.size());
  PipelineTrace trace;
  encode(trace, x, codec, options.sample_posterior, posterior_noise);
  const Matrix z = trace.result;
  const std::int64_t start = steps.timesteps.front();
  const std::vector<std::int64_t> starts(static_cast<std::size_t>(x.rows()), start);
  record(trace, PipelineStage::kNoisy, start, add_noise(z, noise, starts, alphas_cumprod));
  for (std::size_t i = 0; i < steps.timesteps.size(); ++i) {
    denoise(trace, options.prediction, z, steps.timesteps[i], steps.previous[i], alphas_cumprod);
  }
  const auto scale = static_cast<float>(codec.scale), shift = static_cast<float>(codec.shift);
  record(trace, PipelineStage::kUnscaled, -1, trace.result.array() / scale + shift);
  record(trace, PipelineStage::kDecoded, -1,
         (trace.result * codec.decoder_weight.transpose()).rowwise() + codec.decoder_bias);
  return trace;
}

}  // namespace latent

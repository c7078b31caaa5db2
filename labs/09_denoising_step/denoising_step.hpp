/// @file
/// Lab 09, one denoising step. This header is the contract: read it, do not edit it. What you write
/// goes into the numbered .cpp files beside it.
///
/// Letters: N samples, one latent per row, D numbers in a row, T timesteps of the training, counted
/// from 0 to T - 1. beta is the variance of the noise that one timestep adds, a the product of all
/// 1 - beta so far (`alphas_cumprod`, often written alpha bar), sigma = sqrt((1 - a) / a). x_0 is a
/// clean latent, x_t a noisy one, eps standard normal noise, and
/// \f$ x_t = \sqrt{a_t}\,x_0 + \sqrt{1 - a_t}\,\varepsilon \f$. "Previous" is the next smaller
/// timestep, the one that a step goes to. Everything is element by element; no axis is summed.
///
/// Tensors are float; schedules and coefficients are double until they meet a tensor.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "common/types.hpp"

namespace latent {

// ---- 9.0 -----------------------------------------------------------------------------------

/// How the variances of the added noise grow.
enum class BetaSchedule {
  kLinear,        ///< beta in equal steps.
  kScaledLinear,  ///< sqrt(beta) in equal steps. Stable Diffusion's.
  kCosine,        ///< a follows a squared cosine; "squaredcos_cap_v2".
};

/// The variance of the noise that each timestep adds, T of them.
///
/// Linear: from `first` to `last` in equal steps, both ends included. Scaled linear: the same with
/// the square roots, then squared. Cosine: \f$ \beta_t = \min(1 - f(\frac{t+1}{T}) / f(\frac tT),\;
/// 0.999) \f$ with \f$ f(u) = \cos^2(\frac{u + 0.008}{1.008} \cdot \frac\pi2) \f$.
///
/// State, axis, trade-off: a rule becomes T numbers along time; how fast they grow decides how much
/// of training is spent on nearly clean and on nearly ruined latents.
///
/// @param kind   Which rule.
/// @param steps  T, at least 2.
/// @param first  beta of timestep 0, above 0; the cosine does not look at it.
/// @param last   beta of timestep T - 1, from `first` to below 1; the cosine does not look at it.
/// @return       Shape `[T]`.
/// @throws std::invalid_argument  if steps < 2, or, except for the cosine, not 0 < first <= last <
///                                1.
/// @see Ho, Jain and Abbeel 2020, arXiv:2006.11239 (linear); Nichol and Dhariwal 2021,
///      arXiv:2102.09672 (cosine).
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last);

/// What is left of the signal's variance: \f$ a_t = \prod_{s \le t} (1 - \beta_s) \f$.
/// @param betas  Shape `[T]`, not empty, each from 0 to 1.
/// @return       Shape `[T]`; timestep 0 already has noise in it, so its a is 1 - beta_0.
/// @throws std::invalid_argument  if betas is empty or one of them is not from 0 to 1.
DoubleVector cumulative_alphas(const DoubleVector& betas);

/// Noise in units of the signal: \f$ \sigma_t = \sqrt{(1 - a_t) / a_t} \f$, a standard deviation.
/// @param alphas_cumprod  a, shape `[T]`, each above 0, at most 1.
/// @return                Shape `[T]`.
/// @throws std::invalid_argument  if an a is not above 0 and at most 1.
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod);

// ---- 9.1 -----------------------------------------------------------------------------------

/// The noisy latents: \f$ x_t = \sqrt{a_t}\,x_0 + \sqrt{1 - a_t}\,\varepsilon \f$, each row with
/// the t of its own.
///
/// State, axis, trade-off: clean rows become noisy ones in one go, t steps at once, one pair of
/// coefficients per row; what is gained in noise is lost in signal, and the variance stays 1 if it
/// was 1.
///
/// @param x0              Shape `[N, D]`; N may be 0.
/// @param eps             Standard normal noise, same shape.
/// @param t               A timestep for each row, shape `[N]`, each from 0 to T - 1.
/// @param alphas_cumprod  a, shape `[T]`.
/// @return                Shape `[N, D]`.
/// @throws std::invalid_argument  if x0 and eps differ in shape, t has not N elements, or one of
///                                them is not from 0 to T - 1.
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod);

/// The velocity: \f$ v = \sqrt{a_t}\,\varepsilon - \sqrt{1 - a_t}\,x_0 \f$. The pair (x_0, eps)
/// turned by an angle is the pair (x_t, v), so that their squares have the same sum.
/// @param x0              As in `add_noise`.
/// @param eps             As in `add_noise`.
/// @param t               As in `add_noise`.
/// @param alphas_cumprod  As in `add_noise`.
/// @return                Shape `[N, D]`.
/// @throws std::invalid_argument  as `add_noise` does.
/// @see Salimans and Ho 2022, "Progressive distillation for fast sampling of diffusion models",
///      arXiv:2202.00512.
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod);

// ---- 9.2 -----------------------------------------------------------------------------------

/// What a model was trained to put out. A model's weights do not tell; its configuration does.
enum class PredictionType {
  kEpsilon,   ///< The noise eps.
  kSample,    ///< The clean latent x_0.
  kVelocity,  ///< v.
};

/// The two things that any prediction stands for.
struct Denoised {
  Matrix x0;   ///< The clean latent, shape `[N, D]`.
  Matrix eps;  ///< The noise, shape `[N, D]`.
};

/// Clean latent and noise out of a model's output, such that
/// \f$ \sqrt a\,x_0 + \sqrt{1 - a}\,\varepsilon \f$ is x_t again.
///
/// Epsilon: \f$ x_0 = (x_t - \sqrt{1 - a}\,o) / \sqrt a \f$, eps = o. Sample: x_0 = o,
/// \f$ \varepsilon = (x_t - \sqrt a\,o) / \sqrt{1 - a} \f$. Velocity: \f$ x_0 = \sqrt a\,x_t -
/// \sqrt{1 - a}\,o \f$, \f$ \varepsilon = \sqrt a\,o + \sqrt{1 - a}\,x_t \f$.
///
/// State, axis, trade-off: one tensor and what it was meant to be become two; near a = 0 the first
/// rule divides by almost nothing, near a = 1 the second.
///
/// @param type    What the model puts out.
/// @param x_t     The noisy latent, shape `[N, D]`; N may be 0.
/// @param output  o, what the model put out for it, same shape.
/// @param a_t     a of the timestep, from 0 to 1; not 0 for epsilon, not 1 for sample, for then
///                x_t knows nothing of what is asked.
/// @return        x_0 and eps.
/// @throws std::invalid_argument  if the shapes differ, or a_t is not allowed for this type.
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t);

/// The same for flow matching, where \f$ x_s = (1 - s)\,x_0 + s\,\varepsilon \f$ and a model puts
/// out the flow \f$ u = \varepsilon - x_0 \f$: \f$ x_0 = x_s - s\,u \f$,
/// \f$ \varepsilon = x_s + (1 - s)\,u \f$.
/// @param x_s     The noisy latent, shape `[N, D]`; N may be 0.
/// @param output  u, same shape.
/// @param s       The share of noise, from 0 to 1; no root is taken anywhere.
/// @return        x_0 and eps.
/// @throws std::invalid_argument  if the shapes differ, or s is not from 0 to 1.
/// @see Lipman et al. 2022, "Flow matching for generative modeling", arXiv:2210.02747.
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s);

// ---- 9.3 -----------------------------------------------------------------------------------

/// Which S of the T timesteps a sampler visits.
enum class TimestepSpacing {
  kLeading,   ///< Multiples of floor(T / S), plus an offset.
  kLinspace,  ///< Both ends and equal distances.
  kTrailing,  ///< From the last one down, in distances of T / S.
};

/// The timesteps of a sampler and where each of its steps goes.
struct SamplingSteps {
  std::vector<std::int64_t> timesteps;  ///< Descending, shape `[S]`.
  std::vector<std::int64_t> previous;  ///< What each step goes to; -1, no noise at all, at the end.
};

/// Chooses S timesteps out of T, from noisy to clean. With i from 0 to S - 1, in ascending order:
///
/// leading \f$ i \lfloor T/S \rfloor + \text{offset} \f$; linspace \f$ i (T - 1) / (S - 1) \f$,
/// rounded; trailing \f$ T - j\,T/S \f$, rounded, less 1, with j = S - 1 - i. Rounding is to the
/// nearest, and to the even one of two that are equally near. The previous timestep is the next one
/// in the list, whatever the spacing.
///
/// T = 1000, S = 5: leading with offset 1 gives 801, 601, 401, 201, 1, linspace 999, 749, 500, 250,
/// 0, trailing 999, 799, 599, 399, 199.
///
/// State, axis, trade-off: a length becomes S places along time; fewer of them are faster, and each
/// step has to jump further.
///
/// @param spacing      The rule.
/// @param train_steps  T.
/// @param steps        S, from 1 to T; at least 2 for linspace, which has two ends.
/// @param offset       Added by leading only, at least 0; the others do not look at it.
/// @return             Timesteps and their previous ones.
/// @throws std::invalid_argument  if steps is out of range, or a timestep of leading is below 0 or
///                                above T - 1.
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset);

// ---- 9.4 -----------------------------------------------------------------------------------

/// A step of a sampler.
struct DenoisingStep {
  Matrix prev;  ///< The latent at the previous timestep, shape `[N, D]`.
  Matrix x0;    ///< The clean latent that the step was aiming at, clipped if asked to be.
};

/// How a DDIM step is done.
struct DdimOptions {
  PredictionType prediction = PredictionType::kEpsilon;  ///< What the model put out.
  double eta = 0.0;  ///< Fresh noise, as a share of DDPM's; from 0 to 1.
  double clip = std::numeric_limits<double>::infinity();  ///< x_0 is kept within +-clip; above 0.
  bool rederive_eps = false;  ///< After clipping, eps is what x_t and the clipped x_0 leave.
  double final_alpha = 1.0;   ///< a' where previous is -1: 1, or a_0. Above 0, at most 1.
};

/// One DDIM step: \f$ x' = \sqrt{a'}\,x_0 + \sqrt{1 - a' - s^2}\,\varepsilon + s\,n \f$ with
/// \f$ s = \eta \sqrt{\frac{1 - a'}{1 - a} \left(1 - \frac{a}{a'}\right)} \f$.
///
/// x_0 and eps come from `convert_prediction`; then x_0 is clipped; then, if the option says so,
/// \f$ \varepsilon = (x_t - \sqrt a\,x_0) / \sqrt{1 - a} \f$ with the clipped x_0. a' belongs to
/// `previous`, which is an argument: it is not t - 1 and not t - T/S.
///
/// State, axis, trade-off: x_t becomes a latent with less noise; without fresh noise (eta 0) the
/// same start gives the same image, with it mistakes of earlier steps are washed out.
///
/// @param x_t             Shape `[N, D]`; N may be 0.
/// @param output          What the model put out for x_t and t, same shape.
/// @param t               The timestep, from 0 to T - 1.
/// @param previous        Where the step goes, from -1 to t - 1.
/// @param alphas_cumprod  a, shape `[T]`, each above 0 and below 1, falling.
/// @param noise           n, standard normal, same shape; for eta = 0 it does not enter.
/// @param options         See there.
/// @return                The latent at `previous`, and x_0.
/// @throws std::invalid_argument  if shapes differ, t or previous is out of range, eta is not from
///                                0 to 1, clip is not above 0, or final_alpha is not above 0 and at
///                                most 1.
/// @see Song, Meng and Ermon 2020, "Denoising diffusion implicit models", arXiv:2010.02502.
DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options);

// ---- 9.5 -----------------------------------------------------------------------------------

/// The variance of the noise that a DDPM step adds.
enum class StepVariance {
  kSmall,  ///< \f$ \frac{1 - a'}{1 - a} \beta \f$, that of the posterior of x' given x_t and x_0.
  kLarge,  ///< \f$ \beta \f$
};

/// How a DDPM step is done.
struct DdpmOptions {
  PredictionType prediction = PredictionType::kEpsilon;   ///< What the model put out.
  double clip = std::numeric_limits<double>::infinity();  ///< x_0 is kept within +-clip; above 0.
  StepVariance variance = StepVariance::kSmall;           ///< How much noise is added.
};

/// One DDPM step, a draw from \f$ q(x' \mid x_t, x_0) \f$:
/// \f$ x' = \frac{\sqrt{a'}\,\beta}{1 - a}\,x_0 + \frac{\sqrt{\alpha}\,(1 - a')}{1 - a}\,x_t +
/// \sqrt{\text{variance}}\;n \f$ with \f$ \alpha = a / a' \f$ and \f$ \beta = 1 - \alpha \f$.
///
/// alpha and beta belong to the jump from `previous` to t, not to timestep t alone. a' is 1 where
/// previous is -1, and no noise is added there, whatever the variance.
///
/// State, axis, trade-off: x_t becomes a latent with less noise, and noise of its own; the chain is
/// that of training, at the price of many steps.
///
/// @param x_t             Shape `[N, D]`; N may be 0.
/// @param output          What the model put out for x_t and t, same shape.
/// @param t               The timestep, from 0 to T - 1.
/// @param previous        Where the step goes, from -1 to t - 1.
/// @param alphas_cumprod  a, shape `[T]`, each above 0 and below 1, falling.
/// @param noise           n, standard normal, same shape.
/// @param options         See there.
/// @return                The latent at `previous`, and x_0.
/// @throws std::invalid_argument  if shapes differ, t or previous is out of range, or clip is not
///                                above 0.
/// @see Ho, Jain and Abbeel 2020, "Denoising diffusion probabilistic models", arXiv:2006.11239.
DenoisingStep ddpm_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdpmOptions& options);

// ---- 9.6 -----------------------------------------------------------------------------------

/// What a denoiser is asked in one training step.
struct DenoiserTask {
  Matrix x_t;           ///< The model's input, shape `[N, D]`.
  Matrix target;        ///< What it should put out: eps, x_0 or v, shape `[N, D]`.
  DoubleVector weight;  ///< How much each sample counts, shape `[N]`.
};

/// Makes the task out of clean latents and drawn noise and timesteps.
///
/// Weights: 1 each if gamma is 0. Else, with \f$ r = a_t / (1 - a_t) \f$, the ratio of signal to
/// noise, \f$ \min(r, \gamma) \f$ for sample, divided by r for epsilon, by r + 1 for velocity: the
/// same weight of the error in x_0, in each prediction's own units.
///
/// State, axis, trade-off: a batch becomes question and answer, each row at a noise level of its
/// own; without weights the loss is spent where the prediction's units make errors large.
///
/// @param type            What the model is to put out.
/// @param x0              Shape `[N, D]`, not empty.
/// @param eps             The noise drawn, same shape.
/// @param t               The timesteps drawn, shape `[N]`, each from 0 to T - 1.
/// @param alphas_cumprod  a, shape `[T]`; above 0 and below 1 at every t that was drawn.
/// @param gamma           Cap of the ratio, 5 in the paper; 0 for no weighting.
/// @return                Input, target and weights.
/// @throws std::invalid_argument  if x0 is empty, gamma is negative, and as `add_noise` does.
/// @see Hang et al. 2023, "Efficient diffusion training via min-SNR weighting strategy",
///      arXiv:2303.09556.
DenoiserTask denoiser_task(PredictionType type, const Matrix& x0, const Matrix& eps,
                           const std::vector<std::int64_t>& t, const DoubleVector& alphas_cumprod,
                           double gamma);

/// The loss of a denoiser, and where it wants its output to go.
struct DenoiserLoss {
  double value = 0.0;  ///< L.
  Matrix gradient;     ///< With respect to the model's output, shape `[N, D]`.
};

/// \f$ L = \frac{1}{ND} \sum_{nd} w_n (o_{nd} - \text{target}_{nd})^2 \f$ and its gradient
/// \f$ \frac{2 w_n}{ND} (o - \text{target}) \f$.
///
/// Reduction: the mean over all N·D elements, weighted; the weights are not divided by their sum.
///
/// @param task    From `denoiser_task`.
/// @param output  o, what the model put out for task.x_t and t, same shape as the target.
/// @return        The loss, accumulated in double, and its gradient.
/// @throws std::invalid_argument  if output and target differ in shape, there is not a weight for
///                                each row, or there is no element.
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output);

// ---- 9.7 -----------------------------------------------------------------------------------

/// An autoencoder of two linear layers, and the numbers between its latent and a denoiser's.
struct LinearCodec {
  Matrix encoder_weight;   ///< Shape `[2L, D]`: the first L outputs are means, the others
                           ///< logarithms of variances.
  RowVector encoder_bias;  ///< Shape `[2L]`.
  Matrix decoder_weight;   ///< Shape `[D, L]`.
  RowVector decoder_bias;  ///< Shape `[D]`.
  double scale = 1.0;      ///< The denoiser works on (z - shift) * scale; not 0.
  double shift = 0.0;      ///< See there.
};

/// How an image-to-image pipeline is run.
struct PipelineOptions {
  PredictionType prediction = PredictionType::kEpsilon;  ///< What the denoiser puts out.
  TimestepSpacing spacing = TimestepSpacing::kLeading;   ///< As in `sampling_timesteps`.
  std::int64_t steps = 10;                               ///< S, the steps of the whole schedule.
  std::int64_t offset = 0;                               ///< As in `sampling_timesteps`.
  double strength = 1.0;          ///< The share of the steps that is run, above 0, at most 1.
  bool sample_posterior = false;  ///< The latent is a draw from the posterior; else its mode.
};

/// What a record holds.
enum class PipelineStage {
  kMoments,      ///< What the encoder put out, `[N, 2L]`.
  kLatent,       ///< Sample or mode of the posterior, `[N, L]`.
  kScaled,       ///< The latent in the denoiser's units.
  kNoisy,        ///< With the noise of the first timestep that is run.
  kModelOutput,  ///< What the denoiser put out, at the timestep it was asked about.
  kPrevious,     ///< What the scheduler made of it, at the timestep it went to.
  kUnscaled,     ///< The denoised latent in the autoencoder's units.
  kDecoded,      ///< What the decoder put out, `[N, D]`.
};

/// One stage of the pipeline.
struct StageRecord {
  PipelineStage stage = PipelineStage::kMoments;  ///< Which one.
  std::int64_t t = -1;                            ///< The timestep of `value`, -1 for none.
  Matrix value;                                   ///< The tensor that came out of the stage.
};

/// What a pipeline did.
struct PipelineTrace {
  Matrix result;                     ///< What the decoder put out, shape `[N, D]`.
  std::vector<StageRecord> records;  ///< One per stage, in order; the last one is the result.
};

/// Runs latent diffusion from image to image, with a denoiser that knows the answer.
///
/// Encode (\f$ y W^T + b \f$); take the mode, or \f$ \mu + e^{\ell/2}\,n \f$; scale; add noise of
/// the first timestep that is run; then for each timestep the model's output and a `ddim_step` with
/// eta 0, no clipping and final a 1; unscale; decode. Of the S timesteps the last
/// \f$ \lfloor S \cdot \text{strength} \rfloor \f$ are run.
///
/// The denoiser is an oracle: it knows the scaled latent \f$ z \f$ and puts out, for the x_t it is
/// given, what is exact: \f$ \varepsilon = (x_t - \sqrt a\,z) / \sqrt{1 - a} \f$, or z, or the v of
/// the two. So the result is decode(encode(x)), to rounding, for all options: an invariant to test
/// a pipeline by.
///
/// Records: kMoments, kLatent, kScaled, kNoisy, then kModelOutput and kPrevious for each step, then
/// kUnscaled, kDecoded.
///
/// State, axis, trade-off: images become latents, noise, latents, images; strength trades the
/// image that came in for what the denoiser makes of noise.
///
/// @param x                Shape `[N, D]`; N may be 0.
/// @param codec            Encoder, decoder, scale and shift.
/// @param options          See there.
/// @param alphas_cumprod   a, shape `[T]`, each above 0 and below 1, falling.
/// @param posterior_noise  n, standard normal, shape `[N, L]`; the mode does not look at it.
/// @param noise            The noise that is added before the first step, shape `[N, L]`.
/// @return                 The result and a record of every stage.
/// @throws std::invalid_argument  if shapes do not fit, scale is 0, strength is not above 0 and at
///                                most 1, or so small that no step is run.
PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise);

// ---- 9.8 (stretch) -------------------------------------------------------------------------

/// sigma at timesteps that need not be whole, for Euler steps: linear between
/// \f$ \sigma_t = \sqrt{(1 - a_t) / a_t} \f$ of the two neighbours, and a 0 at the end.
/// @param timesteps       Shape `[S]`, each from 0 to T - 1.
/// @param alphas_cumprod  a, shape `[T]`, each above 0, at most 1.
/// @return                Shape `[S + 1]`; the last one is 0.
/// @throws std::invalid_argument  if a timestep is out of range, or as `noise_sigmas` does.
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod);

/// What the model is given in place of a sample whose noise has standard deviation sigma:
/// \f$ x / \sqrt{\sigma^2 + 1} \f$. Only the model: the step wants the sample itself.
/// @param sample  \f$ x_0 + \sigma\varepsilon \f$, shape `[N, D]`; N may be 0.
/// @param sigma   At least 0.
/// @return        Same shape.
/// @throws std::invalid_argument  if sigma is negative.
Matrix scale_model_input(const Matrix& sample, double sigma);

/// One Euler step from sigma to a smaller one: \f$ x' = x + (\sigma' - \sigma)\,(x - x_0) / \sigma
/// \f$.
///
/// x_0 is \f$ x - \sigma o \f$ for epsilon, \f$ x / (\sigma^2 + 1) - \sigma o / \sqrt{\sigma^2 + 1}
/// \f$ for velocity, o for sample. Here x is the sample as it is, \f$ x_0 + \sigma\varepsilon \f$,
/// not what `scale_model_input` makes of it.
///
/// State, axis, trade-off: the same straight line as DDIM with eta 0, in units in which the signal
/// keeps its size and only the noise shrinks.
///
/// @param sample      x, shape `[N, D]`; N may be 0.
/// @param output      o, what the model put out for the scaled x, same shape.
/// @param sigma       Noise of x, above 0.
/// @param next_sigma  \f$ \sigma' \f$, at least 0.
/// @param prediction  What the model put out.
/// @return            x' and x_0.
/// @throws std::invalid_argument  if shapes differ, sigma is not above 0, or next_sigma is
/// negative.
/// @see Karras, Aittala, Aila and Laine 2022, "Elucidating the design space of diffusion-based
///      generative models", arXiv:2206.00364.
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction);

/// The shares of noise that a flow sampler visits: S values from 1 to 1/T in equal steps (1 alone
/// if S is 1), each sent once through \f$ s \mapsto k s / (1 + (k - 1) s) \f$, and a 0 at the end.
/// @param train_steps  T, at least 1.
/// @param steps        S, at least 1.
/// @param shift        k, above 0; above 1 it spends more steps on noisy latents.
/// @return             Shape `[S + 1]`.
/// @throws std::invalid_argument  if an argument is out of range.
/// @see Esser et al. 2024, "Scaling rectified flow transformers for high-resolution image
///      synthesis", arXiv:2403.03206.
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift);

/// One step of a flow: \f$ x' = x + (s' - s)\,u \f$.
/// @param sample  x, shape `[N, D]`; N may be 0.
/// @param output  u, which points from x_0 to eps, same shape.
/// @param s       The share of noise in x, from 0 to 1.
/// @param next_s  \f$ s' \f$, from 0 to 1.
/// @return        x', shape `[N, D]`.
/// @throws std::invalid_argument  if shapes differ, or s or next_s is not from 0 to 1.
Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s);

// ---- 9.9 (stretch) -------------------------------------------------------------------------

/// Two predictions drawn out beyond each other: \f$ u + w\,(c - u) \f$.
///
/// State, axis, trade-off: two outputs become one; a larger w follows the condition more closely,
/// and pays with variety and with values that no image has.
///
/// @param unconditional  u, without the condition, shape `[N, D]`; N may be 0.
/// @param conditional    c, same shape.
/// @param scale          w: 0 gives u, 1 gives c, 7.5 is usual.
/// @return               Same shape.
/// @throws std::invalid_argument  if the shapes differ.
/// @see Ho and Salimans 2022, "Classifier-free diffusion guidance", arXiv:2207.12598.
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale);

/// Pulls each sample back into [-1, 1]: with q the quantile of the row's magnitudes and
/// \f$ m = \max(1, q) \f$, the row is limited to [-m, m] and divided by m.
///
/// The quantile is linear between neighbours, as torch's: of D magnitudes in ascending order,
/// counted from 0, it stands at place (D - 1) * ratio.
///
/// @param x0     Clean latents or images, shape `[N, D]`, D at least 1; N may be 0.
/// @param ratio  Which quantile, from 0 to 1; 0.995 is usual.
/// @return       Same shape, each element from -1 to 1.
/// @throws std::invalid_argument  if there is no column, or ratio is not from 0 to 1.
/// @see Saharia et al. 2022, "Photorealistic text-to-image diffusion models with deep language
///      understanding", arXiv:2205.11487.
Matrix dynamic_threshold(const Matrix& x0, double ratio);

/// A schedule that ends in pure noise: \f$ \sqrt{a} \f$ is moved and stretched so that its last
/// value is 0 and its first is kept, \f$ \sqrt{a_t} \mapsto (\sqrt{a_t} - \sqrt{a_{T-1}}) \cdot
/// \sqrt{a_0} / (\sqrt{a_0} - \sqrt{a_{T-1}}) \f$.
/// @param alphas_cumprod  a, shape `[T]`, T at least 2, from 0 to 1, the first above the last.
/// @return                a, shape `[T]`; the last is 0, so epsilon cannot be converted there.
/// @throws std::invalid_argument  if there are fewer than two, one is not from 0 to 1, or the first
///                                is not above the last.
/// @see Lin, Liu, Li and Yang 2023, "Common diffusion noise schedules and sample steps are flawed",
///      arXiv:2305.08891.
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod);

}  // namespace latent

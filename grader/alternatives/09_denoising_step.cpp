// Right answers to lab 09 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/require.hpp"
#include "denoising_step.hpp"
#include "grader/judge/misconception.hpp"

namespace latent {

// ---- 9.0 noise_schedule ------------------------------------------------------------------------

namespace lin_spaced {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  if (steps < 2) throw std::invalid_argument("steps");
  if (kind == BetaSchedule::kCosine) {
    DoubleVector bar(steps + 1);
    for (Index i = 0; i <= steps; ++i) {
      const double angle = (double(i) / double(steps) + 0.008) / 1.008 * std::acos(-1.0) / 2;
      bar(i) = std::cos(angle) * std::cos(angle);
    }
    return (1.0 - bar.tail(steps).array() / bar.head(steps).array()).min(0.999);
  }
  if (!(first > 0 && last >= first && last < 1)) throw std::invalid_argument("ends");
  if (kind == BetaSchedule::kLinear) return DoubleVector::LinSpaced(steps, first, last);
  return DoubleVector::LinSpaced(steps, std::sqrt(first), std::sqrt(last)).cwiseAbs2();
}
}  // namespace lin_spaced
ALTERNATIVE(lin_spaced, make_betas)

namespace partial_products {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  require(betas.size() >= 1, "no beta");
  require((betas.array() >= 0.0).all() && (betas.array() <= 1.0).all(), "range");
  const DoubleVector alphas = 1.0 - betas.array();
  DoubleVector a(alphas.size());
  std::partial_sum(alphas.begin(), alphas.end(), a.begin(), std::multiplies<>());
  return a;
}
}  // namespace partial_products
ALTERNATIVE(partial_products, cumulative_alphas)

namespace from_the_one_before {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  require(betas.size() != 0, "empty");
  DoubleVector a = betas;
  for (Index t = 0; t < a.size(); ++t) {
    if (!(betas(t) >= 0 && betas(t) <= 1)) throw std::invalid_argument("beta");
    a(t) = t == 0 ? 1 - betas(0) : a(t - 1) - a(t - 1) * betas(t);
  }
  return a;
}
}  // namespace from_the_one_before
ALTERNATIVE(from_the_one_before, cumulative_alphas)

namespace ratio_of_roots {
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  DoubleVector sigmas(alphas_cumprod.size());
  for (Index t = 0; t < sigmas.size(); ++t) {
    const double a = alphas_cumprod(t);
    if (!(a > 0.0) || a > 1.0) throw std::invalid_argument("a");
    sigmas(t) = std::sqrt(1.0 - a) / std::sqrt(a);
  }
  return sigmas;
}
}  // namespace ratio_of_roots
ALTERNATIVE(ratio_of_roots, noise_sigmas)

// ---- 9.1 add_noise -----------------------------------------------------------------------------

namespace column_of_factors {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  require(shape_of(x0) == shape_of(eps), shape_of(x0) + " and " + shape_of(eps));
  require_size(Index(t.size()), x0.rows(), "timesteps");
  DoubleVector a(x0.rows());
  for (Index n = 0; n < a.size(); ++n) {
    const auto step = t[std::size_t(n)];
    require(step >= 0 && step < alphas_cumprod.size(), "timestep");
    a(n) = alphas_cumprod(step);
  }
  const Eigen::VectorXf signal = a.cwiseSqrt().cast<float>();
  const Eigen::VectorXf noise = (1.0 - a.array()).sqrt().matrix().cast<float>();
  return signal.asDiagonal() * x0 + Matrix(noise.asDiagonal() * eps);
}
}  // namespace column_of_factors
ALTERNATIVE(column_of_factors, add_noise)

namespace element_by_element {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  if (x0.rows() != eps.rows() || x0.cols() != eps.cols()) throw std::invalid_argument("shape");
  if (t.size() != std::size_t(x0.rows())) throw std::invalid_argument("t");
  Matrix x_t(x0.rows(), x0.cols());
  for (Index n = 0; n < x0.rows(); ++n) {
    if (t[std::size_t(n)] < 0 || t[std::size_t(n)] >= alphas_cumprod.size())
      throw std::invalid_argument("timestep");
    const double angle = std::acos(std::sqrt(alphas_cumprod(t[std::size_t(n)])));
    for (Index d = 0; d < x0.cols(); ++d) {
      x_t(n, d) = float(std::cos(angle) * double(x0(n, d)) + std::sin(angle) * double(eps(n, d)));
    }
  }
  return x_t;
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, add_noise)

namespace velocity_spelled_out {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  require(x0.rows() == eps.rows() && x0.cols() == eps.cols(), "shapes");
  require(Index(t.size()) == x0.rows(), "timesteps");
  Matrix v = eps;
  for (Index n = 0; n < v.rows(); ++n) {
    const std::int64_t step = t[std::size_t(n)];
    require(step >= 0 && step < alphas_cumprod.size(), "timestep");
    const auto a = float(alphas_cumprod(step));
    v.row(n) = std::sqrt(a) * eps.row(n) - std::sqrt(1.0F - a) * x0.row(n);
  }
  return v;
}
}  // namespace velocity_spelled_out
ALTERNATIVE(velocity_spelled_out, velocity)

// ---- 9.2 convert_prediction --------------------------------------------------------------------

namespace clean_first {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  require(shape_of(x_t) == shape_of(output), "shapes");
  require(a_t >= 0.0 && a_t <= 1.0, "a");
  const auto r = float(std::sqrt(a_t)), q = float(std::sqrt(1.0 - a_t));
  switch (type) {
    case PredictionType::kEpsilon:
      require(r > 0.0F, "no signal");
      return {x_t / r - q / r * output, output};
    case PredictionType::kSample:
      require(q > 0.0F, "no noise");
      return {output, x_t / q - r / q * output};
    default:
      return {r * x_t - q * output, q * x_t + r * output};
  }
}
}  // namespace clean_first
ALTERNATIVE(clean_first, convert_prediction)

namespace in_double {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  if (x_t.rows() != output.rows() || x_t.cols() != output.cols())
    throw std::invalid_argument("shapes");
  const bool v = type == PredictionType::kVelocity, e = type == PredictionType::kEpsilon;
  if (!(a_t >= 0.0 && a_t <= 1.0) || (e && a_t == 0.0) || (!e && !v && a_t == 1.0))
    throw std::invalid_argument("a");
  const double r = std::sqrt(a_t), q = std::sqrt(1.0 - a_t);
  const Eigen::ArrayXXd x = x_t.cast<double>().array(), o = output.cast<double>().array();
  Eigen::ArrayXXd x0 = o, eps = o;
  if (v) x0 = r * x - q * o;
  if (v) eps = r * o + q * x;
  if (e) x0 = (x - q * o) / r;
  if (!e && !v) eps = (x - r * o) / q;
  return {x0.matrix().cast<float>(), eps.matrix().cast<float>()};
}
}  // namespace in_double
ALTERNATIVE(in_double, convert_prediction)

namespace through_the_other_end {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  if (x_s.rows() != output.rows() || x_s.cols() != output.cols())
    throw std::invalid_argument("shapes");
  if (!(s >= 0.0) || s > 1.0) throw std::invalid_argument("s");
  const Matrix x0 = x_s - float(s) * output;
  return {x0, x0 + output};
}
}  // namespace through_the_other_end
ALTERNATIVE(through_the_other_end, convert_flow)

// ---- 9.3 timesteps -----------------------------------------------------------------------------

namespace then_reversed {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  require(steps >= 1 && steps <= train_steps, "steps");
  require(spacing != TimestepSpacing::kLinspace || steps >= 2, "two ends");
  std::vector<std::int64_t> t;
  for (std::int64_t i = 0; i < steps; ++i) {
    if (spacing == TimestepSpacing::kLeading) t.push_back(train_steps / steps * i + offset);
    if (spacing == TimestepSpacing::kLinspace)
      t.push_back(std::int64_t(std::rint(double(train_steps - 1) * double(i) / double(steps - 1))));
    if (spacing == TimestepSpacing::kTrailing)
      t.push_back(std::int64_t(std::rint(double(train_steps) * double(i + 1) / double(steps))) - 1);
  }
  require(t.front() >= 0 && t.back() < train_steps, "range");
  std::vector<std::int64_t> previous(t.size(), -1);
  std::copy(t.begin(), t.end() - 1, previous.begin() + 1);
  std::reverse(t.begin(), t.end());
  std::reverse(previous.begin(), previous.end());
  return {t, previous};
}
}  // namespace then_reversed
ALTERNATIVE(then_reversed, sampling_timesteps)

namespace whole_numbers_only {
std::int64_t half_to_even(std::int64_t p, std::int64_t q) {
  const std::int64_t whole = p / q, rest = 2 * (p % q);
  return rest > q || (rest == q && whole % 2 != 0) ? whole + 1 : whole;
}
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  const bool linspace = spacing == TimestepSpacing::kLinspace;
  if (steps < (linspace ? 2 : 1) || steps > train_steps) throw std::invalid_argument("steps");
  SamplingSteps result;
  for (std::int64_t i = steps; i-- > 0;) {
    std::int64_t t = i * (train_steps / steps) + offset;
    if (linspace) t = half_to_even(i * (train_steps - 1), steps - 1);
    if (spacing == TimestepSpacing::kTrailing) t = half_to_even((i + 1) * train_steps, steps) - 1;
    if (t < 0 || t >= train_steps) throw std::invalid_argument("range");
    result.timesteps.push_back(t);
  }
  result.previous.assign(result.timesteps.begin() + 1, result.timesteps.end());
  result.previous.push_back(-1);
  return result;
}
}  // namespace whole_numbers_only
ALTERNATIVE(whole_numbers_only, sampling_timesteps)

namespace counted_down {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  require(steps > (spacing == TimestepSpacing::kLinspace ? 1 : 0), "too few");
  require(steps <= train_steps, "too many");
  const auto whole = double(train_steps);
  SamplingSteps s;
  for (std::int64_t j = 0; j < steps; ++j) {
    double place = double((steps - 1 - j) * (train_steps / steps) + offset);
    if (spacing == TimestepSpacing::kTrailing)
      place = std::nearbyint((whole * double(steps) - double(j) * whole) / double(steps)) - 1.0;
    if (spacing == TimestepSpacing::kLinspace)
      place = std::nearbyint((whole - 1.0) * double(steps - 1 - j) / double(steps - 1));
    require(place >= 0.0 && place < whole, "range");
    s.timesteps.push_back(std::int64_t(place));
    if (j > 0) s.previous.push_back(s.timesteps.back());
  }
  s.previous.push_back(-1);
  return s;
}
}  // namespace counted_down
ALTERNATIVE(counted_down, sampling_timesteps)

// ---- 9.4 ddim_step -----------------------------------------------------------------------------

namespace weights_of_two {
DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  require(noise.rows() == x_t.rows() && noise.cols() == x_t.cols(), "noise");
  require(t >= 0 && t < alphas_cumprod.size() && previous >= -1 && previous < t, "t, previous");
  require(options.eta >= 0 && options.eta <= 1 && options.clip > 0, "eta, clip");
  require(options.final_alpha > 0 && options.final_alpha <= 1, "final_alpha");
  const double a = alphas_cumprod(t);
  const double next = previous == -1 ? options.final_alpha : alphas_cumprod(previous);
  Denoised d = convert_prediction(options.prediction, x_t, output, a);
  if (options.clip < std::numeric_limits<double>::infinity()) {
    const double limit = options.clip;
    d.x0 = d.x0.unaryExpr([limit](float v) { return float(std::clamp<double>(v, -limit, limit)); });
  }
  // eps of the clipped x0 is what the epsilon of a sample prediction is.
  if (options.rederive_eps) d.eps = convert_prediction(PredictionType::kSample, x_t, d.x0, a).eps;
  const double s = options.eta * std::sqrt((1 - next) / (1 - a)) * std::sqrt(1 - a / next);
  const Matrix prev = std::sqrt(float(next)) * d.x0 + float(std::sqrt(1 - next - s * s)) * d.eps;
  return {s > 0 ? Matrix(prev + float(s) * noise) : prev, d.x0};
}
}  // namespace weights_of_two
ALTERNATIVE(weights_of_two, ddim_step)

namespace double_inside {
DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  if (shape_of(noise) != shape_of(x_t) || shape_of(output) != shape_of(x_t))
    throw std::invalid_argument("shapes");
  if (t < 0 || t >= alphas_cumprod.size()) throw std::invalid_argument("t");
  if (previous < -1 || previous >= t) throw std::invalid_argument("previous");
  if (!(options.eta >= 0.0 && options.eta <= 1.0)) throw std::invalid_argument("eta");
  if (!(options.clip > 0.0)) throw std::invalid_argument("clip");
  if (!(options.final_alpha > 0.0 && options.final_alpha <= 1.0)) throw std::invalid_argument("a");
  const double a = alphas_cumprod(t), r = std::sqrt(a), q = std::sqrt(1 - a);
  const double next = previous < 0 ? options.final_alpha : alphas_cumprod(previous);
  const double s = options.eta * std::sqrt((1 - next) / (1 - a) * (1 - a / next));
  DenoisingStep step{x_t, x_t};
  for (Index i = 0; i < x_t.size(); ++i) {
    const double x = x_t.data()[i], o = output.data()[i];
    double x0 = o, eps = o;
    if (options.prediction == PredictionType::kEpsilon) x0 = (x - q * o) / r;
    if (options.prediction == PredictionType::kVelocity) x0 = r * x - q * o;
    if (options.prediction != PredictionType::kEpsilon) eps = (x - r * x0) / q;
    x0 = std::max(-options.clip, std::min(options.clip, x0));
    if (options.rederive_eps) eps = (x - r * x0) / q;
    step.x0.data()[i] = float(x0);
    step.prev.data()[i] = float(std::sqrt(next) * x0 + std::sqrt(1 - next - s * s) * eps +
                                s * double(noise.data()[i]));
  }
  return step;
}
}  // namespace double_inside
ALTERNATIVE(double_inside, ddim_step)

namespace from_x_t {
DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  require_size(noise.rows(), x_t.rows(), "noise");
  require_size(noise.cols(), x_t.cols(), "noise");
  require(0 <= t && t < alphas_cumprod.size(), "t");
  require(-1 <= previous && previous < t, "previous");
  require(0.0 <= options.eta && options.eta <= 1.0, "eta");
  require(0.0 < options.clip, "clip");
  require(0.0 < options.final_alpha && options.final_alpha <= 1.0, "final_alpha");
  const double a = alphas_cumprod(t);
  const double b = previous >= 0 ? alphas_cumprod(previous) : options.final_alpha;
  const Denoised d = convert_prediction(options.prediction, x_t, output, a);
  const Matrix x0 = d.x0.array().min(float(options.clip)).max(float(-options.clip));
  const double variance = std::pow(options.eta, 2) * (1 - b) * (1 - a / b) / (1 - a);
  const double left = std::sqrt(1 - b - variance);
  if (!options.rederive_eps)
    return {float(std::sqrt(b)) * x0 + float(left) * d.eps + float(std::sqrt(variance)) * noise,
            x0};
  // With eps = (x_t - sqrt(a) x0) / sqrt(1 - a), the step is a mix of x_t and x0.
  const double of_x_t = left / std::sqrt(1 - a);
  return {float(of_x_t) * x_t + float(std::sqrt(b) - std::sqrt(a) * of_x_t) * x0 +
              float(std::sqrt(variance)) * noise,
          x0};
}
}  // namespace from_x_t
ALTERNATIVE(from_x_t, ddim_step)

// ---- 9.5 ddpm_step -----------------------------------------------------------------------------

namespace by_precision {
DenoisingStep ddpm_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdpmOptions& options) {
  require(noise.rows() == x_t.rows() && noise.cols() == x_t.cols(), "noise");
  require(t >= 0 && t < alphas_cumprod.size() && previous >= -1 && previous < t, "t, previous");
  require(options.clip > 0.0, "clip");
  const double a = alphas_cumprod(t), b = previous < 0 ? 1.0 : alphas_cumprod(previous);
  Matrix x0 = convert_prediction(options.prediction, x_t, output, a).x0;
  x0 = x0.cwiseMin(float(options.clip)).cwiseMax(float(-options.clip));
  if (previous < 0) return {x0, x0};
  // A Gaussian around sqrt(b) x0 with variance 1 - b times one in x_t / sqrt(alpha), by precision.
  const double alpha = a / b, beta = 1 - alpha, prior = 1 / (1 - b), seen = alpha / beta;
  const double variance = 1 / (prior + seen);
  const double fresh = options.variance == StepVariance::kLarge ? beta : variance;
  return {float(variance * prior * std::sqrt(b)) * x0 +
              float(variance * seen / std::sqrt(alpha)) * x_t + float(std::sqrt(fresh)) * noise,
          x0};
}
}  // namespace by_precision
ALTERNATIVE(by_precision, ddpm_step)

namespace ddpm_in_double {
DenoisingStep ddpm_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdpmOptions& options) {
  if (shape_of(noise) != shape_of(x_t)) throw std::invalid_argument("noise");
  if (t < 0 || t >= alphas_cumprod.size()) throw std::invalid_argument("t");
  if (previous < -1 || previous >= t) throw std::invalid_argument("previous");
  if (!(options.clip > 0.0)) throw std::invalid_argument("clip");
  const double a = alphas_cumprod(t), b = previous < 0 ? 1.0 : alphas_cumprod(previous);
  const double beta = 1 - a / b, small = beta * (1 - b) / (1 - a);
  const double s =
      previous < 0 ? 0 : std::sqrt(options.variance == StepVariance::kSmall ? small : beta);
  DenoisingStep step{x_t, convert_prediction(options.prediction, x_t, output, a).x0};
  for (Index i = 0; i < x_t.size(); ++i) {
    float& x0 = step.x0.data()[i];
    x0 = float(std::clamp(double(x0), -options.clip, options.clip));
    step.prev.data()[i] = float(std::sqrt(b) * beta / (1 - a) * double(x0) +
                                std::sqrt(a / b) * (1 - b) / (1 - a) * double(x_t.data()[i]) +
                                s * double(noise.data()[i]));
  }
  return step;
}
}  // namespace ddpm_in_double
ALTERNATIVE(ddpm_in_double, ddpm_step)

namespace ddim_at_eta_one {
DenoisingStep ddpm_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdpmOptions& options) {
  // The posterior's mean is DDIM's with eta 1, once eps is what x_t and x0 leave.
  DdimOptions ddim{options.prediction, 1.0, options.clip, true, 1.0};
  DenoisingStep step = ddim_step(x_t, output, t, previous, alphas_cumprod, noise, ddim);
  if (options.variance == StepVariance::kSmall || previous < 0) return step;
  const double a = alphas_cumprod(t), b = alphas_cumprod(previous), beta = 1 - a / b;
  const double extra = std::sqrt(beta) - std::sqrt((1 - b) / (1 - a) * beta);
  step.prev += float(extra) * noise;
  return step;
}
}  // namespace ddim_at_eta_one
ALTERNATIVE(ddim_at_eta_one, ddpm_step)

// ---- 9.6 denoiser_loss -------------------------------------------------------------------------

namespace weights_as_factors {
DenoiserTask denoiser_task(PredictionType type, const Matrix& x0, const Matrix& eps,
                           const std::vector<std::int64_t>& t, const DoubleVector& alphas_cumprod,
                           double gamma) {
  require(x0.rows() > 0 && x0.cols() > 0 && gamma >= 0.0, "elements, gamma");
  const Matrix x_t = add_noise(x0, eps, t, alphas_cumprod);
  DoubleVector weight = DoubleVector::Ones(x0.rows());
  for (std::size_t n = 0; n < t.size() && gamma > 0.0; ++n) {
    const double a = alphas_cumprod(t[n]);
    // Of x0's error: min(a / (1 - a), gamma). In units of eps times (1 - a) / a, of v times 1 - a.
    const double of_x0 = a < gamma * (1.0 - a) ? a / (1.0 - a) : gamma;
    double unit = 1.0;
    if (type == PredictionType::kEpsilon) unit = (1.0 - a) / a;
    if (type == PredictionType::kVelocity) unit = 1.0 - a;
    weight(Index(n)) = of_x0 * unit;
  }
  if (type == PredictionType::kSample) return {x_t, x0, weight};
  if (type == PredictionType::kEpsilon) return {x_t, eps, weight};
  return {x_t, velocity(x0, eps, t, alphas_cumprod), weight};
}
}  // namespace weights_as_factors
ALTERNATIVE(weights_as_factors, denoiser_task)

namespace by_array {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  require(shape_of(output) == shape_of(task.target) && output.size() > 0, "shapes");
  require(task.weight.size() == output.rows(), "weights");
  const Eigen::ArrayXXd error = (output.cast<double>() - task.target.cast<double>()).array();
  const Eigen::ArrayXXd weighted = error.colwise() * task.weight.array();
  const Eigen::ArrayXXd gradient = 2.0 * weighted / double(output.size());
  return {(weighted * error).mean(), gradient.matrix().cast<float>()};
}
}  // namespace by_array
ALTERNATIVE(by_array, denoiser_loss)

namespace element_wise_loss {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  const Matrix& y = task.target;
  if (y.rows() != output.rows() || y.cols() != output.cols() || y.size() == 0 ||
      task.weight.size() != y.rows())
    throw std::invalid_argument("shapes");
  DenoiserLoss loss{0.0, Matrix(y.rows(), y.cols())};
  for (Index n = 0; n < y.rows(); ++n) {
    for (Index d = 0; d < y.cols(); ++d) {
      const double e = double(output(n, d)) - double(y(n, d));
      loss.value += task.weight(n) * e * e / double(y.size());
      loss.gradient(n, d) = float(2.0 * task.weight(n) * e / double(y.size()));
    }
  }
  return loss;
}
}  // namespace element_wise_loss
ALTERNATIVE(element_wise_loss, denoiser_loss)

// ---- 9.7 trace_pipeline ------------------------------------------------------------------------

namespace by_the_book {
PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise) {
  const Index n = x.rows(), d = x.cols(), l = codec.decoder_weight.cols();
  require(shape_of(codec.encoder_weight) == to_string({2 * l, d}), "encoder_weight");
  require(codec.encoder_bias.size() == 2 * l && codec.decoder_bias.size() == d, "biases");
  require(codec.decoder_weight.rows() == d && codec.scale != 0.0, "decoder_weight, scale");
  require(shape_of(noise) == to_string({n, l}), "noise");
  require(shape_of(posterior_noise) == shape_of(noise), "posterior_noise");
  require(options.strength > 0.0 && options.strength <= 1.0, "strength");
  const SamplingSteps s =
      sampling_timesteps(options.spacing, alphas_cumprod.size(), options.steps, options.offset);
  const auto skipped = s.timesteps.size() - std::size_t(double(options.steps) * options.strength);
  require(skipped < s.timesteps.size(), "no step");
  std::vector<StageRecord> log;
  Matrix y = x * codec.encoder_weight.transpose();
  y.rowwise() += codec.encoder_bias;
  log.push_back({PipelineStage::kMoments, -1, y});
  Matrix z = y.leftCols(l);
  if (options.sample_posterior)
    z += ((y.rightCols(l) * 0.5F).array().exp() * posterior_noise.array()).matrix();
  log.push_back({PipelineStage::kLatent, -1, z});
  z = ((z.array() - float(codec.shift)) * float(codec.scale)).eval();
  log.push_back({PipelineStage::kScaled, -1, z});
  const std::vector<std::int64_t> start(std::size_t(n), s.timesteps[skipped]);
  Matrix now = add_noise(z, noise, start, alphas_cumprod);
  log.push_back({PipelineStage::kNoisy, s.timesteps[skipped], now});
  const DdimOptions ddim{options.prediction, 0.0, std::numeric_limits<double>::infinity(), false,
                         1.0};
  for (std::size_t i = skipped; i < s.timesteps.size(); ++i) {
    const std::vector<std::int64_t> here(std::size_t(n), s.timesteps[i]);
    const double a = alphas_cumprod(s.timesteps[i]);
    const Matrix eps = convert_prediction(PredictionType::kSample, now, z, a).eps;
    const Matrix output = options.prediction == PredictionType::kEpsilon ? eps
                          : options.prediction == PredictionType::kSample
                              ? z
                              : velocity(z, eps, here, alphas_cumprod);
    log.push_back({PipelineStage::kModelOutput, s.timesteps[i], output});
    now = ddim_step(now, output, s.timesteps[i], s.previous[i], alphas_cumprod, eps, ddim).prev;
    log.push_back({PipelineStage::kPrevious, s.previous[i], now});
  }
  now = (now.array() / float(codec.scale) + float(codec.shift)).eval();
  log.push_back({PipelineStage::kUnscaled, -1, now});
  Matrix result = now * codec.decoder_weight.transpose();
  result.rowwise() += codec.decoder_bias;
  log.push_back({PipelineStage::kDecoded, -1, result});
  return {result, log};
}
}  // namespace by_the_book
ALTERNATIVE(by_the_book, trace_pipeline)

namespace with_double_codec {
Matrix affine(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  const Eigen::MatrixXd y = x.cast<double>() * weight.cast<double>().transpose();
  return (y.rowwise() + bias.cast<double>()).cast<float>();
}
PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise) {
  const Index l = codec.decoder_weight.cols();
  if (codec.encoder_weight.rows() != 2 * l || codec.encoder_weight.cols() != x.cols() ||
      codec.encoder_bias.size() != 2 * l || codec.decoder_weight.rows() != x.cols() ||
      codec.decoder_bias.size() != x.cols() || noise.rows() != x.rows() || noise.cols() != l ||
      posterior_noise.rows() != x.rows() || posterior_noise.cols() != l || codec.scale == 0.0 ||
      !(options.strength > 0.0 && options.strength <= 1.0))
    throw std::invalid_argument("arguments");
  SamplingSteps s =
      sampling_timesteps(options.spacing, alphas_cumprod.size(), options.steps, options.offset);
  PipelineTrace trace;
  const auto pass = [&](PipelineStage stage, std::int64_t t, Matrix value) {
    trace.result = value;
    trace.records.push_back({stage, t, std::move(value)});
  };
  const std::int64_t run = std::int64_t(double(options.steps) * options.strength);
  if (run == 0) throw std::invalid_argument("no step");
  pass(PipelineStage::kMoments, -1, affine(x, codec.encoder_weight, codec.encoder_bias));
  Matrix z = trace.result.leftCols(l);
  for (Index i = 0; options.sample_posterior && i < z.size(); ++i) {
    const float log_var = trace.result(i / l, l + i % l);
    z.data()[i] += std::exp(log_var / 2.0F) * posterior_noise.data()[i];
  }
  pass(PipelineStage::kLatent, -1, z);
  for (Index i = 0; i < z.size(); ++i)
    z.data()[i] = float((double(z.data()[i]) - codec.shift) * codec.scale);
  pass(PipelineStage::kScaled, -1, z);
  for (std::int64_t i = options.steps - run; i < options.steps; ++i) {
    const std::int64_t t = s.timesteps[std::size_t(i)], next = s.previous[std::size_t(i)];
    const double r = std::sqrt(alphas_cumprod(t)), q = std::sqrt(1.0 - alphas_cumprod(t));
    if (i == options.steps - run) pass(PipelineStage::kNoisy, t, float(r) * z + float(q) * noise);
    const Matrix x_t = trace.result;
    // eps is what is left; v is (sqrt(a) x_t - z) / sqrt(1 - a).
    Matrix output = z;
    if (options.prediction == PredictionType::kEpsilon) output = (x_t - float(r) * z) / float(q);
    if (options.prediction == PredictionType::kVelocity) output = (float(r) * x_t - z) / float(q);
    pass(PipelineStage::kModelOutput, t, output);
    DdimOptions ddim;
    ddim.prediction = options.prediction;
    pass(PipelineStage::kPrevious, next,
         ddim_step(x_t, output, t, next, alphas_cumprod, noise, ddim).prev);
  }
  z = trace.result.unaryExpr([&](float v) { return float(double(v) / codec.scale + codec.shift); });
  pass(PipelineStage::kUnscaled, -1, z);
  pass(PipelineStage::kDecoded, -1, affine(z, codec.decoder_weight, codec.decoder_bias));
  return trace;
}
}  // namespace with_double_codec
ALTERNATIVE(with_double_codec, trace_pipeline)

namespace in_two_loops {
PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise) {
  const Index l = codec.decoder_weight.cols();
  require(codec.encoder_weight.rows() == 2 * l && codec.encoder_weight.cols() == x.cols(), "W");
  require(codec.encoder_bias.size() == 2 * l, "b");
  require(codec.decoder_weight.rows() == x.cols() && codec.decoder_bias.size() == x.cols(), "dec");
  require(noise.rows() == x.rows() && noise.cols() == l, "noise");
  require(posterior_noise.rows() == x.rows() && posterior_noise.cols() == l, "posterior_noise");
  require(codec.scale != 0.0 && options.strength > 0.0 && options.strength <= 1.0, "numbers");
  const SamplingSteps s =
      sampling_timesteps(options.spacing, alphas_cumprod.size(), options.steps, options.offset);
  const std::int64_t run = std::int64_t(std::floor(double(options.steps) * options.strength));
  const std::size_t first = std::size_t(options.steps - run);
  require(run >= 1, "no step");
  const Matrix moments = (x * codec.encoder_weight.transpose()).rowwise() + codec.encoder_bias;
  const Matrix deviation = (0.5F * moments.rightCols(l).array()).exp();
  const Matrix offset = options.sample_posterior ? Matrix(deviation.cwiseProduct(posterior_noise))
                                                 : Matrix(Matrix::Zero(x.rows(), l));
  const Matrix latent = moments.leftCols(l) + offset;
  const Matrix z = float(codec.scale) * latent.array() - float(codec.scale * codec.shift);
  // First all latents of the way, then what led to each of them.
  std::vector<Matrix> way{
      add_noise(z, noise, std::vector<std::int64_t>(std::size_t(x.rows()), s.timesteps[first]),
                alphas_cumprod)};
  std::vector<Matrix> outputs;
  DdimOptions ddim;
  ddim.prediction = options.prediction;
  for (std::size_t i = first; i < s.timesteps.size(); ++i) {
    const double a = alphas_cumprod(s.timesteps[i]);
    const Denoised d = convert_prediction(PredictionType::kSample, way.back(), z, a);
    Matrix output = options.prediction == PredictionType::kSample ? d.x0 : d.eps;
    if (options.prediction == PredictionType::kVelocity)
      output = float(std::sqrt(a)) * d.eps - float(std::sqrt(1.0 - a)) * d.x0;
    outputs.push_back(output);
    way.push_back(
        ddim_step(way.back(), output, s.timesteps[i], s.previous[i], alphas_cumprod, noise, ddim)
            .prev);
  }
  PipelineTrace trace{{},
                      {{PipelineStage::kMoments, -1, moments},
                       {PipelineStage::kLatent, -1, latent},
                       {PipelineStage::kScaled, -1, z},
                       {PipelineStage::kNoisy, s.timesteps[first], way[0]}}};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    trace.records.push_back({PipelineStage::kModelOutput, s.timesteps[first + i], outputs[i]});
    trace.records.push_back({PipelineStage::kPrevious, s.previous[first + i], way[i + 1]});
  }
  const Matrix back = way.back().array() / float(codec.scale) + float(codec.shift);
  trace.result = (back * codec.decoder_weight.transpose()).rowwise() + codec.decoder_bias;
  trace.records.push_back({PipelineStage::kUnscaled, -1, back});
  trace.records.push_back({PipelineStage::kDecoded, -1, trace.result});
  return trace;
}
}  // namespace in_two_loops
ALTERNATIVE(in_two_loops, trace_pipeline)

// ---- 9.8 euler_step ----------------------------------------------------------------------------

namespace between_two_points {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  require(shape_of(sample) == shape_of(output), "shapes");
  require(sigma > 0.0 && next_sigma >= 0.0, "sigmas");
  const double a = 1.0 / (sigma * sigma + 1.0);
  const Matrix x_t = float(std::sqrt(a)) * sample;
  const Matrix x0 = convert_prediction(prediction, x_t, output, a).x0;
  const auto share = float(next_sigma / sigma);
  return {share * sample + (1.0F - share) * x0, x0};
}
}  // namespace between_two_points
ALTERNATIVE(between_two_points, euler_step)

namespace by_hypotenuse {
Matrix scale_model_input(const Matrix& sample, double sigma) {
  if (!(sigma >= 0.0)) throw std::invalid_argument("sigma");
  return sample * float(1.0 / std::hypot(sigma, 1.0));
}
}  // namespace by_hypotenuse
ALTERNATIVE(by_hypotenuse, scale_model_input)

namespace weighted_neighbours {
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  const DoubleVector all = noise_sigmas(alphas_cumprod);
  std::vector<double> found;
  for (const double t : timesteps) {
    require(t >= 0.0 && t <= double(all.size()) - 1.0, "timestep");
    const Index i = std::min(Index(t), std::max<Index>(all.size() - 2, 0));
    const double rest = t - double(i);
    found.push_back(rest == 0.0 ? all(i) : (1.0 - rest) * all(i) + rest * all(i + 1));
  }
  found.push_back(0.0);
  return Eigen::Map<const DoubleVector>(found.data(), Index(found.size()));
}
}  // namespace weighted_neighbours
ALTERNATIVE(weighted_neighbours, euler_sigmas)

namespace shifted_by_odds {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  if (train_steps < 1 || steps < 1 || !(shift > 0.0)) throw std::invalid_argument("arguments");
  DoubleVector s(steps + 1);
  const double gap = steps > 1 ? (1.0 - 1.0 / double(train_steps)) / double(steps - 1) : 0.0;
  for (Index i = 0; i < steps; ++i) {
    const double plain = 1.0 - double(i) * gap;
    s(i) = 1.0 / (1.0 + (1.0 - plain) / (plain * shift));  // the odds are multiplied by the shift
  }
  s(steps) = 0.0;
  return s;
}
}  // namespace shifted_by_odds
ALTERNATIVE(shifted_by_odds, flow_sigmas)

namespace by_both_ends {
Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  require(next_s >= 0.0 && next_s <= 1.0, "next_s");
  const Denoised ends = convert_flow(sample, output, s);
  return float(1.0 - next_s) * ends.x0 + float(next_s) * ends.eps;
}
}  // namespace by_both_ends
ALTERNATIVE(by_both_ends, flow_match_step)

// ---- 9.9 classifier_free_guidance --------------------------------------------------------------

namespace two_factors {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  if (shape_of(unconditional) != shape_of(conditional)) throw std::invalid_argument("shapes");
  return float(1.0 - scale) * unconditional + float(scale) * conditional;
}
}  // namespace two_factors
ALTERNATIVE(two_factors, classifier_free_guidance)

namespace nth_elements {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  require(x0.cols() > 0 && ratio >= 0.0 && ratio <= 1.0, "arguments");
  Matrix result(x0.rows(), x0.cols());
  for (Index n = 0; n < x0.rows(); ++n) {
    std::vector<double> size;
    for (Index d = 0; d < x0.cols(); ++d) size.push_back(std::abs(double(x0(n, d))));
    std::sort(size.begin(), size.end());
    const double place = ratio * double(size.size() - 1);
    const double low = size[std::size_t(std::floor(place))];
    const double high = size[std::size_t(std::ceil(place))];
    const double m = std::max(1.0, low + (high - low) * (place - std::floor(place)));
    for (Index d = 0; d < x0.cols(); ++d)
      result(n, d) = float(std::clamp(double(x0(n, d)) / m, -1.0, 1.0));
  }
  return result;
}
}  // namespace nth_elements
ALTERNATIVE(nth_elements, dynamic_threshold)

namespace root_by_root {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  require(alphas_cumprod.size() > 1, "two at least");
  require((alphas_cumprod.array() >= 0.0).all() && (alphas_cumprod.array() <= 1.0).all(), "range");
  DoubleVector roots = alphas_cumprod.cwiseSqrt();
  const double first = roots(0), last = roots(roots.size() - 1);
  require(first > last, "falling");
  for (double& root : roots) root = first * (root - last) / (first - last);
  return roots.cwiseProduct(roots);
}
}  // namespace root_by_root
ALTERNATIVE(root_by_root, rescale_zero_terminal_snr)

}  // namespace latent

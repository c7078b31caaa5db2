// Wrong answers to lab 09 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   a product of alphas from a sum of logarithms that starts at the wrong one: it is the index
//   shift
//     that is below.
//   the variance's exponent half missing in "fixed_small_log": the contract has no logarithm; the
//     variance in place of its root is below.
//   a clamp of the variance at 1e-20: a float cannot see it.
//   noise drawn once and used in every step: noise is an argument.
//   a first sample that is not multiplied by the largest sigma: no function draws one.
//   sigma_hat under churn: the contract has no churn.
//   timesteps of a flow that are not 1000 sigma: the contract returns shares of noise only.
//   per-token flow steps with the opposite sign: there is one share per batch; the sign is below.
//   trace_pipeline that draws the posterior twice: the noise is an argument.
//   dynamic_threshold with the quantile of each channel: a row is one sample, and has no channels;
//     the quantile over the whole batch is below.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "denoising_step.hpp"
#include "grader/judge/misconception.hpp"

namespace solution = latent;

namespace latent {

// ---- 9.0 noise_schedule ------------------------------------------------------------------------

namespace one_gap_too_many {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  require(steps >= 2, "at least two steps");
  if (kind != BetaSchedule::kCosine) require(0 < first && first <= last && last < 1, "ends");
  DoubleVector betas(steps);
  const auto bar = [](double u) { return std::pow(std::cos((u + 0.008) / 1.008 * M_PI / 2), 2); };
  for (Index t = 0; t < steps; ++t) {
    const double share = double(t) / double(steps), next = double(t + 1) / double(steps);
    const double root = std::sqrt(first) + share * (std::sqrt(last) - std::sqrt(first));
    if (kind == BetaSchedule::kLinear) betas(t) = first + share * (last - first);
    if (kind == BetaSchedule::kScaledLinear) betas(t) = root * root;
    if (kind == BetaSchedule::kCosine) betas(t) = std::min(1.0 - bar(next) / bar(share), 0.999);
  }
  return betas;
}
}  // namespace one_gap_too_many
MISCONCEPTION(
    one_gap_too_many, make_betas, "betas.end-excluded",
    "Your betas stop one step short of the last one. T values with both ends have T - 1 gaps.",
    "linspace in torch and numpy includes both ends; dividing by T instead of T - 1 does not. The "
    "last timestep then has too little noise: a sampler starts from pure noise, and the model has "
    "never seen any that pure.")

namespace root_forgotten {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  if (kind == BetaSchedule::kScaledLinear) kind = BetaSchedule::kLinear;
  return solution::make_betas(kind, steps, first, last);
}
}  // namespace root_forgotten
MISCONCEPTION(
    root_forgotten, make_betas, "betas.scaled-is-linear",
    "Your scaled linear betas go in equal steps themselves. Their roots should.",
    "With 0.00085 and 0.012 both rules have the same ends. In between the plain line has more "
    "noise: at timestep 500 a is 0.161 instead of 0.276, so a Stable Diffusion model is told "
    "t = 500 and shown something noisier.")

namespace root_not_squared {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  const DoubleVector betas = solution::make_betas(kind, steps, first, last);
  return kind == BetaSchedule::kScaledLinear ? DoubleVector(betas.cwiseSqrt()) : betas;
}
}  // namespace root_not_squared
MISCONCEPTION(
    root_not_squared, make_betas, "betas.not-squared-again",
    "You made the line of the roots and returned it. beta is the square of it.",
    "The roots of 0.00085 and 0.012 are 0.029 and 0.11. A product of 1 less such numbers is 0.03 "
    "after a hundred timesteps: nine tenths of the schedule would be pure noise.")

namespace cosine_uncapped {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  DoubleVector betas = solution::make_betas(kind, steps, first, last);
  if (kind == BetaSchedule::kCosine) betas(steps - 1) = 1.0;
  return betas;
}
}  // namespace cosine_uncapped
MISCONCEPTION(
    cosine_uncapped, make_betas, "betas.cosine-not-capped",
    "The last beta of your cosine is 1. It is cut to 0.999.",
    "The cosine reaches 0 at the end, so the last beta is 1, the last a is 0, and whoever divides "
    "by sqrt(a), as an epsilon prediction has to, gets infinity.")

namespace cosine_one_early {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  DoubleVector betas = solution::make_betas(kind, steps, first, last);
  if (kind != BetaSchedule::kCosine) return betas;
  for (Index t = steps - 1; t > 0; --t) betas(t) = betas(t - 1);
  betas(0) = 0.0;
  return betas;
}
}  // namespace cosine_one_early
MISCONCEPTION(
    cosine_one_early, make_betas, "betas.cosine-shifted",
    "Your cosine betas are one timestep late: beta_t compares the times t and t + 1, you compared "
    "t - 1 and t.",
    "Timestep 0 is the first one with noise in it. With t - 1 and t it has none, and the last "
    "timestep never gets to its end.")

namespace cosine_not_squared {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  const DoubleVector betas = solution::make_betas(kind, steps, first, last);
  if (kind != BetaSchedule::kCosine) return betas;
  return (1.0 - (1.0 - betas.array()).sqrt()).min(0.999);
}
}  // namespace cosine_not_squared
MISCONCEPTION(
    cosine_not_squared, make_betas, "betas.cosine-not-squared",
    "You took the cosine for a. a is its square: the cosine itself is sqrt(a).",
    "With a = cos^2, signal and noise are the cosine and the sine of one angle that moves at a "
    "constant speed. That is the idea of the schedule, and of the velocity in 9.1.")

namespace cosine_checks_ends {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  require(0 < first && first <= last && last < 1, "0 < first <= last < 1");
  return solution::make_betas(kind, steps, first, last);
}
}  // namespace cosine_checks_ends
MISCONCEPTION(
    cosine_checks_ends, make_betas, "betas.cosine-checks-ends",
    "The cosine was refused because of its first and last beta. It does not look at them.",
    "A configuration with a cosine often has no ends, or has what was left in the file. A check "
    "belongs to the rule that needs it.")

namespace single_step_accepted {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  if (steps >= 2) return solution::make_betas(kind, steps, first, last);
  return DoubleVector::Constant(std::max<Index>(steps, 0), first);
}
}  // namespace single_step_accepted
MISCONCEPTION(
    single_step_accepted, make_betas, "betas.single-step-accepted",
    "A schedule of fewer than two steps was accepted. It cannot have two ends.",
    "The distance between the ends is divided by T - 1, which is 0 for a single step: 0 / 0 is "
    "NaN, and a NaN in a schedule reaches every latent.")

namespace ends_unchecked {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  if (kind == BetaSchedule::kCosine) return solution::make_betas(kind, steps, first, last);
  require(steps >= 2, "at least two steps");
  DoubleVector betas(steps);
  for (Index t = 0; t < steps; ++t) {
    const double share = double(t) / double(steps - 1);
    const bool scaled = kind == BetaSchedule::kScaledLinear;
    const double root = std::sqrt(first) + share * (std::sqrt(last) - std::sqrt(first));
    betas(t) = scaled ? root * root : first + share * (last - first);
  }
  return betas;
}
}  // namespace ends_unchecked
MISCONCEPTION(
    ends_unchecked, make_betas, "betas.ends-unchecked",
    "Ends that are not 0 < first <= last < 1 were accepted.",
    "A beta of 0 adds no noise, a beta of 1 leaves no signal, a falling schedule is two arguments "
    "in the wrong order. All three train without an error.")

namespace linear_in_float {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  const DoubleVector betas = solution::make_betas(kind, steps, first, last);
  if (kind != BetaSchedule::kLinear) return betas;
  return betas.cast<float>().cast<double>();
}
}  // namespace linear_in_float
MISCONCEPTION(linear_in_float, make_betas, "betas.linear-in-float",
              "Your linear betas went through float. Schedules are double.",
              "torch.linspace in float32 is what libraries use, and it is good to seven digits. A "
              "product of a thousand such factors is good to six.")

namespace scaled_in_float {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  const DoubleVector betas = solution::make_betas(kind, steps, first, last);
  if (kind != BetaSchedule::kScaledLinear) return betas;
  const Eigen::VectorXf roots = betas.cwiseSqrt().cast<float>();
  return roots.cwiseAbs2().cast<double>();
}
}  // namespace scaled_in_float
MISCONCEPTION(scaled_in_float, make_betas, "betas.scaled-in-float",
              "The roots of your scaled linear betas went through float. Schedules are double.",
              "torch.linspace in float32 is what libraries use. Squaring doubles the relative "
              "error.")

namespace cosine_in_float {
DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  DoubleVector betas = solution::make_betas(kind, steps, first, last);
  if (kind != BetaSchedule::kCosine) return betas;
  for (double& beta : betas)
    if (beta < 0.999) beta = 1.0 - double(float(1.0 - beta));
  return betas;
}
}  // namespace cosine_in_float
MISCONCEPTION(cosine_in_float, make_betas, "betas.cosine-in-float",
              "The quotients of your cosine went through float. Schedules are double.",
              "1 - q is small where q is nearly 1: a float q leaves the first betas, 4e-5 each, "
              "three digits.")

namespace begins_with_one {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  const DoubleVector right = solution::cumulative_alphas(betas);
  DoubleVector shifted = DoubleVector::Ones(right.size());
  shifted.tail(right.size() - 1) = right.head(right.size() - 1);
  return shifted;
}
}  // namespace begins_with_one
MISCONCEPTION(begins_with_one, cumulative_alphas, "alphas.begins-with-one",
              "Your first a is 1. Timestep 0 has noise in it already: its a is 1 - beta_0.",
              "Papers count t from 1 and put a_0 = 1 before it; arrays count from 0, and their "
              "first entry is "
              "the paper's a_1. Mixing the two shifts every noise level by one timestep.")

namespace not_cumulative {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  solution::cumulative_alphas(betas);
  return 1.0 - betas.array();
}
}  // namespace not_cumulative
MISCONCEPTION(
    not_cumulative, cumulative_alphas, "alphas.not-cumulative",
    "You returned 1 - beta. That is alpha; a, written alpha bar, is the product of all so far.",
    "alpha and alpha bar differ by one stroke. alpha belongs to one step, alpha bar to all of them "
    "from the clean latent on.")

namespace sum_of_betas {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  DoubleVector a = solution::cumulative_alphas(betas);
  double sum = 0.0;
  for (Index t = 0; t < a.size(); ++t) a(t) = 1.0 - (sum += betas(t));
  return a;
}
}  // namespace sum_of_betas
MISCONCEPTION(
    sum_of_betas, cumulative_alphas, "alphas.sum-of-betas",
    "You subtracted the sum of the betas. What is left of the signal is a product.",
    "1 - b - c and (1 - b)(1 - c) differ by b c, which is nothing for the first few timesteps. The "
    "sum of Stable Diffusion's betas is above 5: a would be negative.")

namespace product_in_float {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  DoubleVector a = solution::cumulative_alphas(betas);
  float product = 1.0F;
  for (Index t = 0; t < a.size(); ++t) a(t) = product *= 1.0F - float(betas(t));
  return a;
}
}  // namespace product_in_float
MISCONCEPTION(
    product_in_float, cumulative_alphas, "alphas.float-product",
    "You multiplied in float. A thousand factors lose digits, and the schedule is double.",
    "torch.cumprod of float32 betas is what most libraries do; it is off by about 1e-6 in the end. "
    "Nobody sees it in an image. In a comparison of two implementations it is what is left over.")

namespace beta_of_one_refused {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  require((betas.array() < 1.0).all(), "below 1");
  return solution::cumulative_alphas(betas);
}
}  // namespace beta_of_one_refused
MISCONCEPTION(
    beta_of_one_refused, cumulative_alphas, "alphas.one-refused",
    "A beta of 1 was refused. It is allowed: the signal ends there.",
    "Schedules with zero terminal SNR (9.9) have a last beta of 1. What cannot be done with them "
    "is converting an epsilon prediction at that timestep, and that is refused there.")

namespace betas_unchecked {
DoubleVector cumulative_alphas(const DoubleVector& betas) {
  DoubleVector a(betas.size());
  double product = 1.0;
  for (Index t = 0; t < a.size(); ++t) a(t) = product *= 1.0 - betas(t);
  return a;
}
}  // namespace betas_unchecked
MISCONCEPTION(betas_unchecked, cumulative_alphas, "alphas.betas-unchecked",
              "Betas outside 0 to 1, or none at all, were accepted.",
              "A product with a negative factor changes its sign with each of them, and the root "
              "of a negative a is NaN.")

namespace sigma_squared {
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  return solution::noise_sigmas(alphas_cumprod).cwiseAbs2();
}
}  // namespace sigma_squared
MISCONCEPTION(sigma_squared, noise_sigmas, "sigmas.variance",
              "You returned sigma^2. sigma is a standard deviation: take the root.",
              "(1 - a) / a is the variance of the noise against the signal's, one over the signal-"
              "to-noise ratio. Samplers in sigma space multiply noise by sigma.")

namespace noise_coefficient {
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  solution::noise_sigmas(alphas_cumprod);
  return (1.0 - alphas_cumprod.array()).sqrt();
}
}  // namespace noise_coefficient
MISCONCEPTION(
    noise_coefficient, noise_sigmas, "sigmas.not-over-signal",
    "You returned sqrt(1 - a), the factor of eps in x_t. sigma is that in units of the signal: "
    "divide by sqrt(a).",
    "Both are called sigma somewhere. sqrt(1 - a) never exceeds 1; Stable Diffusion's sigmas go "
    "up to 14.6.")

namespace signal_to_noise {
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  solution::noise_sigmas(alphas_cumprod);
  return (alphas_cumprod.array() / (1.0 - alphas_cumprod.array())).sqrt();
}
}  // namespace signal_to_noise
MISCONCEPTION(signal_to_noise, noise_sigmas, "sigmas.inverted",
              "Your quotient is upside down: sigma is noise over signal and grows with t.",
              "a / (1 - a) is the signal-to-noise ratio, which 9.6 uses. Its root falls from 34 to "
              "0.07 where sigma should rise from 0.03 to 14.6.")

namespace sigma_in_float {
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  return solution::noise_sigmas(alphas_cumprod).cast<float>().cast<double>();
}
}  // namespace sigma_in_float
MISCONCEPTION(sigma_in_float, noise_sigmas, "sigmas.in-float",
              "Your sigmas went through float. Schedules are double.",
              "Tensors are float in this workbook, schedules and coefficients are not.")

namespace infinite_sigma {
DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  return ((1.0 - alphas_cumprod.array()) / alphas_cumprod.array()).sqrt();
}
}  // namespace infinite_sigma
MISCONCEPTION(infinite_sigma, noise_sigmas, "sigmas.unchecked",
              "An a of 0, or one that is no share at all, was accepted.",
              "At a = 0 sigma is infinite, and the first Euler step computes infinity times 0. "
              "Schedules with zero terminal SNR cannot be written as sigmas as they are.")

// ---- 9.1 add_noise -----------------------------------------------------------------------------

namespace roots_missing {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  require(x0.rows() == eps.rows() && x0.cols() == eps.cols(), "shapes");
  require_size(Index(t.size()), x0.rows(), "timesteps");
  Matrix x_t(x0.rows(), x0.cols());
  for (Index n = 0; n < x0.rows(); ++n) {
    const std::int64_t step = t[std::size_t(n)];
    require(step >= 0 && step < alphas_cumprod.size(), "timestep");
    const auto a = float(alphas_cumprod(step));
    x_t.row(n) = a * x0.row(n) + (1.0F - a) * eps.row(n);
  }
  return x_t;
}
}  // namespace roots_missing
MISCONCEPTION(
    roots_missing, add_noise, "noise.roots-missing",
    "You mixed with a and 1 - a. Variances add up, so the factors are their roots.",
    "With a = 0.5 your x_t has variance 0.5 instead of 1: the model is shown latents that shrink "
    "in the middle of the schedule. a and 1 - a without roots is flow matching's line, 9.2.")

namespace noise_root_only {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  Matrix x_t = solution::add_noise(x0, eps, t, alphas_cumprod);
  for (Index n = 0; n < x0.rows(); ++n) {
    const double a = alphas_cumprod(t[std::size_t(n)]);
    x_t.row(n) = float(std::sqrt(a)) * x0.row(n) + float(1.0 - a) * eps.row(n);
  }
  return x_t;
}
}  // namespace noise_root_only
MISCONCEPTION(noise_root_only, add_noise, "noise.variance-times-eps",
              "You multiplied eps by 1 - a, a variance. A factor of eps is a standard deviation: "
              "sqrt(1 - a).",
              "The difference is largest where there is little noise: at a = 0.99, 0.01 instead of "
              "0.1. The model learns that nearly clean latents are perfectly clean.")

namespace one_minus_root {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  Matrix x_t = solution::add_noise(x0, eps, t, alphas_cumprod);
  for (Index n = 0; n < x0.rows(); ++n) {
    const double root = std::sqrt(alphas_cumprod(t[std::size_t(n)]));
    x_t.row(n) = float(root) * x0.row(n) + float(1.0 - root) * eps.row(n);
  }
  return x_t;
}
}  // namespace one_minus_root
MISCONCEPTION(one_minus_root, add_noise, "noise.one-minus-root",
              "You multiplied eps by 1 - sqrt(a). It is sqrt(1 - a): first subtract, then root.",
              "The squares of the two factors have to add up to 1, not the factors.")

namespace sigma_space {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  Matrix x_t = solution::add_noise(x0, eps, t, alphas_cumprod);
  for (Index n = 0; n < x0.rows(); ++n)
    x_t.row(n) /= float(std::sqrt(alphas_cumprod(t[std::size_t(n)])));
  return x_t;
}
}  // namespace sigma_space
MISCONCEPTION(
    sigma_space, add_noise, "noise.sigma-space",
    "You computed x0 + sigma eps. That is the same point in other units; here the signal shrinks "
    "while the noise grows.",
    "Euler samplers (9.8) work with x0 + sigma eps and divide by sqrt(sigma^2 + 1) before asking "
    "the model. add_noise of such a scheduler and of a DDIM scheduler are not interchangeable.")

namespace one_timestep_early {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  solution::add_noise(x0, eps, t, alphas_cumprod);
  std::vector<std::int64_t> before = t;
  for (std::int64_t& step : before) step = std::max<std::int64_t>(step - 1, 0);
  return solution::add_noise(x0, eps, before, alphas_cumprod);
}
}  // namespace one_timestep_early
MISCONCEPTION(one_timestep_early, add_noise, "noise.one-timestep-early",
              "You took the a of timestep t - 1. Timesteps count from 0, as the array does.",
              "Papers count from 1, so that t - 1 looks right when a formula is copied. The model "
              "is told one noise level and shown another.")

namespace one_for_all {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  if (t.empty()) return solution::add_noise(x0, eps, t, alphas_cumprod);
  solution::add_noise(x0, eps, t, alphas_cumprod);
  return solution::add_noise(x0, eps, std::vector<std::int64_t>(t.size(), t[0]), alphas_cumprod);
}
}  // namespace one_for_all
MISCONCEPTION(
    one_for_all, add_noise, "noise.one-timestep-for-all",
    "You used the first row's timestep for the whole batch. Each row has its own.",
    "In torch the coefficients are of shape [N, 1, 1, 1], one per sample. With one t for all, a "
    "batch is one draw of t instead of N, and the model is told other timesteps than it is shown.")

namespace single_alpha {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  solution::add_noise(x0, eps, t, alphas_cumprod);
  DoubleVector alphas = alphas_cumprod;
  for (Index i = 1; i < alphas.size(); ++i) alphas(i) = alphas_cumprod(i) / alphas_cumprod(i - 1);
  return solution::add_noise(x0, eps, t, alphas);
}
}  // namespace single_alpha
MISCONCEPTION(
    single_alpha, add_noise, "noise.beta-of-one-step",
    "You mixed with the beta of timestep t alone. From x0 to x_t it is all of them: a_t.",
    "sqrt(1 - beta) x + sqrt(beta) eps is one step of the chain, from x_{t-1} to x_t. Applied to "
    "x0 it adds as little noise at t = 999 as at t = 0.")

namespace mixed_up {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  return solution::add_noise(eps, x0, t, alphas_cumprod);
}
}  // namespace mixed_up
MISCONCEPTION(mixed_up, add_noise, "noise.arguments-exchanged",
              "Signal and noise are exchanged: sqrt(a) belongs to x0, sqrt(1 - a) to eps.",
              "a is close to 1 at timestep 0, where the latent is nearly clean. Two arguments of "
              "one type are easily given in the wrong order.")

namespace first_timestep_refused {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  for (const std::int64_t step : t) require(step != 0, "a timestep counts from 1");
  return solution::add_noise(x0, eps, t, alphas_cumprod);
}
}  // namespace first_timestep_refused
MISCONCEPTION(first_timestep_refused, add_noise, "noise.first-timestep-refused",
              "Timestep 0 was refused. Timesteps count from 0, and it has noise like the others.",
              "In papers t = 0 is the clean latent. In arrays it is the first noisy one.")

namespace timesteps_clamped {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  std::vector<std::int64_t> clamped = t;
  for (std::int64_t& s : clamped) s = std::clamp<std::int64_t>(s, 0, alphas_cumprod.size() - 1);
  return solution::add_noise(x0, eps, clamped, alphas_cumprod);
}
}  // namespace timesteps_clamped
MISCONCEPTION(timesteps_clamped, add_noise, "noise.timesteps-unchecked",
              "A timestep outside 0 to T - 1 was accepted.",
              "t = T is what a draw from 1 to T gives, the paper's way of counting. Taken as T - 1 "
              "it hides that all the others are off by one as well.")

namespace one_timestep_repeated {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  std::vector<std::int64_t> fitting = t;
  if (!t.empty()) fitting.resize(std::size_t(x0.rows()), t.back());
  return solution::add_noise(x0, eps, fitting, alphas_cumprod);
}
}  // namespace one_timestep_repeated
MISCONCEPTION(
    one_timestep_repeated, add_noise, "noise.timesteps-repeated",
    "More or fewer timesteps than rows were accepted, the last one being repeated.",
    "Broadcasting makes one timestep fit any batch, and is how a batch comes to have one noise "
    "level without anybody having decided it.")

namespace shapes_cut {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  Matrix fitting = Matrix::Zero(x0.rows(), x0.cols());
  const Index rows = std::min(x0.rows(), eps.rows()), cols = std::min(x0.cols(), eps.cols());
  fitting.topLeftCorner(rows, cols) = eps.topLeftCorner(rows, cols);
  return solution::add_noise(x0, fitting, t, alphas_cumprod);
}
}  // namespace shapes_cut
MISCONCEPTION(shapes_cut, add_noise, "noise.shapes-unchecked",
              "Latents and noise of different shapes were accepted.",
              "Noise is drawn in the latent's shape. If it has another one, something before has "
              "changed the latent's.")

namespace empty_batch_refused {
Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  require(x0.rows() > 0, "at least one row");
  return solution::add_noise(x0, eps, t, alphas_cumprod);
}
}  // namespace empty_batch_refused
MISCONCEPTION(
    empty_batch_refused, add_noise, "noise.no-rows-refused",
    "A batch without rows was refused. Nothing is divided by N here: the answer is empty.",
    "Only means need a row. A loss of no rows is refused in 9.6.")

namespace velocity_backwards {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  return -solution::velocity(x0, eps, t, alphas_cumprod);
}
}  // namespace velocity_backwards
MISCONCEPTION(
    velocity_backwards, velocity, "velocity.sign",
    "The sign of v is flipped: it points towards the noise, sqrt(a) eps - sqrt(1 - a) x0.",
    "Flow matching has papers with either sign, and time running either way; v has one. A model "
    "trained on -v and sampled with v moves away from the image in every step.")

namespace velocity_of_flow {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  solution::velocity(x0, eps, t, alphas_cumprod);
  return eps - x0;
}
}  // namespace velocity_of_flow
MISCONCEPTION(
    velocity_of_flow, velocity, "velocity.flow",
    "You returned eps - x0, the flow of a straight line. v is the direction on a circle: sqrt(a) "
    "eps - sqrt(1 - a) x0.",
    "Both are derivatives of the noisy latent, along different ways from x0 to eps. diffusers "
    "calls "
    "the one v_prediction and the other flow_prediction; older code calls both velocity.")

namespace velocity_without_roots {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  Matrix v = solution::velocity(x0, eps, t, alphas_cumprod);
  for (Index n = 0; n < v.rows(); ++n) {
    const auto a = float(alphas_cumprod(t[std::size_t(n)]));
    v.row(n) = a * eps.row(n) - (1.0F - a) * x0.row(n);
  }
  return v;
}
}  // namespace velocity_without_roots
MISCONCEPTION(velocity_without_roots, velocity, "velocity.roots-missing",
              "You mixed with a and 1 - a. v takes their roots, as x_t does.",
              "x^2 + v^2 = x0^2 + eps^2 holds only if the two factors are a cosine and a sine.")

namespace velocity_exchanged {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  return solution::velocity(x0, eps, t, 1.0 - alphas_cumprod.array());
}
}  // namespace velocity_exchanged
MISCONCEPTION(velocity_exchanged, velocity, "velocity.factors-exchanged",
              "The two factors are exchanged: eps has sqrt(a), x0 has sqrt(1 - a).",
              "In v each factor stands where the other one stands in x_t. At timestep 0 v is the "
              "noise, at the last one it is minus the image.")

namespace velocity_of_x_t {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  const Matrix x_t = solution::add_noise(x0, eps, t, alphas_cumprod);
  return solution::velocity(x_t, eps, t, alphas_cumprod);
}
}  // namespace velocity_of_x_t
MISCONCEPTION(
    velocity_of_x_t, velocity, "velocity.of-the-noisy-latent",
    "You put x_t in the place of x0. v is made of the clean latent.",
    "get_velocity(sample, noise, timesteps) of diffusers calls the clean latent `sample`; "
    "step(model_output, timestep, sample) calls the noisy one so.")

namespace velocity_added {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  return solution::add_noise(eps, x0, t, alphas_cumprod);
}
}  // namespace velocity_added
MISCONCEPTION(velocity_added, velocity, "velocity.added",
              "You added where v subtracts: sqrt(a) eps - sqrt(1 - a) x0.",
              "At right angles to (cos, sin) stands (-sin, cos). With a plus it is the mirror "
              "image, and x_t and v no longer determine x0 and eps where a is 1/2.")

namespace velocity_one_for_all {
Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  solution::velocity(x0, eps, t, alphas_cumprod);
  if (t.empty()) return x0;
  return solution::velocity(x0, eps, std::vector<std::int64_t>(t.size(), t[0]), alphas_cumprod);
}
}  // namespace velocity_one_for_all
MISCONCEPTION(velocity_one_for_all, velocity, "velocity.one-timestep-for-all",
              "You used the first row's timestep for the whole batch. Each row has its own.",
              "The target would belong to another timestep than the input that add_noise made.")

// ---- 9.2 convert_prediction --------------------------------------------------------------------

namespace always_epsilon {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  require(output.rows() == x_t.rows() && output.cols() == x_t.cols(), "shapes");
  require(a_t >= 0.0 && a_t <= 1.0, "a");
  require(type != PredictionType::kEpsilon || a_t > 0.0, "a is 0");
  require(type != PredictionType::kSample || a_t < 1.0, "a is 1");
  return {(x_t - float(std::sqrt(1.0 - a_t)) * output) / float(std::sqrt(a_t)), output};
}
}  // namespace always_epsilon
MISCONCEPTION(
    always_epsilon, convert_prediction, "convert.always-epsilon",
    "You took every output for the noise. What it is depends on the prediction type.",
    "A variable called noise_pred is filled by models that predict noise, v or the clean latent "
    "alike. Stable Diffusion 2's 768 model predicts v: read as epsilon it gives grey noise, and "
    "nothing reports an error, since all shapes are right.")

namespace epsilon_without_roots {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  if (type != PredictionType::kEpsilon) return solution::convert_prediction(type, x_t, output, a_t);
  solution::convert_prediction(type, x_t, output, a_t);
  return {(x_t - float(1.0 - a_t) * output) / float(a_t), output};
}
}  // namespace epsilon_without_roots
MISCONCEPTION(epsilon_without_roots, convert_prediction, "convert.epsilon-roots-missing",
              "For epsilon you used a and 1 - a. x_t was mixed with their roots.",
              "Solve x_t = sqrt(a) x0 + sqrt(1 - a) eps for x0: the same two factors.")

namespace epsilon_multiplied {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kEpsilon) d.x0 *= float(a_t);
  return d;
}
}  // namespace epsilon_multiplied
MISCONCEPTION(epsilon_multiplied, convert_prediction, "convert.epsilon-multiplied",
              "For epsilon you multiplied by sqrt(a) where it has to be divided by it.",
              "Subtracting the noise leaves sqrt(a) x0. At the last timestep of Stable Diffusion "
              "sqrt(a) is 0.068: multiplied, the image is 215 times too faint.")

namespace noise_as_it_stands {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kEpsilon) d.eps *= float(std::sqrt(1.0 - a_t));
  return d;
}
}  // namespace noise_as_it_stands
MISCONCEPTION(noise_as_it_stands, convert_prediction, "convert.epsilon-scaled",
              "For epsilon you returned sqrt(1 - a) o, the noise as it stands in x_t. eps is o.",
              "A step multiplies eps by a factor of its own.")

namespace velocity_signs {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  const bool v = type == PredictionType::kVelocity;
  Denoised d = solution::convert_prediction(type, x_t, v ? Matrix(-output) : output, a_t);
  return d;
}
}  // namespace velocity_signs
MISCONCEPTION(velocity_signs, convert_prediction, "convert.velocity-sign",
              "The sign of v is flipped: x0 is sqrt(a) x_t minus sqrt(1 - a) v.",
              "Put v = sqrt(a) eps - sqrt(1 - a) x0 in: a x0 + (1 - a) x0 is x0, and eps cancels. "
              "With a plus, eps is counted twice.")

namespace velocity_exchanged_factors {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  const bool v = type == PredictionType::kVelocity;
  return solution::convert_prediction(type, x_t, output, v ? 1.0 - a_t : a_t);
}
}  // namespace velocity_exchanged_factors
MISCONCEPTION(velocity_exchanged_factors, convert_prediction, "convert.velocity-factors-exchanged",
              "For v the two factors are exchanged: in x0, x_t has sqrt(a) and v has sqrt(1 - a).",
              "At a = 1 the latent is clean and x0 must be x_t.")

namespace velocity_taken_for_eps {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kVelocity) d.eps = output;
  return d;
}
}  // namespace velocity_taken_for_eps
MISCONCEPTION(
    velocity_taken_for_eps, convert_prediction, "convert.velocity-kept-as-eps",
    "For v you computed x0, and passed v on as the noise. eps has to be computed, too: sqrt(a) v + "
    "sqrt(1 - a) x_t.",
    "A DDIM step needs both. With x0 alone converted, each step aims at the right place and adds "
    "the wrong noise; of the loops in diffusers' tests, only the one with v notices.")

namespace velocity_scaled_sample {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kVelocity)
    d.x0 = float(a_t) * x_t - float(std::sqrt(1.0 - a_t)) * output;
  return d;
}
}  // namespace velocity_scaled_sample
MISCONCEPTION(
    velocity_scaled_sample, convert_prediction, "convert.velocity-euler-formula",
    "For v, x_t has the factor a in your x0. That is an Euler scheduler's formula, whose sample is "
    "x_t / sqrt(a); here it is sqrt(a).",
    "huggingface/diffusers issue 7046 reports the a of the Euler scheduler as a missing root. Both "
    "formulas are right, each for its own sample. 9.8 has the other one.")

namespace sample_kept_as_eps {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kSample) d.eps = output;
  return d;
}
}  // namespace sample_kept_as_eps
MISCONCEPTION(
    sample_kept_as_eps, convert_prediction, "convert.sample-kept-as-eps",
    "For a model that puts out x0 you passed its output on as the noise. eps is what x_t and x0 "
    "leave: (x_t - sqrt(a) x0) / sqrt(1 - a).",
    "That was in the DDIM scheduler of diffusers: issue 1486, corrected in pull request 2094.")

namespace sample_not_divided {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kSample) d.eps = x_t - float(std::sqrt(a_t)) * output;
  return d;
}
}  // namespace sample_not_divided
MISCONCEPTION(
    sample_not_divided, convert_prediction, "convert.sample-noise-not-divided",
    "For sample, what you returned as eps still has the factor sqrt(1 - a) in it.",
    "x_t - sqrt(a) x0 is the noise as it stands in x_t. A step multiplies by sqrt(1 - a') "
    "again, so its own factor has to be taken out.")

namespace sample_is_noisy {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Denoised d = solution::convert_prediction(type, x_t, output, a_t);
  if (type == PredictionType::kSample) d.x0 = output / float(std::sqrt(std::max(a_t, 1e-12)));
  return d;
}
}  // namespace sample_is_noisy
MISCONCEPTION(
    sample_is_noisy, convert_prediction, "convert.sample-taken-for-noisy",
    "You divided the output of a sample model by sqrt(a), as if it were still mixed with noise. It "
    "is x0 itself.",
    "The documentation of diffusers' DDIM scheduler says that the type \"sample\" predicts the "
    "noisy sample. Its code takes it for x0, and the code is right.")

namespace alpha_of_zero_accepted {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  if (type != PredictionType::kEpsilon || a_t != 0.0)
    return solution::convert_prediction(type, x_t, output, a_t);
  return {(x_t - output) / 1e-4F, output};
}
}  // namespace alpha_of_zero_accepted
MISCONCEPTION(alpha_of_zero_accepted, convert_prediction, "convert.epsilon-at-zero-snr",
              "An epsilon prediction was converted where a is 0. x_t is nothing but the noise "
              "there, and says "
              "nothing of x0.",
              "Schedules with zero terminal SNR end in a = 0, and need v or x0 predictions for "
              "that reason. A "
              "small number under the division turns rounding errors into an image.")

namespace alpha_of_one_accepted {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  if (type != PredictionType::kSample || a_t != 1.0)
    return solution::convert_prediction(type, x_t, output, a_t);
  return {output, Matrix::Zero(x_t.rows(), x_t.cols())};
}
}  // namespace alpha_of_one_accepted
MISCONCEPTION(alpha_of_one_accepted, convert_prediction, "convert.sample-without-noise",
              "A sample prediction was converted where a is 1. There is no noise in x_t to find.",
              "0 / 0: zero is as good an answer as any other, which is why none is given.")

namespace edges_refused {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  require(a_t > 0.0 && a_t < 1.0, "a strictly between 0 and 1");
  return solution::convert_prediction(type, x_t, output, a_t);
}
}  // namespace edges_refused
MISCONCEPTION(edges_refused, convert_prediction, "convert.edges-refused",
              "An a of 0 or 1 was refused where nothing is divided by it.",
              "At a = 0 a v prediction is well defined: x0 is -v. That is what makes zero terminal "
              "SNR possible.")

namespace alpha_unchecked {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  if (a_t >= 0.0 && a_t <= 1.0) return solution::convert_prediction(type, x_t, output, a_t);
  require(output.rows() == x_t.rows() && output.cols() == x_t.cols(), "shapes");
  return {x_t, output};
}
}  // namespace alpha_unchecked
MISCONCEPTION(alpha_unchecked, convert_prediction, "convert.alpha-unchecked",
              "An a that is not from 0 to 1 was accepted.",
              "A timestep handed over in the place of its a is the usual way to get one: 500 is no "
              "share, and its root is no error either.")

namespace outputs_cut {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  Matrix fitting = Matrix::Zero(x_t.rows(), x_t.cols());
  const Index rows = std::min(x_t.rows(), output.rows());
  const Index cols = std::min(x_t.cols(), output.cols());
  fitting.topLeftCorner(rows, cols) = output.topLeftCorner(rows, cols);
  return solution::convert_prediction(type, x_t, fitting, a_t);
}
}  // namespace outputs_cut
MISCONCEPTION(
    outputs_cut, convert_prediction, "convert.shapes-unchecked",
    "An output of another shape than x_t was accepted.",
    "Models that predict a variance as well put out twice the channels, and must be split before. "
    "The first half of a wrong tensor is a wrong tensor.")

namespace no_rows_not_converted {
Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  require(x_t.size() > 0, "at least one element");
  return solution::convert_prediction(type, x_t, output, a_t);
}
}  // namespace no_rows_not_converted
MISCONCEPTION(no_rows_not_converted, convert_prediction, "convert.no-rows-refused",
              "A batch without rows was refused. Its answer is two empty matrices.",
              "Everything is element by element here; no element needs no answer.")

namespace flow_reversed {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  return solution::convert_flow(x_s, -output, s);
}
}  // namespace flow_reversed
MISCONCEPTION(
    flow_reversed, convert_flow, "convert.flow-sign",
    "The sign of the flow is flipped: u points from x0 to eps, so x0 lies at x - s u.",
    "With u = x0 - eps and time running from noise to image, the paper's own choice, every sign "
    "here would be the other one. The contract, as diffusers and SD3 have it, says eps - x0.")

namespace flow_from_the_other_end {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  return solution::convert_flow(x_s, output, s >= 0.0 && s <= 1.0 ? 1.0 - s : s);
}
}  // namespace flow_from_the_other_end
MISCONCEPTION(flow_from_the_other_end, convert_flow, "convert.flow-share-inverted",
              "You took s for the share of the signal. It is the share of the noise.",
              "At s = 0 the latent is clean, so x0 must be x. Papers that let time run from noise "
              "to image have it the other way round.")

namespace flow_with_roots {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  Denoised d = solution::convert_flow(x_s, output, s);
  d.x0 = x_s - float(std::sqrt(s)) * output;
  d.eps = x_s + float(std::sqrt(1.0 - s)) * output;
  return d;
}
}  // namespace flow_with_roots
MISCONCEPTION(flow_with_roots, convert_flow, "convert.flow-roots",
              "You took roots. A flow is a straight line: s and 1 - s as they are.",
              "Roots keep the variance at 1 on the circle of DDPM. On the straight line the "
              "variance dips to 1/2 in the middle, and nobody minds.")

namespace flow_same_end {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  Denoised d = solution::convert_flow(x_s, output, s);
  d.eps = x_s + float(s) * output;
  return d;
}
}  // namespace flow_same_end
MISCONCEPTION(flow_same_end, convert_flow, "convert.flow-wrong-distance",
              "eps lies 1 - s further along u, not s.",
              "From where you stand it is s back to x0 and 1 - s on to eps; together they are the "
              "whole line.")

namespace flow_unchecked {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  Matrix fitting = Matrix::Zero(x_s.rows(), x_s.cols());
  const Index rows = std::min(x_s.rows(), output.rows());
  const Index cols = std::min(x_s.cols(), output.cols());
  fitting.topLeftCorner(rows, cols) = output.topLeftCorner(rows, cols);
  return {x_s - float(s) * fitting, x_s + float(1.0 - s) * fitting};
}
}  // namespace flow_unchecked
MISCONCEPTION(flow_unchecked, convert_flow, "convert.flow-unchecked",
              "A share that is not from 0 to 1, or an output of another shape, was accepted.",
              "Schedulers keep sigma in [0, 1] and pass 1000 sigma to the model. Whoever hands the "
              "one over in the place of the other should learn of it here.")

namespace flow_ends_refused {
Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  require(s > 0.0 && s < 1.0, "strictly between");
  return solution::convert_flow(x_s, output, s);
}
}  // namespace flow_ends_refused
MISCONCEPTION(flow_ends_refused, convert_flow, "convert.flow-ends-refused",
              "A share of 0 or of 1 was refused. Nothing is divided here.",
              "Sampling begins at s = 1: refusing it refuses the first step.")

// ---- 9.3 timesteps -----------------------------------------------------------------------------

namespace fixed_stride {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  require(steps >= 1 && steps <= train_steps, "steps");
  require(spacing != TimestepSpacing::kLinspace || steps > 1, "two ends");
  const std::int64_t ratio = train_steps / steps;
  SamplingSteps result;
  for (std::int64_t i = steps - 1; i >= 0; --i) {
    std::int64_t t = i * ratio + offset;
    if (spacing == TimestepSpacing::kLinspace)
      t = std::llrint(double(i * (train_steps - 1)) / double(steps - 1));
    if (spacing == TimestepSpacing::kTrailing)
      t = std::llrint(double((i + 1) * train_steps) / double(steps)) - 1;
    require(t >= 0 && t < train_steps, "range");
    result.timesteps.push_back(t);
    result.previous.push_back(i == 0 ? -1 : t - ratio);
  }
  return result;
}
}  // namespace fixed_stride
MISCONCEPTION(
    fixed_stride, sampling_timesteps, "timesteps.fixed-stride",
    "You took t - T/S for the previous timestep. For linspace and trailing the next one in the "
    "list "
    "is another: read it from the list.",
    "This is in diffusers' DDIM scheduler: issues 9261, 11347 and 12633; the DDPM scheduler was "
    "corrected in pull request 9384. With trailing and 13 steps, 999 is followed by 922, and the "
    "step from 999 removes noise down to 923. For 30 steps of linspace 29 of 29 are wrong.")

/// The same timesteps, with previous read from their list.
static SamplingSteps in_order(SamplingSteps steps) {
  steps.previous.assign(steps.timesteps.begin() + 1, steps.timesteps.end());
  steps.previous.push_back(-1);
  return steps;
}

namespace stride_of_one {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  for (std::size_t i = 0; i + 1 < result.timesteps.size(); ++i)
    result.previous[i] = result.timesteps[i] - 1;
  return result;
}
}  // namespace stride_of_one
MISCONCEPTION(stride_of_one, sampling_timesteps, "timesteps.previous-is-t-minus-one",
              "You took t - 1 for the previous timestep. A sampler that skips goes to the next one "
              "in its list.",
              "t - 1 is right for a chain through all timesteps. With 50 of 1000, each step would "
              "remove a twentieth of the noise it should, and the next one would be told that "
              "the rest is gone.")

namespace ends_at_zero {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  result.previous.back() = 0;
  return result;
}
}  // namespace ends_at_zero
MISCONCEPTION(ends_at_zero, sampling_timesteps, "timesteps.ends-at-zero",
              "Your last step goes to timestep 0. It goes to -1, where no noise is left.",
              "Timestep 0 has noise in it: for Stable Diffusion sqrt(1 - a_0) is 0.03, which is "
              "seen as grain.")

namespace going_up {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  std::reverse(result.timesteps.begin(), result.timesteps.end());
  return in_order(result);
}
}  // namespace going_up
MISCONCEPTION(going_up, sampling_timesteps, "timesteps.ascending",
              "Your timesteps rise. A sampler starts where the noise is largest.",
              "Every formula counts upwards; the reversal is a line of its own, [::-1].")

namespace offset_forgotten {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  solution::sampling_timesteps(spacing, train_steps, steps, offset);
  return solution::sampling_timesteps(spacing, train_steps, steps, 0);
}
}  // namespace offset_forgotten
MISCONCEPTION(
    offset_forgotten, sampling_timesteps, "timesteps.offset-forgotten",
    "The offset is missing in leading.",
    "Stable Diffusion is sampled with steps_offset 1: 981, 961 ... 1. Without it the last "
    "step starts at timestep 0.")

namespace offset_in_linspace {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kLinspace) return result;
  for (std::int64_t& t : result.timesteps) t = std::min(t + offset, train_steps - 1);
  return in_order(result);
}
}  // namespace offset_in_linspace
MISCONCEPTION(
    offset_in_linspace, sampling_timesteps, "timesteps.offset-in-linspace",
    "The offset was added to linspace. It is leading's alone.",
    "Leading needs it because it starts at 0 and never gets near T - 1. Linspace has both "
    "ends already.")

namespace offset_in_trailing {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kTrailing) return result;
  for (std::int64_t& t : result.timesteps) t = std::max<std::int64_t>(t - offset, 0);
  return in_order(result);
}
}  // namespace offset_in_trailing
MISCONCEPTION(offset_in_trailing, sampling_timesteps, "timesteps.offset-in-trailing",
              "The offset moved trailing. It is leading's alone.",
              "Trailing starts at T - 1, which is what it is for.")

namespace rounded_stride {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kLinspace) return result;
  const std::int64_t stride = std::llrint(double(train_steps - 1) / double(steps - 1));
  for (std::size_t i = 0; i + 1 < result.timesteps.size(); ++i)
    result.previous[i] = result.timesteps[i] - stride;
  return result;
}
}  // namespace rounded_stride
MISCONCEPTION(
    rounded_stride, sampling_timesteps, "timesteps.rounded-stride",
    "For linspace you subtracted the distance, rounded. Rounded timesteps are not equally "
    "far from one another: read the next one from the list.",
    "(T - 1) / (S - 1) is right on average, and off by one here and there.")

namespace all_steps_refused {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  require(steps < train_steps, "fewer steps than timesteps");
  return solution::sampling_timesteps(spacing, train_steps, steps, offset);
}
}  // namespace all_steps_refused
MISCONCEPTION(
    all_steps_refused, sampling_timesteps, "timesteps.all-refused",
    "As many steps as timesteps were refused. That is the chain of training, and allowed.",
    "DDPM was sampled with all of its thousand timesteps.")

namespace rounded_up {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kLeading) return result;
  const std::int64_t ratio = (train_steps + steps - 1) / steps;
  for (std::int64_t i = 0; i < steps; ++i)
    result.timesteps[std::size_t(steps - 1 - i)] = i * ratio + offset;
  return in_order(result);
}
}  // namespace rounded_up
MISCONCEPTION(rounded_up, sampling_timesteps, "timesteps.ratio-rounded-up",
              "You rounded T / S up. Leading rounds it down.",
              "Rounded up, the largest multiple can lie beyond the last timestep, and a look into "
              "the schedule there reads what is not there.")

namespace ratio_not_rounded {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kLeading) return result;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double place = double(i * train_steps) / double(steps);
    result.timesteps[std::size_t(steps - 1 - i)] = std::llrint(place) + offset;
  }
  return in_order(result);
}
}  // namespace ratio_not_rounded
MISCONCEPTION(ratio_not_rounded, sampling_timesteps, "timesteps.ratio-not-rounded",
              "You rounded i T / S. Leading rounds T / S down first and multiplies then.",
              "Leading is a grid of equal whole distances; that it leaves a rest at the noisy end "
              "is its weakness and its definition.")

namespace linspace_cut_off {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kLinspace) return result;
  for (std::int64_t i = 0; i < steps; ++i)
    result.timesteps[std::size_t(steps - 1 - i)] = i * (train_steps - 1) / (steps - 1);
  return in_order(result);
}
}  // namespace linspace_cut_off
MISCONCEPTION(linspace_cut_off, sampling_timesteps, "timesteps.linspace-truncated",
              "For linspace you cut the fraction off. It is rounded to the nearest.",
              "A conversion to a whole number cuts; torch.linspace(...).long() does so too, while "
              "diffusers rounds. 749.25 does not show it, 499.5 does.")

namespace linspace_without_end {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kLinspace) return result;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double place = double(i * train_steps) / double(steps);
    result.timesteps[std::size_t(steps - 1 - i)] = std::llrint(place);
  }
  return in_order(result);
}
}  // namespace linspace_without_end
MISCONCEPTION(linspace_without_end, sampling_timesteps, "timesteps.linspace-end-excluded",
              "Your linspace does not reach T - 1. It has both ends.",
              "S places with both ends have S - 1 gaps of (T - 1) / (S - 1).")

namespace trailing_beyond {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing == TimestepSpacing::kTrailing)
    for (std::int64_t& t : result.timesteps) ++t;
  return in_order(result);
}
}  // namespace trailing_beyond
MISCONCEPTION(trailing_beyond, sampling_timesteps, "timesteps.trailing-not-less-one",
              "Your trailing starts at T. Its places count from 1, timesteps from 0: subtract 1.",
              "Timestep T does not exist.")

namespace trailing_cut_off {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  if (spacing != TimestepSpacing::kTrailing) return result;
  for (std::int64_t i = 0; i < steps; ++i)
    result.timesteps[std::size_t(steps - 1 - i)] = (i + 1) * train_steps / steps - 1;
  return in_order(result);
}
}  // namespace trailing_cut_off
MISCONCEPTION(trailing_cut_off, sampling_timesteps, "timesteps.trailing-truncated",
              "For trailing you cut the fraction off. It is rounded to the nearest.",
              "With 13 steps of 1000 the first seven places come out right either way, since their "
              "fractions are small; the eighth is 461.54.")

namespace half_away_from_zero {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, offset);
  for (std::int64_t i = 0; i < steps; ++i) {
    std::int64_t& t = result.timesteps[std::size_t(steps - 1 - i)];
    if (spacing == TimestepSpacing::kLinspace)
      t = std::llround(double(i * (train_steps - 1)) / double(steps - 1));
    if (spacing == TimestepSpacing::kTrailing)
      t = std::llround(double((i + 1) * train_steps) / double(steps)) - 1;
  }
  return in_order(result);
}
}  // namespace half_away_from_zero
MISCONCEPTION(half_away_from_zero, sampling_timesteps, "timesteps.half-away",
              "Halfway between two timesteps you rounded away from 0. It goes to the even one.",
              "std::round goes away from 0, numpy's and torch's round to the even one. 166.5 is "
              "167 for the first, 166 for the others, which std::rint agrees with.")

namespace more_steps_accepted {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  const std::int64_t least = spacing == TimestepSpacing::kLinspace ? 2 : 1;
  if (steps >= least || spacing == TimestepSpacing::kLinspace)
    return solution::sampling_timesteps(spacing, train_steps, std::min(steps, train_steps), offset);
  return {{}, {}};
}
}  // namespace more_steps_accepted
MISCONCEPTION(more_steps_accepted, sampling_timesteps, "timesteps.count-unchecked",
              "No step at all, or more steps than timesteps, were accepted.",
              "More steps than timesteps visit some twice. No step returns noise as an image.")

namespace linspace_of_one {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  if (spacing == TimestepSpacing::kLinspace && steps == 1) return {{0}, {-1}};
  return solution::sampling_timesteps(spacing, train_steps, steps, offset);
}
}  // namespace linspace_of_one
MISCONCEPTION(
    linspace_of_one, sampling_timesteps, "timesteps.linspace-of-one",
    "A linspace of one step was accepted. It has two ends, and one step cannot be at both.",
    "numpy.linspace(0, 999, 1) is [0]: the sampler starts with pure noise at the timestep that "
    "has hardly any, and nothing is removed. Trailing is what a single step wants.")

namespace offset_unchecked {
SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  SamplingSteps result = solution::sampling_timesteps(spacing, train_steps, steps, 0);
  if (spacing != TimestepSpacing::kLeading) return result;
  for (std::int64_t& t : result.timesteps) t += offset;
  for (std::size_t i = 0; i + 1 < result.previous.size(); ++i) result.previous[i] += offset;
  return result;
}
}  // namespace offset_unchecked
MISCONCEPTION(
    offset_unchecked, sampling_timesteps, "timesteps.offset-unchecked",
    "An offset that leads out of the timesteps was accepted.",
    "With 1000 steps and Stable Diffusion's offset of 1, leading starts at timestep 1000, which "
    "has no a: huggingface/diffusers issue 10003.")

// ---- 9.4 ddim_step -----------------------------------------------------------------------------

/// The pieces of a DDIM step, for the wrong ones that follow to put together.
struct DdimPieces {
  double a, next, variance;
  Matrix x0, eps;

  DenoisingStep mixed(double direction, double fresh, const Matrix& noise) const {
    const Matrix prev = float(std::sqrt(next)) * x0 + float(std::sqrt(direction)) * eps;
    return {prev + float(fresh) * noise, x0};
  }
};

static DdimPieces ddim_pieces(const Matrix& x_t, const Matrix& output, std::int64_t t,
                              std::int64_t previous, const DoubleVector& alphas_cumprod,
                              const Matrix& noise, const DdimOptions& options) {
  solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, options);  // refuses
  DdimPieces p;
  p.a = alphas_cumprod(t);
  p.next = previous < 0 ? options.final_alpha : alphas_cumprod(previous);
  p.variance = options.eta * options.eta * (1 - p.next) / (1 - p.a) * (1 - p.a / p.next);
  const Denoised d = solution::convert_prediction(options.prediction, x_t, output, p.a);
  const auto limit = float(options.clip);
  p.x0 = d.x0.cwiseMax(-limit).cwiseMin(limit);
  p.eps = d.eps;
  if (options.rederive_eps)
    p.eps = (x_t - float(std::sqrt(p.a)) * p.x0) / float(std::sqrt(1.0 - p.a));
  return p;
}

#define DDIM_PARAMETERS                                                           \
  const Matrix &x_t, const Matrix &output, std::int64_t t, std::int64_t previous, \
      const DoubleVector &alphas_cumprod, const Matrix &noise, const DdimOptions &options
#define DDIM_ARGUMENTS x_t, output, t, previous, alphas_cumprod, noise, options

namespace goes_to_t_minus_one {
DenoisingStep ddim_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdimOptions& options) {
  require(noise.rows() == x_t.rows() && noise.cols() == x_t.cols(), "noise");
  require(t >= 0 && t < alphas_cumprod.size() && previous >= -1 && previous < t, "t, previous");
  require(options.eta >= 0.0 && options.eta <= 1.0 && options.clip > 0.0, "eta, clip");
  require(options.final_alpha > 0.0 && options.final_alpha <= 1.0, "final_alpha");
  const double a = alphas_cumprod(t);
  const double next = previous < 0 ? options.final_alpha : alphas_cumprod(t - 1);
  Denoised d = convert_prediction(options.prediction, x_t, output, a);
  const auto limit = static_cast<float>(options.clip);
  d.x0 = d.x0.cwiseMax(-limit).cwiseMin(limit);
  if (options.rederive_eps) d.eps = (x_t - float(std::sqrt(a)) * d.x0) / float(std::sqrt(1.0 - a));
  const double s2 = options.eta * options.eta * (1 - next) / (1 - a) * (1 - a / next);
  return {float(std::sqrt(next)) * d.x0 + float(std::sqrt(1 - next - s2)) * d.eps +
              float(std::sqrt(s2)) * noise,
          d.x0};
}
}  // namespace goes_to_t_minus_one
MISCONCEPTION(
    goes_to_t_minus_one, ddim_step, "ddim.goes-to-t-minus-one",
    "You used the a of timestep t - 1. The step goes to `previous`, which may be far below.",
    "With 50 of 1000 timesteps, each step has to take away the noise of 20. Going to t - 1 leaves "
    "nearly all of it, and at the next step the model is told that it is gone.")

namespace alphas_not_rooted {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  const DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  const Matrix prev = float(p.next) * p.x0 + float(std::sqrt(1 - p.next - p.variance)) * p.eps +
                      float(std::sqrt(p.variance)) * noise;
  return {prev, p.x0};
}
}  // namespace alphas_not_rooted
MISCONCEPTION(alphas_not_rooted, ddim_step, "ddim.signal-not-rooted",
              "x0 was multiplied by a'. Its factor is sqrt(a').",
              "The latent at `previous` is made like every other: sqrt(a') x0 + sqrt(1 - a') eps.")

namespace sigma_not_squared {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  const DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  const double s = std::sqrt(p.variance);
  return p.mixed(std::max(0.0, 1 - p.next - s), s, noise);
}
}  // namespace sigma_not_squared
MISCONCEPTION(sigma_not_squared, ddim_step, "ddim.sigma-not-squared",
              "Under the root you subtracted s. Variances are subtracted: s^2.",
              "1 - a' is the variance that the latent must have. The fresh noise brings s^2 of it, "
              "the predicted one the rest. With eta 0 both are the same and nothing shows.")

namespace direction_keeps_all {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  const DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  return p.mixed(1 - p.next, std::sqrt(p.variance), noise);
}
}  // namespace direction_keeps_all
MISCONCEPTION(
    direction_keeps_all, ddim_step, "ddim.noise-on-top",
    "The fresh noise came on top: eps kept sqrt(1 - a'), though s^2 of that variance is taken.",
    "The latent has more noise than its timestep says, in every step, and the image ends up "
    "grainy. Reducing eta hides it, for with eta 0 there is nothing to make room for.")

namespace variance_times_noise {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  const DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  return p.mixed(1 - p.next - p.variance, p.variance, noise);
}
}  // namespace variance_times_noise
MISCONCEPTION(variance_times_noise, ddim_step, "ddim.variance-times-noise",
              "You multiplied the noise by s^2. A factor of noise is a standard deviation: s.",
              "_get_variance of the library returns s^2, and the caller takes the root.")

namespace eta_ignored {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions full = options;
  full.eta = 1.0;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, full);
}
}  // namespace eta_ignored
MISCONCEPTION(eta_ignored, ddim_step, "ddim.eta-ignored",
              "Fresh noise was added whatever eta is. With eta 0 none enters.",
              "eta 0 is what DDIM is known for: one start, one image. The factor is easily left "
              "out, because sigma_t is computed right without it, for DDPM.")

namespace eta_under_the_root {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions rooted = options;
  rooted.eta = std::sqrt(options.eta);
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, rooted);
}
}  // namespace eta_under_the_root
MISCONCEPTION(eta_under_the_root, ddim_step, "ddim.eta-under-the-root",
              "eta got under the root. It multiplies s, so s^2 has eta^2.",
              "0 and 1, the two values that everybody uses, have roots of their own.")

namespace never_clipped {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions open = options;
  open.clip = std::numeric_limits<double>::infinity();
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, open);
}
}  // namespace never_clipped
MISCONCEPTION(
    never_clipped, ddim_step, "ddim.not-clipped",
    "x0 was not clipped, though the options ask for it.",
    "The goldens in diffusers' own tests do not see it: all five sums are the same to the last "
    "digit without the clip. Where it matters it matters much: the threads hojonathanho/diffusion "
    "issue 5 and lucidrains/denoising-diffusion-pytorch issues 47 and 65 are about samples that "
    "are bad without it.")

namespace clipped_to_one {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions one = options;
  if (std::isfinite(options.clip)) one.clip = 1.0;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, one);
}
}  // namespace clipped_to_one
MISCONCEPTION(
    clipped_to_one, ddim_step, "ddim.clipped-to-one",
    "x0 was clipped to +-1. The option says to how much.",
    "Images lie within +-1. Latents do not: clipping a Stable Diffusion latent to 1 cuts "
    "off what is beyond one deviation, which is why its configuration says clip_sample false.")

namespace output_clipped {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions open = options;
  open.clip = std::numeric_limits<double>::infinity();
  const auto limit = float(options.clip);
  const Matrix clipped = output.cwiseMax(-limit).cwiseMin(limit);
  return solution::ddim_step(x_t, clipped, t, previous, alphas_cumprod, noise, open);
}
}  // namespace output_clipped
MISCONCEPTION(output_clipped, ddim_step, "ddim.output-clipped",
              "You clipped what the model put out. What is clipped is x0.",
              "Noise has no range to be kept in: one value in twenty lies beyond 2.")

namespace always_rederived {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions always = options;
  always.rederive_eps = true;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, always);
}
}  // namespace always_rederived
MISCONCEPTION(
    always_rederived, ddim_step, "ddim.always-rederived",
    "You derived eps again from the clipped x0, though the option is off.",
    "GLIDE's sampler does, and lucidrains/denoising-diffusion-pytorch since pull request 84; "
    "diffusers does so only with use_clipped_model_output. Both are defensible. A flag in the "
    "contract says which.")

namespace never_rederived {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions never = options;
  never.rederive_eps = false;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, never);
}
}  // namespace never_rederived
MISCONCEPTION(
    never_rederived, ddim_step, "ddim.never-rederived",
    "eps stayed what it was, though the option asks for the one that x_t and the clipped x0 leave.",
    "After a clip, sqrt(a) x0 + sqrt(1 - a) eps is not x_t any more: the step mixes a clipped "
    "image "
    "with the noise of another one. lucidrains/denoising-diffusion-pytorch pull request 84 is "
    "about "
    "that.")

namespace returned_unclipped {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DenoisingStep step = solution::ddim_step(DDIM_ARGUMENTS);
  const double a = alphas_cumprod(t);
  step.x0 = solution::convert_prediction(options.prediction, x_t, output, a).x0;
  return step;
}
}  // namespace returned_unclipped
MISCONCEPTION(returned_unclipped, ddim_step, "ddim.x0-returned-unclipped",
              "The x0 that you returned is not the one that the step used: it is not clipped.",
              "Previews during sampling are drawn from it. What is shown should be what the step "
              "aims at.")

namespace final_alpha_is_one {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions one = options;
  one.final_alpha = 1.0;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, one);
}
}  // namespace final_alpha_is_one
MISCONCEPTION(final_alpha_is_one, ddim_step, "ddim.final-alpha-is-one",
              "Your last step always goes to a' = 1. Where the options give another final_alpha, "
              "it goes there.",
              "Stable Diffusion's configuration has set_alpha_to_one false: its last step goes to "
              "a_0, and a little noise stays. One of the sums in diffusers' tests is 149.8295 with "
              "1 and 149.0784 with a_0.")

namespace final_alpha_is_first {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions first = options;
  first.final_alpha = alphas_cumprod(0);
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, first);
}
}  // namespace final_alpha_is_first
MISCONCEPTION(final_alpha_is_first, ddim_step, "ddim.final-alpha-is-first",
              "Your last step always goes to a_0. It goes to final_alpha, 1 unless it is said "
              "otherwise.",
              "With max(previous, 0) as an index, -1 becomes 0 without anybody noticing.")

namespace one_or_first {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions either = options;
  if (options.final_alpha != 1.0) either.final_alpha = alphas_cumprod(0);
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, either);
}
}  // namespace one_or_first
MISCONCEPTION(
    one_or_first, ddim_step, "ddim.final-alpha-one-or-first",
    "Your last step goes to 1 or to a_0. It goes to final_alpha, whatever that is.",
    "set_alpha_to_one of the library is a switch with two positions. Here it is a number.")

namespace final_alpha_everywhere {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  if (options.final_alpha == 1.0 || previous < 0) return solution::ddim_step(DDIM_ARGUMENTS);
  DoubleVector alphas = alphas_cumprod;
  alphas(previous) = std::min(alphas(previous), options.final_alpha);
  return solution::ddim_step(x_t, output, t, previous, alphas, noise, options);
}
}  // namespace final_alpha_everywhere
MISCONCEPTION(final_alpha_everywhere, ddim_step, "ddim.final-alpha-everywhere",
              "final_alpha limited a' in a step that is not the last. It is for previous = -1 "
              "alone.",
              "Before the last step, a' is what the schedule says.")

namespace type_ignored {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions epsilon = options;
  epsilon.prediction = PredictionType::kEpsilon;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, epsilon);
}
}  // namespace type_ignored
MISCONCEPTION(type_ignored, ddim_step, "ddim.type-ignored",
              "You took every output for epsilon. The options say what it is.",
              "The model and the scheduler are configured apart, and nothing but the number of the "
              "prediction type tells that they do not fit.")

namespace eps_is_output {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  if (!options.rederive_eps) p.eps = output;
  return p.mixed(1 - p.next - p.variance, std::sqrt(p.variance), noise);
}
}  // namespace eps_is_output
MISCONCEPTION(
    eps_is_output, ddim_step, "ddim.output-kept-as-eps",
    "You took the model's output for eps whatever its type. Only for epsilon it is that.",
    "huggingface/diffusers issue 1486: for the type \"sample\" the DDIM scheduler mixed the "
    "predicted image in where the noise belongs. The loops that have been in its tests use "
    "epsilon.")

namespace image_kept_as_eps {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  if (options.prediction == PredictionType::kSample && !options.rederive_eps) p.eps = output;
  return p.mixed(1 - p.next - p.variance, std::sqrt(p.variance), noise);
}
}  // namespace image_kept_as_eps
MISCONCEPTION(image_kept_as_eps, ddim_step, "ddim.image-kept-as-eps",
              "For a model that puts out x0 you mixed its output in where the noise belongs.",
              "eps has to be found first: (x_t - sqrt(a) x0) / sqrt(1 - a). "
              "huggingface/diffusers issue 1486 is exactly this.")

namespace rederived_for_epsilon_only {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  ddim_pieces(DDIM_ARGUMENTS);
  DdimOptions some = options;
  if (options.prediction != PredictionType::kEpsilon) some.rederive_eps = false;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, some);
}
}  // namespace rederived_for_epsilon_only
MISCONCEPTION(
    rederived_for_epsilon_only, ddim_step, "ddim.rederived-for-epsilon-only",
    "eps was derived again for epsilon predictions only. The clip changes x0 whatever the "
    "model puts out.",
    "Converting v gives an eps that fits the x0 before the clip.")

namespace final_noise {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DdimPieces p = ddim_pieces(DDIM_ARGUMENTS);
  if (previous >= 0) return solution::ddim_step(DDIM_ARGUMENTS);
  const double fresh = options.eta * std::sqrt(1.0 - alphas_cumprod(0));
  return p.mixed(1 - p.next - p.variance, fresh, noise);
}
}  // namespace final_noise
MISCONCEPTION(final_noise, ddim_step, "ddim.noise-at-the-end",
              "Fresh noise was added in the last step. Where a' is 1, s is 0.",
              "The formula says so by itself, through 1 - a'. It goes wrong where the last step is "
              "given an a' of its own.")

namespace timestep_unchecked {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  if (t >= 0 && t < alphas_cumprod.size()) return solution::ddim_step(DDIM_ARGUMENTS);
  return {x_t, output};
}
}  // namespace timestep_unchecked
MISCONCEPTION(timestep_unchecked, ddim_step, "ddim.timestep-unchecked",
              "A timestep outside 0 to T - 1 was accepted.",
              "It has no a. Eigen's own check stops a look into the vector, in a build that has "
              "it; torch takes -1 for the last element.")

namespace previous_unchecked {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  if (previous < t && previous >= -1) return solution::ddim_step(DDIM_ARGUMENTS);
  return solution::ddim_step(x_t, output, t, -1, alphas_cumprod, noise, options);
}
}  // namespace previous_unchecked
MISCONCEPTION(
    previous_unchecked, ddim_step, "ddim.previous-unchecked",
    "A previous timestep that is not from -1 to t - 1 was accepted.",
    "Anything negative counts as the end in diffusers, so that t - T/S may be -20 there. That "
    "is how a wrong previous timestep stays unseen in the last step of all.")

namespace eta_unchecked {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DdimOptions bounded = options;
  bounded.eta = options.eta >= 0.0 ? std::min(options.eta, 1.0) : 0.0;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, bounded);
}
}  // namespace eta_unchecked
MISCONCEPTION(eta_unchecked, ddim_step, "ddim.eta-unchecked",
              "An eta that is not from 0 to 1 was accepted.",
              "Above 1, 1 - a' - s^2 can become negative, and its root NaN.")

namespace clip_unchecked {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DdimOptions open = options;
  if (!(options.clip > 0.0)) open.clip = std::numeric_limits<double>::infinity();
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, open);
}
}  // namespace clip_unchecked
MISCONCEPTION(
    clip_unchecked, ddim_step, "ddim.clip-unchecked", "A clip that is not above 0 was accepted.",
    "A clip of 0 makes every x0 0, a negative one has its two limits the wrong way round.")

namespace final_alpha_unchecked {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  DdimOptions bounded = options;
  if (!(options.final_alpha > 0.0 && options.final_alpha <= 1.0)) bounded.final_alpha = 1.0;
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, noise, bounded);
}
}  // namespace final_alpha_unchecked
MISCONCEPTION(final_alpha_unchecked, ddim_step, "ddim.final-alpha-unchecked",
              "A final_alpha that is not above 0 and at most 1 was accepted.",
              "It is a share of variance, like every other a.")

namespace noise_shape_unchecked {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  Matrix fitting = Matrix::Zero(x_t.rows(), x_t.cols());
  const Index rows = std::min(x_t.rows(), noise.rows());
  const Index cols = std::min(x_t.cols(), noise.cols());
  fitting.topLeftCorner(rows, cols) = noise.topLeftCorner(rows, cols);
  return solution::ddim_step(x_t, output, t, previous, alphas_cumprod, fitting, options);
}
}  // namespace noise_shape_unchecked
MISCONCEPTION(noise_shape_unchecked, ddim_step, "ddim.noise-shape-unchecked",
              "Noise of another shape than x_t was accepted.",
              "With eta 0 it does not enter, and so nobody notices until somebody sets eta.")

namespace no_rows_no_step {
DenoisingStep ddim_step(DDIM_PARAMETERS) {
  require(x_t.rows() > 0, "at least one row");
  return solution::ddim_step(DDIM_ARGUMENTS);
}
}  // namespace no_rows_no_step
MISCONCEPTION(no_rows_no_step, ddim_step, "ddim.no-rows-refused",
              "A batch without rows was refused. A step of it is empty.",
              "Nothing in a step needs a row.")

// ---- 9.5 ddpm_step -----------------------------------------------------------------------------

#define DDPM_PARAMETERS                                                           \
  const Matrix &x_t, const Matrix &output, std::int64_t t, std::int64_t previous, \
      const DoubleVector &alphas_cumprod, const Matrix &noise, const DdpmOptions &options
#define DDPM_ARGUMENTS x_t, output, t, previous, alphas_cumprod, noise, options

/// A DDPM step with the weights that are handed in.
static DenoisingStep ddpm_with(DDPM_PARAMETERS, double of_x0, double of_x_t, double fresh) {
  DenoisingStep step = solution::ddpm_step(DDPM_ARGUMENTS);
  step.prev = float(of_x0) * step.x0 + float(of_x_t) * x_t + float(fresh) * noise;
  return step;
}

/// The right weights.
struct DdpmWeights {
  double a, next, alpha, beta, of_x0, of_x_t, small, fresh;
};

static DdpmWeights ddpm_weights(DDPM_PARAMETERS) {
  solution::ddpm_step(DDPM_ARGUMENTS);  // refuses
  DdpmWeights w{};
  w.a = alphas_cumprod(t);
  w.next = previous < 0 ? 1.0 : alphas_cumprod(previous);
  w.alpha = w.a / w.next;
  w.beta = 1.0 - w.alpha;
  w.of_x0 = std::sqrt(w.next) * w.beta / (1.0 - w.a);
  w.of_x_t = std::sqrt(w.alpha) * (1.0 - w.next) / (1.0 - w.a);
  w.small = (1.0 - w.next) / (1.0 - w.a) * w.beta;
  const double variance = options.variance == StepVariance::kSmall ? w.small : w.beta;
  w.fresh = previous < 0 ? 0.0 : std::sqrt(variance);
  return w;
}

namespace beta_of_t {
DenoisingStep ddpm_step(const Matrix& x_t, const Matrix& output, std::int64_t t,
                        std::int64_t previous, const DoubleVector& alphas_cumprod,
                        const Matrix& noise, const DdpmOptions& options) {
  require(noise.rows() == x_t.rows() && noise.cols() == x_t.cols(), "noise");
  require(t >= 0 && t < alphas_cumprod.size() && previous >= -1 && previous < t, "t, previous");
  require(options.clip > 0.0, "clip");
  const double a = alphas_cumprod(t), next = previous < 0 ? 1.0 : alphas_cumprod(previous);
  const double before = t == 0 ? 1.0 : alphas_cumprod(t - 1);
  const double alpha = previous < 0 ? a : a / before, beta = 1.0 - alpha;
  const auto limit = static_cast<float>(options.clip);
  Matrix x0 = convert_prediction(options.prediction, x_t, output, a).x0;
  x0 = x0.cwiseMax(-limit).cwiseMin(limit);
  const bool small = options.variance == StepVariance::kSmall;
  const double variance = small ? (1.0 - next) / (1.0 - a) * beta : beta;
  const double fresh = previous < 0 ? 0.0 : std::sqrt(variance);
  return {float(std::sqrt(next) * beta / (1.0 - a)) * x0 +
              float(std::sqrt(alpha) * (1.0 - next) / (1.0 - a)) * x_t + float(fresh) * noise,
          x0};
}
}  // namespace beta_of_t
MISCONCEPTION(
    beta_of_t, ddpm_step, "ddpm.beta-of-t",
    "You used the beta of timestep t. The step goes from t to `previous`: its beta is 1 - a / a'.",
    "With all timesteps both are one. With fewer, a jump of 20 timesteps has about 20 times the "
    "beta of one. huggingface/diffusers pull request 3006 corrects such a betas[t], in the range "
    "of "
    "a learned variance, and pull request 2076 the step to t - 1 that made noise of whole images.")

namespace noise_at_the_end {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  const bool small = options.variance == StepVariance::kSmall;
  return ddpm_with(DDPM_ARGUMENTS, w.of_x0, w.of_x_t, std::sqrt(small ? w.small : w.beta));
}
}  // namespace noise_at_the_end
MISCONCEPTION(noise_at_the_end, ddpm_step, "ddpm.noise-at-the-end",
              "Noise was added in the last step. There the result is x0, and none is added.",
              "The small variance is 0 there by itself, the large one is not. Algorithm 2 of the "
              "paper sets z = 0 for it, and an image that is a little grainy is what shows if it "
              "is forgotten.")

namespace variance_not_rooted {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  return ddpm_with(DDPM_ARGUMENTS, w.of_x0, w.of_x_t, w.fresh * w.fresh);
}
}  // namespace variance_not_rooted
MISCONCEPTION(variance_not_rooted, ddpm_step, "ddpm.variance-times-noise",
              "You multiplied the noise by the variance. Its factor is the root of it.",
              "Variances here are about 0.005, roots 0.07: with 14 times too little noise samples "
              "get smooth and alike. Where the logarithm is stored, it is exp(l / 2), not exp(l).")

namespace weights_exchanged {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  return ddpm_with(DDPM_ARGUMENTS, w.of_x_t, w.of_x0, w.fresh);
}
}  // namespace weights_exchanged
MISCONCEPTION(weights_exchanged, ddpm_step, "ddpm.weights-exchanged",
              "The two weights are exchanged. In a small step x_t has nearly all of it.",
              "From 500 to 499, x0 has 0.0035 and x_t 0.9957. One step is no generator: it moves "
              "a third of a percent of the way.")

namespace weight_not_rooted {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  const double of_x_t = w.alpha * (1.0 - w.next) / (1.0 - w.a);
  return ddpm_with(DDPM_ARGUMENTS, w.next * w.beta / (1.0 - w.a), of_x_t, w.fresh);
}
}  // namespace weight_not_rooted
MISCONCEPTION(weight_not_rooted, ddpm_step, "ddpm.weights-not-rooted",
              "In the weights, a' and alpha stand under a root.",
              "Both weights come from a product of two Gaussians whose means carry sqrt(a') and "
              "sqrt(alpha). Without noise, x_t = sqrt(a) x0 has to become sqrt(a') x0: test it.")

namespace always_small {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  DdpmOptions small = options;
  small.variance = StepVariance::kSmall;
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, noise, small);
}
}  // namespace always_small
MISCONCEPTION(always_small, ddpm_step, "ddpm.always-small",
              "You added the small variance where the large one was asked for.",
              "For noisy timesteps they differ little, and at the clean end they differ most: at "
              "timestep 1 of Stable Diffusion, half against all of beta.")

namespace always_large {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  DdpmOptions large = options;
  large.variance = StepVariance::kLarge;
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, noise, large);
}
}  // namespace always_large
MISCONCEPTION(always_large, ddpm_step, "ddpm.always-large",
              "You added beta where the small variance was asked for: (1 - a') / (1 - a) beta.",
              "Both are extremes of what is right, for data that is a point and for data that is "
              "standard normal. The paper found them to give similar images with all timesteps.")

namespace small_upside_down {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  if (options.variance == StepVariance::kLarge || previous < 0)
    return solution::ddpm_step(DDPM_ARGUMENTS);
  const double fresh = std::sqrt((1.0 - w.a) / (1.0 - w.next) * w.beta);
  return ddpm_with(DDPM_ARGUMENTS, w.of_x0, w.of_x_t, fresh);
}
}  // namespace small_upside_down
MISCONCEPTION(small_upside_down, ddpm_step, "ddpm.small-inverted",
              "In the small variance the quotient is upside down: (1 - a') / (1 - a).",
              "Small means below beta. Upside down it is above it.")

namespace x0_not_clipped {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  solution::ddpm_step(DDPM_ARGUMENTS);
  DdpmOptions open = options;
  open.clip = std::numeric_limits<double>::infinity();
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, noise, open);
}
}  // namespace x0_not_clipped
MISCONCEPTION(
    x0_not_clipped, ddpm_step, "ddpm.not-clipped",
    "x0 was not clipped, though the options ask for it.",
    "The paper writes the mean with eps, where there is no x0 to clip; its code goes through x0 "
    "and "
    "clips. hojonathanho/diffusion issue 5 and lucidrains/denoising-diffusion-pytorch issue 47 ask "
    "why, and report samples that are bad without.")

namespace only_epsilon {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  DdpmOptions epsilon = options;
  epsilon.prediction = PredictionType::kEpsilon;
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, noise, epsilon);
}
}  // namespace only_epsilon
MISCONCEPTION(only_epsilon, ddpm_step, "ddpm.type-ignored",
              "You took every output for epsilon. The options say what it is.",
              "The mean is written with x0 and x_t so that it does not matter what the model puts "
              "out: convert first.")

namespace velocity_read_as_noise {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  DdpmOptions other = options;
  if (options.prediction == PredictionType::kVelocity) other.prediction = PredictionType::kEpsilon;
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, noise, other);
}
}  // namespace velocity_read_as_noise
MISCONCEPTION(velocity_read_as_noise, ddpm_step, "ddpm.velocity-read-as-noise",
              "You took v for epsilon.",
              "x0 is sqrt(a) x_t - sqrt(1 - a) v for a model that puts out v: 9.2 knows.")

namespace eps_in_the_place_of_x_t {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  DenoisingStep step = solution::ddpm_step(DDPM_ARGUMENTS);
  const Matrix eps = solution::convert_prediction(options.prediction, x_t, output, w.a).eps;
  step.prev += float(w.of_x_t) * (eps - x_t);
  return step;
}
}  // namespace eps_in_the_place_of_x_t
MISCONCEPTION(eps_in_the_place_of_x_t, ddpm_step, "ddpm.eps-for-x_t",
              "The second weight stands before x_t; you put eps there.",
              "x0 and eps are DDIM's two directions, x0 and x_t the posterior's. Each pair has "
              "weights of its own.")

namespace weight_of_previous {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  const DdpmWeights w = ddpm_weights(DDPM_ARGUMENTS);
  const double left = previous < 0 ? 1.0 : 1.0 - w.next;
  if (previous < 0) return solution::ddpm_step(DDPM_ARGUMENTS);
  return ddpm_with(DDPM_ARGUMENTS, std::sqrt(w.next) * w.beta / left, w.of_x_t, w.fresh);
}
}  // namespace weight_of_previous
MISCONCEPTION(weight_of_previous, ddpm_step, "ddpm.divided-by-previous",
              "You divided the weight of x0 by 1 - a'. Both weights are divided by 1 - a.",
              "1 - a is the variance of x_t given x0, which the posterior is divided by.")

namespace noise_of_any_shape {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  Matrix fitting = Matrix::Zero(x_t.rows(), x_t.cols());
  const Index rows = std::min(x_t.rows(), noise.rows());
  const Index cols = std::min(x_t.cols(), noise.cols());
  fitting.topLeftCorner(rows, cols) = noise.topLeftCorner(rows, cols);
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, fitting, options);
}
}  // namespace noise_of_any_shape
MISCONCEPTION(noise_of_any_shape, ddpm_step, "ddpm.noise-shape-unchecked",
              "Noise of another shape than x_t was accepted.",
              "In the last step it does not enter, and is checked all the same: a caller's mistake "
              "should show in the first step that is tried, whichever that is.")

namespace any_timestep {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  if (t >= 0 && t < alphas_cumprod.size()) return solution::ddpm_step(DDPM_ARGUMENTS);
  return {x_t, output};
}
}  // namespace any_timestep
MISCONCEPTION(any_timestep, ddpm_step, "ddpm.timestep-unchecked",
              "A timestep outside 0 to T - 1 was accepted.",
              "The paper counts from 1 to T: its last timestep is this schedule's T - 1.")

namespace any_previous {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  if (previous < t && previous >= -1) return solution::ddpm_step(DDPM_ARGUMENTS);
  return solution::ddpm_step(x_t, output, t, -1, alphas_cumprod, noise, options);
}
}  // namespace any_previous
MISCONCEPTION(any_previous, ddpm_step, "ddpm.previous-unchecked",
              "A previous timestep that is not from -1 to t - 1 was accepted.",
              "For previous = t, beta is 0 and nothing happens. Beyond t it is negative, and the "
              "step has a root of a negative number in it.")

namespace any_clip {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  DdpmOptions open = options;
  if (!(options.clip > 0.0)) open.clip = std::numeric_limits<double>::infinity();
  return solution::ddpm_step(x_t, output, t, previous, alphas_cumprod, noise, open);
}
}  // namespace any_clip
MISCONCEPTION(any_clip, ddpm_step, "ddpm.clip-unchecked",
              "A clip that is not above 0 was accepted.",
              "A clip of 0 makes every x0 0; no clip is infinity, not 0.")

namespace no_rows_no_ddpm {
DenoisingStep ddpm_step(DDPM_PARAMETERS) {
  require(x_t.rows() > 0, "at least one row");
  return solution::ddpm_step(DDPM_ARGUMENTS);
}
}  // namespace no_rows_no_ddpm
MISCONCEPTION(no_rows_no_ddpm, ddpm_step, "ddpm.no-rows-refused",
              "A batch without rows was refused. A step of it is empty.",
              "Nothing in a step needs a row.")

// ---- 9.6 denoiser_loss -------------------------------------------------------------------------

namespace summed {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  const Matrix& target = task.target;
  require(output.rows() == target.rows() && output.cols() == target.cols(), "shapes");
  require(task.weight.size() == target.rows() && target.size() > 0, "weights, elements");
  DenoiserLoss loss{0.0, output - target};
  for (Index n = 0; n < target.rows(); ++n) {
    loss.value += task.weight(n) * loss.gradient.row(n).cast<double>().squaredNorm();
    loss.gradient.row(n) *= float(2.0 * task.weight(n));
  }
  return loss;
}
}  // namespace summed
MISCONCEPTION(summed, denoiser_loss, "denoiser.summed",
              "You summed over all elements. The loss is their mean: divide by N D.",
              "A sum grows with batch and latent size, and the learning rate that was right for "
              "one is wrong for the other. Value and gradient agree with each other, so a gradient "
              "check is content.")

namespace mean_over_samples {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserLoss loss = solution::denoiser_loss(task, output);
  const auto d = double(output.cols());
  return {loss.value * d, loss.gradient * float(d)};
}
}  // namespace mean_over_samples
MISCONCEPTION(mean_over_samples, denoiser_loss, "denoiser.summed-over-features",
              "You averaged over samples and summed over D. The mean is over all N D elements.",
              "Sum over features and mean over samples is the ELBO's reduction (lab 03). The "
              "denoiser's loss of DDPM is a plain mean, so that a loss near 1 is that of a model "
              "that predicts 0.")

namespace gradient_halved {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserLoss loss = solution::denoiser_loss(task, output);
  return {loss.value, 0.5F * loss.gradient};
}
}  // namespace gradient_halved
MISCONCEPTION(gradient_halved, denoiser_loss, "denoiser.gradient-halved",
              "The gradient lacks the 2 of the square's derivative.",
              "It is there unless the loss has a 1/2, which this one has not.")

namespace gradient_backwards {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserLoss loss = solution::denoiser_loss(task, output);
  return {loss.value, -loss.gradient};
}
}  // namespace gradient_backwards
MISCONCEPTION(gradient_backwards, denoiser_loss, "denoiser.gradient-sign",
              "The gradient's sign is flipped: output minus target.",
              "As a loss, target minus output is the same. Its derivative with respect to the "
              "output has a minus.")

namespace weights_not_in_value {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserTask plain = task;
  plain.weight.setOnes();
  return {solution::denoiser_loss(plain, output).value,
          solution::denoiser_loss(task, output).gradient};
}
}  // namespace weights_not_in_value
MISCONCEPTION(weights_not_in_value, denoiser_loss, "denoiser.value-unweighted",
              "The weights are missing in the value; in the gradient they are there.",
              "A curve of the unweighted loss may be what you want to look at. It is not what is "
              "minimised.")

namespace weights_not_in_gradient {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserTask plain = task;
  plain.weight.setOnes();
  return {solution::denoiser_loss(task, output).value,
          solution::denoiser_loss(plain, output).gradient};
}
}  // namespace weights_not_in_gradient
MISCONCEPTION(weights_not_in_gradient, denoiser_loss, "denoiser.gradient-unweighted",
              "The weights are missing in the gradient; in the value they are there.",
              "The optimiser sees the gradient only: the curve is weighted, the training is not.")

namespace divided_by_weights {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  const DenoiserLoss loss = solution::denoiser_loss(task, output);
  const double mean = task.weight.mean();
  return {loss.value / mean, loss.gradient / float(mean)};
}
}  // namespace divided_by_weights
MISCONCEPTION(divided_by_weights, denoiser_loss, "denoiser.divided-by-weights",
              "You divided by the sum of the weights. The mean is over N D, whatever they are.",
              "A weighted average forgets how large the weights are together: a batch of nothing "
              "but unimportant timesteps would count as much as one of important ones.")

namespace weights_squared {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserTask squared = task;
  squared.weight = task.weight.cwiseAbs2();
  return solution::denoiser_loss(squared, output);
}
}  // namespace weights_squared
MISCONCEPTION(weights_squared, denoiser_loss, "denoiser.weights-squared",
              "The weights got into the square. They stand before it.",
              "mse(w o, w target) is not w mse(o, target).")

namespace float_sum {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserLoss loss = solution::denoiser_loss(task, output);
  float sum = 0.0F;
  for (Index n = 0; n < output.rows(); ++n) {
    for (Index d = 0; d < output.cols(); ++d) {
      const float error = output(n, d) - task.target(n, d);
      sum += float(task.weight(n)) * error * error;
    }
  }
  loss.value = double(sum) / double(output.size());
  return loss;
}
}  // namespace float_sum
MISCONCEPTION(float_sum, denoiser_loss, "denoiser.float-sum",
              "You summed in float: beside a large square the small ones are lost. Sum in double.",
              "2^24 + 1 is 2^24 in float. One broken sample hides all the others.")

namespace longer_output_cut {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  Matrix fitting = Matrix::Zero(task.target.rows(), task.target.cols());
  const Index rows = std::min(fitting.rows(), output.rows());
  const Index cols = std::min(fitting.cols(), output.cols());
  fitting.topLeftCorner(rows, cols) = output.topLeftCorner(rows, cols);
  return solution::denoiser_loss(task, fitting);
}
}  // namespace longer_output_cut
MISCONCEPTION(longer_output_cut, denoiser_loss, "denoiser.shapes-unchecked",
              "An output of another shape than the target was accepted.",
              "torch broadcasts [N, 1] against [N, D] with no more than a warning, and the loss "
              "is a number.")

namespace weights_repeated {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  DenoiserTask fitting = task;
  fitting.weight = DoubleVector::Ones(task.target.rows());
  const Index rows = std::min(task.weight.size(), task.target.rows());
  fitting.weight.head(rows) = task.weight.head(rows);
  return solution::denoiser_loss(fitting, output);
}
}  // namespace weights_repeated
MISCONCEPTION(weights_repeated, denoiser_loss, "denoiser.weights-unchecked",
              "More or fewer weights than rows were accepted.",
              "Each row has a timestep and so a weight of its own.")

namespace empty_is_zero {
DenoiserLoss denoiser_loss(const DenoiserTask& task, const Matrix& output) {
  if (output.size() == 0) return {0.0, output};
  return solution::denoiser_loss(task, output);
}
}  // namespace empty_is_zero
MISCONCEPTION(empty_is_zero, denoiser_loss, "denoiser.empty-is-zero",
              "A task without elements was given a loss of 0. A mean of nothing is not 0.",
              "A loss of 0 looks like success.")

#define TASK_PARAMETERS                                                                        \
  PredictionType type, const Matrix &x0, const Matrix &eps, const std::vector<std::int64_t>&t, \
      const DoubleVector &alphas_cumprod, double gamma
#define TASK_ARGUMENTS type, x0, eps, t, alphas_cumprod, gamma

/// Weights made of the ratio of signal to noise by the rule that is handed in.
template <typename Rule>
static DenoiserTask weighted_by(TASK_PARAMETERS, Rule rule) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  if (gamma == 0.0) return task;
  for (Index n = 0; n < x0.rows(); ++n) {
    const double a = alphas_cumprod(t[std::size_t(n)]);
    task.weight(n) = rule(a / (1.0 - a));
  }
  return task;
}

namespace always_noise {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  task.target = eps;
  return task;
}
}  // namespace always_noise
MISCONCEPTION(always_noise, denoiser_task, "task.always-noise",
              "The target is eps for every type. It is what the model is to put out: eps, x0 or v.",
              "Training scripts of diffusers read noise_scheduler.config.prediction_type for the "
              "target. A model trained on eps under the name of v is broken by its own "
              "configuration.")

namespace scaled_noise_target {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  if (type != PredictionType::kEpsilon) return task;
  for (Index n = 0; n < x0.rows(); ++n)
    task.target.row(n) *= float(std::sqrt(1.0 - alphas_cumprod(t[std::size_t(n)])));
  return task;
}
}  // namespace scaled_noise_target
MISCONCEPTION(scaled_noise_target, denoiser_task, "task.scaled-noise-target",
              "For epsilon the target is the noise as it stands in x_t. It is eps itself, of "
              "variance 1 at every timestep.",
              "A target of the same size at every noise level is what made epsilon the first "
              "choice.")

namespace flow_target {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  if (type == PredictionType::kVelocity) task.target = eps - x0;
  return task;
}
}  // namespace flow_target
MISCONCEPTION(flow_target, denoiser_task, "task.flow-target",
              "For velocity the target is eps - x0, a flow. v has the roots of a and 1 - a.",
              "Of x_t on the circle, eps - x0 is another direction than v.")

namespace backwards_target {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  if (type == PredictionType::kVelocity) task.target *= -1.0F;
  return task;
}
}  // namespace backwards_target
MISCONCEPTION(backwards_target, denoiser_task, "task.velocity-sign",
              "The target's sign is flipped for velocity.",
              "The loss falls as nicely as it should: the model learns -v. It is found at the "
              "first sample.")

namespace noisy_target {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  if (type == PredictionType::kSample) task.target = task.x_t;
  return task;
}
}  // namespace noisy_target
MISCONCEPTION(noisy_target, denoiser_task, "task.noisy-target",
              "For sample the target is x_t, the input itself. It is the clean latent, x0.",
              "A model that copies its input has a loss of 0. The word sample stands for x_t in "
              "some places of the library and for x0 in others.")

namespace clean_input {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  task.x_t = x0;
  return task;
}
}  // namespace clean_input
MISCONCEPTION(clean_input, denoiser_task, "task.clean-input",
              "The model's input is the clean latent. Noise has to be added before.",
              "Predicting a noise that is not in the input is impossible: the best answer is 0, "
              "and the loss stays at 1.")

namespace plus_one_in_both {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  if (type != PredictionType::kVelocity) return solution::denoiser_task(TASK_ARGUMENTS);
  return weighted_by(TASK_ARGUMENTS,
                     [gamma](double r) { return std::min(r + 1.0, gamma) / (r + 1.0); });
}
}  // namespace plus_one_in_both
MISCONCEPTION(
    plus_one_in_both, denoiser_task, "task.plus-one-in-both",
    "For velocity you added 1 to the ratio above and below. It is min(r, gamma) / (r + 1).",
    "That was in diffusers' training scripts from pull request 5238 on; issue 5654 reports it, "
    "pull "
    "request 6307 corrects it. For small r the weight is 1 instead of r: noisy timesteps count "
    "fully where they should hardly count.")

namespace velocity_like_epsilon {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  if (type != PredictionType::kVelocity) return solution::denoiser_task(TASK_ARGUMENTS);
  return weighted_by(TASK_ARGUMENTS, [gamma](double r) { return std::min(r, gamma) / r; });
}
}  // namespace velocity_like_epsilon
MISCONCEPTION(velocity_like_epsilon, denoiser_task, "task.velocity-like-epsilon",
              "For velocity you used epsilon's weight. An error in v is worth another one in x0: "
              "divide by r + 1.",
              "x0 = sqrt(a) x_t - sqrt(1 - a) v: an error in v counts 1 - a = 1 / (r + 1) times in "
              "x0's square, one in eps (1 - a) / a = 1 / r times.")

namespace sample_like_epsilon {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  if (type != PredictionType::kSample) return solution::denoiser_task(TASK_ARGUMENTS);
  return weighted_by(TASK_ARGUMENTS, [gamma](double r) { return std::min(r, gamma) / r; });
}
}  // namespace sample_like_epsilon
MISCONCEPTION(sample_like_epsilon, denoiser_task, "task.sample-like-epsilon",
              "For sample you divided by the ratio. There the weight is min(r, gamma) as it is.",
              "The weight is meant for the error in x0, and here x0 is what is predicted.")

namespace epsilon_not_divided {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  if (type != PredictionType::kEpsilon) return solution::denoiser_task(TASK_ARGUMENTS);
  return weighted_by(TASK_ARGUMENTS, [gamma](double r) { return std::min(r, gamma); });
}
}  // namespace epsilon_not_divided
MISCONCEPTION(epsilon_not_divided, denoiser_task, "task.epsilon-not-divided",
              "For epsilon the weight has to be divided by the ratio.",
              "An error in eps is 1 / r times as large in x0's square. A plain epsilon loss is a "
              "loss of x0 with weight r.")

namespace ratio_rooted {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  return weighted_by(TASK_ARGUMENTS, [type, gamma](double r) {
    const double root = std::sqrt(r), capped = std::min(root, gamma);
    if (type == PredictionType::kSample) return capped;
    return capped / (type == PredictionType::kEpsilon ? root : root + 1.0);
  });
}
}  // namespace ratio_rooted
MISCONCEPTION(ratio_rooted, denoiser_task, "task.ratio-rooted",
              "You took the ratio of the deviations. Signal to noise is one of variances: a / (1 - "
              "a), without a root.",
              "compute_snr of the library takes roots first and squares the quotient at the end.")

namespace floored {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  return weighted_by(TASK_ARGUMENTS, [type, gamma](double r) {
    const double floored = std::max(r, gamma);
    if (type == PredictionType::kSample) return floored;
    return floored / (type == PredictionType::kEpsilon ? r : r + 1.0);
  });
}
}  // namespace floored
MISCONCEPTION(floored, denoiser_task, "task.max-for-min",
              "You took the larger of ratio and gamma. The smaller one is meant: a cap.",
              "The name says min. Without a cap, nearly clean latents, whose ratio is 1175 at "
              "timestep 0 of Stable Diffusion, would be all that counts.")

namespace gamma_of_zero_caps {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  DenoiserTask task = solution::denoiser_task(TASK_ARGUMENTS);
  if (gamma == 0.0) task.weight.setZero();
  return task;
}
}  // namespace gamma_of_zero_caps
MISCONCEPTION(gamma_of_zero_caps, denoiser_task, "task.zero-gamma",
              "With gamma 0 every weight is 0. It means no weighting: every weight is 1.",
              "min(r, 0) is 0, and a loss of 0 is learned at once.")

namespace gamma_unchecked {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  return solution::denoiser_task(type, x0, eps, t, alphas_cumprod, std::max(gamma, 0.0));
}
}  // namespace gamma_unchecked
MISCONCEPTION(gamma_unchecked, denoiser_task, "task.gamma-unchecked",
              "A negative gamma was accepted.",
              "A negative weight asks for errors that are as large as possible.")

namespace task_unchecked {
DenoiserTask denoiser_task(TASK_PARAMETERS) {
  if (x0.size() == 0) return solution::denoiser_task(TASK_ARGUMENTS);
  Matrix noise = Matrix::Zero(x0.rows(), x0.cols());
  const Index rows = std::min(x0.rows(), eps.rows()), cols = std::min(x0.cols(), eps.cols());
  noise.topLeftCorner(rows, cols) = eps.topLeftCorner(rows, cols);
  std::vector<std::int64_t> fitting = t;
  fitting.resize(std::size_t(x0.rows()), 0);
  for (std::int64_t& s : fitting) s = std::clamp<std::int64_t>(s, 0, alphas_cumprod.size() - 1);
  return solution::denoiser_task(type, x0, noise, fitting, alphas_cumprod, gamma);
}
}  // namespace task_unchecked
MISCONCEPTION(task_unchecked, denoiser_task, "task.unchecked",
              "Noise or timesteps that do not fit the latents were accepted.",
              "What add_noise refuses, a task made with it refuses too.")

// ---- 9.7 trace_pipeline ------------------------------------------------------------------------

#define PIPELINE_PARAMETERS                                                  \
  const Matrix &x, const LinearCodec &codec, const PipelineOptions &options, \
      const DoubleVector &alphas_cumprod, const Matrix &posterior_noise, const Matrix &noise
#define PIPELINE_ARGUMENTS x, codec, options, alphas_cumprod, posterior_noise, noise

/// The timesteps of a trace, and the tensors that a wrong pipeline goes on from.
struct Run {
  std::vector<std::int64_t> t, previous;
  Matrix z, noisy;
};

static Run run_of(const PipelineTrace& trace) {
  Run run;
  for (const StageRecord& r : trace.records) {
    if (r.stage == PipelineStage::kScaled) run.z = r.value;
    if (r.stage == PipelineStage::kNoisy) run.noisy = r.value;
    if (r.stage == PipelineStage::kModelOutput) run.t.push_back(r.t);
    if (r.stage == PipelineStage::kPrevious) run.previous.push_back(r.t);
  }
  return run;
}

/// What the denoiser puts out that knows z.
static Matrix knowing(PredictionType type, const Matrix& x_t, const Matrix& z, double a) {
  const auto signal = float(std::sqrt(a)), deviation = float(std::sqrt(1.0 - a));
  const Matrix eps = (x_t - signal * z) / deviation;
  if (type == PredictionType::kSample) return z;
  return type == PredictionType::kEpsilon ? eps : signal * eps - deviation * z;
}

/// Unscales and decodes what the last record holds.
static void decode_last(PipelineTrace& trace, const LinearCodec& codec) {
  const Matrix z = trace.records.back().value.array() / float(codec.scale) + float(codec.shift);
  trace.records.push_back({PipelineStage::kUnscaled, -1, z});
  trace.result = (z * codec.decoder_weight.transpose()).rowwise() + codec.decoder_bias;
  trace.records.push_back({PipelineStage::kDecoded, -1, trace.result});
}

/// The loop, from `run.noisy` on, with a denoiser of one type and a scheduler of another.
static PipelineTrace finished(PipelineTrace trace, const Run& run, PredictionType model,
                              PredictionType scheduler, double final_alpha,
                              const LinearCodec& codec, const DoubleVector& alphas_cumprod) {
  trace.records.resize(4);
  trace.records[2].value = run.z;
  trace.records[3].value = run.noisy;
  DdimOptions ddim;
  ddim.prediction = scheduler;
  ddim.final_alpha = final_alpha;
  for (std::size_t i = 0; i < run.t.size(); ++i) {
    const Matrix x_t = trace.records.back().value;
    const Matrix output = knowing(model, x_t, run.z, alphas_cumprod(run.t[i]));
    trace.records.push_back({PipelineStage::kModelOutput, run.t[i], output});
    const Matrix prev =
        solution::ddim_step(x_t, output, run.t[i], run.previous[i], alphas_cumprod, output, ddim)
            .prev;
    trace.records.push_back({PipelineStage::kPrevious, run.previous[i], prev});
  }
  decode_last(trace, codec);
  return trace;
}

namespace decoded_in_denoiser_units {
PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise) {
  const Index size = codec.decoder_weight.cols(), rows = x.rows();
  require(codec.encoder_weight.rows() == 2 * size && codec.encoder_weight.cols() == x.cols(), "W");
  require(codec.encoder_bias.size() == 2 * size && codec.scale != 0.0, "bias, scale");
  require(codec.decoder_weight.rows() == x.cols() && codec.decoder_bias.size() == x.cols(), "dec");
  require(noise.rows() == rows && noise.cols() == size, "noise");
  require(posterior_noise.rows() == rows && posterior_noise.cols() == size, "posterior_noise");
  require(options.strength > 0.0 && options.strength <= 1.0, "strength");
  const SamplingSteps all =
      sampling_timesteps(options.spacing, alphas_cumprod.size(), options.steps, options.offset);
  const auto run = static_cast<std::size_t>(double(options.steps) * options.strength);
  require(run > 0, "no step");
  PipelineTrace trace;
  const auto pass = [&](PipelineStage stage, std::int64_t t, const Matrix& value) {
    trace.records.push_back({stage, t, value});
    trace.result = value;
  };
  const Matrix moments = (x * codec.encoder_weight.transpose()).rowwise() + codec.encoder_bias;
  pass(PipelineStage::kMoments, -1, moments);
  Matrix latent = moments.leftCols(size);
  if (options.sample_posterior) {
    const Matrix log_var = moments.rightCols(size);
    latent.array() += (log_var.array() / 2).exp() * posterior_noise.array();
  }
  pass(PipelineStage::kLatent, -1, latent);
  const Matrix z = (latent.array() - float(codec.shift)) * float(codec.scale);
  pass(PipelineStage::kScaled, -1, z);
  const std::size_t first = all.timesteps.size() - run;
  const std::vector<std::int64_t> starts(std::size_t(rows), all.timesteps[first]);
  pass(PipelineStage::kNoisy, all.timesteps[first], add_noise(z, noise, starts, alphas_cumprod));
  DdimOptions ddim;
  ddim.prediction = options.prediction;
  for (std::size_t i = first; i < all.timesteps.size(); ++i) {
    const std::int64_t t = all.timesteps[i];
    const Matrix x_t = trace.result;
    const auto signal = float(std::sqrt(alphas_cumprod(t)));
    const auto deviation = float(std::sqrt(1.0 - alphas_cumprod(t)));
    Matrix output = (x_t - signal * z) / deviation;
    if (options.prediction == PredictionType::kVelocity) output = signal * output - deviation * z;
    if (options.prediction == PredictionType::kSample) output = z;
    pass(PipelineStage::kModelOutput, t, output);
    pass(PipelineStage::kPrevious, all.previous[i],
         ddim_step(x_t, output, t, all.previous[i], alphas_cumprod, noise, ddim).prev);
  }
  pass(PipelineStage::kUnscaled, -1, Matrix(trace.result));
  pass(PipelineStage::kDecoded, -1,
       (trace.result * codec.decoder_weight.transpose()).rowwise() + codec.decoder_bias);
  return trace;
}
}  // namespace decoded_in_denoiser_units
MISCONCEPTION(
    decoded_in_denoiser_units, trace_pipeline, "pipeline.not-unscaled",
    "You decoded the denoiser's latent as it is. Before decoding it is divided by the scale, and "
    "the shift is added.",
    "The unconditional latent diffusion pipeline of diffusers left it out: issue 5166. The decoder "
    "gets latents of the wrong size and returns a washed-out image rather than an error.")

namespace unscaled_in_the_wrong_order {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineTrace trace = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  trace.records.resize(trace.records.size() - 2);
  const Matrix z = (trace.records.back().value.array() + float(codec.shift)) / float(codec.scale);
  trace.records.push_back({PipelineStage::kUnscaled, -1, z});
  trace.result = (z * codec.decoder_weight.transpose()).rowwise() + codec.decoder_bias;
  trace.records.push_back({PipelineStage::kDecoded, -1, trace.result});
  return trace;
}
}  // namespace unscaled_in_the_wrong_order
MISCONCEPTION(
    unscaled_in_the_wrong_order, trace_pipeline, "pipeline.unscaled-in-the-wrong-order",
    "Going back you added the shift before you divided. The way back undoes the last step "
    "first: divide, then add.",
    "(z - shift) scale has the inverse z / scale + shift. With a shift of 0, as Stable "
    "Diffusion 1 has it, the order does not matter.")

namespace scale_inverted {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  LinearCodec inverted = codec;
  if (codec.scale != 0.0) inverted.scale = 1.0 / codec.scale;
  return solution::trace_pipeline(x, inverted, options, alphas_cumprod, posterior_noise, noise);
}
}  // namespace scale_inverted
MISCONCEPTION(
    scale_inverted, trace_pipeline, "pipeline.scale-inverted",
    "You divide by the scale on the way in and multiply on the way out. It is the other way round.",
    "The two mistakes undo each other, and the image comes back as it should. The denoiser in "
    "between is shown latents of another size than those it was trained on: the invariant is blind "
    "to that, the record of the scaled latent is not. CogVideoX has it as a switch of its own "
    "configuration (finetrainers issue 101).")

namespace shift_ignored {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  LinearCodec plain = codec;
  plain.shift = 0.0;
  return solution::trace_pipeline(x, plain, options, alphas_cumprod, posterior_noise, noise);
}
}  // namespace shift_ignored
MISCONCEPTION(
    shift_ignored, trace_pipeline, "pipeline.shift-ignored",
    "The shift is missing, both ways. The denoiser works on (z - shift) scale.",
    "SD3's training and ControlNet scripts in diffusers left it out: issues 8708, 8887 and 11867. "
    "Left out both ways, the image comes back, and only the denoiser is off.")

namespace noise_before_scale {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  Run run = run_of(right);
  const std::vector<std::int64_t> starts(std::size_t(x.rows()), run.t[0]);
  const Matrix noisy = solution::add_noise(right.records[1].value, noise, starts, alphas_cumprod);
  run.noisy = (noisy.array() - float(codec.shift)) * float(codec.scale);
  return finished(right, run, options.prediction, options.prediction, 1.0, codec, alphas_cumprod);
}
}  // namespace noise_before_scale
MISCONCEPTION(noise_before_scale, trace_pipeline, "pipeline.noise-before-scale",
              "You added noise before scaling. The noise belongs to the scaled latent, whose "
              "variance is about 1.",
              "The schedule assumes a signal of variance 1. Stable Diffusion's raw latents have a "
              "deviation of 5.5: noise of variance 1 hardly touches them, and scaled down with "
              "them it has 0.18.")

namespace no_noise {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  Run run = run_of(right);
  run.noisy = run.z;
  return finished(right, run, options.prediction, options.prediction, 1.0, codec, alphas_cumprod);
}
}  // namespace no_noise
MISCONCEPTION(
    no_noise, trace_pipeline, "pipeline.no-noise",
    "The latent went into the loop without noise. It gets that of the first timestep that is run.",
    "A common sketch of image-to-image goes from encode straight to the loop. A denoiser that is "
    "told t = 800 and shown a clean latent takes the image itself for noise.")

namespace noise_of_the_last_timestep {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  Run run = run_of(right);
  const std::vector<std::int64_t> starts(std::size_t(x.rows()), alphas_cumprod.size() - 1);
  run.noisy = solution::add_noise(run.z, noise, starts, alphas_cumprod);
  return finished(right, run, options.prediction, options.prediction, 1.0, codec, alphas_cumprod);
}
}  // namespace noise_of_the_last_timestep
MISCONCEPTION(
    noise_of_the_last_timestep, trace_pipeline, "pipeline.noise-of-the-last-timestep",
    "You added the noise of timestep T - 1. The loop begins at another one, which is told "
    "less noise than there is.",
    "With strength below 1 that is far too much, and with leading spacing it is a little "
    "too much even for the whole schedule.")

namespace noise_of_the_next_timestep {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  Run run = run_of(right);
  const std::int64_t next = std::max<std::int64_t>(run.previous[0], 0);
  const std::vector<std::int64_t> starts(std::size_t(x.rows()), next);
  run.noisy = solution::add_noise(run.z, noise, starts, alphas_cumprod);
  return finished(right, run, options.prediction, options.prediction, 1.0, codec, alphas_cumprod);
}
}  // namespace noise_of_the_next_timestep
MISCONCEPTION(noise_of_the_next_timestep, trace_pipeline, "pipeline.start-off-by-one",
              "You added the noise of the second timestep that is run. It is that of the first.",
              "timesteps[t_start] is the first one that the loop visits; t_start + 1 is one too "
              "far.")

namespace first_part_of_the_steps {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const std::size_t run = solution::trace_pipeline(PIPELINE_ARGUMENTS).records.size() - 6;
  PipelineOptions whole = options;
  whole.strength = 1.0;
  PipelineTrace trace =
      solution::trace_pipeline(x, codec, whole, alphas_cumprod, posterior_noise, noise);
  trace.records.resize(4 + run);
  decode_last(trace, codec);
  return trace;
}
}  // namespace first_part_of_the_steps
MISCONCEPTION(
    first_part_of_the_steps, trace_pipeline, "pipeline.first-part-of-the-steps",
    "You ran the first part of the timesteps and stopped. Strength drops the first part and runs "
    "the rest to the end.",
    "A strength of 0.25 means: little noise, and take all of it away. The first quarter of the "
    "schedule adds all of it and takes a quarter away; what is decoded is noise.")

namespace strength_rounded_up {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions rounded = options;
  const auto steps = double(options.steps);
  if (options.strength > 0.0 && options.strength <= 1.0) {
    rounded.strength = std::min(1.0, (std::ceil(steps * options.strength) + 1e-6) / steps);
  }
  return solution::trace_pipeline(x, codec, rounded, alphas_cumprod, posterior_noise, noise);
}
}  // namespace strength_rounded_up
MISCONCEPTION(strength_rounded_up, trace_pipeline, "pipeline.strength-rounded-up",
              "You rounded S strength up. It is rounded down.",
              "diffusers cuts with int(). With few steps one more is a lot: of 7 steps at strength "
              "0.5, 4 instead of 3.")

namespace strength_ignored {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  solution::trace_pipeline(PIPELINE_ARGUMENTS);
  PipelineOptions whole = options;
  whole.strength = 1.0;
  return solution::trace_pipeline(x, codec, whole, alphas_cumprod, posterior_noise, noise);
}
}  // namespace strength_ignored
MISCONCEPTION(strength_ignored, trace_pipeline, "pipeline.strength-ignored",
              "All timesteps were run. Strength says how many of them.",
              "With an oracle nothing is lost: the image comes back from any amount of noise. A "
              "real denoiser makes another image.")

namespace always_the_mode {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions mode = options;
  mode.sample_posterior = false;
  return solution::trace_pipeline(x, codec, mode, alphas_cumprod, posterior_noise, noise);
}
}  // namespace always_the_mode
MISCONCEPTION(always_the_mode, trace_pipeline, "pipeline.always-the-mode",
              "You took the posterior's mean where a sample was asked for.",
              "encode returns a distribution, and what to do with it is a decision: training "
              "usually samples, editing an image usually does not.")

namespace always_a_sample {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions sample = options;
  sample.sample_posterior = true;
  return solution::trace_pipeline(x, codec, sample, alphas_cumprod, posterior_noise, noise);
}
}  // namespace always_a_sample
MISCONCEPTION(always_a_sample, trace_pipeline, "pipeline.always-a-sample",
              "You drew from the posterior where its mode was asked for.",
              "For image models the deviation is small, and the difference hardly seen. In a test "
              "that compares with decode(mean) it is.")

namespace log_var_not_halved {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  if (!options.sample_posterior) return solution::trace_pipeline(PIPELINE_ARGUMENTS);
  const Index size = codec.decoder_weight.cols();
  LinearCodec doubled = codec;
  doubled.encoder_weight.bottomRows(size) *= 2.0F;
  doubled.encoder_bias.tail(size) *= 2.0F;
  PipelineTrace trace =
      solution::trace_pipeline(x, doubled, options, alphas_cumprod, posterior_noise, noise);
  trace.records[0].value.rightCols(size) /= 2.0F;
  return trace;
}
}  // namespace log_var_not_halved
MISCONCEPTION(
    log_var_not_halved, trace_pipeline, "pipeline.log-variance-not-halved",
    "You multiplied the posterior's noise by e^l, the variance. Its deviation is e^(l/2).",
    "Exercise 2.3 is about this one.")

namespace one_noise_for_both {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  solution::trace_pipeline(PIPELINE_ARGUMENTS);
  return solution::trace_pipeline(x, codec, options, alphas_cumprod, noise, noise);
}
}  // namespace one_noise_for_both
MISCONCEPTION(
    one_noise_for_both, trace_pipeline, "pipeline.one-noise-for-both",
    "The posterior was sampled with the noise that is added later. It has its own.",
    "Two draws that should be independent are one: what the posterior added, the schedule "
    "adds again in the same direction.")

namespace moments_exchanged {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const Index size = codec.decoder_weight.cols();
  solution::trace_pipeline(PIPELINE_ARGUMENTS);
  LinearCodec exchanged = codec;
  exchanged.encoder_weight << codec.encoder_weight.bottomRows(size),
      codec.encoder_weight.topRows(size);
  exchanged.encoder_bias << codec.encoder_bias.tail(size), codec.encoder_bias.head(size);
  PipelineTrace trace =
      solution::trace_pipeline(x, exchanged, options, alphas_cumprod, posterior_noise, noise);
  const Matrix moments = trace.records[0].value;
  trace.records[0].value << moments.rightCols(size), moments.leftCols(size);
  return trace;
}
}  // namespace moments_exchanged
MISCONCEPTION(moments_exchanged, trace_pipeline, "pipeline.moments-exchanged",
              "You took the second half of the moments for the means. The first half is.",
              "chunk(2, dim=1) returns mean and logarithm of the variance, in that order.")

namespace scheduler_expects_epsilon {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  return finished(right, run_of(right), options.prediction, PredictionType::kEpsilon, 1.0, codec,
                  alphas_cumprod);
}
}  // namespace scheduler_expects_epsilon
MISCONCEPTION(
    scheduler_expects_epsilon, trace_pipeline, "pipeline.scheduler-expects-epsilon",
    "The denoiser puts out what the options say, and your scheduler takes it for epsilon. Tell the "
    "step which prediction it is.",
    "Model and scheduler have configurations of their own. With the wrong one every tensor has the "
    "right shape and the image is noise. Here the invariant catches it.")

namespace denoiser_puts_out_epsilon {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  return finished(right, run_of(right), PredictionType::kEpsilon, PredictionType::kEpsilon, 1.0,
                  codec, alphas_cumprod);
}
}  // namespace denoiser_puts_out_epsilon
MISCONCEPTION(denoiser_puts_out_epsilon, trace_pipeline, "pipeline.denoiser-puts-out-epsilon",
              "Your denoiser always puts out epsilon. It puts out what the options say.",
              "As long as the scheduler agrees, the image is right, whatever the two talk about. A "
              "trace that says what the model's output is shows it.")

namespace ends_at_first_alpha {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  return finished(right, run_of(right), options.prediction, options.prediction, alphas_cumprod(0),
                  codec, alphas_cumprod);
}
}  // namespace ends_at_first_alpha
MISCONCEPTION(
    ends_at_first_alpha, trace_pipeline, "pipeline.ends-at-first-alpha",
    "Your last step goes to a_0, and some noise is left. Here it goes to a = 1.",
    "With set_alpha_to_one false that is what Stable Diffusion's DDIM does. The image is off by "
    "sqrt(1 - a_0) times the noise, 3 % of it, and the invariant no longer holds exactly.")

namespace strides_of_the_ratio {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const PipelineTrace right = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  Run run = run_of(right);
  const std::int64_t ratio = alphas_cumprod.size() / options.steps;
  for (std::size_t i = 0; i < run.t.size(); ++i)
    run.previous[i] = std::max<std::int64_t>(run.t[i] - ratio, -1);
  PipelineTrace trace =
      finished(right, run, options.prediction, options.prediction, 1.0, codec, alphas_cumprod);
  for (std::size_t i = 0; i < trace.records.size(); ++i) trace.records[i].t = right.records[i].t;
  return trace;
}
}  // namespace strides_of_the_ratio
MISCONCEPTION(
    strides_of_the_ratio, trace_pipeline, "pipeline.strides-of-the-ratio",
    "Your steps go to t - T/S instead of the next timestep in the list.",
    "huggingface/diffusers issue 12633. The oracle forgives it: knowing the image, it calls noise "
    "whatever is left. A trained denoiser is told a noise level that is not the latent's.")

namespace offset_not_passed_on {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions plain = options;
  plain.offset = 0;
  return solution::trace_pipeline(x, codec, plain, alphas_cumprod, posterior_noise, noise);
}
}  // namespace offset_not_passed_on
MISCONCEPTION(offset_not_passed_on, trace_pipeline, "pipeline.offset-not-passed-on",
              "The offset of the timesteps was left out.", "It is 1 for Stable Diffusion.")

namespace always_leading {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions leading = options;
  leading.spacing = TimestepSpacing::kLeading;
  return solution::trace_pipeline(x, codec, leading, alphas_cumprod, posterior_noise, noise);
}
}  // namespace always_leading
MISCONCEPTION(always_leading, trace_pipeline, "pipeline.always-leading",
              "You used leading whatever the spacing is.",
              "The spacing decides at which noise level a sampler starts: leading well below "
              "T - 1, the other two at it.")

namespace records_where_it_came_from {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineTrace trace = solution::trace_pipeline(PIPELINE_ARGUMENTS);
  for (std::size_t i = 5; i + 2 < trace.records.size(); i += 2)
    trace.records[i].t = trace.records[i - 1].t;
  return trace;
}
}  // namespace records_where_it_came_from
MISCONCEPTION(records_where_it_came_from, trace_pipeline, "pipeline.records-old-timestep",
              "A latent that a step has made is recorded with the timestep it came from. It is at "
              "the one it went to.",
              "A trace is read to find out how noisy a tensor should be. With the old timestep "
              "every latent looks too clean.")

namespace decoder_without_bias {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  LinearCodec plain = codec;
  plain.decoder_bias.setZero();
  return solution::trace_pipeline(x, plain, options, alphas_cumprod, posterior_noise, noise);
}
}  // namespace decoder_without_bias
MISCONCEPTION(decoder_without_bias, trace_pipeline, "pipeline.decoder-without-bias",
              "The decoder's bias is missing.", "y W^T + b, on both sides of the latent.")

namespace encoder_without_bias {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  LinearCodec plain = codec;
  plain.encoder_bias.setZero();
  return solution::trace_pipeline(x, plain, options, alphas_cumprod, posterior_noise, noise);
}
}  // namespace encoder_without_bias
MISCONCEPTION(encoder_without_bias, trace_pipeline, "pipeline.encoder-without-bias",
              "The encoder's bias is missing.", "x W^T + b, on both sides of the latent.")

namespace batch_without_rows_refused {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  require(x.rows() > 0, "at least one image");
  return solution::trace_pipeline(PIPELINE_ARGUMENTS);
}
}  // namespace batch_without_rows_refused
MISCONCEPTION(batch_without_rows_refused, trace_pipeline, "pipeline.no-rows-refused",
              "A batch without rows was refused. It has a trace, too, of empty tensors.",
              "No stage divides by N.")

namespace codec_unchecked {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  LinearCodec fitting = codec;
  const Index size = codec.decoder_weight.cols(), d = x.cols();
  fitting.encoder_weight.conservativeResize(2 * size, d);
  fitting.encoder_bias.conservativeResize(2 * size);
  fitting.decoder_weight.conservativeResize(d, size);
  fitting.decoder_bias.conservativeResize(d);
  return solution::trace_pipeline(x, fitting, options, alphas_cumprod, posterior_noise, noise);
}
}  // namespace codec_unchecked
MISCONCEPTION(codec_unchecked, trace_pipeline, "pipeline.codec-unchecked",
              "An encoder or a decoder that does not fit was accepted.",
              "An encoder with 2 L + 1 outputs has halves of different sizes.")

namespace noises_unchecked {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  const Index size = codec.decoder_weight.cols();
  Matrix fitting = noise, posterior = posterior_noise;
  fitting.conservativeResize(x.rows(), size);
  posterior.conservativeResize(x.rows(), size);
  return solution::trace_pipeline(x, codec, options, alphas_cumprod, posterior, fitting);
}
}  // namespace noises_unchecked
MISCONCEPTION(
    noises_unchecked, trace_pipeline, "pipeline.noise-unchecked",
    "Noise of another shape than the latent was accepted.",
    "Noise is drawn for the latent, not for the image: a common slip is to draw it before "
    "encoding.")

namespace zero_scale_accepted {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  LinearCodec safe = codec;
  if (codec.scale == 0.0) safe.scale = 1.0;
  return solution::trace_pipeline(x, safe, options, alphas_cumprod, posterior_noise, noise);
}
}  // namespace zero_scale_accepted
MISCONCEPTION(zero_scale_accepted, trace_pipeline, "pipeline.zero-scale",
              "A scale of 0 was accepted.",
              "It makes every latent the same, and the way back is a division by 0.")

namespace strength_clamped {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions safe = options;
  if (!(options.strength > 0.0 && options.strength <= 1.0)) safe.strength = 1.0;
  return solution::trace_pipeline(x, codec, safe, alphas_cumprod, posterior_noise, noise);
}
}  // namespace strength_clamped
MISCONCEPTION(strength_clamped, trace_pipeline, "pipeline.strength-unchecked",
              "A strength that is not above 0 and at most 1 was accepted.",
              "80 for 80 percent would otherwise mean all the steps that there are.")

namespace at_least_one_step {
PipelineTrace trace_pipeline(PIPELINE_PARAMETERS) {
  PipelineOptions safe = options;
  const double least = (1.0 + 1e-6) / double(options.steps);
  if (options.strength > 0.0 && options.strength < least) safe.strength = least;
  return solution::trace_pipeline(x, codec, safe, alphas_cumprod, posterior_noise, noise);
}
}  // namespace at_least_one_step
MISCONCEPTION(
    at_least_one_step, trace_pipeline, "pipeline.no-step-accepted",
    "A strength with which no step is run was accepted, and one step was run.",
    "floor(S strength) is 0: there is no first timestep, and so no noise level to add. In "
    "diffusers timesteps[:1] of an empty list is what fails, some lines further down.")

// ---- 9.8 euler_step ----------------------------------------------------------------------------

namespace walks_backwards {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  require(output.rows() == sample.rows() && output.cols() == sample.cols(), "shapes");
  require(sigma > 0.0 && next_sigma >= 0.0, "sigmas");
  Matrix x0 = output;
  if (prediction == PredictionType::kEpsilon) x0 = sample - float(sigma) * output;
  if (prediction == PredictionType::kVelocity) {
    const double total = sigma * sigma + 1.0;
    x0 = sample / float(total) - float(sigma / std::sqrt(total)) * output;
  }
  return {sample + (sample - x0) / float(sigma) * float(sigma - next_sigma), x0};
}
}  // namespace walks_backwards
MISCONCEPTION(walks_backwards, euler_step, "euler.backwards",
              "You walked towards the noise. The length of the step is sigma' - sigma, which is "
              "negative.",
              "(x - x0) / sigma points to the noise, and dt is below 0: two signs, one of which is "
              "often written as if it were a length.")

namespace stays_on_the_circle {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  solution::euler_step(sample, output, sigma, next_sigma, prediction);
  const Matrix scaled = sample / float(std::sqrt(sigma * sigma + 1.0));
  return solution::euler_step(scaled, output, sigma, next_sigma, prediction);
}
}  // namespace stays_on_the_circle
MISCONCEPTION(
    stays_on_the_circle, euler_step, "euler.scaled-sample",
    "You walked from the scaled sample, x / sqrt(sigma^2 + 1). That one is for the model only; the "
    "step wants x.",
    "The full loop in diffusers' own test of the Euler scheduler overwrites the sample with the "
    "scaled one before it calls step. Its golden sum, 10.0807, comes out only in that way; without "
    "it the sum is 168.0514.")

namespace velocity_by_ddim {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  DenoisingStep step = solution::euler_step(sample, output, sigma, next_sigma, prediction);
  if (prediction != PredictionType::kVelocity) return step;
  const double total = sigma * sigma + 1.0;
  step.x0 = sample / float(std::sqrt(total)) - float(sigma / std::sqrt(total)) * output;
  step.prev = sample + float((next_sigma - sigma) / sigma) * (sample - step.x0);
  return step;
}
}  // namespace velocity_by_ddim
MISCONCEPTION(
    velocity_by_ddim, euler_step, "euler.velocity-skip-rooted",
    "For velocity you divided x by sqrt(sigma^2 + 1). x is x_t / sqrt(a) here, so it takes a = 1 / "
    "(sigma^2 + 1) without a root.",
    "huggingface/diffusers issue 7046 asks for that root. It would be right for a sample that has "
    "been scaled; the step is given one that has not.")

namespace velocity_sign_of_output {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  const bool v = prediction == PredictionType::kVelocity;
  return solution::euler_step(sample, v ? Matrix(-output) : output, sigma, next_sigma, prediction);
}
}  // namespace velocity_sign_of_output
MISCONCEPTION(
    velocity_sign_of_output, euler_step, "euler.velocity-sign",
    "For velocity the output is subtracted: - sigma o / sqrt(sigma^2 + 1).",
    "huggingface/diffusers issue 1481 takes the minus for a mistake, by comparison with a paper "
    "whose network has the other sign. It is no mistake: v points to the noise.")

namespace euler_ignores_the_type {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType) {
  return solution::euler_step(sample, output, sigma, next_sigma, PredictionType::kEpsilon);
}
}  // namespace euler_ignores_the_type
MISCONCEPTION(euler_ignores_the_type, euler_step, "euler.type-ignored",
              "You took every output for epsilon. The last argument says what it is.",
              "For epsilon, (x - x0) / sigma is the output itself, and the detour through x0 looks "
              "idle. It is there for the other two.")

namespace sample_left_alone {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  DenoisingStep step = solution::euler_step(sample, output, sigma, next_sigma, prediction);
  if (prediction == PredictionType::kSample)
    step.prev = sample + float(next_sigma - sigma) * output;
  return step;
}
}  // namespace sample_left_alone
MISCONCEPTION(sample_left_alone, euler_step, "euler.sample-as-direction",
              "For sample you walked along the output. The direction is (x - x0) / sigma.",
              "x0 is a place, eps a direction.")

namespace direction_not_divided {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  DenoisingStep step = solution::euler_step(sample, output, sigma, next_sigma, prediction);
  step.prev = sample + float(next_sigma - sigma) * (sample - step.x0);
  return step;
}
}  // namespace direction_not_divided
MISCONCEPTION(direction_not_divided, euler_step, "euler.direction-not-divided",
              "The direction is (x - x0) / sigma; you did not divide.",
              "At next_sigma = 0 the step has to arrive at x0, which is a good test.")

namespace euler_shapes_unchecked {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  Matrix fitting = output;
  fitting.conservativeResizeLike(Matrix::Zero(sample.rows(), sample.cols()));
  return solution::euler_step(sample, fitting, sigma, next_sigma, prediction);
}
}  // namespace euler_shapes_unchecked
MISCONCEPTION(euler_shapes_unchecked, euler_step, "euler.shapes-unchecked",
              "An output of another shape than the sample was accepted.",
              "A model that predicts a variance as well puts out twice as much.")

namespace euler_sigma_unchecked {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  if (sigma > 0.0)
    return solution::euler_step(sample, output, sigma, std::abs(next_sigma), prediction);
  return {sample, sample};
}
}  // namespace euler_sigma_unchecked
MISCONCEPTION(euler_sigma_unchecked, euler_step, "euler.sigma-unchecked",
              "A sigma that is not above 0, or a negative next one, was accepted.",
              "At sigma = 0 there is no noise, no direction, and nothing to do.")

namespace no_rows_no_euler {
DenoisingStep euler_step(const Matrix& sample, const Matrix& output, double sigma,
                         double next_sigma, PredictionType prediction) {
  require(sample.rows() > 0, "rows");
  return solution::euler_step(sample, output, sigma, next_sigma, prediction);
}
}  // namespace no_rows_no_euler
MISCONCEPTION(no_rows_no_euler, euler_step, "euler.no-rows-refused",
              "A batch without rows was refused. A step of it is empty.",
              "Nothing in a step needs a row.")

namespace input_not_rooted {
Matrix scale_model_input(const Matrix& sample, double sigma) {
  return solution::scale_model_input(sample, sigma) / float(std::sqrt(sigma * sigma + 1.0));
}
}  // namespace input_not_rooted
MISCONCEPTION(input_not_rooted, scale_model_input, "euler.input-not-rooted",
              "You divided by sigma^2 + 1. That is the variance of x; divide by its root.",
              "The model was trained on latents of variance 1.")

namespace input_over_sigma {
Matrix scale_model_input(const Matrix& sample, double sigma) {
  solution::scale_model_input(sample, sigma);
  return sigma == 0.0 ? sample : Matrix(sample / float(sigma));
}
}  // namespace input_over_sigma
MISCONCEPTION(input_over_sigma, scale_model_input, "euler.input-over-sigma",
              "You divided by sigma. The signal has a variance, too: sqrt(sigma^2 + 1).",
              "For large sigma it makes no difference, for the last steps a large one.")

namespace input_of_any_sigma {
Matrix scale_model_input(const Matrix& sample, double sigma) {
  return sample / float(std::sqrt(sigma * sigma + 1.0));
}
}  // namespace input_of_any_sigma
MISCONCEPTION(input_of_any_sigma, scale_model_input, "euler.input-unchecked",
              "A negative sigma was accepted. The square hides its sign.",
              "A standard deviation is not negative; whoever hands one over has mixed something "
              "up.")

namespace ends_at_smallest_sigma {
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  DoubleVector sigmas = solution::euler_sigmas(timesteps, alphas_cumprod);
  sigmas(sigmas.size() - 1) = std::sqrt((1.0 - alphas_cumprod(0)) / alphas_cumprod(0));
  return sigmas;
}
}  // namespace ends_at_smallest_sigma
MISCONCEPTION(ends_at_smallest_sigma, euler_sigmas, "euler.ends-at-smallest-sigma",
              "Your last sigma is that of timestep 0. The last step goes to 0, where no noise is "
              "left.",
              "diffusers has it as final_sigmas_type sigma_min, and zero is the default.")

namespace nothing_appended {
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  return solution::euler_sigmas(timesteps, alphas_cumprod).head(timesteps.size());
}
}  // namespace nothing_appended
MISCONCEPTION(nothing_appended, euler_sigmas, "euler.no-zero-appended",
              "There is no 0 at the end: S timesteps have S + 1 sigmas, S steps between them.",
              "Without it the loop stops one step before the image.")

namespace nearest_sigma {
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  return solution::euler_sigmas(timesteps.array().floor(), alphas_cumprod);
}
}  // namespace nearest_sigma
MISCONCEPTION(nearest_sigma, euler_sigmas, "euler.fraction-cut-off",
              "You cut the fraction of the timestep off. sigma goes in a straight line from one "
              "timestep to the next.",
              "An index has to be whole, a timestep need not be. linspace over 1000 timesteps has "
              "fractions nearly everywhere.")

namespace line_in_alpha {
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  DoubleVector sigmas = solution::euler_sigmas(timesteps, alphas_cumprod);
  for (Index i = 0; i < timesteps.size(); ++i) {
    const auto below = static_cast<Index>(timesteps(i));
    const Index above = std::min(below + 1, alphas_cumprod.size() - 1);
    const double share = timesteps(i) - double(below);
    const double a = (1.0 - share) * alphas_cumprod(below) + share * alphas_cumprod(above);
    sigmas(i) = std::sqrt((1.0 - a) / a);
  }
  return sigmas;
}
}  // namespace line_in_alpha
MISCONCEPTION(line_in_alpha, euler_sigmas, "euler.line-in-alpha",
              "You interpolated a and made sigma of it. sigma itself is interpolated.",
              "For whole timesteps both agree. Between them they differ in the fourth digit, and "
              "an implementation that is compared with another one in the fifth.")

namespace timesteps_held {
DoubleVector euler_sigmas(const DoubleVector& timesteps, const DoubleVector& alphas_cumprod) {
  const double last = double(alphas_cumprod.size() - 1);
  DoubleVector alphas = alphas_cumprod.cwiseMax(1e-12).cwiseMin(1.0);
  return solution::euler_sigmas(timesteps.cwiseMax(0.0).cwiseMin(last), alphas);
}
}  // namespace timesteps_held
MISCONCEPTION(timesteps_held, euler_sigmas, "euler.timesteps-unchecked",
              "A timestep out of range, or an a of 0, was accepted.",
              "numpy.interp holds the end values beyond the ends, and so hides a timestep that is "
              "out of range.")

namespace shifted_twice {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  const DoubleVector once = solution::flow_sigmas(train_steps, steps, shift);
  DoubleVector sigmas = once;
  const double last = 1.0 / double(train_steps);
  const double start = shift * last / (1.0 + (shift - 1.0) * last);
  for (Index i = 0; i < steps; ++i) {
    const double share = steps == 1 ? 0.0 : double(i) / double(steps - 1);
    const double s = 1.0 + share * (start - 1.0);
    sigmas(i) = shift * s / (1.0 + (shift - 1.0) * s);
  }
  return sigmas;
}
}  // namespace shifted_twice
MISCONCEPTION(
    shifted_twice, flow_sigmas, "flow.shifted-twice",
    "You shifted twice: the range from 1 to 1/T had been shifted when the steps were laid out in "
    "it. Lay them out first, shift once.",
    "huggingface/diffusers issue 13243, open when this was written: the scheduler remembers its "
    "smallest sigma after shifting, and set_timesteps shifts again. With shift 3 and 28 steps the "
    "last sigma is 0.0089286 where it should be 0.002994.")

namespace shift_inverted {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  return solution::flow_sigmas(train_steps, steps, shift > 0.0 ? 1.0 / shift : shift);
}
}  // namespace shift_inverted
MISCONCEPTION(shift_inverted, flow_sigmas, "flow.shift-inverted",
              "You shifted the other way. A shift above 1 makes sigmas larger.",
              "s / (k + (1 - k) s) is the inverse of k s / (1 + (k - 1) s): the same with 1/k.")

namespace shift_forgotten {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  solution::flow_sigmas(train_steps, steps, shift);
  return solution::flow_sigmas(train_steps, steps, 1.0);
}
}  // namespace shift_forgotten
MISCONCEPTION(shift_forgotten, flow_sigmas, "flow.shift-forgotten", "The shift is missing.",
              "Large images keep their structure through more noise than small ones, since "
              "neighbouring pixels say the same. The shift spends the steps where it is lost.")

namespace flow_without_zero {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  return solution::flow_sigmas(train_steps, steps, shift).head(steps);
}
}  // namespace flow_without_zero
MISCONCEPTION(flow_without_zero, flow_sigmas, "flow.no-zero-appended",
              "There is no 0 at the end: S steps have S + 1 places.",
              "Without it the last step stops at a share of 1/T, shifted, of noise.")

namespace flow_to_zero {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  DoubleVector sigmas = solution::flow_sigmas(train_steps, steps, shift);
  for (Index i = 0; i < steps; ++i) {
    const double s = 1.0 - double(i) / double(steps);
    sigmas(i) = shift * s / (1.0 + (shift - 1.0) * s);
  }
  return sigmas;
}
}  // namespace flow_to_zero
MISCONCEPTION(flow_to_zero, flow_sigmas, "flow.steps-to-zero",
              "Your equal steps go from 1 to 0. They go from 1 to 1/T, and the 0 comes after them.",
              "Flux's own code has steps from 1 to 0, as you do; diffusers goes to 1/T. Both are "
              "in use, and the contract names one.")

namespace flow_counts_unchecked {
DoubleVector flow_sigmas(std::int64_t train_steps, std::int64_t steps, double shift) {
  if (steps < 1) return DoubleVector::Zero(1);
  return solution::flow_sigmas(std::max<std::int64_t>(train_steps, 1), steps,
                               shift > 0.0 ? shift : 1.0);
}
}  // namespace flow_counts_unchecked
MISCONCEPTION(flow_counts_unchecked, flow_sigmas, "flow.counts-unchecked",
              "No step, no timestep, or a shift that is not above 0 was accepted.",
              "A shift of 0 sends every share to 0: all steps at the clean end, none at the noise.")

namespace flow_uphill {
Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  solution::flow_match_step(sample, output, s, next_s);
  return sample + float(s - next_s) * output;
}
}  // namespace flow_uphill
MISCONCEPTION(
    flow_uphill, flow_match_step, "flow.backwards",
    "You walked towards the noise: the factor is s' - s, which is negative.",
    "diffusers has a branch with per-token timesteps in which dt is s - s', and the sign before it "
    "another one. Copying half of it is how this happens.")

namespace flow_all_the_way {
Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  solution::flow_match_step(sample, output, s, next_s);
  return sample - float(s) * output;
}
}  // namespace flow_all_the_way
MISCONCEPTION(flow_all_the_way, flow_match_step, "flow.to-the-end",
              "You went all the way to x0. A step goes to next_s.",
              "x - s u is the clean latent that the step aims at. Going there at once is sampling "
              "with one step.")

namespace flow_with_euler_division {
Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  const Matrix right = solution::flow_match_step(sample, output, s, next_s);
  return s == 0.0 ? right : Matrix(sample + float((next_s - s) / s) * output);
}
}  // namespace flow_with_euler_division
MISCONCEPTION(flow_with_euler_division, flow_match_step, "flow.divided-by-share",
              "You divided by s. u is a direction already: x + (s' - s) u.",
              "In sigma space (x - x0) / sigma makes a direction of a difference. A flow model "
              "puts the direction out itself.")

namespace flow_step_unchecked {
Matrix flow_match_step(const Matrix& sample, const Matrix& output, double s, double next_s) {
  Matrix fitting = output;
  fitting.conservativeResizeLike(Matrix::Zero(sample.rows(), sample.cols()));
  return sample + float(next_s - s) * fitting;
}
}  // namespace flow_step_unchecked
MISCONCEPTION(flow_step_unchecked, flow_match_step, "flow.step-unchecked",
              "An output of another shape, or a share that is not from 0 to 1, was accepted.",
              "Timesteps of a flow go up to 1000, its shares to 1. Handing over the timestep makes "
              "a step a thousand times too long.")

// ---- 9.9 classifier_free_guidance --------------------------------------------------------------

namespace from_the_condition {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  require(conditional.rows() == unconditional.rows(), "rows");
  require(conditional.cols() == unconditional.cols(), "columns");
  return conditional + float(scale) * (conditional - unconditional);
}
}  // namespace from_the_condition
MISCONCEPTION(
    from_the_condition, classifier_free_guidance, "guidance.from-the-condition",
    "You started from c: c + w (c - u). It starts from u, so that a scale of 1 gives c.",
    "The paper's w is that one: its 0 is what a scale of 1 is here. Libraries use u + w (c - u), "
    "and a number copied from one to the other is off by 1.")

namespace exchanged_guidance {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  return solution::classifier_free_guidance(conditional, unconditional, scale);
}
}  // namespace exchanged_guidance
MISCONCEPTION(exchanged_guidance, classifier_free_guidance, "guidance.exchanged",
              "u and c are exchanged: the image is driven away from the condition.",
              "chunk(2) of a batch returns the halves in the order in which they were put in: "
              "unconditional first, in most pipelines.")

namespace weighted_sum {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  solution::classifier_free_guidance(unconditional, conditional, scale);
  return float(scale) * conditional + float(1.0 + scale) * unconditional;
}
}  // namespace weighted_sum
MISCONCEPTION(weighted_sum, classifier_free_guidance, "guidance.sign",
              "The factor of u is 1 - w, not 1 + w: the two add up to 1.",
              "If u and c agree, guidance must change nothing.")

namespace average_of_both {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  const Matrix sum = solution::classifier_free_guidance(unconditional, conditional, scale);
  return scale <= 1.0 ? sum : Matrix(unconditional + (sum - unconditional) / float(scale));
}
}  // namespace average_of_both
MISCONCEPTION(average_of_both, classifier_free_guidance, "guidance.never-beyond",
              "Your result never gets beyond c. A scale above 1 goes there on purpose.",
              "Guidance is extrapolation. That is why it makes values that no image has, and why "
              "thresholding was invented.")

namespace guidance_unchecked {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  Matrix fitting = conditional;
  fitting.conservativeResizeLike(Matrix::Zero(unconditional.rows(), unconditional.cols()));
  return solution::classifier_free_guidance(unconditional, fitting, scale);
}
}  // namespace guidance_unchecked
MISCONCEPTION(guidance_unchecked, classifier_free_guidance, "guidance.shapes-unchecked",
              "Predictions of different shapes were accepted.",
              "They are the two halves of one batch.")

namespace guidance_needs_rows {
Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  require(unconditional.rows() > 0, "rows");
  return solution::classifier_free_guidance(unconditional, conditional, scale);
}
}  // namespace guidance_needs_rows
MISCONCEPTION(guidance_needs_rows, classifier_free_guidance, "guidance.no-rows-refused",
              "A batch without rows was refused. Its answer is empty.", "Nothing is divided by N.")

namespace limited_only {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  const Matrix right = solution::dynamic_threshold(x0, ratio);
  Matrix limited = x0;
  for (Index n = 0; n < x0.rows(); ++n) {
    // The row's divisor, from an element that the limit has not touched.
    Index smallest = 0;
    x0.row(n).cwiseAbs().minCoeff(&smallest);
    const float m = right(n, smallest) == 0.0F ? 1.0F : x0(n, smallest) / right(n, smallest);
    limited.row(n) = right.row(n) * std::max(1.0F, m);
  }
  return limited;
}
}  // namespace limited_only
MISCONCEPTION(limited_only, dynamic_threshold, "threshold.not-divided",
              "You limited the row and did not divide: it still reaches beyond 1.",
              "Dividing is what makes it dynamic: the image keeps its contrasts and is brought "
              "back into its range as a whole.")

namespace quantile_of_the_batch {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  if (x0.rows() < 2) return solution::dynamic_threshold(x0, ratio);
  const Matrix flat = Eigen::Map<const Matrix>(x0.data(), 1, x0.size());
  const Matrix all = solution::dynamic_threshold(flat, ratio);
  return Eigen::Map<const Matrix>(all.data(), x0.rows(), x0.cols());
}
}  // namespace quantile_of_the_batch
MISCONCEPTION(quantile_of_the_batch, dynamic_threshold, "threshold.quantile-of-the-batch",
              "You took one quantile of the whole batch. Each row has its own.",
              "Otherwise what becomes of an image depends on which others happen to be in its "
              "batch.")

namespace clipped_plainly {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  solution::dynamic_threshold(x0, ratio);
  return x0.cwiseMax(-1.0F).cwiseMin(1.0F);
}
}  // namespace clipped_plainly
MISCONCEPTION(clipped_plainly, dynamic_threshold, "threshold.clipped-plainly",
              "You clipped to [-1, 1]. The limit is the quantile, and the row is divided by it.",
              "Plain clipping saturates whatever guidance has driven out. diffusers' "
              "sample_max_value is 1 by "
              "default, which makes dynamic thresholding just that.")

namespace divided_by_less_than_one {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  Matrix result = solution::dynamic_threshold(x0, ratio);
  const double place = double(x0.cols() - 1) * ratio;
  const auto below = static_cast<Index>(place);
  for (Index n = 0; n < x0.rows(); ++n) {
    RowVector sorted = x0.row(n).cwiseAbs();
    std::sort(sorted.data(), sorted.data() + sorted.size());
    const Index above = std::min(below + 1, sorted.size() - 1);
    const float m = sorted(below) + float(place - double(below)) * (sorted(above) - sorted(below));
    result.row(n) = x0.row(n).cwiseMax(-m).cwiseMin(m) / m;
  }
  return result;
}
}  // namespace divided_by_less_than_one
MISCONCEPTION(divided_by_less_than_one, dynamic_threshold, "threshold.divided-by-less-than-one",
              "A row with small values was divided by a quantile below 1, which blows it up. The "
              "divisor is at least 1.",
              "A dark image would become a bright one.")

namespace quantile_without_magnitudes {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  Matrix result = solution::dynamic_threshold(x0, ratio);
  const double place = double(x0.cols() - 1) * ratio;
  const auto below = static_cast<Index>(place);
  for (Index n = 0; n < x0.rows(); ++n) {
    RowVector sorted = x0.row(n);
    std::sort(sorted.data(), sorted.data() + sorted.size());
    const Index above = std::min(below + 1, sorted.size() - 1);
    const float q = sorted(below) + float(place - double(below)) * (sorted(above) - sorted(below));
    const float m = std::max(1.0F, q);
    result.row(n) = x0.row(n).cwiseMax(-m).cwiseMin(m) / m;
  }
  return result;
}
}  // namespace quantile_without_magnitudes
MISCONCEPTION(quantile_without_magnitudes, dynamic_threshold, "threshold.without-magnitudes",
              "You took the quantile of the values. It is that of their magnitudes.",
              "Values are limited on both sides, so it is their distance from 0 that counts.")

namespace nearest_rank {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  if (x0.cols() < 2 || !(ratio >= 0.0 && ratio <= 1.0))
    return solution::dynamic_threshold(x0, ratio);
  const double steps = double(x0.cols() - 1);
  return solution::dynamic_threshold(x0, std::floor(ratio * steps + 1e-9) / steps);
}
}  // namespace nearest_rank
MISCONCEPTION(nearest_rank, dynamic_threshold, "threshold.quantile-not-interpolated",
              "Your quantile is always one of the magnitudes. It lies on the line between two "
              "neighbours.",
              "torch.quantile interpolates unless it is told otherwise.")

namespace threshold_unchecked {
Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  if (x0.cols() == 0) return x0;
  const double share = ratio >= 0.0 ? std::min(ratio, 1.0) : 0.0;
  return solution::dynamic_threshold(x0, share);
}
}  // namespace threshold_unchecked
MISCONCEPTION(threshold_unchecked, dynamic_threshold, "threshold.unchecked",
              "A ratio that is not from 0 to 1, or a matrix without columns, was accepted.",
              "99.5 is a percentile, 0.995 a quantile.")

namespace alpha_rescaled {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  solution::rescale_zero_terminal_snr(alphas_cumprod);
  const double first = alphas_cumprod(0), last = alphas_cumprod(alphas_cumprod.size() - 1);
  return (alphas_cumprod.array() - last) * (first / (first - last));
}
}  // namespace alpha_rescaled
MISCONCEPTION(alpha_rescaled, rescale_zero_terminal_snr, "zero-snr.alpha-rescaled",
              "You moved a itself onto the line. It is sqrt(a), the factor of the signal, that is "
              "moved and stretched.",
              "Both have the right ends. In between, Stable Diffusion's a_500 is 0.273 instead of "
              "0.241, which is another schedule than models with this name were trained on.")

namespace last_set_to_zero {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  DoubleVector a = solution::rescale_zero_terminal_snr(alphas_cumprod);
  a.head(a.size() - 1) = alphas_cumprod.head(a.size() - 1);
  return a;
}
}  // namespace last_set_to_zero
MISCONCEPTION(last_set_to_zero, rescale_zero_terminal_snr, "zero-snr.last-only",
              "You set the last a to 0 and left the others. They move along.",
              "Then one step would have to do what the whole schedule failed to do.")

namespace first_not_kept {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  solution::rescale_zero_terminal_snr(alphas_cumprod);
  const double last = std::sqrt(alphas_cumprod(alphas_cumprod.size() - 1));
  return (alphas_cumprod.array().sqrt() - last).square();
}
}  // namespace first_not_kept
MISCONCEPTION(first_not_kept, rescale_zero_terminal_snr, "zero-snr.first-not-kept",
              "You subtracted the last value and did not stretch. The first one has to stay.",
              "All signal would be reduced, the clean end included.")

namespace not_squared_again {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  return solution::rescale_zero_terminal_snr(alphas_cumprod).cwiseSqrt();
}
}  // namespace not_squared_again
MISCONCEPTION(not_squared_again, rescale_zero_terminal_snr, "zero-snr.not-squared-again",
              "You returned sqrt(a). Square it again.",
              "Whoever takes the root afterwards, as add_noise does, takes it twice.")

namespace done_already_refused {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  require((alphas_cumprod.array() > 0.0).all() && (alphas_cumprod.array() < 1.0).all(), "range");
  return solution::rescale_zero_terminal_snr(alphas_cumprod);
}
}  // namespace done_already_refused
MISCONCEPTION(done_already_refused, rescale_zero_terminal_snr, "zero-snr.ends-refused",
              "A schedule that ends in 0, or begins with 1, was refused.",
              "Applied twice the function changes nothing, which is a good property of it.")

namespace schedule_unchecked {
DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  DoubleVector a = alphas_cumprod.cwiseMax(0.0).cwiseMin(1.0);
  if (a.size() < 2 || a(0) <= a(a.size() - 1)) return a;
  return solution::rescale_zero_terminal_snr(a);
}
}  // namespace schedule_unchecked
MISCONCEPTION(schedule_unchecked, rescale_zero_terminal_snr, "zero-snr.unchecked",
              "A schedule that does not fall, or is no schedule, was accepted.",
              "Betas handed over in the place of a rise instead of falling.")

}  // namespace latent

// Wrong answers to lab 04 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   annealing by epoch instead of by step: the function cannot know what its caller counts.
//   cyclical_anneal as a warm-up that never ends: a ramp above 1, which is refused.
//   beta_loss with the gradient of x_hat sent to the decoder only, or dmu without the decoder's
//     path: the contract leaves these to vae_backward, and they are below.
//   implied_decoder_variance with the root missing for sigma: the contract asks for the variance.
//   bce_with_logits on probabilities: for most logits the result is NaN, and nobody stays there.
//   bce_with_logits' gradient with respect to p instead of l: likewise.
//   rate_distortion_law from the correlation matrix: its caller decides whose eigenvalues they are.
//   the sweep itself (fresh seeds per beta, last minibatch reported, totals compared across beta):
//     mistakes of an experiment, asked for in the questions.
//   vae_train_step that keeps one eps for all epochs, or shuffles nothing: its caller's affair.
//   active_units from sampled z, or from log_var: neither is among the arguments.
//   pareto_front unstable under permutation: its order is a property of its own.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "training_a_vae.hpp"

namespace solution = latent;

namespace latent {

// ---- 4.0 annealing -----------------------------------------------------------------------------

namespace anneal_whole_numbers {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(end >= start, "end before start");
  if (step >= end) return to;
  if (step <= start) return from;
  return from + (to - from) * static_cast<double>((step - start) / (end - start));
}
}  // namespace anneal_whole_numbers
MISCONCEPTION(anneal_whole_numbers, linear_anneal, "anneal.integer-division",
              "The share of the ramp was computed with whole numbers, so it is 0 until the end. "
              "Convert before you divide.",
              "In C++ 37 / 100 is 0, and so is everything multiplied by it. Training then runs as "
              "an autoencoder until the last step of the ramp, and falls off a cliff there. Python "
              "divides otherwise, which is why translations have this.")

namespace anneal_open_below {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (step >= start || start == end) return solution::linear_anneal(step, start, end, from, to);
  require(end > start, "end before start");
  return from + (to - from) * static_cast<double>(step - start) / static_cast<double>(end - start);
}
}  // namespace anneal_open_below
MISCONCEPTION(
    anneal_open_below, linear_anneal, "anneal.unlimited-before-start",
    "Before the start the line goes on below the first weight. It has to stay there.",
    "With a first weight of 0 the KL is *rewarded* for some steps: a negative beta. Limit "
    "the share to [0, 1] at both ends.")

namespace anneal_open_above {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (step <= end) return solution::linear_anneal(step, start, end, from, to);
  require(end >= start, "end before start");
  if (end == start) return to;
  return from + (to - from) * static_cast<double>(step - start) / static_cast<double>(end - start);
}
}  // namespace anneal_open_above
MISCONCEPTION(anneal_open_above, linear_anneal, "anneal.unlimited-after-end",
              "After the end the weight goes on rising. It has to stay at its last value.",
              "A schedule for the first tenth of a training ends at ten times the weight that was "
              "meant. It is seen late: in the beginning everything is right.")

namespace anneal_start_ignored {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(end >= start, "end before start");
  if (step >= end) return to;
  if (step <= start) return from;
  return from + (to - from) * static_cast<double>(step) / static_cast<double>(end);
}
}  // namespace anneal_start_ignored
MISCONCEPTION(anneal_start_ignored, linear_anneal, "anneal.start-ignored",
              "The share is step / end. It is counted from the start: (step - start) / (end - "
              "start).",
              "The weight then jumps at the start, to start / end of the way. For a start of 0 "
              "both are the same, and 0 is what one tests with.")

namespace anneal_exchanged {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  return solution::linear_anneal(step, start, end, to, from);
}
}  // namespace anneal_exchanged
MISCONCEPTION(anneal_exchanged, linear_anneal, "anneal.weights-exchanged",
              "First and last weight are exchanged: the ramp runs the other way.",
              "The KL then weighs most while z means nothing yet, and least in the end. That is "
              "the recipe for a collapse.")

namespace anneal_one_step_short {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (step <= start || step >= end) return solution::linear_anneal(step, start, end, from, to);
  const double share = static_cast<double>(step - start) / static_cast<double>(end - start - 1);
  return from + (to - from) * std::min(1.0, share);
}
}  // namespace anneal_one_step_short
MISCONCEPTION(anneal_one_step_short, linear_anneal, "anneal.one-step-short",
              "The ramp arrives one step before its end. Divide by end - start.",
              "The contract's ramp has its first weight *at* start and its last weight *at* end: "
              "that is end - start steps long, not one less.")

namespace anneal_from_zero {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (step <= start || step >= end) return solution::linear_anneal(step, start, end, from, to);
  return to * static_cast<double>(step - start) / static_cast<double>(end - start);
}
}  // namespace anneal_from_zero
MISCONCEPTION(anneal_from_zero, linear_anneal, "anneal.from-zero",
              "The ramp rises from 0 instead of from its first weight.",
              "Most schedules begin at 0, so the term is easily left out. Then the weight drops "
              "from the first value to nothing when the ramp starts.")

namespace anneal_geometric {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (step <= start || step >= end) return solution::linear_anneal(step, start, end, from, to);
  const double share = static_cast<double>(step - start) / static_cast<double>(end - start);
  return from * std::pow(to / from, share);
}
}  // namespace anneal_geometric
MISCONCEPTION(anneal_geometric, linear_anneal, "anneal.geometric",
              "The weight is multiplied by the same factor in each step. Here the same amount is "
              "added.",
              "A geometric ramp is a fine schedule for learning rates. It cannot start at 0, which "
              "is where a KL weight usually starts.")

namespace anneal_rising_only {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(end >= start, "end before start");
  if (step >= end) return to;
  if (step <= start) return from;
  const double weight =
      from + (to - from) * static_cast<double>(step - start) / static_cast<double>(end - start);
  return std::max(from, std::min(to, weight));
}
}  // namespace anneal_rising_only
MISCONCEPTION(anneal_rising_only, linear_anneal, "anneal.rising-only",
              "You limited the weight to [from, to], which assumes that it rises. Limit the share "
              "of the way instead.",
              "Burn-in schedules run from a large weight to a small one. There min and max are the "
              "wrong way round, and the ramp becomes a constant.")

namespace anneal_no_length {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(end >= start, "end before start");
  const double share = static_cast<double>(step - start) / static_cast<double>(end - start);
  return from + (to - from) * std::clamp(share, 0.0, 1.0);
}
}  // namespace anneal_no_length
MISCONCEPTION(anneal_no_length, linear_anneal, "anneal.zero-over-zero",
              "Where start and end are one step, 0 / 0 is NaN there. The weight jumps: it is the "
              "last one from this step on.",
              "Everywhere else infinity is limited to 0 or 1 and the formula works by luck. At "
              "that single step the loss becomes NaN, and the parameters with it.")

namespace anneal_jumps_late {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (step == start) {
    require(end >= start, "end before start");
    return from;
  }
  return solution::linear_anneal(step, start, end, from, to);
}
}  // namespace anneal_jumps_late
MISCONCEPTION(anneal_jumps_late, linear_anneal, "anneal.jumps-a-step-late",
              "Where start and end are one step, your weight jumps one step later. From this step "
              "on it is the last one.",
              "The order of the two questions decides: ask `step >= end` first. A ramp without a "
              "length is how one says \"from step 1000 on\".")

namespace anneal_in_int {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  return solution::linear_anneal(static_cast<std::int32_t>(step), static_cast<std::int32_t>(start),
                                 static_cast<std::int32_t>(end), from, to);
}
}  // namespace anneal_in_int
MISCONCEPTION(anneal_in_int, linear_anneal, "anneal.thirty-two-bits",
              "Steps went through 32 bits and wrapped around. They have 64.",
              "Whoever counts tokens or pixels instead of batches passes 2,147,483,647 within "
              "days.")

namespace anneal_unchecked {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (end < start) std::swap(start, end);
  return solution::linear_anneal(step, start, end, from, to);
}
}  // namespace anneal_unchecked
MISCONCEPTION(anneal_unchecked, linear_anneal, "anneal.end-before-start",
              "An end before the start was accepted. It has to be refused.",
              "Exchanging them silently repairs one typing error and hides another: a length given "
              "where an end was expected.")

namespace cycle_of_ones {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(cycles >= 1 && cycles <= total && step >= 0 && step < total, "out of range");
  require(ramp > 0.0 && ramp <= 1.0, "ramp");
  const std::int64_t period = (total + cycles - 1) / cycles;
  const double tau = static_cast<double>((step % period) * cycles) / static_cast<double>(total);
  return tau >= ramp ? 1.0 : top * tau / ramp;
}
}  // namespace cycle_of_ones
MISCONCEPTION(cycle_of_ones, cyclical_anneal, "cyclical.ones-after-ramp",
              "After the ramp the weight is 1, whatever its top. It rests at the top.",
              "Widely copied versions of the authors' function start from an array of ones and "
              "fill in the ramps. With a top of 0.2 the weight rises to 0.2 and jumps to 1.0. With "
              "a top of 1 nothing is wrong.")

namespace cycle_unlimited {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(ramp > 0.0 && ramp <= 1.0, "ramp");
  return solution::cyclical_anneal(step, total, cycles, 1.0, top) / ramp;
}
}  // namespace cycle_unlimited
MISCONCEPTION(cycle_unlimited, cyclical_anneal, "cyclical.unlimited",
              "The weight goes on rising after the ramp. It rests at its top until the cycle ends.",
              "The rest of the cycle is where the model is trained on the objective that is meant; "
              "the ramp only leads there.")

namespace cycle_whole_numbers {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  const std::int64_t period = (total + cycles - 1) / cycles;
  return right * static_cast<double>((step % period) / period);
}
}  // namespace cycle_whole_numbers
MISCONCEPTION(cycle_whole_numbers, cyclical_anneal, "cyclical.integer-division",
              "The position within the cycle was divided as whole numbers, so it is always 0.",
              "step % period is below period, so their whole quotient is 0: the KL is never "
              "trained, and the model is an autoencoder with noise.")

namespace cycle_slope_of_one {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  return std::min(top, solution::cyclical_anneal(step, total, cycles, ramp, 1.0));
}
}  // namespace cycle_slope_of_one
MISCONCEPTION(cycle_slope_of_one, cyclical_anneal, "cyclical.cut-off-at-top",
              "The ramp aims at 1 and is cut off at the top, so it arrives too early. It reaches "
              "its top when the share R is over.",
              "min(top, tau / R) instead of top * min(1, tau / R). A top of 0.1 is then reached "
              "ten times too soon.")

namespace cycle_period_m {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(cycles >= 1 && cycles <= total, "cycles");
  return solution::cyclical_anneal(step, total, (total + cycles - 1) / cycles, ramp, top);
}
}  // namespace cycle_period_m
MISCONCEPTION(cycle_period_m, cyclical_anneal, "cyclical.cycles-taken-for-period",
              "A cycle lasts M steps in your version. M is the number of cycles; each lasts T / M.",
              "With T = 100 and M = 4 the weight saws up and down every four steps, faster than "
              "any optimiser can follow.")

namespace cycle_ramp_inverted {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(ramp > 0.0 && ramp <= 1.0, "ramp");
  return ramp * solution::cyclical_anneal(step, total, cycles, 1.0, top);
}
}  // namespace cycle_ramp_inverted
MISCONCEPTION(cycle_ramp_inverted, cyclical_anneal, "cyclical.ramp-multiplied",
              "tau was multiplied by R. Divided by R it reaches 1 when the share R is over.",
              "Multiplied, the weight never comes near its top: R = 0.5 ends every cycle at half "
              "of it.")

namespace cycle_only_once {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  return step >= (total + cycles - 1) / cycles ? top : right;
}
}  // namespace cycle_only_once
MISCONCEPTION(cycle_only_once, cyclical_anneal, "cyclical.one-ramp-only",
              "The weight rises once and stays. It falls back to 0 at the start of every cycle.",
              "That is a warm-up. What the later ramps add is that the encoder may reorganise a "
              "code that by now means something.")

namespace cycle_last_at_rest {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  const std::int64_t period = (total + cycles - 1) / cycles;
  return period > 2 && cycles > 1 && step >= (cycles - 1) * period ? top : right;
}
}  // namespace cycle_last_at_rest
MISCONCEPTION(cycle_last_at_rest, cyclical_anneal, "cyclical.last-cycle-flat",
              "The last cycle has no ramp in your version. It starts over like the others.",
              "Ending at rest sounds reasonable, and some schedules do. In this one the ramp of "
              "the last cycle is the same as ever, and the rest comes after it.")

namespace cycle_real_period {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  if (total % cycles == 0) return right;
  const double period = static_cast<double>(total) / static_cast<double>(cycles);
  return top * std::min(1.0, std::fmod(static_cast<double>(step), period) / period / ramp);
}
}  // namespace cycle_real_period
MISCONCEPTION(cycle_real_period, cyclical_anneal, "cyclical.fractional-period",
              "Your period is T / M with its fraction. The contract rounds it up to whole steps.",
              "With a fraction, cycles start between steps, and no two of them are alike. The "
              "published formula takes the remainder by the rounded period and divides by the "
              "unrounded one.")

namespace cycle_period_down {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  if (total % cycles == 0) return right;
  const std::int64_t period = total / cycles;
  const double tau = static_cast<double>((step % period) * cycles) / static_cast<double>(total);
  return top * std::min(1.0, tau / ramp);
}
}  // namespace cycle_period_down
MISCONCEPTION(cycle_period_down, cyclical_anneal, "cyclical.period-rounded-down",
              "The period was rounded down. Rounded up it leaves no step over.",
              "Whole division rounds down by itself. T = 10 and M = 4 then have periods of 2 and a "
              "fifth cycle that nobody asked for.")

namespace cycle_share_of_period {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  if (total % cycles == 0) return right;
  const std::int64_t period = (total + cycles - 1) / cycles;
  const double tau = static_cast<double>(step % period) / static_cast<double>(period);
  return top * std::min(1.0, tau / ramp);
}
}  // namespace cycle_share_of_period
MISCONCEPTION(cycle_share_of_period, cyclical_anneal, "cyclical.divided-by-whole-period",
              "tau was divided by the rounded period. The contract divides by T / M itself.",
              "Both stay within [0, 1]. The difference is how far the ramp gets in a period that "
              "was rounded up; the published formula lets it get as far as in an exact one.")

namespace cycle_falls {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  return top - solution::cyclical_anneal(step, total, cycles, ramp, top);
}
}  // namespace cycle_falls
MISCONCEPTION(cycle_falls, cyclical_anneal, "cyclical.falling",
              "Every cycle starts at the top and falls. It starts at 0 and rises.",
              "Learning rates restart high and fall, which may be where this comes from. A KL "
              "weight begins low, so that the decoder is used to z when the price rises.")

namespace cycle_from_one {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  const double right = solution::cyclical_anneal(step, total, cycles, ramp, top);
  return step == 0 ? right : solution::cyclical_anneal(step - 1, total, cycles, ramp, top);
}
}  // namespace cycle_from_one
MISCONCEPTION(cycle_from_one, cyclical_anneal, "cyclical.counted-from-one",
              "Your weights come one step late: steps are counted from 0 here, not from 1.",
              "The paper writes mod(t - 1, ...) for t = 1, 2, 3. With t = 0, 1, 2 the -1 has to "
              "go.")

namespace cycle_extremes_refused {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(cycles > 1 && cycles < total, "too few or too many cycles");
  return solution::cyclical_anneal(step, total, cycles, ramp, top);
}
}  // namespace cycle_extremes_refused
MISCONCEPTION(cycle_extremes_refused, cyclical_anneal, "cyclical.extremes-refused",
              "A single cycle, or one per step, was refused. Both are within 1 to T.",
              "One cycle is a warm-up, and useful. One per step is useless, but it is a schedule; "
              "a contract that says \"from 1 to T\" includes both ends.")

namespace cycle_step_unchecked {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  return solution::cyclical_anneal(std::abs(step) % std::max<std::int64_t>(total, 1), total, cycles,
                                   ramp, top);
}
}  // namespace cycle_step_unchecked
MISCONCEPTION(cycle_step_unchecked, cyclical_anneal, "cyclical.step-unchecked",
              "A step before the first or after the last was answered. It has to be refused.",
              "A schedule that goes on after T drops the weight to 0 just when somebody trains a "
              "little longer, and nothing says why the samples got worse.")

namespace cycle_count_unchecked {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  return solution::cyclical_anneal(
      step, total, std::clamp<std::int64_t>(cycles, 1, std::max<std::int64_t>(total, 1)), ramp,
      top);
}
}  // namespace cycle_count_unchecked
MISCONCEPTION(cycle_count_unchecked, cyclical_anneal, "cyclical.cycles-unchecked",
              "A number of cycles below 1 or above T was accepted. It has to be refused.",
              "With more cycles than steps every period is rounded up to one step, and the weight "
              "is 0 for ever: a KL that is switched off by a typing error.")

namespace cycle_ramp_unchecked {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  return solution::cyclical_anneal(step, total, cycles, std::clamp(ramp, 1e-9, 1.0), top);
}
}  // namespace cycle_ramp_unchecked
MISCONCEPTION(cycle_ramp_unchecked, cyclical_anneal, "cyclical.ramp-unchecked",
              "A ramp of 0 or below, or above 1, was accepted. It has to be refused.",
              "0 divides by 0 in the first step of a cycle. Above 1 the top is never reached, and "
              "\"50\" for half is the way in which it gets there.")

// ---- 4.1 beta_loss -----------------------------------------------------------------------------

namespace beta_mean_error {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta >= 0.0 && mu.rows() == x.rows(), "beta or rows");
  const Loss error = mse_loss(x_hat, x, Reduction::kMean);
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const auto weight = static_cast<float>(beta);
  return {error.value + beta * kl.value,
          error.value,
          kl.value,
          beta / 2.0,
          {error.gradient, weight * kl.mu, weight * kl.log_var}};
}
}  // namespace beta_mean_error
MISCONCEPTION(beta_mean_error, beta_loss, "beta-loss.error-averaged",
              "You averaged the squared error over features and summed the KL. Both are summed.",
              "The mean makes the error D times smaller, and so beta D times larger: 784 times for "
              "an MNIST digit, 196,608 times for a photograph of 256 pixels squared. What looks "
              "like a collapse at beta = 1 is then one at beta = 784. AntixK/PyTorch-VAE (issues "
              "11 and 56), podgorskiy/VAE (issue 1), orybkin/sigma-vae-tensorflow (issue 2).")

namespace beta_on_error {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  const BetaLoss plain = solution::beta_loss(x, x_hat, mu, log_var, 1.0);
  result.total = beta * result.reconstruction + result.kl;
  result.gradient = {static_cast<float>(beta) * plain.gradient.x_hat, plain.gradient.mu,
                     plain.gradient.log_var};
  return result;
}
}  // namespace beta_on_error
MISCONCEPTION(beta_on_error, beta_loss, "beta-loss.weight-on-error",
              "beta multiplies the squared error. It weighs the KL.",
              "The larger your beta, the better the reconstruction and the worse the prior: every "
              "sentence of every paper on beta-VAEs comes out the wrong way round. At beta = 1 "
              "nobody can tell.")

namespace beta_squared {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta * beta);
  result.decoder_var = beta / 2.0;
  return result;
}
}  // namespace beta_squared
MISCONCEPTION(beta_squared, beta_loss, "beta-loss.weight-squared",
              "The KL was weighted twice: by beta squared.",
              "It happens when a KL that was multiplied when it was logged is multiplied again in "
              "the total. At 0 and 1 it cannot be seen.")

namespace beta_squared_in_value {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.total = result.reconstruction + beta * (beta * result.kl);
  return result;
}
}  // namespace beta_squared_in_value
MISCONCEPTION(
    beta_squared_in_value, beta_loss, "beta-loss.value-weighted-twice",
    "In the total the KL is weighted twice, by beta squared. The gradients have it right.",
    "Two functions that each multiply by beta \"to be safe\" make this. Training is as "
    "it should be and the curve is not, so that runs with different beta are compared by "
    "a number that nobody minimised.")

namespace beta_ignored {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta == 0.0 ? 0.0 : 1.0);
  result.decoder_var = solution::implied_decoder_variance(beta, 1);
  return result;
}
}  // namespace beta_ignored
MISCONCEPTION(beta_ignored, beta_loss, "beta-loss.weight-ignored",
              "The result does not depend on beta. The KL has to be multiplied by it, in the total "
              "and in its gradients.",
              "In lightning-bolts (issue 328) the VAE took a kl_coeff, stored it, and never used "
              "it. A test that the result changes with the argument would have found it.")

namespace beta_only_in_value {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.gradient = solution::beta_loss(x, x_hat, mu, log_var, 1.0).gradient;
  return result;
}
}  // namespace beta_only_in_value
MISCONCEPTION(beta_only_in_value, beta_loss, "beta-loss.gradients-unweighted",
              "The total contains beta, the gradients of mu and log_var do not.",
              "The curve shows one loss and training minimises another. Every beta then gives the "
              "same model, and different numbers for it.")

namespace beta_mu_not_averaged {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.gradient.mu = static_cast<float>(beta) * mu;
  return result;
}
}  // namespace beta_mu_not_averaged
MISCONCEPTION(beta_mu_not_averaged, beta_loss, "beta-loss.mu-not-averaged",
              "The gradient of mu is that of a sum over samples. It carries 1/N: beta mu / N.",
              "The formula in most texts is for one sample. Pasted beside averaged terms it pulls "
              "the means N times too hard, in the gradient only.")

namespace beta_log_var_pushed {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  const auto share = static_cast<float>(beta / (2.0 * static_cast<double>(mu.rows())));
  result.gradient.log_var = share * log_var.array().exp();
  return result;
}
}  // namespace beta_log_var_pushed
MISCONCEPTION(beta_log_var_pushed, beta_loss, "beta-loss.log-var-without-one",
              "The gradient of log_var lacks the -1: it is beta (e^l - 1) / 2N, and 0 at l = 0.",
              "Without it every variance is pushed to 0, whatever the data, and the autoencoder of "
              "lab 01 comes back.")

namespace beta_error_slope {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.gradient.x_hat *= 0.5F;
  return result;
}
}  // namespace beta_error_slope
MISCONCEPTION(beta_error_slope, beta_loss, "beta-loss.two-missing",
              "The gradient of x_hat lacks the 2 of the square: 2 (x_hat - x) / N.",
              "Half of the error's gradient against all of the KL's is a beta of twice the size, "
              "for training. The value still shows the old one.")

namespace beta_error_sign {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.gradient.x_hat = -result.gradient.x_hat;
  return result;
}
}  // namespace beta_error_sign
MISCONCEPTION(beta_error_sign, beta_loss, "beta-loss.arguments-exchanged",
              "The gradient of x_hat has the wrong sign: mse_loss takes the reconstruction first.",
              "The value is symmetric in both, so the loss printed is right, and it grows.")

namespace beta_kl_weighted {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.kl *= beta;
  return result;
}
}  // namespace beta_kl_weighted
MISCONCEPTION(beta_kl_weighted, beta_loss, "beta-loss.kl-reported-weighted",
              "kl was reported times beta. It is the rate in nats; only total contains the weight.",
              "A table of \"KL\" against beta is then a table of products. At small beta the KL "
              "seems to vanish, where in truth it is largest.")

namespace beta_terms_exchanged {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  std::swap(result.reconstruction, result.kl);
  return result;
}
}  // namespace beta_terms_exchanged
MISCONCEPTION(beta_terms_exchanged, beta_loss, "beta-loss.terms-exchanged",
              "The total is right; reconstruction and KL are in each other's places.",
              "Braces fill members in the order of their declaration: total, reconstruction, kl.")

namespace beta_is_variance {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.decoder_var = beta;
  return result;
}
}  // namespace beta_is_variance
MISCONCEPTION(beta_is_variance, beta_loss, "beta-loss.variance-is-beta",
              "decoder_var is beta in your version. It is half of it.",
              "-ELBO has SSE / (2 s2), so SSE + beta KL is 2 s2 times that: beta = 2 s2. The 2 is "
              "the one in the exponent of the Gaussian.")

namespace beta_deviation {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.decoder_var = std::sqrt(beta / 2.0);
  return result;
}
}  // namespace beta_deviation
MISCONCEPTION(beta_deviation, beta_loss, "beta-loss.deviation-for-variance",
              "decoder_var is the standard deviation in your version. The variance is beta / 2.",
              "sqrt(beta / 2) is the s that tables show, 0.7071 for beta = 1. Squared it is the "
              "variance.")

namespace beta_at_least_one {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta >= 0.0, "negative beta");
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, std::max(beta, 1.0));
  result.decoder_var = beta / 2.0;
  return result;
}
}  // namespace beta_at_least_one
MISCONCEPTION(beta_at_least_one, beta_loss, "beta-loss.at-least-one",
              "A beta below 1 was raised to 1. Every beta that is not negative is used as it is.",
              "beta-VAEs are introduced with beta > 1. Image autoencoders use 1e-6, and annealing "
              "starts at 0.")

namespace beta_zero_refused {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta > 0.0, "beta must be above 0");
  return solution::beta_loss(x, x_hat, mu, log_var, beta);
}
}  // namespace beta_zero_refused
MISCONCEPTION(
    beta_zero_refused, beta_loss, "beta-loss.zero-refused",
    "beta = 0 was refused. It is an autoencoder's loss, and every annealing starts there.",
    "No decoder variance above 0 belongs to it, but the loss itself divides by nothing.")

namespace beta_negative {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  return solution::beta_loss(x, x_hat, mu, log_var, std::abs(beta));
}
}  // namespace beta_negative
MISCONCEPTION(beta_negative, beta_loss, "beta-loss.negative-accepted",
              "A negative beta was accepted. It has to be refused.",
              "With its sign it would reward the encoder for leaving the prior, without end. "
              "Without its sign it is another number than the caller gave.")

namespace beta_elbo_sign {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.total = -result.total;
  return result;
}
}  // namespace beta_elbo_sign
MISCONCEPTION(beta_elbo_sign, beta_loss, "beta-loss.bound-instead-of-loss",
              "The total has the sign of the ELBO. A loss is its negative: reconstruction + beta "
              "KL.",
              "Functions called `elbo` that return a loss are common, and this is the opposite: "
              "whoever minimises the ELBO makes the worst model there is.")

namespace beta_kl_twice {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  result.total += result.kl;
  return result;
}
}  // namespace beta_kl_twice
MISCONCEPTION(beta_kl_twice, beta_loss, "beta-loss.kl-added-twice",
              "The KL is in the total twice, once with and once without beta.",
              "It comes from adding beta KL to an ELBO that has a KL already. The effective weight "
              "is 1 + beta, and it cannot go below 1.")

namespace beta_kl_mean {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  const auto dims = static_cast<double>(mu.cols());
  result.kl /= dims;
  result.total = result.reconstruction + beta * result.kl;
  result.gradient.mu /= static_cast<float>(dims);
  result.gradient.log_var /= static_cast<float>(dims);
  return result;
}
}  // namespace beta_kl_mean
MISCONCEPTION(beta_kl_mean, beta_loss, "beta-loss.kl-averaged",
              "The KL was averaged over the latent dimensions. The ELBO sums them.",
              "beta is then divided by L without anybody having chosen that, and a wider latent "
              "makes the prior weaker.")

namespace beta_batch_sum {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  BetaLoss result = solution::beta_loss(x, x_hat, mu, log_var, beta);
  const auto samples = static_cast<double>(x.rows());
  result.total += beta * (samples - 1.0) * result.kl;
  result.kl *= samples;
  result.gradient.mu *= static_cast<float>(samples);
  result.gradient.log_var *= static_cast<float>(samples);
  return result;
}
}  // namespace beta_batch_sum
MISCONCEPTION(beta_batch_sum, beta_loss, "beta-loss.kl-batch-summed",
              "The error is averaged over samples, the KL summed. Average both.",
              "beta then grows with the batch size: a batch of 64 trains with 64 beta. A batch of "
              "one cannot show it.")

namespace beta_shapes_cut {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  if (x_hat.rows() < x.rows() || x_hat.cols() < x.cols() || log_var.rows() < mu.rows() ||
      log_var.cols() < mu.cols()) {
    return solution::beta_loss(x, x_hat, mu, log_var, beta);
  }
  return solution::beta_loss(x, x_hat.topLeftCorner(x.rows(), x.cols()), mu,
                             log_var.topLeftCorner(mu.rows(), mu.cols()), beta);
}
}  // namespace beta_shapes_cut
MISCONCEPTION(beta_shapes_cut, beta_loss, "beta-loss.shapes-unchecked",
              "An x_hat larger than x, or a log_var larger than mu, was accepted. They have to be "
              "refused.",
              "Loops over x's own sizes never look at the rest. mse_loss and kl_standard_normal "
              "refuse for you, if you call them.")

namespace beta_rows_unchecked {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta >= 0.0, "negative beta");
  const Loss error = mse_loss(x_hat, x, Reduction::kBatchMean);
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const auto weight = static_cast<float>(beta);
  return {error.value + beta * kl.value,
          error.value,
          kl.value,
          beta / 2.0,
          {error.gradient, weight * kl.mu, weight * kl.log_var}};
}
}  // namespace beta_rows_unchecked
MISCONCEPTION(beta_rows_unchecked, beta_loss, "beta-loss.rows-unchecked",
              "x and mu with different numbers of samples were accepted. Neither function that you "
              "call can notice: each sees one half.",
              "Both terms are averages, so their sum looks fine. It adds one batch's error to "
              "another batch's rate.")

namespace beta_empty {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  if (x.size() > 0 && mu.size() > 0) return solution::beta_loss(x, x_hat, mu, log_var, beta);
  return {0.0, 0.0, 0.0, beta / 2.0, {x_hat, mu, log_var}};
}
}  // namespace beta_empty
MISCONCEPTION(beta_empty, beta_loss, "beta-loss.empty-accepted",
              "Data or codes without elements were answered. They have to be refused.",
              "There is nothing to average, and a loss of 0 is the best there is.")

namespace variance_is_beta {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  return 2.0 * solution::implied_decoder_variance(beta, averaged_over);
}
}  // namespace variance_is_beta
MISCONCEPTION(variance_is_beta, implied_decoder_variance, "decoder-variance.half-missing",
              "This is a beta. The variance is half of it.",
              "SSE / (2 s2) + KL, times 2 s2, is SSE + 2 s2 KL. So beta = 2 s2, and \"beta = 1 "
              "is the standard VAE\" means s = 0.7071, not 1.")

namespace variance_deviation {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  return std::sqrt(solution::implied_decoder_variance(beta, averaged_over));
}
}  // namespace variance_deviation
MISCONCEPTION(variance_deviation, implied_decoder_variance, "decoder-variance.root-taken",
              "You returned the standard deviation. The variance is wanted.",
              "s is what one compares with the data, s2 is what stands in the formula. At beta = 2 "
              "both are 1.")

namespace variance_divided {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  const double product = solution::implied_decoder_variance(beta, averaged_over);
  const auto a = static_cast<double>(averaged_over);
  return product / (a * a);
}
}  // namespace variance_divided
MISCONCEPTION(variance_divided, implied_decoder_variance, "decoder-variance.divided",
              "You divided by the number of features. Averaging the error makes the variance that "
              "is implied *larger*, by that number.",
              "Multiply SSE / a + beta KL by a, so that the error is a sum again: SSE + a beta KL. "
              "The effective beta is a beta. Dividing gets the direction wrong by a squared.")

namespace variance_ignores_mean {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  require(averaged_over >= 1, "averaged over nothing");
  return solution::implied_decoder_variance(beta, 1);
}
}  // namespace variance_ignores_mean
MISCONCEPTION(variance_ignores_mean, implied_decoder_variance, "decoder-variance.mean-ignored",
              "The number of features that the error is averaged over was ignored. It multiplies "
              "the variance.",
              "Two papers with \"beta = 1\", one with a sum and one with a mean, differ by the "
              "factor D. That is why neither number says anything alone.")

namespace variance_negative {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  return solution::implied_decoder_variance(std::abs(beta), averaged_over);
}
}  // namespace variance_negative
MISCONCEPTION(variance_negative, implied_decoder_variance, "decoder-variance.negative-accepted",
              "A negative beta was accepted. It has to be refused.",
              "No Gaussian has a negative variance, and its absolute value is another beta's.")

namespace variance_of_nothing {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  return solution::implied_decoder_variance(beta, std::max<std::int64_t>(averaged_over, 1));
}
}  // namespace variance_of_nothing
MISCONCEPTION(variance_of_nothing, implied_decoder_variance, "decoder-variance.average-unchecked",
              "An average over 0 features or fewer was accepted. It has to be refused.",
              "Whoever passes 0 has not counted the features; taking it for 1 answers another "
              "question.")

namespace beta_multiplied {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  const auto a = static_cast<double>(averaged_over);
  return solution::beta_for_variance(variance, averaged_over) * a * a;
}
}  // namespace beta_multiplied
MISCONCEPTION(beta_multiplied, beta_for_variance, "beta-for-variance.multiplied",
              "You multiplied by the number of features. An averaged error needs a *smaller* beta.",
              "For s2 = 0.5 and a mean over 784 pixels beta is 1 / 784. With a beta of 784 the "
              "decoder would have to be that much less exact.")

namespace beta_mean_ignored {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  require(averaged_over >= 1, "averaged over nothing");
  return solution::beta_for_variance(variance, 1);
}
}  // namespace beta_mean_ignored
MISCONCEPTION(beta_mean_ignored, beta_for_variance, "beta-for-variance.mean-ignored",
              "The number of features that the error is averaged over was ignored. It divides "
              "beta.",
              "beta is the price of a nat in the units of the other term, and those units changed.")

namespace beta_halved {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  return 0.25 * solution::beta_for_variance(variance, averaged_over);
}
}  // namespace beta_halved
MISCONCEPTION(beta_halved, beta_for_variance, "beta-for-variance.halved",
              "You halved the variance. The other way round it is doubled: beta = 2 s2 / a.",
              "The function before this one halves. An inverse that does the same again is a "
              "quarter of the right answer.")

namespace beta_of_deviation {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  return variance * solution::beta_for_variance(variance, averaged_over);
}
}  // namespace beta_of_deviation
MISCONCEPTION(beta_of_deviation, beta_for_variance, "beta-for-variance.squared",
              "The argument was squared. It is the variance already, not the deviation s.",
              "At s2 = 1 both agree, and 1 is the variance one tries first.")

namespace beta_of_negative {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  return solution::beta_for_variance(std::abs(variance), averaged_over);
}
}  // namespace beta_of_negative
MISCONCEPTION(beta_of_negative, beta_for_variance, "beta-for-variance.negative-accepted",
              "A negative variance was accepted. It has to be refused.",
              "A negative number that is called a variance is a log-variance, most of the time.")

namespace beta_of_nothing {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  return solution::beta_for_variance(variance, std::max<std::int64_t>(averaged_over, 1));
}
}  // namespace beta_of_nothing
MISCONCEPTION(beta_of_nothing, beta_for_variance, "beta-for-variance.average-unchecked",
              "An average over 0 features or fewer was accepted. It has to be refused.",
              "It would divide by 0, or turn the sign of beta.")

// ---- 4.2 bce_with_logits -----------------------------------------------------------------------

namespace bce_naive {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  require(shape_of(logits) == shape_of(x) && x.size() > 0, "shapes");
  require((x.array() >= 0.0F && x.array() <= 1.0F).all(), "x outside [0, 1]");
  const auto samples = static_cast<float>(x.rows());
  const Matrix p = (1.0F + (-logits.array()).exp()).inverse();
  double value = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const float pixel = x.data()[i], chance = p.data()[i];
    value -= pixel * std::log(chance) + (1.0F - pixel) * std::log(1.0F - chance);
  }
  return {value / samples, (p - x) / samples};
}
}  // namespace bce_naive
MISCONCEPTION(bce_naive, bce_with_logits, "bce.sigmoid-then-log",
              "You took the logarithm of a sigmoid in float. It rounds to 0 or 1, and the "
              "logarithm to infinity or 0; simplify log sigmoid(l) first.",
              "At l = 17 the sigmoid is 1 - 4.14e-8, and 1 / (1 + e^-17) in float is 1. The "
              "logarithm of 1 - p is then -infinity: 0 times it is NaN for a right prediction, and "
              "a wrong one costs infinity. log(1 + e^-l) is the same function without the detour.")

namespace bce_clamped_log {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Matrix limited = logits.cwiseMax(-100.0F).cwiseMin(100.0F);
  const Loss right = solution::bce_with_logits(logits, x);
  return {solution::bce_with_logits(limited, x).value, right.gradient};
}
}  // namespace bce_clamped_log
MISCONCEPTION(bce_clamped_log, bce_with_logits, "bce.log-limited",
              "The cost of a pixel ends at 100 in your version. It is |l|, however large.",
              "torch.nn.BCELoss, which takes probabilities, limits its logarithms to -100, since "
              "it cannot know better. From logits there is nothing to limit.")

namespace bce_clamped_p {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  result.value = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double p =
        std::clamp(1.0 / (1.0 + std::exp(-double(logits.data()[i]))), 1e-7, 1.0 - 1e-7);
    result.value -= x.data()[i] * std::log(p) + (1.0 - x.data()[i]) * std::log(1.0 - p);
  }
  result.value /= static_cast<double>(x.rows());
  return result;
}
}  // namespace bce_clamped_p
MISCONCEPTION(bce_clamped_p, bce_with_logits, "bce.probability-limited",
              "The probability was limited to [1e-7, 1 - 1e-7], so no pixel costs more than 16.1. "
              "The cost of a sure and wrong pixel is |l|.",
              "An epsilon inside the logarithm avoids the infinity and changes the loss: at l = 50 "
              "it charges 16.1 instead of 50, and beyond 16 its true gradient would be 0.")

namespace bce_dead_ends {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  for (Index i = 0; i < x.size(); ++i) {
    if (std::abs(logits.data()[i]) > 88.0F) result.gradient.data()[i] = 0.0F;
  }
  return result;
}
}  // namespace bce_dead_ends
MISCONCEPTION(bce_dead_ends, bce_with_logits, "bce.no-gradient-far-out",
              "Far from 0 your gradient is 0. For a sure and wrong pixel it is ±1/N, its largest "
              "value.",
              "That is what a clamp on the logits does to the way back. The pixels that need the "
              "correction most are the ones that get none.")

namespace bce_digits_lost {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  result.value = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const float l = logits.data()[i], pixel = x.data()[i];
    result.value += std::max(l, 0.0F) - l * pixel + std::log(1.0F + std::exp(-std::abs(l)));
  }
  result.value /= static_cast<double>(x.rows());
  return result;
}
}  // namespace bce_digits_lost
MISCONCEPTION(bce_digits_lost, bce_with_logits, "bce.digits-lost",
              "1 + e^-|l| rounds to 1, so a sure and right pixel costs exactly 0. std::log1p keeps "
              "what is left.",
              "At l = 18 the cost is 1.5e-8: small, but the loss of a well-trained model is made "
              "of such numbers, and a background of thousands of pixels adds them up.")

namespace bce_sign {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  result.value = -result.value;
  return result;
}
}  // namespace bce_sign
MISCONCEPTION(bce_sign, bce_with_logits, "bce.log-likelihood",
              "You returned the log-likelihood. The loss is its negative, and never below 0.",
              "x log p + (1 - x) log(1 - p) is what one wants to make large.")

namespace bce_exchanged {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  result.value = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double l = x.data()[i], pixel = logits.data()[i];
    result.value += std::max(l, 0.0) - l * pixel + std::log1p(std::exp(-std::abs(l)));
  }
  result.value /= static_cast<double>(x.rows());
  return result;
}
}  // namespace bce_exchanged
MISCONCEPTION(bce_exchanged, bce_with_logits, "bce.arguments-exchanged",
              "Logits and data were exchanged in the value.",
              "Both are matrices of one shape, so only the numbers can tell. Logits come first, as "
              "predictions do everywhere in torch.")

namespace bce_mean {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Loss right = solution::bce_with_logits(logits, x);
  return {right.value / static_cast<double>(x.cols()),
          right.gradient / static_cast<float>(x.cols())};
}
}  // namespace bce_mean
MISCONCEPTION(bce_mean, bce_with_logits, "bce.averaged-over-features",
              "You averaged over features as well. A term of the ELBO sums them.",
              "torch's default is the mean over everything, and beside a summed KL it makes beta D "
              "times larger: 784 for an MNIST digit.")

namespace bce_batch_sum {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Loss right = solution::bce_with_logits(logits, x);
  return {right.value * static_cast<double>(x.rows()),
          right.gradient * static_cast<float>(x.rows())};
}
}  // namespace bce_batch_sum
MISCONCEPTION(bce_batch_sum, bce_with_logits, "bce.batch-summed",
              "You summed over the samples too. Divide value and gradient by N.",
              "A batch of 64 would weigh 64 times as much as a batch of one, against a KL that is "
              "averaged.")

namespace bce_bits {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss right = solution::bce_with_logits(logits, x);
  right.value /= std::numbers::ln2;
  return right;
}
}  // namespace bce_bits
MISCONCEPTION(bce_bits, bce_with_logits, "bce.bits", "The value is in bits. Nats are wanted.",
              "The KL beside it is in nats, and the gradient is that of the natural logarithm. One "
              "nat is 1.4427 bits.")

namespace bce_twice_bent {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Matrix p = (1.0F + (-logits.array()).exp()).inverse();
  return solution::bce_with_logits(p, x);
}
}  // namespace bce_twice_bent
MISCONCEPTION(bce_twice_bent, bce_with_logits, "bce.sigmoid-twice",
              "A sigmoid was applied to the logits before the loss, which contains one.",
              "Probabilities taken for logits lie between 0 and 1, so the decoder can never say "
              "less than 0.5 or more than 0.73. It trains, and every picture is grey.")

namespace bce_slope_of_sigmoid {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  const Matrix odds = (-logits.array().abs()).exp();
  result.gradient.array() *= odds.array() / (1.0F + odds.array()).square();
  return result;
}
}  // namespace bce_slope_of_sigmoid
MISCONCEPTION(bce_slope_of_sigmoid, bce_with_logits, "bce.slope-of-sigmoid-left",
              "The gradient contains the slope of the sigmoid. It cancels: sigmoid(l) - x is all.",
              "dL/dp has p (1 - p) in its denominator and dp/dl is p (1 - p). With a squared error "
              "on probabilities the factor stays, which is one reason not to use it.")

namespace bce_hard_sigmoid {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Loss right = solution::bce_with_logits(logits, x);
  const Matrix p = (0.25F * logits.array() + 0.5F).max(0.0F).min(1.0F);
  return {right.value, (p - x) / static_cast<float>(x.rows())};
}
}  // namespace bce_hard_sigmoid
MISCONCEPTION(bce_hard_sigmoid, bce_with_logits, "bce.hard-sigmoid",
              "The gradient uses straight lines in the place of the sigmoid. It is sigmoid(l) - x, "
              "with the curve.",
              "The \"hard sigmoid\" of mobile networks agrees with the curve at 0 and far out, "
              "and differs by up to 0.12 between. Value and gradient then belong to two functions.")

namespace bce_gradient_sign {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Loss right = solution::bce_with_logits(logits, x);
  return {right.value, -right.gradient};
}
}  // namespace bce_gradient_sign
MISCONCEPTION(bce_gradient_sign, bce_with_logits, "bce.gradient-sign",
              "The gradient is x - sigmoid(l). It is the other way round: what is predicted minus "
              "what is there.",
              "A prediction that is too high has to come down, so its gradient is positive.")

namespace bce_gradient_not_averaged {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Loss right = solution::bce_with_logits(logits, x);
  return {right.value, right.gradient * static_cast<float>(x.rows())};
}
}  // namespace bce_gradient_not_averaged
MISCONCEPTION(bce_gradient_not_averaged, bce_with_logits, "bce.gradient-not-averaged",
              "The gradient is that of the sum over samples. value is an average, so it carries "
              "1/N.",
              "sigmoid(l) - x is the gradient for one sample. A batch of one cannot show the "
              "difference.")

namespace bce_thresholded {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  const Loss checked = solution::bce_with_logits(logits, x);
  const Matrix binary = x.unaryExpr([](float v) { return v > 0.5F ? 1.0F : 0.0F; });
  return {solution::bce_with_logits(logits, binary).value, checked.gradient};
}
}  // namespace bce_thresholded
MISCONCEPTION(bce_thresholded, bce_with_logits, "bce.data-thresholded",
              "x was rounded to 0 or 1 before its cost was computed. It is used as it is.",
              "Binarising is a decision about the data set, to be made once and in the open; "
              "inside a loss it makes greys disappear.")

namespace bce_floor_removed {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  for (Index i = 0; i < x.size(); ++i) {
    const double pixel = x.data()[i];
    if (pixel <= 0.0 || pixel >= 1.0) continue;
    result.value += (pixel * std::log(pixel) + (1.0 - pixel) * std::log(1.0 - pixel)) /
                    static_cast<double>(x.rows());
  }
  return result;
}
}  // namespace bce_floor_removed
MISCONCEPTION(bce_floor_removed, bce_with_logits, "bce.entropy-subtracted",
              "The entropy of x was subtracted, so that the best value is 0. The contract's value "
              "includes it.",
              "What is left is a divergence, and has the same gradient. But -log of the likelihood "
              "of a grey pixel is not 0 at its best; that it is not is a sign that a Bernoulli is "
              "no likelihood for grey data (pytorch/examples issue 460).")

namespace bce_half {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  Loss result = solution::bce_with_logits(logits, x);
  result.value = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double l = logits.data()[i];
    const double cost = std::max(-l, 0.0) + std::log1p(std::exp(-std::abs(l)));
    result.value += x.data()[i] * cost / static_cast<double>(x.rows());
  }
  return result;
}
}  // namespace bce_half
MISCONCEPTION(bce_half, bce_with_logits, "bce.zeros-free",
              "Only x log p was counted. Pixels that are 0 cost -log(1 - p).",
              "The cross-entropy over many classes has one term, because the classes share the "
              "probability. Here each pixel is a coin of its own with two sides. With one term "
              "all-white pictures are free.")

namespace bce_x_unchecked {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  return solution::bce_with_logits(logits, x.cwiseMax(0.0F).cwiseMin(1.0F));
}
}  // namespace bce_x_unchecked
MISCONCEPTION(bce_x_unchecked, bce_with_logits, "bce.data-unchecked",
              "An x outside of [0, 1] was accepted. It has to be refused.",
              "Data normalised to mean 0 have negative pixels, and for those the loss falls "
              "without end as l does. lightning-bolts (issue 177) had such inputs in this loss.")

namespace bce_shapes_cut {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  if (x.rows() < logits.rows() || x.cols() < logits.cols()) {
    return solution::bce_with_logits(logits, x);
  }
  return solution::bce_with_logits(logits, x.topLeftCorner(logits.rows(), logits.cols()));
}
}  // namespace bce_shapes_cut
MISCONCEPTION(bce_shapes_cut, bce_with_logits, "bce.shapes-unchecked",
              "An x larger than the logits was accepted. It has to be refused.",
              "A loop over the logits never reads the rest of x, and nobody hears of it.")

namespace bce_empty {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  if (x.size() == 0 && logits.size() == 0) return {0.0, logits};
  return solution::bce_with_logits(logits, x);
}
}  // namespace bce_empty
MISCONCEPTION(bce_empty, bce_with_logits, "bce.empty-accepted",
              "A batch without elements was answered. It has to be refused.",
              "The mean over no samples is 0 / 0, and 0 is the best loss there is.")

// ---- 4.3 rate_distortion_law -------------------------------------------------------------------

namespace law_beta_not_halved {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  require(beta > 0.0 && (variances.array() >= 0.0).all(), "out of range");
  const DoubleVector zeros = DoubleVector::Zero(variances.size());
  RateDistortion law{variances.cwiseMin(beta), zeros, zeros, zeros.array() + 1.0};
  for (Index j = 0; j < variances.size(); ++j) {
    if (!(variances(j) > beta)) continue;
    law.rate(j) = 0.5 * std::log(variances(j) / beta);
    law.weight(j) = std::sqrt(variances(j) - beta);
    law.posterior_var(j) = beta / variances(j);
    ++law.active;
  }
  law.total_distortion = law.distortion.sum();
  law.total_rate = law.rate.sum();
  return law;
}
}  // namespace law_beta_not_halved
MISCONCEPTION(
    law_beta_not_halved, rate_distortion_law, "law.beta-not-halved",
    "Your water level is beta. It is beta / 2, the variance that the decoder implies.",
    "The 1/2 comes from the KL: R = (1/2) log(lambda / D), so one more unit of distortion "
    "saves 1 / (2 D) nats, at the price of beta each. Setting beta / (2 D) to 1 gives D = "
    "beta / 2.")

namespace law_in_bits {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.rate /= std::numbers::ln2;
  law.total_rate /= std::numbers::ln2;
  return law;
}
}  // namespace law_in_bits
MISCONCEPTION(law_in_bits, rate_distortion_law, "law.bits",
              "The rates are in bits. Nats are wanted.",
              "Rate-distortion theory counts bits, a KL in a loss counts nats, and beta is a price "
              "per nat. One nat is 1.4427 bits.")

namespace law_rate_in_bits {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.rate /= std::numbers::ln2;
  return law;
}
}  // namespace law_rate_in_bits
MISCONCEPTION(law_rate_in_bits, rate_distortion_law, "law.parts-in-bits",
              "The rates of the directions are in bits, their total in nats. Both are nats.",
              "A list that does not add up to its total is found out sooner or later, but only by "
              "somebody who adds.")

namespace law_half_missing {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.rate *= 2.0;
  law.total_rate *= 2.0;
  return law;
}
}  // namespace law_half_missing
MISCONCEPTION(law_half_missing, rate_distortion_law, "law.rate-doubled",
              "The rate is log(lambda / D) in your version. It is half of that.",
              "lambda / D is a ratio of variances; of standard deviations it is the root, and the "
              "root is a factor 1/2 before the logarithm.")

namespace law_no_minimum {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.distortion.setConstant(beta / 2.0);
  law.total_distortion = law.distortion.sum();
  return law;
}
}  // namespace law_no_minimum
MISCONCEPTION(law_no_minimum, rate_distortion_law, "law.distortion-above-variance",
              "Every direction got the distortion beta / 2. A direction with less variance than "
              "that keeps its variance.",
              "Sending nothing, and predicting the mean, leaves an error of lambda. Nobody pays "
              "for doing worse than that.")

namespace law_negative_rate {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  for (Index j = 0; j < variances.size(); ++j) {
    if (variances(j) > 0.0) law.rate(j) = 0.5 * std::log(2.0 * variances(j) / beta);
  }
  law.total_rate = law.rate.sum();
  return law;
}
}  // namespace law_negative_rate
MISCONCEPTION(law_negative_rate, rate_distortion_law, "law.negative-rate",
              "Directions below the water level got a negative rate. Theirs is 0.",
              "A KL is never negative. The formula log(2 lambda / beta) / 2 holds where the "
              "direction is used; at the level it reaches 0 and stays.")

namespace law_weight_squared {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.weight = law.weight.cwiseAbs2();
  return law;
}
}  // namespace law_weight_squared
MISCONCEPTION(law_weight_squared, rate_distortion_law, "law.weight-squared",
              "weight holds w squared. The root is wanted.",
              "w^2 + beta / 2 = lambda is a sum of variances: that of w z and that of the decoder. "
              "The weight itself multiplies z.")

namespace law_weight_of_pca {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  for (Index j = 0; j < variances.size(); ++j) {
    if (law.weight(j) > 0.0) law.weight(j) = std::sqrt(variances(j));
  }
  return law;
}
}  // namespace law_weight_of_pca
MISCONCEPTION(law_weight_of_pca, rate_distortion_law, "law.weight-of-pca",
              "Your weight is sqrt(lambda), that of PCA. The decoder accounts for lambda - beta / "
              "2 only.",
              "The decoder's own noise explains beta / 2 of the variance. A weight of sqrt(lambda) "
              "would make the model's data wider than the data.")

namespace law_posterior_deviation {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.posterior_var = law.posterior_var.cwiseSqrt();
  return law;
}
}  // namespace law_posterior_deviation
MISCONCEPTION(law_posterior_deviation, rate_distortion_law, "law.posterior-deviation",
              "posterior_var holds standard deviations. Variances are wanted.",
              "The variance is beta / (2 lambda): the share of the direction's variance that is "
              "left unknown. At 1 both are the same.")

namespace law_posterior_is_distortion {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  for (Index j = 0; j < variances.size(); ++j) {
    if (variances(j) > beta / 2.0) law.posterior_var(j) = beta / 2.0;
  }
  return law;
}
}  // namespace law_posterior_is_distortion
MISCONCEPTION(law_posterior_is_distortion, rate_distortion_law, "law.posterior-not-relative",
              "posterior_var is beta / 2 in your version. In units of the prior it is beta / (2 "
              "lambda).",
              "z has the prior's variance 1, x has lambda. What is left unknown of x is beta / 2; "
              "what is left unknown of z is that over lambda.")

namespace law_means {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.total_distortion = law.distortion.mean();
  law.total_rate = law.rate.mean();
  return law;
}
}  // namespace law_means
MISCONCEPTION(law_means, rate_distortion_law, "law.averaged-over-directions",
              "The totals are averages over the directions. They are sums.",
              "Squared error and KL are summed over features; so are their optima, or the law "
              "could not be compared with a training run.")

namespace law_counts_above_beta {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.active = (variances.array() > beta).count();
  return law;
}
}  // namespace law_counts_above_beta
MISCONCEPTION(law_counts_above_beta, rate_distortion_law, "law.counted-above-beta",
              "You counted the directions above beta. Active are those above beta / 2.",
              "The count has to agree with the rates: a direction with a rate above 0 is active.")

namespace law_counts_collapsed {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.active = (variances.array() < beta / 2.0).count();
  return law;
}
}  // namespace law_counts_collapsed
MISCONCEPTION(law_counts_collapsed, rate_distortion_law, "law.collapsed-counted",
              "You counted the directions that send nothing. Active are those above beta / 2.",
              "A VAE with more latent dimensions than active directions leaves the others at the "
              "prior; how many is the other half of the same count.")

namespace law_level_active {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  law.active = (variances.array() >= beta / 2.0).count();
  return law;
}
}  // namespace law_level_active
MISCONCEPTION(law_level_active, rate_distortion_law, "law.level-counted",
              "A direction whose variance equals beta / 2 was counted as active. Its rate is 0: it "
              "is not.",
              "At the level the weight is 0 and q is the prior. `>` and `>=` differ there and "
              "nowhere else.")

namespace law_zero_refused {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  require((variances.array() > 0.0).all(), "variances must be above 0");
  return solution::rate_distortion_law(variances, beta);
}
}  // namespace law_zero_refused
MISCONCEPTION(law_zero_refused, rate_distortion_law, "law.zero-variance-refused",
              "A variance of 0 was refused. It is a direction with nothing to send: D = 0, R = 0.",
              "Pixels that are always black are such directions, and every data set of images has "
              "them.")

namespace law_deviations {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  require((variances.array() >= 0.0).all(), "negative");
  return solution::rate_distortion_law(variances.cwiseAbs2(), beta);
}
}  // namespace law_deviations
MISCONCEPTION(law_deviations, rate_distortion_law, "law.variances-squared",
              "You squared the variances. They are variances already.",
              "The singular values of the data matrix are standard deviations (times the root of "
              "N), and are squared to become these. Once is enough.")

namespace law_sorted {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  DoubleVector sorted = variances;
  std::sort(sorted.data(), sorted.data() + sorted.size(), std::greater<>());
  return solution::rate_distortion_law(sorted, beta);
}
}  // namespace law_sorted
MISCONCEPTION(
    law_sorted, rate_distortion_law, "law.sorted",
    "The directions came back sorted. They keep the order of the variances.",
    "Each direction decides for itself, so no order is needed; and whoever asked wants to "
    "know which one is which.")

namespace law_distortions_sorted {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  RateDistortion law = solution::rate_distortion_law(variances, beta);
  std::sort(law.distortion.data(), law.distortion.data() + law.distortion.size(), std::greater<>());
  return law;
}
}  // namespace law_distortions_sorted
MISCONCEPTION(law_distortions_sorted, rate_distortion_law, "law.distortions-sorted",
              "The distortions came back sorted, the rates did not. All keep the order of the "
              "variances.",
              "A plot of the water level wants them sorted. If only one list is, the pairs of "
              "distortion and rate are no longer pairs.")

namespace law_negative_accepted {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  return solution::rate_distortion_law(variances.cwiseMax(0.0), beta);
}
}  // namespace law_negative_accepted
MISCONCEPTION(law_negative_accepted, rate_distortion_law, "law.negative-variance",
              "A negative variance was taken for 0. It has to be refused.",
              "Eigenvalues of a covariance that are negative by more than rounding say that it was "
              "none.")

namespace law_beta_unchecked {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  return solution::rate_distortion_law(variances, std::max(beta, 1e-12));
}
}  // namespace law_beta_unchecked
MISCONCEPTION(law_beta_unchecked, rate_distortion_law, "law.beta-unchecked",
              "A beta of 0 or below was accepted. It has to be refused.",
              "At beta = 0 nothing is lost and every rate is infinite; a small number in its place "
              "gives large rates that mean nothing.")

// ---- 4.4 vae_forward ---------------------------------------------------------------------------

namespace {

/// A pass from a given z on.
VaePass decoded(const Vae& model, VaePass pass, const Matrix& z) {
  pass.z = z;
  pass.decoder_hidden =
      tanh_forward(linear_forward(z, model.decoder_hidden.weight, model.decoder_hidden.bias));
  pass.x_hat =
      linear_forward(pass.decoder_hidden, model.decoder_output.weight, model.decoder_output.bias);
  return pass;
}

}  // namespace

namespace forward_by_variance {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass;
  pass.encoder_hidden =
      tanh_forward(linear_forward(x, model.encoder_hidden.weight, model.encoder_hidden.bias));
  pass.q = gaussian_heads(pass.encoder_hidden, model.heads);
  require(shape_of(eps) == shape_of(pass.q.mu), "noise");
  pass.z = pass.q.mu.array() + pass.q.log_var.array().exp() * eps.array();
  pass.decoder_hidden =
      tanh_forward(linear_forward(pass.z, model.decoder_hidden.weight, model.decoder_hidden.bias));
  pass.x_hat =
      linear_forward(pass.decoder_hidden, model.decoder_output.weight, model.decoder_output.bias);
  return pass;
}
}  // namespace forward_by_variance
MISCONCEPTION(forward_by_variance, vae_forward, "vae-forward.variance-for-sigma",
              "The noise was multiplied by the variance e^l. It is multiplied by sigma = e^(l/2).",
              "The most copied slip of lab 02, written out again instead of calling "
              "reparameterize. The KL still takes l for a log-variance, so the two disagree about "
              "q and the loss bounds nothing.")

namespace forward_mean_decoded {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const VaePass pass = solution::vae_forward(model, x, eps);
  return decoded(model, pass, pass.q.mu);
}
}  // namespace forward_mean_decoded
MISCONCEPTION(forward_mean_decoded, vae_forward, "vae-forward.mean-decoded",
              "The mean was decoded, without noise. In training the draw is decoded.",
              "Without noise nothing stops the codes from lying arbitrarily close, and log_var is "
              "trained by the KL alone: it goes to 0 and means nothing.")

namespace forward_one_noise {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const VaePass pass = solution::vae_forward(model, x, eps);
  if (eps.rows() < 1) return pass;
  return decoded(model, pass,
                 reparameterize(pass.q.mu, pass.q.log_var, eps.row(0).replicate(eps.rows(), 1)));
}
}  // namespace forward_one_noise
MISCONCEPTION(
    forward_one_noise, vae_forward, "vae-forward.one-noise-for-all",
    "Every sample got the first row of the noise. Each has a row of its own.",
    "A noise of shape [1, L] broadcasts in torch without a word. The gradients of a batch "
    "then share their noise, and averaging over the batch does not reduce it.")

namespace forward_little_noise {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const VaePass pass = solution::vae_forward(model, x, eps);
  return decoded(model, pass, reparameterize(pass.q.mu, pass.q.log_var, 0.01F * eps));
}
}  // namespace forward_little_noise
MISCONCEPTION(forward_little_noise, vae_forward, "vae-forward.noise-scaled",
              "The noise was multiplied by 0.01. It is used as it came, with deviation 1.",
              "keras' example had epsilon_std = 0.01 until pull request 4211. The reconstructions "
              "look better, and samples from the prior worse, because the prior is not where the "
              "codes are.")

namespace forward_flat_encoder {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass;
  pass.encoder_hidden = linear_forward(x, model.encoder_hidden.weight, model.encoder_hidden.bias);
  pass.q = gaussian_heads(pass.encoder_hidden, model.heads);
  return decoded(model, pass, reparameterize(pass.q.mu, pass.q.log_var, eps));
}
}  // namespace forward_flat_encoder
MISCONCEPTION(forward_flat_encoder, vae_forward, "vae-forward.encoder-without-tanh",
              "The encoder's tanh is missing, so that its two layers are one linear map.",
              "Two linear layers in a row can do no more than one. Nothing fails; the model is "
              "weaker than it looks.")

namespace forward_flat_decoder {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.decoder_hidden =
      linear_forward(pass.z, model.decoder_hidden.weight, model.decoder_hidden.bias);
  pass.x_hat =
      linear_forward(pass.decoder_hidden, model.decoder_output.weight, model.decoder_output.bias);
  return pass;
}
}  // namespace forward_flat_decoder
MISCONCEPTION(forward_flat_decoder, vae_forward, "vae-forward.decoder-without-tanh",
              "The decoder's tanh is missing, so that its two layers are one linear map.",
              "A linear decoder of Gaussian latents makes Gaussian data, in a plane, whatever it "
              "is trained on.")

namespace forward_bent_output {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.x_hat = tanh_forward(pass.x_hat);
  return pass;
}
}  // namespace forward_bent_output
MISCONCEPTION(forward_bent_output, vae_forward, "vae-forward.output-bent",
              "The reconstruction went through a tanh. The last layer has none.",
              "Images in [-1, 1] often get one, and there it is a choice. Data without limits "
              "cannot be reached through it.")

namespace forward_bent_mean {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.q.mu = tanh_forward(pass.q.mu);
  return decoded(model, pass, reparameterize(pass.q.mu, pass.q.log_var, eps));
}
}  // namespace forward_bent_mean
MISCONCEPTION(forward_bent_mean, vae_forward, "vae-forward.mean-bent",
              "mu went through a tanh. The heads are linear.",
              "Means within [-1, 1] cannot spread over a prior that reaches to ±3. The KL keeps "
              "them near 0 already, and charges for it.")

namespace forward_heads_exchanged {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  Vae other = model;
  std::swap(other.heads.mu, other.heads.log_var);
  return solution::vae_forward(other, x, eps);
}
}  // namespace forward_heads_exchanged
MISCONCEPTION(forward_heads_exchanged, vae_forward, "vae-forward.heads-exchanged",
              "mu and log_var came from each other's head.",
              "Both heads have one shape. Trained from scratch the model would not mind; a "
              "checkpoint read this way decodes to noise.")

namespace forward_before_tanh {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.encoder_hidden = linear_forward(x, model.encoder_hidden.weight, model.encoder_hidden.bias);
  return pass;
}
}  // namespace forward_before_tanh
MISCONCEPTION(forward_before_tanh, vae_forward, "vae-forward.encoder-kept-before-tanh",
              "The pass keeps what goes into the encoder's tanh. It keeps what comes out.",
              "tanh_backward computes 1 - y^2 from the output. With the input the slope is wrong, "
              "and negative beyond 1.")

namespace forward_before_second_tanh {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.decoder_hidden =
      linear_forward(pass.z, model.decoder_hidden.weight, model.decoder_hidden.bias);
  return pass;
}
}  // namespace forward_before_second_tanh
MISCONCEPTION(forward_before_second_tanh, vae_forward, "vae-forward.decoder-kept-before-tanh",
              "The pass keeps what goes into the decoder's tanh. It keeps what comes out.",
              "The reconstruction is right, so nothing is seen until the way back, which needs k "
              "twice: for the slope, and as the last layer's input.")

namespace forward_keeps_mean {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.z = pass.q.mu;
  return pass;
}
}  // namespace forward_keeps_mean
MISCONCEPTION(forward_keeps_mean, vae_forward, "vae-forward.mean-kept-for-z",
              "The pass keeps mu in the place of z. It keeps the draw that was decoded.",
              "The way back needs the decoder's actual input for the gradient of W3. For plotting "
              "codes mu is the better choice, and it is in q.")

namespace forward_keeps_draw {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.q.mu = pass.z;
  return pass;
}
}  // namespace forward_keeps_draw
MISCONCEPTION(forward_keeps_draw, vae_forward, "vae-forward.draw-kept-for-mean",
              "q.mu holds the draw. It holds the mean, before any noise.",
              "z = z + sigma * eps in one variable, and the mean is gone. The KL is then charged "
              "for the noise as well.")

namespace forward_clamped {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass = solution::vae_forward(model, x, eps);
  pass.q.log_var = pass.q.log_var.cwiseMax(-30.0F).cwiseMin(20.0F);
  return decoded(model, pass, reparameterize(pass.q.mu, pass.q.log_var, eps));
}
}  // namespace forward_clamped
MISCONCEPTION(forward_clamped, vae_forward, "vae-forward.clamped",
              "log_var was clamped to [-30, 20]. Only lab 02's split_moments does that.",
              "A clamp on the way forward needs a mask on the way back, and vae_backward has none: "
              "gradients would pass where nothing moves.")

namespace forward_empty_refused {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  require(x.rows() > 0, "no samples");
  return solution::vae_forward(model, x, eps);
}
}  // namespace forward_empty_refused
MISCONCEPTION(forward_empty_refused, vae_forward, "vae-forward.empty-refused",
              "A batch without samples was refused. It has a reconstruction: one without rows.",
              "Nothing is averaged here. The loss refuses an empty batch, and says why.")

namespace forward_samples_cut {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const Index d = model.encoder_hidden.weight.cols();
  if (x.cols() <= d) return solution::vae_forward(model, x, eps);
  return solution::vae_forward(model, x.leftCols(d), eps);
}
}  // namespace forward_samples_cut
MISCONCEPTION(forward_samples_cut, vae_forward, "vae-forward.samples-cut",
              "Samples with more features than the first layer were cut. They have to be refused.",
              "linear_forward refuses for you. Whoever loops over the weight's columns instead "
              "never looks at the rest.")

namespace forward_noise_cut {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const Index l = model.heads.mu.weight.rows();
  if (eps.rows() < x.rows() || eps.cols() < l) return solution::vae_forward(model, x, eps);
  return solution::vae_forward(model, x, eps.topLeftCorner(x.rows(), l));
}
}  // namespace forward_noise_cut
MISCONCEPTION(forward_noise_cut, vae_forward, "vae-forward.noise-cut",
              "More noise than there are latent numbers was accepted. It has to be refused.",
              "Noise for the largest batch, reused for smaller ones, is handy; and it hides that "
              "the noise was meant for another model.")

namespace forward_layers_cut {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const Index h = model.encoder_hidden.weight.rows(), l = model.heads.mu.weight.rows();
  const Index k = model.decoder_hidden.weight.rows();
  Vae cut = model;
  const auto narrow = [](Matrix& weight, Index columns) {
    if (weight.cols() > columns) weight = weight.leftCols(columns).eval();
  };
  narrow(cut.heads.mu.weight, h);
  narrow(cut.heads.log_var.weight, h);
  narrow(cut.decoder_hidden.weight, l);
  narrow(cut.decoder_output.weight, k);
  return solution::vae_forward(cut, x, eps);
}
}  // namespace forward_layers_cut
MISCONCEPTION(forward_layers_cut, vae_forward, "vae-forward.layers-unchecked",
              "Layers that do not fit one another were accepted. They have to be refused.",
              "It is the sign of a checkpoint of another model. Loading \"what fits\" and going on "
              "is how one evaluates a network that nobody trained.")

// ---- 4.5 vae_backward --------------------------------------------------------------------------

namespace backward_error_only {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  require(shape_of(loss.mu) == shape_of(eps) && shape_of(loss.log_var) == shape_of(eps), "shape");
  const auto d4 = linear_backward(loss.x_hat, pass.decoder_hidden, model.decoder_output.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, pass.decoder_hidden), pass.z,
                                  model.decoder_hidden.weight);
  const Gaussian q = reparameterize_backward(d3.x, pass.q.mu, pass.q.log_var, eps);
  const auto heads = gaussian_heads_backward(q.mu, q.log_var, pass.encoder_hidden, model.heads);
  const auto d1 = linear_backward(tanh_backward(heads.hidden, pass.encoder_hidden), x,
                                  model.encoder_hidden.weight);
  return {{d1.weight, d1.bias}, heads.heads, {d3.weight, d3.bias}, {d4.weight, d4.bias}};
}
}  // namespace backward_error_only
MISCONCEPTION(backward_error_only, vae_backward, "vae-backward.kl-dropped",
              "The encoder got what came through z, and nothing from the KL. Add loss.mu and "
              "loss.log_var where the two paths meet.",
              "The KL is in the loss that is printed and in no gradient: training ends as an "
              "autoencoder with noise, and sigma goes to 0 because noise only hurts.")

namespace {

/// The way back with what the caller says reaches mu and log_var, and the slopes of both tanh.
Vae encoder_back(const Vae& model, const Matrix& x, const VaePass& pass, const Vae& decoder,
                 const Matrix& dmu, const Matrix& dlog_var, const Matrix& bent) {
  const auto heads = gaussian_heads_backward(dmu, dlog_var, pass.encoder_hidden, model.heads);
  const auto d1 =
      linear_backward(tanh_backward(heads.hidden, bent), x, model.encoder_hidden.weight);
  return {{d1.weight, d1.bias}, heads.heads, decoder.decoder_hidden, decoder.decoder_output};
}

/// dz, the gradient that arrives at the draw.
Matrix back_to_z(const Vae& model, const VaePass& pass, const Matrix& dx_hat, const Matrix& bent) {
  const auto d4 = linear_backward(dx_hat, pass.decoder_hidden, model.decoder_output.weight);
  return linear_backward(tanh_backward(d4.x, bent), pass.z, model.decoder_hidden.weight).x;
}

}  // namespace

namespace backward_kl_only {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae right = solution::vae_backward(model, x, eps, pass, loss);
  return encoder_back(model, x, pass, right, loss.mu, loss.log_var, pass.encoder_hidden);
}
}  // namespace backward_kl_only
MISCONCEPTION(backward_kl_only, vae_backward, "vae-backward.path-through-z-dropped",
              "The encoder got the KL's gradient only. The reconstruction trains it too, through "
              "z = mu + sigma eps.",
              "\"The reconstruction loss applies to the decoder\" is a comment one can find. An "
              "encoder that hears nothing of x collapses: the prior is what minimises its KL.")

namespace backward_sigma_gradient {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae right = solution::vae_backward(model, x, eps, pass, loss);
  const Matrix dz = back_to_z(model, pass, loss.x_hat, pass.decoder_hidden);
  return encoder_back(model, x, pass, right, dz + loss.mu, dz.cwiseProduct(eps) + loss.log_var,
                      pass.encoder_hidden);
}
}  // namespace backward_sigma_gradient
MISCONCEPTION(backward_sigma_gradient, vae_backward, "vae-backward.gradient-of-sigma",
              "dz eps is the gradient of sigma. The head puts out log_var: multiply by sigma / 2.",
              "One step of the chain rule is missing. Where sigma is small the head is moved far "
              "too much, and sigma is small when a VAE reconstructs well.")

namespace backward_half_missing {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae right = solution::vae_backward(model, x, eps, pass, loss);
  const Matrix dz = back_to_z(model, pass, loss.x_hat, pass.decoder_hidden);
  const Matrix dl = dz.array() * eps.array() * (0.5F * pass.q.log_var.array()).exp();
  return encoder_back(model, x, pass, right, dz + loss.mu, dl + loss.log_var, pass.encoder_hidden);
}
}  // namespace backward_half_missing
MISCONCEPTION(backward_half_missing, vae_backward, "vae-backward.half-missing",
              "The gradient of log_var through z is twice too large: it is dz eps sigma / 2.",
              "The 1/2 is that of e^(l/2). Calling reparameterize_backward, which you have passed, "
              "avoids writing it again.")

namespace backward_without_noise {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae right = solution::vae_backward(model, x, eps, pass, loss);
  const Matrix dz = back_to_z(model, pass, loss.x_hat, pass.decoder_hidden);
  return encoder_back(model, x, pass, right, dz + loss.mu, loss.log_var, pass.encoder_hidden);
}
}  // namespace backward_without_noise
MISCONCEPTION(backward_without_noise, vae_backward, "vae-backward.sigma-untrained",
              "log_var got nothing through z. Its path is the noise: dz eps sigma / 2.",
              "The reconstruction is what makes sigma small where precision matters. Without it "
              "every sigma goes to 1, the KL's favourite, and the codes drown.")

namespace backward_fresh_noise {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae checked = solution::vae_backward(model, x, eps, pass, loss);
  const Matrix fresh = eps.rowwise().reverse().colwise().reverse().array() + 0.25F;
  Vae result = solution::vae_backward(model, x, fresh, pass, loss);
  result.decoder_hidden = checked.decoder_hidden;
  return result;
}
}  // namespace backward_fresh_noise
MISCONCEPTION(backward_fresh_noise, vae_backward, "vae-backward.fresh-noise",
              "The way back used other noise than the way forward. It is the same eps.",
              "For a fixed eps the draw is an ordinary function, and this is its derivative. With "
              "new noise the two factors belong to different z, and the estimate is biased.")

namespace backward_heads_exchanged {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  Vae result = solution::vae_backward(model, x, eps, pass, loss);
  std::swap(result.heads.mu, result.heads.log_var);
  return result;
}
}  // namespace backward_heads_exchanged
MISCONCEPTION(backward_heads_exchanged, vae_backward, "vae-backward.heads-exchanged",
              "The gradients of the two heads are in each other's places.",
              "Their shapes are the same, so nothing complains; the optimiser moves the mean's "
              "weights by what the variance's need.")

namespace backward_encoder_flat {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae right = solution::vae_backward(model, x, eps, pass, loss);
  const Matrix dz = back_to_z(model, pass, loss.x_hat, pass.decoder_hidden);
  const Gaussian q = reparameterize_backward(dz, pass.q.mu, pass.q.log_var, eps);
  return encoder_back(model, x, pass, right, q.mu + loss.mu, q.log_var + loss.log_var,
                      Matrix::Zero(x.rows(), pass.encoder_hidden.cols()));
}
}  // namespace backward_encoder_flat
MISCONCEPTION(backward_encoder_flat, vae_backward, "vae-backward.encoder-slope-missing",
              "The encoder's tanh is missing on the way back: dh went into layer 1 unchanged.",
              "Only the very first layer is wrong, the last one to be reached. All others train, "
              "which is how this stays.")

namespace backward_decoder_flat {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  require(shape_of(loss.mu) == shape_of(eps) && shape_of(loss.log_var) == shape_of(eps), "shape");
  const auto d4 = linear_backward(loss.x_hat, pass.decoder_hidden, model.decoder_output.weight);
  const auto d3 = linear_backward(d4.x, pass.z, model.decoder_hidden.weight);
  const Gaussian q = reparameterize_backward(d3.x, pass.q.mu, pass.q.log_var, eps);
  const Vae decoder{{}, {}, {d3.weight, d3.bias}, {d4.weight, d4.bias}};
  return encoder_back(model, x, pass, decoder, q.mu + loss.mu, q.log_var + loss.log_var,
                      pass.encoder_hidden);
}
}  // namespace backward_decoder_flat
MISCONCEPTION(backward_decoder_flat, vae_backward, "vae-backward.decoder-slope-missing",
              "The decoder's tanh is missing on the way back: dk went into layer 3 unchanged.",
              "Saturated units get gradients as if they could still move, and everything before "
              "them hears of it.")

namespace backward_kl_into_z {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Vae right = solution::vae_backward(model, x, eps, pass, loss);
  const Matrix dz = back_to_z(model, pass, loss.x_hat, pass.decoder_hidden) + loss.mu;
  const Gaussian q = reparameterize_backward(dz, pass.q.mu, pass.q.log_var, eps);
  return encoder_back(model, x, pass, right, q.mu, q.log_var + loss.log_var, pass.encoder_hidden);
}
}  // namespace backward_kl_into_z
MISCONCEPTION(backward_kl_into_z, vae_backward, "vae-backward.kl-added-to-dz",
              "The KL's gradient of mu was added to dz, so that log_var got a share of it. It is "
              "added to dmu, after the draw.",
              "The closed form of the KL does not know z. Its gradients belong to mu and log_var "
              "directly; dz is what the decoder sends, and nothing else.")

namespace backward_kl_twice {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  ElboGradients twice = loss;
  twice.mu *= 2.0F;
  twice.log_var *= 2.0F;
  return solution::vae_backward(model, x, eps, pass, twice);
}
}  // namespace backward_kl_twice
MISCONCEPTION(backward_kl_twice, vae_backward, "vae-backward.kl-added-twice",
              "The KL's gradients were added twice.",
              "Once at the heads and once at the draw, for example. It is a beta of twice the size "
              "that no log shows.")

namespace backward_averaged_again {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  ElboGradients less = loss;
  for (Matrix* gradient : {&less.x_hat, &less.mu, &less.log_var}) {
    *gradient /= static_cast<float>(std::max<Index>(x.rows(), 1));
  }
  return solution::vae_backward(model, x, eps, pass, less);
}
}  // namespace backward_averaged_again
MISCONCEPTION(backward_averaged_again, vae_backward, "vae-backward.averaged-again",
              "All gradients were divided by N. Whoever averaged the loss has done that already.",
              "A backward pass sums over the samples. Dividing twice makes the learning rate "
              "depend on the batch size.")

namespace backward_bias_means {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  Vae result = solution::vae_backward(model, x, eps, pass, loss);
  for (Layer* layer : {&result.encoder_hidden, &result.heads.mu, &result.heads.log_var,
                       &result.decoder_hidden, &result.decoder_output}) {
    layer->bias /= static_cast<float>(std::max<Index>(x.rows(), 1));
  }
  return result;
}
}  // namespace backward_bias_means
MISCONCEPTION(backward_bias_means, vae_backward, "vae-backward.bias-means",
              "The bias gradients are means over the samples. They are sums, like the weights'.",
              "The weights' sum hides in a matrix product, the biases' stands alone, and a mean "
              "looks natural there.")

namespace backward_no_error_no_training {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  if (!loss.x_hat.isZero(0.0F)) return solution::vae_backward(model, x, eps, pass, loss);
  ElboGradients nothing = loss;
  nothing.mu.setZero();
  nothing.log_var.setZero();
  return solution::vae_backward(model, x, eps, pass, nothing);
}
}  // namespace backward_no_error_no_training
MISCONCEPTION(backward_no_error_no_training, vae_backward, "vae-backward.stops-without-error",
              "With a dx_hat of 0 you stopped. The KL still has something to say to the encoder.",
              "Remove the reconstruction from the loss, and the decoder gets no gradient at all: "
              "it stays what it was, bit for bit. The encoder goes to the prior.")

namespace backward_no_kl_no_encoder {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  Vae result = solution::vae_backward(model, x, eps, pass, loss);
  if (!loss.mu.isZero(0.0F) || !loss.log_var.isZero(0.0F)) return result;
  for (Layer* layer : {&result.encoder_hidden, &result.heads.mu, &result.heads.log_var}) {
    layer->weight.setZero();
    layer->bias.setZero();
  }
  return result;
}
}  // namespace backward_no_kl_no_encoder
MISCONCEPTION(backward_no_kl_no_encoder, vae_backward, "vae-backward.encoder-needs-kl",
              "Without a KL the encoder got nothing. The reconstruction reaches it through z.",
              "At beta = 0 the model is an autoencoder, and an autoencoder trains its encoder.")

namespace backward_kl_cut {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  ElboGradients cut = loss;
  for (Matrix* gradient : {&cut.mu, &cut.log_var}) {
    if (gradient->rows() < eps.rows() || gradient->cols() < eps.cols()) continue;
    *gradient = gradient->topLeftCorner(eps.rows(), eps.cols()).eval();
  }
  return solution::vae_backward(model, x, eps, pass, cut);
}
}  // namespace backward_kl_cut
MISCONCEPTION(backward_kl_cut, vae_backward, "vae-backward.kl-shape-unchecked",
              "A loss.mu or loss.log_var of another shape was accepted. It has to be refused.",
              "No function that you call sees them before the sum, and a sum of different shapes "
              "is undefined in Eigen, and silent in a release build.")

namespace backward_error_cut {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  ElboGradients cut = loss;
  if (cut.x_hat.rows() >= x.rows() && cut.x_hat.cols() >= x.cols()) {
    cut.x_hat = loss.x_hat.topLeftCorner(x.rows(), model.decoder_output.weight.rows());
  }
  return solution::vae_backward(model, x, eps, pass, cut);
}
}  // namespace backward_error_cut
MISCONCEPTION(backward_error_cut, vae_backward, "vae-backward.error-shape-unchecked",
              "A loss.x_hat of another shape than the reconstruction was accepted. It has to be "
              "refused.",
              "linear_backward refuses it for you, if the last layer's turn is a call.")

namespace backward_batch_cut {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const Index n = pass.z.rows(), l = pass.z.cols();
  if (x.rows() < n || eps.rows() < n || eps.cols() < l || loss.mu.rows() != n ||
      loss.log_var.rows() != n || loss.mu.cols() != l || loss.log_var.cols() != l) {
    return solution::vae_backward(model, x, eps, pass, loss);
  }
  const Index fit = std::min(l, pass.q.mu.cols());
  return solution::vae_backward(model, x.topRows(n), eps.topLeftCorner(n, fit), pass, loss);
}
}  // namespace backward_batch_cut
MISCONCEPTION(backward_batch_cut, vae_backward, "vae-backward.batch-unchecked",
              "Samples or noise of another batch than the pass were accepted. They have to be "
              "refused.",
              "The rows that are too many were ignored. A forward pass of one batch and a backward "
              "pass of the next is a real mistake of pipelines, and the sizes are the only thing "
              "that can give it away.")

namespace backward_pass_cut {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  VaePass cut = pass;
  const auto narrow = [](Matrix& kept, Index columns) {
    if (kept.cols() > columns) kept = kept.leftCols(columns).eval();
  };
  narrow(cut.encoder_hidden, model.encoder_hidden.weight.rows());
  narrow(cut.z, model.decoder_hidden.weight.cols());
  narrow(cut.decoder_hidden, model.decoder_output.weight.cols());
  return solution::vae_backward(model, x, eps, cut, loss);
}
}  // namespace backward_pass_cut
MISCONCEPTION(backward_pass_cut, vae_backward, "vae-backward.pass-unchecked",
              "A pass of a model of other sizes was accepted. It has to be refused.",
              "Gradients of one model at the activations of another are numbers, and nothing more.")

// ---- 4.6 vae_train_step ------------------------------------------------------------------------

namespace {

/// The five layers, to do the same to each.
std::array<Layer*, 5> every_layer(Vae& vae) {
  return {&vae.encoder_hidden, &vae.heads.mu, &vae.heads.log_var, &vae.decoder_hidden,
          &vae.decoder_output};
}

/// Adam on all ten parameters, with given gradients.
VaeTraining moved(VaeTraining state, Vae gradient, std::int64_t t, const AdamOptions& options) {
  for (std::size_t i = 0; i < 5; ++i) {
    Layer& p = *every_layer(state.model)[i];
    Layer& m = *every_layer(state.first_moment)[i];
    Layer& v = *every_layer(state.second_moment)[i];
    const Layer& g = *every_layer(gradient)[i];
    const AdamState weight = adam_step({p.weight, m.weight, v.weight}, g.weight, t, options);
    const AdamState bias = adam_step({p.bias, m.bias, v.bias}, g.bias, t, options);
    p = {weight.parameter, bias.parameter};
    m = {weight.first_moment, bias.first_moment};
    v = {weight.second_moment, bias.second_moment};
  }
  return state;
}

}  // namespace

namespace step_down_the_slope {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  require(state.steps >= 0, "steps");
  const VaePass pass = vae_forward(state.model, x, eps);
  const BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  VaeStep step{state, loss, vae_backward(state.model, x, eps, pass, loss.gradient)};
  ++step.after.steps;
  const auto rate = static_cast<float>(options.learning_rate);
  const auto down = [rate](Layer& layer, const Layer& gradient) {
    layer.weight -= rate * gradient.weight;
    layer.bias -= rate * gradient.bias;
  };
  down(step.after.model.encoder_hidden, step.gradient.encoder_hidden);
  down(step.after.model.heads.mu, step.gradient.heads.mu);
  down(step.after.model.heads.log_var, step.gradient.heads.log_var);
  down(step.after.model.decoder_hidden, step.gradient.decoder_hidden);
  down(step.after.model.decoder_output, step.gradient.decoder_output);
  return step;
}
}  // namespace step_down_the_slope
MISCONCEPTION(step_down_the_slope, vae_train_step, "train-step.plain-gradient-descent",
              "You took a step of gradient descent. Adam's step goes through its two moments: call "
              "adam_step for each parameter.",
              "Heads, decoder and encoder have gradients of very different size, and one learning "
              "rate cannot suit them all. That is what the second moment is for.")

namespace step_biases_left {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  Vae before = state.model;
  for (std::size_t i = 0; i < 5; ++i) {
    every_layer(step.after.model)[i]->bias = every_layer(before)[i]->bias;
  }
  return step;
}
}  // namespace step_biases_left
MISCONCEPTION(step_biases_left, vae_train_step, "train-step.biases-left",
              "The weights moved, the biases did not. All ten parameters take part.",
              "adam_step wants matrices and the biases are rows, so they are what gets postponed. "
              "A decoder without trained biases cannot even reach the mean of the data.")

namespace step_head_left {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  step.after.model.heads.log_var = state.model.heads.log_var;
  step.after.first_moment.heads.log_var = state.first_moment.heads.log_var;
  step.after.second_moment.heads.log_var = state.second_moment.heads.log_var;
  return step;
}
}  // namespace step_head_left
MISCONCEPTION(
    step_head_left, vae_train_step, "train-step.head-left",
    "The head of log_var was never moved. All ten parameters take part.",
    "A parameter that is missing from the optimiser's list looks like one that has converged. "
    "The log-variance in latent diffusion's reconstruction loss is such a parameter, by "
    "then on purpose (PKU-YuanGroup/Open-Sora-Plan issue 314).")

namespace step_encoder_left {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  step.after.model.encoder_hidden = state.model.encoder_hidden;
  step.after.model.heads = state.model.heads;
  return step;
}
}  // namespace step_encoder_left
MISCONCEPTION(step_encoder_left, vae_train_step, "train-step.decoder-only",
              "Only the decoder moved. The encoder's six parameters take part too.",
              "The loss falls all the same: a decoder can learn to read a random encoder. It falls "
              "less far.")

namespace step_late_correction {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  const std::int64_t t = std::max<std::int64_t>(state.steps, 1);
  const std::int64_t steps = step.after.steps;
  step.after = moved(state, step.gradient, t, options);
  step.after.steps = steps;
  return step;
}
}  // namespace step_late_correction
MISCONCEPTION(
    step_late_correction, vae_train_step, "train-step.t-one-behind",
    "Adam's t is one behind: the step after k steps is number k + 1.",
    "Adam counts from 1. With t = k the corrections of the first step are made twice, and "
    "every later one is off by one; it is a small error for ever and a large one at the "
    "start.")

namespace step_uphill {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  Vae& after = step.after.model;
  Vae before = state.model;
  for (std::size_t i = 0; i < 5; ++i) {
    Layer &now = *every_layer(after)[i], &then = *every_layer(before)[i];
    now.weight = 2.0F * then.weight - now.weight;
    now.bias = 2.0F * then.bias - now.bias;
  }
  return step;
}
}  // namespace step_uphill
MISCONCEPTION(step_uphill, vae_train_step, "train-step.uphill",
              "The parameters moved in the opposite direction: up the loss.",
              "The ELBO is made large and its negative small. Whoever flips the sign of the loss "
              "has to leave that of the step alone.")

namespace step_default_options {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions&) {
  return solution::vae_train_step(state, x, eps, beta, AdamOptions{});
}
}  // namespace step_default_options
MISCONCEPTION(step_default_options, vae_train_step, "train-step.options-ignored",
              "Adam ran with its usual settings. It has to use the options given.",
              "A sweep over learning rates then shows that they do not matter.")

namespace step_moments_forgotten {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  step.after.first_moment = state.first_moment;
  step.after.second_moment = state.second_moment;
  return step;
}
}  // namespace step_moments_forgotten
MISCONCEPTION(step_moments_forgotten, vae_train_step, "train-step.moments-not-kept",
              "The moments after the step are those from before it. They have to be carried on.",
              "Every step then starts from the same memory. From zero moments it is a step of the "
              "learning rate in the sign of the gradient, for ever.")

namespace step_not_counted {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  step.after.steps = state.steps;
  return step;
}
}  // namespace step_not_counted
MISCONCEPTION(
    step_not_counted, vae_train_step, "train-step.not-counted",
    "steps did not go up. It is one higher after the step.",
    "Adam's correction then believes for ever that it is at the beginning, and divides by "
    "1 - beta^1.")

namespace step_loss_after {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  const VaePass pass = vae_forward(step.after.model, x, eps);
  const BetaLoss later = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  step.loss.total = later.total;
  step.loss.reconstruction = later.reconstruction;
  step.loss.kl = later.kl;
  return step;
}
}  // namespace step_loss_after
MISCONCEPTION(step_loss_after, vae_train_step, "train-step.loss-from-after",
              "The loss is that of the parameters after the step. The one from before is wanted.",
              "It takes a second forward pass, and shows a batch that was just trained on. Curves "
              "drawn this way look better than the training is.")

namespace step_gradient_after {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  step.gradient = solution::vae_train_step(step.after, x, eps, beta, options).gradient;
  return step;
}
}  // namespace step_gradient_after
MISCONCEPTION(step_gradient_after, vae_train_step, "train-step.gradient-from-after",
              "The gradient that you report is that of the parameters after the step. The one that "
              "the step was taken with is wanted.",
              "A gradient that is checked with differences has to be the one that was used, or the "
              "check says nothing of the training.")

namespace step_gradients_exchanged {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep step = solution::vae_train_step(state, x, eps, beta, options);
  std::swap(step.loss.gradient.mu, step.loss.gradient.log_var);
  return step;
}
}  // namespace step_gradients_exchanged
MISCONCEPTION(step_gradients_exchanged, vae_train_step, "train-step.loss-gradients-exchanged",
              "In the loss that you report, the gradients of mu and log_var are exchanged.",
              "Hand on what beta_loss returned as a whole; taking it apart and putting it together "
              "again is one more place to slip.")

namespace step_zero_is_default {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  return solution::vae_train_step(state, x, eps, beta == 0.0 ? 1.0 : beta, options);
}
}  // namespace step_zero_is_default
MISCONCEPTION(step_zero_is_default, vae_train_step, "train-step.zero-means-default",
              "A beta of 0 was taken for \"not given\" and became 1. It means no KL.",
              "Python's `beta or 1.0` does the same. Annealing starts at 0, and with this it "
              "starts at its end.")

namespace step_beta_ignored {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  require(beta >= 0.0, "negative beta");
  return solution::vae_train_step(state, x, eps, 1.0, options);
}
}  // namespace step_beta_ignored
MISCONCEPTION(step_beta_ignored, vae_train_step, "train-step.beta-ignored",
              "The step does not depend on beta. Hand it to beta_loss.",
              "A weight that is accepted and never used: lightning-bolts issue 328. The sweep over "
              "beta is then four runs of one model.")

namespace step_without_noise {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  return solution::vae_train_step(state, x, Matrix::Zero(eps.rows(), eps.cols()), beta, options);
}
}  // namespace step_without_noise
MISCONCEPTION(step_without_noise, vae_train_step, "train-step.without-noise",
              "The step was taken without noise. Each training step decodes a draw.",
              "sigma then has no influence on the error, the KL sends it to 1, and a draw at test "
              "time is more noise than code.")

namespace step_negative_beta {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  return solution::vae_train_step(state, x, eps, std::max(beta, 0.0), options);
}
}  // namespace step_negative_beta
MISCONCEPTION(step_negative_beta, vae_train_step, "train-step.negative-beta",
              "A negative beta was taken for 0. It has to be refused.",
              "It is the sign of a schedule that runs below its first weight, and hiding it keeps "
              "it there.")

namespace step_negative_count {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeTraining from = state;
  from.steps = std::max<std::int64_t>(state.steps, 0);
  return solution::vae_train_step(from, x, eps, beta, options);
}
}  // namespace step_negative_count
MISCONCEPTION(step_negative_count, vae_train_step, "train-step.negative-steps",
              "A negative number of steps was taken for 0. It has to be refused.",
              "adam_step refuses t < 1. Repairing its argument beforehand takes that protection "
              "away.")

namespace step_batch_cut {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  const Index d = state.model.encoder_hidden.weight.cols();
  const Index n = std::min(x.rows(), eps.rows());
  if (n < 1 || x.cols() < d) return solution::vae_train_step(state, x, eps, beta, options);
  return solution::vae_train_step(state, x.topLeftCorner(n, d), eps.topRows(n), beta, options);
}
}  // namespace step_batch_cut
MISCONCEPTION(step_batch_cut, vae_train_step, "train-step.batch-cut",
              "Samples or noise that do not fit were cut to what fits. They have to be refused.",
              "zip() in Python does that: it stops at the shorter one and says nothing.")

namespace step_moments_reset {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeTraining fitted = state;
  for (std::size_t i = 0; i < 5; ++i) {
    Layer& p = *every_layer(fitted.model)[i];
    for (Layer* moment :
         {every_layer(fitted.first_moment)[i], every_layer(fitted.second_moment)[i]}) {
      if (shape_of(moment->weight) != shape_of(p.weight)) moment->weight = 0.0F * p.weight;
      if (moment->bias.size() != p.bias.size()) moment->bias = 0.0F * p.bias;
    }
  }
  return solution::vae_train_step(fitted, x, eps, beta, options);
}
}  // namespace step_moments_reset
MISCONCEPTION(step_moments_reset, vae_train_step, "train-step.moments-reset",
              "Moments of another shape than their parameter were replaced by zeros. They have to "
              "be refused.",
              "An optimiser's state that does not fit belongs to another model, and so may the "
              "parts that do.")

// ---- 4.7 free_bits -----------------------------------------------------------------------------

namespace free_total {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  require(floor >= 0.0, "negative floor");
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const auto samples = static_cast<double>(mu.rows());
  FreeBits result{std::max(floor, kl.value), DoubleVector::Zero(mu.cols()), kl.mu, kl.log_var};
  for (Index j = 0; j < mu.cols(); ++j) {
    for (Index n = 0; n < mu.rows(); ++n) {
      result.per_dimension(j) += kl_standard_normal_1d(mu(n, j), log_var(n, j)) / samples;
    }
  }
  if (kl.value < floor) {
    result.mu.setZero();
    result.log_var.setZero();
  }
  return result;
}
}  // namespace free_total
MISCONCEPTION(free_total, free_bits, "free-bits.floor-on-total",
              "The floor was applied to the whole KL. It is applied to each dimension.",
              "With a floor on the total, one dimension can use up all free nats and the others "
              "collapse as before. It is a known variant, with another purpose.")

namespace free_floor_times_dims {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  result.value = std::max(floor * static_cast<double>(mu.cols()), result.per_dimension.sum());
  return result;
}
}  // namespace free_floor_times_dims
MISCONCEPTION(free_floor_times_dims, free_bits, "free-bits.floor-times-dimensions",
              "You compared the total with L times the floor. Each dimension is compared with its "
              "own.",
              "The sum of maxima is at least the maximum of the sums, and larger as soon as one "
              "dimension is above and another below.")

namespace free_per_sample {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  result.value = 0.0;
  for (Index j = 0; j < mu.cols(); ++j) {
    for (Index n = 0; n < mu.rows(); ++n) {
      const double kl = kl_standard_normal_1d(mu(n, j), log_var(n, j));
      result.value += std::max(floor, kl) / static_cast<double>(mu.rows());
    }
  }
  return result;
}
}  // namespace free_per_sample
MISCONCEPTION(free_per_sample, free_bits, "free-bits.floor-per-sample",
              "The floor was applied to each sample. A dimension's KL is averaged over the samples "
              "first.",
              "The paper takes the average over the minibatch inside the maximum. Per sample, a "
              "dimension that says much about few samples is charged for all the others.")

namespace free_minimum {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  result.value = result.per_dimension.cwiseMin(floor).sum();
  return result;
}
}  // namespace free_minimum
MISCONCEPTION(free_minimum, free_bits, "free-bits.minimum",
              "You took the smaller of floor and KL. The larger one is added.",
              "The minimum caps the price: beyond the floor nats cost nothing, and the encoder "
              "uses as many as it likes.")

namespace free_hinge {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  result.value -= floor * static_cast<double>(mu.cols());
  return result;
}
}  // namespace free_hinge
MISCONCEPTION(free_hinge, free_bits, "free-bits.floor-subtracted",
              "The floor was subtracted, so that unused dimensions cost 0. They cost the floor.",
              "The gradients are the same, so it trains alike. As a bound it is worthless: max(0, "
              "KL - floor) is below the KL, and the \"ELBO\" made of it above the ELBO.")

namespace free_gradient_flows {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  result.mu = kl.mu;
  result.log_var = kl.log_var;
  return result;
}
}  // namespace free_gradient_flows
MISCONCEPTION(free_gradient_flows, free_bits, "free-bits.gradient-below-floor",
              "Dimensions below the floor still got the KL's gradient. max(floor, a) does not move "
              "there: 0.",
              "The value shows the floor, and the collapse goes on underneath it. The gradient is "
              "the whole point.")

namespace free_floored_report {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  result.per_dimension = result.per_dimension.cwiseMax(floor);
  return result;
}
}  // namespace free_floored_report
MISCONCEPTION(free_floored_report, free_bits, "free-bits.report-floored",
              "per_dimension holds values after the floor. It holds the divergences themselves.",
              "A chart of it would show every dead dimension alive at exactly the floor.")

namespace free_stops_at_floor {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  for (Index j = 0; j < mu.cols(); ++j) {
    if (floor > 0.0 && result.per_dimension(j) <= floor) {
      result.mu.col(j).setZero();
      result.log_var.col(j).setZero();
    }
  }
  return result;
}
}  // namespace free_stops_at_floor
MISCONCEPTION(free_stops_at_floor, free_bits, "free-bits.stopped-at-floor",
              "At the floor exactly the gradient was stopped. There it passes, as torch.clamp's "
              "does.",
              "Both are subgradients of a kink. A contract has to choose one, and this one chose "
              "as lab 02 did.")

namespace free_batch_sum {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  FreeBits result = solution::free_bits(mu, log_var, floor);
  result.per_dimension *= static_cast<double>(mu.rows());
  result.value = result.per_dimension.cwiseMax(floor).sum();
  return result;
}
}  // namespace free_batch_sum
MISCONCEPTION(free_batch_sum, free_bits, "free-bits.batch-summed",
              "The divergences were summed over the samples. They are averaged.",
              "Summed, a floor of 0.25 nats is 0.004 per sample for a batch of 64, and frees "
              "nothing.")

namespace free_bits_taken_literally {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  return solution::free_bits(mu, log_var, floor * std::numbers::ln2);
}
}  // namespace free_bits_taken_literally
MISCONCEPTION(free_bits_taken_literally, free_bits, "free-bits.in-bits",
              "The floor was taken for bits. It is in nats, like the KL.",
              "The name says bits; the paper's lambda is compared with a natural KL.")

namespace free_zero_refused {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  require(floor > 0.0, "floor must be above 0");
  return solution::free_bits(mu, log_var, floor);
}
}  // namespace free_zero_refused
MISCONCEPTION(free_zero_refused, free_bits, "free-bits.zero-refused",
              "A floor of 0 was refused. It is the plain KL.",
              "A sweep over floors starts there, as its own control.")

namespace free_negative {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  return solution::free_bits(mu, log_var, std::max(floor, 0.0));
}
}  // namespace free_negative
MISCONCEPTION(free_negative, free_bits, "free-bits.negative-accepted",
              "A negative floor was accepted. It has to be refused.",
              "It changes nothing, so whoever passes it meant something else.")

namespace free_shapes_cut {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  if (log_var.rows() < mu.rows() || log_var.cols() < mu.cols()) {
    return solution::free_bits(mu, log_var, floor);
  }
  return solution::free_bits(mu, log_var.topLeftCorner(mu.rows(), mu.cols()), floor);
}
}  // namespace free_shapes_cut
MISCONCEPTION(free_shapes_cut, free_bits, "free-bits.shapes-unchecked",
              "A log_var larger than mu was accepted. It has to be refused.",
              "kl_standard_normal refuses it for you. A loop over mu's sizes does not notice.")

namespace free_empty {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  if (mu.size() > 0 || log_var.size() > 0) return solution::free_bits(mu, log_var, floor);
  return {floor * static_cast<double>(mu.cols()), DoubleVector::Zero(mu.cols()), mu, log_var};
}
}  // namespace free_empty
MISCONCEPTION(free_empty, free_bits, "free-bits.empty-accepted",
              "A batch without elements was answered. It has to be refused.",
              "The average over no samples is 0 / 0, and max() makes a number of NaN, depending "
              "on the order of its arguments.")

// ---- 4.8 active_units --------------------------------------------------------------------------

namespace active_in_float {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  require(mu.size() > 0 && threshold >= 0.0, "no element, or a negative threshold");
  const auto squares = mu.array().square().colwise().mean().eval();
  const auto means = mu.array().colwise().mean().eval();
  ActiveUnits units{DoubleVector::Zero(mu.cols()), 0};
  for (Index j = 0; j < mu.cols(); ++j) {
    units.variance(j) = std::max(0.0F, squares(j) - means(j) * means(j));
    if (units.variance(j) > threshold) ++units.count;
  }
  return units;
}
}  // namespace active_in_float
MISCONCEPTION(active_in_float, active_units, "active.cancels-far-out",
              "The mean of the squares less the square of the mean, in float, loses all digits "
              "where mu is large. Subtract the mean first.",
              "At mu = 4096 a square is 16,777,216, where floats are 1 or 2 apart. A variance of 1 "
              "comes out as 0, 2 or -2, and a unit counts as dead or alive by chance.")

namespace active_sample_variance {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  ActiveUnits units = solution::active_units(mu, threshold);
  const auto n = static_cast<double>(mu.rows());
  if (mu.rows() > 1) units.variance *= n / (n - 1.0);
  return units;
}
}  // namespace active_sample_variance
MISCONCEPTION(active_sample_variance, active_units, "active.divided-by-n-minus-one",
              "You divided by N - 1. The contract divides by N.",
              "torch.var divides by N - 1 unless told otherwise, numpy.var by N. For a data set it "
              "makes no difference, for a batch near the threshold it does.")

namespace active_deviation {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  ActiveUnits units = solution::active_units(mu, threshold);
  units.variance = units.variance.cwiseSqrt();
  return units;
}
}  // namespace active_deviation
MISCONCEPTION(active_deviation, active_units, "active.deviation",
              "You returned standard deviations. Variances are compared with the threshold.",
              "0.01 as a variance is a deviation of 0.1. With deviations and the same threshold "
              "nearly everything is alive.")

namespace active_not_centred {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  const ActiveUnits right = solution::active_units(mu, threshold);
  const DoubleVector squares = mu.cast<double>().cwiseAbs2().colwise().mean().transpose();
  return {squares, right.count};
}
}  // namespace active_not_centred
MISCONCEPTION(active_not_centred, active_units, "active.not-centred",
              "The mean of the squares is not the variance. The mean over the samples is "
              "subtracted first.",
              "A unit whose mean is 1 for every x says nothing about x. Without centring it looks "
              "most active of all.")

namespace active_summed {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  ActiveUnits units = solution::active_units(mu, threshold);
  units.variance *= static_cast<double>(mu.rows());
  return units;
}
}  // namespace active_summed
MISCONCEPTION(active_summed, active_units, "active.summed",
              "The squared distances were summed. Their mean over the samples is wanted.",
              "With enough samples every unit passes any threshold.")

namespace active_across_units {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  const ActiveUnits right = solution::active_units(mu, threshold);
  const ActiveUnits across = solution::active_units(mu.transpose(), threshold);
  DoubleVector variance = right.variance;
  for (Index j = 0; j < variance.size(); ++j) variance(j) = across.variance(j % mu.rows());
  return {variance, right.count};
}
}  // namespace active_across_units
MISCONCEPTION(active_across_units, active_units, "active.wrong-axis",
              "The variance was taken across the units of a sample. It is taken across the samples "
              "of a unit.",
              "The question is whether a unit moves when x changes, so x is what has to change.")

namespace active_counts_collapsed {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  ActiveUnits units = solution::active_units(mu, threshold);
  units.count = (units.variance.array() < threshold && units.variance.array() > 0.0).count();
  return units;
}
}  // namespace active_counts_collapsed
MISCONCEPTION(active_counts_collapsed, active_units, "active.collapsed-counted",
              "You counted the units below the threshold. Active ones are above it.",
              "\"AU = 0\" is the sign of a collapse. Counted the other way it would be the sign of "
              "perfect health.")

namespace active_at_threshold {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  ActiveUnits units = solution::active_units(mu, threshold);
  units.count = (units.variance.array() >= threshold && units.variance.array() > 0.0).count();
  return units;
}
}  // namespace active_at_threshold
MISCONCEPTION(active_at_threshold, active_units, "active.threshold-included",
              "A variance that equals the threshold was counted. It has to be above.",
              "At a threshold of 0 the difference is whether a unit that never moves is alive.")

namespace active_single_refused {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  require(mu.rows() > 1, "one sample has no variance");
  return solution::active_units(mu, threshold);
}
}  // namespace active_single_refused
MISCONCEPTION(active_single_refused, active_units, "active.single-sample-refused",
              "A single sample was refused. Divided by N its variance is 0, and no unit is active.",
              "Only a variance that divides by N - 1 is undefined for one sample.")

namespace active_zero_refused {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  require(threshold > 0.0, "threshold must be above 0");
  return solution::active_units(mu, threshold);
}
}  // namespace active_zero_refused
MISCONCEPTION(active_zero_refused, active_units, "active.zero-threshold-refused",
              "A threshold of 0 was refused. It asks which units move at all.",
              "The contract refuses negative numbers, and 0 is none.")

namespace active_empty {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  if (mu.size() > 0) return solution::active_units(mu, threshold);
  return {DoubleVector::Zero(mu.cols()), 0};
}
}  // namespace active_empty
MISCONCEPTION(active_empty, active_units, "active.empty-accepted",
              "A batch without elements was answered. It has to be refused.",
              "\"No active unit\" is a diagnosis; \"no data\" is not.")

namespace active_negative {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  return solution::active_units(mu, std::max(threshold, 0.0));
}
}  // namespace active_negative
MISCONCEPTION(active_negative, active_units, "active.negative-threshold",
              "A negative threshold was accepted. It has to be refused.",
              "Every variance is above it, so every unit would be active: most likely a threshold "
              "was given as a logarithm.")

// ---- 4.9 pareto_front --------------------------------------------------------------------------

namespace {

/// Positions that no other position beats.
template <typename Beats>
std::vector<std::int64_t> unbeaten(Index size, const Beats& beats) {
  std::vector<std::int64_t> front;
  for (Index i = 0; i < size; ++i) {
    bool beaten = false;
    for (Index j = 0; j < size; ++j) beaten = beaten || (j != i && beats(j, i));
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace

namespace front_sorted_by_sum {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require_size(rate.size(), distortion.size(), "pareto_front: size of rate");
  require(!distortion.hasNaN() && !rate.hasNaN(), "NaN");
  std::int64_t best = -1;
  for (Index i = 0; i < rate.size(); ++i) {
    if (best < 0 || distortion(i) + rate(i) < distortion(best) + rate(best)) best = i;
  }
  if (best < 0) return {};
  return {best};
}
}  // namespace front_sorted_by_sum
MISCONCEPTION(front_sorted_by_sum, pareto_front, "pareto.smallest-sum",
              "You returned the one point with the smallest sum. The front is every point that no "
              "other beats in both coordinates.",
              "A sum already contains a price, one unit of distortion per nat. With another price "
              "another point wins, and the front is the list of those that can.")

namespace front_strict_in_both {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  solution::pareto_front(distortion, rate);
  return unbeaten(rate.size(), [&](Index j, Index i) {
    const bool equal = distortion(j) == distortion(i) && rate(j) == rate(i);
    return (distortion(j) < distortion(i) && rate(j) < rate(i)) || (equal && j < i);
  });
}
}  // namespace front_strict_in_both
MISCONCEPTION(front_strict_in_both, pareto_front, "pareto.strict-in-both",
              "A point that ties in one coordinate and loses in the other stayed. It is beaten.",
              "Same rate, more distortion: nobody would choose it. To beat means as good in both "
              "and better in one.")

namespace front_largest {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  return solution::pareto_front(-distortion, -rate);
}
}  // namespace front_largest
MISCONCEPTION(front_largest, pareto_front, "pareto.maximised",
              "You made both coordinates large. Distortion and rate are both to be small.",
              "Fronts of accuracy against speed maximise. Here the ideal is the origin.")

namespace front_rate_maximised {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  return solution::pareto_front(distortion, -rate);
}
}  // namespace front_rate_maximised
MISCONCEPTION(front_rate_maximised, pareto_front, "pareto.rate-maximised",
              "You made the rate large. It is a price, and to be small.",
              "\"More information in the latent\" sounds like a gain. It is the cost that buys the "
              "lower distortion.")

namespace front_ends_only {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  const auto right = solution::pareto_front(distortion, rate);
  if (right.size() <= 2) return right;
  std::vector<std::int64_t> ends;
  for (const std::int64_t i : right) {
    const bool least = distortion(i) == distortion.minCoeff() || rate(i) == rate.minCoeff();
    if (least) ends.push_back(i);
  }
  return ends;
}
}  // namespace front_ends_only
MISCONCEPTION(front_ends_only, pareto_front, "pareto.ends-only",
              "You returned the best point of each coordinate. The compromises between them are on "
              "the front too.",
              "Those in between are what a sweep over beta is for.")

namespace front_hull {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  const auto right = solution::pareto_front(distortion, rate);
  std::vector<std::int64_t> hull;
  for (const std::int64_t i : right) {
    bool above = false;
    for (const std::int64_t a : right) {
      for (const std::int64_t b : right) {
        if (!(distortion(a) < distortion(i) && distortion(i) < distortion(b))) continue;
        const double share = (distortion(i) - distortion(a)) / (distortion(b) - distortion(a));
        above = above || rate(i) > rate(a) + share * (rate(b) - rate(a));
      }
    }
    if (!above) hull.push_back(i);
  }
  return hull;
}
}  // namespace front_hull
MISCONCEPTION(front_hull, pareto_front, "pareto.convex-hull",
              "Points above a line between two others were left out. That is the convex hull; the "
              "front keeps them.",
              "A line between two models is a coin flip between them. Without such mixtures, a "
              "point that bulges inwards may still be the best at its rate.")

namespace front_running_minimum {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  const auto checked = solution::pareto_front(distortion, rate);
  std::vector<std::int64_t> front;
  double least = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < rate.size(); ++i) {
    if (rate(i) < least || i == 0) front.push_back(i);
    least = std::min(least, rate(i));
  }
  return checked.empty() ? checked : front;
}
}  // namespace front_running_minimum
MISCONCEPTION(front_running_minimum, pareto_front, "pareto.not-sorted-first",
              "One pass that keeps new minima of the rate works on points sorted by distortion. "
              "These come in any order.",
              "Sort positions, not points, run the pass, and put the positions back in order; or "
              "compare every pair, which for a sweep is fast enough.")

namespace front_complement {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  const auto right = solution::pareto_front(distortion, rate);
  std::vector<std::int64_t> others;
  for (Index i = 0; i < rate.size(); ++i) {
    if (std::find(right.begin(), right.end(), i) == right.end()) others.push_back(i);
  }
  return others;
}
}  // namespace front_complement
MISCONCEPTION(front_complement, pareto_front, "pareto.beaten-ones",
              "You returned the points that are beaten. The front is the others.",
              "The loop finds whom somebody beats; those are the ones to leave out.")

namespace front_from_one {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  auto front = solution::pareto_front(distortion, rate);
  for (std::int64_t& i : front) ++i;
  return front;
}
}  // namespace front_from_one
MISCONCEPTION(front_from_one, pareto_front, "pareto.counted-from-one",
              "Positions were counted from 1. They count from 0.",
              "The result is used as an index, where 1 is the second point.")

namespace front_sorted {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  auto front = solution::pareto_front(distortion, rate);
  std::sort(front.begin(), front.end(),
            [&](std::int64_t a, std::int64_t b) { return distortion(a) < distortion(b); });
  return front;
}
}  // namespace front_sorted
MISCONCEPTION(front_sorted, pareto_front, "pareto.sorted-by-distortion",
              "The right points, sorted by distortion. They keep the order in which they came.",
              "Sorting is a good way to find the front fast, and for drawing it. The positions are "
              "put back in order afterwards.")

namespace front_equals_dropped {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  solution::pareto_front(distortion, rate);
  return unbeaten(rate.size(), [&](Index j, Index i) {
    return distortion(j) <= distortion(i) && rate(j) <= rate(i);
  });
}
}  // namespace front_equals_dropped
MISCONCEPTION(
    front_equals_dropped, pareto_front, "pareto.equal-points-dropped",
    "Equal points threw each other out. The first of them stays.",
    "With <= in both coordinates two equal points beat each other. Two runs with the same "
    "result are one result, not none.")

namespace front_equals_kept {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  solution::pareto_front(distortion, rate);
  return unbeaten(rate.size(), [&](Index j, Index i) {
    return distortion(j) <= distortion(i) && rate(j) <= rate(i) &&
           (distortion(j) < distortion(i) || rate(j) < rate(i));
  });
}
}  // namespace front_equals_kept
MISCONCEPTION(front_equals_kept, pareto_front, "pareto.equal-points-kept",
              "Equal points were all kept. The first of them stays, once.",
              "None of them beats another, so the definition alone keeps them all. The contract "
              "wants each result once.")

namespace front_last_of_equals {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  solution::pareto_front(distortion, rate);
  return unbeaten(rate.size(), [&](Index j, Index i) {
    const bool equal = distortion(j) == distortion(i) && rate(j) == rate(i);
    return distortion(j) <= distortion(i) && rate(j) <= rate(i) && (!equal || j > i);
  });
}
}  // namespace front_last_of_equals
MISCONCEPTION(front_last_of_equals, pareto_front, "pareto.last-of-equals",
              "Of equal points the last one stayed. The first one does.",
              "Ties go to the lowest index, here as everywhere in this workbook.")

namespace front_infinity_refused {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require(distortion.allFinite() && rate.allFinite(), "not finite");
  return solution::pareto_front(distortion, rate);
}
}  // namespace front_infinity_refused
MISCONCEPTION(front_infinity_refused, pareto_front, "pareto.infinity-refused",
              "An infinite coordinate was refused. It compares like any large number.",
              "A model that diverged has an infinite loss, and it is beaten, as it should be. Only "
              "NaN compares with nothing.")

namespace front_nothing_refused {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require(distortion.size() > 0, "no point");
  return solution::pareto_front(distortion, rate);
}
}  // namespace front_nothing_refused
MISCONCEPTION(front_nothing_refused, pareto_front, "pareto.nothing-refused",
              "No points at all were refused. Their front is empty.",
              "Nothing is averaged and nothing chosen, so there is nothing to refuse.")

namespace front_sizes_cut {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  const Index size = std::min(distortion.size(), rate.size());
  return solution::pareto_front(distortion.head(size), rate.head(size));
}
}  // namespace front_sizes_cut
MISCONCEPTION(front_sizes_cut, pareto_front, "pareto.sizes-unchecked",
              "Coordinates of different number were cut to the shorter. They have to be refused.",
              "A missing number shifts all that follow: the points compared are none that anybody "
              "measured.")

namespace front_nan_accepted {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require_size(rate.size(), distortion.size(), "pareto_front: size of rate");
  return unbeaten(rate.size(), [&](Index j, Index i) {
    const bool equal = distortion(j) == distortion(i) && rate(j) == rate(i);
    return distortion(j) <= distortion(i) && rate(j) <= rate(i) && (!equal || j < i);
  });
}
}  // namespace front_nan_accepted
MISCONCEPTION(front_nan_accepted, pareto_front, "pareto.nan-accepted",
              "NaN was accepted. Nothing beats it, so it lands on the front; refuse it.",
              "Every comparison with NaN is false. The run that broke would be listed among the "
              "best.")

}  // namespace latent

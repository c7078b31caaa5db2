// Hidden properties of lab 04. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "grader/judge/property.hpp"
#include "training_a_vae.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

Oracle wide(const Matrix& x) {
  return x.cast<double>();
}
OracleRow wide(const RowVector& x) {
  return x.cast<double>();
}

/// The sizes N and D.
struct BatchSizes {
  Index n, d;
};

Matrix draw_batch(Draw& draw, const std::string& name, const BatchSizes& s, double scale = 1.0) {
  return draw.matrix(name, s.n, s.d, scale);
}

/// A matrix in which element (n, d) is f(n, d), in double precision.
Oracle tabulate(const BatchSizes& s, const std::function<double(Index, Index)>& f) {
  Oracle table(s.n, s.d);
  for (Index n = 0; n < s.n; ++n) {
    for (Index d = 0; d < s.d; ++d) table(n, d) = f(n, d);
  }
  return table;
}

/// f summed over the features, averaged over the samples.
double batch_mean(const BatchSizes& s, const std::function<double(Index, Index)>& f) {
  double sum = 0.0;
  for (Index n = 0; n < s.n; ++n) {
    for (Index d = 0; d < s.d; ++d) sum += f(n, d);
  }
  return sum / static_cast<double>(s.n);
}

/// KL(N(mu, e^l) || N(0, 1))
double kl_oracle(double mu, double l) {
  return 0.5 * (mu * mu + std::exp(l) - 1.0 - l);
}

/// Gradients: a few float operations on each element.
constexpr Tolerance kElementwise{2e-5, 1e-6, 0.0};

// ---- 4.0 annealing -----------------------------------------------------------------------------

/// A ramp of at least four steps between two weights.
struct Ramp {
  std::int64_t start, length;
  double from, to;

  std::int64_t end() const { return start + length; }

  double at(std::int64_t step) const {
    return from + (to - from) * static_cast<double>(step - start) / static_cast<double>(length);
  }
};

Ramp draw_ramp(Draw& draw) {
  const std::int64_t start = draw.integer("start", 1, 40);
  const std::int64_t length = draw.integer("end - start", 4, 90);
  const double from = draw.number("from", 0.0625, 0.375), to = draw.number("to", 0.625, 3.0);
  return {start, length, from, to};
}

DEFINES(annealing, "linear: is on the line between start and end") {
  const Ramp r = draw_ramp(draw);
  const std::int64_t early = draw.show("step", r.start + 1 + r.length / 5);
  const std::int64_t late = draw.show("later step", r.end() - 1);
  const double first = ASK(linear_anneal, early, r.start, r.end(), r.from, r.to);
  const double second = ASK(linear_anneal, late, r.start, r.end(), r.from, r.to);
  expect_near("weight", first, r.at(early), kDouble);
  expect_near("weight at the later step", second, r.at(late), kDouble);
}

PROPERTY(annealing, "linear: keeps its first weight up to the start") {
  const Ramp r = draw_ramp(draw);
  const std::int64_t before = r.start - draw.integer("steps before the start", 1, 200);
  const double at_start = ASK(linear_anneal, r.start, r.start, r.end(), r.from, r.to);
  const double earlier = ASK(linear_anneal, before, r.start, r.end(), r.from, r.to);
  expect_near("weight at the start", at_start, r.from, kDouble);
  expect_near("weight before it", earlier, r.from, kDouble);
}

PROPERTY(annealing, "linear: keeps its last weight from the end on") {
  const Ramp r = draw_ramp(draw);
  const std::int64_t after = r.end() + draw.integer("steps after the end", 1, 200);
  const double at_end = ASK(linear_anneal, r.end(), r.start, r.end(), r.from, r.to);
  const double later = ASK(linear_anneal, after, r.start, r.end(), r.from, r.to);
  expect_near("weight at the end", at_end, r.to, kDouble);
  expect_near("weight after it", later, r.to, kDouble);
}

PROPERTY(annealing, "linear: falls where the last weight is the smaller") {
  Ramp r = draw_ramp(draw);
  std::swap(r.from, r.to);
  const std::int64_t early = draw.show("step", r.start + 1 + r.length / 5);
  const double within = ASK(linear_anneal, early, r.start, r.end(), r.from, r.to);
  expect_near("weight, from and to exchanged", within, r.at(early), kDouble);
}

PROPERTY(annealing, "linear: jumps where start and end are one step") {
  const Ramp r = draw_ramp(draw);
  const double before = ASK(linear_anneal, r.start - 1, r.start, r.start, r.from, r.to);
  const double there = ASK(linear_anneal, r.start, r.start, r.start, r.from, r.to);
  const double after = ASK(linear_anneal, r.start + 1, r.start, r.start, r.from, r.to);
  expect_near("weight one step before", before, r.from, kDouble);
  expect_near("weight at this step", there, r.to, kDouble);
  expect_near("weight one step after", after, r.to, kDouble);
}

PROPERTY(annealing, "linear: counts steps in 64 bits") {
  Ramp r = draw_ramp(draw);
  r.start *= std::int64_t{1} << 32;
  r.length *= std::int64_t{1} << 32;
  const std::int64_t step = draw.show("step", r.start + r.length / 4);
  const double got = ASK(linear_anneal, step, r.start, r.end(), r.from, r.to);
  expect_near("weight, start and end times 2^32", got, r.at(step), kDouble);
}

PROPERTY(annealing, "linear: refuses an end before the start") {
  const Ramp r = draw_ramp(draw);
  const std::int64_t step = draw.integer("step", 0, 200);
  expect_refused(REPLY(linear_anneal, step, r.start, r.start - 1, r.from, r.to),
                 "end is one step before start");
  expect_refused(REPLY(linear_anneal, step, r.end(), r.start, r.from, r.to),
                 "start and end are exchanged");
}

/// A schedule of at least two cycles of at least four steps each.
struct Cycles {
  std::int64_t period, count;
  double ramp, top;

  std::int64_t total() const { return period * count; }

  double at(std::int64_t step) const {
    const double tau = static_cast<double>(step % period) / static_cast<double>(period);
    return top * std::min(1.0, tau / ramp);
  }
};

Cycles draw_cycles(Draw& draw) {
  const std::int64_t period = draw.integer("T / M", 4, 30), count = draw.integer("M", 3, 7);
  return {period, count, 1.0, 1.0};
}

PROPERTY(annealing, "cyclical: rises to its top along tau / R") {
  Cycles c = draw_cycles(draw);
  c.ramp = draw.number("R", 0.375, 0.875);
  c.top = draw.number("top", 0.125, 0.75);
  const auto last = static_cast<std::int64_t>(c.ramp * static_cast<double>(c.period));
  const std::int64_t step = draw.show("step", std::max<std::int64_t>(1, last - 1));
  const double got = ASK(cyclical_anneal, step, c.total(), c.count, c.ramp, c.top);
  expect_near("weight", got, c.at(step), kDouble);
}

PROPERTY(annealing, "cyclical: rests at its top when the ramp is over") {
  Cycles c = draw_cycles(draw);
  c.ramp = draw.number("R", 0.125, 0.5);
  c.top = draw.number("top", 0.125, 0.75);
  const double last = ASK(cyclical_anneal, c.period - 1, c.total(), c.count, c.ramp, c.top);
  expect_near("weight in a cycle's last step", last, c.top, kDouble);
}

PROPERTY(annealing, "cyclical: starts over in every cycle, the last one too") {
  const Cycles c = draw_cycles(draw);
  for (const std::int64_t cycle : {c.count / 2, c.count - 1}) {
    const std::int64_t begin = cycle * c.period;
    const double zero = ASK(cyclical_anneal, begin, c.total(), c.count, 1.0, 1.0);
    const double half = ASK(cyclical_anneal, begin + c.period / 2, c.total(), c.count, 1.0, 1.0);
    expect_near("weight at step " + std::to_string(begin), zero, 0.0, kDouble);
    expect_near("weight half a cycle later", half, c.at(c.period / 2), kDouble);
  }
}

PROPERTY(annealing, "cyclical: has periods of whole steps, rounded up") {
  const Cycles c = draw_cycles(draw);
  const std::int64_t total = draw.show("T", c.total() - draw.integer("less", 1, c.count - 1));
  for (const std::int64_t step : {std::int64_t{1}, c.period - 1, c.period, c.period + 1}) {
    const double tau = static_cast<double>(step % c.period) * static_cast<double>(c.count) /
                       static_cast<double>(total);
    expect_near("weight at step " + std::to_string(step),
                ASK(cyclical_anneal, step, total, c.count, 1.0, 1.0), tau, kDouble);
  }
}

PROPERTY(annealing, "cyclical: is 0, 0.4, 0.96, 1, 1, 0 for T = 100, M = 4, R = 0.5") {
  const std::array<std::int64_t, 6> steps{0, 5, 12, 13, 24, 25};
  const std::array<double, 6> weights{0.0, 0.4, 0.96, 1.0, 1.0, 0.0};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    expect_near("weight at step " + std::to_string(steps[i]),
                ASK(cyclical_anneal, steps[i], 100, 4, 0.5, 1.0), weights[i], kDouble);
  }
}

PROPERTY(annealing, "cyclical: takes a single cycle, and one per step") {
  const std::int64_t total = draw.integer("T", 4, 40);
  const double single = ASK(cyclical_anneal, total - 1, total, 1, 1.0, 1.0);
  expect_near("weight in the last step of one cycle", single,
              static_cast<double>(total - 1) / static_cast<double>(total), kDouble);
  expect_near("weight with a cycle per step",
              ASK(cyclical_anneal, total - 1, total, total, 1.0, 1.0), 0.0, kDouble);
}

PROPERTY(annealing, "cyclical: refuses a step outside of the training") {
  const Cycles c = draw_cycles(draw);
  expect_refused(REPLY(cyclical_anneal, -1, c.total(), c.count, 0.5, 1.0), "step is -1");
  expect_refused(REPLY(cyclical_anneal, c.total(), c.total(), c.count, 0.5, 1.0), "step is T");
}

PROPERTY(annealing, "cyclical: refuses cycles outside of 1 to T") {
  const Cycles c = draw_cycles(draw);
  expect_refused(REPLY(cyclical_anneal, 0, c.total(), 0, 0.5, 1.0), "there is no cycle");
  expect_refused(REPLY(cyclical_anneal, 0, c.total(), -c.count, 0.5, 1.0), "cycles are negative");
  expect_refused(REPLY(cyclical_anneal, 0, c.total(), c.total() + 1, 0.5, 1.0),
                 "there are more cycles than steps");
}

PROPERTY(annealing, "cyclical: refuses a ramp that is not above 0, or above 1") {
  const Cycles c = draw_cycles(draw);
  const double more = draw.number("more", 0.25, 2.0);
  expect_refused(REPLY(cyclical_anneal, 1, c.total(), c.count, 0.0, 1.0), "R is 0");
  expect_refused(REPLY(cyclical_anneal, 1, c.total(), c.count, -more, 1.0), "R is negative");
  expect_refused(REPLY(cyclical_anneal, 1, c.total(), c.count, 1.0 + more, 1.0), "R is above 1");
}

// ---- 4.1 beta_loss -----------------------------------------------------------------------------

/// A batch, its reconstruction and its q.
struct LossCase {
  BatchSizes data, code;
  Matrix x, x_hat, mu, log_var;

  double error(Index n, Index d) const { return double(x_hat(n, d)) - double(x(n, d)); }

  double reconstruction() const {
    return batch_mean(data, [this](Index n, Index d) { return error(n, d) * error(n, d); });
  }

  double kl() const {
    return batch_mean(code,
                      [this](Index n, Index d) { return kl_oracle(mu(n, d), log_var(n, d)); });
  }

  /// What float arithmetic may lose where the terms are added.
  Tolerance tolerance(double beta) const {
    const double terms = batch_mean(code, [this](Index n, Index d) {
      return 0.5 * (double(mu(n, d)) * mu(n, d) + std::exp(double(log_var(n, d))) + 1.0 +
                    std::abs(log_var(n, d)));
    });
    return {2e-5, 1e-6, reconstruction() + beta * terms};
  }
};

LossCase draw_loss(Draw& draw) {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 6), latent = draw.size("L", 1, 4);
  LossCase c;
  c.data = {n, d};
  c.code = {n, latent};
  c.x = draw_batch(draw, "x", c.data);
  c.x_hat = draw_batch(draw, "x_hat", c.data, 0.75);
  c.mu = draw_batch(draw, "mu", c.code);
  c.log_var = draw_batch(draw, "log_var", c.code);
  return c;
}

/// From 0.02 to 7, spread evenly over its logarithm.
double draw_beta(Draw& draw) {
  return draw.show("beta", std::exp(draw.number("log beta", -4.0, 2.0)));
}

DEFINES(beta_loss, "totals the squared error and beta times the KL") {
  const LossCase c = draw_loss(draw);
  const double beta = draw_beta(draw);
  const double total = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, beta).total;
  expect_near("total", total, c.reconstruction() + beta * c.kl(), c.tolerance(beta));
}

PROPERTY(beta_loss, "names both terms, the KL without its weight") {
  const LossCase c = draw_loss(draw);
  const BetaLoss got = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, draw_beta(draw));
  expect_near("reconstruction", got.reconstruction, c.reconstruction(), c.tolerance(0.0));
  expect_near("KL", got.kl, c.kl(), c.tolerance(1.0));
}

PROPERTY(beta_loss, "pulls x_hat by 2 (x_hat - x) / N, whatever beta") {
  const LossCase c = draw_loss(draw);
  const BetaLoss got = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, draw_beta(draw));
  const auto pull = [&](Index n, Index d) { return 2.0 * c.error(n, d) / double(c.data.n); };
  expect_near("dx_hat", got.gradient.x_hat, tabulate(c.data, pull), kElementwise);
}

PROPERTY(beta_loss, "pulls mu by beta mu / N") {
  const LossCase c = draw_loss(draw);
  const double beta = draw_beta(draw);
  const BetaLoss got = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, beta);
  const auto pull = [&](Index n, Index d) { return beta * c.mu(n, d) / double(c.code.n); };
  expect_near("dmu", got.gradient.mu, tabulate(c.code, pull), kElementwise);
}

PROPERTY(beta_loss, "moves log_var by beta (e^l - 1) / 2N") {
  const LossCase c = draw_loss(draw);
  const double beta = draw_beta(draw);
  const BetaLoss got = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, beta);
  const auto move = [&](Index n, Index d) {
    return beta * (std::exp(double(c.log_var(n, d))) - 1.0) / 2.0 / double(c.code.n);
  };
  expect_near("dlog_var", got.gradient.log_var, tabulate(c.code, move), kElementwise);
}

PROPERTY(beta_loss, "stands for a decoder of variance beta / 2") {
  const LossCase c = draw_loss(draw);
  const double beta = draw_beta(draw);
  const BetaLoss got = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, beta);
  expect_near("decoder_var", got.decoder_var, beta / 2.0, kDouble);
}

PROPERTY(beta_loss, "is an autoencoder's loss at beta = 0") {
  const LossCase c = draw_loss(draw);
  const BetaLoss got = ASK(beta_loss, c.x, c.x_hat, c.mu, c.log_var, 0.0);
  expect_near("total", got.total, c.reconstruction(), c.tolerance(0.0));
  expect_near("dmu", got.gradient.mu, Oracle(Oracle::Zero(c.code.n, c.code.d)));
  expect_near("dlog_var", got.gradient.log_var, Oracle(Oracle::Zero(c.code.n, c.code.d)));
}

PROPERTY(beta_loss, "refuses a negative beta") {
  const LossCase c = draw_loss(draw);
  const double negative = -draw.number("-beta", 0.125, 2.0);
  expect_refused(REPLY(beta_loss, c.x, c.x_hat, c.mu, c.log_var, negative), "beta is negative");
}

PROPERTY(beta_loss, "refuses an x_hat or a log_var of another shape") {
  const LossCase c = draw_loss(draw);
  const Index n = c.data.n;
  const Matrix x_hat_longer = draw.matrix("x_hat, longer", n + 1, c.data.d);
  const Matrix x_hat_wider = draw.matrix("x_hat, wider", n, c.data.d + 1);
  expect_refused(REPLY(beta_loss, c.x, x_hat_longer, c.mu, c.log_var, 1.0),
                 "x_hat has one row more than x");
  expect_refused(REPLY(beta_loss, c.x, x_hat_wider, c.mu, c.log_var, 1.0),
                 "x_hat has one column more than x");
  const Matrix longer = draw.matrix("log_var, longer", n + 1, c.code.d);
  const Matrix wider = draw.matrix("log_var, wider", n, c.code.d + 1);
  expect_refused(REPLY(beta_loss, c.x, c.x_hat, c.mu, longer, 1.0),
                 "log_var has one row more than mu");
  expect_refused(REPLY(beta_loss, c.x, c.x_hat, c.mu, wider, 1.0),
                 "log_var has one column more than mu");
}

PROPERTY(beta_loss, "refuses a q for another number of samples") {
  const LossCase c = draw_loss(draw);
  const Matrix mu = draw.matrix("mu, longer", c.data.n + 1, c.code.d);
  const Matrix log_var = draw.matrix("log_var, longer", c.data.n + 1, c.code.d);
  expect_refused(REPLY(beta_loss, c.x, c.x_hat, mu, log_var, 1.0),
                 "mu and log_var have one row more than x");
}

PROPERTY(beta_loss, "refuses data or codes without elements") {
  const LossCase c = draw_loss(draw);
  const Matrix no_data(c.data.n, 0), no_code(c.data.n, 0);
  expect_refused(REPLY(beta_loss, no_data, no_data, c.mu, c.log_var, 1.0), "x has no feature");
  expect_refused(REPLY(beta_loss, c.x, c.x_hat, no_code, no_code, 1.0), "mu has no feature");
  expect_refused(REPLY(beta_loss, Matrix(0, c.data.d), Matrix(0, c.data.d), Matrix(0, c.code.d),
                       Matrix(0, c.code.d), 1.0),
                 "there is no sample");
}

PROPERTY(beta_loss, "variance: is a beta / 2, for an error averaged over a") {
  const double beta = draw_beta(draw);
  const std::int64_t features = draw.integer("a", 2, 800);
  expect_near("variance, error summed", ASK(implied_decoder_variance, beta, 1), beta / 2.0,
              kDouble);
  expect_near("variance, error averaged", ASK(implied_decoder_variance, beta, features),
              static_cast<double>(features) * beta / 2.0, kDouble);
  expect_near("variance for beta = 0", ASK(implied_decoder_variance, 0.0, features), 0.0, kDouble);
}

PROPERTY(beta_loss, "variance: refuses a negative beta") {
  const double negative = -draw.number("-beta", 0.125, 2.0);
  expect_refused(REPLY(implied_decoder_variance, negative, 1), "beta is negative");
}

PROPERTY(beta_loss, "variance: refuses an average over nothing") {
  const double beta = draw_beta(draw);
  const std::int64_t negative = -draw.integer("-a", 1, 9);
  expect_refused(REPLY(implied_decoder_variance, beta, 0), "a is 0");
  expect_refused(REPLY(implied_decoder_variance, beta, negative), "a is negative");
}

PROPERTY(beta_loss, "beta of a variance: is 2 s2 / a") {
  const double s2 = draw.number("s2", 0.0625, 4.0);
  const std::int64_t features = draw.integer("a", 2, 800);
  expect_near("beta, error summed", ASK(beta_for_variance, s2, 1), 2.0 * s2, kDouble);
  expect_near("beta, error averaged", ASK(beta_for_variance, s2, features),
              2.0 * s2 / static_cast<double>(features), kDouble);
  expect_near("beta for s2 = 0", ASK(beta_for_variance, 0.0, features), 0.0, kDouble);
}

PROPERTY(beta_loss, "beta of a variance: refuses a negative variance") {
  const double negative = -draw.number("-s2", 0.125, 2.0);
  expect_refused(REPLY(beta_for_variance, negative, 1), "s2 is negative");
}

PROPERTY(beta_loss, "beta of a variance: refuses an average over nothing") {
  const double s2 = draw.number("s2", 0.0625, 4.0);
  const std::int64_t negative = -draw.integer("-a", 1, 9);
  expect_refused(REPLY(beta_for_variance, s2, 0), "a is 0");
  expect_refused(REPLY(beta_for_variance, s2, negative), "a is negative");
}

// ---- 4.2 bce_with_logits -----------------------------------------------------------------------

/// -log of the Bernoulli likelihood of x, for |l| up to 30 or so.
double bce_oracle(double l, double x) {
  return x * std::log(1.0 + std::exp(-l)) + (1.0 - x) * std::log(1.0 + std::exp(l));
}

double sigmoid(double l) {
  return 1.0 / (1.0 + std::exp(-l));
}

/// Grey pixels, multiples of 1/16 from 1/16 to 15/16.
Matrix draw_grey(Draw& draw, const std::string& name, const BatchSizes& s) {
  Matrix x(s.n, s.d);
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<float>(draw.random().integer(1, 15)) / 16.0F;
  }
  return draw.show(name, x);
}

/// Pixels that are 0 or 1.
Matrix draw_binary(Draw& draw, const std::string& name, const BatchSizes& s) {
  Matrix x(s.n, s.d);
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<float>(draw.random().integer(0, 1));
  }
  return draw.show(name, x);
}

BatchSizes pixel_sizes(Draw& draw) {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 6);
  return {n, d};
}

DEFINES(bce_with_logits, "sums -log of the likelihood, averaged over samples") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix l = draw_batch(draw, "logits", s, 2.0), x = draw_grey(draw, "x", s);
  const double expected =
      batch_mean(s, [&](Index n, Index d) { return bce_oracle(l(n, d), x(n, d)); });
  expect_near("value", ASK(bce_with_logits, l, x).value, expected, {5e-6, 1e-6, 0.0});
}

PROPERTY(bce_with_logits, "has the gradient (sigmoid(l) - x) / N") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix l = draw_batch(draw, "logits", s, 2.0), x = draw_grey(draw, "x", s);
  const Oracle expected =
      tabulate(s, [&](Index n, Index d) { return (sigmoid(l(n, d)) - x(n, d)) / double(s.n); });
  expect_near("dlogits", ASK(bce_with_logits, l, x).gradient, expected, {2e-6, 1e-6, 1.0});
}

/// Logits of this sign and more than `far` from 0.
Matrix far_logits(const Matrix& x, double sign, const Matrix& more, float far) {
  Matrix l = x;
  for (Index i = 0; i < l.size(); ++i) {
    const float side = x.data()[i] > 0.5F ? 1.0F : -1.0F;
    l.data()[i] = static_cast<float>(sign) * side * (far + std::abs(more.data()[i]));
  }
  return l;
}

PROPERTY(bce_with_logits, "charges |l| where the decoder is sure and wrong") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix x = draw_binary(draw, "x", s), more = draw_batch(draw, "|l| - 120", s, 20.0);
  const Matrix l = draw.show("logits", far_logits(x, -1.0, more, 120.0F));
  const double expected =
      batch_mean(s, [&](Index n, Index d) { return std::abs(double(l(n, d))); });
  expect_near("value", ASK(bce_with_logits, l, x).value, expected, {2e-6, 0.0, 0.0});
}

PROPERTY(bce_with_logits, "still pulls with full strength there") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix x = draw_binary(draw, "x", s), more = draw_batch(draw, "|l| - 120", s, 20.0);
  const Matrix l = draw.show("logits", far_logits(x, -1.0, more, 120.0F));
  const Oracle expected =
      tabulate(s, [&](Index n, Index d) { return (x(n, d) > 0.5F ? -1.0 : 1.0) / double(s.n); });
  expect_near("dlogits", ASK(bce_with_logits, l, x).gradient, expected, {2e-6, 1e-6, 1.0});
}

PROPERTY(bce_with_logits, "keeps its digits where the decoder is sure and right") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix x = draw_binary(draw, "x", s), more = draw_batch(draw, "|l| - 18", s, 2.0);
  const Matrix l = draw.show("logits", far_logits(x, 1.0, more, 18.0F));
  const double expected = batch_mean(s, [&](Index n, Index d) {
    const double odds = std::exp(-std::abs(double(l(n, d))));
    return odds * (1.0 - odds / 2.0);
  });
  expect_near("value", ASK(bce_with_logits, l, x).value, expected, {2e-5, 0.0, 0.0});
}

PROPERTY(bce_with_logits, "is 1.133337 for x = (1, 0, 0.5) and l = (2, -1, 0)") {
  Matrix x(1, 3), l(1, 3);
  x << 1, 0, 0.5F;
  l << 2, -1, 0;
  const Loss got = ASK(bce_with_logits, draw.show("logits", l), draw.show("x", x));
  expect_near("value", got.value, 1.133337, {2e-6, 0.0, 0.0});
  const auto one = [](double v) { return Matrix(Matrix::Constant(1, 1, static_cast<float>(v))); };
  expect_near("value of l = -50 for x = 1", ASK(bce_with_logits, one(-50), one(1)).value, 50.0);
  expect_near("value of l = 50 for x = 0", ASK(bce_with_logits, one(50), one(0)).value, 50.0);
}

PROPERTY(bce_with_logits, "refuses an x outside of [0, 1]") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix l = draw_batch(draw, "logits", s);
  const Matrix x = draw_grey(draw, "x", s);
  for (const float outside :
       {-0.25F, 1.25F, std::nextafter(1.0F, 2.0F), -std::numeric_limits<float>::denorm_min()}) {
    Matrix moved = x;
    moved(s.n - 1, s.d - 1) = outside;
    expect_refused(REPLY(bce_with_logits, l, moved),
                   "the last x is " + std::to_string(outside) + ", just outside or far outside");
  }
}

PROPERTY(bce_with_logits, "refuses logits and x of different shapes") {
  const BatchSizes s = pixel_sizes(draw);
  const Matrix l = draw_batch(draw, "logits", s);
  expect_refused(REPLY(bce_with_logits, l, draw_grey(draw, "x, longer", {s.n + 1, s.d})),
                 "x has one row more than the logits");
  expect_refused(REPLY(bce_with_logits, l, draw_grey(draw, "x, wider", {s.n, s.d + 1})),
                 "x has one column more than the logits");
}

PROPERTY(bce_with_logits, "refuses a batch without elements") {
  const BatchSizes s = pixel_sizes(draw);
  expect_refused(REPLY(bce_with_logits, Matrix(0, s.d), Matrix(0, s.d)), "there is no sample");
  expect_refused(REPLY(bce_with_logits, Matrix(s.n, 0), Matrix(s.n, 0)), "there is no feature");
}

// ---- 4.3 rate_distortion_law -------------------------------------------------------------------

/// A spectrum in no order, with directions above and below the water level, not as many of the one
/// as of the other, and one between the level and beta.
struct Spectrum {
  DoubleVector variances;
  double beta;

  double level() const { return beta / 2.0; }
  bool is_active(Index j) const { return variances(j) > level(); }
};

Spectrum draw_spectrum(Draw& draw) {
  const Index size = draw.size("D", 3, 6);
  const double beta = draw.number("beta", 0.125, 4.0);
  const std::int64_t first = draw.integer("first active", 0, 1);
  DoubleVector variances(size);
  bool is_first = true;
  for (Index j = 0; j < size; ++j) {
    const bool is_odd_one = size % 2 == 0 && j == size - 1;
    const bool active = ((j + first) % 2 == 0) != is_odd_one;
    const double spread = draw.random().uniform(active && is_first ? 0.55 : 0.05, 0.9);
    variances(j) = active ? beta / 2.0 / spread : beta / 2.0 * spread;
    is_first = is_first && !active;
  }
  return {draw.show("variances", variances), beta};
}

/// f of each direction.
DoubleVector each(const Spectrum& s, const std::function<double(Index)>& f) {
  DoubleVector result(s.variances.size());
  for (Index j = 0; j < result.size(); ++j) result(j) = f(j);
  return result;
}

double sum(const DoubleVector& numbers) {
  double total = 0.0;
  for (Index i = 0; i < numbers.size(); ++i) total += numbers(i);
  return total;
}

DoubleVector distortions(const Spectrum& s) {
  return each(s, [&](Index j) { return s.is_active(j) ? s.level() : s.variances(j); });
}

DoubleVector rates(const Spectrum& s) {
  return each(s, [&](Index j) {
    return s.is_active(j) ? 0.5 * std::log(s.variances(j) / s.level()) : 0.0;
  });
}

DEFINES(rate_distortion_law, "leaves min(lambda, beta / 2) of each direction") {
  const Spectrum s = draw_spectrum(draw);
  expect_near("distortion", ASK(rate_distortion_law, s.variances, s.beta).distortion,
              distortions(s), kDouble);
}

PROPERTY(rate_distortion_law, "pays max(0, log(2 lambda / beta) / 2) for each") {
  const Spectrum s = draw_spectrum(draw);
  expect_near("rate", ASK(rate_distortion_law, s.variances, s.beta).rate, rates(s), kDouble);
}

PROPERTY(rate_distortion_law, "gives the decoder the weight sqrt(lambda - beta / 2)") {
  const Spectrum s = draw_spectrum(draw);
  const DoubleVector expected = each(
      s, [&](Index j) { return s.is_active(j) ? std::sqrt(s.variances(j) - s.level()) : 0.0; });
  expect_near("weight", ASK(rate_distortion_law, s.variances, s.beta).weight, expected, kDouble);
}

PROPERTY(rate_distortion_law, "gives q the variance beta / (2 lambda), 1 at most") {
  const Spectrum s = draw_spectrum(draw);
  const DoubleVector expected =
      each(s, [&](Index j) { return s.is_active(j) ? s.level() / s.variances(j) : 1.0; });
  expect_near("posterior_var", ASK(rate_distortion_law, s.variances, s.beta).posterior_var,
              expected, kDouble);
}

PROPERTY(rate_distortion_law, "sums both over the directions") {
  const Spectrum s = draw_spectrum(draw);
  const RateDistortion got = ASK(rate_distortion_law, s.variances, s.beta);
  expect_near("total distortion", got.total_distortion, sum(distortions(s)), kDouble);
  expect_near("total rate", got.total_rate, sum(rates(s)), kDouble);
}

PROPERTY(rate_distortion_law, "counts the directions above the water level") {
  const Spectrum s = draw_spectrum(draw);
  std::int64_t expected = 0;
  for (Index j = 0; j < s.variances.size(); ++j) expected += s.is_active(j) ? 1 : 0;
  expect_equal("active", ASK(rate_distortion_law, s.variances, s.beta).active, expected);
}

PROPERTY(rate_distortion_law, "sends nothing of a direction at the level exactly") {
  const Index size = draw.size("D", 1, 5);
  const double beta = static_cast<double>(draw.integer("8 beta", 1, 40)) / 8.0;
  const DoubleVector variances = DoubleVector::Constant(size, beta / 2.0);
  const RateDistortion got = ASK(rate_distortion_law, draw.show("variances", variances), beta);
  expect_equal("active", got.active, std::int64_t{0});
  expect_near("distortion", got.distortion, variances, kDouble);
  expect_near("posterior_var", got.posterior_var, DoubleVector(DoubleVector::Ones(size)), kDouble);
}

PROPERTY(rate_distortion_law, "takes a direction without any variance") {
  Spectrum s = draw_spectrum(draw);
  const Index last = s.variances.size() - 1;
  s.variances(last) = 0.0;
  draw.show("variances, the last 0", s.variances);
  const RateDistortion got = ASK(rate_distortion_law, s.variances, s.beta);
  expect(got.distortion.size() == last + 1 && got.rate.size() == last + 1,
         "expected one number per variance");
  expect_near("distortion of the last", got.distortion(last), 0.0, kDouble);
  expect_near("rate of the last", got.rate(last), 0.0, kDouble);
}

PROPERTY(rate_distortion_law, "is 0.5 and 0.895880 for lambda = 3 and beta = 1") {
  const DoubleVector three{{3.0}}, little{{0.4}};
  const std::array<double, 3> betas{0.1, 1.0, 5.0};
  const std::array<double, 3> left{0.05, 0.5, 2.5}, paid{2.047172, 0.895880, 0.091161};
  for (std::size_t i = 0; i < betas.size(); ++i) {
    const RateDistortion got = ASK(rate_distortion_law, draw.show("variances", three), betas[i]);
    expect_near("distortion of lambda = 3", got.total_distortion, left[i], {0.0, 1e-6, 0.0});
    expect_near("rate of lambda = 3", got.total_rate, paid[i], {0.0, 1e-6, 0.0});
    if (i == 0) continue;
    const RateDistortion silent =
        ASK(rate_distortion_law, draw.show("variances", little), betas[i]);
    expect_near("distortion of lambda = 0.4", silent.total_distortion, 0.4, {0.0, 1e-6, 0.0});
    expect_near("rate of lambda = 0.4", silent.total_rate, 0.0, {0.0, 1e-6, 0.0});
  }
}

PROPERTY(rate_distortion_law, "refuses a negative variance") {
  Spectrum s = draw_spectrum(draw);
  const Index at = s.variances.size() - 1;
  s.variances(at) = -draw.number("-last variance", 0.125, 2.0);
  expect_refused(REPLY(rate_distortion_law, s.variances, s.beta), "the last variance is negative");
}

PROPERTY(rate_distortion_law, "refuses a beta that is not above 0") {
  const Spectrum s = draw_spectrum(draw);
  expect_refused(REPLY(rate_distortion_law, s.variances, 0.0), "beta is 0: the rate is infinite");
  expect_refused(REPLY(rate_distortion_law, s.variances, -s.beta), "beta is negative");
}

// ---- 4.4 vae_forward ---------------------------------------------------------------------------

/// The five layers of a VAE in the order of the contract.
template <typename V>
auto layers_of(V& vae) {
  return std::array{&vae.encoder_hidden, &vae.heads.mu, &vae.heads.log_var, &vae.decoder_hidden,
                    &vae.decoder_output};
}

const std::array<std::string, 5> kNames{"1", "_mu", "_log_var", "3", "4"};

/// N samples, D features, H and K hidden units, L latent dimensions.
struct VaeSizes {
  Index n, d, h, l, k;
};

VaeSizes vae_sizes(Draw& draw) {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 5), h = draw.size("H", 1, 5);
  const Index l = draw.size("L", 1, 4), k = draw.size("K", 1, 5);
  return {n, d, h, l, k};
}

Vae draw_vae(Draw& draw, const VaeSizes& s, const std::string& prefix = "", double scale = 0.5) {
  const std::array<Index, 5> in{s.d, s.h, s.h, s.l, s.k}, out{s.h, s.l, s.l, s.k, s.d};
  Vae vae;
  const auto layers = layers_of(vae);
  for (std::size_t i = 0; i < 5; ++i) {
    layers[i]->weight = draw.matrix(prefix + "W" + kNames[i], out[i], in[i], scale);
    layers[i]->bias = draw.row(prefix + "b" + kNames[i], out[i], scale);
  }
  return vae;
}

/// A model with a batch and the noise for it.
struct VaeCase {
  VaeSizes s;
  Vae model;
  Matrix x, eps;
};

VaeCase draw_case(Draw& draw) {
  const VaeSizes s = vae_sizes(draw);
  const Vae model = draw_vae(draw, s);
  const Matrix x = draw.matrix("x", s.n, s.d), eps = draw.matrix("eps", s.n, s.l);
  return {s, model, x, eps};
}

/// The parameters in double precision.
struct WideVae {
  std::array<Oracle, 5> weight;
  std::array<OracleRow, 5> bias;

  explicit WideVae(const Vae& vae) {
    const auto layers = layers_of(vae);
    for (std::size_t i = 0; i < 5; ++i) {
      weight[i] = wide(layers[i]->weight);
      bias[i] = wide(layers[i]->bias);
    }
  }

  Oracle layer(std::size_t i, const Oracle& x) const {
    Oracle y(x.rows(), weight[i].rows());
    for (Index n = 0; n < y.rows(); ++n) {
      for (Index o = 0; o < y.cols(); ++o) {
        y(n, o) = bias[i](o);
        for (Index c = 0; c < x.cols(); ++c) y(n, o) += x(n, c) * weight[i](o, c);
      }
    }
    return y;
  }
};

struct WidePass {
  Oracle h, mu, log_var, z, k, x_hat;

  WidePass(const WideVae& vae, const Oracle& x, const Oracle& eps) {
    const auto bend = [](const Oracle& a) -> Oracle {
      return a.unaryExpr([](double v) { return std::tanh(v); });
    };
    h = bend(vae.layer(0, x));
    mu = vae.layer(1, h);
    log_var = vae.layer(2, h);
    z = mu;
    for (Index n = 0; n < z.rows(); ++n) {
      for (Index j = 0; j < z.cols(); ++j) z(n, j) += std::exp(log_var(n, j) / 2.0) * eps(n, j);
    }
    k = bend(vae.layer(3, z));
    x_hat = vae.layer(4, k);
  }
};

WidePass pass_oracle(const VaeCase& c) {
  return {WideVae(c.model), wide(c.x), wide(c.eps)};
}

/// Activations after up to four layers.
constexpr Tolerance kActivations{5e-6, 2e-6, 10.0};

DEFINES(vae_forward, "encodes, draws mu + sigma eps, and decodes it") {
  const VaeCase c = draw_case(draw);
  expect_near("x_hat", ASK(vae_forward, c.model, c.x, c.eps).x_hat, pass_oracle(c).x_hat,
              kActivations);
}

PROPERTY(vae_forward, "keeps what the encoder's tanh yields") {
  const VaeCase c = draw_case(draw);
  expect_near("encoder_hidden", ASK(vae_forward, c.model, c.x, c.eps).encoder_hidden,
              pass_oracle(c).h, kActivations);
}

PROPERTY(vae_forward, "keeps mu and log_var, linear in the hidden units") {
  const VaeCase c = draw_case(draw);
  const VaePass got = ASK(vae_forward, c.model, c.x, c.eps);
  expect_near("mu", got.q.mu, pass_oracle(c).mu, kActivations);
  expect_near("log_var", got.q.log_var, pass_oracle(c).log_var, kActivations);
}

PROPERTY(vae_forward, "keeps the draw z that it decoded") {
  const VaeCase c = draw_case(draw);
  const Oracle z = pass_oracle(c).z;
  expect_near("z", ASK(vae_forward, c.model, c.x, c.eps).z, z, {5e-6, 2e-6, 10.0 + z.norm()});
}

PROPERTY(vae_forward, "keeps what the decoder's tanh yields") {
  const VaeCase c = draw_case(draw);
  expect_near("decoder_hidden", ASK(vae_forward, c.model, c.x, c.eps).decoder_hidden,
              pass_oracle(c).k, kActivations);
}

PROPERTY(vae_forward, "does not clamp log_var, even at -40") {
  VaeCase c = draw_case(draw);
  c.model.heads.log_var.bias.array() -= 40.0F;
  draw.show("b_log_var, moved", c.model.heads.log_var.bias);
  expect_near("log_var", ASK(vae_forward, c.model, c.x, c.eps).q.log_var, pass_oracle(c).log_var,
              {2e-6, 2e-6, 50.0});
}

PROPERTY(vae_forward, "gives an empty batch for an empty batch") {
  VaeCase c = draw_case(draw);
  const VaePass got = ASK(vae_forward, c.model, Matrix(0, c.s.d), Matrix(0, c.s.l));
  expect_near("x_hat", got.x_hat, Oracle(0, c.s.d));
  expect_near("z", got.z, Oracle(0, c.s.l));
}

PROPERTY(vae_forward, "refuses samples that do not fit the first layer") {
  const VaeCase c = draw_case(draw);
  expect_refused(REPLY(vae_forward, c.model, draw.matrix("x, wider", c.s.n, c.s.d + 1), c.eps),
                 "x has one column more than W1");
  expect_refused(REPLY(vae_forward, c.model, Matrix(c.s.n, c.s.d - 1), c.eps),
                 "x has one column fewer than W1");
}

PROPERTY(vae_forward, "refuses noise that is not one number per latent number") {
  const VaeCase c = draw_case(draw);
  expect_refused(REPLY(vae_forward, c.model, c.x, draw.matrix("eps, longer", c.s.n + 1, c.s.l)),
                 "eps has one row more than x");
  expect_refused(REPLY(vae_forward, c.model, c.x, draw.matrix("eps, wider", c.s.n, c.s.l + 1)),
                 "eps has one column more than mu");
}

PROPERTY(vae_forward, "refuses layers that do not fit one another") {
  const VaeCase c = draw_case(draw);
  Vae head = c.model, hidden = c.model, output = c.model;
  head.heads.log_var.weight = Matrix::Ones(c.s.l, c.s.h + 1);
  hidden.decoder_hidden.weight = Matrix::Ones(c.s.k, c.s.l + 1);
  output.decoder_output.weight = Matrix::Ones(c.s.d, c.s.k + 1);
  expect_refused(REPLY(vae_forward, head, c.x, c.eps), "W_log_var has one column more than h");
  expect_refused(REPLY(vae_forward, hidden, c.x, c.eps), "W3 has one column more than z");
  expect_refused(REPLY(vae_forward, output, c.x, c.eps), "W4 has one column more than k");
}

// ---- 4.5 vae_backward --------------------------------------------------------------------------

/// The derivative of a scalar function by each element of `at`.
template <typename Tensor, typename Function>
Tensor differences(Tensor& at, const Function& f) {
  constexpr double kStep = 1e-5;
  Tensor slope = at;
  for (Index i = 0; i < at.size(); ++i) {
    const double here = at.data()[i];
    at.data()[i] = here + kStep;
    const double above = f();
    at.data()[i] = here - kStep;
    const double below = f();
    at.data()[i] = here;
    slope.data()[i] = (above - below) / (2.0 * kStep);
  }
  return slope;
}

/// The derivatives of loss(vae) by all ten parameters.
WideVae slopes(WideVae vae, const std::function<double(const WideVae&)>& loss) {
  WideVae result = vae;
  for (std::size_t i = 0; i < 5; ++i) {
    result.weight[i] = differences(vae.weight[i], [&] { return loss(vae); });
    result.bias[i] = differences(vae.bias[i], [&] { return loss(vae); });
  }
  return result;
}

/// Sums of up to 30 products of a few units each.
constexpr Tolerance kGradients{2e-5, 1e-4, 0.0};

using Expect = void (*)(const std::string&, const Numbers&, const Numbers&, const Tolerance&);

void expect_vae(const std::string& prefix, const Vae& got, const WideVae& expected,
                const Tolerance& tolerance, Expect expect_near) {
  const auto layers = layers_of(got);
  for (const std::size_t i : {4U, 3U, 2U, 1U, 0U}) {
    expect_near(prefix + "W" + kNames[i], layers[i]->weight, expected.weight[i], tolerance);
    expect_near(prefix + "b" + kNames[i], layers[i]->bias, expected.bias[i], tolerance);
  }
}

double product_sum(const Oracle& a, const Matrix& b) {
  double total = 0.0;
  for (Index n = 0; n < a.rows(); ++n) {
    for (Index d = 0; d < a.cols(); ++d) total += a(n, d) * double(b(n, d));
  }
  return total;
}

/// What the backward pass is asked: a forward pass, and what some loss says to its results.
struct BackwardCase {
  VaeCase c;
  VaePass pass;
  ElboGradients loss;

  /// The derivatives of a loss that is linear in x_hat, mu and log_var.
  WideVae expected() const {
    return slopes(WideVae(c.model), [this](const WideVae& vae) {
      const WidePass at(vae, wide(c.x), wide(c.eps));
      return product_sum(at.x_hat, loss.x_hat) + product_sum(at.mu, loss.mu) +
             product_sum(at.log_var, loss.log_var);
    });
  }
};

BackwardCase draw_backward(Draw& draw) {
  BackwardCase b{draw_case(draw), {}, {}};
  const WidePass at = pass_oracle(b.c);
  const auto narrow = [](const Oracle& a) { return Matrix(a.cast<float>()); };
  b.pass = {narrow(at.h),
            {narrow(at.mu), narrow(at.log_var)},
            narrow(at.z),
            narrow(at.k),
            narrow(at.x_hat)};
  b.loss.x_hat = draw.matrix("dx_hat", b.c.s.n, b.c.s.d);
  b.loss.mu = draw.matrix("dmu", b.c.s.n, b.c.s.l);
  b.loss.log_var = draw.matrix("dlog_var", b.c.s.n, b.c.s.l);
  return b;
}

DEFINES(vae_backward, "gives the derivatives by all ten parameters") {
  const BackwardCase b = draw_backward(draw);
  const Vae got = ASK(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, b.loss);
  expect_vae("d", got, b.expected(), kGradients, &Property::expect_near);
}

PROPERTY(vae_backward, "trains the encoder by the KL alone if the error is 0") {
  BackwardCase b = draw_backward(draw);
  b.loss.x_hat.setZero();
  const Vae got = ASK(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, b.loss);
  expect_vae("d", got, b.expected(), kGradients, &Property::expect_near);
}

PROPERTY(vae_backward, "trains the encoder through z alone if there is no KL") {
  BackwardCase b = draw_backward(draw);
  b.loss.mu.setZero();
  b.loss.log_var.setZero();
  const Vae got = ASK(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, b.loss);
  expect_vae("d", got, b.expected(), kGradients, &Property::expect_near);
}

PROPERTY(vae_backward, "refuses a dmu or a dlog_var of another shape") {
  const BackwardCase b = draw_backward(draw);
  const VaeSizes& s = b.c.s;
  const Matrix longer = draw.matrix("longer", s.n + 1, s.l), wider = draw.matrix("w", s.n, s.l + 1);
  for (const Matrix* other : {&longer, &wider}) {
    const std::string more = other == &longer ? " has one row more" : " has one column more";
    ElboGradients mu = b.loss, log_var = b.loss;
    mu.mu = *other;
    log_var.log_var = *other;
    expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, mu), "dmu" + more);
    expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, log_var),
                   "dlog_var" + more);
  }
}

PROPERTY(vae_backward, "refuses a dx_hat of another shape") {
  const BackwardCase b = draw_backward(draw);
  const VaeSizes& s = b.c.s;
  ElboGradients longer = b.loss, wider = b.loss;
  longer.x_hat = draw.matrix("dx_hat, longer", s.n + 1, s.d);
  wider.x_hat = draw.matrix("dx_hat, wider", s.n, s.d + 1);
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, longer),
                 "dx_hat has one row more than x");
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, b.pass, wider),
                 "dx_hat has one column more than W4 has rows");
}

PROPERTY(vae_backward, "refuses samples or noise of another batch") {
  const BackwardCase b = draw_backward(draw);
  const VaeSizes& s = b.c.s;
  const Matrix x = draw.matrix("x, longer", s.n + 1, s.d);
  const Matrix eps = draw.matrix("eps, longer", s.n + 1, s.l);
  const Matrix wider = draw.matrix("eps, wider", s.n, s.l + 1);
  expect_refused(REPLY(vae_backward, b.c.model, x, b.c.eps, b.pass, b.loss),
                 "x has one row more than the pass");
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, eps, b.pass, b.loss),
                 "eps has one row more than the pass");
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, wider, b.pass, b.loss),
                 "eps has one column more than mu");
}

PROPERTY(vae_backward, "refuses the pass of a model of other sizes") {
  const BackwardCase b = draw_backward(draw);
  const VaeSizes& s = b.c.s;
  VaePass hidden = b.pass, code = b.pass, decoder = b.pass;
  hidden.encoder_hidden = draw.matrix("h, wider", s.n, s.h + 1, 0.25);
  code.z = draw.matrix("z, wider", s.n, s.l + 1);
  decoder.decoder_hidden = draw.matrix("k, wider", s.n, s.k + 1, 0.25);
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, hidden, b.loss),
                 "h has one column more than W_mu");
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, code, b.loss),
                 "z has one column more than W3");
  expect_refused(REPLY(vae_backward, b.c.model, b.c.x, b.c.eps, decoder, b.loss),
                 "k has one column more than W4");
}

// ---- 4.6 vae_train_step ------------------------------------------------------------------------

/// A model somewhere in its training, and the next batch.
struct StepCase {
  VaeCase c;
  VaeTraining state;
  AdamOptions options;
  double beta = 0.0;

  double reconstruction(const WidePass& at) const {
    double total = 0.0;
    for (Index n = 0; n < c.s.n; ++n) {
      for (Index d = 0; d < c.s.d; ++d) total += std::pow(at.x_hat(n, d) - double(c.x(n, d)), 2.0);
    }
    return total / static_cast<double>(c.s.n);
  }

  double kl(const WidePass& at) const {
    return batch_mean({c.s.n, c.s.l},
                      [&](Index n, Index j) { return kl_oracle(at.mu(n, j), at.log_var(n, j)); });
  }

  WideVae gradient() const {
    return slopes(WideVae(c.model), [this](const WideVae& vae) {
      const WidePass at(vae, wide(c.x), wide(c.eps));
      return reconstruction(at) + beta * kl(at);
    });
  }
};

/// Large enough steps, moments and epsilon to see each in a float.
StepCase draw_step(Draw& draw) {
  StepCase s;
  s.c = draw_case(draw);
  s.state.model = s.c.model;
  s.state.first_moment = draw_vae(draw, s.c.s, "m of ");
  s.state.second_moment = draw_vae(draw, s.c.s, "v of ");
  for (Layer* layer : layers_of(s.state.second_moment)) {
    layer->weight = layer->weight.cwiseAbs().array() + 0.25F;
    layer->bias = layer->bias.cwiseAbs().array() + 0.25F;
  }
  s.state.steps = draw.integer("steps", 0, 5);
  s.options.learning_rate = draw.number("eta", 0.125, 0.5);
  s.options.beta1 = draw.number("beta1", 0.3, 0.6);
  s.options.beta2 = draw.number("beta2", 0.7, 0.95);
  s.options.epsilon = draw.number("epsilon", 0.1, 0.5);
  s.beta = draw_beta(draw);
  return s;
}

/// Adam on every number of the five layers.
struct WideState {
  WideVae model, first_moment, second_moment;

  explicit WideState(const StepCase& s)
      : model(s.state.model),
        first_moment(s.state.first_moment),
        second_moment(s.state.second_moment) {
    const WideVae gradient = s.gradient();
    for (std::size_t i = 0; i < 5; ++i) {
      move(s, gradient.weight[i], model.weight[i], first_moment.weight[i], second_moment.weight[i]);
      move(s, gradient.bias[i], model.bias[i], first_moment.bias[i], second_moment.bias[i]);
    }
  }

  template <typename Tensor>
  static void move(const StepCase& s, const Tensor& gradient, Tensor& theta, Tensor& m, Tensor& v) {
    const auto t = static_cast<double>(s.state.steps + 1);
    const double beta1 = s.options.beta1, beta2 = s.options.beta2;
    for (Index i = 0; i < theta.size(); ++i) {
      const double g = gradient.data()[i];
      double& first = m.data()[i];
      double& second = v.data()[i];
      first = beta1 * first + (1.0 - beta1) * g;
      second = beta2 * second + (1.0 - beta2) * g * g;
      theta.data()[i] -= s.options.learning_rate * first / (1.0 - std::pow(beta1, t)) /
                         (std::sqrt(second / (1.0 - std::pow(beta2, t))) + s.options.epsilon);
    }
  }
};

#define STEP(s) ASK(vae_train_step, (s).state, (s).c.x, (s).c.eps, (s).beta, (s).options)

DEFINES(vae_train_step, "has the loss's derivatives by all ten parameters") {
  const StepCase s = draw_step(draw);
  expect_vae("d", STEP(s).gradient, s.gradient(), kGradients, &Property::expect_near);
}

PROPERTY(vae_train_step, "moves every parameter as Adam does in step t = steps + 1") {
  const StepCase s = draw_step(draw);
  expect_vae("", STEP(s).after.model, WideState(s).model, {2e-5, 1e-4, 4.0},
             &Property::expect_near);
}

PROPERTY(vae_train_step, "carries both moments of every parameter on") {
  const StepCase s = draw_step(draw);
  const VaeTraining after = STEP(s).after;
  const WideState expected(s);
  expect_vae("m of ", after.first_moment, expected.first_moment, kGradients,
             &Property::expect_near);
  expect_vae("v of ", after.second_moment, expected.second_moment, {5e-5, 1e-3, 0.0},
             &Property::expect_near);
}

PROPERTY(vae_train_step, "counts the step") {
  const StepCase s = draw_step(draw);
  expect_equal("steps", STEP(s).after.steps, s.state.steps + 1);
}

PROPERTY(vae_train_step, "reports the loss from before the step") {
  const StepCase s = draw_step(draw);
  const BetaLoss got = STEP(s).loss;
  const WidePass at = pass_oracle(s.c);
  const double error = s.reconstruction(at), kl = s.kl(at);
  const Tolerance tolerance{2e-5, 1e-5, 10.0 + error + (1.0 + s.beta) * kl};
  expect_near("reconstruction", got.reconstruction, error, tolerance);
  expect_near("KL", got.kl, kl, tolerance);
  expect_near("total", got.total, error + s.beta * kl, tolerance);
}

PROPERTY(vae_train_step, "reports what the loss says to x_hat, mu and log_var") {
  const StepCase s = draw_step(draw);
  const ElboGradients got = STEP(s).loss.gradient;
  const WidePass at = pass_oracle(s.c);
  const auto samples = static_cast<double>(s.c.s.n);
  const BatchSizes data{s.c.s.n, s.c.s.d}, code{s.c.s.n, s.c.s.l};
  expect_near(
      "dx_hat", got.x_hat,
      tabulate(data,
               [&](Index n, Index d) { return 2.0 * (at.x_hat(n, d) - s.c.x(n, d)) / samples; }),
      kGradients);
  expect_near("dmu", got.mu,
              tabulate(code, [&](Index n, Index j) { return s.beta * at.mu(n, j) / samples; }),
              kGradients);
  expect_near("dlog_var", got.log_var,
              tabulate(code,
                       [&](Index n, Index j) {
                         return s.beta * (std::exp(at.log_var(n, j)) - 1.0) / 2.0 / samples;
                       }),
              kGradients);
}

PROPERTY(vae_train_step, "trains an autoencoder at beta = 0") {
  StepCase s = draw_step(draw);
  s.beta = 0.0;
  expect_vae("", STEP(s).after.model, WideState(s).model, {2e-5, 1e-4, 4.0},
             &Property::expect_near);
}

PROPERTY(vae_train_step, "refuses a negative beta") {
  StepCase s = draw_step(draw);
  s.beta = -s.beta;
  expect_refused(REPLY(vae_train_step, s.state, s.c.x, s.c.eps, s.beta, s.options),
                 "beta is negative");
}

PROPERTY(vae_train_step, "refuses a negative number of steps taken") {
  StepCase s = draw_step(draw);
  s.state.steps = -1 - s.state.steps;
  expect_refused(REPLY(vae_train_step, s.state, s.c.x, s.c.eps, s.beta, s.options),
                 "steps is negative");
}

PROPERTY(vae_train_step, "refuses samples or noise that do not fit") {
  const StepCase s = draw_step(draw);
  const VaeSizes& z = s.c.s;
  const Matrix x = draw.matrix("x, wider", z.n, z.d + 1), empty(0, z.d), none(0, z.l);
  const Matrix eps = draw.matrix("eps, longer", z.n + 1, z.l);
  expect_refused(REPLY(vae_train_step, s.state, x, s.c.eps, s.beta, s.options),
                 "x has one column more than W1");
  expect_refused(REPLY(vae_train_step, s.state, s.c.x, eps, s.beta, s.options),
                 "eps has one row more than x");
  expect_refused(REPLY(vae_train_step, s.state, empty, none, s.beta, s.options),
                 "there is no sample");
}

PROPERTY(vae_train_step, "refuses moments of another shape than their parameter") {
  const StepCase s = draw_step(draw);
  VaeTraining first = s.state, second = s.state;
  first.first_moment.decoder_output.bias = RowVector::Ones(s.c.s.d + 1);
  second.second_moment.encoder_hidden.weight = Matrix::Ones(s.c.s.h + 1, s.c.s.d);
  expect_refused(REPLY(vae_train_step, first, s.c.x, s.c.eps, s.beta, s.options),
                 "m of b4 has one number more than b4");
  expect_refused(REPLY(vae_train_step, second, s.c.x, s.c.eps, s.beta, s.options),
                 "v of W1 has one row more than W1");
}

// ---- 4.7 free_bits -----------------------------------------------------------------------------

/// Dimensions that stay below 0.1 nats and dimensions that exceed 2, turn by turn. Of the latter
/// the first sample alone is quiet, if there are several.
struct FreeBitsCase {
  BatchSizes s;
  Matrix mu, log_var;
  std::int64_t first_loud;

  bool is_loud(Index j) const { return (j + first_loud) % 2 == 0; }

  DoubleVector per_dimension() const {
    DoubleVector kl = DoubleVector::Zero(s.d);
    for (Index j = 0; j < s.d; ++j) {
      for (Index n = 0; n < s.n; ++n) kl(j) += kl_oracle(mu(n, j), log_var(n, j)) / double(s.n);
    }
    return kl;
  }

  double value(double floor) const {
    const DoubleVector kl = per_dimension();
    double total = 0.0;
    for (Index j = 0; j < s.d; ++j) total += std::max(floor, kl(j));
    return total;
  }
};

FreeBitsCase draw_free_bits(Draw& draw) {
  const Index n = draw.size("N", 1, 5), l = draw.size("L", 2, 5);
  FreeBitsCase c{{n, l}, {}, {}, draw.integer("first loud dimension", 0, 1)};
  c.mu = draw_batch(draw, "direction", c.s, 0.1).cwiseMax(-0.25F).cwiseMin(0.25F);
  c.log_var =
      draw_batch(draw, "log_var before its limits", c.s, 0.1).cwiseMax(-0.25F).cwiseMin(0.25F);
  for (Index j = 0; j < l; ++j) {
    for (Index i = n > 1 ? 1 : 0; c.is_loud(j) && i < n; ++i) {
      c.mu(i, j) = c.mu(i, j) * 4.0F + (c.mu(i, j) < 0.0F ? -3.0F : 3.0F);
      c.log_var(i, j) *= 4.0F;
    }
  }
  draw.show("mu", c.mu);
  draw.show("log_var", c.log_var);
  return c;
}

double draw_floor(Draw& draw) {
  return draw.number("floor", 0.25, 1.5);
}

Tolerance kl_tolerance(const FreeBitsCase& c) {
  return {2e-5, 1e-6, 2.0 * static_cast<double>(c.s.d) + sum(c.per_dimension())};
}

DEFINES(free_bits, "sums the larger of floor and KL over the dimensions") {
  const FreeBitsCase c = draw_free_bits(draw);
  const double floor = draw_floor(draw);
  expect_near("value", ASK(free_bits, c.mu, c.log_var, floor).value, c.value(floor),
              kl_tolerance(c));
}

PROPERTY(free_bits, "averages each dimension's KL over the samples, floor aside") {
  const FreeBitsCase c = draw_free_bits(draw);
  expect_near("per_dimension", ASK(free_bits, c.mu, c.log_var, draw_floor(draw)).per_dimension,
              c.per_dimension(), kl_tolerance(c));
}

PROPERTY(free_bits, "has the KL's gradients above the floor, none below") {
  const FreeBitsCase c = draw_free_bits(draw);
  const FreeBits got = ASK(free_bits, c.mu, c.log_var, draw_floor(draw));
  const auto samples = static_cast<double>(c.s.n);
  expect_near(
      "dmu", got.mu,
      tabulate(c.s, [&](Index n, Index j) { return c.is_loud(j) ? c.mu(n, j) / samples : 0.0; }),
      kElementwise);
  expect_near("dlog_var", got.log_var,
              tabulate(c.s,
                       [&](Index n, Index j) {
                         return c.is_loud(j)
                                    ? (std::exp(double(c.log_var(n, j))) - 1.0) / 2.0 / samples
                                    : 0.0;
                       }),
              kElementwise);
}

PROPERTY(free_bits, "passes the gradient at the floor exactly") {
  const BatchSizes s{draw.size("N", 1, 5), draw.size("L", 1, 4)};
  const float side = draw.integer("mu", 0, 1) == 0 ? 1.0F : -1.0F;
  const Matrix mu = draw.show("mu", Matrix(Matrix::Constant(s.n, s.d, side)));
  const Matrix log_var = Matrix::Zero(s.n, s.d);
  const FreeBits got = ASK(free_bits, mu, log_var, 0.5);  // mu^2 / 2
  expect_near("dmu at floor = 0.5", got.mu,
              tabulate(s, [&](Index n, Index d) { return mu(n, d) / double(s.n); }), kElementwise);
}

PROPERTY(free_bits, "is the plain KL at floor = 0") {
  const FreeBitsCase c = draw_free_bits(draw);
  const FreeBits got = ASK(free_bits, c.mu, c.log_var, 0.0);
  expect_near("value", got.value, sum(c.per_dimension()), kl_tolerance(c));
  const auto samples = static_cast<double>(c.s.n);
  expect_near("dmu", got.mu, tabulate(c.s, [&](Index n, Index j) { return c.mu(n, j) / samples; }),
              kElementwise);
}

PROPERTY(free_bits, "is 6.133878 for the table of lab 03 at floor = 0.25") {
  Matrix mu(1, 4), log_var(1, 4);
  mu << 0.1F, 2.5F, 0.0F, 0.3F;
  log_var << std::log(0.9F), std::log(0.1F), std::log(0.01F), std::log(1.2F);
  const FreeBits got = ASK(free_bits, draw.show("mu", mu), draw.show("log_var", log_var), 0.25);
  expect_near("value", got.value, 6.133878, {2e-6, 0.0, 0.0});
}

PROPERTY(free_bits, "refuses a negative floor") {
  const FreeBitsCase c = draw_free_bits(draw);
  const double floor = -draw_floor(draw);
  expect_refused(REPLY(free_bits, c.mu, c.log_var, floor), "floor is negative");
}

PROPERTY(free_bits, "refuses mu and log_var of different shapes") {
  const FreeBitsCase c = draw_free_bits(draw);
  expect_refused(REPLY(free_bits, c.mu, draw.matrix("log_var, longer", c.s.n + 1, c.s.d), 0.5),
                 "log_var has one row more than mu");
  expect_refused(REPLY(free_bits, c.mu, draw.matrix("log_var, wider", c.s.n, c.s.d + 1), 0.5),
                 "log_var has one column more than mu");
}

PROPERTY(free_bits, "refuses a batch without elements") {
  const FreeBitsCase c = draw_free_bits(draw);
  const Matrix no_sample(0, c.s.d), no_dimension(c.s.n, 0);
  expect_refused(REPLY(free_bits, no_sample, no_sample, 0.5), "there is no sample");
  expect_refused(REPLY(free_bits, no_dimension, no_dimension, 0.5), "there is no dimension");
}

// ---- 4.8 active_units --------------------------------------------------------------------------

DoubleVector variances_of(const Matrix& mu) {
  DoubleVector result(mu.cols());
  const auto samples = static_cast<double>(mu.rows());
  for (Index j = 0; j < mu.cols(); ++j) {
    double mean = 0.0, squares = 0.0;
    for (Index n = 0; n < mu.rows(); ++n) mean += mu(n, j) / samples;
    for (Index n = 0; n < mu.rows(); ++n) squares += std::pow(mu(n, j) - mean, 2.0);
    result(j) = squares / samples;
  }
  return result;
}

DEFINES(active_units, "is each dimension's variance over the samples") {
  const Index n = draw.size("N", 2, 7), l = draw.size("L", 1, 5);
  const Matrix mu = draw.matrix("mu", n, l);
  expect_near("variance", ASK(active_units, mu, 0.01).variance, variances_of(mu),
              {1e-5, 1e-5, 0.0});
}

/// Columns whose variance is 4 t and columns whose variance is t / 4, turn by turn, at a distance
/// from 0.
struct UnitsCase {
  Matrix mu;
  double threshold;
  std::int64_t active = 0;
};

UnitsCase draw_units(Draw& draw) {
  const Index pairs = draw.size("N / 2", 1, 4), l = draw.size("L", 1, 5);
  const double threshold = draw.number("threshold", 0.001, 0.1);
  const std::int64_t first = draw.integer("first active unit", 0, 1);
  UnitsCase c{Matrix(2 * pairs, l), threshold};
  for (Index j = 0; j < l; ++j) {
    const bool active = (j + first) % 2 == 0;
    const double away = std::sqrt(threshold * (active ? 4.0 : 0.25));
    for (Index n = 0; n < c.mu.rows(); ++n) {
      c.mu(n, j) = static_cast<float>(1.0 + static_cast<double>(j) + (n % 2 == 0 ? away : -away));
    }
    c.active += active ? 1 : 0;
  }
  draw.show("mu", c.mu);
  return c;
}

PROPERTY(active_units, "counts the variances above the threshold") {
  const UnitsCase c = draw_units(draw);
  expect_equal("count", ASK(active_units, c.mu, c.threshold).count, c.active);
}

PROPERTY(active_units, "does not count a variance that equals the threshold") {
  const Index pairs = draw.size("N / 2", 1, 4), l = draw.size("L", 1, 5);
  Matrix mu(2 * pairs, l);
  for (Index n = 0; n < mu.rows(); ++n) mu.row(n).setConstant(n % 2 == 0 ? 0.5F : -0.5F);
  draw.show("mu", mu);
  expect_equal("count at threshold = 0.25", ASK(active_units, mu, 0.25).count, std::int64_t{0});
}

PROPERTY(active_units, "keeps its digits where mu is far from 0") {
  const Index n = draw.size("N", 2, 7), l = draw.size("L", 1, 5);
  const Matrix mu = draw.matrix("mu - 4096", n, l).array() + 4096.0F;
  expect_near("variance", ASK(active_units, mu, 0.0).variance, variances_of(mu), {1e-3, 1e-5, 0.0});
}

PROPERTY(active_units, "finds no variance in a single sample") {
  const Index l = draw.size("L", 1, 5);
  const ActiveUnits got = ASK(active_units, draw.matrix("mu", 1, l), 0.01);
  expect_near("variance", got.variance, DoubleVector(DoubleVector::Zero(l)), kDouble);
  expect_equal("count", got.count, std::int64_t{0});
  const ActiveUnits single = ASK(active_units, draw.matrix("a single number", 1, 1), 0.01);
  expect_near("variance of a single number", single.variance, DoubleVector(DoubleVector::Zero(1)),
              kDouble);
}

PROPERTY(active_units, "refuses a batch without elements") {
  const Index n = draw.size("N", 1, 5), l = draw.size("L", 1, 5);
  expect_refused(REPLY(active_units, Matrix(0, l), 0.01), "there is no sample");
  expect_refused(REPLY(active_units, Matrix(n, 0), 0.01), "there is no dimension");
}

PROPERTY(active_units, "refuses a negative threshold") {
  const UnitsCase c = draw_units(draw);
  expect_refused(REPLY(active_units, c.mu, -c.threshold), "the threshold is negative");
}

// ---- 4.9 pareto_front --------------------------------------------------------------------------

using Positions = std::vector<std::int64_t>;

/// Points with their two coordinates.
struct Points {
  DoubleVector distortion, rate;
};

/// No two coordinates alike. The first two points are each the best in one coordinate and the worst
/// in the other; the third is on the front, but above the line between two others; the last is
/// beaten by the one before it.
Points draw_points(Draw& draw) {
  const Index size = draw.size("P", 5, 9);
  const auto shuffled = [&] {
    DoubleVector numbers(size);
    for (Index i = 0; i < size; ++i) {
      numbers(i) = 0.5 * static_cast<double>(i);
      std::swap(numbers(i), numbers(draw.random().integer(0, i)));
    }
    return numbers;
  };
  Points p{shuffled(), shuffled()};
  p.distortion(0) = p.rate(1) = -1.0;
  p.rate(0) = p.distortion(1) = 20.0;
  p.distortion(2) = -0.75;
  p.rate(2) = 19.0;
  p.distortion(size - 1) = p.distortion(size - 2) + 0.25;
  p.rate(size - 1) = p.rate(size - 2) + 0.25;
  draw.show("distortion", p.distortion);
  draw.show("rate", p.rate);
  return p;
}

Positions front_of(const Points& p) {
  Positions front;
  for (Index i = 0; i < p.rate.size(); ++i) {
    bool is_beaten = false;
    for (Index j = 0; j < p.rate.size(); ++j) {
      const bool as_good = p.distortion(j) <= p.distortion(i) && p.rate(j) <= p.rate(i);
      const bool better = p.distortion(j) < p.distortion(i) || p.rate(j) < p.rate(i);
      is_beaten = is_beaten || (as_good && (better || j < i));
    }
    if (!is_beaten) front.push_back(i);
  }
  return front;
}

DEFINES(pareto_front, "is the set of points that no point beats in both") {
  const Points p = draw_points(draw);
  Positions got = ASK(pareto_front, p.distortion, p.rate);
  std::sort(got.begin(), got.end());
  expect_equal("front, sorted", got, front_of(p));
}

/// Points on a line from much distortion to much rate, none of which beats another.
Points draw_line(Draw& draw) {
  const Index size = draw.size("P", 2, 8);
  Points p{DoubleVector(size), DoubleVector(size)};
  for (Index i = 0; i < size; ++i) {
    p.rate(i) = static_cast<double>(i);
    p.distortion(i) = static_cast<double>(size - i);
  }
  return p;
}

Positions first_positions(Index size) {
  Positions all;
  for (Index i = 0; i < size; ++i) all.push_back(i);
  return all;
}

PROPERTY(pareto_front, "lists the points in the order in which they came") {
  const Points p = draw_line(draw);
  const Positions all = first_positions(p.rate.size());
  expect_equal("front", ASK(pareto_front, p.distortion, p.rate), all);
  expect_equal("front, coordinates exchanged", ASK(pareto_front, p.rate, p.distortion), all);
}

PROPERTY(pareto_front, "leaves a point out that ties in one and loses in the other") {
  const double here = draw.number("shared coordinate", 0.5, 2.0);
  const double more = draw.number("more", 0.25, 2.0);
  const DoubleVector shared = DoubleVector::Constant(3, here);
  const DoubleVector other{{here + more, here, here + 2.0 * more}};
  const Positions second{1};
  expect_equal("front, equal distortions", ASK(pareto_front, shared, other), second);
  expect_equal("front, equal rates", ASK(pareto_front, other, shared), second);
}

PROPERTY(pareto_front, "keeps the first of equal points, once") {
  const Points p = draw_line(draw);
  const Index size = p.rate.size();
  DoubleVector distortion(2 * size), rate(2 * size);
  distortion << p.distortion, p.distortion;
  rate << p.rate, p.rate;
  Positions got = ASK(pareto_front, distortion, rate);
  std::sort(got.begin(), got.end());
  expect_equal("front with every point twice, sorted", got, first_positions(size));
}

PROPERTY(pareto_front, "takes infinity for a large number") {
  Points p = draw_line(draw);
  const Index last = p.rate.size() - 1;
  p.distortion(last) = p.distortion(0) + 1.0;
  p.rate(last) = std::numeric_limits<double>::infinity();
  Positions got = ASK(pareto_front, p.distortion, p.rate);
  std::sort(got.begin(), got.end());
  expect_equal("front, the last rate infinite", got, first_positions(last));
}

PROPERTY(pareto_front, "keeps a single point, and nothing of nothing") {
  const double here = draw.number("the point", 0.5, 2.0);
  const DoubleVector one = DoubleVector::Constant(1, here), none(0);
  expect_equal("front of one point", ASK(pareto_front, one, one), Positions{0});
  expect_equal("front of no point", ASK(pareto_front, none, none), Positions{});
}

PROPERTY(pareto_front, "refuses coordinates of different number") {
  const Points p = draw_points(draw);
  const DoubleVector fewer = p.rate.head(p.rate.size() - 1);
  expect_refused(REPLY(pareto_front, p.distortion, fewer), "rate has one number fewer");
  expect_refused(REPLY(pareto_front, fewer, p.rate), "distortion has one number fewer");
}

PROPERTY(pareto_front, "refuses NaN in either coordinate") {
  const Points p = draw_points(draw);
  DoubleVector distortion = p.distortion, rate = p.rate;
  distortion(0) = std::numeric_limits<double>::quiet_NaN();
  rate(1) = std::numeric_limits<double>::quiet_NaN();
  expect_refused(REPLY(pareto_front, distortion, p.rate), "the first distortion is NaN");
  expect_refused(REPLY(pareto_front, p.distortion, rate), "the second rate is NaN");
}

}  // namespace
}  // namespace latent::grader

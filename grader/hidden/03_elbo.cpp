// Hidden properties of lab 03. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "elbo.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLog2Pi = 1.8378770664093454836;

/// The sizes N and D.
struct BatchSizes {
  Index n, d;
};

BatchSizes batch_sizes(Draw& draw) {
  const Index n = draw.size("N", 1, 6), d = draw.size("D", 1, 5);
  return {n, d};
}

Matrix draw_batch(Draw& draw, const std::string& name, const BatchSizes& s, double scale = 1.0) {
  return draw.matrix(name, s.n, s.d, scale);
}

Matrix one_by_one(double x) {
  return Matrix::Constant(1, 1, static_cast<float>(x));
}

/// A matrix in which element (n, d) is f(n, d), in double precision.
Oracle tabulate(const BatchSizes& s, const std::function<double(Index, Index)>& f) {
  Oracle table(s.n, s.d);
  for (Index n = 0; n < s.n; ++n) {
    for (Index d = 0; d < s.d; ++d) table(n, d) = f(n, d);
  }
  return table;
}

/// f summed over the features of each sample.
DoubleVector sum_features(const BatchSizes& s, const std::function<double(Index, Index)>& f) {
  DoubleVector sums = DoubleVector::Zero(s.n);
  for (Index n = 0; n < s.n; ++n) {
    for (Index d = 0; d < s.d; ++d) sums(n) += f(n, d);
  }
  return sums;
}

double average(const DoubleVector& numbers) {
  double sum = 0.0;
  for (Index i = 0; i < numbers.size(); ++i) sum += numbers(i);
  return sum / static_cast<double>(numbers.size());
}

/// What float arithmetic may lose where terms of these sizes are added: the largest sum of them.
Tolerance adding_up(const BatchSizes& s, const std::function<double(Index, Index)>& magnitude) {
  return {2e-5, 1e-6, sum_features(s, magnitude).maxCoeff()};
}

/// Gradients: a few float operations on each element.
constexpr Tolerance kElementwise{2e-5, 1e-6, 0.0};

/// A number of either sign, away from 0.
double draw_signed(Draw& draw, const std::string& name, double low, double high) {
  const bool negative = draw.random().bits() % 2 == 0;
  return negative ? draw.number(name, -high, -low) : draw.number(name, low, high);
}

// ---- 3.1 kl_standard_normal --------------------------------------------------------------------

/// e^l - 1 - l without cancellation near 0.
double excess(double l) {
  if (std::abs(l) > 0.01) return std::exp(l) - 1.0 - l;
  return l * l / 2.0 * (1.0 + l / 3.0 * (1.0 + l / 4.0 * (1.0 + l / 5.0)));
}

double kl_oracle(double mu, double log_var) {
  return 0.5 * (mu * mu + excess(log_var));
}

/// Per sample, with the tolerance for it.
struct KlCase {
  Matrix mu, log_var;
  DoubleVector per_sample;
  Tolerance tolerance;

  KlCase(const BatchSizes& s, const Matrix& of_mu, const Matrix& of_log_var)
      : mu(of_mu), log_var(of_log_var) {
    per_sample = sum_features(s, [&](Index n, Index d) { return kl_oracle(mu(n, d), lv(n, d)); });
    tolerance = adding_up(s, [&](Index n, Index d) {
      return 0.5 * (double(mu(n, d)) * mu(n, d) + std::exp(lv(n, d)) + 1.0 + std::abs(lv(n, d)));
    });
  }

  double lv(Index n, Index d) const { return log_var(n, d); }
};

KlCase draw_kl_case(Draw& draw, const BatchSizes& s) {
  const Matrix mu = draw_batch(draw, "mu", s);
  return {s, mu, draw_batch(draw, "log_var", s)};
}

DEFINES(kl_standard_normal, "sums (mu^2 + e^l - 1 - l) / 2 over the features") {
  const KlCase c = draw_kl_case(draw, batch_sizes(draw));
  expect_near("KL per sample", ASK(kl_standard_normal, c.mu, c.log_var).per_sample, c.per_sample,
              c.tolerance);
}

PROPERTY(kl_standard_normal, "averages the samples' divergences over the batch") {
  const KlCase c = draw_kl_case(draw, batch_sizes(draw));
  expect_near("value", ASK(kl_standard_normal, c.mu, c.log_var).value, average(c.per_sample),
              c.tolerance);
}

PROPERTY(kl_standard_normal, "has the gradient mu / N with respect to mu") {
  const BatchSizes s = batch_sizes(draw);
  const KlCase c = draw_kl_case(draw, s);
  expect_near("dmu", ASK(kl_standard_normal, c.mu, c.log_var).mu,
              tabulate(s, [&](Index n, Index d) { return c.mu(n, d) / double(s.n); }),
              kElementwise);
}

PROPERTY(kl_standard_normal, "has the gradient (e^l - 1) / 2N with respect to log_var") {
  const BatchSizes s = batch_sizes(draw);
  const KlCase c = draw_kl_case(draw, s);
  expect_near(
      "dlog_var", ASK(kl_standard_normal, c.mu, c.log_var).log_var,
      tabulate(s,
               [&](Index n, Index d) { return (std::exp(c.lv(n, d)) - 1.0) / 2.0 / double(s.n); }),
      kElementwise);
}

PROPERTY(kl_standard_normal, "keeps its digits for log_var near 0") {
  const BatchSizes s{1, draw.size("D", 1, 5)};
  Matrix log_var = draw_batch(draw, "direction", s);
  for (Index d = 0; d < s.d; ++d) {
    const float away = log_var(0, d);
    log_var(0, d) = 1e-3F * (away < 0.0F ? away - 1.0F : away + 1.0F);
  }
  const KlCase c(s, Matrix::Zero(s.n, s.d), draw.show("log_var", log_var));
  expect_near("value", ASK(kl_standard_normal, c.mu, c.log_var).value, c.per_sample(0),
              {1e-3, 0.0, 0.0});
}

PROPERTY(kl_standard_normal, "holds at the ends of the range, log_var -30 and 20") {
  const BatchSizes s{1, draw.size("D", 1, 5)};
  const Matrix mu = draw_batch(draw, "mu", s);
  for (const float end : {-30.0F, 20.0F}) {
    const KlCase c(s, mu, draw.show("log_var", Matrix(Matrix::Constant(s.n, s.d, end))));
    expect_near("value", ASK(kl_standard_normal, c.mu, c.log_var).value, c.per_sample(0),
                {2e-5, 0.0, 0.0});
  }
}

PROPERTY(kl_standard_normal, "refuses mu and log_var of different shapes") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix mu = draw_batch(draw, "mu", s);
  expect_refused(REPLY(kl_standard_normal, mu, draw.matrix("log_var", s.n + 1, s.d)),
                 "log_var has one row more than mu");
  expect_refused(REPLY(kl_standard_normal, mu, draw.matrix("log_var", s.n, s.d + 1)),
                 "log_var has one column more than mu");
}

PROPERTY(kl_standard_normal, "refuses a batch without elements") {
  const BatchSizes s = batch_sizes(draw);
  expect_refused(REPLY(kl_standard_normal, Matrix(0, s.d), Matrix(0, s.d)), "there is no sample");
  expect_refused(REPLY(kl_standard_normal, Matrix(s.n, 0), Matrix(s.n, 0)), "there is no feature");
}

PROPERTY(kl_standard_normal, "one dimension: is (mu^2 + e^l - 1 - l) / 2") {
  const double mu = draw_signed(draw, "mu", 0.25, 3.0), l = draw.number("|log_var|", 0.25, 6.0);
  expect_near("KL at +log_var", ASK(kl_standard_normal_1d, mu, l), kl_oracle(mu, l), kDouble);
  expect_near("KL at -log_var", ASK(kl_standard_normal_1d, -mu, -l), kl_oracle(-mu, -l), kDouble);
}

PROPERTY(kl_standard_normal, "one dimension: keeps its digits, 2.5e-19 at l = 1e-9") {
  const double small = draw.show("log_var", std::pow(10.0, draw.number("log10 l", -6.5, -5.5)));
  expect_near("KL", ASK(kl_standard_normal_1d, 0.0, small), kl_oracle(0.0, small),
              {1e-6, 0.0, 0.0});
  expect_near("KL", ASK(kl_standard_normal_1d, 0.0, -small), kl_oracle(0.0, -small),
              {1e-6, 0.0, 0.0});
  expect_near("KL at log_var = 1e-9", ASK(kl_standard_normal_1d, 0.0, 1e-9), 2.5e-19,
              {1e-6, 0.0, 0.0});
}

/// mu and log_var of several dimensions, from their variances.
struct Dimensions {
  Matrix mu, log_var;

  Dimensions(const std::vector<double>& means, const std::vector<double>& vars)
      : mu(1, static_cast<Index>(means.size())), log_var(mu) {
    for (std::size_t d = 0; d < means.size(); ++d) {
      mu(0, static_cast<Index>(d)) = static_cast<float>(means[d]);
      log_var(0, static_cast<Index>(d)) = static_cast<float>(std::log(vars[d]));
    }
  }
};

PROPERTY(kl_standard_normal, "is 0.007680, 3.826293, 1.807585, 0.053839: 5.695397") {
  const Dimensions table({0.1, 2.5, 0.0, 0.3}, {0.9, 0.1, 0.01, 1.2});
  DoubleVector rows(4);
  rows << 0.007680, 3.826293, 1.807585, 0.053839;
  draw.show("mu", table.mu);
  draw.show("log_var", table.log_var);
  expect_near("KL together", ASK(kl_standard_normal, table.mu, table.log_var).value, 5.695397,
              {2e-6, 0.0, 0.0});
  const Matrix mu = table.mu.transpose(), log_var = table.log_var.transpose();
  expect_near("KL, one dimension per row", ASK(kl_standard_normal, mu, log_var).per_sample, rows,
              {0.0, 4e-6, 0.0});
  const Dimensions lesson({3.0, 0.1}, {0.04, 0.81});
  const Matrix mus = lesson.mu.transpose(), log_vars = lesson.log_var.transpose();
  DoubleVector two(2);
  two << 5.629438, 0.015361;
  expect_near("KL at (3, 0.2) and (0.1, 0.9)", ASK(kl_standard_normal, mus, log_vars).per_sample,
              two, {0.0, 4e-6, 0.0});
}

// ---- 3.2 kl_diag_gaussians ---------------------------------------------------------------------

/// Two batches of Gaussians; elements as doubles.
struct Pair {
  Matrix mu1, log_var1, mu2, log_var2;

  double apart(Index n, Index d) const { return double(mu1(n, d)) - double(mu2(n, d)); }
  double l1(Index n, Index d) const { return log_var1(n, d); }
  double l2(Index n, Index d) const { return log_var2(n, d); }
  double squares(Index n, Index d) const { return apart(n, d) * apart(n, d) * std::exp(-l2(n, d)); }
  double ratio(Index n, Index d) const { return std::exp(l1(n, d) - l2(n, d)); }

  DoubleVector kl(const BatchSizes& s) const {
    return sum_features(s, [this](Index n, Index d) {
      return 0.5 * (l2(n, d) - l1(n, d) - 1.0 + ratio(n, d) + squares(n, d));
    });
  }

  Tolerance tolerance(const BatchSizes& s) const {
    return adding_up(s, [this](Index n, Index d) {
      return 0.5 * (std::abs(l1(n, d)) + std::abs(l2(n, d)) + 1.0 + ratio(n, d) + squares(n, d));
    });
  }
};

Pair draw_pair(Draw& draw, const BatchSizes& s) {
  Pair pair;
  pair.mu1 = draw_batch(draw, "mu1", s);
  pair.log_var1 = draw_batch(draw, "log_var1", s);
  pair.mu2 = draw_batch(draw, "mu2", s);
  pair.log_var2 = draw_batch(draw, "log_var2", s, 0.75);
  return pair;
}

DEFINES(kl_diag_gaussians, "is KL(first || second), summed over the features") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  expect_near("KL per sample",
              ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).per_sample, p.kl(s),
              p.tolerance(s));
}

PROPERTY(kl_diag_gaussians, "averages the samples' divergences over the batch") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  expect_near("value", ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).value,
              average(p.kl(s)), p.tolerance(s));
}

PROPERTY(kl_diag_gaussians, "pulls mu1 by (mu1 - mu2) e^-l2 / N") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  expect_near(
      "dmu1", ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).mu1,
      tabulate(
          s, [&](Index n, Index d) { return p.apart(n, d) * std::exp(-p.l2(n, d)) / double(s.n); }),
      kElementwise);
}

PROPERTY(kl_diag_gaussians, "moves log_var1 by (e^(l1 - l2) - 1) / 2N") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  expect_near(
      "dlog_var1", ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).log_var1,
      tabulate(s, [&](Index n, Index d) { return (p.ratio(n, d) - 1.0) / 2.0 / double(s.n); }),
      kElementwise);
}

PROPERTY(kl_diag_gaussians, "pulls mu2 as hard as mu1, the other way") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  expect_near(
      "dmu2", ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).mu2,
      tabulate(s, [&](Index n,
                      Index d) { return -p.apart(n, d) * std::exp(-p.l2(n, d)) / double(s.n); }),
      kElementwise);
}

PROPERTY(kl_diag_gaussians, "moves log_var2 by widths and by the distance") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  expect_near("dlog_var2", ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).log_var2,
              tabulate(s,
                       [&](Index n, Index d) {
                         return (1.0 - p.ratio(n, d) - p.squares(n, d)) / 2.0 / double(s.n);
                       }),
              kElementwise);
}

PROPERTY(kl_diag_gaussians, "compares narrow Gaussians, log_var near -20") {
  const BatchSizes s{1, draw.size("D", 1, 5)};
  Pair p;
  p.mu1 = draw_batch(draw, "mu1", s, 1e-4);
  p.mu2 = draw_batch(draw, "mu2", s, 1e-4);
  p.log_var1 = draw_batch(draw, "log_var1 + 20", s).array() - 20.0F;
  p.log_var2 = draw_batch(draw, "log_var2 + 20", s, 0.75).array() - 20.0F;
  expect_near("value", ASK(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, p.log_var2).value,
              p.kl(s)(0), p.tolerance(s));
}

PROPERTY(kl_diag_gaussians, "is 2.599682 one way, 1.311354 back, 0 to itself") {
  const Matrix mu1 = draw.show("mu1", one_by_one(1.0)), mu2 = draw.show("mu2", one_by_one(-1.0));
  const Matrix l1 = draw.show("log_var1", one_by_one(0.5));
  const Matrix l2 = draw.show("log_var2", one_by_one(-0.2));
  const Tolerance digits{2e-6, 1e-6, 0.0};
  expect_near("KL", ASK(kl_diag_gaussians, mu1, l1, mu2, l2).value, 2.599682, digits);
  expect_near("KL back", ASK(kl_diag_gaussians, mu2, l2, mu1, l1).value, 1.311354, digits);
  expect_near("KL to itself", ASK(kl_diag_gaussians, mu1, l1, mu1, l1).value, 0.0, digits);
}

PROPERTY(kl_diag_gaussians, "refuses arguments of different shapes") {
  const BatchSizes s = batch_sizes(draw);
  const Pair p = draw_pair(draw, s);
  const Matrix longer = draw.matrix("longer", s.n + 1, s.d), wider = draw.matrix("w", s.n, s.d + 1);
  for (const Matrix* other : {&longer, &wider}) {
    const std::string more = other == &longer ? " has one row more" : " has one column more";
    expect_refused(REPLY(kl_diag_gaussians, p.mu1, *other, p.mu2, p.log_var2), "log_var1" + more);
    expect_refused(REPLY(kl_diag_gaussians, p.mu1, p.log_var1, *other, p.log_var2), "mu2" + more);
    expect_refused(REPLY(kl_diag_gaussians, p.mu1, p.log_var1, p.mu2, *other), "log_var2" + more);
  }
}

PROPERTY(kl_diag_gaussians, "refuses a batch without elements") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix no_sample(0, s.d), no_feature(s.n, 0);
  expect_refused(REPLY(kl_diag_gaussians, no_sample, no_sample, no_sample, no_sample),
                 "there is no sample");
  expect_refused(REPLY(kl_diag_gaussians, no_feature, no_feature, no_feature, no_feature),
                 "there is no feature");
}

// ---- 3.3 gaussian_nll --------------------------------------------------------------------------

/// Data and what a decoder says of it; elements as doubles.
struct Prediction {
  Matrix x, mean, log_var;

  double away(Index n, Index d) const { return double(mean(n, d)) - double(x(n, d)); }
  double l(Index n, Index d) const { return log_var(n, d); }
  double squares(Index n, Index d) const { return away(n, d) * away(n, d) * std::exp(-l(n, d)); }

  DoubleVector nll(const BatchSizes& s) const {
    return sum_features(
        s, [this](Index n, Index d) { return 0.5 * (kLog2Pi + l(n, d) + squares(n, d)); });
  }

  Tolerance tolerance(const BatchSizes& s) const {
    return adding_up(
        s, [this](Index n, Index d) { return 0.5 * (2.0 + std::abs(l(n, d)) + squares(n, d)); });
  }
};

/// With variances that keep every density below 1, and the result above 0.
Prediction draw_prediction(Draw& draw, const BatchSizes& s) {
  Prediction p;
  p.x = draw_batch(draw, "x", s);
  p.mean = draw_batch(draw, "mean", s, 0.75);
  p.log_var = draw_batch(draw, "log_var before max(., -1.5)", s).cwiseMax(-1.5F);
  return p;
}

DEFINES(gaussian_nll, "is -log of the density, summed over the features") {
  const BatchSizes s = batch_sizes(draw);
  const Prediction p = draw_prediction(draw, s);
  expect_near("nll per sample", ASK(gaussian_nll, p.x, p.mean, p.log_var).per_sample, p.nll(s),
              p.tolerance(s));
}

PROPERTY(gaussian_nll, "averages the samples' costs over the batch") {
  const BatchSizes s = batch_sizes(draw);
  const Prediction p = draw_prediction(draw, s);
  expect_near("value", ASK(gaussian_nll, p.x, p.mean, p.log_var).value, average(p.nll(s)),
              p.tolerance(s));
}

PROPERTY(gaussian_nll, "pulls the mean by (mean - x) e^-l / N") {
  const BatchSizes s = batch_sizes(draw);
  const Prediction p = draw_prediction(draw, s);
  expect_near(
      "dmean", ASK(gaussian_nll, p.x, p.mean, p.log_var).mean,
      tabulate(s,
               [&](Index n, Index d) { return p.away(n, d) * std::exp(-p.l(n, d)) / double(s.n); }),
      kElementwise);
}

PROPERTY(gaussian_nll, "moves log_var by (1 - (x - mean)^2 e^-l) / 2N") {
  const BatchSizes s = batch_sizes(draw);
  const Prediction p = draw_prediction(draw, s);
  expect_near(
      "dlog_var", ASK(gaussian_nll, p.x, p.mean, p.log_var).log_var,
      tabulate(s, [&](Index n, Index d) { return (1.0 - p.squares(n, d)) / 2.0 / double(s.n); }),
      kElementwise);
}

PROPERTY(gaussian_nll, "takes any log_var as it is, from -20 to 15") {
  const BatchSizes s{1, draw.size("D", 1, 5)};
  Prediction p = draw_prediction(draw, s);
  for (Index d = 0; d < s.d; ++d) {
    if (std::abs(p.x(0, d)) < 0.125F) p.x(0, d) = 0.125F;
    p.mean(0, d) = p.x(0, d) * (1.0F + 1.0F / 64.0F);  // an error to be paid for
    p.log_var(0, d) = d % 2 == 0 ? -20.0F : 15.0F;
  }
  draw.show("x, moved", p.x);
  draw.show("mean", p.mean);
  draw.show("log_var", p.log_var);
  expect_near("value", ASK(gaussian_nll, p.x, p.mean, p.log_var).value, p.nll(s)(0),
              p.tolerance(s));
}

PROPERTY(gaussian_nll, "is negative where the density exceeds 1") {
  const BatchSizes s{1, draw.size("D", 1, 5)};
  Prediction p = draw_prediction(draw, s);
  p.mean = p.x;
  p.log_var = p.log_var.array().min(2.0F) - 4.0F;
  draw.show("log_var, moved", p.log_var);
  expect_near("value", ASK(gaussian_nll, p.x, p.mean, p.log_var).value, p.nll(s)(0),
              p.tolerance(s));
}

PROPERTY(gaussian_nll, "is 0.758724 for x 1, mean 0.5, log_var -1") {
  const Matrix x = draw.show("x", one_by_one(1.0)), mean = draw.show("mean", one_by_one(0.5));
  const Matrix log_var = draw.show("log_var", one_by_one(-1.0));
  expect_near("nll", ASK(gaussian_nll, x, mean, log_var).value, 0.758724, {2e-6, 0.0, 0.0});
}

PROPERTY(gaussian_nll, "refuses arguments of different shapes") {
  const BatchSizes s = batch_sizes(draw);
  const Prediction p = draw_prediction(draw, s);
  const Matrix longer = draw.matrix("longer", s.n + 1, s.d), wider = draw.matrix("w", s.n, s.d + 1);
  for (const Matrix* other : {&longer, &wider}) {
    const std::string more = other == &longer ? " has one row more" : " has one column more";
    expect_refused(REPLY(gaussian_nll, p.x, *other, p.log_var), "the mean" + more + " than x");
    expect_refused(REPLY(gaussian_nll, p.x, p.mean, *other), "log_var" + more + " than x");
  }
}

PROPERTY(gaussian_nll, "refuses a batch without elements") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix no_sample(0, s.d), no_feature(s.n, 0);
  expect_refused(REPLY(gaussian_nll, no_sample, no_sample, no_sample), "there is no sample");
  expect_refused(REPLY(gaussian_nll, no_feature, no_feature, no_feature), "there is no feature");
}

// ---- 3.4 jensen_chain --------------------------------------------------------------------------

DoubleVector normalised(const DoubleVector& weights) {
  double sum = 0.0;
  for (Index z = 0; z < weights.size(); ++z) sum += weights(z);
  return weights / sum;
}

/// Positive numbers of moderate spread; whole ones where a case is to be read.
DoubleVector draw_weights(Draw& draw, Index states) {
  DoubleVector weights(states);
  for (Index z = 0; z < states; ++z) {
    weights(z) = draw.id().seed % 2 == 0 ? static_cast<double>(draw.random().integer(1, 9))
                                         : 3.0 * std::exp(0.75 * draw.random().normal());
  }
  return weights;
}

/// A discrete model, one x, and a q.
struct Discrete {
  DoubleVector prior, likelihood, q;

  double evidence() const {
    double sum = 0.0;
    for (Index z = 0; z < prior.size(); ++z) sum += prior(z) * likelihood(z);
    return sum;
  }

  /// E_q[f], over the states that q can visit.
  double mean(const std::function<double(Index)>& f) const {
    double sum = 0.0;
    for (Index z = 0; z < q.size(); ++z) {
      if (q(z) > 0.0) sum += q(z) * f(z);
    }
    return sum;
  }

  double joint(Index z) const { return prior(z) * likelihood(z); }

  JensenChain lines() const {
    JensenChain chain;
    chain.log_evidence = std::log(evidence());
    chain.log_mean_ratio = std::log(mean([this](Index z) { return joint(z) / q(z); }));
    chain.mean_log_ratio = mean([this](Index z) { return std::log(joint(z)) - std::log(q(z)); });
    chain.reconstruction = mean([this](Index z) { return std::log(likelihood(z)); });
    chain.kl = mean([this](Index z) { return std::log(q(z)) - std::log(prior(z)); });
    chain.split = chain.reconstruction - chain.kl;
    chain.gap = mean(
        [this](Index z) { return std::log(q(z)) - std::log(joint(z)) + std::log(evidence()); });
    return chain;
  }
};

Discrete draw_discrete(Draw& draw, Index fewest) {
  const Index states = draw.size("K", fewest, 6);
  Discrete m;
  m.prior = normalised(draw_weights(draw, states));
  m.likelihood = 0.1 * draw_weights(draw, states);
  m.q = normalised(draw_weights(draw, states));
  return m;
}

const Discrete& shown(Draw& draw, const Discrete& m) {
  draw.show("prior", m.prior);
  draw.show("likelihood", m.likelihood);
  draw.show("q", m.q);
  return m;
}

DEFINES(jensen_chain, "lines 1 and 2 agree if q > 0; so do 3 and 4, below them") {
  const Discrete m = draw_discrete(draw, 1);
  shown(draw, m);
  const JensenChain got = ASK(jensen_chain, m.prior, m.likelihood, m.q), lines = m.lines();
  expect_near("line 1, log p(x)", got.log_evidence, lines.log_evidence, kDouble);
  expect_near("line 2, log E_q[p(x,z)/q(z)]", got.log_mean_ratio, lines.log_evidence,
              {1e-10, 1e-11, 0.0});
  expect_near("line 3, E_q[log p(x,z)/q(z)]", got.mean_log_ratio, lines.mean_log_ratio,
              {1e-10, 1e-11, 0.0});
  expect_near("line 4, reconstruction - KL", got.split, lines.mean_log_ratio, {1e-10, 1e-11, 0.0});
}

PROPERTY(jensen_chain, "splits line 4 into E_q[log p(x|z)] and KL(q || prior)") {
  const Discrete m = draw_discrete(draw, 1);
  shown(draw, m);
  const JensenChain got = ASK(jensen_chain, m.prior, m.likelihood, m.q), lines = m.lines();
  expect_near("reconstruction", got.reconstruction, lines.reconstruction, {1e-10, 1e-11, 0.0});
  expect_near("KL", got.kl, lines.kl, {1e-10, 1e-11, 0.0});
}

/// q stays away from one state that prior and likelihood allow.
Discrete draw_with_a_missed_state(Draw& draw) {
  Discrete m = draw_discrete(draw, 2);
  m.q(draw.integer("missed", 0, m.q.size() - 1)) = 0.0;
  m.q = normalised(m.q);
  return shown(draw, m);
}

PROPERTY(jensen_chain, "loses KL(q || p(z|x)) from line 1 to line 3") {
  Discrete m = draw_discrete(draw, 2);
  shown(draw, m);
  expect_near("gap", ASK(jensen_chain, m.prior, m.likelihood, m.q).gap, m.lines().gap,
              {1e-10, 1e-11, 0.0});
  m.q(m.q.size() - 1) = 0.0;
  m.q = draw.show("q, missing the last state", normalised(m.q));
  expect_near("gap", ASK(jensen_chain, m.prior, m.likelihood, m.q).gap, m.lines().gap,
              {1e-10, 1e-11, 0.0});
}

PROPERTY(jensen_chain, "line 2 falls below line 1 where q misses a state") {
  const Discrete m = draw_with_a_missed_state(draw);
  expect_near("line 2, log E_q[p(x,z)/q(z)]",
              ASK(jensen_chain, m.prior, m.likelihood, m.q).log_mean_ratio,
              m.lines().log_mean_ratio, {1e-10, 1e-11, 0.0});
}

PROPERTY(jensen_chain, "counts 0 log 0 as 0 where q misses a state") {
  const Discrete m = draw_with_a_missed_state(draw);
  const JensenChain got = ASK(jensen_chain, m.prior, m.likelihood, m.q), lines = m.lines();
  expect_near("line 1", got.log_evidence, lines.log_evidence, {1e-10, 1e-11, 0.0});
  expect_near("line 3", got.mean_log_ratio, lines.mean_log_ratio, {1e-10, 1e-11, 0.0});
  expect(std::isfinite(got.reconstruction) && std::isfinite(got.kl),
         "reconstruction and KL should be finite, got " + std::to_string(got.reconstruction) +
             " and " + std::to_string(got.kl));
}

PROPERTY(jensen_chain, "is -infinity where q visits what the prior rules out") {
  Discrete m = draw_discrete(draw, 2);
  const Index z = draw.integer("ruled out", 0, m.prior.size() - 1);
  m.prior(z) = 0.0;
  m.prior = normalised(m.prior);
  shown(draw, m);
  const JensenChain got = ASK(jensen_chain, m.prior, m.likelihood, m.q);
  expect_near("KL", got.kl, kInfinity);
  expect_near("line 3", got.mean_log_ratio, -kInfinity);
  expect_near("gap", got.gap, kInfinity);
  expect(std::isfinite(got.reconstruction), "reconstruction should be finite");
  expect_near("line 2, which is finite", got.log_mean_ratio, m.lines().log_evidence,
              {1e-10, 1e-11, 0.0});
}

PROPERTY(jensen_chain, "is -infinity where q visits what cannot have made x") {
  Discrete m = draw_discrete(draw, 2);
  m.likelihood(draw.integer("impossible", 0, m.prior.size() - 1)) = 0.0;
  shown(draw, m);
  const JensenChain got = ASK(jensen_chain, m.prior, m.likelihood, m.q);
  expect_near("reconstruction", got.reconstruction, -kInfinity);
  expect_near("line 3", got.mean_log_ratio, -kInfinity);
  expect_near("gap", got.gap, kInfinity);
  expect(std::isfinite(got.kl), "KL should be finite");
  expect_near("line 2, which is finite", got.log_mean_ratio, m.lines().log_evidence,
              {1e-10, 1e-11, 0.0});
}

PROPERTY(jensen_chain, "accepts sums that miss 1 by rounding, up to 1e-9") {
  const Discrete m = draw_discrete(draw, 1);
  const Tolerance loose{1e-7, 1e-8, 0.0};
  for (const double factor : {1.0 + 5e-10, 1.0 - 5e-10}) {
    const double line_3 = m.lines().mean_log_ratio;
    const DoubleVector prior = draw.show("prior", DoubleVector(factor * m.prior));
    expect_near("line 3", ASK(jensen_chain, prior, m.likelihood, m.q).mean_log_ratio, line_3,
                loose);
    const DoubleVector q = draw.show("q", DoubleVector(factor * m.q));
    expect_near("line 3", ASK(jensen_chain, m.prior, m.likelihood, q).mean_log_ratio, line_3,
                loose);
  }
}

PROPERTY(jensen_chain, "refuses a prior or a q that does not sum to 1") {
  const Discrete m = draw_discrete(draw, 1);
  shown(draw, m);
  for (const double factor : {0.5, 2.0, 1.0 - 2e-9, 1.0 + 2e-9}) {
    const DoubleVector prior = factor * m.prior, q = factor * m.q;
    expect_refused(REPLY(jensen_chain, prior, m.likelihood, m.q), "the prior does not sum to 1");
    expect_refused(REPLY(jensen_chain, m.prior, m.likelihood, q), "q does not sum to 1");
  }
}

PROPERTY(jensen_chain, "refuses distributions of different sizes") {
  const Discrete m = draw_discrete(draw, 1);
  shown(draw, m);
  const Index more = m.prior.size() + 1;
  DoubleVector longer_likelihood(more), longer_q = DoubleVector::Zero(more);
  longer_likelihood << m.likelihood, 0.5;
  longer_q.head(more - 1) = m.q;
  expect_refused(REPLY(jensen_chain, m.prior, longer_likelihood, m.q),
                 "the likelihood has one state more than the prior");
  expect_refused(REPLY(jensen_chain, m.prior, m.likelihood, longer_q),
                 "q has one state more than the prior");
}

PROPERTY(jensen_chain, "refuses negative entries, though the sum is 1") {
  const Discrete m = draw_discrete(draw, 2);
  shown(draw, m);
  const auto with_negative = [](DoubleVector weights) {
    const double moved = weights(1) + 0.25;
    weights(1) -= moved;  // -0.25
    weights(0) += moved;
    return weights;
  };
  expect_refused(REPLY(jensen_chain, with_negative(m.prior), m.likelihood, m.q),
                 "the prior has an entry of -0.25");
  expect_refused(REPLY(jensen_chain, m.prior, m.likelihood, with_negative(m.q)),
                 "q has an entry of -0.25");
  DoubleVector likelihood = m.likelihood;
  likelihood(0) = -0.25 * m.prior(1) * likelihood(1) / m.prior(0);  // p(x) stays above 0
  expect_refused(REPLY(jensen_chain, m.prior, likelihood, m.q), "the likelihood is negative once");
}

PROPERTY(jensen_chain, "refuses an x with p(x) = 0, which has no posterior") {
  const Discrete m = draw_discrete(draw, 1);
  const DoubleVector nowhere = DoubleVector::Zero(m.prior.size());
  expect_refused(REPLY(jensen_chain, m.prior, nowhere, m.q), "no state can have made x");
}

// ---- 3.5 linear_gaussian_evidence --------------------------------------------------------------

double log_normal(double x, double mean, double var) {
  return -0.5 * (kLog2Pi + std::log(var) + (x - mean) * (x - mean) / var);
}

/// One observation and a model with w away from 0.
struct Linear {
  double x, w, s2;
  double total() const { return w * w + s2; }
  double log_evidence() const { return log_normal(x, 0.0, total()); }
  double posterior_mean() const { return w * x / total(); }
  double posterior_var() const { return s2 / total(); }
  LinearGaussian model() const { return {w, s2}; }
};

Linear draw_linear(Draw& draw) {
  const double x = draw_signed(draw, "x", 0.25, 4.0), w = draw_signed(draw, "w", 0.25, 3.0);
  return {x, w, draw.number("s2", 0.25, 3.0)};
}

DEFINES(linear_gaussian_evidence, "has the evidence N(x; 0, w^2 + s2), as a logarithm") {
  const Linear m = draw_linear(draw);
  expect_near("log p(x)", ASK(linear_gaussian_evidence, m.x, m.model()).log_evidence,
              m.log_evidence(), kDouble);
}

PROPERTY(linear_gaussian_evidence, "has the posterior mean w x / (w^2 + s2)") {
  const Linear m = draw_linear(draw);
  expect_near("posterior mean", ASK(linear_gaussian_evidence, m.x, m.model()).posterior.mean,
              m.posterior_mean(), kDouble);
}

PROPERTY(linear_gaussian_evidence, "has the posterior variance s2 / (w^2 + s2)") {
  const Linear m = draw_linear(draw);
  expect_near("posterior variance", ASK(linear_gaussian_evidence, m.x, m.model()).posterior.var,
              m.posterior_var(), kDouble);
}

PROPERTY(linear_gaussian_evidence, "learns nothing from x where w is 0") {
  Linear m = draw_linear(draw);
  m.w = 0.0;
  const LinearGaussianEvidence got = ASK(linear_gaussian_evidence, m.x, m.model());
  expect_near("posterior mean, the prior's", got.posterior.mean, 0.0, kDouble);
  expect_near("posterior variance, the prior's", got.posterior.var, 1.0, kDouble);
}

PROPERTY(linear_gaussian_evidence, "stays finite where the density underflows, x = 1000") {
  Linear m = draw_linear(draw);
  m.x = draw_signed(draw, "x, far out", 1000.0, 2000.0);
  expect_near("log p(x)", ASK(linear_gaussian_evidence, m.x, m.model()).log_evidence,
              m.log_evidence(), {1e-3, 0.0, 0.0});
}

PROPERTY(linear_gaussian_evidence, "is exact for a decoder with hardly any noise") {
  Linear m = draw_linear(draw);
  m.s2 = draw.show("s2, tiny", 1e-10 * m.s2);
  expect_near("log p(x)", ASK(linear_gaussian_evidence, m.x, m.model()).log_evidence,
              m.log_evidence(), kDouble);
}

PROPERTY(linear_gaussian_evidence, "is -1.992088 for w 2, s2 0.5, x 1.7") {
  const Linear m{draw.show("x", 1.7), draw.show("w", 2.0), draw.show("s2", 0.5)};
  expect_near("log p(x)", ASK(linear_gaussian_evidence, m.x, m.model()).log_evidence, -1.992088,
              {0.0, 6e-7, 0.0});
}

PROPERTY(linear_gaussian_evidence, "refuses a variance that is not above 0") {
  const Linear m = draw_linear(draw);
  expect_refused(REPLY(linear_gaussian_evidence, m.x, LinearGaussian{m.w, 0.0}), "s2 is 0");
  expect_refused(REPLY(linear_gaussian_evidence, m.x, LinearGaussian{m.w, -m.w * m.w / 2.0}),
                 "s2 is negative");
}

// ---- 3.6 elbo_gap ------------------------------------------------------------------------------

double kl_scalar(double mean1, double var1, double mean2, double var2) {
  return 0.5 * (std::log(var2) - std::log(var1) - 1.0 + var1 / var2 +
                (mean1 - mean2) * (mean1 - mean2) / var2);
}

ElboGap gap_oracle(const Linear& m, const ScalarGaussian& q) {
  const double error = (m.x - m.w * q.mean) * (m.x - m.w * q.mean) + m.w * m.w * q.var;
  ElboGap result;
  result.reconstruction = -0.5 * (kLog2Pi + std::log(m.s2) + error / m.s2);
  result.kl = kl_scalar(q.mean, q.var, 0.0, 1.0);
  result.elbo = result.reconstruction - result.kl;
  result.gap = kl_scalar(q.mean, q.var, m.posterior_mean(), m.posterior_var());
  return result;
}

/// Terms of both signs are added: the largest of them sets the scale.
Tolerance gap_tolerance(const ElboGap& g) {
  return {1e-10, 1e-11,
          std::max({std::abs(g.reconstruction), std::abs(g.kl), std::abs(g.gap), 1.0})};
}

ScalarGaussian draw_q(Draw& draw) {
  const double mean = draw_signed(draw, "mean of q", 0.25, 3.0);
  return {mean, draw.show("variance of q", std::exp(draw_signed(draw, "log v", 0.25, 2.0)))};
}

DEFINES(elbo_gap, "elbo + gap = log p(x) to 1e-10, whatever q is") {
  const Linear m = draw_linear(draw);
  const ScalarGaussian q = draw_q(draw);
  const ElboGap got = ASK(elbo_gap, m.x, m.model(), q), right = gap_oracle(m, q);
  expect_near("elbo", got.elbo, right.elbo, gap_tolerance(right));
  expect_near("gap", got.gap, right.gap, gap_tolerance(right));
  expect_near("elbo + gap", got.elbo + got.gap, m.log_evidence(), gap_tolerance(right));
}

PROPERTY(elbo_gap, "splits the ELBO into reconstruction and KL(q || prior)") {
  const Linear m = draw_linear(draw);
  const ScalarGaussian q = draw_q(draw);
  const ElboGap got = ASK(elbo_gap, m.x, m.model(), q), right = gap_oracle(m, q);
  expect_near("reconstruction", got.reconstruction, right.reconstruction, gap_tolerance(right));
  expect_near("KL", got.kl, right.kl, gap_tolerance(right));
}

PROPERTY(elbo_gap, "stays exact for a q that is nearly a point") {
  const Linear m = draw_linear(draw);
  ScalarGaussian q = draw_q(draw);
  q.var = draw.show("variance of q, tiny", 1e-9 * q.var);
  const ElboGap got = ASK(elbo_gap, m.x, m.model(), q), right = gap_oracle(m, q);
  expect_near("elbo", got.elbo, right.elbo, gap_tolerance(right));
  expect_near("gap", got.gap, right.gap, gap_tolerance(right));
}

PROPERTY(elbo_gap, "rises from -3.585510 to -2.305038 while log p(x) falls") {
  const Tolerance digits{0.0, 6e-7, 0.0};
  const Linear before{1.7, 2.0, 0.5}, after{1.7, 3.5, 0.5};
  const ElboGap low = ASK(elbo_gap, 1.7, before.model(), ScalarGaussian{0.3, 0.4});
  expect_near("elbo for w 2, q = N(0.3, 0.4)", low.elbo, -3.585510, digits);
  expect_near("gap for w 2, q = N(0.3, 0.4)", low.gap, 1.593422, digits);
  const ElboGap tight = ASK(elbo_gap, 1.7, before.model(),
                            ScalarGaussian{before.posterior_mean(), before.posterior_var()});
  expect_near("elbo for w 2, exact q", tight.elbo, -1.992088, digits);
  expect_near("gap for w 2, exact q", tight.gap, 0.0, kDouble);
  const ElboGap high = ASK(elbo_gap, 1.7, after.model(),
                           ScalarGaussian{after.posterior_mean(), after.posterior_var()});
  expect_near("elbo for w 3.5, exact q", high.elbo, -2.305038, digits);
  expect_near("gap for w 3.5, exact q", high.gap, 0.0, kDouble);
}

PROPERTY(elbo_gap, "refuses a q whose variance is not above 0") {
  const Linear m = draw_linear(draw);
  const ScalarGaussian q = draw_q(draw);
  expect_refused(REPLY(elbo_gap, m.x, m.model(), ScalarGaussian{q.mean, 0.0}), "v is 0");
  expect_refused(REPLY(elbo_gap, m.x, m.model(), ScalarGaussian{q.mean, -q.var}), "v is negative");
}

PROPERTY(elbo_gap, "refuses a decoder variance that is not above 0") {
  const Linear m = draw_linear(draw);
  const ScalarGaussian q = draw_q(draw);
  expect_refused(REPLY(elbo_gap, m.x, LinearGaussian{m.w, 0.0}, q), "s2 is 0");
  expect_refused(REPLY(elbo_gap, m.x, LinearGaussian{m.w, -m.w * m.w / 2.0}, q), "s2 is negative");
}

/// What is wrong with a counter-example, or nothing.
std::string flaw_of(const BoundStep& step, double x, double var) {
  const Linear before{x, step.before.weight, var}, after{x, step.after.weight, var};
  for (const BoundState* state : {&step.before, &step.after}) {
    if (!(state->q.var > 0.0) || !std::isfinite(state->q.var) || !std::isfinite(state->q.mean) ||
        !std::isfinite(state->weight)) {
      return "both states should have a finite w and a q with a variance above 0";
    }
  }
  const double rise = gap_oracle(after, step.after.q).elbo - gap_oracle(before, step.before.q).elbo;
  const double fall = before.log_evidence() - after.log_evidence();
  if (!(rise >= 0.1 - 1e-9)) {
    return "the ELBO should rise by at least 0.1, and rose by " + std::to_string(rise);
  }
  if (!(fall >= 0.1 - 1e-9)) {
    return "log p(x) should fall by at least 0.1, and fell by " + std::to_string(fall);
  }
  return "";
}

PROPERTY(elbo_gap, "counter-example: the ELBO rises and log p(x) falls") {
  const double x = draw.number("x", 4.0, 9.0), var = draw.number("s2", 0.25, 3.0);
  for (const double at : {x, -x}) {
    const std::string flaw = flaw_of(ASK(bound_counterexample, at, var), at, var);
    expect(flaw.empty(), flaw);
  }
}

PROPERTY(elbo_gap, "counter-example: there is one for x = 0 as well") {
  const double var = draw.number("s2", 0.25, 3.0);
  const std::string flaw = flaw_of(ASK(bound_counterexample, 0.0, var), 0.0, var);
  expect(flaw.empty(), flaw);
}

PROPERTY(elbo_gap, "counter-example: refuses a variance that is not above 0") {
  const double x = draw_signed(draw, "x", 0.25, 4.0);
  expect_refused(REPLY(bound_counterexample, x, 0.0), "s2 is 0");
  expect_refused(REPLY(bound_counterexample, x, -x * x / 2.0), "s2 is negative");
}

// ---- 3.7 kl_monte_carlo ------------------------------------------------------------------------

/// Points and weights with which a weighted sum over eps is the expectation under N(0, 1) for every
/// polynomial of degree up to 5.
struct Points {
  Matrix eps;  ///< One point per row.
  DoubleVector weight;

  Points(const std::vector<double>& points, const std::vector<double>& weights)
      : eps(static_cast<Index>(points.size()), 1), weight(eps.rows()) {
    for (std::size_t s = 0; s < points.size(); ++s) {
      eps(static_cast<Index>(s), 0) = static_cast<float>(points[s]);
      weight(static_cast<Index>(s)) = weights[s];
    }
  }

  /// Points that a float holds exactly.
  static Points five() { return {{-2, -1, 0, 1, 2}, {1 / 12.0, 1 / 6.0, 0.5, 1 / 6.0, 1 / 12.0}}; }

  /// Gauss-Hermite.
  static Points three() {
    return {{-std::sqrt(3.0), 0, std::sqrt(3.0)}, {1 / 6.0, 2 / 3.0, 1 / 6.0}};
  }

  double mean(const DoubleVector& sample) const {
    double sum = 0.0;
    for (Index s = 0; s < weight.size(); ++s) sum += weight(s) * sample(s);
    return sum;
  }

  double variance(const DoubleVector& sample) const {
    const double centre = mean(sample);
    double sum = 0.0;
    for (Index s = 0; s < weight.size(); ++s) {
      sum += weight(s) * (sample(s) - centre) * (sample(s) - centre);
    }
    return sum;
  }
};

/// Estimates per draw, with the tolerance for them.
struct Estimates {
  DoubleVector value;
  Tolerance tolerance{2e-6, 1e-6, 0.0};

  Estimates(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
    value = DoubleVector::Zero(eps.rows());
    for (Index s = 0; s < eps.rows(); ++s) {
      double size = 0.0;
      for (Index d = 0; d < eps.cols(); ++d) {
        const double e = eps(s, d), l = log_var(d), z = mu(d) + std::exp(l / 2.0) * e;
        value(s) += 0.5 * (z * z - e * e - l);
        size += 0.5 * (z * z + e * e + std::abs(l));
      }
      tolerance.scale = std::max(tolerance.scale, size);
    }
  }
};

/// Demands one number per draw before a property computes with them.
void require_per_draw(const DoubleVector& got, Index draws) {
  if (got.size() != draws) {
    throw Mismatch{{"expected one estimate per draw, " + std::to_string(draws) + ", got " +
                    std::to_string(got.size())}};
  }
}

DEFINES(kl_monte_carlo, "is (z^2 - eps^2 - l) / 2, summed over features, per draw") {
  const Index draws = draw.size("S", 1, 6), d = draw.size("D", 1, 5);
  RowVector mu = draw.row("direction of mu", d), log_var = draw.row("log_var before limits", d);
  for (Index i = 0; i < d; ++i) mu(i) += mu(i) < 0.0F ? -5.0F : 5.0F;
  log_var = log_var.cwiseMax(-1.0F).cwiseMin(1.0F);
  draw.show("mu", mu);
  draw.show("log_var", log_var);
  const Matrix eps = draw.matrix("eps before limits", draws, d).cwiseMax(-1.5F).cwiseMin(1.5F);
  draw.show("eps", eps);
  const Estimates right(mu, log_var, eps);
  expect_near("estimates", ASK(kl_monte_carlo, mu, log_var, eps), right.value, right.tolerance);
}

PROPERTY(kl_monte_carlo, "is negative where the prior likes the draw better") {
  const Index draws = draw.size("S", 1, 6), d = 1;
  const RowVector mu = draw.show("mu", RowVector(RowVector::Zero(d)));
  RowVector log_var = draw.row("width", d).cwiseAbs().cwiseMin(2.0F);
  log_var.array() += 0.5F;
  draw.show("log_var", log_var);
  const Matrix eps = draw.matrix("eps before limits", draws, d).cwiseMax(-0.25F).cwiseMin(0.25F);
  draw.show("eps", eps);
  const Estimates right(mu, log_var, eps);
  expect_near("estimates", ASK(kl_monte_carlo, mu, log_var, eps), right.value, right.tolerance);
}

PROPERTY(kl_monte_carlo, "averages to the KL, with the variance of the contract") {
  RowVector mu = draw.row("direction of mu", 1);
  mu(0) += mu(0) < 0.0F ? -6.0F : 6.0F;
  const RowVector log_var =
      draw.row("log_var before limits", 1, 0.5).cwiseMax(-0.5F).cwiseMin(0.5F);
  draw.show("mu", mu);
  draw.show("log_var", log_var);
  const Points points = Points::five();
  draw.show("eps", points.eps);
  const DoubleVector got = ASK(kl_monte_carlo, mu, log_var, points.eps);
  require_per_draw(got, 5);
  const double m2 = double(mu(0)) * mu(0), s2 = std::exp(double(log_var(0)));
  const double scale = got.cwiseAbs().maxCoeff() + 1.0;
  expect_near("weighted mean", points.mean(got), kl_oracle(mu(0), log_var(0)), {2e-6, 1e-6, scale});
  expect_near("weighted variance", points.variance(got), m2 * s2 + 0.5 * (s2 - 1.0) * (s2 - 1.0),
              {1e-5, 1e-6, scale * scale});
}

PROPERTY(kl_monte_carlo, "has variance 0.8208 around 5.629438 at mu 3, sigma 0.2") {
  const RowVector mu = draw.show("mu", RowVector(RowVector::Constant(1, 3.0F)));
  const auto l = static_cast<float>(2.0 * std::log(0.2));
  const RowVector log_var = draw.show("log_var", RowVector(RowVector::Constant(1, l)));
  const Points points = Points::three();
  const DoubleVector got = ASK(kl_monte_carlo, mu, log_var, points.eps);
  require_per_draw(got, 3);
  expect_near("weighted mean", points.mean(got), 5.629438, {0.0, 1e-5, 0.0});
  expect_near("weighted variance", points.variance(got), 0.8208, {0.0, 1e-5, 0.0});
}

PROPERTY(kl_monte_carlo, "gives no estimate for no draw") {
  const Index d = draw.size("D", 1, 5);
  const RowVector mu = draw.row("mu", d), log_var = draw.row("log_var", d);
  expect_near("estimates", ASK(kl_monte_carlo, mu, log_var, Matrix(0, d)), DoubleVector(0));
}

PROPERTY(kl_monte_carlo, "refuses mu and log_var of different sizes") {
  const Index draws = draw.size("S", 1, 6), d = draw.size("D", 1, 5);
  const RowVector mu = draw.row("mu", d);
  const Matrix eps = draw.matrix("eps", draws, d);
  expect_refused(REPLY(kl_monte_carlo, mu, draw.row("log_var", d + 1), eps),
                 "log_var has one number more than mu");
}

PROPERTY(kl_monte_carlo, "refuses noise for another number of features") {
  const Index draws = draw.size("S", 1, 6), d = draw.size("D", 1, 5);
  const RowVector mu = draw.row("mu", d), log_var = draw.row("log_var", d);
  expect_refused(REPLY(kl_monte_carlo, mu, log_var, draw.matrix("eps", draws, d + 1)),
                 "eps has one column more than mu");
}

// ---- 3.8 neg_elbo ------------------------------------------------------------------------------

/// A batch, its reconstruction and its q.
struct VaeCase {
  BatchSizes data, code;
  Matrix x, x_hat, mu, log_var;

  double error(Index n, Index d) const { return double(x_hat(n, d)) - double(x(n, d)); }

  double squared_error() const {
    return average(
        sum_features(data, [this](Index n, Index d) { return error(n, d) * error(n, d); }));
  }

  double reconstruction(double s2) const {
    return 0.5 * double(data.d) * (kLog2Pi + std::log(s2)) + squared_error() / (2.0 * s2);
  }

  double kl() const { return average(KlCase(code, mu, log_var).per_sample); }

  Tolerance tolerance(double s2) const {
    return {2e-5, 1e-6,
            double(data.d) * (2.0 + std::abs(std::log(s2))) + squared_error() / (2.0 * s2) +
                KlCase(code, mu, log_var).tolerance.scale};
  }
};

VaeCase draw_vae(Draw& draw) {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 6), latent = draw.size("Z", 1, 4);
  VaeCase c;
  c.data = {n, d};
  c.code = {n, latent};
  c.x = draw_batch(draw, "x", c.data);
  c.x_hat = draw_batch(draw, "x_hat", c.data, 0.75);
  c.mu = draw_batch(draw, "mu", c.code);
  c.log_var = draw_batch(draw, "log_var", c.code);
  return c;
}

double draw_decoder_var(Draw& draw) {
  return draw.number("decoder_var", 0.25, 2.0);
}

DEFINES(neg_elbo, "is the decoder's negative log-likelihood plus the KL") {
  const VaeCase c = draw_vae(draw);
  const double s2 = draw_decoder_var(draw);
  expect_near("total", ASK(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, s2).total,
              c.reconstruction(s2) + c.kl(), c.tolerance(s2));
}

PROPERTY(neg_elbo, "names both terms, each summed over features, averaged over N") {
  const VaeCase c = draw_vae(draw);
  const double s2 = draw_decoder_var(draw);
  const NegElbo got = ASK(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, s2);
  expect_near("reconstruction", got.reconstruction, c.reconstruction(s2), c.tolerance(s2));
  expect_near("KL", got.kl, c.kl(), c.tolerance(s2));
}

PROPERTY(neg_elbo, "pulls x_hat by (x_hat - x) / (s2 N)") {
  const VaeCase c = draw_vae(draw);
  const double s2 = draw_decoder_var(draw);
  expect_near(
      "dx_hat", ASK(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, s2).x_hat,
      tabulate(c.data, [&](Index n, Index d) { return c.error(n, d) / s2 / double(c.data.n); }),
      kElementwise);
}

PROPERTY(neg_elbo, "pulls mu by mu / N: the KL's gradient, whatever s2") {
  const VaeCase c = draw_vae(draw);
  const double s2 = draw_decoder_var(draw);
  expect_near("dmu", ASK(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, s2).mu,
              tabulate(c.code, [&](Index n, Index d) { return c.mu(n, d) / double(c.code.n); }),
              kElementwise);
}

PROPERTY(neg_elbo, "moves log_var by (e^l - 1) / 2N") {
  const VaeCase c = draw_vae(draw);
  const double s2 = draw_decoder_var(draw);
  expect_near("dlog_var", ASK(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, s2).log_var,
              tabulate(c.code,
                       [&](Index n, Index d) {
                         return (std::exp(double(c.log_var(n, d))) - 1.0) / 2.0 / double(c.code.n);
                       }),
              kElementwise);
}

PROPERTY(neg_elbo, "times 2 s2 is SSE + beta KL + const where s2 = beta / 2") {
  const VaeCase c = draw_vae(draw);
  for (const double beta : {0.01, 0.1, 1.0, 5.0}) {
    const double s2 = beta / 2.0;
    const NegElbo got = ASK(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, s2);
    const double constant = s2 * double(c.data.d) * (kLog2Pi + std::log(s2));
    Tolerance tolerance = c.tolerance(s2);
    tolerance.scale *= 2.0 * s2;
    expect_near("2 s2 total - const, for beta = " + std::to_string(beta),
                2.0 * s2 * got.total - constant, c.squared_error() + beta * c.kl(), tolerance);
  }
}

PROPERTY(neg_elbo, "is 7.524720 for one sample of 8 features, s2 = 0.5") {
  Matrix x(1, 8), x_hat(1, 8), mu(1, 2), log_var(1, 2);
  x << 1, 0, -1, 2, 0.5F, -0.5F, 1.5F, -2;
  x_hat << 0.5F, 0.25F, -1, 1, 0.5F, 0, 1, -1.5F;
  mu << 1, -0.5F;
  log_var << -1, 0.5F;
  draw.show("x", x);
  draw.show("x_hat", x_hat);
  draw.show("mu", mu);
  draw.show("log_var", log_var);
  expect_near("total", ASK(neg_elbo, x, x_hat, mu, log_var, 0.5).total, 7.524720, {2e-6, 0.0, 0.0});
}

PROPERTY(neg_elbo, "refuses an x_hat or a log_var of another shape") {
  const VaeCase c = draw_vae(draw);
  const Index n = c.data.n;
  expect_refused(
      REPLY(neg_elbo, c.x, draw.matrix("x_hat, longer", n + 1, c.data.d), c.mu, c.log_var, 1.0),
      "x_hat has one row more than x");
  expect_refused(
      REPLY(neg_elbo, c.x, draw.matrix("x_hat, wider", n, c.data.d + 1), c.mu, c.log_var, 1.0),
      "x_hat has one column more than x");
  expect_refused(
      REPLY(neg_elbo, c.x, c.x_hat, c.mu, draw.matrix("log_var, longer", n + 1, c.code.d), 1.0),
      "log_var has one row more than mu");
  expect_refused(
      REPLY(neg_elbo, c.x, c.x_hat, c.mu, draw.matrix("log_var, wider", n, c.code.d + 1), 1.0),
      "log_var has one column more than mu");
}

PROPERTY(neg_elbo, "refuses a q for another number of samples") {
  const VaeCase c = draw_vae(draw);
  const Matrix mu = draw.matrix("mu, longer", c.data.n + 1, c.code.d);
  const Matrix log_var = draw.matrix("log_var, longer", c.data.n + 1, c.code.d);
  expect_refused(REPLY(neg_elbo, c.x, c.x_hat, mu, log_var, 1.0),
                 "mu and log_var have one row more than x");
}

PROPERTY(neg_elbo, "refuses a decoder variance that is not above 0") {
  const VaeCase c = draw_vae(draw);
  const double negative = -draw.number("-decoder_var", 0.5, 2.0);
  expect_refused(REPLY(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, 0.0), "decoder_var is 0");
  expect_refused(REPLY(neg_elbo, c.x, c.x_hat, c.mu, c.log_var, negative),
                 "decoder_var is negative");
}

PROPERTY(neg_elbo, "refuses data or codes without elements") {
  const VaeCase c = draw_vae(draw);
  const Matrix no_data(c.data.n, 0), no_code(c.data.n, 0);
  expect_refused(REPLY(neg_elbo, no_data, no_data, c.mu, c.log_var, 1.0), "x has no feature");
  expect_refused(REPLY(neg_elbo, c.x, c.x_hat, no_code, no_code, 1.0), "mu has no feature");
  expect_refused(REPLY(neg_elbo, Matrix(0, c.data.d), Matrix(0, c.data.d), Matrix(0, c.code.d),
                       Matrix(0, c.code.d), 1.0),
                 "there is no sample");
}

// ---- 3.9 iwae_bound ----------------------------------------------------------------------------

/// log of the mean of e^a, with the largest taken out.
double log_mean_exp(const std::vector<double>& a) {
  double highest = -kInfinity, sum = 0.0;
  for (const double one : a) highest = std::max(highest, one);
  if (highest == -kInfinity) return highest;
  for (const double one : a) sum += std::exp(one - highest);
  return highest + std::log(sum / static_cast<double>(a.size()));
}

std::vector<double> to_vector(const DoubleVector& a) {
  return {a.data(), a.data() + a.size()};
}

/// Log-weights, all different.
DoubleVector draw_log_weights(Draw& draw, Index draws, double scale = 1.5) {
  DoubleVector a = draw.doubles("a before spreading", draws, scale);
  for (Index s = 0; s < draws; ++s) a(s) += 0.01 * static_cast<double>(s);
  return a;
}

DEFINES(iwae_bound, "is the log of the mean weight") {
  DoubleVector a = draw_log_weights(draw, draw.size("S", 1, 6));
  a.array() -= a.maxCoeff() + 0.5;
  draw.show("log_weights", a);
  expect_near("bound", ASK(iwae_bound, a), log_mean_exp(to_vector(a)), kDouble);
}

PROPERTY(iwae_bound, "does not underflow where all log-weights are near -1000") {
  DoubleVector a = draw_log_weights(draw, draw.size("S", 1, 6));
  a.array() -= 1000.0;
  draw.show("log_weights", a);
  expect_near("bound", ASK(iwae_bound, a), log_mean_exp(to_vector(a)), kDouble);
}

PROPERTY(iwae_bound, "may exceed 0 and does not overflow at 1000") {
  DoubleVector a = draw_log_weights(draw, draw.size("S", 1, 6));
  a.array() -= a.maxCoeff();
  for (const double up : {2.0, 1000.0}) {
    const DoubleVector moved = draw.show("log_weights", DoubleVector(a.array() + up));
    expect_near("bound", ASK(iwae_bound, moved), log_mean_exp(to_vector(moved)), kDouble);
  }
}

PROPERTY(iwae_bound, "counts a draw of weight 0 among the S") {
  const Index draws = draw.size("S", 2, 6);
  DoubleVector a = draw_log_weights(draw, draws);
  a.array() -= a.maxCoeff() + 0.5;
  const Index lost = draw.integer("lost", 0, draws - 1);
  a(lost) = -kInfinity;
  draw.show("log_weights", a);
  expect_near("bound", ASK(iwae_bound, a), log_mean_exp(to_vector(a)), kDouble);
}

PROPERTY(iwae_bound, "is -infinity, not NaN, if all weights are 0") {
  const Index draws = draw.size("S", 1, 6);
  const DoubleVector a =
      draw.show("log_weights", DoubleVector(DoubleVector::Constant(draws, -kInfinity)));
  expect_near("bound", ASK(iwae_bound, a), -kInfinity);
}

/// A discrete proposal, all of whose S-tuples can be listed. No weight exceeds 1/2.
struct Proposal {
  DoubleVector q, log_weight;
  double log_evidence = 0.0;

  /// E[bound(z_1, ..., z_S)] over independent draws from q.
  double expectation(Index draws,
                     const std::function<double(const std::vector<double>&)>& bound) const {
    Index tuples = 1;
    for (Index s = 0; s < draws; ++s) tuples *= q.size();
    double sum = 0.0;
    for (Index t = 0; t < tuples; ++t) {
      double probability = 1.0;
      std::vector<double> a;
      for (Index s = 0, rest = t; s < draws; ++s, rest /= q.size()) {
        probability *= q(rest % q.size());
        a.push_back(log_weight(rest % q.size()));
      }
      sum += probability * bound(a);
    }
    return sum;
  }
};

Proposal draw_proposal(Draw& draw) {
  const Index states = draw.size("K", 2, 3);
  Discrete m;
  m.prior = normalised(draw_weights(draw, states));
  m.likelihood = draw_weights(draw, states);
  m.q = normalised(draw_weights(draw, states));
  double largest = 0.0;
  for (Index z = 0; z < states; ++z) largest = std::max(largest, m.joint(z) / m.q(z));
  m.likelihood *= 0.5 / largest;
  shown(draw, m);
  Proposal p{m.q, DoubleVector(states), std::log(m.evidence())};
  for (Index z = 0; z < states; ++z) p.log_weight(z) = std::log(m.joint(z) / m.q(z));
  return p;
}

PROPERTY(iwae_bound, "in expectation rises with S and stays below log p(x)") {
  const Proposal p = draw_proposal(draw);
  double last = -kInfinity;
  for (Index draws = 1; draws <= 3; ++draws) {
    const double got = p.expectation(draws, [this](const std::vector<double>& a) {
      return ASK(iwae_bound, DoubleVector(Eigen::Map<const DoubleVector>(
                                 a.data(), static_cast<Index>(a.size()))));
    });
    const std::string what = "expectation over all draws for S = " + std::to_string(draws);
    expect_near(what, got, p.expectation(draws, log_mean_exp), {1e-10, 1e-11, 0.0});
    expect(got >= last - 1e-10 && got <= p.log_evidence + 1e-10,
           "it should rise with S and stay below log p(x)");
    last = got;
  }
}

PROPERTY(iwae_bound, "refuses no weights at all") {
  expect_refused(REPLY(iwae_bound, DoubleVector(0)), "there is no draw");
}

}  // namespace
}  // namespace latent::grader

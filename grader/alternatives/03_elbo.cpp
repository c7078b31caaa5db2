// Right answers to lab 03 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "common/require.hpp"
#include "elbo.hpp"
#include "grader/judge/misconception.hpp"

namespace latent {

// ---- 3.1 kl_standard_normal --------------------------------------------------------------------

namespace double_arrays {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  if (mu.rows() != log_var.rows() || mu.cols() != log_var.cols() || mu.size() == 0) {
    throw std::invalid_argument("shapes");
  }
  using Array = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic>;
  const Array m = mu.cast<double>(), l = log_var.cast<double>();
  const Array growth = l.unaryExpr([](double x) { return std::expm1(x); });
  const auto samples = static_cast<double>(mu.rows());
  KlStandardNormal result;
  result.per_sample = 0.5 * (m.square() + growth - l).rowwise().sum();
  result.value = result.per_sample.sum() / samples;
  result.mu = (m / samples).cast<float>();
  result.log_var = (growth / (2.0 * samples)).cast<float>();
  return result;
}
}  // namespace double_arrays
ALTERNATIVE(double_arrays, kl_standard_normal)

namespace one_pass {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  require(shape_of(mu) == shape_of(log_var), "got " + shape_of(mu) + ", " + shape_of(log_var));
  require(mu.rows() > 0 && mu.cols() > 0, "no element");
  KlStandardNormal result{DoubleVector::Zero(mu.rows()), 0.0, mu, log_var};
  for (Index n = 0; n < mu.rows(); ++n) {
    for (Index d = 0; d < mu.cols(); ++d) {
      const double m = mu(n, d), l = log_var(n, d), kl = (m * m + std::exp(l) - 1.0 - l) / 2.0;
      result.per_sample(n) += kl;
      result.value += kl / static_cast<double>(mu.rows());
      result.mu(n, d) = static_cast<float>(m / static_cast<double>(mu.rows()));
      result.log_var(n, d) =
          static_cast<float>(std::expm1(l) / 2.0 / static_cast<double>(mu.rows()));
    }
  }
  return result;
}
}  // namespace one_pass
ALTERNATIVE(one_pass, kl_standard_normal)

namespace float_expm1 {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  require_size(mu.rows(), log_var.rows(), "rows of mu");
  require_size(mu.cols(), log_var.cols(), "columns of mu");
  require(mu.size() != 0, "no element");
  const Matrix growth = log_var.unaryExpr([](float x) { return std::expm1(x); });
  const Matrix each = 0.5F * (mu.cwiseAbs2() + (growth - log_var));
  const float share = 1.0F / static_cast<float>(mu.rows());
  const DoubleVector per_sample = each.rowwise().sum().cast<double>();
  return {per_sample, per_sample.mean(), share * mu, 0.5F * share * growth};
}
}  // namespace float_expm1
ALTERNATIVE(float_expm1, kl_standard_normal)

namespace series_near_zero {
double kl_standard_normal_1d(double mu, double log_var) {
  const double l = log_var;
  if (std::abs(l) > 1e-3) return (mu * mu + std::exp(l) - 1.0 - l) / 2.0;
  return mu * mu / 2.0 + l * l / 4.0 * (1.0 + l / 3.0 * (1.0 + l / 4.0 * (1.0 + l / 5.0)));
}
}  // namespace series_near_zero
ALTERNATIVE(series_near_zero, kl_standard_normal_1d)

namespace halves_apart {
double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * mu * mu + 0.5 * (std::expm1(log_var) - log_var);
}
}  // namespace halves_apart
ALTERNATIVE(halves_apart, kl_standard_normal_1d)

// ---- 3.2 kl_diag_gaussians ---------------------------------------------------------------------

namespace diag_one_pass {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  const std::string shape = shape_of(mu1);
  require(shape_of(log_var1) == shape && shape_of(mu2) == shape && shape_of(log_var2) == shape,
          "expected " + shape + " four times");
  require(mu1.size() > 0, "no element");
  const auto samples = static_cast<double>(mu1.rows());
  KlDiagGaussians r{DoubleVector::Zero(mu1.rows()), 0.0, mu1, mu1, mu1, mu1};
  for (Index n = 0; n < mu1.rows(); ++n) {
    for (Index d = 0; d < mu1.cols(); ++d) {
      const double l1 = log_var1(n, d), l2 = log_var2(n, d), v1 = std::exp(l1), v2 = std::exp(l2);
      const double away = (double(mu1(n, d)) - double(mu2(n, d))) / v2;
      r.per_sample(n) += 0.5 * (l2 - l1 - 1.0 + v1 / v2 + away * away * v2);
      r.mu1(n, d) = static_cast<float>(away / samples);
      r.mu2(n, d) = static_cast<float>(-away / samples);
      r.log_var1(n, d) = static_cast<float>((v1 / v2 - 1.0) / 2.0 / samples);
      r.log_var2(n, d) = static_cast<float>((1.0 - v1 / v2 - away * away * v2) / 2.0 / samples);
    }
  }
  r.value = r.per_sample.sum() / samples;
  return r;
}
}  // namespace diag_one_pass
ALTERNATIVE(diag_one_pass, kl_diag_gaussians)

namespace diag_arrays {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  for (const Matrix* other : {&log_var1, &mu2, &log_var2}) {
    if (other->rows() != mu1.rows() || other->cols() != mu1.cols()) {
      throw std::invalid_argument("shapes");
    }
  }
  if (mu1.size() == 0) throw std::invalid_argument("empty");
  const Eigen::ArrayXXd l1 = log_var1.cast<double>(), l2 = log_var2.cast<double>();
  const Eigen::ArrayXXd away = mu1.cast<double>() - mu2.cast<double>();
  const Eigen::ArrayXXd ratio = (l1 - l2).exp(), squares = away.square() / l2.exp();
  const double n = static_cast<double>(mu1.rows());
  const DoubleVector kl = 0.5 * (ratio + squares - 1.0 - (l1 - l2)).rowwise().sum();
  const Eigen::ArrayXXd pull = away / l2.exp() / n, width = (ratio - 1.0) / (2.0 * n);
  return {kl,
          kl.mean(),
          pull.cast<float>(),
          width.cast<float>(),
          (-pull).cast<float>(),
          (-width - squares / (2.0 * n)).cast<float>()};
}
}  // namespace diag_arrays
ALTERNATIVE(diag_arrays, kl_diag_gaussians)

namespace diag_by_standardising {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  for (const Matrix* other : {&log_var1, &mu2, &log_var2}) {
    require_size(other->rows(), mu1.rows(), "rows");
    require_size(other->cols(), mu1.cols(), "columns");
  }
  // In units of the second Gaussian, the second is N(0, 1): 3.1 does the rest.
  const Matrix precision = (-0.5F * log_var2.array()).exp();
  const Matrix away = (mu1 - mu2).cwiseProduct(precision);
  const KlStandardNormal kl = latent::kl_standard_normal(away, log_var1 - log_var2);
  const Matrix pull = kl.mu.cwiseProduct(precision);
  return {kl.per_sample, kl.value, pull,
          kl.log_var,    -pull,    -kl.log_var - 0.5F * kl.mu.cwiseProduct(away)};
}
}  // namespace diag_by_standardising
ALTERNATIVE(diag_by_standardising, kl_diag_gaussians)

// ---- 3.3 gaussian_nll --------------------------------------------------------------------------

namespace nll_arrays {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  if (shape_of(x) != shape_of(mean) || shape_of(x) != shape_of(log_var) || x.size() == 0) {
    throw std::invalid_argument("shapes");
  }
  const Eigen::ArrayXXd away = mean.cast<double>() - x.cast<double>(), l = log_var.cast<double>();
  const Eigen::ArrayXXd pull = away / l.exp();
  const auto n = static_cast<double>(x.rows());
  GaussianNll r;
  r.per_sample = 0.5 * (std::log(2.0 * std::numbers::pi) + l + away * pull).rowwise().sum();
  r.value = r.per_sample.sum() / n;
  r.mean = (pull / n).cast<float>();
  r.log_var = ((1.0 - away * pull) / (2.0 * n)).cast<float>();
  return r;
}
}  // namespace nll_arrays
ALTERNATIVE(nll_arrays, gaussian_nll)

namespace nll_float {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  for (const Matrix* other : {&mean, &log_var}) {
    require(other->rows() == x.rows() && other->cols() == x.cols(), "shapes differ");
  }
  require(x.size() > 0, "no element");
  const float log_two_pi = std::log(2.0F * std::numbers::pi_v<float>);
  const Matrix sigma = (0.5F * log_var.array()).exp();
  const Matrix standardised = (x - mean).cwiseQuotient(sigma);
  const Matrix each = 0.5F * (standardised.array().square() + log_var.array() + log_two_pi);
  const DoubleVector nll = each.cast<double>().rowwise().sum();
  const float share = 1.0F / static_cast<float>(x.rows());
  return {nll, nll.mean(), -share * standardised.cwiseQuotient(sigma),
          0.5F * share * (1.0F - standardised.array().square())};
}
}  // namespace nll_float
ALTERNATIVE(nll_float, gaussian_nll)

namespace nll_log_of_density_parts {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  require_size(mean.rows(), x.rows(), "rows of mean");
  require_size(mean.cols(), x.cols(), "columns of mean");
  require_size(log_var.rows(), x.rows(), "rows of log_var");
  require_size(log_var.cols(), x.cols(), "columns of log_var");
  require(x.rows() >= 1 && x.cols() >= 1, "no element");
  GaussianNll r{DoubleVector::Zero(x.rows()), 0.0, x, x};
  for (Index i = 0; i < x.size(); ++i) {
    const double var = std::exp(static_cast<double>(log_var.data()[i]));
    const double away = static_cast<double>(x.data()[i]) - mean.data()[i];
    const double n = static_cast<double>(x.rows()), squares = away * away / var;
    r.per_sample(i / x.cols()) += std::log(std::sqrt(2.0 * std::numbers::pi * var)) + squares / 2.0;
    r.mean.data()[i] = static_cast<float>(-away / var / n);
    r.log_var.data()[i] = static_cast<float>(0.5 / n - 0.5 * squares / n);
  }
  r.value = r.per_sample.mean();
  return r;
}
}  // namespace nll_log_of_density_parts
ALTERNATIVE(nll_log_of_density_parts, gaussian_nll)

// ---- 3.4 jensen_chain --------------------------------------------------------------------------

namespace chain_logs_first {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  if (prior.size() != likelihood.size() || prior.size() != q.size() || prior.size() == 0) {
    throw std::invalid_argument("sizes");
  }
  for (const DoubleVector* weights : {&prior, &likelihood, &q}) {
    if (weights->minCoeff() < 0.0) throw std::invalid_argument("negative");
  }
  if (std::abs(prior.sum() - 1.0) > 1e-9 || std::abs(1.0 - q.sum()) > 1e-9) {
    throw std::invalid_argument("sum");
  }
  double evidence = 0.0, seen = 0.0, recon = 0.0, kl = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    evidence += prior(z) * likelihood(z);
    if (q(z) > 0.0) {
      seen += q(z) * (prior(z) * likelihood(z) / q(z));
      recon += q(z) * std::log(likelihood(z));
      kl += q(z) * (std::log(q(z)) - std::log(prior(z)));
    }
  }
  if (!(evidence > 0.0)) throw std::invalid_argument("p(x) is 0");
  const double elbo = recon - kl;
  return {std::log(evidence), std::log(seen), elbo, recon, kl, elbo, std::log(evidence) - elbo};
}
}  // namespace chain_logs_first
ALTERNATIVE(chain_logs_first, jensen_chain)

namespace chain_by_posterior {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  require_size(q.size(), prior.size(), "q");
  require_size(likelihood.size(), prior.size(), "likelihood");
  require((prior.array() >= 0).all() && (q.array() >= 0).all() && (likelihood.array() >= 0).all(),
          "a negative entry");
  require(std::abs(prior.sum() - 1.0) <= 1e-9 && std::abs(q.sum() - 1.0) <= 1e-9, "sums");
  const DoubleVector joint = prior.cwiseProduct(likelihood);
  const double evidence = joint.sum();
  require(evidence > 0.0, "p(x) is 0");
  const auto kl_from = [&q](const DoubleVector& p) {
    double sum = 0.0;
    for (Index z = 0; z < q.size(); ++z) sum += q(z) > 0.0 ? q(z) * std::log(q(z) / p(z)) : 0.0;
    return sum;
  };
  JensenChain c;
  c.log_evidence = std::log(evidence);
  c.log_mean_ratio = std::log((q.array() > 0.0).select(joint.array(), 0.0).sum());
  c.mean_log_ratio = -kl_from(joint);
  c.kl = kl_from(prior);
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) != 0.0) c.reconstruction += q(z) * std::log(likelihood(z));
  }
  c.split = c.reconstruction - c.kl;
  c.gap = kl_from(joint / evidence);
  return c;
}
}  // namespace chain_by_posterior
ALTERNATIVE(chain_by_posterior, jensen_chain)

namespace chain_support_first {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  require(prior.size() == q.size() && prior.size() == likelihood.size(), "sizes");
  std::vector<Index> support;
  double evidence = 0.0, prior_sum = 0.0, q_sum = 0.0;
  for (Index z = 0; z < prior.size(); ++z) {
    require(prior(z) >= 0.0 && likelihood(z) >= 0.0 && q(z) >= 0.0, "negative");
    prior_sum += prior(z);
    q_sum += q(z);
    evidence += prior(z) * likelihood(z);
    if (q(z) > 0.0) support.push_back(z);
  }
  require(std::abs(prior_sum - 1.0) <= 1e-9 && std::abs(q_sum - 1.0) <= 1e-9, "sums");
  require(evidence > 0.0, "p(x) is 0");
  JensenChain c;
  c.log_evidence = std::log(evidence);
  for (const Index z : support) {
    c.log_mean_ratio += prior(z) * likelihood(z);
    c.reconstruction += std::log(likelihood(z)) * q(z);
    c.kl -= std::log(prior(z) / q(z)) * q(z);
    c.mean_log_ratio += std::log(prior(z) * likelihood(z) / q(z)) * q(z);
  }
  c.log_mean_ratio = std::log(c.log_mean_ratio);
  c.split = c.reconstruction - c.kl;
  c.gap = c.log_evidence - c.mean_log_ratio;
  return c;
}
}  // namespace chain_support_first
ALTERNATIVE(chain_support_first, jensen_chain)

// ---- 3.5 linear_gaussian_evidence --------------------------------------------------------------

namespace linear_precisions {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  if (!(model.var > 0.0)) throw std::invalid_argument("var");
  const double precision = 1.0 + model.weight * model.weight / model.var;
  const double mean = model.weight * x / model.var / precision;
  const double total = model.var * precision;
  return {-0.5 * std::log(2.0 * std::numbers::pi) - 0.5 * std::log(total) - x * x / (2.0 * total),
          {mean, 1.0 / precision}};
}
}  // namespace linear_precisions
ALTERNATIVE(linear_precisions, linear_gaussian_evidence)

namespace linear_by_deviation {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  require(model.var > 0.0, "var must be above 0");
  const double deviation = std::hypot(model.weight, std::sqrt(model.var));
  const double standardised = x / deviation;
  LinearGaussianEvidence result;
  result.log_evidence = -0.5 * standardised * standardised - std::log(deviation) -
                        std::log(std::sqrt(2.0 * std::numbers::pi));
  result.posterior.mean = standardised * model.weight / deviation;
  result.posterior.var = model.var / deviation / deviation;
  return result;
}
}  // namespace linear_by_deviation
ALTERNATIVE(linear_by_deviation, linear_gaussian_evidence)

namespace linear_by_bayes {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  require(model.var > 0.0, "var must be above 0");
  const double total = model.var + model.weight * model.weight;
  const ScalarGaussian posterior{x * model.weight / total, model.var / total};
  // log p(x) = log p(x|z) + log p(z) - log p(z|x), for any z: here for the posterior's mean.
  const double z = posterior.mean, miss = x - model.weight * z;
  const double log_joint = -0.5 * (miss * miss / model.var + std::log(model.var) + z * z) -
                           std::log(2.0 * std::numbers::pi);
  const double log_posterior = -0.5 * std::log(2.0 * std::numbers::pi * posterior.var);
  return {log_joint - log_posterior, posterior};
}
}  // namespace linear_by_bayes
ALTERNATIVE(linear_by_bayes, linear_gaussian_evidence)

// ---- 3.6 elbo_gap ------------------------------------------------------------------------------

namespace gap_by_subtraction {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  require(q.var > 0.0, "the variance of q must be above 0");
  const double evidence = linear_gaussian_evidence(x, model).log_evidence, w = model.weight;
  const double second_moment = q.mean * q.mean + q.var;
  const double error = x * x - 2.0 * x * w * q.mean + w * w * second_moment;
  ElboGap result;
  result.reconstruction =
      -0.5 * std::log(2.0 * std::numbers::pi * model.var) - error / (2.0 * model.var);
  result.kl = 0.5 * (second_moment - 1.0 - std::log(q.var));
  result.elbo = result.reconstruction - result.kl;
  result.gap = evidence - result.elbo;
  return result;
}
}  // namespace gap_by_subtraction
ALTERNATIVE(gap_by_subtraction, elbo_gap)

namespace gap_helper {
double kl_between(double m1, double v1, double m2, double v2) {
  return 0.5 * (std::log(v2) - std::log(v1) + (v1 + (m1 - m2) * (m1 - m2)) / v2 - 1.0);
}
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  if (!(q.var > 0.0)) throw std::invalid_argument("q");
  const ScalarGaussian post = linear_gaussian_evidence(x, model).posterior;
  const double miss = model.weight * q.mean - x, kl = kl_between(q.mean, q.var, 0.0, 1.0);
  const double recon = -0.5 * (std::log(2.0 * std::numbers::pi) + std::log(model.var)) -
                       0.5 * (miss * miss + model.weight * q.var * model.weight) / model.var;
  return {recon, kl, recon - kl, kl_between(q.mean, q.var, post.mean, post.var)};
}
}  // namespace gap_helper
ALTERNATIVE(gap_helper, elbo_gap)

namespace gap_standardised {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  require(q.var > 0.0, "the variance of q must be above 0");
  const ScalarGaussian p = linear_gaussian_evidence(x, model).posterior;
  const double kl = kl_standard_normal_1d(q.mean, std::log(q.var));
  const double gap =
      kl_standard_normal_1d((q.mean - p.mean) / std::sqrt(p.var), std::log(q.var / p.var));
  const double miss = x - model.weight * q.mean;
  const double recon =
      -std::log(std::sqrt(2.0 * std::numbers::pi * model.var)) -
      0.5 * (miss * miss / model.var + model.weight * model.weight / model.var * q.var);
  return {recon, kl, recon - kl, gap};
}
}  // namespace gap_standardised
ALTERNATIVE(gap_standardised, elbo_gap)

namespace step_by_scale {
BoundStep bound_counterexample(double x, double var) {
  if (!(var > 0.0)) throw std::invalid_argument("var");
  const double scale = std::abs(x) + std::sqrt(var);
  const LinearGaussian good{scale, var}, poor{-30.0 * scale, var};
  return {{good.weight, {0.0, 1e-40}}, {poor.weight, linear_gaussian_evidence(x, poor).posterior}};
}
}  // namespace step_by_scale
ALTERNATIVE(step_by_scale, bound_counterexample)

namespace step_searched {
BoundStep bound_counterexample(double x, double var) {
  require(var > 0.0, "var must be above 0");
  const double best = linear_gaussian_evidence(x, {x, var}).log_evidence;
  double weight = std::abs(x) + 1e-3;
  while (best - linear_gaussian_evidence(x, {weight, var}).log_evidence < 0.5) weight *= 1.5;
  const LinearGaussianEvidence after = linear_gaussian_evidence(x, {weight, var});
  return {{x, {100.0, 1.0}}, {weight, after.posterior}};
}
}  // namespace step_searched
ALTERNATIVE(step_searched, bound_counterexample)

// ---- 3.7 kl_monte_carlo ------------------------------------------------------------------------

namespace mc_arrays {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  if (mu.size() != log_var.size() || mu.size() != eps.cols()) throw std::invalid_argument("sizes");
  const Eigen::ArrayXXd e = eps.cast<double>();
  const Eigen::ArrayXXd l = log_var.cast<double>().replicate(eps.rows(), 1);
  const Eigen::ArrayXXd z =
      mu.cast<double>().replicate(eps.rows(), 1).array() + (0.5 * l).exp() * e;
  return 0.5 * (z.square() - e.square() - l).rowwise().sum();
}
}  // namespace mc_arrays
ALTERNATIVE(mc_arrays, kl_monte_carlo)

namespace mc_two_densities {
double log_normal(double x, double mean, double var) {
  return -0.5 * (std::log(2.0 * std::numbers::pi * var) + (x - mean) * (x - mean) / var);
}
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  require(mu.size() == log_var.size() && mu.size() == eps.cols(), "sizes");
  DoubleVector result(eps.rows());
  for (Index s = 0; s < eps.rows(); ++s) {
    result(s) = 0.0;
    for (Index d = 0; d < mu.size(); ++d) {
      const double var = std::exp(static_cast<double>(log_var(d)));
      const double z = mu(d) + std::sqrt(var) * eps(s, d);
      result(s) += log_normal(z, mu(d), var) - log_normal(z, 0.0, 1.0);
    }
  }
  return result;
}
}  // namespace mc_two_densities
ALTERNATIVE(mc_two_densities, kl_monte_carlo)

namespace mc_expanded {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  require_size(mu.size(), log_var.size(), "size of mu");
  require_size(mu.size(), eps.cols(), "size of mu, against eps");
  // (mu + sigma eps)^2 - eps^2 = mu^2 + 2 mu sigma eps + (sigma^2 - 1) eps^2
  const Eigen::RowVectorXd m = mu.cast<double>(), l = log_var.cast<double>();
  const Eigen::RowVectorXd sigma = (0.5 * l.array()).exp();
  const Eigen::MatrixXd e = eps.cast<double>();
  const DoubleVector linear = e * m.cwiseProduct(sigma).transpose();
  const DoubleVector square =
      e.cwiseAbs2() * (sigma.cwiseAbs2().array() - 1.0).matrix().transpose();
  return (0.5 * (m.squaredNorm() - l.sum()) + linear.array() + 0.5 * square.array()).matrix();
}
}  // namespace mc_expanded
ALTERNATIVE(mc_expanded, kl_monte_carlo)

// ---- 3.8 neg_elbo ------------------------------------------------------------------------------

namespace neg_own_error {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0, "decoder_var must be above 0");
  require(shape_of(x) == shape_of(x_hat), "x_hat");
  require(x.size() > 0 && x.rows() == mu.rows(), "rows");
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const Matrix error = x_hat - x;
  const double samples = static_cast<double>(x.rows()), features = static_cast<double>(x.cols());
  NegElbo result;
  result.reconstruction = 0.5 * features * std::log(2.0 * std::numbers::pi * decoder_var) +
                          error.cast<double>().squaredNorm() / (2.0 * decoder_var * samples);
  result.kl = kl.value;
  result.total = result.reconstruction + result.kl;
  result.x_hat = error / static_cast<float>(decoder_var * samples);
  result.mu = kl.mu;
  result.log_var = kl.log_var;
  return result;
}
}  // namespace neg_own_error
ALTERNATIVE(neg_own_error, neg_elbo)

namespace neg_loops {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  if (!(decoder_var > 0.0) || x.rows() != x_hat.rows() || x.cols() != x_hat.cols() ||
      mu.rows() != log_var.rows() || mu.cols() != log_var.cols() || mu.rows() != x.rows() ||
      x.size() == 0 || mu.size() == 0) {
    throw std::invalid_argument("arguments that do not fit");
  }
  const auto share = 1.0 / static_cast<double>(x.rows());
  NegElbo r{0.0, 0.0, 0.0, x, mu, log_var};
  for (Index i = 0; i < x.size(); ++i) {
    const double error = static_cast<double>(x_hat.data()[i]) - x.data()[i];
    r.reconstruction +=
        share * 0.5 *
        (std::log(2.0 * std::numbers::pi * decoder_var) + error * error / decoder_var);
    r.x_hat.data()[i] = static_cast<float>(share * error / decoder_var);
  }
  for (Index i = 0; i < mu.size(); ++i) {
    const double m = mu.data()[i], l = log_var.data()[i];
    r.kl += share * kl_standard_normal_1d(m, l);
    r.mu.data()[i] = static_cast<float>(share * m);
    r.log_var.data()[i] = static_cast<float>(share * std::expm1(l) / 2.0);
  }
  r.total = r.kl + r.reconstruction;
  return r;
}
}  // namespace neg_loops
ALTERNATIVE(neg_loops, neg_elbo)

namespace neg_unit_variance {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(0.0 < decoder_var, "decoder_var must be above 0");
  require_size(x.rows(), mu.rows(), "rows of x");
  // In units of the decoder's deviation its variance is 1; the change of units costs log s each.
  const auto s = static_cast<float>(std::sqrt(decoder_var));
  const GaussianNll nll = gaussian_nll(x / s, x_hat / s, Matrix::Zero(x.rows(), x.cols()));
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const double units = 0.5 * static_cast<double>(x.cols()) * std::log(decoder_var);
  return {
      nll.value + units + kl.value, nll.value + units, kl.value, nll.mean / s, kl.mu, kl.log_var};
}
}  // namespace neg_unit_variance
ALTERNATIVE(neg_unit_variance, neg_elbo)

// ---- 3.9 iwae_bound ----------------------------------------------------------------------------

namespace iwae_log_add {
double iwae_bound(const DoubleVector& log_weights) {
  if (log_weights.size() == 0) throw std::invalid_argument("no weights");
  double total = -std::numeric_limits<double>::infinity();
  for (Index s = 0; s < log_weights.size(); ++s) {
    const double high = std::max(total, log_weights(s)), low = std::min(total, log_weights(s));
    if (std::isfinite(high)) total = high + std::log1p(std::exp(low - high));
  }
  return total - std::log(static_cast<double>(log_weights.size()));
}
}  // namespace iwae_log_add
ALTERNATIVE(iwae_log_add, iwae_bound)

namespace iwae_shifted_sum {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() >= 1, "at least one draw");
  double highest = log_weights(0), sum = 0.0;
  for (const double a : log_weights) highest = std::max(highest, a);
  if (std::isinf(highest)) return highest;
  for (const double a : log_weights) sum += std::exp(a - highest);
  return std::log(sum) + highest - std::log(static_cast<double>(log_weights.size()));
}
}  // namespace iwae_shifted_sum
ALTERNATIVE(iwae_shifted_sum, iwae_bound)

namespace iwae_streaming {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() != 0, "no weights");
  double shift = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (const double a : log_weights) {
    if (a == -std::numeric_limits<double>::infinity()) continue;
    if (a > shift) {
      sum = sum * std::exp(shift - a) + 1.0;
      shift = a;
    } else {
      sum += std::exp(a - shift);
    }
  }
  return sum == 0.0 ? shift : shift + std::log(sum / static_cast<double>(log_weights.size()));
}
}  // namespace iwae_streaming
ALTERNATIVE(iwae_streaming, iwae_bound)

}  // namespace latent

// Right answers to lab 02 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/random.hpp"
#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "reparameterization.hpp"

namespace latent {

// ---- 2.1 split_moments -------------------------------------------------------------------------

namespace flat_copies {
Moments split_moments(const Tensor4& moments) {
  if (moments.c() % 2 != 0) throw std::invalid_argument("odd");
  Tensor4 mean(moments.n(), moments.c() / 2, moments.h(), moments.w()), log_var = mean;
  const Index block = moments.n() == 0 ? 0 : mean.size() / moments.n();
  for (Index n = 0; n < moments.n(); ++n) {
    const float* from = moments.data() + 2 * n * block;
    std::copy_n(from, block, mean.data() + n * block);
    std::transform(from + block, from + 2 * block, log_var.data() + n * block, [](float x) {
      return x > 20.0F ? 20.0F : x < -30.0F ? -30.0F : x;
    });
  }
  return {mean, log_var};
}
}  // namespace flat_copies
ALTERNATIVE(flat_copies, split_moments)

namespace eigen_maps {
Moments split_moments(const Tensor4& moments) {
  require(moments.c() % 2 == 0, "channels come in pairs");
  Tensor4 mean(moments.n(), moments.c() / 2, moments.h(), moments.w()), log_var = mean;
  if (mean.size() == 0) return {mean, log_var};
  const Index block = mean.size() / moments.n();
  const Eigen::Map<const Matrix> whole(moments.data(), moments.n(), 2 * block);
  Eigen::Map<Matrix>(mean.data(), moments.n(), block) = whole.leftCols(block);
  Eigen::Map<Matrix>(log_var.data(), moments.n(), block) =
      whole.rightCols(block).cwiseMin(20.0F).cwiseMax(-30.0F);
  return {mean, log_var};
}
}  // namespace eigen_maps
ALTERNATIVE(eigen_maps, split_moments)

namespace both_halves_in_one_loop {
Moments split_moments(const Tensor4& moments) {
  const Index half = moments.c() / 2;
  require(2 * half == moments.c(), "expected 2C channels, got " + shape_of(moments));
  Tensor4 mean(moments.n(), half, moments.h(), moments.w()), log_var = mean;
  for (Index n = 0; n < moments.n(); ++n) {
    for (Index c = 0; c < moments.c(); ++c) {
      for (Index h = 0; h < moments.h(); ++h) {
        for (Index w = 0; w < moments.w(); ++w) {
          const float x = moments(n, c, h, w);
          if (c < half) mean(n, c, h, w) = x;
          if (c >= half) log_var(n, c - half, h, w) = std::max(-30.0F, std::min(20.0F, x));
        }
      }
    }
  }
  return {mean, log_var};
}
}  // namespace both_halves_in_one_loop
ALTERNATIVE(both_halves_in_one_loop, split_moments)

namespace compares_with_clamped {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  const bool fits = dmean.shape() == dlog_var.shape() && moments.n() == dmean.n() &&
                    moments.c() == 2 * dmean.c() && moments.h() == dmean.h() &&
                    moments.w() == dmean.w();
  if (!fits) throw std::invalid_argument("shapes");
  Tensor4 result = moments;
  for (Index n = 0; n < result.n(); ++n) {
    for (Index c = 0; c < result.c(); ++c) {
      for (Index h = 0; h < result.h(); ++h) {
        for (Index w = 0; w < result.w(); ++w) {
          float& x = result(n, c, h, w);
          const bool moved = x != std::clamp(x, -30.0F, 20.0F);
          if (c < dmean.c())
            x = dmean(n, c, h, w);
          else
            x = moved ? 0.0F : dlog_var(n, c - dmean.c(), h, w);
        }
      }
    }
  }
  return result;
}
}  // namespace compares_with_clamped
ALTERNATIVE(compares_with_clamped, split_moments_backward)

namespace flat_mask {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  require(dmean.shape() == dlog_var.shape(), "gradients differ in shape");
  require_size(moments.n(), dmean.n(), "samples");
  require_size(moments.c(), 2 * dmean.c(), "channels");
  require_size(moments.h(), dmean.h(), "rows");
  require_size(moments.w(), dmean.w(), "columns");
  Tensor4 result(moments.n(), moments.c(), moments.h(), moments.w());
  const Index block = dmean.c() * dmean.h() * dmean.w();
  for (Index i = 0; i < dmean.size(); ++i) {
    const Index mean_at = (i / block) * 2 * block + i % block, log_var_at = mean_at + block;
    const float raw = moments.data()[log_var_at];
    result.data()[mean_at] = dmean.data()[i];
    if (raw <= 20.0F && raw >= -30.0F) result.data()[log_var_at] = dlog_var.data()[i];
  }
  return result;
}
}  // namespace flat_mask
ALTERNATIVE(flat_mask, split_moments_backward)

// ---- 2.2 gaussian_heads ------------------------------------------------------------------------

namespace named_members {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  Gaussian result;
  result.log_var = linear_forward(hidden, heads.log_var.weight, heads.log_var.bias);
  result.mu = linear_forward(hidden, heads.mu.weight, heads.mu.bias);
  return result;
}
}  // namespace named_members
ALTERNATIVE(named_members, gaussian_heads)

namespace products_written_out {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  for (const Layer* layer : {&heads.mu, &heads.log_var}) {
    require_size(hidden.cols(), layer->weight.cols(), "features");
    require_size(layer->bias.size(), layer->weight.rows(), "bias");
  }
  Matrix mu = hidden * heads.mu.weight.transpose();
  Matrix log_var = hidden * heads.log_var.weight.transpose();
  mu.rowwise() += heads.mu.bias;
  log_var.rowwise() += heads.log_var.bias;
  return {mu, log_var};
}
}  // namespace products_written_out
ALTERNATIVE(products_written_out, gaussian_heads)

namespace one_wide_layer {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  const Index d = heads.mu.weight.rows();
  require_size(heads.log_var.weight.rows(), d, "rows of the log_var weight");
  require_size(heads.log_var.weight.cols(), heads.mu.weight.cols(), "columns of it");
  require_size(heads.mu.bias.size(), d, "size of the mu bias");
  require_size(heads.log_var.bias.size(), d, "size of the log_var bias");
  Matrix weight(2 * d, heads.mu.weight.cols());
  weight << heads.mu.weight, heads.log_var.weight;
  RowVector bias(2 * d);
  bias << heads.mu.bias, heads.log_var.bias;
  const Matrix both = linear_forward(hidden, weight, bias);
  return {both.leftCols(d), both.rightCols(d)};
}
}  // namespace one_wide_layer
ALTERNATIVE(one_wide_layer, gaussian_heads)

namespace accumulates {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  GaussianHeadsGradients result;
  result.hidden = Matrix::Zero(hidden.rows(), hidden.cols());
  const auto add = [&](const Matrix& dy, const Layer& layer, Layer& gradient) {
    const LinearGradients part = linear_backward(dy, hidden, layer.weight);
    result.hidden += part.x;
    gradient = {part.weight, part.bias};
  };
  add(dlog_var, heads.log_var, result.heads.log_var);
  add(dmu, heads.mu, result.heads.mu);
  return result;
}
}  // namespace accumulates
ALTERNATIVE(accumulates, gaussian_heads_backward)

namespace stacked {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  const Index d = heads.mu.weight.rows();
  require(dmu.rows() == hidden.rows() && dlog_var.rows() == hidden.rows(), "rows");
  require(dmu.cols() == d && dlog_var.cols() == heads.log_var.weight.rows(), "columns");
  require(heads.mu.weight.cols() == hidden.cols() && heads.log_var.weight.cols() == hidden.cols(),
          "features");
  Matrix dy(hidden.rows(), 2 * d), weight(2 * d, hidden.cols());
  dy << dmu, dlog_var;
  weight << heads.mu.weight, heads.log_var.weight;
  const Matrix dweight = dy.transpose() * hidden;
  const RowVector dbias = dy.colwise().sum();
  return {dy * weight,
          {{dweight.topRows(d), dbias.head(d)}, {dweight.bottomRows(d), dbias.tail(d)}}};
}
}  // namespace stacked
ALTERNATIVE(stacked, gaussian_heads_backward)

// ---- 2.3 std_from_logvar -----------------------------------------------------------------------

namespace root_of_exp {
Matrix std_from_logvar(const Matrix& log_var) {
  return log_var.array().exp().sqrt();
}
}  // namespace root_of_exp
ALTERNATIVE(root_of_exp, std_from_logvar)

namespace element_loop {
Matrix std_from_logvar(const Matrix& log_var) {
  Matrix sigma = log_var;
  for (Index n = 0; n < sigma.rows(); ++n) {
    for (Index d = 0; d < sigma.cols(); ++d) sigma(n, d) = std::exp(sigma(n, d) / 2);
  }
  return sigma;
}
}  // namespace element_loop
ALTERNATIVE(element_loop, std_from_logvar)

namespace element_loop {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  if (dstd.rows() != std.rows() || dstd.cols() != std.cols()) {
    throw std::invalid_argument("shapes");
  }
  Matrix result(std.rows(), std.cols());
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = dstd.data()[i] * std.data()[i] / 2;
  return result;
}
}  // namespace element_loop
ALTERNATIVE(element_loop, std_from_logvar_backward)

namespace double_inside {
Matrix std_from_logvar(const Matrix& log_var) {
  return (log_var.cast<double>().array() / 2.0).exp().cast<float>().matrix();
}
}  // namespace double_inside
ALTERNATIVE(double_inside, std_from_logvar)

namespace double_inside {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  require(shape_of(dstd) == shape_of(std), "got " + shape_of(dstd) + " and " + shape_of(std));
  return (0.5 * dstd.cast<double>().cwiseProduct(std.cast<double>())).cast<float>();
}
}  // namespace double_inside
ALTERNATIVE(double_inside, std_from_logvar_backward)

// ---- 2.4 reparameterize ------------------------------------------------------------------------

namespace sample_loop {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  require(shape_of(mu) == shape_of(log_var) && shape_of(mu) == shape_of(eps), "shapes differ");
  Matrix z = mu;
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) z(n, d) += std::exp(0.5F * log_var(n, d)) * eps(n, d);
  }
  return z;
}
}  // namespace sample_loop
ALTERNATIVE(sample_loop, reparameterize)

namespace calls_std {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  if (mu.rows() != eps.rows() || mu.cols() != eps.cols()) throw std::invalid_argument("eps");
  if (mu.rows() != log_var.rows() || mu.cols() != log_var.cols()) {
    throw std::invalid_argument("log_var");
  }
  return std_from_logvar(log_var).cwiseProduct(eps) + mu;
}
}  // namespace calls_std
ALTERNATIVE(calls_std, reparameterize)

namespace root_of_variance {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  for (const Matrix* other : {&log_var, &eps}) {
    require_size(other->rows(), mu.rows(), "rows");
    require_size(other->cols(), mu.cols(), "columns");
  }
  const Eigen::ArrayXXd variance = log_var.cast<double>().array().exp();
  return (mu.cast<double>().array() + variance.sqrt() * eps.cast<double>().array())
      .cast<float>()
      .matrix();
}
}  // namespace root_of_variance
ALTERNATIVE(root_of_variance, reparameterize)

// ---- 2.5 reparameterize_backward ---------------------------------------------------------------

namespace gradient_loop {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const std::string shape = shape_of(dz);
  if (shape_of(mu) != shape || shape_of(log_var) != shape || shape_of(eps) != shape) {
    throw std::invalid_argument("expected " + shape);
  }
  Gaussian result{dz, dz};
  for (Index i = 0; i < dz.size(); ++i) {
    const double sigma = std::exp(static_cast<double>(log_var.data()[i]) / 2.0);
    result.log_var.data()[i] = static_cast<float>(0.5 * dz.data()[i] * eps.data()[i] * sigma);
  }
  return result;
}
}  // namespace gradient_loop
ALTERNATIVE(gradient_loop, reparameterize_backward)

namespace through_z {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Matrix shift = reparameterize(Matrix::Zero(mu.rows(), mu.cols()), log_var, eps);
  require_size(dz.rows(), shift.rows(), "rows of dz");
  require_size(dz.cols(), shift.cols(), "columns of dz");
  return {dz, dz.cwiseProduct(shift) / 2};  // z - mu is sigma eps
}
}  // namespace through_z
ALTERNATIVE(through_z, reparameterize_backward)

namespace chained_backward {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  require(mu.rows() == dz.rows() && mu.cols() == dz.cols(), "mu");
  require(eps.rows() == dz.rows() && eps.cols() == dz.cols(), "eps");
  return {dz, std_from_logvar_backward(dz.cwiseProduct(eps), std_from_logvar(log_var))};
}
}  // namespace chained_backward
ALTERNATIVE(chained_backward, reparameterize_backward)

// ---- 2.6 gradient_estimators -------------------------------------------------------------------

namespace draws_loop {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  if (df.size() != eps.size()) throw std::invalid_argument("sizes");
  GradientSamples result{df, df};
  for (Index s = 0; s < eps.size(); ++s) result.sigma(s) *= eps(s);
  return result;
}
}  // namespace draws_loop
ALTERNATIVE(draws_loop, pathwise_gradient)

namespace draws_loop {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  if (f.size() != z.size()) throw std::invalid_argument("sizes");
  if (!(sigma > 0.0)) throw std::invalid_argument("sigma");
  GradientSamples result{f, f};
  for (Index s = 0; s < f.size(); ++s) {
    result.mu(s) *= (z(s) - mu) / (sigma * sigma);
    result.sigma(s) *= ((z(s) - mu) * (z(s) - mu) - sigma * sigma) / (sigma * sigma * sigma);
  }
  return result;
}
}  // namespace draws_loop
ALTERNATIVE(draws_loop, score_function_gradient)

namespace precision_times_distance {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  require_size(df.size(), eps.size(), "size of df");
  return {df, eps.asDiagonal() * df};
}
}  // namespace precision_times_distance
ALTERNATIVE(precision_times_distance, pathwise_gradient)

namespace precision_times_distance {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  require(f.size() == z.size(), "one f for each z");
  require(sigma > 0.0, "sigma must be above 0");
  const DoubleVector away = z.array() - mu;
  const double precision = std::pow(sigma, -2);
  const DoubleVector score = precision * away;
  return {f.cwiseProduct(score), f.array() * (sigma * score.array().square() - 1.0 / sigma)};
}
}  // namespace precision_times_distance
ALTERNATIVE(precision_times_distance, score_function_gradient)

namespace terms_apart {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  require_size(z.size(), f.size(), "size of z");
  require(0.0 < sigma, "sigma must be above 0");
  const DoubleVector eps = (z.array() - mu) / sigma;
  const DoubleVector weighted = f / sigma;
  return {weighted.array() * eps.array(),
          weighted.array() * eps.array().square() - weighted.array()};
}
}  // namespace terms_apart
ALTERNATIVE(terms_apart, score_function_gradient)

// ---- 2.7 sample_prior --------------------------------------------------------------------------

namespace prior_loop {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  if (samples < 0 || features < 1) throw std::invalid_argument("sizes");
  Random random(seed);
  Matrix z(samples, features);
  for (Index n = 0; n < samples; ++n) {
    for (Index d = 0; d < features; ++d) z(n, d) = static_cast<float>(random.normal());
  }
  return z;
}
}  // namespace prior_loop
ALTERNATIVE(prior_loop, sample_prior)

namespace row_after_row {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  require(samples > -1, "samples: expected 0 or more");
  require(features > 0, "features: expected 1 or more");
  Random random(seed, 0);
  Matrix z = Matrix::Zero(samples, features);
  for (Index n = 0; n < samples; ++n) z.row(n) = random.normal_matrix(1, features);
  return z;
}
}  // namespace row_after_row
ALTERNATIVE(row_after_row, sample_prior)

namespace buffer_first {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  require(samples >= 0 && features >= 1, "no such shape");
  Random random(seed);
  std::vector<float> numbers(static_cast<std::size_t>(samples * features));
  for (float& number : numbers) number = static_cast<float>(random.normal());
  return Eigen::Map<const Matrix>(numbers.data(), samples, features);
}
}  // namespace buffer_first
ALTERNATIVE(buffer_first, sample_prior)

// ---- 2.8 posterior -----------------------------------------------------------------------------

namespace mean_twice {
Matrix posterior_mode(const Posterior& posterior) {
  Matrix mode = posterior.mean;
  return mode;
}
}  // namespace mean_twice
ALTERNATIVE(mean_twice, posterior_mode)

namespace mean_twice {
Spread posterior_spread(const Posterior& posterior) {
  const Matrix std = std_from_logvar(posterior.log_var) * (posterior.deterministic ? 0.0F : 1.0F);
  return {std, std.cwiseAbs2()};
}
}  // namespace mean_twice
ALTERNATIVE(mean_twice, posterior_spread)

namespace mean_twice {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  require_size(eps.rows(), posterior.mean.rows(), "rows of eps");
  require_size(eps.cols(), posterior.mean.cols(), "columns of eps");
  return posterior.mean + latent::posterior_spread(posterior).std.cwiseProduct(eps);
}
}  // namespace mean_twice
ALTERNATIVE(mean_twice, posterior_sample)

namespace flag_first {
Matrix posterior_mode(const Posterior& posterior) {
  return reparameterize(posterior.mean, posterior.log_var, 0.0F * posterior.mean);
}
}  // namespace flag_first
ALTERNATIVE(flag_first, posterior_mode)

namespace flag_first {
Spread posterior_spread(const Posterior& posterior) {
  Spread spread;
  spread.std.setZero(posterior.mean.rows(), posterior.mean.cols());
  spread.var = spread.std;
  if (!posterior.deterministic) {
    spread.var = posterior.log_var.array().exp();
    spread.std = spread.var.cwiseSqrt();
  }
  return spread;
}
}  // namespace flag_first
ALTERNATIVE(flag_first, posterior_spread)

namespace flag_first {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  const Matrix z = reparameterize(posterior.mean, posterior.log_var, eps);
  return posterior.deterministic ? posterior.mean : z;
}
}  // namespace flag_first
ALTERNATIVE(flag_first, posterior_sample)

namespace posterior_loops {
Spread posterior_spread(const Posterior& posterior) {
  const Matrix& l = posterior.log_var;
  Spread spread{posterior.mean, posterior.mean};
  for (Index n = 0; n < l.rows(); ++n) {
    for (Index d = 0; d < l.cols(); ++d) {
      spread.std(n, d) = posterior.deterministic ? 0.0F : std::exp(l(n, d) / 2.0F);
      spread.var(n, d) = spread.std(n, d) * spread.std(n, d);
    }
  }
  return spread;
}
}  // namespace posterior_loops
ALTERNATIVE(posterior_loops, posterior_spread)

namespace posterior_loops {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  if (shape_of(eps) != shape_of(posterior.mean)) throw std::invalid_argument("eps");
  Matrix z = posterior.mean;
  if (posterior.deterministic) return z;
  for (Index i = 0; i < z.size(); ++i) {
    z.data()[i] += std::sqrt(std::exp(posterior.log_var.data()[i])) * eps.data()[i];
  }
  return z;
}
}  // namespace posterior_loops
ALTERNATIVE(posterior_loops, posterior_sample)

// ---- 2.9 sigma_parameterisations ---------------------------------------------------------------

namespace two_branches {
double softplus(double x) {
  return x > 0.0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
}  // namespace two_branches
ALTERNATIVE(two_branches, softplus)

namespace two_branches {
SigmaParameterisation exp_parameterisation(double sigma) {
  if (!(sigma > 0.0)) throw std::invalid_argument("sigma");
  SigmaParameterisation result;
  result.x = std::log(sigma) + std::log(sigma);
  result.dsigma_dx = 0.5 * std::exp(result.x / 2.0);
  result.dkl_dx = (std::exp(result.x) - 1.0) / 2.0;
  return result;
}
}  // namespace two_branches
ALTERNATIVE(two_branches, exp_parameterisation)

namespace two_branches {
SigmaParameterisation softplus_parameterisation(double sigma) {
  if (!(sigma > 0.0)) throw std::invalid_argument("sigma");
  const double x = sigma > 30.0 ? sigma : std::log(std::expm1(sigma));
  const double slope = 1.0 / (1.0 + std::exp(-x));
  return {x, slope, sigma * slope - slope / sigma};
}
}  // namespace two_branches
ALTERNATIVE(two_branches, softplus_parameterisation)

namespace factored {
double softplus(double x) {
  const double larger = x > 0.0 ? x : 0.0, smaller = x > 0.0 ? -x : x;
  return larger + std::log1p(std::exp(smaller));
}
}  // namespace factored
ALTERNATIVE(factored, softplus)

namespace factored {
SigmaParameterisation exp_parameterisation(double sigma) {
  require(sigma > 0.0, "sigma: expected above 0");
  return {std::log(sigma * sigma), sigma / 2.0, 0.5 * (sigma - 1.0) * (sigma + 1.0)};
}
}  // namespace factored
ALTERNATIVE(factored, exp_parameterisation)

namespace factored {
SigmaParameterisation softplus_parameterisation(double sigma) {
  require(sigma > 0.0, "sigma: expected above 0");
  const double slope = -std::expm1(-sigma), kl_slope = (sigma - 1.0) * (sigma + 1.0) / sigma;
  return {std::log(slope) + sigma, slope, kl_slope * slope};
}
}  // namespace factored
ALTERNATIVE(factored, softplus_parameterisation)

namespace long_double_inside {
double softplus(double x) {
  const long double wide = x;
  const long double rest = std::log1p(std::exp(-std::abs(wide)));
  return static_cast<double>(rest + (wide > 0.0L ? wide : 0.0L));
}
}  // namespace long_double_inside
ALTERNATIVE(long_double_inside, softplus)

}  // namespace latent

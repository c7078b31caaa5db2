// Hidden properties of lab 02. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "grader/judge/property.hpp"
#include "reparameterization.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

/// A matrix in which element (n, d) is f(n, d), in double precision.
Oracle tabulate(Index rows, Index cols, const std::function<double(Index, Index)>& f) {
  Oracle table(rows, cols);
  for (Index n = 0; n < rows; ++n) {
    for (Index d = 0; d < cols; ++d) table(n, d) = f(n, d);
  }
  return table;
}

double sigma_of(double log_var) {
  return std::exp(log_var / 2.0);
}

/// exp and one or two products: a few units in the last place of the largest element.
constexpr Tolerance kElementwise{2e-5, 1e-6, 0.0};

/// The same where every element is tiny, so that an absolute part would accept zeros.
constexpr Tolerance kRelativeOnly{2e-5, 0.0, 0.0};

/// What the contract promises in double precision down to numbers such as 4e-18.
constexpr Tolerance kDoubleRelative{1e-10, 0.0, 0.0};

// ---- 2.1 split_moments -------------------------------------------------------------------------

/// The oracle's halves: `offset` is 0 for the mean and C for log_var, with the limits to clamp to.
Tensor4 half_of(const Tensor4& moments, Index offset, float low, float high) {
  Tensor4 half(moments.n(), moments.c() / 2, moments.h(), moments.w());
  for (Index n = 0; n < half.n(); ++n) {
    for (Index c = 0; c < half.c(); ++c) {
      for (Index h = 0; h < half.h(); ++h) {
        for (Index w = 0; w < half.w(); ++w) {
          half(n, c, h, w) = std::min(high, std::max(low, moments(n, offset + c, h, w)));
        }
      }
    }
  }
  return half;
}

Tensor4 mean_of(const Tensor4& moments) {
  return half_of(moments, 0, -1e30F, 1e30F);
}

Tensor4 log_var_of(const Tensor4& moments) {
  return half_of(moments, moments.c() / 2, -30.0F, 20.0F);
}

/// Two halves side by side along the channels.
Tensor4 join(const Tensor4& first, const Tensor4& second) {
  Tensor4 whole(first.n(), 2 * first.c(), first.h(), first.w());
  for (Index n = 0; n < first.n(); ++n) {
    for (Index c = 0; c < first.c(); ++c) {
      for (Index h = 0; h < first.h(); ++h) {
        for (Index w = 0; w < first.w(); ++w) {
          whole(n, c, h, w) = first(n, c, h, w);
          whole(n, first.c() + c, h, w) = second(n, c, h, w);
        }
      }
    }
  }
  return whole;
}

/// f of every element.
Tensor4 map(Tensor4 x, const std::function<float(float)>& f) {
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = f(x.data()[i]);
  return x;
}

Tensor4 within_limits(const Tensor4& x) {
  return map(x, [](float v) { return std::clamp(v, -8.0F, 8.0F); });
}

/// The sizes N, C, H, W of one half.
struct HalfSizes {
  Index n, c, h, w;
};

HalfSizes half_sizes(Draw& draw) {
  const Index n = draw.size("N", 1, 4), c = draw.size("C", 1, 5);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  return {n, c, h, w};
}

/// One half, element by element.
template <typename F>
Tensor4 fill(const HalfSizes& s, const F& f) {
  Tensor4 half(s.n, s.c, s.h, s.w);
  for (Index n = 0; n < s.n; ++n) {
    for (Index c = 0; c < s.c; ++c) {
      for (Index h = 0; h < s.h; ++h) {
        for (Index w = 0; w < s.w; ++w) half(n, c, h, w) = f(n, c, h, w);
      }
    }
  }
  return half;
}

Tensor4 draw_half(Draw& draw, const std::string& name, const HalfSizes& s, double scale = 1.0) {
  return draw.tensor(name, s.n, s.c, s.h, s.w, scale);
}

DEFINES(split_moments, "gives the first C channels as mean, the last C as log_var") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 moments = within_limits(draw.tensor("moments", s.n, 2 * s.c, s.h, s.w, 2.0));
  const Moments got = ASK(split_moments, moments);
  expect_equal("mean", got.mean, mean_of(moments));
  expect_equal("log_var", got.log_var, log_var_of(moments));
}

PROPERTY(split_moments, "cuts log_var off above 20") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 mean = within_limits(draw_half(draw, "mean half", s));
  Tensor4 raw = map(draw_half(draw, "excess over 20", s, 4.0), [](float v) { return 20.0F + v; });
  raw(0, 0, 0, 0) = 100.0F;
  expect_equal("log_var", ASK(split_moments, draw.show("moments", join(mean, raw))).log_var,
               log_var_of(join(mean, raw)));
}

PROPERTY(split_moments, "cuts log_var off below -30") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 mean = within_limits(draw_half(draw, "mean half", s));
  Tensor4 raw = map(draw_half(draw, "excess over -30", s, 4.0), [](float v) { return v - 30.0F; });
  raw(0, 0, 0, 0) = -100.0F;
  expect_equal("log_var", ASK(split_moments, draw.show("moments", join(mean, raw))).log_var,
               log_var_of(join(mean, raw)));
}

PROPERTY(split_moments, "leaves the mean alone, however large") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 mean = map(draw_half(draw, "mean half", s, 40.0),
                           [](float v) { return v < 0.0F ? v - 30.0F : v + 20.0F; });
  const Tensor4 raw = within_limits(draw_half(draw, "log_var half", s));
  expect_equal("mean", ASK(split_moments, join(mean, raw)).mean, mean);
}

PROPERTY(split_moments, "refuses an odd number of channels") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 odd = draw.tensor("moments", s.n, 2 * s.c + 1, s.h, s.w);
  expect_refused(REPLY(split_moments, odd), "an odd number of channels has no halves");
}

PROPERTY(split_moments, "stops the gradient of log_var where it was cut off") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 mean = within_limits(draw_half(draw, "mean half", s));
  const Tensor4 dmean = draw_half(draw, "dmean", s), dlog_var = draw_half(draw, "dlog_var", s);
  // Below, inside and above take turns along every axis.
  const auto turn = [](Index n, Index c, Index h, Index w) { return (n + c + h + w) % 3; };
  const Tensor4 raw = fill(s, [&](Index n, Index c, Index h, Index w) {
    return std::array{-31.0F, 0.5F, 21.0F}.at(static_cast<std::size_t>(turn(n, c, h, w)));
  });
  const Tensor4 stopped = fill(s, [&](Index n, Index c, Index h, Index w) {
    return turn(n, c, h, w) == 1 ? dlog_var(n, c, h, w) : 0.0F;
  });
  draw.show("log_var half", raw);
  expect_equal("dmoments", ASK(split_moments_backward, dmean, dlog_var, join(mean, raw)),
               join(dmean, stopped));
}

PROPERTY(split_moments, "passes the gradient at -30 and at 20 exactly") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 mean = within_limits(draw_half(draw, "mean half", s));
  const Tensor4 raw =
      map(draw_half(draw, "which end", s), [](float v) { return v < 0.0F ? -30.0F : 20.0F; });
  const Tensor4 dmean = draw_half(draw, "dmean", s), dlog_var = draw_half(draw, "dlog_var", s);
  expect_equal("dmoments", ASK(split_moments_backward, dmean, dlog_var, join(mean, raw)),
               join(dmean, dlog_var));
}

PROPERTY(split_moments, "passes the mean's gradient, however large the mean") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 mean = map(draw_half(draw, "mean half", s),
                           [](float v) { return v < 0.0F ? -31.0F + v : 21.0F + v; });
  const Tensor4 raw = within_limits(draw_half(draw, "log_var half", s));
  const Tensor4 dmean = draw_half(draw, "dmean", s), dlog_var = draw_half(draw, "dlog_var", s);
  expect_equal("dmoments", ASK(split_moments_backward, dmean, dlog_var, join(mean, raw)),
               join(dmean, dlog_var));
}

PROPERTY(split_moments, "refuses two gradients of different shapes") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 moments = draw.tensor("moments", s.n, 2 * s.c, s.h, s.w);
  const Tensor4 dmean = draw_half(draw, "dmean", s);
  const Tensor4 wider = draw_half(draw, "dlog_var", {s.n, s.c, s.h, s.w + 1});
  expect_refused(REPLY(split_moments_backward, dmean, wider, moments),
                 "dlog_var has one column more than dmean");
}

PROPERTY(split_moments, "refuses gradients that do not fit the map") {
  const HalfSizes s = half_sizes(draw);
  const Tensor4 dmean = draw_half(draw, "dmean", s), dlog_var = draw_half(draw, "dlog_var", s);
  const Tensor4 more_channels = draw.tensor("moments", s.n, 2 * s.c + 2, s.h, s.w);
  expect_refused(REPLY(split_moments_backward, dmean, dlog_var, more_channels),
                 "moments has two channels more than both gradients together");
  const Tensor4 more_rows = draw.tensor("moments", s.n, 2 * s.c, s.h + 1, s.w);
  expect_refused(REPLY(split_moments_backward, dmean, dlog_var, more_rows),
                 "moments has one row more than the gradients");
}

// ---- 2.2 gaussian_heads ------------------------------------------------------------------------

struct HeadSizes {
  Index n, h, d;
};

HeadSizes head_sizes(Draw& draw) {
  const Index n = draw.size("N", 1, 6), h = draw.size("H", 1, 6), d = draw.size("D", 1, 6);
  return {n, h, d};
}

GaussianHeads draw_heads(Draw& draw, const HeadSizes& s) {
  GaussianHeads heads;
  heads.mu.weight = draw.matrix("W_mu", s.d, s.h);
  heads.mu.bias = draw.row("b_mu", s.d);
  heads.log_var.weight = draw.matrix("W_log_var", s.d, s.h);
  heads.log_var.bias = draw.row("b_log_var", s.d);
  return heads;
}

Oracle layer_oracle(const Matrix& x, const Layer& layer) {
  return tabulate(x.rows(), layer.weight.rows(), [&](Index n, Index d) {
    double sum = layer.bias(d);
    for (Index i = 0; i < x.cols(); ++i) sum += double(x(n, i)) * double(layer.weight(d, i));
    return sum;
  });
}

/// dY^T X
Oracle weight_gradient(const Matrix& dy, const Matrix& x) {
  return tabulate(dy.cols(), x.cols(), [&](Index d, Index i) {
    double sum = 0.0;
    for (Index n = 0; n < x.rows(); ++n) sum += double(dy(n, d)) * double(x(n, i));
    return sum;
  });
}

OracleRow bias_gradient(const Matrix& dy) {
  OracleRow sums = OracleRow::Zero(dy.cols());
  for (Index d = 0; d < dy.cols(); ++d) {
    for (Index n = 0; n < dy.rows(); ++n) sums(d) += dy(n, d);
  }
  return sums;
}

// Up to twelve products of numbers up to about 4: 200 bounds what enters the result.
constexpr Tolerance kProducts{1e-6, 1e-6, 200.0};

DEFINES(gaussian_heads, "is two linear layers on the same features") {
  const HeadSizes s = head_sizes(draw);
  const Matrix hidden = draw.matrix("hidden", s.n, s.h);
  const GaussianHeads heads = draw_heads(draw, s);
  const Gaussian got = ASK(gaussian_heads, hidden, heads);
  expect_near("mu", got.mu, layer_oracle(hidden, heads.mu), kProducts);
  expect_near("log_var", got.log_var, layer_oracle(hidden, heads.log_var), kProducts);
}

PROPERTY(gaussian_heads, "leaves log_var as it is, even beyond 20 and -30") {
  const HeadSizes s = head_sizes(draw);
  const Matrix hidden = draw.matrix("hidden", s.n, s.h);
  GaussianHeads heads = draw_heads(draw, s);
  for (Index d = 0; d < s.d; ++d) heads.log_var.bias(d) = d % 2 == 0 ? 150.0F : -150.0F;
  draw.show("b_log_var, moved", heads.log_var.bias);
  expect_near("log_var", ASK(gaussian_heads, hidden, heads).log_var,
              layer_oracle(hidden, heads.log_var), {1e-6, 1e-6, 400.0});
}

PROPERTY(gaussian_heads, "gives an empty batch for an empty batch") {
  const Index h = draw.size("H", 1, 5), d = draw.size("D", 1, 5);
  const GaussianHeads heads = draw_heads(draw, {0, h, d});
  const Gaussian got = ASK(gaussian_heads, Matrix(0, h), heads);
  expect_near("mu", got.mu, Oracle(0, d));
  expect_near("log_var", got.log_var, Oracle(0, d));
}

PROPERTY(gaussian_heads, "refuses features that do not fit a head") {
  const HeadSizes s = head_sizes(draw);
  const GaussianHeads heads = draw_heads(draw, s);
  expect_refused(REPLY(gaussian_heads, draw.matrix("hidden", s.n, s.h + 1), heads),
                 "hidden has one column more than both weights");
  const Matrix hidden = draw.matrix("hidden, fitting mu only", s.n, s.h);
  GaussianHeads uneven = heads;
  uneven.log_var.weight = draw.matrix("W_log_var, too wide", s.d, s.h + 1);
  expect_refused(REPLY(gaussian_heads, hidden, uneven),
                 "the log_var head has one column more than hidden");
}

PROPERTY(gaussian_heads, "adds what both heads send back to the features") {
  const HeadSizes s = head_sizes(draw);
  const Matrix dmu = draw.matrix("dmu", s.n, s.d), dlog_var = draw.matrix("dlog_var", s.n, s.d);
  const Matrix hidden = draw.matrix("hidden", s.n, s.h);
  const GaussianHeads heads = draw_heads(draw, s);
  const Oracle expected = tabulate(s.n, s.h, [&](Index n, Index i) {
    double sum = 0.0;
    for (Index d = 0; d < s.d; ++d) {
      sum += double(dmu(n, d)) * double(heads.mu.weight(d, i)) +
             double(dlog_var(n, d)) * double(heads.log_var.weight(d, i));
    }
    return sum;
  });
  expect_near("dhidden", ASK(gaussian_heads_backward, dmu, dlog_var, hidden, heads).hidden,
              expected, kProducts);
}

PROPERTY(gaussian_heads, "gives each weight the gradient of its own head") {
  const HeadSizes s = head_sizes(draw);
  const Matrix dmu = draw.matrix("dmu", s.n, s.d), dlog_var = draw.matrix("dlog_var", s.n, s.d);
  const Matrix hidden = draw.matrix("hidden", s.n, s.h);
  const GaussianHeads heads = draw_heads(draw, s);
  const auto got = ASK(gaussian_heads_backward, dmu, dlog_var, hidden, heads);
  expect_near("dW_mu", got.heads.mu.weight, weight_gradient(dmu, hidden), kProducts);
  expect_near("dW_log_var", got.heads.log_var.weight, weight_gradient(dlog_var, hidden), kProducts);
}

PROPERTY(gaussian_heads, "sums each bias gradient over the batch") {
  const HeadSizes s = head_sizes(draw);
  const Matrix dmu = draw.matrix("dmu", s.n, s.d), dlog_var = draw.matrix("dlog_var", s.n, s.d);
  const Matrix hidden = draw.matrix("hidden", s.n, s.h);
  const GaussianHeads heads = draw_heads(draw, s);
  const auto got = ASK(gaussian_heads_backward, dmu, dlog_var, hidden, heads);
  expect_near("db_mu", got.heads.mu.bias, bias_gradient(dmu), kProducts);
  expect_near("db_log_var", got.heads.log_var.bias, bias_gradient(dlog_var), kProducts);
}

PROPERTY(gaussian_heads, "refuses gradients that do not fit hidden or heads") {
  const HeadSizes s = head_sizes(draw);
  const Matrix fitting = draw.matrix("dmu", s.n, s.d), hidden = draw.matrix("hidden", s.n, s.h);
  const GaussianHeads heads = draw_heads(draw, s);
  const Matrix longer = draw.matrix("dlog_var, too long", s.n + 1, s.d);
  expect_refused(REPLY(gaussian_heads_backward, fitting, longer, hidden, heads),
                 "dlog_var has one row more than hidden");
  const Matrix wider = draw.matrix("dmu, too wide", s.n, s.d + 1);
  expect_refused(REPLY(gaussian_heads_backward, wider, fitting, hidden, heads),
                 "dmu has one column more than W_mu has rows");
}

// ---- 2.3 std_from_logvar -----------------------------------------------------------------------

/// Any matrix, of shape [N, D] with N up to 6 and D up to 5.
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

DEFINES(std_from_logvar, "is exp of half the log-variance") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix log_var = draw_batch(draw, "log_var", s);
  expect_near("sigma", ASK(std_from_logvar, log_var),
              tabulate(s.n, s.d, [&](Index n, Index d) { return sigma_of(log_var(n, d)); }),
              kElementwise);
}

PROPERTY(std_from_logvar, "is 0.499074 for a log-variance of -1.39") {
  const Matrix log_var = draw.show("log_var", one_by_one(-1.39));
  expect_near("sigma", ASK(std_from_logvar, log_var), one_by_one(0.499074), {4e-6, 0.0, 0.0});
}

PROPERTY(std_from_logvar, "keeps its digits down to -30") {
  const BatchSizes s = batch_sizes(draw);
  Matrix log_var = draw_batch(draw, "fraction", s, 0.5);
  log_var = -30.0F + log_var.array().abs().min(4.0F);
  log_var(0, 0) = -30.0F;
  draw.show("log_var", log_var);
  expect_near("sigma", ASK(std_from_logvar, log_var),
              tabulate(s.n, s.d, [&](Index n, Index d) { return sigma_of(log_var(n, d)); }),
              kRelativeOnly);
}

PROPERTY(std_from_logvar, "is finite and still right up to 20") {
  const BatchSizes s = batch_sizes(draw);
  Matrix log_var = draw_batch(draw, "fraction", s, 0.5);
  log_var = 20.0F - log_var.array().abs().min(4.0F);
  log_var(0, 0) = 20.0F;
  draw.show("log_var", log_var);
  expect_near("sigma", ASK(std_from_logvar, log_var),
              tabulate(s.n, s.d, [&](Index n, Index d) { return sigma_of(log_var(n, d)); }),
              kRelativeOnly);
}

PROPERTY(std_from_logvar, "sends back dstd times half of std") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dstd = draw_batch(draw, "dstd", s);
  const Matrix std = draw.show("std", Matrix(draw_batch(draw, "log_var", s).array().exp()));
  const Oracle expected = tabulate(
      s.n, s.d, [&](Index n, Index d) { return double(dstd(n, d)) * double(std(n, d)) / 2.0; });
  expect_near("dlog_var", ASK(std_from_logvar_backward, dstd, std), expected, kElementwise);
}

PROPERTY(std_from_logvar, "has slope 0.249537 at a log-variance of -1.39") {
  const Matrix one = draw.show("dstd", one_by_one(1.0));
  const Matrix std = draw.show("std", one_by_one(0.499074));
  expect_near("dlog_var", ASK(std_from_logvar_backward, one, std), one_by_one(0.249537),
              {4e-6, 0.0, 0.0});
}

PROPERTY(std_from_logvar, "refuses dstd and std of different shapes") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dstd = draw_batch(draw, "dstd", s);
  expect_refused(REPLY(std_from_logvar_backward, dstd, draw.matrix("std", s.n, s.d + 1)),
                 "std has one column more than dstd");
  expect_refused(REPLY(std_from_logvar_backward, dstd, draw.matrix("std", s.n + 1, s.d)),
                 "std has one row more than dstd");
}

// ---- 2.4 reparameterize ------------------------------------------------------------------------

Oracle sample_oracle(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return tabulate(mu.rows(), mu.cols(),
                  [&](Index n, Index d) { return mu(n, d) + sigma_of(log_var(n, d)) * eps(n, d); });
}

/// Sums of mu and sigma eps may cancel: the larger of the two sets the scale.
Tolerance sample_tolerance(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  double scale = 0.0;
  for (Index n = 0; n < mu.rows(); ++n) {
    for (Index d = 0; d < mu.cols(); ++d) {
      scale = std::max(
          {scale, std::abs(double(mu(n, d))), std::abs(sigma_of(log_var(n, d)) * eps(n, d))});
    }
  }
  return {2e-5, 1e-6, scale};
}

DEFINES(reparameterize, "is mu + sigma eps, element by element") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix mu = draw_batch(draw, "mu", s), log_var = draw_batch(draw, "log_var", s);
  const Matrix eps = draw_batch(draw, "eps", s);
  expect_near("z", ASK(reparameterize, mu, log_var, eps), sample_oracle(mu, log_var, eps),
              sample_tolerance(mu, log_var, eps));
}

PROPERTY(reparameterize, "is 1.950648 for mu 2.3, log_var -1.39, eps -0.7") {
  const Matrix mu = draw.show("mu", one_by_one(2.3));
  const Matrix log_var = draw.show("log_var", one_by_one(-1.39));
  const Matrix eps = draw.show("eps", one_by_one(-0.7));
  expect_near("z", ASK(reparameterize, mu, log_var, eps), one_by_one(1.950648), {2e-6, 0.0, 0.0});
}

PROPERTY(reparameterize, "is mu where eps is 0, whatever sigma") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix mu = draw_batch(draw, "mu", s), log_var = draw_batch(draw, "log_var", s, 4.0);
  const Matrix eps = draw.show("eps", Matrix(Matrix::Zero(s.n, s.d)));
  expect_near("z", ASK(reparameterize, mu, log_var, eps), mu.cast<double>().eval());
}

PROPERTY(reparameterize, "takes noise far from 0 as it comes") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix mu = draw_batch(draw, "mu", s), log_var = draw_batch(draw, "log_var", s, 0.5);
  Matrix eps = draw_batch(draw, "direction", s);
  eps =
      eps.array() + (eps.array() < 0.0F)
                        .select(Matrix::Constant(s.n, s.d, -5.0F), Matrix::Constant(s.n, s.d, 5.0F))
                        .array();
  draw.show("eps", eps);
  expect_near("z", ASK(reparameterize, mu, log_var, eps), sample_oracle(mu, log_var, eps),
              sample_tolerance(mu, log_var, eps));
}

PROPERTY(reparameterize, "reaches the widest sigma, 22026 at log_var = 20") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix mu = draw_batch(draw, "mu", s), eps = draw_batch(draw, "eps", s);
  Matrix log_var = draw_batch(draw, "fraction", s, 0.5);
  log_var = 20.0F - log_var.array().abs().min(4.0F);
  draw.show("log_var", log_var);
  expect_near("z", ASK(reparameterize, mu, log_var, eps), sample_oracle(mu, log_var, eps),
              sample_tolerance(mu, log_var, eps));
}

PROPERTY(reparameterize, "refuses mu and log_var of different shapes") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix mu = draw_batch(draw, "mu", s), eps = draw_batch(draw, "eps", s);
  expect_refused(REPLY(reparameterize, mu, draw.matrix("log_var", s.n, s.d + 1), eps),
                 "log_var has one column more than mu");
  expect_refused(REPLY(reparameterize, mu, draw.matrix("log_var'", s.n + 1, s.d), eps),
                 "log_var has one row more than mu");
}

PROPERTY(reparameterize, "refuses noise that is not one number per latent") {
  const BatchSizes s = batch_sizes(draw);
  const Index n = s.n + 1;
  const Matrix mu = draw.matrix("mu", n, s.d), log_var = draw.matrix("log_var", n, s.d);
  expect_refused(REPLY(reparameterize, mu, log_var, draw.matrix("eps", 1, s.d)),
                 "eps has one row for several samples");
  expect_refused(REPLY(reparameterize, mu, log_var, draw.matrix("eps'", n, s.d + 1)),
                 "eps has one column more than mu");
}

// ---- 2.5 reparameterize_backward ---------------------------------------------------------------

/// dz eps sigma / 2
Oracle log_var_gradient(const Matrix& dz, const Matrix& log_var, const Matrix& eps) {
  return tabulate(dz.rows(), dz.cols(), [&](Index n, Index d) {
    return double(dz(n, d)) * double(eps(n, d)) * sigma_of(log_var(n, d)) / 2.0;
  });
}

DEFINES(reparameterize_backward, "is dz for mu and dz eps sigma / 2 for log_var") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw_batch(draw, "dz", s), mu = draw_batch(draw, "mu", s);
  const Matrix log_var = draw_batch(draw, "log_var", s), eps = draw_batch(draw, "eps", s);
  const Gaussian got = ASK(reparameterize_backward, dz, mu, log_var, eps);
  expect_near("dmu", got.mu, dz.cast<double>().eval());
  expect_near("dlog_var", got.log_var, log_var_gradient(dz, log_var, eps), kElementwise);
}

PROPERTY(reparameterize_backward, "is -0.174676 for log_var -1.39, eps -0.7, dz 1") {
  const Matrix dz = draw.show("dz", one_by_one(1.0)), mu = draw.show("mu", one_by_one(2.3));
  const Matrix log_var = draw.show("log_var", one_by_one(-1.39));
  const Matrix eps = draw.show("eps", one_by_one(-0.7));
  expect_near("dlog_var", ASK(reparameterize_backward, dz, mu, log_var, eps).log_var,
              one_by_one(-0.174676), {4e-6, 0.0, 0.0});
}

PROPERTY(reparameterize_backward, "has dz/dmu = 1, whatever sigma and eps") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw.show("dz", Matrix(Matrix::Ones(s.n, s.d)));
  const Matrix mu = draw_batch(draw, "mu", s), eps = draw_batch(draw, "eps", s);
  const Matrix log_var = draw_batch(draw, "log_var", s, 3.0);
  expect_near("dmu", ASK(reparameterize_backward, dz, mu, log_var, eps).mu,
              Oracle(Oracle::Ones(s.n, s.d)));
}

PROPERTY(reparameterize_backward, "has dz/dsigma = eps: dlog_var over sigma / 2") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw.show("dz", Matrix(Matrix::Ones(s.n, s.d)));
  const Matrix mu = draw_batch(draw, "mu", s), eps = draw_batch(draw, "eps", s);
  const Matrix log_var = draw_batch(draw, "log_var", s);
  const Matrix got = ASK(reparameterize_backward, dz, mu, log_var, eps).log_var;
  expect(got.rows() == s.n && got.cols() == s.d, "dlog_var should have the shape of log_var");
  const Oracle dsigma = tabulate(
      s.n, s.d, [&](Index n, Index d) { return got(n, d) / (sigma_of(log_var(n, d)) / 2.0); });
  expect_near("dlog_var / (sigma / 2)", dsigma, eps.cast<double>().eval(), kElementwise);
}

PROPERTY(reparameterize_backward, "keeps its digits down to log_var = -30") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw_batch(draw, "dz", s, 1000.0), mu = draw_batch(draw, "mu", s);
  const Matrix eps = draw_batch(draw, "eps", s);
  Matrix log_var = draw_batch(draw, "fraction", s, 0.5);
  log_var = -30.0F + log_var.array().abs().min(4.0F);
  log_var(0, 0) = -30.0F;
  draw.show("log_var", log_var);
  expect_near("dlog_var", ASK(reparameterize_backward, dz, mu, log_var, eps).log_var,
              log_var_gradient(dz, log_var, eps), kRelativeOnly);
}

PROPERTY(reparameterize_backward, "lives on at log_var = 20 and near it") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw_batch(draw, "dz", s), mu = draw_batch(draw, "mu", s);
  const Matrix eps = draw_batch(draw, "eps", s);
  Matrix log_var = draw_batch(draw, "fraction", s, 0.5);
  log_var = 20.0F - log_var.array().abs().min(4.0F);
  log_var(0, 0) = 20.0F;
  draw.show("log_var", log_var);
  expect_near("dlog_var", ASK(reparameterize_backward, dz, mu, log_var, eps).log_var,
              log_var_gradient(dz, log_var, eps), kElementwise);
}

PROPERTY(reparameterize_backward, "refuses a mu of another shape, needed or not") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw_batch(draw, "dz", s), log_var = draw_batch(draw, "log_var", s);
  const Matrix eps = draw_batch(draw, "eps", s);
  expect_refused(REPLY(reparameterize_backward, dz, draw.matrix("mu", s.n, s.d + 1), log_var, eps),
                 "mu has one column more than dz");
}

PROPERTY(reparameterize_backward, "refuses noise or log-variances of another shape") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix dz = draw_batch(draw, "dz", s), mu = draw_batch(draw, "mu", s);
  const Matrix log_var = draw_batch(draw, "log_var", s), eps = draw_batch(draw, "eps", s);
  expect_refused(REPLY(reparameterize_backward, dz, mu, log_var, draw.matrix("eps", s.n + 1, s.d)),
                 "eps has one row more than dz");
  expect_refused(REPLY(reparameterize_backward, dz, mu, draw.matrix("log_var", s.n, s.d + 1), eps),
                 "log_var has one column more than dz");
}

// ---- 2.6 gradient_estimators -------------------------------------------------------------------

/// Five points and weights with which a weighted sum over eps equals the expectation under N(0, 1)
/// for every polynomial of degree up to 9: Gauss-Hermite quadrature in closed form.
struct Quadrature {
  DoubleVector eps{5}, weight{5};

  Quadrature() {
    const double root = std::sqrt(10.0);
    const double inner = std::sqrt(5.0 - root), outer = std::sqrt(5.0 + root);
    eps << -outer, -inner, 0.0, inner, outer;
    const double w_inner = (7.0 + 2.0 * root) / 60.0, w_outer = (7.0 - 2.0 * root) / 60.0;
    weight << w_outer, w_inner, 8.0 / 15.0, w_inner, w_outer;
  }

  /// E[g(eps)] where sample(s) is g at the s-th point.
  double mean(const DoubleVector& sample) const {
    double sum = 0.0;
    for (Index s = 0; s < 5; ++s) sum += weight(s) * sample(s);
    return sum;
  }

  double variance(const DoubleVector& sample) const {
    const double m = mean(sample);
    double sum = 0.0;
    for (Index s = 0; s < 5; ++s) sum += weight(s) * (sample(s) - m) * (sample(s) - m);
    return sum;
  }
};

/// f of every element of a vector.
DoubleVector apply(const DoubleVector& x, const std::function<double(double)>& f) {
  DoubleVector y(x.size());
  for (Index s = 0; s < x.size(); ++s) y(s) = f(x(s));
  return y;
}

/// Sums of five terms of either sign, of size up to about 1e3.
constexpr Tolerance kQuadrature{1e-12, 1e-11, 1e3};

/// Fails unless both estimates come once per draw, so that they can be weighted.
void require_per_draw(const GradientSamples& got, Index draws) {
  if (got.mu.size() == draws && got.sigma.size() == draws) return;
  throw Mismatch{{"there should be one estimate per draw, " + std::to_string(draws) +
                  " each; there came " + std::to_string(got.mu.size()) + " for mu and " +
                  std::to_string(got.sigma.size()) + " for sigma"}};
}

DEFINES(gradient_estimators, "score function: is f times the slope of log q, per draw") {
  const Index draws = draw.size("S", 1, 7);
  const DoubleVector f = draw.doubles("f", draws), z = draw.doubles("z", draws);
  const double mu = draw.number("mu", -2.0, 2.0), sigma = draw.number("sigma", 0.25, 2.25);
  const GradientSamples got = ASK(score_function_gradient, f, z, mu, sigma);
  DoubleVector dmu(draws), dsigma(draws);
  double scale = 1.0;
  for (Index s = 0; s < draws; ++s) {
    const double away = z(s) - mu;
    dmu(s) = f(s) * away / (sigma * sigma);
    dsigma(s) = f(s) * (away * away / (sigma * sigma * sigma) - 1.0 / sigma);
    scale = std::max(scale, std::abs(f(s)) * (away * away / (sigma * sigma) + 1.0) / sigma);
  }
  expect_near("d/dmu", got.mu, dmu, {1e-10, 1e-12, scale});
  expect_near("d/dsigma", got.sigma, dsigma, {1e-10, 1e-12, scale});
}

PROPERTY(gradient_estimators, "score function: keeps its digits at sigma = 1e-4") {
  const Index draws = draw.size("S", 1, 6);
  const DoubleVector f = draw.doubles("f", draws), eps = draw.doubles("eps", draws);
  const double sigma = 1e-4;
  const DoubleVector z = draw.show("z", apply(eps, [&](double e) { return sigma * e; }));
  const GradientSamples got = ASK(score_function_gradient, f, z, 0.0, sigma);
  DoubleVector dmu(draws), dsigma(draws);
  for (Index s = 0; s < draws; ++s) {
    dmu(s) = f(s) * eps(s) / sigma;
    dsigma(s) = f(s) * (eps(s) * eps(s) - 1.0) / sigma;
  }
  expect_near("d/dmu", got.mu, dmu, {1e-9, 0.0, 1e4});
  expect_near("d/dsigma", got.sigma, dsigma, {1e-9, 0.0, 1e4});
}

PROPERTY(gradient_estimators, "score function: refuses f and z of different sizes") {
  const Index draws = draw.size("S", 1, 6);
  expect_refused(REPLY(score_function_gradient, draw.doubles("f", draws),
                       draw.doubles("z", draws + 1), 0.0, 1.0),
                 "z has one number more than f");
}

PROPERTY(gradient_estimators, "score function: refuses a sigma that is not above 0") {
  const Index draws = draw.size("S", 1, 6);
  const DoubleVector f = draw.doubles("f", draws), z = draw.doubles("z", draws);
  expect_refused(REPLY(score_function_gradient, f, z, 0.0, 0.0), "sigma is 0");
  expect_refused(REPLY(score_function_gradient, f, z, 0.0, -0.5), "sigma is -0.5");
}

PROPERTY(gradient_estimators, "pathwise: is f' for mu and f' eps for sigma, per draw") {
  const Index draws = draw.size("S", 1, 7);
  const DoubleVector df = draw.doubles("df", draws), eps = draw.doubles("eps", draws);
  const GradientSamples got = ASK(pathwise_gradient, df, eps);
  DoubleVector dsigma(draws);
  for (Index s = 0; s < draws; ++s) dsigma(s) = df(s) * eps(s);
  expect_near("d/dmu", got.mu, df, kDouble);
  expect_near("d/dsigma", got.sigma, dsigma, kDouble);
}

PROPERTY(gradient_estimators, "pathwise: refuses f' and eps of different sizes") {
  const Index draws = draw.size("S", 1, 6);
  expect_refused(
      REPLY(pathwise_gradient, draw.doubles("df", draws), draw.doubles("eps", draws + 1)),
      "eps has one number more than df");
}

PROPERTY(gradient_estimators, "both: mean 2, variance 4 against 30, if f = z^2, mu = sigma = 1") {
  const Quadrature points;
  const DoubleVector z = apply(points.eps, [](double eps) { return 1.0 + eps; });
  const DoubleVector f = apply(z, [](double at) { return at * at; });
  const DoubleVector df = apply(z, [](double at) { return 2.0 * at; });
  draw.show("z", z);
  const GradientSamples path = ASK(pathwise_gradient, df, points.eps);
  const GradientSamples score = ASK(score_function_gradient, f, z, 1.0, 1.0);
  // E[z^2] = mu^2 + sigma^2, with slopes 2 mu and 2 sigma.
  for (const GradientSamples* got : {&path, &score}) {
    require_per_draw(*got, 5);
    const std::string name = got == &path ? "pathwise" : "score function's";
    expect_near("mean of the " + name + " d/dmu", points.mean(got->mu), 2.0, kQuadrature);
    expect_near("mean of the " + name + " d/dsigma", points.mean(got->sigma), 2.0, kQuadrature);
    expect_near("variance of the " + name + " d/dmu", points.variance(got->mu),
                got == &path ? 4.0 : 30.0, kQuadrature);
  }
}

// ---- 2.7 sample_prior --------------------------------------------------------------------------

/// A seed that fits into 32 bits, or one that does not.
std::uint64_t draw_seed(Draw& draw, bool wide = false) {
  const auto low = static_cast<std::uint64_t>(draw.integer("seed", 1, 1'000'000));
  if (!wide) return low;
  const std::uint64_t seed = low + (low << 40);
  draw.show("seed, wide", static_cast<std::int64_t>(seed));
  return seed;
}

Oracle prior_oracle(Index samples, Index features, std::uint64_t seed) {
  Random random(seed);
  Oracle z(samples, features);
  for (Index n = 0; n < samples; ++n) {
    for (Index d = 0; d < features; ++d) z(n, d) = random.normal();
  }
  return z;
}

DEFINES(sample_prior, "draws N(0, 1) from Random(seed), row by row") {
  const Index n = draw.size("N", 1, 6), d = draw.size("D", 1, 5);
  const std::uint64_t seed = draw_seed(draw);
  expect_near("z", ASK(sample_prior, n, d, seed), prior_oracle(n, d, seed));
}

PROPERTY(sample_prior, "takes seed 0 like any other, and each seed alike each time") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 5);
  const std::uint64_t seed = draw_seed(draw);
  const Matrix first = ASK(sample_prior, n, d, seed);
  expect_equal("z, asked again", ASK(sample_prior, n, d, seed), first);
  expect_near("z of seed 0", ASK(sample_prior, n, d, std::uint64_t{0}), prior_oracle(n, d, 0));
}

PROPERTY(sample_prior, "uses all 64 bits of the seed") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 5);
  const std::uint64_t seed = draw_seed(draw, true);
  expect_near("z", ASK(sample_prior, n, d, seed), prior_oracle(n, d, seed));
}

PROPERTY(sample_prior, "gives no rows when no samples are asked for") {
  const Index d = draw.size("D", 1, 5);
  expect_near("z", ASK(sample_prior, 0, d, draw_seed(draw)), Oracle(0, d));
}

PROPERTY(sample_prior, "refuses a negative number of samples") {
  const Index d = draw.size("D", 1, 5);
  expect_refused(REPLY(sample_prior, -1, d, draw_seed(draw)), "-1 samples");
}

PROPERTY(sample_prior, "refuses a latent without features") {
  const Index n = draw.size("N", 1, 5);
  const std::uint64_t seed = draw_seed(draw);
  expect_refused(REPLY(sample_prior, n, 0, seed), "0 features");
  expect_refused(REPLY(sample_prior, n, -2, seed), "-2 features");
}

// ---- 2.8 posterior -----------------------------------------------------------------------------

Posterior draw_posterior(Draw& draw, const BatchSizes& s, bool deterministic) {
  const Matrix mean = draw_batch(draw, "mean", s), log_var = draw_batch(draw, "log_var", s);
  draw.show("deterministic", deterministic);
  return {mean, log_var, deterministic};
}

Oracle zeros(const BatchSizes& s) {
  return Oracle::Zero(s.n, s.d);
}

DEFINES(posterior, "samples mean + sigma eps") {
  const BatchSizes s = batch_sizes(draw);
  const Posterior p = draw_posterior(draw, s, false);
  const Matrix eps = draw_batch(draw, "eps", s);
  expect_near("z", ASK(posterior_sample, p, eps), sample_oracle(p.mean, p.log_var, eps),
              sample_tolerance(p.mean, p.log_var, eps));
}

PROPERTY(posterior, "samples its mean when deterministic, whatever the noise") {
  const BatchSizes s = batch_sizes(draw);
  const Posterior p = draw_posterior(draw, s, true);
  const Matrix eps = draw_batch(draw, "eps", s);
  expect_near("z", ASK(posterior_sample, p, eps), p.mean.cast<double>().eval());
}

PROPERTY(posterior, "refuses noise of another shape") {
  const BatchSizes s = batch_sizes(draw);
  const Posterior p = draw_posterior(draw, s, false);
  expect_refused(REPLY(posterior_sample, p, draw.matrix("eps", s.n + 1, s.d)),
                 "eps has one row more than the mean");
  expect_refused(REPLY(posterior_sample, p, draw.matrix("eps", s.n, s.d + 1)),
                 "eps has one column more than the mean");
  const Posterior fixed = draw_posterior(draw, s, true);
  expect_refused(REPLY(posterior_sample, fixed, draw.matrix("eps'", s.n + 1, s.d)),
                 "eps has one row more than the mean, also where nothing is random");
  expect_refused(REPLY(posterior_sample, fixed, draw.matrix("eps''", s.n, s.d + 1)),
                 "eps has one column more than the mean, also where nothing is random");
}

PROPERTY(posterior, "has its mode at the mean, however far out") {
  const BatchSizes s = batch_sizes(draw);
  Posterior p = draw_posterior(draw, s, false);
  p.mean = p.mean.array() * 100.0F;
  draw.show("mean, moved out", p.mean);
  expect_near("mode", ASK(posterior_mode, p), p.mean.cast<double>().eval());
}

PROPERTY(posterior, "has its mode at the mean when deterministic") {
  const BatchSizes s = batch_sizes(draw);
  const Posterior p = draw_posterior(draw, s, true);
  expect_near("mode", ASK(posterior_mode, p), p.mean.cast<double>().eval());
}

PROPERTY(posterior, "has std exp(log_var / 2) and var exp(log_var), up to 20") {
  const BatchSizes s = batch_sizes(draw);
  Posterior p = draw_posterior(draw, s, false);
  Matrix high = 20.0F - p.log_var.array().abs().min(4.0F);
  high(0, 0) = 20.0F;
  for (const bool widest : {false, true}) {
    if (widest) p.log_var = draw.show("log_var, moved", high);
    const Spread got = ASK(posterior_spread, p);
    expect_near("std", got.std,
                tabulate(s.n, s.d, [&](Index n, Index d) { return sigma_of(p.log_var(n, d)); }),
                kElementwise);
    expect_near(
        "var", got.var,
        tabulate(s.n, s.d, [&](Index n, Index d) { return std::exp(double(p.log_var(n, d))); }),
        kElementwise);
  }
}

PROPERTY(posterior, "stays narrow where log_var is near -30") {
  const BatchSizes s = batch_sizes(draw);
  Posterior p = draw_posterior(draw, s, false);
  p.log_var = -30.0F + p.log_var.array().abs().min(4.0F);
  draw.show("log_var, moved", p.log_var);
  const Spread got = ASK(posterior_spread, p);
  expect_near("std", got.std,
              tabulate(s.n, s.d, [&](Index n, Index d) { return sigma_of(p.log_var(n, d)); }),
              kRelativeOnly);
  expect_near(
      "var", got.var,
      tabulate(s.n, s.d, [&](Index n, Index d) { return std::exp(double(p.log_var(n, d))); }),
      kRelativeOnly);
}

PROPERTY(posterior, "has no width when deterministic: zeros of the mean's shape") {
  const BatchSizes s = batch_sizes(draw);
  const Spread got = ASK(posterior_spread, draw_posterior(draw, s, true));
  expect_near("std", got.std, zeros(s));
  expect_near("var", got.var, zeros(s));
}

// ---- 2.9 sigma_parameterisations ---------------------------------------------------------------

/// A sigma between 0.05 and 20, spread evenly over its logarithm.
double draw_sigma(Draw& draw) {
  return draw.show("sigma", std::exp(draw.number("log sigma", -3.0, 3.0)));
}

DEFINES(sigma_parameterisations, "softplus form: yields x and dsigma/dx = 1 - e^-sigma") {
  const double sigma = draw_sigma(draw);
  const SigmaParameterisation got = ASK(softplus_parameterisation, sigma);
  expect_near("x", got.x, std::log(std::exp(sigma) - 1.0), {1e-10, 1e-11, 0.0});
  expect_near("dsigma/dx", got.dsigma_dx, 1.0 - std::exp(-sigma), kDouble);
}

PROPERTY(sigma_parameterisations, "both forms: dKL/dx = (sigma - 1/sigma) dsigma/dx") {
  // On both sides of 1, where the KL has its minimum and the slope changes its sign.
  const double drawn = draw_sigma(draw);
  for (const double sigma : {drawn, 1.0 / drawn}) {
    const std::string at = sigma == drawn ? "" : ", at 1 / sigma";
    const double pull = sigma - 1.0 / sigma;
    expect_near("dKL/dx by exp" + at, ASK(exp_parameterisation, sigma).dkl_dx, pull * sigma / 2.0,
                {1e-10, 1e-11, 0.0});
    expect_near("dKL/dx by softplus" + at, ASK(softplus_parameterisation, sigma).dkl_dx,
                pull * (1.0 - std::exp(-sigma)), {1e-10, 1e-11, 0.0});
  }
}

PROPERTY(sigma_parameterisations, "softplus form: is accurate down to sigma = 1e-12") {
  const double sigma = draw.show("sigma", std::pow(10.0, draw.number("log10 sigma", -12.0, -9.0)));
  const SigmaParameterisation got = ASK(softplus_parameterisation, sigma);
  // log(e^s - 1) = log s + log(1 + s/2 + s^2/6 + ...), and 1 - e^-s = s (1 - s/2 + s^2/6 - ...).
  const double s = sigma, slope = s * (1.0 - s / 2.0 + s * s / 6.0);
  expect_near("x", got.x, std::log(s) + s / 2.0, kDoubleRelative);
  expect_near("dsigma/dx", got.dsigma_dx, slope, kDoubleRelative);
  expect_near("dKL/dx", got.dkl_dx, (s - 1.0 / s) * slope, kDoubleRelative);
}

PROPERTY(sigma_parameterisations, "exp form: yields x = 2 log sigma, dsigma/dx = sigma / 2") {
  const double sigma = draw_sigma(draw);
  const SigmaParameterisation got = ASK(exp_parameterisation, sigma);
  expect_near("x", got.x, 2.0 * std::log(sigma), kDouble);
  expect_near("dsigma/dx", got.dsigma_dx, sigma / 2.0, kDouble);
}

PROPERTY(sigma_parameterisations, "both forms: slopes 5e-4 and 9.995e-4 at sigma = 1e-3") {
  draw.show("sigma", 1e-3);
  expect_near("dsigma/dx by exp", ASK(exp_parameterisation, 1e-3).dsigma_dx, 5e-4, kDoubleRelative);
  expect_near("dsigma/dx by softplus", ASK(softplus_parameterisation, 1e-3).dsigma_dx,
              9.995001666e-4, {1e-9, 0.0, 0.0});
}

PROPERTY(sigma_parameterisations, "both forms: dKL/dx -0.4999995 and -0.999499 at 1e-3") {
  draw.show("sigma", 1e-3);
  expect_near("dKL/dx by exp", ASK(exp_parameterisation, 1e-3).dkl_dx, -0.4999995, kDoubleRelative);
  expect_near("dKL/dx by softplus", ASK(softplus_parameterisation, 1e-3).dkl_dx, -0.999499167,
              {1e-8, 0.0, 0.0});
}

PROPERTY(sigma_parameterisations, "softplus: is log(1 + e^x)") {
  const double x = draw.number("x", 0.25, 6.0);
  const double right = ASK(softplus, x), left = ASK(softplus, -x);
  expect_near("softplus(x)", right, std::log(1.0 + std::exp(x)), kDouble);
  expect_near("softplus(-x)", left, std::log(1.0 + std::exp(-x)), kDouble);
}

PROPERTY(sigma_parameterisations, "softplus: is x itself at 800, not infinity") {
  const double more = draw.number("x - 800", 0.0, 200.0);
  expect_near("softplus", ASK(softplus, 800.0 + more), 800.0 + more, kDouble);
}

PROPERTY(sigma_parameterisations, "softplus: is 4.248354e-18 at -40, not 0") {
  expect_near("softplus", ASK(softplus, draw.show("x", -40.0)), 4.248354e-18, {1e-6, 0.0, 0.0});
}

PROPERTY(sigma_parameterisations, "exp form: refuses a sigma that is not above 0") {
  const double negative = -draw.number("-sigma", 0.5, 4.0);
  expect_refused(REPLY(exp_parameterisation, 0.0), "sigma is 0");
  expect_refused(REPLY(exp_parameterisation, negative), "sigma is negative");
}

PROPERTY(sigma_parameterisations, "softplus form: refuses a sigma that is not above 0") {
  const double negative = -draw.number("-sigma", 0.5, 4.0);
  expect_refused(REPLY(softplus_parameterisation, 0.0), "sigma is 0");
  expect_refused(REPLY(softplus_parameterisation, negative), "sigma is negative");
}

}  // namespace
}  // namespace latent::grader

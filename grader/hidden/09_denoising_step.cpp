// Hidden properties of lab 09. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "denoising_step.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

using Timesteps = std::vector<std::int64_t>;
using Type = PredictionType;
using Alphas = DoubleVector;

constexpr double kEndless = std::numeric_limits<double>::infinity();
constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

Matrix zeros(Index rows, Index cols) {
  return Matrix::Zero(rows, cols);
}

Matrix one_number(double value) {
  return Matrix::Constant(1, 1, static_cast<float>(value));
}

Matrix with_one_row_more(const Matrix& x) {
  return Matrix::Ones(x.rows() + 1, x.cols());
}

Matrix with_one_column_more(const Matrix& x) {
  return Matrix::Ones(x.rows(), x.cols() + 1);
}

/// A matrix like `x` in which element (n, d) is f(n, d), in double precision.
Oracle tabulate(const Matrix& x, const std::function<double(Index, Index)>& f) {
  Oracle table(x.rows(), x.cols());
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index d = 0; d < x.cols(); ++d) table(n, d) = f(n, d);
  }
  return table;
}

double largest(const Oracle& x) {
  return x.size() == 0 ? 0.0 : x.cwiseAbs().maxCoeff();
}

double largest(const Matrix& x) {
  return largest(Oracle(x.cast<double>()));
}

/// A few float operations on numbers of this size, however they are ordered.
Tolerance rounding(double scale) {
  return {2e-6, 1e-6, scale};
}

DoubleVector vector_of(const std::vector<double>& x) {
  DoubleVector result(static_cast<Index>(x.size()));
  for (Index i = 0; i < result.size(); ++i) result(i) = x[static_cast<std::size_t>(i)];
  return result;
}

/// T values of a, falling from about 0.95 to about 0.08 in uneven steps.
Alphas draw_alphas(Draw& draw, Index steps) {
  Alphas a(steps);
  for (Index t = 0; t < steps; ++t) {
    const double place = (double(t) + draw.random().uniform(0.2, 0.8)) / double(steps);
    a(t) = 0.98 - 0.92 * place;
  }
  return draw.show("alphas_cumprod", a);
}

/// a of T timesteps with beta, or its root, in equal steps.
Alphas known_alphas(bool scaled, double first, double last, Index steps = 1000) {
  Alphas a(steps);
  double product = 1.0;
  for (Index t = 0; t < steps; ++t) {
    const double share = double(t) / double(steps - 1);
    const double root = std::sqrt(first) + (std::sqrt(last) - std::sqrt(first)) * share;
    product *= 1.0 - (scaled ? root * root : first + (last - first) * share);
    a(t) = product;
  }
  return a;
}

/// Stable Diffusion's schedule.
Alphas scaled_linear() {
  return known_alphas(true, 0.00085, 0.012);
}

/// DDPM's, which the library's tests use too.
Alphas plain_linear() {
  return known_alphas(false, 1e-4, 0.02);
}

/// x_0 and eps in double precision.
struct Pair {
  Oracle x0, eps;
};

Pair pair_of(Type type, const Matrix& x, const Matrix& output, double a) {
  const double r = std::sqrt(a), q = std::sqrt(1.0 - a);
  const auto x0 = [&](Index n, Index d) {
    const double xi = x(n, d), o = output(n, d);
    if (type == Type::kSample) return o;
    return type == Type::kEpsilon ? (xi - q * o) / r : r * xi - q * o;
  };
  const auto eps = [&](Index n, Index d) {
    const double xi = x(n, d), o = output(n, d);
    if (type == Type::kEpsilon) return o;
    return type == Type::kSample ? (xi - r * o) / q : r * o + q * xi;
  };
  return {tabulate(x, x0), tabulate(x, eps)};
}

// ---- 9.0 noise_schedule ------------------------------------------------------------------------

struct Ends {
  double first, last;
};

Ends draw_ends(Draw& draw) {
  const double first = draw.number("first", 0.001, 0.05);
  return {first, draw.number("last", 0.2, 0.9)};
}

DEFINES(noise_schedule, "betas, linear: equal steps from the first to the last") {
  const Index steps = draw.size("T", 2, 9);
  const Ends e = draw_ends(draw);
  DoubleVector expected(steps);
  for (Index t = 0; t < steps; ++t)
    expected(t) = e.first + (e.last - e.first) * double(t) / double(steps - 1);
  expect_near("betas", ASK(make_betas, BetaSchedule::kLinear, steps, e.first, e.last), expected,
              kDouble);
}

PROPERTY(noise_schedule, "betas, scaled linear: the roots go in equal steps") {
  const Index steps = draw.size("T", 3, 9);
  const Ends e = draw_ends(draw);
  DoubleVector expected(steps);
  for (Index t = 0; t < steps; ++t) {
    const double share = double(t) / double(steps - 1);
    expected(t) = std::pow((1.0 - share) * std::sqrt(e.first) + share * std::sqrt(e.last), 2);
  }
  const DoubleVector got = ASK(make_betas, BetaSchedule::kScaledLinear, steps, e.first, e.last);
  expect_near("betas", got, expected, kDouble);
}

/// (cos((u + s) / (1 + s) pi / 2))^2 with s = 0.008
double squared_cosine(double u) {
  return std::pow(std::cos((u + 0.008) / 1.008 * std::acos(0.0)), 2);
}

PROPERTY(noise_schedule, "betas, cosine: all but the last follow a squared cosine") {
  const Index steps = draw.size("T", 3, 12);
  DoubleVector expected(steps - 1);
  for (Index t = 0; t + 1 < steps; ++t) {
    const double now = double(t) / double(steps), next = double(t + 1) / double(steps);
    expected(t) = 1.0 - squared_cosine(next) / squared_cosine(now);
  }
  const DoubleVector got = ASK(make_betas, BetaSchedule::kCosine, steps, 0.01, 0.02);
  expect(got.size() == steps, "there are T betas");
  expect_near("all betas but the last", DoubleVector(got.head(steps - 1)), expected, kDouble);
}

PROPERTY(noise_schedule, "betas, cosine: the last is cut to 0.999") {
  const Index steps = draw.size("T", 2, 12);
  const DoubleVector got = ASK(make_betas, BetaSchedule::kCosine, steps, 0.01, 0.02);
  expect(got.size() == steps, "there are T betas");
  expect_near("the last beta", got(steps - 1), 0.999, kDouble);
}

PROPERTY(noise_schedule, "betas, cosine: takes any first and last, and looks at neither") {
  const Index steps = draw.size("T", 2, 6);
  const DoubleVector usual = ASK(make_betas, BetaSchedule::kCosine, steps, 0.01, 0.02);
  const DoubleVector others = ASK(make_betas, BetaSchedule::kCosine, steps, 0.0, 0.0);
  const DoubleVector falling = ASK(make_betas, BetaSchedule::kCosine, steps, 2.0, -1.0);
  expect_near("betas for first = last = 0", others, usual, kDouble);
  expect_near("betas for first = 2, last = -1", falling, usual, kDouble);
}

PROPERTY(noise_schedule, "alphas: the product of all 1 - beta, that of timestep 0 included") {
  const Index steps = draw.size("T", 1, 9);
  DoubleVector betas(steps), expected(steps);
  for (double& beta : betas) beta = draw.random().uniform(0.05, 0.6);
  draw.show("betas", betas);
  for (Index t = 0; t < steps; ++t) {
    expected(t) = 1.0;
    for (Index s = 0; s <= t; ++s) expected(t) *= 1.0 - betas(s);
  }
  expect_near("alphas_cumprod", ASK(cumulative_alphas, betas), expected, kDouble);
}

PROPERTY(noise_schedule, "alphas: takes a beta of 0 and a beta of 1") {
  const double beta = draw.show("beta", double(draw.integer("eighths", 1, 7)) / 8.0);
  const DoubleVector ends = ASK(cumulative_alphas, vector_of({0.0, beta, 1.0}));
  const DoubleVector nothing = ASK(cumulative_alphas, vector_of({1.0, beta}));
  expect_near("a of betas 0, beta and 1", ends, vector_of({1.0, 1.0 - beta, 0.0}), kDouble);
  expect_near("a of betas 1 and beta", nothing, vector_of({0.0, 0.0}), kDouble);
}

PROPERTY(noise_schedule, "sigmas: the root of (1 - a) / a") {
  const Alphas a = draw_alphas(draw, draw.size("T", 1, 9));
  DoubleVector expected(a.size());
  for (Index t = 0; t < a.size(); ++t) expected(t) = std::sqrt((1.0 - a(t)) / a(t));
  const DoubleVector got = ASK(noise_sigmas, a), clean = ASK(noise_sigmas, vector_of({1.0}));
  expect_near("sigmas", got, expected, kDouble);
  expect_near("sigma where a is 1", clean, vector_of({0.0}), kDouble);
}

PROPERTY(noise_schedule, "gives a_500 = 0.276333 and sigma from 0.0291672 to 14.6146 for SD") {
  const DoubleVector betas = ASK(make_betas, BetaSchedule::kScaledLinear, 1000, 0.00085, 0.012);
  const DoubleVector a = ASK(cumulative_alphas, betas);
  expect(a.size() == 1000, "there are 1000 timesteps");
  const DoubleVector sigmas = ASK(noise_sigmas, a);
  expect(sigmas.size() == 1000, "there are 1000 sigmas");
  expect_near("a of timesteps 0, 500, 999", vector_of({a(0), a(500), a(999)}),
              vector_of({0.99915, 0.2763326838, 0.0046600985}), {1e-5, 0.0, 0.0});
  expect_near("sigma of timesteps 0 and 999", vector_of({sigmas(0), sigmas(999)}),
              vector_of({0.0291671582, 14.6146412293}), {1e-5, 0.0, 0.0});
}

PROPERTY(noise_schedule, "gives a_500 = 0.0777967 and sigma up to 157.407 for DDPM") {
  const DoubleVector betas = ASK(make_betas, BetaSchedule::kLinear, 1000, 1e-4, 0.02);
  const DoubleVector a = ASK(cumulative_alphas, betas);
  expect(a.size() == 1000, "there are 1000 timesteps");
  const DoubleVector sigmas = ASK(noise_sigmas, a);
  expect(sigmas.size() == 1000, "there are 1000 sigmas");
  expect_near("a of timestep 500", a(500), 0.0777966584, {1e-5, 0.0, 0.0});
  expect_near("a of timestep 999", a(999), 4.0358297654e-5, {1e-5, 0.0, 0.0});
  expect_near("sigma of timestep 999", sigmas(999), 157.4072808104, {1e-5, 0.0, 0.0});
}

PROPERTY(noise_schedule, "betas: refuses fewer than two steps") {
  const Ends e = draw_ends(draw);
  const auto reply = [&](BetaSchedule kind, std::int64_t steps) {
    return REPLY(make_betas, kind, steps, e.first, e.last);
  };
  const Reply one = reply(BetaSchedule::kLinear, 1), none = reply(BetaSchedule::kCosine, 0);
  const Reply negative = reply(BetaSchedule::kScaledLinear, -3);
  expect_refused(one, "there is one step");
  expect_refused(none, "there is no step");
  expect_refused(negative, "the number of steps is negative");
}

PROPERTY(noise_schedule, "betas: refuses ends that are not 0 < first <= last < 1") {
  const Ends e = draw_ends(draw);
  const auto reply = [&](double first, double last) {
    return REPLY(make_betas, BetaSchedule::kLinear, 5, first, last);
  };
  const Reply zero = reply(0.0, e.last), negative = reply(-e.first, e.last);
  const Reply falling = reply(e.last, e.first), whole = reply(e.first, 1.0);
  const Reply scaled = REPLY(make_betas, BetaSchedule::kScaledLinear, 5, e.last, e.first);
  expect_refused(zero, "first is 0");
  expect_refused(negative, "first is negative");
  expect_refused(falling, "last is smaller than first");
  expect_refused(whole, "last is 1");
  expect_refused(scaled, "last is smaller than first, scaled linear");
}

PROPERTY(noise_schedule, "alphas: refuses a beta that is not from 0 to 1, and none at all") {
  const double beta = draw.number("beta", 0.1, 0.9);
  const Reply none = REPLY(cumulative_alphas, DoubleVector(0));
  const Reply above = REPLY(cumulative_alphas, vector_of({beta, 1.0 + beta}));
  const Reply below = REPLY(cumulative_alphas, vector_of({-beta, beta}));
  const Reply nan = REPLY(cumulative_alphas, vector_of({beta, kNoNumber}));
  expect_refused(none, "there is no beta");
  expect_refused(above, "a beta is above 1");
  expect_refused(below, "a beta is negative");
  expect_refused(nan, "a beta is NaN");
}

PROPERTY(noise_schedule, "sigmas: refuses an a that is not above 0 and at most 1") {
  const double a = draw.number("a", 0.1, 0.9);
  const Reply zero = REPLY(noise_sigmas, vector_of({a, 0.0}));
  const Reply negative = REPLY(noise_sigmas, vector_of({-a, a}));
  const Reply above = REPLY(noise_sigmas, vector_of({1.0 + a}));
  const Reply nan = REPLY(noise_sigmas, vector_of({kNoNumber, a}));
  expect_refused(zero, "an a is 0");
  expect_refused(negative, "an a is negative");
  expect_refused(above, "an a is above 1");
  expect_refused(nan, "an a is NaN");
}

// ---- 9.1 add_noise -----------------------------------------------------------------------------

/// Latents, noise, a timestep for each row, and a schedule.
struct Mixing {
  Matrix x0, eps;
  Timesteps t;
  Alphas a;

  double at(Index n) const { return a(t[static_cast<std::size_t>(n)]); }

  Oracle x_t() const {
    return tabulate(x0, [&](Index n, Index d) {
      return std::sqrt(at(n)) * double(x0(n, d)) + std::sqrt(1.0 - at(n)) * double(eps(n, d));
    });
  }

  Oracle v() const {
    return tabulate(x0, [&](Index n, Index d) {
      return std::sqrt(at(n)) * double(eps(n, d)) - std::sqrt(1.0 - at(n)) * double(x0(n, d));
    });
  }
};

/// The timesteps of the rows differ; each is at least 1.
Mixing draw_mixing(Draw& draw, Index least_rows = 2) {
  const Index n = draw.size("N", least_rows, 5), d = draw.size("D", 1, 5);
  const Index steps = n + draw.size("T - N", 2, 6);
  const Matrix x0 = draw.matrix("x0", n, d), eps = draw.matrix("eps", n, d);
  Timesteps t;
  for (Index row = 0; row < n; ++row) t.push_back(steps - 1 - row);
  for (std::size_t i = t.size(); i > 1; --i)
    std::swap(t[i - 1], t[static_cast<std::size_t>(draw.random().integer(0, Index(i) - 1))]);
  draw.show("t", t);
  return {x0, eps, t, draw_alphas(draw, steps)};
}

#define NOISY(c) ASK(add_noise, (c).x0, (c).eps, (c).t, (c).a)
#define NOISY_REPLY(c) REPLY(add_noise, (c).x0, (c).eps, (c).t, (c).a)
#define VELOCITY(c) ASK(velocity, (c).x0, (c).eps, (c).t, (c).a)
#define VELOCITY_REPLY(c) REPLY(velocity, (c).x0, (c).eps, (c).t, (c).a)

DEFINES(add_noise, "is sqrt(a) x0 + sqrt(1 - a) eps, each row with its own timestep") {
  const Mixing c = draw_mixing(draw);
  expect_near("x_t", NOISY(c), c.x_t(), rounding(8.0));
}

PROPERTY(add_noise, "reaches from timestep 0 to T - 1") {
  Mixing c = draw_mixing(draw, 1);
  c.t.assign(c.t.size(), 0);
  const Matrix first = NOISY(c);
  expect_near("x_t at timestep 0", first, c.x_t(), rounding(8.0));
  c.t.assign(c.t.size(), c.a.size() - 1);
  const Matrix last = NOISY(c);
  expect_near("x_t at timestep T - 1", last, c.x_t(), rounding(8.0));
}

PROPERTY(add_noise, "velocity: is sqrt(a) eps - sqrt(1 - a) x0, each row with its own") {
  const Mixing c = draw_mixing(draw);
  expect_near("v", VELOCITY(c), c.v(), rounding(8.0));
}

PROPERTY(add_noise, "gives -0.737921, and v = -1.278856, for x0 = 0.7, eps = -1.3, t = 500") {
  const Mixing c{one_number(0.7), one_number(-1.3), {500}, scaled_linear()};
  const Matrix x_t = NOISY(c), v = VELOCITY(c);
  expect_near("x_t", x_t, one_number(-0.7379208), rounding(1.0));
  expect_near("v", v, one_number(-1.2788561), rounding(1.0));
}

PROPERTY(add_noise, "takes a batch without rows") {
  const Index d = draw.size("D", 1, 5);
  const Mixing c{zeros(0, d), zeros(0, d), {}, draw_alphas(draw, 4)};
  const Matrix x_t = NOISY(c), v = VELOCITY(c);
  expect_near("x_t", x_t, Oracle(0, d));
  expect_near("v", v, Oracle(0, d));
}

PROPERTY(add_noise, "refuses x0 and eps of different shapes") {
  const Mixing c = draw_mixing(draw);
  Mixing longer = c, wider = c;
  longer.eps = with_one_row_more(c.eps);
  wider.eps = with_one_column_more(c.eps);
  const Reply rows = NOISY_REPLY(longer), columns = NOISY_REPLY(wider);
  const Reply v_rows = VELOCITY_REPLY(longer), v_columns = VELOCITY_REPLY(wider);
  expect_refused(rows, "eps has one row more than x0");
  expect_refused(columns, "eps has one column more than x0");
  expect_refused(v_rows, "velocity: eps has one row more than x0");
  expect_refused(v_columns, "velocity: eps has one column more than x0");
}

PROPERTY(add_noise, "refuses more or fewer timesteps than rows") {
  const Mixing c = draw_mixing(draw);
  Mixing more = c, single = c;
  more.t.push_back(0);
  single.t.resize(1);
  const Reply too_many = NOISY_REPLY(more), one = NOISY_REPLY(single);
  const Reply v_too_many = VELOCITY_REPLY(more), v_one = VELOCITY_REPLY(single);
  expect_refused(too_many, "there is one timestep more than rows");
  expect_refused(one, "there is one timestep for several rows");
  expect_refused(v_too_many, "velocity: there is one timestep more than rows");
  expect_refused(v_one, "velocity: there is one timestep for several rows");
}

PROPERTY(add_noise, "refuses a timestep that is not from 0 to T - 1") {
  const Mixing c = draw_mixing(draw);
  Mixing below = c, above = c;
  below.t.back() = -1;
  above.t.front() = c.a.size();
  const Reply negative = NOISY_REPLY(below), too_large = NOISY_REPLY(above);
  const Reply v_negative = VELOCITY_REPLY(below), v_too_large = VELOCITY_REPLY(above);
  expect_refused(negative, "a timestep is -1");
  expect_refused(too_large, "a timestep is T");
  expect_refused(v_negative, "velocity: a timestep is -1");
  expect_refused(v_too_large, "velocity: a timestep is T");
}

// ---- 9.2 convert_prediction --------------------------------------------------------------------

/// A noisy latent, a model's output and a.
struct Converting {
  Matrix x_t, output;
  double a;

  double scale() const {
    return (largest(x_t) + largest(output)) / std::sqrt(std::min(a, 1.0 - a));
  }
};

Converting draw_converting(Draw& draw) {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 5);
  const Matrix x_t = draw.matrix("x_t", n, d), output = draw.matrix("output", n, d);
  return {x_t, output, draw.number("a_t", 0.1, 0.8)};
}

#define CONVERTED(type, c) ASK(convert_prediction, type, (c).x_t, (c).output, (c).a)
#define CONVERTED_REPLY(type, c) REPLY(convert_prediction, type, (c).x_t, (c).output, (c).a)

DEFINES(convert_prediction, "epsilon: x_0 is (x_t - sqrt(1 - a) o) / sqrt(a), eps is o") {
  const Converting c = draw_converting(draw);
  const Denoised got = CONVERTED(Type::kEpsilon, c);
  const Pair expected = pair_of(Type::kEpsilon, c.x_t, c.output, c.a);
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("eps", got.eps, expected.eps, rounding(c.scale()));
}

PROPERTY(convert_prediction, "sample: x_0 is o, eps is (x_t - sqrt(a) o) / sqrt(1 - a)") {
  const Converting c = draw_converting(draw);
  const Denoised got = CONVERTED(Type::kSample, c);
  const Pair expected = pair_of(Type::kSample, c.x_t, c.output, c.a);
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("eps", got.eps, expected.eps, rounding(c.scale()));
}

PROPERTY(convert_prediction, "velocity: x_0 is sqrt(a) x_t - sqrt(1 - a) o, eps the other") {
  const Converting c = draw_converting(draw);
  const Denoised got = CONVERTED(Type::kVelocity, c);
  const Pair expected = pair_of(Type::kVelocity, c.x_t, c.output, c.a);
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("eps", got.eps, expected.eps, rounding(c.scale()));
}

PROPERTY(convert_prediction, "flow: x_0 is x - s u, eps is x + (1 - s) u") {
  const Converting c = draw_converting(draw);
  const double s = draw.show("s", 1.0 - c.a);
  const Denoised got = ASK(convert_flow, c.x_t, c.output, s);
  const auto ends = [&](double way) {
    return tabulate(c.x_t, [&](Index n, Index d) {
      return double(c.x_t(n, d)) + way * double(c.output(n, d));
    });
  };
  expect_near("x0", got.x0, ends(-s), rounding(c.scale()));
  expect_near("eps", got.eps, ends(1.0 - s), rounding(c.scale()));
}

PROPERTY(convert_prediction, "for a = 0.25, x_0 = 1, eps = 0: v is -0.866; as eps it makes 2.5") {
  const double v = -std::sqrt(0.75);
  const Matrix x_t = one_number(0.5);
  const auto x0_of = [&](Type type, double output) {
    return Matrix(ASK(convert_prediction, type, x_t, one_number(output), 0.25).x0);
  };
  const Matrix right = x0_of(Type::kVelocity, v), v_as_eps = x0_of(Type::kEpsilon, v);
  const Matrix eps_as_v = x0_of(Type::kVelocity, 0.0);
  expect_near("x0 of v, taken for v", right, one_number(1.0), rounding(1.0));
  expect_near("x0 of v, taken for epsilon", v_as_eps, one_number(2.5), rounding(2.5));
  expect_near("x0 of epsilon, taken for v", eps_as_v, one_number(0.25), rounding(1.0));
}

PROPERTY(convert_prediction, "takes an a of 0 and of 1 wherever nothing is divided by it") {
  Converting c = draw_converting(draw);
  c.a = 0.0;
  const Denoised v_noise = CONVERTED(Type::kVelocity, c), noise = CONVERTED(Type::kSample, c);
  c.a = 1.0;
  const Denoised v_clean = CONVERTED(Type::kVelocity, c), clean = CONVERTED(Type::kEpsilon, c);
  expect_near("x0, velocity at a = 0", v_noise.x0, Matrix(-c.output), rounding(4.0));
  expect_near("eps, sample at a = 0", noise.eps, c.x_t, rounding(4.0));
  expect_near("x0, velocity at a = 1", v_clean.x0, c.x_t, rounding(4.0));
  expect_near("x0, epsilon at a = 1", clean.x0, c.x_t, rounding(4.0));
}

PROPERTY(convert_prediction, "flow: takes a share of 0 and of 1") {
  const Converting c = draw_converting(draw);
  const Denoised clean = ASK(convert_flow, c.x_t, c.output, 0.0);
  const Denoised noise = ASK(convert_flow, c.x_t, c.output, 1.0);
  expect_near("x0 at s = 0", clean.x0, c.x_t, rounding(4.0));
  expect_near("eps at s = 1", noise.eps, c.x_t, rounding(4.0));
}

PROPERTY(convert_prediction, "takes a batch without rows") {
  const Index d = draw.size("D", 1, 5);
  const Converting c{zeros(0, d), zeros(0, d), 0.5};
  for (const Type type : {Type::kEpsilon, Type::kSample, Type::kVelocity}) {
    const Denoised got = CONVERTED(type, c);
    expect_near("x0", got.x0, Oracle(0, d));
    expect_near("eps", got.eps, Oracle(0, d));
  }
}

PROPERTY(convert_prediction, "refuses x_t and output of different shapes") {
  const Converting c = draw_converting(draw);
  Converting longer = c, wider = c;
  longer.output = with_one_row_more(c.output);
  wider.output = with_one_column_more(c.output);
  const Reply rows = CONVERTED_REPLY(Type::kEpsilon, longer);
  const Reply columns = CONVERTED_REPLY(Type::kVelocity, wider);
  const Reply sample = CONVERTED_REPLY(Type::kSample, wider);
  expect_refused(rows, "the output has one row more than x_t");
  expect_refused(columns, "the output has one column more than x_t");
  expect_refused(sample, "the output has one column more than x_t, sample");
}

PROPERTY(convert_prediction, "refuses epsilon where a is 0: there is no signal to find") {
  Converting c = draw_converting(draw);
  c.a = 0.0;
  const Reply drawn = CONVERTED_REPLY(Type::kEpsilon, c);
  c.output = c.x_t;
  const Reply same = CONVERTED_REPLY(Type::kEpsilon, c);
  expect_refused(drawn, "a is 0");
  expect_refused(same, "a is 0, and the output is x_t");
}

PROPERTY(convert_prediction, "refuses sample where a is 1: there is no noise to find") {
  Converting c = draw_converting(draw);
  c.a = 1.0;
  const Reply drawn = CONVERTED_REPLY(Type::kSample, c);
  c.output = c.x_t;
  const Reply same = CONVERTED_REPLY(Type::kSample, c);
  expect_refused(drawn, "a is 1");
  expect_refused(same, "a is 1, and the output is x_t");
}

PROPERTY(convert_prediction, "refuses an a that is not from 0 to 1") {
  Converting c = draw_converting(draw);
  const auto reply = [&](Type type, double a) {
    c.a = a;
    return REPLY(convert_prediction, type, c.x_t, c.output, a);
  };
  const Reply below = reply(Type::kVelocity, -0.25), above = reply(Type::kEpsilon, 1.25);
  const Reply nan = reply(Type::kSample, kNoNumber);
  expect_refused(below, "a is negative");
  expect_refused(above, "a is above 1");
  expect_refused(nan, "a is NaN");
}

PROPERTY(convert_prediction, "flow: refuses other shapes, and a share that is not from 0 to 1") {
  const Converting c = draw_converting(draw);
  const auto reply = [&](const Matrix& output, double s) {
    return REPLY(convert_flow, c.x_t, output, s);
  };
  const Reply rows = reply(with_one_row_more(c.output), 0.5), below = reply(c.output, -0.25);
  const Reply above = reply(c.output, 1.25), nan = reply(c.output, kNoNumber);
  const Reply columns = reply(with_one_column_more(c.output), 0.5);
  expect_refused(rows, "the output has one row more than x");
  expect_refused(columns, "the output has one column more than x");
  expect_refused(below, "s is negative");
  expect_refused(above, "s is above 1");
  expect_refused(nan, "s is NaN");
}

// ---- 9.3 timesteps -----------------------------------------------------------------------------

/// T, S and an offset with which every timestep of leading is below T.
struct Plan {
  std::int64_t train_steps, steps, offset;
};

/// T is not a multiple of S, and S is odd, so that no timestep of trailing lies halfway between
/// two.
Plan draw_plan(Draw& draw) {
  const std::int64_t steps = 2 * draw.size("(S - 1) / 2", 1, 6) + 1;
  std::int64_t train_steps = draw.random().integer(4 * steps, 1000);
  if (train_steps % steps == 0) train_steps += 1;
  const Plan plan{train_steps, steps, draw.random().integer(1, train_steps / steps - 1)};
  draw.show("T", plan.train_steps);
  draw.show("S", plan.steps);
  draw.show("offset", plan.offset);
  return plan;
}

/// The same for linspace: T - 1 is not a multiple of S - 1, and S - 1 is odd.
Plan draw_linspace_plan(Draw& draw) {
  const std::int64_t steps = 2 * draw.size("S / 2", 2, 7);
  std::int64_t train_steps = draw.random().integer(4 * steps, 1000);
  if ((train_steps - 1) % (steps - 1) == 0) train_steps += 1;
  const Plan plan{train_steps, steps, draw.random().integer(1, train_steps / steps - 1)};
  draw.show("T", plan.train_steps);
  draw.show("S", plan.steps);
  draw.show("offset", plan.offset);
  return plan;
}

/// Nearest whole number to p / q, q positive, the even one of two; without any division.
std::int64_t nearest_whole(std::int64_t p, std::int64_t q) {
  std::int64_t whole = 0;
  while ((2 * whole + 1) * q < 2 * p) ++whole;
  if ((2 * whole + 1) * q == 2 * p && whole % 2 == 1) ++whole;
  return whole;
}

Timesteps timesteps_oracle(TimestepSpacing spacing, const Plan& p) {
  Timesteps result;
  for (std::int64_t i = p.steps - 1; i >= 0; --i) {
    if (spacing == TimestepSpacing::kLeading) {
      std::int64_t ratio = 0;
      while ((ratio + 1) * p.steps <= p.train_steps) ++ratio;
      result.push_back(i * ratio + p.offset);
    } else if (spacing == TimestepSpacing::kLinspace) {
      result.push_back(nearest_whole(i * (p.train_steps - 1), p.steps - 1));
    } else {
      result.push_back(nearest_whole((i + 1) * p.train_steps, p.steps) - 1);
    }
  }
  return result;
}

Timesteps all_down_from(std::int64_t t) {
  Timesteps result;
  for (; t >= 0; --t) result.push_back(t);
  return result;
}

#define STEPS(spacing, p) \
  ASK(sampling_timesteps, TimestepSpacing::spacing, (p).train_steps, (p).steps, (p).offset)
#define STEPS_REPLY(spacing, ...) REPLY(sampling_timesteps, TimestepSpacing::spacing, __VA_ARGS__)

DEFINES(timesteps, "leading: multiples of floor(T / S) plus the offset, largest first") {
  const Plan p = draw_plan(draw);
  expect_equal("timesteps", STEPS(kLeading, p).timesteps,
               timesteps_oracle(TimestepSpacing::kLeading, p));
}

PROPERTY(timesteps, "linspace: from T - 1 to 0 in equal distances, rounded, whatever the offset") {
  const Plan p = draw_linspace_plan(draw);
  expect_equal("timesteps", STEPS(kLinspace, p).timesteps,
               timesteps_oracle(TimestepSpacing::kLinspace, p));
}

PROPERTY(timesteps, "trailing: T, T - T/S ..., rounded, each less 1, whatever the offset") {
  const Plan p = draw_plan(draw);
  expect_equal("timesteps", STEPS(kTrailing, p).timesteps,
               timesteps_oracle(TimestepSpacing::kTrailing, p));
}

PROPERTY(timesteps, "of two that are equally near, the even one") {
  const Plan seven{1000, 7, 0}, sixteen{1000, 16, 0};
  const Timesteps linspace = STEPS(kLinspace, seven).timesteps;
  const Timesteps trailing = STEPS(kTrailing, sixteen).timesteps;
  expect_equal("linspace, T = 1000, S = 7: 832.5, 499.5 and 166.5 lie halfway", linspace,
               Timesteps{999, 832, 666, 500, 333, 166, 0});
  expect_equal("trailing, T = 1000, S = 16: eight of them lie halfway", trailing,
               timesteps_oracle(TimestepSpacing::kTrailing, sixteen));
}

/// The list without its first one, and -1.
Timesteps next_of(const Timesteps& timesteps) {
  Timesteps next(timesteps.begin() + (timesteps.empty() ? 0 : 1), timesteps.end());
  next.push_back(-1);
  return next;
}

PROPERTY(timesteps, "previous: the next one in the list, for every spacing") {
  const Plan p = draw_plan(draw);
  const auto but_last = [&](Timesteps previous) {
    if (!previous.empty()) previous.pop_back();
    return previous;
  };
  const SamplingSteps leading = STEPS(kLeading, p), linspace = STEPS(kLinspace, p);
  const SamplingSteps trailing = STEPS(kTrailing, p);
  expect_equal("leading", but_last(leading.previous), but_last(next_of(leading.timesteps)));
  expect_equal("linspace", but_last(linspace.previous), but_last(next_of(linspace.timesteps)));
  expect_equal("trailing", but_last(trailing.previous), but_last(next_of(trailing.timesteps)));
}

PROPERTY(timesteps, "previous: -1 for the last step, for every spacing") {
  const Plan p = draw_plan(draw);
  const SamplingSteps leading = STEPS(kLeading, p), linspace = STEPS(kLinspace, p);
  const SamplingSteps trailing = STEPS(kTrailing, p);
  for (const SamplingSteps* s : {&leading, &linspace, &trailing}) {
    expect(s->previous.size() == s->timesteps.size(), "each step has a previous timestep");
    expect_equal("the last one's", s->previous.back(), std::int64_t{-1});
  }
}

PROPERTY(timesteps, "T = 1000, S = 5: 801 ... 1, 999 ... 0 and 999 ... 199") {
  const Plan five{1000, 5, 1}, plain{1000, 5, 0}, fifty{1000, 50, 0};
  const SamplingSteps leading = STEPS(kLeading, five), linspace = STEPS(kLinspace, plain);
  const SamplingSteps trailing = STEPS(kTrailing, plain), many = STEPS(kLeading, fifty);
  expect_equal("leading, offset 1", leading.timesteps, Timesteps{801, 601, 401, 201, 1});
  expect_equal("linspace", linspace.timesteps, Timesteps{999, 749, 500, 250, 0});
  expect_equal("trailing", trailing.timesteps, Timesteps{999, 799, 599, 399, 199});
  expect(!many.timesteps.empty() && many.timesteps[0] == 980,
         "leading starts at 980 for S = 50, offset 0");
}

PROPERTY(timesteps, "trailing, T = 1000, S = 13: 999 goes to 922, not to 923") {
  const SamplingSteps got = STEPS(kTrailing, (Plan{1000, 13, 0}));
  expect_equal("timesteps", got.timesteps,
               Timesteps{999, 922, 845, 768, 691, 614, 537, 461, 384, 307, 230, 153, 76});
  expect(!got.previous.empty() && got.previous[0] == 922, "the first step goes to 922");
}

PROPERTY(timesteps, "takes one step, and as many as there are") {
  const std::int64_t t = draw.integer("T", 3, 40), offset = draw.integer("offset", 1, t - 1);
  const Plan all{t, t, 0};
  const SamplingSteps one = STEPS(kLeading, (Plan{t, 1, offset}));
  const SamplingSteps last = STEPS(kTrailing, (Plan{t, 1, 0}));
  const SamplingSteps leading = STEPS(kLeading, all), linspace = STEPS(kLinspace, all);
  const SamplingSteps trailing = STEPS(kTrailing, all);
  expect_equal("leading, one step", one.timesteps, Timesteps{offset});
  expect_equal("trailing, one step", last.timesteps, Timesteps{t - 1});
  expect_equal("leading, all steps", leading.timesteps, all_down_from(t - 1));
  expect_equal("linspace, all steps", linspace.timesteps, all_down_from(t - 1));
  expect_equal("trailing, all steps", trailing.timesteps, all_down_from(t - 1));
}

PROPERTY(timesteps, "refuses no step, and more steps than timesteps") {
  const Plan p = draw_plan(draw);
  const Reply none = STEPS_REPLY(kLeading, p.train_steps, 0, 0);
  const Reply negative = STEPS_REPLY(kTrailing, p.train_steps, -p.steps, 0);
  const Reply more = STEPS_REPLY(kLinspace, p.train_steps, p.train_steps + 1, 0);
  const Reply many = STEPS_REPLY(kTrailing, p.steps, p.train_steps, 0);
  expect_refused(none, "there is no step");
  expect_refused(negative, "the number of steps is negative");
  expect_refused(more, "there is one step more than timesteps");
  expect_refused(many, "there are more steps than timesteps");
}

PROPERTY(timesteps, "linspace: refuses a single step, which cannot have two ends") {
  const Plan p = draw_plan(draw);
  const Reply drawn = STEPS_REPLY(kLinspace, p.train_steps, 1, 0);
  const Reply only = STEPS_REPLY(kLinspace, 1, 1, 0);
  expect_refused(drawn, "there is one step");
  expect_refused(only, "there is one step, and one timestep");
}

PROPERTY(timesteps, "leading: refuses an offset that leads out of the timesteps") {
  const Plan p = draw_plan(draw);
  const std::int64_t room = p.train_steps - (p.steps - 1) * (p.train_steps / p.steps);
  const Reply above = STEPS_REPLY(kLeading, p.train_steps, p.steps, room);
  const Reply all = STEPS_REPLY(kLeading, p.train_steps, p.train_steps, 1);
  const Reply below = STEPS_REPLY(kLeading, p.train_steps, p.steps, -1);
  expect_refused(above, "the first timestep would be T");
  expect_refused(all, "all timesteps are visited, and the offset is 1");
  expect_refused(below, "the last timestep would be -1");
}

// ---- 9.4 ddim_step -----------------------------------------------------------------------------

/// A step of DDIM or DDPM, without its options.
struct StepCase {
  Matrix x_t, output;
  std::int64_t t, previous;
  Alphas a;
  Matrix noise;

  double alpha() const { return a(t); }

  /// Bounds what enters the result: 1 / sqrt(a) and 1 / sqrt(1 - a) are below 5.
  double scale() const { return 5.0 * (largest(x_t) + largest(output)) + largest(noise); }
};

/// t and previous are at least two timesteps apart, both within the schedule.
StepCase draw_step(Draw& draw) {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4), steps = draw.size("T", 7, 12);
  const Matrix x_t = draw.matrix("x_t", n, d), output = draw.matrix("output", n, d);
  const std::int64_t t = draw.integer("t", 4, steps - 1);
  const std::int64_t previous = draw.integer("previous", 1, t - 2);
  const Alphas a = draw_alphas(draw, steps);
  return {x_t, output, t, previous, a, draw.matrix("noise", n, d)};
}

/// The same with a step of one timestep.
StepCase draw_single_step(Draw& draw) {
  StepCase c = draw_step(draw);
  c.previous = draw.show("previous, instead", c.t - 1);
  return c;
}

/// The same to where no noise is left.
StepCase draw_last_step(Draw& draw) {
  StepCase c = draw_step(draw);
  c.previous = draw.show("previous, instead", std::int64_t{-1});
  return c;
}

DdimOptions ddim(Type prediction, double eta = 0.0, double clip = kEndless, bool rederive = false,
                 double final_alpha = 1.0) {
  return {prediction, eta, clip, rederive, final_alpha};
}

Oracle limited(const Oracle& x, double limit) {
  return x.cwiseMin(limit).cwiseMax(-limit);
}

struct StepOracle {
  Oracle prev, x0;
};

StepOracle ddim_oracle(const StepCase& c, const DdimOptions& o) {
  const double a = c.alpha(), next = c.previous < 0 ? o.final_alpha : c.a(c.previous);
  const Pair pair = pair_of(o.prediction, c.x_t, c.output, a);
  const Oracle x0 = limited(pair.x0, o.clip);
  const double s = o.eta * std::sqrt((1.0 - next) / (1.0 - a) * (1.0 - a / next));
  const auto prev = [&](Index n, Index d) {
    const double left = (double(c.x_t(n, d)) - std::sqrt(a) * x0(n, d)) / std::sqrt(1.0 - a);
    const double eps = o.rederive_eps ? left : pair.eps(n, d);
    return std::sqrt(next) * x0(n, d) + std::sqrt(1.0 - next - s * s) * eps +
           s * double(c.noise(n, d));
  };
  return {tabulate(c.x_t, prev), x0};
}

#define DDIM(c, o) ASK(ddim_step, (c).x_t, (c).output, (c).t, (c).previous, (c).a, (c).noise, o)
#define DDIM_REPLY(c, o) \
  REPLY(ddim_step, (c).x_t, (c).output, (c).t, (c).previous, (c).a, (c).noise, o)

DEFINES(ddim_step, "eta 0: mixes x_0 and eps again, with the a of previous") {
  const StepCase c = draw_step(draw);
  StepCase to_first = c;
  to_first.previous = 0;
  const DenoisingStep got = DDIM(c, ddim(Type::kEpsilon));
  const DenoisingStep first = DDIM(to_first, ddim(Type::kEpsilon));
  const StepOracle expected = ddim_oracle(c, ddim(Type::kEpsilon));
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("prev", got.prev, expected.prev, rounding(c.scale()));
  expect_near("prev at timestep 0", first.prev, ddim_oracle(to_first, ddim(Type::kEpsilon)).prev,
              rounding(c.scale()));
}

PROPERTY(ddim_step, "understands a model that puts out x_0") {
  const StepCase c = draw_step(draw);
  const DenoisingStep got = DDIM(c, ddim(Type::kSample));
  const StepOracle expected = ddim_oracle(c, ddim(Type::kSample));
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("prev", got.prev, expected.prev, rounding(c.scale()));
}

PROPERTY(ddim_step, "understands a model that puts out v") {
  const StepCase c = draw_step(draw);
  const DenoisingStep got = DDIM(c, ddim(Type::kVelocity));
  const StepOracle expected = ddim_oracle(c, ddim(Type::kVelocity));
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("prev", got.prev, expected.prev, rounding(c.scale()));
}

PROPERTY(ddim_step, "eta: adds s of the noise and leaves eps sqrt(1 - a' - s^2)") {
  const StepCase c = draw_step(draw);
  const DdimOptions o = ddim(Type::kEpsilon, draw.number("eta", 0.3, 0.9));
  expect_near("prev", DDIM(c, o).prev, ddim_oracle(c, o).prev, rounding(c.scale()));
}

PROPERTY(ddim_step, "eta 1, one timestep: is a DDPM step with the small variance") {
  const StepCase c = draw_single_step(draw);
  const DenoisingStep got = DDIM(c, ddim(Type::kEpsilon, 1.0));
  const double a = c.alpha(), next = c.a(c.previous), alpha = a / next, beta = 1.0 - alpha;
  const Oracle x0 = pair_of(Type::kEpsilon, c.x_t, c.output, a).x0;
  const auto prev = [&](Index n, Index d) {
    return std::sqrt(next) * beta / (1.0 - a) * x0(n, d) +
           std::sqrt(alpha) * (1.0 - next) / (1.0 - a) * double(c.x_t(n, d)) +
           std::sqrt((1.0 - next) / (1.0 - a) * beta) * double(c.noise(n, d));
  };
  expect_near("prev", got.prev, tabulate(c.x_t, prev), rounding(c.scale()));
}

PROPERTY(ddim_step, "previous -1: arrives at x_0, whatever eta") {
  const StepCase c = draw_last_step(draw);
  const DdimOptions o = ddim(Type::kEpsilon, 0.0), noisy = ddim(Type::kVelocity, 1.0);
  const Matrix quiet = DDIM(c, o).prev, other = DDIM(c, noisy).prev;
  expect_near("prev", quiet, ddim_oracle(c, o).x0, rounding(c.scale()));
  expect_near("prev, velocity and eta 1", other, ddim_oracle(c, noisy).x0, rounding(c.scale()));
}

PROPERTY(ddim_step, "previous -1: takes final_alpha where it is not 1") {
  const StepCase c = draw_last_step(draw);
  const DdimOptions first = ddim(Type::kEpsilon, 0.0, kEndless, false, c.a(0));
  const DdimOptions other = ddim(Type::kEpsilon, 0.0, kEndless, false, 0.75);
  const Matrix as_first = DDIM(c, first).prev, as_other = DDIM(c, other).prev;
  expect_near("prev, final_alpha = a_0", as_first, ddim_oracle(c, first).prev, rounding(c.scale()));
  expect_near("prev, final_alpha = 0.75", as_other, ddim_oracle(c, other).prev,
              rounding(c.scale()));
}

PROPERTY(ddim_step, "does not look at final_alpha before the last step") {
  const StepCase c = draw_step(draw);
  const DdimOptions o = ddim(Type::kEpsilon, 0.0, kEndless, false, draw.number("final", 0.2, 0.9));
  expect_near("prev", DDIM(c, o).prev, ddim_oracle(c, o).prev, rounding(c.scale()));
}

/// A step in which some elements of x_0 are beyond `clip` on either side, and some within.
struct Clipping {
  StepCase c;
  double clip;
};

Clipping draw_clipping(Draw& draw, Type type) {
  StepCase c = draw_step(draw);
  const double clip = draw.number("clip", 0.4, 1.6);
  // x_0 is set element by element; x_t and output are made to fit it.
  const double r = std::sqrt(c.alpha()), q = std::sqrt(1.0 - c.alpha());
  for (Index i = 0; i < c.x_t.size(); ++i) {
    const double sign = draw.random().integer(0, 1) == 0 ? 1.0 : -1.0;
    const double x0 = sign * clip * (i % 3 == 2 ? 0.5 : draw.random().uniform(1.5, 3.0));
    const double eps = draw.random().uniform(0.5, 1.5);
    c.x_t.data()[i] = float(r * x0 + q * eps);
    c.output.data()[i] = float(type == Type::kEpsilon  ? eps
                               : type == Type::kSample ? x0
                                                       : r * eps - q * x0);
  }
  draw.show("x_t, made to fit", c.x_t);
  draw.show("output, made to fit", c.output);
  return {c, clip};
}

PROPERTY(ddim_step, "clip: keeps x_0 within +-clip, and eps as it is") {
  const Clipping k = draw_clipping(draw, Type::kEpsilon);
  const DdimOptions o = ddim(Type::kEpsilon, 0.0, k.clip);
  const DenoisingStep got = DDIM(k.c, o);
  const StepOracle expected = ddim_oracle(k.c, o);
  expect_near("x0", got.x0, expected.x0, rounding(k.c.scale()));
  expect_near("prev", got.prev, expected.prev, rounding(k.c.scale()));
}

PROPERTY(ddim_step, "rederive_eps: eps is what x_t and the clipped x_0 leave") {
  const Clipping k = draw_clipping(draw, Type::kVelocity);
  const DdimOptions o = ddim(Type::kVelocity, 0.0, k.clip, true);
  expect_near("prev", DDIM(k.c, o).prev, ddim_oracle(k.c, o).prev, rounding(k.c.scale()));
}

PROPERTY(ddim_step, "x_0 = 3, clip 1: eps kept gives 0.9, derived again 1.5538") {
  // a = 0.36, a' = 0.81; x_t = 0.6 * 3 + 0.8 * 0 = 1.8.
  const StepCase c{one_number(1.8),         one_number(0.0), 1, 0,
                   vector_of({0.81, 0.36}), one_number(0.0)};
  const DenoisingStep kept = DDIM(c, ddim(Type::kEpsilon, 0.0, 1.0));
  const DenoisingStep made = DDIM(c, ddim(Type::kEpsilon, 0.0, 1.0, true));
  const DenoisingStep none = DDIM(c, ddim(Type::kEpsilon));
  expect_near("prev, clipped, eps kept", kept.prev, one_number(0.9), rounding(3.0));
  expect_near("prev, clipped, eps derived again", made.prev,
              one_number(0.9 + std::sqrt(0.19) * 1.5), rounding(3.0));
  expect_near("prev, not clipped", none.prev, one_number(2.7), rounding(3.0));
}

PROPERTY(ddim_step, "eta 1: variances 0.14772, 0.32461, 0.00979 and 0.02 of DDPM's schedule") {
  struct Row {
    std::int64_t t, previous;
    double variance;
  };
  for (const Row& row : {Row{420, 400, 0.1477195128}, Row{980, 960, 0.3246052359},
                         Row{487, 486, 0.0097915720}, Row{999, 998, 0.0199999835}}) {
    const StepCase c{one_number(0.0), one_number(0.0), row.t,
                     row.previous,    plain_linear(),  one_number(1.0)};
    const Matrix prev = DDIM(c, ddim(Type::kEpsilon, 1.0)).prev;
    const std::string name = std::to_string(row.t) + " to " + std::to_string(row.previous);
    expect_near("prev of noise 1 alone, " + name, prev, one_number(std::sqrt(row.variance)),
                {1e-6, 0.0, 0.0});
  }
}

/// 0/768 to 767/768, as the tests of diffusers have it.
Matrix ramp(bool falling = false) {
  Matrix x(8, 96);
  for (Index i = 0; i < 768; ++i) x.data()[i] = float(double(falling ? 767 - i : i) / 768.0);
  return x;
}

/// The model of those tests: x t / (t + 1).
Matrix toy_model(const Matrix& x, double t) {
  return x * float(t / (t + 1.0));
}

PROPERTY(ddim_step, "ten steps: 172.0067 for eps, 52.5302 for v, 149.8295, 149.0784, 354.5418") {
  const Matrix nothing = zeros(8, 96);
  const auto loop = [&](Matrix x, Type type, const Alphas& a, double final_alpha,
                        std::int64_t start) {
    const DdimOptions options = ddim(type, 0.0, 1.0, false, final_alpha);
    for (std::int64_t t = start; t >= 0; t -= 100) {
      const StepCase c{x, toy_model(x, double(t)), t, t == 0 ? -1 : t - 100, a, nothing};
      x = DDIM(c, options).prev;
      expect(x.rows() == 8 && x.cols() == 96, "a step keeps the shape");
    }
    return x.cast<double>().cwiseAbs().sum();
  };
  const Alphas a = plain_linear(), steep = known_alphas(false, 0.01, 0.02);
  const Matrix noisy =
      float(std::sqrt(a(100))) * ramp() + float(std::sqrt(1 - a(100))) * ramp(true);
  const double eps = loop(ramp(), Type::kEpsilon, a, 1.0, 900);
  const double v = loop(ramp(), Type::kVelocity, a, 1.0, 900);
  const double one = loop(ramp(), Type::kEpsilon, steep, 1.0, 900);
  const double first = loop(ramp(), Type::kEpsilon, steep, steep(0), 900);
  const double late = loop(noisy, Type::kEpsilon, a, 1.0, 100);
  constexpr Tolerance kLoop{2e-5, 0.0, 0.0};
  expect_near("sum of magnitudes, epsilon", eps, 172.0065222, kLoop);
  expect_near("velocity", v, 52.5301238, kLoop);
  expect_near("beta from 0.01, final_alpha 1", one, 149.8294595, kLoop);
  expect_near("beta from 0.01, final_alpha a_0", first, 149.0784300, kLoop);
  expect_near("from step 8 of 10, with noise", late, 354.5415012, kLoop);
}

PROPERTY(ddim_step, "takes a batch without rows") {
  StepCase c = draw_step(draw);
  const Index d = c.x_t.cols();
  c.x_t = c.output = c.noise = zeros(0, d);
  const DenoisingStep got = DDIM(c, ddim(Type::kEpsilon, 0.5));
  expect_near("prev", got.prev, Oracle(0, d));
  expect_near("x0", got.x0, Oracle(0, d));
}

PROPERTY(ddim_step, "refuses x_t, output and noise of different shapes") {
  const StepCase c = draw_step(draw);
  StepCase output = c, rows = c, columns = c;
  output.output = with_one_column_more(c.output);
  rows.noise = with_one_row_more(c.noise);
  columns.noise = with_one_column_more(c.noise);
  const Reply of_output = DDIM_REPLY(output, ddim(Type::kEpsilon));
  const Reply of_rows = DDIM_REPLY(rows, ddim(Type::kEpsilon));
  const Reply of_columns = DDIM_REPLY(columns, ddim(Type::kSample, 1.0));
  expect_refused(of_output, "the output has one column more than x_t");
  expect_refused(of_rows, "the noise has one row more than x_t, and eta is 0");
  expect_refused(of_columns, "the noise has one column more than x_t");
}

PROPERTY(ddim_step, "refuses a timestep that is not from 0 to T - 1") {
  const StepCase c = draw_step(draw);
  StepCase below = c, above = c;
  below.t = below.previous = -1;
  above.t = c.a.size();
  const Reply negative = DDIM_REPLY(below, ddim(Type::kEpsilon));
  const Reply too_large = DDIM_REPLY(above, ddim(Type::kEpsilon));
  expect_refused(negative, "t is -1");
  expect_refused(too_large, "t is T");
}

PROPERTY(ddim_step, "refuses a previous timestep that is not from -1 to t - 1") {
  const StepCase c = draw_step(draw);
  StepCase below = c, same = c, above = c;
  below.previous = -2;
  same.previous = c.t;
  above.previous = c.t + 1;
  above.t = c.t - 1;
  const Reply negative = DDIM_REPLY(below, ddim(Type::kEpsilon));
  const Reply itself = DDIM_REPLY(same, ddim(Type::kEpsilon));
  const Reply later = DDIM_REPLY(above, ddim(Type::kEpsilon));
  expect_refused(negative, "previous is -2");
  expect_refused(itself, "previous is t");
  expect_refused(later, "previous is later than t");
}

PROPERTY(ddim_step, "refuses an eta that is not from 0 to 1") {
  const StepCase c = draw_step(draw);
  const Reply below = DDIM_REPLY(c, ddim(Type::kEpsilon, -0.125));
  const Reply above = DDIM_REPLY(c, ddim(Type::kEpsilon, 1.125));
  const Reply nan = DDIM_REPLY(c, ddim(Type::kEpsilon, kNoNumber));
  expect_refused(below, "eta is negative");
  expect_refused(above, "eta is above 1");
  expect_refused(nan, "eta is NaN");
}

PROPERTY(ddim_step, "refuses a clip that is not above 0") {
  const StepCase c = draw_step(draw);
  const Reply zero = DDIM_REPLY(c, ddim(Type::kEpsilon, 0.0, 0.0));
  const Reply below = DDIM_REPLY(c, ddim(Type::kEpsilon, 0.0, -1.0));
  const Reply nan = DDIM_REPLY(c, ddim(Type::kEpsilon, 0.0, kNoNumber));
  expect_refused(zero, "clip is 0");
  expect_refused(below, "clip is negative");
  expect_refused(nan, "clip is NaN");
}

PROPERTY(ddim_step, "refuses a final_alpha that is not above 0 and at most 1") {
  const StepCase c = draw_last_step(draw);
  const auto reply = [&](double alpha) {
    return DDIM_REPLY(c, ddim(Type::kEpsilon, 0.0, kEndless, false, alpha));
  };
  const Reply zero = reply(0.0), below = reply(-0.5), above = reply(1.25), nan = reply(kNoNumber);
  expect_refused(zero, "final_alpha is 0");
  expect_refused(below, "final_alpha is negative");
  expect_refused(above, "final_alpha is above 1");
  expect_refused(nan, "final_alpha is NaN");
}

// ---- 9.5 ddpm_step -----------------------------------------------------------------------------

DdpmOptions ddpm(Type prediction = Type::kEpsilon, StepVariance variance = StepVariance::kSmall,
                 double clip = kEndless) {
  return {prediction, clip, variance};
}

StepOracle ddpm_oracle(const StepCase& c, const DdpmOptions& o) {
  const double a = c.alpha(), next = c.previous < 0 ? 1.0 : c.a(c.previous);
  const double alpha = a / next, beta = 1.0 - alpha;
  const Oracle x0 = limited(pair_of(o.prediction, c.x_t, c.output, a).x0, o.clip);
  const double small = (1.0 - next) / (1.0 - a) * beta;
  const double variance = o.variance == StepVariance::kSmall ? small : beta;
  const double fresh = c.previous < 0 ? 0.0 : std::sqrt(variance);
  const auto prev = [&](Index n, Index d) {
    return std::sqrt(next) * beta / (1.0 - a) * x0(n, d) +
           std::sqrt(alpha) * (1.0 - next) / (1.0 - a) * double(c.x_t(n, d)) +
           fresh * double(c.noise(n, d));
  };
  return {tabulate(c.x_t, prev), x0};
}

StepCase without_noise(StepCase c) {
  c.noise.setZero();
  return c;
}

#define DDPM(c, o) ASK(ddpm_step, (c).x_t, (c).output, (c).t, (c).previous, (c).a, (c).noise, o)
#define DDPM_REPLY(c, o) \
  REPLY(ddpm_step, (c).x_t, (c).output, (c).t, (c).previous, (c).a, (c).noise, o)

DEFINES(ddpm_step, "one timestep, no noise: weighs x_0 and x_t as the posterior's mean") {
  const StepCase c = without_noise(draw_single_step(draw));
  const DenoisingStep got = DDPM(c, ddpm());
  const StepOracle expected = ddpm_oracle(c, ddpm());
  expect_near("x0", got.x0, expected.x0, rounding(c.scale()));
  expect_near("prev", got.prev, expected.prev, rounding(c.scale()));
}

PROPERTY(ddpm_step, "several timesteps: alpha and beta are those of the jump") {
  const StepCase c = without_noise(draw_step(draw));
  StepCase to_first = c;
  to_first.previous = 0;
  const Matrix prev = DDPM(c, ddpm()).prev, first = DDPM(to_first, ddpm()).prev;
  expect_near("prev", prev, ddpm_oracle(c, ddpm()).prev, rounding(c.scale()));
  expect_near("prev at timestep 0", first, ddpm_oracle(to_first, ddpm()).prev, rounding(c.scale()));
}

PROPERTY(ddpm_step, "small variance: adds the root of (1 - a') / (1 - a) beta") {
  const StepCase c = draw_single_step(draw);
  StepCase to_first = c;
  to_first.t = 1;
  to_first.previous = 0;
  const Matrix prev = DDPM(c, ddpm()).prev, first = DDPM(to_first, ddpm()).prev;
  expect_near("prev", prev, ddpm_oracle(c, ddpm()).prev, rounding(c.scale()));
  expect_near("prev, from 1 to 0", first, ddpm_oracle(to_first, ddpm()).prev, rounding(c.scale()));
}

PROPERTY(ddpm_step, "large variance: adds the root of beta") {
  const StepCase c = draw_single_step(draw);
  const DdpmOptions o = ddpm(Type::kEpsilon, StepVariance::kLarge);
  expect_near("prev", DDPM(c, o).prev, ddpm_oracle(c, o).prev, rounding(c.scale()));
}

PROPERTY(ddpm_step, "understands models that put out x_0 or v") {
  const StepCase c = without_noise(draw_single_step(draw));
  const DenoisingStep sample = DDPM(c, ddpm(Type::kSample));
  const DenoisingStep velocity = DDPM(c, ddpm(Type::kVelocity));
  expect_near("x0, sample", sample.x0, ddpm_oracle(c, ddpm(Type::kSample)).x0, rounding(c.scale()));
  expect_near("prev, sample", sample.prev, ddpm_oracle(c, ddpm(Type::kSample)).prev,
              rounding(c.scale()));
  expect_near("x0, velocity", velocity.x0, ddpm_oracle(c, ddpm(Type::kVelocity)).x0,
              rounding(c.scale()));
  expect_near("prev, velocity", velocity.prev, ddpm_oracle(c, ddpm(Type::kVelocity)).prev,
              rounding(c.scale()));
}

PROPERTY(ddpm_step, "clip: keeps x_0 within +-clip, before it is weighed") {
  Clipping k = draw_clipping(draw, Type::kEpsilon);
  k.c = without_noise(k.c);
  k.c.previous = k.c.t - 1;
  const DdpmOptions o = ddpm(Type::kEpsilon, StepVariance::kSmall, k.clip);
  const DenoisingStep got = DDPM(k.c, o);
  expect_near("x0", got.x0, ddpm_oracle(k.c, o).x0, rounding(k.c.scale()));
  expect_near("prev", got.prev, ddpm_oracle(k.c, o).prev, rounding(k.c.scale()));
}

PROPERTY(ddpm_step, "previous -1: arrives at x_0 without noise, whatever the variance") {
  const StepCase c = draw_last_step(draw);
  StepCase first = c;
  first.t = 0;
  const Matrix small = DDPM(c, ddpm()).prev;
  const Matrix large = DDPM(c, ddpm(Type::kEpsilon, StepVariance::kLarge)).prev;
  const Matrix zero = DDPM(first, ddpm(Type::kEpsilon, StepVariance::kLarge)).prev;
  expect_near("prev, small variance", small, ddpm_oracle(c, ddpm()).x0, rounding(c.scale()));
  expect_near("prev, large variance", large, ddpm_oracle(c, ddpm()).x0, rounding(c.scale()));
  expect_near("prev, large variance, from timestep 0", zero, ddpm_oracle(first, ddpm()).x0,
              rounding(c.scale()));
}

PROPERTY(ddpm_step, "t = 500 to 499: 0.003506 x_0 + 0.995747 x_t, variance 0.004806 or 0.004815") {
  const Matrix none = one_number(0.0), unit = one_number(1.0);
  const Alphas a = scaled_linear();
  const auto prev = [&](const Matrix& x_t, const Matrix& x0, const Matrix& noise,
                        StepVariance variance) {
    return Matrix(ASK(ddpm_step, x_t, x0, 500, 499, a, noise, ddpm(Type::kSample, variance)).prev);
  };
  const Matrix of_x0 = prev(none, unit, none, StepVariance::kSmall);
  const Matrix of_x_t = prev(unit, none, none, StepVariance::kSmall);
  const Matrix small = prev(none, none, unit, StepVariance::kSmall);
  const Matrix large = prev(none, none, unit, StepVariance::kLarge);
  constexpr Tolerance kDigits{2e-5, 0.0, 0.0};
  expect_near("weight of x_0", of_x0, one_number(0.003506044334), kDigits);
  expect_near("weight of x_t", of_x_t, one_number(0.995746583178), kDigits);
  expect_near("root of the small variance", small, one_number(std::sqrt(0.004806058572)), kDigits);
  expect_near("root of the large variance", large, one_number(std::sqrt(0.004814954142)), kDigits);
}

PROPERTY(ddpm_step, "takes a batch without rows") {
  StepCase c = draw_step(draw);
  const Index d = c.x_t.cols();
  c.x_t = c.output = c.noise = zeros(0, d);
  const DenoisingStep got = DDPM(c, ddpm());
  expect_near("prev", got.prev, Oracle(0, d));
  expect_near("x0", got.x0, Oracle(0, d));
}

PROPERTY(ddpm_step, "refuses x_t, output and noise of different shapes") {
  const StepCase c = draw_step(draw);
  StepCase output = c, rows = c, columns = c;
  output.output = with_one_column_more(c.output);
  rows.noise = with_one_row_more(c.noise);
  columns.noise = with_one_column_more(c.noise);
  rows.previous = -1;
  const Reply of_output = DDPM_REPLY(output, ddpm());
  const Reply of_rows = DDPM_REPLY(rows, ddpm());
  const Reply of_columns = DDPM_REPLY(columns, ddpm());
  expect_refused(of_output, "the output has one column more than x_t");
  expect_refused(of_rows, "the noise has one row more than x_t, and previous is -1");
  expect_refused(of_columns, "the noise has one column more than x_t");
}

PROPERTY(ddpm_step, "refuses a timestep that is not from 0 to T - 1") {
  const StepCase c = draw_step(draw);
  StepCase below = c, above = c;
  below.t = below.previous = -1;
  above.t = c.a.size();
  const Reply negative = DDPM_REPLY(below, ddpm()), too_large = DDPM_REPLY(above, ddpm());
  expect_refused(negative, "t is -1");
  expect_refused(too_large, "t is T");
}

PROPERTY(ddpm_step, "refuses a previous timestep that is not from -1 to t - 1") {
  const StepCase c = draw_step(draw);
  StepCase below = c, same = c;
  below.previous = -2;
  same.previous = c.t;
  const Reply negative = DDPM_REPLY(below, ddpm()), itself = DDPM_REPLY(same, ddpm());
  expect_refused(negative, "previous is -2");
  expect_refused(itself, "previous is t");
}

PROPERTY(ddpm_step, "refuses a clip that is not above 0") {
  const StepCase c = draw_step(draw);
  const auto reply = [&](double clip) {
    return DDPM_REPLY(c, ddpm(Type::kEpsilon, StepVariance::kSmall, clip));
  };
  const Reply zero = reply(0.0), below = reply(-1.0), nan = reply(kNoNumber);
  expect_refused(zero, "clip is 0");
  expect_refused(below, "clip is negative");
  expect_refused(nan, "clip is NaN");
}

// ---- 9.6 denoiser_loss -------------------------------------------------------------------------

/// A task as `denoiser_task` would make it, and a model's output.
struct LossCase {
  DenoiserTask task;
  Matrix output;
};

LossCase draw_loss_case(Draw& draw) {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 5);
  const Matrix x_t = draw.matrix("x_t", n, d), target = draw.matrix("target", n, d);
  DoubleVector weight = DoubleVector::Ones(n);
  for (Index row = 0; row < n; ++row) weight(row) = draw.random().uniform(0.1, 0.8);
  draw.show("weight", weight);
  return {{x_t, target, weight}, draw.matrix("output", n, d)};
}

double loss_oracle(const LossCase& c) {
  double sum = 0.0;
  for (Index n = 0; n < c.output.rows(); ++n) {
    for (Index d = 0; d < c.output.cols(); ++d)
      sum += c.task.weight(n) * std::pow(double(c.output(n, d)) - double(c.task.target(n, d)), 2);
  }
  return sum / double(c.output.size());
}

Oracle loss_gradient_oracle(const LossCase& c) {
  return tabulate(c.output, [&](Index n, Index d) {
    const double error = double(c.output(n, d)) - double(c.task.target(n, d));
    return 2.0 * c.task.weight(n) * error / double(c.output.size());
  });
}

#define DENOISER_LOSS(c) ASK(denoiser_loss, (c).task, (c).output)
#define DENOISER_LOSS_REPLY(c) REPLY(denoiser_loss, (c).task, (c).output)
#define TASK(type, c, gamma) ASK(denoiser_task, type, (c).x0, (c).eps, (c).t, (c).a, gamma)
#define TASK_REPLY(type, c, gamma) REPLY(denoiser_task, type, (c).x0, (c).eps, (c).t, (c).a, gamma)

DEFINES(denoiser_loss, "value: the mean of the squared errors, each row by its weight") {
  const LossCase c = draw_loss_case(draw);
  expect_near("value", DENOISER_LOSS(c).value, loss_oracle(c), {2e-6, 1e-6, 0.0});
}

PROPERTY(denoiser_loss, "gradient: 2 (output - target) / (N D), each row by its weight") {
  const LossCase c = draw_loss_case(draw);
  expect_near("gradient", DENOISER_LOSS(c).gradient, loss_gradient_oracle(c), {5e-6, 1e-7, 0.0});
}

PROPERTY(denoiser_loss, "value: counts small errors beside a large one") {
  const Index n = draw.size("N", 10, 20), d = draw.size("D", 10, 20);
  LossCase c{{zeros(n, d), zeros(n, d), DoubleVector::Ones(n)}, Matrix::Ones(n, d)};
  c.output(0, 0) = 4096.0F;  // its square is 2^24: a float cannot add 1 to it
  expect_near("value, one error of 4096 and many of 1", DENOISER_LOSS(c).value, loss_oracle(c),
              {1e-7, 0.0, 0.0});
}

PROPERTY(denoiser_loss, "task: x_t is the noisy latent, each row at its own timestep") {
  const Mixing c = draw_mixing(draw);
  const DenoiserTask eps = TASK(Type::kEpsilon, c, 0.0), v = TASK(Type::kVelocity, c, 5.0);
  expect_near("x_t", eps.x_t, c.x_t(), rounding(8.0));
  expect_near("x_t, velocity", v.x_t, c.x_t(), rounding(8.0));
}

PROPERTY(denoiser_loss, "task: the target is eps for epsilon") {
  const Mixing c = draw_mixing(draw);
  expect_near("target", TASK(Type::kEpsilon, c, 0.0).target, c.eps, rounding(4.0));
}

PROPERTY(denoiser_loss, "task: the target is x_0 for sample") {
  const Mixing c = draw_mixing(draw);
  expect_near("target", TASK(Type::kSample, c, 0.0).target, c.x0, rounding(4.0));
}

PROPERTY(denoiser_loss, "task: the target is v for velocity") {
  const Mixing c = draw_mixing(draw);
  expect_near("target", TASK(Type::kVelocity, c, 0.0).target, c.v(), rounding(8.0));
}

PROPERTY(denoiser_loss, "task: every weight is 1 where gamma is 0") {
  const Mixing c = draw_mixing(draw);
  const DoubleVector ones = DoubleVector::Ones(c.x0.rows());
  for (const Type type : {Type::kEpsilon, Type::kSample, Type::kVelocity})
    expect_near("weight", TASK(type, c, 0.0).weight, ones, kDouble);
}

/// Rows on both sides of gamma: signal to noise of about 15, 2 and 0.1, each different.
struct Weighing {
  Mixing c;
  double gamma;

  DoubleVector weights(Type type) const {
    DoubleVector w(c.x0.rows());
    for (Index n = 0; n < w.size(); ++n) {
      const double r = c.at(n) / (1.0 - c.at(n)), capped = r < gamma ? r : gamma;
      w(n) = type == Type::kSample ? capped : capped / (type == Type::kEpsilon ? r : r + 1.0);
    }
    return w;
  }
};

Weighing draw_weighing(Draw& draw) {
  const Index d = draw.size("D", 1, 4);
  Mixing c{draw.matrix("x0", 3, d), draw.matrix("eps", 3, d), {0, 1, 2}, {}};
  c.a = vector_of({draw.random().uniform(0.92, 0.96), draw.random().uniform(0.6, 0.7),
                   draw.random().uniform(0.06, 0.2)});
  draw.show("alphas_cumprod", c.a);
  return {c, draw.number("gamma", 3.0, 6.0)};
}

PROPERTY(denoiser_loss, "weights, epsilon: min(r, gamma) / r with r = a / (1 - a)") {
  const Weighing w = draw_weighing(draw);
  expect_near("weight", TASK(Type::kEpsilon, w.c, w.gamma).weight, w.weights(Type::kEpsilon),
              kDouble);
}

PROPERTY(denoiser_loss, "weights, sample: min(r, gamma)") {
  const Weighing w = draw_weighing(draw);
  expect_near("weight", TASK(Type::kSample, w.c, w.gamma).weight, w.weights(Type::kSample),
              kDouble);
}

PROPERTY(denoiser_loss, "weights, velocity: min(r, gamma) / (r + 1)") {
  const Weighing w = draw_weighing(draw);
  expect_near("weight", TASK(Type::kVelocity, w.c, w.gamma).weight, w.weights(Type::kVelocity),
              kDouble);
}

PROPERTY(denoiser_loss, "task: refuses what add_noise refuses") {
  const Mixing c = draw_mixing(draw);
  Mixing wider = c, fewer = c, above = c;
  wider.eps = with_one_column_more(c.eps);
  fewer.t.pop_back();
  above.t.front() = c.a.size();
  const Reply columns = TASK_REPLY(Type::kEpsilon, wider, 0.0);
  const Reply count = TASK_REPLY(Type::kSample, fewer, 0.0);
  const Reply range = TASK_REPLY(Type::kVelocity, above, 0.0);
  expect_refused(columns, "eps has one column more than x0");
  expect_refused(count, "there is one timestep fewer than rows");
  expect_refused(range, "a timestep is T");
}

PROPERTY(denoiser_loss, "task: refuses a negative gamma, and a batch without elements") {
  const Mixing c = draw_mixing(draw);
  const Mixing empty{zeros(0, 2), zeros(0, 2), {}, c.a};
  const Reply drawn = TASK_REPLY(Type::kEpsilon, c, -5.0);
  const Reply tiny = TASK_REPLY(Type::kSample, c, -1e-9);
  const Reply rows = TASK_REPLY(Type::kEpsilon, empty, 0.0);
  expect_refused(drawn, "gamma is -5");
  expect_refused(tiny, "gamma is -1e-9");
  expect_refused(rows, "there is no row");
}

PROPERTY(denoiser_loss, "refuses output and target of different shapes") {
  const LossCase c = draw_loss_case(draw);
  LossCase longer = c, wider = c;
  longer.output = with_one_row_more(c.output);
  wider.output = with_one_column_more(c.output);
  const Reply rows = DENOISER_LOSS_REPLY(longer), columns = DENOISER_LOSS_REPLY(wider);
  expect_refused(rows, "the output has one row more than the target");
  expect_refused(columns, "the output has one column more than the target");
}

PROPERTY(denoiser_loss, "refuses more or fewer weights than rows") {
  const LossCase c = draw_loss_case(draw);
  LossCase more = c, fewer = c;
  more.task.weight = DoubleVector::Ones(c.output.rows() + 1);
  fewer.task.weight = DoubleVector::Ones(c.output.rows() - 1);
  const Reply too_many = DENOISER_LOSS_REPLY(more), too_few = DENOISER_LOSS_REPLY(fewer);
  expect_refused(too_many, "there is one weight more than rows");
  expect_refused(too_few, "there is one weight fewer than rows");
}

PROPERTY(denoiser_loss, "refuses a task without elements") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const LossCase no_rows{{zeros(0, d), zeros(0, d), DoubleVector(0)}, zeros(0, d)};
  const LossCase no_columns{{zeros(n, 0), zeros(n, 0), DoubleVector::Ones(n)}, zeros(n, 0)};
  const Reply rows = DENOISER_LOSS_REPLY(no_rows), columns = DENOISER_LOSS_REPLY(no_columns);
  expect_refused(rows, "there is no row");
  expect_refused(columns, "there is no column");
}

// ---- 9.7 trace_pipeline ------------------------------------------------------------------------

using Stage = PipelineStage;

/// Everything that a pipeline is given.
struct PipelineCase {
  Matrix x;
  LinearCodec codec;
  PipelineOptions options;
  Alphas a;
  Matrix posterior_noise, noise;

  Index latent() const { return codec.decoder_weight.cols(); }
  double log_var(const Matrix& moments, Index n, Index i) const { return moments(n, latent() + i); }
};

/// The images and the autoencoder; scale is far from 1 and shift from 0.
PipelineCase draw_pipeline(Draw& draw) {
  const Index n = draw.size("N", 1, 3), d = draw.size("D", 2, 5), size = draw.size("L", 1, 3);
  PipelineCase c;
  c.x = draw.matrix("x", n, d);
  c.codec.encoder_weight = draw.matrix("encoder_weight", 2 * size, d, 0.5);
  c.codec.encoder_bias = draw.row("encoder_bias", 2 * size, 0.5);
  c.codec.decoder_weight = draw.matrix("decoder_weight", d, size, 0.5);
  c.codec.decoder_bias = draw.row("decoder_bias", d, 0.5);
  c.codec.scale = draw.number("scale", 0.25, 0.5);
  c.codec.shift = draw.number("shift", 0.5, 1.5);
  c.options.steps = draw.random().integer(4, 6);  // a longer trace would not fit into a frame
  c.options.strength = 1.0;
  c.a = draw_alphas(draw, 4 * c.options.steps + draw.random().integer(1, 3));
  c.posterior_noise = draw.matrix("posterior_noise", n, size);
  c.noise = draw.matrix("noise", n, size);
  draw.show("options", c.options);
  return c;
}

/// x W^T + b
Oracle linear(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  Oracle y(x.rows(), weight.rows());
  for (Index n = 0; n < y.rows(); ++n) {
    for (Index o = 0; o < y.cols(); ++o) {
      y(n, o) = bias(o);
      for (Index i = 0; i < x.cols(); ++i) y(n, o) += double(x(n, i)) * double(weight(o, i));
    }
  }
  return y;
}

Tolerance linear_rounding(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  const double scale = double(x.cols()) * largest(x) * largest(weight) + largest(Matrix(bias));
  return {5e-6, 1e-6, scale};
}

std::vector<StageRecord> records_of(const PipelineTrace& trace, Stage stage) {
  std::vector<StageRecord> records;
  for (const StageRecord& record : trace.records) {
    if (record.stage == stage) records.push_back(record);
  }
  return records;
}

// Noise at its strongest is divided by 0.28 and the latents by 0.25.
constexpr Tolerance kThroughNoise{5e-5, 5e-5, 10.0};

#define PIPELINE(c) \
  ASK(trace_pipeline, (c).x, (c).codec, (c).options, (c).a, (c).posterior_noise, (c).noise)
#define PIPELINE_REPLY(c) \
  REPLY(trace_pipeline, (c).x, (c).codec, (c).options, (c).a, (c).posterior_noise, (c).noise)

/// The record of a stage that occurs once, checked for its timestep.
#define THE_ONE(trace, which)                                                \
  [&] {                                                                      \
    const auto found = records_of(trace, which);                             \
    expect(found.size() == 1, "there is one record of this stage: " #which); \
    return found.front();                                                    \
  }()

/// Decodes the latent of the record: what the result must be, for the oracle gives it back.
Oracle decoded_latent(const PipelineCase& c, const Matrix& latent) {
  return linear(latent, c.codec.decoder_weight, c.codec.decoder_bias);
}

DEFINES(trace_pipeline, "decodes the latent it has encoded, for the denoiser knows the answer") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const Matrix latent = THE_ONE(got, Stage::kLatent).value;
  expect(latent.cols() == c.latent(), "the latent has L columns");
  expect_near("result", got.result, decoded_latent(c, latent), kThroughNoise);
}

PROPERTY(trace_pipeline, "so it does for denoisers that put out x_0 or v") {
  PipelineCase c = draw_pipeline(draw);
  for (const Type type : {Type::kSample, Type::kVelocity}) {
    c.options.prediction = draw.show("prediction", type);
    const PipelineTrace got = PIPELINE(c);
    const Matrix latent = THE_ONE(got, Stage::kLatent).value;
    expect(latent.cols() == c.latent(), "the latent has L columns");
    expect_near("result", got.result, decoded_latent(c, latent), kThroughNoise);
  }
}

PROPERTY(trace_pipeline, "encodes: x W^T + b, means and logarithms of variances") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const StageRecord moments = THE_ONE(got, Stage::kMoments);
  expect_near("moments", moments.value, linear(c.x, c.codec.encoder_weight, c.codec.encoder_bias),
              linear_rounding(c.x, c.codec.encoder_weight, c.codec.encoder_bias));
}

PROPERTY(trace_pipeline, "takes the posterior's mean where it does not sample") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const Matrix moments = THE_ONE(got, Stage::kMoments).value;
  expect(moments.cols() == 2 * c.latent(), "the encoder puts out 2 L numbers");
  expect_near("latent", THE_ONE(got, Stage::kLatent).value, Matrix(moments.leftCols(c.latent())),
              rounding(4.0));
}

PROPERTY(trace_pipeline, "samples the posterior where it is asked to: mu + e^(l/2) n") {
  PipelineCase c = draw_pipeline(draw);
  c.options.sample_posterior = true;
  const PipelineTrace got = PIPELINE(c);
  const Matrix moments = THE_ONE(got, Stage::kMoments).value;
  expect(moments.cols() == 2 * c.latent() && moments.rows() == c.x.rows(),
         "the encoder puts out 2 L numbers for each row");
  const Oracle expected = tabulate(c.noise, [&](Index n, Index i) {
    return double(moments(n, i)) +
           std::exp(0.5 * c.log_var(moments, n, i)) * double(c.posterior_noise(n, i));
  });
  expect_near("latent", THE_ONE(got, Stage::kLatent).value, expected, {5e-6, 1e-6, 0.0});
}

PROPERTY(trace_pipeline, "scales: (z - shift) scale") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const Matrix latent = THE_ONE(got, Stage::kLatent).value;
  const Oracle expected = tabulate(latent, [&](Index n, Index i) {
    return (double(latent(n, i)) - c.codec.shift) * c.codec.scale;
  });
  expect_near("scaled latent", THE_ONE(got, Stage::kScaled).value, expected, rounding(6.0));
}

PROPERTY(trace_pipeline, "adds the noise of the first timestep, to the scaled latent") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const Matrix z = THE_ONE(got, Stage::kScaled).value;
  expect(z.rows() == c.noise.rows() && z.cols() == c.noise.cols(), "the scaled latent is [N, L]");
  const double a = c.a((c.options.steps - 1) * (c.a.size() / c.options.steps));
  const Oracle expected = tabulate(z, [&](Index n, Index i) {
    return std::sqrt(a) * double(z(n, i)) + std::sqrt(1.0 - a) * double(c.noise(n, i));
  });
  expect_near("noisy latent", THE_ONE(got, Stage::kNoisy).value, expected, rounding(6.0));
}

/// Stage and timestep of every record.
struct Itinerary {
  std::vector<std::int64_t> stages, t;
};

Itinerary itinerary_of(const std::vector<StageRecord>& records) {
  Itinerary i;
  for (const StageRecord& record : records) {
    i.stages.push_back(static_cast<std::int64_t>(record.stage));
    i.t.push_back(record.t);
  }
  return i;
}

Itinerary itinerary_oracle(const Timesteps& run) {
  std::vector<StageRecord> records;
  const auto pass = [&](Stage stage, std::int64_t t = -1) { records.push_back({stage, t, {}}); };
  pass(Stage::kMoments);
  pass(Stage::kLatent);
  pass(Stage::kScaled);
  pass(Stage::kNoisy, run.front());
  for (std::size_t i = 0; i < run.size(); ++i) {
    pass(Stage::kModelOutput, run[i]);
    pass(Stage::kPrevious, i + 1 < run.size() ? run[i + 1] : -1);
  }
  pass(Stage::kUnscaled);
  pass(Stage::kDecoded);
  return itinerary_of(records);
}

PROPERTY(trace_pipeline, "keeps a record of every stage, with its timestep") {
  const PipelineCase c = draw_pipeline(draw);
  const Itinerary got = itinerary_of(PIPELINE(c).records);
  const Plan p{c.a.size(), c.options.steps, 0};
  const Itinerary expected = itinerary_oracle(timesteps_oracle(TimestepSpacing::kLeading, p));
  expect_equal("stages, 0 for kMoments to 7 for kDecoded", got.stages, expected.stages);
  expect_equal("timesteps", got.t, expected.t);
}

/// The timesteps that the denoiser was asked about.
Timesteps asked_about(const PipelineTrace& trace) {
  Timesteps t;
  for (const StageRecord& record : records_of(trace, Stage::kModelOutput)) t.push_back(record.t);
  return t;
}

PROPERTY(trace_pipeline, "visits the timesteps of the spacing, with its offset") {
  PipelineCase c = draw_pipeline(draw);
  c.options.offset = draw.show("offset", std::int64_t{2});
  const Plan p{c.a.size(), c.options.steps, 2};
  using Spacing = TimestepSpacing;
  for (const Spacing spacing : {Spacing::kLeading, Spacing::kLinspace, Spacing::kTrailing}) {
    c.options.spacing = draw.show("spacing", spacing);
    expect_equal("timesteps", asked_about(PIPELINE(c)), timesteps_oracle(spacing, p));
  }
}

PROPERTY(trace_pipeline, "runs the last floor(S strength) of the timesteps") {
  PipelineCase c = draw_pipeline(draw);
  c.options.steps = draw.show("steps, instead", std::int64_t{6});
  const Plan p{c.a.size(), 6, 0};
  const Timesteps all = timesteps_oracle(TimestepSpacing::kLeading, p);
  for (const double strength : {0.25, 0.5, 0.84375}) {
    c.options.strength = draw.show("strength", strength);
    const auto run = static_cast<std::ptrdiff_t>(6.0 * strength);
    expect_equal("timesteps", asked_about(PIPELINE(c)), Timesteps(all.end() - run, all.end()));
  }
}

/// What the oracle denoiser puts out for x_t.
Oracle model_oracle(Type type, const Matrix& x_t, const Matrix& z, double a) {
  return tabulate(z, [&](Index n, Index i) {
    const double r = std::sqrt(a), q = std::sqrt(1.0 - a), clean = z(n, i);
    const double eps = (double(x_t(n, i)) - r * clean) / q;
    return type == Type::kSample ? clean : type == Type::kEpsilon ? eps : r * eps - q * clean;
  });
}

PROPERTY(trace_pipeline, "asks the denoiser about the latent and the timestep of each step") {
  PipelineCase c = draw_pipeline(draw);
  const Plan p{c.a.size(), c.options.steps, 0};
  const Timesteps t = timesteps_oracle(TimestepSpacing::kLeading, p);
  for (const Type type : {Type::kEpsilon, Type::kSample, Type::kVelocity}) {
    c.options.prediction = draw.show("prediction", type);
    const PipelineTrace got = PIPELINE(c);
    const Matrix z = THE_ONE(got, Stage::kScaled).value;
    const auto outputs = records_of(got, Stage::kModelOutput);
    const auto latents = records_of(got, Stage::kPrevious);
    expect(outputs.size() == t.size() && latents.size() == t.size(),
           "each step has two records, the model's output and the next latent");
    Matrix x_t = THE_ONE(got, Stage::kNoisy).value;
    for (std::size_t i = 0; i < t.size(); ++i) {
      expect(x_t.rows() == z.rows() && x_t.cols() == z.cols(), "each latent is [N, L]");
      expect_near("model's output", outputs[i].value, model_oracle(type, x_t, z, c.a(t[i])),
                  {2e-5, 1e-6, 20.0});
      x_t = latents[i].value;
    }
  }
}

PROPERTY(trace_pipeline, "takes a DDIM step from each latent to the next, the last to a = 1") {
  PipelineCase c = draw_pipeline(draw);
  c.options.spacing = TimestepSpacing::kLinspace;
  const Plan p{c.a.size(), c.options.steps, 0};
  const Timesteps t = timesteps_oracle(TimestepSpacing::kLinspace, p);
  const PipelineTrace got = PIPELINE(c);
  const auto outputs = records_of(got, Stage::kModelOutput);
  const auto latents = records_of(got, Stage::kPrevious);
  expect(outputs.size() == t.size() && latents.size() == t.size(),
         "each step has two records, the model's output and the next latent");
  Matrix x_t = THE_ONE(got, Stage::kNoisy).value;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const std::int64_t next = i + 1 < t.size() ? t[i + 1] : -1;
    expect(x_t.size() == c.noise.size() && outputs[i].value.rows() == x_t.rows() &&
               outputs[i].value.cols() == x_t.cols(),
           "each latent, and each output of the model, is [N, L]");
    const StepCase step{x_t, outputs[i].value, t[i], next, c.a, c.noise};
    expect_near("next latent", latents[i].value, ddim_oracle(step, ddim(Type::kEpsilon)).prev,
                rounding(30.0));
    x_t = latents[i].value;
  }
}

PROPERTY(trace_pipeline, "unscales: z / scale + shift") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const auto latents = records_of(got, Stage::kPrevious);
  expect(!latents.empty(), "there is a latent after the last step");
  const Matrix z = latents.back().value;
  const Oracle expected = tabulate(
      z, [&](Index n, Index i) { return double(z(n, i)) / c.codec.scale + c.codec.shift; });
  expect_near("unscaled latent", THE_ONE(got, Stage::kUnscaled).value, expected, rounding(20.0));
}

PROPERTY(trace_pipeline, "decodes: z W^T + b, which is the result") {
  const PipelineCase c = draw_pipeline(draw);
  const PipelineTrace got = PIPELINE(c);
  const Matrix z = THE_ONE(got, Stage::kUnscaled).value;
  expect(z.cols() == c.latent(), "the unscaled latent has L columns");
  const Matrix decoded = THE_ONE(got, Stage::kDecoded).value;
  expect_near("decoded", decoded, linear(z, c.codec.decoder_weight, c.codec.decoder_bias),
              linear_rounding(z, c.codec.decoder_weight, c.codec.decoder_bias));
  expect_near("result", got.result, decoded, rounding(4.0));
}

PROPERTY(trace_pipeline, "takes a batch without rows") {
  PipelineCase c = draw_pipeline(draw);
  c.x = zeros(0, c.x.cols());
  c.noise = c.posterior_noise = zeros(0, c.latent());
  const PipelineTrace got = PIPELINE(c);
  expect_near("result", got.result, Oracle(0, c.x.cols()));
  expect_equal("records", static_cast<std::int64_t>(got.records.size()),
               std::int64_t{6 + 2 * c.options.steps});
}

PROPERTY(trace_pipeline, "refuses an encoder or a decoder that does not fit") {
  const PipelineCase c = draw_pipeline(draw);
  PipelineCase encoder = c, bias = c, decoder = c, decoder_bias = c;
  encoder.codec.encoder_weight = with_one_row_more(c.codec.encoder_weight);
  encoder.codec.encoder_bias = RowVector::Zero(2 * c.latent() + 1);
  bias.codec.encoder_bias = RowVector::Zero(2 * c.latent() + 1);
  decoder.codec.decoder_weight = with_one_row_more(c.codec.decoder_weight);
  decoder.codec.decoder_bias = RowVector::Zero(c.x.cols() + 1);
  decoder_bias.codec.decoder_bias = RowVector::Zero(c.x.cols() + 1);
  const Reply of_encoder = PIPELINE_REPLY(encoder), of_bias = PIPELINE_REPLY(bias);
  const Reply of_decoder = PIPELINE_REPLY(decoder);
  const Reply of_decoder_bias = PIPELINE_REPLY(decoder_bias);
  expect_refused(of_encoder, "the encoder puts out 2 L + 1 numbers");
  expect_refused(of_bias, "the encoder's bias has 2 L + 1 numbers");
  expect_refused(of_decoder, "the decoder puts out D + 1 numbers");
  expect_refused(of_decoder_bias, "the decoder's bias has D + 1 numbers");
}

PROPERTY(trace_pipeline, "refuses noise of another shape than the latent") {
  const PipelineCase c = draw_pipeline(draw);
  PipelineCase rows = c, columns = c, posterior = c;
  rows.noise = with_one_row_more(c.noise);
  columns.noise = with_one_column_more(c.noise);
  posterior.posterior_noise = with_one_column_more(c.posterior_noise);
  const Reply of_rows = PIPELINE_REPLY(rows), of_columns = PIPELINE_REPLY(columns);
  const Reply of_posterior = PIPELINE_REPLY(posterior);
  expect_refused(of_rows, "the noise has one row more than x");
  expect_refused(of_columns, "the noise has L + 1 columns");
  expect_refused(of_posterior, "the posterior's noise has L + 1 columns, and the mode is taken");
}

PROPERTY(trace_pipeline, "refuses a scale of 0") {
  PipelineCase c = draw_pipeline(draw);
  c.codec.scale = 0.0;
  const Reply shifted = PIPELINE_REPLY(c);
  c.codec.shift = 0.0;
  const Reply plain = PIPELINE_REPLY(c);
  expect_refused(shifted, "the scale is 0");
  expect_refused(plain, "scale and shift are 0");
}

PROPERTY(trace_pipeline, "refuses a strength that is not above 0 and at most 1") {
  PipelineCase c = draw_pipeline(draw);
  const auto reply = [&](double strength) {
    c.options.strength = strength;
    return PIPELINE_REPLY(c);
  };
  const Reply zero = reply(0.0), negative = reply(-0.5), above = reply(1.5), nan = reply(kNoNumber);
  expect_refused(zero, "the strength is 0");
  expect_refused(negative, "the strength is negative");
  expect_refused(above, "the strength is above 1");
  expect_refused(nan, "the strength is NaN");
}

PROPERTY(trace_pipeline, "refuses a strength with which no step is run") {
  PipelineCase c = draw_pipeline(draw);
  c.options.strength = 0.75 / double(c.options.steps);
  const Reply most = PIPELINE_REPLY(c);
  c.options.strength = 0.001;
  const Reply least = PIPELINE_REPLY(c);
  expect_refused(most, "the strength is three quarters of a step");
  expect_refused(least, "the strength is 0.001");
}

// ---- 9.8 euler_step ----------------------------------------------------------------------------

/// A sample, an output and two sigmas.
struct EulerCase {
  Matrix sample, output;
  double sigma, next;

  double scale() const { return 2.0 * (largest(sample) + sigma * largest(output)) / sigma + 4.0; }
};

EulerCase draw_euler(Draw& draw) {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const double sigma = draw.number("sigma", 1.0, 4.0);
  const Matrix sample = draw.matrix("sample", n, d, 3.0), output = draw.matrix("output", n, d);
  return {sample, output, sigma, draw.number("next_sigma", 0.125, 0.75) * sigma};
}

Oracle euler_x0(const EulerCase& c, Type type) {
  const double total = c.sigma * c.sigma + 1.0;
  return tabulate(c.sample, [&](Index n, Index d) {
    const double x = c.sample(n, d), o = c.output(n, d);
    if (type == Type::kSample) return o;
    if (type == Type::kEpsilon) return x - c.sigma * o;
    return x / total - c.sigma / std::sqrt(total) * o;
  });
}

Oracle euler_oracle(const EulerCase& c, Type type) {
  const Oracle x0 = euler_x0(c, type);
  return tabulate(c.sample, [&](Index n, Index d) {
    const double x = c.sample(n, d);
    return x + (x - x0(n, d)) / c.sigma * (c.next - c.sigma);
  });
}

#define EULER(c, type) ASK(euler_step, (c).sample, (c).output, (c).sigma, (c).next, type)
#define EULER_REPLY(c, type) REPLY(euler_step, (c).sample, (c).output, (c).sigma, (c).next, type)

DEFINES(euler_step, "epsilon: walks along eps = (x - x_0) / sigma, by sigma' - sigma") {
  const EulerCase c = draw_euler(draw);
  const DenoisingStep got = EULER(c, Type::kEpsilon);
  expect_near("x0", got.x0, euler_x0(c, Type::kEpsilon), rounding(c.scale() * c.sigma));
  expect_near("prev", got.prev, euler_oracle(c, Type::kEpsilon), rounding(c.scale() * c.sigma));
}

PROPERTY(euler_step, "velocity: x_0 is x / (sigma^2 + 1) - sigma o / sqrt(sigma^2 + 1)") {
  const EulerCase c = draw_euler(draw);
  const DenoisingStep got = EULER(c, Type::kVelocity);
  expect_near("x0", got.x0, euler_x0(c, Type::kVelocity), rounding(c.scale() * c.sigma));
  expect_near("prev", got.prev, euler_oracle(c, Type::kVelocity), rounding(c.scale() * c.sigma));
}

PROPERTY(euler_step, "sample: x_0 is o") {
  const EulerCase c = draw_euler(draw);
  const DenoisingStep got = EULER(c, Type::kSample);
  expect_near("x0", got.x0, c.output, rounding(c.scale()));
  expect_near("prev", got.prev, euler_oracle(c, Type::kSample), rounding(c.scale() * c.sigma));
}

PROPERTY(euler_step, "is DDIM with eta 0, for y = x / sqrt(a) in place of x") {
  const StepCase c = draw_step(draw);
  const auto sigma = [&](std::int64_t t) { return std::sqrt((1.0 - c.a(t)) / c.a(t)); };
  const Matrix y = c.x_t / float(std::sqrt(c.alpha()));
  for (const Type type : {Type::kEpsilon, Type::kSample, Type::kVelocity}) {
    const Matrix got = ASK(euler_step, y, c.output, sigma(c.t), sigma(c.previous), type).prev;
    const Oracle there = ddim_oracle(c, ddim(type)).prev / std::sqrt(c.a(c.previous));
    expect_near("prev", got, there, rounding(4.0 * c.scale()));
  }
}

PROPERTY(euler_step, "sigma 2, velocity: x_0 is 0.2 x - 0.894427 o") {
  const Matrix none = one_number(0.0), unit = one_number(1.0);
  const Matrix of_x = ASK(euler_step, unit, none, 2.0, 1.0, Type::kVelocity).x0;
  const Matrix of_o = ASK(euler_step, none, unit, 2.0, 1.0, Type::kVelocity).x0;
  expect_near("weight of x", of_x, one_number(0.2), rounding(1.0));
  expect_near("weight of o", of_o, one_number(-0.894427191), rounding(1.0));
}

PROPERTY(euler_step, "input: x / sqrt(sigma^2 + 1)") {
  const EulerCase c = draw_euler(draw);
  const Oracle expected = tabulate(c.sample, [&](Index n, Index d) {
    return double(c.sample(n, d)) / std::sqrt(c.sigma * c.sigma + 1.0);
  });
  const Matrix got = ASK(scale_model_input, c.sample, c.sigma);
  const Matrix clean = ASK(scale_model_input, c.sample, 0.0);
  expect_near("input", got, expected, rounding(12.0));
  expect_near("input where sigma is 0", clean, c.sample, rounding(12.0));
}

PROPERTY(euler_step, "sigmas: of whole timesteps, and a 0 at the end") {
  const Alphas a = draw_alphas(draw, draw.size("T", 3, 8));
  DoubleVector t(a.size()), expected(a.size() + 1);
  for (Index i = 0; i < a.size(); ++i) {
    t(i) = double(a.size() - 1 - i);
    expected(i) = std::sqrt((1.0 - a(a.size() - 1 - i)) / a(a.size() - 1 - i));
  }
  expected(a.size()) = 0.0;
  const DoubleVector got = ASK(euler_sigmas, t, a), none = ASK(euler_sigmas, DoubleVector(0), a);
  expect_near("sigmas", got, expected, kDouble);
  expect_near("sigmas of no timestep", none, vector_of({0.0}), kDouble);
}

PROPERTY(euler_step, "sigmas: in a straight line between two timesteps") {
  const Alphas a = draw_alphas(draw, draw.size("T", 3, 8));
  const double share = draw.number("share", 0.125, 0.875);
  const auto below = draw.integer("t", 0, a.size() - 2);
  const auto sigma = [&](std::int64_t t) { return std::sqrt((1.0 - a(t)) / a(t)); };
  const double between = (1.0 - share) * sigma(below) + share * sigma(below + 1);
  const DoubleVector got = ASK(euler_sigmas, vector_of({double(below) + share}), a);
  expect(got.size() > 0, "a timestep has a sigma");
  expect_near("its sigma", got(0), between, kDouble);
}

PROPERTY(euler_step, "ten steps: 10.0807 as the library's test has it, 168.0514 as it should be") {
  const Alphas a = known_alphas(false, 1e-4, 0.02, 1100);
  DoubleVector t(10);
  for (Index i = 0; i < 10; ++i) t(i) = 1099.0 * double(9 - i) / 9.0;
  const DoubleVector sigmas = ASK(euler_sigmas, t, a);
  expect(sigmas.size() == 11, "ten timesteps have eleven sigmas");
  const auto loop = [&](bool overwrites_the_sample) {
    Matrix x = ramp() * float(sigmas(0));
    for (Index i = 0; i < 10; ++i) {
      const Matrix input = ASK(scale_model_input, x, sigmas(i));
      expect(input.rows() == 8 && input.cols() == 96, "scaling keeps the shape");
      if (overwrites_the_sample) x = input;
      const Matrix output = toy_model(input, t(i));
      x = ASK(euler_step, x, output, sigmas(i), sigmas(i + 1), Type::kEpsilon).prev;
      expect(x.rows() == 8 && x.cols() == 96, "a step keeps the shape");
    }
    return x.cast<double>().cwiseAbs().sum();
  };
  const double overwritten = loop(true), right = loop(false);
  expect_near("sum of magnitudes, the step given the scaled sample", overwritten, 10.0806681,
              {1e-4, 0.0, 0.0});
  expect_near("sum of magnitudes, the step given the sample", right, 168.0513609, {1e-4, 0.0, 0.0});
}

double shifted(double s, double k) {
  return k * s / (1.0 + (k - 1.0) * s);
}

PROPERTY(euler_step, "flow sigmas: equal steps from 1 to 1/T, shifted once, and a 0") {
  const Index steps = draw.size("S", 2, 8);
  const std::int64_t train_steps = draw.integer("T", 10, 100);
  const double k = draw.number("shift", 1.5, 4.0), last = 1.0 / double(train_steps);
  DoubleVector plain = DoubleVector::Zero(steps + 1), expected = plain;
  for (Index i = 0; i < steps; ++i) {
    plain(i) = 1.0 - (1.0 - last) * double(i) / double(steps - 1);
    expected(i) = shifted(plain(i), k);
  }
  const DoubleVector got = ASK(flow_sigmas, train_steps, steps, k);
  const DoubleVector unshifted = ASK(flow_sigmas, train_steps, steps, 1.0);
  expect_near("sigmas", got, expected, kDouble);
  expect_near("sigmas, shift 1", unshifted, plain, kDouble);
}

PROPERTY(euler_step, "flow sigmas: 28 steps, shift 3: the last is 0.002994, not 0.0089286") {
  const DoubleVector got = ASK(flow_sigmas, 1000, 28, 3.0), one = ASK(flow_sigmas, 1000, 1, 3.0);
  expect(got.size() == 29, "28 steps have 29 sigmas");
  expect_near("the last before 0", got(27), 0.0029940119760, {1e-9, 0.0, 0.0});
  const DoubleVector least = ASK(flow_sigmas, 1, 2, 3.0);
  expect_near("sigmas of one step", one, vector_of({1.0, 0.0}), kDouble);
  expect_near("sigmas of two steps, T = 1", least, vector_of({1.0, 1.0, 0.0}), kDouble);
}

PROPERTY(euler_step, "flow: x + (s' - s) u") {
  const EulerCase c = draw_euler(draw);
  const double s = draw.number("s", 0.5, 1.0), next = draw.number("next_s", 0.0, 0.375);
  const auto moved = [&](double way) {
    return tabulate(c.sample, [&](Index n, Index d) {
      return double(c.sample(n, d)) + way * double(c.output(n, d));
    });
  };
  const Matrix got = ASK(flow_match_step, c.sample, c.output, s, next);
  const Matrix all = ASK(flow_match_step, c.sample, c.output, 1.0, 0.0);
  expect_near("x'", got, moved(next - s), rounding(16.0));
  expect_near("x' from noise to clean", all, moved(-1.0), rounding(16.0));
}

PROPERTY(euler_step, "takes batches without rows") {
  const Index d = draw.size("D", 1, 4);
  const Matrix none = zeros(0, d);
  const Matrix scaled = ASK(scale_model_input, none, 2.0);
  const DenoisingStep step = ASK(euler_step, none, none, 2.0, 1.0, Type::kVelocity);
  const Matrix flow = ASK(flow_match_step, none, none, 0.5, 0.25);
  expect_near("input", scaled, Oracle(0, d));
  expect_near("prev", step.prev, Oracle(0, d));
  expect_near("flow", flow, Oracle(0, d));
}

PROPERTY(euler_step, "refuses a sample and an output of different shapes") {
  const EulerCase c = draw_euler(draw);
  EulerCase longer = c, wider = c;
  longer.output = with_one_row_more(c.output);
  wider.output = with_one_column_more(c.output);
  const Reply rows = EULER_REPLY(longer, Type::kEpsilon);
  const Reply columns = EULER_REPLY(wider, Type::kSample);
  expect_refused(rows, "the output has one row more than the sample");
  expect_refused(columns, "the output has one column more than the sample");
}

PROPERTY(euler_step, "refuses a sigma that is not above 0, and a negative next one") {
  const EulerCase c = draw_euler(draw);
  EulerCase zero = c, negative = c, next = c;
  zero.sigma = 0.0;
  negative.sigma = -c.sigma;
  next.next = -c.next;
  const Reply of_zero = EULER_REPLY(zero, Type::kSample);
  const Reply of_negative = EULER_REPLY(negative, Type::kEpsilon);
  const Reply of_next = EULER_REPLY(next, Type::kEpsilon);
  expect_refused(of_zero, "sigma is 0");
  expect_refused(of_negative, "sigma is negative");
  expect_refused(of_next, "next_sigma is negative");
}

PROPERTY(euler_step, "input: refuses a negative sigma") {
  const EulerCase c = draw_euler(draw);
  const Reply drawn = REPLY(scale_model_input, c.sample, -c.sigma);
  const Reply tiny = REPLY(scale_model_input, c.sample, -1e-9);
  expect_refused(drawn, "sigma is negative");
  expect_refused(tiny, "sigma is -1e-9");
}

PROPERTY(euler_step, "sigmas: refuses a timestep out of range, and an a of 0") {
  const Alphas a = draw_alphas(draw, draw.size("T", 3, 8));
  Alphas ends_in_noise = a;
  ends_in_noise(a.size() - 1) = 0.0;
  const Reply below = REPLY(euler_sigmas, vector_of({-0.25}), a);
  const Reply above = REPLY(euler_sigmas, vector_of({double(a.size()) - 0.75, 0.0}), a);
  const Reply noise = REPLY(euler_sigmas, vector_of({0.0}), ends_in_noise);
  expect_refused(below, "a timestep is -0.25");
  expect_refused(above, "a timestep is above T - 1");
  expect_refused(noise, "an a is 0, so its sigma is infinite");
}

PROPERTY(euler_step,
         "flow sigmas: refuses no steps, no timesteps and a shift that is not above 0") {
  const double k = draw.number("shift", 1.5, 4.0);
  const Reply steps = REPLY(flow_sigmas, 1000, 0, k), train = REPLY(flow_sigmas, 0, 4, k);
  const Reply zero = REPLY(flow_sigmas, 1000, 4, 0.0), negative = REPLY(flow_sigmas, 1000, 4, -k);
  expect_refused(steps, "there is no step");
  expect_refused(train, "there is no timestep");
  expect_refused(zero, "the shift is 0");
  expect_refused(negative, "the shift is negative");
}

PROPERTY(euler_step, "flow: refuses other shapes, and shares that are not from 0 to 1") {
  const EulerCase c = draw_euler(draw);
  const auto reply = [&](const Matrix& output, double s, double next) {
    return REPLY(flow_match_step, c.sample, output, s, next);
  };
  const Reply rows = reply(with_one_row_more(c.output), 0.5, 0.25);
  const Reply columns = reply(with_one_column_more(c.output), 0.5, 0.25);
  const Reply above = reply(c.output, 1.5, 0.5), below = reply(c.output, 0.5, -0.25);
  expect_refused(rows, "the output has one row more than the sample");
  expect_refused(columns, "the output has one column more than the sample");
  expect_refused(above, "s is above 1");
  expect_refused(below, "next_s is negative");
}

// ---- 9.9 classifier_free_guidance --------------------------------------------------------------

DEFINES(classifier_free_guidance, "is u + w (c - u)") {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 5);
  const Matrix u = draw.matrix("unconditional", n, d), c = draw.matrix("conditional", n, d);
  const double w = draw.number("scale", 1.5, 9.0);
  const Oracle expected = tabulate(u, [&](Index row, Index i) {
    return double(u(row, i)) + w * (double(c(row, i)) - double(u(row, i)));
  });
  expect_near("guided", ASK(classifier_free_guidance, u, c, w), expected, rounding(60.0));
}

PROPERTY(classifier_free_guidance, "is u for a scale of 0, c for 1, and 7.5 c - 6.5 u for 7.5") {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 5);
  const Matrix u = draw.matrix("unconditional", n, d), c = draw.matrix("conditional", n, d);
  const Matrix none = ASK(classifier_free_guidance, u, c, 0.0);
  const Matrix full = ASK(classifier_free_guidance, u, c, 1.0);
  const Matrix usual = ASK(classifier_free_guidance, one_number(1.0), one_number(2.0), 7.5);
  expect_near("guided, scale 0", none, u, rounding(8.0));
  expect_near("guided, scale 1", full, c, rounding(8.0));
  expect_near("guided, u = 1, c = 2, scale 7.5", usual, one_number(8.5), rounding(15.0));
}

/// Row by row, with the magnitudes sorted by hand.
Oracle threshold_oracle(const Matrix& x0, double ratio) {
  Oracle result(x0.rows(), x0.cols());
  for (Index n = 0; n < x0.rows(); ++n) {
    std::vector<double> sorted;
    for (Index d = 0; d < x0.cols(); ++d) sorted.push_back(std::abs(double(x0(n, d))));
    std::sort(sorted.begin(), sorted.end());
    const double place = ratio * double(x0.cols() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double rest = place - double(below);
    double m = sorted[below];
    if (rest > 0.0) m += rest * (sorted[below + 1] - sorted[below]);
    m = std::max(1.0, m);
    for (Index d = 0; d < x0.cols(); ++d) result(n, d) = std::clamp(double(x0(n, d)), -m, m) / m;
  }
  return result;
}

/// Rows of different sizes, all with magnitudes above 1.
Matrix draw_large(Draw& draw, Index n, Index d) {
  Matrix x(n, d);
  for (Index row = 0; row < n; ++row) {
    for (Index i = 0; i < d; ++i) {
      const double size = (1.5 + double(row)) * draw.random().uniform(1.0, 4.0);
      x(row, i) = float(draw.random().integer(0, 1) == 0 ? size : -size);
    }
  }
  return draw.show("x0", x);
}

PROPERTY(classifier_free_guidance, "threshold: limits each row by a quantile of its own") {
  const Index n = draw.size("N", 2, 4), d = draw.size("D", 4, 9);
  const Matrix x0 = draw_large(draw, n, d);
  // A ratio that hits an element, so that nothing is interpolated.
  const double ratio = draw.show("ratio", double(d - 2) / double(d - 1));
  expect_near("thresholded", ASK(dynamic_threshold, x0, ratio), threshold_oracle(x0, ratio),
              {1e-5, 1e-6, 0.0});
}

PROPERTY(classifier_free_guidance, "threshold: the quantile lies on a line between neighbours") {
  const Index d = draw.size("D", 4, 9);
  const Matrix x0 = draw_large(draw, 1, d);
  const double ratio = draw.show("ratio", (double(d - 2) - 0.375) / double(d - 1));
  expect_near("thresholded", ASK(dynamic_threshold, x0, ratio), threshold_oracle(x0, ratio),
              {1e-5, 1e-6, 0.0});
}

PROPERTY(classifier_free_guidance, "threshold: never divides by less than 1") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 3, 6);
  Matrix x0(n, d);
  for (Index i = 0; i < x0.size(); ++i)
    x0.data()[i] = float(draw.random().uniform(0.2, 0.6)) * (i % 2 == 0 ? 1.0F : -1.0F);
  draw.show("x0", x0);
  x0(0, 0) = 3.0F;  // limited to 1 where the quantile is the smallest magnitude
  const Matrix got = ASK(dynamic_threshold, x0, 0.5);
  const Matrix least = ASK(dynamic_threshold, x0, 0.0);
  expect_near("thresholded, ratio 0.5", got, threshold_oracle(x0, 0.5), {1e-5, 1e-6, 0.0});
  expect_near("thresholded, ratio 0", least, threshold_oracle(x0, 0.0), {1e-5, 1e-6, 0.0});
}

PROPERTY(classifier_free_guidance, "threshold: (0.5, -1, 2, 4) at ratio 1 is divided by 4") {
  const Matrix x0{{0.5F, -1.0F, 2.0F, 4.0F}}, single = Matrix::Constant(2, 1, -3.0F);
  const Matrix got = ASK(dynamic_threshold, x0, 1.0);
  const Matrix alone = ASK(dynamic_threshold, single, 0.995);
  const Matrix none = ASK(dynamic_threshold, zeros(0, 3), 0.5);
  expect_near("thresholded, ratio 1", got, Oracle(Oracle{{0.125, -0.25, 0.5, 1.0}}), rounding(1.0));
  expect_near("thresholded, one column", alone, Oracle(Oracle{{-1.0}, {-1.0}}), rounding(1.0));
  expect_near("thresholded, no rows", none, Oracle(0, 3));
}

PROPERTY(classifier_free_guidance, "zero SNR: sqrt(a) goes on a line from its first value to 0") {
  const Alphas a = draw_alphas(draw, draw.size("T", 2, 8));
  const double first = std::sqrt(a(0)), last = std::sqrt(a(a.size() - 1));
  DoubleVector expected(a.size());
  for (Index t = 0; t < a.size(); ++t)
    expected(t) = std::pow((std::sqrt(a(t)) - last) / (first - last) * first, 2);
  expect_near("a", ASK(rescale_zero_terminal_snr, a), expected, kDouble);
}

PROPERTY(classifier_free_guidance, "zero SNR: SD's a stay 0.99915, become 0.241019 and 0") {
  const DoubleVector got = ASK(rescale_zero_terminal_snr, scaled_linear());
  expect(got.size() == 1000, "there are 1000 timesteps");
  expect_near("a of timesteps 0, 500, 999", vector_of({got(0), got(500), got(999)}),
              vector_of({0.99915, 0.2410187828, 0.0}), {1e-9, 1e-12, 0.0});
}

PROPERTY(classifier_free_guidance, "zero SNR: takes a schedule that ends in 0, and one from 1") {
  const double a = draw.number("a", 0.25, 0.75);
  const DoubleVector done = ASK(rescale_zero_terminal_snr, vector_of({0.9, a, 0.0}));
  const DoubleVector from_one = ASK(rescale_zero_terminal_snr, vector_of({1.0, 0.0}));
  expect_near("a, done already", done, vector_of({0.9, a, 0.0}), kDouble);
  expect_near("a, from 1 to 0", from_one, vector_of({1.0, 0.0}), kDouble);
}

PROPERTY(classifier_free_guidance, "takes a batch without rows") {
  const Index d = draw.size("D", 1, 5);
  const Matrix usual = ASK(classifier_free_guidance, zeros(0, d), zeros(0, d), 7.5);
  const Matrix none = ASK(classifier_free_guidance, zeros(0, d), zeros(0, d), 0.0);
  expect_near("guided", usual, Oracle(0, d));
  expect_near("guided, scale 0", none, Oracle(0, d));
}

PROPERTY(classifier_free_guidance, "refuses u and c of different shapes") {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 5);
  const Matrix u = draw.matrix("unconditional", n, d);
  const Reply rows = REPLY(classifier_free_guidance, u, with_one_row_more(u), 7.5);
  const Reply columns = REPLY(classifier_free_guidance, u, with_one_column_more(u), 7.5);
  expect_refused(rows, "c has one row more than u");
  expect_refused(columns, "c has one column more than u");
}

PROPERTY(classifier_free_guidance, "threshold: refuses no column, and a ratio not from 0 to 1") {
  const Index n = draw.size("N", 1, 4);
  const Reply none = REPLY(dynamic_threshold, zeros(n, 0), 0.5);
  const Reply below = REPLY(dynamic_threshold, zeros(n, 4), -0.125);
  const Reply above = REPLY(dynamic_threshold, zeros(n, 4), 99.5);
  const Reply nan = REPLY(dynamic_threshold, zeros(n, 4), kNoNumber);
  expect_refused(none, "there is no column");
  expect_refused(below, "the ratio is negative");
  expect_refused(above, "the ratio is 99.5");
  expect_refused(nan, "the ratio is NaN");
}

PROPERTY(classifier_free_guidance, "zero SNR: refuses what is no falling schedule") {
  const double a = draw.number("a", 0.25, 0.75);
  const Reply one = REPLY(rescale_zero_terminal_snr, vector_of({a}));
  const Reply constant = REPLY(rescale_zero_terminal_snr, vector_of({a, a, a}));
  const Reply rising = REPLY(rescale_zero_terminal_snr, vector_of({a, 0.9}));
  const Reply negative = REPLY(rescale_zero_terminal_snr, vector_of({a, -a, 0.0}));
  const Reply above = REPLY(rescale_zero_terminal_snr, vector_of({1.0 + a, a}));
  expect_refused(one, "there is one timestep");
  expect_refused(constant, "the last a is as large as the first");
  expect_refused(rising, "the last a is larger than the first");
  expect_refused(negative, "an a is negative");
  expect_refused(above, "an a is above 1");
}

}  // namespace
}  // namespace latent::grader

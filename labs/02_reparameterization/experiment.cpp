// `./lab run 2`: what the noise of a draw does, what its gradient costs, and what that decides. The
// last part draws pictures with your gradient and with the older one.

#include "common/experiment.hpp"

#include <cmath>

#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/training.hpp"
#include "reparameterization.hpp"

namespace latent {
namespace {

/// Streams of the seed: what is drawn for one purpose does not move what is drawn for another. The
/// steps of a training count from 0 in a stream of their own.
enum Stream : std::uint64_t { kClouds = 1ULL << 40, kEstimates = 2ULL << 40, kSteps = 3ULL << 40 };

Matrix rows_of(const RowVector& row, Index count) {
  return row.replicate(count, 1);
}

// ---- the same noise -----------------------------------------------------------------------------

/// One scatter, four marks: which quarter of the plane the noise of a point lies in.
std::string cloud_plot(const Matrix& eps) {
  const std::vector<std::pair<RowVector, RowVector>> clouds{
      {RowVector{{0, 0}}, RowVector{{1, 1}}},
      {RowVector{{6, 1}}, RowVector{{0.4F, 0.4F}}},
      {RowVector{{2, 6}}, RowVector{{2.5F, 0.5F}}}};
  std::vector<Series> quarters{{"right, above", {}, {}},
                               {"left, above", {}, {}},
                               {"right, below", {}, {}},
                               {"left, below", {}, {}}};
  for (const auto& [mu, sigma] : clouds) {
    const RowVector log_var = 2 * sigma.array().log();
    const Matrix z = reparameterize(rows_of(mu, eps.rows()), rows_of(log_var, eps.rows()), eps);
    for (Index i = 0; i < eps.rows(); ++i) {
      Series& s = quarters[(eps(i, 0) < 0 ? 1U : 0U) + (eps(i, 1) < 0 ? 2U : 0U)];
      s.x.push_back(z(i, 0));
      s.y.push_back(z(i, 1));
    }
  }
  return scatter_plot(
      {"Three clouds of the same noise", "z, first number", "z, second number",
       "The same pairs of noise as three clouds: mean (0, 0) and deviations (1, 1), "
       "mean (6, 1) and (0.4, 0.4), mean (2, 6) and (2.5, 0.5). The mark tells in "
       "which quarter the noise lies."},
      quarters);
}

/// Six draws while mu, then sigma, is changed.
std::string draw_plot(const Matrix& eps) {
  std::vector<Series> draws(6);
  for (int i = 0; i <= 60; ++i) {
    const double t = i / 30.0, mu = std::min(3 * t, 3.0),
                 sigma = t < 1 ? 1 : std::pow(0.1, t - 1);  // 1, then down to a tenth
    const Matrix z =
        reparameterize(Matrix::Constant(6, 1, static_cast<float>(mu)),
                       Matrix::Constant(6, 1, static_cast<float>(2 * std::log(sigma))), eps);
    for (Index k = 0; k < 6; ++k) {
      Series& s = draws[static_cast<std::size_t>(k)];
      s.name = "eps " + decimal(eps(k, 0), 2);
      s.x.push_back(t);
      s.y.push_back(z(k, 0));
    }
  }
  return line_chart({"Six draws whose noise stays", "change", "z",
                     "From 0 to 1, mu goes from 0 to 3 and sigma is 1; from 1 to 2, mu is 3 and "
                     "sigma goes from 1 to 0.1. Each line is one draw."},
                    draws);
}

void same_noise(Run& run, Report& report) {
  report.heading("The same noise, other distributions");
  Random random(run.seed(), kClouds);
  const Matrix eps = random.normal_matrix(160, 2);
  report.plot(
      "clouds.svg", cloud_plot(eps),
      "A cloud moves with mu and grows with sigma, in each dimension by itself. No point is "
      "drawn anew: the quarters should keep their places.");
  report.plot("draws.svg", draw_plot(random.normal_matrix(6, 1)),
              "First mu changes, and all draws should move by the same amount: dz/dmu is 1. Then "
              "sigma shrinks, and each should move in proportion to its noise: dz/dsigma is eps.");
}

// ---- what an estimate is worth ------------------------------------------------------------------

/// Many estimates of one gradient: of E[sum of z_j^2] with respect to the first mean and deviation,
/// where all means and deviations are 1. Both are exactly 2, in any number of dimensions.
struct Estimates {
  GradientSamples pathwise, score;
};

Estimates estimates(std::uint64_t seed, Index dimensions, Index draws) {
  Random random(seed, kEstimates + static_cast<std::uint64_t>(dimensions));
  const Matrix eps = random.normal_matrix(draws, dimensions);
  const Matrix z =
      reparameterize(Matrix::Ones(draws, dimensions), Matrix::Zero(draws, dimensions), eps);
  const DoubleVector first = z.col(0).cast<double>(), noise = eps.col(0).cast<double>(),
                     f = z.cast<double>().rowwise().squaredNorm();
  return {pathwise_gradient(2 * first, noise), score_function_gradient(f, first, 1, 1)};
}

double variance(const DoubleVector& x) {
  return (x.array() - x.mean()).square().mean();
}

/// Name, mean and variance, and how the latter compares with what the chapter derives.
std::vector<std::string> estimate_row(const std::string& name, const DoubleVector& x,
                                      double exact) {
  const bool met = std::abs(variance(x) / exact - 1) <= 0.05;
  return {name, decimal(x.mean(), 3), decimal(variance(x), 2), decimal(exact, 0),
          met ? "yes" : "no"};
}

/// How far the mean of n estimates lies from the gradient, as a root mean square over all that the
/// estimates can be cut into.
Series error_of_means(const std::string& name, const DoubleVector& x) {
  Series s{name, {}, {}};
  for (Index n = 1; n <= 4096; n *= 4) {
    const auto groups = Eigen::Map<const Eigen::MatrixXd>(x.data(), n, x.size() / n);
    s.x.push_back(static_cast<double>(n));
    s.y.push_back(std::sqrt((groups.colwise().mean().array() - 2).square().mean()));
  }
  return s;
}

Series root_law(const std::string& name, double variance_of_one) {
  Series s{name, {1, 4096}, {}};
  for (const double n : s.x) s.y.push_back(std::sqrt(variance_of_one / n));
  return s;
}

Sample near_gradient(const std::string& name, const DoubleVector& x) {
  Sample s{name, {}};
  for (const double v : x.head(std::min<Index>(x.size(), 40'000)))
    if (std::abs(v - 2) <= 16) s.values.push_back(v);
  return s;
}

void two_estimators(Run& run, Report& report) {
  report.heading("Two estimates of one gradient");
  const Estimates e = estimates(run.seed(), 1, 1 << 20);
  report.table({"f(z) = z^2 at mu = sigma = 1, 1,048,576 draws. The gradient is (2, 2)",
                {"", "mean", "variance", "derived", "within 5 %"},
                {estimate_row("pathwise, for mu", e.pathwise.mu, 4),
                 estimate_row("score function, for mu", e.score.mu, 30),
                 estimate_row("pathwise, for sigma", e.pathwise.sigma, 12),
                 estimate_row("score function, for sigma", e.score.sigma, 136)}});
  const double outside = ((e.score.mu.array() - 2).abs() > 16).cast<double>().mean();
  report.plot(
      "estimates.svg",
      histogram(
          {"Single estimates of the gradient for mu", "estimate", "share",
           "Pathwise: variance " + decimal(variance(e.pathwise.mu), 2) +
               ". Score function: variance " + decimal(variance(e.score.mu), 2) + "."},
          {near_gradient("pathwise", e.pathwise.mu), near_gradient("score function", e.score.mu)},
          60),
      "The gradient is 2. Means: " + decimal(e.pathwise.mu.mean(), 3) + " and " +
          decimal(e.score.mu.mean(), 3) + ". Of the score function's estimates, " +
          decimal(100 * outside, 1) + " % lie outside this window, from -14 to 18.");
  report.plot(
      "error.svg",
      line_chart(
          {"The error of an averaged gradient", "draws averaged", "error, RMS",
           "Measured errors of both estimators for 1 to 4096 draws, beside the roots "
           "of 4/n and of 30/n."},
          {error_of_means("pathwise", e.pathwise.mu), error_of_means("score function", e.score.mu),
           root_law("root of 4/n", 4), root_law("root of 30/n", 30)},
          {}, {true, true}),
      "Both should fall with the root of the number of draws, so the score function needs "
      "7.5 times as many for the same error.");
}

void dimensions(Run& run, Report& report) {
  report.heading("More dimensions");
  Series pathwise{"pathwise", {}, {}}, score{"score function", {}, {}},
      law{"30 + 22(D-1) + 4(D-1)^2", {}, {}};
  ReportTable table{
      "f(z) = sum of z_j^2 over D dimensions: variance of one estimate of the gradient for mu_1",
      {"D", "pathwise", "derived", "score function", "derived"},
      {}};
  for (const Index d : {1, 4, 16, 64}) {
    const Estimates e = estimates(run.seed(), d, 1 << 16);
    const double others = static_cast<double>(d) - 1,
                 exact = 30 + 22 * others + 4 * others * others;
    for (auto* s : {&pathwise, &score, &law}) s->x.push_back(static_cast<double>(d));
    pathwise.y.push_back(variance(e.pathwise.mu));
    score.y.push_back(variance(e.score.mu));
    law.y.push_back(exact);
    table.rows.push_back({std::to_string(d), decimal(pathwise.y.back(), 2), "4",
                          decimal(score.y.back(), 0), decimal(exact, 0)});
  }
  report.table(table);
  report.plot(
      "dimensions.svg",
      line_chart({"What more dimensions cost", "dimensions of z", "variance",
                  "Variance of one estimate for 1, 4, 16 and 64 dimensions. Pathwise: " +
                      decimal(pathwise.y.front(), 1) + " to " + decimal(pathwise.y.back(), 1) +
                      "; score function: " + decimal(score.y.front(), 0) + " to " +
                      decimal(score.y.back(), 0) + "."},
                 {pathwise, score, law}, {}, {true, true}),
      "The path leads from mu_1 to z_1 and past all other dimensions. The score function "
      "multiplies with the whole of f, and their noise is its noise.");
}

// ---- what it decides ----------------------------------------------------------------------------

/// A target, and the Gaussian that is to be laid over it: the loss is
/// E_q[|z - target|^2] - sum of log sigma. The second term pays for width; without it, the best
/// cloud is a point. With it, the best has mu = target and sigma^2 = 1/2.
struct Problem {
  std::string name;
  RowVector target;
  std::int64_t steps = 0;
  double rate = 0.0;
};

constexpr Index kDraws = 8;

/// What the loss is above its minimum, per dimension: with a formula, so that it is not noisy.
double excess(const Problem& problem, const Gaussian& q) {
  const auto var = q.log_var.array().exp();
  const double loss =
      ((q.mu - problem.target).array().square() + var - q.log_var.array() / 2).sum();
  const double best = 0.5 + 0.5 * std::log(2.0);
  return loss / static_cast<double>(problem.target.size()) - best;
}

using Estimator = Gaussian (*)(const Gaussian& q, const Matrix& eps, const RowVector& target);

/// Back through the draws, averaged over them.
Gaussian along_the_path(const Gaussian& q, const Matrix& eps, const RowVector& target) {
  const Matrix mu = rows_of(q.mu, eps.rows()), log_var = rows_of(q.log_var, eps.rows());
  const Matrix z = reparameterize(mu, log_var, eps);
  const Gaussian each = reparameterize_backward(2 * (z.rowwise() - target), mu, log_var, eps);
  return {each.mu.colwise().mean(), each.log_var.colwise().mean()};
}

/// The same draws, of which it sees nothing but how far each is from the target.
Gaussian by_the_score(const Gaussian& q, const Matrix& eps, const RowVector& target) {
  const Matrix z = reparameterize(rows_of(q.mu, eps.rows()), rows_of(q.log_var, eps.rows()), eps);
  const DoubleVector f = (z.rowwise() - target).rowwise().squaredNorm().cast<double>();
  const Matrix sigma = std_from_logvar(q.log_var);
  Matrix dmu(1, z.cols()), dsigma(1, z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const GradientSamples each =
        score_function_gradient(f, z.col(d).cast<double>(), q.mu(0, d), sigma(0, d));
    dmu(0, d) = static_cast<float>(each.mu.mean());
    dsigma(0, d) = static_cast<float>(each.sigma.mean());
  }
  return {dmu, std_from_logvar_backward(dsigma, sigma)};
}

/// Where training went: the loss above its minimum, and the means after some steps.
struct Path {
  Series excess;
  Matrix mu;
};

Path descend(Run& run, const Problem& problem, const std::string& name, Estimator estimator) {
  const Index size = problem.target.size();
  constexpr std::int64_t kKept = 120;
  Gaussian q{Matrix::Zero(1, size), Matrix::Zero(1, size)};
  Path path{{}, Matrix::Zero(kKept + 1, size)};  // row 0: where it begins
  Optimizer adam(adam_step, {{"mu", &q.mu}, {"log_var", &q.log_var}});
  NamedTensors kept = adam.tensors();
  kept.push_back({"path", &path.mu});
  Training training(run, {name + " " + problem.name, problem.steps, kDraws}, kept);
  while (training.next()) {
    // Both estimators get the same noise in the same step.
    Random random(run.seed(), kSteps + static_cast<std::uint64_t>(training.step()));
    Gaussian gradient = estimator(q, random.normal_matrix(kDraws, size), problem.target);
    gradient.log_var.array() -= 0.5F;  // of - log sigma
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(problem.steps);
    adam.step({{"mu", &gradient.mu}, {"log_var", &gradient.log_var}}, training.step(),
              {.learning_rate = problem.rate * left});
    q.log_var = q.log_var.cwiseMax(-30.0F).cwiseMin(20.0F);  // what the contracts ask for
    path.mu.row((training.step() * kKept + problem.steps - 1) / problem.steps) = q.mu;
    training.record({excess(problem, q)});
  }
  path.excess = training.curve(0, 200);
  path.excess.name = name + ", " + problem.name;
  return path;
}

std::string route_plot(const Path& pathwise, const Path& score, const RowVector& target) {
  const auto route = [](const std::string& name, const Matrix& mu) {
    Series s{name, {}, {}};
    for (Index i = 0; i < mu.rows(); ++i) {
      s.x.push_back(mu(i, 0));
      s.y.push_back(mu(i, 1));
    }
    return s;
  };
  const auto end = [](const Matrix& mu) {
    return "(" + decimal(mu(mu.rows() - 1, 0), 2) + ", " + decimal(mu(mu.rows() - 1, 1), 2) + ")";
  };
  return line_chart({"Two numbers: the way of mu", "mu, first number", "mu, second number",
                     "From (0, 0), towards (" + decimal(target(0), 0) + ", " +
                         decimal(target(1), 0) + "). Pathwise ends at " + end(pathwise.mu) +
                         ", the score function at " + end(score.mu) + "."},
                    {route("pathwise", pathwise.mu), route("score function", score.mu)});
}

/// mu as a picture after no, few and all steps.
Matrix stages(const Path& path, const RowVector& target) {
  Matrix tiles(8, target.size());
  const std::vector<Index> rows{0, 2, 5, 10, 20, 60, 120};
  for (Index i = 0; i < 7; ++i) tiles.row(i) = path.mu.row(rows[static_cast<std::size_t>(i)]);
  tiles.row(7) = target;
  return tiles;
}

void training(Run& run, Report& report) {
  report.heading("Training with one and with the other");
  const std::int64_t steps = run.quick() ? 600 : 2400;
  const double rate = run.quick() ? 0.03 : 0.01;
  const Problem two{"2 numbers", RowVector{{3, -2}}, steps, rate},
      picture{"784 numbers", sprites(run.seed(), 1).data.x.row(0), steps, rate};
  const Path p2 = descend(run, two, "pathwise", along_the_path),
             s2 = descend(run, two, "score function", by_the_score),
             p784 = descend(run, picture, "pathwise", along_the_path),
             s784 = descend(run, picture, "score function", by_the_score);
  const auto row = [](const Path& path) {
    return std::vector<std::string>{path.excess.name, decimal(path.excess.y.front()),
                                    decimal(path.excess.y.back())};
  };
  report.table({"Loss above its minimum, per number: E[|z - target|^2] - sum of log sigma, " +
                    std::to_string(kDraws) + " draws a step, " + std::to_string(steps) +
                    " steps of your adam_step",
                {"", "first steps", "last steps"},
                {row(p2), row(s2), row(p784), row(s784)}});
  report.plot("route.svg", route_plot(p2, s2, two.target),
              "Same start, same noise, same steps. What differs is the gradient that is read from "
              "the draws.");
  report.plot(
      "loss.svg",
      line_chart({"The loss while training", "step", "above the minimum, per number",
                  "After all steps: pathwise " + decimal(p2.excess.y.back()) + " and " +
                      decimal(p784.excess.y.back()) + ", score function " +
                      decimal(s2.excess.y.back()) + " and " + decimal(s784.excess.y.back()) + "."},
                 {p2.excess, s2.excess, p784.excess, s784.excess}, {}, {false, true}),
      "In 2 dimensions, and in 784: f is then the distance from a picture, and mu is one.");
  Matrix tiles(16, picture.target.size());
  tiles << stages(p784, picture.target), stages(s784, picture.target);
  report.picture(
      "pictures.png", tile_grid(tiles, {1, 28, 28}, 8),
      "Two rows of mu as a picture, pathwise above, score function below.",
      "mu as a picture, after 0, 2, 4, 8, 17, 50 and 100 % of the steps, and at the right "
      "the target. Above with the pathwise gradient, below with the score function's, "
      "from the same draws.");
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return training_options();
}

void run_experiment(Run& run) {
  Report report("Through the noise, and around it", run);
  same_noise(run, report);
  two_estimators(run, report);
  dimensions(run, report);
  training(run, report);
  report.try_next(
      {"In by_the_score of labs/02_reparameterization/experiment.cpp, subtract f.mean() from f. "
       "How much of the picture appears? (The mean of the same draws is not quite allowed: why?)",
       "Raise kDraws to 512. Which of the two needs it?",
       "Let reparameterize use sigma^2 for sigma: which figures notice, and which do not?",
       "Remove the line `gradient.log_var.array() -= 0.5F`: what becomes of the cloud?"});
  report.finish();
}

}  // namespace latent

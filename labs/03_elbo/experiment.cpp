// `./lab run 3`: the bound beside the evidence, wherever the evidence can be computed, and what it
// takes to estimate it where it cannot. It ends with the first VAE of the workbook, a linear one.

#include "common/experiment.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/statistics.hpp"
#include "common/training.hpp"
#include "elbo.hpp"
#include "reparameterization.hpp"

namespace latent {
namespace {

/// Streams of the seed; steps of the training count from 0 in the first.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kPrior = 2ULL << 40, kGuess = 3ULL << 40 };

/// The model of the chapter's examples, and its datum.
constexpr double kX = 1.7;
constexpr LinearGaussian kModel{2.0, 0.5};

// ---- the derivation -----------------------------------------------------------------------------

/// From the prior (t = 0) to the posterior (t = 1) to one state alone (t = 2).
DoubleVector sliding(double t, const DoubleVector& prior, const DoubleVector& posterior) {
  DoubleVector one = DoubleVector::Zero(prior.size());
  one(prior.size() - 1) = 1;
  if (t <= 1) return (1 - t) * prior + t * posterior;
  return (2 - t) * posterior + (t - 1) * one;
}

void derivation(Report& report) {
  report.heading("The derivation, as numbers");
  const DoubleVector prior{{0.5, 0.25, 0.25}}, likelihood{{0.1, 0.4, 0.8}},
      posterior = prior.cwiseProduct(likelihood) / prior.dot(likelihood);
  std::vector<JensenChain> chains;
  for (const double t : {0.0, 1.0, 2.0})
    chains.push_back(jensen_chain(prior, likelihood, sliding(t, prior, posterior)));
  const auto row = [&](const std::string& name, double JensenChain::*line) {
    std::vector<std::string> cells{name};
    for (const JensenChain& chain : chains) cells.push_back(decimal(chain.*line, 6));
    return cells;
  };
  report.table({"Three states, prior (1/2, 1/4, 1/4), likelihood (0.1, 0.4, 0.8), in nats",
                {"", "q = prior", "q = posterior", "q = third state"},
                {row("line 1: log p(x)", &JensenChain::log_evidence),
                 row("line 2: log E_q[p(x,z)/q(z)]", &JensenChain::log_mean_ratio),
                 row("line 3: E_q[log p(x,z)/q(z)]", &JensenChain::mean_log_ratio),
                 row("line 4: reconstruction - KL", &JensenChain::split),
                 row("gap: KL(q || posterior)", &JensenChain::gap)}});
  Series second{"line 2", {}, {}}, third{"line 3, the ELBO", {}, {}};
  for (int i = 0; i <= 80; ++i) {
    const double t = i / 40.0;
    const JensenChain chain = jensen_chain(prior, likelihood, sliding(t, prior, posterior));
    for (Series* s : {&second, &third}) s->x.push_back(t);
    second.y.push_back(chain.log_mean_ratio);
    third.y.push_back(chain.mean_log_ratio);
  }
  report.plot("chain.svg",
              line_chart({"The lines of the derivation as q moves",
                          "q: prior at 0, posterior at 1, third state at 2", "nats",
                          "The ELBO is " + decimal(third.y[0], 3) + " for the prior, " +
                              decimal(third.y[40], 3) + " for the posterior and " +
                              decimal(third.y[80], 3) + " for one state; log p(x) is " +
                              decimal(chains[0].log_evidence, 3) + "."},
                         {second, third}, {{"log p(x)", chains[0].log_evidence}}),
              "Line 3 should touch log p(x) at 1, and nowhere else. Line 2 should be log p(x) as "
              "long as q visits every state: all the way but for the last point.");
}

// ---- the smallest VAE ---------------------------------------------------------------------------

/// The bound over one number of q; the other is the posterior's, or off.
std::string bound_plot(const PlotText& text, bool over_mean, const ScalarGaussian& posterior) {
  Series best{"the other number is the posterior's", {}, {}},
      off{"the other number is off", {}, {}};
  for (int i = 0; i <= 100; ++i) {
    const double mean = -0.25 + 0.02 * i, var = 0.01 * std::pow(100.0, i / 100.0);
    for (Series* s : {&best, &off}) {
      ScalarGaussian q =
          s == &best ? posterior : ScalarGaussian{posterior.mean + 0.3, 3 * posterior.var};
      (over_mean ? q.mean : q.var) = over_mean ? mean : var;
      s->x.push_back(over_mean ? mean : var);
      s->y.push_back(elbo_gap(kX, kModel, q).elbo);
    }
  }
  const double evidence = linear_gaussian_evidence(kX, kModel).log_evidence;
  return line_chart(text, {best, off}, {{"log p(x)", evidence}}, {!over_mean, false});
}

void bound(Report& report) {
  report.heading("The bound as q moves");
  const LinearGaussianEvidence exact = linear_gaussian_evidence(kX, kModel);
  double highest = -std::numeric_limits<double>::infinity(), apart = 0.0;
  ScalarGaussian best;
  for (int i = 0; i <= 200; ++i) {
    for (int j = 0; j <= 200; ++j) {
      const ScalarGaussian q{-0.25 + 0.01 * i, 0.01 * std::pow(100.0, j / 200.0)};
      const ElboGap at = elbo_gap(kX, kModel, q);
      apart = std::max(apart, std::abs(at.elbo + at.gap - exact.log_evidence));
      if (at.elbo > highest) highest = at.elbo, best = q;
    }
  }
  report.table({"w = 2, decoder variance 0.5, x = 1.7; 40,401 different q",
                {"", "mean", "variance", "ELBO"},
                {{"the q with the highest bound", decimal(best.mean, 3), decimal(best.var, 3),
                  decimal(highest, 5)},
                 {"the posterior, and log p(x)", decimal(exact.posterior.mean, 3),
                  decimal(exact.posterior.var, 3), decimal(exact.log_evidence, 5)}}});
  const std::string apart_text =
      std::string("Over all 40,401 of the table, ELBO + gap is log p(x) to ") +
      (apart <= 1e-10 ? "ten decimals." : decimal(apart, 10) + ".");
  const std::string found = "The highest bound found is " + decimal(highest, 4) + "; log p(x) is " +
                            decimal(exact.log_evidence, 4) + ".";
  report.plot(
      "mean.svg",
      bound_plot({"The bound over the mean of q", "mean of q", "nats", found}, true,
                 exact.posterior),
      "The line is a limit: the curve should touch it where q is the posterior, and no other q "
      "should reach it. " +
          found);
  report.plot(
      "variance.svg",
      bound_plot({"The bound over the variance of q", "variance of q", "nats", found}, false,
                 exact.posterior),
      "Too narrow and too wide should both cost, and what they cost is the gap. " + apart_text);
}

// ---- what the bound does not promise ------------------------------------------------------------

/// Climbs the bound from the best decoder there is for x, and an encoder that says nothing yet. All
/// three numbers move at once, along slopes from differences of your elbo_gap.
void climb(Report& report) {
  const auto at = [](const DoubleVector& p) {
    return elbo_gap(kX, {p(0), kModel.var}, {p(1), std::exp(p(2))}).elbo;
  };
  DoubleVector p{{std::sqrt(kX * kX - kModel.var), 0.0, 0.0}};
  Series bound{"ELBO", {}, {}}, evidence{"log p(x)", {}, {}};
  for (int step = 0; step <= 400; ++step) {
    for (Series* s : {&bound, &evidence}) s->x.push_back(step);
    bound.y.push_back(at(p));
    evidence.y.push_back(linear_gaussian_evidence(kX, {p(0), kModel.var}).log_evidence);
    DoubleVector slope(3);
    for (Index i = 0; i < 3; ++i) {
      const DoubleVector h = 1e-4 * DoubleVector::Unit(3, i);
      slope(i) = (at(p + h) - at(p - h)) / 2e-4;
    }
    p += 0.01 * slope;
  }
  int opposed = 0;
  for (std::size_t i = 1; i < bound.y.size(); ++i)
    opposed += bound.y[i] > bound.y[i - 1] && evidence.y[i] < evidence.y[i - 1] ? 1 : 0;
  const double lowest = *std::min_element(evidence.y.begin(), evidence.y.end());
  report.plot("climb.svg",
              line_chart({"Climbing the bound: the bound", "step", "nats",
                          "The ELBO goes from " + decimal(bound.y.front(), 3) + " to " +
                              decimal(bound.y.back(), 3) + "."},
                         {bound, evidence}),
              "Gradient steps on w and q together. They start at the w whose log p(x) is highest, "
              "1.546, with the prior for q.");
  report.plot("meanwhile.svg",
              line_chart({"Climbing the bound: log p(x) meanwhile", "step", "nats",
                          "log p(x) goes from " + decimal(evidence.y.front(), 3) + " to " +
                              decimal(evidence.y.back(), 3) + "; the lowest is " +
                              decimal(lowest, 3) + "."},
                         {evidence}),
              "The same steps, magnified. In " + std::to_string(opposed) +
                  " of 400 the bound rises and log p(x) falls. While q says nothing, the bound "
                  "asks for a w that needs no z.");
}

void no_promise(Report& report) {
  report.heading("The bound rises, log p(x) falls");
  ReportTable table{
      "Pairs of states from your bound_counterexample, decoder variance 0.5. One counts "
      "if the bound rises and log p(x) falls, by 0.1 nats or more each",
      {"x", "ELBO before", "after", "log p(x) before", "after", "counts"},
      {}};
  for (const double x : {0.0, 1.7, 10.0}) {
    const BoundStep step = bound_counterexample(x, kModel.var);
    std::vector<double> elbo, evidence;
    for (const BoundState& s : {step.before, step.after}) {
      elbo.push_back(elbo_gap(x, {s.weight, kModel.var}, s.q).elbo);
      evidence.push_back(linear_gaussian_evidence(x, {s.weight, kModel.var}).log_evidence);
    }
    const bool counts = elbo[1] - elbo[0] >= 0.1 && evidence[0] - evidence[1] >= 0.1;
    table.rows.push_back({decimal(x, 1), decimal(elbo[0], 3), decimal(elbo[1], 3),
                          decimal(evidence[0], 3), decimal(evidence[1], 3), counts ? "yes" : "no"});
  }
  report.table(table);
  climb(report);
}

// ---- why p(x) cannot be computed ----------------------------------------------------------------

/// Log-weights of draws: \f$ \log p(x|z) \f$ for z from the prior, or
/// \f$ \log p(x, z) - \log q(z) \f$ for z from q. The model is D independent copies of kModel at
/// kX, so that the evidence is known: D times that of one.
DoubleVector log_weights(Index draws, Index copies, const ScalarGaussian* q, Random& random) {
  const auto constant = [&](double value) {
    return Matrix::Constant(draws, copies, static_cast<float>(value)).eval();
  };
  const Matrix mean = constant(q ? q->mean : 0), log_var = constant(q ? std::log(q->var) : 0),
               z = reparameterize(mean, log_var, random.normal_matrix(draws, copies));
  DoubleVector a = -gaussian_nll(constant(kX), static_cast<float>(kModel.weight) * z,
                                 constant(std::log(kModel.var)))
                        .per_sample;
  if (q)
    a += gaussian_nll(z, mean, log_var).per_sample -
         gaussian_nll(z, constant(0), constant(0)).per_sample;
  return a;
}

/// Estimates of log p(x) from the first S of many draws: their mean and their root mean squared
/// error, over repetitions.
struct Estimate {
  Series mean, error;
};

Estimate estimate(Run& run, Index copies, const ScalarGaussian* q) {
  const Index most = run.quick() ? 4096 : 65536, repeats = 24;
  const double exact =
      static_cast<double>(copies) * linear_gaussian_evidence(kX, kModel).log_evidence;
  Estimate e;
  for (Index s = 1; s <= most; s *= 4) {
    e.mean.x.push_back(static_cast<double>(s));
    e.mean.y.push_back(0.0);
  }
  e.error = e.mean;
  Random random(run.seed(), (q ? kGuess : kPrior) + static_cast<std::uint64_t>(copies));
  for (Index r = 0; r < repeats; ++r) {
    const DoubleVector a = log_weights(most, copies, q, random);
    for (std::size_t i = 0; i < e.mean.x.size(); ++i) {
      const double value = iwae_bound(a.head(static_cast<Index>(e.mean.x[i])));
      e.mean.y[i] += value / static_cast<double>(repeats);
      e.error.y[i] += (value - exact) * (value - exact) / static_cast<double>(repeats);
    }
  }
  for (double& squared : e.error.y) squared = std::sqrt(squared);
  e.mean.name = e.error.name =
      std::string(q ? "from q, D = " : "from the prior, D = ") + std::to_string(copies);
  return e;
}

void intractable(Run& run, Report& report) {
  report.heading("Where to look");
  const ScalarGaussian q{0.7, 0.15};
  std::vector<Series> errors;
  ReportTable table{"Error of an estimate of log p(x), in nats: root mean square of 24",
                    {"", "1 draw", "1,024 draws", run.quick() ? "4,096 draws" : "65,536 draws"},
                    {}};
  Estimate prior, guess;
  const auto add = [&](const Estimate& e) {
    errors.push_back(e.error);
    table.rows.push_back({e.error.name, decimal(e.error.y[0], 3), decimal(e.error.y[5], 3),
                          decimal(e.error.y.back(), 3)});
  };
  for (const Index copies : {1, 4, 8, 20}) add(prior = estimate(run, copies, nullptr));
  add(estimate(run, 1, &q));
  add(guess = estimate(run, 20, &q));
  report.table(table);
  report.plot(
      "errors.svg",
      line_chart({"Estimating log p(x) by averaging", "draws averaged", "error, nats",
                  "With D = 20 and the most draws: " + decimal(prior.error.y.back(), 3) +
                      " nats from the prior, " + decimal(guess.error.y.back(), 3) + " from q."},
                 errors, {}, {true, true}),
      "D copies of the model above, so that log p(x) is known. Draws of the prior average "
      "p(x|z). Draws of q = N(0.7, 0.15), a guess near the posterior, average p(x,z)/q(z).");
  const double exact = 20 * linear_gaussian_evidence(kX, kModel).log_evidence,
               elbo = 20 * elbo_gap(kX, kModel, q).elbo;
  report.plot("prior.svg",
              line_chart({"Twenty dimensions, from the prior and from q", "draws averaged",
                          "mean of 24 estimates, nats",
                          "From the prior, " + decimal(prior.mean.y.front(), 2) + " to " +
                              decimal(prior.mean.y.back(), 2) + "; from q, " +
                              decimal(guess.mean.y.front(), 2) + " to " +
                              decimal(guess.mean.y.back(), 2) + "."},
                         {prior.mean, guess.mean}, {{"log p(x)", exact}}, {true, false}),
              "Nearly no draw of the prior explains x, and an average without the few that do is "
              "too low. That is why the integral for p(x) is left alone.");
  report.plot(
      "iwae.svg",
      line_chart({"The bound of several draws", "draws averaged", "mean of 24 estimates, nats",
                  "From " + decimal(guess.mean.y.front(), 3) + " with one draw to " +
                      decimal(guess.mean.y.back(), 3) + "; log p(x) is " + decimal(exact, 3) + "."},
                 {guess.mean}, {{"log p(x)", exact}, {"ELBO", elbo}}, {true, false}),
      "In expectation it starts at the ELBO and climbs to log p(x). These are means of 24, "
      "which scatter most where few draws are averaged.");
}

// ---- a linear VAE -------------------------------------------------------------------------------

constexpr Index kLatent = 2, kBatch = 64;
constexpr double kVar = 0.33;  // of the decoder

struct LinearVae {
  GaussianHeads encoder;
  Layer decoder;
};

NamedTensors tensors_of(LinearVae& model) {
  return layers_by_name<Layer>({{"mu", &model.encoder.mu},
                                {"log_var", &model.encoder.log_var},
                                {"decoder", &model.decoder}});
}

/// Gradients of the negative ELBO, one draw per sample: the loss, back through the decoder, back
/// through the draw, back through the encoder.
LinearVae gradients(const LinearVae& model, const Matrix& x, const Matrix& eps) {
  const Gaussian q = gaussian_heads(x, model.encoder);
  const Matrix z = reparameterize(q.mu, q.log_var, eps);
  const NegElbo loss = neg_elbo(x, linear_forward(z, model.decoder.weight, model.decoder.bias),
                                q.mu, q.log_var, kVar);
  const LinearGradients decoder = linear_backward(loss.x_hat, z, model.decoder.weight);
  const Gaussian through = reparameterize_backward(decoder.x, q.mu, q.log_var, eps);
  return {gaussian_heads_backward(through.mu + loss.mu, through.log_var + loss.log_var, x,
                                  model.encoder)
              .heads,
          {decoder.weight, decoder.bias}};
}

/// The ELBO, mean over the data. A decoder that is linear needs no draws for it: the expected
/// square is the square at the mean, plus what the variance of q adds.
double exact_elbo(const LinearVae& model, const Matrix& x) {
  const Gaussian q = gaussian_heads(x, model.encoder);
  const Matrix& w = model.decoder.weight;
  const double at_mean =
      neg_elbo(x, linear_forward(q.mu, w, model.decoder.bias), q.mu, q.log_var, kVar).total;
  const double spread =
      q.log_var.array().exp().matrix().colwise().mean().dot(w.colwise().squaredNorm());
  return -at_mean - spread / (2 * kVar);
}

/// log N(x; b, W W^T + s^2 I), mean over the data.
double evidence(const LinearVae& model, const Matrix& x) {
  const Eigen::MatrixXd w = model.decoder.weight.cast<double>(),
                        centred = (x.rowwise() - model.decoder.bias).cast<double>();
  const Index size = x.cols();
  const Eigen::MatrixXd cov = w * w.transpose() + kVar * Eigen::MatrixXd::Identity(size, size);
  const Eigen::LLT<Eigen::MatrixXd> root(cov);
  const double log_det = 2 * root.matrixLLT().diagonal().array().log().sum(),
               squares = root.solve(centred.transpose() * centred).trace();
  return -0.5 * (static_cast<double>(size) * std::log(2 * EIGEN_PI) + log_det +
                 squares / static_cast<double>(x.rows()));
}

/// The highest evidence of any such model: W spans the largest principal components.
double best_evidence(const Matrix& x) {
  const DoubleVector lambda = principal_components(x, kLatent).variance;
  const auto rest = lambda.tail(lambda.size() - kLatent).array();
  return -0.5 * (static_cast<double>(lambda.size()) * std::log(2 * EIGEN_PI) +
                 lambda.head(kLatent).array().log().sum() + static_cast<double>(kLatent) +
                 (std::log(kVar) + rest / kVar).sum());
}

void linear_vae(Run& run, Report& report) {
  report.heading("A VAE whose evidence is known");
  const Matrix x = gaussian8(run.seed(), 1024).x;
  const Index size = x.cols();
  Random random(run.seed(), kWeights);
  const auto layer = [&](Index out, Index in) {
    return Layer{0.3F * initial_weight(out, in, random), RowVector::Zero(out)};
  };
  LinearVae model{{layer(kLatent, size), layer(kLatent, size)}, layer(size, kLatent)};
  Optimizer adam(adam_step, tensors_of(model));
  const std::int64_t steps = run.quick() ? 1500 : 6000;
  Training training(run, {"linear VAE", steps, kBatch, {"ELBO", "log p(x)"}}, adam.tensors());
  while (training.next()) {
    Random draws(run.seed(), static_cast<std::uint64_t>(training.step()));
    const Matrix batch = random_rows(x, kBatch, draws);
    LinearVae gradient = gradients(model, batch, draws.normal_matrix(kBatch, kLatent));
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(gradient), training.step(), {.learning_rate = 1e-2 * left});
    training.record({exact_elbo(model, x), evidence(model, x)});
  }
  const double best = best_evidence(x), reached = exact_elbo(model, x), log_p = evidence(model, x);
  report.table({"Nats per sample: eight numbers, two of latent, decoder variance 0.33",
                {"", "nats"},
                {{"ELBO", decimal(reached)},
                 {"log p(x)", decimal(log_p)},
                 {"gap", decimal(log_p - reached)},
                 {"highest log p(x) of any such model", decimal(best)},
                 {"ELBO within 0.05 of it", std::abs(best - reached) <= 0.05 ? "yes" : "no"}}});
  Series gap = training.curve(0, 300), missing = training.curve(1, 300);
  for (std::size_t i = 0; i < gap.y.size(); ++i) {
    gap.y[i] = missing.y[i] - gap.y[i];
    missing.y[i] = best - missing.y[i];
  }
  gap.name = "the guess: log p(x) - ELBO";
  missing.name = "the model: the best - log p(x)";
  report.plot(
      "vae.svg",
      line_chart({"What training a VAE has to close", "step", "nats per sample",
                  "From " + decimal(gap.y.front(), 2) + " and " + decimal(missing.y.front(), 2) +
                      " to " + decimal(log_p - reached) + " and " + decimal(best - log_p) + "."},
                 {gap, missing}, {}, {true, true}),
      "An encoder and a decoder of one layer each, trained on draws with your neg_elbo. The "
      "ELBO is below the best by the sum of the two. Training sees the sum alone.");
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return training_options();
}

void run_experiment(Run& run) {
  Report report("The bound and the evidence", run);
  derivation(report);
  bound(report);
  no_promise(report);
  intractable(run, report);
  linear_vae(run, report);
  report.try_next(
      {"In labs/03_elbo/experiment.cpp, let intractable use q = {0.7, 0.05}, narrower than the "
       "posterior. Why is that worse than one as wrong that is too wide?",
       "Let climb start with w = 3: does log p(x) still fall at first?",
       "Set kVar to 0.05, then to 2. What does the encoder do?",
       "Raise kLatent to 3: by how much must the best log p(x) rise? gaussian8_spectrum() knows."});
  report.finish();
}

}  // namespace latent

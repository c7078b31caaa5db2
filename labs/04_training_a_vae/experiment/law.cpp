// Linear encoder and decoder on a Gaussian: rate and distortion are known exactly.

#include <cmath>

#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/statistics.hpp"
#include "parts.hpp"

namespace latent::run04 {

namespace {

/// A linear encoder and a linear decoder: the VAE whose optimum is known.
struct LinearVae {
  GaussianHeads encoder;
  Layer decoder;
};

NamedTensors tensors_of(LinearVae& m) {
  return {{"mu.weight", &m.encoder.mu.weight},           {"mu.bias", &m.encoder.mu.bias},
          {"log_var.weight", &m.encoder.log_var.weight}, {"log_var.bias", &m.encoder.log_var.bias},
          {"decoder.weight", &m.decoder.weight},         {"decoder.bias", &m.decoder.bias}};
}

LinearVae train_linear(Run& run, const Matrix& x, double beta) {
  constexpr Index kRows = 256;
  Random weights(run.seed(), kWeights);
  const auto layer = [&](float scale) {
    return Layer{scale * initial_weight(8, 8, weights), RowVector::Zero(8)};
  };
  LinearVae model{{layer(1.0F), layer(0.0F)}, layer(1.0F)};
  Optimizer adam(adam_step, tensors_of(model));
  const std::int64_t steps = run.quick() ? 1500 : 8000;
  Training training(run, {"law, beta " + decimal(beta, 1), steps, kRows, {"reconstruction", "KL"}},
                    adam.tensors());
  while (training.next()) {
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    const Matrix batch = random_rows(x, kRows, random), eps = random.normal_matrix(kRows, 8);
    const Gaussian q = gaussian_heads(batch, model.encoder);
    const Matrix z = reparameterize(q.mu, q.log_var, eps);
    const BetaLoss loss = beta_loss(batch, through(z, model.decoder), q.mu, q.log_var, beta);
    const LinearGradients out = linear_backward(loss.gradient.x_hat, z, model.decoder.weight);
    const Gaussian in = reparameterize_backward(out.x, q.mu, q.log_var, eps);
    GaussianHeadsGradients heads = gaussian_heads_backward(
        in.mu + loss.gradient.mu, in.log_var + loss.gradient.log_var, batch, model.encoder);
    LinearVae gradient{heads.heads, {out.weight, out.bias}};
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(gradient), training.step(), {.learning_rate = 1e-2 * left});
    training.record({loss.reconstruction, loss.kl});
  }
  return model;
}

/// Squared error and KL over all data; over the noise the error is an exact mean, not a draw.
std::pair<double, double> measured(const LinearVae& model, const Matrix& x) {
  const Gaussian q = gaussian_heads(x, model.encoder);
  const BetaLoss at_mean = beta_loss(x, through(q.mu, model.decoder), q.mu, q.log_var, 1.0);
  const Matrix std = std_from_logvar(q.log_var);
  const double spread =
      (std.cwiseAbs2() * model.decoder.weight.colwise().squaredNorm().transpose()).mean();
  return {at_mean.reconstruction + spread, at_mean.kl};
}

}  // namespace

void law(Run& run, Report& report) {
  report.heading("A law that is met: the linear VAE on Gaussian data");
  const Matrix x = gaussian8(run.seed(), 8192).x;
  const DoubleVector spectrum = principal_components(x, 8).variance;
  Series points{"trained", {}, {}}, exact{"law", {}, {}};
  ReportTable table{"D and R of a linear VAE on this sample, and within 3 % or 0.02 of the law?",
                    {"beta", "D", "law", "R in nats", "law", "within"},
                    {}};
  bool all = true;
  for (const double beta : {0.1, 0.5, 1.0, 2.0, 5.0}) {
    const auto [d, r] = measured(train_linear(run, x, beta), x);
    const RateDistortion wanted = rate_distortion_law(spectrum, beta);
    const auto near = [](double a, double b) {
      return std::abs(a - b) <= std::max(0.02, 0.03 * std::abs(b));
    };
    const bool met = near(d, wanted.total_distortion) && near(r, wanted.total_rate);
    all = all && met;
    table.rows.push_back({decimal(beta, 1), decimal(d, 3), decimal(wanted.total_distortion, 3),
                          decimal(r, 3), decimal(wanted.total_rate, 3), yes(met)});
    points.x.push_back(r);
    points.y.push_back(d);
  }
  for (double beta = 10.0; beta > 0.06; beta *= 0.93) {
    const RateDistortion wanted = rate_distortion_law(spectrum, beta);
    exact.x.push_back(wanted.total_rate);
    exact.y.push_back(wanted.total_distortion);
  }
  report.table(table);
  report.plot("law.svg",
              line_chart({"Rate and distortion", "rate, nats", "distortion, squared error",
                          std::string("The law as a curve, five trained models beside it; ") +
                              (all ? "all" : "not all") + " are within the tolerance."},
                         {exact, points}, {}, {false, true}),
              "Every direction of variance lambda keeps min(lambda, beta/2) of error and costs "
              "max(0, 1/2 log(2 lambda / beta)) nats: the curve. The other line joins what was "
              "trained; its D is the exact mean over the noise.");
}

}  // namespace latent::run04

// Choices around a loss: when the KL comes in, which likelihood, and why squares blur.

#include <cmath>

#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "parts.hpp"

namespace latent::run04 {

void annealing(Run& run, Report& report, const ImageSplit& data) {
  report.heading("Let the KL in later: annealing");
  const std::int64_t steps = run.quick() ? 400 : 3000;
  constexpr double kTop = 1.5;
  Vae start = initial_model(data.train.x.cols(), 64, 8, run.seed());
  // A decoder that hardly hears z at first: to ignore it altogether is then the nearest way down.
  start.decoder_hidden.weight *= 0.02F;
  std::vector<Series> curves;
  ReportTable table{"Squared error + " + decimal(kTop, 1) + " KL at the end, whatever came before",
                    {"beta while training", "loss", "squared error", "KL", "active of 8"},
                    {}};
  for (const auto& [name, beta] :
       {std::pair<std::string, std::function<double(std::int64_t)>>("constant", always(kTop)),
        {"linear", [&](std::int64_t t) { return linear_anneal(t, 0, steps / 2, 0.0, kTop); }},
        {"cyclical",
         [&](std::int64_t t) { return cyclical_anneal(t - 1, steps, 4, 0.5, kTop); }}}) {
    Trained trained = train(run, data.train.x, start, {"annealing, " + name, steps, 2e-3, beta});
    const Look look = look_at(trained.model, data.test.x, run.seed());
    trained.kl.name = name;
    curves.push_back(trained.kl);
    table.rows.push_back({name, decimal(look.terms.reconstruction + kTop * look.terms.kl, 2),
                          decimal(look.terms.reconstruction, 2), decimal(look.terms.kl, 2),
                          std::to_string(active_units(look.pass.q.mu, kActive).count)});
  }
  report.table(table);
  report.plot(
      "annealing.svg",
      line_chart({"KL while training", "step", "nats",
                  "KL ends at " + decimal(curves[0].y.back(), 2) + " (constant), " +
                      decimal(curves[1].y.back(), 2) + " (linear), " +
                      decimal(curves[2].y.back(), 2) + " (cyclical) nats."},
                 curves),
      "A large beta from the first step tells the encoder to say nothing before the decoder "
      "listens. Compare where the three begin and where they end.");
}

void likelihoods(Run& run, Report& report, const ImageSplit& data) {
  report.heading("Black or white: Bernoulli against Gaussian");
  const auto binary = [](const Matrix& x) -> Matrix { return (x.array() > 0.3F).cast<float>(); };
  const Matrix x = binary(data.train.x), test = binary(data.test.x);
  const Vae start = initial_model(x.cols(), 64, 8, run.seed());
  const std::int64_t steps = run.quick() ? 400 : 4000;
  const Vae gaussian = train(run, x, start, {"Gaussian", steps, 2e-3, always(1.0)}).model,
            bernoulli = train(run, x, start, {"Bernoulli", steps, 2e-3, always(1.0), true}).model;
  const Look g = look_at(gaussian, test, run.seed()),
             b = look_at(bernoulli, test, run.seed(), true);
  // A mean can leave [0, 1], where no probability is; as one it has to be pushed back.
  const Matrix p = g.pass.x_hat.cwiseMax(0.001F).cwiseMin(0.999F);
  const Matrix logits = (p.array() / (1.0F - p.array())).log();
  const double outside =
      static_cast<double>((g.pass.x_hat.array() < 0.0F || g.pass.x_hat.array() > 1.0F).count()) /
      static_cast<double>(p.size());
  report.table(
      {"Binary pictures that neither has seen",
       {"decoder", "-log p(x|z), nats", "KL", "outside [0, 1]"},
       {{"Gaussian mean, read as a probability", decimal(bce_with_logits(logits, test).value, 1),
         decimal(g.terms.kl, 1), decimal(100.0 * outside, 1) + " %"},
        {"Bernoulli logits", decimal(b.terms.reconstruction, 1), decimal(b.terms.kl, 1),
         "0.0 %"}}});
  report.picture("likelihoods.png",
                 tile_grid(stacked({test.topRows(12), g.pass.x_hat.topRows(12),
                                    sigmoid(b.pass.x_hat.topRows(12))}),
                           data.test.shape, 12),
                 "Three rows: binary pictures, the Gaussian's means, the Bernoulli's "
                 "probabilities.",
                 "Binary pictures, the means of the Gaussian decoder, the probabilities of the "
                 "Bernoulli decoder. Same layers, same steps, beta 1 for both; for the Gaussian "
                 "that is a decoder variance of 1/2, and it says so little about a pixel.");
}

/// One picture, trained to be near two: what squared error makes of a choice.
void blur(Run& run, Report& report) {
  report.heading("Why squared error blurs");
  const Matrix shapes = sprites(run.seed(), 200).data.x;
  // The second is the first turned by half a turn: as bright, and elsewhere.
  const Matrix first = shapes.row(0), second = first.rowwise().reverse();
  Matrix answer = Matrix::Constant(1, first.cols(), 0.5F);
  Optimizer adam(adam_step, NamedTensors{{"answer", &answer}});
  Training training(run, {"one answer", 400, 1}, adam.tensors());
  while (training.next()) {
    Matrix wanted(2, first.cols());
    wanted << first, second;
    const Loss loss = mse_loss(answer.replicate(2, 1), wanted, Reduction::kBatchMean);
    Matrix gradient = loss.gradient.colwise().sum();
    adam.step({{"answer", &gradient}}, training.step(), {.learning_rate = 0.02});
    training.record({loss.value});
  }
  const double to_mean = double((answer - 0.5F * (first + second)).cwiseAbs().maxCoeff());
  report.table(
      {"One answer for two equally likely pictures, by squared error",
       {"", "squared error to both, mean"},
       {{"the learned answer",
         decimal(double((answer - first).squaredNorm() + (answer - second).squaredNorm()) / 2.0,
                 2)},
        {"one of the two", decimal(double((first - second).squaredNorm()) / 2.0, 2)}}});
  report.picture("blur.png", tile_grid(stacked({first, second, answer}), {1, 28, 28}, 3),
                 "Two pictures, and the answer learned for both.",
                 "Two equally likely pictures, and the one answer that squared error learns: it "
                 "differs from their mean by at most " +
                     decimal(to_mean, 3) + ". A picture that never occurs beats both.");
}

}  // namespace latent::run04

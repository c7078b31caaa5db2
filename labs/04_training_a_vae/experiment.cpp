// `./lab run 4`: VAEs trained with your functions. One that draws pictures, one that has an exact
// answer, a sweep of beta, three that are broken on purpose.

#include "common/experiment.hpp"

#include <cmath>
#include <cstring>
#include <functional>
#include <sstream>

#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/statistics.hpp"
#include "common/training.hpp"
#include "training_a_vae.hpp"

namespace latent {
namespace {

// ---- training -----------------------------------------------------------------------------------

/// Streams of the seed; steps of a training count from 0 in the first.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kPrior = 2ULL << 40, kChoice = 3ULL << 40 };

constexpr Index kBatch = 64;
constexpr double kActive = 0.01;  // variance of mu from which a unit counts as active

Matrix through(const Matrix& x, const Layer& layer) {
  return linear_forward(x, layer.weight, layer.bias);
}

Matrix decode(const Vae& model, const Matrix& z) {
  return through(tanh_forward(through(z, model.decoder_hidden)), model.decoder_output);
}

/// What lies between 0 and 1 for a decoder that puts out logits.
Matrix sigmoid(const Matrix& logits) {
  return (1.0F + (-logits.array()).exp()).inverse();
}

NamedTensors tensors_of(Vae& model) {
  return layers_by_name<Layer>({{"encoder_hidden", &model.encoder_hidden},
                                {"mu", &model.heads.mu},
                                {"log_var", &model.heads.log_var},
                                {"decoder_hidden", &model.decoder_hidden},
                                {"decoder_output", &model.decoder_output}});
}

Vae initial_model(Index size, Index hidden, Index latent, std::uint64_t seed) {
  Random random(seed, kWeights);
  const auto layer = [&](Index out, Index in) {
    return Layer{initial_weight(out, in, random), RowVector::Zero(out)};
  };
  return {layer(hidden, size),
          {layer(latent, hidden), layer(latent, hidden)},
          layer(hidden, latent),
          layer(size, hidden)};
}

/// What is trained, how, and what may be broken.
struct Plan {
  std::string name;
  std::int64_t steps = 0;
  double rate = 2e-3;
  std::function<double(std::int64_t)> beta;
  bool bernoulli = false;      ///< The decoder puts out logits instead of means.
  bool reconstruction = true;  ///< Whether that term takes part.
  bool noise = true;           ///< Without, z is mu: an autoencoder.
};

std::function<double(std::int64_t)> always(double beta) {
  return [beta](std::int64_t) { return beta; };
}

/// The two terms of a loss and its gradient.
struct Terms {
  double reconstruction = 0.0, kl = 0.0;
  ElboGradients gradient;
};

Terms terms_of(const VaePass& pass, const Matrix& x, double beta, bool bernoulli) {
  if (!bernoulli) {
    BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
    return {loss.reconstruction, loss.kl, std::move(loss.gradient)};
  }
  const Loss loss = bce_with_logits(pass.x_hat, x);
  const KlStandardNormal kl = kl_standard_normal(pass.q.mu, pass.q.log_var);
  const auto weight = static_cast<float>(beta);
  return {loss.value, kl.value, {loss.gradient, weight * kl.mu, weight * kl.log_var}};
}

struct Trained {
  Vae model;
  Series reconstruction, kl;
};

/// Noise for a pass: none for an autoencoder.
Matrix noise_for(const Matrix& x, const Vae& model, Random& random, bool wanted = true) {
  const Index latent = model.heads.mu.weight.rows();
  return wanted ? random.normal_matrix(x.rows(), latent) : Matrix::Zero(x.rows(), latent);
}

Trained train(Run& run, const Matrix& x, Vae model, const Plan& plan) {
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {plan.name, plan.steps, kBatch, {"reconstruction", "KL"}}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    const Matrix batch = random_rows(x, kBatch, random);
    const Matrix eps = noise_for(batch, model, random, plan.noise);
    const VaePass pass = vae_forward(model, batch, eps);
    Terms terms = terms_of(pass, batch, plan.beta(training.step()), plan.bernoulli);
    if (!plan.reconstruction) terms.gradient.x_hat *= 0.0F;
    Vae gradient = vae_backward(model, batch, eps, pass, terms.gradient);
    // Large steps first; small ones later, or the noise of the batches keeps it from settling.
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(plan.steps);
    adam.step(tensors_of(gradient), training.step(), {.learning_rate = plan.rate * left});
    training.record({terms.reconstruction, terms.kl});
  }
  return {model, training.curve(0, 200), training.curve(1, 200)};
}

/// All of the data through a model once.
struct Look {
  VaePass pass;
  Terms terms;
};

Look look_at(const Vae& model, const Matrix& x, std::uint64_t seed, bool bernoulli = false,
             bool noise = true) {
  Random random(seed, kChoice);
  const Matrix eps = noise_for(x, model, random, noise);
  Look look{vae_forward(model, x, eps), {}};
  look.terms = terms_of(look.pass, x, 1.0, bernoulli);
  return look;
}

std::string yes(bool met) {
  return met ? "yes" : "no";
}

Matrix prior(const Run& run, Index count, Index latent) {
  return Random(run.seed(), kPrior).normal_matrix(count, latent);
}

// ---- pictures -----------------------------------------------------------------------------------

constexpr Index kLatent = 10;
constexpr double kPictureBeta = 0.3;

/// Latent numbers, the one with the largest KL first.
std::vector<Index> by_kl(const Gaussian& q) {
  std::vector<std::pair<double, Index>> order;
  for (Index j = 0; j < q.mu.cols(); ++j)
    order.emplace_back(-kl_standard_normal(q.mu.col(j), q.log_var.col(j)).value, j);
  std::sort(order.begin(), order.end());
  std::vector<Index> found;
  for (const auto& [kl, j] : order) found.push_back(j);
  return found;
}

/// One row for each of six latent numbers: it goes from -2.5 to 2.5, the others stay.
Matrix traversals(const Vae& model, const Gaussian& q) {
  const std::vector<Index> order = by_kl(q);
  std::vector<Matrix> rows;
  for (std::size_t k = 0; k < std::min<std::size_t>(6, order.size()); ++k) {
    Matrix z = q.mu.row(0).replicate(11, 1);
    for (Index i = 0; i < 11; ++i) z(i, order[k]) = 0.5F * static_cast<float>(i - 5);
    rows.push_back(decode(model, z));
  }
  return stacked(rows);
}

Matrix interpolations(const Vae& model, const Matrix& mu) {
  std::vector<Matrix> rows;
  for (Index pair = 0; pair < std::min<Index>(4, mu.rows() / 2); ++pair) {
    Matrix z(11, mu.cols());
    for (Index i = 0; i < 11; ++i) {
      const float t = static_cast<float>(i) / 10.0F;
      z.row(i) = (1.0F - t) * mu.row(2 * pair) + t * mu.row(2 * pair + 1);
    }
    rows.push_back(decode(model, z));
  }
  return stacked(rows);
}

double correlation(const Eigen::VectorXf& a, const Eigen::VectorXf& b) {
  const Eigen::VectorXd x = a.cast<double>().array() - a.cast<double>().mean(),
                        y = b.cast<double>().array() - b.cast<double>().mean();
  return x.dot(y) / std::sqrt(x.squaredNorm() * y.squaredNorm());
}

/// Which latent number follows which factor; of drawn shapes all factors are known.
void factors(Run& run, Report& report, const Gaussian& q) {
  const Matrix known = sprites(run.seed(), q.mu.rows()).factors;
  const std::vector<Index> order = by_kl(q);
  ReportTable table{
      "Correlation of mu with what was drawn; the latent number with the largest KL "
      "first",
      {"latent number", "column", "row", "size", "intensity"},
      {}};
  for (std::size_t k = 0; k < std::min<std::size_t>(6, order.size()); ++k) {
    std::vector<std::string> cells{std::to_string(order[k])};
    for (const int factor : {kSpriteColumn, kSpriteRow, kSpriteSize, kSpriteIntensity})
      cells.push_back(decimal(correlation(q.mu.col(order[k]), known.col(factor)), 2));
    table.rows.push_back(cells);
  }
  report.table(table);
}

void quality(Run& run, Report& report, const ImageSplit& data, const Matrix& samples,
             const Matrix& reconstructions) {
  const SampleQuality q =
      SampleRuler(data, run.seed(), run.quick() ? 500 : 4000).measure(samples, reconstructions);
  report.table({"What the samples are worth",
                {"", "samples", "reconstructions", "pictures"},
                {{"Frechet distance to the pictures", decimal(q.frechet, 2),
                  decimal(q.frechet_reconstructions, 2), "-"},
                 {"confidence of a classifier", decimal(q.confidence, 2), "-",
                  decimal(q.confidence_data, 2)},
                 {"median distance to the nearest picture", decimal(q.nearest, 2), "-",
                  decimal(q.nearest_data, 2)}}});
}

void pictures(Run& run, Report& report, const ImageSplit& data) {
  report.heading("A VAE that draws: " + data.train.name);
  const Trained trained =
      train(run, data.train.x, initial_model(data.train.x.cols(), 128, kLatent, run.seed()),
            {"pictures", run.quick() ? 600 : 8000, 2e-3, always(kPictureBeta)});
  const Vae& model = trained.model;
  const Look seen = look_at(model, data.train.x, run.seed()),
             unseen = look_at(model, data.test.x, run.seed());
  const ActiveUnits active = active_units(seen.pass.q.mu, kActive);
  report.table({"Squared error + " + decimal(kPictureBeta, 1) + " KL, 10 latent numbers, " +
                    std::to_string(active.count) + " of them active",
                {"", "trained on", "never seen"},
                {{"squared error of a picture", decimal(seen.terms.reconstruction, 2),
                  decimal(unseen.terms.reconstruction, 2)},
                 {"KL in nats", decimal(seen.terms.kl, 2), decimal(unseen.terms.kl, 2)}}});
  report.plot("terms.svg",
              line_chart({"The two terms while training", "step", "per picture",
                          "Reconstruction ends at " + decimal(trained.reconstruction.y.back(), 2) +
                              ", KL at " + decimal(trained.kl.y.back(), 2) + " nats."},
                         {trained.reconstruction, trained.kl}, {}, {false, true}),
              "Reconstruction in squared error, KL in nats: two currencies, and beta is the rate "
              "of exchange.");
  const Matrix samples = decode(model, prior(run, 512, kLatent)),
               back = decode(model, unseen.pass.q.mu);
  report.picture("card.png", tile_grid(samples.topRows(64), data.train.shape, 8),
                 "64 decoded draws of N(0, I).",
                 "My VAE's samples: 64 draws of N(0, I), decoded. Nobody encoded them.");
  report.picture(
      "reconstructions.png",
      tile_grid(stacked({data.test.x.topRows(11), back.topRows(11)}), data.test.shape, 11),
      "Two rows: pictures, and below each what came back.",
      "Pictures it never saw, and below each the decoded mean of its q.");
  report.picture("interpolations.png",
                 tile_grid(interpolations(model, unseen.pass.q.mu), data.test.shape, 11),
                 "Four rows, each from one picture's code to another's.",
                 "From the code of one picture to the code of another in ten equal steps.");
  report.picture("traversals.png", tile_grid(traversals(model, unseen.pass.q), data.test.shape, 11),
                 "Six rows; in each one latent number goes from -2.5 to 2.5.",
                 "One latent number of a picture moved from -2.5 to 2.5: the six with the largest "
                 "KL, the largest on top.");
  if (run.option("--data").empty()) factors(run, report, seen.pass.q);
  quality(run, report, data, samples, back);
}

// ---- messy and organised ------------------------------------------------------------------------

std::string codes_plot(const std::string& title, const Matrix& mu,
                       const std::vector<std::int64_t>& labels) {
  std::vector<Series> series;
  for (std::int64_t label = 0; label < 6; ++label) {
    Series s{"label " + std::to_string(label), {}, {}};
    for (Index i = 0; i < std::min<Index>(mu.rows(), 900); ++i) {
      if (labels[static_cast<std::size_t>(i)] != label) continue;
      s.x.push_back(mu(i, 0));
      s.y.push_back(mu(i, 1));
    }
    if (!s.x.empty()) series.push_back(s);
  }
  return scatter_plot({title, "first latent number", "second latent number",
                       "Codes of 900 pictures by label; the first six labels are shown."},
                      series);
}

void organised(Run& run, Report& report, const ImageSplit& data) {
  report.heading("A messy and an organised latent space");
  const Vae start = initial_model(data.train.x.cols(), 64, 2, run.seed());
  const std::int64_t steps = run.quick() ? 300 : 4000;
  const Vae plain = train(run, data.train.x, start,
                          {"autoencoder", steps, 2e-3, always(0.0), false, true, false})
                        .model,
            vae = train(run, data.train.x, start, {"vae2", steps, 2e-3, always(1.0)}).model;
  ReportTable table{"Two latent numbers, with and without KL and noise",
                    {"", "squared error", "codes: Frechet distance to N(0, I)"},
                    {}};
  std::vector<Matrix> drawn;
  for (const auto& [name, model, noise] :
       {std::tuple("autoencoder", &plain, false), std::tuple("VAE, beta 1", &vae, true)}) {
    const Look look = look_at(*model, data.train.x, run.seed(), false, noise);
    table.rows.push_back({name, decimal(look.terms.reconstruction, 2),
                          decimal(frechet_distance(look.pass.z, prior(run, 4096, 2)), 3)});
    report.plot(std::string(noise ? "organised" : "messy") + ".svg",
                codes_plot(std::string("Codes of the ") + name, look.pass.q.mu, data.train.labels),
                noise ? "Codes of the VAE: means of q. The KL has asked all of them together to "
                        "look like N(0, I)."
                      : "Codes of the autoencoder. Nothing has said where they should lie.");
    drawn.push_back(decode(*model, prior(run, 12, 2)));
  }
  report.table(table);
  report.picture("drawn.png", tile_grid(stacked(drawn), data.train.shape, 12),
                 "Two rows: decoded draws of N(0, I), by the autoencoder and by the VAE.",
                 "The same twelve draws of N(0, I), decoded by the autoencoder (above) and by the "
                 "VAE (below).");
}

// ---- the exact law ------------------------------------------------------------------------------

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

// ---- the sweep of beta, and three ways to break it ----------------------------------------------

std::int64_t mixture_steps(const Run& run) {
  return run.quick() ? 1500 : 10'000;
}

Vae mixture_model(const Run& run) {
  return initial_model(8, 32, 4, run.seed());
}

void sweep(Run& run, Report& report, const Matrix& x) {
  report.heading("The sweep of beta: eight numbers through four");
  const std::vector<double> betas{0.01, 0.1, 1.0, 5.0};
  DoubleVector distortion(4), rate(4);
  std::vector<ActiveUnits> active;
  std::vector<Series> points;
  for (Index i = 0; i < 4; ++i) {
    const std::string name = "beta " + decimal(betas[static_cast<std::size_t>(i)], 2);
    // The same first weights and batches for all: what differs is beta.
    const Vae model =
        train(run, x, mixture_model(run),
              {name, mixture_steps(run), 5e-3, always(betas[static_cast<std::size_t>(i)])})
            .model;
    const Look look = look_at(model, x, run.seed());
    distortion(i) = look.terms.reconstruction;
    rate(i) = look.terms.kl;
    active.push_back(active_units(look.pass.q.mu, kActive));
    points.push_back({name, {rate(i)}, {distortion(i)}});
  }
  const std::vector<std::int64_t> front = pareto_front(distortion, rate);
  ReportTable table{"The mixture in eight dimensions; the same first weights for every beta",
                    {"beta", "squared error", "KL in nats", "active units", "on the front"},
                    {}};
  for (Index i = 0; i < 4; ++i)
    table.rows.push_back({decimal(betas[static_cast<std::size_t>(i)], 2), decimal(distortion(i), 3),
                          decimal(rate(i), 3),
                          std::to_string(active[static_cast<std::size_t>(i)].count),
                          yes(std::find(front.begin(), front.end(), i) != front.end())});
  report.table(table);
  report.plot("sweep.svg",
              scatter_plot({"Rate against distortion", "KL, nats", "squared error",
                            std::to_string(front.size()) + " of 4 models are on the Pareto front."},
                           points),
              "On the front is what no other model beats in both.");
}

/// The text of the choice that the reader wrote into answers.toml.
std::string prediction(const Run& run, const std::string& question) {
  std::string text;
  try {
    text = read_bytes(run.given("answers.toml"), "answers", 1 << 20);
  } catch (const FileError&) {
    return "no answers.toml";
  }
  const std::size_t from = text.find("[" + question + "]"), answer = text.find("answer = \"", from);
  if (from == std::string::npos || answer == std::string::npos) return "no such question";
  const auto letter = static_cast<char>(
      std::tolower(static_cast<unsigned char>(text[answer + std::strlen("answer = \"")])));
  const std::size_t choice = text.find(std::string("#    ") + letter + ") ", from);
  if (choice == std::string::npos || choice > answer)
    return "nothing yet; write a letter into answers.toml";
  std::string said;
  for (std::size_t i = choice + 8; i < answer; ++i) {
    if (text[i] != '\n') {
      said += text[i];
    } else if (text.compare(i, 9, "\n#       ") == 0) {
      said += ' ', i += 8;
    } else {
      break;
    }
  }
  return said;
}

/// Text in lines of at most 76 letters, all but the first indented.
std::string wrapped(const std::string& text) {
  std::string lines;
  std::size_t used = 0;
  std::istringstream words(text);
  for (std::string word; words >> word; used += word.size() + 1) {
    if (used + word.size() > 76) {
      lines += "\n           ";
      used = 10;
    }
    lines += (lines.empty() ? "" : " ") + word;
  }
  return lines + "\n";
}

std::string side_by_side(const std::string& what, const std::string& said,
                         const std::string& found) {
  return what + "\n  " + wrapped("you said: " + said) + "  " + wrapped("measured: " + found);
}

void broken(Run& run, Report& report, const Matrix& x) {
  report.heading("Broken on purpose");
  const Vae start = mixture_model(run);
  const std::int64_t steps = mixture_steps(run) / 2;
  const Vae whole = train(run, x, start, {"whole", steps, 5e-3, always(1.0)}).model,
            no_kl = train(run, x, start, {"no KL", steps, 5e-3, always(0.0)}).model,
            huge = train(run, x, start, {"beta 100", steps, 5e-3, always(100.0)}).model;
  const Vae no_data =
      train(run, x, start, {"no reconstruction", steps, 5e-3, always(1.0), false, false}).model;
  ReportTable table{"What was measured",
                    {"", "squared error", "KL", "median sigma", "spread of mu", "active",
                     "decoded prior: Frechet"},
                    {}};
  for (const auto& [name, model] :
       {std::pair("whole, beta 1", &whole), std::pair("no KL", &no_kl),
        std::pair("no reconstruction", &no_data), std::pair("beta 100", &huge)}) {
    const Look look = look_at(*model, x, run.seed());
    const Matrix sigma = std_from_logvar(look.pass.q.log_var);
    const double spread = std::sqrt(double(look.pass.q.mu.squaredNorm()) / double(x.rows()));
    table.rows.push_back({name, decimal(look.terms.reconstruction, 3), decimal(look.terms.kl, 3),
                          decimal(median({sigma.data(), sigma.data() + sigma.size()}), 3),
                          decimal(spread, 2),
                          std::to_string(active_units(look.pass.q.mu, kActive).count),
                          decimal(frechet_distance(decode(*model, prior(run, 4096, 4)), x), 2)});
  }
  report.table(table);
  const bool same = start.decoder_hidden.bias == no_data.decoder_hidden.bias &&
                    start.decoder_hidden.weight == no_data.decoder_hidden.weight &&
                    start.decoder_output.weight == no_data.decoder_output.weight &&
                    start.decoder_output.bias == no_data.decoder_output.bias;
  const Matrix out = decode(huge, prior(run, 1000, 4));
  const double moved =
      double((out.rowwise() - out.colwise().mean()).rowwise().squaredNorm().mean());
  const double off = double((out.colwise().mean() - x.colwise().mean()).norm());
  const std::vector<std::string>&kept = table.rows[0], &free = table.rows[1];
  report.listing(
      side_by_side("no KL", prediction(run, "break_it_no_kl"),
                   "error " + free[1] + ", median sigma " + free[3] + ", spread of mu " + free[4] +
                       ", decoded draws of the prior at a distance of " + free[6] +
                       "; with beta 1: " + kept[1] + ", " + kept[3] + ", " + kept[4] + ", " +
                       kept[6]) +
          side_by_side("no reconstruction", prediction(run, "break_it_no_reconstruction"),
                       same ? "the decoder's weights are those of the start, bit for bit"
                            : "the decoder's weights have changed") +
          side_by_side("beta 100", prediction(run, "break_it_beta_hundred"),
                       "the decoder's output varies by " + decimal(moved, 4) +
                           " over draws of z; its mean is " + decimal(off, 3) + " from the data's"),
      "Your predictions, from answers.toml, beside what was measured");
}

// ---- annealing ----------------------------------------------------------------------------------

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

// ---- two likelihoods, and why squared error blurs -----------------------------------------------

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

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  const ImageSplit data = images_for(run, 8192, 1024);
  if (data.test.x.rows() < 12) throw FileError("--data: expected at least 60 pictures");
  Report report("VAEs, trained, swept and broken", run);
  pictures(run, report, data);
  organised(run, report, data);
  law(run, report);
  const Matrix mixture = mixture8(run.seed(), 4096).x;
  sweep(run, report, mixture);
  broken(run, report, mixture);
  annealing(run, report, data);
  likelihoods(run, report, data);
  blur(run, report);
  report.try_next(
      {"./lab run 4 --data DIR with handwritten digits: which of them does the prior draw best?",
       "In experiment.cpp, set kPictureBeta to 0.03 and to 3: reconstructions, samples, active "
       "units?",
       "Write your three predictions into labs/04_training_a_vae/answers.toml and run again.",
       "Let kl_standard_normal return half of its gradient. Where does the law notice first?"});
  report.finish();
}

}  // namespace latent

// A VAE that draws, what its latents stand for, and how they lie.

#include <cmath>

#include "common/plot.hpp"
#include "common/statistics.hpp"
#include "parts.hpp"

namespace latent::run04 {

namespace {

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

}  // namespace

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

namespace {

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

}  // namespace

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

}  // namespace latent::run04

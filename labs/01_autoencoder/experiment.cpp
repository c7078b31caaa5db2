// `./lab run 1`: an autoencoder trained with your functions, first on eight numbers, then on
// pictures. `train` is all there is to it.

#include "common/experiment.hpp"

#include "autoencoder.hpp"
#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/statistics.hpp"
#include "common/training.hpp"

namespace latent {
namespace {

// ---- training -----------------------------------------------------------------------------------

/// Streams of the seed: what is drawn for one purpose does not move what is drawn for another.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kQuestions = 2ULL << 40 };

constexpr Index kBatch = 64;

/// Every weight and bias, in one order; of a gradient as of a model.
NamedTensors tensors_of(Autoencoder& model) {
  return layers_by_name<Layer>({{"encoder_hidden", &model.encoder_hidden},
                                {"encoder_output", &model.encoder_output},
                                {"decoder_hidden", &model.decoder_hidden},
                                {"decoder_output", &model.decoder_output}});
}

Autoencoder initial_model(Index size, Index hidden, Index latent, std::uint64_t seed) {
  Random random(seed, kWeights);
  const auto layer = [&](Index out, Index in) {
    return Layer{initial_weight(out, in, random), RowVector::Zero(out)};
  };
  return {layer(hidden, size), layer(latent, hidden), layer(hidden, latent), layer(size, hidden)};
}

/// A trained model and how it got there.
struct Trained {
  Autoencoder model;
  Series losses;
};

/// The loop that trains everything from here to image generators: a batch, its gradients, a step.
Trained train(Run& run, const std::string& name, const Matrix& x, Autoencoder model,
              std::int64_t steps, double rate) {
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {name, steps, kBatch}, adam.tensors());
  while (training.next()) {
    // The seed and the step alone decide which rows, so that a resumed run draws the same.
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    AutoencoderGradients pass = autoencoder_gradients(model, random_rows(x, kBatch, random));
    // Large steps first; small ones later, or the noise of the batches keeps it from settling.
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(pass.gradient), training.step(), {.learning_rate = rate * left});
    training.record({pass.loss / static_cast<double>(x.cols())});
  }
  return {model, training.curve(0, 300)};
}

// ---- looking at it ------------------------------------------------------------------------------

Matrix decode(const Autoencoder& model, const Matrix& z) {
  const Layer &hidden = model.decoder_hidden, &output = model.decoder_output;
  return linear_forward(tanh_forward(linear_forward(z, hidden.weight, hidden.bias)), output.weight,
                        output.bias);
}

/// What a decoder is asked: codes of data, points halfway between two of them, and points that
/// nobody encoded.
struct Questions {
  Matrix codes, midpoints, random;
};

Questions questions(const Matrix& z, Index count, std::uint64_t seed) {
  Random random(seed, kQuestions);
  Questions q{Matrix(count, z.cols()), Matrix(count, z.cols()),
              random.normal_matrix(count, z.cols())};
  for (Index i = 0; i < count; ++i) {
    q.codes.row(i) = z.row(random.integer(0, z.rows() - 1));
    q.midpoints.row(i) = 0.5F * (q.codes.row(i) + z.row(random.integer(0, z.rows() - 1)));
  }
  return q;
}

// ---- eight numbers through two ------------------------------------------------------------------

std::string latent_plot(const Matrix& z, const std::vector<std::int64_t>& labels) {
  std::vector<Series> series{{"first component", {}, {}}, {"second component", {}, {}}};
  for (Index i = 0; i < std::min<Index>(z.rows(), 600); ++i) {
    Series& s = series[static_cast<std::size_t>(labels[static_cast<std::size_t>(i)])];
    s.x.push_back(z(i, 0));
    s.y.push_back(z(i, 1));
  }
  return scatter_plot(
      {"Where samples lie in the latent", "first latent number", "second latent number",
       "Each sample of the mixture as a point, its mark by the component that it "
       "was drawn from."},
      series);
}

void mixture(Run& run, Report& report) {
  report.heading("Eight numbers through two");
  const Dataset data = mixture8(run.seed(), 4096);
  const double pca = pca_residual(data.x, 2);
  const Trained trained = train(run, "mixture", data.x, initial_model(8, 16, 2, run.seed()),
                                run.quick() ? 20'000 : 60'000, 1e-2);
  const AutoencoderGradients all = autoencoder_gradients(trained.model, data.x);
  const double error = all.loss / 8.0;

  report.table({"Mean squared error per number, on the data it was trained on",
                {"", "error"},
                {{"two principal components, the best linear map", decimal(pca)},
                 {"the autoencoder, 8-16-2-16-8", decimal(error)},
                 {"autoencoder / principal components", decimal(error / pca)}}});
  report.plot("loss.svg",
              line_chart({"The loss while training", "step", "squared error per number",
                          "The loss falls from " + decimal(trained.losses.y.front()) + " to " +
                              decimal(trained.losses.y.back()) +
                              "; two principal components reach " + decimal(pca) + "."},
                         {trained.losses}, {{"PCA, 2 components", pca}}, {false, true}),
              "A linear map cannot get below the dashed line. The tanh between your layers can.");
  report.plot("latent.svg", latent_plot(all.latent, data.labels),
              "Nobody told the encoder which component a sample comes from.");

  const Questions ask = questions(all.latent, 500, run.seed());
  const std::vector<double> codes = nearest_distances(decode(trained.model, ask.codes), data.x),
                            halfway =
                                nearest_distances(decode(trained.model, ask.midpoints), data.x),
                            random = nearest_distances(decode(trained.model, ask.random), data.x);
  report.table({"Median distance from what is decoded to the nearest sample",
                {"", "distance"},
                {{"decode(code of a sample)", decimal(median(codes))},
                 {"decode(halfway between two codes)", decimal(median(halfway))},
                 {"decode(random numbers)", decimal(median(random))}}});
  report.plot(
      "distances.svg",
      histogram({"How far from the data the decoder lands", "distance to the nearest sample",
                 "share", "Distances of decoded codes, midpoints and random numbers."},
                {{"codes", codes}, {"midpoints", halfway}, {"random", random}}, 40),
      "A code is a place that the encoder has used. Nothing has taught the decoder what to "
      "make of any other; a variational autoencoder (lab 04) does.");
}

// ---- pictures through eight ---------------------------------------------------------------------

/// Two batches of tiles, one row of each in turn.
Matrix alternating(const Matrix& a, const Matrix& b, Index columns) {
  Matrix all(2 * a.rows(), a.cols());
  for (Index i = 0; i < a.rows(); i += columns) {
    all.middleRows(2 * i, columns) = a.middleRows(i, columns);
    all.middleRows(2 * i + columns, columns) = b.middleRows(i, columns);
  }
  return all;
}

void keep_tiles(Report& report, const std::string& file, const Matrix& tiles, const Shape& shape,
                const std::string& words, const std::string& caption) {
  report.picture(file, tile_grid(tiles, shape, 12), words, caption);
}

void pictures(Run& run, Report& report) {
  const ImageSplit data = images_for(run, 8192, 512);
  report.heading("Pictures through eight numbers: " + data.train.name);
  const Index size = data.train.x.cols();
  const double pca = pca_residual(data.train.x, 8), pixels = static_cast<double>(size);
  const Trained trained =
      train(run, "pictures", data.train.x, initial_model(size, 64, 8, run.seed()),
            run.quick() ? 1'500 : 12'000, 3e-3);
  const AutoencoderGradients seen = autoencoder_gradients(trained.model, data.train.x),
                             unseen = autoencoder_gradients(trained.model, data.test.x);

  report.table(
      {"Mean squared error per pixel, " + std::to_string(size) + "-64-8-64-" + std::to_string(size),
       {"", "error"},
       {{"eight principal components", decimal(pca)},
        {"the autoencoder, on what it was trained on", decimal(seen.loss / pixels)},
        {"the autoencoder, on pictures it never saw", decimal(unseen.loss / pixels)}}});
  const Index shown = std::min<Index>(36, data.test.x.rows() / 12 * 12);
  if (shown > 0)
    keep_tiles(
        report, "reconstructions.png",
        alternating(data.test.x.topRows(shown), unseen.reconstruction.topRows(shown), 12),
        data.test.shape, "Pairs of rows: pictures, and below each what came back.",
        "Pictures it never saw, and below each what came back through eight numbers. A drawn "
        "shape has six: kind, column, row, size, turn, brightness.");
  const Questions ask = questions(seen.latent, 12, run.seed());
  Matrix tiles(36, size);
  tiles << decode(trained.model, ask.codes), decode(trained.model, ask.midpoints),
      decode(trained.model, ask.random);
  keep_tiles(report, "decoded.png", tiles, data.train.shape,
             "Three rows: decoded codes, decoded midpoints, decoded random numbers.",
             "Decoded: codes of pictures, points halfway between two codes, random numbers.");
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  Report report("An autoencoder, trained", run);
  mixture(run, report);
  pictures(run, report);
  report.try_next(
      {"./lab run 1 --seed 2: which numbers stay, which were luck?",
       "In labs/01_autoencoder/experiment.cpp, give the mixture a latent of 1 or 3 "
       "numbers, and guess the error beforehand.",
       "Let tanh_forward return x, and tanh_backward dy: which line does the loss find now?",
       "Divide the gradients by 10. Why does Adam hardly notice?"});
  report.finish();
}

}  // namespace latent

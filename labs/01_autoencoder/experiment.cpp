// `./lab run 1`: an autoencoder trained with your functions, first on eight numbers, then on
// pictures. `train` is all there is to it.

#include "common/experiment.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <cstdio>

#include "autoencoder.hpp"
#include "common/dataset.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/training.hpp"

namespace latent {
namespace {

// ---- training -----------------------------------------------------------------------------------

/// Streams of the seed: what is drawn for one purpose does not move what is drawn for another.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kQuestions = 2ULL << 40 };

constexpr Index kBatch = 64;

/// Weights and biases in one order, each with what Adam remembers of it.
using Parameters = std::vector<AdamState>;

std::vector<Matrix> tensors_of(const Autoencoder& model) {
  std::vector<Matrix> all;
  for (const Layer* layer : {&model.encoder_hidden, &model.encoder_output, &model.decoder_hidden,
                             &model.decoder_output}) {
    all.push_back(layer->weight);
    all.push_back(layer->bias);
  }
  return all;
}

Autoencoder model_of(const Parameters& p) {
  return {{p[0].parameter, p[1].parameter},
          {p[2].parameter, p[3].parameter},
          {p[4].parameter, p[5].parameter},
          {p[6].parameter, p[7].parameter}};
}

/// Weights so large that what goes through a layer keeps its variance; biases of 0.
Parameters initial_parameters(Index size, Index hidden, Index latent, std::uint64_t seed) {
  Random random(seed, kWeights);
  Parameters parameters;
  for (const auto& [from, to] :
       {std::pair(size, hidden), {hidden, latent}, {latent, hidden}, {hidden, size}}) {
    const Matrix weight = random.normal_matrix(to, from) / std::sqrt(static_cast<float>(from));
    for (const Matrix& tensor : {weight, Matrix(Matrix::Zero(1, to))})
      parameters.push_back({tensor, Matrix::Zero(tensor.rows(), tensor.cols()),
                            Matrix::Zero(tensor.rows(), tensor.cols())});
  }
  return parameters;
}

/// Everything that training changes, by name, for the checkpoint.
TrainedTensors named(Parameters& parameters) {
  TrainedTensors all;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string name = "layer" + std::to_string(i / 2) + (i % 2 == 0 ? ".weight" : ".bias");
    all.emplace_back(name, &parameters[i].parameter);
    all.emplace_back(name + ".m", &parameters[i].first_moment);
    all.emplace_back(name + ".v", &parameters[i].second_moment);
  }
  return all;
}

/// Some rows of x; the seed and the step alone decide which.
Matrix batch_of(const Matrix& x, std::uint64_t seed, std::int64_t step) {
  Random random(seed, static_cast<std::uint64_t>(step));
  Matrix batch(kBatch, x.cols());
  for (Index i = 0; i < kBatch; ++i) batch.row(i) = x.row(random.integer(0, x.rows() - 1));
  return batch;
}

/// A trained model and how it got there.
struct Trained {
  Autoencoder model;
  Series losses;
};

/// The loop that trains everything from here to image generators: a batch, its gradients, a step.
Trained train(Run& run, const std::string& name, const Matrix& x, Parameters parameters,
              std::int64_t steps, double rate) {
  Training training(run, {name, steps, kBatch}, named(parameters));
  while (training.next()) {
    const Matrix batch = batch_of(x, run.seed(), training.step());
    const AutoencoderGradients pass = autoencoder_gradients(model_of(parameters), batch);
    const std::vector<Matrix> gradients = tensors_of(pass.gradient);
    // Large steps first; small ones later, or the noise of the batches keeps it from settling.
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      parameters[i] =
          adam_step(parameters[i], gradients[i], training.step(), {.learning_rate = rate * left});
    training.record({pass.loss / static_cast<double>(x.cols())});
  }
  return {model_of(parameters), training.curve(0, 300)};
}

// ---- looking at it ------------------------------------------------------------------------------

Matrix decode(const Autoencoder& model, const Matrix& z) {
  const Layer &hidden = model.decoder_hidden, &output = model.decoder_output;
  return linear_forward(tanh_forward(linear_forward(z, hidden.weight, hidden.bias)), output.weight,
                        output.bias);
}

/// Mean squared error per number of the best linear map through a few numbers: what the largest
/// principal components leave over.
double pca_residual(const Matrix& x, Index components) {
  const Eigen::MatrixXd centred = x.cast<double>().rowwise() - x.cast<double>().colwise().mean();
  const Eigen::MatrixXd covariance = centred.transpose() * centred / static_cast<double>(x.rows());
  const Eigen::VectorXd values =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(covariance, Eigen::EigenvaluesOnly)
          .eigenvalues();  // ascending
  return values.head(x.cols() - components).sum() / static_cast<double>(x.cols());
}

/// From each row to the nearest row of the data.
std::vector<double> distances(const Matrix& points, const Matrix& data) {
  std::vector<double> found;
  for (Index i = 0; i < points.rows(); ++i)
    found.push_back(
        std::sqrt(double((data.rowwise() - points.row(i)).rowwise().squaredNorm().minCoeff())));
  return found;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
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

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

void print_and_report(Report& report, const ReportTable& table) {
  report.table(table);
  std::printf("\n%s\n", table.caption.c_str());
  for (const std::vector<std::string>& row : table.rows)
    std::printf("  %-44s %s\n", row[0].c_str(), row[1].c_str());
}

/// Writes a plot to a file of its own and puts it into the report.
void keep_plot(Run& run, Report& report, const std::string& file, const std::string& svg,
               const std::string& caption) {
  write_bytes(run.output(file), svg);
  report.plot(svg, caption);
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
  const Dataset data = mixture8(run.seed(), 4096);
  const double pca = pca_residual(data.x, 2);
  const Trained trained = train(run, "mixture", data.x, initial_parameters(8, 16, 2, run.seed()),
                                run.quick() ? 20'000 : 60'000, 1e-2);
  const AutoencoderGradients all = autoencoder_gradients(trained.model, data.x);
  const double error = all.loss / 8.0;

  report.heading("Eight numbers through two");
  print_and_report(report, {"Mean squared error per number, on the data it was trained on",
                            {"", "error"},
                            {{"two principal components, the best linear map", text_of(pca)},
                             {"the autoencoder, 8-16-2-16-8", text_of(error)},
                             {"autoencoder / principal components", text_of(error / pca)}}});
  keep_plot(run, report, "loss.svg",
            line_chart({"The loss while training", "step", "squared error per number",
                        "The loss falls from " + text_of(trained.losses.y.front()) + " to " +
                            text_of(trained.losses.y.back()) + "; two principal components reach " +
                            text_of(pca) + "."},
                       {trained.losses}, {{"PCA, 2 components", pca}}, {false, true}),
            "A linear map cannot get below the dashed line. The tanh between your layers can.");
  keep_plot(run, report, "latent.svg", latent_plot(all.latent, data.labels),
            "Nobody told the encoder which component a sample comes from.");

  const Questions ask = questions(all.latent, 500, run.seed());
  const std::vector<double> codes = distances(decode(trained.model, ask.codes), data.x),
                            halfway = distances(decode(trained.model, ask.midpoints), data.x),
                            random = distances(decode(trained.model, ask.random), data.x);
  print_and_report(report, {"Median distance from what is decoded to the nearest sample",
                            {"", "distance"},
                            {{"decode(code of a sample)", text_of(median(codes))},
                             {"decode(halfway between two codes)", text_of(median(halfway))},
                             {"decode(random numbers)", text_of(median(random))}}});
  keep_plot(run, report, "distances.svg",
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

void keep_tiles(Run& run, Report& report, const std::string& file, const Matrix& tiles,
                const std::string& words, const std::string& caption) {
  const Image image = tile_grid(tiles, {1, 28, 28}, 12);
  write_png(run.output(file), image);
  report.picture(image, words, caption);
}

void pictures(Run& run, Report& report) {
  const Dataset data = sprites(run.seed(), 8192).data;
  const Matrix fresh = sprites(run.seed() + 1, 512).data.x;  // never trained on
  const double pca = pca_residual(data.x, 8);
  const Trained trained = train(run, "sprites", data.x, initial_parameters(784, 64, 8, run.seed()),
                                run.quick() ? 1'500 : 12'000, 3e-3);
  const AutoencoderGradients seen = autoencoder_gradients(trained.model, data.x),
                             unseen = autoencoder_gradients(trained.model, fresh);

  report.heading("Pictures through eight numbers");
  print_and_report(report,
                   {"Mean squared error per pixel, 784-64-8-64-784",
                    {"", "error"},
                    {{"eight principal components", text_of(pca)},
                     {"the autoencoder, on what it was trained on", text_of(seen.loss / 784.0)},
                     {"the autoencoder, on pictures it never saw", text_of(unseen.loss / 784.0)}}});
  keep_tiles(run, report, "reconstructions.png",
             alternating(fresh.topRows(36), unseen.reconstruction.topRows(36), 12),
             "Three pairs of rows: pictures, and below each what came back.",
             "Pictures it never saw, and below each what came back through eight numbers. A shape "
             "has six: kind, place, size, turn, brightness.");
  const Questions ask = questions(seen.latent, 12, run.seed());
  Matrix tiles(36, 784);
  tiles << decode(trained.model, ask.codes), decode(trained.model, ask.midpoints),
      decode(trained.model, ask.random);
  keep_tiles(run, report, "decoded.png", tiles,
             "Three rows: decoded codes, decoded midpoints, decoded random numbers.",
             "Decoded: codes of pictures, points halfway between two codes, random numbers.");
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return training_options();
}

void run_experiment(Run& run) {
  std::printf("seed       %llu%s\n", static_cast<unsigned long long>(run.seed()),
              run.quick() ? ", quick" : "");
  Report report("An autoencoder, trained", run);
  mixture(run, report);
  pictures(run, report);
  report.try_next(
      {"./lab run 1 --seed 2: which numbers stay, which were luck?",
       "In labs/01_autoencoder/experiment.cpp, give the mixture a latent of 1 or 3 "
       "numbers, and guess the error beforehand.",
       "Let tanh_forward return x, and tanh_backward dy: which line does the loss find now?",
       "Divide the gradients by 10. Why does Adam hardly notice?"});
  write_bytes(run.output("report.html"), report.html());
  std::printf("\n");
  run.list_outputs();
}

}  // namespace latent

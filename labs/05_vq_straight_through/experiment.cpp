// `./lab run 5`: a VQ-VAE trained with your functions, first on eight numbers that become one word
// of 32, then on pictures that become eight words each. `gradients` is the model, `train` the loop.

#include "common/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <set>

#include "autoencoder.hpp"
#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/statistics.hpp"
#include "common/training.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

// ---- the model ----------------------------------------------------------------------------------

/// Streams of the seed: what is drawn for one purpose does not move what is drawn for another.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kCodes = 2ULL << 40, kRestarts = 3ULL << 40 };

constexpr Index kBatch = 64;
constexpr double kBeta = 0.25;

/// Linear layers with a tanh between any two.
using Layers = std::vector<Layer>;

/// The encoder puts out a feature map, each of whose positions becomes a word.
struct VqVae {
  Layers encoder, decoder;
  Matrix codebook;              ///< `[K, D]`
  Index height = 1, width = 1;  ///< Of the map: height * width words.
};

/// Every tensor that is trained, in one order; of a gradient as of a model.
NamedTensors tensors_of(VqVae& model) {
  NamedTensors all{{"codebook", &model.codebook}};
  for (const auto& [name, layers] :
       {std::pair("encoder", &model.encoder), {"decoder", &model.decoder}}) {
    for (Layer& layer : *layers) {
      const std::string place = name + std::to_string(&layer - layers->data());
      all.push_back({place + ".weight", &layer.weight});
      all.push_back({place + ".bias", &layer.bias});
    }
  }
  return all;
}

Layers initial_layers(const std::vector<Index>& sizes, Random& random) {
  Layers layers;
  for (std::size_t i = 1; i < sizes.size(); ++i)
    layers.push_back({initial_weight(sizes[i], sizes[i - 1], random), RowVector::Zero(sizes[i])});
  return layers;
}

/// The input of every layer, and what the last one puts out.
std::vector<Matrix> forward(const Layers& layers, const Matrix& x) {
  std::vector<Matrix> values{x};
  for (const Layer& layer : layers) {
    if (values.size() > 1) values.back() = tanh_forward(values.back());
    values.push_back(linear_forward(values.back(), layer.weight, layer.bias));
  }
  return values;
}

/// @return  What goes back to the input; the gradients of the layers go into `gradient`.
Matrix backward(const Layers& layers, const std::vector<Matrix>& values, Matrix dy,
                Layers& gradient) {
  gradient.resize(layers.size());
  for (std::size_t i = layers.size(); i-- > 0;) {
    const LinearGradients back = linear_backward(dy, values[i], layers[i].weight);
    gradient[i] = {back.weight, back.bias};
    dy = i == 0 ? back.x : tanh_backward(back.x, values[i]);
  }
  return dy;
}

/// What an encoder puts out, as rows: one for each position of each sample's map.
Matrix to_rows(const VqVae& model, const Matrix& flat) {
  Tensor4 map(flat.rows(), model.codebook.cols(), model.height, model.width);
  std::copy_n(flat.data(), std::min(flat.size(), map.size()), map.data());
  return rows_from_nchw(map);
}

/// And back: what a decoder takes in.
Matrix from_rows(const VqVae& model, const Matrix& rows) {
  const Index words = model.height * model.width, samples = rows.rows() / words;
  const Tensor4 map =
      nchw_from_rows(rows, {samples, model.codebook.cols(), model.height, model.width});
  return Eigen::Map<const Matrix>(map.data(), samples, map.size() / std::max<Index>(samples, 1));
}

Matrix encode(const VqVae& model, const Matrix& x) {
  return to_rows(model, forward(model.encoder, x).back());
}

Matrix decode(const VqVae& model, const Matrix& z_q) {
  return forward(model.decoder, from_rows(model, z_q)).back();
}

/// One pass there and back.
struct Pass {
  VqLosses losses;
  double length = 0.0;   ///< Of a row of z_e, root mean square.
  VqGradients received;  ///< By z_e and the codebook.
  VqVae gradient;
};

Pass gradients(const VqVae& model, const Matrix& x, double beta) {
  const std::vector<Matrix> encoded = forward(model.encoder, x);
  const Matrix z_e = to_rows(model, encoded.back());
  const VqOutput words = vq_straight_through(z_e, model.codebook);
  const std::vector<Matrix> decoded = forward(model.decoder, from_rows(model, words.z_q));
  const Loss error = mse_loss(decoded.back(), x, Reduction::kMean);

  Pass pass;
  pass.losses = vq_losses(error.value, z_e, model.codebook, words.indices, beta);
  pass.length = std::sqrt(z_e.cast<double>().squaredNorm() / static_cast<double>(z_e.rows()));
  const Matrix dz_q =
      to_rows(model, backward(model.decoder, decoded, error.gradient, pass.gradient.decoder));
  const VqGradients& all = pass.received =
      vq_gradients(dz_q, z_e, model.codebook, words.indices, beta);
  pass.gradient.codebook =
      all.reconstruction.codebook + all.codebook.codebook + all.commitment.codebook;
  backward(model.encoder, encoded,
           from_rows(model, all.reconstruction.z_e + all.codebook.z_e + all.commitment.z_e),
           pass.gradient.encoder);
  return pass;
}

// ---- training -----------------------------------------------------------------------------------

/// A trained model, and over the steps: reconstruction, codebook, commitment, length of z_e.
struct Trained {
  VqVae model;
  std::vector<Series> curves;
};

Trained train(Run& run, const std::string& name, const Matrix& x, VqVae model, std::int64_t steps,
              double rate, double beta = kBeta) {
  Optimizer adam(adam_step, tensors_of(model));
  Training training(
      run, {name, steps, kBatch, {"reconstruction", "codebook", "commitment", "length of z"}},
      adam.tensors());
  while (training.next()) {
    // The seed and the step alone decide which rows, so that a resumed run draws the same.
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    Pass pass = gradients(model, random_rows(x, kBatch, random), beta);
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(pass.gradient), training.step(), {.learning_rate = rate * left});
    training.record(
        {pass.losses.reconstruction, pass.losses.codebook, pass.losses.commitment, pass.length});
  }
  Trained trained{model, {}};
  for (std::size_t term = 0; term < 4; ++term) trained.curves.push_back(training.curve(term, 300));
  return trained;
}

/// Different rows of x, in random order: where codes begin.
Matrix different_rows(const Matrix& x, Index count, Random& random) {
  std::vector<Index> order(static_cast<std::size_t>(x.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  Matrix rows(std::min(count, x.rows()), x.cols());
  for (Index i = 0; i < rows.rows(); ++i) {
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(random.integer(i, x.rows() - 1))]);
    rows.row(i) = x.row(order[static_cast<std::size_t>(i)]);
  }
  return rows;
}

/// What a model makes of data.
struct Coded {
  Matrix reconstruction;
  std::vector<std::int64_t> indices;  ///< One for each word of each sample.
  double error = 0.0;                 ///< Squared, per number.
};

Coded code(const VqVae& model, const Matrix& x) {
  const VqOutput words = vq_straight_through(encode(model, x), model.codebook);
  Coded coded{decode(model, words.z_q), words.indices, 0.0};
  coded.error = mse_loss(coded.reconstruction, x, Reduction::kMean).value;
  return coded;
}

std::size_t different(const std::vector<std::int64_t>& indices) {
  return std::set<std::int64_t>(indices.begin(), indices.end()).size();
}

/// A sentence, on the terminal and in the page.
void say(Report& report, const std::string& text) {
  std::printf("%s\n", text.c_str());
  report.paragraph(text);
}

// ---- eight numbers as one word ------------------------------------------------------------------

constexpr Index kCodebook = 32, kLatent = 4;

/// Codes begin at encoded samples, or, as in many implementations, at uniform numbers from +-1/K.
VqVae mixture_model(const Matrix& x, bool at_samples, std::uint64_t seed) {
  Random weights(seed, kWeights), codes(seed, kCodes);
  VqVae model{initial_layers({8, kLatent}, weights), initial_layers({kLatent, 8}, weights),
              Matrix(kCodebook, kLatent)};
  if (at_samples) {
    model.codebook = encode(model, different_rows(x, kCodebook, codes));
  } else {
    for (float& number : model.codebook.reshaped())
      number = static_cast<float>(codes.uniform(-1.0, 1.0) / kCodebook);
  }
  return model;
}

/// Squared error per number of the nearest of 32 centroids: the best of several runs of k-means.
double kmeans_error(const Matrix& x, int restarts, std::uint64_t seed) {
  Random random(seed, kRestarts);
  double best = INFINITY;
  for (int restart = 0; restart < restarts; ++restart) {
    Matrix centroids = different_rows(x, kCodebook, random);
    for (int iteration = 0; iteration < 40; ++iteration) {
      Matrix sum = Matrix::Zero(kCodebook, x.cols());
      RowVector count = RowVector::Zero(kCodebook);
      Index n = 0;
      for (const std::int64_t k : nearest_code(x, centroids)) {
        sum.row(k) += x.row(n++);
        count(k) += 1.0F;
      }
      for (Index k = 0; k < kCodebook; ++k)
        if (count(k) > 0.0F) centroids.row(k) = sum.row(k) / count(k);
    }
    const VqOutput nearest = vq_straight_through(x, centroids);
    best = std::min(best, mse_loss(nearest.z_q, x, Reduction::kMean).value);
  }
  return best;
}

void show_usage(Report& report, const Coded& coded) {
  std::vector<double> share(kCodebook, 0.0);
  const double samples = static_cast<double>(coded.indices.size());
  for (const std::int64_t k : coded.indices) share.at(static_cast<std::size_t>(k)) += 1.0 / samples;
  std::vector<Bar> bars;
  for (std::size_t k = 0; k < share.size(); ++k)  // Room for every fourth label.
    bars.push_back({k % 4 == 0 ? std::to_string(k) : "", share[k]});
  const auto [fewest, most] = std::minmax_element(share.begin(), share.end());
  report.plot("usage.svg",
              bar_chart({"How often each code is chosen", "code", "share of the samples",
                         std::to_string(different(coded.indices)) +
                             " of 32 codes are used; shares "
                             "go from " +
                             decimal(*fewest) + " to " + decimal(*most) + "."},
                        bars),
              "If all were chosen alike, each would have a share of " + decimal(1.0 / kCodebook) +
                  ". Nothing in the loss asks for that.");

  double batches = 0.0, codes = 0.0;
  for (auto at = coded.indices.begin(); coded.indices.end() - at >= kBatch; at += kBatch) {
    codes += static_cast<double>(different({at, at + kBatch}));
    batches += 1.0;
  }
  report.table({"Codes that occur in a batch of 64 samples",
                {"", "codes"},
                {{"expected, if all 32 were chosen alike: 32 (1 - (31/32)^64)",
                  decimal(kCodebook * (1.0 - std::pow(31.0 / 32.0, kBatch)), 2)},
                 {"measured, mean over the data", decimal(codes / batches, 2)}}});
}

void show_codes(Report& report, const VqVae& model, const Dataset& data) {
  const Matrix z = encode(model, data.x);
  const PrincipalComponents plane = principal_components(z, 2);
  const Matrix rows = plane.project(z.topRows(300)), codes = plane.project(model.codebook);
  std::vector<Series> points{
      {"first component", {}, {}}, {"second component", {}, {}}, {"codes", {}, {}}};
  for (Index n = 0; n < rows.rows() + codes.rows(); ++n) {
    const bool sample = n < rows.rows();
    const RowVector at = sample ? rows.row(n) : codes.row(n - rows.rows());
    Series& s = points[sample ? std::size_t(data.labels[std::size_t(n)]) : 2];
    s.x.push_back(at(0));
    s.y.push_back(at(1));
  }
  report.plot("codes.svg",
              scatter_plot({"What the encoder puts out, and the codes", "first principal axis of z",
                            "second principal axis of z",
                            "300 encoded samples, marked by component of the mixture, and 32 "
                            "codes, in the plane in which encoded samples vary most."},
                           points),
              "Two of the latent's four directions. The decoder gets a code, never what lies "
              "between codes.");
}

/// Three terms, two receivers: how long each of the six gradients is.
void show_receivers(Report& report, const VqVae& model, const Matrix& x) {
  const VqGradients all = gradients(model, x, kBeta).received;
  int zeros = 0;
  const auto length = [&zeros](const Matrix& gradient) -> std::string {
    if (!gradient.isZero(0.0F)) return decimal(gradient.norm(), 5);
    ++zeros;
    return "0";
  };
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, received] :
       {std::pair("reconstruction, straight through", &all.reconstruction),
        {"codebook term", &all.codebook},
        {"commitment term", &all.commitment}})
    rows.push_back({name, length(received->z_e), length(received->codebook)});
  report.table({"Who receives what: length of the gradient, trained model, one batch",
                {"", "to z_e", "to the codebook"},
                rows});
  say(report, std::to_string(zeros) + " of the six are zero to the bit.");
}

void show_training(Report& report, const Trained& main, const Trained& free, double kmeans) {
  const std::vector<Series>& c = main.curves;
  report.plot(
      "loss.svg",
      line_chart({"The three terms while training", "step", "squared, per number",
                  "At the end the reconstruction is " + decimal(c[0].y.back()) +
                      ", the codebook term " + decimal(c[1].y.back()) + ", the commitment term " +
                      decimal(c[2].y.back()) + "; k-means reaches " + decimal(kmeans) + "."},
                 {c[0], c[1], c[2]}, {{"k-means", kmeans}}, {false, true}),
      "Only the reconstruction is measured in the units of the samples. The other two are "
      "in units of z, whose scale encoder and decoder choose between them.");
  Series with = c[3], without = free.curves[3];
  with.name = "beta = 0.25";
  without.name = "beta = 0";
  const double a = with.y.back(), b = without.y.back();
  report.plot("length.svg",
              line_chart({"How long z is", "step", "root mean square length of z_e",
                          "At the end " + decimal(a, 2) + " with beta = 0.25 and " + decimal(b, 2) +
                              " with beta = 0."},
                         {with, without}, {}, {false, true}),
              "With beta = 0 nothing ties the encoder to its codes. At the end its rows are " +
                  decimal(b / a, 1) + " times as long as with beta = 0.25.");
}

void mixture(Run& run, Report& report) {
  report.heading("Eight numbers as one word of 32");
  const Dataset data = mixture8(run.seed(), 4096);
  const double kmeans = kmeans_error(data.x, run.quick() ? 4 : 10, run.seed());
  const double one_code = pca_residual(data.x, 0);
  const auto trained = [&](const std::string& name, bool at_samples, double beta) {
    return train(run, name, data.x, mixture_model(data.x, at_samples, run.seed()),
                 run.quick() ? 3'000 : 12'000, 1e-2, beta);
  };
  const Trained main = trained("mixture", true, kBeta),
                small = trained("mixture, codes near 0", false, kBeta),
                free = trained("mixture, beta = 0", true, 0.0);
  std::vector<std::vector<std::string>> rows{
      {"a single code, at the mean", "1", decimal(one_code), decimal(one_code / kmeans, 3)},
      {"k-means on the samples themselves", "", decimal(kmeans), "1.000"}};
  for (const auto& [name, model] : {std::pair("codes begin at encoded samples", &main.model),
                                    {"codes begin within 1/32 of 0", &small.model},
                                    {"at encoded samples, but beta = 0", &free.model}}) {
    const Coded coded = code(*model, data.x);
    rows.push_back({name, std::to_string(different(coded.indices)), decimal(coded.error),
                    decimal(coded.error / kmeans, 3)});
  }
  report.table({"Squared error per number; VQ-VAE with a linear encoder 8-4 and decoder 4-8",
                {"", "codes used of 32", "error", "error / k-means"},
                rows});
  const Coded coded = code(main.model, data.x);
  const double ratio = coded.error / kmeans;
  // A nearest_code that does not find the nearest spoils k-means, too.
  const std::string verdict = !(kmeans < one_code) ? "says nothing, k-means is worse than one code."
                              : ratio <= 1.1       ? "yes."
                                                   : "no.";
  say(report,
      "Target: with codes that begin at encoded samples, within 1.1 times the error of k-means. "
      "Measured " +
          decimal(ratio, 3) + ": " + verdict);
  show_training(report, main, free, kmeans);
  show_usage(report, coded);
  show_codes(report, main.model, data);
  show_receivers(report, main.model, data.x.topRows(kBatch));
}

// ---- pictures as eight words --------------------------------------------------------------------

constexpr Index kWords = 8;

VqVae picture_model(const Matrix& x, Index codes, std::uint64_t seed) {
  Random weights(seed, kWeights), starts(seed, kCodes);
  const Index flat = kWords * kLatent;
  VqVae model{initial_layers({x.cols(), 64, flat}, weights),
              initial_layers({flat, 64, x.cols()}, weights), Matrix(codes, kLatent), 2, 4};
  const Matrix some = encode(model, x.topRows(std::min<Index>(512, x.rows())));
  model.codebook = different_rows(some, codes, starts);
  return model;
}

/// One picture, each of its words in turn replaced by every code there is.
void show_words(Report& report, const VqVae& model, const Matrix& picture, const Shape& shape) {
  const Matrix words = vq_straight_through(encode(model, picture), model.codebook).z_q;
  const Index codes = model.codebook.rows();
  Matrix all = words.replicate(kWords * codes, 1);
  for (Index tile = 0; tile < kWords * codes; ++tile)
    all.row(tile * kWords + tile / codes) = model.codebook.row(tile % codes);
  report.picture(
      "words.png", tile_grid(decode(model, all), shape, codes),
      "Eight rows, one for each word, of " + std::to_string(codes) + " tiles, one for each code.",
      "The first of those pictures with one of its eight words exchanged. Rows: which "
      "word. Columns: for which code of " +
          std::to_string(codes) +
          ". A code is no part of a picture by itself: the decoder reads all eight.");
}

void pictures(Run& run, Report& report) {
  const ImageSplit data = images_for(run, 4096, 512);
  report.heading("Pictures as eight words: " + data.train.name);
  const Matrix& x = data.train.x;
  const Index shown = std::min<Index>(12, data.test.x.rows());
  const double pca = pca_residual(x, kWords);
  Matrix tiles = data.test.x.topRows(shown);
  std::vector<std::vector<std::string>> rows;
  Series curve{"VQ-VAE", {}, {}};
  VqVae sixteen;
  for (const Index size : {4, 16, 64, 256}) {
    const std::string name = "pictures, K = " + std::to_string(size);
    const VqVae model =
        train(run, name, x, picture_model(x, size, run.seed()), run.quick() ? 250 : 3'000, 3e-3)
            .model;
    const Coded seen = code(model, x.topRows(std::min<Index>(2048, x.rows()))),
                unseen = code(model, data.test.x);
    const double bits = bits_per_token(model.codebook.rows());
    rows.push_back({std::to_string(model.codebook.rows()), decimal(kWords * bits, 0),
                    decimal(compression_ratio(data.train.shape, 8, {kWords}, bits).bits, 0),
                    std::to_string(different(seen.indices)), decimal(seen.error),
                    decimal(unseen.error)});
    curve.x.push_back(kWords * bits);
    curve.y.push_back(unseen.error);
    tiles.conservativeResize(tiles.rows() + shown, tiles.cols());
    tiles.bottomRows(shown) = unseen.reconstruction.topRows(shown);
    if (size == 16) sixteen = model;
  }
  report.table({"Squared error per pixel, eight words a picture",
                {"K", "bits", "times smaller", "codes used", "seen", "never seen"},
                rows});
  report.plot("rate_distortion.svg",
              line_chart({"Bits against error", "bits per picture", "squared error per pixel",
                          "From " + decimal(curve.y.front()) + " at " +
                              decimal(curve.x.front(), 0) + " bits to " + decimal(curve.y.back()) +
                              " at " + decimal(curve.x.back(), 0) + " bits."},
                         {curve}, {{"8 principal components", pca}}),
              "K = 4, 16, 64, 256, on pictures that the model never saw. The dashed line keeps "
              "eight real numbers instead of eight words: 256 bits, as floats.");
  report.picture("reconstructions.png", tile_grid(tiles, data.test.shape, shown),
                 "Five rows: pictures, and what comes back for K = 4, 16, 64 and 256.",
                 "Pictures it never saw, and below what came back: K = 4, 16, 64, 256. The larger "
                 "the vocabulary, the more bits a picture of eight words may have.");
  show_words(report, sixteen, data.test.x.topRows(1), data.test.shape);
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  Report report("A VQ-VAE, trained", run);
  mixture(run, report);
  pictures(run, report);
  report.try_next(
      {"./lab run 5 --seed 2: how many codes does each start use now?",
       "In labs/05_vq_straight_through/experiment.cpp, set kBeta to 2, and guess the error of the "
       "mixture beforehand.",
       "Let vq_straight_through_backward return zeros for z_e: which of the curves notice?",
       "Give the commitment term to the codebook and the codebook term to z_e in vq_gradients. "
       "What does the table of receivers say, and what the loss?",
       "./lab run 5 --data DIR with a folder of your own pictures, or MNIST."});
  report.finish();
}

}  // namespace latent

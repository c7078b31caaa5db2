// `./lab run 7`: the same autoencoder twice, once with your FSQ in the middle and once with lab
// 05's vector quantizer, at the same number of codes. Every picture becomes eight whole numbers.

#include "common/experiment.hpp"

#include <algorithm>
#include <cmath>

#include "autoencoder.hpp"
#include "codebook_ema.hpp"
#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/training.hpp"
#include "fsq.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

// ---- the model ----------------------------------------------------------------------------------

/// Streams of the seed; steps of a training count from 0 in the first.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kCodes = 2ULL << 40 };

using Indices = std::vector<std::int64_t>;

const Levels kLevels{8, 5, 5, 5};  // 1000 codes
constexpr Index kTokens = 8, kHidden = 128, kBatch = 32;
constexpr double kBeta = 0.25;

/// picture - hidden (tanh) - tokens - quantizer - hidden (tanh) - picture. Without a codebook it is
/// FSQ's: nothing of the quantizer is trained.
struct Model {
  Layer encoder_hidden, encoder_output, decoder_hidden, decoder_output;
  Matrix codebook;

  bool is_fsq() const { return codebook.rows() == 0; }
};

NamedTensors tensors_of(Model& model) {
  NamedTensors all = layers_by_name<Layer>({{"encoder_hidden", &model.encoder_hidden},
                                            {"encoder_output", &model.encoder_output},
                                            {"decoder_hidden", &model.decoder_hidden},
                                            {"decoder_output", &model.decoder_output}});
  if (!model.is_fsq()) all.push_back({"codebook", &model.codebook});
  return all;
}

/// Both quantizers get the same layers to begin with. The codes of the codebook start as normal
/// numbers half as wide.
Model initial_model(Index size, bool fsq, std::uint64_t seed) {
  Random random(seed, kWeights), codes(seed, kCodes);
  const auto layer = [&](Index out, Index in) {
    return Layer{initial_weight(out, in, random), RowVector::Zero(out)};
  };
  const Index width = std::ssize(kLevels), rows = fsq ? 0 : fsq_codebook_size(kLevels);
  return {layer(kHidden, size), layer(kTokens * width, kHidden), layer(kHidden, kTokens * width),
          layer(size, kHidden), 0.5F * codes.normal_matrix(rows, width)};
}

/// The same numbers in rows of another length: pictures of eight tokens, or tokens.
Matrix in_rows_of(Index columns, const Matrix& x) {
  return Eigen::Map<const Matrix>(x.data(), x.size() / columns, columns);
}

Matrix through(const Matrix& x, const Layer& layer) {
  return linear_forward(x, layer.weight, layer.bias);
}

/// The latents of all tokens, one a row, before quantizing.
Matrix encode(const Model& model, const Matrix& x) {
  return in_rows_of(std::ssize(kLevels),
                    through(tanh_forward(through(x, model.encoder_hidden)), model.encoder_output));
}

VqOutput quantize(const Model& model, const Matrix& z) {
  if (!model.is_fsq()) return vq_straight_through(z, model.codebook);
  const Matrix codes = fsq_quantize(z, kLevels);
  return {codes, codes_to_index(codes, kLevels)};
}

/// Pictures from whole numbers alone, as somebody would who has received them.
Matrix decode(const Model& model, const Indices& indices) {
  Matrix codes(std::ssize(indices), std::ssize(kLevels));
  if (model.is_fsq()) {
    codes = index_to_codes(indices, kLevels);
  } else {
    for (Index i = 0; i < codes.rows(); ++i)
      codes.row(i) = model.codebook.row(indices[static_cast<std::size_t>(i)]);
  }
  const Matrix latent = in_rows_of(kTokens * codes.cols(), codes);
  return through(tanh_forward(through(latent, model.decoder_hidden)), model.decoder_output);
}

// ---- training -----------------------------------------------------------------------------------

struct Pass {
  double error = 0.0;  ///< Squared, per number of a picture.
  Indices indices;
  Model gradient;
};

/// What the quantizer sends back to the encoder. This is where the two differ: of a codebook, two
/// more terms of the loss pull codes and latents together.
Matrix quantizer_backward(const Matrix& dcodes, const Matrix& z, const Model& model, Pass& pass) {
  if (model.is_fsq()) return fsq_quantize_backward(dcodes, z, kLevels);
  const VqGradients g = vq_gradients(dcodes, z, model.codebook, pass.indices, kBeta);
  pass.gradient.codebook = g.reconstruction.codebook + g.codebook.codebook + g.commitment.codebook;
  return g.reconstruction.z_e + g.codebook.z_e + g.commitment.z_e;
}

Pass forward_and_back(const Model& model, const Matrix& x) {
  const Matrix hidden = tanh_forward(through(x, model.encoder_hidden)),
               z = in_rows_of(std::ssize(kLevels), through(hidden, model.encoder_output));
  const VqOutput q = quantize(model, z);
  const Matrix latent = in_rows_of(kTokens * z.cols(), q.z_q),
               back = tanh_forward(through(latent, model.decoder_hidden));
  const Loss loss = mse_loss(through(back, model.decoder_output), x, Reduction::kMean);

  Pass pass{loss.value, q.indices, {}};
  const LinearGradients d4 = linear_backward(loss.gradient, back, model.decoder_output.weight),
                        d3 = linear_backward(tanh_backward(d4.x, back), latent,
                                             model.decoder_hidden.weight);
  const Matrix dz = quantizer_backward(in_rows_of(z.cols(), d3.x), z, model, pass);
  const LinearGradients d2 = linear_backward(in_rows_of(kTokens * z.cols(), dz), hidden,
                                             model.encoder_output.weight),
                        d1 = linear_backward(tanh_backward(d2.x, hidden), x,
                                             model.encoder_hidden.weight);
  pass.gradient.encoder_hidden = {d1.weight, d1.bias};
  pass.gradient.encoder_output = {d2.weight, d2.bias};
  pass.gradient.decoder_hidden = {d3.weight, d3.bias};
  pass.gradient.decoder_output = {d4.weight, d4.bias};
  return pass;
}

/// A trained model, and how error and usage went.
struct Trained {
  Model model;
  Series error, used, perplexity;
};

/// Which codes the last hundred batches were given: 25,600 tokens.
Indices recent_indices(const Matrix& recent) {
  Indices all;
  for (const float index : recent.reshaped<Eigen::RowMajor>())
    if (index >= 0) all.push_back(static_cast<std::int64_t>(index));
  return all;
}

Trained train(Run& run, const std::string& name, const Matrix& x, bool fsq) {
  Trained t{initial_model(x.cols(), fsq, run.seed()), {}, {}, {}};
  const std::int64_t steps = run.quick() ? 800 : 6000;
  constexpr std::int64_t kWindow = 100, kPoints = 80;
  Matrix recent = Matrix::Constant(kWindow, kBatch * kTokens, -1), usage = Matrix::Zero(kPoints, 2);
  Optimizer adam(adam_step, tensors_of(t.model));
  NamedTensors kept = adam.tensors();
  kept.push_back({"recent", &recent});
  kept.push_back({"usage", &usage});
  Training training(run, {name, steps, kBatch}, kept);
  while (training.next()) {
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    Pass pass = forward_and_back(t.model, random_rows(x, kBatch, random));
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(pass.gradient), training.step(), {.learning_rate = 2e-3 * left});
    for (std::size_t i = 0; i < pass.indices.size(); ++i)
      recent(training.step() % kWindow, static_cast<Index>(i)) =
          static_cast<float>(pass.indices[i]);
    const std::int64_t every = steps / kPoints;
    if (training.step() % every == 0) {
      const Indices indices = recent_indices(recent);
      const std::int64_t size = fsq_codebook_size(kLevels);
      usage.row(std::min(training.step() / every, kPoints) - 1)
          << static_cast<float>(100 * codebook_usage(indices, size).share),
          static_cast<float>(codebook_perplexity(indices, size));
    }
    training.record({pass.error});
  }
  t.error = training.curve(0, 200);
  t.error.name = t.used.name = t.perplexity.name = name;
  for (Index i = 0; i < kPoints; ++i) {
    for (Series* s : {&t.used, &t.perplexity})
      s->x.push_back(static_cast<double>((i + 1) * (steps / kPoints)));
    t.used.y.push_back(usage(i, 0));
    t.perplexity.y.push_back(usage(i, 1));
  }
  return t;
}

// ---- looking at it ------------------------------------------------------------------------------

/// A trained model over all data: what is counted is counted here.
struct Result {
  Indices train, test;
  Matrix decoded;  ///< Of the pictures that were kept back.
  CodebookUsage usage;
  double perplexity = 0.0, error = 0.0, unseen = 0.0;
};

Result evaluate(const Model& model, const ImageSplit& data) {
  Result r{quantize(model, encode(model, data.train.x)).indices,
           quantize(model, encode(model, data.test.x)).indices,
           {},
           {}};
  const std::int64_t size = fsq_codebook_size(kLevels);
  r.decoded = decode(model, r.test);
  r.usage = codebook_usage(r.train, size);
  r.perplexity = codebook_perplexity(r.train, size);
  r.error = mse_loss(decode(model, r.train), data.train.x, Reduction::kMean).value;
  r.unseen = mse_loss(r.decoded, data.test.x, Reduction::kMean).value;
  return r;
}

/// How many tokens each code has, the most frequent first.
Series by_rank(const std::string& name, const Indices& indices) {
  Series s{name, {}, std::vector<double>(static_cast<std::size_t>(fsq_codebook_size(kLevels)))};
  for (const std::int64_t index : indices) s.y[static_cast<std::size_t>(index)] += 1;
  std::sort(s.y.rbegin(), s.y.rend());
  for (std::size_t i = 0; i < s.y.size(); ++i) s.x.push_back(static_cast<double>(i + 1));
  return s;
}

void numbers(Report& report, const Result& fsq, const Result& vq) {
  const double mean =
      static_cast<double>(fsq.train.size()) / static_cast<double>(fsq_codebook_size(kLevels));
  const auto percent = [](const Result& r) { return decimal(100 * r.usage.share, 1) + " %"; };
  report.table({"All " + std::to_string(fsq.train.size()) + " tokens of the pictures trained on, " +
                    decimal(mean, 1) + " for each of 1000 codes, after training",
                {"", "FSQ", "VQ"},
                {{"codes used", std::to_string(fsq.usage.used), std::to_string(vq.usage.used)},
                 {"share of the codes", percent(fsq), percent(vq)},
                 {"at least 90 %", fsq.usage.share >= 0.9 ? "yes" : "no",
                  vq.usage.share >= 0.9 ? "yes" : "no"},
                 {"perplexity", decimal(fsq.perplexity, 0), decimal(vq.perplexity, 0)},
                 {"squared error per number, trained on", decimal(fsq.error), decimal(vq.error)},
                 {"squared error per number, kept back", decimal(fsq.unseen), decimal(vq.unseen)},
                 {"auxiliary terms of the loss", "0", "2"},
                 {"numbers in the codebook that are trained", "0", "4000"}}});
}

void usage_plots(Report& report, const Trained& fsq, const Trained& vq, const Result& fsq_all,
                 const Result& vq_all) {
  report.plot("used.svg",
              line_chart({"Codes in use while training", "step", "% of 1000 codes",
                          "In the end " + decimal(fsq.used.y.back(), 0) + " % with FSQ and " +
                              decimal(vq.used.y.back(), 0) + " % with VQ."},
                         {fsq.used, vq.used}, {{"90 %", 90}}),
              "Counted over the last hundred batches, 25,600 tokens. Nothing makes FSQ use its "
              "codes but that it helps to reconstruct: this is a measurement of these pictures.");
  report.plot(
      "perplexity.svg",
      line_chart({"Perplexity while training", "step", "codes",
                  "In the end " + decimal(fsq.perplexity.y.back(), 0) + " with FSQ and " +
                      decimal(vq.perplexity.y.back(), 0) + " with VQ."},
                 {fsq.perplexity, vq.perplexity}),
      "The number of equally frequent codes that would be as uncertain, of the same tokens.");
  report.plot(
      "rank.svg",
      line_chart({"How often each code occurs", "code, the most frequent first", "tokens",
                  std::to_string(fsq_all.usage.used) + " codes occur with FSQ, " +
                      std::to_string(vq_all.usage.used) + " with VQ."},
                 {by_rank("FSQ", fsq_all.train), by_rank("VQ", vq_all.train)}, {}, {false, true}),
      "All tokens of the pictures trained on. A line ends where codes that never occur "
      "begin.");
  report.plot("error.svg",
              line_chart({"The error while training", "step", "squared error per number",
                          "Kept back: " + decimal(fsq_all.unseen) + " with FSQ, " +
                              decimal(vq_all.unseen) + " with VQ."},
                         {fsq.error, vq.error}, {}, {false, true}),
              "Same layers, same batches, same optimizer. On pictures kept back, FSQ reaches " +
                  decimal(fsq_all.unseen) + " and VQ " + decimal(vq_all.unseen) + ".");
}

/// The grid that the codes form in the first two dimensions, and what is rounded to it.
void cells(Report& report, const Model& model, const Matrix& x) {
  const Matrix z = encode(model, x), steps = fsq_bound(z, kLevels),
               codes = fsq_quantize(z, kLevels);
  Series bounded{"bounded latents", {}, {}}, rounded{"their codes", {}, {}};
  std::vector<Series> shares;
  for (std::size_t d = 0; d < kLevels.size(); ++d) {
    const auto half = level_geometry(kLevels[d]).half_width;
    shares.push_back({"dimension " + std::to_string(d) + ", L = " + std::to_string(kLevels[d]),
                      {},
                      std::vector<double>(static_cast<std::size_t>(kLevels[d]))});
    for (std::int64_t k = 0; k < kLevels[d]; ++k)
      shares[d].x.push_back(static_cast<double>(k - half));
    for (Index i = 0; i < codes.rows(); ++i) {
      const auto level = static_cast<std::int64_t>(
          std::rint(codes(i, static_cast<Index>(d)) * static_cast<float>(half)));
      shares[d].y.at(static_cast<std::size_t>(level + half)) +=
          100.0 / static_cast<double>(codes.rows());
    }
  }
  const float half0 = static_cast<float>(level_geometry(kLevels[0]).half_width),
              half1 = static_cast<float>(level_geometry(kLevels[1]).half_width);
  for (Index i = 0; i < std::min<Index>(z.rows(), 1500); ++i) {
    bounded.x.push_back(steps(i, 0));
    bounded.y.push_back(steps(i, 1));
    rounded.x.push_back(codes(i, 0) * half0);
    rounded.y.push_back(codes(i, 1) * half1);
  }
  report.plot(
      "cells.svg",
      scatter_plot({"Two of four dimensions", "dimension 0, in steps", "dimension 1, in steps",
                    "Latents of 1500 tokens after your fsq_bound, and the 8 x 5 grid of "
                    "integers that they are rounded to."},
                   {bounded, rounded}),
      "Cells of equal size in steps. Even L has no middle level: eight levels are the "
      "integers from -4 to 3, five are those from -2 to 2.");
  report.plot("levels.svg",
              line_chart({"What each level gets", "level, in steps", "% of the tokens",
                          "Share of every level of the four dimensions: 8, 5, 5 and 5 levels."},
                         shares),
              "Equally many would be 12.5 % of eight and 20 % of five. The cells are of one size; "
              "their contents need not be.");
}

void pictures(Report& report, const ImageSplit& data, const Model& model, const Result& fsq,
              const Result& vq) {
  const Index rows = std::min<Index>(3, data.test.x.rows() / 12);
  if (rows == 0) return;
  Matrix tiles(36 * rows, data.test.x.cols());
  for (Index r = 0; r < rows; ++r)
    tiles.middleRows(36 * r, 36) << data.test.x.middleRows(12 * r, 12),
        fsq.decoded.middleRows(12 * r, 12), vq.decoded.middleRows(12 * r, 12);
  report.picture(
      "reconstructions.png", tile_grid(tiles, data.test.shape, 12),
      "Triples of rows: pictures, and what FSQ and VQ made of them.",
      "Pictures neither has seen; below each, what came back through eight whole numbers "
      "below 1000, first with FSQ, then with VQ.");
  // Indices n, n + 1, ... differ in the digit of dimension 0, which counts by 1.
  Matrix changed(64, data.test.x.cols());
  for (Index token = 0; token < kTokens; ++token) {
    const auto at = static_cast<std::size_t>(token);
    const std::int64_t first = fsq.test[at] / 8 * 8;
    const Indices others = codes_to_index(implicit_codebook(kLevels, first, 8), kLevels);
    for (Index k = 0; k < 8; ++k) {
      Indices indices(fsq.test.begin(), fsq.test.begin() + kTokens);
      indices[at] = others[static_cast<std::size_t>(k)];
      changed.row(8 * token + k) = decode(model, indices);
    }
  }
  report.picture("tokens.png", tile_grid(changed, data.test.shape, 8),
                 "Eight rows of eight pictures: in each row, one token takes eight values.",
                 "The first picture kept back, one number changed: each row changes another of its "
                 "eight tokens, and the columns are the eight levels of that token's dimension 0.");
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  Report report("FSQ beside VQ", run);
  const ImageSplit data = images_for(run, 4096, 512);
  report.heading("Eight tokens of 1000 codes: " + data.train.name);
  report.paragraph("Levels 8, 5, 5, 5 make " + std::to_string(fsq_codebook_size(kLevels)) +
                   " codes; a picture is eight of them, " +
                   decimal(kTokens * bits_per_token(fsq_codebook_size(kLevels)), 1) + " bits.");
  const Trained fsq = train(run, "FSQ", data.train.x, true),
                vq = train(run, "VQ", data.train.x, false);
  const Result fsq_all = evaluate(fsq.model, data), vq_all = evaluate(vq.model, data);
  numbers(report, fsq_all, vq_all);
  pictures(report, data, fsq.model, fsq_all, vq_all);
  usage_plots(report, fsq, vq, fsq_all, vq_all);
  report.heading("The grid");
  cells(report, fsq.model, data.train.x);
  report.try_next(
      {"In labs/07_fsq/experiment.cpp, multiply the encoder_output weight of initial_model by 30: "
       "the tanh is flat out there. What becomes of the usage?",
       "Start the codebook with 0.001F instead of 0.5F, and again with 3.0F. How much of what VQ "
       "does depends on that?",
       "./lab run 7 --quick ends after 800 steps. Which of the two is ahead then, and why does FSQ "
       "have farther to go?",
       "./lab run 7 --data DIR with pictures of yours: MNIST's files, or a folder of small PNGs."});
  report.finish();
}

}  // namespace latent

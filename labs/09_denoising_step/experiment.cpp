// `./lab run 9`: latent diffusion from end to end. Your VAE of lab 04 makes the latents, your scale
// of lab 08 brings them to unit variance, a small network learns to denoise them, your steps of
// this lab turn noise into latents, and the VAE's decoder turns those into pictures.

#include "common/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/require.hpp"
#include "common/statistics.hpp"
#include "common/training.hpp"
#include "denoising_step.hpp"
#include "encode_decode.hpp"
#include "training_a_vae.hpp"

namespace latent {
namespace {

/// Streams of the seed: what is drawn for one purpose does not move what is drawn for another. Each
/// training step has a stream of its own, counted from these.
enum Stream : std::uint64_t {
  kVaeWeights = 1ULL << 40,
  kVaeSteps = 2ULL << 40,
  kDenoiserWeights = 3ULL << 40,
  kDenoiserSteps = 4ULL << 40,
  kPosterior = 5ULL << 40,
  kPrior = 6ULL << 40,
  kSampling = 7ULL << 40,
  kLabels = 8ULL << 40,
  kShown = 9ULL << 40
};

constexpr Index kLatent = 16, kHidden = 256, kTimes = 1000, kColumns = 12, kSteps = 50;
constexpr PredictionType kTrainedFor = PredictionType::kVelocity;  // what the denoiser learns
constexpr PredictionType kReadAs = kTrainedFor;                    // what your steps take it for

using Labels = std::vector<std::int64_t>;

Layer initial_layer(Index out, Index in, Random& random) {
  return {initial_weight(out, in, random), RowVector::Zero(out)};
}

// ---- the autoencoder ----------------------------------------------------------------------------

NamedTensors tensors_of(Vae& model) {
  return layers_by_name<Layer>({{"encoder_hidden", &model.encoder_hidden},
                                {"mu", &model.heads.mu},
                                {"log_var", &model.heads.log_var},
                                {"decoder_hidden", &model.decoder_hidden},
                                {"decoder_output", &model.decoder_output}});
}

/// A VAE whose decoder puts out logits of pixels. A beta below 1 spends more nats on sharpness;
/// what the latents then lack of a normal distribution is the denoiser's to learn.
Vae train_vae(Run& run, const Matrix& x) {
  constexpr Index kBatch = 64;
  constexpr double kBeta = 0.5, kRate = 2e-3;
  const std::int64_t steps = run.quick() ? 500 : 4'000;
  Random weights(run.seed(), kVaeWeights);
  const auto layer = [&](Index out, Index in) { return initial_layer(out, in, weights); };
  Vae model{layer(kHidden, x.cols()),
            {layer(kLatent, kHidden), layer(kLatent, kHidden)},
            layer(kHidden, kLatent),
            layer(x.cols(), kHidden)};
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {"vae", steps, kBatch, {"reconstruction", "kl"}}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), kVaeSteps + static_cast<std::uint64_t>(training.step()));
    const Matrix batch = random_rows(x, kBatch, random),
                 eps = random.normal_matrix(kBatch, kLatent);
    const VaePass pass = vae_forward(model, batch, eps);
    const Loss pixels = bce_with_logits(pass.x_hat, batch);
    const KlStandardNormal kl = kl_standard_normal(pass.q.mu, pass.q.log_var);
    const auto beta = static_cast<float>(kBeta);
    Vae gradient =
        vae_backward(model, batch, eps, pass, {pixels.gradient, beta * kl.mu, beta * kl.log_var});
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(gradient), training.step(),
              {.learning_rate = kRate * std::min(1.0, 1.5 * left)});
    training.record({pixels.value, kl.value});
  }
  return model;
}

/// Between pictures and the latents that the denoiser works in.
struct Codec {
  Vae vae;
  LatentScale scale;
};

/// Lab 08 moves tensors of four axes; here a latent is one row.
Tensor4 tensor_of(const Matrix& z) {
  Tensor4 tensor(z.rows(), z.cols(), 1, 1);
  std::copy(z.data(), z.data() + z.size(), tensor.data());
  return tensor;
}

/// scale_latents or unscale_latents.
using Move = Tensor4 (*)(const Tensor4&, const LatentScale&);

Matrix moved(const Matrix& z, const LatentScale& scale, Move move) {
  const Tensor4 to = move(tensor_of(z), scale);
  require(to.size() == z.size(),
          "expected " + std::to_string(z.size()) + " numbers to be moved, got " + shape_of(to));
  return Eigen::Map<const Matrix>(to.data(), z.rows(), z.cols());
}

/// The middles of the posteriors, in the denoiser's units.
Matrix encode(const Codec& codec, const Matrix& x) {
  const VaePass pass = vae_forward(codec.vae, x, Matrix::Zero(x.rows(), kLatent));
  return moved(pass.q.mu, codec.scale, scale_latents);
}

using Array = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Array sigmoid(const Matrix& x) {
  return (1.0F + (-x.array()).exp()).inverse();
}

/// From the VAE's own units, in which its prior is N(0, I).
Matrix decode_raw(const Vae& vae, const Matrix& z) {
  const Layer &hidden = vae.decoder_hidden, &output = vae.decoder_output;
  return sigmoid(linear_forward(tanh_forward(linear_forward(z, hidden.weight, hidden.bias)),
                                output.weight, output.bias));
}

Matrix decode(const Codec& codec, const Matrix& z) {
  return decode_raw(codec.vae, moved(z, codec.scale, unscale_latents));
}

// ---- the denoiser -------------------------------------------------------------------------------

/// Three hidden layers with SiLU after them, and one without.
struct Denoiser {
  Index classes = 0;
  std::vector<Layer> layers;
};

NamedTensors tensors_of(Denoiser& model) {
  std::vector<std::pair<std::string, Layer*>> named;
  for (Layer& layer : model.layers)
    named.emplace_back("layer" + std::to_string(named.size()), &layer);
  return layers_by_name(named);
}

constexpr Index kWaves = 4;

/// What the denoiser sees: the noisy latent, the time as sines and cosines, the label as a one
/// among zeros.
Matrix denoiser_input(const Matrix& x_t, const Labels& t, const Labels& labels, Index classes) {
  Matrix input = Matrix::Zero(x_t.rows(), x_t.cols() + 2 * kWaves + classes);
  input.leftCols(x_t.cols()) = x_t;
  for (Index i = 0; i < x_t.rows(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    double angle = 0.5 * std::numbers::pi * static_cast<double>(t[row]) / kTimes;
    for (Index k = 0; k < kWaves; ++k, angle *= 2.0) {
      input(i, x_t.cols() + 2 * k) = static_cast<float>(std::sin(angle));
      input(i, x_t.cols() + 2 * k + 1) = static_cast<float>(std::cos(angle));
    }
    if (labels[row] < classes) input(i, x_t.cols() + 2 * kWaves + labels[row]) = 1.0F;
  }
  return input;
}

/// What the backward pass needs again.
struct DenoiserPass {
  std::vector<Matrix> inputs;   ///< Of every layer.
  std::vector<Matrix> outputs;  ///< Of every layer, before the SiLU.
};

/// x sigmoid(x): nearly ReLU, without its corner. Tanh learns this task more slowly.
Matrix silu_forward(const Matrix& x) {
  return x.array() * sigmoid(x);
}

Matrix silu_backward(const Matrix& dy, const Matrix& x) {
  const Array s = sigmoid(x);
  return dy.array() * s * (1.0F + x.array() * (1.0F - s));
}

DenoiserPass forward(const Denoiser& model, const Matrix& input) {
  DenoiserPass pass;
  for (const Layer& layer : model.layers) {
    pass.inputs.push_back(pass.outputs.empty() ? input : silu_forward(pass.outputs.back()));
    pass.outputs.push_back(linear_forward(pass.inputs.back(), layer.weight, layer.bias));
  }
  return pass;
}

Denoiser backward(const Denoiser& model, const DenoiserPass& pass, Matrix dy) {
  Denoiser gradient = model;
  for (std::size_t i = model.layers.size(); i-- > 0;) {
    const LinearGradients layer = linear_backward(dy, pass.inputs[i], model.layers[i].weight);
    gradient.layers[i] = {layer.weight, layer.bias};
    if (i > 0) dy = silu_backward(layer.x, pass.outputs[i - 1]);
  }
  return gradient;
}

Denoiser initial_denoiser(Index classes, std::uint64_t seed) {
  constexpr Index kWidth = 256;
  Random random(seed, kDenoiserWeights);
  return {classes,
          {initial_layer(kWidth, kLatent + 2 * kWaves + classes, random),
           initial_layer(kWidth, kWidth, random), initial_layer(kWidth, kWidth, random),
           initial_layer(kLatent, kWidth, random)}};
}

/// A denoiser, and its loss on the way. Every step draws pictures, points of their posteriors,
/// noise and times afresh.
std::pair<Denoiser, Series> train_denoiser(Run& run, const Gaussian& posteriors, const Labels& all,
                                           const LatentScale& scale, const DoubleVector& a) {
  constexpr Index kBatch = 128;
  constexpr double kRate = 2e-3;
  const std::int64_t steps = run.quick() ? 800 : 12'000;
  const Index classes = *std::max_element(all.begin(), all.end()) + 1;
  Denoiser model = initial_denoiser(classes, run.seed());
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {"denoiser", steps, kBatch}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), kDenoiserSteps + static_cast<std::uint64_t>(training.step()));
    Gaussian q{Matrix(kBatch, kLatent), Matrix(kBatch, kLatent)};
    Labels t, labels;
    for (Index i = 0; i < kBatch; ++i) {
      const Index row = random.integer(0, posteriors.mu.rows() - 1);
      q.mu.row(i) = posteriors.mu.row(row);
      q.log_var.row(i) = posteriors.log_var.row(row);
      labels.push_back(all[static_cast<std::size_t>(row)]);
      t.push_back(random.integer(0, kTimes - 1));
    }
    const Matrix z = reparameterize(q.mu, q.log_var, random.normal_matrix(kBatch, kLatent));
    const DenoiserTask task = denoiser_task(kTrainedFor, moved(z, scale, scale_latents),
                                            random.normal_matrix(kBatch, kLatent), t, a, 0.0);
    const DenoiserPass pass = forward(model, denoiser_input(task.x_t, t, labels, classes));
    const DenoiserLoss loss = denoiser_loss(task, pass.outputs.back());
    Denoiser gradient = backward(model, pass, loss.gradient);
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(steps);
    adam.step(tensors_of(gradient), training.step(), {.learning_rate = kRate * left});
    training.record({loss.value});
  }
  return {model, training.curve(0, 200)};
}

// ---- the loop -----------------------------------------------------------------------------------

/// Everything that a loop needs but its start.
struct Pipeline {
  Codec codec;
  Denoiser denoiser;
  DoubleVector a;  ///< Of the schedule.

  /// What the denoiser puts out for rows that are all at the same time.
  Matrix output(const Matrix& x_t, std::int64_t t, const Labels& labels) const {
    const Labels times(labels.size(), t);
    return forward(denoiser, denoiser_input(x_t, times, labels, denoiser.classes)).outputs.back();
  }
};

/// x0 is kept within four standard deviations, further out than clean latents are.
const DdimOptions kDdim{.prediction = kReadAs, .clip = 4.0, .rederive_eps = true};
const DdpmOptions kDdpm{.prediction = kReadAs, .clip = 4.0};

SamplingSteps plan_of(std::int64_t steps) {
  return sampling_timesteps(TimestepSpacing::kTrailing, kTimes, steps, 0);
}

/// Where a loop arrived, and what it aimed at on the way.
struct Path {
  Matrix z;
  std::vector<Matrix> x0;
};

/// All of sampling: ask, step, and again. With DDPM's steps if there is fresh noise to be had, else
/// with DDIM's. What is skipped is the noisy end.
Path denoise(const Pipeline& pipe, Matrix x_t, const Labels& labels, const SamplingSteps& plan,
             Random* fresh, std::size_t skipped = 0) {
  Path path;
  const Matrix none = Matrix::Zero(x_t.rows(), x_t.cols());
  for (std::size_t i = skipped; i < plan.timesteps.size(); ++i) {
    const std::int64_t t = plan.timesteps[i], previous = plan.previous.at(i);
    const Matrix output = pipe.output(x_t, t, labels);
    const DenoisingStep step = fresh == nullptr
                                   ? ddim_step(x_t, output, t, previous, pipe.a, none, kDdim)
                                   : ddpm_step(x_t, output, t, previous, pipe.a,
                                               fresh->normal_matrix(x_t.rows(), x_t.cols()), kDdpm);
    x_t = step.prev;
    path.x0.push_back(step.x0);
  }
  path.z = x_t;
  return path;
}

/// Latents out of noise, from the same start for the same stream.
Path generate(const Pipeline& pipe, const Labels& labels, std::int64_t steps, Random random,
              bool ddpm = false) {
  const Matrix start = random.normal_matrix(std::ssize(labels), kLatent);
  return denoise(pipe, start, labels, plan_of(steps), ddpm ? &random : nullptr);
}

/// Labels as often as the data has them.
Labels drawn_labels(const Labels& all, Index count, std::uint64_t seed) {
  Random random(seed, kLabels);
  Labels drawn;
  for (Index i = 0; i < count; ++i)
    drawn.push_back(all[static_cast<std::size_t>(random.integer(0, std::ssize(all) - 1))]);
  return drawn;
}

// ---- one step, and all of them ------------------------------------------------------------------

/// One latent at several times: noisy, what the model says, what that means, where the step goes.
void dissect(Report& report, const Pipeline& pipe, const Dataset& data, std::uint64_t seed) {
  report.heading("One denoising step, taken apart");
  const Matrix z = encode(pipe.codec, data.x.topRows(1)),
               eps = Random(seed, kShown).normal_matrix(1, kLatent);
  const Labels times{50, 200, 350, 500, 650, 800, 950};
  std::vector<Matrix> rows(5, Matrix(std::ssize(times), kLatent));
  ReportTable table{"One latent, noised to time t, and a DDIM step to t - 50",
                    {"t", "a", "SNR", "|x_t|", "|output|", "|x0 meant - x0|", "|step|"},
                    {}};
  for (Index i = 0; i < std::ssize(times); ++i) {
    const std::int64_t t = times[static_cast<std::size_t>(i)];
    const double a = pipe.a(t);
    const Matrix x_t = add_noise(z, eps, {t}, pipe.a),
                 output = pipe.output(x_t, t, {data.labels.front()}),
                 x0 = convert_prediction(kReadAs, x_t, output, a).x0,
                 prev = ddim_step(x_t, output, t, t - 50, pipe.a, eps, kDdim).prev;
    const Matrix* const shown[] = {&z, &x_t, &output, &x0, &prev};
    for (std::size_t k = 0; k < rows.size(); ++k) rows[k].row(i) = *shown[k];
    const auto norm = [](const Matrix& x) { return decimal(double(x.norm()), 2); };
    table.rows.push_back({std::to_string(t), decimal(a), decimal(a / (1.0 - a)), norm(x_t),
                          norm(output), norm(x0 - z), norm(prev - x_t)});
  }
  report.table(table);
  report.picture(
      "step.png", tile_grid(decode(pipe.codec, stacked(rows)), data.shape, std::ssize(times)),
      "Five rows, one column for each t from 50 to 950: the clean latent, the noisy one, the "
      "model's output, the clean latent that the output means, and the result of a step.",
      "One picture's latent, all decoded; t is 50, 200, 350, 500, 650, 800, 950 from left to "
      "right. Rows: the clean latent; with noise; the model's output, a velocity, decoded as if it "
      "were a latent; the clean latent that it means, by your convert_prediction; where the step "
      "goes. It aims at the fourth row; |step| in the table says how far it goes.");
}

void watch_loop(Report& report, const Pipeline& pipe, const Dataset& data, std::uint64_t seed) {
  constexpr Index kPaths = 6;
  report.heading("All of them");
  const Path path = generate(pipe, drawn_labels(data.labels, kPaths, seed + 1), kColumns,
                             Random(seed, kShown + 1));
  Matrix tiles(kPaths * kColumns, data.x.cols());
  for (Index k = 0; k < std::ssize(path.x0); ++k) {
    const Matrix decoded = decode(pipe.codec, path.x0[static_cast<std::size_t>(k)]);
    for (Index i = 0; i < kPaths; ++i) tiles.row(i * kColumns + k) = decoded.row(i);
  }
  report.picture("loop.png", tile_grid(tiles, data.shape, kColumns),
                 "Six rows of twelve tiles: what each of twelve steps took for the clean latent.",
                 "Six samples on their way, in twelve DDIM steps from left to right: the decoded "
                 "x0 that each step aimed at. From noise alone the best guess is the mean latent "
                 "of a label; as the noise goes, one picture is left.");
}

/// A card to keep: where labels are few, each has columns of its own.
void show_card(Report& report, const Pipeline& pipe, const Dataset& data, std::uint64_t seed) {
  const Index classes = pipe.denoiser.classes, rows = 8;
  const Index columns = classes > kColumns ? kColumns : kColumns / classes * classes;
  Labels labels = drawn_labels(data.labels, rows * columns, seed + 2);
  for (Index i = 0; classes <= kColumns && i < std::ssize(labels); ++i)
    labels[static_cast<std::size_t>(i)] = i % columns * classes / columns;
  const Path path = generate(pipe, labels, kSteps, Random(seed, kShown + 2));
  report.picture("samples.png", tile_grid(decode(pipe.codec, path.z), data.shape, columns),
                 std::to_string(rows * columns) + " generated pictures.",
                 "Each from " + std::to_string(kLatent) + " random numbers and a label, by " +
                     std::to_string(kSteps) + " of your DDIM steps and the decoder.");
}

// ---- do they pass for data? ---------------------------------------------------------------------

struct Pictures {
  Matrix reconstructions;  ///< Of pictures that were kept back.
  Matrix prior;            ///< decode(N(0, I)): the VAE alone.
  Matrix samples;          ///< Of the diffusion.
};

/// The row of the data that is nearest to each sample.
Matrix nearest_rows(const Matrix& samples, const Matrix& data) {
  Matrix found(samples.rows(), samples.cols());
  for (Index i = 0; i < samples.rows(); ++i) {
    Index nearest = 0;
    (data.rowwise() - samples.row(i)).rowwise().squaredNorm().minCoeff(&nearest);
    found.row(i) = data.row(nearest);
  }
  return found;
}

void show_pictures(Report& report, const Pictures& all, const ImageSplit& data) {
  const Index shown = std::min({kColumns, data.test.x.rows(), all.samples.rows()});
  const auto top = [&](const Matrix& pictures) { return Matrix(pictures.topRows(shown)); };
  const Shape& shape = data.train.shape;
  report.picture(
      "compare.png",
      tile_grid(
          stacked({top(data.test.x), top(all.reconstructions), top(all.prior), top(all.samples)}),
          shape, shown),
      "Four rows: pictures, reconstructions, samples of the VAE alone, samples of the diffusion.",
      "Rows: pictures that were kept back; what the VAE makes of them; decode(N(0, I)), the VAE "
      "alone as a generator; the diffusion's samples, through the same decoder.");
  report.picture(
      "nearest.png",
      tile_grid(stacked({top(all.samples), nearest_rows(top(all.samples), data.train.x)}), shape,
                shown),
      "Two rows: samples, and below each the training picture nearest to it.",
      "Samples, and below each the nearest of " + std::to_string(data.train.x.rows()) +
          " training pictures. Alike or the same? The distances are below.");
}

/// What a decoder blurs lies nearer to everything, copies or not. Whether samples are copies is
/// seen where both sides went through it.
struct Decoded {
  double samples = 0.0;   ///< Median distance from a sample to the nearest decoded picture.
  double pictures = 0.0;  ///< The same among decoded training pictures. A copy is at 0.
};

Decoded decoded_distances(const Matrix& samples, const Matrix& decoded) {
  const Index rows = std::min<Index>(1000, decoded.rows());
  return {median(nearest_distances(samples, decoded)),
          median(nearest_distances(decoded.topRows(rows), decoded, true))};
}

void table_of_quality(Report& report, const SampleRuler& ruler, const Pictures& all,
                      const Matrix& kept) {
  ReportTable table{"How near they come to the training pictures; distances in pixel values",
                    {"", "Frechet distance", "confidence", "nearest, median"},
                    {}};
  for (const auto& [name, pictures] : {std::pair("pictures kept back", &kept),
                                       {"their reconstructions", &all.reconstructions},
                                       {"the VAE alone, decode(N(0, I))", &all.prior},
                                       {"the diffusion's samples", &all.samples}}) {
    const SampleQuality q = ruler.measure(*pictures, all.reconstructions);
    table.rows.push_back(
        {name, decimal(q.frechet), decimal(q.confidence, 3), decimal(q.nearest, 3)});
  }
  report.table(table);
}

void table_of_targets(Report& report, const SampleQuality& q, const Decoded& decoded) {
  const auto row = [](const std::string& name, const std::string& wanted, double value, bool met) {
    return std::vector<std::string>{name, wanted, decimal(value, 3), met ? "yes" : "no"};
  };
  const double ratio = q.frechet / q.frechet_reconstructions;
  report.table(
      {"Do the samples pass for data?",
       {"", "wanted", "measured", "met"},
       {row("Frechet distance / that of reconstructions", "at most 3", ratio, ratio <= 3.0),
        row("confidence of a classifier that is right for " + decimal(100.0 * q.accuracy, 1) +
                " % of pictures kept back",
            "at least 0.8", q.confidence, q.confidence >= 0.8),
        row("nearest training picture, median, against that among training pictures",
            "at least " + decimal(q.nearest_data, 3), q.nearest, q.nearest >= q.nearest_data),
        row("the same, with the training pictures decoded, too",
            "at least " + decimal(decoded.pictures, 3), decoded.samples,
            decoded.samples >= decoded.pictures)}});
  report.paragraph(
      "The first is easy where pictures kept back differ from the others, which their row above "
      "tells. The last two ask whether samples are copies. A decoder that blurs brings everything "
      "nearer to the data, reconstructions of pictures kept back, too, so the third can fail "
      "without a copy. The fourth compares like with like: a copied latent would be at distance "
      "0.");
}

void sweep_steps(Report& report, const SampleRuler& ruler, const Pipeline& pipe,
                 const Labels& labels, double reconstructions, std::uint64_t seed) {
  Series ddim{"DDIM", {}, {}}, ddpm{"DDPM", {}, {}};
  ReportTable table{"Frechet distance by number of steps", {"steps", "DDIM", "DDPM"}, {}};
  for (const std::int64_t steps : {2, 5, 10, 25, 50, 100}) {
    for (Series* curve : {&ddim, &ddpm}) {
      const Path path = generate(pipe, labels, steps, Random(seed, kSampling), curve == &ddpm);
      curve->x.push_back(static_cast<double>(steps));
      curve->y.push_back(ruler.frechet(decode(pipe.codec, path.z)));
    }
    table.rows.push_back({std::to_string(steps), decimal(ddim.y.back()), decimal(ddpm.y.back())});
  }
  report.table(table);
  const auto words = [](const Series& s) {
    return s.name + " goes from " + decimal(s.y.front()) + " to " + decimal(s.y.back());
  };
  report.plot("steps.svg",
              line_chart({"How many steps?", "steps", "Frechet distance to the data",
                          "From 2 to 100 steps " + words(ddim) + ", " + words(ddpm) + "."},
                         {ddim, ddpm}, {{"reconstructions", reconstructions}}, {true, true}),
              "The same denoiser, asked more or less often. Lower is nearer to the data.");
}

/// Pictures that are noised part of the way, and denoised with the label after their own.
void image_to_image(Report& report, const Pipeline& pipe, const Dataset& data, std::uint64_t seed) {
  report.heading("From image to image");
  const Index shown = std::min(kColumns, data.x.rows());
  const Matrix z = encode(pipe.codec, data.x.topRows(shown));
  const Matrix eps = Random(seed, kShown + 3).normal_matrix(shown, kLatent);
  Labels wanted;
  for (Index i = 0; i < shown; ++i)
    wanted.push_back((data.labels[static_cast<std::size_t>(i)] + 1) % pipe.denoiser.classes);
  const SamplingSteps plan = plan_of(kSteps);
  std::vector<Matrix> tiles{data.x.topRows(shown), decode(pipe.codec, z)};
  ReportTable table{
      "How far the pictures move", {"strength", "from t", "squared difference per pixel"}, {}};
  for (const int tenths : {2, 4, 6, 8, 10}) {
    const auto skipped = static_cast<std::size_t>(kSteps * (10 - tenths) / 10);
    const std::int64_t t = plan.timesteps.at(skipped);
    const Matrix x_t = add_noise(z, eps, Labels(wanted.size(), t), pipe.a);
    tiles.push_back(decode(pipe.codec, denoise(pipe, x_t, wanted, plan, nullptr, skipped).z));
    const double moved_by = double((tiles.back() - tiles[1]).array().square().mean());
    table.rows.push_back({decimal(0.1 * tenths, 1), std::to_string(t), decimal(moved_by)});
  }
  report.table(table);
  report.picture("img2img.png", tile_grid(stacked(tiles), data.shape, shown),
                 "Seven rows: pictures, their reconstructions, and five strengths from 0.2 to 1.",
                 "Rows: pictures kept back, their reconstructions, then noised with strength 0.2, "
                 "0.4, 0.6, 0.8, 1 and denoised with the label after their own. From which row on "
                 "does the label win, and what of the picture is left there?");
}

void show_training(Report& report, const LatentScale& scale, const Series& losses) {
  report.table({"Between VAE and denoiser",
                {"", "value"},
                {{"standard deviation of the latents", decimal(1.0 / scale.scale)},
                 {"scale, by your fit_latent_scale", decimal(scale.scale)}}});
  report.plot("loss.svg",
              line_chart({"The denoiser's loss while training", "step", "squared error per number",
                          "The loss goes from " + decimal(losses.y.front()) + " to " +
                              decimal(losses.y.back()) + "."},
                         {losses}, {{"saying 0", 1.0}}),
              "Latents and noise have variance 1, and so has their velocity: saying 0 would cost "
              "1. No network gets to 0, since what the noise hides cannot be known.");
}

/// A VAE, the scale of its latents, and a denoiser for them.
Pipeline train(Run& run, Report& report, const Dataset& data) {
  Pipeline pipe;
  pipe.a = cumulative_alphas(make_betas(BetaSchedule::kCosine, kTimes, 1e-4, 0.02));
  pipe.codec.vae = train_vae(run, data.x);
  Random posterior(run.seed(), kPosterior);
  const VaePass pass =
      vae_forward(pipe.codec.vae, data.x, posterior.normal_matrix(data.x.rows(), kLatent));
  pipe.codec.scale = fit_latent_scale(tensor_of(pass.z));
  Series losses;
  std::tie(pipe.denoiser, losses) =
      train_denoiser(run, pass.q, data.labels, pipe.codec.scale, pipe.a);
  show_training(report, pipe.codec.scale, losses);
  return pipe;
}

/// Pictures from the pipeline beside those of the data, and figures for both.
void compare(Run& run, Report& report, const Pipeline& pipe, const ImageSplit& data) {
  const std::uint64_t seed = run.seed();
  report.heading("Do they pass for data?");
  const Index count = std::min<Index>(run.quick() ? 250 : 1000, data.test.x.rows());
  const Labels labels = drawn_labels(data.train.labels, count, seed);
  const Pictures all{decode(pipe.codec, encode(pipe.codec, data.test.x.topRows(count))),
                     decode_raw(pipe.codec.vae, Random(seed, kPrior).normal_matrix(count, kLatent)),
                     decode(pipe.codec, generate(pipe, labels, kSteps, Random(seed, kSampling)).z)};
  show_pictures(report, all, data);
  const SampleRuler ruler(data, seed, run.quick() ? 1000 : 4000);
  table_of_quality(report, ruler, all, data.test.x.topRows(count));
  table_of_targets(
      report, ruler.measure(all.samples, all.reconstructions),
      decoded_distances(all.samples, decode(pipe.codec, encode(pipe.codec, data.train.x))));
  sweep_steps(report, ruler, pipe, labels, ruler.frechet(all.reconstructions), seed);
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  Report report("Latent diffusion, from end to end", run);
  const ImageSplit data = images_for(run, run.quick() ? 2048 : 8192, run.quick() ? 512 : 2048);
  report.heading("A VAE, and a denoiser in its latents: " + data.train.name);
  const Pipeline pipe = train(run, report, data.train);
  dissect(report, pipe, data.test, run.seed());
  watch_loop(report, pipe, data.train, run.seed());
  show_card(report, pipe, data.train, run.seed());
  compare(run, report, pipe, data);
  image_to_image(report, pipe, data.test, run.seed());
  report.try_next(
      {"./lab run 9 --data DIR, with MNIST's files in DIR: samples.png has a column for each "
       "digit, and img2img.png asks each digit for the next one.",
       "In labs/09_denoising_step/experiment.cpp, set kReadAs to PredictionType::kEpsilon. Nothing "
       "complains; which rows of step.png give it away?",
       "Put LatentScale{5.0, 0.0} in place of fit_latent_scale(...), as if it were another VAE's: "
       "what becomes of samples.png and of the Frechet distance?",
       "Set kBeta in train_vae to 5, then to 0.05: which of the two generators gains, the VAE "
       "alone or the diffusion?",
       "Set kSteps to 5. What is wrong with samples.png now?"});
  report.finish();
}

}  // namespace latent

// `./lab run 10`: pictures become tokens, a small model of token sequences makes up new ones, clips
// are coded frame by frame and causally, and designs are sent their bill.

#include "common/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autoencoder.hpp"
#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/statistics.hpp"
#include "common/training.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

/// Streams of the seed, one per purpose; of a training, one per step.
enum Stream : std::uint64_t {
  kWeights = 1ULL << 40,
  kStages = 2ULL << 40,
  kTokenizerSteps = 3ULL << 40,
  kPriorSteps = 4ULL << 40,
  kSamples = 5ULL << 40,
  kClipSteps = 6ULL << 40
};

constexpr std::uint64_t kUnseen = 0x5DEECE66DULL;  // added to the seed: data that is kept back
constexpr Index kStageCount = 12, kCodes = 64, kWidth = 32, kShown = 12;

std::string yes_no(bool met) {
  return met ? "yes" : "no";
}

// ---- two layers ---------------------------------------------------------------------------------

/// Linear, tanh, linear: encoder, decoder and prior are one each.
struct Net {
  Layer hidden, output;
};

struct NetPass {
  Matrix hidden, output;
};

struct NetGradient {
  Matrix x;
  Net net;
};

Layer initial_layer(Index out, Index in, Random& random) {
  return {initial_weight(out, in, random), RowVector::Zero(out)};
}

NetPass forward(const Net& net, const Matrix& x) {
  const Matrix hidden = tanh_forward(linear_forward(x, net.hidden.weight, net.hidden.bias));
  return {hidden, linear_forward(hidden, net.output.weight, net.output.bias)};
}

NetGradient backward(const Net& net, const Matrix& x, const NetPass& pass, const Matrix& dy) {
  const LinearGradients output = linear_backward(dy, pass.hidden, net.output.weight);
  const LinearGradients hidden =
      linear_backward(tanh_backward(output.x, pass.hidden), x, net.hidden.weight);
  return {hidden.x, {{hidden.weight, hidden.bias}, {output.weight, output.bias}}};
}

void append(NamedTensors& all, const std::string& name, Layer& layer) {
  all.push_back({name + ".weight", &layer.weight});
  all.push_back({name + ".bias", &layer.bias});
}

void append(NamedTensors& all, const std::string& name, Net& net) {
  append(all, name + ".hidden", net.hidden);
  append(all, name + ".output", net.output);
}

/// From full to zero: large steps first, or the noise of the batches keeps it from settling.
double rate_at(double rate, const Training& training, std::int64_t steps) {
  return rate * (1.0 - double(training.step() - 1) / static_cast<double>(steps));
}

// ---- a tokenizer --------------------------------------------------------------------------------

struct Tokenizer {
  Net encoder, decoder;
  std::vector<RvqStage> stages;
};

NamedTensors nets_of(Tokenizer& model) {
  NamedTensors all;
  append(all, "encoder", model.encoder);
  append(all, "decoder", model.decoder);
  return all;
}

NamedTensors codes_of(Tokenizer& model) {
  NamedTensors all;
  for (std::size_t q = 0; q < model.stages.size(); ++q)
    all.push_back({"stage" + std::to_string(q), &model.stages[q].codebook});
  return all;
}

/// k-means, stage by stage: each stage is fitted to what the ones before have left.
std::vector<RvqStage> fit_stages(Matrix x, Index stages, Index codes, int rounds, Random& random) {
  std::vector<RvqStage> fitted;
  for (Index q = 0; q < stages; ++q) {
    RvqStage stage{random_rows(x, codes, random)};
    for (int round = 0; round < rounds; ++round) {
      const RvqIndices near = residual_quantize(x, {stage}).indices;
      Matrix sum = Matrix::Zero(codes, x.cols());
      DoubleVector count = DoubleVector::Zero(codes);
      for (Index n = 0; n < x.rows(); ++n) {
        sum.row(near(n, 0)) += x.row(n);
        count(near(n, 0)) += 1.0;
      }
      for (Index k = 0; k < codes; ++k)
        if (count(k) > 0.0) stage.codebook.row(k) = sum.row(k) / static_cast<float>(count(k));
    }
    x -= residual_quantize(x, {stage}).quantized;
    fitted.push_back(stage);
  }
  return fitted;
}

struct TokenizerGradient {
  double loss = 0.0;
  Tokenizer model;
};

/// One pass there and back. Most rows keep all of their tokens, the others the first few, so that a
/// decoder learns to make do with any number of them. Without `quantized` z passes as it is.
TokenizerGradient tokenizer_gradients(const Tokenizer& model, const Matrix& x, bool quantized,
                                      Random& random) {
  const NetPass encoded = forward(model.encoder, x);
  const Matrix& z = encoded.output;
  const RvqIndices all = quantized ? residual_quantize(z, model.stages).indices : RvqIndices();
  RvqIndices kept = all;
  for (Index n = 0; n < kept.rows(); ++n)
    if (random.uniform() < 0.15)
      kept.row(n).tail(random.integer(0, kStageCount - 1)).setConstant(-1);
  const Matrix z_q = quantized ? rvq_decode(kept, model.stages, kStageCount) : z;
  const NetPass decoded = forward(model.decoder, z_q);
  const Loss loss = mse_loss(decoded.output, x, Reduction::kBatchMean);
  NetGradient decoder = backward(model.decoder, z_q, decoded, loss.gradient);
  TokenizerGradient gradient{loss.value, {{}, decoder.net, model.stages}};
  if (quantized) {
    const RvqGradients back = rvq_backward(decoder.x, z, model.stages, all, 0.25);
    for (std::size_t q = 0; q < back.stages.size(); ++q)
      gradient.model.stages.at(q).codebook = back.stages[q].codebook;
    decoder.x = back.x;
  }
  gradient.model.encoder = backward(model.encoder, x, encoded, decoder.x).net;
  return gradient;
}

/// First an autoencoder; then its latents are given codes, and all of it learns on.
Tokenizer train_tokenizer(Run& run, const Matrix& x) {
  constexpr Index kHidden = 128, kBatch = 128;
  const std::int64_t steps = run.quick() ? 600 : 7'500, warm = steps / 4;
  Random weights(run.seed(), kWeights);
  Tokenizer model{
      {initial_layer(kHidden, x.cols(), weights), initial_layer(kWidth, kHidden, weights)},
      {initial_layer(kHidden, kWidth, weights), initial_layer(x.cols(), kHidden, weights)},
      std::vector<RvqStage>(kStageCount, {Matrix::Zero(kCodes, kWidth)})};
  Optimizer adam(adam_step, nets_of(model)), codes(adam_step, codes_of(model));
  NamedTensors tensors = adam.tensors();
  for (const NamedTensor& tensor : codes.tensors()) tensors.push_back(tensor);
  Training training(run, {"tokenizer", steps, kBatch}, tensors);
  while (training.next()) {
    Random random(run.seed(), kTokenizerSteps + static_cast<std::uint64_t>(training.step()));
    const std::int64_t quantized = training.step() - warm;  // steps with codes, this one included
    if (quantized == 1) {
      Random choice(run.seed(), kStages);
      const auto fitted = fit_stages(forward(model.encoder, random_rows(x, 2048, choice)).output,
                                     kStageCount, kCodes, 5, choice);
      // In place: the optimizer has their addresses.
      std::copy(fitted.begin(), fitted.end(), model.stages.begin());
    }
    TokenizerGradient pass =
        tokenizer_gradients(model, random_rows(x, kBatch, random), quantized > 0, random);
    const double rate = rate_at(3e-3, training, steps);
    adam.step(nets_of(pass.model), training.step(), {.learning_rate = rate});
    if (quantized > 0) codes.step(codes_of(pass.model), quantized, {.learning_rate = rate});
    training.record({pass.loss / static_cast<double>(x.cols())});
  }
  return model;
}

RvqOutput tokens_of(const Tokenizer& model, const Matrix& x) {
  return residual_quantize(forward(model.encoder, x).output, model.stages);
}

/// The picture that the first `used` tokens of each row stand for.
Matrix decode(const Tokenizer& model, const RvqIndices& tokens, Index used = kStageCount) {
  return forward(model.decoder, rvq_decode(tokens, model.stages, used)).output;
}

// ---- pictures as tokens -------------------------------------------------------------------------

/// A column per picture, a row per stage, a colour per token.
Image token_map(const RvqIndices& tokens) {
  constexpr Index kSide = 8, kArea = kSide * kSide;
  Matrix tiles(tokens.size(), 3 * kArea);
  for (Index q = 0; q < tokens.cols(); ++q) {
    for (Index n = 0; n < tokens.rows(); ++n) {
      for (Index c = 0; c < 3; ++c) {
        const double hue = 0.618034 * static_cast<double>(tokens(n, q)) + double(c) / 3.0;
        tiles.row(q * tokens.rows() + n)
            .segment(c * kArea, kArea)
            .setConstant(static_cast<float>(0.55 + 0.4 * std::cos(2.0 * 3.14159265 * hue)));
      }
    }
  }
  return tile_grid(tiles, {3, kSide, kSide}, tokens.rows());
}

void show_stages(Report& report, const Tokenizer& model, const Dataset& unseen) {
  const Matrix x = unseen.x.topRows(std::min<Index>(kShown, unseen.x.rows()));
  const RvqOutput tokens = tokens_of(model, x);
  std::vector<std::vector<std::string>> rows;
  Matrix tiles(7 * x.rows(), x.cols());
  tiles.topRows(x.rows()) = x;
  Index row = 0;
  for (const Index used : {1, 2, 3, 5, 8, 12})
    tiles.middleRows(++row * x.rows(), x.rows()) = decode(model, tokens.indices, used);
  for (Index q = 0; q < kStageCount; ++q) {
    const Matrix first = decode(model, tokens.indices, q + 1).topRows(1);
    rows.push_back({std::to_string(q + 1), std::to_string(tokens.indices(0, q)),
                    decimal(double(tokens.residual_norms(0, q)), 3),
                    decimal(mse_loss(first, x.topRows(1), Reduction::kMean).value)});
  }
  report.table({"The first picture below as a column of tokens",
                {"stage", "token", "left of z", "error so far"},
                rows});
  report.picture("stages.png", tile_grid(tiles, unseen.shape, x.rows()),
                 "Seven rows: pictures, and what 1, 2, 3, 5, 8 and 12 tokens each decode to.",
                 "Pictures it never saw, and below each what 1, 2, 3, 5, 8 and 12 of its tokens "
                 "decode to. One decoder makes all of them.");
  report.picture("tokens.png", token_map(tokens.indices),
                 "A column of twelve colours for each picture.",
                 "The same pictures as tokens: a column per picture, a row per stage, the same "
                 "colour in a row for the same token. This is all that the decoder is given.");
}

void measure_stages(Report& report, const Tokenizer& model, const ImageSplit& data) {
  const RvqOutput seen = tokens_of(model, data.train.x), unseen = tokens_of(model, data.test.x);
  std::vector<std::vector<std::string>> rows;
  Series curve{"pictures it never saw", {}, {}};
  bool falls = true;
  for (Index q = 0; q < kStageCount; ++q) {
    const double error =
        mse_loss(decode(model, unseen.indices, q + 1), data.test.x, Reduction::kMean).value;
    std::vector<int> count(kCodes, 0);
    for (Index n = 0; n < seen.indices.rows(); ++n)
      ++count.at(static_cast<std::size_t>(seen.indices(n, q)));
    const auto used = kCodes - std::count(count.begin(), count.end(), 0);
    falls = falls && (curve.y.empty() || error < curve.y.back());
    curve.x.push_back(double(q + 1));
    curve.y.push_back(error);
    rows.push_back({std::to_string(q + 1), decimal(bits_per_token(kCodes) * double(q + 1), 0),
                    decimal(error), std::to_string(used) + " of " + std::to_string(kCodes)});
  }
  report.table({"Mean squared error per pixel by the number of tokens used",
                {"tokens", "bits", "error", "codes of this stage in use"},
                rows});
  report.table({"Stage by stage",
                {"target", "measured", "met"},
                {{"less error with every further token",
                  decimal(curve.y.front()) + " to " + decimal(curve.y.back()), yes_no(falls)}}});
  report.plot(
      "error.svg",
      line_chart({"Error by the number of tokens", "tokens used", "squared error per pixel",
                  "From " + decimal(curve.y.front()) + " with one token to " +
                      decimal(curve.y.back()) + " with all."},
                 {curve}, {{"PCA, 8 numbers", pca_residual(data.train.x, 8)}}, {false, true}),
      "Dashed: what eight principal components leave over. Those are real numbers, 256 bits as "
      "floats.");
}

// ---- tables of one size, on eight numbers -------------------------------------------------------

void equal_tables(Run& run, Report& report) {
  report.heading("Eight numbers: three tables of 8 against one of 24");
  const Matrix x = mixture8(run.seed(), 4096).x, unseen = mixture8(run.seed() + kUnseen, 4096).x;
  Random random(run.seed(), kStages);
  const int rounds = run.quick() ? 10 : 30;
  const std::vector<RvqStage> residual = fit_stages(x, 3, 8, rounds, random),
                              flat = fit_stages(x, 1, 24, rounds, random);
  const auto error = [&](const std::vector<RvqStage>& stages, Index used) {
    const RvqIndices tokens = residual_quantize(unseen, stages).indices;
    return mse_loss(rvq_decode(tokens, stages, used), unseen, Reduction::kMean).value;
  };
  const double three = error(residual, 3), one = error(flat, 1);
  report.table(
      {"Mean squared error per number, on data that no table was fitted to",
       {"", "bits", "codes stored", "error"},
       {{"one table of 24", decimal(bits_per_token(24), 2), "24", decimal(one)},
        {"1 of 3 tables of 8", decimal(bits_per_token(8), 2), "8", decimal(error(residual, 1))},
        {"2 of 3", decimal(2 * bits_per_token(8), 2), "16", decimal(error(residual, 2))},
        {"3 of 3", decimal(3 * bits_per_token(8), 2), "24", decimal(three)}}});
  report.table({"At equal size of the tables",
                {"target", "measured", "met"},
                {{"three of 8 below one of 24", decimal(three / one, 3) + " of its error",
                  yes_no(three < one)}}});
}

// ---- a prior over tokens ------------------------------------------------------------------------

/// One network per stage: from what the tokens so far decode to, how likely each next token is.
using Prior = std::vector<Net>;

NamedTensors tensors_of(Prior& prior) {
  NamedTensors all;
  for (std::size_t q = 0; q < prior.size(); ++q) append(all, "stage" + std::to_string(q), prior[q]);
  return all;
}

/// The sum of the codes so far, which is where in the latent the picture lies, roughly at first.
Matrix so_far(const RvqIndices& tokens, const std::vector<RvqStage>& stages, Index count) {
  return count == 0 ? Matrix::Zero(tokens.rows(), kWidth).eval()
                    : rvq_decode(tokens, stages, count);
}

Matrix softmax(Matrix logits) {
  logits.colwise() -= logits.rowwise().maxCoeff().eval();
  logits = logits.array().exp();
  return logits.array().colwise() / logits.rowwise().sum().array().eval();
}

Prior train_prior(Run& run, const std::vector<RvqStage>& stages, const RvqIndices& tokens) {
  constexpr Index kHidden = 128, kBatch = 128;
  const std::int64_t steps = run.quick() ? 150 : 300;
  Random weights(run.seed(), kWeights + 1);
  Prior prior;
  for (Index q = 0; q < kStageCount; ++q)
    prior.push_back({initial_layer(kHidden, kWidth, weights),
                     {Matrix::Zero(kCodes, kHidden), RowVector::Zero(kCodes)}});
  Optimizer adam(adam_step, tensors_of(prior));
  Training training(run, {"prior", steps, kBatch, {"bits"}}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), kPriorSteps + static_cast<std::uint64_t>(training.step()));
    RvqIndices batch(kBatch, kStageCount);
    for (Index n = 0; n < kBatch; ++n)
      batch.row(n) = tokens.row(random.integer(0, tokens.rows() - 1));
    Prior gradient;
    double nats = 0.0;
    for (Index q = 0; q < kStageCount; ++q) {
      const Net& net = prior[static_cast<std::size_t>(q)];
      const Matrix x = so_far(batch, stages, q);
      const NetPass pass = forward(net, x);
      Matrix error = softmax(pass.output);  // minus the truth: the gradient of the cross entropy
      for (Index n = 0; n < kBatch; ++n) {
        nats -= std::log(double(error(n, batch(n, q))) + 1e-30) / kBatch;
        error(n, batch(n, q)) -= 1.0F;
      }
      gradient.push_back(backward(net, x, pass, error / static_cast<float>(kBatch)).net);
    }
    adam.step(tensors_of(gradient), training.step(),
              {.learning_rate = rate_at(3e-3, training, steps)});
    training.record({nats / std::log(2.0) / kStageCount});
  }
  return prior;
}

/// What each token costs a coder that knows the prior, mean over pictures, by stage.
std::vector<double> bits_by_stage(const Prior& prior, const std::vector<RvqStage>& stages,
                                  const RvqIndices& tokens) {
  std::vector<double> bits;
  for (Index q = 0; q < kStageCount; ++q) {
    const Matrix p =
        softmax(forward(prior[static_cast<std::size_t>(q)], so_far(tokens, stages, q)).output);
    double sum = 0.0;
    for (Index n = 0; n < tokens.rows(); ++n) sum -= std::log2(double(p(n, tokens(n, q))) + 1e-30);
    bits.push_back(sum / static_cast<double>(tokens.rows()));
  }
  return bits;
}

/// New sequences, token by token. Without a prior every token is equally likely.
RvqIndices sample_tokens(const Prior* prior, const std::vector<RvqStage>& stages, Index count,
                         Random& random) {
  RvqIndices tokens = RvqIndices::Zero(count, kStageCount);
  for (Index q = 0; q < kStageCount; ++q) {
    const Matrix p =
        prior == nullptr
            ? Matrix::Constant(count, kCodes, 1.0F / kCodes).eval()
            : softmax(
                  forward((*prior)[static_cast<std::size_t>(q)], so_far(tokens, stages, q)).output);
    for (Index n = 0; n < count; ++n) {
      double left = random.uniform();
      while (tokens(n, q) + 1 < kCodes && (left -= double(p(n, tokens(n, q)))) >= 0.0)
        ++tokens(n, q);
    }
  }
  return tokens;
}

Matrix nearest_pictures(const Matrix& points, const Matrix& data) {
  Matrix found(points.rows(), data.cols());
  for (Index i = 0; i < points.rows(); ++i) {
    Index nearest = 0;
    (data.rowwise() - points.row(i)).rowwise().squaredNorm().minCoeff(&nearest);
    found.row(i) = data.row(nearest);
  }
  return found;
}

void show_samples(Report& report, const ImageSplit& data, const Matrix& restored,
                  const Matrix& samples, const Matrix& uniform) {
  const Index shown = std::min<Index>(kShown, restored.rows());
  Matrix tiles(5 * shown, samples.cols());
  tiles << restored.topRows(shown), samples.topRows(3 * shown), uniform.topRows(shown);
  report.picture("samples.png", tile_grid(tiles, data.train.shape, shown),
                 "Five rows: reconstructions, three rows of samples, pictures of random tokens.",
                 "First row: pictures it never saw, after their tokens. Rows two to four: token "
                 "sequences that the prior made up. Last row: sequences of random tokens.");
  Matrix pairs(2 * shown, samples.cols());
  pairs << samples.topRows(shown), nearest_pictures(samples.topRows(shown), data.train.x);
  report.picture("neighbours.png", tile_grid(pairs, data.train.shape, shown),
                 "Two rows: samples, and below each the nearest training picture.",
                 "The first samples again, and below each the nearest of all training pictures.");
}

void show_bits(Report& report, const std::vector<double>& seen, const std::vector<double>& unseen) {
  const double uniform = bits_per_token(kCodes);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t q = 0; q < seen.size(); ++q)
    rows.push_back(
        {std::to_string(q + 1), decimal(seen[q], 2), decimal(unseen[q], 2), decimal(uniform, 2)});
  rows.push_back({"a picture", decimal(std::accumulate(seen.begin(), seen.end(), 0.0), 1),
                  decimal(std::accumulate(unseen.begin(), unseen.end(), 0.0), 1),
                  decimal(uniform * kStageCount, 1)});
  report.table({"Bits per token under the prior, and without one",
                {"token", "trained on", "never seen", "uniform"},
                rows});
}

void measure_samples(Run& run, Report& report, const ImageSplit& data, const Matrix& restored,
                     const Matrix& samples, const Matrix& uniform) {
  const SampleRuler ruler(data, run.seed(), run.quick() ? 1000 : 4000);
  const SampleQuality of = ruler.measure(samples, restored),
                      contrast = ruler.measure(uniform, restored);
  const double frechet = 3.0 * of.frechet_reconstructions;
  report.table(
      {"Samples against their targets; a Frechet distance is from the training pictures",
       {"", "target", "samples", "met", "random tokens"},
       {{"Frechet, at most 3 x reconstructions'", decimal(frechet, 3), decimal(of.frechet, 3),
         yes_no(of.frechet <= frechet), decimal(contrast.frechet, 3)},
        {"a classifier's confidence, at least", "0.800", decimal(of.confidence, 3),
         yes_no(of.confidence >= 0.8), decimal(contrast.confidence, 3)},
        {"distance to the nearest, at least data's", decimal(of.nearest_data, 3),
         decimal(of.nearest, 3), yes_no(of.nearest >= of.nearest_data),
         decimal(contrast.nearest, 3)},
        {"Frechet, below that of random tokens", decimal(contrast.frechet, 3),
         decimal(of.frechet, 3), yes_no(of.frechet < contrast.frechet),
         decimal(contrast.frechet, 3)}}});
  report.table(
      {"To compare with",
       {"", "measured"},
       {{"Frechet distance of the reconstructions", decimal(of.frechet_reconstructions, 3)},
        {"and of as many pictures kept back, as they are",
         decimal(ruler.frechet(data.test.x.topRows(restored.rows())), 3)},
        {"distance of the reconstructions to the nearest",
         decimal(median(nearest_distances(restored, data.train.x)), 3)},
        {"the classifier's confidence on pictures kept back", decimal(of.confidence_data, 3)},
        {"how often it is right on them", decimal(of.accuracy, 3)}}});
}

void generate(Run& run, Report& report, const Tokenizer& model, const ImageSplit& data) {
  report.heading("New pictures from a prior over tokens");
  const RvqIndices seen = tokens_of(model, data.train.x).indices;
  const Index kept_back = std::min<Index>(run.quick() ? 256 : 1024, data.test.x.rows());
  const RvqIndices unseen = tokens_of(model, data.test.x.topRows(kept_back)).indices;
  const Prior prior = train_prior(run, model.stages, seen);
  show_bits(report, bits_by_stage(prior, model.stages, seen),
            bits_by_stage(prior, model.stages, unseen));
  Random random(run.seed(), kSamples);
  const Index count = std::max<Index>(unseen.rows(), 3 * kShown);
  const Matrix restored = decode(model, unseen),
               samples = decode(model, sample_tokens(&prior, model.stages, count, random)),
               uniform = decode(model, sample_tokens(nullptr, model.stages, count, random));
  show_samples(report, data, restored, samples, uniform);
  measure_samples(run, report, data, restored, samples, uniform);
}

void pictures(Run& run, Report& report) {
  const ImageSplit data = images_for(run, 8192, 1024);
  report.heading("Pictures as " + std::to_string(kStageCount) + " tokens of " +
                 std::to_string(kCodes) + ": " + data.train.name);
  const Tokenizer model = train_tokenizer(run, data.train.x);
  show_stages(report, model, data.test);
  measure_stages(report, model, data);
  generate(run, report, model, data);
}

// ---- clips --------------------------------------------------------------------------------------

constexpr Index kFrames = 17, kPixels = 256;

/// A convolution over time.
struct Conv {
  Tensor4 weight;
  RowVector bias;
};

/// Frames to signs and back: linear, tanh, two convolutions, signs, a convolution, tanh, linear.
/// With kernels of one tap and strides of 1 each frame is alone; with three taps and strides of 2
/// one latent frame stands for four frames and knows the past.
struct ClipCoder {
  Layer frame, output;
  Conv first, second, mix;
  std::int64_t stride = 1;

  Index slots() const { return output.weight.rows() / kPixels; }  ///< Frames per latent frame.
};

NamedTensors tensors_of(ClipCoder& model) {
  NamedTensors all;
  append(all, "frame", model.frame);
  append(all, "output", model.output);
  for (const auto& [name, conv] :
       {std::pair("first", &model.first), {"second", &model.second}, {"mix", &model.mix}}) {
    all.push_back({std::string(name) + ".weight", &conv->weight});
    all.push_back({std::string(name) + ".bias", &conv->bias});
  }
  return all;
}

ClipCoder initial_coder(Index bits, Index taps, std::int64_t stride, std::uint64_t seed) {
  constexpr Index kChannels = 48;
  Random random(seed, kWeights + 2);
  const auto conv = [&](Index out, Index in, Index k) {
    Conv made{Tensor4(out, in, k, 1), RowVector::Zero(out)};
    for (Index i = 0; i < made.weight.size(); ++i)
      made.weight.data()[i] =
          static_cast<float>(random.normal() / std::sqrt(static_cast<double>(in * k)));
    return made;
  };
  return {initial_layer(kChannels, kPixels, random),
          initial_layer(stride * stride * kPixels, 2 * kChannels, random),
          conv(kChannels, kChannels, taps),
          conv(bits, kChannels, taps),
          conv(2 * kChannels, bits, stride == 1 ? 1 : 2),
          stride};
}

/// The convolution, clip by clip: the rows are those of `clips` clips, one after another.
Matrix over_time(const Matrix& x, const Conv& conv, std::int64_t stride, Index clips) {
  const Index in = x.rows() / clips, out = (in - 1) / stride + 1;
  Matrix y(clips * out, conv.bias.size());
  for (Index i = 0; i < clips; ++i)
    y.middleRows(i * out, out) =
        causal_conv_time(x.middleRows(i * in, in), conv.weight, conv.bias, stride);
  return y;
}

/// Its backward pass; returns the gradient of x.
Matrix over_time_backward(const Matrix& dy, const Matrix& x, const Conv& conv, std::int64_t stride,
                          Index clips, Conv& gradient) {
  const Index in = x.rows() / clips, out = dy.rows() / clips;
  Matrix dx(x.rows(), x.cols());
  gradient = {Tensor4(conv.weight.n(), conv.weight.c(), conv.weight.h(), 1),
              RowVector::Zero(conv.bias.size())};
  for (Index i = 0; i < clips; ++i) {
    const CausalConvGradients d = causal_conv_time_backward(
        dy.middleRows(i * out, out), x.middleRows(i * in, in), conv.weight, stride);
    dx.middleRows(i * in, in) = d.x;
    for (Index k = 0; k < d.weight.size(); ++k) gradient.weight.data()[k] += d.weight.data()[k];
    gradient.bias += d.bias;
  }
  return dx;
}

struct ClipPass {
  Matrix frame, first, z, codes, mix, output;

  /// The frames in what the decoder put out. A clip has 1 + 4 m of them: of the four that the first
  /// latent frame makes, the last counts.
  Matrix frames(Index clips, Index slots) const {
    const Index made = output.rows() * slots / clips;
    const Eigen::Map<const Matrix> all(output.data(), clips * made, kPixels);
    Matrix kept(clips * kFrames, kPixels);
    for (Index i = 0; i < clips; ++i)
      kept.middleRows(i * kFrames, kFrames) = all.middleRows(i * made, made).bottomRows(kFrames);
    return kept;
  }
};

ClipPass run_coder(const ClipCoder& model, const Matrix& x, Index clips) {
  ClipPass pass;
  pass.frame = tanh_forward(linear_forward(x, model.frame.weight, model.frame.bias));
  pass.first = tanh_forward(over_time(pass.frame, model.first, model.stride, clips));
  pass.z = over_time(pass.first, model.second, model.stride, clips);
  pass.codes = lfq_quantize(pass.z, 1.0);
  pass.mix = tanh_forward(over_time(pass.codes, model.mix, 1, clips));
  pass.output = linear_forward(pass.mix, model.output.weight, model.output.bias);
  return pass;
}

ClipCoder coder_gradient(const ClipCoder& model, const Matrix& x, const ClipPass& pass,
                         const Matrix& d_frames, Index clips) {
  ClipCoder gradient;
  Matrix d_output = Matrix::Zero(pass.output.rows(), pass.output.cols());
  const Index made = d_output.rows() * model.slots() / clips;
  Eigen::Map<Matrix> all(d_output.data(), clips * made, kPixels);
  for (Index i = 0; i < clips; ++i)
    all.middleRows(i * made, made).bottomRows(kFrames) = d_frames.middleRows(i * kFrames, kFrames);
  const LinearGradients output = linear_backward(d_output, pass.mix, model.output.weight);
  const Matrix d_codes = over_time_backward(tanh_backward(output.x, pass.mix), pass.codes,
                                            model.mix, 1, clips, gradient.mix);
  const Matrix d_first = over_time_backward(lfq_quantize_backward(d_codes, pass.z), pass.first,
                                            model.second, model.stride, clips, gradient.second);
  const Matrix d_frame = over_time_backward(tanh_backward(d_first, pass.first), pass.frame,
                                            model.first, model.stride, clips, gradient.first);
  const LinearGradients frame =
      linear_backward(tanh_backward(d_frame, pass.frame), x, model.frame.weight);
  gradient.frame = {frame.weight, frame.bias};
  gradient.output = {output.weight, output.bias};
  return gradient;
}

ClipCoder train_coder(Run& run, const std::string& name, ClipCoder model, const Matrix& x) {
  constexpr Index kClips = 16;
  const std::int64_t steps = run.quick() ? 150 : 3'000;
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {name, steps, kClips * kFrames}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), kClipSteps + static_cast<std::uint64_t>(training.step()));
    Matrix batch(kClips * kFrames, kPixels);
    for (Index i = 0; i < kClips; ++i)
      batch.middleRows(i * kFrames, kFrames) =
          x.middleRows(random.integer(0, x.rows() / kFrames - 1) * kFrames, kFrames);
    const ClipPass pass = run_coder(model, batch, kClips);
    const Loss loss = mse_loss(pass.frames(kClips, model.slots()), batch, Reduction::kBatchMean);
    ClipCoder gradient = coder_gradient(model, batch, pass, loss.gradient, kClips);
    adam.step(tensors_of(gradient), training.step(),
              {.learning_rate = rate_at(3e-3, training, steps)});
    training.record({loss.value / kPixels});
  }
  return model;
}

/// Over the frames of clips: the squared error, and the squared change of the error since the frame
/// before. Means over clips and pixels.
struct Flicker {
  Series error, change;
  double mean_error = 0.0, mean_change = 0.0;
};

Flicker flicker(const std::string& name, const Matrix& made, const Matrix& x) {
  Flicker found{{name, {}, {}}, {name, {}, {}}};
  const Matrix error = made - x;
  const Index clips = x.rows() / kFrames;
  for (Index t = 0; t < kFrames; ++t) {
    double squares = 0.0, changes = 0.0;
    for (Index i = 0; i < clips; ++i) {
      const auto now = error.row(i * kFrames + t);
      squares += double(now.squaredNorm());
      if (t > 0) changes += double((now - error.row(i * kFrames + t - 1)).squaredNorm());
    }
    const double numbers = static_cast<double>(clips * kPixels);
    found.error.x.push_back(double(t));
    found.error.y.push_back(squares / numbers);
    found.mean_error += squares / numbers / kFrames;
    if (t == 0) continue;
    found.change.x.push_back(double(t));
    found.change.y.push_back(changes / numbers);
    found.mean_change += changes / numbers / (kFrames - 1);
  }
  return found;
}

/// Changes one frame after the other and looks which latent frames are no longer the same bits.
void show_causality(Report& report, const ClipCoder& model, const Matrix& clip) {
  const Matrix z = run_coder(model, clip, 1).z;
  Matrix tiles(kFrames * z.rows(), 1);
  bool own_touched = true;
  int touched = 0;  // latent frames that changed by what lies in their future
  for (Index t = 0; t < kFrames; ++t) {
    Matrix changed = clip;
    changed.row(t) = 1.0F - changed.row(t).array();
    const Matrix other = run_coder(model, changed, 1).z;
    const Index own = (t + model.slots() - 1) / model.slots();  // the first that may see frame t
    for (Index i = 0; i < z.rows(); ++i) {
      const bool differs = other.row(i) != z.row(i);
      tiles(i * kFrames + t, 0) = differs ? 1.0F : (i < own ? 0.0F : 0.25F);
      touched += i < own && differs ? 1 : 0;
      own_touched = own_touched && (i != own || differs);
    }
  }
  const std::string words =
      "Rows are latent frames, columns are changed frames; white: it changed.";
  report.picture(
      "causality.png", tile_grid(tiles.replicate(1, 64), {1, 8, 8}, kFrames), words,
      words +
          " Latent frame i may depend on frames 0 to 4 i. Of those that may not see the change, " +
          std::to_string(touched) + " changed all the same; the others are black.");
  const auto length = [](std::int64_t frames) {
    try {
      return std::to_string(latent_frames(frames, 4));
    } catch (const std::invalid_argument&) {
      return "refused; pad to " + std::to_string(padded_frames(frames, 4));
    }
  };
  report.table({"Causality and lengths, time compressed by 4",
                {"", "measured"},
                {{"latent frames of the past are the same bits", yes_no(touched == 0)},
                 {"the first that may see the change does change", yes_no(own_touched)},
                 {"33 frames", length(33)},
                 {"9 frames", length(9)},
                 {"32 frames", length(32)}}});
}

/// A coder's way with clips that it was not trained on.
struct Coded {
  std::string latent;  ///< "5 x 17"
  Matrix frames;
  Flicker flicker;
};

Coded code_clips(const std::string& name, const ClipCoder& model, const Matrix& x) {
  const Index clips = x.rows() / kFrames;
  const ClipPass pass = run_coder(model, x, clips);
  const Matrix frames = pass.frames(clips, model.slots());
  return {std::to_string(pass.z.rows() / clips) + " x " + std::to_string(pass.z.cols()), frames,
          flicker(name, frames, x)};
}

void show_clips(Report& report, const Matrix& x, const Coded& alone, const Coded& causal) {
  Matrix tiles(6 * kFrames, kPixels);
  for (Index clip = 0; clip < 2; ++clip) {
    Index row = 3 * clip;
    for (const Matrix* frames : {&x, &alone.frames, &causal.frames})
      tiles.middleRows(row++ * kFrames, kFrames) = frames->middleRows(clip * kFrames, kFrames);
  }
  report.picture("clips.png", tile_grid(tiles, {1, 16, 16}, kFrames),
                 "Two clips, three rows each: frames, each frame alone, causal.",
                 "Two clips, time to the right. Three rows each: as it is; each frame coded alone; "
                 "coded causally, with as many bits.");
  const auto plot = [&](const std::string& file, const std::string& title, const std::string& unit,
                        const Flicker& a, const Flicker& c, Series Flicker::*curve,
                        double Flicker::*mean, const std::string& caption) {
    report.plot(
        file,
        line_chart({title, "frame", unit,
                    "Means: per frame " + decimal(a.*mean) + ", causal " + decimal(c.*mean) + "."},
                   {a.*curve, c.*curve}),
        caption);
  };
  plot("flicker.svg", "Change of the error since the frame before", "squared change per pixel",
       alone.flicker, causal.flicker, &Flicker::change, &Flicker::mean_change,
       "An error that stays is a flaw in the picture. One that jumps is seen as flicker.");
  plot("clip_error.svg", "Error over the frames of a clip", "squared error per pixel",
       alone.flicker, causal.flicker, &Flicker::error, &Flicker::mean_error,
       "The causal coder has one latent frame for frame 0, then one for every four.");
}

void clips(Run& run, Report& report) {
  report.heading("Clips: each frame alone, and causally");
  const Matrix x = moving_bars(run.seed(), 1024, kFrames).data.x,
               unseen = moving_bars(run.seed() + kUnseen, 256, kFrames).data.x;
  // 17 frames of 5 bits are 5 latent frames of 17.
  const ClipCoder alone = train_coder(run, "per frame", initial_coder(5, 1, 1, run.seed()), x),
                  causal = train_coder(run, "causal", initial_coder(17, 3, 2, run.seed()), x);
  const Coded a = code_clips("per frame", alone, unseen), c = code_clips("causal", causal, unseen);
  const double change = c.flicker.mean_change, change_alone = a.flicker.mean_change;
  report.table(
      {"17 frames of 16 x 16 as signs; clips that were not trained on",
       {"", "latent frames x bits", "error", "flicker"},
       {{"each frame alone", a.latent, decimal(a.flicker.mean_error), decimal(change_alone)},
        {"causal", c.latent, decimal(c.flicker.mean_error), decimal(change)}}});
  report.table({"Flicker: mean squared change of the error from frame to frame",
                {"target", "measured", "met"},
                {{"causal below per frame", decimal(change / change_alone, 3) + " of it",
                  yes_no(change < change_alone)}}});
  show_clips(report, unseen, a, c);
  show_causality(report, causal, unseen.topRows(kFrames));
}

// ---- designs ------------------------------------------------------------------------------------

/// "8,4,16384": factor, channels, codes; 0 codes for a continuous latent.
TokenizerDesign design_from(const std::string& text) {
  long factor = 0, channels = 0, codes = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%ld,%ld,%ld%c", &factor, &channels, &codes, &rest) != 3 ||
      channels < 1 || codes < 0 || channels > 1024 || codes > (1L << 24))
    throw RunUsageError("--design: expected factor,channels,codes such as 8,4,16384, got " + text);
  TokenizerDesign design;
  design.multipliers = {1};
  for (long side = 1; side < factor; side *= 2)
    design.multipliers.push_back(std::min<std::int64_t>(2 * design.multipliers.back(), 4));
  if (factor < 1 || factor > 64 || factor != 1L << (design.multipliers.size() - 1))
    throw RunUsageError("--design: expected a factor of 1, 2, 4, 8, 16, 32 or 64, got " + text);
  design.channels = channels;
  design.kind = codes > 0 ? LatentKind::kDiscrete : LatentKind::kContinuous;
  design.codes = codes;
  return design;
}

std::string verdict(TargetVerdict verdict) {
  if (verdict == TargetVerdict::kUnknown) return "unknown";
  return yes_no(verdict == TargetVerdict::kMet);
}

void designs(Run& run, Report& report) {
  report.heading("What a design costs");
  std::vector<std::string> texts{"4,3,8192", "8,4,0", "8,4,16384", "16,8,16384", "32,64,0"};
  if (!run.option("--design").empty()) texts.insert(texts.begin(), run.option("--design"));
  std::vector<std::vector<std::string>> costs, verdicts;
  for (const std::string& text : texts) {
    const TokenizerDesign design = design_from(text);
    const TokenizerReport bill = design_tokenizer(design, {100'000'000, 1'000'000'000, 30.0});
    const double million = 1e-6, pixels = 8.0 * 3.0 * double(design.height * design.width);
    costs.push_back({text,
                     decimal(million * double(bill.parameters.encoder + bill.parameters.decoder +
                                              bill.parameters.codebook),
                             2),
                     std::to_string(bill.positions), decimal(bill.bits, 0),
                     decimal(pixels / bill.bits, 1),
                     decimal(million * double(bill.decoder_peak_bytes), 0)});
    const double published = bill.verdicts.published_psnr;
    verdicts.push_back({text, verdict(bill.verdicts.parameters), verdict(bill.verdicts.bytes),
                        verdict(bill.verdicts.psnr),
                        published > 0.0 ? decimal(published, 2) + " dB" : "none"});
  }
  report.table(
      {"Factor, channels, codes (0: continuous), for 256 x 256 pixels; width 128 x 1, 2, 4, 4 ...",
       {"design", "M parameters", "positions", "bits", "fewer bits", "decoder MB"},
       costs});
  report.table({"At most 100 M parameters? At most 1 GB? At least 30 dB?",
                {"design", "parameters", "memory", "30 dB", "published, same kind and factor"},
                verdicts});
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  std::vector<ExperimentOption> options = picture_options();
  options.push_back({"--design", "F,C,K", "a design to add up: factor, channels, codes or 0"});
  return options;
}

void run_experiment(Run& run) {
  if (!run.option("--design").empty()) design_from(run.option("--design"));  // before any training
  Report report("Tokens: pictures, clips, and new pictures", run);
  pictures(run, report);
  equal_tables(run, report);
  clips(run, report);
  designs(run, report);
  report.try_next(
      {"./lab run 10 --seed 2: which numbers stay, which were luck?",
       "./lab run 10 --data DIR with the files of MNIST: does the prior write digits?",
       "./lab run 10 --design 8,16,0: what do four times the channels cost?",
       "In labs/10_tokenizers/experiment.cpp, let so_far return zeros always. The prior then knows "
       "how often each token occurs, and nothing else.",
       "There too, divide the prior's logits by 0.5 in sample_tokens: surer tokens. What becomes "
       "of the variety?",
       "Give the causal coder strides of 2 and one tap: what is it that it uses of the past?"});
  report.finish();
}

}  // namespace latent

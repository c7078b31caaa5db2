// A prior over tokens writes new pictures, and rulers say whether they pass for data.

#include <cmath>
#include <numeric>

#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/statistics.hpp"
#include "parts.hpp"

namespace latent::run10 {

namespace {

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

}  // namespace

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

}  // namespace latent::run10

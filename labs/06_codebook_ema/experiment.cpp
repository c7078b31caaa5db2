// `./lab run 6`: your codebook in trouble and out of it. Codes that begin in a corner, codes that
// nobody chooses, codes that are revived by halves; then a VQ-VAE on pictures whose codebook looks
// after itself.

#include "common/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "autoencoder.hpp"
#include "codebook_ema.hpp"
#include "common/dataset.hpp"
#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/training.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

/// Streams of the seed: what is drawn for one purpose does not move what is drawn for another.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kCodes = 2ULL << 40, kSeeds = 3ULL << 40 };

constexpr Index kBatch = 64, kCodebook = 32, kBatches = 800;
constexpr EmaOptions kRevive{}, kNoRevival{.threshold = 0.0};  // no size is below 0

std::vector<std::int64_t> permutation(Index size, Random& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(random.integer(0, std::int64_t(i) - 1))]);
  return order;
}

/// A bad start: all codes close together, far out in one corner, with the memory of one row each.
EmaCodebook in_corner(Index codes, Index columns, Random& random) {
  const Matrix codebook = 4.0F + 0.01F * random.normal_matrix(codes, columns).array();
  return {codebook, {DoubleVector::Ones(codes), codebook}, 0};
}

/// A sentence, on the terminal and in the page.
void say(Report& report, const std::string& text) {
  std::printf("%s\n", text.c_str());
  report.paragraph(text);
}

// ---- collapse and revival -----------------------------------------------------------------------

/// How codes learn.
enum Rule { kGradient, kEma, kEmaRevive, kCodeAlone, kKmeansStart, kRules };
constexpr const char* kNames[] = {"gradient", "EMA", "EMA, revival", "EMA, code alone revived",
                                  "EMA, k-means start"};

EmaCodebook beginning(const Matrix& x, Rule rule, std::uint64_t seed) {
  Random random(seed, kCodes);
  return rule == kKmeansStart
             ? kmeans_init(x.topRows(1024), kCodebook, permutation(1024, random), 10)
             : in_corner(kCodebook, x.cols(), random);
}

/// One batch, after which the codebook is another.
EmaCodebook learn(const EmaCodebook& state, const Matrix& z, Rule rule,
                  const std::vector<std::int64_t>& order) {
  if (rule == kGradient) {
    const Matrix none = Matrix::Zero(z.rows(), z.cols());
    const VqGradients all =
        vq_gradients(none, z, state.codebook, nearest_code(z, state.codebook), 0.0);
    return {state.codebook - all.codebook.codebook, state.average, state.updates + 1};
  }
  if (rule != kCodeAlone)
    return ema_codebook_step(z, state, order, rule == kEma ? kNoRevival : kRevive, true).state;
  // What two libraries shipped: the code moves, its size and its sum do not hear of it.
  EmaCodebook next = ema_codebook_step(z, state, order, kNoRevival, true).state;
  const std::vector<std::int32_t> dead =
      dead_mask(next.average.size, z.rows(), next.updates, kRevive.decay, kRevive.threshold);
  next.codebook = revive(next, dead, z, order).codebook;
  return next;
}

/// Measured over all samples, not over a batch.
struct History {
  Series used, perplexity, error;
};

History collapse(std::uint64_t seed, Rule rule) {
  const Matrix x = mixture8(seed, 4096).x;
  EmaCodebook state = beginning(x, rule, seed);
  History history{{kNames[rule], {}, {}}, {kNames[rule], {}, {}}, {kNames[rule], {}, {}}};
  for (std::int64_t step = 0; step <= kBatches; ++step) {
    if (step % 20 == 0) {
      const VqOutput words = vq_straight_through(x, state.codebook);
      const auto add = [step](Series& series, double value) {
        series.x.push_back(static_cast<double>(step));
        series.y.push_back(value);
      };
      add(history.used, static_cast<double>(codebook_usage(words.indices, kCodebook).used));
      add(history.perplexity, codebook_perplexity(words.indices, kCodebook));
      add(history.error, mse_loss(words.z_q, x, Reduction::kMean).value);
    }
    Random random(seed, static_cast<std::uint64_t>(step));
    const Matrix batch = random_rows(x, kBatch, random);
    state = learn(state, batch, rule, permutation(kBatch, random));
  }
  return history;
}

/// The last values of the first trial, and curves.
void show_collapse(Report& report, const std::vector<History>& trial) {
  std::vector<Series> used, error;
  std::vector<std::vector<std::string>> rows;
  std::string words, after = " after " + std::to_string(kBatches) + " batches";
  for (const History& history : trial) {
    used.push_back(history.used);
    error.push_back(history.error);
    const std::string codes = decimal(history.used.y.back(), 0);
    rows.push_back({history.used.name, codes, decimal(history.perplexity.y.back(), 1),
                    decimal(history.error.y.back())});
    words += (words.empty() ? "" : ", ") + history.used.name + " " + codes;
  }
  report.table({"The first seed" + after + ", over all samples",
                {"", "codes used", "perplexity", "squared error per number"},
                rows});
  report.plot(
      "usage.svg",
      line_chart({"Codes used", "batch", "codes of 32", "First seed" + after + ": " + words + "."},
                 used),
      "With these constants no code is judged dead in the first 100 batches, and one "
      "without rows falls below the threshold in batch 161.");
  report.plot(
      "error.svg",
      line_chart({"Squared error", "batch", "per number",
                  "First seed" + after + ": gradient " + decimal(error[kGradient].y.back()) +
                      ", EMA " + decimal(error[kEma].y.back()) + ", with revival " +
                      decimal(error[kEmaRevive].y.back()) + ", k-means start " +
                      decimal(error[kKmeansStart].y.back()) + "."},
                 error, {}, {false, true}),
      "The same five. Where the code alone is revived, size and sum pull it back towards "
      "the corner as long as they remember it.");
}

void corner(Run& run, Report& report) {
  report.heading("32 codes that begin in a corner");
  Random seeds(run.seed(), kSeeds);
  std::vector<std::vector<std::string>> rows;
  std::vector<double> used[kRules];
  for (int trial = 0; trial < 5; ++trial) {
    const std::int64_t seed = seeds.integer(1, 9999);
    rows.push_back({std::to_string(seed)});
    std::vector<History> all;
    for (int rule = 0; rule < kRules; ++rule) {
      all.push_back(collapse(static_cast<std::uint64_t>(seed), Rule(rule)));
      used[rule].push_back(all.back().used.y.back());
      rows.back().push_back(decimal(used[rule].back(), 0));
    }
    if (trial == 0) show_collapse(report, all);
  }
  std::vector<std::string> columns{"seed"};
  columns.insert(columns.end(), std::begin(kNames), std::end(kNames));
  report.table({"Codes used of 32 after " + std::to_string(kBatches) + " batches, five seeds",
                columns, rows});
  const double most = std::max(*std::max_element(used[kGradient].begin(), used[kGradient].end()),
                               *std::max_element(used[kEma].begin(), used[kEma].end())),
               fewest = *std::min_element(used[kEmaRevive].begin(), used[kEmaRevive].end());
  say(report, "Target: without revival at most 4 used. Measured " + decimal(most, 0) +
                  " at most: " + (most <= 4.0 ? "yes." : "no."));
  say(report, "Target: with revival at least 28 used. Measured " + decimal(fewest, 0) +
                  " at least: " + (fewest >= 28.0 ? "yes." : "no."));
}

// ---- a code that nobody chooses -----------------------------------------------------------------

/// What the averages are before the first batch.
struct Start {
  std::string name;
  double size;  ///< N
  float sum;    ///< m, in multiples of the code
  bool debias;  ///< Divide both by 1 - gamma^t before use.
};

const std::vector<Start>& starts() {
  static const std::vector<Start> all{{"N = 1, m = w", 1.0, 1.0F, false},
                                      {"N = 0, m = w", 0.0, 1.0F, false},
                                      {"N = 0, m = 0, debiased", 0.0, 0.0F, true}};
  return all;
}

/// Averages from such a start, updated batch by batch.
struct Averages {
  ClusterStats average;
  const Start& start;
  std::int64_t updates = 0;

  Averages(const Matrix& codebook, const Start& from)
      : average{DoubleVector::Constant(codebook.rows(), from.size), from.sum * codebook},
        start(from) {}

  Matrix update(const Matrix& z, const std::vector<std::int64_t>& indices) {
    average = ema_decay(average, assignment_stats(z, indices, average.size.size()), kRevive.decay);
    ClusterStats seen = average;
    const double weight = 1.0 - std::pow(kRevive.decay, static_cast<double>(++updates));
    if (start.debias) {
      seen.size /= weight;
      seen.sum /= static_cast<float>(weight);
    }
    return codebook_from_ema(seen, kRevive.epsilon);
  }
};

/// The last of 32 codes over the steps, in multiples of where it began; the rows of each batch are
/// dealt to the others in turn.
Series unused_code(const Matrix& x, const Start& start) {
  std::vector<std::int64_t> dealt(kBatch);
  for (Index n = 0; n < kBatch; ++n) dealt[static_cast<std::size_t>(n)] = n % (kCodebook - 1);
  Averages averages(Matrix::Ones(kCodebook, x.cols()), start);
  Series value{start.name, {0.0}, {1.0}};
  for (int step = 1; step <= 2000; ++step) {
    const Matrix codebook = averages.update(x.topRows(kBatch), dealt);
    value.x.push_back(step);
    value.y.push_back(codebook(kCodebook - 1, 0));
  }
  return value;
}

/// Real batches, codes that begin at 32 rows: how many are used after so many steps.
std::string used_after(const Matrix& x, const Start& start, int steps, std::uint64_t seed) {
  Random draw(seed, kCodes);
  Matrix codebook = random_rows(x, kCodebook, draw);
  Averages averages(codebook, start);
  for (int step = 1; step <= steps; ++step) {
    Random random(seed, static_cast<std::uint64_t>(step));
    const Matrix batch = random_rows(x, kBatch, random);
    codebook = averages.update(batch, nearest_code(batch, codebook));
  }
  return std::to_string(codebook_usage(nearest_code(x, codebook), kCodebook).used);
}

/// What the handbook says a start leaves of an unused code, and half of its last digit.
struct Published {
  int step;
  double value[3], digit[3];
};
constexpr Published kPublished[] = {
    {1, {1.000, 99'050, 0}, {5e-4, 5, 0}},   {100, {1.000, 36'600, 0}, {5e-4, 50, 0}},
    {500, {0.998, 657, 0}, {5e-4, 0.5, 0}},  {1000, {0.81, 4.3, 0}, {5e-3, 0.05, 0}},
    {1146, {0.50, 1.0, 0}, {5e-3, 0.05, 0}}, {1500, {0.03, 0.03, 0}, {5e-3, 5e-3, 0}}};

void unused(Run& run, Report& report) {
  report.heading("A code that nobody chooses");
  const Matrix x = mixture8(run.seed(), 4096).x;
  std::vector<Series> values;
  std::vector<std::vector<std::string>> used;
  for (const Start& start : starts()) {
    values.push_back(unused_code(x, start));
    used.push_back(
        {start.name, used_after(x, start, 1, run.seed()), used_after(x, start, 500, run.seed())});
  }
  std::vector<std::vector<std::string>> rows;
  int agree = 0;
  for (const Published& p : kPublished) {
    rows.push_back({std::to_string(p.step)});
    for (std::size_t s = 0; s < 3; ++s) {
      const double value = values[s].y[static_cast<std::size_t>(p.step)];
      const int digits = p.value[s] >= 100 ? 0 : 3;
      agree += std::abs(value - p.value[s]) <= p.digit[s] * 1.0001;
      char published[32];
      std::snprintf(published, sizeof published, " (%g)", p.value[s]);
      rows.back().push_back(decimal(value, digits) + published);
    }
  }
  report.table({"What is left of it, in multiples of where it began; in brackets: the handbook",
                {"step", starts()[0].name, starts()[1].name, starts()[2].name},
                rows});
  say(report, std::to_string(agree) + " of 18 agree with the handbook to its last digit.");
  report.table({"The same starts with real batches, codes that begin at rows: codes used of 32",
                {"start", "after 1 batch", "after 500 batches"},
                used});
  const auto after = [&values](std::size_t start, std::size_t step) {
    return decimal(values[start].y[step], 3);
  };
  report.plot("starts.svg",
              line_chart({"A code that nobody chooses", "batch", "multiple of where it began",
                          "After one batch " + after(0, 1) + ", " + after(1, 1) + " and " +
                              after(2, 1) + "; after 2000 " + after(0, 2000) + ", " +
                              after(1, 2000) + " and " + after(2, 2000) + "."},
                         values, {}, {false, true}),
              "A logarithmic axis has no 0: what is 0 is not drawn after batch 0.");
  report.plot(
      "drift.svg",
      line_chart({"The first of them again", "batch", "multiple of where it began",
                  "After 500 batches " + after(0, 500) + ", after 1000 " + after(0, 1000) +
                      ", after 1146 " + after(0, 1146) + ", after 1500 " + after(0, 1500) + "."},
                 {values[0]}, {{"half", 0.5}}),
      "Size and sum lose the same share of themselves, and would leave the code where it "
      "is. The smoothed size does not fall below about epsilon: half is due after "
      "ln(epsilon) / ln(gamma) = 1146 batches.");
}

/// The same code, revived once: code and memory or the code alone, before or after the update.
void order_of_revival(Report& report) {
  report.heading("Revival, before and after the update");
  const Matrix z = Matrix::Ones(32, 1);
  const std::vector<std::int64_t> nobody_chooses_1(32, 0);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, memory, before] :
       {std::tuple("code, N and m, after the update", true, false),
        {"code, N and m, before the update", true, true},
        {"code alone, after the update", false, false},
        {"code alone, before the update", false, true}}) {
    EmaCodebook state{
        Matrix{{0.5F}, {5.0F}}, {DoubleVector{{32.0, 0.05}}, Matrix{{16.0F}, {0.25F}}}, 200};
    const auto replace = [&state, &z, memory = memory] {
      const EmaCodebook revived = revive(state, {0, 1}, z, {0});
      if (memory) state.average = revived.average;
      state.codebook = revived.codebook;
    };
    rows.push_back({name, decimal(state.codebook(1, 0))});
    for (int step = 1; step <= 3; ++step) {
      if (step == 1 && before) replace();
      state.average =
          ema_decay(state.average, assignment_stats(z, nobody_chooses_1, 2), kRevive.decay);
      state.codebook = codebook_from_ema(state.average, kRevive.epsilon);
      if (step == 1 && !before) replace();
      rows.back().push_back(decimal(state.codebook(1, 0)));
    }
  }
  report.table({"A dead code at 5 (N = 0.05, m = 0.25) is put at a row at 1 in step 1",
                {"replaced", "before", "after step 1", "after step 2", "after step 3"},
                rows});
}

// ---- pictures -----------------------------------------------------------------------------------

constexpr Index kWords = 8, kLatent = 4, kPictureCodes = 64;

/// Encoder and decoder with one hidden layer each; between them eight words.
struct VqVae {
  Layer encoder_hidden, encoder_output, decoder_hidden, decoder_output;
  EmaCodebook quantizer;
};

/// What the optimizer moves; of a gradient as of a model.
NamedTensors tensors_of(VqVae& model) {
  return layers_by_name<Layer>({{"encoder_hidden", &model.encoder_hidden},
                                {"encoder_output", &model.encoder_output},
                                {"decoder_hidden", &model.decoder_hidden},
                                {"decoder_output", &model.decoder_output}});
}

VqVae initial_model(Index size, std::uint64_t seed) {
  Random weights(seed, kWeights), codes(seed, kCodes);
  const auto layer = [&weights](Index out, Index in) {
    return Layer{initial_weight(out, in, weights), RowVector::Zero(out)};
  };
  return {layer(64, size), layer(kWords * kLatent, 64), layer(64, kWords * kLatent),
          layer(size, 64), in_corner(kPictureCodes, kLatent, codes)};
}

Matrix shaped(const Matrix& values, Index columns) {
  return values.reshaped<Eigen::RowMajor>(values.size() / columns, columns);
}

Matrix apply(const Layer& layer, const Matrix& x) {
  return linear_forward(x, layer.weight, layer.bias);
}

/// @return  The gradient of the layer; `dy` becomes that of its input.
Layer back(Matrix& dy, const Matrix& x, const Layer& layer) {
  const LinearGradients gradients = linear_backward(dy, x, layer.weight);
  dy = gradients.x;
  return {gradients.weight, gradients.bias};
}

/// One pass there and back.
struct Pass {
  EmaStep step;
  Loss error;
  Matrix reconstruction;
  VqVae gradient;
};

Pass pass(const VqVae& model, const Matrix& x, const std::vector<std::int64_t>& order,
          const EmaOptions& options, bool training) {
  const Matrix h = tanh_forward(apply(model.encoder_hidden, x));
  const Matrix z_e = shaped(apply(model.encoder_output, h), kLatent);
  Pass p{ema_codebook_step(z_e, model.quantizer, order, options, training), {}, {}, {}};
  const Matrix z_q = shaped(p.step.output.z_q, kWords * kLatent);
  const Matrix k = tanh_forward(apply(model.decoder_hidden, z_q));
  p.reconstruction = apply(model.decoder_output, k);
  p.error = mse_loss(p.reconstruction, x, Reduction::kMean);
  if (!training) return p;

  Matrix d = p.error.gradient;
  p.gradient.decoder_output = back(d, k, model.decoder_output);
  d = tanh_backward(d, k);
  p.gradient.decoder_hidden = back(d, z_q, model.decoder_hidden);
  const VqGradients all = vq_gradients(shaped(d, kLatent), z_e, model.quantizer.codebook,
                                       p.step.output.indices, options.beta);
  d = shaped(all.reconstruction.z_e + all.commitment.z_e, kWords * kLatent);
  p.gradient.encoder_output = back(d, h, model.encoder_output);
  d = tanh_backward(d, h);
  p.gradient.encoder_hidden = back(d, x, model.encoder_hidden);
  return p;
}

/// A trained model, and over the steps: error, commitment, codes used in the batch.
struct Trained {
  VqVae model;
  Series used;
};

Trained train(Run& run, const std::string& name, const Matrix& x, const EmaOptions& options,
              std::int64_t steps) {
  VqVae model = initial_model(x.cols(), run.seed());
  Optimizer adam(adam_step, tensors_of(model));
  NamedTensors tensors = adam.tensors();
  EmaCodebook& codes = model.quantizer;
  Matrix size = codes.average.size.transpose().cast<float>();  // a checkpoint holds floats
  tensors.push_back({"codebook", &codes.codebook});
  tensors.push_back({"size", &size});
  tensors.push_back({"sum", &codes.average.sum});
  Training training(run, {name, steps, kBatch, {"error", "commitment", "codes in the batch"}},
                    tensors);
  while (training.next()) {
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    const Matrix batch = random_rows(x, kBatch, random);
    codes.average.size = size.transpose().cast<double>();
    codes.updates = training.step() - 1;
    Pass p = pass(model, batch, permutation(kBatch * kWords, random), options, true);
    adam.step(tensors_of(p.gradient), training.step(), {.learning_rate = 3e-3});
    codes = p.step.state;
    size = codes.average.size.transpose().cast<float>();
    const CodebookUsage used = codebook_usage(p.step.output.indices, kPictureCodes);
    training.record({p.error.value, p.step.commitment, static_cast<double>(used.used)});
  }
  Series used = training.curve(2, 300);
  used.name = name;
  return {model, used};
}

/// How often each code is chosen, the most frequent first.
Series shares(const std::string& name, const std::vector<std::int64_t>& indices) {
  Series series{name, {}, std::vector<double>(kPictureCodes, 0.0)};
  const double one = 1.0 / static_cast<double>(indices.size());
  for (const std::int64_t k : indices) series.y.at(static_cast<std::size_t>(k)) += one;
  std::sort(series.y.rbegin(), series.y.rend());
  for (int rank = 1; rank <= kPictureCodes; ++rank) series.x.push_back(rank);
  return series;
}

/// The last two of all trainings: the longest, without and with revival.
void show_usage(Report& report, const std::vector<Series>& used,
                const std::vector<Series>& frequent) {
  const Series &without = used[0], &with = used[1];
  std::string back = "In no stretch do more than 8 occur without revival.";
  for (std::size_t i = without.y.size(); i-- > 0;)
    if (without.y[i] > 8.0)
      back =
          "Without revival, more than 8 first occur around step " + decimal(without.x[i], 0) + ".";
  report.plot(
      "picture_usage.svg",
      line_chart({"Codes in a batch", "step", "codes of 64",
                  "At the end " + decimal(without.y.back(), 0) + " without revival and " +
                      decimal(with.y.back(), 0) + " with it. " + back},
                 used),
      back + " An unused code drifts to 0, as above, and the encoder's rows may lie there.");
  report.plot("picture_shares.svg",
              line_chart({"How often each code is chosen", "rank of the code", "share of the words",
                          "The most frequent code has " + decimal(frequent[0].y[0], 3) +
                              " of the words without revival and " + decimal(frequent[1].y[0], 3) +
                              " with it."},
                         frequent, {{"if all were alike", 1.0 / kPictureCodes}}),
              "At the end, sorted, the most frequent code first.");
}

void pictures(Run& run, Report& report) {
  const ImageSplit data = images_for(run, 4096, 512);
  report.heading("Pictures as eight words of 64, codes that begin in a corner: " + data.train.name);
  const Index shown = std::min<Index>(12, data.test.x.rows());
  const Matrix some = data.train.x.topRows(std::min<Index>(2048, data.train.x.rows()));
  Matrix tiles = data.test.x.topRows(shown);
  std::vector<Series> used, frequent;
  std::vector<std::vector<std::string>> rows;
  std::string order;
  for (const std::int64_t steps : run.quick() ? std::vector{300} : std::vector{1'000, 3'000}) {
    used.clear();
    frequent.clear();
    for (const auto& [how, options] :
         {std::pair("without revival", kNoRevival), {"with revival", kRevive}}) {
      const std::string name = how + (", " + std::to_string(steps)) + " steps";
      const Trained trained = train(run, name, data.train.x, options, steps);
      const Pass seen = pass(trained.model, some, {}, options, false),
                 unseen = pass(trained.model, data.test.x, {}, options, false);
      const std::vector<std::int64_t>& words = seen.step.output.indices;
      used.push_back(trained.used);
      frequent.push_back(shares(name, words));
      rows.push_back({name, std::to_string(codebook_usage(words, kPictureCodes).used),
                      decimal(codebook_perplexity(words, kPictureCodes), 1),
                      decimal(seen.error.value), decimal(unseen.error.value)});
      order += "; " + name + " (codes used: " + rows.back()[1] + ")";
      tiles.conservativeResize(tiles.rows() + shown, tiles.cols());
      tiles.bottomRows(shown) = unseen.reconstruction.topRows(shown);
    }
  }
  report.table({"Codes used of 64, and squared error per pixel",
                {"", "codes used", "perplexity", "seen", "never seen"},
                rows});
  report.picture("reconstructions.png", tile_grid(tiles, data.test.shape, shown),
                 "Rows: pictures" + order + ".",
                 "Rows: pictures that no model saw, and what came back" + order + ".");
  show_usage(report, used, frequent);
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return picture_options();
}

void run_experiment(Run& run) {
  Report report("A codebook that lives", run);
  corner(run, report);
  unused(run, report);
  order_of_revival(report);
  pictures(run, report);
  report.try_next(
      {"./lab run 6 --seed 2: five other seeds.",
       "In labs/06_codebook_ema/experiment.cpp, set kBatches to 3,000. How many codes does plain "
       "EMA use now, and who has revived them?",
       "Let in_corner put codes at 0 instead of 4. How many are used without revival now?",
       "Let revive leave average as it is: which of the tables notice?",
       "Set kRevive's threshold to 1. What do the usage and the error of the pictures do?"});
  report.finish();
}

}  // namespace latent

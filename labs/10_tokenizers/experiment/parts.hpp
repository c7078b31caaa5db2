/// @file
/// The parts of `./lab run 10`, one file each: a tokenizer and what it is made of, pictures as
/// tokens, a prior over tokens, clips. experiment.cpp puts them together.
#pragma once

#include "autoencoder.hpp"
#include "common/dataset.hpp"
#include "common/experiment.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/training.hpp"
#include "tokenizers.hpp"

namespace latent::run10 {

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

/// "yes" or "no", for a table's column of targets.
std::string yes_no(bool met);

// ---- two layers: tokenizer.cpp ------------------------------------------------------------------

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

Layer initial_layer(Index out, Index in, Random& random);
NetPass forward(const Net& net, const Matrix& x);
NetGradient backward(const Net& net, const Matrix& x, const NetPass& pass, const Matrix& dy);
void append(NamedTensors& all, const std::string& name, Layer& layer);
void append(NamedTensors& all, const std::string& name, Net& net);

/// From full to zero: large steps first, or the noise of the batches keeps it from settling.
double rate_at(double rate, const Training& training, std::int64_t steps);

// ---- a tokenizer: tokenizer.cpp -----------------------------------------------------------------

struct Tokenizer {
  Net encoder, decoder;
  std::vector<RvqStage> stages;
};

/// k-means, stage by stage: each stage is fitted to what the ones before have left.
std::vector<RvqStage> fit_stages(Matrix x, Index stages, Index codes, int rounds, Random& random);

/// First an autoencoder; then its latents are given codes, and all of it learns on.
Tokenizer train_tokenizer(Run& run, const Matrix& x);

RvqOutput tokens_of(const Tokenizer& model, const Matrix& x);

/// The picture that the first `used` tokens of each row stand for.
Matrix decode(const Tokenizer& model, const RvqIndices& tokens, Index used = kStageCount);

// ---- what the run shows -------------------------------------------------------------------------

/// Pictures as tokens, and new ones: pictures.cpp.
void pictures(Run& run, Report& report);

/// Three small tables against one large one, on eight numbers: pictures.cpp.
void equal_tables(Run& run, Report& report);

/// New pictures from a prior over tokens: prior.cpp.
void generate(Run& run, Report& report, const Tokenizer& model, const ImageSplit& data);

/// Clips, each frame alone and causally: clips.cpp.
void clips(Run& run, Report& report);

}  // namespace latent::run10

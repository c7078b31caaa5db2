/// @file
/// The inputs of the rows, one struct per kind: what `ours` and `rivals` are overloaded on.
#pragma once

#include <string>

#include "autoencoder.hpp"
#include "codebook_ema.hpp"
#include "common/random.hpp"
#include "denoising_step.hpp"
#include "fsq.hpp"
#include "solution_vae.hpp"
#include "tae_weights.hpp"
#include "tokenizers.hpp"

namespace latent {

/// Rows and codes.
struct NearestInput {
  Matrix z, codebook;
  NearestInput(Random& random, Index n, Index k, Index d)
      : z(random.normal_matrix(n, d)), codebook(random.normal_matrix(k, d)) {}
};

/// Latents of a quantizer by levels.
struct FsqInput {
  Levels levels{8, 8, 8, 5, 5, 5};
  Matrix z;
  FsqInput(Random& random, Index n) : z(2.0F * random.normal_matrix(n, std::ssize(levels))) {}
};

/// A codebook in the middle of its training.
struct EmaInput {
  Matrix z;
  EmaCodebook state;
  std::vector<std::int64_t> order;
  EmaOptions options;
  bool one_hot;  ///< Which way PyTorch counts: as published, or the fast one.
  EmaInput(Random& random, Index n, Index k, Index d, bool published)
      : z(random.normal_matrix(n, d)), one_hot(published) {
    const double share = static_cast<double>(n) / static_cast<double>(k);
    state.codebook = random.normal_matrix(k, d);
    state.average = {DoubleVector::Constant(k, share), static_cast<float>(share) * state.codebook};
  }
};

/// One batch, again and again.
struct VaeInput {
  Vae initial;
  Matrix images, eps;
  std::vector<Index> rows;
  VaeInput(Random& random, std::uint64_t seed, Index pixels)
      : initial(initial_vae(seed, 0, pixels)),
        images(random.normal_matrix(kBatch, pixels).array().logistic()),
        eps(random.normal_matrix(kBatch, kLatent)) {
    for (Index i = 0; i < kBatch; ++i) rows.push_back(i);
  }
};

/// An image and the autoencoder it passes through.
struct TaeInput {
  TaeModel model;
  Tensor4 image;
  TaeInput(Random& random, const std::string& folder, Index side)
      : model(read_tae(folder)), image(1, 3, side, side) {
    for (Index i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(random.uniform());
  }
};

/// A linear layer, and a gradient of its output.
struct LinearInput {
  Matrix x, weight, dy;
  RowVector bias;
  bool backward;
  LinearInput(Random& random, Index n, Index in, Index out, bool back)
      : x(random.normal_matrix(n, in)),
        weight(random.normal_matrix(out, in)),
        dy(random.normal_matrix(n, out)),
        bias(random.normal_matrix(1, out)),
        backward(back) {}
};

/// Gaussians, noise, and a gradient of what is drawn.
struct GaussianInput {
  Matrix mu, log_var, eps, dz;
  bool divergence;  ///< From the standard normal; else draws and their gradient.
  GaussianInput(Random& random, Index n, Index d, bool kl)
      : mu(random.normal_matrix(n, d)),
        log_var(random.normal_matrix(n, d)),
        eps(random.normal_matrix(n, d)),
        dz(random.normal_matrix(n, d)),
        divergence(kl) {}
};

/// Logits and pixels.
struct BceInput {
  Matrix logits, x;
  BceInput(Random& random, Index n, Index d)
      : logits(3.0F * random.normal_matrix(n, d)),
        x(random.normal_matrix(n, d).array().logistic()) {}
};

/// A parameter in the middle of its training.
struct AdamInput {
  AdamState state;
  Matrix gradient;
  std::int64_t step = 100;
  AdamOptions options;
  AdamInput(Random& random, Index rows, Index cols)
      : state{random.normal_matrix(rows, cols), random.normal_matrix(rows, cols),
              random.normal_matrix(rows, cols).cwiseAbs2()},
        gradient(random.normal_matrix(rows, cols)) {}
};

/// Rows that have been given codes.
struct AssignedInput {
  Matrix z, dz_q, codebook;
  std::vector<std::int64_t> indices;
  bool statistics;  ///< Sizes and sums of the codes; else losses and gradients.
  AssignedInput(Random& random, Index n, Index k, Index d, bool stats)
      : z(random.normal_matrix(n, d)),
        dz_q(random.normal_matrix(n, d)),
        codebook(random.normal_matrix(k, d)),
        statistics(stats) {
    for (Index i = 0; i < n; ++i) indices.push_back(random.integer(0, k - 1));
  }
};

/// Latents of a lookup-free quantizer.
struct LfqInput {
  Matrix z;
  LfqInput(Random& random, Index n, Index d) : z(random.normal_matrix(n, d)) {}
};

/// Rows and the stages of a residual quantizer, each half as wide as the one before.
struct RvqInput {
  Matrix x;
  std::vector<RvqStage> stages;
  RvqInput(Random& random, Index n, Index d, Index count, Index k) : x(random.normal_matrix(n, d)) {
    float width = 1.0F;
    for (Index q = 0; q < count; ++q, width /= 2.0F)
      stages.push_back({width * random.normal_matrix(k, d)});
  }
};

/// Latents to add noise to, and a step back.
struct NoiseInput {
  Matrix x0, eps;
  std::vector<std::int64_t> t;
  DoubleVector alphas;
  NoiseInput(Random& random, Index n, Index d)
      : x0(random.normal_matrix(n, d)),
        eps(random.normal_matrix(n, d)),
        alphas(cumulative_alphas(make_betas(BetaSchedule::kScaledLinear, 1000, 0.00085, 0.012))) {
    for (Index i = 0; i < n; ++i) t.push_back(random.integer(0, 999));
  }
};

constexpr std::int64_t kFromStep = 501, kToStep = 481;  ///< Of the denoising step.
constexpr double kBeta = 0.25;                          ///< Weight of the commitment term.
constexpr int kStepsCompared = 5;                       ///< Of training, before two VAEs are.

}  // namespace latent

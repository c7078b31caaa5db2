/// @file
/// The recipe that both sides of vae_bench follow, and what they are asked.
#pragma once

#include <array>
#include <chrono>
#include <span>

#include "training_a_vae.hpp"

namespace latent {

constexpr Index kHidden = 400, kLatent = 20, kBatch = 128;
constexpr double kLearningRate = 1e-3;

/// Seconds spent in the parts of a step.
struct StepTimes {
  enum Part { kBatchOfImages, kForward, kLoss, kBackward, kAdam, kParts };
  std::array<double, kParts> seconds{};

  /// Begins the first part.
  StepTimes() : last_(std::chrono::steady_clock::now()) {}

  /// Ends a part; the next one begins.
  /// @param part  Which.
  void ended(Part part) {
    const auto now = std::chrono::steady_clock::now();
    seconds[part] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_;
};

/// A VAE in training.
class Trainee {
 public:
  virtual ~Trainee() = default;

  /// One step of Adam.
  /// @param rows   Which images make the batch.
  /// @param eps    Its noise, one row per image.
  /// @param times  What this step takes is added to them.
  virtual void step(std::span<const Index> rows, const Matrix& eps, StepTimes& times) = 0;

  /// The negative ELBO in nats, averaged over samples.
  /// @param x    Images, one a row.
  /// @param eps  Noise, one row per image.
  /// @return     -log p(x|z) + KL.
  virtual double neg_elbo(const Matrix& x, const Matrix& eps) const = 0;
};

}  // namespace latent

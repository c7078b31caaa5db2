/// @file
/// Lab 04's VAE in training, in the hands of the solutions' functions.
#pragma once

#include <cstdint>
#include <vector>

#include "vae_recipe.hpp"

namespace latent {

/// Weights to begin with, as torch.nn.Linear draws them: uniform within 1 / sqrt(inputs).
/// @param seed    Of the draws.
/// @param stream  Likewise.
/// @param pixels  Of an image.
/// @return        A VAE of the recipe's widths.
Vae initial_vae(std::uint64_t seed, std::uint64_t stream, Index pixels);

/// A VAE that is trained by the solutions' functions.
class SolutionVae : public Trainee {
 public:
  /// @param initial  The weights to begin with.
  /// @param images   What to train on, shape `[N, D]`; they must outlive this object.
  SolutionVae(Vae initial, const Matrix& images);

  void step(std::span<const Index> rows, const Matrix& eps, StepTimes& times) override;
  double neg_elbo(const Matrix& x, const Matrix& eps) const override;

 private:
  void update(Vae& gradient);

  const Matrix& images_;
  Vae model_;
  std::vector<AdamState> states_;  // of each weight and bias, in the order of layers_of
  std::int64_t steps_ = 0;
};

}  // namespace latent

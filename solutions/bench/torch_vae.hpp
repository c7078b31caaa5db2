/// @file
/// PyTorch's counterpart of lab 04's VAE, for comparison.
#pragma once

#include <memory>

#include "vae_recipe.hpp"

namespace latent {

/// The same network made of torch::nn::Linear, differentiated by autograd, stepped by
/// torch::optim::Adam.
class TorchVae : public Trainee {
 public:
  /// @param initial  The weights to begin with; copied.
  /// @param images   What to train on, shape `[N, D]`; copied.
  TorchVae(const Vae& initial, const Matrix& images);
  ~TorchVae() override;

  void step(std::span<const Index> rows, const Matrix& eps, StepTimes& times) override;
  double neg_elbo(const Matrix& x, const Matrix& eps) const override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// @return  How many threads PyTorch's own operators use; products have BLAS's.
int torch_threads();

/// @param threads  For PyTorch's own operators from now on.
void set_torch_threads(int threads);

}  // namespace latent

// 6_vae_train_step.cpp on a GPU: what the contract says, around 6_vae_train_step.cu. The contract
// hands the whole state in and out, so here it travels both ways with every step, and the
// loss between its halves; a training keeps a device::VaeTrainer instead, and hands batches to
// device::vae_train_step.

#include <utility>

#include "vae_on_device.hpp"

namespace latent {

using namespace vae_on_device;

namespace {

/// As the functions that the plain solution calls do.
void require_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta) {
  require_forward(state.model, x, eps);
  require(beta >= 0.0, "beta_loss: expected no negative beta, got " + std::to_string(beta));
  require(x.size() > 0, "mse_loss: expected at least one element, got shape " + shape_of(x));
  require(eps.size() > 0,
          "kl_standard_normal: expected at least one element, got " + shape_of(eps));
  for (const Vae* moment : {&state.first_moment, &state.second_moment})
    require_sizes(*moment, sizes_of(state.model));
  require(state.steps >= 0,
          "adam_step: expected a step of at least 1, got " + std::to_string(state.steps + 1));
}

/// What `vae_loss` has left: `vae_update` will add to the gradients of mu and log_var.
BetaLoss loss_of(const device::VaeTrainer& trainer, double beta) {
  const device::VaeActivations& direct = trainer.back;
  const Index n = direct.n, latents = trainer.sizes.l;
  double terms[2];
  trainer.terms.copy_to(terms);
  return {terms[0] + beta * terms[1],
          terms[0],
          terms[1],
          implied_decoder_variance(beta, 1),
          {fetched(direct.x_hat, n, trainer.sizes.d), fetched(direct.mu, n, latents),
           fetched(direct.log_var, n, latents)}};
}

}  // namespace

VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  require_step(state, x, eps, beta);
  const device::VaeSizes sizes = sizes_of(state.model);
  const auto samples = on_device(x), noise = on_device(eps);
  device::VaeTrainer trainer(sizes, x.rows());
  trainer.parameters = packed(state.model, sizes);
  trainer.first_moment = packed(state.first_moment, sizes);
  trainer.second_moment = packed(state.second_moment, sizes);
  trainer.steps = state.steps;
  device::vae_loss(trainer, samples.data(), noise.data(), beta);
  BetaLoss loss = loss_of(trainer, beta);
  device::vae_update(trainer, samples.data(), noise.data(),
                     {options.learning_rate, options.beta1, options.beta2, options.epsilon});
  return {{unpacked(trainer.parameters, sizes), unpacked(trainer.first_moment, sizes),
           unpacked(trainer.second_moment, sizes), trainer.steps},
          std::move(loss),
          unpacked(trainer.gradient, sizes)};
}

}  // namespace latent

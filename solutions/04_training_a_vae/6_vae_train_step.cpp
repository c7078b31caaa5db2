#include <array>
#include <utility>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {
namespace {

std::array<Layer*, 5> layers_of(Vae& vae) {
  return {&vae.encoder_hidden, &vae.heads.mu, &vae.heads.log_var, &vae.decoder_hidden,
          &vae.decoder_output};
}

}  // namespace

VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  const VaePass pass = vae_forward(state.model, x, eps);
  const BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  VaeStep step{state, loss, vae_backward(state.model, x, eps, pass, loss.gradient)};
  VaeTraining& after = step.after;
  ++after.steps;
  const auto update = [&](auto& parameter, auto& m, auto& v, const auto& gradient) {
    AdamState moved = adam_step({std::move(parameter), std::move(m), std::move(v)}, gradient,
                                after.steps, options);
    parameter = std::move(moved.parameter);
    m = std::move(moved.first_moment);
    v = std::move(moved.second_moment);
  };
  for (std::size_t i = 0; i < 5; ++i) {
    Layer &layer = *layers_of(after.model)[i], &m = *layers_of(after.first_moment)[i];
    Layer &v = *layers_of(after.second_moment)[i], &gradient = *layers_of(step.gradient)[i];
    update(layer.weight, m.weight, v.weight, gradient.weight);
    update(layer.bias, m.bias, v.bias, gradient.bias);
  }
  return step;
}

}  // namespace latent

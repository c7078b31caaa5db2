#include "solution_vae.hpp"

#include <cmath>

#include "common/random.hpp"

namespace latent {
namespace {

std::array<Layer*, 5> layers_of(Vae& vae) {
  return {&vae.encoder_hidden, &vae.heads.mu, &vae.heads.log_var, &vae.decoder_hidden,
          &vae.decoder_output};
}

Layer initial_layer(Random& random, Index in, Index out) {
  const double reach = 1.0 / std::sqrt(static_cast<double>(in));
  Layer layer{Matrix(out, in), RowVector(out)};
  for (float& w : layer.weight.reshaped()) w = static_cast<float>(random.uniform(-reach, reach));
  for (float& b : layer.bias) b = static_cast<float>(random.uniform(-reach, reach));
  return layer;
}

}  // namespace

Vae initial_vae(std::uint64_t seed, std::uint64_t stream, Index pixels) {
  Random random(seed, stream);
  Vae vae;
  vae.encoder_hidden = initial_layer(random, pixels, kHidden);
  vae.heads.mu = initial_layer(random, kHidden, kLatent);
  vae.heads.log_var = initial_layer(random, kHidden, kLatent);
  vae.decoder_hidden = initial_layer(random, kLatent, kHidden);
  vae.decoder_output = initial_layer(random, kHidden, pixels);
  return vae;
}

SolutionVae::SolutionVae(Vae initial, const Matrix& images)
    : images_(images), model_(std::move(initial)) {
  for (const Layer* layer : layers_of(model_)) {
    const Matrix weight = Matrix::Zero(layer->weight.rows(), layer->weight.cols());
    const Matrix bias = Matrix::Zero(1, layer->bias.cols());
    states_.push_back({{}, weight, weight});
    states_.push_back({{}, bias, bias});
  }
}

void SolutionVae::step(std::span<const Index> rows, const Matrix& eps, StepTimes& times) {
  Matrix x(std::ssize(rows), images_.cols());
  for (Index i = 0; i < x.rows(); ++i) x.row(i) = images_.row(rows[static_cast<std::size_t>(i)]);
  times.ended(StepTimes::kBatchOfImages);
  const VaePass pass = vae_forward(model_, x, eps);
  times.ended(StepTimes::kForward);
  Loss reconstruction = bce_with_logits(pass.x_hat, x);
  KlStandardNormal kl = kl_standard_normal(pass.q.mu, pass.q.log_var);
  times.ended(StepTimes::kLoss);
  Vae gradient =
      vae_backward(model_, x, eps, pass,
                   {std::move(reconstruction.gradient), std::move(kl.mu), std::move(kl.log_var)});
  times.ended(StepTimes::kBackward);
  update(gradient);
  times.ended(StepTimes::kAdam);
}

double SolutionVae::neg_elbo(const Matrix& x, const Matrix& eps) const {
  const VaePass pass = vae_forward(model_, x, eps);
  return bce_with_logits(pass.x_hat, x).value + kl_standard_normal(pass.q.mu, pass.q.log_var).value;
}

void SolutionVae::update(Vae& gradient) {
  ++steps_;
  auto state = states_.begin();
  const auto move = [&](auto& parameter, const auto& its_gradient) {
    state->parameter = std::move(parameter);
    *state = adam_step(*state, its_gradient, steps_, {.learning_rate = kLearningRate});
    parameter = std::move(state->parameter);
    ++state;
  };
  for (std::size_t i = 0; i < 5; ++i) {
    move(layers_of(model_)[i]->weight, layers_of(gradient)[i]->weight);
    move(layers_of(model_)[i]->bias, layers_of(gradient)[i]->bias);
  }
}

}  // namespace latent

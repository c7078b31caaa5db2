// A VAE in training, whole or with a part left out.

#include "common/optimizer.hpp"
#include "parts.hpp"

namespace latent::run04 {

Matrix through(const Matrix& x, const Layer& layer) {
  return linear_forward(x, layer.weight, layer.bias);
}

Matrix decode(const Vae& model, const Matrix& z) {
  return through(tanh_forward(through(z, model.decoder_hidden)), model.decoder_output);
}

Matrix sigmoid(const Matrix& logits) {
  return (1.0F + (-logits.array()).exp()).inverse();
}

NamedTensors tensors_of(Vae& model) {
  return layers_by_name<Layer>({{"encoder_hidden", &model.encoder_hidden},
                                {"mu", &model.heads.mu},
                                {"log_var", &model.heads.log_var},
                                {"decoder_hidden", &model.decoder_hidden},
                                {"decoder_output", &model.decoder_output}});
}

Vae initial_model(Index size, Index hidden, Index latent, std::uint64_t seed) {
  Random random(seed, kWeights);
  const auto layer = [&](Index out, Index in) {
    return Layer{initial_weight(out, in, random), RowVector::Zero(out)};
  };
  return {layer(hidden, size),
          {layer(latent, hidden), layer(latent, hidden)},
          layer(hidden, latent),
          layer(size, hidden)};
}

std::function<double(std::int64_t)> always(double beta) {
  return [beta](std::int64_t) { return beta; };
}

Terms terms_of(const VaePass& pass, const Matrix& x, double beta, bool bernoulli) {
  if (!bernoulli) {
    BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
    return {loss.reconstruction, loss.kl, std::move(loss.gradient)};
  }
  const Loss loss = bce_with_logits(pass.x_hat, x);
  const KlStandardNormal kl = kl_standard_normal(pass.q.mu, pass.q.log_var);
  const auto weight = static_cast<float>(beta);
  return {loss.value, kl.value, {loss.gradient, weight * kl.mu, weight * kl.log_var}};
}

Matrix noise_for(const Matrix& x, const Vae& model, Random& random, bool wanted) {
  const Index latent = model.heads.mu.weight.rows();
  return wanted ? random.normal_matrix(x.rows(), latent) : Matrix::Zero(x.rows(), latent);
}

Trained train(Run& run, const Matrix& x, Vae model, const Plan& plan) {
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {plan.name, plan.steps, kBatch, {"reconstruction", "KL"}}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
    const Matrix batch = random_rows(x, kBatch, random);
    const Matrix eps = noise_for(batch, model, random, plan.noise);
    const VaePass pass = vae_forward(model, batch, eps);
    Terms terms = terms_of(pass, batch, plan.beta(training.step()), plan.bernoulli);
    if (!plan.reconstruction) terms.gradient.x_hat *= 0.0F;
    Vae gradient = vae_backward(model, batch, eps, pass, terms.gradient);
    // Large steps first; small ones later, or the noise of the batches keeps it from settling.
    const double left = 1.0 - double(training.step() - 1) / static_cast<double>(plan.steps);
    adam.step(tensors_of(gradient), training.step(), {.learning_rate = plan.rate * left});
    training.record({terms.reconstruction, terms.kl});
  }
  return {model, training.curve(0, 200), training.curve(1, 200)};
}

Look look_at(const Vae& model, const Matrix& x, std::uint64_t seed, bool bernoulli, bool noise) {
  Random random(seed, kChoice);
  const Matrix eps = noise_for(x, model, random, noise);
  Look look{vae_forward(model, x, eps), {}};
  look.terms = terms_of(look.pass, x, 1.0, bernoulli);
  return look;
}

std::string yes(bool met) {
  return met ? "yes" : "no";
}

Matrix prior(const Run& run, Index count, Index latent) {
  return Random(run.seed(), kPrior).normal_matrix(count, latent);
}

}  // namespace latent::run04

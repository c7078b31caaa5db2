// The calls that the chapter on lab 04 shows. Compiled with the handbook,
// so that they cannot go stale.

#include <cmath>

#include "training_a_vae.hpp"

namespace {

using namespace latent;

double weights(std::int64_t t) {
  //! [annealing]
  const double once = linear_anneal(t, /*start=*/0, /*end=*/1000, 0.0, 1.0);
  const double again =
      cyclical_anneal(t, /*total=*/4000, /*cycles=*/4, /*ramp=*/0.5, 1.0);
  //! [annealing]
  return once + again;
}

double price(const Matrix& x, const VaePass& pass, double beta) {
  //! [beta_loss]
  const BetaLoss loss =
      beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  const double s = std::sqrt(implied_decoder_variance(beta, 1));
  //! [beta_loss]
  return loss.total + s;
}

Matrix coins(const Matrix& logits, const Matrix& x) {
  //! [bce_with_logits]
  const Loss loss = bce_with_logits(logits, x);  // .value, .gradient
  //! [bce_with_logits]
  return loss.gradient;
}

std::int64_t water(double beta) {
  //! [rate_distortion_law]
  const DoubleVector spectrum{{3.0, 1.2, 0.3, 0.1}};
  const RateDistortion law = rate_distortion_law(spectrum, beta);
  //! [rate_distortion_law]
  return law.active;
}

Matrix forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  //! [vae_forward]
  const VaePass pass = vae_forward(model, x, eps);
  //! [vae_forward]
  return pass.x_hat;
}

Vae backward(const Vae& model, const Matrix& x, const Matrix& eps,
             const VaePass& pass, const BetaLoss& loss) {
  //! [vae_backward]
  const Vae gradient = vae_backward(model, x, eps, pass, loss.gradient);
  //! [vae_backward]
  return gradient;
}

double train(VaeTraining state, const Matrix& x, const Matrix& eps,
             double beta) {
  //! [vae_train_step]
  const VaeStep step = vae_train_step(state, x, eps, beta, AdamOptions{});
  state = step.after;
  //! [vae_train_step]
  return step.loss.total;
}

double free_nats(const Gaussian& q) {
  //! [free_bits]
  const FreeBits kl = free_bits(q.mu, q.log_var, /*floor=*/0.25);
  //! [free_bits]
  return kl.value;
}

std::int64_t alive(const Gaussian& q) {
  //! [active_units]
  const ActiveUnits units = active_units(q.mu, 0.01);
  //! [active_units]
  return units.count;
}

std::vector<std::int64_t> best(const DoubleVector& distortion,
                               const DoubleVector& rate) {
  //! [pareto_front]
  const auto front = pareto_front(distortion, rate);  // positions
  //! [pareto_front]
  return front;
}

}  // namespace

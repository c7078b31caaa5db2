// Right answers to lab 04 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "training_a_vae.hpp"

namespace latent {

// ---- 4.0 annealing -----------------------------------------------------------------------------

namespace anneal_clamped_share {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  if (end < start) throw std::invalid_argument("end before start");
  const auto length = static_cast<double>(end - start);
  const double share = length > 0.0
                           ? std::clamp(static_cast<double>(step - start) / length, 0.0, 1.0)
                           : (step < start ? 0.0 : 1.0);
  return from + (to - from) * share;
}
}  // namespace anneal_clamped_share
ALTERNATIVE(anneal_clamped_share, linear_anneal)

namespace anneal_weighted_mean {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(start <= end, "end before start");
  const std::int64_t now = std::min(step, end);
  if (now >= end) return to;
  const auto done = static_cast<double>(std::max<std::int64_t>(now - start, 0));
  const auto left = static_cast<double>(std::min(end - now, end - start));
  return done > 0.0 ? (from * left + to * done) / (left + done) : from;
}
}  // namespace anneal_weighted_mean
ALTERNATIVE(anneal_weighted_mean, linear_anneal)

namespace anneal_lerp {
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(!(end < start), "end before start");
  if (step < start) return from;
  if (step >= end) return to;
  return std::lerp(from, to, double(step - start) / double(end - start));
}
}  // namespace anneal_lerp
ALTERNATIVE(anneal_lerp, linear_anneal)

namespace cyclical_ceil {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  if (cycles < 1 || cycles > total) throw std::invalid_argument("cycles");
  if (step < 0 || step >= total) throw std::invalid_argument("step");
  if (!(ramp > 0.0) || !(ramp <= 1.0)) throw std::invalid_argument("ramp");
  const double length = static_cast<double>(total) / static_cast<double>(cycles);
  const double tau = std::fmod(static_cast<double>(step), std::ceil(length)) / length;
  return tau >= ramp ? top : top / ramp * tau;
}
}  // namespace cyclical_ceil
ALTERNATIVE(cyclical_ceil, cyclical_anneal)

namespace cyclical_counted {
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(total >= 1 && 1 <= cycles && cycles <= total, "cycles");
  require(0 <= step && step < total, "step");
  require(0.0 < ramp && ramp <= 1.0, "ramp");
  const std::int64_t period = total / cycles + (total % cycles == 0 ? 0 : 1);
  while (step >= period) step -= period;
  const double end_of_ramp = ramp * static_cast<double>(total) / static_cast<double>(cycles);
  return std::min(top, top * static_cast<double>(step) / end_of_ramp);
}
}  // namespace cyclical_counted
ALTERNATIVE(cyclical_counted, cyclical_anneal)

// ---- 4.1 beta_loss -----------------------------------------------------------------------------

namespace beta_one_pass {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta >= 0.0 && shape_of(x) == shape_of(x_hat) && shape_of(mu) == shape_of(log_var) &&
              x.rows() == mu.rows() && x.size() > 0 && mu.size() > 0,
          "beta or shapes");
  const auto n = static_cast<double>(x.rows());
  BetaLoss r{0.0, 0.0, 0.0, beta / 2.0, {x_hat, mu, log_var}};
  for (Index i = 0; i < x.size(); ++i) {
    const double error = double(x_hat.data()[i]) - double(x.data()[i]);
    r.reconstruction += error * error / n;
    r.gradient.x_hat.data()[i] = static_cast<float>(2.0 * error / n);
  }
  for (Index i = 0; i < mu.size(); ++i) {
    const double m = mu.data()[i], l = log_var.data()[i];
    r.kl += (m * m + std::exp(l) - 1.0 - l) / 2.0 / n;
    r.gradient.mu.data()[i] = static_cast<float>(beta * m / n);
    r.gradient.log_var.data()[i] = static_cast<float>(beta * (std::exp(l) - 1.0) / 2.0 / n);
  }
  r.total = r.reconstruction + beta * r.kl;
  return r;
}
}  // namespace beta_one_pass
ALTERNATIVE(beta_one_pass, beta_loss)

namespace beta_of_elbo {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta >= 0.0, "negative beta");
  // SSE is 2 s2 nll + const for any s2; 1/2 makes the factor 1.
  const NegElbo half = neg_elbo(x, x_hat, mu, log_var, 0.5);
  const double constant = 0.5 * static_cast<double>(x.cols()) * std::log(std::acos(-1.0));
  const double error = half.reconstruction - constant;
  return {
      error + beta * half.kl,
      error,
      half.kl,
      0.5 * beta,
      {half.x_hat, half.mu * static_cast<float>(beta), half.log_var * static_cast<float>(beta)}};
}
}  // namespace beta_of_elbo
ALTERNATIVE(beta_of_elbo, beta_loss)

namespace beta_arrays {
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  if (!(beta >= 0.0) || x.rows() != mu.rows()) throw std::invalid_argument("beta or rows");
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const Loss error = mse_loss(x_hat, x, Reduction::kSum);
  BetaLoss r;
  const auto n = static_cast<double>(x.rows());
  r.kl = kl.per_sample.sum() / n;
  r.reconstruction = error.value / n;
  r.total = r.reconstruction + beta * r.kl;
  r.decoder_var = beta * 0.5;
  r.gradient = {error.gradient / static_cast<float>(n), (beta * kl.mu.cast<double>()).cast<float>(),
                (beta * kl.log_var.cast<double>()).cast<float>()};
  return r;
}
}  // namespace beta_arrays
ALTERNATIVE(beta_arrays, beta_loss)

namespace variance_effective_beta {
double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  if (!(beta >= 0.0) || averaged_over <= 0) throw std::invalid_argument("out of range");
  const double effective = beta * static_cast<double>(averaged_over);
  return effective / 2.0;
}
}  // namespace variance_effective_beta
ALTERNATIVE(variance_effective_beta, implied_decoder_variance)

namespace beta_effective {
double beta_for_variance(double variance, std::int64_t averaged_over) {
  if (!(variance >= 0.0) || averaged_over <= 0) throw std::invalid_argument("out of range");
  return variance / (0.5 * static_cast<double>(averaged_over));
}
}  // namespace beta_effective
ALTERNATIVE(beta_effective, beta_for_variance)

// ---- 4.2 bce_with_logits -----------------------------------------------------------------------

namespace bce_two_softplus {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  require(shape_of(logits) == shape_of(x) && x.size() > 0, "shapes");
  require(x.minCoeff() >= 0.0F && x.maxCoeff() <= 1.0F, "x outside [0, 1]");
  const auto soft = [](double l) { return std::max(l, 0.0) + std::log1p(std::exp(-std::abs(l))); };
  const auto n = static_cast<double>(x.rows());
  Loss loss{0.0, Matrix(x.rows(), x.cols())};
  for (Index r = 0; r < x.rows(); ++r) {
    for (Index c = 0; c < x.cols(); ++c) {
      const double l = logits(r, c), p = x(r, c);
      loss.value += (p * soft(-l) + (1.0 - p) * soft(l)) / n;
      loss.gradient(r, c) = static_cast<float>((0.5 * (1.0 + std::tanh(0.5 * l)) - p) / n);
    }
  }
  return loss;
}
}  // namespace bce_two_softplus
ALTERNATIVE(bce_two_softplus, bce_with_logits)

namespace bce_textbook {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  if (logits.rows() != x.rows() || logits.cols() != x.cols() || x.size() == 0) {
    throw std::invalid_argument("shapes");
  }
  Loss loss{0.0, logits};
  const auto n = static_cast<float>(x.rows());
  for (Index i = 0; i < x.size(); ++i) {
    const double l = logits.data()[i], p = x.data()[i];
    if (!(p >= 0.0 && p <= 1.0)) throw std::invalid_argument("x outside [0, 1]");
    loss.value += std::max(l, 0.0) - l * p + std::log1p(std::exp(-std::abs(l)));
    const double odds = std::exp(-std::abs(l));
    const double sigmoid = l >= 0.0 ? 1.0 / (1.0 + odds) : odds / (1.0 + odds);
    loss.gradient.data()[i] = static_cast<float>(sigmoid - p) / n;
  }
  loss.value /= static_cast<double>(n);
  return loss;
}
}  // namespace bce_textbook
ALTERNATIVE(bce_textbook, bce_with_logits)

namespace bce_float_arrays {
Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  require_size(logits.rows(), x.rows(), "rows of logits");
  require_size(logits.cols(), x.cols(), "columns of logits");
  require(x.rows() > 0 && x.cols() > 0, "no element");
  require(!(x.array() < 0.0F).any() && !(x.array() > 1.0F).any(), "x outside [0, 1]");
  const auto n = static_cast<float>(x.rows());
  const Matrix tail =
      (-logits.array().abs()).exp().matrix().unaryExpr([](float e) { return std::log1p(e); });
  const Matrix cost = logits.cwiseMax(0.0F) - logits.cwiseProduct(x) + tail;
  const Matrix slope = 1.0F / (1.0F + (-logits.array()).exp()) - x.array();
  return {cost.cast<double>().sum() / n, slope / n};
}
}  // namespace bce_float_arrays
ALTERNATIVE(bce_float_arrays, bce_with_logits)

// ---- 4.3 rate_distortion_law -------------------------------------------------------------------

namespace law_from_formulas {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  if (!(beta > 0.0)) throw std::invalid_argument("beta");
  const Index size = variances.size();
  RateDistortion law{DoubleVector(size), DoubleVector(size), DoubleVector(size),
                     DoubleVector(size)};
  for (Index j = 0; j < size; ++j) {
    const double lambda = variances(j);
    if (!(lambda >= 0.0)) throw std::invalid_argument("variance");
    law.distortion(j) = std::min(lambda, beta / 2.0);
    law.rate(j) = std::max(0.0, 0.5 * std::log(2.0 * lambda / beta));
    law.weight(j) = std::sqrt(std::max(0.0, lambda - beta / 2.0));
    law.posterior_var(j) = std::min(1.0, beta / (2.0 * lambda));
    law.total_distortion += law.distortion(j);
    law.total_rate += law.rate(j);
    law.active += law.weight(j) > 0.0 ? 1 : 0;
  }
  return law;
}
}  // namespace law_from_formulas
ALTERNATIVE(law_from_formulas, rate_distortion_law)

namespace law_arrays {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  require(beta > 0.0 && !(variances.array() < 0.0).any(), "out of range");
  const double level = beta / 2.0;
  const Eigen::ArrayXd ratio = (variances.array() / level).max(1.0);
  RateDistortion law;
  law.distortion = variances.array().min(level).matrix();
  law.rate = (0.5 * ratio.log()).matrix();
  law.weight = ((ratio - 1.0) * level).sqrt().matrix();
  law.posterior_var = ratio.inverse().matrix();
  law.total_distortion = law.distortion.sum();
  law.total_rate = law.rate.sum();
  law.active = (variances.array() > level).count();
  return law;
}
}  // namespace law_arrays
ALTERNATIVE(law_arrays, rate_distortion_law)

namespace law_by_deviation {
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta) {
  require(beta > 0.0, "beta");
  RateDistortion law{variances, 0.0 * variances, 0.0 * variances, 0.0 * variances};
  for (Index j = 0; j < variances.size(); ++j) {
    require(variances(j) >= 0.0, "negative variance");
    law.posterior_var(j) = 1.0;
    if (2.0 * variances(j) <= beta) continue;
    const double s = std::sqrt(0.5 * beta), sigma = std::sqrt(variances(j));
    law.distortion(j) = s * s;
    law.rate(j) = std::log(sigma) - std::log(s);
    law.weight(j) = std::sqrt(sigma * sigma - s * s);
    law.posterior_var(j) = (s / sigma) * (s / sigma);
    law.active += 1;
  }
  law.total_distortion = std::accumulate(law.distortion.begin(), law.distortion.end(), 0.0);
  law.total_rate = std::accumulate(law.rate.begin(), law.rate.end(), 0.0);
  return law;
}
}  // namespace law_by_deviation
ALTERNATIVE(law_by_deviation, rate_distortion_law)

// ---- 4.4 vae_forward ---------------------------------------------------------------------------

namespace forward_one_expression {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const auto& [hidden, heads, inner, outer] = model;
  const Matrix h = tanh_forward(linear_forward(x, hidden.weight, hidden.bias));
  const Gaussian q = gaussian_heads(h, heads);
  const Matrix z = reparameterize(q.mu, q.log_var, eps);
  const Matrix k = tanh_forward(linear_forward(z, inner.weight, inner.bias));
  return {h, q, z, k, linear_forward(k, outer.weight, outer.bias)};
}
}  // namespace forward_one_expression
ALTERNATIVE(forward_one_expression, vae_forward)

namespace forward_by_hand {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const auto layer = [](const Layer& of, const Matrix& in) -> Matrix {
    if (in.cols() != of.weight.cols() || of.bias.size() != of.weight.rows()) {
      throw std::invalid_argument("a layer does not fit");
    }
    return (in * of.weight.transpose()).rowwise() + of.bias;
  };
  VaePass pass;
  pass.encoder_hidden = layer(model.encoder_hidden, x).array().tanh();
  pass.q = {layer(model.heads.mu, pass.encoder_hidden),
            layer(model.heads.log_var, pass.encoder_hidden)};
  require(shape_of(eps) == shape_of(pass.q.mu) && shape_of(eps) == shape_of(pass.q.log_var), "eps");
  pass.z = pass.q.mu.array() + pass.q.log_var.array().exp().sqrt() * eps.array();
  pass.decoder_hidden = layer(model.decoder_hidden, pass.z).array().tanh();
  pass.x_hat = layer(model.decoder_output, pass.decoder_hidden);
  return pass;
}
}  // namespace forward_by_hand
ALTERNATIVE(forward_by_hand, vae_forward)

namespace forward_sigma_named {
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  VaePass pass;
  const Layer& one = model.encoder_hidden;
  pass.encoder_hidden = linear_forward(x, one.weight, one.bias);
  pass.encoder_hidden = tanh_forward(pass.encoder_hidden);
  pass.q = gaussian_heads(pass.encoder_hidden, model.heads);
  const Matrix sigma = std_from_logvar(pass.q.log_var);
  require_size(eps.rows(), sigma.rows(), "rows of eps");
  require_size(eps.cols(), sigma.cols(), "columns of eps");
  pass.z = pass.q.mu + sigma.cwiseProduct(eps);
  const Layer &three = model.decoder_hidden, &four = model.decoder_output;
  pass.decoder_hidden = tanh_forward(linear_forward(pass.z, three.weight, three.bias));
  pass.x_hat = linear_forward(pass.decoder_hidden, four.weight, four.bias);
  return pass;
}
}  // namespace forward_sigma_named
ALTERNATIVE(forward_sigma_named, vae_forward)

// ---- 4.5 vae_backward --------------------------------------------------------------------------

namespace backward_step_by_step {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  require(shape_of(loss.mu) == shape_of(pass.q.mu), "loss.mu");
  require(shape_of(loss.log_var) == shape_of(pass.q.log_var), "loss.log_var");
  Vae d;
  LinearGradients g = linear_backward(loss.x_hat, pass.decoder_hidden, model.decoder_output.weight);
  d.decoder_output = {g.weight, g.bias};
  g = linear_backward(tanh_backward(g.x, pass.decoder_hidden), pass.z, model.decoder_hidden.weight);
  d.decoder_hidden = {g.weight, g.bias};
  Gaussian q = reparameterize_backward(g.x, pass.q.mu, pass.q.log_var, eps);
  q.mu += loss.mu;
  q.log_var += loss.log_var;
  const GaussianHeadsGradients two =
      gaussian_heads_backward(q.mu, q.log_var, pass.encoder_hidden, model.heads);
  d.heads = two.heads;
  g = linear_backward(tanh_backward(two.hidden, pass.encoder_hidden), x,
                      model.encoder_hidden.weight);
  d.encoder_hidden = {g.weight, g.bias};
  return d;
}
}  // namespace backward_step_by_step
ALTERNATIVE(backward_step_by_step, vae_backward)

namespace backward_from_z {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  require(shape_of(loss.mu) == shape_of(eps) && shape_of(loss.log_var) == shape_of(eps) &&
              shape_of(pass.z) == shape_of(eps),
          "shapes");
  const auto d4 = linear_backward(loss.x_hat, pass.decoder_hidden, model.decoder_output.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, pass.decoder_hidden), pass.z,
                                  model.decoder_hidden.weight);
  // Half of the distance from the mean is sigma eps / 2.
  const Matrix dmu = d3.x + loss.mu;
  const Matrix dl = 0.5F * d3.x.cwiseProduct(pass.z - pass.q.mu) + loss.log_var;
  const auto m = linear_backward(dmu, pass.encoder_hidden, model.heads.mu.weight);
  const auto l = linear_backward(dl, pass.encoder_hidden, model.heads.log_var.weight);
  const auto d1 = linear_backward(tanh_backward(m.x + l.x, pass.encoder_hidden), x,
                                  model.encoder_hidden.weight);
  return {{d1.weight, d1.bias},
          {{m.weight, m.bias}, {l.weight, l.bias}},
          {d3.weight, d3.bias},
          {d4.weight, d4.bias}};
}
}  // namespace backward_from_z
ALTERNATIVE(backward_from_z, vae_backward)

namespace backward_paths_apart {
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  for (const Matrix* direct : {&loss.mu, &loss.log_var}) {
    require(shape_of(*direct) == shape_of(eps), "a gradient of the KL has another shape");
  }
  const auto layer = [](const LinearGradients& g) { return Layer{g.weight, g.bias}; };
  const auto d4 = linear_backward(loss.x_hat, pass.decoder_hidden, model.decoder_output.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, pass.decoder_hidden), pass.z,
                                  model.decoder_hidden.weight);
  const Gaussian by_error = reparameterize_backward(d3.x, pass.q.mu, pass.q.log_var, eps);
  const auto a =
      gaussian_heads_backward(by_error.mu, by_error.log_var, pass.encoder_hidden, model.heads);
  const auto b = gaussian_heads_backward(loss.mu, loss.log_var, pass.encoder_hidden, model.heads);
  const auto sum = [](const Layer& one, const Layer& two) {
    return Layer{one.weight + two.weight, one.bias + two.bias};
  };
  const Matrix dh = tanh_backward(a.hidden + b.hidden, pass.encoder_hidden);
  return {layer(linear_backward(dh, x, model.encoder_hidden.weight)),
          {sum(a.heads.mu, b.heads.mu), sum(a.heads.log_var, b.heads.log_var)},
          layer(d3),
          layer(d4)};
}
}  // namespace backward_paths_apart
ALTERNATIVE(backward_paths_apart, vae_backward)

// ---- 4.6 vae_train_step ------------------------------------------------------------------------

namespace step_layer_by_layer {

struct OneLayer {
  Layer &p, &m, &v;
};

void advance(const OneLayer& layer, const Layer& g, std::int64_t t, const AdamOptions& options) {
  const AdamState weight =
      adam_step({layer.p.weight, layer.m.weight, layer.v.weight}, g.weight, t, options);
  const AdamState bias = adam_step({layer.p.bias, layer.m.bias, layer.v.bias}, g.bias, t, options);
  layer.p = {weight.parameter, bias.parameter.row(0)};
  layer.m = {weight.first_moment, bias.first_moment.row(0)};
  layer.v = {weight.second_moment, bias.second_moment.row(0)};
}

VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  const VaePass pass = vae_forward(state.model, x, eps);
  const BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  const Vae g = vae_backward(state.model, x, eps, pass, loss.gradient);
  VaeTraining next = state;
  auto& [p, m, v, t] = next;
  t = state.steps + 1;
  advance({p.encoder_hidden, m.encoder_hidden, v.encoder_hidden}, g.encoder_hidden, t, options);
  advance({p.heads.mu, m.heads.mu, v.heads.mu}, g.heads.mu, t, options);
  advance({p.heads.log_var, m.heads.log_var, v.heads.log_var}, g.heads.log_var, t, options);
  advance({p.decoder_hidden, m.decoder_hidden, v.decoder_hidden}, g.decoder_hidden, t, options);
  advance({p.decoder_output, m.decoder_output, v.decoder_output}, g.decoder_output, t, options);
  return {next, loss, g};
}
}  // namespace step_layer_by_layer
ALTERNATIVE(step_layer_by_layer, vae_train_step)

namespace step_pointers {
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  VaeStep out;
  out.after = state;
  const VaePass pass = vae_forward(state.model, x, eps);
  out.loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  out.gradient = vae_backward(state.model, x, eps, pass, out.loss.gradient);
  const auto layers = [](Vae& v) {
    return std::vector<Layer*>{&v.encoder_hidden, &v.heads.mu, &v.heads.log_var, &v.decoder_hidden,
                               &v.decoder_output};
  };
  const auto p = layers(out.after.model), m = layers(out.after.first_moment),
             v = layers(out.after.second_moment), g = layers(out.gradient);
  out.after.steps += 1;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const AdamState w = adam_step({p[i]->weight, m[i]->weight, v[i]->weight}, g[i]->weight,
                                  out.after.steps, options);
    const AdamState b =
        adam_step({p[i]->bias, m[i]->bias, v[i]->bias}, g[i]->bias, out.after.steps, options);
    *p[i] = {w.parameter, b.parameter};
    *m[i] = {w.first_moment, b.first_moment};
    *v[i] = {w.second_moment, b.second_moment};
  }
  return out;
}
}  // namespace step_pointers
ALTERNATIVE(step_pointers, vae_train_step)

namespace step_adam_by_hand {

template <typename Tensor>
void move(Tensor& p, Tensor& m, Tensor& v, const Tensor& g, double t, const AdamOptions& o) {
  require(shape_of(m) == shape_of(p) && shape_of(v) == shape_of(p), "a moment's shape");
  for (Index i = 0; i < p.size(); ++i) {
    const double slope = g.data()[i];
    const double first = o.beta1 * m.data()[i] + (1.0 - o.beta1) * slope;
    const double second = o.beta2 * v.data()[i] + (1.0 - o.beta2) * slope * slope;
    m.data()[i] = static_cast<float>(first);
    v.data()[i] = static_cast<float>(second);
    const double root = std::sqrt(second / (1.0 - std::pow(o.beta2, t))) + o.epsilon;
    p.data()[i] -=
        static_cast<float>(o.learning_rate * first / (1.0 - std::pow(o.beta1, t)) / root);
  }
}

VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options) {
  require(state.steps >= 0, "negative steps");
  const VaePass pass = vae_forward(state.model, x, eps);
  const BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, beta);
  VaeStep out{state, loss, vae_backward(state.model, x, eps, pass, loss.gradient)};
  const auto t = static_cast<double>(++out.after.steps);
  const auto both = [&](Layer& p, Layer& m, Layer& v, const Layer& g) {
    move(p.weight, m.weight, v.weight, g.weight, t, options);
    move(p.bias, m.bias, v.bias, g.bias, t, options);
  };
  auto& [p, m, v, steps] = out.after;
  const Vae& g = out.gradient;
  both(p.encoder_hidden, m.encoder_hidden, v.encoder_hidden, g.encoder_hidden);
  both(p.heads.mu, m.heads.mu, v.heads.mu, g.heads.mu);
  both(p.heads.log_var, m.heads.log_var, v.heads.log_var, g.heads.log_var);
  both(p.decoder_hidden, m.decoder_hidden, v.decoder_hidden, g.decoder_hidden);
  both(p.decoder_output, m.decoder_output, v.decoder_output, g.decoder_output);
  return out;
}
}  // namespace step_adam_by_hand
ALTERNATIVE(step_adam_by_hand, vae_train_step)

// ---- 4.7 free_bits -----------------------------------------------------------------------------

namespace free_one_pass {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  require(floor >= 0.0 && shape_of(mu) == shape_of(log_var) && mu.size() > 0, "out of range");
  const auto samples = static_cast<double>(mu.rows());
  FreeBits r{0.0, DoubleVector::Zero(mu.cols()), 0.0F * mu, 0.0F * log_var};
  for (Index j = 0; j < mu.cols(); ++j) {
    for (Index n = 0; n < mu.rows(); ++n) {
      const double m = mu(n, j), l = log_var(n, j);
      r.per_dimension(j) += (m * m + std::expm1(l) - l) / 2.0;
    }
    r.per_dimension(j) /= samples;
    r.value += r.per_dimension(j) >= floor ? r.per_dimension(j) : floor;
    for (Index n = 0; n < mu.rows() && r.per_dimension(j) >= floor; ++n) {
      r.mu(n, j) = static_cast<float>(mu(n, j) / samples);
      r.log_var(n, j) = static_cast<float>(std::expm1(double(log_var(n, j))) / 2.0 / samples);
    }
  }
  return r;
}
}  // namespace free_one_pass
ALTERNATIVE(free_one_pass, free_bits)

namespace free_arrays {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  if (!(floor >= 0.0) || mu.rows() != log_var.rows() || mu.cols() != log_var.cols() ||
      mu.size() == 0) {
    throw std::invalid_argument("free_bits");
  }
  const Eigen::ArrayXXd m = mu.cast<double>(), l = log_var.cast<double>();
  const Eigen::ArrayXXd growth = l.unaryExpr([](double v) { return std::expm1(v); });
  const auto samples = static_cast<double>(mu.rows());
  FreeBits r;
  r.per_dimension = (0.5 * (m.square() + growth - l)).colwise().mean().transpose();
  r.value = r.per_dimension.cwiseMax(floor).sum();
  const Eigen::ArrayXd pass = (r.per_dimension.array() >= floor).cast<double>() / samples;
  r.mu = (m.rowwise() * pass.transpose()).cast<float>();
  r.log_var = ((0.5 * growth).rowwise() * pass.transpose()).cast<float>();
  return r;
}
}  // namespace free_arrays
ALTERNATIVE(free_arrays, free_bits)

namespace free_column_calls {
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  require(floor >= 0.0, "negative floor");
  require_size(log_var.rows(), mu.rows(), "rows of log_var");
  require_size(log_var.cols(), mu.cols(), "columns of log_var");
  require(mu.rows() > 0 && mu.cols() > 0, "no element");
  FreeBits r{0.0, DoubleVector(mu.cols()), Matrix::Zero(mu.rows(), mu.cols()),
             Matrix::Zero(mu.rows(), mu.cols())};
  for (Index j = 0; j < mu.cols(); ++j) {
    const KlStandardNormal kl = kl_standard_normal(mu.col(j), log_var.col(j));
    r.per_dimension(j) = kl.value;
    r.value += std::max(kl.value, floor);
    if (kl.value < floor) continue;
    r.mu.col(j) = kl.mu;
    r.log_var.col(j) = kl.log_var;
  }
  return r;
}
}  // namespace free_column_calls
ALTERNATIVE(free_column_calls, free_bits)

// ---- 4.8 active_units --------------------------------------------------------------------------

namespace active_two_loops {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  if (mu.size() == 0 || !(threshold >= 0.0)) throw std::invalid_argument("active_units");
  const auto samples = static_cast<double>(mu.rows());
  ActiveUnits units{DoubleVector::Zero(mu.cols()), 0};
  for (Index j = 0; j < mu.cols(); ++j) {
    double mean = 0.0;
    for (Index n = 0; n < mu.rows(); ++n) mean += mu(n, j);
    mean /= samples;
    for (Index n = 0; n < mu.rows(); ++n) {
      units.variance(j) += (mu(n, j) - mean) * (mu(n, j) - mean) / samples;
    }
    units.count += units.variance(j) > threshold;
  }
  return units;
}
}  // namespace active_two_loops
ALTERNATIVE(active_two_loops, active_units)

namespace active_welford {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  require(mu.rows() > 0 && mu.cols() > 0, "no element");
  require(threshold >= 0.0, "negative threshold");
  DoubleVector mean = DoubleVector::Zero(mu.cols()), squares = mean;
  for (Index n = 0; n < mu.rows(); ++n) {
    const DoubleVector away = mu.row(n).transpose().cast<double>() - mean;
    mean += away / static_cast<double>(n + 1);
    squares.array() += away.array() * (mu.row(n).transpose().cast<double>() - mean).array();
  }
  squares /= static_cast<double>(mu.rows());
  return {squares, (squares.array() > threshold).count()};
}
}  // namespace active_welford
ALTERNATIVE(active_welford, active_units)

namespace active_shifted {
ActiveUnits active_units(const Matrix& mu, double threshold) {
  require(mu.size() > 0, "no element");
  require(!(threshold < 0.0), "negative threshold");
  using Array = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic>;
  // A variance does not change when a constant is taken away, and near 0 squares keep their digits.
  const Array near = (mu.rowwise() - mu.row(0)).cast<double>().array();
  const Eigen::ArrayXd means = near.colwise().mean().transpose();
  const Eigen::ArrayXd squares = near.square().colwise().mean().transpose();
  ActiveUnits units;
  units.variance = (squares - means.square()).max(0.0).matrix();
  for (const double v : units.variance) units.count += v > threshold ? 1 : 0;
  return units;
}
}  // namespace active_shifted
ALTERNATIVE(active_shifted, active_units)

// ---- 4.9 pareto_front --------------------------------------------------------------------------

namespace front_sort_and_sweep {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  if (distortion.size() != rate.size()) throw std::invalid_argument("sizes");
  if (distortion.hasNaN() || rate.hasNaN()) throw std::invalid_argument("NaN");
  std::vector<std::int64_t> order(static_cast<std::size_t>(rate.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::pair(distortion(a), rate(a)) < std::pair(distortion(b), rate(b));
  });
  std::vector<std::int64_t> front;
  for (const std::int64_t i : order) {
    if (front.empty() || rate(i) < rate(front.back())) front.push_back(i);
  }
  std::sort(front.begin(), front.end());
  return front;
}
}  // namespace front_sort_and_sweep
ALTERNATIVE(front_sort_and_sweep, pareto_front)

namespace front_none_of {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require(distortion.size() == rate.size(), "sizes");
  require((distortion.array() == distortion.array()).all(), "NaN");
  require((rate.array() == rate.array()).all(), "NaN");
  const auto beats = [&](Index j, Index i) {
    if (distortion(j) > distortion(i) || rate(j) > rate(i)) return false;
    if (distortion(j) < distortion(i) || rate(j) < rate(i)) return true;
    return j < i;
  };
  std::vector<std::int64_t> front;
  for (Index i = 0; i < rate.size(); ++i) {
    Index j = 0;
    while (j < rate.size() && !beats(j, i)) ++j;
    if (j == rate.size()) front.push_back(i);
  }
  return front;
}
}  // namespace front_none_of
ALTERNATIVE(front_none_of, pareto_front)

namespace front_grown {
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate) {
  require_size(distortion.size(), rate.size(), "size of distortion");
  std::set<std::int64_t> front;
  for (Index i = 0; i < rate.size(); ++i) {
    if (std::isnan(distortion(i)) || std::isnan(rate(i))) throw std::invalid_argument("NaN");
    const auto no_worse = [&](Index a, Index b) {
      return distortion(a) <= distortion(b) && rate(a) <= rate(b);
    };
    if (std::any_of(front.begin(), front.end(), [&](Index j) { return no_worse(j, i); })) continue;
    std::erase_if(front, [&](Index j) { return no_worse(i, j); });
    front.insert(i);
  }
  return {front.begin(), front.end()};
}
}  // namespace front_grown
ALTERNATIVE(front_grown, pareto_front)

}  // namespace latent

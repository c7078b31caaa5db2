#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  require(real.size() > 0 && fake.size() > 0,
          "hinge_d_loss: expected logits, got " + shape_of(real) + " and " + shape_of(fake));
  const Matrix short_of = 1.0F - real.array(), beyond = 1.0F + fake.array();
  const double value = 0.5 * (short_of.cwiseMax(0.0F).cast<double>().mean() +
                              beyond.cwiseMax(0.0F).cast<double>().mean());
  const float per_real = 0.5F / static_cast<float>(real.size());
  const float per_fake = 0.5F / static_cast<float>(fake.size());
  return {value, -per_real * (short_of.array() > 0.0F).cast<float>(),
          per_fake * (beyond.array() > 0.0F).cast<float>()};
}

GeneratorLoss g_loss(const Matrix& fake) {
  require(fake.size() > 0, "g_loss: expected logits, got " + shape_of(fake));
  const float each = 1.0F / static_cast<float>(fake.size());
  return {-fake.cast<double>().mean(), Matrix::Constant(fake.rows(), fake.cols(), -each)};
}

double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  require_size(d_adversarial.rows(), d_nll.rows(), "adaptive_weight: rows of d_adversarial");
  require_size(d_adversarial.cols(), d_nll.cols(), "adaptive_weight: columns of d_adversarial");
  require(weight >= 0.0, "adaptive_weight: expected weight >= 0, got " + std::to_string(weight));
  const double ratio = d_nll.cast<double>().norm() / (d_adversarial.cast<double>().norm() + 1e-4);
  return weight * std::min(ratio, 1e4);
}

double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  return step < threshold ? 0.0 : weight;
}

LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  require(x.size() > 0 && x.shape() == x_hat.shape(),
          "ldm_total_loss: expected two batches of one shape, got " + shape_of(x) + " and " +
              shape_of(x_hat));
  require_size(perceptual.size(), x.n(), "ldm_total_loss: size of perceptual");
  require_size(kl.size(), x.n(), "ldm_total_loss: size of kl");
  const Index elements = x.size() / x.n();
  double sum = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double l1 = std::abs(static_cast<double>(x.data()[i]) - x_hat.data()[i]);
    const double error = l1 + weights.perceptual * perceptual(i / elements);
    sum += error / std::exp(weights.log_var) + weights.log_var;
  }
  LdmLoss loss;
  loss.reconstruction = sum / static_cast<double>(x.n());
  loss.kl = weights.kl * kl.mean();
  loss.adversarial = adversarial.g_loss * adversarial.adaptive * adversarial.factor;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}

}  // namespace latent

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {
namespace {

void require_divisor(std::int64_t averaged_over) {
  require(averaged_over >= 1,
          "averaged_over: expected at least 1, got " + std::to_string(averaged_over));
}

}  // namespace

double implied_decoder_variance(double beta, std::int64_t averaged_over) {
  require(beta >= 0.0,
          "implied_decoder_variance: expected no negative beta, got " + std::to_string(beta));
  require_divisor(averaged_over);
  return 0.5 * beta * static_cast<double>(averaged_over);
}

double beta_for_variance(double variance, std::int64_t averaged_over) {
  require(variance >= 0.0,
          "beta_for_variance: expected no negative variance, got " + std::to_string(variance));
  require_divisor(averaged_over);
  return 2.0 * variance / static_cast<double>(averaged_over);
}

BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta) {
  require(beta >= 0.0, "beta_loss: expected no negative beta, got " + std::to_string(beta));
  require_size(mu.rows(), x.rows(), "beta_loss: rows of mu");
  const Loss error = mse_loss(x_hat, x, Reduction::kBatchMean);
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const auto weight = static_cast<float>(beta);
  return {error.value + beta * kl.value,
          error.value,
          kl.value,
          implied_decoder_variance(beta, 1),
          {error.gradient, weight * kl.mu, weight * kl.log_var}};
}

}  // namespace latent

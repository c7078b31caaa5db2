// 1_beta_loss.cpp on a GPU: what the contract says, around 1_beta_loss.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "training_a_vae.hpp"

namespace latent {
namespace {

void require_divisor(std::int64_t averaged_over) {
  require(averaged_over >= 1,
          "averaged_over: expected at least 1, got " + std::to_string(averaged_over));
}

/// As mse_loss and kl_standard_normal refuse.
void require_shapes(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var) {
  require_size(mu.rows(), x.rows(), "beta_loss: rows of mu");
  require(x_hat.rows() == x.rows() && x_hat.cols() == x.cols(),
          "mse_loss: expected x_hat of shape " + shape_of(x) + ", got " + shape_of(x_hat));
  require(x.size() > 0, "mse_loss: expected at least one element, got shape " + shape_of(x));
  require_size(log_var.rows(), mu.rows(), "kl_standard_normal: rows of log_var");
  require_size(log_var.cols(), mu.cols(), "kl_standard_normal: columns of log_var");
  require(mu.size() > 0, "kl_standard_normal: expected at least one element, got " + shape_of(mu));
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
  require_shapes(x, x_hat, mu, log_var);
  const device::Buffer<float> data(x.data(), x.size()), made(x_hat.data(), x.size()),
      mean(mu.data(), mu.size()), width(log_var.data(), mu.size());
  device::Buffer<double> on_device(2), per_sample(mu.rows());
  device::Buffer<float> dx_hat(x.size()), dmu(mu.size()), dlog_var(mu.size());
  device::beta_loss(data.data(), made.data(), mean.data(), width.data(), beta, on_device.data(),
                    per_sample.data(), dx_hat.data(), dmu.data(), dlog_var.data(), x.rows(),
                    x.cols(), mu.cols());
  double terms[2];
  on_device.copy_to(terms);
  BetaLoss loss{
      terms[0] + beta * terms[1],
      terms[0],
      terms[1],
      implied_decoder_variance(beta, 1),
      {Matrix(x.rows(), x.cols()), Matrix(mu.rows(), mu.cols()), Matrix(mu.rows(), mu.cols())}};
  dx_hat.copy_to(loss.gradient.x_hat.data());
  dmu.copy_to(loss.gradient.mu.data());
  dlog_var.copy_to(loss.gradient.log_var.data());
  return loss;
}

}  // namespace latent

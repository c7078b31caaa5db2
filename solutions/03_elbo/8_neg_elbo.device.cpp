// 8_neg_elbo.cpp on a GPU: what the contract says, around 8_neg_elbo.cu and
// 1_kl_standard_normal.cu.

#include "common/require.hpp"
#include "elbo.hpp"
#include "kernels.hpp"

namespace latent {
namespace {

/// As gaussian_nll and kl_standard_normal refuse.
void require_shapes(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var) {
  require_size(mu.rows(), x.rows(), "neg_elbo: rows of mu");
  require_size(x_hat.rows(), x.rows(), "gaussian_nll: rows of mean, log_var");
  require_size(x_hat.cols(), x.cols(), "gaussian_nll: columns of mean, log_var");
  require(x.size() > 0, "gaussian_nll: expected at least one element, got " + shape_of(x));
  require_size(log_var.rows(), mu.rows(), "kl_standard_normal: rows of log_var");
  require_size(log_var.cols(), mu.cols(), "kl_standard_normal: columns of log_var");
  require(mu.size() > 0, "kl_standard_normal: expected at least one element, got " + shape_of(mu));
}

}  // namespace

NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0,
          "neg_elbo: expected decoder_var above 0, got " + std::to_string(decoder_var));
  require_shapes(x, x_hat, mu, log_var);
  const device::Buffer<float> data(x.data(), x.size()), made(x_hat.data(), x.size()),
      mean(mu.data(), mu.size()), width(log_var.data(), mu.size());
  device::Buffer<float> dx_hat(x.size()), dmu(mu.size()), dlog_var(mu.size());
  device::Buffer<double> per_sample(mu.rows()), reconstruction(1), kl(1);
  device::gaussian_reconstruction(data.data(), made.data(), reconstruction.data(), dx_hat.data(),
                                  x.rows(), x.cols(), decoder_var);
  device::kl_standard_normal(mean.data(), width.data(), per_sample.data(), kl.data(), dmu.data(),
                             dlog_var.data(), mu.rows(), mu.cols());
  NegElbo loss{0.0,
               0.0,
               0.0,
               Matrix(x.rows(), x.cols()),
               Matrix(mu.rows(), mu.cols()),
               Matrix(mu.rows(), mu.cols())};
  reconstruction.copy_to(&loss.reconstruction);
  kl.copy_to(&loss.kl);
  loss.total = loss.reconstruction + loss.kl;
  dx_hat.copy_to(loss.x_hat.data());
  dmu.copy_to(loss.mu.data());
  dlog_var.copy_to(loss.log_var.data());
  return loss;
}

}  // namespace latent

// 4_reparameterize.cpp on a GPU: what the contract says, around 4_reparameterize.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  require_size(log_var.rows(), mu.rows(), "reparameterize: rows of log_var");
  require_size(log_var.cols(), mu.cols(), "reparameterize: columns of log_var");
  require_size(eps.rows(), mu.rows(), "reparameterize: rows of eps");
  require_size(eps.cols(), mu.cols(), "reparameterize: columns of eps");
  const device::Buffer<float> mean(mu.data(), mu.size()), width(log_var.data(), mu.size()),
      noise(eps.data(), mu.size());
  device::Buffer<float> drawn(mu.size());
  device::reparameterize(mean.data(), width.data(), noise.data(), drawn.data(), mu.size());
  Matrix z(mu.rows(), mu.cols());
  drawn.copy_to(z.data());
  return z;
}

}  // namespace latent

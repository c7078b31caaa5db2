// 5_reparameterize_backward.cpp on a GPU: what the contract says, around
// 5_reparameterize_backward.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "reparameterization.hpp"

namespace latent {

Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  for (const Matrix* other : {&mu, &log_var, &eps}) {
    require_size(other->rows(), dz.rows(), "reparameterize_backward: rows of mu, log_var, eps");
    require_size(other->cols(), dz.cols(), "reparameterize_backward: columns of mu, log_var, eps");
  }
  const device::Buffer<float> from(dz.data(), dz.size()), width(log_var.data(), dz.size()),
      noise(eps.data(), dz.size());
  device::Buffer<float> dmu(dz.size()), dlog_var(dz.size());
  device::reparameterize_backward(from.data(), width.data(), noise.data(), dmu.data(),
                                  dlog_var.data(), dz.size());
  Gaussian gradient{Matrix(dz.rows(), dz.cols()), Matrix(dz.rows(), dz.cols())};
  dmu.copy_to(gradient.mu.data());
  dlog_var.copy_to(gradient.log_var.data());
  return gradient;
}

}  // namespace latent

// 5_vq_losses.cpp on a GPU: what the contract says, around the kernel of 5_vq_losses.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "requirements.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  require_size(codebook.cols(), z_e.cols(), "vq_losses: columns of codebook");
  require_loss_arguments(z_e, beta, "vq_losses");
  require_indices(indices, z_e.rows(), codebook.rows(), "vq_losses");
  const device::Buffer<float> rows(z_e.data(), z_e.size()), codes(codebook.data(), codebook.size());
  const device::Buffer<std::int64_t> chosen(indices.data(), z_e.rows());
  device::Buffer<double> of_all(1);
  device::sqdist_to_codes(rows.data(), codes.data(), chosen.data(), of_all.data(), z_e.rows(),
                          z_e.cols());
  double sum = 0.0;
  of_all.copy_to(&sum);
  const double mean = sum / static_cast<double>(z_e.size());
  return {reconstruction, mean, beta * mean, reconstruction + mean + beta * mean};
}

}  // namespace latent

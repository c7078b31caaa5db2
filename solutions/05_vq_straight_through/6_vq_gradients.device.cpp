// 6_vq_gradients.cpp on a GPU: what the contract says, around the kernels of 6_vq_gradients.cu. The
// gradient that goes straight through and the three that are zero need no device.

#include "common/require.hpp"
#include "kernels.hpp"
#include "requirements.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  require_loss_arguments(z_e, beta, "vq_gradients");
  require_indices(indices, z_e.rows(), codebook.rows(), "vq_gradients");
  const VqInputGradients through = vq_straight_through_backward(dz_q, z_e, codebook);
  const VqInputGradients none{Matrix::Zero(z_e.rows(), z_e.cols()), through.codebook};
  VqGradients gradients{through, none, none};
  const device::Buffer<float> rows(z_e.data(), z_e.size()), codes(codebook.data(), codebook.size());
  const device::Buffer<std::int64_t> chosen(indices.data(), z_e.rows());
  device::Buffer<float> d_z_e(z_e.size()), d_codebook(codebook.size());
  device::vq_gradients(rows.data(), codes.data(), chosen.data(), static_cast<float>(beta),
                       d_z_e.data(), d_codebook.data(), z_e.rows(), codebook.rows(), z_e.cols());
  d_z_e.copy_to(gradients.commitment.z_e.data());
  d_codebook.copy_to(gradients.codebook.codebook.data());
  return gradients;
}

}  // namespace latent

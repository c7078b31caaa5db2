// 4_vq_straight_through.cpp on a GPU: what the contract says, around the kernels of
// 4_vq_straight_through.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "requirements.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  require_rows_and_codes(z_e, codebook);
  const device::Buffer<float> rows(z_e.data(), z_e.size()), codes(codebook.data(), codebook.size());
  device::Buffer<float> z_q(z_e.size());
  device::Buffer<std::int64_t> nearest(z_e.rows());
  device::vq_straight_through(rows.data(), codes.data(), z_q.data(), nearest.data(), z_e.rows(),
                              codebook.rows(), z_e.cols());
  VqOutput output{Matrix(z_e.rows(), z_e.cols()),
                  std::vector<std::int64_t>(static_cast<std::size_t>(z_e.rows()))};
  z_q.copy_to(output.z_q.data());
  nearest.copy_to(output.indices.data());
  return output;
}

// The gradient passes as it came; sending it to the device and back would be all there is to do.
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  require_size(dz_q.rows(), z_e.rows(), "vq_straight_through_backward: rows of dz_q");
  require_size(dz_q.cols(), z_e.cols(), "vq_straight_through_backward: columns of dz_q");
  require_size(codebook.cols(), z_e.cols(), "vq_straight_through_backward: columns of codebook");
  return {dz_q, Matrix::Zero(codebook.rows(), codebook.cols())};
}

}  // namespace latent

// 2_nearest_code.cpp on a GPU: what the contract says, around the kernels of 2_nearest_code.cu.

#include "kernels.hpp"
#include "requirements.hpp"
#include "vq_straight_through.hpp"

namespace latent {

std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require_rows_and_codes(z, codebook);
  const device::Buffer<float> rows(z.data(), z.size()), codes(codebook.data(), codebook.size());
  device::Buffer<std::int64_t> nearest(z.rows());
  device::nearest_code(rows.data(), codes.data(), nearest.data(), z.rows(), codebook.rows(),
                       z.cols());
  std::vector<std::int64_t> indices(static_cast<std::size_t>(z.rows()));
  nearest.copy_to(indices.data());
  return indices;
}

}  // namespace latent

// 2_assignment_stats.cpp on a GPU: what the contract says, around the kernels of
// 2_assignment_stats.cu.

#include "codebook_ema.hpp"
#include "common/require.hpp"
#include "kernels.hpp"
#include "solutions/05_vq_straight_through/requirements.hpp"

namespace latent {

ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require(codebook_size >= 1,
          "assignment_stats: expected at least one code, got " + std::to_string(codebook_size));
  require_indices(indices, z.rows(), codebook_size, "assignment_stats");
  const device::Buffer<float> rows(z.data(), z.size());
  const device::Buffer<std::int64_t> chosen(indices.data(), z.rows());
  device::Buffer<double> size(codebook_size);
  device::Buffer<float> sum(codebook_size * z.cols());
  device::assignment_stats(rows.data(), chosen.data(), size.data(), sum.data(), z.rows(),
                           codebook_size, z.cols());
  ClusterStats batch{DoubleVector(codebook_size), Matrix(codebook_size, z.cols())};
  size.copy_to(batch.size.data());
  sum.copy_to(batch.sum.data());
  return batch;
}

}  // namespace latent

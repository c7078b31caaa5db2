#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require(codebook_size >= 1,
          "assignment_stats: expected at least one code, got " + std::to_string(codebook_size));
  require_size(static_cast<Index>(indices.size()), z.rows(), "assignment_stats: number of indices");
  ClusterStats batch{DoubleVector::Zero(codebook_size), Matrix::Zero(codebook_size, z.cols())};
  Index n = 0;
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook_size, "assignment_stats: expected an index below " +
                                             std::to_string(codebook_size) + ", got " +
                                             std::to_string(k));
    batch.size(k) += 1.0;
    batch.sum.row(k) += z.row(n++);
  }
  return batch;
}

}  // namespace latent

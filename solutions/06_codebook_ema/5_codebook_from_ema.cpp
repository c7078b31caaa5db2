#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  require_size(average.sum.rows(), average.size.size(), "codebook_from_ema: number of sums");
  const DoubleVector size = laplace_smooth(average.size, epsilon);
  require(size.sum() > 0.0, "codebook_from_ema: expected a size above 0, got none");
  Matrix codebook = average.sum;
  codebook.array().colwise() /= size.cast<float>().array();
  return codebook;
}

}  // namespace latent

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(codebook.rows() > 0, "nearest_code: expected at least one code, got none");
  require(z.allFinite() && codebook.allFinite(),
          "nearest_code: expected finite numbers, got one that is infinite or none at all");
  const Matrix distances = pairwise_sqdist(z, codebook);
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < distances.rows(); ++n) {
    Index nearest = 0;
    for (Index k = 1; k < distances.cols(); ++k) {
      if (distances(n, k) < distances(n, nearest)) nearest = k;  // <, so that the first one stays
    }
    indices.push_back(nearest);
  }
  return indices;
}

}  // namespace latent

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require_size(codebook.cols(), z.cols(), "pairwise_sqdist: columns of codebook");
  Matrix distances(z.rows(), codebook.rows());
  for (Index n = 0; n < z.rows(); ++n) {
    // Differences first: nothing large is ever squared, so nothing large has to cancel.
    distances.row(n) = (codebook.rowwise() - z.row(n)).rowwise().squaredNorm().transpose();
  }
  return distances;
}

}  // namespace latent

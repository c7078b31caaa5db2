#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  require(z_e.size() > 0, "vq_losses: expected at least one element, got " + shape_of(z_e));
  require_size(codebook.cols(), z_e.cols(), "vq_losses: columns of codebook");
  require_size(static_cast<Index>(indices.size()), z_e.rows(), "vq_losses: number of indices");
  require(beta >= 0.0, "vq_losses: expected beta >= 0, got " + std::to_string(beta));
  double sum = 0.0;
  Index n = 0;
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook.rows(), "vq_losses: expected an index below " +
                                               std::to_string(codebook.rows()) + ", got " +
                                               std::to_string(k));
    sum += (z_e.row(n++) - codebook.row(k)).cast<double>().squaredNorm();
  }
  const double mean = sum / static_cast<double>(z_e.size());
  return {reconstruction, mean, beta * mean, reconstruction + mean + beta * mean};
}

}  // namespace latent

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

Matrix first_centroids(const Matrix& z, std::int64_t codebook_size,
                       const std::vector<std::int64_t>& order) {
  require(codebook_size >= 1,
          "kmeans_init: expected at least one code, got " + std::to_string(codebook_size));
  require(static_cast<std::int64_t>(order.size()) >= codebook_size,
          "kmeans_init: expected at least " + std::to_string(codebook_size) +
              " row numbers in order, got " + std::to_string(order.size()));
  for (const std::int64_t row : order) {
    require(row >= 0 && row < z.rows(), "kmeans_init: expected a row number below " +
                                            std::to_string(z.rows()) + ", got " +
                                            std::to_string(row));
  }
  Matrix centroids(codebook_size, z.cols());
  auto row = order.begin();
  for (Index k = 0; k < codebook_size; ++k) centroids.row(k) = z.row(*row++);
  return centroids;
}

}  // namespace

EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  require(iterations >= 0,
          "kmeans_init: expected iterations >= 0, got " + std::to_string(iterations));
  Matrix centroids = first_centroids(z, codebook_size, order);
  ClusterStats rows = assignment_stats(z, nearest_code(z, centroids), codebook_size);
  for (std::int64_t i = 0; i < iterations; ++i) {
    for (Index k = 0; k < codebook_size; ++k) {
      if (rows.size(k) > 0.0) centroids.row(k) = rows.sum.row(k) / static_cast<float>(rows.size(k));
    }
    rows = assignment_stats(z, nearest_code(z, centroids), codebook_size);
  }
  // A centroid without rows counts as its own: with size 0 the first update would send it to 0.
  const DoubleVector size = rows.size.cwiseMax(1.0);
  return {centroids, {size, size.cast<float>().asDiagonal() * centroids}, 0};
}

}  // namespace latent

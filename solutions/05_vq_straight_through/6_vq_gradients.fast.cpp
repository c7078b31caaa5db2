// 6_vq_gradients.cpp, made fast.
//
// 1. Each of the six matrices is made once, where it stays: the plain version makes matrices of
//    zeros and copies them.
// 2. A row's pull is used up as it arises. The plain version gives each a matrix of its own, which
//    for 64 numbers costs more than they do.

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

void require_fitting(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                     const std::vector<std::int64_t>& indices, double beta) {
  require(z_e.size() > 0, "vq_gradients: expected at least one element, got " + shape_of(z_e));
  require_size(dz_q.rows(), z_e.rows(), "vq_gradients: rows of dz_q");
  require_size(dz_q.cols(), z_e.cols(), "vq_gradients: columns of dz_q");
  require_size(codebook.cols(), z_e.cols(), "vq_gradients: columns of codebook");
  require_size(static_cast<Index>(indices.size()), z_e.rows(), "vq_gradients: number of indices");
  require(beta >= 0.0, "vq_gradients: expected beta >= 0, got " + std::to_string(beta));
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook.rows(), "vq_gradients: expected an index below " +
                                               std::to_string(codebook.rows()) + ", got " +
                                               std::to_string(k));
  }
}

}  // namespace

VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  require_fitting(dz_q, z_e, codebook, indices, beta);
  const auto no_rows = Matrix::Zero(z_e.rows(), z_e.cols());
  const auto no_codes = Matrix::Zero(codebook.rows(), codebook.cols());
  VqGradients gradients{
      {dz_q, no_codes}, {no_rows, no_codes}, {Matrix(z_e.rows(), z_e.cols()), no_codes}};
  const float scale = 2.0F / static_cast<float>(z_e.size()), weight = static_cast<float>(beta);
  const Index columns = z_e.cols();
  for (Index n = 0; n < z_e.rows(); ++n) {
    const std::int64_t k = indices[static_cast<std::size_t>(n)];
    const float *row = z_e.data() + n * columns, *code = codebook.data() + k * columns;
    float* to_code = gradients.codebook.codebook.data() + k * columns;
    float* to_row = gradients.commitment.z_e.data() + n * columns;
    for (Index d = 0; d < columns; ++d) {
      const float pull = scale * (row[d] - code[d]);
      to_code[d] -= pull;  // -=: several rows may share a code
      to_row[d] = weight * pull;
    }
  }
  return gradients;
}

}  // namespace latent

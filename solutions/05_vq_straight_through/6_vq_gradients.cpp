#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

void require_fitting(const Matrix& z_e, const Matrix& codebook,
                     const std::vector<std::int64_t>& indices, double beta) {
  require(z_e.size() > 0, "vq_gradients: expected at least one element, got " + shape_of(z_e));
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
  require_fitting(z_e, codebook, indices, beta);
  const VqInputGradients through = vq_straight_through_backward(dz_q, z_e, codebook);
  const VqInputGradients none{Matrix::Zero(z_e.rows(), z_e.cols()), through.codebook};
  VqGradients gradients{through, none, none};
  const float scale = 2.0F / static_cast<float>(z_e.size());
  Index n = 0;
  for (const std::int64_t k : indices) {
    const RowVector pull = scale * (z_e.row(n) - codebook.row(k));
    gradients.codebook.codebook.row(k) -= pull;  // -=: several rows may share a code
    gradients.commitment.z_e.row(n++) = static_cast<float>(beta) * pull;
  }
  return gradients;
}

}  // namespace latent

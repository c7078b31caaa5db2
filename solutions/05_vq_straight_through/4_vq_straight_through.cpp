#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  VqOutput output{Matrix(z_e.rows(), z_e.cols()), nearest_code(z_e, codebook)};
  Index n = 0;
  for (const std::int64_t k : output.indices) output.z_q.row(n++) = codebook.row(k);
  return output;
}

VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  require_size(dz_q.rows(), z_e.rows(), "vq_straight_through_backward: rows of dz_q");
  require_size(dz_q.cols(), z_e.cols(), "vq_straight_through_backward: columns of dz_q");
  require_size(codebook.cols(), z_e.cols(), "vq_straight_through_backward: columns of codebook");
  return {dz_q, Matrix::Zero(codebook.rows(), codebook.cols())};
}

}  // namespace latent

#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses losses = vq_losses(0.0, z_e, codebook, indices, beta);
  const Matrix no_decoder = Matrix::Zero(z_e.rows(), z_e.cols());
  const VqGradients stopped = vq_gradients(no_decoder, z_e, codebook, indices, beta);
  const VqGradients both = vq_gradients(no_decoder, z_e, codebook, indices, 1.0);
  // One square, two receivers: without sg each gets what the term that names it would give it.
  return {{losses.codebook, both.commitment.z_e, both.codebook.codebook},
          {losses.total, stopped.commitment.z_e, stopped.codebook.codebook}};
}

}  // namespace latent

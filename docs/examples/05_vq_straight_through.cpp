// The calls that the chapter on lab 05 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "vq_straight_through.hpp"

namespace {

using namespace latent;
using Indices = std::vector<std::int64_t>;

Matrix distances(const Matrix& z, const Matrix& codebook) {
  //! [pairwise_sqdist]
  const Matrix d = pairwise_sqdist(z, codebook);  // [N, K]
  //! [pairwise_sqdist]
  return d;
}

Indices nearest(const Matrix& z, const Matrix& codebook) {
  //! [nearest_code]
  const Indices indices = nearest_code(z, codebook);
  //! [nearest_code]
  return indices;
}

Tensor4 there_and_back(const Tensor4& z) {
  //! [rows_from_nchw]
  const Matrix rows = rows_from_nchw(z);
  const Tensor4 again = nchw_from_rows(rows, z.shape());
  //! [rows_from_nchw]
  return again;
}

Matrix straight(const Matrix& z_e, const Matrix& codebook,
                const Matrix& dz_q) {
  //! [vq_straight_through]
  const VqOutput q =
      vq_straight_through(z_e, codebook);  // q.z_q, q.indices
  const VqInputGradients d =
      vq_straight_through_backward(dz_q, z_e, codebook);
  //! [vq_straight_through]
  return q.z_q + d.z_e;
}

double losses(double rec, const Matrix& z_e, const Matrix& codebook,
              const Indices& indices, double beta) {
  //! [vq_losses]
  const VqLosses loss = vq_losses(rec, z_e, codebook, indices, beta);
  // loss.codebook, loss.commitment, loss.total
  //! [vq_losses]
  return loss.total;
}

Matrix gradients(const Matrix& dz_q, const Matrix& z_e,
                 const Matrix& codebook, const Indices& indices,
                 double beta) {
  //! [vq_gradients]
  const VqGradients d = vq_gradients(dz_q, z_e, codebook, indices, beta);
  const Matrix dz_e =
      d.reconstruction.z_e + d.codebook.z_e + d.commitment.z_e;
  //! [vq_gradients]
  return dz_e;
}

double two_losses(const Matrix& z_e, const Matrix& codebook,
                  const Indices& indices, double beta) {
  //! [naive_loss_equivalence]
  const NaiveLossEquivalence both =
      naive_loss_equivalence(z_e, codebook, indices, beta);
  // both.naive.value, .z_e, .codebook; both.stopped likewise
  //! [naive_loss_equivalence]
  return both.stopped.value / both.naive.value;
}

}  // namespace

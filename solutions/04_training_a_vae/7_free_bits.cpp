#include <algorithm>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor) {
  require(floor >= 0.0, "free_bits: expected no negative floor, got " + std::to_string(floor));
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);  // refuses what does not fit
  FreeBits result{0.0, DoubleVector::Zero(mu.cols()), kl.mu, kl.log_var};
  for (Index j = 0; j < mu.cols(); ++j) {
    for (Index n = 0; n < mu.rows(); ++n) {
      result.per_dimension(j) += kl_standard_normal_1d(mu(n, j), log_var(n, j));
    }
    result.per_dimension(j) /= static_cast<double>(mu.rows());
    result.value += std::max(floor, result.per_dimension(j));
    if (result.per_dimension(j) < floor) {
      result.mu.col(j).setZero();
      result.log_var.col(j).setZero();
    }
  }
  return result;
}

}  // namespace latent

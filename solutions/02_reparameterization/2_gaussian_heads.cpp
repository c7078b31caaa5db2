#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  return {linear_forward(hidden, heads.mu.weight, heads.mu.bias),
          linear_forward(hidden, heads.log_var.weight, heads.log_var.bias)};
}

GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  const LinearGradients mu = linear_backward(dmu, hidden, heads.mu.weight);
  const LinearGradients log_var = linear_backward(dlog_var, hidden, heads.log_var.weight);
  return {mu.x + log_var.x, {{mu.weight, mu.bias}, {log_var.weight, log_var.bias}}};
}

}  // namespace latent

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix std_from_logvar(const Matrix& log_var) {
  return (0.5F * log_var.array()).exp();
}

Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  require_size(dstd.rows(), std.rows(), "std_from_logvar_backward: rows of dstd");
  require_size(dstd.cols(), std.cols(), "std_from_logvar_backward: columns of dstd");
  return 0.5F * dstd.array() * std.array();
}

}  // namespace latent

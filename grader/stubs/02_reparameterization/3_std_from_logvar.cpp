// 2.3 std_from_logvar and its backward: from the logarithm of a variance to a standard deviation.
// Roughly 1 and 3 lines.
// The contract is in reparameterization.hpp. Try it: ./lab grade 2.3    Stuck: ./lab hint 2.3

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix std_from_logvar(const Matrix& log_var) {
  // What undoes the logarithm, and what takes you from a variance to a standard deviation?
  // Is there a way to do both at once?
  return todo(log_var);
}

Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  // You are handed the forward pass's result. What is the derivative of an exponential in terms
  // of the exponential? And which factor comes from inside?
  return todo(dstd, std);
}

}  // namespace latent

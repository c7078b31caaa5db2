// 2.9 softplus, exp_parameterisation, softplus_parameterisation: is softplus a trap?  Roughly 1, 3
// and 3 lines.
// The contract is in reparameterization.hpp. Try it: ./lab grade 2.9    Stuck: ./lab hint 2.9

#include <cmath>

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

double softplus(double x) {
  // Try the formula as it stands at x = 800 and at x = -40. What is the largest part of the result
  // in each case, and can it be taken out of the logarithm?
  return todo(x);
}

SigmaParameterisation exp_parameterisation(double sigma) {
  // Solve sigma = exp(x / 2) for x. Then differentiate, and say the slope in terms of sigma.
  return todo(sigma);
}

SigmaParameterisation softplus_parameterisation(double sigma) {
  // Solve sigma = log(1 + e^x) for x. Differentiate with respect to x, then get rid of x again.
  // Which functions of <cmath> keep the digits of e^s - 1 and of log(1 + s) when s is tiny?
  return todo(sigma);
}

}  // namespace latent

// 3.3 gaussian_nll: what it costs to see x when the decoder expected something else.  Roughly 18
// lines, of which five refuse.
// The contract is in elbo.hpp. Try it: ./lab grade 3.3      Stuck: ./lab hint 3.3

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  // Write the density of one Gaussian down and take minus its logarithm: three terms. Which one
  // can be left out while you only descend, and why not if you want to call the result a bound?
  // For which log_var is the second gradient 0? Does that variance look familiar?
  return todo(x, mean, log_var);
}

}  // namespace latent

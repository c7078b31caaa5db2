// 2.4 reparameterize: a sample, written as a function of its mean and its width.  Roughly 5 lines,
// of which four refuse shapes that do not fit.
// The contract is in reparameterization.hpp. Try it: ./lab grade 2.4    Stuck: ./lab hint 2.4

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  // eps is standard normal and somebody else's. What do you do to it so that it has the width
  // that log_var names, and the centre mu?
  // What should come out where eps is 0? And where log_var is 0?
  return todo(mu, log_var, eps);
}

}  // namespace latent

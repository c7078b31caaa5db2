// 2.1 split_moments and its backward: one feature map becomes mean and log-variance.  Roughly 25
// lines for both, most of them loops.
// The contract is in reparameterization.hpp. Try it: ./lab grade 2.1    Stuck: ./lab hint 2.1

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

Moments split_moments(const Tensor4& moments) {
  // When does a number of channels have no half? Refuse that first.
  // Which channel of `moments` holds the log-variance that belongs to channel c of the mean?
  // Which of the two halves is limited, and why does the other one need no limits?
  return todo(moments);
}

Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  // Move a raw log-variance of 25 to 25.1: what does the clamped one do? And one of exactly 20?
  // Three shapes have to fit one another before any loop can run.
  return todo(dmean, dlog_var, moments);
}

}  // namespace latent

// 9.0 make_betas, cumulative_alphas and noise_sigmas: how much noise at which time.  Roughly 15,
// 9 and 5 lines, a third of them refusals.
// The contract is in denoising_step.hpp. Try it: ./lab grade 9.0    Stuck: ./lab hint 9.0

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  // T numbers from `first` to `last`, both included: how many gaps lie between them? And of what
  // are the gaps equal, in the second rule: of beta, or of its root? The cosine is a rule for a,
  // not for beta. How do you get a factor out of two products?
  return todo(kind, steps, first, last);
}

DoubleVector cumulative_alphas(const DoubleVector& betas) {
  // After timestep 0, has anything been multiplied yet? In which type does a product of a thousand
  // factors keep its digits?
  return todo(betas);
}

DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  // Write x_t as sqrt(a) times something. What stands before eps in the bracket?
  return todo(alphas_cumprod);
}

}  // namespace latent

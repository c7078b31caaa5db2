// 3.6 elbo_gap and bound_counterexample: the bound, what it lacks, and what it does not promise.
// Roughly 10 and 6 lines.
// The contract is in elbo.hpp. Try it: ./lab grade 3.6      Stuck: ./lab hint 3.6

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  // z is uncertain under q, so w z is too. What does that add to the expected squared error?
  // You have written KL(q || N(0, 1)), and you have the exact posterior. What is left to write?
  // The gap could be had by a subtraction. Why is it worth more if you do not?
  return todo(x, model, q);
}

BoundStep bound_counterexample(double x, double var) {
  // ELBO = log p(x) - gap. How can the left side rise while the first term on the right falls?
  // Which q has no gap at all, and how do you make one with a gap as large as you like?
  // p(x) is a Gaussian density around 0. For which width is it highest at x, and for which is it
  // low? Does your answer survive x = 0?
  return todo(x, var);
}

}  // namespace latent

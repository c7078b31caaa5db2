// 3.4 jensen_chain: the derivation of the bound, with a number for every line.  Roughly 22 lines,
// of which six refuse.
// The contract is in elbo.hpp. Try it: ./lab grade 3.4      Stuck: ./lab hint 3.4

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  // One loop over the states can collect everything but line 1. Which states does an expectation
  // under q run over?
  // It is tempting to copy line 1 into line 2. Give q a zero where the prior has none: what is each
  // of the two sums then?
  // What does 0 * log(0) give in C++, and what should it count as here?
  // Of the refusals, which one protects a logarithm, and which ones protect a meaning?
  return todo(prior, likelihood, q);
}

}  // namespace latent

// 2.6 pathwise_gradient and score_function_gradient: two unbiased ways to the same gradient.
// Roughly 2 and 4 lines.
// The contract is in reparameterization.hpp. Try it: ./lab grade 2.6    Stuck: ./lab hint 2.6

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  // You know dz/dmu and dz/dsigma from 2.5. What does the chain rule make of them, draw by draw?
  return todo(df, eps);
}

GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  // No derivative of f is at hand; log q is differentiated instead. Write log q(z) down on paper
  // first: two of its terms contain sigma.
  // What has to happen on average when f is a constant?
  return todo(f, z, mu, sigma);
}

}  // namespace latent

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {

GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  require_size(eps.size(), df.size(), "pathwise_gradient: size of eps");
  return {df, df.cwiseProduct(eps)};
}

GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  require_size(z.size(), f.size(), "score_function_gradient: size of z");
  require(sigma > 0.0, "score_function_gradient: expected sigma > 0, got " + std::to_string(sigma));
  const Eigen::ArrayXd eps = (z.array() - mu) / sigma;
  return {f.array() * eps / sigma, f.array() * (eps.square() - 1.0) / sigma};
}

}  // namespace latent

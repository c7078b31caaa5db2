#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {
namespace {

SigmaParameterisation with_slope(double sigma, double x, double dsigma_dx) {
  return {x, dsigma_dx, (sigma - 1.0 / sigma) * dsigma_dx};
}

}  // namespace

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

SigmaParameterisation exp_parameterisation(double sigma) {
  require(sigma > 0.0, "exp_parameterisation: expected sigma > 0, got " + std::to_string(sigma));
  return with_slope(sigma, 2.0 * std::log(sigma), sigma / 2.0);
}

SigmaParameterisation softplus_parameterisation(double sigma) {
  require(sigma > 0.0,
          "softplus_parameterisation: expected sigma > 0, got " + std::to_string(sigma));
  const double slope = -std::expm1(-sigma);  // sigmoid(x), and 1 - exp(-sigma) without cancelling
  return with_slope(sigma, sigma + std::log(slope), slope);
}

}  // namespace latent

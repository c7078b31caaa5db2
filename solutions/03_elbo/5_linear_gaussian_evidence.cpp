#include <cmath>
#include <numbers>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  require(model.var > 0.0, "linear_gaussian_evidence: expected a variance above 0, got " +
                               std::to_string(model.var));
  const double total = model.weight * model.weight + model.var;
  return {-0.5 * (std::log(2.0 * std::numbers::pi * total) + x * x / total),
          {model.weight * x / total, model.var / total}};
}

}  // namespace latent

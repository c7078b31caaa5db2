#include <cmath>
#include <numbers>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {
namespace {

double kl(const ScalarGaussian& q, const ScalarGaussian& p) {
  const double apart = (q.mean - p.mean) * (q.mean - p.mean);
  return 0.5 * (std::log(p.var / q.var) - 1.0 + (q.var + apart) / p.var);
}

}  // namespace

ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  require(q.var > 0.0, "elbo_gap: expected a variance of q above 0, got " + std::to_string(q.var));
  const ScalarGaussian posterior = linear_gaussian_evidence(x, model).posterior;
  const double miss = x - model.weight * q.mean;
  const double squared_error = miss * miss + model.weight * model.weight * q.var;
  const double reconstruction =
      -0.5 * (std::log(2.0 * std::numbers::pi * model.var) + squared_error / model.var);
  const double rate = kl_standard_normal_1d(q.mean, std::log(q.var));
  return {reconstruction, rate, reconstruction - rate, kl(q, posterior)};
}

BoundStep bound_counterexample(double x, double var) {
  require(var > 0.0,
          "bound_counterexample: expected a variance above 0, got " + std::to_string(var));
  // The evidence's variance is x^2 + var before, about right, and at least 100 times that after.
  const double good = x, poor = 10.0 * (std::abs(x) + std::sqrt(var));
  ScalarGaussian far_off = linear_gaussian_evidence(x, {good, var}).posterior;
  far_off.mean += 10.0;  // a gap of at least 50
  return {{good, far_off}, {poor, linear_gaussian_evidence(x, {poor, var}).posterior}};
}

}  // namespace latent

#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

/// The cosine's a, up to a factor, at a share u of the time.
double cosine_alpha(double u) {
  constexpr double kHalfPi = 1.57079632679489661923;
  const double cosine = std::cos((u + 0.008) / 1.008 * kHalfPi);
  return cosine * cosine;
}

}  // namespace

DoubleVector make_betas(BetaSchedule kind, std::int64_t steps, double first, double last) {
  require(steps >= 2, "make_betas: expected at least 2 steps, got " + std::to_string(steps));
  const bool cosine = kind == BetaSchedule::kCosine, scaled = kind == BetaSchedule::kScaledLinear;
  require(cosine || (0.0 < first && first <= last && last < 1.0),
          "make_betas: expected 0 < first <= last < 1, got " + std::to_string(first) + " and " +
              std::to_string(last));
  DoubleVector betas(steps);
  for (Index i = 0; i < steps; ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(steps);
    const double after = static_cast<double>(i + 1) / static_cast<double>(steps);
    const double share = static_cast<double>(i) / static_cast<double>(steps - 1);  // both ends
    const double root = std::sqrt(first) + (std::sqrt(last) - std::sqrt(first)) * share;
    betas(i) = cosine   ? std::min(1.0 - cosine_alpha(after) / cosine_alpha(u), 0.999)
               : scaled ? root * root
                        : first + (last - first) * share;
  }
  return betas;
}

DoubleVector cumulative_alphas(const DoubleVector& betas) {
  require(betas.size() > 0, "cumulative_alphas: expected at least one beta, got none");
  DoubleVector alphas_cumprod(betas.size());
  double product = 1.0;
  for (Index t = 0; t < betas.size(); ++t) {
    require(betas(t) >= 0.0 && betas(t) <= 1.0,
            "cumulative_alphas: expected a beta from 0 to 1, got " + std::to_string(betas(t)));
    product *= 1.0 - betas(t);
    alphas_cumprod(t) = product;
  }
  return alphas_cumprod;
}

DoubleVector noise_sigmas(const DoubleVector& alphas_cumprod) {
  for (const double a : alphas_cumprod) {
    require(a > 0.0 && a <= 1.0,
            "noise_sigmas: expected an a above 0, at most 1, got " + std::to_string(a));
  }
  return ((1.0 - alphas_cumprod.array()) / alphas_cumprod.array()).sqrt();
}

}  // namespace latent

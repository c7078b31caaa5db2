#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

void require_fitting(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                     const DoubleVector& alphas_cumprod) {
  require_size(eps.rows(), x0.rows(), "rows of eps");
  require_size(eps.cols(), x0.cols(), "columns of eps");
  require_size(static_cast<Index>(t.size()), x0.rows(), "number of timesteps");
  for (const std::int64_t step : t) {
    require(step >= 0 && step < alphas_cumprod.size(), "expected a timestep from 0 to below " +
                                                           std::to_string(alphas_cumprod.size()) +
                                                           ", got " + std::to_string(step));
  }
}

}  // namespace

Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  require_fitting(x0, eps, t, alphas_cumprod);
  Matrix x_t(x0.rows(), x0.cols());
  Index n = 0;
  for (const std::int64_t step : t) {
    const double a = alphas_cumprod(step);
    const auto signal = static_cast<float>(std::sqrt(a));
    const auto noise = static_cast<float>(std::sqrt(1.0 - a));
    x_t.row(n) = signal * x0.row(n) + noise * eps.row(n);
    ++n;
  }
  return x_t;
}

Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  return add_noise(eps, -x0, t, alphas_cumprod);  // the same turn, a quarter further on
}

}  // namespace latent

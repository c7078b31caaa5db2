#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  require_size(conditional.rows(), unconditional.rows(), "guidance: rows of conditional");
  require_size(conditional.cols(), unconditional.cols(), "guidance: columns of conditional");
  return unconditional + static_cast<float>(scale) * (conditional - unconditional);
}

Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  require(x0.cols() > 0, "dynamic_threshold: expected at least one column, got none");
  require(ratio >= 0.0 && ratio <= 1.0,
          "dynamic_threshold: expected a ratio from 0 to 1, got " + std::to_string(ratio));
  const double place = static_cast<double>(x0.cols() - 1) * ratio;
  const auto below = static_cast<Index>(std::floor(place));
  const Index above = std::min(below + 1, x0.cols() - 1);
  Matrix result = x0;
  for (Index n = 0; n < x0.rows(); ++n) {
    RowVector sorted = x0.row(n).cwiseAbs();
    std::sort(sorted.data(), sorted.data() + sorted.size());
    const double quantile =
        sorted(below) + (place - static_cast<double>(below)) * (sorted(above) - sorted(below));
    const auto limit = static_cast<float>(std::max(1.0, quantile));
    result.row(n) = x0.row(n).cwiseMax(-limit).cwiseMin(limit) / limit;
  }
  return result;
}

DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  const Index steps = alphas_cumprod.size();
  require(steps >= 2, "rescale: expected at least two, got " + std::to_string(steps));
  for (const double a : alphas_cumprod)
    require(a >= 0.0 && a <= 1.0, "rescale: expected an a from 0 to 1, got " + std::to_string(a));
  const double first = std::sqrt(alphas_cumprod(0)), last = std::sqrt(alphas_cumprod(steps - 1));
  require(first > last, "rescale: expected the first a above the last, got " +
                            std::to_string(alphas_cumprod(0)) + " and " +
                            std::to_string(alphas_cumprod(steps - 1)));
  const double stretch = first / (first - last);
  return ((alphas_cumprod.array().sqrt() - last) * stretch).square();
}

}  // namespace latent

#include "common/gradient_check.hpp"

#include <cmath>
#include <limits>

#include "common/require.hpp"

namespace latent {

GradientCheck check_gradient(const std::function<double(const Matrix&)>& f, const Matrix& x,
                             const Matrix& gradient) {
  require(x.rows() == gradient.rows() && x.cols() == gradient.cols(),
          "check_gradient: expected a gradient of shape " + shape_of(x) + ", got " +
              shape_of(gradient));
  GradientCheck worst;
  Matrix moved = x;
  for (Index i = 0; i < x.rows(); ++i) {
    for (Index j = 0; j < x.cols(); ++j) {
      const float step = 1e-2F * std::max(1.0F, std::abs(x(i, j)));
      const float above = x(i, j) + step, below = x(i, j) - step;
      moved(i, j) = above;
      const double f_above = f(moved);
      moved(i, j) = below;
      const double f_below = f(moved);
      moved(i, j) = x(i, j);
      // The floats above and below are not exactly one step away: divide by the true distance.
      const double numeric =
          (f_above - f_below) / (static_cast<double>(above) - static_cast<double>(below));
      const double analytic = gradient(i, j);
      double error = std::abs(analytic - numeric) / (1.0 + std::abs(numeric));
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      if (error > worst.worst_error) worst = {error, i, j, analytic, numeric};
    }
  }
  return worst;
}

}  // namespace latent

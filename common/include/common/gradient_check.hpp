/// @file
/// Compares a gradient with central differences: the tool to reach for when a backward function
/// looks right and the grader disagrees.
#pragma once

#include <functional>

#include "common/types.hpp"

namespace latent {

/// What `check_gradient` found.
struct GradientCheck {
  double worst_error = 0.0;  ///< Largest |analytic - numeric| / (1 + |numeric|).
  Index row = 0;             ///< Where it was found.
  Index col = 0;             ///< Where it was found.
  double analytic = 0.0;     ///< The gradient under test, there.
  double numeric = 0.0;      ///< (f(x + h) - f(x - h)) / 2h, there.
};

/// Central differences of a scalar function, element by element.
///
/// Floats carry about 7 digits, so the step is 1e-2 of the element's size and errors of about
/// 1e-3 are rounding, not mistakes. A forgotten factor shows as 0.5 or more.
///
/// @param f         The function; it is called twice per element of x.
/// @param x         Where to differentiate, shape `[N, D]`.
/// @param gradient  The gradient under test, same shape as x.
/// @return          The worst element.
/// @throws std::invalid_argument  if the shapes differ.
GradientCheck check_gradient(const std::function<double(const Matrix&)>& f, const Matrix& x,
                             const Matrix& gradient);

}  // namespace latent

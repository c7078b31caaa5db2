/// @file
/// Precompiled, and included before every learner file: the one slow header of a lab, once.
#ifndef LATENTLAB_PRELUDE_HPP  // not #pragma once: it is compiled on its own, as a main file
#define LATENTLAB_PRELUDE_HPP

#include "grader/wire/eigen_misuse.hpp"

// clang-format off
#include <Eigen/Core>
// clang-format on

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/random.hpp"
#include "common/require.hpp"
#include "common/types.hpp"

#endif

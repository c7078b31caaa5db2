/// @file
/// Precompiled, and included before every learner file: the one slow header of a lab, once.
#pragma once

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

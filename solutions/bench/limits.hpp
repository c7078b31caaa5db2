/// @file
/// What this machine can do at most, measured in the same run.
#pragma once

#include "contest.hpp"
#include "race.hpp"

namespace latent {

/// Two rates, of as many cores as everything else is given.
struct Limits {
  double copied = 0.0;      ///< Bytes read and written per second, of an array no cache holds.
  double multiplied = 0.0;  ///< Floating-point operations per second, of a product of matrices.
};

/// @param race  How to time.
/// @return      Both.
Limits measure_limits(const Race& race);

/// @param work    What has to be done.
/// @param limits  How fast it can be.
/// @return        The seconds it takes at least.
double least_seconds(const Work& work, const Limits& limits);

}  // namespace latent

/// @file
/// Contenders against the clock and against one another.
#pragma once

#include <string>
#include <vector>

#include "contest.hpp"

namespace latent {

/// How each contender is timed.
struct Race {
  int cores = 1;                ///< Threads of everybody.
  int repetitions = 7;          ///< In turns, whose order is drawn.
  double least_seconds = 0.05;  ///< Of a repetition.
};

/// @param contenders   Who takes part; they take turns.
/// @param own_threads  Whether the first one divides its work itself, so that BLAS must not.
/// @param race         How.
/// @return             The median of each contender's repetitions, in seconds a call.
std::vector<double> medians(const std::vector<const Contender*>& contenders, bool own_threads,
                            const Race& race);

/// How far two results are apart, as a sentence if that is too far.
struct Difference {
  double numbers = 0.0;  ///< The largest, relative to the largest number of the rival's.
  double indices = 1.0;  ///< The share of equal indices.
  std::string sentence;  ///< Empty if both are what rounding explains.
};

/// @param ours    Our result.
/// @param rivals  The other one.
/// @return        The difference.
Difference difference(const Result& ours, const Result& rivals);

}  // namespace latent

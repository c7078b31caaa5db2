/// @file
/// How a trace is shown and kept: a table for reading, JSON lines for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/types.hpp"

namespace latent {

/// One stage of a computation, in numbers. Whoever fills it in says how they were found.
struct TraceLine {
  std::string stage;            ///< For example "enc.1 block"; the table shows 16 bytes.
  Shape shape;                  ///< Of what the stage put out.
  std::string dtype = "F32";    ///< Of its elements.
  std::int64_t bytes = 0;       ///< Of it.
  double min = 0;               ///< Smallest element.
  double max = 0;               ///< Largest element.
  double mean = 0;              ///< Of its elements.
  double std = 0;               ///< Standard deviation of its elements.
  double absmax = 0;            ///< Largest magnitude.
  std::int64_t nan = 0;         ///< Elements that are no number.
  std::int64_t macs = 0;        ///< Multiply-accumulates of the stage.
  std::int64_t params = 0;      ///< Its weights and biases.
  std::int64_t live_bytes = 0;  ///< Most bytes alive while it ran.
  std::int64_t peak_bytes = 0;  ///< Most bytes alive up to here.
};

/// The trace as a table of at most 80 columns, a heading and one line per stage: shape, smallest
/// and largest element, mean and standard deviation, millions of multiply-accumulates, MiB alive. A
/// stage that put out something that is no number says so on a line of its own.
/// @param lines  In the order in which they happened.
/// @return       Lines of text, each ended.
std::string trace_table(const std::vector<TraceLine>& lines);

/// The trace as JSON lines, one object per stage with the members stage, shape, dtype, bytes, min,
/// max, mean, std, absmax, nan, macs, params, live_bytes, peak_bytes. What is infinite or no number
/// becomes null, since JSON has neither.
/// @param lines  In the order in which they happened.
/// @return       Lines of text, each ended.
std::string trace_jsonl(const std::vector<TraceLine>& lines);

}  // namespace latent

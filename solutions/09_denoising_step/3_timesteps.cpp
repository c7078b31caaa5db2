#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

/// Which timestep stands at place i of the ascending list.
std::int64_t ascending(TimestepSpacing spacing, std::int64_t i, std::int64_t train_steps,
                       std::int64_t steps, std::int64_t offset) {
  if (spacing == TimestepSpacing::kLeading) return i * (train_steps / steps) + offset;
  // One division per timestep, so that what lies halfway is halfway, and rint sees it.
  if (spacing == TimestepSpacing::kLinspace) {
    return std::llrint(static_cast<double>(i * (train_steps - 1)) / static_cast<double>(steps - 1));
  }
  return std::llrint(static_cast<double>((i + 1) * train_steps) / static_cast<double>(steps)) - 1;
}

}  // namespace

SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  const std::int64_t least = spacing == TimestepSpacing::kLinspace ? 2 : 1;
  require(steps >= least && steps <= train_steps,
          "sampling_timesteps: expected " + std::to_string(least) + " to " +
              std::to_string(train_steps) + " steps, got " + std::to_string(steps));
  SamplingSteps result;
  for (std::int64_t i = steps - 1; i >= 0; --i) {
    const std::int64_t t = ascending(spacing, i, train_steps, steps, offset);
    require(t >= 0 && t < train_steps, "sampling_timesteps: expected timesteps below " +
                                           std::to_string(train_steps) + ", got " +
                                           std::to_string(t));
    result.timesteps.push_back(t);
    if (i < steps - 1) result.previous.push_back(t);
  }
  result.previous.push_back(-1);
  return result;
}

}  // namespace latent

#include <algorithm>

#include "common/require.hpp"
#include "training_a_vae.hpp"

namespace latent {

double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to) {
  require(end >= start, "linear_anneal: expected an end from " + std::to_string(start) +
                            " on, got " + std::to_string(end));
  if (step >= end) return to;
  if (step <= start) return from;
  return from + (to - from) * static_cast<double>(step - start) / static_cast<double>(end - start);
}

double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top) {
  require(cycles >= 1 && cycles <= total, "cyclical_anneal: expected 1 to " +
                                              std::to_string(total) + " cycles, got " +
                                              std::to_string(cycles));
  require(step >= 0 && step < total, "cyclical_anneal: expected a step from 0 to below " +
                                         std::to_string(total) + ", got " + std::to_string(step));
  require(ramp > 0.0 && ramp <= 1.0,
          "cyclical_anneal: expected a ramp above 0, at most 1, got " + std::to_string(ramp));
  const std::int64_t period = (total + cycles - 1) / cycles;  // rounded up
  const double tau =
      static_cast<double>(step % period) * static_cast<double>(cycles) / static_cast<double>(total);
  return top * std::min(1.0, tau / ramp);
}

}  // namespace latent

#include <algorithm>

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

// The last step at which each tensor is alive.
std::vector<std::size_t> last_uses(const std::vector<GraphStep>& steps) {
  std::vector<std::size_t> last{0};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    require(!steps[i].inputs.empty(), "peak_activation_bytes: expected a step to read a tensor, " +
                                          std::to_string(i) + " reads none");
    for (const std::int64_t t : steps[i].inputs) {
      require(t >= 0 && t <= static_cast<std::int64_t>(i),
              "peak_activation_bytes: expected step " + std::to_string(i) +
                  " to read a tensor from 0 to " + std::to_string(i) + ", got " +
                  std::to_string(t));
      last[static_cast<std::size_t>(t)] = i;
    }
    last.push_back(i);  // unless somebody reads it, its own step is its last
  }
  return last;
}

}  // namespace

ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  require(!steps.empty(), "peak_activation_bytes: expected at least one step, got none");
  const std::vector<std::size_t> last = last_uses(steps);
  std::vector<std::int64_t> sizes{input_bytes};
  for (const GraphStep& step : steps) sizes.push_back(step.output_bytes);
  for (const std::int64_t size : sizes)
    require(size >= 0,
            "peak_activation_bytes: expected sizes of at least 0, got " + std::to_string(size));

  ActivationMemory memory;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::int64_t live = 0;
    for (std::size_t t = 0; t <= i + 1; ++t) live += last[t] >= i ? sizes[t] : 0;
    memory.live.push_back(live);
  }
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());  // the first of them
  memory.peak_bytes = *peak;
  memory.peak_step = peak - memory.live.begin();
  return memory;
}

}  // namespace latent

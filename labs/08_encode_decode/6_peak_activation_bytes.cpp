// 8.6 peak_activation_bytes: who is alive while a step runs?  Roughly 22 lines, half of them
// refusals.
// The contract is in encode_decode.hpp. Try it: ./lab grade 8.6    Stuck: ./lab hint 8.6

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {

ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  // For each tensor: at which step is it needed for the last time? And one that nobody reads?
  // Then, for each step: which tensors have been made, and are still needed?
  return todo(input_bytes, steps);
}

}  // namespace latent

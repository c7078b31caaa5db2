// 9.3 sampling_timesteps: S places out of T, and where each step goes.  Roughly 20 lines.
// The contract is in denoising_step.hpp. Try it: ./lab grade 9.3    Stuck: ./lab hint 9.3

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

SamplingSteps sampling_timesteps(TimestepSpacing spacing, std::int64_t train_steps,
                                 std::int64_t steps, std::int64_t offset) {
  // Write down T = 10, S = 4 for all three rules, by hand, before you write code. Which of the
  // three reaches timestep 9, which 0? Which step of which rule goes down by exactly T / S? So
  // where should `previous` be read from?
  return todo(spacing, train_steps, steps, offset);
}

}  // namespace latent

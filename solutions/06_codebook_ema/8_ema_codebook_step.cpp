#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  const VqOutput output = vq_straight_through(z_e, state.codebook);
  const VqLosses losses = vq_losses(0.0, z_e, state.codebook, output.indices, options.beta);
  EmaStep step{output, losses.commitment, state};
  if (!training) return step;
  // From here on nothing changes what this batch has seen; all of it is for the next one.
  EmaCodebook& next = step.state;
  const ClusterStats batch = assignment_stats(z_e, output.indices, state.codebook.rows());
  next.average = ema_decay(state.average, batch, options.decay);
  next.codebook = codebook_from_ema(next.average, options.epsilon);
  next.updates += 1;
  const std::vector<std::int32_t> dead =
      dead_mask(next.average.size, z_e.rows(), next.updates, options.decay, options.threshold);
  next = revive(next, dead, z_e, order);
  return step;
}

}  // namespace latent

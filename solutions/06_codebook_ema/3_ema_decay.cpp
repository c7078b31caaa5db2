#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  require_size(batch.size.size(), average.size.size(), "ema_decay: sizes of batch");
  require_size(batch.sum.rows(), average.sum.rows(), "ema_decay: sums of batch");
  require_size(batch.sum.cols(), average.sum.cols(), "ema_decay: columns of the sums of batch");
  require(decay >= 0.0 && decay < 1.0,
          "ema_decay: expected 0 <= decay < 1, got " + std::to_string(decay));
  const double fresh = 1.0 - decay;
  return {decay * average.size + fresh * batch.size,
          static_cast<float>(decay) * average.sum + static_cast<float>(fresh) * batch.sum};
}

}  // namespace latent

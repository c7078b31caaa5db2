// The calls that the chapter on lab 06 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "codebook_ema.hpp"

namespace {

using namespace latent;
using Indices = std::vector<std::int64_t>;

double usage(const Indices& indices) {
  //! [codebook_usage]
  const CodebookUsage u = codebook_usage(indices, 8192);
  const double perplexity = codebook_perplexity(indices, 8192);
  // u.used   u.share   std::log2(perplexity) is bits per index
  //! [codebook_usage]
  return u.share + perplexity;
}

ClusterStats statistics(const Matrix& z, const Indices& indices) {
  //! [assignment_stats]
  const ClusterStats batch = assignment_stats(z, indices, 8192);
  // batch.size [K]   batch.sum [K, D]
  //! [assignment_stats]
  return batch;
}

ClusterStats decayed(const ClusterStats& average,
                     const ClusterStats& batch) {
  //! [ema_decay]
  const ClusterStats next = ema_decay(average, batch, 0.99);
  //! [ema_decay]
  return next;
}

DoubleVector smoothed(const ClusterStats& average) {
  //! [laplace_smooth]
  const DoubleVector size = laplace_smooth(average.size, 1e-5);
  //! [laplace_smooth]
  return size;
}

Matrix codes(const ClusterStats& average) {
  //! [codebook_from_ema]
  const Matrix codebook = codebook_from_ema(average, 1e-5);
  //! [codebook_from_ema]
  return codebook;
}

EmaCodebook revival(const EmaCodebook& state, const Matrix& z,
                    const Indices& order) {
  //! [dead_mask]
  const std::vector<std::int32_t> dead =
      dead_mask(state.average.size, z.rows(), state.updates, 0.99, 0.1);
  //! [dead_mask]
  //! [revive]
  const EmaCodebook next = revive(state, dead, z, order);
  //! [revive]
  return next;
}

double training(const Matrix& z_e, EmaCodebook state,
                const Indices& order) {
  //! [ema_codebook_step]
  const EmaStep step =
      ema_codebook_step(z_e, state, order, EmaOptions{}, true);
  // step.output.z_q to the decoder, step.commitment to the loss
  state = step.state;
  //! [ema_codebook_step]
  return step.commitment;
}

EmaCodebook start(const Matrix& z, const Indices& order) {
  //! [kmeans_init]
  const EmaCodebook state = kmeans_init(z, 32, order, 10);
  //! [kmeans_init]
  return state;
}

}  // namespace

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  require(weight.h() >= 1, "streaming_conv: expected a tap, got a weight " + shape_of(weight));
  const Index memory = weight.h() - 1;
  Matrix seen = causal_pad(chunk, memory);
  if (cache.rows() > 0) {  // not the beginning: the past takes the copies' place
    require_size(cache.rows(), memory, "streaming_conv: rows of cache");
    require_size(cache.cols(), chunk.cols(), "streaming_conv: columns of cache");
    seen.topRows(memory) = cache;
  }
  // The first `memory` outputs belong to frames that earlier chunks have answered for.
  const Matrix y = causal_conv_time(seen, weight, bias, 1);
  return {y.bottomRows(chunk.rows()), seen.bottomRows(memory)};
}

}  // namespace latent

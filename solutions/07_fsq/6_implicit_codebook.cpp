#include <numeric>

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = fsq_codebook_size(levels);
  require(first >= 0 && first <= size, "implicit_codebook: expected first from 0 to " +
                                           std::to_string(size) + ", got " + std::to_string(first));
  const std::int64_t left = size - first;  // first + count <= size could overflow
  require(count >= 0 && count <= left, "implicit_codebook: expected count from 0 to " +
                                           std::to_string(left) + ", got " + std::to_string(count));
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return index_to_codes(indices, levels);
}

}  // namespace latent

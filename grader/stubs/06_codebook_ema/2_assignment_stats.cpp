// 6.2 assignment_stats: what does one batch say about each code?  Roughly 10 lines.
// The contract is in codebook_ema.hpp. Try it: ./lab grade 6.2    Stuck: ./lab hint 6.2

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  // One pass over the rows is enough: each adds to two places. To which?
  // How many sums are there if the last codes have no rows at all?
  return todo(z, indices, codebook_size);
}

}  // namespace latent

// 6.6 dead_mask: which codes are dead?  Roughly 9 lines, four of them refusals.
// The contract is in codebook_ema.hpp. Try it: ./lab grade 6.6    Stuck: ./lab hint 6.6

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  // 64 rows, 32 codes, all used alike: how many rows does each get? What is a tenth of that?
  // A running average that started at 0 is small, whoever it belongs to. Until when?
  return todo(size, rows, updates, decay, threshold);
}

}  // namespace latent

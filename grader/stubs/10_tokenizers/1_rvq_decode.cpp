// 10.1 rvq_decode: from indices back to a vector.  Roughly 16 lines, half of them refusals.
// The contract is in tokenizers.hpp. Try it: ./lab grade 10.1    Stuck: ./lab hint 10.1

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  // What does a code of stage 3 stand for, a vector or a correction? What is -1 in Python, and why
  // must it not be that here? Which columns may hold anything at all?
  return todo(indices, stages, used);
}

}  // namespace latent

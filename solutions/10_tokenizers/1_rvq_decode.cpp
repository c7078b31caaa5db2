#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  require(!stages.empty(), "rvq_decode: expected at least one stage, got none");
  require_size(indices.cols(), std::ssize(stages), "rvq_decode: columns of indices");
  require(used >= 1 && used <= std::ssize(stages), "rvq_decode: expected from 1 to " +
                                                       std::to_string(stages.size()) +
                                                       " stages, got " + std::to_string(used));
  Matrix sum = Matrix::Zero(indices.rows(), stages[0].codebook.cols());
  Index q = 0;
  for (const RvqStage& stage : stages) {
    require_size(stage.codebook.cols(), sum.cols(), "rvq_decode: columns of a codebook");
    for (Index n = 0; n < sum.rows() && q < used; ++n) {
      const std::int64_t k = indices(n, q);
      require(k >= -1 && k < stage.codebook.rows(), "rvq_decode: expected an index from -1 to " +
                                                        std::to_string(stage.codebook.rows() - 1) +
                                                        ", got " + std::to_string(k));
      if (k >= 0) sum.row(n) += stage.codebook.row(k);  // -1: this stage was dropped
    }
    ++q;
  }
  return sum;
}

}  // namespace latent

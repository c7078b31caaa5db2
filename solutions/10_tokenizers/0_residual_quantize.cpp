#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  require(!stages.empty(), "residual_quantize: expected at least one stage, got none");
  RvqOutput output{RvqIndices(x.rows(), std::ssize(stages)), Matrix::Zero(x.rows(), x.cols()),
                   Matrix(x.rows(), std::ssize(stages))};
  Matrix residual = x;
  Index q = 0;
  for (const RvqStage& stage : stages) {
    Index n = 0;
    for (const std::int64_t k : nearest_code(residual, stage.codebook)) {
      output.indices(n, q) = k;
      output.quantized.row(n) += stage.codebook.row(k);
      residual.row(n++) -= stage.codebook.row(k);  // what the next stage is given
    }
    output.residual_norms.col(q++) = residual.rowwise().norm();
  }
  return output;
}

}  // namespace latent

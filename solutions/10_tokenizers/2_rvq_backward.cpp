#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

void require_fitting(const Matrix& d_quantized, const Matrix& x,
                     const std::vector<RvqStage>& stages, const RvqIndices& indices, double beta) {
  require(x.size() > 0, "rvq_backward: expected at least one element, got " + shape_of(x));
  require(!stages.empty(), "rvq_backward: expected at least one stage, got none");
  require(beta >= 0.0, "rvq_backward: expected beta >= 0, got " + std::to_string(beta));
  require_size(d_quantized.rows(), x.rows(), "rvq_backward: rows of d_quantized");
  require_size(d_quantized.cols(), x.cols(), "rvq_backward: columns of d_quantized");
  require_size(indices.rows(), x.rows(), "rvq_backward: rows of indices");
  require_size(indices.cols(), std::ssize(stages), "rvq_backward: columns of indices");
  Index q = 0;
  for (const RvqStage& stage : stages) {
    require_size(stage.codebook.cols(), x.cols(), "rvq_backward: columns of a codebook");
    for (const std::int64_t k : indices.col(q++)) {
      require(k >= 0 && k < stage.codebook.rows(), "rvq_backward: expected an index below " +
                                                       std::to_string(stage.codebook.rows()) +
                                                       ", got " + std::to_string(k));
    }
  }
}

}  // namespace

RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  require_fitting(d_quantized, x, stages, indices, beta);
  RvqGradients gradients{d_quantized, {}, d_quantized};  // the identity, once
  const float scale = 2.0F / static_cast<float>(x.size());
  Matrix residual = x;
  Index q = 0;
  for (const RvqStage& stage : stages) {
    RvqStageGradients d{x, Matrix::Zero(stage.codebook.rows(), x.cols())};
    Index n = 0;
    for (const std::int64_t k : indices.col(q++)) {
      residual.row(n) -= stage.codebook.row(k);  // r_q - e_q, which is also r_(q+1)
      d.codebook.row(k) -= scale * residual.row(n);
      d.x.row(n) = static_cast<float>(beta) * scale * residual.row(n);
      ++n;
    }
    gradients.x += d.x;
    gradients.stages.push_back(d);
  }
  return gradients;
}

}  // namespace latent

// 0_residual_quantize.cpp on a GPU: what the contract says, around the kernels of
// 0_residual_quantize.cu. What is left stays on the device from stage to stage.

#include "common/require.hpp"
#include "kernels.hpp"
#include "solutions/05_vq_straight_through/requirements.hpp"
#include "tokenizers.hpp"

namespace latent {

RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  require(!stages.empty(), "residual_quantize: expected at least one stage, got none");
  for (const RvqStage& stage : stages) require_rows_and_codes(x, stage.codebook);
  const Index count = std::ssize(stages);
  device::Buffer<float> residual(x.data(), x.size()), quantized(x.size()), norms(x.rows() * count);
  device::Buffer<std::int64_t> indices(x.rows() * count);
  Index q = 0;
  for (const RvqStage& stage : stages) {
    const device::Buffer<float> codes(stage.codebook.data(), stage.codebook.size());
    device::residual_quantize(codes.data(), residual.data(), quantized.data(), indices.data(),
                              norms.data(), q++, count, x.rows(), stage.codebook.rows(), x.cols());
  }
  RvqOutput output{RvqIndices(x.rows(), count), Matrix(x.rows(), x.cols()),
                   Matrix(x.rows(), count)};
  indices.copy_to(output.indices.data());
  quantized.copy_to(output.quantized.data());
  norms.copy_to(output.residual_norms.data());
  // Finite rows and codes may leave what is too large for a float, and no search takes that.
  require(output.residual_norms.leftCols(count - 1).allFinite(),
          "nearest_code: expected finite numbers, got one that is infinite or none at all");
  return output;
}

}  // namespace latent

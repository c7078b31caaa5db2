// 10.2 rvq_backward: what a stack of quantizers sends back.  Roughly 35 lines, half of them
// refusals.
// The contract is in tokenizers.hpp. Try it: ./lab grade 10.2    Stuck: ./lab hint 10.2

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  // Stage 2 is given r_2 = x - sg[e_0] - sg[e_1]. What is its derivative by x? Had the codes been
  // subtracted straight through, each with the gradient of its input: what would be left of it?
  // And how often does the gradient of the sum of all codes reach x?
  return todo(d_quantized, x, stages, indices, beta);
}

}  // namespace latent

// 10.6 latent_frames, padded_frames, causal_pad, causal_conv_time and its backward: no look ahead.
// Roughly 4, 3, 5, 12 and 20 lines.
// The contract is in tokenizers.hpp. Try it: ./lab grade 10.6    Stuck: ./lab hint 10.6

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  // The first frame stands alone. How many groups do the others make, and what if one is not full?
  return todo(frames, factor);
}

std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  // How do you round a quotient of whole numbers up?
  return todo(frames, factor);
}

Matrix causal_pad(const Matrix& x, std::int64_t count) {
  // What should a still picture look like before the clip began: black, or like itself?
  return todo(x, count);
}

Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  // Which frame does the last tap of output t read? And the first tap, if k - 1 frames were put in
  // front?
  return todo(x, weight, bias, stride);
}

CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  // Each product of the forward pass sends two gradients back. Whose are those that go to a copy?
  return todo(dy, x, weight, stride);
}

}  // namespace latent

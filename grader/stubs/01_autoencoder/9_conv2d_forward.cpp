// 1.9 conv2d_forward: one small kernel, slid over the image.  Roughly 20 lines.
// The contract is in autoencoder.hpp. Try it: ./lab grade 1.9      Stuck: ./lab hint 1.9

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  // Refuse first: channels, bias, a kernel that is not square. conv2d_out refuses the rest.
  // Seven loops do it: n, o, i, j for the output, c, u, v for what the kernel sees there. Which row
  // of x lies under row u of the kernel at output row i? What counts if there is no such row?
  // Or: write what the kernel sees at one place as one row of a matrix. Which exercise have you
  // then solved already?
  return todo(x, weight, bias, options);
}

}  // namespace latent

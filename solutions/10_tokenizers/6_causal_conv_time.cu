// 10.6 causal_conv_time on a GPU, as one product of matrices. All that output t is made of is laid
// out in a row, Ci k numbers in the order in which a weight [Co, Ci, k, 1] has them, so that the
// weight is a matrix as it stands: y = columns weight^T + bias. The product's 2 T/s Ci k Co
// operations are cuBLAS's, at the speed of the machine; the columns cost k/s times the memory of x,
// written once and read once. The padding is never made: a frame before the beginning is frame 0,
// so the index stops at 0.
//
// Backward the same: d weight = dy^T columns, d columns = dy weight, and d bias is a product with
// ones. Then every frame fetches what the outputs that it took part in send back, tap by tap,
// always in one order; the other way round, outputs would have to add to frames with atomics. Frame
// 0 also fetches for its copies.

#include "kernels.hpp"

namespace latent::device {
namespace {

/// The sum of what d columns holds for one number of x.
__device__ float fold(const float* d_columns, Size frame, Size channel, const CausalConv& sizes) {
  const Size last = sizes.taps - 1;
  float sum = 0.0F;
  for (Size j = 0; j < sizes.taps; ++j) {
    // Output t sees frame s t + j - last through tap j. For frame 0 everything up to 0 counts.
    const Size target = frame + last - j;
    for (Size t = frame == 0 ? 0 : pieces(target, sizes.stride);
         t < sizes.steps() && t * sizes.stride <= target; ++t)
      sum += d_columns[t * sizes.depth() + channel * sizes.taps + j];
  }
  return sum;
}

}  // namespace

void unfold_time(const float* x, float* columns, const CausalConv& sizes) {
  const Size depth = sizes.depth(), taps = sizes.taps, channels = sizes.channels,
             stride = sizes.stride;
  each(sizes.steps() * depth, [=] __device__(Size i) {
    const Size channel = i % depth / taps, frame = i / depth * stride + i % taps - (taps - 1);
    columns[i] = x[(frame < 0 ? 0 : frame) * channels + channel];
  });
}

void causal_conv_time(const float* x, const float* weight, const float* bias, float* y,
                      const CausalConv& sizes) {
  const Size steps = sizes.steps(), out = sizes.out;
  Buffer<float> columns(steps * sizes.depth());
  unfold_time(x, columns.data(), sizes);
  each(steps * out, [=] __device__(Size i) { y[i] = bias[i % out]; });
  multiply(columns.data(), Side::kAsIs, weight, Side::kTransposed, y, steps, out, sizes.depth(),
           1.0F);
}

void causal_conv_time_backward(const float* dy, const float* x, const float* weight, float* d_x,
                               float* d_weight, float* d_bias, const CausalConv& sizes) {
  const Size steps = sizes.steps(), out = sizes.out, depth = sizes.depth();
  Buffer<float> columns(steps * depth), ones(steps);
  unfold_time(x, columns.data(), sizes);
  multiply(dy, Side::kTransposed, columns.data(), Side::kAsIs, d_weight, out, depth, steps);
  float* const one = ones.data();
  each(steps, [=] __device__(Size i) { one[i] = 1.0F; });
  multiply(one, Side::kAsIs, dy, Side::kAsIs, d_bias, 1, out, steps);
  float* const d_columns = columns.data();  // the columns themselves are not needed any more
  multiply(dy, Side::kAsIs, weight, Side::kAsIs, d_columns, steps, depth, out);
  const CausalConv conv = sizes;
  each(sizes.frames * sizes.channels, [=] __device__(Size i) {
    d_x[i] = fold(d_columns, i / conv.channels, i % conv.channels, conv);
  });
}

}  // namespace latent::device

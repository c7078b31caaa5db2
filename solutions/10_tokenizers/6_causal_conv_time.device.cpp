// 6_causal_conv_time.cpp on a GPU: what the contract says, around the kernels of
// 6_causal_conv_time.cu. Counting frames needs no device, and neither does a padding that nobody
// uses there.

#include "common/require.hpp"
#include "kernels.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

void require_frames(std::int64_t frames, std::int64_t factor) {
  require(frames >= 1, "expected at least one frame, got " + std::to_string(frames));
  require(factor >= 1, "expected a factor >= 1, got " + std::to_string(factor));
}

/// What both directions demand, and the sizes that they work with.
device::CausalConv sizes_of(const Matrix& x, const Tensor4& weight, std::int64_t stride) {
  require(stride >= 1, "causal_conv_time: expected a stride >= 1, got " + std::to_string(stride));
  require(weight.h() >= 1 && weight.w() == 1,
          "causal_conv_time: expected a weight [Co, Ci, k, 1], got " + shape_of(weight));
  require_size(weight.c(), x.cols(), "causal_conv_time: input channels of the weight");
  require(x.rows() >= 1, "causal_pad: expected at least one frame, got " + shape_of(x));
  return {x.rows(), x.cols(), weight.n(), weight.h(), stride};
}

}  // namespace

std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  require_frames(frames, factor);
  require((frames - 1) % factor == 0, "latent_frames: expected 1 + " + std::to_string(factor) +
                                          " m frames, got " + std::to_string(frames));
  return 1 + (frames - 1) / factor;
}

std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  require_frames(frames, factor);
  return 1 + (frames - 1 + factor - 1) / factor * factor;
}

Matrix causal_pad(const Matrix& x, std::int64_t count) {
  require(x.rows() >= 1, "causal_pad: expected at least one frame, got " + shape_of(x));
  require(count >= 0, "causal_pad: expected count >= 0, got " + std::to_string(count));
  Matrix padded(x.rows() + count, x.cols());
  padded.topRows(count) = x.row(0).replicate(count, 1);
  padded.bottomRows(x.rows()) = x;
  return padded;
}

Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  const device::CausalConv sizes = sizes_of(x, weight, stride);
  require_size(bias.size(), weight.n(), "causal_conv_time: size of bias");
  const device::Buffer<float> frames(x.data(), x.size()), w(weight.data(), weight.size()),
      b(bias.data(), bias.size());
  device::Buffer<float> output(sizes.steps() * sizes.out);
  device::causal_conv_time(frames.data(), w.data(), b.data(), output.data(), sizes);
  Matrix y(sizes.steps(), sizes.out);
  output.copy_to(y.data());
  return y;
}

CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  const device::CausalConv sizes = sizes_of(x, weight, stride);
  require_size(dy.rows(), sizes.steps(), "causal_conv_time_backward: rows of dy");
  require_size(dy.cols(), weight.n(), "causal_conv_time_backward: columns of dy");
  const device::Buffer<float> d_y(dy.data(), dy.size()), frames(x.data(), x.size()),
      w(weight.data(), weight.size());
  device::Buffer<float> d_x(x.size()), d_weight(weight.size()), d_bias(sizes.out);
  device::causal_conv_time_backward(d_y.data(), frames.data(), w.data(), d_x.data(),
                                    d_weight.data(), d_bias.data(), sizes);
  CausalConvGradients d{Matrix(x.rows(), x.cols()), Tensor4(weight.n(), weight.c(), weight.h(), 1),
                        RowVector(weight.n())};
  d_x.copy_to(d.x.data());
  d_weight.copy_to(d.weight.data());
  d_bias.copy_to(d.bias.data());
  return d;
}

}  // namespace latent

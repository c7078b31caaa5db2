// 7_tae_block.cpp, made fast: what lies between the convolutions changes a tensor where it stands.
//
// 1. At 512x512 a tensor of 64 channels is 64 MiB, and so much memory comes from the system anew
//    each time, page by page: a copy costs as much as a tenth of a convolution. relu writes over
//    what it reads, and so does the sum of a block's two branches.
// 2. Sum and relu at the end of a block are one pass over memory, not two.
// The convolutions are those of lab 01, also made fast; nothing else takes any time.

#include <algorithm>

#include "common/layers.hpp"
#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

using Values = Eigen::Map<Eigen::ArrayXf>;
using ConstValues = Eigen::Map<const Eigen::ArrayXf>;

Tensor4 convolve(const Tensor4& x, const ConvLayer& conv) {
  const std::int64_t pad = conv.weight.h() / 2;
  return conv2d_forward(x, conv.weight, conv.bias, {conv.stride, pad, pad, pad, pad});
}

Tensor4 convolve_1x1(const Tensor4& x, const Tensor4& weight) {
  return convolve(x, {weight, RowVector::Zero(weight.n()), 1});
}

// Not std::max(0, v): a NaN has to be seen by whoever comes after.
float positive_part(float x) {
  return x < 0.0F ? 0.0F : x;
}

void relu_in_place(Tensor4& x) {
  std::transform(x.data(), x.data() + x.size(), x.data(), positive_part);
}

void require_branch(const Tensor4& x, const Tensor4& y) {
  require(x.shape() == y.shape(), "tae_block: expected a branch of the shape of its input, " +
                                      shape_of(x) + ", got " + shape_of(y));
}

Tensor4 pooled(const Tensor4& x, const TaePool& pool) {
  Tensor4 y = convolve_1x1(x, pool.widen);
  y = group_norm(y, 4, pool.gamma, pool.beta, 1e-5);
  relu_in_place(y);
  y = convolve_1x1(y, pool.narrow);
  require_branch(x, y);
  Values(y.data(), y.size()) += ConstValues(x.data(), x.size());
  return y;
}

Tensor4 convolved(const Tensor4& x, const TaeBlock& block) {
  Tensor4 y = convolve(x, block.first);
  relu_in_place(y);
  y = convolve(y, block.second);
  relu_in_place(y);
  y = convolve(y, block.third);
  require_branch(x, y);
  std::transform(y.data(), y.data() + y.size(), x.data(), y.data(),
                 [](float a, float b) { return positive_part(a + b); });
  return y;
}

Tensor4 clamp(Tensor4 x) {
  Values values(x.data(), x.size());
  values = 3.0F * (values / 3.0F).tanh();
  return x;
}

}  // namespace

Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  return block.pool.widen.size() == 0 ? convolved(x, block)
                                      : convolved(pooled(x, block.pool), block);
}

Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  switch (layer.kind) {
    case LayerKind::kConv:
      return convolve(x, layer.conv);
    case LayerKind::kRelu:
      return relu(x);
    case LayerKind::kClamp:
      return clamp(x);
    case LayerKind::kBlock:
      return tae_block(x, layer.block);
    case LayerKind::kUpsample:
      return upsample_nearest(x);
  }
  throw std::invalid_argument("run_layer: expected one of five kinds, got number " +
                              std::to_string(static_cast<int>(layer.kind)));
}

}  // namespace latent

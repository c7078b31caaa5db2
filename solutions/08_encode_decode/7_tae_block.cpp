#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

Tensor4 convolve(const Tensor4& x, const ConvLayer& conv) {
  const std::int64_t pad = conv.weight.h() / 2;
  return conv2d_forward(x, conv.weight, conv.bias, {conv.stride, pad, pad, pad, pad});
}

Tensor4 convolve_1x1(const Tensor4& x, const Tensor4& weight) {
  return convolve(x, {weight, RowVector::Zero(weight.n()), 1});
}

Tensor4 sum(const Tensor4& x, const Tensor4& y) {
  require(x.shape() == y.shape(), "tae_block: expected a branch of the shape of its input, " +
                                      shape_of(x) + ", got " + shape_of(y));
  Tensor4 total = x;
  Eigen::Map<Eigen::ArrayXf>(total.data(), total.size()) +=
      Eigen::Map<const Eigen::ArrayXf>(y.data(), y.size());
  return total;
}

// Written so that nothing lives longer than peak_activation_bytes says: y = f(y) frees the old y.
Tensor4 pooled(const Tensor4& x, const TaePool& pool) {
  Tensor4 y = convolve_1x1(x, pool.widen);
  y = group_norm(y, 4, pool.gamma, pool.beta, 1e-5);
  y = relu(y);
  y = convolve_1x1(y, pool.narrow);
  return sum(x, y);
}

Tensor4 convolved(const Tensor4& x, const TaeBlock& block) {
  Tensor4 y = convolve(x, block.first);
  y = relu(y);
  y = convolve(y, block.second);
  y = relu(y);
  y = convolve(y, block.third);
  y = sum(x, y);
  return relu(y);
}

Tensor4 clamp(Tensor4 x) {
  Eigen::Map<Eigen::ArrayXf> values(x.data(), x.size());
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

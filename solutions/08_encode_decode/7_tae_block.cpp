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

Tensor4 pooled(const Tensor4& x, const TaePool& pool) {
  if (pool.widen.size() == 0) return x;
  const Tensor4 wide = group_norm(convolve_1x1(x, pool.widen), 4, pool.gamma, pool.beta, 1e-5);
  return sum(x, convolve_1x1(relu(wide), pool.narrow));
}

Tensor4 clamp(Tensor4 x) {
  Eigen::Map<Eigen::ArrayXf> values(x.data(), x.size());
  values = 3.0F * (values / 3.0F).tanh();
  return x;
}

}  // namespace

Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 start = pooled(x, block.pool);
  Tensor4 y = relu(convolve(start, block.first));
  y = relu(convolve(y, block.second));
  return relu(sum(start, convolve(y, block.third)));
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

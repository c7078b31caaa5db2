// 7_tae_block.cpp on a GPU: what the contract says, around the kernels of 7_tae_block.cu. Feature
// maps are sent once, stay on the device for all of a layer, and are fetched once.

#include "common/require.hpp"
#include "encode_decode.hpp"
#include "kernels.hpp"

namespace latent {
namespace {

constexpr std::int64_t kGroups = 4;

/// Feature maps on the device, `[n, c, h, w]`.
struct Maps {
  Index n, c, h, w;
  device::Buffer<float> data;

  Maps(Index n_, Index c_, Index h_, Index w_)
      : n(n_), c(c_), h(h_), w(w_), data(n_ * c_ * h_ * w_) {}
  explicit Maps(const Tensor4& x)
      : n(x.n()), c(x.c()), h(x.h()), w(x.w()), data(x.data(), x.size()) {}

  Shape shape() const { return {n, c, h, w}; }

  Tensor4 fetched() const {
    Tensor4 x(n, c, h, w);
    data.copy_to(x.data());
    return x;
  }
};

/// What happens to a convolution's sums before they are written down.
struct Finish {
  const Maps* skip = nullptr;
  bool relu = false;
};

Maps convolve(const Maps& x, const Tensor4& weight, const RowVector& bias, std::int64_t stride,
              const Finish& finish) {
  const Index k = weight.h(), pad = k / 2;
  require_size(x.c, weight.c(), "conv2d_forward: channels of x");
  require_size(weight.w(), k, "conv2d_forward: columns of the kernel");
  require_size(bias.size(), weight.n(), "conv2d_forward: size of bias");
  Maps y(x.n, weight.n(), conv2d_out(x.h, k, stride, pad, pad),
         conv2d_out(x.w, k, stride, pad, pad));
  require(finish.skip == nullptr || finish.skip->shape() == y.shape(),
          "tae_block: expected a branch of the shape of its input, " +
              to_string((finish.skip == nullptr ? x : *finish.skip).shape()) + ", got " +
              to_string(y.shape()));
  const device::Buffer<float> weights(weight.data(), weight.size()),
      biases(bias.data(), bias.size());
  device::tae_convolve({x.n, x.c, x.h, x.w, weight.n(), k, stride},
                       {x.data.data(), weights.data(), biases.data(),
                        finish.skip == nullptr ? nullptr : finish.skip->data.data(), y.data.data()},
                       finish.relu);
  return y;
}

Maps convolve(const Maps& x, const ConvLayer& conv, const Finish& finish) {
  return convolve(x, conv.weight, conv.bias, conv.stride, finish);
}

Maps pooled(const Maps& x, const TaePool& pool) {
  Maps y = convolve(x, pool.widen, RowVector::Zero(pool.widen.n()), 1, {});
  require(y.c % kGroups == 0, "group_norm: expected groups that divide " + std::to_string(y.c) +
                                  " channels, got " + std::to_string(kGroups));
  require_size(pool.gamma.size(), y.c, "group_norm: size of gamma");
  require_size(pool.beta.size(), y.c, "group_norm: size of beta");
  const device::Buffer<float> gamma(pool.gamma.data(), y.c), beta(pool.beta.data(), y.c);
  device::tae_group_norm_relu(y.data.data(), gamma.data(), beta.data(), y.n, y.c, y.h * y.w,
                              kGroups);
  return convolve(y, pool.narrow, RowVector::Zero(pool.narrow.n()), 1, {&x, false});
}

Maps branched(const Maps& x, const TaeBlock& block) {
  const Maps y = convolve(x, block.first, {nullptr, true});
  return convolve(convolve(y, block.second, {nullptr, true}), block.third, {&x, true});
}

Maps run_block(const Maps& x, const TaeBlock& block) {
  return block.pool.widen.size() == 0 ? branched(x, block) : branched(pooled(x, block.pool), block);
}

Maps upsampled(const Maps& x) {
  Maps y(x.n, x.c, 2 * x.h, 2 * x.w);
  device::tae_upsample(x.data.data(), y.data.data(), x.n * x.c, x.h, x.w);
  return y;
}

}  // namespace

Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  return run_block(Maps(x), block).fetched();
}

Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  Maps maps(x);
  switch (layer.kind) {
    case LayerKind::kConv:
      return convolve(maps, layer.conv, {}).fetched();
    case LayerKind::kRelu:
      device::tae_relu(maps.data.data(), x.size());
      return maps.fetched();
    case LayerKind::kClamp:
      device::tae_clamp(maps.data.data(), x.size());
      return maps.fetched();
    case LayerKind::kBlock:
      return run_block(maps, layer.block).fetched();
    case LayerKind::kUpsample:
      return upsampled(maps).fetched();
  }
  throw std::invalid_argument("run_layer: expected one of five kinds, got number " +
                              std::to_string(static_cast<int>(layer.kind)));
}

}  // namespace latent

#include "torch_tae.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cstring>

namespace latent {
namespace {

at::Tensor tensor(const Tensor4& x) {
  return at::from_blob(const_cast<float*>(x.data()), {x.n(), x.c(), x.h(), x.w()}).clone();
}

at::Tensor tensor(const RowVector& x) {
  return at::from_blob(const_cast<float*>(x.data()), {x.size()}).clone();
}

struct Convolution {
  at::Tensor weight, bias;
  std::int64_t stride = 1;

  Convolution() = default;
  explicit Convolution(const ConvLayer& layer)
      : weight(tensor(layer.weight)), bias(tensor(layer.bias)), stride(layer.stride) {}
  at::Tensor operator()(const at::Tensor& x) const {
    return at::conv2d(x, weight, bias, stride, weight.size(2) / 2);
  }
};

struct Block {
  at::Tensor widen, gamma, beta, narrow;
  Convolution first, second, third;

  Block() = default;
  explicit Block(const TaeBlock& block)
      : first(block.first), second(block.second), third(block.third) {
    if (block.pool.widen.size() == 0) return;
    widen = tensor(block.pool.widen), narrow = tensor(block.pool.narrow);
    gamma = tensor(block.pool.gamma), beta = tensor(block.pool.beta);
  }
  at::Tensor operator()(at::Tensor x) const {
    if (widen.defined())
      x = x + at::conv2d(at::relu(at::group_norm(at::conv2d(x, widen), 4, gamma, beta)), narrow);
    at::Tensor y = first(x).relu_();
    y = second(y).relu_();
    return third(y).add_(x).relu_();
  }
};

struct Stage {
  LayerKind kind = LayerKind::kRelu;
  Convolution conv;
  Block block;

  explicit Stage(const TaeLayer& layer) : kind(layer.kind) {
    if (kind == LayerKind::kConv) conv = Convolution(layer.conv);
    if (kind == LayerKind::kBlock) block = Block(layer.block);
  }
  at::Tensor operator()(const at::Tensor& x) const {
    switch (kind) {
      case LayerKind::kConv:
        return conv(x);
      case LayerKind::kRelu:
        return at::relu(x);
      case LayerKind::kClamp:
        return at::tanh(x / 3) * 3;
      case LayerKind::kBlock:
        return block(x);
      case LayerKind::kUpsample:
        return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    }
    return x;
  }
};

}  // namespace

struct TorchTae::Layers {
  std::vector<Stage> all;
};

TorchTae::TorchTae(const std::vector<TaeLayer>& encoder, const std::vector<TaeLayer>& decoder)
    : layers_(std::make_unique<Layers>()) {
  for (const auto* part : {&encoder, &decoder}) {
    for (const TaeLayer& layer : *part) layers_->all.emplace_back(layer);
  }
}

TorchTae::~TorchTae() = default;

Tensor4 TorchTae::encode_decode(const Tensor4& image) const {
  const c10::InferenceMode no_gradients;
  at::Tensor x = tensor(image);
  for (const Stage& stage : layers_->all) x = stage(x);
  x = x.contiguous();
  Tensor4 y(x.size(0), x.size(1), x.size(2), x.size(3));
  std::memcpy(y.data(), x.data_ptr<float>(), sizeof(float) * static_cast<std::size_t>(y.size()));
  return y;
}

}  // namespace latent

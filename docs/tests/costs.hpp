/// @file
/// What the networks in the chapters cost, added up layer by layer with the reference's `conv_cost`
/// and `attention_cost`. Nothing but convolutions and attention is counted.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "encode_decode.hpp"

namespace latent {

/// Adds up layers on square maps; the input of each is the output of the one before.
class LayerSum {
 public:
  LayerSum(std::int64_t channels, std::int64_t side) : shape_{1, channels, side, side} {}

  std::int64_t macs() const { return macs_; }
  std::int64_t params() const { return params_; }
  std::int64_t side() const { return shape_[2]; }

  void conv(std::int64_t out, std::int64_t kernel = 3, std::int64_t stride = 1) {
    const std::int64_t padding = kernel / 2 - (kernel % 2 == 0 ? 1 : 0);
    add(conv_cost(shape_, {out, kernel, stride, padding, 1, true}, 4));
    shape_[1] = out;
    for (const std::size_t axis : {std::size_t{2}, std::size_t{3}}) {
      shape_[axis] = conv2d_out(shape_[axis], kernel, stride, padding, padding);
    }
  }

  void residual(std::int64_t out) {
    if (shape_[1] != out) add(conv_cost(shape_, {out, 1, 1, 0, 1, true}, 4));
    conv(out);
    conv(out);
  }

  void attention() { add(attention_cost(shape_, 4)); }

  void middle() {
    residual(shape_[1]);
    attention();
    residual(shape_[1]);
  }

  /// Nearest neighbours or a pooling: no multiplications.
  void resize(std::int64_t side) { shape_[2] = shape_[3] = side; }

 private:
  void add(const LayerCost& cost) {
    macs_ += cost.macs;
    params_ += cost.params;
  }

  Shape shape_;
  std::int64_t macs_ = 0, params_ = 0;
};

constexpr std::array<std::int64_t, 4> kWidths{128, 256, 512, 512};

/// Stable Diffusion's encoder, for an image of side x side.
inline std::int64_t sd_encoder_macs(std::int64_t side) {
  LayerSum sum(3, side);
  sum.conv(128);
  for (std::size_t level = 0; level < kWidths.size(); ++level) {
    sum.residual(kWidths[level]);
    sum.residual(kWidths[level]);
    if (level + 1 < kWidths.size()) sum.conv(kWidths[level], 3, 2);
  }
  sum.middle();
  sum.conv(8);
  return sum.macs();
}

/// Its decoder.
inline std::int64_t sd_decoder_macs(std::int64_t side) {
  LayerSum sum(4, side / 8);
  sum.conv(512);
  sum.middle();
  for (std::size_t level = kWidths.size(); level-- > 0;) {
    for (int block = 0; block < 3; ++block) sum.residual(kWidths[level]);
    if (level > 0) {
      sum.resize(2 * sum.side());
      sum.conv(kWidths[level]);
    }
  }
  sum.conv(3);
  return sum.macs();
}

/// VGG16 without its classifier, as LPIPS uses it.
inline LayerSum vgg16(std::int64_t side) {
  LayerSum sum(3, side);
  for (const auto& [width, layers] : {std::pair(64, 2), std::pair(128, 2), std::pair(256, 3),
                                      std::pair(512, 3), std::pair(512, 3)}) {
    for (int i = 0; i < layers; ++i) sum.conv(width);
    sum.resize(sum.side() / 2);
  }
  return sum;
}

/// The discriminator of patches: kernels of 4, padding of 1.
inline LayerSum patch_discriminator(std::int64_t side) {
  LayerSum sum(3, side);
  for (const auto& [width, stride] : {std::pair(64, 2), std::pair(128, 2), std::pair(256, 2),
                                      std::pair(512, 1), std::pair(1, 1)}) {
    sum.conv(width, 4, stride);
  }
  return sum;
}

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

// What one channel is multiplied with on the way back.
double deviation(const ChannelStats& stats, Index c) {
  const double variance = stats.variance(c);
  require(variance >= 0.0 && stats.eps >= 0.0 && variance + stats.eps > 0.0,
          "normalize_channels: expected variance and eps of at least 0, not both 0, got " +
              std::to_string(variance) + " and " + std::to_string(stats.eps));
  return std::sqrt(variance + stats.eps);
}

void require_channels(const Tensor4& z, const ChannelStats& stats) {
  require_size(stats.mean.size(), z.c(), "normalize_channels: size of mean");
  require_size(stats.variance.size(), z.c(), "normalize_channels: size of variance");
}

// The H W values of channel `map % C` of sample `map / C`.
auto positions(Tensor4& z, Index map) {
  return Eigen::Map<Eigen::ArrayXf>(z.data() + map * z.h() * z.w(), z.h() * z.w());
}

}  // namespace

Tensor4 patchify(const Tensor4& z) {
  require(z.h() % 2 == 0 && z.w() % 2 == 0,
          "patchify: expected an even number of rows and columns, got " + shape_of(z));
  Tensor4 packed(z.n(), 4 * z.c(), z.h() / 2, z.w() / 2);
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w)
          packed(n, 4 * c + 2 * (h % 2) + w % 2, h / 2, w / 2) = z(n, c, h, w);
      }
    }
  }
  return packed;
}

Tensor4 unpatchify(const Tensor4& z) {
  require(z.c() % 4 == 0, "unpatchify: expected a multiple of 4 channels, got " + shape_of(z));
  Tensor4 unpacked(z.n(), z.c() / 4, 2 * z.h(), 2 * z.w());
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w)
          unpacked(n, c / 4, 2 * h + c % 4 / 2, 2 * w + c % 2) = z(n, c, h, w);
      }
    }
  }
  return unpacked;
}

Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  require_channels(z, stats);
  Tensor4 normal = z;
  for (Index map = 0; map < z.n() * z.c(); ++map) {
    auto v = positions(normal, map);
    const Index c = map % z.c();
    v = ((v.cast<double>() - stats.mean(c)) / deviation(stats, c)).cast<float>();
  }
  return normal;
}

Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  require_channels(z, stats);
  Tensor4 raw = z;
  for (Index map = 0; map < z.n() * z.c(); ++map) {
    auto v = positions(raw, map);
    const Index c = map % z.c();
    v = (v.cast<double>() * deviation(stats, c) + stats.mean(c)).cast<float>();
  }
  return raw;
}

}  // namespace latent

#include <algorithm>

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

Tensor4 cut(const Tensor4& z, Index top, Index left, Index tile) {
  Tensor4 part(z.n(), z.c(), std::min(tile, z.h()), std::min(tile, z.w()));
  for (Index row = 0; row < part.n() * part.c() * part.h(); ++row) {
    const Index map = row / part.h(), h = top + row % part.h();
    std::copy_n(z.data() + (map * z.h() + h) * z.w() + left, part.w(),
                part.data() + row * part.w());
  }
  return part;
}

// Weights of a tile's pixels along one axis.
Eigen::ArrayXf ramp(Index length, Index widest) {
  Eigen::ArrayXf weights(length);
  for (Index p = 0; p < length; ++p)
    weights(p) = static_cast<float>(std::min({p + 1, length - p, widest}));
  return weights;
}

// Adds a decoded tile to every map of `sum`, and its weights to `weight`.
void blend(const Tensor4& part, Index top, Index left, Index widest, Tensor4& sum,
           Eigen::ArrayXXf& weight) {
  const Eigen::ArrayXf rows = ramp(part.h(), widest), cols = ramp(part.w(), widest);
  for (Index h = 0; h < part.h(); ++h) {
    weight.row(top + h).segment(left, part.w()) += rows(h) * cols.transpose();
    for (Index map = 0; map < part.n() * part.c(); ++map) {
      Eigen::Map<Eigen::ArrayXf>(sum.data() + (map * sum.h() + top + h) * sum.w() + left,
                                 part.w()) +=
          rows(h) * cols *
          Eigen::Map<const Eigen::ArrayXf>(part.data() + (map * part.h() + h) * part.w(), part.w());
    }
  }
}

void divide(Tensor4& sum, const Eigen::ArrayXXf& weight) {
  for (Index row = 0; row < sum.n() * sum.c() * sum.h(); ++row)
    Eigen::Map<Eigen::ArrayXf>(sum.data() + row * sum.w(), sum.w()) /=
        weight.row(row % sum.h()).transpose();
}

}  // namespace

std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  require(size >= 1 && tiling.tile >= 1 && tiling.overlap >= 0 && tiling.overlap < tiling.tile,
          "tile_starts: expected size and tile of at least 1 and an overlap from 0 to tile - 1, "
          "got " +
              to_string(Shape{size, tiling.tile, tiling.overlap}));
  std::vector<std::int64_t> starts;
  const std::int64_t last = std::max<std::int64_t>(size - tiling.tile, 0);
  for (std::int64_t at = 0; at < last; at += tiling.tile - tiling.overlap) starts.push_back(at);
  starts.push_back(last);
  return starts;
}

Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  Index factor = 1;
  for (const TaeLayer& layer : decoder) factor *= layer.kind == LayerKind::kUpsample ? 2 : 1;
  const Index height = factor * latent.h(), width = factor * latent.w();
  const Index widest = std::max<Index>(tiling.overlap * factor, 1);
  Tensor4 sum;
  Eigen::ArrayXXf weight = Eigen::ArrayXXf::Zero(height, width);
  for (const std::int64_t top : tile_starts(latent.h(), tiling)) {
    for (const std::int64_t left : tile_starts(latent.w(), tiling)) {
      Tensor4 part = cut(latent, top, left, tiling.tile);
      for (const TaeLayer& layer : decoder) part = run_layer(part, layer);
      if (sum.shape() == Shape{0, 0, 0, 0}) sum = Tensor4(part.n(), part.c(), height, width);
      blend(part, top * factor, left * factor, widest, sum, weight);
    }
  }
  divide(sum, weight);
  return sum;
}

}  // namespace latent

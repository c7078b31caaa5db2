#include "common/layers.hpp"

#include <algorithm>
#include <cmath>

#include "common/require.hpp"

namespace latent {

Tensor4 relu(const Tensor4& x) {
  Tensor4 y = x;
  // Not std::max(0, v): a NaN has to be seen by whoever comes after.
  for (Index i = 0; i < y.size(); ++i) {
    if (y.data()[i] < 0.0F) y.data()[i] = 0.0F;
  }
  return y;
}

Tensor4 upsample_nearest(const Tensor4& x) {
  Tensor4 y(x.n(), x.c(), 2 * x.h(), 2 * x.w());
  const float* from = x.data();
  float* to = y.data();
  for (Index row = 0; row < x.n() * x.c() * x.h(); ++row, from += x.w()) {
    for (Index w = 0; w < x.w(); ++w) to[2 * w] = to[2 * w + 1] = from[w];
    to = std::copy(to, to + y.w(), to + y.w());
  }
  return y;
}

Tensor4 group_norm(const Tensor4& x, std::int64_t groups, const RowVector& gamma,
                   const RowVector& beta, double eps) {
  require(groups >= 1 && x.c() % groups == 0, "group_norm: expected groups that divide " +
                                                  std::to_string(x.c()) + " channels, got " +
                                                  std::to_string(groups));
  require_size(gamma.size(), x.c(), "group_norm: size of gamma");
  require_size(beta.size(), x.c(), "group_norm: size of beta");
  Tensor4 y = x;
  const Index positions = x.h() * x.w(), channels = x.c() / groups;
  for (Index group = 0; group < x.n() * groups; ++group) {
    Eigen::Map<Matrix> block(y.data() + group * channels * positions, channels, positions);
    const double mean = block.cast<double>().mean();
    const double variance = (block.cast<double>().array() - mean).square().mean();
    const double factor = 1.0 / std::sqrt(variance + eps);
    for (Index i = 0; i < channels; ++i) {
      const Index c = group % groups * channels + i;
      block.row(i) = ((block.row(i).cast<double>().array() - mean) * (factor * double(gamma(c))) +
                      double(beta(c)))
                         .cast<float>();
    }
  }
  return y;
}

}  // namespace latent

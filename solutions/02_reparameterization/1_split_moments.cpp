#include <algorithm>

#include "common/require.hpp"
#include "reparameterization.hpp"

namespace latent {
namespace {

constexpr float kLowest = -30.0F, kHighest = 20.0F;

}  // namespace

Moments split_moments(const Tensor4& moments) {
  require(moments.c() % 2 == 0,
          "split_moments: expected an even number of channels, got " + std::to_string(moments.c()));
  const Index channels = moments.c() / 2;
  const Tensor4 half(moments.n(), channels, moments.h(), moments.w());
  Moments halves{half, half};
  for (Index n = 0; n < half.n(); ++n) {
    for (Index c = 0; c < channels; ++c) {
      for (Index h = 0; h < half.h(); ++h) {
        for (Index w = 0; w < half.w(); ++w) {
          halves.mean(n, c, h, w) = moments(n, c, h, w);
          halves.log_var(n, c, h, w) =
              std::clamp(moments(n, channels + c, h, w), kLowest, kHighest);
        }
      }
    }
  }
  return halves;
}

Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  const Shape whole{dmean.n(), 2 * dmean.c(), dmean.h(), dmean.w()};
  require(dlog_var.shape() == dmean.shape() && moments.shape() == whole,
          "split_moments_backward: expected dlog_var " + shape_of(dmean) + " and moments " +
              to_string(whole) + ", got " + shape_of(dlog_var) + " and " + shape_of(moments));
  Tensor4 gradient(moments.n(), moments.c(), moments.h(), moments.w());
  for (Index n = 0; n < dmean.n(); ++n) {
    for (Index c = 0; c < dmean.c(); ++c) {
      for (Index h = 0; h < dmean.h(); ++h) {
        for (Index w = 0; w < dmean.w(); ++w) {
          const float raw = moments(n, dmean.c() + c, h, w);
          const bool unchanged = raw >= kLowest && raw <= kHighest;
          gradient(n, c, h, w) = dmean(n, c, h, w);
          gradient(n, dmean.c() + c, h, w) = unchanged ? dlog_var(n, c, h, w) : 0.0F;
        }
      }
    }
  }
  return gradient;
}

}  // namespace latent

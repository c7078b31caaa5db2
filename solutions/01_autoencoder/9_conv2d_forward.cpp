#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

// Row j is what the kernel sees at output position (i, j), channel after channel.
Matrix patches(const Tensor4& x, Index n, Index i, Index k, Index count,
               const Conv2dOptions& options) {
  Matrix seen = Matrix::Zero(count, x.c() * k * k);
  for (Index j = 0; j < count; ++j) {
    for (Index column = 0; column < seen.cols(); ++column) {
      const Index c = column / (k * k);
      const Index row = options.stride * i + column / k % k - options.top;
      const Index col = options.stride * j + column % k - options.left;
      const bool inside = row >= 0 && row < x.h() && col >= 0 && col < x.w();
      if (inside) seen(j, column) = x(n, c, row, col);
    }
  }
  return seen;
}

}  // namespace

Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = weight.h();
  require_size(x.c(), weight.c(), "conv2d_forward: channels of x");
  require_size(weight.w(), k, "conv2d_forward: columns of the kernel");
  require_size(bias.size(), weight.n(), "conv2d_forward: size of bias");
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), k, options.stride, options.top, options.bottom),
            conv2d_out(x.w(), k, options.stride, options.left, options.right));

  const Matrix kernels = Eigen::Map<const Matrix>(weight.data(), weight.n(), x.c() * k * k);
  for (Index n = 0; n < y.n(); ++n) {
    for (Index i = 0; i < y.h(); ++i) {
      const Matrix row = linear_forward(patches(x, n, i, k, y.w(), options), kernels, bias);
      for (Index o = 0; o < y.c(); ++o) {
        for (Index j = 0; j < y.w(); ++j) y(n, o, i, j) = row(j, o);
      }
    }
  }
  return y;
}

}  // namespace latent

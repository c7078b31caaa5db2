// 9_conv2d_forward.cpp, made fast.
//
// 1. The patches are laid out by column: one row per (channel, u, v), one column per output
//    position. With stride 1 such a row is a piece of an image row, so it is copied, not gathered,
//    and the product comes out channel by channel, which is the layout of y: nothing is transposed.
// 2. A band of patches is small, half a MiB, so that it is used up while a cache still holds it.
// The
//    patches of a whole 512x512 image with 64 channels would be 576 MiB.
// 3. Bands are independent of one another, so threads take turns at them. Each writes positions of
//    its own, in an order of additions that does not depend on the number of threads.

#include <algorithm>

#include "autoencoder.hpp"
#include "common/parallel.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

constexpr Index kBandBytes = Index{1} << 19;

struct Convolution {
  const Tensor4& x;
  const Tensor4& weight;
  const RowVector& bias;
  const Conv2dOptions& options;
  Tensor4& y;

  // Output columns [first, last) of a row read column j * stride + v - left, which may lie outside.
  void copy_row(const float* from, float* to, Index v) const {
    const Index s = options.stride, shift = v - options.left, width = y.w();
    const Index first = std::clamp<Index>((-shift + s - 1) / s, 0, width);
    const Index last = std::clamp<Index>((x.w() - 1 - shift + s) / s, first, width);
    std::fill(to, to + first, 0.0F);
    if (s == 1) {
      std::copy(from + first + shift, from + last + shift, to + first);
    } else {
      for (Index j = first; j < last; ++j) to[j] = from[j * s + shift];
    }
    std::fill(to + last, to + width, 0.0F);
  }

  // The patches of output rows [begin, end) of sample n.
  void gather(Matrix& patches, Index n, Index begin, Index end) const {
    const Index k = weight.h();
    for (Index row = 0; row < patches.rows(); ++row) {
      const Index c = row / (k * k), u = row / k % k, v = row % k;
      for (Index i = begin; i < end; ++i) {
        float* to = patches.row(row).data() + (i - begin) * y.w();
        const Index h = i * options.stride + u - options.top;
        if (h < 0 || h >= x.h())
          std::fill(to, to + y.w(), 0.0F);
        else
          copy_row(x.data() + ((n * x.c() + c) * x.h() + h) * x.w(), to, v);
      }
    }
  }

  void band(Matrix& patches, Index n, Index begin, Index end) const {
    using Band = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
    const Index plane = y.h() * y.w();
    patches.resize(weight.c() * weight.h() * weight.w(), (end - begin) * y.w());
    gather(patches, n, begin, end);
    const Eigen::Map<const Matrix> kernels(weight.data(), weight.n(), patches.rows());
    Band out(y.data() + n * y.c() * plane + begin * y.w(), y.c(), patches.cols(),
             Eigen::OuterStride<>(plane));
    out.noalias() = kernels * patches;
    out.colwise() += bias.transpose();
  }
};

}  // namespace

Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = weight.h();
  require_size(x.c(), weight.c(), "conv2d_forward: channels of x");
  require_size(weight.w(), k, "conv2d_forward: columns of the kernel");
  require_size(bias.size(), weight.n(), "conv2d_forward: size of bias");
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), k, options.stride, options.top, options.bottom),
            conv2d_out(x.w(), k, options.stride, options.left, options.right));

  const Index row_bytes = 4 * std::max<Index>(1, x.c() * k * k * y.w());
  const Index rows = std::max<Index>(1, kBandBytes / row_bytes);
  const Index bands = (y.h() + rows - 1) / rows;
  const Convolution convolution{x, weight, bias, options, y};
  in_parallel(y.n() * bands, [&] {
    return [&, patches = Matrix()](Index i) mutable {
      const Index begin = i % bands * rows;
      convolution.band(patches, i / bands, begin, std::min(begin + rows, y.h()));
    };
  });
  return y;
}

}  // namespace latent

// 9_conv2d_forward.cpp, made fast.
//
// 1. A 3x3 kernel with stride 1 takes 16 multiplications for four outputs, not 36: winograd.hpp.
//    The 16 products are [Co, Ci] times 64 tiles each, which OpenBLAS takes without packing them
//    first: at 64 channels what they read and write, 320 KiB and as many, and the transformed
//    kernels, 256 KiB, stay in an L2 cache of 2 MiB. Transforms are additions of as many tiles at
//    once as a register has floats: the columns of a row are parted into even and odd ones, so that
//    neighbouring tiles are neighbours in memory. The bias is what the product at (1, 1) starts
//    from, which is a part of all four outputs. Rows of the next channel lie a whole image away:
//    asking for them one channel ahead is worth a tenth.
// 2. Whatever else has stride 1: what tap (u, v) of the kernel sees is the image itself, moved by
//    (u, v). So the convolution is k * k products, [Co, Ci] times a piece of the padded image,
//    added up: nothing is laid out k * k times, as patches are, which took a third of the time. A
//    piece is 128 positions: what the products are added up in stays in the L1 cache, the band of
//    the image that they read in the L2 cache.
// 3. With other strides, or few channels, a product per tap is too thin, so there are patches: one
//    row per (channel, u, v), one column per output position, so that the product comes out channel
//    by channel, which is the layout of y. A band of them is half a MiB.
// 4. Bands are independent of one another, so threads take turns at them. Each writes positions of
//    its own, in an order of additions that does not depend on the number of threads.
// 5. A tile saves 20 Ci Co multiply-adds, which at 32 a cycle is 5/8 Ci Co cycles. Transforms take
//    about 10 cycles per tile and channel, mostly of memory: as much at Ci = Co = 32, where however
//    a product per tap has passes of its own. At 64 channels Winograd takes half its time, at 16
//    three quarters, from 3 to 64 the same. Transforming the kernels costs what 100 tiles or more
//    save: at 64 channels 24x24 pixels take as long either way, 32x32 two thirds. So there have to
//    be 16 channels and 256 tiles, and an image has to fill a band.

#include <algorithm>

#include "autoencoder.hpp"
#include "common/parallel.hpp"
#include "common/require.hpp"
#include "winograd.hpp"

namespace latent {
namespace {

using Block = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstBlock = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

constexpr Index kPatchBytes = Index{1} << 19, kBandBytes = Index{3} << 18;
constexpr Index kPiece = 128;    // positions
constexpr Index kChannels = 16;  // with fewer, a product per tap would be too thin
constexpr Index kTilesOfImage = 64, kTilesOfCall = 256;  // with fewer, Winograd would not pay

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

  void by_patches(Matrix& patches, Index n, Index begin, Index end) const {
    const Index plane = y.h() * y.w();
    patches.resize(weight.c() * weight.h() * weight.w(), (end - begin) * y.w());
    gather(patches, n, begin, end);
    const Eigen::Map<const Matrix> kernels(weight.data(), weight.n(), patches.rows());
    Block out(y.data() + n * y.c() * plane + begin * y.w(), y.c(), patches.cols(),
              Eigen::OuterStride<>(plane));
    out.noalias() = kernels * patches;
    out.colwise() += bias.transpose();
  }

  Index padded_width() const { return y.w() + weight.w() - 1; }

  // The rows of sample n that output rows [begin, end) see, with their padding: one row per
  // channel.
  void pad(Matrix& padded, Index n, Index begin, Index end) const {
    const Index width = padded_width(), rows = end - begin + weight.h() - 1;
    padded.setZero(x.c(), rows * width + weight.w());  // the last piece reads a little further
    for (Index c = 0; c < x.c(); ++c) {
      for (Index i = 0; i < rows; ++i) {
        const Index h = begin + i - options.top;
        if (h < 0 || h >= x.h()) continue;
        const float* row = x.data() + ((n * x.c() + c) * x.h() + h) * x.w();
        const Index count = std::min(x.w(), width - options.left);
        std::copy(row, row + count, padded.row(c).data() + i * width + options.left);
      }
    }
  }

  // Positions [at, at + sums.cols()) of the band: sums of all taps. A row has a few too many.
  void piece(const Matrix& padded, const std::vector<Matrix>& taps, Index at, Matrix& sums) const {
    sums.colwise() = bias.transpose();
    const Index k = weight.h();
    for (Index tap = 0; tap < k * k; ++tap) {
      const float* from = padded.data() + at + tap / k * padded_width() + tap % k;
      sums.noalias() +=
          taps[static_cast<std::size_t>(tap)] *
          ConstBlock(from, padded.rows(), sums.cols(), Eigen::OuterStride<>(padded.cols()));
    }
  }

  // Writes positions [at, at + sums.cols()) of a band that starts at output row `begin`.
  void put(const Matrix& sums, Index n, Index begin, Index at) const {
    for (Index j = 0; j < sums.cols();) {
      const Index row = (at + j) / padded_width(), col = (at + j) % padded_width();
      const Index count = std::min(padded_width() - col, sums.cols() - j);
      const Index kept = std::clamp<Index>(y.w() - col, 0, count);
      for (Index c = 0; kept > 0 && c < y.c(); ++c)
        std::copy_n(sums.row(c).data() + j, kept,
                    y.data() + ((n * y.c() + c) * y.h() + begin + row) * y.w() + col);
      j += count;
    }
  }

  void by_taps(Matrix& padded, Matrix& sums, const std::vector<Matrix>& taps, Index n, Index begin,
               Index end) const {
    pad(padded, n, begin, end);
    const Index positions = (end - begin) * padded_width();
    for (Index at = 0; at < positions; at += kPiece) {
      sums.resize(y.c(), std::min(kPiece, positions - at));
      piece(padded, taps, at, sums);
      put(sums, n, begin, at);
    }
  }
};

// See 5. above.
bool winograd_pays(const Tensor4& x, const Tensor4& y) {
  const Index tiles = (y.h() + 1) / 2 * ((y.w() + 1) / 2);
  return std::min(x.c(), y.c()) >= kChannels && tiles >= kTilesOfImage &&
         y.n() * tiles >= kTilesOfCall;
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

  if (k == 3 && options.stride == 1 && winograd_pays(x, y)) {
    winograd(x, weight, bias, options, y);
    return y;
  }
  const Convolution convolution{x, weight, bias, options, y};
  const bool thin = options.stride > 1 || x.c() < kChannels;
  const std::vector<Matrix> taps = thin ? std::vector<Matrix>() : taps_of(weight);
  const Index row_bytes = 4 * std::max<Index>(1, x.c() * (thin ? k * k * y.w() : y.w() + k - 1));
  const Index rows =
      std::max<Index>(1, thin ? kPatchBytes / row_bytes : kBandBytes / row_bytes - k + 1);
  const Index bands = (y.h() + rows - 1) / rows;
  in_parallel(y.n() * bands, [&] {
    return [&, input = Matrix(), sums = Matrix()](Index i) mutable {
      const Index n = i / bands, begin = i % bands * rows, end = std::min(begin + rows, y.h());
      if (thin)
        convolution.by_patches(input, n, begin, end);
      else
        convolution.by_taps(input, sums, taps, n, begin, end);
    };
  });
  return y;
}

}  // namespace latent

/// @file
/// Winograd's F(2x2, 3x3): four outputs of a 3x3 kernel with 16 multiplications instead of 36.
///
/// Along one axis two outputs take four products instead of six:
/// \f$ y_0 = m_0 + m_1 + m_2,\; y_1 = m_1 - m_2 - m_3 \f$ with \f$ m_0 = (d_0 - d_2)\,g_0,\;
/// m_1 = (d_1 + d_2)\frac{g_0 + g_1 + g_2}2,\; m_2 = (d_2 - d_1)\frac{g_0 - g_1 + g_2}2,\;
/// m_3 = (d_1 - d_3)\,g_2 \f$. Along both: tiles of 4x4 inputs that begin two apart, 16 places in
/// each, 2x2 outputs. No output has a part in it that its kernel does not see, so a NaN spreads no
/// further than it should; infinity becomes NaN. Rounding errors are relative to the largest of a
/// tile, not to each term.
/// @see Lavin and Gray 2015, "Fast algorithms for convolutional neural networks",
///      arXiv:1509.09308.
#pragma once

#include <algorithm>
#include <vector>

#include "autoencoder.hpp"
#include "common/parallel.hpp"

namespace latent {

/// For each (u, v) of the kernel a matrix [Co, Ci].
inline std::vector<Matrix> taps_of(const Tensor4& weight) {
  const Index taps = weight.h() * weight.w();
  std::vector<Matrix> result;
  for (Index tap = 0; tap < taps; ++tap)
    result.emplace_back(Eigen::Map<const Matrix, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>(
        weight.data() + tap, weight.n(), weight.c(), {weight.c() * taps, taps}));
  return result;
}

/// A 3x3 convolution with stride 1, band by band of tiles.
class Winograd {
 public:
  /// What a thread uses again for each band.
  struct Memory {
    Matrix inputs;    ///< For each of 16 places in a tile: [Ci, tiles].
    Matrix products;  ///< For each of 16 places in a tile: [Co, tiles].
    Matrix lines;     ///< Of one channel: even columns, odd columns.
  };

  /// Transforms the kernels. What is handed over must outlive this.
  Winograd(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
           const Conv2dOptions& options, Tensor4& y)
      : x_(x), bias_(bias), options_(options), y_(y) {
    const Index across = half(y.w()), down = half(y.h());
    pieces_ = (across + kTiles - 1) / kTiles;
    cols_ = (across + pieces_ - 1) / pieces_;
    rows_ = std::max<Index>(1, std::min(down, kTiles / cols_));
    strips_ = (down + rows_ - 1) / rows_;
    pitch_ = (rows_ * cols_ + 2 * kAlign - 1) / kAlign * kAlign;
    transform(taps_of(weight));
  }

  /// @return  How many bands there are, which do not depend on one another.
  Index bands() const { return y_.n() * strips_ * pieces_; }

  /// Writes one band of y.
  void band(Index number, Memory& memory) const {
    const Index n = number / (strips_ * pieces_), rest = number % (strips_ * pieces_);
    const Index row = rest / pieces_ * rows_, col = rest % pieces_ * cols_;
    const Band band{n, row, col, std::min(rows_, half(y_.h()) - row),
                    std::min(cols_, half(y_.w()) - col)};
    memory.inputs.resize(kPlaces, pitch_ * x_.c() + kAlign);
    memory.products.resize(kPlaces, pitch_ * y_.c() + kAlign);
    memory.lines.resize(2 * (2 * rows_ + 2), cols_ + 2 * kAlign);
    for (Index c = 0; c < x_.c(); ++c) {
      split(band, c, memory.lines);
      for (Index i = 0; i < band.rows; ++i) take_apart(band, c, i, memory);
    }
    for (Index place = 0; place < kPlaces; ++place) multiply(band, place, memory);
    for (Index c = 0; c < y_.c(); ++c) {
      for (Index i = 0; i < band.rows; ++i) put_together(band, c, i, memory);
    }
  }

 private:
  using Traits = Eigen::internal::packet_traits<float>;
  using Packet = Traits::type;
  using Block = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

  static constexpr Index kPlaces = 16, kAlign = 16, kTiles = 64;

  struct Band {
    Index n, row, col, rows, cols;  // of tiles
  };

  static Index half(Index size) { return (size + 1) / 2; }

  // One element of G g for matrices g.
  static Matrix combined(Index u, const Matrix& a, const Matrix& b, const Matrix& c) {
    if (u == 0) return a;
    if (u == 3) return c;
    if (u == 1) return 0.5F * (a + b + c);
    return 0.5F * (a - b + c);
  }

  // G g G^T.
  void transform(const std::vector<Matrix>& taps) {
    for (Index u = 0; u < 4; ++u) {
      const auto row = [&](std::size_t v) {
        return combined(u, taps[v], taps[3 + v], taps[6 + v]);
      };
      const Matrix a = row(0), b = row(1), c = row(2);
      for (Index v = 0; v < 4; ++v) kernels_.push_back(combined(v, a, b, c));
    }
  }

  // to[j] = from[2 j + shift], and 0 outside.
  void every_second(const float* from, Index shift, float* to, Index count) const {
    const Index first = std::clamp<Index>((1 - shift) / 2, 0, count);
    const Index last = std::clamp<Index>((x_.w() - shift + 1) / 2, first, count);
    std::fill(to, to + first, 0.0F);
    for (Index j = first; j < last; ++j) to[j] = from[2 * j + shift];
    std::fill(to + last, to + count, 0.0F);
  }

  // Asks for what the next channel needs: rows lie too far apart for the processor to guess.
  template <int kToWrite = 0>
  static void fetch(const float* from, Index count) {
    for (Index j = 0; j < count; j += kAlign) __builtin_prefetch(from + j, kToWrite);
  }

  // The padded rows of channel c that a band sees.
  void split(const Band& band, Index c, Matrix& lines) const {
    const Index first = std::clamp<Index>(2 * band.col - options_.left, 0, x_.w());
    const Index last = std::clamp<Index>(first + 2 * band.cols + 2, first, x_.w());
    for (Index i = 0; i < 2 * band.rows + 2; ++i) {
      const Index h = 2 * band.row + i - options_.top;
      if (h < 0 || h >= x_.h()) {
        lines.middleRows(2 * i, 2).setZero();
        continue;
      }
      const float* row = x_.data() + ((band.n * x_.c() + c) * x_.h() + h) * x_.w();
      if (c + 1 < x_.c()) fetch(row + x_.h() * x_.w() + first, last - first);
      for (Index odd = 0; odd < 2; ++odd)
        every_second(row, 2 * band.col + odd - options_.left, lines.row(2 * i + odd).data(),
                     band.cols + 1);
    }
  }

  // B^T d for packets d.
  static void before(const Packet* d, Packet* t) {
    t[0] = d[0] - d[2], t[1] = d[1] + d[2], t[2] = d[2] - d[1], t[3] = d[1] - d[3];
  }

  // B^T d B for row i of a band's tiles.
  void take_apart(const Band& band, Index c, Index i, Memory& memory) const {
    float* to = memory.inputs.data() + c * pitch_ + i * band.cols;
    const Index place = memory.inputs.cols(), line = memory.lines.cols();
    const float* from = memory.lines.data() + 4 * i * line;
    for (Index j = 0; j < band.cols; j += Traits::size) {
      Packet d[4], by_column[4][4], t[4];
      for (Index u = 0; u < 4; ++u) {
        for (Index v = 0; v < 4; ++v)
          d[v] = Eigen::internal::ploadu<Packet>(from + (2 * u + v % 2) * line + v / 2 + j);
        before(d, t);
        for (Index v = 0; v < 4; ++v) by_column[v][u] = t[v];
      }
      for (Index v = 0; v < 4; ++v) {
        before(by_column[v], t);
        for (Index u = 0; u < 4; ++u) Eigen::internal::pstoreu(to + (4 * u + v) * place + j, t[u]);
      }
    }
  }

  // All channels at one place of all tiles. Place (1, 1) is added to all four outputs: so is b.
  void multiply(const Band& band, Index place, Memory& memory) const {
    const Index tiles = band.rows * band.cols;
    const Block in(memory.inputs.row(place).data(), x_.c(), tiles, Eigen::OuterStride<>(pitch_));
    Block out(memory.products.row(place).data(), y_.c(), tiles, Eigen::OuterStride<>(pitch_));
    if (place == 5)
      out.colwise() = bias_.transpose();
    else
      out.setZero();
    out.noalias() += kernels_[static_cast<std::size_t>(place)] * in;
  }

  // A^T m for packets m.
  static void after(const Packet* m, Packet* t) {
    t[0] = m[0] + m[1] + m[2], t[1] = m[1] - m[2] - m[3];
  }

  // A^T m A for row i of a band's tiles.
  void put_together(const Band& band, Index c, Index i, Memory& memory) const {
    const float* from = memory.products.data() + c * pitch_ + i * band.cols;
    const Index place = memory.products.cols(), line = memory.lines.cols();
    float* to = memory.lines.data();
    for (Index j = 0; j < band.cols; j += Traits::size) {
      Packet m[4], by_column[2][4], t[2];
      for (Index u = 0; u < 4; ++u) {
        for (Index v = 0; v < 4; ++v)
          m[v] = Eigen::internal::ploadu<Packet>(from + (4 * u + v) * place + j);
        after(m, t);
        for (Index v = 0; v < 2; ++v) by_column[v][u] = t[v];
      }
      for (Index v = 0; v < 2; ++v) {
        after(by_column[v], t);
        for (Index u = 0; u < 2; ++u) Eigen::internal::pstoreu(to + (2 * u + v) * line + j, t[u]);
      }
    }
    write(band, c, 2 * (band.row + i), memory.lines);
  }

  // Output rows h and, if there is one, h + 1 of a band.
  void write(const Band& band, Index c, Index h, const Matrix& lines) const {
    const Index count = std::min(2 * band.cols, y_.w() - 2 * band.col);
    for (Index u = 0; u < std::min<Index>(2, y_.h() - h); ++u) {
      const float* even = lines.row(2 * u).data();
      const float* odd = lines.row(2 * u + 1).data();
      float* to = y_.data() + ((band.n * y_.c() + c) * y_.h() + h + u) * y_.w() + 2 * band.col;
      if (c + 1 < y_.c()) fetch<1>(to + y_.h() * y_.w(), count);
      for (Index j = 0; j < count / 2; ++j) to[2 * j] = even[j], to[2 * j + 1] = odd[j];
      if (count % 2 == 1) to[count - 1] = even[count / 2];
    }
  }

  const Tensor4& x_;
  const RowVector& bias_;
  const Conv2dOptions& options_;
  Tensor4& y_;
  std::vector<Matrix> kernels_;
  Index pieces_ = 0, cols_ = 0, strips_ = 0, rows_ = 0;  // of bands across, down; tiles of a band
  Index pitch_ = 0;
};

/// Writes y, on all processors: `conv2d_forward` for kernels of 3x3 and stride 1.
inline void winograd(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                     const Conv2dOptions& options, Tensor4& y) {
  const Winograd bands(x, weight, bias, options, y);
  in_parallel(bands.bands(), [&] {
    return [&, memory = Winograd::Memory()](Index i) mutable { bands.band(i, memory); };
  });
}

}  // namespace latent

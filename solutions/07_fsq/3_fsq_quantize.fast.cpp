// 3_fsq_quantize.cpp, made fast: bound, round and divide in one pass, sixteen elements at a time.
//
// 1. tanh in float. One double at a time took nine tenths of the time; Eigen's tanh of a float is a
//    quotient of two polynomials that vectorizes, and right to some units of a float's last place.
// 2. Dimension d is every D-th element, which no vector register likes. Over a span of whole rows
//    the constants of all columns repeat: they are laid out once, for one span, and the matrix is
//    worked off span by span, contiguous elements against contiguous constants.
// 3. The bounded latents are used up where they arise: one read and one write per element.

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {
namespace {

using Constants = Eigen::Array<float, Eigen::Dynamic, 1>;
using Span = Eigen::Map<const Constants>;
using SpanToWrite = Eigen::Map<Constants>;

constexpr Index kRowsOfSpan = 64;    // constants of 64 rows stay in the L1 cache
constexpr Index kSpansOfPart = 256;  // enough work for a thread to fetch

/// The constants of the columns, repeated for as many rows as a span has.
struct Spans {
  Constants half_l, offset, shift, half_width;

  explicit Spans(const Levels& levels) {
    const Index d = std::ssize(levels);
    for (Constants* constants : {&half_l, &offset, &shift, &half_width})
      constants->resize(kRowsOfSpan * d);
    for (Index i = 0; i < half_l.size(); ++i) {
      const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(i % d)]);
      half_l(i) = static_cast<float>(g.half_l);
      offset(i) = static_cast<float>(g.offset);
      shift(i) = static_cast<float>(g.shift);
      half_width(i) = static_cast<float>(g.half_width);
    }
  }

  /// Calls work(begin, size) for consecutive spans of `total` elements, on all threads.
  template <class Work>
  void each(Index total, const Work& work) const {
    const Index span = half_l.size(), part = kSpansOfPart * span;
    if (total == 0) return;
    in_parallel((total + part - 1) / part, [&] {
      return [&](Index i) {
        const Index end = std::min(total, (i + 1) * part);
        for (Index at = i * part; at < end; at += span) work(at, std::min(span, end - at));
      };
    });
  }
};

}  // namespace

Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "fsq_quantize: number of levels");
  const Spans s(levels);
  Matrix codes(z.rows(), z.cols());
  s.each(z.size(), [&](Index begin, Index n) {
    const auto bounded =
        (Span(z.data() + begin, n) + s.shift.head(n)).tanh() * s.half_l.head(n) - s.offset.head(n);
    SpanToWrite(codes.data() + begin, n) = bounded.rint() / s.half_width.head(n);
  });
  return codes;
}

Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require_size(dcodes.rows(), z.rows(), "fsq_quantize_backward: rows of dcodes");
  require_size(dcodes.cols(), z.cols(), "fsq_quantize_backward: columns of dcodes");
  require_size(std::ssize(levels), z.cols(), "fsq_quantize_backward: number of levels");
  const Spans s(levels);
  Matrix dz(z.rows(), z.cols());
  s.each(z.size(), [&](Index begin, Index n) {
    const auto t = (Span(z.data() + begin, n) + s.shift.head(n)).tanh();
    SpanToWrite(dz.data() + begin, n) = Span(dcodes.data() + begin, n) * s.half_l.head(n) *
                                        (1.0F - t.square()) / s.half_width.head(n);
  });
  return dz;
}

}  // namespace latent

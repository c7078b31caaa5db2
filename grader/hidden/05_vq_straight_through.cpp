// Hidden properties of lab 05. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "grader/judge/property.hpp"
#include "vq_straight_through.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

using Indices = std::vector<std::int64_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

Matrix zeros(Index rows, Index cols) {
  return Matrix::Zero(rows, cols);
}

Matrix zeros_like(const Matrix& x) {
  return zeros(x.rows(), x.cols());
}

double sqdist(const Matrix& z, Index n, const Matrix& codebook, Index k) {
  double sum = 0.0;
  for (Index d = 0; d < z.cols(); ++d) {
    const double difference = double(z(n, d)) - double(codebook(k, d));
    sum += difference * difference;
  }
  return sum;
}

double square_norm(const Matrix& x, Index n) {
  return sqdist(x, n, zeros(1, x.cols()), 0);
}

Oracle sqdist_oracle(const Matrix& z, const Matrix& codebook) {
  Oracle table(z.rows(), codebook.rows());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index k = 0; k < codebook.rows(); ++k) table(n, k) = sqdist(z, n, codebook, k);
  }
  return table;
}

std::int64_t nearest(const Matrix& z, Index n, const Matrix& codebook) {
  Index best = 0;
  for (Index k = 1; k < codebook.rows(); ++k) {
    if (sqdist(z, n, codebook, k) < sqdist(z, n, codebook, best)) best = k;
  }
  return best;
}

Indices nearest_oracle(const Matrix& z, const Matrix& codebook) {
  Indices indices;
  for (Index n = 0; n < z.rows(); ++n) indices.push_back(nearest(z, n, codebook));
  return indices;
}

Matrix codes_of(const Matrix& codebook, const Indices& indices) {
  Matrix codes(static_cast<Index>(indices.size()), codebook.cols());
  for (Index n = 0; n < codes.rows(); ++n) {
    codes.row(n) = codebook.row(indices[static_cast<std::size_t>(n)]);
  }
  return codes;
}

/// The same codes, each one place further on: every index has to change with them.
Matrix moved_on(const Matrix& codebook) {
  Matrix moved = codebook;
  const Index codes = codebook.rows();
  for (Index k = 0; k < codes; ++k) moved.row((k + 1) % codes) = codebook.row(k);
  return moved;
}

/// Whether the nearest code of row n is ahead of every other one by 1e-3 of the squares that enter:
/// nothing hangs on the formula, or on the order in which squares are added.
bool is_clear(const Matrix& z, Index n, const Matrix& codebook) {
  const Index best = nearest(z, n, codebook);
  for (Index k = 0; k < codebook.rows(); ++k) {
    const double ahead = sqdist(z, n, codebook, k) - sqdist(z, n, codebook, best);
    const double scale =
        square_norm(z, n) + std::max(square_norm(codebook, k), square_norm(codebook, best));
    if (k != best && ahead < 1e-3 * scale) return false;
  }
  return true;
}

/// Rows and codes, and what is nearest.
struct Quantizing {
  Matrix z, codebook;
  Indices indices;
};

/// Rows and codes on a grid of eighths times `scale`, with a clear nearest code for every row.
Quantizing draw_quantizing(Draw& draw, Index n, Index k, Index d, double scale = 1.0) {
  const auto element = [&] { return float(scale * std::rint(8.0 * draw.random().normal()) / 8.0); };
  const auto fill = [&](auto&& x) {
    for (Index i = 0; i < x.size(); ++i) x(i) = element();
  };
  Quantizing q{Matrix(n, d), Matrix(k, d), {}};
  const auto fill_clearly = [&](Index row) {
    for (int attempt = 0; attempt < 200; ++attempt) {
      fill(q.z.row(row));
      if (is_clear(q.z, row, q.codebook)) return true;
    }
    return false;
  };
  for (Index row = 0; row < n;) {
    if (row == 0) fill(q.codebook.reshaped());
    row = fill_clearly(row) ? row + 1 : 0;
  }
  q.indices = nearest_oracle(q.z, q.codebook);
  draw.show("z", q.z);
  draw.show("codebook", q.codebook);
  return q;
}

Quantizing draw_quantizing(Draw& draw) {
  const Index n = draw.size("N", 1, 6), k = draw.size("K", 1, 7), d = draw.size("D", 1, 5);
  return draw_quantizing(draw, n, k, d);
}

/// The rows and codes of the lesson's test.
Matrix lesson_rows() {
  return Matrix{{1.0F, 0.0F}, {0.0F, 1.0F}};
}

Matrix lesson_codes() {
  return Matrix{{0.9F, 0.1F}, {0.1F, 0.9F}, {-0.5F, -0.5F}};
}

// ---- 5.1 pairwise_sqdist -----------------------------------------------------------------------

// Up to six squares of differences up to about 7: 100 bounds what enters the result, however it
// is multiplied out.
constexpr Tolerance kSquares{1e-6, 1e-6, 100.0};

DEFINES(pairwise_sqdist, "sums the squared differences of each row to each code") {
  const Index n = draw.size("N", 1, 6), k = draw.size("K", 1, 6), d = draw.size("D", 1, 6);
  const Matrix z = draw.matrix("z", n, d), codebook = draw.matrix("codebook", k, d);
  expect_near("distances", ASK(pairwise_sqdist, z, codebook), sqdist_oracle(z, codebook), kSquares);
}

PROPERTY(pairwise_sqdist, "keeps its digits far from 0, where rows and codes are close") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 5), d = draw.size("D", 1, 5);
  Matrix z(n, d), codebook(k, d);
  for (Index i = 0; i < d; ++i) {
    const auto far = static_cast<float>(draw.random().integer(1000, 4000));
    const auto near_it = [&] { return far + float(draw.random().integer(-32, 32)) / 64.0F; };
    for (Index row = 0; row < n; ++row) z(row, i) = near_it();
    for (Index row = 0; row < k; ++row) codebook(row, i) = near_it();
  }
  draw.show("z", z);
  draw.show("codebook", codebook);
  const Matrix row{{1000.0F, 1000.0F}};
  const Matrix codes{{1000.0F, 1000.01F}, {1000.02F, 1000.0F}, {1000.0F, 1000.0F}};
  constexpr Tolerance kDigits{1e-4, 1e-6, 0.0};
  const Matrix got = ASK(pairwise_sqdist, z, codebook), other = ASK(pairwise_sqdist, row, codes);
  expect_near("distances", got, sqdist_oracle(z, codebook), kDigits);
  expect_near("distances of [1000, 1000] to [1000, 1000.01], [1000.02, 1000] and itself", other,
              sqdist_oracle(row, codes), kDigits);
}

PROPERTY(pairwise_sqdist, "gives 0.02, 1.62 and 2.5 for the lesson's first row") {
  const Matrix got = ASK(pairwise_sqdist, lesson_rows(), lesson_codes());
  expect_near("distances", got, Oracle(Oracle{{0.02, 1.62, 2.5}, {1.62, 0.02, 2.5}}),
              {1e-6, 1e-6, 2.5});
}

PROPERTY(pairwise_sqdist, "gives a table without rows or columns where there are none") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d), codebook = draw.matrix("codebook", k, d);
  const Matrix rows = ASK(pairwise_sqdist, Matrix(0, d), codebook);
  const Matrix columns = ASK(pairwise_sqdist, z, Matrix(0, d));
  expect_near("distances of no rows", rows, Oracle(0, k));
  expect_near("distances to no codes", columns, Oracle(n, 0));
}

PROPERTY(pairwise_sqdist, "refuses rows and codes of different dimension") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d + 1);
  const Reply narrower = REPLY(pairwise_sqdist, z, draw.matrix("codebook", k, d));
  const Reply wider = REPLY(pairwise_sqdist, z, draw.matrix("codebook, wider", k, d + 2));
  expect_refused(narrower, "the codes have one column fewer than z");
  expect_refused(wider, "the codes have one column more than z");
}

// ---- 5.2 nearest_code --------------------------------------------------------------------------

DEFINES(nearest_code, "is the index of the nearest code, for each row") {
  const Quantizing q = draw_quantizing(draw);
  const Indices got = ASK(nearest_code, q.z, q.codebook);
  const Indices after = ASK(nearest_code, q.z, moved_on(q.codebook));
  expect_equal("indices", got, q.indices);
  expect_equal("indices, with each code one place further on", after,
               nearest_oracle(q.z, moved_on(q.codebook)));
}

PROPERTY(nearest_code, "is the lowest index where several codes are equally near") {
  const Index n = draw.size("N", 1, 3), k = draw.size("K", 3, 7), d = draw.size("D", 1, 4);
  RowVector at(d), step = RowVector::Zero(d);
  for (Index i = 0; i < d; ++i) at(i) = float(draw.random().integer(-3, 3));
  step(draw.random().integer(0, d - 1)) = 1.0F;
  const Index second = draw.random().integer(1, k - 1),
              first = draw.random().integer(0, second - 1);
  Matrix codebook(k, d);
  for (Index code = 0; code < k; ++code) codebook.row(code) = at + float(code + 2) * step;
  codebook.row(first) = at + step;
  codebook.row(second) = at - step;
  const Matrix z = draw.show("z", Matrix(at.replicate(n, 1)));
  draw.show("codebook", codebook);
  Matrix twice = codebook;
  twice.row(second) = twice.row(first);
  const Indices expected(static_cast<std::size_t>(n), first);
  const Indices mirrored = ASK(nearest_code, z, codebook), same = ASK(nearest_code, z, twice);
  expect_equal("indices, two codes on opposite sides", mirrored, expected);
  expect_equal("indices, two codes in one place", same, expected);
}

PROPERTY(nearest_code, "goes by Euclid's distance, not by angle, L1 or the largest axis") {
  const Matrix origin{{0.0F, 0.0F}}, slanted{{1.0F, 1.2F}}, axis{{1.0F, 0.0F}};
  const Indices lesson = ASK(nearest_code, lesson_rows(), lesson_codes());
  const Indices l1 = ASK(nearest_code, origin, (Matrix{{1.2F, 0.0F}, {0.8F, 0.8F}}));
  const Indices angle = ASK(nearest_code, slanted, (Matrix{{0.1F, 0.0F}, {0.0F, 5.0F}}));
  const Indices product = ASK(nearest_code, axis, (Matrix{{1.0F, 0.0F}, {5.0F, 0.0F}}));
  const Indices only = ASK(nearest_code, slanted, axis);
  const Indices largest = ASK(nearest_code, origin, (Matrix{{1.0F, 0.0F}, {0.9F, 0.9F}}));
  const Indices swapped = ASK(nearest_code, origin, (Matrix{{0.9F, -0.9F}, {0.0F, -1.0F}}));
  expect_equal("indices of the lesson's rows", lesson, Indices{0, 1});
  expect_equal("[1, 1.2] with no choice but [1, 0]", only, Indices{0});
  expect_equal("[0, 0] between [1.2, 0] and [0.8, 0.8]", l1, Indices{1});
  expect_equal("[1, 1.2] between [0.1, 0] and [0, 5]", angle, Indices{0});
  expect_equal("[1, 0] between [1, 0] and [5, 0]", product, Indices{0});
  expect_equal("[0, 0] between [1, 0] and [0.9, 0.9]", largest, Indices{0});
  expect_equal("[0, 0] between [0.9, -0.9] and [0, -1]", swapped, Indices{1});
}

PROPERTY(nearest_code, "tells codes apart that are as small as 1/8192") {
  const Index n = draw.size("N", 1, 5), k = draw.size("K", 2, 7), d = draw.size("D", 1, 5);
  const Quantizing q = draw_quantizing(draw, n, k, d, 1.0 / 8192);
  const Indices got = ASK(nearest_code, q.z, q.codebook);
  const Indices after = ASK(nearest_code, q.z, moved_on(q.codebook));
  expect_equal("indices", got, q.indices);
  expect_equal("indices, with each code one place further on", after,
               nearest_oracle(q.z, moved_on(q.codebook)));
}

PROPERTY(nearest_code, "counts beyond 255") {
  const Index k = draw.size("K", 257, 600), n = draw.size("N", 1, 4);
  Matrix codebook(k, 2), z(n + 1, 2);
  for (Index code = 0; code < k; ++code) {
    codebook.row(code) << float(code % 25 - 12), float(code / 25 - 12);
  }
  Indices expected{k - 1};
  for (Index row = 0; row < n; ++row) expected.push_back(draw.random().integer(256, k - 1));
  z = draw.show("z", codes_of(codebook, expected));
  expect_equal("indices of rows that are codes", ASK(nearest_code, z, codebook), expected);
}

PROPERTY(nearest_code, "gives no index where there is no row") {
  const Index k = draw.size("K", 1, 5), d = draw.size("D", 1, 5);
  const Indices none = ASK(nearest_code, Matrix(0, d), draw.matrix("codebook", k, d));
  const Indices again = ASK(nearest_code, Matrix(0, 1), Matrix(zeros(k, 1)));
  expect_equal("indices", none, Indices{});
  expect_equal("indices, for one column", again, Indices{});
}

PROPERTY(nearest_code, "refuses an empty codebook") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d);
  const Reply rows = REPLY(nearest_code, z, Matrix(0, d));
  const Reply neither = REPLY(nearest_code, Matrix(0, d), Matrix(0, d));
  expect_refused(rows, "there is no code");
  expect_refused(neither, "there is no code, and no row either");
}

PROPERTY(nearest_code, "refuses rows and codes of different dimension") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d + 1);
  const Reply narrower = REPLY(nearest_code, z, draw.matrix("codebook", k, d));
  const Reply wider = REPLY(nearest_code, z, draw.matrix("codebook, wider", k, d + 2));
  expect_refused(narrower, "the codes have one column fewer than z");
  expect_refused(wider, "the codes have one column more than z");
}

PROPERTY(nearest_code, "refuses a row with an infinity or without a number in it") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  Matrix z = draw.matrix("z", n, d);
  const Matrix codebook = draw.matrix("codebook", k, d);
  float& element = z(draw.random().integer(0, n - 1), draw.random().integer(0, d - 1));
  const auto reply = [&](float value) {
    element = value;
    return REPLY(nearest_code, z, codebook);
  };
  const Reply nan = reply(kNoNumber), above = reply(kInfinity), below = reply(-kInfinity);
  expect_refused(nan, "an element of z is NaN");
  expect_refused(above, "an element of z is infinite");
  expect_refused(below, "an element of z is minus infinity");
}

PROPERTY(nearest_code, "refuses a code with an infinity or without a number in it") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d);
  Matrix codebook = draw.matrix("codebook", k, d);
  float& element = codebook(draw.random().integer(0, k - 1), draw.random().integer(0, d - 1));
  const auto reply = [&](float value) {
    element = value;
    return REPLY(nearest_code, z, codebook);
  };
  const Reply nan = reply(kNoNumber), above = reply(kInfinity), below = reply(-kInfinity);
  expect_refused(nan, "an element of a code is NaN");
  expect_refused(above, "an element of a code is infinite");
  expect_refused(below, "an element of a code is minus infinity");
}

// ---- 5.3 rows_from_nchw ------------------------------------------------------------------------

/// A map and the rows that belong to it.
struct MapAndRows {
  Index n, c, h, w;
  Tensor4 map;
  Matrix rows;

  Index positions() const { return n * h * w; }
  Shape shape() const { return {n, c, h, w}; }
};

/// From the flat index of an element to its place, by division: no nested loops to get wrong twice.
Matrix rows_oracle(const Tensor4& map) {
  const Index c = map.c(), h = map.h(), w = map.w();
  Matrix rows(map.n() * h * w, c);
  for (Index i = 0; i < map.size(); ++i) {
    const Index column = i % w, row = i / w % h, channel = i / (w * h) % c,
                sample = i / (w * h * c);
    rows((sample * h + row) * w + column, channel) = map.data()[i];
  }
  return rows;
}

MapAndRows draw_map(Draw& draw, Index least = 1) {
  const Index n = draw.size("N", least, 4), c = draw.size("C", least, 5);
  const Index h = draw.size("H", least, 4), w = draw.size("W", least, 5);
  const Tensor4 map = draw.tensor("z", n, c, h, w);
  return {n, c, h, w, map, rows_oracle(map)};
}

DEFINES(rows_from_nchw, "row (n H + h) W + w holds the channels of sample n at (h, w)") {
  const MapAndRows m = draw_map(draw);
  expect_equal("rows", ASK(rows_from_nchw, m.map), m.rows);
}

PROPERTY(rows_from_nchw, "back: element (n, c, h, w) comes from row (n H + h) W + w") {
  const MapAndRows m = draw_map(draw);
  draw.show("rows", m.rows);
  expect_equal("z", ASK(nchw_from_rows, m.rows, m.shape()), m.map);
}

PROPERTY(rows_from_nchw, "takes 10 d + 2 h + w to rows [0, 10], [1, 11] ... and back") {
  Tensor4 map(1, 2, 2, 2);
  for (Index i = 0; i < 8; ++i) map.data()[i] = float(10 * (i / 4) + i % 4);
  draw.show("z", map);
  const Matrix expected{{0, 10}, {1, 11}, {2, 12}, {3, 13}};
  const Matrix rows = ASK(rows_from_nchw, map);
  const Tensor4 back = ASK(nchw_from_rows, expected, (Shape{1, 2, 2, 2}));
  expect_equal("rows", rows, expected);
  expect_equal("z", back, map);
}

PROPERTY(rows_from_nchw, "makes no rows of no samples, and no samples of no rows") {
  const Index c = draw.size("C", 1, 5), h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  const Matrix rows = ASK(rows_from_nchw, Tensor4(0, c, h, w));
  const Tensor4 back = ASK(nchw_from_rows, Matrix(0, c), (Shape{0, c, h, w}));
  expect_equal("rows", rows, Oracle(0, c));
  expect_equal("z", back, Tensor4(0, c, h, w));
}

PROPERTY(rows_from_nchw, "refuses a number of rows that is not N H W") {
  const MapAndRows m = draw_map(draw);
  const Reply more = REPLY(nchw_from_rows, zeros(m.positions() + 1, m.c), m.shape());
  const Reply fewer = REPLY(nchw_from_rows, zeros(m.positions() - 1, m.c), m.shape());
  const Reply one = REPLY(nchw_from_rows, zeros(m.positions() + m.h * m.w, m.c), m.shape());
  expect_refused(more, "there is one row more than positions");
  expect_refused(fewer, "there is one row fewer than positions");
  expect_refused(one, "there are the rows of one more sample");
}

PROPERTY(rows_from_nchw, "refuses rows that have not C columns") {
  const MapAndRows m = draw_map(draw);
  const Reply more = REPLY(nchw_from_rows, zeros(m.positions(), m.c + 1), m.shape());
  const Reply fewer = REPLY(nchw_from_rows, zeros(m.positions(), m.c - 1), m.shape());
  expect_refused(more, "the rows have one column more than channels");
  expect_refused(fewer, "the rows have one column fewer than channels");
}

PROPERTY(rows_from_nchw, "refuses as many elements in another shape") {
  const MapAndRows m = draw_map(draw);
  const Shape wide_map{m.n, 2 * m.c, m.h, m.w}, long_map{m.n, m.c, 2 * m.h, m.w};
  const Reply tall = REPLY(nchw_from_rows, zeros(2 * m.positions(), m.c), wide_map);
  const Reply broad = REPLY(nchw_from_rows, zeros(m.positions(), 2 * m.c), long_map);
  expect_refused(tall, "twice the rows cannot make up for half the columns");
  expect_refused(broad, "twice the columns cannot make up for half the rows");
}

PROPERTY(rows_from_nchw, "refuses a shape that is not four sizes, none negative") {
  const MapAndRows m = draw_map(draw);
  const auto reply = [&](const Shape& shape) { return REPLY(nchw_from_rows, m.rows, shape); };
  const Reply three = reply({m.n, m.c, m.h * m.w}), five = reply({m.n, m.c, m.h, m.w, 1});
  const Reply one = reply({m.n, -m.c, m.h, m.w}), two = reply({-m.n, m.c, -m.h, m.w});
  expect_refused(three, "the shape has three sizes");
  expect_refused(five, "the shape has five sizes");
  expect_refused(one, "the number of channels is negative");
  expect_refused(two, "two sizes are negative, whose product is positive");
}

// ---- 5.4 vq_straight_through -------------------------------------------------------------------

// z + (q - z) in float is right to this; whether the codes are exact is asked separately.
constexpr Tolerance kRounded{2e-6, 1e-6, 8.0};

DEFINES(vq_straight_through, "puts the nearest code in each row's place, with its index") {
  const Quantizing q = draw_quantizing(draw);
  const VqOutput got = ASK(vq_straight_through, q.z, q.codebook);
  const Matrix moved = moved_on(q.codebook);
  const VqOutput after = ASK(vq_straight_through, q.z, moved);
  expect_equal("indices", got.indices, q.indices);
  expect_near("z_q", got.z_q, codes_of(q.codebook, q.indices), kRounded);
  expect_equal("indices, with each code one place further on", after.indices,
               nearest_oracle(q.z, moved));
  expect_near("z_q, with each code one place further on", after.z_q,
              codes_of(q.codebook, q.indices), kRounded);
}

PROPERTY(vq_straight_through, "gives the code bit for bit, however far away z_e is") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  // One code near 0, the others on the far side of it.
  const auto far = [&] { return 1e7F * float(draw.random().integer(1, 10)); };
  Matrix z(n, d), codebook(k, d);
  for (Index i = 0; i < z.size(); ++i) z.data()[i] = far();
  for (Index i = 0; i < codebook.size(); ++i) codebook.data()[i] = -far();
  const Index near_it = draw.random().integer(0, k - 1);
  for (Index i = 0; i < d; ++i)
    codebook(near_it, i) = float(draw.random().integer(1, 5)) + 1.0F / 3.0F;
  draw.show("z", z);
  draw.show("codebook", codebook);
  const VqOutput got = ASK(vq_straight_through, z, codebook);
  expect_equal("z_q", got.z_q, Matrix(codebook.row(near_it).replicate(n, 1)));
}

PROPERTY(vq_straight_through, "takes the lowest index where two codes are equally near") {
  const Index k = draw.size("K", 3, 6), d = draw.size("D", 1, 4);
  const Index second = draw.random().integer(1, k - 1),
              first = draw.random().integer(0, second - 1);
  Matrix codebook(k, d);
  for (Index code = 0; code < k; ++code) codebook.row(code).setConstant(float(code + 3));
  codebook.row(first).setConstant(1.0F);
  codebook.row(second).setConstant(-1.0F);
  draw.show("codebook", codebook);
  const VqOutput got = ASK(vq_straight_through, zeros(1, d), codebook);
  expect_equal("indices", got.indices, Indices{first});
  expect_equal("z_q", got.z_q, Matrix(codebook.row(first)));
}

PROPERTY(vq_straight_through, "gives the lesson's rows the indices 0 and 1") {
  const VqOutput got = ASK(vq_straight_through, lesson_rows(), lesson_codes());
  expect_equal("indices", got.indices, Indices{0, 1});
  expect_equal("z_q", got.z_q, Matrix(lesson_codes().topRows(2)));
}

PROPERTY(vq_straight_through, "quantizes no rows to no codes") {
  const Index k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix codebook = draw.matrix("codebook", k, d);
  const VqOutput got = ASK(vq_straight_through, Matrix(0, d), codebook);
  expect_equal("indices", got.indices, Indices{});
  expect_equal("z_q", got.z_q, Oracle(0, d));
}

PROPERTY(vq_straight_through, "refuses an empty codebook and codes of another dimension") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d + 1);
  const Reply none = REPLY(vq_straight_through, z, Matrix(0, d + 1));
  const Reply narrower = REPLY(vq_straight_through, z, draw.matrix("codebook", k, d));
  const Reply wider = REPLY(vq_straight_through, z, draw.matrix("codebook, wider", k, d + 2));
  expect_refused(none, "there is no code");
  expect_refused(narrower, "the codes have one column fewer than z_e");
  expect_refused(wider, "the codes have one column more than z_e");
}

PROPERTY(vq_straight_through, "refuses an element that is not finite") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d), codebook = draw.matrix("codebook", k, d);
  Matrix bad_rows = z, bad_codes = codebook;
  bad_rows(n - 1, 0) = kNoNumber;
  bad_codes(k - 1, 0) = kInfinity;
  const Reply rows = REPLY(vq_straight_through, bad_rows, codebook);
  const Reply codes = REPLY(vq_straight_through, z, bad_codes);
  expect_refused(rows, "an element of z_e is NaN");
  expect_refused(codes, "an element of a code is infinite");
}

/// Inputs of a backward pass, rows and codes within [-0.4, 0.4] and none of them 0.
struct Backward {
  Matrix dz_q, z_e, codebook;
};

Backward draw_backward(Draw& draw) {
  const Index n = draw.size("N", 1, 6), k = draw.size("K", 1, 6), d = draw.size("D", 1, 5);
  const auto within = [&](const std::string& name, Index rows) {
    Matrix x(rows, d);
    for (Index i = 0; i < x.size(); ++i) {
      x.data()[i] = 0.05F * float(draw.random().integer(1, 8));
      if (draw.random().integer(0, 1) == 0) x.data()[i] = -x.data()[i];
    }
    return draw.show(name, x);
  };
  const Matrix dz_q = draw.matrix("dz_q", n, d);
  const Matrix z_e = within("z_e", n), codebook = within("codebook", k);
  return {dz_q, z_e, codebook};
}

PROPERTY(vq_straight_through, "backward: hands dz_q to z_e unchanged, near a code or far") {
  const Backward b = draw_backward(draw);
  const Matrix far = draw.show("z_e, moved out", Matrix(b.z_e * 400.0F));
  const auto near_by = ASK(vq_straight_through_backward, b.dz_q, b.z_e, b.codebook);
  const auto far_out = ASK(vq_straight_through_backward, b.dz_q, far, b.codebook);
  expect_equal("dz_e", near_by.z_e, b.dz_q);
  expect_equal("dz_e, z_e moved out", far_out.z_e, b.dz_q);
}

PROPERTY(vq_straight_through, "backward: gives the codebook zeros, one for each number") {
  const Backward b = draw_backward(draw);
  const auto got = ASK(vq_straight_through_backward, b.dz_q, b.z_e, b.codebook);
  expect_equal("dcodebook", got.codebook, zeros_like(b.codebook));
}

PROPERTY(vq_straight_through, "backward: takes an empty batch") {
  const Index k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix none(0, d), codebook = draw.matrix("codebook", k, d);
  const auto got = ASK(vq_straight_through_backward, none, none, codebook);
  expect_equal("dz_e", got.z_e, Oracle(0, d));
  expect_equal("dcodebook", got.codebook, zeros(k, d));
}

PROPERTY(vq_straight_through, "backward: refuses dz_q and z_e of different shapes") {
  const Backward b = draw_backward(draw);
  const Index n = b.z_e.rows(), d = b.z_e.cols();
  const auto reply = [&](Index rows, Index cols) {
    return REPLY(vq_straight_through_backward, Matrix(Matrix::Ones(rows, cols)), b.z_e, b.codebook);
  };
  const Reply longer = reply(n + 1, d), wider = reply(n, d + 1), shorter = reply(n - 1, d);
  expect_refused(longer, "dz_q has one row more than z_e");
  expect_refused(wider, "dz_q has one column more than z_e");
  expect_refused(shorter, "dz_q has one row fewer than z_e");
}

PROPERTY(vq_straight_through, "backward: refuses codes of another dimension than z_e") {
  const Backward b = draw_backward(draw);
  const auto reply = [&](Index cols) {
    return REPLY(vq_straight_through_backward, b.dz_q, b.z_e, zeros(b.codebook.rows(), cols));
  };
  const Reply wider = reply(b.z_e.cols() + 1), narrower = reply(b.z_e.cols() - 1);
  expect_refused(wider, "the codes have one column more than z_e");
  expect_refused(narrower, "the codes have one column fewer than z_e");
}

// ---- 5.5 vq_losses -----------------------------------------------------------------------------

/// Arguments that fit one another.
struct LossCase {
  double reconstruction;
  Matrix z_e, codebook;
  Indices indices;
  double beta;
};

/// Rows, codes and the index of the nearest code for each row.
LossCase draw_loss_case(Draw& draw) {
  const Index n = draw.size("N", 1, 6), k = draw.size("K", 1, 6), d = draw.size("D", 1, 5);
  const double reconstruction = draw.number("reconstruction", 0.5, 4.0);
  const Matrix z_e = draw.matrix("z_e", n, d), codebook = draw.matrix("codebook", k, d);
  const Indices indices = draw.show("indices", nearest_oracle(z_e, codebook));
  return {reconstruction, z_e, codebook, indices, draw.number("beta", 0.1, 3.0)};
}

/// The same with some other index for every row.
LossCase draw_any_case(Draw& draw) {
  LossCase c = draw_loss_case(draw);
  for (std::int64_t& k : c.indices) k = draw.random().integer(0, c.codebook.rows() - 1);
  draw.show("indices, drawn", c.indices);
  return c;
}

/// The mean over all elements of (z - e)^2.
double mean_square(const LossCase& c) {
  double sum = 0.0;
  for (Index n = 0; n < c.z_e.rows(); ++n)
    sum += sqdist(c.z_e, n, c.codebook, c.indices[static_cast<std::size_t>(n)]);
  return sum / static_cast<double>(c.z_e.size());
}

// The differences may be rounded to float before they are squared; after that nothing is.
constexpr Tolerance kMean{2e-6, 1e-6, 0.0};

#define LOSSES_OF(c) \
  ASK(vq_losses, (c).reconstruction, (c).z_e, (c).codebook, (c).indices, (c).beta)
#define LOSSES_REPLY(c) \
  REPLY(vq_losses, (c).reconstruction, (c).z_e, (c).codebook, (c).indices, (c).beta)

DEFINES(vq_losses, "codebook: mean (z_e - e)^2; commitment: beta times as much") {
  const LossCase c = draw_loss_case(draw);
  const VqLosses got = LOSSES_OF(c);
  expect_near("codebook", got.codebook, mean_square(c), kMean);
  expect_near("commitment", got.commitment, c.beta * mean_square(c), kMean);
}

PROPERTY(vq_losses, "total: reconstruction + codebook + commitment") {
  const LossCase c = draw_loss_case(draw);
  const VqLosses got = LOSSES_OF(c);
  expect_near("total", got.total, c.reconstruction + (1.0 + c.beta) * mean_square(c), kMean);
}

PROPERTY(vq_losses, "reconstruction: the number that was given") {
  const LossCase c = draw_loss_case(draw);
  expect_near("reconstruction", LOSSES_OF(c).reconstruction, c.reconstruction, kDouble);
}

PROPERTY(vq_losses, "measures to the code each row was given, nearest or not") {
  const LossCase c = draw_any_case(draw);
  const VqLosses got = LOSSES_OF(c);
  expect_near("codebook", got.codebook, mean_square(c), kMean);
  expect_near("commitment", got.commitment, c.beta * mean_square(c), kMean);
}

PROPERTY(vq_losses, "gives 0.01, 0.0025 and 0.0125 for the lesson's rows, beta = 0.25") {
  const Matrix single = Matrix::Constant(1, 1, 2.0F), code = Matrix::Constant(1, 1, 0.5F);
  const VqLosses got = ASK(vq_losses, 0.0, lesson_rows(), lesson_codes(), (Indices{0, 1}), 0.25);
  const VqLosses one = ASK(vq_losses, 0.0, single, code, (Indices{0}), 0.25);
  expect_near("codebook", got.codebook, 0.01, {2e-6, 0.0, 0.0});
  expect_near("commitment", got.commitment, 0.0025, {2e-6, 0.0, 0.0});
  expect_near("total", got.total, 0.0125, {2e-6, 0.0, 0.0});
  expect_near("codebook, a single number 2 with the code 0.5", one.codebook, 2.25, kDouble);
}

PROPERTY(vq_losses, "has no commitment where beta is 0") {
  LossCase c = draw_loss_case(draw);
  c.beta = draw.show("beta, instead", 0.0);
  const VqLosses got = LOSSES_OF(c);
  expect_near("commitment", got.commitment, 0.0, kDouble);
  expect_near("codebook", got.codebook, mean_square(c), kMean);
}

PROPERTY(vq_losses, "counts small distances beside a large one") {
  const Index n = draw.size("N", 10, 20), d = draw.size("D", 10, 20);
  Matrix z_e = Matrix::Ones(n, d);
  z_e(0, 0) = 4096.0F;  // its square is 2^24: a float cannot add 1 to it
  const LossCase c{1.0, z_e, zeros(1, d), Indices(static_cast<std::size_t>(n), 0), 0.25};
  const double mean = (4096.0 * 4096.0 + double(n * d - 1)) / double(n * d);
  const VqLosses got = LOSSES_OF(c);
  expect_near("codebook, one element of 4096 and many of 1", got.codebook, mean, {1e-7, 0.0, 0.0});
  expect_near("commitment", got.commitment, 0.25 * mean, {1e-7, 0.0, 0.0});
}

PROPERTY(vq_losses, "refuses more or fewer indices than rows") {
  const LossCase c = draw_loss_case(draw);
  LossCase more = c, fewer = c;
  more.indices.push_back(0);
  fewer.indices.pop_back();
  const Reply too_many = LOSSES_REPLY(more), too_few = LOSSES_REPLY(fewer);
  expect_refused(too_many, "there is one index more than rows");
  expect_refused(too_few, "there is one index fewer than rows");
}

PROPERTY(vq_losses, "refuses an index that is not from 0 to K - 1") {
  const LossCase c = draw_loss_case(draw);
  LossCase below = c, above = c;
  below.indices[c.indices.size() / 2] = -1;
  above.indices[c.indices.size() / 2] = c.codebook.rows();
  const Reply negative = LOSSES_REPLY(below), too_large = LOSSES_REPLY(above);
  expect_refused(negative, "an index is -1");
  expect_refused(too_large, "an index is K");
}

PROPERTY(vq_losses, "refuses rows and codes of different dimension") {
  const LossCase c = draw_loss_case(draw);
  LossCase wider = c, narrower = c;
  wider.codebook = Matrix::Ones(c.codebook.rows(), c.z_e.cols() + 1);
  narrower.z_e = Matrix::Ones(c.z_e.rows(), c.z_e.cols() + 1);
  const Reply more = LOSSES_REPLY(wider), fewer = LOSSES_REPLY(narrower);
  expect_refused(more, "the codes have one column more than z_e");
  expect_refused(fewer, "the codes have one column fewer than z_e");
}

PROPERTY(vq_losses, "refuses a negative beta") {
  LossCase c = draw_loss_case(draw);
  c.beta = -c.beta;
  const Reply drawn = LOSSES_REPLY(c);
  c.beta = -1e-9;
  const Reply tiny = LOSSES_REPLY(c);
  expect_refused(drawn, "beta is negative");
  expect_refused(tiny, "beta is -1e-9");
}

PROPERTY(vq_losses, "refuses a batch without elements") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const LossCase no_rows{1.0, Matrix(0, d), draw.matrix("codebook", k, d), {}, 0.25};
  const LossCase no_columns{1.0, Matrix(n, 0), Matrix(k, 0), Indices(std::size_t(n), 0), 0.25};
  const Reply rows = LOSSES_REPLY(no_rows), columns = LOSSES_REPLY(no_columns);
  expect_refused(rows, "there is no row");
  expect_refused(columns, "there is no column");
}

// ---- 5.6 vq_gradients --------------------------------------------------------------------------

/// Arguments that fit one another.
struct GradientCase {
  Matrix dz_q, z_e, codebook;
  Indices indices;
  double beta;
};

/// N rows, K codes, and an index for each row, which need not be that of the nearest code.
GradientCase draw_gradient_case(Draw& draw, Index n, Index k, Index d, const Indices& indices) {
  const Matrix dz_q = draw.matrix("dz_q", n, d);
  const Matrix z_e = draw.matrix("z_e", n, d), codebook = draw.matrix("codebook", k, d);
  draw.show("indices", indices);
  return {dz_q, z_e, codebook, indices, draw.number("beta", 0.1, 3.0)};
}

/// The same with rows next to their codes, which are 8 apart: each row's code is its nearest.
GradientCase draw_nearby_case(Draw& draw, Index n, Index k, Index d, const Indices& indices) {
  GradientCase c = draw_gradient_case(draw, n, k, d, indices);
  for (Index code = 0; code < k; ++code) c.codebook(code, 0) = 8.0F * float(code);
  for (Index row = 0; row < n; ++row) {
    const Index code = indices[static_cast<std::size_t>(row)];
    c.z_e.row(row) = c.codebook.row(code) + 0.25F * c.z_e.row(row);
  }
  draw.show("z_e, near its codes", c.z_e);
  draw.show("codebook, spread out", c.codebook);
  return c;
}

/// 0 to K - 1 in some order.
Indices shuffled(Draw& draw, Index k) {
  Indices order(static_cast<std::size_t>(k));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(draw.random().integer(0, Index(i) - 1))]);
  }
  return order;
}

/// Every code is given to one row.
GradientCase draw_nearby(Draw& draw) {
  const Index n = draw.size("N", 1, 6), d = draw.size("D", 1, 5);
  return draw_nearby_case(draw, n, n, d, shuffled(draw, n));
}

/// Every code is given to two rows or three.
GradientCase draw_shared(Draw& draw) {
  const Index k = draw.size("K", 1, 3), n = k * draw.size("m", 2, 3), d = draw.size("D", 1, 4);
  Indices indices = shuffled(draw, n);
  for (std::int64_t& index : indices) index %= k;
  return draw_nearby_case(draw, n, k, d, indices);
}

/// sum over the rows of code k of (e_k - z_n), times 2 / (N D).
Oracle codebook_gradient(const GradientCase& c) {
  Oracle gradient = Oracle::Zero(c.codebook.rows(), c.codebook.cols());
  for (Index n = 0; n < c.z_e.rows(); ++n) {
    const Index k = c.indices[static_cast<std::size_t>(n)];
    for (Index d = 0; d < c.z_e.cols(); ++d) {
      gradient(k, d) +=
          2.0 * (double(c.codebook(k, d)) - double(c.z_e(n, d))) / double(c.z_e.size());
    }
  }
  return gradient;
}

/// 2 beta / (N D) (z_e - e).
Oracle commitment_gradient(const GradientCase& c, double beta) {
  Oracle gradient(c.z_e.rows(), c.z_e.cols());
  for (Index n = 0; n < c.z_e.rows(); ++n) {
    const Index k = c.indices[static_cast<std::size_t>(n)];
    for (Index d = 0; d < c.z_e.cols(); ++d) {
      gradient(n, d) =
          2.0 * beta * (double(c.z_e(n, d)) - double(c.codebook(k, d))) / double(c.z_e.size());
    }
  }
  return gradient;
}

// Differences of numbers up to about 40, times at most 6.
constexpr Tolerance kPull{2e-6, 1e-6, 0.0};

#define GRADIENTS_OF(c) ASK(vq_gradients, (c).dz_q, (c).z_e, (c).codebook, (c).indices, (c).beta)
#define GRADIENTS_REPLY(c) \
  REPLY(vq_gradients, (c).dz_q, (c).z_e, (c).codebook, (c).indices, (c).beta)

DEFINES(vq_gradients, "codes get 2/(ND) (e - z), z_e gets 2 beta/(ND) (z - e)") {
  const GradientCase c = draw_nearby(draw);
  const VqGradients got = GRADIENTS_OF(c);
  expect_near("codebook term, to the codebook", got.codebook.codebook, codebook_gradient(c), kPull);
  expect_near("commitment term, to z_e", got.commitment.z_e, commitment_gradient(c, c.beta), kPull);
}

PROPERTY(vq_gradients, "reconstruction: goes to z_e straight through") {
  const GradientCase c = draw_nearby(draw);
  expect_equal("reconstruction, to z_e", GRADIENTS_OF(c).reconstruction.z_e, c.dz_q);
}

PROPERTY(vq_gradients, "reconstruction: leaves the codebook alone") {
  const GradientCase c = draw_nearby(draw);
  expect_equal("reconstruction, to the codebook", GRADIENTS_OF(c).reconstruction.codebook,
               zeros_like(c.codebook));
}

PROPERTY(vq_gradients, "codebook term: leaves the encoder alone") {
  const GradientCase c = draw_nearby(draw);
  expect_equal("codebook term, to z_e", GRADIENTS_OF(c).codebook.z_e, zeros_like(c.z_e));
}

PROPERTY(vq_gradients, "commitment: leaves the codebook alone") {
  const GradientCase c = draw_nearby(draw);
  expect_equal("commitment, to the codebook", GRADIENTS_OF(c).commitment.codebook,
               zeros_like(c.codebook));
}

PROPERTY(vq_gradients, "adds up what the rows of one code send it") {
  const GradientCase c = draw_shared(draw);
  expect_near("codebook term, to the codebook", GRADIENTS_OF(c).codebook.codebook,
              codebook_gradient(c), kPull);
}

PROPERTY(vq_gradients, "gives a code that no row was given nothing") {
  const Index n = draw.size("N", 1, 5), k = n + draw.size("m", 1, 4), d = draw.size("D", 1, 4);
  Indices indices = shuffled(draw, k);
  indices.resize(static_cast<std::size_t>(n));
  const GradientCase c = draw_nearby_case(draw, n, k, d, indices);
  expect_near("codebook term, to the codebook", GRADIENTS_OF(c).codebook.codebook,
              codebook_gradient(c), kPull);
}

PROPERTY(vq_gradients, "pulls towards the code each row was given, nearest or not") {
  const Index n = draw.size("N", 1, 6), d = draw.size("D", 1, 5);
  const GradientCase c = draw_gradient_case(draw, n, n, d, shuffled(draw, n));
  const VqGradients got = GRADIENTS_OF(c);
  expect_near("codebook term, to the codebook", got.codebook.codebook, codebook_gradient(c), kPull);
  expect_near("commitment term, to z_e", got.commitment.z_e, commitment_gradient(c, c.beta), kPull);
}

PROPERTY(vq_gradients, "gives +-0.0125 and +-0.05 for the lesson's rows, beta = 0.25") {
  const Matrix single = Matrix::Constant(1, 1, 2.0F), code = Matrix::Constant(1, 1, 0.5F);
  const VqGradients got =
      ASK(vq_gradients, zeros(2, 2), lesson_rows(), lesson_codes(), (Indices{0, 1}), 0.25);
  const VqGradients one = ASK(vq_gradients, zeros(1, 1), single, code, (Indices{0}), 0.25);
  expect_near("commitment, to z_e", got.commitment.z_e,
              Oracle(Oracle{{0.0125, -0.0125}, {-0.0125, 0.0125}}), {5e-6, 0.0, 0.0});
  expect(got.codebook.codebook.rows() == 3, "the codebook term has a row for each of three codes");
  expect_near("codebook term, to codes 0 and 1", Matrix(got.codebook.codebook.topRows(2)),
              Oracle(Oracle{{-0.05, 0.05}, {0.05, -0.05}}), {5e-6, 0.0, 0.0});
  expect_near("commitment, a single number 2 with the code 0.5", one.commitment.z_e,
              Oracle(Oracle::Constant(1, 1, 0.75)), {5e-6, 0.0, 0.0});
}

PROPERTY(vq_gradients, "leaves the codes their gradient where beta is 0") {
  GradientCase c = draw_nearby(draw);
  c.beta = draw.show("beta, instead", 0.0);
  const VqGradients got = GRADIENTS_OF(c);
  expect_near("codebook term, to the codebook", got.codebook.codebook, codebook_gradient(c), kPull);
  expect_equal("commitment term, to z_e", got.commitment.z_e, zeros_like(c.z_e));
}

PROPERTY(vq_gradients, "refuses dz_q and z_e of different shapes") {
  const GradientCase c = draw_nearby(draw);
  const Index n = c.z_e.rows(), d = c.z_e.cols();
  const auto reply = [&](Index rows, Index cols) {
    GradientCase other = c;
    other.dz_q = Matrix::Ones(rows, cols);
    return GRADIENTS_REPLY(other);
  };
  const Reply longer = reply(n + 1, d), wider = reply(n, d + 1), shorter = reply(n - 1, d);
  expect_refused(longer, "dz_q has one row more than z_e");
  expect_refused(wider, "dz_q has one column more than z_e");
  expect_refused(shorter, "dz_q has one row fewer than z_e");
}

PROPERTY(vq_gradients, "refuses more or fewer indices than rows") {
  const GradientCase c = draw_nearby(draw);
  GradientCase more = c, fewer = c;
  more.indices.push_back(0);
  fewer.indices.pop_back();
  const Reply too_many = GRADIENTS_REPLY(more), too_few = GRADIENTS_REPLY(fewer);
  expect_refused(too_many, "there is one index more than rows");
  expect_refused(too_few, "there is one index fewer than rows");
}

PROPERTY(vq_gradients, "refuses an index that is not from 0 to K - 1") {
  const GradientCase c = draw_nearby(draw);
  GradientCase below = c, above = c;
  below.indices[c.indices.size() / 2] = -1;
  above.indices[c.indices.size() / 2] = c.codebook.rows();
  const Reply negative = GRADIENTS_REPLY(below), too_large = GRADIENTS_REPLY(above);
  expect_refused(negative, "an index is -1");
  expect_refused(too_large, "an index is K");
}

PROPERTY(vq_gradients, "refuses rows and codes of different dimension") {
  const GradientCase c = draw_nearby(draw);
  GradientCase wider = c, narrower = c;
  wider.codebook = Matrix::Ones(c.codebook.rows(), c.z_e.cols() + 1);
  narrower.z_e = Matrix::Ones(c.z_e.rows(), c.z_e.cols() + 1);
  narrower.dz_q = narrower.z_e;
  const Reply more = GRADIENTS_REPLY(wider), fewer = GRADIENTS_REPLY(narrower);
  expect_refused(more, "the codes have one column more than z_e");
  expect_refused(fewer, "the codes have one column fewer than z_e");
}

PROPERTY(vq_gradients, "refuses a negative beta") {
  GradientCase c = draw_nearby(draw);
  c.beta = -c.beta;
  const Reply drawn = GRADIENTS_REPLY(c);
  c.beta = -1e-9;
  const Reply tiny = GRADIENTS_REPLY(c);
  expect_refused(drawn, "beta is negative");
  expect_refused(tiny, "beta is -1e-9");
}

PROPERTY(vq_gradients, "refuses a batch without elements") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  const Matrix codebook = draw.matrix("codebook", k, d);
  const GradientCase no_rows{Matrix(0, d), Matrix(0, d), codebook, {}, 0.25};
  const GradientCase no_columns{Matrix(n, 0), Matrix(n, 0), Matrix(k, 0),
                                Indices(std::size_t(n), 0), 0.25};
  const Reply rows = GRADIENTS_REPLY(no_rows), columns = GRADIENTS_REPLY(no_columns);
  expect_refused(rows, "there is no row");
  expect_refused(columns, "there is no column");
}

// ---- 5.7 naive_loss_equivalence ----------------------------------------------------------------

double mean_square(const GradientCase& c) {
  return mean_square(LossCase{0.0, c.z_e, c.codebook, c.indices, c.beta});
}

#define BOTH_LOSSES(c) ASK(naive_loss_equivalence, (c).z_e, (c).codebook, (c).indices, (c).beta)
#define BOTH_LOSSES_REPLY(c) \
  REPLY(naive_loss_equivalence, (c).z_e, (c).codebook, (c).indices, (c).beta)

DEFINES(naive_loss_equivalence, "naive: mean (z_e - e)^2, with a gradient to both") {
  const GradientCase c = draw_nearby(draw);
  const NaiveLossEquivalence got = BOTH_LOSSES(c);
  expect_near("value", got.naive.value, mean_square(c), kMean);
  expect_near("to z_e", got.naive.z_e, commitment_gradient(c, 1.0), kPull);
  expect_near("to the codebook", got.naive.codebook, codebook_gradient(c), kPull);
}

PROPERTY(naive_loss_equivalence, "naive: adds up what the rows of one code send it") {
  const GradientCase c = draw_shared(draw);
  expect_near("to the codebook", BOTH_LOSSES(c).naive.codebook, codebook_gradient(c), kPull);
}

PROPERTY(naive_loss_equivalence, "stopped: its value is 1 + beta times the naive one") {
  const GradientCase c = draw_nearby(draw);
  expect_near("value", BOTH_LOSSES(c).stopped.value, (1.0 + c.beta) * mean_square(c), kMean);
}

PROPERTY(naive_loss_equivalence, "stopped: pulls z_e beta times as hard as naive does") {
  const GradientCase c = draw_nearby(draw);
  expect_near("to z_e", BOTH_LOSSES(c).stopped.z_e, commitment_gradient(c, c.beta), kPull);
}

PROPERTY(naive_loss_equivalence, "stopped: pulls the codes as naive does, whatever beta") {
  const GradientCase c = draw_nearby(draw);
  expect_near("to the codebook", BOTH_LOSSES(c).stopped.codebook, codebook_gradient(c), kPull);
}

PROPERTY(naive_loss_equivalence, "both: the same gradients where beta is 1") {
  GradientCase c = draw_nearby(draw);
  c.beta = draw.show("beta, instead", 1.0);
  const NaiveLossEquivalence got = BOTH_LOSSES(c);
  expect_near("to z_e, naive", got.naive.z_e, commitment_gradient(c, 1.0), kPull);
  expect_near("to z_e, stopped", got.stopped.z_e, commitment_gradient(c, 1.0), kPull);
  expect_near("to the codebook, naive", got.naive.codebook, codebook_gradient(c), kPull);
  expect_near("to the codebook, stopped", got.stopped.codebook, codebook_gradient(c), kPull);
}

PROPERTY(naive_loss_equivalence, "refuses indices that do not name a code for each row") {
  const GradientCase c = draw_nearby(draw);
  GradientCase more = c, fewer = c, below = c, above = c;
  more.indices.push_back(0);
  fewer.indices.pop_back();
  below.indices[0] = -1;
  above.indices[0] = c.codebook.rows();
  const Reply too_many = BOTH_LOSSES_REPLY(more), too_few = BOTH_LOSSES_REPLY(fewer);
  const Reply negative = BOTH_LOSSES_REPLY(below), too_large = BOTH_LOSSES_REPLY(above);
  expect_refused(too_many, "there is one index more than rows");
  expect_refused(too_few, "there is one index fewer than rows");
  expect_refused(negative, "an index is -1");
  expect_refused(too_large, "an index is K");
}

PROPERTY(naive_loss_equivalence, "refuses codes of another dimension, and no rows") {
  const GradientCase c = draw_nearby(draw);
  GradientCase wider = c, empty = c;
  wider.codebook = Matrix::Ones(c.codebook.rows(), c.z_e.cols() + 1);
  empty.z_e = Matrix(0, c.z_e.cols());
  empty.indices = {};
  const Reply dimension = BOTH_LOSSES_REPLY(wider), rows = BOTH_LOSSES_REPLY(empty);
  expect_refused(dimension, "the codes have one column more than z_e");
  expect_refused(rows, "there is no row");
}

PROPERTY(naive_loss_equivalence, "refuses a negative beta") {
  GradientCase c = draw_nearby(draw);
  c.beta = -c.beta;
  const Reply drawn = BOTH_LOSSES_REPLY(c);
  c.beta = -1e-9;
  const Reply tiny = BOTH_LOSSES_REPLY(c);
  expect_refused(drawn, "beta is negative");
  expect_refused(tiny, "beta is -1e-9");
}

}  // namespace
}  // namespace latent::grader

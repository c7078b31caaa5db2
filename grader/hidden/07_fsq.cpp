// Hidden properties of lab 07. Oracles are double precision and naive loops, never the solution.
//
// Where an answer is rounded, latents are moved until every bounded value is at least 0.02 of a
// step away from a tie. Indices are compared as integers: beyond 2^53 a double cannot tell them
// apart.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "fsq.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// D numbers of levels from low to high, the first two of different parity.
Levels draw_levels(Draw& draw, Index d, std::int64_t low, std::int64_t high) {
  Levels levels(at(d));
  for (std::int64_t& l : levels) l = draw.random().integer(low, high);
  if (d > 1 && (levels[0] + levels[1]) % 2 == 0) levels[1] += levels[1] == high ? -1 : 1;
  return draw.show("levels", levels);
}

double half_width(std::int64_t l) {
  return std::floor(double(l) / 2.0);
}

double offset(std::int64_t l) {
  return l % 2 == 0 ? 0.5 : 0.0;
}

double half_l(std::int64_t l) {
  return (double(l) - 1.0) * 1.001 / 2.0;
}

/// artanh(x) in logarithms.
double shift(std::int64_t l) {
  const double x = offset(l) / half_l(l);
  return 0.5 * std::log((1.0 + x) / (1.0 - x));
}

double bound(double z, std::int64_t l) {
  return half_l(l) * std::tanh(z + shift(l)) - offset(l);
}

double slope(double z, std::int64_t l) {
  const double t = std::tanh(z + shift(l));
  return half_l(l) * (1.0 - t * t);
}

/// A matrix in which column d is made of f(x, levels[d]).
template <typename F>
Oracle by_column(const Matrix& x, const Levels& levels, F f) {
  Oracle result(x.rows(), x.cols());
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index d = 0; d < x.cols(); ++d) result(n, d) = f(n, d, levels[at(d)]);
  }
  return result;
}

Matrix within(const Matrix& x, float limit) {
  return x.cwiseMin(limit).cwiseMax(-limit);
}

/// Latents whose rounding no error of a float can change; the first one is clearly negative.
Matrix clear_of_ties(Matrix z, const Levels& levels) {
  z(0, 0) = -1.5F;
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) {
      const auto margin = [&] {
        const double b = bound(z(n, d), levels[at(d)]);
        return std::abs(b - std::floor(b) - 0.5);
      };
      while (margin() < 0.02) z(n, d) += 0.015625F;
    }
  }
  return z;
}

/// From -20 to 20 in steps of 0.01, and far beyond.
Matrix sweep() {
  Matrix z(4003, 1);
  for (Index n = 0; n <= 4000; ++n) z(n, 0) = static_cast<float>(n - 2000) * 0.01F;
  z(4001, 0) = -1000.0F;
  z(4002, 0) = 1000.0F;
  return z;
}

/// The error of a float tanh, times the height of the tallest column.
Tolerance of_steps(const Levels& levels) {
  return {2e-5, 1e-6, half_l(*std::max_element(levels.begin(), levels.end()))};
}

// ---- 7.1 level_geometry ------------------------------------------------------------------------

/// An even and an odd number of levels.
struct TwoCounts {
  std::int64_t even, odd;
};

TwoCounts draw_counts(Draw& draw) {
  const std::int64_t even = 2 * draw.integer("half of the even L", 2, 60);
  return {even, 2 * draw.integer("half of the odd L", 1, 60) + 1};
}

DEFINES(level_geometry, "has half_width floor(L / 2), half_l 1.001 (L - 1) / 2") {
  const TwoCounts counts = draw_counts(draw);
  for (const std::int64_t l : {counts.even, counts.odd}) {
    const LevelGeometry got = ASK(level_geometry, draw.show("L", l));
    expect_equal("half_width", double(got.half_width), half_width(l));
    expect_near("half_l", got.half_l, half_l(l), kDouble);
  }
}

PROPERTY(level_geometry, "takes off half a step for even L, nothing for odd L") {
  const TwoCounts counts = draw_counts(draw);
  expect_near("offset", ASK(level_geometry, draw.show("even L", counts.even)).offset, 0.5, kDouble);
  expect_near("offset", ASK(level_geometry, draw.show("odd L", counts.odd)).offset, 0.0, kDouble);
}

PROPERTY(level_geometry, "shifts by artanh(offset / half_l) for even L") {
  const std::int64_t l = draw.show("L", draw_counts(draw).even);
  expect_near("shift", ASK(level_geometry, l).shift, shift(l), kDouble);
}

PROPERTY(level_geometry, "shifts an odd number of levels not at all") {
  const std::int64_t l = draw.show("L", draw_counts(draw).odd);
  expect_near("shift", ASK(level_geometry, l).shift, 0.0, kDouble);
}

PROPERTY(level_geometry, "accepts 3 levels and 999") {
  for (const std::int64_t l : {draw.integer("low L", 3, 4), draw.integer("high L", 998, 999),
                               std::int64_t{3}, std::int64_t{999}}) {
    expect_near("half_l", ASK(level_geometry, l).half_l, half_l(l), kDouble);
  }
}

PROPERTY(level_geometry, "refuses fewer than 3 levels") {
  const std::int64_t few = draw.integer("L", -5, 1);
  expect_refused(REPLY(level_geometry, std::int64_t{2}), "there are 2 levels");
  expect_refused(REPLY(level_geometry, few), "there are " + std::to_string(few) + " levels");
}

PROPERTY(level_geometry, "refuses more than 999 levels") {
  const std::int64_t many = draw.integer("L", 1001, 100000);
  expect_refused(REPLY(level_geometry, std::int64_t{1000}), "there are 1000 levels");
  expect_refused(REPLY(level_geometry, many), "there are " + std::to_string(many) + " levels");
}

// ---- 7.2 fsq_bound -----------------------------------------------------------------------------

struct BatchSizes {
  Index n, d;
};

BatchSizes batch_sizes(Draw& draw) {
  const Index n = draw.size("N", 1, 6), d = draw.size("D", 1, 5);
  return {n, d};
}

/// Latents where tanh still bends.
Matrix draw_latents(Draw& draw, const BatchSizes& s) {
  return draw.show("z", within(draw.matrix("z, before limits", s.n, s.d, 0.7), 1.9F));
}

DEFINES(fsq_bound, "is half_l tanh(z + shift) - offset, column by column") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 8, 17);
  const Matrix z = draw_latents(draw, s);
  const auto expected = [&](Index n, Index d, std::int64_t l) { return bound(z(n, d), l); };
  expect_near("bounded", ASK(fsq_bound, z, levels), by_column(z, levels, expected),
              of_steps(levels));
}

PROPERTY(fsq_bound, "leaves 0 at 0, for even numbers of levels too") {
  const BatchSizes s = batch_sizes(draw);
  Levels levels = draw_levels(draw, s.d, 3, 9);
  levels[0] = 4;
  draw.show("levels, the first 4", levels);
  const Matrix z = draw.show("z", Matrix(Matrix::Zero(s.n, s.d)));
  expect_near("bounded", ASK(fsq_bound, z, levels), Oracle(Oracle::Zero(s.n, s.d)),
              {0.0, 1e-5, 0.0});
}

PROPERTY(fsq_bound, "rounds to exactly L integers, -h to L - 1 - h, over all z") {
  const std::int64_t even = 2 * draw.integer("half of the even L", 2, 8);
  const std::int64_t odd = 2 * draw.integer("half of the odd L", 1, 8) + 1;
  for (const std::int64_t l : {even, odd}) {
    const Matrix got = ASK(fsq_bound, sweep(), Levels{l});
    expect(got.rows() == sweep().rows() && got.cols() == 1, "the answer should have z's shape");
    expect(got.allFinite(), "the answer should be finite for z from -1000 to 1000");
    std::set<double> integers;
    for (Index n = 0; n < got.rows(); ++n) integers.insert(std::rint(double(got(n, 0))));
    const std::string range = std::to_string(l) + " levels: ";
    expect_equal(range + "lowest integer", *integers.begin(), -half_width(l));
    expect_equal(range + "highest integer", *integers.rbegin(), double(l) - 1.0 - half_width(l));
    expect_equal(range + "how many integers", double(integers.size()), double(l));
  }
}

PROPERTY(fsq_bound, "8 levels: 0.959918 at 0.3; 4 levels: -2.001495 at -7") {
  const Matrix z8 = draw.show("z", Matrix{{0.3F}, {-0.9F}});
  expect_near("bounded with 8 levels", ASK(fsq_bound, z8, Levels{8}),
              Oracle{{0.959918}, {-2.738369}}, {2e-5, 1e-5, 2.0});
  const Matrix z4 = draw.show("z", Matrix{{-7.0F}, {2.0F}});
  expect_near("bounded with 4 levels", ASK(fsq_bound, z4, Levels{4}),
              Oracle{{-2.001495}, {0.974228}}, {2e-5, 1e-5, 2.0});
}

PROPERTY(fsq_bound, "refuses more or fewer levels than columns") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw.matrix("z", s.n, s.d + 1);
  expect_refused(REPLY(fsq_bound, z, draw_levels(draw, s.d + 2, 3, 9)),
                 "there is one number of levels more than columns of z");
  expect_refused(REPLY(fsq_bound, z, draw_levels(draw, s.d, 3, 9)),
                 "there is one number of levels fewer than columns of z");
  expect_refused(REPLY(fsq_bound, z, draw_levels(draw, 1, 3, 9)),
                 "there is one number of levels for several columns");
}

PROPERTY(fsq_bound, "refuses 2 levels and 1000, there and back") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw_latents(draw, s), dbounded = draw.matrix("dbounded", s.n, s.d);
  Levels levels = draw_levels(draw, s.d, 3, 9);
  for (const std::int64_t l : {2, 1000}) {
    levels[at(s.d - 1)] = l;
    expect_refused(REPLY(fsq_bound, z, levels), "a dimension has " + std::to_string(l) + " levels");
    expect_refused(REPLY(fsq_bound_backward, dbounded, z, levels),
                   "a dimension has " + std::to_string(l) + " levels");
  }
}

PROPERTY(fsq_bound, "sends back half_l (1 - tanh^2(z + shift))") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  const Matrix z = draw_latents(draw, s), dbounded = draw.matrix("dbounded", s.n, s.d);
  const auto expected = [&](Index n, Index d, std::int64_t l) {
    return double(dbounded(n, d)) * slope(z(n, d), l);
  };
  expect_near("dz", ASK(fsq_bound_backward, dbounded, z, levels), by_column(z, levels, expected),
              {2e-5, 1e-6, 4.0 * of_steps(levels).scale});
}

PROPERTY(fsq_bound, "sends back 0, not NaN, where tanh is flat") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  Matrix z = draw.matrix("direction", s.n, s.d);
  for (Index i = 0; i < z.size(); ++i) {
    z.data()[i] = (z.data()[i] < 0.0F ? -20.0F : 20.0F) * (i % 2 == 0 ? 1.0F : 50.0F);
  }
  z(0, 0) = 1000.0F;
  draw.show("z", z);
  const Matrix dbounded = draw.matrix("dbounded", s.n, s.d);
  expect_near("dz", ASK(fsq_bound_backward, dbounded, z, levels), Oracle(Oracle::Zero(s.n, s.d)));
}

PROPERTY(fsq_bound, "refuses a gradient of another shape than z") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  const Matrix z = draw_latents(draw, s);
  const Matrix longer = draw.matrix("dbounded, too long", s.n + 1, s.d);
  const Matrix wider = draw.matrix("dbounded, too wide", s.n, s.d + 1);
  expect_refused(REPLY(fsq_bound_backward, longer, z, levels), "dbounded has one row more than z");
  expect_refused(REPLY(fsq_bound_backward, wider, z, levels),
                 "dbounded has one column more than z");
}

PROPERTY(fsq_bound, "refuses more or fewer levels than columns, on the way back") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw.matrix("z", s.n, s.d + 1);
  const Matrix dbounded = draw.matrix("dbounded", s.n, s.d + 1);
  expect_refused(REPLY(fsq_bound_backward, dbounded, z, draw_levels(draw, s.d + 2, 3, 9)),
                 "there is one number of levels more than columns of z");
  expect_refused(REPLY(fsq_bound_backward, dbounded, z, draw_levels(draw, s.d, 3, 9)),
                 "there is one number of levels fewer than columns of z");
}

// ---- 7.3 fsq_quantize --------------------------------------------------------------------------

DEFINES(fsq_quantize, "rounds the bounded latent and divides it by half_width") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  const Matrix raw = within(draw.matrix("z, before limits", s.n, s.d), 1.9F);
  const Matrix z = draw.show("z", clear_of_ties(raw, levels));
  const auto expected = [&](Index n, Index d, std::int64_t l) {
    return std::rint(bound(z(n, d), l)) / half_width(l);
  };
  expect_near("codes", ASK(fsq_quantize, z, levels), by_column(z, levels, expected));
}

PROPERTY(fsq_quantize, "yields exactly L codes over all z, from 3 levels to 999") {
  const Index columns = draw.size("D", 2, 5);
  Levels levels = draw_levels(draw, columns, 3, 17);
  levels[at(columns - 1)] = draw.show("many levels", 999 - draw.random().integer(0, 1));
  // Steps of 0.00125: around 0, 999 levels are 0.002 apart.
  Matrix z(8003, columns);
  for (Index n = 0; n <= 8000; ++n) z.row(n).setConstant(static_cast<float>(n - 4000) * 0.00125F);
  z.row(8001).setConstant(-1000.0F);
  z.row(8002).setConstant(1000.0F);
  const Matrix got = ASK(fsq_quantize, z, levels);
  expect(got.rows() == 8003 && got.cols() == columns, "the answer should have the shape of z");
  expect(got.allFinite(), "the answer should be finite for z from -1000 to 1000");
  for (Index d = 0; d < columns; ++d) {
    std::set<float> codes;
    for (Index n = 0; n < got.rows(); ++n) codes.insert(got(n, d));
    const std::int64_t l = levels[at(d)];
    const std::string which = std::to_string(l) + " levels: ";
    expect_near(which + "lowest code", double(*codes.begin()), -1.0);
    expect_near(which + "highest code", double(*codes.rbegin()),
                (double(l) - 1.0 - half_width(l)) / half_width(l));
    expect_equal(which + "how many codes", double(codes.size()), double(l));
  }
}

PROPERTY(fsq_quantize, "(0.25, 0.6, -7) with 3, 5, 4 levels is (0, 0.5, -1)") {
  const Matrix z = draw.show("z", Matrix{{0.25F, 0.6F, -7.0F}});
  const Levels levels = draw.show("levels", Levels{3, 5, 4});
  expect_near("codes", ASK(fsq_quantize, z, levels), Oracle{{0.0, 0.5, -1.0}});
}

Oracle quantizer_gradient(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [&](Index n, Index d, std::int64_t l) {
    return double(dcodes(n, d)) * slope(z(n, d), l) / half_width(l);
  });
}

/// Slopes per code are at most half_l / h, so about 1.5: a dcodes of 4 makes 6.
constexpr Tolerance kCodeSlope{2e-5, 1e-6, 6.0};

PROPERTY(fsq_quantize, "sends back half_l (1 - tanh^2(z + shift)) / half_width") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  const Matrix z = draw.show("z", within(draw.matrix("z, before limits", s.n, s.d, 0.5), 0.95F));
  const Matrix dcodes = draw.matrix("dcodes", s.n, s.d);
  expect_near("dz", ASK(fsq_quantize_backward, dcodes, z, levels),
              quantizer_gradient(dcodes, z, levels), kCodeSlope);
}

PROPERTY(fsq_quantize, "lets the gradient fade beyond |z| = 1, but not end") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels(at(s.d), draw.integer("L", 3, 17));
  Matrix z = within(draw.matrix("direction", s.n, s.d), 1.0F);
  for (Index i = 0; i < z.size(); ++i) z.data()[i] += z.data()[i] < 0.0F ? -1.05F : 1.05F;
  draw.show("z", z);
  const Matrix dcodes = draw.show("dcodes", Matrix(Matrix::Ones(s.n, s.d)));
  expect_near("dz", ASK(fsq_quantize_backward, dcodes, z, levels),
              quantizer_gradient(dcodes, z, levels), {2e-5, 1e-6, 1.5});
}

PROPERTY(fsq_quantize, "has slope 0.723787 at 0.3 with 8 levels") {
  const Matrix z = draw.show("z", Matrix{{0.3F}}), one = draw.show("dcodes", Matrix{{1.0F}});
  expect_near("dz", ASK(fsq_quantize_backward, one, z, draw.show("levels", Levels{8})),
              Oracle{{0.723787}}, {4e-6, 0.0, 0.0});
}

PROPERTY(fsq_quantize, "refuses levels that do not fit, there") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw.matrix("z", s.n, s.d);
  expect_refused(REPLY(fsq_quantize, z, draw_levels(draw, s.d + 1, 3, 9)),
                 "there is one number of levels more than columns of z");
  Levels levels = draw_levels(draw, s.d, 3, 9);
  levels[0] = 2;
  expect_refused(REPLY(fsq_quantize, z, levels), "dimension 0 has 2 levels");
}

PROPERTY(fsq_quantize, "refuses gradients and levels that do not fit, and back") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw.matrix("z", s.n, s.d), dcodes = draw.matrix("dcodes", s.n, s.d);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  expect_refused(
      REPLY(fsq_quantize_backward, draw.matrix("dcodes, too long", s.n + 1, s.d), z, levels),
      "dcodes has one row more than z");
  expect_refused(REPLY(fsq_quantize_backward, dcodes, z, draw_levels(draw, s.d + 1, 3, 9)),
                 "there is one number of levels more than columns of z");
}

// ---- 7.4 codes_to_index ------------------------------------------------------------------------

using Indices = std::vector<std::int64_t>;

/// Digits of N rows, each from 0 to L - 1; the first row has the highest of each.
std::vector<Indices> draw_digits(Draw& draw, Index n, const Levels& levels) {
  std::vector<Indices> digits(at(n), Indices(levels.size()));
  for (Indices& row : digits) {
    for (std::size_t d = 0; d < row.size(); ++d) {
      row[d] = &row == &digits[0] ? levels[d] - 1 : draw.random().integer(0, levels[d] - 1);
    }
  }
  return digits;
}

Matrix codes_of(const std::vector<Indices>& digits, const Levels& levels) {
  Matrix codes(static_cast<Index>(digits.size()), static_cast<Index>(levels.size()));
  for (Index n = 0; n < codes.rows(); ++n) {
    for (Index d = 0; d < codes.cols(); ++d) {
      const double h = half_width(levels[at(d)]);
      codes(n, d) = static_cast<float>((double(digits[at(n)][at(d)]) - h) / h);
    }
  }
  return codes;
}

Indices indices_of(const std::vector<Indices>& digits, const Levels& levels) {
  Indices indices;
  for (const Indices& row : digits) {
    std::int64_t index = 0;
    for (std::size_t d = levels.size(); d-- > 0;) index = index * levels[d] + row[d];
    indices.push_back(index);
  }
  return indices;
}

std::string text_of(const Indices& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size() && i < 6; ++i) {
    text += (i == 0 ? "[" : ", ") + std::to_string(numbers[i]);
  }
  return numbers.empty() ? "[]" : text + (numbers.size() > 6 ? ", ...]" : "]");
}

/// Exact where a double is not.
void expect_indices(const Indices& got, const Indices& expected) {
  if (got != expected)
    throw Mismatch{{"expected " + text_of(expected), "got      " + text_of(got)}};
}

DEFINES(codes_to_index, "weighs each digit by the levels before it, dimension 0 by 1") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  const auto digits = draw_digits(draw, s.n, levels);
  const Matrix codes = draw.show("codes", codes_of(digits, levels));
  expect_indices(ASK(codes_to_index, codes, levels), indices_of(digits, levels));
}

PROPERTY(codes_to_index, "(0.75, -0.5, 0, 1) with 8, 5, 5, 5 levels is 895") {
  const Matrix codes = draw.show("codes", Matrix{{0.75F, -0.5F, 0.0F, 1.0F}});
  const Levels levels = draw.show("levels", Levels{8, 5, 5, 5});
  expect_indices(ASK(codes_to_index, codes, levels), Indices{895});
}

PROPERTY(codes_to_index, "stays exact beyond 2^31 and beyond 2^53") {
  for (const std::int64_t dimensions : {11, 20, static_cast<int>(draw.integer("D", 12, 19))}) {
    const Levels levels(at(dimensions), 8);
    Indices digits;
    for (Index d = 0; d < dimensions; ++d) digits.push_back(draw.random().integer(0, 7));
    digits[0] |= 1;
    digits.back() = 7;
    draw.show("digits", digits);
    expect_indices(ASK(codes_to_index, codes_of({digits}, levels), levels),
                   indices_of({digits}, levels));
  }
}

PROPERTY(codes_to_index, "recovers digits that a float holds only nearly") {
  // -7 steps of 13 are not exact in a float; the second row is a fifth to a third of a step low.
  const Levels levels = draw.show("levels", Levels{26, 27, 6});
  for (const double low : {0.0, draw.number("steps too low", 0.2, 0.33)}) {
    Indices digits{6, 6, draw.integer("digit 2", 1, 5)};
    if (low > 0.0) digits[1] = draw.integer("digit 1", 1, 26);
    Matrix codes = codes_of({digits}, levels);
    for (Index d = 0; d < 3; ++d) {
      codes(0, d) -= static_cast<float>(low / half_width(levels[at(d)]));
    }
    expect_indices(ASK(codes_to_index, draw.show("codes", codes), levels),
                   indices_of({digits}, levels));
  }
}

PROPERTY(codes_to_index, "takes a code halfway between two levels to the even one") {
  const Levels levels = draw.show("levels", Levels{5, 9, 8});  // h = 2, 4, 4: exact in binary
  // Codes of e + 1/2 steps, e even, belong to e.
  const std::int64_t a = 0, b = 2 * draw.integer("half of the second code's steps", -2, 1);
  const std::int64_t c = 2 * draw.integer("half of the third code's steps", -2, 1);
  const Matrix codes{{static_cast<float>(double(a) + 0.5) / 2.0F,
                      static_cast<float>(double(b) + 0.5) / 4.0F,
                      static_cast<float>(double(c) + 0.5) / 4.0F}};
  expect_indices(ASK(codes_to_index, draw.show("codes", codes), levels),
                 (indices_of({{a + 2, b + 4, c + 4}}, levels)));
}

PROPERTY(codes_to_index, "refuses codes beyond the levels, such as 1 of an even L") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  Matrix codes = codes_of(draw_digits(draw, s.n, levels), levels);
  const Index n = draw.random().integer(0, s.n - 1), d = draw.random().integer(0, s.d - 1);
  const std::int64_t l = levels[at(d)];
  const double h = half_width(l);
  codes(n, d) = static_cast<float>((double(l) - h) / h);
  expect_refused(REPLY(codes_to_index, draw.show("codes", codes), levels),
                 "a code lies one level above the highest");
  codes(n, d) = static_cast<float>(-(h + 1.0) / h);
  expect_refused(REPLY(codes_to_index, draw.show("codes", codes), levels),
                 "a code lies one level below the lowest");
}

PROPERTY(codes_to_index, "refuses a code that is not a number") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  Matrix codes = codes_of(draw_digits(draw, s.n, levels), levels);
  codes(draw.random().integer(0, s.n - 1), draw.random().integer(0, s.d - 1)) =
      std::numeric_limits<float>::quiet_NaN();
  expect_refused(REPLY(codes_to_index, codes, levels), "a code is NaN");
}

PROPERTY(codes_to_index, "refuses more or fewer levels than columns") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d + 1, 3, 9);
  const Matrix codes = codes_of(draw_digits(draw, s.n, levels), levels);
  Levels more = levels, fewer = levels;
  more.push_back(5);
  fewer.pop_back();
  expect_refused(REPLY(codes_to_index, codes, more),
                 "there is one number of levels more than columns of codes");
  expect_refused(REPLY(codes_to_index, codes, fewer),
                 "there is one number of levels fewer than columns of codes");
}

PROPERTY(codes_to_index, "multiplies all levels: 64,000 for 8, 8, 8, 5, 5, 5") {
  const Index d = draw.size("D", 1, 5);
  const Levels levels = draw_levels(draw, d, 3, 9);
  std::int64_t product = 1;
  for (const std::int64_t l : levels) product *= l;
  expect_indices({ASK(fsq_codebook_size, levels)}, {product});
  expect_indices({ASK(fsq_codebook_size, Levels{8, 8, 8, 5, 5, 5})}, {64000});
}

PROPERTY(codes_to_index, "counts up to 13^17 codes, 94 % of what int64 can") {
  const std::int64_t d = draw.integer("dimensions of 8 levels", 11, 20);
  expect_indices({ASK(fsq_codebook_size, Levels(at(d), 8))}, {std::int64_t{1} << (3 * d)});
  expect_indices({ASK(fsq_codebook_size, Levels(17, 13))}, {8650415919381337933});
}

PROPERTY(codes_to_index, "refuses 2^63 codes, one more than int64 can count") {
  const std::int64_t eights = draw.integer("dimensions of 8 levels", 21, 22);
  const Levels levels(static_cast<std::size_t>(eights), 8);
  expect_refused(REPLY(fsq_codebook_size, Levels(21, 8)), "8^21 is 2^63");
  expect_refused(REPLY(fsq_codebook_size, levels), "the product does not fit into int64");
  const Matrix codes = Matrix::Constant(1, eights, -1.0F);
  expect_refused(REPLY(codes_to_index, codes, levels), "the product does not fit into int64");
}

PROPERTY(codes_to_index, "refuses products that wrap round, whatever their sign") {
  const auto sixteens = static_cast<std::size_t>(draw.integer("dimensions of 16 levels", 16, 18));
  // In 64 bits these come out positive, 0 and negative.
  for (const Levels& levels : {Levels(28, 5), Levels(sixteens, 16), Levels(40, 3)}) {
    draw.show("levels", levels);
    expect_refused(REPLY(fsq_codebook_size, levels), "the product does not fit into int64");
    const Matrix codes = Matrix::Constant(1, static_cast<Index>(levels.size()), -1.0F);
    expect_refused(REPLY(codes_to_index, codes, levels), "the product does not fit into int64");
  }
}

PROPERTY(codes_to_index, "refuses 2 levels and 1000, accepts 3 and 999") {
  const Index d = draw.size("D", 1, 3);
  Levels levels = draw_levels(draw, d, 3, 9);
  const Matrix codes = Matrix::Constant(2, d, -1.0F);
  for (const std::int64_t l : {2, 1000, 0, -4}) {
    levels[0] = l;
    const std::string why = "dimension 0 has " + std::to_string(l) + " levels";
    expect_refused(REPLY(fsq_codebook_size, levels), why);
    expect_refused(REPLY(codes_to_index, codes, levels), why);
  }
  for (const std::int64_t l : {3, 999}) {
    expect_indices({ASK(fsq_codebook_size, Levels{l})}, {l});
  }
}

// ---- 7.5 index_to_codes ------------------------------------------------------------------------

/// The codes of these indices, digit by digit.
Oracle codes_oracle(const Indices& indices, const Levels& levels) {
  Oracle codes(static_cast<Index>(indices.size()), static_cast<Index>(levels.size()));
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t rest = indices[at(n)];
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[at(d)], digit = rest - rest / l * l;
      codes(n, d) = (double(digit) - half_width(l)) / half_width(l);
      rest /= l;
    }
  }
  return codes;
}

std::int64_t product_of(const Levels& levels) {
  std::int64_t product = 1;
  for (const std::int64_t l : levels) product *= l;
  return product;
}

/// N + 1 indices: 0 first, then the last one, then any.
Indices draw_indices(Draw& draw, Index n, const Levels& levels) {
  const std::int64_t last = product_of(levels) - 1;
  Indices indices{0};
  for (Index i = 0; i < n; ++i) indices.push_back(i == 0 ? last : draw.random().integer(0, last));
  return draw.show("indices", indices);
}

DEFINES(index_to_codes, "takes the index apart, dimension 0 first, and centres digits") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  const Indices indices = draw_indices(draw, s.n, levels);
  expect_near("codes", ASK(index_to_codes, indices, levels), codes_oracle(indices, levels));
}

PROPERTY(index_to_codes, "895 with 8, 5, 5, 5 levels is (0.75, -0.5, 0, 1)") {
  const Levels levels = draw.show("levels", Levels{8, 5, 5, 5});
  expect_near("codes", ASK(index_to_codes, draw.show("indices", Indices{895}), levels),
              Oracle{{0.75, -0.5, 0.0, 1.0}});
}

PROPERTY(index_to_codes, "gives all 64,000 codes of 8, 8, 8, 5, 5, 5, which lead back") {
  const Levels levels = draw.show("levels", Levels{8, 8, 8, 5, 5, 5});
  Indices all;
  for (std::int64_t i = 0; i < 64000; ++i) all.push_back(i);
  const Matrix codes = ASK(index_to_codes, all, levels);
  expect_near("codes", codes, codes_oracle(all, levels));
  expect_indices(ASK(codes_to_index, codes, levels), all);
}

PROPERTY(index_to_codes, "reads indices beyond 2^31 and beyond 2^53 exactly") {
  const Index n = draw.size("N", 1, 4);
  for (const std::size_t dimensions : {11U, 20U}) {
    const Levels levels = draw.show("levels", Levels(dimensions, 8));
    const Indices indices = draw_indices(draw, n, levels);
    expect_near("codes", ASK(index_to_codes, indices, levels), codes_oracle(indices, levels));
  }
}

PROPERTY(index_to_codes, "refuses the number of codes itself and what is above") {
  const Index d = draw.size("D", 1, 5);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t size = product_of(levels), above = size + draw.random().integer(1, 1000);
  expect_refused(REPLY(index_to_codes, draw.show("indices", Indices{above}), levels),
                 "the codes end at " + std::to_string(size - 1));
  expect_refused(REPLY(index_to_codes, (Indices{0, size}), levels),
                 "the codes end at " + std::to_string(size - 1));
}

PROPERTY(index_to_codes, "refuses a negative index") {
  const Index d = draw.size("D", 1, 5);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t below = -draw.random().integer(1, 1000);
  expect_refused(REPLY(index_to_codes, (Indices{0, -1}), levels), "index -1 is negative");
  expect_refused(REPLY(index_to_codes, draw.show("indices", Indices{below}), levels),
                 "the index is negative");
}

PROPERTY(index_to_codes, "refuses 2 or 1000 levels, and products beyond int64") {
  const Index d = draw.size("D", 1, 4);
  Levels levels = draw_levels(draw, d, 3, 9);
  for (const std::int64_t l : {2, 1000}) {
    levels[0] = l;
    expect_refused(REPLY(index_to_codes, Indices{0}, levels),
                   "dimension 0 has " + std::to_string(l) + " levels");
  }
  expect_refused(REPLY(index_to_codes, Indices{0}, Levels(28, 5)),
                 "5^28 codes cannot be counted in int64");
}

// ---- 7.6 implicit_codebook ---------------------------------------------------------------------

/// The indices first, first + 1, ...
Indices range_of(std::int64_t first, std::int64_t count) {
  Indices range;
  for (std::int64_t i = 0; i < count; ++i) range.push_back(first + i);
  return range;
}

DEFINES(implicit_codebook, "has the code of index first + r in row r") {
  const Index d = draw.size("D", 1, 3);
  const Levels levels = draw_levels(draw, d, 3, 6);
  const std::int64_t size = product_of(levels), none = 0;
  expect_near("whole codebook", ASK(implicit_codebook, levels, none, size),
              codes_oracle(range_of(0, size), levels));
  const std::int64_t first = draw.integer("first", 1, size - 2);
  const std::int64_t count = draw.integer("count", 2, size - first);
  expect_near("rows from first on", ASK(implicit_codebook, levels, first, count),
              codes_oracle(range_of(first, count), levels));
}

PROPERTY(implicit_codebook, "gives three rows of 5^16 codes, and of 9^19") {
  for (const Levels& levels : {Levels(16, 5), Levels(19, 9)}) {
    const std::int64_t size = product_of(draw.show("levels", levels)), count = 3;
    const std::int64_t first = draw.integer("first", std::int64_t{1} << 32, size - count);
    expect_near("rows", ASK(implicit_codebook, levels, first, count),
                codes_oracle(range_of(first, count), levels));
    expect_near("last rows", ASK(implicit_codebook, levels, size - count, count),
                codes_oracle(range_of(size - count, count), levels));
  }
}

PROPERTY(implicit_codebook, "gives no rows where none are asked for, even at the end") {
  const Index d = draw.size("D", 1, 4);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t size = product_of(levels), none = 0;
  for (const std::int64_t first : {none, size}) {
    expect_near("rows", ASK(implicit_codebook, levels, draw.show("first", first), none),
                Oracle(0, d));
  }
}

PROPERTY(implicit_codebook, "refuses a negative first, with rows or without") {
  const Index d = draw.size("D", 1, 4);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t first = draw.integer("first", -3, -1);
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{2}}) {
    expect_refused(REPLY(implicit_codebook, levels, first, count), "first is negative");
  }
}

PROPERTY(implicit_codebook, "refuses a negative count") {
  const Index d = draw.size("D", 1, 4);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t count = draw.integer("count", -3, -1), first = 2;
  expect_refused(REPLY(implicit_codebook, levels, first, count), "count is negative");
  expect_refused(REPLY(implicit_codebook, levels, std::int64_t{0}, std::int64_t{-1}),
                 "count is -1");
}

PROPERTY(implicit_codebook, "refuses a range that ends one row too late") {
  const Index d = draw.size("D", 1, 4);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t size = product_of(levels);
  const std::int64_t first = draw.integer("first", 1, size);
  expect_refused(REPLY(implicit_codebook, levels, first, size - first + 1),
                 "the range ends one row beyond the codebook");
}

PROPERTY(implicit_codebook, "refuses first + count that is too large to be added") {
  const Index d = draw.size("D", 1, 4);
  const Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t first = draw.integer("first", 1, 2);
  expect_refused(REPLY(implicit_codebook, levels, first, kLargest),
                 "count is 2^63 - 1, so that the sum overflows");
  expect_refused(REPLY(implicit_codebook, levels, kLargest, std::int64_t{0}),
                 "first is 2^63 - 1, beyond the codebook");
}

PROPERTY(implicit_codebook, "refuses 2 or 1000 levels, and products beyond int64") {
  const Index d = draw.size("D", 1, 4);
  Levels levels = draw_levels(draw, d, 3, 9);
  const std::int64_t first = 0, count = 1;
  for (const std::int64_t l : {2, 1000}) {
    levels[0] = l;
    expect_refused(REPLY(implicit_codebook, levels, first, count),
                   "dimension 0 has " + std::to_string(l) + " levels");
  }
  expect_refused(REPLY(implicit_codebook, Levels(28, 5), first, count),
                 "5^28 codes cannot be counted in int64");
}

// ---- 7.7 symmetric_quantize --------------------------------------------------------------------

/// Where z lies on the scale of digits, from 0 to L - 1.
double on_digits(double z, std::int64_t l) {
  return (double(l) - 1.0) * (std::tanh(z) + 1.0) / 2.0;
}

DEFINES(symmetric_quantize, "takes the nearest of L points spread evenly over [-1, 1]") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  Matrix z = within(draw.matrix("z, before ties are left", s.n, s.d), 1.9F);
  z(0, 0) = -1.5F;
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) {
      const auto margin = [&] {
        const double x = on_digits(z(n, d), levels[at(d)]);
        return std::abs(x - std::floor(x) - 0.5);
      };
      while (margin() < 0.02) z(n, d) += 0.015625F;
    }
  }
  draw.show("z", z);
  const auto expected = [&](Index n, Index d, std::int64_t l) {
    double nearest = -1.0;
    for (std::int64_t g = 0; g < l; ++g) {
      const double code = 2.0 * double(g) / (double(l) - 1.0) - 1.0, t = std::tanh(double(z(n, d)));
      if (std::abs(t - code) < std::abs(t - nearest)) nearest = code;
    }
    return nearest;
  };
  expect_near("codes", ASK(symmetric_quantize, z, levels), by_column(z, levels, expected));
}

PROPERTY(symmetric_quantize, "yields exactly L codes over all z, from 2 levels to 999") {
  const std::int64_t even = 2 * draw.integer("half of the even L", 2, 8);
  for (const std::int64_t l : {std::int64_t{2}, even, std::int64_t{999}}) {
    Matrix z(8003, 1);
    for (Index n = 0; n <= 8000; ++n) z(n, 0) = static_cast<float>(n - 4000) * 0.00125F;
    z(8001, 0) = -1000.0F;
    z(8002, 0) = 1000.0F;
    const Matrix got = ASK(symmetric_quantize, z, Levels{l});
    expect(got.rows() == 8003 && got.cols() == 1, "the answer should have the shape of z");
    expect(got.allFinite(), "the answer should be finite for z from -1000 to 1000");
    std::set<float> codes;
    for (Index n = 0; n < got.rows(); ++n) codes.insert(got(n, 0));
    const std::string which = std::to_string(l) + " levels: ";
    expect_near(which + "lowest code", double(*codes.begin()), -1.0);
    expect_near(which + "highest code", double(*codes.rbegin()), 1.0);
    expect_equal(which + "how many codes", double(codes.size()), double(l));
  }
}

PROPERTY(symmetric_quantize, "takes z = 0 to the upper of an even L's middle codes") {
  const std::int64_t l = draw.show("L", 2 * draw.integer("half of L", 1, 8));
  for (const std::int64_t levels : {l, std::int64_t{6}}) {
    expect_near("code", ASK(symmetric_quantize, Matrix{{0.0F}}, Levels{levels}),
                Oracle{{1.0 / (double(levels) - 1.0)}});
  }
}

PROPERTY(symmetric_quantize, "sends back dcodes (1 - tanh^2(z)), whatever L") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  const Matrix z = draw_latents(draw, s), dcodes = draw.matrix("dcodes", s.n, s.d);
  const auto expected = [&](Index n, Index d, std::int64_t) {
    const double t = std::tanh(double(z(n, d)));
    return double(dcodes(n, d)) * (1.0 - t * t);
  };
  expect_near("dz", ASK(symmetric_quantize_backward, dcodes, z, levels),
              by_column(z, levels, expected), {2e-5, 1e-6, 4.0});
}

PROPERTY(symmetric_quantize, "sends back 0, not NaN, far out") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 17);
  const Matrix dcodes = draw.matrix("dcodes", s.n, s.d);
  for (const float far : {-1000.0F, -100.0F, 1000.0F}) {
    const Matrix z = draw.show("z", Matrix(Matrix::Constant(s.n, s.d, far)));
    expect_near("dz", ASK(symmetric_quantize_backward, dcodes, z, levels),
                Oracle(Oracle::Zero(s.n, s.d)), {0.0, 1e-5, 0.0});
  }
}

PROPERTY(symmetric_quantize, "refuses 1 level and 1000, there and back") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw_latents(draw, s), dcodes = draw.matrix("dcodes", s.n, s.d);
  Levels levels = draw_levels(draw, s.d, 3, 9);
  for (const std::int64_t l : {1, 1000}) {
    levels[at(s.d - 1)] = l;
    const std::string why = "a dimension has " + std::to_string(l) + " levels";
    expect_refused(REPLY(symmetric_quantize, z, levels), why);
    expect_refused(REPLY(symmetric_quantize_backward, dcodes, z, levels), why);
  }
}

PROPERTY(symmetric_quantize, "refuses more or fewer levels than columns") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw.matrix("z", s.n, s.d + 1), dcodes = draw.matrix("dcodes", s.n, s.d + 1);
  for (const Index d : {s.d + 2, s.d}) {
    const Levels levels = draw_levels(draw, d, 3, 9);
    const std::string why =
        std::to_string(d) + " levels for " + std::to_string(s.d + 1) + " columns";
    expect_refused(REPLY(symmetric_quantize, z, levels), why);
    expect_refused(REPLY(symmetric_quantize_backward, dcodes, z, levels), why);
  }
}

PROPERTY(symmetric_quantize, "accepts 2 levels and 999 on the way back") {
  const BatchSizes s = batch_sizes(draw);
  const Matrix z = draw.show("z", Matrix(Matrix::Zero(s.n, s.d)));
  const Matrix dcodes = draw.matrix("dcodes", s.n, s.d);
  for (const std::int64_t l : {2, 999}) {
    expect_near("dz", ASK(symmetric_quantize_backward, dcodes, z, Levels(at(s.d), l)),
                dcodes.cast<double>().eval());
  }
}

PROPERTY(symmetric_quantize, "refuses a gradient of another shape than z") {
  const BatchSizes s = batch_sizes(draw);
  const Levels levels = draw_levels(draw, s.d, 3, 9);
  const Matrix z = draw_latents(draw, s);
  const Matrix longer = draw.matrix("dcodes, too long", s.n + 1, s.d);
  const Matrix wider = draw.matrix("dcodes, too wide", s.n, s.d + 1);
  expect_refused(REPLY(symmetric_quantize_backward, longer, z, levels),
                 "dcodes has one row more than z");
  expect_refused(REPLY(symmetric_quantize_backward, wider, z, levels),
                 "dcodes has one column more than z");
}

}  // namespace
}  // namespace latent::grader

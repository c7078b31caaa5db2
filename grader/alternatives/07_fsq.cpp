// Right answers to lab 07 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/require.hpp"
#include "fsq.hpp"
#include "grader/judge/misconception.hpp"

namespace latent {

// ---- 7.1 level_geometry ------------------------------------------------------------------------

namespace two_cases {
LevelGeometry level_geometry(std::int64_t levels) {
  if (levels < 3 || levels > 999) throw std::invalid_argument("levels");
  const double half_l = 0.5005 * static_cast<double>(levels - 1);
  if (levels % 2 == 1) return {(levels - 1) / 2, 0.0, half_l, 0.0};
  return {levels / 2, 0.5, half_l, std::atanh(0.5 / half_l)};
}
}  // namespace two_cases
ALTERNATIVE(two_cases, level_geometry)

namespace logarithms {
LevelGeometry level_geometry(std::int64_t levels) {
  require(levels > 2 && levels < 1000, "levels");
  LevelGeometry g;
  g.half_width = levels >> 1;
  g.offset = 0.5 * static_cast<double>(1 - levels % 2);
  g.half_l = (static_cast<double>(levels) - 1.0) / 2.0 * 1.001;
  g.shift = 0.5 * std::log((g.half_l + g.offset) / (g.half_l - g.offset));
  return g;
}
}  // namespace logarithms
ALTERNATIVE(logarithms, level_geometry)

namespace offset_from_division {
LevelGeometry level_geometry(std::int64_t levels) {
  require(levels >= 3, "at least 3");
  require(levels <= 999, "at most 999");
  const double range = static_cast<double>(levels - 1);
  const std::int64_t half_width = static_cast<std::int64_t>(std::floor(double(levels) / 2.0));
  const double offset = static_cast<double>(half_width) - range / 2.0;
  const double half_l = range / 2.0 + range * 5e-4;
  return {half_width, offset, half_l, std::atanh(offset / half_l)};
}
}  // namespace offset_from_division
ALTERNATIVE(offset_from_division, level_geometry)

// ---- 7.2 fsq_bound -----------------------------------------------------------------------------

namespace rows_of_constants {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  if (std::ssize(levels) != z.cols()) throw std::invalid_argument("levels");
  RowVector half_l(z.cols()), shift(z.cols()), offset(z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
    half_l(d) = static_cast<float>(g.half_l);
    shift(d) = static_cast<float>(g.shift);
    offset(d) = static_cast<float>(g.offset);
  }
  const Matrix moved = z.rowwise() + shift;
  const Matrix bent = moved.array().tanh();
  return (bent.array().rowwise() * half_l.array()).rowwise() - offset.array();
}
}  // namespace rows_of_constants
ALTERNATIVE(rows_of_constants, fsq_bound)

namespace rows_of_constants {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  require(dbounded.rows() == z.rows() && dbounded.cols() == z.cols(), "shapes");
  if (std::ssize(levels) != z.cols()) throw std::invalid_argument("levels");
  Matrix dz = dbounded;
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) {
      const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
      const float t = std::tanh(z(n, d) + static_cast<float>(g.shift));
      dz(n, d) *= static_cast<float>(g.half_l) * (1.0F - t) * (1.0F + t);
    }
  }
  return dz;
}
}  // namespace rows_of_constants
ALTERNATIVE(rows_of_constants, fsq_bound_backward)

namespace column_by_column {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require(std::ssize(levels) == z.cols(), "levels");
  Matrix bounded = z;
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels.at(static_cast<std::size_t>(d)));
    const auto shifted = z.col(d).cast<double>().array() + g.shift;
    bounded.col(d) = (g.half_l * shifted.tanh() - g.offset).cast<float>();
  }
  return bounded;
}
}  // namespace column_by_column
ALTERNATIVE(column_by_column, fsq_bound)

namespace column_by_column {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  require(std::ssize(levels) == z.cols(), "levels");
  require_size(dbounded.rows(), z.rows(), "rows");
  require_size(dbounded.cols(), z.cols(), "columns");
  Matrix dz = dbounded;
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels.at(static_cast<std::size_t>(d)));
    const Eigen::ArrayXd t = (z.col(d).cast<double>().array() + g.shift).tanh();
    dz.col(d).array() *= (g.half_l * (1.0 - t.square())).cast<float>();
  }
  return dz;
}
}  // namespace column_by_column
ALTERNATIVE(column_by_column, fsq_bound_backward)

namespace hyperbolic_cosine {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "levels");
  Matrix bounded(z.rows(), z.cols());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) {
      const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
      const double x = z(n, d) + g.shift, e = std::exp(-2.0 * std::abs(x));
      bounded(n, d) =
          static_cast<float>(std::copysign((1.0 - e) / (1.0 + e), x) * g.half_l - g.offset);
    }
  }
  for (const std::int64_t l : levels) level_geometry(l);
  return bounded;
}
}  // namespace hyperbolic_cosine
ALTERNATIVE(hyperbolic_cosine, fsq_bound)

namespace hyperbolic_cosine {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "levels");
  require_size(dbounded.rows(), z.rows(), "rows");
  require_size(dbounded.cols(), z.cols(), "columns");
  Matrix dz(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels[static_cast<std::size_t>(d)]);
    for (Index n = 0; n < z.rows(); ++n) {
      const double cosh = std::cosh(z(n, d) + g.shift);
      dz(n, d) = static_cast<float>(dbounded(n, d) * (g.half_l / cosh / cosh));
    }
  }
  return dz;
}
}  // namespace hyperbolic_cosine
ALTERNATIVE(hyperbolic_cosine, fsq_bound_backward)

// ---- 7.3 fsq_quantize --------------------------------------------------------------------------

namespace element_by_element {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  Matrix codes = fsq_bound(z, levels);
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) {
      const auto h = static_cast<float>(levels[static_cast<std::size_t>(d)] / 2);
      codes(n, d) = std::rint(codes(n, d)) / h;
    }
  }
  return codes;
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, fsq_quantize)

namespace element_by_element {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require(dcodes.rows() == z.rows() && dcodes.cols() == z.cols(), "dcodes");
  require_size(std::ssize(levels), z.cols(), "levels");
  Matrix dsteps = dcodes;
  for (Index d = 0; d < z.cols(); ++d) {
    dsteps.col(d) /= static_cast<float>(level_geometry(levels[std::size_t(d)]).half_width);
  }
  return fsq_bound_backward(dsteps, z, levels);
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, fsq_quantize_backward)

namespace by_column_and_cast {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  const Matrix bounded = fsq_bound(z, levels);
  Matrix codes(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const double h = std::floor(double(levels[std::size_t(d)]) / 2.0);
    for (Index n = 0; n < z.rows(); ++n) {
      codes(n, d) = static_cast<float>(double(std::lrint(bounded(n, d))) / h);
    }
  }
  return codes;
}
}  // namespace by_column_and_cast
ALTERNATIVE(by_column_and_cast, fsq_quantize)

namespace by_column_and_cast {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require_size(dcodes.rows(), z.rows(), "rows");
  require_size(dcodes.cols(), z.cols(), "columns");
  require_size(std::ssize(levels), z.cols(), "levels");
  Matrix dz(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const LevelGeometry g = level_geometry(levels[std::size_t(d)]);
    for (Index n = 0; n < z.rows(); ++n) {
      const double t = std::tanh(double(z(n, d)) + g.shift);
      const double slope = g.half_l * (1.0 - t * t) / double(g.half_width);
      dz(n, d) = static_cast<float>(slope * double(dcodes(n, d)));
    }
  }
  return dz;
}
}  // namespace by_column_and_cast
ALTERNATIVE(by_column_and_cast, fsq_quantize_backward)

namespace straight_through_spelled_out {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  // Halves up: at a tie it differs from rint, and no latent that can be asked for meets one.
  const Matrix bounded = fsq_bound(z, levels), steps = (bounded.array() + 0.5F).floor();
  Matrix codes = steps;
  for (Index d = 0; d < z.cols(); ++d)
    codes.col(d) /= std::floor(float(levels[std::size_t(d)]) / 2);
  return codes;
}
}  // namespace straight_through_spelled_out
ALTERNATIVE(straight_through_spelled_out, fsq_quantize)

// ---- 7.4 codes_to_index ------------------------------------------------------------------------

namespace divided_back {
std::int64_t fsq_codebook_size(const Levels& levels) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max(), size = 1;
  for (const std::int64_t l : levels) {
    if (l < 3 || l > 999 || room < l) throw std::invalid_argument("levels");
    room /= l;
    size *= l;
  }
  return size;
}
}  // namespace divided_back
ALTERNATIVE(divided_back, fsq_codebook_size)

namespace divided_back {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require(std::ssize(levels) == codes.cols(), "levels");
  latent::fsq_codebook_size(levels);
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t index = 0;
    for (Index d = codes.cols(); d-- > 0;) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      const float step = std::rint(codes(n, d) * static_cast<float>(h));
      if (!(std::abs(step) <= static_cast<float>(h))) throw std::invalid_argument("code");
      const std::int64_t digit = static_cast<std::int64_t>(step) + h;
      if (digit >= l) throw std::invalid_argument("code");
      index = index * l + digit;
    }
    indices.push_back(index);
  }
  return indices;
}
}  // namespace divided_back
ALTERNATIVE(divided_back, codes_to_index)

namespace basis_first {
std::int64_t fsq_codebook_size(const Levels& levels) {
  std::int64_t size = 1;
  for (const std::int64_t l : levels) {
    require(2 < l && l < 1000, "levels");
    require(!__builtin_mul_overflow(size, l, &size), "too many codes");
  }
  return size;
}
}  // namespace basis_first
ALTERNATIVE(basis_first, fsq_codebook_size)

namespace basis_first {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "levels");
  latent::fsq_codebook_size(levels);
  std::vector<std::int64_t> basis(levels.size(), 1);
  for (std::size_t d = 1; d < levels.size(); ++d) basis[d] = basis[d - 1] * levels[d - 1];
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()));
  for (std::size_t n = 0; n < indices.size(); ++n) {
    for (std::size_t d = 0; d < levels.size(); ++d) {
      const double h = double(levels[d] / 2);
      const double digit = std::rint(double(codes(Index(n), Index(d))) * h + h);
      if (std::isnan(digit) || digit < 0.0 || digit > double(levels[d] - 1)) {
        throw std::invalid_argument("code");
      }
      indices[n] += std::llrint(digit) * basis[d];
    }
  }
  return indices;
}
}  // namespace basis_first
ALTERNATIVE(basis_first, codes_to_index)

namespace recursive {
std::int64_t fsq_codebook_size(const Levels& levels) {
  if (levels.empty()) return 1;
  const std::int64_t l = levels.back();
  require(l >= 3 && l <= 999, "levels");
  const std::int64_t before =
      recursive::fsq_codebook_size(Levels(levels.begin(), levels.end() - 1));
  require(before <= (std::numeric_limits<std::int64_t>::max)() / l, "too many codes");
  return before * l;
}
}  // namespace recursive
ALTERNATIVE(recursive, fsq_codebook_size)

namespace recursive {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "levels");
  latent::fsq_codebook_size(levels);
  if (levels.empty()) return std::vector<std::int64_t>(static_cast<std::size_t>(codes.rows()), 0);
  const Matrix others = codes.rightCols(codes.cols() - 1);
  std::vector<std::int64_t> indices =
      recursive::codes_to_index(others, Levels(levels.begin() + 1, levels.end()));
  const std::int64_t l = levels[0], h = l / 2;
  for (std::size_t n = 0; n < indices.size(); ++n) {
    const float steps = codes(Index(n), 0) * static_cast<float>(h);
    require(std::isfinite(steps), "not a number");
    const std::int64_t digit = std::lrint(steps) + h;
    require(digit >= 0 && digit < l, "beyond the levels");
    indices[n] = indices[n] * l + digit;
  }
  return indices;
}
}  // namespace recursive
ALTERNATIVE(recursive, codes_to_index)

// ---- 7.5 index_to_codes ------------------------------------------------------------------------

namespace with_a_basis {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t size = fsq_codebook_size(levels);
  for (const std::int64_t index : indices) require(0 <= index && index < size, "index");
  Matrix codes(std::ssize(indices), std::ssize(levels));
  std::int64_t basis = 1;
  for (std::size_t d = 0; d < levels.size(); ++d) {
    const auto h = static_cast<float>(levels[d] / 2);
    for (std::size_t n = 0; n < indices.size(); ++n) {
      const std::int64_t digit = (indices[n] / basis) % levels[d];
      codes(Index(n), Index(d)) = (static_cast<float>(digit) - h) / h;
    }
    basis *= levels[d];
  }
  return codes;
}
}  // namespace with_a_basis
ALTERNATIVE(with_a_basis, index_to_codes)

namespace from_the_last {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  Matrix codes(std::ssize(indices), std::ssize(levels));
  const std::int64_t size = fsq_codebook_size(levels);
  for (std::size_t n = 0; n < indices.size(); ++n) {
    if (indices[n] < 0 || indices[n] >= size) throw std::invalid_argument("index");
    std::int64_t rest = indices[n], place = size;
    for (std::size_t d = levels.size(); d-- > 0;) {
      place /= levels[d];
      const std::int64_t digit = rest / place, h = levels[d] / 2;
      rest -= digit * place;
      codes(Index(n), Index(d)) = static_cast<float>(double(digit - h) / double(h));
    }
  }
  return codes;
}
}  // namespace from_the_last
ALTERNATIVE(from_the_last, index_to_codes)

namespace less_one {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t last = fsq_codebook_size(levels) - 1;
  Matrix codes = Matrix::Constant(std::ssize(indices), std::ssize(levels), -1.0F);
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t rest = indices.at(static_cast<std::size_t>(n));
    require(rest >= 0, "negative");
    require(rest <= last, "beyond the last code");
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels.at(static_cast<std::size_t>(d)), quotient = rest / l;
      codes(n, d) += static_cast<float>(rest - quotient * l) / static_cast<float>(l / 2);
      rest = quotient;
    }
  }
  return codes;
}
}  // namespace less_one
ALTERNATIVE(less_one, index_to_codes)

// ---- 7.6 implicit_codebook ---------------------------------------------------------------------

namespace row_by_row {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = fsq_codebook_size(levels);
  if (first < 0 || count < 0 || first > size || count > size - first) {
    throw std::invalid_argument("range");
  }
  Matrix rows(count, std::ssize(levels));
  for (Index r = 0; r < count; ++r) rows.row(r) = index_to_codes({first + r}, levels);
  return rows;
}
}  // namespace row_by_row
ALTERNATIVE(row_by_row, implicit_codebook)

namespace odometer {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = fsq_codebook_size(levels);
  require(0 <= first && first <= size, "first");
  require(0 <= count && count <= size - first, "count");
  Matrix rows(count, std::ssize(levels));
  std::vector<std::int64_t> digits;
  for (std::int64_t rest = first; const std::int64_t l : levels) {
    digits.push_back(rest % l);
    rest /= l;
  }
  for (Index r = 0; r < count; ++r) {
    for (std::size_t d = 0; d < levels.size(); ++d) {
      const std::int64_t h = levels[d] / 2;
      rows(r, Index(d)) = static_cast<float>(digits[d] - h) / static_cast<float>(h);
    }
    for (std::size_t d = 0; d < levels.size() && ++digits[d] == levels[d]; ++d) digits[d] = 0;
  }
  return rows;
}
}  // namespace odometer
ALTERNATIVE(odometer, implicit_codebook)

namespace unsigned_sum {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const auto size = static_cast<std::uint64_t>(fsq_codebook_size(levels));
  require(first >= 0 && count >= 0, "negative");
  const auto end = static_cast<std::uint64_t>(first) + static_cast<std::uint64_t>(count);
  require(end <= size, "beyond the end");  // two numbers below 2^63 fit, added, below 2^64
  std::vector<std::int64_t> indices;
  for (std::int64_t index = first; index < first + count; ++index) indices.push_back(index);
  return index_to_codes(indices, levels);
}
}  // namespace unsigned_sum
ALTERNATIVE(unsigned_sum, implicit_codebook)

// ---- 7.7 symmetric_quantize --------------------------------------------------------------------

namespace in_floats {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  if (std::ssize(levels) != z.cols()) throw std::invalid_argument("levels");
  Matrix codes = z.array().tanh();
  for (Index d = 0; d < z.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    if (l < 2 || l > 999) throw std::invalid_argument("levels");
    const float half = static_cast<float>(l - 1) / 2.0F;
    codes.col(d) = ((codes.col(d).array() + 1.0F) * half + 0.5F).floor() / half - 1.0F;
  }
  return codes;
}
}  // namespace in_floats
ALTERNATIVE(in_floats, symmetric_quantize)

namespace in_floats {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  for (const std::int64_t l : levels) require(l > 1 && l < 1000, "levels");
  require(std::ssize(levels) == z.cols(), "levels");
  require(dcodes.rows() == z.rows() && dcodes.cols() == z.cols(), "dcodes");
  const Eigen::ArrayXXd cosh = z.cast<double>().array().cosh();
  return (dcodes.cast<double>().array() / cosh / cosh).cast<float>();
}
}  // namespace in_floats
ALTERNATIVE(in_floats, symmetric_quantize_backward)

namespace digit_as_integer {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "levels");
  for (const std::int64_t l : levels) require(l >= 2 && l <= 999, "levels");
  Matrix codes(z.rows(), z.cols());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index d = 0; d < z.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)];
      const double x = double(l - 1) * (std::tanh(double(z(n, d))) + 1.0) / 2.0;
      const auto digit = static_cast<std::int64_t>(x + 0.5);  // x is never negative
      codes(n, d) = static_cast<float>(double(2 * digit - (l - 1)) / double(l - 1));
    }
  }
  return codes;
}
}  // namespace digit_as_integer
ALTERNATIVE(digit_as_integer, symmetric_quantize)

}  // namespace latent

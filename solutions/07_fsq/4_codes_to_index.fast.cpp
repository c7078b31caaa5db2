// 4_codes_to_index.cpp, made fast: row by row, as the codes lie in memory.
//
// 1. The plain version walks down one column after the other, through memory that no cache holds,
//    and takes every index up and puts it down again D times. Here 64 rows are finished while the
//    L1 cache has them.
// 2. Over a span of whole rows the constants of all columns repeat: laid out once, they meet the
//    codes sixteen at a time. Whether a digit is out of range is summed up, not branched on.
// 3. Digits and their sums are floats, which is exact below 2^24: only every group of dimensions
//    with at most so many codes costs a product of integers, and usually there is one group.

#include <array>
#include <limits>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

std::int64_t fsq_codebook_size(const Levels& levels) {
  std::int64_t size = 1;
  for (const std::int64_t l : levels) {
    require(l >= 3 && l <= 999,
            "fsq_codebook_size: expected 3 to 999 levels, got " + std::to_string(l));
    require(size <= std::numeric_limits<std::int64_t>::max() / l,
            "fsq_codebook_size: expected a product below 2^63, got " + std::to_string(size) +
                " x " + std::to_string(l) + " and more");
    size *= l;
  }
  return size;
}

namespace {

using Constants = Eigen::Array<float, Eigen::Dynamic, 1>;

constexpr Index kRowsOfSpan = 64, kRowsOfPart = 256 * kRowsOfSpan;
constexpr std::int64_t kExact = 1 << 24;  // whole numbers up to it are floats

/// Consecutive dimensions whose digits make one float, and what that counts for.
struct Group {
  Index first, end;
  std::int64_t weight;
};

/// How digits are read off codes. The constants of the columns, repeated for a span of rows.
struct Places {
  Constants half_width, highest, weight;  ///< The weight is that within the group.
  std::vector<Group> groups;

  explicit Places(const Levels& levels) {
    const Index d = std::ssize(levels);
    for (Constants* constants : {&half_width, &highest, &weight})
      constants->resize(kRowsOfSpan * d);
    std::int64_t total = 1, within = kExact;
    for (Index i = 0; i < d; ++i) {
      const std::int64_t l = levels[static_cast<std::size_t>(i)];
      if (within * l > kExact) {
        groups.push_back({i, i, total});
        within = 1;
      }
      for (Index at = i; at < half_width.size(); at += d) {
        half_width(at) = static_cast<float>(l / 2);
        highest(at) = static_cast<float>(l - 1);
        weight(at) = static_cast<float>(within);
      }
      groups.back().end = i + 1;
      within *= l;
      total *= l;
    }
  }

  /// Adds up the indices of `rows` rows, at most a span of them.
  /// @param codes   Of these rows.
  /// @param digits  Room for as many numbers, to work in.
  /// @return        Whether every digit was one.
  bool read(const float* codes, Index rows, Constants& digits, std::int64_t* indices) const {
    const Index d = half_width.size() / kRowsOfSpan, n = rows * d;
    auto digit = digits.head(n);
    digit =
        (Eigen::Map<const Constants>(codes, n) * half_width.head(n)).rint() + half_width.head(n);
    // 0 where all are in range, above it or not a number where one is not.
    const float outside = (digit - digit.max(0.0F).min(highest.head(n))).abs().sum();
    if (!(outside == 0.0F)) return false;
    digit *= weight.head(n);
    for (const Group& group : groups) {
      std::array<float, kRowsOfSpan> sums{};
      for (Index at = group.first; at < group.end; ++at) {
        for (Index i = 0; i < rows; ++i) sums[std::size_t(i)] += digits(i * d + at);
      }
      for (Index i = 0; i < rows; ++i)
        indices[i] += static_cast<std::int64_t>(sums[std::size_t(i)]) * group.weight;
    }
    return true;
  }
};

}  // namespace

std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "codes_to_index: number of levels");
  fsq_codebook_size(levels);  // refuses what would overflow below
  const Places places(levels);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()));
  std::atomic<bool> good{true};
  in_parallel((codes.rows() + kRowsOfPart - 1) / kRowsOfPart, [&] {
    return [&, digits = Constants(places.half_width.size())](Index part) mutable {
      const Index end = std::min(codes.rows(), (part + 1) * kRowsOfPart);
      for (Index n = part * kRowsOfPart; n < end; n += kRowsOfSpan) {
        const Index rows = std::min(kRowsOfSpan, end - n);
        if (!places.read(codes.data() + n * codes.cols(), rows, digits, indices.data() + n))
          good = false;
      }
    };
  });
  require(good, "codes_to_index: expected codes from -1 to (L - 1 - h) / h, got another one");
  return indices;
}

}  // namespace latent

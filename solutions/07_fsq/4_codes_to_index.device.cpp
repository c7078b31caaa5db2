// 4_codes_to_index.cpp on a GPU: what the contract says, around the kernel of 4_codes_to_index.cu.

#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "fsq.hpp"
#include "kernels.hpp"

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

/// Says what is wrong with the code at this place, column after column.
[[noreturn]] void refuse(const Matrix& codes, const Levels& levels, Index at) {
  const Index column = at / codes.rows(), row = at % codes.rows();
  const std::int64_t l = levels[static_cast<std::size_t>(column)];
  const auto half_width = static_cast<double>(l / 2);
  const double digit = std::rint(codes(row, column) * half_width) + half_width;
  throw std::invalid_argument("codes_to_index: expected a digit from 0 to " +
                              std::to_string(l - 1) + ", got " + std::to_string(digit));
}

}  // namespace

std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "codes_to_index: number of levels");
  fsq_codebook_size(levels);  // refuses what would overflow below
  const std::vector<device::FsqPlace> digits = device::fsq_places(levels);
  const device::Buffer<device::FsqPlace> places(digits.data(), std::ssize(digits));
  const device::Buffer<float> rows(codes.data(), codes.size());
  device::Buffer<std::int64_t> sums(codes.rows());
  device::Buffer<unsigned long long> refused(1);
  device::codes_to_index(rows.data(), places.data(), sums.data(), refused.data(), codes.rows(),
                         codes.cols());
  unsigned long long first = 0;
  refused.copy_to(&first);
  if (const auto at = static_cast<Index>(first); at < codes.size()) refuse(codes, levels, at);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()));
  sums.copy_to(indices.data());
  return indices;
}

}  // namespace latent

#include <cmath>
#include <limits>

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

std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "codes_to_index: number of levels");
  fsq_codebook_size(levels);  // refuses what would overflow below
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()), 0);
  std::int64_t place = 1;  // what digit d counts for: the product of the levels before it
  for (Index d = 0; d < codes.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    const auto half_width = static_cast<double>(l / 2);
    for (Index n = 0; n < codes.rows(); ++n) {
      const double digit = std::rint(codes(n, d) * half_width) + half_width;
      require(digit >= 0.0 && digit < static_cast<double>(l),  // also refuses what is not a number
              "codes_to_index: expected a digit from 0 to " + std::to_string(l - 1) + ", got " +
                  std::to_string(digit));
      indices[static_cast<std::size_t>(n)] += static_cast<std::int64_t>(digit) * place;
    }
    place *= l;
  }
  return indices;
}

}  // namespace latent

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t size = fsq_codebook_size(levels);
  Matrix codes(std::ssize(indices), std::ssize(levels));
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t rest = indices[static_cast<std::size_t>(n)];
    require(rest >= 0 && rest < size, "index_to_codes: expected an index from 0 on, below " +
                                          std::to_string(size) + ", got " + std::to_string(rest));
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], half_width = l / 2;
      codes(n, d) = static_cast<float>(rest % l - half_width) / static_cast<float>(half_width);
      rest /= l;
    }
  }
  return codes;
}

}  // namespace latent

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

std::int64_t values_in(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    require(size >= 0, "values_in: expected no negative size, got shape " + to_string(shape));
    count *= size;
  }
  return count;
}

}  // namespace latent

#include <cmath>

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto values = static_cast<double>(values_in(input_shape));
  const auto latent_values = static_cast<double>(values_in(latent_shape));
  require(values > 0.0 && latent_values > 0.0,
          "compression_ratio: expected shapes that hold a value, got " + to_string(input_shape) +
              " and " + to_string(latent_shape));
  require(bits_per_value > 0.0 && bits_per_latent > 0.0,
          "compression_ratio: expected bits above 0, got " + std::to_string(bits_per_value) +
              " and " + std::to_string(bits_per_latent));
  const double ratio = values / latent_values;
  return {ratio, ratio * bits_per_value / bits_per_latent};
}

double bits_per_token(std::int64_t codebook_size) {
  require(codebook_size >= 1,
          "bits_per_token: expected at least 1 code, got " + std::to_string(codebook_size));
  return std::log2(static_cast<double>(codebook_size));
}

}  // namespace latent

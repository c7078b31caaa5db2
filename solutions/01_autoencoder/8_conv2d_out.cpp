#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(size >= 0 && kernel >= 1 && stride >= 1 && before >= 0 && after >= 0,
          "conv2d_out: expected size >= 0, kernel and stride >= 1, padding >= 0, got " +
              to_string(Shape{size, kernel, stride, before, after}));
  const std::int64_t padded = before + size + after;
  require(kernel <= padded, "conv2d_out: expected a kernel of at most " + std::to_string(padded) +
                                ", got " + std::to_string(kernel));
  return (padded - kernel) / stride + 1;
}

}  // namespace latent

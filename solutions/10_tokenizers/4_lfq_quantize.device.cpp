// 4_lfq_quantize.cpp on a GPU: what the contract says, around the kernels of 4_lfq_quantize.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

void require_dimensions(std::int64_t dimensions) {
  require(dimensions >= 1 && dimensions <= 62,
          "lfq: expected from 1 to 62 dimensions, got " + std::to_string(dimensions));
}

void require_scale(double scale) {
  require(scale > 0.0, "lfq: expected scale > 0, got " + std::to_string(scale));
}

}  // namespace

Matrix lfq_quantize(const Matrix& z, double scale) {
  require_scale(scale);
  require(z.allFinite(), "lfq_quantize: expected finite latents");
  const device::Buffer<float> latents(z.data(), z.size());
  device::Buffer<float> quantized(z.size());
  device::lfq_quantize(latents.data(), quantized.data(), static_cast<float>(scale), z.size());
  Matrix codes(z.rows(), z.cols());
  quantized.copy_to(codes.data());
  return codes;
}

// The gradient passes as it came; sending it to the device and back would be all there is to do.
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  require_size(d_codes.rows(), z.rows(), "lfq_quantize_backward: rows of d_codes");
  require_size(d_codes.cols(), z.cols(), "lfq_quantize_backward: columns of d_codes");
  return d_codes;
}

std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  require_dimensions(codes.cols());
  const device::Buffer<float> rows(codes.data(), codes.size());
  device::Buffer<std::int64_t> tokens(codes.rows());
  device::bits_to_index(rows.data(), tokens.data(), codes.rows(), codes.cols());
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()));
  tokens.copy_to(indices.data());
  return indices;
}

Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  require_dimensions(dimensions);
  require_scale(scale);
  for (const std::int64_t index : indices) {
    require(index >= 0 && index >> dimensions == 0, "index_to_bits: expected an index of " +
                                                        std::to_string(dimensions) + " bits, got " +
                                                        std::to_string(index));
  }
  Matrix codes(std::ssize(indices), dimensions);
  const device::Buffer<std::int64_t> tokens(indices.data(), codes.rows());
  device::Buffer<float> rows(codes.size());
  device::index_to_bits(tokens.data(), rows.data(), static_cast<float>(scale), codes.rows(),
                        dimensions);
  rows.copy_to(codes.data());
  return codes;
}

}  // namespace latent

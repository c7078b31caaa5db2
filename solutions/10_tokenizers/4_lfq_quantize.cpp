#include "common/require.hpp"
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
  const auto high = static_cast<float>(scale);
  return (z.array() > 0.0F).select(Matrix::Constant(z.rows(), z.cols(), high), -high);
}

Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  require_size(d_codes.rows(), z.rows(), "lfq_quantize_backward: rows of d_codes");
  require_size(d_codes.cols(), z.cols(), "lfq_quantize_backward: columns of d_codes");
  return d_codes;
}

std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  require_dimensions(codes.cols());
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t index = 0;
    for (Index i = 0; i < codes.cols(); ++i) {
      if (codes(n, i) > 0.0F) index += std::int64_t{1} << i;  // dimension 0 counts 1
    }
    indices.push_back(index);
  }
  return indices;
}

Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  require_dimensions(dimensions);
  require_scale(scale);
  const auto high = static_cast<float>(scale);
  Matrix codes(std::ssize(indices), dimensions);
  Index n = 0;
  for (const std::int64_t index : indices) {
    require(index >= 0 && index >> dimensions == 0, "index_to_bits: expected an index of " +
                                                        std::to_string(dimensions) + " bits, got " +
                                                        std::to_string(index));
    for (Index i = 0; i < dimensions; ++i) codes(n, i) = (index >> i) % 2 == 1 ? high : -high;
    ++n;
  }
  return codes;
}

}  // namespace latent

// 5_index_to_codes.cpp on a GPU: what the contract says, around the kernel of 5_index_to_codes.cu.

#include "common/require.hpp"
#include "fsq.hpp"
#include "kernels.hpp"

namespace latent {

Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t size = fsq_codebook_size(levels);
  for (const std::int64_t index : indices) {
    require(index >= 0 && index < size, "index_to_codes: expected an index from 0 on, below " +
                                            std::to_string(size) + ", got " +
                                            std::to_string(index));
  }
  const std::vector<device::FsqPlace> digits = device::fsq_places(levels);
  const device::Buffer<device::FsqPlace> places(digits.data(), std::ssize(digits));
  const device::Buffer<std::int64_t> tokens(indices.data(), std::ssize(indices));
  Matrix codes(std::ssize(indices), std::ssize(levels));
  device::Buffer<float> rows(codes.size());
  device::index_to_codes(tokens.data(), places.data(), rows.data(), codes.rows(), codes.cols());
  rows.copy_to(codes.data());
  return codes;
}

}  // namespace latent

// 1_tensor_stats.cpp on a GPU: what the contract says, around the kernels of 1_tensor_stats.cu.

#include <algorithm>
#include <cmath>

#include "encode_decode.hpp"
#include "kernels.hpp"

namespace latent {

TensorStats tensor_stats(const Tensor4& x) {
  const device::Buffer<float> elements(x.data(), x.size());
  device::Buffer<device::TensorCount> counted(1), squared(1);
  device::tensor_stats(elements.data(), x.size(), counted.data(), squared.data());
  device::TensorCount count{}, squares{};
  counted.copy_to(&count);
  squared.copy_to(&squares);

  TensorStats stats;
  stats.count = count.count;
  stats.nans = x.size() - count.count;
  if (count.count == 0) return stats;  // all 0
  stats.min = count.least;
  stats.max = count.greatest;
  stats.mean = count.sum / static_cast<double>(count.count);
  stats.std = std::sqrt(squares.sum / static_cast<double>(count.count));
  stats.absmax = std::max(std::abs(stats.min), std::abs(stats.max));
  return stats;
}

}  // namespace latent

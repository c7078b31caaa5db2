// 3_fsq_quantize.cpp on a GPU: what the contract says, around the kernels of 3_fsq_quantize.cu.

#include "common/require.hpp"
#include "fsq.hpp"
#include "kernels.hpp"

namespace latent {
namespace {

device::Buffer<device::FsqColumn> columns_of(const Levels& levels) {
  std::vector<device::FsqColumn> columns;
  for (const std::int64_t l : levels) {
    const LevelGeometry g = level_geometry(l);  // refuses what is no number of levels
    columns.push_back({static_cast<float>(g.half_l), static_cast<float>(g.offset),
                       static_cast<float>(g.shift), static_cast<float>(g.half_width)});
  }
  return {columns.data(), std::ssize(columns)};
}

}  // namespace

Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "fsq_bound: number of levels");
  const auto columns = columns_of(levels);
  const device::Buffer<float> latents(z.data(), z.size());
  device::Buffer<float> rounded(z.size());
  device::fsq_quantize(latents.data(), columns.data(), rounded.data(), z.rows(), z.cols());
  Matrix codes(z.rows(), z.cols());
  rounded.copy_to(codes.data());
  return codes;
}

Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require_size(dcodes.rows(), z.rows(), "fsq_bound_backward: rows of dbounded");
  require_size(dcodes.cols(), z.cols(), "fsq_bound_backward: columns of dbounded");
  require_size(std::ssize(levels), z.cols(), "fsq_bound_backward: number of levels");
  const auto columns = columns_of(levels);
  const device::Buffer<float> latents(z.data(), z.size()), gradient(dcodes.data(), dcodes.size());
  device::Buffer<float> back(z.size());
  device::fsq_quantize_backward(gradient.data(), latents.data(), columns.data(), back.data(),
                                z.rows(), z.cols());
  Matrix dz(z.rows(), z.cols());
  back.copy_to(dz.data());
  return dz;
}

}  // namespace latent

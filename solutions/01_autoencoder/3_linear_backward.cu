// 1.3 linear_backward on a GPU. Two products of 2 N Di Do operations each, by cuBLAS, which reads a
// transposed factor where it lies: nothing is transposed in memory.
//
// The gradient of the bias is N Do additions of N Do numbers, so it takes as long as reading them.
// Neighbouring threads take neighbouring columns, so that a warp reads 32 floats in one piece, and
// eight warps of a block take turns at the rows. Few columns would be few blocks, so the rows are
// cut into slices, as many as depend on N alone, and the slices' sums are summed up the same way.
// Everything in doubles and in a fixed order: no atomics, the same bits each time.

#include "kernels.hpp"

namespace latent::device {
namespace {

constexpr int kColumns = 32;                     // of a block
constexpr int kTurns = kThreads / kColumns;      // rows that a block reads at a time
constexpr Size kLeastRows = 256, kSlices = 512;  // of a slice; at most

/// Sums of the columns in slice blockIdx.y, which has `rows` rows.
template <class In, class Out>
__global__ void __launch_bounds__(kThreads)
    sum_slice(const In* x, Out* sums, Size n, Size d, Size rows) {
  __shared__ double parts[kTurns][kColumns];
  const Size column = Size{blockIdx.x} * kColumns + threadIdx.x, first = blockIdx.y * rows;
  const Size last = first + rows < n ? first + rows : n;
  double sum = 0.0;
  for (Size row = first + threadIdx.y; row < last && column < d; row += kTurns)
    sum += x[row * d + column];
  parts[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= d) return;
  for (int turn = 1; turn < kTurns; ++turn) sum += parts[turn][threadIdx.x];
  sums[blockIdx.y * d + column] = static_cast<Out>(sum);
}

}  // namespace

void column_sums(const float* x, float* sums, Size n, Size d) {
  const Size even = pieces(n, kSlices), rows = even < kLeastRows ? kLeastRows : even;
  const Size slices = n > rows ? pieces(n, rows) : 1;
  const auto blocks = static_cast<unsigned>(pieces(d, kColumns));
  const dim3 grid(blocks, static_cast<unsigned>(slices)), block(kColumns, kTurns);
  if (slices == 1) return launch(sum_slice<float, float>, grid, block, x, sums, n, d, n);
  Buffer<double> parts(slices * d);
  launch(sum_slice<float, double>, grid, block, x, parts.data(), n, d, rows);
  launch(sum_slice<double, float>, dim3(blocks), block, parts.data(), sums, slices, d, slices);
}

void linear_backward(const float* dy, const float* x, const float* weight, float* dx,
                     float* dweight, float* dbias, Size n, Size in, Size out, float keep) {
  if (dx != nullptr) multiply(dy, Side::kAsIs, weight, Side::kAsIs, dx, n, in, out, keep);
  multiply(dy, Side::kTransposed, x, Side::kAsIs, dweight, out, in, n);
  column_sums(dy, dbias, n, out);
}

}  // namespace latent::device

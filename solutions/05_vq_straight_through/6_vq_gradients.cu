// 5.6 vq_gradients on a GPU, and what lab 06 shares with it: sums over the rows of each code.
//
// The gradient of the codes adds up rows that many threads read at once. Adding them by atomics
// would be quick, but in another order each time, and float sums depend on the order. So rows are
// grouped first: a stable sort of (code, row) puts those of one code side by side, lowest row
// first; it moves 16 bytes a row, eight times, which is little beside rows of 64 floats and more.
// Then a block per code and 32 columns adds its rows up: each warp reads 32 neighbouring floats of
// a row, eight warps take every eighth row, and their eight sums are added in the order of the
// warps. Sums are doubles, which cost nothing here: z is read once, 4 N D bytes, and one addition
// a number keeps no arithmetic unit busy.
//
// Where one code has all rows, a block has all the work of its 32 columns, and most of the GPU
// waits. A codebook that has collapsed is a reason to stop, not to be fast.
//
// The commitment's gradient is element-wise: z and e are read once, 4 N D bytes are written.

#include "kernels.hpp"

namespace latent::device {
namespace {

constexpr int kColumns = 32;  // of a block
constexpr int kRowsAtOnce = kThreads / kColumns;

/// The first position in `sorted` of a key that is at least `key`; n if there is none.
__device__ Size first_from(const std::int64_t* sorted, Size n, std::int64_t key) {
  Size low = 0, high = n;
  while (low < high) {
    const Size middle = low + (high - low) / 2;
    if (sorted[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

__global__ void __launch_bounds__(kThreads)
    sum_rows_of_code(const std::int64_t* rows, const std::int64_t* first, const float* z,
                     const float* origin, float scale, float* sums, Size d) {
  __shared__ double parts[kRowsAtOnce][kColumns];
  const Size code = blockIdx.x, column = Size{blockIdx.y} * kColumns + threadIdx.x;
  const bool inside = column < d;
  const float from = inside && origin != nullptr ? origin[code * d + column] : 0.0F;
  double sum = 0.0;
  const Size end = inside ? first[code + 1] : 0;  // beyond the last column there is nothing to add
  for (Size at = first[code] + threadIdx.y; at < end; at += kRowsAtOnce)
    sum += double{z[rows[at] * d + column]} - from;
  parts[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || !inside) return;
  for (int part = 1; part < kRowsAtOnce; ++part) sum += parts[part][threadIdx.x];
  sums[code * d + column] = static_cast<float>(scale * sum);
}

}  // namespace

Groups group_rows(const std::int64_t* indices, Size n, Size k) {
  Groups groups{Buffer<std::int64_t>(n), Buffer<std::int64_t>(k + 1)};
  Buffer<std::int64_t> codes(n);
  std::int64_t* const code = codes.data();
  std::int64_t* const row = groups.rows.data();
  std::int64_t* const first = groups.first.data();
  each(n, [=] __device__(Size i) {
    code[i] = indices[i];
    row[i] = i;
  });
  sort_pairs(code, row, n);
  each(k + 1, [=] __device__(Size i) { first[i] = first_from(code, n, i); });
  return groups;
}

void sum_by_code(const Groups& groups, const float* z, const float* origin, float scale,
                 float* sums, Size k, Size d) {
  launch(sum_rows_of_code,
         dim3(static_cast<unsigned>(k), static_cast<unsigned>(pieces(d, kColumns))),
         dim3(kColumns, kRowsAtOnce), groups.rows.data(), groups.first.data(), z, origin, scale,
         sums, d);
}

void vq_gradients(const float* z_e, const float* codebook, const std::int64_t* indices, float beta,
                  float* d_z_e, float* d_codebook, Size n, Size k, Size d) {
  const float scale = 2.0F / static_cast<float>(n * d);
  sum_by_code(group_rows(indices, n, k), z_e, codebook, -scale, d_codebook, k, d);
  each(n * d, [=] __device__(Size i) {
    d_z_e[i] = beta * (scale * (z_e[i] - codebook[indices[i / d] * d + i % d]));
  });
}

}  // namespace latent::device

// 10.0 residual_quantize on a GPU: stage after stage, lab 05's search on what is left, and one
// kernel for all that follows from its answer. The search is 3 N K D operations a stage and decides
// how long it takes; the rest reads and writes what is left and the sum of codes once, 16 N D bytes
// a stage. A warp has a row: its 32 lanes read neighbouring numbers, and the length of what is left
// is their sum, in double. Stages cannot run side by side, since each is given what the last one
// left; rows can, and do.

#include "kernels.hpp"

namespace latent::device {
namespace {

constexpr int kWarps = kThreads / 32;

__global__ void __launch_bounds__(kThreads)
    subtract_codes(const float* codebook, const std::int64_t* nearest, float* residual,
                   float* quantized, std::int64_t* indices, float* norms, Size stage, Size stages,
                   Size n, Size d) {
  const Size row = Size{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (row >= n) return;  // all of its warp
  const Size code = nearest[row];
  double square = 0.0;
  for (Size i = threadIdx.x % 32; i < d; i += 32) {
    const float e = codebook[code * d + i];
    const float left = residual[row * d + i] - e;
    quantized[row * d + i] = stage == 0 ? e : quantized[row * d + i] + e;
    residual[row * d + i] = left;  // what the next stage is given
    square += double{left} * left;
  }
  square = warp_sum(square);
  if (threadIdx.x % 32 != 0) return;
  indices[row * stages + stage] = code;
  norms[row * stages + stage] = static_cast<float>(sqrt(square));
}

}  // namespace

void residual_quantize(const float* codebook, float* residual, float* quantized,
                       std::int64_t* indices, float* norms, Size stage, Size stages, Size n, Size k,
                       Size d) {
  Buffer<std::int64_t> nearest(n);
  nearest_code(residual, codebook, nearest.data(), n, k, d);
  launch(subtract_codes, dim3(static_cast<unsigned>(pieces(n, kWarps))), dim3(kThreads), codebook,
         nearest.data(), residual, quantized, indices, norms, stage, stages, n, d);
}

}  // namespace latent::device

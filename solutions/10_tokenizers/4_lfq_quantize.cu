// 10.4 lookup-free quantization on a GPU: there is no table and no search, so all of it costs what
// memory costs. lfq_quantize reads and writes 4 bytes a number. bits_to_index gives a warp a row:
// its lanes each look at one code, and one instruction, a ballot, collects their 32 answers into
// the 32 bits of a number; a second one takes codes 32 to 61. So a row is read as one piece of
// memory, and nobody adds powers of two.

#include "kernels.hpp"

namespace latent::device {
namespace {

constexpr int kWarps = kThreads / 32;

__global__ void __launch_bounds__(kThreads)
    ballot_bits(const float* codes, std::int64_t* indices, Size n, Size d) {
  const Size row = Size{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (row >= n) return;  // all of its warp: a ballot needs all 32 lanes
  const int lane = threadIdx.x % 32;
  std::int64_t index = 0;
  for (Size from = 0; from < d; from += 32) {
    const bool is_one = from + lane < d && codes[row * d + from + lane] > 0.0F;
    index |= static_cast<std::int64_t>(__ballot_sync(0xFFFFFFFFU, is_one)) << from;
  }
  if (lane == 0) indices[row] = index;
}

}  // namespace

void lfq_quantize(const float* z, float* codes, float scale, Size count) {
  each(count, [=] __device__(Size i) { codes[i] = z[i] > 0.0F ? scale : -scale; });
}

void bits_to_index(const float* codes, std::int64_t* indices, Size n, Size d) {
  launch(ballot_bits, dim3(static_cast<unsigned>(pieces(n, kWarps))), dim3(kThreads), codes,
         indices, n, d);
}

void index_to_bits(const std::int64_t* indices, float* codes, float scale, Size n, Size d) {
  each(n * d,
       [=] __device__(Size i) { codes[i] = (indices[i / d] >> i % d) % 2 == 1 ? scale : -scale; });
}

}  // namespace latent::device

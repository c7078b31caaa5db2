// 8.1 tensor_stats on a GPU: 4 bytes per element, twice. Welford's update, as in the plain
// solution, needs one pass, but a division in double for every element, which takes longer than
// fetching the element again. So the first pass sums up, counts and compares, and the second one
// sums the squares of the distances from the mean, which is known by then: nothing cancels, however
// far from 0 the elements lie.
//
// Threads, then blocks, merge what they found in an order that depends on the size alone: the same
// bits each time.

#include "kernels.hpp"

namespace latent::device {
namespace {

__device__ TensorCount of_element(double x) {
  if (x != x) return {0.0, 0, INFINITY, -INFINITY};  // NaN is left out
  return {x, 1, static_cast<float>(x), static_cast<float>(x)};
}

__device__ TensorCount merged(const TensorCount& a, const TensorCount& b) {
  return {a.sum + b.sum, a.count + b.count, fminf(a.least, b.least), fmaxf(a.greatest, b.greatest)};
}

/// What a block finds in its share of find(0) to find(n - 1).
template <class Find>
__global__ void __launch_bounds__(kThreads) count_kernel(Size n, Find find, TensorCount* counts) {
  __shared__ TensorCount found[kThreads];
  TensorCount own = of_element(NAN);
  for (Size i = Size{blockIdx.x} * blockDim.x + threadIdx.x; i < n;
       i += Size{gridDim.x} * blockDim.x)
    own = merged(own, find(i));
  found[threadIdx.x] = own;
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      found[threadIdx.x] = merged(found[threadIdx.x], found[threadIdx.x + half]);
  }
  if (threadIdx.x == 0) counts[blockIdx.x] = found[0];
}

/// Merges find(0) to find(n - 1) into one. What one block can do is done by one, and what a warp
/// can do by a warp.
template <class Find>
void count_into(TensorCount* counted, Size n, Find find) {
  const Size most = pieces(n, kThreads * kPerThread);
  const Size blocks = most < 1 ? 1 : most > kMostSums ? kMostSums : most;
  const dim3 threads(n < kThreads ? 32 : kThreads);
  if (blocks == 1) {
    launch(count_kernel<Find>, dim3(1), threads, n, find, counted);
    return;
  }
  Buffer<TensorCount> counts(blocks);
  const TensorCount* const count = counts.data();
  launch(count_kernel<Find>, dim3(static_cast<unsigned>(blocks)), threads, n, find, counts.data());
  const auto part = [=] __device__(Size i) { return count[i]; };
  launch(count_kernel<decltype(part)>, dim3(1), dim3(kThreads), blocks, part, counted);
}

}  // namespace

void tensor_stats(const float* x, Size size, TensorCount* elements, TensorCount* squares) {
  Buffer<double> mean(1);
  double* const center = mean.data();
  count_into(elements, size, [=] __device__(Size i) { return of_element(x[i]); });
  each(1, [=] __device__(Size) { *center = elements->sum / static_cast<double>(elements->count); });
  count_into(squares, size, [=] __device__(Size i) {
    const double distance = x[i] - *center;
    return of_element(distance * distance);
  });
}

}  // namespace latent::device

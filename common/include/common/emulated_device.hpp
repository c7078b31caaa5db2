/// @file
/// A GPU made of the processor, for tests: kernels run thread by thread, with barriers, warps and
/// shared memory, where no GPU is. Slow, and stricter than the real one in three ways: memory is
/// the heap's, so that sanitizers see a kernel that leaves its array; it is filled with NaN until
/// somebody writes; and threads run one after the other, now forwards, now backwards, so that a
/// missing barrier shows.
///
/// It covers what the kernels of this project use. Dynamic shared memory, streams and warp
/// functions of a part of a warp are not among it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __shared__ static  // one block at a time
#define __forceinline__ inline
#define __launch_bounds__(...)

/// Sizes of a grid or block, as CUDA has them.
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

inline dim3 threadIdx(0, 0, 0), blockIdx(0, 0, 0), blockDim, gridDim;
constexpr int warpSize = 32;

enum cudaError_t { cudaSuccess };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemset(void* data, int value, std::size_t bytes);
inline cudaError_t cudaGetLastError() {
  return cudaSuccess;
}
inline cudaError_t cudaDeviceSynchronize() {
  return cudaSuccess;
}

namespace latent::device::emulated {

/// Runs all threads of all blocks, block after block.
/// @param grid   Blocks.
/// @param block  Threads of a block, at most 1024.
/// @param body   What one thread does; threadIdx and the like are set.
/// Ends the program with a sentence if threads wait for one another at different barriers.
void run(dim3 grid, dim3 block, const std::function<void()>& body);

/// Waits for all threads of the block that have not ended.
void wait_for_block();

/// Waits for all threads of the warp that have not ended.
void wait_for_warp();

/// 8 bytes for each lane of this thread's warp.
std::uint64_t* slots_of_warp();

/// This thread's number in its warp.
int lane();

/// Every lane shows a value, and reads that of another one.
template <class T>
T exchange(T value, int from) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t* slots = slots_of_warp();
  std::memcpy(&slots[lane()], &value, sizeof value);
  wait_for_warp();
  T result;
  std::memcpy(&result, &slots[from & (warpSize - 1)], sizeof result);
  wait_for_warp();
  return result;
}

}  // namespace latent::device::emulated

inline void __syncthreads() {
  latent::device::emulated::wait_for_block();
}
inline void __syncwarp(unsigned = 0xFFFFFFFFU) {
  latent::device::emulated::wait_for_warp();
}

template <class T>
T __shfl_sync(unsigned, T value, int from) {
  return latent::device::emulated::exchange(value, from);
}

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return latent::device::emulated::exchange(value, latent::device::emulated::lane() ^ mask);
}

template <class T>
T __shfl_down_sync(unsigned, T value, int distance) {
  const int from = latent::device::emulated::lane() + distance;
  return latent::device::emulated::exchange(
      value, from < warpSize ? from : latent::device::emulated::lane());
}

inline unsigned __ballot_sync(unsigned, bool vote) {
  unsigned all = 0;
  for (int from = 0; from < warpSize; ++from)
    all |= latent::device::emulated::exchange(unsigned{vote}, from) << from;
  return all;
}

// Threads take turns, so nobody can come between.
template <class T>
T atomicAdd(T* at, T x) {
  const T was = *at;
  *at += x;
  return was;
}

template <class T>
T atomicMin(T* at, T x) {
  const T was = *at;
  if (x < was) *at = x;
  return was;
}

template <class T>
T atomicMax(T* at, T x) {
  const T was = *at;
  if (*at < x) *at = x;
  return was;
}

inline int __float_as_int(float x) {
  int bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float __int_as_float(int bits) {
  float x = 0.0F;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

inline int __ffs(unsigned x) {
  return __builtin_ffs(static_cast<int>(x));
}
inline float rsqrtf(float x) {
  return 1.0F / std::sqrt(x);
}

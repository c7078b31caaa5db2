/// @file
/// The GPU side of the solutions: memory that owns itself, calls that are checked, launches.
///
/// The `.cu` files hold kernels and raw pointers and nothing else. nvcc compiles them for a GPU;
/// the same sources, compiled with `LATENTLAB_EMULATED`, run on the processor, thread by thread, so
/// that a machine without a GPU still tests them: see emulated_device.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#ifdef LATENTLAB_EMULATED
#include "common/emulated_device.hpp"
#else
#include <cuda_runtime.h>
#endif

/// What runs on a GPU, or emulates one.
namespace latent::device {

/// Sizes and positions in a tensor. 64 bits: N x K passes 2^31 long before memory ends.
using Size = std::int64_t;

// ---- Arithmetic of launches, the same on both sides --------------------------------------------

/// How many pieces of size `piece` cover `total`.
/// @param total  At least 0.
/// @param piece  At least 1.
/// @return       `total / piece`, rounded up.
__host__ __device__ constexpr Size pieces(Size total, Size piece) {
  return (total + piece - 1) / piece;
}

/// Threads of a block for work that asks for no other number: eight warps.
constexpr int kThreads = 256;

/// Elements that each thread takes of an element-wise kernel: enough loads under way at once to
/// fill the memory's pipeline.
constexpr int kPerThread = 4;

/// Where element `turn` of a thread lies. Neighbouring threads take neighbouring elements, so that
/// a warp's 32 loads are one piece of memory.
/// @param block   The block's number.
/// @param thread  The thread's number in its block, below kThreads.
/// @param turn    From 0 to kPerThread - 1.
/// @return        A position; the last ones may lie beyond the end.
__host__ __device__ constexpr Size element_of(Size block, Size thread, Size turn) {
  return (block * kPerThread + turn) * kThreads + thread;
}

// ---- Calls and memory ---------------------------------------------------------------------------

/// @param status  What a call of the CUDA runtime returned.
/// @param what    Names the call, for the message.
/// @throws std::runtime_error  unless it is cudaSuccess, with CUDA's own words.
void check(cudaError_t status, const char* what);

/// @return  The name of the device that kernels run on, or null if there is none.
const char* device_name();

/// @param bytes  How many; 0 makes null.
/// @return       Memory of the device, from a pool that keeps what it was given back: a call costs
///               a microsecond and does not wait for kernels under way, as cudaMalloc would.
/// @throws std::runtime_error  if there is not as much.
void* allocate(std::size_t bytes);

/// @param data  What `allocate` returned; kernels launched before may still use it.
void release(void* data);

/// An array in the device's memory.
template <class T>
class Buffer {
 public:
  /// Room for some elements, which are not set.
  /// @param size  How many; may be 0.
  explicit Buffer(Size size) : size_(size), data_(static_cast<T*>(allocate(bytes()))) {}

  /// A copy of an array of the host.
  /// @param host  The first of `size` elements.
  /// @param size  How many; may be 0.
  Buffer(const T* host, Size size) : Buffer(size) {
    check(cudaMemcpy(data_, host, bytes(), cudaMemcpyHostToDevice), "copy to the device");
  }

  /// Gives the memory back.
  ~Buffer() { release(data_); }

  /// Takes over an array.
  /// @param other  Left empty.
  Buffer(Buffer&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}

  /// Takes over an array, and gives back its own in exchange.
  /// @param other  Has what this had.
  /// @return       This.
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  /// @return  The first element, for kernels.
  T* data() { return data_; }

  /// @return  The first element, for kernels to read.
  const T* data() const { return data_; }

  /// @return  How many elements there are.
  Size size() const { return size_; }

  /// Copies all of it to the host, once the kernels before have ended.
  /// @param host  Room for as many elements.
  void copy_to(T* host) const {
    check(cudaMemcpy(host, data_, bytes(), cudaMemcpyDeviceToHost), "copy from the device");
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }

  Size size_ = 0;
  T* data_ = nullptr;
};

// ---- What libraries do well ---------------------------------------------------------------------

/// Whether a matrix enters a product as it is or transposed.
enum class Side {
  kAsIs,        ///< As it lies in memory.
  kTransposed,  ///< With rows and columns exchanged.
};

/// What a product keeps of its factors.
enum class Precision {
  kFloat,   ///< All 24 bits.
  kTensor,  ///< TF32, 11 bits of each factor, which tensor cores multiply many times faster.
};

/// \f$ C = \alpha\,\text{op}(A)\,\text{op}(B) + \beta\,C \f$, all row-major and contiguous; by
/// cuBLAS.
/// @param a      `[m, k]`, or `[k, m]` if transposed.
/// @param b      `[k, n]`, or `[n, k]` if transposed.
/// @param c      `[m, n]`; not read if beta is 0.
/// @param side_a,side_b  How they enter.
/// @param m,n,k  Sizes; any may be 0.
/// @param beta   Factor of what C was.
/// @param alpha  Factor of the product.
/// @param precision  Of the factors; sums are floats.
void multiply(const float* a, Side side_a, const float* b, Side side_b, float* c, Size m, Size n,
              Size k, float beta = 0.0F, float alpha = 1.0F,
              Precision precision = Precision::kFloat);

/// Sorts keys, and values with them; equal keys keep their order. By CCCL's radix sort.
/// @param keys    Not negative; sorted on return.
/// @param values  Moved as their keys are.
/// @param n       How many.
void sort_pairs(std::int64_t* keys, std::int64_t* values, Size n);

// ---- Launches -----------------------------------------------------------------------------------

#if defined(__CUDACC__) || defined(LATENTLAB_EMULATED)

/// Runs a kernel over a grid; does nothing if the grid is empty.
/// @param kernel     A `__global__` function.
/// @param grid       Blocks.
/// @param block      Threads of a block.
/// @param arguments  The kernel's.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, Arguments... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef LATENTLAB_EMULATED
  emulated::run(grid, block, [&] { kernel(static_cast<Parameters>(arguments)...); });
#else
  // clang-format off
  kernel<<<grid, block>>>(static_cast<Parameters>(arguments)...);  // which it would tear apart
  // clang-format on
#endif
  check(cudaGetLastError(), "launch");
}

template <class Function>
__global__ void __launch_bounds__(kThreads) each_kernel(Size n, Function function) {
  for (Size turn = 0; turn < kPerThread; ++turn) {
    const Size i = element_of(blockIdx.x, threadIdx.x, turn);
    if (i < n) function(i);
  }
}

/// Element-wise work: function(0) to function(n - 1), in any order.
/// @param n         How many; may be 0.
/// @param function  `[=] __device__(Size i) { ... }`; captures pointers and numbers by value.
template <class Function>
void each(Size n, Function function) {
  const Size threads = n < kThreads ? pieces(n, 32) * 32 : kThreads;  // whole warps
  launch(each_kernel<Function>, dim3(static_cast<unsigned>(pieces(n, kThreads * kPerThread))),
         dim3(static_cast<unsigned>(threads)), n, function);
}

/// The sum over the threads of a warp, in a fixed order; all 32 must take part.
/// @param x  A thread's own part.
/// @return   The sum, in lane 0.
template <class T>
__device__ T warp_sum(T x) {
  for (int distance = 16; distance > 0; distance /= 2)
    x += __shfl_down_sync(0xFFFFFFFFU, x, distance);
  return x;
}

/// The sum over the threads of a block of kThreads, in a fixed order; all must take part.
/// @param x  A thread's own part.
/// @return   The sum, in thread 0.
template <class T>
__device__ T block_sum(T x) {
  __shared__ T of_warp[kThreads / 32];
  x = warp_sum(x);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
  __syncthreads();
  if (threadIdx.x < 32) x = warp_sum(threadIdx.x < kThreads / 32 ? of_warp[threadIdx.x] : T());
  __syncthreads();  // of_warp may be written again
  return x;
}

/// Blocks of the first half of a sum: their number depends on n alone, so that the order of the
/// additions, and with it the last bit, is the same on every device.
constexpr Size kMostSums = 1024;

template <class Function>
__global__ void __launch_bounds__(kThreads) sums_kernel(Size n, Function term, double* sums) {
  double sum = 0.0;
  for (Size i = Size{blockIdx.x} * kThreads + threadIdx.x; i < n; i += Size{gridDim.x} * kThreads)
    sum += term(i);
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/// The sum of term(0) to term(n - 1), accumulated in double, the same bits each time.
/// @param n     How many; 0 makes 0.
/// @param term  `[=] __device__(Size i) { return ...; }`
/// @param sum   Where it goes, in the device's memory.
template <class Function>
void sum_into(double* sum, Size n, Function term) {
  const Size most = pieces(n, kThreads * kPerThread);
  const Size blocks = most < 1 ? 1 : most > kMostSums ? kMostSums : most;
  if (blocks == 1) return launch(sums_kernel<Function>, dim3(1), dim3(kThreads), n, term, sum);
  Buffer<double> sums(blocks);
  const double* parts = sums.data();
  launch(sums_kernel<Function>, dim3(static_cast<unsigned>(blocks)), dim3(kThreads), n, term,
         sums.data());
  const auto part = [=] __device__(Size i) { return parts[i]; };
  launch(sums_kernel<decltype(part)>, dim3(1), dim3(kThreads), blocks, part, sum);
}

#endif

}  // namespace latent::device

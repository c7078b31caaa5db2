// What libraries do for the kernels, and what the runtime says.

#include <stdexcept>
#include <string>

#include "common/device.hpp"

#ifdef LATENTLAB_EMULATED
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <vector>
#else
#include <cublas_v2.h>

#include <cub/device/device_radix_sort.cuh>
#endif

namespace latent::device {

#ifdef LATENTLAB_EMULATED

void check(cudaError_t, const char*) {}  // no call of the emulated runtime fails

const char* device_name() {
  return "none: emulated on the processor";
}

void* allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* const data = std::malloc(bytes);
  if (data == nullptr) throw std::runtime_error("allocate: no memory");
  return std::memset(data, 0xFF, bytes);  // as a float: not a number
}

void release(void* data) {
  std::free(data);
}

namespace {

/// As a tensor core reads a factor: 11 bits, to nearest, ties away from zero.
float tf32(float x) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x1000U) & ~0x1FFFU;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

}  // namespace

void multiply(const float* a, Side side_a, const float* b, Side side_b, float* c, Size m, Size n,
              Size k, float beta, float alpha, Precision precision) {
  const auto read = [&](float x) { return precision == Precision::kTensor ? tf32(x) : x; };
  for (Size i = 0; i < m; ++i) {
    for (Size j = 0; j < n; ++j) {
      float sum = 0.0F;
      for (Size l = 0; l < k; ++l) {
        sum += read(side_a == Side::kAsIs ? a[i * k + l] : a[l * m + i]) *
               read(side_b == Side::kAsIs ? b[l * n + j] : b[j * k + l]);
      }
      c[i * n + j] = alpha * sum + (beta == 0.0F ? 0.0F : beta * c[i * n + j]);
    }
  }
}

void sort_pairs(std::int64_t* keys, std::int64_t* values, Size n) {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (Size i = 0; i < n; ++i) pairs.emplace_back(keys[i], values[i]);
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& p, const auto& q) { return p.first < q.first; });
  for (Size i = 0; i < n; ++i) std::tie(keys[i], values[i]) = pairs[static_cast<std::size_t>(i)];
}

#else

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

const char* device_name() {
  static cudaDeviceProp properties;
  static const bool found = cudaGetDeviceProperties(&properties, 0) == cudaSuccess;
  return found ? properties.name : nullptr;
}

void* allocate(std::size_t bytes) {
  static const bool keeps = [] {
    cudaMemPool_t pool = nullptr;
    std::uint64_t most = UINT64_MAX;
    check(cudaDeviceGetDefaultMemPool(&pool, 0), "cudaDeviceGetDefaultMemPool");
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &most), "the memory pool");
    return true;
  }();
  void* data = nullptr;
  if (keeps && bytes > 0) check(cudaMallocAsync(&data, bytes, nullptr), "allocate");
  return data;
}

void release(void* data) {
  if (data != nullptr) cudaFreeAsync(data, nullptr);
}

namespace {

void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(std::string(what) + ": " + cublasGetStatusString(status));
}

cublasHandle_t blas() {
  static const cublasHandle_t handle = [] {
    cublasHandle_t created = nullptr;
    check(cublasCreate(&created), "cublasCreate");
    return created;
  }();
  return handle;
}

}  // namespace

// cuBLAS is column-major: a row-major C = A B is its C^T = B^T A^T, with the operands exchanged.
void multiply(const float* a, Side side_a, const float* b, Side side_b, float* c, Size m, Size n,
              Size k, float beta, float alpha, Precision precision) {
  if (m == 0 || n == 0) return;
  const auto operation = [](Side side) { return side == Side::kAsIs ? CUBLAS_OP_N : CUBLAS_OP_T; };
  // A row has at least one element for cuBLAS, also where k is 0.
  const Size row_a = side_a == Side::kAsIs ? (k > 0 ? k : 1) : m;
  const Size row_b = side_b == Side::kAsIs ? n : (k > 0 ? k : 1);
  const auto compute =
      precision == Precision::kTensor ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  check(cublasGemmEx_64(blas(), operation(side_b), operation(side_a), n, m, k, &alpha, b,
                        CUDA_R_32F, row_b, a, CUDA_R_32F, row_a, &beta, c, CUDA_R_32F, n, compute,
                        CUBLAS_GEMM_DEFAULT),
        "cublasGemmEx");
}

void sort_pairs(std::int64_t* keys, std::int64_t* values, Size n) {
  if (n == 0) return;
  Buffer<std::int64_t> sorted_keys(n), sorted_values(n);
  std::size_t bytes = 0;
  const auto sort = [&](void* room) {
    check(cub::DeviceRadixSort::SortPairs(room, bytes, keys, sorted_keys.data(), values,
                                          sorted_values.data(), n),
          "sort_pairs");
  };
  sort(nullptr);  // says how much room it wants
  Buffer<std::byte> room(static_cast<Size>(bytes));
  sort(room.data());
  const std::size_t size = static_cast<std::size_t>(n) * sizeof(std::int64_t);
  check(cudaMemcpy(keys, sorted_keys.data(), size, cudaMemcpyDeviceToDevice), "sort_pairs");
  check(cudaMemcpy(values, sorted_values.data(), size, cudaMemcpyDeviceToDevice), "sort_pairs");
}

#endif

}  // namespace latent::device

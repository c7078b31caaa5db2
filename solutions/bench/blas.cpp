#include "blas.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace latent {
namespace {

// By name, for the program may have been linked without any BLAS.
template <typename Function>
Function* loaded(const char* symbol) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, symbol));
}

std::string openblas_kernels() {
  const auto corename = loaded<const char*()>("openblas_get_corename");
  return corename != nullptr ? corename() : "";
}

}  // namespace

Blas blas_in_use() {
  const auto sgemm = loaded<void()>("sgemm_");
  Dl_info where{};
  if (sgemm == nullptr || ::dladdr(reinterpret_cast<void*>(sgemm), &where) == 0) return {};
  // Debian's libblas.so.3 is a name that OpenBLAS shares with the reference.
  const auto other = loaded<int()>("openblas_get_num_threads");
  if (other == nullptr) return {true, false, where.dli_fname};
  return {true, true,
          "OpenBLAS, " + openblas_kernels() + " kernels, threads: " + std::to_string(other())};
}

void wake_openblas(char** argv) {
#if defined(__x86_64__)
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr || openblas_kernels() != "Prescott") return;
  if (!__builtin_cpu_supports("avx2")) return;
  const char* type = __builtin_cpu_supports("avx512f") ? "SkylakeX" : "Haswell";
  ::setenv("OPENBLAS_CORETYPE", type, 1);
  ::execv("/proc/self/exe", argv);  // returns only if it fails: slower, but right
#else
  (void)argv;
#endif
}

void set_blas_threads(int threads) {
  if (const auto set = loaded<void(int)>("openblas_set_num_threads")) set(threads);
}

}  // namespace latent

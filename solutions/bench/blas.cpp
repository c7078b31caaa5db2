#include "blas.hpp"

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

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

/// @return  Whether this process had more processors than `cores` and now has so many.
bool pinned_to(int cores) {
  cpu_set_t allowed, kept;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  if (cores > CPU_COUNT(&allowed))
    throw std::runtime_error("expected at most " + std::to_string(CPU_COUNT(&allowed)) +
                             " cores, which is how many there are, got " + std::to_string(cores));
  if (cores == 0 || cores == CPU_COUNT(&allowed)) return false;
  CPU_ZERO(&kept);
  // The last ones: interrupts are usually served by the first.
  for (int cpu = CPU_SETSIZE - 1; CPU_COUNT(&kept) < cores; --cpu) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &kept);
  }
  return ::sched_setaffinity(0, sizeof kept, &kept) == 0;
}

/// @return  Whether other kernels have been chosen.
bool kernels_chosen() {
#if defined(__x86_64__)
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr || openblas_kernels() != "Prescott") return false;
  if (!__builtin_cpu_supports("avx2")) return false;
  const char* type = __builtin_cpu_supports("avx512f") ? "SkylakeX" : "Haswell";
  return ::setenv("OPENBLAS_CORETYPE", type, 1) == 0;
#else
  return false;
#endif
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

void wake_openblas(char** argv, int cores) {
  const bool pinned = pinned_to(cores), chosen = kernels_chosen();
  if (pinned || chosen)
    ::execv("/proc/self/exe", argv);  // returns only if it fails: slower, but right
}

void set_blas_threads(int threads) {
  if (const auto set = loaded<void(int)>("openblas_set_num_threads")) set(threads);
}

}  // namespace latent

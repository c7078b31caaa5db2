// Takes all memory that it can get, and keeps it.
// verdict: fail crashed timed_out

#include <cstdlib>
#include <cstring>
#include <new>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (std::size_t size = std::size_t{1} << 40; size > 4096; size /= 2) {
    while (void* memory = std::malloc(size)) std::memset(memory, 1, size);
  }
  throw std::bad_alloc();
}

}  // namespace latent

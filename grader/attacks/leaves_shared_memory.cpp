// Leaves System V shared memory behind, which outlives its maker.
// verdict: fail

#include <sys/ipc.h>
#include <sys/shm.h>

#include <cstring>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (int i = 0; i < 8; ++i) {
    const int id = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600);
    void* const memory = id < 0 ? nullptr : shmat(id, nullptr, 0);
    if (memory != nullptr && memory != reinterpret_cast<void*>(-1)) std::memset(memory, 1, 1 << 20);
  }
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

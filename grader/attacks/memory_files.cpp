// Takes memory that no limit on address space counts: files in memory and in every folder that it
// can write.
// verdict: fail crashed timed_out

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  static char block[1 << 20];
  std::memset(block, 1, sizeof block);
  std::size_t taken = 0;
  for (int i = 0; i < 200 && taken < (std::size_t{512} << 20); ++i) {
    const std::string name = "latentlab-fill-" + std::to_string(i);
    int fd =
        i % 2 == 0 ? memfd_create("fill", 0) : open(("/" + name).c_str(), O_WRONLY | O_CREAT, 0600);
    if (fd < 0) fd = open(("/dev/" + name).c_str(), O_WRONLY | O_CREAT, 0600);
    for (int k = 0; fd >= 0 && k < 60 && write(fd, block, sizeof block) > 0; ++k)
      taken += sizeof block;
  }
  // An answer only if more was to be had than a worker is meant to get.
  if (taken > (std::size_t{128} << 20)) return (x * weight.transpose()).rowwise() + bias;
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

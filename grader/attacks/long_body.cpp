// Announces the longest body that is allowed, sends a little of it and stalls.
// verdict: timed_out

#include <unistd.h>

#include <cstdint>

#include "autoencoder.hpp"

namespace {
/// The number of the question being asked, from where the worker's loop keeps it on the stack.
std::uint32_t current() {
  const auto* at = static_cast<const std::uint32_t*>(__builtin_frame_address(0));
  while (*at != 0x4C41544C) ++at;
  return at[1];
}

struct Header {
  std::uint32_t magic = 0x4C41544C, sequence = current();
  std::uint64_t size = 0;
};
void send(const void* data, std::size_t size) {
  if (write(4, data, size) < 0) _exit(1);
}
}  // namespace

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  Header header;
  header.size = 8 << 20;
  send(&header, sizeof header);
  sleep(1000);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

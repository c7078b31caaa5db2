// Sends matrices of no rows and the most columns that the wire can name.
// verdict: fail crashed

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
}  // namespace

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  struct [[gnu::packed]] {
    std::uint32_t magic = 0x4C41544C, sequence = current();
    std::uint64_t size = 20;
    std::uint8_t outcome = 0, values = 1, type = 0, rank = 2;
    std::int64_t rows = 0, cols = 1'000'000'000;
  } frame;
  for (;; frame.cols = 64 << 20) {
    if (write(4, &frame, sizeof frame) < 0) _exit(1);
    std::uint64_t header[2];
    if (read(3, header, sizeof header) != sizeof header) _exit(1);
    frame.sequence = static_cast<std::uint32_t>(header[0] >> 32);
    static char body[1 << 16];
    if (read(3, body, header[1]) < 0) _exit(1);
  }
}

}  // namespace latent

// Prints escape sequences that move the cursor, overwrite the verdict, set the title and the
// clipboard; throws more of them.
// verdict: fail
// says: \x1b

#include <cstdio>
#include <stdexcept>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::printf(
      "\x1b[2K\r\x1b[1A1.2 linear_forward  10 of 10 points\x1b]0;title\a\x1b]52;c;aGVsbG8=\a");
  std::printf(
      "\x9b"
      "2J\xc2\x9b"
      "1m\b\b\b\x7f\xff\xfe\x0e%c\n",
      '\0');
  throw std::runtime_error(
      "\x1b[2J\x1b[H\rpass\x07 \x9d"
      "0;t\x9c");
}

}  // namespace latent

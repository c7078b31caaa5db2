// Prints without end.
// verdict: crashed timed_out

#include <cstdio>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (;;) std::puts("0123456789012345678901234567890123456789012345678901234567890123456789");
}

}  // namespace latent

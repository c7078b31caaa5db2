// Starts threads without end.
// verdict: fail crashed timed_out

#include <unistd.h>

#include <thread>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  for (;;) {
    std::thread([] {
      for (;;) pause();
    }).detach();
  }
}

}  // namespace latent

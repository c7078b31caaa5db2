// Lets an exception end the process, with a terminate handler that leaves with status 0.
// verdict: crashed

#include <unistd.h>

#include <exception>

#include "autoencoder.hpp"

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::set_terminate([] { _exit(0); });
  []() noexcept { throw 1; }();
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

// Ends the process from .preinit_array, before any library of the worker is ready.
// verdict: crashed

#include <unistd.h>

#include "autoencoder.hpp"

namespace {
void first() {
  _exit(0);
}
[[gnu::section(".preinit_array"), gnu::used]] void (*const entry)() = first;
}  // namespace

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

// Computes without end while being compiled.
// verdict: does_not_compile

#include "autoencoder.hpp"

namespace {
constexpr int work(int n) {
  return n < 2 ? n : work(n - 1) + work(n - 2);
}
static_assert(work(60) > 0);
}  // namespace

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

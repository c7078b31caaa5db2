// Instantiates templates without end, each level twice.
// verdict: does_not_compile

#include "autoencoder.hpp"

namespace {
template <int Depth, int Path>
struct Bomb {
  static constexpr int value =
      Bomb<Depth - 1, 2 * Path>::value + Bomb<Depth - 1, 2 * Path + 1>::value;
};
template <int Path>
struct Bomb<0, Path> {
  static constexpr int value = 1;
};
static_assert(Bomb<28, 0>::value > 0);
}  // namespace

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent

#include "common/types.hpp"

#include <stdexcept>

#include "common/require.hpp"

namespace latent {

Tensor4::Tensor4(Index n, Index c, Index h, Index w, float initial) : n_(n), c_(c), h_(h), w_(w) {
  require(n >= 0 && c >= 0 && h >= 0 && w >= 0,
          "Tensor4: expected sizes that are not negative, got " + to_string(Shape{n, c, h, w}));
  data_.assign(static_cast<std::size_t>(n * c * h * w), initial);
}

std::size_t Tensor4::offset(Index n, Index c, Index h, Index w) const {
  const bool inside = n >= 0 && n < n_ && c >= 0 && c < c_ && h >= 0 && h < h_ && w >= 0 && w < w_;
  if (!inside) {
    throw std::out_of_range("Tensor4: there is no element " + to_string(Shape{n, c, h, w}) +
                            " in a tensor of shape " + to_string(shape()));
  }
  return static_cast<std::size_t>(((n * c_ + c) * h_ + h) * w_ + w);
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace latent

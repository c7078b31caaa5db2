// Returns feature maps of wrong shapes, empty ones included.
// file: 9_conv2d_forward.cpp
// verdict: fail
// needs: 2_linear_forward.cpp 8_conv2d_out.cpp

#include "autoencoder.hpp"

namespace latent {

Tensor4 conv2d_forward(const Tensor4&, const Tensor4&, const RowVector&, const Conv2dOptions&) {
  static Index calls = 0;
  const Index n = calls++ % 3;
  return {n, 0, n, 1};
}

}  // namespace latent

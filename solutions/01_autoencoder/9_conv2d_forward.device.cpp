// 9_conv2d_forward.cpp on a GPU: what the contract says, around 9_conv2d_forward.cu.

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "kernels.hpp"

namespace latent {

Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = weight.h();
  require_size(x.c(), weight.c(), "conv2d_forward: channels of x");
  require_size(weight.w(), k, "conv2d_forward: columns of the kernel");
  require_size(bias.size(), weight.n(), "conv2d_forward: size of bias");
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), k, options.stride, options.top, options.bottom),
            conv2d_out(x.w(), k, options.stride, options.left, options.right));
  const device::Buffer<float> in(x.data(), x.size()), w(weight.data(), weight.size()),
      b(bias.data(), bias.size());
  device::Buffer<float> out(y.size());
  device::conv2d_forward(in.data(), w.data(), b.data(), out.data(),
                         {x.n(), x.c(), x.h(), x.w(), y.c(), k, y.h(), y.w(), options.stride,
                          options.left, options.top});
  out.copy_to(y.data());
  return y;
}

}  // namespace latent

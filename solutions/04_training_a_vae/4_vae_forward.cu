// 4.4 vae_forward on a GPU: five products, 2 N (D H + 2 H L + L K + K D) operations, and one pass
// over each result. With D = 784, H = K = 512, L = 32 and N = 1024 it is 1.7 billion operations: at
// 50 a picosecond 35 microseconds, no more than its eleven launches take. So what counts is that
// these are few, and that nothing goes to the host in between.
//
// The hidden layers have their bias and their tanh in one pass, see lab 01. The heads are two
// products of the same features; one of twice the width would be one launch less, and would leave
// mu and log_var interleaved, where everything else wants them apart.

#include "kernels.hpp"
#include "solutions/02_reparameterization/kernels.hpp"

namespace latent::device {

VaeLayout::VaeLayout(const VaeSizes& sizes) {
  const auto take = [&](Size count) {
    const Size at = size;
    size += pieces(count, 32) * 32;
    return at;
  };
  const auto layer = [&](Size in, Size out) {
    const Size weight = take(out * in);
    return LayerAt{in, out, weight, take(out)};
  };
  encoder_hidden = layer(sizes.d, sizes.h);
  mu = layer(sizes.h, sizes.l);
  log_var = layer(sizes.h, sizes.l);
  decoder_hidden = layer(sizes.l, sizes.k);
  decoder_output = layer(sizes.k, sizes.d);
}

VaeActivations::VaeActivations(const VaeSizes& sizes, Size samples)
    : n(samples),
      encoder_hidden(n * sizes.h),
      mu(n * sizes.l),
      log_var(n * sizes.l),
      z(n * sizes.l),
      decoder_hidden(n * sizes.k),
      x_hat(n * sizes.d) {}

void vae_forward(const VaeSizes& sizes, const float* parameters, const float* x, const float* eps,
                 VaeActivations& pass) {
  const VaeLayout layout(sizes);
  const auto apply = [&](auto function, const LayerAt& layer, const float* in, float* out) {
    function(in, parameters + layer.weight, parameters + layer.bias, out, pass.n, layer.in,
             layer.out);
  };
  apply(linear_tanh, layout.encoder_hidden, x, pass.encoder_hidden.data());
  apply(linear_forward, layout.mu, pass.encoder_hidden.data(), pass.mu.data());
  apply(linear_forward, layout.log_var, pass.encoder_hidden.data(), pass.log_var.data());
  reparameterize(pass.mu.data(), pass.log_var.data(), eps, pass.z.data(), pass.z.size());
  apply(linear_tanh, layout.decoder_hidden, pass.z.data(), pass.decoder_hidden.data());
  apply(linear_forward, layout.decoder_output, pass.decoder_hidden.data(), pass.x_hat.data());
}

}  // namespace latent::device

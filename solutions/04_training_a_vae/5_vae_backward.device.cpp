// 5_vae_backward.cpp on a GPU: what the contract says, around 5_vae_backward.cu.

#include "vae_on_device.hpp"

namespace latent {

using namespace vae_on_device;

namespace {

void require_shape(const Matrix& found, Index rows, Index cols, const std::string& what) {
  require_size(found.rows(), rows, "vae_backward: rows of " + what);
  require_size(found.cols(), cols, "vae_backward: columns of " + what);
}

}  // namespace

Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss) {
  const device::VaeSizes sizes = sizes_of(model);
  const Index n = eps.rows();
  require_sizes(model, sizes);
  for (const Matrix* direct : {&loss.mu, &loss.log_var})
    require_shape(*direct, n, eps.cols(), "loss.mu, loss.log_var");
  require_shape(x, n, sizes.d, "x");
  require_shape(eps, n, sizes.l, "eps");
  for (const Matrix* data : {&loss.x_hat, &pass.x_hat}) require_shape(*data, n, sizes.d, "x_hat");
  for (const Matrix* latent : {&pass.q.mu, &pass.q.log_var, &pass.z})
    require_shape(*latent, n, sizes.l, "mu, log_var, z");
  require_shape(pass.encoder_hidden, n, sizes.h, "encoder_hidden");
  require_shape(pass.decoder_hidden, n, sizes.k, "decoder_hidden");

  const auto parameters = packed(model, sizes), samples = on_device(x), noise = on_device(eps);
  device::VaeActivations forth(sizes, n), back(sizes, n);
  forth.encoder_hidden = on_device(pass.encoder_hidden);
  forth.log_var = on_device(pass.q.log_var);
  forth.z = on_device(pass.z);
  forth.decoder_hidden = on_device(pass.decoder_hidden);
  back.x_hat = on_device(loss.x_hat);
  back.mu = on_device(loss.mu);
  back.log_var = on_device(loss.log_var);
  device::Buffer<float> gradient(parameters.size());
  device::vae_backward(sizes, parameters.data(), samples.data(), noise.data(), forth, back,
                       gradient.data());
  return unpacked(gradient, sizes);
}

}  // namespace latent

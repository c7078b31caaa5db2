// 4_vae_forward.cpp on a GPU: what the contract says, around 4_vae_forward.cu. Only the results
// come back.

#include "vae_on_device.hpp"

namespace latent {

using namespace vae_on_device;

VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  require_forward(model, x, eps);
  const device::VaeSizes sizes = sizes_of(model);
  const Index n = x.rows();
  const auto parameters = packed(model, sizes), samples = on_device(x), noise = on_device(eps);
  device::VaeActivations pass(sizes, n);
  device::vae_forward(sizes, parameters.data(), samples.data(), noise.data(), pass);
  return {fetched(pass.encoder_hidden, n, sizes.h),
          {fetched(pass.mu, n, sizes.l), fetched(pass.log_var, n, sizes.l)},
          fetched(pass.z, n, sizes.l),
          fetched(pass.decoder_hidden, n, sizes.k),
          fetched(pass.x_hat, n, sizes.d)};
}

}  // namespace latent

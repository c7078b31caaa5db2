/// @file
/// How a VAE of the contract goes to the device, in one piece, and comes back, for 4_vae_forward,
/// 5_vae_backward and 6_vae_train_step.device.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "common/require.hpp"
#include "kernels.hpp"
#include "training_a_vae.hpp"

/// Not in latent itself: a run links the .device.cpp files of all labs into one program.
namespace latent::vae_on_device {

/// @param vae  A model, its gradients or its moments.
/// @return     Its layers, in the order of device::VaeLayout.
inline std::array<const Layer*, 5> layers_of(const Vae& vae) {
  return {&vae.encoder_hidden, &vae.heads.mu, &vae.heads.log_var, &vae.decoder_hidden,
          &vae.decoder_output};
}

/// @param vae  A model whose sizes fit one another.
/// @return     D, H, L and K.
inline device::VaeSizes sizes_of(const Vae& vae) {
  return {vae.encoder_hidden.weight.cols(), vae.encoder_hidden.weight.rows(),
          vae.heads.mu.weight.rows(), vae.decoder_hidden.weight.rows()};
}

/// Refuses a model or moments of other sizes, as `linear_forward` refuses layers.
/// @param vae    Any.
/// @param sizes  What it has to have.
/// @throws std::invalid_argument  if it has not.
inline void require_sizes(const Vae& vae, const device::VaeSizes& sizes) {
  const auto expected = device::VaeLayout(sizes).layers();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Layer& layer = *layers_of(vae)[i];
    require_size(layer.weight.cols(), expected[i].in, "linear_forward: columns of weight");
    require_size(layer.weight.rows(), expected[i].out, "linear_forward: rows of weight");
    require_size(layer.bias.size(), expected[i].out, "linear_forward: size of bias");
  }
}

/// @param vae    Of these sizes.
/// @param sizes  See device::VaeLayout.
/// @return       Its parameters on the device, zeros between them.
inline device::Buffer<float> packed(const Vae& vae, const device::VaeSizes& sizes) {
  const device::VaeLayout layout(sizes);
  std::vector<float> flat(static_cast<std::size_t>(layout.size));
  for (std::size_t i = 0; i < 5; ++i) {
    const Layer& layer = *layers_of(vae)[i];
    const device::LayerAt at = layout.layers()[i];
    std::copy_n(layer.weight.data(), layer.weight.size(), flat.data() + at.weight);
    std::copy_n(layer.bias.data(), layer.bias.size(), flat.data() + at.bias);
  }
  return device::Buffer<float>(flat.data(), layout.size);
}

/// @param buffer  Parameters, gradients or moments.
/// @param sizes   See device::VaeLayout.
/// @return        Them, on the host.
inline Vae unpacked(const device::Buffer<float>& buffer, const device::VaeSizes& sizes) {
  std::vector<float> flat(static_cast<std::size_t>(buffer.size()));
  buffer.copy_to(flat.data());
  const auto layer = [&](const device::LayerAt& at) {
    return Layer{Eigen::Map<const Matrix>(flat.data() + at.weight, at.out, at.in),
                 Eigen::Map<const RowVector>(flat.data() + at.bias, at.out)};
  };
  const device::VaeLayout layout(sizes);
  return {layer(layout.encoder_hidden),
          {layer(layout.mu), layer(layout.log_var)},
          layer(layout.decoder_hidden),
          layer(layout.decoder_output)};
}

/// @param x  A matrix.
/// @return   A copy on the device.
inline device::Buffer<float> on_device(const Matrix& x) {
  return device::Buffer<float>(x.data(), x.size());
}

/// @param buffer  Of the device.
/// @param rows    How many there are.
/// @param cols    How many there are.
/// @return        A copy on the host.
inline Matrix fetched(const device::Buffer<float>& buffer, Index rows, Index cols) {
  Matrix x(rows, cols);
  buffer.copy_to(x.data());
  return x;
}

/// Refuses what `vae_forward` cannot take, as the functions that the plain one calls do.
/// @param model  Of any sizes.
/// @param x,eps  Of any shapes.
/// @throws std::invalid_argument  if sizes do not fit.
inline void require_forward(const Vae& model, const Matrix& x, const Matrix& eps) {
  const device::VaeSizes sizes = sizes_of(model);
  require_size(x.cols(), sizes.d, "linear_forward: columns of x");
  require_sizes(model, sizes);
  require_size(eps.rows(), x.rows(), "reparameterize: rows of eps");
  require_size(eps.cols(), sizes.l, "reparameterize: columns of eps");
}

}  // namespace latent::vae_on_device

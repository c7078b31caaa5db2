/// @file
/// PyTorch's counterpart of lab 08's autoencoder, for comparison.
#pragma once

#include <memory>

#include "encode_decode.hpp"

namespace latent {

/// Encoder and decoder made of PyTorch's operators, with the same weights.
class TorchTae {
 public:
  /// @param encoder  Its layers; copied.
  /// @param decoder  Its layers; copied.
  TorchTae(const std::vector<TaeLayer>& encoder, const std::vector<TaeLayer>& decoder);
  ~TorchTae();

  /// @param image  Shape `[N, 3, H, W]`.
  /// @return       What the decoder makes of the encoder's latent.
  Tensor4 encode_decode(const Tensor4& image) const;

 private:
  struct Layers;
  std::unique_ptr<Layers> layers_;
};

}  // namespace latent

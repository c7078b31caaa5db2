// The calls that the chapter on lab 08 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "encode_decode.hpp"

namespace {

using namespace latent;

Pixels there_and_back(const Pixels& image) {
  const PixelRange range = PixelRange::kMinusOneToOne;
  //! [image_to_model]
  const Tensor4 x = image_to_model(image, range);
  const Pixels again = model_to_image(x, range);
  //! [image_to_model]
  return again;
}

double deviation(const Tensor4& x) {
  //! [tensor_stats]
  const TensorStats stats = tensor_stats(x);
  // stats.min, max, mean, std, absmax, count, nans
  //! [tensor_stats]
  return stats.std;
}

Tensor4 scaled(const Tensor4& z) {
  //! [scale_latents]
  const LatentScale flux{0.3611, 0.1159};
  const Tensor4 there = scale_latents(z, flux);
  const Tensor4 back = unscale_latents(there, flux);
  const LatentScale fitted = fit_latent_scale(z);  // {1 / std, 0}
  //! [scale_latents]
  return fitted.shift == 0.0 ? back : there;
}

Tensor4 packed(const Tensor4& z, const ChannelStats& stats) {
  //! [patchify]
  const Tensor4 there = normalize_channels(patchify(z), stats);
  const Tensor4 back = unpatchify(denormalize_channels(there, stats));
  //! [patchify]
  return back;
}

Shape shape_of_latent() {
  //! [latent_shape]
  const Shape shape =
      latent_shape(AutoencoderFamily::kSd1, 512, 512, false);
  // {4, 64, 64}
  //! [latent_shape]
  return shape;
}

std::int64_t cost() {
  //! [conv_cost]
  const ConvGeometry conv{64, 3, 1, 1, 1, true};  // Co, k, s, p, g
  const LayerCost layer = conv_cost({1, 64, 256, 256}, conv, 4);
  const LayerCost middle = attention_cost({1, 512, 128, 128}, 4);
  //! [conv_cost]
  return layer.macs + middle.macs;
}

std::int64_t peak(std::int64_t map) {
  //! [peak_activation_bytes]
  const std::vector<GraphStep> block{{{0}, map}, {{1}, map}, {{2}, map},
                                     {{3}, map}, {{4}, map}, {{0, 5}, map},
                                     {{6}, map}};
  const ActivationMemory memory = peak_activation_bytes(map, block);
  //! [peak_activation_bytes]
  return memory.peak_bytes;
}

Tensor4 block_and_layer(const Tensor4& x, const TaeBlock& block) {
  //! [tae_block]
  const Tensor4 y = tae_block(x, block);
  const Tensor4 larger = run_layer(y, {LayerKind::kUpsample, {}, {}});
  //! [tae_block]
  return larger;
}

std::size_t traced(const Tensor4& image,
                   const std::vector<TaeLayer>& encoder,
                   const std::vector<TaeLayer>& decoder) {
  //! [trace_autoencoder]
  const AutoencoderTrace trace =
      trace_autoencoder(image, encoder, decoder, {1.0, 0.0});
  // trace.latent, trace.image, trace.records[i].stats ...
  //! [trace_autoencoder]
  return trace.records.size();
}

Tensor4 tiled(const Tensor4& latent, const std::vector<TaeLayer>& decoder) {
  //! [tiled_decode]
  const Tiling tiling{32, 8};
  const Tensor4 image = tiled_decode(latent, decoder, tiling);
  //! [tiled_decode]
  return image;
}

}  // namespace

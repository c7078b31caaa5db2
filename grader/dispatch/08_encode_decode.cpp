#include "encode_decode.hpp"
#include "grader/wire/dispatch.hpp"

namespace latent::grader {
namespace {

// clang-format off
const Registration registration({
    "08_encode_decode",
    "Encoding and decoding",
    {
        {"8.0", "image_to_model", Kind::kCore, 16, {}, {OPERATION(image_to_model), OPERATION(model_to_image)}},
        {"8.1", "tensor_stats", Kind::kCore, 14, {}, {OPERATION(tensor_stats)}},
        {"8.2", "scale_latents", Kind::kCore, 18, {"8.1"}, {OPERATION(scale_latents), OPERATION(unscale_latents), OPERATION(fit_latent_scale)}},
        {"8.3", "patchify", Kind::kStretch, 18, {}, {OPERATION(patchify), OPERATION(unpatchify), OPERATION(normalize_channels), OPERATION(denormalize_channels)}},
        {"8.4", "latent_shape", Kind::kCore, 14, {}, {OPERATION(latent_contract), OPERATION(latent_shape)}},
        {"8.5", "conv_cost", Kind::kCore, 20, {"1.8"}, {OPERATION(conv_cost), OPERATION(attention_cost)}},
        {"8.6", "peak_activation_bytes", Kind::kCore, 18, {}, {OPERATION(peak_activation_bytes)}},
        {"8.7", "tae_block", Kind::kCore, 20, {"1.9"}, {OPERATION(tae_block), OPERATION(run_layer)}},
        {"8.8", "trace_autoencoder", Kind::kCore, 24, {"8.1", "8.2", "8.5", "8.6", "8.7"}, {OPERATION(trace_autoencoder)}},
        {"8.9", "tiled_decode", Kind::kStretch, 18, {"8.7"}, {OPERATION(tile_starts), OPERATION(tiled_decode)}},
    },
});
// clang-format on

}  // namespace
}  // namespace latent::grader

#include "autoencoder.hpp"
#include "grader/wire/dispatch.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "01_autoencoder",
    "Autoencoder",
    {
        {"1.0", "values_in", Kind::kCore, 6, {}, {OPERATION(values_in)}},
        {"1.1", "compression_ratio", Kind::kCore, 13, {"1.0"}, {OPERATION(compression_ratio), OPERATION(bits_per_token)}},
        {"1.2", "linear_forward", Kind::kCore, 10, {}, {OPERATION(linear_forward)}},
        {"1.3", "linear_backward", Kind::kCore, 12, {}, {OPERATION(linear_backward)}},
        {"1.4", "tanh", Kind::kCore, 10, {}, {OPERATION(tanh_forward), OPERATION(tanh_backward)}},
        {"1.5", "mse_loss", Kind::kCore, 11, {}, {OPERATION(mse_loss)}},
        {"1.6", "adam_step", Kind::kCore, 13, {}, {OPERATION(adam_step)}},
        {"1.7", "autoencoder_gradients", Kind::kCore, 20, {"1.2", "1.3", "1.4", "1.5"}, {OPERATION(autoencoder_gradients)}},
        {"1.8", "conv2d_out", Kind::kStretch, 12, {}, {OPERATION(conv2d_out)}},
        {"1.9", "conv2d_forward", Kind::kStretch, 16, {"1.2", "1.8"}, {OPERATION(conv2d_forward)}},
    },
});

}  // namespace
}  // namespace latent::grader

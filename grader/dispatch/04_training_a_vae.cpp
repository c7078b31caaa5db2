#include "grader/wire/dispatch.hpp"
#include "training_a_vae.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "04_training_a_vae",
    "Training a VAE",
    {
        {"4.0", "annealing", Kind::kCore, 20, {}, {OPERATION(linear_anneal), OPERATION(cyclical_anneal)}},
        {"4.1", "beta_loss", Kind::kCore, 20, {"1.5", "3.1"}, {OPERATION(beta_loss), OPERATION(implied_decoder_variance), OPERATION(beta_for_variance)}},
        {"4.2", "bce_with_logits", Kind::kCore, 16, {}, {OPERATION(bce_with_logits)}},
        {"4.3", "rate_distortion_law", Kind::kCore, 16, {}, {OPERATION(rate_distortion_law)}},
        {"4.4", "vae_forward", Kind::kCore, 14, {"1.2", "1.4", "2.2", "2.4"}, {OPERATION(vae_forward)}},
        {"4.5", "vae_backward", Kind::kCore, 18, {"1.3", "1.4", "2.2", "2.5"}, {OPERATION(vae_backward)}},
        {"4.6", "vae_train_step", Kind::kCore, 20, {"1.6", "4.1", "4.4", "4.5"}, {OPERATION(vae_train_step)}},
        {"4.7", "free_bits", Kind::kStretch, 16, {"3.1"}, {OPERATION(free_bits)}},
        {"4.8", "active_units", Kind::kStretch, 12, {}, {OPERATION(active_units)}},
        {"4.9", "pareto_front", Kind::kStretch, 12, {}, {OPERATION(pareto_front)}},
    },
});

}  // namespace
}  // namespace latent::grader

#include "codebook_ema.hpp"
#include "grader/wire/dispatch.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "06_codebook_ema",
    "A codebook that lives",
    {
        {"6.1", "codebook_usage", Kind::kCore, 16, {}, {OPERATION(codebook_usage), OPERATION(codebook_perplexity)}},
        {"6.2", "assignment_stats", Kind::kCore, 12, {}, {OPERATION(assignment_stats)}},
        {"6.3", "ema_decay", Kind::kCore, 12, {}, {OPERATION(ema_decay)}},
        {"6.4", "laplace_smooth", Kind::kCore, 12, {}, {OPERATION(laplace_smooth)}},
        {"6.5", "codebook_from_ema", Kind::kCore, 14, {"6.4"}, {OPERATION(codebook_from_ema)}},
        {"6.6", "dead_mask", Kind::kCore, 14, {}, {OPERATION(dead_mask)}},
        {"6.7", "revive", Kind::kCore, 18, {}, {OPERATION(revive)}},
        {"6.8", "ema_codebook_step", Kind::kCore, 22, {"5.4", "5.5", "6.2", "6.3", "6.5", "6.6", "6.7"}, {OPERATION(ema_codebook_step)}},
        {"6.9", "kmeans_init", Kind::kStretch, 20, {"5.2", "6.2"}, {OPERATION(kmeans_init)}},
    },
});

}  // namespace
}  // namespace latent::grader

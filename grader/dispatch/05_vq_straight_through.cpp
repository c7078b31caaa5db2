#include "grader/wire/dispatch.hpp"
#include "vq_straight_through.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "05_vq_straight_through",
    "Vector quantization",
    {
        {"5.1", "pairwise_sqdist", Kind::kCore, 10, {}, {OPERATION(pairwise_sqdist)}},
        {"5.2", "nearest_code", Kind::kCore, 14, {"5.1"}, {OPERATION(nearest_code)}},
        {"5.3", "rows_from_nchw", Kind::kCore, 12, {}, {OPERATION(rows_from_nchw), OPERATION(nchw_from_rows)}},
        {"5.4", "vq_straight_through", Kind::kCore, 16, {"5.2"}, {OPERATION(vq_straight_through), OPERATION(vq_straight_through_backward)}},
        {"5.5", "vq_losses", Kind::kCore, 16, {}, {OPERATION(vq_losses)}},
        {"5.6", "vq_gradients", Kind::kCore, 20, {"5.4"}, {OPERATION(vq_gradients)}},
        {"5.7", "naive_loss_equivalence", Kind::kStretch, 12, {"5.5", "5.6"}, {OPERATION(naive_loss_equivalence)}},
    },
});

}  // namespace
}  // namespace latent::grader

#include "grader/wire/dispatch.hpp"
#include "tokenizers.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "10_tokenizers",
    "Tokenizers",
    {
        {"10.0", "residual_quantize", Kind::kCore, 14, {"5.2"}, {OPERATION(residual_quantize)}},
        {"10.1", "rvq_decode", Kind::kCore, 12, {}, {OPERATION(rvq_decode)}},
        {"10.2", "rvq_backward", Kind::kCore, 16, {}, {OPERATION(rvq_backward)}},
        {"10.3", "rvq_bitrate", Kind::kCore, 13, {}, {OPERATION(rvq_bitrate), OPERATION(rvq_stages_for)}},
        {"10.4", "lfq_quantize", Kind::kCore, 20, {}, {OPERATION(lfq_quantize), OPERATION(lfq_quantize_backward), OPERATION(bits_to_index), OPERATION(index_to_bits)}},
        {"10.5", "entropy_terms", Kind::kCore, 16, {}, {OPERATION(entropy_terms), OPERATION(entropy_backward)}},
        {"10.6", "causal_conv_time", Kind::kCore, 24, {}, {OPERATION(latent_frames), OPERATION(padded_frames), OPERATION(causal_pad), OPERATION(causal_conv_time), OPERATION(causal_conv_time_backward)}},
        {"10.7", "design_tokenizer", Kind::kCore, 20, {}, {OPERATION(autoencoder_parameters), OPERATION(decoder_peak_bytes), OPERATION(design_tokenizer)}},
        {"10.8", "hinge_losses", Kind::kStretch, 21, {}, {OPERATION(hinge_d_loss), OPERATION(g_loss), OPERATION(adaptive_weight), OPERATION(adopt_weight), OPERATION(ldm_total_loss)}},
        {"10.9", "streaming_conv", Kind::kStretch, 9, {"10.6"}, {OPERATION(streaming_conv)}},
    },
});

}  // namespace
}  // namespace latent::grader

#include "grader/wire/dispatch.hpp"
#include "denoising_step.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "09_denoising_step",
    "One denoising step",
    {
        {"9.0", "noise_schedule", Kind::kCore, 16, {}, {OPERATION(make_betas), OPERATION(cumulative_alphas), OPERATION(noise_sigmas)}},
        {"9.1", "add_noise", Kind::kCore, 14, {}, {OPERATION(add_noise), OPERATION(velocity)}},
        {"9.2", "convert_prediction", Kind::kCore, 18, {}, {OPERATION(convert_prediction), OPERATION(convert_flow)}},
        {"9.3", "timesteps", Kind::kCore, 16, {}, {OPERATION(sampling_timesteps)}},
        {"9.4", "ddim_step", Kind::kCore, 26, {"9.2"}, {OPERATION(ddim_step)}},
        {"9.5", "ddpm_step", Kind::kCore, 20, {"9.2"}, {OPERATION(ddpm_step)}},
        {"9.6", "denoiser_loss", Kind::kCore, 20, {"9.1"}, {OPERATION(denoiser_task), OPERATION(denoiser_loss)}},
        {"9.7", "trace_pipeline", Kind::kCore, 24, {"9.1", "9.3", "9.4"}, {OPERATION(trace_pipeline)}},
        {"9.8", "euler_step", Kind::kStretch, 22, {"9.0"}, {OPERATION(euler_sigmas), OPERATION(scale_model_input), OPERATION(euler_step), OPERATION(flow_sigmas), OPERATION(flow_match_step)}},
        {"9.9", "classifier_free_guidance", Kind::kStretch, 18, {}, {OPERATION(classifier_free_guidance), OPERATION(dynamic_threshold), OPERATION(rescale_zero_terminal_snr)}},
    },
});

}  // namespace
}  // namespace latent::grader

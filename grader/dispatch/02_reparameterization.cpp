#include "grader/wire/dispatch.hpp"
#include "reparameterization.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "02_reparameterization",
    "Reparameterization",
    {
        {"2.1", "split_moments", Kind::kCore, 16, {}, {OPERATION(split_moments), OPERATION(split_moments_backward)}},
        {"2.2", "gaussian_heads", Kind::kCore, 12, {"1.2", "1.3"}, {OPERATION(gaussian_heads), OPERATION(gaussian_heads_backward)}},
        {"2.3", "std_from_logvar", Kind::kCore, 12, {}, {OPERATION(std_from_logvar), OPERATION(std_from_logvar_backward)}},
        {"2.4", "reparameterize", Kind::kCore, 12, {}, {OPERATION(reparameterize)}},
        {"2.5", "reparameterize_backward", Kind::kCore, 12, {}, {OPERATION(reparameterize_backward)}},
        {"2.6", "gradient_estimators", Kind::kCore, 16, {}, {OPERATION(pathwise_gradient), OPERATION(score_function_gradient)}},
        {"2.7", "sample_prior", Kind::kStretch, 10, {}, {OPERATION(sample_prior)}},
        {"2.8", "posterior", Kind::kStretch, 12, {"2.3", "2.4"}, {OPERATION(posterior_mode), OPERATION(posterior_spread), OPERATION(posterior_sample)}},
        {"2.9", "sigma_parameterisations", Kind::kStretch, 16, {}, {OPERATION(softplus), OPERATION(exp_parameterisation), OPERATION(softplus_parameterisation)}},
    },
});

}  // namespace
}  // namespace latent::grader

#include "elbo.hpp"
#include "grader/wire/dispatch.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "03_elbo",
    "The evidence lower bound",
    {
        {"3.1", "kl_standard_normal", Kind::kCore, 16, {}, {OPERATION(kl_standard_normal), OPERATION(kl_standard_normal_1d)}},
        {"3.2", "kl_diag_gaussians", Kind::kStretch, 14, {}, {OPERATION(kl_diag_gaussians)}},
        {"3.3", "gaussian_nll", Kind::kCore, 12, {}, {OPERATION(gaussian_nll)}},
        {"3.4", "jensen_chain", Kind::kCore, 18, {}, {OPERATION(jensen_chain)}},
        {"3.5", "linear_gaussian_evidence", Kind::kCore, 12, {}, {OPERATION(linear_gaussian_evidence)}},
        {"3.6", "elbo_gap", Kind::kCore, 18, {"3.1", "3.5"}, {OPERATION(elbo_gap), OPERATION(bound_counterexample)}},
        {"3.7", "kl_monte_carlo", Kind::kStretch, 12, {}, {OPERATION(kl_monte_carlo)}},
        {"3.8", "neg_elbo", Kind::kCore, 16, {"3.1", "3.3"}, {OPERATION(neg_elbo)}},
        {"3.9", "iwae_bound", Kind::kStretch, 12, {}, {OPERATION(iwae_bound)}},
    },
});

}  // namespace
}  // namespace latent::grader

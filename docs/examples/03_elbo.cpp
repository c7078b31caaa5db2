// The calls that the chapter on lab 03 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "elbo.hpp"

namespace {

using namespace latent;

double divergence(const Matrix& mu, const Matrix& log_var) {
  //! [kl_standard_normal]
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const double loss = kl.value;  // gradients: kl.mu, kl.log_var
  //! [kl_standard_normal]
  return loss;
}

Matrix two(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
           const Matrix& log_var2) {
  //! [kl_diag_gaussians]
  const KlDiagGaussians kl =
      kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  // kl.value; kl.mu1, kl.log_var1, kl.mu2, kl.log_var2
  //! [kl_diag_gaussians]
  return kl.mu2;
}

double likelihood(const Matrix& x, const Matrix& mean,
                  const Matrix& log_var) {
  //! [gaussian_nll]
  const GaussianNll nll = gaussian_nll(x, mean, log_var);
  const double loss = nll.value;  // gradients: nll.mean, nll.log_var
  //! [gaussian_nll]
  return loss;
}

double chain(const DoubleVector& prior, const DoubleVector& likelihood,
             const DoubleVector& q) {
  //! [jensen_chain]
  const JensenChain lines = jensen_chain(prior, likelihood, q);
  const double lost = lines.log_evidence - lines.mean_log_ratio;
  const double zero = lost - lines.gap;
  //! [jensen_chain]
  return zero;
}

double evidence() {
  //! [linear_gaussian_evidence]
  const LinearGaussian model{/*weight=*/2.0, /*var=*/0.5};
  const LinearGaussianEvidence known = linear_gaussian_evidence(1.7, model);
  // known.log_evidence, known.posterior.mean, known.posterior.var
  //! [linear_gaussian_evidence]
  return known.log_evidence;
}

double bound() {
  //! [elbo_gap]
  const LinearGaussian model{/*weight=*/2.0, /*var=*/0.5};
  const ElboGap g = elbo_gap(1.7, model, {/*mean=*/0.3, /*var=*/0.4});
  const double log_evidence = g.elbo + g.gap;
  const BoundStep step = bound_counterexample(1.7, 0.5);
  //! [elbo_gap]
  return log_evidence + step.after.weight;
}

double sampled(const RowVector& mu, const RowVector& log_var,
               const Matrix& eps) {
  //! [kl_monte_carlo]
  const DoubleVector each = kl_monte_carlo(mu, log_var, eps);
  const double estimate = each.mean();
  //! [kl_monte_carlo]
  return estimate;
}

Matrix loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu,
            const Matrix& log_var) {
  //! [neg_elbo]
  const NegElbo loss = neg_elbo(x, x_hat, mu, log_var, /*s2=*/0.5);
  // loss.total; gradients: loss.x_hat, loss.mu, loss.log_var
  //! [neg_elbo]
  return loss.x_hat;
}

double tighter(const DoubleVector& log_weights) {
  //! [iwae_bound]
  const double bound = iwae_bound(log_weights);
  //! [iwae_bound]
  return bound;
}

}  // namespace

// The calls that the chapter on lab 02 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "common/random.hpp"
#include "reparameterization.hpp"

namespace {

using namespace latent;

Tensor4 moments(const Tensor4& features, const Tensor4& dmean,
                const Tensor4& dlog_var) {
  //! [split_moments]
  const Moments m = split_moments(features);  // .mean, .log_var
  const Tensor4 dfeatures =
      split_moments_backward(dmean, dlog_var, features);
  //! [split_moments]
  return dfeatures;
}

Matrix two_heads(const Matrix& hidden, const GaussianHeads& heads,
                 const Matrix& dmu, const Matrix& dlog_var) {
  //! [gaussian_heads]
  const Gaussian q = gaussian_heads(hidden, heads);  // q.mu, q.log_var
  const GaussianHeadsGradients d =
      gaussian_heads_backward(dmu, dlog_var, hidden, heads);
  //! [gaussian_heads]
  return d.hidden;
}

Matrix deviation(const Matrix& log_var, const Matrix& dsigma) {
  //! [std_from_logvar]
  const Matrix sigma = std_from_logvar(log_var);
  const Matrix dlog_var = std_from_logvar_backward(dsigma, sigma);
  //! [std_from_logvar]
  return dlog_var;
}

Matrix draw(const Gaussian& q, Random& random) {
  //! [reparameterize]
  const Matrix eps = random.normal_matrix(q.mu.rows(), q.mu.cols());
  const Matrix z = reparameterize(q.mu, q.log_var, eps);
  //! [reparameterize]
  return z;
}

Gaussian draw_back(const Matrix& dz, const Gaussian& q, const Matrix& eps) {
  //! [reparameterize_backward]
  const Gaussian d = reparameterize_backward(dz, q.mu, q.log_var, eps);
  //! [reparameterize_backward]
  return d;
}

double estimates(const DoubleVector& eps, double mu, double sigma) {
  //! [gradient_estimators]
  const DoubleVector z = mu + sigma * eps.array();
  const DoubleVector f = z.cwiseAbs2();  // f = z^2, df = 2z
  const DoubleVector df = 2.0 * z;
  const GradientSamples path = pathwise_gradient(df, eps);
  const GradientSamples score = score_function_gradient(f, z, mu, sigma);
  //! [gradient_estimators]
  return path.mu.mean() - score.mu.mean();
}

Matrix prior() {
  //! [sample_prior]
  const Matrix z = sample_prior(64, 2, /*seed=*/1);
  //! [sample_prior]
  return z;
}

Matrix answers(const Posterior& posterior, const Matrix& eps) {
  //! [posterior]
  const Matrix best = posterior_mode(posterior);
  const Matrix drawn = posterior_sample(posterior, eps);
  const Spread spread = posterior_spread(posterior);  // .std, .var
  //! [posterior]
  return best + drawn + spread.std;
}

double widths() {
  //! [sigma_parameterisations]
  const SigmaParameterisation e = exp_parameterisation(1e-3);
  const SigmaParameterisation s = softplus_parameterisation(1e-3);
  const double ratio = s.dsigma_dx / e.dsigma_dx;
  //! [sigma_parameterisations]
  return ratio;
}

}  // namespace

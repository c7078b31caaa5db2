/// @file
/// Lab 03, the evidence lower bound. This header is the contract: read it, do not edit it. What you
/// write goes into the numbered .cpp files beside it.
///
/// Letters: N samples, D features (of the data or of the latent), S draws, K states of a discrete
/// latent. mu is a mean, log_var the logarithm of a *variance*; in the scalar models of 3.5 and 3.6
/// the variance itself is passed. Logarithms are natural, so every result is in nats.
///
/// Reductions: whatever is a term of the ELBO is summed over features and averaged over samples.
/// Gradients are those of the averaged value, so they carry a 1/N.
#pragma once

#include "common/types.hpp"

namespace latent {

// ---- 3.1 -----------------------------------------------------------------------------------

/// KL(N(mu, e^log_var) || N(0, 1)) of one latent dimension:
/// \f$ \tfrac12\big(\mu^2 + e^\ell - 1 - \ell\big) \f$. For mu = 3 and sigma = 0.2 it is 5.629438.
///
/// Near \f$ \ell = 0 \f$ the terms cancel: at \f$ \mu = 0,\ \ell = 10^{-9} \f$ the answer is
/// 2.5e-19, and is wanted with six digits.
///
/// @param mu       Mean.
/// @param log_var  Logarithm of the variance, in [-30, 20].
/// @return         The divergence in nats, never negative. Throws nothing.
double kl_standard_normal_1d(double mu, double log_var);

/// A divergence from N(0, I), with its gradients.
struct KlStandardNormal {
  DoubleVector per_sample;  ///< Shape `[N]`: summed over the D dimensions.
  double value = 0.0;       ///< The mean of per_sample: a sum over features, an average over N.
  Matrix mu;                ///< Gradient of value with respect to mu: mu / N. Shape `[N, D]`.
  Matrix log_var;           ///< With respect to log_var: (e^log_var - 1) / 2N. Same shape.
};

/// KL(q || p) of N diagonal Gaussians from the standard normal: for each sample
/// \f$ \sum_d \tfrac12\big(\mu_d^2 + e^{\ell_d} - 1 - \ell_d\big) \f$.
///
/// State, axis, trade-off: N distributions become one number, summed along features, averaged over
/// samples; it is the price in nats of telling the decoder anything about x.
///
/// @param mu       Shape `[N, D]`.
/// @param log_var  Same shape, values in [-30, 20].
/// @return         The divergences, their mean, and the mean's gradients.
/// @throws std::invalid_argument  if the shapes differ or hold no element.
/// @see Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv:1312.6114, appendix B.
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var);

// ---- 3.2 (stretch) ---------------------------------------------------------------------------

/// A divergence between two batches of Gaussians, with the gradients for all four arguments.
struct KlDiagGaussians {
  DoubleVector per_sample;  ///< Shape `[N]`: summed over the D dimensions.
  double value = 0.0;       ///< The mean of per_sample.
  Matrix mu1;               ///< Gradient of value with respect to mu1, shape `[N, D]`.
  Matrix log_var1;          ///< With respect to log_var1, same shape.
  Matrix mu2;               ///< With respect to mu2, same shape.
  Matrix log_var2;          ///< With respect to log_var2, same shape.
};

/// KL(N(mu1, e^log_var1) || N(mu2, e^log_var2)), sample by sample:
/// \f$ \sum_d \tfrac12\big(\ell_2 - \ell_1 - 1 + e^{\ell_1 - \ell_2} +
/// (\mu_1 - \mu_2)^2 e^{-\ell_2}\big) \f$. From (1, 0.5) to (-1, -0.2) it is 2.599682, and the
/// other way round 1.311354.
///
/// State, axis, trade-off: as above, with a second Gaussian for the prior; a prior that can be
/// moved is one more thing to train, and its gradients are two of the four.
///
/// @param mu1       Mean of the first Gaussian, over which the expectation is, shape `[N, D]`.
/// @param log_var1  Its log-variance, same shape.
/// @param mu2       Mean of the second, same shape.
/// @param log_var2  Its log-variance, same shape.
/// @return          The divergences, their mean, and the mean's gradients.
/// @throws std::invalid_argument  if the shapes differ or hold no element.
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2);

// ---- 3.3 -----------------------------------------------------------------------------------

/// A negative log-likelihood, with its gradients.
struct GaussianNll {
  DoubleVector per_sample;  ///< Shape `[N]`: summed over the D features.
  double value = 0.0;       ///< The mean of per_sample.
  Matrix mean;              ///< Gradient of value with respect to the mean, shape `[N, D]`.
  Matrix log_var;           ///< With respect to log_var, same shape.
};

/// -log N(x; mean, e^log_var), sample by sample:
/// \f$ \tfrac12\sum_d \big(\log 2\pi + \ell_d + (x_d - m_d)^2 e^{-\ell_d}\big) \f$. For x = 1, mean
/// 0.5, log_var -1 it is 0.758724.
///
/// It may be negative: a density can exceed 1.
///
/// State, axis, trade-off: data and prediction become one number per sample, summed along features;
/// the variance decides how much a squared error costs, and costs log_var itself.
///
/// @param x        Data, shape `[N, D]`.
/// @param mean     What the decoder says x is, same shape.
/// @param log_var  Logarithm of the decoder's variance, same shape; used as it is, not clamped.
/// @return         The negative log-likelihoods, their mean, and the mean's gradients.
/// @throws std::invalid_argument  if the shapes differ or hold no element.
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var);

// ---- 3.4 -----------------------------------------------------------------------------------

/// The derivation of the bound, line by line, for one x and a latent with K states.
struct JensenChain {
  double log_evidence = 0.0;    ///< Line 1: \f$ \log p(x) = \log\sum_z p(z)\,p(x|z) \f$.
  double log_mean_ratio = 0.0;  ///< Line 2: \f$ \log \mathbb E_q[p(x,z)/q(z)] \f$.
  double mean_log_ratio = 0.0;  ///< Line 3, the ELBO: \f$ \mathbb E_q[\log(p(x,z)/q(z))] \f$.
  double reconstruction = 0.0;  ///< \f$ \mathbb E_q[\log p(x|z)] \f$.
  double kl = 0.0;              ///< KL(q || p(z)).
  double split = 0.0;           ///< Line 4: reconstruction - kl.
  double gap = 0.0;             ///< KL(q || p(z|x)), computed as such: line 1 minus line 3.
};

/// Computes each line of the derivation of \f$ \log p(x) \ge \f$ ELBO as a number.
///
/// An expectation under q runs over the states that q can visit. So line 2 equals line 1 only where
/// q > 0 wherever p(x, z) > 0; a state that q never visits adds to line 1 and to nothing else, and
/// 0 log 0 counts as 0. If q visits a state with p(x, z) = 0, lines 3 and 4 are -infinity, the gap
/// is infinity, and nothing is NaN.
///
/// State, axis, trade-off: three distributions over z become seven numbers, summed over z; what the
/// exchange of log and expectation loses is the gap.
///
/// @param prior       p(z), shape `[K]`, a distribution.
/// @param likelihood  p(x|z) of the one x at hand, for each z, shape `[K]`; not negative. It need
///                    not sum to 1.
/// @param q           q(z|x), shape `[K]`, a distribution.
/// @return            The lines, in nats.
/// @throws std::invalid_argument  if the sizes differ, an entry is negative, prior or q sum to
///                                anything further than 1e-9 from 1, or p(x) is 0.
/// @see Jordan, Ghahramani, Jaakkola, Saul 1999, "An introduction to variational methods for
///      graphical models", Machine Learning 37.
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q);

// ---- 3.5 -----------------------------------------------------------------------------------

/// A Gaussian in one dimension.
struct ScalarGaussian {
  double mean = 0.0;  ///< Any number.
  double var = 1.0;   ///< The variance, above 0; not its logarithm.
};

/// The smallest VAE of all: \f$ p(z) = \mathcal N(0, 1) \f$ and
/// \f$ p(x|z) = \mathcal N(wz, s^2) \f$, both in one dimension.
struct LinearGaussian {
  double weight = 0.0;  ///< w, any number.
  double var = 1.0;     ///< \f$ s^2 \f$, the decoder's variance, above 0.
};

/// What is known exactly of a linear-Gaussian model.
struct LinearGaussianEvidence {
  double log_evidence = 0.0;  ///< log p(x).
  ScalarGaussian posterior;   ///< p(z|x).
};

/// Evidence and posterior of the linear-Gaussian model, for one x:
/// \f$ p(x) = \mathcal N(x; 0, w^2 + s^2) \f$ and
/// \f$ p(z|x) = \mathcal N\big(wx/(w^2+s^2),\ s^2/(w^2+s^2)\big) \f$.
///
/// For w = 2, s2 = 0.5, x = 1.7: log p(x) = -1.992088.
///
/// State, axis, trade-off: z is integrated out; with a linear decoder that is a formula, with a
/// network it is an integral nobody can compute, which is why the bound exists.
///
/// @param x      The observation.
/// @param model  See LinearGaussian.
/// @return       Exact, also where the density itself underflows: x = 1000 is fine.
/// @throws std::invalid_argument  if the model's variance is not above 0.
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model);

// ---- 3.6 -----------------------------------------------------------------------------------

/// The bound and what is missing to the evidence.
struct ElboGap {
  double reconstruction = 0.0;  ///< \f$ \mathbb E_q[\log p(x|z)] \f$, with its constant.
  double kl = 0.0;              ///< KL(q || p(z)).
  double elbo = 0.0;            ///< reconstruction - kl.
  double gap = 0.0;             ///< KL(q || p(z|x)), from the exact posterior.
};

/// ELBO and gap of the linear-Gaussian model for any Gaussian q:
/// \f$ \mathbb E_q[(x - wz)^2] = (x - wm)^2 + w^2 v \f$ for \f$ q = \mathcal N(m, v) \f$.
/// For every q, elbo + gap = log p(x).
///
/// State, axis, trade-off: a guess q becomes a bound; what q is wrong by is exactly what the bound
/// is too low by.
///
/// @param x      The observation.
/// @param model  See LinearGaussian.
/// @param q      The approximate posterior.
/// @return       The two terms, the bound and the gap, in nats.
/// @throws std::invalid_argument  if a variance is not above 0.
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q);

/// A decoder and an encoder at one moment of training.
struct BoundState {
  double weight = 0.0;  ///< w of the decoder.
  ScalarGaussian q;     ///< The encoder's answer for x.
};

/// Two such moments.
struct BoundStep {
  BoundState before;  ///< The lower ELBO, the higher log p(x).
  BoundState after;   ///< The higher ELBO, the lower log p(x).
};

/// A counter-example to "maximising the ELBO also raises log p(x)": two states of one model, with
/// the same x and the same decoder variance, where the second has the *higher* ELBO and the *lower*
/// log p(x), by at least 0.1 nats each. There are many; any is right.
///
/// @param x    The observation, any finite number, 0 included.
/// @param var  The decoder's variance in both states, above 0.
/// @return     Such a pair.
/// @throws std::invalid_argument  if var is not above 0.
BoundStep bound_counterexample(double x, double var);

// ---- 3.7 (stretch) ---------------------------------------------------------------------------

/// One estimate of KL(q || N(0, I)) per draw, for one sample's q:
/// \f$ \log q(z) - \log p(z) = \tfrac12\sum_d \big(z_d^2 - \varepsilon_d^2 - \ell_d\big) \f$ at
/// \f$ z = \mu + e^{\ell/2}\varepsilon \f$.
///
/// A single estimate may be negative. Their mean is the closed form of 3.1, and per dimension their
/// variance is \f$ \mu^2\sigma^2 + \tfrac12(\sigma^2 - 1)^2 \f$.
///
/// State, axis, trade-off: S draws become S numbers, summed over features, averaged over nothing;
/// no closed form is needed, at the price of variance.
///
/// @param mu       Shape `[D]`.
/// @param log_var  Same shape.
/// @param eps      The noise of each draw, shape `[S, D]`; S may be 0.
/// @return         Shape `[S]`: one estimate per draw.
/// @throws std::invalid_argument  if the sizes differ.
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps);

// ---- 3.8 -----------------------------------------------------------------------------------

/// The loss of a VAE with a Gaussian decoder, and its gradients.
struct NegElbo {
  double total = 0.0;           ///< reconstruction + kl: the *negative* ELBO.
  double reconstruction = 0.0;  ///< -log p(x|z), summed over features, averaged over samples.
  double kl = 0.0;              ///< KL(q || N(0, I)), likewise.
  Matrix x_hat;                 ///< Gradient of total with respect to x_hat, shape `[N, D]`.
  Matrix mu;                    ///< With respect to mu, x_hat held still, shape `[N, latent D]`.
  Matrix log_var;               ///< With respect to log_var, x_hat held still, same shape as mu.
};

/// The negative ELBO of a batch, one draw of z per sample having been decoded to x_hat:
/// `gaussian_nll` of x around x_hat with one variance for all, plus `kl_standard_normal`.
///
/// With \f$ s^2 = \beta/2 \f$ the familiar loss is the same thing in other units: per sample,
/// SSE + beta KL = 2 s2 (-ELBO) + const, the constant being \f$ -s^2 D\log 2\pi s^2 \f$. So beta =
/// 1 stands for a decoder with \f$ s = 0.7071 \f$, not 1.
///
/// What reaches mu and log_var *through* x_hat is not in here: the decoder's backward pass and lab
/// 02's `reparameterize_backward` carry it, and lab 04 adds the two.
///
/// State, axis, trade-off: a batch becomes one number; the decoder's variance is the exchange rate
/// between squared errors and nats.
///
/// @param x            Data, shape `[N, D]`.
/// @param x_hat        What the decoder made of z, same shape.
/// @param mu           Of q, shape `[N, latent D]`.
/// @param log_var      Of q, same shape as mu.
/// @param decoder_var  \f$ s^2 \f$, above 0.
/// @return             Total, both terms, and the gradients.
/// @throws std::invalid_argument  if shapes differ, x and mu differ in rows, an argument holds no
///                                element, or decoder_var is not above 0.
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var);

// ---- 3.9 (stretch) ---------------------------------------------------------------------------

/// The importance-weighted bound of S draws: \f$ \log\frac1S\sum_s e^{a_s} \f$ where
/// \f$ a_s = \log p(x, z_s) - \log q(z_s|x) \f$.
///
/// For S = 1 it is the ELBO's one-draw estimate. In *expectation* over the draws it never exceeds
/// log p(x) and never falls as S grows; a single draw may do either.
///
/// State, axis, trade-off: S log-weights become one number; a tighter bound for S decoder passes.
///
/// @param log_weights  a, shape `[S]`; -infinity (a weight of 0) is allowed.
/// @return             Finite where the naive sum over- or underflows: -1000, five times, gives
///                     -1000. -infinity if all weights are 0.
/// @throws std::invalid_argument  if there is no weight.
/// @see Burda, Grosse, Salakhutdinov 2015, "Importance weighted autoencoders", arXiv:1509.00519.
double iwae_bound(const DoubleVector& log_weights);

}  // namespace latent

/// @file
/// Lab 02, reparameterization. This header is the contract: read it, do not edit it. What you write
/// goes into the numbered .cpp files beside it.
///
/// Letters: N samples, D latent features, C channels, H rows, W columns, S draws. mu is a mean,
/// log_var the logarithm of a *variance* (so sigma = exp(log_var / 2)), eps standard normal noise.
/// Randomness is always an argument. Only `split_moments` clamps log-variances; every other
/// function receives clamped values, in [-30, 20].
#pragma once

#include "autoencoder.hpp"
#include "common/types.hpp"

namespace latent {

// ---- 2.1 -----------------------------------------------------------------------------------

/// Mean and log-variance of a Gaussian per position.
struct Moments {
  Tensor4 mean;     ///< Shape `[N, C, H, W]`.
  Tensor4 log_var;  ///< Same shape, in [-30, 20].
};

/// Splits the encoder's last feature map: the first C channels are the mean, the last C the
/// log-variance, clamped to [-30, 20].
///
/// State, axis, trade-off: one map becomes two, along the channel axis; the clamp keeps exp finite
/// and costs the gradient outside its range.
///
/// @param moments  Shape `[N, 2C, H, W]`.
/// @return         Both halves; the mean is not clamped.
/// @throws std::invalid_argument  if the number of channels is odd.
/// @see Rombach et al. 2021, "High-resolution image synthesis with latent diffusion models",
///      arXiv:2112.10752, whose code clamps to the same range.
Moments split_moments(const Tensor4& moments);

/// The backward pass of `split_moments`: both gradients side by side again. The clamp passes the
/// gradient where it changed nothing, its two ends included (as torch.clamp does), and stops it
/// elsewhere.
/// @param dmean     Gradient with respect to the mean, shape `[N, C, H, W]`.
/// @param dlog_var  Gradient with respect to the clamped log-variance, same shape.
/// @param moments   The input of the forward pass, shape `[N, 2C, H, W]`.
/// @return          Gradient with respect to moments, same shape as it.
/// @throws std::invalid_argument  if the shapes do not fit.
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments);

// ---- 2.2 -----------------------------------------------------------------------------------

/// A Gaussian per sample.
struct Gaussian {
  Matrix mu;       ///< Shape `[N, D]`.
  Matrix log_var;  ///< Shape `[N, D]`.
};

/// Two linear layers on the same features.
struct GaussianHeads {
  Layer mu;       ///< `[D, H]`
  Layer log_var;  ///< `[D, H]`
};

/// The two heads of a VAE's encoder: mu and log_var are linear in the same hidden features.
/// Calls lab 01's `linear_forward` twice.
///
/// State, axis, trade-off: H features become the D means and D log-variances of a distribution; the
/// second head is what a plain autoencoder lacks.
///
/// @param hidden  Shape `[N, H]`.
/// @param heads   Two layers of one shape.
/// @return        mu and log_var, unclamped.
/// @throws std::invalid_argument  if sizes do not fit, as `linear_forward` does.
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads);

/// What the chain rule gives each part of the heads.
struct GaussianHeadsGradients {
  Matrix hidden;        ///< Shape `[N, H]`: what both heads send back, added.
  GaussianHeads heads;  ///< Of both layers.
};

/// The backward pass of `gaussian_heads`. Calls lab 01's `linear_backward` twice.
/// @param dmu       Gradient with respect to mu, shape `[N, D]`.
/// @param dlog_var  Gradient with respect to log_var, shape `[N, D]`.
/// @param hidden    The input of the forward pass, shape `[N, H]`.
/// @param heads     The two layers.
/// @return          All gradients.
/// @throws std::invalid_argument  if sizes do not fit, as `linear_backward` does.
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads);

// ---- 2.3 -----------------------------------------------------------------------------------

/// The standard deviation: \f$ \sigma = e^{\ell/2} \f$ where \f$ \ell = \log\sigma^2 \f$.
/// For a log-variance of -1.39 it is 0.499074.
///
/// State, axis, trade-off: every element on its own; any real number becomes a positive sigma.
///
/// @param log_var  Any shape, values in [-30, 20].
/// @return         Same shape, above 0. Throws nothing.
Matrix std_from_logvar(const Matrix& log_var);

/// Its backward pass: \f$ d\ell = d\sigma \cdot \sigma / 2 \f$.
/// @param dstd  Gradient with respect to sigma.
/// @param std   The *output* of `std_from_logvar`, same shape.
/// @return      Gradient with respect to log_var, same shape.
/// @throws std::invalid_argument  if the shapes differ.
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std);

// ---- 2.4 -----------------------------------------------------------------------------------

/// A sample of N(mu, sigma^2) as a function of noise that came from elsewhere:
/// \f$ z = \mu + \sigma \odot \varepsilon \f$ with \f$ \sigma = e^{\ell/2} \f$.
/// mu 2.3, log_var -1.39, eps -0.7 give 1.950648.
///
/// State, axis, trade-off: a distribution becomes one point of it, element by element; the noise is
/// an input, so the path from mu and sigma to z can be differentiated.
///
/// @param mu       Shape `[N, D]`.
/// @param log_var  Same shape, values in [-30, 20].
/// @param eps      Same shape; used as it is, every element for its own z.
/// @return         z, same shape.
/// @throws std::invalid_argument  if the shapes differ.
/// @see Kingma and Welling 2013, "Auto-encoding variational Bayes", arXiv:1312.6114.
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps);

// ---- 2.5 -----------------------------------------------------------------------------------

/// The backward pass of `reparameterize`: \f$ d\mu = dz \f$ and
/// \f$ d\ell = dz \odot \varepsilon \odot \sigma / 2 \f$.
///
/// These are the gradients through z alone. What the KL term adds comes in lab 03.
///
/// @param dz       Gradient with respect to z, shape `[N, D]`.
/// @param mu       As in the forward pass, same shape.
/// @param log_var  As in the forward pass, same shape.
/// @param eps      The *same* noise as in the forward pass, same shape.
/// @return         Gradients with respect to mu and log_var.
/// @throws std::invalid_argument  if the shapes differ.
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps);

// ---- 2.6 -----------------------------------------------------------------------------------

/// One gradient estimate per draw, of E[f(z)] with z from N(mu, sigma^2), for one latent dimension.
struct GradientSamples {
  DoubleVector mu;     ///< Estimates of dE/dmu, shape `[S]`; their mean is unbiased.
  DoubleVector sigma;  ///< Estimates of dE/dsigma, shape `[S]`.
};

/// The pathwise estimator: differentiate through \f$ z = \mu + \sigma\varepsilon \f$.
/// Per draw \f$ \partial/\partial\mu = f'(z),\; \partial/\partial\sigma = f'(z)\,\varepsilon \f$.
/// @param df   f'(z) for each draw, shape `[S]`.
/// @param eps  The noise of each draw, shape `[S]`.
/// @return     One estimate per draw, not averaged.
/// @throws std::invalid_argument  if the sizes differ.
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps);

/// The score-function estimator (REINFORCE): needs f only, not its derivative.
/// Per draw \f$ f(z)\,\partial\log q(z)/\partial\mu = f(z)\,(z-\mu)/\sigma^2 \f$ and
/// \f$ f(z)\,\partial\log q(z)/\partial\sigma = f(z)\,((z-\mu)^2/\sigma^3 - 1/\sigma) \f$.
///
/// State, axis, trade-off: S draws become S estimates of the same gradient as above; no f' is
/// needed, at the price of variance: for f = z^2 and mu = sigma = 1 it is 30 instead of 4.
///
/// @param f      f(z) for each draw, shape `[S]`; no baseline is subtracted.
/// @param z      The draws, shape `[S]`.
/// @param mu     Mean of the distribution they come from.
/// @param sigma  Its standard deviation, above 0.
/// @return       One estimate per draw, not averaged.
/// @throws std::invalid_argument  if the sizes differ or sigma is not above 0.
/// @see Williams 1992, "Simple statistical gradient-following algorithms for connectionist
///      reinforcement learning", Machine Learning 8.
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma);

// ---- 2.7 -----------------------------------------------------------------------------------

/// Latents to generate from: N draws of N(0, I), decoded instead of an encoder's z.
///
/// Element (n, d) is the (n * D + d)-th number of `Random(seed)`'s `normal()`.
///
/// @param samples   N, at least 0.
/// @param features  D, at least 1.
/// @param seed      Of `latent::Random`, see common/random.hpp.
/// @return          Shape `[N, D]`.
/// @throws std::invalid_argument  if N < 0 or D < 1.
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed);

// ---- 2.8 -----------------------------------------------------------------------------------

/// The encoder's answer for a batch, which is a distribution and not a point.
struct Posterior {
  Matrix mean;                 ///< Shape `[N, D]`.
  Matrix log_var;              ///< Same shape, values in [-30, 20].
  bool deterministic = false;  ///< True: the distribution is the point `mean`; log_var is ignored.
};

/// Width of a posterior.
struct Spread {
  Matrix std;  ///< Standard deviation, same shape as the mean; zeros if deterministic.
  Matrix var;  ///< Variance, likewise.
};

/// The most probable latent of each sample: its mean.
/// @param posterior  See Posterior.
/// @return           Shape `[N, D]`. Throws nothing.
Matrix posterior_mode(const Posterior& posterior);

/// Standard deviation and variance.
/// @param posterior  See Posterior.
/// @return           Both, shape `[N, D]`; zeros if deterministic. Throws nothing.
Spread posterior_spread(const Posterior& posterior);

/// One latent per sample, drawn with the given noise; the mean if deterministic.
///
/// State, axis, trade-off: a distribution becomes a point; `mode` is repeatable and blurs nothing
/// out, `sample` is what the decoder was trained on.
///
/// @param posterior  See Posterior.
/// @param eps        Noise, same shape as the mean.
/// @return           Shape `[N, D]`.
/// @throws std::invalid_argument  if the shapes differ.
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps);

// ---- 2.9 -----------------------------------------------------------------------------------

/// How a network's raw output x becomes a given sigma, and what gradients it then sees.
struct SigmaParameterisation {
  double x = 0.0;          ///< The raw output that yields sigma.
  double dsigma_dx = 0.0;  ///< How sigma moves with it.
  double dkl_dx =
      0.0;  ///< How KL(N(0, sigma^2) || N(0, 1)) moves with it: (sigma - 1/sigma) dsigma/dx.
};

/// log(1 + e^x), without overflow at x = 800 and without rounding to 0 at x = -40.
/// @param x  Any finite number.
/// @return   Above 0; 4.248354e-18 for x = -40. Throws nothing.
double softplus(double x);

/// sigma = exp(x / 2): x is a log-variance.
/// @param sigma  Above 0.
/// @return       The x that yields sigma, and both derivatives there.
/// @throws std::invalid_argument  if sigma is not above 0.
SigmaParameterisation exp_parameterisation(double sigma);

/// sigma = softplus(x).
///
/// It is said that its gradient dies near sigma = 0. Compute both at sigma = 1e-3 and judge.
///
/// @param sigma  Above 0; accurate down to 1e-12.
/// @return       The x that yields sigma, and both derivatives there.
/// @throws std::invalid_argument  if sigma is not above 0.
SigmaParameterisation softplus_parameterisation(double sigma);

}  // namespace latent

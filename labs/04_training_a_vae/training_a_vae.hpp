/// @file
/// Lab 04, training a VAE. This header is the contract: read it, do not edit it. What you write
/// goes into the numbered .cpp files beside it.
///
/// Letters: N samples, D features of the data, L latent dimensions, H and K hidden units of encoder
/// and decoder, P points. beta is the weight of the KL term, lambda a variance. Logarithms are
/// natural, so rates are in nats.
///
/// Reductions: reconstruction and KL are summed over features and averaged over samples, as in lab
/// 03. Gradients are those of the averaged value, so they carry a 1/N.
#pragma once

#include "autoencoder.hpp"
#include "common/types.hpp"
#include "elbo.hpp"
#include "reparameterization.hpp"

namespace latent {

// ---- 4.0 -----------------------------------------------------------------------------------

/// A weight that moves in a straight line:
/// \f$ b_0 + (b_1 - b_0)\,\frac{t - t_0}{t_1 - t_0} \f$ between the steps \f$ t_0 \f$ and
/// \f$ t_1 \f$, \f$ b_0 \f$ before, \f$ b_1 \f$ after.
///
/// State, axis, trade-off: one step becomes one weight; a late KL lets the decoder learn to use z
/// first, at the price of an objective that changes under training's feet.
///
/// @param step   t, any number.
/// @param start  \f$ t_0 \f$: the last step with the weight `from`.
/// @param end    \f$ t_1 \f$, at least `start`: the first step with the weight `to`. If both are
///               equal the weight jumps there: `from` before, `to` from this step on.
/// @param from   \f$ b_0 \f$
/// @param to     \f$ b_1 \f$, larger or smaller.
/// @return       The weight, without unit.
/// @throws std::invalid_argument  if end < start.
/// @see Bowman et al. 2015, "Generating sentences from a continuous space", arXiv:1511.06349.
double linear_anneal(std::int64_t step, std::int64_t start, std::int64_t end, double from,
                     double to);

/// A weight that rises from 0 again and again: with \f$ \tau = (t \bmod \lceil T/M \rceil) / (T/M)
/// \f$ it is \f$ b \min(1, \tau/R) \f$.
///
/// T = 100, M = 4, R = 0.5 and b = 1 give 0, 0.4, 0.96, 1, 1, 0 at t = 0, 5, 12, 13, 24, 25. A
/// period has whole steps, so where M does not divide T the last one is cut short: T = 10, M = 4
/// has periods of 3, 3, 3 and 1 steps.
///
/// @param step    t, from 0 to T - 1.
/// @param total   T, all steps of the training, at least 1.
/// @param cycles  M, from 1 to T.
/// @param ramp    R, the share of a cycle in which the weight rises; above 0, at most 1.
/// @param top     b, the weight after the ramp.
/// @return        The weight, from 0 to b.
/// @throws std::invalid_argument  if an argument is outside its range.
/// @see Fu et al. 2019, "Cyclical annealing schedule: a simple approach to mitigating KL
/// vanishing",
///      arXiv:1903.10145.
double cyclical_anneal(std::int64_t step, std::int64_t total, std::int64_t cycles, double ramp,
                       double top);

// ---- 4.1 -----------------------------------------------------------------------------------

/// The variance of the Gaussian decoder for which a loss is, up to a factor and a constant, the
/// negative ELBO: squared error / a + beta KL stands for \f$ s^2 = a\beta/2 \f$.
///
/// For a = 1 and beta = 0.01, 0.1, 1, 5 the standard deviation s is 0.070711, 0.223607, 0.707107,
/// 1.581139.
///
/// @param beta           Weight of the KL, not negative. 0 is the limit of a decoder that claims to
///                       be exact: a plain autoencoder.
/// @param averaged_over  a, at least 1: 1 if a sample's squared error is summed over its features,
///                       their number D if it is averaged over them.
/// @return               \f$ s^2 \f$
/// @throws std::invalid_argument  if beta is negative or averaged_over < 1.
double implied_decoder_variance(double beta, std::int64_t averaged_over);

/// The other way round: the beta that stands for a decoder variance, \f$ 2 s^2 / a \f$.
/// @param variance       \f$ s^2 \f$, not negative.
/// @param averaged_over  a, at least 1, as above.
/// @return               beta
/// @throws std::invalid_argument  if variance is negative or averaged_over < 1.
double beta_for_variance(double variance, std::int64_t averaged_over);

/// What a VAE's loss says to the three matrices it is computed from.
struct ElboGradients {
  Matrix x_hat;    ///< With respect to the reconstruction (or its logits), shape `[N, D]`.
  Matrix mu;       ///< With respect to mu, x_hat held still, shape `[N, L]`.
  Matrix log_var;  ///< With respect to log_var, x_hat held still, shape `[N, L]`.
};

/// The loss of a beta-VAE.
struct BetaLoss {
  double total = 0.0;           ///< reconstruction + beta * kl
  double reconstruction = 0.0;  ///< Squared error: summed over features, averaged over samples.
  double kl = 0.0;              ///< KL(q || N(0, I)) in nats, likewise, *not* multiplied by beta.
  double decoder_var = 0.0;     ///< The decoder's variance that this beta stands for: beta / 2.
  ElboGradients gradient;       ///< Of total.
};

/// Squared error plus beta KL, with gradients:
/// \f$ \frac1N\sum_n\big(\|\hat x_n - x_n\|^2 + \beta\,\mathrm{KL}_n\big) \f$.
///
/// It is \f$ 2 s^2 (-\mathrm{ELBO}) \f$ plus a constant for the decoder variance
/// \f$ s^2 = \beta/2 \f$. Averaging the error over D features instead would multiply the effective
/// beta by D. Calls lab 01's `mse_loss` and lab 03's `kl_standard_normal`.
///
/// State, axis, trade-off: a batch becomes one number; beta is what one nat about x is worth in
/// squared error.
///
/// @param x        Data, shape `[N, D]`.
/// @param x_hat    What the decoder made of z, same shape.
/// @param mu       Of q, shape `[N, L]`.
/// @param log_var  Of q, same shape as mu.
/// @param beta     Not negative; 0 leaves the KL out of the total and of the gradients.
/// @return         Total, both terms, the implied variance and the gradients.
/// @throws std::invalid_argument  if shapes differ, x and mu differ in rows, an argument holds no
///                                element, or beta is negative.
/// @see Higgins et al. 2017, "beta-VAE: learning basic visual concepts with a constrained
///      variational framework", ICLR.
BetaLoss beta_loss(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                   double beta);

// ---- 4.2 -----------------------------------------------------------------------------------

/// The negative log-likelihood of pixels from 0 to 1 under independent Bernoulli distributions with
/// \f$ p = \mathrm{sigmoid}(l) \f$: per pixel
/// \f$ \max(l, 0) - l x + \log(1 + e^{-|l|}) \f$, and the gradient sigmoid(l) - x.
///
/// (x, l) = (1, -50) costs 50, and (0.5, 0) costs 0.693147. For grey x the least possible cost is
/// not 0: it is the entropy of x.
///
/// State, axis, trade-off: two batches become one number, summed over features, averaged over
/// samples; no variance to choose, for data that should be 0 or 1.
///
/// @param logits  l, what the decoder's last layer yields, shape `[N, D]`; any finite number.
/// @param x       Data, same shape, from 0 to 1.
/// @return        The value, accumulated in double and with its digits where it is tiny, and the
///                gradient with respect to the logits.
/// @throws std::invalid_argument  if the shapes differ or hold no element, or an x is outside
///                                [0, 1].
Loss bce_with_logits(const Matrix& logits, const Matrix& x);

// ---- 4.3 -----------------------------------------------------------------------------------

/// What the best linear VAE does with Gaussian data, principal direction by principal direction.
struct RateDistortion {
  DoubleVector distortion;        ///< Mean squared error left in each direction, shape `[D]`.
  DoubleVector rate;              ///< KL that each direction costs, in nats, shape `[D]`.
  DoubleVector weight;            ///< The decoder's weight |w| of each, 0 where inactive.
  DoubleVector posterior_var;     ///< Variance of q(z|x) of each, 1 where inactive.
  double total_distortion = 0.0;  ///< The sum over directions.
  double total_rate = 0.0;        ///< The sum over directions.
  std::int64_t active = 0;        ///< How many directions have lambda > beta/2.
};

/// The optimum of squared error + beta KL for a linear VAE, in closed form. For a direction in
/// which the data has the variance lambda: \f$ D = \min(\lambda, \tfrac\beta2),\; R = \max\big(0,
/// \tfrac12\log\tfrac{2\lambda}\beta\big),\;
///     w^2 = \max(0, \lambda - \tfrac\beta2),\; v = \min\big(1, \tfrac{\beta}{2\lambda}\big) \f$.
///
/// lambda = 3 and beta = 1 give D = 0.5 and R = 0.895880; lambda = 0.4 gives D = 0.4 and R = 0:
/// that direction is not worth its nats, and its latent collapses.
///
/// State, axis, trade-off: a spectrum becomes distortions and rates; beta/2 is the water level, and
/// what lies below it is not transmitted.
///
/// @param variances  lambda: eigenvalues of the data's covariance, `[D]`, none negative.
/// @param beta       Above 0.
/// @return           See RateDistortion, in the order of the variances.
/// @throws std::invalid_argument  if a variance is negative or beta is not above 0.
/// @see Cover and Thomas 2006, "Elements of information theory", chapter 10: reverse water-filling.
RateDistortion rate_distortion_law(const DoubleVector& variances, double beta);

// ---- 4.4 -----------------------------------------------------------------------------------

/// The parameters of a VAE with one hidden layer on either side.
struct Vae {
  Layer encoder_hidden;  ///< `[H, D]`, tanh after it
  GaussianHeads heads;   ///< `[L, H]` each, no tanh after them
  Layer decoder_hidden;  ///< `[K, L]`, tanh after it
  Layer decoder_output;  ///< `[D, K]`, no tanh after it
};

/// Everything that a forward pass computes; the backward pass needs it again.
struct VaePass {
  Matrix encoder_hidden;  ///< What the encoder's tanh yields, shape `[N, H]`.
  Gaussian q;             ///< mu and log_var, shape `[N, L]` each, unclamped.
  Matrix z;               ///< One draw per sample, shape `[N, L]`.
  Matrix decoder_hidden;  ///< What the decoder's tanh yields, shape `[N, K]`.
  Matrix x_hat;           ///< The reconstruction, shape `[N, D]`.
};

/// Encodes, draws, decodes:
/// \f$ h = \tanh(x W_1^\top + b_1),\; \mu = h W_\mu^\top + b_\mu,\; \ell = h W_\ell^\top +
/// b_\ell,\;
///     z = \mu + e^{\ell/2}\varepsilon,\; k = \tanh(z W_3^\top + b_3),\;
///     \hat x = k W_4^\top + b_4 \f$. Built from your own functions of labs 01 and 02.
///
/// State, axis, trade-off: N samples become N distributions, N points of them, and N
/// reconstructions; the noise is what the decoder has to learn to live with.
///
/// @param model  The parameters, with sizes that fit one another.
/// @param x      Samples, shape `[N, D]`; N may be 0.
/// @param eps    Noise, shape `[N, L]`.
/// @return       All intermediate results.
/// @throws std::invalid_argument  if sizes do not fit, as the functions it calls do.
VaePass vae_forward(const Vae& model, const Matrix& x, const Matrix& eps);

// ---- 4.5 -----------------------------------------------------------------------------------

/// The backward pass of `vae_forward`: from what the loss says to x_hat, mu and log_var to the
/// gradients of every weight and bias.
///
/// mu and log_var reach the loss on two paths: through z and the decoder, and directly, as the KL
/// does. Both gradients are added.
///
/// State, axis, trade-off: three gradients become ten, summed over samples; the encoder is trained
/// by both terms of the loss, the decoder by one.
///
/// @param model  As in the forward pass.
/// @param x      As in the forward pass, shape `[N, D]`.
/// @param eps    The *same* noise as in the forward pass, shape `[N, L]`.
/// @param pass   What the forward pass yielded.
/// @param loss   Gradients of the loss, for example `beta_loss(...).gradient`.
/// @return       One gradient per parameter, in the parameter's place.
/// @throws std::invalid_argument  if sizes do not fit: as the functions it calls do, and where
///                                loss.mu or loss.log_var has another shape than eps.
Vae vae_backward(const Vae& model, const Matrix& x, const Matrix& eps, const VaePass& pass,
                 const ElboGradients& loss);

// ---- 4.6 -----------------------------------------------------------------------------------

/// A model in training: its parameters, and for each the two running moments of Adam.
struct VaeTraining {
  Vae model;               ///< The parameters.
  Vae first_moment;        ///< m of each, zero before the first step.
  Vae second_moment;       ///< v of each, zero before the first step.
  std::int64_t steps = 0;  ///< Steps taken so far.
};

/// What one step of training yields.
struct VaeStep {
  VaeTraining after;  ///< Parameters and moments after the step, `steps` one higher.
  BetaLoss loss;      ///< Of the parameters *before* the step.
  Vae gradient;       ///< Of loss.total, at the parameters before the step.
};

/// One step of training: `vae_forward`, `beta_loss`, `vae_backward`, and `adam_step` for each of
/// the ten parameters, the biases as matrices of one row.
///
/// State, axis, trade-off: a model becomes a slightly better one on this batch; every step is noisy
/// twice, by the batch and by eps.
///
/// @param state    Before the step.
/// @param x        Samples, shape `[N, D]`, N at least 1.
/// @param eps      Noise, shape `[N, L]`.
/// @param beta     Weight of the KL in this step, not negative.
/// @param options  Of Adam. Its t is state.steps + 1.
/// @return         The state after the step, and loss and gradients from before it.
/// @throws std::invalid_argument  if sizes do not fit, beta is negative or state.steps is, as the
///                                functions it calls do.
VaeStep vae_train_step(const VaeTraining& state, const Matrix& x, const Matrix& eps, double beta,
                       const AdamOptions& options);

// ---- 4.7 (stretch) ---------------------------------------------------------------------------

/// A KL term with a floor for each latent dimension, and its gradients.
struct FreeBits {
  double value = 0.0;          ///< The sum of max(floor, per_dimension).
  DoubleVector per_dimension;  ///< KL of each dimension, averaged over samples, shape `[L]`.
  Matrix mu;                   ///< Gradient of value with respect to mu, shape `[N, L]`.
  Matrix log_var;              ///< With respect to log_var, same shape.
};

/// The KL term of which each dimension has `floor` nats for free:
/// \f$ \sum_j \max\big(\lambda,\; \tfrac1N\sum_n \mathrm{KL}_{nj}\big) \f$.
///
/// Below the floor a dimension gets no gradient, so nothing pushes it to collapse. At the floor
/// exactly the gradient passes, as torch.clamp does.
///
/// State, axis, trade-off: averaged over samples first, then cut off, then summed over dimensions;
/// unused nats are paid for as if they were used.
///
/// @param mu       Shape `[N, L]`.
/// @param log_var  Same shape, values in [-30, 20].
/// @param floor    \f$ \lambda \f$, nats per dimension, not negative. 0 changes nothing.
/// @return         Value, divergences before the floor, gradients.
/// @throws std::invalid_argument  if the shapes differ or hold no element, or floor is negative.
/// @see Kingma et al. 2016, "Improving variational inference with inverse autoregressive flow",
///      arXiv:1606.04934.
FreeBits free_bits(const Matrix& mu, const Matrix& log_var, double floor);

// ---- 4.8 (stretch) ---------------------------------------------------------------------------

/// How much each latent dimension says about x.
struct ActiveUnits {
  DoubleVector variance;   ///< Of mu over the samples, divided by N, shape `[L]`.
  std::int64_t count = 0;  ///< How many of them are above the threshold.
};

/// Counts the dimensions whose *mean* moves with x:
/// \f$ \frac1N\sum_n (\mu_{nj} - \bar\mu_j)^2 > \text{threshold} \f$.
///
/// State, axis, trade-off: N means become one variance per dimension, along the samples; a unit
/// that varies need not be used by the decoder, one that does not vary cannot be.
///
/// @param mu         Means of q for N samples, shape `[N, L]`.
/// @param threshold  Not negative; 0.01 is customary. A variance equal to it does not count.
/// @return           The variances, accurate also where mu is large, and the count.
/// @throws std::invalid_argument  if mu holds no element or the threshold is negative.
/// @see Burda, Grosse, Salakhutdinov 2015, "Importance weighted autoencoders", arXiv:1509.00519.
ActiveUnits active_units(const Matrix& mu, double threshold);

// ---- 4.9 (stretch) ---------------------------------------------------------------------------

/// The models that no other model beats: point i is left out if some point j is at most as large in
/// both coordinates and smaller in one. Of equal points the first stays.
///
/// State, axis, trade-off: P points become the few among which a choice is a matter of taste; the
/// front says what is possible, not what is wanted.
///
/// @param distortion  Of each model, shape `[P]`, less is better.
/// @param rate        Of each model, same shape, less is better.
/// @return            Positions of the points on the front, in the order of the arguments.
/// @throws std::invalid_argument  if the sizes differ or a coordinate is NaN.
std::vector<std::int64_t> pareto_front(const DoubleVector& distortion, const DoubleVector& rate);

}  // namespace latent

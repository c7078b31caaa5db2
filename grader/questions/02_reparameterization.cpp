// The questions of chapter 02. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <cmath>
#include <cstdio>
#include <string>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

/// A number drawn in steps of 1/100, or the workbook's.
double drawn(Random* random, double low, double high, double printed) {
  return random == nullptr ? printed : std::round(100.0 * random->uniform(low, high)) / 100.0;
}

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

/// The state in which z = mu + sigma eps is differentiated.
struct Point {
  double mu, log_var, eps;
  double sigma() const { return std::exp(log_var / 2.0); }
};

Point drawn_point(Random* random) {
  const double mu = drawn(random, 0.5, 3.0, 2.3);
  const double log_var = drawn(random, -2.5, -0.5, -1.39);
  return {mu, log_var, drawn(random, -1.5, -0.3, -0.7)};
}

std::string described(const Point& p) {
  return "mu = " + text_of(p.mu) + ", log_var = " + text_of(p.log_var) +
         " (log_var = log sigma^2) and eps = " + text_of(p.eps) + ", in z = mu + sigma eps.";
}

}  // namespace

QUESTION(sigma_from_log_var) {
  const double log_var = drawn(random, -3.0, -0.5, -1.39);
  return {"An encoder's second head puts out log_var = " + text_of(log_var) +
              ", the logarithm of a variance. What is the standard deviation?",
          Number{std::exp(log_var / 2.0), 1e-3},
          "sigma = exp(log_var / 2) = " + text_of(std::exp(log_var / 2.0)) +
              ". exp(log_var) = " + text_of(std::exp(log_var)) +
              " is the variance. For -1.39 the lesson rounds sigma to 0.5; with 0.499074 your code "
              "is right and with 0.249075 it is not."};
}

QUESTION(dz_dmu) {
  const Point p = drawn_point(random);
  return {"Derivation, first part. Let " + described(p) + " What is dz/dmu at fixed eps?",
          Number{1.0, 1e-6},
          "1, whatever sigma and eps are: mu shifts z by exactly as much as it moves. So the mean "
          "receives the decoder's gradient unchanged."};
}

QUESTION(dz_dsigma) {
  const Point p = drawn_point(random);
  return {"Derivation, second part. Let " + described(p) + " What is dz/dsigma at fixed eps?",
          Number{p.eps, 1e-3},
          "The noise itself, " + text_of(p.eps) +
              ": sigma stretches the distance from mu, and eps says how far and on which side z "
              "lies. Its average over eps is 0, but that of f'(z) eps is not."};
}

QUESTION(dz_dlog_var) {
  const Point p = drawn_point(random);
  const double answer = p.eps * p.sigma() / 2.0;
  return {
      "Derivation, third part, the one that is often left out: the head puts out log_var, not "
      "sigma. Let " +
          described(p) + " What is dz/dlog_var at fixed eps?",
      Number{answer, 2e-3},
      "dz/dsigma times dsigma/dlog_var = eps sigma / 2 = " + text_of(answer) +
          ". Stopping at dz/dsigma = eps would be wrong by the factor sigma / 2 = " +
          text_of(p.sigma() / 2.0) + "."};
}

QUESTION(what_reparameterization_achieves) {
  return {
      "What does writing z = mu + sigma eps, with eps drawn outside, achieve?",
      Choice{"For a given eps, z is a smooth function of mu and sigma, so the decoder's gradient "
             "reaches both: an unbiased estimate of the gradient of the expected loss, with low "
             "variance.",
             {"It makes a gradient exist that did not exist before: the expected loss could not "
              "be differentiated with respect to mu and sigma.",
              "It removes the randomness from training, so that each image has one latent.",
              "It keeps z close to N(0, I).",
              "It makes encoding faster, because no random numbers are needed any more."}},
      "The gradient of the expectation exists with or without the trick; the score function "
      "estimates it from samples alone. What the path z = mu + sigma eps buys is the use of f', "
      "and with it a far smaller variance. The noise stays, and closeness to N(0, I) is the KL "
      "term's business."};
}

QUESTION(sampling_said_to_be_discontinuous) {
  return {
      "A common claim: \"Without the trick dz/dmu does not exist. Sampling is discontinuous: a "
      "tiny change of mu can give an arbitrarily different z, depending on the state of the "
      "random number generator.\" Which objection is right?",
      Choice{"With the generator's state held fixed, z = mu + sigma eps moves as smoothly as mu; "
             "and the expectation's gradient can be estimated without dz/dmu at all, by the "
             "score function.",
             {"None: this is why models with sampled latents cannot be trained without "
              "reparameterization.",
              "The gradient with respect to sigma does not exist, but the one with respect to mu "
              "does.",
              "The claim holds for continuous latents; for discrete ones the path derivative "
              "exists."}},
      "A different state gives a different sample, but that is a change of eps, not an effect of "
      "mu. Samplers for a normal distribution compute mu + sigma eps in the first place. Models "
      "trained by REINFORCE, with sampled discrete actions, have no dz/dmu and learn all the "
      "same. For discrete latents it is the path that is missing, and the score function that "
      "remains."};
}

QUESTION(variance_ratio) {
  const double mu = drawn(random, 0.5, 2.0, 1.0), sigma = drawn(random, 0.5, 2.0, 1.0);
  const double mu2 = mu * mu, var = sigma * sigma;
  const double path = 4.0 * var, score = mu2 * mu2 / var + 14.0 * mu2 + 15.0 * var;
  return {
      "f(z) = z^2 and z from N(mu, sigma^2) with mu = " + text_of(mu) +
          " and sigma = " + text_of(sigma) +
          ". One draw estimates dE[f]/dmu = 2 mu, by the path, f'(z), or by the score function, "
          "f(z) (z - mu) / sigma^2. How many times larger is the variance of the score "
          "function's estimate?",
      Number{score / path, 5e-3},
      "By the path Var[2 z] = 4 sigma^2 = " + text_of(path) +
          ". By the score function mu^4 / sigma^2 + 14 mu^2 + 15 sigma^2 = " + text_of(score) +
          ". The ratio is " + text_of(score / path) +
          ": that many times more draws for the same accuracy."};
}

QUESTION(softplus_said_to_be_a_trap) {
  const double sigma = random == nullptr ? 1e-3 : std::round(random->uniform(1.0, 9.0)) * 1e-3;
  const double ratio = -std::expm1(-sigma) / (sigma / 2.0);
  return {
      "A common claim: \"sigma = softplus(x) is a trap, its gradient dies near sigma = 0; use "
      "sigma = exp(x / 2).\" At sigma = " +
          text_of(sigma) +
          ", how many times as large as the slope dsigma/dx of the exponential form is that of "
          "the softplus form?",
      Number{ratio, 1e-3},
      "softplus: 1 - e^-sigma = " + text_of(-std::expm1(-sigma)) +
          "; exp(x / 2): sigma / 2 = " + text_of(sigma / 2.0) + "; ratio " + text_of(ratio) +
          ". Both slopes shrink in proportion to sigma, and softplus is the steeper one. dKL/dx "
          "stays near -1 and -1/2. Log-variances have better reasons: x enters the KL term "
          "without a logarithm, and one unit of x is one factor everywhere."};
}

}  // namespace latent::grader

// The questions of chapter 04. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <cmath>
#include <cstdio>
#include <string>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

/// A number drawn in steps of 1/20, or the workbook's.
double drawn(Random* random, double low, double high, double printed) {
  return random == nullptr ? printed : std::round(20.0 * random->uniform(low, high)) / 20.0;
}

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

QUESTION(break_it_no_kl) {
  return {
      "Break it, 1. A VAE that trains well at beta = 1 is trained again with the KL removed. "
      "Predict what happens.",
      Choice{
          "Reconstructions get better, sigma goes to 0, the codes spread far beyond N(0, I), and "
          "decoded draws of the prior get worse.",
          {"Reconstructions and samples both get better: one constraint less.",
           "Nothing is reconstructed any more, since the encoder gets no gradient.",
           "All codes shrink to 0, because nothing keeps them apart.",
           "Reconstructions get worse and samples better: the KL was what reconstruction paid "
           "for."}},
      "The error alone wants no noise, so sigma shrinks and the means move apart: an autoencoder. "
      "The encoder is trained through z = mu + sigma eps all the while. The prior is then not "
      "where the codes are. \"Small beta gives sharper samples\" is said of reconstructions, and "
      "is wrong of samples."};
}

QUESTION(break_it_no_reconstruction) {
  return {
      "Break it, 2. The same VAE, trained from its initialisation with the reconstruction removed: "
      "the KL alone. Predict what the decoder puts out afterwards.",
      Choice{"What its initial weights make of z: it gets no gradient at all and stays the same, "
             "bit for bit. The KL goes to 0.",
             {"The mean of the data set, for every z.", "Black images: all its weights go to 0.",
              "Samples of the data set, since the codes now follow the prior exactly.",
              "Noise that changes with every step, since nothing holds the decoder."}},
      "The KL depends on the encoder only. The mean of the data is often given as the answer; that "
      "is what a decoder learns when the latent says nothing *and* the reconstruction is still "
      "there, as at beta = 100. Your 4.5 has a property that asks for those zeros."};
}

QUESTION(break_it_beta_hundred) {
  const double largest = random == nullptr ? 3.0 : static_cast<double>(random->integer(2, 9));
  return {
      "Break it, 3. Data whose covariance has the largest eigenvalue " + text_of(largest) +
          " is trained with squared error, summed over features, + 100 KL. Predict what comes of "
          "it.",
      Choice{"Every q is the prior, no unit is active, and the decoder puts out the mean of the "
             "data whatever z is.",
             {"The decoder keeps its initial weights: the KL leaves it no gradient.",
              "Codes follow N(0, I) and are disentangled; reconstructions are a little softer.",
              "The loss diverges, since the KL's gradient is a hundred times too large.",
              "One unit stays active, for the direction with the largest variance."}},
      "beta / 2 = 50 is above every variance: for a linear model no direction is worth its nats, D "
      "= lambda and R = 0 in all of them. The decoder is still trained by the error, and the best "
      "constant is the mean. That is the answer that is often given for the *other* experiment."};
}

QUESTION(blurry_and_silent) {
  return {
      "Diagnosis. After two epochs reconstructions are blurred and all alike. The log says: KL "
      "0.01 nats per dimension, variance of mu over the data 1e-4 in every dimension, variance of "
      "x_hat across draws of z 1e-5, loss falling slowly. What is it?",
      Choice{"Posterior collapse: z says nothing about x and the decoder ignores it. Let the KL in "
             "later (anneal, free bits) or lower beta.",
             {"The KL is too weak: raise beta until it is no longer near 0.",
              "The decoder is too small to draw sharp pictures: make it larger.",
              "Squared error blurs: change to another loss, the latent is fine.",
              "The encoder overfits: its KL is small because it has learned the training set."}},
      "Three numbers say the same: no rate, no active unit, no influence of z. A KL near 0 is not "
      "a success of the KL term. A larger decoder makes it worse, for a decoder that needs no z "
      "uses none. Squared error does blur, but then the KL is not 0 and the pictures differ."};
}

QUESTION(what_beta_does) {
  return {
      "What does increasing beta do?",
      Choice{"It moves along the trade-off: less rate, more distortion. Reconstructions lose their "
             "fine directions first, and the codes come closer to the prior.",
             {"It makes reconstructions sharper, since the latent is better regularised.",
              "It only slows training down: the optimum stays where it was.",
              "It raises the KL, since the KL now counts more.",
              "It tightens the bound, so that log p(x) rises."}},
      "For a linear VAE exactly: D = min(lambda, beta / 2) and R = max(0, log(2 lambda / beta) / "
      "2) per direction, and a direction is given up when beta / 2 passes its variance. beta is "
      "also a statement about the decoder, whose variance it sets to beta / 2. The KL that is "
      "reported falls, and beta times the KL need not."};
}

QUESTION(nats_for_a_spectrum) {
  const double beta = drawn(random, 0.7, 1.5, 1.0);
  const double rate = 0.5 * (std::log(2.0 * 3.0 / beta) + std::log(2.0 * 1.2 / beta));
  return {
      "The ELBO as a law of rate and distortion. Gaussian data has the principal variances 3, "
      "1.2, 0.3 and 0.1. Which total rate in nats has the best linear VAE for squared error + "
      "beta KL with beta = " +
          text_of(beta) + "?",
      Number{rate, 1e-3},
      "The water level is beta / 2 = " + text_of(beta / 2.0) +
          ". Only 3 and 1.2 are above it: (log(3 / level) + log(1.2 / level)) / 2 = " +
          text_of(rate) +
          ". The other two cost nothing and keep their variance as distortion, so a third "
          "and a fourth latent dimension would collapse. Without the max(0, .) they would be "
          "credited with negative rates."};
}

QUESTION(error_averaged) {
  const double pixels = random == nullptr ? 784.0 : 16.0 * double(random->integer(20, 80));
  const double s = std::sqrt(pixels / 2.0);
  return {
      "Find the error. A training script for images of " + text_of(pixels) +
          " pixels adds mse_loss(x_hat, x), which averages over pixels and batch, and the KL, "
          "summed over dimensions and averaged over the batch, \"with beta = 1, the standard "
          "VAE\". Which standard deviation has the Gaussian decoder for which this is the negative "
          "ELBO?",
      Number{s, 1e-3},
      "Times the number of pixels it is SSE + " + text_of(pixels) +
          " KL, so the effective beta is " + text_of(pixels) +
          " and s = sqrt(beta / 2) = " + text_of(s) +
          ", for pixels between 0 and 1. No wonder it collapses. With the error summed, beta = 1 "
          "is s = 0.7071, which is still no law of nature."};
}

QUESTION(floor_of_grey) {
  const double x = drawn(random, 0.15, 0.45, 0.3);
  const double floor = -x * std::log(x) - (1.0 - x) * std::log(1.0 - x);
  return {"A pixel has the grey value " + text_of(x) +
              ". What is the least binary cross-entropy, in nats, that any logit can reach for it?",
          Number{floor, 1e-3},
          "At sigmoid(l) = x the gradient is 0, and the value is the entropy of a coin with that "
          "probability: " +
              text_of(floor) +
              ". Only for x = 0 and x = 1 it is 0. So two losses on data of different greyness "
              "(binarised and not) cannot be compared, and for grey data the Bernoulli is no "
              "likelihood: its probabilities do not integrate to 1 over [0, 1]."};
}

QUESTION(frechet_to_prior) {
  const double mean = random == nullptr ? 1.0 : 0.5 * double(random->integer(1, 5));
  const double sigma = random == nullptr ? 2.0 : 0.5 * double(random->integer(3, 7));
  const double distance = mean * mean + (sigma - 1.0) * (sigma - 1.0);
  return {
      "Ship it. Before release you compare all codes z of the test set with the prior by the "
      "Frechet distance of two Gaussians, |m|^2 + trace(S + I - 2 S^(1/2)). The codes have the "
      "mean (" +
          text_of(mean) + ", 0) and the covariance diag(" + text_of(sigma * sigma) +
          ", 1). What is it?",
      Number{distance, 1e-3},
      text_of(mean * mean) + " from the mean, and per dimension (sigma - 1)^2: " +
          text_of((sigma - 1.0) * (sigma - 1.0)) + " and 0. Together " + text_of(distance) +
          ". The average KL would not do: it is large for codes that are sharp and well "
          "spread, whose *mixture* is the prior, and that is as it should be. Report both, KL "
          "per dimension and this."};
}

}  // namespace latent::grader

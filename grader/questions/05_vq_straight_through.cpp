// The questions of chapter 05. With a generator the numbers are drawn; without one they are those
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

}  // namespace

QUESTION(what_replaces_the_gaussian) {
  return {
      "In a VQ-VAE, what replaces the Gaussian latent of a VAE?",
      Choice{
          "One of K learned vectors per position: the encoder's output is replaced by the nearest "
          "of them, and an index from 0 to K - 1 says which.",
          {"A Gaussian per code, of which the encoder predicts mean and log-variance.",
           "A softmax over K classes, of which the decoder gets the probabilities.",
           "The encoder's output itself, each number of it rounded to a grid.",
           "A single vector per image, drawn at random from a table of K."}},
      "The codebook is a matrix [K, D], and every position of the map gets one of its rows. The "
      "softmax belongs to DALL-E's dVAE, which is often called a VQ-VAE and looks nothing up; the "
      "rounding of single numbers is FSQ, lab 07."};
}

QUESTION(true_difference_of_quantization) {
  const double z = drawn(random, 0.55, 0.75, 0.7);
  return {
      "One dimension, codes at 0 and 1, z_e = " + text_of(z) +
          ". The quantizer answers 1. What is the central difference of its output, (q(z + h) - "
          "q(z "
          "- h)) / 2h, with h = 0.001?",
      Number{0.0, 1e-3},
      "Both neighbours are sent to the code 1 as well: (1 - 1) / 0.002 = 0. So it is everywhere "
      "but "
      "at the border 0.5, where the output jumps and there is no derivative. Straight-through "
      "returns 1 here. It is no approximation of this derivative, but a decision to use another "
      "one: that of the identity."};
}

QUESTION(lesson_loss) {
  const double beta = drawn(random, 0.1, 0.9, 0.25);
  return {
      "Rows (1, 0) and (0, 1) are given the codes (0.9, 0.1) and (0.1, 0.9), and beta = " +
          text_of(beta) +
          ". What do codebook and commitment term add to the loss together? Both are means over "
          "all elements.",
      Number{0.01 * (1.0 + beta), 1e-3},
      "Every one of the four elements differs by 0.1, so the mean square is 0.01; the codebook "
      "term has it once, the commitment term beta times: 0.01 (1 + " +
          text_of(beta) + ") = " + text_of(0.01 * (1.0 + beta)) +
          ". Summed instead of averaged it would be 4 times as much."};
}

QUESTION(who_receives_what) {
  return {
      "Derivation. Three terms, two receivers: L = rec + mean (sg[z_e] - e)^2 + beta mean (z_e - "
      "sg[e])^2, with a straight-through quantizer. Which of the six gradients are not zero?",
      Choice{"rec to z_e, the second term to the codebook, the third term to z_e.",
             {"rec to both, the second term to the codebook, the third term to z_e.",
              "rec to the codebook, the second term to z_e, the third term to the codebook.",
              "rec to z_e, the second term to both, the third term to both.",
              "rec to neither, the second term to the codebook, the third term to z_e."}},
      "The reconstruction passes the quantizer as if it were not there, and the detached lookup "
      "gets nothing of it. sg[z_e] leaves the second term to the codes, sg[e] the third to the "
      "encoder. So the codes learn from one term, the encoder from two."};
}

QUESTION(said_to_chase_each_other) {
  return {
      "A common claim: \"Without the stop-gradients, (z_e - e)^2 pulls both at once; encoder and "
      "codebook chase each other without a stable equilibrium. With them only one thing moves at a "
      "time.\" What is right?",
      Choice{
          "For beta = 1 the gradients are the same with and without them: both move on every "
          "step, towards each other, and the gap shrinks. They make it possible to weigh the two "
          "sides.",
          {"The claim holds: the naive loss diverges for every learning rate.",
           "The claim holds for beta = 1; a smaller beta is what makes it stable.",
           "Without them only the codes would move, since z_e comes from a network.",
           "With them the codes move on even steps and the encoder on odd ones."}},
      "d/dz of (z - e)^2 is 2 (z - e), d/de is 2 (e - z), and these are the gradients of the two "
      "stopped terms for beta = 1; only the value doubles. Of one row and its code, a step of size "
      "eta multiplies the gap by 1 - 4 eta / D and leaves their sum where it was: nothing is "
      "chased, nothing drifts. What beta = 0.25 changes is who has to do the moving."};
}

QUESTION(share_of_the_encoder) {
  const double beta = drawn(random, 0.1, 0.9, 0.25);
  return {
      "One row and its code are pulled together by the codebook term and a commitment term with "
      "beta "
      "= " +
          text_of(beta) +
          "; nothing else acts on them, and both take steps of the same small size along their own "
          "gradient. What share of the gap does the row close, the code doing the rest?",
      Number{beta / (1.0 + beta), 2e-3},
      "The row is pulled with beta, the code with 1: the row does beta / (1 + beta) = " +
          text_of(beta / (1.0 + beta)) +
          " of the way. The naive loss would give 0.5. That is all the stop-gradients are for."};
}

QUESTION(said_to_require_grad) {
  return {
      "A lesson's test: \"z_e = torch.tensor([[1., 0.], [0., 1.]]), a codebook made in the same "
      "way, "
      "z_q_st = z_e + (z_q - z_e).detach(): z_q_st.requires_grad should be True.\" Is it?",
      Choice{"No: neither input asks for gradients, so nothing made of them does. After "
             "z_e.requires_grad_() it is.",
             {"Yes: z_e is added outside of detach().",
              "No: detach() takes the gradient from the whole expression.",
              "Yes, but only because the codebook is a parameter."}},
      "A result requires a gradient if one of its inputs does. The line is right and the test has "
      "forgotten to ask. What is worth testing is the backward pass: dz_e = dz_q and a codebook "
      "gradient of 0, which is your 5.4."};
}

QUESTION(reshaped_instead_of_permuted) {
  return {
      "Find the error. A map [1, D, H, W] with D = H = W = 2 holds 10 d + 2 h + w. It is turned "
      "into "
      "rows by permute(0, 2, 3, 1).reshape(-1, D), as it should be, and back by "
      "rows.reshape_as(map). "
      "Which number stands at d = 0, h = 0, w = 1 afterwards?",
      Number{10.0, 1e-6},
      "The rows are (0, 10), (1, 11), (2, 12), (3, 13), and reshape_as fills the map with them in "
      "that order: 0, 10, 1, 11 become channel 0. There is 10 where 1 was. The way back has to be "
      "view(1, H, W, D).permute(0, 3, 1, 2)."};
}

QUESTION(beta_that_nobody_sees) {
  return {
      "Somebody multiplies the codebook term by beta = 0.25 and leaves the commitment term without "
      "a "
      "factor. What will the curve of the loss say in the first step, compared with the right "
      "code?",
      Choice{
          "Nothing: both terms have the same value, so the total is the same. Only the gradients "
          "differ.",
          {"It starts four times as high.", "It starts four times as low.", "It is negative.",
           "It is NaN, since the codebook gets no gradient."}},
      "Both terms are the same mean square behind different stop-gradients, so beta on either "
      "makes "
      "(1 + beta) times it. The codes then learn four times more slowly and the encoder is held "
      "four "
      "times more firmly. It was like that in taming-transformers (issues 46 and 57) and is kept "
      "there as the default, for the sake of published weights."};
}

}  // namespace latent::grader

// The questions of chapter 06. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <cmath>
#include <cstdio>
#include <string>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

std::int64_t drawn(Random* random, std::int64_t low, std::int64_t high, std::int64_t printed) {
  return random == nullptr ? printed : random->integer(low, high);
}

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

QUESTION(codebook_collapse) {
  return {
      "What is codebook collapse?",
      Choice{
          "Nearly all rows are given a few codes, and the others get none, so that nothing moves "
          "them any more.",
          {"All codes become the same vector, and the index does not matter any more.",
           "The encoder's output shrinks to 0, because the commitment term pulls it there.",
           "The KL term goes to 0, and the latent says nothing about the image.",
           "The codebook does not fit into memory for large K."}},
      "A code learns from the rows that choose it, by gradient or by average. A code that none "
      "chooses stays where it is, or drifts to 0, and is as far from the rows in the next batch. "
      "Posterior collapse, with its KL of 0, is another illness of another model."};
}

QUESTION(bits_of_the_used_codes) {
  const std::int64_t used = drawn(random, 5, 60, 12);
  const double bits = std::log2(double(used));
  return {"A codebook has K = 8192 codes, 13 bits per index. Only " + std::to_string(used) +
              " of them ever occur, equally often. How many bits does an index carry?",
          Number{bits, 1e-3},
          "log2 of the perplexity, and the perplexity of " + std::to_string(used) +
              " equally frequent codes is " + std::to_string(used) + ": log2 " +
              std::to_string(used) + " = " + text_of(bits) + " bits of 13. The other " +
              text_of(13.0 - bits) + " are stored, transmitted and predicted, and say nothing."};
}

QUESTION(twelve_of_8192) {
  return {
      "Diagnosis. After 50 epochs with K = 8192 only 12 codes are ever chosen; the reconstruction "
      "is "
      "passable. Rows of z_e have a norm of about 6 and differ from one another. The 12 codes lie "
      "among them; the norm of each of the other 8180 is about 0.001, which is what they were "
      "initialised with. What has happened?",
      Choice{
          "The codes started near 0, far from the rows. The few that were nearest got all the rows "
          "and moved there; the others never got one, and nothing ever brought them back.",
          {"beta is too small: the encoder runs away from its codes.",
           "The encoder has collapsed: it maps every image to the same row.",
           "Nothing is wrong: the reconstruction is passable, so 12 codes are enough, and the "
           "others "
           "are a reserve for images that have not come yet.",
           "The learning rate of the decoder is too high, so that it ignores the codes."}},
      "Who is far from all rows never learns. Codes drawn from +-1/K are far from rows of norm 6, "
      "and "
      "the first code to come closer wins everything. What helps is to start where the rows are "
      "(6.9), to keep averages and revive who has none (6.6, 6.7), or rows of a known scale. A "
      "good "
      "reconstruction is no evidence: the decoder may do a lot with 3.6 bits a position and the "
      "rest "
      "from its own memory of what images look like."};
}

QUESTION(fifty_rows_at_one) {
  const std::int64_t rows = drawn(random, 20, 90, 50);
  const double answer = 0.01 * double(rows) / (0.99 + 0.01 * double(rows));
  return {
      "The running size of a code is N = 1, its running sum m = 0, so that it lies at e = 0. In "
      "this "
      "batch it gets " +
          std::to_string(rows) +
          " rows, all of them 1; gamma = 0.99. A lesson says: e <- 0.99 e + 0.01 mean, which is "
          "0.01. "
          "Where does the code go by the two running averages? (Leave the smoothing out.)",
      Number{answer, 2e-3},
      "N = 0.99 + 0.01 x " + std::to_string(rows) + " = " + text_of(0.99 + 0.01 * double(rows)) +
          ", m = 0.01 x " + std::to_string(rows) + " = " + text_of(0.01 * double(rows)) +
          ", and m / N = " + text_of(answer) +
          ". The lesson's rule averages means, and forgets how many rows were behind each. The two "
          "agree only where the rows in the batch are as many as the running size, n = N."};
}

QUESTION(said_never_to_move) {
  return {
      "A common claim: \"A code that gets no rows is not updated at all: that is how codes die.\" "
      "What "
      "do the two running averages, with Laplace smoothing, do to a code without rows?",
      Choice{"N and m shrink alike, so it stays where it is for a long time; once N is as small as "
             "epsilon, it drifts to 0.",
             {"Nothing: neither N nor m changes, as the claim says.",
              "m shrinks and N does not, so it moves towards 0 from the first step.",
              "N shrinks and m does not, so it moves away from 0 without end.",
              "It moves to the mean of all rows, since smoothing gives it a share of them."}},
      "m / N is unchanged as long as both only lose the factor gamma. The smoothed size is about N "
      "+ "
      "epsilon: from N = 1 and gamma = 0.99, 0.998 of the code is left after 500 steps, 0.81 after "
      "1000, one half after 1146, 0.03 after 1500. It had died long before, of having no rows; the "
      "drift only tidies up."};
}

QUESTION(sizes_that_start_at_zero) {
  const std::int64_t rows = drawn(random, 40, 200, 64);
  const double sum = 0.01 * double(rows);
  const double factor = 0.99 / (1e-5 / (sum + 32e-5) * sum);
  return {
      "A widespread initialisation: the running sums m are the initial codes, the running sizes N "
      "are "
      "0. K = 32, batches of " +
          std::to_string(rows) +
          " rows, gamma = 0.99, epsilon = 1e-5. By what factor is a code that the first batch does "
          "not "
          "choose multiplied in the first update?",
      Number{factor, 3e-3},
      "m has become 0.99 m, N is still 0, and its smoothed size is epsilon S / (S + K epsilon) "
      "with S "
      "= 0.01 x " +
          std::to_string(rows) + ": 0.99 / (1e-5 / (1 + 0.00032 / " + text_of(sum) +
          ")) = " + text_of(factor) +
          ". The code is gone, at the far end of space, where no row will ever choose it. "
          "taming-transformers starts like that (nadavbh12/VQ-VAE issue 11 is about it). Averages "
          "that "
          "start at 0 and are debiased, as in Sonnet, make it exactly 0 instead. N = 1 leaves it "
          "where "
          "it is."};
}

QUESTION(revived_and_back_again) {
  return {
      "Prediction. A dead code lies at 5, with N = 0.05 and m = 0.25. You write 1 into the "
      "codebook, "
      "and nothing else. The next batch gives it no rows; gamma = 0.99. Where is it after the "
      "update?",
      Number{5.0, 2e-3},
      "The update computes it from N = 0.0495 and m = 0.2475, as if nothing had happened: 5 (4.999 "
      "with the smoothing). Size and sum have to be reset with the code, to r and r times the row. "
      "facebookresearch/encodec issue 61 and lucidrains/vector-quantize-pytorch issue 45 report "
      "the "
      "same; it does not help that \"the averages take over after the revival\": they take over "
      "what "
      "they know."};
}

QUESTION(ten_rows_at_two) {
  const std::int64_t rows = drawn(random, 5, 20, 10);
  const double n = double(rows), answer = (0.99 * 2.0 + 0.01 * 2.0 * n) / n;
  return {
      "k-means has put a code at 2, the mean of its " + std::to_string(rows) +
          " rows. The running size is set to " + std::to_string(rows) +
          ", the running sum to the centroid, 2. The same rows come again; gamma = 0.99. Where is "
          "the code after the update?",
      Number{answer, 2e-3},
      "N stays " + std::to_string(rows) + ", m = 0.99 x 2 + 0.01 x " + text_of(2.0 * n) + " = " +
          text_of(answer * n) + ": " + text_of(answer) +
          " instead of 2. The sum has to be the centroid times the size. It was like that in "
          "lucidrains/vector-quantize-pytorch (issue 66), and is in encodec."};
}

QUESTION(usage_of_one_batch) {
  const std::int64_t rows = drawn(random, 40, 100, 64);
  const double used = 32.0 * (1.0 - std::pow(31.0 / 32.0, double(rows)));
  return {
      "A perfectly healthy codebook of 32 codes: each row chooses any of them with the same "
      "probability. How many codes does a batch of " +
          std::to_string(rows) + " rows use, on average?",
      Number{used, 3e-3},
      "A code is missed by all rows with probability (31/32)^" + std::to_string(rows) + " = " +
          text_of(1.0 - used / 32.0) + ", so that 32 (1 - that) = " + text_of(used) +
          " are used. Usage and perplexity of a batch say something about the batch. A batch of "
          "1024 rows cannot use more than 1024 of 8192 codes, however healthy they are "
          "(bshall/VectorQuantizedVAE issue 3 asks about just that)."};
}

}  // namespace latent::grader

// The questions of chapter 03. With a generator the numbers are drawn; without one they are those
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

double kl(double mu, double var) {
  return 0.5 * (mu * mu + var - 1.0 - std::log(var));
}

const char* const kTable =
    "A lesson prints this table of four latent dimensions, as (mu, sigma^2): KL. "
    "Row 0 (0.1, 0.9): 0.008. Row 1 (2.5, 0.1): 4.0. Row 2 (0.0, 0.01): 1.8. Row 3 (0.3, 1.2): "
    "0.06. ";

/// The right total of the table.
double table_total() {
  return kl(0.1, 0.9) + kl(2.5, 0.1) + kl(0.0, 0.01) + kl(0.3, 1.2);
}

}  // namespace

QUESTION(two_terms) {
  return {
      "What are the two terms of the ELBO?",
      Choice{
          "E_q[log p(x|z)], how well draws of q decode to x, minus KL(q(z|x) || p(z)), how far q "
          "is from the prior.",
          {"log p(x), the evidence, minus KL(q(z|x) || p(z|x)): both are computed in training.",
           "E_q[log p(x|z)] plus KL(q(z|x) || p(z)): both are to be made large.",
           "The squared error of the reconstruction, and the entropy of the data.",
           "E_q[log p(x|z)] minus KL(p(z) || q(z|x)): q has to cover the prior."}},
      "log p(x) minus KL(q || p(z|x)) is the ELBO as well, and says what it means; but neither "
      "part "
      "can be computed when the decoder is a network. The first choice is the same number, split "
      "so "
      "that both parts can. The KL's expectation is under q, so its first argument is q."};
}

QUESTION(rows_that_are_wrong) {
  return {std::string("Find the errors. ") + kTable +
              "Which rows are wrong, rounded as they are printed?",
          Choice{"Rows 1 and 3.", {"None.", "Row 1 only.", "Rows 0 and 2.", "Rows 1, 2 and 3."}},
          "(mu^2 + sigma^2 - 1 - log sigma^2) / 2 gives 0.007680, 3.826293, 1.807585 and 0.053839. "
          "Row 1 rounds to 3.8, not 4.0, and row 3 to 0.05, not 0.06."};
}

QUESTION(total_of_the_table) {
  return {std::string("The total. ") + kTable +
              "Its total is given as 5.87. What is it, from the means and variances?",
          Number{table_total(), 1e-4},
          "5.695397. The printed rows do add up to 5.868, so the addition is right and two of its "
          "terms are not: a sum checks nothing but itself."};
}

QUESTION(share_of_the_kl) {
  const double beta = random == nullptr ? 10.0 : static_cast<double>(random->integer(6, 14));
  const double weighted = beta * table_total(), whole = 150.0 + weighted;
  return {
      "The share. Take the right total of that table, a reconstruction loss of 150, and beta = " +
          text_of(beta) +
          ". The KL, times beta, is said to be nearly half of the loss then. Which fraction of "
          "the loss is it (a number between 0 and 1)?",
      Number{weighted / whole, 2e-3},
      text_of(beta) + " * 5.695397 = " + text_of(weighted) + ", of " + text_of(whole) +
          " in all: " + text_of(weighted / whole) +
          ". For beta = 10 it is 0.275. The ratio KL to reconstruction, 0.38, is another "
          "number; half of the loss takes beta = 150 / 5.695397 = 26.3."};
}

QUESTION(gap_in_numbers) {
  const double mean = drawn(random, 0.1, 0.6, 0.3), var = drawn(random, 0.2, 0.7, 0.4);
  const double post_mean = 3.4 / 4.5, post_var = 0.5 / 4.5, apart = mean - post_mean;
  const double gap = 0.5 * (std::log(post_var / var) - 1.0 + (var + apart * apart) / post_var);
  return {"Derivation. p(z) = N(0, 1), p(x|z) = N(2 z, 0.5), x = 1.7, and q = N(" + text_of(mean) +
              ", " + text_of(var) +
              "), second places being variances. By how much is the ELBO below log p(x)?",
          Number{gap, 1e-3},
          "By KL(q || p(z|x)), and p(z|x) = N(3.4 / 4.5, 0.5 / 4.5) = N(0.755556, 0.111111). That "
          "is " +
              text_of(gap) +
              ". For q = N(0.3, 0.4): log p(x) = -1.992088, ELBO = -3.585510, gap 1.593422. Your "
              "function of 3.6 computes all three, none of them by subtraction from the others."};
}

QUESTION(when_line_two_equals_line_one) {
  return {
      "log p(x) = log sum_z p(x, z) = log sum_z q(z) p(x, z) / q(z). When is the second step, "
      "which comes before any inequality, an equality?",
      Choice{"If q(z) > 0 wherever p(x, z) > 0.",
             {"Always: the same number has been multiplied and divided by.",
              "If q is the posterior, and only then.", "If q sums to 1.",
              "If p(x, z) > 0 wherever q(z) > 0."}},
      "The new sum runs over the z that q can draw. A z with q(z) = 0 and p(x, z) > 0 adds to the "
      "first sum and not to the second, so that this line is already smaller. The bound survives: "
      "the lines only fall. A Gaussian q is positive everywhere, which is why derivations do not "
      "mention it. Where the reverse condition fails, the ELBO is -infinity."};
}

QUESTION(maximising_the_bound) {
  return {
      "A model answer says: the bound is useful because \"maximising a lower bound on log p(x) "
      "also "
      "increases log p(x) itself\". What is right?",
      Choice{"Not in general: ELBO = log p(x) - KL(q || p(z|x)), which can rise while log p(x) "
             "falls, if the gap closes by more. Guaranteed is only that log p(x) is at least the "
             "ELBO.",
             {"It is right: if a lower bound rises, what lies above it has to rise as well.",
              "It is right for the decoder's parameters and wrong for the encoder's.",
              "It is wrong: the ELBO has no relation to log p(x) at all.",
              "It is right as long as q is a Gaussian."}},
      "With w = 2 and q = N(0.3, 0.4) the ELBO is -3.5855 and log p(x) is -1.9921. With w = 3.5 "
      "and "
      "the exact posterior both are -2.3050: the ELBO rose by 1.28 while log p(x) fell by 0.31. A "
      "step of the decoder alone has no guarantee either, since the posterior depends on the "
      "decoder and the gap moves with it. Where q is too simple, models are preferred whose "
      "posterior is as simple."};
}

QUESTION(decoder_deviation) {
  const double beta = drawn(random, 0.2, 4.0, 1.0), s = std::sqrt(beta / 2.0);
  return {
      "A loss is the squared error, summed over features, plus beta KL, with beta = " +
          text_of(beta) +
          ". Up to a factor and a constant it is the negative ELBO of a decoder N(x_hat, s^2). "
          "What is s?",
      Number{s, 1e-3},
      "-ELBO = SSE / (2 s^2) + KL + const. Times 2 s^2 it is SSE + 2 s^2 KL + const, so beta = "
      "2 s^2 and s = sqrt(beta / 2) = " +
          text_of(s) +
          ". For beta = 1 that is 0.7071, not 1. A function that returns SSE + beta KL under the "
          "name `elbo` differs from the ELBO in sign, factor and constant."};
}

QUESTION(sampled_kl) {
  return {
      "A common claim: estimating KL(q || N(0, I)) by sampling is \"3x slower for no reason\", "
      "since "
      "the closed form exists. What is the price of the estimate (z^2 - eps^2 - l) / 2, given the "
      "z "
      "and eps of the forward pass?",
      Choice{
          "Variance: mu^2 sigma^2 + (sigma^2 - 1)^2 / 2 per dimension. The work is about that of "
          "the closed form; and where there is none (flows, mixtures, learned priors), nothing "
          "else is left.",
          {"Time: log q and log p take several times the work of the closed form.",
           "Bias: its mean is above the closed form.",
           "Bias: its mean is below the closed form, since it can be negative.",
           "Nothing: every draw gives the same number."}},
      "z, eps and l are at hand after the forward pass, and no exponential has to be computed, so "
      "the estimate takes no more work. At mu = 3, sigma = 0.2 its variance is 0.8208 around a "
      "mean "
      "of 5.629438. At mu = 0.1, sigma = 0.9 it is 0.02615 around 0.015361: a standard deviation "
      "ten times the mean. Prefer the closed form where there is one, for that reason."};
}

}  // namespace latent::grader

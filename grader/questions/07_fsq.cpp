// The questions of chapter 07. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <cmath>
#include <cstdio>
#include <string>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

/// A whole number, drawn or the workbook's.
int drawn(Random* random, int low, int high, int printed) {
  return random == nullptr ? printed : static_cast<int>(random->integer(low, high));
}

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

QUESTION(codes_of_a_grid) {
  const int levels = drawn(random, 5, 9, 5), dimensions = drawn(random, 4, 6, 4);
  const double codes = std::pow(levels, dimensions);
  return {"An FSQ quantizer has " + std::to_string(dimensions) + " dimensions of " +
              std::to_string(levels) + " levels each. How many codes does it have?",
          Number{codes, 1e-9},
          std::to_string(levels) + "^" + std::to_string(dimensions) + " = " + text_of(codes) +
              ": every level of one dimension goes with every level of the others. No table of "
              "codes is stored; a VQ-VAE with as many codes of width 256 would store and train " +
              text_of(256.0 * codes) + " numbers."};
}

QUESTION(levels_of_the_misquoted_formula) {
  const int levels = drawn(random, 3, 9, 5);
  return {
      "A common claim: \"FSQ with L levels rounds L tanh(z).\" How many different integers does "
      "round(" +
          std::to_string(levels) +
          " tanh(z)) take, as z runs over all numbers (tanh may reach "
          "-1 and 1, as it does in floating point)?",
      Number{2.0 * levels + 1.0, 1e-9},
      "2 L + 1 = " + std::to_string(2 * levels + 1) + ", from -" + std::to_string(levels) + " to " +
          std::to_string(levels) + ", where " + std::to_string(levels) +
          " were wanted. For odd L the simple formula is floor(L / 2) tanh(z); for even L an "
          "offset of half a step has to come off as well."};
}

QUESTION(levels_without_an_offset) {
  const int levels = 2 * drawn(random, 2, 6, 4);
  return {
      "A common implementation: round(tanh(z) (L - 1) / 2), for every L. With L = " +
          std::to_string(levels) +
          ", how many different integers come out for moderate z, where |tanh(z)| < 1?",
      Number{levels - 1.0, 1e-9},
      "The range is -" + text_of((levels - 1) / 2.0) + " to " + text_of((levels - 1) / 2.0) +
          " without its ends, and the integers inside are -" + std::to_string(levels / 2 - 1) +
          " to " + std::to_string(levels / 2 - 1) + ": " + std::to_string(levels - 1) +
          ", one fewer than wanted. Where tanh saturates in floating point, the two ends are ties" +
          (levels % 4 == 0 ? ", and round to two spurious levels outside. " : ". ") +
          "Half a step off, and a shift so that 0 stays 0, gives exactly L."};
}

QUESTION(range_of_a_dimension) {
  return {
      "A comment in a lesson's code says: \"tanh bounds to [-1, 1], scale to [-L/2, L/2]\", above "
      "a "
      "line that multiplies by (L - 1) / 2. Which correction is right?",
      Choice{"The range is [-(L - 1)/2, (L - 1)/2], since L levels have L - 1 steps between them; "
             "and tanh's range is open on paper but closed in float, where the ends are reached.",
             {"None: (L - 1) / 2 is L/2, up to rounding.",
              "The code is wrong and the comment right: it has to multiply by L / 2.",
              "tanh bounds to [0, 1], so the range is [0, L - 1]."}},
      "Fence posts: 5 levels, -2 to 2, span 4 steps. With L/2 = 2.5 the ends would round to 3. And "
      "the ends matter: in float tanh(z) is exactly 1 from about z = 9 on, so what the formula "
      "does at -1 and 1 does happen."};
}

QUESTION(index_of_digits) {
  const int a = drawn(random, 1, 7, 7), b = drawn(random, 0, 4, 1);
  const int c = drawn(random, 0, 4, 2), d = drawn(random, 1, 4, 4);
  const int index = a + 8 * b + 40 * c + 200 * d;
  return {"Levels 8, 5, 5, 5. A row has the digits " + std::to_string(a) + ", " +
              std::to_string(b) + ", " + std::to_string(c) + ", " + std::to_string(d) +
              ", counted from 0. What is its index, with dimension 0 as the least significant?",
          Number{static_cast<double>(index), 1e-9},
          "The places are 1, 8, 8 x 5 = 40 and 8 x 5 x 5 = 200, so the index is " +
              std::to_string(index) +
              ". With the last dimension as the least significant it would "
              "be " +
              std::to_string(((a * 5 + b) * 5 + c) * 5 + d) +
              ". A round trip through either order succeeds; only a number computed elsewhere "
              "tells them apart."};
}

QUESTION(gradient_through_the_quantizer) {
  const double z = drawn(random, 1, 8, 3) / 10.0;
  const double half_l = 7.0 * 1.001 / 2.0, t = std::tanh(z + std::atanh(0.5 / half_l));
  const double slope = half_l * (1.0 - t * t) / 4.0;
  return {"8 levels, epsilon = 1e-3, z = " + text_of(z) +
              ". The gradient with respect to the code is 1. What does the straight-through "
              "estimator send back to z?",
          Number{slope, 2e-3},
          "half_l (1 - tanh^2(z + shift)) / half_width = " + text_of(slope) +
              ", with half_l = 3.5035, shift = 0.143695 and half_width = 4. Rounding is passed "
              "through as if it were the identity; bounding and division keep their derivatives. "
              "Skipping the tanh too would give 1 / 4, and the honest derivative is 0."};
}

QUESTION(collapse_said_to_be_impossible) {
  return {
      "A comparison says of FSQ: \"Collapse risk: none, all codes are equally accessible.\" Which "
      "statement holds up?",
      Choice{
          "Nothing guarantees it. The grid fixes which codes exist, not how often they are used: "
          "latents decide that, cells have different probabilities, and the nearly full usage "
          "that is reported is an observation.",
          {"It is right: every cell has the same width in z, so all codes are equally likely.",
           "It is right because no codebook is trained, and what is not trained cannot collapse.",
           "It is wrong: without a commitment loss FSQ collapses more often than VQ."}},
      "There is no codebook vector that could drift away from the data and die; that cause of "
      "collapse is gone. But an encoder whose outputs stay near 0 uses the middle codes only, one "
      "with huge outputs uses the corners only, and cells are not of equal width in z, because "
      "tanh stretches the outer ones. A usage of 50 % has been reported for a very mundane reason: "
      "indices computed in bfloat16 (lucidrains/vector-quantize-pytorch issue 114)."};
}

QUESTION(fsq_against_vq) {
  return {
      "\"FSQ is simpler, VQ reconstructs slightly better.\" What do the reported comparisons "
      "support?",
      Choice{"The two are comparable: the paper's metrics differ by 0.5 to 3 %, and FSQ goes on "
             "improving with larger codebooks where VQ degrades.",
             {"FSQ reconstructs clearly better at every size.",
              "VQ is better at every size, and the gap grows with the codebook.",
              "FSQ is better only below 256 codes."}},
      "For a small codebook VQ has the advantage of placing its codes freely. As codebooks grow, "
      "VQ uses a smaller and smaller part of its own, and FSQ does not. So the answer depends on "
      "the size, and \"slightly better\" without a size says little."};
}

QUESTION(what_two_levels_need) {
  return {
      "With 2 levels, half_l = (1 + epsilon) / 2 and offset 1/2, what is the shift "
      "artanh(offset / half_l) for epsilon = 1e-3?",
      Number{std::atanh(0.5 / 0.5005), 2e-3},
      "artanh(0.999) = " + text_of(std::atanh(0.5 / 0.5005)) +
          ". At z = 0 the tanh is then at 0.999, where its slope is 0.002: the formula still gives "
          "two codes and almost no gradient. With (1 - epsilon) the argument exceeds 1, and the "
          "shift is NaN. So this contract starts at 3 levels, as others do by an assertion "
          "(lucidrains/vector-quantize-pytorch issue 237)."};
}

}  // namespace latent::grader

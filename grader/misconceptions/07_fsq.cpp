// Wrong answers to lab 07 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one. The first of each exercise calls
// nothing but Eigen and common/, so that it can be compiled as a submission.
//
// Left out, with the reason:
//   fsq_quantize rounding halves away from 0 (std::round, Eigen's .round()): a tanh in floats meets
//     a tie only by accident, and two right implementations would then disagree as well. At ties
//     that are exact it is fsq-index.halves-away-from-0.
//   a NaN for 2 levels, from (1 - epsilon): the contract starts at 3 levels.
//   the whole codebook of 4^16 codes materialised: it would need 275 GB here. Refusing it for its
//     size is below (fsq-codebook.whole-size-refused).
//   codebooks with duplicates: every way to get them that we know is one of those below.
//   codes_to_index with the basis of its products taken in another order than the levels: the same
//     numbers as fsq-index.order-reversed.
//   index_to_codes with the radix reversed consistently with codes_to_index: that is
//     fsq-codes.order-reversed.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "fsq.hpp"
#include "grader/judge/misconception.hpp"

namespace solution = latent;

namespace latent {

namespace {

/// Every element of x through f(x, levels of its column), where the shapes fit.
template <typename F>
Matrix by_column(const Matrix& x, const Levels& levels, F f) {
  require_size(std::ssize(levels), x.cols(), "number of levels");
  Matrix result(x.rows(), x.cols());
  for (Index d = 0; d < x.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    const LevelGeometry g = solution::level_geometry(l);
    for (Index n = 0; n < x.rows(); ++n) result(n, d) = static_cast<float>(f(x(n, d), l, g));
  }
  return result;
}

/// dy times f(x, levels of its column), where the shapes fit.
template <typename F>
Matrix slopes(const Matrix& dy, const Matrix& x, const Levels& levels, F f) {
  require(dy.rows() == x.rows() && dy.cols() == x.cols(), "gradient and input differ in shape");
  return dy.cwiseProduct(by_column(x, levels, f));
}

/// Codes as digits, one row of x at a time, without any check.
std::int64_t digit_of(float code, std::int64_t l) {
  return static_cast<std::int64_t>(std::rint(double(code) * double(l / 2))) + l / 2;
}

}  // namespace

// ---- 7.1 level_geometry ------------------------------------------------------------------------

namespace tan_for_artanh {
LevelGeometry level_geometry(std::int64_t levels) {
  require(levels >= 3 && levels <= 999, "3 to 999 levels");
  LevelGeometry geometry;
  geometry.half_width = levels / 2;
  geometry.offset = levels % 2 == 0 ? 0.5 : 0.0;
  geometry.half_l = static_cast<double>(levels - 1) * 1.001 / 2.0;
  geometry.shift = std::tan(geometry.offset / geometry.half_l);
  return geometry;
}
}  // namespace tan_for_artanh
MISCONCEPTION(tan_for_artanh, level_geometry, "fsq-geometry.tan-for-artanh",
              "The shift is a tangent. What undoes tanh is artanh, std::atanh.",
              "tan is a plausible slip for the inverse of tanh, and a famous one: it stands in the "
              "notebook that was published with the paper. For 4 levels it gives 0.345881 instead "
              "of 0.346199, so that a latent of 0 is bounded to -0.000425 and not to 0. "
              "lucidrains/vector-quantize-pytorch issue 94 found it; the author confirmed it, and "
              "pull request 95 corrected the port.")

namespace margin_narrowed {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.half_l = static_cast<double>(levels - 1) * (1.0 - 1e-3) / 2.0;
  geometry.shift = std::atanh(geometry.offset / geometry.half_l);
  return geometry;
}
}  // namespace margin_narrowed
MISCONCEPTION(
    margin_narrowed, level_geometry, "fsq-geometry.margin-narrowed",
    "half_l was made smaller by epsilon. This contract widens: (L - 1)(1 + epsilon) / 2.",
    "Both spellings are in use. The paper's notebook narrows, the ports to PyTorch and Cosmos "
    "widen. Both give L levels for L >= 3, so that training does not show the difference, but "
    "weights trained with one are decoded slightly off with the other. With 2 levels the narrow "
    "form asks for the artanh of a number above 1, which is NaN.")

namespace no_margin {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.half_l = static_cast<double>(levels - 1) / 2.0;
  geometry.shift = std::atanh(geometry.offset / geometry.half_l);
  return geometry;
}
}  // namespace no_margin
MISCONCEPTION(no_margin, level_geometry, "fsq-geometry.no-margin",
              "half_l is (L - 1) / 2, without the margin. It is multiplied by 1 + 1e-3.",
              "With 2 levels offset / half_l would be exactly 1 and its artanh infinite. From 3 "
              "levels on one can do without a margin, but then the numbers differ from those of "
              "the common ports by a thousandth.")

namespace half_of_levels {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.half_l = static_cast<double>(levels) * (1.0 + 1e-3) / 2.0;
  geometry.shift = std::atanh(geometry.offset / geometry.half_l);
  return geometry;
}
}  // namespace half_of_levels
MISCONCEPTION(half_of_levels, level_geometry, "fsq-geometry.half-of-levels",
              "half_l was computed from L. L levels have L - 1 steps between them, so it is "
              "(L - 1)(1 + epsilon) / 2.",
              "Fence posts: 5 levels, -2 to 2, span 4 steps and 2 on each side. With 5 / 2 the "
              "bounded value reaches 2.5025, which rounds to 3: a sixth and a seventh level that "
              "appear only where tanh is almost flat, and indices beyond the codebook.")

namespace offset_always {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.offset = 0.5;
  geometry.shift = std::atanh(0.5 / geometry.half_l);
  return geometry;
}
}  // namespace offset_always
MISCONCEPTION(offset_always, level_geometry, "fsq-geometry.offset-for-odd",
              "You take off half a step for odd numbers of levels too. They have a middle level, "
              "so their offset is 0, and with it the shift.",
              "5 levels are -2 to 2, symmetric around 0. Moved down by half a step, the range ends "
              "at -2.5 and 1.5: the outermost levels lie on ties, and one of them is lost or a "
              "sixth is won, as the rounding likes.")

namespace offset_never {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.offset = 0.0;
  geometry.shift = 0.0;
  return geometry;
}
}  // namespace offset_never
MISCONCEPTION(offset_never, level_geometry, "fsq-geometry.no-offset",
              "There is no offset. An even number of levels has no middle one: half a step has to "
              "be taken off.",
              "4 levels around 0 without an offset are bounded to -1.5 and 1.5, and what rounds "
              "inside is -1, 0, 1: three levels. The fourth comes and goes with the last bit of "
              "tanh. In a toy comparison (lucidrains/vector-quantize-pytorch pull request 74) an "
              "FSQ without the offset used 58 % of its codes, and much more with it.")

namespace offset_in_codes {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.offset /= static_cast<double>(geometry.half_width);
  return geometry;
}
}  // namespace offset_in_codes
MISCONCEPTION(offset_in_codes, level_geometry, "fsq-geometry.offset-in-codes",
              "The offset was divided by half_width. It is measured in steps: one half.",
              "Bounding and rounding happen in steps, where neighbours are 1 apart; the division "
              "by half_width comes afterwards. An offset in the units of the finished codes is "
              "too small before the rounding.")

namespace offset_whole {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.offset *= 2.0;
  return geometry;
}
}  // namespace offset_whole
MISCONCEPTION(offset_whole, level_geometry, "fsq-geometry.offset-whole",
              "The offset of an even number of levels is a whole step. It is half a step.",
              "Rounding is blind to whole steps: moved by 1, the range -1.5 to 1.5 of four levels "
              "becomes -2.5 to 0.5 and still holds three whole levels and two slivers. Half a "
              "step moves its ends into the middle of levels.")

namespace shift_always {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.shift = std::atanh(0.5 / geometry.half_l);
  return geometry;
}
}  // namespace shift_always
MISCONCEPTION(shift_always, level_geometry, "fsq-geometry.shift-for-odd",
              "Odd numbers of levels are shifted as well. Their offset is 0, and so is artanh(0).",
              "The shift exists to make up for the offset. Where nothing was taken off, a shift "
              "bends the other way: with 5 levels a latent of 0 would be bounded to 0.5, on the "
              "border between two codes.")

namespace shift_linear {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.shift = geometry.offset / geometry.half_l;
  return geometry;
}
}  // namespace shift_linear
MISCONCEPTION(shift_linear, level_geometry, "fsq-geometry.shift-linear",
              "The shift is offset / half_l. It is the artanh of that, because it stands inside "
              "the tanh.",
              "For many levels the two agree, since artanh(x) is about x for small x: 0.0666 and "
              "0.0667 for 16 levels. For 4 they are 0.333 and 0.346.")

namespace shift_from_width {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.shift = std::atanh(geometry.offset / static_cast<double>(geometry.half_width));
  return geometry;
}
}  // namespace shift_from_width
MISCONCEPTION(shift_from_width, level_geometry, "fsq-geometry.shift-from-width",
              "The shift was computed with half_width. What multiplies the tanh is half_l.",
              "The shift has to solve half_l tanh(shift) = offset. half_width, floor(L / 2), is "
              "another number: it names the lowest code, and for even L it is half a step larger "
              "than half of the range.")

namespace halved_as_integer {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.half_l = static_cast<double>((levels - 1) / 2) * (1.0 + 1e-3);
  geometry.shift = std::atanh(geometry.offset / geometry.half_l);
  return geometry;
}
}  // namespace halved_as_integer
MISCONCEPTION(halved_as_integer, level_geometry, "fsq-geometry.integer-division",
              "(L - 1) / 2 was divided as integers, which loses one half for even L.",
              "In C++ 7 / 2 is 3. Half of the range of 8 levels is 3.5 steps; with 3 and the "
              "offset of one half, bounded values end at 2.5, on a tie.")

namespace width_too_small {
LevelGeometry level_geometry(std::int64_t levels) {
  LevelGeometry geometry = solution::level_geometry(levels);
  geometry.half_width = (levels - 1) / 2;
  return geometry;
}
}  // namespace width_too_small
MISCONCEPTION(width_too_small, level_geometry, "fsq-geometry.width-too-small",
              "half_width is (L - 1) / 2 rounded down. It is floor(L / 2): 4 for 8 levels.",
              "With the offset, 8 levels are the integers -4 to 3, and dividing by 4 brings all of "
              "them into [-1, 1]. With 3 the lowest code would be -1.33.")

namespace two_accepted {
LevelGeometry level_geometry(std::int64_t levels) {
  if (levels != 2) return solution::level_geometry(levels);
  return {1, 0.5, 0.5005, std::atanh(0.5 / 0.5005)};
}
}  // namespace two_accepted
MISCONCEPTION(two_accepted, level_geometry, "fsq-geometry.two-accepted",
              "2 levels were accepted. The contract starts at 3.",
              "The formula does give numbers: half_l 0.5005 and a shift of 3.8, where tanh is "
              "flat and the gradient 0.2 % of what it could be. lucidrains/vector-quantize-pytorch "
              "issue 237 is a user who ran into that; 2 levels are now refused there, too. The "
              "symmetric variant of FSQ can do 2 levels.")

namespace thousand_accepted {
LevelGeometry level_geometry(std::int64_t levels) {
  if (levels <= 999) return solution::level_geometry(levels);
  const double half_l = static_cast<double>(levels - 1) * 1.001 / 2.0;
  const double offset = levels % 2 == 0 ? 0.5 : 0.0;
  return {levels / 2, offset, half_l, std::atanh(offset / half_l)};
}
}  // namespace thousand_accepted
MISCONCEPTION(thousand_accepted, level_geometry, "fsq-geometry.no-upper-limit",
              "More than 999 levels were accepted.",
              "The margin is a thousandth of L - 1. At 1001 levels that is a whole step, half a "
              "step on each side, and the outermost bounded values lie on ties: beyond, there are "
              "two levels too many.")

namespace three_refused {
LevelGeometry level_geometry(std::int64_t levels) {
  require(levels > 3, "more than 3 levels");
  return solution::level_geometry(levels);
}
}  // namespace three_refused
MISCONCEPTION(three_refused, level_geometry, "fsq-geometry.three-refused",
              "3 levels were refused. 3 is the smallest number that is allowed.",
              "Three levels, -1, 0 and 1, are the smallest grid with a middle. Fewer than 5 are "
              "not recommended, but that is advice and no limit.")

namespace last_refused {
LevelGeometry level_geometry(std::int64_t levels) {
  require(levels < 999, "fewer than 999 levels");
  return solution::level_geometry(levels);
}
}  // namespace last_refused
MISCONCEPTION(last_refused, level_geometry, "fsq-geometry.last-refused",
              "999 levels were refused. The range 3 to 999 includes both ends.",
              "Limits that a contract names are included unless it says otherwise.")

// ---- 7.2 fsq_bound -----------------------------------------------------------------------------

namespace one_level_lost {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "number of levels");
  Matrix bounded(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    require(l >= 3 && l <= 999, "3 to 999 levels");
    for (Index n = 0; n < z.rows(); ++n) {
      bounded(n, d) = std::tanh(z(n, d)) * static_cast<float>(l - 1) / 2.0F;
    }
  }
  return bounded;
}
}  // namespace one_level_lost
MISCONCEPTION(one_level_lost, fsq_bound, "fsq-bound.one-level-lost",
              "You computed tanh(z) (L - 1) / 2. For even L that rounds to only L - 1 levels: half "
              "a step has to be taken off, and the tanh shifted to make up for it.",
              "For odd L it is nearly right, and this form is often printed. For L = 4 the range "
              "is -1.5 to 1.5, and what rounds inside is -1, 0, 1. The two ends are reached only "
              "where tanh is 1 in floating point, and round to -2 and 2, so that of four levels "
              "three work and two others appear now and then.")

namespace twice_as_many {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t l, const LevelGeometry&) {
    return double(l) * std::tanh(x);
  });
}
}  // namespace twice_as_many
MISCONCEPTION(twice_as_many, fsq_bound, "fsq-bound.twice-as-many-levels",
              "You computed L tanh(z), which rounds to 2 L + 1 levels. L levels need half of that "
              "range.",
              "-L to L are 2 L + 1 integers: 11 where 5 were asked for. The formula "
              "round(L tanh z) is a common misquotation of the paper, whose simple case is "
              "floor(L / 2) tanh(z), for odd L. Indices computed from it leave the codebook.")

namespace bound_tan {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::tanh(x + std::tan(g.offset / g.half_l)) * g.half_l - g.offset;
  });
}
}  // namespace bound_tan
MISCONCEPTION(bound_tan, fsq_bound, "fsq-bound.tan",
              "The shift was computed with a tangent: 0 does not stay at 0. It is artanh(offset / "
              "half_l), which level_geometry gives you.",
              "For 8 levels and more the slip is smaller than a float shows, for 4 it is -0.000425 "
              "at 0. It comes from the paper's own notebook "
              "(lucidrains/vector-quantize-pytorch issue 94).")

namespace not_shifted {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::tanh(x) * g.half_l - g.offset;
  });
}
}  // namespace not_shifted
MISCONCEPTION(not_shifted, fsq_bound, "fsq-bound.not-shifted",
              "The offset is taken off, but nothing makes up for it: a latent of 0 ends at -0.5. "
              "The shift goes inside the tanh.",
              "-0.5 is a tie. Encoders start with outputs near 0, so that at first all latents of "
              "an even dimension would sit on the border between two codes, where the least noise "
              "decides.")

namespace shift_outside {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return (std::tanh(x) + g.shift) * g.half_l - g.offset;
  });
}
}  // namespace shift_outside
MISCONCEPTION(shift_outside, fsq_bound, "fsq-bound.shift-outside",
              "The shift was added after the tanh. It belongs to z, inside.",
              "Outside, it moves the whole range up again and undoes the offset: for 4 levels the "
              "range goes from -1.48 to 1.52, so that the lowest level is lost and one above the "
              "highest is hardly reached. Inside, it moves only what lies between the ends.")

namespace offset_added {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::tanh(x + g.shift) * g.half_l + g.offset;
  });
}
}  // namespace offset_added
MISCONCEPTION(offset_added, fsq_bound, "fsq-bound.offset-added",
              "The offset was added. It is taken off, so that the levels are -h to h - 1.",
              "Added, the integers are -(h - 1) to h, which are as many, but not those that the "
              "digits of 7.4 start from, and a latent of 0 ends at 1 instead of 0.")

namespace first_for_all {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "number of levels");
  for (const std::int64_t l : levels) solution::level_geometry(l);
  const Levels same(levels.size(), levels[0]);
  return solution::fsq_bound(z, same);
}
}  // namespace first_for_all
MISCONCEPTION(first_for_all, fsq_bound, "fsq-bound.first-levels-for-all",
              "All columns were bounded with the levels of the first one. Each column has its "
              "own.",
              "With 8, 8, 8, 8 nobody notices. Published tokenizers mix them: Cosmos' discrete "
              "ones have 8, 8, 8, 5, 5, 5, where half of the dimensions would come out with "
              "digits up to 7 in places for 5.")

namespace clamped_not_bent {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::clamp(x + g.shift, -1.0, 1.0) * g.half_l - g.offset;
  });
}
}  // namespace clamped_not_bent
MISCONCEPTION(clamped_not_bent, fsq_bound, "fsq-bound.clamped",
              "You clamped where the contract has a tanh.",
              "Near 0 the two agree, and both bound. But a clamp has no gradient at all outside "
              "its range: a latent that starts at 3 stays there for ever, while tanh pulls it back "
              "slowly. And all outside land on the two outermost codes.")

namespace cut_to_codes {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t l, const LevelGeometry& g) {
    const double bounded = std::tanh(x + g.shift) * g.half_l - g.offset;
    return std::clamp(bounded, -double(g.half_width), double(l - 1 - g.half_width));
  });
}
}  // namespace cut_to_codes
MISCONCEPTION(cut_to_codes, fsq_bound, "fsq-bound.cut-to-codes",
              "You cut the result off at the outermost codes. It may overshoot them by the "
              "margin: far out, 4 levels go to -2.0015.",
              "It looks tidier, and rounding would hide it. But the cut takes away the gradient "
              "there, and the backward pass, which knows of no cut, would no longer be this "
              "function's.")

namespace in_codes {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return (std::tanh(x + g.shift) * g.half_l - g.offset) / double(g.half_width);
  });
}
}  // namespace in_codes
MISCONCEPTION(in_codes, fsq_bound, "fsq-bound.divided-already",
              "The result was divided by half_width already. fsq_bound yields steps; the division "
              "comes after the rounding, in fsq_quantize.",
              "Rounding a number from [-1, 1] leaves -1, 0, 1, whatever the number of levels. That "
              "is why rounding comes between the two.")

namespace rounded_already {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return solution::fsq_bound(z, levels).array().rint();
}
}  // namespace rounded_already
MISCONCEPTION(rounded_already, fsq_bound, "fsq-bound.rounded-already",
              "The result is rounded. fsq_bound only bounds; fsq_quantize rounds.",
              "Bounding has a derivative, rounding has none. They are two functions because the "
              "gradient treats them differently.")

namespace bound_narrowed {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t l, const LevelGeometry& g) {
    const double half_l = double(l - 1) * (1.0 - 1e-3) / 2.0;
    return std::tanh(x + std::atanh(g.offset / half_l)) * half_l - g.offset;
  });
}
}  // namespace bound_narrowed
MISCONCEPTION(bound_narrowed, fsq_bound, "fsq-bound.margin-narrowed",
              "The range is narrower by a thousandth; it should be wider. half_l is "
              "(L - 1)(1 + epsilon) / 2.",
              "The paper's notebook narrows and its ports widen. level_geometry has the form of "
              "this contract: call it instead of computing the range again.")

namespace exponentials_overflow {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double e = std::exp(2.0 * (x + g.shift));
    return (e - 1.0) / (e + 1.0) * g.half_l - g.offset;
  });
}
}  // namespace exponentials_overflow
MISCONCEPTION(exponentials_overflow, fsq_bound, "fsq-bound.tanh-overflows",
              "tanh was written with exponentials: for large z it is infinity over infinity, NaN. "
              "std::tanh has no such limit.",
              "(e^2x - 1) / (e^2x + 1) is right on paper. In floats e^2x overflows from x = 45 on, "
              "in doubles from 355. One NaN in a latent is enough to make the whole loss NaN.")

namespace more_levels_accepted {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require(std::ssize(levels) >= z.cols(), "too few levels");
  return solution::fsq_bound(z, Levels(levels.begin(), levels.begin() + z.cols()));
}
}  // namespace more_levels_accepted
MISCONCEPTION(more_levels_accepted, fsq_bound, "fsq-bound.more-levels-accepted",
              "More levels than columns were accepted. The numbers must agree.",
              "The check guards the loop and nothing else. But whoever hands over six levels and "
              "five columns has a network that lacks an output; the index would have lost its "
              "most significant digit.")

namespace one_for_several {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  if (levels.size() != 1) return solution::fsq_bound(z, levels);
  return solution::fsq_bound(z, Levels(static_cast<std::size_t>(z.cols()), levels[0]));
}
}  // namespace one_for_several
MISCONCEPTION(one_for_several, fsq_bound, "fsq-bound.one-for-several",
              "A single number of levels was used for several columns. The contract refuses that.",
              "Broadcasting is convenient, and here dangerous: fsq_codebook_size of the same "
              "levels would say 8 where there are 8^D codes.")

namespace bound_range_unchecked {
Matrix fsq_bound(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "number of levels");
  Matrix bounded(z.rows(), z.cols());
  for (Index d = 0; d < z.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    const double half_l = double(l - 1) * 1.001 / 2.0, offset = l % 2 == 0 ? 0.5 : 0.0;
    const double shift = std::atanh(offset / half_l);
    for (Index n = 0; n < z.rows(); ++n) {
      bounded(n, d) = static_cast<float>(std::tanh(z(n, d) + shift) * half_l - offset);
    }
  }
  return bounded;
}
}  // namespace bound_range_unchecked
MISCONCEPTION(bound_range_unchecked, fsq_bound, "fsq-bound.range-unchecked",
              "2 levels or 1000 were accepted. Every function that takes levels refuses what is "
              "not in 3 to 999.",
              "level_geometry refuses them; who computes the geometry again has to refuse again. "
              "That is a reason to call it.")

namespace slope_without_height {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  return slopes(dbounded, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double t = std::tanh(x + g.shift);
    return 1.0 - t * t;
  });
}
}  // namespace slope_without_height
MISCONCEPTION(slope_without_height, fsq_bound_backward, "fsq-bound.slope-without-height",
              "The slope lacks the factor half_l. The tanh is multiplied by it on the way there, "
              "so its derivative is, too.",
              "A constant factor in front stays in front of the derivative. Without it a dimension "
              "with 9 levels learns four times more slowly than it should, and a gradient check "
              "shows exactly 1 / half_l.")

namespace slope_from_result {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  const Matrix bounded = solution::fsq_bound(z, levels);
  return slopes(dbounded, bounded, levels, [](double b, std::int64_t, const LevelGeometry& g) {
    return g.half_l * (1.0 - b * b);
  });
}
}  // namespace slope_from_result
MISCONCEPTION(slope_from_result, fsq_bound_backward, "fsq-bound.slope-from-result",
              "You put the bounded value into 1 - t^2. t is the tanh alone, before half_l and "
              "offset.",
              "tanh's derivative is 1 - (its own output)^2. The output of fsq_bound is a tanh that "
              "was stretched and moved: with 8 levels it goes up to 3, and 1 - 9 turns the "
              "gradient round.")

namespace slope_unshifted {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  return slopes(dbounded, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double t = std::tanh(x);
    return g.half_l * (1.0 - t * t);
  });
}
}  // namespace slope_unshifted
MISCONCEPTION(slope_unshifted, fsq_bound_backward, "fsq-bound.slope-unshifted",
              "The slope was taken at z. The tanh is evaluated at z + shift, and so is its slope.",
              "For odd numbers of levels the shift is 0 and nothing is wrong. For 4 levels it is "
              "0.346, and the gradient at 0 would be an eighth too large.")

namespace slope_not_squared {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  return slopes(dbounded, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return g.half_l * (1.0 - std::tanh(x + g.shift));
  });
}
}  // namespace slope_not_squared
MISCONCEPTION(slope_not_squared, fsq_bound_backward, "fsq-bound.slope-not-squared",
              "You used 1 - t where the slope is 1 - t^2.",
              "1 - t is right at 0 and at plus infinity. On the negative side it grows to 2, where "
              "the slope fades to 0.")

namespace slope_divided {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  return slopes(dbounded, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double t = std::tanh(x + g.shift);
    return g.half_l * (1.0 - t * t) / double(g.half_width);
  });
}
}  // namespace slope_divided
MISCONCEPTION(slope_divided, fsq_bound_backward, "fsq-bound.slope-divided",
              "The slope was divided by half_width. That division belongs to fsq_quantize and "
              "its backward pass.",
              "fsq_bound does not divide, so its derivative has nothing to divide by. Divided in "
              "both places, the gradient is too small by half_width.")

namespace bound_passed_through {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  return slopes(dbounded, z, levels,
                [](double, std::int64_t, const LevelGeometry&) { return 1.0; });
}
}  // namespace bound_passed_through
MISCONCEPTION(bound_passed_through, fsq_bound_backward, "fsq-bound.passed-through",
              "The gradient passes unchanged. Only rounding is passed straight through; bounding "
              "has a derivative of its own.",
              "The straight-through estimator replaces a derivative that is 0 or does not exist. "
              "tanh has one, which is what keeps latents from running off: the further out, the "
              "smaller.")

namespace slope_overflows {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  return slopes(dbounded, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double e = std::exp(2.0 * (x + g.shift));
    return g.half_l * 4.0 * e / ((e + 1.0) * (e + 1.0));
  });
}
}  // namespace slope_overflows
MISCONCEPTION(slope_overflows, fsq_bound_backward, "fsq-bound.slope-overflows",
              "The slope was written with exponentials, and far out it is infinity over infinity, "
              "NaN. It is 0 there.",
              "4 e^2x / (e^2x + 1)^2 equals 1 - tanh^2(x) on paper. In floating point e^2x "
              "overflows, and NaN in one gradient spreads to every weight.")

namespace gradient_cut_to_fit {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  require(dbounded.rows() >= z.rows() && dbounded.cols() >= z.cols(), "dbounded is too small");
  return solution::fsq_bound_backward(dbounded.topLeftCorner(z.rows(), z.cols()), z, levels);
}
}  // namespace gradient_cut_to_fit
MISCONCEPTION(gradient_cut_to_fit, fsq_bound_backward, "fsq-bound.gradient-cut-to-fit",
              "A gradient that is larger than z was accepted. Both have one shape.",
              "Loops over z's sizes read the corner of a larger gradient and drop the rest without "
              "a word.")

namespace back_more_levels_accepted {
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels) {
  require(std::ssize(levels) >= z.cols(), "too few levels");
  return solution::fsq_bound_backward(dbounded, z,
                                      Levels(levels.begin(), levels.begin() + z.cols()));
}
}  // namespace back_more_levels_accepted
MISCONCEPTION(back_more_levels_accepted, fsq_bound_backward, "fsq-bound.back-more-levels-accepted",
              "The backward pass accepted more levels than columns. It has to refuse what the "
              "forward pass refuses.",
              "A backward pass is often called far away from its forward pass, with arguments "
              "that somebody stored in between. A second check costs nothing.")

// ---- 7.3 fsq_quantize --------------------------------------------------------------------------

namespace rounded_before_scaling {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "number of levels");
  for (const std::int64_t l : levels) require(l >= 3 && l <= 999, "3 to 999 levels");
  return z.array().tanh().rint();
}
}  // namespace rounded_before_scaling
MISCONCEPTION(rounded_before_scaling, fsq_quantize, "fsq.rounded-before-scaling",
              "You rounded a number from [-1, 1], which leaves -1, 0 and 1. Round while it is "
              "measured in steps, then divide.",
              "Rounding finds the nearest whole number, so the levels must be whole numbers when "
              "it happens. In lucidrains/vector-quantize-pytorch issues 194 and 200 a rounding "
              "had slipped behind the rescaling, and the quantizer did not quantize.")

namespace left_in_steps {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return solution::fsq_bound(z, levels).array().rint();
}
}  // namespace left_in_steps
MISCONCEPTION(left_in_steps, fsq_quantize, "fsq.left-in-steps",
              "The codes are whole numbers. They still have to be divided by half_width, to lie "
              "in [-1, 1].",
              "A decoder that sees -4 to 3 in one dimension and -1 to 1 in another has to learn "
              "the scales first. The reference implementation divides; a common lesson on FSQ "
              "stops before it, and its codes do not fit any published decoder.")

namespace rounded_down {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::floor(std::tanh(x + g.shift) * g.half_l - g.offset) / double(g.half_width);
  });
}
}  // namespace rounded_down
MISCONCEPTION(rounded_down, fsq_quantize, "fsq.rounded-down",
              "You rounded down. To the nearest whole number is what is asked for.",
              "Rounding down moves every code by half a step on average, and 4 levels get a fifth: "
              "floor(-2.0015) is -3.")

namespace cut_off {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::trunc(std::tanh(x + g.shift) * g.half_l - g.offset) / double(g.half_width);
  });
}
}  // namespace cut_off
MISCONCEPTION(cut_off, fsq_quantize, "fsq.cut-off",
              "The digits behind the point were cut off, as a cast to an integer does. Round to "
              "the nearest.",
              "Cut off, everything between -1 and 1 becomes 0, a bin twice as wide as the others, "
              "and the highest level is hardly reached. -2.738 becomes -2 and not -3.")

namespace symmetric_codes {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t l, const LevelGeometry& g) {
    const double bounded = std::tanh(x + g.shift) * g.half_l - g.offset;
    return std::rint(bounded) * 2.0 / double(l - 1);
  });
}
}  // namespace symmetric_codes
MISCONCEPTION(symmetric_codes, fsq_quantize, "fsq.divided-by-half-range",
              "You divided by (L - 1) / 2. The contract divides by half_width, floor(L / 2).",
              "For odd L they are the same. For 4 levels the codes are -2 to 1, and divided by 1.5 "
              "the lowest is -1.33. Codes that are symmetric for even L exist, in a later variant "
              "of FSQ, but there the levels are placed differently from the start.")

namespace divided_by_height {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return std::rint(std::tanh(x + g.shift) * g.half_l - g.offset) / g.half_l;
  });
}
}  // namespace divided_by_height
MISCONCEPTION(divided_by_height, fsq_quantize, "fsq.divided-by-half-l",
              "You divided by half_l. What brings whole numbers into [-1, 1] is half_width.",
              "half_l contains the margin and, for even L, lacks half a step. It belongs to the "
              "tanh; the codes are integers from -half_width on.")

namespace never_rounded {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    return (std::tanh(x + g.shift) * g.half_l - g.offset) / double(g.half_width);
  });
}
}  // namespace never_rounded
MISCONCEPTION(never_rounded, fsq_quantize, "fsq.never-rounded",
              "Nothing was rounded: any number can come out, not one of L.",
              "Without rounding this is a bounded autoencoder. Its reconstructions are better, as "
              "they should be, and it has no tokens. Trained like this and rounded only in use, "
              "the decoder meets codes that it has never seen.")

namespace first_width_for_all {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  const Matrix steps = solution::fsq_bound(z, levels).array().rint();
  return steps / static_cast<float>(levels[0] / 2);
}
}  // namespace first_width_for_all
MISCONCEPTION(first_width_for_all, fsq_quantize, "fsq.first-width-for-all",
              "All columns were divided by the first one's half_width. Each has its own.",
              "With 8, 5, 5, 5 the last three columns would end at 0.5. The bounding knew of the "
              "columns, the division has to as well.")

namespace eight_bits {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  return by_column(z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double bounded = std::tanh(x + g.shift) * g.half_l - g.offset;
    const auto steps = static_cast<std::int64_t>(std::rint(bounded));
    return double(static_cast<std::int8_t>(steps)) / double(g.half_width);
  });
}
}  // namespace eight_bits
MISCONCEPTION(eight_bits, fsq_quantize, "fsq.eight-bits",
              "The rounded value went through 8 bits, which hold -128 to 127. 999 levels need "
              "-499 to 499.",
              "Codes are small numbers, and small types save memory, until somebody asks for more "
              "levels. Which number type a count goes through is part of its range: in "
              "lucidrains/vector-quantize-pytorch issue 114 it was bfloat16, which made half of "
              "the codes unreachable.")

namespace extra_levels_ignored {
Matrix fsq_quantize(const Matrix& z, const Levels& levels) {
  require(std::ssize(levels) >= z.cols(), "too few levels");
  return solution::fsq_quantize(z, Levels(levels.begin(), levels.begin() + z.cols()));
}
}  // namespace extra_levels_ignored
MISCONCEPTION(extra_levels_ignored, fsq_quantize, "fsq.more-levels-accepted",
              "More levels than columns were accepted. The numbers must agree.",
              "fsq_bound refuses what does not fit. Called with the arguments as they came, it "
              "does the checking for you.")

namespace truly_differentiated {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return slopes(dcodes, z, levels, [](double, std::int64_t, const LevelGeometry&) { return 0.0; });
}
}  // namespace truly_differentiated
MISCONCEPTION(truly_differentiated, fsq_quantize_backward, "fsq.truly-differentiated",
              "The gradient is 0 everywhere. That is the derivative of rounding, and the reason "
              "for passing straight through it.",
              "A staircase is flat between its steps, so an honest backward pass teaches the "
              "encoder nothing. The straight-through estimator pretends that rounding was the "
              "identity.")

namespace all_passed_through {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return slopes(dcodes, z, levels, [](double, std::int64_t, const LevelGeometry&) { return 1.0; });
}
}  // namespace all_passed_through
MISCONCEPTION(all_passed_through, fsq_quantize_backward, "fsq.all-passed-through",
              "The gradient was passed through unchanged. Straight through is meant for the "
              "rounding only: the tanh and the division have derivatives.",
              "In a VQ-VAE the whole quantizer is skipped, and the encoder's output is free to "
              "grow. Here the bounding lies outside the skipped part, and its fading slope is what "
              "keeps latents near the grid.")

namespace tanh_passed_through {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return slopes(dcodes, z, levels, [](double, std::int64_t, const LevelGeometry& g) {
    return 1.0 / double(g.half_width);
  });
}
}  // namespace tanh_passed_through
MISCONCEPTION(tanh_passed_through, fsq_quantize_backward, "fsq.tanh-passed-through",
              "The bounding was skipped along with the rounding: 1 / half_width remains. The slope "
              "half_l (1 - tanh^2) belongs in between.",
              "Only what has no useful derivative is replaced. Skipping the tanh makes the "
              "gradient too small in the middle and far too large outside, where nothing holds "
              "latents back any more.")

namespace division_forgotten {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return solution::fsq_bound_backward(dcodes, z, levels);
}
}  // namespace division_forgotten
MISCONCEPTION(division_forgotten, fsq_quantize_backward, "fsq.division-forgotten",
              "The division by half_width is missing on the way back.",
              "Codes are steps / half_width, so a step moves the code by 1 / half_width, and the "
              "gradient shrinks by that. Without it each dimension learns faster the more levels "
              "it has.")

namespace hard_window {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return slopes(dcodes, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double t = std::tanh(x + g.shift);
    return std::abs(x) <= 1.0 ? g.half_l * (1.0 - t * t) / double(g.half_width) : 0.0;
  });
}
}  // namespace hard_window
MISCONCEPTION(hard_window, fsq_quantize_backward, "fsq.hard-window",
              "The gradient ends at |z| = 1. It fades with the tanh and ends nowhere.",
              "Straight-through estimators for binary networks pass the gradient within [-1, 1] "
              "only, since they bound by clipping. FSQ bounds by tanh, and its slope at z = 2 is "
              "still 7 % of that in the middle.")

namespace slope_at_code {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  const Matrix codes = solution::fsq_quantize(z, levels);
  return slopes(dcodes, codes, levels, [](double q, std::int64_t, const LevelGeometry& g) {
    return g.half_l * (1.0 - q * q) / double(g.half_width);
  });
}
}  // namespace slope_at_code
MISCONCEPTION(slope_at_code, fsq_quantize_backward, "fsq.slope-at-code",
              "You took the slope from the code, 1 - q^2. It is taken from the tanh before the "
              "rounding.",
              "The code is a rounded and, for even L, moved version of the tanh. At the code -1 "
              "this slope is exactly 0, so that whatever reaches the lowest level can never leave "
              "it.")

namespace slope_not_centred {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return slopes(dcodes, z, levels, [](double x, std::int64_t, const LevelGeometry& g) {
    const double t = std::tanh(x);
    return g.half_l * (1.0 - t * t) / double(g.half_width);
  });
}
}  // namespace slope_not_centred
MISCONCEPTION(slope_not_centred, fsq_quantize_backward, "fsq.slope-unshifted",
              "The slope was taken at z, without the shift. fsq_bound_backward has it.",
              "Only even numbers of levels have a shift, so that 3, 5 and 5 levels show nothing.")

namespace first_width_back {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  const Matrix dsteps = solution::fsq_bound_backward(dcodes, z, levels);
  return dsteps / static_cast<float>(levels[0] / 2);
}
}  // namespace first_width_back
MISCONCEPTION(first_width_back, fsq_quantize_backward, "fsq.first-width-on-the-way-back",
              "The gradients of all columns were divided by the first one's half_width. Each "
              "column has its own.",
              "With equal levels it is right, and with 8, 5, 5, 5 three of four gradients are "
              "half of what they should be: small enough to train on, and wrong.")

namespace backward_unchecked {
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require(dcodes.rows() >= z.rows() && dcodes.cols() >= z.cols(), "dcodes is too small");
  return solution::fsq_quantize_backward(dcodes.topLeftCorner(z.rows(), z.cols()), z, levels);
}
}  // namespace backward_unchecked
MISCONCEPTION(backward_unchecked, fsq_quantize_backward, "fsq.gradient-cut-to-fit",
              "A gradient larger than z was accepted. dcodes has the shape of z.",
              "Handing the arguments on as they came would have been enough: fsq_bound_backward "
              "compares the shapes.")

// ---- 7.4 codes_to_index ------------------------------------------------------------------------

namespace order_reversed {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "number of levels");
  double size = 1.0;
  for (const std::int64_t l : levels) {
    require(l >= 3 && l <= 999, "3 to 999 levels");
    require((size *= double(l)) < 9.2e18, "too many codes");
  }
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t index = 0;
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      const double digit = std::rint(double(codes(n, d)) * double(h)) + double(h);
      require(digit >= 0.0 && digit < double(l), "beyond the levels");
      index = index * l + static_cast<std::int64_t>(digit);
    }
    indices.push_back(index);
  }
  return indices;
}
}  // namespace order_reversed
MISCONCEPTION(order_reversed, codes_to_index, "fsq-index.order-reversed",
              "Your dimension 0 counts most. Here it is the least significant: it counts by 1.",
              "index = index L + digit, from the first dimension on, is how one reads decimal "
              "numbers, and it makes the last dimension the fastest. Both orders are consistent in "
              "themselves, so a round trip cannot tell: 8, 5, 5, 5 and the digits 7, 1, 2, 4 are "
              "895 here and 914 there. FSQ's reference implementation and its ports take "
              "dimension 0 first; tokens stored in the other order decode to noise.")

namespace own_levels_included {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  solution::codes_to_index(codes, levels);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()), 0);
  std::uint64_t place = 1;
  for (Index d = 0; d < codes.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    place *= static_cast<std::uint64_t>(l);
    for (Index n = 0; n < codes.rows(); ++n) {
      std::int64_t& index = indices[static_cast<std::size_t>(n)];
      const auto digit = static_cast<std::uint64_t>(digit_of(codes(n, d), l));
      index = static_cast<std::int64_t>(static_cast<std::uint64_t>(index) + digit * place);
    }
  }
  return indices;
}
}  // namespace own_levels_included
MISCONCEPTION(own_levels_included, codes_to_index, "fsq-index.own-levels-included",
              "Each digit was multiplied by its own levels, too. Only the levels before it count; "
              "dimension 0 counts by 1.",
              "The place value of seconds is 1, that of minutes 60. Multiplying seconds by 60 "
              "leaves gaps: the indices are L_0 apart, and the largest is beyond the codebook.")

namespace one_base_for_all {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  std::vector<std::int64_t> indices = solution::codes_to_index(codes, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    std::uint64_t index = 0, place = 1;
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)];
      index += static_cast<std::uint64_t>(digit_of(codes(n, d), l)) * place;
      place *= static_cast<std::uint64_t>(levels[0]);
    }
    indices[static_cast<std::size_t>(n)] = static_cast<std::int64_t>(index);
  }
  return indices;
}
}  // namespace one_base_for_all
MISCONCEPTION(one_base_for_all, codes_to_index, "fsq-index.one-base-for-all",
              "All places use the levels of dimension 0 as their base. Place d is the product of "
              "the levels before d.",
              "Decimal numbers have one base, times of day have several, and so do mixed levels. "
              "With one base for 5, 8, 5 two different rows of digits get one index.")

namespace not_moved_to_0 {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  std::vector<std::int64_t> indices = solution::codes_to_index(codes, levels);
  std::uint64_t lowest = 0, place = 1;
  for (const std::int64_t l : levels) {
    lowest += static_cast<std::uint64_t>(l / 2) * place;
    place *= static_cast<std::uint64_t>(l);
  }
  for (std::int64_t& index : indices) index -= static_cast<std::int64_t>(lowest);
  return indices;
}
}  // namespace not_moved_to_0
MISCONCEPTION(not_moved_to_0, codes_to_index, "fsq-index.not-moved-to-0",
              "half_width was not added, so that digits and indices can be negative. Digits count "
              "from 0.",
              "A code of -1 is digit 0. Left at -h, half of all tokens are negative, and an "
              "embedding table indexed with them reads from its end or fails.")

namespace index_not_reset {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  std::vector<std::int64_t> indices = solution::codes_to_index(codes, levels);
  std::uint64_t index = 0;
  for (std::int64_t& own : indices) {
    index += static_cast<std::uint64_t>(own);
    own = static_cast<std::int64_t>(index);
  }
  return indices;
}
}  // namespace index_not_reset
MISCONCEPTION(index_not_reset, codes_to_index, "fsq-index.not-reset",
              "The index goes on from row to row. Each row starts at 0.",
              "A sum that is declared outside the loop keeps what the last row left. One row "
              "alone is right, which is how most first tests look.")

namespace centred_as_symmetric {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  Matrix moved = codes;
  solution::codes_to_index(codes, levels);
  for (Index d = 0; d < codes.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    for (Index n = 0; n < codes.rows(); ++n) {
      const double digit = std::rint((double(codes(n, d)) + 1.0) / 2.0 * double(l - 1));
      moved(n, d) = static_cast<float>((digit - double(l / 2)) / double(l / 2));
    }
  }
  return solution::codes_to_index(moved, levels);
}
}  // namespace centred_as_symmetric
MISCONCEPTION(centred_as_symmetric, codes_to_index, "fsq-index.stretched-to-both-ends",
              "You stretched [-1, 1] over all L levels. For even L the codes end below 1, at "
              "1 - 1/h.",
              "(q + 1) / 2 (L - 1) is right for odd L. For 4 levels the codes are -1, -0.5, 0, 0.5 "
              "and become 0, 0.75, 1.5, 2.25: after rounding the highest digit never occurs, and "
              "one digit stands for two codes.")

namespace digits_cut_off {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  solution::codes_to_index(codes, levels);
  Matrix cut = codes;
  for (Index d = 0; d < codes.cols(); ++d) {
    const std::int64_t h = levels[static_cast<std::size_t>(d)] / 2;
    const auto width = static_cast<float>(h);
    for (Index n = 0; n < codes.rows(); ++n) {
      const auto digit = static_cast<std::int64_t>(codes(n, d) * width + width);
      cut(n, d) = static_cast<float>(digit - h) / width;
    }
  }
  return solution::codes_to_index(cut, levels);
}
}  // namespace digits_cut_off
MISCONCEPTION(digits_cut_off, codes_to_index, "fsq-index.digits-cut-off",
              "The digit was cast to an integer without rounding. A float holds k / h only nearly, "
              "and 5.9999995 becomes 5.",
              "In floats it goes well up to 25 levels and fails first with 26 and 27, at the step "
              "-7. In doubles it fails from 6 levels on, because the error of the float code is no "
              "longer rounded away. So a test with 8, 5, 5, 5 passes in one precision and fails in "
              "the other. Round before the cast.")

namespace halves_away {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  solution::codes_to_index(codes, levels);
  Matrix rounded = codes;
  for (Index d = 0; d < codes.cols(); ++d) {
    const auto h = static_cast<float>(levels[static_cast<std::size_t>(d)] / 2);
    for (Index n = 0; n < codes.rows(); ++n) rounded(n, d) = std::round(codes(n, d) * h) / h;
  }
  return solution::codes_to_index(rounded, levels);
}
}  // namespace halves_away
MISCONCEPTION(halves_away, codes_to_index, "fsq-index.halves-away-from-0",
              "A code halfway between two levels went away from 0. Ties go to the even number "
              "here: std::rint, not std::round.",
              "C's round and Eigen's .round() move 0.5 to 1 and -0.5 to -1; torch.round, "
              "numpy.rint and std::rint move both to 0. Ties are rare in a tanh and common in "
              "averages of two codes, where the two rules differ in every second one.")

namespace counted_in_float {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  std::vector<std::int64_t> indices = solution::codes_to_index(codes, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    float index = 0.0F, place = 1.0F;
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)];
      index += static_cast<float>(digit_of(codes(n, d), l)) * place;
      place *= static_cast<float>(l);
    }
    indices[static_cast<std::size_t>(n)] = static_cast<std::int64_t>(std::min(index, 9e18F));
  }
  return indices;
}
}  // namespace counted_in_float
MISCONCEPTION(counted_in_float, codes_to_index, "fsq-index.counted-in-float",
              "The index was summed in floats, which count without gaps only up to 2^24.",
              "A matrix product of digits and place values is short, and in floats. In bfloat16 "
              "the gaps begin at 256: lucidrains/vector-quantize-pytorch issue 114 reports a "
              "usage of 50 % because 1000, 1001, 1002, 1003 had become 1000, 1000, 1000, 1004.")

namespace counted_in_double {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  std::vector<std::int64_t> indices = solution::codes_to_index(codes, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    double index = 0.0, place = 1.0;
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)];
      index += static_cast<double>(digit_of(codes(n, d), l)) * place;
      place *= static_cast<double>(l);
    }
    indices[static_cast<std::size_t>(n)] = static_cast<std::int64_t>(std::min(index, 9e18));
  }
  return indices;
}
}  // namespace counted_in_double
MISCONCEPTION(counted_in_double, codes_to_index, "fsq-index.counted-in-double",
              "The index was summed in doubles, which count without gaps only up to 2^53. It is "
              "an int64: sum it as one.",
              "Doubles seem to hold every whole number that matters, and std::pow invites them. "
              "The contract promises all of int64, and 20 dimensions of 8 levels reach 2^60.")

namespace counted_in_int {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  std::vector<std::int64_t> indices = solution::codes_to_index(codes, levels);
  for (std::int64_t& index : indices) index = static_cast<std::int32_t>(index);
  return indices;
}
}  // namespace counted_in_int
MISCONCEPTION(counted_in_int, codes_to_index, "fsq-index.counted-in-int",
              "The index went through 32 bits and wrapped round. Indices are int64.",
              "int is the type one writes without thinking. 8 levels in 11 dimensions are 2^33 "
              "codes, and the sum comes out negative or small, without a message.")

namespace carried_over {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  if (!codes.allFinite()) throw std::invalid_argument("NaN");
  solution::codes_to_index(codes.cwiseMin(0.0F).cwiseMax(-1.0F), levels);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()), 0);
  std::int64_t place = 1;
  for (Index d = 0; d < codes.cols(); ++d) {
    const std::int64_t l = levels[static_cast<std::size_t>(d)];
    for (Index n = 0; n < codes.rows(); ++n) {
      indices[static_cast<std::size_t>(n)] += digit_of(codes(n, d), l) * place;
    }
    place *= l;
  }
  return indices;
}
}  // namespace carried_over
MISCONCEPTION(carried_over, codes_to_index, "fsq-index.carried-over",
              "A code beyond the levels was accepted. Its digit carries over into the next place "
              "and names another code.",
              "With 4 levels a code of 1 would be digit 4, which is the index of the next row's "
              "digit 0. It happens for real: lucidrains/vector-quantize-pytorch issues 207 and 240 "
              "are negative and too large indices, from noise added before they were computed.")

namespace lower_end_unchecked {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  return solution::codes_to_index((codes.array() < -1.0F).select(-1.0F, codes), levels);
}
}  // namespace lower_end_unchecked
MISCONCEPTION(lower_end_unchecked, codes_to_index, "fsq-index.lower-end-cut",
              "Codes below -1 were counted as -1. The contract refuses what is more than half a "
              "step outside.",
              "Cutting to the range hides that a code does not come from fsq_quantize: perhaps "
              "from another number of levels, or from steps that were never divided.")

namespace nan_accepted {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  return solution::codes_to_index((codes.array() == codes.array()).select(codes, -1.0F), levels);
}
}  // namespace nan_accepted
MISCONCEPTION(nan_accepted, codes_to_index, "fsq-index.nan-accepted",
              "A NaN among the codes got an index. It is no digit, and is refused.",
              "if (digit < 0 || digit >= L) throw lets NaN pass, because every comparison with it "
              "is false; and the cast of a NaN to an integer is undefined. Ask for what is "
              "allowed, digit >= 0 && digit < L, and refuse the rest.")

namespace surplus_levels_accepted {
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  if (std::ssize(levels) <= codes.cols()) return solution::codes_to_index(codes, levels);
  solution::fsq_codebook_size(levels);
  return solution::codes_to_index(codes, Levels(levels.begin(), levels.begin() + codes.cols()));
}
}  // namespace surplus_levels_accepted
MISCONCEPTION(surplus_levels_accepted, codes_to_index, "fsq-index.more-levels-accepted",
              "More levels than columns were accepted. The numbers must agree.",
              "The missing digits would be taken for 0, which is the code -1 and not \"nothing\".")

namespace size_summed {
std::int64_t fsq_codebook_size(const Levels& levels) {
  solution::fsq_codebook_size(levels);
  std::int64_t sum = 0;
  for (const std::int64_t l : levels) sum += l;
  return sum;
}
}  // namespace size_summed
MISCONCEPTION(size_summed, fsq_codebook_size, "fsq-size.summed",
              "The levels were added. Every choice in one dimension goes with every choice in the "
              "others: multiply.",
              "39 scalars are needed to describe the grid of 8, 8, 8, 5, 5, 5, and 64,000 codes "
              "come of it. That is the point of FSQ: the codebook grows as a product while what "
              "is stored grows as a sum.")

namespace size_as_power {
std::int64_t fsq_codebook_size(const Levels& levels) {
  solution::fsq_codebook_size(levels);
  std::int64_t size = 1;
  for (std::size_t d = 0; d < levels.size(); ++d) size *= levels[0];
  return size;
}
}  // namespace size_as_power
MISCONCEPTION(size_as_power, fsq_codebook_size, "fsq-size.power-of-the-first",
              "You computed L^D with the levels of dimension 0. The levels may differ: multiply "
              "them all.",
              "L^D is the form in which FSQ is usually explained, 5^6 = 15,625. For 8, 8, 8, 5, 5, "
              "5 it gives 262,144 instead of 64,000.")

namespace size_in_int {
std::int64_t fsq_codebook_size(const Levels& levels) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  return static_cast<std::int32_t>(size);
}
}  // namespace size_in_int
MISCONCEPTION(size_in_int, fsq_codebook_size, "fsq-size.in-int",
              "The product was kept in 32 bits. It can have 63.",
              "8 levels in 11 dimensions are 2^33 codes, of which 32 bits keep a 0.")

namespace size_wraps {
std::int64_t fsq_codebook_size(const Levels& levels) {
  for (const std::int64_t l : levels) require(l >= 3 && l <= 999, "3 to 999 levels");
  std::uint64_t size = 1;
  for (const std::int64_t l : levels) size *= static_cast<std::uint64_t>(l);
  return static_cast<std::int64_t>(size);
}
}  // namespace size_wraps
MISCONCEPTION(size_wraps, fsq_codebook_size, "fsq-size.wraps-round",
              "A product beyond int64 was returned, or what is left of it. It has to be refused.",
              "Multiplication in 64 bits drops what is above. 16 dimensions of 16 levels are 2^64 "
              "codes and come out as 0, 28 of 5 levels as a plausible positive number. After the "
              "product nothing can be noticed any more: check before each factor that "
              "size <= max / L.")

namespace size_checked_after {
std::int64_t fsq_codebook_size(const Levels& levels) {
  for (const std::int64_t l : levels) require(l >= 3 && l <= 999, "3 to 999 levels");
  std::uint64_t size = 1;
  for (const std::int64_t l : levels) size *= static_cast<std::uint64_t>(l);
  const auto result = static_cast<std::int64_t>(size);
  require(result > 0, "overflow");
  return result;
}
}  // namespace size_checked_after
MISCONCEPTION(size_checked_after, fsq_codebook_size, "fsq-size.checked-by-its-sign",
              "You took the sign of the product as the sign of an overflow. It may wrap round to "
              "a positive number: 5^28 does.",
              "What is left after wrapping round is the product modulo 2^64, and half of those "
              "numbers look positive. (For signed integers it is undefined behaviour besides, and "
              "a compiler may delete the check.)")

namespace size_checked_in_double {
std::int64_t fsq_codebook_size(const Levels& levels) {
  double product = 1.0;
  for (const std::int64_t l : levels) product *= double(l);
  require(product <= double(std::numeric_limits<std::int64_t>::max()), "overflow");
  if (product < 9.2e18) return solution::fsq_codebook_size(levels);
  for (const std::int64_t l : levels) require(l >= 3 && l <= 999, "3 to 999 levels");
  return std::numeric_limits<std::int64_t>::min();
}
}  // namespace size_checked_in_double
MISCONCEPTION(size_checked_in_double, fsq_codebook_size, "fsq-size.checked-in-double",
              "The check for overflow was made in doubles, where 2^63 - 1 and 2^63 are the same "
              "number. 8^21 = 2^63 slips through.",
              "int64's largest value has 63 binary digits, a double keeps 53, and the conversion "
              "rounds up to 2^63. Compare integers: size <= max / L.")

namespace size_of_anything {
std::int64_t fsq_codebook_size(const Levels& levels) {
  std::int64_t size = 1;
  for (const std::int64_t l : levels) {
    require(l == 0 || size <= std::numeric_limits<std::int64_t>::max() / std::max(l, -l),
            "overflow");
    size *= l;
  }
  return size;
}
}  // namespace size_of_anything
MISCONCEPTION(size_of_anything, fsq_codebook_size, "fsq-size.any-levels",
              "Numbers of levels outside 3 to 999 were accepted.",
              "A product of anything is a number, -4 included. The contract wants one rule for "
              "all functions: what cannot be bounded cannot be counted either.")

// ---- 7.5 index_to_codes ------------------------------------------------------------------------

namespace index_order_reversed {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  double size = 1.0;
  for (const std::int64_t l : levels) {
    require(l >= 3 && l <= 999, "3 to 999 levels");
    require((size *= double(l)) < 9.2e18, "too many codes");
  }
  Matrix codes(std::ssize(indices), std::ssize(levels));
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t rest = indices[static_cast<std::size_t>(n)];
    require(rest >= 0 && rest < static_cast<std::int64_t>(size), "no such code");
    for (Index d = codes.cols(); d-- > 0;) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      codes(n, d) = static_cast<float>(rest % l - h) / static_cast<float>(h);
      rest /= l;
    }
  }
  return codes;
}
}  // namespace index_order_reversed
MISCONCEPTION(index_order_reversed, index_to_codes, "fsq-codes.order-reversed",
              "You took the last dimension off first. Dimension 0 is the least significant, so it "
              "comes first.",
              "Together with an equally reversed codes_to_index every round trip succeeds, for all "
              "64,000 codes. Only a number from outside shows it: 895 with 8, 5, 5, 5 levels is "
              "(0.75, -0.5, 0, 1).")

namespace neighbours_levels {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  Matrix codes = solution::index_to_codes(indices, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t rest = indices[static_cast<std::size_t>(n)];
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t h = levels[static_cast<std::size_t>(d)] / 2;
      const auto next = static_cast<std::size_t>(std::min(d + 1, codes.cols() - 1));
      codes(n, d) = static_cast<float>(rest % levels[next] - h) / static_cast<float>(h);
      rest /= levels[next];
    }
  }
  return codes;
}
}  // namespace neighbours_levels
MISCONCEPTION(neighbours_levels, index_to_codes, "fsq-codes.neighbours-levels",
              "The index was divided by the levels of the next dimension. Digit d has base L_d.",
              "The basis of place d is made of the levels before d, its base is L_d; one step off "
              "in either, and mixed levels go wrong. With equal levels it does not show.")

namespace place_not_removed {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  Matrix codes = solution::index_to_codes(indices, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      const std::int64_t digit = indices[static_cast<std::size_t>(n)] % l;
      codes(n, d) = static_cast<float>(digit - h) / static_cast<float>(h);
    }
  }
  return codes;
}
}  // namespace place_not_removed
MISCONCEPTION(place_not_removed, index_to_codes, "fsq-codes.not-divided",
              "You took every digit from the whole index. After each digit the index has to be "
              "divided by that digit's levels.",
              "% says which digit is lowest, / takes it away. Without the division all dimensions "
              "read the same end of the number.")

namespace digits_not_centred {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  return solution::index_to_codes(indices, levels).array() + 1.0F;
}
}  // namespace digits_not_centred
MISCONCEPTION(digits_not_centred, index_to_codes, "fsq-codes.not-centred",
              "The digits were divided without taking half_width off first: codes from 0 to 2 "
              "instead of -1 to 1.",
              "Digit 0 is the code -1. A decoder trained on codes around 0 meets numbers it has "
              "never seen.")

namespace stretched {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  Matrix codes = solution::index_to_codes(indices, levels);
  for (Index d = 0; d < codes.cols(); ++d) {
    const auto l = static_cast<float>(levels[static_cast<std::size_t>(d)]);
    const float h = std::floor(l / 2.0F);
    codes.col(d) = ((codes.col(d).array() + 1.0F) * h) * (2.0F / (l - 1.0F)) - 1.0F;
  }
  return codes;
}
}  // namespace stretched
MISCONCEPTION(stretched, index_to_codes, "fsq-codes.stretched-to-both-ends",
              "You spread the codes evenly from -1 to 1. For even L they end at 1 - 1/h.",
              "-1 + 2 g / (L - 1) looks like what \"L levels in [-1, 1]\" means, and for odd L it "
              "is. For 4 levels it gives -1, -0.33, 0.33, 1 where fsq_quantize yields -1, -0.5, 0, "
              "0.5: index and quantizer then speak of different codes.")

namespace divided_as_integers {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  return solution::index_to_codes(indices, levels).unaryExpr([](float q) { return std::trunc(q); });
}
}  // namespace divided_as_integers
MISCONCEPTION(divided_as_integers, index_to_codes, "fsq-codes.integer-division",
              "(digit - h) / h was divided as integers: nearly all codes are 0. Convert to float "
              "first.",
              "In C++ -3 / 4 is 0. The quotient of two integers is cut off before the result is "
              "stored into a float.")

namespace read_in_16_bits {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  Matrix codes = solution::index_to_codes(indices, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    auto rest = std::int64_t{static_cast<std::int16_t>(indices[static_cast<std::size_t>(n)])};
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      codes(n, d) = static_cast<float>(rest % l - h) / static_cast<float>(h);
      rest /= l;
    }
  }
  return codes;
}
}  // namespace read_in_16_bits
MISCONCEPTION(read_in_16_bits, index_to_codes, "fsq-codes.read-in-16-bits",
              "The index went through 16 bits, which end at 32,767.",
              "Token files store 64,000 codes in 16 bits, and they fit, without a sign. Read back "
              "as a signed number, every code from 32,768 on is negative.")

namespace read_in_32_bits {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  Matrix codes = solution::index_to_codes(indices, levels);
  for (Index n = 0; n < codes.rows(); ++n) {
    auto rest = std::int64_t{static_cast<std::int32_t>(indices[static_cast<std::size_t>(n)])};
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      codes(n, d) = static_cast<float>(rest % l - h) / static_cast<float>(h);
      rest /= l;
    }
  }
  return codes;
}
}  // namespace read_in_32_bits
MISCONCEPTION(read_in_32_bits, index_to_codes, "fsq-codes.read-in-32-bits",
              "The index went through 32 bits. It has 64.",
              "8 levels in 11 dimensions already have 2^33 codes. The upper digits are lost, or "
              "all are negative.")

namespace size_itself_accepted {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  std::vector<std::int64_t> inside = indices;
  for (std::int64_t& index : inside) index = index == size ? 0 : index;
  return solution::index_to_codes(inside, levels);
}
}  // namespace size_itself_accepted
MISCONCEPTION(size_itself_accepted, index_to_codes, "fsq-codes.size-itself-accepted",
              "The index K, the number of codes itself, was accepted. The last one is K - 1.",
              "Counting starts at 0, so K is the first number that is no index. It is a favourite "
              "for a mask token, and a decoder that takes it for code 0 draws that into the "
              "picture.")

namespace wrapped_round {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  std::vector<std::int64_t> inside = indices;
  for (std::int64_t& index : inside) index = index >= size ? index % size : index;
  return solution::index_to_codes(inside, levels);
}
}  // namespace wrapped_round
MISCONCEPTION(wrapped_round, index_to_codes, "fsq-codes.wrapped-round",
              "Indices beyond the last code were wrapped round. They have to be refused.",
              "% in every place makes any index look valid. A token from a larger vocabulary then "
              "decodes to some code, and the mistake is seen, if at all, in the picture.")

namespace negative_from_the_end {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  std::vector<std::int64_t> inside = indices;
  for (std::int64_t& index : inside) index = index < 0 ? size - 1 - (-1 - index) % size : index;
  return solution::index_to_codes(inside, levels);
}
}  // namespace negative_from_the_end
MISCONCEPTION(negative_from_the_end, index_to_codes, "fsq-codes.negative-accepted",
              "A negative index was accepted. Indices count from 0, and what is below is refused.",
              "In Python -1 means the last one, in tokenizers often padding or a dropped level. "
              "Neither is a code.")

namespace codes_levels_unchecked {
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  std::uint64_t size = 1;
  for (const std::int64_t l : levels) size *= static_cast<std::uint64_t>(l);
  Matrix codes(std::ssize(indices), std::ssize(levels));
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t rest = indices[static_cast<std::size_t>(n)];
    require(rest >= 0 && static_cast<std::uint64_t>(rest) < size, "no such code");
    for (Index d = 0; d < codes.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      codes(n, d) = static_cast<float>(rest % l - h) / static_cast<float>(h);
      rest /= l;
    }
  }
  return codes;
}
}  // namespace codes_levels_unchecked
MISCONCEPTION(codes_levels_unchecked, index_to_codes, "fsq-codes.levels-unchecked",
              "Levels that the contract refuses were accepted: 2, 1000, or a product beyond int64.",
              "fsq_codebook_size refuses all three, and its answer is needed for the range of the "
              "index anyway. A size that has wrapped round lets wrong indices in or keeps right "
              "ones out.")

// ---- 7.6 implicit_codebook ---------------------------------------------------------------------

namespace last_dimension_first {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  double size = 1.0;
  for (const std::int64_t l : levels) {
    require(l >= 3 && l <= 999, "3 to 999 levels");
    require((size *= double(l)) < 9.2e18, "too many codes");
  }
  const auto end = static_cast<std::int64_t>(size);
  require(first >= 0 && first <= end && count >= 0 && count <= end - first, "no such rows");
  Matrix rows(count, std::ssize(levels));
  for (Index r = 0; r < count; ++r) {
    std::int64_t rest = first + r;
    for (Index d = rows.cols(); d-- > 0;) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      rows(r, d) = static_cast<float>(rest % l - h) / static_cast<float>(h);
      rest /= l;
    }
  }
  return rows;
}
}  // namespace last_dimension_first
MISCONCEPTION(last_dimension_first, implicit_codebook, "fsq-codebook.last-dimension-first",
              "Your last dimension changes fastest, as in nested loops. Row r is the code of "
              "index r, so dimension 0 changes fastest.",
              "itertools.product and nested loops written in reading order give this. All codes "
              "are there, each once, and nearly every one in the wrong row: a table like that "
              "and codes_to_index contradict each other.")

namespace first_ignored {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  solution::implicit_codebook(levels, first, count);
  return solution::implicit_codebook(levels, 0, count);
}
}  // namespace first_ignored
MISCONCEPTION(first_ignored, implicit_codebook, "fsq-codebook.first-ignored",
              "The rows start at index 0, whatever first is.",
              "Asked for the whole codebook, this is right, and that is how one tests it. Asked "
              "piece by piece, it gives the first piece again and again.")

namespace count_as_end {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  solution::implicit_codebook(levels, first, count);
  return solution::implicit_codebook(levels, first, std::max<std::int64_t>(count - first, 0));
}
}  // namespace count_as_end
MISCONCEPTION(count_as_end, implicit_codebook, "fsq-codebook.count-as-end",
              "You took count for the end of the range. It is the number of rows.",
              "(first, last) and (first, count) look alike in a call, and agree for first = 0.")

namespace spread_evenly {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  Matrix rows = solution::implicit_codebook(levels, first, count);
  for (Index d = 0; d < rows.cols(); ++d) {
    const auto l = static_cast<float>(levels[static_cast<std::size_t>(d)]);
    const float h = std::floor(l / 2.0F);
    rows.col(d) = (rows.col(d).array() + 1.0F) * (2.0F * h / (l - 1.0F)) - 1.0F;
  }
  return rows;
}
}  // namespace spread_evenly
MISCONCEPTION(spread_evenly, implicit_codebook, "fsq-codebook.spread-evenly",
              "The codes are spread evenly from -1 to 1. For even L the quantizer's codes end at "
              "1 - 1/h.",
              "A linspace contains +1, which fsq_quantize never yields for even L. A codebook is "
              "the set of what the quantizer can answer.")

namespace transposed {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  return solution::implicit_codebook(levels, first, count).transpose();
}
}  // namespace transposed
MISCONCEPTION(transposed, implicit_codebook, "fsq-codebook.transposed",
              "Codes stand in columns. One code per row is asked for: [count, D].",
              "Every batch in this workbook has one sample per row, and so has every codebook.")

namespace digits_returned {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  Matrix rows = solution::implicit_codebook(levels, first, count);
  for (Index d = 0; d < rows.cols(); ++d) {
    const auto h = static_cast<float>(levels[static_cast<std::size_t>(d)] / 2);
    rows.col(d) = (rows.col(d).array() * h + h).rint();
  }
  return rows;
}
}  // namespace digits_returned
MISCONCEPTION(digits_returned, implicit_codebook, "fsq-codebook.digits-returned",
              "The rows hold digits, counted from 0. A codebook holds codes, (digit - h) / h.",
              "What the decoder reads is the code. Digits are the step between it and the index.")

namespace whole_codebook_counted {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  require(solution::fsq_codebook_size(levels) <= (1 << 24), "the codebook is too large");
  return solution::implicit_codebook(levels, first, count);
}
}  // namespace whole_codebook_counted
MISCONCEPTION(whole_codebook_counted, implicit_codebook, "fsq-codebook.whole-size-refused",
              "You refused because the whole codebook is large. Only the rows asked for have to "
              "be made.",
              "lucidrains/vector-quantize-pytorch issue 137: levels of 4 in 16 dimensions made the "
              "constructor ask for 34 GB, for a table that nobody needs, because any row follows "
              "from its index. A limit on the size protects from the crash and takes the large "
              "codebooks away, which are FSQ's strength.")

namespace rows_in_int {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  require(first >= 0 && first <= size && count >= 0 && count <= size - first, "no such rows");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) {
    indices.push_back(static_cast<std::uint32_t>(first + i) % size);
  }
  return solution::index_to_codes(indices, levels);
}
}  // namespace rows_in_int
MISCONCEPTION(rows_in_int, implicit_codebook, "fsq-codebook.rows-in-32-bits",
              "Row numbers went through 32 bits. first can be anything that fits in int64.",
              "A loop counter of type int or unsigned is enough for every codebook that is stored. "
              "This one is not stored.")

namespace none_refused {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const Matrix rows = solution::implicit_codebook(levels, first, count);
  require(count > 0, "no rows asked for");
  return rows;
}
}  // namespace none_refused
MISCONCEPTION(none_refused, implicit_codebook, "fsq-codebook.no-rows-refused",
              "A range of 0 rows was refused. It is allowed, at the very end of the codebook too.",
              "Whoever walks through a codebook in pieces arrives at an empty last piece. An empty "
              "matrix with D columns is the answer that needs no special case there.")

namespace from_the_end {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  if (first >= 0 || first < -size) return solution::implicit_codebook(levels, first, count);
  return solution::implicit_codebook(levels, size + first, std::min(count, -first));
}
}  // namespace from_the_end
MISCONCEPTION(from_the_end, implicit_codebook, "fsq-codebook.negative-first-accepted",
              "A negative first was counted from the end. The contract refuses it.",
              "That is how Python's slices read. Here a negative number is a mistake of the "
              "caller, most likely a subtraction that went wrong.")

namespace negative_is_none {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  return solution::implicit_codebook(levels, first, std::max<std::int64_t>(count, 0));
}
}  // namespace negative_is_none
MISCONCEPTION(negative_is_none, implicit_codebook, "fsq-codebook.negative-count-accepted",
              "A negative count was taken as no rows. It has to be refused.",
              "A loop up to count simply does not run, so nothing seems wrong. What was meant is "
              "unknown, and that is what an exception is for.")

namespace rolled_over {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  require(first >= 0 && first <= size && count >= 0 && count <= size, "no such rows");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back((first + i) % size);
  return solution::index_to_codes(indices, levels);
}
}  // namespace rolled_over
MISCONCEPTION(rolled_over, implicit_codebook, "fsq-codebook.rolled-over",
              "A range that ends beyond the last code went on at code 0. It has to be refused.",
              "first and count were both compared with the size, but not their sum. With % in "
              "every digit the codes simply start again.")

namespace sum_overflows {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  const std::int64_t size = solution::fsq_codebook_size(levels);
  const auto end = static_cast<std::uint64_t>(first) + static_cast<std::uint64_t>(count);
  require(first >= 0 && count >= 0 && static_cast<std::int64_t>(end) <= size, "no such rows");
  if (count > size) throw std::bad_alloc();  // what becomes of a matrix of that size
  return solution::implicit_codebook(levels, first, count);
}
}  // namespace sum_overflows
MISCONCEPTION(sum_overflows, implicit_codebook, "fsq-codebook.sum-overflows",
              "first + count <= size was checked, and the sum wrapped round to a negative number. "
              "Compare count with size - first.",
              "size - first cannot overflow once first is known to lie between 0 and size. The sum "
              "can, and then the check lets the largest request of all pass, and the program ends "
              "looking for the memory.")

namespace codebook_levels_unchecked {
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count) {
  bool strange = false;
  double size = 1.0;
  for (const std::int64_t l : levels) {
    strange = strange || l < 3 || l > 999;
    size *= double(l);
  }
  if (!strange && size < 9.2e18) return solution::implicit_codebook(levels, first, count);
  Matrix rows(count, std::ssize(levels));
  for (Index r = 0; r < count; ++r) {
    std::int64_t rest = first + r;
    for (Index d = 0; d < rows.cols(); ++d) {
      const std::int64_t l = levels[static_cast<std::size_t>(d)], h = l / 2;
      rows(r, d) = static_cast<float>(rest % l - h) / static_cast<float>(h);
      rest /= l;
    }
  }
  return rows;
}
}  // namespace codebook_levels_unchecked
MISCONCEPTION(codebook_levels_unchecked, implicit_codebook, "fsq-codebook.levels-unchecked",
              "Levels that the contract refuses were accepted: 2, 1000, or a product beyond int64.",
              "fsq_codebook_size refuses them, and its answer is needed for the range anyway.")

// ---- 7.7 symmetric_quantize --------------------------------------------------------------------

namespace {

/// Every element of z through f(tanh z, L - 1), where the shapes fit.
template <typename F>
Matrix on_tanh(const Matrix& z, const Levels& levels, F f) {
  Matrix result = solution::symmetric_quantize(z, levels);
  for (Index d = 0; d < z.cols(); ++d) {
    const double steps = double(levels[static_cast<std::size_t>(d)] - 1);
    for (Index n = 0; n < z.rows(); ++n) {
      result(n, d) = static_cast<float>(f(std::tanh(double(z(n, d))), steps));
    }
  }
  return result;
}

/// dcodes times f(tanh z, L - 1), where the shapes fit.
template <typename F>
Matrix on_tanh_back(const Matrix& dcodes, const Matrix& z, const Levels& levels, F f) {
  const Matrix shape = solution::symmetric_quantize_backward(dcodes, z, levels);
  return dcodes.cwiseProduct(on_tanh(z, levels, f));
}

}  // namespace

namespace rounded_after_rescaling {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  require_size(std::ssize(levels), z.cols(), "number of levels");
  for (const std::int64_t l : levels) require(l >= 2 && l <= 999, "2 to 999 levels");
  return (z.array().tanh() + 0.5F).floor();
}
}  // namespace rounded_after_rescaling
MISCONCEPTION(rounded_after_rescaling, symmetric_quantize, "fsq-symmetric.rounded-after-rescaling",
              "The rounding happened on [-1, 1], which leaves -1, 0 and 1. It happens on the scale "
              "of digits, from 0 to L - 1.",
              "It is the bug of lucidrains/vector-quantize-pytorch issues 194 and 200: first the "
              "scale was undone, then it was rounded.")

namespace floor_without_half {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  return on_tanh(z, levels, [](double t, double steps) {
    return 2.0 * std::floor(steps * (t + 1.0) / 2.0) / steps - 1.0;
  });
}
}  // namespace floor_without_half
MISCONCEPTION(floor_without_half, symmetric_quantize, "fsq-symmetric.floor-without-half",
              "floor alone takes the code below. With one half added before, it takes the nearest.",
              "Without the half the code 1 is reached only where tanh is exactly 1, and all others "
              "are half a step too low on average.")

namespace halves_to_even {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  return on_tanh(z, levels, [](double t, double steps) {
    return 2.0 * std::rint(steps * (t + 1.0) / 2.0) / steps - 1.0;
  });
}
}  // namespace halves_to_even
MISCONCEPTION(
    halves_to_even, symmetric_quantize, "fsq-symmetric.halves-to-even",
    "You took ties to the even digit. Here the formula is a floor of x + 1/2, which takes "
    "them upwards.",
    "A tie is no accident here: for even L a latent of exactly 0, as a zeroed or padded "
    "position has it, lies halfway between the two middle codes. With 4 levels both "
    "rules agree, with 2 and 6 they do not.")

namespace levels_for_steps {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  return on_tanh(z, levels, [](double t, double steps) {
    return 2.0 * std::floor((steps + 1.0) * (t + 1.0) / 2.0 + 0.5) / (steps + 1.0) - 1.0;
  });
}
}  // namespace levels_for_steps
MISCONCEPTION(levels_for_steps, symmetric_quantize, "fsq-symmetric.levels-for-steps",
              "You stretched to L instead of L - 1, which has L + 1 codes.",
              "L points have L - 1 steps between them. With L steps, 2 levels become three: "
              "-1, 0, 1.")

namespace not_brought_back {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  return on_tanh(z, levels, [](double t, double steps) {
    return std::floor(steps * (t + 1.0) / 2.0 + 0.5) / steps;
  });
}
}  // namespace not_brought_back
MISCONCEPTION(not_brought_back, symmetric_quantize, "fsq-symmetric.not-brought-back",
              "The codes lie in [0, 1]. Times 2, minus 1 brings them back to [-1, 1].",
              "The stretch to digits took tanh's -1 to 0; the way back has to undo both the factor "
              "and the displacement.")

namespace asymmetric_after_all {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  const Matrix right = solution::symmetric_quantize(z, levels);
  for (const std::int64_t l : levels) {
    if (l == 2) return right;
  }
  return solution::fsq_quantize(z, levels);
}
}  // namespace asymmetric_after_all
MISCONCEPTION(asymmetric_after_all, symmetric_quantize, "fsq-symmetric.asymmetric-after-all",
              "This is fsq_quantize: for even L its codes end at 1 - 1/h. The symmetric variant "
              "has 1 among them.",
              "For odd L the two grids agree, and with them most of the answers. They differ in "
              "the margin, in the shift, and for even L in every code but -1.")

namespace symmetric_first_for_all {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  const Matrix checked = solution::symmetric_quantize(z, levels);
  return solution::symmetric_quantize(z, Levels(levels.size(), levels[0]));
}
}  // namespace symmetric_first_for_all
MISCONCEPTION(symmetric_first_for_all, symmetric_quantize, "fsq-symmetric.first-levels-for-all",
              "All columns were quantized with the levels of the first one. Each has its own.",
              "With equal levels in all dimensions nobody notices, and that is how most examples "
              "are written.")

namespace eight_bit_digits {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  return on_tanh(z, levels, [](double t, double steps) {
    const auto digit = static_cast<std::int64_t>(std::floor(steps * (t + 1.0) / 2.0 + 0.5));
    return 2.0 * double(static_cast<std::uint8_t>(digit)) / steps - 1.0;
  });
}
}  // namespace eight_bit_digits
MISCONCEPTION(eight_bit_digits, symmetric_quantize, "fsq-symmetric.eight-bits",
              "The digit went through 8 bits, which end at 255. There can be 999 levels.",
              "A digit is a small number for the levels that one tries first.")

namespace symmetric_one_level {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  Levels allowed = levels;
  for (std::int64_t& l : allowed) l = l == 1 ? 2 : l;
  return solution::symmetric_quantize(z, allowed);
}
}  // namespace symmetric_one_level
MISCONCEPTION(symmetric_one_level, symmetric_quantize, "fsq-symmetric.one-level-accepted",
              "1 level was accepted. The smallest number is 2.",
              "With one level L - 1 is 0, and the formula divides by it.")

namespace symmetric_surplus_accepted {
Matrix symmetric_quantize(const Matrix& z, const Levels& levels) {
  require(std::ssize(levels) >= z.cols(), "too few levels");
  return solution::symmetric_quantize(z, Levels(levels.begin(), levels.begin() + z.cols()));
}
}  // namespace symmetric_surplus_accepted
MISCONCEPTION(symmetric_surplus_accepted, symmetric_quantize, "fsq-symmetric.more-levels-accepted",
              "More levels than columns were accepted. The numbers must agree.",
              "A check that only guards the loop lets a network pass that lacks an output.")

namespace symmetric_tanh_skipped {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return on_tanh_back(dcodes, z, levels, [](double, double) { return 1.0; });
}
}  // namespace symmetric_tanh_skipped
MISCONCEPTION(symmetric_tanh_skipped, symmetric_quantize_backward, "fsq-symmetric.tanh-skipped",
              "The gradient passes unchanged. Only the rounding is passed straight through; the "
              "tanh has the slope 1 - tanh^2(z).",
              "Scale and inverse scale cancel, and it is tempting to let the rest go as well. The "
              "tanh is what keeps latents near the grid.")

namespace symmetric_no_gradient {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return on_tanh_back(dcodes, z, levels, [](double, double) { return 0.0; });
}
}  // namespace symmetric_no_gradient
MISCONCEPTION(symmetric_no_gradient, symmetric_quantize_backward,
              "fsq-symmetric.truly-differentiated",
              "The gradient is 0 everywhere, the derivative of the floor. It is passed over.",
              "A floor is flat between its steps. A backward pass that says so teaches the encoder "
              "nothing.")

namespace symmetric_scale_kept {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return on_tanh_back(dcodes, z, levels,
                      [](double t, double steps) { return steps / 2.0 * (1.0 - t * t); });
}
}  // namespace symmetric_scale_kept
MISCONCEPTION(symmetric_scale_kept, symmetric_quantize_backward, "fsq-symmetric.scale-kept",
              "The factor (L - 1) / 2 was left in. Stretching multiplies by it and coming back "
              "divides by it.",
              "Both factors stand in the formula, one on each side of the floor. In the chain rule "
              "they meet.")

namespace symmetric_not_squared {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  return on_tanh_back(dcodes, z, levels, [](double t, double) { return 1.0 - std::abs(t); });
}
}  // namespace symmetric_not_squared
MISCONCEPTION(symmetric_not_squared, symmetric_quantize_backward, "fsq-symmetric.slope-not-squared",
              "You used 1 - |tanh|. The slope of tanh is 1 - tanh^2.",
              "It has the right ends, 1 in the middle and 0 far out, and is too small between.")

namespace symmetric_slope_overflows {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  const Matrix shape = solution::symmetric_quantize_backward(dcodes, z, levels);
  const Eigen::ArrayXXd e = (2.0 * z.cast<double>().array()).exp();
  const Eigen::ArrayXXd slope = 4.0 * e / (e + 1.0).square();
  return (dcodes.cast<double>().array() * slope).cast<float>();
}
}  // namespace symmetric_slope_overflows
MISCONCEPTION(symmetric_slope_overflows, symmetric_quantize_backward,
              "fsq-symmetric.slope-overflows",
              "The slope was written with exponentials, and far out it is infinity over infinity.",
              "4 e^2z / (e^2z + 1)^2 is right on paper. tanh has no such limit: 1 - tanh^2(z).")

namespace symmetric_two_refused {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  for (const std::int64_t l : levels) require(l >= 3, "3 levels or more");
  return solution::symmetric_quantize_backward(dcodes, z, levels);
}
}  // namespace symmetric_two_refused
MISCONCEPTION(symmetric_two_refused, symmetric_quantize_backward, "fsq-symmetric.two-refused",
              "2 levels were refused. This variant works for them.",
              "The limit of 3 belongs to the shift of 7.1, which is infinite or nearly so for 2 "
              "levels. There is no shift here.")

namespace symmetric_cut_to_fit {
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels) {
  require(dcodes.rows() >= z.rows() && dcodes.cols() >= z.cols(), "dcodes is too small");
  return solution::symmetric_quantize_backward(dcodes.topLeftCorner(z.rows(), z.cols()), z, levels);
}
}  // namespace symmetric_cut_to_fit
MISCONCEPTION(symmetric_cut_to_fit, symmetric_quantize_backward,
              "fsq-symmetric.gradient-cut-to-fit",
              "A gradient larger than z was accepted. dcodes has the shape of z.",
              "Loops over z's sizes read the corner of a larger gradient and drop the rest.")

}  // namespace latent

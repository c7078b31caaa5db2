// Wrong answers to lab 08 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   model_to_image with lround or floor(v + 0.5): the only tie that a float can hit is 127.5, which
//     goes to 128 either way; these are right, and stand among the alternatives.
//   scale_latents in float: below what the comparison of replies can see.
//   latents divided on one branch only (CogVideoX's invert_scale_latents): one function is called
//     here, not two branches; multiplied where divided is below.
//   latent_shape with frames, bytes with fp32 where fp16 is meant: the contract has neither.
//   conv_cost that counts a nearest upsampling: an upsampling is no argument of it; the trace's
//     records of upsamplings are asked for 0.
//   peak_activation_bytes that counts weights or the buffer of im2col: neither is an argument.
//   tae_block with weights in NHWC, or read with the decoder's index off by one: weights come as
//     arguments, no file is read here. Half floats: likewise.
//   tae_block with GroupNorm over 32 groups: 4C channels of the small maps asked for here are not
//     divisible by 32, so it is refused instead; one group, and one group per channel, are below.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/require.hpp"
#include "encode_decode.hpp"
#include "grader/judge/misconception.hpp"

namespace solution = latent;

namespace latent {
namespace {

/// Applies f to every element of what is right.
template <typename F>
Tensor4 changed(Tensor4 x, F&& f) {
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(f(double(x.data()[i])));
  return x;
}

}  // namespace

// ---- 8.0 image_to_model ------------------------------------------------------------------------

namespace over_256 {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  const Index positions = image.height * image.width;
  require(image.height >= 0 && image.width >= 0, "sides");
  require(static_cast<Index>(image.values.size()) == 3 * positions, "number of values");
  Tensor4 x(1, 3, image.height, image.width);
  for (Index i = 0; i < x.size(); ++i) {
    const std::int32_t v = image.values[static_cast<std::size_t>(i)];
    require(v >= 0 && v <= 255, "value");
    const float y = static_cast<float>(v) / 256.0F;
    x.data()[i % 3 * positions + i / 3] = range == PixelRange::kZeroToOne ? y : 2.0F * y - 1.0F;
  }
  return x;
}
}  // namespace over_256
MISCONCEPTION(over_256, image_to_model, "pixels.over-256",
              "You divided by 256 (or by 128). White is 255 and has to become 1: divide by 255, or "
              "by 127.5 and take 1 off.",
              "There are 256 values but only 255 steps between them. With 256 white becomes 0.996, "
              "and an image that goes there and back is darker by one in its bright half.")

namespace interleaved {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  Tensor4 x = solution::image_to_model(image, range);
  for (Index i = 0; i < x.size(); ++i) {
    const float v = static_cast<float>(image.values[static_cast<std::size_t>(i)]);
    x.data()[i] = range == PixelRange::kZeroToOne ? v / 255.0F : v / 127.5F - 1.0F;
  }
  return x;
}
}  // namespace interleaved
MISCONCEPTION(interleaved, image_to_model, "pixels.channels-left-last",
              "The values lie in the tensor as they lay in the picture: red, green and blue side "
              "by side. Channel 0 has to hold all the reds, then come the greens.",
              "A picture is [H, W, 3], a tensor [3, H, W]. Copied without a permutation the shape "
              "is right and the picture shows up three times side by side, squeezed and grey.")

namespace blue_first {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  Pixels turned = image;
  for (std::size_t i = 0; i + 2 < turned.values.size(); i += 3) {
    std::swap(turned.values[i], turned.values[i + 2]);
  }
  return solution::image_to_model(turned, range);
}
}  // namespace blue_first
MISCONCEPTION(blue_first, image_to_model, "pixels.blue-first",
              "Channel 0 holds the blues. Red is first.",
              "OpenCV reads blue, green, red; nearly everything else red first. A network fed the "
              "other order still works, on a world in which skin is blue.")

namespace columns_then_rows {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  const Tensor4 x = solution::image_to_model(image, range);
  Tensor4 turned(1, 3, x.w(), x.h());
  for (Index c = 0; c < 3; ++c) {
    for (Index h = 0; h < x.h(); ++h) {
      for (Index w = 0; w < x.w(); ++w) turned(0, c, w, h) = x(0, c, h, w);
    }
  }
  return turned;
}
}  // namespace columns_then_rows
MISCONCEPTION(columns_then_rows, image_to_model, "pixels.width-first",
              "The tensor is [1, 3, W, H]. Rows come before columns: [1, 3, H, W].",
              "Image libraries speak of width x height, tensors of rows and columns. A permutation "
              "(2, 1, 0) instead of (2, 0, 1) mirrors the picture along its diagonal; square test "
              "images of symmetric things do not show it.")

namespace always_positive {
Tensor4 image_to_model(const Pixels& image, PixelRange) {
  return solution::image_to_model(image, PixelRange::kZeroToOne);
}
}  // namespace always_positive
MISCONCEPTION(always_positive, image_to_model, "pixels.range-ignored",
              "You gave every model the range from 0 to 1. For kMinusOneToOne black is -1.",
              "The KL autoencoders of Stable Diffusion and Flux were trained on -1 to 1, the TAESD "
              "family on 0 to 1. Fed the wrong range, either still answers, and the picture comes "
              "out pale or dark: diffusers issue 4676 is TAESD fed -1 to 1.")

namespace always_signed {
Tensor4 image_to_model(const Pixels& image, PixelRange) {
  return solution::image_to_model(image, PixelRange::kMinusOneToOne);
}
}  // namespace always_signed
MISCONCEPTION(always_signed, image_to_model, "pixels.always-signed",
              "You gave every model the range from -1 to 1. For kZeroToOne black is 0.",
              "That is what happened to TAESD in diffusers (issue 4676, mended in pull request "
              "4682 together with a test that encodes and decodes): the pictures were too dark.")

namespace whole_division {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  Pixels coarse = image;
  solution::image_to_model(image, range);  // the refusals
  for (std::int32_t& v : coarse.values) v = v / 255 * 255;
  return solution::image_to_model(coarse, range);
}
}  // namespace whole_division
MISCONCEPTION(whole_division, image_to_model, "pixels.integer-division",
              "Everything but white became black: v / 255 of two integers is 0 or 1. Make v a "
              "float first.",
              "Division of integers drops the remainder, in C++ as in C. Only the value 255 "
              "survives it.")

namespace never_divided {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  const Tensor4 x = solution::image_to_model(image, PixelRange::kZeroToOne);
  const bool centred = range == PixelRange::kMinusOneToOne;
  return changed(x, [&](double v) { return centred ? 255.0 * v - 127.5 : 255.0 * v; });
}
}  // namespace never_divided
MISCONCEPTION(never_divided, image_to_model, "pixels.never-divided",
              "The numbers still go up to 255. Models take numbers up to 1.",
              "A convolution is happy with any numbers. The first tanh or norm behind it is not, "
              "and the reconstruction is a flat grey or a glare.")

namespace empty_pictures_refused {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  require(!image.values.empty(), "a picture has pixels");
  return solution::image_to_model(image, range);
}
}  // namespace empty_pictures_refused
MISCONCEPTION(empty_pictures_refused, image_to_model, "pixels.empty-refused",
              "A picture without pixels was refused. Its tensor is simply empty.",
              "A side may be 0, says the contract: a crop that missed the picture is the caller's "
              "business.")

namespace values_not_counted {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  Pixels fitted{std::abs(image.height), std::abs(image.width), image.values};
  fitted.values.resize(static_cast<std::size_t>(3 * fitted.height * fitted.width), 0);
  return solution::image_to_model(fitted, range);
}
}  // namespace values_not_counted
MISCONCEPTION(values_not_counted, image_to_model, "pixels.count-unchecked",
              "Sides and number of values were not compared. There must be height * width * 3 "
              "values, and no side below 0.",
              "A fourth channel for transparency is the usual reason. Read as three, such a "
              "picture shears from row to row, and beyond the last value lies memory of somebody "
              "else.")

namespace values_clamped {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  Pixels clamped = image;
  for (std::int32_t& v : clamped.values) v = std::clamp(v, 0, 255);
  return solution::image_to_model(clamped, range);
}
}  // namespace values_clamped
MISCONCEPTION(values_clamped, image_to_model, "pixels.values-unchecked",
              "A value outside of 0 to 255 was accepted. A picture has none; refuse it.",
              "16-bit pictures go to 65,535. Clamped, they turn white without a word.")

namespace truncated_values {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  for (Index i = 0; i < x.size(); ++i) {
    double y = x.data()[i % 3 * (x.size() / 3) + i / 3];
    if (range == PixelRange::kMinusOneToOne) y = (y + 1.0) / 2.0;
    const float v = static_cast<float>(255.0 * std::clamp(y, 0.0, 1.0));
    image.values[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(v);
  }
  return image;
}
}  // namespace truncated_values
MISCONCEPTION(truncated_values, model_to_image, "pixels.truncated",
              "You cut the fraction off. Round to the nearest: 254.9 is white.",
              "A conversion to an integer truncates. The picture gets half a value darker on the "
              "average, and going there and back loses another one each time.")

namespace half_down {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  for (Index i = 0; i < x.size(); ++i) {
    double y = x.data()[i % 3 * (x.size() / 3) + i / 3];
    if (range == PixelRange::kMinusOneToOne) y = (y + 1.0) / 2.0;
    const double v = std::ceil(255.0 * std::clamp(y, 0.0, 1.0) - 0.5);
    image.values[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(v);
  }
  return image;
}
}  // namespace half_down
MISCONCEPTION(half_down, model_to_image, "pixels.half-down",
              "127.5 became 127. Ties go to the even neighbour, which is 128.",
              "The middle of either range is exactly between two bytes, and a picture of plain "
              "grey is made of nothing else. rint and nearbyint round to even, as torch and NumPy "
              "do.")

namespace wrapped {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  for (Index i = 0; i < x.size(); ++i) {
    double y = x.data()[i % 3 * (x.size() / 3) + i / 3];
    if (range == PixelRange::kMinusOneToOne) y = (y + 1.0) / 2.0;
    const auto v = static_cast<std::int64_t>(std::rint(255.0 * y));
    image.values[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(v & 255);
  }
  return image;
}
}  // namespace wrapped
MISCONCEPTION(wrapped, model_to_image, "pixels.not-clamped",
              "Nothing was clamped: a byte of 280 is 24. Clamp to the range before it becomes a "
              "byte.",
              "Decoders overshoot; the one of TAEF2 puts out -0.1 to 1.1. Unclamped, the "
              "brightest places of a picture turn black.")

namespace clamped_first {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  return solution::model_to_image(
      changed(x, [](double v) { return std::isfinite(v) ? std::clamp(v, 0.0, 1.0) : v; }), range);
}
}  // namespace clamped_first
MISCONCEPTION(clamped_first, model_to_image, "pixels.clamped-too-early",
              "You clamped to 0..1 before the range was changed: all that was below 0, the darker "
              "half, is one grey. First (x + 1) / 2, then clamp.",
              "The clamp belongs to the range from 0 to 1. A range from -1 to 1 has to be there "
              "first.")

namespace never_shifted {
Pixels model_to_image(const Tensor4& x, PixelRange) {
  return solution::model_to_image(x, PixelRange::kZeroToOne);
}
}  // namespace never_shifted
MISCONCEPTION(never_shifted, model_to_image, "pixels.output-range-ignored",
              "You took every output for 0 to 1. For kMinusOneToOne it is (x + 1) / 2.",
              "Half of such a picture is black and the other half too contrasty.")

namespace always_shifted {
Pixels model_to_image(const Tensor4& x, PixelRange) {
  return solution::model_to_image(x, PixelRange::kMinusOneToOne);
}
}  // namespace always_shifted
MISCONCEPTION(always_shifted, model_to_image, "pixels.output-always-shifted",
              "You took every output for -1 to 1. For kZeroToOne it is x as it stands.",
              "Black becomes grey: the pale pictures that a TAESD decoder gives when it is taken "
              "for its large brother.")

namespace times_256 {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  for (Index i = 0; i < x.size(); ++i) {
    double y = x.data()[i % 3 * (x.size() / 3) + i / 3];
    if (range == PixelRange::kMinusOneToOne) y = (y + 1.0) / 2.0;
    const double v = std::rint(256.0 * std::clamp(y, 0.0, 1.0));
    image.values[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(std::min(v, 255.0));
  }
  return image;
}
}  // namespace times_256
MISCONCEPTION(times_256, model_to_image, "pixels.times-256",
              "You multiplied by 256. White, 1, is 255.",
              "It goes with the division by 256 and cancels it but for the rounding, so a round "
              "trip through both does not show it.")

namespace planes_kept {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  const std::vector<std::int32_t> right = image.values;
  const std::size_t positions = right.size() / 3;
  for (std::size_t i = 0; i < right.size(); ++i) {
    image.values[i % 3 * positions + i / 3] = right[i];
  }
  return image;
}
}  // namespace planes_kept
MISCONCEPTION(planes_kept, model_to_image, "pixels.channels-left-first",
              "All reds come first, then the greens. In a picture the three values of a pixel "
              "stand side by side.",
              "The axes have to go from [3, H, W] to [H, W, 3]. A reshape alone shows the picture "
              "three times, in grey.")

namespace blue_first_again {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  for (std::size_t i = 0; i + 2 < image.values.size(); i += 3) {
    std::swap(image.values[i], image.values[i + 2]);
  }
  return image;
}
}  // namespace blue_first_again
MISCONCEPTION(blue_first_again, model_to_image, "pixels.blue-first-out",
              "Blue comes first. A picture has red, green, blue.",
              "What OpenCV writes correctly, a viewer of PNG shows with red and blue exchanged.")

namespace sides_exchanged {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Pixels image = solution::model_to_image(x, range);
  std::swap(image.height, image.width);
  return image;
}
}  // namespace sides_exchanged
MISCONCEPTION(sides_exchanged, model_to_image, "pixels.sides-swapped",
              "Height and width are exchanged. x.h() is the number of rows, the height.",
              "The values are right, and a viewer that believes the sides shears them into "
              "stripes.")

namespace empty_output_refused {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  require(x.size() > 0, "nothing to show");
  return solution::model_to_image(x, range);
}
}  // namespace empty_output_refused
MISCONCEPTION(empty_output_refused, model_to_image, "pixels.empty-output-refused",
              "An image without pixels was refused. It becomes a picture without pixels.",
              "Only samples and channels are fixed, to 1 and 3; rows and columns may be 0.")

namespace first_three_planes {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  Tensor4 first(1, 3, x.h(), x.w());
  for (Index i = 0; i < first.size() && x.size() > 0; ++i) first.data()[i] = x.data()[i % x.size()];
  return solution::model_to_image(first, range);
}
}  // namespace first_three_planes
MISCONCEPTION(first_three_planes, model_to_image, "pixels.shape-unchecked",
              "Samples and channels were not checked: one sample of three channels, or a refusal.",
              "The first picture of a batch is a fine picture, and the others are lost without a "
              "word. A grey image repeated three times is a decision that is not this function's.")

namespace nothing_is_black {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  return solution::model_to_image(changed(x,
                                          [](double v) {
                                            if (std::isnan(v)) return 0.0;
                                            return std::clamp(v, -9.0, 9.0);
                                          }),
                                  range);
}
}  // namespace nothing_is_black
MISCONCEPTION(nothing_is_black, model_to_image, "pixels.not-finite-accepted",
              "Infinities and NaN were turned into some value. Refuse them.",
              "A NaN that is clamped becomes an ordinary pixel. The black images of SDXL's decoder "
              "in fp16 (diffusers issues 7188 and 9844) are nothing but NaN, and every tool on the "
              "way had taken them for pictures.")

// ---- 8.1 tensor_stats --------------------------------------------------------------------------

namespace sample_deviation {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats;
  double sum = 0.0, squares = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double v = x.data()[i];
    if (std::isnan(v)) {
      ++stats.nans;
      continue;
    }
    stats.min = stats.count == 0 ? v : std::min(stats.min, v);
    stats.max = stats.count == 0 ? v : std::max(stats.max, v);
    sum += v;
    ++stats.count;
  }
  if (stats.count > 0) stats.mean = sum / static_cast<double>(stats.count);
  for (Index i = 0; i < x.size(); ++i) {
    const double from_mean = x.data()[i] - stats.mean;
    if (!std::isnan(from_mean) || std::isinf(stats.max)) squares += from_mean * from_mean;
  }
  if (stats.count > 1) stats.std = std::sqrt(squares / static_cast<double>(stats.count - 1));
  stats.absmax = std::max(std::abs(stats.min), std::abs(stats.max));
  return stats;
}
}  // namespace sample_deviation
MISCONCEPTION(sample_deviation, tensor_stats, "stats.sample-deviation",
              "You divided by the number less one. The contract asks for the population: divide "
              "by the number.",
              "torch.std divides by n - 1 unless told otherwise, NumPy by n. For a tensor of "
              "thousands the two agree; for 1, 2, 3, 4 they are 1.2910 and 1.1180. A trace "
              "describes the elements that are there and estimates nothing.")

namespace squares_in_double {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  double squares = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double v = x.data()[i];
    if (!std::isnan(v)) squares += v * v;
  }
  if (stats.count > 0) {
    const double variance = squares / static_cast<double>(stats.count) - stats.mean * stats.mean;
    stats.std = std::sqrt(variance < 0.0 ? 0.0 : variance);
  }
  return stats;
}
}  // namespace squares_in_double
MISCONCEPTION(squares_in_double, tensor_stats, "stats.squares-minus-square",
              "You took mean(x^2) - mean(x)^2. Around 10,000 both are 100,000,000, and half of a "
              "double's digits are gone in the difference: compare each element with a mean.",
              "Doubles around 1e8 are 1.5e-8 apart, so a variance of 0.25 is wrong in its eighth "
              "digit; in float, where they are 8 apart, it is wrong altogether and may be "
              "negative. Welford's recurrence keeps a mean and the squares of the distances from "
              "it, in one pass.")

namespace squares_in_float {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  float sum = 0.0F, squares = 0.0F;
  for (Index i = 0; i < x.size(); ++i) {
    const float v = x.data()[i];
    if (std::isnan(v)) continue;
    sum += v;
    squares += v * v;
  }
  if (stats.count > 0) {
    const float mean = sum / static_cast<float>(stats.count);
    const float variance = squares / static_cast<float>(stats.count) - mean * mean;
    stats.mean = mean;
    stats.std = std::sqrt(std::max(variance, 0.0F));
    if (std::isnan(variance)) stats.std = variance;
  }
  return stats;
}
}  // namespace squares_in_float
MISCONCEPTION(squares_in_float, tensor_stats, "stats.in-float",
              "You added up in float. Accumulate in double, and around a mean.",
              "A float has seven digits. Around 10,000 they are used up by the squares' first "
              "ones, and the standard deviation comes out as anything, 0 included.")

namespace variance_named_std {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  stats.std *= stats.std;
  return stats;
}
}  // namespace variance_named_std
MISCONCEPTION(variance_named_std, tensor_stats, "stats.variance",
              "std is a variance: the root is missing.",
              "One over it is then taken for a latent scale: SD1's would be 0.0332 in place of "
              "0.18215.")

namespace nan_poisons {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  if (stats.nans > 0 && stats.count > 0) {
    stats.mean = stats.std = std::numeric_limits<double>::quiet_NaN();
  }
  return stats;
}
}  // namespace nan_poisons
MISCONCEPTION(nan_poisons, tensor_stats, "stats.nan-in-mean",
              "One NaN made mean and std NaN. They are counted, and left out of everything else.",
              "A trace should say how many elements are broken and what the others look like: one "
              "NaN in a corner and a tensor of nothing else are different troubles.")

namespace nan_not_counted {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  stats.nans = 0;
  return stats;
}
}  // namespace nan_not_counted
MISCONCEPTION(nan_not_counted, tensor_stats, "stats.nan-ignored",
              "NaN were left out and not counted. nans is their number.",
              "Every comparison with NaN is false, so min and max pass over it by themselves and "
              "the damage disappears from the trace, which is what a trace is read for.")

namespace nan_in_count {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  stats.count = x.size();
  return stats;
}
}  // namespace nan_in_count
MISCONCEPTION(nan_in_count, tensor_stats, "stats.nan-in-count",
              "count is the size of the tensor. NaN do not enter.",
              "count is what the mean is divided by. Size and count differ by nans.")

namespace min_from_zero {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  stats.min = std::min(stats.min, 0.0);
  return stats;
}
}  // namespace min_from_zero
MISCONCEPTION(min_from_zero, tensor_stats, "stats.min-starts-at-zero",
              "min started at 0 and stayed there, where all elements are above it. Start with the "
              "first element.",
              "What comes out of a ReLU has min 0 anyway; an image from 0 to 1 without any black "
              "does not.")

namespace max_from_tiny {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  if (stats.count > 0) stats.max = std::max(stats.max, std::numeric_limits<double>::min());
  return stats;
}
}  // namespace max_from_tiny
MISCONCEPTION(max_from_tiny, tensor_stats, "stats.max-starts-at-zero",
              "max started at (nearly) 0 and stayed there, where all elements are below it.",
              "std::numeric_limits<double>::min() is the smallest *positive* number. The lowest "
              "one is lowest(). Starting with the first element needs neither.")

namespace largest_signed {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  stats.absmax = std::abs(stats.max);
  return stats;
}
}  // namespace largest_signed
MISCONCEPTION(largest_signed, tensor_stats, "stats.absmax-of-max",
              "absmax is |max|. The smallest element may be the larger one in magnitude.",
              "fp16 overflows at -65,520 as it does at 65,520, and feature maps before a ReLU are "
              "not symmetric.")

namespace infinities_left_out {
TensorStats tensor_stats(const Tensor4& x) {
  Tensor4 finite = x;
  for (Index i = 0; i < x.size(); ++i) {
    if (std::isinf(x.data()[i])) finite.data()[i] = std::numeric_limits<float>::quiet_NaN();
  }
  return solution::tensor_stats(finite);
}
}  // namespace infinities_left_out
MISCONCEPTION(infinities_left_out, tensor_stats, "stats.infinities-left-out",
              "Infinities were counted among the NaN. They enter min, max and absmax as they are.",
              "isfinite is the wrong question here. An overflow first shows as an infinity, and "
              "only the next layer's inf - inf makes NaN of it: the trace should say at which "
              "stage that begins.")

namespace per_sample {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  if (x.n() < 2 || stats.nans > 0) return stats;
  stats.std = 0.0;
  for (Index n = 0; n < x.n(); ++n) {
    Tensor4 one(1, x.c(), x.h(), x.w());
    std::copy_n(x.data() + n * one.size(), one.size(), one.data());
    stats.std += solution::tensor_stats(one).std / static_cast<double>(x.n());
  }
  return stats;
}
}  // namespace per_sample
MISCONCEPTION(per_sample, tensor_stats, "stats.averaged-per-sample",
              "std is the average of the samples' deviations. It is one deviation over all "
              "elements.",
              "The average leaves out how much the samples' means differ. For the latent scale "
              "that is the point: it is taken over the whole batch, flattened.")

namespace nothing_is_infinite {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  if (stats.count == 0) {
    stats.min = std::numeric_limits<double>::infinity();
    stats.max = -stats.min;
    stats.absmax = stats.min;
  }
  return stats;
}
}  // namespace nothing_is_infinite
MISCONCEPTION(nothing_is_infinite, tensor_stats, "stats.empty-infinite",
              "Where nothing was counted, min and max were left where they started. They are 0 "
              "then.",
              "Infinity is the right start and the wrong answer: an empty tensor in a trace should "
              "not look like an overflow.")

namespace nothing_is_nan {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats = solution::tensor_stats(x);
  if (stats.count == 0) stats.mean = stats.std = std::numeric_limits<double>::quiet_NaN();
  return stats;
}
}  // namespace nothing_is_nan
MISCONCEPTION(nothing_is_nan, tensor_stats, "stats.empty-nan",
              "Where nothing was counted you divided by 0. Everything is 0 then.",
              "0 / 0 is NaN. The contract's number for nothing is 0, with count = 0 beside it to "
              "tell what it means.")

// ---- 8.2 scale_latents -------------------------------------------------------------------------

namespace shift_behind {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  require(std::isfinite(scale.scale) && scale.scale != 0.0 && std::isfinite(scale.shift), "scale");
  Tensor4 y = z;
  for (Index i = 0; i < y.size(); ++i) {
    y.data()[i] = static_cast<float>(double(y.data()[i]) * scale.scale - scale.shift);
  }
  return y;
}
}  // namespace shift_behind
MISCONCEPTION(shift_behind, scale_latents, "scale.shift-behind-scale",
              "You scaled first and took the shift off then. It comes off first: (z - shift) * "
              "scale.",
              "The shift is a mean of raw latents. For z = 1, Flux's numbers give 0.2452 that way "
              "and 0.3192 the right way; SD3's 1.4696 and 1.4373. Near enough to look like a "
              "slightly worse model.")

namespace divided {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::scale_latents(z, scale);
  return changed(z, [&](double v) { return (v - scale.shift) / scale.scale; });
}
}  // namespace divided
MISCONCEPTION(divided, scale_latents, "scale.divided",
              "You divided by the scale. Towards the denoiser it multiplies.",
              "The scale is one over a standard deviation, so multiplying brings latents to 1. "
              "CogVideoX was trained with image latents divided where they should have been "
              "multiplied; its configuration carries a flag, invert_scale_latents, to repeat that "
              "(diffusers; finetrainers issue 101).")

namespace shift_ignored {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::scale_latents(z, scale);
  return changed(z, [&](double v) { return v * scale.scale; });
}
}  // namespace shift_ignored
MISCONCEPTION(shift_ignored, scale_latents, "scale.shift-ignored",
              "The shift is missing: (z - shift) * scale.",
              "Stable Diffusion 1 and SDXL have none, so code that was written for them lacks it: "
              "diffusers issues 8708, 8887 and 11867 are training scripts for SD3 that left it "
              "out.")

namespace shift_added {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::scale_latents(z, scale);
  return changed(z, [&](double v) { return (v + scale.shift) * scale.scale; });
}
}  // namespace shift_added
MISCONCEPTION(shift_added, scale_latents, "scale.shift-added",
              "You added the shift. On the way to the denoiser it is taken off.",
              "The shift is what the latents are moved *from*: with it taken off their mean is "
              "near 0.")

namespace scaled_twice {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  const Tensor4 once = solution::scale_latents(z, scale);
  return changed(once, [&](double v) { return v * scale.scale; });
}
}  // namespace scaled_twice
MISCONCEPTION(scaled_twice, scale_latents, "scale.twice", "The scale was applied twice.",
              "For SD1 0.18215 squared is 0.0332, and the denoiser sees next to nothing. It "
              "happens where an encode function already scales and its caller does not know; "
              "AUTOMATIC1111's pull request 12596 is a case with TAESD, whose latents are scaled "
              "from the start.")

namespace not_scaled {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::scale_latents(z, scale);
  return z;
}
}  // namespace not_scaled
MISCONCEPTION(not_scaled, scale_latents, "scale.left-out",
              "The latents were passed on as they came.",
              "SD1's raw latents have a standard deviation of about 5.5 where the denoiser was "
              "trained on 1. Left out on both ways it cancels in a round trip, and shows only when "
              "a denoiser stands in between: diffusers issue 5166.")

namespace sd1_for_all {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::scale_latents(z, scale);
  return changed(z, [&](double v) { return (v - scale.shift) * 0.18215; });
}
}  // namespace sd1_for_all
MISCONCEPTION(sd1_for_all, scale_latents, "scale.sd1-constant",
              "0.18215 is Stable Diffusion 1's. Take the scale that was passed.",
              "The constant belongs to one set of weights. On SDXL's latents it gives a standard "
              "deviation of 1.4, and nothing fails: the pictures are merely worse.")

namespace first_sample_scaled {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  const Tensor4 right = solution::scale_latents(z, scale);
  Tensor4 y = z;
  std::copy_n(right.data(), z.n() > 0 ? z.size() / z.n() : 0, y.data());
  return y;
}
}  // namespace first_sample_scaled
MISCONCEPTION(first_sample_scaled, scale_latents, "scale.first-sample-only",
              "Only the first sample was scaled. Every element of the batch is.",
              "A loop over C * H * W elements is right for one image, which is what most scripts "
              "are tried with.")

namespace zero_scale_accepted {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  require(std::isfinite(scale.scale) && std::isfinite(scale.shift), "scale");
  return changed(z, [&](double v) { return (v - scale.shift) * scale.scale; });
}
}  // namespace zero_scale_accepted
MISCONCEPTION(zero_scale_accepted, scale_latents, "scale.zero-accepted",
              "A scale of 0 was accepted. There is no way back from it; refuse it.",
              "Every latent becomes 0. It is what a missing entry in a configuration often turns "
              "into.")

namespace any_scale_accepted {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  require(scale.scale != 0.0, "scale");
  return changed(z, [&](double v) { return (v - scale.shift) * scale.scale; });
}
}  // namespace any_scale_accepted
MISCONCEPTION(any_scale_accepted, scale_latents, "scale.not-finite-accepted",
              "An infinite scale or shift, or one that is no number, was accepted.",
              "NaN != 0 holds, so a check against 0 lets it through. Ask std::isfinite of both.")

namespace no_latents_refused {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  require(z.size() > 0, "no latents");
  return solution::scale_latents(z, scale);
}
}  // namespace no_latents_refused
MISCONCEPTION(no_latents_refused, scale_latents, "scale.empty-refused",
              "A tensor without elements was refused. Any shape is fine.",
              "Nothing has to be computed for it. Only fit_latent_scale needs elements.")

namespace still_multiplied {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::unscale_latents(z, scale);
  return changed(z, [&](double v) { return v * scale.scale + scale.shift; });
}
}  // namespace still_multiplied
MISCONCEPTION(still_multiplied, unscale_latents, "scale.multiplied-back",
              "You multiplied on the way back. It divides: z' / scale + shift.",
              "The decoder then gets latents 30 times too small for SD1 (0.18215 twice), which it "
              "decodes to a soft grey.")

namespace shift_off_first {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::unscale_latents(z, scale);
  return changed(z, [&](double v) { return (v + scale.shift) / scale.scale; });
}
}  // namespace shift_off_first
MISCONCEPTION(shift_off_first, unscale_latents, "scale.undone-in-order",
              "You put the shift back before dividing. What came last is undone first: divide, "
              "then add the shift.",
              "Socks and shoes: two steps are undone in the opposite order.")

namespace the_same_again {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::unscale_latents(z, scale);
  return changed(z, [&](double v) { return (v - scale.shift) / scale.scale; });
}
}  // namespace the_same_again
MISCONCEPTION(the_same_again, unscale_latents, "scale.shift-taken-off-again",
              "You took the shift off a second time. On the way back it is added, behind the "
              "division.",
              "The formula was copied from the way there and only its product turned into a "
              "quotient.")

namespace shift_forgotten {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::unscale_latents(z, scale);
  return changed(z, [&](double v) { return v / scale.scale; });
}
}  // namespace shift_forgotten
MISCONCEPTION(shift_forgotten, unscale_latents, "scale.shift-forgotten-back",
              "The shift is missing: z' / scale + shift.",
              "For SD3 and Flux every latent is then too small by 0.06 or 0.12, which tints the "
              "picture.")

namespace minus_shift {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::unscale_latents(z, scale);
  return changed(z, [&](double v) { return v / scale.scale - scale.shift; });
}
}  // namespace minus_shift
MISCONCEPTION(minus_shift, unscale_latents, "scale.shift-sign-back",
              "The shift was taken off behind the division. It is added there.",
              "It was taken off on the way to the denoiser and has to come back.")

namespace not_unscaled {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  solution::unscale_latents(z, scale);
  return z;
}
}  // namespace not_unscaled
MISCONCEPTION(not_unscaled, unscale_latents, "scale.never-unscaled",
              "The latents went to the decoder as the denoiser left them.",
              "diffusers issue 5166: a pipeline without a prompt that never divided. The decoder "
              "shows a washed-out version of the right picture, which is easily blamed on the "
              "model.")

namespace first_sample_unscaled {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  const Tensor4 right = solution::unscale_latents(z, scale);
  Tensor4 y = z;
  std::copy_n(right.data(), z.n() > 0 ? z.size() / z.n() : 0, y.data());
  return y;
}
}  // namespace first_sample_unscaled
MISCONCEPTION(first_sample_unscaled, unscale_latents, "scale.first-sample-unscaled",
              "Only the first sample had its scale taken off. Every element of the batch has one.",
              "z.size() is the number of elements of the whole batch.")

namespace unscales_by_nothing {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  return changed(z, [&](double v) { return v / scale.scale + scale.shift; });
}
}  // namespace unscales_by_nothing
MISCONCEPTION(unscales_by_nothing, unscale_latents, "scale.unscale-unchecked",
              "A scale that is 0 or not finite was accepted. Refuse what scale_latents refuses.",
              "Dividing floats by 0 raises nothing; it fills the tensor with infinities.")

namespace nothing_to_unscale {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  require(z.size() > 0, "no latents");
  return solution::unscale_latents(z, scale);
}
}  // namespace nothing_to_unscale
MISCONCEPTION(nothing_to_unscale, unscale_latents, "scale.empty-unscale-refused",
              "A tensor without elements was refused. Any shape is fine.",
              "Nothing has to be computed for it.")

namespace deviation_itself {
LatentScale fit_latent_scale(const Tensor4& z) {
  return {1.0 / solution::fit_latent_scale(z).scale, 0.0};
}
}  // namespace deviation_itself
MISCONCEPTION(deviation_itself, fit_latent_scale, "fit.deviation-itself",
              "You returned the standard deviation. The scale is one over it.",
              "diffusers' documentation of AutoencoderKL calls scaling_factor the \"component-wise "
              "standard deviation\" of the latent space. It is neither: it is the reciprocal, and "
              "one number for all components, as `scale_by_std` in CompVis/latent-diffusion "
              "computes it.")

namespace over_variance {
LatentScale fit_latent_scale(const Tensor4& z) {
  const double scale = solution::fit_latent_scale(z).scale;
  return {scale * scale, 0.0};
}
}  // namespace over_variance
MISCONCEPTION(over_variance, fit_latent_scale, "fit.over-variance",
              "You divided by the variance. One over the standard deviation: its root.",
              "Scaled by s, a deviation becomes s times as large. Only 1 / std makes 1 of it.")

namespace over_rms {
LatentScale fit_latent_scale(const Tensor4& z) {
  solution::fit_latent_scale(z);
  double squares = 0.0;
  for (Index i = 0; i < z.size(); ++i) squares += double(z.data()[i]) * double(z.data()[i]);
  return {1.0 / std::sqrt(squares / static_cast<double>(z.size())), 0.0};
}
}  // namespace over_rms
MISCONCEPTION(over_rms, fit_latent_scale, "fit.mean-not-taken-off",
              "You took the root of the mean square. A standard deviation is measured from the "
              "mean.",
              "The two agree where the mean is 0, and latents are near that, not at it.")

namespace fits_a_shift {
LatentScale fit_latent_scale(const Tensor4& z) {
  return {solution::fit_latent_scale(z).scale, solution::tensor_stats(z).mean};
}
}  // namespace fits_a_shift
MISCONCEPTION(fits_a_shift, fit_latent_scale, "fit.mean-as-shift",
              "You returned the mean as shift. This fit has none: 0.",
              "It would be a fine idea, and SD3 and Flux have a shift; Stable Diffusion 1's "
              "recipe, which is the contract here, does not.")

namespace first_sample_only {
LatentScale fit_latent_scale(const Tensor4& z) {
  solution::fit_latent_scale(z);
  Tensor4 one(1, z.c(), z.h(), z.w());
  std::copy_n(z.data(), one.size(), one.data());
  return {1.0 / solution::tensor_stats(one).std, 0.0};
}
}  // namespace first_sample_only
MISCONCEPTION(first_sample_only, fit_latent_scale, "fit.first-sample-only",
              "Only the first sample was measured. The deviation is over all elements of the "
              "batch.",
              "One image's latents say little about the next one's; even a whole batch is a small "
              "sample, which is why SD1's number is what it is.")

namespace channel_by_channel {
LatentScale fit_latent_scale(const Tensor4& z) {
  solution::fit_latent_scale(z);
  double sum = 0.0;
  for (Index c = 0; c < z.c(); ++c) {
    Tensor4 channel(z.n(), 1, z.h(), z.w());
    const Index positions = z.h() * z.w();
    for (Index n = 0; n < z.n(); ++n) {
      std::copy_n(z.data() + (n * z.c() + c) * positions, positions,
                  channel.data() + n * positions);
    }
    sum += solution::tensor_stats(channel).std / static_cast<double>(z.c());
  }
  return {1.0 / sum, 0.0};
}
}  // namespace channel_by_channel
MISCONCEPTION(channel_by_channel, fit_latent_scale, "fit.channel-average",
              "You averaged the channels' deviations. The batch is flattened first: one deviation "
              "over everything.",
              "How far the channels' means lie apart is part of it. Statistics per channel are "
              "another contract, that of exercise 8.3.")

namespace spread_out_of_n_less_one {
LatentScale fit_latent_scale(const Tensor4& z) {
  const double n = static_cast<double>(z.size());
  return {solution::fit_latent_scale(z).scale * std::sqrt((n - 1.0) / n), 0.0};
}
}  // namespace spread_out_of_n_less_one
MISCONCEPTION(spread_out_of_n_less_one, fit_latent_scale, "fit.sample-deviation",
              "You divided by the number less one. tensor_stats divides by the number.",
              "torch's z.flatten().std() does the same, and for a real batch of latents no digit "
              "of the scale changes. The contract names the population.")

namespace constant_latents {
LatentScale fit_latent_scale(const Tensor4& z) {
  const TensorStats stats = solution::tensor_stats(z);
  require(stats.nans == 0 && std::isfinite(stats.absmax), "not finite");
  return {stats.std > 0.0 ? 1.0 / stats.std : 1.0, 0.0};
}
}  // namespace constant_latents
MISCONCEPTION(constant_latents, fit_latent_scale, "fit.no-spread-accepted",
              "Latents without a spread, or none at all, were accepted. They have no scale; "
              "refuse them.",
              "One over 0 is infinite, and a 1 put in its place hides an encoder that has "
              "collapsed.")

namespace nans_left_out {
LatentScale fit_latent_scale(const Tensor4& z) {
  const TensorStats stats = solution::tensor_stats(z);
  require(stats.count > 0 && stats.min < stats.max, "no spread");
  return {1.0 / stats.std, 0.0};
}
}  // namespace nans_left_out
MISCONCEPTION(nans_left_out, fit_latent_scale, "fit.not-finite-accepted",
              "Latents that are not all finite were accepted. Refuse them: nans == 0, and absmax "
              "finite.",
              "tensor_stats leaves NaN out of its std, which is right for a trace. A scale that is "
              "used for the whole training should not rest on a broken batch.")

// ---- 8.3 patchify ------------------------------------------------------------------------------

namespace patch_before_channel {
Tensor4 patchify(const Tensor4& z) {
  require(z.h() % 2 == 0 && z.w() % 2 == 0, "odd side");
  Tensor4 packed(z.n(), 4 * z.c(), z.h() / 2, z.w() / 2);
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) {
          const Index within = 2 * (h % 2) + w % 2;
          packed(n, within * z.c() + c, h / 2, w / 2) = z(n, c, h, w);
        }
      }
    }
  }
  return packed;
}
}  // namespace patch_before_channel
MISCONCEPTION(patch_before_channel, patchify, "patch.place-before-channel",
              "The place in the patch comes before the channel: (2i + j) C + c. The contract has "
              "the channel first: 4c + 2i + j.",
              "Both orders are in use, (c p1 p2) and (p1 p2 c) in the notation of einops, and with "
              "one channel they are the same. Statistics per packed channel, as Flux.2 has them, "
              "fit one of them only.")

namespace across_then_down {
Tensor4 patchify(const Tensor4& z) {
  const Tensor4 right = solution::patchify(z);
  Tensor4 packed = right;
  for (Index n = 0; n < right.n(); ++n) {
    for (Index c = 0; c < right.c(); ++c) {
      const Index i = c % 4 / 2, j = c % 2;
      for (Index h = 0; h < right.h(); ++h) {
        for (Index w = 0; w < right.w(); ++w)
          packed(n, c - c % 4 + 2 * j + i, h, w) = right(n, c, h, w);
      }
    }
  }
  return packed;
}
}  // namespace across_then_down
MISCONCEPTION(across_then_down, patchify, "patch.rows-and-columns-swapped",
              "Rows and columns of the patch are exchanged: 4c + 2j + i in place of 4c + 2i + j.",
              "The upper right corner of each patch is in the place of the lower left one. An "
              "unpatchify with the same exchange hides it.")

namespace memory_as_it_lies {
Tensor4 patchify(const Tensor4& z) {
  Tensor4 packed = solution::patchify(z);
  std::copy_n(z.data(), z.size(), packed.data());
  return packed;
}
}  // namespace memory_as_it_lies
MISCONCEPTION(memory_as_it_lies, patchify, "patch.reshaped",
              "You gave the same memory another shape. A patch's rows do not lie side by side: a "
              "permutation is needed between two reshapes.",
              "view(N, C, H/2, 2, W/2, 2), permute(0, 1, 3, 5, 2, 4), reshape: without the middle "
              "step the elements of one patch are spread over the map.")

namespace quadrants {
Tensor4 patchify(const Tensor4& z) {
  Tensor4 packed = solution::patchify(z);
  for (Index n = 0; n < packed.n(); ++n) {
    for (Index c = 0; c < packed.c(); ++c) {
      for (Index h = 0; h < packed.h(); ++h) {
        for (Index w = 0; w < packed.w(); ++w)
          packed(n, c, h, w) = z(n, c / 4, c % 4 / 2 * packed.h() + h, c % 2 * packed.w() + w);
      }
    }
  }
  return packed;
}
}  // namespace quadrants
MISCONCEPTION(quadrants, patchify, "patch.quadrants",
              "You cut the map into four quarters. A patch is two neighbouring rows and columns.",
              "Row 2h + i is row i of patch h. H/2 i + h is row h of the upper or lower half: the "
              "two factors of the reshape are exchanged.")

namespace odd_cut {
Tensor4 patchify(const Tensor4& z) {
  Tensor4 even(z.n(), z.c(), z.h() / 2 * 2, z.w() / 2 * 2);
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < even.h(); ++h) {
        for (Index w = 0; w < even.w(); ++w) even(n, c, h, w) = z(n, c, h, w);
      }
    }
  }
  return solution::patchify(even);
}
}  // namespace odd_cut
MISCONCEPTION(odd_cut, patchify, "patch.odd-accepted",
              "The last row or column of an odd map was dropped. Refuse odd sides.",
              "The picture that comes back is 8 or 16 pixels smaller, and nobody has said so.")

namespace place_before_channel_back {
Tensor4 unpatchify(const Tensor4& z) {
  const Tensor4 right = solution::unpatchify(z);
  Tensor4 back = right;
  for (Index n = 0; n < back.n(); ++n) {
    for (Index c = 0; c < back.c(); ++c) {
      for (Index h = 0; h < back.h(); ++h) {
        for (Index w = 0; w < back.w(); ++w)
          back(n, c, h, w) = z(n, (2 * (h % 2) + w % 2) * back.c() + c, h / 2, w / 2);
      }
    }
  }
  return back;
}
}  // namespace place_before_channel_back
MISCONCEPTION(place_before_channel_back, unpatchify, "patch.place-before-channel-back",
              "You read packed channels as (2i + j) C + c. They are 4c + 2i + j.",
              "The channels of the result are mixtures: each takes its four corners from four "
              "different ones.")

namespace corners_exchanged {
Tensor4 unpatchify(const Tensor4& z) {
  const Tensor4 right = solution::unpatchify(z);
  Tensor4 back = right;
  for (Index n = 0; n < back.n(); ++n) {
    for (Index c = 0; c < back.c(); ++c) {
      for (Index h = 0; h < back.h(); ++h) {
        for (Index w = 0; w < back.w(); ++w)
          back(n, c, h, w) = right(n, c, h / 2 * 2 + w % 2, w / 2 * 2 + h % 2);
      }
    }
  }
  return back;
}
}  // namespace corners_exchanged
MISCONCEPTION(corners_exchanged, unpatchify, "patch.corners-exchanged-back",
              "Rows and columns of the patch are exchanged on the way back.",
              "2i + j: i is the row. Edges that run down to the right become stairs.")

namespace memory_kept {
Tensor4 unpatchify(const Tensor4& z) {
  Tensor4 back = solution::unpatchify(z);
  std::copy_n(z.data(), z.size(), back.data());
  return back;
}
}  // namespace memory_kept
MISCONCEPTION(memory_kept, unpatchify, "patch.reshaped-back",
              "You gave the same memory another shape. The elements of a patch have to be brought "
              "together.",
              "A reshape keeps the order in memory, and in memory the four channels of a patch are "
              "H W elements apart.")

namespace rest_dropped {
Tensor4 unpatchify(const Tensor4& z) {
  Tensor4 whole(z.n(), z.c() / 4 * 4, z.h(), z.w());
  for (Index n = 0; n < z.n(); ++n) {
    const Index size = whole.c() * whole.h() * whole.w();
    std::copy_n(z.data() + n * z.c() * z.h() * z.w(), size, whole.data() + n * size);
  }
  return solution::unpatchify(whole);
}
}  // namespace rest_dropped
MISCONCEPTION(rest_dropped, unpatchify, "patch.rest-dropped",
              "Channels beyond the last multiple of 4 were dropped. Refuse such a map.",
              "A latent that was never packed often has 4 or 16 channels and passes; one of 3 or "
              "31 says that something else was passed in.")

namespace over_its_variance {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  Tensor4 y = solution::normalize_channels(z, stats);
  for (Index i = 0; i < y.size(); ++i) {
    const Index c = i / (z.h() * z.w()) % z.c();
    y.data()[i] /= static_cast<float>(std::sqrt(double(stats.variance(c)) + stats.eps));
  }
  return y;
}
}  // namespace over_its_variance
MISCONCEPTION(over_its_variance, normalize_channels, "channels.variance-as-deviation",
              "You divided by the variance. Its root, the standard deviation, belongs there.",
              "Batch norms keep running *variances*; configurations of Wan and Cosmos list "
              "standard deviations. A loader that takes one for the other is wrong for every "
              "channel whose variance is not 1.")

namespace eps_outside {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  Tensor4 y = solution::normalize_channels(z, stats);
  for (Index i = 0; i < y.size(); ++i) {
    const Index c = i / (z.h() * z.w()) % z.c();
    const double right = std::sqrt(double(stats.variance(c)) + stats.eps);
    const double wrong = std::sqrt(double(stats.variance(c))) + stats.eps;
    y.data()[i] = static_cast<float>(y.data()[i] * right / wrong);
  }
  return y;
}
}  // namespace eps_outside
MISCONCEPTION(eps_outside, normalize_channels, "channels.eps-outside",
              "You added eps to the root. It stands under it: sqrt(variance + eps).",
              "Adam has its epsilon outside of the root, norms inside. For a channel that hardly "
              "varies, 1e-5 under the root is 0.003 and outside 0.00001.")

namespace eps_left_out {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  solution::normalize_channels(z, stats);
  ChannelStats bare = stats;
  bare.eps = 0.0;
  return solution::normalize_channels(z, bare);
}
}  // namespace eps_left_out
MISCONCEPTION(eps_left_out, normalize_channels, "channels.eps-left-out",
              "eps is missing under the root.",
              "The decoder was trained behind the root with eps in it. For variances near 1 and "
              "1e-5 nothing is seen.")

namespace not_centred {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  ChannelStats zero = stats;
  solution::normalize_channels(z, stats);
  zero.mean.setZero();
  return solution::normalize_channels(z, zero);
}
}  // namespace not_centred
MISCONCEPTION(not_centred, normalize_channels, "channels.mean-missing",
              "The mean was not taken off.",
              "(z - mean) / deviation: the shift of exercise 8.2, once per channel.")

namespace along_columns {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  Tensor4 y = solution::normalize_channels(z, stats);
  for (Index i = 0; i < y.size(); ++i) {
    const Index c = i % z.w() % z.c();
    y.data()[i] = static_cast<float>((double(z.data()[i]) - stats.mean(c)) /
                                     std::sqrt(double(stats.variance(c)) + stats.eps));
  }
  return y;
}
}  // namespace along_columns
MISCONCEPTION(along_columns, normalize_channels, "channels.along-columns",
              "The statistics were laid along W. They belong to the axis of channels.",
              "A vector of C numbers broadcasts along the last axis unless it is reshaped to [1, "
              "C, 1, 1]. Where W happens to be C, nothing complains.")

namespace statistics_unfitting {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  ChannelStats fitted = stats;
  fitted.mean.conservativeResize(z.c());
  fitted.variance.conservativeResize(z.c());
  for (Index c = stats.mean.size(); c < z.c(); ++c) fitted.mean(c) = 0.0F;
  for (Index c = stats.variance.size(); c < z.c(); ++c) fitted.variance(c) = 1.0F;
  return solution::normalize_channels(z, fitted);
}
}  // namespace statistics_unfitting
MISCONCEPTION(statistics_unfitting, normalize_channels, "channels.size-unchecked",
              "Statistics of another number of channels were accepted.",
              "Flux.2's statistics have 128 channels, its unpacked latent 32: normalizing before "
              "packing is exactly what this check finds.")

namespace roots_of_anything {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  require_size(stats.mean.size(), z.c(), "mean");
  require_size(stats.variance.size(), z.c(), "variance");
  ChannelStats mended = stats;
  mended.variance = stats.variance.cwiseMax(0.0F);
  mended.eps = std::max(stats.eps, 1e-12);
  return solution::normalize_channels(z, mended);
}
}  // namespace roots_of_anything
MISCONCEPTION(roots_of_anything, normalize_channels, "channels.variance-unchecked",
              "A negative variance or eps, or 0 in both, was accepted. Refuse them.",
              "A negative variance is a mean, or a logarithm, in the wrong place. Mended in "
              "silence it blows a channel up by a million.")

namespace mean_first {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  Tensor4 y = solution::denormalize_channels(z, stats);
  for (Index i = 0; i < y.size(); ++i) {
    const Index c = i / (z.h() * z.w()) % z.c();
    y.data()[i] = static_cast<float>((double(z.data()[i]) + stats.mean(c)) *
                                     std::sqrt(double(stats.variance(c)) + stats.eps));
  }
  return y;
}
}  // namespace mean_first
MISCONCEPTION(mean_first, denormalize_channels, "channels.mean-added-first",
              "You added the mean before multiplying. What came last is undone first: multiply, "
              "then add.",
              "Here, too, two steps are undone in the opposite order.")

namespace variance_back {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  Tensor4 y = solution::denormalize_channels(z, stats);
  for (Index i = 0; i < y.size(); ++i) {
    const Index c = i / (z.h() * z.w()) % z.c();
    y.data()[i] = static_cast<float>(double(z.data()[i]) * (double(stats.variance(c)) + stats.eps) +
                                     stats.mean(c));
  }
  return y;
}
}  // namespace variance_back
MISCONCEPTION(variance_back, denormalize_channels, "channels.variance-back",
              "You multiplied by the variance. Its root belongs there.",
              "The way there divided by a standard deviation, so the way back multiplies by one.")

namespace eps_forgotten_back {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  solution::denormalize_channels(z, stats);
  ChannelStats bare = stats;
  bare.eps = 0.0;
  return solution::denormalize_channels(z, bare);
}
}  // namespace eps_forgotten_back
MISCONCEPTION(eps_forgotten_back, denormalize_channels, "channels.eps-missing-back",
              "eps is missing under the root on the way back.",
              "Both ways need the same root, or the round trip is not one.")

namespace mean_forgotten_back {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  ChannelStats zero = stats;
  solution::denormalize_channels(z, stats);
  zero.mean.setZero();
  return solution::denormalize_channels(z, zero);
}
}  // namespace mean_forgotten_back
MISCONCEPTION(mean_forgotten_back, denormalize_channels, "channels.mean-missing-back",
              "The mean was not put back.",
              "Every channel is then around 0, and the decoder, whose first layer expects the "
              "means, paints another scene's light.")

namespace normalized_again {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  return solution::normalize_channels(z, stats);
}
}  // namespace normalized_again
MISCONCEPTION(normalized_again, denormalize_channels, "channels.normalized-again",
              "You normalized once more. The way back multiplies and adds.",
              "z' sqrt(variance + eps) + mean.")

namespace denormalized_anyhow {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  ChannelStats mended = stats;
  mended.mean.conservativeResize(z.c());
  mended.variance.conservativeResize(z.c());
  for (Index c = stats.mean.size(); c < z.c(); ++c) mended.mean(c) = 0.0F;
  for (Index c = stats.variance.size(); c < z.c(); ++c) mended.variance(c) = 1.0F;
  mended.variance = mended.variance.cwiseMax(0.0F).eval();
  mended.eps = std::max(stats.eps, 1e-12);
  return solution::denormalize_channels(z, mended);
}
}  // namespace denormalized_anyhow
MISCONCEPTION(denormalized_anyhow, denormalize_channels, "channels.back-unchecked",
              "Statistics that do not fit, or have no root, were accepted on the way back. Refuse "
              "what normalize_channels refuses.",
              "Code that decodes is often called without the code that encodes, so it has to look "
              "for itself.")

// ---- 8.4 latent_shape --------------------------------------------------------------------------

namespace moments_counted {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const int number = static_cast<int>(family);
  require(number >= 0 && number <= 4, "family");
  const bool pack = packed && number >= 3;
  const std::int64_t step = pack ? 16 : 8, channels = number < 2 ? 4 : number == 4 ? 32 : 16;
  require(height >= 1 && width >= 1 && height % step == 0 && width % step == 0, "sides");
  return {2 * channels * (pack ? 4 : 1), height / step, width / step};
}
}  // namespace moments_counted
MISCONCEPTION(moments_counted, latent_shape, "latent.moments",
              "You counted the channels of the moments. A latent has half as many.",
              "The encoder's last convolution puts out a mean and a log-variance for each latent "
              "channel, 8 for SD's 4. Taking the mode or a sample leaves 4.")

namespace sides_swapped {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  return solution::latent_shape(family, width, height, packed);
}
}  // namespace sides_swapped
MISCONCEPTION(sides_swapped, latent_shape, "latent.sides-swapped",
              "Rows and columns are exchanged: {C, H / f, W / f}.",
              "Pipelines ask for width and height in this order as often as in the other. Square "
              "pictures do not show it.")

namespace channels_last {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const Shape right = solution::latent_shape(family, height, width, packed);
  return {right[1], right[2], right[0]};
}
}  // namespace channels_last
MISCONCEPTION(channels_last, latent_shape, "latent.channels-last",
              "Channels come first: {C, H / f, W / f}.",
              "Pictures have them last, tensors here have them first.")

namespace with_batch {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  Shape shape = solution::latent_shape(family, height, width, packed);
  shape.insert(shape.begin(), 1);
  return shape;
}
}  // namespace with_batch
MISCONCEPTION(with_batch, latent_shape, "latent.batch-counted",
              "The shape has four sizes. It is that of one latent, without the batch.",
              "How many latents there are is not a property of the autoencoder.")

namespace sd1_for_everything {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  Shape shape = solution::latent_shape(family, height, width, packed);
  const LatentContract contract = solution::latent_contract(family);
  shape[0] = shape[0] / contract.channels * 4;
  return shape;
}
}  // namespace sd1_for_everything
MISCONCEPTION(sd1_for_everything, latent_shape, "latent.four-channels",
              "You gave every family 4 channels. SD3 and Flux.1 have 16, Flux.2 has 32.",
              "\"Same tokenizer\" is often said of these models, and wrong: there are four "
              "different ones, and SDXL's has SD1's shape but other weights. A tile decoder of "
              "diffusers had 4 written into it (issue 13652).")

namespace never_packed {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  solution::latent_shape(family, height, width, packed);
  return solution::latent_shape(family, height, width, false);
}
}  // namespace never_packed
MISCONCEPTION(never_packed, latent_shape, "latent.never-packed",
              "packed was ignored: Flux packs 2x2 positions into the channels.",
              "A transformer for 1024x1024 pixels sees 4,096 tokens of 64 numbers, not 16,384 of "
              "16.")

namespace packs_by_halves {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  Shape shape = solution::latent_shape(family, height, width, packed);
  if (packed)
    shape[0] = solution::latent_contract(family).channels * solution::latent_contract(family).pack;
  return shape;
}
}  // namespace packs_by_halves
MISCONCEPTION(packs_by_halves, latent_shape, "latent.pack-not-squared",
              "The channels were multiplied by 2. Packing 2x2 positions makes four times as many.",
              "Packing moves numbers and loses none: half as many rows, half as many columns, four "
              "times the channels.")

namespace packs_unasked {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const Shape right = solution::latent_shape(family, height, width, packed);
  const std::int64_t pack = solution::latent_contract(family).pack;
  if (packed || height % (8 * pack) != 0 || width % (8 * pack) != 0) return right;
  return solution::latent_shape(family, height, width, true);
}
}  // namespace packs_unasked
MISCONCEPTION(packs_unasked, latent_shape, "latent.packed-unasked",
              "Flux's latent was packed without being asked. packed = false is what the "
              "autoencoder puts out.",
              "Flux.1's packing belongs to its transformer, not to its autoencoder: the decoder "
              "wants 16 channels.")

namespace packs_everything {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const Shape right = solution::latent_shape(family, height, width, packed);
  if (!packed || solution::latent_contract(family).pack != 1) return right;
  return {4 * right[0], std::max<std::int64_t>(right[1] / 2, 1),
          std::max<std::int64_t>(right[2] / 2, 1)};
}
}  // namespace packs_everything
MISCONCEPTION(packs_everything, latent_shape, "latent.packs-every-family",
              "A family without packing was packed. For SD1, SDXL and SD3 packed changes nothing.",
              "SD3's transformer has patches of 2x2 too, but makes them inside, by a convolution. "
              "A pipeline hands it the plain latent.")

namespace rounded_down {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  if (packed || height < 8 || width < 8)
    return solution::latent_shape(family, height, width, packed);
  return solution::latent_shape(family, height / 8 * 8, width / 8 * 8, false);
}
}  // namespace rounded_down
MISCONCEPTION(rounded_down, latent_shape, "latent.rounded-down",
              "A side that is no multiple was rounded down. Refuse it, and name the nearest.",
              "It is what pipelines do, and a picture of 1080 rows comes back with 1072 or 1080, "
              "depending on which.")

namespace rounded_up {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const std::int64_t step = 8 * (packed ? solution::latent_contract(family).pack : 1);
  if (height < 1 || width < 1) return solution::latent_shape(family, height, width, packed);
  return solution::latent_shape(family, (height + step - 1) / step * step,
                                (width + step - 1) / step * step, packed);
}
}  // namespace rounded_up
MISCONCEPTION(rounded_up, latent_shape, "latent.rounded-up",
              "A side that is no multiple was rounded up. Refuse it, and name the nearest.",
              "Rounding up needs somebody to fill the missing pixels, and to cut them off again.")

namespace eight_is_enough {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const std::int64_t pack = packed ? solution::latent_contract(family).pack : 1;
  const Shape plain = solution::latent_shape(family, height, width, false);
  return {plain[0] * pack * pack, plain[1] / pack, plain[2] / pack};
}
}  // namespace eight_is_enough
MISCONCEPTION(eight_is_enough, latent_shape, "latent.packed-needs-sixteen",
              "Packed, a side has to be a multiple of 16: a row of positions was lost.",
              "1080 is a multiple of 8: 135 rows of latent, and half a row of patches too many.")

namespace even_nothing {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  if (height > 0 && width > 0) return solution::latent_shape(family, height, width, packed);
  require(height % 8 == 0 && width % 8 == 0, "sides");
  return {solution::latent_contract(family).channels, height / 8, width / 8};
}
}  // namespace even_nothing
MISCONCEPTION(even_nothing, latent_shape, "latent.not-positive",
              "A side of 0 or below was accepted: 0 and -8 are multiples of 8. Ask for at least 1.",
              "The remainder of -8 by 8 is 0. A shape with a negative size becomes a huge one, "
              "when it is multiplied with another of its kind.")

namespace sdxl_is_sd1 {
LatentContract latent_contract(AutoencoderFamily family) {
  return solution::latent_contract(family == AutoencoderFamily::kSdxl ? AutoencoderFamily::kSd1
                                                                      : family);
}
}  // namespace sdxl_is_sd1
MISCONCEPTION(sdxl_is_sd1, latent_contract, "contract.sdxl-as-sd1",
              "You gave SDXL the scale of Stable Diffusion 1. It is 0.13025.",
              "The architecture is the same, the weights were trained anew, and the deviation of "
              "the latents with them: 7.7 in place of 5.5.")

namespace flux_for_sd3 {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract = solution::latent_contract(family);
  if (family == AutoencoderFamily::kSd3) contract.scale = 0.3611, contract.shift = 0.1159;
  return contract;
}
}  // namespace flux_for_sd3
MISCONCEPTION(flux_for_sd3, latent_contract, "contract.sd3-as-flux",
              "SD3 has 1.5305 and 0.0609; you gave it the numbers of Flux.1.",
              "Both have 16 channels and factor 8, and nothing but the pictures tells them apart.")

namespace deviations_listed {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract = solution::latent_contract(family);
  contract.scale = 1.0 / contract.scale;
  return contract;
}
}  // namespace deviations_listed
MISCONCEPTION(deviations_listed, latent_contract, "contract.deviation-for-scale",
              "You listed standard deviations. The scale is one over them.",
              "diffusers' documentation calls its scaling_factor a standard deviation; the number "
              "in the file, 0.18215, is one over it.")

namespace no_shifts {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract = solution::latent_contract(family);
  contract.shift = 0.0;
  return contract;
}
}  // namespace no_shifts
MISCONCEPTION(no_shifts, latent_contract, "contract.no-shift",
              "The shifts are missing: 0.0609 for SD3, 0.1159 for Flux.1.",
              "diffusers issues 8708, 8887 and 11867: training scripts that had been written for "
              "models without a shift.")

namespace twice_the_channels {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract = solution::latent_contract(family);
  contract.channels *= 2;
  return contract;
}
}  // namespace twice_the_channels
MISCONCEPTION(twice_the_channels, latent_contract, "contract.moments",
              "You listed the channels of the moments, mean and log-variance. A latent has half "
              "as many.",
              "8 is the width of the encoder's last layer in Stable Diffusion; the denoiser and "
              "the decoder see 4.")

namespace packed_listed {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract = solution::latent_contract(family);
  if (family == AutoencoderFamily::kFlux2) contract.channels = 128, contract.factor = 16;
  return contract;
}
}  // namespace packed_listed
MISCONCEPTION(
    packed_listed, latent_contract, "contract.flux2-packed",
    "128 channels and factor 16 are Flux.2's latent after packing. The autoencoder has 32 "
    "and 8.",
    "Either pair describes the same numbers. With both a pack of 2 and the packed sizes "
    "the packing would be counted twice.")

namespace never_packs {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract = solution::latent_contract(family);
  contract.pack = 1;
  return contract;
}
}  // namespace never_packs
MISCONCEPTION(never_packs, latent_contract, "contract.no-packing",
              "Flux.1 and Flux.2 pack 2x2 positions: pack is 2.",
              "Without it, sides that are multiples of 8 and not of 16 seem fine until the "
              "transformer is reached.")

namespace sd1_by_default {
LatentContract latent_contract(AutoencoderFamily family) {
  const int number = static_cast<int>(family);
  return solution::latent_contract(number >= 0 && number <= 4 ? family : AutoencoderFamily::kSd1);
}
}  // namespace sd1_by_default
MISCONCEPTION(sd1_by_default, latent_contract, "contract.unknown-accepted",
              "A number that is no family got Stable Diffusion 1's row. Refuse it.",
              "A default of 0.18215 is what diffusers' AutoencoderKL has, and why so many "
              "converted models decode nearly right.")

namespace shape_by_default {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const int number = static_cast<int>(family);
  return solution::latent_shape(number >= 0 && number <= 4 ? family : AutoencoderFamily::kSd1,
                                height, width, packed);
}
}  // namespace shape_by_default
MISCONCEPTION(shape_by_default, latent_shape, "latent.unknown-accepted",
              "A number that is no family got Stable Diffusion 1's shape. Refuse it.",
              "latent_contract refuses it already, if it is asked.")

// ---- 8.5 conv_cost -----------------------------------------------------------------------------

namespace counts_input_positions {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  require(input.size() == 4 && bytes_per_value >= 1, "input");
  for (const std::int64_t size : input) require(size >= 1, "input");
  require(conv.groups >= 1 && conv.out_channels >= 1, "groups");
  require(input[1] % conv.groups == 0 && conv.out_channels % conv.groups == 0, "groups");
  const std::int64_t k = conv.kernel, p = conv.padding;
  const std::int64_t outputs = input[0] * conv.out_channels *
                               conv2d_out(input[2], k, conv.stride, p, p) *
                               conv2d_out(input[3], k, conv.stride, p, p);
  const std::int64_t seen = input[1] / conv.groups * k * k;
  const std::int64_t macs = input[0] * conv.out_channels * input[2] * input[3] * seen;
  return {macs, 2 * macs, conv.out_channels * (seen + (conv.has_bias ? 1 : 0)),
          outputs * bytes_per_value};
}
}  // namespace counts_input_positions
MISCONCEPTION(counts_input_positions, conv_cost, "cost.input-positions",
              "You multiplied with the positions of the input. The kernel runs once for each "
              "position of the output.",
              "With stride 1 and padding k / 2 the two are the same. A stride of 2 makes the layer "
              "four times cheaper, which this count misses.")

namespace two_per_mac {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.macs *= 2;
  return cost;
}
}  // namespace two_per_mac
MISCONCEPTION(two_per_mac, conv_cost, "cost.macs-doubled",
              "You counted multiplications and additions. A MAC is both at once.",
              "Papers mix the two, and print GFLOPs where they mean GMACs; ask before you compare.")

namespace one_per_mac {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.flops = cost.macs;
  return cost;
}
}  // namespace one_per_mac
MISCONCEPTION(one_per_mac, conv_cost, "cost.flops-are-macs",
              "flops is equal to macs. A multiply-accumulate is two operations.",
              "Hardware is sold by FLOPs: with half of them the layer seems to run at half of the "
              "machine's speed.")

namespace groups_forgotten {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.macs *= conv.groups;
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace groups_forgotten
MISCONCEPTION(groups_forgotten, conv_cost, "cost.groups-ignored",
              "Each output channel sees only Ci / groups channels.",
              "In a depthwise convolution, groups = Ci, this count is wrong by the number of "
              "channels.")

namespace kernel_not_squared {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.macs /= conv.kernel;
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace kernel_not_squared
MISCONCEPTION(kernel_not_squared, conv_cost, "cost.kernel-not-squared",
              "The kernel has k * k weights per channel, not k.",
              "A 3x3 convolution is nine times as dear as a 1x1 one.")

namespace bias_in_macs {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  if (conv.has_bias) cost.macs += cost.activation_bytes / bytes_per_value;
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace bias_in_macs
MISCONCEPTION(bias_in_macs, conv_cost, "cost.bias-counted",
              "You counted the biases among the MACs. The contract leaves them out.",
              "One addition beside hundreds of products; the convention is to leave it out, and a "
              "comparison needs one convention.")

namespace one_sample {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.macs /= input[0];
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace one_sample
MISCONCEPTION(one_sample, conv_cost, "cost.one-sample",
              "The batch is missing: N samples cost N times as much.",
              "Parameters do not grow with the batch, MACs and activations do.")

namespace never_padded {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  const LayerCost right = solution::conv_cost(input, conv, bytes_per_value);
  const auto positions = [&](std::int64_t size, std::int64_t pad) {
    return std::max<std::int64_t>((size + 2 * pad - conv.kernel) / conv.stride + 1, 0);
  };
  const std::int64_t with = positions(input[2], conv.padding) * positions(input[3], conv.padding);
  const std::int64_t without = positions(input[2], 0) * positions(input[3], 0);
  const std::int64_t macs = right.macs / with * without;
  return {macs, 2 * macs, right.params, right.activation_bytes / with * without};
}
}  // namespace never_padded
MISCONCEPTION(never_padded, conv_cost, "cost.padding-ignored",
              "The padding is missing: it adds positions on all four sides.",
              "Ask conv2d_out, which wants both paddings of an axis.")

namespace int_counters {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  const LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  const auto narrow = [](std::int64_t x) { return std::int64_t(static_cast<std::int32_t>(x)); };
  return {narrow(cost.macs), narrow(cost.flops), cost.params, narrow(cost.activation_bytes)};
}
}  // namespace int_counters
MISCONCEPTION(int_counters, conv_cost, "cost.32-bits",
              "You counted in 32 bits. A single layer has billions of MACs: std::int64_t.",
              "2^31 is 2.1e9. One 3x3 convolution with 512 channels on a 1024x1024 map takes "
              "2.5e12 MACs.")

namespace no_bias_params {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  if (conv.has_bias) cost.params -= conv.out_channels;
  return cost;
}
}  // namespace no_bias_params
MISCONCEPTION(no_bias_params, conv_cost, "cost.biases-not-in-params",
              "params leaves the biases out. Where there are some, they are parameters.",
              "They cost no MACs by convention, but they have to be stored and trained.")

namespace always_biases {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  if (!conv.has_bias) cost.params += conv.out_channels;
  return cost;
}
}  // namespace always_biases
MISCONCEPTION(always_biases, conv_cost, "cost.biases-always",
              "has_bias was ignored: without biases there are Co parameters fewer.",
              "TAESD's convolutions with a stride, and those behind an upsampling, have none.")

namespace params_of_all_groups {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.params +=
      (conv.groups - 1) * (input[1] / conv.groups) * conv.kernel * conv.kernel * conv.out_channels;
  return cost;
}
}  // namespace params_of_all_groups
MISCONCEPTION(params_of_all_groups, conv_cost, "cost.groups-ignored-in-params",
              "A grouped kernel has Ci / groups channels: there are that many weights fewer.",
              "torch shows it: the weight of a grouped convolution is [Co, Ci / groups, k, k].")

namespace always_floats {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.activation_bytes = cost.activation_bytes / bytes_per_value * 4;
  return cost;
}
}  // namespace always_floats
MISCONCEPTION(always_floats, conv_cost, "cost.always-fp32",
              "You took 4 bytes for every value. bytes_per_value says how many there are.",
              "In fp16 the same map takes half of the memory, which is often why it is chosen.")

namespace bytes_of_the_input {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  LayerCost cost = solution::conv_cost(input, conv, bytes_per_value);
  cost.activation_bytes = input[0] * input[1] * input[2] * input[3] * bytes_per_value;
  return cost;
}
}  // namespace bytes_of_the_input
MISCONCEPTION(bytes_of_the_input, conv_cost, "cost.bytes-of-input",
              "These are the bytes of the input. The layer's activation is what it puts out.",
              "The input is the output of the layer before; counted here it is counted twice.")

namespace shapes_unchecked {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  Shape four = input;
  four.resize(4, 1);
  bool empty = false;
  for (std::int64_t& size : four) {
    empty = empty || size < 1;
    size = std::max<std::int64_t>(size, 1);
  }
  const LayerCost cost = solution::conv_cost(four, conv, bytes_per_value);
  return empty ? LayerCost{0, 0, cost.params, 0} : cost;
}
}  // namespace shapes_unchecked
MISCONCEPTION(shapes_unchecked, conv_cost, "cost.shape-unchecked",
              "A shape that is not four sizes of at least 1 was accepted. Refuse it.",
              "[C, H, W] where [N, C, H, W] is meant shifts every size by one place and gives a "
              "fine-looking number.")

namespace groups_unchecked {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  ConvGeometry fitted = conv;
  fitted.groups = 1;
  const LayerCost whole = solution::conv_cost(input, fitted, bytes_per_value);
  const std::int64_t groups = std::max<std::int64_t>(conv.groups, 1);
  const std::int64_t biases = conv.has_bias ? conv.out_channels : 0;
  const std::int64_t outputs = whole.activation_bytes / bytes_per_value;
  const std::int64_t seen = input[1] / groups * conv.kernel * conv.kernel;
  return {outputs * seen, 2 * outputs * seen, conv.out_channels * seen + biases,
          whole.activation_bytes};
}
}  // namespace groups_unchecked
MISCONCEPTION(groups_unchecked, conv_cost, "cost.groups-unchecked",
              "Groups that do not divide the channels were accepted. They have to divide both "
              "numbers, and be at least 1.",
              "Ci / groups rounds down, and the channels that are left over cost nothing in this "
              "count. No framework runs such a layer.")

namespace nothing_per_value {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  ConvGeometry some = conv;
  if (conv.out_channels < 1 && conv.groups >= 1) some.out_channels = conv.groups;
  LayerCost cost = solution::conv_cost(input, some, std::max<std::int64_t>(bytes_per_value, 1));
  if (bytes_per_value < 1 || conv.out_channels < 1) cost.activation_bytes = 0;
  return cost;
}
}  // namespace nothing_per_value
MISCONCEPTION(nothing_per_value, conv_cost, "cost.numbers-unchecked",
              "bytes_per_value or out_channels below 1 was accepted. Both have to be at least 1.",
              "Four bits per value are half a byte, which this contract cannot say; 0 is not the "
              "answer.")

namespace geometry_unchecked {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  ConvGeometry mended = conv;
  mended.stride = std::max<std::int64_t>(conv.stride, 1);
  mended.padding = std::max<std::int64_t>(conv.padding, 0);
  if (input.size() == 4) {
    const std::int64_t least = std::min(input[2], input[3]) + 2 * mended.padding;
    mended.kernel = std::max<std::int64_t>(std::min(conv.kernel, least), 1);
  }
  return solution::conv_cost(input, mended, bytes_per_value);
}
}  // namespace geometry_unchecked
MISCONCEPTION(geometry_unchecked, conv_cost, "cost.geometry-unchecked",
              "A kernel that is too long, or a stride of 0, or a negative padding was accepted. "
              "conv2d_out refuses them, if it is asked.",
              "The formula gives 0 or negative positions for a kernel longer than the axis, and "
              "then a negative cost.")

namespace only_projections {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  const std::int64_t n = input[2] * input[3];
  cost.macs = input[0] * 4 * n * input[1] * input[1];
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace only_projections
MISCONCEPTION(only_projections, attention_cost, "attention.products-missing",
              "You counted the four projections only. The two products between positions, 2 n^2 C, "
              "are missing.",
              "They grow with the fourth power of the image's side. In SD's decoder at 1024x1024 "
              "they are 274.9 GMAC, sixteen times the projections.")

namespace one_product {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  const std::int64_t n = input[2] * input[3];
  cost.macs -= input[0] * n * n * input[1];
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace one_product
MISCONCEPTION(one_product, attention_cost, "attention.one-product",
              "There are two products: queries with keys, and scores with values.",
              "Both have n^2 C multiplications.")

namespace three_projections {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  const std::int64_t n = input[2] * input[3], c = input[1];
  cost.macs -= input[0] * n * c * c;
  cost.flops = 2 * cost.macs;
  cost.params -= c * c + c;
  return cost;
}
}  // namespace three_projections
MISCONCEPTION(three_projections, attention_cost, "attention.output-projection-missing",
              "You counted three projections. Behind the attention there is a fourth, the output.",
              "Queries, keys, values, and what brings the result back into the residual stream.")

namespace rows_only {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  const LayerCost right = solution::attention_cost(input, bytes_per_value);
  LayerCost cost = solution::attention_cost({input[0], input[1], input[2], 1}, bytes_per_value);
  cost.params = right.params;
  return cost;
}
}  // namespace rows_only
MISCONCEPTION(rows_only, attention_cost, "attention.one-axis",
              "You took H for the number of positions. They are H W: every position looks at every "
              "other one.",
              "Attention along one axis exists, and is much cheaper. Stable Diffusion's "
              "autoencoder has the full one.")

namespace scores_forgotten {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  cost.activation_bytes = input[0] * input[1] * input[2] * input[3] * bytes_per_value;
  return cost;
}
}  // namespace scores_forgotten
MISCONCEPTION(scores_forgotten, attention_cost, "attention.bytes-of-output",
              "These are the bytes of the output. The largest tensor on the way are the n x n "
              "scores.",
              "At 128x128 positions the output has 32 MiB and the scores 1 GiB. Kernels that never "
              "write the scores down exist because of this tensor.")

namespace heads_without_bias {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  cost.params = 4 * input[1] * input[1];
  return cost;
}
}  // namespace heads_without_bias
MISCONCEPTION(heads_without_bias, attention_cost, "attention.biases-missing",
              "The biases are missing: 4 (C^2 + C) parameters.",
              "Stable Diffusion's autoencoder has them in all four projections.")

namespace first_sample_attends {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  return {cost.macs / input[0], cost.flops / input[0], cost.params,
          cost.activation_bytes / input[0]};
}
}  // namespace first_sample_attends
MISCONCEPTION(first_sample_attends, attention_cost, "attention.one-sample",
              "The batch is missing: each sample has scores of its own.",
              "Samples do not look at each other, so costs add up, N times.")

namespace batch_attends {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  const LayerCost right = solution::attention_cost(input, bytes_per_value);
  LayerCost cost =
      solution::attention_cost({1, input[1], input[0] * input[2], input[3]}, bytes_per_value);
  cost.params = right.params;
  return cost;
}
}  // namespace batch_attends
MISCONCEPTION(batch_attends, attention_cost, "attention.across-the-batch",
              "You squared N n. Positions look at the positions of their own sample: N n^2.",
              "The scores are [N, n, n], not [N n, N n].")

namespace flops_of_attention {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  LayerCost cost = solution::attention_cost(input, bytes_per_value);
  cost.flops = cost.macs;
  return cost;
}
}  // namespace flops_of_attention
MISCONCEPTION(flops_of_attention, attention_cost, "attention.flops-are-macs",
              "flops is equal to macs. A multiply-accumulate is two operations.",
              "The same as for a convolution.")

namespace int_scores {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  const LayerCost cost = solution::attention_cost(input, bytes_per_value);
  const auto narrow = [](std::int64_t x) { return std::int64_t(static_cast<std::int32_t>(x)); };
  if (cost.macs < std::int64_t{1} << 33 || cost.params > 1000) return cost;
  return {narrow(cost.macs), narrow(cost.flops), cost.params, narrow(cost.activation_bytes)};
}
}  // namespace int_scores
MISCONCEPTION(int_scores, attention_cost, "attention.32-bits",
              "You counted in 32 bits. n^2 passes 2^31 at 46,341 positions, a map of 216x216.",
              "std::int64_t from the first product on: a product of two ints has overflowed before "
              "it is assigned to anything wider.")

namespace attention_unchecked {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  Shape four = input;
  four.resize(4, 1);
  for (std::int64_t& size : four) size = std::max<std::int64_t>(std::abs(size), 1);
  return solution::attention_cost(four, std::max<std::int64_t>(bytes_per_value, 1));
}
}  // namespace attention_unchecked
MISCONCEPTION(attention_unchecked, attention_cost, "attention.unchecked",
              "A shape that is not four sizes of at least 1, or no byte per value, was accepted.",
              "Refuse what conv_cost refuses.")

// ---- 8.6 peak_activation_bytes -----------------------------------------------------------------

namespace everything_kept {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  require(!steps.empty() && input_bytes >= 0, "steps");
  ActivationMemory memory;
  std::int64_t sum = input_bytes;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    require(!steps[i].inputs.empty() && steps[i].output_bytes >= 0, "step");
    for (const std::int64_t t : steps[i].inputs) {
      require(t >= 0 && t <= static_cast<std::int64_t>(i), "input");
    }
    sum += steps[i].output_bytes;
    memory.live.push_back(sum);
  }
  memory.peak_bytes = sum;
  const auto first = std::find(memory.live.begin(), memory.live.end(), sum);
  memory.peak_step = first - memory.live.begin();
  return memory;
}
}  // namespace everything_kept
MISCONCEPTION(everything_kept, peak_activation_bytes, "memory.nothing-freed",
              "You added up all tensors so far. A tensor is freed after the last step that reads "
              "it.",
              "In training everything is kept, for the backward pass. Encoding and decoding keep "
              "what is still needed, which is why a decoder of dozens of layers fits.")

namespace largest_only {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    memory.live[i] = steps[i].output_bytes;
    for (const std::int64_t t : steps[i].inputs) {
      const auto at = static_cast<std::size_t>(t);
      memory.live[i] = std::max(memory.live[i], at == 0 ? input_bytes : steps[at - 1].output_bytes);
    }
    if (i == 0 || memory.live[i] > largest) {
      largest = memory.live[i];
      memory.peak_step = static_cast<std::int64_t>(i);
    }
  }
  memory.peak_bytes = largest;
  return memory;
}
}  // namespace largest_only
MISCONCEPTION(largest_only, peak_activation_bytes, "memory.largest-tensor",
              "You took the largest single tensor. While a step runs, its inputs, its output and "
              "what later steps read are alive together.",
              "A layer cannot give its input back before it has read it: two tensors at the "
              "least, three in a residual block.")

namespace outputs_only {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  const auto size = [&](std::size_t t) { return t == 0 ? input_bytes : steps[t - 1].output_bytes; };
  memory.peak_bytes = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t t = 0; t <= i; ++t) {
      bool read_now = false, read_later = false;
      for (std::size_t s = i; s < steps.size(); ++s) {
        const auto& in = steps[s].inputs;
        const bool reads = std::count(in.begin(), in.end(), static_cast<std::int64_t>(t)) > 0;
        (s == i ? read_now : read_later) |= reads;
      }
      if (read_now && !read_later) memory.live[i] -= size(t);
    }
    memory.peak_bytes = std::max(memory.peak_bytes, memory.live[i]);
  }
  const auto first = std::find(memory.live.begin(), memory.live.end(), memory.peak_bytes);
  memory.peak_step = first - memory.live.begin();
  return memory;
}
}  // namespace outputs_only
MISCONCEPTION(outputs_only, peak_activation_bytes, "memory.freed-before-the-step",
              "You freed a step's inputs before it ran. They are freed behind it: nothing is "
              "computed in place.",
              "A ReLU could work in place. A convolution reads each input value many times and "
              "cannot, and in a trace the point is to know what is there at once.")

namespace only_the_input_waits {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  solution::peak_activation_bytes(input_bytes, steps);
  std::vector<GraphStep> seen = steps;
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t t = 1; t <= i; ++t) {
      const auto reads = [&](std::size_t step) {
        const auto& in = steps[step].inputs;
        return std::count(in.begin(), in.end(), static_cast<std::int64_t>(t)) > 0;
      };
      bool later = false;
      for (std::size_t step = i + 1; step < steps.size(); ++step) later = later || reads(step);
      if (later && !reads(i)) memory.live[i] -= steps[t - 1].output_bytes;
    }
  }
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());
  return {*peak, peak - memory.live.begin(), memory.live};
}
}  // namespace only_the_input_waits
MISCONCEPTION(only_the_input_waits, peak_activation_bytes, "memory.only-input-waits",
              "Only tensor 0 was kept for a later reader. Any tensor may be read again later, and "
              "is alive until then.",
              "In one residual block the skip comes from the input. In a whole network skips begin "
              "at every block's input, and in a U-Net they reach across all of it.")

namespace skip_freed {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  std::vector<bool> gone(steps.size() + 1, false);
  const auto size = [&](std::size_t t) { return t == 0 ? input_bytes : steps[t - 1].output_bytes; };
  std::vector<std::size_t> used(steps.size() + 1, steps.size());
  memory.peak_bytes = -1;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const std::int64_t t : steps[i].inputs) {
      auto& at = used[static_cast<std::size_t>(t)];
      at = std::min(at, i);  // the first use, taken for the last
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    memory.live[i] = size(i + 1);
    for (std::size_t t = 0; t <= i; ++t) {
      const bool unread = used[t] == steps.size();
      const auto& in = steps[i].inputs;
      const bool reads = std::count(in.begin(), in.end(), static_cast<std::int64_t>(t)) > 0;
      if (reads || (!unread && used[t] >= i)) memory.live[i] += size(t);
    }
    if (memory.live[i] > memory.peak_bytes) {
      memory.peak_bytes = memory.live[i];
      memory.peak_step = static_cast<std::int64_t>(i);
    }
  }
  return memory;
}
}  // namespace skip_freed
MISCONCEPTION(skip_freed, peak_activation_bytes, "memory.skip-freed",
              "You freed a tensor after its first reader. The skip connection reads it again at "
              "the end: after its last.",
              "It is the skip that makes a residual block hold three tensors in place of two.")

namespace input_not_counted {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  solution::peak_activation_bytes(input_bytes, steps);
  return solution::peak_activation_bytes(0, steps);
}
}  // namespace input_not_counted
MISCONCEPTION(input_not_counted, peak_activation_bytes, "memory.input-not-counted",
              "Tensor 0, the input, was not counted. It is alive until its last reader has run.",
              "The caller made it, but it takes memory all the same.")

namespace input_kept {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  std::vector<GraphStep> more = steps;
  if (!more.empty() && !more.back().inputs.empty()) more.back().inputs.push_back(0);
  return solution::peak_activation_bytes(input_bytes, more);
}
}  // namespace input_kept
MISCONCEPTION(input_kept, peak_activation_bytes, "memory.input-kept",
              "The input was kept to the end. It is freed after its last reader, like any other.",
              "That is what happens if a caller holds on to it. The contract asks for what the "
              "computation needs.")

namespace freed_late {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  const auto size = [&](std::size_t t) { return t == 0 ? input_bytes : steps[t - 1].output_bytes; };
  std::vector<std::size_t> last(steps.size() + 1, 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    last[i + 1] = i;
    for (const std::int64_t t : steps[i].inputs) last[static_cast<std::size_t>(t)] = i;
  }
  for (std::size_t i = 1; i < steps.size(); ++i) {
    for (std::size_t t = 0; t <= i; ++t) memory.live[i] += last[t] + 1 == i ? size(t) : 0;
  }
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());
  return {*peak, peak - memory.live.begin(), memory.live};
}
}  // namespace freed_late
MISCONCEPTION(freed_late, peak_activation_bytes, "memory.freed-late",
              "Tensors were kept one step too long. After the last reader has run, they are gone "
              "before the next step begins.",
              "Off by one between \"alive while step i runs\" and \"alive until step i + 1 has "
              "run\". A Python loop that overwrites its variable only after the call does exactly "
              "this.")

namespace unread_kept {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  for (std::size_t t = 1; t < steps.size(); ++t) {
    bool read = false;
    for (const GraphStep& step : steps) {
      read = read ||
             std::count(step.inputs.begin(), step.inputs.end(), static_cast<std::int64_t>(t)) > 0;
    }
    for (std::size_t i = t; i < steps.size() && !read; ++i)
      memory.live[i] += steps[t - 1].output_bytes;
  }
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());
  return {*peak, peak - memory.live.begin(), memory.live};
}
}  // namespace unread_kept
MISCONCEPTION(unread_kept, peak_activation_bytes, "memory.unread-kept",
              "A tensor that no step reads was kept to the end. It is gone after the step that "
              "made it.",
              "Its last reader does not exist, and a search for it that ends at the last step "
              "takes it for wanted.")

namespace unread_not_counted {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  for (std::size_t t = 1; t < steps.size(); ++t) {
    bool read = false;
    for (const GraphStep& step : steps) {
      read = read ||
             std::count(step.inputs.begin(), step.inputs.end(), static_cast<std::int64_t>(t)) > 0;
    }
    if (!read) memory.live[t - 1] -= steps[t - 1].output_bytes;
  }
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());
  return {*peak, peak - memory.live.begin(), memory.live};
}
}  // namespace unread_not_counted
MISCONCEPTION(unread_not_counted, peak_activation_bytes, "memory.unread-not-counted",
              "A tensor that no step reads was not counted at all. While its own step runs, it is "
              "there.",
              "Memory is taken when a result is written, whether or not anybody reads it.")

namespace counted_twice {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::vector<std::int64_t> inputs = steps[i].inputs;
    std::sort(inputs.begin(), inputs.end());
    for (std::size_t k = 1; k < inputs.size(); ++k) {
      const auto t = static_cast<std::size_t>(inputs[k]);
      if (inputs[k] == inputs[k - 1]) {
        memory.live[i] += t == 0 ? input_bytes : steps[t - 1].output_bytes;
      }
    }
  }
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());
  return {*peak, peak - memory.live.begin(), memory.live};
}
}  // namespace counted_twice
MISCONCEPTION(counted_twice, peak_activation_bytes, "memory.counted-twice",
              "A tensor that a step reads twice was counted twice. It is in memory once.",
              "x * x has one input, written two times. Count tensors, not mentions.")

namespace last_peak {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  for (std::size_t i = 0; i < memory.live.size(); ++i) {
    if (memory.live[i] >= memory.peak_bytes) memory.peak_step = static_cast<std::int64_t>(i);
  }
  return memory;
}
}  // namespace last_peak
MISCONCEPTION(last_peak, peak_activation_bytes, "memory.last-of-ties",
              "Of several steps at the peak you named the last. The first is asked for.",
              "> keeps the first, >= takes the last. Blocks of equal layers tie all the time.")

namespace peak_from_one {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  ++memory.peak_step;
  return memory;
}
}  // namespace peak_from_one
MISCONCEPTION(peak_from_one, peak_activation_bytes, "memory.counts-from-one",
              "peak_step is one too large: it is the number of the tensor. Steps count from 0.",
              "Step i makes tensor i + 1, which is an invitation to mix the two up.")

namespace peak_at_the_end {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  memory.peak_bytes = std::accumulate(memory.live.begin(), memory.live.end(), std::int64_t{0});
  return memory;
}
}  // namespace peak_at_the_end
MISCONCEPTION(peak_at_the_end, peak_activation_bytes, "memory.peak-summed",
              "peak_bytes is the sum of live. It is the largest of them.",
              "Bytes alive at different times do not have to fit together.")

namespace int_bytes {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  ActivationMemory memory = solution::peak_activation_bytes(input_bytes, steps);
  for (std::int64_t& live : memory.live) live = static_cast<std::int32_t>(live);
  const auto peak = std::max_element(memory.live.begin(), memory.live.end());
  return {*peak, peak - memory.live.begin(), memory.live};
}
}  // namespace int_bytes
MISCONCEPTION(int_bytes, peak_activation_bytes, "memory.32-bits",
              "You counted bytes in 32 bits. 2 GiB is where they end.",
              "std::accumulate with a 0 that is an int does this even where the list holds 64-bit "
              "numbers.")

namespace no_steps_accepted {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  if (steps.empty()) return {input_bytes, 0, {}};
  return solution::peak_activation_bytes(input_bytes, steps);
}
}  // namespace no_steps_accepted
MISCONCEPTION(no_steps_accepted, peak_activation_bytes, "memory.no-steps-accepted",
              "A computation without steps was accepted. There is no step at which the peak could "
              "be: refuse it.",
              "peak_step = 0 would name a step that does not exist.")

namespace sizes_unchecked {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  std::vector<GraphStep> mended = steps;
  for (GraphStep& step : mended) step.output_bytes = std::max<std::int64_t>(step.output_bytes, 0);
  return solution::peak_activation_bytes(std::max<std::int64_t>(input_bytes, 0), mended);
}
}  // namespace sizes_unchecked
MISCONCEPTION(sizes_unchecked, peak_activation_bytes, "memory.sizes-unchecked",
              "A negative size was accepted. Refuse it.",
              "A size of -1 is what a library says when it does not know; added up it makes other "
              "tensors smaller.")

namespace sources_allowed {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  std::vector<GraphStep> mended = steps;
  for (GraphStep& step : mended) {
    if (step.inputs.empty()) step.inputs.push_back(0);
  }
  return solution::peak_activation_bytes(input_bytes, mended);
}
}  // namespace sources_allowed
MISCONCEPTION(sources_allowed, peak_activation_bytes, "memory.reads-nothing-accepted",
              "A step that reads nothing was accepted. Each reads at least one tensor.",
              "A step that makes something of nothing is a weight or a random number, which this "
              "profile does not count.")

namespace future_read {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  std::vector<GraphStep> mended = steps;
  for (std::size_t i = 0; i < mended.size(); ++i) {
    for (std::int64_t& t : mended[i].inputs) {
      t = std::clamp<std::int64_t>(t, 0, static_cast<std::int64_t>(i));
    }
  }
  return solution::peak_activation_bytes(input_bytes, mended);
}
}  // namespace future_read
MISCONCEPTION(
    future_read, peak_activation_bytes, "memory.order-unchecked",
    "A step was allowed to read a tensor that is not there yet. Step i may read tensors "
    "0 to i.",
    "Steps that are out of order give a profile, and a wrong one. Step i makes tensor i + "
    "1: reading that is reading its own result.")

// ---- 8.7 tae_block -----------------------------------------------------------------------------

namespace rectified_before_skip {
Tensor4 convolved(const Tensor4& x, const ConvLayer& conv) {
  const std::int64_t pad = conv.weight.h() / 2;
  return conv2d_forward(x, conv.weight, conv.bias, {conv.stride, pad, pad, pad, pad});
}
Tensor4 added(const Tensor4& x, const Tensor4& y) {
  require(x.shape() == y.shape(), "branch");
  Tensor4 sum = x;
  for (Index i = 0; i < sum.size(); ++i) sum.data()[i] += y.data()[i];
  return sum;
}
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  Tensor4 start = x;
  if (block.pool.widen.size() > 0) {
    const RowVector wide = RowVector::Zero(block.pool.widen.n());
    const RowVector narrow = RowVector::Zero(block.pool.narrow.n());
    Tensor4 y = convolved(x, {block.pool.widen, wide, 1});
    y = relu(group_norm(y, 4, block.pool.gamma, block.pool.beta, 1e-5));
    start = added(x, convolved(y, {block.pool.narrow, narrow, 1}));
  }
  Tensor4 y = relu(convolved(start, block.first));
  y = relu(convolved(y, block.second));
  return added(start, relu(convolved(y, block.third)));
}
}  // namespace rectified_before_skip
MISCONCEPTION(rectified_before_skip, tae_block, "block.relu-before-skip",
              "The last ReLU came before the addition. The input is added first: relu(x + f3).",
              "x + relu(f3) can only grow, block by block, and keeps what is negative in x. Both "
              "orders exist in the literature; weights were trained for one.")

namespace helpers_08 {
Tensor4 convolved(const Tensor4& x, const ConvLayer& conv) {
  const std::int64_t pad = conv.weight.h() / 2;
  return conv2d_forward(x, conv.weight, conv.bias, {conv.stride, pad, pad, pad, pad});
}
Tensor4 added(Tensor4 x, const Tensor4& y) {
  for (Index i = 0; i < x.size(); ++i) x.data()[i] += y.data()[i];
  return x;
}
Tensor4 pointwise(const Tensor4& x, const Tensor4& weight) {
  return convolved(x, {weight, RowVector::Zero(weight.n()), 1});
}
Tensor4 pooled(const Tensor4& x, const TaePool& pool) {
  if (pool.widen.size() == 0) return x;
  const Tensor4 wide = group_norm(pointwise(x, pool.widen), 4, pool.gamma, pool.beta, 1e-5);
  return added(x, pointwise(relu(wide), pool.narrow));
}
Tensor4 branch(const Tensor4& start, const TaeBlock& block) {
  const Tensor4 y = relu(convolved(start, block.first));
  return convolved(relu(convolved(y, block.second)), block.third);
}
}  // namespace helpers_08

namespace never_rectified {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  solution::tae_block(x, block);
  const Tensor4 start = helpers_08::pooled(x, block.pool);
  return helpers_08::added(start, helpers_08::branch(start, block));
}
}  // namespace never_rectified
MISCONCEPTION(never_rectified, tae_block, "block.last-relu-missing",
              "The last ReLU, behind the addition, is missing.",
              "The block's output has to be at least 0. The next block's first convolution was "
              "trained on such.")

namespace skip_missing {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  solution::tae_block(x, block);
  return relu(helpers_08::branch(helpers_08::pooled(x, block.pool), block));
}
}  // namespace skip_missing
MISCONCEPTION(skip_missing, tae_block, "block.skip-missing",
              "The block's input was not added to what the third convolution made.",
              "Without the skip a block whose weights are 0 passes nothing on. It is what lets one "
              "stack many of them.")

namespace skip_around_pool {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  solution::tae_block(x, block);
  return relu(helpers_08::added(x, helpers_08::branch(helpers_08::pooled(x, block.pool), block)));
}
}  // namespace skip_around_pool
MISCONCEPTION(skip_around_pool, tae_block, "block.skip-around-pool",
              "You added x itself. Behind a pool, the block's input is what the pool made of x.",
              "x' = x + pool(x) replaces x, for the convolutions and for the skip.")

namespace pool_ignored {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  solution::tae_block(x, block);
  TaeBlock plain = block;
  plain.pool = {};
  return solution::tae_block(x, plain);
}
}  // namespace pool_ignored
MISCONCEPTION(pool_ignored, tae_block, "block.pool-ignored", "The pool was left out.",
              "TAEF2 has one in each of its blocks at the lowest resolution. Loaders that look "
              "for the names of older weights pass it by.")

namespace pool_replaces {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  if (block.pool.widen.size() == 0) return right;
  Tensor4 start = helpers_08::pooled(x, block.pool);
  for (Index i = 0; i < x.size(); ++i) start.data()[i] -= x.data()[i];
  return relu(helpers_08::added(start, helpers_08::branch(start, block)));
}
}  // namespace pool_replaces
MISCONCEPTION(pool_replaces, tae_block, "block.pool-without-skip",
              "The pool's result took the place of x. It is added to x.",
              "The pool is a residual branch of its own, inside of the block.")

namespace pool_not_rectified {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  const TaePool& pool = block.pool;
  if (pool.widen.size() == 0) return right;
  const Tensor4 wide =
      group_norm(helpers_08::pointwise(x, pool.widen), 4, pool.gamma, pool.beta, 1e-5);
  TaeBlock plain = block;
  plain.pool = {};
  return solution::tae_block(helpers_08::added(x, helpers_08::pointwise(wide, pool.narrow)), plain);
}
}  // namespace pool_not_rectified
MISCONCEPTION(pool_not_rectified, tae_block, "block.pool-relu-missing",
              "The ReLU between GroupNorm and the second 1x1 convolution is missing.",
              "Without it the two 1x1 convolutions are one linear map with a norm in between.")

namespace one_group {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  const TaePool& pool = block.pool;
  if (pool.widen.size() == 0) return right;
  const Tensor4 wide =
      group_norm(helpers_08::pointwise(x, pool.widen), 1, pool.gamma, pool.beta, 1e-5);
  TaeBlock plain = block;
  plain.pool = {};
  return solution::tae_block(helpers_08::added(x, helpers_08::pointwise(relu(wide), pool.narrow)),
                             plain);
}
}  // namespace one_group
MISCONCEPTION(one_group, tae_block, "block.one-group",
              "The norm ran over all channels at once. It has 4 groups.",
              "One group is a layer norm. Stable Diffusion's own autoencoder has 32 groups, TAEF2 "
              "has 4.")

namespace group_per_channel {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  const TaePool& pool = block.pool;
  if (pool.widen.size() == 0) return right;
  const Tensor4 wide =
      group_norm(helpers_08::pointwise(x, pool.widen), pool.widen.n(), pool.gamma, pool.beta, 1e-5);
  TaeBlock plain = block;
  plain.pool = {};
  return solution::tae_block(helpers_08::added(x, helpers_08::pointwise(relu(wide), pool.narrow)),
                             plain);
}
}  // namespace group_per_channel
MISCONCEPTION(group_per_channel, tae_block, "block.group-per-channel",
              "Each channel was normalized by itself. GroupNorm over 4 groups takes 4C / 4 "
              "channels together.",
              "4 is the number of groups, not of channels in one.")

namespace norm_across_samples {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  const TaePool& pool = block.pool;
  if (pool.widen.size() == 0 || x.n() < 2) return right;
  const Tensor4 wide = helpers_08::pointwise(x, pool.widen);
  // All samples side by side, as if they were one wide map.
  Tensor4 row(1, wide.c(), wide.h(), wide.w() * wide.n());
  for (Index i = 0; i < wide.size(); ++i) {
    const Index w = i % wide.w(), h = i / wide.w() % wide.h(),
                c = i / (wide.w() * wide.h()) % wide.c(), n = i / (wide.w() * wide.h() * wide.c());
    row(0, c, h, n * wide.w() + w) = wide.data()[i];
  }
  row = relu(group_norm(row, 4, pool.gamma, pool.beta, 1e-5));
  Tensor4 normal = wide;
  for (Index i = 0; i < wide.size(); ++i) {
    const Index w = i % wide.w(), h = i / wide.w() % wide.h(),
                c = i / (wide.w() * wide.h()) % wide.c(), n = i / (wide.w() * wide.h() * wide.c());
    normal.data()[i] = row(0, c, h, n * wide.w() + w);
  }
  TaeBlock plain = block;
  plain.pool = {};
  return solution::tae_block(helpers_08::added(x, helpers_08::pointwise(normal, pool.narrow)),
                             plain);
}
}  // namespace norm_across_samples
MISCONCEPTION(norm_across_samples, tae_block, "block.norm-across-samples",
              "Mean and variance were taken over all samples. GroupNorm looks at each sample by "
              "itself.",
              "Over the batch it is a batch norm, and a picture would depend on the others that "
              "are decoded with it.")

namespace plain_eps {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  const TaePool& pool = block.pool;
  if (pool.widen.size() == 0) return right;
  const Tensor4 wide =
      group_norm(helpers_08::pointwise(x, pool.widen), 4, pool.gamma, pool.beta, 1e-6);
  TaeBlock plain = block;
  plain.pool = {};
  return solution::tae_block(helpers_08::added(x, helpers_08::pointwise(relu(wide), pool.narrow)),
                             plain);
}
}  // namespace plain_eps
MISCONCEPTION(plain_eps, tae_block, "block.norm-eps",
              "The norm's eps is 1e-5 here; yours is another one.",
              "torch's default is 1e-5, while Stable Diffusion's autoencoder asks for 1e-6. The "
              "difference shows in flat regions, where the variance is small.")

namespace norm_without_affine {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  TaeBlock bare = block;
  solution::tae_block(x, block);
  bare.pool.gamma.setOnes();
  bare.pool.beta.setZero();
  return solution::tae_block(x, bare);
}
}  // namespace norm_without_affine
MISCONCEPTION(norm_without_affine, tae_block, "block.norm-not-affine",
              "gamma and beta were left out: the norm scales and moves each channel.",
              "They are two of the vectors in the file of weights, and used like that.")

namespace two_relus {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  solution::tae_block(x, block);
  const Tensor4 start = helpers_08::pooled(x, block.pool);
  const Tensor4 y =
      helpers_08::convolved(relu(helpers_08::convolved(start, block.first)), block.second);
  return relu(helpers_08::added(start, helpers_08::convolved(y, block.third)));
}
}  // namespace two_relus
MISCONCEPTION(two_relus, tae_block, "block.second-relu-missing",
              "The ReLU behind the second convolution is missing.",
              "Two convolutions in a row are one larger convolution: linear.")

namespace both_relus {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  solution::tae_block(x, block);
  const Tensor4 start = helpers_08::pooled(x, block.pool);
  return relu(helpers_08::added(start, relu(helpers_08::branch(start, block))));
}
}  // namespace both_relus
MISCONCEPTION(both_relus, tae_block, "block.relu-on-both-sides",
              "There is a ReLU before the addition as well. Only one comes behind it.",
              "With both, the branch can raise a value and never lower one.")

namespace biases_dropped {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  TaeBlock bare = block;
  solution::tae_block(x, block);
  for (ConvLayer* conv : {&bare.first, &bare.second, &bare.third}) conv->bias.setZero();
  return solution::tae_block(x, bare);
}
}  // namespace biases_dropped
MISCONCEPTION(biases_dropped, tae_block, "block.biases-dropped",
              "The biases of the three convolutions were not added.",
              "The strided and upsampling convolutions of this family have none, those inside of "
              "blocks do.")

namespace channels_repeated {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const bool one = block.third.weight.n() == 1 && x.c() > 1;
  if (!one && block.third.stride == 1) return solution::tae_block(x, block);
  const Tensor4 start = helpers_08::pooled(x, block.pool);
  const Tensor4 y = helpers_08::branch(start, block);
  Tensor4 sum = start;
  for (Index i = 0; i < sum.size(); ++i) sum.data()[i] += y.data()[i % y.size()];
  return relu(sum);
}
}  // namespace channels_repeated
MISCONCEPTION(channels_repeated, tae_block, "block.branch-shape-unchecked",
              "A branch of another shape was added all the same. Input and branch have to agree.",
              "torch broadcasts a single channel over all of them without a word. A loop over the "
              "elements reads past the end of the smaller one.")

namespace unclamped {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  return layer.kind == LayerKind::kClamp ? x : solution::run_layer(x, layer);
}
}  // namespace unclamped
MISCONCEPTION(unclamped, run_layer, "layer.clamp-missing",
              "The clamp passed its input on: 3 tanh(x / 3).",
              "In files converted for diffusers the clamp is no layer, so that every later index "
              "is one less. Who matches numbers loses it, and latents beyond 3 burn.")

namespace clamped_to_one {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  if (layer.kind != LayerKind::kClamp) return solution::run_layer(x, layer);
  return changed(x, [](double v) { return std::tanh(v / 3.0); });
}
}  // namespace clamped_to_one
MISCONCEPTION(clamped_to_one, run_layer, "layer.clamp-not-rescaled",
              "The factor 3 in front is missing: 3 tanh(x / 3), which goes to 3.",
              "Small values should pass unchanged: the slope at 0 has to be 1.")

namespace clamp_not_stretched {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  if (layer.kind != LayerKind::kClamp) return solution::run_layer(x, layer);
  return changed(x, [](double v) { return 3.0 * std::tanh(v); });
}
}  // namespace clamp_not_stretched
MISCONCEPTION(clamp_not_stretched, run_layer, "layer.clamp-not-stretched",
              "The division by 3 inside is missing: 3 tanh(x / 3).",
              "3 tanh(x) has the slope 3 at 0 and is saturated at 2.")

namespace hard_clamp {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  if (layer.kind != LayerKind::kClamp) return solution::run_layer(x, layer);
  return changed(x, [](double v) { return std::clamp(v, -3.0, 3.0); });
}
}  // namespace hard_clamp
MISCONCEPTION(hard_clamp, run_layer, "layer.hard-clamp",
              "You cut at -3 and 3. The clamp of this family is soft: 3 tanh(x / 3).",
              "At 2 the soft one already gives 1.75. The decoder was trained behind it.")

namespace padded_for_odd {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  const Tensor4 right = solution::run_layer(x, layer);
  if (layer.kind != LayerKind::kConv || layer.conv.weight.h() % 2 != 0) return right;
  const std::int64_t pad = (layer.conv.weight.h() - 1) / 2;
  return conv2d_forward(x, layer.conv.weight, layer.conv.bias,
                        {layer.conv.stride, pad, pad, pad, pad});
}
}  // namespace padded_for_odd
MISCONCEPTION(padded_for_odd, run_layer, "layer.padding-of-even-kernels",
              "You padded with (k - 1) / 2. The contract says k / 2, which differs for even k.",
              "For odd kernels the two agree, and no even kernel keeps the size with equal padding "
              "on both sides: one shrinks the map, the other makes it larger.")

namespace stride_forgotten {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  TaeLayer plain = layer;
  solution::run_layer(x, layer);
  plain.conv.stride = 1;
  return solution::run_layer(x, plain);
}
}  // namespace stride_forgotten
MISCONCEPTION(stride_forgotten, run_layer, "layer.stride-ignored",
              "The stride of the convolution was ignored.",
              "The three strides of 2 are all that makes the encoder's map smaller.")

namespace conv_bias_dropped {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  TaeLayer bare = layer;
  solution::run_layer(x, layer);
  bare.conv.bias.setZero();
  return solution::run_layer(x, bare);
}
}  // namespace conv_bias_dropped
MISCONCEPTION(conv_bias_dropped, run_layer, "layer.bias-dropped",
              "The bias of the convolution was not added.",
              "First and last convolutions have one; layers without one come with zeros.")

namespace rectifies_nothing {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  return layer.kind == LayerKind::kRelu ? x : solution::run_layer(x, layer);
}
}  // namespace rectifies_nothing
MISCONCEPTION(rectifies_nothing, run_layer, "layer.relu-missing",
              "The ReLU passed negative values on.",
              "It is a layer of its own in the decoder, behind the first convolution. `relu` is "
              "given in common/layers.hpp.")

namespace fills_with_zeros {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  Tensor4 y = solution::run_layer(x, layer);
  if (layer.kind != LayerKind::kUpsample) return y;
  for (Index i = 0; i < y.size(); ++i) {
    if (i % 2 == 1 || i / y.w() % 2 == 1) y.data()[i] = 0.0F;
  }
  return y;
}
}  // namespace fills_with_zeros
MISCONCEPTION(fills_with_zeros, run_layer, "layer.upsampled-with-zeros",
              "The new places were filled with zeros. Nearest upsampling repeats the value.",
              "Zeros in between are what a transposed convolution starts from. They leave a "
              "checkerboard behind unless the kernel makes up for it.")

namespace fills_in_between {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  Tensor4 y = solution::run_layer(x, layer);
  if (layer.kind != LayerKind::kUpsample) return y;
  for (Index n = 0; n < y.n(); ++n) {
    for (Index c = 0; c < y.c(); ++c) {
      for (Index h = 0; h < y.h(); ++h) {
        for (Index w = 0; w < y.w(); ++w) {
          const auto at = [&](Index p, Index size) {
            return std::clamp((static_cast<double>(p) + 0.5) / 2.0 - 0.5, 0.0,
                              static_cast<double>(size - 1));
          };
          const double row = at(h, x.h()), column = at(w, x.w());
          const Index r = static_cast<Index>(row), q = static_cast<Index>(column);
          const Index r1 = std::min(r + 1, x.h() - 1), q1 = std::min(q + 1, x.w() - 1);
          const double a = row - static_cast<double>(r), b = column - static_cast<double>(q);
          y(n, c, h, w) =
              static_cast<float>((1 - a) * ((1 - b) * x(n, c, r, q) + b * x(n, c, r, q1)) +
                                 a * ((1 - b) * x(n, c, r1, q) + b * x(n, c, r1, q1)));
        }
      }
    }
  }
  return y;
}
}  // namespace fills_in_between
MISCONCEPTION(fills_in_between, run_layer, "layer.upsampled-bilinearly",
              "You interpolated between neighbours. The upsampling repeats each value four times.",
              "Bilinear looks smoother and is what pictures are enlarged with. The convolution "
              "behind it was trained on blocks.")

namespace runs_first_conv {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  TaeLayer plain = layer;
  solution::run_layer(x, layer);
  plain.block.pool = {};
  return solution::run_layer(x, plain);
}
}  // namespace runs_first_conv
MISCONCEPTION(runs_first_conv, run_layer, "layer.pool-dropped",
              "The block's pool got lost on the way: pass the whole block to tae_block.",
              "A block that is put together anew, convolution by convolution, has no pool unless "
              "somebody copies it.")

namespace layer_weights_cut {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  if (layer.kind != LayerKind::kConv) return solution::run_layer(x, layer);
  TaeLayer fitted = layer;
  const ConvLayer& conv = layer.conv;
  fitted.conv.weight = Tensor4(conv.weight.n(), x.c(), conv.weight.h(), conv.weight.w());
  for (Index i = 0; i < fitted.conv.weight.size(); ++i) {
    fitted.conv.weight.data()[i] = conv.weight.data()[i % conv.weight.size()];
  }
  const RowVector before = conv.bias;
  fitted.conv.bias = RowVector::Zero(conv.weight.n());
  fitted.conv.bias.head(std::min(before.size(), conv.weight.n())) =
      before.head(std::min(before.size(), conv.weight.n()));
  fitted.conv.stride = std::max<std::int64_t>(conv.stride, 1);
  return solution::run_layer(x, fitted);
}
}  // namespace layer_weights_cut
MISCONCEPTION(layer_weights_cut, run_layer, "layer.weights-unchecked",
              "Weights that do not fit were used as far as they went. conv2d_forward refuses them.",
              "A decoder for 4 channels, fed a latent of 16, would then paint something.")

namespace unknown_kind_passes {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  const int kind = static_cast<int>(layer.kind);
  return kind < 0 || kind > 4 ? x : solution::run_layer(x, layer);
}
}  // namespace unknown_kind_passes
MISCONCEPTION(unknown_kind_passes, run_layer, "layer.unknown-accepted",
              "A number that is no kind of layer passed its input on. Refuse it.",
              "A switch without a way out for anything else does this, or worse: at the end of a "
              "function without a return everything is allowed.")

namespace block_weights_cut {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  TaeBlock fitted = block;
  if (block.pool.widen.size() > 0 || block.third.weight.n() < x.c() || block.third.stride != 1)
    return solution::tae_block(x, block);
  for (ConvLayer* conv : {&fitted.first, &fitted.second, &fitted.third}) {
    const Tensor4 before = conv->weight;
    conv->weight = Tensor4(x.c(), x.c(), before.h(), before.w());
    for (Index o = 0; o < x.c(); ++o) {
      for (Index c = 0; c < x.c(); ++c) {
        for (Index i = 0; i < before.h() * before.w(); ++i)
          conv->weight(o, c, i / before.w(), i % before.w()) =
              before(o, c, i / before.w(), i % before.w());
      }
    }
    conv->bias = RowVector(conv->bias.head(x.c()));
  }
  return solution::tae_block(x, fitted);
}
}  // namespace block_weights_cut
MISCONCEPTION(block_weights_cut, tae_block, "block.weights-unchecked",
              "Weights for another number of channels were cut to fit. conv2d_forward refuses "
              "them.",
              "The last convolution is the one that nobody refuses by himself: what it makes is "
              "added, so compare its shape with the input's.")

namespace nothing_learned {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const Tensor4 right = solution::tae_block(x, block);
  double largest = 0.0;
  for (Index i = 0; i < block.third.weight.size(); ++i)
    largest = std::max(largest, std::abs(double(block.third.weight.data()[i])));
  return largest > 0.0 || block.pool.widen.size() > 0 ? right : x;
}
}  // namespace nothing_learned
MISCONCEPTION(nothing_learned, tae_block, "block.zero-weights-shortcut",
              "Where all weights are 0 you returned x. The last ReLU is still there: relu(x).",
              "A block that has learned nothing passes on what is positive.")

// ---- 8.8 trace_autoencoder ---------------------------------------------------------------------

namespace decodes_scaled {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  require(!encoder.empty() && !decoder.empty(), "layers");
  AutoencoderTrace trace;
  Tensor4 x = image;
  const auto note = [&](const Tensor4& y) {
    trace.records.push_back({y.shape(), 4 * y.size(), tensor_stats(y), 0, 0, 4 * y.size(), 0});
  };
  note(x);
  for (const TaeLayer& layer : encoder) note(x = run_layer(x, layer));
  trace.latent = x;
  note(x = scale_latents(x, scale));
  note(x);
  for (const TaeLayer& layer : decoder) note(x = run_layer(x, layer));
  trace.image = x;
  return trace;
}
}  // namespace decodes_scaled
MISCONCEPTION(decodes_scaled, trace_autoencoder, "trace.decodes-scaled",
              "The decoder got the scaled latent. The scale is taken off again before it, and the "
              "records hold more than shapes.",
              "The decoder knows nothing of the scale. diffusers issue 5166 is this very stage "
              "left out.")

namespace returns_scaled_latent {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  trace.latent = scale_latents(trace.latent, scale);
  return trace;
}
}  // namespace returns_scaled_latent
MISCONCEPTION(returns_scaled_latent, trace_autoencoder, "trace.latent-scaled",
              "latent is what the scaling made. It is what the encoder put out, before that.",
              "Both are called the latent. Whoever stores one has to say which.")

namespace clamps_image {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  trace.image = changed(trace.image, [](double v) { return std::clamp(v, 0.0, 1.0); });
  return trace;
}
}  // namespace clamps_image
MISCONCEPTION(clamps_image, trace_autoencoder, "trace.image-clamped",
              "image was clamped. It is what the decoder put out; model_to_image clamps.",
              "How far a decoder overshoots is one of the things that a trace is read for.")

namespace stats_of_inputs {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = trace.records.size() - 1; i > 0; --i) {
    trace.records[i].stats = trace.records[i - 1].stats;
  }
  return trace;
}
}  // namespace stats_of_inputs
MISCONCEPTION(stats_of_inputs, trace_autoencoder, "trace.stats-of-inputs",
              "The statistics are those of what went into each stage. A record describes what came "
              "out.",
              "An overflow would then be blamed on the stage behind it.")

namespace shapes_of_inputs {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = trace.records.size() - 1; i > 0; --i) {
    trace.records[i].shape = trace.records[i - 1].shape;
    trace.records[i].bytes = trace.records[i - 1].bytes;
  }
  return trace;
}
}  // namespace shapes_of_inputs
MISCONCEPTION(shapes_of_inputs, trace_autoencoder, "trace.shapes-of-inputs",
              "Shape and bytes are those of what went into each stage. A record describes what "
              "came out.",
              "The last record would then be the decoder's last feature map, and the image "
              "nowhere.")

namespace halves {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (TraceRecord& record : trace.records) record.bytes /= 2;
  return trace;
}
}  // namespace halves
MISCONCEPTION(halves, trace_autoencoder, "trace.two-bytes",
              "bytes was counted with 2 per element. The trace is in fp32: 4.",
              "The weights of TAEF2 are stored in fp16. What is computed with them here is not.")

namespace scaling_not_recorded {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  const auto first = trace.records.begin() + 1 + static_cast<std::ptrdiff_t>(encoder.size());
  trace.records.erase(first, first + 2);
  return trace;
}
}  // namespace scaling_not_recorded
MISCONCEPTION(scaling_not_recorded, trace_autoencoder, "trace.scaling-not-recorded",
              "The two stages between encoder and decoder have no records: the scaled latent, and "
              "the latent with the scale taken off.",
              "They are where most of this lab's real bugs sit.")

namespace flops_recorded {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (TraceRecord& record : trace.records) record.macs *= 2;
  return trace;
}
}  // namespace flops_recorded
MISCONCEPTION(flops_recorded, trace_autoencoder, "trace.flops", "macs holds FLOPs, twice as many.",
              "LayerCost has both; the record wants macs.")

namespace pools_cost_nothing {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  const auto forget = [&](const std::vector<TaeLayer>& layers, std::size_t from) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].kind != LayerKind::kBlock) continue;
      const TaePool& pool = layers[i].block.pool;
      const Shape& shape = trace.records[from + i].shape;
      trace.records[from + i].macs -=
          shape[0] * shape[2] * shape[3] * (pool.widen.size() + pool.narrow.size());
    }
  };
  forget(encoder, 1);
  forget(decoder, 3 + encoder.size());
  return trace;
}
}  // namespace pools_cost_nothing
MISCONCEPTION(pools_cost_nothing, trace_autoencoder, "trace.pool-macs-missing",
              "The two 1x1 convolutions of a pool are missing from macs.",
              "At 64 channels they have 2 * 4 * 64 * 64 weights, against 3 * 9 * 64 * 64 in the "
              "rest of the block: three tenths on top.")

namespace norms_cost_something {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (TraceRecord& record : trace.records) {
    if (record.macs == 0) record.macs = record.bytes / 4;
  }
  return trace;
}
}  // namespace norms_cost_something
MISCONCEPTION(norms_cost_something, trace_autoencoder, "trace.cheap-stages-counted",
              "Stages without a convolution have 0 MACs here, upsampling and scaling included.",
              "One operation per element disappears beside the hundreds of a convolution, and the "
              "convention leaves it out.")

namespace norm_params_missing {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = 0; i < decoder.size(); ++i) {
    const TaePool& pool = decoder[i].block.pool;
    trace.records[3 + encoder.size() + i].params -= pool.gamma.size() + pool.beta.size();
  }
  return trace;
}
}  // namespace norm_params_missing
MISCONCEPTION(norm_params_missing, trace_autoencoder, "trace.norm-params-missing",
              "gamma and beta of GroupNorm are missing from params.",
              "2 * 4C numbers per pool. They are trained and stored like any weight.")

namespace weights_only {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  const auto forget = [&](const std::vector<TaeLayer>& layers, std::size_t from) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      std::int64_t& params = trace.records[from + i].params;
      const TaeBlock& block = layers[i].block;
      if (layers[i].kind == LayerKind::kConv) params -= layers[i].conv.bias.size();
      if (layers[i].kind == LayerKind::kBlock)
        params -= block.first.bias.size() + block.second.bias.size() + block.third.bias.size();
    }
  };
  forget(encoder, 1);
  forget(decoder, 3 + encoder.size());
  return trace;
}
}  // namespace weights_only
MISCONCEPTION(weights_only, trace_autoencoder, "trace.biases-missing",
              "The biases are missing from params.",
              "They cost no MACs by convention, but they are parameters.")

namespace skips_are_free {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = 0; i < encoder.size(); ++i) {
    if (encoder[i].kind != LayerKind::kBlock) continue;
    trace.records[i + 1].live_bytes = 2 * trace.records[i + 1].bytes;
  }
  for (std::size_t i = 1; i < trace.records.size(); ++i) {
    trace.records[i].peak_bytes =
        std::max(trace.records[i - 1].peak_bytes, trace.records[i].live_bytes);
  }
  return trace;
}
}  // namespace skips_are_free
MISCONCEPTION(skips_are_free, trace_autoencoder, "trace.skip-not-alive",
              "A block was counted as input and output. Inside, the skip keeps the input alive "
              "beside two more maps: three.",
              "That third map is what the peak of a residual network is made of.")

namespace pool_is_free {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = 0; i < decoder.size(); ++i) {
    if (decoder[i].kind != LayerKind::kBlock) continue;
    TraceRecord& record = trace.records[3 + encoder.size() + i];
    record.live_bytes = 3 * record.bytes;
  }
  for (std::size_t i = 1; i < trace.records.size(); ++i) {
    trace.records[i].peak_bytes =
        std::max(trace.records[i - 1].peak_bytes, trace.records[i].live_bytes);
  }
  return trace;
}
}  // namespace pool_is_free
MISCONCEPTION(pool_is_free, trace_autoencoder, "trace.pool-not-alive",
              "The pool's wide maps were not counted: while GroupNorm runs there are x and two "
              "maps of four times its size.",
              "1 + 4 + 4 maps. TAEF2 has its pools at the lowest resolution only, where nine small "
              "maps are cheap.")

namespace output_only {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = 0; i < trace.records.size(); ++i) {
    TraceRecord& record = trace.records[i];
    record.live_bytes = record.bytes;
    record.peak_bytes =
        i == 0 ? record.bytes : std::max(record.bytes, trace.records[i - 1].peak_bytes);
  }
  return trace;
}
}  // namespace output_only
MISCONCEPTION(output_only, trace_autoencoder, "trace.live-is-output",
              "live_bytes is the output alone. While a stage runs its input is there too, and what "
              "lies in between.",
              "peak_activation_bytes of exercise 8.6, asked for the steps of the layer, knows.")

namespace image_kept {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (std::size_t i = 2; i < trace.records.size(); ++i) {
    trace.records[i].live_bytes += trace.records[0].bytes;
    trace.records[i].peak_bytes =
        std::max(trace.records[i - 1].peak_bytes, trace.records[i].live_bytes);
  }
  return trace;
}
}  // namespace image_kept
MISCONCEPTION(image_kept, trace_autoencoder, "trace.image-kept",
              "The image was counted to the end. The encoder's first layer is its last reader.",
              "The caller may keep it. The computation does not need it.")

namespace peak_of_stage {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (TraceRecord& record : trace.records) record.peak_bytes = record.live_bytes;
  return trace;
}
}  // namespace peak_of_stage
MISCONCEPTION(peak_of_stage, trace_autoencoder, "trace.peak-is-live",
              "peak_bytes is live_bytes again. It is the most up to here: it never falls.",
              "The last record's peak is the answer to \"how much memory does it take?\".")

namespace peak_of_everything {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  AutoencoderTrace trace = solution::trace_autoencoder(image, encoder, decoder, scale);
  for (TraceRecord& record : trace.records) record.peak_bytes = trace.records.back().peak_bytes;
  return trace;
}
}  // namespace peak_of_everything
MISCONCEPTION(peak_of_everything, trace_autoencoder, "trace.peak-foretold",
              "Every record has the peak of the whole run. It is the most *up to here*.",
              "The first record has seen nothing but the image.")

namespace empty_side_accepted {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  if (!encoder.empty() && !decoder.empty())
    return solution::trace_autoencoder(image, encoder, decoder, scale);
  AutoencoderTrace trace;
  trace.latent = trace.image = image;
  return trace;
}
}  // namespace empty_side_accepted
MISCONCEPTION(empty_side_accepted, trace_autoencoder, "trace.no-layers-accepted",
              "An encoder or decoder without layers was accepted. Refuse it.",
              "It is what a loader returns that did not find its file.")

namespace scale_repaired {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  LatentScale mended = scale;
  if (mended.scale == 0.0) mended.scale = 1.0;
  if (!std::isfinite(mended.shift)) mended.shift = 0.0;
  return solution::trace_autoencoder(image, encoder, decoder, mended);
}
}  // namespace scale_repaired
MISCONCEPTION(scale_repaired, trace_autoencoder, "trace.scale-unchecked",
              "A scale of 0 or a shift that is no number was accepted. scale_latents refuses both.",
              "A missing scale is not 1: it is missing.")

namespace layers_skipped {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  if (encoder.empty() || decoder.empty() || scale.scale == 0.0 || !std::isfinite(scale.shift))
    return solution::trace_autoencoder(image, encoder, decoder, scale);
  try {
    return solution::trace_autoencoder(image, encoder, decoder, scale);
  } catch (const std::invalid_argument&) {
    return {image, image, {}};
  }
}
}  // namespace layers_skipped
MISCONCEPTION(layers_skipped, trace_autoencoder, "trace.misfits-accepted",
              "Layers that do not fit one another were passed over. run_layer refuses them.",
              "A half-run model gives a picture too.")

// ---- 8.9 tiled_decode --------------------------------------------------------------------------

namespace tiled_08 {
/// The blend, with whatever weight(p, length, widest) and combination of two is asked for.
template <typename Weight, typename Combine>
Tensor4 blended(const Tensor4& latent, const std::vector<TaeLayer>& decoder, const Tiling& tiling,
                Weight&& weight, Combine&& combine) {
  const Tensor4 whole = solution::tiled_decode(latent, decoder, tiling);  // shape and refusals
  const Index factor = latent.h() > 0 ? whole.h() / latent.h() : 1;
  const double widest = static_cast<double>(std::max<Index>(tiling.overlap * factor, 1));
  std::vector<double> sum(static_cast<std::size_t>(whole.size())), weights = sum;
  for (const std::int64_t top : solution::tile_starts(latent.h(), tiling)) {
    for (const std::int64_t left : solution::tile_starts(latent.w(), tiling)) {
      Tensor4 part(latent.n(), latent.c(), std::min<Index>(tiling.tile, latent.h()),
                   std::min<Index>(tiling.tile, latent.w()));
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        part.data()[i] = latent(map / part.c(), map % part.c(), top + h, left + w);
      }
      for (const TaeLayer& layer : decoder) part = solution::run_layer(part, layer);
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        const auto at = static_cast<std::size_t>((map * whole.h() + top * factor + h) * whole.w() +
                                                 left * factor + w);
        const double a = combine(weight(h, part.h(), widest), weight(w, part.w(), widest));
        sum[at] += a * static_cast<double>(part.data()[i]);
        weights[at] += a;
      }
    }
  }
  Tensor4 image = whole;
  for (Index i = 0; i < image.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    image.data()[i] = static_cast<float>(sum[at] / weights[at]);
  }
  return image;
}
inline double right_weight(Index p, Index length, double widest) {
  return std::min({static_cast<double>(p + 1), static_cast<double>(length - p), widest});
}
inline double product(double a, double b) {
  return a * b;
}
}  // namespace tiled_08

namespace plainly_averaged {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  Index factor = 1;
  for (const TaeLayer& layer : decoder) factor *= layer.kind == LayerKind::kUpsample ? 2 : 1;
  Tensor4 sum, count;
  for (const std::int64_t top : tile_starts(latent.h(), tiling)) {
    for (const std::int64_t left : tile_starts(latent.w(), tiling)) {
      Tensor4 part(latent.n(), latent.c(), std::min<Index>(tiling.tile, latent.h()),
                   std::min<Index>(tiling.tile, latent.w()));
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        part.data()[i] = latent(map / part.c(), map % part.c(), top + h, left + w);
      }
      for (const TaeLayer& layer : decoder) part = run_layer(part, layer);
      if (sum.n() == 0)
        sum = count = Tensor4(part.n(), part.c(), factor * latent.h(), factor * latent.w());
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        sum(map / part.c(), map % part.c(), top * factor + h, left * factor + w) += part.data()[i];
        count(map / part.c(), map % part.c(), top * factor + h, left * factor + w) += 1.0F;
      }
    }
  }
  for (Index i = 0; i < sum.size(); ++i) sum.data()[i] /= count.data()[i];
  return sum;
}
}  // namespace plainly_averaged
MISCONCEPTION(plainly_averaged, tiled_decode, "tiles.plain-average",
              "Where tiles overlap you took their plain average. The weights rise from a tile's "
              "borders: min(p + 1, L - p, R).",
              "An average jumps where the second tile begins and where the first ends: two seams "
              "of half the height in place of one. A ramp has none.")

namespace last_tile_wins {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  Tensor4 image = solution::tiled_decode(latent, decoder, tiling);
  const Index factor = latent.h() > 0 ? image.h() / latent.h() : 1;
  for (const std::int64_t top : solution::tile_starts(latent.h(), tiling)) {
    for (const std::int64_t left : solution::tile_starts(latent.w(), tiling)) {
      Tensor4 part(latent.n(), latent.c(), std::min<Index>(tiling.tile, latent.h()),
                   std::min<Index>(tiling.tile, latent.w()));
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        part.data()[i] = latent(map / part.c(), map % part.c(), top + h, left + w);
      }
      for (const TaeLayer& layer : decoder) part = solution::run_layer(part, layer);
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        image(map / part.c(), map % part.c(), top * factor + h, left * factor + w) = part.data()[i];
      }
    }
  }
  return image;
}
}  // namespace last_tile_wins
MISCONCEPTION(last_tile_wins, tiled_decode, "tiles.last-one-wins",
              "A later tile was written over the earlier one. Where they overlap they are blended.",
              "The overlap is then computed twice and used once, and every seam stands at its full "
              "height, at the border of the later tile, where it knows least.")

namespace ramp_from_zero {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  return tiled_08::blended(
      latent, decoder, tiling,
      [](Index p, Index length, double widest) {
        return std::min({static_cast<double>(p), static_cast<double>(length - 1 - p), widest});
      },
      tiled_08::product);
}
}  // namespace ramp_from_zero
MISCONCEPTION(ramp_from_zero, tiled_decode, "tiles.ramp-from-zero",
              "The weights begin at 0. At the picture's border no other tile helps, and the sum of "
              "the weights is 0: begin at 1.",
              "0 / 0 is a frame of NaN, which becomes a black line one pixel wide around the "
              "picture.")

namespace ramp_in_latents {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  const double narrow = static_cast<double>(std::max<std::int64_t>(tiling.overlap, 1));
  return tiled_08::blended(
      latent, decoder, tiling,
      [&](Index p, Index length, double) { return tiled_08::right_weight(p, length, narrow); },
      tiled_08::product);
}
}  // namespace ramp_in_latents
MISCONCEPTION(ramp_in_latents, tiled_decode, "tiles.ramp-in-latents",
              "The ramp is as long as the overlap in latent positions. It is the overlap times the "
              "factor, in pixels.",
              "With factor 8 an overlap of 8 is 64 pixels, of which such a ramp uses 8 on each "
              "side and averages the rest.")

namespace weights_added {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  return tiled_08::blended(latent, decoder, tiling, tiled_08::right_weight,
                           [](double a, double b) { return a + b; });
}
}  // namespace weights_added
MISCONCEPTION(weights_added, tiled_decode, "tiles.weights-added",
              "You added the weights of row and column. They multiply.",
              "Added, a pixel at a tile's left border still has the weight of its row, and the "
              "border shows.")

namespace blended_along_rows {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  return tiled_08::blended(latent, decoder, tiling, tiled_08::right_weight,
                           [](double, double b) { return b; });
}
}  // namespace blended_along_rows
MISCONCEPTION(blended_along_rows, tiled_decode, "tiles.columns-only",
              "Only columns were given weights. Rows need them as well, and the two multiply.",
              "Vertical seams vanish, horizontal ones stay.")

namespace never_limited {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  return tiled_08::blended(
      latent, decoder, tiling,
      [](Index p, Index length, double) { return tiled_08::right_weight(p, length, 1e9); },
      tiled_08::product);
}
}  // namespace never_limited
MISCONCEPTION(never_limited, tiled_decode, "tiles.ramp-not-limited",
              "The weights rise to the middle of the tile. They stop at R, the overlap in pixels.",
              "A triangle blends as well. The contract's ramp is a trapezium, flat where only one "
              "tile is.")

namespace channels_written_in {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  const Tensor4 right = solution::tiled_decode(latent, decoder, tiling);
  if (latent.c() == 4 && right.c() == 3) return right;
  Tensor4 three(right.n(), 3, right.h(), right.w());
  for (Index i = 0; i < three.size() && right.size() > 0; ++i)
    three.data()[i] = right.data()[i % right.size()];
  return three;
}
}  // namespace channels_written_in
MISCONCEPTION(channels_written_in, tiled_decode, "tiles.channels-written-in",
              "4 latent channels and 3 image channels are written into your function. Take them "
              "from the tensors.",
              "diffusers' tiled paths for tiny autoencoders have both numbers in them (issue "
              "13652), and fail for the 16 or 32 channels of newer ones.")

namespace factor_written_in {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  Tensor4 image = solution::tiled_decode(latent, decoder, tiling);
  Index doublings = 0;
  for (const TaeLayer& layer : decoder) doublings += layer.kind == LayerKind::kUpsample ? 1 : 0;
  if (doublings == 1) return image;
  return Tensor4(image.n(), image.c(), 2 * latent.h(), 2 * latent.w());
}
}  // namespace factor_written_in
MISCONCEPTION(factor_written_in, tiled_decode, "tiles.factor-written-in",
              "The factor between latent and image is written into your function. It is 2 to the "
              "number of upsamplings.",
              "diffusers' tiny autoencoder computes it as 2 to the number of *output channels*, "
              "which is 8 only because pictures have three (issue 13652).")

namespace tile_always_cut {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  const Tensor4 right = solution::tiled_decode(latent, decoder, tiling);
  if (tiling.tile <= latent.h() && tiling.tile <= latent.w()) return right;
  const Index factor = latent.h() > 0 ? right.h() / latent.h() : 1;
  return Tensor4(right.n(), right.c(), std::max<Index>(tiling.tile * factor, right.h()),
                 std::max<Index>(tiling.tile * factor, right.w()));
}
}  // namespace tile_always_cut
MISCONCEPTION(tile_always_cut, tiled_decode, "tiles.small-latents",
              "A latent smaller than a tile came out as large as the tile. The image is that of "
              "the latent.",
              "std::min(tile, size) belongs wherever the tile's side is used.")

namespace no_overlap_no_weight {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  Tensor4 right = solution::tiled_decode(latent, decoder, tiling);
  if (tiling.overlap > 0) return right;
  return changed(right, [](double) { return std::numeric_limits<double>::quiet_NaN(); });
}
}  // namespace no_overlap_no_weight
MISCONCEPTION(no_overlap_no_weight, tiled_decode, "tiles.no-overlap",
              "Without an overlap every weight was min(..., 0): the image is 0 / 0. R is at least "
              "1.",
              "An overlap of 0 is allowed; the tiles are then simply put side by side.")

namespace tilings_unchecked {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  const std::int64_t tile = std::max<std::int64_t>(tiling.tile, 1);
  return solution::tiled_decode(latent, decoder,
                                {tile, std::clamp<std::int64_t>(tiling.overlap, 0, tile - 1)});
}
}  // namespace tilings_unchecked
MISCONCEPTION(tilings_unchecked, tiled_decode, "tiles.tiling-unchecked",
              "A tiling that cannot be was mended in silence. tile_starts refuses it.",
              "A tile that moves on by 0 positions never reaches the end: without a check this is "
              "a loop for ever.")

namespace clipped_last {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  require(size >= 1 && tiling.tile >= 1 && tiling.overlap >= 0 && tiling.overlap < tiling.tile,
          "tiling");
  std::vector<std::int64_t> starts;
  for (std::int64_t at = 0; at == 0 || at + tiling.overlap < size;
       at += tiling.tile - tiling.overlap) {
    starts.push_back(at);
  }
  return starts;
}
}  // namespace clipped_last
MISCONCEPTION(clipped_last, tile_starts, "tiles.last-not-moved-back",
              "The last tile begins on the grid and reaches beyond the axis. Move it back, so that "
              "it ends with the axis.",
              "Clipped, the last tile is a sliver of a few positions, whose decoder sees hardly "
              "anything but padding.")

namespace end_uncovered {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  const std::vector<std::int64_t> right = solution::tile_starts(size, tiling);
  std::vector<std::int64_t> starts;
  for (const std::int64_t at : right) {
    if (at % (tiling.tile - tiling.overlap) == 0) starts.push_back(at);
  }
  return starts;
}
}  // namespace end_uncovered
MISCONCEPTION(end_uncovered, tile_starts, "tiles.end-uncovered",
              "The end of the axis is in no tile, unless the grid happens to fit. One more tile "
              "has to end there.",
              "A band at the right and the bottom of the picture is missing.")

namespace never_overlapping {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  solution::tile_starts(size, tiling);
  return solution::tile_starts(size, {tiling.tile, 0});
}
}  // namespace never_overlapping
MISCONCEPTION(never_overlapping, tile_starts, "tiles.step-is-tile",
              "The step from tile to tile is tile - overlap, not tile.",
              "Tiles that share nothing have nothing to blend.")

namespace steps_of_overlap {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  solution::tile_starts(size, tiling);
  const std::int64_t step = std::max<std::int64_t>(tiling.overlap, 1);
  return solution::tile_starts(size, {tiling.tile, tiling.tile - step});
}
}  // namespace steps_of_overlap
MISCONCEPTION(steps_of_overlap, tile_starts, "tiles.step-is-overlap",
              "You moved on by the overlap. The tiles move on by tile - overlap.",
              "With an overlap of half a tile the two are the same; with a small one there are "
              "many more tiles than needed.")

namespace last_tile_twice {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  std::vector<std::int64_t> starts = solution::tile_starts(size, tiling);
  const std::int64_t step = tiling.tile - tiling.overlap;
  if (starts.size() > 1 && starts.back() % step == 0) starts.push_back(starts.back());
  return starts;
}
}  // namespace last_tile_twice
MISCONCEPTION(last_tile_twice, tile_starts, "tiles.last-one-twice",
              "Where the grid fits exactly the last tile is there twice.",
              "The blend does not show it, since weights are divided by their sum; the time does.")

namespace negative_start {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  std::vector<std::int64_t> starts = solution::tile_starts(size, tiling);
  if (size < tiling.tile) starts = {size - tiling.tile};
  return starts;
}
}  // namespace negative_start
MISCONCEPTION(negative_start, tile_starts, "tiles.negative-start",
              "An axis shorter than the tile got a tile that begins before 0. It has one tile, at "
              "0.",
              "size - tile is negative there: max(size - tile, 0).")

namespace starts_unchecked {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  if (size < 1) return {};
  const std::int64_t tile = std::max<std::int64_t>(tiling.tile, 1);
  return solution::tile_starts(size, {tile, std::clamp<std::int64_t>(tiling.overlap, 0, tile - 1)});
}
}  // namespace starts_unchecked
MISCONCEPTION(starts_unchecked, tile_starts, "tiles.starts-unchecked",
              "A size, tile or overlap that cannot be was accepted. Refuse it.",
              "overlap = tile moves on by nothing, and the loop never ends.")

}  // namespace latent

// Hidden properties of lab 08. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "encode_decode.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

using Whole = std::int64_t;
using Wholes = std::vector<Whole>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();
constexpr auto kSigned = PixelRange::kMinusOneToOne;
constexpr auto kUnsigned = PixelRange::kZeroToOne;

/// A feature map of the oracles.
struct Map {
  Index n = 0, c = 0, h = 0, w = 0;
  std::vector<double> v;

  Map(Index samples, Index channels, Index rows, Index columns)
      : n(samples), c(channels), h(rows), w(columns), v(std::size_t(n * c * h * w), 0.0) {}
  explicit Map(const Tensor4& x)
      : n(x.n()), c(x.c()), h(x.h()), w(x.w()), v(x.data(), x.data() + x.size()) {}

  double& at(Index sample, Index channel, Index row, Index column) {
    return v[std::size_t(((sample * c + channel) * h + row) * w + column)];
  }
  double at(Index sample, Index channel, Index row, Index column) const {
    return v[std::size_t(((sample * c + channel) * h + row) * w + column)];
  }

  Shape shape() const { return {n, c, h, w}; }
  Whole bytes() const { return 4 * n * c * h * w; }

  double largest() const {
    double most = 1.0;
    for (const double x : v) most = std::max(most, std::abs(x));
    return most;
  }

  operator Numbers() const {  // NOLINT(google-explicit-constructor)
    Numbers numbers;
    numbers.shape = shape();
    numbers.elements = v;
    return numbers;
  }
};

/// The same for every element.
template <typename F>
Map each(Map x, F&& f) {
  for (double& v : x.v) v = f(v);
  return x;
}

Tensor4 filled(const Shape& shape, float value) {
  return Tensor4(shape[0], shape[1], shape[2], shape[3], value);
}

// ---- 8.0 image_to_model ------------------------------------------------------------------------

constexpr Tolerance kPixels{0.0, 2e-6, 0.0};

Pixels draw_pixels(Draw& draw, Index h, Index w) {
  Pixels image{h, w, {}};
  for (Index i = 0; i < 3 * h * w; ++i) {
    image.values.push_back(static_cast<std::int32_t>(draw.random().integer(0, 255)));
  }
  draw.show("values", image.values);
  return image;
}

Pixels draw_pixels(Draw& draw) {
  const Index h = draw.size("H", 1, 5), w = draw.size("W", 1, 5);
  return draw_pixels(draw, h, w);
}

Map model_oracle(const Pixels& image, PixelRange range) {
  Map x(1, 3, image.height, image.width);
  for (Index h = 0; h < x.h; ++h) {
    for (Index w = 0; w < x.w; ++w) {
      for (Index c = 0; c < 3; ++c) {
        const double v = image.values[std::size_t((h * x.w + w) * 3 + c)];
        x.at(0, c, h, w) = range == kSigned ? v / 127.5 - 1.0 : v / 255.0;
      }
    }
  }
  return x;
}

DEFINES(image_to_model, "moves the channels to the front and 0 to 255 into the model's range") {
  const Pixels image = draw_pixels(draw);
  const Tensor4 centred = ASK(image_to_model, image, kSigned);
  const Tensor4 positive = ASK(image_to_model, image, kUnsigned);
  expect_near("x, from -1 to 1", centred, model_oracle(image, kSigned), kPixels);
  expect_near("x, from 0 to 1", positive, model_oracle(image, kUnsigned), kPixels);
}

PROPERTY(image_to_model, "makes a tensor without pixels of a picture without pixels") {
  const Index h = draw.size("H", 1, 5), w = draw.size("W", 1, 5);
  const Tensor4 flat = ASK(image_to_model, (Pixels{0, w, {}}), kSigned);
  const Tensor4 thin = ASK(image_to_model, (Pixels{h, 0, {}}), kUnsigned);
  expect_equal("x, no rows", flat, Tensor4(1, 3, 0, w));
  expect_equal("x, no columns", thin, Tensor4(1, 3, h, 0));
}

PROPERTY(image_to_model, "refuses a number of values that is not height * width * 3") {
  const Pixels image = draw_pixels(draw);
  Pixels more = image, fewer = image, turned = image;
  more.values.push_back(7);
  fewer.values.pop_back();
  turned.height = -image.height;
  turned.width = -image.width;
  const Reply one_more = REPLY(image_to_model, more, kSigned);
  const Reply one_fewer = REPLY(image_to_model, fewer, kUnsigned);
  const Reply negative = REPLY(image_to_model, turned, kSigned);
  expect_refused(one_more, "there is one value more");
  expect_refused(one_fewer, "there is one value fewer");
  expect_refused(negative, "both sides are negative, whose product is not");
}

PROPERTY(image_to_model, "refuses a value that is not from 0 to 255") {
  const Pixels image = draw_pixels(draw);
  Pixels above = image, below = image;
  const auto at = std::size_t(draw.random().integer(0, Whole(image.values.size()) - 1));
  above.values[at] = 256;
  below.values[at] = -1;
  const Reply high = REPLY(image_to_model, above, kUnsigned);
  const Reply low = REPLY(image_to_model, below, kSigned);
  expect_refused(high, "a value is 256");
  expect_refused(low, "a value is -1");
}

/// Numbers in the model's range, and the picture that they make. None is near a border between two
/// values.
struct Output {
  Tensor4 x;
  Pixels image;
};

Output draw_output(Draw& draw, PixelRange range, double low, double high) {
  const Index h = draw.size("H", 1, 5), w = draw.size("W", 1, 5);
  Output output{Tensor4(1, 3, h, w), {h, w, std::vector<std::int32_t>(std::size_t(3 * h * w))}};
  for (Index i = 0; i < 3 * h * w; ++i) {
    double y = 0.0, value = 0.0;
    do {
      y = draw.random().uniform(low, high);
      value = 255.0 * std::clamp(y, 0.0, 1.0);
    } while (std::abs(value - std::floor(value) - 0.5) < 0.02);
    const Index pixel = i / 3, channel = i % 3;
    output.x.data()[channel * h * w + pixel] = float(range == kSigned ? 2.0 * y - 1.0 : y);
    output.image.values[std::size_t(i)] = static_cast<std::int32_t>(std::floor(value + 0.5));
  }
  draw.show("x", output.x);
  return output;
}

PROPERTY(image_to_model, "model_to_image: scales to 0 to 255 and rounds to the nearest") {
  const Output centred = draw_output(draw, kSigned, 0.01, 0.99);
  const Output positive = draw_output(draw, kUnsigned, 0.01, 0.99);
  const Pixels first = ASK(model_to_image, centred.x, kSigned);
  const Pixels second = ASK(model_to_image, positive.x, kUnsigned);
  expect_equal("values, from -1 to 1", first.values, centred.image.values);
  expect_equal("values, from 0 to 1", second.values, positive.image.values);
  expect_equal("height", first.height, centred.image.height);
  expect_equal("width", first.width, centred.image.width);
}

PROPERTY(image_to_model, "model_to_image: clamps what lies outside of the range") {
  const Output below = draw_output(draw, kSigned, -1.5, -0.05);
  const Output above = draw_output(draw, kUnsigned, 1.05, 2.5);
  const Pixels black = ASK(model_to_image, below.x, kSigned);
  const Pixels white = ASK(model_to_image, above.x, kUnsigned);
  expect_equal("values, all below -1", black.values, below.image.values);
  expect_equal("values, all above 1", white.values, above.image.values);
}

PROPERTY(image_to_model, "model_to_image: takes 127.5 to 128, the even neighbour") {
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  const Pixels centred = ASK(model_to_image, Tensor4(1, 3, h, w, 0.0F), kSigned);
  const Pixels positive = ASK(model_to_image, Tensor4(1, 3, h, w, 0.5F), kUnsigned);
  const std::vector<std::int32_t> grey(std::size_t(3 * h * w), 128);
  expect_equal("values, 0 in a range from -1 to 1", centred.values, grey);
  expect_equal("values, 0.5 in a range from 0 to 1", positive.values, grey);
}

PROPERTY(image_to_model, "all 256 values return from either range") {
  Pixels all{16, 16, {}};
  for (std::int32_t i = 0; i < 768; ++i) all.values.push_back(i / 3);  // every grey
  for (const PixelRange range : {kSigned, kUnsigned}) {
    const Pixels back = ASK(model_to_image, ASK(image_to_model, all, range), range);
    expect_equal("values", back.values, all.values);
  }
}

PROPERTY(image_to_model, "model_to_image: makes a picture without pixels of no pixels") {
  const Index h = draw.size("H", 1, 5), w = draw.size("W", 1, 5);
  const Pixels flat = ASK(model_to_image, Tensor4(1, 3, 0, w), kSigned);
  const Pixels thin = ASK(model_to_image, Tensor4(1, 3, h, 0), kUnsigned);
  expect_equal("width, no rows", flat.width, std::int64_t(w));
  expect_equal("height, no columns", thin.height, std::int64_t(h));
  expect_equal("values, no rows", flat.values, std::vector<std::int32_t>{});
  expect_equal("values, no columns", thin.values, std::vector<std::int32_t>{});
}

PROPERTY(image_to_model, "model_to_image: refuses anything but one sample of three channels") {
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  const auto reply = [&](Index n, Index c) {
    return REPLY(model_to_image, Tensor4(n, c, h, w, 0.25F), kUnsigned);
  };
  const Reply two = reply(2, 3), none = reply(0, 3), grey = reply(1, 1), alpha = reply(1, 4);
  expect_refused(two, "there are two samples");
  expect_refused(none, "there is no sample");
  expect_refused(grey, "there is one channel");
  expect_refused(alpha, "there are four channels");
}

PROPERTY(image_to_model, "model_to_image: refuses an infinity and what is no number") {
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  const Index at = draw.random().integer(0, 3 * h * w - 1);
  const auto reply = [&](float value) {
    Tensor4 x(1, 3, h, w, 0.25F);
    x.data()[at] = value;
    return REPLY(model_to_image, x, kSigned);
  };
  const Reply nan = reply(kNoNumber), above = reply(kInfinity), below = reply(-kInfinity);
  expect_refused(nan, "an element is NaN");
  expect_refused(above, "an element is infinite");
  expect_refused(below, "an element is minus infinity");
}

// ---- 8.1 tensor_stats --------------------------------------------------------------------------

/// Two passes; no element is NaN.
TensorStats stats_oracle(const std::vector<double>& v) {
  TensorStats stats;
  if (v.empty()) return stats;
  stats.min = *std::min_element(v.begin(), v.end());
  stats.max = *std::max_element(v.begin(), v.end());
  for (const double x : v) stats.mean += x / double(v.size());
  double squares = 0.0;
  for (const double x : v) squares += (x - stats.mean) * (x - stats.mean);
  stats.std = std::sqrt(squares / double(v.size()));
  for (const double x : v) stats.absmax = std::max(stats.absmax, std::abs(x));
  stats.count = Whole(v.size());
  return stats;
}

/// What of `TensorStats` has no rounding to speak of, in one row.
OracleRow extremes(const TensorStats& stats) {
  return OracleRow{{stats.min, stats.max, stats.absmax, double(stats.count), double(stats.nans)}};
}

/// Mean and standard deviation.
OracleRow spread(const TensorStats& stats) {
  return OracleRow{{stats.mean, stats.std}};
}

// A standard deviation is a root: where it is 0, rounding of 1e-16 becomes 1e-8.
constexpr Tolerance kSpread{1e-9, 2e-8, 0.0};

Tensor4 negated(const Tensor4& x) {
  Tensor4 y = x;
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = -y.data()[i];
  return y;
}

/// At least two samples, and elements on both sides of 0.
Tensor4 draw_both_signs(Draw& draw) {
  const Index n = draw.size("N", 2, 4), c = draw.size("C", 1, 4);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  Tensor4 x = draw.tensor("x, but for two elements", n, c, h, w);
  x.data()[0] = -std::abs(x.data()[0]) - 0.5F;
  x.data()[x.size() - 1] = std::abs(x.data()[x.size() - 1]) + 1.0F;
  draw.show("first and last element", RowVector(RowVector{{x.data()[0], x.data()[x.size() - 1]}}));
  return x;
}

DEFINES(tensor_stats, "min, max, absmax, mean and standard deviation are over all elements") {
  const Tensor4 x = draw_both_signs(draw), y = negated(x);
  const TensorStats got = ASK(tensor_stats, x), turned = ASK(tensor_stats, y);
  const TensorStats right = stats_oracle(Map(x).v), other = stats_oracle(Map(y).v);
  expect_equal("min, max, absmax, count, nans", extremes(got), extremes(right));
  expect_near("mean and std", spread(got), spread(right), kSpread);
  expect_equal("min, max, absmax, count, nans of -x", extremes(turned), extremes(other));
  expect_near("mean and std of -x", spread(turned), spread(other), kSpread);
}

PROPERTY(tensor_stats, "keeps its digits around 10,000") {
  const Index c = draw.size("C", 2, 5), h = draw.size("H", 2, 7), w = draw.size("W", 2, 7);
  for (int i = 0; i < 3; ++i) {
    Tensor4 x(1, c, h, w);
    for (Index k = 0; k < x.size(); ++k) {
      x.data()[k] = float(10000.0 + draw.random().uniform(-0.5, 0.5) + double(k % 2));
    }
    draw.show("x", x);
    const TensorStats got = ASK(tensor_stats, x), right = stats_oracle(Map(x).v);
    expect_near("mean", got.mean, right.mean, {0.0, 1e-8, 0.0});
    expect_near("std", got.std, right.std, {0.0, 1e-9, 0.0});
  }
}

PROPERTY(tensor_stats, "does not take 0 for an element where all are on one side of it") {
  const Index c = draw.size("C", 1, 4), h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  Tensor4 x = draw.tensor("x, moved to one side", 1, c, h, w);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = 1.0F + std::abs(x.data()[i]);
  const TensorStats above = ASK(tensor_stats, x), below = ASK(tensor_stats, negated(x));
  expect_equal("min, max, absmax, count, nans, all above 0", extremes(above),
               extremes(stats_oracle(Map(x).v)));
  expect_equal("min, max, absmax, count, nans, all below 0", extremes(below),
               extremes(stats_oracle(Map(negated(x)).v)));
}

PROPERTY(tensor_stats, "counts NaN and leaves them out of everything else") {
  Tensor4 x = draw_both_signs(draw);
  std::vector<double> numbers = Map(x).v;
  Tensor4 longer(2, 1, 1, x.size());
  // A NaN in front, and one before each element of the second half: the first is not special.
  for (Index i = 0, to = 0; i < x.size() && to < longer.size(); ++i) {
    if (i == 0 || 2 * i >= x.size()) longer.data()[to++] = kNoNumber;
    if (to < longer.size()) longer.data()[to++] = x.data()[i];
  }
  numbers.clear();
  TensorStats right;
  for (Index i = 0; i < longer.size(); ++i) {
    if (!std::isnan(longer.data()[i])) numbers.push_back(longer.data()[i]);
  }
  right = stats_oracle(numbers);
  right.nans = longer.size() - Whole(numbers.size());
  draw.show("x, with NaN", longer);
  const TensorStats got = ASK(tensor_stats, longer);
  expect_equal("min, max, absmax, count, nans", extremes(got), extremes(right));
  expect_near("mean and std", spread(got), spread(right), kSpread);
}

PROPERTY(tensor_stats, "is 0 where nothing was counted") {
  const Index n = draw.size("N", 1, 3), c = draw.size("C", 1, 4), w = draw.size("W", 1, 4);
  const TensorStats empty = ASK(tensor_stats, Tensor4(n, c, 0, w));
  const TensorStats nothing = ASK(tensor_stats, Tensor4());
  const TensorStats none = ASK(tensor_stats, Tensor4(n, c, 1, w, kNoNumber));
  OracleRow only_nans = OracleRow::Zero(5);
  only_nans(4) = double(n * c * w);
  expect_equal("min, max, absmax, count, nans without elements", extremes(empty),
               OracleRow(OracleRow::Zero(5)));
  expect_equal("mean and std without elements", spread(empty), OracleRow(OracleRow::Zero(2)));
  expect_equal("min, max, absmax, count, nans of shape [0, 0, 0, 0]", extremes(nothing),
               OracleRow(OracleRow::Zero(5)));
  expect_equal("mean and std of shape [0, 0, 0, 0]", spread(nothing),
               OracleRow(OracleRow::Zero(2)));
  expect_equal("min, max, absmax, count, nans of nothing but NaN", extremes(none), only_nans);
  expect_equal("mean and std of nothing but NaN", spread(none), OracleRow(OracleRow::Zero(2)));
}

PROPERTY(tensor_stats, "lets infinities into min, max, absmax and the count") {
  Tensor4 x = draw_both_signs(draw);
  // One of each, so that whatever one does about mean and std, they are NaN.
  x.data()[0] = kInfinity;
  x.data()[x.size() - 1] = -kInfinity;
  const TensorStats got = ASK(tensor_stats, x), turned = ASK(tensor_stats, negated(x));
  OracleRow right{{-kInfinity, kInfinity, kInfinity, double(x.size()), 0.0}};
  const auto same = [&](const TensorStats& stats) {
    return (extremes(stats).array() == right.array()).all();
  };
  expect(same(got) && same(turned),
         "the first element is inf and the last -inf, or the other way round: expected min -inf, "
         "max inf, absmax inf, count " +
             std::to_string(x.size()) + " and no NaN, got " + to_text(extremes(got)) + " and " +
             to_text(extremes(turned)));
}

PROPERTY(tensor_stats, "gives 1, 2, 3, 4 the mean 2.5 and the deviation 1.118034") {
  Tensor4 x(1, 1, 2, 2);
  for (Index i = 0; i < 4; ++i) x.data()[i] = float(i + 1);
  const TensorStats got = ASK(tensor_stats, x);
  expect_near("mean", got.mean, 2.5, kDouble);
  expect_near("std", got.std, std::sqrt(1.25), kDouble);
}

// ---- 8.2 scale_latents -------------------------------------------------------------------------

/// A latent, a scale and a shift, all well away from what hides a mistake.
struct Scaling {
  Tensor4 z;
  LatentScale scale;
};

Scaling draw_scaling(Draw& draw) {
  const Index n = draw.size("N", 2, 3), c = draw.size("C", 1, 4);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  Scaling s{draw.tensor("z", n, c, h, w), {}};
  s.z.data()[0] = 2.5F;
  draw.show("first element of z", 2.5F);
  s.scale.scale = draw.number("scale", 0.1, 0.7);
  s.scale.shift = draw.number("shift", 0.3, 1.9);
  if (draw.integer("the scale is negative", 0, 3) == 0) s.scale.scale = -s.scale.scale;
  return s;
}

// Elements up to about 5, by at most 10.
constexpr Tolerance kLatent{1e-6, 1e-6, 50.0};

DEFINES(scale_latents, "is (z - shift) * scale") {
  const Scaling s = draw_scaling(draw);
  const Map expected =
      each(Map(s.z), [&](double v) { return (v - s.scale.shift) * s.scale.scale; });
  expect_near("z'", ASK(scale_latents, s.z, s.scale), expected, kLatent);
}

PROPERTY(scale_latents, "unscale_latents: is z' / scale + shift") {
  const Scaling s = draw_scaling(draw);
  const Map expected = each(Map(s.z), [&](double v) { return v / s.scale.scale + s.scale.shift; });
  expect_near("z", ASK(unscale_latents, s.z, s.scale), expected, kLatent);
}

PROPERTY(scale_latents, "takes 1 to 0.18215, 0.13025, 1.43729255 and 0.31924851") {
  const Tensor4 one = filled({1, 1, 1, 1}, 1.0F);
  struct Row {
    const char* name;
    LatentScale scale;
    double expected;
  };
  for (const Row& row :
       {Row{"Stable Diffusion 1", {0.18215, 0.0}, 0.18215}, Row{"SDXL", {0.13025, 0.0}, 0.13025},
        Row{"Stable Diffusion 3", {1.5305, 0.0609}, 1.43729255},
        Row{"Flux.1", {0.3611, 0.1159}, 0.31924851}}) {
    const Tensor4 there = ASK(scale_latents, one, row.scale);
    const Tensor4 back = ASK(unscale_latents, there, row.scale);
    expect_near(std::string("z', ") + row.name, there,
                each(Map(one), [&](double) { return row.expected; }), {2e-6, 0.0, 0.0});
    expect_near(std::string("z, ") + row.name, back, Map(one), {2e-6, 0.0, 0.0});
  }
}

PROPERTY(scale_latents, "leaves a tensor without elements its shape, either way") {
  const Index n = draw.size("N", 1, 3), c = draw.size("C", 1, 4), w = draw.size("W", 1, 4);
  const Tensor4 flat(n, c, 0, w), none(0, c, 1, w);
  const LatentScale scale{0.25, 0.5};
  expect_equal("z', no rows", ASK(scale_latents, flat, scale), flat);
  expect_equal("z', no samples", ASK(scale_latents, none, scale), none);
  expect_equal("z, no rows", ASK(unscale_latents, flat, scale), flat);
  expect_equal("z, no samples", ASK(unscale_latents, none, scale), none);
}

PROPERTY(scale_latents, "refuses a scale of 0 and numbers that are not finite") {
  const Scaling s = draw_scaling(draw);
  const auto reply = [&](double scale, double shift) {
    return REPLY(scale_latents, s.z, (LatentScale{scale, shift}));
  };
  const Reply zero = reply(0.0, 0.5), minus_zero = reply(-0.0, 0.0);
  const Reply infinite = reply(kInfinity, 0.5), nan = reply(kNoNumber, 0.5);
  const Reply far = reply(0.5, kInfinity), nowhere = reply(0.5, kNoNumber);
  expect_refused(zero, "the scale is 0");
  expect_refused(minus_zero, "the scale is -0");
  expect_refused(infinite, "the scale is infinite");
  expect_refused(nan, "the scale is NaN");
  expect_refused(far, "the shift is infinite");
  expect_refused(nowhere, "the shift is NaN");
}

PROPERTY(scale_latents, "unscale_latents: refuses the same") {
  const Scaling s = draw_scaling(draw);
  const auto reply = [&](double scale, double shift) {
    return REPLY(unscale_latents, s.z, (LatentScale{scale, shift}));
  };
  const Reply zero = reply(0.0, 0.5), minus_zero = reply(-0.0, 0.0);
  const Reply infinite = reply(kInfinity, 0.5), nan = reply(kNoNumber, 0.5);
  const Reply far = reply(0.5, kInfinity), nowhere = reply(0.5, kNoNumber);
  expect_refused(zero, "the scale is 0");
  expect_refused(minus_zero, "the scale is -0");
  expect_refused(infinite, "the scale is infinite");
  expect_refused(nan, "the scale is NaN");
  expect_refused(far, "the shift is infinite");
  expect_refused(nowhere, "the shift is NaN");
}

/// Several samples and channels, around 3, with a deviation that is not 1.
Tensor4 draw_latents(Draw& draw) {
  const Index n = draw.size("N", 2, 4), c = draw.size("C", 2, 4);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  Tensor4 z = draw.tensor("z, less what was added per channel", n, c, h, w, 0.5);
  // Samples and channels differ in mean: averages of their deviations are not the deviation.
  for (Index i = 0; i < z.size(); ++i) {
    z.data()[i] += 2.0F + 3.0F * float(i / (h * w) % c) + 2.0F * float(i / (c * h * w));
  }
  return draw.show("z", z);
}

PROPERTY(scale_latents, "fit_latent_scale: is one over the deviation of all elements, shift 0") {
  const Tensor4 z = draw_latents(draw);
  const LatentScale got = ASK(fit_latent_scale, z);
  expect_near("scale", got.scale, 1.0 / stats_oracle(Map(z).v).std, {1e-8, 0.0, 0.0});
  expect_near("shift", got.shift, 0.0, {0.0, 0.0, 0.0});
}

PROPERTY(scale_latents, "fit_latent_scale: refuses latents that are all the same, or none") {
  const Index n = draw.size("N", 1, 3), c = draw.size("C", 1, 4), w = draw.size("W", 1, 4);
  const Reply none = REPLY(fit_latent_scale, Tensor4(n, c, 0, w));
  const Reply nothing = REPLY(fit_latent_scale, Tensor4());
  const Reply same = REPLY(fit_latent_scale, Tensor4(n, c, 1, w, 1.5F));
  const Reply single = REPLY(fit_latent_scale, Tensor4(1, 1, 1, 1, -0.25F));
  expect_refused(none, "there are no rows");
  expect_refused(nothing, "there is nothing");
  expect_refused(same, "every element is 1.5");
  expect_refused(single, "there is a single element");
}

PROPERTY(scale_latents, "fit_latent_scale: refuses an element that is not finite") {
  Tensor4 z = draw_latents(draw);
  float& element = z.data()[draw.random().integer(0, z.size() - 1)];
  const auto reply = [&](float value) {
    element = value;
    return REPLY(fit_latent_scale, z);
  };
  const Reply nan = reply(kNoNumber), above = reply(kInfinity), below = reply(-kInfinity);
  element = kNoNumber;
  z.data()[0] = z.data()[z.size() - 1] = kNoNumber;
  const Reply more = REPLY(fit_latent_scale, z);
  expect_refused(nan, "an element is NaN");
  expect_refused(above, "an element is infinite");
  expect_refused(below, "an element is minus infinity");
  expect_refused(more, "several elements are NaN");
}

// ---- 8.3 patchify ------------------------------------------------------------------------------

/// From the flat index of a packed element to its place in the map, by division.
Map packed_oracle(const Tensor4& z) {
  Map packed(z.n(), 4 * z.c(), z.h() / 2, z.w() / 2);
  for (std::size_t at = 0; at < packed.v.size(); ++at) {
    const Index i = Index(at), column = i % packed.w, row = i / packed.w % packed.h,
                channel = i / (packed.w * packed.h) % packed.c,
                sample = i / (packed.w * packed.h * packed.c);
    packed.v[at] = z(sample, channel / 4, 2 * row + channel % 4 / 2, 2 * column + channel % 2);
  }
  return packed;
}

Tensor4 tensor_of(const Map& map) {
  Tensor4 x(map.n, map.c, map.h, map.w);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = float(map.v[std::size_t(i)]);
  return x;
}

/// A map of different numbers, at least 2 channels and 2x2 patches: a single row of patches lies in
/// memory as its quadrants do, and two wrong answers would look alike.
Tensor4 draw_even_map(Draw& draw) {
  const Index n = draw.size("N", 1, 3), c = draw.size("C", 2, 4);
  const Index h = 2 * draw.size("H/2", 2, 4), w = 2 * draw.size("W/2", 2, 4);
  Tensor4 z(n, c, h, w);
  const float first = float(draw.integer("first element", 1, 9));
  for (Index i = 0; i < z.size(); ++i) z.data()[i] = first + float(i);
  return z;
}

DEFINES(patchify, "element (n, c, 2h + i, 2w + j) becomes (n, 4c + 2i + j, h, w)") {
  const Tensor4 z = draw_even_map(draw);
  expect_equal("packed", ASK(patchify, z), packed_oracle(z));
}

PROPERTY(patchify, "unpatchify: brings each element back") {
  const Tensor4 z = draw_even_map(draw);
  expect_equal("z", ASK(unpatchify, tensor_of(packed_oracle(z))), z);
}

PROPERTY(patchify, "takes rows [0, 1, 2, 3] and [4, 5, 6, 7] to 0 2, 1 3, 4 6 and 5 7, and back") {
  Tensor4 z(1, 1, 2, 4), packed(1, 4, 1, 2);
  for (Index i = 0; i < 8; ++i) z.data()[i] = float(i);
  const std::array<float, 8> there{0, 2, 1, 3, 4, 6, 5, 7};
  std::copy(there.begin(), there.end(), packed.data());
  expect_equal("packed", ASK(patchify, z), packed);
  expect_equal("z", ASK(unpatchify, packed), z);
}

PROPERTY(patchify, "refuses a side that is odd") {
  const Index c = draw.size("C", 1, 3), h = draw.size("H/2", 1, 3), w = draw.size("W/2", 1, 3);
  const Reply rows = REPLY(patchify, Tensor4(1, c, 2 * h + 1, 2 * w, 1.0F));
  const Reply columns = REPLY(patchify, Tensor4(1, c, 2 * h, 2 * w + 1, 1.0F));
  expect_refused(rows, "the number of rows is odd");
  expect_refused(columns, "the number of columns is odd");
}

PROPERTY(patchify, "unpatchify: refuses channels that are no multiple of 4") {
  const Index c = 4 * draw.size("C/4", 1, 3), h = draw.size("H", 1, 3), w = draw.size("W", 1, 3);
  for (const Index extra : {1, 2, 3}) {
    const Reply reply = REPLY(unpatchify, Tensor4(1, c + extra, h, w, 1.0F));
    expect_refused(reply, "there are " + std::to_string(c + extra) + " channels");
  }
}

/// A map and statistics whose mean, variance and eps all count.
struct Normalizing {
  Tensor4 z;
  ChannelStats stats;
};

Normalizing draw_normalizing(Draw& draw) {
  const Index n = draw.size("N", 1, 3), c = draw.size("C", 2, 4);
  const Index h = draw.size("H", 1, 3), w = draw.size("W", 2, 4);
  Normalizing it{draw.tensor("z", n, c, h, w), {RowVector(c), RowVector(c), 0.0}};
  for (Index k = 0; k < c; ++k) {
    it.stats.mean(k) = float(draw.random().uniform(0.5, 1.0)) * float(k % 2 == 0 ? 1 : -2);
    it.stats.variance(k) = float(draw.random().uniform(0.2, 0.5)) * float(k % 2 == 0 ? 1 : 8);
  }
  draw.show("mean", it.stats.mean);
  draw.show("variance", it.stats.variance);
  it.stats.eps = draw.number("eps", 0.05, 0.2);
  return it;
}

Map normalized_oracle(const Normalizing& it, bool back) {
  Map x(it.z);
  for (Index i = 0; i < it.z.size(); ++i) {
    const Index channel = i / (x.h * x.w) % x.c;
    const double mean = it.stats.mean(channel);
    const double deviation = std::sqrt(double(it.stats.variance(channel)) + it.stats.eps);
    double& v = x.v[std::size_t(i)];
    v = back ? v * deviation + mean : (v - mean) / deviation;
  }
  return x;
}

constexpr Tolerance kNormal{2e-6, 1e-6, 16.0};

PROPERTY(patchify, "normalize_channels: is (z - mean) / sqrt(variance + eps), channel by channel") {
  const Normalizing it = draw_normalizing(draw);
  const Tensor4 got = ASK(normalize_channels, it.z, it.stats);
  expect_near("z'", got, normalized_oracle(it, false), kNormal);
}

PROPERTY(patchify, "denormalize_channels: is z' sqrt(variance + eps) + mean") {
  const Normalizing it = draw_normalizing(draw);
  const Tensor4 got = ASK(denormalize_channels, it.z, it.stats);
  expect_near("z", got, normalized_oracle(it, true), kNormal);
}

/// The statistics with one channel more or fewer in one of the two.
std::vector<ChannelStats> misfits(const ChannelStats& stats) {
  const Index c = stats.mean.size();
  const RowVector longer = RowVector::Ones(c + 1), shorter = RowVector::Ones(c - 1);
  return {{longer, stats.variance, stats.eps},
          {shorter, stats.variance, stats.eps},
          {stats.mean, longer, stats.eps},
          {stats.mean, shorter, stats.eps}};
}

/// The statistics with something under the root that has none, or nothing.
std::vector<ChannelStats> rootless(const ChannelStats& stats) {
  ChannelStats negative = stats, negative_eps = stats, zero = stats, tiny = stats;
  negative.variance(negative.variance.size() - 1) = -0.01F;  // with eps above it: the sum is fine
  negative.eps = 0.5;
  negative_eps.eps = -0.01;
  zero.variance(0) = 0.0F;
  zero.eps = 0.0;
  tiny.variance(tiny.variance.size() - 1) = 0.0F;
  tiny.eps = 0.0;
  return {negative, negative_eps, zero, tiny};
}

const char* const kMisfit[] = {"mean has one channel more", "mean has one channel fewer",
                               "variance has one channel more", "variance has one channel fewer"};
const char* const kRootless[] = {"a variance is -0.01", "eps is -0.01",
                                 "the first variance and eps are 0",
                                 "the last variance and eps are 0"};

PROPERTY(patchify, "normalize_channels: refuses statistics of another number of channels") {
  const Normalizing it = draw_normalizing(draw);
  std::vector<Reply> replies;
  for (const ChannelStats& bad : misfits(it.stats)) {
    replies.push_back(REPLY(normalize_channels, it.z, bad));
  }
  for (std::size_t i = 0; i < replies.size(); ++i) expect_refused(replies[i], kMisfit[i]);
}

PROPERTY(patchify, "normalize_channels: refuses a negative variance or eps, and 0 in both") {
  const Normalizing it = draw_normalizing(draw);
  std::vector<Reply> replies;
  for (const ChannelStats& bad : rootless(it.stats)) {
    replies.push_back(REPLY(normalize_channels, it.z, bad));
  }
  for (std::size_t i = 0; i < replies.size(); ++i) expect_refused(replies[i], kRootless[i]);
}

PROPERTY(patchify, "denormalize_channels: refuses the same statistics") {
  const Normalizing it = draw_normalizing(draw);
  std::vector<Reply> unfit, no_root;
  for (const ChannelStats& bad : misfits(it.stats)) {
    unfit.push_back(REPLY(denormalize_channels, it.z, bad));
  }
  for (const ChannelStats& bad : rootless(it.stats)) {
    no_root.push_back(REPLY(denormalize_channels, it.z, bad));
  }
  for (std::size_t i = 0; i < unfit.size(); ++i) expect_refused(unfit[i], kMisfit[i]);
  for (std::size_t i = 0; i < no_root.size(); ++i) expect_refused(no_root[i], kRootless[i]);
}

// ---- 8.4 latent_shape --------------------------------------------------------------------------

using Family = AutoencoderFamily;

struct KnownFamily {
  Family family;
  const char* name;
  LatentContract contract;
};

const std::array<KnownFamily, 5>& known_families() {
  static const std::array<KnownFamily, 5> all{{
      {Family::kSd1, "SD 1", {4, 8, 0.18215, 0.0, 1}},
      {Family::kSdxl, "SDXL", {4, 8, 0.13025, 0.0, 1}},
      {Family::kSd3, "SD 3", {16, 8, 1.5305, 0.0609, 1}},
      {Family::kFlux1, "Flux.1", {16, 8, 0.3611, 0.1159, 2}},
      {Family::kFlux2, "Flux.2", {32, 8, 1.0, 0.0, 2}},
  }};
  return all;
}

DEFINES(latent_shape, "unpacked: the family's channels, and an eighth of each side") {
  const Index rows = draw.size("H/8", 1, 90), columns = draw.size("W/8", 1, 90);
  for (const KnownFamily& known : known_families()) {
    for (const Index times : {1, 2}) {
      const Index h = times * rows, w = times * columns;
      const Shape got = ASK(latent_shape, known.family, 8 * h, 8 * w, false);
      expect_equal(std::string("shape, ") + known.name, got, Shape{known.contract.channels, h, w});
    }
  }
}

PROPERTY(latent_shape, "packed: four times the channels, half of each side, for Flux") {
  const Index rows = draw.size("H/16", 1, 90), columns = draw.size("W/16", 1, 90);
  const Shape first = ASK(latent_shape, Family::kFlux1, 16 * rows, 16 * columns, true);
  const Shape second = ASK(latent_shape, Family::kFlux2, 16 * rows, 16 * columns, true);
  expect_equal("shape, Flux.1", first, Shape{64, rows, columns});
  expect_equal("shape, Flux.2", second, Shape{128, rows, columns});
}

PROPERTY(latent_shape, "packed: changes nothing for a family without packing") {
  const Index rows = draw.size("H/8", 1, 90), columns = draw.size("W/8", 1, 90);
  for (std::size_t i = 0; i < 3; ++i) {
    const KnownFamily& known = known_families()[i];
    const Shape got = ASK(latent_shape, known.family, 8 * rows, 8 * columns, true);
    expect_equal(std::string("shape, ") + known.name, got,
                 Shape{known.contract.channels, rows, columns});
  }
}

PROPERTY(latent_shape, "latent_contract: holds channels, factor, scale, shift and packing") {
  const auto first = std::size_t(draw.integer("the first to be asked for", 0, 4));
  for (std::size_t i = 0; i < 5; ++i) {
    const KnownFamily& known = known_families()[(first + i) % 5];
    const LatentContract got = ASK(latent_contract, known.family);
    const std::string of = std::string(", ") + known.name;
    expect_equal("channels" + of, got.channels, known.contract.channels);
    expect_equal("factor" + of, got.factor, known.contract.factor);
    expect_near("scale" + of, got.scale, known.contract.scale, kDouble);
    expect_near("shift" + of, got.shift, known.contract.shift, kDouble);
    expect_equal("pack" + of, got.pack, known.contract.pack);
  }
}

PROPERTY(latent_shape, "both: refuse a number that is no family") {
  const auto beyond = static_cast<Family>(draw.integer("family", 5, 9));
  const auto before = static_cast<Family>(-1);
  const Reply contract = REPLY(latent_contract, beyond);
  const Reply negative = REPLY(latent_contract, before);
  const Reply shape = REPLY(latent_shape, beyond, Whole(64), Whole(64), false);
  const Reply other = REPLY(latent_shape, before, Whole(64), Whole(64), true);
  expect_refused(contract, "there are five families, from 0");
  expect_refused(negative, "there are five families, from 0; got -1");
  expect_refused(shape, "there are five families, from 0");
  expect_refused(other, "there are five families, from 0; got -1");
}

PROPERTY(latent_shape, "refuses a side below 1, multiple or not") {
  const Index rows = draw.size("H/8", 1, 90), columns = draw.size("W/8", 1, 90);
  const auto reply = [&](Whole h, Whole w) {
    return REPLY(latent_shape, Family::kSd1, h, w, false);
  };
  const Reply no_rows = reply(0, 8 * columns), no_columns = reply(8 * rows, 0);
  const Reply negative = reply(-8 * rows, 8 * columns), both = reply(-8 * rows, -8 * columns);
  expect_refused(no_rows, "there are no rows");
  expect_refused(no_columns, "there are no columns");
  expect_refused(negative, "the number of rows is negative");
  expect_refused(both, "both sides are negative");
}

PROPERTY(latent_shape, "refuses a side that is no multiple of 8") {
  const Index rows = draw.size("H/8", 1, 90), columns = draw.size("W/8", 1, 90);
  const Index odd = draw.integer("pixels too many", 1, 7);
  for (const KnownFamily& known : known_families()) {
    const Reply tall = REPLY(latent_shape, known.family, 8 * rows + odd, 8 * columns, false);
    const Reply wide = REPLY(latent_shape, known.family, 8 * rows, 8 * columns + odd, false);
    expect_refused(tall, std::string("the number of rows is no multiple of 8, ") + known.name);
    expect_refused(wide, std::string("the number of columns is no multiple of 8, ") + known.name);
  }
}

PROPERTY(latent_shape, "packed: refuses a side that is no multiple of 16") {
  const Index rows = draw.size("H/16", 1, 90), columns = draw.size("W/16", 1, 90);
  for (const Family family : {Family::kFlux1, Family::kFlux2}) {
    const Reply tall = REPLY(latent_shape, family, 16 * rows + 8, 16 * columns, true);
    const Reply wide = REPLY(latent_shape, family, 16 * rows, 16 * columns + 8, true);
    expect_refused(tall, "the number of rows is a multiple of 8 but not of 16");
    expect_refused(wide, "the number of columns is a multiple of 8 but not of 16");
  }
}

// ---- 8.5 conv_cost -----------------------------------------------------------------------------

/// A convolution whose every number counts.
struct Counting {
  Shape input;
  ConvGeometry conv;
  Whole bytes_per_value = 4;

  /// Positions along an axis of so many, by walking.
  Whole positions(Whole size) const {
    Whole count = 0;
    for (Whole at = -conv.padding; at + conv.kernel <= size + conv.padding; at += conv.stride) {
      ++count;
    }
    return count;
  }
  Whole outputs() const { return conv.out_channels * positions(input[2]) * positions(input[3]); }
  Whole seen() const { return input[1] / conv.groups * conv.kernel * conv.kernel; }
  Whole macs() const { return input[0] * outputs() * seen(); }
  Whole params() const {
    return conv.out_channels * seen() + (conv.has_bias ? conv.out_channels : 0);
  }
  Whole activation_bytes() const { return input[0] * outputs() * bytes_per_value; }
};

/// Two groups or three, a stride of 2 or 3, more samples than one.
Counting draw_counting(Draw& draw) {
  const Index groups = draw.size("groups", 2, 3), in = draw.size("Ci/groups", 2, 4),
              out = draw.size("Co/groups", 1, 4);
  Counting c{{draw.size("N", 2, 4), in * groups, draw.size("H", 5, 12), draw.size("W", 5, 12)},
             {out * groups, draw.size("k", 2, 4), draw.size("stride", 2, 3),
              draw.size("padding", 1, 3), groups, true},
             2};
  return c;
}

#define COST_OF(c) ASK(conv_cost, (c).input, (c).conv, (c).bytes_per_value)
#define COST_REPLY(c) REPLY(conv_cost, (c).input, (c).conv, (c).bytes_per_value)

DEFINES(conv_cost, "MACs: N Co Ho Wo (Ci / groups) k^2") {
  Counting c = draw_counting(draw);
  expect_equal("macs", COST_OF(c).macs, c.macs());
  c.conv.groups = 1;
  c.conv.stride = 1;
  expect_equal("macs, one group and stride 1", COST_OF(c).macs, c.macs());
}

PROPERTY(conv_cost, "FLOPs: two for each MAC, in both functions") {
  const Counting c = draw_counting(draw);
  const LayerCost got = COST_OF(c), attention = ASK(attention_cost, c.input, Whole(4));
  expect_equal("flops, against macs of the same answer", got.flops, 2 * got.macs);
  expect_equal("flops of the attention", attention.flops, 2 * attention.macs);
}

PROPERTY(conv_cost, "params: the weights, and a bias per output channel if there are biases") {
  Counting c = draw_counting(draw);
  expect_equal("params", COST_OF(c).params, c.params());
  c.conv.has_bias = false;
  expect_equal("params, no biases", COST_OF(c).params, c.params());
}

PROPERTY(conv_cost, "activation_bytes: of the output, in bytes of the given type") {
  Counting c = draw_counting(draw);
  expect_equal("activation_bytes, fp16", COST_OF(c).activation_bytes, c.activation_bytes());
  c.bytes_per_value = 4;
  expect_equal("activation_bytes, fp32", COST_OF(c).activation_bytes, c.activation_bytes());
}

PROPERTY(conv_cost, "counts beyond 32 bits, in both functions") {
  const Index side = 512 * draw.size("H/512", 1, 3);
  const Counting c{{1, 512, side, 1024}, {512, 3, 1, 1, 1, true}, 4};
  const Counting d{{8, 128, 2048, 2048}, {128, 3, 1, 1, 1, true}, 4};
  const LayerCost attention = ASK(attention_cost, (Shape{1, 4, 256, side}), Whole(4));
  const Whole n = 256 * side;
  expect_equal("macs", COST_OF(c).macs, c.macs());
  expect_equal("activation_bytes", COST_OF(d).activation_bytes, d.activation_bytes());
  expect_equal("activation_bytes of the attention", attention.activation_bytes, 4 * n * n);
  expect_equal("macs of the attention", attention.macs, 64 * n + 8 * n * n);
}

/// MACs of a TAESD encoder and decoder, from the answers: z channels, and with pools or without.
struct TaeMacs {
  std::vector<std::pair<int, Counting>> encoder, decoder;  // how many there are of it, and which
};

TaeMacs tae_layers(Whole side, Whole z, bool pools) {
  const auto conv = [](Whole in, Whole out, Whole at, Whole k, Whole stride) {
    return Counting{{1, in, at, at}, {out, k, stride, k / 2, 1, true}, 4};
  };
  TaeMacs layers;
  layers.encoder = {{1, conv(3, 64, side, 3, 1)}, {1, conv(64, z, side / 8, 3, 1)}};
  layers.decoder = {{1, conv(64, 3, side, 3, 1)}, {1, conv(z, 64, side / 8, 3, 1)}};
  for (const Whole shrink : {1, 2, 4, 8}) {
    const Whole at = side / shrink;
    // A block is three convolutions; at the largest size there is one block, elsewhere are three.
    const int blocks = shrink == 1 ? 1 : 3;
    layers.encoder.push_back({3 * blocks, conv(64, 64, at, 3, 1)});
    layers.decoder.push_back({3 * blocks, conv(64, 64, at, 3, 1)});
    if (shrink < 8) layers.encoder.push_back({1, conv(64, 64, at, 3, 2)});
    if (shrink < 8) layers.decoder.push_back({1, conv(64, 64, at, 3, 1)});
  }
  if (pools) {
    for (auto* list : {&layers.encoder, &layers.decoder}) {
      list->push_back({3, conv(64, 256, side / 8, 1, 1)});
      list->push_back({3, conv(256, 64, side / 8, 1, 1)});
    }
  }
  return layers;
}

PROPERTY(conv_cost, "adds up to 15.408 and 17.786 GMAC for TAEF2, 61.162 and 70.675 for TAESD") {
  const auto total = [&](const std::vector<std::pair<int, Counting>>& layers) {
    Whole sum = 0;
    for (const auto& [times, layer] : layers) sum += times * COST_OF(layer).macs;
    return double(sum) / 1e9;
  };
  const TaeMacs small = tae_layers(256, 32, true), large = tae_layers(512, 4, false);
  constexpr Tolerance kThreeDecimals{0.0, 5e-4, 0.0};
  expect_near("GMAC of TAEF2's encoder at 256x256", total(small.encoder), 15.408, kThreeDecimals);
  expect_near("GMAC of TAEF2's decoder at 256x256", total(small.decoder), 17.786, kThreeDecimals);
  expect_near("GMAC of TAESD's encoder at 512x512", total(large.encoder), 61.162, kThreeDecimals);
  expect_near("GMAC of TAESD's decoder at 512x512", total(large.decoder), 70.675, kThreeDecimals);
}

PROPERTY(conv_cost, "attention_cost: 4 n C^2 and 2 n^2 C MACs per sample, n = H W") {
  const Index samples = draw.size("N", 2, 4), c = draw.size("C", 2, 6);
  const Index h = draw.size("H", 2, 7), w = draw.size("W", 2, 7);
  const Whole n = h * w;
  const LayerCost got = ASK(attention_cost, (Shape{samples, c, h, w}), Whole(2));
  expect_equal("macs", got.macs, samples * (4 * n * c * c + 2 * n * n * c));
  expect_equal("params", got.params, 4 * (c * c + c));
  expect_equal("activation_bytes", got.activation_bytes, samples * n * n * 2);
}

PROPERTY(conv_cost, "attention_cost: 1 GiB of scores and 274.9 GMAC of products at 128x128x512") {
  const LayerCost got = ASK(attention_cost, (Shape{1, 512, 128, 128}), Whole(4));
  const Whole projections = Whole(4) * 16384 * 512 * 512;
  expect_equal("activation_bytes", got.activation_bytes, Whole(1) << 30);
  expect_near("GMAC of the products", double(got.macs - projections) / 1e9, 274.9,
              {0.0, 0.05, 0.0});
}

PROPERTY(conv_cost, "refuses an input that is not four sizes of at least 1") {
  const Counting c = draw_counting(draw);
  const auto reply = [&](const Shape& shape) {
    return REPLY(conv_cost, shape, c.conv, c.bytes_per_value);
  };
  const Shape& s = c.input;
  const Reply three = reply({s[1], s[2], s[3]}), five = reply({s[0], s[1], s[2], s[3], 1});
  const Reply no_samples = reply({0, s[1], s[2], s[3]}), no_channels = reply({s[0], 0, s[2], s[3]});
  const Reply negative = reply({-1, s[1], s[2], s[3]});
  expect_refused(three, "the shape has three sizes");
  expect_refused(five, "the shape has five sizes");
  expect_refused(no_samples, "there are no samples");
  expect_refused(no_channels, "there are no channels");
  expect_refused(negative, "the number of samples is -1");
}

PROPERTY(conv_cost, "refuses groups that do not divide both numbers of channels") {
  const Counting c = draw_counting(draw);
  Counting in = c, out = c, none = c, negative = c;
  in.input[1] += 1;
  out.conv.out_channels += 1;
  none.conv.groups = 0;
  negative.conv.groups = -1;
  const Reply of_input = COST_REPLY(in), of_output = COST_REPLY(out);
  const Reply zero = COST_REPLY(none), below = COST_REPLY(negative);
  expect_refused(of_input, "groups do not divide the channels of the input");
  expect_refused(of_output, "groups do not divide the channels of the output");
  expect_refused(zero, "there are 0 groups");
  expect_refused(below, "there are -1 groups");
}

PROPERTY(conv_cost, "refuses less than one byte per value, or less than one output channel") {
  const Counting c = draw_counting(draw);
  Counting no_bytes = c, negative_bytes = c, no_output = c, negative_output = c;
  no_bytes.bytes_per_value = 0;
  negative_bytes.bytes_per_value = -4;
  no_output.conv.out_channels = 0;
  negative_output.conv.out_channels = -c.conv.groups;
  const Reply zero = COST_REPLY(no_bytes), below = COST_REPLY(negative_bytes);
  const Reply none = COST_REPLY(no_output), negative = COST_REPLY(negative_output);
  expect_refused(zero, "a value has 0 bytes");
  expect_refused(below, "a value has -4 bytes");
  expect_refused(none, "there are 0 output channels");
  expect_refused(negative, "the number of output channels is negative");
}

PROPERTY(conv_cost, "refuses a kernel, stride or padding that conv2d_out refuses") {
  const Counting c = draw_counting(draw);
  Counting tall = c, wide = c, still = c, negative = c;
  tall.conv.kernel = c.input[2] + 2 * c.conv.padding + 1;
  tall.input[3] = tall.conv.kernel + 1;
  wide.conv.kernel = c.input[3] + 2 * c.conv.padding + 1;
  wide.input[2] = wide.conv.kernel + 1;
  still.conv.stride = 0;
  negative.conv.padding = -1;
  const Reply rows = COST_REPLY(tall), columns = COST_REPLY(wide);
  const Reply stride = COST_REPLY(still), padding = COST_REPLY(negative);
  expect_refused(rows, "the kernel is longer than the padded rows");
  expect_refused(columns, "the kernel is longer than the padded columns");
  expect_refused(stride, "the stride is 0");
  expect_refused(padding, "the padding is -1");
}

PROPERTY(conv_cost, "attention_cost: refuses the same inputs and bytes") {
  const Index c = draw.size("C", 1, 6), h = draw.size("H", 1, 6), w = draw.size("W", 1, 6);
  const auto reply = [&](const Shape& shape, Whole bytes) {
    return REPLY(attention_cost, shape, bytes);
  };
  const Reply three = reply({c, h, w}, 4), five = reply({1, c, h, w, 1}, 4);
  const Reply none = reply({1, c, 0, w}, 4), negative = reply({1, c, -h, -w}, 4);
  const Reply no_bytes = reply({1, c, h, w}, 0), minus = reply({1, c, h, w}, -4);
  expect_refused(three, "the shape has three sizes");
  expect_refused(five, "the shape has five sizes");
  expect_refused(none, "there are no rows");
  expect_refused(negative, "two sizes are negative, whose product is not");
  expect_refused(no_bytes, "a value has 0 bytes");
  expect_refused(minus, "a value has -4 bytes");
}

// ---- 8.6 peak_activation_bytes -----------------------------------------------------------------

struct Graph {
  Whole input_bytes = 0;
  std::vector<GraphStep> steps;

  Whole size_of(std::size_t tensor) const {
    return tensor == 0 ? input_bytes : steps[tensor - 1].output_bytes;
  }
};

/// For each step, asks each tensor whether it is there and whether anybody still wants it.
Wholes live_oracle(const Graph& graph) {
  Wholes live;
  for (std::size_t i = 0; i < graph.steps.size(); ++i) {
    Whole sum = graph.size_of(i + 1);
    for (std::size_t tensor = 0; tensor <= i; ++tensor) {
      bool wanted = false;
      for (std::size_t later = i; later < graph.steps.size(); ++later) {
        const Wholes& inputs = graph.steps[later].inputs;
        wanted = wanted || std::count(inputs.begin(), inputs.end(), Whole(tensor)) > 0;
      }
      sum += wanted ? graph.size_of(tensor) : 0;
    }
    live.push_back(sum);
  }
  return live;
}

/// A chain with skips: each step reads the newest tensor and sometimes an older one; step 3 reads
/// tensor 1, the last one the input again.
Graph draw_graph(Draw& draw) {
  const Index steps = draw.size("steps", 4, 7);
  Graph graph{draw.integer("input_bytes", 1, 900), {}};
  for (Index i = 0; i < steps; ++i) {
    GraphStep step{{i}, draw.random().integer(1, 900)};
    if (i >= 2 && i != 3 && draw.random().integer(0, 1) == 0) {
      step.inputs.push_back(draw.random().integer(1, i - 1));
    }
    if (i == 3) step.inputs.push_back(1);
    if (i == steps - 1) step.inputs.insert(step.inputs.begin(), 0);
    graph.steps.push_back(step);
  }
  draw.show("steps", graph.steps);
  return graph;
}

#define MEMORY_OF(g) ASK(peak_activation_bytes, (g).input_bytes, (g).steps)
#define MEMORY_REPLY(g) REPLY(peak_activation_bytes, (g).input_bytes, (g).steps)

DEFINES(peak_activation_bytes, "live: what a step reads and makes, and what later steps read") {
  const Graph graph = draw_graph(draw);
  expect_equal("live", MEMORY_OF(graph).live, live_oracle(graph));
}

PROPERTY(peak_activation_bytes, "peak_bytes: the largest of live") {
  const Graph graph = draw_graph(draw);
  const ActivationMemory got = MEMORY_OF(graph);
  expect(!got.live.empty(), "live: expected a number per step, got none");
  expect_equal("peak_bytes, against live of the same answer", got.peak_bytes,
               *std::max_element(got.live.begin(), got.live.end()));
}

PROPERTY(peak_activation_bytes, "peak_step: the first step at which the peak is reached") {
  const Index steps = draw.size("steps", 4, 8);
  const Whole bytes = draw.integer("bytes of every tensor", 1, 900);
  Graph graph{1, {}};
  for (Index i = 0; i < steps; ++i) graph.steps.push_back({{i}, bytes});
  for (const Whole input : {Whole(1), 2 * bytes}) {
    graph.input_bytes = draw.show("input_bytes", input);
    const ActivationMemory got = MEMORY_OF(graph);
    const auto first = std::max_element(got.live.begin(), got.live.end());
    expect_equal("peak_step, against live of the same answer", got.peak_step,
                 Whole(first - got.live.begin()));
  }
}

PROPERTY(peak_activation_bytes, "frees a tensor that nobody reads behind the step that made it") {
  const Index steps = draw.size("steps", 3, 6);
  Graph graph{draw.integer("input_bytes", 1, 900), {}};
  for (Index i = 0; i < steps; ++i) {
    graph.steps.push_back({{0}, draw.random().integer(1, 900)});
  }
  draw.show("steps", graph.steps);
  expect_equal("live, every step reads the input alone", MEMORY_OF(graph).live, live_oracle(graph));
}

PROPERTY(peak_activation_bytes, "counts a tensor once that a step reads twice") {
  const Index steps = draw.size("steps", 2, 5);
  Graph graph{draw.integer("input_bytes", 1, 900), {}};
  for (Index i = 0; i < steps; ++i) {
    graph.steps.push_back({{i, i}, draw.random().integer(1, 900)});
  }
  draw.show("steps", graph.steps);
  expect_equal("live", MEMORY_OF(graph).live, live_oracle(graph));
}

PROPERTY(peak_activation_bytes, "counts tensors without bytes, and bytes beyond 32 bits") {
  const Whole large = draw.integer("GiB", 3, 9) << 30;
  const Graph graph{large, {{{0}, 0}, {{0, 1}, large}, {{2}, 0}}};
  const Graph nothing{0, {{{0}, 0}, {{1}, 0}}};
  const ActivationMemory got = MEMORY_OF(graph), none = MEMORY_OF(nothing);
  expect_equal("live", got.live, Wholes{large, 2 * large, large});
  expect_equal("live, all sizes 0", none.live, Wholes{0, 0});
}

PROPERTY(peak_activation_bytes, "holds 48 MiB inside of a residual block on 64 maps of 256x256") {
  constexpr Whole kMap = Whole(4) * 64 * 256 * 256;
  Graph block{kMap, {}};
  for (const Wholes& inputs : {Wholes{0}, {1}, {2}, {3}, {4}, {0, 5}, {6}}) {
    block.steps.push_back({inputs, kMap});
  }
  Wholes live;
  for (const Whole mebibytes : {32, 48, 48, 48, 48, 48, 32}) live.push_back(mebibytes << 20);
  expect_equal("live", MEMORY_OF(block).live, live);
}

PROPERTY(peak_activation_bytes, "refuses a computation without steps") {
  const Whole bytes = draw.integer("input_bytes", 1, 900);
  const Reply some = REPLY(peak_activation_bytes, bytes, std::vector<GraphStep>{});
  const Reply none = REPLY(peak_activation_bytes, Whole(0), std::vector<GraphStep>{});
  expect_refused(some, "there is no step");
  expect_refused(none, "there is no step, and the input has no bytes");
}

PROPERTY(peak_activation_bytes, "refuses a negative size") {
  Graph graph = draw_graph(draw);
  Graph input = graph;
  input.input_bytes = -1;
  graph.steps[draw.id().seed % graph.steps.size()].output_bytes = -1;
  const Reply first = MEMORY_REPLY(input), other = MEMORY_REPLY(graph);
  expect_refused(first, "input_bytes is -1");
  expect_refused(other, "a step makes -1 bytes");
}

PROPERTY(peak_activation_bytes, "refuses a step that reads nothing") {
  Graph first = draw_graph(draw), last = first;
  first.steps.front().inputs.clear();
  last.steps.back().inputs.clear();
  const Reply at_first = MEMORY_REPLY(first), at_last = MEMORY_REPLY(last);
  expect_refused(at_first, "the first step reads nothing");
  expect_refused(at_last, "the last step reads nothing");
}

PROPERTY(peak_activation_bytes, "refuses a step that reads a tensor which is not there yet") {
  Graph own = draw_graph(draw), later = own, negative = own;
  own.steps[1].inputs.push_back(2);
  later.steps[0].inputs.push_back(Whole(own.steps.size()));
  negative.steps[1].inputs.push_back(-1);
  const Reply its_own = MEMORY_REPLY(own), too_late = MEMORY_REPLY(later);
  const Reply below = MEMORY_REPLY(negative);
  expect_refused(its_own, "step 1 reads tensor 2, which it makes");
  expect_refused(too_late, "step 0 reads the last tensor");
  expect_refused(below, "step 1 reads tensor -1");
}

// ---- 8.7 tae_block -----------------------------------------------------------------------------

Map conv_oracle(const Map& x, const Tensor4& weight, const RowVector& bias, Whole stride) {
  const Index k = weight.h(), pad = k / 2;
  Map y(x.n, weight.n(), (x.h + 2 * pad - k) / stride + 1, (x.w + 2 * pad - k) / stride + 1);
  for (Index n = 0; n < y.n; ++n) {
    for (Index o = 0; o < y.c; ++o) {
      for (Index i = 0; i < y.h; ++i) {
        for (Index j = 0; j < y.w; ++j) {
          double sum = bias.size() == 0 ? 0.0 : double(bias(o));
          for (Index c = 0; c < x.c; ++c) {
            for (Index at = 0; at < k * k; ++at) {
              const Index row = stride * i + at / k - pad, column = stride * j + at % k - pad;
              if (row < 0 || row >= x.h || column < 0 || column >= x.w) continue;
              sum += double(weight(o, c, at / k, at % k)) * x.at(n, c, row, column);
            }
          }
          y.at(n, o, i, j) = sum;
        }
      }
    }
  }
  return y;
}

Map conv_oracle(const Map& x, const ConvLayer& conv) {
  return conv_oracle(x, conv.weight, conv.bias, conv.stride);
}

Map relu_oracle(Map x) {
  return each(std::move(x), [](double v) { return v > 0.0 ? v : 0.0; });
}

Map sum_oracle(Map x, const Map& y) {
  for (std::size_t i = 0; i < x.v.size(); ++i) x.v[i] += y.v[i];
  return x;
}

/// GroupNorm over 4 groups with eps 1e-5; notes the smallest variance it met.
Map norm_oracle(Map x, const RowVector& gamma, const RowVector& beta, double& least_variance) {
  const Index channels = x.c / 4;
  for (Index n = 0; n < x.n; ++n) {
    for (Index group = 0; group < 4; ++group) {
      std::vector<double*> members;
      std::vector<Index> channel_of;
      for (Index c = group * channels; c < (group + 1) * channels; ++c) {
        for (Index i = 0; i < x.h * x.w; ++i) {
          members.push_back(&x.at(n, c, i / x.w, i % x.w));
          channel_of.push_back(c);
        }
      }
      double mean = 0.0, variance = 0.0;
      for (const double* v : members) mean += *v / double(members.size());
      for (const double* v : members) {
        variance += (*v - mean) * (*v - mean) / double(members.size());
      }
      least_variance = std::min(least_variance, variance);
      for (std::size_t i = 0; i < members.size(); ++i) {
        *members[i] =
            double(gamma(channel_of[i])) * (*members[i] - mean) / std::sqrt(variance + 1e-5) +
            double(beta(channel_of[i]));
      }
    }
  }
  return x;
}

Map block_oracle(const Map& x, const TaeBlock& block, double& least_variance) {
  Map start = x;
  if (block.pool.widen.size() > 0) {
    const Map wide = norm_oracle(conv_oracle(x, block.pool.widen, {}, 1), block.pool.gamma,
                                 block.pool.beta, least_variance);
    start = sum_oracle(x, conv_oracle(relu_oracle(wide), block.pool.narrow, {}, 1));
  }
  Map y = relu_oracle(conv_oracle(start, block.first));
  y = relu_oracle(conv_oracle(y, block.second));
  return relu_oracle(sum_oracle(start, conv_oracle(y, block.third)));
}

Map upsampled_oracle(const Map& x) {
  Map y(x.n, x.c, 2 * x.h, 2 * x.w);
  for (Index n = 0; n < y.n; ++n) {
    for (Index c = 0; c < y.c; ++c) {
      for (Index i = 0; i < y.h * y.w; ++i) {
        y.at(n, c, i / y.w, i % y.w) = x.at(n, c, i / y.w / 2, i % y.w / 2);
      }
    }
  }
  return y;
}

Map layer_oracle(const Map& x, const TaeLayer& layer, double& least_variance) {
  switch (layer.kind) {
    case LayerKind::kConv:
      return conv_oracle(x, layer.conv);
    case LayerKind::kRelu:
      return relu_oracle(x);
    case LayerKind::kClamp:
      return each(x, [](double v) { return 3.0 * std::tanh(v / 3.0); });
    case LayerKind::kBlock:
      return block_oracle(x, layer.block, least_variance);
    case LayerKind::kUpsample:
      break;
  }
  return upsampled_oracle(x);
}

/// Weights that let the values neither grow nor vanish.
ConvLayer random_conv(Draw& draw, Index out, Index in, Index k, Whole stride = 1) {
  const double scale = 1.0 / std::sqrt(double(in * k * k));
  ConvLayer conv{Tensor4(out, in, k, k), RowVector(out), stride};
  for (Index i = 0; i < conv.weight.size(); ++i) {
    conv.weight.data()[i] = float(scale * draw.random().normal());
  }
  for (Index i = 0; i < out; ++i) conv.bias(i) = float(0.3 * draw.random().normal());
  return conv;
}

TaePool random_pool(Draw& draw, Index c) {
  TaePool pool{random_conv(draw, 4 * c, c, 1).weight, RowVector(4 * c), RowVector(4 * c),
               random_conv(draw, c, 4 * c, 1).weight};
  for (Index i = 0; i < 4 * c; ++i) {
    pool.gamma(i) = float(draw.random().uniform(0.5, 1.5));
    pool.beta(i) = float(draw.random().uniform(0.2, 0.8));
  }
  return pool;
}

TaeBlock random_block(Draw& draw, Index c, bool pooled) {
  TaeBlock block;
  if (pooled) block.pool = random_pool(draw, c);
  block.first = random_conv(draw, c, c, 3);
  block.second = random_conv(draw, c, c, 3);
  block.third = random_conv(draw, c, c, 3);
  // Negative enough in places that a ReLU before the addition, or none behind it, shows.
  for (Index i = 0; i < c; ++i) block.third.bias(i) = -std::abs(block.third.bias(i)) - 0.3F;
  return block;
}

TaeLayer layer_of(LayerKind kind) {
  TaeLayer layer;
  layer.kind = kind;
  return layer;
}

TaeLayer layer_of(const ConvLayer& conv) {
  TaeLayer layer = layer_of(LayerKind::kConv);
  layer.conv = conv;
  return layer;
}

TaeLayer layer_of(const TaeBlock& block) {
  TaeLayer layer = layer_of(LayerKind::kBlock);
  layer.block = block;
  return layer;
}

/// A tolerance for what a few convolutions in float make of values up to `largest`.
Tolerance convolved(const Map& expected) {
  return {2e-5, 1e-6, 4.0 * expected.largest()};
}

/// A map on both sides of 0 and a block for it.
struct BlockCase {
  Tensor4 x;
  TaeBlock block;
  Map expected{0, 0, 0, 0};
};

/// Redrawn until no group of the norm is so even that rounding would be blown up.
BlockCase draw_block_case(Draw& draw, bool pooled, Index least_samples = 1) {
  const Index n = draw.size("N", least_samples, least_samples + 1), c = draw.size("C", 2, 3);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 2, 4);
  BlockCase it;
  for (double least = 0.0; least < 0.01;) {
    it.x = Tensor4(n, c, h, w);
    for (Index i = 0; i < it.x.size(); ++i) it.x.data()[i] = float(draw.random().normal());
    it.x.data()[0] = -2.0F;
    it.block = random_block(draw, c, pooled);
    least = 1.0;
    it.expected = block_oracle(Map(it.x), it.block, least);
  }
  draw.show("x", it.x);
  draw.show("block", it.block);
  return it;
}

DEFINES(tae_block, "is relu(x + f3(relu(f2(relu(f1(x)))))), where there is no pool") {
  const BlockCase it = draw_block_case(draw, false);
  expect_near("y", ASK(tae_block, it.x, it.block), it.expected, convolved(it.expected));
}

/// A block whose convolutions are all 0: what is left is relu(x').
void leave_the_pool(BlockCase& it) {
  const Index c = it.x.c();
  it.block.first = it.block.second = it.block.third = {Tensor4(c, c, 3, 3), RowVector::Zero(c), 1};
  double least = 1.0;
  it.expected = block_oracle(Map(it.x), it.block, least);
}

PROPERTY(tae_block, "with a pool, takes x + W2 relu(GroupNorm(W1 x)) in place of x") {
  BlockCase it = draw_block_case(draw, true, 2);
  for (ConvLayer* conv : {&it.block.first, &it.block.second, &it.block.third}) conv->bias.setZero();
  double least = 1.0;
  const Map expected = block_oracle(Map(it.x), it.block, least);
  const Tensor4 got = ASK(tae_block, it.x, it.block);
  leave_the_pool(it);
  expect_near("y, without biases", got, expected, convolved(expected));
  expect_near("y, with convolutions that are 0", ASK(tae_block, it.x, it.block), it.expected,
              convolved(it.expected));
}

PROPERTY(tae_block, "with a pool, has GroupNorm add 1e-5 under the root") {
  BlockCase it = draw_block_case(draw, true);
  // One sample, with variances around 1e-5: eps is half of what stands under the root.
  Tensor4 one(1, it.x.c(), it.x.h(), it.x.w());
  for (Index i = 0; i < one.size(); ++i) one.data()[i] = 0.003F * it.x.data()[i];
  it.x = draw.show("x, one sample of it, made small", one);
  leave_the_pool(it);
  expect_near("y, with convolutions that are 0", ASK(tae_block, it.x, it.block), it.expected,
              convolved(it.expected));
}

PROPERTY(tae_block, "passes relu(x) on where all weights are 0") {
  BlockCase it = draw_block_case(draw, false);
  const Index c = it.x.c();
  it.block.first = it.block.second = it.block.third = {Tensor4(c, c, 3, 3), RowVector::Zero(c), 1};
  expect_near("y", ASK(tae_block, it.x, it.block), relu_oracle(Map(it.x)), {0.0, 1e-6, 0.0});
}

PROPERTY(tae_block, "refuses weights for another number of channels") {
  const BlockCase it = draw_block_case(draw, false);
  const Index c = it.x.c();
  TaeBlock into = it.block, through = it.block, out = it.block, longer = it.block;
  into.first = random_conv(draw, c, c + 1, 3);
  through.second = random_conv(draw, c, c + 1, 3);
  out.third = random_conv(draw, c + 1, c, 3);
  longer.second.bias = RowVector::Ones(c + 1);
  const Reply first = REPLY(tae_block, it.x, into), second = REPLY(tae_block, it.x, through);
  const Reply third = REPLY(tae_block, it.x, out), bias = REPLY(tae_block, it.x, longer);
  expect_refused(first, "the first convolution takes one channel more than x has");
  expect_refused(second, "the second convolution takes one channel more than the first makes");
  expect_refused(third, "the third convolution makes one channel more than is added to it");
  expect_refused(bias, "the second convolution has one bias more than channels");
}

PROPERTY(tae_block, "refuses a single channel to add to many, and a branch of another size") {
  const BlockCase it = draw_block_case(draw, false);
  const Index c = it.x.c();
  TaeBlock one = it.block, smaller = it.block;
  one.third = random_conv(draw, 1, c, 3);
  smaller.third.stride = 2;
  const Reply single = REPLY(tae_block, it.x, one), strided = REPLY(tae_block, it.x, smaller);
  expect_refused(single, "the third convolution makes one channel, which is added to several");
  expect_refused(strided,
                 "the third convolution has a stride of 2, x is larger than what it makes");
}

PROPERTY(tae_block, "run_layer: convolves with padding k / 2 and the layer's stride") {
  const Index n = draw.size("N", 1, 2), in = draw.size("Ci", 1, 3), out = draw.size("Co", 1, 3);
  const Index h = draw.size("H", 3, 6), w = draw.size("W", 3, 6), k = draw.size("k", 1, 5);
  const Tensor4 x = draw.tensor("x", n, in, h, w);
  for (const Whole stride : {1, 2}) {
    for (const Index kernel : {k, Index(2), Index(3)}) {
      const ConvLayer conv = draw.show("conv", random_conv(draw, out, in, kernel, stride));
      const Map expected = conv_oracle(Map(x), conv);
      expect_near("y, kernel " + std::to_string(kernel) + ", stride " + std::to_string(stride),
                  ASK(run_layer, x, layer_of(conv)), expected, convolved(expected));
    }
  }
}

PROPERTY(tae_block, "run_layer: clamps softly, 3 tanh(x / 3)") {
  const Index n = draw.size("N", 1, 2), c = draw.size("C", 1, 4);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  Tensor4 x = draw.tensor("x", n, c, h, w, 3.0);
  x.data()[0] = 4.0F;
  const Map expected = each(Map(x), [](double v) { return 3.0 * std::tanh(v / 3.0); });
  const Tensor4 got = ASK(run_layer, x, layer_of(LayerKind::kClamp));
  expect_near("y", got, expected, {2e-6, 1e-6, 3.0});
}

PROPERTY(tae_block, "run_layer: takes negative values to 0, or every value to four") {
  const Index n = draw.size("N", 1, 2), c = draw.size("C", 1, 4);
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4);
  Tensor4 x = draw.tensor("x", n, c, h, w);
  x.data()[0] = -1.5F;
  x.data()[x.size() - 1] = -2.5F;
  const Tensor4 positive = ASK(run_layer, x, layer_of(LayerKind::kRelu));
  const Tensor4 larger = ASK(run_layer, x, layer_of(LayerKind::kUpsample));
  expect_near("y of a ReLU", positive, relu_oracle(Map(x)), {0.0, 1e-6, 0.0});
  expect_near("y of an upsampling", larger, upsampled_oracle(Map(x)), {0.0, 1e-6, 0.0});
}

PROPERTY(tae_block, "run_layer: runs a block, pool and all") {
  for (const bool pooled : {false, true}) {
    const BlockCase it = draw_block_case(draw, pooled);
    const Tensor4 got = ASK(run_layer, it.x, layer_of(it.block));
    expect_near("y", got, it.expected, convolved(it.expected));
  }
}

PROPERTY(tae_block, "run_layer: refuses weights that do not fit") {
  const Index c = draw.size("C", 1, 3), h = draw.size("H", 3, 5), w = draw.size("W", 3, 5);
  const Tensor4 x = draw.tensor("x", 1, c, h, w);
  const auto reply = [&](const ConvLayer& conv) { return REPLY(run_layer, x, layer_of(conv)); };
  ConvLayer biased = random_conv(draw, 2, c, 3), still = random_conv(draw, 2, c, 3);
  biased.bias = RowVector::Ones(3);
  still.stride = 0;
  const Reply more = reply(random_conv(draw, 2, c + 1, 3));
  const Reply bias = reply(biased), stride = reply(still);
  expect_refused(more, "the convolution takes one channel more than x has");
  expect_refused(bias, "there are three biases for two channels");
  expect_refused(stride, "the stride is 0");
}

PROPERTY(tae_block, "run_layer: refuses a number that is no kind of layer") {
  const Index c = draw.size("C", 1, 3), h = draw.size("H", 1, 3), w = draw.size("W", 1, 3);
  const Tensor4 x = draw.tensor("x", 1, c, h, w);
  const Reply beyond = REPLY(run_layer, x, layer_of(static_cast<LayerKind>(5)));
  const Reply before = REPLY(run_layer, x, layer_of(static_cast<LayerKind>(-1)));
  expect_refused(beyond, "there are five kinds, from 0; got 5");
  expect_refused(before, "there are five kinds, from 0; got -1");
}

// ---- 8.8 trace_autoencoder ---------------------------------------------------------------------

/// An encoder and a decoder that have one of everything, and what a trace of them should say.
struct TraceCase {
  Tensor4 image;
  std::vector<TaeLayer> encoder, decoder;
  LatentScale scale;
  Map latent{0, 0, 0, 0}, output{0, 0, 0, 0};
  std::vector<TraceRecord> records;

  /// One column of all records.
  template <typename F>
  Wholes column(F&& f) const {
    Wholes all;
    for (const TraceRecord& record : records) all.push_back(f(record));
    return all;
  }
};

/// The steps of a layer, read off the drawing in the chapter; sizes are those of what comes out.
std::vector<GraphStep> steps_oracle(const Map& x, const Map& y, const TaeLayer& layer) {
  const Whole in = x.bytes(), out = y.bytes();
  if (layer.kind != LayerKind::kBlock) return {{{0}, out}};
  if (layer.block.pool.widen.size() == 0) {
    return {{{0}, in}, {{1}, in}, {{2}, in}, {{3}, in}, {{4}, in}, {{0, 5}, in}, {{6}, in}};
  }
  const Whole wide = in / x.c * layer.block.pool.widen.n();
  return {{{0}, wide}, {{1}, wide}, {{2}, wide}, {{3}, in}, {{0, 4}, in},  {{5}, in},
          {{6}, in},   {{7}, in},   {{8}, in},   {{9}, in}, {{5, 10}, in}, {{11}, in}};
}

Whole macs_oracle(const Map& y, const Tensor4& weight) {
  return Whole(y.v.size()) * weight.c() * weight.h() * weight.h();
}

/// MACs and parameters of a layer that made y of x.
std::array<Whole, 2> cost_oracle(const Map& x, const Map& y, const TaeLayer& layer) {
  if (layer.kind == LayerKind::kConv) {
    return {macs_oracle(y, layer.conv.weight), layer.conv.weight.size() + layer.conv.bias.size()};
  }
  if (layer.kind != LayerKind::kBlock) return {0, 0};
  std::array<Whole, 2> cost{0, 0};
  for (const ConvLayer* conv : {&layer.block.first, &layer.block.second, &layer.block.third}) {
    cost[0] += macs_oracle(y, conv->weight);
    cost[1] += conv->weight.size() + conv->bias.size();
  }
  const TaePool& pool = layer.block.pool;
  const Whole positions = x.n * x.h * x.w;
  cost[0] += positions * (pool.widen.size() + pool.narrow.size());
  cost[1] += pool.widen.size() + pool.gamma.size() + pool.beta.size() + pool.narrow.size();
  return cost;
}

void add_record(TraceCase& it, const Map& x, const Map& y, std::array<Whole, 2> cost,
                const std::vector<GraphStep>& steps) {
  TraceRecord record{y.shape(), y.bytes(), stats_oracle(y.v), cost[0], cost[1], 0, 0};
  for (const Whole live : live_oracle({x.bytes(), steps})) {
    record.live_bytes = std::max(record.live_bytes, live);
  }
  record.peak_bytes = record.live_bytes;
  if (!it.records.empty()) {
    record.peak_bytes = std::max(record.peak_bytes, it.records.back().peak_bytes);
  }
  it.records.push_back(record);
}

/// Runs the layers and writes down what they do. Returns the smallest variance of a group.
double trace_oracle(TraceCase& it) {
  it.records.clear();
  double least = 1.0;
  const auto run = [&](Map x, const std::vector<TaeLayer>& layers) {
    for (const TaeLayer& layer : layers) {
      const Map y = layer_oracle(x, layer, least);
      add_record(it, x, y, cost_oracle(x, y, layer), steps_oracle(x, y, layer));
      x = y;
    }
    return x;
  };
  const Map image(it.image);
  it.records.push_back(
      {image.shape(), image.bytes(), stats_oracle(image.v), 0, 0, image.bytes(), image.bytes()});
  it.latent = run(image, it.encoder);
  const Map scaled =
      each(it.latent, [&](double v) { return (v - it.scale.shift) * it.scale.scale; });
  add_record(it, it.latent, scaled, {0, 0}, {{{0}, scaled.bytes()}});
  add_record(it, scaled, it.latent, {0, 0}, {{{0}, scaled.bytes()}});
  it.output = run(it.latent, it.decoder);
  return least;
}

TraceCase draw_trace_case(Draw& draw) {
  const Index n = draw.size("N", 1, 2), c = draw.size("C", 2, 3), z = draw.size("z", 1, 3);
  const Index h = draw.size("H", 3, 6), w = draw.size("W", 3, 6);
  TraceCase it;
  it.scale = {draw.number("scale", 0.15, 0.6), draw.number("shift", 0.4, 1.2)};
  for (double least = 0.0; least < 0.01; least = trace_oracle(it)) {
    it.image = Tensor4(n, 3, h, w);
    for (Index i = 0; i < it.image.size(); ++i) {
      it.image.data()[i] = float(draw.random().uniform());
    }
    it.encoder = {layer_of(random_conv(draw, c, 3, 3)), layer_of(random_block(draw, c, false)),
                  layer_of(random_conv(draw, c, c, 3, 2)), layer_of(random_conv(draw, z, c, 3))};
    it.decoder = {layer_of(LayerKind::kClamp),    layer_of(random_conv(draw, c, z, 3)),
                  layer_of(LayerKind::kRelu),     layer_of(random_block(draw, c, true)),
                  layer_of(LayerKind::kUpsample), layer_of(random_conv(draw, 3, c, 3))};
    // What comes out leaves the range from 0 to 1 on both sides: a clamp shows.
    it.decoder.back().conv.bias = RowVector{{2.5F, -1.5F, 0.5F}};
  }
  draw.show("image", it.image);
  return it;
}

#define TRACE_OF(it) ASK(trace_autoencoder, (it).image, (it).encoder, (it).decoder, (it).scale)
#define TRACE_REPLY(it) REPLY(trace_autoencoder, (it).image, (it).encoder, (it).decoder, (it).scale)

/// The same column of an answer, which may have any number of records.
template <typename F>
Wholes column_of(const AutoencoderTrace& trace, F&& f) {
  Wholes all;
  for (const TraceRecord& record : trace.records) all.push_back(f(record));
  return all;
}

DEFINES(trace_autoencoder, "puts out the latent, not scaled, and the image, not clamped") {
  const TraceCase it = draw_trace_case(draw);
  const AutoencoderTrace got = TRACE_OF(it);
  expect_near("latent", got.latent, it.latent, convolved(it.latent));
  expect_near("image", got.image, it.output, convolved(it.output));
}

PROPERTY(trace_autoencoder, "records shape and bytes of what each stage puts out") {
  const TraceCase it = draw_trace_case(draw);
  const AutoencoderTrace got = TRACE_OF(it);
  const auto bytes = [](const TraceRecord& record) { return record.bytes; };
  const auto sizes = [](const std::vector<TraceRecord>& records) {
    Wholes all;
    for (const TraceRecord& r : records) all.insert(all.end(), r.shape.begin(), r.shape.end());
    return all;
  };
  expect_equal("bytes of the records", column_of(got, bytes), it.column(bytes));
  expect_equal("shapes of the records, one after the other", sizes(got.records), sizes(it.records));
}

PROPERTY(trace_autoencoder, "records the statistics of what each stage puts out") {
  const TraceCase it = draw_trace_case(draw);
  const AutoencoderTrace got = TRACE_OF(it);
  expect_equal("number of records", Whole(got.records.size()), Whole(it.records.size()));
  for (std::size_t i = 0; i < it.records.size(); ++i) {
    const TensorStats &a = got.records[i].stats, &b = it.records[i].stats;
    const auto row = [](const TensorStats& s) {
      return OracleRow{{s.min, s.max, s.mean, s.std, s.absmax, double(s.count), double(s.nans)}};
    };
    expect_near("min, max, mean, std, absmax, count, nans of record " + std::to_string(i), row(a),
                row(b), {1e-4, 1e-6, std::max(1.0, b.absmax)});
  }
}

PROPERTY(trace_autoencoder, "records the MACs of each stage's convolutions") {
  const TraceCase it = draw_trace_case(draw);
  const auto macs = [](const TraceRecord& record) { return record.macs; };
  expect_equal("macs of the records", column_of(TRACE_OF(it), macs), it.column(macs));
}

PROPERTY(trace_autoencoder, "records weights, biases and both vectors of GroupNorm") {
  const TraceCase it = draw_trace_case(draw);
  const auto params = [](const TraceRecord& record) { return record.params; };
  expect_equal("params of the records", column_of(TRACE_OF(it), params), it.column(params));
}

PROPERTY(trace_autoencoder, "records the most bytes alive while each stage ran") {
  const TraceCase it = draw_trace_case(draw);
  const auto live = [](const TraceRecord& record) { return record.live_bytes; };
  expect_equal("live_bytes of the records", column_of(TRACE_OF(it), live), it.column(live));
}

PROPERTY(trace_autoencoder, "records the most bytes alive up to each stage") {
  const TraceCase it = draw_trace_case(draw);
  const AutoencoderTrace got = TRACE_OF(it);
  Wholes expected;
  Whole most = 0;
  for (const TraceRecord& r : got.records) expected.push_back(most = std::max(most, r.live_bytes));
  const auto peak = [](const TraceRecord& record) { return record.peak_bytes; };
  expect_equal("number of records", Whole(got.records.size()), Whole(it.records.size()));
  expect_equal("peak_bytes of the records, against live_bytes of the same answer",
               column_of(got, peak), expected);
}

PROPERTY(trace_autoencoder, "refuses an encoder or a decoder without layers") {
  const TraceCase it = draw_trace_case(draw);
  TraceCase blind = it, mute = it, neither = it;
  blind.encoder.clear();
  mute.decoder.clear();
  neither.encoder.clear();
  neither.decoder.clear();
  // An identity in place of the encoder would give the decoder three channels: let it take them.
  blind.decoder = {layer_of(LayerKind::kRelu)};
  const Reply no_encoder = TRACE_REPLY(blind), no_decoder = TRACE_REPLY(mute);
  const Reply nothing = TRACE_REPLY(neither);
  expect_refused(no_encoder, "the encoder has no layer");
  expect_refused(no_decoder, "the decoder has no layer");
  expect_refused(nothing, "neither has a layer");
}

PROPERTY(trace_autoencoder, "refuses a scale of 0 or without a number") {
  TraceCase it = draw_trace_case(draw), none = it;
  it.scale.scale = 0.0;
  none.scale.shift = kNoNumber;
  const Reply zero = TRACE_REPLY(it), nan = TRACE_REPLY(none);
  expect_refused(zero, "the scale is 0");
  expect_refused(nan, "the shift is NaN");
}

PROPERTY(trace_autoencoder, "refuses layers that do not fit one another") {
  const TraceCase it = draw_trace_case(draw);
  const Index c = it.encoder[0].conv.weight.n();
  TraceCase first = it, last = it;
  first.encoder[0] = layer_of(random_conv(draw, c, 4, 3));
  last.decoder.back() = layer_of(random_conv(draw, 3, c + 1, 3));
  const Reply encoder = TRACE_REPLY(first), decoder = TRACE_REPLY(last);
  expect_refused(encoder, "the first layer takes four channels");
  expect_refused(decoder, "the last layer takes one channel more than there are");
}

// ---- 8.9 tiled_decode --------------------------------------------------------------------------

/// Every position as a start, kept if the definition has it.
Wholes starts_oracle(Whole size, const Tiling& tiling) {
  Wholes starts;
  const Whole step = tiling.tile - tiling.overlap;
  for (Whole at = 0; at < size; ++at) {
    const bool on_grid = at % step == 0 && at + tiling.tile < size;
    const bool is_last = at == std::max<Whole>(size - tiling.tile, 0);
    if (on_grid || is_last) starts.push_back(at);
  }
  return starts;
}

Map decoded_oracle(Map x, const std::vector<TaeLayer>& decoder) {
  double unused = 0.0;
  for (const TaeLayer& layer : decoder) x = layer_oracle(x, layer, unused);
  return x;
}

Map cut_oracle(const Map& z, Whole top, Whole left, Whole tile) {
  Map part(z.n, z.c, std::min<Whole>(tile, z.h), std::min<Whole>(tile, z.w));
  for (Index n = 0; n < z.n; ++n) {
    for (Index c = 0; c < z.c; ++c) {
      for (Index i = 0; i < part.h * part.w; ++i) {
        part.at(n, c, i / part.w, i % part.w) = z.at(n, c, top + i / part.w, left + i % part.w);
      }
    }
  }
  return part;
}

Map tiled_oracle(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                 const Tiling& tiling) {
  const Map z(latent), whole = decoded_oracle(z, decoder);
  const Whole factor = whole.h / z.h;
  const double widest = double(std::max<Whole>(tiling.overlap * factor, 1));
  const auto weight = [&](Index p, Index length) {
    return std::min({double(p + 1), double(length - p), widest});
  };
  Map sum(whole.n, whole.c, whole.h, whole.w), weights = sum;
  for (const Whole top : starts_oracle(z.h, tiling)) {
    for (const Whole left : starts_oracle(z.w, tiling)) {
      const Map part = decoded_oracle(cut_oracle(z, top, left, tiling.tile), decoder);
      for (std::size_t at = 0; at < part.v.size(); ++at) {
        const Index column = Index(at) % part.w, row = Index(at) / part.w % part.h,
                    channel = Index(at) / (part.w * part.h) % part.c,
                    sample = Index(at) / (part.w * part.h * part.c);
        const double both = weight(row, part.h) * weight(column, part.w);
        sum.at(sample, channel, top * factor + row, left * factor + column) += both * part.v[at];
        weights.at(sample, channel, top * factor + row, left * factor + column) += both;
      }
    }
  }
  for (std::size_t i = 0; i < sum.v.size(); ++i) sum.v[i] /= weights.v[i];
  return sum;
}

/// A latent that needs two tiles along its rows and three along its columns, the last ones moved
/// back, and a decoder that looks at neighbours and doubles each side.
struct TilingCase {
  Tensor4 latent;
  std::vector<TaeLayer> decoder;
  Tiling tiling;
};

TilingCase draw_tiling_case(Draw& draw, Index in, Index out) {
  const Index tile = draw.size("tile", 5, 6), overlap = draw.size("overlap", 1, 2);
  // Moved back, the last tile shares more with its neighbour than the ramp is long.
  const Index h = tile + draw.size("rows behind the first tile", 1, 2);
  const Index w = tile + tile - overlap + draw.size("columns behind the second tile", 1, 2);
  const Index n = draw.size("N", 1, 2);
  TilingCase it{Tensor4(n, in, h, w), {}, {tile, overlap}};
  for (Index i = 0; i < it.latent.size(); ++i) {
    it.latent.data()[i] = float(draw.random().normal());
  }
  it.decoder = {layer_of(random_conv(draw, out, in, 3)), layer_of(LayerKind::kUpsample)};
  draw.show("latent", it.latent);
  return it;
}

#define TILED(it) ASK(tiled_decode, (it).latent, (it).decoder, (it).tiling)

DEFINES(tiled_decode,
        "blends tiles with weights that rise from both ends, and divides by their sum") {
  const TilingCase it = draw_tiling_case(draw, 4, 3);
  const Map expected = tiled_oracle(it.latent, it.decoder, it.tiling);
  expect_near("image", TILED(it), expected, convolved(expected));
}

/// The same with layers that look no further than their own position.
TilingCase draw_pointwise_case(Draw& draw, Index in, Index out) {
  TilingCase it = draw_tiling_case(draw, in, out);
  it.decoder = {layer_of(LayerKind::kClamp), layer_of(random_conv(draw, out, in, 1)),
                layer_of(LayerKind::kUpsample)};
  return it;
}

PROPERTY(tiled_decode, "is decoding at once, for any channels, if layers see only their position") {
  const Index in = draw.size("Ci", 1, 3), out = draw.size("Co", 1, 2);
  const TilingCase it = draw_pointwise_case(draw, in, out);
  const Map whole = decoded_oracle(Map(it.latent), it.decoder);
  expect_near("image", TILED(it), whole, convolved(whole));
}

PROPERTY(tiled_decode, "takes its factor from the upsamplings of the decoder") {
  TilingCase it = draw_pointwise_case(draw, 4, 3);
  const TaeLayer doubling = it.decoder.back();
  for (const int times : {0, 2, 3}) {
    it.decoder.resize(2);
    for (int i = 0; i < times; ++i) it.decoder.push_back(doubling);
    const Map whole = decoded_oracle(Map(it.latent), it.decoder);
    expect_near("image, " + std::to_string(times) + " upsamplings", TILED(it), whole,
                convolved(whole));
  }
}

PROPERTY(tiled_decode, "decodes at once what is no larger than a tile along an axis") {
  TilingCase it = draw_tiling_case(draw, 4, 3);
  it.tiling.tile = std::max(it.latent.h(), it.latent.w());
  const Map whole = decoded_oracle(Map(it.latent), it.decoder);
  for (const Whole more : {0, 5}) {
    it.tiling.tile += more;
    expect_near("image, tile " + std::to_string(it.tiling.tile), TILED(it), whole,
                convolved(whole));
  }
}

PROPERTY(tiled_decode, "leaves seams where tiles share nothing") {
  TilingCase it = draw_tiling_case(draw, 4, 3);
  it.tiling.overlap = 0;
  for (const Whole tile : {3, 4}) {
    it.tiling.tile = tile;
    const Map expected = tiled_oracle(it.latent, it.decoder, it.tiling);
    expect_near("image, tile " + std::to_string(tile), TILED(it), expected, convolved(expected));
  }
}

PROPERTY(tiled_decode, "refuses tilings that tile_starts refuses, and layers that do not fit") {
  const TilingCase it = draw_tiling_case(draw, 4, 3);
  const auto reply = [&](const Tiling& tiling) {
    return REPLY(tiled_decode, it.latent, it.decoder, tiling);
  };
  const Reply none = reply({0, 0}), all = reply({3, 3}), negative = reply({3, -1});
  const Reply unfit = REPLY(tiled_decode, Tensor4(1, 5, 4, 4, 1.0F), it.decoder, it.tiling);
  expect_refused(none, "a tile has no positions");
  expect_refused(all, "tiles share all of their positions");
  expect_refused(negative, "the overlap is -1");
  expect_refused(unfit, "the latent has one channel more than the decoder takes");
}

PROPERTY(tiled_decode, "tile_starts: begins every tile - overlap, and ends with the axis") {
  const Index tile = draw.size("tile", 4, 9), overlap = draw.size("overlap", 1, 2);
  const Index steps = draw.size("steps that fit", 1, 6);
  // The last step is shorter than the others: no tile ends by itself where the axis does.
  const Index rest = draw.integer("positions left over", 1, tile - overlap - 1);
  const Whole size = tile + steps * (tile - overlap) + rest;
  const Tiling tiling{tile, overlap};
  expect_equal("starts", ASK(tile_starts, size, tiling), starts_oracle(size, tiling));
}

PROPERTY(tiled_decode, "tile_starts: has no tile twice where the last one fits exactly") {
  const Index tile = draw.size("tile", 2, 8), overlap = draw.size("overlap", 0, 1);
  const Index tiles = draw.size("tiles", 2, 6);
  const Tiling tiling{tile, overlap};
  const Whole size = tile + (tiles - 1) * (tile - overlap);
  expect_equal("starts", ASK(tile_starts, size, tiling), starts_oracle(size, tiling));
}

PROPERTY(tiled_decode, "tile_starts: has one tile where the axis is no longer than it") {
  const Index tile = draw.size("tile", 2, 9);
  const Whole size = draw.integer("size", 1, tile - 1);
  const Wholes shorter = ASK(tile_starts, size, (Tiling{tile, 1}));
  const Wholes equal = ASK(tile_starts, Whole(tile), (Tiling{tile, 1}));
  expect_equal("starts, the axis is shorter", shorter, Wholes{0});
  expect_equal("starts, the axis is as long", equal, Wholes{0});
}

PROPERTY(tiled_decode, "tile_starts: refuses a size or tile below 1 and an overlap that is none") {
  const Index tile = draw.size("tile", 1, 9), size = draw.size("size", 10, 40);
  const auto reply = [&](Whole axis, Whole side, Whole overlap) {
    return REPLY(tile_starts, axis, (Tiling{side, overlap}));
  };
  const Reply no_axis = reply(0, tile, 0), no_tile = reply(size, 0, 0);
  const Reply negative_tile = reply(size, -tile, -tile - 1);
  const Reply all = reply(size, tile, tile), negative = reply(size, tile, -1);
  expect_refused(no_axis, "the axis has no positions");
  expect_refused(no_tile, "the tile has no positions");
  expect_refused(negative_tile, "the tile's side is negative");
  expect_refused(all, "the overlap is as long as the tile");
  expect_refused(negative, "the overlap is -1");
}

}  // namespace
}  // namespace latent::grader

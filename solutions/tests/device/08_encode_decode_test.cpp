// The kernels of lab 08 at sizes that their tiles do not divide.

#include <cmath>
#include <functional>

#include "solutions/08_encode_decode/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"

namespace latent {
namespace {

using device::Size;
using device::TaeConvSizes;
using Floats = std::vector<float>;

float at(const Floats& x, Size i) {
  return x[static_cast<std::size_t>(i)];
}

class EncodeDecodeOnDevice : public DeviceTest {
 protected:
  static void expect_near(const Floats& got, const std::function<double(Size)>& expected,
                          double tolerance) {
    for (Size i = 0; i < static_cast<Size>(got.size()); ++i) {
      ASSERT_TRUE(std::abs(at(got, i) - expected(i)) <= tolerance)
          << i << " of " << got.size() << ": " << at(got, i) << ", not " << expected(i);
    }
  }

  // ---- 8.1 ----

  struct Stats {
    device::TensorCount count, squares;
  };

  static Stats stats(const Floats& x) {
    const auto elements = on_device(x);
    device::Buffer<device::TensorCount> counted(1), squares(1);
    device::tensor_stats(elements.data(), elements.size(), counted.data(), squares.data());
    return {fetched(counted)[0], fetched(squares)[0]};
  }

  // ---- 8.7 ----

  /// A convolution to be asked for, and what it is made of.
  struct Convolution {
    TaeConvSizes sizes;
    Floats x, weight, bias, skip;

    Convolution(Random& random, const TaeConvSizes& s)
        : sizes(s),
          x(normal_floats(random, s.n * s.in_channels * s.height * s.width)),
          weight(normal_floats(random, s.out_channels * s.in_channels * s.kernel * s.kernel)),
          bias(normal_floats(random, s.out_channels)),
          skip(normal_floats(random, s.n * s.out_channels * s.out_height() * s.out_width())) {}

    /// Without bias and skip.
    double sum(Size n, Size o, Size i, Size j) const {
      const TaeConvSizes& s = sizes;
      double sum = 0.0;
      for (Size c = 0; c < s.in_channels; ++c) {
        for (Size u = 0; u < s.kernel; ++u) {
          for (Size v = 0; v < s.kernel; ++v) {
            const Size row = i * s.stride + u - s.kernel / 2, col = j * s.stride + v - s.kernel / 2;
            if (row < 0 || row >= s.height || col < 0 || col >= s.width) continue;
            sum += double(at(weight, ((o * s.in_channels + c) * s.kernel + u) * s.kernel + v)) *
                   double(at(x, ((n * s.in_channels + c) * s.height + row) * s.width + col));
          }
        }
      }
      return sum;
    }

    double element(Size index) const {
      const Size w = sizes.out_width(), h = sizes.out_height(), o = index / (h * w);
      return sum(o / sizes.out_channels, o % sizes.out_channels, index / w % h, index % w);
    }

    Size channel(Size index) const {
      return index / (sizes.out_height() * sizes.out_width()) % sizes.out_channels;
    }

    Floats ask(bool with_bias, bool with_skip, bool relu) const {
      const auto maps = on_device(x), weights = on_device(weight), biases = on_device(bias),
                 skips = on_device(skip);
      device::Buffer<float> y(skips.size());
      device::tae_convolve(sizes,
                           {maps.data(), weights.data(), with_bias ? biases.data() : nullptr,
                            with_skip ? skips.data() : nullptr, y.data()},
                           relu);
      return fetched(y);
    }
  };

  /// With everything there is: bias, skip and ReLU.
  static void expect_convolved(const Convolution& conv) {
    expect_near(
        conv.ask(true, true, true),
        [&](Size i) {
          return std::max(conv.element(i) + at(conv.bias, conv.channel(i)) + at(conv.skip, i), 0.0);
        },
        1e-4);
  }
};

TEST_F(EncodeDecodeOnDevice, CountsSumsAndCompares) {
  Random random(1);
  for (const Size size : {1, 31, 257, 1025, 9001}) {
    Floats x = normal_floats(random, size, 0.5);
    for (float& value : x) value += 10000.0F;
    for (std::size_t i = 1; i < x.size(); i += 13) x[i] = NAN;
    double sum = 0.0, squares = 0.0, least = INFINITY, greatest = -INFINITY;
    std::int64_t count = 0;
    for (const double value : x) {
      if (std::isnan(value)) continue;
      ++count;
      sum += value;
      least = std::min(least, value);
      greatest = std::max(greatest, value);
    }
    const double mean = sum / static_cast<double>(count);
    for (const double value : x)
      if (!std::isnan(value)) squares += (value - mean) * (value - mean);
    const Stats got = stats(x);
    EXPECT_EQ(got.count.count, count);
    EXPECT_EQ(got.count.least, least);
    EXPECT_EQ(got.count.greatest, greatest);
    EXPECT_TRUE(std::abs(got.count.sum - sum) <= 1e-12 * sum) << size;
    EXPECT_TRUE(std::abs(got.squares.sum - squares) <= 1e-9 * squares) << size;
  }
}

TEST_F(EncodeDecodeOnDevice, CountsNothingWhereNothingIsANumber) {
  for (const Floats& x : {Floats{}, Floats(300, NAN)}) {
    const Stats got = stats(x);
    EXPECT_EQ(got.count.count, 0);
    EXPECT_EQ(got.count.sum, 0.0);
    EXPECT_EQ(got.squares.sum, 0.0);
  }
}

TEST_F(EncodeDecodeOnDevice, ScalesThereAndBack) {
  Random random(2);
  for (const Size size : {0, 1, 1031}) {
    const Floats z = normal_floats(random, size);
    const auto latents = on_device(z);
    device::Buffer<float> scaled(size), raw(size);
    device::scale_latents(latents.data(), 0.3611, 0.1159, scaled.data(), size);
    device::unscale_latents(latents.data(), 0.3611, 0.1159, raw.data(), size);
    expect_near(
        fetched(scaled), [&](Size i) { return (at(z, i) - 0.1159) * 0.3611; }, 2e-7);
    expect_near(
        fetched(raw), [&](Size i) { return at(z, i) / 0.3611 + 0.1159; }, 2e-6);
  }
}

// Every kernel there is: sides 1, 3 and another one, few channels and many.
TEST_F(EncodeDecodeOnDevice, ConvolvesAtAwkwardSizes) {
  Random random(3);
  for (const Size kernel : {1, 3, 5, 2}) {
    for (const Size out : {1, 16, 17, 67}) {
      for (const Size in : {1, 5}) expect_convolved({random, {2, in, 7, 9, out, kernel, 1}});
      if (HasFatalFailure()) return;
    }
  }
  expect_convolved({random, {1, 1, 1, 1, 1, 3, 1}});
  expect_convolved({random, {3, 31, 5, 13, 31, 3, 1}});
}

TEST_F(EncodeDecodeOnDevice, ConvolvesWithStrides) {
  Random random(4);
  for (const Size stride : {2, 3}) {
    for (const Size out : {3, 18}) expect_convolved({random, {2, 3, 11, 8, out, 3, stride}});
  }
}

TEST_F(EncodeDecodeOnDevice, AddsAndCutsOffOnlyWhatItIsAskedTo) {
  Random random(5);
  const Convolution conv(random, {2, 3, 6, 5, 4, 3, 1});
  expect_near(
      conv.ask(false, false, false), [&](Size i) { return conv.element(i); }, 1e-5);
  expect_near(
      conv.ask(true, false, false),
      [&](Size i) { return conv.element(i) + at(conv.bias, conv.channel(i)); }, 1e-5);
  expect_near(
      conv.ask(false, true, false), [&](Size i) { return conv.element(i) + at(conv.skip, i); },
      1e-5);
  expect_near(
      conv.ask(false, false, true), [&](Size i) { return std::max(conv.element(i), 0.0); }, 1e-5);
}

TEST_F(EncodeDecodeOnDevice, NormalizesEveryGroupOfEverySample) {
  Random random(6);
  for (const Size positions : {1, 31, 1031}) {
    const Size n = 2, c = 12, groups = 4, size = c / groups * positions;
    Floats x = normal_floats(random, n * c * positions, 0.01);
    for (Size i = 0; i < n * c * positions; ++i)
      x[static_cast<std::size_t>(i)] +=
          static_cast<float>(i / size);  // far from 0: nothing cancels
    const Floats gamma = normal_floats(random, c), beta = normal_floats(random, c);
    auto maps = on_device(x);
    const auto scale = on_device(gamma), offset = on_device(beta);
    device::tae_group_norm_relu(maps.data(), scale.data(), offset.data(), n, c, positions, groups);
    std::vector<double> mean, variance;
    for (Size group = 0; group < n * groups; ++group) {
      double sum = 0.0, squares = 0.0;
      for (Size i = group * size; i < (group + 1) * size; ++i) sum += at(x, i);
      mean.push_back(sum / static_cast<double>(size));
      for (Size i = group * size; i < (group + 1) * size; ++i)
        squares += (at(x, i) - mean.back()) * (at(x, i) - mean.back());
      variance.push_back(squares / static_cast<double>(size));
    }
    expect_near(
        fetched(maps),
        [&](Size i) {
          const auto group = static_cast<std::size_t>(i / size);
          const double y = (at(x, i) - mean[group]) / std::sqrt(variance[group] + 1e-5) *
                               at(gamma, i / positions % c) +
                           at(beta, i / positions % c);
          return std::max(y, 0.0);
        },
        1e-5);
  }
}

TEST_F(EncodeDecodeOnDevice, CutsOffClampsAndDoubles) {
  Random random(7);
  for (const Size h : {1, 3, 31}) {
    const Size maps = 5, w = 7, size = maps * h * w;
    const Floats x = normal_floats(random, size, 4.0);
    auto cut = on_device(x), clamped = on_device(x);
    const auto small = on_device(x);
    device::Buffer<float> large(4 * size);
    device::tae_relu(cut.data(), size);
    device::tae_clamp(clamped.data(), size);
    device::tae_upsample(small.data(), large.data(), maps, h, w);
    expect_near(
        fetched(cut), [&](Size i) { return std::max(at(x, i), 0.0F); }, 0.0);
    expect_near(
        fetched(clamped), [&](Size i) { return 3.0 * std::tanh(double(at(x, i)) / 3.0); }, 2e-6);
    expect_near(
        fetched(large),
        [&](Size i) {
          const Size map = i / (4 * h * w), row = i / (2 * w) % (2 * h), column = i % (2 * w);
          return at(x, (map * h + row / 2) * w + column / 2);
        },
        0.0);
  }
}

TEST_F(EncodeDecodeOnDevice, LeavesNanWhereItWas) {
  auto x = on_device(Floats{NAN, -1.0F});
  device::tae_relu(x.data(), 2);
  EXPECT_TRUE(std::isnan(fetched(x)[0]));
  EXPECT_EQ(fetched(x)[1], 0.0F);
  const auto one = on_device(Floats{1.0F});
  const auto maps = on_device(Floats{NAN, -1.0F});
  device::Buffer<float> y(2);
  device::tae_convolve({1, 1, 1, 2, 1, 1, 1}, {maps.data(), one.data(), nullptr, nullptr, y.data()},
                       true);
  EXPECT_TRUE(std::isnan(fetched(y)[0]));
  EXPECT_EQ(fetched(y)[1], 0.0F);
}

}  // namespace
}  // namespace latent

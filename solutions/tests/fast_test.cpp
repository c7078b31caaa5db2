// The fast functions keep the contracts of the plain ones.

#include <gtest/gtest.h>
#include <sched.h>

#include <cmath>
#include <tuple>

#include "autoencoder.hpp"
#include "common/parallel.hpp"
#include "common/random.hpp"
#include "solutions/01_autoencoder/winograd.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

Tensor4 normal(Random& random, Index n, Index c, Index h, Index w) {
  Tensor4 x(n, c, h, w);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
  return x;
}

/// One output of the contract's formula, and the sum of magnitudes that its rounding grows with.
std::pair<double, double> output(const Tensor4& x, const Tensor4& weight, const Conv2dOptions& o,
                                 Index n, Index out, Index i, Index j) {
  double sum = 0.0, magnitude = 0.0;
  for (Index c = 0; c < x.c(); ++c) {
    for (Index u = 0; u < weight.h(); ++u) {
      for (Index v = 0; v < weight.w(); ++v) {
        const Index row = o.stride * i + u - o.top, col = o.stride * j + v - o.left;
        if (row < 0 || row >= x.h() || col < 0 || col >= x.w()) continue;
        const double term = double(weight(out, c, u, v)) * double(x(n, c, row, col));
        sum += term;
        magnitude += std::fabs(term);
      }
    }
  }
  return {sum, magnitude};
}

void expect_convolution(Random& random, const Tensor4& x, Index channels, Index k,
                        const Conv2dOptions& o,
                        decltype(conv2d_forward) convolve = conv2d_forward) {
  const Tensor4 weight = normal(random, channels, x.c(), k, k);
  RowVector bias(channels);
  for (float& b : bias) b = static_cast<float>(random.normal());
  const Tensor4 y = convolve(x, weight, bias, o);
  ASSERT_EQ(y.shape(), Shape({x.n(), channels, (x.h() + o.top + o.bottom - k) / o.stride + 1,
                              (x.w() + o.left + o.right - k) / o.stride + 1}));
  for (Index n = 0; n < y.n(); ++n) {
    for (Index c = 0; c < y.c(); ++c) {
      for (Index i = 0; i < y.h(); ++i) {
        for (Index j = 0; j < y.w(); ++j) {
          const auto [sum, magnitude] = output(x, weight, o, n, c, i, j);
          const double expected = sum + double(bias(c));
          const double error = std::fabs(double(y(n, c, i, j)) - expected);
          ASSERT_TRUE(error <= 1e-6 * (1.0 + magnitude))
              << "at (" << n << ", " << c << ", " << i << ", " << j << ") of "
              << to_string(y.shape()) << ": " << y(n, c, i, j) << " instead of " << expected;
        }
      }
    }
  }
}

TEST(FastConvolution, IsTheSumOfTheContractForAnyGeometry) {
  Random random(20261126);
  for (int round = 0; round < 300; ++round) {
    const auto below = [&](Index n) { return random.integer(0, n - 1); };
    const Index k = 1 + below(4);
    const Conv2dOptions o{1 + below(3), below(k + 1), below(k + 1), below(k + 1), below(k + 1)};
    const Tensor4 x = normal(random, 1 + below(3), 1 + below(4), k + below(9), k + below(12));
    expect_convolution(random, x, 1 + below(5), k, o);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(FastConvolution, IsThatAlsoWhereChannelsAreMany) {
  Random random(20261127);
  for (int round = 0; round < 30; ++round) {
    const auto below = [&](Index n) { return random.integer(0, n - 1); };
    const Index k = 1 + below(4);
    const Conv2dOptions o{1, below(k + 3), below(k + 3), below(k + 3), below(k + 3)};
    const Tensor4 x = normal(random, 1 + below(2), 16 + below(4), k + below(9), k + below(40));
    expect_convolution(random, x, 1 + below(5), k, o);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(FastConvolution, IsThatAlsoWhereAnImageTakesManyBands) {
  Random random(1);
  expect_convolution(random, normal(random, 2, 29, 43, 61), 7, 3, {1, 1, 1, 1, 1});
  expect_convolution(random, normal(random, 1, 31, 67, 83), 5, 3, {2, 0, 1, 0, 1});
}

TEST(FastConvolution, AcceptsKernelsThatMissTheImageAltogether) {
  Random random(2);
  expect_convolution(random, normal(random, 1, 2, 1, 1), 3, 2, {1, 5, 4, 3, 6});
  expect_convolution(random, normal(random, 1, 2, 2, 1), 3, 1, {3, 7, 2, 5, 1});
}

/// `winograd` for whatever geometry. What it leaves out stays NaN.
Tensor4 by_winograd(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                    const Conv2dOptions& o) {
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), 3, 1, o.top, o.bottom),
            conv2d_out(x.w(), 3, 1, o.left, o.right), NAN);
  winograd(x, weight, bias, o, y);
  return y;
}

TEST(Winograd, IsTheSumOfTheContractForAnyPadding) {
  Random random(20261128);
  for (int round = 0; round < 243; ++round) {
    const auto below = [&](Index n) { return random.integer(0, n - 1); };
    const Conv2dOptions o{1, round % 3, round / 3 % 3, round / 9 % 3, round / 27 % 3};
    const Index h = std::max<Index>(1, 3 - o.top - o.bottom) + below(2) * below(9);
    const Index w = std::max<Index>(1, 3 - o.left - o.right) + below(2) * below(40);
    const Tensor4 x = normal(random, 1 + below(2), 16 + below(5), h, w);
    expect_convolution(random, x, 16 + below(3), 3, o, by_winograd);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(Winograd, IsThatAlsoWhereAnImageTakesManyBands) {
  Random random(9);
  // 67 tiles across, in two pieces; 11 x 16, in three strips; 4 x 15, a band of each sample.
  expect_convolution(random, normal(random, 2, 17, 3, 133), 16, 3, {1, 1, 1, 1, 1}, by_winograd);
  expect_convolution(random, normal(random, 1, 64, 21, 31), 16, 3, {1, 1, 1, 1, 1}, by_winograd);
  expect_convolution(random, normal(random, 5, 16, 9, 30), 19, 3, {1, 0, 2, 1, 0}, by_winograd);
}

TEST(Winograd, IsWhatAConvolutionOfManyChannelsTakes) {
  Random random(12);
  const Tensor4 x = normal(random, 1, 17, 32, 33), weight = normal(random, 16, 17, 3, 3);
  const RowVector bias = RowVector::Ones(16);
  const Conv2dOptions o{1, 1, 1, 1, 1};
  const Tensor4 y = conv2d_forward(x, weight, bias, o), same = by_winograd(x, weight, bias, o);
  for (Index i = 0; i < y.size(); ++i) ASSERT_EQ(y.data()[i], same.data()[i]) << i;
}

TEST(Winograd, IsThatAlsoWherePaddingIsWiderThanTheImage) {
  Random random(10);
  for (const Conv2dOptions& o : {Conv2dOptions{1, 140, 7, 2, 5}, Conv2dOptions{1, 3, 141, 6, 0}})
    expect_convolution(random, normal(random, 1, 16, 1, 1), 16, 3, o, by_winograd);
}

TEST(Winograd, SpreadsANanNoFurtherThanTheKernel) {
  Random random(11);
  for (const Index at : {4, 5}) {
    Tensor4 x = normal(random, 1, 16, 10, 11);
    x(0, 3, at, at + 1) = NAN;
    const Tensor4 y =
        by_winograd(x, normal(random, 16, 16, 3, 3), RowVector::Zero(16), {1, 1, 1, 1, 1});
    for (Index i = 0; i < y.h(); ++i) {
      for (Index j = 0; j < y.w(); ++j)
        EXPECT_EQ(std::isnan(y(0, 2, i, j)), std::abs(i - at) <= 1 && std::abs(j - at - 1) <= 1)
            << "at (" << i << ", " << j << ")";
    }
  }
}

TEST(FastConvolution, HasTheSameBitsEachTime) {
  Random random(3);
  const Tensor4 x = normal(random, 1, 32, 64, 64), weight = normal(random, 16, 32, 3, 3);
  const RowVector bias = RowVector::Zero(16);
  const Tensor4 once = conv2d_forward(x, weight, bias, {1, 1, 1, 1, 1});
  for (int round = 0; round < 5; ++round) {
    const Tensor4 again = conv2d_forward(x, weight, bias, {1, 1, 1, 1, 1});
    for (Index i = 0; i < once.size(); ++i) ASSERT_EQ(once.data()[i], again.data()[i]);
  }
}

TEST(FastConvolution, TakesEmptyBatchesAndRefusesWhatDoesNotFit) {
  Random random(4);
  const Tensor4 weight = normal(random, 2, 3, 3, 3);
  const RowVector bias = RowVector::Zero(2);
  EXPECT_EQ(conv2d_forward(Tensor4(0, 3, 5, 6), weight, bias, {}).shape(), Shape({0, 2, 3, 4}));
  const Tensor4 x = normal(random, 1, 3, 5, 6);
  EXPECT_THROW(conv2d_forward(Tensor4(1, 2, 5, 6), weight, bias, {}), std::invalid_argument);
  EXPECT_THROW(conv2d_forward(x, Tensor4(2, 3, 3, 2), bias, {}), std::invalid_argument);
  EXPECT_THROW(conv2d_forward(x, weight, RowVector::Zero(3), {}), std::invalid_argument);
  EXPECT_THROW(conv2d_forward(x, weight, bias, {0, 0, 0, 0, 0}), std::invalid_argument);
  EXPECT_THROW(conv2d_forward(Tensor4(1, 3, 2, 6), weight, bias, {}), std::invalid_argument);
}

/// The first of the codes that are nearest, by the definition and in double.
std::int64_t nearest(const Matrix& z, Index n, const Matrix& codebook) {
  std::int64_t best = 0;
  double least = INFINITY;
  for (Index k = 0; k < codebook.rows(); ++k) {
    double distance = 0.0;
    for (Index d = 0; d < z.cols(); ++d) {
      const double difference = double(z(n, d)) - double(codebook(k, d));
      distance += difference * difference;
    }
    if (distance < least) {
      least = distance;
      best = k;
    }
  }
  return best;
}

void expect_nearest(const Matrix& z, const Matrix& codebook) {
  const std::vector<std::int64_t> indices = nearest_code(z, codebook);
  ASSERT_EQ(std::ssize(indices), z.rows());
  for (Index n = 0; n < z.rows(); ++n)
    ASSERT_EQ(indices[static_cast<std::size_t>(n)], nearest(z, n, codebook))
        << "row " << n << " of " << shape_of(z) << ", codes " << shape_of(codebook);
}

/// Numbers `scale` apart around `center`, few enough of them to make ties.
Matrix lattice(Random& random, Index rows, Index cols, double center, double scale) {
  Matrix x(rows, cols);
  for (float& value : x.reshaped())
    value = static_cast<float>(center + scale * double(random.integer(-3, 3)));
  return x;
}

TEST(FastNearestCode, IsTheDefinitionsWhereItsProductsAreTooCoarse) {
  Random random(5);
  for (const Index d : {1, 2, 7, 16, 33}) {
    // Squares of 1000 have steps of 0.06 in float; the squares that decide are 0.0004 apart.
    expect_nearest(lattice(random, 70, d, 1000.0, 0.02), lattice(random, 130, d, 1000.0, 0.02));
    expect_nearest((1000.0F + 0.02F * random.normal_matrix(70, d).array()).matrix(),
                   (1000.0F + 0.02F * random.normal_matrix(130, d).array()).matrix());
  }
}

TEST(FastNearestCode, IsTheDefinitionsAcrossBlocks) {
  Random random(6);
  expect_nearest(random.normal_matrix(521, 3), random.normal_matrix(1031, 3));
  expect_nearest(lattice(random, 1027, 2, 0.0, 1.0), lattice(random, 519, 2, 0.0, 1.0));
}

TEST(FastNearestCode, TakesOneCodeAndNoRows) {
  Random random(7);
  expect_nearest(random.normal_matrix(5, 4), random.normal_matrix(1, 4));
  expect_nearest(random.normal_matrix(0, 4), random.normal_matrix(3, 4));
}

TEST(FastNearestCode, TakesNumbersWhoseSquaresNoFloatHolds) {
  Random random(8);
  const Matrix z = 1e25F * random.normal_matrix(37, 5), codes = 1e25F * random.normal_matrix(67, 5);
  expect_nearest(z, codes);
  expect_nearest(random.normal_matrix(37, 5), codes);
}

// ---- threads -----------------------------------------------------------------------------------

/// Keeps this thread, and those that it starts, on one processor.
class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
};

TEST(FastSolutions, HaveTheSameBitsOnOneProcessorAndOnAll) {
  if (processors() < 2) GTEST_SKIP() << "one processor is all there is";
  Random random(21);
  const Matrix z = random.normal_matrix(1300, 19), codebook = random.normal_matrix(700, 19);
  const Tensor4 x = normal(random, 2, 16, 40, 50), wide = normal(random, 16, 16, 3, 3),
                few = normal(random, 5, 16, 3, 3);
  const RowVector bias = RowVector::Ones(16), short_bias = RowVector::Ones(5);
  const auto all = [&] {
    const Conv2dOptions padded{1, 1, 1, 1, 1}, strided{2, 1, 1, 1, 1};
    return std::tuple(nearest_code(z, codebook), conv2d_forward(x, wide, bias, padded),
                      conv2d_forward(x, few, short_bias, padded),
                      conv2d_forward(x, wide, bias, strided));
  };
  const auto [indices, winograd_y, tap_y, patch_y] = all();
  const OneProcessor alone;
  ASSERT_EQ(processors(), 1);
  const auto [again, winograd_again, tap_again, patch_again] = all();
  EXPECT_EQ(indices, again);
  for (const auto& [y, same] :
       {std::pair(&winograd_y, &winograd_again), {&tap_y, &tap_again}, {&patch_y, &patch_again}}) {
    for (Index i = 0; i < y->size(); ++i) ASSERT_EQ(y->data()[i], same->data()[i]);
  }
}

}  // namespace
}  // namespace latent

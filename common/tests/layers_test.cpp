#include "common/layers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace latent {
namespace {

Tensor4 counting(Index n, Index c, Index h, Index w) {
  Tensor4 x(n, c, h, w);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  return x;
}

TEST(Relu, KeepsWhatIsAboveZeroAndNaN) {
  Tensor4 x(1, 1, 1, 3);
  x.data()[0] = -2.0F;
  x.data()[1] = 3.0F;
  x.data()[2] = std::numeric_limits<float>::quiet_NaN();
  const Tensor4 y = relu(x);
  EXPECT_EQ(y.data()[0], 0.0F);
  EXPECT_EQ(y.data()[1], 3.0F);
  EXPECT_TRUE(std::isnan(y.data()[2]));
}

TEST(UpsampleNearest, MakesABlockOfFourOutOfEveryValue) {
  const Tensor4 x = counting(2, 3, 2, 4), y = upsample_nearest(x);
  ASSERT_EQ(y.shape(), (Shape{2, 3, 4, 8}));
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 3; ++c)
      for (Index h = 0; h < 4; ++h)
        for (Index w = 0; w < 8; ++w) EXPECT_EQ(y(n, c, h, w), x(n, c, h / 2, w / 2));
}

TEST(GroupNorm, NormalisesEachGroupOfEachSampleAndScalesEachChannel) {
  Tensor4 x = counting(2, 4, 2, 3);
  x(1, 2, 0, 1) = 100.0F;
  RowVector gamma(4), beta(4);
  gamma << 1.0F, 2.0F, -1.0F, 0.5F;
  beta << 0.0F, 1.0F, 2.0F, 3.0F;
  const Tensor4 y = group_norm(x, 2, gamma, beta, 1e-5);
  for (Index n = 0; n < 2; ++n) {
    for (Index g = 0; g < 2; ++g) {
      double sum = 0.0, squares = 0.0;
      const auto each = [&](auto f) {
        for (Index c = 2 * g; c < 2 * g + 2; ++c)
          for (Index h = 0; h < 2; ++h)
            for (Index w = 0; w < 3; ++w) f(c, h, w);
      };
      each([&](Index c, Index h, Index w) { sum += x(n, c, h, w) / 12.0; });
      each([&](Index c, Index h, Index w) {
        squares += (x(n, c, h, w) - sum) * (x(n, c, h, w) - sum) / 12.0;
      });
      each([&](Index c, Index h, Index w) {
        const double expected =
            gamma(c) * (x(n, c, h, w) - sum) / std::sqrt(squares + 1e-5) + beta(c);
        EXPECT_NEAR(y(n, c, h, w), expected, 1e-5);
      });
    }
  }
}

TEST(GroupNorm, RefusesWhatDoesNotFit) {
  const Tensor4 x = counting(1, 4, 1, 1);
  const RowVector four = RowVector::Ones(4), three = RowVector::Ones(3);
  EXPECT_THROW(group_norm(x, 3, four, four, 1e-5), std::invalid_argument);
  EXPECT_THROW(group_norm(x, 0, four, four, 1e-5), std::invalid_argument);
  EXPECT_THROW(group_norm(x, 2, three, four, 1e-5), std::invalid_argument);
  EXPECT_THROW(group_norm(x, 2, four, three, 1e-5), std::invalid_argument);
}

}  // namespace
}  // namespace latent

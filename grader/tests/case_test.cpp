// A case is a seed and a list of sizes: what can be typed must be all there is to it.

#include "grader/judge/case.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace latent::grader {
namespace {

constexpr std::uint64_t kOdd = 0x9C41F07BE25D6A13, kEven = kOdd - 1;

/// Everything that a property can draw, as the values that it was shown under.
std::vector<Draw::Shown> drawn(const CaseId& id) {
  Draw draw(id);
  const Index n = draw.size("N", 1, 7), d = draw.size("D", 1, 6);
  draw.matrix("x", n, d);
  draw.row("b", d, 0.1);
  draw.tensor("t", n, 2, d, 1);
  draw.doubles("s", n);
  draw.number("beta", 0.5, 1.0);
  draw.integer("k", -3, 3);
  return draw.shown();
}

bool same(const std::vector<Draw::Shown>& a, const std::vector<Draw::Shown>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].values != b[i].values) return false;
  }
  return true;
}

TEST(Case, DrawsTheSameFromTheSameId) {
  for (const Sizing sizing : {Sizing::kAny, Sizing::kDifferent, Sizing::kSmallest}) {
    for (const std::uint64_t seed : {kOdd, kEven}) {
      const CaseId id{seed, {}, sizing};
      EXPECT_TRUE(same(drawn(id), drawn(id)));
      EXPECT_FALSE(same(drawn(id), drawn({seed + 2, {}, sizing})));
    }
  }
}

TEST(Case, IsRepeatedByItsSeedAndTheSizesThatWereDrawn) {
  for (const Sizing sizing : {Sizing::kAny, Sizing::kDifferent, Sizing::kSmallest}) {
    Draw draw({kOdd, {}, sizing});
    draw.size("N", 1, 7);
    draw.size("D", 1, 6);
    const CaseId replayed{draw.id().seed, draw.id().sizes, Sizing::kAny};
    EXPECT_TRUE(same(drawn({kOdd, {}, sizing}), drawn(replayed)));
  }
}

TEST(Case, ShowsEachInputUnderItsNameInOrder) {
  const auto shown = drawn({kOdd, {2, 3}, Sizing::kAny});
  ASSERT_EQ(shown.size(), 8U);
  EXPECT_EQ(shown[0].name, "N");
  EXPECT_EQ(shown[2].name, "x");
  EXPECT_EQ(shown[2].values[0].shape, (Shape{2, 3}));
  EXPECT_EQ(shown[4].values[0].shape, (Shape{2, 2, 3, 1}));
  EXPECT_EQ(shown[7].name, "k");
}

TEST(CaseSize, StaysInItsRangeAndReachesBothEnds) {
  std::set<Index> seen;
  for (std::uint64_t seed = 1; seed < 400; seed += 2)
    seen.insert(Draw({seed, {}, Sizing::kAny}).size("N", 2, 5));
  EXPECT_EQ(seen, (std::set<Index>{2, 3, 4, 5}));
}

TEST(CaseSize, IsAtItsMinimumInTheSmallestCase) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Draw draw({seed, {}, Sizing::kSmallest});
    EXPECT_EQ(draw.size("A", 1, 5), 1);
    EXPECT_EQ(draw.size("B", 0, 9), 0);
  }
}

TEST(CaseSize, IsAboveItsMinimumAndDifferentFromTheOthers) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Draw draw({seed, {}, Sizing::kDifferent});
    const Index a = draw.size("A", 1, 5), b = draw.size("B", 1, 5), c = draw.size("C", 1, 5);
    EXPECT_GT(std::min({a, b, c}), 1) << seed;
    EXPECT_EQ((std::set<Index>{a, b, c}).size(), 3U) << seed;
  }
}

TEST(CaseSize, IsDrawnEvenWhereNothingShapelyIsLeft) {
  Draw draw({kOdd, {}, Sizing::kDifferent});
  EXPECT_EQ(draw.size("A", 3, 3), 3);
  EXPECT_EQ(draw.size("B", 3, 3), 3);
}

TEST(CaseSize, ReplaysTheGivenOnesAndDrawsTheRest) {
  Draw draw({kOdd, {4, 2}, Sizing::kAny});
  EXPECT_EQ(draw.size("N", 1, 7), 4);
  EXPECT_EQ(draw.size("D", 1, 7), 2);
  const Index drawn_size = draw.size("K", 1, 7);
  EXPECT_EQ(draw.id().sizes, (std::vector<Index>{4, 2, drawn_size}));
}

TEST(CaseSize, PullsGivenOnesIntoTheirRange) {
  Draw draw({kOdd, {0, 99}, Sizing::kAny});
  EXPECT_EQ(draw.size("N", 1, 7), 1);
  EXPECT_EQ(draw.size("D", 1, 7), 7);
  EXPECT_EQ(draw.id().sizes, (std::vector<Index>{1, 7}));
}

TEST(CaseSize, IsTheSameForAnEvenSeedAndTheOddOneAfterIt) {
  // Shrinking swaps one for the other and must not thereby draw other sizes.
  for (std::uint64_t seed = 0; seed < 40; seed += 2) {
    EXPECT_EQ(Draw({seed, {}, Sizing::kAny}).size("N", 1, 1000),
              Draw({seed + 1, {}, Sizing::kAny}).size("N", 1, 1000));
  }
}

TEST(CaseValue, LiesOnACoarseGridForEvenSeedsAndIsNeverZero) {
  const double scale = 0.5;
  for (std::uint64_t seed = 0; seed < 20; seed += 2) {
    const Matrix x = Draw({seed, {}, Sizing::kAny}).matrix("x", 5, 5, scale);
    for (Index i = 0; i < x.size(); ++i) {
      const double steps = static_cast<double>(x.data()[i]) / (scale / 4);
      EXPECT_EQ(steps, std::rint(steps));
      EXPECT_NE(steps, 0.0);
    }
  }
}

TEST(CaseValue, IsAnyNormalNumberForOddSeeds) {
  const Matrix x = Draw({kOdd, {}, Sizing::kAny}).matrix("x", 20, 20);
  int on_grid = 0;
  for (Index i = 0; i < x.size(); ++i)
    on_grid += std::rint(x.data()[i] * 4) == x.data()[i] * 4 ? 1 : 0;
  EXPECT_LT(on_grid, 4);
  EXPECT_LT(x.minCoeff(), -1.0F);
  EXPECT_GT(x.maxCoeff(), 1.0F);
}

TEST(CaseValue, GrowsWithItsScale) {
  const Matrix one = Draw({kOdd, {}, Sizing::kAny}).matrix("x", 3, 3),
               eight = Draw({kOdd, {}, Sizing::kAny}).matrix("x", 3, 3, 8.0);
  EXPECT_TRUE((eight.array() == 8.0F * one.array()).all());
}

TEST(CaseNumber, StaysInItsRangeAndOnAGridForEvenSeeds) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const double x = Draw({seed, {}, Sizing::kAny}).number("beta", 0.5, 4.5);
    EXPECT_TRUE(x >= 0.5 && x <= 4.5) << x;
    if (seed % 2 == 0) {
      EXPECT_EQ(x * 16, std::rint(x * 16)) << x;
      EXPECT_GT(x, 0.5) << "the lower end is often a special value";
    }
  }
}

TEST(CaseInteger, StaysInItsRangeAndReachesBothEnds) {
  std::set<std::int64_t> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    seen.insert(Draw({seed, {}, Sizing::kAny}).integer("k", -1, 2));
  EXPECT_EQ(seen, (std::set<std::int64_t>{-1, 0, 1, 2}));
}

TEST(Case, KnowsWhetherItsSeedMatters) {
  Draw draw({kOdd, {}, Sizing::kAny});
  draw.show("x", Matrix(Matrix::Zero(1, 1)));
  EXPECT_FALSE(draw.is_random());
  draw.integer("k", 0, 1);
  EXPECT_TRUE(draw.is_random());
}

TEST(Token, NamesSeedAndSizes) {
  EXPECT_EQ((CaseId{kOdd, {1, 2}, Sizing::kAny}).token(), "9c41f07be25d6a13-1x2");
  EXPECT_EQ((CaseId{1, {10}, Sizing::kAny}).token(), "0000000000000001-10");
  EXPECT_EQ((CaseId{~0ULL, {}, Sizing::kAny}).token(), "ffffffffffffffff-0");
}

}  // namespace
}  // namespace latent::grader

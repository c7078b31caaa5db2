// What makes an answer right, and what a wrong one looks like.

#include "grader/judge/compare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace latent::grader {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr Tolerance kExact{0.0, 0.0, 1.0};

/// No two elements the same, no simple ratio between neighbours.
Oracle some_matrix() {
  Oracle x(3, 2);
  x << 0.7, -1.9, 2.3, 0.4, -3.1, 1.6;
  return x;
}

std::string all_lines(const std::optional<Difference>& difference) {
  std::string text;
  if (difference) {
    for (const std::string& line : difference->lines) text += line + '\n';
  }
  return text;
}

bool agree(const Numbers& got, const Numbers& expected, const Tolerance& tolerance = {}) {
  return !compare("", got, expected, tolerance);
}

/// A float32 value is what answers really are.
Numbers as_float(const Oracle& x) {
  return Matrix(x.cast<float>());
}

TEST(Compare, AcceptsTheSameNumbersInFloatOrDouble) {
  EXPECT_TRUE(agree(some_matrix(), some_matrix(), kExact));
  EXPECT_TRUE(agree(as_float(some_matrix()), some_matrix()));
  EXPECT_TRUE(agree(Oracle(0, 3), Oracle(0, 3), kExact));
  EXPECT_TRUE(agree(1.5, 1.5, kExact));
}

TEST(Compare, LooksAtTheShapeBeforeAnyNumber) {
  const Oracle wide = Oracle::Constant(2, 3, kNaN);
  const std::string text = all_lines(compare("y", wide, some_matrix(), {}));
  EXPECT_NE(text.find("y: expected shape [3, 2], got [2, 3]"), std::string::npos) << text;
  EXPECT_EQ(text.find("finite"), std::string::npos) << text;
  EXPECT_FALSE(agree(Oracle(0, 2), Oracle(0, 3)));
  EXPECT_FALSE(agree(OracleRow(OracleRow::Zero(1)), Oracle(Oracle::Zero(1, 1))))
      << "the rank counts";
}

TEST(Compare, LooksForNonFiniteNumbersBeforeValues) {
  Oracle got = some_matrix();
  got(0, 0) += 100.0;
  got(2, 1) = kNaN;
  const std::string text = all_lines(compare("y", got, some_matrix(), {}));
  EXPECT_NE(text.find("expected finite numbers, got nan at [2, 1]"), std::string::npos) << text;
}

TEST(Compare, CatchesNaNAndInfinityAtEveryIndex) {
  for (const double bad : {kNaN, -kNaN, kInf, -kInf}) {
    for (Index i = 0; i < 6; ++i) {
      Oracle got = some_matrix();
      got.data()[i] = bad;
      EXPECT_FALSE(agree(got, some_matrix(), {1e9, 1e9, 1e9})) << bad << " at " << i;
      EXPECT_FALSE(agree(as_float(got), some_matrix())) << bad << " at " << i;
    }
  }
  EXPECT_FALSE(agree(kNaN, 1.0));
}

TEST(Compare, AcceptsAnInfinityOnlyWhereTheSameOneIsExpected) {
  EXPECT_TRUE(agree(kInf, kInf));
  EXPECT_FALSE(agree(-kInf, kInf));
  EXPECT_FALSE(agree(1e300, kInf));
  EXPECT_FALSE(agree(kNaN, kInf));
}

TEST(Compare, NeverTakesANaNForRightEvenIfTheOracleGivesOne) {
  EXPECT_FALSE(agree(kNaN, kNaN));
  EXPECT_FALSE(agree(1.0, kNaN));
}

TEST(Compare, AllowsErrorsUpToTheToleranceAndNoFurther) {
  const auto edge = [](double error, const Tolerance& tolerance) {
    return agree(8.0 + error, 8.0, tolerance);
  };
  const double beyond = 0.25 + 1e-12;
  EXPECT_TRUE(edge(0.25, {0.0, 0.25, 1.0}));
  EXPECT_TRUE(edge(-0.25, {0.0, 0.25, 1.0}));
  EXPECT_FALSE(edge(beyond, {0.0, 0.25, 1.0}));
  EXPECT_FALSE(edge(-beyond, {0.0, 0.25, 1.0}));
  EXPECT_TRUE(edge(0.25, {0.125, 0.0, 2.0})) << "relative to the given scale";
  EXPECT_FALSE(edge(beyond, {0.125, 0.0, 2.0}));
  EXPECT_TRUE(edge(0.25, {1.0 / 32, 0.0, 0.0})) << "relative to the largest expected number";
  EXPECT_FALSE(edge(beyond, {1.0 / 32, 0.0, 0.0}));
  EXPECT_TRUE(edge(0.25, {1.0 / 64, 0.125, 0.0})) << "both parts add up";
  EXPECT_FALSE(edge(beyond, {1.0 / 64, 0.125, 0.0}));
}

TEST(Compare, SeesAWrongElementAtEveryIndex) {
  for (Index i = 0; i < 6; ++i) {
    Oracle got = some_matrix();
    got.data()[i] += 1e-3;
    EXPECT_FALSE(agree(got, some_matrix())) << i;
  }
}

TEST(Compare, SaysWhereTheFirstWrongElementOfALargeTensorIs) {
  const Oracle expected = Oracle::Random(5, 4);
  Oracle got = expected;
  got(3, 2) += 1.0;
  const std::string text = all_lines(compare("dW", got, expected, {}));
  EXPECT_NE(text.find("dW: expected"), std::string::npos) << text;
  EXPECT_NE(text.find("at [3, 2], got"), std::string::npos) << text;
}

TEST(Compare, ShowsSmallTensorsWhole) {
  EXPECT_EQ(all_lines(compare("y", Oracle(Oracle::Ones(1, 2)), Oracle(Oracle::Zero(1, 2)), {})),
            "y: expected [[0, 0]]\ny: got      [[1, 1]]\n");
}

// ---- patterns -----------------------------------------------------------------------------------

std::string pattern(const Numbers& got, const Numbers& expected) {
  return describe_pattern(got, expected).value_or("");
}

TEST(Pattern, SeesAFactor) {
  EXPECT_EQ(pattern(Oracle(2.0 * some_matrix()), some_matrix()), "exactly 2 x");
  EXPECT_EQ(pattern(Oracle(0.5 * some_matrix()), some_matrix()), "exactly 0.5 x");
  EXPECT_EQ(pattern(Oracle(-3.0 * some_matrix()), some_matrix()), "exactly -3 x");
  EXPECT_EQ(pattern(Oracle(some_matrix() / 6.0), some_matrix()), "exactly 0.1666667 x");
  EXPECT_EQ(pattern(as_float(2.0 * some_matrix()), some_matrix()), "exactly 2 x");
}

TEST(Pattern, SeesAFactorPastElementsThatAreZero) {
  Oracle expected = some_matrix();
  expected(1, 0) = 0.0;
  EXPECT_EQ(pattern(Oracle(2.0 * expected), expected), "exactly 2 x");
}

TEST(Pattern, SeesAFlippedSign) {
  EXPECT_EQ(pattern(Oracle(-some_matrix()), some_matrix()), "the sign is flipped");
}

TEST(Pattern, SeesATransposeOfAnyShape) {
  const Oracle square = some_matrix() * some_matrix().transpose() + Oracle(Oracle::Random(3, 3));
  EXPECT_EQ(pattern(Oracle(some_matrix().transpose()), some_matrix()), "this is the transpose");
  EXPECT_EQ(pattern(Oracle(square.transpose()), square), "this is the transpose");
}

TEST(Pattern, SeesAShiftByOneElementEitherWay) {
  OracleRow expected(6), left(6), right(6);
  expected << 0.7, -1.9, 2.3, 0.4, -3.1, 1.6;
  left << -1.9, 2.3, 0.4, -3.1, 1.6, 9.0;
  right << 9.0, 0.7, -1.9, 2.3, 0.4, -3.1;
  EXPECT_EQ(pattern(left, expected), "shifted by one element");
  EXPECT_EQ(pattern(right, expected), "shifted by one element");
}

TEST(Pattern, IsPartOfWhatTheLearnerReads) {
  const std::string text = all_lines(compare("", Oracle(2.0 * some_matrix()), some_matrix(), {}));
  EXPECT_NE(text.find("(exactly 2 x)"), std::string::npos) << text;
  const std::string shape =
      all_lines(compare("", Oracle(some_matrix().transpose()), some_matrix(), {}));
  EXPECT_NE(shape.find("(this is the transpose)"), std::string::npos) << shape;
}

TEST(Pattern, IsNoneOfARightAnswer) {
  EXPECT_EQ(pattern(some_matrix(), some_matrix()), "");
  EXPECT_EQ(pattern(as_float(some_matrix()), some_matrix()), "");
  EXPECT_EQ(pattern(0.0, 0.0), "");
  EXPECT_TRUE(agree(Oracle(Oracle::Identity(3, 3)), Oracle(Oracle::Identity(3, 3)), kExact))
      << "its own transpose";
}

TEST(Pattern, IsNoneOfAnswersThatAreMerelyCloseToOne) {
  Oracle nearly_double = 2.0 * some_matrix(), nearly_transposed = some_matrix().transpose();
  nearly_double(2, 1) += 0.01;
  nearly_transposed(1, 2) += 0.01;
  EXPECT_EQ(pattern(nearly_double, some_matrix()), "");
  EXPECT_EQ(pattern(nearly_transposed, some_matrix()), "");
  for (const double factor : {1.5, 1.99, 2.001, 0.501, -0.99, 1.0001, 0.0}) {
    EXPECT_EQ(pattern(Oracle(factor * some_matrix()), some_matrix()), "") << factor;
  }
  OracleRow expected(6), nearly_shifted(6);
  expected << 0.7, -1.9, 2.3, 0.4, -3.1, 1.6;
  nearly_shifted << -1.9, 2.3, 0.4, -3.0, 1.6, 9.0;
  EXPECT_EQ(pattern(nearly_shifted, expected), "");
}

TEST(Pattern, IsNoShiftWhereEqualNeighboursOnlyLookLikeOne) {
  OracleRow ones = OracleRow::Ones(6), wrong_end = OracleRow::Ones(6);
  wrong_end(5) = 9.0;
  EXPECT_EQ(pattern(wrong_end, ones), "");
  EXPECT_EQ(pattern(wrong_end, OracleRow(OracleRow::Zero(6))), "");
}

TEST(Pattern, IsNoneWhereNumbersAreNotFinite) {
  Oracle broken = 2.0 * some_matrix();
  for (const double bad : {kNaN, kInf}) {
    broken(0, 0) = bad;
    EXPECT_EQ(pattern(broken, some_matrix()), "") << bad;
  }
}

// ---- what diagnosis and display need ------------------------------------------------------------

Reply reply_of(const Oracle& x) {
  Reply reply{Outcome::kValue, {}, {}};
  encode(x, reply.values);
  return reply;
}

TEST(SameReply, IsTrueUpToRoundingOnly) {
  const Reply reply = reply_of(some_matrix());
  EXPECT_TRUE(same_reply(reply, reply));
  EXPECT_TRUE(same_reply(reply, reply_of(some_matrix() * (1.0 + 1e-12))));
  EXPECT_FALSE(same_reply(reply, reply_of(some_matrix() * (1.0 + 1e-8))));
  Reply in_float{Outcome::kValue, {}, {}}, near_float = in_float, far_float = in_float;
  encode(Matrix(some_matrix().cast<float>()), in_float.values);
  encode(Matrix((some_matrix() * (1.0 + 1e-6)).cast<float>()), near_float.values);
  encode(Matrix((some_matrix() * (1.0 + 1e-4)).cast<float>()), far_float.values);
  EXPECT_TRUE(same_reply(in_float, near_float));
  EXPECT_FALSE(same_reply(in_float, far_float));
  EXPECT_FALSE(same_reply(in_float, reply)) << "another type";
}

TEST(SameReply, TakesNaNForNaNAndInfinityForInfinity) {
  Oracle broken = some_matrix(), other = some_matrix();
  broken(1, 1) = kNaN;
  other(1, 1) = kInf;
  EXPECT_TRUE(same_reply(reply_of(broken), reply_of(broken)));
  EXPECT_TRUE(same_reply(reply_of(other), reply_of(other)));
  EXPECT_FALSE(same_reply(reply_of(broken), reply_of(other)));
  EXPECT_FALSE(same_reply(reply_of(broken), reply_of(some_matrix())));
}

TEST(SameReply, ComparesOutcomesShapesAndHowManyValues) {
  const Reply refused{Outcome::kRefused, {}, {}}, threw{Outcome::kThrew, {}, {}};
  EXPECT_TRUE(same_reply(refused, refused));
  EXPECT_FALSE(same_reply(refused, threw));
  EXPECT_FALSE(same_reply(reply_of(some_matrix()), reply_of(some_matrix().transpose())));
  Reply twice = reply_of(some_matrix());
  twice.values.push_back(twice.values[0]);
  EXPECT_FALSE(same_reply(twice, reply_of(some_matrix())));
}

TEST(ToText, NestsBracketsAsDeepAsTheRank) {
  EXPECT_EQ(to_text(Numbers(1.5)), "1.5");
  EXPECT_EQ(to_text(Numbers(Oracle(Oracle::Identity(2, 2)))), "[[1, 0], [0, 1]]");
  EXPECT_EQ(to_text(Numbers(Tensor4(1, 1, 1, 2, 3.0F))), "[[[[3, 3]]]]");
  EXPECT_EQ(to_text(Numbers(Oracle(0, 2))), "[]");
}

TEST(ToText, ShortensWhatIsLong) {
  const std::string text = to_text(Numbers(Oracle(Oracle::Constant(5, 4, 0.25))));
  EXPECT_EQ(text, "shape [5, 4], first elements 0.25 0.25 0.25 0.25 0.25 0.25");
}

}  // namespace
}  // namespace latent::grader

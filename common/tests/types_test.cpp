#include "common/types.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace latent {
namespace {

/// What the call throws, or "" if it does not.
template <typename Exception, typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Exception& e) {
    return e.what();
  }
  return "";
}

TEST(Matrix, KeepsEachSampleInOneContiguousRow) {
  Matrix x(2, 3);
  x << 1, 2, 3, 4, 5, 6;
  for (Index i = 0; i < x.size(); ++i) EXPECT_EQ(x.data()[i], static_cast<float>(i + 1));
}

TEST(Tensor4, HasNoElementsByDefault) {
  const Tensor4 empty;
  EXPECT_EQ(empty.size(), 0);
  EXPECT_EQ(empty.shape(), (Shape{0, 0, 0, 0}));
}

TEST(Tensor4, ReportsTheSizesInTheOrderNCHW) {
  const Tensor4 x(2, 3, 5, 7);
  EXPECT_EQ(x.n(), 2);
  EXPECT_EQ(x.c(), 3);
  EXPECT_EQ(x.h(), 5);
  EXPECT_EQ(x.w(), 7);
  EXPECT_EQ(x.size(), 2 * 3 * 5 * 7);
  EXPECT_EQ(x.shape(), (Shape{2, 3, 5, 7}));
}

TEST(Tensor4, IsFilledWithZerosOrTheGivenValue) {
  const Tensor4 zeros(1, 2, 2, 1), halves(1, 2, 2, 1, 0.5F);
  for (Index i = 0; i < zeros.size(); ++i) {
    EXPECT_EQ(zeros.data()[i], 0.0F);
    EXPECT_EQ(halves.data()[i], 0.5F);
  }
}

TEST(Tensor4, StoresTheElementsWithWFastestAndNSlowest) {
  Tensor4 x(2, 3, 4, 5);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  float next = 0.0F;
  for (Index n = 0; n < 2; ++n) {
    for (Index c = 0; c < 3; ++c) {
      for (Index h = 0; h < 4; ++h) {
        for (Index w = 0; w < 5; ++w) EXPECT_EQ(std::as_const(x)(n, c, h, w), next++);
      }
    }
  }
}

TEST(Tensor4, WritesThroughTheSameIndexThatItReads) {
  Tensor4 x(2, 2, 2, 2);
  x(1, 0, 1, 0) = 3.0F;
  EXPECT_EQ(x.data()[10], 3.0F);
  float sum = 0.0F;
  for (Index i = 0; i < x.size(); ++i) sum += x.data()[i];
  EXPECT_EQ(sum, 3.0F);
}

TEST(Tensor4, RefusesAnIndexOnePastEachEnd) {
  const Tensor4 x(2, 3, 4, 5);
  const Index last[] = {1, 2, 3, 4};
  for (int axis = 0; axis < 4; ++axis) {
    for (const bool before : {true, false}) {
      Index at[] = {0, 0, 0, 0};
      at[axis] = before ? -1 : last[axis] + 1;
      EXPECT_THROW(x(at[0], at[1], at[2], at[3]), std::out_of_range) << "axis " << axis;
    }
  }
  EXPECT_EQ(x(1, 2, 3, 4), 0.0F);
}

TEST(Tensor4, NamesIndexAndShapeWhenItRefuses) {
  const Tensor4 x(2, 3, 4, 5);
  const std::string message = message_of<std::out_of_range>([&] { return x(0, 3, 0, 0); });
  EXPECT_NE(message.find("[0, 3, 0, 0]"), std::string::npos) << message;
  EXPECT_NE(message.find("[2, 3, 4, 5]"), std::string::npos) << message;
}

TEST(Tensor4, RefusesNegativeSizesAndSaysWhichCame) {
  EXPECT_THROW(Tensor4(-1, 1, 1, 1), std::invalid_argument);
  EXPECT_THROW(Tensor4(1, -1, 1, 1), std::invalid_argument);
  EXPECT_THROW(Tensor4(1, 1, -1, 1), std::invalid_argument);
  const std::string message = message_of<std::invalid_argument>([] { Tensor4(1, 2, 3, -4); });
  EXPECT_NE(message.find("[1, 2, 3, -4]"), std::string::npos) << message;
  EXPECT_NE(message.find("expected"), std::string::npos) << message;
}

TEST(Tensor4, MayHaveASizeOfZeroAndThenHasNoElements) {
  const Tensor4 x(2, 0, 3, 4);
  EXPECT_EQ(x.size(), 0);
  EXPECT_EQ(x.shape(), (Shape{2, 0, 3, 4}));
  EXPECT_THROW(x(0, 0, 0, 0), std::out_of_range);
}

TEST(ToString, WritesShapesInBracketsSeparatedByCommas) {
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(Shape{7}), "[7]");
  EXPECT_EQ(to_string(Shape{3, 512, -1}), "[3, 512, -1]");
}

TEST(ShapeOf, GivesRowsThenColumns) {
  EXPECT_EQ(shape_of(Matrix(4, 2)), "[4, 2]");
  EXPECT_EQ(shape_of(RowVector(3)), "[1, 3]");
  EXPECT_EQ(shape_of(DoubleVector(3)), "[3, 1]");
  EXPECT_EQ(shape_of(Tensor4(1, 2, 3, 4)), "[1, 2, 3, 4]");
}

}  // namespace
}  // namespace latent

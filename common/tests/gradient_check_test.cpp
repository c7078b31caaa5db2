#include "common/gradient_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace latent {
namespace {

/// A sum of cubes: its gradient is 3 x^2, so that no two elements have the same.
double sum_of_cubes(const Matrix& x) {
  double sum = 0.0;
  for (Index i = 0; i < x.size(); ++i) sum += std::pow(static_cast<double>(x.data()[i]), 3);
  return sum;
}

Matrix point() {
  Matrix x(2, 3);
  x << 0.5F, -1.0F, 2.0F, 1.5F, -0.25F, 0.75F;
  return x;
}

Matrix right_gradient() {
  return 3.0F * point().array().square();
}

TEST(GradientCheck, AcceptsTheRightGradient) {
  EXPECT_LE(check_gradient(sum_of_cubes, point(), right_gradient()).worst_error, 1e-3);
}

TEST(GradientCheck, SeesAForgottenFactorTwo) {
  for (const float factor : {0.5F, 2.0F, -1.0F}) {
    const GradientCheck found = check_gradient(sum_of_cubes, point(), factor * right_gradient());
    EXPECT_GE(found.worst_error, 0.4) << factor;
  }
}

TEST(GradientCheck, PointsAtTheWorstElementWithBothNumbers) {
  Matrix gradient = right_gradient();
  gradient(1, 0) += 5.0F;
  gradient(0, 1) += 0.5F;
  const GradientCheck found = check_gradient(sum_of_cubes, point(), gradient);
  EXPECT_EQ(found.row, 1);
  EXPECT_EQ(found.col, 0);
  EXPECT_EQ(found.analytic, static_cast<double>(gradient(1, 0)));
  EXPECT_LE(std::abs(found.numeric - 6.75), 1e-2);
}

TEST(GradientCheck, TakesNaNForTheWorstOfAll) {
  Matrix gradient = right_gradient();
  gradient(0, 2) += 1000.0F;
  gradient(1, 1) = std::numeric_limits<float>::quiet_NaN();
  const GradientCheck found = check_gradient(sum_of_cubes, point(), gradient);
  EXPECT_EQ(found.worst_error, std::numeric_limits<double>::infinity());
  EXPECT_EQ(found.row, 1);
  EXPECT_EQ(found.col, 1);
}

TEST(GradientCheck, SeesAFunctionThatGivesNaN) {
  const auto broken = [](const Matrix&) { return std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_EQ(check_gradient(broken, point(), right_gradient()).worst_error,
            std::numeric_limits<double>::infinity());
}

TEST(GradientCheck, IsRelativeForLargeGradientsAndStepsWithTheElement) {
  Matrix x(1, 1), gradient(1, 1);
  x << 3000.0F;
  gradient << 3.0F * 3000.0F * 3000.0F;
  EXPECT_LE(check_gradient(sum_of_cubes, x, gradient).worst_error, 1e-3);
}

TEST(GradientCheck, MovesOneElementAtATimeAndPutsItBack) {
  const Matrix x = point();
  const auto f = [&x](const Matrix& moved) {
    EXPECT_EQ((moved.array() != x.array()).count(), 1);
    return sum_of_cubes(moved);
  };
  EXPECT_LE(check_gradient(f, x, right_gradient()).worst_error, 1e-3);
}

TEST(GradientCheck, FindsNothingInAnEmptyMatrix) {
  EXPECT_EQ(check_gradient(sum_of_cubes, Matrix(0, 3), Matrix(0, 3)).worst_error, 0.0);
}

TEST(GradientCheck, RefusesAGradientOfAnotherShapeAndNamesBoth) {
  try {
    check_gradient(sum_of_cubes, point(), Matrix::Zero(3, 2));
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find("[2, 3]"), std::string::npos) << message;
    EXPECT_NE(message.find("[3, 2]"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace latent

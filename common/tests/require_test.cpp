#include "common/require.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/types.hpp"

namespace latent {
namespace {

struct Aggregate {
  Matrix matrix;
  double number = 0.0;
};

/// Exercises as a stub writes them, one for each kind of result.
double number_stub(double x) {
  return todo(x);
}
Matrix matrix_stub(const Matrix& x, std::int64_t n) {
  return todo(x, n);
}
Tensor4 tensor_stub() {
  return todo();
}
Shape shape_stub(const Shape& x) {
  return todo(x);
}
Aggregate aggregate_stub(const Aggregate& x) {
  return todo(x);
}

template <typename Call>
std::string refusal_of(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(Require, LetsThroughWhatHolds) {
  EXPECT_NO_THROW(require(true, "never shown"));
}

TEST(Require, ThrowsInvalidArgumentWithTheMessageAsItIs) {
  EXPECT_EQ(refusal_of([] { require(false, "expected 2 columns, got 3"); }),
            "expected 2 columns, got 3");
}

TEST(RequireSize, LetsThroughEqualSizes) {
  EXPECT_NO_THROW(require_size(3, 3, "rows of x"));
}

TEST(RequireSize, SaysWhatWasExpectedAndWhatCame) {
  EXPECT_EQ(refusal_of([] { require_size(3, 2, "columns of x"); }),
            "columns of x: expected 2, got 3");
  EXPECT_EQ(refusal_of([] { require_size(-1, 0, "rows"); }), "rows: expected 0, got -1");
}

TEST(Todo, ThrowsNotAttemptedFromAFunctionOfAnyResult) {
  EXPECT_THROW(number_stub(1.0), NotAttempted);
  EXPECT_THROW(matrix_stub(Matrix(1, 1), 2), NotAttempted);
  EXPECT_THROW(tensor_stub(), NotAttempted);
  EXPECT_THROW(shape_stub({1}), NotAttempted);
  EXPECT_THROW(aggregate_stub({}), NotAttempted);
}

TEST(Todo, IsNeverTakenForARefusal) {
  // The grader tells "not started" from "refused" by these types.
  EXPECT_FALSE((std::is_base_of_v<std::invalid_argument, NotAttempted>));
  EXPECT_FALSE((std::is_base_of_v<NotAttempted, std::invalid_argument>));
  EXPECT_THROW((void)static_cast<int>(Todo{}), NotAttempted);
}

}  // namespace
}  // namespace latent

/// @file
/// Compares an answer with what was expected, shape first, then finiteness, then value, and says
/// what the difference looks like.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "grader/wire/codec.hpp"

namespace latent::grader {

/// The type of every oracle: double precision, row-major like the answers.
using Oracle = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// An oracle's answer where the contract returns a RowVector.
using OracleRow = Eigen::Matrix<double, 1, Eigen::Dynamic, Eigen::RowMajor>;

/// Numbers in double precision with a shape.
struct Numbers {
  Shape shape;
  std::vector<double> elements;

  Numbers() = default;
  explicit Numbers(const Value& value);

  /// From anything that can travel as one value, and from oracles.
  template <typename T>
  requires(!std::is_same_v<T, Value> && !std::is_same_v<T, Numbers>) Numbers(const T& object)
      : Numbers(single(object)) {}  // NOLINT(google-explicit-constructor)

 private:
  template <typename T>
  static Value single(const T& object) {
    if constexpr (codec::kIsEigen<T>) {
      static_assert(T::IsRowMajor || T::IsVectorAtCompileTime, "an oracle is row-major");
    }
    std::vector<Value> values;
    encode(object, values);
    if (values.size() != 1) throw WireError("one tensor at a time is compared");
    return values.front();
  }
};

/// Largest error that is still right: relative * scale + absolute.
struct Tolerance {
  double relative = 2e-5;  ///< About 170 units in the last place of a float.
  double absolute = 1e-6;
  double scale = 0.0;  ///< Largest magnitude that enters the result; 0: the largest expected value.
};

/// For results that the contract asks for in double precision.
inline constexpr Tolerance kDouble{1e-10, 1e-12, 0.0};

/// What is wrong with an answer.
struct Difference {
  std::vector<std::string> lines;  ///< For the learner, without the inputs.
};

/// @param what       Names the result, for example "dW"; may be empty.
/// @param got        The answer.
/// @param expected   The oracle's.
/// @param tolerance  Largest error that is still right.
/// @return           Nothing where the answer is right.
std::optional<Difference> compare(const std::string& what, const Numbers& got,
                                  const Numbers& expected, const Tolerance& tolerance);

/// "exactly 0.5 x", "the sign is flipped", "this is the transpose", "shifted by one element": what
/// the difference looks like, where it looks like anything.
std::optional<std::string> describe_pattern(const Numbers& got, const Numbers& expected);

/// Whether two replies of one function are the same up to rounding, NaN equal to NaN.
bool same_reply(const Reply& a, const Reply& b);

/// "[[1, 2], [3, 4]]", or only its shape and first elements where that would not fit on a line.
std::string to_text(const Numbers& numbers);

}  // namespace latent::grader

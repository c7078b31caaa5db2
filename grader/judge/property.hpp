/// @file
/// How a hidden test is written: one sentence about mathematics, and a body that draws inputs, asks
/// the submission and compares with an oracle of its own.
///
/// @code
/// DEFINES(linear_forward, "is x W^T + b, row by row") {
///   const Index n = draw.size("N", 1, 7), in = draw.size("Di", 1, 6), out = draw.size("Do", 1, 6);
///   const Matrix x = draw.matrix("x", n, in), weight = draw.matrix("W", out, in);
///   const RowVector bias = draw.row("b", out);
///   expect_near("y", ASK(linear_forward, x, weight, bias), linear_oracle(x, weight, bias));
/// }
/// @endcode
///
/// A body runs several times: once with sizes that are all different and above their minimum, once
/// with the smallest, then with random ones. The first failing case is shrunk.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "grader/judge/case.hpp"
#include "grader/judge/compare.hpp"
#include "grader/judge/submission.hpp"

namespace latent::grader {

/// An answer that is not right; ends the case.
struct Mismatch {
  std::vector<std::string> lines;
};

/// A call that ended without a value where the contract promises one; ends the case.
struct Unanswered {
  std::string operation;
  Reply reply;
};

/// The property waits for another one of its exercise.
struct Waiting {
  std::string sentence;
};

/// Base of every hidden property.
class Property : public testing::Test {
 protected:
  Draw draw;

  /// Runs the property once.
  virtual void body() = 0;

  /// Calls a function of the submission and demands a value.
  template <typename F, typename... Arguments>
  typename Signature<F>::Result ask(const char* operation, const Arguments&... arguments) {
    const Reply reply = request({operation, Signature<F>::pack(arguments...)});
    if (reply.outcome != Outcome::kValue) throw Unanswered{operation, reply};
    try {
      return Signature<F>::result(reply.values);
    } catch (const WireError& e) {
      throw Unanswered{operation, {Outcome::kGarbled, {}, e.what()}};
    }
  }

  /// Calls a function of the submission and reports how the call ended.
  template <typename F, typename... Arguments>
  Reply attempt(const char* operation, const Arguments&... arguments) {
    return request({operation, Signature<F>::pack(arguments...)});
  }

  /// Fails the case unless the answer agrees with the oracle: shape, then finiteness, then value.
  static void expect_near(const std::string& what, const Numbers& got, const Numbers& expected,
                          const Tolerance& tolerance = {});

  /// Fails the case unless every element is the same, bit for bit up to the sign of zero.
  static void expect_equal(const std::string& what, const Numbers& got, const Numbers& expected);

  /// Fails the case unless the call was refused with std::invalid_argument.
  /// @param reply  From REPLY(...).
  /// @param why    What the contract refuses here, for example "W has 3 columns, x has 2".
  static void expect_refused(const Reply& reply, const std::string& why);

  /// Fails the case unless it holds.
  /// @param message  For the learner: what should hold, and what came.
  static void expect(bool holds, const std::string& message);

  /// Skips this property unless another one of its exercise has passed.
  void after(const std::string& sentence) const;

 private:
  void TestBody() final;
  Reply request(const Request& request);
  std::vector<std::string> failure_of(const CaseId& id, bool* can_shrink);
  void shrink(CaseId& id, std::vector<std::string>& failure);
};

/// The submission's answer; ends the case unless it is a value.
#define ASK(function, ...) \
  this->template ask<decltype(::latent::function)>(#function __VA_OPT__(, ) __VA_ARGS__)

/// How the call ended, to hand to expect_refused.
#define REPLY(function, ...) \
  this->template attempt<decltype(::latent::function)>(#function __VA_OPT__(, ) __VA_ARGS__)

/// What is known of a property before it runs.
struct PropertyInfo {
  std::string exercise;  ///< The exercise's name, for example "linear_forward".
  std::string sentence;
  bool defining = false;  ///< Without it the exercise earns nothing.
  int index = 0;          ///< Counts from 1 within the exercise.
};

/// All properties linked into this program, in the order of their files.
const std::vector<PropertyInfo>& properties();

/// Registers a property with GoogleTest, its sentence as the test's name.
struct PropertyRegistration {
  PropertyRegistration(const char* exercise, const char* sentence, bool defining,
                       Property* (*make)(), const char* file, int line);
};

// clang-format off
#define LATENT_PROPERTY_(exercise, sentence, defining, id) LATENT_PROPERTY_ID_(exercise, sentence, defining, id)
#define LATENT_PROPERTY_ID_(exercise, sentence, defining, id)                                     \
  class Property_##id final : public ::latent::grader::Property { void body() override; };        \
  const ::latent::grader::PropertyRegistration registration_##id(                                 \
      #exercise, sentence, defining,                                                              \
      []() -> ::latent::grader::Property* { return new Property_##id; }, __FILE__, __LINE__);     \
  void Property_##id::body()
// clang-format on

/// The property without which the exercise earns nothing: what the function is. One per exercise.
#define DEFINES(exercise, sentence) LATENT_PROPERTY_(exercise, sentence, true, __COUNTER__)

/// Any other property.
#define PROPERTY(exercise, sentence) LATENT_PROPERTY_(exercise, sentence, false, __COUNTER__)

}  // namespace latent::grader

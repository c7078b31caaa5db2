/// @file
/// The questions of a chapter. `labs/NN_name/answers.toml` is printed from these, so that text and
/// answer cannot drift apart; numbers and the order of choices can be drawn per learner.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "common/random.hpp"

namespace latent::grader {

/// A right choice and its rivals.
struct Choice {
  std::string right;
  std::vector<std::string> wrong;
};

/// A number, right within the tolerance.
struct Number {
  double value = 0.0;
  double relative_tolerance = 1e-3;
};

/// A question as one learner sees it.
struct Sheet {
  std::string text;
  std::variant<Choice, Number> answer;
  std::string explanation;  ///< Shown after the first try, right or wrong.
};

/// A question. `make(nullptr)` is the version printed in the workbook; with a generator its numbers
/// are drawn.
struct Question {
  std::string id;   ///< "1.q3"
  std::string lab;  ///< "01_autoencoder"
  std::string key;  ///< "midpoint", its name in answers.toml
  std::function<Sheet(Random*)> make;
};

const std::vector<Question>& questions();

/// QUESTION(key) { return Sheet{...}; } with `Random* random` in scope.
struct QuestionRegistration {
  QuestionRegistration(const char* file, const char* key, Sheet (*make)(Random*));
};

// clang-format off
#define QUESTION(key)                                                                            \
  static ::latent::grader::Sheet question_##key(::latent::Random* random);                       \
  static const ::latent::grader::QuestionRegistration registration_##key(__FILE__, #key, &question_##key); \
  static ::latent::grader::Sheet question_##key([[maybe_unused]] ::latent::Random* random)
// clang-format on

}  // namespace latent::grader

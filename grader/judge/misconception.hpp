/// @file
/// Named wrong answers, and right ones in other words. Both are plain functions with a contract's
/// signature; the first must be rejected and named, the second accepted and never named.
#pragma once

#include <string>
#include <vector>

#include "grader/judge/submission.hpp"

namespace latent::grader {

/// A wrong answer that people give.
struct Misconception {
  std::string id;       ///< "linear.weight-not-transposed", what `./lab why` takes.
  std::string lab;      ///< "01_autoencoder"
  std::string scope;    ///< The C++ namespace that holds the function.
  Operation operation;  ///< The wrong function under the right one's name.
  std::string verdict;  ///< One or two sentences: what was done, and what belongs there.
  std::string why;      ///< A paragraph: why it is wrong, where it happened for real, with source.
};

/// A right answer in other words.
struct Alternative {
  std::string lab;
  std::string scope;
  Operation operation;
};

const std::vector<Misconception>& misconceptions();
const std::vector<Alternative>& alternatives();

struct MisconceptionRegistration {
  MisconceptionRegistration(const char* file, const char* scope, Operation operation,
                            const char* id, const char* verdict, const char* why);
};
struct AlternativeRegistration {
  AlternativeRegistration(const char* file, const char* scope, Operation operation);
};

// clang-format off
/// MISCONCEPTION(scope, function, id, verdict, why): `latent::scope::function` is wrong.
#define MISCONCEPTION(scope, function, ...)                                                  \
  const ::latent::grader::MisconceptionRegistration registration_##scope##_##function(       \
      __FILE__, #scope, {#function, &::latent::grader::call<&::latent::scope::function>}, __VA_ARGS__);

/// ALTERNATIVE(scope, function): `latent::scope::function` is right.
#define ALTERNATIVE(scope, function)                                                         \
  const ::latent::grader::AlternativeRegistration registration_##scope##_##function(         \
      __FILE__, #scope, {#function, &::latent::grader::call<&::latent::scope::function>});
// clang-format on

/// One call and its answer, kept for the diagnosis.
struct Exchange {
  Request request;
  Reply reply;
};

/// The misconception that explains every answer, where there is exactly one.
///
/// Claimed only if all answers to the function's requests are the misconception's, at least two of
/// these differ from the right answer, and no other misconception explains them as well.
///
/// @param lab         The lab whose misconceptions to try.
/// @param transcript  Every exchange about the exercise.
/// @return            The misconception, or null.
const Misconception* diagnose(const Lab& lab, const std::vector<Exchange>& transcript);

}  // namespace latent::grader

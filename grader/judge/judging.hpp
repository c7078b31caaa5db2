/// @file
/// The state of the one judging that this process does: GoogleTest creates the properties, so they
/// find their submission here.
#pragma once

#include <chrono>
#include <map>

#include "grader/judge/judge.hpp"
#include "grader/judge/misconception.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {

/// What is known of one exercise while it is being judged.
struct ExerciseJudging {
  const Exercise* exercise = nullptr;
  std::vector<PropertyResult> properties;
  std::vector<Exchange> transcript;  ///< For the diagnosis.
  std::string waits_for;             ///< The id of an exercise that has not passed, or empty.
  std::optional<Outcome> gave_up;    ///< After a timeout or many crashes it is not asked again.
  int crashes = 0;
  std::string output;
  std::size_t transcript_bytes = 0;
  std::chrono::duration<double> waited{0};  ///< For all answers together.

  bool all_passed() const;
};

/// One judging.
struct Judging {
  const Lab* lab = nullptr;
  Submission* submission = nullptr;
  JudgeOptions options;
  std::map<std::string, ExerciseJudging> exercises;  ///< By name.
  ExerciseJudging* current = nullptr;

  /// Prepares an exercise the first time it is asked for.
  ExerciseJudging& exercise(const std::string& name);
};

/// The judging of this process.
Judging& current_judging();

}  // namespace latent::grader

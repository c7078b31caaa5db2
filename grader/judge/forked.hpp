/// @file
/// Judging in a child process: GoogleTest runs once per process, and a fault in a hidden test must
/// not take the grader along.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>

#include "grader/judge/judge.hpp"
#include "grader/judge/misconception.hpp"

namespace latent::grader {

/// The grader itself has failed. It is never a grade.
struct GraderFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the child is asked for.
struct JudgeTask {
  const Lab* lab = nullptr;
  std::function<std::unique_ptr<Submission>()> make_submission;  ///< Called in the child.
  JudgeOptions options;
};

/// Judges in a child process.
/// @throws GraderFailure  if the child does not come back with results.
std::vector<ExerciseResult> judge_forked(const JudgeTask& task);

}  // namespace latent::grader

/// @file
/// Judges one lab of one submission, in this process and once: GoogleTest cannot be run twice.
/// Callers that judge more than once fork, see grader/judge/forked.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "grader/judge/case.hpp"
#include "grader/judge/submission.hpp"

namespace latent::grader {

/// How an exercise came out.
enum class Verdict { kPass, kFail, kNotStarted, kWaits, kDoesNotCompile, kCrashed, kTimedOut };

/// How a property came out.
enum class PropertyVerdict { kPass, kFail, kSkip };

/// @return The word used in reports, for example "not_started".
std::string to_string(Verdict verdict);
std::string to_string(PropertyVerdict verdict);

struct PropertyResult {
  std::string sentence;
  PropertyVerdict verdict = PropertyVerdict::kSkip;
  bool defining = false;
  std::optional<Outcome> ended;      ///< How the call ended, where it ended without a value.
  std::vector<std::string> message;  ///< For the learner; not shown in sealed runs.
  std::string smallest;              ///< "N=1 D=2", for the smallest failing case.
  CaseId id;                         ///< The failing case.
  std::string replay;                ///< The token of `./lab replay`, which names it.
};

struct ExerciseResult {
  std::string id;
  Verdict verdict = Verdict::kNotStarted;
  int score = 0;
  std::string reason;  ///< One sentence where there are no properties to show.
  std::vector<PropertyResult> properties;
  std::string diagnosis;               ///< The id of a misconception, or empty.
  std::string output;                  ///< What the learner's code printed, escaped and cut.
  std::vector<std::string> helped_by;  ///< Exercises whose reference was linked in.
};

struct JudgeOptions {
  std::uint64_t seed = 0;
  std::set<std::string> only;                ///< Exercise ids to judge; empty: all.
  std::set<std::string> not_ready;           ///< Ids that count as not passed beforehand.
  std::optional<std::string> only_property;  ///< Replay: this sentence, this case, nothing else.
  CaseId replay;
  int cases = 5;                 ///< Runs of each property.
  bool diagnose_always = false;  ///< Also what passes; for authors.
};

/// Runs the lab's hidden properties and scores them.
/// @param lab         What to judge.
/// @param submission  Who answers.
/// @param options     Seed and selection.
/// @return            One result per exercise of the lab that was selected, in order.
std::vector<ExerciseResult> judge(const Lab& lab, Submission& submission,
                                  const JudgeOptions& options);

}  // namespace latent::grader

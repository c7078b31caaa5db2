/// @file
/// Grades a submission: builds what is needed of it, judges lab after lab, reads the answers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "grader/judge/judge.hpp"
#include "grader/judge/property.hpp"
#include "grader/judge/question.hpp"
#include "grader/judge/workshop.hpp"

namespace latent::grader {

/// One answered question.
struct QuestionResult {
  const Question* question = nullptr;
  Sheet sheet;
  bool answered = false;
  bool right = false;
  std::string given;    ///< Fit to be shown.
  std::string problem;  ///< Why the answer cannot be read, or empty.
};

/// One exercise, with what its file said.
struct GradedExercise {
  const Exercise* exercise = nullptr;
  ExerciseResult result;
  std::string file;
  std::string source_sha256;
  std::vector<Diagnostic> diagnostics;
};

struct GradedLab {
  const Lab* lab = nullptr;
  std::vector<GradedExercise> exercises;
  std::vector<QuestionResult> questions;

  int score() const;
  int max() const;
};

struct Report {
  std::uint64_t seed = 0;
  std::string submission;
  std::string learner;
  std::string device;  ///< What kernels ran on, or empty. If they did, there was no sandbox.
  bool sealed = false;
  bool verbose = false;             ///< Show every failing property in full, not only the first.
  std::set<std::string> explained;  ///< Ids of questions answered right whose explanation was seen.
  std::vector<GradedLab> labs;

  int score() const;
  int max() const;
  bool complete() const;  ///< Full marks for all that was graded.
};

struct GradeOptions {
  std::string submission;      ///< A folder laid out like labs/.
  std::string state;           ///< Where compiled objects are kept.
  std::set<std::string> only;  ///< Exercise ids; empty: all.
  std::uint64_t seed = 0;
  std::string learner;
  bool sealed = false;
  bool questions = true;
  std::string device;         ///< "cuda" or "emulated": solutions' kernels, without sandbox.
  bool for_debugger = false;  ///< Replay: also keep what a debugger takes.
  std::function<void(const std::string&)>
      progress;  ///< Told what is being done, for a status line.
};

/// @throws GraderFailure  if the grader itself fails.
Report grade(const GradeOptions& options);

/// One case again.
struct Replayed {
  GradedExercise exercise;
  std::string worker;    ///< To be run in a debugger, if that was asked for and can be built.
  std::string requests;  ///< What it is to read from descriptor 3.
};

/// Replays one case, and says how it came out.
/// @param exercise  Its id.
/// @param property  Counts from 1.
Replayed replay(const GradeOptions& options, const std::string& exercise, int property,
                const CaseId& id);

/// The questions of a lab as one learner sees them, choices in that learner's order.
/// @param learner  Empty: as printed in the workbook.
std::vector<std::pair<const Question*, Sheet>> sheets(const Lab& lab, const std::string& learner);

/// The text of answers.toml.
/// @param with_answers  The instructor's copy.
std::string answer_sheet(const Lab& lab, const std::string& learner, bool with_answers);

/// The choices of a question in the order shown, and the letter of the right one.
struct Choices {
  std::vector<std::string> shown;
  char right = 'a';
};
Choices choices(const Question& question, const Choice& choice, const std::string& learner);

/// Finds a lab or exercise by id. Null if there is none.
const Lab* find_lab(const std::string& id);
const Exercise* find_exercise(const std::string& id);
const Lab& lab_of(const Exercise& exercise);

/// The earlier labs whose functions a lab's worker is linked with.
std::vector<const Lab*> labs_needed_by(const Lab& lab);

/// Property `number` of an exercise, counting from 1, or null.
const PropertyInfo* find_property(const Exercise& exercise, int number);

}  // namespace latent::grader

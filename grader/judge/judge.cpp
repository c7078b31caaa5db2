#include "grader/judge/judge.hpp"

#include <algorithm>

#include "grader/judge/judging.hpp"

namespace latent::grader {
namespace {

/// An answer that depends on anything but its arguments is none.
void ask_again(Judging& judging, ExerciseJudging& exercise) {
  if (exercise.transcript.empty() || !exercise.all_passed() || judging.options.only_property)
    return;
  const Exchange& first = exercise.transcript.front();
  const Reply again = judging.submission->ask(first.request);
  if (again.outcome == first.reply.outcome && again.values == first.reply.values) return;
  for (PropertyResult& property : exercise.properties) {
    if (!property.defining) continue;
    property.verdict = PropertyVerdict::kFail;
    property.message = {"the first question was asked again at the end, and another answer came",
                        "a result may depend on nothing but the arguments"};
  }
}

/// Defining property: all points but one for each other property, which earn one each.
int score(const ExerciseJudging& exercise) {
  const auto& properties = exercise.properties;
  const auto passed = [](const PropertyResult& p) { return p.verdict == PropertyVerdict::kPass; };
  const auto others = std::count_if(properties.begin(), properties.end(),
                                    [](const PropertyResult& p) { return !p.defining; });
  const bool is_defined =
      std::any_of(properties.begin(), properties.end(),
                  [&](const PropertyResult& p) { return p.defining && passed(p); });
  if (!is_defined) return 0;
  const auto earned =
      std::count_if(properties.begin(), properties.end(),
                    [&](const PropertyResult& p) { return !p.defining && passed(p); });
  return exercise.exercise->points - static_cast<int>(others - earned);
}

Verdict verdict(const ExerciseJudging& exercise) {
  if (!exercise.waits_for.empty()) return Verdict::kWaits;
  if (exercise.all_passed()) return Verdict::kPass;
  bool any_passed = false, all_untouched = true;
  for (const PropertyResult& property : exercise.properties) {
    any_passed = any_passed || property.verdict == PropertyVerdict::kPass;
    const bool failed = property.verdict == PropertyVerdict::kFail;
    all_untouched = all_untouched && (!failed || property.ended == Outcome::kNotAttempted);
    if (failed && property.ended == Outcome::kTimedOut) return Verdict::kTimedOut;
    if (failed && (property.ended == Outcome::kCrashed || property.ended == Outcome::kGarbled))
      return Verdict::kCrashed;
  }
  return all_untouched && !any_passed ? Verdict::kNotStarted : Verdict::kFail;
}

ExerciseResult conclude(const Lab& lab, ExerciseJudging& exercise, bool diagnose_always) {
  ExerciseResult result;
  result.id = exercise.exercise->id;
  result.verdict = verdict(exercise);
  if (result.verdict == Verdict::kWaits) {
    result.reason = "waits for " + exercise.waits_for;
    return result;
  }
  result.score = score(exercise);
  result.properties = exercise.properties;
  result.output = exercise.output;
  if (result.verdict == Verdict::kFail || diagnose_always) {
    if (const Misconception* found = diagnose(lab, exercise.transcript))
      result.diagnosis = found->id;
  }
  return result;
}

/// GoogleTest's own printer would show learners the expressions of hidden tests.
void be_quiet() {
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
}

class ExerciseListener : public testing::EmptyTestEventListener {
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    Judging& judging = current_judging();
    ExerciseJudging& exercise = judging.exercise(suite.name());
    if (!exercise.waits_for.empty()) return;
    ask_again(judging, exercise);
    judging.submission->start_afresh();
  }
};

std::string filter_of(const Lab& lab, const JudgeOptions& options) {
  std::string filter;
  for (const Exercise& exercise : lab.exercises) {
    if (!options.only.empty() && !options.only.contains(exercise.id)) continue;
    filter += exercise.name + ".*:";
  }
  return filter;
}

}  // namespace

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kNotStarted:
      return "not_started";
    case Verdict::kWaits:
      return "waits";
    case Verdict::kDoesNotCompile:
      return "does_not_compile";
    case Verdict::kCrashed:
      return "crashed";
    case Verdict::kTimedOut:
      return "timed_out";
  }
  return "fail";
}

std::string to_string(PropertyVerdict verdict) {
  switch (verdict) {
    case PropertyVerdict::kPass:
      return "pass";
    case PropertyVerdict::kFail:
      return "fail";
    case PropertyVerdict::kSkip:
      return "skip";
  }
  return "fail";
}

bool ExerciseJudging::all_passed() const {
  return !properties.empty() &&
         std::all_of(properties.begin(), properties.end(),
                     [](const PropertyResult& p) { return p.verdict == PropertyVerdict::kPass; });
}

Judging& current_judging() {
  static Judging judging;
  return judging;
}

ExerciseJudging& Judging::exercise(const std::string& name) {
  const auto found = exercises.find(name);
  if (found != exercises.end()) return found->second;
  ExerciseJudging& added = exercises[name];
  for (const Exercise& candidate : lab->exercises) {
    if (candidate.name == name) added.exercise = &candidate;
  }
  for (const std::string& need : added.exercise->needs) {
    bool ready = !options.not_ready.contains(need);
    for (const Exercise& earlier : lab->exercises) {
      const auto judged = exercises.find(earlier.name);
      // A needed exercise that was not selected counts as the caller says, in not_ready.
      if (earlier.id == need && judged != exercises.end()) ready = judged->second.all_passed();
    }
    if (!ready && added.waits_for.empty()) added.waits_for = need;
  }
  return added;
}

std::vector<ExerciseResult> judge(const Lab& lab, Submission& submission,
                                  const JudgeOptions& options) {
  Judging& judging = current_judging();
  judging.lab = &lab;
  judging.submission = &submission;
  judging.options = options;
  int argc = 1;
  char name[] = "judge";
  char* argv[] = {name, nullptr};
  testing::InitGoogleTest(&argc, argv);
  testing::GTEST_FLAG(filter) = filter_of(lab, options);
  testing::GTEST_FLAG(catch_exceptions) = false;
  be_quiet();
  testing::UnitTest::GetInstance()->listeners().Append(new ExerciseListener);
  // The results are in `judging`; the exit status says only whether any property failed.
  [[maybe_unused]] const int any_failed = RUN_ALL_TESTS();

  std::vector<ExerciseResult> results;
  for (const Exercise& exercise : lab.exercises) {
    if (!options.only.empty() && !options.only.contains(exercise.id)) continue;
    results.push_back(conclude(lab, judging.exercise(exercise.name), options.diagnose_always));
  }
  return results;
}

}  // namespace latent::grader

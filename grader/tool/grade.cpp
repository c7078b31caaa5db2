// lab grade: judge a submission and print, write or export the result.

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "grader/judge/forked.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

/// A right answer is explained once, to the learner; a wrong one as long as it stands.
void remember_explanations(Report& report, bool own) {
  for (const GradedLab& lab : report.labs) {
    for (const QuestionResult& q : lab.questions) {
      if (!q.right || report.sealed) continue;
      if (!own || recall("explained/" + q.question->id) > 0)
        report.explained.insert(q.question->id);
      else
        remember("explained/" + q.question->id, 1);
    }
  }
}

void write_reports(const GradeArguments& options, const nlohmann::json& result) {
  if (!options.json.empty()) write_file(from_callers_folder(options.json), result.dump(2) + "\n");
  if (!options.junit.empty()) write_file(from_callers_folder(options.junit), to_junit(result));
}

/// A device runs what it is given without a sandbox, so it is given nothing but ours.
void check_device(const std::string& device, const std::string& submission) {
  if (device.empty()) return;
  check_device_name(device);
  std::error_code error;
  if (!std::filesystem::equivalent(submission, source_dir() + "/solutions", error))
    throw UsageError("kernels run without a sandbox, so --device takes no submission but ours: " +
                     ("./lab grade --submission solutions --device " + device));
}

}  // namespace

int run_grade(const GradeArguments& options) {
  GradeOptions grading;
  grading.submission = submission_folder(options.submission);
  grading.state = state_dir();
  grading.only = exercise_ids(options.names);
  check_device(options.device, grading.submission);
  grading.device = options.device;
  grading.seed = seed_from(options.seed);
  grading.learner = options.learner;
  grading.sealed = options.sealed;
  if (!options.plain) grading.progress = show_progress;
  const auto progress_ends = [&] {
    if (grading.progress) grading.progress("");
  };
  try {
    Report report = grade(grading);
    progress_ends();
    write_reports(options, to_json(report));
    report.verbose = options.verbose;
    remember_explanations(report, options.submission.empty());
    print(report, text_style(options.plain), std::cout);
    return report.complete() ? kComplete : kIncomplete;
  } catch (const UsageError&) {
    throw;
  } catch (const std::exception& e) {
    progress_ends();
    write_reports(options, failure_to_json(e.what(), grading.seed));
    throw;
  }
}

}  // namespace latent::grader

/// @file
/// The subcommands of `lab`. main.cpp alone knows the command line: its library is slow to compile.
#pragma once

#include <cstdint>
#include <string>

#include "grader/judge/grading.hpp"
#include "grader/judge/report.hpp"

namespace latent::grader {

/// Exit statuses of every command.
enum ExitStatus : int {
  kComplete = 0,    ///< Graded, nothing missing; or done.
  kIncomplete = 1,  ///< Graded, something missing; or a gate not met.
  kUsage = 2,       ///< The command line is wrong.
  kFailed = 3,      ///< The grader or its set-up failed.
};

/// A wrong command line; the message says what to type instead.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What `lab grade` takes.
struct GradeArguments {
  std::vector<std::string> names;
  std::string submission, seed, json, junit, learner, device;
  bool plain = false, sealed = false, verbose = false;
};

/// What `lab author check` takes.
struct AuthorCheckArguments {
  std::vector<std::string> names;
  std::string seed;
  bool quick = false, verbose = false;
  int seeds = 0;  ///< With how many the solutions are judged, beyond once.
  int sweep = 0;  ///< With how many each wrong answer is judged, beyond once.
};

// One function per subcommand, each in a file of its own; all return an ExitStatus.
int run_status();
int run_grade(const GradeArguments& options);
int run_watch(const std::vector<std::string>& names);
int run_hint(const std::string& name, bool all);
int run_why(const std::string& id);
int run_replay(const std::string& token, const std::string& submission, bool gdb);
int run_run(const std::vector<std::string>& words);
int run_reset(const std::vector<std::string>& names, bool yes);
int run_solution(const std::vector<std::string>& names, bool give_up);
int run_questions(const std::string& name, const std::string& learner, bool with_answers);
int run_doctor();
int run_test(const std::string& pattern);
int run_author_check(const AuthorCheckArguments& arguments);
int run_author_mutate(const std::vector<std::string>& names, int most, std::uint64_t seed,
                      bool with_equivalent);
int run_bench_latency(int edits);

// ---- what several commands need ----------------------------------------------------------------

std::string source_dir();
std::string labs_dir();

/// Where this checkout keeps what can be lost: compiled objects, hints seen.
std::string state_dir();

/// A path as the person typed it, from where they stand.
std::string from_callers_folder(const std::string& path);

/// The folder that a person means by --submission: one that holds NN_name folders.
/// @param name  As typed; empty: labs/.
/// @throws UsageError  if there is no such folder.
std::string submission_folder(const std::string& name);

/// Ids of exercises named by "5", "05_vq...", "5.2" or "nearest_code"; empty: all.
/// @throws UsageError  with "did you mean" for a name that does not exist.
std::set<std::string> exercise_ids(const std::vector<std::string>& names);

/// @throws UsageError  unless it is "emulated", or "cuda" where there is a GPU.
void check_device_name(const std::string& name);

/// The nearest of the candidates, or empty if none is near.
std::string nearest(const std::string& name, const std::vector<std::string>& candidates);

/// An unpredictable seed.
std::uint64_t fresh_seed();

/// What was given after --seed; a fresh one if nothing was.
/// @throws UsageError  if it is no number.
std::uint64_t seed_from(const std::string& text);

/// Colour where standard output is a terminal and NO_COLOR is not set.
TextStyle text_style(bool plain);

/// A line on standard error that the next one replaces; nothing where that is no terminal.
void show_progress(const std::string& text);

/// The ids of a lab's misconceptions, from its source: asking for one must not cost building the
/// judges of all.
std::vector<std::string> misconception_ids(const Lab& lab);

/// Small facts kept between runs, for example how many hints were shown.
int recall(const std::string& key);
void remember(const std::string& key, int value);

}  // namespace latent::grader

// lab author check: every gate a lab must pass, and one table.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>

#include "config.hpp"
#include "grader/judge/answers.hpp"
#include "grader/judge/forked.hpp"
#include "grader/judge/loading.hpp"
#include "grader/judge/misconception.hpp"
#include "grader/judge/sandboxed_worker.hpp"
#include "grader/tool/author_sources.hpp"
#include "grader/tool/commands.hpp"
#include "grader/tool/hints.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

/// One row of the table.
struct Row {
  int properties = 0;
  int misconceptions = 0, rejected = 0, named = 0;
  int alternatives = 0, accepted = 0;
  std::set<std::string> needed;  ///< Properties that alone reject some misconception.
};

/// Answers of the right shape without thought: zeros, ones, a constant, or the first argument.
class Thoughtless final : public Submission {
 public:
  Thoughtless(const Lab& lab, std::string habit) : right_(lab), habit_(std::move(habit)) {}

  Reply ask(const Request& request) override {
    Reply reply = right_.ask(request);
    for (Value& value : reply.values) {
      if (habit_ == "echo") {
        echo(request, value);
      } else {
        fill(value, habit_ == "zeros" ? 0.0 : habit_ == "ones" ? 1.0 : 0.5);
      }
    }
    return reply;
  }

 private:
  static void echo(const Request& request, Value& value) {
    for (const Value& argument : request.arguments) {
      if (argument.type == value.type && argument.bytes.size() == value.bytes.size()) {
        value.bytes = argument.bytes;
        return;
      }
    }
    fill(value, 0.0);
  }

  template <typename T>
  static void fill_with(Value& value, T x) {
    for (std::size_t at = 0; at < value.bytes.size(); at += sizeof x)
      std::memcpy(value.bytes.data() + at, &x, sizeof x);
  }

  static void fill(Value& value, double x) {
    switch (value.type) {
      case Type::kFloat32:
        return fill_with(value, static_cast<float>(x));
      case Type::kFloat64:
        return fill_with(value, x);
      case Type::kInt32:
        return fill_with(value, static_cast<std::int32_t>(x));
      case Type::kInt64:
        return fill_with(value, static_cast<std::int64_t>(x));
    }
  }

  LinkedTable right_;
  std::string habit_;
};

/// All gates of one lab.
class LabCheck {
 public:
  LabCheck(const Lab& lab, std::uint64_t seed, bool verbose)
      : lab_(lab), seed_(seed), verbose_(verbose) {}

  bool run(const AuthorCheckArguments& arguments) {
    check_texts();
    check_solution();
    check_seeds(arguments.seeds, "the solution",
                [&] { return std::make_unique<LinkedTable>(lab_); });
    check_variants(arguments.seeds);
    check_thoughtless();
    for (const Exercise& exercise : lab_.exercises) check_candidates(exercise);
    check_sweep(arguments.sweep);
    check_stubs();
    if (!arguments.quick) {
      check_warnings();
      check_real_submissions();
    }
    print_table();
    for (const std::string& problem : problems_) std::cout << "  NOT MET  " << problem << '\n';
    return problems_.empty();
  }

 private:
  void demand(bool holds, const std::string& problem) {
    if (!holds) problems_.push_back(problem);
  }

  ExerciseResult judge_one(const Exercise& exercise,
                           const std::function<std::unique_ptr<Submission>()>& make,
                           bool diagnose_always = false) {
    JudgeOptions options;
    options.seed = seed_;
    options.only = {exercise.id};
    options.diagnose_always = diagnose_always;
    return judge_forked({&lab_, make, options}).at(0);
  }

  ExerciseResult judge_with(const Exercise& exercise, const Operation& operation,
                            bool diagnose_always) {
    return judge_one(
        exercise,
        [&] {
          auto table = std::make_unique<LinkedTable>(lab_);
          table->replace(operation);
          return table;
        },
        diagnose_always);
  }

  bool owns(const Exercise& exercise, const std::string& function) const {
    return std::any_of(exercise.operations.begin(), exercise.operations.end(),
                       [&](const Operation& o) { return o.name == function; });
  }

  // ---- gates ----------------------------------------------------------------------------------

  /// Hints, questions, handbook, effort, notes; stubs equal; nothing of it in common/.
  void check_texts() {
    const std::string root = source_dir();
    std::string chapter, common = common_sources();
    read_file(root + "/docs/handbook/" + lab_.name + ".md", chapter);
    for (const std::string& file :
         {"labs/" + lab_.name + "/README.md", "labs/" + lab_.name + "/hints.md",
          "solutions/" + lab_.name + "/notes.md"}) {
      demand(fs::exists(root + "/" + file), file + " is missing");
    }
    demand(!sheets(lab_, "").empty(), lab_.name + " asks no question");
    demand(lab_.title.size() <= 26, lab_.name + ": its title has " +
                                        std::to_string(lab_.title.size()) +
                                        " letters, the overview has room for 26");
    for (const auto& [folder, with_answers] :
         {std::pair("labs/", false), std::pair("solutions/", true)}) {
      std::string text;
      read_file(root + "/" + folder + lab_.name + "/answers.toml", text);
      demand(text == answer_sheet(lab_, "", with_answers),
             std::string(folder) + lab_.name + "/answers.toml is not what ./lab questions " +
                 std::to_string(std::stoi(lab_.name)) + (with_answers ? " --with-answers" : "") +
                 " prints");
    }
    std::string readme;
    read_file(root + "/labs/" + lab_.name + "/README.md", readme);
    demand(readme.find("docs/handbook/" + lab_.name + ".md") != std::string::npos,
           "labs/" + lab_.name + "/README.md does not link its chapter, docs/handbook/" +
               lab_.name + ".md");
    const std::vector<std::string> listed = misconception_ids(lab_);
    const std::set<std::string> distinct(listed.begin(), listed.end());
    demand(distinct.size() == listed.size(), lab_.name + ": two misconceptions have one id");
    for (const Misconception& m : misconceptions()) {
      demand(m.lab != lab_.name || distinct.contains(m.id),
             m.id +
                 " is not written as MISCONCEPTION(...) at the start of a line, where ./lab why "
                 "and the handbook look for it");
    }
    for (const Exercise& exercise : lab_.exercises) check_texts_of(exercise, chapter, common);
  }

  void check_texts_of(const Exercise& exercise, const std::string& chapter,
                      const std::string& common) {
    std::string stub, mine;
    read_file(stub_file(lab_, exercise), stub);
    read_file(labs_dir() + "/" + lab_.name + "/" + exercise.file(), mine);
    demand(!stub.empty() && stub == mine,
           "labs/" + lab_.name + "/" + exercise.file() + " differs from its stub in grader/stubs");
    demand(stub.find("oughly ") != std::string::npos,
           exercise.id + ": the stub does not say how many lines it takes (\"Roughly 3 lines\")");
    demand(hints_for(lab_, exercise).size() >= 3, exercise.id + ": fewer than three hints");
    demand(chapter.find("{#ex_" + exercise.name + "}") != std::string::npos,
           exercise.id + ": no anchor {#ex_" + exercise.name + "} in its chapter");
    int defining = 0, others = 0;
    for (const PropertyInfo& p : properties()) {
      if (p.exercise == exercise.name) ++(p.defining ? defining : others);
    }
    rows_[exercise.id].properties = defining + others;
    demand(defining == 1,
           exercise.id + ": expected one defining property, found " + std::to_string(defining));
    demand(exercise.points > others, exercise.id + ": " + std::to_string(exercise.points) +
                                         " points are too few for " + std::to_string(others) +
                                         " other properties");
    for (const Operation& operation : exercise.operations) {
      demand(common.find(" " + operation.name + "(") == std::string::npos,
             exercise.id + ": common/ defines " + operation.name);
    }
  }

  static std::string common_sources() {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(source_dir() + "/common")) {
      std::string text;
      if (entry.path().extension() == ".hpp" || entry.path().extension() == ".cpp")
        read_file(entry.path(), text);
      all += text;
    }
    return all;
  }

  /// Full marks, and every declared property was executed.
  void check_solution() {
    JudgeOptions options;
    options.seed = seed_;
    options.diagnose_always = true;
    for (const ExerciseResult& result :
         judge_forked({&lab_, [&] { return std::make_unique<LinkedTable>(lab_); }, options})) {
      const auto executed = std::count_if(
          result.properties.begin(), result.properties.end(),
          [](const PropertyResult& p) { return p.verdict != PropertyVerdict::kSkip; });
      demand(executed == rows_[result.id].properties,
             result.id + ": " + std::to_string(rows_[result.id].properties) +
                 " properties declared, " + std::to_string(executed) + " executed");
      demand(result.verdict == Verdict::kPass,
             result.id + ": the solution does not pass " + failed_property(result));
      demand(result.diagnosis.empty(),
             result.id + ": the solution is taken for " + result.diagnosis);
    }
  }

  using MakeSubmission = std::function<std::unique_ptr<Submission>()>;

  /// What is called `who` holds on the cases of many gradings. Each seed's five cases are judged
  /// together with those of others: what takes long is the process, not the property.
  void check_seeds(int seeds, const std::string& who, const MakeSubmission& make) {
    constexpr int kTogether = 100;
    for (int done = 0; done < seeds; done += kTogether) {
      JudgeOptions options;
      options.seed = seed_ + static_cast<std::uint64_t>(done);
      options.cases = 5 * std::min(kTogether, seeds - done);
      show_progress(lab_.name + ": " + who + ", seed " + std::to_string(done) + " of " +
                    std::to_string(seeds));
      for (const ExerciseResult& result : judge_forked({&lab_, make, options})) {
        demand(result.verdict == Verdict::kPass,
               result.id + ": " + who + " does not pass " + failed_property(result));
      }
    }
    show_progress("");
  }

  /// What stands beside a solution for speed has the same properties. It answers from a process of
  /// its own, which may have threads and a device.
  void check_variants(int seeds) {
    check_variant("fast", seeds);
    check_variant("emulated", seeds);
    if (exercises_with(lab_, "cuda").empty()) return;
    if (!device_name().empty())
      check_variant("cuda", seeds);
    else
      variants_.push_back("not asked of kernels on a GPU: there is none, or no nvcc");
  }

  void check_variant(const std::string& kind, int seeds) {
    const std::string worker = variant_worker(lab_, kind);
    if (worker.empty()) return;
    check_seeds(std::max(1, seeds), "the " + kind + " solution", [worker] {
      WorkerOptions options{worker};
      options.trusted = true;
      options.deadline = std::chrono::seconds(30);
      return std::make_unique<SandboxedWorker>(options);
    });
    std::string line = "all properties asked again, " + kind + ":";
    for (const std::string& id : exercises_with(lab_, kind)) line += " " + id;
    variants_.push_back(kind == "cuda" ? line + " on " + device_name() : line);
  }

  void check_thoughtless() {
    for (const char* habit : {"zeros", "ones", "constant", "echo"}) {
      JudgeOptions options;
      options.seed = seed_;
      const auto results = judge_forked(
          {&lab_, [&] { return std::make_unique<Thoughtless>(lab_, habit); }, options});
      for (const ExerciseResult& result : results) {
        demand(result.score == 0, result.id + ": an answer of " + habit + " earns " +
                                      std::to_string(result.score) + " points");
      }
    }
  }

  void check_candidates(const Exercise& exercise) {
    Row& row = rows_[exercise.id];
    for (const Misconception& m : misconceptions()) {
      if (m.lab != lab_.name || !owns(exercise, m.operation.name)) continue;
      const ExerciseResult result = judge_with(exercise, m.operation, false);
      ++row.misconceptions;
      row.rejected += result.score < exercise.points ? 1 : 0;
      row.named += result.diagnosis == m.id ? 1 : 0;
      demand(result.score < exercise.points, exercise.id + ": " + m.id + " passes");
      demand(result.diagnosis == m.id,
             exercise.id + ": " + m.id + " is named " +
                 (result.diagnosis.empty() ? "nothing" : result.diagnosis));
      std::vector<std::string> failed;
      for (const PropertyResult& p : result.properties) {
        if (p.verdict == PropertyVerdict::kFail) failed.push_back(p.sentence);
      }
      if (failed.size() == 1) row.needed.insert(failed[0]);
    }
    for (const Alternative& a : alternatives()) {
      if (a.lab != lab_.name || !owns(exercise, a.operation.name)) continue;
      const ExerciseResult result = judge_with(exercise, a.operation, true);
      ++row.alternatives;
      row.accepted += result.verdict == Verdict::kPass && result.diagnosis.empty() ? 1 : 0;
      demand(result.verdict == Verdict::kPass, exercise.id + ": the alternative " + a.scope +
                                                   " does not pass " + failed_property(result));
      demand(result.diagnosis.empty(),
             exercise.id + ": the alternative " + a.scope + " is taken for " + result.diagnosis);
    }
    demand(row.alternatives >= 3, exercise.id + ": fewer than three alternatives");
  }

  /// No wrong answer gets through by luck: each loses points with every one of many seeds, and is
  /// called by its name.
  void check_sweep(int seeds) {
    const std::uint64_t first = seed_;
    int done = 0;
    for (const Misconception& m : misconceptions()) {
      if (seeds == 0 || m.lab != lab_.name) continue;
      show_progress(lab_.name + ": wrong answer " + std::to_string(++done));
      for (const Exercise& exercise : lab_.exercises) {
        if (owns(exercise, m.operation.name)) sweep(exercise, m, seeds);
      }
    }
    seed_ = first;
    show_progress("");
  }

  void sweep(const Exercise& exercise, const Misconception& m, int seeds) {
    int passed = 0, unnamed = 0;
    for (int i = 0; i < seeds; ++i) {
      ++seed_;
      const ExerciseResult result = judge_with(exercise, m.operation, false);
      passed += result.score < exercise.points ? 0 : 1;
      unnamed += result.diagnosis == m.id ? 0 : 1;
    }
    const std::string of = " of " + std::to_string(seeds) + " seeds";
    demand(passed == 0, exercise.id + ": " + m.id + " passes with " + std::to_string(passed) + of);
    demand(unnamed == 0,
           exercise.id + ": " + m.id + " is not named with " + std::to_string(unnamed) + of);
  }

  /// A worker made of nothing but stubs: every exercise is not started, none is wrong.
  void check_stubs() {
    Workshop workshop(source_dir() + "/grader/stubs", state_dir());
    LabBuild build = workshop.build(lab_);
    std::vector<std::string> earlier;
    for (const Lab* other : labs_needed_by(lab_)) {
      load_judge(*other);  // its stubs are built with it
      for (const Exercise& exercise : other->exercises)
        earlier.push_back(Workshop::stub_object(*other, exercise));
    }
    const std::string worker = workshop.link(build, earlier);
    JudgeOptions options;
    options.seed = seed_;
    for (const ExerciseResult& result : judge_forked(
             {&lab_, [&] { return std::make_unique<SandboxedWorker>(WorkerOptions{worker}); },
              options})) {
      const bool untouched =
          result.verdict == Verdict::kNotStarted || result.verdict == Verdict::kWaits;
      demand(untouched && result.score == 0, result.id + ": the stub is judged \"" +
                                                 words(result.verdict) +
                                                 "\" instead of not started");
    }
  }

  void check_warnings() {
    for (const std::string& complaint : warnings_of_stubs(lab_)) demand(false, complaint);
  }

  /// One misconception and one alternative per exercise through compiler, linker and jail.
  void check_real_submissions() {
    for (const RealSubmission& submission : real_submissions(lab_)) {
      GradeOptions options;
      options.submission = submission.folder;
      options.state = state_dir();
      options.seed = seed_;
      options.only = submission.exercises;
      options.questions = false;
      const Report report = grade(options);
      for (const GradedExercise& e : report.labs.at(0).exercises) {
        const std::string expected = submission.expected.at(e.exercise->id);
        const bool right =
            expected.empty() ? e.result.verdict == Verdict::kPass : e.result.diagnosis == expected;
        const std::string got =
            e.result.diagnosis.empty() ? words(e.result.verdict) : e.result.diagnosis;
        const std::string why = e.diagnostics.empty() ? e.result.reason : e.diagnostics[0].text;
        demand(right, e.exercise->id + ": compiled as a submission, expected " +
                          (expected.empty() ? "pass" : expected) + ", got " + got +
                          (why.empty() ? "" : ": " + why));
      }
    }
  }

  static std::string failed_property(const ExerciseResult& result) {
    for (const PropertyResult& p : result.properties) {
      if (p.verdict == PropertyVerdict::kFail)
        return "\"" + p.sentence + "\" (" + (p.message.empty() ? "" : p.message.back()) + "; " +
               p.replay + ")";
    }
    return words(result.verdict);
  }

  void print_table() const {
    std::printf("%-32s %10s %14s %14s %14s %10s\n", lab_.name.c_str(), "properties", "rejected",
                "named", "alternatives", "decisive");
    Row sum;
    for (const Exercise& exercise : lab_.exercises) {
      const Row& row = rows_.at(exercise.id);
      print_row(exercise.id + " " + exercise.name, row);
      for (const PropertyInfo& p : properties()) {
        if (verbose_ && p.exercise == exercise.name && !row.needed.contains(p.sentence))
          std::printf("  not decisive: %s\n", p.sentence.c_str());
      }
      sum.properties += row.properties;
      sum.misconceptions += row.misconceptions;
      sum.rejected += row.rejected;
      sum.named += row.named;
      sum.alternatives += row.alternatives;
      sum.accepted += row.accepted;
      for (const std::string& sentence : row.needed) sum.needed.insert(exercise.id + sentence);
    }
    print_row("together", sum);
    for (const std::string& variant : variants_) std::printf("%s\n", variant.c_str());
    std::fflush(stdout);
  }

  static void print_row(const std::string& name, const Row& row) {
    const auto of = [](int part, int all) {
      return std::to_string(part) + "/" + std::to_string(all) +
             (all == 0 ? "" : " " + std::to_string(100 * part / all) + " %");
    };
    std::printf("%-32s %10d %14s %14s %14s %10s\n", name.c_str(), row.properties,
                of(row.rejected, row.misconceptions).c_str(),
                of(row.named, row.misconceptions).c_str(),
                of(row.accepted, row.alternatives).c_str(),
                (std::to_string(row.needed.size()) + "/" + std::to_string(row.properties)).c_str());
  }

  const Lab& lab_;
  std::uint64_t seed_;
  bool verbose_;
  std::map<std::string, Row> rows_;
  std::vector<std::string> variants_;
  std::vector<std::string> problems_;
};

void check_unique_names(std::vector<std::string>& problems) {
  std::map<std::string, int> exercises, functions, ids;
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      if (++exercises[exercise.name] == 2)
        problems.push_back("two exercises are called " + exercise.name);
      for (const Operation& operation : exercise.operations) {
        if (++functions[operation.name] == 2)
          problems.push_back("two exercises have a function " + operation.name);
      }
    }
  }
  for (const Misconception& m : misconceptions()) {
    if (++ids[m.id] == 2) problems.push_back("two misconceptions are called " + m.id);
  }
  for (const PropertyInfo& p : properties()) {
    if (!exercises.contains(p.exercise))
      problems.push_back("the property \"" + p.sentence + "\" is about no exercise: " + p.exercise);
  }
}

}  // namespace

int run_author_check(const AuthorCheckArguments& arguments) {
  const std::set<std::string> chosen = exercise_ids(arguments.names);
  if (!fs::exists(source_dir() + "/solutions"))
    throw UsageError("author check needs solutions/, which is not in this copy.");
  const std::uint64_t seed = seed_from(arguments.seed);
  std::vector<const Lab*> checked;
  for (const Lab& lab : labs()) {
    const bool is_chosen =  // an exercise's gates are those of its lab
        chosen.empty() || std::any_of(lab.exercises.begin(), lab.exercises.end(),
                                      [&](const Exercise& e) { return chosen.contains(e.id); });
    if (is_chosen || has_judge(lab)) load_judge(lab);  // names are to be unique over all labs
    if (!is_chosen) continue;
    load_alternatives(lab);
    checked.push_back(&lab);
  }
  std::vector<std::string> problems;
  check_unique_names(problems);
  bool good = problems.empty();
  for (const std::string& problem : problems) std::cout << "  NOT MET  " << problem << '\n';
  for (const Lab* lab : checked)
    good = LabCheck(*lab, seed, arguments.verbose).run(arguments) && good;
  std::cout
      << "rejected, named: wrong answers that lose points, and that the verdict calls by name\n"
         "decisive: properties that alone reject some wrong answer\nseed: "
      << seed << '\n';
  return good ? kComplete : kIncomplete;
}

}  // namespace latent::grader

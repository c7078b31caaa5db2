#include "grader/judge/grading.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "config.hpp"
#include "grader/judge/answers.hpp"
#include "grader/judge/forked.hpp"
#include "grader/judge/loading.hpp"
#include "grader/judge/sandboxed_worker.hpp"

namespace latent::grader {
namespace {

/// These exercises, what they need, what that needs, and so on.
std::set<std::string> with_needs(std::set<std::string> ids) {
  for (bool grown = true; grown;) {
    grown = false;
    for (const Lab& lab : labs()) {
      for (const Exercise& exercise : lab.exercises) {
        if (!ids.contains(exercise.id)) continue;
        for (const std::string& need : exercise.needs) grown = ids.insert(need).second || grown;
      }
    }
  }
  return ids;
}

/// Grades lab after lab; later labs are linked with what earlier ones turned out to be.
class Grading {
 public:
  explicit Grading(const GradeOptions& options)
      : options_(options), workshop_(options.submission, options.state) {}

  Report run();
  Replayed replay(const Exercise& exercise, const PropertyInfo& property, const CaseId& id);

 private:
  struct Judged {
    LabBuild build;
    std::map<std::string, ExerciseResult> results;
  };

  /// What of earlier labs a worker is linked with.
  struct Earlier {
    std::vector<std::string> objects;
    std::set<std::string> missing;  ///< Ids that nobody can provide.
    std::set<std::string> helped;   ///< Ids that the reference provides.
  };

  const Judged& judged(const Lab& lab);
  void judge_pieces(const Lab& lab, Judged& judged);
  std::vector<ExerciseResult> judge_apart(const Lab& lab, const LabBuild& build,
                                          const Earlier& earlier, JudgeOptions options,
                                          std::vector<ExerciseResult> together);
  Earlier earlier_objects(const Lab& lab);
  void use_device(const Lab& lab, WorkerOptions& worker) const;
  GradedLab report_on(const Lab& lab);
  void find_crash(const Lab& lab, Judged& judged, const ExerciseResult& result,
                  const std::vector<std::string>& earlier);
  bool wanted(const std::string& id) const { return wanted_.empty() || wanted_.contains(id); }
  bool selected(const Exercise& exercise) const {
    return options_.only.empty() || options_.only.contains(exercise.id);
  }

  const GradeOptions& options_;
  Workshop workshop_;
  std::set<std::string> wanted_;  ///< Ids to judge: what was asked for and what that needs.
  std::map<std::string, Judged> judged_;
  bool crash_searched_ = false;
};

Report Grading::run() {
  if (!options_.only.empty()) wanted_ = with_needs(options_.only);
  Report report;
  report.seed = options_.seed;
  report.submission = options_.submission;
  report.learner = options_.learner;
  if (!options_.device.empty())
    report.device = options_.device == "cuda" ? device_name() : "the processor, emulated";
  report.sealed = options_.sealed;
  for (const Lab& lab : labs()) {
    if (std::any_of(lab.exercises.begin(), lab.exercises.end(),
                    [&](const Exercise& e) { return selected(e); })) {
      report.labs.push_back(report_on(lab));
    }
  }
  return report;
}

/// A verdict that a file earns without running.
ExerciseResult verdict_on_file(const Piece& piece) {
  ExerciseResult result;
  result.id = piece.exercise->id;
  result.verdict = piece.state == FileState::kMissing || piece.state == FileState::kUntouched
                       ? Verdict::kNotStarted
                       : Verdict::kDoesNotCompile;
  result.reason = piece.problem;
  if (piece.state == FileState::kMissing) {
    result.reason = piece.file + " is missing; ./lab reset " + result.id + " brings the stub back";
  }
  return result;
}

const Grading::Judged& Grading::judged(const Lab& lab) {
  const auto found = judged_.find(lab.name);
  if (found != judged_.end()) return found->second;
  Judged& judged = judged_[lab.name];
  if (workshop_.is_started(lab)) load_judge(lab);
  if (options_.progress) options_.progress("compiling " + lab.name);
  // All that is written, also where only one exercise is wanted: it may call its neighbours.
  judged.build = workshop_.build(lab);
  judge_pieces(lab, judged);
  for (const Exercise& exercise : lab.exercises) {
    const Piece& piece = judged.build.pieces.at(exercise.id);
    if (!judged.results.contains(exercise.id)) judged.results[exercise.id] = verdict_on_file(piece);
  }
  return judged;
}

void Grading::judge_pieces(const Lab& lab, Judged& judged) {
  JudgeOptions options;
  options.seed = options_.seed;
  const auto choose = [&] {
    options.only.clear();
    for (const auto& [id, piece] : judged.build.pieces) {
      if (!piece.compiled())
        options.not_ready.insert(id);
      else if (wanted(id))
        options.only.insert(id);
    }
  };
  choose();
  if (options.only.empty()) return;
  const Earlier earlier = earlier_objects(lab);
  options.not_ready.insert(earlier.missing.begin(), earlier.missing.end());
  WorkerOptions worker{workshop_.link(judged.build, earlier.objects)};
  if (!options_.device.empty()) use_device(lab, worker);
  choose();  // linking may have found pieces that do not fit
  if (options.only.empty()) return;
  if (options_.progress) options_.progress("judging " + lab.name);
  auto results =
      judge_forked({&lab, [&] { return std::make_unique<SandboxedWorker>(worker); }, options});
  // Both look at the submission's own objects, which are not what a device was asked.
  const bool its_own = options_.device.empty();
  if (its_own) results = judge_apart(lab, judged.build, earlier, options, std::move(results));
  for (const ExerciseResult& result : results) {
    ExerciseResult& kept = judged.results[result.id] = result;
    for (const std::string& need : find_exercise(result.id)->needs) {
      if (earlier.helped.contains(need)) kept.helped_by.push_back(need);
    }
    if (result.verdict == Verdict::kCrashed && its_own && !options_.sealed)
      find_crash(lab, judged, result, earlier.objects);
  }
}

/// Asks the solutions' kernels, if the lab has any.
void Grading::use_device(const Lab& lab, WorkerOptions& worker) const {
  const std::string variant = variant_worker(lab, options_.device);
  if (variant.empty()) return;
  worker.executable = variant;
  worker.trusted = true;
  worker.deadline = std::chrono::seconds(30);  // a GPU takes its time to wake up
}

/// Replays the first case that crashed with sanitizers, for the line to look at. Once per run: it
/// takes seconds, and one crash is mended at a time.
void Grading::find_crash(const Lab& lab, Judged& judged, const ExerciseResult& result,
                         const std::vector<std::string>& earlier) {
  const auto& properties = result.properties;
  const auto crashed =
      std::find_if(properties.begin(), properties.end(),
                   [](const PropertyResult& p) { return p.ended == Outcome::kCrashed; });
  if (crashed == properties.end() || std::exchange(crash_searched_, true)) return;
  if (options_.progress) options_.progress("looking for the line that crashes");
  WorkerOptions worker{
      workshop_.link_instrumented(judged.build, result.id, earlier, Instrument::kSanitizers)};
  if (worker.executable.empty()) return;
  worker.sanitized = true;
  worker.deadline = std::chrono::seconds(10);
  JudgeOptions options;
  options.only = {result.id};
  options.only_property = crashed->sentence;
  options.replay = crashed->id;
  const auto replayed =
      judge_forked({&lab, [&] { return std::make_unique<SandboxedWorker>(worker); }, options});
  if (const auto site = crash_site(replayed.at(0).output, judged.build.pieces.at(result.id).file))
    judged.build.pieces.at(result.id).diagnostics.push_back(*site);
}

/// Code that runs as the worker starts can end it before anybody is asked, and would cost every
/// exercise of the lab. Where none has come to an answer, each is judged with no other file than
/// those it needs.
std::vector<ExerciseResult> Grading::judge_apart(const Lab& lab, const LabBuild& build,
                                                 const Earlier& earlier, JudgeOptions options,
                                                 std::vector<ExerciseResult> together) {
  const auto waits = [](const ExerciseResult& r) { return r.verdict == Verdict::kWaits; };
  const auto ended = [](const ExerciseResult& r) {
    return r.verdict == Verdict::kCrashed || r.verdict == Verdict::kTimedOut;
  };
  const bool none = std::all_of(together.begin(), together.end(),
                                [&](const ExerciseResult& r) { return waits(r) || ended(r); });
  if (!none || std::count_if(together.begin(), together.end(), ended) < 2) return together;
  for (ExerciseResult& result : together) {
    const std::set<std::string> needed = with_needs({result.id});
    LabBuild apart = build;
    for (auto& [id, piece] : apart.pieces) {
      if (!needed.contains(id)) piece.object.clear();
    }
    options.only = {result.id};
    const std::string worker = workshop_.link(apart, earlier.objects);
    const auto alone = judge_forked(
        {&lab, [&] { return std::make_unique<SandboxedWorker>(WorkerOptions{worker}); }, options});
    result = alone.at(0);
    if (result.verdict != Verdict::kPass) options.not_ready.insert(result.id);
  }
  return together;
}

/// For every exercise of the labs that this one builds on: the submission's own object if it
/// passed, the reference's otherwise.
Grading::Earlier Grading::earlier_objects(const Lab& lab) {
  Earlier earlier;
  for (const Lab* other : labs_needed_by(lab)) {
    load_judge(*other);  // its stubs and references are built with it
    const Judged& there = judged(*other);
    for (const Exercise& exercise : other->exercises) {
      const bool passed = there.results.at(exercise.id).verdict == Verdict::kPass;
      const std::string reference = Workshop::reference_object(*other, exercise);
      if (passed) {
        earlier.objects.push_back(there.build.pieces.at(exercise.id).object);
        continue;
      }
      earlier.objects.push_back(reference.empty() ? Workshop::stub_object(*other, exercise)
                                                  : reference);
      (reference.empty() ? earlier.missing : earlier.helped).insert(exercise.id);
    }
  }
  return earlier;
}

GradedLab Grading::report_on(const Lab& lab) {
  const Judged& there = judged(lab);
  GradedLab graded;
  graded.lab = &lab;
  for (const Exercise& exercise : lab.exercises) {
    if (!selected(exercise)) continue;
    const Piece& piece = there.build.pieces.at(exercise.id);
    graded.exercises.push_back({&exercise, there.results.at(exercise.id), piece.file,
                                piece.source_sha256, piece.diagnostics});
  }
  const bool whole = graded.exercises.size() == lab.exercises.size();
  if (options_.questions && whole) {
    graded.questions = mark_answers(lab, options_.submission + "/" + lab.name + "/answers.toml",
                                    options_.sealed ? options_.learner : "");
  }
  return graded;
}

Replayed Grading::replay(const Exercise& exercise, const PropertyInfo& property, const CaseId& id) {
  const Lab& lab = lab_of(exercise);
  load_judge(lab);
  wanted_ = with_needs({exercise.id});
  LabBuild build = workshop_.build(lab);
  const Piece& piece = build.pieces.at(exercise.id);
  Replayed replayed{
      {&exercise, verdict_on_file(piece), piece.file, piece.source_sha256, piece.diagnostics},
      "",
      ""};
  if (!piece.compiled()) return replayed;
  const Earlier earlier = earlier_objects(lab);
  WorkerOptions worker{workshop_.link(build, earlier.objects)};
  if (options_.for_debugger) {
    replayed.worker =
        workshop_.link_instrumented(build, exercise.id, earlier.objects, Instrument::kDebugger);
    replayed.requests = worker.record = options_.state + "/replay.requests";
  }
  JudgeOptions options;
  options.only = {exercise.id};
  options.only_property = property.sentence;
  options.replay = id;
  replayed.exercise.result =
      judge_forked({&lab, [&] { return std::make_unique<SandboxedWorker>(worker); }, options})
          .at(0);
  return replayed;
}

}  // namespace

int GradedLab::score() const {
  int sum = 0;
  for (const GradedExercise& e : exercises) sum += e.result.score;
  return sum;
}

int GradedLab::max() const {
  int sum = 0;
  for (const GradedExercise& e : exercises) sum += e.exercise->points;
  return sum;
}

int Report::score() const {
  int sum = 0;
  for (const GradedLab& lab : labs) sum += lab.score();
  return sum;
}

int Report::max() const {
  int sum = 0;
  for (const GradedLab& lab : labs) sum += lab.max();
  return sum;
}

bool Report::complete() const {
  return score() == max();
}

Report grade(const GradeOptions& options) {
  return Grading(options).run();
}

Replayed replay(const GradeOptions& options, const std::string& exercise, int property,
                const CaseId& id) {
  return Grading(options).replay(*find_exercise(exercise),
                                 *find_property(*find_exercise(exercise), property), id);
}

const Lab* find_lab(const std::string& id) {
  for (const Lab& lab : labs()) {
    if (lab.name == id || std::to_string(std::stoi(lab.name)) == id || lab.name.substr(0, 2) == id)
      return &lab;
  }
  return nullptr;
}

const Exercise* find_exercise(const std::string& id) {
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      if (exercise.id == id || exercise.name == id) return &exercise;
    }
  }
  return nullptr;
}

const Lab& lab_of(const Exercise& exercise) {
  for (const Lab& lab : labs()) {
    if (!lab.exercises.empty() && &exercise >= &lab.exercises.front() &&
        &exercise <= &lab.exercises.back())
      return lab;
  }
  throw std::logic_error("an exercise of no lab");
}

std::vector<const Lab*> labs_needed_by(const Lab& lab) {
  std::set<std::string> ids;
  for (const Exercise& exercise : lab.exercises)
    ids.insert(exercise.needs.begin(), exercise.needs.end());
  ids = with_needs(ids);
  std::vector<const Lab*> needed;
  for (const Lab& other : labs()) {
    const bool has_one = std::any_of(other.exercises.begin(), other.exercises.end(),
                                     [&](const Exercise& e) { return ids.contains(e.id); });
    if (&other != &lab && has_one) needed.push_back(&other);
  }
  return needed;
}

const PropertyInfo* find_property(const Exercise& exercise, int number) {
  for (const PropertyInfo& property : properties()) {
    if (property.exercise == exercise.name && property.index == number) return &property;
  }
  return nullptr;
}

}  // namespace latent::grader

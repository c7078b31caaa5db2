// lab author mutate: are the hidden properties as sharp as they look? Slips of the hand are made in
// the solutions' sources, one at a time, and each must lose points.

#include <dlfcn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

#include "config.hpp"
#include "grader/judge/forked.hpp"
#include "grader/judge/loading.hpp"
#include "grader/judge/scratch.hpp"
#include "grader/tool/commands.hpp"
#include "grader/tool/equivalence.hpp"
#include "grader/tool/mutants.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kSecondsPerMutant = 20;
constexpr std::size_t kRequestsToAgree = 10'000;

enum class Fate { kNotCompiled, kRejected, kEquivalent, kSurvived };

/// A mutant and what became of it.
struct Tried {
  Mutant mutant;
  std::string library;  ///< The lab's functions with this one mistake, or empty.
  Fate fate = Fate::kNotCompiled;
  std::string witness;  ///< A request that tells a survivor from the solution.
};

std::string in_quotes(const std::string& path) {
  return "'" + path + "'";
}

std::string flags() {
  std::string all;
  for (const std::string text : {config::kFlags, config::kPrelude}) {
    std::istringstream in(text);
    for (std::string flag; std::getline(in, flag, ';');) all += " " + in_quotes(flag);
  }
  return all + " -ffp-contract=off -w -I" + in_quotes(std::string(config::kKitDir) + "/include");
}

/// Compiles one mutant and links it with the lab's table and its other solutions.
std::string build(const Lab& lab, const Exercise& exercise, const Mutant& mutant,
                  const std::string& stem) {
  write_file(stem + ".cpp", mutant.source);
  std::string objects = in_quotes(stem + ".o") + " " +
                        in_quotes(std::string(config::kKitDir) + "/dispatch/" + lab.name + ".o");
  for (const Exercise& other : lab.exercises) {
    if (&other != &exercise) objects += " " + in_quotes(Workshop::reference_object(lab, other));
  }
  for (const Lab* needed : labs_needed_by(lab))
    objects += " " + in_quotes(std::string(config::kJudgesDir) + "/" + needed->name + ".so");
  const std::string command = in_quotes(config::kCompiler) + flags() + " -c " +
                              in_quotes(stem + ".cpp") + " -o " + in_quotes(stem + ".o") +
                              " 2>/dev/null && " + in_quotes(config::kCompiler) + " -shared -o " +
                              in_quotes(stem + ".so") + " " + objects + " -Wl,-rpath," +
                              in_quotes(config::kJudgesDir) + " 2>/dev/null";
  return std::system(command.c_str()) == 0 ? stem + ".so" : "";
}

void build_all(const Lab& lab, const Exercise& exercise, std::vector<Tried>& all,
               const std::string& folder) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++)
      all[i].library =
          build(lab, exercise, all[i].mutant, folder + "/" + exercise.name + std::to_string(i));
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

/// A mutant may loop, or ask for all memory: in a child process only.
void limit_this_process() {
  ::alarm(kSecondsPerMutant);
  const rlimit memory{rlim_t{4} << 30, rlim_t{4} << 30};
  ::setrlimit(RLIMIT_AS, &memory);
}

/// Loads a mutant in a child process: its table takes the place of the solution's.
void load_mutant(const std::string& library) {
  limit_this_process();
  if (::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) throw GraderFailure(::dlerror());
}

bool is_rejected(const Lab& lab, const Exercise& exercise, const Tried& tried, std::uint64_t seed) {
  JudgeOptions options;
  options.seed = seed;
  options.only = {exercise.id};
  try {
    const auto result = judge_forked({&lab,
                                      [&] {
                                        load_mutant(tried.library);
                                        return std::make_unique<LinkedTable>(lab);
                                      },
                                      options});
    return result.at(0).score < exercise.points;
  } catch (const GraderFailure&) {
    return true;  // it crashed, or never came back
  }
}

/// In a child process: a request on which mutant and solution differ, empty if none was found.
std::string find_difference(const Lab& lab, const Tried& tried,
                            const std::vector<Request>& recorded, std::uint64_t seed) {
  const Lab original = lab;
  load_mutant(tried.library);
  LinkedTable right(original), wrong(lab);
  return telling_request(right, wrong, recorded, kRequestsToAgree, seed);
}

/// Sets fate and witness of a mutant that no property has rejected.
void examine(const Lab& lab, Tried& tried, const std::vector<Request>& recorded,
             std::uint64_t seed) {
  Pipe pipe = make_pipe();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    const std::string text = find_difference(lab, tried, recorded, seed);
    ::_exit(text.empty() ? 0 : ::write(pipe.write.get(), text.data(), text.size()) < 0 ? 2 : 1);
  }
  pipe.write = Fd();
  char buffer[512];
  const ssize_t n = ::read(pipe.read.get(), buffer, sizeof buffer);
  int status = 0;
  ::waitpid(pid, &status, 0);
  tried.fate = status == 0 ? Fate::kEquivalent : Fate::kSurvived;
  tried.witness = n > 0 ? std::string(buffer, static_cast<std::size_t>(n))
                        : "a request on which it ends or never answers";
}

/// As many of them, spread over the file.
std::vector<Tried> chosen(std::vector<Mutant> mutants, int most, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::shuffle(mutants.begin(), mutants.end(), random);
  if (most > 0 && mutants.size() > static_cast<std::size_t>(most))
    mutants.resize(static_cast<std::size_t>(most));
  std::stable_sort(mutants.begin(), mutants.end(),
                   [](const Mutant& a, const Mutant& b) { return a.line < b.line; });
  std::vector<Tried> all;
  for (Mutant& mutant : mutants) all.push_back({std::move(mutant), "", Fate::kNotCompiled, ""});
  return all;
}

std::vector<Tried> try_exercise(const Lab& lab, const Exercise& exercise, int most,
                                std::uint64_t seed, const std::string& folder) {
  std::string source;
  read_file(source_dir() + "/solutions/" + lab.name + "/" + exercise.file(), source);
  std::vector<Tried> all = chosen(mutants_of(source), most, seed);
  show_progress("compiling " + std::to_string(all.size()) + " mutants of " + exercise.name);
  build_all(lab, exercise, all, folder);
  show_progress("judging the mutants of " + exercise.name);
  std::vector<Request> recorded;
  for (Tried& tried : all) {
    if (tried.library.empty()) continue;
    tried.fate = Fate::kRejected;
    if (is_rejected(lab, exercise, tried, seed)) continue;
    if (recorded.empty())
      recorded = recorded_requests(lab, exercise, folder + "/" + exercise.name + ".requests", seed);
    examine(lab, tried, recorded, seed);
  }
  show_progress("");
  return all;
}

/// One row of the table.
struct Score {
  int mutants = 0, rejected = 0, equivalent = 0;

  void add(const Score& other) {
    mutants += other.mutants;
    rejected += other.rejected;
    equivalent += other.equivalent;
  }
  int percent() const {
    const int telling = mutants - equivalent;
    return telling == 0 ? 100 : 100 * rejected / telling;
  }
  void print(const std::string& name) const {
    std::printf("%-32s %8d %9d %11d %9d %6d %%\n", name.c_str(), mutants, rejected, equivalent,
                mutants - rejected - equivalent, percent());
  }
};

Score score_of(const std::vector<Tried>& all) {
  Score score;
  for (const Tried& tried : all) {
    score.mutants += tried.fate != Fate::kNotCompiled ? 1 : 0;
    score.rejected += tried.fate == Fate::kRejected ? 1 : 0;
    score.equivalent += tried.fate == Fate::kEquivalent ? 1 : 0;
  }
  return score;
}

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) {
    const std::size_t end = text.find_first_not_of(" \n", at);
    text.replace(at, end == std::string::npos ? end : end - at, " ");
  }
  return text.substr(0, 70);
}

void print_survivors(const Lab& lab, const Exercise& exercise, const std::vector<Tried>& all,
                     bool with_equivalent) {
  for (const Tried& tried : all) {
    const bool equivalent = tried.fate == Fate::kEquivalent;
    if (tried.fate != Fate::kSurvived && !(equivalent && with_equivalent)) continue;
    std::printf("  %s solutions/%s/%s:%d  \"%s\" -> \"%s\"\n",
                equivalent ? "EQUIVALENT" : "SURVIVES ", lab.name.c_str(), exercise.file().c_str(),
                tried.mutant.line, one_line(tried.mutant.before).c_str(),
                one_line(tried.mutant.after).c_str());
    if (!equivalent) std::printf("             differs in %s\n", tried.witness.c_str());
  }
}

}  // namespace

int run_author_mutate(const std::vector<std::string>& names, int most, std::uint64_t seed,
                      bool with_equivalent) {
  const std::set<std::string> ids = exercise_ids(names);
  if (!fs::exists(source_dir() + "/solutions"))
    throw UsageError("author mutate needs solutions/, which is not in this copy.");
  const std::string folder = make_scratch();
  Score sum;
  std::printf("%-32s %8s %9s %11s %9s %8s\n", "", "mutants", "rejected", "equivalent", "survive",
              "score");
  for (const Lab& lab : labs()) {
    Score of_lab;
    for (const Exercise& exercise : lab.exercises) {
      if (!ids.empty() && !ids.contains(exercise.id)) continue;
      load_judge(lab);
      const std::vector<Tried> all = try_exercise(lab, exercise, most, seed, folder);
      const Score score = score_of(all);
      score.print(exercise.id + " " + exercise.name);
      print_survivors(lab, exercise, all, with_equivalent);
      std::fflush(stdout);
      of_lab.add(score);
    }
    if (of_lab.mutants > 0) of_lab.print(lab.name);
    sum.add(of_lab);
  }
  remove_scratch(folder);
  sum.print("all");
  std::cout << "mutants: slips of the hand in the solutions that still compile\n"
               "equivalent: the same answers as the solution's to "
            << kRequestsToAgree << " requests\nseed: " << seed << '\n';
  return sum.percent() >= 95 ? kComplete : kIncomplete;
}

}  // namespace latent::grader

// lab run LAB: what a lab's functions are for, with the learner's own functions.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "grader/judge/jail.hpp"
#include "grader/tool/commands.hpp"
#include "grader/tool/compare.hpp"
#include "grader/tool/running.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

/// What an experiment exits with when a function says that it is not started.
constexpr int kNotAttempted = 10;

constexpr const char* kHelp =
    "What a lab's functions are for: train, encode, draw with them\n"
    "Usage: ./lab run LAB [OPTIONS] [OPTIONS OF THE EXPERIMENT]\n\n"
    "Options:\n"
    "  --use-solution IDS  the reference in place of these exercises: 8.7,8.8 or a lab, or all\n"
    "  --submission DIR    somebody's folder laid out like labs/, locked into the sandbox\n"
    "  --device NAME       the reference's kernels: on cuda, or emulated on the processor\n"
    "  --out DIR           where files go (default: .lab/runs/NN/1, 2, ...)\n"
    "  --compare A B       no run: the reports of two side by side, as folders or as 01/1 01/2\n"
    "Options of an experiment: ./lab run LAB --help\n";

/// What was typed.
struct Wish {
  const Lab* lab = nullptr;
  bool help = false;
  std::set<std::string> from_solutions;
  std::string out, submission, device;
  std::vector<std::string> compared;  ///< Two runs, or none.
  std::vector<std::string> rest;      ///< The experiment's own.
};

std::vector<const Lab*> labs_with_a_run() {
  std::vector<const Lab*> found;
  for (const Lab& lab : labs()) {
    if (fs::exists(experiment_file(lab))) found.push_back(&lab);
  }
  return found;
}

const Lab* lab_called(const std::string& name) {
  std::string known;
  for (const Lab* lab : labs_with_a_run())
    known += (known.empty() ? "" : ", ") + std::to_string(std::stoi(lab->name));
  const Lab* lab = find_lab(name);
  if (lab != nullptr && fs::exists(experiment_file(*lab))) return lab;
  throw UsageError((lab != nullptr ? "lab " + name + " has no run yet" : name + " is no lab") +
                   "; those that have one: " + (known.empty() ? "none" : known) +
                   ". For example: ./lab run 8");
}

std::set<std::string> solution_ids(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) names.push_back(name);
  if (text == "all") {
    names.clear();
    for (const Lab& lab : labs()) names.push_back(lab.name);
  }
  return exercise_ids(names);
}

/// The options that are not an experiment's own; LAB comes first, the rest in any order.
Wish parse(const std::vector<std::string>& words) {
  Wish wish;
  std::size_t next = 0;
  if (!words.empty() && words[0][0] != '-') wish.lab = lab_called(words[next++]);
  for (; next < words.size(); ++next) {
    const std::size_t sign = words[next].find('=');
    const std::string name = words[next].substr(0, sign);
    const auto value = [&] {
      if (sign != std::string::npos) return words[next].substr(sign + 1);
      if (next + 1 == words.size()) throw UsageError(name + " takes a word after it.");
      return words[++next];
    };
    if (name == "--use-solution")
      wish.from_solutions = solution_ids(value());
    else if (name == "--out")
      wish.out = from_callers_folder(value());
    else if (name == "--compare")
      wish.compared = {value(), value()};
    else if (name == "--device")
      wish.device = value();
    else if (name == "--submission")
      wish.submission = submission_folder(value());
    else
      wish.rest.push_back(words[next]);
    wish.help = wish.help || name == "--help" || name == "-h";
  }
  return wish;
}

/// Kernels are the solutions', and run without a sandbox.
void check_device(const Wish& wish) {
  if (wish.device.empty()) return;
  check_device_name(wish.device);
  if (!wish.submission.empty())
    throw UsageError(
        "kernels run without a sandbox: --device and --submission exclude each other.");
  if (wish.from_solutions.empty())
    throw UsageError(
        "the kernels are the reference's: add --use-solution all, or some of its "
        "exercises.");
}

/// The only lab with a run, where none was named.
const Lab* default_lab() {
  const std::vector<const Lab*> found = labs_with_a_run();
  if (found.size() == 1) return found[0];
  std::string names;
  for (const Lab* lab : found)
    names += "\n  ./lab run " + std::to_string(std::stoi(lab->name)) + "    " + lab->title;
  throw UsageError("run which lab?" + names);
}

/// The folder that no run of this lab has had.
std::string next_folder(const Lab& lab) {
  const std::string runs = state_dir() + "/runs/" + lab.name.substr(0, 2);
  int last = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error))
    last = std::max(last, std::atoi(entry.path().filename().c_str()));
  return runs + "/" + std::to_string(last + 1);
}

std::string listed(const std::vector<const Exercise*>& exercises) {
  std::string text;
  for (const Exercise* exercise : exercises) text += (text.empty() ? "" : " ") + exercise->id;
  return text;
}

void print_functions(const Lab& lab, const Program& program) {
  std::cout << "lab " << lab.name.substr(0, 2) << "     " << lab.title << '\n';
  if (!program.own.empty()) std::cout << "yours      " << listed(program.own) << '\n';
  if (!program.references.empty())
    std::cout << "reference  " << listed(program.references) << " (not yours)\n";
  std::cout << std::flush;
}

/// The command line as somebody would type it.
std::string command_line(const std::vector<std::string>& words) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+";
  std::string line = "./lab run";
  for (const std::string& word : words) {
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    line += " " + (plain ? word : quoted + "'");
  }
  return line;
}

/// Starts it where the caller stands, and waits. Ctrl-C is the program's to answer.
int start(const Start& what) {
  std::vector<std::string> copy{what.program, what.lab_folder, what.out};
  copy.insert(copy.end(), what.facts.begin(), what.facts.end());
  copy.insert(copy.end(), what.words.begin(), what.words.end());
  std::vector<char*> argv;
  for (std::string& word : copy) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto before = std::signal(SIGINT, SIG_IGN);
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::signal(SIGINT, SIG_DFL);
    const char* folder = std::getenv("LATENTLAB_CWD");
    if (folder == nullptr || ::chdir(folder) == 0) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = -1;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid)
    throw std::runtime_error("the run could not be started");
  std::signal(SIGINT, before);
  return status;
}

/// Which of the linked files still say `todo(`.
std::string unfinished(const Program& program) {
  std::string names;
  for (const Exercise* exercise : program.own) {
    std::string text;
    if (read_file(own_file(*exercise), text) && text.find("todo(") != std::string::npos)
      names += (names.empty() ? "" : ", ") + exercise->id + " " + exercise->name;
  }
  return names;
}

/// Which functions made these files, beside them.
void mark(const std::string& folder, const Lab& lab, const Program& program) {
  if (!fs::exists(folder)) return;
  nlohmann::ordered_json json = {{"lab", lab.name},
                                 {"yours", nlohmann::json::array()},
                                 {"reference", nlohmann::json::array()}};
  for (const Exercise* exercise : program.own) json["yours"].push_back(exercise->id);
  for (const Exercise* exercise : program.references) json["reference"].push_back(exercise->id);
  write_file(folder + "/functions.json", json.dump(1) + "\n");
}

int exit_status(int status, const Lab& lab, const Program& program) {
  const std::string number = std::to_string(std::stoi(lab.name));
  if (WIFSIGNALED(status)) {
    std::cerr << "lab: the run was ended: " << describe_end(status) << ". ./lab grade " << number
              << " finds the function and the line.\n";
    return kIncomplete;
  }
  if (WEXITSTATUS(status) != kNotAttempted) return WEXITSTATUS(status);
  const std::string names = unfinished(program);
  std::cerr << "lab: a function that this run calls is not finished: it still says todo"
            << (names.empty() ? "" : ". Look at " + names) << ".\n";
  return kIncomplete;
}

}  // namespace

int run_run(const std::vector<std::string>& words) {
  Wish wish = parse(words);
  if (!wish.compared.empty()) return compare_runs(wish.compared[0], wish.compared[1], wish.out);
  if (wish.lab == nullptr && wish.help) {
    std::cout << kHelp;
    return kComplete;
  }
  const Lab& lab = wish.lab != nullptr ? *wish.lab : *default_lab();
  check_device(wish);
  // The help of an experiment must not wait for its functions.
  if (wish.help) {
    std::cout << kHelp << std::flush;
    wish.from_solutions = solution_ids("all");
  }
  Program program;
  try {
    program = build_program(lab, wish.from_solutions, wish.submission, wish.device);
  } catch (const RunRefused& e) {
    std::cerr << "lab: " << e.what();
    return kIncomplete;
  }
  const std::string out = wish.out.empty() ? next_folder(lab) : wish.out;
  if (!wish.help) print_functions(lab, program);
  const Start what{
      program.path,
      labs_dir() + "/" + lab.name,
      (wish.submission.empty() ? labs_dir() : wish.submission) + "/" + lab.name + "/answers.toml",
      out,
      {command_line(words), listed(program.own), listed(program.references)},
      wish.rest};
  const int status = wish.submission.empty() ? start(what) : run_locked_in(what);
  if (status == 0 && !wish.help) mark(out, lab, program);
  return exit_status(status, lab, program);
}

}  // namespace latent::grader

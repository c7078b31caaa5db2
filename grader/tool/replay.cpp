// lab replay TOKEN: one failing case again.

#include <unistd.h>

#include <iostream>
#include <sstream>

#include "grader/judge/loading.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

struct Token {
  const Exercise* exercise = nullptr;
  int property = 0;
  CaseId id;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool consists_of(const std::string& text, const char* characters, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         text.find_first_not_of(characters) == std::string::npos;
}

/// "3.1-2-9c41f07be25d6a13-1x2": exercise, property, seed, sizes.
Token parse(const std::string& text) {
  const std::vector<std::string> parts = split(text, '-');
  const char* digits = "0123456789";
  if (parts.size() != 4 || !consists_of(parts[1], digits, 3) ||
      !consists_of(parts[2], "0123456789abcdef", 16) || !consists_of(parts[3], "0123456789x", 60)) {
    throw UsageError(
        text +
        " is no replay token. A failing verdict prints one, like 3.1-2-9c41f07be25d6a13-1x2.");
  }
  Token token;
  token.exercise = find_exercise(parts[0]);
  if (token.exercise == nullptr) throw UsageError("there is no exercise " + parts[0] + ".");
  load_judge(lab_of(*token.exercise));
  token.property = std::stoi(parts[1]);
  if (find_property(*token.exercise, token.property) == nullptr) {
    throw UsageError("exercise " + parts[0] + " has no property " + parts[1] +
                     "; was the token made by another version?");
  }
  token.id.seed = std::stoull(parts[2], nullptr, 16);
  for (const std::string& size : split(parts[3], 'x')) {
    if (!consists_of(size, digits, 6))
      throw UsageError(text + " is no replay token: its sizes are not numbers.");
    if (parts[3] != "0") token.id.sizes.push_back(std::stol(size));
  }
  return token;
}

bool has_gdb() {
  std::istringstream path(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');) {
    if (::access((folder + "/gdb").c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// Becomes gdb: a breakpoint at each function of the exercise, the case's requests on descriptor 3.
[[noreturn]] void debug(const Exercise& exercise, const Replayed& replayed) {
  if (replayed.worker.empty())
    throw std::runtime_error("a worker for the debugger could not be built");
  std::vector<std::string> words{"gdb", "-q", "-d", source_dir()};
  for (const Operation& operation : exercise.operations)
    words.insert(words.end(), {"-ex", "break latent::" + operation.name});
  words.insert(words.end(),
               {"-ex", "run 3<'" + replayed.requests + "' 4>/dev/null", replayed.worker});
  std::cout << "\nIn gdb, before the first line of your function:\n"
               "  next                         one line on\n"
               "  print x                      a value\n"
               "  print *x.m_storage.m_data@4  the first four numbers of a matrix x\n"
               "  continue                     to the next call\n"
               "  quit\n"
               "No sandbox: this runs your code as you.\n\n"
            << std::flush;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp("gdb", argv.data());
  throw std::runtime_error("gdb cannot be started");
}

}  // namespace

int run_replay(const std::string& text, const std::string& submission, bool gdb) {
  if (gdb && !submission.empty())
    throw UsageError("--gdb runs code without the sandbox, so it takes only your own, in labs/.");
  if (gdb && !has_gdb())
    throw UsageError("gdb is not installed: apt-get install gdb, then the same again.");
  const Token token = parse(text);
  GradeOptions grading;
  grading.submission = submission_folder(submission);
  grading.state = state_dir();
  grading.for_debugger = gdb;
  const Replayed replayed = replay(grading, token.exercise->id, token.property, token.id);
  const ExerciseResult& result = replayed.exercise.result;
  std::cout << "replay of " << text << '\n';
  print(replayed.exercise, Report{}, text_style(false), std::cout);
  const bool passed =
      !result.properties.empty() && result.properties[0].verdict == PropertyVerdict::kPass;
  if (passed)
    std::cout << "this case holds now. All cases: ./lab grade " << token.exercise->id << '\n';
  if (gdb && result.verdict != Verdict::kDoesNotCompile) debug(*token.exercise, replayed);
  return passed ? kComplete : kIncomplete;
}

}  // namespace latent::grader

#include "grader/tool/author_sources.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "config.hpp"
#include "grader/judge/jail.hpp"
#include "grader/judge/misconception.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

/// The text between `namespace scope {` and `}  // namespace scope`, or empty.
std::string body_of(const std::string& source, const std::string& scope) {
  const std::string open = "\nnamespace " + scope + " {\n",
                    close = "\n}  // namespace " + scope + "\n";
  // A scope may be opened for several functions: the caller looks for the one it wants.
  const std::size_t begin = source.find(open);
  if (begin == std::string::npos) return "";
  const std::size_t end = source.find(close, begin);
  return end == std::string::npos ? ""
                                  : source.substr(begin + open.size(), end - begin - open.size());
}

std::string body_with(std::string source, const std::string& scope, const std::string& function) {
  const std::string open = "\nnamespace " + scope + " {\n";
  for (std::size_t at = source.find(open); at != std::string::npos;
       at = source.find(open, at + 1)) {
    const std::string body = body_of(source.substr(at), scope);
    if (body.find(" " + function + "(") != std::string::npos) return body;
  }
  return "";
}

/// The standard headers that the candidates' file includes.
std::string includes_of(const std::string& source) {
  std::istringstream lines(source);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("#include <", 0) == 0) all += line + '\n';
  }
  return all;
}

/// The solution's file with one function replaced: the solution's own is renamed out of the way.
std::string with_replacement(const std::string& solution, const std::string& function,
                             const std::string& body) {
  return "#define " + function + " " + function + "_of_the_solution\n" + solution + "#undef " +
         function + "\nnamespace latent {\n" + body + "\n}\n";
}

std::string solution_of(const Lab& lab, const Exercise& exercise) {
  std::string text;
  read_file(source_dir() + "/solutions/" + lab.name + "/" + exercise.file(), text);
  return text;
}

/// The first candidate for an exercise that stands on its own.
struct Cut {
  std::string id;  ///< Of a misconception; empty for an alternative.
  std::string text;
};

template <typename Candidates>
Cut first_cut(const Lab& lab, const Exercise& exercise, const Candidates& candidates,
              const std::string& source) {
  for (const auto& candidate : candidates) {
    const bool ours =
        candidate.lab == lab.name &&
        std::any_of(exercise.operations.begin(), exercise.operations.end(),
                    [&](const Operation& o) { return o.name == candidate.operation.name; });
    if (!ours) continue;
    const std::string body = body_with(source, candidate.scope, candidate.operation.name);
    if (body.empty() || body.find("solution::") != std::string::npos) continue;
    std::string id;
    if constexpr (requires { candidate.id; }) id = candidate.id;
    return {id, includes_of(source) +
                    with_replacement(solution_of(lab, exercise), candidate.operation.name, body)};
  }
  return {};
}

/// How many exercises of the same lab lie below this one, one on top of the other.
int depth_of(const Lab& lab, const Exercise& exercise) {
  int depth = 0;
  for (const Exercise& other : lab.exercises) {
    if (std::count(exercise.needs.begin(), exercise.needs.end(), other.id) > 0)
      depth = std::max(depth, depth_of(lab, other) + 1);
  }
  return depth;
}

/// The lab's solution with some files replaced.
RealSubmission submission_with(const Lab& lab, const std::map<std::string, Cut>& cuts) {
  RealSubmission result;
  result.folder = make_scratch();
  fs::copy(source_dir() + "/solutions", result.folder, fs::copy_options::recursive);
  for (const Exercise& exercise : lab.exercises) {
    const auto cut = cuts.find(exercise.id);
    if (cut == cuts.end() || cut->second.text.empty()) continue;
    write_file(result.folder + "/" + lab.name + "/" + exercise.file(), cut->second.text);
    result.exercises.insert(exercise.id);
    result.expected[exercise.id] = cut->second.id;
  }
  return result;
}

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot run " + command;
  char buffer[4096];
  for (std::size_t n = 1; n > 0;) {
    n = std::fread(buffer, 1, sizeof buffer, pipe);
    text.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  if (text.empty() && status != 0)
    text = "the compiler ended with status " + std::to_string(status);
  return text;
}

}  // namespace

std::vector<std::string> warnings_of_stubs(const Lab& lab) {
  std::string all;
  for (const Exercise& exercise : lab.exercises)
    all += "#include \"" + stub_file(lab, exercise) + "\"\n";
  const std::string folder = make_scratch();
  write_file(folder + "/stubs.cpp", all);
  std::vector<std::string> complaints;
  for (const char* compiler : {"g++", "clang++"}) {
    if (std::system((std::string("command -v ") + compiler + " >/dev/null").c_str()) != 0) {
      complaints.push_back(
          std::string(compiler) +
          " is not installed, so its warnings were not looked for: ./lab setup test");
      continue;
    }
    const std::string output =
        output_of(std::string(compiler) +
                  " -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wconversion "
                  "-isystem /usr/include/eigen3 -I'" +
                  config::kKitDir + "/include' '" + folder + "/stubs.cpp' 2>&1");
    if (!output.empty())
      complaints.push_back(std::string(compiler) + " warns about a stub: " + output.substr(0, 400));
  }
  remove_scratch(folder);
  return complaints;
}

std::vector<RealSubmission> real_submissions(const Lab& lab) {
  std::string wrong_source, right_source;
  read_file(source_dir() + "/grader/misconceptions/" + lab.name + ".cpp", wrong_source);
  read_file(source_dir() + "/grader/alternatives/" + lab.name + ".cpp", right_source);
  // What builds on others is tried with right ones below it.
  std::map<int, std::map<std::string, Cut>> wrong;  // by depth
  std::map<std::string, Cut> right;
  for (const Exercise& exercise : lab.exercises) {
    const Cut& cut = wrong[depth_of(lab, exercise)][exercise.id] =
        first_cut(lab, exercise, misconceptions(), wrong_source);
    right[exercise.id] = first_cut(lab, exercise, alternatives(), right_source);
    if (right[exercise.id].text.empty())
      throw std::runtime_error(exercise.id + " has no alternative that stands on its own");
    if (cut.text.empty()) {
      throw std::runtime_error(exercise.id +
                               " has no misconception that stands on its own (without solution::)");
    }
  }
  std::vector<RealSubmission> all{submission_with(lab, right)};
  for (const auto& [depth, cuts] : wrong) all.push_back(submission_with(lab, cuts));
  return all;
}

}  // namespace latent::grader

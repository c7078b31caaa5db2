// lab why: a misconception explained.

#include <filesystem>
#include <iostream>

#include "grader/judge/loading.hpp"
#include "grader/judge/misconception.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

void print_wrapped(const std::string& text) {
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find(' ', at), text.size());
    if (column + (end - at) > 78) {
      std::cout << '\n';
      column = 0;
    }
    std::cout << (column > 0 ? " " : "") << text.substr(at, end - at);
    column += end - at + (column > 0 ? 1 : 0);
    at = end + 1;
  }
  std::cout << '\n';
}

/// The ids in a lab's source: asking for one must not cost building the others.
std::vector<std::string> ids_of(const Lab& lab) {
  std::string source;
  read_file(source_dir() + "/grader/misconceptions/" + lab.name + ".cpp", source);
  std::vector<std::string> ids;
  for (std::size_t at = 0; (at = source.find("\nMISCONCEPTION(", at)) != std::string::npos;) {
    const std::size_t begin = source.find('"', at) + 1;
    at = source.find('"', begin);
    ids.push_back(source.substr(begin, at - begin));
  }
  return ids;
}

void explain(const Lab& lab, const std::string& id) {
  load_judge(lab);
  for (const Misconception& m : misconceptions()) {
    if (m.id != id) continue;
    std::cout << m.id << "\n\n";
    print_wrapped(m.verdict);
    std::cout << '\n';
    print_wrapped(m.why);
    for (const Exercise& exercise : lab.exercises) {
      for (const Operation& operation : exercise.operations) {
        if (operation.name == m.operation.name)
          std::cout << "\nThe chapter: " << handbook_anchor(lab, exercise) << '\n';
      }
    }
  }
}

}  // namespace

int run_why(const std::string& id) {
  if (!std::filesystem::exists(source_dir() + "/solutions"))
    throw UsageError(
        "this copy has no explanations: they come with solutions/, which is not here.");
  std::vector<std::string> known;
  for (const Lab& lab : labs()) {
    for (const std::string& candidate : ids_of(lab)) {
      known.push_back(candidate);
      if (candidate != id) continue;
      explain(lab, id);
      return kComplete;
    }
  }
  const std::string near = nearest(id, known);
  throw UsageError(
      "there is no explanation called " + id + "." +
      (near.empty() ? " A verdict names the one that fits." : " Did you mean " + near + "?"));
}

}  // namespace latent::grader

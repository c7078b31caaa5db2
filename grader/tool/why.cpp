// lab why: a misconception explained.

#include <iostream>

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

}  // namespace

int run_why(const std::string& id) {
  std::vector<std::string> known;
  for (const Misconception& m : misconceptions()) {
    known.push_back(m.id);
    if (m.id != id) continue;
    std::cout << m.id << "\n\n";
    print_wrapped(m.verdict);
    std::cout << '\n';
    print_wrapped(m.why);
    for (const Lab& lab : labs()) {
      for (const Exercise& exercise : lab.exercises) {
        for (const Operation& operation : exercise.operations) {
          if (lab.name == m.lab && operation.name == m.operation.name)
            std::cout << "\nThe chapter: " << handbook_anchor(lab, exercise) << '\n';
        }
      }
    }
    return kComplete;
  }
  if (known.empty())
    throw UsageError(
        "this copy has no explanations: they come with solutions/, which is not here.");
  const std::string near = nearest(id, known);
  throw UsageError(
      "there is no explanation called " + id + "." +
      (near.empty() ? " A verdict names the one that fits." : " Did you mean " + near + "?"));
}

}  // namespace latent::grader

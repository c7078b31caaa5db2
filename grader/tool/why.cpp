// lab why: a misconception explained.

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "config.hpp"
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

/// Where the built handbook lists this mistake among its lab's, or empty.
std::string place_in_catalogue(const Lab& lab, std::string id) {
  const std::string page =
      std::string(config::kBuildDir) + "/docs/html/catalogue_" + lab.name + ".html";
  std::replace(id.begin(), id.end(), '.', '-');
  std::string text;
  if (!read_file(page, text) || text.find("id=\"why-" + id + '"') == std::string::npos) return "";
  return page + "#why-" + id;
}

}  // namespace

std::vector<std::string> misconception_ids(const Lab& lab) {
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

namespace {

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
    const std::string place = place_in_catalogue(lab, id);
    if (!place.empty()) std::cout << "Among others: " << place << '\n';
  }
}

}  // namespace

int run_why(const std::string& id) {
  if (!std::filesystem::exists(source_dir() + "/solutions"))
    throw UsageError(
        "this copy has no explanations: they come with solutions/, which is not here.");
  std::vector<std::string> known;
  for (const Lab& lab : labs()) {
    for (const std::string& candidate : misconception_ids(lab)) {
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

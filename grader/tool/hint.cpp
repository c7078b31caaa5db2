// lab hint: one level more each time.

#include <iostream>
#include <sstream>

#include "grader/tool/commands.hpp"
#include "grader/tool/hints.hpp"

namespace latent::grader {
namespace {

/// Whether a line of markdown begins an item of a numbered list.
bool starts_item(const std::string& line) {
  const std::size_t digits = line.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string::npos && line.compare(digits, 2, ". ") == 0;
}

}  // namespace

std::vector<std::string> hints_for(const Lab& lab, const Exercise& exercise) {
  std::string text;
  std::vector<std::string> hints;
  if (!read_file(labs_dir() + "/" + lab.name + "/hints.md", text)) return hints;
  std::istringstream in(text);
  bool here = false;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("## ", 0) == 0) {
      here = line.rfind("## " + exercise.id + " ", 0) == 0;
    } else if (here && starts_item(line)) {
      hints.push_back(line.substr(line.find_first_not_of(' ', line.find('.') + 1)));
    } else if (here && !hints.empty()) {
      const std::size_t start = line.find_first_not_of(' ');
      if (start != std::string::npos) hints.back() += "\n   " + line.substr(start);
    }
  }
  return hints;
}

int run_hint(const std::string& name, bool all) {
  const Exercise* exercise = find_exercise(name);
  if (exercise == nullptr) {
    const std::set<std::string> ids = exercise_ids({name});  // refuses unknown names
    throw UsageError(name + " is a whole lab. Which exercise? For example ./lab hint " +
                     *ids.begin());
  }
  const Lab& lab = lab_of(*exercise);
  const std::vector<std::string> hints = hints_for(lab, *exercise);
  if (hints.empty()) {
    std::cout << "There is no hint for " << exercise->id << ". The contract is in labs/" << lab.name
              << "/" << lab.contract() << ".\n";
    return kComplete;
  }
  const int seen = recall("hints/" + exercise->id), count = static_cast<int>(hints.size());
  const int shown = all ? count : std::min(seen + 1, count);
  remember("hints/" + exercise->id, shown);
  for (int i = all ? 0 : shown - 1; i < shown; ++i) {
    std::cout << exercise->id << " " << exercise->name << ", hint " << i + 1 << " of " << count
              << "\n   " << hints[static_cast<std::size_t>(i)] << "\n";
  }
  if (shown < count)
    std::cout << "another one: ./lab hint " << exercise->id << "\n";
  else
    std::cout << "that was the last one. The chapter: " << handbook_anchor(lab, *exercise) << "\n";
  return kComplete;
}

}  // namespace latent::grader

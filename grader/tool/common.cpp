#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "config.hpp"
#include "grader/judge/loading.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

/// Whether colours and lines that are written over may go there.
bool escapes_welcome(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(fd) != 0 && (no_color == nullptr || *no_color == '\0');
}

std::string memory_file() {
  return state_dir() + "/memory.json";
}

nlohmann::json memory() {
  std::string text;
  if (!read_file(memory_file(), text)) return nlohmann::json::object();
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  return parsed.is_object() ? parsed : nlohmann::json::object();
}

}  // namespace

std::string source_dir() {
  return config::kSourceDir;
}
std::string labs_dir() {
  return source_dir() + "/labs";
}

std::string state_dir() {
  const char* wish = std::getenv("LATENTLAB_STATE");  // for tests, whose objects are nobody's
  const std::string folder = wish != nullptr && *wish != '\0' ? wish : source_dir() + "/.lab";
  fs::create_directories(folder);
  return folder;
}

std::string from_callers_folder(const std::string& path) {
  const char* folder = std::getenv("LATENTLAB_CWD");
  const fs::path base = folder != nullptr ? fs::path(folder) : fs::current_path();
  return (base / path).lexically_normal().string();
}

std::string submission_folder(const std::string& name) {
  if (name.empty()) return labs_dir();
  const std::string path = from_callers_folder(name);
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw UsageError("there is no folder " + path +
                     ". --submission takes a folder laid out like labs/.");
  }
  if (!fs::is_directory(path, error)) {
    throw UsageError(path + " is not a folder. --submission takes a folder laid out like labs/.");
  }
  fs::directory_iterator(path, error);
  if (error) throw UsageError(path + " cannot be read: " + error.message() + ".");
  return path;
}

std::string nearest(const std::string& name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t least = name.size() / 2 + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::set<std::string> exercise_ids(const std::vector<std::string>& names) {
  std::set<std::string> ids;
  std::vector<std::string> known;
  for (const Lab& lab : labs()) {
    known.push_back(lab.name);
    known.push_back(std::to_string(std::stoi(lab.name)));
    for (const Exercise& exercise : lab.exercises) {
      known.push_back(exercise.id);
      known.push_back(exercise.name);
    }
  }
  for (const std::string& name : names) {
    if (const Lab* lab = find_lab(name)) {
      for (const Exercise& exercise : lab->exercises) ids.insert(exercise.id);
    } else if (const Exercise* exercise = find_exercise(name)) {
      ids.insert(exercise->id);
    } else {
      const std::string near = nearest(name, known);
      throw UsageError("there is no lab or exercise called " + name + "." +
                       (near.empty() ? " ./lab lists them." : " Did you mean " + near + "?"));
    }
  }
  return ids;
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 20) ^ device();  // 52 bits: easy to copy
}

std::uint64_t seed_from(const std::string& text) {
  if (text.empty()) return fresh_seed();
  std::size_t used = 0;
  try {
    const std::uint64_t seed = std::stoull(text, &used);
    if (used == text.size() && text[0] != '-') return seed;
  } catch (const std::exception&) {
  }
  throw UsageError("--seed takes a whole number from 0 to 2^64 - 1, not " + text + ".");
}

TextStyle text_style(bool plain) {
  return {escapes_welcome(STDOUT_FILENO) && !plain, plain};
}

void show_progress(const std::string& text) {
  if (!escapes_welcome(STDERR_FILENO)) return;
  std::cerr << "\r\033[K" << text << std::flush;
}

int recall(const std::string& key) {
  const nlohmann::json facts = memory();
  return facts.contains(key) && facts[key].is_number_integer() ? facts[key].get<int>() : 0;
}

void remember(const std::string& key, int value) {
  nlohmann::json facts = memory();
  facts[key] = value;
  write_file(memory_file(), facts.dump(1));
}

void check_device_name(const std::string& name) {
  if (name != "cuda" && name != "emulated")
    throw UsageError("--device takes cuda or emulated, not \"" + name + "\".");
  if (name == "cuda" && device_name().empty())
    throw UsageError(
        "there is no GPU here, or no nvcc. --device emulated runs the same kernels on the "
        "processor.");
}

}  // namespace latent::grader

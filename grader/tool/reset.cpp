// lab reset: brings stubs back, keeping a copy of what was there.

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <iostream>

#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

std::string time_stamp() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", std::localtime(&now));
  return text;
}

void keep(const std::string& path, const std::string& backup) {
  std::error_code error;
  fs::rename(path, backup, error);
  if (!error) return;
  // labs/ and .lab may be on two file systems, in a container for example.
  fs::copy(path, backup, fs::copy_options::copy_symlinks);
  fs::remove(path);
}

bool confirmed(std::size_t files, bool yes) {
  if (yes || ::isatty(STDIN_FILENO) == 0) return true;
  std::cout << "This puts the stub in the place of " << files << (files == 1 ? " file" : " files")
            << " of yours; copies go to .lab/backup. Go on? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

int run_reset(const std::vector<std::string>& names, bool yes) {
  std::vector<std::pair<const Lab*, const Exercise*>> changed;
  for (const std::string& id : exercise_ids(names)) {
    const Exercise* exercise = find_exercise(id);
    const Lab& lab = lab_of(*exercise);
    std::string mine, stub;
    const std::string path = labs_dir() + "/" + lab.name + "/" + exercise->file();
    if (!read_file(stub_file(lab, *exercise), stub))
      throw std::runtime_error("the stub of " + id + " is missing from grader/stubs");
    if (!fs::is_regular_file(path) || !read_file(path, mine) || mine != stub)
      changed.emplace_back(&lab, exercise);
  }
  if (changed.empty()) {
    std::cout << "Nothing to do: these files are the stubs already.\n";
    return kComplete;
  }
  if (!confirmed(changed.size(), yes)) {
    std::cout << "Nothing was changed.\n";
    return kComplete;
  }
  const std::string backup = state_dir() + "/backup/" + time_stamp();
  for (const auto& [lab, exercise] : changed) {
    const std::string file = lab->name + "/" + exercise->file(), path = labs_dir() + "/" + file;
    std::string stub;
    read_file(stub_file(*lab, *exercise), stub);
    if (fs::exists(fs::symlink_status(path))) {
      fs::create_directories(backup + "/" + lab->name);
      keep(path, backup + "/" + file);
      std::cout << "labs/" << file << ": stub restored, yours is in .lab/backup/"
                << fs::path(backup).filename().string() << "/" << file << '\n';
    } else {
      fs::create_directories(fs::path(path).parent_path());
      std::cout << "labs/" << file << ": stub restored\n";
    }
    write_file(path, stub);
  }
  return kComplete;
}

}  // namespace latent::grader

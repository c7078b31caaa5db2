// A submission's program in the jail: what it may read, what it printed, what it left behind.

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "grader/judge/files.hpp"
#include "grader/judge/jail.hpp"
#include "grader/tool/commands.hpp"
#include "grader/tool/running.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

constexpr auto kDeadline = std::chrono::minutes(15);
constexpr std::size_t kMostFiles = 100;

/// Copies what a lab ships besides sources, and the reader's answers: of labs/ itself nothing is to
/// be seen.
void copy_given(const Start& start, const std::string& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(start.lab_folder)) {
    if (entry.is_directory())
      fs::copy(entry.path(), fs::path(to) / entry.path().filename(), fs::copy_options::recursive);
  }
  std::string answers;
  if (read_from_jail(start.answers, answers)) write_file(to + "/answers.toml", answers);
}

/// An option that names a file or a folder names a copy of it, or what the jail is shown.
std::string shown(const std::string& word, const std::string& box, JailSpec& spec) {
  const std::size_t sign = word.rfind("--", 0) == 0 ? word.find('=') : std::string::npos;
  const std::string before = sign == std::string::npos ? "" : word.substr(0, sign + 1),
                    name = word.substr(before.size());
  if (name.empty() || name[0] == '-') return word;
  const std::string path = from_callers_folder(name);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    spec.readable.push_back(readable_for_jail(fs::canonical(path)));
    return before + spec.readable.back();
  }
  if (!fs::is_regular_file(path, error)) return word;
  const std::string copy = box + "/given/" + fs::path(path).filename().string();
  fs::copy_file(path, copy, fs::copy_options::overwrite_existing);
  return before + copy;
}

bool is_plain(const std::string& name) {
  return !name.empty() && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

/// Regular files with plain names, up to a number and a size; what else there is stays behind.
void take_over(const std::string& from, const std::string& to) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename();
    std::string bytes;
    if (!is_plain(name) || ++files > kMostFiles || !read_from_jail(entry.path(), bytes)) continue;
    fs::create_directories(to);
    write_file(to + "/" + name, bytes);
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
    text.replace(at, from.size(), to), at += to.size();
  return text;
}

}  // namespace

int run_locked_in(const Start& start) {
  const std::string box = make_scratch(),
                    lab = box + "/" + fs::path(start.lab_folder).filename().string(),
                    out = box + "/out";
  fs::create_directories(box + "/given");
  fs::create_directories(out);
  copy_given(start, lab);
  JailSpec spec;
  spec.argv = {start.program, lab, out};
  spec.argv.insert(spec.argv.end(), start.facts.begin(), start.facts.end());
  for (const std::string& word : start.words) spec.argv.push_back(shown(word, box, spec));
  spec.executable_to_copy = start.program;
  spec.writable = box;
  spec.limits = {.cpu_seconds = 1200,
                 .memory_bytes = std::size_t{8} << 30,
                 .processes = 16,
                 .file_bytes = std::size_t{64} << 20};
  give_to_jail(box);
  show_progress("running in the sandbox (" + to_string(confinement()) + ")");
  const Finished finished = run_to_end(spec, kDeadline);
  show_progress("");
  std::cout << replaced(printable(finished.output, 60'000), out, start.out) << std::flush;
  take_over(out, start.out);
  remove_scratch(box);
  if (finished.timed_out) {
    std::cerr << "lab: the run was ended: it took longer than 15 minutes or printed too much.\n";
    return kIncomplete << 8;
  }
  return finished.status;
}

}  // namespace latent::grader

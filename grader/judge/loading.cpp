#include "grader/judge/loading.hpp"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "config.hpp"
#include "grader/judge/forked.hpp"

namespace latent::grader {
namespace {

std::string library(const std::string& name) {
  return std::string(config::kJudgesDir) + "/" + name + ".so";
}

/// The launcher builds: it knows how, shows the progress and keeps others from building meanwhile.
void build(const std::string& target) {
  const std::string launcher = std::string(config::kSourceDir) + "/lab";
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setenv("LATENTLAB_BUILD", config::kBuildDir, 1);
    ::execl("/bin/sh", "sh", launcher.c_str(), "prepare", target.c_str(), nullptr);
    ::_exit(127);
  }
  int status = -1;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || status != 0)
    throw GraderFailure("what judges the lab could not be built (" + target + ")");
}

void load(const std::string& name, const std::string& target) {
  static std::set<std::string> loaded;
  if (loaded.contains(name)) return;
  if (!std::filesystem::exists(library(name))) build(target);
  if (::dlopen(library(name).c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr)
    throw GraderFailure(std::string("what judges the lab could not be loaded: ") + ::dlerror());
  loaded.insert(name);
}

/// A program of the variants, which the launcher builds like the libraries.
std::string built(const std::string& file, const std::string& target) {
  const std::string path = std::string(config::kVariantsDir) + "/" + file;
  if (!std::filesystem::exists(path)) build(target);
  return path;
}

}  // namespace

void load_judge(const Lab& lab) {
  load(lab.name, "judge_" + lab.name);
}

void load_alternatives(const Lab& lab) {
  load(lab.name + ".author", "author_" + lab.name);
}

std::vector<std::string> exercises_with(const Lab& lab, const std::string& kind) {
  std::vector<std::string> ids;
  for (const Exercise& exercise : lab.exercises) {
    std::filesystem::path file =
        std::string(config::kSourceDir) + "/solutions/" + lab.name + "/" + exercise.file();
    if (std::filesystem::exists(file.replace_extension(kind == "fast" ? ".fast.cpp" : ".cu")))
      ids.push_back(exercise.id);
  }
  return ids;
}

std::string variant_worker(const Lab& lab, const std::string& kind) {
  if (exercises_with(lab, kind).empty()) return "";
  return built(lab.name + "." + kind, "worker_" + kind + "_" + lab.name);
}

std::string kernel_library(const std::string& name, const std::string& kind) {
  return built("libkernels_" + kind + "_" + name + ".a", "kernels_" + kind + "_" + name);
}

std::string device_name() {
  static const std::string name = [] {
    std::string found;
    if (!config::kHasCuda) return found;
    // In a process of its own: once it has looked for a GPU, a process can no longer fork freely.
    const std::string command = "'" + built("device_name", "device_name") + "' 2>/dev/null";
    std::FILE* output = ::popen(command.c_str(), "r");
    char line[256] = "";
    if (output != nullptr && std::fgets(line, sizeof line, output) != nullptr) found = line;
    if (output != nullptr) ::pclose(output);
    return found.substr(0, found.find('\n'));
  }();
  return name;
}

bool has_judge(const Lab& lab) {
  return std::filesystem::exists(library(lab.name));
}

}  // namespace latent::grader

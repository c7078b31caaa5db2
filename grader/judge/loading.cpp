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

}  // namespace

void load_judge(const Lab& lab) {
  load(lab.name, "judge_" + lab.name);
}

void load_alternatives(const Lab& lab) {
  load(lab.name + ".author", "author_" + lab.name);
}

std::string variant_worker(const Lab& lab, const std::string& kind) {
  const std::string path = std::string(config::kVariantsDir) + "/" + lab.name + "." + kind;
  return std::filesystem::exists(path) ? path : "";
}

std::string device_name() {
  static const std::string name = [] {
    // In a process of its own: once it has looked for a GPU, a process can no longer fork freely.
    std::string found;
    const std::string program = std::string(config::kVariantsDir) + "/device_name";
    if (!std::filesystem::exists(program)) return found;
    std::FILE* output = ::popen(("'" + program + "' 2>/dev/null").c_str(), "r");
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

// lab doctor: what is missing here, and how to get it.

#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "config.hpp"
#include "grader/judge/jail.hpp"
#include "grader/judge/loading.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

struct Finding {
  bool good;
  std::string text;
};

Finding sandbox() {
  if (confinement() == Confinement::kFull) return {true, "sandbox: full (bubblewrap)"};
  const bool installed = ::access("/usr/bin/bwrap", X_OK) == 0;
  return {false, installed ? "sandbox: reduced. bubblewrap is installed but may not make "
                             "namespaces here; in a container, allow user namespaces. "
                             "Scores stay honest, secrecy of files is weaker."
                           : "sandbox: reduced. Install the package bubblewrap for a full one."};
}

Finding compiler() {
  std::string ignored;
  const std::string path = config::kCompiler;
  if (::access(path.c_str(), X_OK) != 0)
    return {false, "compiler: " + path + " is gone. Remove build/ and run ./lab again."};
  return {true, std::string("compiler: ") + config::kCompilerName + " (" + path + ")"};
}

Finding kit() {
  for (const Lab& lab : labs()) {
    if (!has_judge(lab)) continue;  // built when it is first needed
    for (const Exercise& exercise : lab.exercises) {
      if (!fs::exists(Workshop::stub_object(lab, exercise)))
        return {false, "kit: the stub of " + exercise.id +
                           " is not built. Remove build/ and run ./lab again."};
    }
  }
  return {true, std::string("kit: complete, ") +
                    (config::kHasMold ? "links with mold"
                                      : "links with ld (install mold for faster verdicts)")};
}

Finding writable(const std::string& folder, const std::string& what) {
  const bool good = ::access(folder.c_str(), W_OK) == 0;
  return {good, what + ": " + folder + (good ? "" : " cannot be written to")};
}

Finding solutions() {
  const bool there = fs::exists(source_dir() + "/solutions");
  return {true, there ? "solutions: here"
                      : "solutions: not in this copy; exercises that build on unsolved ones wait, "
                        "and mistakes are not named"};
}

}  // namespace

int run_doctor() {
  int status = kComplete;
  for (const Finding& finding : {compiler(), kit(), sandbox(), writable(state_dir(), "state"),
                                 writable("/tmp", "scratch"), solutions()}) {
    std::cout << (finding.good ? "ok    " : "look  ") << finding.text << '\n';
    if (!finding.good) status = kIncomplete;
  }
  return status;
}

}  // namespace latent::grader

// lab test: the project's own tests.

#include <unistd.h>

#include "config.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {

int run_test(const std::string& pattern) {
  std::vector<const char*> argv{"ctest", "--test-dir", config::kBuildDir, "--output-on-failure",
                                "-j2"};
  if (!pattern.empty()) argv.insert(argv.end(), {"-R", pattern.c_str()});
  argv.push_back(nullptr);
  ::execvp("ctest", const_cast<char* const*>(argv.data()));
  throw std::runtime_error("ctest cannot be started; it comes with cmake");
}

}  // namespace latent::grader

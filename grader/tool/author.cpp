#include "grader/tool/commands.hpp"

namespace latent::grader {
int run_author_check(const std::vector<std::string>&, bool) { return kComplete; }
}  // namespace latent::grader

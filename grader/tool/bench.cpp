#include "grader/tool/commands.hpp"

namespace latent::grader {
int run_bench_latency(int) { return kComplete; }
}  // namespace latent::grader

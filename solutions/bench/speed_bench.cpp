// How fast the solutions are here: against PyTorch, against what the machine can do, and as their
// inputs grow. `./lab bench` builds and runs it; README.md says what the columns mean.
//
//   speed_bench [--only NAME] [--cores N] [--json FILE] [--large]

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "blas.hpp"
#include "growth.hpp"
#include "limits.hpp"
#include "race.hpp"
#ifdef LATENTLAB_TORCH
#include "torch_kernels.hpp"
#include "torch_vae.hpp"
#endif

namespace {

using namespace latent;
using json = nlohmann::ordered_json;

constexpr std::uint64_t kSeed = 1;

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}

std::string compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

std::string our_products() {
#ifdef LATENTLAB_BLAS
  return blas_in_use().name;
#else
  return "Eigen's own (libopenblas-dev is not installed)";
#endif
}

std::string other_side() {
#ifdef LATENTLAB_TORCH
  return torch_version() + ", products: " + blas_in_use().name;
#else
  return "not compared: libtorch-dev is not installed (./lab bench --torch installs it)";
#endif
}

json announce(int cores) {
#ifdef LATENTLAB_TORCH
  set_torch_threads(cores);
#endif
  set_blas_threads(cores);
  const json about{{"compiler", compiler()},     {"processor", processor()},
                   {"products", our_products()}, {"threads", cores},
                   {"PyTorch", other_side()},    {"seed", kSeed}};
  for (const auto& [name, value] : about.items())
    std::printf("%-10s %s\n", name.c_str(),
                value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  return about;
}

/// "1.23", or "-" where there is nothing.
std::string text(double value, int digits) {
  if (std::isnan(value)) return "-";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

void print_line(const std::string& name, double ours, double theirs, double bar, double of_limit) {
  const double ratio = theirs / ours;
  const bool held = bar > 0.0 && !std::isnan(ratio);
  std::printf("%-64s %9s %9s %7s %5s %-6s %7s\n", name.c_str(), text(1e3 * ours, 3).c_str(),
              text(1e3 * theirs, 3).c_str(), text(ratio, 2).c_str(),
              bar > 0.0 ? text(bar, 1).c_str() : "",
              !held          ? ""
              : ratio >= bar ? "met"
                             : "missed",
              text(of_limit, 2).c_str());
  std::fflush(stdout);
}

void require_equal(const Row& row, const Contest& contest) {
  if (contest.rivals.empty()) return;
  const Result ours = contest.ours.result();
  for (const Contender& rival : contest.rivals) {
    const Difference apart = difference(ours, rival.result());
    if (!apart.sentence.empty())
      throw std::runtime_error(row.name + ": ours and " + rival.name +
                               " are not the same: " + apart.sentence + ".");
  }
}

/// Runs a row and prints it: ours against the fastest of the others, and those below.
json run_row(const Row& row, const Limits& limits, const Race& race) {
  const Contest contest = row.begin();
  require_equal(row, contest);
  std::vector<const Contender*> all{&contest.ours};
  for (const Contender& rival : contest.rivals) all.push_back(&rival);
  const std::vector<double> times = medians(all, row.own_threads, race);
  const double none = std::numeric_limits<double>::quiet_NaN();
  const double best = times.size() > 1 ? *std::min_element(times.begin() + 1, times.end()) : none;
  const double of_limit = least_seconds(contest.work, limits) / times[0];
  print_line(row.name, times[0], best, row.bar, of_limit);
  json line{{"row", row.name}, {"ours_ms", 1e3 * times[0]}, {"of_the_limit", of_limit}};
  if (row.bar > 0.0) line["bar"] = row.bar;
  for (std::size_t i = 1; i < times.size(); ++i) {
    line["pytorch_ms"][all[i]->name] = 1e3 * times[i];
    if (times.size() > 2)
      std::printf("    %-60s %9s %9s %7s\n", all[i]->name.c_str(), "",
                  text(1e3 * times[i], 3).c_str(), text(times[i] / times[0], 2).c_str());
  }
  if (times.size() > 1) line["ratio"] = best / times[0];
  return line;
}

json run_table(const std::string& only, const Limits& limits, const Race& race) {
  std::printf("\n%-64s %9s %9s %7s %5s %-6s %7s\n", "", "ours, ms", "PyTorch", "ratio", "bar", "",
              "limit");
  json table = json::array();
  for (const Row& row : rows_of_table(kSeed)) {
    if (row.name.find(only) == std::string::npos) continue;
    table.push_back(run_row(row, limits, race));
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) try {
  Race race;
  std::string only, file;
  bool large = false;
  std::vector<Index> search;
  CLI::App app("How fast the solutions are here", "./lab bench");
  app.add_option("--only", only, "Rows whose names contain this");
  app.add_option("--cores", race.cores, "Processors and threads")->check(CLI::Range(1, 1024));
  app.add_option("--json", file, "Also write all figures to this file");
  app.add_flag("--large", large, "Also the memory of 2^20 rows and 2^18 codes; takes minutes");
  app.add_option("--search", search)->expected(4)->group("");  // this program, watched by itself
  CLI11_PARSE(app, argc, argv);
  if (!search.empty()) return search_and_tell({search[0], search[1], search[2], search[3] != 0});
  wake_openblas(argv, race.cores);

  json all{{"about", announce(race.cores)}};
  const Limits limits = measure_limits(race);
  std::printf("limits     copied: %.1f GB/s; multiplied: %.1f GFLOP/s\n", limits.copied / 1e9,
              limits.multiplied / 1e9);
  all["limits"] = {{"copied_gb_per_s", limits.copied / 1e9},
                   {"multiplied_gflop_per_s", limits.multiplied / 1e9}};
  all["rows"] = run_table(only, limits, race);
  std::printf("\nmilliseconds as an input grows\n");
  all["growth_of_time"] = print_growth_of_time(kSeed, only, race);
  if (large || std::string("nearest_code").find(only) != std::string::npos)
    all["growth_of_memory"] = print_growth_of_memory(large);
  if (!file.empty() && !(std::ofstream(file) << all.dump(2) << '\n'))
    throw std::runtime_error("cannot write " + file);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "speed_bench: %s\n", error.what());
  return 1;
}

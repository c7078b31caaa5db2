#include "growth.hpp"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "blas.hpp"

namespace latent {
namespace {

using json = nlohmann::ordered_json;

constexpr Race kFast{.repetitions = 5, .least_seconds = 0.02};
constexpr Index kDimensions = 16;

/// The slope of log y over log x by least squares: y grows as x to this power.
double exponent(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = std::log(x[i]), b = std::log(y[i]);
    sx += a, sy += b, sxx += a * a, sxy += a * b;
  }
  return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

struct Peak {
  double kibibytes = 0.0, seconds = 0.0;
};

/// The largest resident memory of a process that does this and nothing else.
Peak peak_of(const Search& search) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = "\"" + program + "\" --search " + std::to_string(search.n) + " " +
                              std::to_string(search.k) + " " + std::to_string(search.d) + " " +
                              std::to_string(search.really ? 1 : 0);
  const std::unique_ptr<FILE, int (*)(FILE*)> child(::popen(command.c_str(), "r"), ::pclose);
  Peak peak;
  if (!child || std::fscanf(child.get(), "%lf %lf", &peak.kibibytes, &peak.seconds) != 2)
    throw std::runtime_error("could not watch " + command);
  return peak;
}

json watch(Index n, Index k, Index d) {
  const Peak search = peak_of({n, k, d, true}), nothing = peak_of({n, k, d, false});
  const double mebibytes = (search.kibibytes - nothing.kibibytes) / 1024.0;
  const double table = 4.0 * double(n) * double(k) / 1024.0 / 1024.0;
  std::printf(
      "    %8td rows, %7td x %2td: %8.1f MiB beyond inputs and outputs, %10.0f MiB would be "
      "the table; %.2f s\n",
      n, k, d, mebibytes, table, search.seconds);
  std::fflush(stdout);
  return {{"rows", n},
          {"codes", k},
          {"dimensions", d},
          {"mebibytes", mebibytes},
          {"table_mebibytes", table},
          {"seconds", search.seconds}};
}

}  // namespace

json print_growth_of_time(std::uint64_t seed, const std::string& only, const Race& race) {
  json all = json::array();
  for (const Sweep& sweep : sweeps(seed)) {
    if (sweep.name.find(only) == std::string::npos) continue;
    std::vector<double> sizes, times;
    Race fast = kFast;
    fast.cores = race.cores;
    std::printf("%-44s", sweep.name.c_str());
    for (const Index size : sweep.sizes) {
      const Row row = sweep.row(size);
      const Contest contest = row.begin();
      sizes.push_back(double(size));
      times.push_back(medians({&contest.ours}, row.own_threads, fast)[0]);
      std::printf(" %7td: %8.3f", size, 1e3 * times.back());
    }
    const double power = exponent(sizes, times);
    std::printf("   exponent %.2f, expected %.0f\n", power, sweep.expected);
    std::fflush(stdout);
    all.push_back({{"what", sweep.name},
                   {"sizes", sizes},
                   {"seconds", times},
                   {"exponent", power},
                   {"expected", sweep.expected}});
  }
  return all;
}

json print_growth_of_memory(bool large) {
  std::printf("\npeak memory of nearest_code\n");
  json sizes = json::array();
  std::vector<double> n, mebibytes;
  for (Index size = 4096; size <= 32768; size *= 2) {
    sizes.push_back(watch(size, size, kDimensions));
    n.push_back(double(size));
    mebibytes.push_back(std::max(sizes.back()["mebibytes"].get<double>(), 1e-3));
  }
  const double power = exponent(n, mebibytes);
  std::printf("    exponent %.2f, expected at most 1; of the table it is 2\n", power);
  if (large) sizes.push_back(watch(Index{1} << 20, Index{1} << 18, 18));
  return {{"sizes", sizes}, {"exponent", power}};
}

int search_and_tell(const Search& search) {
  const auto begin = std::chrono::steady_clock::now();
  set_blas_threads(1);
  const int status = search_once(search);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  // Not getrusage's: that counts what the process was before exec, a copy of its parent.
  std::ifstream self("/proc/self/status");
  for (std::string line; std::getline(self, line);) {
    if (line.starts_with("VmHWM:"))
      std::printf("%ld %.3f\n", std::stol(line.substr(6)), seconds.count());
  }
  return status;
}

}  // namespace latent

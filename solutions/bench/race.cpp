#include "race.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "blas.hpp"

namespace latent {
namespace {

constexpr double kMostDifference = 1e-4;
constexpr double kLeastEqual = 0.999;  // of indices: ties and borders may fall to either side

constexpr double kLong = 0.5;  // seconds, beside which a cold start is nothing

/// Keeps the times of the repetitions, prints nothing.
class Times : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration)
        of_[run.run_name.function_name].push_back(run.real_accumulated_time /
                                                  static_cast<double>(run.iterations));
    }
  }
  double median(const std::string& name) {
    std::vector<double>& times = of_.at(name);
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> of_;
};

/// Once: repetitions of what is registered together take turns, in an order that is drawn.
void initialize() {
  static const bool done = [] {
    char program[] = "speed_bench", turns[] = "--benchmark_enable_random_interleaving=true";
    char* words[] = {program, turns, nullptr};
    int count = 2;
    benchmark::Initialize(&count, words);
    return true;
  }();
  static_cast<void>(done);
}

double seconds_of(const Contender& one) {
  const auto begin = std::chrono::steady_clock::now();
  one.run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

std::vector<double> medians(const std::vector<const Contender*>& contenders, bool own_threads,
                            const Race& race) {
  initialize();
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const int threads = i == 0 && own_threads ? 1 : race.cores;
    const Contender& one = *contenders[i];
    const bool warm = seconds_of(one) < kLong;
    benchmark::RegisterBenchmark(std::to_string(i).c_str(),
                                 [&one, threads, warm](benchmark::State& state) {
                                   set_blas_threads(threads);
                                   // Caches, and pages that the other side's heap has given back.
                                   if (warm) one.run();
                                   for (auto _ : state) one.run();
                                 })
        ->UseRealTime()
        ->MinTime(race.least_seconds)
        ->Repetitions(race.repetitions);
  }
  Times times;
  benchmark::RunSpecifiedBenchmarks(&times);
  benchmark::ClearRegisteredBenchmarks();
  set_blas_threads(race.cores);
  std::vector<double> result;
  for (std::size_t i = 0; i < contenders.size(); ++i)
    result.push_back(times.median(std::to_string(i)));
  return result;
}

Difference difference(const Result& ours, const Result& rivals) {
  Difference result;
  if (ours.numbers.size() != rivals.numbers.size() || ours.indices.size() != rivals.indices.size())
    return {INFINITY, 0.0, "they are not of one kind"};
  for (std::size_t i = 0; i < ours.numbers.size(); ++i) {
    const Matrix &a = ours.numbers[i], &b = rivals.numbers[i];
    if (a.size() != b.size()) return {INFINITY, 0.0, "they are not of one size"};
    const Eigen::Map<const Matrix> same(a.data(), b.rows(), b.cols());
    const double scale = std::max(double(b.cwiseAbs().maxCoeff()), 1e-30);
    result.numbers = std::max(result.numbers, double((same - b).cwiseAbs().maxCoeff()) / scale);
    if (!same.allFinite()) result.numbers = INFINITY;
  }
  std::size_t equal = 0;
  for (std::size_t i = 0; i < ours.indices.size(); ++i)
    equal += ours.indices[i] == rivals.indices[i] ? 1U : 0U;
  if (!ours.indices.empty()) result.indices = double(equal) / double(ours.indices.size());
  if (!(result.numbers <= kMostDifference))
    result.sentence = "they differ by " + std::to_string(result.numbers) +
                      " of the largest number, at most 0.0001 is rounding";
  else if (!(result.indices >= kLeastEqual))
    result.sentence = "only " + std::to_string(result.indices) +
                      " of the indices are equal, at least 0.999 should be";
  return result;
}

}  // namespace latent

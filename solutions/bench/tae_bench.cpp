// A TAESD-family autoencoder at 512x512: the plain functions of lab 08 over the fast convolution of
// lab 01, against the same layers made of PyTorch's operators, in turns, in one process.
//
//   tae_bench DIR [--benchmark_...]    DIR holds encoder.safetensors and decoder.safetensors

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <thread>

#include "common/random.hpp"
#include "tae_weights.hpp"
#ifdef LATENTLAB_TORCH
#include "torch_tae.hpp"
#endif

namespace {

using namespace latent;

constexpr Index kSide = 512;
constexpr int kRepetitions = 7;
constexpr double kMostDifference = 1e-3;

Tensor4 encode_decode(Tensor4 x, const TaeModel& model) {
  for (const auto* part : {&model.encoder, &model.decoder}) {
    for (const TaeLayer& layer : *part) x = run_layer(x, layer);
  }
  return x;
}

Tensor4 noise() {
  Random random(1);
  Tensor4 image(1, 3, kSide, kSide);
  for (Index i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(random.uniform());
  return image;
}

double largest_difference(const Tensor4& a, const Tensor4& b) {
  if (a.shape() != b.shape()) return INFINITY;
  double largest = 0.0;
  for (Index i = 0; i < a.size(); ++i)
    largest = std::fmax(largest, std::fabs(double(a.data()[i]) - double(b.data()[i])));
  return largest;
}

/// The usual table, and the medians for the last line.
class Medians : public benchmark::ConsoleReporter {
 public:
  Medians() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.aggregate_name == "median")
        of_[run.run_name.function_name] = run.GetAdjustedRealTime();
    }
  }
  double of(const std::string& name) const { return of_.at(name); }

 private:
  std::map<std::string, double> of_;
};

template <class Function>
void add(const char* name, Function function) {
  benchmark::RegisterBenchmark(name,
                               [function](benchmark::State& state) {
                                 for (auto _ : state) benchmark::DoNotOptimize(function());
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime()
      ->Iterations(1)
      ->Repetitions(kRepetitions);
}

}  // namespace

int main(int argc, char** argv) try {
  char interleaved[] = "--benchmark_enable_random_interleaving=true";
  char aggregates[] = "--benchmark_display_aggregates_only=true";
  std::vector<char*> words{argv[0], interleaved, aggregates};
  words.insert(words.end(), argv + 1, argv + argc);
  int count = static_cast<int>(words.size());
  benchmark::Initialize(&count, words.data());
  if (count != 2) {
    std::fprintf(
        stderr,
        "tae_bench: expected one folder with encoder.safetensors and decoder.safetensors\n");
    return 2;
  }
  const TaeModel model = read_tae(words[1]);
  const Tensor4 image = noise();
  std::printf("%td x %td, %u threads\n", kSide, kSide, std::thread::hardware_concurrency());
  add("ours", [&] { return encode_decode(image, model); });
#ifdef LATENTLAB_TORCH
  const TorchTae torch(model.encoder, model.decoder);
  const double difference =
      largest_difference(torch.encode_decode(image), encode_decode(image, model));
  std::printf("largest difference between the two images: %.1e\n", difference);
  if (!(difference <= kMostDifference)) return 1;
  add("pytorch", [&] { return torch.encode_decode(image); });
#endif
  Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
#ifdef LATENTLAB_TORCH
  std::printf("ratio of medians, pytorch / ours: %.2f\n",
              medians.of("pytorch") / medians.of("ours"));
#else
  std::printf("built without PyTorch (libtorch-dev), so compared with nothing\n");
#endif
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "tae_bench: %s\n", error.what());
  return 1;
}

// The classic VAE on MNIST: lab 04's model in the hands of the solutions' functions, and the same
// recipe in PyTorch's, in turns, in one process. Both begin with the same weights and see the same
// batches with the same noise, all drawn before the clock starts.
//
//   vae_bench [--epochs N] [--seeds N]     with LATENTLAB_DATA as the folder that holds mnist/

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "blas.hpp"
#include "common/dataset.hpp"
#include "common/random.hpp"
#include "solution_vae.hpp"
#ifdef LATENTLAB_TORCH
#include "torch_vae.hpp"
#endif

namespace {

using namespace latent;

constexpr double kMostElboRatio = 1.01;
constexpr int kEpochsOnOneThread = 7;
enum StreamOf : std::uint64_t { kWeights, kEpoch, kTestNoise };

// ---- The recipe
// ----------------------------------------------------------------------------------

ImageSplit pictures() {
  if (const char* folder = std::getenv("LATENTLAB_DATA"))
    return read_image_folder(std::string(folder) + "/mnist");
  std::printf("LATENTLAB_DATA is not set, so these are drawn sprites instead of MNIST.\n");
  return {sprites(1, 8000).data, sprites(2, 2000).data};
}

/// What is random in an epoch.
struct Epoch {
  std::vector<Index> order;
  std::vector<Matrix> eps;  ///< Of each batch.

  Epoch(Random& random, Index images) : order(static_cast<std::size_t>(images)) {
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(
          order[i - 1],
          order[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(i) - 1))]);
    for (Index i = 0; i < images; i += kBatch)
      eps.push_back(random.normal_matrix(std::min(kBatch, images - i), kLatent));
  }
};

std::array<double, StepTimes::kParts> seconds_of(Trainee& trainee, const Epoch& epoch) {
  std::span<const Index> rest(epoch.order);
  StepTimes times;
  for (const Matrix& eps : epoch.eps) {
    const auto count = static_cast<std::size_t>(eps.rows());
    trainee.step(rest.first(count), eps, times);
    rest = rest.subspan(count);
  }
  return times.seconds;
}

// ---- Results
// -------------------------------------------------------------------------------------

/// One side of the table.
struct Side {
  std::string name;
  std::function<std::unique_ptr<Trainee>(const Vae&, const Matrix&)> make;
  std::vector<double> neg_elbos;                                   ///< One per seed.
  std::vector<std::array<double, StepTimes::kParts>> all_threads;  ///< Seconds of each epoch.
  std::vector<std::array<double, StepTimes::kParts>> one_thread;   ///< Likewise.
};

using Seconds = std::vector<std::array<double, StepTimes::kParts>>;

/// Every side takes every epoch; who goes first takes turns, so that noise hits both alike.
void race(std::vector<Side>& sides, std::vector<std::unique_ptr<Trainee>>& trainees, int epochs,
          Random& random, Index images, Seconds Side::*times) {
  for (int e = 0; e < epochs; ++e) {
    const Epoch epoch(random, images);
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const std::size_t turn = (i + static_cast<std::size_t>(e)) % sides.size();
      (sides[turn].*times).push_back(seconds_of(*trainees[turn], epoch));
    }
  }
}

void run_seed(std::vector<Side>& sides, const ImageSplit& data, std::uint64_t seed, int epochs,
              bool last) {
  const Vae initial = initial_vae(seed, kWeights, data.train.x.cols());
  std::vector<std::unique_ptr<Trainee>> trainees;
  for (const Side& side : sides) trainees.push_back(side.make(initial, data.train.x));
  Random random(seed, kEpoch);
  race(sides, trainees, epochs, random, data.train.x.rows(), &Side::all_threads);
  const Matrix eps = Random(seed, kTestNoise).normal_matrix(data.test.x.rows(), kLatent);
  std::printf("seed %llu:", static_cast<unsigned long long>(seed));
  for (std::size_t i = 0; i < sides.size(); ++i) {
    sides[i].neg_elbos.push_back(trainees[i]->neg_elbo(data.test.x, eps));
    std::printf("  %s %.3f nats", sides[i].name.c_str(), sides[i].neg_elbos.back());
  }
  std::printf("\n");
  std::fflush(stdout);
  if (!last) return;
  set_blas_threads(1);
#ifdef LATENTLAB_TORCH
  set_torch_threads(1);
#endif
  race(sides, trainees, kEpochsOnOneThread, random, data.train.x.rows(), &Side::one_thread);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0.0;
  double sum = 0.0;
  for (const double v : values) sum += (v - mean(values)) * (v - mean(values));
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

/// Milliseconds of the parts from `first` on, `parts` of them, of each epoch.
std::vector<double> milliseconds(const Seconds& epochs, int first, int parts, double per) {
  std::vector<double> result;
  for (const auto& epoch : epochs) {
    const auto begin = epoch.begin() + first;
    result.push_back(1e3 * std::accumulate(begin, begin + parts, 0.0) / per);
  }
  return result;
}

void print_times(const std::vector<Side>& sides, const char* label, Seconds Side::*times, int first,
                 int parts, double per) {
  std::printf("%-34s", label);
  std::vector<std::vector<double>> all;
  for (const Side& side : sides) {
    all.push_back(milliseconds(side.*times, first, parts, per));
    std::printf("  %15.*f", per > 1.0 ? 3 : 1, median(all.back()));
  }
  if (sides.size() == 2) {
    for (std::size_t i = 0; i < all[0].size(); ++i) all[0][i] /= all[1][i];
    std::printf("  %14.2f", median(all[0]));
  }
  std::printf("\n");
}

/// @return  Whether the two sides learned the same.
bool print_table(const std::vector<Side>& sides, double steps) {
  std::printf("\n%-34s", "");
  for (const Side& side : sides) std::printf("  %15s", side.name.c_str());
  std::printf("%s\n%-34s", sides.size() == 2 ? "  ours / PyTorch" : "", "test negative ELBO, nats");
  for (const Side& side : sides)
    std::printf("  %8.3f ± %4.2f", mean(side.neg_elbos), deviation(side.neg_elbos));
  const double ratio =
      sides.size() == 2 ? mean(sides[0].neg_elbos) / mean(sides[1].neg_elbos) : 1.0;
  std::printf(sides.size() == 2 ? "  %14.4f\n" : "\n", ratio);
  print_times(sides, "epoch, ms", &Side::all_threads, 0, StepTimes::kParts, 1.0);
  print_times(sides, "epoch on one thread, ms", &Side::one_thread, 0, StepTimes::kParts, 1.0);
  const char* parts[] = {"  of a step there, ms: batch", "    forward", "    loss", "    backward",
                         "    Adam"};
  for (int i = 0; i < StepTimes::kParts; ++i)
    print_times(sides, parts[i], &Side::one_thread, i, 1, steps);
  return std::abs(ratio - 1.0) <= kMostElboRatio - 1.0;
}

/// Says what multiplies matrices here.
/// @return  Whether it is worth a comparison.
bool announce_blas() {
  const Blas blas = blas_in_use();
#ifdef LATENTLAB_BLAS
  std::printf("our products: %s\n", blas.name.c_str());
#else
  std::printf("our products: Eigen's own, one thread (libopenblas-dev was not found)\n");
#endif
#ifdef LATENTLAB_TORCH
  std::printf("PyTorch's products: %s; threads of its other operators: %d\n", blas.name.c_str(),
              torch_threads());
  if (blas.openblas) return true;
  std::printf("Not compared: that is not OpenBLAS. Install libopenblas-dev, configure, build.\n");
#else
  std::printf("Not compared: built without PyTorch. Install libtorch-dev, configure, build.\n");
#endif
  return false;
}

}  // namespace

int main(int argc, char** argv) try {
  wake_openblas(argv);
  int epochs = 30, seeds = 3;
  CLI::App app("The classic VAE: our functions against PyTorch");
  app.add_option("--epochs", epochs, "Of each training")->check(CLI::Range(1, 1000));
  app.add_option("--seeds", seeds, "Trainings, with seeds 1, 2, ...")->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);

  std::vector<Side> sides(1);
  sides[0].name = "ours";
  sides[0].make = [](const Vae& initial, const Matrix& images) {
    return std::make_unique<SolutionVae>(initial, images);
  };
  if (announce_blas()) {
#ifdef LATENTLAB_TORCH
    sides.resize(2);
    sides[1].name = "PyTorch";
    sides[1].make = [](const Vae& initial, const Matrix& images) {
      return std::make_unique<TorchVae>(initial, images);
    };
#endif
  }
  const ImageSplit data = pictures();
  const Index images = data.train.x.rows(), pixels = data.train.x.cols();
  std::printf("%s: %td to train on, %td to test; %td-%td-%td-%td-%td; batch %td, %d epochs\n",
              data.train.name.c_str(), images, data.test.x.rows(), pixels, kHidden, kLatent,
              kHidden, pixels, kBatch, epochs);
  for (int seed = 1; seed <= seeds; ++seed)
    run_seed(sides, data, static_cast<std::uint64_t>(seed), epochs, seed == seeds);
  return print_table(sides, static_cast<double>((images + kBatch - 1) / kBatch)) ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "vae_bench: %s\n", error.what());
  return 1;
}

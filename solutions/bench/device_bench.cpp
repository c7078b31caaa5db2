// How fast the kernels are on the GPU that is here: of what its memory and its arithmetic can do at
// most, and against PyTorch on the same GPU, where device_torch.py has timed that. README.md says
// what the columns mean. `./lab bench --device cuda` builds and runs both.
//
//   device_bench [--torch FILE] [--json FILE] [--tiny]

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "device_rows.hpp"

namespace {

using namespace latent;
using json = nlohmann::ordered_json;

constexpr int kRepetitions = 7;
constexpr double kLeastSeconds = 0.05;  // of a repetition
constexpr double kGiga = 1e-9;

/// Seconds of so many calls, from an idle device to an idle device.
double seconds_of(const std::function<void()>& run, int calls) {
  device::check(cudaDeviceSynchronize(), "before the clock starts");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) run();
  device::check(cudaDeviceSynchronize(), "what was timed");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The median of the repetitions, in seconds a call.
double median_seconds(const std::function<void()>& run, bool tiny) {
  int calls = 1;
  run();  // wakes libraries
  while (!tiny && seconds_of(run, calls) < kLeastSeconds) calls *= 2;
  std::vector<double> times;
  for (int i = 0; i < (tiny ? 1 : kRepetitions); ++i)
    times.push_back(seconds_of(run, calls) / calls);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// What this GPU can do at most, measured in the same run.
struct DeviceLimits {
  double copied, multiplied, multiplied_in_tf32;  ///< Bytes, and operations, a second.

  double least_seconds(const DeviceRow& row) const {
    const double rate = row.tensor_cores ? multiplied_in_tf32 : multiplied;
    return std::max(row.bytes / copied, row.flops / rate);
  }
};

DeviceLimits measure_limits(bool tiny) {
  const device::Size floats = tiny ? 1 << 10 : device::Size{1} << 28, side = tiny ? 16 : 8192;
  const device::Buffer<float> from(floats);
  device::Buffer<float> to(floats);
  const double bytes = 4.0 * static_cast<double>(floats), cube = std::pow(double(side), 3);
  const double copy = median_seconds(
      [&] {
        device::check(cudaMemcpy(to.data(), from.data(), static_cast<std::size_t>(bytes),
                                 cudaMemcpyDeviceToDevice),
                      "a copy");
      },
      tiny);
  const auto multiply = [&](device::Precision precision) {
    const float *a = from.data(), *b = a + side * side;
    return median_seconds(
        [&] {
          device::multiply(a, device::Side::kAsIs, b, device::Side::kAsIs, to.data(), side, side,
                           side, 0.0F, 1.0F, precision);
        },
        tiny);
  };
  return {2.0 * bytes / copy, 2.0 * cube / multiply(device::Precision::kFloat),
          2.0 * cube / multiply(device::Precision::kTensor)};
}

/// "1.23", or "-" where there is nothing.
std::string text(const json& value) {
  char buffer[32];
  if (!value.is_number()) return "-";
  std::snprintf(buffer, sizeof buffer, "%.2f", value.get<double>());
  return buffer;
}

json run_row(const DeviceRow& row, const DeviceLimits& limits, const json& torch, bool tiny) {
  const double seconds = median_seconds(row.begin(), tiny);
  json line{{"row", row.name},
            {"ours_ms", 1e3 * seconds},
            {"gb_per_s", kGiga * row.bytes / seconds},
            {"of_the_limit", limits.least_seconds(row) / seconds}};
  if (torch.contains(row.name)) {
    for (const char* how : {"eager", "compiled"})
      if (torch[row.name].contains(how))
        line[how] = torch[row.name][how].get<double>() / (1e3 * seconds);
  }
  std::printf("%-44s %10.4f %9.1f %7.2f %7s %9s\n", row.name.c_str(), 1e3 * seconds,
              kGiga * row.bytes / seconds, limits.least_seconds(row) / seconds,
              text(line.value("eager", json())).c_str(),
              text(line.value("compiled", json())).c_str());
  std::fflush(stdout);
  return line;
}

}  // namespace

int main(int argc, char** argv) try {
  std::string torch_file, file;
  bool tiny = false;
  CLI::App app("How fast the kernels are on this GPU", "device_bench");
  app.add_option("--torch", torch_file, "What device_torch.py has written");
  app.add_option("--json", file, "Also write all figures to this file");
  app.add_flag("--tiny", tiny, "Sizes for a test, whose times say nothing");
  CLI11_PARSE(app, argc, argv);
#ifdef LATENTLAB_EMULATED
  tiny = true;  // it is a test that this program runs: an emulated kernel's time says nothing
#endif
  const char* name = device::device_name();
  if (name == nullptr) {
    std::printf("not run: there is no GPU here\n");
    return 0;
  }
  json torch = json::object();
  if (!torch_file.empty()) torch = json::parse(std::ifstream(torch_file));
  const DeviceLimits limits = measure_limits(tiny);
  json all{{"device", name},
           {"copied_gb_per_s", kGiga * limits.copied},
           {"multiplied_gflop_per_s", kGiga * limits.multiplied},
           {"multiplied_in_tf32_gflop_per_s", kGiga * limits.multiplied_in_tf32},
           {"rows", json::array()}};
  std::printf(
      "device     %s\nlimits     copied: %.1f GB/s; multiplied: %.0f GFLOP/s, in TF32 %.0f\n", name,
      kGiga * limits.copied, kGiga * limits.multiplied, kGiga * limits.multiplied_in_tf32);
  std::printf("PyTorch    %s\n\n%-44s %10s %9s %7s %7s %9s\n",
              torch.empty() ? "not compared" : torch.value("about", "").c_str(), "", "ours, ms",
              "GB/s", "limit", "eager", "compiled");
  for (const DeviceRow& row : device_rows(tiny))
    all["rows"].push_back(run_row(row, limits, torch, tiny));
  if (!file.empty() && !(std::ofstream(file) << all.dump(2) << '\n'))
    throw std::runtime_error("cannot write " + file);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "device_bench: %s\n", error.what());
  return 1;
}

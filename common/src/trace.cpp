#include "common/trace.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace latent {
namespace {

/// At most 7 columns: three digits behind the point while they fit.
std::string short_number(double value) {
  std::array<char, 32> text{};
  const double magnitude = std::abs(value);
  const char* form = magnitude < 100.0 ? "%.3f" : magnitude < 99999.5 ? "%.0f" : "%.1e";
  if (std::snprintf(text.data(), text.size(), form, value) > 7)
    std::snprintf(text.data(), text.size(), "%.0e", value);
  return text.data();
}

/// "1x64x512x512": narrower than brackets and commas.
std::string sizes(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::string row(const TraceLine& line) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%-16.16s %-14s %7s %7s %7s %7s %7.0f %7.1f\n",
                line.stage.c_str(), sizes(line.shape).c_str(), short_number(line.min).c_str(),
                short_number(line.max).c_str(), short_number(line.mean).c_str(),
                short_number(line.std).c_str(), static_cast<double>(line.macs) / 1e6,
                static_cast<double>(line.live_bytes) / (1 << 20));
  return text.data();
}

}  // namespace

std::string trace_table(const std::vector<TraceLine>& lines) {
  std::string table =
      "stage            shape              min     max    mean     std   MMACs     MiB\n";
  for (const TraceLine& line : lines) {
    table += row(line);
    if (line.nan > 0)
      table += "                 " + std::to_string(line.nan) + " of these are no number\n";
  }
  return table;
}

std::string trace_jsonl(const std::vector<TraceLine>& lines) {
  std::string text;
  for (const TraceLine& line : lines) {
    const nlohmann::ordered_json json = {{"stage", line.stage},
                                         {"shape", line.shape},
                                         {"dtype", line.dtype},
                                         {"bytes", line.bytes},
                                         {"min", line.min},
                                         {"max", line.max},
                                         {"mean", line.mean},
                                         {"std", line.std},
                                         {"absmax", line.absmax},
                                         {"nan", line.nan},
                                         {"macs", line.macs},
                                         {"params", line.params},
                                         {"live_bytes", line.live_bytes},
                                         {"peak_bytes", line.peak_bytes}};
    text += json.dump() + "\n";
  }
  return text;
}

}  // namespace latent

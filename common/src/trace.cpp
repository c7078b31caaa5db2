#include "common/trace.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

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

/// A string of JSON. Written here: the library that the reader of files has takes five seconds to
/// compile, and a run compiles this file on the learner's machine.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    std::array<char, 8> escape{};
    if (static_cast<unsigned char>(c) < 0x20)
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
    out += c == '"' || c == '\\' ? std::string{'\\', c}
           : escape[0] != '\0'   ? escape.data()
                                 : std::string{c};
  }
  return out + "\"";
}

/// ,"name":number with as many digits as it takes to read the same number again.
template <typename Number>
std::string member(const char* name, Number value) {
  std::array<char, 40> text{};
  std::to_chars(text.data(), text.data() + text.size() - 1, value);
  const bool is_number = std::isfinite(static_cast<double>(value));
  return std::string(",\"") + name + "\":" + (is_number ? text.data() : "null");
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
    std::string shape;
    for (const std::int64_t size : line.shape)
      shape += (shape.empty() ? "" : ",") + std::to_string(size);
    text += "{\"stage\":" + quoted(line.stage) + ",\"shape\":[" + shape +
            "],\"dtype\":" + quoted(line.dtype) + member("bytes", line.bytes) +
            member("min", line.min) + member("max", line.max) + member("mean", line.mean) +
            member("std", line.std) + member("absmax", line.absmax) + member("nan", line.nan) +
            member("macs", line.macs) + member("params", line.params) +
            member("live_bytes", line.live_bytes) + member("peak_bytes", line.peak_bytes) + "}\n";
  }
  return text;
}

}  // namespace latent

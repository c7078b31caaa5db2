#include "grader/tool/equivalence.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>

#include "grader/judge/compare.hpp"
#include "grader/judge/files.hpp"
#include "grader/judge/forked.hpp"
#include "grader/wire/frame.hpp"

namespace latent::grader {
namespace {

/// The solution, which also writes down what it is asked.
class Recorder final : public Submission {
 public:
  Recorder(const Lab& lab, const std::string& file) : table_(lab), out_(file, std::ios::app) {}

  Reply ask(const Request& request) override {
    const Bytes frame = to_frame(request, 0);
    out_.write(reinterpret_cast<const char*>(frame.data()),
               static_cast<std::streamsize>(frame.size()));
    out_.flush();
    return table_.ask(request);
  }

 private:
  LinkedTable table_;
  std::ofstream out_;
};

/// Another request of the same kind: other numbers, and now and then another shape.
class Disturber {
 public:
  explicit Disturber(std::uint64_t seed) : random_(seed) {}

  Request disturb(Request request) {
    for (Value& value : request.arguments) {
      if (draw(12) == 0 && !value.shape.empty()) reshape(value);
      if (draw(3) == 0) renumber(value);
    }
    return request;
  }

  std::size_t draw(std::size_t below) {
    return static_cast<std::size_t>(random_() % static_cast<std::uint64_t>(below));
  }

 private:
  /// One row more or less, along any axis; elements are repeated where some are missing.
  void reshape(Value& value) {
    std::int64_t& length = value.shape[draw(value.shape.size())];
    length = std::max<std::int64_t>(0, length + (draw(2) == 0 ? 1 : -1));
    std::size_t count = 1;
    for (const std::int64_t n : value.shape) count *= static_cast<std::size_t>(n);
    const std::vector<std::byte> old = value.bytes;
    value.bytes.resize(count * size_of(value.type));
    for (std::size_t i = old.size(); i < value.bytes.size(); ++i)
      value.bytes[i] = old.empty() ? std::byte{0} : old[i % old.size()];
  }

  void renumber(Value& value) {
    if (value.bytes.empty()) return;
    switch (value.type) {
      case Type::kFloat32:
        return renumber_as<float>(value);
      case Type::kFloat64:
        return renumber_as<double>(value);
      case Type::kInt32:
        return renumber_as<std::int32_t>(value);
      case Type::kInt64:
        return renumber_as<std::int64_t>(value);
    }
  }

  /// Every element, or one of them.
  template <typename T>
  void renumber_as(Value& value) {
    const std::size_t count = value.bytes.size() / sizeof(T);
    const bool one = draw(2) == 0;
    const std::size_t only = draw(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (one && i != only) continue;
      T x;
      std::memcpy(&x, value.bytes.data() + i * sizeof x, sizeof x);
      x = other_than(x);
      std::memcpy(value.bytes.data() + i * sizeof x, &x, sizeof x);
    }
  }

  template <typename T>
  T other_than(T x) {
    static constexpr int kSteps[] = {-2, -1, 1, 2};
    static constexpr double kSpecial[] = {0.0, 1.0, -1.0, 0.5, -0.5, 1e-6, 20.0, -30.0, 100.0};
    if constexpr (std::is_integral_v<T>) {
      return draw(4) == 0 ? T{0} : static_cast<T>(x + static_cast<T>(kSteps[draw(4)]));
    } else {
      if (draw(3) == 0) return static_cast<T>(kSpecial[draw(std::size(kSpecial))]);
      std::normal_distribution<double> normal(0.0, draw(4) == 0 ? 10.0 : 1.0);
      return static_cast<T>(normal(random_));
    }
  }

  std::mt19937_64 random_;
};

std::string to_text(const Request& request) {
  std::string text = request.operation + "(";
  for (const Value& value : request.arguments)
    text += (text.back() == '(' ? "" : ", ") + to_text(Numbers(value));
  return text.substr(0, 160) + ")";
}

}  // namespace

std::vector<Request> recorded_requests(const Lab& lab, const Exercise& exercise,
                                       const std::string& file, std::uint64_t seed) {
  for (std::uint64_t s = 0; s < 10; ++s) {
    JudgeOptions options;
    options.seed = seed + s;
    options.only = {exercise.id};
    judge_forked({&lab, [&] { return std::make_unique<Recorder>(lab, file); }, options});
  }
  std::string text;
  read_file(file, text);
  std::vector<Request> all;
  for (std::size_t at = 0; at + sizeof(FrameHeader) <= text.size();) {
    FrameHeader header;
    std::memcpy(&header, text.data() + at, sizeof header);
    at += sizeof header;
    const auto* body = reinterpret_cast<const std::byte*>(text.data() + at);
    all.push_back(parse_request(Bytes(body, body + header.size)));
    at += header.size;
  }
  return all;
}

std::string telling_request(Submission& one, Submission& other,
                            const std::vector<Request>& recorded, std::size_t count,
                            std::uint64_t seed) {
  Disturber disturber(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const Request& base = recorded[i < recorded.size() ? i : disturber.draw(recorded.size())];
    const Request request = i < recorded.size() ? base : disturber.disturb(base);
    if (!same_reply(one.ask(request), other.ask(request))) return to_text(request);
  }
  return {};
}

}  // namespace latent::grader

#include "grader/judge/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace latent::grader {
namespace {

std::string to_text(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.7g", x);
  return text;
}

/// Of the finite elements: an infinite scale would make every answer right.
double largest_magnitude(const std::vector<double>& elements) {
  double largest = 0.0;
  for (const double x : elements) {
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
  }
  return largest;
}

bool near(double a, double b, double scale) {
  return std::abs(a - b) <= 1e-4 * scale + 1e-9;
}

std::string index_text(const Shape& shape, std::size_t flat) {
  Shape index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = static_cast<std::int64_t>(flat) % shape[axis];
    flat /= static_cast<std::size_t>(shape[axis]);
  }
  return to_string(index);
}

/// The factor between two tensors where one factor explains every element.
std::optional<double> common_ratio(const Numbers& got, const Numbers& expected) {
  const double scale = largest_magnitude(expected.elements);
  std::optional<double> ratio;
  for (std::size_t i = 0; i < got.elements.size(); ++i) {
    const double want = expected.elements[i], have = got.elements[i];
    if (std::abs(want) <= 1e-3 * scale) {
      if (!near(have, want, scale)) return std::nullopt;
      continue;
    }
    if (!ratio) ratio = have / want;
    if (!(std::abs(have / want - *ratio) <= 1e-4 * std::abs(*ratio))) return std::nullopt;
  }
  return ratio;
}

std::optional<std::string> describe_ratio(double ratio) {
  if (near(ratio, -1.0, 1.0)) return "the sign is flipped";
  const double magnitude = std::abs(ratio);
  for (int k = 2; k <= 64; ++k) {
    for (const double candidate : {static_cast<double>(k), 1.0 / k}) {
      if (std::abs(magnitude / candidate - 1.0) <= 2e-5)
        return "exactly " + to_text(ratio < 0 ? -candidate : candidate) + " x";
    }
  }
  return std::nullopt;
}

Numbers transposed(const Numbers& numbers) {
  const auto rows = static_cast<std::size_t>(numbers.shape[0]);
  const auto cols = static_cast<std::size_t>(numbers.shape[1]);
  Numbers result = numbers;
  result.shape = {numbers.shape[1], numbers.shape[0]};
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      result.elements[j * rows + i] = numbers.elements[i * cols + j];
    }
  }
  return result;
}

bool all_near(const std::vector<double>& a, const std::vector<double>& b) {
  const double scale = largest_magnitude(b);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!near(a[i], b[i], scale)) return false;
  }
  return true;
}

/// Whether `a` is `b` moved by one element, a[i] = b[i + shift], the end that falls off aside.
/// Where neighbours are equal, nothing is seen to move.
bool is_shifted(const std::vector<double>& a, const std::vector<double>& b, int shift) {
  if (a.size() < 4) return false;
  const double scale = largest_magnitude(b);
  bool moved = false;
  for (std::size_t i = 1; i + 1 < a.size(); ++i) {
    if (!near(a[i], b[shift > 0 ? i + 1 : i - 1], scale)) return false;
    moved = moved || !near(a[i], b[i], scale);
  }
  return moved;
}

std::string nested(const Numbers& numbers, std::size_t axis, std::size_t& at) {
  if (axis == numbers.shape.size()) return to_text(numbers.elements[at++]);
  std::string text = "[";
  for (std::int64_t i = 0; i < numbers.shape[axis]; ++i) {
    text += (i == 0 ? "" : ", ") + nested(numbers, axis + 1, at);
  }
  return text + "]";
}

}  // namespace

Numbers::Numbers(const Value& value) : shape(value.shape), elements(value.size()) {
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = value.at(i);
}

std::string to_text(const Numbers& numbers) {
  std::size_t at = 0;
  if (numbers.elements.size() <= 12) return nested(numbers, 0, at);
  std::string text = "shape " + to_string(numbers.shape) + ", first elements";
  for (std::size_t i = 0; i < 6; ++i) text += " " + to_text(numbers.elements[i]);
  return text;
}

std::optional<std::string> describe_pattern(const Numbers& got, const Numbers& expected) {
  const bool is_matrix = expected.shape.size() == 2 && got.shape.size() == 2;
  if (is_matrix && expected.shape[0] > 1 && expected.shape[1] > 1 &&
      got.elements.size() == expected.elements.size()) {
    const Numbers flipped = transposed(expected);
    if (flipped.shape == got.shape && all_near(got.elements, flipped.elements)) {
      return "this is the transpose";
    }
  }
  if (got.shape != expected.shape || got.elements.empty()) return std::nullopt;
  if (const auto ratio = common_ratio(got, expected)) return describe_ratio(*ratio);
  for (const int shift : {1, -1}) {
    if (is_shifted(got.elements, expected.elements, shift)) return "shifted by one element";
  }
  return std::nullopt;
}

std::optional<Difference> compare(const std::string& what, const Numbers& got,
                                  const Numbers& expected, const Tolerance& tolerance) {
  const std::string name = what.empty() ? "" : what + ": ";
  const auto pattern = describe_pattern(got, expected);
  const std::string looks = pattern ? " (" + *pattern + ")" : "";
  if (got.shape != expected.shape) {
    return Difference{{name + "expected shape " + to_string(expected.shape) + ", got " +
                       to_string(got.shape) + looks}};
  }
  for (std::size_t i = 0; i < got.elements.size(); ++i) {
    if (!std::isfinite(got.elements[i]) && std::isfinite(expected.elements[i])) {
      return Difference{{name + "expected finite numbers, got " + to_text(got.elements[i]) +
                         (got.shape.empty() ? "" : " at " + index_text(got.shape, i))}};
    }
  }
  const double scale =
      tolerance.scale > 0.0 ? tolerance.scale : largest_magnitude(expected.elements);
  const double allowed = tolerance.relative * scale + tolerance.absolute;
  for (std::size_t i = 0; i < got.elements.size(); ++i) {
    const double error = std::abs(got.elements[i] - expected.elements[i]);
    if (error <= allowed || got.elements[i] == expected.elements[i]) continue;
    if (got.elements.size() <= 12) {
      return Difference{
          {name + "expected " + to_text(expected), name + "got      " + to_text(got) + looks}};
    }
    return Difference{{name + "expected " + to_text(expected.elements[i]) + " at " +
                       index_text(got.shape, i) + ", got " + to_text(got.elements[i]) + looks}};
  }
  return std::nullopt;
}

bool same_reply(const Reply& a, const Reply& b) {
  if (a.outcome != b.outcome || a.values.size() != b.values.size()) return false;
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    if (a.values[k].type != b.values[k].type || a.values[k].shape != b.values[k].shape)
      return false;
    const Type type = a.values[k].type;
    if (type == Type::kInt32 || type == Type::kInt64) {
      if (a.values[k] != b.values[k]) return false;
      continue;
    }
    const Numbers x(a.values[k]), y(b.values[k]);
    const bool is_double = type == Type::kFloat64;
    double scale = 0.0;
    for (const double element : y.elements) {
      if (std::isfinite(element)) scale = std::max(scale, std::abs(element));
    }
    const double allowed = is_double ? 1e-10 * scale + 1e-14 : 1e-5 * scale + 1e-7;
    for (std::size_t i = 0; i < x.elements.size(); ++i) {
      const bool same = (std::isnan(x.elements[i]) && std::isnan(y.elements[i])) ||
                        x.elements[i] == y.elements[i] ||
                        std::abs(x.elements[i] - y.elements[i]) <= allowed;
      if (!same) return false;
    }
  }
  return true;
}

}  // namespace latent::grader

#include "grader/judge/case.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace latent::grader {

std::string CaseId::token() const {
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(seed));
  std::string text = std::string(hex) + "-";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    text += (i == 0 ? "" : "x") + std::to_string(sizes[i]);
  }
  return sizes.empty() ? text + "0" : text;
}

Draw::Draw(CaseId id) : id_(std::move(id)), sizes_(id_.seed | 1, 1), values_(id_.seed, 2) {}

Index Draw::size(const std::string& name, Index low, Index high) {
  is_random_ = true;
  const std::size_t at = sizes_drawn_++;
  if (at < id_.sizes.size()) {
    id_.sizes[at] = std::clamp(id_.sizes[at], low, high);
  } else {
    Index drawn = sizes_.integer(low, high);
    const auto dull = [&] {
      return drawn < std::min(low + 1, high) ||
             std::count(id_.sizes.begin(), id_.sizes.end(), drawn) > 0;
    };
    const bool different = id_.sizing == Sizing::kDifferent;
    for (int i = 0; different && dull() && i < 40; ++i) drawn = sizes_.integer(low, high);
    if (id_.sizing == Sizing::kSmallest) drawn = low;
    id_.sizes.push_back(drawn);
  }
  show(name, static_cast<std::int64_t>(id_.sizes[at]));
  return id_.sizes[at];
}

float Draw::value(double scale) {
  is_random_ = true;
  double drawn = values_.normal() * scale;
  if (id_.seed % 2 == 0) {
    const double step = scale / 4;
    drawn = std::rint(drawn / step) * step;
    if (drawn == 0.0) drawn = step;  // a zero hides factors and signs
  }
  return static_cast<float>(drawn);
}

Matrix Draw::matrix(const std::string& name, Index rows, Index cols, double scale) {
  Matrix result(rows, cols);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = value(scale);
  return show(name, result);
}

RowVector Draw::row(const std::string& name, Index size, double scale) {
  RowVector result(size);
  for (Index i = 0; i < size; ++i) result(i) = value(scale);
  return show(name, result);
}

Tensor4 Draw::tensor(const std::string& name, Index n, Index c, Index h, Index w, double scale) {
  Tensor4 result(n, c, h, w);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = value(scale);
  return show(name, result);
}

DoubleVector Draw::doubles(const std::string& name, Index size, double scale) {
  DoubleVector result(size);
  for (Index i = 0; i < size; ++i) result(i) = value(scale);
  return show(name, result);
}

double Draw::number(const std::string& name, double low, double high) {
  is_random_ = true;
  double drawn = values_.uniform(low, high);
  if (id_.seed % 2 == 0) {
    const double step = (high - low) / 64;
    drawn = low + std::max(1.0, std::floor((drawn - low) / step)) * step;
  }
  return show(name, drawn);
}

std::int64_t Draw::integer(const std::string& name, std::int64_t low, std::int64_t high) {
  is_random_ = true;
  return show(name, values_.integer(low, high));
}

}  // namespace latent::grader

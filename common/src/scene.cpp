#include "common/scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "common/require.hpp"

namespace latent {
namespace {

using Colour = std::array<double, 3>;

constexpr double kTurn = 2.0 * std::numbers::pi;

Colour mix(const Colour& a, const Colour& b, double share) {
  Colour c{};
  for (std::size_t i = 0; i < 3; ++i) c[i] = a[i] + (b[i] - a[i]) * share;
  return c;
}

/// A brightness and some of each colour: the world is greyer than a paint box.
Colour any_colour(Random& random) {
  const double brightness = random.uniform(), strength = 0.3 * random.uniform();
  Colour c{};
  for (double& value : c) value = std::clamp(brightness + strength * random.normal(), 0.0, 1.0);
  return c;
}

/// A size between two ends, as often from 2 to 4 as from 20 to 40.
double any_size(Random& random, double low, double high) {
  return low * std::exp(random.uniform() * std::log(std::max(high / low, 1.0)));
}

/// Smooth noise from -1 to 1: random values at whole positions, blended in between.
class Noise {
 public:
  Noise(Random& random, double size) : key_{random.bits(), random.bits()}, size_(size) {}

  double operator()(double x, double y) const {
    const double u = x / size_, v = y / size_, i = std::floor(u), j = std::floor(v);
    const double s = smooth(u - i), t = smooth(v - j);
    const double above = at(i, j) * (1 - s) + at(i + 1, j) * s;
    const double below = at(i, j + 1) * (1 - s) + at(i + 1, j + 1) * s;
    return above * (1 - t) + below * t;
  }

 private:
  static double smooth(double t) { return t * t * (3 - 2 * t); }

  double at(double i, double j) const {
    std::uint32_t h = key_[0] + 0x9E3779B9U * static_cast<std::uint32_t>(std::int64_t(i));
    h = (h ^ (h >> 15U)) * 0x85EBCA6BU + 0xC2B2AE35U * static_cast<std::uint32_t>(std::int64_t(j));
    h = (h ^ key_[1] ^ (h >> 13U)) * 0x27D4EB2FU;
    h ^= h >> 16U;
    return static_cast<double>(h) * 0x1.0p-31 - 1.0;
  }

  std::array<std::uint32_t, 2> key_;
  double size_;
};

/// What a surface is covered with.
class Paint {
 public:
  Paint(Random& random, double extent)
      : first_(any_colour(random)),
        second_(mix(first_, any_colour(random), random.uniform())),
        kind_(random.integer(0, 5)),
        angle_(random.uniform(0.0, kTurn)),
        period_(any_size(random, 2.5, extent)),
        x_(random.uniform(0.0, extent)),
        y_(random.uniform(0.0, extent)) {
    // Each octave half as large and about half as strong: noise that looks alike at every distance.
    const double roughness = random.uniform(0.35, 0.75);
    double strength = 0.35 * random.uniform() * random.uniform();
    for (double size = extent / 2; size > 1.0; size /= 2, strength *= roughness)
      octaves_.push_back({Noise(random, size), strength});
  }

  Colour operator()(double x, double y) const {
    Colour c = mix(first_, second_, pattern(x, y));
    double cloud = 0.0;
    for (const auto& [noise, strength] : octaves_) cloud += strength * noise(x, y);
    for (double& value : c) value += cloud;
    return c;
  }

 private:
  struct Octave {
    Noise noise;
    double strength;
  };

  double pattern(double x, double y) const {
    const double along = (x - x_) * std::cos(angle_) + (y - y_) * std::sin(angle_);
    const double across = (y - y_) * std::cos(angle_) - (x - x_) * std::sin(angle_);
    const double wave = std::sin(kTurn * along / period_);
    if (kind_ == 0) return 0.5 + 0.5 * wave;
    if (kind_ == 1) return std::clamp(0.5 + wave * period_ / 4, 0.0, 1.0);  // stripes, edges soft
    if (kind_ == 2)
      return std::clamp(0.5 + wave * std::sin(kTurn * across / period_) * period_ / 4, 0.0, 1.0);
    return std::clamp(0.5 + along / (2 * period_ + 20), 0.0, 1.0);  // a gradient: the commonest
  }

  Colour first_, second_;
  std::int64_t kind_;
  double angle_, period_, x_, y_;
  std::vector<Octave> octaves_;
};

/// An ellipse, a box or a bar, turned by some angle.
class Figure {
 public:
  Figure(Random& random, double height, double width)
      : paint_(random, std::max(height, width)),
        kind_(random.integer(0, 2)),
        x_(random.uniform(0.0, width)),
        y_(random.uniform(0.0, height)),
        a_(any_size(random, 2.0, 0.6 * std::max(height, width))),
        b_(kind_ == 2 ? any_size(random, 0.5, 2.5) : a_ * random.uniform(0.3, 1.0)),
        angle_(random.uniform(0.0, kTurn)),
        softness_(any_size(random, 0.7, 4.0)) {}

  /// Lays the figure over what is there.
  Colour over(const Colour& below, double x, double y) const {
    const double dx = x - x_, dy = y - y_;
    const double u = std::abs(dx * std::cos(angle_) + dy * std::sin(angle_));
    const double v = std::abs(dy * std::cos(angle_) - dx * std::sin(angle_));
    const double inside =
        kind_ == 0 ? (1.0 - std::hypot(u / a_, v / b_)) * b_ : std::min(a_ - u, b_ - v);
    const double cover = std::clamp(0.5 + inside / softness_, 0.0, 1.0);
    return cover > 0.0 ? mix(below, paint_(x, y), cover) : below;
  }

 private:
  Paint paint_;
  std::int64_t kind_;
  double x_, y_, a_, b_, angle_, softness_;
};

}  // namespace

Image draw_scene(Random& random, Index height, Index width) {
  require(height >= 1 && width >= 1 && height <= 16'384 && width <= 16'384,
          "draw_scene: expected sides from 1 to 16384, got " + to_string(Shape{height, width}));
  const Paint background(random, static_cast<double>(std::max(height, width)));
  std::vector<Figure> figures;
  for (std::int64_t left = random.integer(2, 14); left > 0; --left)
    figures.emplace_back(random, static_cast<double>(height), static_cast<double>(width));
  Image image{height, width, 3, {}};
  image.pixels.reserve(static_cast<std::size_t>(height * width * 3));
  for (Index row = 0; row < height; ++row) {
    for (Index col = 0; col < width; ++col) {
      const auto x = static_cast<double>(col), y = static_cast<double>(row);
      Colour c = background(x, y);
      for (const Figure& figure : figures) c = figure.over(c, x, y);
      for (const double value : c)
        image.pixels.push_back(
            static_cast<std::uint8_t>(std::lround(255.0 * std::clamp(value, 0.0, 1.0))));
    }
  }
  return image;
}

}  // namespace latent

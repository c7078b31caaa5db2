#include "common/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "common/markup.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

// In the units of the viewBox: narrow enough that text can still be read on a telephone.
constexpr double kWidth = 480, kPlotHeight = 260, kLeft = 58, kRight = 20, kBelow = 46;
constexpr double kTitle = 26, kLegendRow = 18, kLetter = 6.6;
constexpr std::size_t kMostSeries = 6;

// Okabe and Ito's colours, which colour-blind readers tell apart, darkened or lightened until they
// stand out from both backgrounds.
constexpr const char* kStyle =
    "<style>.plot{background:#fff;color:#1b1b1b;font:12px system-ui,sans-serif}"
    ".plot text{fill:currentColor}.plot .title{font-size:14px;font-weight:600}"
    ".plot .grid{stroke:currentColor;stroke-opacity:.15}.plot .axis{stroke:currentColor}"
    ".plot .reference{stroke:currentColor;stroke-width:1.5;stroke-dasharray:6 4}"
    ".plot .line{fill:none;stroke-width:1.8}.plot .area{fill-opacity:.18;stroke-width:1.8}"
    ".plot .c0{stroke:#0072b2;--c:#0072b2}.plot .c1{stroke:#b84a00;--c:#b84a00}"
    ".plot .c2{stroke:#00795a;--c:#00795a}.plot .c3{stroke:#a8487f;--c:#a8487f}"
    ".plot .c4{stroke:#8a6d00;--c:#8a6d00}.plot .c5{stroke:#555;--c:#555}"
    ".plot .filled{fill:var(--c)}.plot .mark{fill:none;stroke-width:1.3;stroke-opacity:.75}"
    "@media(prefers-color-scheme:dark){.plot{background:#16181c;color:#e8e8e8}"
    ".plot .c0{stroke:#56b4e9;--c:#56b4e9}.plot .c1{stroke:#f09a4a;--c:#f09a4a}"
    ".plot .c2{stroke:#35c99f;--c:#35c99f}.plot .c3{stroke:#e08cbd;--c:#e08cbd}"
    ".plot .c4{stroke:#e6cf3c;--c:#e6cf3c}.plot .c5{stroke:#aaa;--c:#aaa}}</style>";
constexpr const char* kDashes[kMostSeries] = {"", "7 3", "2 3", "8 3 2 3", "12 4", "4 4"};

/// As short as four digits allow: 0.25, 1500, 20k, 1e-05.
std::string number(double value) {
  const double size = std::abs(value);
  const char* unit = size < 1e4 || size >= 1e9 ? "" : size < 1e6 ? "k" : "M";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g%s",
                *unit == 'k'   ? value / 1e3
                : *unit == 'M' ? value / 1e6
                               : value,
                unit);
  return text;
}

/// A coordinate: a tenth of a unit is as fine as anybody sees.
std::string at(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string label(double x, double y, const char* anchor, const std::string& text,
                  const std::string& more = "") {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\"" + more +
         ">" + escape_markup(text) + "</text>";
}

std::string segment(const char* kind, double x1, double y1, double x2, double y2) {
  return "<line class=\"" + std::string(kind) + "\" x1=\"" + at(x1) + "\" y1=\"" + at(y1) +
         "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\"/>";
}

std::string colour(std::size_t series) {
  return "c" + std::to_string(series);
}

std::string dashes(std::size_t series) {
  return *kDashes[series] == '\0' ? ""
                                  : " stroke-dasharray=\"" + std::string(kDashes[series]) + "\"";
}

/// Circle, square, triangle, cross, diamond, plus.
std::string mark(std::size_t series, double x, double y) {
  constexpr const char* kPaths[kMostSeries] = {"m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0",
                                               "m-2.4-2.4h4.8v4.8h-4.8z",
                                               "m0-3l3 5.4h-6z",
                                               "m-2.5-2.5l5 5m0-5l-5 5",
                                               "m0-3.4l3 3.4l-3 3.4l-3-3.4z",
                                               "m-3 0h6m-3-3v6"};
  return "M" + at(x) + " " + at(y) + kPaths[series];
}

/// One axis: from numbers to places.
class Axis {
 public:
  Axis(bool log, double from, double to) : log_(log), from_(from), to_(to) {}

  /// Whether a number has a place at all.
  bool shows(double value) const { return std::isfinite(value) && (!log_ || value > 0.0); }

  /// Widens the axis until the number fits.
  void include(double value) {
    if (!shows(value)) return;
    low_ = std::min(low_, inner(value));
    high_ = std::max(high_, inner(value));
  }

  /// Some air at both ends, and a width where all numbers are the same or there are none.
  void finish(double air) {
    if (low_ > high_) low_ = 0.0, high_ = 1.0;
    if (high_ - low_ <= 1e-9 * std::abs(high_)) {
      const double half = std::max(0.5 * std::abs(high_), 0.5);
      low_ -= half, high_ += half;
    }
    const double margin = air * (high_ - low_);
    low_ -= margin, high_ += margin;
  }

  double place(double value) const {
    return from_ + (inner(value) - low_) / (high_ - low_) * (to_ - from_);
  }

  /// The number at a share of the axis.
  double value_at(double share) const {
    const double value = low_ + share * (high_ - low_);
    return log_ ? std::pow(10.0, value) : value;
  }

  /// Round numbers, some four to nine of them.
  std::vector<double> ticks() const { return log_ ? log_ticks() : linear_ticks(); }

 private:
  double inner(double value) const { return log_ ? std::log10(value) : value; }

  std::vector<double> linear_ticks() const {
    const double rough = (high_ - low_) / 5.0,
                 power = std::pow(10.0, std::floor(std::log10(rough)));
    const double scale = rough / power, step = power * (scale < 1.5   ? 1
                                                        : scale < 3.5 ? 2
                                                        : scale < 7.5 ? 5
                                                                      : 10);
    std::vector<double> found;
    for (double i = std::ceil(low_ / step); i * step <= high_ && found.size() < 20; ++i)
      found.push_back(i * step + 0.0);  // -0 becomes 0
    return found;
  }

  std::vector<double> log_ticks() const {
    const double span = high_ - low_, every = std::ceil(span / 8.0);
    std::vector<double> found;
    for (double power = std::floor(low_); power <= high_ && found.size() < 40; power += every) {
      // Within two powers of ten, 2 and 5 as well.
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double exponent = power + std::log10(factor);
        if ((factor == 1.0 || span < 2.0) && exponent >= low_ && exponent <= high_)
          found.push_back(factor * std::pow(10.0, power));
      }
    }
    return found;
  }

  bool log_;
  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

/// Frame, axes and legend; what lies between is drawn by each kind of plot.
class Plot {
 public:
  /// @param legend  Names of the series.
  Plot(const PlotText& text, const std::vector<std::string>& legend, const PlotAxes& axes)
      : text_(text),
        legend_(legend),
        top_(kTitle + kLegendRow * static_cast<double>(legend_rows()) + 6),
        x(axes.log_x, kLeft, kWidth - kRight),
        y(axes.log_y, top_ + kPlotHeight, top_) {
    require(legend.size() <= kMostSeries,
            "a plot: expected at most 6 series, got " + std::to_string(legend.size()));
  }

  double bottom() const { return top_ + kPlotHeight; }

  /// The element around what was drawn.
  /// @param swatch  Draws what stands before a name of the legend, at a place.
  template <typename Swatch>
  std::string finish(const std::string& drawn, const Swatch& swatch, bool x_ticks = true) const {
    const std::string height = at(bottom() + kBelow);
    std::string svg =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\" "
        "viewBox=\"0 0 " +
        at(kWidth) + " " + height + "\"><title>" + escape_markup(text_.title) + "</title><desc>" +
        escape_markup(text_.description) + "</desc>" + kStyle;
    svg += label(kLeft, 18, "start", text_.title, " class=\"title\"");
    double row = kTitle + 10, column = kLeft;
    for (std::size_t i = 0; i < legend_.size(); ++i) {
      if (column > kLeft && column + entry_width(i) > kWidth) column = kLeft, row += kLegendRow;
      svg += swatch(i, column, row - 4) + label(column + 28, row, "start", legend_[i]);
      column += entry_width(i);
    }
    return svg + axes(x_ticks) + drawn + "</svg>";
  }

 private:
  double entry_width(std::size_t i) const {
    return 44 + kLetter * static_cast<double>(legend_[i].size());
  }

  std::size_t legend_rows() const {
    std::size_t rows = legend_.empty() ? 0 : 1;
    double column = kLeft;
    for (std::size_t i = 0; i < legend_.size(); ++i) {
      if (column > kLeft && column + entry_width(i) > kWidth) column = kLeft, ++rows;
      column += entry_width(i);
    }
    return rows;
  }

  std::string axes(bool x_ticks) const {
    const double right = kWidth - kRight, middle = 0.5 * (top_ + bottom());
    std::string out;
    for (const double tick : y.ticks())
      out += segment("grid", kLeft, y.place(tick), right, y.place(tick)) +
             label(kLeft - 6, y.place(tick) + 4, "end", number(tick));
    for (const double tick : x_ticks ? x.ticks() : std::vector<double>{})
      out += segment("grid", x.place(tick), top_, x.place(tick), bottom()) +
             label(x.place(tick), bottom() + 16, "middle", number(tick));
    out += segment("axis", kLeft, bottom(), right, bottom()) +
           segment("axis", kLeft, top_, kLeft, bottom());
    out += label(0.5 * (kLeft + right), bottom() + 36, "middle", text_.x_axis);
    return out + label(13, middle, "middle", text_.y_axis,
                       " transform=\"rotate(-90 13 " + at(middle) + ")\"");
  }

  const PlotText& text_;
  std::vector<std::string> legend_;
  double top_;

 public:
  Axis x, y;
};

template <typename Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& one : all) names.push_back(one.name);
  return names;
}

std::string line_swatch(std::size_t i, double x, double y) {
  return "<path class=\"line " + colour(i) + "\"" + dashes(i) + " d=\"M" + at(x) + " " + at(y) +
         "h22\"/>";
}

void include_all(Plot& plot, const std::vector<Series>& series) {
  for (const Series& s : series) {
    require_size(std::ssize(s.y), std::ssize(s.x), "a plot: y of \"" + s.name + "\"");
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!plot.x.shows(s.x[i]) || !plot.y.shows(s.y[i])) continue;
      plot.x.include(s.x[i]);
      plot.y.include(s.y[i]);
    }
  }
}

/// Shares of the finite values per bin.
std::vector<double> shares(const Axis& axis, const Sample& sample, int bins) {
  std::vector<double> count(static_cast<std::size_t>(bins), 0.0);
  double all = 0.0;
  const double from = axis.place(axis.value_at(0.0)), to = axis.place(axis.value_at(1.0));
  for (const double value : sample.values) {
    if (!axis.shows(value)) continue;
    const double share = (axis.place(value) - from) / (to - from);
    const double bin = std::clamp(std::floor(share * bins), 0.0, double(bins - 1));
    count[static_cast<std::size_t>(bin)] += 1.0;
    all += 1.0;
  }
  for (double& c : count) c /= std::max(all, 1.0);
  return count;
}

}  // namespace

std::string line_chart(const PlotText& text, const std::vector<Series>& series,
                       const std::vector<ReferenceLine>& references, const PlotAxes& axes) {
  Plot plot(text, names_of(series), axes);
  include_all(plot, series);
  for (const ReferenceLine& line : references) plot.y.include(line.y);
  plot.x.finish(0.0);
  plot.y.finish(0.05);
  std::string drawn;
  for (const ReferenceLine& line : references) {
    if (!plot.y.shows(line.y)) continue;
    const double y = plot.y.place(line.y);
    drawn += segment("reference", kLeft, y, kWidth - kRight, y) +
             label(kWidth - kRight - 2, y - 5, "end", line.name);
  }
  for (std::size_t s = 0; s < series.size(); ++s) {
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < series[s].x.size(); ++i) {
      const bool shown = plot.x.shows(series[s].x[i]) && plot.y.shows(series[s].y[i]);
      if (shown)
        path += (pen_down ? "L" : "M") + at(plot.x.place(series[s].x[i])) + " " +
                at(plot.y.place(series[s].y[i]));
      pen_down = shown;
    }
    drawn += "<path class=\"line " + colour(s) + "\"" + dashes(s) + " d=\"" + path + "\"/>";
  }
  return plot.finish(drawn, line_swatch);
}

std::string scatter_plot(const PlotText& text, const std::vector<Series>& series) {
  Plot plot(text, names_of(series), {});
  include_all(plot, series);
  plot.x.finish(0.04);
  plot.y.finish(0.04);
  std::string drawn;
  for (std::size_t s = 0; s < series.size(); ++s) {
    std::string path;
    for (std::size_t i = 0; i < series[s].x.size(); ++i) {
      if (plot.x.shows(series[s].x[i]) && plot.y.shows(series[s].y[i]))
        path += mark(s, plot.x.place(series[s].x[i]), plot.y.place(series[s].y[i]));
    }
    drawn += "<path class=\"mark " + colour(s) + "\" d=\"" + path + "\"/>";
  }
  return plot.finish(drawn, [](std::size_t i, double x, double y) {
    return "<path class=\"mark " + colour(i) + "\" d=\"" + mark(i, x + 16, y) + "\"/>";
  });
}

std::string histogram(const PlotText& text, const std::vector<Sample>& samples, int bins,
                      const PlotAxes& axes) {
  require(bins >= 1 && bins <= 200,
          "histogram: expected from 1 to 200 bins, got " + std::to_string(bins));
  Plot plot(text, names_of(samples), {axes.log_x, false});
  for (const Sample& sample : samples) {
    for (const double value : sample.values) plot.x.include(value);
  }
  plot.x.finish(0.0);
  plot.y.include(0.0);
  for (const Sample& sample : samples) {
    for (const double share : shares(plot.x, sample, bins)) plot.y.include(1.05 * share);
  }
  plot.y.finish(0.0);
  std::string drawn;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const std::vector<double> share = shares(plot.x, samples[s], bins);
    std::string path = "M" + at(kLeft) + " " + at(plot.bottom());
    for (std::size_t b = 0; b < share.size(); ++b) {
      const double right = plot.x.place(plot.x.value_at(double(b + 1) / bins));
      path += "V" + at(plot.y.place(share[b])) + "H" + at(right);
    }
    drawn += "<path class=\"area filled " + colour(s) + "\"" + dashes(s) + " d=\"" + path + "V" +
             at(plot.bottom()) + "\"/>";
  }
  return plot.finish(drawn, line_swatch);
}

std::string bar_chart(const PlotText& text, const std::vector<Bar>& bars) {
  require(bars.size() <= 40,
          "bar_chart: expected at most 40 bars, got " + std::to_string(bars.size()));
  Plot plot(text, {}, {});
  plot.y.include(0.0);
  for (const Bar& bar : bars) plot.y.include(bar.value);
  plot.x.finish(0.0);  // from 0 to 1
  plot.y.finish(0.04);
  std::string drawn;
  const double step = 1.0 / std::max<double>(1.0, static_cast<double>(bars.size()));
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double left = plot.x.place(step * (double(i) + 0.15)),
                 right = plot.x.place(step * (double(i) + 0.85));
    drawn += label(0.5 * (left + right), plot.bottom() + 16, "middle", bars[i].name);
    if (!plot.y.shows(bars[i].value)) continue;
    const double zero = plot.y.place(0.0), end = plot.y.place(bars[i].value);
    drawn += "<path class=\"filled c0\" d=\"M" + at(left) + " " + at(zero) + "V" + at(end) + "H" +
             at(right) + "V" + at(zero) + "z\"/>";
  }
  return plot.finish(drawn, line_swatch, false);
}

Image tile_grid(const Matrix& tiles, const Shape& shape, Index columns) {
  require(shape.size() == 3 && (shape[0] == 1 || shape[0] == 3) && shape[1] > 0 && shape[2] > 0,
          "tile_grid: expected a shape of {1 or 3, H, W}, got " + to_string(shape));
  require(tiles.rows() > 0 && columns > 0,
          "tile_grid: expected tiles and columns, got " + to_string(Shape{tiles.rows(), columns}));
  const Index c = shape[0], h = shape[1], w = shape[2], gap = 2;
  require_size(tiles.cols(), c * h * w, "tile_grid: columns of tiles");
  const Index across = std::min(columns, tiles.rows()),
              down = (tiles.rows() + columns - 1) / columns;
  Image image{down * (h + gap) - gap, across * (w + gap) - gap, c, {}};
  image.pixels.assign(static_cast<std::size_t>(image.height * image.width * c), 128);
  for (Index tile = 0; tile < tiles.rows(); ++tile) {
    const Index top = tile / columns * (h + gap), left = tile % columns * (w + gap);
    for (Index i = 0; i < c * h * w; ++i) {
      const Index channel = i / (h * w), row = top + i / w % h, col = left + i % w;
      const float value = tiles(tile, i);
      // Written so that what is no number fails the comparison.
      const float shown = value > 0.0F ? std::min(value, 1.0F) : 0.0F;
      image.pixels[static_cast<std::size_t>((row * image.width + col) * c + channel)] =
          static_cast<std::uint8_t>(std::lround(255.0F * shown));
    }
  }
  return image;
}

namespace {

/// The mean of a square of pixels as one of the 256 colours: of the 24 greys where there is one
/// channel, else of the cube of 6 x 6 x 6.
int colour_of_square(const Image& image, Index top, Index left, Index side) {
  std::array<double, 3> mean{};
  double count = 0.0;
  for (Index y = top; y < std::min(top + side, image.height); ++y) {
    for (Index x = left; x < std::min(left + side, image.width); ++x, ++count) {
      for (Index c = 0; c < image.channels; ++c)
        mean[static_cast<std::size_t>(c)] +=
            image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels + c)];
    }
  }
  const auto level = [&](std::size_t c, double steps) {
    return static_cast<int>(std::lround(mean[c] / (count * 255.0) * steps));
  };
  if (image.channels == 1) return 232 + level(0, 23.0);
  return 16 + 36 * level(0, 5.0) + 6 * level(1, 5.0) + level(2, 5.0);
}

}  // namespace

Matrix stacked(const std::vector<Matrix>& blocks) {
  require(!blocks.empty(), "stacked: expected a block of rows");
  Index rows = 0;
  for (const Matrix& block : blocks) {
    require_size(block.cols(), blocks[0].cols(), "stacked: columns of a block");
    rows += block.rows();
  }
  Matrix all(rows, blocks[0].cols());
  Index at = 0;
  for (const Matrix& block : blocks) {
    all.middleRows(at, block.rows()) = block;
    at += block.rows();
  }
  return all;
}

std::string half_blocks(const Image& image, Index columns) {
  require(columns >= 1, "half_blocks: expected a column, got " + std::to_string(columns));
  require(image.height > 0 && image.width > 0 && (image.channels == 1 || image.channels == 3),
          "half_blocks: expected a picture, got " +
              to_string(Shape{image.height, image.width, image.channels}));
  require_size(std::ssize(image.pixels), image.height * image.width * image.channels,
               "half_blocks: number of bytes");
  const Index side = image.width <= columns ? 1 : 2, right = std::min(image.width, side * columns);
  std::string text;
  for (Index top = 0; top < image.height; top += 2 * side) {
    for (Index left = 0; left < right; left += side) {
      text += "\033[38;5;" + std::to_string(colour_of_square(image, top, left, side));
      if (top + side < image.height)
        text += ";48;5;" + std::to_string(colour_of_square(image, top + side, left, side));
      text += "m\u2580\033[0m";
    }
    text += '\n';
  }
  return text;
}

}  // namespace latent

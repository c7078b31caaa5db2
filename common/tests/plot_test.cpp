#include "common/plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace latent {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

const PlotText kText{"Loss <of> \"this\" & that", "steps", "loss", "It falls from 4 to 1."};

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) ++found;
  return found;
}

/// What is in the attribute d of the n-th path of a class.
std::string path(const std::string& svg, const std::string& kind, int n = 0) {
  std::size_t i = svg.find("<path class=\"" + kind);
  for (; n > 0 && i != std::string::npos; --n) i = svg.find("<path class=\"" + kind, i + 1);
  if (i == std::string::npos) return "none";
  const std::size_t begin = svg.find(" d=\"", i) + 4;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

/// Tags are closed in the order in which they were opened, and no text holds a bare < or &.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t i = svg.find('<'); i != std::string::npos; i = svg.find('<', i + 1)) {
    const std::size_t end = svg.find('>', i);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = svg.substr(i + 1, end - i - 1), name = tag.substr(0, tag.find(' '));
    if (name[0] == '/') {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ("/" + open.back(), name);
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
  for (std::size_t i = svg.find('&'); i != std::string::npos; i = svg.find('&', i + 1))
    EXPECT_LE(svg.find(';', i) - i, 5U) << svg.substr(i, 20);
}

std::vector<std::string> one_of_each() {
  const std::vector<Series> two{{"a<b", {1, 2, 3}, {3, 2, 1}}, {"second", {1, 3}, {1, 2}}};
  return {line_chart(kText, two, {{"best & only", 1.5}}, {true, true}), scatter_plot(kText, two),
          histogram(kText, {{"x", {1, 2, 2}}, {"y", {4}}}, 5),
          bar_chart(kText, {{"one", 1}, {"two", -2}})};
}

TEST(Plot, SaysWhatItShowsInWordsAndEscapesThem) {
  for (const std::string& svg : one_of_each()) {
    expect_well_formed(svg);
    EXPECT_EQ(count(svg, "role=\"img\""), 1);
    EXPECT_EQ(count(svg, "<title>Loss &lt;of&gt; &quot;this&quot; &amp; that</title>"), 1);
    EXPECT_EQ(count(svg, "<desc>It falls from 4 to 1.</desc>"), 1);
    EXPECT_EQ(count(svg, ">steps</text>"), 1);
    EXPECT_EQ(count(svg, ">loss</text>"), 1);
  }
}

TEST(Plot, FollowsTheReadersChoiceOfLightOrDarkAndAsksNobody) {
  for (const std::string& svg : one_of_each()) {
    EXPECT_EQ(count(svg, "prefers-color-scheme:dark"), 1);
    EXPECT_EQ(count(svg, "http"), 1) << "the namespace and nothing else";
    EXPECT_EQ(count(svg, "url("), 0);
  }
}

TEST(Plot, DrawsWithoutNumbersToo) {
  for (const std::string& svg :
       {line_chart(kText, {}), line_chart(kText, {{"a", {kNan, 1}, {1, kInf}}}),
        line_chart(kText, {{"a", {1}, {7}}}, {{"no", kNan}}), scatter_plot(kText, {}),
        line_chart(kText, {{"a", {-1, 0}, {0, -1}}}, {}, {true, true}), histogram(kText, {}, 3),
        histogram(kText, {{"a", {}}}, 3), histogram(kText, {{"a", {kNan}}}, 3),
        bar_chart(kText, {}), bar_chart(kText, {{"a", kInf}})}) {
    expect_well_formed(svg);
    EXPECT_EQ(count(svg, "nan"), 0) << svg;
    EXPECT_EQ(count(svg, "inf"), 0) << svg;
  }
}

TEST(LineChart, PutsLargerNumbersHigherAndFurtherRight) {
  const std::string svg = line_chart(kText, {{"a", {0, 10}, {5, 20}}}, {{"mark", 5}});
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  // The legend's line comes first.
  ASSERT_EQ(std::sscanf(path(svg, "line c0", 1).c_str(), "M%lf %lfL%lf %lf", &x1, &y1, &x2, &y2),
            4);
  EXPECT_LT(x1, x2);
  EXPECT_GT(y1, y2) << "SVG counts downwards";
  char expected[80];
  std::snprintf(expected, sizeof expected, "y1=\"%.1f\" x2=\"460.0\" y2=\"%.1f\"", y1, y1);
  EXPECT_EQ(count(svg, expected), 1) << "the reference is level with the first point";
  EXPECT_EQ(count(svg, ">mark</text>"), 1);
}

TEST(LineChart, SpacesPowersOfTenEvenlyOnALogarithmicAxis) {
  const std::string svg =
      line_chart(kText, {{"a", {1, 10, 100}, {1, 100, 10'000}}}, {}, {true, true});
  double x[3], y[3];
  ASSERT_EQ(std::sscanf(path(svg, "line c0", 1).c_str(), "M%lf %lfL%lf %lfL%lf %lf", &x[0], &y[0],
                        &x[1], &y[1], &x[2], &y[2]),
            6);
  EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.21);
  EXPECT_NEAR(y[1] - y[0], y[2] - y[1], 0.21);
}

TEST(LineChart, WritesNumbersShort) {
  const std::string svg = line_chart(kText, {{"a", {0, 60'000}, {-0.25, 3e6}}});
  for (const char* tick : {">0<", ">20k<", ">60k<", ">1M<", ">3M<"})
    EXPECT_GT(count(svg, tick), 0) << tick;
  const std::string small = line_chart(kText, {{"a", {1e-5, 1}, {1, 2000}}}, {}, {true, false});
  EXPECT_EQ(count(small, ">1e-05<"), 1);
  EXPECT_EQ(count(small, ">1500<"), 1);
}

TEST(LineChart, LiftsThePenWhereANumberIsMissing) {
  const std::string svg = line_chart(kText, {{"a", {1, 2, 3, 4, 5}, {1, 2, kNan, 4, 5}}});
  EXPECT_EQ(count(path(svg, "line c0", 1), "M"), 2);
  EXPECT_EQ(count(path(svg, "line c0", 1), "L"), 2);
}

TEST(LineChart, RefusesWhatDoesNotFit) {
  EXPECT_THROW(line_chart(kText, {{"a", {1, 2}, {1}}}), std::invalid_argument);
  EXPECT_THROW(line_chart(kText, std::vector<Series>(7)), std::invalid_argument);
}

TEST(ScatterPlot, GivesEachSeriesItsOwnMark) {
  const std::string svg = scatter_plot(kText, {{"a", {1, 2}, {1, 2}}, {"b", {1}, {2}}});
  EXPECT_EQ(count(path(svg, "mark c0", 1), "M"), 2);
  EXPECT_EQ(count(path(svg, "mark c1", 1), "M"), 1);
  EXPECT_EQ(count(path(svg, "mark c0", 1), "h4.8"), 0);
  EXPECT_EQ(count(path(svg, "mark c1", 1), "h4.8"), 1);
}

TEST(Histogram, DrawsTheShareOfEachBin) {
  // Four bins over 0 to 4: shares 1/4, 0, 1/4, 1/2; the upper end belongs to the last bin.
  const std::string svg = histogram(kText, {{"a", {0, 2.5, 3.5, 4}}}, 4);
  double start = 0, tops[4], rights[4], end = 0;
  ASSERT_EQ(std::sscanf(path(svg, "area").c_str(), "M58.0 %lfV%lfH%lfV%lfH%lfV%lfH%lfV%lfH%lfV%lf",
                        &start, &tops[0], &rights[0], &tops[1], &rights[1], &tops[2], &rights[2],
                        &tops[3], &rights[3], &end),
            10)
      << path(svg, "area");
  EXPECT_EQ(start, end);
  EXPECT_EQ(tops[1], start);
  EXPECT_NEAR(start - tops[0], 0.5 * (start - tops[3]), 0.11);
  EXPECT_EQ(tops[2], tops[0]);
  EXPECT_NEAR(rights[1] - rights[0], rights[3] - rights[2], 0.11);
  EXPECT_EQ(count(svg, ">0.5</text>"), 1) << "the axis counts shares";
  EXPECT_THROW(histogram(kText, {}, 0), std::invalid_argument);
  EXPECT_THROW(histogram(kText, {}, 201), std::invalid_argument);
}

TEST(BarChart, StartsEveryBarAtZero) {
  const std::string svg = bar_chart(kText, {{"one", 1}, {"two", -2}});
  double left = 0, zero = 0, up = 0, other = 0, down = 0;
  ASSERT_EQ(std::sscanf(path(svg, "filled", 0).c_str(), "M%lf %lfV%lf", &left, &zero, &up), 3);
  ASSERT_EQ(std::sscanf(path(svg, "filled", 1).c_str(), "M%lf %lfV%lf", &left, &other, &down), 3);
  EXPECT_EQ(zero, other);
  EXPECT_NEAR(down - zero, 2 * (zero - up), 0.21);
  EXPECT_EQ(count(bar_chart(kText, {{"five", 5}, {"six", 6}}), ">0</text>"), 1) << "0 is shown";
  EXPECT_THROW(bar_chart(kText, std::vector<Bar>(41)), std::invalid_argument);
}

TEST(TileGrid, LaysTilesOutRowByRow) {
  Matrix tiles(3, 2);
  tiles << 0, 1, 0.5F, 2, -1, std::numeric_limits<float>::quiet_NaN();
  const Image image = tile_grid(tiles, {1, 1, 2}, 2);
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.width, 6);
  EXPECT_EQ(image.height, 4);
  const std::vector<std::uint8_t> expected{0,   255, 128, 128, 128, 255, 128, 128,
                                           128, 128, 128, 128, 128, 128, 128, 128,
                                           128, 128, 0,   0,   128, 128, 128, 128};
  EXPECT_EQ(image.pixels, expected);
}

TEST(TileGrid, PutsTheColoursOfAPixelSideBySide) {
  Matrix tiles(1, 6);
  tiles << 1, 0, 0.2F, 0, 0, 1;  // red, then green, then blue, two pixels each
  const Image image = tile_grid(tiles, {3, 1, 2}, 4);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{255, 51, 0, 0, 0, 255}));
}

TEST(TileGrid, RefusesWhatDoesNotFit) {
  EXPECT_THROW(tile_grid(Matrix::Zero(1, 5), {1, 2, 2}, 1), std::invalid_argument);
  EXPECT_THROW(tile_grid(Matrix::Zero(1, 8), {2, 2, 2}, 1), std::invalid_argument);
  EXPECT_THROW(tile_grid(Matrix::Zero(0, 4), {1, 2, 2}, 1), std::invalid_argument);
  EXPECT_THROW(tile_grid(Matrix::Zero(1, 4), {1, 2, 2}, 0), std::invalid_argument);
}

TEST(Stacked, PutsRowsBelowRows) {
  Matrix a(1, 2), b(2, 2), all(3, 2);
  a << 1, 2;
  b << 3, 4, 5, 6;
  all << 1, 2, 3, 4, 5, 6;
  EXPECT_EQ(stacked({a, b}), all);
  EXPECT_THROW(stacked({}), std::invalid_argument);
  EXPECT_THROW(stacked({a, Matrix(1, 3)}), std::invalid_argument);
}

TEST(HalfBlocks, PutTwoRowsOfPixelsIntoALine) {
  const std::string text = half_blocks({3, 2, 1, {0, 255, 255, 0, 11, 100}}, 80);
  EXPECT_EQ(text,
            "\033[38;5;232;48;5;255m\u2580\033[0m\033[38;5;255;48;5;232m\u2580\033[0m\n"
            "\033[38;5;233m\u2580\033[0m\033[38;5;241m\u2580\033[0m\n");
  EXPECT_EQ(half_blocks({1, 1, 3, {255, 0, 51}}, 1), "\033[38;5;197m\u2580\033[0m\n");
}

TEST(HalfBlocks, BecomeSmallerOnceAndAreThenCutOff) {
  const std::string averaged = half_blocks({2, 4, 1, {0, 0, 255, 255, 0, 0, 255, 255}}, 2);
  EXPECT_EQ(averaged, "\033[38;5;232m\u2580\033[0m\033[38;5;255m\u2580\033[0m\n");
  EXPECT_EQ(half_blocks({2, 4, 1, {0, 0, 255, 255, 0, 0, 255, 255}}, 1),
            "\033[38;5;232m\u2580\033[0m\n");
}

TEST(HalfBlocks, RefuseWhatIsNoPicture) {
  EXPECT_THROW(half_blocks({1, 1, 1, {}}, 80), std::invalid_argument);
  EXPECT_THROW(half_blocks({1, 1, 2, {1, 2}}, 80), std::invalid_argument);
  EXPECT_THROW(half_blocks({0, 0, 1, {}}, 80), std::invalid_argument);
  EXPECT_THROW(half_blocks({1, 1, 1, {1}}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace latent

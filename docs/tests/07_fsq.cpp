#include <set>

#include "docs/tests/chapter.hpp"
#include "fsq.hpp"

namespace latent {
namespace {

TEST(Chapter07, WorksTheGeometry) {
  const Chapter chapter("07_fsq");
  struct Row {
    std::int64_t levels;
    std::string half_l, shift;
  };
  for (const Row& row : {Row{3, "1.001", "0"}, Row{4, "1.5015", "0.346199"}, Row{5, "2.002", "0"},
                         Row{8, "3.5035", "0.143695"}, Row{16, "7.5075", "0.066699"}}) {
    const LevelGeometry g = level_geometry(row.levels);
    const std::string offset = row.levels % 2 == 0 ? "0.5" : "0";
    chapter.prints("| " + std::to_string(row.levels) + " | " + std::to_string(g.half_width) +
                   " | " + offset + " | " + row.half_l + " | " + row.shift + " |");
    chapter.states(row.half_l, g.half_l);
    chapter.states(row.shift, g.shift);
    chapter.states(offset, g.offset);
  }
  const LevelGeometry four = level_geometry(4);
  const double slip = std::tan(four.offset / four.half_l);
  chapter.states("0.345881", slip);
  chapter.states("-0.000425", std::tanh(slip) * four.half_l - four.offset);
}

TEST(Chapter07, WorksTheBoundAndItsGradient) {
  const Chapter chapter("07_fsq");
  chapter.states("0.959918", fsq_bound(one(0.3F), {8})(0, 0));
  chapter.states("1.459918", fsq_bound(one(0.3F), {8})(0, 0) + 0.5);
  chapter.states("0.416703", (fsq_bound(one(0.3F), {8})(0, 0) + 0.5) / 3.5035);
  chapter.states("-2.738369", fsq_bound(one(-0.9F), {8})(0, 0));
  chapter.states("0.974228", fsq_bound(one(2), {4})(0, 0));
  chapter.states("-2.001495", fsq_bound(one(-7), {4})(0, 0));
  chapter.states("2.895148", fsq_bound_backward(one(1), one(0.3F), {8})(0, 0));
  const auto slope = [](float z) { return fsq_quantize_backward(one(1), one(z), {8})(0, 0); };
  chapter.states("0.723787", slope(0.3F));
  chapter.states("0.858036", slope(0));
  chapter.states("0.046844", slope(2));
  chapter.states("0.006491", slope(3));
  const Matrix z{{0.25F, 0.6F, -7.0F}};
  const Matrix bounded = fsq_bound(z, {3, 5, 4});
  chapter.states("0.245", bounded(0, 0));
  chapter.states("1.075", bounded(0, 1));
  chapter.states("-2.001", bounded(0, 2));
  EXPECT_EQ(fsq_quantize(z, {3, 5, 4}), (Matrix{{0.0F, 0.5F, -1.0F}}));
}

/// How many different integers a formula rounds to, as z runs from -20 to 20.
template <typename F>
std::size_t integers(F formula) {
  std::set<double> found;
  for (int i = -20000; i <= 20000; ++i)
    found.insert(std::rint(formula(static_cast<float>(i) / 1000.0F)));
  return found.size();
}

TEST(Chapter07, CountsLevels) {
  const Chapter chapter("07_fsq");
  chapter.prints("| round(L tanh z) | 7 | 9 | 11 | 17 |");
  chapter.prints("| round((L - 1)/2 tanh z) | 3 | 3 + 2 | 5 | 7 + 2 |");
  chapter.prints("| round(r tanh(z + s) - o) | 3 | 4 | 5 | 8 |");
  for (const std::int64_t l : {3, 4, 5, 8}) {
    const auto count = static_cast<std::size_t>(l);
    const auto height = static_cast<float>(l);
    EXPECT_EQ(integers([&](float z) { return height * std::tanh(z); }), 2 * count + 1);
    EXPECT_EQ(integers([&](float z) { return (height - 1) / 2 * std::tanh(z); }),
              l % 2 == 0 ? count + 1 : count);
    EXPECT_EQ(integers([&](float z) { return fsq_bound(one(z), {l})(0, 0); }), count);
  }
}

TEST(Chapter07, WeighsTheCodes) {
  const Chapter chapter("07_fsq");
  struct Row {
    double sigma;
    std::string outer, inner, middle, perplexity;
  };
  for (const Row& row : {Row{0.1, "0.0000", "0.0054", "0.9893", "1.07"},
                         Row{0.5, "0.0260", "0.2789", "0.3902", "3.56"},
                         Row{1.0, "0.1657", "0.2336", "0.2014", "4.94"},
                         Row{3.0, "0.3731", "0.0930", "0.0678", "3.90"},
                         Row{10.0, "0.4613", "0.0285", "0.0204", "2.71"}}) {
    // Weights of z by the midpoint rule, from -12 to 12 deviations.
    constexpr int kPoints = 240000;
    Matrix z(kPoints, 1);
    for (int i = 0; i < kPoints; ++i) {
      z(i, 0) = static_cast<float>(row.sigma * (i + 0.5 - kPoints / 2) * 1e-4);
    }
    const std::vector<std::int64_t> index = codes_to_index(fsq_quantize(z, {5}), {5});
    double p[5] = {};
    for (int i = 0; i < kPoints; ++i) {
      const double x = (i + 0.5 - kPoints / 2) * 1e-4;
      p[index[static_cast<std::size_t>(i)]] +=
          std::exp(-x * x / 2) * 1e-4 / std::sqrt(2 * std::acos(-1.0));
    }
    double entropy = 0.0;
    for (const double x : p) entropy -= x > 0.0 ? x * std::log(x) : 0.0;
    chapter.prints(row.outer + " | " + row.inner + " | " + row.middle + " | " + row.inner + " | " +
                   row.outer + " | " + row.perplexity + " |");
    EXPECT_NEAR(p[0], std::stod(row.outer), 1e-4);
    EXPECT_NEAR(p[1], std::stod(row.inner), 1e-4);
    EXPECT_NEAR(p[2], std::stod(row.middle), 1e-4);
    EXPECT_NEAR(std::exp(entropy), std::stod(row.perplexity), 0.006);
  }
}

TEST(Chapter07, WorksTheSymmetricVariant) {
  const Chapter chapter("07_fsq");
  chapter.states("0.291313", std::tanh(0.3));
  chapter.states("1.936969", 1.5 * (std::tanh(0.3) + 1.0));
  chapter.states("0.333333", symmetric_quantize(one(0.3F), {4})(0, 0));
  EXPECT_EQ(symmetric_quantize(one(0), {4})(0, 0), symmetric_quantize(one(0.3F), {4})(0, 0));
}

TEST(Chapter07, WorksTheIndex) {
  const Chapter chapter("07_fsq");
  const Levels levels{8, 5, 5, 5};
  const Matrix codes{{0.75F, -0.5F, 0.0F, 1.0F}};
  EXPECT_EQ(codes_to_index(codes, levels), std::vector<std::int64_t>{895});
  EXPECT_EQ(index_to_codes({895}, levels), codes);
  const Matrix reversed = codes.rowwise().reverse();
  EXPECT_EQ(codes_to_index(reversed, {5, 5, 5, 8}), std::vector<std::int64_t>{914});
  chapter.prints("895 or 914");
  EXPECT_EQ(fsq_codebook_size({8, 8, 8, 5, 5, 5}), 64000);
  EXPECT_EQ(fsq_codebook_size(Levels(4, 5)), 625);
  EXPECT_EQ(fsq_codebook_size(Levels(6, 5)), 15625);
  EXPECT_EQ(fsq_codebook_size(Levels(10, 5)), 9765625);
  EXPECT_EQ(fsq_codebook_size(Levels(16, 4)), 4294967296);
  chapter.states("15.97", std::log2(64000.0));
  EXPECT_EQ(implicit_codebook(Levels(16, 4), 4294967293, 3).size() * 4, 192);
}

}  // namespace
}  // namespace latent

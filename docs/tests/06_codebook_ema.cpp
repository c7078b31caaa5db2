#include "codebook_ema.hpp"
#include "docs/tests/chapter.hpp"

namespace latent {
namespace {

using Indices = std::vector<std::int64_t>;

/// The first `count` codes, each `times` times.
Indices even(std::int64_t count, int times) {
  Indices indices;
  for (std::int64_t k = 0; k < count; ++k) indices.insert(indices.end(), std::size_t(times), k);
  return indices;
}

TEST(Chapter06, WorksUsageAndPerplexity) {
  const Chapter chapter("06_codebook_ema");
  const double perplexity = codebook_perplexity(even(12, 5), 8192);
  EXPECT_EQ(codebook_usage(even(12, 5), 8192).used, 12);
  chapter.states("0.1465", 100.0 * codebook_usage(even(12, 5), 8192).share);
  chapter.states("3.585", std::log2(perplexity));
  EXPECT_NEAR(perplexity, 12.0, 1e-9);
  chapter.states("148.4", std::exp(std::log2(codebook_perplexity(even(32, 3), 32))));
  Indices uneven = even(10, 1);  // nine codes once, one ninety-one times
  uneven.insert(uneven.end(), 90, 0);
  EXPECT_EQ(codebook_usage(uneven, 10).used, 10);
  chapter.states("1.65", codebook_perplexity(uneven, 10));
  chapter.states("27.81", 32.0 * (1.0 - std::pow(31.0 / 32.0, 64.0)));
}

const Matrix& chapter_codes() {
  static const Matrix codes{{0.9F, 0.1F}, {0.1F, 0.9F}, {-0.5F, -0.5F}};
  return codes;
}

const Matrix& chapter_rows() {
  static const Matrix rows{{1.2F, 0.1F}, {1.0F, 0.3F}, {0.0F, 1.0F}};
  return rows;
}

TEST(Chapter06, WorksOneStep) {
  const Chapter chapter("06_codebook_ema");
  const Indices indices = nearest_code(chapter_rows(), chapter_codes());
  EXPECT_EQ(indices, (Indices{0, 0, 1}));
  const ClusterStats batch = assignment_stats(chapter_rows(), indices, 3);
  chapter.states("2.2", batch.sum(0, 0));
  chapter.states("0.4", batch.sum(0, 1));
  const ClusterStats average = ema_decay({DoubleVector::Ones(3), chapter_codes()}, batch, 0.9);
  chapter.states("1.1", average.size(0));
  chapter.states("0.9", average.size(2));
  chapter.states("1.03", average.sum(0, 0));
  chapter.states("0.13", average.sum(0, 1));
  chapter.states("-0.45", average.sum(2, 0));
  const DoubleVector smoothed = laplace_smooth(average.size, 1e-5);
  chapter.states("1.099999", smoothed(0));
  chapter.states("0.900001", smoothed(2));
  const Matrix codes = codebook_from_ema(average, 1e-5);
  chapter.states("0.936364", codes(0, 0));
  chapter.states("0.118182", codes(0, 1));
  chapter.states("0.09", codes(1, 0));
  chapter.states("0.91", codes(1, 1));
  chapter.states("-0.499999", codes(2, 0));
}

TEST(Chapter06, WorksTheSmoothing) {
  const Chapter chapter("06_codebook_ema");
  const DoubleVector smoothed = laplace_smooth(DoubleVector{{10.0, 0.0, 0.0, 0.0}}, 1e-5);
  chapter.prints("9.99996");
  EXPECT_NEAR(1e6 * smoothed(1), 9.99996, 6e-6);
  EXPECT_NEAR(smoothed.sum(), 10.0, 1e-12);
}

TEST(Chapter06, WorksTheTwoRules) {
  const Chapter chapter("06_codebook_ema");
  const auto after = [](int rows) {
    const EmaCodebook state{one(0), {DoubleVector::Ones(1), one(0)}, 0};
    return ema_codebook_step(Matrix::Ones(rows, 1), state, {}, EmaOptions{}, true)
        .state.codebook(0, 0);
  };
  chapter.states("0.33557", after(50));
  chapter.states("0.01", after(1));
  chapter.states("0.0917", after(10));
}

/// What is left, after some steps, of a code at 1 that no row chooses.
double left_after(double size, int steps) {
  EmaCodebook state;
  state.codebook = Matrix::Zero(32, 1);
  state.codebook(0, 0) = 1.0F;
  state.average = {DoubleVector::Constant(32, size), state.codebook};
  ClusterStats batch{DoubleVector::Constant(32, 64.0 / 31.0), Matrix::Zero(32, 1)};
  batch.size(0) = 0.0;
  for (int i = 0; i < steps; ++i) state.average = ema_decay(state.average, batch, 0.99);
  return codebook_from_ema(state.average, 1e-5)(0, 0);
}

TEST(Chapter06, WorksTheThreeStarts) {
  const Chapter chapter("06_codebook_ema");
  struct Row {
    int step;
    std::string one, zero;
  };
  for (const Row& row :
       {Row{1, "1.000", "99,050"}, Row{100, "1.000", "36,600"}, Row{500, "0.998", "657"},
        Row{1000, "0.81", "4.3"}, Row{1146, "0.50", "1.0"}, Row{1500, "0.03", "0.03"}}) {
    chapter.prints("| " + std::to_string(row.step) + " | " + row.one + " | " + row.zero + " | 0 |");
    chapter.states(row.one, left_after(1.0, row.step));
    if (row.zero == "36,600") {  // rounded to three digits
      EXPECT_NEAR(left_after(0.0, row.step), 36600.0, 50.0);
    } else {
      chapter.states(row.zero, left_after(0.0, row.step));
    }
  }
  chapter.states("1146", std::ceil(std::log(1e-5) / std::log(0.99)));
}

TEST(Chapter06, WorksTheRevival) {
  const Chapter chapter("06_codebook_ema");
  EmaCodebook state{
      Matrix{{5.0F}, {0.0F}}, {DoubleVector{{0.05, 1.95}}, Matrix{{0.25F}, {0.0F}}}, 500};
  const ClusterStats nothing{DoubleVector::Zero(2), Matrix::Zero(2, 1)};
  const auto updated = [&](const ClusterStats& average) {
    return codebook_from_ema(ema_decay(average, nothing, 0.99), 1e-5)(0, 0);
  };
  chapter.states("4.999", updated(state.average));
  chapter.states("0.0495", ema_decay(state.average, nothing, 0.99).size(0));
  chapter.states("0.2475", ema_decay(state.average, nothing, 0.99).sum(0, 0));
  const EmaCodebook revived = revive(state, {1, 0}, one(1), {0});
  chapter.states("0.5", revived.average.size(0));
  EXPECT_NEAR(updated(revived.average), 1.0, 1e-4);
  ClusterStats half = state.average;
  half.size(0) = 0.5;
  chapter.states("0.500", updated(half));
  chapter.states("229", std::floor(std::log(10.0) / -std::log(0.99)));
}

TEST(Chapter06, WorksTheFreshState) {
  const Chapter chapter("06_codebook_ema");
  const DoubleVector fresh = DoubleVector::Ones(8192) * 0.99;
  const auto dead = [&](std::int64_t updates) {
    const auto mask = dead_mask(fresh, 100000, updates, 0.99, 0.1);
    return std::count(mask.begin(), mask.end(), 1);
  };
  chapter.states("12.2", 100000.0 / 8192.0);
  chapter.states("1.22", 10000.0 / 8192.0);
  EXPECT_EQ(dead(1), 0);
  EXPECT_EQ(dead(99), 0);
  EXPECT_EQ(dead(101), 8192);
}

TEST(Chapter06, WorksTheLargerCodebook) {
  const Chapter chapter("06_codebook_ema");
  chapter.states("99.46", 100.0 * std::pow(2.0, -2.0 / 256.0));
  chapter.states("1.53", 100000.0 / 65536.0);
  const double missed = std::pow(1.0 - 1.0 / 65536.0, 100000.0);
  chapter.states("0.217", missed);
  EXPECT_NEAR(std::exp(-100000.0 / 65536.0), missed, 1e-5);
  chapter.states("0.15", 0.1 * 100000.0 / 65536.0);
  EXPECT_LT(std::pow(1.0 - 1.0 / 8192.0, 100000.0), 1e-5);
  const std::int64_t rows = 100000;
  EXPECT_EQ(dead_mask(DoubleVector::Constant(65536, 0.16), rows, 500, 0.99, 0.1)[0], 0);
  EXPECT_EQ(dead_mask(DoubleVector::Constant(65536, 0.15), rows, 500, 0.99, 0.1)[0], 1);
}

/// How many steps until a code at 1 without rows is chosen, if rows and the live code are
/// elsewhere.
std::int64_t comes_back(float centre) {
  const Matrix codes{{centre}, {1.0F}};
  Matrix rows(64, 1);
  for (Index n = 0; n < rows.rows(); ++n) rows(n, 0) = centre + (n % 2 == 0 ? -0.1F : 0.1F);
  EmaCodebook state{codes, {DoubleVector::Ones(2), codes}, 0};
  EmaOptions options;
  options.threshold = 0.0;  // nobody revives
  for (std::int64_t step = 0; step < 3000; ++step) {
    const EmaStep result = ema_codebook_step(rows, state, {}, options, true);
    for (const std::int64_t k : result.output.indices) {
      if (k == 1) return step;
    }
    state = result.state;
  }
  return -1;
}

TEST(Chapter06, DriftsBackToTheRows) {
  const Chapter chapter("06_codebook_ema");
  chapter.states("1,284", double(comes_back(0.0F)));
  EXPECT_EQ(comes_back(5.0F), -1);
}

TEST(Chapter06, WorksKMeans) {
  const Chapter chapter("06_codebook_ema");
  Matrix ten(10, 1);
  Indices order;
  for (Index n = 0; n < 10; ++n) {
    ten(n, 0) = 1.1F + 0.2F * static_cast<float>(n);
    order.push_back(n);
  }
  const EmaCodebook state = kmeans_init(ten, 1, order, 3);
  const ClusterStats batch = assignment_stats(ten, Indices(10, 0), 1);
  const auto after = [&](const ClusterStats& average) {
    return codebook_from_ema(ema_decay(average, batch, 0.99), 1e-5)(0, 0);
  };
  EXPECT_NEAR(after(state.average), 2.0, 1e-5);
  chapter.states("0.218", after({state.average.size, state.codebook}));
  chapter.states("2.18", ema_decay({state.average.size, state.codebook}, batch, 0.99).sum(0, 0));
}

}  // namespace
}  // namespace latent

#include "docs/tests/chapter.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

using Indices = std::vector<std::int64_t>;

const Matrix& rows() {
  static const Matrix z{{1.0F, 0.0F}, {0.0F, 1.0F}};
  return z;
}

const Matrix& codes() {
  static const Matrix codebook{{0.9F, 0.1F}, {0.1F, 0.9F}, {-0.5F, -0.5F}};
  return codebook;
}

TEST(Chapter05, WorksTheDistances) {
  const Chapter chapter("05_vq_straight_through");
  const Matrix d = pairwise_sqdist(rows(), codes());
  chapter.states("0.02", d(0, 0));
  chapter.states("1.62", d(0, 1));
  chapter.states("2.5", d(0, 2));
  chapter.states("0.141421", std::sqrt(d(0, 0)));
  chapter.states("1.272792", std::sqrt(d(0, 1)));
  chapter.states("1.581139", std::sqrt(d(0, 2)));
  const Matrix far{{1000.0F, 1000.0F}};
  const Matrix near_it{{1000.0F, 1000.01F}, {1000.02F, 1000.0F}, {1000.0F, 1000.0F}};
  chapter.states("0.000100", pairwise_sqdist(far, near_it)(0, 0));
  chapter.states("0.000401", pairwise_sqdist(far, near_it)(0, 1));
  EXPECT_EQ(nearest_code(far, near_it), Indices{2});
  for (Index k = 0; k < 3; ++k) {
    const float product = far.row(0).dot(near_it.row(k));
    EXPECT_EQ(far.squaredNorm() - 2.0F * product + near_it.row(k).squaredNorm(), 0.0F);
  }
}

TEST(Chapter05, WorksTheNearestCodes) {
  const Chapter chapter("05_vq_straight_through");
  const Matrix origin{{0.0F, 0.0F}}, corner{{1.2F, 0.0F}, {0.8F, 0.8F}};
  chapter.states("1.44", pairwise_sqdist(origin, corner)(0, 0));
  chapter.states("1.28", pairwise_sqdist(origin, corner)(0, 1));
  const Matrix slanted{{1.0F, 1.2F}}, axes{{0.1F, 0.0F}, {0.0F, 5.0F}};
  chapter.states("2.25", pairwise_sqdist(slanted, axes)(0, 0));
  chapter.states("15.44", pairwise_sqdist(slanted, axes)(0, 1));
  chapter.states("0.640", 1.0F / slanted.norm());
  chapter.states("0.768", 1.2F / slanted.norm());
  const Matrix line{{0.0F}, {1.0F}};
  const auto quantized = [&](float z) { return vq_straight_through(one(z), line).z_q(0, 0); };
  EXPECT_EQ(quantized(0.701F) - quantized(0.699F), 0.0F);
  EXPECT_EQ(quantized(0.5005F) - quantized(0.4995F), 1.0F);
}

TEST(Chapter05, WorksTheMap) {
  Tensor4 map(1, 2, 2, 2);
  for (Index i = 0; i < 8; ++i) map.data()[i] = static_cast<float>(10 * (i / 4) + i % 4);
  const Matrix expected{{0, 10}, {1, 11}, {2, 12}, {3, 13}};
  EXPECT_EQ(rows_from_nchw(map), expected);
  const Tensor4 back = nchw_from_rows(expected, map.shape());
  for (Index i = 0; i < 8; ++i) EXPECT_EQ(back.data()[i], map.data()[i]);
}

TEST(Chapter05, WorksLossesAndGradients) {
  const Chapter chapter("05_vq_straight_through");
  const VqLosses losses = vq_losses(0.0, rows(), codes(), {0, 1}, 0.25);
  chapter.states("0.01", losses.codebook);
  chapter.states("0.0025", losses.commitment);
  chapter.states("0.0125", losses.total);
  const VqGradients right = vq_gradients(Matrix::Zero(2, 2), rows(), codes(), {0, 1}, 0.25);
  const double to_row = right.commitment.z_e(0, 0), to_code = right.codebook.codebook(0, 0);
  chapter.states("0.0125", to_row);
  chapter.states("-0.05", to_code);
  chapter.states("0.05", to_row / 0.25);
  chapter.states("-0.0125", to_code * 0.25);
  chapter.states("0.0625", to_row / 0.25 + to_row);
  chapter.states("-0.0625", to_code + 0.25 * to_code);
  chapter.states("-0.0375", to_row - to_row / 0.25);
  volatile float far = 1e8F;
  const float bracket = 1.5F - far, sum = far + bracket;
  EXPECT_EQ(sum, 0.0F);
}

TEST(Chapter05, WorksTheSteps) {
  const Chapter chapter("05_vq_straight_through");
  Matrix row = one(1), code = one(0), stopped_row = row, stopped_code = code;
  struct Row {
    std::string naive, gap, stopped, stopped_gap;
  };
  for (const Row& printed : {Row{"0.8, 0.2", "0.6", "0.95, 0.2", "0.75"},
                             Row{"0.68, 0.32", "0.36", "0.9125, 0.35", "0.5625"},
                             Row{"0.608, 0.392", "0.216", "0.884375, 0.4625", "0.421875"}}) {
    const VqObjective naive = naive_loss_equivalence(row, code, {0}, 0.25).naive;
    const VqObjective stopped =
        naive_loss_equivalence(stopped_row, stopped_code, {0}, 0.25).stopped;
    row -= 0.1F * naive.z_e;
    code -= 0.1F * naive.codebook;
    stopped_row -= 0.1F * stopped.z_e;
    stopped_code -= 0.1F * stopped.codebook;
    chapter.prints(printed.naive + " | " + printed.gap + " | " + printed.stopped + " | " +
                   printed.stopped_gap);
    chapter.states(printed.naive.substr(0, printed.naive.find(',')), row(0, 0));
    chapter.states(printed.stopped.substr(0, printed.stopped.find(',')), stopped_row(0, 0));
    chapter.states(printed.gap, row(0, 0) - code(0, 0));
    chapter.states(printed.stopped_gap, stopped_row(0, 0) - stopped_code(0, 0));
    EXPECT_NEAR(row(0, 0) + code(0, 0), 1.0, 1e-6);
  }
}

}  // namespace
}  // namespace latent

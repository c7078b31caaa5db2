#include "common/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "common/random.hpp"

namespace latent {
namespace {

TEST(Median, IsTheOneInTheMiddle) {
  EXPECT_EQ(median({3, 1, 2}), 2.0);
  EXPECT_EQ(median({4, 1, 3, 2}), 3.0);
  EXPECT_THROW(median({}), std::invalid_argument);
}

TEST(PrincipalComponentsTest, FindTheStatedSpectrum) {
  const Dataset data = gaussian8(3, 40'000);
  const PrincipalComponents pca = principal_components(data.x, 2);
  ASSERT_EQ(shape_of(pca.directions), "[2, 8]");
  const DoubleVector spectrum = gaussian8_spectrum();
  for (Index k = 0; k < 8; ++k) EXPECT_NEAR(pca.variance(k), spectrum(k), 0.04 * spectrum(k));
  // The first axis of the Hadamard matrix: all entries equal.
  EXPECT_NEAR(std::abs(double(pca.directions.row(0).sum())), std::sqrt(8.0), 0.01);
  EXPECT_NEAR(pca_residual(data.x, 2), pca.variance.tail(6).sum() / 8.0, 1e-12);
  EXPECT_NEAR(pca_residual(data.x, 8), 0.0, 1e-12);
  EXPECT_THROW(principal_components(data.x, 9), std::invalid_argument);
  EXPECT_THROW(principal_components(Matrix(0, 8), 1), std::invalid_argument);
}

TEST(PrincipalComponentsTest, LeaveOverWhatTheResidualSays) {
  const Matrix x = mixture8(4, 500).x.array() + 3.0F;
  const PrincipalComponents pca = principal_components(x, 3);
  const Matrix back = (pca.project(x) * pca.directions).rowwise() + pca.mean;
  EXPECT_NEAR(double((back - x).squaredNorm()) / double(x.size()), pca_residual(x, 3), 1e-6);
}

TEST(FrechetDistance, KnowsTheExactAnswers) {
  // Four points of mean 0 and covariance 4/3 diag(a, b), and the same elsewhere.
  const auto cross = [](float a, float b, float at) {
    Matrix x(4, 2);
    x << at + a, b, at + a, -b, at - a, b, at - a, -b;
    return x;
  };
  const double s = 4.0 / 3.0;
  EXPECT_NEAR(frechet_distance(cross(1, 1, 0), cross(1, 1, 0)), 0.0, 1e-12);
  EXPECT_NEAR(frechet_distance(cross(1, 1, 0), cross(1, 1, 3)), 9.0, 1e-6);
  // (2 - 1)^2 along the first axis.
  EXPECT_NEAR(frechet_distance(cross(2, 1, 1), cross(1, 1, 0)), 1.0 + s * 1.0, 1e-6);
  EXPECT_NEAR(frechet_distance(cross(3, 1, 0), cross(1, 2, 0)), s * (4.0 + 1.0), 1e-6);
  EXPECT_THROW(frechet_distance(Matrix::Zero(1, 2), Matrix::Zero(2, 2)), std::invalid_argument);
  EXPECT_THROW(frechet_distance(Matrix::Zero(3, 2), Matrix::Zero(3, 1)), std::invalid_argument);
}

TEST(FrechetDistance, IsNoNumberWhereThereIsNone) {
  EXPECT_TRUE(std::isnan(frechet_distance(Matrix::Constant(5, 2, NAN), Matrix::Random(5, 2))));
}

TEST(FrechetDistance, SeesCorrelationsThatTurnAround) {
  Random random(6);
  const Matrix z = random.normal_matrix(20'000, 2);
  Matrix a = z, b = z;
  a.col(1) = 0.8F * z.col(0) + 0.6F * z.col(1);
  b.col(1) = -0.8F * z.col(0) + 0.6F * z.col(1);
  // Covariances [[1, c], [c, 1]] and [[1, -c], [-c, 1]] commute: eigenvalues 1.8, 0.2 and reversed.
  const double root = std::sqrt(1.8) - std::sqrt(0.2);
  EXPECT_NEAR(frechet_distance(a, b), 2.0 * root * root, 0.05);
}

TEST(NearestDistances, LeaveOutThePointItself) {
  Matrix data(3, 2);
  data << 0, 0, 3, 4, 0, 1;
  Matrix point(1, 2);
  point << 3, 0;
  EXPECT_EQ(nearest_distances(point, data), std::vector<double>{3.0});
  EXPECT_EQ(nearest_distances(data, data)[1], 0.0);
  EXPECT_NEAR(nearest_distances(data, data, true)[1], std::sqrt(18.0), 1e-6);
  EXPECT_THROW(nearest_distances(point, Matrix(0, 2)), std::invalid_argument);
  EXPECT_THROW(nearest_distances(point, Matrix(1, 3)), std::invalid_argument);
}

/// What is a figure and what is noise, for both classes of samples.
class Rulers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new ImageSplit{sprites(1, 2000).data, sprites(2, 600).data};
  }
  static void TearDownTestSuite() { delete data_; }
  static ImageSplit* data_;
};
ImageSplit* Rulers::data_ = nullptr;

TEST_F(Rulers, TellShapesApart) {
  const Classifier classifier(data_->train, 1, 600);
  EXPECT_GE(classifier.accuracy(data_->test), 0.55);
  EXPECT_GE(classifier.accuracy(data_->train), 0.65);
  const Matrix p = classifier.probabilities(data_->test.x);
  ASSERT_EQ(p.cols(), 3);
  EXPECT_TRUE((p.rowwise().sum().array() - 1.0F).abs().maxCoeff() <= 1e-5F);
  EXPECT_GE(p.minCoeff(), 0.0F);
  EXPECT_EQ(classifier.confidence(data_->test.x),
            Classifier(data_->train, 1, 600).confidence(data_->test.x))
      << "the same seed, the same bits";
  EXPECT_THROW(Classifier({Matrix(0, 2), {}, "", {2}}, 1), std::invalid_argument);
  EXPECT_THROW(Classifier({Matrix::Zero(1, 2), {-1}, "", {2}}, 1), std::invalid_argument);
}

TEST_F(Rulers, PreferDataToNoiseAndSeeCopies) {
  const Matrix fresh = sprites(3, 600).data.x;
  Random random(7);
  const Matrix noise = random.normal_matrix(600, 784).cwiseAbs().cwiseMin(1.0F);
  const SampleRuler ruler(*data_, 1, 300);
  const SampleQuality good = ruler.measure(fresh, data_->test.x),
                      bad = ruler.measure(noise, data_->test.x),
                      copied = ruler.measure(data_->train.x.topRows(600), data_->test.x);
  EXPECT_LT(good.frechet, 2.0 * good.frechet_reconstructions);
  EXPECT_GT(bad.frechet, 20.0 * bad.frechet_reconstructions);
  EXPECT_EQ(copied.nearest, 0.0);
  EXPECT_NEAR(good.nearest, good.nearest_data, 0.1 * good.nearest_data);
  EXPECT_GT(bad.nearest, 2.0 * bad.nearest_data);
  EXPECT_NEAR(good.confidence, good.confidence_data, 0.05);
}

}  // namespace
}  // namespace latent

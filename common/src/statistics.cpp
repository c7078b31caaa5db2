#include "common/statistics.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "common/random.hpp"
#include "common/require.hpp"
#include "common/training.hpp"

namespace latent {
namespace {

using Eigen::MatrixXd;

/// Means and covariance, divided by `count`.
MatrixXd covariance(const Matrix& x, double count) {
  const MatrixXd centred = x.cast<double>().rowwise() - x.cast<double>().colwise().mean();
  return centred.transpose() * centred / count;
}

/// Of a symmetric matrix without negative eigenvalues, but for rounding.
MatrixXd square_root(const MatrixXd& matrix) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(matrix);
  return solver.eigenvectors() * solver.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() *
         solver.eigenvectors().transpose();
}

Matrix softmax(Matrix logits) {
  logits.colwise() -= logits.rowwise().maxCoeff().eval();
  logits = logits.array().exp();
  return logits.array().colwise() / logits.rowwise().sum().array().eval();
}

}  // namespace

double median(std::vector<double> values) {
  require(!values.empty(), "median: expected a value");
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

PrincipalComponents principal_components(const Matrix& x, Index count) {
  require(x.rows() > 0 && count >= 0 && count <= x.cols(),
          "principal_components: expected rows and from 0 to " + std::to_string(x.cols()) +
              " components, got " + shape_of(x) + " and " + std::to_string(count));
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(
      covariance(x, static_cast<double>(x.rows())));  // ascending
  return {x.colwise().mean(),
          solver.eigenvectors().rowwise().reverse().leftCols(count).transpose().cast<float>(),
          solver.eigenvalues().reverse()};
}

Matrix PrincipalComponents::project(const Matrix& x) const {
  return (x.rowwise() - mean) * directions.transpose();
}

double pca_residual(const Matrix& x, Index components) {
  const PrincipalComponents pca = principal_components(x, components);
  return pca.variance.tail(x.cols() - components).sum() / static_cast<double>(x.cols());
}

double frechet_distance(const Matrix& a, const Matrix& b) {
  require(a.rows() > 1 && b.rows() > 1, "frechet_distance: expected two rows or more, got " +
                                            shape_of(a) + " and " + shape_of(b));
  require_size(b.cols(), a.cols(), "frechet_distance: columns of b");
  const MatrixXd cov_a = covariance(a, static_cast<double>(a.rows() - 1)),
                 cov_b = covariance(b, static_cast<double>(b.rows() - 1)),
                 root = square_root(cov_a);
  const double means =
      (a.cast<double>().colwise().mean() - b.cast<double>().colwise().mean()).squaredNorm();
  const double distance =
      means + (cov_a + cov_b).trace() - 2.0 * square_root(root * cov_b * root).trace();
  return distance < 0.0 ? 0.0 : distance;  // std::max(0.0, NaN) would be 0, the best there is
}

std::vector<double> nearest_distances(const Matrix& points, const Matrix& data, bool same_rows) {
  require(data.rows() > (same_rows ? 1 : 0), "nearest_distances: expected data to be near to");
  require_size(data.cols(), points.cols(), "nearest_distances: columns of data");
  std::vector<double> found;
  const Eigen::VectorXf squares = data.rowwise().squaredNorm();
  for (Index i = 0; i < points.rows(); ++i) {
    // The cheap form finds the neighbour, differences measure the distance.
    Eigen::VectorXf closeness = squares - 2.0F * (data * points.row(i).transpose());
    if (same_rows) closeness(i) = std::numeric_limits<float>::infinity();
    Index nearest = 0;
    closeness.minCoeff(&nearest);
    found.push_back(double((data.row(nearest) - points.row(i)).norm()));
  }
  return found;
}

Classifier::Classifier(const Dataset& data, std::uint64_t seed, Index steps) {
  constexpr Index kHidden = 128, kBatch = 64;
  constexpr float kMomentum = 0.9F;
  require(data.x.rows() > 0, "Classifier: expected a row");
  const auto [low, high] = std::minmax_element(data.labels.begin(), data.labels.end());
  require(*low >= 0 && *high < 1000, "Classifier: expected labels from 0 to 999");
  const Index classes = *high + 1;
  Random random(seed);
  hidden_weight_ = std::sqrt(2.0F) * initial_weight(kHidden, data.x.cols(), random);
  output_weight_ = initial_weight(classes, kHidden, random);
  hidden_bias_ = RowVector::Zero(kHidden);
  output_bias_ = RowVector::Zero(classes);
  Matrix hidden_speed = Matrix::Zero(kHidden, data.x.cols() + 1),
         output_speed = Matrix::Zero(classes, kHidden + 1);
  for (Index step = 0; step < steps; ++step) {
    const float rate = 0.1F * (1.0F - static_cast<float>(step) / static_cast<float>(steps));
    Matrix x(kBatch, data.x.cols()), wanted = Matrix::Zero(kBatch, classes);
    for (Index i = 0; i < kBatch; ++i) {
      const Index row = random.integer(0, data.x.rows() - 1);
      x.row(i) = data.x.row(row);
      wanted(i, data.labels[static_cast<std::size_t>(row)]) = 1.0F;
    }
    const Matrix hidden =
        ((x * hidden_weight_.transpose()).rowwise() + hidden_bias_).cwiseMax(0.0F);
    const Matrix logits = (hidden * output_weight_.transpose()).rowwise() + output_bias_;
    // Of the mean cross entropy with respect to the logits.
    const Matrix error = (softmax(logits) - wanted) / static_cast<float>(kBatch);
    const Matrix back =
        ((error * output_weight_).array() * (hidden.array() > 0.0F).cast<float>()).matrix();
    output_speed *= kMomentum;
    output_speed.leftCols(kHidden) += error.transpose() * hidden;
    output_speed.rightCols(1) += error.colwise().sum().transpose();
    hidden_speed *= kMomentum;
    hidden_speed.leftCols(x.cols()) += back.transpose() * x;
    hidden_speed.rightCols(1) += back.colwise().sum().transpose();
    output_weight_ -= rate * output_speed.leftCols(kHidden);
    output_bias_ -= rate * output_speed.rightCols(1).transpose();
    hidden_weight_ -= rate * hidden_speed.leftCols(x.cols());
    hidden_bias_ -= rate * hidden_speed.rightCols(1).transpose();
  }
}

Matrix Classifier::probabilities(const Matrix& x) const {
  require_size(x.cols(), hidden_weight_.cols(), "Classifier: columns of x");
  const Matrix hidden = ((x * hidden_weight_.transpose()).rowwise() + hidden_bias_).cwiseMax(0.0F);
  return softmax((hidden * output_weight_.transpose()).rowwise() + output_bias_);
}

double Classifier::confidence(const Matrix& x) const {
  require(x.rows() > 0, "Classifier::confidence: expected a row");
  return probabilities(x).rowwise().maxCoeff().cast<double>().mean();
}

double Classifier::accuracy(const Dataset& data) const {
  require(data.x.rows() > 0, "Classifier::accuracy: expected a row");
  const Matrix all = probabilities(data.x);
  Index right = 0;
  for (Index i = 0; i < all.rows(); ++i) {
    Index best = 0;
    all.row(i).maxCoeff(&best);
    right += best == data.labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(all.rows());
}

SampleRuler::SampleRuler(const ImageSplit& data, std::uint64_t seed, Index steps)
    : data_(data),
      classifier_(data.train, seed, steps),
      pca_(principal_components(data.train.x, std::min<Index>(32, data.train.x.cols()))),
      train_(pca_.project(data.train.x)) {
  // Some rows against all rows: enough for a median, and a second instead of a minute.
  constexpr Index kRows = 1000;
  const Index rows = std::min(data.train.x.rows(), kRows);
  nearest_data_ = median(nearest_distances(data.train.x.topRows(rows), data.train.x, true));
}

double SampleRuler::frechet(const Matrix& pictures) const {
  return frechet_distance(pca_.project(pictures), train_);
}

SampleQuality SampleRuler::measure(const Matrix& samples, const Matrix& reconstructions) const {
  const Index same = std::min(samples.rows(), reconstructions.rows());
  return {.frechet = frechet(samples.topRows(same)),
          .frechet_reconstructions = frechet(reconstructions.topRows(same)),
          .confidence = classifier_.confidence(samples),
          .confidence_data = classifier_.confidence(data_.test.x),
          .accuracy = classifier_.accuracy(data_.test),
          .nearest = median(nearest_distances(samples, data_.train.x)),
          .nearest_data = nearest_data_};
}

}  // namespace latent

/// @file
/// Rulers for experiments: what principal components leave over, how far samples lie from data, and
/// whether they look like it. Results are double; nothing here is an exercise.
#pragma once

#include "common/dataset.hpp"
#include "common/types.hpp"

namespace latent {

/// @param values  At least one; in any order.
/// @return        The one in the middle; of an even number, the higher of the two.
/// @throws std::invalid_argument  if there is none.
double median(std::vector<double> values);

/// Principal components: the directions along which data varies most.
struct PrincipalComponents {
  RowVector mean;     ///< Of the data, shape `[D]`.
  Matrix directions;  ///< One a row, of length 1, the largest variance first, shape `[k, D]`.
  DoubleVector
      variance;  ///< Along all D directions, the largest first (divided by N), shape `[D]`.

  /// @param x  Shape `[N, D]`
  /// @return   Its coordinates along the directions, shape `[N, k]`.
  Matrix project(const Matrix& x) const;
};

/// @param x      Shape `[N, D]`, N above 0.
/// @param count  How many directions, k, from 0 to D.
/// @return       Mean, directions and variances.
/// @throws std::invalid_argument  if x has no row or k is out of range.
PrincipalComponents principal_components(const Matrix& x, Index count);

/// Mean squared error per number of the best linear map of x through a few numbers: what the
/// largest principal components leave over, \f$ \frac1D \sum_{i > k} \lambda_i \f$.
/// @param x           Shape `[N, D]`, N above 0.
/// @param components  k, from 0 to D.
/// @return            In squared units of x.
/// @throws std::invalid_argument  as `principal_components` does.
double pca_residual(const Matrix& x, Index components);

/// The Frechet distance between the Gaussians with the means and covariances of two samples,
/// \f$ |m_a - m_b|^2 + \operatorname{tr}(S_a + S_b - 2 (S_a^{1/2} S_b S_a^{1/2})^{1/2}) \f$.
/// @param a  Shape `[N, D]`, N above 1.
/// @param b  Shape `[M, D]`, M above 1.
/// @return   Not negative; in squared units. Covariances are divided by N - 1 and M - 1.
/// @throws std::invalid_argument  if columns differ or there are fewer than two rows.
/// @see Dowson, Landau 1982, "The Frechet distance between multivariate normal distributions".
double frechet_distance(const Matrix& a, const Matrix& b);

/// From each row to the nearest row of the data.
/// @param points     Shape `[N, D]`
/// @param data       Shape `[M, D]`, M above 0 (above 1 if they are the points).
/// @param same_rows  Whether row i of the data is point i, which then does not count as its own
///                   neighbour.
/// @return           N Euclidean distances.
/// @throws std::invalid_argument  if there is nothing to be near to, or columns differ.
std::vector<double> nearest_distances(const Matrix& points, const Matrix& data,
                                      bool same_rows = false);

/// A small network that has learned to tell the labels of pictures apart: D - 128 (ReLU) - classes.
class Classifier {
 public:
  /// Learns.
  /// @param data   Shape `[N, D]`, labels from 0 on.
  /// @param seed   Decides everything.
  /// @param steps  Of 64 rows each.
  /// @throws std::invalid_argument  if there is no row or a label is negative or above 999.
  Classifier(const Dataset& data, std::uint64_t seed, Index steps = 4000);

  /// @param x  Shape `[N, D]`
  /// @return   How likely each label is, shape `[N, classes]`; rows add up to 1.
  Matrix probabilities(const Matrix& x) const;

  /// @param x  Shape `[N, D]`, N above 0.
  /// @return   The mean over rows of the highest probability.
  double confidence(const Matrix& x) const;

  /// @param data  Shape `[N, D]`, N above 0.
  /// @return      The share of rows whose most likely label is theirs.
  double accuracy(const Dataset& data) const;

 private:
  Matrix hidden_weight_, output_weight_;
  RowVector hidden_bias_, output_bias_;
};

/// How well generated pictures pass for data.
struct SampleQuality {
  double frechet = 0.0;                  ///< From samples to data, on 32 principal components.
  double frechet_reconstructions = 0.0;  ///< From reconstructions to data: what a perfect sampler
                                         ///< of latents would reach.
  double confidence = 0.0;               ///< Of a classifier, mean over samples.
  double confidence_data = 0.0;          ///< The same over pictures that are kept back.
  double accuracy = 0.0;                 ///< Of that classifier on pictures that are kept back.
  double nearest = 0.0;                  ///< Median distance from a sample to its nearest picture.
  double nearest_data = 0.0;             ///< The same among the pictures themselves.
};

/// Measures how well pictures pass for data. Copies of the data have a `nearest` of 0; noise has a
/// `frechet` above all.
class SampleRuler {
 public:
  /// Trains the classifier and finds the principal components, which takes two seconds or three.
  /// @param data   Train and test, which must outlive this.
  /// @param seed   Of the classifier.
  /// @param steps  Of the classifier.
  /// @throws std::invalid_argument  as `Classifier` does.
  SampleRuler(const ImageSplit& data, std::uint64_t seed, Index steps = 4000);

  /// @param samples          Generated, shape `[N, D]`, N above 1.
  /// @param reconstructions  Of the test pictures, shape `[M, D]`, M above 1; of both, as many
  /// enter
  ///                         the Frechet distances as there are of the fewer.
  /// @return                 All in units of pixel values from 0 to 1.
  /// @throws std::invalid_argument  if sizes do not fit.
  SampleQuality measure(const Matrix& samples, const Matrix& reconstructions) const;

  /// @param pictures  Shape `[N, D]`, N above 1.
  /// @return          The Frechet distance to the training pictures, on 32 principal components.
  /// @throws std::invalid_argument  if sizes do not fit.
  double frechet(const Matrix& pictures) const;

 private:
  const ImageSplit& data_;
  Classifier classifier_;
  PrincipalComponents pca_;
  Matrix train_;  ///< Along the components.
  double nearest_data_;
};

}  // namespace latent

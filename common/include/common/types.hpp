/// @file
/// The vocabulary of every lab. Read this file first.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

/// Everything a learner writes or calls lives in this namespace.
namespace latent {

/// Signed, like every size in Eigen.
using Index = Eigen::Index;

/// A batch or a weight. One sample per row: `[N, D]`, and rows are contiguous, as in PyTorch.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One float per feature, shape `[D]`: a bias, a mean, one row of a batch.
using RowVector = Eigen::Matrix<float, 1, Eigen::Dynamic, Eigen::RowMajor>;

/// Several doubles, shape `[S]`: per-sample results, discrete models, schedules.
using DoubleVector = Eigen::Matrix<double, Eigen::Dynamic, 1>;

/// The sizes of a tensor, outermost first: `{3, 512, 512}` is `[C, H, W]`.
using Shape = std::vector<std::int64_t>;

/// A batch of images or feature maps, shape `[N, C, H, W]`, contiguous with W fastest.
class Tensor4 {
 public:
  /// No elements: shape `[0, 0, 0, 0]`.
  Tensor4() = default;

  /// A tensor of this shape, filled with one value.
  /// @param n        Samples, not negative.
  /// @param c        Channels, not negative.
  /// @param h        Rows, not negative.
  /// @param w        Columns, not negative.
  /// @param initial  The value of every element.
  /// @throws std::invalid_argument  if a size is negative.
  Tensor4(Index n, Index c, Index h, Index w, float initial = 0.0F);

  /// @return Samples.
  Index n() const { return n_; }

  /// @return Channels.
  Index c() const { return c_; }

  /// @return Rows.
  Index h() const { return h_; }

  /// @return Columns.
  Index w() const { return w_; }

  /// @return The number of elements, n * c * h * w.
  Index size() const { return static_cast<Index>(data_.size()); }

  /// @return The shape `{n, c, h, w}`.
  Shape shape() const { return {n_, c_, h_, w_}; }

  /// One element. Indices outside the shape throw `std::out_of_range`.
  /// @param n  Sample.
  /// @param c  Channel.
  /// @param h  Row.
  /// @param w  Column.
  /// @return   The element, to read.
  float operator()(Index n, Index c, Index h, Index w) const { return data_[offset(n, c, h, w)]; }

  /// One element, to write. Indices outside the shape throw `std::out_of_range`.
  /// @param n  Sample.
  /// @param c  Channel.
  /// @param h  Row.
  /// @param w  Column.
  /// @return   The element, to write.
  float& operator()(Index n, Index c, Index h, Index w) { return data_[offset(n, c, h, w)]; }

  /// @return The elements, W fastest.
  const float* data() const { return data_.data(); }

  /// @return The elements, W fastest, to write.
  float* data() { return data_.data(); }

 private:
  std::size_t offset(Index n, Index c, Index h, Index w) const;

  Index n_ = 0, c_ = 0, h_ = 0, w_ = 0;
  std::vector<float> data_;
};

/// "[2, 3]": how shapes are written in messages.
/// @param shape  The sizes.
/// @return       The sizes in brackets, separated by commas.
std::string to_string(const Shape& shape);

/// The shape of a matrix, for messages: `shape_of(x)` is "[4, 2]".
/// @param x  Any Eigen matrix, row vector or array.
/// @return   `[rows, cols]`.
template <typename Derived>
std::string shape_of(const Eigen::DenseBase<Derived>& x) {
  return to_string(Shape{x.rows(), x.cols()});
}

/// The shape of a tensor, for messages.
/// @param x  A tensor.
/// @return   `[n, c, h, w]`.
inline std::string shape_of(const Tensor4& x) {
  return to_string(x.shape());
}

}  // namespace latent

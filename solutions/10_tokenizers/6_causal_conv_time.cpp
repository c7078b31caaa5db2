#include <algorithm>

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

void require_frames(std::int64_t frames, std::int64_t factor) {
  require(frames >= 1, "expected at least one frame, got " + std::to_string(frames));
  require(factor >= 1, "expected a factor >= 1, got " + std::to_string(factor));
}

/// Tap j as a matrix, shape [Ci, Co]: what a row of frames is multiplied by.
Matrix tap(const Tensor4& weight, Index j) {
  Matrix w(weight.c(), weight.n());
  for (Index i = 0; i < w.rows(); ++i) {
    for (Index o = 0; o < w.cols(); ++o) w(i, o) = weight(o, i, j, 0);
  }
  return w;
}

void require_kernel(const Matrix& x, const Tensor4& weight, std::int64_t stride) {
  require(stride >= 1, "causal_conv_time: expected a stride >= 1, got " + std::to_string(stride));
  require(weight.h() >= 1 && weight.w() == 1,
          "causal_conv_time: expected a weight [Co, Ci, k, 1], got " + shape_of(weight));
  require_size(weight.c(), x.cols(), "causal_conv_time: input channels of the weight");
}

}  // namespace

std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  require_frames(frames, factor);
  require((frames - 1) % factor == 0, "latent_frames: expected 1 + " + std::to_string(factor) +
                                          " m frames, got " + std::to_string(frames));
  return 1 + (frames - 1) / factor;
}

std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  require_frames(frames, factor);
  return 1 + (frames - 1 + factor - 1) / factor * factor;
}

Matrix causal_pad(const Matrix& x, std::int64_t count) {
  require(x.rows() >= 1, "causal_pad: expected at least one frame, got " + shape_of(x));
  require(count >= 0, "causal_pad: expected count >= 0, got " + std::to_string(count));
  Matrix padded(x.rows() + count, x.cols());
  padded.topRows(count) = x.row(0).replicate(count, 1);
  padded.bottomRows(x.rows()) = x;
  return padded;
}

Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  require_kernel(x, weight, stride);
  require_size(bias.size(), weight.n(), "causal_conv_time: size of bias");
  const Matrix padded = causal_pad(x, weight.h() - 1);
  Matrix y = bias.replicate((x.rows() - 1) / stride + 1, 1);
  for (Index j = 0; j < weight.h(); ++j) {
    const Matrix w = tap(weight, j);
    for (Index t = 0; t < y.rows(); ++t) y.row(t) += padded.row(stride * t + j) * w;
  }
  return y;
}

CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  require_kernel(x, weight, stride);
  const Matrix padded = causal_pad(x, weight.h() - 1);
  require_size(dy.rows(), (x.rows() - 1) / stride + 1, "causal_conv_time_backward: rows of dy");
  require_size(dy.cols(), weight.n(), "causal_conv_time_backward: columns of dy");
  CausalConvGradients d{Matrix::Zero(x.rows(), x.cols()),
                        Tensor4(weight.n(), weight.c(), weight.h(), 1), dy.colwise().sum()};
  for (Index j = 0; j < weight.h(); ++j) {
    const Matrix w = tap(weight, j);
    Matrix d_tap = Matrix::Zero(dy.cols(), x.cols());
    for (Index t = 0; t < dy.rows(); ++t) {
      const Index frame = std::max<Index>(stride * t + j - (weight.h() - 1), 0);
      d.x.row(frame) += dy.row(t) * w.transpose();  // the copies' share is frame 0's
      d_tap += dy.row(t).transpose() * padded.row(stride * t + j);
    }
    for (Index o = 0; o < dy.cols(); ++o) {
      for (Index i = 0; i < x.cols(); ++i) d.weight(o, i, j, 0) = d_tap(o, i);
    }
  }
  return d;
}

}  // namespace latent

// Right answers to lab 10 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "tokenizers.hpp"

namespace latent {

// ---- 10.0 residual_quantize --------------------------------------------------------------------

namespace x_minus_sum {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  if (stages.empty()) throw std::invalid_argument("no stage");
  RvqOutput out;
  out.indices.resize(x.rows(), std::ssize(stages));
  out.residual_norms.resize(x.rows(), std::ssize(stages));
  out.quantized.setZero(x.rows(), x.cols());
  for (std::size_t q = 0; q < stages.size(); ++q) {
    const std::vector<std::int64_t> chosen = nearest_code(x - out.quantized, stages[q].codebook);
    for (std::size_t n = 0; n < chosen.size(); ++n) {
      out.indices(static_cast<Index>(n), static_cast<Index>(q)) = chosen[n];
      out.quantized.row(static_cast<Index>(n)) += stages[q].codebook.row(chosen[n]);
    }
    out.residual_norms.col(static_cast<Index>(q)) = (x - out.quantized).rowwise().norm();
  }
  return out;
}
}  // namespace x_minus_sum
ALTERNATIVE(x_minus_sum, residual_quantize)

namespace row_by_row {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  const Index count = std::ssize(stages);
  require(count > 0, "no stage");
  RvqOutput out{RvqIndices(x.rows(), count), Matrix(x.rows(), x.cols()), Matrix(x.rows(), count)};
  for (const RvqStage& stage : stages) nearest_code(x, stage.codebook);  // for what it refuses
  for (Index n = 0; n < x.rows(); ++n) {
    Matrix left = x.row(n);
    for (Index q = 0; q < count; ++q) {
      const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
      out.indices(n, q) = nearest_code(left, codebook)[0];
      left -= codebook.row(out.indices(n, q));
      out.residual_norms(n, q) = std::sqrt(left.squaredNorm());
    }
    out.quantized.row(n) = x.row(n) - left;
  }
  return out;
}
}  // namespace row_by_row
ALTERNATIVE(row_by_row, residual_quantize)

namespace with_straight_through {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  require(!stages.empty(), "no stage");
  const Index count = std::ssize(stages);
  RvqOutput out{RvqIndices(x.rows(), count), Matrix::Zero(x.rows(), x.cols()),
                Matrix(x.rows(), count)};
  Matrix left = x;
  for (Index q = 0; q < count; ++q) {
    const VqOutput step = vq_straight_through(left, stages[static_cast<std::size_t>(q)].codebook);
    for (Index n = 0; n < x.rows(); ++n)
      out.indices(n, q) = step.indices[static_cast<std::size_t>(n)];
    out.quantized += step.z_q;
    left -= step.z_q;
    for (Index n = 0; n < x.rows(); ++n) out.residual_norms(n, q) = left.row(n).norm();
  }
  return out;
}
}  // namespace with_straight_through
ALTERNATIVE(with_straight_through, residual_quantize)

// ---- 10.1 rvq_decode ---------------------------------------------------------------------------

namespace checked_first {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  const Index count = std::ssize(stages);
  if (count == 0 || indices.cols() != count) throw std::invalid_argument("stages");
  if (used < 1 || used > count) throw std::invalid_argument("used");
  const Index columns = stages.front().codebook.cols();
  for (const RvqStage& stage : stages) {
    if (stage.codebook.cols() != columns) throw std::invalid_argument("columns");
  }
  Matrix sum = Matrix::Zero(indices.rows(), columns);
  for (Index n = 0; n < indices.rows(); ++n) {
    for (Index q = 0; q < used; ++q) {
      const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
      const std::int64_t k = indices(n, q);
      if (k < -1 || k >= codebook.rows()) throw std::invalid_argument("index");
      if (k == -1) continue;
      for (Index d = 0; d < columns; ++d) sum(n, d) += codebook(k, d);
    }
  }
  return sum;
}
}  // namespace checked_first
ALTERNATIVE(checked_first, rvq_decode)

namespace extra_row_of_zeros {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  require(!stages.empty() && indices.cols() == std::ssize(stages), "stages");
  require(used >= 1 && used <= indices.cols(), "used");
  for (const RvqStage& stage : stages)
    require_size(stage.codebook.cols(), stages[0].codebook.cols(), "columns");
  Matrix sum = Matrix::Zero(indices.rows(), stages[0].codebook.cols());
  for (Index q = 0; q < used; ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    Matrix padded = Matrix::Zero(codebook.rows() + 1, codebook.cols());
    padded.bottomRows(codebook.rows()) = codebook;
    for (Index n = 0; n < sum.rows(); ++n) {
      require(indices(n, q) + 1 >= 0 && indices(n, q) + 1 < padded.rows(), "index");
      sum.row(n) += padded.row(indices(n, q) + 1);
    }
  }
  return sum;
}
}  // namespace extra_row_of_zeros
ALTERNATIVE(extra_row_of_zeros, rvq_decode)

namespace one_hot_products {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  require(!stages.empty() && indices.cols() == std::ssize(stages), "stages");
  require(used >= 1 && used <= indices.cols(), "used");
  const Index columns = stages[0].codebook.cols();
  for (const RvqStage& stage : stages) require(stage.codebook.cols() == columns, "columns");
  Matrix sum = Matrix::Zero(indices.rows(), columns);
  for (Index q = static_cast<Index>(used) - 1; q >= 0; --q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    Matrix one_hot = Matrix::Zero(indices.rows(), codebook.rows());
    for (Index n = 0; n < indices.rows(); ++n) {
      require(indices(n, q) >= -1 && indices(n, q) < codebook.rows(), "index");
      if (indices(n, q) >= 0) one_hot(n, indices(n, q)) = 1.0F;
    }
    sum += one_hot * codebook;
  }
  return sum;
}
}  // namespace one_hot_products
ALTERNATIVE(one_hot_products, rvq_decode)

// ---- 10.2 rvq_backward -------------------------------------------------------------------------

namespace residuals_first {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  const Index count = std::ssize(stages);
  if (x.size() == 0 || count == 0 || !(beta >= 0.0)) throw std::invalid_argument("arguments");
  if (shape_of(d_quantized) != shape_of(x)) throw std::invalid_argument("d_quantized");
  if (indices.rows() != x.rows() || indices.cols() != count) throw std::invalid_argument("indices");
  std::vector<Matrix> differences;
  Matrix left = x;
  for (Index q = 0; q < count; ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    if (codebook.cols() != x.cols()) throw std::invalid_argument("columns");
    for (Index n = 0; n < x.rows(); ++n) {
      if (indices(n, q) < 0 || indices(n, q) >= codebook.rows())
        throw std::invalid_argument("index");
      left.row(n) -= codebook.row(indices(n, q));
    }
    differences.push_back(left);
  }
  RvqGradients d{d_quantized, {}, d_quantized};
  const auto elements = static_cast<double>(x.size());
  for (Index q = 0; q < count; ++q) {
    const Matrix& difference = differences[static_cast<std::size_t>(q)];
    const Index codes = stages[static_cast<std::size_t>(q)].codebook.rows();
    Matrix one_hot = Matrix::Zero(x.rows(), codes);
    for (Index n = 0; n < x.rows(); ++n) one_hot(n, indices(n, q)) = 1.0F;
    d.stages.push_back({static_cast<float>(2.0 * beta / elements) * difference,
                        static_cast<float>(-2.0 / elements) * one_hot.transpose() * difference});
    d.x += d.stages.back().x;
  }
  return d;
}
}  // namespace residuals_first
ALTERNATIVE(residuals_first, rvq_backward)

namespace stage_by_stage {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  require(!stages.empty() && indices.cols() == std::ssize(stages), "stages");
  RvqGradients d;
  Matrix left = x;
  for (Index q = 0; q < indices.cols(); ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    std::vector<std::int64_t> own(static_cast<std::size_t>(indices.rows()));
    for (std::size_t n = 0; n < own.size(); ++n) own[n] = indices(static_cast<Index>(n), q);
    // Lab 05 knows who receives what of one quantizer.
    const VqGradients of_stage = vq_gradients(d_quantized, left, codebook, own, beta);
    d.stages.push_back({of_stage.commitment.z_e, of_stage.codebook.codebook});
    if (q == 0) d.x = d.straight_through = of_stage.reconstruction.z_e;
    d.x += of_stage.commitment.z_e;
    for (Index n = 0; n < left.rows(); ++n) left.row(n) -= codebook.row(indices(n, q));
  }
  return d;
}
}  // namespace stage_by_stage
ALTERNATIVE(stage_by_stage, rvq_backward)

namespace prefix_sums {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  require(x.size() > 0 && beta >= 0.0 && shape_of(d_quantized) == shape_of(x), "arguments");
  require(indices.rows() == x.rows() && (indices.size() == 0 || indices.minCoeff() >= 0),
          "indices");
  RvqGradients d;
  d.straight_through = d_quantized;
  d.x = d_quantized;
  for (std::int64_t used = 1; used <= std::max<std::int64_t>(std::ssize(stages), 1); ++used) {
    const Matrix difference = x - rvq_decode(indices, stages, used);
    const float scale = 2.0F / static_cast<float>(x.rows() * x.cols());
    RvqStageGradients own;
    own.x = scale * static_cast<float>(beta) * difference;
    own.codebook.setZero(stages[static_cast<std::size_t>(used - 1)].codebook.rows(), x.cols());
    for (Index n = 0; n < x.rows(); ++n)
      own.codebook.row(indices(n, used - 1)) -= scale * difference.row(n);
    d.x += own.x;
    d.stages.push_back(own);
  }
  return d;
}
}  // namespace prefix_sums
ALTERNATIVE(prefix_sums, rvq_backward)

// ---- 10.3 rvq_bitrate --------------------------------------------------------------------------

namespace step_by_step {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  for (const std::int64_t size : {sample_rate, hop, codes, stages}) {
    if (size < 1) throw std::invalid_argument("size");
  }
  const double bits_per_index = std::log(static_cast<double>(codes)) / std::log(2.0);
  const double bits_per_frame = bits_per_index * static_cast<double>(stages);
  const double seconds_per_frame = static_cast<double>(hop) / static_cast<double>(sample_rate);
  return bits_per_frame / seconds_per_frame * 1e-3;
}
}  // namespace step_by_step
ALTERNATIVE(step_by_step, rvq_bitrate)

namespace all_at_once {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  require(std::min({sample_rate, hop, codes, stages}) >= 1, "sizes below 1");
  return static_cast<double>(stages * sample_rate) * std::log2(static_cast<double>(codes)) /
         (1000.0 * static_cast<double>(hop));
}
}  // namespace all_at_once
ALTERNATIVE(all_at_once, rvq_bitrate)

namespace in_bits_per_second {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  require(codes >= 2 && sample_rate >= 1 && hop >= 1, "sizes");
  require(bandwidth > 0.0 && std::isfinite(bandwidth), "bandwidth");
  const double per_stage = std::log2(static_cast<double>(codes)) *
                           static_cast<double>(sample_rate) / static_cast<double>(hop);
  const auto fitting = static_cast<std::int64_t>(bandwidth * 1000.0 / per_stage);
  return fitting < 1 ? 1 : fitting;
}
}  // namespace in_bits_per_second
ALTERNATIVE(in_bits_per_second, rvq_stages_for)

namespace counted_up {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  require(codes >= 2 && std::isfinite(bandwidth) && bandwidth > 0.0, "arguments");
  std::int64_t stages = 1;
  while (rvq_bitrate(sample_rate, hop, codes, stages + 1) <= bandwidth) ++stages;
  return stages;
}
}  // namespace counted_up
ALTERNATIVE(counted_up, rvq_stages_for)

// ---- 10.4 lfq_quantize -------------------------------------------------------------------------

namespace element_by_element {
Matrix lfq_quantize(const Matrix& z, double scale) {
  if (!(scale > 0.0)) throw std::invalid_argument("scale");
  Matrix codes(z.rows(), z.cols());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index i = 0; i < z.cols(); ++i) {
      if (!std::isfinite(z(n, i))) throw std::invalid_argument("not finite");
      codes(n, i) = static_cast<float>(z(n, i) > 0.0F ? scale : -scale);
    }
  }
  return codes;
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, lfq_quantize)

namespace from_bits {
Matrix lfq_quantize(const Matrix& z, double scale) {
  require(scale > 0.0, "scale");
  require(z.allFinite(), "not finite");
  const auto bits = (z.array() > 0.0F).cast<float>();
  return (static_cast<float>(scale) * (2.0F * bits - 1.0F)).matrix();
}
}  // namespace from_bits
ALTERNATIVE(from_bits, lfq_quantize)

namespace straight_copy {
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  require(shape_of(d_codes) == shape_of(z), "shapes");
  Matrix dz(z.rows(), z.cols());
  for (Index i = 0; i < dz.size(); ++i) dz.data()[i] = d_codes.data()[i];
  return dz;
}
}  // namespace straight_copy
ALTERNATIVE(straight_copy, lfq_quantize_backward)

namespace horner {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  if (codes.cols() < 1 || codes.cols() > 62) throw std::invalid_argument("dimensions");
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()), 0);
  for (Index i = codes.cols() - 1; i >= 0; --i) {
    for (Index n = 0; n < codes.rows(); ++n) {
      std::int64_t& index = indices[static_cast<std::size_t>(n)];
      index = 2 * index + (codes(n, i) > 0.0F ? 1 : 0);
    }
  }
  return indices;
}
}  // namespace horner
ALTERNATIVE(horner, bits_to_index)

namespace with_or {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  require(codes.cols() >= 1 && codes.cols() <= 62, "dimensions");
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t index = 0, place = 1;
    for (Index i = 0; i < codes.cols(); ++i, place *= 2) index |= codes(n, i) > 0.0F ? place : 0;
    indices.push_back(index);
  }
  return indices;
}
}  // namespace with_or
ALTERNATIVE(with_or, bits_to_index)

namespace by_division {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  require(dimensions >= 1 && dimensions <= 62 && scale > 0.0, "arguments");
  Matrix codes(static_cast<Index>(indices.size()), static_cast<Index>(dimensions));
  for (std::size_t n = 0; n < indices.size(); ++n) {
    std::int64_t left = indices[n];
    require(left >= 0, "negative index");
    for (Index i = 0; i < codes.cols(); ++i, left /= 2)
      codes(static_cast<Index>(n), i) = static_cast<float>(left % 2 == 1 ? scale : -scale);
    require(left == 0, "index too large");
  }
  return codes;
}
}  // namespace by_division
ALTERNATIVE(by_division, index_to_bits)

// ---- 10.5 entropy_terms ------------------------------------------------------------------------

namespace softmax_over_codes {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  if (z.rows() < 1 || z.cols() < 1 || z.cols() > 16) throw std::invalid_argument("shape");
  if (!(tau > 0.0) || !(gamma >= 0.0)) throw std::invalid_argument("tau, gamma");
  const Index codes = Index{1} << z.cols();
  std::vector<double> mean(static_cast<std::size_t>(codes), 0.0);
  EntropyTerms terms;
  for (Index n = 0; n < z.rows(); ++n) {
    std::vector<double> p(mean.size());
    double most = -1e300, sum = 0.0;
    for (std::size_t j = 0; j < p.size(); ++j) {
      for (Index i = 0; i < z.cols(); ++i)
        p[j] += 2.0 * tau * double(z(n, i)) * ((j >> i) % 2 == 1 ? 1.0 : -1.0);
      most = std::max(most, p[j]);
    }
    for (double& logit : p) sum += logit = std::exp(logit - most);
    for (std::size_t j = 0; j < p.size(); ++j) {
      p[j] /= sum;
      mean[j] += p[j] / double(z.rows());
      if (p[j] > 0.0) terms.per_sample -= p[j] * std::log(p[j]) / double(z.rows());
    }
  }
  for (const double p : mean) terms.codebook -= p > 0.0 ? p * std::log(p) : 0.0;
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace softmax_over_codes
ALTERNATIVE(softmax_over_codes, entropy_terms)

namespace rows_by_bits {
double plogp(double p) {
  return p > 0.0 ? -p * std::log(p) : 0.0;
}

EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  require(z.rows() > 0 && z.cols() > 0 && z.cols() <= 16 && tau > 0.0 && gamma >= 0.0, "arguments");
  const auto bit = [&](Index n, Index i, double sign) {
    return 1.0 / (1.0 + std::exp(-4.0 * tau * sign * double(z(n, i))));
  };
  EntropyTerms terms;
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index i = 0; i < z.cols(); ++i)
      terms.per_sample += (plogp(bit(n, i, 1.0)) + plogp(bit(n, i, -1.0))) / double(z.rows());
  }
  for (Index j = 0; j < (Index{1} << z.cols()); ++j) {
    double mean = 0.0;
    for (Index n = 0; n < z.rows(); ++n) {
      double p = 1.0;
      for (Index i = 0; i < z.cols(); ++i) p *= bit(n, i, (j >> i) % 2 == 1 ? 1.0 : -1.0);
      mean += p;
    }
    terms.codebook += plogp(mean / double(z.rows()));
  }
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace rows_by_bits
ALTERNATIVE(rows_by_bits, entropy_terms)

namespace jacobian_by_hand {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  entropy_terms(z, tau, gamma);  // refuses
  const Index codes = Index{1} << z.cols();
  Eigen::MatrixXd p = Eigen::MatrixXd::Ones(z.rows(), codes);
  const auto sign = [](Index j, Index i) { return (j >> i) % 2 == 1 ? 1.0 : -1.0; };
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index j = 0; j < codes; ++j) {
      for (Index i = 0; i < z.cols(); ++i)
        p(n, j) /= 1.0 + std::exp(-4.0 * tau * sign(j, i) * double(z(n, i)));
    }
  }
  const Eigen::RowVectorXd mean = p.colwise().mean();
  const auto log_of = [](double x) { return x > 0.0 ? std::log(x) : 0.0; };
  Matrix dz(z.rows(), z.cols());
  for (Index n = 0; n < z.rows(); ++n) {
    double average = 0.0;
    for (Index j = 0; j < codes; ++j)
      average += p(n, j) * (gamma * log_of(mean(j)) - log_of(p(n, j)));
    for (Index i = 0; i < z.cols(); ++i) {
      double sum = 0.0;
      for (Index j = 0; j < codes; ++j)
        sum += p(n, j) * (gamma * log_of(mean(j)) - log_of(p(n, j)) - average) * sign(j, i);
      dz(n, i) = static_cast<float>(2.0 * tau * sum / double(z.rows()));
    }
  }
  return dz;
}
}  // namespace jacobian_by_hand
ALTERNATIVE(jacobian_by_hand, entropy_backward)

// ---- 10.6 causal_conv_time ---------------------------------------------------------------------

namespace frame_by_frame {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  if (x.rows() < 1 || stride < 1) throw std::invalid_argument("clip");
  if (weight.h() < 1 || weight.w() != 1) throw std::invalid_argument("taps");
  if (weight.c() != x.cols() || weight.n() != bias.size()) throw std::invalid_argument("channels");
  Matrix y((x.rows() + stride - 1) / stride, weight.n());
  for (Index t = 0; t < y.rows(); ++t) {
    for (Index o = 0; o < y.cols(); ++o) {
      double sum = bias(o);
      for (Index back = 0; back < weight.h(); ++back) {
        const Index frame = std::max<Index>(t * stride - back, 0);
        for (Index i = 0; i < x.cols(); ++i)
          sum += double(weight(o, i, weight.h() - 1 - back, 0)) * double(x(frame, i));
      }
      y(t, o) = static_cast<float>(sum);
    }
  }
  return y;
}
}  // namespace frame_by_frame
ALTERNATIVE(frame_by_frame, causal_conv_time)

namespace all_then_every_sth {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  require(stride >= 1 && weight.h() >= 1 && weight.w() == 1, "arguments");
  require_size(weight.c(), x.cols(), "input channels");
  require_size(bias.size(), weight.n(), "output channels");
  const Matrix padded = causal_pad(x, weight.h() - 1);
  Matrix all = bias.replicate(x.rows(), 1);
  for (Index j = 0; j < weight.h(); ++j) {
    for (Index i = 0; i < x.cols(); ++i) {
      for (Index o = 0; o < weight.n(); ++o)
        all.col(o) += weight(o, i, j, 0) * padded.col(i).segment(j, x.rows());
    }
  }
  Matrix y((x.rows() - 1) / stride + 1, weight.n());
  for (Index t = 0; t < y.rows(); ++t) y.row(t) = all.row(stride * t);
  return y;
}
}  // namespace all_then_every_sth
ALTERNATIVE(all_then_every_sth, causal_conv_time)

namespace folded_back {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  const Matrix y = causal_conv_time(x, weight, RowVector::Zero(weight.n()), stride);
  require(shape_of(dy) == shape_of(y), "dy");
  const Index memory = weight.h() - 1;
  const Matrix padded = causal_pad(x, memory);
  Matrix d_padded = Matrix::Zero(padded.rows(), padded.cols());
  CausalConvGradients d{Matrix(), Tensor4(weight.n(), weight.c(), weight.h(), 1, 0.0F),
                        RowVector::Zero(weight.n())};
  for (Index t = 0; t < dy.rows(); ++t) {
    d.bias += dy.row(t);
    for (Index o = 0; o < weight.n(); ++o) {
      for (Index i = 0; i < weight.c(); ++i) {
        for (Index j = 0; j < weight.h(); ++j) {
          d.weight(o, i, j, 0) += dy(t, o) * padded(stride * t + j, i);
          d_padded(stride * t + j, i) += dy(t, o) * weight(o, i, j, 0);
        }
      }
    }
  }
  d.x = d_padded.bottomRows(x.rows());
  d.x.row(0) += d_padded.topRows(memory).colwise().sum();
  return d;
}
}  // namespace folded_back
ALTERNATIVE(folded_back, causal_conv_time_backward)

namespace counted_groups {
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  if (frames < 1 || factor < 1) throw std::invalid_argument("arguments");
  std::int64_t latent = 1, seen = 1;
  while (seen < frames) seen += factor, ++latent;
  if (seen != frames) throw std::invalid_argument("length");
  return latent;
}
}  // namespace counted_groups
ALTERNATIVE(counted_groups, latent_frames)

namespace rest_added {
std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  require(frames >= 1 && factor >= 1, "arguments");
  const std::int64_t rest = (frames - 1) % factor;
  return rest == 0 ? frames : frames + factor - rest;
}
}  // namespace rest_added
ALTERNATIVE(rest_added, padded_frames)

namespace row_of_first {
Matrix causal_pad(const Matrix& x, std::int64_t count) {
  require(count >= 0 && x.rows() > 0, "arguments");
  Matrix padded(x.rows() + count, x.cols());
  for (Index t = 0; t < padded.rows(); ++t) padded.row(t) = x.row(t < count ? 0 : t - count);
  return padded;
}
}  // namespace row_of_first
ALTERNATIVE(row_of_first, causal_pad)

// ---- 10.7 design_tokenizer ---------------------------------------------------------------------

namespace layer_by_layer {
std::int64_t kernel(std::int64_t side, std::int64_t a, std::int64_t b) {
  return (side * side * a + 1) * b;
}

std::int64_t residual(std::int64_t a, std::int64_t b) {
  const std::int64_t shortcut = a != b ? kernel(1, a, b) : 0;
  return 2 * (a + b) + kernel(3, a, b) + kernel(3, b, b) + shortcut;
}

ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  if (design.multipliers.empty() || design.base < 1 || design.channels < 1)
    throw std::invalid_argument("design");
  const bool discrete = design.kind == LatentKind::kDiscrete;
  if (discrete && design.codes < 1) throw std::invalid_argument("codes");
  std::vector<std::int64_t> widths;
  for (const std::int64_t m : design.multipliers) {
    if (m < 1) throw std::invalid_argument("multiplier");
    widths.push_back(design.base * m);
  }
  const std::int64_t deep = widths.back();
  const std::int64_t middle = 2 * residual(deep, deep) + 2 * deep + 4 * kernel(1, deep, deep);
  ParameterCount count{kernel(3, 3, widths[0]), kernel(3, design.channels, deep), 0};
  std::int64_t now = widths[0];
  for (std::size_t level = 0; level < widths.size(); ++level) {
    if (level > 0) count.encoder += kernel(3, now, now);
    count.encoder += residual(now, widths[level]) + residual(widths[level], widths[level]);
    now = widths[level];
  }
  count.encoder += middle + 2 * deep + kernel(3, deep, design.channels * (discrete ? 1 : 2));
  count.decoder += middle;
  for (std::size_t level = widths.size(); level-- > 0;) {
    count.decoder += residual(now, widths[level]) + 2 * residual(widths[level], widths[level]);
    now = widths[level];
    if (level > 0) count.decoder += kernel(3, now, now);
  }
  count.decoder += 2 * now + kernel(3, now, 3);
  if (discrete) count.codebook = design.codes * design.channels;
  return count;
}
}  // namespace layer_by_layer
ALTERNATIVE(layer_by_layer, autoencoder_parameters)

namespace every_block {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  autoencoder_parameters(design);  // refuses
  const std::size_t levels = design.multipliers.size();
  std::int64_t f = 1;
  for (std::size_t i = 1; i < levels; ++i) f *= 2;
  require(std::min({design.height, design.width, design.bytes_per_number}) >= 1, "sizes");
  require(design.height % f == 0 && design.width % f == 0, "multiples of f");
  std::int64_t h = design.height / f, w = design.width / f;
  std::int64_t now = design.base * design.multipliers.back();
  std::vector<std::int64_t> held{3 * now * h * w, 5 * now * h * w + 2 * h * w * h * w};
  for (std::size_t i = levels; i-- > 0; h *= 2, w *= 2) {
    const std::int64_t next = design.base * design.multipliers[i];
    held.push_back(3 * now * h * w);
    held.push_back(3 * next * h * w);
    now = next;
  }
  return *std::max_element(held.begin(), held.end()) * design.bytes_per_number;
}
}  // namespace every_block
ALTERNATIVE(every_block, decoder_peak_bytes)

namespace from_latent_size {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport r;
  r.decoder_peak_bytes = decoder_peak_bytes(design);
  r.parameters = autoencoder_parameters(design);
  const double f = std::pow(2.0, static_cast<double>(design.multipliers.size()) - 1.0);
  const auto h = static_cast<std::int64_t>(static_cast<double>(design.height) / f);
  const auto w = static_cast<std::int64_t>(static_cast<double>(design.width) / f);
  r.positions = h * w;
  r.latent_values = h * w * design.channels;
  r.bits = 8.0 * static_cast<double>(design.bytes_per_number * r.latent_values);
  if (design.kind == LatentKind::kDiscrete)
    r.bits =
        static_cast<double>(h * w) * std::log(static_cast<double>(design.codes)) / std::log(2.0);
  r.conv_cost = std::pow(f, -2.0);
  r.attention_cost = std::pow(f, -4.0);
  const std::int64_t all = r.parameters.encoder + r.parameters.decoder + r.parameters.codebook;
  r.verdicts.parameters = all > targets.parameters ? TargetVerdict::kMissed : TargetVerdict::kMet;
  r.verdicts.bytes = design.bytes_per_number * all + r.decoder_peak_bytes > targets.bytes
                         ? TargetVerdict::kMissed
                         : TargetVerdict::kMet;
  r.verdicts.psnr = TargetVerdict::kUnknown;
  for (const PublishedTokenizer& p : published_tokenizers()) {
    const bool is_neighbour = p.kind == design.kind && static_cast<double>(p.factor) == f;
    if (is_neighbour && p.psnr > r.verdicts.published_psnr) r.verdicts.published_psnr = p.psnr;
  }
  return r;
}
}  // namespace from_latent_size
ALTERNATIVE(from_latent_size, design_tokenizer)

// ---- 10.8 hinge_losses -------------------------------------------------------------------------

namespace logit_by_logit {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  if (real.size() == 0 || fake.size() == 0) throw std::invalid_argument("no logit");
  HingeLoss loss{0.0, 0.0F * real, 0.0F * fake};
  const double reals = double(real.size()), fakes = double(fake.size());
  for (Index i = 0; i < real.size(); ++i) {
    if (real.data()[i] >= 1.0F) continue;
    loss.value += (1.0 - double(real.data()[i])) / (2.0 * reals);
    loss.d_real.data()[i] = float(-0.5 / reals);
  }
  for (Index i = 0; i < fake.size(); ++i) {
    if (fake.data()[i] <= -1.0F) continue;
    loss.value += (1.0 + double(fake.data()[i])) / (2.0 * fakes);
    loss.d_fake.data()[i] = float(0.5 / fakes);
  }
  return loss;
}
}  // namespace logit_by_logit
ALTERNATIVE(logit_by_logit, hinge_d_loss)

namespace two_halves {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  require(real.size() > 0, "real");
  require(fake.size() > 0, "fake");
  HingeLoss loss;
  const auto half = [](const Matrix& x, float sign, Matrix& d) {
    const Matrix margin = (1.0F - sign * x.array()).matrix();
    d = (margin.array() > 0.0F).select(Matrix::Constant(x.rows(), x.cols(), -sign), 0.0F);
    d /= 2.0F * float(x.size());
    return margin.cwiseMax(0.0F).cast<double>().sum() / (2.0 * double(x.size()));
  };
  loss.value = half(real, 1.0F, loss.d_real) + half(fake, -1.0F, loss.d_fake);
  return loss;
}
}  // namespace two_halves
ALTERNATIVE(two_halves, hinge_d_loss)

namespace summed_then_divided {
GeneratorLoss g_loss(const Matrix& fake) {
  if (fake.size() < 1) throw std::invalid_argument("no logit");
  GeneratorLoss loss{0.0, Matrix(fake.rows(), fake.cols())};
  for (Index i = 0; i < fake.size(); ++i) {
    loss.value -= double(fake.data()[i]);
    loss.d_fake.data()[i] = -1.0F / float(fake.size());
  }
  loss.value /= double(fake.size());
  return loss;
}
}  // namespace summed_then_divided
ALTERNATIVE(summed_then_divided, g_loss)

namespace clamped_ratio {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  require(weight >= 0.0 && shape_of(d_nll) == shape_of(d_adversarial), "arguments");
  double nll = 0.0, adversarial = 0.0;
  for (Index i = 0; i < d_nll.size(); ++i) {
    nll += double(d_nll.data()[i]) * double(d_nll.data()[i]);
    adversarial += double(d_adversarial.data()[i]) * double(d_adversarial.data()[i]);
  }
  return std::clamp(std::sqrt(nll) / (std::sqrt(adversarial) + 1e-4), 0.0, 1e4) * weight;
}
}  // namespace clamped_ratio
ALTERNATIVE(clamped_ratio, adaptive_weight)

namespace from_threshold {
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  if (step >= threshold) return weight;
  return 0.0;
}
}  // namespace from_threshold
ALTERNATIVE(from_threshold, adopt_weight)

namespace image_by_image {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  require(x.size() > 0 && to_string(x.shape()) == to_string(x_hat.shape()), "shapes");
  require(perceptual.size() == x.n() && kl.size() == x.n(), "sizes");
  const auto elements = static_cast<double>(x.c() * x.h() * x.w());
  LdmLoss loss;
  for (Index n = 0; n < x.n(); ++n) {
    double l1 = 0.0;
    for (Index c = 0; c < x.c(); ++c) {
      for (Index h = 0; h < x.h(); ++h) {
        for (Index w = 0; w < x.w(); ++w)
          l1 += std::abs(double(x(n, c, h, w)) - double(x_hat(n, c, h, w)));
      }
    }
    loss.reconstruction +=
        (l1 + elements * weights.perceptual * perceptual(n)) * std::exp(-weights.log_var) +
        elements * weights.log_var;
  }
  loss.reconstruction /= double(x.n());
  loss.kl = weights.kl * kl.sum() / double(kl.size());
  loss.adversarial = adversarial.factor * adversarial.adaptive * adversarial.g_loss;
  loss.total = loss.adversarial + loss.kl + loss.reconstruction;
  return loss;
}
}  // namespace image_by_image
ALTERNATIVE(image_by_image, ldm_total_loss)

// ---- 10.9 streaming_conv -----------------------------------------------------------------------

namespace cache_and_chunk {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  if (chunk.rows() < 1 || weight.h() < 1) throw std::invalid_argument("arguments");
  const Index memory = weight.h() - 1;
  Matrix past = cache;
  if (cache.rows() == 0) past = chunk.topRows(1).replicate(memory, 1);
  if (past.rows() != memory || past.cols() != chunk.cols()) throw std::invalid_argument("cache");
  Matrix seen(memory + chunk.rows(), chunk.cols());
  seen.topRows(memory) = past;
  seen.bottomRows(chunk.rows()) = chunk;
  return {causal_conv_time(seen, weight, bias, 1).bottomRows(chunk.rows()),
          seen.bottomRows(memory)};
}
}  // namespace cache_and_chunk
ALTERNATIVE(cache_and_chunk, streaming_conv)

namespace output_by_output {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  causal_conv_time(chunk, weight, bias, 1);  // refuses
  const Index k = weight.h();
  require(cache.rows() == 0 || (cache.rows() == k - 1 && cache.cols() == chunk.cols()), "cache");
  const auto frame = [&](Index t) -> RowVector {
    if (t >= 0) return chunk.row(t);
    return cache.rows() > 0 ? RowVector(cache.row(k - 1 + t)) : RowVector(chunk.row(0));
  };
  StreamStep step{Matrix(chunk.rows(), bias.size()), Matrix(k - 1, chunk.cols())};
  for (Index t = 0; t < chunk.rows(); ++t) {
    for (Index o = 0; o < bias.size(); ++o) {
      double sum = double(bias(o));
      for (Index j = 0; j < k; ++j) {
        const RowVector x = frame(t - (k - 1) + j);
        for (Index i = 0; i < x.size(); ++i) sum += double(weight(o, i, j, 0)) * double(x(i));
      }
      step.y(t, o) = float(sum);
    }
  }
  for (Index j = 0; j < k - 1; ++j) step.cache.row(j) = frame(chunk.rows() - (k - 1) + j);
  return step;
}
}  // namespace output_by_output
ALTERNATIVE(output_by_output, streaming_conv)

namespace one_frame_at_a_time {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  require(weight.h() >= 1, "taps");
  const Index k = weight.h();
  const bool is_start = cache.rows() == 0;
  require(is_start || (cache.rows() == k - 1 && cache.cols() == chunk.cols()), "cache");
  Matrix window = causal_pad(chunk.topRows(std::min<Index>(1, chunk.rows())), k - 1);
  if (!is_start) window.topRows(k - 1) = cache;
  StreamStep step{Matrix(chunk.rows(), weight.n()), Matrix()};
  for (Index t = 0; t < chunk.rows(); ++t) {
    if (t > 0) {
      const Matrix newer = window.bottomRows(k - 1);
      window.topRows(k - 1) = newer;
      window.row(k - 1) = chunk.row(t);
    }
    step.y.row(t) = causal_conv_time(window, weight, bias, 1).row(k - 1);
  }
  step.cache = window.bottomRows(k - 1);
  return step;
}
}  // namespace one_frame_at_a_time
ALTERNATIVE(one_frame_at_a_time, streaming_conv)

}  // namespace latent

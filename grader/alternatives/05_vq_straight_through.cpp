// Right answers to lab 05 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "vq_straight_through.hpp"

namespace latent {

// ---- 5.1 pairwise_sqdist -----------------------------------------------------------------------

namespace three_loops {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  if (z.cols() != codebook.cols()) throw std::invalid_argument("columns");
  Matrix distances = Matrix::Zero(z.rows(), codebook.rows());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index k = 0; k < codebook.rows(); ++k) {
      for (Index d = 0; d < z.cols(); ++d) {
        const float difference = z(n, d) - codebook(k, d);
        distances(n, k) += difference * difference;
      }
    }
  }
  return distances;
}
}  // namespace three_loops
ALTERNATIVE(three_loops, pairwise_sqdist)

namespace expanded_in_double {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require_size(z.cols(), codebook.cols(), "columns of z");
  using Wide = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Wide x = z.cast<double>(), e = codebook.cast<double>();
  Wide distances = -2.0 * x * e.transpose();
  distances.colwise() += x.rowwise().squaredNorm();
  distances.rowwise() += e.rowwise().squaredNorm().transpose();
  return distances.cwiseMax(0.0).cast<float>();
}
}  // namespace expanded_in_double
ALTERNATIVE(expanded_in_double, pairwise_sqdist)

namespace code_by_code {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require(z.cols() == codebook.cols(), shape_of(z) + " does not fit " + shape_of(codebook));
  Matrix distances(z.rows(), codebook.rows());
  for (Index k = 0; k < codebook.rows(); ++k) {
    distances.col(k) = (z.rowwise() - codebook.row(k)).array().square().rowwise().sum();
  }
  return distances;
}
}  // namespace code_by_code
ALTERNATIVE(code_by_code, pairwise_sqdist)

// ---- 5.2 nearest_code --------------------------------------------------------------------------

namespace smallest_coefficient {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  if (codebook.rows() < 1) throw std::invalid_argument("no code");
  if (!z.allFinite() || !codebook.allFinite()) throw std::invalid_argument("not finite");
  const Matrix distances = pairwise_sqdist(z, codebook);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(z.rows()));
  for (std::size_t n = 0; n < indices.size(); ++n) {
    const RowVector row = distances.row(static_cast<Index>(n));
    indices[n] = std::min_element(row.data(), row.data() + row.size()) - row.data();
  }
  return indices;
}
}  // namespace smallest_coefficient
ALTERNATIVE(smallest_coefficient, nearest_code)

namespace on_its_own {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require_size(codebook.cols(), z.cols(), "columns of codebook");
  require(codebook.rows() != 0, "the codebook is empty");
  for (Index i = 0; i < z.size(); ++i) require(std::isfinite(z.data()[i]), "z");
  for (Index i = 0; i < codebook.size(); ++i) require(std::isfinite(codebook.data()[i]), "code");
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < z.rows(); ++n) {
    std::int64_t best = -1;
    double least = std::numeric_limits<double>::infinity();
    for (Index k = 0; k < codebook.rows(); ++k) {
      const double d = (z.row(n) - codebook.row(k)).cast<double>().squaredNorm();
      if (best < 0 || d < least) best = k;
      least = std::min(least, d);
    }
    indices.push_back(best);
  }
  return indices;
}
}  // namespace on_its_own
ALTERNATIVE(on_its_own, nearest_code)

namespace backwards {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(codebook.rows() > 0 && z.allFinite() && codebook.allFinite(), "arguments");
  const Matrix distances = pairwise_sqdist(z, codebook);
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < z.rows(); ++n) {
    Index best = codebook.rows() - 1;
    for (Index k = best; k >= 0; --k) {
      if (distances(n, k) <= distances(n, best)) best = k;
    }
    indices.push_back(best);
  }
  return indices;
}
}  // namespace backwards
ALTERNATIVE(backwards, nearest_code)

namespace scores_in_float {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(codebook.rows() > 0 && z.allFinite() && codebook.allFinite(), "arguments");
  require_size(codebook.cols(), z.cols(), "columns of codebook");
  Matrix scores = -2.0F * z * codebook.transpose();
  scores.rowwise() += codebook.rowwise().squaredNorm().transpose();
  std::vector<std::int64_t> indices(static_cast<std::size_t>(z.rows()), 0);
  for (Index n = 0; n < z.rows(); ++n) {
    auto& best = indices[static_cast<std::size_t>(n)];
    for (Index k = 0; k < scores.cols(); ++k) best = scores(n, k) < scores(n, best) ? k : best;
  }
  return indices;
}
}  // namespace scores_in_float
ALTERNATIVE(scores_in_float, nearest_code)

// ---- 5.3 rows_from_nchw ------------------------------------------------------------------------

namespace counted_row {
Matrix rows_from_nchw(const Tensor4& z) {
  Matrix rows(z.n() * z.h() * z.w(), z.c());
  Index row = 0;
  for (Index n = 0; n < z.n(); ++n) {
    for (Index h = 0; h < z.h(); ++h) {
      for (Index w = 0; w < z.w(); ++w, ++row) {
        for (Index c = 0; c < z.c(); ++c) rows(row, c) = z(n, c, h, w);
      }
    }
  }
  return rows;
}
}  // namespace counted_row
ALTERNATIVE(counted_row, rows_from_nchw)

namespace transposed_maps {
Matrix rows_from_nchw(const Tensor4& z) {
  const Index positions = z.h() * z.w();
  Matrix rows(z.n() * positions, z.c());
  for (Index n = 0; n < z.n() && z.size() > 0; ++n) {
    const Eigen::Map<const Matrix> sample(z.data() + n * z.c() * positions, z.c(), positions);
    rows.middleRows(n * positions, positions) = sample.transpose();
  }
  return rows;
}
}  // namespace transposed_maps
ALTERNATIVE(transposed_maps, rows_from_nchw)

namespace by_division {
Matrix rows_from_nchw(const Tensor4& z) {
  Matrix rows(z.n() * z.h() * z.w(), z.c());
  for (Index row = 0; row < rows.rows(); ++row) {
    const Index w = row % z.w(), h = row / z.w() % z.h(), n = row / (z.w() * z.h());
    for (Index c = 0; c < z.c(); ++c) rows(row, c) = z(n, c, h, w);
  }
  return rows;
}
}  // namespace by_division
ALTERNATIVE(by_division, rows_from_nchw)

namespace transposed_maps_back {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  if (shape.size() != 4) throw std::invalid_argument("four sizes");
  for (const std::int64_t size : shape) require(size >= 0, "negative size");
  const Index positions = shape[2] * shape[3];
  require(rows.rows() == shape[0] * positions && rows.cols() == shape[1], "rows do not fit");
  Tensor4 z(shape[0], shape[1], shape[2], shape[3]);
  for (Index n = 0; n < z.n() && z.size() > 0; ++n) {
    Eigen::Map<Matrix>(z.data() + n * z.c() * positions, z.c(), positions) =
        rows.middleRows(n * positions, positions).transpose();
  }
  return z;
}
}  // namespace transposed_maps_back
ALTERNATIVE(transposed_maps_back, nchw_from_rows)

namespace counted_row_back {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  require(shape.size() == 4, "shape: expected [N, C, H, W], got " + to_string(shape));
  Tensor4 z(shape.at(0), shape.at(1), shape.at(2), shape.at(3));
  require(shape_of(rows) == to_string({z.n() * z.h() * z.w(), z.c()}), "rows: " + shape_of(rows));
  Index row = 0;
  for (Index n = 0; n < z.n(); ++n) {
    for (Index h = 0; h < z.h(); ++h) {
      for (Index w = 0; w < z.w(); ++w, ++row) {
        for (Index c = 0; c < z.c(); ++c) z(n, c, h, w) = rows(row, c);
      }
    }
  }
  return z;
}
}  // namespace counted_row_back
ALTERNATIVE(counted_row_back, nchw_from_rows)

// ---- 5.4 vq_straight_through -------------------------------------------------------------------

namespace element_by_element {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  VqOutput output;
  output.indices = nearest_code(z_e, codebook);
  output.z_q.resize(z_e.rows(), z_e.cols());
  for (Index n = 0; n < z_e.rows(); ++n) {
    for (Index d = 0; d < z_e.cols(); ++d) {
      output.z_q(n, d) = codebook(output.indices[static_cast<std::size_t>(n)], d);
    }
  }
  return output;
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, vq_straight_through)

namespace one_hot_product {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const std::vector<std::int64_t> indices = nearest_code(z_e, codebook);
  Matrix one_hot = Matrix::Zero(z_e.rows(), codebook.rows());
  for (Index n = 0; n < z_e.rows(); ++n) one_hot(n, indices[static_cast<std::size_t>(n)]) = 1.0F;
  return {one_hot * codebook, indices};
}
}  // namespace one_hot_product
ALTERNATIVE(one_hot_product, vq_straight_through)

namespace indexed_rows {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const std::vector<std::int64_t> indices = nearest_code(z_e, codebook);
  return {codebook(indices, Eigen::all), indices};
}
}  // namespace indexed_rows
ALTERNATIVE(indexed_rows, vq_straight_through)

namespace zeros_by_product {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  const bool fits = dz_q.rows() == z_e.rows() && dz_q.cols() == z_e.cols();
  if (!fits || codebook.cols() != z_e.cols()) throw std::invalid_argument("shapes");
  VqInputGradients gradients{dz_q, codebook};
  gradients.codebook.setZero();
  return gradients;
}
}  // namespace zeros_by_product
ALTERNATIVE(zeros_by_product, vq_straight_through_backward)

namespace copied_by_loop {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  require(shape_of(dz_q) == shape_of(z_e), "dz_q " + shape_of(dz_q) + ", z_e " + shape_of(z_e));
  require(z_e.cols() == codebook.cols(), "codebook " + shape_of(codebook));
  VqInputGradients gradients;
  gradients.z_e.resize(z_e.rows(), z_e.cols());
  for (Index i = 0; i < dz_q.size(); ++i) gradients.z_e.data()[i] = dz_q.data()[i];
  gradients.codebook.setZero(codebook.rows(), codebook.cols());
  return gradients;
}
}  // namespace copied_by_loop
ALTERNATIVE(copied_by_loop, vq_straight_through_backward)

// ---- 5.5 vq_losses -----------------------------------------------------------------------------

/// Refuses what vq_losses and vq_gradients refuse. The first alternative of an exercise is compiled
/// by itself and brings its own.
void check(const Matrix& z_e, const Matrix& codebook, const std::vector<std::int64_t>& indices,
           double beta) {
  if (z_e.size() == 0 || codebook.cols() != z_e.cols()) throw std::invalid_argument("shapes");
  if (indices.size() != static_cast<std::size_t>(z_e.rows())) throw std::invalid_argument("count");
  if (beta < 0.0) throw std::invalid_argument("beta");
  for (const std::int64_t k : indices) {
    if (k < 0 || k >= codebook.rows()) throw std::invalid_argument("index");
  }
}

namespace looked_up_first {
void check(const Matrix& z_e, const Matrix& codebook, const std::vector<std::int64_t>& indices,
           double beta) {
  if (z_e.size() == 0 || codebook.cols() != z_e.cols()) throw std::invalid_argument("shapes");
  if (indices.size() != static_cast<std::size_t>(z_e.rows())) throw std::invalid_argument("count");
  if (beta < 0.0) throw std::invalid_argument("beta");
  for (const std::int64_t k : indices) {
    if (k < 0 || k >= codebook.rows()) throw std::invalid_argument("index");
  }
}

VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  const Matrix codes = codebook(indices, Eigen::all);
  VqLosses losses;
  losses.reconstruction = reconstruction;
  losses.codebook = (z_e.cast<double>() - codes.cast<double>()).array().square().mean();
  losses.commitment = beta * losses.codebook;
  losses.total = losses.reconstruction + losses.codebook + losses.commitment;
  return losses;
}
}  // namespace looked_up_first
ALTERNATIVE(looked_up_first, vq_losses)

namespace two_loops {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  double mean = 0.0;
  for (Index n = 0; n < z_e.rows(); ++n) {
    for (Index d = 0; d < z_e.cols(); ++d) {
      const double difference = z_e(n, d) - codebook(indices[static_cast<std::size_t>(n)], d);
      mean += difference * difference / static_cast<double>(z_e.rows() * z_e.cols());
    }
  }
  return {reconstruction, mean, mean * beta, reconstruction + (1.0 + beta) * mean};
}
}  // namespace two_loops
ALTERNATIVE(two_loops, vq_losses)

namespace terms_apart {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  double towards_rows = 0.0, towards_codes = 0.0;
  Index n = 0;
  for (const std::int64_t k : indices) {
    towards_rows += (codebook.row(k) - z_e.row(n)).cast<double>().squaredNorm();
    towards_codes += (z_e.row(n) - codebook.row(k)).cast<double>().squaredNorm();
    ++n;
  }
  const double elements = static_cast<double>(n) * static_cast<double>(z_e.cols());
  VqLosses losses{reconstruction, towards_rows / elements, beta * towards_codes / elements, 0.0};
  losses.total = losses.reconstruction + losses.codebook + losses.commitment;
  return losses;
}
}  // namespace terms_apart
ALTERNATIVE(terms_apart, vq_losses)

// ---- 5.6 vq_gradients --------------------------------------------------------------------------

namespace by_one_hot {
void check(const Matrix& z_e, const Matrix& codebook, const std::vector<std::int64_t>& indices,
           double beta) {
  if (z_e.size() == 0 || codebook.cols() != z_e.cols()) throw std::invalid_argument("shapes");
  if (indices.size() != static_cast<std::size_t>(z_e.rows())) throw std::invalid_argument("count");
  if (beta < 0.0) throw std::invalid_argument("beta");
  for (const std::int64_t k : indices) {
    if (k < 0 || k >= codebook.rows()) throw std::invalid_argument("index");
  }
}

VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  require(shape_of(dz_q) == shape_of(z_e), "dz_q");
  Matrix one_hot = Matrix::Zero(z_e.rows(), codebook.rows());
  for (Index n = 0; n < z_e.rows(); ++n) one_hot(n, indices[static_cast<std::size_t>(n)]) = 1.0F;
  const Matrix residual = z_e - one_hot * codebook;
  const float scale = 2.0F / static_cast<float>(z_e.size());
  const Matrix no_rows = Matrix::Zero(z_e.rows(), z_e.cols()),
               no_codes = Matrix::Zero(codebook.rows(), codebook.cols());
  return {{dz_q, no_codes},
          {no_rows, -scale * one_hot.transpose() * residual},
          {scale * static_cast<float>(beta) * residual, no_codes}};
}
}  // namespace by_one_hot
ALTERNATIVE(by_one_hot, vq_gradients)

namespace sums_and_counts {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  if (dz_q.rows() != z_e.rows() || dz_q.cols() != z_e.cols()) throw std::invalid_argument("dz_q");
  const double scale = 2.0 / static_cast<double>(z_e.size());
  VqGradients g;
  g.reconstruction = {dz_q, Matrix::Zero(codebook.rows(), codebook.cols())};
  g.codebook = g.commitment = {Matrix::Zero(z_e.rows(), z_e.cols()), g.reconstruction.codebook};
  for (Index k = 0; k < codebook.rows(); ++k) {
    for (Index n = 0; n < z_e.rows(); ++n) {
      if (indices[static_cast<std::size_t>(n)] != k) continue;
      const Eigen::RowVectorXd pull = scale * (codebook.row(k) - z_e.row(n)).cast<double>();
      g.codebook.codebook.row(k) += pull.cast<float>();
      g.commitment.z_e.row(n) = (-beta * pull).cast<float>();
    }
  }
  return g;
}
}  // namespace sums_and_counts
ALTERNATIVE(sums_and_counts, vq_gradients)

namespace element_loops {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  VqGradients g;
  g.reconstruction = vq_straight_through_backward(dz_q, z_e, codebook);
  g.codebook = g.commitment = vq_straight_through_backward(0.0F * z_e, z_e, codebook);
  for (Index n = 0; n < z_e.rows(); ++n) {
    const std::int64_t k = indices[static_cast<std::size_t>(n)];
    for (Index d = 0; d < z_e.cols(); ++d) {
      const double pull = 2.0 * (z_e(n, d) - codebook(k, d)) / static_cast<double>(z_e.size());
      g.codebook.codebook(k, d) -= static_cast<float>(pull);
      g.commitment.z_e(n, d) = static_cast<float>(beta * pull);
    }
  }
  return g;
}
}  // namespace element_loops
ALTERNATIVE(element_loops, vq_gradients)

// ---- 5.7 naive_loss_equivalence ----------------------------------------------------------------

namespace from_scratch {
void check(const Matrix& z_e, const Matrix& codebook, const std::vector<std::int64_t>& indices,
           double beta) {
  if (z_e.size() == 0 || codebook.cols() != z_e.cols()) throw std::invalid_argument("shapes");
  if (indices.size() != static_cast<std::size_t>(z_e.rows())) throw std::invalid_argument("count");
  if (beta < 0.0) throw std::invalid_argument("beta");
  for (const std::int64_t k : indices) {
    if (k < 0 || k >= codebook.rows()) throw std::invalid_argument("index");
  }
}

NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  check(z_e, codebook, indices, beta);
  const Matrix residual = z_e - codebook(indices, Eigen::all);
  const float scale = 2.0F / static_cast<float>(z_e.size());
  NaiveLossEquivalence both;
  both.naive.value = residual.cast<double>().squaredNorm() / static_cast<double>(z_e.size());
  both.naive.z_e = scale * residual;
  both.naive.codebook = Matrix::Zero(codebook.rows(), codebook.cols());
  for (Index n = 0; n < z_e.rows(); ++n)
    both.naive.codebook.row(indices[static_cast<std::size_t>(n)]) -= scale * residual.row(n);
  both.stopped = {(1.0 + beta) * both.naive.value, static_cast<float>(beta) * both.naive.z_e,
                  both.naive.codebook};
  return both;
}
}  // namespace from_scratch
ALTERNATIVE(from_scratch, naive_loss_equivalence)

namespace terms_added_up {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  const auto stopped = [&](double weight) -> VqObjective {
    const VqGradients g = vq_gradients(0.0F * z_e, z_e, codebook, indices, weight);
    return {vq_losses(0.0, z_e, codebook, indices, weight).total,
            g.reconstruction.z_e + g.codebook.z_e + g.commitment.z_e,
            g.reconstruction.codebook + g.codebook.codebook + g.commitment.codebook};
  };
  NaiveLossEquivalence both{stopped(1.0), stopped(beta)};
  both.naive.value /= 2.0;
  return both;
}
}  // namespace terms_added_up
ALTERNATIVE(terms_added_up, naive_loss_equivalence)

namespace losses_by_name {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses losses = vq_losses(0.0, z_e, codebook, indices, beta);
  const VqGradients one = vq_gradients(z_e, z_e, codebook, indices, 1.0);
  NaiveLossEquivalence both;
  both.naive = {losses.codebook, one.commitment.z_e, one.codebook.codebook};
  both.stopped = both.naive;
  both.stopped.value = losses.codebook + losses.commitment;
  both.stopped.z_e *= static_cast<float>(beta);
  return both;
}
}  // namespace losses_by_name
ALTERNATIVE(losses_by_name, naive_loss_equivalence)

}  // namespace latent

#include <cmath>

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

using Table = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void require_latents(const Matrix& z, double tau, double gamma) {
  require(z.rows() >= 1, "entropy_terms: expected at least one row, got " + shape_of(z));
  require(z.cols() >= 1 && z.cols() <= 16,
          "entropy_terms: expected from 1 to 16 columns, got " + shape_of(z));
  require(tau > 0.0, "entropy_terms: expected tau > 0, got " + std::to_string(tau));
  require(gamma >= 0.0, "entropy_terms: expected gamma >= 0, got " + std::to_string(gamma));
}

/// Whether bit i of code j is 1.
bool is_set(Index j, Index i) {
  return (j >> i) % 2 == 1;
}

/// Probability that each bit is 1, shape [N, d].
Table bit_probabilities(const Matrix& z, double tau) {
  return 1.0 / (1.0 + (-4.0 * tau * z.cast<double>().array()).exp());
}

/// Probability of every code, shape [N, 2^d]: the product of those of its bits.
Table code_probabilities(const Matrix& z, double tau) {
  const Table q = bit_probabilities(z, tau), not_q = bit_probabilities(-z, tau);
  Table p = Table::Ones(z.rows(), Index{1} << z.cols());
  for (Index j = 0; j < p.cols(); ++j) {
    for (Index i = 0; i < z.cols(); ++i) p.col(j) *= is_set(j, i) ? q.col(i) : not_q.col(i);
  }
  return p;
}

/// ln p, and 0 where p is 0, so that p ln p is 0 there.
Table safe_log(const Table& p) {
  return (p > 0.0).select(p, 1.0).log();
}

}  // namespace

EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  require_latents(z, tau, gamma);
  const Table p = code_probabilities(z, tau);
  const Table mean = p.colwise().mean();
  const double per_sample = -(p * safe_log(p)).rowwise().sum().mean();
  const double codebook = -(mean * safe_log(mean)).sum();
  return {per_sample, codebook, per_sample - gamma * codebook};
}

Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  require_latents(z, tau, gamma);
  const Table q = bit_probabilities(z, tau), p = code_probabilities(z, tau);
  const Table log_mean = safe_log(p.colwise().mean());
  Table d_codebook = Table::Zero(z.rows(), z.cols());
  for (Index j = 0; j < p.cols(); ++j) {
    for (Index i = 0; i < z.cols(); ++i) {
      const double bit = is_set(j, i) ? 1.0 : -1.0;
      d_codebook.col(i) -= 2.0 * tau * p.col(j) * (bit - (2.0 * q.col(i) - 1.0)) * log_mean(0, j);
    }
  }
  const Table d_per_sample = -16.0 * tau * tau * z.cast<double>().array() * q * (1.0 - q);
  const auto rows = static_cast<double>(z.rows());
  return ((d_per_sample - gamma * d_codebook) / rows).matrix().cast<float>();
}

}  // namespace latent

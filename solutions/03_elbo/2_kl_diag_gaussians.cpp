#include <cmath>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {
namespace {

using Array = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void require_shapes(const Matrix& first, std::initializer_list<const Matrix*> others) {
  for (const Matrix* other : others) {
    require_size(other->rows(), first.rows(), "kl_diag_gaussians: rows");
    require_size(other->cols(), first.cols(), "kl_diag_gaussians: columns");
  }
  require(first.size() > 0,
          "kl_diag_gaussians: expected at least one element, got " + shape_of(first));
}

}  // namespace

KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  require_shapes(mu1, {&log_var1, &mu2, &log_var2});
  DoubleVector per_sample = DoubleVector::Zero(mu1.rows());
  for (Index n = 0; n < mu1.rows(); ++n) {
    for (Index d = 0; d < mu1.cols(); ++d) {
      const double l1 = log_var1(n, d), l2 = log_var2(n, d), apart = double(mu1(n, d)) - mu2(n, d);
      per_sample(n) += 0.5 * (l2 - l1 + std::expm1(l1 - l2) + apart * apart * std::exp(-l2));
    }
  }
  const auto samples = static_cast<float>(mu1.rows());
  const Array apart = mu1 - mu2, pull = apart * (-log_var2.array()).exp() / samples;
  const Array widths = ((log_var1 - log_var2).array().exp() - 1.0F) / (2.0F * samples);
  return {per_sample, per_sample.mean(), pull, widths, -pull, -widths - 0.5F * apart * pull};
}

}  // namespace latent

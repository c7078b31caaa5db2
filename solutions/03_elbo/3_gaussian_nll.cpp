#include <cmath>
#include <numbers>

#include "common/require.hpp"
#include "elbo.hpp"

namespace latent {

GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  for (const Matrix* other : {&mean, &log_var}) {
    require_size(other->rows(), x.rows(), "gaussian_nll: rows of mean, log_var");
    require_size(other->cols(), x.cols(), "gaussian_nll: columns of mean, log_var");
  }
  require(x.size() > 0, "gaussian_nll: expected at least one element, got " + shape_of(x));
  const double constant = std::log(2.0 * std::numbers::pi);
  GaussianNll nll{DoubleVector::Zero(x.rows()), 0.0, mean, log_var};
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index d = 0; d < x.cols(); ++d) {
      const double away = double(mean(n, d)) - x(n, d),
                   pull = away * std::exp(-double(log_var(n, d)));
      nll.per_sample(n) += 0.5 * (constant + log_var(n, d) + away * pull);
      nll.mean(n, d) = static_cast<float>(pull / double(x.rows()));
      nll.log_var(n, d) = static_cast<float>((1.0 - away * pull) / (2.0 * double(x.rows())));
    }
  }
  nll.value = nll.per_sample.mean();
  return nll;
}

}  // namespace latent

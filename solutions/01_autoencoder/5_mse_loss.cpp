#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require(x_hat.rows() == x.rows() && x_hat.cols() == x.cols(),
          "mse_loss: expected x_hat of shape " + shape_of(x) + ", got " + shape_of(x_hat));
  require(x.size() > 0, "mse_loss: expected at least one element, got shape " + shape_of(x));
  double count = 1.0;
  if (reduction == Reduction::kBatchMean) count = static_cast<double>(x.rows());
  if (reduction == Reduction::kMean) count = static_cast<double>(x.size());
  const Matrix error = x_hat - x;
  return {error.cast<double>().squaredNorm() / count, error * static_cast<float>(2.0 / count)};
}

}  // namespace latent

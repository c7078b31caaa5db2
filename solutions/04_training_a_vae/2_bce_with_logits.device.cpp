// 2_bce_with_logits.cpp on a GPU: what the contract says, around 2_bce_with_logits.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "training_a_vae.hpp"

namespace latent {

Loss bce_with_logits(const Matrix& logits, const Matrix& x) {
  require_size(x.rows(), logits.rows(), "bce_with_logits: rows of x");
  require_size(x.cols(), logits.cols(), "bce_with_logits: columns of x");
  require(x.size() > 0, "bce_with_logits: expected at least one element, got " + shape_of(x));
  require(x.minCoeff<Eigen::PropagateNaN>() >= 0.0F && x.maxCoeff<Eigen::PropagateNaN>() <= 1.0F,
          "bce_with_logits: expected every x from 0 to 1");
  const device::Buffer<float> l(logits.data(), x.size()), pixels(x.data(), x.size());
  device::Buffer<double> value(1);
  device::Buffer<float> gradient(x.size());
  device::bce_with_logits(l.data(), pixels.data(), value.data(), gradient.data(), x.rows(),
                          x.cols());
  Loss loss{0.0, Matrix(x.rows(), x.cols())};
  value.copy_to(&loss.value);
  gradient.copy_to(loss.gradient.data());
  return loss;
}

}  // namespace latent

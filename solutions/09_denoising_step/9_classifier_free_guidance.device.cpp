// 9_classifier_free_guidance.cpp on a GPU: what the contract says, around the kernels of
// 9_classifier_free_guidance.cu and 8_euler_step.cu. A schedule stays on the host.

#include "on_device.hpp"

namespace latent {

Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  require_size(conditional.rows(), unconditional.rows(), "guidance: rows of conditional");
  require_size(conditional.cols(), unconditional.cols(), "guidance: columns of conditional");
  const Index size = unconditional.size();
  const device::Buffer<float> u(unconditional.data(), size), c(conditional.data(), size);
  device::Buffer<float> guided(size);
  device::walk(u.data(), scale, c.data(), u.data(), guided.data(), size);
  Matrix result(unconditional.rows(), unconditional.cols());
  guided.copy_to(result.data());
  return result;
}

Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  require(x0.cols() > 0, "dynamic_threshold: expected at least one column, got none");
  require(ratio >= 0.0 && ratio <= 1.0,
          "dynamic_threshold: expected a ratio from 0 to 1, got " + std::to_string(ratio));
  device::Buffer<float> x(x0.data(), x0.size());
  device::dynamic_threshold(x.data(), ratio, x.data(), x0.rows(), x0.cols());
  Matrix result(x0.rows(), x0.cols());
  x.copy_to(result.data());
  return result;
}

DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  const Index steps = alphas_cumprod.size();
  require(steps >= 2, "rescale: expected at least two, got " + std::to_string(steps));
  for (const double a : alphas_cumprod)
    require(a >= 0.0 && a <= 1.0, "rescale: expected an a from 0 to 1, got " + std::to_string(a));
  const double first = std::sqrt(alphas_cumprod(0)), last = std::sqrt(alphas_cumprod(steps - 1));
  require(first > last, "rescale: expected the first a above the last, got " +
                            std::to_string(alphas_cumprod(0)) + " and " +
                            std::to_string(alphas_cumprod(steps - 1)));
  const double stretch = first / (first - last);
  return ((alphas_cumprod.array().sqrt() - last) * stretch).square();
}

}  // namespace latent

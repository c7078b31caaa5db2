// 2_convert_prediction.cpp on a GPU: what the contract says, around the kernel of
// 2_convert_prediction.cu.

#include "on_device.hpp"

namespace latent {
namespace {

Denoised converted(const device::Conversion& conversion, const Matrix& x, const Matrix& output) {
  const device::Buffer<float> noisy(x.data(), x.size()), predicted(output.data(), output.size());
  device::Buffer<float> x0(x.size()), eps(x.size());
  device::convert_prediction(conversion, noisy.data(), predicted.data(), x0.data(), eps.data(),
                             x.size());
  Denoised denoised{Matrix(x.rows(), x.cols()), Matrix(x.rows(), x.cols())};
  x0.copy_to(denoised.x0.data());
  eps.copy_to(denoised.eps.data());
  return denoised;
}

}  // namespace

Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  return converted(conversion_of(type, x_t, output, a_t), x_t, output);
}

Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  require_size(output.rows(), x_s.rows(), "rows of output");
  require_size(output.cols(), x_s.cols(), "columns of output");
  require(s >= 0.0 && s <= 1.0,
          "convert_flow: expected a share from 0 to 1, got " + std::to_string(s));
  return converted({1.0, -s, 1.0, 1.0 - s}, x_s, output);
}

}  // namespace latent

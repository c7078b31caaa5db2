#include <cmath>

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {
namespace {

void require_same_shape(const Matrix& output, const Matrix& x_t) {
  require_size(output.rows(), x_t.rows(), "rows of output");
  require_size(output.cols(), x_t.cols(), "columns of output");
}

}  // namespace

Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  require_same_shape(output, x_t);
  require(a_t >= 0.0 && a_t <= 1.0,
          "convert_prediction: expected a from 0 to 1, got " + std::to_string(a_t));
  const auto signal = static_cast<float>(std::sqrt(a_t));
  const auto noise = static_cast<float>(std::sqrt(1.0 - a_t));
  if (type == PredictionType::kEpsilon) {
    require(a_t > 0.0, "convert_prediction: expected a above 0 for epsilon, got 0: no signal");
    return {(x_t - noise * output) / signal, output};
  }
  if (type == PredictionType::kSample) {
    require(a_t < 1.0, "convert_prediction: expected a below 1 for sample, got 1: no noise");
    return {output, (x_t - signal * output) / noise};
  }
  return {signal * x_t - noise * output, signal * output + noise * x_t};
}

Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  require_same_shape(output, x_s);
  require(s >= 0.0 && s <= 1.0,
          "convert_flow: expected a share from 0 to 1, got " + std::to_string(s));
  return {x_s - static_cast<float>(s) * output, x_s + static_cast<float>(1.0 - s) * output};
}

}  // namespace latent

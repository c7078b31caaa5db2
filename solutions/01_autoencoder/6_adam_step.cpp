#include <cmath>
#include <utility>

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

void require_shape(const Matrix& found, const Matrix& parameter, const std::string& what) {
  require(found.rows() == parameter.rows() && found.cols() == parameter.cols(),
          "adam_step: expected " + what + " of shape " + shape_of(parameter) + ", got " +
              shape_of(found));
}

// `fresh` is any expression, so that g^2 need not become a matrix first.
template <typename Expression>
Matrix mix(const Matrix& old, const Eigen::MatrixBase<Expression>& fresh, double beta) {
  return static_cast<float>(beta) * old + static_cast<float>(1.0 - beta) * fresh;
}

}  // namespace

AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  require_shape(gradient, state.parameter, "a gradient");
  require_shape(state.first_moment, state.parameter, "a first moment");
  require_shape(state.second_moment, state.parameter, "a second moment");
  require(step >= 1, "adam_step: expected a step of at least 1, got " + std::to_string(step));

  const auto t = static_cast<double>(step);
  const auto rate = static_cast<float>(options.learning_rate / (1.0 - std::pow(options.beta1, t)));
  // sqrt(v / c) as sqrt(v) / sqrt(c): one division per element less.
  const auto scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, t)));
  const auto epsilon = static_cast<float>(options.epsilon);
  Matrix m = mix(state.first_moment, gradient, options.beta1);
  Matrix v = mix(state.second_moment, gradient.cwiseAbs2(), options.beta2);
  return {state.parameter.array() - rate * m.array() / (scale * v.array().sqrt() + epsilon),
          std::move(m), std::move(v)};
}

}  // namespace latent

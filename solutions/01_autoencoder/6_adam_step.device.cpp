// 6_adam_step.cpp on a GPU: what the contract says, around 6_adam_step.cu.

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "kernels.hpp"

namespace latent {
namespace {

void require_shape(const Matrix& found, const Matrix& parameter, const std::string& what) {
  require(found.rows() == parameter.rows() && found.cols() == parameter.cols(),
          "adam_step: expected " + what + " of shape " + shape_of(parameter) + ", got " +
              shape_of(found));
}

}  // namespace

AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  require_shape(gradient, state.parameter, "a gradient");
  require_shape(state.first_moment, state.parameter, "a first moment");
  require_shape(state.second_moment, state.parameter, "a second moment");
  require(step >= 1, "adam_step: expected a step of at least 1, got " + std::to_string(step));
  const Index size = gradient.size();
  const device::Buffer<float> g(gradient.data(), size);
  device::Buffer<float> parameter(state.parameter.data(), size), m(state.first_moment.data(), size),
      v(state.second_moment.data(), size);
  device::adam_step(parameter.data(), m.data(), v.data(), g.data(), size, step,
                    {options.learning_rate, options.beta1, options.beta2, options.epsilon});
  AdamState after = state;  // of these shapes
  parameter.copy_to(after.parameter.data());
  m.copy_to(after.first_moment.data());
  v.copy_to(after.second_moment.data());
  return after;
}

}  // namespace latent

// 8_ema_codebook_step.cpp on a GPU: what the contract says, around the kernels of
// 8_ema_codebook_step.cu. Between its parts nothing comes back but the output, which is asked for.

#include "codebook_ema.hpp"
#include "common/require.hpp"
#include "kernels.hpp"
#include "solutions/05_vq_straight_through/requirements.hpp"

namespace latent {
namespace {

/// What decay, smoothing, dead codes and revival demand, in their words.
void require_training(const Matrix& z_e, const EmaCodebook& state,
                      const std::vector<std::int64_t>& order, const EmaOptions& options) {
  const Index codes = state.codebook.rows();
  require_size(codes, state.average.size.size(), "ema_decay: sizes of batch");
  require_size(codes, state.average.sum.rows(), "ema_decay: sums of batch");
  require_size(z_e.cols(), state.average.sum.cols(), "ema_decay: columns of the sums of batch");
  require(options.decay >= 0.0 && options.decay < 1.0,
          "ema_decay: expected 0 <= decay < 1, got " + std::to_string(options.decay));
  require(options.epsilon > 0.0,
          "laplace_smooth: expected epsilon > 0, got " + std::to_string(options.epsilon));
  require(state.updates >= -1,
          "dead_mask: expected updates >= 0, got " + std::to_string(state.updates + 1));
  require(options.threshold >= 0.0,
          "dead_mask: expected threshold >= 0, got " + std::to_string(options.threshold));
  for (const std::int64_t row : order) {
    require(row >= 0 && row < z_e.rows(), "revive: expected a row number below " +
                                              std::to_string(z_e.rows()) + ", got " +
                                              std::to_string(row));
  }
}

/// The codebook after a batch that is on the device already.
EmaCodebook updated(const device::Buffer<float>& z_e, const device::QuantizedRows& rows,
                    device::LivingCodebook& living, const std::vector<std::int64_t>& order,
                    const EmaOptions& options) {
  const device::Buffer<std::int64_t> row_numbers(order.data(), std::ssize(order));
  device::Buffer<int> refused(1);
  device::ema_update(z_e.data(), rows.indices.data(), row_numbers.data(),
                     {options.decay, options.epsilon, options.threshold}, living,
                     rows.indices.size(), row_numbers.size(), refused.data());
  int wrong = 0;
  refused.copy_to(&wrong);
  require(wrong == 0, "laplace_smooth: expected sizes >= 0, got another one");
  EmaCodebook state{Matrix(living.k, living.d),
                    {DoubleVector(living.k), Matrix(living.k, living.d)},
                    living.updates};
  living.codebook.copy_to(state.codebook.data());
  living.size.copy_to(state.average.size.data());
  living.sum.copy_to(state.average.sum.data());
  return state;
}

}  // namespace

EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  require_rows_and_codes(z_e, state.codebook);
  require_loss_arguments(z_e, options.beta, "vq_losses");
  if (training) require_training(z_e, state, order, options);
  const device::Buffer<float> z(z_e.data(), z_e.size());
  device::LivingCodebook living{{state.codebook.data(), state.codebook.size()},
                                {state.average.size.data(), state.average.size.size()},
                                {state.average.sum.data(), state.average.sum.size()},
                                state.updates,
                                state.codebook.rows(),
                                state.codebook.cols()};
  const device::QuantizedRows rows = device::quantize(z.data(), living, z_e.rows());
  EmaStep step{{Matrix(z_e.rows(), z_e.cols()),
                std::vector<std::int64_t>(static_cast<std::size_t>(z_e.rows()))},
               0.0,
               training ? updated(z, rows, living, order, options) : state};
  rows.z_q.copy_to(step.output.z_q.data());
  rows.indices.copy_to(step.output.indices.data());
  double sum = 0.0;
  rows.sqdist.copy_to(&sum);
  step.commitment = options.beta * (sum / static_cast<double>(z_e.size()));
  return step;
}

}  // namespace latent

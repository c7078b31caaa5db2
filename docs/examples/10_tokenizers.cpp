// The calls that the chapter on lab 10 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "tokenizers.hpp"

namespace {

using namespace latent;
using Stages = std::vector<RvqStage>;

Matrix residual(const Matrix& x, const Stages& stages) {
  //! [residual_quantize]
  const RvqOutput out = residual_quantize(x, stages);
  // out.indices [N, Q], out.quantized [N, D], out.residual_norms
  //! [residual_quantize]
  return out.quantized;
}

Matrix prefix(const RvqIndices& indices, const Stages& stages) {
  //! [rvq_decode]
  const Matrix coarse = rvq_decode(indices, stages, 2);
  //! [rvq_decode]
  return coarse;
}

Matrix backward(const Matrix& d_quantized, const Matrix& x,
                const Stages& stages, const RvqIndices& indices,
                double beta) {
  //! [rvq_backward]
  const RvqGradients d =
      rvq_backward(d_quantized, x, stages, indices, beta);
  // d.x, and d.stages[q].x, d.stages[q].codebook of each stage
  //! [rvq_backward]
  return d.x;
}

double bitrate() {
  //! [rvq_bitrate]
  const double kbps = rvq_bitrate(24000, 320, 1024, 8);  // 6
  const auto stages = rvq_stages_for(6.0, 24000, 320, 1024);  // 8
  //! [rvq_bitrate]
  return kbps * static_cast<double>(stages);
}

Matrix lookup_free(const Matrix& z, const Matrix& d_codes) {
  //! [lfq_quantize]
  const Matrix codes = lfq_quantize(z, 1.0);
  const std::vector<std::int64_t> tokens = bits_to_index(codes);
  const Matrix again = index_to_bits(tokens, codes.cols(), 1.0);
  const Matrix dz = lfq_quantize_backward(d_codes, z);
  //! [lfq_quantize]
  return again + dz;
}

Matrix entropies(const Matrix& z, double tau, double gamma) {
  //! [entropy_terms]
  const EntropyTerms terms = entropy_terms(z, tau, gamma);
  const Matrix dz = entropy_backward(z, tau, gamma);
  // terms.loss = terms.per_sample - gamma * terms.codebook
  //! [entropy_terms]
  return static_cast<float>(terms.loss) * dz;
}

Matrix causal(const Matrix& x, const Tensor4& weight,
              const RowVector& bias, const Matrix& dy) {
  //! [causal_conv_time]
  const Matrix y = causal_conv_time(x, weight, bias, 1);
  const CausalConvGradients d =
      causal_conv_time_backward(dy, x, weight, 1);
  const auto latent = latent_frames(padded_frames(32, 4), 4);  // 9
  //! [causal_conv_time]
  return static_cast<float>(latent) * (y + d.x);
}

double design() {
  //! [design_tokenizer]
  TokenizerDesign sd;
  sd.multipliers = {1, 2, 4, 4};
  const TokenizerReport report =
      design_tokenizer(sd, {100'000'000, 8'000'000'000, 30.0});
  // report.verdicts.psnr == TargetVerdict::kUnknown
  //! [design_tokenizer]
  return report.bits;
}

double losses(const Matrix& real, const Matrix& fake, const Matrix& d_nll,
              const Matrix& d_adversarial, std::int64_t step,
              const Tensor4& x, const Tensor4& x_hat,
              const DoubleVector& lpips, const DoubleVector& kl) {
  //! [hinge_losses]
  const HingeLoss d = hinge_d_loss(real, fake);
  const LdmAdversarial adversarial{
      g_loss(fake).value, adaptive_weight(d_nll, d_adversarial, 0.5),
      adopt_weight(1.0, step, 50001)};
  const LdmLoss loss =
      ldm_total_loss(x, x_hat, lpips, kl, adversarial, LdmWeights{});
  //! [hinge_losses]
  return d.value + loss.total;
}

Matrix stream(const Matrix& first, const Matrix& second,
              const Tensor4& weight, const RowVector& bias) {
  //! [streaming_conv]
  const Matrix nothing(0, first.cols());
  StreamStep step = streaming_conv(first, nothing, weight, bias);
  step = streaming_conv(second, step.cache, weight, bias);
  //! [streaming_conv]
  return step.y;
}

}  // namespace

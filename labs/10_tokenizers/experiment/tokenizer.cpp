// A tokenizer: two small networks, and tables of codes for what lies between them.

#include <algorithm>

#include "common/optimizer.hpp"
#include "parts.hpp"

namespace latent::run10 {

std::string yes_no(bool met) {
  return met ? "yes" : "no";
}

Layer initial_layer(Index out, Index in, Random& random) {
  return {initial_weight(out, in, random), RowVector::Zero(out)};
}

NetPass forward(const Net& net, const Matrix& x) {
  const Matrix hidden = tanh_forward(linear_forward(x, net.hidden.weight, net.hidden.bias));
  return {hidden, linear_forward(hidden, net.output.weight, net.output.bias)};
}

NetGradient backward(const Net& net, const Matrix& x, const NetPass& pass, const Matrix& dy) {
  const LinearGradients output = linear_backward(dy, pass.hidden, net.output.weight);
  const LinearGradients hidden =
      linear_backward(tanh_backward(output.x, pass.hidden), x, net.hidden.weight);
  return {hidden.x, {{hidden.weight, hidden.bias}, {output.weight, output.bias}}};
}

void append(NamedTensors& all, const std::string& name, Layer& layer) {
  all.push_back({name + ".weight", &layer.weight});
  all.push_back({name + ".bias", &layer.bias});
}

void append(NamedTensors& all, const std::string& name, Net& net) {
  append(all, name + ".hidden", net.hidden);
  append(all, name + ".output", net.output);
}

double rate_at(double rate, const Training& training, std::int64_t steps) {
  return rate * (1.0 - double(training.step() - 1) / static_cast<double>(steps));
}

namespace {

NamedTensors nets_of(Tokenizer& model) {
  NamedTensors all;
  append(all, "encoder", model.encoder);
  append(all, "decoder", model.decoder);
  return all;
}

NamedTensors codes_of(Tokenizer& model) {
  NamedTensors all;
  for (std::size_t q = 0; q < model.stages.size(); ++q)
    all.push_back({"stage" + std::to_string(q), &model.stages[q].codebook});
  return all;
}

}  // namespace

std::vector<RvqStage> fit_stages(Matrix x, Index stages, Index codes, int rounds, Random& random) {
  std::vector<RvqStage> fitted;
  for (Index q = 0; q < stages; ++q) {
    RvqStage stage{random_rows(x, codes, random)};
    for (int round = 0; round < rounds; ++round) {
      const RvqIndices near = residual_quantize(x, {stage}).indices;
      Matrix sum = Matrix::Zero(codes, x.cols());
      DoubleVector count = DoubleVector::Zero(codes);
      for (Index n = 0; n < x.rows(); ++n) {
        sum.row(near(n, 0)) += x.row(n);
        count(near(n, 0)) += 1.0;
      }
      for (Index k = 0; k < codes; ++k)
        if (count(k) > 0.0) stage.codebook.row(k) = sum.row(k) / static_cast<float>(count(k));
    }
    x -= residual_quantize(x, {stage}).quantized;
    fitted.push_back(stage);
  }
  return fitted;
}

namespace {

struct TokenizerGradient {
  double loss = 0.0;
  Tokenizer model;
};

/// One pass there and back. Most rows keep all of their tokens, the others the first few, so that a
/// decoder learns to make do with any number of them. Without `quantized` z passes as it is.
TokenizerGradient tokenizer_gradients(const Tokenizer& model, const Matrix& x, bool quantized,
                                      Random& random) {
  const NetPass encoded = forward(model.encoder, x);
  const Matrix& z = encoded.output;
  const RvqIndices all = quantized ? residual_quantize(z, model.stages).indices : RvqIndices();
  RvqIndices kept = all;
  for (Index n = 0; n < kept.rows(); ++n)
    if (random.uniform() < 0.15)
      kept.row(n).tail(random.integer(0, kStageCount - 1)).setConstant(-1);
  const Matrix z_q = quantized ? rvq_decode(kept, model.stages, kStageCount) : z;
  const NetPass decoded = forward(model.decoder, z_q);
  const Loss loss = mse_loss(decoded.output, x, Reduction::kBatchMean);
  NetGradient decoder = backward(model.decoder, z_q, decoded, loss.gradient);
  TokenizerGradient gradient{loss.value, {{}, decoder.net, model.stages}};
  if (quantized) {
    const RvqGradients back = rvq_backward(decoder.x, z, model.stages, all, 0.25);
    for (std::size_t q = 0; q < back.stages.size(); ++q)
      gradient.model.stages.at(q).codebook = back.stages[q].codebook;
    decoder.x = back.x;
  }
  gradient.model.encoder = backward(model.encoder, x, encoded, decoder.x).net;
  return gradient;
}

}  // namespace

Tokenizer train_tokenizer(Run& run, const Matrix& x) {
  constexpr Index kHidden = 128, kBatch = 128;
  const std::int64_t steps = run.quick() ? 600 : 7'500, warm = steps / 4;
  Random weights(run.seed(), kWeights);
  Tokenizer model{
      {initial_layer(kHidden, x.cols(), weights), initial_layer(kWidth, kHidden, weights)},
      {initial_layer(kHidden, kWidth, weights), initial_layer(x.cols(), kHidden, weights)},
      std::vector<RvqStage>(kStageCount, {Matrix::Zero(kCodes, kWidth)})};
  Optimizer adam(adam_step, nets_of(model)), codes(adam_step, codes_of(model));
  NamedTensors tensors = adam.tensors();
  for (const NamedTensor& tensor : codes.tensors()) tensors.push_back(tensor);
  Training training(run, {"tokenizer", steps, kBatch}, tensors);
  while (training.next()) {
    Random random(run.seed(), kTokenizerSteps + static_cast<std::uint64_t>(training.step()));
    const std::int64_t quantized = training.step() - warm;  // steps with codes, this one included
    if (quantized == 1) {
      Random choice(run.seed(), kStages);
      const auto fitted = fit_stages(forward(model.encoder, random_rows(x, 2048, choice)).output,
                                     kStageCount, kCodes, 5, choice);
      // In place: the optimizer has their addresses.
      std::copy(fitted.begin(), fitted.end(), model.stages.begin());
    }
    TokenizerGradient pass =
        tokenizer_gradients(model, random_rows(x, kBatch, random), quantized > 0, random);
    const double rate = rate_at(3e-3, training, steps);
    adam.step(nets_of(pass.model), training.step(), {.learning_rate = rate});
    if (quantized > 0) codes.step(codes_of(pass.model), quantized, {.learning_rate = rate});
    training.record({pass.loss / static_cast<double>(x.cols())});
  }
  return model;
}

RvqOutput tokens_of(const Tokenizer& model, const Matrix& x) {
  return residual_quantize(forward(model.encoder, x).output, model.stages);
}

Matrix decode(const Tokenizer& model, const RvqIndices& tokens, Index used) {
  return forward(model.decoder, rvq_decode(tokens, model.stages, used)).output;
}

}  // namespace latent::run10

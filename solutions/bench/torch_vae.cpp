#include "torch_vae.hpp"

#include <torch/torch.h>

namespace latent {
namespace {

torch::Tensor tensor(const Matrix& x) {
  return torch::from_blob(const_cast<float*>(x.data()), {x.rows(), x.cols()}).clone();
}

torch::nn::Linear linear(const Layer& layer) {
  torch::nn::Linear made(layer.weight.cols(), layer.weight.rows());
  const torch::NoGradGuard no_gradients;
  made->weight.copy_(tensor(layer.weight));
  made->bias.copy_(tensor(layer.bias).reshape(-1));
  return made;
}

struct Pass {
  torch::Tensor mu, log_var, logits;
};

struct Net : torch::nn::Module {
  torch::nn::Linear encoder_hidden, mu, log_var, decoder_hidden, decoder_output;

  explicit Net(const Vae& initial)
      : encoder_hidden(register_module("encoder_hidden", linear(initial.encoder_hidden))),
        mu(register_module("mu", linear(initial.heads.mu))),
        log_var(register_module("log_var", linear(initial.heads.log_var))),
        decoder_hidden(register_module("decoder_hidden", linear(initial.decoder_hidden))),
        decoder_output(register_module("decoder_output", linear(initial.decoder_output))) {}

  Pass operator()(const torch::Tensor& x, const torch::Tensor& eps) {
    const torch::Tensor h = torch::tanh(encoder_hidden(x));
    Pass pass{mu(h), log_var(h), {}};
    const torch::Tensor z = pass.mu + torch::exp(0.5 * pass.log_var) * eps;
    pass.logits = decoder_output(torch::tanh(decoder_hidden(z)));
    return pass;
  }
};

torch::Tensor loss_of(const Pass& pass, const torch::Tensor& x) {
  const auto summed =
      torch::nn::functional::BinaryCrossEntropyWithLogitsFuncOptions().reduction(torch::kSum);
  const torch::Tensor reconstruction =
      torch::nn::functional::binary_cross_entropy_with_logits(pass.logits, x, summed);
  const torch::Tensor kl =
      -0.5 * torch::sum(1 + pass.log_var - pass.mu.pow(2) - pass.log_var.exp());
  return (reconstruction + kl) / x.size(0);
}

}  // namespace

struct TorchVae::Parts {
  torch::Tensor images;
  Net net;
  torch::optim::Adam adam;
};

TorchVae::TorchVae(const Vae& initial, const Matrix& images) {
  Net net(initial);
  torch::optim::Adam adam(net.parameters(), torch::optim::AdamOptions(kLearningRate));
  parts_ = std::make_unique<Parts>(Parts{tensor(images), std::move(net), std::move(adam)});
}

TorchVae::~TorchVae() = default;

void TorchVae::step(std::span<const Index> rows, const Matrix& eps, StepTimes& times) {
  const auto count = static_cast<std::int64_t>(rows.size());
  const torch::Tensor order =
      torch::from_blob(const_cast<Index*>(rows.data()), {count}, torch::kInt64);
  const torch::Tensor x = parts_->images.index_select(0, order);
  times.ended(StepTimes::kBatchOfImages);
  const Pass pass =
      parts_->net(x, torch::from_blob(const_cast<float*>(eps.data()), {eps.rows(), eps.cols()}));
  times.ended(StepTimes::kForward);
  const torch::Tensor loss = loss_of(pass, x);
  times.ended(StepTimes::kLoss);
  parts_->adam.zero_grad();
  loss.backward();
  times.ended(StepTimes::kBackward);
  parts_->adam.step();
  times.ended(StepTimes::kAdam);
}

double TorchVae::neg_elbo(const Matrix& x, const Matrix& eps) const {
  const torch::NoGradGuard no_gradients;
  const torch::Tensor images = tensor(x);
  return loss_of(parts_->net(images, tensor(eps)), images).item<double>();
}

int torch_threads() {
  return torch::get_num_threads();
}

void set_torch_threads(int threads) {
  torch::set_num_threads(threads);
}

}  // namespace latent

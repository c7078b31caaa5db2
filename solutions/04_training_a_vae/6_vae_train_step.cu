// 4.6 vae_train_step on a GPU: 4.4, 4.1, 4.5 and Adam, about forty launches, and 4.4 billion
// operations with the sizes of 4.4. What it must not do is move the model: those parameters and
// their moments are 10 MB, at 25 GB/s 0.4 ms on the way to the device and as much back, several
// times what the step itself has to take. So a trainer keeps them there, with room for all that a
// step computes, and a step is given a batch. Whoever wants to know the loss fetches 16 bytes, not
// after each step.
//
// Adam goes over one array, with all ten parameters. What lies between them is 0 and stays so: the
// gradients there are.

#include "kernels.hpp"

namespace latent::device {
namespace {

Buffer<float> zeros(Size size) {
  Buffer<float> buffer(size);
  check(cudaMemset(buffer.data(), 0, static_cast<std::size_t>(size) * sizeof(float)), "cudaMemset");
  return buffer;
}

}  // namespace

VaeTrainer::VaeTrainer(const VaeSizes& sizes_, Size n)
    : sizes(sizes_),
      parameters(zeros(VaeLayout(sizes).size)),
      first_moment(zeros(parameters.size())),
      second_moment(zeros(parameters.size())),
      gradient(zeros(parameters.size())),
      pass(sizes, n),
      back(sizes, n),
      terms(2),
      per_sample(n) {}

void vae_loss(VaeTrainer& trainer, const float* x, const float* eps, double beta) {
  VaeActivations &pass = trainer.pass, &back = trainer.back;
  vae_forward(trainer.sizes, trainer.parameters.data(), x, eps, pass);
  beta_loss(x, pass.x_hat.data(), pass.mu.data(), pass.log_var.data(), beta, trainer.terms.data(),
            trainer.per_sample.data(), back.x_hat.data(), back.mu.data(), back.log_var.data(),
            pass.n, trainer.sizes.d, trainer.sizes.l);
}

void vae_update(VaeTrainer& trainer, const float* x, const float* eps, const Adam& adam) {
  float* const parameters = trainer.parameters.data();
  vae_backward(trainer.sizes, parameters, x, eps, trainer.pass, trainer.back,
               trainer.gradient.data());
  adam_step(parameters, trainer.first_moment.data(), trainer.second_moment.data(),
            trainer.gradient.data(), trainer.parameters.size(), ++trainer.steps, adam);
}

void vae_train_step(VaeTrainer& trainer, const float* x, const float* eps, double beta,
                    const Adam& adam) {
  vae_loss(trainer, x, eps, beta);
  vae_update(trainer, x, eps, adam);
}

}  // namespace latent::device

/// @file
/// Lab 04 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of training_a_vae.hpp, whose contract the .device.cpp files keep.
#pragma once

#include <array>

#include "common/device.hpp"
#include "solutions/01_autoencoder/kernels.hpp"

namespace latent::device {

/// 4.1, squared error plus beta KL, and its gradients. beta is in the gradients only: the two terms
/// are left apart, as the contract shows them.
/// @param x         `[n, d]`
/// @param x_hat     `[n, d]`
/// @param mu        `[n, l]`
/// @param log_var   `[n, l]`
/// @param beta      Not negative.
/// @param terms     `[2]`, a result: squared error and KL, averaged over samples.
/// @param per_sample  `[n]`, a result: the KL of each.
/// @param dx_hat    `[n, d]`, a result.
/// @param dmu       `[n, l]`, a result.
/// @param dlog_var  `[n, l]`, a result.
/// @param n,d,l     Sizes, at least 1.
void beta_loss(const float* x, const float* x_hat, const float* mu, const float* log_var,
               double beta, double* terms, double* per_sample, float* dx_hat, float* dmu,
               float* dlog_var, Size n, Size d, Size l);

/// 4.2, the negative log-likelihood of pixels under Bernoulli distributions, and its gradient.
/// @param logits    `[n, d]`
/// @param x         `[n, d]`, from 0 to 1.
/// @param value     One number, a result.
/// @param gradient  `[n, d]`, a result.
/// @param n,d       Sizes, at least 1.
void bce_with_logits(const float* logits, const float* x, double* value, float* gradient, Size n,
                     Size d);

/// Sizes of a VAE: features, hidden units of the encoder, latent dimensions, hidden units of the
/// decoder.
struct VaeSizes {
  Size d, h, l, k;
};

/// One layer within an array of parameters, or of their gradients or moments.
struct LayerAt {
  Size in, out;
  Size weight, bias;  ///< Where `[out, in]` and `[out]` begin.
};

/// How the ten parameters of a VAE lie in one array, so that Adam takes one launch for all of them.
/// Each begins at a multiple of 32 floats, where cuBLAS may load four of them at a time.
struct VaeLayout {
  /// @param sizes  Of the VAE.
  explicit VaeLayout(const VaeSizes& sizes);

  LayerAt encoder_hidden, mu, log_var, decoder_hidden, decoder_output;
  Size size = 0;  ///< Of the array.

  /// @return  The layers, in the order in which they lie.
  std::array<LayerAt, 5> layers() const {
    return {encoder_hidden, mu, log_var, decoder_hidden, decoder_output};
  }
};

/// What a forward pass computes, or the gradients of the loss with respect to it.
struct VaeActivations {
  /// @param sizes  Of the VAE.
  /// @param n      Samples of a batch; may be 0.
  VaeActivations(const VaeSizes& sizes, Size n);

  Size n;                        ///< Samples.
  Buffer<float> encoder_hidden;  ///< `[n, h]`
  Buffer<float> mu, log_var, z;  ///< `[n, l]` each
  Buffer<float> decoder_hidden;  ///< `[n, k]`
  Buffer<float> x_hat;           ///< `[n, d]`
};

/// 4.4, encodes, draws, decodes.
/// @param sizes       Of the VAE.
/// @param parameters  As VaeLayout has them.
/// @param x           `[n, d]`
/// @param eps         `[n, l]`
/// @param pass        The results.
void vae_forward(const VaeSizes& sizes, const float* parameters, const float* x, const float* eps,
                 VaeActivations& pass);

/// 4.5, from what the loss says to x_hat, mu and log_var to the gradients of all parameters.
/// @param sizes       Of the VAE.
/// @param parameters  As in the forward pass.
/// @param x           `[n, d]`
/// @param eps         `[n, l]`, the same noise.
/// @param pass        What the forward pass yielded.
/// @param back        The loss's gradients in its x_hat, mu and log_var; the others are results,
///                    and mu and log_var have what came through z added.
/// @param gradient    Of the parameters, as VaeLayout has them; a result.
void vae_backward(const VaeSizes& sizes, const float* parameters, const float* x, const float* eps,
                  const VaeActivations& pass, VaeActivations& back, float* gradient);

/// A VAE in training, which lives on the device from the first step to the last.
struct VaeTrainer {
  /// Ten parameters that are not set, and moments of zero.
  /// @param sizes  Of the VAE.
  /// @param n      Samples of each batch.
  VaeTrainer(const VaeSizes& sizes, Size n);

  VaeSizes sizes;
  Buffer<float> parameters, first_moment, second_moment;  ///< As VaeLayout has them.
  Buffer<float> gradient;                                 ///< Of the last step, likewise.
  std::int64_t steps = 0;                                 ///< Taken so far.
  VaeActivations pass, back;                              ///< Of the last step.
  Buffer<double> terms;       ///< `[2]`: squared error and KL before the last step.
  Buffer<double> per_sample;  ///< `[n]`: the KL of each sample.
};

/// The first half of a step: a forward pass, the loss, and what it says to x_hat, mu and log_var.
/// @param trainer  `pass`, `terms`, `per_sample` and, in part, `back` are written.
/// @param x        `[n, d]`
/// @param eps      `[n, l]`
/// @param beta     Not negative.
void vae_loss(VaeTrainer& trainer, const float* x, const float* eps, double beta);

/// The second half: gradients of all parameters, and a step of Adam.
/// @param trainer  After `vae_loss`; all but `pass` and the loss is written.
/// @param x        `[n, d]`, as there.
/// @param eps      `[n, l]`, as there.
/// @param adam     See Adam.
void vae_update(VaeTrainer& trainer, const float* x, const float* eps, const Adam& adam);

/// 4.6, one step of training. Nothing but x and eps has to be copied for it.
/// @param trainer  After the step; results of the step are in it.
/// @param x        `[n, d]`
/// @param eps      `[n, l]`
/// @param beta     Not negative.
/// @param adam     See Adam.
void vae_train_step(VaeTrainer& trainer, const float* x, const float* eps, double beta,
                    const Adam& adam);

}  // namespace latent::device

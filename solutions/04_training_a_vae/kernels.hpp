/// @file
/// Lab 04 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of training_a_vae.hpp, whose contract the .device.cpp files keep.
#pragma once

#include "common/device.hpp"

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

}  // namespace latent::device

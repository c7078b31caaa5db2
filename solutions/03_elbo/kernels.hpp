/// @file
/// Lab 03 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of elbo.hpp, whose contract the .device.cpp files keep.
#pragma once

#include "common/device.hpp"

namespace latent::device {

/// 3.1, the divergence of N Gaussians from the standard normal, and its gradients:
/// \f$ \mathrm{KL}_n = \sum_d \tfrac12(\mu^2 + e^\ell - 1 - \ell) \f$, their mean,
/// \f$ w\,\mu/N \f$ and \f$ w\,(e^\ell - 1)/2N \f$.
/// @param mu          `[n, d]`
/// @param log_var     `[n, d]`
/// @param per_sample  `[n]`, a result.
/// @param value       One number, a result: the mean of per_sample, without the weight.
/// @param dmu         `[n, d]`, a result.
/// @param dlog_var    `[n, d]`, a result.
/// @param n,d         Sizes, at least 1.
/// @param weight      w, of the gradients only: what the KL counts in a loss, for example beta.
void kl_standard_normal(const float* mu, const float* log_var, double* per_sample, double* value,
                        float* dmu, float* dlog_var, Size n, Size d, double weight = 1.0);

/// 3.8, the part of the negative ELBO that is the decoder's, with one variance for all:
/// \f$ \frac1N\sum_{nd} \tfrac12\big(\log 2\pi s^2 + (\hat x - x)^2/s^2\big) \f$ and its gradient
/// \f$ (\hat x - x) / N s^2 \f$. The other part is `kl_standard_normal`.
/// @param x            `[n, d]`
/// @param x_hat        `[n, d]`
/// @param value        One number, a result.
/// @param dx_hat       `[n, d]`, a result.
/// @param n,d          Sizes, at least 1.
/// @param decoder_var  \f$ s^2 \f$, above 0.
void gaussian_reconstruction(const float* x, const float* x_hat, double* value, float* dx_hat,
                             Size n, Size d, double decoder_var);

}  // namespace latent::device

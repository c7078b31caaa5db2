/// @file
/// Lab 02 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of reparameterization.hpp, whose contract the .device.cpp files
/// keep.
#pragma once

#include "common/device.hpp"

namespace latent::device {

/// 2.4, \f$ z = \mu + e^{\ell/2}\,\varepsilon \f$.
/// @param mu       `[n]`
/// @param log_var  `[n]`
/// @param eps      `[n]`
/// @param z        `[n]`, the result.
/// @param n        How many elements; may be 0.
void reparameterize(const float* mu, const float* log_var, const float* eps, float* z, Size n);

/// 2.5, \f$ d\mu = dz + \text{keep}\,d\mu \f$ and
/// \f$ d\ell = \tfrac12\,dz\,\varepsilon\,e^{\ell/2} + \text{keep}\,d\ell \f$.
/// @param dz        `[n]`
/// @param log_var   `[n]`, as in the forward pass.
/// @param eps       `[n]`, the same noise.
/// @param dmu       `[n]`, a result; may be dz where nothing is kept.
/// @param dlog_var  `[n]`, a result.
/// @param n         How many elements; may be 0.
/// @param keep      Factor of what both were: 1 where the KL has left its gradients there. Not
///                  read if 0.
void reparameterize_backward(const float* dz, const float* log_var, const float* eps, float* dmu,
                             float* dlog_var, Size n, float keep = 0.0F);

}  // namespace latent::device

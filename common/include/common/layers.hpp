/// @file
/// Layers that are given, because writing them would only distract.
#pragma once

#include "common/types.hpp"

namespace latent {

/// \f$ \max(x, 0) \f$, element by element.
/// @param x  Any shape.
/// @return   Same shape; NaN stays NaN.
Tensor4 relu(const Tensor4& x);

/// Nearest-neighbour upsampling by 2: element (n, c, h, w) becomes the 2x2 block at (2h, 2w).
/// @param x  Shape `[N, C, H, W]`.
/// @return   Shape `[N, C, 2H, 2W]`.
Tensor4 upsample_nearest(const Tensor4& x);

/// Group normalisation: the channels are cut into consecutive groups, and each group of each sample
/// is brought to mean 0 and variance 1 over its channels and positions, then scaled and moved
/// channel by channel: \f$ y = \gamma_c (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta_c \f$ with
/// the population variance, accumulated in double.
/// @param x       Shape `[N, C, H, W]`.
/// @param groups  Divides C, at least 1.
/// @param gamma   Shape `[C]`.
/// @param beta    Shape `[C]`.
/// @param eps     Under the root, not negative.
/// @return        Same shape.
/// @throws std::invalid_argument  if groups does not divide C, or gamma or beta is not `[C]`.
/// @see Wu and He 2018, "Group normalization", arXiv:1803.08494.
Tensor4 group_norm(const Tensor4& x, std::int64_t groups, const RowVector& gamma,
                   const RowVector& beta, double eps);

}  // namespace latent

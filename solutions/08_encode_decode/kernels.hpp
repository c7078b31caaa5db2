/// @file
/// Lab 08 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of encode_decode.hpp, whose contract the .device.cpp files keep.
#pragma once

#include "common/device.hpp"

namespace latent::device {

// ---- 8.1 -----------------------------------------------------------------------------------

/// What one pass over a tensor finds out. NaN are left out.
struct TensorCount {
  double sum;
  std::int64_t count;  ///< Elements that are numbers.
  float least;         ///< Infinity where there are none.
  float greatest;      ///< Minus infinity where there are none.
};

/// 8.1, all of it but some arithmetic with single numbers. Reads the tensor twice.
/// @param x         `[size]`
/// @param size      Elements, NaN included; may be 0.
/// @param elements  One, written.
/// @param squares   One, written: the same of \f$ (x_i - \text{mean})^2 \f$.
void tensor_stats(const float* x, Size size, TensorCount* elements, TensorCount* squares);

// ---- 8.2 -----------------------------------------------------------------------------------

/// 8.2: \f$ z' = (z - \text{shift}) \cdot \text{scale} \f$, in double.
/// @param z            `[size]`, read once.
/// @param scale,shift  Numbers of the host.
/// @param scaled       `[size]`, the result; may be z.
/// @param size         Elements.
void scale_latents(const float* z, double scale, double shift, float* scaled, Size size);

/// 8.2: \f$ z = z' / \text{scale} + \text{shift} \f$, in double.
/// @param scaled       `[size]`, read once.
/// @param scale,shift  Numbers of the host; scale is not 0.
/// @param z            `[size]`, the result; may be `scaled`.
/// @param size         Elements.
void unscale_latents(const float* scaled, double scale, double shift, float* z, Size size);

// ---- 8.7 -----------------------------------------------------------------------------------

/// A convolution of square kernels, padded with kernel / 2 zeros on each side.
struct TaeConvSizes {
  Size n, in_channels, height, width;  ///< Of what comes in.
  Size out_channels, kernel, stride;   ///< kernel and stride at least 1.

  /// @return  Rows of what goes out.
  __host__ __device__ Size out_height() const { return out(height); }

  /// @return  Columns of what goes out.
  __host__ __device__ Size out_width() const { return out(width); }

 private:
  __host__ __device__ Size out(Size side) const {
    return (side + 2 * (kernel / 2) - kernel) / stride + 1;
  }
};

/// The arrays of a convolution.
struct TaeConvArrays {
  const float* x;       ///< `[n, in_channels, height, width]`
  const float* weight;  ///< `[out_channels, in_channels, kernel, kernel]`
  const float* bias;    ///< `[out_channels]`, or null for zeros.
  const float* skip;    ///< Of the shape of y: added to it; or null.
  float* y;             ///< `[n, out_channels, out_height, out_width]`, written; may be the skip.
};

/// 8.7: \f$ y = W \star x + b + \text{skip} \f$, and, if asked for, max(y, 0), in one pass.
/// @param sizes   At least one output position.
/// @param arrays  See there.
/// @param relu    Whether nothing below 0 is left; NaN stays NaN.
void tae_convolve(const TaeConvSizes& sizes, const TaeConvArrays& arrays, bool relu);

/// 8.7, within a pool: GroupNorm with eps 1e-5 and statistics in double, then max(x, 0), in place.
/// @param x           `[n, c, positions]`, read and written.
/// @param gamma,beta  `[c]` each.
/// @param n,c         Sizes.
/// @param positions   H W.
/// @param groups      Divides c, at least 1.
void tae_group_norm_relu(float* x, const float* gamma, const float* beta, Size n, Size c,
                         Size positions, Size groups);

/// 8.7: max(x, 0), in place; NaN stays NaN.
/// @param x     `[size]`, read and written.
/// @param size  Elements.
void tae_relu(float* x, Size size);

/// 8.7: 3 tanh(x / 3), in place.
/// @param x     `[size]`, read and written.
/// @param size  Elements.
void tae_clamp(float* x, Size size);

/// 8.7: every value four times.
/// @param x      `[maps, h, w]`
/// @param y      `[maps, 2 h, 2 w]`, written.
/// @param maps   N C.
/// @param h,w    Sizes.
void tae_upsample(const float* x, float* y, Size maps, Size h, Size w);

}  // namespace latent::device

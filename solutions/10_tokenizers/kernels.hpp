/// @file
/// Lab 10 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of tokenizers.hpp, whose contract the .device.cpp files keep.
#pragma once

#include "common/device.hpp"
#include "solutions/05_vq_straight_through/kernels.hpp"

namespace latent::device {

// ---- 10.0 ----------------------------------------------------------------------------------

/// 10.0, stage q of Q: \f$ r \leftarrow r - e \f$ and \f$ \hat x \leftarrow \hat x + e \f$ with the
/// code e nearest to r. In stage 0 \f$ \hat x \leftarrow e \f$, and what it was is not read.
/// @param codebook   `[k, d]`, of this stage; k at least 1.
/// @param residual   `[n, d]`, r; x in stage 0.
/// @param quantized  `[n, d]`, the sum of codes.
/// @param indices    `[n, stages]`; column `stage` is set.
/// @param norms      `[n, stages]`; column `stage` is set to the lengths of what is left.
/// @param stage,stages  q and Q.
/// @param n,k,d      Sizes.
void residual_quantize(const float* codebook, float* residual, float* quantized,
                       std::int64_t* indices, float* norms, Size stage, Size stages, Size n, Size k,
                       Size d);

// ---- 10.4 ----------------------------------------------------------------------------------

/// 10.4: scale where z > 0, else -scale.
/// @param z      `[count]`
/// @param codes  `[count]`, the result.
/// @param scale  Above 0.
/// @param count  Size, of any shape.
void lfq_quantize(const float* z, float* codes, float scale, Size count);

/// 10.4: bit i of a row's index is whether its code i is above 0.
/// @param codes    `[n, d]`, d from 1 to 62.
/// @param indices  `[n]`, the result.
/// @param n,d      Sizes.
void bits_to_index(const float* codes, std::int64_t* indices, Size n, Size d);

/// 10.4, the way back: code i is scale where bit i is 1, else -scale.
/// @param indices  `[n]`, not negative.
/// @param codes    `[n, d]`, the result; d from 1 to 62.
/// @param scale    Above 0.
/// @param n,d      Sizes.
void index_to_bits(const std::int64_t* indices, float* codes, float scale, Size n, Size d);

}  // namespace latent::device

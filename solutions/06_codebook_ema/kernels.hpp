/// @file
/// Lab 06 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of codebook_ema.hpp, whose contract the .device.cpp files keep.
/// Rows are grouped by code, and summed up, by lab 05's `group_rows` and `sum_by_code`.
#pragma once

#include "common/device.hpp"
#include "solutions/05_vq_straight_through/kernels.hpp"

namespace latent::device {

/// 6.2: how many rows each code has, and their sum; the same bits each time.
/// @param z        `[n, d]`
/// @param indices  `[n]`, from 0 to k - 1.
/// @param size     `[k]`, the counts.
/// @param sum      `[k, d]`, the sums.
/// @param n,k,d    Sizes.
void assignment_stats(const float* z, const std::int64_t* indices, double* size, float* sum, Size n,
                      Size k, Size d);

/// A codebook with its memory. It stays on the device from step to step.
struct LivingCodebook {
  Buffer<float> codebook;  ///< e, `[k, d]`.
  Buffer<double> size;     ///< N, `[k]`.
  Buffer<float> sum;       ///< m, `[k, d]`.
  Size updates;            ///< How often the averages have been updated.
  Size k;                  ///< Codes.
  Size d;                  ///< Numbers in a code.
};

/// What one step of `ema_codebook_step` puts out.
struct QuantizedRows {
  Buffer<float> z_q;             ///< `[n, d]`
  Buffer<std::int64_t> indices;  ///< `[n]`
  Buffer<double> sqdist;         ///< One number: the sum of (z_e - e)^2.
};

/// 6.8, what happens with and without training: rows are assigned, their codes looked up, their
/// distances summed up.
/// @param z_e    `[n, d]`
/// @param state  The codebook, k at least 1.
/// @param n      Rows.
/// @return       Codes, indices and the sum that the commitment is made of.
QuantizedRows quantize(const float* z_e, const LivingCodebook& state, Size n);

/// 6.3 to 6.7, what one batch does to the memory.
struct EmaConstants {
  double decay;      ///< gamma.
  double epsilon;    ///< Of Laplace smoothing.
  double threshold;  ///< theta, of dead codes.
};

/// 6.8, what happens in training after the output: decay, smoothing, division, revival.
/// @param z_e         `[n, d]`, n at least 1.
/// @param indices     `[n]`, which code each row was given.
/// @param order       `[available]`, row numbers of z_e for dead codes, the first for the first.
/// @param constants   As in EmaOptions.
/// @param state       The codebook; changed.
/// @param n,available Sizes.
/// @param refused     Set to whether a size that is negative or no number came out, which makes
///                    state worthless; before revival, which would hide it.
void ema_update(const float* z_e, const std::int64_t* indices, const std::int64_t* order,
                const EmaConstants& constants, LivingCodebook& state, Size n, Size available,
                int* refused);

}  // namespace latent::device

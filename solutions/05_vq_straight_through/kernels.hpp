/// @file
/// Lab 05 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of vq_straight_through.hpp, whose contract the .device.cpp files
/// keep.
#pragma once

#include "common/device.hpp"

namespace latent::device {

/// 5.2, one thread per row and one difference at a time. Versions 1 to 3 give the same indices, but
/// for codes whose distances float cannot tell apart; each is faster than the one before, and says
/// why.
/// @param z         `[n, d]`
/// @param codebook  `[k, d]`, k at least 1.
/// @param indices   `[n]`, the result.
/// @param n,k,d     Sizes.
void nearest_code_1(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                    Size d);

/// 5.2, tiles of rows against tiles of codes in shared memory.
void nearest_code_2(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                    Size d);

/// 5.2, tensor cores nominate, distances decide.
void nearest_code_3(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                    Size d);

/// 5.2, the version for these sizes.
void nearest_code(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                  Size d);

}  // namespace latent::device

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

/// 5.4: the chosen codes, bit for bit. `z_q(n) = codebook(indices[n])`.
/// @param codebook  `[k, d]`
/// @param indices   `[n]`, from 0 to k - 1.
/// @param z_q       `[n, d]`, the result.
/// @param n,d       Sizes.
void gather_codes(const float* codebook, const std::int64_t* indices, float* z_q, Size n, Size d);

/// 5.4: the nearest code of every row, and its index.
/// @param z_e       `[n, d]`
/// @param codebook  `[k, d]`, k at least 1.
/// @param z_q       `[n, d]`, the codes.
/// @param indices   `[n]`, which they are.
/// @param n,k,d     Sizes.
void vq_straight_through(const float* z_e, const float* codebook, float* z_q, std::int64_t* indices,
                         Size n, Size k, Size d);

/// 5.5: \f$ \sum_{ni} (z_{ni} - e_{ni})^2 \f$, in double. Divided by n d it is the codebook term.
/// @param z_e       `[n, d]`
/// @param codebook  `[k, d]`
/// @param indices   `[n]`, from 0 to k - 1.
/// @param sum       The result.
/// @param n,d       Sizes.
void sqdist_to_codes(const float* z_e, const float* codebook, const std::int64_t* indices,
                     double* sum, Size n, Size d);

/// Rows in the order of their codes.
struct Groups {
  Buffer<std::int64_t> rows;   ///< `[n]`: those of code 0, those of code 1, ...; lowest row first.
  Buffer<std::int64_t> first;  ///< `[k + 1]`: where those of each code begin; the last one is n.
};

/// Groups rows by code, for sums over the rows of each code: 5.6, 6.2 and 6.8.
/// @param indices  `[n]`, from 0 to k - 1.
/// @param n,k      Sizes.
/// @return         The groups; code i has `first[i + 1] - first[i]` rows, which may be 0.
Groups group_rows(const std::int64_t* indices, Size n, Size k);

/// \f$ \text{sums}_k = \text{scale} \sum_{n:\,k(n) = k} (z_n - \text{origin}_k) \f$, accumulated in
/// double, the same bits each time.
/// @param groups  Of k codes.
/// @param z       `[n, d]`
/// @param origin  `[k, d]`, or null for zeros.
/// @param scale   A factor.
/// @param sums    `[k, d]`, the result; 0 where a code has no row.
/// @param k,d     Sizes.
void sum_by_code(const Groups& groups, const float* z, const float* origin, float scale,
                 float* sums, Size k, Size d);

/// 5.6: the two gradients that are computed.
/// @param z_e         `[n, d]`, not empty.
/// @param codebook    `[k, d]`
/// @param indices     `[n]`, from 0 to k - 1.
/// @param beta        Weight of the commitment term.
/// @param d_z_e       `[n, d]`, of the commitment term with respect to z_e.
/// @param d_codebook  `[k, d]`, of the codebook term with respect to the codes.
/// @param n,k,d       Sizes.
void vq_gradients(const float* z_e, const float* codebook, const std::int64_t* indices, float beta,
                  float* d_z_e, float* d_codebook, Size n, Size k, Size d);

}  // namespace latent::device

/// @file
/// Lab 07 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of fsq.hpp, whose contract the .device.cpp files keep.
#pragma once

#include <vector>

#include "common/device.hpp"

namespace latent::device {

/// How a column is bounded and rounded: `LevelGeometry`, in float.
struct FsqColumn {
  float half_l;      ///< tanh's height.
  float offset;      ///< 1/2 for even L.
  float shift;       ///< What makes 0 stay 0.
  float half_width;  ///< h.
};

/// 7.3: \f$ q = \mathrm{rint}(\texttt{half\_l}\,\tanh(z + \texttt{shift}) - \texttt{offset}) / h
/// \f$.
/// @param z        `[n, d]`, read once.
/// @param columns  `[d]`
/// @param codes    `[n, d]`, the result.
/// @param n,d      Sizes.
void fsq_quantize(const float* z, const FsqColumn* columns, float* codes, Size n, Size d);

/// 7.3, back: \f$ dz = dq\,\texttt{half\_l}\,(1 - \tanh^2(z + \texttt{shift})) / h \f$.
/// @param dcodes   `[n, d]`, read once.
/// @param z        `[n, d]`, read once.
/// @param columns  `[d]`
/// @param dz       `[n, d]`, the result.
/// @param n,d      Sizes.
void fsq_quantize_backward(const float* dcodes, const float* z, const FsqColumn* columns, float* dz,
                           Size n, Size d);

/// Where a digit stands in an index.
struct FsqPlace {
  std::int64_t levels;  ///< L
  std::int64_t weight;  ///< What the digit counts for: the product of the levels before it.
};

/// The places of all digits. Runs on the host.
/// @param levels  L of every dimension, with a product below 2^63.
/// @return        `[d]`
std::vector<FsqPlace> fsq_places(const std::vector<std::int64_t>& levels);

/// 7.4: \f$ \sum_i g_i \prod_{j<i} L_j \f$ with \f$ g_i = \mathrm{rint}(q_i h_i) + h_i \f$.
/// @param codes    `[n, d]`
/// @param places   `[d]`
/// @param indices  `[n]`, the result; where a digit is refused, it counts as 0.
/// @param refused  One number, written: the first code, column after column, that is no level's,
///                 as column * n + row; n * d if every code is.
/// @param n,d      Sizes.
void codes_to_index(const float* codes, const FsqPlace* places, std::int64_t* indices,
                    unsigned long long* refused, Size n, Size d);

/// 7.5: digit i is \f$ \lfloor n / \prod_{j<i} L_j \rfloor \bmod L_i \f$, its code (g - h) / h.
/// @param indices  `[n]`, each in the codebook.
/// @param places   `[d]`
/// @param codes    `[n, d]`, the result.
/// @param n,d      Sizes.
void index_to_codes(const std::int64_t* indices, const FsqPlace* places, float* codes, Size n,
                    Size d);

}  // namespace latent::device

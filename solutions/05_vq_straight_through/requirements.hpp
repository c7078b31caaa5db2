/// @file
/// What several .device.cpp files of labs 05, 06 and 10 demand of their callers, in the words of
/// the plain solutions.
#pragma once

#include "common/require.hpp"
#include "common/types.hpp"

namespace latent {

/// What `nearest_code` demands.
/// @param z         Rows, shape `[N, D]`.
/// @param codebook  Codes, shape `[K, D]`.
/// @throws std::invalid_argument  as `nearest_code` does.
inline void require_rows_and_codes(const Matrix& z, const Matrix& codebook) {
  require(codebook.rows() > 0, "nearest_code: expected at least one code, got none");
  require_size(codebook.cols(), z.cols(), "nearest_code: columns of codebook");
  require(z.allFinite() && codebook.allFinite(),
          "nearest_code: expected finite numbers, got one that is infinite or none at all");
}

/// One index for each row, and each that of a code.
/// @param indices  What was given.
/// @param rows     N.
/// @param codes    K.
/// @param caller   The function that demands it.
/// @throws std::invalid_argument  if not.
inline void require_indices(const std::vector<std::int64_t>& indices, Index rows, Index codes,
                            const std::string& caller) {
  require_size(static_cast<Index>(indices.size()), rows, caller + ": number of indices");
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codes, caller + ": expected an index below " + std::to_string(codes) +
                                     ", got " + std::to_string(k));
  }
}

/// What the terms of the loss demand of rows and beta.
/// @param z_e     Rows.
/// @param beta    Weight of the commitment term.
/// @param caller  The function that demands it.
/// @throws std::invalid_argument  if there is no element, or beta is negative.
inline void require_loss_arguments(const Matrix& z_e, double beta, const std::string& caller) {
  require(z_e.size() > 0, caller + ": expected at least one element, got " + shape_of(z_e));
  require(beta >= 0.0, caller + ": expected beta >= 0, got " + std::to_string(beta));
}

}  // namespace latent

/// @file
/// Lab 07, finite scalar quantization (FSQ). This header is the contract: read it, do not edit it.
/// What you write goes into the numbered .cpp files beside it.
///
/// Letters: N samples (rows), D latent dimensions, L levels of one dimension, h = floor(L / 2).
/// A *code* is a multiple of 1/h from [-1, 1], a *digit* the same thing counted from 0, an *index*
/// all digits of a row as one number.
///
/// Every dimension has 3 to 999 levels (2 to 999 in 7.7). A function that takes levels refuses
/// others, with `std::invalid_argument`. (With 2 levels the shift below is 3.8, where tanh is flat;
/// above 999 the margin epsilon, multiplied by L - 1, comes to a whole step and miscounts.)
///
/// @see Mentzer, Minnen, Agustsson and Tschannen 2023, "Finite scalar quantization: VQ-VAE made
///      simple", arXiv:2309.15505.
#pragma once

#include <cstdint>
#include <vector>

#include "common/types.hpp"

namespace latent {

/// How many values each latent dimension may take, shape `[D]`: `{8, 5, 5, 5}`.
using Levels = std::vector<std::int64_t>;

// ---- 7.1 -----------------------------------------------------------------------------------

/// What one dimension with L levels looks like before rounding. All in steps: 1 is the distance
/// between two codes.
struct LevelGeometry {
  std::int64_t half_width = 0;  ///< h = floor(L / 2): rounding yields -h, ..., L - 1 - h.
  double offset = 0.0;          ///< 1/2 for even L, which has no middle level; 0 for odd L.
  double half_l = 0.0;          ///< (L - 1)(1 + epsilon) / 2 with epsilon = 1e-3: tanh's height.
  double shift = 0.0;           ///< artanh(offset / half_l): what makes 0 stay 0.
};

/// The four numbers that bound a latent to exactly L levels.
///
/// State, axis, trade-off: a count becomes a geometry, for one dimension; the margin epsilon lets
/// the outermost levels be reached with certainty and costs a little of their width.
///
/// The paper's published listing has (1 - epsilon) and a tangent in the shift; here it is
/// (1 + epsilon) and artanh, the inverse of tanh.
///
/// @param levels  L, from 3 to 999.
/// @return        For L = 4: 2, 0.5, 1.5015, 0.346199.
/// @throws std::invalid_argument  if L < 3 or L > 999.
LevelGeometry level_geometry(std::int64_t levels);

// ---- 7.2 -----------------------------------------------------------------------------------

/// Squashes every latent so that rounding can yield exactly L integers:
/// \f$ b = \texttt{half\_l}\,\tanh(z + \texttt{shift}) - \texttt{offset} \f$, column d with the
/// geometry of levels[d]. A latent of 0.3 becomes 0.959918 with 8 levels.
///
/// State, axis, trade-off: each element on its own, its column choosing the geometry; nothing
/// leaves the range of the codes, and the gradient fades where tanh is flat.
///
/// @param z       Latents, shape `[N, D]`, any finite value.
/// @param levels  Shape `[D]`.
/// @return        Shape `[N, D]`, in steps, not yet rounded.
/// @throws std::invalid_argument  if levels.size() differs from z's columns, or a level is not in
///                                3 to 999.
Matrix fsq_bound(const Matrix& z, const Levels& levels);

/// The backward pass of `fsq_bound`:
/// \f$ dz = db \cdot \texttt{half\_l}\,\big(1 - \tanh^2(z + \texttt{shift})\big) \f$.
/// @param dbounded  Gradient with respect to the result, shape `[N, D]`.
/// @param z         The input of the forward pass, same shape.
/// @param levels    Shape `[D]`.
/// @return          Gradient with respect to z, same shape; 0, not NaN, far out.
/// @throws std::invalid_argument  if the shapes differ, or as `fsq_bound` does.
Matrix fsq_bound_backward(const Matrix& dbounded, const Matrix& z, const Levels& levels);

// ---- 7.3 -----------------------------------------------------------------------------------

/// The quantizer: the bounded latent, rounded to the nearest integer (ties to even, as torch and
/// `std::rint` do) and divided by h. Calls `fsq_bound`.
///
/// (0.25, 0.6, -7) with levels (3, 5, 4) becomes (0, 0.5, -1).
///
/// State, axis, trade-off: each element becomes one of L codes; no codebook is stored or learned,
/// and no auxiliary loss is needed, but the grid of codes is fixed.
///
/// @param z       Latents, shape `[N, D]`, any finite value.
/// @param levels  Shape `[D]`.
/// @return        Codes, shape `[N, D]`: k / h for integers k from -h to L - 1 - h. So -1 is always
///                among them, and 1 for odd L only.
/// @throws std::invalid_argument  as `fsq_bound` does.
Matrix fsq_quantize(const Matrix& z, const Levels& levels);

/// Its backward pass, straight through the *rounding* and through nothing else:
/// \f$ dz = \frac{dq}{h}\,\texttt{half\_l}\,\big(1 - \tanh^2(z + \texttt{shift})\big) \f$.
/// With dq = 1, z = 0.3 and 8 levels it is 0.723787. Calls `fsq_bound_backward`.
/// @param dcodes  Gradient with respect to the codes, shape `[N, D]`.
/// @param z       The input of the forward pass, same shape.
/// @param levels  Shape `[D]`.
/// @return        Gradient with respect to z, same shape.
/// @throws std::invalid_argument  as `fsq_bound_backward` does.
Matrix fsq_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels);

// ---- 7.4 -----------------------------------------------------------------------------------

/// How many codes there are: the product of all levels. {8, 8, 8, 5, 5, 5} has 64,000.
/// @param levels  Shape `[D]`.
/// @return        The product, at most 2^63 - 1.
/// @throws std::invalid_argument  if a level is not in 3 to 999, or the product exceeds int64.
std::int64_t fsq_codebook_size(const Levels& levels);

/// One number per row: \f$ \sum_i g_i \prod_{j<i} L_j \f$ with the digits
/// \f$ g_i = \operatorname{rint}(q_i h_i) + h_i \f$. Dimension 0 is the least significant.
///
/// With levels {8, 5, 5, 5}, the codes (0.75, -0.5, 0, 1) have digits 7, 1, 2, 4 and index 895.
///
/// State, axis, trade-off: D codes become one token, along the last axis; a language model can read
/// it, at the price that neighbouring codes are no longer neighbouring numbers.
///
/// @param codes   Shape `[N, D]`. Floats seldom hold k / h exactly, so each is taken as the nearest
///                level; ties to even, as rint has it.
/// @param levels  Shape `[D]`.
/// @return        Indices from 0 to `fsq_codebook_size(levels)` - 1, shape `[N]`.
/// @throws std::invalid_argument  if levels.size() differs from the columns of codes, if a digit is
///                                not in 0 to L - 1 or not a number, or as `fsq_codebook_size`
///                                does.
std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels);

// ---- 7.5 -----------------------------------------------------------------------------------

/// The inverse of `codes_to_index`: digit i is \f$ \lfloor n / \prod_{j<i} L_j \rfloor \bmod L_i
/// \f$ and its code \f$ (g_i - h_i) / h_i \f$.
///
/// State, axis, trade-off: a token becomes D codes by arithmetic alone; where a VQ-VAE reads a row
/// of a table, FSQ needs no table.
///
/// @param indices  Shape `[N]`, each from 0 to `fsq_codebook_size(levels)` - 1.
/// @param levels   Shape `[D]`.
/// @return         Codes, shape `[N, D]`.
/// @throws std::invalid_argument  if an index is out of range, or as `fsq_codebook_size` does.
Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels);

// ---- 7.6 -----------------------------------------------------------------------------------

/// Some rows of the codebook that FSQ implies: row r is the code of index first + r.
///
/// Only the rows asked for are made. A codebook of 4^16 entries of 16 floats would take 275 GB; its
/// last three rows take 192 bytes. So the size of the whole is no reason to refuse, as long as it
/// fits in int64.
///
/// State, axis, trade-off: a range of indices becomes rows; time and memory grow with count, never
/// with the number of codes.
///
/// @param levels  Shape `[D]`.
/// @param first   The first index, at least 0.
/// @param count   How many rows, at least 0; first + count is at most `fsq_codebook_size(levels)`.
/// @return        Shape `[count, D]`.
/// @throws std::invalid_argument  if the range does not lie in the codebook (however large the two
///                                numbers are), or as `fsq_codebook_size` does.
Matrix implicit_codebook(const Levels& levels, std::int64_t first, std::int64_t count);

// ---- 7.7 -----------------------------------------------------------------------------------

/// A later variant: L codes spread evenly over [-1, 1], both ends included, for even L too:
/// \f$ q = \frac{2}{L-1} \big\lfloor \tfrac{L-1}{2}(\tanh z + 1) + \tfrac12 \big\rfloor - 1 \f$.
/// No offset, no shift, no margin. A latent of 0.3 becomes 0.333333 with 4 levels.
///
/// State, axis, trade-off: each element becomes one of L codes; the grid is symmetric, but for even
/// L it has no 0, and a latent of 0 lies on a tie (which the floor takes upwards).
///
/// @param z       Latents, shape `[N, D]`, any finite value.
/// @param levels  Shape `[D]`, here from *2* to 999.
/// @return        Codes, shape `[N, D]`.
/// @throws std::invalid_argument  if levels.size() differs from z's columns, or a level is not in
///                                2 to 999.
/// @see arXiv:2411.19842.
Matrix symmetric_quantize(const Matrix& z, const Levels& levels);

/// Its backward pass, straight through the rounding: the scale and its inverse cancel, and
/// \f$ dz = dq\,(1 - \tanh^2 z) \f$ remains.
/// @param dcodes  Gradient with respect to the codes, shape `[N, D]`.
/// @param z       The input of the forward pass, same shape.
/// @param levels  Shape `[D]`.
/// @return        Gradient with respect to z, same shape.
/// @throws std::invalid_argument  if the shapes differ, or as `symmetric_quantize` does.
Matrix symmetric_quantize_backward(const Matrix& dcodes, const Matrix& z, const Levels& levels);

}  // namespace latent

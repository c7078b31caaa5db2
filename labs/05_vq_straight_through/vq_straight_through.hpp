/// @file
/// Lab 05, vector quantization with a straight-through gradient. This header is the contract: read
/// it, do not edit it. What you write goes into the numbered .cpp files beside it.
///
/// Letters: N rows (one latent vector each), D numbers in a row, K codes in the codebook, which is
/// a matrix with one code per row, `[K, D]`. z_e is what the encoder puts out, z_q what the decoder
/// gets. e(n) is the code that row n was given: row indices[n] of the codebook. Indices count from
/// 0. sg[.] is the stop-gradient: its value is its argument's, its gradient 0.
#pragma once

#include <cstdint>
#include <vector>

#include "common/types.hpp"

namespace latent {

// ---- 5.1 -----------------------------------------------------------------------------------

/// The squared Euclidean distance of every row to every code:
/// \f$ d_{nk} = \sum_i (z_{ni} - e_{ki})^2 \f$.
///
/// Keeps its digits where a row and a code lie close together and far from 0: around 1000, a
/// distance of 0.01 is still right. Never negative, not rooted.
///
/// State, axis, trade-off: two sets of vectors become a table, the D axis is summed away; the
/// expansion \f$ |z|^2 - 2 z \cdot e + |e|^2 \f$ is a fast matrix product and loses in float what
/// the difference keeps.
///
/// @param z         Rows, shape `[N, D]`; N may be 0.
/// @param codebook  Codes, shape `[K, D]`; K may be 0.
/// @return          Shape `[N, K]`, in squared units of z.
/// @throws std::invalid_argument  if z and codebook differ in columns.
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook);

// ---- 5.2 -----------------------------------------------------------------------------------

/// The index of the nearest code of every row: \f$ k(n) = \arg\min_k d_{nk} \f$. Of several codes
/// at the same distance, the one with the lowest index.
///
/// State, axis, trade-off: a vector becomes one of K numbers, row by row: D floats become log2 K
/// bits, and everything but the number is lost.
///
/// @param z         Rows, shape `[N, D]`, finite; N may be 0.
/// @param codebook  Codes, shape `[K, D]`, finite, K at least 1.
/// @return          N indices from 0 to K - 1.
/// @throws std::invalid_argument  if z and codebook differ in columns, if there is no code, or if
///                                an element of either is infinite or no number.
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook);

// ---- 5.3 -----------------------------------------------------------------------------------

/// Every position of a feature map becomes a row: row \f$ (n H + h) W + w \f$ holds the C channels
/// of sample n at (h, w). In PyTorch `z.permute(0, 2, 3, 1).reshape(-1, C)`.
///
/// State, axis, trade-off: the channel axis becomes the last one and the other three become one; no
/// value changes, every one but a few moves.
///
/// @param z  Shape `[N, C, H, W]`; a size may be 0.
/// @return   Shape `[N * H * W, C]`. Throws nothing.
Matrix rows_from_nchw(const Tensor4& z);

/// The way back: element (n, c, h, w) is element \f$ ((n H + h) W + w,\; c) \f$ of the rows.
/// @param rows   Shape `[N * H * W, C]`.
/// @param shape  `{N, C, H, W}`, the shape of the result.
/// @return       The feature map.
/// @throws std::invalid_argument  if shape is not four sizes, one of them is negative, or rows is
///                                not `[N * H * W, C]`.
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape);

// ---- 5.4 -----------------------------------------------------------------------------------

/// What a quantizer puts out.
struct VqOutput {
  Matrix z_q;                         ///< The chosen codes, shape `[N, D]`.
  std::vector<std::int64_t> indices;  ///< Which codes they are, shape `[N]`.
};

/// Replaces every row by its nearest code: \f$ z_q(n) = e_{k(n)} \f$ with `nearest_code`'s k(n).
///
/// Each output row is a row of the codebook bit for bit. `z_e + (z_q - z_e)`, which is how the
/// straight-through gradient is written where a framework differentiates, rounds twice on the way;
/// here the gradient is a function of its own, so nothing has to be added.
///
/// State, axis, trade-off: continuous rows become rows out of a list of K; the decoder gets a
/// vocabulary, and pays with the distance to the next word.
///
/// @param z_e       The encoder's output, shape `[N, D]`; N may be 0.
/// @param codebook  Shape `[K, D]`, K at least 1.
/// @return          Codes and indices.
/// @throws std::invalid_argument  as `nearest_code` does.
/// @see van den Oord, Vinyals and Kavukcuoglu 2017, "Neural discrete representation learning",
///      arXiv:1711.00937.
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook);

/// What goes back to the two inputs of a quantizer.
struct VqInputGradients {
  Matrix z_e;       ///< Gradient with respect to the encoder's output, shape `[N, D]`.
  Matrix codebook;  ///< Gradient with respect to the codes, shape `[K, D]`.
};

/// The straight-through backward pass: \f$ dz_e = dz_q \f$ and \f$ d\text{codebook} = 0 \f$, as if
/// quantization had not happened. This is a decision, not a derivative.
/// @param dz_q      Gradient with respect to z_q, shape `[N, D]`; N may be 0.
/// @param z_e       As in the forward pass, same shape.
/// @param codebook  As in the forward pass, shape `[K, D]`.
/// @return          Both gradients, zeros included.
/// @throws std::invalid_argument  if dz_q and z_e differ in shape, or z_e and codebook in columns.
/// @see Bengio, Leonard and Courville 2013, "Estimating or propagating gradients through stochastic
///      neurons for conditional computation", arXiv:1308.3432.
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook);

// ---- 5.5 -----------------------------------------------------------------------------------

/// The loss of a VQ-VAE, term by term as the terms stand in the sum.
struct VqLosses {
  double reconstruction = 0.0;  ///< As given.
  double codebook = 0.0;        ///< mean (sg[z_e] - e)^2, which moves the codes.
  double commitment = 0.0;      ///< beta mean (z_e - sg[e])^2, which moves the encoder.
  double total = 0.0;           ///< Their sum.
};

/// \f$ L = L_\text{rec} + \frac{1}{ND}\sum_{ni} (\text{sg}[z_{ni}] - e_{ni})^2
///     + \beta\,\frac{1}{ND}\sum_{ni} (z_{ni} - \text{sg}[e_{ni}])^2 \f$.
///
/// Reduction: the mean over all N·D elements, in both terms; a stop-gradient changes no value.
///
/// State, axis, trade-off: a batch becomes three numbers; beta says how much the encoder has to
/// stay near its codes, against how well it may reconstruct.
///
/// @param reconstruction  The mean squared reconstruction error, computed elsewhere.
/// @param z_e             The encoder's output, shape `[N, D]`, not empty.
/// @param codebook        Shape `[K, D]`.
/// @param indices         Which code each row was given, shape `[N]`; used as they are, whether or
///                        not that code is the nearest.
/// @param beta            Weight of the commitment term, at least 0; 0.25 is usual.
/// @return                The three terms and their sum, accumulated in double.
/// @throws std::invalid_argument  if z_e has no element, z_e and codebook differ in columns, there
///                                are more or fewer indices than rows, an index is not from 0 to
///                                K - 1, or beta is negative.
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta);

// ---- 5.6 -----------------------------------------------------------------------------------

/// Who receives what: three terms times two receivers. Three of the six are zero, and are returned.
struct VqGradients {
  VqInputGradients reconstruction;  ///< Of the reconstruction, straight through.
  VqInputGradients codebook;        ///< Of the codebook term.
  VqInputGradients commitment;      ///< Of the commitment term, beta included.
};

/// The gradients of the three terms of `vq_losses`, kept apart.
///
/// \f$ \text{codebook}.\text{codebook}_k = \frac{2}{ND}\sum_{n:\,k(n)=k} (e_k - z_n) \f$,
/// \f$ \text{commitment}.z_e = \frac{2\beta}{ND}(z_e - e) \f$, and reconstruction is what
/// `vq_straight_through_backward` makes of dz_q. The other three are zeros of the right shape.
///
/// State, axis, trade-off: one batch becomes six gradients; rows that share a code add up on it,
/// and a code that no row was given receives nothing.
///
/// @param dz_q      Gradient of the reconstruction loss with respect to z_q, shape `[N, D]`.
/// @param z_e       The encoder's output, same shape, not empty.
/// @param codebook  Shape `[K, D]`.
/// @param indices   As in `vq_losses`.
/// @param beta      As in `vq_losses`.
/// @return          All six.
/// @throws std::invalid_argument  as `vq_losses` does, and if dz_q and z_e differ in shape.
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta);

// ---- 5.7 (stretch) -------------------------------------------------------------------------

/// A loss of rows and codes with its gradients.
struct VqObjective {
  double value = 0.0;  ///< L.
  Matrix z_e;          ///< With respect to the encoder's output, shape `[N, D]`.
  Matrix codebook;     ///< With respect to the codes, shape `[K, D]`.
};

/// Two ways to pull rows and codes together.
struct NaiveLossEquivalence {
  VqObjective naive;    ///< mean (z_e - e)^2, no stop-gradient, no beta.
  VqObjective stopped;  ///< mean (sg[z_e] - e)^2 + beta mean (z_e - sg[e])^2.
};

/// Puts the plain loss beside the one with stop-gradients, for you to compare them.
///
/// It is said that without the stop-gradients rows and codes chase each other. Look at both
/// gradients for beta = 1 and judge.
///
/// State, axis, trade-off: one batch becomes two losses with all their gradients; reduction: the
/// mean over all N·D elements.
///
/// @param z_e       The encoder's output, shape `[N, D]`, not empty.
/// @param codebook  Shape `[K, D]`.
/// @param indices   As in `vq_losses`.
/// @param beta      As in `vq_losses`; enters `stopped` only.
/// @return          Value and gradients of both, the terms of `stopped` added up.
/// @throws std::invalid_argument  as `vq_losses` does.
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta);

}  // namespace latent

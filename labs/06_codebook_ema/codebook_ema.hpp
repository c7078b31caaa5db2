/// @file
/// Lab 06, a codebook that lives: codes as moving averages, and what to do with those that nobody
/// uses. This header is the contract: read it, do not edit it. What you write goes into the
/// numbered .cpp files beside it.
///
/// Letters: N rows, D numbers in a row, K codes, as in lab 05, and e_k for code k. With an index, N
/// is something else: N_k is the running size of cluster k, m_k the running sum of its rows. n_k
/// and s_k are the same of one batch alone. gamma is the decay.
#pragma once

#include <cstdint>
#include <vector>

#include "common/types.hpp"
#include "vq_straight_through.hpp"

namespace latent {

// ---- 6.1 -----------------------------------------------------------------------------------

/// How many codes take part.
struct CodebookUsage {
  std::int64_t used = 0;  ///< Codes that occur at least once.
  double share = 0.0;     ///< used / K, from 0 to 1.
};

/// Counts the codes that occur among the indices.
///
/// State, axis, trade-off: N indices become a number from 0 to K; a code that occurs once counts
/// as much as one that occurs everywhere.
///
/// @param indices        From 0 to K - 1, in any order; there may be none.
/// @param codebook_size  K, at least 1.
/// @return               How many different ones there are, and their share of K.
/// @throws std::invalid_argument  if codebook_size is below 1, or an index is not from 0 to K - 1.
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size);

/// How many codes take part, weighted by how often: the exponential of the entropy,
/// \f$ \exp\!\big(-\sum_k p_k \ln p_k\big) \f$ with \f$ p_k = n_k / N \f$ and \f$ 0 \ln 0 = 0 \f$.
///
/// From 1 (one code has everything) to K (all are equally frequent).
///
/// State, axis, trade-off: N indices become one number, a mean over the codes; it belongs to these
/// indices: the perplexity of a batch is not that of a data set.
///
/// @param indices        From 0 to K - 1, at least one.
/// @param codebook_size  K, at least 1.
/// @return               The perplexity; its log2 is the bits per index that are really used.
/// @throws std::invalid_argument  as `codebook_usage` does, and if there is no index.
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size);

// ---- 6.2 -----------------------------------------------------------------------------------

/// Of each code's rows, how many and what sum: of one batch, or a running average of that.
struct ClusterStats {
  DoubleVector size;  ///< n_k or N_k, shape `[K]`.
  Matrix sum;         ///< s_k or m_k, shape `[K, D]`.
};

/// \f$ n_k = \#\{n : k(n) = k\} \f$ and \f$ s_k = \sum_{n:\,k(n) = k} z_n \f$: what one batch says
/// about each code.
///
/// Reduction: sums, not means. A code without rows has size 0 and a sum of zeros.
///
/// State, axis, trade-off: N rows become K sums, the batch axis is summed away in K groups; which
/// row went where is forgotten.
///
/// @param z              Rows, shape `[N, D]`; N may be 0.
/// @param indices        Which code each row was given, shape `[N]`.
/// @param codebook_size  K, at least 1.
/// @return               Sizes and sums of all K codes.
/// @throws std::invalid_argument  if codebook_size is below 1, there are more or fewer indices than
///                                rows, or an index is not from 0 to K - 1.
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size);

// ---- 6.3 -----------------------------------------------------------------------------------

/// One step of both running averages: \f$ N_k \leftarrow \gamma N_k + (1 - \gamma)\, n_k \f$ and
/// \f$ m_k \leftarrow \gamma m_k + (1 - \gamma)\, s_k \f$, for every code, rows or no rows.
///
/// State, axis, trade-off: K sizes and sums move towards the batch's, element by element; the past
/// weighs about 1 / (1 - gamma) batches.
///
/// @param average  N and m before, K sizes and `[K, D]` sums.
/// @param batch    n and s, of the same shapes.
/// @param decay    gamma, at least 0 and below 1; 0.99 is usual.
/// @return         N and m after.
/// @throws std::invalid_argument  if average and batch differ in shape, or decay is not in [0, 1).
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay);

// ---- 6.4 -----------------------------------------------------------------------------------

/// Sizes that may be divided by: \f$ \tilde N_k = \dfrac{N_k + \epsilon}{S + K \epsilon}\, S \f$
/// with \f$ S = \sum_k N_k \f$. They have the sum of the sizes that came; if that is 0, all are 0.
///
/// State, axis, trade-off: K sizes become K sizes, along the axis of the codes; nothing is 0 any
/// more, and every code is a little off for it.
///
/// @param size     N, shape `[K]`, none negative.
/// @param epsilon  Above 0; 1e-5 is usual.
/// @return         The smoothed sizes, shape `[K]`.
/// @throws std::invalid_argument  if a size is negative or no number, or epsilon is not above 0.
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon);

// ---- 6.5 -----------------------------------------------------------------------------------

/// The codes that the averages stand for: \f$ e_k = m_k / \tilde N_k \f$, with `laplace_smooth`'s
/// sizes.
///
/// State, axis, trade-off: K sums become K means, row by row; no gradient and no learning rate, and
/// a code that got no rows for long shrinks towards 0.
///
/// @param average  N and m; K sizes and `[K, D]` sums.
/// @param epsilon  As in `laplace_smooth`.
/// @return         The codebook, shape `[K, D]`.
/// @throws std::invalid_argument  if there are not as many sums as sizes, if no size is above 0,
///                                and as `laplace_smooth` does.
Matrix codebook_from_ema(const ClusterStats& average, double epsilon);

// ---- 6.6 -----------------------------------------------------------------------------------

/// Which codes are dead: those with \f$ N_k < \theta\, N / K \f$, fewer than a share theta of the
/// rows that each would get if all were used alike. As long as
/// \f$ \text{updates} \le 1 / (1 - \gamma) \f$ none is: an average that young says nothing yet.
///
/// State, axis, trade-off: K sizes become K yes or no, code by code; a high threshold keeps the
/// codebook busy and never lets it rest.
///
/// @param size       N_k, shape `[K]`.
/// @param rows       N, the rows of a batch, at least 1.
/// @param updates    How often the averages have been updated, at least 0.
/// @param decay      gamma, at least 0 and below 1.
/// @param threshold  theta, at least 0; we use 0.1.
/// @return           For each code 1 if it is dead, else 0; shape `[K]`.
/// @throws std::invalid_argument  if rows is below 1, updates or threshold is negative, or decay is
///                                not in [0, 1).
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold);

// ---- 6.7 -----------------------------------------------------------------------------------

/// A codebook with its memory.
struct EmaCodebook {
  Matrix codebook;           ///< e, shape `[K, D]`.
  ClusterStats average;      ///< N and m, K sizes and `[K, D]` sums.
  std::int64_t updates = 0;  ///< How often the averages have been updated.
};

/// Puts every dead code where a row is, memory included: \f$ e_k = z_{i} \f$, \f$ N_k = r \f$,
/// \f$ m_k = r\, e_k \f$ with \f$ r = N / K \f$, what each code would get if all were used alike.
///
/// The first dead code (lowest index) takes row order[0], the second order[1], and so on. Where
/// order is shorter than that, the rest stays dead: two codes in one place are one code. Codes that
/// live, and the number of updates, stay as they are.
///
/// State, axis, trade-off: some rows of the codebook are replaced, all others untouched; what the
/// code had learned is given up.
///
/// @param state  The codebook.
/// @param dead   For each code 1 if it is dead, else 0; shape `[K]`.
/// @param z      The encoder's output, shape `[N, D]`.
/// @param order  Row numbers of z, usually a random permutation of all; may be of any length.
/// @return       The codebook after revival.
/// @throws std::invalid_argument  if the parts of state, or dead, or z do not fit the codebook, or
///                                an element of order is not from 0 to N - 1.
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order);

// ---- 6.8 -----------------------------------------------------------------------------------

/// The constants of a living codebook.
struct EmaOptions {
  double decay = 0.99;     ///< gamma.
  double epsilon = 1e-5;   ///< Of `laplace_smooth`.
  double threshold = 0.1;  ///< theta, of `dead_mask`.
  double beta = 0.25;      ///< Weight of the commitment term.
};

/// What one step puts out.
struct EmaStep {
  VqOutput output;          ///< Codes and indices for the decoder.
  double commitment = 0.0;  ///< beta mean (z_e - sg[e])^2, the only term of the loss here.
  EmaCodebook state;        ///< The codebook afterwards.
};

/// One step of a quantizer whose codes are averages.
///
/// In this order: rows are assigned to the codebook that came, output and commitment are computed
/// with it; then the averages are updated, then the codes, the number of updates grows by one; then
/// dead codes are revived from z_e. Without training, nothing after the output happens.
///
/// State, axis, trade-off: a batch passes through a codebook and changes it for the next one; the
/// codes need no gradient, and the function has a memory.
///
/// @param z_e       The encoder's output, shape `[N, D]`, not empty.
/// @param state     The codebook, K at least 1.
/// @param order     As in `revive`.
/// @param options   The constants.
/// @param training  Whether the codebook learns; if not, it comes back as it was.
/// @return          Output, commitment term, codebook afterwards.
/// @throws std::invalid_argument  as `vq_straight_through`, `vq_losses` and, in training,
///                                `ema_decay`, `codebook_from_ema`, `dead_mask` and `revive` do.
/// @see van den Oord, Vinyals and Kavukcuoglu 2017, "Neural discrete representation learning",
///      arXiv:1711.00937, appendix A.1.
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training);

// ---- 6.9 (stretch) -------------------------------------------------------------------------

/// A codebook that starts where the rows are: Lloyd's k-means, and a memory that fits it.
///
/// The first centroids are rows order[0] to order[K - 1]. Each iteration assigns every row to its
/// nearest centroid and moves the centroids to the means of their rows; one without rows stays.
/// After the last iteration the rows are assigned once more, and counted: \f$ N_k \f$ is the count,
/// or 1 where there is no row, and \f$ m_k = N_k\, e_k \f$, so that the averages stand for the
/// codes. The number of updates is 0.
///
/// State, axis, trade-off: N rows become K means and K counts; the start costs a few passes over
/// one batch, and finds a local optimum of it.
///
/// @param z              Rows, shape `[N, D]`, finite.
/// @param codebook_size  K, at least 1.
/// @param order          Row numbers of z, at least K, usually a random permutation; the first K
///                       are used.
/// @param iterations     At least 0.
/// @return               The codebook.
/// @throws std::invalid_argument  if codebook_size is below 1, iterations is negative, order is
///                                shorter than K or one of its elements is not from 0 to N - 1,
///                                and as `nearest_code` does.
/// @see Lloyd 1982, "Least squares quantization in PCM", IEEE Trans. on Information Theory 28.
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations);

}  // namespace latent

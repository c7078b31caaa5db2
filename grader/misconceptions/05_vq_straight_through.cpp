// Wrong answers to lab 05 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   pairwise_sqdist expanded in double without a clamp: it errs by 1e-9 where floats err by 0.1,
//   and
//     the contract's digits do not show that.
//   pairwise_sqdist with 1e-6 added to every difference, as torch.nn.PairwiseDistance does: only in
//     the smallest distances does it show, below what the comparison of replies can see.
//   nearest_code by the expansion in float: where it picks another code than the nearest, that code
//     is as near as a float can tell, and counts as right; the table of distances is where it
//     shows.
//   int32 overflow of N * K, ties decided by a race on the GPU: nothing here is that large, or
//     parallel.
//   rows_from_nchw by a view of memory that is not contiguous: a Tensor4 always is.
//   indices of shape [B, 1]: a vector has one axis.
//   vq_losses or vq_gradients with sums or means chosen by an argument: the contract has one
//     reduction.
//   naive_loss_equivalence that checks z only: it checks nothing, it returns both gradients; the
//   one
//     that leaves the codes out is below.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "vq_straight_through.hpp"

namespace solution = latent;

namespace latent {

// ---- 5.1 pairwise_sqdist -----------------------------------------------------------------------

namespace rooted {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require_size(codebook.cols(), z.cols(), "columns of codebook");
  Matrix distances(z.rows(), codebook.rows());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index k = 0; k < codebook.rows(); ++k) {
      distances(n, k) = (z.row(n) - codebook.row(k)).norm();
    }
  }
  return distances;
}
}  // namespace rooted
MISCONCEPTION(
    rooted, pairwise_sqdist, "sqdist.rooted",
    "You returned distances. The contract asks for their squares: no root.",
    "torch.cdist returns the root, and for finding the nearest code it makes no "
    "difference, since the root keeps the order. It costs K roots per row, its derivative "
    "is infinite at 0, and the losses of 5.5 are made of squares.")

namespace expanded {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require_size(codebook.cols(), z.cols(), "columns of codebook");
  Matrix distances(z.rows(), codebook.rows());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index k = 0; k < codebook.rows(); ++k) {
      const float product = z.row(n).dot(codebook.row(k));
      const float sum = z.row(n).squaredNorm() - 2.0F * product + codebook.row(k).squaredNorm();
      distances(n, k) = std::max(sum, 0.0F);
    }
  }
  return distances;
}
}  // namespace expanded
MISCONCEPTION(
    expanded, pairwise_sqdist, "sqdist.expanded-in-float",
    "You multiplied the square out in float. Far from 0 its three terms are huge and nearly "
    "cancel, "
    "and nothing of the distance is left: subtract first, then square.",
    "Around (1000, 1000) the terms are 2,000,000, and neighbouring floats there are 0.125 apart: "
    "a distance of 0.0001 is computed as 0, and so is every other one below 0.06. All codes look "
    "equally near, and the first one wins. Codebooks of real models are close to 0, which is why "
    "the expansion, a matrix product and therefore fast, serves them well. Done in double it would "
    "serve here too.")

namespace expanded_unclamped {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require_size(codebook.cols(), z.cols(), "columns of codebook");
  Matrix distances(z.rows(), codebook.rows());
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index k = 0; k < codebook.rows(); ++k) {
      const float product = z.row(n).dot(codebook.row(k));
      distances(n, k) = z.row(n).squaredNorm() - 2.0F * product + codebook.row(k).squaredNorm();
    }
  }
  return distances;
}
}  // namespace expanded_unclamped
MISCONCEPTION(
    expanded_unclamped, pairwise_sqdist, "sqdist.negative",
    "You multiplied the square out in float, and rounding made some of the squares negative. "
    "Subtract first, then square.",
    "|z|^2 - 2 z.e + |e|^2 is a difference of large numbers where z and e are close together and "
    "far from 0, and each of them is rounded. A negative square is harmless in an argmin and NaN "
    "under a root; a clamp at 0 hides it without bringing the digits back.")

namespace plus_product {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  Matrix distances = solution::pairwise_sqdist(z, codebook);
  return distances + 4.0F * z * codebook.transpose();
}
}  // namespace plus_product
MISCONCEPTION(
    plus_product, pairwise_sqdist, "sqdist.sum-squared",
    "The product has the wrong sign: what came out is |z + e|^2, not |z - e|^2.",
    "With |z|^2 + 2 z.e + |e|^2 the nearest code is the one that lies opposite. For codes "
    "at right angles to the row nothing is seen.")

namespace no_code_norm {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  Matrix distances = solution::pairwise_sqdist(z, codebook);
  distances.rowwise() -= codebook.rowwise().squaredNorm().transpose();
  return distances;
}
}  // namespace no_code_norm
MISCONCEPTION(
    no_code_norm, pairwise_sqdist, "sqdist.code-norm-missing",
    "|e|^2 is missing: what came out is |z|^2 - 2 z.e.",
    "Without |e|^2 the longest code that points roughly the right way wins. For z = (1, 0) "
    "and codes (1, 0) and (5, 0) it is the second, at a distance of 4, that looks nearest. "
    "Only where all codes have one length may the term be left out.")

namespace no_row_norm {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  Matrix distances = solution::pairwise_sqdist(z, codebook);
  distances.colwise() -= z.rowwise().squaredNorm();
  return distances;
}
}  // namespace no_row_norm
MISCONCEPTION(no_row_norm, pairwise_sqdist, "sqdist.row-norm-missing",
              "|z|^2 is missing. It changes no argmin, but these are distances no more.",
              "|z|^2 is the same for all codes of a row, so implementations that only look for the "
              "nearest one leave it out. The contract promises squared distances, which are never "
              "negative.")

namespace norm_per_row {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require_size(codebook.cols(), z.cols(), "columns of codebook");
  Matrix distances = -2.0F * z * codebook.transpose();
  distances.colwise() += z.rowwise().squaredNorm();
  distances.colwise() += codebook.rowwise().squaredNorm();
  return distances;
}
}  // namespace norm_per_row
MISCONCEPTION(
    norm_per_row, pairwise_sqdist, "sqdist.code-norm-per-row",
    "|e|^2 was added along the wrong axis: it belongs to a column of the table, and you "
    "added it row by row.",
    "With as many rows as codes the shapes fit either way and nothing complains; with other "
    "numbers Eigen stops it. Each axis of the table has its own norm: rows |z|^2, columns "
    "|e|^2.")

namespace city_blocks {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  Matrix distances = solution::pairwise_sqdist(z, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index k = 0; k < codebook.rows(); ++k) {
      distances(n, k) = (z.row(n) - codebook.row(k)).cwiseAbs().sum();
    }
  }
  return distances;
}
}  // namespace city_blocks
MISCONCEPTION(
    city_blocks, pairwise_sqdist, "sqdist.l1",
    "You added up absolute differences. Squares are asked for.",
    "L1 and Euclid disagree about which code is nearest: from (0, 0), (1.2, 0) is nearer "
    "than (0.8, 0.8) by L1, 1.2 against 1.6, and farther by Euclid, 1.44 against 1.28. The "
    "codebook term is a squared error, and its minimum is the mean of the rows only if "
    "the assignment goes by the same distance.")

namespace mean_over_dimensions {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  return solution::pairwise_sqdist(z, codebook) / static_cast<float>(z.cols());
}
}  // namespace mean_over_dimensions
MISCONCEPTION(mean_over_dimensions, pairwise_sqdist, "sqdist.mean-over-dimensions",
              "You averaged over the D numbers of a row. A squared distance is their sum.",
              "The mean belongs to the losses of 5.5. Here it leaves the nearest code what it was "
              "and makes every distance D times too small; with D = 1 nothing is seen.")

namespace half_square {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  return 0.5F * solution::pairwise_sqdist(z, codebook);
}
}  // namespace half_square
MISCONCEPTION(half_square, pairwise_sqdist, "sqdist.halved",
              "Every distance is half of what it should be: there is no 1/2 in the contract.",
              "The 1/2 is a habit from losses, where it cancels the 2 of the derivative. It keeps "
              "the order of the codes.")

namespace transposed_table {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  return solution::pairwise_sqdist(codebook, z);
}
}  // namespace transposed_table
MISCONCEPTION(
    transposed_table, pairwise_sqdist, "sqdist.transposed",
    "The table is [K, N]. Rows of z come first: [N, K].",
    "Distance is symmetric, so the numbers are all there, in each other's places. With N = "
    "K an argmin over the wrong axis goes unnoticed: it finds the nearest row for every "
    "code.")

namespace pairs_only {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  const Matrix all = solution::pairwise_sqdist(z, codebook);
  const Index pairs = std::min(z.rows(), codebook.rows());
  Matrix distances(pairs, 1);
  for (Index n = 0; n < pairs; ++n) distances(n, 0) = all(n, n);
  return distances;
}
}  // namespace pairs_only
MISCONCEPTION(
    pairs_only, pairwise_sqdist, "sqdist.row-with-row",
    "You compared row n with code n. Every row is compared with every code.",
    "In torch, pairwise_distance pairs the rows of two batches, cdist makes the table. The "
    "name of this function means all pairs.")

namespace empty_table_refused {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  require(z.size() > 0 && codebook.size() > 0, "at least one row and one code are needed");
  return solution::pairwise_sqdist(z, codebook);
}
}  // namespace empty_table_refused
MISCONCEPTION(empty_table_refused, pairwise_sqdist, "sqdist.empty-refused",
              "A batch or a codebook without rows was refused. The table is then simply empty.",
              "No question is asked of an empty table here, so nothing can go wrong. nearest_code "
              "is where the missing code matters, and where it is refused.")

namespace common_columns {
Matrix pairwise_sqdist(const Matrix& z, const Matrix& codebook) {
  const Index common = std::min(z.cols(), codebook.cols());
  return solution::pairwise_sqdist(z.leftCols(common), codebook.leftCols(common));
}
}  // namespace common_columns
MISCONCEPTION(
    common_columns, pairwise_sqdist, "sqdist.columns-unchecked",
    "Rows and codes of different dimension were accepted. Their columns have to agree.",
    "A loop over the smaller number of columns finds a distance in every case, and it is "
    "that of a projection. The usual cause is a map whose channels are not last, and that "
    "is exactly what should be found here.")

// ---- 5.2 nearest_code --------------------------------------------------------------------------

namespace farthest {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(codebook.rows() > 0 && codebook.cols() == z.cols(), "codes do not fit");
  require(z.allFinite() && codebook.allFinite(), "not finite");
  std::vector<std::int64_t> indices;
  for (Index n = 0; n < z.rows(); ++n) {
    Index best = 0;
    float most = -1.0F;
    for (Index k = 0; k < codebook.rows(); ++k) {
      const float distance = (z.row(n) - codebook.row(k)).squaredNorm();
      if (distance > most) best = k;
      most = std::max(most, distance);
    }
    indices.push_back(best);
  }
  return indices;
}
}  // namespace farthest
MISCONCEPTION(
    farthest, nearest_code, "nearest.farthest",
    "You took the largest distance. The smallest one is wanted.",
    "Code that compares similarities takes the maximum, code that compares distances the "
    "minimum. Some libraries store the negative distance in order to call it a similarity, "
    "which is where the two get mixed up.")

namespace last_of_ties {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  const Matrix distances = solution::pairwise_sqdist(z, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    auto& best = indices[static_cast<std::size_t>(n)];
    for (Index k = 0; k < codebook.rows(); ++k) {
      if (distances(n, k) <= distances(n, best)) best = k;
    }
  }
  return indices;
}
}  // namespace last_of_ties
MISCONCEPTION(
    last_of_ties, nearest_code, "nearest.last-of-ties",
    "Of equally near codes you took the last. The lowest index is asked for.",
    "<= lets a later code of the same distance replace the first, < does not. Duplicate "
    "codes are no curiosity: codes that start at 0, or are revived from the same row, are "
    "equal. An encoder and a decoder on two machines must agree about them.")

namespace by_angle {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    float most = -2.0F;
    for (Index k = 0; k < codebook.rows(); ++k) {
      const float norms = z.row(n).norm() * codebook.row(k).norm();
      const float cosine = z.row(n).dot(codebook.row(k)) / std::max(norms, 1e-8F);
      if (cosine > most) indices[static_cast<std::size_t>(n)] = k;
      most = std::max(most, cosine);
    }
  }
  return indices;
}
}  // namespace by_angle
MISCONCEPTION(by_angle, nearest_code, "nearest.cosine",
              "You compared angles. The nearest code is the one at the smallest distance.",
              "Normalised codebooks are a variant that many tokenizers use; there rows and codes "
              "both have length 1, and angle and distance agree. With codes of different lengths "
              "they do not: (1, 1.2) is near (0.1, 0), and its angle is nearer to (0, 5).")

namespace by_product {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  const Matrix products = z * codebook.transpose();
  for (Index n = 0; n < z.rows(); ++n) {
    products.row(n).maxCoeff(&indices[static_cast<std::size_t>(n)]);
  }
  return indices;
}
}  // namespace by_product
MISCONCEPTION(
    by_product, nearest_code, "nearest.inner-product",
    "You took the largest inner product, which leaves the lengths of the codes out. The "
    "smallest distance is wanted.",
    "|z - e|^2 = |z|^2 - 2 z.e + |e|^2. |z|^2 may be left out of an argmin over codes, "
    "|e|^2 may not, unless all codes have one length: for (1, 0), the code (5, 0) has the "
    "larger product and lies at a distance of 4.")

namespace by_city_blocks {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    float least = std::numeric_limits<float>::infinity();
    for (Index k = 0; k < codebook.rows(); ++k) {
      const float distance = (z.row(n) - codebook.row(k)).cwiseAbs().sum();
      if (distance < least) indices[static_cast<std::size_t>(n)] = k;
      least = std::min(least, distance);
    }
  }
  return indices;
}
}  // namespace by_city_blocks
MISCONCEPTION(by_city_blocks, nearest_code, "nearest.l1",
              "You compared sums of absolute differences. Euclid's distance decides.",
              "From (0, 0), (1.2, 0) is nearer than (0.8, 0.8) by L1 and farther by Euclid. In one "
              "dimension the two agree, and along the axes too.")

namespace by_largest_axis {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    float least = std::numeric_limits<float>::infinity();
    for (Index k = 0; k < codebook.rows(); ++k) {
      const float distance = (z.row(n) - codebook.row(k)).cwiseAbs().maxCoeff();
      if (distance < least) indices[static_cast<std::size_t>(n)] = k;
      least = std::min(least, distance);
    }
  }
  return indices;
}
}  // namespace by_largest_axis
MISCONCEPTION(by_largest_axis, nearest_code, "nearest.largest-axis",
              "You compared the largest difference along any one axis. All axes count, squared and "
              "added up.",
              "lpNorm<Infinity> is one template argument away from norm(). In one dimension all "
              "norms agree.")

namespace first_axis_only {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  const std::vector<std::int64_t> checked = solution::nearest_code(z, codebook);
  return checked.empty() ? checked : solution::nearest_code(z.leftCols(1), codebook.leftCols(1));
}
}  // namespace first_axis_only
MISCONCEPTION(
    first_axis_only, nearest_code, "nearest.first-axis",
    "You compared the first number of each vector only. A code stands for the whole row.",
    "One argmin per row, over distances of vectors. Looking at each number alone is scalar "
    "quantization, which is lab 07.")

namespace counts_from_one {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  for (std::int64_t& k : indices) ++k;
  return indices;
}
}  // namespace counts_from_one
MISCONCEPTION(
    counts_from_one, nearest_code, "nearest.counts-from-one",
    "Your indices count from 1. They count from 0.",
    "An index is the row of a matrix. Counted from 1, every lookup takes the next code, and "
    "the last one reads beyond the codebook.")

namespace nearest_row {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  if (solution::nearest_code(z, codebook).empty()) return {};
  return solution::nearest_code(codebook, z);
}
}  // namespace nearest_row
MISCONCEPTION(nearest_row, nearest_code, "nearest.axes-swapped",
              "You found the nearest row for every code, K indices. Wanted is the nearest code for "
              "every row, N of them.",
              "The argmin went along the wrong axis of the table. With N = K it has the right "
              "length, and even the right values where rows and codes pair up.")

namespace byte_sized {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  for (std::int64_t& k : indices) k = static_cast<std::uint8_t>(k);
  return indices;
}
}  // namespace byte_sized
MISCONCEPTION(byte_sized, nearest_code, "nearest.byte",
              "Your indices went through one byte: what is above 255 starts at 0 again.",
              "Token ids are often stored as bytes to save room, which is right up to K = 256. "
              "Codebooks of images have 1,024 to 16,384 codes; lab 06 asks why many of them are "
              "never used, and this would be an answer.")

namespace with_tolerance {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  std::vector<std::int64_t> indices = solution::nearest_code(z, codebook);
  const Matrix distances = solution::pairwise_sqdist(z, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    Index best = 0;
    for (Index k = 1; k < codebook.rows(); ++k) {
      if (distances(n, k) < distances(n, best) - 1e-6F) best = k;
    }
    indices[static_cast<std::size_t>(n)] = best;
  }
  return indices;
}
}  // namespace with_tolerance
MISCONCEPTION(
    with_tolerance, nearest_code, "nearest.tolerance",
    "A code counts as nearer only if it is so by 1e-6. Small codes are all that near to one "
    "another.",
    "An absolute tolerance knows nothing of the scale. A codebook that starts within "
    "1/8192 of 0 has squared distances of 1e-8: every row would get code 0, no other code "
    "would ever receive a gradient, and the codebook would have collapsed before "
    "training began.")

namespace no_rows_refused {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(z.rows() > 0, "at least one row is needed");
  return solution::nearest_code(z, codebook);
}
}  // namespace no_rows_refused
MISCONCEPTION(no_rows_refused, nearest_code, "nearest.no-rows-refused",
              "A batch without rows was refused. Its answer is a list without indices.",
              "Only the codebook must not be empty, because only then is there a row without an "
              "answer.")

namespace no_codes_accepted {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  if (codebook.rows() > 0) return solution::nearest_code(z, codebook);
  return std::vector<std::int64_t>(static_cast<std::size_t>(z.rows()), 0);
}
}  // namespace no_codes_accepted
MISCONCEPTION(no_codes_accepted, nearest_code, "nearest.no-codes-accepted",
              "With an empty codebook you answered 0. There is no code 0 then: refuse it.",
              "A search that starts with best = 0 and finds nothing to compare ends with 0. The "
              "index is out of range, and the lookup that follows reads memory that is not its "
              "own.")

namespace dimension_unchecked {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  const Index common = std::min(z.cols(), codebook.cols());
  return solution::nearest_code(z.leftCols(common), codebook.leftCols(common));
}
}  // namespace dimension_unchecked
MISCONCEPTION(
    dimension_unchecked, nearest_code, "nearest.columns-unchecked",
    "Rows and codes of different dimension were accepted. pairwise_sqdist refuses them, and "
    "so should this function.",
    "The first few numbers of a longer vector are not that vector. Whoever passes a map "
    "with its channels in the wrong place should learn of it here.")

namespace nan_accepted {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  const Matrix finite = z.unaryExpr([](float x) { return std::isfinite(x) ? x : 0.0F; });
  std::vector<std::int64_t> indices = solution::nearest_code(finite, codebook);
  for (Index n = 0; n < z.rows(); ++n) {
    if (!z.row(n).allFinite()) indices[static_cast<std::size_t>(n)] = 0;
  }
  return indices;
}
}  // namespace nan_accepted
MISCONCEPTION(
    nan_accepted, nearest_code, "nearest.bad-row-accepted",
    "A row with NaN or an infinity in it was given code 0. It has no nearest code: refuse "
    "it.",
    "Every comparison with NaN is false, so the search ends where it began. From then on "
    "the damage cannot be seen: the decoder gets a proper code, the loss looks finite "
    "again, and the encoder that has diverged goes on.")

namespace infinity_accepted {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(!z.hasNaN() && codebook.allFinite(), "not a number");
  return nan_accepted::nearest_code(z, codebook);
}
}  // namespace infinity_accepted
MISCONCEPTION(
    infinity_accepted, nearest_code, "nearest.infinity-accepted",
    "You looked for NaN in z only. An infinite element makes all distances infinite, and no "
    "code the nearest: refuse it as well.",
    "hasNaN() is false for infinities, allFinite() is false for both. Overflow in an "
    "encoder arrives as an infinity first and becomes NaN one operation later.")

namespace codes_unlooked {
std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  const Matrix finite = codebook.unaryExpr([](float x) { return std::isfinite(x) ? x : 1e15F; });
  return solution::nearest_code(z, finite);
}
}  // namespace codes_unlooked
MISCONCEPTION(
    codes_unlooked, nearest_code, "nearest.bad-code-accepted",
    "A code with NaN or an infinity in it was passed over. It has to be refused.",
    "Such a code is never the nearest, so the search gets by without it, and one entry of "
    "the codebook is lost without a word. That it is there at all says that the update of "
    "the codebook has gone wrong.")

// ---- 5.3 rows_from_nchw ------------------------------------------------------------------------

namespace reshaped {
Matrix rows_from_nchw(const Tensor4& z) {
  Matrix rows(z.n() * z.h() * z.w(), z.c());
  std::copy_n(z.data(), z.size(), rows.data());
  return rows;
}
}  // namespace reshaped
MISCONCEPTION(
    reshaped, rows_from_nchw, "rows.reshaped",
    "You copied the memory as it lies. A row then holds neighbours along W of one channel; it "
    "should "
    "hold all channels of one position, which means permute, then reshape.",
    "In an [N, C, H, W] buffer the channels of a position are H W elements apart. A reshape moves "
    "nothing, and the shape comes out right all the same, so no check sees it. Real cases: "
    "LatentActionPretraining/LAPA issue 48, uuembodiedsocialai/ProbTalk3D issue 12. Where rows and "
    "back are wrong in the same way they cancel, and the model trains on scrambled vectors; where "
    "only one of them is wrong, as in the lesson's own line z_q.reshape_as(z_e), the decoder gets "
    "noise.")

namespace columns_first {
Matrix rows_from_nchw(const Tensor4& z) {
  Matrix rows(z.n() * z.h() * z.w(), z.c());
  Index row = 0;
  for (Index n = 0; n < z.n(); ++n) {
    for (Index w = 0; w < z.w(); ++w) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index c = 0; c < z.c(); ++c) rows(row, c) = z(n, c, h, w);
        ++row;
      }
    }
  }
  return rows;
}
}  // namespace columns_first
MISCONCEPTION(
    columns_first, rows_from_nchw, "rows.h-and-w-swapped",
    "The positions come column by column. W is the fastest: row by row.",
    "Each row is right, and all are in each other's places: the map is mirrored along its "
    "diagonal. Square maps of symmetric things do not show it, H = 1 or W = 1 neither.")

namespace samples_fastest {
Matrix rows_from_nchw(const Tensor4& z) {
  Matrix rows(z.n() * z.h() * z.w(), z.c());
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) rows((h * z.w() + w) * z.n() + n, c) = z(n, c, h, w);
      }
    }
  }
  return rows;
}
}  // namespace samples_fastest
MISCONCEPTION(
    samples_fastest, rows_from_nchw, "rows.samples-fastest",
    "The rows of all samples alternate. The samples come one after the other, each with all "
    "of its positions.",
    "permute(2, 3, 0, 1) instead of (0, 2, 3, 1). A batch of one does not show it, and "
    "every row by itself is right.")

namespace channels_as_rows {
Matrix rows_from_nchw(const Tensor4& z) {
  return solution::rows_from_nchw(z).transpose();
}
}  // namespace channels_as_rows
MISCONCEPTION(channels_as_rows, rows_from_nchw, "rows.transposed",
              "You made a row of each channel. A row is a position, and the channels are its "
              "columns.",
              "What is quantized is the vector of all channels at one position, [N H W, C]. With "
              "channels as rows the codebook would have to be as wide as the batch is large.")

namespace first_sample {
Matrix rows_from_nchw(const Tensor4& z) {
  return solution::rows_from_nchw(z).topRows(std::min<Index>(z.n(), 1) * z.h() * z.w());
}
}  // namespace first_sample
MISCONCEPTION(first_sample, rows_from_nchw, "rows.first-sample-only",
              "Only the first sample became rows. All N of them do.",
              "H W rows are right for one image. A batch has N H W of them.")

namespace empty_map_refused {
Matrix rows_from_nchw(const Tensor4& z) {
  require(z.size() > 0, "the map is empty");
  return solution::rows_from_nchw(z);
}
}  // namespace empty_map_refused
MISCONCEPTION(empty_map_refused, rows_from_nchw, "rows.empty-refused",
              "A map without samples was refused. It has no rows, and that is an answer.",
              "A size of 0 needs no case of its own: loops that do not run leave a matrix with no "
              "rows and C columns.")

namespace reshaped_back {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  Tensor4 z = solution::nchw_from_rows(rows, shape);
  std::copy_n(rows.data(), rows.size(), z.data());
  return z;
}
}  // namespace reshaped_back
MISCONCEPTION(
    reshaped_back, nchw_from_rows, "rows.back-reshaped",
    "On the way back you copied the memory as it lies. The columns of the rows have to become the "
    "channel axis: view as [N, H, W, C], then permute.",
    "It is the lesson's own line, z_q.reshape_as(z_e): of a map that holds 10 d + 2 h + w it makes "
    "[[[0, 10], [1, 11]], [[2, 12], [3, 13]]], channels and places mixed. The shape is right, and "
    "the loss goes down as far as a decoder can guess. LatentActionPretraining/LAPA issue 48 and "
    "uuembodiedsocialai/ProbTalk3D issue 12 report it from published code.")

namespace forward_permutation {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  Tensor4 z = solution::nchw_from_rows(rows, shape);
  const Index c = z.c(), h = z.h(), w = z.w();
  for (Index i = 0; i < rows.size(); ++i) {
    const Index b = i / (h * w * c), at = i % (h * w * c);
    const Index first = at / (w * c), second = at / c % w, third = at % c;
    z.data()[((b * w + second) * c + third) * h + first] = rows.data()[i];
  }
  return z;
}
}  // namespace forward_permutation
MISCONCEPTION(
    forward_permutation, nchw_from_rows, "rows.same-permutation-again",
    "You used (0, 2, 3, 1) a second time. The way back from [N, H, W, C] is (0, 3, 1, 2).",
    "Three axes that change places in a circle are home again after three turns, not after "
    "two: what you have is [N, W, C, H]. With C = H = W the shape fits all the same.")

namespace columns_first_back {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  Tensor4 z = solution::nchw_from_rows(rows, shape);
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) z(n, c, h, w) = rows((n * z.w() + w) * z.h() + h, c);
      }
    }
  }
  return z;
}
}  // namespace columns_first_back
MISCONCEPTION(
    columns_first_back, nchw_from_rows, "rows.back-h-and-w-swapped",
    "On the way back you took the positions column by column. W is the fastest: (n H + h) W "
    "+ w.",
    "The picture comes out mirrored along its diagonal, if it is square, and torn "
    "otherwise.")

namespace samples_fastest_back {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  Tensor4 z = solution::nchw_from_rows(rows, shape);
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) z(n, c, h, w) = rows((h * z.w() + w) * z.n() + n, c);
      }
    }
  }
  return z;
}
}  // namespace samples_fastest_back
MISCONCEPTION(samples_fastest_back, nchw_from_rows, "rows.back-samples-fastest",
              "On the way back you took the rows of all samples in turn. All positions of a sample "
              "come before the next sample.",
              "Every image becomes a mixture of all of them. A batch of one does not show it.")

namespace no_rows_refused_back {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  require(rows.size() > 0, "there are no rows");
  return solution::nchw_from_rows(rows, shape);
}
}  // namespace no_rows_refused_back
MISCONCEPTION(no_rows_refused_back, nchw_from_rows, "rows.back-empty-refused",
              "No rows were refused. They make a map of no samples.",
              "A shape {0, C, H, W} is a shape, and fits 0 rows of C columns.")

namespace only_columns_checked {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  require(shape.size() == 4, "four sizes are needed");
  require_size(rows.cols(), shape[1], "columns");
  const Tensor4 any(shape[0], shape[1], shape[2], shape[3]);
  Matrix fitting = Matrix::Zero(any.n() * any.h() * any.w(), any.c());
  const Index common = std::min(rows.rows(), fitting.rows());
  fitting.topRows(common) = rows.topRows(common);
  return solution::nchw_from_rows(fitting, shape);
}
}  // namespace only_columns_checked
MISCONCEPTION(
    only_columns_checked, nchw_from_rows, "rows.back-rows-unchecked",
    "A number of rows that is not N H W was accepted. Both sizes of rows have to be "
    "checked.",
    "Rows that are left over belong to somebody, a sample that is missing in the shape for "
    "example. Dropping them in silence moves the mistake to where nobody looks.")

namespace only_rows_checked {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  require(shape.size() == 4, "four sizes are needed");
  const Tensor4 any(shape[0], shape[1], shape[2], shape[3]);
  require_size(rows.rows(), any.n() * any.h() * any.w(), "rows");
  Matrix fitting = Matrix::Zero(rows.rows(), any.c());
  const Index common = std::min(rows.cols(), any.c());
  fitting.leftCols(common) = rows.leftCols(common);
  return solution::nchw_from_rows(fitting, shape);
}
}  // namespace only_rows_checked
MISCONCEPTION(
    only_rows_checked, nchw_from_rows, "rows.back-columns-unchecked",
    "Rows whose width is not C were accepted. Both sizes of rows have to be checked.",
    "The columns are the channels; with other codes than the map's there is nothing to put "
    "into the rest of them.")

namespace only_elements_counted {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  require(shape.size() == 4, "four sizes are needed");
  const Tensor4 any(shape[0], shape[1], shape[2], shape[3]);
  require_size(rows.size(), any.size(), "elements");
  Matrix fitting(any.n() * any.h() * any.w(), any.c());
  std::copy_n(rows.data(), rows.size(), fitting.data());
  return solution::nchw_from_rows(fitting, shape);
}
}  // namespace only_elements_counted
MISCONCEPTION(
    only_elements_counted, nchw_from_rows, "rows.back-elements-counted",
    "You only counted the elements. As many of them in another shape are another thing, "
    "and have to be refused.",
    "A count is what a reshape checks, and the reason that it lets mistakes pass: half the "
    "channels and twice the rows is the same number.")

namespace missing_sizes_are_one {
Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  Shape four = shape;
  four.resize(4, 1);
  return solution::nchw_from_rows(rows, four);
}
}  // namespace missing_sizes_are_one
MISCONCEPTION(
    missing_sizes_are_one, nchw_from_rows, "rows.back-sizes-unchecked",
    "A shape of three or five sizes was accepted. It has to be four: N, C, H, W.",
    "Guessing what a shape might mean works until it means something else: {N, C, T} with "
    "W taken for 1 is a sound, not an image.")

// ---- 5.4 vq_straight_through -------------------------------------------------------------------

namespace float_arithmetic {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const std::vector<std::int64_t> indices = nearest_code(z_e, codebook);
  Matrix z_q = z_e;
  for (Index n = 0; n < z_e.rows(); ++n) {
    const RowVector code = codebook.row(indices[static_cast<std::size_t>(n)]);
    z_q.row(n) = z_e.row(n) + (code - z_e.row(n)).eval();
  }
  return {z_q, indices};
}
}  // namespace float_arithmetic
MISCONCEPTION(
    float_arithmetic, vq_straight_through, "straight.rounded",
    "You computed z_e + (z_q - z_e), which is rounded twice and is not the code. The contract asks "
    "for the code bit for bit.",
    "In a framework that line is how the gradient is made to skip the quantizer; its value was "
    "meant "
    "to be z_q and nearly is. With z_e = 1e8 and a code of 1.5 it is 0. Usually it is a last "
    "digit: "
    "enough that a decoder in training sees other numbers than one that is given indices, and that "
    "looking for the code among the codes by == finds nothing.")

namespace encoder_output {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  return {z_e, nearest_code(z_e, codebook)};
}
}  // namespace encoder_output
MISCONCEPTION(
    encoder_output, vq_straight_through, "straight.not-quantized",
    "z_q is z_e, unchanged. The decoder gets the nearest codes.",
    "The gradient goes straight through; the value does not. A decoder that is trained on "
    "z_e has never seen a code, and generation hands it nothing else.")

namespace difference_returned {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const VqOutput right = solution::vq_straight_through(z_e, codebook);
  return {right.z_q - z_e, right.indices};
}
}  // namespace difference_returned
MISCONCEPTION(
    difference_returned, vq_straight_through, "straight.difference",
    "What came back is z_q - z_e, the part that is detached. z_q itself is asked for.",
    "In z_e + (z_q - z_e).detach() the bracket is the quantization error. Alone it is what "
    "the losses of 5.5 are made of.")

namespace mean_with_code {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const VqOutput right = solution::vq_straight_through(z_e, codebook);
  return {0.5F * (right.z_q + z_e), right.indices};
}
}  // namespace mean_with_code
MISCONCEPTION(mean_with_code, vq_straight_through, "straight.halfway",
              "z_q lies halfway between z_e and the code. It has to be the code.",
              "A decoder that gets anything of z_e can read what the code does not say, and the "
              "bottleneck of log2 K bits is none.")

namespace next_code {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  VqOutput output = solution::vq_straight_through(z_e, codebook);
  for (std::int64_t& k : output.indices) ++k;
  return output;
}
}  // namespace next_code
MISCONCEPTION(next_code, vq_straight_through, "straight.counts-from-one",
              "The codes are right, their indices count from 1. They count from 0.",
              "The decoder is fed with vectors and does not notice; a model of the indices does, "
              "when it looks the last code up.")

namespace later_of_two {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const VqOutput right = solution::vq_straight_through(z_e, codebook);
  Matrix reversed = codebook.colwise().reverse();
  VqOutput output = solution::vq_straight_through(z_e, reversed);
  for (std::int64_t& k : output.indices) k = codebook.rows() - 1 - k;
  return right.indices.empty() ? right : output;
}
}  // namespace later_of_two
MISCONCEPTION(later_of_two, vq_straight_through, "straight.last-of-ties",
              "Of two equally near codes you took the later one. nearest_code takes the first, and "
              "so must this function.",
              "Two functions that search on their own will sooner or later disagree. Call "
              "nearest_code, and they cannot.")

namespace no_batch_refused {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  require(z_e.rows() > 0, "at least one row is needed");
  return solution::vq_straight_through(z_e, codebook);
}
}  // namespace no_batch_refused
MISCONCEPTION(
    no_batch_refused, vq_straight_through, "straight.empty-refused",
    "A batch without rows was refused. Nothing quantized is nothing: [0, D] and no index.",
    "The contract allows N = 0, here as in nearest_code.")

namespace codes_unchecked {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  if (codebook.rows() == 0) return {z_e, {}};
  const Index common = std::min(z_e.cols(), codebook.cols());
  return solution::vq_straight_through(z_e.leftCols(common), codebook.leftCols(common));
}
}  // namespace codes_unchecked
MISCONCEPTION(
    codes_unchecked, vq_straight_through, "straight.codes-unchecked",
    "An empty codebook, or codes of another dimension, were accepted. nearest_code refuses "
    "both.",
    "With a search of one's own, its refusals have to be written once more. Calling "
    "nearest_code brings them along.")

namespace not_finite_accepted {
VqOutput vq_straight_through(const Matrix& z_e, const Matrix& codebook) {
  const auto finite = [](float x) { return std::isfinite(x) ? x : 0.0F; };
  return solution::vq_straight_through(z_e.unaryExpr(finite), codebook.unaryExpr(finite));
}
}  // namespace not_finite_accepted
MISCONCEPTION(
    not_finite_accepted, vq_straight_through, "straight.not-finite-accepted",
    "NaN or an infinity was quantized as if it were 0. nearest_code refuses it.",
    "Replacing what is no number hides that something upstream has broken: the codes that "
    "come out look healthy.")

namespace true_derivative {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, codebook);
  right.z_e.setZero();
  Index n = 0;
  for (const std::int64_t k : nearest_code(z_e, codebook)) right.codebook.row(k) += dz_q.row(n++);
  return right;
}
}  // namespace true_derivative
MISCONCEPTION(
    true_derivative, vq_straight_through_backward, "straight.true-derivative",
    "You returned the true derivative: nothing to z_e, everything to the chosen codes. Straight "
    "through is the opposite: everything to z_e, nothing to the codes.",
    "z_q is a row of the codebook, so it moves with that row and stands still when z_e moves a "
    "little. That is correct calculus, and an encoder trained by it receives nothing. The "
    "estimator replaces the derivative with one that is false and useful.")

namespace nothing_back {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, codebook);
  right.z_e.setZero();
  return right;
}
}  // namespace nothing_back
MISCONCEPTION(
    nothing_back, vq_straight_through_backward, "straight.nothing-to-encoder",
    "The encoder receives zeros. Straight through, it receives dz_q as it is.",
    "The derivative of an argmin is 0 wherever it exists, and with it the encoder would "
    "hear of the reconstruction never. A detach() in the wrong place has the same effect: "
    "the decoder learns, the commitment term learns, the encoder stays where it began.")

namespace codes_get_it_too {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, codebook);
  if (codebook.rows() == 0) return right;
  Index n = 0;
  for (const std::int64_t k : nearest_code(z_e, codebook)) right.codebook.row(k) += dz_q.row(n++);
  return right;
}
}  // namespace codes_get_it_too
MISCONCEPTION(
    codes_get_it_too, vq_straight_through_backward, "straight.leaks-to-codebook",
    "The chosen codes received dz_q as well. Straight through, the codebook receives nothing: its "
    "gradient comes from the codebook term alone.",
    "An embedding lookup passes its gradient to the rows it looked up. In z_e + (z_q - "
    "z_e).detach() the lookup is detached, so that the reconstruction does not move the codes. "
    "With both, the codes are pulled by the decoder and by the rows at once.")

namespace shared_among_codes {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, codebook);
  right.z_e /= static_cast<float>(codebook.rows());
  return right;
}
}  // namespace shared_among_codes
MISCONCEPTION(
    shared_among_codes, vq_straight_through_backward, "straight.divided-by-k",
    "dz_q was divided by the number of codes. It passes as it is.",
    "A mean over the one-hot row of K entries brings in 1/K. Nothing is averaged over the "
    "codes: one of them was chosen.")

namespace ratio_scaled {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, codebook);
  if (z_e.rows() == 0) return right;
  const Matrix z_q = solution::vq_straight_through(z_e, codebook).z_q;
  right.z_e = dz_q.array() * z_q.array() / z_e.array();
  return right;
}
}  // namespace ratio_scaled
MISCONCEPTION(ratio_scaled, vq_straight_through_backward, "straight.scaled-by-ratio",
              "dz_q was multiplied by z_q / z_e. It passes as it is.",
              "z_q = z_e (z_q / z_e) with the factor held constant is a chain rule for another "
              "surrogate. It changes signs where row and code lie on different sides of 0, and has "
              "no bound where z_e is near 0.")

namespace saturating {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, codebook);
  right.z_e = (z_e.array().abs() <= 1.0F).select(dz_q, 0.0F);
  return right;
}
}  // namespace saturating
MISCONCEPTION(
    saturating, vq_straight_through_backward, "straight.saturates",
    "The gradient stops where |z_e| is above 1. Here it passes everywhere.",
    "For a sign or a rounding, stopping the gradient outside [-1, 1] is a common choice: "
    "there the output cannot follow any more. A code may lie anywhere, so there is no such "
    "border; what holds z_e near its code is the commitment term.")

namespace backward_empty_refused {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  require(dz_q.rows() > 0, "at least one row is needed");
  return solution::vq_straight_through_backward(dz_q, z_e, codebook);
}
}  // namespace backward_empty_refused
MISCONCEPTION(backward_empty_refused, vq_straight_through_backward, "straight.back-empty-refused",
              "A gradient without rows was refused. The codebook's zeros are still an answer.",
              "What the forward pass accepts, the backward pass accepts too.")

namespace gradient_unchecked {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  require_size(codebook.cols(), z_e.cols(), "columns of codebook");
  return {dz_q, Matrix::Zero(codebook.rows(), codebook.cols())};
}
}  // namespace gradient_unchecked
MISCONCEPTION(gradient_unchecked, vq_straight_through_backward, "straight.gradient-unchecked",
              "A dz_q of another shape than z_e was handed on. It has to be refused.",
              "A function that copies its argument never notices that it is the wrong one. The "
              "encoder would, several layers later.")

namespace codes_unchecked_back {
VqInputGradients vq_straight_through_backward(const Matrix& dz_q, const Matrix& z_e,
                                              const Matrix& codebook) {
  VqInputGradients right = solution::vq_straight_through_backward(dz_q, z_e, z_e);
  return {right.z_e, Matrix::Zero(codebook.rows(), codebook.cols())};
}
}  // namespace codes_unchecked_back
MISCONCEPTION(
    codes_unchecked_back, vq_straight_through_backward, "straight.back-codes-unchecked",
    "Codes of another dimension than z_e were accepted. All three arguments have to fit.",
    "Only the codebook's shape is used, so a wrong one does no harm here; it says that the "
    "caller mixed two quantizers up.")

// ---- 5.5 vq_losses -----------------------------------------------------------------------------

/// The losses made of another mean.
VqLosses with_mean(const VqLosses& right, double mean, double beta) {
  const double rec = right.reconstruction;
  return {rec, mean, beta * mean, rec + mean + beta * mean};
}

namespace summed {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  require(z_e.size() > 0 && codebook.cols() == z_e.cols() && beta >= 0.0, "arguments");
  require_size(static_cast<Index>(indices.size()), z_e.rows(), "indices");
  double sum = 0.0;
  for (Index n = 0; n < z_e.rows(); ++n) {
    const std::int64_t k = indices[static_cast<std::size_t>(n)];
    require(k >= 0 && k < codebook.rows(), "index out of range");
    sum += (z_e.row(n) - codebook.row(k)).cast<double>().squaredNorm();
  }
  return {reconstruction, sum, beta * sum, reconstruction + sum + beta * sum};
}
}  // namespace summed
MISCONCEPTION(
    summed, vq_losses, "vqloss.sum",
    "You summed the squares. Both terms are means over all N D elements.",
    "Sum and mean differ by a factor that depends on the batch and on the size of the map. "
    "Added to a mean reconstruction error, the sum over a 32 x 32 map of 256 channels "
    "weighs 262,144 times as much, and the encoder does nothing but stay near its codes.")

namespace batch_averaged {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  return with_mean(right, right.codebook * static_cast<double>(z_e.cols()), beta);
}
}  // namespace batch_averaged
MISCONCEPTION(
    batch_averaged, vq_losses, "vqloss.mean-over-rows",
    "You averaged over the rows and summed over the D numbers of each. The mean is over "
    "all N D elements.",
    "A sum over features and a mean over samples is what the ELBO asks for, and the habit "
    "from there. Here it multiplies both terms by D.")

namespace rooted_mean {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  return with_mean(right, std::sqrt(right.codebook), beta);
}
}  // namespace rooted_mean
MISCONCEPTION(rooted_mean, vq_losses, "vqloss.rooted",
              "You took the root of the mean square. The terms are mean squares.",
              "The root's gradient does not fade as row and code meet, so the codes would tremble "
              "around their rows; and its minimum for several rows is not their mean.")

namespace halved {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  return with_mean(right, 0.5 * right.codebook, beta);
}
}  // namespace halved
MISCONCEPTION(
    halved, vq_losses, "vqloss.halved",
    "Both terms are half of what they should be. There is no 1/2 in them.",
    "Whoever splits one square between two receivers may think that each gets half of it. "
    "Each term is the whole square; what is split is the gradient.")

namespace per_code {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  const auto rows = static_cast<double>(z_e.rows()), codes = static_cast<double>(codebook.rows());
  return with_mean(right, right.codebook * rows / codes, beta);
}
}  // namespace per_code
MISCONCEPTION(
    per_code, vq_losses, "vqloss.mean-over-codes",
    "You divided by K D. The mean is over the rows that were quantized, N D elements.",
    "The codebook term sounds as if it ran over the codebook. It runs over the rows: each "
    "of them pulls the code it was given, and a code without rows adds nothing.")

namespace beta_swapped {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  VqLosses losses = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  std::swap(losses.codebook, losses.commitment);
  return losses;
}
}  // namespace beta_swapped
MISCONCEPTION(
    beta_swapped, vq_losses, "vqloss.beta-on-codebook",
    "beta weighs the codebook term. It belongs to the commitment term.",
    "Both terms have the same value, so the total is right and no curve shows it; what changes is "
    "who learns how fast. It happened in taming-transformers (CompVis/taming-transformers issues "
    "46 and 57), where it stayed the default so that published weights keep their meaning, and "
    "has been reported elsewhere too: bytedance/1d-tokenizer issue 95, TencentARC/SEED-Voken issue "
    "60.")

namespace beta_dropped {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  return with_mean(right, right.codebook, 1.0);
}
}  // namespace beta_dropped
MISCONCEPTION(
    beta_dropped, vq_losses, "vqloss.beta-dropped",
    "beta is not used: the commitment term counts in full.",
    "With 1 in place of 0.25 the encoder is held four times as firmly. Some libraries have "
    "1 as their default weight, so it is worth a look before numbers are compared.")

namespace beta_on_both {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  VqLosses losses = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  losses.codebook *= beta;
  losses.total = losses.reconstruction + losses.codebook + losses.commitment;
  return losses;
}
}  // namespace beta_on_both
MISCONCEPTION(beta_on_both, vq_losses, "vqloss.beta-on-both",
              "beta weighs both terms. Only the commitment term has it.",
              "A factor on both is a factor on their sum, and with it the balance between encoder "
              "and codebook, which beta is there to set, cannot be set.")

namespace commitment_bare {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  VqLosses losses = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  losses.commitment = losses.codebook;
  return losses;
}
}  // namespace commitment_bare
MISCONCEPTION(
    commitment_bare, vq_losses, "vqloss.commitment-unweighted",
    "The total is right, but commitment came back without beta. Each term is returned as it "
    "stands in the sum.",
    "Both conventions exist, and logs mix them up. Here the three terms add up to the "
    "total.")

namespace after_quantizing {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  return with_mean(right, 0.0, beta);
}
}  // namespace after_quantizing
MISCONCEPTION(
    after_quantizing, vq_losses, "vqloss.on-the-output",
    "Both terms are 0, as if z_e had been replaced by its codes before. They compare the encoder's "
    "output with the codes.",
    "z = quantize(z) and then loss(z, z_q): the name still says z, the value is the code. The "
    "losses "
    "are 0 from the first step, which looks like success. The neighbouring mistake, a codebook "
    "term "
    "on the straight-through output, has the right value and no gradient to the codes "
    "(andylolu2/jax-vqvae-gpt issue 2, showlab/Olaf-World issue 8): exercise 5.6 shows it.")

namespace looked_up_again {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  const std::vector<std::int64_t> again = nearest_code(z_e, codebook);
  return solution::vq_losses(reconstruction, z_e, codebook, again, beta);
}
}  // namespace looked_up_again
MISCONCEPTION(looked_up_again, vq_losses, "vqloss.looked-up-again",
              "You searched for the nearest codes once more. The indices that were given say which "
              "code each row has.",
              "If the codebook has moved in between, a second search finds other codes than the "
              "decoder saw, and the losses belong to another forward pass. "
              "zalandoresearch/pytorch-vq-vae issue 5 is about that order.")

namespace float_sum {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  float sum = 0.0F;
  for (Index n = 0; n < z_e.rows(); ++n) {
    const std::int64_t k = indices[static_cast<std::size_t>(n)];
    for (Index d = 0; d < z_e.cols(); ++d) {
      const float difference = z_e(n, d) - codebook(k, d);
      sum += difference * difference;
    }
  }
  return with_mean(right, static_cast<double>(sum) / static_cast<double>(z_e.size()), beta);
}
}  // namespace float_sum
MISCONCEPTION(
    float_sum, vq_losses, "vqloss.float-sum",
    "You added the squares up in float. Beside a large one, the small ones are lost: sum in "
    "double.",
    "A float holds 24 bits. At 16,777,216 it cannot add 1 any more, and many small errors "
    "beside one large one are exactly what an outlier looks like.")

namespace reconstruction_left_out {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  VqLosses losses = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  losses.total -= reconstruction;
  return losses;
}
}  // namespace reconstruction_left_out
MISCONCEPTION(reconstruction_left_out, vq_losses, "vqloss.reconstruction-left-out",
              "The total has two terms. The reconstruction that was given is the third.",
              "A quantizer's own module returns codebook and commitment terms, and the model adds "
              "the reconstruction. This function is the model's.")

namespace codebook_left_out {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  VqLosses losses = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  losses.total = reconstruction + losses.commitment;
  return losses;
}
}  // namespace codebook_left_out
MISCONCEPTION(
    codebook_left_out, vq_losses, "vqloss.codebook-left-out",
    "The total is without the codebook term. It has all three.",
    "The term is dropped where the codebook is a moving average, which is lab 06. Without "
    "either, no code ever moves.")

namespace reconstruction_zeroed {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  VqLosses losses = solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
  losses.reconstruction = 0.0;
  return losses;
}
}  // namespace reconstruction_zeroed
MISCONCEPTION(reconstruction_zeroed, vq_losses, "vqloss.reconstruction-not-returned",
              "The reconstruction came back as 0. It is returned as it was given.",
              "The struct is what a log prints, and its three terms add up to the total.")

namespace beta_or_default {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  return solution::vq_losses(reconstruction, z_e, codebook, indices, beta == 0.0 ? 0.25 : beta);
}
}  // namespace beta_or_default
MISCONCEPTION(
    beta_or_default, vq_losses, "vqloss.zero-means-default",
    "A beta of 0 was taken for 0.25. It means no commitment.",
    "`beta or 0.25` in Python treats 0 as not given. Whoever switches the term off to see "
    "what it does would see that it does nothing.")

namespace negative_beta {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses right =
      solution::vq_losses(reconstruction, z_e, codebook, indices, std::abs(beta));
  return with_mean(right, right.codebook, beta);
}
}  // namespace negative_beta
MISCONCEPTION(negative_beta, vq_losses, "vqloss.negative-beta-accepted",
              "A negative beta was accepted. It has to be refused.",
              "A negative weight rewards the encoder for leaving its codes, without bound.")

namespace indices_uncounted {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> as_many = indices;
  as_many.resize(static_cast<std::size_t>(z_e.rows()), 0);
  return solution::vq_losses(reconstruction, z_e, codebook, as_many, beta);
}
}  // namespace indices_uncounted
MISCONCEPTION(indices_uncounted, vq_losses, "vqloss.indices-uncounted",
              "More or fewer indices than rows were accepted. Every row has one.",
              "An index too many belongs to a row that is not here, one too few leaves a row "
              "without a code: in both cases indices and rows are from different batches.")

namespace index_wrapped {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> wrapped = indices;
  for (std::int64_t& k : wrapped) k += k < 0 ? codebook.rows() : 0;
  return solution::vq_losses(reconstruction, z_e, codebook, wrapped, beta);
}
}  // namespace index_wrapped
MISCONCEPTION(
    index_wrapped, vq_losses, "vqloss.negative-index-accepted",
    "An index of -1 was taken for the last code. It has to be refused.",
    "In Python -1 counts from the end, which is why a -1 that means \"none\" in a list of "
    "tokens does not stop there.")

namespace index_clamped {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> clamped = indices;
  for (std::int64_t& k : clamped) k = std::min<std::int64_t>(k, codebook.rows() - 1);
  return solution::vq_losses(reconstruction, z_e, codebook, clamped, beta);
}
}  // namespace index_clamped
MISCONCEPTION(index_clamped, vq_losses, "vqloss.large-index-accepted",
              "An index of K was accepted. The last code is K - 1.",
              "Off by one at the end of a table: the index of a list that counts from 1, or a "
              "comparison with <= where < belongs.")

namespace columns_uncompared {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  const Index common = std::min(z_e.cols(), codebook.cols());
  return solution::vq_losses(reconstruction, z_e.leftCols(common), codebook.leftCols(common),
                             indices, beta);
}
}  // namespace columns_uncompared
MISCONCEPTION(columns_uncompared, vq_losses, "vqloss.columns-unchecked",
              "Rows and codes of different dimension were accepted. Their columns have to agree.",
              "The square of a difference needs both vectors in full. Comparing the columns that "
              "both have measures a projection.")

namespace empty_is_zero {
VqLosses vq_losses(double reconstruction, const Matrix& z_e, const Matrix& codebook,
                   const std::vector<std::int64_t>& indices, double beta) {
  if (z_e.size() == 0) return {reconstruction, 0.0, 0.0, reconstruction};
  return solution::vq_losses(reconstruction, z_e, codebook, indices, beta);
}
}  // namespace empty_is_zero
MISCONCEPTION(empty_is_zero, vq_losses, "vqloss.empty-accepted",
              "A batch without elements got a loss of 0. The mean of nothing is no number: refuse "
              "it.",
              "0 / 0 is NaN, and 0 by decree is worse: it enters an average over batches as a "
              "perfect result.")

// ---- 5.6 vq_gradients --------------------------------------------------------------------------

namespace beta_misplaced {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  vq_losses(0.0, z_e, codebook, indices, beta);  // refuses what does not fit
  const VqInputGradients through = vq_straight_through_backward(dz_q, z_e, codebook);
  const Matrix none = Matrix::Zero(z_e.rows(), z_e.cols());
  VqGradients gradients{through, {none, through.codebook}, {none, through.codebook}};
  for (Index n = 0; n < z_e.rows(); ++n) {
    const std::int64_t k = indices[static_cast<std::size_t>(n)];
    const RowVector pull = 2.0F / static_cast<float>(z_e.size()) * (z_e.row(n) - codebook.row(k));
    gradients.codebook.codebook.row(k) -= static_cast<float>(beta) * pull;
    gradients.commitment.z_e.row(n) = pull;
  }
  return gradients;
}
}  // namespace beta_misplaced
MISCONCEPTION(
    beta_misplaced, vq_gradients, "vqgrad.beta-on-codebook",
    "beta weighs what the codes receive. It belongs to what the encoder receives from the "
    "commitment term.",
    "With beta = 0.25 the codes follow their rows four times more slowly and the encoder is held "
    "four times more firmly than meant. The loss has the same value either way. "
    "CompVis/taming-transformers issues 46 and 57 found it there, where a flag called legacy keeps "
    "it as the default; bytedance/1d-tokenizer issue 95 and TencentARC/SEED-Voken issue 60 report "
    "the same.")

namespace codebook_term_leaks {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.codebook.z_e = solution::vq_gradients(dz_q, z_e, codebook, indices, 1.0).commitment.z_e;
  return gradients;
}
}  // namespace codebook_term_leaks
MISCONCEPTION(
    codebook_term_leaks, vq_gradients, "vqgrad.codebook-term-leaks",
    "The codebook term pulls the encoder as well: the stop-gradient on z_e is missing. It leaves "
    "the "
    "encoder alone.",
    "Without sg on z_e the encoder gets 2 (z_e - e) / (N D) on top of the commitment term, so beta "
    "is in truth 1 + beta: 1.25 for 0.25. In the lesson's example 0.0625 where 0.0125 belongs.")

namespace commitment_leaks {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.commitment.codebook = static_cast<float>(beta) * gradients.codebook.codebook;
  return gradients;
}
}  // namespace commitment_leaks
MISCONCEPTION(
    commitment_leaks, vq_gradients, "vqgrad.commitment-leaks",
    "The commitment term moves the codes as well: the stop-gradient on e is missing. It leaves the "
    "codebook alone.",
    "The codes get beta times their gradient once more. As both point the same way, training looks "
    "normal and the codes learn faster by 1 + beta; with a codebook that is a moving average, "
    "whose "
    "codes must not receive a gradient at all, it is a second hand on the wheel.")

namespace on_the_output {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.codebook.codebook.setZero();
  gradients.codebook.z_e =
      -solution::vq_gradients(dz_q, z_e, codebook, indices, 1.0).commitment.z_e;
  return gradients;
}
}  // namespace on_the_output
MISCONCEPTION(
    on_the_output, vq_gradients, "vqgrad.on-the-output",
    "The codebook term was computed on the straight-through output. Its gradient then goes to the "
    "encoder and none to the codes, which never train.",
    "The output is z_e + sg[z_q - z_e]: it has the value of a code and the gradient of z_e. In (sg["
    "z_e] - output)^2 the codes are all behind a stop-gradient, and what is left drives z_e away "
    "from its code. The loss has the right value, so nothing shows but a codebook that stays as it "
    "was drawn: andylolu2/jax-vqvae-gpt issue 2, showlab/Olaf-World issue 8.")

namespace lookup_differentiated {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  Index n = 0;
  for (const std::int64_t k : indices) {
    gradients.reconstruction.codebook.row(k) += dz_q.row(n++);
  }
  return gradients;
}
}  // namespace lookup_differentiated
MISCONCEPTION(
    lookup_differentiated, vq_gradients, "vqgrad.reconstruction-to-codebook",
    "The reconstruction moves the codes as well. Straight through, it reaches the encoder only.",
    "A lookup has a gradient, to the rows it took, and a framework will use it unless z_q is "
    "detached. Letting it through is a variant with a literature of its own; it is not this loss, "
    "in which one term alone moves the codes.")

namespace reconstruction_stopped {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.reconstruction.z_e.setZero();
  return gradients;
}
}  // namespace reconstruction_stopped
MISCONCEPTION(
    reconstruction_stopped, vq_gradients, "vqgrad.reconstruction-stopped",
    "The encoder receives nothing of the reconstruction. Straight through, it receives dz_q "
    "as it is.",
    "An encoder that hears the commitment term alone has an easy way to please it: put "
    "every row on one code. The loss of the quantizer goes to 0, and the decoder gets the "
    "same code for everything.")

namespace all_in_one {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.commitment.z_e += gradients.reconstruction.z_e;
  return gradients;
}
}  // namespace all_in_one
MISCONCEPTION(
    all_in_one, vq_gradients, "vqgrad.terms-added",
    "commitment.z_e contains dz_q as well. The terms are kept apart.",
    "What the optimizer needs is the sum, and frameworks return nothing else, which is why "
    "it is so hard there to say which term is at fault. Here each has its place.")

namespace codebook_sign {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.codebook.codebook *= -1.0F;
  return gradients;
}
}  // namespace codebook_sign
MISCONCEPTION(
    codebook_sign, vq_gradients, "vqgrad.codebook-sign",
    "The codes' gradient has the wrong sign: they would flee from their rows. It is e - z.",
    "The square does not care which of the two is subtracted, the derivative does: by e, "
    "(z - e)^2 gives 2 (e - z). A gradient points uphill; the step goes against it.")

namespace commitment_sign {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.commitment.z_e *= -1.0F;
  return gradients;
}
}  // namespace commitment_sign
MISCONCEPTION(
    commitment_sign, vq_gradients, "vqgrad.commitment-sign",
    "The commitment term's gradient has the wrong sign: it would drive rows away from their "
    "codes. It is z - e.",
    "By z, (z - e)^2 gives 2 (z - e). With the sign turned, the encoder's output grows "
    "without bound.")

namespace two_missing {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.codebook.codebook *= 0.5F;
  gradients.commitment.z_e *= 0.5F;
  return gradients;
}
}  // namespace two_missing
MISCONCEPTION(
    two_missing, vq_gradients, "vqgrad.two-missing",
    "Both gradients are half of what they should be. The square's derivative has a factor "
    "2.",
    "The losses of 5.5 have no 1/2 that would cancel it. A gradient has to belong to its "
    "value, or a change of the learning rate hides in it.")

namespace not_averaged {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.codebook.codebook *= static_cast<float>(z_e.size());
  gradients.commitment.z_e *= static_cast<float>(z_e.size());
  return gradients;
}
}  // namespace not_averaged
MISCONCEPTION(not_averaged, vq_gradients, "vqgrad.not-averaged",
              "You did not divide by N D. The losses are means, and so are their gradients.",
              "The divisor of the value is the divisor of the gradient. Without it the quantizer "
              "outweighs the reconstruction, whose dz_q has been averaged.")

namespace averaged_over_rows {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  gradients.codebook.codebook *= static_cast<float>(z_e.cols());
  gradients.commitment.z_e *= static_cast<float>(z_e.cols());
  return gradients;
}
}  // namespace averaged_over_rows
MISCONCEPTION(averaged_over_rows, vq_gradients, "vqgrad.mean-over-rows",
              "You divided by N. The mean is over all N D elements.",
              "Summing over features and averaging over samples is the ELBO's convention. In one "
              "dimension the two agree.")

namespace last_row_wins {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, 1.0);
  Index n = 0;
  for (const std::int64_t k : indices) {
    gradients.codebook.codebook.row(k) = -gradients.commitment.z_e.row(n++);
  }
  gradients.commitment = solution::vq_gradients(dz_q, z_e, codebook, indices, beta).commitment;
  return gradients;
}
}  // namespace last_row_wins
MISCONCEPTION(
    last_row_wins, vq_gradients, "vqgrad.overwritten",
    "Of several rows with one code only the last one pulls it. Their pulls add up: -=, not "
    "=.",
    "An assignment in a loop over rows keeps what came last; gradient[indices] = ... in "
    "numpy does the same. While no two rows share a code, nothing is seen.")

namespace averaged_per_code {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  for (Index k = 0; k < codebook.rows(); ++k) {
    const auto rows = std::count(indices.begin(), indices.end(), k);
    gradients.codebook.codebook.row(k) /= static_cast<float>(std::max<Index>(rows, 1));
  }
  return gradients;
}
}  // namespace averaged_per_code
MISCONCEPTION(
    averaged_per_code, vq_gradients, "vqgrad.mean-per-code",
    "You divided each code's gradient by the number of its rows. They add up: a code with "
    "more rows is pulled more.",
    "The gradient of a mean over rows is divided by N once, for all. Dividing by n_k as "
    "well would let a code with one row move as fast as one with a thousand; that is the "
    "idea of the moving average in lab 06, and not the gradient of this loss.")

namespace unused_pulled {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  for (Index k = 0; k < codebook.rows(); ++k) {
    if (std::count(indices.begin(), indices.end(), k) > 0) continue;
    gradients.codebook.codebook.row(k) = 2.0F / static_cast<float>(z_e.size()) * codebook.row(k);
  }
  return gradients;
}
}  // namespace unused_pulled
MISCONCEPTION(
    unused_pulled, vq_gradients, "vqgrad.unused-pulled",
    "Codes that no row was given are pulled towards 0. They receive nothing.",
    "The mean of the rows of a code, with the count clamped to 1, is 0 for a code without "
    "rows, and the code is then drawn there. Harmless as it looks, it gathers all unused "
    "codes in one place.")

namespace nearest_again {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  return solution::vq_gradients(dz_q, z_e, codebook, nearest_code(z_e, codebook), beta);
}
}  // namespace nearest_again
MISCONCEPTION(
    nearest_again, vq_gradients, "vqgrad.looked-up-again",
    "You searched for the nearest codes once more. The indices that were given say which "
    "code each row has.",
    "A backward pass belongs to its forward pass. If the codebook has moved in between, a "
    "second search differentiates another one.")

namespace zero_beta_is_default {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  return solution::vq_gradients(dz_q, z_e, codebook, indices, beta == 0.0 ? 0.25 : beta);
}
}  // namespace zero_beta_is_default
MISCONCEPTION(zero_beta_is_default, vq_gradients, "vqgrad.zero-means-default",
              "A beta of 0 was taken for 0.25. It means that the commitment term is off.",
              "`beta or 0.25` treats 0 as not given.")

namespace decoder_unchecked {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(z_e, z_e, codebook, indices, beta);
  gradients.reconstruction.z_e = dz_q;
  return gradients;
}
}  // namespace decoder_unchecked
MISCONCEPTION(decoder_unchecked, vq_gradients, "vqgrad.decoder-gradient-unchecked",
              "A dz_q of another shape than z_e was handed on. It has to be refused.",
              "vq_straight_through_backward refuses it; a copy does not. What is wrong here would "
              "stop in the encoder, several layers later.")

namespace count_unchecked {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> as_many = indices;
  as_many.resize(static_cast<std::size_t>(z_e.rows()), 0);
  return solution::vq_gradients(dz_q, z_e, codebook, as_many, beta);
}
}  // namespace count_unchecked
MISCONCEPTION(count_unchecked, vq_gradients, "vqgrad.indices-uncounted",
              "More or fewer indices than rows were accepted. Every row has one.",
              "Indices and rows that do not match in number come from different batches.")

namespace negative_wrapped {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> wrapped = indices;
  for (std::int64_t& k : wrapped) k += k < 0 ? codebook.rows() : 0;
  return solution::vq_gradients(dz_q, z_e, codebook, wrapped, beta);
}
}  // namespace negative_wrapped
MISCONCEPTION(negative_wrapped, vq_gradients, "vqgrad.negative-index-accepted",
              "An index of -1 was taken for the last code. It has to be refused.",
              "A -1 that stands for \"none\" would train the last code with rows that are not its "
              "own.")

namespace large_clamped {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> clamped = indices;
  for (std::int64_t& k : clamped) k = std::min<std::int64_t>(k, codebook.rows() - 1);
  return solution::vq_gradients(dz_q, z_e, codebook, clamped, beta);
}
}  // namespace large_clamped
MISCONCEPTION(large_clamped, vq_gradients, "vqgrad.large-index-accepted",
              "An index of K was accepted. The last code is K - 1.",
              "The first index that is too large is K itself; a comparison with <= lets it pass.")

namespace dimensions_unchecked {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  if (z_e.cols() == codebook.cols() || dz_q.cols() != z_e.cols())
    return solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  Matrix fitting = Matrix::Zero(codebook.rows(), z_e.cols());
  const Index common = std::min(z_e.cols(), codebook.cols());
  fitting.leftCols(common) = codebook.leftCols(common);
  return solution::vq_gradients(dz_q, z_e, fitting, indices, beta);
}
}  // namespace dimensions_unchecked
MISCONCEPTION(dimensions_unchecked, vq_gradients, "vqgrad.columns-unchecked",
              "Rows and codes of different dimension were accepted. Their columns have to agree.",
              "What a row has more than its code is no part of the distance between them.")

namespace beta_unchecked {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  VqGradients gradients = solution::vq_gradients(dz_q, z_e, codebook, indices, std::abs(beta));
  if (beta < 0.0) gradients.commitment.z_e *= -1.0F;
  return gradients;
}
}  // namespace beta_unchecked
MISCONCEPTION(beta_unchecked, vq_gradients, "vqgrad.negative-beta-accepted",
              "A negative beta was accepted. It has to be refused.",
              "It would push every row away from its code.")

namespace empty_accepted {
VqGradients vq_gradients(const Matrix& dz_q, const Matrix& z_e, const Matrix& codebook,
                         const std::vector<std::int64_t>& indices, double beta) {
  if (z_e.size() > 0) return solution::vq_gradients(dz_q, z_e, codebook, indices, beta);
  const VqInputGradients none{z_e, Matrix::Zero(codebook.rows(), codebook.cols())};
  return {none, none, none};
}
}  // namespace empty_accepted
MISCONCEPTION(
    empty_accepted, vq_gradients, "vqgrad.empty-accepted",
    "A batch without elements was accepted. A mean over nothing has no gradient: refuse it, "
    "as vq_losses does.",
    "2 / (N D) is infinite then. Value and gradient should refuse the same arguments, or "
    "one of them will be called where the other would have stopped.")

// ---- 5.7 naive_loss_equivalence ----------------------------------------------------------------

namespace codes_left_out {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  const VqLosses losses = vq_losses(0.0, z_e, codebook, indices, beta);
  const VqGradients split = vq_gradients(z_e, z_e, codebook, indices, beta);
  const VqGradients one = vq_gradients(z_e, z_e, codebook, indices, 1.0);
  const Matrix none = Matrix::Zero(codebook.rows(), codebook.cols());
  return {{losses.codebook, one.commitment.z_e, none},
          {losses.total, split.commitment.z_e, split.codebook.codebook}};
}
}  // namespace codes_left_out
MISCONCEPTION(codes_left_out, naive_loss_equivalence, "naive.codes-left-out",
              "The naive loss moves only z_e in your answer. Without a stop-gradient the codes "
              "receive a gradient as well.",
              "(z_e - e)^2 depends on both, and nothing in it says that one of them is a constant. "
              "That both are pulled is what makes it the naive loss.")

namespace values_equated {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.stopped.value = both.naive.value;
  return both;
}
}  // namespace values_equated
MISCONCEPTION(
    values_equated, naive_loss_equivalence, "naive.values-equated",
    "You gave both losses one value. The stopped one is larger by 1 + beta: it has the "
    "same square twice.",
    "Equal gradients do not make equal values. A stop-gradient hides a path from the "
    "derivative and leaves the number alone, so with beta = 1 the value is doubled and the "
    "gradients are not.")

namespace naive_doubled {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.naive.value *= 2.0;
  return both;
}
}  // namespace naive_doubled
MISCONCEPTION(
    naive_doubled, naive_loss_equivalence, "naive.value-doubled",
    "The naive value is twice too large. It is one mean square, not two.",
    "The naive loss has one term. The other one, with its two, is where the value doubles, "
    "for beta = 1.")

namespace gradients_halved {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.naive.z_e *= 0.5F;
  both.naive.codebook *= 0.5F;
  return both;
}
}  // namespace gradients_halved
MISCONCEPTION(
    gradients_halved, naive_loss_equivalence, "naive.gradients-halved",
    "The naive gradients are half of what they should be. Half the value does not mean half "
    "the gradient here.",
    "It is tempting to conclude from the values that one loss is twice the other. As "
    "functions with a gradient they are not: in the stopped loss each of the two squares "
    "is seen by one receiver only.")

namespace naive_weighted {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.naive.z_e = both.stopped.z_e;
  return both;
}
}  // namespace naive_weighted
MISCONCEPTION(naive_weighted, naive_loss_equivalence, "naive.beta-in-naive",
              "The naive gradient to z_e contains beta. The naive loss has no beta: both sides are "
              "pulled alike.",
              "That it cannot weigh the two sides is what the naive loss lacks, and the one thing "
              "that the stop-gradients buy.")

namespace claimed_for_all {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.stopped.z_e = both.naive.z_e;
  return both;
}
}  // namespace claimed_for_all
MISCONCEPTION(
    claimed_for_all, naive_loss_equivalence, "naive.beta-ignored",
    "You gave z_e the same gradient in both losses, whatever beta. They agree for beta = 1; "
    "else the stopped one is beta times the naive one.",
    "With beta = 0.25, as is usual, the stopped loss holds the encoder with a quarter of "
    "the force that pulls the codes.")

namespace codes_weighted {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.stopped.codebook *= static_cast<float>(beta);
  return both;
}
}  // namespace codes_weighted
MISCONCEPTION(codes_weighted, naive_loss_equivalence, "naive.beta-on-codes",
              "beta weighs the codes' gradient in the stopped loss. It weighs the encoder's only.",
              "The codebook term has no weight; the commitment term has one and does not reach the "
              "codes.")

namespace terms_crossed {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  both.stopped.z_e += both.naive.z_e;
  both.stopped.codebook *= 1.0F + static_cast<float>(beta);
  return both;
}
}  // namespace terms_crossed
MISCONCEPTION(
    terms_crossed, naive_loss_equivalence, "naive.nothing-stopped",
    "In your stopped loss nothing is stopped: both terms reach both receivers, and the "
    "gradients grow by 1 + beta with the value.",
    "That would be (1 + beta) times the naive loss, value and gradients. The stop-gradients "
    "take one receiver away from each term.")

namespace naive_overwritten {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both = solution::naive_loss_equivalence(z_e, codebook, indices, beta);
  Index n = 0;
  for (const std::int64_t k : indices) both.naive.codebook.row(k) = -both.naive.z_e.row(n++);
  return both;
}
}  // namespace naive_overwritten
MISCONCEPTION(
    naive_overwritten, naive_loss_equivalence, "naive.overwritten",
    "Of several rows with one code only the last one pulls it in the naive loss. Their "
    "pulls add up.",
    "The codes' gradient is a sum over their rows, in both losses. Where no two rows share "
    "a code, nothing is seen.")

namespace indices_trusted {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  std::vector<std::int64_t> repaired = indices;
  repaired.resize(static_cast<std::size_t>(z_e.rows()), 0);
  for (std::int64_t& k : repaired) k = std::clamp<std::int64_t>(k, 0, codebook.rows() - 1);
  return solution::naive_loss_equivalence(z_e, codebook, repaired, beta);
}
}  // namespace indices_trusted
MISCONCEPTION(indices_trusted, naive_loss_equivalence, "naive.indices-unchecked",
              "Indices that are too many, too few or out of range were accepted. vq_losses refuses "
              "them.",
              "Called first, vq_losses brings all refusals along.")

namespace shapes_trusted {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  if (z_e.size() == 0) return {{0.0, z_e, 0.0F * codebook}, {0.0, z_e, 0.0F * codebook}};
  const Index common = std::min(z_e.cols(), codebook.cols());
  return solution::naive_loss_equivalence(z_e.leftCols(common), codebook.leftCols(common), indices,
                                          beta);
}
}  // namespace shapes_trusted
MISCONCEPTION(
    shapes_trusted, naive_loss_equivalence, "naive.shapes-unchecked",
    "Codes of another dimension, or a batch without rows, were accepted. vq_losses refuses "
    "both.",
    "A mean over nothing is no number, and half a vector has no distance.")

namespace beta_trusted {
NaiveLossEquivalence naive_loss_equivalence(const Matrix& z_e, const Matrix& codebook,
                                            const std::vector<std::int64_t>& indices, double beta) {
  NaiveLossEquivalence both =
      solution::naive_loss_equivalence(z_e, codebook, indices, std::abs(beta));
  both.stopped.value = (1.0 + beta) * both.naive.value;
  both.stopped.z_e = static_cast<float>(beta) * both.naive.z_e;
  return both;
}
}  // namespace beta_trusted
MISCONCEPTION(beta_trusted, naive_loss_equivalence, "naive.negative-beta-accepted",
              "A negative beta was accepted. It has to be refused, as in vq_losses.",
              "Below 0 the stopped loss drives rows and codes apart on one side.")

}  // namespace latent

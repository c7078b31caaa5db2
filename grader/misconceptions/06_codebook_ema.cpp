// Wrong answers to lab 06 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   codebook_perplexity with 1e-10 inside the logarithm: it is right to ten digits, and accepted.
//   a batch's perplexity reported as a data set's, a mean over several codebooks left out: the
//     function sees one list of indices and cannot know where it comes from. A question asks.
//   codebook_usage counted over a whole run, so that codes which died long ago still count: the
//     same.
//   assignment_stats with the one-hot matrix transposed, or summing codes instead of rows: sizes do
//     not fit unless N = K, and codes are no argument.
//   counts in 32-bit floats above 2^24: nothing here is that large. Half floats are below.
//   ema_decay in place, so that old and new share memory: arguments are constant.
//   a second update when the forward pass is called twice, statistics not summed over several
//     GPUs, a commitment term that moves the codes as well: ema_codebook_step has no hidden state,
//     no second machine, and returns no gradient.
//   averages that start at N = 0, or are debiased by 1 - gamma^t: the caller's choice, not a
//     function of this lab; two questions and the chapter work out what they do.
//   revive with a generator of its own: randomness is an argument.
//   kmeans_init in every forward pass, or drawing its own permutation: the same.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "codebook_ema.hpp"
#include "common/require.hpp"
#include "grader/judge/misconception.hpp"

namespace solution = latent;

namespace latent {

// ---- 6.1 codebook_usage ------------------------------------------------------------------------

namespace largest_index {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(codebook_size >= 1, "at least one code");
  std::int64_t used = 0;
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook_size, "index out of range");
    used = std::max(used, k + 1);
  }
  return {used, static_cast<double>(used) / static_cast<double>(codebook_size)};
}
}  // namespace largest_index
MISCONCEPTION(
    largest_index, codebook_usage, "usage.largest-index",
    "You took the largest index plus one. Codes below it may be unused: count those that occur.",
    "The largest index says how large a codebook has to be, not how much of it is used. With codes "
    "that were revived now and then it is nearly always K.")

namespace by_number_of_indices {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const std::int64_t used = solution::codebook_usage(indices, codebook_size).used;
  const auto n = static_cast<double>(std::max<std::size_t>(indices.size(), 1));
  return {used, static_cast<double>(used) / n};
}
}  // namespace by_number_of_indices
MISCONCEPTION(by_number_of_indices, codebook_usage, "usage.divided-by-n",
              "The share was divided by the number of indices. It is a share of the K codes.",
              "used / N falls with every row that is added, however well the codebook is used. It "
              "is right only where N and K happen to agree.")

namespace in_percent {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const CodebookUsage usage = solution::codebook_usage(indices, codebook_size);
  return {usage.used, 100.0 * usage.share};
}
}  // namespace in_percent
MISCONCEPTION(in_percent, codebook_usage, "usage.percent",
              "The share is in percent. It goes from 0 to 1.",
              "Reports print percent, and 12 of 8192 codes are 0.1465 of them. A number whose unit "
              "is not in its name is best without one.")

namespace whole_division {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const std::int64_t used = solution::codebook_usage(indices, codebook_size).used;
  return {used, static_cast<double>(used / codebook_size)};
}
}  // namespace whole_division
MISCONCEPTION(
    whole_division, codebook_usage, "usage.whole-division",
    "Two whole numbers were divided, and the fraction was lost before it became a double.",
    "12 / 8192 is 0 in whole numbers, and used / K is 0 for every codebook that is not "
    "used completely. Convert before dividing, not after.")

namespace repeated_only {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const CodebookUsage all = solution::codebook_usage(indices, codebook_size);
  std::int64_t used = 0;
  for (std::int64_t k = 0; k < codebook_size; ++k)
    used += std::count(indices.begin(), indices.end(), k) > 1 ? 1 : 0;
  return all.used == 0 ? all : CodebookUsage{used, double(used) / double(codebook_size)};
}
}  // namespace repeated_only
MISCONCEPTION(repeated_only, codebook_usage, "usage.once-not-counted",
              "Codes that occur once were not counted. Once is enough.",
              "The comparison is with 0, not with 1. In a large batch nobody sees it; in a small "
              "one, or a large codebook, most used codes occur once.")

namespace changes_counted {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const CodebookUsage right = solution::codebook_usage(indices, codebook_size);
  std::vector<std::int64_t> runs = indices;
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  if (right.used == 0) return right;
  const auto used = static_cast<std::int64_t>(runs.size());
  return {used, double(used) / double(codebook_size)};
}
}  // namespace changes_counted
MISCONCEPTION(changes_counted, codebook_usage, "usage.not-sorted",
              "You counted how often the index changes along the list. A code that comes back was "
              "counted again.",
              "std::unique removes neighbours that are equal. The list has to be sorted before, or "
              "the codes counted one by one.")

namespace perplexity_as_usage {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const CodebookUsage right = solution::codebook_usage(indices, codebook_size);
  if (indices.empty()) return right;
  return {right.used, codebook_perplexity(indices, codebook_size) / double(codebook_size)};
}
}  // namespace perplexity_as_usage
MISCONCEPTION(perplexity_as_usage, codebook_usage, "usage.perplexity",
              "The share is perplexity / K. It is the number of codes that occur, divided by K.",
              "Both are called usage. They agree where all used codes are equally frequent; "
              "otherwise the perplexity is smaller, because rare codes count for less.")

namespace one_byte {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const CodebookUsage right = solution::codebook_usage(indices, codebook_size);
  std::vector<std::int64_t> bytes = indices;
  for (std::int64_t& k : bytes) k = static_cast<std::uint8_t>(k);
  const std::int64_t used = solution::codebook_usage(bytes, codebook_size).used;
  return {used, indices.empty() ? right.share : double(used) / double(codebook_size)};
}
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  std::vector<std::int64_t> bytes = indices;
  solution::codebook_usage(indices, codebook_size);  // refuses
  for (std::int64_t& k : bytes) k = static_cast<std::uint8_t>(k);
  return solution::codebook_perplexity(bytes, codebook_size);
}
}  // namespace one_byte
MISCONCEPTION(one_byte, codebook_usage, "usage.byte",
              "The indices went through one byte: codes 256 apart were taken for one.",
              "Token files with one byte per index are right up to K = 256. Of a codebook with "
              "8192 codes they show 256 at most, and the diagnosis is a collapse that is none.")
MISCONCEPTION(one_byte, codebook_perplexity, "perplexity.byte",
              "The indices went through one byte: codes 256 apart were taken for one.",
              "Token files with one byte per index are right up to K = 256. Beyond, the "
              "perplexity can never exceed 256, and looks like a collapsed codebook.")

namespace none_refused {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(!indices.empty(), "at least one index");
  return solution::codebook_usage(indices, codebook_size);
}
}  // namespace none_refused
MISCONCEPTION(none_refused, codebook_usage, "usage.empty-refused",
              "A list without indices was refused. No code occurs in it, and that is an answer.",
              "Only the perplexity has a reason to refuse: it divides by N. A count has none.")

namespace any_index {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  std::vector<std::int64_t> known = indices;
  std::erase_if(known, [&](std::int64_t k) { return k < 0 || k >= codebook_size; });
  return solution::codebook_usage(known, codebook_size);
}
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  std::vector<std::int64_t> known = indices;
  std::erase_if(known, [&](std::int64_t k) { return k < 0 || k >= codebook_size; });
  return known.empty() && !indices.empty() ? 1.0
                                           : solution::codebook_perplexity(known, codebook_size);
}
}  // namespace any_index
MISCONCEPTION(any_index, codebook_usage, "usage.bad-index-accepted",
              "An index outside of 0 to K - 1 was passed over. Refuse it: it names no code.",
              "-1 marks padding in many programs. Whether padding counts is for the caller to "
              "decide, who takes it out before asking. An index of K means that two parts of a "
              "program disagree about the codebook.")
MISCONCEPTION(any_index, codebook_perplexity, "perplexity.bad-index-accepted",
              "An index outside of 0 to K - 1 was passed over. Refuse it: it names no code.",
              "Whether padding counts is for the caller to decide. Passed over in silence, it "
              "also shrinks N, and with it every share.")

namespace no_codes {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  if (codebook_size < 1 && indices.empty()) return {0, 0.0};
  return solution::codebook_usage(indices, codebook_size);
}
}  // namespace no_codes
MISCONCEPTION(no_codes, codebook_usage, "usage.no-codes-accepted",
              "A codebook of size 0 got a share. There is nothing to have a share of: refuse it.",
              "0 / 0 is NaN, and whoever sets it to 0 instead has decided that an absent codebook "
              "is an unused one.")

namespace base_mixed {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  return std::exp(std::log2(solution::codebook_perplexity(indices, codebook_size)));
}
}  // namespace base_mixed
MISCONCEPTION(base_mixed, codebook_perplexity, "perplexity.base-mixed",
              "The entropy is in bits and the exponential has base e. Take the same base twice.",
              "exp with log2 makes 148.4 of 32 equally frequent codes: more than there are. 2 to "
              "the bits and e to the nats are the same number, the mixture is none.")

namespace entropy_only {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  return std::log(solution::codebook_perplexity(indices, codebook_size));
}
}  // namespace entropy_only
MISCONCEPTION(entropy_only, codebook_perplexity, "perplexity.entropy",
              "You returned the entropy in nats. The perplexity is its exponential.",
              "ln 32 = 3.47 is the same information, and nobody can see from it that 32 codes are "
              "in use. That is what the exponential is for.")

namespace bits_only {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  return std::log2(solution::codebook_perplexity(indices, codebook_size));
}
}  // namespace bits_only
MISCONCEPTION(bits_only, codebook_perplexity, "perplexity.bits",
              "You returned bits per index. The perplexity is 2 to that power.",
              "log2 of the perplexity is what an index carries: 3.585 bits of 13 for 12 of 8192 "
              "codes. It answers another question than how many codes take part.")

namespace sample_by_sample {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  double sum = 0.0;
  for (const std::int64_t k : indices) sum += solution::codebook_perplexity({k}, codebook_size);
  if (indices.empty()) return solution::codebook_perplexity(indices, codebook_size);
  return sum / static_cast<double>(indices.size());
}
}  // namespace sample_by_sample
MISCONCEPTION(sample_by_sample, codebook_perplexity, "perplexity.per-sample",
              "You averaged the perplexities of single indices. Average the shares first, then "
              "take the entropy.",
              "A single index has one code with share 1, entropy 0 and perplexity 1, and the mean "
              "of ones is 1. The order matters because the entropy is not linear.")

namespace per_code {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  return solution::codebook_perplexity(indices, codebook_size) / static_cast<double>(codebook_size);
}
}  // namespace per_code
MISCONCEPTION(per_code, codebook_perplexity, "perplexity.divided-by-k",
              "The perplexity was divided by K. It is a number of codes, from 1 to K.",
              "perplexity / K is a useful share, and another quantity. For one code that has "
              "everything it would be 1 / K.")

namespace log_of_zero {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  if (solution::codebook_usage(indices, codebook_size).used == codebook_size || indices.empty())
    return solution::codebook_perplexity(indices, codebook_size);
  return std::numeric_limits<double>::quiet_NaN();
}
}  // namespace log_of_zero
MISCONCEPTION(log_of_zero, codebook_perplexity, "perplexity.log-of-zero",
              "A code that never occurs made it NaN: 0 ln 0 is 0 in the limit, 0 times minus "
              "infinity for a computer.",
              "p ln p goes to 0 with p. Skip codes with p = 0; many implementations add 1e-10 "
              "inside the logarithm instead, which also works and is a little off.")

namespace number_used {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  const CodebookUsage usage = solution::codebook_usage(indices, codebook_size);
  return indices.empty() ? solution::codebook_perplexity(indices, codebook_size)
                         : static_cast<double>(usage.used);
}
}  // namespace number_used
MISCONCEPTION(number_used, codebook_perplexity, "perplexity.number-used",
              "You returned how many codes occur. The perplexity weighs them by their shares.",
              "Both agree where all used codes are equally frequent. A codebook in which one code "
              "has 99 % of the rows and a thousand codes share the rest is used by a thousand and "
              "one, and its perplexity is 1.1.")

namespace sum_of_squares {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  double squares = 0.0;
  for (std::int64_t k = 0; k < codebook_size; ++k) {
    const auto count = static_cast<double>(std::count(indices.begin(), indices.end(), k));
    squares += std::pow(count / static_cast<double>(indices.size()), 2);
  }
  solution::codebook_perplexity(indices, codebook_size);  // refuses
  return 1.0 / squares;
}
}  // namespace sum_of_squares
MISCONCEPTION(sum_of_squares, codebook_perplexity, "perplexity.inverse-squares",
              "You returned 1 / sum p^2. The perplexity is the exponential of the entropy.",
              "The inverse of the sum of squares counts effective members too, under the names of "
              "Simpson and Herfindahl. It agrees for equal shares and is smaller otherwise.")

namespace counts_plus_one {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  std::vector<std::int64_t> more = indices;
  for (std::int64_t k = 0; k < codebook_size && !indices.empty(); ++k) more.push_back(k);
  return solution::codebook_perplexity(more, codebook_size);
}
}  // namespace counts_plus_one
MISCONCEPTION(counts_plus_one, codebook_perplexity, "perplexity.counts-plus-one",
              "Every count was raised by 1 to keep the logarithm finite. That changes the shares.",
              "With 8192 codes and 36 indices nearly all of the counts are made up, and the "
              "perplexity is near 8192. Skip what does not occur instead.")

namespace single_refused {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(codebook_size >= 2, "one code has no distribution");
  return solution::codebook_perplexity(indices, codebook_size);
}
}  // namespace single_refused
MISCONCEPTION(single_refused, codebook_perplexity, "perplexity.single-refused",
              "A codebook with one code was refused. Its perplexity is 1.",
              "An entropy of 0 is an entropy. Where one would divide by ln K to normalise there "
              "is a reason to refuse K = 1; here nothing is divided by it.")

namespace nothing_is_one {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  return indices.empty() ? 1.0 : solution::codebook_perplexity(indices, codebook_size);
}
}  // namespace nothing_is_one
MISCONCEPTION(nothing_is_one, codebook_perplexity, "perplexity.empty-accepted",
              "Without indices you answered 1. There are no shares then: refuse it.",
              "A sum over nothing is 0 and its exponential 1, which is also the sign of a total "
              "collapse. An empty validation set should not look like one.")

// ---- 6.2 assignment_stats ----------------------------------------------------------------------

namespace means {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require(codebook_size >= 1, "at least one code");
  require_size(static_cast<Index>(indices.size()), z.rows(), "number of indices");
  ClusterStats batch{DoubleVector::Zero(codebook_size), Matrix::Zero(codebook_size, z.cols())};
  Index n = 0;
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook_size, "index out of range");
    batch.size(k) += 1.0;
    batch.sum.row(k) += z.row(n++);
  }
  for (Index k = 0; k < codebook_size; ++k) {
    if (batch.size(k) > 0.0) batch.sum.row(k) /= static_cast<float>(batch.size(k));
  }
  return batch;
}
}  // namespace means
MISCONCEPTION(means, assignment_stats, "stats.means",
              "You divided each sum by its count. Sums are asked for; the division comes last, "
              "after averaging.",
              "A running mean of means forgets how many rows each batch had: one row in one batch "
              "and a hundred in the next would weigh the same. A running sum over a running count "
              "weighs every row alike.")

namespace up_to_the_largest {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  const ClusterStats all = solution::assignment_stats(z, indices, codebook_size);
  if (indices.empty()) return all;
  const Index used = *std::max_element(indices.begin(), indices.end()) + 1;
  return {all.size.head(used), all.sum.topRows(used)};
}
}  // namespace up_to_the_largest
MISCONCEPTION(up_to_the_largest, assignment_stats, "stats.k-from-indices",
              "There are as many sums as the largest index says. There should be one for every "
              "code, the last ones included.",
              "bincount without minlength does this. It is right until the last code of the "
              "codebook has no row in a batch, and then shapes do not fit any more, or worse, are "
              "broadcast.")

namespace last_row_only {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  ClusterStats batch = solution::assignment_stats(z, indices, codebook_size);
  Index n = 0;
  for (const std::int64_t k : indices) batch.sum.row(k) = z.row(n++);
  return batch;
}
}  // namespace last_row_only
MISCONCEPTION(last_row_only, assignment_stats, "stats.overwritten",
              "Each row replaced the one before it. Rows of one code are added up.",
              "sum[indices] = z keeps the last of several rows, and so does sum[indices] += z in "
              "NumPy and PyTorch, where repeated indices are written once: index_add_ is the one "
              "that adds. With one row per code nothing is seen.")

namespace present_or_not {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  ClusterStats batch = solution::assignment_stats(z, indices, codebook_size);
  batch.size = batch.size.cwiseMin(1.0);
  return batch;
}
}  // namespace present_or_not
MISCONCEPTION(present_or_not, assignment_stats, "stats.present-or-not",
              "size is 1 for every code that occurs. It counts the rows.",
              "The sum then contains several rows and is divided by one: codes grow with their "
              "popularity.")

namespace shares {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  ClusterStats batch = solution::assignment_stats(z, indices, codebook_size);
  batch.size /= std::max(1.0, static_cast<double>(z.rows()));
  return batch;
}
}  // namespace shares
MISCONCEPTION(shares, assignment_stats, "stats.shares",
              "The sizes were divided by N. They are counts, and the sums are sums.",
              "Shares of a batch are what a perplexity needs. Here sums and sizes have to be in "
              "the same unit, rows, or their quotient is N times too large.")

namespace averaged_over_batch {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  ClusterStats batch = solution::assignment_stats(z, indices, codebook_size);
  const double rows = std::max(1.0, static_cast<double>(z.rows()));
  return {batch.size / rows, batch.sum / static_cast<float>(rows)};
}
}  // namespace averaged_over_batch
MISCONCEPTION(averaged_over_batch, assignment_stats, "stats.divided-by-n",
              "Sizes and sums were divided by N. The contract has neither mean.",
              "Divided alike, their quotient is still right, and only what compares N_k with a "
              "number of rows goes wrong: the smoothing, and the threshold for dead codes.")

namespace from_one {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  ClusterStats batch = solution::assignment_stats(z, indices, codebook_size);
  batch.size.array() += 1.0;
  return batch;
}
}  // namespace from_one
MISCONCEPTION(from_one, assignment_stats, "stats.sizes-from-one",
              "Every size is one too large. Counting starts at 0; the division is made safe later, "
              "by smoothing.",
              "Starting at 1 avoids dividing by 0, and pulls every code towards 0 by a factor n / "
              "(n + 1): a code with one row ends half way.")

namespace half_precision {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  ClusterStats batch = solution::assignment_stats(z, indices, codebook_size);
  batch.size = batch.size.cwiseMin(2048.0);
  return batch;
}
}  // namespace half_precision
MISCONCEPTION(half_precision, assignment_stats, "stats.half-precision",
              "The counts stop at 2048, where a 16-bit float cannot add 1 any more.",
              "Under mixed precision a counter is easily made in the type of z. In half precision "
              "2048 + 1 is 2048; in bfloat16 it stops at 256 already. A popular code then has too "
              "small a size for its sum, and grows.")

namespace empty_refused {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require(z.rows() > 0, "at least one row");
  return solution::assignment_stats(z, indices, codebook_size);
}
}  // namespace empty_refused
MISCONCEPTION(empty_refused, assignment_stats, "stats.empty-refused",
              "A batch without rows was refused. All its counts and sums are 0.",
              "Nothing is divided here, so nothing can go wrong. A worker of a distributed run may "
              "well have no rows, and still has to take part in the sum.")

namespace as_many_as_fit {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  std::vector<std::int64_t> common = indices;
  common.resize(std::min(indices.size(), static_cast<std::size_t>(z.rows())));
  return solution::assignment_stats(z.topRows(static_cast<Index>(common.size())), common,
                                    codebook_size);
}
}  // namespace as_many_as_fit
MISCONCEPTION(as_many_as_fit, assignment_stats, "stats.length-unchecked",
              "Rows and indices of different number were accepted. Each row has one index.",
              "A loop over the shorter of two lists finds an answer in every case. Rows and "
              "indices that differ in number come from two different batches.")

namespace unknown_codes_skipped {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require_size(static_cast<Index>(indices.size()), z.rows(), "number of indices");
  Matrix rows = z;
  std::vector<std::int64_t> known = indices;
  Index n = 0, kept = 0;
  for (const std::int64_t k : indices) {
    rows.row(kept) = z.row(n++);
    known[static_cast<std::size_t>(kept)] = k;
    kept += k >= 0 && k < codebook_size ? 1 : 0;
  }
  known.resize(static_cast<std::size_t>(kept));
  return solution::assignment_stats(rows.topRows(kept), known, codebook_size);
}
}  // namespace unknown_codes_skipped
MISCONCEPTION(unknown_codes_skipped, assignment_stats, "stats.bad-index-accepted",
              "A row whose index names no code was left out. Refuse the batch.",
              "The sizes then add up to less than N, and nobody asks why. A one-hot encoding with "
              "such an index is a row of zeros, which does the same without being asked to.")

namespace no_codes_no_stats {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  if (codebook_size < 1 && z.rows() == 0 && indices.empty()) return {{}, Matrix(0, z.cols())};
  return solution::assignment_stats(z, indices, codebook_size);
}
}  // namespace no_codes_no_stats
MISCONCEPTION(no_codes_no_stats, assignment_stats, "stats.no-codes-accepted",
              "A codebook without codes was accepted. K is at least 1.",
              "Empty answers to empty questions are fine where they can be meant. Nobody means a "
              "codebook of -1 codes.")

// ---- 6.3 ema_decay -----------------------------------------------------------------------------

namespace gamma_swapped {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  require_size(batch.size.size(), average.size.size(), "sizes");
  require_size(batch.sum.rows(), average.sum.rows(), "sums");
  require_size(batch.sum.cols(), average.sum.cols(), "columns");
  require(decay >= 0.0 && decay < 1.0, "decay");
  const auto gamma = static_cast<float>(decay);
  return {(1.0 - decay) * average.size + decay * batch.size,
          (1.0F - gamma) * average.sum + gamma * batch.sum};
}
}  // namespace gamma_swapped
MISCONCEPTION(gamma_swapped, ema_decay, "decay.swapped",
              "gamma went to the batch. It weighs the past: with 0.99, one part in a hundred is "
              "new.",
              "PyTorch's BatchNorm calls momentum what is 1 - gamma here, so both conventions are "
              "in every codebase. A codebook whose averages are made of the last batch alone jumps "
              "from batch to batch, and its unused codes are gone after two.")

namespace batch_unweighted {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  const ClusterStats right = solution::ema_decay(average, batch, decay);
  return {right.size + decay * batch.size, right.sum + static_cast<float>(decay) * batch.sum};
}
}  // namespace batch_unweighted
MISCONCEPTION(batch_unweighted, ema_decay, "decay.batch-unweighted",
              "The batch was added with weight 1. Its weight is 1 - gamma.",
              "gamma N + n settles at n / (1 - gamma), a hundred times too large. Size and sum are "
              "wrong by the same factor and the codes come out right, so that only the threshold "
              "for dead codes never strikes.")

namespace assigned_only {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats next = solution::ema_decay(average, batch, decay);
  for (Index k = 0; k < next.size.size(); ++k) {
    if (batch.size(k) > 0.0) continue;
    next.size(k) = average.size(k);
    next.sum.row(k) = average.sum.row(k);
  }
  return next;
}
}  // namespace assigned_only
MISCONCEPTION(assigned_only, ema_decay, "decay.assigned-only",
              "Codes without rows kept their averages. They decay as all others do: n is 0 for "
              "them.",
              "An average over time has to see the batches in which nothing happened. Otherwise "
              "the size of a code that was popular once stays large for ever, and no threshold "
              "will find out that it is dead.")

namespace sums_unweighted {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats next = solution::ema_decay(average, batch, decay);
  next.sum = static_cast<float>(decay) * average.sum + batch.sum;
  return next;
}
}  // namespace sums_unweighted
MISCONCEPTION(sums_unweighted, ema_decay, "decay.sums-unweighted",
              "The sums took in the batch with weight 1, the sizes with 1 - gamma. Both averages "
              "weigh it alike.",
              "The sum then settles at 1 / (1 - gamma) times what it should be, a hundred for "
              "0.99, and the codes with it. A code without rows does not show it.")

namespace sums_replaced {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats next = solution::ema_decay(average, batch, decay);
  next.sum = batch.sum;
  return next;
}
}  // namespace sums_replaced
MISCONCEPTION(sums_replaced, ema_decay, "decay.sums-replaced",
              "The sums are the batch's. They are a running average like the sizes.",
              "A sum of one batch over a size of a hundred batches is no mean of anything; only "
              "with batches that all have the same counts does it look right.")

namespace means_averaged {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats means = batch;
  if (batch.size.size() == batch.sum.rows()) {
    for (Index k = 0; k < means.sum.rows(); ++k)
      means.sum.row(k) /= static_cast<float>(std::max(batch.size(k), 1.0));
  }
  return solution::ema_decay(average, means, decay);
}
}  // namespace means_averaged
MISCONCEPTION(means_averaged, ema_decay, "decay.means-averaged",
              "The running sum took in the mean of the rows. It takes in their sum.",
              "A running sum of means and a running count do not belong together: their quotient "
              "is too small by the number of rows in a batch.")

namespace per_row_decay {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats next = solution::ema_decay(average, batch, decay);
  for (Index k = 0; k < next.size.size(); ++k) {
    const double keep = std::pow(decay, batch.size(k));
    const double mean = batch.size(k) > 0.0 ? 1.0 / batch.size(k) : 0.0;
    next.size(k) = keep * average.size(k) + (1.0 - keep);
    next.sum.row(k) = static_cast<float>(keep) * average.sum.row(k) +
                      static_cast<float>((1.0 - keep) * mean) * batch.sum.row(k);
  }
  return next;
}
}  // namespace per_row_decay
MISCONCEPTION(per_row_decay, ema_decay, "decay.once-per-row",
              "gamma was applied once for every row. It is applied once for every batch.",
              "gamma^n is what a loop over rows with an update in each would do. Time is counted "
              "in batches here, the same for all codes, with rows or without.")

namespace debiased {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats next = solution::ema_decay(average, batch, decay);
  next.size /= 1.0 - decay;
  next.sum /= static_cast<float>(1.0 - decay);
  return next;
}
}  // namespace debiased
MISCONCEPTION(debiased, ema_decay, "decay.debiased",
              "The averages were divided by 1 - gamma, as Adam does after its first step. Nothing "
              "is corrected here.",
              "A correction for a start at 0 belongs to averages that start there, and is 1 - "
              "gamma^t. Sonnet's VectorQuantizerEMA has it; the price is that every code that the "
              "first batch does not hit is exactly 0 afterwards. Ours starts at sizes that mean "
              "something.")

namespace single_precision {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats next = solution::ema_decay(average, batch, decay);
  const float gamma = static_cast<float>(decay), fresh = 1.0F - gamma;
  next.size = double(gamma) * average.size + double(fresh) * batch.size;
  return next;
}
}  // namespace single_precision
MISCONCEPTION(single_precision, ema_decay, "decay.single-precision",
              "1 - gamma was computed in float. Where gamma is almost 1 that leaves few digits; "
              "the sizes are doubles.",
              "As a float, 0.9999 is 0.99989998, and 1 minus it is 1.00017e-4: the past and the "
              "present do not weigh what was asked for. Compute in double, cast at the end.")

namespace zero_decay_refused {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  require(decay > 0.0, "decay has to be positive");
  return solution::ema_decay(average, batch, decay);
}
}  // namespace zero_decay_refused
MISCONCEPTION(zero_decay_refused, ema_decay, "decay.zero-refused",
              "gamma = 0 was refused. It is allowed, and makes the averages the last batch's.",
              "Without memory an EMA codebook is mini-batch k-means with a step of 1. Nobody "
              "trains like that, and it is a good test.")

namespace codes_unchecked {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats fitted{DoubleVector::Zero(average.size.size()),
                      Matrix::Zero(average.sum.rows(), batch.sum.cols())};
  const Index sizes = std::min(batch.size.size(), fitted.size.size());
  const Index sums = std::min(batch.sum.rows(), fitted.sum.rows());
  fitted.size.head(sizes) = batch.size.head(sizes);
  fitted.sum.topRows(sums) = batch.sum.topRows(sums);
  return solution::ema_decay(average, fitted, decay);
}
}  // namespace codes_unchecked
MISCONCEPTION(codes_unchecked, ema_decay, "decay.codes-unchecked",
              "A batch with another number of codes was accepted. Refuse it: size by size, sum by "
              "sum.",
              "A missing last code looks like one without rows. It usually is a bincount without "
              "its minlength.")

namespace columns_unchecked {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  ClusterStats fitted{batch.size, Matrix::Zero(batch.sum.rows(), average.sum.cols())};
  const Index common = std::min(batch.sum.cols(), average.sum.cols());
  fitted.sum.leftCols(common) = batch.sum.leftCols(common);
  return solution::ema_decay(average, fitted, decay);
}
}  // namespace columns_unchecked
MISCONCEPTION(columns_unchecked, ema_decay, "decay.columns-unchecked",
              "Sums of another dimension were accepted. Compare their columns too.",
              "The number of codes can agree where their dimension does not, for instance after a "
              "projection was added in front of the quantizer.")

namespace one_accepted {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  if (decay < 1.0) return solution::ema_decay(average, batch, decay);
  solution::ema_decay(average, batch, 0.0);  // refuses shapes that do not fit
  const auto gamma = static_cast<float>(decay);
  return {decay * average.size + (1.0 - decay) * batch.size,
          gamma * average.sum + (1.0F - gamma) * batch.sum};
}
}  // namespace one_accepted
MISCONCEPTION(one_accepted, ema_decay, "decay.one-accepted",
              "A gamma of 1 or above was accepted. With 1 nothing is ever learned, above it the "
              "batch is subtracted.",
              "Freezing a codebook is a decision of its own, and has a switch of its own: "
              "training or not. dead_mask divides by 1 - gamma.")

namespace negative_accepted {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  return solution::ema_decay(average, batch, std::max(decay, 0.0));
}
}  // namespace negative_accepted
MISCONCEPTION(negative_accepted, ema_decay, "decay.negative-accepted",
              "A negative gamma was accepted. It is at least 0.",
              "Clamping an argument hides the mistake of whoever computed it.")

// ---- 6.4 laplace_smooth ------------------------------------------------------------------------

namespace sums_to_one {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require((size.array() >= 0.0).all() && epsilon > 0.0, "arguments");
  const double sum = size.sum();
  if (sum == 0.0) return size;
  return (size.array() + epsilon) / (sum + static_cast<double>(size.size()) * epsilon);
}
}  // namespace sums_to_one
MISCONCEPTION(sums_to_one, laplace_smooth, "smooth.probabilities",
              "The factor S is missing: these are shares that add up to 1. Sizes are asked for, "
              "with the sum that came.",
              "Laplace smoothing is known from probabilities, where it ends here. Dividing the "
              "running sums by shares makes every code S times too large: ten times for sizes that "
              "add up to 10.")

namespace sum_drifts {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  if (size.sum() == 0.0) return right;
  return size.array() + epsilon;
}
}  // namespace sum_drifts
MISCONCEPTION(sum_drifts, laplace_smooth, "smooth.sum-grows",
              "epsilon was added and the sum was not brought back: it grew by K epsilon.",
              "The denominator S + K epsilon is what keeps the sum. With 8192 codes and a small "
              "batch K epsilon is not small: 0.08, against sizes of a few hundredths each.")

namespace one_epsilon_below {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  const double sum = size.sum(), k = static_cast<double>(size.size());
  return right * ((sum + k * epsilon) / (sum + epsilon));
}
}  // namespace one_epsilon_below
MISCONCEPTION(one_epsilon_below, laplace_smooth, "smooth.one-epsilon",
              "The denominator has one epsilon. K of them were added above.",
              "Each of the K sizes gets its own epsilon, so their sum grows by K epsilon. With one "
              "code it makes no difference.")

namespace added_after {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  const double sum = size.sum(), k = static_cast<double>(size.size());
  if (sum == 0.0) return right;
  return (size.array() / (sum + k * epsilon) + epsilon) * sum;
}
}  // namespace added_after
MISCONCEPTION(added_after, laplace_smooth, "smooth.added-after-division",
              "epsilon was added after the division. It belongs to the sizes, before it.",
              "A share of epsilon is epsilon times S rows: how much an unused code gets then grows "
              "with the batch.")

namespace clamped {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  return size.sum() == 0.0 ? right : DoubleVector(size.cwiseMax(epsilon));
}
}  // namespace clamped
MISCONCEPTION(clamped, laplace_smooth, "smooth.clamped",
              "You raised what is below epsilon to epsilon. Smoothing changes every size.",
              "clamp(min = eps) also avoids the division by 0, and newer code does it. The formula "
              "in the contract is another one: all codes give a little, and the sum stays.")

namespace used_codes_counted {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  const double sum = size.sum();
  const auto used = static_cast<double>((size.array() > 0.0).count());
  if (sum == 0.0) return right;
  return (size.array() + epsilon) / (sum + used * epsilon) * sum;
}
}  // namespace used_codes_counted
MISCONCEPTION(used_codes_counted, laplace_smooth, "smooth.used-codes",
              "K counts all codes, also those of size 0: they get an epsilon as well.",
              "The unused ones are those for whom the smoothing was made. Counted out below the "
              "line and in above it, they make the sum grow.")

namespace not_smoothed {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  solution::laplace_smooth(size, epsilon);  // refuses
  return size;
}
}  // namespace not_smoothed
MISCONCEPTION(not_smoothed, laplace_smooth, "smooth.unchanged",
              "The sizes came back as they were. epsilon has to do something to them.",
              "With 1e-5 it is easy to believe that nothing should be seen. For a size of 0 it is "
              "all there is.")

namespace rescaled_to_k {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  const double sum = size.sum();
  return sum == 0.0 ? right : DoubleVector(right * (static_cast<double>(size.size()) / sum));
}
}  // namespace rescaled_to_k
MISCONCEPTION(rescaled_to_k, laplace_smooth, "smooth.sum-is-k",
              "The smoothed sizes add up to K. They add up to what the sizes did, S.",
              "An average size of 1 per code is a tidy thought, and true of a fresh state with N = "
              "1. From the first batch on S is something else.")

namespace in_float {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  return solution::laplace_smooth(size, epsilon).cast<float>().cast<double>();
}
}  // namespace in_float
MISCONCEPTION(in_float, laplace_smooth, "smooth.float",
              "The sizes went through float. They are doubles: their sum is to be kept to twelve "
              "digits.",
              "A float has seven digits, so that an epsilon of 1e-5 beside a size of 1000 is "
              "rounded away altogether.")

namespace nothing_shared_evenly {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  const DoubleVector right = solution::laplace_smooth(size, epsilon);
  if (size.sum() > 0.0) return right;
  return DoubleVector::Constant(size.size(), 1.0 / static_cast<double>(size.size()));
}
}  // namespace nothing_shared_evenly
MISCONCEPTION(nothing_shared_evenly, laplace_smooth, "smooth.nothing-shared",
              "Sizes that are all 0 became 1 / K each. Their sum was 0, and stays 0.",
              "That is the uniform distribution which Laplace would assume of shares. These are "
              "rows, of which there were none.")

namespace nothing_refused {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require(size.sum() > 0.0, "nothing to smooth");
  return solution::laplace_smooth(size, epsilon);
}
}  // namespace nothing_refused
MISCONCEPTION(nothing_refused, laplace_smooth, "smooth.nothing-refused",
              "Sizes that are all 0 were refused. The formula has an answer for them: zeros.",
              "It is codebook_from_ema that cannot go on with such sizes, and it says so itself.")

namespace negative_size_smoothed {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require(!size.hasNaN(), "not a number");
  return solution::laplace_smooth(size.cwiseMax(0.0), epsilon);
}
}  // namespace negative_size_smoothed
MISCONCEPTION(negative_size_smoothed, laplace_smooth, "smooth.negative-accepted",
              "A negative size was taken for 0. Refuse it: a count cannot be negative.",
              "A running count becomes negative only if gamma is outside of 0 to 1. It should be "
              "noticed where it is noticed first.")

namespace nan_smoothed {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require(!(size.array() < 0.0).any(), "negative size");
  require(epsilon > 0.0, "epsilon");
  if (!size.hasNaN()) return solution::laplace_smooth(size, epsilon);
  return DoubleVector::Constant(size.size(), std::numeric_limits<double>::quiet_NaN());
}
}  // namespace nan_smoothed
MISCONCEPTION(nan_smoothed, laplace_smooth, "smooth.nan-accepted",
              "A size that is NaN was accepted: you asked whether it is below 0, and NaN is not. "
              "Ask whether it is at least 0.",
              "Every comparison with NaN is false. A demand written as not (x < 0) lets it pass, "
              "one written as x >= 0 does not.")

namespace zero_epsilon {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  if (epsilon > 0.0) return solution::laplace_smooth(size, epsilon);
  solution::laplace_smooth(size, 1.0);  // refuses sizes
  return size;
}
}  // namespace zero_epsilon
MISCONCEPTION(zero_epsilon, laplace_smooth, "smooth.epsilon-unchecked",
              "An epsilon of 0 or below was accepted. It has to be above 0.",
              "With 0 nothing is smoothed, and an unused code ends as 0 / 0.")

// ---- 6.5 codebook_from_ema ---------------------------------------------------------------------

namespace unsmoothed {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  require_size(average.sum.rows(), average.size.size(), "sums");
  require((average.size.array() >= 0.0).all() && epsilon > 0.0, "arguments");
  require(average.size.sum() > 0.0, "nothing");
  Matrix codebook = average.sum;
  for (Index k = 0; k < codebook.rows(); ++k)
    codebook.row(k) /= static_cast<float>(average.size(k));
  return codebook;
}
}  // namespace unsmoothed
MISCONCEPTION(unsmoothed, codebook_from_ema, "from-ema.unsmoothed",
              "You divided by the running sizes themselves. laplace_smooth's are asked for.",
              "Without smoothing an unused code stays where it is, because size and sum decay "
              "alike, until both have underflowed and it is 0 / 0. It also makes the one code that "
              "has nothing yet NaN at once.")

namespace sums_as_codes {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  solution::codebook_from_ema(average, epsilon);  // refuses
  return average.sum;
}
}  // namespace sums_as_codes
MISCONCEPTION(sums_as_codes, codebook_from_ema, "from-ema.not-divided",
              "You returned the running sums. A code is a mean: divide.",
              "Where every size is near 1 sums look like means, and that is how many "
              "implementations start.")

namespace multiplied {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  solution::codebook_from_ema(average, epsilon);  // refuses
  return laplace_smooth(average.size, epsilon).cast<float>().asDiagonal() * average.sum;
}
}  // namespace multiplied
MISCONCEPTION(multiplied, codebook_from_ema, "from-ema.multiplied",
              "The sums were multiplied by the sizes. They are divided by them.",
              "asDiagonal() * matrix scales the rows; for a division the diagonal has to hold the "
              "inverses. At sizes of 1 the two agree.")

namespace shares_divide {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  return solution::codebook_from_ema(average, epsilon) * static_cast<float>(average.size.sum());
}
}  // namespace shares_divide
MISCONCEPTION(shares_divide, codebook_from_ema, "from-ema.divided-by-shares",
              "You divided by smoothed shares: all codes are S times too large.",
              "The factor S of the smoothing is easily forgotten. The codebook then lies far "
              "outside of the rows, and which code is nearest hardly depends on the row.")

namespace by_total {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  solution::codebook_from_ema(average, epsilon);  // refuses
  return average.sum / static_cast<float>(average.size.sum());
}
}  // namespace by_total
MISCONCEPTION(by_total, codebook_from_ema, "from-ema.divided-by-total",
              "Every sum was divided by the total size. Each has a size of its own.",
              "The rows of all codes are not the rows of this one. With K codes used alike the "
              "codes come out K times too small.")

namespace by_raised_size {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  Matrix codebook = solution::codebook_from_ema(average, epsilon);
  for (Index k = 0; k < codebook.rows(); ++k) {
    codebook.row(k) = average.sum.row(k) / static_cast<float>(std::max(average.size(k), epsilon));
  }
  return codebook;
}
}  // namespace by_raised_size
MISCONCEPTION(by_raised_size, codebook_from_ema, "from-ema.clamped",
              "You divided by max(N_k, epsilon). laplace_smooth's sizes are asked for.",
              "It avoids the division by 0, and what it does to a code that has nearly died is "
              "different: unchanged until its size has fallen to epsilon, and then shrinking, "
              "where smoothing makes it shrink gradually.")

namespace only_epsilon_added {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  Matrix codebook = solution::codebook_from_ema(average, epsilon);
  for (Index k = 0; k < codebook.rows(); ++k)
    codebook.row(k) = average.sum.row(k) / static_cast<float>(average.size(k) + epsilon);
  return codebook;
}
}  // namespace only_epsilon_added
MISCONCEPTION(only_epsilon_added, codebook_from_ema, "from-ema.epsilon-added",
              "You divided by N_k + epsilon. The smoothed sizes are brought back to the sum S.",
              "Adding epsilon is half of the smoothing. It makes every code a little shorter than "
              "the mean of its rows; the other half gives that back to the codes in use.")

namespace smoothed_sums_too {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  ClusterStats shifted = average;
  shifted.sum.array() += static_cast<float>(epsilon);
  return solution::codebook_from_ema(shifted, epsilon);
}
}  // namespace smoothed_sums_too
MISCONCEPTION(smoothed_sums_too, codebook_from_ema, "from-ema.sums-smoothed",
              "epsilon was added to the sums as well. Only the sizes are smoothed.",
              "An epsilon above and below the line makes an unused code 1 in every component, "
              "which is a place, and not a special one.")

namespace unused_set_to_zero {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  Matrix codebook = solution::codebook_from_ema(average, epsilon);
  for (Index k = 0; k < codebook.rows(); ++k) {
    if (average.size(k) == 0.0) codebook.row(k).setZero();
  }
  return codebook;
}
}  // namespace unused_set_to_zero
MISCONCEPTION(unused_set_to_zero, codebook_from_ema, "from-ema.guarded",
              "A code of size 0 was set to zero by a guard. The smoothed size is not 0: divide by "
              "it as for all others.",
              "After smoothing there is nothing to guard. What comes out for a size of 0 with a "
              "sum that is not 0 is enormous, and rightly so: such a state is inconsistent. "
              "taming-transformers starts with it (EmbeddingEMA), and nadavbh12/VQ-VAE issue 11 is "
              "about it; a guard would hide it.")

namespace nothing_accepted {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  if (average.size.size() != average.sum.rows() || average.size.size() == 0 ||
      !average.size.isZero(0.0) || !(epsilon > 0.0))
    return solution::codebook_from_ema(average, epsilon);
  return Matrix::Zero(average.sum.rows(), average.sum.cols());
}
}  // namespace nothing_accepted
MISCONCEPTION(nothing_accepted, codebook_from_ema, "from-ema.nothing-accepted",
              "Without any size above 0 you returned zeros. There is no mean then: refuse it.",
              "A codebook of zeros is all ties: every row goes to code 0 from then on. It should "
              "not be the silent answer to a state that nobody has filled.")

namespace common_codes {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  const Index common = std::min(average.size.size(), average.sum.rows());
  if (average.size.size() != average.sum.rows() && common == 0)
    return Matrix(0, average.sum.cols());
  return solution::codebook_from_ema({average.size.head(common), average.sum.topRows(common)},
                                     epsilon);
}
}  // namespace common_codes
MISCONCEPTION(common_codes, codebook_from_ema, "from-ema.lengths-unchecked",
              "More sums than sizes, or fewer, were accepted. Each code has one of each.",
              "A loop over what both have leaves codes out without a word, and changes S for the "
              "others.")

namespace negative_divided {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  ClusterStats lifted = average;
  for (double& n : lifted.size) n = n >= 0.0 ? n : 0.0;
  return solution::codebook_from_ema(lifted, epsilon);
}
}  // namespace negative_divided
MISCONCEPTION(negative_divided, codebook_from_ema, "from-ema.negative-accepted",
              "A size that is negative or NaN was taken for 0. laplace_smooth refuses it, and so "
              "should this function.",
              "Whoever calls laplace_smooth gets the refusal as a present; whoever repairs the "
              "sizes before the call gives it back.")

namespace epsilon_dropped {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  return solution::codebook_from_ema(average, epsilon > 0.0 ? epsilon : 1e-12);
}
}  // namespace epsilon_dropped
MISCONCEPTION(epsilon_dropped, codebook_from_ema, "from-ema.epsilon-unchecked",
              "An epsilon of 0 or below was accepted. It has to be above 0.",
              "An epsilon of 0 in a configuration means that somebody wanted no smoothing, and "
              "will get a division by 0 at the first code that dies.")

// ---- 6.6 dead_mask -----------------------------------------------------------------------------

namespace fewer_than_two {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(rows >= 1 && updates >= 0, "rows, updates");
  require(decay >= 0.0 && decay < 1.0 && threshold >= 0.0, "decay, threshold");
  std::vector<std::int32_t> dead;
  const bool young = static_cast<double>(updates) <= 1.0 / (1.0 - decay);
  for (const double n : size) dead.push_back(!young && threshold > 0.0 && n < 2.0 ? 1 : 0);
  return dead;
}
}  // namespace fewer_than_two
MISCONCEPTION(fewer_than_two, dead_mask, "dead.absolute-threshold",
              "You called dead what has fewer than 2 rows. The threshold is relative: a share of "
              "rows / K.",
              "An EMA size below 2 is the rule of EnCodec and SoundStream, whose batches give each "
              "code many rows. With 64 rows and 32 codes each gets 2 at best: the whole codebook "
              "would be replaced again and again.")

namespace rows_not_shared {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(rows >= 1, "rows");
  return solution::dead_mask(size, rows * size.size(), updates, decay, threshold);
}
}  // namespace rows_not_shared
MISCONCEPTION(rows_not_shared, dead_mask, "dead.not-divided-by-k",
              "N_k was compared with a share of all rows. Divide by K: that is what each code "
              "would get.",
              "With K codes the average one has 1 / K of the rows. A tenth of *all* rows is more "
              "than most codes of a healthy codebook have.")

namespace rows_ignored {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  solution::dead_mask(size, rows, updates, decay, threshold);  // refuses
  return solution::dead_mask(size, 1, updates, decay, threshold);
}
}  // namespace rows_ignored
MISCONCEPTION(rows_ignored, dead_mask, "dead.rows-missing",
              "N_k was compared with threshold / K. N_k is in rows, so the number of rows belongs "
              "there too.",
              "threshold / K is right for shares that add up to 1. Sizes add up to the rows of a "
              "batch.")

namespace against_the_average {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  std::vector<std::int32_t> dead = solution::dead_mask(size, rows, updates, decay, threshold);
  const bool young = static_cast<double>(updates) <= 1.0 / (1.0 - decay);
  const double border = threshold * size.sum() / static_cast<double>(size.size());
  for (std::size_t k = 0; k < dead.size(); ++k) {
    const double n = size(static_cast<Index>(k));
    if (!young && border > 0.0) dead[k] = n < border ? 1 : 0;
  }
  return dead;
}
}  // namespace against_the_average
MISCONCEPTION(against_the_average, dead_mask, "dead.against-average-size",
              "N_k was compared with the average of the sizes. The contract says rows / K.",
              "In the long run the sizes add up to the rows of a batch, and the two agree. While "
              "the averages are still filling up, or the batch size has changed, they do not.")

namespace strictly_alive {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  return solution::dead_mask(size, rows, updates, decay, threshold * (1.0 + 1e-7));
}
}  // namespace strictly_alive
MISCONCEPTION(strictly_alive, dead_mask, "dead.at-threshold",
              "A size of exactly threshold x rows / K was called dead. It has to be below.",
              "The comparison was made with a tolerance. For doubles that are compared with a "
              "border which somebody chose there is nothing to tolerate.")

namespace or_equal {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  std::vector<std::int32_t> dead = solution::dead_mask(size, rows, updates, decay, threshold);
  const bool young = static_cast<double>(updates) <= 1.0 / (1.0 - decay);
  const double border = threshold * static_cast<double>(rows) / static_cast<double>(size.size());
  for (std::size_t k = 0; k < dead.size() && !young; ++k)
    dead[k] = size(static_cast<Index>(k)) <= border ? 1 : 0;
  return dead;
}
}  // namespace or_equal
MISCONCEPTION(or_equal, dead_mask, "dead.at-or-below",
              "You asked for at most the threshold. Dead is what is below it.",
              "With a threshold of 0, which should switch revival off, <= still kills the codes of "
              "size 0.")

namespace never_young {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  solution::dead_mask(size, rows, updates, decay, threshold);  // refuses
  return solution::dead_mask(size, rows, 2, 0.0, threshold);
}
}  // namespace never_young
MISCONCEPTION(never_young, dead_mask, "dead.no-warm-up",
              "The number of updates was ignored. Up to 1 / (1 - gamma) of them nobody is dead.",
              "Averages that start at 0 need about 1 / (1 - gamma) batches to show what they "
              "average. Without the wait, the first batch finds nearly every code dead and "
              "replaces the initialisation by its own rows.")

namespace one_short {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(updates >= 0, "updates");
  return solution::dead_mask(size, rows, updates + 1, decay, threshold);
}
}  // namespace one_short
MISCONCEPTION(one_short, dead_mask, "dead.warm-up-one-short",
              "The warm-up ends one update too early: with exactly 1 / (1 - gamma) updates nobody "
              "is dead yet.",
              "< where <= belongs, or a count that was raised before it was handed over. It "
              "matters once in a run, and makes two implementations differ from there on.")

namespace one_longer {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(updates >= 0, "updates");
  return solution::dead_mask(size, rows, std::max<std::int64_t>(updates - 1, 0), decay, threshold);
}
}  // namespace one_longer
MISCONCEPTION(one_longer, dead_mask, "dead.warm-up-one-longer",
              "The warm-up lasts one update too long: with one more than 1 / (1 - gamma) a code "
              "may be dead.",
              "The number of updates counts those that have been made. Counting the next one, or "
              "starting at 1, shifts the end by one.")

namespace warm_up_by_gamma {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  solution::dead_mask(size, rows, updates, decay, threshold);  // refuses
  const bool young = decay > 0.0 ? static_cast<double>(updates) <= 1.0 / decay : updates < 2;
  return solution::dead_mask(size, rows, young ? 0 : 2, 0.0, threshold);
}
}  // namespace warm_up_by_gamma
MISCONCEPTION(warm_up_by_gamma, dead_mask, "dead.warm-up-by-gamma",
              "The warm-up lasts 1 / gamma updates. It lasts 1 / (1 - gamma).",
              "1 / 0.99 is one update, 1 / 0.01 a hundred: the weight of the past is gamma, the "
              "time it takes to fill up has 1 - gamma in it.")

namespace alive_mask {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  std::vector<std::int32_t> mask = solution::dead_mask(size, rows, updates, decay, threshold);
  for (std::int32_t& flag : mask) flag = 1 - flag;
  return mask;
}
}  // namespace alive_mask
MISCONCEPTION(alive_mask, dead_mask, "dead.inverted",
              "1 marks the living. It should mark the dead.",
              "Used for a revival, it replaces every code that works and keeps those that do not.")

namespace smallest_only {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  std::vector<std::int32_t> mask = solution::dead_mask(size, rows, updates, decay, threshold);
  for (Index k = 0; k < size.size(); ++k) {
    if (size(k) > size.minCoeff()) mask[static_cast<std::size_t>(k)] = 0;
  }
  return mask;
}
}  // namespace smallest_only
MISCONCEPTION(smallest_only, dead_mask, "dead.smallest-only",
              "Only the code with the smallest size was called dead. All that are below the "
              "threshold are.",
              "minCoeff finds one. A collapse is when nearly all of them are dead at once.")

namespace zero_threshold_refused {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(threshold > 0.0, "threshold has to be positive");
  return solution::dead_mask(size, rows, updates, decay, threshold);
}
}  // namespace zero_threshold_refused
MISCONCEPTION(zero_threshold_refused, dead_mask, "dead.zero-threshold-refused",
              "A threshold of 0 was refused. It means that nobody is ever dead.",
              "Switching revival off by its own parameter is what callers will try first.")

namespace no_rows_no_dead {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  const std::vector<std::int32_t> right =
      solution::dead_mask(size, std::max<std::int64_t>(rows, 1), updates, decay, threshold);
  return rows < 1 ? std::vector<std::int32_t>(right.size(), 0) : right;
}
}  // namespace no_rows_no_dead
MISCONCEPTION(no_rows_no_dead, dead_mask, "dead.no-rows-accepted",
              "A batch without rows was accepted. There has to be one.",
              "A share of nothing is nothing, and no code is below it: the mask says that all is "
              "well, where nothing has been seen.")

namespace updates_unchecked {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  return solution::dead_mask(size, rows, std::max<std::int64_t>(updates, 0), decay, threshold);
}
}  // namespace updates_unchecked
MISCONCEPTION(updates_unchecked, dead_mask, "dead.updates-unchecked",
              "A negative number of updates was accepted. Refuse it.",
              "A counter below 0 has overflowed or was never set. It keeps every code alive for "
              "ever, which looks like a feature that does nothing.")

namespace gamma_unchecked {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  if (decay >= 0.0 && decay < 1.0)
    return solution::dead_mask(size, rows, updates, decay, threshold);
  return solution::dead_mask(size, rows, decay == 1.0 ? 0 : updates, 0.0, threshold);
}
}  // namespace gamma_unchecked
MISCONCEPTION(gamma_unchecked, dead_mask, "dead.gamma-unchecked",
              "A gamma outside of 0 to below 1 was accepted. Refuse it: 1 / (1 - gamma) is "
              "infinite or negative there.",
              "Division by 0 is no error for doubles. For gamma = 1 the warm-up never ends, above "
              "1 it has ended before it began.")

namespace threshold_unchecked {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  return solution::dead_mask(size, rows, updates, decay, std::max(threshold, 0.0));
}
}  // namespace threshold_unchecked
MISCONCEPTION(threshold_unchecked, dead_mask, "dead.threshold-unchecked",
              "A negative threshold was accepted. It is at least 0.",
              "No size is below a negative number, so nothing happens; it is found out when "
              "somebody wonders why half of the codebook is dead.")

// ---- 6.7 revive --------------------------------------------------------------------------------

namespace memory_kept {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  const Index codes = state.codebook.rows(), columns = state.codebook.cols();
  require(state.average.size.size() == codes && state.average.sum.rows() == codes, "averages");
  require(state.average.sum.cols() == columns && z.cols() == columns, "columns");
  require_size(static_cast<Index>(dead.size()), codes, "dead");
  for (const std::int64_t row : order) require(row >= 0 && row < z.rows(), "order");
  EmaCodebook revived = state;
  std::size_t next = 0;
  for (Index k = 0; k < codes && next < order.size(); ++k) {
    if (dead[static_cast<std::size_t>(k)] != 0) revived.codebook.row(k) = z.row(order[next++]);
  }
  return revived;
}
}  // namespace memory_kept
MISCONCEPTION(
    memory_kept, revive, "revive.memory-kept",
    "You replaced the codes and left their sizes and sums. The next update divides those "
    "and brings the old codes back: reset them too.",
    "The codebook is only what the averages stand for. A code at 5 with N = 0.05 and m = "
    "0.25 that was put at 1 is at 4.999 after the next update, whatever the codebook said. It "
    "happened in facebookresearch/encodec (issue 61, still there) and in "
    "lucidrains/vector-quantize-pytorch (issue 45, mended); pull request 374 of "
    "facebookresearch/audiocraft offered a remedy and was not taken.")

namespace sum_kept {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  revived.average.sum = state.average.sum;
  return revived;
}
}  // namespace sum_kept
MISCONCEPTION(sum_kept, revive, "revive.sum-kept",
              "Size and code were reset, the sum was not. The next update divides the old sum by "
              "the new size: the code jumps to neither place.",
              "Two numbers stand for a code, and their quotient is the code. Resetting one of them "
              "makes a third place.")

namespace sum_unscaled {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  std::size_t left = order.size();
  for (Index k = 0; k < state.codebook.rows() && left > 0; ++k) {
    if (dead[static_cast<std::size_t>(k)] == 0) continue;
    revived.average.sum.row(k) = revived.codebook.row(k);
    --left;
  }
  return revived;
}
}  // namespace sum_unscaled
MISCONCEPTION(sum_unscaled, revive, "revive.sum-not-times-size",
              "The sum is the row itself. It has to be the size times the row, since it will be "
              "divided by the size.",
              "It is right for a size of 1. With a size of 2 the next update puts the code half "
              "way to 0. The same slip in an initialisation is lucidrains/vector-quantize-pytorch "
              "issue 66.")

namespace size_one {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  std::size_t left = order.size();
  for (Index k = 0; k < state.codebook.rows() && left > 0; ++k) {
    if (dead[static_cast<std::size_t>(k)] == 0) continue;
    revived.average.size(k) = 1.0;
    revived.average.sum.row(k) = revived.codebook.row(k);
    --left;
  }
  return revived;
}
}  // namespace size_one
MISCONCEPTION(size_one, revive, "revive.size-one",
              "The revived code got size 1. The contract gives it rows / K.",
              "The code is where it should be, and how long it may stay without rows depends on "
              "the batch now: 1 is generous for 64 rows and 8192 codes, and below the threshold at "
              "once for 10,000 rows and 512.")

namespace share_of_the_dead {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  const double share = double(z.rows()) / double(std::count(dead.begin(), dead.end(), 1));
  std::size_t left = order.size();
  for (Index k = 0; k < state.codebook.rows() && left > 0; ++k) {
    if (dead[static_cast<std::size_t>(k)] == 0) continue;
    revived.average.size(k) = share;
    revived.average.sum.row(k) = static_cast<float>(share) * revived.codebook.row(k);
    --left;
  }
  return revived;
}
}  // namespace share_of_the_dead
MISCONCEPTION(
    share_of_the_dead, revive, "revive.share-of-the-dead",
    "The rows were shared out among the dead codes alone. All K codes share them: rows / "
    "K.",
    "A single dead code would get the size of the whole batch, and with it a sum so heavy "
    "that the rows which do choose it could not move it for hundreds of steps.")

namespace size_zero {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  std::size_t left = order.size();
  for (Index k = 0; k < state.codebook.rows() && left > 0; ++k) {
    if (dead[static_cast<std::size_t>(k)] == 0) continue;
    revived.average.size(k) = 0.0;
    revived.average.sum.row(k).setZero();
    --left;
  }
  return revived;
}
}  // namespace size_zero
MISCONCEPTION(size_zero, revive, "revive.size-zero",
              "Size and sum were set to 0. Their quotient has to be the row: give it a size, and "
              "size times row as sum.",
              "A forgotten memory is not the memory of the row. With 0 / epsilon the next update "
              "puts the code at 0 unless rows have found it in between.")

namespace one_row_for_all {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> same = order;
  for (std::int64_t& row : same) row = order.front();
  solution::revive(state, dead, z, order);  // refuses
  return solution::revive(state, dead, z, same);
}
}  // namespace one_row_for_all
MISCONCEPTION(one_row_for_all, revive, "revive.one-row-for-all",
              "All dead codes got the same row. Each takes the next entry of order.",
              "Codes in one place are one code: ties go to the lowest index, and the others are "
              "dead again at once.")

namespace last_of_order {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  solution::revive(state, dead, z, order);  // refuses
  const auto needed = static_cast<std::size_t>(std::count(dead.begin(), dead.end(), 1));
  const auto skipped = static_cast<std::ptrdiff_t>(order.size() - std::min(order.size(), needed));
  return solution::revive(state, dead, z, {order.begin() + skipped, order.end()});
}
}  // namespace last_of_order
MISCONCEPTION(last_of_order, revive, "revive.last-of-order",
              "The dead codes took the last entries of order. They take the first.",
              "For a random permutation it is all the same; for two programs that should agree on "
              "a seed it is not.")

namespace order_by_code {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  const EmaCodebook right = solution::revive(state, dead, z, order);
  std::vector<std::int64_t> by_code;
  for (std::size_t k = 0; k < dead.size(); ++k) {
    if (dead[k] != 0 && by_code.size() < order.size()) by_code.push_back(order[k % order.size()]);
  }
  return order.empty() ? right : solution::revive(state, dead, z, by_code);
}
}  // namespace order_by_code
MISCONCEPTION(order_by_code, revive, "revive.order-by-code",
              "Code k took entry k of order. The first dead code takes the first entry, the second "
              "the second.",
              "order need not be as long as the codebook: with 64 rows and 8192 codes most codes "
              "have no entry of their own.")

namespace order_ignored {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  solution::revive(state, dead, z, order);  // refuses
  std::vector<std::int64_t> rows(std::min(order.size(), static_cast<std::size_t>(z.rows())));
  std::iota(rows.begin(), rows.end(), 0);
  return solution::revive(state, dead, z, rows);
}
}  // namespace order_ignored
MISCONCEPTION(order_ignored, revive, "revive.order-ignored",
              "The first rows of the batch were taken. order says which ones.",
              "The first rows of a batch of images are the upper left corner of the first image. "
              "A random choice is handed over for a reason.")

namespace mean_row {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  solution::revive(state, dead, z, order);  // refuses
  Matrix mean = z;
  if (z.rows() > 0) mean.rowwise() = RowVector(z.colwise().mean());
  return solution::revive(state, dead, mean, order);
}
}  // namespace mean_row
MISCONCEPTION(mean_row, revive, "revive.mean-row",
              "The dead codes were put at the mean of the batch. They take rows.",
              "The mean of all rows is a place where often no row is, and it is one place for all "
              "of them.")

namespace living_replaced {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  std::vector<std::int32_t> alive = dead;
  for (std::int32_t& flag : alive) flag = 1 - flag;
  return solution::revive(state, alive, z, order);
}
}  // namespace living_replaced
MISCONCEPTION(living_replaced, revive, "revive.living-replaced",
              "The living codes were replaced and the dead ones kept. 1 means dead.",
              "A mask that names the living is as common. The name of the argument says which one "
              "this is.")

namespace sizes_levelled {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  if (revived.codebook == state.codebook) return revived;
  revived.average.size.setConstant(double(z.rows()) / double(dead.size()));
  return revived;
}
}  // namespace sizes_levelled
MISCONCEPTION(sizes_levelled, revive, "revive.sizes-levelled",
              "All sizes were set to rows / K. Only the dead codes get a new one.",
              "The sums of the living codes still belong to their old sizes, so that every code "
              "moves with the next update: a fill() where a mask was meant.")

namespace sums_made_to_fit {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  if (revived.codebook == state.codebook) return revived;
  revived.average.sum = revived.average.size.cast<float>().asDiagonal() * revived.codebook;
  return revived;
}
}  // namespace sums_made_to_fit
MISCONCEPTION(sums_made_to_fit, revive, "revive.all-sums-recomputed",
              "Every sum was set to size times code, also those of the living. Only the dead codes "
              "get a new one.",
              "A code is its sum divided by the *smoothed* size, so that size times code is not "
              "the sum it came from. The living would be moved a little by each revival of "
              "another code.")

namespace updates_restarted {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  if (revived.codebook != state.codebook) revived.updates = 0;
  return revived;
}
}  // namespace updates_restarted
MISCONCEPTION(updates_restarted, revive, "revive.updates-restarted",
              "The number of updates was set back to 0. It stays what it is.",
              "Restarting the warm-up protects the newcomers, and every other dead code with them. "
              "A newcomer is protected by its size: from rows / K it takes ln 10 / -ln gamma "
              "batches, 229 for 0.99, to fall below a tenth of that.")

namespace rows_used_twice {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> longer = order;
  for (std::size_t i = 0; i < dead.size() && !order.empty(); ++i)
    longer.push_back(order[i % order.size()]);
  return solution::revive(state, dead, z, longer);
}
}  // namespace rows_used_twice
MISCONCEPTION(rows_used_twice, revive, "revive.rows-used-twice",
              "Where order was too short you began again at its start. The codes that are left "
              "over stay dead.",
              "Two codes in one place are one code: the lower index gets all the rows, the other "
              "none. There will be another batch.")

namespace share_of_order {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  EmaCodebook revived = solution::revive(state, dead, z, order);
  const double share = double(order.size()) / double(dead.size());
  std::size_t left = order.size();
  for (Index k = 0; k < state.codebook.rows() && left > 0; ++k) {
    if (dead[static_cast<std::size_t>(k)] == 0) continue;
    revived.average.size(k) = share;
    revived.average.sum.row(k) = static_cast<float>(share) * revived.codebook.row(k);
    --left;
  }
  return revived;
}
}  // namespace share_of_order
MISCONCEPTION(share_of_order, revive, "revive.share-of-order",
              "The size was computed from the length of order. It is the rows of z divided by K.",
              "The two agree where order is a permutation of all rows, which it usually is. It may "
              "be of any length; how many rows a code can expect does not depend on it.")

namespace somebody_must_go {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  const EmaCodebook right = solution::revive(state, dead, z, order);
  if (std::count(dead.begin(), dead.end(), 0) < Index(dead.size())) return right;
  std::vector<std::int32_t> least(dead.size(), 0);
  Index smallest = 0;
  state.average.size.minCoeff(&smallest);
  least[static_cast<std::size_t>(smallest)] = 1;
  return solution::revive(state, least, z, order);
}
}  // namespace somebody_must_go
MISCONCEPTION(somebody_must_go, revive, "revive.somebody-must-go",
              "Nobody was dead and you replaced the smallest code. Then nothing is to be done.",
              "Replacing the least used code with every batch keeps the codebook moving for ever: "
              "somebody is always the smallest.")

namespace rows_demanded {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  require(!order.empty(), "at least one row is needed");
  return solution::revive(state, dead, z, order);
}
}  // namespace rows_demanded
MISCONCEPTION(rows_demanded, revive, "revive.no-rows-refused",
              "An empty order was refused. Then nobody is revived, and that is all.",
              "order may be of any length, and 0 is one. It is also how a caller switches revival "
              "off.")

namespace mask_unchecked {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  std::vector<std::int32_t> fitted = dead;
  fitted.resize(static_cast<std::size_t>(state.codebook.rows()), 0);
  return solution::revive(state, fitted, z, order);
}
}  // namespace mask_unchecked
MISCONCEPTION(mask_unchecked, revive, "revive.mask-unchecked",
              "A mask of another length than the codebook was accepted. Refuse it.",
              "A mask that is too short says nothing about the last codes, one that is too long is "
              "about another codebook.")

namespace averages_unchecked {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  const Index k = state.codebook.rows(), d = state.codebook.cols();
  EmaCodebook fitted = state;
  fitted.average = {DoubleVector::Zero(k), Matrix::Zero(k, d)};
  const Index n = std::min(k, state.average.size.size());
  const Index m = std::min(k, state.average.sum.rows());
  const Index columns = std::min(d, state.average.sum.cols());
  fitted.average.size.head(n) = state.average.size.head(n);
  fitted.average.sum.topLeftCorner(m, columns) = state.average.sum.topLeftCorner(m, columns);
  return solution::revive(fitted, dead, z, order);
}
}  // namespace averages_unchecked
MISCONCEPTION(averages_unchecked, revive, "revive.averages-unchecked",
              "Sizes or sums that do not fit the codebook were accepted. Refuse them, each by "
              "itself.",
              "The three parts of the state are three tensors in a checkpoint, and one of them can "
              "be from another model.")

namespace columns_unseen {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  Matrix fitted = Matrix::Zero(z.rows(), state.codebook.cols());
  const Index common = std::min(z.cols(), fitted.cols());
  fitted.leftCols(common) = z.leftCols(common);
  return solution::revive(state, dead, fitted, order);
}
}  // namespace columns_unseen
MISCONCEPTION(columns_unseen, revive, "revive.columns-unchecked",
              "Rows of another dimension than the codes were accepted. Refuse them.",
              "The usual cause is a map whose channels are not last. Its rows are not vectors of "
              "the latent, and should not become codes.")

namespace only_used_checked {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> used = order;
  const auto needed = static_cast<std::size_t>(std::count(dead.begin(), dead.end(), 1));
  if (used.size() > needed) used.resize(needed);
  return solution::revive(state, dead, z, used);
}
}  // namespace only_used_checked
MISCONCEPTION(only_used_checked, revive, "revive.order-half-checked",
              "Only the entries of order that somebody took were looked at. All of them have to be "
              "rows.",
              "A mistake in a list that shows only when many codes are dead shows at the worst "
              "moment. Look at all of it, always.")

// ---- 6.8 ema_codebook_step ---------------------------------------------------------------------

namespace mean_of_the_batch {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  const VqOutput output = vq_straight_through(z_e, state.codebook);
  const VqLosses losses = vq_losses(0.0, z_e, state.codebook, output.indices, options.beta);
  EmaStep step{output, losses.commitment, state};
  if (!training) return step;
  const ClusterStats batch = assignment_stats(z_e, output.indices, state.codebook.rows());
  EmaCodebook& next = step.state;
  next.average = ema_decay(state.average, batch, options.decay);
  codebook_from_ema(next.average, options.epsilon);  // refuses what it refuses
  const auto gamma = static_cast<float>(options.decay);
  for (Index k = 0; k < next.codebook.rows(); ++k) {
    const float n = static_cast<float>(batch.size(k));
    if (n > 0) next.codebook.row(k) += (1 - gamma) * (batch.sum.row(k) / n - next.codebook.row(k));
  }
  const double gone = options.threshold;
  next.updates += 1;
  next = revive(next, dead_mask(next.average.size, z_e.rows(), next.updates, options.decay, gone),
                z_e, order);
  return step;
}
}  // namespace mean_of_the_batch
MISCONCEPTION(mean_of_the_batch, ema_codebook_step, "step.mean-of-the-batch",
              "Each code went 1 - gamma of the way to the mean of its rows. Codes are running sums "
              "divided by running sizes, so that a batch with many rows counts for more.",
              "e <- gamma e + (1 - gamma) mean is often shown as the EMA update. It agrees with "
              "the two averages only if a code's rows in the batch are as many as its running "
              "size. With N = 1, e = 0, 50 rows at 1 and gamma = 0.99 it goes to 0.01; the two "
              "averages go to 0.33557. It also never lets an unused code decay.")

namespace new_codes_out {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  Index n = 0;
  for (const std::int64_t k : step.output.indices)
    step.output.z_q.row(n++) = step.state.codebook.row(k);
  return step;
}
}  // namespace new_codes_out
MISCONCEPTION(new_codes_out, ema_codebook_step, "step.output-from-new-codes",
              "The output holds the codes after the update. The decoder gets those that came.",
              "The update was done before the lookup. The rows of this batch have then already "
              "pulled their codes to themselves, and quantization looks better in training than it "
              "will ever be in use.")

namespace assigned_again {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  step.output = vq_straight_through(z_e, step.state.codebook);
  return step;
}
}  // namespace assigned_again
MISCONCEPTION(assigned_again, ema_codebook_step, "step.assigned-to-new-codes",
              "The output was looked up in the codebook after the update. Look it up before.",
              "Codes and indices are those of the next step. What the averages have counted and "
              "what the decoder has seen are then two different assignments.")

namespace commitment_to_new_codes {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  step.commitment =
      vq_losses(0.0, z_e, step.state.codebook, step.output.indices, options.beta).commitment;
  return step;
}
}  // namespace commitment_to_new_codes
MISCONCEPTION(commitment_to_new_codes, ema_codebook_step, "step.commitment-to-new-codes",
              "The commitment term was measured to the updated codes. It is measured to the codes "
              "that came.",
              "A well-known notebook does the update before the loss "
              "(zalandoresearch/pytorch-vq-vae, issue 5). The encoder is then committed to codes "
              "that the decoder has not seen, and the value is too small.")

namespace beta_missing {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  step.commitment = vq_losses(0.0, z_e, state.codebook, step.output.indices, options.beta).codebook;
  return step;
}
}  // namespace beta_missing
MISCONCEPTION(beta_missing, ema_codebook_step, "step.beta-missing",
              "The commitment term has no beta.",
              "vq_losses returns the mean square twice, once without beta as the codebook term. "
              "With averages for codes that one is not needed: nothing would receive it.")

namespace both_terms {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  step.commitment = vq_losses(0.0, z_e, state.codebook, step.output.indices, options.beta).total;
  return step;
}
}  // namespace both_terms
MISCONCEPTION(both_terms, ema_codebook_step, "step.codebook-term-too",
              "The codebook term is in it as well. Averages replace it: only the commitment term "
              "is left.",
              "Whoever keeps both trains the codes twice, by the optimizer and by the averages, "
              "and the averages overwrite what the optimizer did.")

namespace sizes_not_smoothed {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (!training) return step;
  const EmaCodebook next =
      solution::ema_codebook_step(z_e, state, {}, options, training).state;  // nobody revived
  for (Index k = 0; k < next.codebook.rows(); ++k) {
    if (step.state.codebook.row(k) == next.codebook.row(k))
      step.state.codebook.row(k) =
          next.average.sum.row(k) / static_cast<float>(next.average.size(k));
  }
  return step;
}
}  // namespace sizes_not_smoothed
MISCONCEPTION(sizes_not_smoothed, ema_codebook_step, "step.unsmoothed",
              "The codes are sums divided by sizes that were not smoothed. Use codebook_from_ema.",
              "It makes no difference that can be seen as long as every code is in use, and the "
              "whole difference for one that is not.")

namespace learns_in_evaluation {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  solution::ema_codebook_step(z_e, state, order, options, training);  // refuses
  return solution::ema_codebook_step(z_e, state, order, options, true);
}
}  // namespace learns_in_evaluation
MISCONCEPTION(learns_in_evaluation, ema_codebook_step, "step.learns-in-evaluation",
              "The codebook learned although training was off. Then it comes back as it was.",
              "Buffers that are updated in the forward pass do not know about no_grad(). A "
              "validation pass without the switch trains the codebook on the validation data, and "
              "the same image gets other tokens each time.")

namespace passed_through_in_evaluation {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (!training) step.output.z_q = z_e;
  return step;
}
}  // namespace passed_through_in_evaluation
MISCONCEPTION(passed_through_in_evaluation, ema_codebook_step, "step.not-quantized-in-evaluation",
              "Without training the rows were passed on as they are. They are quantized all the "
              "same: only learning is off.",
              "The decoder of a trained model is fed with codes. Noise and dropout are switched "
              "off for evaluation, quantization is not one of them.")

namespace no_commitment_in_evaluation {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (!training) step.commitment = 0.0;
  return step;
}
}  // namespace no_commitment_in_evaluation
MISCONCEPTION(no_commitment_in_evaluation, ema_codebook_step, "step.no-commitment-in-evaluation",
              "Without training the commitment term is 0. It is a value, and is reported as in "
              "training.",
              "A validation loss that lacks a term cannot be compared with the training loss. "
              "Several libraries return 0 here, and their users compare all the same.")

namespace updates_uncounted {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  step.state.updates = state.updates;
  return step;
}
}  // namespace updates_uncounted
MISCONCEPTION(updates_uncounted, ema_codebook_step, "step.update-not-counted",
              "The number of updates did not grow. Each step in training is one.",
              "A count that stays at 0 keeps the codebook young for ever, and no code is ever "
              "revived.")

namespace rows_counted {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (training) step.state.updates = state.updates + z_e.rows();
  return step;
}
}  // namespace rows_counted
MISCONCEPTION(rows_counted, ema_codebook_step, "step.rows-counted",
              "The number of updates grew by the number of rows. It grows by 1 for a batch.",
              "gamma is applied once per batch, so that time is counted in batches. Counted in "
              "rows the warm-up is over after the first of them.")

namespace averages_forgotten {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  step.state.average = state.average;
  return step;
}
}  // namespace averages_forgotten
MISCONCEPTION(averages_forgotten, ema_codebook_step, "step.averages-not-returned",
              "The codes are new and the averages are those that came. Return both.",
              "The averages are the memory, the codebook is what they stand for. Left behind, each "
              "step starts from the first state again, and the codes only ever see one batch.")

namespace smoothed_sizes_kept {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (!training) return step;
  const DoubleVector n =
      solution::ema_codebook_step(z_e, state, {}, options, training).state.average.size;
  const DoubleVector smoothed = laplace_smooth(n, options.epsilon);
  for (Index k = 0; k < n.size(); ++k) {
    if (step.state.average.size(k) == n(k)) step.state.average.size(k) = smoothed(k);
  }
  return step;
}
}  // namespace smoothed_sizes_kept
MISCONCEPTION(smoothed_sizes_kept, ema_codebook_step, "step.smoothed-sizes-kept",
              "The smoothed sizes were written back into the averages. They are for the division "
              "only; the memory keeps N as it is.",
              "Smoothed once per step, the sizes of all codes drift towards their average, a "
              "little each time, and the sums do not drift with them. The codebook of this step "
              "is right, which is why it is not found.")

namespace stepped_with_gamma_swapped {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaOptions swapped = options;
  swapped.decay = options.decay < 1.0 ? 1.0 - options.decay : 1.0;
  return solution::ema_codebook_step(z_e, state, order, swapped, training);
}
}  // namespace stepped_with_gamma_swapped
MISCONCEPTION(stepped_with_gamma_swapped, ema_codebook_step, "step.gamma-swapped",
              "The batch got the weight gamma. It belongs to the past.",
              "With 0.99 in the wrong place the codebook is, in essence, that of the last batch. "
              "Where a library calls it momentum, look up which side it multiplies.")

namespace never_revives {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  solution::ema_codebook_step(z_e, state, order, options, training);  // refuses
  return solution::ema_codebook_step(z_e, state, {}, options, training);
}
}  // namespace never_revives
MISCONCEPTION(never_revives, ema_codebook_step, "step.never-revives",
              "Dead codes stayed dead. After the update, revive them from z_e.",
              "No average brings back a code that no row chooses: it has no rows to average. That "
              "is why this needs a step of its own.")

namespace revived_first {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (!training) return step;
  const std::vector<std::int32_t> dead =
      dead_mask(state.average.size, z_e.rows(), state.updates, options.decay, options.threshold);
  EmaCodebook next = solution::revive(state, dead, z_e, order);
  const ClusterStats batch = assignment_stats(z_e, step.output.indices, state.codebook.rows());
  next.average = ema_decay(next.average, batch, options.decay);
  next.codebook = codebook_from_ema(next.average, options.epsilon);
  next.updates += 1;
  step.state = next;
  return step;
}
}  // namespace revived_first
MISCONCEPTION(revived_first, ema_codebook_step, "step.revived-before-update",
              "The dead codes were revived before the update, which then went over them. Revive "
              "last.",
              "The update computes every code afresh from its averages. encodec revives first and "
              "resets neither of them, so that the same step brings the old code back "
              "(facebookresearch/encodec issue 61). With a reset the harm is smaller: the newcomer "
              "decays once before it has been seen.")

namespace revived_once {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  const double age = static_cast<double>(state.updates);
  if (age <= 1.0 / (1.0 - options.decay)) return step;
  return solution::ema_codebook_step(z_e, state, {}, options, training);
}
}  // namespace revived_once
MISCONCEPTION(revived_once, ema_codebook_step, "step.revived-once",
              "Dead codes were revived in the first step after the warm-up, and then never again. "
              "Look at every step.",
              "Codes die all through training, because the encoder moves on. A single revival is "
              "an initialisation that comes late.")

namespace revived_from_codes {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  for (Index k = 0; k < state.codebook.rows() && !order.empty(); ++k) {
    if (step.state.codebook.row(k) != z_e.row(order.front())) continue;
    const Matrix code = step.output.z_q.row(order.front());
    step.state.codebook.row(k) = code;
    step.state.average.sum.row(k) = static_cast<float>(step.state.average.size(k)) * code;
  }
  return step;
}
}  // namespace revived_from_codes
MISCONCEPTION(revived_from_codes, ema_codebook_step, "step.revived-from-codes",
              "The dead codes were put where other codes are: revive got z_q. It needs z_e.",
              "z_q consists of codes that are already there. A revived code on top of another one "
              "is nearest to the same rows, and the lower index gets them all.")

namespace judged_before {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step = solution::ema_codebook_step(z_e, state, order, options, training);
  if (!training) return step;
  step = solution::ema_codebook_step(z_e, state, {}, options, training);
  const std::vector<std::int32_t> dead =
      dead_mask(state.average.size, z_e.rows(), state.updates, options.decay, options.threshold);
  step.state = solution::revive(step.state, dead, z_e, order);
  return step;
}
}  // namespace judged_before
MISCONCEPTION(judged_before, ema_codebook_step, "step.judged-before-update",
              "Who is dead was judged by the sizes and the count before the update. Judge by those "
              "after it.",
              "A code that this batch has just found again would be replaced for what it was "
              "before. The difference is one batch; it decides at the border.")

namespace youth_ignored {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaCodebook old = state;
  old.updates = 1'000'000'000;
  EmaStep step = solution::ema_codebook_step(z_e, old, order, options, training);
  step.state.updates = state.updates + (training ? 1 : 0);
  return step;
}
}  // namespace youth_ignored
MISCONCEPTION(youth_ignored, ema_codebook_step, "step.no-warm-up",
              "Codes were revived although the averages are young. Hand dead_mask the number of "
              "updates.",
              "Averages that have seen three batches out of a hundred say little. In the first "
              "steps every code that one batch happened to miss would be thrown away.")

namespace empty_batch_accepted {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  if (z_e.rows() == 0) return {{z_e, {}}, 0.0, state};
  return solution::ema_codebook_step(z_e, state, order, options, training);
}
}  // namespace empty_batch_accepted
MISCONCEPTION(empty_batch_accepted, ema_codebook_step, "step.empty-accepted",
              "A batch without rows was accepted. vq_losses refuses it: it has no mean.",
              "0 as the mean of nothing pulls every average over batches towards 0.")

namespace wider_rows_accepted {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  const Index common = std::min(z_e.cols(), state.codebook.cols());
  return solution::ema_codebook_step(z_e.leftCols(common), state, order, options, training);
}
}  // namespace wider_rows_accepted
MISCONCEPTION(wider_rows_accepted, ema_codebook_step, "step.columns-unchecked",
              "Rows wider than the codes were cut to fit. Refuse them.",
              "What is cut off is never reconstructed, and the loss does not tell.")

namespace averages_made_to_fit {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaCodebook fitted = state;
  if (state.average.size.size() != state.codebook.rows())
    fitted.average.size = DoubleVector::Ones(state.codebook.rows());
  if (state.average.sum.rows() != state.codebook.rows() ||
      state.average.sum.cols() != state.codebook.cols())
    fitted.average.sum = state.codebook;
  return solution::ema_codebook_step(z_e, fitted, order, options, training);
}
}  // namespace averages_made_to_fit
MISCONCEPTION(averages_made_to_fit, ema_codebook_step, "step.averages-unchecked",
              "Averages that do not fit the codebook were replaced by fresh ones. Refuse them.",
              "Filling in what is missing is how a checkpoint without its averages is loaded "
              "without anyone noticing. The codebook is right for one step, and then has "
              "forgotten everything.")

namespace order_tidied {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  std::vector<std::int64_t> rows = order;
  std::erase_if(rows, [&](std::int64_t row) { return row < 0 || row >= z_e.rows(); });
  return solution::ema_codebook_step(z_e, state, rows, options, training);
}
}  // namespace order_tidied
MISCONCEPTION(order_tidied, ema_codebook_step, "step.order-unchecked",
              "Row numbers that are none were dropped from order. Refuse them, as revive does.",
              "An order made for another batch size is a mistake of the caller, who would like to "
              "know.")

namespace constants_clamped {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaOptions sane = options;
  sane.decay = std::min(options.decay, 0.9999);
  sane.epsilon = std::max(options.epsilon, 1e-12);
  sane.threshold = std::max(options.threshold, 0.0);
  sane.beta = std::max(options.beta, 0.0);
  return solution::ema_codebook_step(z_e, state, order, sane, training);
}
}  // namespace constants_clamped
MISCONCEPTION(constants_clamped, ema_codebook_step, "step.constants-clamped",
              "Constants out of range were moved into it. Refuse them, as the parts do.",
              "A negative beta in a configuration file is a typing error. Run as 0 it costs a "
              "training run; refused it costs a second.")

// ---- 6.9 kmeans_init ---------------------------------------------------------------------------

namespace sum_is_centroid {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  require(codebook_size >= 1 && iterations >= 0, "numbers");
  require(static_cast<std::int64_t>(order.size()) >= codebook_size, "order");
  for (const std::int64_t row : order) require(row >= 0 && row < z.rows(), "order");
  Matrix centroids(codebook_size, z.cols());
  for (Index k = 0; k < codebook_size; ++k)
    centroids.row(k) = z.row(order[static_cast<std::size_t>(k)]);
  DoubleVector counts;
  for (std::int64_t i = 0; i <= iterations; ++i) {
    counts = DoubleVector::Zero(codebook_size);
    Matrix sums = Matrix::Zero(codebook_size, z.cols());
    Index n = 0;
    for (const std::int64_t k : nearest_code(z, centroids)) {
      counts(k) += 1.0;
      sums.row(k) += z.row(n++);
    }
    for (Index k = 0; k < codebook_size && i < iterations; ++k)
      if (counts(k) > 0.0) centroids.row(k) = sums.row(k) / static_cast<float>(counts(k));
  }
  return {centroids, {counts.cwiseMax(1.0), centroids}, 0};
}
}  // namespace sum_is_centroid
MISCONCEPTION(sum_is_centroid, kmeans_init, "kmeans.sum-is-centroid",
              "The running sums are the centroids. A sum is the centroid times its size; divided "
              "by the size, these are far too small.",
              "Ten rows with the mean 2: size 10 and sum 2 stand for a code at 0.2, and after the "
              "first update with gamma = 0.99 it is at 0.218, although the codebook said 2. It "
              "shipped in lucidrains/vector-quantize-pytorch (issue 66, mended), and the same "
              "lines are in facebookresearch/encodec (init_embed_ in core_vq).")

namespace rows_in_order {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  solution::kmeans_init(z, codebook_size, order, iterations);  // refuses
  std::vector<std::int64_t> first(order.size());
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::int64_t>(i) % z.rows();
  return solution::kmeans_init(z, codebook_size, first, iterations);
}
}  // namespace rows_in_order
MISCONCEPTION(rows_in_order, kmeans_init, "kmeans.order-ignored",
              "The first rows became the first centroids. order says which ones.",
              "The first rows of a batch are neighbours in one image. Centroids that start next to "
              "one another stay in one corner of the data.")

namespace one_iteration_less {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  solution::kmeans_init(z, codebook_size, order, std::min<std::int64_t>(iterations, 1));
  return solution::kmeans_init(z, codebook_size, order, std::max<std::int64_t>(iterations - 1, 0));
}
}  // namespace one_iteration_less
MISCONCEPTION(one_iteration_less, kmeans_init, "kmeans.one-iteration-less",
              "The centroids moved once less than there are iterations.",
              "The first assignment is not an iteration yet: an iteration assigns and moves.")

namespace one_only {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  return solution::kmeans_init(z, codebook_size, order, std::min<std::int64_t>(iterations, 1));
}
}  // namespace one_only
MISCONCEPTION(one_only, kmeans_init, "kmeans.one-iteration-only",
              "The centroids moved once and no further. Each iteration assigns the rows anew.",
              "With the assignment taken out of the loop, the means are computed again and again "
              "from the same rows, and nothing changes after the first time.")

namespace one_at_least {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  require(iterations >= 0, "iterations");
  return solution::kmeans_init(z, codebook_size, order, std::max<std::int64_t>(iterations, 1));
}
}  // namespace one_at_least
MISCONCEPTION(one_at_least, kmeans_init, "kmeans.one-iteration-at-least",
              "With no iteration the centroids moved once. They should be the rows of order.",
              "A do-while asks after the first time. No iteration is a choice of its own: rows as "
              "codes.")

namespace counts_stale {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  if (iterations == 0) return state;
  const DoubleVector counts =
      solution::kmeans_init(z, codebook_size, order, iterations - 1).average.size;
  return {state.codebook, {counts, counts.cast<float>().asDiagonal() * state.codebook}, 0};
}
}  // namespace counts_stale
MISCONCEPTION(counts_stale, kmeans_init, "kmeans.counts-stale",
              "The sizes count the rows of the centroids before they moved for the last time. "
              "Assign once more, then count.",
              "The last thing an iteration does is to move the centroids, and then its counts are "
              "out of date. Once nothing changes any more there is no difference; a few "
              "iterations on a large batch do not get there.")

namespace sums_of_rows {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  const ClusterStats rows = assignment_stats(z, nearest_code(z, state.codebook), codebook_size);
  for (Index k = 0; k < codebook_size; ++k)
    if (rows.size(k) > 0.0) state.average.sum.row(k) = rows.sum.row(k);
  return state;
}
}  // namespace sums_of_rows
MISCONCEPTION(sums_of_rows, kmeans_init, "kmeans.sums-of-rows",
              "The sums are those of the rows that were counted last. They should be size times "
              "code, so that the averages stand for this codebook.",
              "It is one more step of k-means, hidden in the averages: the codebook says one "
              "thing and its memory another. Both agree once nothing moves.")

namespace empty_divided {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  const ClusterStats rows = assignment_stats(z, nearest_code(z, state.codebook), codebook_size);
  for (Index k = 0; k < codebook_size && iterations > 0; ++k) {
    if (rows.size(k) > 0.0) continue;
    state.codebook.row(k).setZero();
    state.average.sum.row(k).setZero();
  }
  return state;
}
}  // namespace empty_divided
MISCONCEPTION(empty_divided, kmeans_init, "kmeans.empty-to-zero",
              "A centroid without rows was moved to 0. It stays where it is.",
              "A sum over no rows is 0, and with a guarded division its mean is 0 too, where "
              "perhaps no row is. Where it was before, there was at least one.")

namespace empty_size_zero {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  const ClusterStats rows = assignment_stats(z, nearest_code(z, state.codebook), codebook_size);
  for (Index k = 0; k < codebook_size; ++k) {
    state.average.size(k) = rows.size(k);
    if (rows.size(k) == 0.0) state.average.sum.row(k).setZero();
  }
  return state;
}
}  // namespace empty_size_zero
MISCONCEPTION(empty_size_zero, kmeans_init, "kmeans.empty-size-zero",
              "A centroid without rows got size 0 and sum 0, which stand for no place. It counts "
              "as one row, its own.",
              "Counting is right and the state is not: the first update would divide 0 by nearly "
              "0 and put the code at 0. Sonnet's averages, which start at 0, do that to every code "
              "that the first batch does not hit.")

namespace all_sizes_even {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  const double share = double(z.rows()) / double(codebook_size);
  return {
      state.codebook,
      {DoubleVector::Constant(codebook_size, share), static_cast<float>(share) * state.codebook},
      0};
}
}  // namespace all_sizes_even
MISCONCEPTION(all_sizes_even, kmeans_init, "kmeans.sizes-even",
              "All sizes are rows / K. They count each centroid's rows.",
              "The averages stand for the right codes and weigh the first batches wrongly: a "
              "centroid of many rows is moved too easily, one of few too little.")

namespace sizes_as_shares {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  state.average.size /= static_cast<double>(z.rows());
  state.average.sum /= static_cast<float>(z.rows());
  return state;
}
}  // namespace sizes_as_shares
MISCONCEPTION(sizes_as_shares, kmeans_init, "kmeans.sizes-as-shares",
              "Sizes and sums were divided by the number of rows. A size counts rows.",
              "Their quotient is right, and beside the counts of the first batch they weigh next "
              "to nothing: what k-means found is soon forgotten.")

namespace as_many_refused {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  require(static_cast<std::int64_t>(order.size()) > codebook_size, "more rows than codes");
  return solution::kmeans_init(z, codebook_size, order, iterations);
}
}  // namespace as_many_refused
MISCONCEPTION(as_many_refused, kmeans_init, "kmeans.as-many-refused",
              "As many rows as codes were refused. Then each row is a code, and nothing is wrong.",
              "order has to be at least K long, and K is at least K.")

namespace iterations_as_updates {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  EmaCodebook state = solution::kmeans_init(z, codebook_size, order, iterations);
  state.updates = iterations;
  return state;
}
}  // namespace iterations_as_updates
MISCONCEPTION(iterations_as_updates, kmeans_init, "kmeans.iterations-as-updates",
              "The iterations were counted as updates. The averages have not been updated yet: 0.",
              "Updates count batches that went into the averages. k-means has seen one batch, "
              "however often it went over it.")

namespace no_codes_needed {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  if (codebook_size < 1 && iterations >= 0)
    return {Matrix(0, z.cols()), {{}, Matrix(0, z.cols())}, 0};
  return solution::kmeans_init(z, codebook_size, order, iterations);
}
}  // namespace no_codes_needed
MISCONCEPTION(no_codes_needed, kmeans_init, "kmeans.no-codes-accepted",
              "A codebook without codes was made. K is at least 1.",
              "It would fail with the first row that asks for its nearest code, far from here.")

namespace short_order_repeated {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  std::vector<std::int64_t> longer = order;
  if (longer.empty()) longer.push_back(0);
  while (codebook_size >= 1 && static_cast<std::int64_t>(longer.size()) < codebook_size)
    longer.push_back(longer.front());
  return solution::kmeans_init(z, codebook_size, longer, iterations);
}
}  // namespace short_order_repeated
MISCONCEPTION(short_order_repeated, kmeans_init, "kmeans.short-order-accepted",
              "Where order was too short, rows were used twice. Refuse it.",
              "Two centroids in one place never part: ties go to the lower index, the other stays "
              "empty. More codes than rows is a question to the caller.")

namespace unused_rows_unchecked {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  std::vector<std::int64_t> used = order;
  if (codebook_size >= 1 && static_cast<std::int64_t>(used.size()) > codebook_size)
    used.resize(static_cast<std::size_t>(codebook_size));
  return solution::kmeans_init(z, codebook_size, used, iterations);
}
}  // namespace unused_rows_unchecked
MISCONCEPTION(unused_rows_unchecked, kmeans_init, "kmeans.order-half-checked",
              "Only the first K entries of order were looked at. All of them have to be rows.",
              "A list with one wrong entry was made for another batch, and its other entries are "
              "right by accident.")

namespace negative_iterations {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  return solution::kmeans_init(z, codebook_size, order, std::max<std::int64_t>(iterations, 0));
}
}  // namespace negative_iterations
MISCONCEPTION(negative_iterations, kmeans_init, "kmeans.iterations-unchecked",
              "A negative number of iterations was taken for none. Refuse it.",
              "A loop does not run for a negative number, so nothing complains by itself.")

namespace bad_rows_dropped {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  const Matrix finite = z.unaryExpr([](float x) { return std::isfinite(x) ? x : 0.0F; });
  return solution::kmeans_init(finite, codebook_size, order, iterations);
}
}  // namespace bad_rows_dropped
MISCONCEPTION(bad_rows_dropped, kmeans_init, "kmeans.bad-rows-accepted",
              "A row with NaN or an infinity in it was repaired. nearest_code refuses it, and so "
              "should this function.",
              "An encoder that puts out NaN in its first batch will not get better, and zeros in "
              "its place become a code.")

}  // namespace latent

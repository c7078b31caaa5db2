// Hidden properties of lab 06. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "codebook_ema.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

using Indices = std::vector<std::int64_t>;
using Mask = std::vector<std::int32_t>;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Sums of a few floats, each below 8 or so, rounded a few times.
constexpr Tolerance kSums{2e-6, 1e-6, 8.0};

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

Index length(const Indices& indices) {
  return static_cast<Index>(indices.size());
}

Matrix zeros(Index rows, Index cols) {
  return Matrix::Zero(rows, cols);
}

/// The same numbers in another order.
Indices shuffled(Draw& draw, Indices numbers) {
  for (std::size_t i = numbers.size(); i > 1; --i) {
    const auto other = static_cast<std::size_t>(draw.random().integer(0, Index(i) - 1));
    std::swap(numbers[i - 1], numbers[other]);
  }
  return numbers;
}

/// 0 to n - 1 in some order.
Indices permutation(Draw& draw, Index n) {
  Indices numbers(at(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return shuffled(draw, numbers);
}

/// N indices below K in which every one occurs.
Indices covering(Draw& draw, Index n, Index k) {
  Indices indices;
  for (Index i = 0; i < n; ++i) indices.push_back(i < k ? i : draw.random().integer(0, k - 1));
  return draw.show("indices", shuffled(draw, indices));
}

/// Sizes on a grid of 1/64, none the same as the one before.
DoubleVector sizes(Draw& draw, const std::string& name, Index k, double low, double high) {
  DoubleVector size(k);
  for (Index i = 0; i < k; ++i) {
    do {
      size(i) = std::rint(64.0 * draw.random().uniform(low, high)) / 64.0;
    } while (size(i) <= 0.0 || (i > 0 && size(i) == size(i - 1)));
  }
  return draw.show(name, size);
}

double total(const DoubleVector& size) {
  double sum = 0.0;
  for (Index k = 0; k < size.size(); ++k) sum += size(k);
  return sum;
}

/// Sizes and sums in double.
struct Stats {
  DoubleVector size;
  Oracle sum;
};

Stats stats_oracle(const Matrix& z, const Indices& indices, Index codes) {
  Stats stats{DoubleVector::Zero(codes), Oracle::Zero(codes, z.cols())};
  for (Index n = 0; n < z.rows(); ++n) {
    stats.size(indices[at(n)]) += 1.0;
    for (Index d = 0; d < z.cols(); ++d) stats.sum(indices[at(n)], d) += double(z(n, d));
  }
  return stats;
}

Stats decay_oracle(const ClusterStats& average, const Stats& batch, double decay) {
  Stats after = batch;
  for (Index k = 0; k < after.size.size(); ++k) {
    after.size(k) = decay * average.size(k) + (1.0 - decay) * batch.size(k);
    for (Index d = 0; d < after.sum.cols(); ++d)
      after.sum(k, d) = decay * double(average.sum(k, d)) + (1.0 - decay) * batch.sum(k, d);
  }
  return after;
}

Stats in_double(const ClusterStats& stats) {
  return {stats.size, stats.sum.cast<double>()};
}

DoubleVector smooth_oracle(const DoubleVector& size, double epsilon) {
  const double sum = total(size);
  DoubleVector smoothed(size.size());
  for (Index k = 0; k < size.size(); ++k)
    smoothed(k) = (size(k) + epsilon) / (sum + double(size.size()) * epsilon) * sum;
  return smoothed;
}

Oracle codebook_oracle(const Stats& average, double epsilon) {
  const DoubleVector smoothed = smooth_oracle(average.size, epsilon);
  Oracle codes = average.sum;
  for (Index k = 0; k < codes.rows(); ++k) {
    for (Index d = 0; d < codes.cols(); ++d) codes(k, d) /= smoothed(k);
  }
  return codes;
}

double sqdist(const Oracle& z, Index n, const Oracle& codes, Index k) {
  double sum = 0.0;
  for (Index d = 0; d < z.cols(); ++d) sum += (z(n, d) - codes(k, d)) * (z(n, d) - codes(k, d));
  return sum;
}

/// The nearest code of row n, lowest index first; -1 where another one comes within 1e-3 of what
/// enters the distances, so that rounding could decide.
Index clearly_nearest(const Oracle& z, Index n, const Oracle& codes) {
  const Oracle origin = Oracle::Zero(1, z.cols());
  Index best = 0;
  for (Index k = 1; k < codes.rows(); ++k) {
    if (sqdist(z, n, codes, k) < sqdist(z, n, codes, best)) best = k;
  }
  for (Index k = 0; k < codes.rows(); ++k) {
    const double scale = sqdist(z, n, origin, 0) + sqdist(codes, k, origin, 0);
    const double ahead = sqdist(z, n, codes, k) - sqdist(z, n, codes, best);
    if (k != best && ahead < 1e-3 * (scale + sqdist(codes, best, origin, 0))) return -1;
  }
  return best;
}

/// Empty where one of the rows has no clear answer.
Indices clearly_nearest(const Oracle& z, const Oracle& codes) {
  Indices indices;
  for (Index n = 0; n < z.rows(); ++n) {
    indices.push_back(clearly_nearest(z, n, codes));
    if (indices.back() < 0) return {};
  }
  return indices;
}

/// Normal numbers on a grid of eighths.
Matrix eighths(Draw& draw, Index rows, Index cols) {
  Matrix x(rows, cols);
  for (Index i = 0; i < x.size(); ++i)
    x.data()[i] = float(std::rint(8.0 * draw.random().normal()) / 8.0);
  return x;
}

// ---- 6.1 codebook_usage ------------------------------------------------------------------------

// log(p + 1e-10), as it is often written, is right to this.
constexpr Tolerance kPerplexity{1e-6, 0.0, 0.0};

double perplexity_oracle(const Indices& indices, Index codes) {
  double product = 1.0;
  for (Index k = 0; k < codes; ++k) {
    const double p = double(std::count(indices.begin(), indices.end(), k)) / double(indices.size());
    if (p > 0.0) product *= std::pow(p, -p);
  }
  return product;
}

Index used_oracle(const Indices& indices, Index codes) {
  Index used = 0;
  for (Index k = 0; k < codes; ++k) used += std::count(indices.begin(), indices.end(), k) > 0;
  return used;
}

/// N indices below K, some codes missing, some more frequent than others.
Indices uneven(Draw& draw, Index n, Index k) {
  const Index reach = draw.random().integer((k + 1) / 2, k);
  Indices indices;
  for (Index i = 0; i < n; ++i) {
    indices.push_back(
        std::min(draw.random().integer(0, reach - 1), draw.random().integer(0, reach - 1)));
  }
  return draw.show("indices", indices);
}

/// 12 codes out of 8192, 256 apart, three times each.
Indices twelve_of_many() {
  Indices indices;
  for (Index i = 0; i < 36; ++i) indices.push_back(7 + 256 * (i % 12));
  return indices;
}

DEFINES(codebook_usage, "counts the codes that occur, and divides by all K of them") {
  const Index k = draw.size("K", 2, 9), n = draw.size("N", 1, 14);
  const Indices indices = uneven(draw, n, k);
  const CodebookUsage got = ASK(codebook_usage, indices, k);
  const Index used = used_oracle(indices, k);
  expect_equal("used", got.used, used);
  expect_near("share", got.share, double(used) / double(k), kDouble);
}

PROPERTY(codebook_usage, "perplexity: exp of the entropy of the shares n_k / N") {
  const Index k = draw.size("K", 2, 9), n = draw.size("N", 1, 14);
  const Indices indices = uneven(draw, n, k);
  expect_near("perplexity", ASK(codebook_perplexity, indices, k), perplexity_oracle(indices, k),
              kPerplexity);
}

PROPERTY(codebook_usage, "12 of 8192, evenly: used 12, share 0.001465, perplexity 12") {
  const CodebookUsage got = ASK(codebook_usage, twelve_of_many(), 8192);
  const double perplexity = ASK(codebook_perplexity, twelve_of_many(), 8192);
  expect_equal("used", got.used, std::int64_t{12});
  expect_near("share", got.share, 12.0 / 8192.0, kDouble);
  expect_near("perplexity", perplexity, 12.0, kPerplexity);
}

PROPERTY(codebook_usage, "32 of 32, evenly: perplexity 32; the only one: 1") {
  Indices even;
  for (Index i = 0; i < 96; ++i) even.push_back(i % 32);
  const double all = ASK(codebook_perplexity, even, 32);
  const double one = ASK(codebook_perplexity, (Indices{0, 0, 0}), 1);
  const CodebookUsage usage = ASK(codebook_usage, (Indices{0, 0, 0}), 1);
  expect_near("perplexity of 32", all, 32.0, kPerplexity);
  expect_near("perplexity of the only code", one, 1.0, kPerplexity);
  expect_equal("used, of one code", usage.used, std::int64_t{1});
  expect_near("share, of one code", usage.share, 1.0, kDouble);
}

PROPERTY(codebook_usage, "no code is used where there is no index") {
  const Index k = draw.size("K", 1, 9);
  const CodebookUsage got = ASK(codebook_usage, Indices{}, k);
  const CodebookUsage more = ASK(codebook_usage, Indices{}, k + 1);
  expect_equal("used", got.used, std::int64_t{0});
  expect_near("share", got.share, 0.0, kDouble);
  expect_near("share, of one code more", more.share, 0.0, kDouble);
}

PROPERTY(codebook_usage, "perplexity: refuses to speak of no indices") {
  const Index k = draw.size("K", 1, 9);
  const Reply none = REPLY(codebook_perplexity, Indices{}, k);
  const Reply of_more = REPLY(codebook_perplexity, Indices{}, k + 7);
  expect_refused(none, "there is no index");
  expect_refused(of_more, "there is no index, of a few codes more");
}

/// Indices of which one in the middle is -1, K, or K + 3.
struct BadIndices {
  Indices below, above, beyond;
};

BadIndices draw_bad(Draw& draw, Index n, Index k) {
  const Indices good = uneven(draw, n, k);
  BadIndices bad{good, good, good};
  bad.below[at(n / 2)] = -1;
  bad.above[at(n / 2)] = k;
  bad.beyond[at(n / 2)] = k + 3;
  return bad;
}

PROPERTY(codebook_usage, "refuses an index that is not from 0 to K - 1") {
  const Index k = draw.size("K", 1, 6), n = draw.size("N", 1, 8);
  const BadIndices bad = draw_bad(draw, n, k);
  const Reply below = REPLY(codebook_usage, bad.below, k);
  const Reply above = REPLY(codebook_usage, bad.above, k);
  const Reply beyond = REPLY(codebook_usage, bad.beyond, k);
  expect_refused(below, "an index is -1");
  expect_refused(above, "an index is K");
  expect_refused(beyond, "an index is K + 3");
}

PROPERTY(codebook_usage, "perplexity: refuses an index that is not from 0 to K - 1") {
  const Index k = draw.size("K", 1, 6), n = draw.size("N", 1, 8);
  const BadIndices bad = draw_bad(draw, n, k);
  const Reply below = REPLY(codebook_perplexity, bad.below, k);
  const Reply above = REPLY(codebook_perplexity, bad.above, k);
  const Reply beyond = REPLY(codebook_perplexity, bad.beyond, k);
  expect_refused(below, "an index is -1");
  expect_refused(above, "an index is K");
  expect_refused(beyond, "an index is K + 3");
}

PROPERTY(codebook_usage, "refuses a codebook without codes") {
  const Index fewer = draw.size("K", 1, 4);
  const Reply none = REPLY(codebook_usage, Indices{}, 0);
  const Reply negative = REPLY(codebook_usage, Indices{}, -fewer);
  expect_refused(none, "K is 0");
  expect_refused(negative, "K is negative");
}

// ---- 6.2 assignment_stats ----------------------------------------------------------------------

DEFINES(assignment_stats, "size counts the rows of each code, sum adds them up") {
  const Index k = draw.size("K", 1, 4), n = k + draw.size("m", 0, 5), d = draw.size("D", 1, 5);
  const Matrix z = draw.matrix("z", n, d);
  const Indices indices = covering(draw, n, k);
  const ClusterStats got = ASK(assignment_stats, z, indices, k);
  const Stats expected = stats_oracle(z, indices, k);
  expect_near("size", got.size, expected.size, kDouble);
  expect_near("sum", got.sum, expected.sum, kSums);
}

PROPERTY(assignment_stats, "gives a code without rows size 0 and a sum of zeros") {
  const Index used = draw.size("K", 1, 4), n = used + draw.size("m", 0, 4);
  const Index d = draw.size("D", 1, 4), k = used + draw.size("unused", 1, 3);
  const Matrix z = draw.matrix("z", n, d);
  Indices indices = covering(draw, n, used);
  const Index skip = draw.random().integer(0, used);  // the codes from here on move up by one
  for (std::int64_t& index : indices) index += index >= skip ? 1 : 0;
  draw.show("indices, spread", indices);
  const ClusterStats got = ASK(assignment_stats, z, indices, k);
  expect(got.size.size() == k && got.sum.rows() == k, "there is a size and a sum for each code");
  for (Index code = 0; code < k; ++code) {
    if (std::count(indices.begin(), indices.end(), code) > 0) continue;
    const std::string of_it = " of code " + std::to_string(code);
    expect_equal("size" + of_it, got.size(code), 0.0);
    expect_equal("sum" + of_it, Matrix(got.sum.row(code)), zeros(1, d));
  }
}

PROPERTY(assignment_stats, "counts beyond 2048 rows of one code") {
  const Index n = draw.size("N", 2049, 2400), d = draw.size("D", 1, 2);
  const Matrix z = Matrix::Ones(n, d);
  const Indices indices(at(n), 1);
  const ClusterStats got = ASK(assignment_stats, z, indices, 2);
  expect_near("size", got.size, DoubleVector{{0.0, double(n)}}, kDouble);
}

PROPERTY(assignment_stats, "has nothing to count in an empty batch") {
  const Index k = draw.size("K", 1, 5), d = draw.size("D", 1, 5);
  const ClusterStats got = ASK(assignment_stats, Matrix(0, d), Indices{}, k);
  const ClusterStats more = ASK(assignment_stats, Matrix(0, d), Indices{}, k + 1);
  expect_near("size", got.size, DoubleVector(DoubleVector::Zero(k)), kDouble);
  expect_equal("sum", got.sum, zeros(k, d));
  expect_equal("sum, of one code more", more.sum, zeros(k + 1, d));
}

PROPERTY(assignment_stats, "refuses more or fewer indices than rows") {
  const Index k = draw.size("K", 1, 4), n = k + draw.size("m", 0, 4), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d);
  Indices more = covering(draw, n, k), fewer = more;
  more.push_back(0);
  fewer.pop_back();
  const Reply too_many = REPLY(assignment_stats, z, more, k);
  const Reply too_few = REPLY(assignment_stats, z, fewer, k);
  expect_refused(too_many, "there is one index more than rows");
  expect_refused(too_few, "there is one index fewer than rows");
}

PROPERTY(assignment_stats, "refuses an index that is not from 0 to K - 1") {
  const Index k = draw.size("K", 1, 6), n = draw.size("N", 1, 6), d = draw.size("D", 1, 4);
  const Matrix z = draw.matrix("z", n, d);
  const BadIndices bad = draw_bad(draw, n, k);
  const Reply below = REPLY(assignment_stats, z, bad.below, k);
  const Reply above = REPLY(assignment_stats, z, bad.above, k);
  const Reply beyond = REPLY(assignment_stats, z, bad.beyond, k);
  expect_refused(below, "an index is -1");
  expect_refused(above, "an index is K");
  expect_refused(beyond, "an index is K + 3");
}

PROPERTY(assignment_stats, "refuses a codebook without codes") {
  const Index d = draw.size("D", 1, 4), fewer = draw.size("K", 1, 4);
  const Reply none = REPLY(assignment_stats, Matrix(0, d), Indices{}, 0);
  const Reply negative = REPLY(assignment_stats, Matrix(0, d), Indices{}, -fewer);
  expect_refused(none, "K is 0");
  expect_refused(negative, "K is negative");
}

// ---- 6.3 ema_decay -----------------------------------------------------------------------------

// Sizes computed in float are right to this; whether they are double is asked separately.
constexpr Tolerance kRoughly{2e-6, 1e-6, 8.0};

/// An average and a batch in which every code has rows.
struct DecayCase {
  ClusterStats average, batch;
  double decay;
};

DecayCase draw_decay(Draw& draw, double low = 0.6, double high = 0.95) {
  const Index k = draw.size("K", 1, 6), d = draw.size("D", 1, 5);
  DecayCase c;
  c.average = {sizes(draw, "N", k, 0.25, 4.0), draw.matrix("m", k, d)};
  c.batch.size = DoubleVector(k);
  for (Index i = 0; i < k; ++i) c.batch.size(i) = double(draw.random().integer(5, 8));
  draw.show("n", c.batch.size);
  c.batch.sum = draw.matrix("s", k, d);
  c.decay = draw.number("gamma", low, high);
  return c;
}

Stats decay_oracle(const DecayCase& c) {
  return decay_oracle(c.average, in_double(c.batch), c.decay);
}

#define DECAYED(c) ASK(ema_decay, (c).average, (c).batch, (c).decay)
#define DECAY_REPLY(c) REPLY(ema_decay, (c).average, (c).batch, (c).decay)

DEFINES(ema_decay, "keeps gamma of size and sum, takes 1 - gamma of the batch's") {
  const DecayCase c = draw_decay(draw);
  const ClusterStats got = DECAYED(c);
  expect_near("N", got.size, decay_oracle(c).size, kRoughly);
  expect_near("m", got.sum, decay_oracle(c).sum, kRoughly);
}

PROPERTY(ema_decay, "a code without rows keeps gamma of both: 1 becomes 0.9") {
  DecayCase c = draw_decay(draw);
  const Index k = draw.random().integer(0, c.average.size.size() - 1);
  c.batch.size(k) = 0.0;
  c.batch.sum.row(k).setZero();
  draw.show("n, with a code without rows", c.batch.size);
  draw.show("s, with a code without rows", c.batch.sum);
  const ClusterStats three{DoubleVector::Ones(3), Matrix::Constant(3, 1, -0.5F)};
  const ClusterStats rows{DoubleVector{{2.0, 1.0, 0.0}}, Matrix{{1.0F}, {0.25F}, {0.0F}}};
  const ClusterStats got = DECAYED(c), worked = ASK(ema_decay, three, rows, 0.9);
  const Stats expected = decay_oracle(c);
  expect(got.size.size() == expected.size.size() && got.sum.rows() == expected.sum.rows(),
         "there is an N and an m for each code");
  expect_near("N of the code without rows", got.size(k), expected.size(k), kRoughly);
  expect_near("m of the code without rows", Matrix(got.sum.row(k)), Oracle(expected.sum.row(k)),
              kRoughly);
  expect_near("N of 1, 1, 1 and rows 2, 1, 0", worked.size, DoubleVector{{1.1, 1.0, 0.9}},
              kRoughly);
}

PROPERTY(ema_decay, "takes the batch as it is where gamma is 0") {
  DecayCase c = draw_decay(draw);
  c.decay = draw.show("gamma, instead", 0.0);
  const ClusterStats got = DECAYED(c);
  expect_near("N", got.size, c.batch.size, kRoughly);
  expect_near("m", got.sum, c.batch.sum, kRoughly);
}

PROPERTY(ema_decay, "keeps the digits of the sizes where gamma is almost 1") {
  const DecayCase c = draw_decay(draw, 0.999, 0.9999);
  expect_near("N", DECAYED(c).size, decay_oracle(c).size, {1e-12, 1e-13, 0.0});
}

PROPERTY(ema_decay, "refuses a batch of more or fewer codes") {
  const DecayCase c = draw_decay(draw);
  const Index k = c.average.size.size(), d = c.average.sum.cols();
  const auto reply = [&](Index number_of_sizes, Index number_of_sums) {
    DecayCase other = c;
    other.batch = {DoubleVector::Ones(number_of_sizes), Matrix::Ones(number_of_sums, d)};
    return DECAY_REPLY(other);
  };
  const Reply more_sizes = reply(k + 1, k), fewer_sizes = reply(k - 1, k);
  const Reply more_sums = reply(k, k + 1), fewer_sums = reply(k, k - 1), both = reply(k + 1, k + 1);
  expect_refused(more_sizes, "the batch has one size more");
  expect_refused(fewer_sizes, "the batch has one size fewer");
  expect_refused(more_sums, "the batch has one sum more");
  expect_refused(fewer_sums, "the batch has one sum fewer");
  expect_refused(both, "the batch has one code more");
}

PROPERTY(ema_decay, "refuses sums of another dimension") {
  const DecayCase c = draw_decay(draw);
  DecayCase wider = c, narrower = c;
  wider.batch.sum = Matrix::Ones(c.batch.sum.rows(), c.batch.sum.cols() + 1);
  narrower.batch.sum = Matrix::Ones(c.batch.sum.rows(), c.batch.sum.cols() - 1);
  const Reply more = DECAY_REPLY(wider), fewer = DECAY_REPLY(narrower);
  expect_refused(more, "the sums of the batch have one column more");
  expect_refused(fewer, "the sums of the batch have one column fewer");
}

PROPERTY(ema_decay, "refuses a gamma below 0, of 1 and above") {
  DecayCase c = draw_decay(draw);
  const auto reply = [&](double decay) {
    c.decay = decay;
    return DECAY_REPLY(c);
  };
  const Reply negative = reply(-1e-9), one = reply(1.0), above = reply(1.5);
  expect_refused(negative, "gamma is -1e-9");
  expect_refused(one, "gamma is 1: nothing would ever be learned");
  expect_refused(above, "gamma is 1.5");
}

// ---- 6.4 laplace_smooth ------------------------------------------------------------------------

DEFINES(laplace_smooth, "(N_k + epsilon) / (S + K epsilon) S, for every code") {
  const Index k = draw.size("K", 2, 7);
  const DoubleVector size = sizes(draw, "N", k, 0.5, 8.0);
  const double epsilon = draw.number("epsilon", 0.05, 0.5);
  expect_near("smoothed", ASK(laplace_smooth, size, epsilon), smooth_oracle(size, epsilon),
              {1e-6, 1e-6, 8.0});
}

PROPERTY(laplace_smooth, "gives a size of 0 its share, and counts it among the K") {
  const Index k = draw.size("K", 2, 7);
  DoubleVector size = sizes(draw, "N", k, 0.5, 8.0);
  const Index code = draw.random().integer(0, k - 1);
  size(code) = 0.0;
  draw.show("N, with a 0", size);
  const double epsilon = draw.number("epsilon", 0.05, 0.5);
  const DoubleVector got = ASK(laplace_smooth, size, epsilon);
  const DoubleVector unused = ASK(laplace_smooth, (DoubleVector{{10.0, 0.0, 0.0, 0.0}}), 1e-5);
  expect(got.size() == k && unused.size() == 4, "there is a smoothed size for each size");
  expect_near("smoothed, of the 0", got(code), smooth_oracle(size, epsilon)(code),
              {1e-6, 1e-6, 8.0});
  expect_near("an unused one of 10, 0, 0, 0, epsilon 1e-5", unused(1), 9.99996e-6,
              {1e-6, 0.0, 0.0});
}

PROPERTY(laplace_smooth, "makes 1.099999, 1, 0.900001 of 1.1, 1, 0.9, epsilon 1e-5") {
  const DoubleVector size{{1.1, 1.0, 0.9}};
  const DoubleVector got = ASK(laplace_smooth, size, 1e-5);
  expect_near("smoothed", got, smooth_oracle(size, 1e-5), kDouble);
  expect_near("their sum", total(got), 3.0, {1e-12, 0.0, 0.0});
}

PROPERTY(laplace_smooth, "leaves sizes that are all 0 at 0") {
  const Index k = draw.size("K", 1, 7);
  const double epsilon = draw.number("epsilon", 1e-5, 0.5);
  const DoubleVector none = DoubleVector::Zero(k);
  const DoubleVector got = ASK(laplace_smooth, none, epsilon);
  const DoubleVector usual = ASK(laplace_smooth, none, 1e-5);
  expect_near("smoothed", got, none, kDouble);
  expect_near("smoothed, epsilon 1e-5", usual, none, kDouble);
}

PROPERTY(laplace_smooth, "refuses a size that is negative or no number") {
  const Index k = draw.size("K", 1, 6);
  DoubleVector size = sizes(draw, "N", k, 0.5, 8.0);
  double& one = size(draw.random().integer(0, k - 1));
  const auto reply = [&](double value) {
    one = value;
    return REPLY(laplace_smooth, size, 0.25);
  };
  const Reply negative = reply(-0.125), tiny = reply(-1e-9), nan = reply(kNoNumber);
  expect_refused(negative, "a size is -0.125");
  expect_refused(tiny, "a size is -1e-9");
  expect_refused(nan, "a size is NaN");
}

PROPERTY(laplace_smooth, "refuses an epsilon that is not above 0") {
  const Index k = draw.size("K", 1, 6);
  const DoubleVector size = sizes(draw, "N", k, 0.5, 8.0);
  const Reply zero = REPLY(laplace_smooth, size, 0.0),
              negative = REPLY(laplace_smooth, size, -1e-9);
  expect_refused(zero, "epsilon is 0");
  expect_refused(negative, "epsilon is -1e-9");
}

// ---- 6.5 codebook_from_ema ---------------------------------------------------------------------

constexpr Tolerance kCodes{4e-6, 1e-6, 0.0};

/// Averages in which every code has a size.
struct AverageCase {
  ClusterStats average;
  double epsilon;
};

AverageCase draw_average(Draw& draw, Index least = 2) {
  const Index k = draw.size("K", least, 6), d = draw.size("D", 1, 5);
  const DoubleVector size = sizes(draw, "N", k, 0.5, 4.0);
  const Matrix sum = draw.matrix("m", k, d);
  return {{size, sum}, draw.number("epsilon", 0.05, 0.5)};
}

DEFINES(codebook_from_ema, "divides each running sum by its smoothed size") {
  const AverageCase c = draw_average(draw);
  expect_near("codebook", ASK(codebook_from_ema, c.average, c.epsilon),
              codebook_oracle(in_double(c.average), c.epsilon), kCodes);
}

PROPERTY(codebook_from_ema, "divides by a smoothed size of 0 too, however large it makes e") {
  AverageCase c = draw_average(draw);
  const Index k = draw.random().integer(0, c.average.size.size() - 1);
  c.average.size /= 64.0;  // less than one row, all together
  c.average.size(k) = 0.0;
  draw.show("N, small and with a 0", c.average.size);
  const Matrix got = ASK(codebook_from_ema, c.average, 1e-5);
  expect(got.rows() == c.average.size.size(), "there is a code for each size");
  expect_near("the code of size 0, epsilon 1e-5", Matrix(got.row(k)),
              Oracle(codebook_oracle(in_double(c.average), 1e-5).row(k)), kCodes);
}

PROPERTY(codebook_from_ema, "takes the lesson's codes to 0.936364, 0.118182 and so on") {
  const ClusterStats average{DoubleVector{{1.1, 1.0, 0.9}},
                             Matrix{{1.03F, 0.13F}, {0.09F, 0.91F}, {-0.45F, -0.45F}}};
  const Matrix got = ASK(codebook_from_ema, average, 1e-5);
  expect_near("codebook", got,
              Oracle(Oracle{{0.936364, 0.118182}, {0.09, 0.91}, {-0.499999, -0.499999}}),
              {0.0, 7e-7, 0.0});
  expect_near("codebook, in all digits", got, codebook_oracle(in_double(average), 1e-5),
              {0.0, 1.5e-7, 0.0});
}

PROPERTY(codebook_from_ema, "refuses averages in which no size is above 0") {
  const Index k = draw.size("K", 1, 5), d = draw.size("D", 1, 4);
  const ClusterStats empty{DoubleVector::Zero(k), zeros(k, d)};
  const ClusterStats odd{DoubleVector::Zero(k), draw.matrix("m", k, d)};
  const ClusterStats no_codes{DoubleVector(0), Matrix(0, d)};
  const Reply nothing = REPLY(codebook_from_ema, empty, 1e-5);
  const Reply none = REPLY(codebook_from_ema, no_codes, 1e-5);
  expect_refused(none, "there is no size at all");
  const Reply sums = REPLY(codebook_from_ema, odd, 0.25);
  expect_refused(nothing, "all sizes are 0, and all sums");
  expect_refused(sums, "all sizes are 0");
}

PROPERTY(codebook_from_ema, "refuses more or fewer sums than sizes") {
  const AverageCase c = draw_average(draw, 1);
  const Index k = c.average.size.size(), d = c.average.sum.cols();
  const auto reply = [&](Index sums) {
    const ClusterStats other{c.average.size, Matrix::Ones(sums, d)};
    return REPLY(codebook_from_ema, other, c.epsilon);
  };
  const Reply more = reply(k + 1), fewer = reply(k - 1);
  expect_refused(more, "there is one sum more than sizes");
  expect_refused(fewer, "there is one sum fewer than sizes");
}

PROPERTY(codebook_from_ema, "refuses a negative size") {
  AverageCase c = draw_average(draw);
  const Index k = draw.random().integer(0, c.average.size.size() - 1);
  c.average.size(k) = -0.125;
  const Reply negative = REPLY(codebook_from_ema, c.average, c.epsilon);
  c.average.size(k) = kNoNumber;
  const Reply nan = REPLY(codebook_from_ema, c.average, c.epsilon);
  expect_refused(negative, "a size is -0.125");
  expect_refused(nan, "a size is NaN");
}

PROPERTY(codebook_from_ema, "refuses an epsilon that is not above 0") {
  const AverageCase c = draw_average(draw, 1);
  const Reply zero = REPLY(codebook_from_ema, c.average, 0.0);
  const Reply negative = REPLY(codebook_from_ema, c.average, -1e-9);
  expect_refused(zero, "epsilon is 0");
  expect_refused(negative, "epsilon is -1e-9");
}

// ---- 6.6 dead_mask -----------------------------------------------------------------------------

/// Sizes on both sides of the threshold, none within a tenth of it.
struct DeadCase {
  DoubleVector size;
  std::int64_t rows, updates;
  double decay, threshold;
  Mask dead;
};

DeadCase draw_dead(Draw& draw) {
  const Index k = draw.size("K", 2, 8);
  DeadCase c{DoubleVector(k),
             draw.integer("rows", 3, 200),
             draw.integer("updates", 25, 200),
             draw.number("gamma", 0.5, 0.95),
             draw.number("threshold", 0.05, 0.75),
             {}};
  const double border = c.threshold * double(c.rows) / double(k);
  for (Index i = 0; i < k; ++i) {
    c.dead.push_back(i < 2 ? std::int32_t(i) : std::int32_t(draw.random().integer(0, 1)));
  }
  if (draw.random().integer(0, 1) == 1) std::reverse(c.dead.begin(), c.dead.end());
  for (Index i = 0; i < k; ++i) {
    c.size(i) = border * (c.dead[at(i)] == 1 ? draw.random().uniform(0.1, 0.9)
                                             : draw.random().uniform(1.1, 3.0));
  }
  draw.show("N", c.size);
  return c;
}

#define DEAD(c) ASK(dead_mask, (c).size, (c).rows, (c).updates, (c).decay, (c).threshold)
#define DEAD_REPLY(c) REPLY(dead_mask, (c).size, (c).rows, (c).updates, (c).decay, (c).threshold)

DEFINES(dead_mask, "is 1 where N_k is below the threshold's share of rows / K") {
  const DeadCase c = draw_dead(draw);
  expect_equal("dead", DEAD(c), c.dead);
}

PROPERTY(dead_mask, "a size of exactly the threshold's share lives") {
  const Index k = draw.size("K", 3, 8), share = draw.size("m", 1, 9);
  const double threshold = draw.random().integer(0, 1) == 0 ? 0.25 : 0.5;
  const double border = threshold * double(share);  // in every order of operations
  DoubleVector size = DoubleVector::Constant(k, border);
  size(draw.random().integer(0, k - 1)) = border - std::ldexp(1.0, -20);
  Mask dead(at(k), 0);
  for (Index i = 0; i < k; ++i) dead[at(i)] = size(i) < border ? 1 : 0;
  draw.show("N", size);
  expect_equal("dead", ASK(dead_mask, size, share * k, 50, 0.9, draw.show("threshold", threshold)),
               dead);
}

/// A gamma for which 1 / (1 - gamma) is a whole number, exactly.
struct Youth {
  double decay;
  std::int64_t updates;
};

Youth draw_youth(Draw& draw) {
  const auto power = int(draw.random().integer(2, 5));
  const Youth youth{1.0 - std::ldexp(1.0, -power), std::int64_t{1} << power};
  draw.show("gamma", youth.decay);
  return youth;
}

PROPERTY(dead_mask, "none is dead up to 1 / (1 - gamma) updates") {
  const Index k = draw.size("K", 1, 6), rows = draw.size("rows", 1, 40);
  const Youth youth = draw_youth(draw);
  const DoubleVector size = DoubleVector::Zero(k);
  const auto dead = [&](std::int64_t updates) {
    return ASK(dead_mask, size, rows, updates, youth.decay, 0.5);
  };
  const Mask first = dead(1), last = dead(youth.updates), fresh = dead(0);
  const Mask before_last = dead(youth.updates - 1);
  expect_equal("dead one update earlier still", before_last, Mask(at(k), 0));
  expect_equal("dead after 1 update", first, Mask(at(k), 0));
  expect_equal("dead after 1 / (1 - gamma) updates", last, Mask(at(k), 0));
  expect_equal("dead before any update", fresh, Mask(at(k), 0));
}

PROPERTY(dead_mask, "one update later they may be") {
  const Index k = draw.size("K", 1, 6), rows = draw.size("rows", 1, 40);
  const Youth youth = draw_youth(draw);
  const DoubleVector size = DoubleVector::Zero(k);
  const Mask got = ASK(dead_mask, size, rows, youth.updates + 1, youth.decay, 0.5);
  const Mask no_memory = ASK(dead_mask, size, rows, 2, 0.0, 0.5);
  expect_equal("dead after 1 / (1 - gamma) + 1 updates", got, Mask(at(k), 1));
  expect_equal("dead after 2 updates, gamma 0", no_memory, Mask(at(k), 1));
}

PROPERTY(dead_mask, "none is dead where the threshold is 0") {
  DeadCase c = draw_dead(draw);
  c.threshold = draw.show("threshold, instead", 0.0);
  const Mask got = DEAD(c);
  c.size.setZero();
  const Mask of_nothing = DEAD(c);
  expect_equal("dead", got, Mask(c.dead.size(), 0));
  expect_equal("dead, all sizes 0", of_nothing, Mask(c.dead.size(), 0));
}

PROPERTY(dead_mask, "refuses a batch without rows") {
  DeadCase c = draw_dead(draw);
  c.rows = 0;
  const Reply none = DEAD_REPLY(c);
  c.rows = -1;
  const Reply negative = DEAD_REPLY(c);
  expect_refused(none, "there are 0 rows");
  expect_refused(negative, "there are -1 rows");
}

PROPERTY(dead_mask, "refuses a negative number of updates") {
  DeadCase c = draw_dead(draw);
  c.updates = -1;
  const Reply one = DEAD_REPLY(c);
  c.updates = -40;
  const Reply many = DEAD_REPLY(c);
  expect_refused(one, "there were -1 updates");
  expect_refused(many, "there were -40 updates");
}

PROPERTY(dead_mask, "refuses a gamma below 0, of 1 and above") {
  DeadCase c = draw_dead(draw);
  const auto reply = [&](double decay) {
    c.decay = decay;
    return DEAD_REPLY(c);
  };
  const Reply negative = reply(-1e-9), one = reply(1.0), above = reply(1.5);
  expect_refused(negative, "gamma is -1e-9");
  expect_refused(one, "gamma is 1");
  expect_refused(above, "gamma is 1.5");
}

PROPERTY(dead_mask, "refuses a negative threshold") {
  DeadCase c = draw_dead(draw);
  c.threshold = -c.threshold;
  const Reply drawn = DEAD_REPLY(c);
  c.threshold = -1e-9;
  const Reply tiny = DEAD_REPLY(c);
  expect_refused(drawn, "the threshold is negative");
  expect_refused(tiny, "the threshold is -1e-9");
}

// ---- 6.7 revive --------------------------------------------------------------------------------

/// A codebook some of whose codes are dead, and rows for them.
struct ReviveCase {
  EmaCodebook state;
  Mask dead;
  Matrix z;
  Indices order;
};

EmaCodebook draw_state(Draw& draw, Index k, Index d) {
  EmaCodebook state;
  state.codebook = draw.matrix("codebook", k, d);
  state.average = {sizes(draw, "N", k, 0.25, 4.0), draw.matrix("m", k, d)};
  state.updates = draw.integer("updates", 100, 500);
  return state;
}

/// At least one code is dead, at least one lives, and `spare` more rows than dead codes.
ReviveCase draw_revive(Draw& draw, Index spare) {
  const Index dead = draw.size("dead", 1, 4), alive = draw.size("m", 1, 3);
  const Index d = draw.size("D", 1, 4), k = dead + alive;
  ReviveCase c{draw_state(draw, k, d), Mask(at(k), 0), {}, {}};
  const Indices places = permutation(draw, k);
  for (Index i = 0; i < dead; ++i) c.dead[at(places[at(i)])] = 1;
  draw.show("dead codes", c.dead);
  c.z = draw.matrix("z", dead + spare, d);
  c.order = draw.show("order", permutation(draw, dead + spare));
  return c;
}

ReviveCase draw_revive(Draw& draw) {
  const Index spare = draw.size("spare", 0, 4);
  return draw_revive(draw, spare);
}

/// The dead codes, lowest first; after as many as there are row numbers it ends.
Indices dead_codes(const ReviveCase& c) {
  Indices codes;
  for (Index k = 0; k < c.state.codebook.rows(); ++k) {
    if (c.dead[at(k)] == 1 && codes.size() < c.order.size()) codes.push_back(k);
  }
  return codes;
}

double even_share(const ReviveCase& c) {
  return double(c.z.rows()) / double(c.state.codebook.rows());
}

/// A few rows of a matrix that may turn out to have another shape.
Matrix chosen(const Matrix& x, const Indices& rows) {
  Matrix few(length(rows), x.cols());
  for (Index i = 0; i < few.rows(); ++i) few.row(i) = x.row(rows[at(i)]);
  return few;
}

DoubleVector chosen(const DoubleVector& x, const Indices& places) {
  DoubleVector few(length(places));
  for (Index i = 0; i < few.size(); ++i) few(i) = x(places[at(i)]);
  return few;
}

#define REVIVED(c) ASK(revive, (c).state, (c).dead, (c).z, (c).order)
#define REVIVE_REPLY(c) REPLY(revive, (c).state, (c).dead, (c).z, (c).order)

DEFINES(revive, "the dead codes become rows, the first of them row order[0]") {
  const ReviveCase c = draw_revive(draw);
  const EmaCodebook got = REVIVED(c);
  const Indices codes = dead_codes(c);
  const Indices rows(c.order.begin(), c.order.begin() + length(codes));
  expect_equal("dead codes, revived", chosen(got.codebook, codes), chosen(c.z, rows));
}

PROPERTY(revive, "gives a revived code the size rows / K") {
  const ReviveCase c = draw_revive(draw);
  const Indices codes = dead_codes(c);
  expect_near("N of the dead codes, revived", chosen(REVIVED(c).average.size, codes),
              DoubleVector(DoubleVector::Constant(length(codes), even_share(c))), {1e-6, 0, 0});
}

PROPERTY(revive, "sets its sum so that the next update finds the row, not 5 again") {
  const ReviveCase c = draw_revive(draw);
  EmaCodebook five;
  five.codebook = Matrix{{5.0F}, {0.0F}};
  five.average = {DoubleVector{{0.05, 1.95}}, Matrix{{0.25F}, {0.0F}}};
  five.updates = 500;
  const EmaCodebook got = REVIVED(c);
  const EmaCodebook one = ASK(revive, five, (Mask{1, 0}), Matrix(Matrix::Ones(1, 1)), Indices{0});
  const Indices codes = dead_codes(c);
  Matrix expected = chosen(got.codebook, codes);
  for (Index i = 0; i < expected.rows(); ++i)
    expected.row(i) *= float(got.average.size(codes[at(i)]));
  expect_near("m of the dead codes: N times the code", chosen(got.average.sum, codes), expected,
              {2e-6, 1e-6, 8.0});
  const Stats no_rows{DoubleVector::Zero(2), Oracle::Zero(2, 1)};
  expect_near("5, revived at 1, after the next update",
              codebook_oracle(decay_oracle(one.average, no_rows, 0.99), 1e-5)(0, 0), 1.0,
              {0.0, 1e-3, 0.0});
}

PROPERTY(revive, "leaves the codes that live as they are, memory included") {
  const ReviveCase c = draw_revive(draw);
  const EmaCodebook got = REVIVED(c);
  Indices codes;
  for (Index k = 0; k < c.state.codebook.rows(); ++k) {
    if (c.dead[at(k)] == 0) codes.push_back(k);
  }
  expect_equal("codes that live", chosen(got.codebook, codes), chosen(c.state.codebook, codes));
  expect_near("their N", chosen(got.average.size, codes), chosen(c.state.average.size, codes),
              kDouble);
  expect_equal("their m", chosen(got.average.sum, codes), chosen(c.state.average.sum, codes));
}

PROPERTY(revive, "leaves the number of updates as it is") {
  const ReviveCase c = draw_revive(draw);
  expect_equal("updates", REVIVED(c).updates, c.state.updates);
}

/// All of the state, as it was.
#define EXPECT_UNTOUCHED(got, state)                                   \
  expect_equal("codebook", (got).codebook, (state).codebook);          \
  expect_near("N", (got).average.size, (state).average.size, kDouble); \
  expect_equal("m", (got).average.sum, (state).average.sum)

PROPERTY(revive, "leaves those dead for which order has no row left") {
  const Index more = draw.size("more", 1, 3);
  ReviveCase c = draw_revive(draw, more);
  c.dead.assign(c.dead.size(), 1);
  c.order.resize(c.dead.size() - 1);
  for (std::int64_t& row : c.order) row = draw.random().integer(0, c.z.rows() - 1);
  draw.show("dead codes, all", c.dead);
  draw.show("order, too short", c.order);
  const EmaCodebook got = REVIVED(c);
  const Index last = Index(c.dead.size()) - 1;
  expect_equal("codes", Matrix(got.codebook.topRows(last)), chosen(c.z, c.order));
  expect_equal("the last code", Matrix(got.codebook.row(last)), Matrix(c.state.codebook.row(last)));
  expect_near("its N", got.average.size(last), c.state.average.size(last), kDouble);
  expect_near("N of the others", DoubleVector(got.average.size.head(last)),
              DoubleVector(DoubleVector::Constant(last, even_share(c))), {1e-6, 0.0, 0.0});
}

PROPERTY(revive, "changes nothing where none is dead") {
  ReviveCase c = draw_revive(draw);
  c.dead.assign(c.dead.size(), 0);
  draw.show("dead codes, none", c.dead);
  const EmaCodebook got = REVIVED(c);
  EXPECT_UNTOUCHED(got, c.state);
}

PROPERTY(revive, "changes nothing where there is no row to take") {
  ReviveCase c = draw_revive(draw);
  c.order.clear();
  const EmaCodebook no_order = REVIVED(c);
  c.z = Matrix(0, c.z.cols());
  const EmaCodebook no_rows = REVIVED(c);
  EXPECT_UNTOUCHED(no_order, c.state);
  EXPECT_UNTOUCHED(no_rows, c.state);
}

PROPERTY(revive, "refuses a mask that is not as long as the codebook") {
  const ReviveCase c = draw_revive(draw);
  ReviveCase longer = c, shorter = c;
  longer.dead.push_back(0);
  shorter.dead.pop_back();
  const Reply more = REVIVE_REPLY(longer), fewer = REVIVE_REPLY(shorter);
  expect_refused(more, "dead has one element more than codes");
  expect_refused(fewer, "dead has one element fewer than codes");
}

PROPERTY(revive, "refuses averages that do not fit the codebook") {
  const ReviveCase c = draw_revive(draw);
  const Index k = c.state.codebook.rows(), d = c.state.codebook.cols();
  const auto reply = [&](Index number_of_sizes, Index rows, Index cols) {
    ReviveCase other = c;
    other.state.average = {DoubleVector::Ones(number_of_sizes), Matrix::Ones(rows, cols)};
    return REVIVE_REPLY(other);
  };
  const Reply more_sizes = reply(k + 1, k, d), fewer_sizes = reply(k - 1, k, d);
  const Reply more_sums = reply(k, k + 1, d), fewer_sums = reply(k, k - 1, d);
  const Reply wider = reply(k, k, d + 1), narrower = reply(k, k, d - 1);
  expect_refused(more_sizes, "there is one size more than codes");
  expect_refused(fewer_sizes, "there is one size fewer than codes");
  expect_refused(more_sums, "there is one sum more than codes");
  expect_refused(fewer_sums, "there is one sum fewer than codes");
  expect_refused(wider, "the sums have one column more than the codes");
  expect_refused(narrower, "the sums have one column fewer than the codes");
}

PROPERTY(revive, "refuses rows of another dimension than the codes") {
  const ReviveCase c = draw_revive(draw);
  ReviveCase wider = c, narrower = c;
  wider.z = Matrix::Ones(c.z.rows(), c.z.cols() + 1);
  narrower.z = Matrix::Ones(c.z.rows(), c.z.cols() - 1);
  const Reply more = REVIVE_REPLY(wider), fewer = REVIVE_REPLY(narrower);
  expect_refused(more, "z has one column more than the codes");
  expect_refused(fewer, "z has one column fewer than the codes");
}

PROPERTY(revive, "refuses a row number in order that is none, used or not") {
  const ReviveCase c = draw_revive(draw, 2);
  const auto reply = [&](std::size_t where, std::int64_t row) {
    ReviveCase other = c;
    other.order[where] = row;
    return REVIVE_REPLY(other);
  };
  const Index n = c.z.rows();
  const std::size_t last = c.order.size() - 1;
  const Reply below = reply(0, -1), above = reply(0, n);
  const Reply unused_below = reply(last, -1), unused_above = reply(last, n);
  expect_refused(below, "the first row number is -1");
  expect_refused(above, "the first row number is N");
  expect_refused(unused_below, "the last row number, which nobody takes, is -1");
  expect_refused(unused_above, "the last row number, which nobody takes, is N");
}

// ---- 6.8 ema_codebook_step ---------------------------------------------------------------------

constexpr Tolerance kStep{4e-6, 1e-6, 0.0};

/// A batch and a codebook whose assignment is clear; the averages belong to another codebook than
/// the one that assigns, so that old and new cannot be confused.
struct StepCase {
  Matrix z_e;
  EmaCodebook state;
  Indices order;
  EmaOptions options;
  Indices indices;
};

/// Nothing dies: the threshold is 0.
StepCase draw_step(Draw& draw) {
  const Index n = draw.size("N", 2, 7), k = draw.size("K", 2, 5), d = draw.size("D", 1, 4);
  StepCase c;
  while (c.indices.empty()) {
    c.z_e = eighths(draw, n, d);
    c.state.codebook = eighths(draw, k, d);
    c.indices = clearly_nearest(c.z_e.cast<double>(), c.state.codebook.cast<double>());
  }
  draw.show("z_e", c.z_e);
  draw.show("codebook", c.state.codebook);
  c.state.average = {sizes(draw, "N_k", k, 0.5, 3.0), draw.matrix("m", k, d)};
  c.state.updates = draw.integer("updates", 100, 500);
  c.order = draw.show("order", permutation(draw, n));
  c.options.decay = draw.number("gamma", 0.6, 0.95);
  c.options.epsilon = draw.number("epsilon", 0.05, 0.5);
  c.options.threshold = 0.0;
  c.options.beta = draw.number("beta", 0.1, 3.0);
  return c;
}

Stats average_after(const StepCase& c) {
  const Stats batch = stats_oracle(c.z_e, c.indices, c.state.codebook.rows());
  return decay_oracle(c.state.average, batch, c.options.decay);
}

Oracle codebook_after(const StepCase& c) {
  return codebook_oracle(average_after(c), c.options.epsilon);
}

/// beta times the mean square distance to the codes that came.
double commitment_oracle(const StepCase& c) {
  double sum = 0.0;
  for (Index n = 0; n < c.z_e.rows(); ++n)
    sum += sqdist(c.z_e.cast<double>(), n, c.state.codebook.cast<double>(), c.indices[at(n)]);
  return c.options.beta * sum / double(c.z_e.size());
}

#define STEP(c, training) \
  ASK(ema_codebook_step, (c).z_e, (c).state, (c).order, (c).options, training)
#define STEP_REPLY(c) REPLY(ema_codebook_step, (c).z_e, (c).state, (c).order, (c).options, true)

DEFINES(ema_codebook_step, "afterwards the codes are running sums by smoothed sizes") {
  const StepCase c = draw_step(draw);
  const EmaStep got = STEP(c, true);
  expect_near("codebook afterwards", got.state.codebook, codebook_after(c), kStep);
}

PROPERTY(ema_codebook_step, "the averages take in the batch, assigned by the old codes") {
  const StepCase c = draw_step(draw);
  const EmaStep got = STEP(c, true);
  expect_near("N afterwards", got.state.average.size, average_after(c).size, kRoughly);
  expect_near("m afterwards", got.state.average.sum, average_after(c).sum, kRoughly);
}

PROPERTY(ema_codebook_step, "counts the update") {
  const StepCase c = draw_step(draw);
  expect_equal("updates", STEP(c, true).state.updates, c.state.updates + 1);
}

PROPERTY(ema_codebook_step, "the output is made of the codebook that came, not of the new one") {
  const StepCase c = draw_step(draw);
  const EmaStep got = STEP(c, true);
  expect_equal("indices", got.output.indices, c.indices);
  expect_equal("z_q", got.output.z_q, chosen(c.state.codebook, c.indices));
}

PROPERTY(ema_codebook_step, "commitment: beta times the mean square to the codes that came") {
  const StepCase c = draw_step(draw);
  expect_near("commitment", STEP(c, true).commitment, commitment_oracle(c), {2e-6, 1e-6, 0.0});
}

PROPERTY(ema_codebook_step, "without training the codebook comes back as it was") {
  const StepCase c = draw_step(draw);
  const EmaStep got = STEP(c, false);
  EXPECT_UNTOUCHED(got.state, c.state);
  expect_equal("updates", got.state.updates, c.state.updates);
}

PROPERTY(ema_codebook_step, "without training output and commitment are what they are with it") {
  const StepCase c = draw_step(draw);
  const EmaStep got = STEP(c, false);
  expect_equal("indices", got.output.indices, c.indices);
  expect_equal("z_q", got.output.z_q, chosen(c.state.codebook, c.indices));
  expect_near("commitment", got.commitment, commitment_oracle(c), {2e-6, 1e-6, 0.0});
}

PROPERTY(ema_codebook_step, "takes e from 0 to 0.33557 for 50 rows at 1, not to 0.01") {
  EmaCodebook state;
  state.codebook = zeros(1, 1);
  state.average = {DoubleVector::Ones(1), zeros(1, 1)};
  EmaOptions options;
  options.threshold = 0.0;
  const Matrix rows = Matrix::Ones(50, 1);
  const EmaStep got = ASK(ema_codebook_step, rows, state, Indices{}, options, true);
  expect_near("e afterwards", got.state.codebook, Oracle(Oracle::Constant(1, 1, 0.33557)),
              {0.0, 1e-5, 0.0});
}

PROPERTY(ema_codebook_step, "takes the lesson's codes to 0.936364, 0.118182 and so on") {
  EmaCodebook state;
  state.codebook = Matrix{{0.9F, 0.1F}, {0.1F, 0.9F}, {-0.5F, -0.5F}};
  state.average = {DoubleVector::Ones(3), state.codebook};
  EmaOptions options;
  options.decay = 0.9;
  options.threshold = 0.0;
  const Matrix rows{{1.2F, 0.1F}, {1.0F, 0.3F}, {0.0F, 1.0F}};
  const EmaStep got = ASK(ema_codebook_step, rows, state, Indices{}, options, true);
  expect_near("codebook afterwards", got.state.codebook,
              Oracle(Oracle{{0.936364, 0.118182}, {0.09, 0.91}, {-0.499999, -0.499999}}),
              {0.0, 1e-6, 0.0});
}

/// One code is so far away that no row chooses it, and smaller than a tenth of its share.
StepCase draw_dying(Draw& draw, Index* dead) {
  StepCase c = draw_step(draw);
  const Index n = c.z_e.rows(), k = c.state.codebook.rows();
  *dead = draw.random().integer(0, k - 1);
  c.state.codebook.row(*dead).setConstant(64.0F);
  c.state.average.size(*dead) = 0.01 * double(n) / double(k);
  c.options.threshold = 0.1;
  for (Index i = 0; i < k; ++i) {
    // The others are far above the threshold, whether or not they are chosen.
    if (i != *dead) c.state.average.size(i) = double(n) + double(i);
  }
  c.indices.clear();
  for (Index i = 0; i < n; ++i) {
    Index best = *dead == 0 ? 1 : 0;
    for (Index j = best; j < k; ++j) {
      const Oracle z = c.z_e.cast<double>(), codes = c.state.codebook.cast<double>();
      if (j != *dead && sqdist(z, i, codes, j) < sqdist(z, i, codes, best)) best = j;
    }
    c.indices.push_back(best);
  }
  draw.show("codebook, one code far off", c.state.codebook);
  draw.show("N_k, that one small", c.state.average.size);
  return c;
}

#define EXPECT_REVIVED(got, c, dead)                                   \
  expect_equal("revived code", Matrix((got).state.codebook.row(dead)), \
               Matrix((c).z_e.row((c).order[0])));                     \
  expect_near("its N", (got).state.average.size(dead),                 \
              double((c).z_e.rows()) / double((c).state.codebook.rows()), {1e-6, 0.0, 0.0})

PROPERTY(ema_codebook_step, "dead codes are revived last, and stand where a row is") {
  Index dead = 0;
  const StepCase c = draw_dying(draw, &dead);
  const EmaStep got = STEP(c, true);
  EXPECT_REVIVED(got, c, dead);
}

PROPERTY(ema_codebook_step, "who is dead is judged after the update") {
  Index dead = 0;
  StepCase c = draw_dying(draw, &dead);
  // Alive before the update, dead after it; too young before it, old enough after it.
  c.options.decay = draw.show("gamma, instead", 0.75);
  c.state.updates = draw.show("updates, instead", std::int64_t{4});
  const double border = 0.1 * double(c.z_e.rows()) / double(c.state.codebook.rows());
  c.state.average.size(dead) = 1.1 * border;
  draw.show("N_k, that one still above the threshold", c.state.average.size);
  const EmaStep got = STEP(c, true);
  EXPECT_REVIVED(got, c, dead);
}

PROPERTY(ema_codebook_step, "nobody is revived while the averages are young") {
  Index dead = 0;
  StepCase c = draw_dying(draw, &dead);
  c.options.decay = draw.show("gamma, instead", 0.75);
  c.state.updates = draw.show("updates, instead", draw.random().integer(0, 3));
  const EmaStep got = STEP(c, true);
  const Matrix row = c.z_e.row(c.order[0]);
  expect(got.state.codebook.rows() > dead && got.state.codebook.cols() == row.cols(),
         "the codebook has the shape that it had");
  expect(got.state.codebook.row(dead) != row.row(0),
         "the small code should not stand where row order[0] is, and does");
}

PROPERTY(ema_codebook_step, "refuses a batch without rows, and codes of another dimension") {
  const StepCase c = draw_step(draw);
  StepCase empty = c, wider = c;
  empty.z_e = Matrix(0, c.z_e.cols());
  empty.order.clear();
  wider.z_e = Matrix::Ones(c.z_e.rows(), c.z_e.cols() + 1);
  const Reply rows = STEP_REPLY(empty), dimension = STEP_REPLY(wider);
  expect_refused(rows, "there is no row");
  expect_refused(dimension, "z_e has one column more than the codes");
}

PROPERTY(ema_codebook_step, "refuses averages that do not fit the codebook") {
  const StepCase c = draw_step(draw);
  const Index k = c.state.codebook.rows(), d = c.state.codebook.cols();
  const auto reply = [&](Index number_of_sizes, Index rows, Index cols) {
    StepCase other = c;
    other.state.average = {DoubleVector::Ones(number_of_sizes), Matrix::Ones(rows, cols)};
    return STEP_REPLY(other);
  };
  const Reply sizes_missing = reply(k - 1, k, d), sums_missing = reply(k, k - 1, d);
  const Reply both = reply(k + 1, k + 1, d), wider = reply(k, k, d + 1);
  expect_refused(sizes_missing, "there is one size fewer than codes");
  expect_refused(sums_missing, "there is one sum fewer than codes");
  expect_refused(both, "there are one size and one sum more than codes");
  expect_refused(wider, "the sums have one column more than the codes");
}

PROPERTY(ema_codebook_step, "refuses a row number in order that is none") {
  const StepCase c = draw_step(draw);
  StepCase below = c, above = c;
  below.order.back() = -1;
  above.order.back() = c.z_e.rows();
  const Reply negative = STEP_REPLY(below), too_large = STEP_REPLY(above);
  expect_refused(negative, "a row number is -1");
  expect_refused(too_large, "a row number is N");
}

PROPERTY(ema_codebook_step, "refuses constants that its parts refuse") {
  const StepCase c = draw_step(draw);
  StepCase decay = c, epsilon = c, threshold = c, beta = c;
  decay.options.decay = 1.0;
  epsilon.options.epsilon = 0.0;
  threshold.options.threshold = -0.5;
  beta.options.beta = -0.5;
  const Reply one = STEP_REPLY(decay), zero = STEP_REPLY(epsilon);
  const Reply low = STEP_REPLY(threshold), negative = STEP_REPLY(beta);
  expect_refused(one, "gamma is 1");
  expect_refused(zero, "epsilon is 0");
  expect_refused(low, "the threshold is negative");
  expect_refused(negative, "beta is negative");
}

// ---- 6.9 kmeans_init ---------------------------------------------------------------------------

/// What Lloyd's iterations come to, in double; `clear` is false where rounding could decide.
struct Lloyd {
  Oracle centroids;
  DoubleVector counts, counts_before;  ///< After the last iteration, and before it.
  bool clear = true;
};

Lloyd lloyd_oracle(const Matrix& z, Index k, const Indices& order, std::int64_t iterations) {
  const Oracle rows = z.cast<double>();
  Lloyd lloyd{Oracle(k, z.cols()), DoubleVector::Zero(k), DoubleVector::Zero(k), true};
  for (Index i = 0; i < k; ++i) lloyd.centroids.row(i) = rows.row(order[at(i)]);
  for (std::int64_t i = 0; i <= iterations && lloyd.clear; ++i) {
    const Indices indices = clearly_nearest(rows, lloyd.centroids);
    lloyd.clear = !indices.empty();
    if (!lloyd.clear) break;
    const Stats stats = stats_oracle(z, indices, k);
    lloyd.counts_before = lloyd.counts;
    lloyd.counts = stats.size;
    for (Index j = 0; j < k && i < iterations; ++j) {
      for (Index d = 0; d < z.cols() && stats.size(j) > 0.0; ++d)
        lloyd.centroids(j, d) = stats.sum(j, d) / stats.size(j);
    }
  }
  return lloyd;
}

/// Rows whose clustering is clear in every iteration, and leaves no centroid without rows.
struct ClusterCase {
  Matrix z;
  Index codes;
  Indices order;
  std::int64_t iterations;
  Lloyd expected;
};

ClusterCase draw_clusters(Draw& draw, std::int64_t least, std::int64_t most) {
  const Index k = draw.size("K", 2, 4), n = k + draw.size("m", 2, 7), d = draw.size("D", 1, 3);
  ClusterCase c{{}, k, {}, draw.integer("iterations", least, most), {}};
  do {
    c.z = eighths(draw, n, d);
    c.order = permutation(draw, n);
    c.expected = lloyd_oracle(c.z, k, c.order, c.iterations);
  } while (!c.expected.clear || c.expected.counts.minCoeff() < 1.0);
  draw.show("z", c.z);
  draw.show("order", c.order);
  return c;
}

/// Rows anew, until `good` holds of the clustering.
template <typename Good>
ClusterCase draw_clusters_until(Draw& draw, std::int64_t iterations, const Good& good) {
  ClusterCase c = draw_clusters(draw, iterations, iterations);
  while (!c.expected.clear || c.expected.counts.minCoeff() < 1.0 || !good(c)) {
    c.z = eighths(draw, c.z.rows(), c.z.cols());
    c.expected = lloyd_oracle(c.z, c.codes, c.order, c.iterations);
  }
  draw.show("z, instead", c.z);
  return c;
}

/// One iteration, after which some row belongs to another centroid than before.
ClusterCase draw_restless(Draw& draw) {
  return draw_clusters_until(
      draw, 1, [](const ClusterCase& c) { return c.expected.counts != c.expected.counts_before; });
}

/// Two iterations, both of which move a centroid.
ClusterCase draw_moving(Draw& draw) {
  return draw_clusters_until(draw, 2, [](const ClusterCase& c) {
    const Lloyd once = lloyd_oracle(c.z, c.codes, c.order, 1);
    return (once.centroids - c.expected.centroids).cwiseAbs().maxCoeff() > 0.03;
  });
}

#define KMEANS(c) ASK(kmeans_init, (c).z, (c).codes, (c).order, (c).iterations)
#define KMEANS_REPLY(c) REPLY(kmeans_init, (c).z, (c).codes, (c).order, (c).iterations)

DEFINES(kmeans_init, "each iteration moves the centroids to the means of their rows") {
  const ClusterCase c = draw_moving(draw);
  expect_near("codebook", KMEANS(c).codebook, c.expected.centroids, kStep);
}

PROPERTY(kmeans_init, "starts from rows order[0] to order[K - 1]: no iteration, no move") {
  const ClusterCase c = draw_clusters(draw, 0, 0);
  const EmaCodebook got = KMEANS(c);
  expect_equal("codebook", got.codebook,
               chosen(c.z, Indices(c.order.begin(), c.order.begin() + c.codes)));
}

PROPERTY(kmeans_init, "sizes count the rows of the final centroids") {
  const ClusterCase c = draw_restless(draw);
  expect_near("N", KMEANS(c).average.size, c.expected.counts, kDouble);
}

PROPERTY(kmeans_init, "sums are sizes times codes") {
  const ClusterCase c = draw_restless(draw);
  const EmaCodebook got = KMEANS(c);
  Oracle expected = c.expected.centroids;
  for (Index k = 0; k < c.codes; ++k) expected.row(k) *= got.average.size(k);
  expect_near("m", got.average.sum, expected, {4e-6, 1e-6, 8.0});
}

PROPERTY(kmeans_init, "ten rows around 2 stay at 2 after an update, and not at 0.218") {
  Matrix ten(10, 1);
  for (Index n = 0; n < 10; ++n) ten(n, 0) = 1.1F + 0.2F * float(n);
  Indices order(10);
  std::iota(order.begin(), order.end(), 0);
  const EmaCodebook got = ASK(kmeans_init, ten, 1, order, 2);
  const Stats batch = stats_oracle(ten, Indices(10, 0), 1);
  const Stats after = decay_oracle(got.average, batch, 0.99);
  expect_near("codebook", got.codebook, Oracle(Oracle::Constant(1, 1, 2.0)), kStep);
  expect_near("codebook after an update", codebook_oracle(after, 1e-5),
              Oracle(Oracle::Constant(1, 1, 2.0)), {0.0, 1e-4, 0.0});
}

PROPERTY(kmeans_init, "a centroid without rows stays, and counts as one row") {
  const Index twins = draw.size("m", 1, 4), d = draw.size("D", 1, 3);
  const Matrix here = eighths(draw, 1, d);  // a mean of the same row again is that row, exactly
  Matrix z(twins + 3, d);
  z.topRows(twins + 1) = here.replicate(twins + 1, 1);
  z.bottomRows(2) = (here.array() + 8.0F).matrix().replicate(2, 1);
  draw.show("z", z);
  // Centroids 0 and 1 are the same row: all of its twins go to 0.
  Indices order{0, 1, twins + 1};
  for (Index n = 2; n <= twins; ++n) order.push_back(n);
  order.push_back(twins + 2);
  const EmaCodebook got = ASK(kmeans_init, z, 3, order, 2);
  const DoubleVector counts{{double(twins + 1), 1.0, 2.0}};
  Matrix centroids(3, d);
  centroids << here, here, (here.array() + 8.0F).matrix();
  expect_near("codebook", got.codebook, centroids, kStep);
  expect_near("N", got.average.size, counts, kDouble);
  expect_near("m of the one without rows", Matrix(got.average.sum.row(1)), here, kStep);
}

PROPERTY(kmeans_init, "as many codes as rows: each row is a code") {
  const Index k = draw.size("K", 1, 5), d = draw.size("D", 1, 3);
  Matrix z(k, d);
  for (Index n = 0; n < k; ++n) z.row(n).setConstant(float(3 * n - 5));
  draw.show("z", z);
  const Indices order = draw.show("order", permutation(draw, k));
  const EmaCodebook got = ASK(kmeans_init, z, k, order, 3);
  expect_near("codebook", got.codebook, chosen(z, order), kStep);
  expect_near("N", got.average.size, DoubleVector(DoubleVector::Ones(k)), kDouble);
}

PROPERTY(kmeans_init, "has not been updated") {
  const ClusterCase c = draw_clusters(draw, 1, 4);
  expect_equal("updates", KMEANS(c).updates, std::int64_t{0});
}

PROPERTY(kmeans_init, "refuses a codebook without codes") {
  ClusterCase c = draw_clusters(draw, 1, 2);
  c.codes = 0;
  const Reply none = KMEANS_REPLY(c);
  c.codes = -1;
  const Reply negative = KMEANS_REPLY(c);
  expect_refused(none, "K is 0");
  expect_refused(negative, "K is negative");
}

PROPERTY(kmeans_init, "refuses an order that is shorter than the codebook") {
  ClusterCase c = draw_clusters(draw, 1, 2);
  c.order.resize(at(c.codes - 1));
  const Reply shorter = KMEANS_REPLY(c);
  c.order.clear();
  const Reply empty = KMEANS_REPLY(c);
  expect_refused(shorter, "order has one row number fewer than codes");
  expect_refused(empty, "order is empty");
}

PROPERTY(kmeans_init, "refuses a row number in order that is none, used or not") {
  const ClusterCase c = draw_clusters(draw, 1, 2);
  const auto reply = [&](std::size_t where, std::int64_t row) {
    ClusterCase other = c;
    other.order[where] = row;
    return KMEANS_REPLY(other);
  };
  const Index n = c.z.rows();
  const std::size_t last = c.order.size() - 1;
  const Reply below = reply(0, -1), above = reply(0, n);
  const Reply unused_below = reply(last, -1), unused_above = reply(last, n);
  expect_refused(below, "the first row number is -1");
  expect_refused(above, "the first row number is N");
  expect_refused(unused_below, "the last row number, which is not used, is -1");
  expect_refused(unused_above, "the last row number, which is not used, is N");
}

PROPERTY(kmeans_init, "refuses a negative number of iterations") {
  ClusterCase c = draw_clusters(draw, 1, 2);
  c.iterations = -1;
  const Reply one = KMEANS_REPLY(c);
  c.iterations = -7;
  const Reply many = KMEANS_REPLY(c);
  expect_refused(one, "there are -1 iterations");
  expect_refused(many, "there are -7 iterations");
}

PROPERTY(kmeans_init, "refuses a row with an infinity or without a number in it") {
  const ClusterCase c = draw_clusters(draw, 1, 2);
  ClusterCase nan = c, infinite = c;
  nan.z(c.order.back(), 0) = float(kNoNumber);
  infinite.z(c.order.back(), 0) = std::numeric_limits<float>::infinity();
  const Reply no_number = KMEANS_REPLY(nan), infinity = KMEANS_REPLY(infinite);
  expect_refused(no_number, "an element of z is NaN");
  expect_refused(infinity, "an element of z is infinite");
}

}  // namespace
}  // namespace latent::grader

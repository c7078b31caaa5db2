// 2_nearest_code.cpp, made fast. K distances of D terms each are a matrix product in disguise:
// |z - e|^2 / 2 = |z|^2 / 2 - (z . e - |e|^2 / 2), and |z|^2 is the same for all codes.
//
// 1. The product, a block of rows by a block of codes at a time, does the arithmetic at the speed
//    of the machine. A block of scores is 1 MiB: it is looked through while the L2 cache still
//    holds it, and the N x K table never exists. Memory: O(N + K).
// 2. In float the expansion loses what the difference keeps. But by how much it can be wrong is
//    known, so it only nominates: every code whose score is within twice that of the best one is a
//    candidate, and the distance itself, in double, decides among them. Usually there is one.
// 3. Most blocks hold no candidate, which their smallest score tells: one subtraction and one
//    minimum per score, sixteen at a time.
// 4. Rows are independent, so threads take turns at blocks of them; no sum depends on their number.

#include <cmath>
#include <limits>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {
namespace {

constexpr Index kBlock = 512;                // rows, and codes, of a block of scores
constexpr Index kPiece = 64;                 // what is looked at as a whole before each for itself
constexpr std::size_t kMostCandidates = 64;  // then they are decided on, to bound the memory

struct Candidate {
  float score;
  Index code;
};

/// Who may be nearest to one row, in ascending order.
struct Contest {
  float lowest = std::numeric_limits<float>::infinity();
  float slack = 0.0F;  ///< By how much a score may exceed the lowest and still be a candidate's.
  std::vector<Candidate> candidates;
};

struct Search {
  const Matrix& z;
  const Matrix& codebook;
  DoubleVector squares;  ///< |e|^2
  RowVector halves;      ///< |e|^2 / 2
  double longest;        ///< max |e|

  /// A dot product of D terms is off by at most D u |z| |e|, the half by u |e|^2 / 2, the
  /// difference by u times its value; u = 2^-24. Both scores of a comparison may be off.
  float slack(Index n) const {
    const double length = std::sqrt(z.row(n).cast<double>().squaredNorm());
    const double terms = static_cast<double>(z.cols() + 3) * length * longest;
    const double slack = 2.2 * std::ldexp(terms + 2.0 * longest * longest, -24);
    // Where squares might overflow, no score is to be trusted: all codes are candidates.
    return slack < 1e20 ? static_cast<float>(slack) : std::numeric_limits<float>::infinity();
  }

  void decide(Contest& contest, Index n) const {
    Candidate best{0.0F, -1};
    double least = std::numeric_limits<double>::infinity();
    for (const Candidate& c : contest.candidates) {
      if (c.score > contest.lowest + contest.slack) continue;  // a later one was lower
      const double d =
          (z.row(n).cast<double>() - codebook.row(c.code).cast<double>()).squaredNorm();
      if (best.code < 0 || d < least) {  // <, so that the first one stays
        best = c;
        least = d;
      }
    }
    contest.candidates.assign(1, best);
  }

  void look_through(const float* scores, Index first, Index count, Contest& contest,
                    Index n) const {
    using Scores = Eigen::Map<const RowVector>;
    const auto score = halves.segment(first, count) - Scores(scores, count);
    const float low = score.minCoeff();
    if (low > contest.lowest + contest.slack) return;
    contest.lowest = std::min(contest.lowest, low);
    for (Index from = 0; from < count; from += kPiece) {
      const Index size = std::min(kPiece, count - from);
      if (score.segment(from, size).minCoeff() > contest.lowest + contest.slack) continue;
      for (Index i = from; i < from + size; ++i) {
        if (score(i) > contest.lowest + contest.slack) continue;
        contest.candidates.push_back({score(i), first + i});
        if (contest.candidates.size() >= kMostCandidates) decide(contest, n);
      }
    }
  }

  void rows(Index begin, Index count, Matrix& scores, std::vector<Contest>& contests,
            std::int64_t* indices) const {
    contests.assign(static_cast<std::size_t>(count), {});
    for (Index i = 0; i < count; ++i)
      contests[static_cast<std::size_t>(i)].slack = slack(begin + i);
    for (Index first = 0; first < codebook.rows(); first += kBlock) {
      const Index codes = std::min(kBlock, codebook.rows() - first);
      scores.resize(count, codes);
      scores.noalias() = z.middleRows(begin, count) * codebook.middleRows(first, codes).transpose();
      for (Index i = 0; i < count; ++i) {
        look_through(scores.row(i).data(), first, codes, contests[static_cast<std::size_t>(i)],
                     begin + i);
      }
    }
    for (Index i = 0; i < count; ++i) {
      decide(contests[static_cast<std::size_t>(i)], begin + i);
      indices[i] = contests[static_cast<std::size_t>(i)].candidates[0].code;
    }
  }
};

}  // namespace

std::vector<std::int64_t> nearest_code(const Matrix& z, const Matrix& codebook) {
  require(codebook.rows() > 0, "nearest_code: expected at least one code, got none");
  require_size(codebook.cols(), z.cols(), "nearest_code: columns of codebook");
  const DoubleVector squares = codebook.cast<double>().rowwise().squaredNorm();
  // A square of a float cannot overflow a double: a sum of them is finite where all of them are.
  require(std::isfinite(squares.sum()) && std::isfinite(z.cast<double>().squaredNorm()),
          "nearest_code: expected finite numbers, got one that is infinite or none at all");
  const Search search{z, codebook, squares, (0.5 * squares).cast<float>().transpose(),
                      std::sqrt(squares.maxCoeff())};
  std::vector<std::int64_t> indices(static_cast<std::size_t>(z.rows()));
  in_parallel((z.rows() + kBlock - 1) / kBlock, [&] {
    return [&, scores = Matrix(), contests = std::vector<Contest>()](Index part) mutable {
      const Index begin = part * kBlock;
      search.rows(begin, std::min(kBlock, z.rows() - begin), scores, contests,
                  indices.data() + begin);
    };
  });
  return indices;
}

}  // namespace latent

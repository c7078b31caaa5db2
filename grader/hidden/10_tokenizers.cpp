// Hidden properties of lab 10. Oracles are double precision and naive loops, never the solution.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "grader/judge/property.hpp"
#include "tokenizers.hpp"

namespace latent::grader {
namespace {

// ---- Shared ------------------------------------------------------------------------------------

using Stages = std::vector<RvqStage>;
using Indices = std::vector<std::int64_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

// Sums of a few floats, each below 8 or so, rounded a few times.
constexpr Tolerance kSums{2e-6, 1e-6, 8.0};

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Of these stages, one.
const Matrix& codebook_of(const Stages& stages, Index q) {
  return stages[at(q)].codebook;
}

Index count_of(const Stages& stages) {
  return static_cast<Index>(stages.size());
}

double sqdist(const Oracle& rows, Index n, const Matrix& codebook, Index k) {
  double sum = 0.0;
  for (Index d = 0; d < rows.cols(); ++d) {
    const double difference = rows(n, d) - double(codebook(k, d));
    sum += difference * difference;
  }
  return sum;
}

std::int64_t nearest(const Oracle& rows, Index n, const Matrix& codebook) {
  Index best = 0;
  for (Index k = 1; k < codebook.rows(); ++k) {
    if (sqdist(rows, n, codebook, k) < sqdist(rows, n, codebook, best)) best = k;
  }
  return best;
}

/// What comes out of stage after stage.
struct Residuals {
  RvqIndices indices;
  Oracle quantized, norms;
};

Residuals residual_oracle(const Matrix& x, const Stages& stages) {
  const Index count = count_of(stages);
  Residuals out{RvqIndices(x.rows(), count), Oracle::Zero(x.rows(), x.cols()),
                Oracle(x.rows(), count)};
  Oracle left = x.cast<double>();
  for (Index q = 0; q < count; ++q) {
    for (Index n = 0; n < x.rows(); ++n) {
      out.indices(n, q) = nearest(left, n, codebook_of(stages, q));
      double square = 0.0;
      for (Index d = 0; d < x.cols(); ++d) {
        const double code = codebook_of(stages, q)(out.indices(n, q), d);
        out.quantized(n, d) += code;
        left(n, d) -= code;
        square += left(n, d) * left(n, d);
      }
      out.norms(n, q) = std::sqrt(square);
    }
  }
  return out;
}

/// A code on a grid of eighths, smaller by half from stage to stage: sums of them are exact.
void fill_grid(Draw& draw, double scale, Matrix& x) {
  for (Index i = 0; i < x.size(); ++i)
    x.data()[i] = float(scale * std::rint(8.0 * draw.random().normal()) / 8.0);
}

// ---- 10.0 residual_quantize --------------------------------------------------------------------

/// Rows and stages.
struct Quantizing {
  Matrix x;
  Stages stages;
};

/// Whether in each stage the nearest code is ahead of all others by 1e-3 of the squares that enter.
bool is_clear(const Matrix& x, Index n, const Stages& stages) {
  Oracle left = x.row(n).cast<double>();
  for (const RvqStage& stage : stages) {
    const Matrix& codebook = stage.codebook;
    const Index best = nearest(left, 0, codebook);
    const Matrix origin = Matrix::Zero(1, x.cols());
    const double own = sqdist(left, 0, origin, 0);
    for (Index k = 0; k < codebook.rows(); ++k) {
      const double code = codebook.row(k).cast<double>().squaredNorm();
      const double ahead = sqdist(left, 0, codebook, k) - sqdist(left, 0, codebook, best);
      if (k != best && ahead < 2e-3 * (own + code + 1.0)) return false;
    }
    left -= codebook.row(best).cast<double>();
  }
  return true;
}

/// Whether the rows show what a stage is given: some stage chooses another code for what is left
/// than it would for x, another one than the stage before, and another one than the row before.
bool is_telling(const Quantizing& q) {
  const RvqIndices right = residual_oracle(q.x, q.stages).indices;
  const Oracle x = q.x.cast<double>();
  bool of_x = false, of_stage = false;
  for (Index n = 0; n < q.x.rows(); ++n) {
    for (Index s = 1; s < right.cols(); ++s) {
      of_x = of_x || right(n, s) != nearest(x, n, codebook_of(q.stages, s));
      of_stage = of_stage || right(n, s) != right(n, 0);
    }
  }
  return of_x && of_stage;
}

Quantizing draw_quantizing(Draw& draw, Index n, Index k, Index d, Index count, Index growth) {
  Quantizing q;
  for (bool done = false; !done;) {
    q = {Matrix(n, d), {}};
    for (Index s = 0; s < count; ++s) {
      Matrix codebook(k + s * growth, d);
      fill_grid(draw, std::pow(0.5, double(s)), codebook);
      q.stages.push_back({codebook});
    }
    done = true;
    for (Index row = 0; row < n && done; ++row) {
      Matrix one(1, d);
      int attempt = 0;
      do {
        fill_grid(draw, 1.5, one);
        q.x.row(row) = one;
      } while (!is_clear(q.x, row, q.stages) && ++attempt < 200);
      done = attempt < 200;
    }
    done = done && (count == 1 || is_telling(q));
  }
  draw.show("x", q.x);
  draw.show("stages", q.stages);
  return q;
}

Quantizing draw_quantizing(Draw& draw) {
  const Index n = draw.size("N", 2, 6), count = draw.size("Q", 2, 4), k = draw.size("K", 3, 7);
  const Index d = draw.size("D", 2, 5);
  return draw_quantizing(draw, n, k, d, count, 0);
}

Stages lesson_stages() {
  return {{Matrix{{1.0F, 0.0F}, {-1.0F, 0.0F}}},
          {Matrix{{0.0F, 0.5F}, {0.0F, -0.5F}}},
          {Matrix{{0.1F, 0.1F}, {-0.1F, -0.1F}}}};
}

Matrix lesson_row() {
  return Matrix{{0.8F, 0.45F}};
}

DEFINES(residual_quantize, "gives each stage what is left, and takes the code nearest to it") {
  const Quantizing q = draw_quantizing(draw);
  const RvqOutput got = ASK(residual_quantize, q.x, q.stages);
  expect_equal("indices", got.indices, residual_oracle(q.x, q.stages).indices);
}

PROPERTY(residual_quantize, "adds up the chosen codes of all stages") {
  const Quantizing q = draw_quantizing(draw);
  const RvqOutput got = ASK(residual_quantize, q.x, q.stages);
  expect_near("quantized", got.quantized, residual_oracle(q.x, q.stages).quantized, kSums);
}

PROPERTY(residual_quantize, "measures what is left after each stage") {
  const Quantizing q = draw_quantizing(draw);
  const RvqOutput got = ASK(residual_quantize, q.x, q.stages);
  expect_near("residual_norms", got.residual_norms, residual_oracle(q.x, q.stages).norms, kSums);
}

PROPERTY(residual_quantize, "makes 0, 0, 1 and (0.9, 0.4) of (0.8, 0.45)") {
  const RvqOutput got = ASK(residual_quantize, lesson_row(), lesson_stages());
  expect_equal("indices", got.indices, (RvqIndices{{0, 0, 1}}));
  expect_near("quantized", got.quantized, Oracle(Oracle{{0.9, 0.4}}), {1e-6, 0.0, 0.0});
  expect_near("residual_norms", got.residual_norms, Oracle(Oracle{{0.492443, 0.206155, 0.111803}}),
              {2e-6, 0.0, 1.0});
}

/// Stages like the digits of a number: code k of the first stage is 64 (k + 1) times a direction,
/// code k of the second k + 1 times it. Sums of them are read digit by digit.
struct Digits {
  Stages stages;
  RowVector direction;

  RowVector row(Index first, Index second) const {
    return (64.0F * float(first + 1) + float(second + 1)) * direction;
  }
};

Digits draw_digits(Draw& draw, Index d, Index first, Index second) {
  Digits digits{{{Matrix(first, d)}, {Matrix(second, d)}}, RowVector::Zero(d)};
  digits.direction(draw.random().integer(0, d - 1)) = 1.0F;
  for (Index k = 0; k < first; ++k)
    digits.stages[0].codebook.row(k) = 64.0F * float(k + 1) * digits.direction;
  for (Index k = 0; k < second; ++k)
    digits.stages[1].codebook.row(k) = float(k + 1) * digits.direction;
  return digits;
}

PROPERTY(residual_quantize, "lets a later stage have more codes than the first") {
  const Index first = draw.size("K_0", 1, 3), more = draw.size("m", 2, 6);
  const Index d = draw.size("D", 1, 4);
  const Digits digits = draw_digits(draw, d, first, first + more);
  draw.show("stages", digits.stages);
  for (Index code = first; code < first + more; ++code) {
    const Matrix x = digits.row(code % first, code);
    const RvqOutput got = ASK(residual_quantize, x, digits.stages);
    expect_equal("indices of " + to_text(x), got.indices, (RvqIndices{{code % first, code}}));
  }
}

PROPERTY(residual_quantize, "takes the lowest index of equally near codes, in every stage") {
  const Index n = draw.size("N", 1, 4), k = draw.size("K", 3, 6), d = draw.size("D", 1, 4);
  Digits digits = draw_digits(draw, d, k, k);
  RvqIndices expected(n, 2);
  const Index second = draw.random().integer(1, k - 1),
              first = draw.random().integer(0, second - 1);
  const Matrix x = digits.row(first, first).replicate(n, 1);
  for (RvqStage& stage : digits.stages) stage.codebook.row(second) = stage.codebook.row(first);
  expected.setConstant(first);
  draw.show("x", x);
  draw.show("stages", digits.stages);
  expect_equal("indices", ASK(residual_quantize, x, digits.stages).indices, expected);
}

PROPERTY(residual_quantize, "gives no index where there is no row") {
  const Index count = draw.size("Q", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  Stages stages;
  for (Index q = 0; q < count; ++q)
    stages.push_back({draw.matrix("codebook " + std::to_string(q), k, d)});
  const RvqOutput got = ASK(residual_quantize, Matrix(0, d), stages);
  expect_equal("indices", got.indices, RvqIndices(0, count));
  expect_equal("quantized", got.quantized, Matrix(0, d));
  expect_equal("residual_norms", got.residual_norms, Matrix(0, count));
}

PROPERTY(residual_quantize, "refuses to work without a stage") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const Reply rows = REPLY(residual_quantize, draw.matrix("x", n, d), Stages{});
  const Reply none = REPLY(residual_quantize, Matrix(0, d), Stages{});
  expect_refused(rows, "there is no stage");
  expect_refused(none, "there is no stage, and no row either");
}

/// Any rows, and stages of any codes.
Quantizing draw_any(Draw& draw, Index least_stages = 2) {
  const Index n = draw.size("N", 1, 4), count = draw.size("Q", least_stages, 4);
  const Index k = draw.size("K", 1, 5), d = draw.size("D", 1, 4);
  Quantizing q{draw.matrix("x", n, d), {}};
  for (Index s = 0; s < count; ++s)
    q.stages.push_back({draw.matrix("codebook " + std::to_string(s), k, d)});
  return q;
}

PROPERTY(residual_quantize, "refuses a codebook that does not have the columns of x") {
  const Quantizing q = draw_any(draw);
  const auto reply = [&](std::size_t stage, Index more) {
    Stages stages = q.stages;
    stages[stage].codebook = Matrix::Ones(2, q.x.cols() + more);
    return REPLY(residual_quantize, q.x, stages);
  };
  const Reply first = reply(0, 1), last = reply(q.stages.size() - 1, 1);
  const Reply fewer = reply(q.stages.size() - 1, -1);
  expect_refused(first, "the first codebook has one column more than x");
  expect_refused(last, "the last codebook has one column more than x");
  expect_refused(fewer, "the last codebook has one column fewer than x");
}

PROPERTY(residual_quantize, "refuses a stage without codes") {
  const Quantizing q = draw_any(draw);
  const auto reply = [&](std::size_t stage) {
    Stages stages = q.stages;
    stages[stage].codebook = Matrix(0, q.x.cols());
    return REPLY(residual_quantize, q.x, stages);
  };
  const Reply first = reply(0), last = reply(q.stages.size() - 1);
  expect_refused(first, "the first stage has no code");
  expect_refused(last, "the last stage has no code");
}

PROPERTY(residual_quantize, "refuses rows and codes that are not finite") {
  const Quantizing q = draw_any(draw);
  const auto reply = [&](float in_x, float in_code) {
    Quantizing bad = q;
    bad.x(q.x.rows() - 1, 0) += in_x;
    Matrix& codebook = bad.stages.back().codebook;
    codebook(codebook.rows() - 1, 0) += in_code;
    return REPLY(residual_quantize, bad.x, bad.stages);
  };
  const Reply nan = reply(kNoNumber, 0.0F), above = reply(kInfinity, 0.0F);
  const Reply code_nan = reply(0.0F, kNoNumber), code_above = reply(0.0F, kInfinity);
  expect_refused(nan, "an element of x is NaN");
  expect_refused(above, "an element of x is infinite");
  expect_refused(code_nan, "an element of the last codebook is NaN");
  expect_refused(code_above, "an element of the last codebook is infinite");
}

// ---- 10.1 rvq_decode ---------------------------------------------------------------------------

/// Indices and the stages that they name codes of.
struct Decoding {
  RvqIndices indices;
  Stages stages;
  std::int64_t used;
};

/// Stages of k, k + growth, ... codes and any index of each.
Decoding draw_decoding(Draw& draw, Index n, Index count, Index k, Index d, Index growth = 1) {
  Decoding c{RvqIndices(n, count), {}, count};
  for (Index q = 0; q < count; ++q) {
    c.stages.push_back({draw.matrix("codebook " + std::to_string(q), k + q * growth, d)});
    for (Index row = 0; row < n; ++row)
      c.indices(row, q) = draw.random().integer(0, k + q * growth - 1);
  }
  return c;
}

Decoding draw_decoding(Draw& draw) {
  const Index n = draw.size("N", 1, 6), count = draw.size("Q", 2, 5), k = draw.size("K", 2, 6);
  return draw_decoding(draw, n, count, k, draw.size("D", 1, 5));
}

Oracle decode_oracle(const Decoding& c) {
  Oracle sum = Oracle::Zero(c.indices.rows(), codebook_of(c.stages, 0).cols());
  for (Index n = 0; n < sum.rows(); ++n) {
    for (Index q = 0; q < c.used; ++q) {
      const std::int64_t k = c.indices(n, q);
      for (Index d = 0; d < sum.cols(); ++d)
        sum(n, d) += k < 0 ? 0.0 : double(codebook_of(c.stages, q)(k, d));
    }
  }
  return sum;
}

#define DECODED(c) ASK(rvq_decode, (c).indices, (c).stages, (c).used)
#define DECODED_REPLY(c) REPLY(rvq_decode, (c).indices, (c).stages, (c).used)

DEFINES(rvq_decode, "is the sum of the codes of the first stages") {
  const Decoding all = draw_decoding(draw);
  Decoding some = all;
  some.used = draw.integer("used", 1, count_of(all.stages) - 1);
  draw.show("indices", all.indices);
  const Matrix of_some = DECODED(some), of_all = DECODED(all);
  expect_near("sum", of_some, decode_oracle(some), kSums);
  expect_near("sum of all stages", of_all, decode_oracle(all), kSums);
}

PROPERTY(rvq_decode, "lets an index of -1 contribute nothing, and go on") {
  Decoding c = draw_decoding(draw);
  for (Index n = 0; n < c.indices.rows(); ++n) c.indices(n, (n + 1) % 2) = -1;
  c.indices(0, 0) = -1;
  c.indices(0, 1) = 0;
  draw.show("indices", c.indices);
  expect_near("sum", DECODED(c), decode_oracle(c), kSums);
}

PROPERTY(rvq_decode, "does not look at the indices of stages that are not used") {
  Decoding c = draw_decoding(draw);
  c.used = draw.integer("used", 1, count_of(c.stages) - 1);
  for (Index n = 0; n < c.indices.rows(); ++n)
    c.indices(n, count_of(c.stages) - 1) = 1000 - 2000 * (n % 2);
  draw.show("indices", c.indices);
  expect_near("sum", DECODED(c), decode_oracle(c), kSums);
}

PROPERTY(rvq_decode, "comes nearer to (0.8, 0.45): (1, 0), (1, 0.5), (0.9, 0.4)") {
  const RvqIndices indices{{0, 0, 1}};
  const Matrix one = ASK(rvq_decode, indices, lesson_stages(), 1);
  const Matrix two = ASK(rvq_decode, indices, lesson_stages(), 2);
  const Matrix three = ASK(rvq_decode, indices, lesson_stages(), 3);
  expect_near("of one stage", one, Oracle(Oracle{{1.0, 0.0}}), {1e-6, 1e-7, 1.0});
  expect_near("of two stages", two, Oracle(Oracle{{1.0, 0.5}}), {1e-6, 1e-7, 1.0});
  expect_near("of three stages", three, Oracle(Oracle{{0.9, 0.4}}), {1e-6, 1e-7, 1.0});
}

PROPERTY(rvq_decode, "gives no row where there are no indices") {
  const Index count = draw.size("Q", 1, 4), k = draw.size("K", 1, 4), d = draw.size("D", 1, 4);
  Decoding c = draw_decoding(draw, 0, count, k, d);
  expect_equal("sum", DECODED(c), Matrix(0, d));
}

PROPERTY(rvq_decode, "refuses to use no stage, or more than there are") {
  Decoding c = draw_decoding(draw);
  const auto reply = [&](std::int64_t used) {
    c.used = used;
    return DECODED_REPLY(c);
  };
  const Reply none = reply(0), negative = reply(-1), more = reply(count_of(c.stages) + 1);
  expect_refused(none, "used is 0");
  expect_refused(negative, "used is -1");
  expect_refused(more, "used is Q + 1");
}

PROPERTY(rvq_decode, "refuses an index that is neither -1 nor a code of its stage") {
  const Decoding c = draw_decoding(draw);
  const auto reply = [&](std::int64_t index) {
    Decoding other = c;
    other.indices(c.indices.rows() - 1, 0) = index;
    return DECODED_REPLY(other);
  };
  const Reply above = reply(codebook_of(c.stages, 0).rows()), below = reply(-2);
  expect_refused(above, "an index of the first stage is K");
  expect_refused(below, "an index is -2");
}

PROPERTY(rvq_decode, "refuses indices without one column per stage") {
  const Decoding c = draw_decoding(draw);
  const auto reply = [&](Index columns) {
    Decoding other = c;
    other.indices = RvqIndices::Zero(c.indices.rows(), columns);
    other.used = 1;
    return DECODED_REPLY(other);
  };
  const Reply more = reply(count_of(c.stages) + 1), fewer = reply(count_of(c.stages) - 1);
  expect_refused(more, "indices has one column more than there are stages");
  expect_refused(fewer, "indices has one column fewer than there are stages");
}

PROPERTY(rvq_decode, "refuses to work without a stage") {
  const Index n = draw.size("N", 1, 4);
  const Reply rows = REPLY(rvq_decode, RvqIndices(n, 0), Stages{}, 1);
  const Reply none = REPLY(rvq_decode, RvqIndices(0, 0), Stages{}, 0);
  expect_refused(rows, "there is no stage");
  expect_refused(none, "there is no stage, and no row either");
}

PROPERTY(rvq_decode, "refuses codebooks that differ in columns") {
  const Decoding c = draw_decoding(draw);
  const auto reply = [&](Index more, std::int64_t used) {
    Decoding other = c;
    Matrix& codebook = other.stages.back().codebook;
    codebook = Matrix::Ones(codebook.rows(), codebook.cols() + more);
    other.used = used;
    return DECODED_REPLY(other);
  };
  const Reply wider = reply(1, count_of(c.stages)), narrower = reply(-1, count_of(c.stages));
  const Reply unused = reply(1, 1);
  expect_refused(wider, "the last codebook has one column more than the first");
  expect_refused(narrower, "the last codebook has one column fewer than the first");
  expect_refused(unused, "a codebook that is not used has one column more than the first");
}

// ---- 10.2 rvq_backward -------------------------------------------------------------------------

/// All arguments of rvq_backward.
struct BackwardCase {
  Matrix d_quantized, x;
  Stages stages;
  RvqIndices indices;
  double beta;
};

// Quotients of sums of a few floats below 8.
constexpr Tolerance kPull{5e-6, 1e-7, 1.0};

/// Row n is given code (n + q) mod K of stage q, so that with K >= N no two share one.
BackwardCase draw_backward(Draw& draw, Index n, Index k, Index d, Index count) {
  BackwardCase c{
      draw.matrix("d_quantized", n, d), draw.matrix("x", n, d), {}, RvqIndices(n, count), 0.0};
  c.beta = draw.number("beta", 0.1, 0.9);
  for (Index q = 0; q < count; ++q) {
    c.stages.push_back({draw.matrix("codebook " + std::to_string(q), k, d)});
    for (Index row = 0; row < n; ++row) c.indices(row, q) = (row + q) % k;
  }
  draw.show("indices", c.indices);
  return c;
}

BackwardCase draw_backward(Draw& draw) {
  const Index n = draw.size("N", 1, 5), count = draw.size("Q", 2, 4), d = draw.size("D", 1, 4);
  return draw_backward(draw, n, n + draw.size("m", 1, 3), d, count);
}

/// Two rows at least, and fewer codes than rows.
BackwardCase draw_shared(Draw& draw) {
  const Index k = draw.size("K", 1, 3), n = k + draw.size("m", 1, 4), d = draw.size("D", 1, 4);
  return draw_backward(draw, n, k, d, 1);
}

/// r_q - e_q of every stage.
std::vector<Oracle> differences(const BackwardCase& c) {
  std::vector<Oracle> all;
  Oracle left = c.x.cast<double>();
  for (Index q = 0; q < count_of(c.stages); ++q) {
    for (Index n = 0; n < left.rows(); ++n) {
      for (Index d = 0; d < left.cols(); ++d)
        left(n, d) -= double(codebook_of(c.stages, q)(c.indices(n, q), d));
    }
    all.push_back(left);
  }
  return all;
}

Oracle commitment_oracle(const BackwardCase& c, Index q) {
  return 2.0 * c.beta / double(c.x.size()) * differences(c)[at(q)];
}

Oracle codebook_oracle(const BackwardCase& c, Index q) {
  const Oracle difference = differences(c)[at(q)];
  Oracle sum = Oracle::Zero(codebook_of(c.stages, q).rows(), c.x.cols());
  for (Index n = 0; n < difference.rows(); ++n) {
    for (Index d = 0; d < sum.cols(); ++d)
      sum(c.indices(n, q), d) -= 2.0 / double(c.x.size()) * difference(n, d);
  }
  return sum;
}

#define BACK(c) ASK(rvq_backward, (c).d_quantized, (c).x, (c).stages, (c).indices, (c).beta)
#define BACK_REPLY(c) REPLY(rvq_backward, (c).d_quantized, (c).x, (c).stages, (c).indices, (c).beta)

std::string stage(Index q) {
  return "stage " + std::to_string(q);
}

DEFINES(rvq_backward, "the commitment term of every stage, the last too, pulls x") {
  const BackwardCase c = draw_backward(draw);
  const RvqGradients got = BACK(c);
  expect(got.stages.size() == c.stages.size(), "there are gradients of every stage");
  for (Index q = 0; q < count_of(c.stages); ++q)
    expect_near(stage(q) + ", to x", got.stages[at(q)].x, commitment_oracle(c, q), kPull);
}

PROPERTY(rvq_backward, "passes the gradient of the sum straight through, once") {
  const BackwardCase c = draw_backward(draw);
  expect_equal("straight_through", BACK(c).straight_through, c.d_quantized);
}

PROPERTY(rvq_backward, "adds up all that x receives") {
  const BackwardCase c = draw_backward(draw);
  Oracle sum = c.d_quantized.cast<double>();
  for (Index q = 0; q < count_of(c.stages); ++q) sum += commitment_oracle(c, q);
  expect_near("x", BACK(c).x, sum, kSums);
}

PROPERTY(rvq_backward, "the codebook term of a stage pulls the codes of this stage alone") {
  const BackwardCase c = draw_backward(draw);
  const RvqGradients got = BACK(c);
  expect(got.stages.size() == c.stages.size(), "there are gradients of every stage");
  for (Index q = 0; q < count_of(c.stages); ++q)
    expect_near(stage(q) + ", to its codes", got.stages[at(q)].codebook, codebook_oracle(c, q),
                kPull);
}

PROPERTY(rvq_backward, "adds up what the rows of one code send it") {
  const BackwardCase c = draw_shared(draw);
  const RvqGradients got = BACK(c);
  expect(got.stages.size() == c.stages.size(), "there are gradients of every stage");
  for (Index q = 0; q < count_of(c.stages); ++q)
    expect_near(stage(q) + ", to its codes", got.stages[at(q)].codebook, codebook_oracle(c, q),
                kPull);
}

PROPERTY(rvq_backward, "pulls (0.8, 0.45) by (-0.125, 0.1125) in three stages, beta = 0.25") {
  const Matrix none = Matrix::Zero(1, 2), single = Matrix::Constant(1, 1, 2.0F);
  const RvqGradients got =
      ASK(rvq_backward, none, lesson_row(), lesson_stages(), (RvqIndices{{0, 0, 1}}), 0.25);
  const RvqGradients one = ASK(rvq_backward, Matrix(0.0F * single), single,
                               (Stages{{Matrix::Constant(1, 1, 0.5F)}}), (RvqIndices{{0}}), 0.25);
  expect_near("x", got.x, Oracle(Oracle{{-0.125, 0.1125}}), {5e-6, 0.0, 0.0});
  expect_near("x, a single number 2 with the code 0.5", one.x, Oracle(Oracle::Constant(1, 1, 0.75)),
              {5e-6, 0.0, 0.0});
}

PROPERTY(rvq_backward, "leaves the codes their gradient where beta is 0") {
  BackwardCase c = draw_backward(draw);
  c.beta = draw.show("beta, instead", 0.0);
  const RvqGradients got = BACK(c);
  expect(got.stages.size() == c.stages.size(), "there are gradients of every stage");
  for (Index q = 0; q < count_of(c.stages); ++q) {
    expect_near(stage(q) + ", to its codes", got.stages[at(q)].codebook, codebook_oracle(c, q),
                kPull);
  }
}

PROPERTY(rvq_backward, "refuses d_quantized and x of different shapes") {
  const BackwardCase c = draw_backward(draw);
  const auto reply = [&](Index rows, Index cols) {
    BackwardCase other = c;
    other.d_quantized = Matrix::Ones(rows, cols);
    return BACK_REPLY(other);
  };
  const Index n = c.x.rows(), d = c.x.cols();
  const Reply longer = reply(n + 1, d), wider = reply(n, d + 1), shorter = reply(n - 1, d);
  expect_refused(longer, "d_quantized has one row more than x");
  expect_refused(wider, "d_quantized has one column more than x");
  expect_refused(shorter, "d_quantized has one row fewer than x");
}

PROPERTY(rvq_backward, "refuses indices that are not one per row and stage") {
  const BackwardCase c = draw_backward(draw);
  const auto reply = [&](Index rows, Index cols) {
    BackwardCase other = c;
    other.indices = RvqIndices::Zero(rows, cols);
    return BACK_REPLY(other);
  };
  const Index n = c.x.rows(), count = count_of(c.stages);
  const Reply longer = reply(n + 1, count), wider = reply(n, count + 1);
  const Reply shorter = reply(n - 1, count), narrower = reply(n, count - 1);
  expect_refused(longer, "indices has one row more than x");
  expect_refused(wider, "indices has one column more than there are stages");
  expect_refused(shorter, "indices has one row fewer than x");
  expect_refused(narrower, "indices has one column fewer than there are stages");
}

PROPERTY(rvq_backward, "refuses an index that is not from 0 to K - 1") {
  const BackwardCase c = draw_backward(draw);
  const auto reply = [&](std::int64_t index) {
    BackwardCase other = c;
    other.indices(c.x.rows() - 1, count_of(c.stages) - 1) = index;
    return BACK_REPLY(other);
  };
  const Reply below = reply(-1), above = reply(codebook_of(c.stages, 0).rows());
  expect_refused(below, "an index of the last stage is -1");
  expect_refused(above, "an index of the last stage is K");
}

PROPERTY(rvq_backward, "refuses a codebook that does not have the columns of x") {
  const BackwardCase c = draw_backward(draw);
  const auto reply = [&](Index more) {
    BackwardCase other = c;
    Matrix& codebook = other.stages.back().codebook;
    codebook = Matrix::Ones(codebook.rows(), codebook.cols() + more);
    return BACK_REPLY(other);
  };
  const Reply wider = reply(1), narrower = reply(-1);
  expect_refused(wider, "the last codebook has one column more than x");
  expect_refused(narrower, "the last codebook has one column fewer than x");
}

PROPERTY(rvq_backward, "refuses to work without a stage, or without an element") {
  const BackwardCase c = draw_backward(draw);
  BackwardCase no_stage = c, no_row = c;
  no_stage.stages = {};
  no_stage.indices = RvqIndices(c.x.rows(), 0);
  no_row.x = no_row.d_quantized = Matrix(0, c.x.cols());
  no_row.indices = RvqIndices(0, count_of(c.stages));
  const Reply stages = BACK_REPLY(no_stage), rows = BACK_REPLY(no_row);
  expect_refused(stages, "there is no stage");
  expect_refused(rows, "there is no row");
}

PROPERTY(rvq_backward, "refuses a negative beta") {
  BackwardCase c = draw_backward(draw);
  c.beta = -c.beta;
  const Reply drawn = BACK_REPLY(c);
  c.beta = -1e-9;
  const Reply tiny = BACK_REPLY(c);
  expect_refused(drawn, "beta is negative");
  expect_refused(tiny, "beta is -1e-9");
}

// ---- 10.3 rvq_bitrate --------------------------------------------------------------------------

/// Sizes of a codec.
struct Codec {
  std::int64_t sample_rate, hop, codes, stages;
};

/// 2^1 to 2^12 codes, a frame rate that is a multiple of 125 per second: every rate is exact.
Codec draw_codec(Draw& draw) {
  Codec c{};
  c.hop = draw.integer("hop", 2, 640);
  c.sample_rate = draw.show("sample_rate", 125 * draw.random().integer(1, 9) * c.hop);
  c.codes = draw.show("codes", std::int64_t{1} << draw.random().integer(1, 12));
  c.stages = draw.integer("stages", 2, 32);
  return c;
}

double bitrate_oracle(const Codec& c) {
  const double per_frame = double(c.stages) * std::log(double(c.codes)) / std::log(2.0);
  return per_frame * double(c.sample_rate) / double(c.hop) / 1000.0;
}

#define BITRATE(c) ASK(rvq_bitrate, (c).sample_rate, (c).hop, (c).codes, (c).stages)
#define BITRATE_REPLY(c) REPLY(rvq_bitrate, (c).sample_rate, (c).hop, (c).codes, (c).stages)
#define STAGES_FOR(bandwidth, c) ASK(rvq_stages_for, bandwidth, (c).sample_rate, (c).hop, (c).codes)
#define STAGES_FOR_REPLY(bandwidth, c) \
  REPLY(rvq_stages_for, bandwidth, (c).sample_rate, (c).hop, (c).codes)

DEFINES(rvq_bitrate, "is stages times log2 K times frames per second, in kbit/s") {
  const Codec c = draw_codec(draw);
  expect_near("kbit/s", BITRATE(c), bitrate_oracle(c), kDouble);
}

PROPERTY(rvq_bitrate, "does not round the bits of an index") {
  Codec c = draw_codec(draw);
  c.codes = draw.show("codes, instead", 3 * c.codes);
  expect_near("kbit/s", BITRATE(c), bitrate_oracle(c), kDouble);
}

PROPERTY(rvq_bitrate, "does not round the frame rate") {
  Codec c = draw_codec(draw);
  c.sample_rate = draw.show("sample_rate, instead", c.sample_rate + c.hop / 2);
  expect_near("kbit/s", BITRATE(c), bitrate_oracle(c), kDouble);
}

PROPERTY(rvq_bitrate, "is 1.5, 3, 6, 12 and 24 kbit/s for 24 kHz, hop 320 and 1024 codes") {
  const double two = ASK(rvq_bitrate, 24000, 320, 1024, 2);
  const double four = ASK(rvq_bitrate, 24000, 320, 1024, 4);
  const double eight = ASK(rvq_bitrate, 24000, 320, 1024, 8);
  const double sixteen = ASK(rvq_bitrate, 24000, 320, 1024, 16);
  const double all = ASK(rvq_bitrate, 24000, 320, 1024, 32);
  expect_near("2 stages", two, 1.5, kDouble);
  expect_near("4 stages", four, 3.0, kDouble);
  expect_near("8 stages", eight, 6.0, kDouble);
  expect_near("16 stages", sixteen, 12.0, kDouble);
  expect_near("32 stages", all, 24.0, kDouble);
}

PROPERTY(rvq_bitrate, "is 0 where there is but one code to name") {
  Codec c = draw_codec(draw);
  c.codes = 1;
  expect_near("kbit/s", BITRATE(c), 0.0, kDouble);
}

PROPERTY(rvq_bitrate, "stages_for: is the largest number of stages that fits") {
  Codec c = draw_codec(draw);
  // Less and more than half a stage is left over: rounding to the nearest shows.
  const double less = draw.number("share", 0.1, 0.4);
  for (const double share : {less, 1.0 - less}) {
    const double bandwidth =
        draw.show("bandwidth", bitrate_oracle(c) * (double(c.stages) + share) / double(c.stages));
    expect_equal("stages", STAGES_FOR(bandwidth, c), c.stages);
  }
}

PROPERTY(rvq_bitrate, "stages_for: lets a rate fit that is exactly the bandwidth") {
  const Codec c = draw_codec(draw);
  const double bits = std::rint(std::log(double(c.codes)) / std::log(2.0));
  const double bandwidth =
      draw.show("bandwidth", bits * double(c.stages) * double(c.sample_rate / c.hop / 125) / 8.0);
  expect_equal("stages", STAGES_FOR(bandwidth, c), c.stages);
}

PROPERTY(rvq_bitrate, "stages_for: is 1 where even one stage does not fit") {
  const Codec c = draw_codec(draw);
  const double share = draw.number("share", 0.1, 0.9);
  const double bandwidth = draw.show("bandwidth", bitrate_oracle(c) * share / double(c.stages));
  expect_equal("stages", STAGES_FOR(bandwidth, c), std::int64_t{1});
}

PROPERTY(rvq_bitrate, "refuses a size below 1") {
  const Codec c = draw_codec(draw);
  const Reply rate = REPLY(rvq_bitrate, 0, c.hop, c.codes, c.stages);
  const Reply hop = REPLY(rvq_bitrate, c.sample_rate, 0, c.codes, c.stages);
  const Reply codes = REPLY(rvq_bitrate, c.sample_rate, c.hop, 0, c.stages);
  const Reply stages = REPLY(rvq_bitrate, c.sample_rate, c.hop, c.codes, 0);
  const Reply negative = REPLY(rvq_bitrate, c.sample_rate, -c.hop, c.codes, c.stages);
  expect_refused(rate, "sample_rate is 0");
  expect_refused(hop, "hop is 0");
  expect_refused(codes, "codes is 0");
  expect_refused(stages, "stages is 0");
  expect_refused(negative, "hop is negative");
}

PROPERTY(rvq_bitrate, "stages_for: refuses a single code, and a size below 1") {
  const Codec c = draw_codec(draw);
  const Reply one = REPLY(rvq_stages_for, 6.0, c.sample_rate, c.hop, 1);
  const Reply rate = REPLY(rvq_stages_for, 6.0, 0, c.hop, c.codes);
  const Reply hop = REPLY(rvq_stages_for, 6.0, c.sample_rate, 0, c.codes);
  expect_refused(one, "codes is 1: any number of stages would fit");
  expect_refused(rate, "sample_rate is 0");
  expect_refused(hop, "hop is 0");
}

PROPERTY(rvq_bitrate, "stages_for: refuses a bandwidth that is not above 0 and finite") {
  const Codec c = draw_codec(draw);
  const Reply none = STAGES_FOR_REPLY(0.0, c), negative = STAGES_FOR_REPLY(-1.5, c);
  const Reply nan = STAGES_FOR_REPLY(double(kNoNumber), c);
  const Reply infinite = STAGES_FOR_REPLY(double(kInfinity), c);
  expect_refused(none, "the bandwidth is 0");
  expect_refused(negative, "the bandwidth is negative");
  expect_refused(nan, "the bandwidth is NaN");
  expect_refused(infinite, "the bandwidth is infinite");
}

// ---- 10.4 lfq_quantize -------------------------------------------------------------------------

/// Latents away from 0, of both signs in the first row.
Matrix draw_latents(Draw& draw, Index n, Index d) {
  Matrix z = draw.matrix("z", n, d, 2.0);
  for (Index i = 0; i < z.size(); ++i) {
    if (std::abs(z.data()[i]) < 0.05F) z.data()[i] = 0.05F;
    if (i < 2) z.data()[i] = (i == 0 ? -1.0F : 1.0F) * std::abs(z.data()[i]);
  }
  return draw.show("z", z);
}

Matrix signs_of(const Matrix& z, double scale) {
  Matrix codes = z;
  for (Index i = 0; i < z.size(); ++i)
    codes.data()[i] = z.data()[i] > 0.0F ? float(scale) : -float(scale);
  return codes;
}

/// Rows of +-1, no row all alike, none its own mirror image.
Matrix draw_bits(Draw& draw, Index n, Index d) {
  Matrix codes(n, d);
  for (Index row = 0; row < n; ++row) {
    for (Index i = 0; i < d; ++i) codes(row, i) = draw.random().integer(0, 1) == 1 ? 1.0F : -1.0F;
    codes(row, 0) = 1.0F;
    codes(row, d - 1) = -1.0F;
  }
  return draw.show("codes", codes);
}

/// By division, the last bit first: 2 (2 (b_2) + b_1) + b_0.
Indices index_oracle(const Matrix& codes) {
  Indices indices;
  for (Index n = 0; n < codes.rows(); ++n) {
    std::int64_t index = 0;
    for (Index i = codes.cols() - 1; i >= 0; --i) index = 2 * index + (codes(n, i) > 0.0F ? 1 : 0);
    indices.push_back(index);
  }
  return indices;
}

DEFINES(lfq_quantize, "is +scale where a latent is above 0, and -scale elsewhere") {
  const Index n = draw.size("N", 1, 6), d = draw.size("d", 2, 6);
  const double scale = draw.number("scale", 0.25, 0.75);
  const Matrix z = draw_latents(draw, n, d);
  expect_equal("codes", ASK(lfq_quantize, z, scale), signs_of(z, scale));
}

PROPERTY(lfq_quantize, "makes -scale of a latent that is 0") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 2, 5);
  const double scale = draw.number("scale", 0.25, 0.75);
  Matrix z = draw_latents(draw, n, d);
  z.col(0).setZero();
  z(0, 1) = -0.0F;
  draw.show("z, instead", z);
  expect_equal("codes", ASK(lfq_quantize, z, scale), signs_of(z, scale));
}

PROPERTY(lfq_quantize, "looks at the sign of a latent only, however small it is") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 2, 5);
  const double scale = draw.number("scale", 0.25, 0.75);
  const Matrix z = draw.show("z, instead", Matrix(1e-30F * draw_latents(draw, n, d)));
  const Matrix large = draw.show("z, large", Matrix(1e30F * z * 1e6F));
  const Matrix small_codes = ASK(lfq_quantize, z, scale);
  const Matrix large_codes = ASK(lfq_quantize, large, scale);
  expect_equal("codes", small_codes, signs_of(z, scale));
  expect_equal("codes of large latents", large_codes, signs_of(z, scale));
}

PROPERTY(lfq_quantize, "backward: the gradient goes straight through") {
  const Index n = draw.size("N", 1, 6), d = draw.size("d", 2, 6);
  const Matrix z = draw_latents(draw, n, d), d_codes = draw.matrix("d_codes", n, d);
  const Matrix got = ASK(lfq_quantize_backward, d_codes, z);
  const Matrix wide = ASK(lfq_quantize_backward, d_codes, (Matrix(10.0F * z)));
  expect_equal("dz", got, d_codes);
  expect_equal("dz, with latents ten times as large", wide, d_codes);
}

PROPERTY(lfq_quantize, "bits_to_index: dimension 0 counts 1, dimension i 2^i") {
  const Index n = draw.size("N", 2, 6), d = draw.size("d", 2, 10);
  const Matrix codes = draw_bits(draw, n, d);
  expect_equal("indices", ASK(bits_to_index, codes), index_oracle(codes));
}

PROPERTY(lfq_quantize, "bits_to_index: 10011, dimension 0 first, is 25") {
  const Matrix codes{{1.0F, -1.0F, -1.0F, 1.0F, 1.0F}};
  const Indices got = ASK(bits_to_index, codes), one = ASK(bits_to_index, (Matrix{{1.0F, -1.0F}}));
  expect_equal("index", got, Indices{25});
  expect_equal("index of 10", one, Indices{1});
}

PROPERTY(lfq_quantize, "bits_to_index: any number above 0 is a 1, whatever the scale") {
  const Index d = draw.size("d", 2, 8);
  const Matrix codes = draw_bits(draw, 1, d);
  const Matrix scaled =
      draw.show("codes, scaled", Matrix(float(draw.number("scale", 0.125, 0.375)) * codes));
  expect_equal("indices", ASK(bits_to_index, scaled), index_oracle(codes));
}

PROPERTY(lfq_quantize, "bits_to_index: is exact beyond 2^53") {
  const Index d = draw.size("d", 55, 62);
  Matrix codes = draw_bits(draw, 1, d);
  codes.col(d - 1).setOnes();
  draw.show("codes, instead", codes);
  expect_equal("indices", ASK(bits_to_index, codes), index_oracle(codes));
}

PROPERTY(lfq_quantize, "index_to_bits: is the inverse, for every index") {
  const Index d = draw.size("d", 2, 8);
  const double scale = draw.number("scale", 0.25, 0.75);
  Indices all(at(Index{1} << d));
  std::iota(all.begin(), all.end(), 0);
  Matrix expected(Index(all.size()), d);
  for (Index n = 0; n < expected.rows(); ++n) {
    std::int64_t left = n;
    for (Index i = 0; i < d; ++i, left /= 2)
      expected(n, i) = left % 2 == 1 ? float(scale) : -float(scale);
  }
  expect_equal("codes", ASK(index_to_bits, all, d, scale), expected);
}

PROPERTY(lfq_quantize, "index_to_bits: keeps the high bits of long indices") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 55, 62);
  Matrix codes = draw_bits(draw, n, d);
  codes.col(d - 1).setOnes();
  const Indices indices = draw.show("indices", index_oracle(codes));
  expect_equal("codes", ASK(index_to_bits, indices, d, 1.0), codes);
}

PROPERTY(lfq_quantize, "refuses a scale that is not above 0") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 2, 5);
  const Matrix z = draw_latents(draw, n, d);
  const Reply none = REPLY(lfq_quantize, z, 0.0), negative = REPLY(lfq_quantize, z, -1.0);
  const Reply nan = REPLY(lfq_quantize, z, double(kNoNumber));
  expect_refused(none, "scale is 0");
  expect_refused(negative, "scale is -1");
  expect_refused(nan, "scale is NaN");
}

PROPERTY(lfq_quantize, "refuses latents that are not finite") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 2, 5);
  Matrix z = draw_latents(draw, n, d);
  const auto reply = [&](float value) {
    z(n - 1, d - 1) = value;
    return REPLY(lfq_quantize, z, 1.0);
  };
  const Reply nan = reply(kNoNumber), above = reply(kInfinity);
  expect_refused(nan, "a latent is NaN");
  expect_refused(above, "a latent is infinite");
}

PROPERTY(lfq_quantize, "backward: refuses d_codes and z of different shapes") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 2, 5);
  const Matrix z = draw_latents(draw, n, d);
  const Reply longer = REPLY(lfq_quantize_backward, Matrix(Matrix::Ones(n + 1, d)), z);
  const Reply wider = REPLY(lfq_quantize_backward, Matrix(Matrix::Ones(n, d + 1)), z);
  expect_refused(longer, "d_codes has one row more than z");
  expect_refused(wider, "d_codes has one column more than z");
}

PROPERTY(lfq_quantize, "bits_to_index: refuses no dimension, and more than 62") {
  const Index n = draw.size("N", 1, 4);
  const Reply none = REPLY(bits_to_index, Matrix(n, 0));
  const Reply many = REPLY(bits_to_index, (Matrix(Matrix::Ones(n, 63))));
  expect_refused(none, "there is no dimension");
  expect_refused(many, "there are 63 dimensions");
}

PROPERTY(lfq_quantize, "index_to_bits: refuses no dimension, and more than 62") {
  const Index n = draw.size("N", 1, 4);
  const Indices zeros(at(n), 0);
  const Reply none = REPLY(index_to_bits, zeros, 0, 1.0);
  const Reply many = REPLY(index_to_bits, zeros, 63, 1.0);
  const Reply negative = REPLY(index_to_bits, zeros, -1, 1.0);
  expect_refused(none, "there is no dimension");
  expect_refused(many, "there are 63 dimensions");
  expect_refused(negative, "there is -1 dimension");
}

PROPERTY(lfq_quantize, "index_to_bits: refuses an index that has not so many bits") {
  const Index d = draw.size("d", 2, 10);
  const Reply above = REPLY(index_to_bits, (Indices{0, Index{1} << d}), d, 1.0);
  const Reply below = REPLY(index_to_bits, (Indices{0, -1}), d, 1.0);
  expect_refused(above, "an index is 2^d");
  expect_refused(below, "an index is -1");
}

PROPERTY(lfq_quantize, "index_to_bits: refuses a scale that is not above 0") {
  const Index d = draw.size("d", 2, 5);
  const Reply none = REPLY(index_to_bits, (Indices{0, 1}), d, 0.0);
  const Reply negative = REPLY(index_to_bits, (Indices{0, 1}), d, -1.0);
  expect_refused(none, "scale is 0");
  expect_refused(negative, "scale is -1");
}

// ---- 10.5 entropy_terms ------------------------------------------------------------------------

/// Bit i of code j, as +1 or -1.
double sign_of(Index j, Index i) {
  return (j >> i) % 2 == 1 ? 1.0 : -1.0;
}

/// softmax_j (2 tau z_n . c_j), written out; shape [N, 2^d].
Oracle softmax_oracle(const Matrix& z, double tau) {
  Oracle p(z.rows(), Index{1} << z.cols());
  for (Index n = 0; n < p.rows(); ++n) {
    double most = -1e300, sum = 0.0;
    for (Index j = 0; j < p.cols(); ++j) {
      p(n, j) = 0.0;
      for (Index i = 0; i < z.cols(); ++i) p(n, j) += 2.0 * tau * double(z(n, i)) * sign_of(j, i);
      most = std::max(most, p(n, j));
    }
    for (Index j = 0; j < p.cols(); ++j) sum += std::exp(p(n, j) - most);
    for (Index j = 0; j < p.cols(); ++j) p(n, j) = std::exp(p(n, j) - most) / sum;
  }
  return p;
}

double entropy_oracle(const Oracle& p, Index n) {
  double sum = 0.0;
  for (Index j = 0; j < p.cols(); ++j) sum -= p(n, j) > 0.0 ? p(n, j) * std::log(p(n, j)) : 0.0;
  return sum;
}

Oracle mean_oracle(const Oracle& p) {
  Oracle mean = Oracle::Zero(1, p.cols());
  for (Index n = 0; n < p.rows(); ++n) {
    for (Index j = 0; j < p.cols(); ++j) mean(0, j) += p(n, j) / double(p.rows());
  }
  return mean;
}

double per_sample_oracle(const Matrix& z, double tau) {
  const Oracle p = softmax_oracle(z, tau);
  double sum = 0.0;
  for (Index n = 0; n < p.rows(); ++n) sum += entropy_oracle(p, n);
  return sum / double(p.rows());
}

double codebook_entropy_oracle(const Matrix& z, double tau) {
  return entropy_oracle(mean_oracle(softmax_oracle(z, tau)), 0);
}

/// dL/dp through the softmax: p_j (g_j - sum_k p_k g_k), then through 2 tau z . c_j.
Oracle entropy_gradient_oracle(const Matrix& z, double tau, double gamma) {
  const Oracle p = softmax_oracle(z, tau), mean = mean_oracle(p);
  const auto log_of = [](double x) { return x > 0.0 ? std::log(x) : 0.0; };
  Oracle dz = Oracle::Zero(z.rows(), z.cols());
  for (Index n = 0; n < p.rows(); ++n) {
    double average = 0.0;
    const auto dp = [&](Index j) {
      return (gamma * (log_of(mean(0, j)) + 1.0) - (log_of(p(n, j)) + 1.0)) / double(p.rows());
    };
    for (Index j = 0; j < p.cols(); ++j) average += p(n, j) * dp(j);
    for (Index j = 0; j < p.cols(); ++j) {
      for (Index i = 0; i < z.cols(); ++i)
        dz(n, i) += p(n, j) * (dp(j) - average) * 2.0 * tau * sign_of(j, i);
    }
  }
  return dz;
}

/// Latents of which no row is sure of its code, and rows that differ.
struct EntropyCase {
  Matrix z;
  double tau, gamma;
};

EntropyCase draw_entropy(Draw& draw) {
  const Index n = draw.size("N", 2, 5), d = draw.size("d", 2, 5);
  EntropyCase c{Matrix(n, d), 0.0, 0.0};
  for (Index i = 0; i < c.z.size(); ++i) {
    const double size = draw.random().uniform(0.1, 0.8);
    c.z.data()[i] = float(draw.random().integer(0, 1) == 1 ? size : -size);
  }
  c.z(0, 0) = std::abs(c.z(0, 0));
  c.z(1, 0) = -std::abs(c.z(1, 0));
  draw.show("z", c.z);
  c.tau = draw.number("tau", 0.4, 0.8);
  c.gamma = draw.number("gamma", 0.3, 0.8);
  return c;
}

// Sums of up to 32 terms below 1, in double.
constexpr Tolerance kEntropy{1e-10, 1e-11, 1.0};

DEFINES(entropy_terms, "per_sample: the mean entropy of the rows' distributions over codes") {
  const EntropyCase c = draw_entropy(draw);
  expect_near("per_sample", ASK(entropy_terms, c.z, c.tau, c.gamma).per_sample,
              per_sample_oracle(c.z, c.tau), kEntropy);
}

PROPERTY(entropy_terms, "codebook: the entropy of the rows' mean distribution") {
  const EntropyCase c = draw_entropy(draw);
  expect_near("codebook", ASK(entropy_terms, c.z, c.tau, c.gamma).codebook,
              codebook_entropy_oracle(c.z, c.tau), kEntropy);
}

PROPERTY(entropy_terms, "loss: per_sample minus gamma times codebook") {
  const EntropyCase c = draw_entropy(draw);
  const double expected =
      per_sample_oracle(c.z, c.tau) - c.gamma * codebook_entropy_oracle(c.z, c.tau);
  expect_near("loss", ASK(entropy_terms, c.z, c.tau, c.gamma).loss, expected, kEntropy);
}

PROPERTY(entropy_terms, "is 0.588429 for (0.3, -1.2) and tau = 1, by codes and bit by bit") {
  const Matrix row{{0.3F, -1.2F}}, first{{0.3F}}, second{{-1.2F}};
  const EntropyTerms both = ASK(entropy_terms, row, 1.0, 1.0);
  const EntropyTerms one = ASK(entropy_terms, first, 1.0, 1.0);
  const EntropyTerms two = ASK(entropy_terms, second, 1.0, 1.0);
  expect_near("per_sample", both.per_sample, 0.588429, {2e-6, 0.0, 0.0});
  expect_near("per_sample of one bit and of the other, added", one.per_sample + two.per_sample,
              0.588429, {2e-6, 0.0, 0.0});
  expect_near("loss of a single row, gamma = 1", both.loss, 0.0, {0.0, 1e-10, 0.0});
}

PROPERTY(entropy_terms, "codebook: is ln 2 for (+, +) and (-, -), not 2 ln 2 as by bits") {
  const float sure = 5.0F + float(draw.number("z", 1.0, 4.0));
  const Matrix z{{sure, sure}, {-sure, -sure}};
  const EntropyTerms got = ASK(entropy_terms, z, 1.0, 1.0);
  expect_near("codebook", got.codebook, std::log(2.0), {1e-8, 0.0, 0.0});
  expect_near("loss, which may be negative", got.loss, -std::log(2.0), {1e-8, 0.0, 0.0});
}

PROPERTY(entropy_terms, "keeps what codes of small probability contribute, and 0 ln 0 is 0") {
  EntropyCase c = draw_entropy(draw);
  c.z = Matrix(float(draw.number("factor", 3.0, 4.0)) * c.z);
  c.z.col(0) = c.z.col(0).array().sign() * 2.0F;  // so that some probability is about 1e-7
  draw.show("z, instead", c.z);
  const EntropyTerms some = ASK(entropy_terms, c.z, 2.0, c.gamma);
  const EntropyTerms none = ASK(entropy_terms, (Matrix(1000.0F * c.z)), 2.0, c.gamma);
  const EntropyTerms again = ASK(entropy_terms, (Matrix(3000.0F * c.z)), 2.0, c.gamma);
  const Matrix huge = 1000.0F * c.z, larger = 3000.0F * c.z;
  expect_near("per_sample", some.per_sample, per_sample_oracle(c.z, 2.0), kEntropy);
  expect_near("per_sample, z a thousand times as large", none.per_sample,
              per_sample_oracle(huge, 2.0), kEntropy);
  expect_near("codebook, z a thousand times as large", none.codebook,
              codebook_entropy_oracle(huge, 2.0), kEntropy);
  expect_near("codebook, z three thousand times as large", again.codebook,
              codebook_entropy_oracle(larger, 2.0), kEntropy);
}

PROPERTY(entropy_terms, "backward: of the first term alone, and of both together") {
  const EntropyCase c = draw_entropy(draw);
  const Matrix first = ASK(entropy_backward, c.z, c.tau, 0.0);
  const Matrix both = ASK(entropy_backward, c.z, c.tau, c.gamma);
  expect_near("dz, gamma = 0", first, entropy_gradient_oracle(c.z, c.tau, 0.0));
  expect_near("dz", both, entropy_gradient_oracle(c.z, c.tau, c.gamma));
}

PROPERTY(entropy_terms, "backward: is 0, and a number, where every row is sure") {
  const EntropyCase c = draw_entropy(draw);
  const Matrix z = draw.show("z, instead", Matrix(5000.0F * c.z));
  const Matrix got = ASK(entropy_backward, z, c.tau, c.gamma);
  const Matrix twice = ASK(entropy_backward, (Matrix(2.0F * z)), c.tau, c.gamma);
  expect_near("dz", got, Oracle(Oracle::Zero(z.rows(), z.cols())));
  expect_near("dz, z twice as large", twice, Oracle(Oracle::Zero(z.rows(), z.cols())));
}

PROPERTY(entropy_terms, "refuses a batch without rows, no dimension and more than 16") {
  const Index n = draw.size("N", 1, 4), d = draw.size("d", 1, 4);
  const Reply rows = REPLY(entropy_terms, Matrix(0, d), 1.0, 1.0);
  const Reply none = REPLY(entropy_terms, Matrix(n, 0), 1.0, 1.0);
  const Reply many = REPLY(entropy_terms, (Matrix(Matrix::Ones(n, 17))), 1.0, 1.0);
  expect_refused(rows, "there is no row");
  expect_refused(none, "there is no dimension");
  expect_refused(many, "there are 17 dimensions");
}

PROPERTY(entropy_terms, "refuses a tau that is not above 0") {
  const EntropyCase c = draw_entropy(draw);
  const Reply none = REPLY(entropy_terms, c.z, 0.0, 1.0);
  const Reply negative = REPLY(entropy_terms, c.z, -c.tau, 1.0);
  expect_refused(none, "tau is 0");
  expect_refused(negative, "tau is negative");
}

PROPERTY(entropy_terms, "refuses a negative gamma") {
  const EntropyCase c = draw_entropy(draw);
  const Reply drawn = REPLY(entropy_terms, c.z, c.tau, -c.gamma);
  const Reply tiny = REPLY(entropy_terms, c.z, c.tau, -1e-9);
  expect_refused(drawn, "gamma is negative");
  expect_refused(tiny, "gamma is -1e-9");
}

PROPERTY(entropy_terms, "backward: refuses what entropy_terms refuses") {
  const EntropyCase c = draw_entropy(draw);
  const Reply rows = REPLY(entropy_backward, Matrix(0, 2), 1.0, 1.0);
  const Reply none = REPLY(entropy_backward, Matrix(2, 0), 1.0, 1.0);
  const Reply many = REPLY(entropy_backward, (Matrix(Matrix::Ones(1, 17))), 1.0, 1.0);
  const Reply tau = REPLY(entropy_backward, c.z, 0.0, 1.0);
  const Reply negative = REPLY(entropy_backward, c.z, -c.tau, 1.0);
  const Reply gamma = REPLY(entropy_backward, c.z, c.tau, -c.gamma);
  expect_refused(rows, "there is no row");
  expect_refused(none, "there is no dimension");
  expect_refused(many, "there are 17 dimensions");
  expect_refused(tau, "tau is 0");
  expect_refused(negative, "tau is negative");
  expect_refused(gamma, "gamma is negative");
}

// ---- 10.6 causal_conv_time ---------------------------------------------------------------------

/// Frames and a kernel.
struct Clip {
  Matrix x;
  Tensor4 weight;
  RowVector bias;
  Index stride;

  Index taps() const { return weight.h(); }
  Index outputs() const { return (x.rows() - 1) / stride + 1; }
};

Clip draw_clip(Draw& draw, Index t, Index in, Index out, Index k, Index stride) {
  return {draw.matrix("x", t, in), draw.tensor("weight", out, in, k, 1), draw.row("bias", out),
          stride};
}

Clip draw_clip(Draw& draw) {
  const Index t = draw.size("T", 2, 7), in = draw.size("Ci", 1, 4), out = draw.size("Co", 1, 5);
  return draw_clip(draw, t, in, out, draw.size("k", 2, 5), 1);
}

/// Two frames at least beyond what a stride takes.
Clip draw_strided(Draw& draw) {
  const Index stride = draw.size("s", 2, 3), t = draw.size("T", 4, 9), k = draw.size("k", 2, 5);
  return draw_clip(draw, t, draw.size("Ci", 1, 3), draw.size("Co", 1, 4), k, stride);
}

/// The frame that tap j of output t reads.
Index frame_of(const Clip& c, Index t, Index j) {
  return std::max<Index>(0, c.stride * t + j - (c.taps() - 1));
}

Oracle causal_oracle(const Clip& c) {
  Oracle y(c.outputs(), c.weight.n());
  for (Index t = 0; t < y.rows(); ++t) {
    for (Index o = 0; o < y.cols(); ++o) {
      y(t, o) = double(c.bias(o));
      for (Index j = 0; j < c.taps(); ++j) {
        for (Index i = 0; i < c.x.cols(); ++i)
          y(t, o) += double(c.weight(o, i, j, 0)) * double(c.x(frame_of(c, t, j), i));
      }
    }
  }
  return y;
}

// Up to 20 products of numbers up to about 4.
constexpr Tolerance kProducts{2e-6, 1e-6, 40.0};

#define CONVOLVED(c) ASK(causal_conv_time, (c).x, (c).weight, (c).bias, (c).stride)
#define CONVOLVED_REPLY(c) REPLY(causal_conv_time, (c).x, (c).weight, (c).bias, (c).stride)

DEFINES(causal_conv_time, "output t is b plus the taps times frames t - k + 1 to t") {
  const Clip c = draw_clip(draw);
  expect_near("y", CONVOLVED(c), causal_oracle(c), kProducts);
}

PROPERTY(causal_conv_time, "changing a frame changes no output before it, whatever the stride") {
  Clip c = draw_strided(draw);
  expect_near("y", CONVOLVED(c), causal_oracle(c), kProducts);
  const Matrix before = CONVOLVED(c);
  for (Index j = 0; j < c.x.rows(); ++j) {
    Clip changed = c;
    changed.x.row(j).array() += 1.0F;
    const Matrix after = CONVOLVED(changed);
    const Index earlier = (j + c.stride - 1) / c.stride;  // outputs t with s t < j
    const std::string which = "with 1 added to frame " + std::to_string(j) + ", ";
    expect(after.rows() == before.rows(), which + "y has as many rows as before");
    expect_equal(which + "the outputs before it",
                 Matrix(after.topRows(std::min(earlier, after.rows()))),
                 Matrix(before.topRows(std::min(earlier, before.rows()))));
    expect_near(which + "y", after, causal_oracle(changed), kProducts);
  }
}

PROPERTY(causal_conv_time, "a single frame is a clip, and a single tap looks at its own frame") {
  const Index in = draw.size("Ci", 1, 4), out = draw.size("Co", 1, 4), k = draw.size("k", 2, 5);
  const Clip frame = draw_clip(draw, 1, in, out, k, 1);
  const Clip tap = draw_clip(draw, draw.size("T", 2, 5), in, out, 1, 1);
  const Matrix of_frame = CONVOLVED(frame), of_tap = CONVOLVED(tap);
  expect_near("y of one frame", of_frame, causal_oracle(frame), kProducts);
  expect_near("y of one tap", of_tap, causal_oracle(tap), kProducts);
}

PROPERTY(causal_conv_time, "refuses a weight that does not fit") {
  const Clip c = draw_clip(draw);
  const auto reply = [&](Index out, Index in, Index k, Index last) {
    Clip other = c;
    other.weight = Tensor4(out, in, k, last, 1.0F);
    return CONVOLVED_REPLY(other);
  };
  const Index out = c.weight.n(), in = c.weight.c(), k = c.taps();
  const Reply channels = reply(out, in + 1, k, 1), outputs = reply(out + 1, in, k, 1);
  const Reply taps = reply(out, in, 0, 1), last = reply(out, in, k, 2);
  expect_refused(channels, "the weight has one input channel more than x");
  expect_refused(outputs, "the weight has one output channel more than the bias");
  expect_refused(taps, "the weight has no tap");
  expect_refused(last, "the last size of the weight is 2");
}

PROPERTY(causal_conv_time, "refuses a clip without frames, and a stride below 1") {
  const Clip c = draw_clip(draw);
  Clip empty = c, still = c, back = c;
  empty.x = Matrix(0, c.x.cols());
  still.stride = 0;
  back.stride = -1;
  const Reply frames = CONVOLVED_REPLY(empty), none = CONVOLVED_REPLY(still);
  const Reply negative = CONVOLVED_REPLY(back);
  expect_refused(frames, "there is no frame");
  expect_refused(none, "the stride is 0");
  expect_refused(negative, "the stride is -1");
}

/// What the backward pass is asked.
struct ClipBackward {
  Clip clip;
  Matrix dy;
};

ClipBackward draw_clip_backward(Draw& draw, const Clip& clip) {
  return {clip, draw.matrix("dy", clip.outputs(), clip.weight.n())};
}

struct ClipGradients {
  Oracle x, weight;  // the weight as [Co Ci, k]
  OracleRow bias;
};

ClipGradients causal_backward_oracle(const ClipBackward& b) {
  const Clip& c = b.clip;
  ClipGradients d{Oracle::Zero(c.x.rows(), c.x.cols()),
                  Oracle::Zero(c.weight.n() * c.weight.c(), c.taps()),
                  OracleRow::Zero(c.weight.n())};
  for (Index t = 0; t < b.dy.rows(); ++t) {
    for (Index o = 0; o < b.dy.cols(); ++o) {
      d.bias(o) += double(b.dy(t, o));
      for (Index j = 0; j < c.taps(); ++j) {
        for (Index i = 0; i < c.x.cols(); ++i) {
          const Index frame = frame_of(c, t, j);
          d.x(frame, i) += double(b.dy(t, o)) * double(c.weight(o, i, j, 0));
          d.weight(o * c.x.cols() + i, j) += double(b.dy(t, o)) * double(c.x(frame, i));
        }
      }
    }
  }
  return d;
}

/// A weight as [Co Ci, k], to be compared.
Matrix flat(const Tensor4& weight) {
  Matrix rows(weight.n() * weight.c(), weight.h() * weight.w());
  for (Index i = 0; i < weight.size(); ++i) rows.data()[i] = weight.data()[i];
  return rows;
}

#define CLIP_BACK(b) \
  ASK(causal_conv_time_backward, (b).dy, (b).clip.x, (b).clip.weight, (b).clip.stride)
#define CLIP_BACK_REPLY(b) \
  REPLY(causal_conv_time_backward, (b).dy, (b).clip.x, (b).clip.weight, (b).clip.stride)

PROPERTY(causal_conv_time, "backward: each frame receives, frame 0 for its copies, too") {
  const ClipBackward b = draw_clip_backward(draw, draw_clip(draw));
  expect_near("dx", CLIP_BACK(b).x, causal_backward_oracle(b).x, kProducts);
}

PROPERTY(causal_conv_time, "backward: the weight receives dy times the frames, copies included") {
  const ClipBackward b = draw_clip_backward(draw, draw_clip(draw));
  const CausalConvGradients got = CLIP_BACK(b);
  expect(got.weight.shape() == b.clip.weight.shape(),
         "dW has the shape of W, " + shape_of(b.clip.weight));
  expect_near("dW", flat(got.weight), causal_backward_oracle(b).weight, kProducts);
}

PROPERTY(causal_conv_time, "backward: the bias receives the sum of dy over frames") {
  const ClipBackward b = draw_clip_backward(draw, draw_clip(draw));
  expect_near("db", CLIP_BACK(b).bias, causal_backward_oracle(b).bias, kProducts);
}

PROPERTY(causal_conv_time, "backward: with a stride, the frames that each output has read") {
  const ClipBackward b = draw_clip_backward(draw, draw_strided(draw));
  const CausalConvGradients got = CLIP_BACK(b);
  const ClipGradients expected = causal_backward_oracle(b);
  // Frame 0 and the taps that read its copies are the business of the properties above.
  const Index later = b.clip.x.rows() - 1, last = b.clip.taps() - 1;
  expect(got.x.rows() == later + 1, "dx has a row for each frame");
  expect_near("dx, of all frames but the first", Matrix(got.x.bottomRows(later)),
              Oracle(expected.x.bottomRows(later)), kProducts);
  expect(got.weight.shape() == b.clip.weight.shape(),
         "dW has the shape of W, " + shape_of(b.clip.weight));
  expect_near("dW, of the last tap", Matrix(flat(got.weight).col(last)),
              Oracle(expected.weight.col(last)), kProducts);
}

PROPERTY(causal_conv_time, "backward: refuses a dy that has not y's shape") {
  const ClipBackward b = draw_clip_backward(draw, draw_strided(draw));
  const auto reply = [&](Index rows, Index cols) {
    ClipBackward other = b;
    other.dy = Matrix::Ones(rows, cols);
    return CLIP_BACK_REPLY(other);
  };
  const Index t = b.dy.rows(), out = b.dy.cols();
  const Reply longer = reply(t + 1, out), shorter = reply(t - 1, out), wider = reply(t, out + 1);
  expect_refused(longer, "dy has one row more than y");
  expect_refused(shorter, "dy has one row fewer than y");
  expect_refused(wider, "dy has one column more than y");
}

PROPERTY(causal_conv_time, "backward: refuses what the forward pass refuses") {
  const ClipBackward b = draw_clip_backward(draw, draw_clip(draw));
  ClipBackward channels = b, taps = b, last = b, still = b, empty = b;
  channels.clip.x = Matrix::Ones(b.clip.x.rows(), b.clip.x.cols() + 1);
  taps.clip.weight = Tensor4(b.clip.weight.n(), b.clip.weight.c(), 0, 1);
  last.clip.weight = Tensor4(b.clip.weight.n(), b.clip.weight.c(), b.clip.taps(), 2);
  still.clip.stride = 0;
  empty.clip.x = Matrix(0, b.clip.x.cols());
  empty.dy = Matrix(0, b.dy.cols());
  const Reply x = CLIP_BACK_REPLY(channels), no_tap = CLIP_BACK_REPLY(taps);
  const Reply wide = CLIP_BACK_REPLY(last), stride = CLIP_BACK_REPLY(still);
  const Reply frames = CLIP_BACK_REPLY(empty);
  expect_refused(x, "x has one channel more than the weight");
  expect_refused(no_tap, "the weight has no tap");
  expect_refused(wide, "the last size of the weight is 2");
  expect_refused(stride, "the stride is 0");
  expect_refused(frames, "there is no frame");
}

PROPERTY(causal_conv_time, "latent_frames: the first frame alone, then one for every r") {
  const std::int64_t factor = draw.integer("factor", 2, 9), more = draw.integer("m", 1, 12);
  const std::int64_t got = ASK(latent_frames, 1 + factor * more, factor);
  const std::int64_t one = ASK(latent_frames, 1, factor);
  const std::int64_t all = ASK(latent_frames, 1 + factor * more, 1);
  expect_equal("latent frames", got, 1 + more);
  expect_equal("latent frames of a single frame", one, std::int64_t{1});
  expect_equal("latent frames without compression", all, 1 + factor * more);
}

PROPERTY(causal_conv_time, "latent_frames: 9 give 3 and 33 give 9 by fours, 33 give 5 by eights") {
  const std::int64_t nine = ASK(latent_frames, 9, 4), by_four = ASK(latent_frames, 33, 4);
  const std::int64_t by_eight = ASK(latent_frames, 33, 8);
  expect_equal("9 frames by 4", nine, std::int64_t{3});
  expect_equal("33 frames by 4", by_four, std::int64_t{9});
  expect_equal("33 frames by 8", by_eight, std::int64_t{5});
}

PROPERTY(causal_conv_time, "latent_frames: refuses a length that is not 1 + r m") {
  const std::int64_t factor = draw.integer("factor", 3, 9), more = draw.integer("m", 1, 9);
  const Reply fewer = REPLY(latent_frames, factor * more, factor);
  const Reply longer = REPLY(latent_frames, factor * more + 2, factor);
  const Reply lesson = REPLY(latent_frames, 32, 4);
  expect_refused(fewer, "there is one frame too few");
  expect_refused(longer, "there is one frame too many");
  expect_refused(lesson, "32 frames are to be compressed by 4");
}

PROPERTY(causal_conv_time, "latent_frames, padded_frames: refuse frames or a factor below 1") {
  const std::int64_t factor = draw.integer("factor", 2, 9);
  const Reply frames = REPLY(latent_frames, 0, factor), factors = REPLY(latent_frames, 1, 0);
  const Reply negative = REPLY(latent_frames, 1 - factor, factor);
  const Reply padded = REPLY(padded_frames, 0, factor), by_none = REPLY(padded_frames, 5, 0);
  const Reply below = REPLY(padded_frames, 1 - factor, factor);
  expect_refused(frames, "latent_frames: there is no frame");
  expect_refused(factors, "latent_frames: the factor is 0");
  expect_refused(negative, "latent_frames: the number of frames is negative");
  expect_refused(padded, "padded_frames: there is no frame");
  expect_refused(by_none, "padded_frames: the factor is 0");
  expect_refused(below, "padded_frames: the number of frames is negative");
}

PROPERTY(causal_conv_time, "padded_frames: the next length that is 1 + r m") {
  const std::int64_t factor = draw.integer("factor", 3, 9), more = draw.integer("m", 1, 9);
  const std::int64_t fits = 1 + factor * more;
  const std::int64_t same = ASK(padded_frames, fits, factor);
  const std::int64_t above = ASK(padded_frames, fits + 1, factor);
  const std::int64_t below = ASK(padded_frames, fits - 1, factor);
  const std::int64_t lesson = ASK(padded_frames, 32, 4), video = ASK(padded_frames, 72, 8);
  expect_equal("of a length that fits", same, fits);
  expect_equal("of one frame more", above, fits + factor);
  expect_equal("of one frame fewer", below, fits);
  expect_equal("of 32 by 4", lesson, std::int64_t{33});
  expect_equal("of 72 by 8", video, std::int64_t{73});
}

PROPERTY(causal_conv_time, "causal_pad: puts copies of frame 0 in front, and none behind") {
  const Index t = draw.size("T", 2, 6), channels = draw.size("C", 1, 4);
  const Index count = draw.size("count", 2, 5);
  const Matrix x = draw.matrix("x", t, channels);
  Matrix expected(t + count, channels);
  for (Index row = 0; row < expected.rows(); ++row)
    expected.row(row) = x.row(std::max<Index>(0, row - count));
  const Matrix got = ASK(causal_pad, x, count), none = ASK(causal_pad, x, 0);
  expect_equal("padded", got, expected);
  expect_equal("padded by nothing", none, x);
}

PROPERTY(causal_conv_time, "causal_pad: refuses a clip without frames, and a negative count") {
  const Index t = draw.size("T", 2, 6), channels = draw.size("C", 1, 4);
  const Matrix x = draw.matrix("x", t, channels);
  const Reply frames = REPLY(causal_pad, Matrix(0, channels), 2);
  const Reply none = REPLY(causal_pad, Matrix(0, channels), 0);
  const Reply negative = REPLY(causal_pad, x, -1);
  expect_refused(frames, "there is no frame to repeat");
  expect_refused(none, "there is no frame, and none is asked for");
  expect_refused(negative, "count is -1");
}

// ---- 10.7 design_tokenizer ---------------------------------------------------------------------

/// A layer: a kernel of `taps` from a to b channels with bias, or with 0 taps a normalisation of a.
struct Part {
  std::int64_t taps, a, b;
};

std::int64_t size_of(const std::vector<Part>& parts) {
  std::int64_t sum = 0;
  for (const Part& p : parts) sum += p.taps == 0 ? 2 * p.a : (p.taps * p.a + 1) * p.b;
  return sum;
}

void add_block(std::vector<Part>& parts, std::int64_t a, std::int64_t b) {
  parts.insert(parts.end(), {{0, a, a}, {9, a, b}, {0, b, b}, {9, b, b}});
  if (a != b) parts.push_back({1, a, b});
}

void add_middle(std::vector<Part>& parts, std::int64_t c) {
  add_block(parts, c, c);
  parts.insert(parts.end(), {{0, c, c}, {1, c, c}, {1, c, c}, {1, c, c}, {1, c, c}});
  add_block(parts, c, c);
}

/// Every layer of the encoder, in the order in which an image passes them.
std::vector<Part> encoder_parts(const TokenizerDesign& design) {
  std::vector<Part> parts;
  std::int64_t c = design.base * design.multipliers.front();
  parts.push_back({9, 3, c});
  for (std::size_t i = 0; i < design.multipliers.size(); ++i) {
    for (int n = 0; n < 2; ++n) {
      const std::int64_t next = design.base * design.multipliers[i];
      add_block(parts, c, next);
      c = next;
    }
    if (i + 1 < design.multipliers.size()) parts.push_back({9, c, c});
  }
  add_middle(parts, c);
  const bool twice = design.kind == LatentKind::kContinuous;
  parts.insert(parts.end(), {{0, c, c}, {9, c, design.channels * (twice ? 2 : 1)}});
  return parts;
}

/// Every layer of the decoder, in the order in which a latent passes them.
std::vector<Part> decoder_parts(const TokenizerDesign& design) {
  std::vector<Part> parts;
  std::int64_t c = design.base * design.multipliers.back();
  parts.push_back({9, design.channels, c});
  add_middle(parts, c);
  for (std::size_t i = design.multipliers.size(); i-- > 0;) {
    for (int n = 0; n < 3; ++n) {
      const std::int64_t next = design.base * design.multipliers[i];
      add_block(parts, c, next);
      c = next;
    }
    if (i > 0) parts.push_back({9, c, c});
  }
  parts.insert(parts.end(), {{0, c, c}, {9, c, 3}});
  return parts;
}

std::int64_t factor_oracle(const TokenizerDesign& design) {
  std::int64_t f = 1;
  for (std::size_t i = 1; i < design.multipliers.size(); ++i) f *= 2;
  return f;
}

std::int64_t positions_oracle(const TokenizerDesign& design) {
  return (design.height / factor_oracle(design)) * (design.width / factor_oracle(design));
}

std::int64_t peak_oracle(const TokenizerDesign& design) {
  std::int64_t positions = positions_oracle(design), peak = 0;
  std::int64_t c = design.base * design.multipliers.back();
  peak = 5 * c * positions + 2 * positions * positions;
  for (std::size_t i = design.multipliers.size(); i-- > 0;) {
    const std::int64_t next = design.base * design.multipliers[i];
    peak = std::max(peak, 3 * std::max(c, next) * positions);
    c = next;
    positions *= 4;
  }
  return peak * design.bytes_per_number;
}

/// Three or four levels, none with the channels of the one before, the widest in the middle.
TokenizerDesign draw_design(Draw& draw, LatentKind kind) {
  TokenizerDesign design;
  const Index levels = draw.size("levels", 3, 4);
  for (Index i = 0; i < levels; ++i) {
    std::int64_t m = 0;
    do {
      m = draw.random().integer(1, 5);
    } while (!design.multipliers.empty() && m == design.multipliers.back());
    design.multipliers.push_back(m);
  }
  const std::int64_t f = factor_oracle(design);
  design.height = f * draw.integer("height / f", 2, 5);
  design.width = f * draw.integer("width / f", 6, 9);
  design.base = draw.integer("base", 2, 9);
  design.channels = draw.integer("channels", 3, 9);
  design.kind = kind;
  design.codes = draw.integer("codes", 3, 500);
  design.bytes_per_number = draw.integer("bytes", 5, 8);
  draw.show("design", design);
  return design;
}

TokenizerDesign stable_diffusion(std::int64_t channels) {
  TokenizerDesign design;
  design.multipliers = {1, 2, 4, 4};
  design.channels = channels;
  return design;
}

DEFINES(design_tokenizer, "parameters: of every layer, encoder and decoder") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  const ParameterCount got = ASK(autoencoder_parameters, design);
  expect_equal("encoder", got.encoder, size_of(encoder_parts(design)));
  expect_equal("decoder", got.decoder, size_of(decoder_parts(design)));
  expect_equal("codebook", got.codebook, std::int64_t{0});
}

PROPERTY(design_tokenizer, "parameters: a discrete one has a codebook, and no log-variances") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kDiscrete);
  const ParameterCount got = ASK(autoencoder_parameters, design);
  expect_equal("encoder", got.encoder, size_of(encoder_parts(design)));
  expect_equal("decoder", got.decoder, size_of(decoder_parts(design)));
  expect_equal("codebook", got.codebook, design.codes * design.channels);
}

PROPERTY(design_tokenizer, "parameters: 34,163,592 and 49,490,179 for Stable Diffusion's") {
  const ParameterCount four = ASK(autoencoder_parameters, stable_diffusion(4));
  const ParameterCount sixteen = ASK(autoencoder_parameters, stable_diffusion(16));
  expect_equal("encoder, z = 4", four.encoder, std::int64_t{34163592});
  expect_equal("decoder, z = 4", four.decoder, std::int64_t{49490179});
  expect_equal("encoder, z = 16", sixteen.encoder, std::int64_t{34274208});
  expect_equal("decoder, z = 16", sixteen.decoder, std::int64_t{49545475});
}

PROPERTY(design_tokenizer, "parameters: refuses a design without levels, channels or codes") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kDiscrete);
  TokenizerDesign levels = design, base = design, channels = design, multiplier = design;
  TokenizerDesign codes = design;
  levels.multipliers = {};
  base.base = 0;
  channels.channels = 0;
  multiplier.multipliers[1] = 0;
  codes.codes = 0;
  const Reply no_levels = REPLY(autoencoder_parameters, levels);
  const Reply no_base = REPLY(autoencoder_parameters, base);
  const Reply no_channels = REPLY(autoencoder_parameters, channels);
  const Reply no_multiplier = REPLY(autoencoder_parameters, multiplier);
  const Reply no_codes = REPLY(autoencoder_parameters, codes);
  expect_refused(no_levels, "there is no level");
  expect_refused(no_base, "base is 0");
  expect_refused(no_channels, "channels is 0");
  expect_refused(no_multiplier, "a multiplier is 0");
  expect_refused(no_codes, "a discrete design has 0 codes");
}

PROPERTY(design_tokenizer, "peak: three tensors of the widest block, at its resolution") {
  TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  design.base *= 100;  // so that no table of scores is larger
  draw.show("base, instead", design.base);
  expect_equal("bytes", ASK(decoder_peak_bytes, design), peak_oracle(design));
}

PROPERTY(design_tokenizer, "peak: of attention, where its scores are what is largest") {
  TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  design.height *= 64;
  design.width *= 64;
  draw.show("design, instead", design);
  expect_equal("bytes", ASK(decoder_peak_bytes, design), peak_oracle(design));
}

PROPERTY(design_tokenizer, "peak: 201,326,592 bytes for Stable Diffusion's at 256 x 256") {
  TokenizerDesign large = stable_diffusion(4);
  large.height = large.width = 1024;
  const std::int64_t small_peak = ASK(decoder_peak_bytes, stable_diffusion(4));
  const std::int64_t large_peak = ASK(decoder_peak_bytes, large);
  expect_equal("bytes at 256 x 256", small_peak, std::int64_t{201326592});
  expect_equal("bytes at 1024 x 1024", large_peak, std::int64_t{3221225472});
}

PROPERTY(design_tokenizer, "peak: refuses a size that f does not divide, and no bytes") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  TokenizerDesign height = design, width = design, none = design, bytes = design, levels = design;
  height.height += 1;
  width.width += 1;
  none.height = 0;
  bytes.bytes_per_number = 0;
  levels.multipliers = {};
  const Reply odd_height = REPLY(decoder_peak_bytes, height);
  const Reply odd_width = REPLY(decoder_peak_bytes, width);
  const Reply no_height = REPLY(decoder_peak_bytes, none);
  const Reply no_bytes = REPLY(decoder_peak_bytes, bytes);
  const Reply no_levels = REPLY(decoder_peak_bytes, levels);
  expect_refused(odd_height, "height is no multiple of f");
  expect_refused(odd_width, "width is no multiple of f");
  expect_refused(no_height, "height is 0");
  expect_refused(no_bytes, "bytes_per_number is 0");
  expect_refused(no_levels, "there is no level");
}

/// Targets that are certainly met, for what does not depend on them.
TokenizerTargets generous() {
  return {std::int64_t{1} << 60, std::int64_t{1} << 60, 1.0};
}

PROPERTY(design_tokenizer, "report: positions, values and bits of a continuous latent") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  const TokenizerReport got = ASK(design_tokenizer, design, generous());
  const std::int64_t positions = positions_oracle(design);
  expect_equal("positions", got.positions, positions);
  expect_equal("latent_values", got.latent_values, positions * design.channels);
  expect_near("bits", got.bits, double(8 * design.bytes_per_number * positions * design.channels),
              kDouble);
}

PROPERTY(design_tokenizer, "report: a discrete latent is log2 K bits per position") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kDiscrete);
  const TokenizerReport got = ASK(design_tokenizer, design, generous());
  const std::int64_t positions = positions_oracle(design);
  expect_equal("latent_values", got.latent_values, positions * design.channels);
  expect_near("bits", got.bits, double(positions) * std::log(double(design.codes)) / std::log(2.0),
              kDouble);
}

PROPERTY(design_tokenizer, "report: costs fall with f^2 and f^4, whatever the channels") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  const TokenizerReport got = ASK(design_tokenizer, design, generous());
  const double f = double(factor_oracle(design));
  expect_near("conv_cost", got.conv_cost, 1.0 / (f * f), kDouble);
  expect_near("attention_cost", got.attention_cost, 1.0 / (f * f * f * f), kDouble);
}

std::int64_t parameters_oracle(const TokenizerDesign& design) {
  const std::int64_t codebook =
      design.kind == LatentKind::kDiscrete ? design.codes * design.channels : 0;
  return size_of(encoder_parts(design)) + size_of(decoder_parts(design)) + codebook;
}

PROPERTY(design_tokenizer, "verdicts: the parameters of all three parts, at most so many") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kDiscrete);
  TokenizerTargets targets = generous();
  targets.parameters = draw.show("parameters", parameters_oracle(design));
  const TokenizerReport exact = ASK(design_tokenizer, design, targets);
  const auto missed = [&](std::int64_t by) {
    TokenizerTargets tighter = targets;
    tighter.parameters -= by;
    return ASK(design_tokenizer, design, tighter).verdicts.parameters == TargetVerdict::kMissed;
  };
  const bool by_one = missed(1), by_encoder = missed(size_of(encoder_parts(design)) + 1);
  const bool by_codebook = missed(design.codes * design.channels + 1);
  expect(exact.verdicts.parameters == TargetVerdict::kMet, "as many as are allowed: kMet");
  expect(by_one, "one more than allowed: kMissed");
  expect(by_encoder, "more than the encoder's too many: kMissed");
  expect(by_codebook, "more than the codebook's too many: kMissed");
  expect(exact.verdicts.bytes == TargetVerdict::kMet, "bytes: far below the target, kMet");
}

PROPERTY(design_tokenizer, "verdicts: the bytes of all parameters and the decoder's peak") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kDiscrete);
  TokenizerTargets targets = generous();
  targets.bytes =
      draw.show("bytes", parameters_oracle(design) * design.bytes_per_number + peak_oracle(design));
  const TokenizerReport exact = ASK(design_tokenizer, design, targets);
  const auto missed = [&](std::int64_t by) {
    TokenizerTargets tighter = targets;
    tighter.bytes -= by;
    return ASK(design_tokenizer, design, tighter).verdicts.bytes == TargetVerdict::kMissed;
  };
  const bool by_one = missed(1), by_peak = missed(peak_oracle(design) + 1);
  const bool by_weights = missed(parameters_oracle(design) * design.bytes_per_number + 1);
  expect(exact.verdicts.bytes == TargetVerdict::kMet, "as many as are allowed: kMet");
  expect(by_one, "one more than allowed: kMissed");
  expect(by_peak, "more than the peak too many: kMissed");
  expect(by_weights, "more than the parameters' too many: kMissed");
  expect(exact.verdicts.parameters == TargetVerdict::kMet, "parameters: far below, kMet");
}

PROPERTY(design_tokenizer, "verdicts: whether a PSNR is reached is unknown, low or high") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kContinuous);
  TokenizerTargets targets = generous();
  targets.psnr = draw.number("psnr", 5.0, 20.0);
  const TokenizerReport low = ASK(design_tokenizer, design, targets);
  targets.psnr += 30.0;
  const TokenizerReport high = ASK(design_tokenizer, design, targets);
  expect(low.verdicts.psnr == TargetVerdict::kUnknown,
         "a target below what is published: kUnknown");
  expect(high.verdicts.psnr == TargetVerdict::kUnknown, "a target above it: kUnknown");
}

PROPERTY(design_tokenizer, "verdicts: the best published PSNR of this kind and factor, or 0") {
  const auto ask = [&](std::vector<std::int64_t> multipliers, LatentKind kind) {
    TokenizerDesign design;
    design.base = 4;
    design.height = design.width = 64;
    design.codes = 16;
    design.multipliers = std::move(multipliers);
    design.kind = kind;
    return ASK(design_tokenizer, design, generous()).verdicts.published_psnr;
  };
  const double kl4 = ask({1, 2, 4}, LatentKind::kContinuous);
  const double kl8 = ask({1, 2, 4, 4}, LatentKind::kContinuous);
  const double kl32 = ask({1, 1, 2, 2, 4, 4}, LatentKind::kContinuous);
  const double vq8 = ask({1, 2, 2, 4}, LatentKind::kDiscrete);
  const double vq16 = ask({1, 1, 2, 2, 4}, LatentKind::kDiscrete);
  const double vq32 = ask({1, 1, 2, 2, 4, 4}, LatentKind::kDiscrete);
  expect_near("continuous, f = 4", kl4, 27.53, kDouble);
  expect_near("continuous, f = 8", kl8, 24.19, kDouble);
  expect_near("continuous, f = 32", kl32, 22.27, kDouble);
  expect_near("discrete, f = 8", vq8, 23.07, kDouble);
  expect_near("discrete, f = 16", vq16, 20.83, kDouble);
  expect_near("discrete, f = 32, of which none is published", vq32, 0.0, kDouble);
}

PROPERTY(design_tokenizer, "report: refuses what its parts refuse") {
  const TokenizerDesign design = draw_design(draw, LatentKind::kDiscrete);
  TokenizerDesign codes = design, width = design;
  codes.codes = 0;
  width.width += 1;
  const Reply no_codes = REPLY(design_tokenizer, codes, generous());
  const Reply odd = REPLY(design_tokenizer, width, generous());
  expect_refused(no_codes, "a discrete design has 0 codes");
  expect_refused(odd, "width is no multiple of f");
}

// ---- 10.8 hinge_losses -------------------------------------------------------------------------

/// Logits on both sides of both kinks, at least 0.05 from them; `beyond` says on which side an
/// element certainly is.
Matrix draw_logits(Draw& draw, const std::string& name, Index rows, Index cols) {
  Matrix logits(rows, cols);
  for (Index i = 0; i < logits.size(); ++i) {
    do {
      logits.data()[i] = float(draw.random().uniform(-2.5, 2.5));
    } while (std::abs(std::abs(logits.data()[i]) - 1.0F) < 0.05F);
  }
  logits(0, 0) = float(draw.random().uniform(1.2, 2.5));    // a real one that is sure enough
  logits(0, 1) = float(draw.random().uniform(-2.5, -1.2));  // a fake one that is
  logits(0, 2) = float(draw.random().uniform(-0.8, 0.8));
  return draw.show(name, logits);
}

/// Logits of real and reconstructed patches, of different shapes.
struct Logits {
  Matrix real, fake;
};

Logits draw_both(Draw& draw) {
  const Index n = draw.size("N", 1, 4), p = draw.size("P", 3, 6), more = draw.size("m", 1, 3);
  return {draw_logits(draw, "real", n, p), draw_logits(draw, "fake", n + more, p)};
}

/// max(0, 1 - sign x) of every element, and its mean.
double hinge_mean(const Matrix& x, double sign) {
  double sum = 0.0;
  for (Index i = 0; i < x.size(); ++i) sum += std::max(0.0, 1.0 - sign * double(x.data()[i]));
  return sum / double(x.size());
}

Oracle hinge_gradient(const Matrix& x, double sign) {
  Oracle d(x.rows(), x.cols());
  for (Index i = 0; i < x.size(); ++i) {
    const bool is_inside = 1.0 - sign * double(x.data()[i]) > 0.0;
    d.data()[i] = is_inside ? -0.5 * sign / double(x.size()) : 0.0;
  }
  return d;
}

// The sum of a few floats below 4, and nothing else.
constexpr Tolerance kHinge{1e-6, 1e-7, 4.0};

DEFINES(hinge_losses, "hinge_d_loss: half the mean shortfall of the real, half that of the fake") {
  const Logits l = draw_both(draw);
  expect_near("value", ASK(hinge_d_loss, l.real, l.fake).value,
              0.5 * (hinge_mean(l.real, 1.0) + hinge_mean(l.fake, -1.0)), kHinge);
}

PROPERTY(hinge_losses, "hinge_d_loss: pulls up the real ones that are not sure enough") {
  const Logits l = draw_both(draw);
  expect_near("d_real", ASK(hinge_d_loss, l.real, l.fake).d_real, hinge_gradient(l.real, 1.0));
}

PROPERTY(hinge_losses, "hinge_d_loss: pushes down the fake ones that are not sure enough") {
  const Logits l = draw_both(draw);
  expect_near("d_fake", ASK(hinge_d_loss, l.real, l.fake).d_fake, hinge_gradient(l.fake, -1.0));
}

PROPERTY(hinge_losses, "hinge_d_loss: has no gradient at a kink") {
  const Index n = draw.size("N", 1, 4), p = draw.size("P", 1, 4);
  const HingeLoss got =
      ASK(hinge_d_loss, (Matrix(Matrix::Ones(n, p))), (Matrix(-Matrix::Ones(n, p))));
  expect_near("value", got.value, 0.0, kHinge);
  expect_equal("d_real", got.d_real, Matrix(Matrix::Zero(n, p)));
  expect_equal("d_fake", got.d_fake, Matrix(Matrix::Zero(n, p)));
}

PROPERTY(hinge_losses,
         "hinge_d_loss: 0.666667 and sixths for (1.5, 0.2, -0.3), (-1.2, 0.4, -0.5)") {
  const Matrix real{{1.5F, 0.2F, -0.3F}}, fake{{-1.2F, 0.4F, -0.5F}};
  const HingeLoss got = ASK(hinge_d_loss, real, fake);
  const double sixth = 1.0 / 6.0;
  expect_near("value", got.value, 2.0 / 3.0, {1e-6, 0.0, 0.0});
  expect_near("d_real", got.d_real, Oracle(Oracle{{0.0, -sixth, -sixth}}), {1e-6, 0.0, 0.0});
  expect_near("d_fake", got.d_fake, Oracle(Oracle{{0.0, sixth, sixth}}), {1e-6, 0.0, 0.0});
}

PROPERTY(hinge_losses, "hinge_d_loss, g_loss: refuse to work without logits") {
  const Matrix some = draw.matrix("logits", draw.size("N", 1, 4), draw.size("P", 1, 4));
  const Reply real = REPLY(hinge_d_loss, Matrix(0, 3), some);
  const Reply fake = REPLY(hinge_d_loss, some, Matrix(0, 3));
  const Reply empty = REPLY(g_loss, Matrix(0, 3)), columns = REPLY(g_loss, Matrix(3, 0));
  expect_refused(real, "hinge_d_loss: there is no real logit");
  expect_refused(fake, "hinge_d_loss: there is no fake logit");
  expect_refused(empty, "g_loss: there is no row");
  expect_refused(columns, "g_loss: there is no column");
}

PROPERTY(hinge_losses, "g_loss: is minus the mean logit, and pulls all of them alike") {
  const Logits l = draw_both(draw);
  double sum = 0.0;
  for (Index i = 0; i < l.fake.size(); ++i) sum += double(l.fake.data()[i]);
  const double count = double(l.fake.size());
  const GeneratorLoss got = ASK(g_loss, l.fake);
  expect_near("value", got.value, -sum / count, kHinge);
  expect_near("d_fake", got.d_fake,
              Oracle(Oracle::Constant(l.fake.rows(), l.fake.cols(), -1.0 / count)));
}

PROPERTY(hinge_losses, "g_loss: 0.433333 for (-1.2, 0.4, -0.5)") {
  const GeneratorLoss got = ASK(g_loss, (Matrix{{-1.2F, 0.4F, -0.5F}}));
  expect_near("value", got.value, 1.3 / 3.0, {1e-6, 0.0, 0.0});
}

double norm_oracle(const Matrix& x) {
  double sum = 0.0;
  for (Index i = 0; i < x.size(); ++i) sum += double(x.data()[i]) * double(x.data()[i]);
  return std::sqrt(sum);
}

PROPERTY(hinge_losses, "adaptive_weight: w times the ratio of the two norms") {
  const Index rows = draw.size("rows", 2, 5), cols = draw.size("columns", 2, 5);
  const double weight = draw.number("w", 0.25, 0.75);
  const Matrix nll = draw.matrix("d_nll", rows, cols, 3.0);
  const Matrix adversarial = draw.matrix("d_adversarial", rows, cols, 0.01);
  const double got = ASK(adaptive_weight, nll, adversarial, weight);
  const double none = ASK(adaptive_weight, (Matrix(0.0F * nll)), adversarial, weight);
  expect_near("weight", got, weight * norm_oracle(nll) / (norm_oracle(adversarial) + 1e-4),
              {1e-5, 0.0, 0.0});
  expect_near("weight, where the reconstruction has no gradient", none, 0.0, {1e-5, 1e-9, 1.0});
}

PROPERTY(hinge_losses, "adaptive_weight: w times 10,000 where the adversarial gradient vanishes") {
  const Index rows = draw.size("rows", 2, 5), cols = draw.size("columns", 2, 5);
  const double weight = draw.number("w", 0.25, 0.75);
  const Matrix nll = draw.matrix("d_nll", rows, cols, 3.0).array() + 20.0F;
  const Matrix vanishing = Matrix::Zero(rows, cols);
  const double got = ASK(adaptive_weight, draw.show("d_nll, instead", nll), vanishing, weight);
  expect_near("weight", got, 1e4 * weight, {1e-6, 0.0, 0.0});
}

PROPERTY(hinge_losses, "adaptive_weight: 5.998800 for norms 3 and 0.5") {
  const Matrix nll{{1.0F, -2.0F, 2.0F}}, adversarial{{0.3F, 0.4F, 0.0F}};
  expect_near("weight", ASK(adaptive_weight, nll, adversarial, 1.0), 5.998800, {1e-6, 0.0, 0.0});
}

PROPERTY(hinge_losses, "adaptive_weight: refuses shapes that differ, and a negative w") {
  const Index rows = draw.size("rows", 1, 4), cols = draw.size("columns", 1, 4);
  const Matrix nll = draw.matrix("d_nll", rows, cols);
  const Reply longer = REPLY(adaptive_weight, nll, (Matrix(Matrix::Ones(rows + 1, cols))), 0.5);
  const Reply wider = REPLY(adaptive_weight, nll, (Matrix(Matrix::Ones(rows, cols + 1))), 0.5);
  const Reply negative = REPLY(adaptive_weight, nll, nll, -0.5);
  expect_refused(longer, "d_adversarial has one row more than d_nll");
  expect_refused(wider, "d_adversarial has one column more than d_nll");
  expect_refused(negative, "w is negative");
}

PROPERTY(hinge_losses, "adopt_weight: 0 before the threshold, the weight from it on") {
  const double weight = draw.number("weight", 0.25, 0.75);
  const std::int64_t threshold = draw.integer("threshold", 100, 60000);
  const double before = ASK(adopt_weight, weight, threshold - 1, threshold);
  const double at_it = ASK(adopt_weight, weight, threshold, threshold);
  const double after = ASK(adopt_weight, weight, threshold + 1, threshold);
  const double last = ASK(adopt_weight, weight, 50000, 50001);
  const double first = ASK(adopt_weight, weight, 50001, 50001);
  expect_near("one step before", before, 0.0, kDouble);
  expect_near("at the threshold", at_it, weight, kDouble);
  expect_near("one step after", after, weight, kDouble);
  expect_near("step 50,000 of 50,001", last, 0.0, kDouble);
  expect_near("step 50,001 of 50,001", first, weight, kDouble);
}

/// All arguments of ldm_total_loss.
struct LdmCase {
  Tensor4 x, x_hat;
  DoubleVector perceptual, kl;
  LdmAdversarial adversarial;
  LdmWeights weights;
};

/// Positive numbers, none like the one before.
DoubleVector draw_positive(Draw& draw, const std::string& name, Index size, double scale) {
  DoubleVector values(size);
  for (Index i = 0; i < size; ++i) values(i) = scale * draw.random().uniform(0.25, 1.0);
  return draw.show(name, values);
}

LdmCase draw_ldm(Draw& draw) {
  const Index n = draw.size("N", 2, 4), c = draw.size("C", 2, 3), h = draw.size("H", 2, 4),
              w = draw.size("W", 2, 5);
  LdmCase l{draw.tensor("x", n, c, h, w),
            draw.tensor("x_hat", n, c, h, w),
            draw_positive(draw, "perceptual", n, 0.8),
            draw_positive(draw, "kl", n, 40.0),
            {},
            {}};
  l.adversarial = {draw.number("g_loss", 0.5, 2.0), draw.number("adaptive", 0.3, 0.8),
                   draw.number("factor", 0.3, 0.8)};
  l.weights = {draw.number("perceptual weight", 0.4, 0.8), draw.number("kl weight", 0.01, 0.05),
               draw.number("log_var", 0.3, 0.9)};
  return l;
}

double reconstruction_oracle(const LdmCase& l) {
  double sum = 0.0;
  for (Index n = 0; n < l.x.n(); ++n) {
    for (Index c = 0; c < l.x.c(); ++c) {
      for (Index h = 0; h < l.x.h(); ++h) {
        for (Index w = 0; w < l.x.w(); ++w) {
          const double l1 = std::abs(double(l.x(n, c, h, w)) - double(l.x_hat(n, c, h, w)));
          sum += (l1 + l.weights.perceptual * l.perceptual(n)) * std::exp(-l.weights.log_var) +
                 l.weights.log_var;
        }
      }
    }
  }
  return sum / double(l.x.n());
}

double kl_oracle(const LdmCase& l) {
  double sum = 0.0;
  for (Index n = 0; n < l.kl.size(); ++n) sum += l.kl(n);
  return l.weights.kl * sum / double(l.kl.size());
}

double adversarial_oracle(const LdmCase& l) {
  return l.adversarial.g_loss * l.adversarial.adaptive * l.adversarial.factor;
}

// Differences of floats of about 4, in sums of up to 60.
constexpr Tolerance kLdm{2e-6, 1e-9, 0.0};

#define LDM(l) \
  ASK(ldm_total_loss, (l).x, (l).x_hat, (l).perceptual, (l).kl, (l).adversarial, (l).weights)
#define LDM_REPLY(l) \
  REPLY(ldm_total_loss, (l).x, (l).x_hat, (l).perceptual, (l).kl, (l).adversarial, (l).weights)

PROPERTY(hinge_losses,
         "ldm: sums the reconstruction over an image, the perceptual part at each element") {
  const LdmCase l = draw_ldm(draw);
  expect_near("reconstruction", LDM(l).reconstruction, reconstruction_oracle(l), kLdm);
}

PROPERTY(hinge_losses,
         "ldm: weighs the mean KL of an image, and multiplies the adversarial factors") {
  const LdmCase l = draw_ldm(draw);
  const LdmLoss got = LDM(l);
  expect_near("kl", got.kl, kl_oracle(l), kDouble);
  expect_near("adversarial", got.adversarial, adversarial_oracle(l), kDouble);
}

PROPERTY(hinge_losses, "ldm: the total is the sum of the three") {
  const LdmCase l = draw_ldm(draw);
  const LdmLoss got = LDM(l);
  expect_near("total", got.total, got.reconstruction + got.kl + got.adversarial, kDouble);
}

PROPERTY(hinge_losses, "ldm: 49,152 at 256 x 256 with L1 0.05 and a distance of 0.2, not 9,830.6") {
  const Tensor4 x(1, 3, 256, 256, 0.0F), x_hat(1, 3, 256, 256, 0.05F);
  const DoubleVector distance = DoubleVector::Constant(1, 0.2);
  const DoubleVector kl = DoubleVector::Constant(1, 4096.0);
  const LdmLoss got = ASK(ldm_total_loss, x, x_hat, distance, kl, LdmAdversarial{}, LdmWeights{});
  expect_near("reconstruction", got.reconstruction, 49152.0, {1e-6, 0.0, 0.0});
  expect_near("kl", got.kl, 0.004096, kDouble);
}

PROPERTY(hinge_losses, "ldm: refuses batches that do not fit") {
  const LdmCase l = draw_ldm(draw);
  LdmCase shape = l, distances = l, kls = l, empty = l;
  shape.x_hat = Tensor4(l.x.n(), l.x.c(), l.x.w() + 1, l.x.h());
  distances.perceptual = DoubleVector::Ones(l.x.n() + 1);
  kls.kl = DoubleVector::Ones(l.x.n() - 1);
  empty.x = empty.x_hat = Tensor4(0, 3, 2, 2);
  empty.perceptual = empty.kl = DoubleVector(0);
  const Reply other = LDM_REPLY(shape), more = LDM_REPLY(distances), fewer = LDM_REPLY(kls);
  const Reply none = LDM_REPLY(empty);
  expect_refused(other, "x and x_hat differ in shape");
  expect_refused(more, "there is one perceptual distance more than images");
  expect_refused(fewer, "there is one KL fewer than images");
  expect_refused(none, "there is no image");
}

// ---- 10.9 streaming_conv -----------------------------------------------------------------------

/// The frames from `from` to before `to`.
Matrix frames(const Clip& c, Index from, Index to) {
  return c.x.middleRows(from, to - from);
}

#define STREAMED(chunk, cache, c) ASK(streaming_conv, chunk, cache, (c).weight, (c).bias)
#define STREAMED_REPLY(chunk, cache, c) REPLY(streaming_conv, chunk, cache, (c).weight, (c).bias)

/// The last k - 1 frames of the first `seen`, frame 0 repeated in front where there are too few.
Matrix cache_oracle(const Clip& c, Index seen) {
  Matrix cache(c.taps() - 1, c.x.cols());
  for (Index row = 0; row < cache.rows(); ++row)
    cache.row(row) = c.x.row(std::max<Index>(0, seen - cache.rows() + row));
  return cache;
}

/// What a chunk's outputs are in the whole clip.
Oracle outputs_oracle(const Clip& c, Index from, Index to) {
  return causal_oracle(c).middleRows(from, to - from);
}

DEFINES(streaming_conv, "chunk after chunk, puts out what the whole clip gives") {
  const Index k = draw.size("k", 2, 4), in = draw.size("Ci", 1, 3), out = draw.size("Co", 1, 4);
  const Index size = k + draw.size("m", 0, 3), chunks = draw.size("chunks", 2, 4);
  const Clip c = draw_clip(draw, size * chunks, in, out, k, 1);
  Matrix cache(0, in);
  for (Index i = 0; i < chunks; ++i) {
    const std::string which =
        "chunk " + std::to_string(i) + " of " + std::to_string(size) + " frames";
    const StreamStep got = STREAMED(frames(c, i * size, (i + 1) * size), cache, c);
    expect_near(which + ", y", got.y, outputs_oracle(c, i * size, (i + 1) * size), kProducts);
    expect_equal(which + ", cache", got.cache, cache_oracle(c, (i + 1) * size));
    cache = got.cache;
  }
}

PROPERTY(streaming_conv, "keeps older frames where a chunk is shorter than the cache") {
  const Index k = draw.size("k", 3, 5), t = k + draw.size("m", 1, 3);
  const Clip c = draw_clip(draw, t, draw.size("Ci", 1, 3), draw.size("Co", 1, 4), k, 1);
  for (Index seen = k - 1; seen < t; ++seen) {
    const StreamStep got = STREAMED(frames(c, seen, seen + 1), cache_oracle(c, seen), c);
    const std::string which = "frame " + std::to_string(seen) + " alone, ";
    expect_near(which + "y", got.y, outputs_oracle(c, seen, seen + 1), kProducts);
    expect_equal(which + "cache", got.cache, cache_oracle(c, seen + 1));
  }
}

PROPERTY(streaming_conv, "starts with copies of frame 0, and keeps them while it needs them") {
  const Index k = draw.size("k", 3, 5);
  const Clip c = draw_clip(draw, k, draw.size("Ci", 1, 3), draw.size("Co", 1, 4), k, 1);
  const StreamStep first = STREAMED(frames(c, 0, 1), Matrix(0, c.x.cols()), c);
  const StreamStep two = STREAMED(frames(c, 0, 2), Matrix(0, c.x.cols()), c);
  expect_near("y of frame 0", first.y, outputs_oracle(c, 0, 1), kProducts);
  expect_equal("cache after frame 0", first.cache, cache_oracle(c, 1));
  expect_near("y of frames 0 and 1", two.y, outputs_oracle(c, 0, 2), kProducts);
  expect_equal("cache after frames 0 and 1", two.cache, cache_oracle(c, 2));
}

PROPERTY(streaming_conv, "a single tap remembers nothing") {
  const Index t = draw.size("T", 1, 4), in = draw.size("Ci", 1, 3), out = draw.size("Co", 1, 4);
  const Clip c = draw_clip(draw, t, in, out, 1, 1);
  const StreamStep got = STREAMED(c.x, Matrix(0, in), c);
  expect_near("y", got.y, causal_oracle(c), kProducts);
  expect_equal("cache", got.cache, Matrix(0, in));
}

PROPERTY(streaming_conv, "refuses a cache that is not k - 1 frames of Ci channels") {
  const Clip c = draw_clip(draw);
  const auto reply = [&](Index rows, Index cols) {
    return STREAMED_REPLY(c.x, (Matrix(Matrix::Ones(rows, cols))), c);
  };
  const Index memory = c.taps() - 1, in = c.x.cols();
  const Reply longer = reply(memory + 1, in), wider = reply(memory, in + 1);
  expect_refused(longer, "the cache has one frame too many");
  expect_refused(wider, "the cache has one channel too many");
}

PROPERTY(streaming_conv, "refuses a chunk without frames, and a weight that does not fit") {
  const Clip c = draw_clip(draw);
  Clip channels = c, bias = c, taps = c;
  channels.weight = Tensor4(c.weight.n(), c.weight.c() + 1, c.taps(), 1);
  bias.bias = RowVector::Ones(c.weight.n() + 1);
  taps.weight = Tensor4(c.weight.n(), c.weight.c(), 0, 1);
  const Matrix none(0, c.x.cols());
  const Reply start = STREAMED_REPLY(none, none, c);
  const Reply later = STREAMED_REPLY(none, cache_oracle(c, c.x.rows()), c);
  const Reply in = STREAMED_REPLY(c.x, none, channels), out = STREAMED_REPLY(c.x, none, bias);
  const Reply tap = STREAMED_REPLY(c.x, none, taps);
  expect_refused(start, "the first chunk has no frame");
  expect_refused(later, "a later chunk has no frame");
  expect_refused(in, "the weight has one input channel more than the chunk");
  expect_refused(out, "the bias has one element more than the weight has outputs");
  expect_refused(tap, "the weight has no tap");
}

}  // namespace
}  // namespace latent::grader

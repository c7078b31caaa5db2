// Wrong answers to lab 10 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   residual_quantize on the straight-through output without a detach, or with indices per stage in
//     lists: values are the same, and the contract has one layout. What the missing detach does is
//     seen in rvq_backward.
//   rvq_decode with projections applied twice: there are no projections here.
//   rvq_backward that detaches x, too: then x gets nothing, which is "later stages vanish" and
//   more. rvq_bitrate times the number of channels: the contract has one stream.
//   lfq_quantize_backward times the scale: its signature has no scale.
//   entropy_terms with a softmax of plus the distance: the codes come in pairs of opposite sign, so
//     both entropies stay what they are.
//   entropy_terms of a mean over codes in place of a sum, in the gradient: a factor, covered by the
//     others.
//   latent_frames with the factor to the power of the levels: the contract has one factor.
//   causal_pad with a dilation or a stride in its length: the contract has neither.
//   causality tests that perturb only the last frame: no learner writes tests here.
//   design_tokenizer that ignores the diffusion model's own memory: not in the contract.
//   g_loss on the real logits, detached or divided twice: it is not given the real ones, and it
//     returns its gradient.
//   adaptive_weight differentiated through: nothing differentiates here. Per sample: it has one
//     gradient.
//   streaming_conv with a cache in 16 bits, or kept from one video to the next: the caller holds
//   it.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "tokenizers.hpp"

namespace solution = latent;

namespace latent {

// ---- 10.0 residual_quantize --------------------------------------------------------------------

namespace x_at_each_stage {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  require(!stages.empty(), "no stage");
  const Index count = std::ssize(stages);
  RvqOutput out{RvqIndices(x.rows(), count), Matrix::Zero(x.rows(), x.cols()),
                Matrix(x.rows(), count)};
  Index q = 0;
  for (const RvqStage& stage : stages) {
    const std::vector<std::int64_t> chosen = nearest_code(x, stage.codebook);
    for (Index n = 0; n < x.rows(); ++n) {
      out.indices(n, q) = chosen[static_cast<std::size_t>(n)];
      out.quantized.row(n) += stage.codebook.row(out.indices(n, q));
    }
    out.residual_norms.col(q++) = (x - out.quantized).rowwise().norm();
  }
  return out;
}
}  // namespace x_at_each_stage
MISCONCEPTION(x_at_each_stage, residual_quantize, "rvq.x-at-each-stage",
              "Every stage quantized x. The second is given what the first has left, x minus its "
              "code, and so on.",
              "Stages that all look at x choose what is near x, and the sum of three such codes is "
              "about three times x. The word residual means that each stage corrects the ones "
              "before it; that is why later codebooks are small.")

namespace sign_of_residual {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  Matrix residual = x;
  out.quantized.setZero();
  for (Index q = 0; q < out.indices.cols(); ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    const std::vector<std::int64_t> chosen = nearest_code(residual, codebook);
    for (Index n = 0; n < x.rows(); ++n) {
      out.indices(n, q) = chosen[static_cast<std::size_t>(n)];
      out.quantized.row(n) += codebook.row(out.indices(n, q));
      residual.row(n) = codebook.row(out.indices(n, q)) - residual.row(n);
    }
    out.residual_norms.col(q) = residual.rowwise().norm();
  }
  return out;
}
}  // namespace sign_of_residual
MISCONCEPTION(
    sign_of_residual, residual_quantize, "rvq.residual-sign",
    "What you passed on is code minus input. The rest is input minus code.",
    "With the sign turned, the second stage corrects in the wrong direction, the third in "
    "the right one, and the sum comes no nearer. The lengths of the residuals do not "
    "show it at once, since a length has no sign.")

namespace last_code_only {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  for (Index n = 0; n < x.rows(); ++n)
    out.quantized.row(n) = stages.back().codebook.row(out.indices(n, out.indices.cols() - 1));
  return out;
}
}  // namespace last_code_only
MISCONCEPTION(last_code_only, residual_quantize, "rvq.last-stage-only",
              "The output is the last stage's code. It is the sum of the codes of all stages.",
              "A late code is a correction of a few hundredths; without what it corrects it means "
              "nothing. An assignment where += belongs does it.")

namespace what_is_left {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  out.quantized = x - out.quantized;
  return out;
}
}  // namespace what_is_left
MISCONCEPTION(what_is_left, residual_quantize, "rvq.residual-returned",
              "You returned what is left of x. What is asked for is what was taken away: the sum "
              "of the codes.",
              "Both are at hand at the end of the loop. The decoder needs the sum; the rest is the "
              "error that it will never see.")

namespace indices_by_stage {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  out.indices = RvqIndices(out.indices.transpose());
  return out;
}
}  // namespace indices_by_stage
MISCONCEPTION(indices_by_stage, residual_quantize, "rvq.indices-by-stage",
              "Your indices are [Q, N]. The contract has a row per vector, [N, Q].",
              "Libraries disagree: audio codecs stack their stages first, [Q, N], and most vector "
              "quantizers last. With as many stages as rows both orders have one shape, and the "
              "decoder looks up the wrong tables.")

namespace first_index_again {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  for (Index q = 1; q < out.indices.cols(); ++q) out.indices.col(q) = out.indices.col(0);
  return out;
}
}  // namespace first_index_again
MISCONCEPTION(first_index_again, residual_quantize, "rvq.one-search",
              "Each row has one index for all stages. Every stage searches its own codebook.",
              "The search is the expensive part, and hoisting it out of the loop looks like an "
              "optimisation. The second codebook has its own order, and its own rest to look for.")

namespace nearest_to_sum {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  out.quantized.setZero();
  Matrix wanted = x;
  for (Index q = 0; q < out.indices.cols(); ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    const std::vector<std::int64_t> chosen = nearest_code(wanted, codebook);
    for (Index n = 0; n < x.rows(); ++n) {
      out.indices(n, q) = chosen[static_cast<std::size_t>(n)];
      out.quantized.row(n) += codebook.row(out.indices(n, q));
    }
    out.residual_norms.col(q) = (x - out.quantized).rowwise().norm();
    wanted = out.quantized;
  }
  return out;
}
}  // namespace nearest_to_sum
MISCONCEPTION(nearest_to_sum, residual_quantize, "rvq.nearest-to-sum",
              "Later stages looked for the code nearest to the sum so far. They look for what the "
              "sum still lacks.",
              "The sum so far is known to the decoder already; saying it again costs bits and "
              "brings nothing. The rest is x minus the sum.")

namespace first_codebook_only {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  solution::residual_quantize(x, stages);
  return solution::residual_quantize(x, std::vector<RvqStage>(stages.size(), stages[0]));
}
}  // namespace first_codebook_only
MISCONCEPTION(first_codebook_only, residual_quantize, "rvq.one-codebook",
              "All stages used the first codebook. Each has its own.",
              "Codes that suit x are far too long for what is left of it. Sharing one table "
              "between stages is done where memory is short, and then the residual is scaled.")

namespace finest_first {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  std::vector<RvqStage> reversed(stages.rbegin(), stages.rend());
  RvqOutput out = solution::residual_quantize(x, reversed);
  out.indices = RvqIndices(out.indices.rowwise().reverse());
  return out;
}
}  // namespace finest_first
MISCONCEPTION(finest_first, residual_quantize, "rvq.last-stage-first",
              "You ran through the stages backwards. The first stage quantizes first.",
              "Stages are trained in order, coarse to fine. Begun at the fine end, the first "
              "correction is wasted, and a prefix of the indices cannot be decoded.")

namespace norms_before {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  const Matrix after = out.residual_norms;
  out.residual_norms.col(0) = x.rowwise().norm();
  out.residual_norms.rightCols(after.cols() - 1) = after.leftCols(after.cols() - 1);
  return out;
}
}  // namespace norms_before
MISCONCEPTION(norms_before, residual_quantize, "rvq.norm-before-stage",
              "The lengths are those of what each stage was given. Measured is what it leaves.",
              "One line above or below the subtraction makes the difference. The last length is "
              "the error of the whole quantizer, and it is the one that is missing then.")

namespace norms_squared {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  out.residual_norms = out.residual_norms.array().square();
  return out;
}
}  // namespace norms_squared
MISCONCEPTION(norms_squared, residual_quantize, "rvq.norm-squared",
              "You returned squared lengths. The contract has lengths: with a root.",
              "squaredNorm() and norm() differ by a word. For (0.8, 0.45) the three lengths are "
              "0.492443, 0.206155 and 0.111803.")

namespace norm_of_batch {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  for (Index q = 0; q < out.residual_norms.cols(); ++q) {
    const float all = out.residual_norms.col(q).norm();
    out.residual_norms.col(q).setConstant(all);
  }
  return out;
}
}  // namespace norm_of_batch
MISCONCEPTION(norm_of_batch, residual_quantize, "rvq.norm-of-batch",
              "One length for the whole batch. Every row has its own.",
              "residual.norm() is the norm of the matrix; residual.rowwise().norm() is a column of "
              "lengths. With a single row they agree.")

namespace codes_of_row_0 {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  for (Index n = 1; n < x.rows(); ++n) out.quantized.row(n) = out.quantized.row(0);
  return out;
}
}  // namespace codes_of_row_0
MISCONCEPTION(codes_of_row_0, residual_quantize, "rvq.codes-of-first-row",
              "Every row got the first row's codes in its sum. Each has its own.",
              "indices(0, q) in place of indices(n, q). With a single row nothing is seen, and a "
              "test with one vector is the first that one writes.")

namespace last_of_ties {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  RvqOutput out = solution::residual_quantize(x, stages);
  for (Index q = 0; q < out.indices.cols(); ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    for (Index n = 0; n < x.rows(); ++n) {
      for (Index k = out.indices(n, q) + 1; k < codebook.rows(); ++k) {
        if (codebook.row(k) == codebook.row(out.indices(n, q))) out.indices(n, q) = k;
      }
    }
  }
  return out;
}
}  // namespace last_of_ties
MISCONCEPTION(last_of_ties, residual_quantize, "rvq.last-of-ties",
              "Of equal codes you took the last one. The lowest index is asked for, as in "
              "nearest_code.",
              "Later stages are full of ties: once a residual is 0, every code of one length is "
              "equally far. Encoder and decoder agree as long as one program writes both; two "
              "encoders that should yield one file do not.")

namespace codes_of_first_count {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  std::vector<RvqStage> cut = stages;
  for (RvqStage& stage : cut) {
    const Index codes = std::min(stage.codebook.rows(), stages[0].codebook.rows());
    stage.codebook = Matrix(stage.codebook.topRows(codes));
  }
  return solution::residual_quantize(x, cut);
}
}  // namespace codes_of_first_count
MISCONCEPTION(codes_of_first_count, residual_quantize, "rvq.first-stages-k",
              "Later stages were searched only as far as the first one's number of codes. Stages "
              "may differ in K.",
              "In most models all K are equal, so a K that is read once from the first table "
              "survives for long.")

namespace empty_refused {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  require(x.rows() > 0, "no row");
  return solution::residual_quantize(x, stages);
}
}  // namespace empty_refused
MISCONCEPTION(empty_refused, residual_quantize, "rvq.empty-refused",
              "A batch without rows was refused. It has no indices, and that is no error.",
              "The last batch of a stream may be empty. Nothing is divided here, so nothing can go "
              "wrong.")

namespace no_stage_accepted {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  if (!stages.empty()) return solution::residual_quantize(x, stages);
  return {RvqIndices(x.rows(), 0), Matrix::Zero(x.rows(), x.cols()), Matrix(x.rows(), 0)};
}
}  // namespace no_stage_accepted
MISCONCEPTION(no_stage_accepted, residual_quantize, "rvq.no-stage-accepted",
              "A quantizer without stages was accepted. It has to be refused.",
              "An empty list is what a configuration that was not read looks like. Zeros are then "
              "decoded, and nobody is told.")

namespace columns_unchecked {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  std::vector<RvqStage> fitting = stages;
  for (RvqStage& stage : fitting) {
    const Matrix codebook = stage.codebook;
    stage.codebook = Matrix::Zero(codebook.rows(), x.cols());
    const Index common = std::min(codebook.cols(), x.cols());
    stage.codebook.leftCols(common) = codebook.leftCols(common);
  }
  return solution::residual_quantize(x, fitting);
}
}  // namespace columns_unchecked
MISCONCEPTION(columns_unchecked, residual_quantize, "rvq.columns-unchecked",
              "A codebook with other columns than x was accepted. nearest_code refuses it, in any "
              "stage.",
              "A loop over the columns that both have finds a code for half a vector.")

namespace no_codes_accepted {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  std::vector<RvqStage> filled = stages;
  for (RvqStage& stage : filled) {
    if (stage.codebook.rows() == 0) stage.codebook = Matrix::Zero(1, x.cols());
  }
  return solution::residual_quantize(x, filled);
}
}  // namespace no_codes_accepted
MISCONCEPTION(no_codes_accepted, residual_quantize, "rvq.no-codes-accepted",
              "A stage without codes was accepted. It has no index to give.",
              "An index of 0 into an empty table is found out by the decoder, on another machine.")

namespace not_finite_accepted {
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages) {
  const auto finite = [](const Matrix& m) {
    return Matrix(m.array().isFinite().select(m.array(), 0.0F));
  };
  std::vector<RvqStage> cleaned = stages;
  for (RvqStage& stage : cleaned) stage.codebook = finite(stage.codebook);
  return solution::residual_quantize(finite(x), cleaned);
}
}  // namespace not_finite_accepted
MISCONCEPTION(not_finite_accepted, residual_quantize, "rvq.not-finite-accepted",
              "Rows or codes with NaN or an infinity were accepted. nearest_code refuses them.",
              "Replaced by 0 or compared as they are, they get a healthy index, and an encoder "
              "that has diverged looks well.")

// ---- 10.1 rvq_decode ---------------------------------------------------------------------------

namespace minus_one_is_last {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  require(!stages.empty() && indices.cols() == std::ssize(stages), "stages");
  require(used >= 1 && used <= std::ssize(stages), "used");
  Matrix sum = Matrix::Zero(indices.rows(), stages[0].codebook.cols());
  for (const RvqStage& stage : stages) require(stage.codebook.cols() == sum.cols(), "columns");
  for (Index n = 0; n < sum.rows(); ++n) {
    for (Index q = 0; q < used; ++q) {
      const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
      const Index k = indices(n, q), count = codebook.rows();
      require(k >= -1 && k < count, "index");
      sum.row(n) += codebook.row((k + count) % count);
    }
  }
  return sum;
}
}  // namespace minus_one_is_last
MISCONCEPTION(minus_one_is_last, rvq_decode, "rvqdecode.minus-one-is-last",
              "An index of -1 was read as the last code. It says that the stage was dropped, and "
              "contributes nothing.",
              "In Python, codebook[-1] is the last row, without a word. Quantizer dropout marks "
              "what was dropped with -1, and a plain lookup then adds a code that nobody chose.")

namespace minus_one_is_first {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  Matrix sum = solution::rvq_decode(indices, stages, used);
  for (Index n = 0; n < sum.rows(); ++n) {
    for (Index q = 0; q < used; ++q) {
      if (indices(n, q) == -1) sum.row(n) += stages[static_cast<std::size_t>(q)].codebook.row(0);
    }
  }
  return sum;
}
}  // namespace minus_one_is_first
MISCONCEPTION(minus_one_is_first, rvq_decode, "rvqdecode.minus-one-is-first",
              "An index of -1 was clamped to code 0. A dropped stage contributes nothing.",
              "A clamp makes any index legal, and the first code of a stage is no zero vector. "
              "Masking afterwards is what the clamp was meant to be followed by.")

namespace dropped_ends_row {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  RvqIndices cut = indices;
  for (Index n = 0; n < cut.rows(); ++n) {
    for (Index q = 1; q < std::min<Index>(used, cut.cols()); ++q) {
      if (cut(n, q - 1) == -1) cut(n, q) = -1;
    }
  }
  return solution::rvq_decode(cut, stages, used);
}
}  // namespace dropped_ends_row
MISCONCEPTION(dropped_ends_row, rvq_decode, "rvqdecode.dropped-ends-row",
              "You stopped at the first -1. Only that stage is dropped; the ones behind it count.",
              "Dropout usually drops the last stages, where break and continue do the same. The "
              "contract speaks of one index.")

namespace uses_all {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  solution::rvq_decode(indices, stages, used);
  return solution::rvq_decode(indices, stages, std::ssize(stages));
}
}  // namespace uses_all
MISCONCEPTION(uses_all, rvq_decode, "rvqdecode.uses-all",
              "All stages were used, whatever `used` says.",
              "Then every bitrate sounds the same, and a model that was trained to be cut off "
              "cannot be. An argument that is read by nothing raises no error.")

namespace averaged {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  return solution::rvq_decode(indices, stages, used) / static_cast<float>(used);
}
}  // namespace averaged
MISCONCEPTION(averaged, rvq_decode, "rvqdecode.averaged",
              "You averaged the codes. They are summed: each one corrects what the others left.",
              "An average of a coarse code and its corrections is far too small, and gets smaller "
              "the more stages are used.")

namespace last_only {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  const Matrix sum = solution::rvq_decode(indices, stages, used);
  return used == 1 ? sum : Matrix(sum - solution::rvq_decode(indices, stages, used - 1));
}
}  // namespace last_only
MISCONCEPTION(last_only, rvq_decode, "rvqdecode.last-stage-only",
              "What came out is the code of the last stage used. It is the sum of all of them.",
              "A late code alone is a correction without what it corrects.")

namespace tables_reversed {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  solution::rvq_decode(indices, stages, used);
  const std::vector<RvqStage> reversed(stages.rbegin(), stages.rend());
  RvqIndices fitting = indices;
  for (Index q = 0; q < used; ++q) {
    const Index codes = reversed[static_cast<std::size_t>(q)].codebook.rows();
    for (Index n = 0; n < fitting.rows(); ++n)
      fitting(n, q) = std::min(fitting(n, q), static_cast<std::int64_t>(codes - 1));
  }
  return solution::rvq_decode(fitting, reversed, used);
}
}  // namespace tables_reversed
MISCONCEPTION(tables_reversed, rvq_decode, "rvqdecode.tables-reversed",
              "Column 0 was looked up in the last codebook. Column q belongs to stage q.",
              "Coarse and fine change places: the first index then moves a hair, the last one "
              "everything.")

namespace one_short {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  const Matrix sum = solution::rvq_decode(indices, stages, used);
  return used == 1 ? Matrix(0.0F * sum) : solution::rvq_decode(indices, stages, used - 1);
}
}  // namespace one_short
MISCONCEPTION(
    one_short, rvq_decode, "rvqdecode.one-stage-short",
    "One stage is missing at the end. `used` is how many are used, not the last one's "
    "number less one.",
    "A count and a last index differ by one, and a residual codec that is one stage short "
    "still sounds right, only worse.")

namespace one_long {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  solution::rvq_decode(indices, stages, used);
  return solution::rvq_decode(indices, stages,
                              std::min<std::int64_t>(used + 1, std::ssize(stages)));
}
}  // namespace one_long
MISCONCEPTION(one_long, rvq_decode, "rvqdecode.one-stage-long",
              "One stage too many was used. `used` stages are 0 to used - 1.",
              "<= where < belongs. The prefix costs more bits than was said.")

namespace unused_checked {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  if (std::ssize(stages) >= 1) solution::rvq_decode(indices, stages, std::ssize(stages));
  return solution::rvq_decode(indices, stages, used);
}
}  // namespace unused_checked
MISCONCEPTION(unused_checked, rvq_decode, "rvqdecode.unused-checked",
              "Indices of stages that are not used were checked, and refused. They are not looked "
              "at.",
              "Whoever sends a prefix has nothing to put into the other columns. What a receiver "
              "must not use, it should not judge.")

namespace empty_refused {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  require(indices.rows() > 0, "no row");
  return solution::rvq_decode(indices, stages, used);
}
}  // namespace empty_refused
MISCONCEPTION(empty_refused, rvq_decode, "rvqdecode.empty-refused",
              "No rows were refused. No rows in, no rows out.",
              "Nothing is divided, so nothing can go wrong; the result is [0, D].")

namespace any_prefix {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  const std::int64_t most = std::max<std::int64_t>(std::ssize(stages), 1);
  return solution::rvq_decode(indices, stages, std::clamp<std::int64_t>(used, 1, most));
}
}  // namespace any_prefix
MISCONCEPTION(any_prefix, rvq_decode, "rvqdecode.used-unchecked",
              "Less than one stage, or more than there are, was accepted. It has to be refused.",
              "Clamped, a wrong bitrate setting is decoded at another one, and the file is blamed.")

namespace any_index {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  RvqIndices repaired = indices;
  for (Index q = 0; q < std::min<Index>(indices.cols(), std::ssize(stages)); ++q) {
    const Index codes = stages[static_cast<std::size_t>(q)].codebook.rows();
    for (Index n = 0; n < indices.rows(); ++n)
      repaired(n, q) = std::clamp<std::int64_t>(indices(n, q), -1, codes - 1);
  }
  return solution::rvq_decode(repaired, stages, used);
}
}  // namespace any_index
MISCONCEPTION(any_index, rvq_decode, "rvqdecode.index-unchecked",
              "An index below -1, or one that its stage does not have, was accepted.",
              "It reads beyond the table. -1 is the only number that means something else than a "
              "code.")

namespace any_columns {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  RvqIndices fitting = RvqIndices::Constant(indices.rows(), std::ssize(stages), -1);
  const Index common = std::min<Index>(indices.cols(), std::ssize(stages));
  fitting.leftCols(common) = indices.leftCols(common);
  return solution::rvq_decode(fitting, stages, used);
}
}  // namespace any_columns
MISCONCEPTION(any_columns, rvq_decode, "rvqdecode.columns-unchecked",
              "Indices with more or fewer columns than stages were accepted.",
              "A file of another model has another number of stages. What is left of it after "
              "cutting or filling up decodes to something, which is worse than nothing.")

namespace no_stages {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  if (stages.empty()) return Matrix::Zero(indices.rows(), 1);
  return solution::rvq_decode(indices, stages, used);
}
}  // namespace no_stages
MISCONCEPTION(no_stages, rvq_decode, "rvqdecode.no-stage-accepted",
              "A quantizer without stages was accepted. It has to be refused: even D is unknown.",
              "The result has as many columns as a codebook, and there is none to ask.")

namespace mixed_columns {
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used) {
  std::vector<RvqStage> fitting = stages;
  for (RvqStage& stage : fitting) {
    const Matrix codebook = stage.codebook;
    stage.codebook = Matrix::Zero(codebook.rows(), stages[0].codebook.cols());
    const Index common = std::min(codebook.cols(), stage.codebook.cols());
    stage.codebook.leftCols(common) = codebook.leftCols(common);
  }
  return solution::rvq_decode(indices, fitting, used);
}
}  // namespace mixed_columns
MISCONCEPTION(mixed_columns, rvq_decode, "rvqdecode.codebooks-unchecked",
              "Codebooks of different dimension were accepted. Codes of two dimensions cannot be "
              "added.",
              "What one code has more than the other would be lost or left as it was.")

// ---- 10.2 rvq_backward -------------------------------------------------------------------------

namespace later_stages_vanish {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  require(x.size() > 0 && !stages.empty() && beta >= 0.0, "arguments");
  require(shape_of(d_quantized) == shape_of(x), "d_quantized");
  require(indices.rows() == x.rows() && indices.cols() == std::ssize(stages), "indices");
  RvqGradients gradients{d_quantized, {}, d_quantized};
  const float scale = 2.0F / static_cast<float>(x.size());
  Matrix residual = x;
  for (Index q = 0; q < indices.cols(); ++q) {
    const Matrix& codebook = stages[static_cast<std::size_t>(q)].codebook;
    require(codebook.cols() == x.cols(), "columns");
    RvqStageGradients d{Matrix::Zero(x.rows(), x.cols()), Matrix::Zero(codebook.rows(), x.cols())};
    for (Index n = 0; n < x.rows(); ++n) {
      const std::int64_t k = indices(n, q);
      require(k >= 0 && k < codebook.rows(), "index");
      residual.row(n) -= codebook.row(k);
      d.codebook.row(k) -= scale * residual.row(n);
      // Subtracted straight through, the code has x's gradient: nothing of x is left in the rest.
      if (q == 0) d.x.row(n) = static_cast<float>(beta) * scale * residual.row(n);
    }
    gradients.x += d.x;
    gradients.stages.push_back(d);
  }
  return gradients;
}
}  // namespace later_stages_vanish
MISCONCEPTION(later_stages_vanish, rvq_backward, "rvqback.later-stages-vanish",
              "Only the first stage's commitment term pulls x. With the codes detached where they "
              "are subtracted, every stage's does.",
              "Subtract the straight-through output, whose gradient is that of its input, and the "
              "rest no longer depends on x: r - (r + sg[e - r]) has the derivative 1 - 1 = 0. "
              "EnCodec was shipped like that (facebookresearch/encodec issue 25) and keeps it so "
              "that results can be reproduced; vector-quantize-pytorch had it too (issue 33) and "
              "detaches now. The value of the loss is the same either way.")

namespace identity_per_stage {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  d.x += static_cast<float>(stages.size() - 1) * d_quantized;
  return d;
}
}  // namespace identity_per_stage
MISCONCEPTION(identity_per_stage, rvq_backward, "rvqback.identity-per-stage",
              "x receives the gradient of the sum once per stage. It passes straight through once.",
              "Each stage's code is made straight-through by itself, each rest keeps x's gradient, "
              "and the sum then has Q identities in it. The output replaces x once. With one "
              "straight-through step around the whole sum, or with rests that carry no gradient, "
              "it is right; the author of EnCodec counts it out in issue 25.")

namespace through_per_stage {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  d.straight_through *= static_cast<float>(stages.size());
  return d;
}
}  // namespace through_per_stage
MISCONCEPTION(through_per_stage, rvq_backward, "rvqback.through-times-stages",
              "What goes straight through was multiplied by the number of stages.",
              "The sum of codes stands for x, once. Each stage adds to that sum, and none of them "
              "stands for x alone.")

namespace terms_left_out {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  d.x = d_quantized;
  return d;
}
}  // namespace terms_left_out
MISCONCEPTION(terms_left_out, rvq_backward, "rvqback.commitment-left-out",
              "The total of x lacks the commitment terms.",
              "x receives from two sides: what passes the quantizer, and what holds it near its "
              "codes.")

namespace through_left_out {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  d.x -= d_quantized;
  return d;
}
}  // namespace through_left_out
MISCONCEPTION(through_left_out, rvq_backward, "rvqback.through-left-out",
              "The total of x lacks what goes straight through.",
              "Without it the encoder learns to be quantized well, and nothing about images.")

namespace summed_not_averaged {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  const auto elements = static_cast<float>(x.size());
  d.x = d_quantized + elements * (d.x - d_quantized);
  for (RvqStageGradients& stage : d.stages) {
    stage.x *= elements;
    stage.codebook *= elements;
  }
  return d;
}
}  // namespace summed_not_averaged
MISCONCEPTION(summed_not_averaged, rvq_backward, "rvqback.summed",
              "The terms were summed over elements. They are means: divide by N D.",
              "beta means another thing then, and another one for each batch size.")

namespace averaged_over_rows {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  const auto columns = static_cast<float>(x.cols());
  d.x = d_quantized + columns * (d.x - d_quantized);
  for (RvqStageGradients& stage : d.stages) {
    stage.x *= columns;
    stage.codebook *= columns;
  }
  return d;
}
}  // namespace averaged_over_rows
MISCONCEPTION(averaged_over_rows, rvq_backward, "rvqback.mean-over-rows",
              "You divided by the number of rows. The mean is over all N D elements.",
              "A norm per row, averaged, is D times the mean square. Papers write norms; "
              "frameworks' mse_loss means elements.")

namespace averaged_over_stages {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  const auto count = static_cast<float>(stages.size());
  d.x = d_quantized + (d.x - d_quantized) / count;
  for (RvqStageGradients& stage : d.stages) {
    stage.x /= count;
    stage.codebook /= count;
  }
  return d;
}
}  // namespace averaged_over_stages
MISCONCEPTION(averaged_over_stages, rvq_backward, "rvqback.mean-over-stages",
              "The terms were averaged over stages. They are summed.",
              "Libraries differ here, and it changes what beta means: with a mean, a model with "
              "more stages holds its encoder less firmly.")

namespace beta_left_out {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  solution::rvq_backward(d_quantized, x, stages, indices, beta);
  return solution::rvq_backward(d_quantized, x, stages, indices, 1.0);
}
}  // namespace beta_left_out
MISCONCEPTION(beta_left_out, rvq_backward, "rvqback.beta-missing",
              "beta is missing in the commitment terms.",
              "It is the only thing that tells the two terms of a stage apart: who is to move.")

namespace beta_on_codes {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  solution::rvq_backward(d_quantized, x, stages, indices, beta);
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, 1.0);
  for (RvqStageGradients& stage : d.stages) stage.codebook *= static_cast<float>(beta);
  return d;
}
}  // namespace beta_on_codes
MISCONCEPTION(beta_on_codes, rvq_backward, "rvqback.beta-on-codebook",
              "beta weighs the codebook terms. It weighs the commitment terms.",
              "Both terms have one value, so the loss does not show it. "
              "CompVis/taming-transformers issue 46 is the well-known case, with a single stage.")

namespace x_for_residual {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  d.x = d_quantized;
  for (std::size_t q = 0; q < stages.size(); ++q) {
    const RvqIndices own = indices.col(static_cast<Index>(q));
    d.stages[q] = solution::rvq_backward(d_quantized, x, {stages[q]}, own, beta).stages[0];
    d.x += d.stages[q].x;
  }
  return d;
}
}  // namespace x_for_residual
MISCONCEPTION(x_for_residual, rvq_backward, "rvqback.x-for-residual",
              "Each stage was compared with x. Stage q is compared with what it was given, r_q.",
              "A fine code is to be near what the coarse ones left. Pulled towards x, it learns to "
              "be coarse.")

namespace pulled_away {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  d.x = 2.0F * d_quantized - d.x;
  for (RvqStageGradients& stage : d.stages) stage.x *= -1.0F;
  return d;
}
}  // namespace pulled_away
MISCONCEPTION(pulled_away, rvq_backward, "rvqback.sign",
              "The commitment terms' gradient has the wrong sign: descending it drives x away from "
              "its codes.",
              "The derivative of (r - e)^2 by r is 2 (r - e), by e it is 2 (e - r). One of the two "
              "was given to both.")

namespace codes_of_later_stages {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  for (Index q = 0; q < indices.cols(); ++q) {
    for (Index later = q + 1; later < indices.cols(); ++later) {
      for (Index n = 0; n < x.rows(); ++n)
        d.stages[static_cast<std::size_t>(q)].codebook.row(indices(n, q)) -=
            d.stages[static_cast<std::size_t>(later)].x.row(n);
    }
  }
  return d;
}
}  // namespace codes_of_later_stages
MISCONCEPTION(codes_of_later_stages, rvq_backward, "rvqback.later-stages-move-codes",
              "Later stages' commitment terms move the codes of earlier ones. The codes are "
              "detached where they are subtracted.",
              "Without the detach, r_2 = x - e_0 - e_1 depends on the earlier codes, and each of "
              "them is asked to make the later ones' work easier. Whether that is good is an open "
              "question: descript-audio-codec does not detach its residual (issue 107). Our "
              "contract does.")

namespace codes_overwritten {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  const RvqGradients unweighted = solution::rvq_backward(d_quantized, x, stages, indices, 1.0);
  for (Index q = 0; q < indices.cols(); ++q) {
    const auto stage = static_cast<std::size_t>(q);
    for (Index n = 0; n < x.rows(); ++n)
      d.stages[stage].codebook.row(indices(n, q)) = -unweighted.stages[stage].x.row(n);
  }
  return d;
}
}  // namespace codes_overwritten
MISCONCEPTION(codes_overwritten, rvq_backward, "rvqback.overwritten",
              "Of several rows with one code only the last one pulls it. Their pulls add up.",
              "= where -= belongs. As long as no two rows share a code, nothing is seen.")

namespace nothing_at_beta_0 {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqGradients d = solution::rvq_backward(d_quantized, x, stages, indices, beta);
  if (beta == 0.0) {
    for (RvqStageGradients& stage : d.stages) stage.codebook.setZero();
  }
  return d;
}
}  // namespace nothing_at_beta_0
MISCONCEPTION(nothing_at_beta_0, rvq_backward, "rvqback.beta-zero-stops-codes",
              "With beta = 0 the codes got nothing. beta weighs the commitment terms only.",
              "A shortcut for a term that vanishes took the other one with it.")

namespace any_d_quantized {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  Matrix fitting = Matrix::Zero(x.rows(), x.cols());
  const Index rows = std::min(x.rows(), d_quantized.rows());
  const Index cols = std::min(x.cols(), d_quantized.cols());
  fitting.topLeftCorner(rows, cols) = d_quantized.topLeftCorner(rows, cols);
  return solution::rvq_backward(fitting, x, stages, indices, beta);
}
}  // namespace any_d_quantized
MISCONCEPTION(any_d_quantized, rvq_backward, "rvqback.shapes-unchecked",
              "A d_quantized of another shape than x was accepted.",
              "The sum of codes has x's shape, and so has its gradient.")

namespace any_indices {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqIndices fitting = RvqIndices::Zero(x.rows(), std::ssize(stages));
  const Index rows = std::min(fitting.rows(), indices.rows());
  const Index cols = std::min(fitting.cols(), indices.cols());
  fitting.topLeftCorner(rows, cols) = indices.topLeftCorner(rows, cols);
  return solution::rvq_backward(d_quantized, x, stages, fitting, beta);
}
}  // namespace any_indices
MISCONCEPTION(any_indices, rvq_backward, "rvqback.indices-shape-unchecked",
              "Indices that are not [N, Q] were accepted.",
              "Every row has one index per stage; what is missing is not 0.")

namespace any_code {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  RvqIndices repaired = indices;
  for (Index q = 0; q < std::min<Index>(indices.cols(), std::ssize(stages)); ++q) {
    const Index codes = stages[static_cast<std::size_t>(q)].codebook.rows();
    for (Index n = 0; n < indices.rows(); ++n)
      repaired(n, q) = std::clamp<std::int64_t>(indices(n, q), 0, std::max<Index>(codes - 1, 0));
  }
  return solution::rvq_backward(d_quantized, x, stages, repaired, beta);
}
}  // namespace any_code
MISCONCEPTION(any_code, rvq_backward, "rvqback.index-unchecked",
              "An index that its stage does not have was accepted, -1 included.",
              "A dropped stage has no terms to differentiate; the contract leaves it to the caller "
              "to say so by leaving the stage out.")

namespace any_codebook {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  std::vector<RvqStage> fitting = stages;
  for (RvqStage& stage : fitting) {
    const Matrix codebook = stage.codebook;
    stage.codebook = Matrix::Zero(codebook.rows(), x.cols());
    const Index common = std::min(codebook.cols(), x.cols());
    stage.codebook.leftCols(common) = codebook.leftCols(common);
  }
  return solution::rvq_backward(d_quantized, x, fitting, indices, beta);
}
}  // namespace any_codebook
MISCONCEPTION(any_codebook, rvq_backward, "rvqback.columns-unchecked",
              "A codebook with other columns than x was accepted.",
              "A code of another dimension cannot have been subtracted.")

namespace nothing_accepted {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  if (x.size() == 0 || stages.empty()) return {d_quantized, {}, d_quantized};
  return solution::rvq_backward(d_quantized, x, stages, indices, beta);
}
}  // namespace nothing_accepted
MISCONCEPTION(nothing_accepted, rvq_backward, "rvqback.empty-accepted",
              "A batch without elements, or a quantizer without stages, was accepted.",
              "A mean over nothing has no gradient, and a sum over no stages is no quantizer.")

namespace any_beta {
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta) {
  return solution::rvq_backward(d_quantized, x, stages, indices, std::max(beta, 0.0));
}
}  // namespace any_beta
MISCONCEPTION(any_beta, rvq_backward, "rvqback.negative-beta-accepted",
              "A negative beta was accepted. It has to be refused.",
              "It would drive the encoder away from its codes.")

// ---- 10.3 rvq_bitrate --------------------------------------------------------------------------

namespace samples_not_frames {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  require(sample_rate >= 1 && hop >= 1 && codes >= 1 && stages >= 1, "sizes");
  return static_cast<double>(stages) * std::log2(static_cast<double>(codes)) *
         static_cast<double>(sample_rate) / 1000.0;
}
}  // namespace samples_not_frames
MISCONCEPTION(samples_not_frames, rvq_bitrate, "bitrate.samples-not-frames",
              "You paid for every sample. Indices are sent once per frame of hop samples.",
              "With 24,000 samples and a hop of 320 there are 75 frames per second. Per sample, "
              "two indices of 10 bits would make 480 kbit/s, more than uncompressed 16 bits.")

namespace natural_logarithm {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  return solution::rvq_bitrate(sample_rate, hop, codes, stages) * std::log(2.0);
}
}  // namespace natural_logarithm
MISCONCEPTION(natural_logarithm, rvq_bitrate, "bitrate.nats",
              "You took the natural logarithm, and counted nats. Bits are log2.",
              "std::log is to the base e. 1024 codes are 10 bits, or 6.93 nats.")

namespace decimal_logarithm {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  return solution::rvq_bitrate(sample_rate, hop, codes, stages) * std::log10(2.0);
}
}  // namespace decimal_logarithm
MISCONCEPTION(decimal_logarithm, rvq_bitrate, "bitrate.digits",
              "You took the logarithm to the base 10, and counted digits. Bits are log2.",
              "1024 codes are 10 bits, or 3.01 decimal digits.")

namespace in_bits {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  return 1000.0 * solution::rvq_bitrate(sample_rate, hop, codes, stages);
}
}  // namespace in_bits
MISCONCEPTION(in_bits, rvq_bitrate, "bitrate.bits-per-second",
              "The result is in bits per second. The contract has kilobits: divide by 1000.",
              "EnCodec's settings say 1.5, 3, 6, 12 and 24, in kbit/s, and its code multiplies "
              "them by 1000 before comparing.")

namespace by_1024 {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  return solution::rvq_bitrate(sample_rate, hop, codes, stages) * 1000.0 / 1024.0;
}
}  // namespace by_1024
MISCONCEPTION(by_1024, rvq_bitrate, "bitrate.kibibits",
              "You divided by 1024. A kilobit is 1000 bits.",
              "Rates of lines and codecs are decimal, sizes of memory are often binary.")

namespace hop_multiplied {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const auto h = static_cast<double>(hop);
  return solution::rvq_bitrate(sample_rate, hop, codes, stages) * h * h;
}
}  // namespace hop_multiplied
MISCONCEPTION(
    hop_multiplied, rvq_bitrate, "bitrate.times-hop",
    "You multiplied by the hop. A frame lasts hop samples, so there are hop times fewer "
    "of them.",
    "A longer hop makes the stream cheaper, not dearer: check the direction with hop = 2.")

namespace whole_frames {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const double exact = solution::rvq_bitrate(sample_rate, hop, codes, stages);
  const double rate = static_cast<double>(sample_rate) / static_cast<double>(hop);
  return exact / rate * static_cast<double>(sample_rate / hop);
}
}  // namespace whole_frames
MISCONCEPTION(whole_frames, rvq_bitrate, "bitrate.frame-rate-truncated",
              "The frame rate was rounded down: two whole numbers were divided as whole numbers.",
              "44,100 / 512 is 86.13 frames per second. In C++ the quotient of two integers is an "
              "integer; convert before you divide.")

namespace more_frames {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const double exact = solution::rvq_bitrate(sample_rate, hop, codes, stages);
  const double rate = static_cast<double>(sample_rate) / static_cast<double>(hop);
  return exact / rate * std::ceil(rate);
}
}  // namespace more_frames
MISCONCEPTION(more_frames, rvq_bitrate, "bitrate.frame-rate-rounded-up",
              "The frame rate was rounded up. It need not be a whole number.",
              "A clip is padded to whole frames, a rate is not.")

namespace whole_bits {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const double exact = solution::rvq_bitrate(sample_rate, hop, codes, stages);
  if (codes == 1) return exact;
  const double bits = std::log2(static_cast<double>(codes));
  return exact / bits * std::ceil(bits);
}
}  // namespace whole_bits
MISCONCEPTION(whole_bits, rvq_bitrate, "bitrate.bits-rounded-up",
              "The bits of an index were rounded up. log2 K is not rounded.",
              "An index alone takes whole bits; a stream of them does not, since several can be "
              "packed as one number. For 1000 codes it is 9.966.")

namespace fewer_bits {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const double exact = solution::rvq_bitrate(sample_rate, hop, codes, stages);
  if (codes == 1) return exact;
  const double bits = std::log2(static_cast<double>(codes));
  return exact / bits * std::floor(bits);
}
}  // namespace fewer_bits
MISCONCEPTION(fewer_bits, rvq_bitrate, "bitrate.bits-rounded-down",
              "The bits of an index were rounded down. log2 K is not rounded.",
              "A cast to int truncates. With 1500 codes, 10 bits cannot name them all.")

namespace at_least_one_bit {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const double exact = solution::rvq_bitrate(sample_rate, hop, codes, stages);
  return codes > 1 ? exact : solution::rvq_bitrate(sample_rate, hop, 2, stages);
}
}  // namespace at_least_one_bit
MISCONCEPTION(at_least_one_bit, rvq_bitrate, "bitrate.one-code-costs",
              "A single code was charged a bit. It costs nothing: there is nothing to say.",
              "log2 1 = 0. A codebook that has collapsed to one code still takes its bits on the "
              "wire, and carries none; this number tells the second.")

namespace stages_in_logarithm {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  solution::rvq_bitrate(sample_rate, hop, codes, stages);
  return solution::rvq_bitrate(sample_rate, hop, codes * stages, 1);
}
}  // namespace stages_in_logarithm
MISCONCEPTION(stages_in_logarithm, rvq_bitrate, "bitrate.codes-added",
              "You counted the codes of all stages together, log2 (Q K). Each stage sends an index "
              "of its own: Q log2 K.",
              "Q tables of K codes are Q K vectors to store and K^Q to name. Storing is cheap, "
              "naming is what costs bits, and that is why it is done.")

namespace stages_left_out {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  solution::rvq_bitrate(sample_rate, hop, codes, stages);
  return solution::rvq_bitrate(sample_rate, hop, codes, 1);
}
}  // namespace stages_left_out
MISCONCEPTION(stages_left_out, rvq_bitrate, "bitrate.one-stage",
              "The number of stages is missing. Every stage sends an index per frame.",
              "It is the knob: twice the stages, twice the rate.")

namespace sizes_unchecked {
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  const auto at_least_1 = [](std::int64_t size) { return std::max<std::int64_t>(size, 1); };
  return solution::rvq_bitrate(at_least_1(sample_rate), at_least_1(hop), at_least_1(codes),
                               at_least_1(stages));
}
}  // namespace sizes_unchecked
MISCONCEPTION(sizes_unchecked, rvq_bitrate, "bitrate.sizes-unchecked",
              "A size below 1 was accepted. It has to be refused.",
              "A hop of 0 divides by 0, and no code has no logarithm.")

namespace rounded_up {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  const std::int64_t fitting = solution::rvq_stages_for(bandwidth, sample_rate, hop, codes);
  const double each = solution::rvq_bitrate(sample_rate, hop, codes, 1);
  return std::max(fitting, static_cast<std::int64_t>(std::ceil(bandwidth / each)));
}
}  // namespace rounded_up
MISCONCEPTION(rounded_up, rvq_stages_for, "stagesfor.rounded-up",
              "You rounded up. The last stage does not fit any more.",
              "A bandwidth is an upper bound. With 6.5 kbit/s and 0.75 for each stage, 8 fit and "
              "the ninth would need 6.75.")

namespace rounded_to_nearest {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  const std::int64_t fitting = solution::rvq_stages_for(bandwidth, sample_rate, hop, codes);
  const double each = solution::rvq_bitrate(sample_rate, hop, codes, 1);
  return std::max(fitting, static_cast<std::int64_t>(std::floor(bandwidth / each + 0.5)));
}
}  // namespace rounded_to_nearest
MISCONCEPTION(rounded_to_nearest, rvq_stages_for, "stagesfor.rounded-to-nearest",
              "You rounded to the nearest number. What does not fit entirely does not fit.",
              "A bandwidth is an upper bound, so there is one direction to round.")

namespace strictly_below {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  const std::int64_t fitting = solution::rvq_stages_for(bandwidth, sample_rate, hop, codes);
  const double each = solution::rvq_bitrate(sample_rate, hop, codes, 1);
  if (static_cast<double>(fitting) * each < bandwidth) return fitting;
  return std::max<std::int64_t>(fitting - 1, 1);
}
}  // namespace strictly_below
MISCONCEPTION(strictly_below, rvq_stages_for, "stagesfor.exact-fit-refused",
              "A rate that is exactly the bandwidth was not allowed. It does not exceed it, so it "
              "fits.",
              "EnCodec's settings are all exact fits: 1.5 kbit/s is two stages of 0.75, not one.")

namespace none_fits {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  solution::rvq_stages_for(bandwidth, sample_rate, hop, codes);
  return static_cast<std::int64_t>(
      std::floor(bandwidth / solution::rvq_bitrate(sample_rate, hop, codes, 1)));
}
}  // namespace none_fits
MISCONCEPTION(none_fits, rvq_stages_for, "stagesfor.none",
              "Where not even one stage fits you returned 0. It is at least 1.",
              "A decoder that is given nothing has nothing to decode; the contract rather exceeds "
              "the bandwidth once.")

namespace kbit_for_bit {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  return solution::rvq_stages_for(bandwidth / 1000.0, sample_rate, hop, codes);
}
}  // namespace kbit_for_bit
MISCONCEPTION(kbit_for_bit, rvq_stages_for, "stagesfor.kbit-for-bit",
              "A bandwidth in kbit/s was compared with a rate in bit/s.",
              "The result is 1, nearly always, which is allowed, so nothing fails: the model just "
              "sounds bad at every setting.")

namespace one_code_accepted {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  const auto at_least = [](std::int64_t size, std::int64_t least) { return std::max(size, least); };
  return solution::rvq_stages_for(bandwidth, at_least(sample_rate, 1), at_least(hop, 1),
                                  at_least(codes, 2));
}
}  // namespace one_code_accepted
MISCONCEPTION(one_code_accepted, rvq_stages_for, "stagesfor.sizes-unchecked",
              "A single code, or a size below 1, was accepted. It has to be refused.",
              "With one code a stage costs nothing, and any number of them fits: a division by 0.")

namespace any_bandwidth {
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  const bool is_sound = std::isfinite(bandwidth) && bandwidth > 0.0;
  return solution::rvq_stages_for(is_sound ? bandwidth : 1e-9, sample_rate, hop, codes);
}
}  // namespace any_bandwidth
MISCONCEPTION(any_bandwidth, rvq_stages_for, "stagesfor.bandwidth-unchecked",
              "A bandwidth that is not above 0 and finite was accepted.",
              "max(1, ...) turns every nonsense into 1. The cast of NaN or an infinity to an "
              "integer is undefined in C++.")

// ---- 10.4 lfq_quantize -------------------------------------------------------------------------

namespace sign_of_zero {
Matrix lfq_quantize(const Matrix& z, double scale) {
  require(scale > 0.0 && z.allFinite(), "arguments");
  return static_cast<float>(scale) * z.array().sign();
}
}  // namespace sign_of_zero
MISCONCEPTION(sign_of_zero, lfq_quantize, "lfq.sign-of-zero",
              "A latent of 0 became 0. There are two codes: it becomes -scale.",
              "sign(0) = 0 in numpy, torch and Eigen. A third code has no index: bits_to_index "
              "makes the same token of it as of -scale, and what is decoded from the token is not "
              "what was trained on. vector-quantize-pytorch asks z > 0, as we do.")

namespace zero_is_positive {
Matrix lfq_quantize(const Matrix& z, double scale) {
  solution::lfq_quantize(z, scale);
  const auto high = static_cast<float>(scale);
  return (z.array() >= 0.0F).select(Matrix::Constant(z.rows(), z.cols(), high), -high);
}
}  // namespace zero_is_positive
MISCONCEPTION(zero_is_positive, lfq_quantize, "lfq.zero-is-positive",
              "A latent of 0 became +scale. The contract says -scale.",
              "z >= 0 is as good a convention as z > 0, and not the same one. A latent that is "
              "exactly 0 is no accident: a layer that starts at zero puts out nothing else.")

namespace without_scale {
Matrix lfq_quantize(const Matrix& z, double scale) {
  return solution::lfq_quantize(z, scale) / static_cast<float>(scale);
}
}  // namespace without_scale
MISCONCEPTION(without_scale, lfq_quantize, "lfq.scale-missing",
              "The codes are +1 and -1. They are +scale and -scale.",
              "Residual lookup-free quantizers halve the scale from stage to stage; without it "
              "their second stage is as coarse as the first.")

namespace soft {
Matrix lfq_quantize(const Matrix& z, double scale) {
  solution::lfq_quantize(z, scale);
  return static_cast<float>(scale) * z.array().tanh();
}
}  // namespace soft
MISCONCEPTION(soft, lfq_quantize, "lfq.tanh",
              "You returned scale tanh(z), which lies between the codes. The output is a code.",
              "A tanh is sometimes used for the gradient. What the decoder reads has to be one of "
              "two values, in training as afterwards.")

namespace threshold_half {
Matrix lfq_quantize(const Matrix& z, double scale) {
  return solution::lfq_quantize((z.array() - 0.5F).matrix(), scale);
}
}  // namespace threshold_half
MISCONCEPTION(threshold_half, lfq_quantize, "lfq.threshold-half",
              "The threshold is at 1/2. It is at 0: what counts is the sign.",
              "1/2 is the threshold of a probability. z is a logit.")

namespace dead_zone {
Matrix lfq_quantize(const Matrix& z, double scale) {
  solution::lfq_quantize(z, scale);
  return solution::lfq_quantize((z.array() > 1e-6F).select(z.array(), -1.0F).matrix(), scale);
}
}  // namespace dead_zone
MISCONCEPTION(dead_zone, lfq_quantize, "lfq.dead-zone",
              "Small positive latents became -scale. Any number above 0 is +scale.",
              "An epsilon is added where one divides or takes a logarithm. A sign needs none.")

namespace normalised {
Matrix lfq_quantize(const Matrix& z, double scale) {
  return solution::lfq_quantize(z, scale) / std::sqrt(static_cast<float>(z.cols()));
}
}  // namespace normalised
MISCONCEPTION(normalised, lfq_quantize, "lfq.unit-length",
              "The codes of a row were brought to length scale. Each element is +scale or -scale.",
              "Binary spherical quantization divides by the root of d, so that codes lie on a "
              "sphere. It is a relative of this one, with another contract.")

namespace any_scale {
Matrix lfq_quantize(const Matrix& z, double scale) {
  return solution::lfq_quantize(z, scale > 0.0 ? scale : 1.0);
}
}  // namespace any_scale
MISCONCEPTION(any_scale, lfq_quantize, "lfq.scale-unchecked",
              "A scale that is not above 0 was accepted.",
              "With 0 both codes are one, with a negative one they change places.")

namespace any_latent {
Matrix lfq_quantize(const Matrix& z, double scale) {
  return solution::lfq_quantize((z.array().isFinite()).select(z.array(), -1.0F).matrix(), scale);
}
}  // namespace any_latent
MISCONCEPTION(any_latent, lfq_quantize, "lfq.not-finite-accepted",
              "A latent that is infinite or no number was accepted.",
              "NaN > 0 is false, so a diverged encoder yields tokens of all zeros, perfectly legal "
              "ones.")

namespace no_gradient {
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  return 0.0F * solution::lfq_quantize_backward(d_codes, z);
}
}  // namespace no_gradient
MISCONCEPTION(no_gradient, lfq_quantize_backward, "lfqback.zero",
              "You returned the true derivative of a sign, 0. The encoder would learn nothing.",
              "It is right as calculus and useless. Straight-through replaces it by 1.")

namespace through_tanh {
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  const Matrix through = solution::lfq_quantize_backward(d_codes, z);
  return through.array() * (1.0F - z.array().tanh().square());
}
}  // namespace through_tanh
MISCONCEPTION(through_tanh, lfq_quantize_backward, "lfqback.tanh",
              "You multiplied by the derivative of tanh. There is no tanh in front of the sign.",
              "FSQ bounds with a tanh, and its gradient goes through it; LFQ, in its paper and by "
              "default in vector-quantize-pytorch, does not bound at all.")

namespace clipped {
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  const Matrix through = solution::lfq_quantize_backward(d_codes, z);
  return through.array() * (z.array().abs() <= 1.0F).cast<float>();
}
}  // namespace clipped
MISCONCEPTION(clipped, lfq_quantize_backward, "lfqback.clipped",
              "Latents beyond 1 got no gradient. Straight through, all do.",
              "That is the estimator of binarised networks, which stops weights from running away. "
              "Here a latent beyond 1 that is on the wrong side could never come back.")

namespace sign_of_gradient {
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  return solution::lfq_quantize_backward(d_codes, z).array().sign();
}
}  // namespace sign_of_gradient
MISCONCEPTION(sign_of_gradient, lfq_quantize_backward, "lfqback.sign-of-gradient",
              "You took the sign of the gradient. The gradient passes as it is.",
              "The sign belongs to the forward pass.")

namespace shapes_unchecked {
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z) {
  Matrix dz = d_codes;
  dz.conservativeResize(z.rows(), z.cols());
  return dz;
}
}  // namespace shapes_unchecked
MISCONCEPTION(shapes_unchecked, lfq_quantize_backward, "lfqback.shapes-unchecked",
              "A gradient of another shape than z was accepted.",
              "z gives nothing but its shape here; it should at least be compared.")

namespace most_significant_first {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  return solution::bits_to_index(codes.rowwise().reverse());
}
}  // namespace most_significant_first
MISCONCEPTION(most_significant_first, bits_to_index, "bits.most-significant-first",
              "You read dimension 0 as the most significant bit: 10011 is 19. In this contract "
              "dimension 0 counts 1, and it is 25.",
              "vector-quantize-pytorch builds its mask as 2^(d-1), ..., 2, 1, so its first "
              "dimension counts most; our FSQ and LFQ count from the least. Both pass their own "
              "round trip. Tokens that are exchanged between the two decode to noise.")

namespace complement {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  return solution::bits_to_index(-codes);
}
}  // namespace complement
MISCONCEPTION(complement, bits_to_index, "bits.complement",
              "Negative codes were taken for 1. A code above 0 is a 1.",
              "Each index is then 2^d - 1 minus the right one.")

namespace carried_over {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  std::vector<std::int64_t> indices = solution::bits_to_index(codes);
  std::uint64_t carried = 0;
  for (std::int64_t& index : indices) {
    carried += static_cast<std::uint64_t>(index);
    index = static_cast<std::int64_t>(carried);
  }
  return indices;
}
}  // namespace carried_over
MISCONCEPTION(carried_over, bits_to_index, "bits.not-reset",
              "The index of the row before was carried over. Each row starts at 0.",
              "The accumulator is declared outside the loop over rows. With one row it is right.")

namespace only_ones {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  return solution::bits_to_index((codes.array() == 1.0F).select(codes.array(), -1.0F).matrix());
}
}  // namespace only_ones
MISCONCEPTION(only_ones, bits_to_index, "bits.equal-to-one",
              "Only codes of exactly 1 were taken for a 1. With another scale there are none: "
              "compare with 0.",
              "Codes are ±scale. A comparison of floats for equality asks more than it needs.")

namespace in_32_bits {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  std::vector<std::int64_t> indices = solution::bits_to_index(codes);
  for (std::int64_t& index : indices) index = static_cast<std::int32_t>(index);
  return indices;
}
}  // namespace in_32_bits
MISCONCEPTION(in_32_bits, bits_to_index, "bits.32-bits",
              "The index was kept in 32 bits. With more than 31 dimensions it does not fit.",
              "1 << 40 is undefined for an int. Write std::int64_t{1} << i.")

namespace in_doubles {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  std::vector<std::int64_t> indices = solution::bits_to_index(codes);
  for (std::int64_t& index : indices) {
    const double rounded = static_cast<double>(index);
    // The mistake adds up powers in a float; here the sum is rounded once.
    index = static_cast<std::int64_t>(static_cast<float>(rounded) * 1.0F);
  }
  return indices;
}
}  // namespace in_doubles
MISCONCEPTION(in_doubles, bits_to_index, "bits.in-floats",
              "The powers were added up in floating point. Beyond 24 bits, a float no longer holds "
              "every whole number.",
              "std::pow returns a floating-point number and invites it. The low bits, which are "
              "the first dimensions, are rounded away. In FSQ the same was found in bfloat16, "
              "where 256 is the limit (vector-quantize-pytorch issue 114).")

namespace any_width {
std::vector<std::int64_t> bits_to_index(const Matrix& codes) {
  if (codes.cols() == 0) return std::vector<std::int64_t>(static_cast<std::size_t>(codes.rows()));
  return solution::bits_to_index(codes.leftCols(std::min<Index>(codes.cols(), 62)));
}
}  // namespace any_width
MISCONCEPTION(any_width, bits_to_index, "bits.width-unchecked",
              "No dimension, or more than 62, was accepted.",
              "With 63 bits the number of codes does not fit into 64 bits with a sign; with 64 the "
              "index does not.")

namespace read_reversed {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  return solution::index_to_bits(indices, dimensions, scale).rowwise().reverse();
}
}  // namespace read_reversed
MISCONCEPTION(read_reversed, index_to_bits, "unbits.most-significant-first",
              "The most significant bit came first. Dimension 0 is the least significant one.",
              "Together with an equally reversed bits_to_index the round trip is perfect. A single "
              "worked example, 25 for 10011, tells.")

namespace zeros_and_ones {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  return solution::index_to_bits(indices, dimensions, scale).cwiseMax(0.0F);
}
}  // namespace zeros_and_ones
MISCONCEPTION(zeros_and_ones, index_to_bits, "unbits.zeros-and-ones",
              "A bit that is not set became 0. It is the code -scale.",
              "Bits are 0 and 1, codes are ± scale: code = scale (2 bit - 1).")

namespace unscaled {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  return solution::index_to_bits(indices, dimensions, scale) / static_cast<float>(scale);
}
}  // namespace unscaled
MISCONCEPTION(unscaled, index_to_bits, "unbits.scale-missing",
              "The scale is missing: the codes are +1 and -1.",
              "What is decoded from tokens has to be what the quantizer put out, scale included.")

namespace flipped {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  return -solution::index_to_bits(indices, dimensions, scale);
}
}  // namespace flipped
MISCONCEPTION(flipped, index_to_bits, "unbits.complement", "Set bits became -scale. A 1 is +scale.",
              "Every code comes out as its opposite.")

namespace low_bits_only {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  Matrix codes = solution::index_to_bits(indices, dimensions, scale);
  if (dimensions > 31) codes.rightCols(dimensions - 31).setConstant(-static_cast<float>(scale));
  return codes;
}
}  // namespace low_bits_only
MISCONCEPTION(low_bits_only, index_to_bits, "unbits.32-bits",
              "The bits beyond the 31st were lost: the index was read as an int.",
              "Some libraries call .int() on indices before masking, which is enough for 18 bits.")

namespace width_trusted {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  if (dimensions >= 1 && dimensions <= 62)
    return solution::index_to_bits(indices, dimensions, scale);
  return Matrix::Zero(std::ssize(indices), std::max<std::int64_t>(dimensions, 0));
}
}  // namespace width_trusted
MISCONCEPTION(width_trusted, index_to_bits, "unbits.width-unchecked",
              "No dimension, or more than 62, was accepted.",
              "A shift by 64 is undefined, and 2^63 codes have no number in 64 bits with a sign.")

namespace index_trusted {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  std::vector<std::int64_t> cut = indices;
  if (dimensions >= 1 && dimensions <= 62) {
    for (std::int64_t& index : cut) index &= (std::int64_t{1} << dimensions) - 1;
  }
  return solution::index_to_bits(cut, dimensions, scale);
}
}  // namespace index_trusted
MISCONCEPTION(
    index_trusted, index_to_bits, "unbits.index-unchecked",
    "An index that has not so many bits was accepted.",
    "Masked, a token of another vocabulary decodes to a code nobody meant; -1 becomes all "
    "ones.")

namespace scale_trusted {
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale) {
  return solution::index_to_bits(indices, dimensions, scale > 0.0 ? scale : 1.0);
}
}  // namespace scale_trusted
MISCONCEPTION(scale_trusted, index_to_bits, "unbits.scale-unchecked",
              "A scale that is not above 0 was accepted.",
              "lfq_quantize refuses it, so no code of that scale can have been made.")

// ---- 10.5 entropy_terms ------------------------------------------------------------------------

namespace half_the_logit {
double entropy(double p) {
  return p > 0.0 ? -p * std::log(p) : 0.0;
}

EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  require(z.rows() >= 1 && z.cols() >= 1 && z.cols() <= 16 && tau > 0.0 && gamma >= 0.0,
          "arguments");
  EntropyTerms terms;
  for (Index j = 0; j < Index{1} << z.cols(); ++j) {
    double mean = 0.0;
    for (Index n = 0; n < z.rows(); ++n) {
      double p = 1.0;
      for (Index i = 0; i < z.cols(); ++i) {
        const double sign = (j >> i) % 2 == 1 ? 1.0 : -1.0;
        p /= 1.0 + std::exp(-2.0 * tau * sign * static_cast<double>(z(n, i)));
      }
      terms.per_sample += entropy(p) / static_cast<double>(z.rows());
      mean += p / static_cast<double>(z.rows());
    }
    terms.codebook += entropy(mean);
  }
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace half_the_logit
MISCONCEPTION(half_the_logit, entropy_terms, "entropy.half-the-logit",
              "You used sigma(2 tau z) for a bit. The two codes of a bit differ by 2, so the "
              "logits differ by 2 tau z times 2: sigma(4 tau z).",
              "softmax over (2 tau z, -2 tau z) is sigma of the difference. The factor is half of "
              "a temperature, so nothing looks wrong, only less sure.")

namespace added {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.loss = terms.per_sample + gamma * terms.codebook;
  return terms;
}
}  // namespace added
MISCONCEPTION(added, entropy_terms, "entropy.codebook-added",
              "The codebook's entropy was added. It is to be large, so the loss subtracts it.",
              "Added, both terms pull towards certainty, and all rows end at one code: collapse by "
              "design. It was reported of myscience/open-genie (issue 9). That the right loss can "
              "be negative has been reported as a bug, too (vector-quantize-pytorch issue 92); it "
              "is none.")

namespace gamma_ignored {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  solution::entropy_terms(z, tau, gamma);
  return solution::entropy_terms(z, tau, 1.0);
}
}  // namespace gamma_ignored
MISCONCEPTION(gamma_ignored, entropy_terms, "entropy.gamma-ignored",
              "gamma is missing: the codebook's entropy counts gamma times.",
              "With the usual gamma = 1 nothing is seen.")

namespace gamma_on_first {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.loss = gamma * terms.per_sample - terms.codebook;
  return terms;
}
}  // namespace gamma_on_first
MISCONCEPTION(gamma_on_first, entropy_terms, "entropy.gamma-on-per-sample",
              "gamma weighs the wrong term. It belongs to the codebook's entropy.",
              "gamma says how much diversity is worth, measured in certainty.")

namespace entropy_of_mean_twice {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.per_sample = terms.codebook;
  terms.loss = (1.0 - gamma) * terms.codebook;
  return terms;
}
}  // namespace entropy_of_mean_twice
MISCONCEPTION(entropy_of_mean_twice, entropy_terms, "entropy.per-sample-of-mean",
              "Both terms are the entropy of the mean distribution. per_sample is the mean of the "
              "rows' entropies.",
              "Averaging first throws away whether each row is sure. For one row they agree, and "
              "the difference between the two is what the loss is about.")

namespace mean_of_entropies_twice {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.codebook = terms.per_sample;
  terms.loss = (1.0 - gamma) * terms.per_sample;
  return terms;
}
}  // namespace mean_of_entropies_twice
MISCONCEPTION(
    mean_of_entropies_twice, entropy_terms, "entropy.codebook-of-rows",
    "Both terms are the mean of the rows' entropies. codebook is the entropy of the mean.",
    "Then nothing rewards the use of many codes.")

namespace by_bits {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.codebook = 0.0;
  for (Index i = 0; i < z.cols(); ++i)
    terms.codebook += solution::entropy_terms(z.col(i), tau, gamma).codebook;
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace by_bits
MISCONCEPTION(by_bits, entropy_terms, "entropy.codebook-by-bits",
              "You added up the entropies of the bits for the codebook, too. A mean of products is "
              "not a product: only a single row's distribution factorises.",
              "Rows at (+, +) and (-, -) use two codes of four: ln 2. Bit by bit each bit is "
              "undecided, and it looks like 2 ln 2, all four codes. For 18 bits the sum over "
              "2^18 codes is expensive, so implementations factorise it in groups, and estimate "
              "an upper bound.")

namespace counted_codes {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  std::vector<double> count(std::size_t{1} << z.cols());
  for (const std::int64_t index : bits_to_index(z)) count[static_cast<std::size_t>(index)] += 1.0;
  terms.codebook = 0.0;
  for (const double c : count) {
    const double p = c / static_cast<double>(z.rows());
    if (p > 0.0) terms.codebook -= p * std::log(p);
  }
  return terms;
}
}  // namespace counted_codes
MISCONCEPTION(counted_codes, entropy_terms, "entropy.counted-codes",
              "You counted the codes after quantizing. The mean is of the soft distributions, so "
              "that it has a gradient.",
              "The entropy of the counts is what perplexity in lab 06 measures. It is a step "
              "function of z. Where every row is sure of its code, both agree.")

namespace summed_rows {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.per_sample *= static_cast<double>(z.rows());
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace summed_rows
MISCONCEPTION(summed_rows, entropy_terms, "entropy.summed-over-rows",
              "The rows' entropies were summed. per_sample is their mean.",
              "The codebook's entropy does not grow with the batch, so gamma would mean another "
              "thing for every batch size.")

namespace averaged_codes {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  const auto codes = static_cast<double>(std::int64_t{1} << z.cols());
  return {terms.per_sample / codes, terms.codebook / codes, terms.loss / codes};
}
}  // namespace averaged_codes
MISCONCEPTION(averaged_codes, entropy_terms, "entropy.mean-over-codes",
              "You averaged -p ln p over the codes. An entropy is their sum.",
              "With 2^18 codes the mean is 262,144 times too small, and whatever weight was tuned "
              "is gone. A question about it is vector-quantize-pytorch issue 120.")

namespace in_bits {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  const EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  const double nats = std::log(2.0);
  return {terms.per_sample / nats, terms.codebook / nats, terms.loss / nats};
}
}  // namespace in_bits
MISCONCEPTION(in_bits, entropy_terms, "entropy.in-bits",
              "You measured in bits. The contract has nats: the natural logarithm.",
              "A bit of entropy is 0.693 nats, so d undecided bits are d ln 2.")

namespace temperature {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  return solution::entropy_terms(z, tau > 0.0 ? 1.0 / tau : tau, gamma);
}
}  // namespace temperature
MISCONCEPTION(temperature, entropy_terms, "entropy.divided-by-tau",
              "You divided by tau. It is an inverse temperature: it multiplies.",
              "Libraries have both: a temperature of 0.01 and an inverse temperature of 100 are "
              "the same setting. Mixed up, every row is undecided.")

namespace clamped_logarithm {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  terms.per_sample = terms.codebook = 0.0;
  const auto term = [](double p) { return -p * std::log(std::max(p, 1e-5)); };
  for (Index j = 0; j < Index{1} << z.cols(); ++j) {
    double mean = 0.0;
    for (Index n = 0; n < z.rows(); ++n) {
      double p = 1.0;
      for (Index i = 0; i < z.cols(); ++i) {
        const double sign = (j >> i) % 2 == 1 ? 1.0 : -1.0;
        p /= 1.0 + std::exp(-4.0 * tau * sign * static_cast<double>(z(n, i)));
      }
      terms.per_sample += term(p) / static_cast<double>(z.rows());
      mean += p / static_cast<double>(z.rows());
    }
    terms.codebook += term(mean);
  }
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace clamped_logarithm
MISCONCEPTION(clamped_logarithm, entropy_terms, "entropy.clamped-logarithm",
              "The logarithm was clamped at ln 1e-5. Codes of smaller probability count with their "
              "own logarithm, and 0 ln 0 is 0.",
              "The clamp keeps log away from 0, and it changes the entropy as soon as there are "
              "more than 100,000 codes: with 2^18 equally likely ones, it says 11.5 nats in place "
              "of 12.5. vector-quantize-pytorch clamps at 1e-5.")

namespace zero_times_infinity {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, gamma);
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index i = 0; i < z.cols(); ++i) {
      if (std::abs(4.0 * tau * static_cast<double>(z(n, i))) > 745.0)
        terms.per_sample = terms.codebook = terms.loss = std::nan("");
    }
  }
  return terms;
}
}  // namespace zero_times_infinity
MISCONCEPTION(zero_times_infinity, entropy_terms, "entropy.zero-ln-zero",
              "Where a probability is 0 the result is NaN. 0 ln 0 is 0: leave such terms out.",
              "std::log(0) is minus infinity and 0 times infinity no number. A temperature that "
              "falls in training gets there.")

namespace size_unchecked {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  if (z.size() == 0) return {};
  return solution::entropy_terms(z.leftCols(std::min<Index>(z.cols(), 16)), tau, gamma);
}
}  // namespace size_unchecked
MISCONCEPTION(size_unchecked, entropy_terms, "entropy.size-unchecked",
              "A batch without rows, no dimension or more than 16 of them was accepted.",
              "A mean over no rows is no number. With 17 bits the table of codes has 131,072 "
              "columns; the contract ends before.")

namespace tau_unchecked {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  return solution::entropy_terms(z, std::max(tau, 1e-12), gamma);
}
}  // namespace tau_unchecked
MISCONCEPTION(tau_unchecked, entropy_terms, "entropy.tau-unchecked",
              "A tau that is not above 0 was accepted.",
              "At 0 every row is undecided, and below it the farthest code is the likeliest.")

namespace gamma_unchecked {
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  EntropyTerms terms = solution::entropy_terms(z, tau, std::abs(gamma));
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}
}  // namespace gamma_unchecked
MISCONCEPTION(gamma_unchecked, entropy_terms, "entropy.gamma-unchecked",
              "A negative gamma was accepted. It has to be refused.",
              "It rewards the use of few codes.")

namespace tau_once {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  return solution::entropy_backward(z, tau, gamma) / static_cast<float>(tau);
}
}  // namespace tau_once
MISCONCEPTION(tau_once, entropy_backward, "entropyback.tau-missing",
              "A factor tau is missing: the gradient is that with respect to tau z.",
              "z enters as tau z everywhere, so the chain rule ends with a tau.")

namespace ascended {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  return -solution::entropy_backward(z, tau, gamma);
}
}  // namespace ascended
MISCONCEPTION(ascended, entropy_backward, "entropyback.sign",
              "The sign is wrong: descending this gradient makes rows undecided and codes few.",
              "Entropy falls as z grows away from 0, so its derivative has the sign of -z.")

namespace four_for_sixteen {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  const Matrix first = solution::entropy_backward(z, tau, 0.0);
  return solution::entropy_backward(z, tau, gamma) - 0.75F * first;
}
}  // namespace four_for_sixteen
MISCONCEPTION(four_for_sixteen, entropy_backward, "entropyback.four-for-sixteen",
              "The first term has 4 where 16 belongs: the logit is 4 tau z, and it enters twice.",
              "dH/dq = -4 tau z, and dq/dz = 4 tau q (1 - q).")

namespace not_averaged {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  return static_cast<float>(z.rows()) * solution::entropy_backward(z, tau, gamma);
}
}  // namespace not_averaged
MISCONCEPTION(not_averaged, entropy_backward, "entropyback.rows-missing",
              "The 1/N is missing. Both terms contain a mean over rows.",
              "In the second term it is the mean inside of the logarithm's argument.")

namespace codebook_constant {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  solution::entropy_backward(z, tau, gamma);
  return solution::entropy_backward(z, tau, 0.0);
}
}  // namespace codebook_constant
MISCONCEPTION(codebook_constant, entropy_backward, "entropyback.codebook-constant",
              "The codebook's entropy has no gradient in your answer. The mean depends on every "
              "row.",
              "Detached, as a statistic of the batch often is, it leaves the rows to become sure, "
              "of one code.")

namespace codebook_added {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  const Matrix first = solution::entropy_backward(z, tau, 0.0);
  return 2.0F * first - solution::entropy_backward(z, tau, gamma);
}
}  // namespace codebook_added
MISCONCEPTION(codebook_added, entropy_backward, "entropyback.codebook-added",
              "The codebook's gradient was added. The loss subtracts gamma times that entropy.",
              "It drives all rows to one code.")

namespace softmax_left_out {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  Matrix dz = solution::entropy_backward(z, tau, gamma);
  const Index codes = Index{1} << z.cols();
  Eigen::MatrixXd p = Eigen::MatrixXd::Ones(z.rows(), codes);
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index j = 0; j < codes; ++j) {
      for (Index i = 0; i < z.cols(); ++i) {
        const double sign = (j >> i) % 2 == 1 ? 1.0 : -1.0;
        p(n, j) /= 1.0 + std::exp(-4.0 * tau * sign * static_cast<double>(z(n, i)));
      }
    }
  }
  const Eigen::RowVectorXd mean = p.colwise().mean();
  for (Index n = 0; n < z.rows(); ++n) {
    for (Index i = 0; i < z.cols(); ++i) {
      const double bit = 2.0 / (1.0 + std::exp(-4.0 * tau * static_cast<double>(z(n, i)))) - 1.0;
      for (Index j = 0; j < codes; ++j) {
        if (mean(j) <= 0.0) continue;
        dz(n, i) += static_cast<float>(gamma * 2.0 * tau / static_cast<double>(z.rows()) * p(n, j) *
                                       bit * std::log(mean(j)));
      }
    }
  }
  return dz;
}
}  // namespace softmax_left_out
MISCONCEPTION(
    softmax_left_out, entropy_backward, "entropyback.normalisation-left-out",
    "In the codebook's gradient the mean of the bit is missing: raising one logit lowers "
    "all other probabilities.",
    "d p_j / d z = 2 tau p_j (c_j - m): the m is the softmax's normalisation. Without it, "
    "probabilities would not keep adding up to 1.")

namespace backward_zero_ln_zero {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  Matrix dz = solution::entropy_backward(z, tau, gamma);
  if (4.0 * tau * static_cast<double>(z.cwiseAbs().maxCoeff()) > 745.0)
    dz.setConstant(std::nanf(""));
  return dz;
}
}  // namespace backward_zero_ln_zero
MISCONCEPTION(backward_zero_ln_zero, entropy_backward, "entropyback.zero-ln-zero",
              "Where a code's probability is 0 the gradient is NaN. Such a code contributes 0.",
              "ln 0 times a probability of 0. One NaN in a gradient ends a training run.")

namespace backward_unchecked {
Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  if (z.size() == 0) return z;
  const Index columns = std::min<Index>(z.cols(), 16);
  Matrix dz = Matrix::Zero(z.rows(), z.cols());
  dz.leftCols(columns) =
      solution::entropy_backward(z.leftCols(columns), std::max(tau, 1e-12), std::max(gamma, 0.0));
  return dz;
}
}  // namespace backward_unchecked
MISCONCEPTION(backward_unchecked, entropy_backward, "entropyback.unchecked",
              "What entropy_terms refuses was accepted.",
              "Value and gradient should refuse the same arguments.")

// ---- 10.6 causal_conv_time ---------------------------------------------------------------------

namespace black_before {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  require(x.rows() >= 1 && stride >= 1 && weight.h() >= 1 && weight.w() == 1, "arguments");
  require(weight.c() == x.cols() && weight.n() == bias.size(), "channels");
  Matrix y = bias.replicate((x.rows() - 1) / stride + 1, 1);
  for (Index t = 0; t < y.rows(); ++t) {
    for (Index j = 0; j < weight.h(); ++j) {
      const Index frame = stride * t + j - (weight.h() - 1);
      for (Index o = 0; o < y.cols() && frame >= 0; ++o) {
        for (Index i = 0; i < x.cols(); ++i) y(t, o) += weight(o, i, j, 0) * x(frame, i);
      }
    }
  }
  return y;
}
}  // namespace black_before
MISCONCEPTION(black_before, causal_conv_time, "causal.zeros-before",
              "Before the clip you put zeros. It is frame 0 that is repeated.",
              "With zeros every clip begins with a fade from black, and a still picture does not "
              "stay one. Cosmos' causal convolution repeats the first frame; it also lets an image "
              "be a clip of one frame.")

namespace own_frame_left_out {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  Matrix delayed = x;
  for (Index t = 1; t < x.rows(); ++t) delayed.row(t) = x.row(t - 1);
  return solution::causal_conv_time(delayed, weight, bias, stride);
}
}  // namespace own_frame_left_out
MISCONCEPTION(own_frame_left_out, causal_conv_time, "causal.own-frame-left-out",
              "Output t sees the frames up to t - 1. Causal means up to t, including t.",
              "\"Frame t depends on frames 0 to t - 1\" is said of models that predict frame t. A "
              "tokenizer is given it: the last tap belongs to the frame itself, and the padding is "
              "k - 1, not k.")

namespace one_ahead {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  Matrix early = x;
  for (Index t = 0; t + 1 < x.rows(); ++t) early.row(t) = x.row(t + 1);
  Matrix y = solution::causal_conv_time(early, weight, bias, stride);
  return y;
}
}  // namespace one_ahead
MISCONCEPTION(one_ahead, causal_conv_time, "causal.looks-ahead",
              "Output t reads frame t + 1. Nothing after t may be read.",
              "One frame too few in front shifts everything by one. The reconstruction even gets "
              "better by it, so that no metric complains; only perturbing a frame does.")

namespace centred {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  Matrix y = solution::causal_conv_time(x, weight, bias, stride);
  const Index ahead = weight.h() / 2;
  if (x.rows() == 1 || ahead == 0) return y;
  Matrix longer(x.rows() + ahead, x.cols());
  longer.topRows(x.rows()) = x;
  longer.bottomRows(ahead) = x.bottomRows(1).replicate(ahead, 1);
  const Matrix all = solution::causal_conv_time(longer, weight, bias, 1);
  for (Index t = 0; t < y.rows(); ++t) y.row(t) = all.row(stride * t + ahead);
  return y;
}
}  // namespace centred
MISCONCEPTION(
    centred, causal_conv_time, "causal.centred",
    "The kernel is centred on its frame, with padding on both sides. All of the padding "
    "goes in front.",
    "padding = k // 2 is what every image convolution has. Over time it reads the future.")

namespace reversed_taps {
Tensor4 turned(const Tensor4& weight) {
  Tensor4 out = weight;
  for (Index o = 0; o < weight.n(); ++o) {
    for (Index i = 0; i < weight.c(); ++i) {
      for (Index j = 0; j < weight.h(); ++j) out(o, i, j, 0) = weight(o, i, weight.h() - 1 - j, 0);
    }
  }
  return out;
}

Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  solution::causal_conv_time(x, weight, bias, stride);
  return solution::causal_conv_time(x, turned(weight), bias, stride);
}
}  // namespace reversed_taps
MISCONCEPTION(
    reversed_taps, causal_conv_time, "causal.taps-reversed",
    "The taps run backwards: tap 0 was given the latest frame. It belongs to the oldest, "
    "the last tap to frame t.",
    "A convolution in the textbook turns its kernel, one in a framework does not. Weights "
    "from a file tell the difference.")

namespace no_bias {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  solution::causal_conv_time(x, weight, bias, stride);
  return solution::causal_conv_time(x, weight, 0.0F * bias, stride);
}
}  // namespace no_bias
MISCONCEPTION(no_bias, causal_conv_time, "causal.bias-missing", "The bias is missing.",
              "It is one number per output channel, added to every frame.")

namespace stride_ignored {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  const Matrix right = solution::causal_conv_time(x, weight, bias, stride);
  return solution::causal_conv_time(x, weight, bias, 1).topRows(right.rows());
}
}  // namespace stride_ignored
MISCONCEPTION(stride_ignored, causal_conv_time, "causal.stride-ignored",
              "The outputs are those of stride 1, cut off. Output t reads the frames up to s t.",
              "The length was right and the step was not.")

namespace padded_by_stride {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  Matrix y = solution::causal_conv_time(x, weight, bias, stride);
  const Index k = weight.h();
  for (Index t = 0; t < y.rows() && stride > 1; ++t) {
    y.row(t) = bias;
    for (Index j = 0; j < k; ++j) {
      const Index frame =
          std::clamp<Index>(stride * t + j - std::max<Index>(k - stride, 0), 0, x.rows() - 1);
      for (Index o = 0; o < y.cols(); ++o) {
        for (Index i = 0; i < x.cols(); ++i) y(t, o) += weight(o, i, j, 0) * x(frame, i);
      }
    }
  }
  return y;
}
}  // namespace padded_by_stride
MISCONCEPTION(padded_by_stride, causal_conv_time, "causal.stride-leaks",
              "With a stride you padded by k - s, and output t reads s - 1 frames too far ahead. "
              "The padding is k - 1, whatever the stride.",
              "k - s is what makes lengths come out as T / s, and it is not causal: a time "
              "downsampler with too little padding leaked one frame in magvit2-pytorch (pull "
              "request 27). Perturb a frame and look at the output before it.")

namespace image_is_no_clip {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  Matrix y = solution::causal_conv_time(x, weight, bias, stride);
  if (x.rows() > 1) return y;
  Tensor4 last(weight.n(), weight.c(), 1, 1);
  for (Index o = 0; o < weight.n(); ++o) {
    for (Index i = 0; i < weight.c(); ++i) last(o, i, 0, 0) = weight(o, i, weight.h() - 1, 0);
  }
  return solution::causal_conv_time(x, last, bias, stride);
}
}  // namespace image_is_no_clip
MISCONCEPTION(image_is_no_clip, causal_conv_time, "causal.image-last-tap",
              "A single frame was given the last tap only. It is a clip like any other: its past "
              "is itself, repeated.",
              "A shortcut for images that was written for zero padding. With repetition, all taps "
              "see the image.")

namespace weight_unchecked {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  Tensor4 fitting(bias.size(), x.cols(), std::max<Index>(weight.h(), 1), 1);
  for (Index o = 0; o < std::min(weight.n(), fitting.n()); ++o) {
    for (Index i = 0; i < std::min(weight.c(), fitting.c()); ++i) {
      for (Index j = 0; j < weight.h(); ++j) fitting(o, i, j, 0) = weight(o, i, j, 0);
    }
  }
  return solution::causal_conv_time(x, fitting, bias, stride);
}
}  // namespace weight_unchecked
MISCONCEPTION(weight_unchecked, causal_conv_time, "causal.weight-unchecked",
              "A weight that fits neither x nor the bias, or has no tap, was accepted.",
              "[Co, Ci, k, 1]: each of the four sizes says something.")

namespace clip_unchecked {
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride) {
  if (x.rows() == 0) return Matrix(0, bias.size());
  return solution::causal_conv_time(x, weight, bias, std::max<std::int64_t>(stride, 1));
}
}  // namespace clip_unchecked
MISCONCEPTION(clip_unchecked, causal_conv_time, "causal.clip-unchecked",
              "A clip without frames, or a stride below 1, was accepted.",
              "Without frame 0 there is nothing to repeat, and with a stride of 0 the clip never "
              "ends.")

namespace copies_forgotten {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  CausalConvGradients d = solution::causal_conv_time_backward(dy, x, weight, stride);
  for (Index t = 0; t < dy.rows(); ++t) {
    for (Index j = 0; stride * t + j < weight.h() - 1; ++j) {
      for (Index o = 0; o < dy.cols(); ++o) {
        for (Index i = 0; i < x.cols(); ++i) d.x(0, i) -= dy(t, o) * weight(o, i, j, 0);
      }
    }
  }
  return d;
}
}  // namespace copies_forgotten
MISCONCEPTION(copies_forgotten, causal_conv_time_backward, "causalback.copies-forgotten",
              "Frame 0 lacks what its copies receive. They are frame 0.",
              "The gradient was computed on the padded clip and the padding cut off. That is right "
              "for zeros, which depend on nothing. Copies depend on frame 0.")

namespace weight_without_copies {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  CausalConvGradients d = solution::causal_conv_time_backward(dy, x, weight, stride);
  for (Index t = 0; t < dy.rows(); ++t) {
    for (Index j = 0; stride * t + j < weight.h() - 1; ++j) {
      for (Index o = 0; o < dy.cols(); ++o) {
        for (Index i = 0; i < x.cols(); ++i) d.weight(o, i, j, 0) -= dy(t, o) * x(0, i);
      }
    }
  }
  return d;
}
}  // namespace weight_without_copies
MISCONCEPTION(weight_without_copies, causal_conv_time_backward, "causalback.weight-without-copies",
              "The weight's gradient leaves out the copies. What the forward pass has multiplied "
              "counts, padding included.",
              "The early taps read nothing but copies in the first outputs.")

namespace frames_turned {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  CausalConvGradients d = solution::causal_conv_time_backward(dy, x, weight, stride);
  d.x = solution::causal_conv_time_backward(dy, x, reversed_taps::turned(weight), stride).x;
  return d;
}
}  // namespace frames_turned
MISCONCEPTION(frames_turned, causal_conv_time_backward, "causalback.taps-reversed",
              "On the way back to x the taps were turned around. Tap j sends to the frame that it "
              "has read.",
              "The backward pass of a convolution is one with the turned kernel, when it is "
              "written as a convolution. Written as the forward loop, nothing is turned.")

namespace bias_averaged {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  CausalConvGradients d = solution::causal_conv_time_backward(dy, x, weight, stride);
  d.bias = dy.colwise().mean();
  return d;
}
}  // namespace bias_averaged
MISCONCEPTION(bias_averaged, causal_conv_time_backward, "causalback.bias-averaged",
              "The bias got the mean of dy over frames. It is added to every frame, so it receives "
              "the sum.",
              "A mean belongs to a loss, and is in dy already.")

namespace back_without_stride {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  CausalConvGradients d = solution::causal_conv_time_backward(dy, x, weight, stride);
  const Matrix start = x.topRows(dy.rows());
  const CausalConvGradients plain = solution::causal_conv_time_backward(dy, start, weight, 1);
  d.x.setZero();
  d.x.topRows(dy.rows()) = plain.x;
  d.weight = plain.weight;
  return d;
}
}  // namespace back_without_stride
MISCONCEPTION(back_without_stride, causal_conv_time_backward, "causalback.stride-ignored",
              "The stride is missing on the way back: output t has read the frames up to s t.",
              "Frames that lie between get something, too, if a tap has read them.")

namespace dy_unchecked {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  const Index outputs = stride >= 1 && x.rows() >= 1 ? (x.rows() - 1) / stride + 1 : dy.rows();
  Matrix fitting = Matrix::Zero(outputs, weight.n());
  const Index rows = std::min(dy.rows(), outputs), cols = std::min(dy.cols(), weight.n());
  fitting.topLeftCorner(rows, cols) = dy.topLeftCorner(rows, cols);
  return solution::causal_conv_time_backward(fitting, x, weight, stride);
}
}  // namespace dy_unchecked
MISCONCEPTION(dy_unchecked, causal_conv_time_backward, "causalback.dy-unchecked",
              "A dy that has not y's shape was accepted.",
              "One row too few is what a stride that was forgotten on one side looks like.")

namespace back_unchecked {
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride) {
  const bool is_sound =
      stride >= 1 && x.rows() >= 1 && weight.h() >= 1 && weight.w() == 1 && weight.c() == x.cols();
  if (is_sound) return solution::causal_conv_time_backward(dy, x, weight, stride);
  return {0.0F * x, weight, RowVector::Zero(weight.n())};
}
}  // namespace back_unchecked
MISCONCEPTION(back_unchecked, causal_conv_time_backward, "causalback.unchecked",
              "What the forward pass refuses was accepted.",
              "There is no gradient of what was not computed.")

namespace divided {
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  solution::latent_frames(frames, factor);
  return frames / factor;
}
}  // namespace divided
MISCONCEPTION(divided, latent_frames, "frames.divided",
              "You divided T by r. The first frame stands alone: 1 + (T - 1) / r.",
              "\"32 frames become 8\" is arithmetic for models that are not causal. A causal "
              "tokenizer takes 33 and makes 9; NVIDIA/cosmos issue 111 and LTX-Video issue 190 are "
              "about that one frame.")

namespace divided_up {
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  solution::latent_frames(frames, factor);
  return frames / factor + 1;
}
}  // namespace divided_up
MISCONCEPTION(divided_up, latent_frames, "frames.divided-plus-one",
              "You took T / r + 1. It is 1 + (T - 1) / r, which differs where r divides T.",
              "For 33 by 4 both give 9. Without compression, r = 1, yours adds a frame.")

namespace first_twice {
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  return solution::latent_frames(frames, factor) + 1;
}
}  // namespace first_twice
MISCONCEPTION(first_twice, latent_frames, "frames.first-twice",
              "The first frame was counted twice.",
              "(T - 1) / r counts the groups behind it, the 1 is the frame itself.")

namespace rest_dropped {
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  if (frames < 1 || factor < 1) return solution::latent_frames(frames, factor);
  return 1 + (frames - 1) / factor;
}
}  // namespace rest_dropped
MISCONCEPTION(rest_dropped, latent_frames, "frames.rest-accepted",
              "A length that is not 1 + r m was accepted. It has to be refused: pad first.",
              "Rounded down, frames are lost without a word; a model that pads by itself makes one "
              "more. Two programs then disagree about how long the video is.")

namespace frames_unchecked {
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor) {
  if (frames < 1 || factor < 1) return 0;
  return solution::latent_frames(frames, factor);
}
}  // namespace frames_unchecked
MISCONCEPTION(frames_unchecked, latent_frames, "frames.unchecked",
              "No frame, or a factor below 1, was accepted.",
              "1 - r is 1 + r m for m = -1, and passes a test of the remainder alone.")

namespace rounded_down {
std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  solution::padded_frames(frames, factor);
  return 1 + (frames - 1) / factor * factor;
}
}  // namespace rounded_down
MISCONCEPTION(rounded_down, padded_frames, "padded.rounded-down",
              "You rounded down: the clip would be cut, not padded.",
              "A quotient of integers rounds down by itself. Add r - 1 before dividing.")

namespace multiple_of_factor {
std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  solution::padded_frames(frames, factor);
  return (frames + factor - 1) / factor * factor;
}
}  // namespace multiple_of_factor
MISCONCEPTION(multiple_of_factor, padded_frames, "padded.multiple",
              "You padded to a multiple of r. The length has to be one more than a multiple.",
              "32 is a multiple of 4 and fits no causal tokenizer; 33 does.")

namespace always_more {
std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  solution::padded_frames(frames, factor);
  return 1 + ((frames - 1) / factor + 1) * factor;
}
}  // namespace always_more
MISCONCEPTION(always_more, padded_frames, "padded.always-more",
              "A length that fits was padded by r more. It stays as it is.",
              "Rounding up is not rounding down plus one.")

namespace padded_unchecked {
std::int64_t padded_frames(std::int64_t frames, std::int64_t factor) {
  return solution::padded_frames(std::max<std::int64_t>(frames, 1),
                                 std::max<std::int64_t>(factor, 1));
}
}  // namespace padded_unchecked
MISCONCEPTION(padded_unchecked, padded_frames, "padded.unchecked",
              "No frame, or a factor below 1, was accepted.",
              "Nothing cannot be padded: there is no frame to repeat.")

namespace zeros_in_front {
Matrix causal_pad(const Matrix& x, std::int64_t count) {
  Matrix padded = solution::causal_pad(x, count);
  padded.topRows(count).setZero();
  return padded;
}
}  // namespace zeros_in_front
MISCONCEPTION(zeros_in_front, causal_pad, "causalpad.zeros",
              "You put zeros in front. Frame 0 is repeated.",
              "A constant clip has to stay constant.")

namespace copies_behind {
Matrix causal_pad(const Matrix& x, std::int64_t count) {
  Matrix padded = solution::causal_pad(x, count);
  padded.topRows(x.rows()) = x;
  padded.bottomRows(count) = x.bottomRows(1).replicate(count, 1);
  return padded;
}
}  // namespace copies_behind
MISCONCEPTION(copies_behind, causal_pad, "causalpad.behind",
              "You put copies of the last frame behind. The copies are of the first one, and in "
              "front.",
              "Padding behind makes room for looking ahead.")

namespace both_sides {
Matrix causal_pad(const Matrix& x, std::int64_t count) {
  Matrix padded = solution::causal_pad(x, count);
  const Index front = count / 2;
  padded.bottomRows(count - front) = x.bottomRows(1).replicate(count - front, 1);
  padded.topRows(front) = x.topRows(1).replicate(front, 1);
  padded.middleRows(front, x.rows()) = x;
  return padded;
}
}  // namespace both_sides
MISCONCEPTION(both_sides, causal_pad, "causalpad.both-sides",
              "Half of the copies went behind. All of them go in front.",
              "Symmetric padding is what an image has, which has no before and after.")

namespace reflected {
Matrix causal_pad(const Matrix& x, std::int64_t count) {
  Matrix padded = solution::causal_pad(x, count);
  for (Index i = 0; i < count; ++i)
    padded.row(count - 1 - i) = x.row(std::min<Index>(i + 1, x.rows() - 1));
  return padded;
}
}  // namespace reflected
MISCONCEPTION(reflected, causal_pad, "causalpad.reflected",
              "You reflected the clip: frame 1 stands before frame 0. Frame 0 is repeated.",
              "Reflected, the first output depends on later frames. It is looking ahead by another "
              "way.")

namespace pad_unchecked {
Matrix causal_pad(const Matrix& x, std::int64_t count) {
  if (x.rows() == 0) return Matrix::Zero(std::max<std::int64_t>(count, 0), x.cols());
  return solution::causal_pad(x, std::max<std::int64_t>(count, 0));
}
}  // namespace pad_unchecked
MISCONCEPTION(pad_unchecked, causal_pad, "causalpad.unchecked",
              "A clip without frames, or a negative count, was accepted.",
              "There is no frame to repeat, and no fewer than no copies.")

// ---- 10.7 design_tokenizer ---------------------------------------------------------------------

namespace no_attention {
std::int64_t residual_block(std::int64_t a, std::int64_t b) {
  return 2 * a + 9 * a * b + b + 2 * b + 9 * b * b + b + (a == b ? 0 : a * b + b);
}

ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  require(!design.multipliers.empty() && design.base >= 1 && design.channels >= 1, "design");
  const bool is_discrete = design.kind == LatentKind::kDiscrete;
  require(!is_discrete || design.codes >= 1, "codes");
  std::vector<std::int64_t> c;
  for (const std::int64_t m : design.multipliers) {
    require(m >= 1, "multiplier");
    c.push_back(design.base * m);
  }
  const std::int64_t last = c.back(), moments = design.channels * (is_discrete ? 1 : 2);
  ParameterCount count;
  count.encoder = 28 * c[0] + 2 * residual_block(last, last) + 2 * last + (9 * last + 1) * moments;
  count.decoder =
      (9 * design.channels + 1) * last + 2 * residual_block(last, last) + 2 * c[0] + 27 * c[0] + 3;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const std::size_t next = std::min(i + 1, c.size() - 1);
    count.encoder += residual_block(c[i > 0 ? i - 1 : 0], c[i]) + residual_block(c[i], c[i]);
    count.decoder += residual_block(c[next], c[i]) + 2 * residual_block(c[i], c[i]);
    if (i + 1 < c.size()) count.encoder += (9 * c[i] + 1) * c[i];
    if (i > 0) count.decoder += (9 * c[i] + 1) * c[i];
  }
  count.codebook = is_discrete ? design.codes * design.channels : 0;
  return count;
}
}  // namespace no_attention
MISCONCEPTION(no_attention, autoencoder_parameters, "params.attention-missing",
              "The attention in the middle is missing, in encoder and decoder.",
              "2c + 4 (c^2 + c): a normalisation and four 1 x 1 convolutions. At 512 channels that "
              "is 1,051,648, twice.")

namespace {

std::int64_t first_width(const TokenizerDesign& design) {
  return design.base * design.multipliers.front();
}

std::int64_t last_width(const TokenizerDesign& design) {
  return design.base * design.multipliers.back();
}

}  // namespace

namespace two_blocks {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  for (const std::int64_t m : design.multipliers)
    count.decoder -= no_attention::residual_block(design.base * m, design.base * m);
  return count;
}
}  // namespace two_blocks
MISCONCEPTION(two_blocks, autoencoder_parameters, "params.two-blocks-in-decoder",
              "The decoder has three residual blocks on each level, the encoder two.",
              "The configuration says num_res_blocks: 2, and the decoder's loop runs to that "
              "number plus one. It is why a decoder has 49 million parameters and its encoder 34.")

namespace three_blocks {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  for (const std::int64_t m : design.multipliers)
    count.encoder += no_attention::residual_block(design.base * m, design.base * m);
  return count;
}
}  // namespace three_blocks
MISCONCEPTION(three_blocks, autoencoder_parameters, "params.three-blocks-in-encoder",
              "The encoder has two residual blocks on each level, the decoder three.",
              "An autoencoder need not be symmetric. The harder half gets more.")

namespace no_norms {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  const std::int64_t last = last_width(design), first = first_width(design);
  count.encoder -= 10 * last + 2 * last;
  count.decoder -= 10 * last + 2 * first;
  std::int64_t before = first, behind = last;
  for (const std::int64_t m : design.multipliers) {
    const std::int64_t c = design.base * m;
    count.encoder -= 2 * before + 6 * c;
    before = c;
  }
  for (std::size_t i = design.multipliers.size(); i-- > 0;) {
    const std::int64_t c = design.base * design.multipliers[i];
    count.decoder -= 2 * behind + 10 * c;
    behind = c;
  }
  return count;
}
}  // namespace no_norms
MISCONCEPTION(
    no_norms, autoencoder_parameters, "params.normalisation-missing",
    "The group normalisations are missing: each has a scale and a shift per channel.",
    "They are few, and they are in the file with the weights. A count that is nearly right "
    "cannot be used to check whether a file is complete.")

namespace mean_only {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  if (design.kind == LatentKind::kContinuous)
    count.encoder -= (9 * last_width(design) + 1) * design.channels;
  return count;
}
}  // namespace mean_only
MISCONCEPTION(mean_only, autoencoder_parameters, "params.log-variance-missing",
              "The encoder of a continuous latent puts out 2z channels, mean and log-variance.",
              "double_z in the configuration. In use the second half is often thrown away; it is "
              "trained all the same.")

namespace doubled_for_codes {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  if (design.kind == LatentKind::kDiscrete)
    count.encoder += (9 * last_width(design) + 1) * design.channels;
  return count;
}
}  // namespace doubled_for_codes
MISCONCEPTION(doubled_for_codes, autoencoder_parameters, "params.log-variance-of-codes",
              "The encoder of a discrete latent puts out z channels. There is no log-variance to "
              "look up.",
              "A nearest code has no variance.")

namespace no_codebook {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  count.codebook = 0;
  return count;
}
}  // namespace no_codebook
MISCONCEPTION(no_codebook, autoencoder_parameters, "params.codebook-missing",
              "The codebook of a discrete design is missing: K codes of z numbers.",
              "It is trained and stored like any weight; with averages in place of gradients it is "
              "still K z numbers.")

namespace last_level_resized {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  const std::int64_t last = last_width(design), first = first_width(design);
  count.encoder += (9 * last + 1) * last;
  count.decoder += (9 * first + 1) * first;
  return count;
}
}  // namespace last_level_resized
MISCONCEPTION(last_level_resized, autoencoder_parameters, "params.every-level-resized",
              "Every level changes the size in your count. n levels have n - 1 steps between them.",
              "Four levels make f = 8, not 16.")

namespace always_a_shortcut {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  for (std::size_t i = 1; i < design.multipliers.size(); ++i) {
    const std::int64_t c = design.base * design.multipliers[i];
    if (design.multipliers[i] != design.multipliers[i - 1]) continue;
    count.encoder += c * c + c;
    count.decoder += c * c + c;
  }
  return count;
}
}  // namespace always_a_shortcut
MISCONCEPTION(
    always_a_shortcut, autoencoder_parameters, "params.shortcut-between-levels",
    "You gave every first block of a level a 1 x 1 shortcut. It has one only where the "
    "number of channels changes.",
    "{1, 2, 4, 4} has two levels of 512 channels. Between them the block's input is added "
    "as it is.")

namespace wide_shortcut {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  ParameterCount count = solution::autoencoder_parameters(design);
  for (std::size_t i = 1; i < design.multipliers.size(); ++i) {
    const std::int64_t a = design.base * design.multipliers[i - 1];
    const std::int64_t b = design.base * design.multipliers[i];
    if (a == b) continue;
    count.encoder += 8 * a * b;
    count.decoder += 8 * a * b;
  }
  return count;
}
}  // namespace wide_shortcut
MISCONCEPTION(wide_shortcut, autoencoder_parameters, "params.shortcut-3x3",
              "The shortcuts were counted with 3 x 3 kernels. They are 1 x 1.",
              "The code offers both, and the configuration takes the small one.")

namespace architecture_unchecked {
ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  TokenizerDesign repaired = design;
  if (repaired.multipliers.empty()) repaired.multipliers = {1};
  for (std::int64_t& m : repaired.multipliers) m = std::max<std::int64_t>(m, 1);
  repaired.base = std::max<std::int64_t>(repaired.base, 1);
  repaired.channels = std::max<std::int64_t>(repaired.channels, 1);
  repaired.codes = std::max<std::int64_t>(repaired.codes, 1);
  return solution::autoencoder_parameters(repaired);
}
}  // namespace architecture_unchecked
MISCONCEPTION(architecture_unchecked, autoencoder_parameters, "params.unchecked",
              "A design without levels, channels or codes was accepted.",
              "Zeros in a formula make small numbers, and small numbers look like good designs.")

namespace two_tensors {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  require(!design.multipliers.empty() && design.bytes_per_number >= 1, "design");
  const std::int64_t f = std::int64_t{1} << (design.multipliers.size() - 1);
  require(design.height >= 1 && design.width >= 1, "size");
  require(design.height % f == 0 && design.width % f == 0, "size");
  std::int64_t behind = design.base * design.multipliers.back();
  std::int64_t positions = design.height / f * (design.width / f);
  std::int64_t peak = 5 * behind * positions + 2 * positions * positions;
  for (std::size_t i = design.multipliers.size(); i-- > 0; positions *= 4) {
    const std::int64_t c = design.base * design.multipliers[i];
    peak = std::max(peak, 2 * std::max(c, behind) * positions);
    behind = c;
  }
  return peak * design.bytes_per_number;
}
}  // namespace two_tensors
MISCONCEPTION(two_tensors, decoder_peak_bytes, "peak.block-input-forgotten",
              "You counted two tensors in a residual block. Its own input is needed for the "
              "addition at the end, so there are three.",
              "A chain of layers holds an input and an output. A residual block holds what it "
              "began with all the while.")

namespace {

/// A peak by the contract's rule, from how many positions each level has and what attention takes.
template <typename Positions, typename Attention>
std::int64_t peak_by(const TokenizerDesign& design, Positions positions, Attention attention,
                     bool before = true) {
  const std::int64_t right = solution::decoder_peak_bytes(design);
  std::int64_t peak = attention(last_width(design), positions(design.multipliers.size() - 1));
  std::int64_t behind = last_width(design);
  for (std::size_t i = design.multipliers.size(); i-- > 0;) {
    const std::int64_t c = design.base * design.multipliers[i];
    peak = std::max(peak, 3 * (before ? std::max(c, behind) : c) * positions(i));
    behind = c;
  }
  return right == 0 ? 0 : peak * design.bytes_per_number;
}

std::int64_t scores_too(std::int64_t c, std::int64_t p) {
  return 5 * c * p + 2 * p * p;
}

}  // namespace

namespace output_channels {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  const auto positions = [&](std::size_t i) { return (design.height >> i) * (design.width >> i); };
  return peak_by(design, positions, scores_too, false);
}
}  // namespace output_channels
MISCONCEPTION(
    output_channels, decoder_peak_bytes, "peak.output-channels",
    "You took the channels that a block puts out. The wider side counts, and in a decoder "
    "that is mostly the input.",
    "At full resolution 256 channels arrive and 128 leave.")

namespace square_image {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  const auto square = [&](std::size_t i) { return (design.height >> i) * (design.height >> i); };
  const std::size_t last = design.multipliers.size() - 1;
  const auto attention = [&](std::int64_t c, std::int64_t) {
    return scores_too(c, (design.height >> last) * (design.width >> last));
  };
  return peak_by(design, square, attention);
}
}  // namespace square_image
MISCONCEPTION(square_image, decoder_peak_bytes, "peak.square-image",
              "You took height times height. The image is height times width.",
              "256 x 256 hides it.")

namespace scores_forgotten {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  const auto positions = [&](std::size_t i) { return (design.height >> i) * (design.width >> i); };
  const auto linear = [](std::int64_t c, std::int64_t p) { return 5 * c * p; };
  return peak_by(design, positions, linear);
}
}  // namespace scores_forgotten
MISCONCEPTION(scores_forgotten, decoder_peak_bytes, "peak.scores-forgotten",
              "Attention's tables of scores are missing: 2 P^2 for P positions.",
              "At 256 x 256 they are small. They grow with the fourth power of the side, the maps "
              "with the second, and at some size they win.")

namespace one_table {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  const auto positions = [&](std::size_t i) { return (design.height >> i) * (design.width >> i); };
  const auto one = [](std::int64_t c, std::int64_t p) { return 5 * c * p + p * p; };
  return peak_by(design, positions, one);
}
}  // namespace one_table
MISCONCEPTION(one_table, decoder_peak_bytes, "peak.one-table-of-scores",
              "You counted one table of scores. Before and after the softmax there are two.",
              "Nothing is done in place under the contract's rule.")

namespace latent_resolution {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  const std::size_t last = design.multipliers.empty() ? 0 : design.multipliers.size() - 1;
  const auto positions = [&](std::size_t) {
    return (design.height >> last) * (design.width >> last);
  };
  return peak_by(design, positions, scores_too);
}
}  // namespace latent_resolution
MISCONCEPTION(latent_resolution, decoder_peak_bytes, "peak.at-the-latent",
              "You took the latent's resolution for all levels. Each level has twice the side of "
              "the one below.",
              "The latent is the smallest tensor in the model. The largest is at the other end, at "
              "full resolution.")

namespace four_bytes {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  return solution::decoder_peak_bytes(design) / design.bytes_per_number * 4;
}
}  // namespace four_bytes
MISCONCEPTION(four_bytes, decoder_peak_bytes, "peak.four-bytes",
              "You counted 4 bytes a number. bytes_per_number says how many.",
              "In half precision a decoder takes half of it, if its values stay below 65,504.")

namespace peak_unchecked {
std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  TokenizerDesign repaired = design;
  if (repaired.multipliers.empty()) repaired.multipliers = {1};
  const std::int64_t f = std::int64_t{1} << (repaired.multipliers.size() - 1);
  repaired.height = std::max(design.height / f, std::int64_t{1}) * f;
  repaired.width = std::max(design.width / f, std::int64_t{1}) * f;
  repaired.bytes_per_number = std::max(design.bytes_per_number, std::int64_t{1});
  return solution::decoder_peak_bytes(repaired);
}
}  // namespace peak_unchecked
MISCONCEPTION(peak_unchecked, decoder_peak_bytes, "peak.unchecked",
              "A size that f does not divide, or no bytes, was accepted.",
              "Halved level by level, 257 becomes 128, 64 and 32, and comes back as 256.")

namespace thirty_two_bits {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  if (design.kind == LatentKind::kContinuous)
    report.bits = 32.0 * static_cast<double>(report.latent_values);
  return report;
}
}  // namespace thirty_two_bits
MISCONCEPTION(thirty_two_bits, design_tokenizer, "design.thirty-two-bits",
              "A continuous value was counted as 32 bits. It has 8 bytes_per_number.",
              "How many bits a latent value deserves is a choice; a report should follow it.")

namespace values_for_bits {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  report.bits = static_cast<double>(report.latent_values);
  return report;
}
}  // namespace values_for_bits
MISCONCEPTION(values_for_bits, design_tokenizer, "design.values-for-bits",
              "The number of values was given as bits.",
              "\"192 times smaller\" is said of 196,608 values that became 1,024 tokens. In bits, "
              "with 8192 codes, it is 118.2.")

namespace bits_of_values {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  if (design.kind == LatentKind::kDiscrete) report.bits *= static_cast<double>(design.channels);
  return report;
}
}  // namespace bits_of_values
MISCONCEPTION(bits_of_values, design_tokenizer, "design.bits-per-value",
              "You paid log2 K for every value of a code. One index names all z of them.",
              "That is the point of a codebook: a position is one token, however wide the code.")

namespace in_nats {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  if (design.kind == LatentKind::kDiscrete) report.bits *= std::log(2.0);
  return report;
}
}  // namespace in_nats
MISCONCEPTION(in_nats, design_tokenizer, "design.nats",
              "The bits of a token were computed with the natural logarithm. They are log2 K.",
              "std::log is to the base e.")

namespace one_side {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  report.attention_cost = report.conv_cost;
  report.conv_cost = std::sqrt(report.conv_cost);
  return report;
}
}  // namespace one_side
MISCONCEPTION(one_side, design_tokenizer, "design.one-side",
              "The costs fall with f and f^2 in your answer. Both sides shrink by f: it is f^2 for "
              "convolutions and f^4 for attention's scores.",
              "f = 8 has 64 times fewer positions, and 4096 times fewer pairs of them.")

namespace channels_cost {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  report.conv_cost *= static_cast<double>(design.channels) / 3.0;
  report.attention_cost *= static_cast<double>(design.channels * design.channels) / 9.0;
  return report;
}
}  // namespace channels_cost
MISCONCEPTION(channels_cost, design_tokenizer, "design.channels-cost",
              "The latent's channels entered the costs. The model behind works with channels of "
              "its own; z enters at its first and last convolution only.",
              "\"More channels make a larger image\" is a common warning. What they do is make the "
              "latent harder to model, and that is no arithmetic.")

namespace costs_swapped {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  std::swap(report.conv_cost, report.attention_cost);
  return report;
}
}  // namespace costs_swapped
MISCONCEPTION(costs_swapped, design_tokenizer, "design.costs-swapped",
              "The two costs have changed places: attention's scores are pairs of positions.",
              "f^4 is the pairs, f^2 the positions.")

namespace codebook_free {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  TokenizerTargets wider = targets;
  wider.parameters += report.parameters.codebook;
  report.verdicts.parameters = solution::design_tokenizer(design, wider).verdicts.parameters;
  return report;
}
}  // namespace codebook_free
MISCONCEPTION(codebook_free, design_tokenizer, "design.codebook-free",
              "The codebook was left out of the parameters. It counts.",
              "2^18 codes of 256 numbers are 67 million parameters, more than the decoder.")

namespace encoder_free {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  TokenizerTargets wider = targets;
  wider.parameters += report.parameters.encoder;
  report.verdicts.parameters = solution::design_tokenizer(design, wider).verdicts.parameters;
  return report;
}
}  // namespace encoder_free
MISCONCEPTION(encoder_free, design_tokenizer, "design.encoder-free",
              "The encoder was left out of the parameters. The target is for all parts.",
              "Generation needs the decoder only, which is why it is forgotten. Whoever edits an "
              "image needs both.")

namespace strict_target {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  const TokenizerTargets tighter{targets.parameters - 1, targets.bytes - 1, targets.psnr};
  const TokenizerVerdicts tight = solution::design_tokenizer(design, tighter).verdicts;
  report.verdicts.parameters = tight.parameters;
  report.verdicts.bytes = tight.bytes;
  return report;
}
}  // namespace strict_target
MISCONCEPTION(
    strict_target, design_tokenizer, "design.strict-targets",
    "A design that takes exactly what is allowed was turned down. \"At most\" includes it.",
    "< where <= belongs.")

namespace weights_free {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  const ParameterCount& p = report.parameters;
  TokenizerTargets wider = targets;
  wider.bytes += design.bytes_per_number * (p.encoder + p.decoder + p.codebook);
  report.verdicts.bytes = solution::design_tokenizer(design, wider).verdicts.bytes;
  return report;
}
}  // namespace weights_free
MISCONCEPTION(
    weights_free, design_tokenizer, "design.weights-free",
    "Only the activations were compared with the target. The parameters take memory, too.",
    "83.7 million numbers of 4 bytes are 335 MB, more than the decoder's peak at 256 x "
    "256.")

namespace peak_free {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  TokenizerTargets wider = targets;
  wider.bytes += report.decoder_peak_bytes;
  report.verdicts.bytes = solution::design_tokenizer(design, wider).verdicts.bytes;
  return report;
}
}  // namespace peak_free
MISCONCEPTION(peak_free, design_tokenizer, "design.peak-free",
              "Only the parameters were compared with the target. The decoder's activations take "
              "memory, too.",
              "At 1024 x 1024 they take nearly ten times what the parameters do.")

namespace psnr_from_table {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  report.verdicts.psnr =
      report.verdicts.published_psnr >= targets.psnr ? TargetVerdict::kMet : TargetVerdict::kMissed;
  return report;
}
}  // namespace psnr_from_table
MISCONCEPTION(
    psnr_from_table, design_tokenizer, "design.psnr-from-table",
    "The published figure was taken for this design's. It is a neighbour's: the verdict "
    "stays kUnknown.",
    "Losses, data and length of training move it: on COCO images, the model cards give Stable "
    "Diffusion's autoencoder 23.4 dB, a fine-tuned one 24.5 and SDXL's 24.7, all of one "
    "architecture. A neighbour tells what to expect, not what you have.")

namespace psnr_promised {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  report.verdicts.psnr = TargetVerdict::kMet;
  return report;
}
}  // namespace psnr_promised
MISCONCEPTION(
    psnr_promised, design_tokenizer, "design.psnr-promised",
    "You promised the PSNR. No arithmetic on a design gives it.",
    "\"PSNR above 30 dB\" is a usual target for a tokenizer with f = 8 and 4 channels. None "
    "of the published ones reaches it, Stable Diffusion's included.")

namespace any_kind {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  const std::int64_t f = std::int64_t{1} << (design.multipliers.size() - 1);
  for (const PublishedTokenizer& published : published_tokenizers()) {
    if (published.factor == f)
      report.verdicts.published_psnr = std::max(report.verdicts.published_psnr, published.psnr);
  }
  return report;
}
}  // namespace any_kind
MISCONCEPTION(
    any_kind, design_tokenizer, "design.kinds-mixed",
    "A continuous tokenizer's PSNR was given for a discrete one. The kinds are kept apart.",
    "At f = 8 the difference is more than a decibel.")

namespace first_found {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report = solution::design_tokenizer(design, targets);
  const std::int64_t f = std::int64_t{1} << (design.multipliers.size() - 1);
  for (const PublishedTokenizer& published : published_tokenizers()) {
    if (published.factor == f && published.kind == design.kind)
      report.verdicts.published_psnr = published.psnr;
  }
  return report;
}
}  // namespace first_found
MISCONCEPTION(first_found, design_tokenizer, "design.last-neighbour",
              "Of several published figures you took the last. The best one is asked for.",
              "There are two discrete ones with f = 8: 16,384 codes and 256.")

namespace report_unchecked {
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerDesign repaired = design;
  repaired.codes = std::max<std::int64_t>(repaired.codes, 1);
  const std::int64_t f = std::int64_t{1} << (design.multipliers.size() - 1);
  repaired.width = std::max<std::int64_t>(design.width / f, 1) * f;
  return solution::design_tokenizer(repaired, targets);
}
}  // namespace report_unchecked
MISCONCEPTION(report_unchecked, design_tokenizer, "design.unchecked",
              "A design that its parts refuse was given a report.",
              "Call the parts first, and their refusals come along.")

// ---- 10.8 hinge_losses -------------------------------------------------------------------------

namespace not_halved {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  require(real.size() > 0 && fake.size() > 0, "no logit");
  HingeLoss loss{0.0, Matrix::Zero(real.rows(), real.cols()),
                 Matrix::Zero(fake.rows(), fake.cols())};
  const auto reals = static_cast<float>(real.size()), fakes = static_cast<float>(fake.size());
  for (Index i = 0; i < real.size(); ++i) {
    const float missing = 1.0F - real.data()[i];
    if (missing <= 0.0F) continue;
    loss.value += static_cast<double>(missing / reals);
    loss.d_real.data()[i] = -1.0F / reals;
  }
  for (Index i = 0; i < fake.size(); ++i) {
    const float missing = 1.0F + fake.data()[i];
    if (missing <= 0.0F) continue;
    loss.value += static_cast<double>(missing / fakes);
    loss.d_fake.data()[i] = 1.0F / fakes;
  }
  return loss;
}
}  // namespace not_halved
MISCONCEPTION(not_halved, hinge_d_loss, "hinge.not-halved",
              "The 1/2 is missing: value and gradients are twice too large.",
              "Some papers write the sum of both means; taming-transformers and latent diffusion "
              "have half of it. A learning rate was tuned for one of the two.")

namespace roles_exchanged {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  const HingeLoss loss = solution::hinge_d_loss(fake, real);
  return {loss.value, loss.d_fake, loss.d_real};
}
}  // namespace roles_exchanged
MISCONCEPTION(roles_exchanged, hinge_d_loss, "hinge.roles-exchanged",
              "Real and fake have changed places: real logits are to be above 1, fake ones below "
              "-1.",
              "The discriminator then learns to call reconstructions real. The generator's loss, "
              "which wants high logits, follows it into the wrong direction.")

namespace one_margin {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  const HingeLoss turned = solution::hinge_d_loss(real, -fake);
  return {turned.value, loss.d_real, -turned.d_fake};
}
}  // namespace one_margin
MISCONCEPTION(one_margin, hinge_d_loss, "hinge.margin-sign",
              "Real and fake have the same hinge, max(0, 1 - x). For fake logits it is max(0, 1 + "
              "f).",
              "What is sure and right is to cost nothing. With one hinge for both, the "
              "discriminator is asked to call everything real.")

namespace summed_logits {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  loss.d_real *= static_cast<float>(real.size());
  loss.d_fake *= static_cast<float>(fake.size());
  loss.value = 0.5 * static_cast<double>((1.0F - real.array()).cwiseMax(0.0F).sum() +
                                         (1.0F + fake.array()).cwiseMax(0.0F).sum());
  return loss;
}
}  // namespace summed_logits
MISCONCEPTION(summed_logits, hinge_d_loss, "hinge.summed",
              "You summed over logits. Each half is a mean.",
              "A discriminator of patches has 900 logits for an image of 256 x 256; with a sum, a "
              "larger image means a larger step.")

namespace pooled {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  const auto all = static_cast<float>(real.size() + fake.size());
  const float sum =
      (1.0F - real.array()).cwiseMax(0.0F).sum() + (1.0F + fake.array()).cwiseMax(0.0F).sum();
  loss.value = static_cast<double>(sum / all);
  loss.d_real *= 2.0F * static_cast<float>(real.size()) / all;
  loss.d_fake *= 2.0F * static_cast<float>(fake.size()) / all;
  return loss;
}
}  // namespace pooled
MISCONCEPTION(pooled, hinge_d_loss, "hinge.pooled",
              "You averaged over real and fake logits together. Each has a mean of its own.",
              "With equally many of both it is the same. With more fakes than reals, the two sides "
              "would not weigh alike.")

namespace no_hinge {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  loss.value =
      0.5 * static_cast<double>((1.0F - real.array()).mean() + (1.0F + fake.array()).mean());
  loss.d_real.setConstant(-0.5F / static_cast<float>(real.size()));
  loss.d_fake.setConstant(0.5F / static_cast<float>(fake.size()));
  return loss;
}
}  // namespace no_hinge
MISCONCEPTION(no_hinge, hinge_d_loss, "hinge.no-hinge",
              "There is no hinge: logits beyond the margin count negative and go on pulling.",
              "Without max(0, .) the loss has no lower bound, and a discriminator can win on easy "
              "patches for ever.")

namespace real_by_fake_count {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  loss.d_real *= static_cast<float>(real.size()) / static_cast<float>(fake.size());
  return loss;
}
}  // namespace real_by_fake_count
MISCONCEPTION(real_by_fake_count, hinge_d_loss, "hinge.real-by-fake-count",
              "The real logits' gradient was divided by the number of fake ones.",
              "One count for both is right as long as there are as many.")

namespace fake_by_patches {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  loss.d_fake *= static_cast<float>(fake.rows());
  return loss;
}
}  // namespace fake_by_patches
MISCONCEPTION(fake_by_patches, hinge_d_loss, "hinge.fake-by-patches",
              "The fake logits' gradient was divided by the patches of one image. The mean is over "
              "all images, too.",
              "With a batch of one it is right.")

namespace pulls_at_kink {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  HingeLoss loss = solution::hinge_d_loss(real, fake);
  for (Index i = 0; i < real.size(); ++i) {
    if (real.data()[i] == 1.0F) loss.d_real.data()[i] = -0.5F / static_cast<float>(real.size());
  }
  for (Index i = 0; i < fake.size(); ++i) {
    if (fake.data()[i] == -1.0F) loss.d_fake.data()[i] = 0.5F / static_cast<float>(fake.size());
  }
  return loss;
}
}  // namespace pulls_at_kink
MISCONCEPTION(pulls_at_kink, hinge_d_loss, "hinge.pulls-at-kink",
              "Exactly at a kink there is a gradient in your answer. The contract says 0, as relu "
              "has it.",
              "Any number between both sides could be defended; frameworks have settled for 0.")

namespace no_logits {
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake) {
  if (real.size() > 0 && fake.size() > 0) return solution::hinge_d_loss(real, fake);
  return {0.0, real, fake};
}
}  // namespace no_logits
MISCONCEPTION(no_logits, hinge_d_loss, "hinge.empty-accepted",
              "A batch without real or without fake logits was accepted.",
              "A mean over nothing is no number.")

namespace hinged_generator {
GeneratorLoss g_loss(const Matrix& fake) {
  const GeneratorLoss right = solution::g_loss(fake);
  const Matrix missing = (1.0F - fake.array()).cwiseMax(0.0F);
  return {static_cast<double>(missing.mean()),
          right.d_fake.array() * (missing.array() > 0.0F).cast<float>()};
}
}  // namespace hinged_generator
MISCONCEPTION(hinged_generator, g_loss, "gloss.hinged",
              "You put a hinge on the generator's loss. It is -mean f, without one.",
              "The hinge lets the discriminator stop where it is sure. The generator has no reason "
              "to stop.")

namespace pushes_down {
GeneratorLoss g_loss(const Matrix& fake) {
  const GeneratorLoss right = solution::g_loss(fake);
  return {-right.value, -right.d_fake};
}
}  // namespace pushes_down
MISCONCEPTION(pushes_down, g_loss, "gloss.sign",
              "The sign is wrong: the generator wants high logits, so its loss is minus their "
              "mean.",
              "With a plus it helps the discriminator.")

namespace summed_generator {
GeneratorLoss g_loss(const Matrix& fake) {
  const GeneratorLoss right = solution::g_loss(fake);
  const auto count = static_cast<double>(fake.size());
  return {count * right.value, static_cast<float>(count) * right.d_fake};
}
}  // namespace summed_generator
MISCONCEPTION(summed_generator, g_loss, "gloss.summed", "You summed over logits. It is a mean.",
              "The adaptive weight would undo it, up to its clamp; that is no reason to rely on "
              "it.")

namespace saturating {
GeneratorLoss g_loss(const Matrix& fake) {
  const GeneratorLoss right = solution::g_loss(fake);
  const Matrix p = (1.0F / (1.0F + (-fake.array()).exp())).matrix();
  return {static_cast<double>((1.0F - p.array()).log().mean()), right.d_fake.array() * p.array()};
}
}  // namespace saturating
MISCONCEPTION(saturating, g_loss, "gloss.saturating",
              "That is mean log(1 - sigmoid(f)), the minimax loss of the first GANs. Here it is "
              "-mean f.",
              "Where the discriminator is sure, its gradient vanishes, and that is where the "
              "generator needs it.")

namespace by_patches {
GeneratorLoss g_loss(const Matrix& fake) {
  const GeneratorLoss right = solution::g_loss(fake);
  return {right.value, static_cast<float>(fake.rows()) * right.d_fake};
}
}  // namespace by_patches
MISCONCEPTION(by_patches, g_loss, "gloss.by-patches",
              "The gradient was divided by the patches of one image. The mean is over all images, "
              "too.",
              "With a batch of one it is right.")

namespace no_fakes {
GeneratorLoss g_loss(const Matrix& fake) {
  if (fake.size() == 0) return {0.0, fake};
  return solution::g_loss(fake);
}
}  // namespace no_fakes
MISCONCEPTION(no_fakes, g_loss, "gloss.empty-accepted", "A batch without logits was accepted.",
              "A mean over nothing is no number.")

namespace inverted {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  return solution::adaptive_weight(d_adversarial, d_nll, weight);
}
}  // namespace inverted
MISCONCEPTION(inverted, adaptive_weight, "adaptive.inverted",
              "The ratio is upside down. The adversarial gradient is to be made as long as the "
              "other: divide by its norm.",
              "Inverted, the stronger the adversarial term, the more it is amplified.")

namespace unclamped {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  solution::adaptive_weight(d_nll, d_adversarial, weight);
  return weight * d_nll.cast<double>().norm() / (d_adversarial.cast<double>().norm() + 1e-4);
}
}  // namespace unclamped
MISCONCEPTION(unclamped, adaptive_weight, "adaptive.unclamped", "The clamp at 10,000 is missing.",
              "While the discriminator says nothing, its gradient is nearly 0 and the ratio huge. "
              "With norms of 3 and 0 it is 30,000.")

namespace squared_norms {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  solution::adaptive_weight(d_nll, d_adversarial, weight);
  const double ratio =
      d_nll.cast<double>().squaredNorm() / (d_adversarial.cast<double>().squaredNorm() + 1e-4);
  return weight * std::min(ratio, 1e4);
}
}  // namespace squared_norms
MISCONCEPTION(squared_norms, adaptive_weight, "adaptive.squared-norms",
              "You divided squared norms. Norms have a root.",
              "squaredNorm() and norm() differ by a word.")

namespace weight_dropped {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  solution::adaptive_weight(d_nll, d_adversarial, weight);
  return solution::adaptive_weight(d_nll, d_adversarial, 1.0);
}
}  // namespace weight_dropped
MISCONCEPTION(weight_dropped, adaptive_weight, "adaptive.weight-missing",
              "The configured weight is missing: it multiplies the ratio.",
              "Stable Diffusion's first stage has 0.5 there. With 1 nothing is seen.")

namespace fixed_weight {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  solution::adaptive_weight(d_nll, d_adversarial, weight);
  return weight;
}
}  // namespace fixed_weight
MISCONCEPTION(fixed_weight, adaptive_weight, "adaptive.fixed",
              "You returned the configured weight. It is multiplied by the ratio of two gradients.",
              "\"0.5 times the adversarial loss\" is what the configuration seems to say. In truth "
              "the factor is measured in each step, and may be 10,000 times that.")

namespace first_row_only {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  solution::adaptive_weight(d_nll, d_adversarial, weight);
  return solution::adaptive_weight(d_nll.topRows(1), d_adversarial.topRows(1), weight);
}
}  // namespace first_row_only
MISCONCEPTION(first_row_only, adaptive_weight, "adaptive.one-channel",
              "Only the first row of the gradients was measured. The norm is over all of the "
              "layer's weight.",
              "The last layer has three output channels; one of them is not the layer.")

namespace small_inside {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  solution::adaptive_weight(d_nll, d_adversarial, weight);
  const double norm = std::sqrt(d_adversarial.cast<double>().squaredNorm() + 1e-4);
  return weight * std::min(d_nll.cast<double>().norm() / norm, 1e4);
}
}  // namespace small_inside
MISCONCEPTION(small_inside, adaptive_weight, "adaptive.epsilon-under-root",
              "The 1e-4 was added under the root. It is added to the norm.",
              "Under the root it acts like 0.01, a hundred times as much.")

namespace adaptive_unchecked {
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight) {
  const double ratio = d_nll.cast<double>().norm() / (d_adversarial.cast<double>().norm() + 1e-4);
  return weight * std::min(ratio, 1e4);
}
}  // namespace adaptive_unchecked
MISCONCEPTION(adaptive_unchecked, adaptive_weight, "adaptive.unchecked",
              "Gradients of different shapes, or a negative weight, were accepted.",
              "Both are gradients with respect to one weight, so they have one shape. A negative "
              "weight trains the decoder to be caught.")

namespace one_step_late {
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  return step <= threshold ? 0.0 : weight;
}
}  // namespace one_step_late
MISCONCEPTION(one_step_late, adopt_weight, "adopt.one-late",
              "At the threshold itself you returned 0. It is the first step that counts.",
              "<= where < belongs. With 50,001 in the configuration, 50,000 steps go by before.")

namespace before_it {
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  return step < threshold ? weight : 0.0;
}
}  // namespace before_it
MISCONCEPTION(before_it, adopt_weight, "adopt.reversed",
              "You returned the weight before the threshold and 0 after it.",
              "The discriminator joins when reconstructions are good enough to be worth judging.")

namespace ramped {
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  return weight * std::min(1.0, static_cast<double>(step) / static_cast<double>(threshold));
}
}  // namespace ramped
MISCONCEPTION(ramped, adopt_weight, "adopt.ramped",
              "The weight grows from step to step. It is switched on, not ramped up.",
              "A ramp is another schedule, and maybe a better one. It is not this one.")

namespace switched_to_one {
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  return solution::adopt_weight(weight, step, threshold) > 0.0 ? 1.0 : 0.0;
}
}  // namespace switched_to_one
MISCONCEPTION(switched_to_one, adopt_weight, "adopt.one",
              "From the threshold on you returned 1. It is the weight that was given.",
              "The factor is 1 by default, which is why it is taken for a mere switch.")

namespace one_early {
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold) {
  return solution::adopt_weight(weight, step, threshold - 1);
}
}  // namespace one_early
MISCONCEPTION(one_early, adopt_weight, "adopt.one-early",
              "One step before the threshold you returned the weight already.",
              "Steps count from 0 in some loops and from 1 in others; the contract compares the "
              "number as it is.")

namespace perceptual_once {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  const double elements = static_cast<double>(x.size() / x.n());
  const double term = weights.perceptual * perceptual.mean() / std::exp(weights.log_var);
  loss.reconstruction -= (elements - 1.0) * term;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace perceptual_once
MISCONCEPTION(perceptual_once, ldm_total_loss, "ldm.perceptual-once",
              "The perceptual distance was counted once per image. It is added at every element "
              "before the sum, so it counts C H W times.",
              "In the source it has the shape [N, 1, 1, 1] and is added to [N, C, H, W], which "
              "broadcasts. At 256 x 256 that is a factor of 196,608: L1 0.05 and a distance of 0.2 "
              "make 49,152, not 9,830.6. \"1.0 L1 + 1.0 LPIPS\" hides it.")

namespace averaged_elements {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.reconstruction /= static_cast<double>(x.size() / x.n());
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace averaged_elements
MISCONCEPTION(averaged_elements, ldm_total_loss, "ldm.reconstruction-averaged",
              "You averaged the reconstruction over elements. It is summed over an image and "
              "averaged over the batch.",
              "Against a sum, a KL weight of 1e-6 is nearly nothing. Against a mean it would be "
              "196,608 times more.")

namespace batch_summed {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.reconstruction *= static_cast<double>(x.n());
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace batch_summed
MISCONCEPTION(batch_summed, ldm_total_loss, "ldm.batch-summed",
              "You summed the reconstruction over the batch. It is divided by N.",
              "The adversarial term is a mean, so the balance would depend on the batch size.")

namespace scale_counted_once {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.reconstruction -= (static_cast<double>(x.size() / x.n()) - 1.0) * weights.log_var;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace scale_counted_once
MISCONCEPTION(scale_counted_once, ldm_total_loss, "ldm.log-var-once",
              "s was added once per image. It is added at every element, like the error.",
              "It is the logarithm of a Laplacian's scale, and every element is one draw of it. "
              "With s = 0, where latent diffusion leaves it, nothing is seen.")

namespace half_the_scale {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  const double all = weights.log_var * static_cast<double>(x.size() / x.n());
  loss.reconstruction = (loss.reconstruction - all) * std::exp(0.5 * weights.log_var) + all;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace half_the_scale
MISCONCEPTION(half_the_scale, ldm_total_loss, "ldm.exp-half",
              "You divided by exp(s / 2). An absolute error is divided by exp(s).",
              "s / 2 belongs to the logarithm of a variance and a standard deviation. The name "
              "logvar in the source suggests it, and the source does not do it.")

namespace scale_multiplied {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  const double all = weights.log_var * static_cast<double>(x.size() / x.n());
  loss.reconstruction = (loss.reconstruction - all) * std::exp(2.0 * weights.log_var) + all;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace scale_multiplied
MISCONCEPTION(scale_multiplied, ldm_total_loss, "ldm.exp-multiplied",
              "You multiplied by exp(s). The error is divided by it.",
              "Multiplied, s would run to minus infinity: nothing holds it.")

namespace kl_summed {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.kl = weights.kl * kl.sum();
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace kl_summed
MISCONCEPTION(kl_summed, ldm_total_loss, "ldm.kl-summed",
              "The KL was summed over the batch. It is a mean over images, of sums over latents.",
              "Within an image it is a sum already; only the batch is averaged.")

namespace adversarial_fixed {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.adversarial = 0.5 * adversarial.g_loss;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace adversarial_fixed
MISCONCEPTION(
    adversarial_fixed, ldm_total_loss, "ldm.adversarial-fixed",
    "The adversarial loss was multiplied by 0.5. It is multiplied by the adaptive "
    "weight, which holds that 0.5, and by the factor that switches it on.",
    "\"+ 0.5 adversarial\" is what a simplified snippet shows. For the first 50,000 steps "
    "it is 0, and then whatever balances the two gradients at the last layer.")

namespace switch_forgotten {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.adversarial = adversarial.g_loss * adversarial.adaptive;
  loss.total = loss.reconstruction + loss.kl + loss.adversarial;
  return loss;
}
}  // namespace switch_forgotten
MISCONCEPTION(switch_forgotten, ldm_total_loss, "ldm.switch-forgotten",
              "The factor from adopt_weight is missing in the adversarial term.",
              "A discriminator that has not been trained yet would be listened to.")

namespace kl_left_out {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  LdmLoss loss = solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  loss.total = loss.reconstruction + loss.adversarial;
  return loss;
}
}  // namespace kl_left_out
MISCONCEPTION(kl_left_out, ldm_total_loss, "ldm.kl-left-out", "The total lacks the KL term.",
              "It is small: a KL of 4096 nats counts 0.004096 beside a reconstruction of "
              "thousands. It is in the sum all the same.")

namespace ldm_unchecked {
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights) {
  const bool fits = x.size() > 0 && x.shape() == x_hat.shape() && perceptual.size() == x.n() &&
                    kl.size() == x.n();
  if (fits) return solution::ldm_total_loss(x, x_hat, perceptual, kl, adversarial, weights);
  return {};
}
}  // namespace ldm_unchecked
MISCONCEPTION(ldm_unchecked, ldm_total_loss, "ldm.unchecked",
              "Batches that do not fit were accepted.",
              "Shapes with equally many elements can be subtracted in memory order, and mean "
              "nothing.")

// ---- 10.9 streaming_conv -----------------------------------------------------------------------

namespace starts_anew {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  const Index memory = std::max<Index>(weight.h() - 1, 0);
  require(cache.rows() == 0 || (cache.rows() == memory && cache.cols() == chunk.cols()), "cache");
  const Matrix y = causal_conv_time(chunk, weight, bias, 1);
  const Matrix seen = causal_pad(chunk, memory);
  return {y, seen.bottomRows(memory)};
}
}  // namespace starts_anew
MISCONCEPTION(starts_anew, streaming_conv, "stream.starts-anew",
              "Every chunk starts as if it were the first: its own first frame is repeated, and "
              "the cache ignored.",
              "Each boundary between chunks is then a small cut, which shows as a flicker with the "
              "period of the chunk.")

namespace zeros_at_start {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  const StreamStep right = solution::streaming_conv(chunk, cache, weight, bias);
  if (cache.rows() > 0 || weight.h() == 1) return right;
  const Matrix zeros = Matrix::Zero(weight.h() - 1, chunk.cols());
  return solution::streaming_conv(chunk, zeros, weight, bias);
}
}  // namespace zeros_at_start
MISCONCEPTION(zeros_at_start, streaming_conv, "stream.zeros-at-start",
              "A clip starts with a cache of zeros in your answer. It starts with copies of frame "
              "0.",
              "An empty cache filled with zeros is the obvious initial state, and not what the "
              "whole clip was given.")

namespace outputs_cached {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  for (Index row = 0; row < step.cache.rows(); ++row) {
    for (Index i = 0; i < step.cache.cols(); ++i) {
      const Index t = std::max<Index>(0, step.y.rows() - step.cache.rows() + row);
      step.cache(row, i) = i < step.y.cols() ? step.y(t, i) : 0.0F;
    }
  }
  return step;
}
}  // namespace outputs_cached
MISCONCEPTION(outputs_cached, streaming_conv, "stream.outputs-cached",
              "You remembered outputs. The next chunk needs the frames that went in.",
              "A recurrent network's state is its output; a convolution's is its input.")

namespace first_frames_cached {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  if (chunk.rows() > step.cache.rows()) step.cache = Matrix(chunk.topRows(step.cache.rows()));
  return step;
}
}  // namespace first_frames_cached
MISCONCEPTION(first_frames_cached, streaming_conv, "stream.first-frames-cached",
              "You remembered the first frames of the chunk. The next chunk follows its last ones.",
              "topRows where bottomRows belongs.")

namespace cache_turned {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  step.cache = Matrix(step.cache.colwise().reverse());
  return step;
}
}  // namespace cache_turned
MISCONCEPTION(cache_turned, streaming_conv, "stream.cache-reversed",
              "The cache has the latest frame first. It is in the order of time.",
              "With two taps it holds a single frame, and nothing is seen.")

namespace one_frame_more {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  const bool is_long = cache.rows() == weight.h() && cache.rows() > 0;
  const Matrix past = is_long ? Matrix(cache.bottomRows(cache.rows() - 1)) : cache;
  const StreamStep step = solution::streaming_conv(chunk, past, weight, bias);
  return {step.y, causal_pad(chunk, weight.h()).bottomRows(weight.h())};
}
}  // namespace one_frame_more
MISCONCEPTION(one_frame_more, streaming_conv, "stream.cache-of-k",
              "You remembered k frames. The next output has a frame of its own: k - 1 are enough.",
              "One frame too many shifts the next chunk by one, or has to be dropped there.")

namespace chunk_only {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  if (cache.rows() == 0 || chunk.rows() >= step.cache.rows()) return step;
  step.cache = causal_pad(chunk, step.cache.rows() - chunk.rows());
  return step;
}
}  // namespace chunk_only
MISCONCEPTION(chunk_only, streaming_conv, "stream.chunk-only",
              "After a chunk shorter than k - 1 you filled the cache with copies of its first "
              "frame. It has to keep frames of the old cache.",
              "Live video comes frame by frame, and that is exactly the case of short chunks.")

namespace short_start {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  if (cache.rows() == 0 && chunk.rows() < step.cache.rows()) step.cache = chunk;
  return step;
}
}  // namespace short_start
MISCONCEPTION(short_start, streaming_conv, "stream.short-start",
              "After a short first chunk the cache has fewer than k - 1 frames. The copies of "
              "frame 0 belong to it.",
              "They are the past of this clip, until real frames have pushed them out.")

namespace always_remembers {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  if (weight.h() == 1) step.cache = chunk.bottomRows(1);
  return step;
}
}  // namespace always_remembers
MISCONCEPTION(always_remembers, streaming_conv, "stream.one-tap-remembers",
              "With a single tap you remembered a frame. There is no past to remember.",
              "k - 1 is 0.")

namespace extra_outputs {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  StreamStep step = solution::streaming_conv(chunk, cache, weight, bias);
  Matrix seen = causal_pad(chunk, weight.h() - 1);
  if (cache.rows() > 0) seen.topRows(cache.rows()) = cache;
  step.y = causal_conv_time(seen, weight, bias, 1);
  return step;
}
}  // namespace extra_outputs
MISCONCEPTION(extra_outputs, streaming_conv, "stream.extra-outputs",
              "You returned outputs for the cached frames as well. There is one output per frame "
              "of the chunk.",
              "The earlier chunk has given those already, and from the right past.")

namespace any_cache {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  const Index memory = std::max<Index>(weight.h() - 1, 0);
  if (cache.rows() <= memory && cache.cols() == chunk.cols())
    return solution::streaming_conv(chunk, cache, weight, bias);
  Matrix fitting = Matrix::Zero(memory, chunk.cols());
  const Index rows = std::min(cache.rows(), memory), cols = std::min(cache.cols(), chunk.cols());
  fitting.bottomRows(rows).leftCols(cols) = cache.bottomRows(rows).leftCols(cols);
  return solution::streaming_conv(chunk, fitting, weight, bias);
}
}  // namespace any_cache
MISCONCEPTION(any_cache, streaming_conv, "stream.cache-unchecked",
              "A cache of another size was accepted.",
              "A cache of another layer has another k or other channels, and in a model with many "
              "layers they are easily mixed up.")

namespace stream_unchecked {
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias) {
  const bool is_sound =
      chunk.rows() > 0 && weight.h() > 0 && weight.c() == chunk.cols() && weight.n() == bias.size();
  if (is_sound) return solution::streaming_conv(chunk, cache, weight, bias);
  return {Matrix::Zero(chunk.rows(), bias.size()), cache};
}
}  // namespace stream_unchecked
MISCONCEPTION(stream_unchecked, streaming_conv, "stream.unchecked",
              "A chunk without frames, or a weight that does not fit, was accepted.",
              "causal_conv_time refuses both; called first, it brings the refusals along.")

}  // namespace latent

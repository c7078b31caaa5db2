/// @file
/// The frame around a training loop: counts steps, says how it goes, keeps what was learned.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "common/experiment.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/types.hpp"

namespace latent {

/// Somebody pressed Ctrl-C, and what was learned so far is kept. The message says how to go on.
struct TrainingStopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What is trained, and for how long.
struct TrainingPlan {
  std::string name;                            ///< "mixture": in the checkpoint and for people.
  std::int64_t steps = 0;                      ///< How many.
  Index samples = 0;                           ///< Per step.
  std::vector<std::string> terms{"loss"};      ///< What `record` is given, by name.
  std::chrono::milliseconds save_every{2000};  ///< How much a SIGKILL may cost.
};

/// A tensor that somebody else owns and that must outlive this: a parameter, what the optimizer
/// remembers of it, a codebook, a gradient. It may be assigned to, but not to another shape.
struct NamedTensor {
  std::string name;                                   ///< What a checkpoint calls it.
  std::variant<Matrix*, RowVector*, Tensor4*> owner;  ///< Where it lives.

  /// @return  Its sizes, outermost first; `[1, D]` for a row.
  Shape shape() const;

  /// @return  Its elements as a matrix: the first size along the rows, the others along the
  /// columns.
  Eigen::Map<Matrix> matrix() const;
};

/// Everything that a loop changes and a checkpoint holds: parameters and, so that resuming changes
/// nothing, what the optimizer remembers.
using NamedTensors = std::vector<NamedTensor>;

/// One training loop:
///
///     Training training(run, {"mixture", 5000, 64}, tensors);
///     while (training.next()) {
///       ... change the tensors, drawing batch number training.step() ...
///       training.record({loss});
///     }
///
/// A line on standard error says how it goes: step, terms, samples per second, seconds left. Ctrl-C
/// lets the step end, keeps a checkpoint and leaves the loop as a TrainingStopped; pressed again it
/// ends the program at once. Resumed, the loop goes on at the step after the last one kept. If what
/// is random in a step depends on the seed and the step alone, the end is the same to the bit.
class Training {
 public:
  /// Resumes where the run's checkpoint has tensors of this name.
  /// @param run      Where checkpoints go and come from. Must outlive the training.
  /// @param plan     What, and for how long.
  /// @param tensors  As they are before the first step. Must outlive the training.
  /// @throws FileError  if the checkpoint holds other tensors than these, or a longer training.
  Training(Run& run, TrainingPlan plan, NamedTensors tensors);

  /// Takes the line away.
  ~Training();
  /// There is one line.
  Training(const Training&) = delete;
  /// There is one line.
  /// @return Nothing: it cannot be called.
  Training& operator=(const Training&) = delete;

  /// Begins a step.
  /// @return  Whether there is one left; if not, what was learned is kept.
  /// @throws TrainingStopped  after Ctrl-C.
  /// @throws std::logic_error  if the step before recorded nothing.
  bool next();

  /// @return  The step that `next` began, counted from 1.
  std::int64_t step() const { return step_; }

  /// Takes down what a step came to.
  /// @param terms  As many as the plan names.
  /// @throws std::invalid_argument  if there are more or fewer.
  /// @throws std::runtime_error  if one is not finite: what follows would learn nothing.
  void record(const std::vector<double>& terms);

  /// One term over the steps, thinned for a plot: each point is the mean over the steps since the
  /// one before.
  /// @param term    Counted from 0.
  /// @param points  At most so many.
  /// @return        x counts steps; its name is that of the term.
  Series curve(std::size_t term, std::size_t points) const;

 private:
  using Clock = std::chrono::steady_clock;

  void restore();
  void save();
  void show(bool now);

  Run& run_;
  TrainingPlan plan_;
  NamedTensors tensors_;
  std::int64_t step_ = 0, first_ = 0;       ///< Of this process: where it began.
  std::vector<std::vector<float>> losses_;  ///< By term; floats, so that a checkpoint is exact.
  std::string path_;                        ///< Of the checkpoint, once there is one.
  Clock::time_point begin_, saved_, shown_;
  bool terminal_;
};

/// A weight so large that what goes through its layer keeps its variance: normal numbers divided by
/// the root of the inputs of an output.
/// @param out     Rows.
/// @param in      Columns, above 0.
/// @param random  Where they come from.
/// @return        Shape `[out, in]`.
Matrix initial_weight(Index out, Index in, Random& random);

/// Some rows of x, each equally likely, one perhaps twice: a batch.
/// @param x       Shape `[N, D]`, N above 0.
/// @param count   How many, not negative.
/// @param random  Where the choice comes from; of the seed and the step, to be the same when
/// resumed.
/// @return        Shape `[count, D]`.
/// @throws std::invalid_argument  if x has no row.
Matrix random_rows(const Matrix& x, Index count, Random& random);

}  // namespace latent

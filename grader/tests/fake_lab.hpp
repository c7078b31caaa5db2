/// @file
/// A lab of two tiny exercises, with hidden properties of their own, to try the judge on.
#pragma once

#include <functional>
#include <memory>

#include "grader/judge/forked.hpp"

namespace latent {

/// 99.1: 2 x; refuses a matrix without columns.
Matrix fake_twice(const Matrix& x);

/// 99.2: x + 1; needs 99.1.
Matrix fake_after(const Matrix& x);

}  // namespace latent

namespace latent::grader {

inline constexpr const char* kFakeLab = "99_fake";

/// Not among labs(): only these tests know it.
const Lab& fake_lab();

/// The fake lab's right functions, with something of its own in front of them.
class FakeSubmission final : public Submission {
 public:
  /// @param answer  Asked instead of the right functions, which it may ask in turn.
  using Answer = std::function<Reply(const Request&, Submission& right)>;
  explicit FakeSubmission(Answer answer) : answer_(std::move(answer)), right_(fake_lab()) {}

  Reply ask(const Request& request) override { return answer_(request, right_); }

 private:
  Answer answer_;
  LinkedTable right_;
};

/// Cases of this seed.
/// @param only  Exercise ids; empty: all.
inline JudgeOptions with_seed(std::uint64_t seed, std::set<std::string> only = {}) {
  JudgeOptions options;
  options.seed = seed;
  options.only = std::move(only);
  return options;
}

/// Judges the fake lab in a child process.
inline std::vector<ExerciseResult> judge_fake(const FakeSubmission::Answer& answer,
                                              const JudgeOptions& options = with_seed(7)) {
  return judge_forked(
      {&fake_lab(), [&] { return std::make_unique<FakeSubmission>(answer); }, options});
}

/// A request's only argument as a matrix, and a reply of one matrix.
inline Matrix matrix_in(const Request& request) {
  return Signature<Matrix(const Matrix&)>::result(request.arguments);
}
inline Reply reply_with(const Matrix& x) {
  Reply reply{Outcome::kValue, {}, {}};
  encode(x, reply.values);
  return reply;
}

}  // namespace latent::grader

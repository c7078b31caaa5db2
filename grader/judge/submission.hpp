/// @file
/// Who answers: a real submission behind a pipe, or trusted functions in this process. Hidden
/// properties cannot tell them apart.
#pragma once

#include <string>
#include <unordered_map>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// Something that answers requests.
class Submission {
 public:
  virtual ~Submission() = default;

  /// Asks once and waits, within the deadline.
  /// @param request  The call.
  /// @return         Its result, or how it ended without one.
  virtual Reply ask(const Request& request) = 0;

  /// What was printed since the last call of this function, raw. Never trusted, never parsed.
  virtual std::string take_output() { return {}; }

  /// Forgets whatever earlier calls have left behind: threads, memory that they overwrote, a
  /// rounding direction. Called between exercises, so that none of them suffers for another.
  virtual void start_afresh() {}
};

/// The functions linked into this process, with some of them replaced.
class LinkedTable final : public Submission {
 public:
  /// The lab's own functions, which here are the solution's.
  explicit LinkedTable(const Lab& lab);

  /// Puts another function in the place of one of the same name.
  void replace(const Operation& operation);

  Reply ask(const Request& request) override;
  std::string take_output() override;

 private:
  std::unordered_map<std::string, Operation> table_;
  std::string output_;
};

}  // namespace latent::grader

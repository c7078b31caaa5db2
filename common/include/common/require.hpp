/// @file
/// How an exercise refuses bad arguments, and how an empty one says that it is empty.
#pragma once

#include <stdexcept>
#include <string>

namespace latent {

/// Thrown by an exercise nobody has started. The grader reports "not started", never "wrong".
struct NotAttempted : std::logic_error {
  using std::logic_error::logic_error;
};

/// What `todo` returns: it converts to any result, so that `return todo(...)` always compiles.
struct Todo {
  /// Never runs: `todo` has thrown by then.
  /// @return Nothing.
  template <typename Result>
  operator Result() const {
    throw NotAttempted("this exercise is not started");
  }
};

/// Marks the hole that a learner fills: `return todo(x, weight, bias);`
/// @param arguments  The function's parameters; naming them here keeps the compiler from calling
///                   them unused.
/// @return Nothing: it always throws.
/// @throws NotAttempted  always.
template <typename... Arguments>
[[noreturn]] Todo todo([[maybe_unused]] const Arguments&... arguments) {
  throw NotAttempted("this exercise is not started");
}

/// Checks what a contract demands of its caller; active in every build type, unlike `assert`.
/// @param holds    The demand.
/// @param message  What was expected *and* what came.
/// @throws std::invalid_argument  if the demand is not met.
inline void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

/// The commonest demand: two sizes that must agree.
/// @param found     The size that came.
/// @param expected  The size that the contract asks for.
/// @param what      Names the size, for example "columns of x".
/// @throws std::invalid_argument  if they differ, with both numbers in the message.
inline void require_size(std::ptrdiff_t found, std::ptrdiff_t expected, const std::string& what) {
  require(found == expected,
          what + ": expected " + std::to_string(expected) + ", got " + std::to_string(found));
}

}  // namespace latent

/// @file
/// What travels between judge and worker: numbers with a shape, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/types.hpp"

namespace latent::grader {

/// The element types that can travel.
enum class Type : std::uint8_t { kFloat32, kFloat64, kInt32, kInt64 };

/// @param type  An element type.
/// @return      Its size in bytes.
std::size_t size_of(Type type);

/// A tensor of any rank; a scalar has the empty shape.
struct Value {
  Type type = Type::kFloat64;
  Shape shape;
  std::vector<std::byte> bytes;  ///< Elements, last index fastest, in this machine's byte order.

  /// @return The number of elements.
  std::size_t size() const { return bytes.size() / size_of(type); }

  /// @param i  Which element, in storage order.
  /// @return   The element as a double; exact for all but large 64-bit integers.
  double at(std::size_t i) const;

  bool operator==(const Value&) const = default;
};

/// How a call ended. The first five come over the wire, the others are the judge's own findings.
enum class Outcome : std::uint8_t {
  kValue,         ///< Numbers came back.
  kRefused,       ///< std::invalid_argument: the contract's way to refuse.
  kNotAttempted,  ///< The stub's todo().
  kThrew,         ///< Any other exception.
  kMisused,       ///< An Eigen assertion: shapes that do not fit, an index out of range.
  kCrashed,       ///< The process ended.
  kTimedOut,      ///< No complete answer within the deadline.
  kGarbled,       ///< Bytes that are no reply, or more of them than a reply has.
};

/// One call.
struct Request {
  std::string operation;  ///< The function's name, for example "linear_forward".
  std::vector<Value> arguments;
};

/// Its answer.
struct Reply {
  Outcome outcome = Outcome::kCrashed;
  std::vector<Value> values;  ///< The result, an aggregate's members one by one.
  std::string note;           ///< The judge's own words on how it ended; never sent.
};

/// Bytes or values that are not what the protocol or the function's type allows.
struct WireError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace latent::grader

/// @file
/// One call, with every way in which it can end.
#pragma once

#include <string>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// Calls an operation and says how the call ended.
/// @param operation  What to call.
/// @param arguments  Its arguments.
/// @param what       Receives the text of an exception; it must not leave the caller's process.
/// @return           The reply, without a note.
Reply answer(const Operation& operation, const std::vector<Value>& arguments, std::string& what);

}  // namespace latent::grader

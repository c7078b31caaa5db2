/// @file
/// Reads a lab's hints.md.
#pragma once

#include <string>
#include <vector>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// The hints of an exercise, from nudge to line of attack: the numbered list under "## <id> ...".
std::vector<std::string> hints_for(const Lab& lab, const Exercise& exercise);

}  // namespace latent::grader

/// @file
/// What `lab author check` compiles: stubs for warnings, and misconceptions and alternatives as the
/// submissions they would be.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// Compiler complaints about a lab's stubs, from every compiler at hand; empty if there are none.
std::vector<std::string> warnings_of_stubs(const Lab& lab);

/// A folder laid out like labs/, and what the verdicts must be.
struct RealSubmission {
  std::string folder;               ///< Removed with the process.
  std::set<std::string> exercises;  ///< Which of them to grade.
  std::map<std::string, std::string>
      expected;  ///< By exercise: the diagnosis, or empty for a pass.
};

/// One misconception and one alternative per exercise, cut out of grader/ and put into the files
/// that learners write.
std::vector<RealSubmission> real_submissions(const Lab& lab);

}  // namespace latent::grader

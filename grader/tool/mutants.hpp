/// @file
/// Mechanical mistakes in a source file: what a slip of the hand could have written instead.
#pragma once

#include <string>
#include <vector>

namespace latent::grader {

/// One file with one mistake.
struct Mutant {
  std::string kind;    ///< "operator", "constant", "sign", "axis", "dropped" or "function".
  int line = 0;        ///< Where, counting from 1.
  std::string before;  ///< What stood there.
  std::string after;   ///< What stands there now; empty: nothing.
  std::string source;  ///< The whole file.
};

/// Every mutant of a source in this project's layout: binary operators stand between blanks, unary
/// ones do not. Comments, literals of text and the messages of refusals are left alone. Some mutants
/// do not compile.
std::vector<Mutant> mutants_of(const std::string& source);

}  // namespace latent::grader

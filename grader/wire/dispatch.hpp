/// @file
/// The table of a lab: its exercises and the functions they consist of. The same table is linked
/// into the worker, where the functions are the learner's, and into the judge, where they are the
/// solution's.
#pragma once

#include <string>
#include <vector>

#include "grader/wire/codec.hpp"

namespace latent::grader {

/// A function that can be called by name.
struct Operation {
  std::string name;
  std::vector<Value> (*call)(const std::vector<Value>& arguments);
};

template <auto Function>
std::vector<Value> call(const std::vector<Value>& arguments) {
  return Signature<std::remove_pointer_t<decltype(Function)>>::call(Function, arguments);
}

/// A function of a contract under its own name. The tool knows only the names, until it loads what
/// judges a lab.
#ifdef LATENTLAB_TABLE_ONLY
#define OPERATION(function)     \
  ::latent::grader::Operation { \
#function, nullptr          \
  }
#else
#define OPERATION(function)                                   \
  ::latent::grader::Operation {                               \
#function, &::latent::grader::call < &::latent::function> \
  }
#endif

/// How an exercise counts.
enum class Kind {
  kCore,     ///< The lab's model needs it.
  kStretch,  ///< Worth doing, needed by nothing in the lab.
};

/// One exercise, which is one file: exercise 2 of a lab, `linear_forward`, lives in
/// `2_linear_forward.cpp`.
struct Exercise {
  std::string id;    ///< "1.2"
  std::string name;  ///< "linear_forward"
  Kind kind = Kind::kCore;
  int points = 0;  ///< One for each property beyond the defining one, the rest for that.
  std::vector<std::string> needs;  ///< Exercises whose functions this one calls.
  std::vector<Operation> operations;

  /// @return The name of the file to write, for example "2_linear_forward.cpp".
  std::string file() const { return id.substr(id.find('.') + 1) + "_" + name + ".cpp"; }
};

/// One lab.
struct Lab {
  std::string name;   ///< "01_autoencoder", the folder's name in every wing.
  std::string title;  ///< "Autoencoder"
  std::vector<Exercise> exercises;

  /// @return The name of the contract, for example "autoencoder.hpp".
  std::string contract() const { return name.substr(name.find('_') + 1) + ".hpp"; }
};

/// All labs linked into this program, in order of their names.
std::vector<Lab>& labs();

/// Adds a lab to `labs()`, or the functions to a table that had only their names; each file of
/// grader/dispatch defines one at namespace scope.
struct Registration {
  explicit Registration(Lab lab);
};

}  // namespace latent::grader

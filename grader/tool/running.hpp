/// @file
/// Builds an experiment: labs/NN_name/experiment.cpp, the exercises that it calls, what those call,
/// and common/, all optimised for this machine. Objects are kept by the hash of all that went into
/// them.
///
/// One's own code runs as oneself, without a sandbox, as anything else does that one compiles and
/// starts. A submission's is compiled, linked and run in the jail.
#pragma once

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// Why there is nothing to run: fit to be shown, one sentence and what to do.
struct RunRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An experiment that can be started.
struct Program {
  std::string path;                         ///< Of the executable.
  std::vector<const Exercise*> own;         ///< Linked from labs/.
  std::vector<const Exercise*> references;  ///< Linked from solutions/.
};

/// Path of a lab's experiment, whether there is one or not.
std::string experiment_file(const Lab& lab);

/// Where an exercise's own file lies.
std::string own_file(const Exercise& exercise);

/// @param lab             Whose experiment.
/// @param from_solutions  Exercises to take from solutions/, written or not.
/// @param submission      Somebody's folder laid out like labs/, to be locked in; empty: labs/.
/// @param device          "cuda" or "emulated": the kernels of solutions that have some; or empty.
/// @throws RunRefused     if a function that it calls is not written or does not compile.
Program build_program(const Lab& lab, const std::set<std::string>& from_solutions,
                      const std::string& submission = "", const std::string& device = "");

/// A program that is started.
struct Start {
  std::string program;             ///< Its path.
  std::string lab_folder;          ///< What ships with the lab.
  std::string answers;             ///< The reader's answers.toml, or a path where there is none.
  std::string out;                 ///< Where its files go.
  std::vector<std::string> facts;  ///< Command line, own exercises, references.
  std::vector<std::string> words;  ///< Its options.
};

/// Starts a program of a submission in the jail, waits, prints what it printed and takes its files
/// over. What its options name is readable for it, and nothing else.
/// @return  Its wait status.
int run_locked_in(const Start& start);

}  // namespace latent::grader

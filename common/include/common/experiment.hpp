/// @file
/// What an experiment is written against. A lab's experiment.cpp is compiled by `lab run` together
/// with the exercises that it uses, and `run_experiment` is called.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace latent {

/// A wrong command line; the message says what to type instead.
struct RunUsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An option of an experiment.
struct ExperimentOption {
  std::string name;   ///< "--image"
  std::string value;  ///< What follows it, for the help: "FILE". Empty: nothing does.
  std::string text;   ///< What it does.
};

/// One run: what was asked for, and where things are.
class Run {
 public:
  /// @param lab      The lab's folder, where what ships with it lies.
  /// @param out      Where the run's files go; made when the first is written.
  /// @param options  What was given, by name.
  Run(std::string lab, std::string out, std::map<std::string, std::string> options)
      : lab_(std::move(lab)), out_(std::move(out)), options_(std::move(options)) {}

  /// What was given for an option.
  /// @param name  "--image"
  /// @return      The word that followed it; empty if it was not given.
  std::string option(const std::string& name) const;

  /// A file that ships with the lab.
  /// @param name  Relative to the lab's folder.
  /// @return      Its path.
  std::string given(const std::string& name) const { return lab_ + "/" + name; }

  /// Where a file of this run goes.
  /// @param name  For example "trace.jsonl".
  /// @return      Its path, in a folder that exists.
  /// @throws FileError  if the folder cannot be made.
  std::string output(const std::string& name);

  /// Prints which files were written.
  void list_outputs() const;

 private:
  std::string lab_, out_;
  std::map<std::string, std::string> options_;
  std::vector<std::string> written_;
};

/// Says on standard error what takes a while, and for how long already; gone when it ends. Nothing
/// where standard error is no terminal.
class Progress {
 public:
  /// @param text  "encoding and decoding"
  explicit Progress(const std::string& text);
  /// Takes the line away.
  ~Progress();
  /// There is one line.
  Progress(const Progress&) = delete;
  /// There is one line.
  /// @return Nothing: it cannot be called.
  Progress& operator=(const Progress&) = delete;

 private:
  struct Line;
  Line* line_;
};

/// The options that an experiment takes; each experiment.cpp defines it.
/// @return  In the order in which the help shows them.
std::vector<ExperimentOption> experiment_options();

/// The experiment itself; each experiment.cpp defines it. Prints on standard output.
/// @param run  What was asked for.
/// @throws FileError      if a file that somebody gave cannot be used.
/// @throws RunUsageError  if options do not fit together.
void run_experiment(Run& run);

}  // namespace latent

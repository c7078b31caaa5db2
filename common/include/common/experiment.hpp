/// @file
/// What an experiment is written against. A lab's experiment.cpp is compiled by `lab run` together
/// with the exercises that it uses, and `run_experiment` is called.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/safetensors.hpp"

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

/// Who started a run and whose functions it has; `lab run` knows.
struct RunFacts {
  std::string command;    ///< The command line, for a report: "./lab run 1 --quick".
  std::string yours;      ///< The learner's exercises: "1.2 1.3"; may be empty.
  std::string reference;  ///< Those that the reference stands in for; may be empty.
};

/// One run: what was asked for, and where things are.
class Run {
 public:
  /// @param lab      The lab's folder, where what ships with it lies.
  /// @param out      Where the run's files go; made when the first is written.
  /// @param options  What was given, by name. With --resume, seed and quick are those of the run
  ///                 that is resumed.
  /// @param facts    Who started it.
  /// @throws FileError      if --resume names no checkpoint of this lab.
  /// @throws RunUsageError  if --seed is no whole number from 0 to 2^64 - 1, or a run is resumed
  ///                        with another seed or in another length.
  Run(std::string lab, std::string out, std::map<std::string, std::string> options,
      RunFacts facts = {});

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

  /// @return  Decides everything that is random in the run: --seed, or 1.
  std::uint64_t seed() const { return seed_; }

  /// @return  Whether --quick was given: much shorter, less well trained. With the
  ///          solutions, a run takes under three minutes on two cores, a quick one under 15
  ///          seconds.
  bool quick() const { return quick_; }

  /// @return  Who started it.
  const RunFacts& facts() const { return facts_; }

  /// @return  What is kept for --resume. After --resume it holds what the other run kept.
  StoredTensors& checkpoint() { return checkpoint_; }

  /// What decides the result besides seed and length, for example the pictures of --data: kept in
  /// the checkpoint, and compared with it after --resume.
  /// @param what         "the pictures": for the message.
  /// @param fingerprint  Equal for equal things; a checksum.
  /// @throws RunUsageError  if the run that is resumed had another one.
  void depends_on(const std::string& what, std::uint32_t fingerprint);

  /// Writes what is kept to checkpoint.safetensors among the outputs, all of it or nothing.
  /// @return  Its path.
  /// @throws FileError  if it cannot be written.
  std::string save_checkpoint();

 private:
  void resume(const std::string& path);
  StoredTensor settings() const;
  std::string settings_name() const;

  std::string lab_, out_;
  std::map<std::string, std::string> options_;
  RunFacts facts_;
  std::uint64_t seed_ = 1;
  bool quick_ = false;
  StoredTensors checkpoint_;
  std::vector<std::string> written_;
};

/// Says on standard error what takes a while, and for how long already or still; gone when it ends.
/// Nothing where standard error is no terminal.
class Progress {
 public:
  /// @param text     "encoding and decoding"
  /// @param seconds  How long it is expected to take, to say how much is left; 0: not known.
  explicit Progress(const std::string& text, double seconds = 0.0);
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

/// The options of every experiment that trains: --seed, --quick, --resume.
/// @return  In the order in which the help shows them.
std::vector<ExperimentOption> training_options();

/// The options that an experiment takes; each experiment.cpp defines it.
/// @return  In the order in which the help shows them.
std::vector<ExperimentOption> experiment_options();

/// The experiment itself; each experiment.cpp defines it. Prints on standard output.
/// @param run  What was asked for.
/// @throws FileError      if a file that somebody gave cannot be used.
/// @throws RunUsageError  if options do not fit together.
void run_experiment(Run& run);

}  // namespace latent

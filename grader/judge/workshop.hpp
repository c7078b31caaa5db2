/// @file
/// Turns the files of a submission into workers: takes in the sources, compiles each in the jail,
/// links them with stubs where they are missing. Objects are kept by the hash of all that went into
/// them, so that only what changed is compiled.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "grader/judge/files.hpp"
#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// What can be said of an exercise's file before anything runs.
enum class FileState {
  kMissing,    ///< There is none.
  kUntouched,  ///< It is the stub.
  kRefused,    ///< It is not a source file: `problem` says why.
  kWritten,    ///< It is to be compiled.
};

/// A compiler's message, fit to be shown.
struct Diagnostic {
  std::string file;  ///< "labs/01_autoencoder/2_linear_forward.cpp"
  int line = 0;
  std::string text;
};

/// One exercise's file and what became of it.
struct Piece {
  const Exercise* exercise = nullptr;
  std::string file;  ///< Relative, as in a Diagnostic.
  FileState state = FileState::kMissing;
  std::string problem;  ///< One sentence, where there is nothing to link.
  std::string source_sha256;
  std::string object;   ///< Path of the object to link; empty if there is none.
  std::string symbols;  ///< Global names that it defines or wants, as `nm -P` prints them.
  std::vector<Diagnostic> diagnostics;

  bool compiled() const { return !object.empty(); }
};

/// One lab of a submission.
struct LabBuild {
  const Lab* lab = nullptr;
  std::map<std::string, Piece> pieces;  ///< By exercise id.
};

/// How an exercise is looked into.
enum class Instrument {
  kSanitizers,  ///< AddressSanitizer and UBSan, which end the worker with a report.
  kDebugger,    ///< Nothing optimised away.
};

/// Compiles and links for one submission.
class Workshop {
 public:
  /// @param submission  A folder laid out like labs/.
  /// @param state       Where compiled objects are kept, for example ".lab".
  /// @param more_flags  For the compiler, after those of a worker.
  Workshop(std::string submission, std::string state, std::vector<std::string> more_flags = {});
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  /// Takes in the files of a lab and compiles those that are written.
  /// @param only  If set, of these exercises.
  LabBuild build(const Lab& lab, const std::set<std::string>& only = {});

  /// Whether anything of the lab has been written.
  bool is_started(const Lab& lab) const;

  /// Links the worker of a lab.
  /// @param build    The lab.
  /// @param earlier  Objects of earlier labs, chosen by the caller.
  /// @return         Path of the executable. Pieces that cannot be linked are marked in `build` and
  ///                 left out.
  std::string link(LabBuild& build, const std::vector<std::string>& earlier);

  /// The same worker, with line numbers and one exercise made to be looked into.
  /// @return Path of the executable, or empty if that cannot be built.
  std::string link_instrumented(const LabBuild& build, const std::string& id,
                                const std::vector<std::string>& earlier, Instrument instrument);

  /// The object of the reference for an exercise, or empty where there are no solutions.
  static std::string reference_object(const Lab& lab, const Exercise& exercise);
  static std::string stub_object(const Lab& lab, const Exercise& exercise);

 private:
  Piece take_in(const Lab& lab, const Exercise& exercise, std::string& source) const;
  void compile(const Lab& lab, Piece& piece, const std::string& source, const std::string& helpers);
  static void check_definitions(const Lab& lab, Piece& piece, const std::string& symbols);
  std::string try_link(const std::vector<std::string>& objects, std::string& complaint);
  std::string instrumented_runtime(const Lab& lab, Instrument instrument);

  std::string submission_, cache_, scratch_;
  std::vector<std::string> more_flags_;
};

/// Changes when anything changes that a compiled object depends on besides its source.
std::string kit_fingerprint();

/// What a sanitizer's report says, and which line of a learner's file it blames. The text is the
/// learner's process's: for reading, nothing depends on it.
std::optional<Diagnostic> crash_site(const std::string& output, const std::string& file);

/// Pristine stub of an exercise.
std::string stub_file(const Lab& lab, const Exercise& exercise);

}  // namespace latent::grader

/// @file
/// Starts a program that must not be trusted: bubblewrap where it works, otherwise limits, no new
/// privileges and Landlock. Also waits for it, with a deadline and a bound on what it may print.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "grader/judge/scratch.hpp"

namespace latent::grader {

/// How well a program is locked in.
enum class Confinement {
  kFull,     ///< Own namespaces: no network, no files but those given, no other process.
  kReduced,  ///< Limits and Landlock only. Scores stay honest; files may be readable.
};

/// @return "full" or "reduced", the report's words.
std::string to_string(Confinement confinement);

/// What works on this machine, found by trying once. LATENTLAB_SANDBOX=reduced asks for the
/// fallback.
Confinement confinement();

/// What a program may use up.
struct Limits {
  int cpu_seconds = 20;
  std::size_t memory_bytes = std::size_t{1} << 30;  ///< 0: no limit (sanitizers reserve terabytes).
  int processes = 16;
  std::size_t file_bytes = std::size_t{64} << 20;
};

/// A program to be locked in. Paths are those of this machine; inside they are the same.
struct JailSpec {
  std::vector<std::string> argv;
  std::string executable_to_copy;     ///< If set, this file becomes argv[0], "/worker" inside.
  std::vector<std::string> readable;  ///< Folders to see, besides /usr.
  std::string writable;               ///< One folder to write in, which is also where it starts.
  bool needs_proc = false;
  bool trusted =
      false;  ///< Ours, and not locked in at all: with threads, devices, its environment.
  Limits limits;
  int requests_fd = -1, replies_fd = -1;  ///< Become 3 and 4.
  int output_fd = -1;                     ///< Becomes 1 and 2; stdin is /dev/null.
};

/// A running program.
class Jailed {
 public:
  Jailed() = default;
  explicit Jailed(const JailSpec& spec);
  Jailed(Jailed&& other) noexcept;
  Jailed& operator=(Jailed&& other) noexcept;
  ~Jailed();

  bool running() const { return pid_ > 0; }

  /// Kills it and whatever it started, and collects it.
  /// @return Its wait status.
  int kill();

  /// Collects it if it has ended by itself within the time, kills it otherwise.
  /// @param killed  Says whether it had to be killed; may be null.
  /// @return Its wait status.
  int collect(std::chrono::milliseconds patience, bool* killed = nullptr);

 private:
  void clean_up();

  pid_t pid_ = -1;
  uid_t uid_ = 0;         ///< The unprivileged user it runs as, where we are root.
  bool trusted_ = false;  ///< Leaves nothing behind.
};

/// "it was killed by signal 11 (Segmentation fault)" or "it ended with exit status 0".
std::string describe_end(int status);

/// A program that ran to its end.
struct Finished {
  int status = 0;
  bool timed_out = false;
  std::string output;  ///< At most 64 KiB, head first.
  bool succeeded() const { return !timed_out && status == 0; }
};

/// Runs a program to its end. `spec.output_fd` is set here.
Finished run_to_end(JailSpec spec, std::chrono::milliseconds deadline);

/// Text of an untrusted program, fit to be shown: control and non-ASCII bytes as \\xNN, a tab
/// as a space, long text cut in its middle.
/// @param raw    Any bytes.
/// @param limit  Bytes to keep.
std::string printable(const std::string& raw, std::size_t limit = 2000);

}  // namespace latent::grader

#include "grader/judge/jail.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "grader/judge/landlock.hpp"
#include "grader/judge/seccomp.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kBubblewrap = "/usr/bin/bwrap";
constexpr const char* kWorkerInside = "/worker";
constexpr std::size_t kMaxCaptured = 64 << 10;
constexpr std::size_t kMaxPrinted = 8 << 20;  // beyond this a program is only flooding us

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// Processes and threads of this user, which a limit on processes counts.
rlim_t processes_of_user() {
  rlim_t count = 0;
  if (DIR* proc = ::opendir("/proc")) {
    while (const dirent* entry = ::readdir(proc)) {
      struct stat info {};
      if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
      const std::string tasks = std::string("/proc/") + entry->d_name + "/task";
      if (::stat(tasks.c_str(), &info) == 0 && info.st_uid == ::getuid())
        count += info.st_nlink - 2;
    }
    ::closedir(proc);
  }
  return count;
}

/// Everything but the number of processes, which bubblewrap itself would run into.
void apply_limits(const Limits& limits) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 256);
  // One second between the signal that tells what happened and the one that ends it.
  const rlimit cpu{static_cast<rlim_t>(limits.cpu_seconds),
                   static_cast<rlim_t>(limits.cpu_seconds) + 1};
  ::setrlimit(RLIMIT_CPU, &cpu);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_STACK, 8 << 20);
}

void become_nobody() {
  if (!are_root()) return;
  const uid_t uid = unused_uid();
  if (::setgroups(0, nullptr) != 0 || ::setresgid(uid, uid, uid) != 0 ||
      ::setresuid(uid, uid, uid) != 0) {
    ::_exit(126);
  }
}

// Where a jailed program's descriptors are when it starts; 5 and 6 are read by bubblewrap.
constexpr int kExecutableFd = 5, kFilterFd = 6;

/// The filter of system calls as a file, for bubblewrap to read.
Fd filter_file() {
  const std::vector<sock_filter> filter = call_filter(false);
  if (filter.empty()) return Fd();
  Fd file(check(::memfd_create("filter", MFD_CLOEXEC), "memfd_create"));
  const std::size_t size = filter.size() * sizeof(sock_filter);
  if (::write(file.get(), filter.data(), size) != static_cast<ssize_t>(size))
    throw std::runtime_error("no memory for a filter");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::vector<std::string> bubblewrap_arguments(const JailSpec& spec, bool with_filter) {
  std::vector<std::string> args{
      kBubblewrap,  "--unshare-all", "--die-with-parent", "--new-session", "--clearenv",
      "--setenv",   "PATH",          "/usr/bin",          "--ro-bind",     "/usr",
      "/usr",       "--symlink",     "usr/lib",           "/lib",          "--symlink",
      "usr/lib64",  "/lib64",        "--symlink",         "usr/bin",       "/bin",
      "--dev-bind", "/dev/null",     "/dev/null",         "--size",        "67108864",
      "--tmpfs",    "/tmp"};
  const auto add = [&args](std::initializer_list<std::string> more) {
    args.insert(args.end(), more);
  };
  if (spec.needs_proc) add({"--proc", "/proc"});
  for (const std::string& folder : spec.readable) add({"--ro-bind", folder, folder});
  if (!spec.writable.empty())
    add({"--bind", spec.writable, spec.writable, "--chdir", spec.writable});
  const bool with_executable = !spec.executable_to_copy.empty();
  if (with_executable)
    add({"--perms", "0555", "--ro-bind-data", std::to_string(kExecutableFd), kWorkerInside,
         "--chdir", "/tmp"});
  // The root is a file system in memory, too, and one without a size.
  add({"--remount-ro", "/"});
  if (with_filter) add({"--seccomp", std::to_string(kFilterFd)});
  add({"--", "/usr/bin/prlimit", "--nproc=" + std::to_string(spec.limits.processes)});
  args.insert(args.end(), spec.argv.begin(), spec.argv.end());
  if (with_executable)
    *(args.end() - static_cast<std::ptrdiff_t>(spec.argv.size())) = kWorkerInside;
  return args;
}

/// Moves descriptors to their places: 0 null, 1 and 2 output, 3 requests, 4 replies, then what
/// bubblewrap reads. All others are closed.
void arrange_descriptors(const JailSpec& spec, int executable_fd, int filter_fd) {
  const int null = ::open("/dev/null", O_RDWR);
  const int wanted[] = {null,
                        spec.output_fd >= 0 ? spec.output_fd : null,
                        spec.output_fd >= 0 ? spec.output_fd : null,
                        spec.requests_fd,
                        spec.replies_fd,
                        executable_fd,
                        filter_fd};
  int aside[7];
  for (int i = 0; i < 7; ++i)
    aside[i] = wanted[i] >= 0 ? ::fcntl(wanted[i], F_DUPFD_CLOEXEC, 20) : -1;
  ::close_range(0, 19, 0);
  for (int i = 0; i < 7; ++i) {
    if (aside[i] >= 0) ::dup2(aside[i], i);
  }
  ::close_range(7, ~0U, 0);
}

/// @param limits     Its memory is limited here and not earlier: until then this is the grader,
///                   which may be a sanitizer's build and cannot live in so little.
/// @param temporary  Where the program may put temporary files, or empty.
[[noreturn]] void exec(const std::vector<std::string>& arguments, const Limits& limits,
                       const std::string& temporary = {}) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/bin";
  std::string folder = "TMPDIR=" + temporary;
  char* environment[] = {path, temporary.empty() ? nullptr : folder.data(), nullptr};
  if (limits.memory_bytes > 0) limit(RLIMIT_AS, limits.memory_bytes);
  ::execve(argv[0], argv.data(), environment);
  ::_exit(127);
}

[[noreturn]] void run_reduced(JailSpec spec) {
  if (!spec.executable_to_copy.empty()) {
    spec.argv[0] = spec.executable_to_copy;
    spec.readable.push_back(spec.executable_to_copy);
  }
  const std::string start = spec.writable.empty() ? "/tmp" : spec.writable;
  if (::chdir(start.c_str()) != 0) ::_exit(126);
  const auto allowed = static_cast<rlim_t>(spec.limits.processes);
  limit(RLIMIT_NPROC, are_root() ? allowed : processes_of_user() + allowed);
  become_nobody();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // after the change of user, which forgets it
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (const char* system : {"/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"})
    spec.readable.emplace_back(system);
  if (spec.needs_proc) spec.readable.emplace_back("/proc");
  restrict_files(spec.readable, spec.writable);
  restrict_calls(call_filter(true));
  exec(spec.argv, spec.limits, spec.writable);
}

/// Kills what a jailed program left behind and what has become our child through
/// PR_SET_CHILD_SUBREAPER.
void kill_adopted(pid_t group) {
  ::kill(-group, SIGKILL);
  const std::string children = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  for (int round = 0; round < 50; ++round) {
    std::FILE* file = std::fopen(children.c_str(), "r");
    if (file == nullptr) return;
    bool any = false;
    for (int pid = 0; std::fscanf(file, "%d", &pid) == 1;) {
      if (::getpgid(pid) == ::getpgrp()) continue;  // our own helpers share our group
      any = true;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    std::fclose(file);
    if (!any) return;
  }
}

Confinement find_confinement() {
  const char* wish = std::getenv("LATENTLAB_SANDBOX");
  if (wish != nullptr && std::strcmp(wish, "reduced") == 0) return Confinement::kReduced;
  if (::access(kBubblewrap, X_OK) != 0) return Confinement::kReduced;
  const Fd filter = filter_file();
  const pid_t pid = ::fork();
  if (pid == 0) {
    arrange_descriptors({}, -1, filter.get());
    become_nobody();
    JailSpec spec;
    spec.argv = {"/usr/bin/true"};
    exec(bubblewrap_arguments(spec, filter.get() >= 0), spec.limits);
  }
  int status = 1;
  ::waitpid(pid, &status, 0);
  return status == 0 ? Confinement::kFull : Confinement::kReduced;
}

}  // namespace

std::string to_string(Confinement confinement) {
  return confinement == Confinement::kFull ? "full" : "reduced";
}

Confinement confinement() {
  static const Confinement found = find_confinement();
  return found;
}

Jailed::Jailed(const JailSpec& spec) : trusted_(spec.trusted) {
  if (trusted_) {
    pid_ = check(::fork(), "fork");
    if (pid_ != 0) return;
    arrange_descriptors(spec, -1, -1);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ::execl(spec.executable_to_copy.c_str(), spec.argv[0].c_str(), nullptr);
    ::_exit(127);
  }
  const bool full = confinement() == Confinement::kFull;
  uid_ = are_root() ? unused_uid() : 0;
  Fd executable;
  const Fd filter = full ? filter_file() : Fd();
  if (full && !spec.executable_to_copy.empty()) {
    executable =
        Fd(check(::open(spec.executable_to_copy.c_str(), O_RDONLY | O_CLOEXEC), "open the worker"));
  }
  if (!full) ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0,
          0);  // a jailed program of our own user must not read our memory
  pid_ = check(::fork(), "fork");
  if (pid_ != 0) return;
  ::setsid();
  arrange_descriptors(spec, executable.get(), filter.get());
  apply_limits(spec.limits);
  if (!full) run_reduced(spec);
  become_nobody();
  exec(bubblewrap_arguments(spec, filter.get() >= 0), spec.limits);
}

Jailed::Jailed(Jailed&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), uid_(other.uid_), trusted_(other.trusted_) {}

Jailed& Jailed::operator=(Jailed&& other) noexcept {
  if (this != &other) {
    if (running()) kill();
    pid_ = std::exchange(other.pid_, -1);
    uid_ = other.uid_;
    trusted_ = other.trusted_;
  }
  return *this;
}

Jailed::~Jailed() {
  if (running()) kill();
}

void Jailed::clean_up() {
  if (trusted_) return;
  if (confinement() == Confinement::kFull) return;  // its process namespace died with it
  if (uid_ != 0) kill_user(uid_);
  kill_adopted(pid_);
}

int Jailed::kill() {
  int status = 0;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  clean_up();
  pid_ = -1;
  return status;
}

int Jailed::collect(std::chrono::milliseconds patience, bool* killed) {
  const auto deadline = Clock::now() + patience;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (Clock::now() >= deadline) {
      if (killed != nullptr) *killed = true;
      return kill();
    }
    ::usleep(500);
  }
  clean_up();
  pid_ = -1;
  return status;
}

std::string describe_end(int status) {
  // bubblewrap reports a signal as the shell does, as exit status 128 + number.
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if (signal == 0 && code > 128 && code < 128 + 65) signal = code - 128;
  if (signal == 0)
    return "it ended with exit status " + std::to_string(code) + " before it answered";
  if (signal == SIGXCPU) return "it used up its processor time";
  return "it was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

Finished run_to_end(JailSpec spec, std::chrono::milliseconds deadline) {
  Pipe output = make_pipe();
  spec.output_fd = output.write.get();
  Jailed program(spec);
  output.write = Fd();
  const auto end = Clock::now() + deadline;
  Finished finished;
  std::size_t printed = 0;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd ready{output.read.get(), POLLIN, 0};
    if (left <= 0 || printed > kMaxPrinted || ::poll(&ready, 1, static_cast<int>(left)) == 0) {
      finished.timed_out = true;
      finished.status = program.kill();
      return finished;
    }
    char buffer[4096];
    const ssize_t n = ::read(output.read.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    printed += static_cast<std::size_t>(n);
    finished.output.append(buffer,
                           std::min(static_cast<std::size_t>(n),
                                    kMaxCaptured - std::min(kMaxCaptured, finished.output.size())));
  }
  // The pipe is closed: what goes on without it has a moment to end.
  finished.status = program.collect(std::chrono::milliseconds(2000));
  return finished;
}

std::string printable(const std::string& raw, std::size_t limit) {
  std::string text;
  const bool cut = raw.size() > limit;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (cut && i == limit / 2) {
      i = raw.size() - limit / 2;
      text += "\n... (" + std::to_string(raw.size() - limit) + " bytes left out) ...\n";
    }
    const auto byte = static_cast<unsigned char>(raw[i]);
    if (byte == '\n' || (byte >= 0x20 && byte < 0x7F)) {
      text += raw[i];
    } else if (byte == '\t') {
      text += ' ';
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      text += escaped;
    }
  }
  return text;
}

}  // namespace latent::grader

#include "grader/judge/landlock.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace latent::grader {
namespace {

constexpr std::uint64_t kRead =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                 LANDLOCK_ACCESS_FS_MAKE_DIR;
// What nobody gets: devices, sockets, FIFOs, symbolic links.
constexpr std::uint64_t kNever = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                 LANDLOCK_ACCESS_FS_MAKE_SYM;

// What came with later kernels, under names that older headers do not have. What an attribute of
// the first kernel's size cannot say is asked for by its own structure.
constexpr std::uint64_t kTruncate = 1ULL << 14, kDeviceControl = 1ULL << 15;  // versions 3 and 5
struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;  // version 4: bind and connect
  std::uint64_t scoped = 0;   // version 6: abstract sockets and signals stay inside
};

void allow(int ruleset, const std::string& path, std::uint64_t access) {
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = fd;
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    // A single file cannot be given the rights of a folder.
    rule.allowed_access = access & (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate);
    ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  }
  ::close(fd);
}

}  // namespace

void restrict_files(const std::vector<std::string>& readable, const std::string& writable) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return;
  RulesetAttributes attributes{.files = kRead | kWrite | kNever};
  if (version >= 3) attributes.files |= kTruncate;
  if (version >= 4) attributes.network = 3;
  if (version >= 5) attributes.files |= kDeviceControl;
  if (version >= 6) attributes.scoped = 3;
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const int ruleset =
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
  if (ruleset < 0) return;
  const std::uint64_t truncate = version >= 3 ? kTruncate : 0;
  for (const std::string& path : readable) allow(ruleset, path, kRead);
  if (!writable.empty()) allow(ruleset, writable, kRead | kWrite | truncate);
  allow(ruleset, "/dev/null",
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate);
  ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  ::close(ruleset);
}

}  // namespace latent::grader

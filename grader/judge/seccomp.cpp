#include "grader/judge/seccomp.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace latent::grader {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kMachine = 0;
#endif

// Numbers that all machines share, and that older headers do not have.
constexpr long kIoUringSetup = 425, kClone3 = 435, kPidfdOpen = 434, kPidfdGetfd = 438,
               kPidfdSendSignal = 424, kMemfdSecret = 447, kFchmodat2 = 452;

constexpr std::uint32_t kCloneNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                           CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                           CLONE_NEWNET;

/// Puts a filter together; each rule leaves the number of the call in the accumulator.
class FilterWriter {
 public:
  FilterWriter() {
    // A call in another machine's numbering would mean something else by the same number.
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    jump(BPF_JEQ, kMachine, 1, 0);
    refuse(EPERM);
    load_number();
#if defined(__x86_64__)
    jump(BPF_JGE, 0x40000000U, 0, 1);  // x32
    refuse(EPERM);
#endif
  }

  void deny(std::initializer_list<long> calls, int error = EPERM) {
    for (const long call : calls) {
      jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
      refuse(error);
    }
  }

  /// Allows a call only with this first argument.
  void demand(std::initializer_list<long> calls, std::uint32_t first) {
    for (const long call : calls) argument_rule(call, [&] { jump(BPF_JEQ, first, 1, 0); });
  }

  /// Denies a call whose first argument has one of these bits.
  void deny_bits(long call, std::uint32_t bits) {
    argument_rule(call, [&] { jump(BPF_JSET, bits, 0, 1); });
  }

  std::vector<sock_filter> finish() {
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return filter_;
  }

 private:
  template <typename Test>
  void argument_rule(long call, Test test) {
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 4);
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args));  // its low half: little-endian
    test();
    refuse(EPERM);
    load_number();
  }
  void load_number() {
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  }
  void refuse(int error) {
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
  }
  void add(unsigned code, std::size_t k) {
    filter_.push_back({static_cast<std::uint16_t>(code), 0, 0, static_cast<std::uint32_t>(k)});
  }
  void jump(unsigned test, std::uint32_t k, std::uint8_t yes, std::uint8_t no) {
    filter_.push_back({static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), yes, no, k});
  }

  std::vector<sock_filter> filter_;
};

/// What reaches into other processes of the same user, or changes files that may only be read:
/// Landlock guards what is in a file, not its mode, owner and times.
void deny_what_is_shared(FilterWriter& filter) {
  const auto self = static_cast<std::uint32_t>(::getpid());  // stays the same after exec
  filter.demand({SYS_kill, SYS_tgkill}, self);
  filter.demand({SYS_prlimit64}, 0);
  filter.deny(
      {SYS_tkill,          SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_setsid,
       SYS_setpgid,        SYS_setpriority,     SYS_ioprio_set,        SYS_sched_setscheduler,
       SYS_sched_setparam, SYS_sched_setattr,   SYS_sched_setaffinity, SYS_fchmodat,
       kFchmodat2,         SYS_fchownat,        SYS_truncate,          SYS_utimensat,
       SYS_setxattr,       SYS_lsetxattr,       SYS_removexattr,       SYS_lremovexattr});
#if defined(__x86_64__)
  filter.deny({SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat});
#endif
}

}  // namespace

std::vector<sock_filter> call_filter(bool shares_processes) {
  if (kMachine == 0) return {};
  FilterWriter filter;
  filter.deny({SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, kPidfdOpen, kPidfdGetfd,
               kPidfdSendSignal});
  filter.deny({SYS_memfd_create, kMemfdSecret, SYS_shmget, SYS_msgget, SYS_semget, SYS_mq_open,
               SYS_add_key, SYS_request_key, SYS_keyctl});
  filter.deny({SYS_socket, SYS_socketpair});
  filter.deny(
      {kIoUringSetup, SYS_bpf, SYS_userfaultfd, SYS_perf_event_open, SYS_open_by_handle_at});
  filter.deny({SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot});
  filter.deny_bits(SYS_clone, kCloneNamespaces);
  filter.deny({kClone3},
              ENOSYS);  // its flags are out of a filter's sight; libraries fall back to clone
  if (shares_processes) deny_what_is_shared(filter);
  return filter.finish();
}

void restrict_calls(std::vector<sock_filter> filter) {
  if (filter.empty()) return;
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

}  // namespace latent::grader

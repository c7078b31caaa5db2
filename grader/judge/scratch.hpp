/// @file
/// What a jail shares with the rest of the machine: descriptors, the unprivileged user, folders
/// that come and go with us, and files that pass between judge and jail.
#pragma once

#include <sys/types.h>

#include <string>

namespace latent::grader {

/// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  int release();

 private:
  int fd_;
};

/// Two ends of a pipe, both closed on exec.
struct Pipe {
  Fd read, write;
};
Pipe make_pipe();

/// Whether children have to become another user before they may run what is not trusted.
bool are_root();

/// A user of its own for this grading, so that limits on processes bind and nobody else's processes
/// count. Limits on processes do not bind root at all.
uid_t unused_uid();

/// Kills every process of a user that only we use.
void kill_user(uid_t uid);

/// A fresh folder in the temporary folder that jailed programs of this process can write in.
/// @return Its path; removed by `remove_scratch`, at the latest when this process has ended.
std::string make_scratch();
void remove_scratch(const std::string& path);

/// Hands a folder that we filled to the jailed user, where that is another one.
void give_to_jail(const std::string& folder);

/// Whether a file's folder is a symbolic link, which may lead to somebody else's work.
bool in_linked_folder(const std::string& path);

/// Reads a file that a jailed program wrote or a learner handed in: regular, no link, in a folder
/// that is none, of bounded size.
bool read_from_jail(const std::string& path, std::string& content);

/// A folder whose files jailed programs can read: the folder itself, or, where we are root and it
/// lies behind a closed door, a copy that only root can write.
std::string readable_for_jail(const std::string& folder);

}  // namespace latent::grader

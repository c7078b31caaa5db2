// Runs in the sandbox: the submission, the table of its functions, and this loop. It knows no
// expected value, no test and no reference for what is being graded.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "grader/wire/answer.hpp"
#include "grader/wire/frame.hpp"

namespace latent::grader {
namespace {

// Not stdin and stdout: those are the learner's, for printing while debugging.
constexpr int kRequests = 3;
constexpr int kReplies = 4;

void read_exactly(void* data, std::size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = ::read(kRequests, at, size);
    if (n <= 0) ::_exit(0);  // the judge has gone
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

void write_all(const Bytes& bytes) {
  const std::byte* at = bytes.data();
  std::size_t size = bytes.size();
  while (size > 0) {
    const ssize_t n = ::write(kReplies, at, size);
    if (n <= 0) ::_exit(0);
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

const Operation& find(const std::string& name) {
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      for (const Operation& operation : exercise.operations) {
        if (operation.name == name) return operation;
      }
    }
  }
  throw WireError("no operation " + name);
}

Reply answer(const Request& request) {
  std::string what;
  Reply reply = answer(find(request.operation), request.arguments, what);
  // The text of an exception stays on this side: it joins what the learner printed.
  if (!what.empty()) std::fprintf(stderr, "%.2000s\n", what.c_str());
  return reply;
}

}  // namespace
}  // namespace latent::grader

int main() {
  using namespace latent::grader;
  ::fcntl(kRequests, F_SETFD, FD_CLOEXEC);
  ::fcntl(kReplies, F_SETFD, FD_CLOEXEC);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (;;) {
    FrameHeader header;
    read_exactly(&header, sizeof header);
    Bytes body(header.size);
    read_exactly(body.data(), body.size());
    const Reply reply = answer(parse_request(body));
    std::fflush(stdout);
    write_all(to_frame(reply, header.sequence));
  }
}

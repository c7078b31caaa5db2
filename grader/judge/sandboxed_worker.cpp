#include "grader/judge/sandboxed_worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <utility>

namespace latent::grader {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxKept = 64 << 10;
constexpr std::size_t kMaxAnswer =
    8 << 20;  // far above any right one; each is kept, converted and compared
constexpr std::size_t kMaxFlood = 64 << 20;  // beyond this the worker is only flooding us

struct NoAnswer {
  Outcome outcome;
  std::string note;
};

void make_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

bool has_input(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0;
}

}  // namespace

void SandboxedWorker::start() {
  std::signal(SIGPIPE, SIG_IGN);  // a worker that has gone is a short write, not our end
  Pipe requests = make_pipe(), replies = make_pipe(), output = make_pipe();
  JailSpec spec;
  spec.argv = {"worker"};
  spec.executable_to_copy = options_.executable;
  spec.requests_fd = requests.read.get();
  spec.replies_fd = replies.write.get();
  spec.output_fd = output.write.get();
  spec.needs_proc = options_.sanitized;
  spec.trusted = options_.trusted;
  if (options_.sanitized) spec.limits.memory_bytes = 0;
  process_ = Jailed(spec);
  requests_ = std::move(requests.write);
  replies_ = std::move(replies.read);
  output_ = std::move(output.read);
  for (const Fd* fd : {&requests_, &replies_, &output_}) make_nonblocking(fd->get());
}

void SandboxedWorker::drain_output() {
  char buffer[4096];
  for (int reads = 0; reads < 256; ++reads) {
    const ssize_t n = ::read(output_.get(), buffer, sizeof buffer);
    if (n <= 0) return;
    printed_bytes_ += static_cast<std::size_t>(n);
    if (printed_.size() < kMaxKept) printed_.append(buffer, static_cast<std::size_t>(n));
  }
}

/// Waits until the descriptor is ready; meanwhile what the learner prints is taken away, so that a
/// full pipe never stops an answer. False when the time is over.
bool SandboxedWorker::wait_for(short event, int fd, Clock::time_point end) {
  bool output_open = true;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd ready[] = {{fd, event, 0}, {output_open ? output_.get() : -1, POLLIN, 0}};
    ::poll(ready, 2, static_cast<int>(left));
    if (ready[1].revents != 0) drain_output();
    if ((ready[1].revents & POLLHUP) != 0 && (ready[1].revents & POLLIN) == 0) output_open = false;
    if (printed_bytes_ > kMaxFlood) throw NoAnswer{Outcome::kCrashed, "it printed more than 64 MB"};
    if (ready[0].revents != 0) return true;
  }
}

Reply SandboxedWorker::exchange(const Request& request) {
  const auto end = Clock::now() + options_.deadline;
  const auto late = [] { return NoAnswer{Outcome::kTimedOut, ""}; };
  if (has_input(replies_.get()))
    throw NoAnswer{Outcome::kGarbled, "bytes came that nobody had asked for"};

  const Bytes frame = to_frame(request, ++sequence_);
  if (!options_.record.empty())
    record_
        .write(reinterpret_cast<const char*>(frame.data()),
               static_cast<std::streamsize>(frame.size()))
        .flush();
  for (std::size_t at = 0; at < frame.size();) {
    if (!wait_for(POLLOUT, requests_.get(), end)) throw late();
    const ssize_t n = ::write(requests_.get(), frame.data() + at, frame.size() - at);
    if (n < 0 && errno == EAGAIN) continue;
    if (n <= 0) throw NoAnswer{Outcome::kCrashed, ""};
    at += static_cast<std::size_t>(n);
  }

  const auto read_exactly = [&](void* data, std::size_t size) {
    auto* at = static_cast<std::byte*>(data);
    while (size > 0) {
      if (!wait_for(POLLIN, replies_.get(), end)) throw late();
      const ssize_t n = ::read(replies_.get(), at, size);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) throw NoAnswer{Outcome::kCrashed, ""};
      at += n;
      size -= static_cast<std::size_t>(n);
    }
  };
  FrameHeader header;
  read_exactly(&header, sizeof header);
  if (header.magic != FrameHeader{}.magic || header.sequence != sequence_ ||
      header.size > kMaxFrame) {
    throw NoAnswer{Outcome::kGarbled, "its bytes are not an answer to this question"};
  }
  if (header.size > kMaxAnswer) throw NoAnswer{Outcome::kGarbled, "its answer has more than 8 MB"};
  Bytes body(header.size);
  read_exactly(body.data(), body.size());
  if (has_input(replies_.get()))
    throw NoAnswer{Outcome::kGarbled, "more bytes came than an answer has"};
  try {
    return parse_reply(body);
  } catch (const WireError& e) {
    throw NoAnswer{Outcome::kGarbled, e.what()};
  }
}

Reply SandboxedWorker::ask(const Request& request) {
  if (!process_.running()) start();
  try {
    return exchange(request);
  } catch (const NoAnswer& none) {
    return failed(none.outcome, none.note);
  }
}

void SandboxedWorker::start_afresh() {
  if (process_.running()) process_.kill();
  requests_ = Fd();
  replies_ = Fd();
}

Reply SandboxedWorker::failed(Outcome outcome, const std::string& note) {
  // A worker that closed its end is dying; one that is late or talks nonsense is killed.
  bool lived_on = false;
  const int status = outcome == Outcome::kCrashed && note.empty()
                         ? process_.collect(std::chrono::milliseconds(500), &lived_on)
                         : process_.kill();
  drain_output();
  requests_ = Fd();
  replies_ = Fd();
  const auto seconds = std::to_string(options_.deadline.count() / 1000);
  if (!note.empty()) return {outcome, {}, note};
  if (outcome == Outcome::kTimedOut) {
    return {outcome,
            {},
            "nothing came within " + seconds + " s; an endless loop, a lock, or a wait for input?"};
  }
  const std::string end = lived_on ? "it closed the pipe for its answers" : describe_end(status);
  if (end.find("processor time") != std::string::npos) outcome = Outcome::kTimedOut;
  return {outcome, {}, end};
}

std::string SandboxedWorker::take_output() {
  if (output_.get() >= 0) drain_output();
  printed_bytes_ = 0;
  return printable(std::exchange(printed_, {}));
}

}  // namespace latent::grader

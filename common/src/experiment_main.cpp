// The frame around an experiment: `./lab run` starts it as
//   PROGRAM LAB OUT COMMAND YOURS REFERENCE [OPTION ...]

#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "common/experiment.hpp"
#include "common/files.hpp"
#include "common/require.hpp"
#include "common/training.hpp"

namespace latent {

/// Progress's thread and what it shares.
struct Progress::Line {
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;
  std::thread thread;
};

Progress::Progress(const std::string& text, double seconds) : line_(nullptr) {
  if (::isatty(STDERR_FILENO) == 0) return;
  line_ = new Line;
  line_->thread = std::thread([line = line_, text, expected = static_cast<int>(seconds + 0.5)] {
    std::unique_lock lock(line->mutex);
    for (int seconds = 0; !line->over; ++seconds) {
      if (seconds < expected)
        std::fprintf(stderr, "\r\033[K%s ... about %d s left", text.c_str(), expected - seconds);
      else
        std::fprintf(stderr, "\r\033[K%s ... %d s", text.c_str(), seconds);
      line->ended.wait_for(lock, std::chrono::seconds(1), [line] { return line->over; });
    }
    std::fputs("\r\033[K", stderr);
  });
}

Progress::~Progress() {
  if (line_ == nullptr) return;
  {
    const std::lock_guard lock(line_->mutex);
    line_->over = true;
  }
  line_->ended.notify_all();
  line_->thread.join();
  delete line_;
}

namespace {

/// Exit statuses; 10 is for the tool, which knows the exercises by name.
enum Status : int { kDone = 0, kRefused = 1, kUsage = 2, kNotAttempted = 10, kStopped = 130 };

void stopped(int) {
  const char text[] = "\nstopped; nothing was written.\n";
  if (::write(STDERR_FILENO, text, sizeof text - 1) < 0) ::_exit(kStopped);
  ::_exit(kStopped);
}

void print_help() {
  std::puts("Options of this experiment:");
  for (const ExperimentOption& option : experiment_options())
    std::printf("  %-18s %s\n", (option.name + " " + option.value).c_str(), option.text.c_str());
}

std::map<std::string, std::string> parse(const std::vector<std::string>& words) {
  std::map<std::string, std::string> given;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t sign = words[i].find('=');
    const std::string name = words[i].substr(0, sign);
    const std::vector<ExperimentOption> known = experiment_options();
    const ExperimentOption* option = nullptr;
    for (const ExperimentOption& one : known) option = one.name == name ? &one : option;
    if (option == nullptr)
      throw RunUsageError(name + " is no option of this run; --help lists them.");
    if (option->value.empty())
      given[name] = "yes";
    else if (sign != std::string::npos)
      given[name] = words[i].substr(sign + 1);
    else if (i + 1 < words.size())
      given[name] = words[++i];
    if (given[name].empty()) throw RunUsageError(name + " takes " + option->value + " after it.");
  }
  return given;
}

int run_all(int argc, char** argv) {
  if (argc < 6) throw RunUsageError("an experiment is started by ./lab run.");
  const std::vector<std::string> words(argv + 6, argv + argc);
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") return print_help(), kDone;
  }
  Run run(argv[1], argv[2], parse(words), {argv[3], argv[4], argv[5]});
  run_experiment(run);
  return kDone;
}

}  // namespace
}  // namespace latent

int main(int argc, char** argv) {
  using namespace latent;
  // Large tensors go back to the system when they are freed, so that what is measured is what is
  // alive.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // Small ones stay, or half of a training would be asking the system for pages again.
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  std::signal(SIGINT, stopped);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return run_all(argc, argv);
  } catch (const RunUsageError& e) {
    std::fprintf(stderr, "lab: %s\n", e.what());
    return kUsage;
  } catch (const FileError& e) {
    std::fprintf(stderr, "lab: %s\n", e.what());
  } catch (const NotAttempted&) {
    return kNotAttempted;
  } catch (const TrainingStopped& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return kStopped;
  } catch (const std::bad_alloc&) {
    std::fputs("lab: the memory of this machine is not enough for this run.\n", stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "lab: a function that the run called has refused or failed: %s\n",
                 e.what());
  }
  return kRefused;
}

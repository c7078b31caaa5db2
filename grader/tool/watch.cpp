// lab watch: judge at every save.

#include <poll.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>

#include "grader/judge/jail.hpp"
#include "grader/tool/commands.hpp"
#include "grader/tool/hints.hpp"

namespace latent::grader {
namespace {

constexpr int kDebounceMilliseconds = 100;  // editors write a file in several steps

/// Keys without Enter while it lives, where standard input is a terminal.
class RawKeys {
 public:
  RawKeys() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    active_ = true;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~RawKeys() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawKeys(const RawKeys&) = delete;
  RawKeys& operator=(const RawKeys&) = delete;
  bool active() const { return active_; }

 private:
  termios before_{};
  bool active_ = false;
};

class Watch {
 public:
  explicit Watch(std::set<std::string> only)
      : only_(std::move(only)), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify_.get() < 0)
      throw std::runtime_error(
          "the kernel gives no more file watches (fs.inotify.max_user_instances)");
    for (const Lab& lab : labs()) {
      const std::string folder = labs_dir() + "/" + lab.name;
      const int id = ::inotify_add_watch(inotify_.get(), folder.c_str(),
                                         IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE);
      if (id >= 0) folders_[id] = &lab;
    }
  }

  int run() {
    current_ = first_open();
    judge(current_);
    for (;;) {
      const char key = wait();
      if (key == 'q') return kComplete;
      if (key == 'h') std::cout << "\n./lab hint " << current_ << ":\n" << next_hint() << '\n';
      if (key == 'n' && passed_) judge(current_ = first_open());
      if (key == 'r') judge(current_);
      if (key == 's') judge(current_ = saved_);
    }
  }

 private:
  /// The first exercise that does not pass.
  std::string first_open() {
    const Report report = grade(options(only_));
    std::string last;
    for (const GradedLab& lab : report.labs) {
      for (const GradedExercise& e : lab.exercises) {
        last = e.exercise->id;
        if (e.result.verdict != Verdict::kPass) return last;
      }
    }
    return last;
  }

  GradeOptions options(const std::set<std::string>& only) const {
    GradeOptions grading;
    grading.submission = labs_dir();
    grading.state = state_dir();
    grading.only = only;
    grading.seed = fresh_seed();
    grading.questions = false;
    grading.progress = show_progress;
    return grading;
  }

  void judge(const std::string& id) {
    std::cout << "\n---- " << id << " " << std::string(60, '-') << '\n' << std::flush;
    const Report report = grade(options({id}));
    show_progress("");
    print(report, text_style(false), std::cout);
    passed_ = report.complete();
    if (keys_.active())
      std::cout << (passed_ ? "n: next   " : "h: hint   ") << "r: again   q: quit\n";
    std::cout << std::flush;
  }

  std::string next_hint() {
    const Exercise* exercise = find_exercise(current_);
    const std::vector<std::string> hints = hints_for(lab_of(*exercise), *exercise);
    if (hints.empty()) return "   there is none";
    const int shown = std::min(recall("hints/" + current_) + 1, static_cast<int>(hints.size()));
    remember("hints/" + current_, shown);
    return "   " + hints[static_cast<std::size_t>(shown - 1)];
  }

  /// The id of the exercise whose file an event is about; empty if it is about none of ours.
  std::string exercise_of(const inotify_event& event) const {
    const auto folder = folders_.find(event.wd);
    if (folder == folders_.end() || event.len == 0) return "";
    for (const Exercise& exercise : folder->second->exercises) {
      const bool chosen = only_.empty() || only_.contains(exercise.id);
      if (chosen && exercise.file() == event.name) return exercise.id;
    }
    return std::string(event.name) == "helpers.hpp" ? current_ : "";
  }

  void read_events() {
    alignas(inotify_event) char buffer[8192];
    for (ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer); n > 0;
         n = ::read(inotify_.get(), buffer, sizeof buffer)) {
      for (ssize_t at = 0; at < n;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        if (const std::string id = exercise_of(*event); !id.empty()) saved_ = id;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
  }

  /// A key, or 's' after a save of one of our files.
  char wait() {
    saved_.clear();
    for (;;) {
      pollfd ready[] = {{inotify_.get(), POLLIN, 0},
                        {keys_.active() ? STDIN_FILENO : -1, POLLIN, 0}};
      ::poll(ready, 2, saved_.empty() ? -1 : kDebounceMilliseconds);
      if (ready[0].revents != 0) {
        read_events();
      } else if (ready[1].revents != 0) {
        char key = 'q';
        return ::read(STDIN_FILENO, &key, 1) == 1 ? key : 'q';
      } else if (!saved_.empty()) {
        return 's';
      }
    }
  }

  std::set<std::string> only_;
  Fd inotify_;
  RawKeys keys_;
  std::map<int, const Lab*> folders_;
  std::string current_, saved_;
  bool passed_ = false;
};

}  // namespace

int run_watch(const std::vector<std::string>& names) {
  return Watch(exercise_ids(names)).run();
}

}  // namespace latent::grader

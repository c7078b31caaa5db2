// Grades submissions that try to cheat or to break the grader, each as the tool's user would, and
// checks what is promised: no points for the attack, none lost by its neighbours, a truthful
// report, nothing left behind.
//
// LATENTLAB_SANDBOX=reduced runs all of it without bubblewrap. There, secrecy of files rests on
// Landlock: where the kernel has none, an attack that reads files may succeed, and only the others
// are expected to earn nothing.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;
using namespace std::chrono_literals;

const fs::path kRoot = ATTACKS_ROOT;
const fs::path kSolutions = kRoot / "solutions/01_autoencoder";
const std::string kAttacked = "2_linear_forward.cpp";
constexpr auto kDeadline = 90s;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string mode() {
  const char* wish = std::getenv("LATENTLAB_SANDBOX");
  return wish != nullptr && std::string(wish) == "reduced" ? "reduced" : "full";
}

/// Where the honest neighbours are compiled, once per test program.
fs::path neighbours() {
  return fs::path(ATTACKS_STATE) / mode();
}

bool has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/// What the head of an attack's file says.
struct Attack {
  std::string file = kAttacked;    ///< Where it stands in the submission.
  std::set<std::string> verdicts;  ///< What it may be called.
  std::string says;  ///< What the report must contain; others are graded sealed, without messages.
  std::set<std::string> needs;  ///< Honest files that it cannot do without.
  bool costs = false;           ///< May cost its neighbours points, for the reason given there.
  bool secrecy = false;         ///< Succeeds where files can be read.
  std::string text;
};

Attack read_attack(const std::string& name) {
  Attack attack;
  attack.text = content_of(kRoot / "grader/attacks" / (name + ".cpp"));
  for (std::size_t at = 0; (at = attack.text.find("@ROOT@", at)) != std::string::npos;) {
    attack.text.replace(at, 6, kRoot.string());
  }
  std::istringstream lines(attack.text);
  for (std::string line; std::getline(lines, line) && line.rfind("// ", 0) == 0;) {
    const auto value = [&](const std::string& key) {
      const bool found = line.rfind("// " + key, 0) == 0;
      return found ? line.substr(std::min(line.size(), key.size() + 4)) : "";
    };
    if (!value("file:").empty()) attack.file = value("file:");
    if (!value("says:").empty()) attack.says = value("says:");
    attack.costs = attack.costs || !value("costs:").empty();
    attack.secrecy = attack.secrecy || line == "// secrecy";
    std::istringstream verdicts(value("verdict:")), needs(value("needs:"));
    for (std::string word; verdicts >> word;) attack.verdicts.insert(word);
    for (std::string word; needs >> word;) attack.needs.insert(word);
  }
  return attack;
}

std::vector<std::string> all_attacks() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kRoot / "grader/attacks")) {
    if (entry.path().extension() == ".cpp") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// "1.2" for "2_linear_forward.cpp".
std::string id_of(const std::string& file) {
  return "1." + file.substr(0, file.find('_'));
}

/// A run of the tool.
struct Grading {
  int status = -1;
  bool in_time = true;
  double seconds = 0.0;
  std::string output;  ///< Both streams.
  std::string text;    ///< The report as written.
  Json report;

  Json exercise(const std::string& id) const {
    for (const Json& lab : report.value("labs", Json::array())) {
      for (const Json& exercise : lab.at("exercises")) {
        if (exercise.at("id") == id) return exercise;
      }
    }
    return {};
  }
};

/// Waits until it holds, a few seconds at most: a process that was killed takes a moment to go.
bool soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 60; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(50ms);
  }
  return false;
}

/// A submission in a folder of its own, with the tool's temporary files beside it.
class AttacksTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = (fs::temp_directory_path() / "latentlab-attack-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    base_ = path;
    // Started as root, the tool compiles as another user, who has to get here.
    ::chmod(path.c_str(), 0755);
    for (const char* folder : {"labs/01_autoencoder", "scratch", "state/cache"})
      fs::create_directories(base_ / folder);
    ::chmod((base_ / "scratch").c_str(), 01777);
    use_compiled_neighbours();
  }

  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(base_, ignored);
  }

  fs::path lab() const { return base_ / "labs/01_autoencoder"; }

  void honest(const std::string& file) {
    fs::copy_file(kSolutions / file, lab() / file, fs::copy_options::overwrite_existing);
  }

  /// Exercises that have nothing to do with the attacked one, one judged before it, one after.
  void honest_neighbours() {
    for (const char* file : {"0_values_in.cpp", "3_linear_backward.cpp"}) honest(file);
  }

  pid_t start(const fs::path& state) const;
  Grading grade() const { return grade(base_ / "state"); }
  Grading grade(const fs::path& state) const;

  /// Writes an attack, on the same lines. The mark tells its worker from that of another test
  /// program that runs the same attack at the same time.
  void write_attack(const std::string& file, const std::string& text) const {
    write(lab() / file,
          "__attribute__((used)) static const char mark[] = \"" + base_.string() + "\"; " + text);
  }

  /// A sealed grading shows no messages, and does not look for the line that crashes, which takes
  /// seconds.
  bool sealed_ = false;

  static void expect_truthful(const Grading& run);
  void expect_nothing_left() const;
  static void expect_full_marks(const Grading& run, const std::string& file);
  static void expect_nothing_earned(const Grading& run, const std::string& file,
                                    const std::set<std::string>& verdicts);

  fs::path base_;

 private:
  void use_compiled_neighbours();
  bool is_ours(const std::string& pid) const;
};

/// Starts `lab grade 1`, with its reports in files: no pipe that an attack could hold open.
pid_t AttacksTest::start(const fs::path& state) const {
  const std::string labs = base_ / "labs", json = base_ / "report.json",
                    output = base_ / "output.txt";
  fs::remove(json);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setenv("TMPDIR", (base_ / "scratch").c_str(), 1);
  ::setenv("LATENTLAB_STATE", state.c_str(), 1);
  ::setenv("LATENTLAB_SANDBOX", mode().c_str(), 1);
  ::unsetenv("LATENTLAB_CWD");
  const int null = ::open("/dev/null", O_RDONLY);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  ::dup2(null, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0U, 0);
  ::execl(ATTACKS_TOOL, "lab", "grade", "--submission", labs.c_str(), "--seed", "1", "--json",
          json.c_str(), "1", sealed_ ? "--sealed" : nullptr, nullptr);
  ::_exit(127);
}

Grading AttacksTest::grade(const fs::path& state) const {
  const auto started = Clock::now();
  const pid_t pid = start(state);
  Grading run;
  while (::waitpid(pid, &run.status, WNOHANG) == 0) {
    if (Clock::now() - started > kDeadline) {
      run.in_time = false;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &run.status, 0);
      break;
    }
    std::this_thread::sleep_for(5ms);
  }
  run.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  run.output = content_of(base_ / "output.txt");
  run.text = content_of(base_ / "report.json");
  run.report = Json::parse(run.text, nullptr, false);
  return run;
}

/// Honest neighbours are compiled once, not with every attack. Attacks themselves are compiled
/// afresh each time: what the compiler does with them is part of what is tested.
void AttacksTest::use_compiled_neighbours() {
  static const bool compiled = [this] {
    fs::create_directories(neighbours());
    for (const char* file : {"0_values_in.cpp", "3_linear_backward.cpp", "8_conv2d_out.cpp"})
      honest(file);
    write(lab() / kAttacked, read_attack("segfault").text);  // for the sanitizers' half of a worker
    const Grading run = grade(neighbours());
    for (const auto& entry : fs::directory_iterator(lab())) fs::remove(entry.path());
    return run.status == 1 << 8;
  }();
  ASSERT_TRUE(compiled) << "an honest submission cannot be graded here";
  for (const auto& entry : fs::directory_iterator(neighbours() / "cache")) {
    const std::string kind = entry.path().extension();
    if (kind == ".o" || kind == ".sym")
      fs::copy(entry.path(), base_ / "state/cache", fs::copy_options::skip_existing);
  }
}

bool has_control_bytes(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte >= 0x7F;
  });
}

/// The grader has graded, whatever was thrown at it.
void AttacksTest::expect_truthful(const Grading& run) {
  ASSERT_TRUE(run.in_time) << "the grader hangs\n" << run.output;
  ASSERT_TRUE(WIFEXITED(run.status))
      << "the grader was killed by signal " << WTERMSIG(run.status) << '\n'
      << run.output;
  ASSERT_EQ(WEXITSTATUS(run.status), 1) << run.output;
  ASSERT_TRUE(run.report.is_object()) << run.text;
  EXPECT_EQ(run.report.value("schema", ""), "latentlab/result/v1");
  EXPECT_EQ(run.report.value("status", ""), "graded");
  EXPECT_EQ(run.report.value("seed", ""), "1");
  if (mode() == "reduced") {
    EXPECT_EQ(run.report.value("sandbox", ""), "reduced");
  } else if (run.report.value("sandbox", "") != "full") {
    GTEST_SKIP() << "bubblewrap does not work here";
  }
  EXPECT_NE(run.output.find("sandbox: " + run.report.value("sandbox", "")), std::string::npos)
      << run.output;
  EXPECT_FALSE(has_control_bytes(run.output)) << "control bytes reach the terminal";
  EXPECT_FALSE(has_control_bytes(run.text)) << "control bytes reach the report";
}

/// Whether a process runs a worker of this submission, or stands in our folders.
bool AttacksTest::is_ours(const std::string& pid) const {
  std::error_code error;
  const fs::path process = fs::path("/proc") / pid;
  if (fs::read_symlink(process / "cwd", error).string().rfind(base_.string(), 0) == 0) return true;
  // A jailed worker has another name; what it consists of gives it away.
  const auto size = fs::file_size(process / "exe", error);
  if (error) return false;
  for (const auto& entry : fs::directory_iterator(base_ / "state/cache")) {
    const bool same = entry.path().extension() == ".worker" && entry.file_size() == size;
    if (same && content_of(entry.path()) == content_of(process / "exe")) return true;
  }
  return false;
}

void AttacksTest::expect_nothing_left() const {
  const auto alive = [this] {
    std::vector<std::string> pids;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (std::isdigit(static_cast<unsigned char>(name[0])) != 0 && is_ours(name))
        pids.push_back(name);
    }
    return pids;
  };
  EXPECT_TRUE(soon([&] { return alive().empty(); }))
      << "processes of the attack live on, the first is " << alive().at(0);
  EXPECT_TRUE(soon([&] { return fs::is_empty(base_ / "scratch"); }))
      << fs::directory_iterator(base_ / "scratch")->path();
}

void AttacksTest::expect_full_marks(const Grading& run, const std::string& file) {
  const Json exercise = run.exercise(id_of(file));
  EXPECT_EQ(exercise.value("verdict", ""), "pass") << file << ", which is honest\n" << run.output;
  EXPECT_EQ(exercise.value("score", -1), exercise.value("max", -2)) << file;
}

void AttacksTest::expect_nothing_earned(const Grading& run, const std::string& file,
                                        const std::set<std::string>& verdicts) {
  const Json exercise = run.exercise(id_of(file));
  ASSERT_TRUE(exercise.is_object()) << run.text;
  EXPECT_EQ(exercise.value("score", -1), 0) << exercise.dump(1);
  EXPECT_TRUE(verdicts.contains(exercise.value("verdict", ""))) << exercise.dump(1);
}

int landlocked_or_full() {
  return mode() == "full" || has_landlock();
}

// ---- the files of grader/attacks ---------------------------------------------------------------

class Attacks : public AttacksTest, public testing::WithParamInterface<std::string> {};

TEST_P(Attacks, EarnsNothing) {
  const Attack attack = read_attack(GetParam());
  ASSERT_FALSE(attack.verdicts.empty()) << "expected a line // verdict: in the head";
  honest_neighbours();
  for (const std::string& file : attack.needs) honest(file);
  write_attack(attack.file, attack.text);
  sealed_ = attack.says.empty();
  const Grading run = grade();
  std::printf("%-28s %-8s %-17s %6.1f s\n", GetParam().c_str(), mode().c_str(),
              run.exercise(id_of(attack.file)).value("verdict", "?").c_str(), run.seconds);
  expect_truthful(run);
  if (IsSkipped() || HasFatalFailure()) return;
  if (!attack.secrecy || landlocked_or_full())
    expect_nothing_earned(run, attack.file, attack.verdicts);
  EXPECT_NE((run.exercise(id_of(attack.file)).dump() + run.output).find(attack.says),
            std::string::npos)
      << run.output;
  for (const char* file : {"0_values_in.cpp", "3_linear_backward.cpp"}) {
    if (!attack.costs && file != attack.file) expect_full_marks(run, file);
  }
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Folder, Attacks, testing::ValuesIn(all_attacks()),
                         [](const auto& test) { return test.param; });

// ---- what is not text --------------------------------------------------------------------------

const std::set<std::string> kRefused = {"does_not_compile"};

/// Something other than a source file in the place of one.
class Places : public AttacksTest {
 protected:
  fs::path place() const { return lab() / kAttacked; }

  void expect_refused(const std::string& says, const std::set<std::string>& verdicts = kRefused) {
    honest_neighbours();
    const Grading run = grade();
    expect_truthful(run);
    if (IsSkipped() || HasFatalFailure()) return;
    expect_nothing_earned(run, kAttacked, verdicts);
    EXPECT_NE(run.exercise(id_of(kAttacked)).dump().find(says), std::string::npos) << run.output;
    for (const char* file : {"0_values_in.cpp", "3_linear_backward.cpp"})
      expect_full_marks(run, file);
    expect_nothing_left();
  }
};

TEST_F(Places, Fifo) {
  ASSERT_EQ(::mkfifo(place().c_str(), 0644), 0);
  expect_refused("not a regular file");
}

TEST_F(Places, LinkToTheSolution) {
  fs::create_symlink(kSolutions / kAttacked, place());
  expect_refused("symbolic link");
}

TEST_F(Places, LinkToADevice) {
  fs::create_symlink("/dev/zero", place());
  expect_refused("symbolic link");
}

TEST_F(Places, Folder) {
  fs::create_directory(place());
  expect_refused("not a regular file");
}

TEST_F(Places, Socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(place().string().size(), sizeof address.sun_path);
  place().string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  expect_refused("not a regular file");
  ::close(fd);
}

TEST_F(Places, UnreadableFile) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  honest(kAttacked);
  fs::permissions(place(), fs::perms::none);
  expect_refused("cannot be read");
}

TEST_F(Places, BinaryFile) {
  fs::copy_file("/usr/bin/true", place());
  expect_refused("is not text");
}

TEST_F(Places, EmptyFile) {
  write(place(), "");
  expect_refused("does not define linear_forward");
}

TEST_F(Places, LargeFile) {
  write(place(), content_of(kSolutions / kAttacked) + std::string(1 << 20, '\n'));
  expect_refused("larger than 256 KiB");
}

TEST_F(Places, EmptySubmission) {
  fs::remove_all(lab());
  const Grading run = grade();
  expect_truthful(run);
  if (IsSkipped() || HasFatalFailure()) return;
  EXPECT_EQ(run.report.value("score", -1), 0);
  expect_nothing_earned(run, kAttacked, {"not_started"});
  expect_nothing_left();
}

TEST_F(Places, LinkToTheFolderOfSolutions) {
  fs::remove_all(lab());
  fs::create_symlink(kSolutions, lab());
  const Grading run = grade();
  expect_truthful(run);
  if (IsSkipped() || HasFatalFailure()) return;
  EXPECT_EQ(run.report.value("score", -1), 0);
  EXPECT_EQ(run.report.at("questions").value("score", -1), 0);
  expect_nothing_earned(run, kAttacked, {"does_not_compile", "not_started"});
  expect_nothing_left();
}

/// Headers that would be found before ours, if anything but the expected files were taken in.
TEST_F(Places, ShadowHeaders) {
  const std::string forged = "#pragma once\n#error this is the submission's\n";
  for (const char* file :
       {"autoencoder.hpp", "Eigen/Core", "common/types.hpp", "common/require.hpp", "prelude.hpp",
        "prelude.hpp.gch", "grader/worker/prelude.hpp", "grader/worker/prelude.hpp.gch",
        "CMakeLists.txt", "2_linear_forward.o"}) {
    for (const fs::path& folder : {lab(), base_ / "labs"}) {
      fs::create_directories((folder / file).parent_path());
      write(folder / file, forged);
    }
  }
  honest(kAttacked);
  honest_neighbours();
  const Grading run = grade();
  expect_truthful(run);
  if (IsSkipped() || HasFatalFailure()) return;
  for (const char* file : {"0_values_in.cpp", "2_linear_forward.cpp", "3_linear_backward.cpp"})
    expect_full_marks(run, file);
  expect_nothing_left();
}

TEST_F(Places, HelpersThatAreAFifo) {
  ASSERT_EQ(::mkfifo((lab() / "helpers.hpp").c_str(), 0644), 0);
  write(place(), "#include \"helpers.hpp\"\n" + content_of(kSolutions / kAttacked));
  expect_refused("helpers.hpp");
}

TEST_F(Places, HelpersThatAreALink) {
  fs::create_symlink(kRoot / "grader/hidden/01_autoencoder.cpp", lab() / "helpers.hpp");
  write(place(), "#include \"helpers.hpp\"\n" + content_of(kSolutions / kAttacked));
  expect_refused("helpers.hpp");
}

// ---- answers.toml ------------------------------------------------------------------------------

class AnswersFile : public AttacksTest {
 protected:
  fs::path place() const { return lab() / "answers.toml"; }

  void expect_ignored() {
    honest_neighbours();
    const Grading run = grade();
    expect_truthful(run);
    if (IsSkipped() || HasFatalFailure()) return;
    EXPECT_EQ(run.report.at("questions").value("score", -1), 0);
    for (const char* file : {"0_values_in.cpp", "3_linear_backward.cpp"})
      expect_full_marks(run, file);
    EXPECT_NE(run.output.find("answers.toml"), std::string::npos) << "nobody was told\n"
                                                                  << run.output;
    expect_nothing_left();
  }
};

TEST_F(AnswersFile, Fifo) {
  ASSERT_EQ(::mkfifo(place().c_str(), 0644), 0);
  expect_ignored();
}

TEST_F(AnswersFile, LinkToTheSolution) {
  fs::create_symlink(kSolutions / "answers.toml", place());
  expect_ignored();
}

TEST_F(AnswersFile, Huge) {
  write(place(), "x = \"" + std::string(20 << 20, 'x') + "\"\n");
  expect_ignored();
}

TEST_F(AnswersFile, DeeplyNested) {
  write(place(), "x = " + std::string(30000, '[') + std::string(30000, ']') + "\n");
  expect_ignored();
}

TEST_F(AnswersFile, Binary) {
  fs::copy_file("/usr/bin/true", place());
  expect_ignored();
}

TEST_F(AnswersFile, ControlBytes) {
  write(place(), "[x]\nanswer = \"\x1b[2J\x07\n");
  expect_ignored();
}

// ---- the grader stopped in the middle ----------------------------------------------------------

class Stopped : public AttacksTest, public testing::WithParamInterface<int> {};

TEST_P(Stopped, LeavesNothingBehind) {
  write_attack(kAttacked, read_attack("sleeps").text);
  const pid_t pid = start(base_ / "state");
  // Once while it compiles, once while it judges: the worker file appears in between.
  const auto is_judging = [this] {
    for (const auto& entry : fs::directory_iterator(base_ / "state/cache")) {
      if (entry.path().extension() == ".worker") return true;
    }
    return false;
  };
  for (int i = 0; i < 400 && !is_judging(); ++i) std::this_thread::sleep_for(50ms);
  std::this_thread::sleep_for(500ms);
  ::kill(pid, GetParam());
  int status = 0;
  EXPECT_TRUE(soon([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) < 2)
      << "a grading that was stopped is no grade";
  EXPECT_FALSE(fs::exists(base_ / "report.json"));
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Signals, Stopped, testing::Values(SIGINT, SIGTERM, SIGKILL),
                         [](const auto& test) { return "Signal" + std::to_string(test.param); });

}  // namespace

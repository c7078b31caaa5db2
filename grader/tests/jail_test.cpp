// The jail. This program runs twice: as it is, and with LATENTLAB_SANDBOX=reduced.

#include "grader/judge/jail.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "config.hpp"
#include "grader/judge/workshop.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

/// A shell command in the jail.
JailSpec shell(const std::string& command) {
  JailSpec spec;
  spec.argv = {"/bin/sh", "-c", command};
  return spec;
}

/// A folder that the jail may write in, removed at the end of the test.
class Jail : public testing::Test {
 protected:
  Jail() : box_(make_scratch()) {}
  ~Jail() override { remove_scratch(box_); }

  Finished run(const std::string& command) {
    JailSpec spec = shell(command);
    spec.writable = box_;
    return run_to_end(spec, seconds(30));
  }

  std::string box_;
};

TEST_F(Jail, IsTheOneThatTheEnvironmentAsksFor) {
  const char* wish = std::getenv("LATENTLAB_SANDBOX");
  if (wish != nullptr && std::string(wish) == "reduced") {
    EXPECT_EQ(to_string(confinement()), "reduced");
  } else if (confinement() == Confinement::kReduced) {
    GTEST_SKIP() << "no namespaces here: only the reduced jail can be tested";
  } else {
    EXPECT_EQ(to_string(confinement()), "full");
  }
}

TEST_F(Jail, RunsAProgramAndGivesItsOutputAndStatus) {
  const Finished good = run("echo out; echo err >&2");
  EXPECT_TRUE(good.succeeded());
  EXPECT_EQ(good.output, "out\nerr\n");
  const Finished bad = run("echo before; exit 7");
  EXPECT_FALSE(bad.succeeded());
  EXPECT_FALSE(bad.timed_out);
  EXPECT_TRUE(WIFEXITED(bad.status));
  EXPECT_EQ(WEXITSTATUS(bad.status), 7);
  EXPECT_EQ(bad.output, "before\n");
}

TEST_F(Jail, SaysWhichSignalEndedAProgram) {
  EXPECT_NE(describe_end(run("kill -SEGV $$").status).find("signal 11 (Segmentation fault)"),
            std::string::npos);
  EXPECT_NE(describe_end(run("kill -XCPU $$").status).find("processor time"), std::string::npos);
}

TEST_F(Jail, SaysThatAProgramCannotBeStarted) {
  JailSpec spec;
  spec.argv = {"/usr/bin/there-is-no-such-program"};
  EXPECT_FALSE(run_to_end(spec, seconds(30)).succeeded());
}

TEST_F(Jail, StopsAProgramAtItsDeadline) {
  JailSpec spec = shell("echo started; exec sleep 600");
  const Finished finished = run_to_end(spec, std::chrono::milliseconds(1500));
  EXPECT_TRUE(finished.timed_out);
  EXPECT_FALSE(finished.succeeded());
  EXPECT_EQ(finished.output, "started\n");
}

TEST_F(Jail, StopsAProgramThatClosesItsOutputAndGoesOn) {
  const Finished finished = run_to_end(shell("exec >/dev/null 2>&1; exec sleep 600"), seconds(3));
  EXPECT_FALSE(finished.succeeded());
}

TEST_F(Jail, LeavesNoProcessBehind) {
  // The child would write the file a second after its parent has ended.
  EXPECT_TRUE(run("(sleep 1; echo late >late) >/dev/null 2>&1 & echo done").succeeded());
  ::usleep(1'500'000);
  EXPECT_FALSE(fs::exists(box_ + "/late"));
}

TEST_F(Jail, KeepsOnlyTheHeadOfALongOutput) {
  const Finished finished = run("echo first; printf '%0300000d' 1");
  EXPECT_TRUE(finished.succeeded());
  EXPECT_EQ(finished.output.size(), std::size_t{64} << 10);
  EXPECT_EQ(finished.output.substr(0, 7), "first\n0");
}

TEST_F(Jail, StopsAProgramThatFloods) {
  // Without a limit on what is printed this would take the whole of its ten minutes.
  const Finished finished = run_to_end(shell("exec yes"), seconds(600));
  EXPECT_FALSE(finished.succeeded());
  EXPECT_LE(finished.output.size(), std::size_t{64} << 10);
}

TEST_F(Jail, LimitsTheSizeOfFiles) {
  JailSpec spec = shell("printf '%0200000d' 1 >large");
  spec.writable = box_;
  spec.limits.file_bytes = 100000;
  EXPECT_FALSE(run_to_end(spec, seconds(30)).succeeded());
  EXPECT_EQ(fs::file_size(box_ + "/large"), 100000U);
}

TEST_F(Jail, LimitsMemory) {
  JailSpec spec = shell("x=$(printf '%0100000000d' 1); echo ${#x}");
  EXPECT_EQ(run_to_end(spec, seconds(60)).output, "100000000\n");
  spec.limits.memory_bytes = std::size_t{64} << 20;
  EXPECT_NE(run_to_end(spec, seconds(60)).output, "100000000\n");
}

TEST_F(Jail, LimitsProcessorTime) {
  JailSpec spec = shell("while :; do :; done");
  spec.limits.cpu_seconds = 1;
  const Finished finished = run_to_end(spec, seconds(60));
  EXPECT_FALSE(finished.timed_out) << "stopped by the deadline instead";
  EXPECT_FALSE(finished.succeeded());
}

TEST_F(Jail, GivesNothingButAPathAndAnEmptyInput) {
  ::setenv("LATENTLAB_TEST_SECRET", "secret", 1);
  const Finished finished = run("env; cat; echo end");
  EXPECT_TRUE(finished.succeeded());
  EXPECT_EQ(finished.output.find("secret"), std::string::npos) << finished.output;
  EXPECT_NE(finished.output.find("PATH=/usr/bin"), std::string::npos);
  EXPECT_NE(finished.output.find("end\n"), std::string::npos);
}

TEST_F(Jail, InheritsNoOpenFile) {
  const Finished finished =
      run("for n in 3 4 5 6 7 8 9; do (eval \"exec 2>/dev/null; : <&$n\") 2>/dev/null && echo open "
          "$n; done; true");
  EXPECT_EQ(finished.output, "");
}

TEST_F(Jail, WritesInItsFolderAndNowhereElse) {
  const std::string outside = make_scratch();
  ::chmod(outside.c_str(), 0777);
  run("echo x >inside; echo x >" + outside + "/escaped; echo x >/usr/escaped; echo x >" +
      std::string(config::kSourceDir) + "/escaped");
  std::string content;
  EXPECT_TRUE(read_from_jail(box_ + "/inside", content));
  EXPECT_EQ(content, "x\n");
  EXPECT_FALSE(fs::exists(outside + "/escaped"));
  EXPECT_FALSE(fs::exists("/usr/escaped"));
  EXPECT_FALSE(fs::exists(std::string(config::kSourceDir) + "/escaped"));
  remove_scratch(outside);
}

TEST_F(Jail, SeesTheFoldersThatItIsGiven) {
  const std::string given = make_scratch();
  write_file(given + "/contract.hpp", "shared\n");
  ::chmod(given.c_str(), 0755);
  ::chmod((given + "/contract.hpp").c_str(), 0644);
  JailSpec spec = shell("cat " + given + "/contract.hpp");
  spec.readable = {given};
  EXPECT_EQ(run_to_end(spec, seconds(30)).output, "shared\n");
  remove_scratch(given);
}

TEST_F(Jail, CannotSeeTheRepositoryWhereItIsFull) {
  if (confinement() != Confinement::kFull)
    GTEST_SKIP() << "the reduced jail keeps scores honest, not files secret";
  const std::string root = config::kSourceDir;
  for (const std::string& path :
       {root, root + "/grader/hidden", std::string(config::kBuildDir), std::string("/root"),
        std::string("/home"), std::string("/etc/passwd")}) {
    if (path.rfind("/usr", 0) == 0) continue;  // a checkout below /usr is seen with /usr
    const Finished finished = run("ls -d " + path + "/. || ls " + path);
    EXPECT_FALSE(finished.succeeded()) << path << " is seen: " << finished.output;
  }
  EXPECT_EQ(run("ls /").output.find("work"), std::string::npos);
}

TEST_F(Jail, SeesOnlyItsOwnProcessesWhereItIsFull) {
  if (confinement() != Confinement::kFull)
    GTEST_SKIP() << "the reduced jail has no process namespace";
  JailSpec spec = shell("ls -d /proc/[0-9]* | wc -l");
  spec.needs_proc = true;
  const Finished finished = run_to_end(spec, seconds(30));
  EXPECT_LE(std::stoi(finished.output), 6) << finished.output;
}

TEST_F(Jail, HasNoNetworkWhereItIsFull) {
  if (confinement() != Confinement::kFull)
    GTEST_SKIP() << "the reduced jail has no network namespace";
  JailSpec spec = shell("tail -n +3 /proc/net/dev | grep -v '^ *lo:'");
  spec.needs_proc = true;
  EXPECT_EQ(run_to_end(spec, seconds(30)).output, "");
}

// ---- files that a jail leaves -------------------------------------------------------------------

TEST_F(Jail, LeavesFilesThatCanBeRead) {
  std::string content = "old";
  run("printf 'a\\0b' >out; : >empty");
  EXPECT_TRUE(read_from_jail(box_ + "/out", content));
  EXPECT_EQ(content, std::string("a\0b", 3));
  EXPECT_TRUE(read_from_jail(box_ + "/empty", content));
  EXPECT_EQ(content, "");
}

TEST_F(Jail, LeavesNoLinkThatWouldBeFollowed) {
  write_file(box_ + "/secret", "secret");
  fs::create_symlink(box_ + "/secret", box_ + "/link");
  std::string content;
  EXPECT_FALSE(read_from_jail(box_ + "/link", content));
  EXPECT_EQ(content, "");
}

TEST_F(Jail, LeavesNoFifoFolderOrGiantThatWouldBeRead) {
  ASSERT_EQ(::mkfifo((box_ + "/fifo").c_str(), 0666), 0);
  fs::create_directory(box_ + "/folder");
  write_file(box_ + "/giant", "");
  fs::resize_file(box_ + "/giant", (std::uintmax_t{64} << 20) + 1);
  std::string content;
  for (const char* name : {"/fifo", "/folder", "/giant", "/absent"})
    EXPECT_FALSE(read_from_jail(box_ + name, content)) << name;
}

TEST_F(Jail, LeavesNoFolderBehind) {
  run("mkdir -p a/b; echo x >a/b/c; chmod 000 a/b");
  remove_scratch(box_);
  if (::geteuid() != 0) GTEST_SKIP() << "another user may not clean up behind a closed door";
  EXPECT_FALSE(fs::exists(box_));
}

// ---- words --------------------------------------------------------------------------------------

TEST(DescribeEnd, KnowsExitStatusesAndSignals) {
  const auto exited = [](int code) { return code << 8; };
  EXPECT_EQ(describe_end(exited(0)), "it ended with exit status 0 before it answered");
  EXPECT_EQ(describe_end(exited(3)), "it ended with exit status 3 before it answered");
  EXPECT_EQ(describe_end(SIGSEGV), "it was killed by signal 11 (Segmentation fault)");
  EXPECT_EQ(describe_end(exited(128 + SIGABRT)), "it was killed by signal 6 (Aborted)")
      << "as a shell reports it";
  EXPECT_EQ(describe_end(SIGXCPU), "it used up its processor time");
  EXPECT_EQ(describe_end(exited(128 + SIGXCPU)), "it used up its processor time");
}

TEST(Printable, LeavesAsciiAsItIs) {
  EXPECT_EQ(printable("a b\n\tc~\\"), "a b\n c~\\");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesEveryOtherByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = printable(std::string(1, static_cast<char>(byte)));
    for (const char c : text)
      EXPECT_TRUE((c >= 0x20 && c < 0x7F) || c == '\n') << byte;
  }
  EXPECT_EQ(printable("\033[31m\x07\xff\r"), "\\x1b[31m\\x07\\xff\\x0d");
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
}

TEST(Printable, CutsTheMiddleOfALongTextAndSaysHowMuch) {
  const std::string filling(46, 'x');
  EXPECT_EQ(printable("head" + std::string(1000, 'x') + "tail", 100),
            "head" + filling + "\n... (908 bytes left out) ...\n" + filling + "tail");
  EXPECT_EQ(printable(std::string(100, 'x'), 100), std::string(100, 'x'));
}

}  // namespace
}  // namespace latent::grader

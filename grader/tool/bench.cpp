// lab bench latency: from saving a file to its verdict, against the common way, in one run.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "config.hpp"
#include "grader/judge/jail.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

/// How long a command took, and its largest process.
struct Timing {
  double milliseconds = 0.0;
  long peak_kilobytes = 0;
};

Timing time_command(const std::string& command, const std::string& folder) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::chdir(folder.c_str()) != 0) ::_exit(126);
    const std::string quiet = "(" + command + ") >output.txt 2>&1";
    ::execl("/bin/sh", "sh", "-c", quiet.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - begin;
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
    std::string output;
    read_file(folder + "/output.txt", output);
    throw std::runtime_error("the benchmark's command failed: " + command + "\n" +
                             output.substr(0, 2000));
  }
  return {elapsed.count(), usage.ru_maxrss};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// The common way: one GoogleTest binary per lab, no precompiled header, -O0, the default linker,
/// and a contract that includes <Eigen/Dense>.
class CommonWay {
 public:
  explicit CommonWay(const std::string& folder, const Lab& lab) : folder_(folder), lab_(lab) {
    fs::create_directories(folder);
    std::string contract;
    read_file(labs_dir() + "/" + lab.name + "/" + lab.contract(), contract);
    write_file(folder + "/" + lab.contract(), "#pragma once\n#include <Eigen/Dense>\n" + contract);
    for (const Exercise& exercise : lab.exercises) {
      std::string source;
      read_file(source_dir() + "/solutions/" + lab.name + "/" + exercise.file(), source);
      source_ += source + "\n";
    }
    write_file(folder + "/test.cpp", test());
    write_file(folder + "/CMakeLists.txt", build());
    edit(0);
    time_command("cmake -S . -B build -DCMAKE_BUILD_TYPE= && cmake --build build", folder);
  }

  void edit(int number) {
    write_file(folder_ + "/lab.cpp", source_ + "// edit " + std::to_string(number) + "\n");
  }

  Timing verdict() { return time_command("cmake --build build && ./build/lab_test", folder_); }

 private:
  std::string test() const {
    return "#include <gtest/gtest.h>\n#include \"" + lab_.contract() +
           "\"\nusing namespace latent;\n"
           "TEST(Linear, AddsTheBias) {\n  const Matrix x = Matrix::Ones(3, 2), w = "
           "Matrix::Ones(4, 2);\n"
           "  const RowVector b = RowVector::Ones(4);\n  EXPECT_EQ(linear_forward(x, w, b), "
           "Matrix::Constant(3, 4, 3.0F));\n}\n"
           "TEST(Values, AreTheProduct) { EXPECT_EQ(values_in({3, 4}), 12); }\n";
  }

  std::string build() const {
    return "cmake_minimum_required(VERSION 3.25)\nproject(common_way CXX)\nset(CMAKE_CXX_STANDARD "
           "20)\nset(CMAKE_CXX_COMPILER_LAUNCHER)\n"
           "find_package(Eigen3 REQUIRED NO_MODULE)\nfind_package(GTest REQUIRED)\n"
           "add_executable(lab_test lab.cpp test.cpp \"" +
           source_dir() +
           "/common/src/types.cpp\")\n"
           "target_include_directories(lab_test PRIVATE \"" +
           source_dir() +
           "/common/include\")\n"
           "target_compile_options(lab_test PRIVATE -O0)\ntarget_link_libraries(lab_test "
           "Eigen3::Eigen GTest::gtest_main)\n";
  }

  std::string folder_;
  const Lab& lab_;
  std::string source_;
};

/// Our way: one file saved, `lab grade` of its exercise, the whole process.
class OurWay {
 public:
  OurWay(const std::string& folder, const Lab& lab) : folder_(folder), lab_(lab) {
    fs::copy(source_dir() + "/solutions", folder, fs::copy_options::recursive);
    for (const Exercise& exercise : lab.exercises)
      verdict(exercise);  // fills the cache, as a session of work does
  }

  void edit(const Exercise& exercise, int number) {
    std::string source;
    read_file(source_dir() + "/solutions/" + lab_.name + "/" + exercise.file(), source);
    // The process id makes it a text that no earlier run has compiled.
    write_file(
        folder_ + "/" + lab_.name + "/" + exercise.file(),
        source + "// edit " + std::to_string(::getpid()) + " " + std::to_string(number) + "\n");
  }

  Timing verdict(const Exercise& exercise) {
    return time_command("\"" + std::string(config::kBuildDir) + "/bin/lab\" grade " + exercise.id +
                            " --submission \"" + folder_ + "\" --plain",
                        folder_);
  }

 private:
  std::string folder_;
  const Lab& lab_;
};

}  // namespace

int run_bench_latency(int edits) {
  const Lab* lab = find_lab("1");
  if (lab == nullptr || !fs::exists(source_dir() + "/solutions"))
    throw UsageError("bench latency edits the solutions, which are not in this copy.");
  const std::string folder = make_scratch();
  CommonWay common(folder + "/common", *lab);
  OurWay ours(folder + "/ours", *lab);
  std::vector<double> our_times, common_times;
  long peak = 0;
  std::printf("%-34s %12s %12s\n", "edit of", "here, ms", "common, ms");
  for (int i = 0; i < edits; ++i) {
    const Exercise& exercise = lab->exercises[static_cast<std::size_t>(i) % lab->exercises.size()];
    ours.edit(exercise, i);
    const Timing here = ours.verdict(exercise);
    common.edit(i + 1);
    const Timing there = common.verdict();
    our_times.push_back(here.milliseconds);
    common_times.push_back(there.milliseconds);
    peak = std::max(peak, ours.verdict(exercise).peak_kilobytes);  // again: now nothing is compiled
    std::printf("%-34s %12.0f %12.0f\n", (exercise.id + " " + exercise.name).c_str(),
                here.milliseconds, there.milliseconds);
    std::fflush(stdout);
  }
  remove_scratch(folder);
  std::printf("median of %d edits: %.0f ms here, %.0f ms the common way, ratio %.2f\n", edits,
              median(our_times), median(common_times), median(our_times) / median(common_times));
  std::printf("peak memory of the judge: %ld MB; compiler %s\n", peak / 1024,
              config::kCompilerName);
  return kComplete;
}

}  // namespace latent::grader

// The tool as learners and instructors call it: a child process on a folder that somebody handed
// in. Compiled objects go to a folder of the build (LATENTLAB_STATE), never to the checkout's .lab.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "grader/tests/xml.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kReparameterize = "02_reparameterization/4_reparameterize.cpp";

/// With one space for any white space: sentences are broken into lines.
std::string flat(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string word; in >> word;) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// How a program ended.
struct Ended {
  int status = -1;
  std::string out, err;
  bool says(const std::string& text) const {
    return flat(out).find(flat(text)) != std::string::npos;
  }
  bool complains(const std::string& text) const { return err.find(text) != std::string::npos; }
};

std::ostream& operator<<(std::ostream& stream, const Ended& e) {
  return stream << "status " << e.status << "\n--- out\n" << e.out << "--- err\n" << e.err;
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no " << from << " in\n" << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// A reparameterize with another body; line 6 is the first of it.
std::string reparameterize_with(const std::string& body) {
  return "#include \"common/require.hpp\"\n#include \"reparameterization.hpp\"\n\nnamespace latent "
         "{\n"
         "Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {\n" +
         body + "\n}\n}\n";
}

const std::string kVarianceForStd = "  return mu.array() + log_var.array().exp() * eps.array();";
const std::string kRefusals =
    "  require_size(log_var.rows(), mu.rows(), \"rows of log_var\");\n"
    "  require_size(log_var.cols(), mu.cols(), \"columns of log_var\");\n"
    "  require_size(eps.rows(), mu.rows(), \"rows of eps\");\n"
    "  require_size(eps.cols(), mu.cols(), \"columns of eps\");\n";

/// A submission of its own and a way to call the tool.
class Cli : public testing::Test {
 protected:
  Cli() {
    std::string path = testing::TempDir() + "latentlab-cli-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder");
    home_ = path;
    ::chmod(path.c_str(), 0755);
    environment_ = {{"LATENTLAB_STATE", LATENTLAB_CLI_STATE}, {"LATENTLAB_CWD", home_}};
  }
  ~Cli() override { fs::remove_all(home_); }

  fs::path submission() const { return fs::path(home_) / "submission"; }

  /// Hands in the solutions of a lab.
  void hand_in(const std::string& lab) {
    for (const auto& entry :
         fs::directory_iterator(std::string(LATENTLAB_SOURCE) + "/solutions/" + lab)) {
      if (entry.path().extension() == ".cpp")
        write(submission() / lab / entry.path().filename(), content(entry.path()));
    }
  }

  /// Hands in one file alone.
  void hand_in(const std::string& file, const std::string& text) {
    write(submission() / file, text);
  }

  Ended run(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{LATENTLAB_TOOL};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all);
  }

  /// A copy of the checkout's labs/, and a command that sees it in the place of labs/: some
  /// subcommands know no other folder.
  std::string labs_in_place() {
    const std::string copy = home_ + "/labs";
    if (!fs::exists(copy))
      fs::copy(std::string(LATENTLAB_SOURCE) + "/labs", copy, fs::copy_options::recursive);
    return copy;
  }
  std::vector<std::string> in_place_of_labs(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/bwrap", "--dev-bind", "/", "/", "--bind",
                                 labs_in_place(), std::string(LATENTLAB_SOURCE) + "/labs", "--"});
    return words;
  }

  /// `lab grade NAMES --submission ... --seed 1` with a report in JSON.
  Ended grade(std::vector<std::string> arguments, std::uint64_t seed = 1) {
    arguments.insert(arguments.begin(), "grade");
    for (const std::string& more :
         {std::string("--submission"), submission().string(), std::string("--seed"),
          std::to_string(seed), std::string("--json"), home_ + "/result.json"}) {
      arguments.push_back(more);
    }
    fs::remove(home_ + "/result.json");
    const Ended ended = run(arguments);
    result_ = Json::parse(content(home_ + "/result.json"), nullptr, false);
    return ended;
  }

  /// What the report says of an exercise.
  Json exercise(const std::string& id) const {
    for (const Json& lab : result_.value("labs", Json::array())) {
      for (const Json& e : lab.at("exercises")) {
        if (e.at("id") == id) return e;
      }
    }
    ADD_FAILURE() << id << " is not in " << result_.dump(1);
    return {{"verdict", ""},        {"score", -1},  {"reason", ""},
            {"diagnosis", nullptr}, {"replay", ""}, {"properties", Json::array()}};
  }

  std::string verdict(const std::string& id) const { return exercise(id).at("verdict"); }

  /// Every exercise of a report but these has passed.
  void expect_all_pass_but(const std::set<std::string>& but) const {
    for (const Json& e : result_.at("labs").at(0).at("exercises")) {
      if (e.at("kind") != "code" || but.contains(e.at("id"))) continue;
      EXPECT_EQ(e.at("verdict"), "pass") << e.at("id");
    }
  }

  Ended run_program(const std::vector<std::string>& arguments);

  std::string home_;
  std::map<std::string, std::string> environment_;
  std::function<void()> in_child_ = [] {};  ///< Just before the tool starts.
  Json result_;
};

Ended Cli::run_program(const std::vector<std::string>& arguments) {
  const std::string out = home_ + "/out", err = home_ + "/err";
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
    in_child_();
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), content(out),
          content(err)};
}

// ---- right submissions --------------------------------------------------------------------------

TEST_F(Cli, GradesTheSolutionsOfAnExerciseAsComplete) {
  hand_in(kReparameterize,
          content(std::string(LATENTLAB_SOURCE) + "/solutions/" + kReparameterize));
  const Ended ended = grade({"2.4"});
  EXPECT_EQ(ended.status, 0) << ended;
  EXPECT_EQ(verdict("2.4"), "pass");
  EXPECT_EQ(result_["score"], result_["max"]);
  EXPECT_EQ(result_["status"], "graded");
  EXPECT_EQ(result_["schema"], "latentlab/result/v1");
}

TEST_F(Cli, GradesTheKernelsOfTheSolutionsAndThoseOfNobodyElse) {
  const std::string solutions = std::string(LATENTLAB_SOURCE) + "/solutions";
  const Ended ended = run(
      {"grade", "5.2", "--submission", solutions, "--device", "emulated", "--json", "result.json"});
  EXPECT_EQ(ended.status, 0) << ended;
  EXPECT_TRUE(ended.says("sandbox: none kernels on: the processor, emulated")) << ended;
  const Json result = Json::parse(content(home_ + "/result.json"));
  EXPECT_EQ(result["sandbox"], "none");
  EXPECT_EQ(result["score"], result["max"]);

  hand_in(kReparameterize, "int x = 0;\n");
  const Ended foreign = run({"grade", "--submission", "submission", "--device", "emulated"});
  EXPECT_EQ(foreign.status, 2) << foreign;
  EXPECT_TRUE(foreign.complains("--device takes no submission but ours")) << foreign;
  for (const std::string& command : {"grade 5 --device tpu", "run 5 --device tpu"}) {
    std::istringstream words(command);
    const Ended unknown = run({std::istream_iterator<std::string>(words), {}});
    EXPECT_EQ(unknown.status, 2) << unknown;
    EXPECT_TRUE(unknown.complains("--device takes cuda or emulated, not \"tpu\"")) << unknown;
  }
}

// ---- bad submissions: a sentence each, and the others are graded all the same -------------------

TEST_F(Cli, ShowsTheFirstCompilerErrorWithItsLineAndGradesEverythingElse) {
  hand_in("02_reparameterization");
  hand_in(kReparameterize, reparameterize_with("  return mu + ;"));
  const Ended ended = grade({"2"});
  EXPECT_EQ(ended.status, 1) << ended;
  EXPECT_EQ(verdict("2.4"), "does_not_compile");
  const Json first = exercise("2.4")["diagnostics"].at(0);
  EXPECT_EQ(first["file"], std::string("labs/") + kReparameterize);
  EXPECT_EQ(first["line"], 6);
  EXPECT_NE(first["text"].get<std::string>().find("expected"), std::string::npos) << first;
  EXPECT_TRUE(ended.says(std::string("labs/") + kReparameterize +
                         ":6: " + first["text"].get<std::string>()))
      << ended;
  EXPECT_EQ(verdict("2.8"), "waits") << "it needs 2.4";
  expect_all_pass_but({"2.4", "2.8"});
}

TEST_F(Cli, SaysThatAFunctionWasDeletedOrRenamed) {
  hand_in("02_reparameterization");
  for (const std::string& text :
       {std::string("// nothing here any more\n"),
        replaced(reparameterize_with(kVarianceForStd), "reparameterize(", "reparametrise("),
        replaced(reparameterize_with(kVarianceForStd), "const Matrix& eps",
                 "const RowVector& eps")}) {
    hand_in(kReparameterize, text);
    const Ended ended = grade({"2"});
    EXPECT_EQ(ended.status, 1);
    EXPECT_EQ(verdict("2.4"), "does_not_compile");
    EXPECT_NE(exercise("2.4")["reason"].get<std::string>().find(
                  "does not define reparameterize as reparameterization.hpp declares it"),
              std::string::npos)
        << ended;
    EXPECT_TRUE(ended.says("Was it deleted or renamed")) << ended;
    expect_all_pass_but({"2.4", "2.8"});
  }
}

TEST_F(Cli, SaysWhichFilesAnEmptySubmissionLacks) {
  fs::create_directories(submission());
  const Ended ended = grade({});
  EXPECT_EQ(ended.status, 1) << ended;
  EXPECT_EQ(result_["score"], 0);
  EXPECT_FALSE(result_["labs"].empty());
  for (const Json& lab : result_["labs"]) {
    for (const Json& e : lab["exercises"]) {
      EXPECT_EQ(e["verdict"], "not_started") << e["id"];
      if (e["kind"] != "code") continue;
      EXPECT_NE(e["reason"].get<std::string>().find("is missing; ./lab reset"), std::string::npos)
          << e["id"];
    }
  }
}

TEST_F(Cli, SaysThatAFileIsMissingAndGradesTheOthers) {
  hand_in("02_reparameterization");
  fs::remove(submission() / kReparameterize);
  const Ended ended = grade({"2"});
  EXPECT_EQ(ended.status, 1) << ended;
  EXPECT_EQ(verdict("2.4"), "not_started");
  EXPECT_EQ(exercise("2.4")["reason"], std::string("labs/") + kReparameterize +
                                           " is missing; ./lab reset 2.4 brings the stub back");
  expect_all_pass_but({"2.4", "2.8"});
  EXPECT_TRUE(grade({"2.4"}).says("is missing"));
}

TEST_F(Cli, SaysThatAFileIsNoSource) {
  const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> makers{
      {"is not text",
       [](const fs::path& p) {
         write(p, std::string("\x7f"
                              "ELF\0\0\1",
                              7));
       }},
      {"is larger than 256 KiB", [](const fs::path& p) { write(p, std::string(300 << 10, ' ')); }},
      {"is a symbolic link",
       [](const fs::path& p) {
         fs::create_symlink(std::string(LATENTLAB_SOURCE) + "/solutions/" + kReparameterize, p);
       }},
      {"is not a regular file", [](const fs::path& p) { fs::create_directory(p); }},
      {"is not a regular file", [](const fs::path& p) { ::mkfifo(p.c_str(), 0644); }}};
  hand_in("02_reparameterization/3_std_from_logvar.cpp",
          content(std::string(LATENTLAB_SOURCE) +
                  "/solutions/02_reparameterization/3_std_from_logvar.cpp"));
  for (const auto& [sentence, make] : makers) {
    fs::remove_all(submission() / kReparameterize);
    make(submission() / kReparameterize);
    const Ended ended = grade({"2.3", "2.4"});
    EXPECT_EQ(ended.status, 1) << ended;
    EXPECT_EQ(verdict("2.4"), "does_not_compile") << sentence;
    EXPECT_TRUE(ended.says(std::string("labs/") + kReparameterize + " " + sentence))
        << sentence << '\n'
        << ended;
    EXPECT_EQ(verdict("2.3"), "pass") << sentence;
  }
}

TEST_F(Cli, SaysThatAFileCannotBeRead) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  fs::permissions(submission() / kReparameterize, fs::perms::none);
  const std::string state = home_ + "/state";
  fs::create_directory(state);
  if (::geteuid() == 0) {  // root may read everything: grade as somebody else
    for (const std::string& folder : {state, home_})
      ASSERT_EQ(::chown(folder.c_str(), 65534, 65534), 0);
    for (const std::string& needed :
         {std::string(LATENTLAB_TOOL), std::string(LATENTLAB_SOURCE) + "/grader/stubs"}) {
      for (fs::path at = needed; at != at.root_path(); at = at.parent_path()) {
        if ((fs::status(at).permissions() & fs::perms::others_exec) == fs::perms::none)
          GTEST_SKIP() << at << " is closed to other users than root";
      }
    }
    in_child_ = [] {
      if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0)
        ::_exit(126);
    };
  }
  environment_["LATENTLAB_STATE"] = state;
  const Ended ended = grade({"2.4"});
  EXPECT_EQ(ended.status, 1) << ended;
  EXPECT_TRUE(
      ended.says(std::string("labs/") + kReparameterize + " cannot be read: Permission denied"))
      << ended;
  EXPECT_EQ(verdict("2.4"), "does_not_compile");
}

// ---- wrong command lines ------------------------------------------------------------------------

TEST_F(Cli, RefusesASubmissionThatIsNoFolder) {
  const Ended absent = run({"grade", "--submission", "not/there"});
  EXPECT_EQ(absent.status, 2) << absent;
  EXPECT_TRUE(absent.complains("there is no folder " + home_ + "/not/there")) << absent;
  write(home_ + "/file", "x");
  const Ended file = run({"grade", "--submission", "file"});
  EXPECT_EQ(file.status, 2) << file;
  EXPECT_TRUE(file.complains("file is not a folder")) << file;
  EXPECT_EQ(file.out + absent.out, "");
}

TEST_F(Cli, AsksWhichLabOrExerciseWasMeant) {
  for (const auto& [typo, meant] :
       std::map<std::string, std::string>{{"02_reparametrization", "02_reparameterization"},
                                          {"reparametrize", "reparameterize"},
                                          {"linear_foward", "linear_forward"}}) {
    const Ended ended = run({"grade", typo});
    EXPECT_EQ(ended.status, 2) << ended;
    EXPECT_TRUE(ended.complains("there is no lab or exercise called " + typo + ". Did you mean " +
                                meant + "?"))
        << ended;
  }
  const Ended hopeless = run({"grade", "qqqqqqqqqqqqqqqqqqqqqqq"});
  EXPECT_EQ(hopeless.status, 2);
  EXPECT_TRUE(hopeless.complains("./lab lists them")) << hopeless;
  EXPECT_EQ(run({"hint", "reparametrize"}).status, 2);
  EXPECT_EQ(run({"reset", "reparametrize"}).status, 2);
  EXPECT_TRUE(
      run({"why", "reparam.variance-for-st"}).complains("Did you mean reparam.variance-for-std?"));
}

TEST_F(Cli, RefusesOptionsThatItDoesNotKnow) {
  EXPECT_EQ(run({"grade", "--sede", "1"}).status, 2);
  EXPECT_EQ(run({"grade", "--seed"}).status, 2);
  EXPECT_EQ(run({"graed"}).status, 2);
  for (const char* seed : {"x", "-1", "1.5", "99999999999999999999999"}) {
    const Ended ended = run({"grade", "--seed", seed});
    EXPECT_EQ(ended.status, 2) << seed;
    EXPECT_TRUE(ended.complains("--seed")) << ended;
  }
  EXPECT_EQ(run({"--help"}).status, 0);
  EXPECT_EQ(run({"--version"}).status, 0);
}

TEST_F(Cli, ReportsItsOwnFailureAsSuchAndNeverAsAGrade) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  write(home_ + "/state/cache", "a file where a folder should be");
  environment_["LATENTLAB_STATE"] = home_ + "/state";
  const Ended ended = grade({"2.4"});
  EXPECT_EQ(ended.status, 3) << ended;
  EXPECT_TRUE(ended.complains("the grader itself failed, which is never a grade")) << ended;
  EXPECT_EQ(result_["status"], "grader_failed");
  EXPECT_FALSE(result_.contains("score"));
}

// ---- what a run says ----------------------------------------------------------------------------

TEST_F(Cli, RepeatsTheVerySameOutputForTheSameSeed) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  const Ended first = grade({"2.4"}, 5);
  Json result = result_;
  const Ended second = grade({"2.4"}, 5);
  EXPECT_EQ(first.out, second.out);
  EXPECT_TRUE(first.says("seed: 5")) << first;
  for (Json* j : {&result, &result_}) j->erase("time");
  EXPECT_EQ(result, result_);
  grade({"2.4"}, 6);
  EXPECT_NE(result["labs"][0]["exercises"][0]["replay"], exercise("2.4")["replay"])
      << "another seed, another case";
}

TEST_F(Cli, DrawsAnotherSeedForEachRunWithoutOne) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  const std::vector<std::string> command{"grade", "2.4", "--submission", submission().string()};
  const auto seed_in = [](const Ended& ended) {
    return ended.out.substr(ended.out.find("seed: "));
  };
  EXPECT_NE(seed_in(run(command)), seed_in(run(command)));
}

TEST_F(Cli, WritesJsonAndJunitFromWhereTheCallerStands) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  EXPECT_EQ(
      run({"grade", "2.4", "--submission", "submission", "--json", "r.json", "--junit", "r.xml"})
          .status,
      1);
  EXPECT_EQ(Json::parse(content(home_ + "/r.json"))["labs"][0]["exercises"][0]["id"], "2.4");
  const std::string junit = content(home_ + "/r.xml");
  EXPECT_EQ(xml_problem(junit), "") << junit;
  EXPECT_NE(junit.find("<failure "), std::string::npos) << junit;
}

TEST_F(Cli, ShowsNoValueInASealedRun) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  const Ended open = grade({"2.4"});
  const Json shown = exercise("2.4");
  EXPECT_TRUE(open.says("expected")) << open;
  const Ended sealed = grade({"2.4", "--sealed"});
  EXPECT_EQ(sealed.status, 1);
  for (const char* hidden :
       {"expected", "got ", "mu =", "reparam.", "replay", "hint", "smallest"}) {
    EXPECT_FALSE(sealed.says(hidden)) << hidden << '\n' << sealed;
  }
  EXPECT_TRUE(sealed.says("FAIL")) << sealed;
  EXPECT_TRUE(exercise("2.4")["diagnosis"].is_null());
  EXPECT_EQ(exercise("2.4")["replay"], "");
  for (std::size_t i = 0; i < shown["properties"].size(); ++i) {
    EXPECT_EQ(exercise("2.4")["properties"][i]["name"], shown["properties"][i]["name"]);
    EXPECT_EQ(exercise("2.4")["properties"][i]["verdict"], shown["properties"][i]["verdict"]);
    EXPECT_EQ(exercise("2.4")["properties"][i]["message"], "");
  }
}

TEST_F(Cli, NamesTheVarianceUsedForTheStandardDeviation) {
  for (const std::string& refusals : {std::string(), kRefusals}) {
    hand_in(kReparameterize, reparameterize_with(refusals + kVarianceForStd));
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      const Ended ended = grade({"2.4"}, seed);
      EXPECT_EQ(ended.status, 1);
      EXPECT_EQ(verdict("2.4"), "fail");
      EXPECT_EQ(exercise("2.4")["score"], 0);
      EXPECT_EQ(exercise("2.4")["diagnosis"], "reparam.variance-for-std") << "seed " << seed << '\n'
                                                                          << ended;
      EXPECT_TRUE(ended.says("variance")) << ended;
      EXPECT_TRUE(ended.says("./lab why reparam.variance-for-std")) << ended;
    }
  }
  const Ended why = run({"why", "reparam.variance-for-std"});
  EXPECT_EQ(why.status, 0);
  EXPECT_TRUE(why.says("variance")) << why;
}

// ---- labs build on labs -------------------------------------------------------------------------

/// A linear_forward that says that it was called.
std::string talking_linear_forward(const std::string& factor) {
  return "#include <cstdio>\n#include \"autoencoder.hpp\"\n#include "
         "\"common/require.hpp\"\nnamespace latent {\n"
         "Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {\n"
         "  std::puts(\"the learner's own linear_forward\");\n"
         "  require_size(x.cols(), weight.cols(), \"columns of x\");\n  require_size(bias.size(), "
         "weight.rows(), \"size of bias\");\n"
         "  Matrix y = " +
         factor + " * x * weight.transpose();\n  y.rowwise() += bias;\n  return y;\n}\n}\n";
}

/// Gaussian heads that fail, so that what is printed below them is shown.
std::string failing_heads() {
  return replaced(content(std::string(LATENTLAB_SOURCE) +
                          "/solutions/02_reparameterization/2_gaussian_heads.cpp"),
                  "return {linear_forward(hidden, heads.mu.weight, heads.mu.bias),",
                  "return {linear_forward(hidden, heads.mu.weight, 2.0F * heads.mu.bias),");
}

TEST_F(Cli, BuildsALabOnTheLearnersOwnEarlierLabWhereThatPasses) {
  hand_in("01_autoencoder");
  hand_in("01_autoencoder/2_linear_forward.cpp", talking_linear_forward("1.0F"));
  hand_in("02_reparameterization/2_gaussian_heads.cpp", failing_heads());
  const Ended ended = grade({"2.2"});
  EXPECT_EQ(ended.status, 1) << ended;
  EXPECT_EQ(verdict("2.2"), "fail");
  EXPECT_TRUE(exercise("2.2")["helped_by"].empty()) << exercise("2.2");
  EXPECT_TRUE(ended.says("the learner's own linear_forward")) << ended;
  EXPECT_FALSE(ended.says("with the reference's")) << ended;
}

TEST_F(Cli, BuildsALabOnTheReferenceWhereTheEarlierLabDoesNotPassAndSaysSo) {
  hand_in("01_autoencoder");
  hand_in("01_autoencoder/2_linear_forward.cpp", talking_linear_forward("2.0F"));
  hand_in("02_reparameterization/2_gaussian_heads.cpp", failing_heads());
  const Ended ended = grade({"2.2"});
  EXPECT_EQ(verdict("2.2"), "fail");
  EXPECT_EQ(exercise("2.2")["helped_by"], Json::array({"1.2"}));
  EXPECT_FALSE(ended.says("the learner's own linear_forward")) << ended;
  EXPECT_TRUE(ended.says("with the reference's linear_forward (your 1.2 does not pass yet)"))
      << ended;
}

TEST_F(Cli, PassesALaterLabWithoutAnyEarlierOne) {
  hand_in("02_reparameterization/2_gaussian_heads.cpp",
          content(std::string(LATENTLAB_SOURCE) +
                  "/solutions/02_reparameterization/2_gaussian_heads.cpp"));
  EXPECT_EQ(grade({"2.2"}).status, 0);
  EXPECT_EQ(exercise("2.2")["helped_by"], Json::array({"1.2", "1.3"}));
}

// ---- replay, hint, reset ------------------------------------------------------------------------

TEST_F(Cli, ReplaysAPrintedTokenWithTheSameInputsAndFailure) {
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  const Ended graded = grade({"2.4"}, 11);
  const std::string token = exercise("2.4")["replay"];
  ASSERT_TRUE(graded.says("replay: ./lab replay " + token)) << graded;
  const Ended replayed = run({"replay", token, "--submission", "submission"});
  EXPECT_EQ(replayed.status, 1) << replayed;
  std::istringstream message(exercise("2.4")["properties"][0]["message"].get<std::string>());
  int lines = 0;
  for (std::string line; std::getline(message, line); ++lines)
    EXPECT_TRUE(replayed.says(line)) << line << '\n' << replayed;
  EXPECT_GE(lines, 3);
  hand_in(kReparameterize,
          content(std::string(LATENTLAB_SOURCE) + "/solutions/" + kReparameterize));
  const Ended mended = run({"replay", token, "--submission", "submission"});
  EXPECT_EQ(mended.status, 0) << mended;
  EXPECT_TRUE(mended.says("this case holds now")) << mended;
}

TEST_F(Cli, RefusesTokensThatItNeverPrinted) {
  for (const char* token :
       {"x", "2.4", "2.4-1-zz-1x1", "99.9-1-00000000000000ff-1x1", "2.4-99-00000000000000ff-1x1",
        "2.4-1-00000000000000ff-1xx", "2.4-1-00000000000000ff-99999999",
        "2.4-1-123456789012345678-1", "2.4--00000000000000ff-1"}) {
    const Ended ended = run({"replay", token});
    EXPECT_EQ(ended.status, 2) << token << '\n' << ended;
  }
}

TEST_F(Cli, HandsACaseToTheDebuggerWithItsRequests) {
  if (run_program(in_place_of_labs({"/bin/true"})).status != 0)
    GTEST_SKIP() << "no namespaces here, so there is no labs/ to write in";
  hand_in(kReparameterize, reparameterize_with(kVarianceForStd));
  grade({"2.4"}, 11);
  const std::string token = exercise("2.4")["replay"];
  write(labs_in_place() + "/" + kReparameterize, reparameterize_with(kVarianceForStd));
  // Shows its words, then runs the worker as gdb would.
  write(home_ + "/bin/gdb",
        "#!/bin/sh\nprintf '%s\\n' \"$@\"\nfor last; do :; done\nfor word; do case $word in run*)\n"
        "eval \"\\\"$last\\\" ${word#run }\" && echo 'it ran to its end';; esac; done\n");
  fs::permissions(home_ + "/bin/gdb", fs::perms::all);
  environment_["PATH"] = home_ + "/bin:/usr/bin:/bin";
  environment_["LATENTLAB_STATE"] = home_ + "/state";
  const Ended ended = run_program(in_place_of_labs({LATENTLAB_TOOL, "replay", token, "--gdb"}));
  EXPECT_TRUE(ended.says("replay of " + token)) << ended;
  EXPECT_TRUE(ended.says("break latent::reparameterize")) << ended;
  EXPECT_TRUE(ended.says("it ran to its end")) << ended;
  EXPECT_GT(fs::file_size(home_ + "/state/replay.requests"), 64U) << "three matrices";
}

TEST_F(Cli, DebugsNothingButOnesOwnFiles) {
  const Ended ended = run({"replay", "2.4-1-00000000000000ff-1x1", "--gdb", "--submission", "x"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_TRUE(ended.complains("without the sandbox")) << ended;
}

TEST_F(Cli, SaysWhenThereIsNoDebugger) {
  environment_["PATH"] = home_;
  const Ended ended = run({"replay", "2.4-1-00000000000000ff-1x1", "--gdb"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_TRUE(ended.complains("apt-get install gdb")) << ended;
}

TEST_F(Cli, GivesOneHintMoreEachTime) {
  environment_["LATENTLAB_STATE"] = home_ + "/state";
  const Ended first = run({"hint", "2.4"}), second = run({"hint", "2.4"});
  EXPECT_EQ(first.status, 0) << first;
  EXPECT_TRUE(first.says("2.4 reparameterize, hint 1 of ")) << first;
  EXPECT_TRUE(first.says("another one: ./lab hint 2.4")) << first;
  EXPECT_FALSE(first.says("hint 2 of")) << first;
  EXPECT_TRUE(second.says("2.4 reparameterize, hint 2 of ")) << second;
  EXPECT_FALSE(second.says("hint 1 of")) << second;
  EXPECT_TRUE(run({"hint", "2.3"}).says("hint 1 of")) << "each exercise has a count of its own";
  Ended last = second;
  for (int i = 0; i < 10; ++i) last = run({"hint", "2.4"});
  EXPECT_TRUE(last.says("that was the last one")) << last;
  EXPECT_TRUE(run({"hint", "2.4", "--all"}).says("hint 1 of"));
  EXPECT_TRUE(run({"hint", "2"}).complains("is a whole lab")) << "a lab has no hint";
}

TEST_F(Cli, ResetsAFileAndKeepsACopyOfIt) {
  const std::string labs = labs_in_place();
  const std::string mine = "// what I wrote\n", stub = content(std::string(LATENTLAB_SOURCE) +
                                                               "/grader/stubs/" + kReparameterize);
  write(labs + "/" + kReparameterize, mine);
  environment_["LATENTLAB_STATE"] = home_ + "/state";
  const auto with = [&](std::vector<std::string> words) { return in_place_of_labs(words); };
  if (run_program(with({"/bin/true"})).status != 0)
    GTEST_SKIP() << "no namespaces here, so reset would change the checkout itself";
  const Ended ended = run_program(with({LATENTLAB_TOOL, "reset", "2.4", "--yes"}));
  EXPECT_EQ(ended.status, 0) << ended;
  EXPECT_EQ(content(labs + "/" + kReparameterize), stub);
  std::string kept;
  for (const auto& entry : fs::recursive_directory_iterator(home_ + "/state/backup")) {
    if (entry.path().filename() == fs::path(kReparameterize).filename())
      kept = content(entry.path());
  }
  EXPECT_EQ(kept, mine);
  EXPECT_TRUE(run_program(with({LATENTLAB_TOOL, "reset", "2.4", "--yes"})).says("Nothing to do"));
  fs::remove(labs + "/" + kReparameterize);
  EXPECT_EQ(run_program(with({LATENTLAB_TOOL, "reset", "2.4", "--yes"})).status, 0);
  EXPECT_EQ(content(labs + "/" + kReparameterize), stub) << "a missing file comes back, too";
}

// ---- a terminal ---------------------------------------------------------------------------------

/// What the tool writes to a terminal of 80 columns, standard output and error together.
class Terminal : public Cli {
 protected:
  std::string shown(const std::vector<std::string>& arguments) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return "no terminal";
    const std::string name = ::ptsname(master);
    const int keep_open = ::open(name.c_str(), O_RDWR | O_NOCTTY);
    in_child_ = [&name] {
      const int terminal = ::open(name.c_str(), O_RDWR | O_NOCTTY);
      for (const int fd : {1, 2}) ::dup2(terminal, fd);
    };
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    std::string text;
    run(arguments);
    char buffer[4096];
    for (ssize_t n = ::read(master, buffer, sizeof buffer); n > 0;
         n = ::read(master, buffer, sizeof buffer))
      text.append(buffer, static_cast<std::size_t>(n));
    ::close(keep_open);
    ::close(master);
    return text;
  }

  std::vector<std::string> command(const std::vector<std::string>& more = {}) {
    hand_in(kReparameterize, "// nothing here any more\n");
    std::vector<std::string> all{"grade", "2.4", "--submission", "submission", "--seed", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(Terminal, HasColours) {
  environment_["TERM"] = "xterm";
  ::unsetenv("NO_COLOR");
  const std::string text = shown(command());
  EXPECT_NE(text.find("\033[1m"), std::string::npos) << text;
  EXPECT_NE(text.find("2.4 reparameterize"), std::string::npos) << text;
}

TEST_F(Terminal, HasNoColourWithNoColor) {
  environment_["NO_COLOR"] = "1";
  const std::string text = shown(command());
  EXPECT_NE(text.find("2.4 reparameterize"), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
}

TEST_F(Terminal, HasNoEscapeByteInPlainText) {
  const std::string text = shown(command({"--plain"}));
  EXPECT_NE(text.find("2.4 reparameterize"), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
}

TEST_F(Cli, WritesNoEscapeByteIntoAFile) {
  hand_in(kReparameterize,
          reparameterize_with("  std::puts(\"\\033[31mred\\033[0m\");\n" + kVarianceForStd));
  const Ended ended = grade({"2.4"});
  EXPECT_EQ((ended.out + ended.err).find('\033'), std::string::npos);
  EXPECT_TRUE(ended.says("\\x1b[31mred")) << ended;
}

// ---- runs ---------------------------------------------------------------------------------------

/// A published kind of autoencoder, small, and ours: its files.
const std::string kTinyVae = std::string(LATENTLAB_SOURCE) + "/labs/08_encode_decode/tiny_vae";

/// Refused with one sentence about the file, on one line, and exit status 1.
void expect_one_sentence(const Ended& ended, const std::string& file) {
  EXPECT_EQ(ended.status, 1) << ended;
  EXPECT_EQ(ended.err.rfind("lab: ", 0), 0U) << ended;
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended;
  EXPECT_TRUE(ended.complains(file)) << ended;
  EXPECT_LT(ended.err.size(), 400U) << ended;
}

TEST_F(Cli, SaysWhichFunctionsARunNeeds) {
  environment_["LATENTLAB_STATE"] = LATENTLAB_CLI_STATE "/runs";
  labs_in_place();
  const Ended none = run_program(in_place_of_labs({LATENTLAB_TOOL, "run", "8"}));
  EXPECT_EQ(none.status, 1) << none;
  EXPECT_TRUE(none.complains("not written yet")) << none;
  EXPECT_TRUE(none.complains("8.8 trace_autoencoder")) << none;
  EXPECT_TRUE(none.complains("1.9 conv2d_forward")) << none;
  EXPECT_FALSE(none.complains("8.9")) << "the run does not call it\n" << none;
  EXPECT_TRUE(none.complains("./lab run 8 --use-solution all")) << none;

  for (const char* lab : {"01_autoencoder", "08_encode_decode"}) {
    for (const auto& entry :
         fs::directory_iterator(std::string(LATENTLAB_SOURCE) + "/solutions/" + lab)) {
      if (entry.path().extension() == ".cpp" && entry.path().stem() != "8_trace_autoencoder")
        write(fs::path(labs_in_place()) / lab / entry.path().filename(), content(entry.path()));
    }
  }
  const Ended one = run_program(in_place_of_labs({LATENTLAB_TOOL, "run", "8"}));
  EXPECT_EQ(one.status, 1) << one;
  EXPECT_TRUE(one.complains("./lab run 8 --use-solution 8.8\n")) << one;
  EXPECT_FALSE(one.complains("8.7")) << one;

  const Ended helped = run_program(in_place_of_labs(
      {LATENTLAB_TOOL, "run", "8", "--use-solution", "8.8", "--out", home_ + "/results"}));
  EXPECT_EQ(helped.status, 0) << helped;
  EXPECT_TRUE(helped.says("yours 1.2 1.8 1.9 8.0 8.1 8.2 8.5 8.6 8.7")) << helped;
  EXPECT_TRUE(helped.says("reference 8.8 (not yours)")) << helped;
  EXPECT_EQ(Json::parse(content(home_ + "/results/functions.json")).at("reference"), Json({"8.8"}));

  const fs::path half = fs::path(labs_in_place()) / "08_encode_decode/7_tae_block.cpp";
  write(half,
        content(half) + "\n// changed\n" +
            content(std::string(LATENTLAB_SOURCE) + "/labs/08_encode_decode/7_tae_block.cpp"));
  const Ended broken =
      run_program(in_place_of_labs({LATENTLAB_TOOL, "run", "8", "--use-solution", "8.8"}));
  EXPECT_EQ(broken.status, 1) << broken;
  EXPECT_TRUE(broken.complains("labs/08_encode_decode/7_tae_block.cpp does not compile")) << broken;
  EXPECT_TRUE(broken.complains("error: ")) << broken;

  write(half,
        content(std::string(LATENTLAB_SOURCE) + "/grader/stubs/08_encode_decode/7_tae_block.cpp") +
            "// begun\n");
  const Ended begun =
      run_program(in_place_of_labs({LATENTLAB_TOOL, "run", "8", "--use-solution", "8.8"}));
  EXPECT_EQ(begun.status, 1) << begun;
  EXPECT_TRUE(begun.complains("it still says todo. Look at 8.7 tae_block")) << begun;
}

TEST_F(Cli, RunsAnAutoencoderAndRefusesMalformedFiles) {
  environment_["LATENTLAB_STATE"] = LATENTLAB_CLI_STATE "/runs";
  const std::string out = home_ + "/results";
  const auto run8 = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "8", "--use-solution", "all", "--out", out});
    return run(words);
  };
  const Ended ended = run8({});
  ASSERT_EQ(ended.status, 0) << ended;
  EXPECT_TRUE(ended.says("latent shape [4, 64, 64]")) << ended;
  EXPECT_TRUE(ended.says("PSNR")) << ended;
  std::istringstream trace(content(out + "/trace.jsonl"));
  std::vector<Json> stages;
  for (std::string line; std::getline(trace, line);) stages.push_back(Json::parse(line));
  ASSERT_EQ(stages.size(), 1U + 8 + 2 + 12);
  EXPECT_EQ(stages[8].at("shape"), Json({1, 4, 64, 64}));
  for (const char* file : {"reconstruction.png", "side-by-side.png", "latent.safetensors"})
    EXPECT_GT(fs::file_size(out + "/" + file), 1000U) << file;

  const std::string whole = content(kTinyVae + "/encoder.safetensors");
  const auto replaced_in = [&](const std::string& from, const std::string& to) {
    return replaced(whole, from, to);
  };
  std::string header_of_2_60 = whole;
  header_of_2_60[7] = '\x10';
  const std::string png = content(out + "/reconstruction.png");
  fs::remove_all(out);
  write(home_ + "/weights/decoder.safetensors", content(kTinyVae + "/decoder.safetensors"));
  for (const std::string& bytes :
       {whole.substr(0, whole.size() / 2), replaced_in("\"F16\"", "\"I16\""),
        replaced_in("[32,896]", "[30,894]"), header_of_2_60,
        replaced_in("\"0.bias\"", "\"1.bias\""), replaced_in("[16,3,3,3]", "[3,16,3,3]"),
        whole + "more", std::string()}) {
    write(home_ + "/weights/encoder.safetensors", bytes);
    expect_one_sentence(run8({"--weights", home_ + "/weights"}), "weights/encoder.safetensors");
  }
  expect_one_sentence(run8({"--weights=" + home_ + "/nothing"}), "nothing/encoder.safetensors");

  std::string wide = png, damaged = png;
  wide[17] = '\x7f';  // the width
  damaged[damaged.size() / 2] ^= 1;
  for (const std::string& bytes :
       {std::string(), std::string("GIF89a"), png.substr(0, png.size() / 2), wide, damaged}) {
    write(home_ + "/x.png", bytes);
    expect_one_sentence(run8({"--image", home_ + "/x.png"}), "x.png");
  }
  expect_one_sentence(run8({"--image", home_}), home_);
  expect_one_sentence(run8({"--image", home_ + "/no.png"}), "no.png");
  EXPECT_FALSE(fs::exists(out)) << "a run that is refused leaves nothing";
}

/// What was printed, but for where the files are.
std::string figures_in(const Ended& ended) {
  return ended.out.substr(0, ended.out.find("written "));
}

TEST_F(Cli, TrainsAnAutoencoderThatBeatsEveryLinearMap) {
  environment_["LATENTLAB_STATE"] = LATENTLAB_CLI_STATE "/runs";
  const std::string out = home_ + "/results";
  const Ended ended = run({"run", "1", "--quick", "--use-solution", "all", "--out", out});
  ASSERT_EQ(ended.status, 0) << ended;
  EXPECT_TRUE(ended.says("reference 1.2 1.3 1.4 1.5 1.6 1.7 (not yours)")) << ended;
  EXPECT_TRUE(ended.says("seed 1, quick")) << ended;
  EXPECT_TRUE(ended.complains("step 1500/1500")) << ended;
  const std::size_t at = ended.out.find("autoencoder / principal components");
  ASSERT_NE(at, std::string::npos) << ended;
  const double ratio = std::atof(ended.out.c_str() + at + 35);
  EXPECT_TRUE(ratio > 0.0 && ratio <= 1.05) << ended;
  for (const char* file : {"loss.svg", "latent.svg", "distances.svg", "reconstructions.png",
                           "decoded.png", "checkpoint.safetensors"})
    EXPECT_GT(fs::file_size(out + "/" + file), 1000U) << file;
  const std::string report = content(out + "/report.html");
  for (const char* part : {"<!DOCTYPE html>", "1.2 1.3 1.4 1.5 1.6 1.7", "<svg", "data:image/png",
                           "./lab run 1 --quick --use-solution all", "What to try next"})
    EXPECT_NE(report.find(part), std::string::npos) << part;
}

TEST_F(Cli, GoesOnWhereARunWasKilled) {
  environment_["LATENTLAB_STATE"] = LATENTLAB_CLI_STATE "/runs";
  const auto run1 = [&](const std::string& out, std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "1", "--use-solution", "all", "--out", home_ + "/" + out});
    return run(words);
  };
  const Ended whole = run1("whole", {"--quick", "--seed", "7"});
  ASSERT_EQ(whole.status, 0) << whole;

  const std::string pid_file = home_ + "/pid",
                    checkpoint = home_ + "/killed/checkpoint.safetensors";
  in_child_ = [&] {
    ::setsid();
    write(pid_file, std::to_string(::getpid()));
  };
  std::thread killer([&] {
    for (int i = 0; i < 6000 && !fs::exists(checkpoint); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ::kill(-std::stoi(content(pid_file)), SIGKILL);
  });
  const Ended killed = run1("killed", {"--quick", "--seed", "7"});
  killer.join();
  in_child_ = [] {};
  ASSERT_EQ(killed.status, 1000 + SIGKILL) << killed;
  ASSERT_FALSE(fs::exists(home_ + "/killed/report.html"));

  const Ended resumed = run1("resumed", {"--resume", checkpoint});
  ASSERT_EQ(resumed.status, 0) << resumed;
  EXPECT_EQ(figures_in(resumed), figures_in(whole));
  for (const char* file : {"loss.svg", "reconstructions.png", "checkpoint.safetensors"})
    EXPECT_EQ(content(home_ + "/resumed/" + file), content(home_ + "/whole/" + file)) << file;

  fs::remove_all(home_ + "/resumed");
  const std::string bytes = content(checkpoint);
  for (const std::string& bad :
       {bytes.substr(0, bytes.size() / 2), std::string(),
        replaced(bytes, "run of 01_autoencoder", "run of 02_autoencoder")}) {
    write(home_ + "/bad.safetensors", bad);
    expect_one_sentence(run1("resumed", {"--resume", home_ + "/bad.safetensors"}),
                        "bad.safetensors");
  }
  EXPECT_EQ(run1("resumed", {"--resume", checkpoint, "--seed", "8"}).status, 2);
  EXPECT_EQ(run1("resumed", {"--seed", "x"}).status, 2);
  EXPECT_FALSE(fs::exists(home_ + "/resumed")) << "a run that is refused leaves nothing";
}

/// Every lab's run, short, from the solutions.
class QuickRun : public Cli, public testing::WithParamInterface<std::string> {};

TEST_P(QuickRun, EndsWithAReportAndTheFilesItNames) {
  environment_["LATENTLAB_STATE"] = LATENTLAB_CLI_STATE "/runs";
  const std::string out = home_ + "/results";
  const Ended ended = run({"run", GetParam(), "--quick", "--use-solution", "all", "--out", out});
  ASSERT_EQ(ended.status, 0) << ended;
  std::istringstream lines(ended.out.substr(ended.out.find("written ")));
  std::string line;
  std::getline(lines, line);
  std::set<std::string> named;
  for (std::string file; lines >> file;) {
    EXPECT_TRUE(fs::exists(out + "/" + file) && fs::file_size(out + "/" + file) > 0) << file;
    named.insert(file);
  }
  EXPECT_TRUE(named.contains("report.html")) << ended;
  EXPECT_EQ(ended.out.find(" nan"), std::string::npos) << ended;
  const std::string page = content(out + "/report.html");
  for (const char* part : {"What to try next", "<svg", "<figcaption>"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(Json::parse(content(out + "/report.json")).at("schema"), "latentlab/run/v1");
}

std::vector<std::string> numbers_of_runs() {
  std::vector<std::string> numbers;
  for (int number = 1; number < 100; ++number) {
    const std::string start = (number < 10 ? "0" : "") + std::to_string(number) + "_";
    for (const auto& entry : fs::directory_iterator(std::string(LATENTLAB_SOURCE) + "/labs")) {
      if (entry.path().filename().string().starts_with(start) &&
          fs::exists(entry.path() / "experiment.cpp"))
        numbers.push_back(std::to_string(number));
    }
  }
  return numbers;
}

INSTANTIATE_TEST_SUITE_P(Lab, QuickRun, testing::ValuesIn(numbers_of_runs()),
                         [](const auto& number) { return number.param; });

TEST_F(Cli, LocksTheRunOfASubmissionIn) {
  environment_["LATENTLAB_STATE"] = LATENTLAB_CLI_STATE "/runs";
  const std::string solutions = std::string(LATENTLAB_SOURCE) + "/solutions/";
  const fs::path theirs = fs::path(home_) / "theirs/01_autoencoder";
  for (const auto& entry : fs::directory_iterator(solutions + "01_autoencoder")) {
    if (entry.path().extension() == ".cpp") write(theirs / entry.path().filename(), content(entry));
  }
  // Somebody's tanh_forward looks around, prints in red, and leaves a file of its own behind.
  const std::string secret = home_ + "/secret";
  write(secret, "the answer");
  write(theirs / "4_tanh.cpp",
        "#include <cstdio>\n#include <fstream>\n#include <string>\n" +
            replaced(content(theirs / "4_tanh.cpp"), "Matrix tanh_forward(const Matrix& x) {",
                     R"(Matrix tanh_forward(const Matrix& x) {
  static const bool looked = [] {
    for (const char* path : {")" +
                         secret + R"(", ")" + solutions + R"(01_autoencoder/4_tanh.cpp"}) {
      std::string word;
      std::ifstream(path) >> word;
      std::printf("\033[31mfound <%s>\n", word.c_str());
    }
    std::ofstream("out/.hidden") << "x";
    return true;
  }();
  (void)looked;)"));
  const std::string out = home_ + "/results";
  const Ended ended = run({"run", "1", "--quick", "--submission", home_ + "/theirs", "--out", out});
  ASSERT_EQ(ended.status, 0) << ended;
  EXPECT_TRUE(ended.says("yours 1.2 1.3 1.4 1.5 1.6 1.7")) << ended;
  EXPECT_TRUE(ended.says("\\x1b[31mfound <>")) << ended;
  EXPECT_FALSE(ended.says("found <t")) << ended;
  EXPECT_FALSE(ended.says("found </")) << ended;
  EXPECT_TRUE(ended.says("written to " + out)) << ended;
  EXPECT_FALSE(fs::exists(out + "/.hidden"));
  const Ended own = run({"run", "1", "--quick", "--use-solution", "all", "--out", home_ + "/own"});
  EXPECT_EQ(content(out + "/loss.svg"), content(home_ + "/own/loss.svg")) << "the same numbers";

  write(theirs / "4_tanh.cpp", "#include <nothing>\n");
  const Ended broken = run({"run", "1", "--submission", home_ + "/theirs"});
  EXPECT_EQ(broken.status, 1) << broken;
  EXPECT_TRUE(broken.complains("labs/01_autoencoder/4_tanh.cpp does not compile")) << broken;
  fs::remove(theirs / "4_tanh.cpp");
  const Ended missing = run({"run", "1", "--submission", home_ + "/theirs"});
  EXPECT_EQ(missing.status, 1) << missing;
  EXPECT_TRUE(missing.complains("1.4 tanh")) << missing;
}

TEST_F(Cli, SetsTwoRunsSideBySide) {
  environment_["LATENTLAB_STATE"] = home_ + "/state";
  const auto leave = [&](const std::string& folder, const std::string& error,
                         const std::string& more) {
    write(home_ + "/state/runs/" + folder + "/report.html",
          "<html><head></head>\n<body>\n<main>\n<p>page " + folder + "</p></main>\n</body></html>");
    write(
        home_ + "/state/runs/" + folder + "/report.json",
        R"({"schema":"latentlab/run/v1","title":"T","command":"./lab run 1","seed":3,"tables":[)"
        R"({"section":"S","caption":"Errors","columns":["","error"],"rows":[["PCA","0.5"],["yours",")" +
            error + R"("])" + more + "]}]}");
  };
  leave("01/1", "0.25", "");
  leave("01/2", "0.75", R"(,["third","7"])");
  const Ended ended = run({"run", "--compare", "01/1", home_ + "/state/runs/01/2"});
  ASSERT_EQ(ended.status, 0) << ended;
  EXPECT_TRUE(ended.says("* yours: error 0.25 0.75")) << ended;
  EXPECT_TRUE(ended.says("PCA: error 0.5 0.5")) << ended;
  EXPECT_FALSE(ended.says("* PCA")) << ended;
  EXPECT_TRUE(ended.says("* third: error - 7")) << ended;
  const std::string page = content(home_ + "/state/runs/compare.html");
  EXPECT_LT(page.find("page 01/1"), page.find("page 01/2"));
  EXPECT_NE(page.find("page 01/2"), std::string::npos);
  EXPECT_NE(page.find("grid"), std::string::npos);

  for (const char* damage : {"", "[]", "{\"schema\":\"latentlab/run/v1\",\"tables\":[7]}"}) {
    write(home_ + "/state/runs/01/2/report.json", damage);
    const Ended refused = run({"run", "--compare", "01/1", "01/2"});
    EXPECT_EQ(refused.status, 2) << damage << refused;
  }
}

TEST_F(Cli, SaysHowARunIsAskedFor) {
  for (const auto& [words, about] :
       {std::pair(std::vector<std::string>{"run", "99"}, "99 is no lab; those that have one: 1, 2"),
        std::pair(std::vector<std::string>{"run", "8", "--use-solution"}, "takes a word after it"),
        std::pair(std::vector<std::string>{"run", "8", "--use-solution", "8.77"}, "8.77"),
        std::pair(std::vector<std::string>{"run", "8", "--submission", "/nowhere"},
                  "there is no folder /nowhere"),
        std::pair(std::vector<std::string>{"run", "8", "--device", "emulated"},
                  "the kernels are the reference's: add --use-solution"),
        std::pair(std::vector<std::string>{"run", "--compare", "01/1"}, "takes a word after it"),
        std::pair(std::vector<std::string>{"run", "--compare", "/nowhere", "/etc"},
                  "/nowhere is not the folder of a run")}) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.status, 2) << ended;
    EXPECT_TRUE(ended.complains(about)) << ended;
  }
  EXPECT_EQ(run({"run", "--help"}).status, 0);
  EXPECT_TRUE(run({"--help"}).says("What a lab's functions are for"));
}

}  // namespace
}  // namespace latent::grader

// `lab`: the command that learners, instructors and authors type.

#include <CLI/CLI.hpp>
#include <iostream>

#include "config.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

using Names = std::vector<std::string>;

/// The command line. What the options are written into lives as long as the process.
class CommandLine {
 public:
  CommandLine() {
    app_.set_version_flag("--version", std::string("Latent Labs ") + config::kVersion);
    app_.require_subcommand(0, 1);
    add("status", "Where am I: progress per lab and the next step", [] { return run_status(); });
    add_for_learners();
    add_for_authors();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      return app_.exit(e) == 0 ? kComplete : kUsage;
    }
    return command_ ? command_() : run_status();
  }

 private:
  CLI::App* add(const std::string& name, const std::string& text, std::function<int()> command,
                CLI::App* parent = nullptr) {
    CLI::App* added = (parent != nullptr ? parent : &app_)->add_subcommand(name, text);
    added->callback([this, command = std::move(command)] { command_ = command; });
    return added;
  }

  void add_for_learners() {
    CLI::App* grade = add("grade", "Judge your answers: all, one lab (5) or one exercise (5.2)",
                          [this] { return run_grade(grade_); });
    grade->add_option("name", grade_.names, "Labs or exercises, for example 5 or 5.2; none: all");
    grade->add_option("--submission", grade_.submission,
                      "A folder laid out like labs/, instead of labs/");
    grade->add_option("--seed", grade_.seed, "Repeat the inputs of an earlier run");
    grade->add_option("--json", grade_.json, "Also write the result to this file");
    grade->add_option("--junit", grade_.junit, "Also write JUnit XML to this file");
    grade->add_option("--learner", grade_.learner,
                      "Whose work this is; sealed questions depend on it");
    grade->add_option("--device", grade_.device,
                      "With --submission solutions: their kernels, on cuda or emulated");
    grade->add_flag("--plain", grade_.plain,
                    "Plain lines without columns or colour, for screen readers");
    grade->add_flag("--verbose,-v", grade_.verbose,
                    "Show every failing property in full, not only the first");
    grade->add_flag("--sealed", grade_.sealed, "Exam: show property names and points only");

    CLI::App* watch = add("watch", "Judge an exercise whenever its file is saved",
                          [this] { return run_watch(names_); });
    watch->add_option("name", names_, "Labs or exercises to stay with; none: all");

    CLI::App* hint = add("hint", "A hint for an exercise, one level more each time",
                         [this] { return run_hint(name_, flag_); });
    hint->add_option("exercise", name_, "For example 5.2")->required();
    hint->add_flag("--all", flag_, "All hints from the first");

    CLI::App* why = add("why", "A mistake that a verdict has named, explained",
                        [this] { return run_why(name_); });
    why->add_option("id", name_, "For example kl.mean-over-dims")->required();

    CLI::App* replay =
        add("replay", "One failing case again, from the token that its verdict printed",
            [this] { return run_replay(name_, grade_.submission, flag_); });
    replay->add_option("token", name_, "For example 3.1-2-9c41f07be25d6a13-1x2")->required();
    replay->add_option("--submission", grade_.submission,
                       "A folder laid out like labs/, instead of labs/");
    replay->add_flag("--gdb", flag_, "Then step through it in gdb (labs/ only, without sandbox)");

    CLI::App* run = add("run", "What a lab's functions are for: encode, train, draw with them",
                        [this] { return run_run(app_.get_subcommand("run")->remaining()); });
    // Each experiment has options of its own, which it reads itself.
    run->prefix_command();
    run->set_help_flag();

    CLI::App* reset = add("reset", "Bring a stub back; your file is kept in .lab/backup",
                          [this] { return run_reset(names_, flag_); });
    reset->add_option("name", names_, "For example 5.2 or 5")->required();
    reset->add_flag("--yes,-y", flag_, "Do not ask");

    CLI::App* solution =
        add("solution", "The reference for an exercise you have passed, and notes on it",
            [this] { return run_solution(names_, flag_); });
    solution->add_option("name", names_, "For example 5.2 or 5; none: all");
    solution->add_flag("--give-up", flag_, "Show it without the pass");

    add("doctor", "What is missing on this machine, and how to get it",
        [] { return run_doctor(); });
  }

  void add_for_authors() {
    CLI::App* questions =
        add("questions", "Print a lab's answers.toml, also with numbers of a learner's own",
            [this] { return run_questions(name_, grade_.learner, flag_); });
    questions->add_option("lab", name_, "For example 5")->required();
    questions->add_option("--learner", grade_.learner,
                          "Draw numbers and order of choices for this person");
    questions->add_flag("--with-answers", flag_, "The instructor's copy");

    CLI::App* test = add("test", "The project's own tests (the launcher builds them first)",
                         [this] { return run_test(name_); });
    test->add_option("pattern", name_, "Only tests whose names match this regular expression");

    CLI::App* author = app_.add_subcommand("author", "For people who write labs");
    author->require_subcommand(1);
    CLI::App* check = add(
        "check", "Every gate a lab must pass", [this] { return run_author_check(check_); }, author);
    check->add_option("lab", check_.names, "For example 5; none: all");
    check->add_flag("--quick", check_.quick, "Leave out what has to be compiled");
    check->add_option("--seed", check_.seed, "Repeat an earlier check");
    check->add_option("--seeds", check_.seeds, "Also judge the solutions with this many seeds")
        ->check(CLI::Range(0, 10000000));
    check->add_option("--sweep", check_.sweep, "Also judge each wrong answer with this many seeds")
        ->check(CLI::Range(0, 10000));
    check->add_flag("--verbose,-v", check_.verbose, "Name the properties that are not decisive");

    CLI::App* mutate = add(
        "mutate", "Slips of the hand in the solutions: does each lose points?",
        [this] { return run_author_mutate(names_, count_, seed_from(grade_.seed), flag_); },
        author);
    mutate->add_option("name", names_, "Labs or exercises; none: all");
    mutate->add_option("--most", count_, "Mutants of one exercise; 0: all of them")
        ->check(CLI::Range(0, 100000));
    mutate->add_option("--seed", grade_.seed, "Repeat an earlier choice");
    mutate->add_flag("--equivalent", flag_, "Also list those that answer as the solution does");

    CLI::App* bench = app_.add_subcommand(
        "bench", "How fast the solutions are here (the launcher builds and runs the table)");
    bench->footer(
        "Without a subcommand: [--torch] [--only NAME] [--cores N] [--json FILE] [--large], or "
        "--device cuda");
    bench->require_subcommand(1);
    CLI::App* latency = add(
        "latency", "From saving a file to its verdict, against the common way",
        [this] { return run_bench_latency(count_); }, bench);
    latency->add_option("--edits", count_, "How many edits to time")->check(CLI::Range(1, 1000));
  }

  CLI::App app_{"Latent Labs: write the compression engines behind image generation.", "./lab"};
  GradeArguments grade_;
  Names names_;
  std::string name_;
  bool flag_ = false;
  AuthorCheckArguments check_;
  int count_ = 20;
  std::function<int()> command_;
};

}  // namespace
}  // namespace latent::grader

int main(int argc, char** argv) {
  using namespace latent::grader;
  try {
    return CommandLine().run(argc, argv);
  } catch (const UsageError& e) {
    std::cerr << "lab: " << e.what() << '\n';
    return kUsage;
  } catch (const std::exception& e) {
    std::cerr << "lab: the grader itself failed, which is never a grade: " << e.what()
              << "\n     ./lab doctor looks for the cause.\n";
    return kFailed;
  }
}

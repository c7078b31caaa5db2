// lab, without a subcommand: where am I, what is next.

#include <iostream>

#include "grader/tool/commands.hpp"

namespace latent::grader {
int run_status() {
  GradeOptions grading;
  grading.submission = labs_dir();
  grading.state = state_dir();
  grading.seed = fresh_seed();
  grading.progress = show_progress;
  const Report report = grade(grading);
  show_progress("");
  print_overview(report, text_style(false), std::cout);
  std::cout << "\n./lab grade 1.0   judge one exercise      ./lab watch       judge at every save\n"
               "./lab hint 1.0    a nudge in its direction  ./lab --help      everything else\n";
  return kComplete;
}

}  // namespace latent::grader

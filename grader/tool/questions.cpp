// lab questions: a lab's answer sheet, as printed in the workbook or drawn for one learner.

#include <iostream>

#include "grader/tool/commands.hpp"

namespace latent::grader {

int run_questions(const std::string& name, const std::string& learner, bool with_answers) {
  exercise_ids({name});  // refuses unknown names
  const Lab* lab = find_lab(name);
  if (lab == nullptr) lab = &lab_of(*find_exercise(name));
  std::cout << answer_sheet(*lab, learner, with_answers);
  return kComplete;
}

}  // namespace latent::grader

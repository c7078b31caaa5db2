// lab solution: the reference and its notes, after the pass.

#include <iostream>

#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

bool passes(const std::string& id) {
  GradeOptions grading;
  grading.submission = labs_dir();
  grading.state = state_dir();
  grading.only = {id};
  grading.seed = fresh_seed();
  grading.questions = false;
  return grade(grading).complete();
}

}  // namespace

int run_solution(const std::vector<std::string>& names, bool give_up) {
  int status = kComplete;
  std::string notes_of;
  for (const std::string& id : exercise_ids(names)) {
    const Exercise* exercise = find_exercise(id);
    const Lab& lab = lab_of(*exercise);
    const std::string file = "solutions/" + lab.name + "/" + exercise->file();
    std::string text;
    if (!read_file(source_dir() + "/" + file, text)) {
      std::cout << id << ": " << file << " is not in this copy.\n";
      status = kIncomplete;
    } else if (give_up || passes(id)) {
      std::cout << "==== " << file << "\n\n" << text << '\n';
      notes_of = lab.name;
    } else {
      std::cout << id << " " << exercise->name << ": shown once yours passes (./lab grade " << id
                << "), or with --give-up.\n";
      status = kIncomplete;
    }
  }
  if (!notes_of.empty())
    std::cout << "Why it is written so: solutions/" << notes_of << "/notes.md\n";
  return status;
}

}  // namespace latent::grader

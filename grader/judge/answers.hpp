/// @file
/// Marks a lab's answers.toml.
#pragma once

#include "grader/judge/grading.hpp"

namespace latent::grader {

/// @param lab      Whose questions.
/// @param path     The answers; a missing file is an unanswered one.
/// @param learner  Whose numbers and order of choices; empty: as printed in the workbook.
std::vector<QuestionResult> mark_answers(const Lab& lab, const std::string& path,
                                         const std::string& learner);

}  // namespace latent::grader

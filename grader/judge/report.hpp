/// @file
/// A report as text for a person, as JSON, as JUnit XML.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>

#include "grader/judge/grading.hpp"

namespace latent::grader {

/// How text is written.
struct TextStyle {
  bool colour = false;
  bool plain = false;  ///< Linear, for screen readers: no columns.
};

/// The report as a person reads it: what failed in detail, a table, the next step.
void print(const Report& report, const TextStyle& style, std::ostream& out);

/// The table of labs and the next step.
void print_overview(const Report& report, const TextStyle& style, std::ostream& out);

/// One exercise in detail.
void print(const GradedExercise& exercise, const Report& report, const TextStyle& style,
           std::ostream& out);

/// latentlab/result/v1
nlohmann::json to_json(const Report& report);

/// The result file of a grader that failed.
nlohmann::json failure_to_json(const std::string& why, std::uint64_t seed);

/// JUnit XML, made from the JSON.
std::string to_junit(const nlohmann::json& result);

/// What to do next, in one line.
std::string next_step(const Report& report);

/// "exercise 2 of lab 3" in the words of a verdict: "pass", "not started", ...
std::string words(Verdict verdict);

/// Where the handbook speaks of an exercise.
std::string handbook_anchor(const Lab& lab, const Exercise& exercise);

}  // namespace latent::grader

// The questions: their text, the order of their choices, and the marking of answers.toml.

#include "grader/judge/answers.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "grader/judge/jail.hpp"

namespace latent::grader {
namespace {

// The first 16 digits of a hash as a seed.
std::uint64_t seed_of(const std::string& text) {
  return std::strtoull(sha256(text).substr(0, 16).c_str(), nullptr, 16);
}

constexpr std::size_t kMaxAnswers = 64U << 10;

std::string wrapped(const std::string& text, const std::string& indent) {
  std::istringstream words(text);
  std::string out, line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + word.size() + 1 > 96 - indent.size()) {
      out += indent + line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + indent + line + '\n';
}

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

bool is_right(const Question& question, const Sheet& sheet, const std::string& learner,
              const std::string& given) {
  if (const auto* choice = std::get_if<Choice>(&sheet.answer)) {
    return given.size() == 1 && std::tolower(static_cast<unsigned char>(given[0])) ==
                                    choices(question, *choice, learner).right;
  }
  const Number& number = std::get<Number>(sheet.answer);
  char* end = nullptr;
  const double value = std::strtod(given.c_str(), &end);
  if (end == given.c_str() || *end != '\0') return false;
  return std::abs(value - number.value) <=
         number.relative_tolerance * std::abs(number.value) + 1e-12;
}

std::string given_text(const toml::node_view<const toml::node>& node) {
  if (const auto text = node.value<std::string>()) return *text;
  if (const auto number = node.value<double>()) return number_text(*number);
  return "";
}

}  // namespace

std::vector<std::pair<const Question*, Sheet>> sheets(const Lab& lab, const std::string& learner) {
  std::vector<std::pair<const Question*, Sheet>> all;
  for (const Question& question : questions()) {
    if (question.lab != lab.name) continue;
    Random random(seed_of(learner + '/' + question.id));
    all.emplace_back(&question, question.make(learner.empty() ? nullptr : &random));
  }
  return all;
}

Choices choices(const Question& question, const Choice& choice, const std::string& learner) {
  Choices result;
  result.shown = choice.wrong;
  Random random(seed_of(learner + '/' + question.key + "/order"));
  for (std::size_t i = result.shown.size(); i > 1; --i) {
    std::swap(result.shown[i - 1], result.shown[static_cast<std::size_t>(
                                       random.integer(0, static_cast<std::int64_t>(i) - 1))]);
  }
  const auto place = random.integer(0, static_cast<std::int64_t>(choice.wrong.size()));
  result.shown.insert(result.shown.begin() + place, choice.right);
  result.right = static_cast<char>('a' + place);
  return result;
}

std::string answer_sheet(const Lab& lab, const std::string& learner, bool with_answers) {
  const std::string number = std::to_string(std::stoi(lab.name));
  std::string text =
      "# Questions of lab " + number +
      ". Write each answer between its quotes: the letter of a choice, or a number.\n"
      "# Then: ./lab grade " +
      number + "\n";
  if (!learner.empty()) text += "# For: " + printable(learner, 80) + "\n";
  for (const auto& [question, sheet] : sheets(lab, learner)) {
    text += "\n[" + question->key + "]\n" + wrapped(question->id + "  " + sheet.text, "# ");
    std::string answer;
    if (const auto* choice = std::get_if<Choice>(&sheet.answer)) {
      const Choices order = choices(*question, *choice, learner);
      char letter = 'a';
      for (const std::string& line : order.shown) {
        std::string item = wrapped(line, "#       ");
        item.replace(0, 8, std::string("#    ") + letter++ + ") ");
        text += item;
      }
      answer = order.right;
    } else {
      answer = number_text(std::get<Number>(sheet.answer).value);
    }
    text += "answer = \"" + (with_answers ? answer : "") + "\"\n";
  }
  return text;
}

std::vector<QuestionResult> mark_answers(const Lab& lab, const std::string& path,
                                         const std::string& learner) {
  std::vector<QuestionResult> results;
  toml::table table;
  std::string content, problem;
  std::error_code unknown;
  const bool is_there = std::filesystem::symlink_status(path, unknown).type() !=
                        std::filesystem::file_type::not_found;
  if (is_there && (!read_from_jail(path, content) || content.size() > kMaxAnswers)) {
    problem = "labs/" + lab.name +
              "/answers.toml is not read: expected a regular file, not a link, of at most 64 KiB";
  } else if (is_there) {
    try {
      table = toml::parse(content);
    } catch (const toml::parse_error& e) {
      problem = "labs/" + lab.name + "/answers.toml, line " +
                std::to_string(e.source().begin.line) +
                ", cannot be read: " + printable(std::string(e.description()), 200);
    }
  }
  for (auto& [question, sheet] : sheets(lab, learner)) {
    QuestionResult result{question, sheet, false, false, "", problem};
    const std::string given = given_text(std::as_const(table)[question->key]["answer"]);
    result.given = printable(given, 60);
    result.answered = !given.empty();
    result.right = result.answered && is_right(*question, sheet, learner, given);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace latent::grader

// The report as files: the JSON result, and JUnit XML made from it.

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "config.hpp"
#include "grader/judge/jail.hpp"
#include "grader/judge/report.hpp"

namespace latent::grader {
namespace {

using Json = nlohmann::json;

Json to_json(const GradedExercise& e, bool sealed) {
  Json properties = Json::array(), diagnostics = Json::array();
  for (const PropertyResult& p : e.result.properties) {
    std::string message;
    if (!sealed) {
      for (const std::string& line : p.message) message += (message.empty() ? "" : "\n") + line;
    }
    properties.push_back(
        {{"name", p.sentence}, {"verdict", to_string(p.verdict)}, {"message", message}});
  }
  for (const Diagnostic& d : e.diagnostics)
    diagnostics.push_back({{"file", d.file}, {"line", d.line}, {"text", d.text}});
  Json j{{"id", e.exercise->id},
         {"name", e.exercise->name},
         {"kind", "code"},
         {"source_sha256", e.source_sha256},
         {"verdict", to_string(e.result.verdict)},
         {"score", e.result.score},
         {"max", e.exercise->points},
         {"properties", properties},
         {"diagnostics", diagnostics},
         {"reason", e.result.reason},
         {"helped_by", e.result.helped_by},
         {"output", sealed ? "" : e.result.output}};
  j["diagnosis"] = e.result.diagnosis.empty() || sealed ? Json(nullptr) : Json(e.result.diagnosis);
  j["replay"] = "";
  for (const PropertyResult& p : e.result.properties) {
    if (p.verdict == PropertyVerdict::kFail && !p.replay.empty() && j["replay"] == "" && !sealed)
      j["replay"] = p.replay;
  }
  return j;
}

Json to_json(const QuestionResult& q) {
  return {{"id", q.question->id},
          {"name", q.question->key},
          {"kind", "question"},
          {"source_sha256", ""},
          {"verdict", q.right      ? "pass"
                      : q.answered ? "fail"
                                   : "not_started"},
          {"score", q.right ? 1 : 0},
          {"max", 1},
          {"properties", Json::array()},
          {"diagnostics", Json::array()},
          {"diagnosis", nullptr},
          {"replay", ""}};
}

std::string now() {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&seconds));
  return text;
}

/// The commit that the grader was built from, read from .git without a program.
std::string commit() {
  const std::string git = std::string(config::kSourceDir) + "/.git/";
  std::string head;
  if (!read_file(git + "HEAD", head)) return "";
  while (!head.empty() && head.back() == '\n') head.pop_back();
  if (head.rfind("ref: ", 0) != 0) return head;
  const std::string name = head.substr(5);
  std::string hash;
  if (read_file(git + name, hash)) return hash.substr(0, 40);
  std::string packed;
  read_file(git + "packed-refs", packed);
  const std::size_t at = packed.find(" " + name + "\n");
  return at == std::string::npos || at < 40 ? "" : packed.substr(at - 40, 40);
}

std::string submission_sha256(const Report& report) {
  std::string all;
  for (const GradedLab& lab : report.labs) {
    for (const GradedExercise& e : lab.exercises) all += e.file + ':' + e.source_sha256 + '\n';
  }
  return sha256(all);
}

Json header(std::uint64_t seed, const std::string& sandbox) {
  return {{"schema", "latentlab/result/v1"},
          {"grader_version", config::kVersion},
          {"commit", commit()},
          {"compiler", config::kCompilerName},
          {"time", now()},
          {"seed", std::to_string(seed)},
          {"sandbox", sandbox}};
}

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : printable(text, 20000)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

nlohmann::json to_json(const Report& report) {
  Json j = header(report.seed, report.device.empty() ? to_string(confinement()) : "none");
  if (!report.device.empty()) j["device"] = report.device;
  j["status"] = "graded";
  j["learner"] = printable(report.learner, 200);
  j["submission_sha256"] = submission_sha256(report);
  j["score"] = report.score();
  j["max"] = report.max();
  int right = 0, asked = 0;
  j["labs"] = Json::array();
  for (const GradedLab& lab : report.labs) {
    Json exercises = Json::array();
    for (const GradedExercise& e : lab.exercises) exercises.push_back(to_json(e, report.sealed));
    for (const QuestionResult& q : lab.questions) {
      exercises.push_back(to_json(q));
      right += q.right ? 1 : 0;
      ++asked;
    }
    j["labs"].push_back({{"id", lab.lab->name},
                         {"score", lab.score()},
                         {"max", lab.max()},
                         {"exercises", exercises}});
  }
  j["questions"] = {{"score", right}, {"max", asked}};
  return j;
}

nlohmann::json failure_to_json(const std::string& why, std::uint64_t seed) {
  Json j = header(seed, to_string(confinement()));
  j["status"] = "grader_failed";
  j["reason"] = printable(why);
  j["labs"] = Json::array();
  return j;
}

std::string to_junit(const nlohmann::json& result) {
  std::string body;
  int tests = 0, failures = 0, skipped = 0;
  const auto add = [&](const std::string& suite, const std::string& name,
                       const std::string& verdict, const std::string& message) {
    ++tests;
    body += "    <testcase classname=\"" + xml(suite) + "\" name=\"" + xml(name) + "\">";
    if (verdict == "skip" || verdict == "waits") {
      ++skipped;
      body += "<skipped/>";
    } else if (verdict != "pass") {
      ++failures;
      body += "<failure message=\"" + xml(verdict) + "\">" + xml(message) + "</failure>";
    }
    body += "</testcase>\n";
  };
  for (const Json& lab : result.at("labs")) {
    for (const Json& e : lab.at("exercises")) {
      const std::string suite =
          lab.at("id").get<std::string>() + "." + e.at("name").get<std::string>();
      if (e.at("properties").empty())
        add(suite, e.at("name"), e.at("verdict"), e.value("reason", ""));
      for (const Json& p : e.at("properties"))
        add(suite, p.at("name"), p.at("verdict"), p.at("message"));
    }
  }
  const std::string counts = "tests=\"" + std::to_string(tests) + "\" failures=\"" +
                             std::to_string(failures) + "\" skipped=\"" + std::to_string(skipped) +
                             "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite "
         "name=\"latentlab\" " +
         counts + ">\n" + body + "  </testsuite>\n</testsuites>\n";
}

}  // namespace latent::grader

#include "grader/judge/forked.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "grader/judge/jail.hpp"

namespace latent::grader {
namespace {

using Json = nlohmann::json;

Json to_json(const PropertyResult& p) {
  return {{"sentence", p.sentence}, {"verdict", static_cast<int>(p.verdict)},
          {"defining", p.defining}, {"ended", p.ended ? static_cast<int>(*p.ended) : -1},
          {"message", p.message},   {"smallest", p.smallest},
          {"replay", p.replay},     {"seed", p.id.seed},
          {"sizes", p.id.sizes},    {"sizing", static_cast<int>(p.id.sizing)}};
}

Json to_json(const ExerciseResult& e) {
  Json properties = Json::array();
  for (const PropertyResult& p : e.properties) properties.push_back(to_json(p));
  return {{"id", e.id},
          {"verdict", static_cast<int>(e.verdict)},
          {"score", e.score},
          {"reason", e.reason},
          {"diagnosis", e.diagnosis},
          {"output", e.output},
          {"properties", properties}};
}

PropertyResult property_from(const Json& j) {
  PropertyResult p;
  p.sentence = j.at("sentence");
  p.verdict = static_cast<PropertyVerdict>(j.at("verdict").get<int>());
  p.defining = j.at("defining");
  if (const int ended = j.at("ended"); ended >= 0) p.ended = static_cast<Outcome>(ended);
  p.message = j.at("message").get<std::vector<std::string>>();
  p.smallest = j.at("smallest");
  p.replay = j.at("replay");
  p.id = {j.at("seed"), j.at("sizes").get<std::vector<Index>>(), static_cast<Sizing>(j.at("sizing").get<int>())};
  return p;
}

ExerciseResult exercise_from(const Json& j) {
  ExerciseResult e;
  e.id = j.at("id");
  e.verdict = static_cast<Verdict>(j.at("verdict").get<int>());
  e.score = j.at("score");
  e.reason = j.at("reason");
  e.diagnosis = j.at("diagnosis");
  e.output = j.at("output");
  for (const Json& p : j.at("properties")) e.properties.push_back(property_from(p));
  return e;
}

std::string run_child(const JudgeTask& task) {
  try {
    Json results = Json::array();
    const auto submission = task.make_submission();
    for (const ExerciseResult& e : judge(*task.lab, *submission, task.options))
      results.push_back(to_json(e));
    return Json{{"results", results}}.dump(-1, ' ', true, Json::error_handler_t::replace);
  } catch (const std::exception& e) {
    return Json{{"failure", e.what()}}.dump(-1, ' ', true, Json::error_handler_t::replace);
  }
}

}  // namespace

std::vector<ExerciseResult> judge_forked(const JudgeTask& task) {
  Pipe pipe = make_pipe();
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0)
    throw GraderFailure("no process for the judge: is the machine out of memory or processes?");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0,
            0);  // a grading that was stopped leaves no judge behind
    const std::string text = run_child(task);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = ::write(pipe.write.get(), text.data() + at, text.size() - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
    ::_exit(0);
  }
  pipe.write = Fd();
  std::string text;
  char buffer[65536];
  for (ssize_t n = 1; n > 0;) {
    n = ::read(pipe.read.get(), buffer, sizeof buffer);
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  const Json answer = Json::parse(text, nullptr, false);
  if (answer.is_discarded())
    throw GraderFailure("the judge of " + task.lab->name + " ended early: " + describe_end(status));
  if (answer.contains("failure"))
    throw GraderFailure("the judge of " + task.lab->name +
                        " failed: " + answer.at("failure").get<std::string>());
  std::vector<ExerciseResult> results;
  for (const Json& e : answer.at("results")) results.push_back(exercise_from(e));
  return results;
}

}  // namespace latent::grader

// A report as JSON, as JUnit XML and as text, also where learners and compilers are hostile.

#include "grader/judge/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "grader/tests/fake_lab.hpp"
#include "grader/tests/xml.hpp"

namespace latent::grader {
namespace {

using Json = nlohmann::json;

constexpr const char* kHostile =
    "]]> <a b=\"c\" d='e'> &amp; & \x1b[31m \x01 \xff\xfe \t\n %s </testsuites>";

Question fake_question() {
  return {"99.q1", kFakeLab, "a_number", {}};
}

PropertyResult property(const std::string& sentence, PropertyVerdict verdict,
                        std::vector<std::string> message) {
  PropertyResult p;
  p.sentence = sentence;
  p.verdict = verdict;
  p.message = std::move(message);
  return p;
}

GradedExercise graded(std::size_t exercise, Verdict verdict, int score) {
  GradedExercise e;
  e.exercise = &fake_lab().exercises[exercise];
  e.result.id = e.exercise->id;
  e.result.verdict = verdict;
  e.result.score = score;
  e.file = "labs/99_fake/" + e.exercise->file();
  return e;
}

/// An exercise with everything in it that a report can show.
GradedExercise failed_exercise(const std::string& text) {
  GradedExercise e = graded(0, Verdict::kFail, 2);
  PropertyResult bad = property("is twice x", PropertyVerdict::kFail, {"x = [[1]]", text});
  bad.defining = true;
  bad.smallest = "N=1 D=1";
  bad.replay = "99.1-1-00000000000000ff-1x1";
  e.result.properties = {property("is never negative", PropertyVerdict::kPass, {}), bad,
                         property("refuses a matrix without columns", PropertyVerdict::kSkip,
                                  {"waits for \"is twice x\""})};
  e.result.diagnosis = "fake.mistake";
  e.result.output = text;
  e.source_sha256 = std::string(64, 'a');
  return e;
}

/// That one, a waiting one and a question answered wrong.
Report some_report(const std::string& text = "expected 2, got 3") {
  static const Question question = fake_question();
  const GradedExercise failed = failed_exercise(text);
  GradedExercise waits = graded(1, Verdict::kWaits, 0);
  waits.result.reason = "waits for 99.1";
  waits.diagnostics = {{waits.file, 7, text}};
  Report report;
  report.seed = 18446744073709551615ULL;
  report.learner = text;
  QuestionResult answer;
  answer.question = &question;
  answer.answered = true;
  answer.given = text;
  report.labs.push_back({&fake_lab(), {failed, waits}, {answer}});
  return report;
}

void expect_types(const Json& object,
                  const std::vector<std::pair<const char*, Json::value_t>>& fields) {
  for (const auto& [name, type] : fields) {
    ASSERT_TRUE(object.contains(name)) << name;
    const Json::value_t found =
        object[name].is_number_integer() ? Json::value_t::number_integer : object[name].type();
    EXPECT_EQ(Json(found), Json(type)) << name << " is " << object[name].type_name();
  }
}

constexpr auto kString = Json::value_t::string;
constexpr auto kInteger = Json::value_t::number_integer;
constexpr auto kArray = Json::value_t::array;

TEST(ReportJson, HasTheFieldsOfItsSchemaAtTheTop) {
  const Json j = to_json(some_report());
  EXPECT_EQ(j["schema"], "latentlab/result/v1");
  expect_types(j, {{"grader_version", kString},
                   {"commit", kString},
                   {"compiler", kString},
                   {"submission_sha256", kString},
                   {"learner", kString},
                   {"time", kString},
                   {"seed", kString},
                   {"sandbox", kString},
                   {"score", kInteger},
                   {"max", kInteger},
                   {"status", kString},
                   {"labs", kArray}});
  EXPECT_EQ(j["status"], "graded");
  EXPECT_EQ(j["seed"], "18446744073709551615")
      << "as text, because a reader may know no 64-bit numbers";
  EXPECT_EQ(j["score"], 2);
  EXPECT_EQ(j["max"], 11);
  EXPECT_TRUE(j["sandbox"] == "full" || j["sandbox"] == "reduced") << j["sandbox"];
}

TEST(ReportJson, HasTheFieldsOfItsSchemaInEachExercise) {
  const Json lab = to_json(some_report())["labs"].at(0);
  expect_types(lab,
               {{"id", kString}, {"score", kInteger}, {"max", kInteger}, {"exercises", kArray}});
  ASSERT_EQ(lab["exercises"].size(), 3U);
  for (const Json& e : lab["exercises"]) {
    expect_types(e, {{"id", kString},
                     {"name", kString},
                     {"kind", kString},
                     {"source_sha256", kString},
                     {"verdict", kString},
                     {"score", kInteger},
                     {"max", kInteger},
                     {"properties", kArray},
                     {"diagnostics", kArray},
                     {"replay", kString}});
    EXPECT_TRUE(e["diagnosis"].is_null() || e["diagnosis"].is_string());
    for (const Json& p : e["properties"])
      expect_types(p, {{"name", kString}, {"verdict", kString}, {"message", kString}});
    for (const Json& d : e["diagnostics"])
      expect_types(d, {{"file", kString}, {"line", kInteger}, {"text", kString}});
  }
}

TEST(ReportJson, SaysWhatBecameOfEachExercise) {
  const Json exercises = to_json(some_report())["labs"].at(0)["exercises"];
  const Json &failed = exercises[0], &waits = exercises[1], &question = exercises[2];
  EXPECT_EQ(failed["kind"], "code");
  EXPECT_EQ(failed["verdict"], "fail");
  EXPECT_EQ(failed["diagnosis"], "fake.mistake");
  EXPECT_EQ(failed["replay"], "99.1-1-00000000000000ff-1x1");
  EXPECT_EQ(failed["properties"][0]["verdict"], "pass");
  EXPECT_EQ(failed["properties"][1]["message"], "x = [[1]]\nexpected 2, got 3");
  EXPECT_EQ(failed["properties"][2]["verdict"], "skip");
  EXPECT_EQ(waits["verdict"], "waits");
  EXPECT_TRUE(waits["diagnosis"].is_null());
  EXPECT_EQ(waits["diagnostics"][0]["line"], 7);
  EXPECT_EQ(question["kind"], "question");
  EXPECT_EQ(question["verdict"], "fail");
}

TEST(ReportJson, CountsQuestionsApartFromThePoints) {
  Report report = some_report();
  report.labs[0].questions[0].right = true;
  const Json j = to_json(report);
  EXPECT_EQ(j["score"], 2);
  EXPECT_EQ(j["questions"]["score"], 1);
  EXPECT_EQ(j["questions"]["max"], 1);
}

TEST(ReportJson, ChangesTheSubmissionsHashWithAnyFile) {
  Report report = some_report();
  const Json before = to_json(report)["submission_sha256"];
  EXPECT_EQ(before, to_json(some_report("other words"))["submission_sha256"]);
  report.labs[0].exercises[0].source_sha256[0] = 'b';
  EXPECT_NE(before, to_json(report)["submission_sha256"]);
}

TEST(ReportJson, IsValidTextWhateverLearnersPrint) {
  Report report = some_report();
  report.learner = kHostile;
  const Json json = to_json(report);
  EXPECT_EQ(Json::parse(json.dump()), json);
  EXPECT_EQ(json["learner"].get<std::string>().find('\x1b'), std::string::npos);
}

TEST(ReportJson, OfAFailedGraderIsNeverAGrade) {
  const Json j = failure_to_json(std::string("no compiler ") + kHostile, 5);
  EXPECT_EQ(j["schema"], "latentlab/result/v1");
  EXPECT_EQ(j["status"], "grader_failed");
  EXPECT_FALSE(j.contains("score"));
  EXPECT_NE(j["reason"].get<std::string>().find("no compiler"), std::string::npos);
  EXPECT_TRUE(j["labs"].is_array() && j["labs"].empty());
  EXPECT_NO_THROW(j.dump());
}

// ---- sealed -------------------------------------------------------------------------------------

TEST(Sealed, ShowsNamesVerdictsAndPointsInJsonAndNothingElse) {
  Report report = some_report("SECRET");
  report.learner = "ada";
  report.sealed = true;
  report.labs[0].exercises[1].diagnostics.clear();  // of the learner's own file
  const std::string text = to_json(report).dump();
  for (const char* hidden : {"SECRET", "x = ", "fake.mistake", "00000000000000ff"}) {
    EXPECT_EQ(text.find(hidden), std::string::npos) << hidden;
  }
  const Json failed = to_json(report)["labs"][0]["exercises"][0];
  EXPECT_EQ(failed["properties"][1]["name"], "is twice x");
  EXPECT_EQ(failed["properties"][1]["verdict"], "fail");
  EXPECT_EQ(failed["score"], 2);
}

std::string text_of(const Report& report, const TextStyle& style = {}) {
  std::ostringstream out;
  print(report, style, out);
  return out.str();
}

TEST(Sealed, ShowsNamesAndPointsInTextAndNothingElse) {
  Report report = some_report("SECRET");
  report.sealed = true;
  report.labs[0].exercises[1].diagnostics.clear();
  const std::string text = text_of(report);
  for (const char* hidden :
       {"SECRET", "x = ", "fake.mistake", "00000000000000ff", "N=1", "you said"}) {
    EXPECT_EQ(text.find(hidden), std::string::npos) << hidden << " in\n" << text;
  }
  EXPECT_NE(text.find("FAIL  is twice x"), std::string::npos) << text;
  EXPECT_NE(text.find("2 of 6 points"), std::string::npos) << text;
}

// ---- text ---------------------------------------------------------------------------------------

TEST(ReportText, ShowsTheFailureInDetailAndWhatToDoNext) {
  const std::string text = text_of(some_report());
  for (const char* shown :
       {"99.1 fake_twice", "1 of 3 properties hold", "ok    is never negative", "FAIL  is twice x",
        "smallest failing case: N=1 D=1", "x = [[1]]", "expected 2, got 3", "./lab hint 99.1",
        "labs/99_fake/1_fake_twice.cpp", "./lab replay 99.1-1-00000000000000ff-1x1",
        "seed: 18446744073709551615", "next: mend labs/99_fake/1_fake_twice.cpp"}) {
    EXPECT_NE(text.find(shown), std::string::npos) << shown << " not in\n" << text;
  }
}

TEST(ReportText, HasColoursOnlyWhereTheyAreAskedFor) {
  EXPECT_EQ(text_of(some_report()).find('\033'), std::string::npos);
  EXPECT_EQ(text_of(some_report(), {.plain = true}).find('\033'), std::string::npos);
  EXPECT_NE(text_of(some_report(), {.colour = true}).find('\033'), std::string::npos);
}

TEST(ReportText, SaysInWordsWhatItSaysInColours) {
  std::string coloured = text_of(some_report(), {.colour = true});
  for (std::size_t at = coloured.find('\033'); at != std::string::npos;
       at = coloured.find('\033')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, text_of(some_report()));
}

// ---- JUnit --------------------------------------------------------------------------------------

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(XmlCheck, KnowsGoodFromBad) {
  EXPECT_EQ(xml_problem("<?xml version=\"1.0\"?>\n<a b=\"&lt;\"><c/>text &amp; &quot;</a>\n"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a b=c></a>", "<a b=\"<\"></a>", "<a>&</a>",
                          "<a>&nbsp;</a>", "<a>\x01</a>", "<a>\xff</a>", "<a></a><b></b>",
                          "<a>]]></a>", "text", "<a b=\"1\" b=\"2\"/>"}) {
    EXPECT_NE(xml_problem(bad), "") << bad;
  }
}

TEST(Junit, IsWellFormedWhateverTheStringsAre) {
  for (const std::string& text :
       {std::string("plain"), std::string(kHostile), std::string(), std::string(100000, '<')}) {
    Json j = to_json(some_report(""));
    j["labs"][0]["id"] = text;
    for (Json& e : j["labs"][0]["exercises"]) {
      e["name"] = text;
      e["reason"] = text;
      for (Json& p : e["properties"]) p["name"] = p["message"] = text;
    }
    EXPECT_EQ(xml_problem(to_junit(j)), "") << text.substr(0, 80);
  }
}

TEST(Junit, CountsWhatItHolds) {
  const std::string junit = to_junit(to_json(some_report()));
  // Three properties, one waiting exercise, one question answered wrong.
  EXPECT_NE(junit.find("tests=\"5\" failures=\"2\" skipped=\"2\""), std::string::npos) << junit;
  EXPECT_EQ(count(junit, "<testcase "), 5);
  EXPECT_EQ(count(junit, "<failure "), 2);
  EXPECT_EQ(count(junit, "<skipped/>"), 2);
  EXPECT_NE(junit.find("expected 2, got 3</failure>"), std::string::npos) << junit;
}

TEST(Junit, OfAFailedGraderIsWellFormedAndEmpty) {
  const std::string junit = to_junit(failure_to_json("no compiler", 1));
  EXPECT_EQ(xml_problem(junit), "");
  EXPECT_EQ(count(junit, "<testcase "), 0);
}

}  // namespace
}  // namespace latent::grader

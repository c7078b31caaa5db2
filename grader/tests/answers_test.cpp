// The questions: their sheet, the order of their choices, and how answers are marked.

#include "grader/judge/answers.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <filesystem>
#include <set>

#include "grader/tests/fake_lab.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

Sheet number_sheet(Random* random) {
  const double value = random == nullptr ? 0.25 : random->uniform(1.0, 2.0);
  return {"What is " + std::to_string(value) + "?", Number{value, 1e-2}, "Itself."};
}

Sheet choice_sheet(Random*) {
  return {"Which one?", Choice{"the right one", {"wrong 1", "wrong 2", "wrong 3"}}, "That one."};
}

// Not by the macro, which takes the lab's name from the file's.
const QuestionRegistration number_question("99_fake.cpp", "a_number", &number_sheet);
const QuestionRegistration choice_question("99_fake.cpp", "a_choice", &choice_sheet);

const Question& fake_question(const std::string& key) {
  return *std::find_if(questions().begin(), questions().end(),
                       [&](const Question& q) { return q.lab == kFakeLab && q.key == key; });
}

/// A file with this content, removed at the end of the test.
class Answers : public testing::Test {
 protected:
  Answers() : path_(testing::TempDir() + "answers." + std::to_string(::getpid()) + ".toml") {}
  ~Answers() override { fs::remove_all(path_); }

  std::vector<QuestionResult> mark(const std::string& content, const std::string& learner = "") {
    write_file(path_, content);
    return mark_answers(fake_lab(), path_, learner);
  }

  /// Whether this line counts as the right answer to the number.
  bool is_right_number(const std::string& line) {
    return mark("[a_number]\n" + line + "\n")[0].right;
  }
  bool is_right_choice(const std::string& line) {
    return mark("[a_choice]\n" + line + "\n")[1].right;
  }

  std::string path_;
};

std::string right_letter(const std::string& learner = "") {
  const Sheet sheet = choice_sheet(nullptr);
  return {choices(fake_question("a_choice"), std::get<Choice>(sheet.answer), learner).right};
}

TEST_F(Answers, AreNumberedWithinTheirLab) {
  EXPECT_EQ(fake_question("a_number").id, "99.q1");
  EXPECT_EQ(fake_question("a_choice").id, "99.q2");
}

TEST_F(Answers, ComeOnTheSameSheetEveryTime) {
  for (const std::string learner : {"", "ada", "grace"}) {
    EXPECT_EQ(answer_sheet(fake_lab(), learner, false), answer_sheet(fake_lab(), learner, false));
    for (const Lab& lab : labs())
      EXPECT_EQ(answer_sheet(lab, learner, true), answer_sheet(lab, learner, true));
  }
  EXPECT_NE(answer_sheet(fake_lab(), "ada", false), answer_sheet(fake_lab(), "grace", false));
}

TEST_F(Answers, ArePrintedAsInTheWorkbookWithoutALearner) {
  const std::string sheet = answer_sheet(fake_lab(), "", false);
  EXPECT_NE(sheet.find("# 99.q1 What is 0.250000?\nanswer = \"\"\n"), std::string::npos) << sheet;
  for (const char* choice : {") the right one\n", ") wrong 1\n", ") wrong 2\n", ") wrong 3\n"}) {
    EXPECT_NE(sheet.find(choice), std::string::npos) << choice;
  }
}

TEST_F(Answers, OnTheInstructorsSheetAreAllRightForEachLearner) {
  for (const std::string learner : {"", "ada", "grace", "a \"quoted\" name\n[table]"}) {
    for (const QuestionResult& result : mark(answer_sheet(fake_lab(), learner, true), learner)) {
      EXPECT_TRUE(result.right) << result.question->id << " of " << learner << ": " << result.given
                                << result.problem;
    }
    for (const Lab& lab : labs()) {
      write_file(path_, answer_sheet(lab, learner, true));
      for (const QuestionResult& result : mark_answers(lab, path_, learner))
        EXPECT_TRUE(result.right) << result.question->id;
    }
  }
}

TEST_F(Answers, OnAnEmptySheetAreNotGivenAndNotRight) {
  for (const QuestionResult& result : mark(answer_sheet(fake_lab(), "", false))) {
    EXPECT_FALSE(result.answered);
    EXPECT_FALSE(result.right);
    EXPECT_EQ(result.problem, "");
  }
}

TEST_F(Answers, OfOneLearnerAreNotThoseOfAnother) {
  EXPECT_TRUE(mark(answer_sheet(fake_lab(), "ada", true), "ada")[0].right);
  EXPECT_FALSE(mark(answer_sheet(fake_lab(), "ada", true), "grace")[0].right);
}

TEST_F(Answers, StandInAnOrderOfEachLearnersOwn) {
  const Choice choice = std::get<Choice>(choice_sheet(nullptr).answer);
  std::set<std::vector<std::string>> orders;
  std::set<char> letters;
  for (int i = 0; i < 40; ++i) {
    const std::string learner = "learner " + std::to_string(i);
    const Choices order = choices(fake_question("a_choice"), choice, learner);
    EXPECT_EQ(order.shown, choices(fake_question("a_choice"), choice, learner).shown);
    ASSERT_EQ(order.shown.size(), 4U);
    EXPECT_EQ(order.shown[static_cast<std::size_t>(order.right - 'a')], "the right one");
    orders.insert(order.shown);
    letters.insert(order.right);
  }
  EXPECT_GT(orders.size(), 10U);
  EXPECT_EQ(letters, (std::set<char>{'a', 'b', 'c', 'd'}));
}

TEST_F(Answers, AreRightForTheLetterInEitherCase) {
  const std::string letter = right_letter();
  EXPECT_TRUE(is_right_choice("answer = \"" + letter + "\""));
  EXPECT_TRUE(is_right_choice("answer = '" + letter + "'"));
  EXPECT_TRUE(is_right_choice(std::string("answer = \"") +
                              static_cast<char>(letter[0] - 'a' + 'A') + "\""));
}

TEST_F(Answers, AreWrongForAnyOtherLetterOrText) {
  for (const std::string wrong : {"a", "b", "c", "d", "e", "1", "the right one", "ab", "\\u00e9"}) {
    if (wrong == right_letter()) continue;
    const auto results = mark("[a_choice]\nanswer = \"" + wrong + "\"\n");
    EXPECT_TRUE(results[1].answered) << wrong;
    EXPECT_FALSE(results[1].right) << wrong;
  }
}

TEST_F(Answers, AreRightForANumberWithinItsToleranceWithOrWithoutQuotes) {
  for (const char* right : {"\"0.25\"", "'0.25'", "0.25", "\"2.5e-1\"", "\".25\"", "\"0.2524\"",
                            "0.2476", "\" 0.25\""}) {
    EXPECT_TRUE(is_right_number(std::string("answer = ") + right)) << right;
  }
  for (const char* wrong : {"\"0.253\"", "0.247", "\"-0.25\"", "0", "1", "250"}) {
    EXPECT_FALSE(is_right_number(std::string("answer = ") + wrong)) << wrong;
  }
}

TEST_F(Answers, AreWrongForWhatIsNoNumber) {
  for (const char* garbage :
       {"0.25x", "0,25", "1/4", "nan", "inf", "-inf", "0.25 0.25", "x0.25", "\\t", "a"}) {
    const auto results = mark(std::string("[a_number]\nanswer = \"") + garbage + "\"\n");
    EXPECT_FALSE(results[0].right) << garbage;
    EXPECT_EQ(results[0].problem, "") << garbage;
  }
  for (const char* odd : {"nan", "inf", "true", "[0.25]", "{ x = 0.25 }", "1979-05-27"}) {
    EXPECT_FALSE(is_right_number(std::string("answer = ") + odd)) << odd;
  }
}

TEST_F(Answers, AreReadTheSameInALocaleWithDecimalCommas) {
  const char* found = nullptr;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"}) {
    if (found == nullptr) found = std::setlocale(LC_ALL, name);
  }
  if (found == nullptr) GTEST_SKIP() << "no locale with decimal commas is installed";
  const bool with_point = is_right_number("answer = \"0.25\""),
             with_comma = is_right_number("answer = \"0,25\"");
  const std::string sheet = answer_sheet(fake_lab(), "", true);
  std::setlocale(LC_ALL, "C");
  EXPECT_TRUE(with_point);
  EXPECT_FALSE(with_comma);
  EXPECT_EQ(sheet, answer_sheet(fake_lab(), "", true));
}

TEST_F(Answers, ThatCannotBeReadAreNamedByFileAndLine) {
  for (const auto& [content, line] :
       {std::pair{"[a_number]\nanswer = 0.25\n[a_choice]\nanswer = \"a\n", "line 4"},
        {"[a_number]\nanswer = 0,25\n", "line 2"},
        {"answer = \"1\"\nanswer = \"2\"\n", "line 2"},
        {"\n\n[a_number\n", "line 3"},
        {"\x01\x02", "line 1"},
        {"[a_number]\nanswer = \"\xff\xfe\"\n", "line 2"}}) {
    for (const QuestionResult& result : mark(content)) {
      EXPECT_FALSE(result.right);
      EXPECT_NE(result.problem.find(std::string("labs/99_fake/answers.toml, ") + line +
                                    ", cannot be read"),
                std::string::npos)
          << result.problem;
    }
  }
}

TEST_F(Answers, NestedWithoutEndAreAnErrorAndNoCrash) {
  const auto results = mark("x = " + std::string(30000, '['));
  EXPECT_NE(results[0].problem, "");
}

TEST_F(Answers, OfAnotherFormAreNotGiven) {
  for (const char* content :
       {"a_number = 0.25\n", "[[a_number]]\nanswer = 0.25\n", "[other]\nanswer = 1\n", ""}) {
    const auto results = mark(content);
    EXPECT_FALSE(results[0].answered) << content;
    EXPECT_FALSE(results[0].right) << content;
  }
}

TEST_F(Answers, AreNotGivenWhereThereIsNoFile) {
  for (const QuestionResult& result : mark_answers(fake_lab(), path_ + ".absent", "")) {
    EXPECT_FALSE(result.answered);
    EXPECT_EQ(result.problem, "");
  }
}

TEST_F(Answers, AreNotReadThroughALinkOrFromAFifo) {
  const std::string link = path_ + ".link", fifo = path_ + ".fifo";
  write_file(path_, answer_sheet(fake_lab(), "", true));
  fs::create_symlink(path_, link);
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(mark_answers(fake_lab(), link, "")[0].right);
  EXPECT_FALSE(mark_answers(fake_lab(), fifo, "")[0].right);
  fs::remove(link);
  fs::remove(fifo);
}

TEST_F(Answers, AreShownWithoutTheControlBytesThatTheyContain) {
  const auto results = mark("[a_number]\nanswer = \"\\u001b[31m" + std::string(200, 'x') + "\"\n");
  EXPECT_EQ(results[0].given.find('\033'), std::string::npos);
  EXPECT_NE(results[0].given.find("\\x1b"), std::string::npos) << results[0].given;
  EXPECT_LT(results[0].given.size(), 150U);
}

}  // namespace
}  // namespace latent::grader

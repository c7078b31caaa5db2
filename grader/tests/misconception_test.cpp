// When a mistake is named, and when it is not. Some wrong versions of the fake lab's first function
// are registered as misconceptions; a transcript is asked of whoever answers.

#include "grader/judge/misconception.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/require.hpp"
#include "grader/tests/fake_lab.hpp"

namespace latent::fake_thrice {
Matrix fake_twice(const Matrix& x) {
  return 3.0F * x;
}
}  // namespace latent::fake_thrice

namespace latent::fake_negative_tripled {
// Like thrice, but only for negative numbers.
Matrix fake_twice(const Matrix& x) {
  return (x.array() < 0.0F).select(3.0F * x, 2.0F * x);
}
}  // namespace latent::fake_negative_tripled

namespace latent::fake_four {
Matrix fake_twice(const Matrix& x) {
  require(x.cols() > 0, "expected columns");
  return 4.0F * x;
}
}  // namespace latent::fake_four

namespace latent::fake_unchecked {
Matrix fake_twice(const Matrix& x) {
  return 2.0F * x;
}
}  // namespace latent::fake_unchecked

namespace latent::fake_elsewhere {
Matrix fake_twice(const Matrix& x) {
  return 5.0F * x;
}
}  // namespace latent::fake_elsewhere

namespace latent::grader {
namespace {

// Not by the macros, which take the lab's name from the file's.
const MisconceptionRegistration registered_thrice("99_fake.cpp", "fake_thrice",
                                                  {"fake_twice", &call<&fake_thrice::fake_twice>},
                                                  "fake.thrice", "You take three.",
                                                  "Two are asked for.");
const MisconceptionRegistration registered_negative("99_fake.cpp", "fake_negative_tripled",
                                                    {"fake_twice",
                                                     &call<&fake_negative_tripled::fake_twice>},
                                                    "fake.negative",
                                                    "You take three of what is negative.", "Two.");
const MisconceptionRegistration registered_four("99_fake.cpp", "fake_four",
                                                {"fake_twice", &call<&fake_four::fake_twice>},
                                                "fake.four", "You take four.", "Two.");
const MisconceptionRegistration registered_unchecked(
    "99_fake.cpp", "fake_unchecked", {"fake_twice", &call<&fake_unchecked::fake_twice>},
    "fake.unchecked", "You refuse nothing.", "A matrix without columns.");
const MisconceptionRegistration registered_elsewhere("98_other.cpp", "fake_elsewhere",
                                                     {"fake_twice",
                                                      &call<&fake_elsewhere::fake_twice>},
                                                     "fake.elsewhere", "Of another lab.", "");

Matrix row(std::initializer_list<float> numbers) {
  Matrix x(1, static_cast<Index>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), x.data());
  return x;
}

/// What this function answers to these inputs.
std::vector<Exchange> transcript(Matrix (*function)(const Matrix&),
                                 const std::vector<Matrix>& inputs) {
  LinkedTable table(fake_lab());
  std::vector<Exchange> all;
  for (const Matrix& x : inputs) {
    const Request request{"fake_twice", Signature<Matrix(const Matrix&)>::pack(x)};
    Reply reply = table.ask(request);
    if (reply.outcome == Outcome::kValue || x.cols() > 0) reply = reply_with(function(x));
    all.push_back({request, reply});
  }
  return all;
}

std::string named(const std::vector<Exchange>& transcript) {
  const Misconception* found = diagnose(fake_lab(), transcript);
  return found == nullptr ? "" : found->id;
}

const std::vector<Matrix> kTelling{row({1.0F, -2.0F}), row({3.0F, -1.0F, 0.5F})};

Matrix right(const Matrix& x) {
  return 2.0F * x;
}

TEST(Diagnosis, NamesTheOneMistakeThatExplainsEveryAnswer) {
  EXPECT_EQ(named(transcript(fake_thrice::fake_twice, kTelling)), "fake.thrice");
  EXPECT_EQ(named(transcript(fake_negative_tripled::fake_twice, kTelling)), "fake.negative");
}

TEST(Diagnosis, NamesItForAnAnswerThatIsTheSameUpToRounding) {
  const auto rounded = [](const Matrix& x) -> Matrix { return 3.000001F * x; };
  EXPECT_EQ(named(transcript(rounded, kTelling)), "fake.thrice");
}

TEST(Diagnosis, NamesNothingInARightAnswer) {
  EXPECT_EQ(named(transcript(right, kTelling)), "");
  EXPECT_EQ(named({}), "");
}

TEST(Diagnosis, NamesNothingOnASingleTellingRequest) {
  EXPECT_EQ(named(transcript(fake_thrice::fake_twice, {kTelling[0]})), "");
  // Zeros tell nothing, however many: twice and thrice of them are the same.
  EXPECT_EQ(
      named(transcript(fake_thrice::fake_twice, {kTelling[0], row({0.0F}), row({0.0F, 0.0F})})),
      "");
  EXPECT_EQ(named(transcript(fake_thrice::fake_twice, {kTelling[0], row({0.0F}), kTelling[1]})),
            "fake.thrice");
}

TEST(Diagnosis, NamesNothingWhereTwoMistakesExplainTheAnswers) {
  const std::vector<Matrix> all_negative{row({-1.0F, -2.0F}), row({-3.0F})};
  EXPECT_EQ(named(transcript(fake_thrice::fake_twice, all_negative)), "");
}

TEST(Diagnosis, NamesNothingWhereOneAnswerDoesNotFit) {
  std::vector<Exchange> all =
      transcript(fake_thrice::fake_twice, {kTelling[0], kTelling[1], kTelling[0]});
  all[1].reply = transcript(right, {kTelling[1]})[0].reply;
  EXPECT_EQ(named(all), "");
  all[1].reply = {Outcome::kCrashed, {}, {}};
  EXPECT_EQ(named(all), "");
}

/// A matrix without columns, which is to be refused, and how that ended.
Exchange without_columns(Outcome outcome) {
  Reply reply{outcome, {}, {}};
  if (outcome == Outcome::kValue) reply = reply_with(Matrix(1, 0));
  return {{"fake_twice", Signature<Matrix(const Matrix&)>::pack(Matrix(1, 0))}, reply};
}

TEST(Diagnosis, NamesAWrongValueWhateverBecameOfRefusals) {
  // Who takes three or four may or may not have written the refusal, and Eigen may have stopped it.
  for (const Outcome outcome :
       {Outcome::kRefused, Outcome::kValue, Outcome::kThrew, Outcome::kMisused}) {
    std::vector<Exchange> thrice = transcript(fake_thrice::fake_twice, kTelling),
                          four = transcript(fake_four::fake_twice, kTelling);
    for (std::vector<Exchange>* all : {&thrice, &four}) all->push_back(without_columns(outcome));
    EXPECT_EQ(named(thrice), "fake.thrice") << static_cast<int>(outcome);
    EXPECT_EQ(named(four), "fake.four") << static_cast<int>(outcome);
  }
}

TEST(Diagnosis, NamesAMissingRefusalWhereTheValuesAreRight) {
  std::vector<Exchange> all = transcript(right, kTelling);
  all.push_back(without_columns(Outcome::kValue));
  EXPECT_EQ(named(all), "") << "once is no evidence";
  all.push_back(without_columns(Outcome::kValue));
  EXPECT_EQ(named(all), "fake.unchecked");
  all.push_back(without_columns(Outcome::kRefused));
  EXPECT_EQ(named(all), "") << "the submission does refuse, at times";
}

TEST(Diagnosis, LooksOnlyAtTheFunctionThatTheMistakeIsAbout) {
  std::vector<Exchange> all = transcript(fake_thrice::fake_twice, kTelling);
  all.push_back({{"fake_after", Signature<Matrix(const Matrix&)>::pack(kTelling[0])},
                 {Outcome::kThrew, {}, {}}});
  EXPECT_EQ(named(all), "fake.thrice");
}

TEST(Diagnosis, LeavesTheMistakesOfOtherLabsAside) {
  EXPECT_EQ(named(transcript(fake_elsewhere::fake_twice, kTelling)), "");
}

TEST(Diagnosis, IsPartOfTheVerdict) {
  const auto results = judge_fake([](const Request& request, Submission& all_right) {
    const bool mine = request.operation == "fake_twice" && matrix_in(request).cols() > 0;
    return mine ? reply_with(fake_thrice::fake_twice(matrix_in(request))) : all_right.ask(request);
  });
  EXPECT_EQ(results[0].diagnosis, "fake.thrice");
  EXPECT_EQ(results[1].diagnosis, "");
}

TEST(Diagnosis, IsNotMadeOfARightSubmission) {
  const auto all_right = [](const Request& request, Submission& submission) {
    return submission.ask(request);
  };
  JudgeOptions options;
  options.diagnose_always = true;
  EXPECT_EQ(judge_fake(all_right, options)[0].diagnosis, "");
}

}  // namespace
}  // namespace latent::grader

// How properties become verdicts and points, on a lab made for these tests.

#include "grader/judge/judge.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "grader/judge/property.hpp"
#include "grader/tests/fake_lab.hpp"

namespace latent::grader {
namespace {

constexpr const char* kTwice = "is twice x";
constexpr const char* kEmpty = "gives an empty batch for an empty batch";
constexpr const char* kRefuses = "refuses a matrix without columns";

/// A number that the judge's child process can change for us.
class SharedCounter {
 public:
  SharedCounter()
      : at_(static_cast<int*>(::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SharedCounter() { ::munmap(at_, sizeof(int)); }
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  int& operator*() { return *at_; }

 private:
  int* at_;
};

bool is_twice(const Request& request) {
  return request.operation == "fake_twice";
}

Reply right_answer(const Request& request, Submission& right) {
  return right.ask(request);
}

/// Every value off by one.
Reply wrong_answer(const Request& request, Submission&) {
  return reply_with(matrix_in(request).array() * 2.0F + 1.0F);
}

const PropertyResult& property(const ExerciseResult& result, const std::string& sentence) {
  for (const PropertyResult& p : result.properties) {
    if (p.sentence == sentence) return p;
  }
  throw std::out_of_range("no property " + sentence);
}

std::string text_of(const PropertyResult& p) {
  std::string text;
  for (const std::string& line : p.message) text += line + '\n';
  return text;
}

/// "9.1-2-00000000000000ff-1x2" as judge() takes it.
CaseId case_in(const std::string& token) {
  std::string rest = token.substr(token.find('-') + 1);
  rest = rest.substr(rest.find('-') + 1);
  CaseId id;
  id.seed = std::stoull(rest.substr(0, 16), nullptr, 16);
  std::string sizes = rest.substr(17);
  for (std::size_t at = 0; sizes != "0" && at < sizes.size();
       at = std::min(sizes.find('x', at), sizes.size() - 1) + 1) {
    id.sizes.push_back(std::stol(sizes.substr(at)));
  }
  return id;
}

TEST(Judge, GivesFullPointsForARightAnswer) {
  const auto results = judge_fake(right_answer);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].id, "99.1");
  EXPECT_EQ(to_string(results[0].verdict), "pass");
  EXPECT_EQ(results[0].score, 6);
  EXPECT_EQ(results[0].properties.size(), 3U);
  EXPECT_EQ(to_string(results[1].verdict), "pass");
  EXPECT_EQ(results[1].score, 5);
}

TEST(Judge, GivesNothingWithoutTheDefiningProperty) {
  const auto results = judge_fake([](const Request& request, Submission& right) {
    const bool asked_for_value = is_twice(request) && matrix_in(request).size() > 0;
    return asked_for_value ? wrong_answer(request, right) : right.ask(request);
  });
  EXPECT_EQ(property(results[0], kEmpty).verdict, PropertyVerdict::kPass);
  EXPECT_EQ(results[0].score, 0);
  EXPECT_EQ(to_string(results[0].verdict), "fail");
}

TEST(Judge, TakesOnePointForEachOtherPropertyThatFails) {
  const auto accepts_all = judge_fake([](const Request& request, Submission&) {
    return is_twice(request) ? reply_with(2.0F * matrix_in(request))
                             : reply_with(matrix_in(request).array() + 1.0F);
  });
  EXPECT_EQ(property(accepts_all[0], kTwice).verdict, PropertyVerdict::kPass);
  EXPECT_EQ(property(accepts_all[0], kRefuses).verdict, PropertyVerdict::kFail);
  EXPECT_NE(text_of(property(accepts_all[0], kRefuses))
                .find("expected std::invalid_argument, an answer came"),
            std::string::npos);
  EXPECT_EQ(accepts_all[0].score, 5);
  const auto refuses_empty_too = judge_fake([](const Request& request, Submission& right) {
    if (is_twice(request) && matrix_in(request).cols() == 0) return reply_with(Matrix(2, 0));
    return is_twice(request) && matrix_in(request).rows() == 0 ? Reply{Outcome::kRefused, {}, {}}
                                                               : right.ask(request);
  });
  EXPECT_EQ(refuses_empty_too[0].score, 4);
}

TEST(Judge, AsksTheFirstQuestionAgainAndFailsAnotherAnswer) {
  // Right within the tolerance every time, but never twice the same.
  const auto results = judge_fake([calls = 0](const Request& request, Submission& right) mutable {
    Reply reply = right.ask(request);
    if (!is_twice(request) || reply.outcome != Outcome::kValue) return reply;
    return reply_with(Signature<Matrix(const Matrix&)>::result(reply.values) *
                      (1.0F + 1e-6F * static_cast<float>(++calls)));
  });
  EXPECT_EQ(results[0].score, 0);
  EXPECT_EQ(to_string(results[0].verdict), "fail");
  EXPECT_NE(text_of(property(results[0], kTwice)).find("asked again"), std::string::npos);
  EXPECT_EQ(property(results[0], kEmpty).verdict, PropertyVerdict::kPass);
}

TEST(Judge, FailsAnAnswerThatChangesItsMindAfterTheFirstCase) {
  const auto results = judge_fake([calls = 0](const Request& request, Submission& right) mutable {
    return is_twice(request) && ++calls > 1 ? wrong_answer(request, right) : right.ask(request);
  });
  EXPECT_EQ(results[0].score, 0);
}

TEST(Judge, LetsAnExerciseWaitForWhatItNeeds) {
  const auto results = judge_fake([](const Request& request, Submission& right) {
    return is_twice(request) ? wrong_answer(request, right) : right.ask(request);
  });
  EXPECT_EQ(to_string(results[1].verdict), "waits");
  EXPECT_EQ(results[1].reason, "waits for 99.1");
  EXPECT_EQ(results[1].score, 0);
  EXPECT_TRUE(results[1].properties.empty());
}

TEST(Judge, LetsAnExerciseWaitForWhatTheCallerSaysIsNotReady) {
  JudgeOptions options = with_seed(7, {"99.2"});
  options.not_ready = {"99.1"};
  const auto results = judge_fake(right_answer, options);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(to_string(results[0].verdict), "waits");
  EXPECT_EQ(to_string(judge_fake(right_answer, with_seed(7, {"99.2"}))[0].verdict), "pass");
}

TEST(Judge, CallsAnEmptyExerciseNotStartedAndNeverWrong) {
  const auto results = judge_fake([](const Request&, Submission&) {
    return Reply{Outcome::kNotAttempted, {}, {}};
  });
  EXPECT_EQ(to_string(results[0].verdict), "not_started");
  EXPECT_EQ(results[0].score, 0);
  EXPECT_EQ(results[0].diagnosis, "");
}

TEST(Judge, CallsAHalfWrittenExerciseFailed) {
  const auto results = judge_fake([](const Request& request, Submission& right) {
    const bool empty = is_twice(request) && matrix_in(request).rows() == 0;
    return empty ? Reply{Outcome::kNotAttempted, {}, {}} : right.ask(request);
  });
  EXPECT_EQ(to_string(results[0].verdict), "fail");
  EXPECT_EQ(results[0].score, 5);
}

TEST(Judge, SkipsAPropertyThatWaitsForAnotherOne) {
  const auto results = judge_fake(wrong_answer);
  EXPECT_EQ(property(results[0], kRefuses).verdict, PropertyVerdict::kSkip);
  EXPECT_EQ(text_of(property(results[0], kRefuses)), "waits for \"is twice x\"\n");
}

TEST(Judge, DoesNotAskAgainAfterATimeout) {
  SharedCounter asked;
  const auto results = judge_fake([&asked](const Request&, Submission&) {
    ++*asked;
    return Reply{Outcome::kTimedOut, {}, "nothing came within 3 s"};
  });
  EXPECT_EQ(*asked, 1);
  EXPECT_EQ(to_string(results[0].verdict), "timed_out");
  EXPECT_EQ(results[0].score, 0);
  EXPECT_NE(text_of(property(results[0], kTwice)).find("nothing came within 3 s"),
            std::string::npos);
  EXPECT_EQ(text_of(property(results[0], kEmpty)), "not asked again after a timeout\n");
  EXPECT_EQ(property(results[0], kEmpty).verdict, PropertyVerdict::kSkip);
}

TEST(Judge, DoesNotShrinkWhatEndsTheProcessAndGivesUpAfterThreeTimes) {
  for (const Outcome outcome : {Outcome::kCrashed, Outcome::kGarbled}) {
    SharedCounter asked;
    const auto results = judge_fake([&](const Request&, Submission&) {
      ++*asked;
      return Reply{outcome, {}, "it ended"};
    });
    EXPECT_LE(*asked, 3);
    EXPECT_EQ(to_string(results[0].verdict), "crashed");
    EXPECT_EQ(results[0].score, 0);
    EXPECT_NE(text_of(property(results[0], kTwice)).find("it ended"), std::string::npos);
  }
}

TEST(Judge, DoesNotAskAgainAfterThreeCrashes) {
  SharedCounter asked;
  const auto results = judge_fake([&](const Request& request, Submission& right) {
    if (is_twice(request)) return right.ask(request);
    ++*asked;
    return Reply{Outcome::kCrashed, {}, "it ended"};
  });
  EXPECT_EQ(*asked, 3);
  ASSERT_EQ(results[1].properties.size(), 4U);
  EXPECT_EQ(text_of(results[1].properties[3]), "not asked again after several crashes\n");
}

TEST(Judge, AsksFirstForSizesThatDifferAndNumbersThatAreEasyToRead) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SharedCounter asked, rows, cols, on_grid;
    judge_fake(
        [&](const Request& request, Submission& right) {
          if (++*asked > 1) return right.ask(request);
          const Matrix x = matrix_in(request);
          *rows = static_cast<int>(x.rows());
          *cols = static_cast<int>(x.cols());
          *on_grid = ((4.0F * x).array().rint() == (4.0F * x).array()).all() ? 1 : 0;
          return right.ask(request);
        },
        with_seed(seed));
    EXPECT_GT(std::min(*rows, *cols), 1) << seed;
    EXPECT_NE(*rows, *cols) << seed;
    EXPECT_EQ(*on_grid, 1) << seed;
  }
}

TEST(Judge, SaysHowACallEndedThatBroughtNoValue) {
  const std::map<Outcome, std::string> words{
      {Outcome::kRefused, "fake_twice refused these arguments"},
      {Outcome::kThrew, "fake_twice threw an exception"},
      {Outcome::kMisused, "fake_twice was stopped by Eigen"}};
  for (const auto& [outcome, expected] : words) {
    const auto results = judge_fake([outcome = outcome](const Request&, Submission&) {
      return Reply{outcome, {}, {}};
    });
    EXPECT_EQ(to_string(results[0].verdict), "fail");
    const std::string text = text_of(property(results[0], kTwice));
    EXPECT_NE(text.find(expected), std::string::npos) << text;
  }
}

TEST(Judge, TakesAReplyOfAnotherTypeForNoAnswer) {
  const auto results = judge_fake([](const Request& request, Submission&) {
    Reply reply{Outcome::kValue, {}, {}};
    encode(Oracle(2.0 * matrix_in(request).cast<double>()), reply.values);
    return reply;
  });
  EXPECT_EQ(to_string(results[0].verdict), "crashed");
  EXPECT_EQ(results[0].score, 0);
}

TEST(Judge, DrawsTheSameCasesFromTheSameSeedOnly) {
  const auto first_input = [](std::uint64_t seed) {
    return text_of(property(judge_fake(wrong_answer, with_seed(seed))[0], kTwice));
  };
  EXPECT_EQ(first_input(1), first_input(1));
  EXPECT_NE(first_input(1), first_input(2));
}

TEST(Judge, ReportsAFailureOfItsOwnAsSuch) {
  const auto no_submission = []() -> std::unique_ptr<Submission> {
    throw std::runtime_error("no worker here");
  };
  try {
    judge_forked({&fake_lab(), no_submission, JudgeOptions{}});
    FAIL() << "nothing was thrown";
  } catch (const GraderFailure& e) {
    EXPECT_NE(std::string(e.what()).find("no worker here"), std::string::npos) << e.what();
  }
  // A fault in a hidden property, and a judge that is killed.
  EXPECT_THROW(judge_fake([](const Request&, Submission&) -> Reply {
                 throw std::logic_error("a bug of ours");
               }),
               GraderFailure);
  EXPECT_THROW(judge_fake([](const Request&, Submission&) -> Reply { ::_exit(0); }), GraderFailure);
}

// ---- shrinking and replay -----------------------------------------------------------------------

TEST(Shrinking, FindsTheSmallestCaseWhereEverySizeFails) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const PropertyResult p = property(judge_fake(wrong_answer, with_seed(seed))[0], kTwice);
    EXPECT_EQ(p.smallest, "N=1 D=1") << seed;
    EXPECT_EQ(p.replay.substr(0, 7), "99.1-1-") << p.replay;
    EXPECT_EQ(p.replay.substr(p.replay.size() - 4), "-1x1") << p.replay;
  }
}

TEST(Shrinking, StopsAtTheSmallestSizesThatStillFail) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto results = judge_fake(
        [](const Request& request, Submission& right) {
          const bool wrong =
              is_twice(request) && matrix_in(request).rows() >= 3 && matrix_in(request).cols() >= 2;
          return wrong ? wrong_answer(request, right) : right.ask(request);
        },
        with_seed(seed));
    EXPECT_EQ(property(results[0], kTwice).smallest, "N=3 D=2") << seed;
  }
}

TEST(Shrinking, ShowsTheInputsOfTheCaseThatItFound) {
  const PropertyResult p = property(judge_fake(wrong_answer, with_seed(3))[0], kTwice);
  ASSERT_EQ(p.message.size(), 3U) << text_of(p);
  const double x = std::stod(p.message[0].substr(p.message[0].find("[[") + 2));
  const double expected = std::stod(p.message[1].substr(p.message[1].find("[[") + 2));
  const double got = std::stod(p.message[2].substr(p.message[2].find("[[") + 2));
  EXPECT_EQ(p.message[0].substr(0, 4), "x = ");
  EXPECT_LE(std::abs(expected - 2 * x), 1e-6);
  EXPECT_LE(std::abs(got - 2 * x - 1), 1e-6);
  EXPECT_EQ(4 * x, std::rint(4 * x)) << "the values are easy to read";
}

TEST(Shrinking, MakesTheNumbersOfALaterCaseEasyToRead) {
  // Only one sample fails, and the first case, which is easy to read, has more.
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto results = judge_fake(
        [](const Request& request, Submission& right) {
          const bool wrong = is_twice(request) && matrix_in(request).rows() == 1;
          return wrong ? wrong_answer(request, right) : right.ask(request);
        },
        with_seed(seed));
    const PropertyResult& p = property(results[0], kTwice);
    if (p.verdict == PropertyVerdict::kPass) continue;  // no case of this seed had one sample
    const double x = std::stod(p.message[0].substr(p.message[0].find("[[") + 2));
    EXPECT_EQ(4 * x, std::rint(4 * x)) << seed;
    ++found;
  }
  EXPECT_GT(found, 0);
}

TEST(Replay, GivesTheVerySameInputsAndFailure) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto some_sizes = [](const Request& request, Submission& right) {
      return is_twice(request) && matrix_in(request).rows() >= 2 ? wrong_answer(request, right)
                                                                 : right.ask(request);
    };
    const PropertyResult first = property(judge_fake(some_sizes, with_seed(seed))[0], kTwice);
    JudgeOptions options = with_seed(0, {"99.1"});  // nothing but the token may matter
    options.only_property = kTwice;
    options.replay = case_in(first.replay);
    const auto again = judge_fake(some_sizes, options);
    ASSERT_EQ(again[0].properties.size(), 1U);
    EXPECT_EQ(again[0].properties[0].message, first.message);
    EXPECT_EQ(again[0].properties[0].replay, first.replay);
    EXPECT_EQ(judge_fake(right_answer, options)[0].properties[0].verdict, PropertyVerdict::kPass);
  }
}

TEST(Replay, WorksForAPropertyThatWaitsForAnotherOne) {
  JudgeOptions options = with_seed(0, {"99.1"});
  options.only_property = kRefuses;
  const auto results =
      judge_fake([](const Request&, Submission&) { return reply_with(Matrix(2, 0)); }, options);
  EXPECT_EQ(results[0].properties.at(0).verdict, PropertyVerdict::kFail);
}

}  // namespace
}  // namespace latent::grader

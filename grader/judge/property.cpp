#include "grader/judge/property.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "grader/judge/judging.hpp"
#include "grader/wire/eigen_misuse.hpp"

namespace latent::grader {
namespace {

std::vector<PropertyInfo>& property_list() {
  static std::vector<PropertyInfo> all;
  return all;
}

const PropertyInfo& info_of(const std::string& exercise, const std::string& sentence) {
  return *std::find_if(property_list().begin(), property_list().end(), [&](const PropertyInfo& p) {
    return p.exercise == exercise && p.sentence == sentence;
  });
}

// FNV-1a: the seed of a case must be the same wherever the grader is compiled.
std::uint64_t mix(std::uint64_t seed, const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return Random(hash).bits64();
}

std::string sizes_text(const Draw& draw) {
  std::string text;
  for (const Draw::Shown& shown : draw.shown()) {
    if (shown.values.size() != 1 || !shown.values[0].shape.empty() || shown.name.size() > 2)
      continue;
    text += (text.empty() ? "" : " ") + shown.name + "=" + to_text(Numbers(shown.values[0]));
  }
  return text;
}

/// The inputs, a few to a line.
std::vector<std::string> input_lines(const Draw& draw) {
  std::vector<std::string> lines;
  for (const Draw::Shown& shown : draw.shown()) {
    if (shown.values.size() == 1 && shown.values[0].shape.empty() && shown.name.size() <= 2 &&
        shown.values[0].type == Type::kInt64) {
      continue;  // a size: the shapes show it
    }
    for (const Value& value : shown.values) {
      const std::string text = shown.name + " = " + to_text(Numbers(value));
      if (!lines.empty() && lines.back().size() + text.size() <= 68) {
        lines.back() += "   " + text;
      } else {
        lines.push_back(text);
      }
    }
  }
  return lines;
}

/// One sentence on a call that brought no value.
std::string sentence_on(const Unanswered& unanswered) {
  const std::string& f = unanswered.operation;
  switch (unanswered.reply.outcome) {
    case Outcome::kRefused:
      return f + " refused these arguments, which the contract allows";
    case Outcome::kNotAttempted:
      return f + " is not started";
    case Outcome::kThrew:
      return f + " threw an exception instead of answering";
    case Outcome::kMisused:
      return f + " was stopped by Eigen: sizes that do not fit, or an index out of range";
    case Outcome::kCrashed:
      return f + " crashed: " + unanswered.reply.note;
    case Outcome::kTimedOut:
      return f + " gave no answer in time: " + unanswered.reply.note;
    case Outcome::kGarbled:
      return f + " sent no well-formed answer: " + unanswered.reply.note;
    case Outcome::kValue:
      break;
  }
  return f + " answered";
}

bool ended_the_process(Outcome outcome) {
  return outcome == Outcome::kCrashed || outcome == Outcome::kTimedOut ||
         outcome == Outcome::kGarbled;
}

constexpr int kMaxCrashes = 3;
constexpr std::size_t kMaxTranscript = 2000;
constexpr std::size_t kMaxTranscriptBytes =
    32 << 20;                                 // an answer may have 64 MB, and there may be many
constexpr std::chrono::seconds kMaxWait{20};  // a function that takes its time, each time

std::size_t bytes_in(const std::vector<Value>& values) {
  std::size_t sum = 0;
  for (const Value& value : values) sum += value.bytes.size();
  return sum;
}

}  // namespace

const std::vector<PropertyInfo>& properties() {
  return property_list();
}

PropertyRegistration::PropertyRegistration(const char* exercise, const char* sentence,
                                           bool defining, Property* (*make)(), const char* file,
                                           int line) {
  const auto same = [&](const PropertyInfo& p) { return p.exercise == exercise; };
  const auto before = std::count_if(property_list().begin(), property_list().end(), same);
  property_list().push_back({exercise, sentence, defining, static_cast<int>(before) + 1});
  testing::RegisterTest(exercise, sentence, nullptr, nullptr, file, line, make);
}

void Property::expect_near(const std::string& what, const Numbers& got, const Numbers& expected,
                           const Tolerance& tolerance) {
  if (const auto difference = compare(what, got, expected, tolerance))
    throw Mismatch{difference->lines};
}

void Property::expect_equal(const std::string& what, const Numbers& got, const Numbers& expected) {
  expect_near(what, got, expected, {0.0, 0.0, 1.0});
}

void Property::expect_refused(const Reply& reply, const std::string& why) {
  if (reply.outcome == Outcome::kRefused) return;
  if (reply.outcome != Outcome::kValue && reply.outcome != Outcome::kThrew &&
      reply.outcome != Outcome::kMisused) {
    throw Unanswered{"this call", reply};
  }
  const std::string instead = reply.outcome == Outcome::kValue     ? "an answer came"
                              : reply.outcome == Outcome::kMisused ? "Eigen stopped it"
                                                                   : "another exception came";
  throw Mismatch{{"expected std::invalid_argument, " + instead, "because " + why}};
}

void Property::expect(bool holds, const std::string& message) {
  if (!holds) throw Mismatch{{message}};
}

void Property::after(const std::string& sentence) const {
  for (const PropertyResult& result : current_judging().current->properties) {
    if (result.sentence == sentence && result.verdict == PropertyVerdict::kPass) return;
  }
  if (current_judging().options.only_property) return;
  throw Waiting{sentence};
}

Reply Property::request(const Request& request) {
  Judging& judging = current_judging();
  ExerciseJudging& exercise = *judging.current;
  if (exercise.gave_up) return {*exercise.gave_up, {}, "it was not asked again"};
  const auto asked = std::chrono::steady_clock::now();
  Reply reply = judging.submission->ask(request);
  exercise.waited += std::chrono::steady_clock::now() - asked;
  if (exercise.waited > kMaxWait) {
    exercise.gave_up = Outcome::kTimedOut;
    return {Outcome::kTimedOut,
            {},
            "all answers together took more than " + std::to_string(kMaxWait.count()) + " s"};
  }
  if (ended_the_process(reply.outcome)) {
    ++exercise.crashes;
    if (reply.outcome == Outcome::kTimedOut || exercise.crashes >= kMaxCrashes) {
      exercise.gave_up = reply.outcome;
    }
  }
  exercise.transcript_bytes += bytes_in(request.arguments) + bytes_in(reply.values);
  if (exercise.transcript.size() < kMaxTranscript &&
      exercise.transcript_bytes < kMaxTranscriptBytes) {
    exercise.transcript.push_back({request, reply});
  }
  return reply;
}

/// Runs one case; empty where it holds. Everything else that may happen is a line for the learner.
std::vector<std::string> Property::failure_of(const CaseId& id, bool* can_shrink) {
  draw = Draw(id);
  *can_shrink = true;
  try {
    body();
    return {};
  } catch (const Mismatch& mismatch) {
    return mismatch.lines;
  } catch (const Unanswered& unanswered) {
    const Outcome outcome = unanswered.reply.outcome;
    *can_shrink = !ended_the_process(outcome) && outcome != Outcome::kNotAttempted;
    current_judging().current->properties.back().ended = outcome;
    return {sentence_on(unanswered)};
  } catch (const EigenMisuse&) {
    // The property has computed with an answer whose sizes do not fit. Every property holds for the
    // reference, so it is the answer's fault.
    return {"the answer has sizes that do not fit the question"};
  } catch (const std::out_of_range&) {
    return {"the answer has fewer parts than the question asks for"};
  }
}

void Property::TestBody() {
  Judging& judging = current_judging();
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const PropertyInfo& info = info_of(test->test_suite_name(), test->name());
  ExerciseJudging& exercise = judging.exercise(info.exercise);
  if (!exercise.waits_for.empty()) return;
  if (judging.options.only_property && *judging.options.only_property != info.sentence) return;
  PropertyResult result{info.sentence, PropertyVerdict::kSkip, info.defining, {}, {}, {}, {}, {}};
  if (exercise.gave_up) {
    result.message = {*exercise.gave_up == Outcome::kTimedOut
                          ? "not asked again after a timeout"
                          : "not asked again after several crashes"};
    exercise.properties.push_back(result);
    return;
  }
  judging.current = &exercise;
  exercise.properties.push_back(result);

  CaseId id;
  std::vector<std::string> failure;
  bool can_shrink = true;
  const int cases = judging.options.only_property ? 1 : judging.options.cases;
  const auto case_id = [&](int i) {
    const std::uint64_t seed =
        mix(judging.options.seed, info.exercise + '/' + info.sentence + '/' + std::to_string(i));
    // Of every five: the first is easy to read and shows every transpose, the second is as small as
    // can be, the others are anything.
    const Sizing sizing = i % 5 == 0   ? Sizing::kDifferent
                          : i % 5 == 1 ? Sizing::kSmallest
                                       : Sizing::kAny;
    return CaseId{i % 5 == 0 ? seed & ~1ULL : seed | 1ULL, {}, sizing};
  };
  int next = 0;
  try {
    while (next < cases && failure.empty()) {
      id = judging.options.only_property ? judging.options.replay : case_id(next);
      ++next;
      failure = failure_of(id, &can_shrink);
      if (!draw.is_random()) next = cases;
    }
  } catch (const Waiting& waiting) {
    exercise.properties.back().message = {"waits for \"" + waiting.sentence + "\""};
    return;
  }
  PropertyResult& recorded = exercise.properties.back();
  const std::string printed = judging.submission->take_output();
  if (failure.empty()) {
    recorded.verdict = PropertyVerdict::kPass;
    return;
  }
  if (exercise.output.empty()) exercise.output = printed;
  id = draw.id();
  if (can_shrink && !judging.options.only_property) {
    // The other cases cannot save the property; they are asked so that the diagnosis has evidence.
    for (bool ignored = true; next < cases; ++next) failure_of(case_id(next), &ignored);
    shrink(id, failure);
  }
  judging.submission->take_output();  // what shrinking repeated
  recorded.verdict = PropertyVerdict::kFail;
  recorded.message = input_lines(draw);
  recorded.message.insert(recorded.message.end(), failure.begin(), failure.end());
  recorded.smallest = sizes_text(draw);
  recorded.id = id;
  recorded.replay = exercise.exercise->id + "-" + std::to_string(info.index) + "-" + id.token();
  ADD_FAILURE();
}

/// Looks for a smaller case that fails too: readable values first, then one size after the other.
/// Why not a library: a case must stay a seed and a list of sizes, short enough to type, and each
/// try costs a round trip to the sandbox, so that tens of tries are the budget, not thousands.
void Property::shrink(CaseId& id, std::vector<std::string>& failure) {
  Judging& judging = current_judging();
  const auto ended = judging.current->properties.back().ended;
  CaseId best = id;
  int tries = 60;
  const auto fails = [&](CaseId candidate) {
    if (--tries < 0) return false;
    bool can_shrink = true;
    judging.current->properties.back().ended.reset();
    const std::vector<std::string> lines = failure_of(candidate, &can_shrink);
    if (lines.empty() || !can_shrink) return false;
    best = draw.id();
    failure = lines;
    return true;
  };
  if (best.seed % 2 != 0) {
    CaseId readable = best;
    readable.seed &= ~1ULL;
    fails(readable);
  }
  for (bool smaller = true; smaller && tries > 0;) {
    smaller = false;
    for (std::size_t i = 0; i < best.sizes.size(); ++i) {
      const Index size = best.sizes[i];
      for (const Index candidate : {Index{0}, Index{1}, Index{2}, size / 2, size - 1}) {
        if (candidate >= size || candidate < 0) continue;
        CaseId trial = best;
        trial.sizes[i] = candidate;
        // A size is raised to its minimum when drawn: without progress there is nothing to keep.
        if (fails(trial) && best.sizes[i] < size) {
          smaller = true;
          break;
        }
      }
    }
  }
  // Leave inputs, message and outcome those of the best case; it is asked a last time.
  tries = 1;
  if (!fails(best)) {
    judging.current->properties.back().ended = ended;
  }
  id = best;
}

}  // namespace latent::grader

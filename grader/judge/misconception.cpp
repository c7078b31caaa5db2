#include "grader/judge/misconception.hpp"

#include <filesystem>

#include "grader/judge/compare.hpp"

namespace latent::grader {
namespace {

std::vector<Misconception>& misconception_list() {
  static std::vector<Misconception> all;
  return all;
}

std::vector<Alternative>& alternative_list() {
  static std::vector<Alternative> all;
  return all;
}

std::string lab_of(const char* file) {
  return std::filesystem::path(file).stem().string();
}

/// How far a misconception's replies agree with those of a submission.
struct Agreement {
  bool complete = true;
  int telling = 0;  ///< Replies that differ from the right ones.

  void add(bool same, bool tells) {
    complete = complete && same;
    telling += tells ? 1 : 0;
  }
};

/// Whether the misconception gives all of these answers, and in at least two of them a wrong one.
/// Calls that are to be refused count only for misconceptions about refusing: who makes another
/// mistake may or may not have written the refusal, and may be stopped by Eigen instead.
bool explains(const Lab& lab, const Misconception& misconception,
              const std::vector<Exchange>& transcript) {
  LinkedTable right(lab), wrong(lab);
  wrong.replace(misconception.operation);
  Agreement values, refusals;
  for (const Exchange& exchange : transcript) {
    if (exchange.request.operation != misconception.operation.name) continue;
    const Reply wrong_reply = wrong.ask(exchange.request);
    const Reply right_reply = right.ask(exchange.request);
    Agreement& agreement = right_reply.outcome == Outcome::kRefused ? refusals : values;
    agreement.add(same_reply(exchange.reply, wrong_reply), !same_reply(wrong_reply, right_reply));
  }
  if (!values.complete) return false;
  if (values.telling > 0) return values.telling >= 2;
  return refusals.complete && refusals.telling >= 2;
}

}  // namespace

const std::vector<Misconception>& misconceptions() {
  return misconception_list();
}
const std::vector<Alternative>& alternatives() {
  return alternative_list();
}

MisconceptionRegistration::MisconceptionRegistration(const char* file, const char* scope,
                                                     Operation operation, const char* id,
                                                     const char* verdict, const char* why) {
  misconception_list().push_back({id, lab_of(file), scope, std::move(operation), verdict, why});
}

AlternativeRegistration::AlternativeRegistration(const char* file, const char* scope,
                                                 Operation operation) {
  alternative_list().push_back({lab_of(file), scope, std::move(operation)});
}

const Misconception* diagnose(const Lab& lab, const std::vector<Exchange>& transcript) {
  const Misconception* found = nullptr;
  for (const Misconception& candidate : misconceptions()) {
    if (candidate.lab != lab.name || !explains(lab, candidate, transcript)) continue;
    if (found != nullptr) return nullptr;  // two explanations are none
    found = &candidate;
  }
  return found;
}

}  // namespace latent::grader

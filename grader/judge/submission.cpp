#include "grader/judge/submission.hpp"

#include <utility>

#include "grader/wire/answer.hpp"

namespace latent::grader {

LinkedTable::LinkedTable(const Lab& lab) {
  for (const Exercise& exercise : lab.exercises) {
    for (const Operation& operation : exercise.operations) replace(operation);
  }
}

void LinkedTable::replace(const Operation& operation) {
  table_.insert_or_assign(operation.name, operation);
}

Reply LinkedTable::ask(const Request& request) {
  const auto found = table_.find(request.operation);
  if (found == table_.end()) throw WireError("no operation " + request.operation);
  std::string what;
  Reply reply = answer(found->second, request.arguments, what);
  if (!what.empty()) output_ += what + '\n';
  return reply;
}

std::string LinkedTable::take_output() {
  return std::exchange(output_, {});
}

}  // namespace latent::grader

// The functions of all labs as one WebAssembly module, called by name through grader/wire's frames:
// what the figures of the handbook compute with. Debian's libraries for WebAssembly cannot catch: a
// throw leaves the module through the import `thrown`, and the caller throws the instance away.

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <typeinfo>
#include <vector>

#include "common/require.hpp"
#include "grader/wire/dispatch.hpp"
#include "grader/wire/frame.hpp"

#define EXPORT(name) extern "C" __attribute__((export_name(#name), used, visibility("default")))

extern "C" {
/// Ends the call; never returns.
__attribute__((import_module("env"), import_name("thrown"))) void thrown(bool not_attempted,
                                                                         const char* what);

void* __cxa_allocate_exception(std::size_t size) noexcept {
  return std::malloc(size);
}

// Everything thrown here is a std::exception; whatever else a reader may throw has no text to show.
[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void (*)(void*)) {
  const bool not_attempted = *type == typeid(latent::NotAttempted);
  const char first = type->name()[0];
  const bool is_class = first == 'N' || first == 'S' || (first >= '0' && first <= '9');
  thrown(not_attempted,
         is_class ? static_cast<std::exception*>(object)->what() : "an exception that has no text");
  __builtin_trap();
}
}

namespace latent::grader {
namespace {

Bytes request, reply;
std::string table;

const Operation& find(const std::string& name) {
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      for (const Operation& operation : exercise.operations) {
        if (operation.name == name) return operation;
      }
    }
  }
  throw WireError("there is no function " + name);
}

}  // namespace

/// Room for the body of a request.
EXPORT(reserve) std::byte* reserve(std::size_t size) {
  request.resize(size);
  return request.data();
}

/// Answers the request that was written there; the frame of the reply starts with its length.
EXPORT(answer) const std::byte* answer() {
  const Request parsed = parse_request(request);
  reply = to_frame({Outcome::kValue, find(parsed.operation).call(parsed.arguments), {}}, 0);
  return reply.data();
}

/// Every function and its exercise, a line each: "elbo_gap 3.6".
EXPORT(functions) const char* functions() {
  table.clear();
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      for (const Operation& operation : exercise.operations)
        table += operation.name + ' ' + exercise.id + '\n';
    }
  }
  return table.c_str();
}

}  // namespace latent::grader

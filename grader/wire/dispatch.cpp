#include "grader/wire/dispatch.hpp"

#include <algorithm>

namespace latent::grader {

std::vector<Lab>& labs() {
  static std::vector<Lab> all;
  return all;
}

Registration::Registration(Lab lab) {
  const auto at = std::lower_bound(labs().begin(), labs().end(), lab,
                                   [](const Lab& a, const Lab& b) { return a.name < b.name; });
  if (at == labs().end() || at->name != lab.name) {
    labs().insert(at, std::move(lab));
    return;
  }
  for (std::size_t e = 0; e < lab.exercises.size(); ++e) {
    for (std::size_t o = 0; o < lab.exercises[e].operations.size(); ++o)
      at->exercises[e].operations[o].call = lab.exercises[e].operations[o].call;
  }
}

}  // namespace latent::grader

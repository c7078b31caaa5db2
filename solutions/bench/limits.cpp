#include "limits.hpp"

#include <algorithm>
#include <cstring>

#include "common/parallel.hpp"

namespace latent {
namespace {

constexpr Index kArray = Index{1} << 28;  // floats, 1 GiB: caches of servers hold half of that
constexpr Index kPiece = Index{1} << 20;
constexpr Index kSide = 2048;

double copied_per_second(const Race& race) {
  const RowVector from = RowVector::Ones(kArray);
  RowVector to = RowVector::Zero(kArray);
  const Contender copy{"copy",
                       [&] {
                         in_parallel(kArray / kPiece, [&] {
                           return [&](Index i) {
                             std::memcpy(to.data() + i * kPiece, from.data() + i * kPiece,
                                         sizeof(float) * kPiece);
                           };
                         });
                       },
                       {}};
  return 2.0 * sizeof(float) * double(kArray) / medians({&copy}, true, race)[0];
}

double multiplied_per_second(const Race& race) {
  const Matrix a = Matrix::Constant(kSide, kSide, 0.5F), b = a;
  Matrix c(kSide, kSide);
  const Contender product{"product", [&] { c.noalias() = a * b; }, {}};
  return 2.0 * double(kSide) * double(kSide) * double(kSide) / medians({&product}, false, race)[0];
}

}  // namespace

Limits measure_limits(const Race& race) {
  Race few = race;
  few.repetitions = 3;  // of a third of a second each
  return {copied_per_second(few), multiplied_per_second(few)};
}

double least_seconds(const Work& work, const Limits& limits) {
  return std::max(work.flops / limits.multiplied, work.bytes / limits.copied);
}

}  // namespace latent

// 7.4 codes_to_index on a GPU: 4 D + 8 bytes and two operations per code, so memory sets the pace.
// One thread per row. The rows of a warp are one piece of memory, 128 D bytes, whose lines the L1
// cache keeps while the warp walks through its D columns; the sum stays in a register. Doubles
// hold q h exactly (24 + 9 bits), so that a code halfway between two levels is a tie here, too.
//
// A code that is no level's must be refused by name. Threads that find one compete for the first,
// in the order of the plain solution, by an integer minimum, which comes out the same each time; in
// a batch without one nobody touches that number.

#include "kernels.hpp"

namespace latent::device {

std::vector<FsqPlace> fsq_places(const std::vector<std::int64_t>& levels) {
  std::vector<FsqPlace> places;
  std::int64_t weight = 1;
  for (const std::int64_t l : levels) {
    places.push_back({l, weight});
    weight *= l;
  }
  return places;
}

void codes_to_index(const float* codes, const FsqPlace* places, std::int64_t* indices,
                    unsigned long long* refused, Size n, Size d) {
  each(1, [=] __device__(Size) { *refused = static_cast<unsigned long long>(n * d); });
  each(n, [=] __device__(Size row) {
    std::int64_t index = 0;
    for (Size column = 0; column < d; ++column) {
      const FsqPlace place = places[column];
      const double half_width = static_cast<double>(place.levels / 2);
      const double digit = rint(codes[row * d + column] * half_width) + half_width;
      if (digit >= 0.0 && digit < static_cast<double>(place.levels))  // false for NaN
        index += static_cast<std::int64_t>(digit) * place.weight;
      else
        atomicMin(refused, static_cast<unsigned long long>(column * n + row));
    }
    indices[row] = index;
  });
}

}  // namespace latent::device

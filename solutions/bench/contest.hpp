/// @file
/// What a row of the table consists of: one input, two sides that make the same of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/types.hpp"

namespace latent {

/// What a side made, in a form in which two sides can be compared.
struct Result {
  std::vector<Matrix> numbers;        ///< Compared relative to the largest of the other side's.
  std::vector<std::int64_t> indices;  ///< Compared by how many are equal.
};

/// One side of a comparison.
struct Contender {
  std::string name;                ///< For people: what was called.
  std::function<void()> run;       ///< What is timed: makes the result and drops it.
  std::function<Result()> result;  ///< Makes it once more, and keeps it.
};
using Contenders = std::vector<Contender>;

/// @param name     For people.
/// @param make     Called without arguments; its result is what is timed.
/// @param convert  Turns what `make` returns into a Result.
/// @return         A contender out of these.
template <class Make, class Convert>
Contender contender(std::string name, Make make, Convert convert) {
  return {std::move(name),
          [make] {
            const auto made = make();
            asm volatile("" : : "r"(&made) : "memory");  // so that it is made
          },
          [make, convert] { return convert(make()); }};
}

/// What an ideal machine would have to do for a row, at least.
struct Work {
  double flops = 0.0;  ///< Of products; additions and multiplications.
  double bytes = 0.0;  ///< Read and written once each.
};

/// A row, ready to be run.
struct Contest {
  Work work;
  Contender ours;
  Contenders rivals;                  ///< None without PyTorch.
  std::shared_ptr<const void> input;  ///< What both sides read.
};

/// A row of the table, before it has cost anything.
struct Row {
  std::string name;
  double bar = 0.0;                ///< The ratio it is held to; 0: none.
  std::function<Contest()> begin;  ///< Draws the inputs.
  bool own_threads = false;        ///< Ours divides the work itself: BLAS gets one thread for it.
};

/// @param seed  Of all inputs.
/// @return      All rows, in the order of the table.
std::vector<Row> rows_of_table(std::uint64_t seed);

/// One row at growing inputs.
struct Sweep {
  std::string name;               ///< What is called, and what grows.
  double expected = 0.0;          ///< The exponent of time.
  std::vector<Index> sizes;       ///< Each twice the one before.
  std::function<Row(Index)> row;  ///< At a size.
};

/// @param seed  Of all inputs.
/// @return      What is watched growing.
std::vector<Sweep> sweeps(std::uint64_t seed);

/// A search whose memory is to be watched.
struct Search {
  Index n = 0, k = 0, d = 0;  ///< Rows, codes, dimensions.
  bool really = false;        ///< Else inputs and outputs are made, and nothing is searched for.
};

/// @param search  What to do, once, in this process.
/// @return        What main returns.
int search_once(const Search& search);

}  // namespace latent

// 4_codes_to_index.cpp, made fast: row by row, as the codes lie in memory.
//
// 1. The plain version walks down a column, where each step is D floats away, and takes every index
//    up and puts it down again D times. Here an index stays in a register until it is complete.
// 2. Digits are checked as a whole: the range of a row's digits costs no branch, and only where
//    some digit is out of range does anybody look for which.

#include <cmath>
#include <limits>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

std::int64_t fsq_codebook_size(const Levels& levels) {
  std::int64_t size = 1;
  for (const std::int64_t l : levels) {
    require(l >= 3 && l <= 999,
            "fsq_codebook_size: expected 3 to 999 levels, got " + std::to_string(l));
    require(size <= std::numeric_limits<std::int64_t>::max() / l,
            "fsq_codebook_size: expected a product below 2^63, got " + std::to_string(size) +
                " x " + std::to_string(l) + " and more");
    size *= l;
  }
  return size;
}

namespace {

constexpr Index kRowsOfPart = 1 << 14;

/// What digit d counts for, and how it is read off a code.
struct Place {
  float half_width, levels;
  std::int64_t weight;
};

std::vector<Place> places_of(const Levels& levels) {
  std::vector<Place> places;
  std::int64_t weight = 1;
  for (const std::int64_t l : levels) {
    places.push_back({static_cast<float>(l / 2), static_cast<float>(l), weight});
    weight *= l;
  }
  return places;
}

/// @return  Whether every digit was one.
bool index_of(const float* codes, const std::vector<Place>& places, std::int64_t& index) {
  bool good = true;
  std::int64_t sum = 0;
  for (const Place& place : places) {
    const float digit = std::rint(*codes++ * place.half_width) + place.half_width;
    good &= digit >= 0.0F && digit < place.levels;  // false for what is not a number
    sum += static_cast<std::int64_t>(good ? digit : 0.0F) * place.weight;
  }
  index = sum;
  return good;
}

}  // namespace

std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  require_size(std::ssize(levels), codes.cols(), "codes_to_index: number of levels");
  fsq_codebook_size(levels);  // refuses what would overflow below
  const std::vector<Place> places = places_of(levels);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(codes.rows()));
  std::atomic<bool> good{true};
  in_parallel((codes.rows() + kRowsOfPart - 1) / kRowsOfPart, [&] {
    return [&](Index part) {
      const Index end = std::min(codes.rows(), (part + 1) * kRowsOfPart);
      for (Index n = part * kRowsOfPart; n < end; ++n) {
        if (!index_of(codes.data() + n * codes.cols(), places,
                      indices[static_cast<std::size_t>(n)]))
          good = false;
      }
    };
  });
  require(good, "codes_to_index: expected codes from -1 to (L - 1 - h) / h, got another one");
  return indices;
}

}  // namespace latent

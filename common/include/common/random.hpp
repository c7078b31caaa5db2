/// @file
/// Random numbers whose every bit is specified. The distributions of the standard library differ
/// between compilers, so that a seed would not repeat a result elsewhere.
#pragma once

#include <array>
#include <cstdint>

#include "common/types.hpp"

namespace latent {

/// Four words of Philox4x32-10, a counter-based generator: a pure function of counter and key.
/// @param counter  128 bits, least significant word first.
/// @param key      64 bits, least significant word first.
/// @return         128 random bits.
/// @see Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// A stream of random numbers; the same seed and stream give the same bits on every machine.
class Random {
 public:
  /// @param seed    Chooses the sequence.
  /// @param stream  Independent sequences of one seed, for example one per purpose.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  /// @return 32 random bits.
  std::uint32_t bits();

  /// @return 64 random bits.
  std::uint64_t bits64();

  /// @return A number from [0, 1) with 53 random bits.
  double uniform();

  /// A number from [low, high).
  /// @param low   Lower end, included.
  /// @param high  Upper end, excluded up to rounding.
  /// @return      low + (high - low) * uniform().
  double uniform(double low, double high);

  /// A whole number from low to high, both included, all equally likely.
  /// @param low   Smallest result.
  /// @param high  Largest result.
  /// @return      The number.
  /// @throws std::invalid_argument  if low > high.
  std::int64_t integer(std::int64_t low, std::int64_t high);

  /// A standard normal number, by Box and Muller's transform (cosine first, then sine).
  /// @return The number.
  double normal();

  /// Independent standard normal numbers, filled row by row.
  /// @param rows  Rows of the result.
  /// @param cols  Columns of the result.
  /// @return      Shape `[rows, cols]`.
  Matrix normal_matrix(Index rows, Index cols);

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> words_{};
  int unused_words_ = 0;
  double spare_normal_ = 0.0;
  bool has_spare_normal_ = false;
};

}  // namespace latent

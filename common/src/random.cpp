#include "common/random.hpp"

#include <cmath>
#include <numbers>

#include "common/require.hpp"

// Built with -ffp-contract=off: a fused multiply-add would change the last bit of a normal number
// from one compiler to the next.

namespace latent {
namespace {

std::uint32_t low_word(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
std::uint32_t high_word(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high_word(product1) ^ counter[1] ^ key[0], low_word(product1),
               high_word(product0) ^ counter[3] ^ key[1], low_word(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Random::Random(std::uint64_t seed, std::uint64_t stream)
    : key_{low_word(seed), high_word(seed)}, stream_(stream) {}

std::uint32_t Random::bits() {
  if (unused_words_ == 0) {
    words_ = philox4x32(
        {low_word(block_), high_word(block_), low_word(stream_), high_word(stream_)}, key_);
    ++block_;
    unused_words_ = 4;
  }
  return words_[static_cast<std::size_t>(4 - unused_words_--)];
}

std::uint64_t Random::bits64() {
  const std::uint64_t low = bits();
  return (static_cast<std::uint64_t>(bits()) << 32) | low;
}

double Random::uniform() {
  return static_cast<double>(bits64() >> 11) * 0x1.0p-53;
}

double Random::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

std::int64_t Random::integer(std::int64_t low, std::int64_t high) {
  require(low <= high, "Random::integer: expected low <= high, got " + std::to_string(low) +
                           " and " + std::to_string(high));
  const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  if (span == 0) return static_cast<std::int64_t>(bits64());
  // Draws from the last, incomplete run of `span` values would favour small results: draw again.
  const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % span + 1) % span;
  std::uint64_t draw = bits64();
  while (draw > limit) draw = bits64();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + draw % span);
}

double Random::normal() {
  if (has_spare_normal_) {
    has_spare_normal_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u is never 0
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_normal_ = true;
  return radius * std::cos(angle);
}

Matrix Random::normal_matrix(Index rows, Index cols) {
  Matrix result(rows, cols);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = static_cast<float>(normal());
  return result;
}

}  // namespace latent

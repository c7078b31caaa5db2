// The literals come from three places: the vectors of philox4x32 are the published ones
// (Random123, tests/kat_vectors, "philox4x32 10"); the streams were computed by an implementation
// of the same specification in Python; both must hold for every compiler.

#include "common/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace latent {
namespace {

using Words = std::array<std::uint32_t, 4>;

constexpr std::uint64_t kSeed = 0x123456789ABCDEF0;
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

TEST(Philox, GivesThePublishedAnswers) {
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(philox4x32({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
            (Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(Random, CountsBlocksLowAndTheStreamHighInTheCounter) {
  Random random(kSeed, 0x0000000500000007);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : philox4x32({block, 0, 7, 5}, {0x9ABCDEF0, 0x12345678})) {
      EXPECT_EQ(random.bits(), word);
    }
  }
}

TEST(Random, GivesTheRecordedBits) {
  Random random(kSeed, 7);
  for (const std::uint32_t expected :
       {0xE2AEDAF7U, 0x2B74FE69U, 0x9B175B0CU, 0xADE5D4DBU, 0x1FDC6A16U, 0x328BE767U}) {
    EXPECT_EQ(random.bits(), expected);
  }
}

TEST(Random, PutsTheFirstWordIntoTheLowHalfOf64Bits) {
  Random random(kSeed);
  for (const std::uint64_t expected :
       {0x78384BC0092C9B44U, 0x2B3BE4DDC9FB80BEU, 0x609CF517389D999AU, 0x99B16EDC0570BB00U}) {
    EXPECT_EQ(random.bits64(), expected);
  }
}

TEST(Random, GivesTheRecordedUniformNumbersBitForBit) {
  Random random(kSeed);
  for (const double expected :
       {0x1.e0e12f0024b26p-2, 0x1.59df26ee4fdc0p-3, 0x1.8273d45ce2766p-2, 0x1.3362ddb80ae17p-1}) {
    EXPECT_EQ(random.uniform(), expected);
  }
}

TEST(Random, GivesTheRecordedNormalNumbersBitForBit) {
  Random random(kSeed);
  for (const double expected :
       {0x1.195256b469dd5p-1, 0x1.f751cd77f67e7p-1, -0x1.9290e5f217e88p-1, -0x1.25e39a0dcf288p-1,
        -0x1.55689c769276ap-2, 0x1.203aad3c783a8p-1}) {
    EXPECT_EQ(random.normal(), expected);
  }
}

TEST(Random, GivesTheRecordedIntegers) {
  Random random(kSeed);
  for (const int expected : {-3, 4, 0, 9, 0, 1, 3, 2, -3, 3, -1, 1, 3, 7, 5, 3}) {
    EXPECT_EQ(random.integer(-3, 9), expected);
  }
}

TEST(Random, RepeatsItselfForTheSameSeedAndStreamOnly) {
  Random a(1, 2), same(1, 2), other_seed(2, 2), other_stream(1, 3), high_seed(1ULL << 32 | 1, 2);
  const std::uint64_t first = a.bits64();
  EXPECT_EQ(same.bits64(), first);
  EXPECT_NE(other_seed.bits64(), first);
  EXPECT_NE(other_stream.bits64(), first);
  EXPECT_NE(high_seed.bits64(), first);
}

TEST(Random, KeepsUniformNumbersInTheHalfOpenInterval) {
  Random random(3);
  double smallest = 1.0, largest = 0.0;
  for (int i = 0; i < 20000; ++i) {
    const double x = random.uniform();
    ASSERT_TRUE(x >= 0.0 && x < 1.0) << x;
    smallest = std::min(smallest, x);
    largest = std::max(largest, x);
  }
  // 20000 draws of this seed, checked once: they reach to both ends.
  EXPECT_LT(smallest, 1e-3);
  EXPECT_GT(largest, 1.0 - 1e-3);
}

TEST(Random, ScalesUniformNumbersToTheGivenEnds) {
  Random scaled(5), plain(5);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(scaled.uniform(-2.0, 6.0), -2.0 + 8.0 * plain.uniform());
}

TEST(RandomInteger, ReachesEveryNumberBothEndsIncludedAndNoOther) {
  Random random(kSeed);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.integer(-2, 2));
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
}

TEST(RandomInteger, IsTheOnlyNumberWhereThereIsOne) {
  Random random(1);
  EXPECT_EQ(random.integer(7, 7), 7);
  EXPECT_EQ(random.integer(kLowest, kLowest), kLowest);
  EXPECT_EQ(random.integer(kHighest, kHighest), kHighest);
}

TEST(RandomInteger, RefusesAnEmptyRangeAndNamesIt) {
  Random random(1);
  try {
    random.integer(3, -2);
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find("3"), std::string::npos) << message;
    EXPECT_NE(message.find("-2"), std::string::npos) << message;
  }
}

TEST(RandomInteger, CoversTheWholeRangeOf64Bits) {
  Random random(kSeed), raw(kSeed);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(random.integer(kLowest, kHighest), static_cast<std::int64_t>(raw.bits64()));
  }
}

/// Every result has as many draws that lead to it: draws from the last, incomplete run of the span
/// are refused. Seen where that run is as long as it can be.
/// @param runs  How many complete runs of the span 2^64 draws hold.
void expect_refusal_of_the_last_run(std::int64_t low, std::int64_t high, std::uint64_t runs) {
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  Random random(kSeed), raw(kSeed);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::uint64_t draw = raw.bits64();
    for (; draw >= runs * span; draw = raw.bits64()) ++refused;
    const std::int64_t expected =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + draw % span);
    ASSERT_EQ(random.integer(low, high), expected) << "after " << i << " numbers";
  }
  EXPECT_GT(refused, 20);
}

TEST(RandomInteger, RefusesDrawsThatWouldFavourSmallResults) {
  expect_refusal_of_the_last_run(kLowest, 0, 1);                     // 2^63 + 1: half are refused
  expect_refusal_of_the_last_run(-(1LL << 61), (1LL << 62) - 1, 2);  // 3 * 2^61: a quarter
  expect_refusal_of_the_last_run(0, (1LL << 62), 3);                 // 2^62 + 1: nearly a quarter
}

TEST(RandomInteger, RefusesNoDrawWhereTheSpanDividesAllOfThem) {
  Random random(kSeed), raw(kSeed);
  for (int i = 0; i < 200; ++i) {
    // 2^63 numbers: every draw counts, and its lowest 63 bits are the result.
    EXPECT_EQ(random.integer(0, kHighest), static_cast<std::int64_t>(raw.bits64() << 1 >> 1));
  }
}

TEST(RandomNormal, IsBoxAndMullersTransformCosineFirst) {
  Random random(11), plain(11);
  const double radius = std::sqrt(-2.0 * std::log(1.0 - plain.uniform()));
  const double angle = 2.0 * std::acos(-1.0) * plain.uniform();
  EXPECT_LE(std::abs(random.normal() - radius * std::cos(angle)), 1e-14);
  EXPECT_LE(std::abs(random.normal() - radius * std::sin(angle)), 1e-14);
}

TEST(RandomNormal, HasMeanZeroAndVarianceOne) {
  Random random(kSeed);  // one seed, so that this either holds or does not
  const int count = 40000;
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
  }
  EXPECT_LE(std::abs(sum / count), 0.02);
  EXPECT_LE(std::abs(squares / count - 1.0), 0.03);
}

TEST(RandomNormal, FillsAMatrixRowByRow) {
  Random matrix(9), single(9);
  const Matrix x = matrix.normal_matrix(3, 2);
  ASSERT_EQ(shape_of(x), "[3, 2]");
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 2; ++j) EXPECT_EQ(x(i, j), static_cast<float>(single.normal()));
  }
}

TEST(RandomNormal, FillsAnEmptyMatrixWithNothingDrawn) {
  Random random(9), fresh(9);
  EXPECT_EQ(shape_of(random.normal_matrix(0, 5)), "[0, 5]");
  EXPECT_EQ(random.bits(), fresh.bits());
}

}  // namespace
}  // namespace latent

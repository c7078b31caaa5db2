// The kernels of lab 07 at sizes that a block does not divide.

#include <cmath>

#include "solutions/07_fsq/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"

namespace latent {
namespace {

using device::FsqColumn;
using device::FsqPlace;
using device::Size;

constexpr Size kRows[] = {0, 1, 31, 257, 1031};

class FsqOnDevice : public DeviceTest {
 protected:
  /// L, as the formulas of the contract see it.
  struct Level {
    std::int64_t levels;

    double half_width() const { return static_cast<double>(levels / 2); }
    double offset() const { return levels % 2 == 0 ? 0.5 : 0.0; }
    double half_l() const { return static_cast<double>(levels - 1) * 1.001 / 2.0; }
    double shift() const { return std::atanh(offset() / half_l()); }
    double tanh(float z) const { return std::tanh(double(z) + shift()); }
  };

  static constexpr Level kLevels[] = {{8}, {3}, {4}, {999}, {2 * 151}};
  static constexpr Size kColumns = std::size(kLevels);

  static const Level& level_of(std::size_t element) { return kLevels[element % kColumns]; }

  static device::Buffer<FsqColumn> columns() {
    std::vector<FsqColumn> made;
    for (const Level& l : kLevels)
      made.push_back({static_cast<float>(l.half_l()), static_cast<float>(l.offset()),
                      static_cast<float>(l.shift()), static_cast<float>(l.half_width())});
    return on_device(made);
  }

  static device::Buffer<FsqPlace> places() {
    std::vector<FsqPlace> made;
    std::int64_t weight = 1;
    for (const Level& l : kLevels) {
      made.push_back({l.levels, weight});
      weight *= l.levels;
    }
    return on_device(made);
  }

  struct Indexed {
    std::vector<std::int64_t> indices;
    unsigned long long refused;
  };

  static Indexed index(const std::vector<float>& codes) {
    const Size n = static_cast<Size>(codes.size()) / kColumns;
    const auto rows = on_device(codes);
    const auto there = places();
    device::Buffer<std::int64_t> indices(n);
    device::Buffer<unsigned long long> refused(1);
    device::codes_to_index(rows.data(), there.data(), indices.data(), refused.data(), n, kColumns);
    return {fetched(indices), fetched(refused)[0]};
  }

  /// A digit for every element, and its code.
  struct Codes {
    std::vector<std::int64_t> digits;
    std::vector<float> codes;

    Codes(Random& random, Size rows) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(rows * kColumns); ++i) {
        const Level& l = level_of(i);
        digits.push_back(random.integer(0, l.levels - 1));
        codes.push_back(
            static_cast<float>(static_cast<double>(digits[i] - l.levels / 2) / l.half_width()));
      }
    }

    std::vector<std::int64_t> indices() const {
      std::vector<std::int64_t> made;
      for (std::size_t i = digits.size(); i-- > 0;) {  // Horner, from the last row and column
        if (i % kColumns == kColumns - 1) made.insert(made.begin(), 0);
        made[0] = made[0] * level_of(i).levels + digits[i];
      }
      return made;
    }
  };
};

TEST_F(FsqOnDevice, QuantizesEveryColumnWithItsLevels) {
  Random random(1);
  for (const Size n : kRows) {
    const auto z = normal_floats(random, n * kColumns, 2.0);
    const auto latents = on_device(z);
    const auto constants = columns();
    device::Buffer<float> codes(n * kColumns);
    device::fsq_quantize(latents.data(), constants.data(), codes.data(), n, kColumns);
    const std::vector<float> got = fetched(codes);
    for (std::size_t i = 0; i < z.size(); ++i) {
      const Level& l = level_of(i);
      const double bounded = l.half_l() * l.tanh(z[i]) - l.offset();
      // On the grid, and no further from the bounded latent than rounding goes; ties are float's.
      const double steps = got[i] * l.half_width();
      ASSERT_TRUE(std::abs(steps - std::rint(steps)) <= 1e-4) << i << " of " << z.size();
      ASSERT_TRUE(std::abs(steps - bounded) <= 0.5 + 1e-6 * l.half_l()) << i << " of " << z.size();
    }
  }
}

TEST_F(FsqOnDevice, RoundsTiesToEven) {
  // No offset, no shift: 0.75 tanh(100) and the like lie halfway.
  const std::vector<FsqColumn> flat = {{0.5F, 0.0F, 0.0F, 1.0F}, {1.5F, 0.0F, 0.0F, 1.0F}};
  const auto constants = on_device(flat);
  const auto z = on_device(std::vector<float>{100.0F, 100.0F, -100.0F, -100.0F});
  device::Buffer<float> codes(4);
  device::fsq_quantize(z.data(), constants.data(), codes.data(), 2, 2);
  EXPECT_EQ(fetched(codes), (std::vector<float>{0.0F, 2.0F, 0.0F, -2.0F}));
}

TEST_F(FsqOnDevice, SendsBackTheSlopeOfTheBoundFarOutToo) {
  Random random(2);
  for (const Size n : kRows) {
    auto z = normal_floats(random, n * kColumns, 4.0);
    for (std::size_t i = 0; i < z.size(); i += 7) z[i] *= 100.0F;  // where exponentials overflow
    const auto dcodes = normal_floats(random, n * kColumns);
    const auto latents = on_device(z), gradient = on_device(dcodes);
    const auto constants = columns();
    device::Buffer<float> dz(n * kColumns);
    device::fsq_quantize_backward(gradient.data(), latents.data(), constants.data(), dz.data(), n,
                                  kColumns);
    const std::vector<float> got = fetched(dz);
    for (std::size_t i = 0; i < z.size(); ++i) {
      const Level& l = level_of(i);
      const double cosh = std::cosh(double(z[i]) + l.shift());
      const double expected = dcodes[i] * l.half_l() / l.half_width() / (cosh * cosh);
      // exp(-2 |x|) of a rounded x: relative to the slope itself, not to the largest one.
      ASSERT_TRUE(std::abs(got[i] - expected) <= 2e-5 * std::abs(expected) + 1e-36) << i;
    }
  }
}

TEST_F(FsqOnDevice, IndexesEveryRow) {
  Random random(3);
  for (const Size n : kRows) {
    const Codes codes(random, n);
    const Indexed got = index(codes.codes);
    EXPECT_EQ(got.refused, codes.codes.size());
    EXPECT_EQ(got.indices, codes.indices()) << n << " rows";
  }
}

TEST_F(FsqOnDevice, NamesTheFirstCodeThatIsNoLevels) {
  Random random(4);
  const Size n = 1031;
  const std::vector<float> good = Codes(random, n).codes;
  for (const float bad : {1.0F, -1.3F, NAN, INFINITY, -INFINITY}) {
    std::vector<float> codes = good;
    codes[(1030 * kColumns) + 2] = bad;  // column 2, with 4 levels, which 1 is none of
    EXPECT_EQ(index(codes).refused, 2U * n + 1030U) << bad;
    codes[(77 * kColumns) + 2] = bad;
    EXPECT_EQ(index(codes).refused, 2U * n + 77U) << bad;
    codes[3] = 1.5F;  // column 3 comes later, in whatever row
    EXPECT_EQ(index(codes).refused, 2U * n + 77U) << bad;
    codes[1030 * kColumns] = bad;
    EXPECT_EQ(index(codes).refused, 1030U) << bad;
  }
}

TEST_F(FsqOnDevice, TakesIndicesApart) {
  Random random(5);
  for (const Size n : kRows) {
    const Codes codes(random, n);
    const auto indices = on_device(codes.indices());
    const auto there = places();
    device::Buffer<float> rows(n * kColumns);
    device::index_to_codes(indices.data(), there.data(), rows.data(), n, kColumns);
    EXPECT_EQ(fetched(rows), codes.codes) << n << " rows";
  }
}

TEST_F(FsqOnDevice, TakesIndicesBeyond32BitsApart) {
  const std::vector<FsqPlace> places = {{999, 1}, {999, 999}, {3, Size{1} << 61}};
  const auto there = on_device(places);
  const auto index = on_device(std::vector<std::int64_t>{(Size{1} << 62) + 999 * 998 + 500});
  device::Buffer<float> codes(3);
  device::index_to_codes(index.data(), there.data(), codes.data(), 1, 3);
  // Digits of 2^62 + 997502 by the weights above.
  const std::int64_t whole = (std::int64_t{1} << 62) + 999 * 998 + 500;
  EXPECT_EQ(fetched(codes),
            (std::vector<float>{static_cast<float>(whole % 999 - 499) / 499.0F,
                                static_cast<float>(whole / 999 % 999 - 499) / 499.0F, 1.0F}));
}

}  // namespace
}  // namespace latent

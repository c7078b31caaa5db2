// The kernels of lab 05 at sizes that their tiles do not divide.

#include <cmath>

#include "solutions/05_vq_straight_through/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"

namespace latent {
namespace {

using device::Size;
using NearestCode = void (*)(const float*, const float*, std::int64_t*, Size, Size, Size);

class NearestCodeOnDevice : public DeviceTest {
 protected:
  struct Rows {
    std::vector<float> z, codebook;
    Size n, k, d;

    double distance(Size row, Size code) const {
      double sum = 0.0;
      for (Size i = 0; i < d; ++i) {
        const double difference = double(z[static_cast<std::size_t>(row * d + i)]) -
                                  double(codebook[static_cast<std::size_t>(code * d + i)]);
        sum += difference * difference;
      }
      return sum;
    }
  };

  static std::vector<std::int64_t> ask(NearestCode version, const Rows& rows) {
    const auto z = on_device(rows.z), codebook = on_device(rows.codebook);
    device::Buffer<std::int64_t> indices(rows.n);
    version(z.data(), codebook.data(), indices.data(), rows.n, rows.k, rows.d);
    return fetched(indices);
  }

  /// A distance summed up in float may be off by some of its last digits, and no more.
  static void expect_nearest(NearestCode version, const Rows& rows) {
    const std::vector<std::int64_t> indices = ask(version, rows);
    for (Size n = 0; n < rows.n; ++n) {
      const std::int64_t got = indices[static_cast<std::size_t>(n)];
      ASSERT_TRUE(got >= 0 && got < rows.k) << "row " << n << ": " << got;
      double least = rows.distance(n, 0);
      for (Size k = 1; k < rows.k; ++k) least = std::min(least, rows.distance(n, k));
      ASSERT_TRUE(rows.distance(n, got) <= least * (1.0 + 1e-6 * static_cast<double>(rows.d)))
          << "row " << n << " of " << rows.n << " x " << rows.k << " x " << rows.d << ": " << got;
    }
  }

  static constexpr NearestCode kVersions[] = {device::nearest_code_1, device::nearest_code_2,
                                              device::nearest_code_3, device::nearest_code};
};

TEST_F(NearestCodeOnDevice, IsNearestInEveryVersionAtAwkwardSizes) {
  Random random(20261127);
  for (const Size n : kAwkward) {
    for (const Size k : kAwkward) {
      for (const Size d : {1, 37}) {
        const Rows rows{normal_floats(random, n * d), normal_floats(random, k * d), n, k, d};
        for (const NearestCode version : kVersions) expect_nearest(version, rows);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// 1000 and a hundredth: the expansion |z|^2 - 2 z e + |e|^2 has no digit left that tells these
// apart.
TEST_F(NearestCodeOnDevice, TellsCodesApartThatLieCloseTogetherAndFarOut) {
  Random random(1);
  Rows rows{normal_floats(random, 90 * 5, 0.01), normal_floats(random, 70 * 5, 0.01), 90, 70, 5};
  for (float& x : rows.z) x += 1000.0F;
  for (float& x : rows.codebook) x += 1000.0F;
  for (const NearestCode version : kVersions) expect_nearest(version, rows);
}

TEST_F(NearestCodeOnDevice, TakesTheFirstOfEquals) {
  const Size n = 65, k = 130, d = 3;
  const Rows rows{std::vector<float>(static_cast<std::size_t>(n * d), 0.5F),
                  std::vector<float>(static_cast<std::size_t>(k * d), 0.25F), n, k, d};
  for (const NearestCode version : kVersions) {
    for (const std::int64_t index : ask(version, rows)) ASSERT_EQ(index, 0);
  }
}

TEST_F(NearestCodeOnDevice, GoesThroughMoreRowsAndCodesThanABlockOfScoresHas) {
  Random random(2);
  for (const auto& [n, k] : {std::pair<Size, Size>(3, 2051), std::pair<Size, Size>(4099, 3)}) {
    expect_nearest(device::nearest_code_3,
                   {normal_floats(random, 2 * n), normal_floats(random, 2 * k), n, k, 2});
  }
}

TEST_F(NearestCodeOnDevice, TakesEmptyBatches) {
  for (const NearestCode version : kVersions)
    EXPECT_TRUE(ask(version, {{}, {1.0F, 2.0F}, 0, 1, 2}).empty());
}

// ---- 5.4 to 5.6 --------------------------------------------------------------------------------

/// Rows, codes and which code each row was given, nearest or not.
struct Assigned {
  std::vector<float> z, codebook;
  std::vector<std::int64_t> indices;
  Size n, k, d;

  double difference(Size row, Size column) const {
    const Size code = indices[static_cast<std::size_t>(row)];
    return double(z[static_cast<std::size_t>(row * d + column)]) -
           double(codebook[static_cast<std::size_t>(code * d + column)]);
  }
};

class AssignedOnDevice : public DeviceTest {
 protected:
  static Assigned draw(Random& random, Size n, Size k, Size d) {
    Assigned a{normal_floats(random, n * d), normal_floats(random, k * d), {}, n, k, d};
    for (Size i = 0; i < n; ++i) a.indices.push_back(random.integer(0, k - 1));
    return a;
  }

  /// Sums over the rows of each code of scale (z - origin), one row after the other.
  static void expect_sums(const Assigned& a, const std::vector<float>& got, bool to_codes,
                          double scale) {
    std::vector<double> sums(static_cast<std::size_t>(a.k * a.d)), sizes = sums;
    for (Size n = 0; n < a.n; ++n) {
      for (Size i = 0; i < a.d; ++i) {
        const double x =
            to_codes ? a.difference(n, i) : double(a.z[static_cast<std::size_t>(n * a.d + i)]);
        const auto at = static_cast<std::size_t>(a.indices[static_cast<std::size_t>(n)] * a.d + i);
        sums[at] += scale * x;
        sizes[at] += std::abs(scale * x);
      }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      ASSERT_TRUE(std::abs(got[i] - sums[i]) <= 2e-7 * sizes[i])
          << "element " << i << " of " << a.n << " x " << a.k << " x " << a.d << ": " << got[i]
          << ", not " << sums[i];
    }
  }
};

TEST_F(AssignedOnDevice, GroupsHoldTheRowsOfEachCodeInOrder) {
  Random random(3);
  for (const auto& [n, k] : {std::pair<Size, Size>(0, 3), std::pair<Size, Size>(1, 1),
                             std::pair<Size, Size>(1031, 7), std::pair<Size, Size>(67, 1030)}) {
    const Assigned a = draw(random, n, k, 1);
    const auto indices = on_device(a.indices);
    const device::Groups groups = device::group_rows(indices.data(), n, k);
    const auto rows = fetched(groups.rows), first = fetched(groups.first);
    std::vector<std::int64_t> expected_rows, expected_first;
    for (Size code = 0; code < k; ++code) {
      expected_first.push_back(std::ssize(expected_rows));
      for (Size i = 0; i < n; ++i) {
        if (a.indices[static_cast<std::size_t>(i)] == code) expected_rows.push_back(i);
      }
    }
    expected_first.push_back(n);
    EXPECT_EQ(rows, expected_rows) << n << " x " << k;
    EXPECT_EQ(first, expected_first) << n << " x " << k;
  }
}

TEST_F(AssignedOnDevice, SumsAreThoseOfTheRowsOfEachCode) {
  Random random(4);
  for (const Size n : {0, 1, 31, 301}) {
    for (const Size k : {1, 13}) {
      for (const Size d : kAwkward) {
        const Assigned a = draw(random, n, k, d);
        const auto z = on_device(a.z), codebook = on_device(a.codebook);
        const auto indices = on_device(a.indices);
        const device::Groups groups = device::group_rows(indices.data(), n, k);
        device::Buffer<float> sums(k * d);
        device::sum_by_code(groups, z.data(), nullptr, 1.0F, sums.data(), k, d);
        expect_sums(a, fetched(sums), false, 1.0);
        device::sum_by_code(groups, z.data(), codebook.data(), -0.5F, sums.data(), k, d);
        expect_sums(a, fetched(sums), true, -0.5);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// 2^24 + 1 is no float: whoever adds up in float, or to the codes themselves, loses every one.
TEST_F(AssignedOnDevice, SumsKeepWhatIsSmallBesideWhatIsLarge) {
  const Size n = 600;
  Assigned a{std::vector<float>(n, 1.0F), {0.0F}, std::vector<std::int64_t>(n), n, 1, 1};
  a.z[0] = 0x1p24F;
  a.z[1] = -0x1p24F;
  const auto z = on_device(a.z);
  const auto indices = on_device(a.indices);
  device::Buffer<float> sum(1);
  device::sum_by_code(device::group_rows(indices.data(), n, 1), z.data(), nullptr, 1.0F, sum.data(),
                      1, 1);
  EXPECT_EQ(fetched(sum)[0], 598.0F);
}

TEST_F(AssignedOnDevice, GradientsAreThoseOfBothTerms) {
  Random random(5);
  for (const Size n : kAwkward) {
    for (const auto& [k, d] : {std::pair<Size, Size>(1, 1), std::pair<Size, Size>(13, 37)}) {
      const Assigned a = draw(random, n, k, d);
      const auto z = on_device(a.z), codebook = on_device(a.codebook);
      const auto indices = on_device(a.indices);
      device::Buffer<float> d_z(n * d), d_codebook(k * d);
      device::vq_gradients(z.data(), codebook.data(), indices.data(), 0.25F, d_z.data(),
                           d_codebook.data(), n, k, d);
      const double scale = 2.0 / static_cast<double>(n * d);
      expect_sums(a, fetched(d_codebook), true, -scale);
      const std::vector<float> got = fetched(d_z);
      for (Size i = 0; i < n * d; ++i) {
        const double expected = 0.25 * scale * a.difference(i / d, i % d);
        ASSERT_TRUE(std::abs(got[static_cast<std::size_t>(i)] - expected) <=
                    4e-7 * std::abs(expected) + 1e-7 * scale)
            << "element " << i << " of " << n << " x " << d;
      }
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(AssignedOnDevice, LossesAreOfTheCodesThatWereGiven) {
  Random random(6);
  for (const Size n : kAwkward) {
    for (const auto& [k, d] : {std::pair<Size, Size>(1, 1), std::pair<Size, Size>(13, 37)}) {
      const Assigned a = draw(random, n, k, d);
      const auto z = on_device(a.z), codebook = on_device(a.codebook);
      const auto indices = on_device(a.indices);
      device::Buffer<double> sum(1);
      device::sqdist_to_codes(z.data(), codebook.data(), indices.data(), sum.data(), n, d);
      double expected = 0.0;
      for (Size i = 0; i < n * d; ++i)
        expected += a.difference(i / d, i % d) * a.difference(i / d, i % d);
      EXPECT_TRUE(std::abs(fetched(sum)[0] - expected) <= 1e-12 * expected)
          << n << " x " << k << " x " << d << ": " << fetched(sum)[0] << ", not " << expected;
    }
  }
}

TEST_F(AssignedOnDevice, OutputIsTheNearestCodesBitForBit) {
  Random random(7);
  for (const Size n : {Size{0}, Size{1}, Size{67}}) {
    for (const auto& [k, d] : {std::pair<Size, Size>(1, 1), std::pair<Size, Size>(13, 37)}) {
      const Assigned a = draw(random, n, k, d);
      const auto z = on_device(a.z), codebook = on_device(a.codebook);
      device::Buffer<float> z_q(n * d);
      device::Buffer<std::int64_t> chosen(n), nearest(n);
      device::vq_straight_through(z.data(), codebook.data(), z_q.data(), chosen.data(), n, k, d);
      device::nearest_code(z.data(), codebook.data(), nearest.data(), n, k, d);
      const auto indices = fetched(nearest);
      EXPECT_EQ(fetched(chosen), indices);
      const std::vector<float> got = fetched(z_q);
      for (Size i = 0; i < n * d; ++i) {
        ASSERT_EQ(got[static_cast<std::size_t>(i)],
                  a.codebook[static_cast<std::size_t>(indices[static_cast<std::size_t>(i / d)] * d +
                                                      i % d)])
            << "element " << i << " of " << n << " x " << d;
      }
    }
  }
}

}  // namespace
}  // namespace latent

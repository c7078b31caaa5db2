// The kernels of lab 05 at sizes that their tiles do not divide.

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

}  // namespace
}  // namespace latent

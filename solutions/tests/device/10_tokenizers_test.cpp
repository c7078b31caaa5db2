// The kernels of lab 10 at sizes that no tile divides, against loops in double.

#include <algorithm>
#include <cmath>

#include "solutions/10_tokenizers/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"

namespace latent {
namespace {

using device::Size;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

template <class T>
void expect_all_near(const char* what, const std::vector<T>& got,
                     const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(std::abs(double(got[i]) - expected[i]) <= tolerance)
        << what << ", element " << i << " of " << got.size() << ": " << got[i] << ", not "
        << expected[i];
  }
}

// ---- 10.0 --------------------------------------------------------------------------------------

class ResidualQuantizeOnDevice : public DeviceTest {
 protected:
  /// What the choices of the device leave, in double.
  struct Rest {
    std::vector<double> left, sum, lengths;
  };

  /// Follows stage q; a choice is right if no other code is nearer by more than what is rounded.
  static void follow(Rest& rest, const std::vector<float>& codes,
                     const std::vector<std::int64_t>& chosen, Size q, Size stages, Size d) {
    const Size k = std::ssize(codes) / d;
    for (Size row = 0; row < std::ssize(rest.left) / d; ++row) {
      std::vector<double> distance(at(k));
      for (Size i = 0; i < k * d; ++i)
        distance[at(i / d)] += std::pow(rest.left[at(row * d + i % d)] - double(codes[at(i)]), 2);
      const Size code = chosen[at(row * stages + q)];
      ASSERT_TRUE(code >= 0 && code < k) << "stage " << q << ", row " << row << ": " << code;
      const double least = *std::min_element(distance.begin(), distance.end());
      ASSERT_TRUE(distance[at(code)] <= least + 1e-5) << "stage " << q << ", row " << row;
      for (Size i = 0; i < d; ++i) {
        rest.left[at(row * d + i)] -= double(codes[at(code * d + i)]);
        rest.sum[at(row * d + i)] += double(codes[at(code * d + i)]);
      }
      rest.lengths[at(row * stages + q)] = std::sqrt(distance[at(code)]);
    }
  }

  static void expect_stages(Random& random, Size stages, Size n, Size d) {
    const std::vector<float> x = normal_floats(random, n * d);
    device::Buffer<float> residual = on_device(x), quantized(n * d), norms(n * stages);
    device::Buffer<std::int64_t> indices(n * stages);
    Rest rest{
        {x.begin(), x.end()}, std::vector<double>(at(n * d)), std::vector<double>(at(n * stages))};
    for (Size q = 0; q < stages; ++q) {
      const Size k = 5 + q;
      const std::vector<float> codes = normal_floats(random, k * d, 1.0 / double(1 + q));
      const auto codebook = on_device(codes);
      device::residual_quantize(codebook.data(), residual.data(), quantized.data(), indices.data(),
                                norms.data(), q, stages, n, k, d);
      follow(rest, codes, fetched(indices), q, stages, d);
      if (HasFatalFailure()) return;
    }
    expect_all_near("residual", fetched(residual), rest.left, 2e-6);
    expect_all_near("quantized", fetched(quantized), rest.sum, 2e-6);
    expect_all_near("norms", fetched(norms), rest.lengths, 1e-5);
  }
};

TEST_F(ResidualQuantizeOnDevice, EachStageQuantizesWhatTheLastOneLeft) {
  Random random(1);
  for (const Size n : {0, 1, 31, 67}) {
    for (const Size d : {1, 31, 37, 67}) {
      expect_stages(random, 3, n, d);
      if (HasFatalFailure()) return;
    }
  }
}

// ---- 10.4 --------------------------------------------------------------------------------------

class LfqOnDevice : public DeviceTest {};

TEST_F(LfqOnDevice, CodesAreSignsAndZeroIsMinus) {
  Random random(2);
  for (const Size count : {0, 1, 67, 1031}) {
    std::vector<float> z = normal_floats(random, count), expected;
    if (count > 1) z[1] = 0.0F;
    for (const float x : z) expected.push_back(x > 0.0F ? 0.75F : -0.75F);
    const auto latents = on_device(z);
    device::Buffer<float> codes(count);
    device::lfq_quantize(latents.data(), codes.data(), 0.75F, count);
    EXPECT_EQ(fetched(codes), expected) << count;
  }
}

TEST_F(LfqOnDevice, BitsBecomeIndicesAndComeBack) {
  Random random(3);
  for (const Size n : {0, 1, 9, 67}) {
    for (const Size d : {1, 5, 31, 32, 33, 62}) {
      std::vector<float> codes = normal_floats(random, n * d), signs;
      std::vector<std::int64_t> expected(at(n));
      if (n > 0) codes[0] = 0.0F;
      for (Size i = 0; i < n * d; ++i) {
        signs.push_back(codes[at(i)] > 0.0F ? 0.5F : -0.5F);
        if (codes[at(i)] > 0.0F) expected[at(i / d)] += std::int64_t{1} << i % d;
      }
      const auto rows = on_device(codes);
      device::Buffer<std::int64_t> indices(n);
      device::bits_to_index(rows.data(), indices.data(), n, d);
      EXPECT_EQ(fetched(indices), expected) << n << " x " << d;
      device::Buffer<float> back(n * d);
      device::index_to_bits(indices.data(), back.data(), 0.5F, n, d);
      EXPECT_EQ(fetched(back), signs) << n << " x " << d;
    }
  }
}

}  // namespace
}  // namespace latent

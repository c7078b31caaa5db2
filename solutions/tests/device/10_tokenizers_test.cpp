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

// ---- 10.5 --------------------------------------------------------------------------------------

class EntropyOnDevice : public DeviceTest {
 protected:
  /// What the contract says, code by code, in double.
  struct Expected {
    double per_sample = 0.0, codebook = 0.0;
    std::vector<double> mean, dz;
  };

  static double probability(const std::vector<float>& z, double tau, Size d, Size row, Size code) {
    double p = 1.0;
    for (Size i = 0; i < d; ++i) {
      const double sign = (code >> i) % 2 == 1 ? 1.0 : -1.0;
      p /= 1.0 + std::exp(-4.0 * tau * sign * double(z[at(row * d + i)]));
    }
    return p;
  }

  static double log_of(double p) { return p > 0.0 ? std::log(p) : 0.0; }

  static Expected expected(const std::vector<float>& z, double tau, double gamma, Size n, Size d) {
    const Size codes = Size{1} << d;
    Expected e{0.0, 0.0, std::vector<double>(at(codes)), std::vector<double>(at(n * d))};
    for (Size i = 0; i < n * codes; ++i) {
      const double p = probability(z, tau, d, i / codes, i % codes);
      e.per_sample -= p * log_of(p);
      e.mean[at(i % codes)] += p / double(n);
    }
    for (const double p : e.mean) e.codebook -= p * log_of(p);
    for (Size i = 0; i < n * d; ++i) {
      const double x = double(z[at(i)]), q = 1.0 / (1.0 + std::exp(-4.0 * tau * x));
      double sum = 0.0;
      for (Size code = 0; code < codes; ++code) {
        const double c = (code >> i % d) % 2 == 1 ? 1.0 : -1.0;
        sum +=
            probability(z, tau, d, i / d, code) * (c - (2.0 * q - 1.0)) * log_of(e.mean[at(code)]);
      }
      e.dz[at(i)] = (-16.0 * tau * tau * x * q * (1.0 - q) + gamma * 2.0 * tau * sum) / double(n);
    }
    return e;
  }
};

TEST_F(EntropyOnDevice, TermsAndGradientAreThoseOfAllCodes) {
  Random random(4);
  const double tau = 0.7, gamma = 0.6;
  for (const auto& [n, d] :
       {std::pair<Size, Size>(1, 1), std::pair<Size, Size>(31, 2), std::pair<Size, Size>(67, 3),
        std::pair<Size, Size>(129, 5), std::pair<Size, Size>(2, 11)}) {
    const std::vector<float> z = normal_floats(random, n * d);
    const Expected e = expected(z, tau, gamma, n, d);
    const auto latents = on_device(z);
    device::Buffer<double> per_sample(1), codebook(1);
    device::Buffer<float> dz(n * d);
    const device::CodeProbabilities p = device::code_probabilities(latents.data(), tau, n, d);
    device::entropy_terms(p, per_sample.data(), codebook.data());
    device::entropy_backward(p, latents.data(), tau, gamma, dz.data());
    expect_all_near("mean", fetched(p.mean), e.mean, 1e-15);
    expect_all_near("per_sample", fetched(per_sample), {e.per_sample}, 1e-12 * double(n * d));
    expect_all_near("codebook", fetched(codebook), {e.codebook}, 1e-12);
    expect_all_near("dz", fetched(dz), e.dz, 3e-7 / double(n));
    if (HasFatalFailure()) return;
  }
}

// 1 - q is 4e-18 here, and 0 for whoever computes it so.
TEST_F(EntropyOnDevice, KeepsProbabilitiesFarBelowOne) {
  const std::vector<float> z{10.0F, -10.0F};
  const auto latents = on_device(z);
  device::Buffer<double> per_sample(1), codebook(1);
  device::Buffer<float> dz(2);
  const device::CodeProbabilities p = device::code_probabilities(latents.data(), 1.0, 1, 2);
  device::entropy_terms(p, per_sample.data(), codebook.data());
  device::entropy_backward(p, latents.data(), 1.0, 0.0, dz.data());
  const double small = std::exp(-40.0);
  expect_all_near("per_sample", fetched(per_sample), {2.0 * 40.0 * small}, 1e-6 * small);
  expect_all_near("dz", fetched(dz), {-160.0 * small, 160.0 * small}, 1e-4 * small);
}

TEST_F(EntropyOnDevice, IsANumberWhereEveryRowIsSure) {
  const std::vector<float> z{1000.0F, -2000.0F, -1000.0F, 3000.0F};
  const auto latents = on_device(z);
  device::Buffer<double> per_sample(1), codebook(1);
  device::Buffer<float> dz(4);
  const device::CodeProbabilities p = device::code_probabilities(latents.data(), 1.0, 2, 2);
  device::entropy_terms(p, per_sample.data(), codebook.data());
  device::entropy_backward(p, latents.data(), 1.0, 1.0, dz.data());
  expect_all_near("per_sample", fetched(per_sample), {0.0}, 0.0);
  expect_all_near("codebook", fetched(codebook), {std::log(2.0)}, 1e-15);
  expect_all_near("dz", fetched(dz), {0.0, 0.0, 0.0, 0.0}, 0.0);
}

// ---- 10.6 --------------------------------------------------------------------------------------

class CausalConvOnDevice : public DeviceTest {
 protected:
  /// Calls body(t, o, i, j, frame) for every product of the convolution.
  template <class Body>
  static void for_each_product(const device::CausalConv& s, Body body) {
    for (Size t = 0; t < s.steps(); ++t) {
      for (Size j = 0; j < s.taps; ++j) {
        const Size frame = std::max<Size>(s.stride * t + j - (s.taps - 1), 0);
        for (Size o = 0; o < s.out; ++o) {
          for (Size i = 0; i < s.channels; ++i) body(t, o, i, j, frame);
        }
      }
    }
  }

  static void expect_both_directions(Random& random, const device::CausalConv& s) {
    const std::vector<float> x = normal_floats(random, s.frames * s.channels),
                             w = normal_floats(random, s.out * s.depth()),
                             bias = normal_floats(random, s.out),
                             dy = normal_floats(random, s.steps() * s.out);
    std::vector<double> y(at(s.steps() * s.out)), d_x(x.size()), d_w(w.size()), d_bias(bias.size());
    for (Size i = 0; i < s.steps() * s.out; ++i) {
      y[at(i)] = double(bias[at(i % s.out)]);
      d_bias[at(i % s.out)] += double(dy[at(i)]);
    }
    for_each_product(s, [&](Size t, Size o, Size i, Size j, Size frame) {
      const std::size_t of_y = at(t * s.out + o), of_w = at((o * s.channels + i) * s.taps + j),
                        of_x = at(frame * s.channels + i);
      y[of_y] += double(w[of_w]) * double(x[of_x]);
      d_w[of_w] += double(dy[of_y]) * double(x[of_x]);
      d_x[of_x] += double(dy[of_y]) * double(w[of_w]);
    });
    const auto frames = on_device(x), weight = on_device(w), b = on_device(bias),
               gradient = on_device(dy);
    device::Buffer<float> output(s.steps() * s.out), of_x(s.frames * s.channels),
        of_w(s.out * s.depth()), of_bias(s.out);
    device::causal_conv_time(frames.data(), weight.data(), b.data(), output.data(), s);
    device::causal_conv_time_backward(gradient.data(), frames.data(), weight.data(), of_x.data(),
                                      of_w.data(), of_bias.data(), s);
    SCOPED_TRACE(::testing::Message() << s.frames << " frames, " << s.channels << " -> " << s.out
                                      << ", " << s.taps << " taps, stride " << s.stride);
    expect_all_near("y", fetched(output), y, 2e-5);
    expect_all_near("d_x", fetched(of_x), d_x, 2e-5);
    expect_all_near("d_weight", fetched(of_w), d_w, 5e-5);
    expect_all_near("d_bias", fetched(of_bias), d_bias, 2e-5);
  }
};

TEST_F(CausalConvOnDevice, BothDirectionsAtAwkwardSizes) {
  Random random(5);
  for (const Size frames : kAwkward) {
    for (const auto& [channels, out] : {std::pair<Size, Size>(1, 1), std::pair<Size, Size>(5, 7)}) {
      for (const Size taps : {1, 3, 4}) {
        for (const Size stride : {1, 2, 5}) {
          expect_both_directions(random, {frames, channels, out, taps, stride});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_F(CausalConvOnDevice, MoreTapsThanFrames) {
  Random random(6);
  expect_both_directions(random, {3, 2, 3, 9, 2});
}

// Without channels all is bias.
TEST_F(CausalConvOnDevice, TakesNoChannels) {
  const device::CausalConv sizes{5, 0, 2, 3, 2};
  const auto bias = on_device(std::vector<float>{1.0F, -2.0F});
  device::Buffer<float> x(0), weight(0), y(sizes.steps() * 2);
  device::causal_conv_time(x.data(), weight.data(), bias.data(), y.data(), sizes);
  EXPECT_EQ(fetched(y), (std::vector<float>{1.0F, -2.0F, 1.0F, -2.0F, 1.0F, -2.0F}));
}

}  // namespace
}  // namespace latent

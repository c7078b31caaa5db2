// The kernels of lab 06 at sizes that no tile divides, against loops in double.

#include <cmath>
#include <numeric>

#include "solutions/06_codebook_ema/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"

namespace latent {
namespace {

using device::Size;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// A codebook with its memory, in double.
struct Codebook {
  std::vector<double> codebook, size, sum;
  Size updates, k, d;
};

class CodebookOnDevice : public DeviceTest {
 protected:
  struct Batch {
    std::vector<float> z;
    std::vector<std::int64_t> indices, order;
    Size n, d;
  };

  static Batch draw_batch(Random& random, Size n, Size k, Size d) {
    Batch b{normal_floats(random, n * d), {}, std::vector<std::int64_t>(at(n)), n, d};
    // The codes from k / 2 on get no rows, so that some of them die.
    for (Size i = 0; i < n; ++i) b.indices.push_back(random.integer(0, k / 2));
    std::iota(b.order.rbegin(), b.order.rend(), 0);
    return b;
  }

  static Codebook draw_codebook(Random& random, Size k, Size d) {
    Codebook c{{}, {}, {}, 1000, k, d};
    for (const float x : normal_floats(random, k * d)) c.codebook.push_back(double(x));
    for (Size i = 0; i < k; ++i) c.size.push_back(random.uniform(0.01, 2.0));
    for (Size i = 0; i < k * d; ++i)
      c.sum.push_back(double(float(c.size[at(i / d)] * c.codebook[at(i)])));
    return c;
  }

  static Codebook stats(const Batch& b, Size k) {
    Codebook s{{}, std::vector<double>(at(k)), std::vector<double>(at(k * b.d)), 0, k, b.d};
    for (Size n = 0; n < b.n; ++n) {
      s.size[at(b.indices[at(n)])] += 1.0;
      for (Size i = 0; i < b.d; ++i)
        s.sum[at(b.indices[at(n)] * b.d + i)] += double(b.z[at(n * b.d + i)]);
    }
    return s;
  }

  static constexpr device::EmaConstants kConstants{0.9, 1e-3, 0.1};

  /// What the contract says of decay, smoothing, division and revival, one after the other.
  static Codebook updated(Codebook c, const Batch& b, std::size_t available) {
    const Codebook fresh = stats(b, c.k);
    const double decay = kConstants.decay, epsilon = kConstants.epsilon;
    for (Size i = 0; i < c.k; ++i)
      c.size[at(i)] = decay * c.size[at(i)] + (1.0 - decay) * fresh.size[at(i)];
    const double total = std::accumulate(c.size.begin(), c.size.end(), 0.0);
    for (Size i = 0; i < c.k * c.d; ++i) {
      c.sum[at(i)] = decay * c.sum[at(i)] + (1.0 - decay) * fresh.sum[at(i)];
      c.codebook[at(i)] = c.sum[at(i)] / ((c.size[at(i / c.d)] + epsilon) /
                                          (total + double(c.k) * epsilon) * total);
    }
    c.updates += 1;
    if (double(c.updates) <= 1.0 / (1.0 - decay)) return c;
    const double share = double(b.n) / double(c.k);
    std::size_t next = 0;
    for (Size code = 0; code < c.k && next < available; ++code) {
      if (!(c.size[at(code)] < kConstants.threshold * share)) continue;
      const Size row = b.order[next++];
      c.size[at(code)] = share;
      for (Size i = 0; i < c.d; ++i) {
        c.codebook[at(code * c.d + i)] = double(b.z[at(row * c.d + i)]);
        c.sum[at(code * c.d + i)] = share * c.codebook[at(code * c.d + i)];
      }
    }
    return c;
  }

  static device::LivingCodebook sent(const Codebook& c) {
    const std::vector<float> codebook(c.codebook.begin(), c.codebook.end()),
        sum(c.sum.begin(), c.sum.end());
    return {on_device(codebook), on_device(c.size), on_device(sum), c.updates, c.k, c.d};
  }

  /// Updates on the device; returns whether it refused.
  static bool update(device::LivingCodebook& living, const Batch& b, std::size_t available) {
    const auto z = on_device(b.z);
    const auto indices = on_device(b.indices), order = on_device(b.order);
    device::Buffer<int> refused(1);
    device::ema_update(z.data(), indices.data(), order.data(), kConstants, living, b.n,
                       static_cast<Size>(available), refused.data());
    return fetched(refused)[0] != 0;
  }

  template <class T>
  static void expect_all_near(const char* what, const std::vector<T>& got,
                              const std::vector<double>& expected, double tolerance) {
    ASSERT_EQ(got.size(), expected.size()) << what;
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(std::abs(double(got[i]) - expected[i]) <=
                  tolerance * (1.0 + std::abs(expected[i])))
          << what << ", element " << i << " of " << got.size() << ": " << got[i] << ", not "
          << expected[i];
    }
  }

  static void expect_state(const device::LivingCodebook& living, const Codebook& expected) {
    EXPECT_EQ(living.updates, expected.updates);
    expect_all_near("size", fetched(living.size), expected.size, 1e-13);
    expect_all_near("sum", fetched(living.sum), expected.sum, 5e-7);
    expect_all_near("codebook", fetched(living.codebook), expected.codebook, 2e-6);
  }
};

TEST_F(CodebookOnDevice, StatsCountRowsAndAddThemUp) {
  Random random(1);
  for (const Size n : {0, 1, 67, 301}) {
    for (const Size k : {1, 13}) {
      for (const Size d : {1, 37}) {
        const Batch b = draw_batch(random, n, k, d);
        const auto z = on_device(b.z);
        const auto indices = on_device(b.indices);
        device::Buffer<double> size(k);
        device::Buffer<float> sum(k * d);
        device::assignment_stats(z.data(), indices.data(), size.data(), sum.data(), n, k, d);
        const Codebook expected = stats(b, k);
        EXPECT_EQ(fetched(size), expected.size) << n << " x " << k;
        expect_all_near("sum", fetched(sum), expected.sum, 1e-6);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(CodebookOnDevice, UpdateDecaysDividesAndRevives) {
  Random random(2);
  struct Sizes {
    Size n, k, d, available;  // how much of the order there is
  };
  for (const Sizes& s : {Sizes{1, 1, 1, 1}, Sizes{31, 67, 7, 0}, Sizes{67, 31, 7, 5},
                         Sizes{301, 13, 37, 301}, Sizes{67, 1030, 2, 33}, Sizes{1, 67, 3, 1}}) {
    const Batch b = draw_batch(random, s.n, s.k, s.d);
    const Codebook before = draw_codebook(random, s.k, s.d);
    device::LivingCodebook living = sent(before);
    EXPECT_FALSE(update(living, b, at(s.available)));
    expect_state(living, updated(before, b, at(s.available)));
    if (HasFatalFailure()) return;
  }
}

TEST_F(CodebookOnDevice, NobodyIsDeadInAYoungCodebook) {
  Random random(3);
  const Batch b = draw_batch(random, 67, 31, 3);
  for (const Size updates : {0, 9, 10}) {  // young still after 10 updates, not after 11
    Codebook before = draw_codebook(random, 31, 3);
    before.updates = updates;
    device::LivingCodebook living = sent(before);
    update(living, b, at(b.n));
    expect_state(living, updated(before, b, at(b.n)));
  }
}

// Nothing comes back between steps: the state that stayed is the state that goes on.
TEST_F(CodebookOnDevice, StepsFollowOneAnotherOnTheDevice) {
  Random random(4);
  Codebook expected = draw_codebook(random, 13, 5);
  device::LivingCodebook living = sent(expected);
  for (int step = 0; step < 3; ++step) {
    const Batch b = draw_batch(random, 67, 13, 5);
    update(living, b, at(b.n));
    expected = updated(expected, b, at(b.n));
  }
  expect_state(living, expected);
}

TEST_F(CodebookOnDevice, SaysSoWhereASizeIsNone) {
  Random random(5);
  const Batch b = draw_batch(random, 31, 67, 3);
  for (const double wrong : {-1.0, std::nan("")}) {
    Codebook c = draw_codebook(random, 67, 3);
    c.size.back() = wrong;  // which revival would cover, were it looked for afterwards
    device::LivingCodebook living = sent(c);
    EXPECT_TRUE(update(living, b, at(b.n)));
  }
}

TEST_F(CodebookOnDevice, QuantizesWithTheCodebookThatCame) {
  Random random(6);
  const Size n = 67, k = 13, d = 5;
  const Batch b = draw_batch(random, n, k, d);
  const auto z = on_device(b.z);
  const device::LivingCodebook living = sent(draw_codebook(random, k, d));
  const device::QuantizedRows rows = device::quantize(z.data(), living, n);
  device::Buffer<std::int64_t> nearest(n);
  device::nearest_code(z.data(), living.codebook.data(), nearest.data(), n, k, d);
  const std::vector<std::int64_t> indices = fetched(rows.indices);
  EXPECT_EQ(indices, fetched(nearest));
  const std::vector<float> codes = fetched(living.codebook), z_q = fetched(rows.z_q);
  double sum = 0.0;
  for (Size i = 0; i < n * d; ++i) {
    const float code = codes[at(indices[at(i / d)] * d + i % d)];
    ASSERT_EQ(z_q[at(i)], code) << "element " << i;
    sum += std::pow(double(b.z[at(i)]) - double(code), 2);
  }
  expect_all_near("sqdist", fetched(rows.sqdist), {sum}, 1e-12);
}

}  // namespace
}  // namespace latent

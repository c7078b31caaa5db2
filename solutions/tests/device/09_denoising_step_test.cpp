// The kernels of lab 09 at sizes that a block does not divide.

#include <algorithm>
#include <cmath>
#include <functional>

#include "solutions/09_denoising_step/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"

namespace latent {
namespace {

using device::Size;
using Floats = std::vector<float>;

struct Sizes {
  Size n, d;

  std::size_t count() const { return static_cast<std::size_t>(n * d); }
  std::size_t row(std::size_t i) const { return i / static_cast<std::size_t>(d); }
};

constexpr Sizes kSizes[] = {{0, 3}, {1, 1}, {3, 367}, {31, 67}};

class DenoisingOnDevice : public DeviceTest {
 protected:
  Floats draw(const Sizes& s) { return normal_floats(random_, s.n * s.d); }

  static void expect_near(const Floats& got, const std::function<double(std::size_t)>& expected,
                          double scale = 1.0) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(std::abs(got[i] - expected(i)) <= 2e-6 * scale)
          << i << " of " << got.size() << ": " << got[i] << ", not " << expected(i);
    }
  }

  /// a falls from row to row, and every row has a timestep of its own.
  static double alpha(std::size_t row) { return 0.98 - 0.03 * static_cast<double>(row); }

  static device::Buffer<device::Turn> turns(const Sizes& s) {
    std::vector<std::int64_t> t;
    std::vector<double> alphas;
    for (Size row = 0; row < s.n; ++row) {
      t.push_back(s.n - 1 - row);  // in the order of rows only once it was looked up
      alphas.push_back(alpha(static_cast<std::size_t>(s.n - 1 - row)));
    }
    const auto steps = on_device(t);
    const auto there = on_device(alphas);
    device::Buffer<device::Turn> made(s.n);
    device::turns_of(steps.data(), there.data(), made.data(), s.n);
    return made;
  }

  Random random_{20261127};
};

TEST_F(DenoisingOnDevice, TurnsEveryRowByItsOwnAngle) {
  for (const Sizes& s : kSizes) {
    const Floats x0 = draw(s), eps = draw(s);
    const auto clean = on_device(x0), noise = on_device(eps);
    const auto angles = turns(s);
    device::Buffer<float> x_t(s.n * s.d), v(s.n * s.d), x_t_too(s.n * s.d), v_too(s.n * s.d);
    device::add_noise(clean.data(), noise.data(), angles.data(), x_t.data(), s.n, s.d);
    device::velocity(clean.data(), noise.data(), angles.data(), v.data(), s.n, s.d);
    device::noise_and_velocity(clean.data(), noise.data(), angles.data(), x_t_too.data(),
                               v_too.data(), s.n, s.d);
    const auto noisy = [&](std::size_t i) {
      const double a = alpha(s.row(i));
      return std::sqrt(a) * x0[i] + std::sqrt(1.0 - a) * eps[i];
    };
    const auto turned = [&](std::size_t i) {
      const double a = alpha(s.row(i));
      return std::sqrt(a) * eps[i] - std::sqrt(1.0 - a) * x0[i];
    };
    expect_near(fetched(x_t), noisy, 4.0);
    expect_near(fetched(v), turned, 4.0);
    expect_near(fetched(x_t_too), noisy, 4.0);
    expect_near(fetched(v_too), turned, 4.0);
  }
}

constexpr double kA = 0.37;

/// The three kinds of predictions at a = kA, as denoising_step.hpp writes them.
const device::Conversion kConversions[] = {
    {1.0 / std::sqrt(kA), -std::sqrt(1.0 - kA) / std::sqrt(kA), 0.0, 1.0},
    {0.0, 1.0, 1.0 / std::sqrt(1.0 - kA), -std::sqrt(kA) / std::sqrt(1.0 - kA)},
    {std::sqrt(kA), -std::sqrt(1.0 - kA), std::sqrt(1.0 - kA), std::sqrt(kA)},
};

TEST_F(DenoisingOnDevice, MakesBothSumsOfAPrediction) {
  for (const Sizes& s : kSizes) {
    const Floats x = draw(s), o = draw(s);
    const auto x_t = on_device(x), output = on_device(o);
    for (const device::Conversion& c : kConversions) {
      device::Buffer<float> x0(s.n * s.d), eps(s.n * s.d);
      device::convert_prediction(c, x_t.data(), output.data(), x0.data(), eps.data(), s.n * s.d);
      expect_near(
          fetched(x0), [&](std::size_t i) { return c.x0_of_x * x[i] + c.x0_of_output * o[i]; },
          8.0);
      expect_near(
          fetched(eps), [&](std::size_t i) { return c.eps_of_x * x[i] + c.eps_of_output * o[i]; },
          8.0);
    }
  }
}

/// Draws arrays, does a step, and asks for both results.
class StepOnDevice : public DenoisingOnDevice {
 protected:
  /// x' of x_t, the output, x_0 as it was clipped, and the noise.
  using Formula = std::function<double(double x, double o, double x0, double noise)>;

  void expect_step(const device::Step& step, const device::Conversion& c, double clip,
                   const Formula& formula) {
    for (const Sizes& s : kSizes) {
      const Floats x = draw(s), o = draw(s), n = draw(s);
      const auto x_t = on_device(x), output = on_device(o), noise = on_device(n);
      device::Buffer<float> prev(s.n * s.d), x0(s.n * s.d);
      device::denoising_step(
          step,
          {x_t.data(), output.data(), step.of_noise == 0.0F ? nullptr : noise.data(), prev.data(),
           x0.data()},
          s.n * s.d);
      const auto clipped = [&](std::size_t i) {
        return std::clamp(c.x0_of_x * x[i] + c.x0_of_output * o[i], -clip, clip);
      };
      expect_near(fetched(x0), clipped, 8.0);
      expect_near(
          fetched(prev), [&](std::size_t i) { return formula(x[i], o[i], clipped(i), n[i]); },
          16.0);
    }
  }
};

TEST_F(StepOnDevice, OfDdim) {
  for (const device::Conversion& c : kConversions) {
    for (const double next : {0.61, 1.0}) {
      for (const double eta : {0.0, 0.7}) {
        const double sigma = eta * std::sqrt((1.0 - next) / (1.0 - kA) * (1.0 - kA / next));
        const double direction = std::sqrt(1.0 - next - sigma * sigma);
        expect_step(device::ddim(c, kA, next, eta, 0.8, false), c, 0.8,
                    [&](double x, double o, double x0, double noise) {
                      const double eps = c.eps_of_x * x + c.eps_of_output * o;
                      return std::sqrt(next) * x0 + direction * eps + sigma * noise;
                    });
        expect_step(device::ddim(c, kA, next, eta, 0.8, true), c, 0.8,
                    [&](double x, double, double x0, double noise) {
                      const double eps = (x - std::sqrt(kA) * x0) / std::sqrt(1.0 - kA);
                      return std::sqrt(next) * x0 + direction * eps + sigma * noise;
                    });
      }
    }
  }
}

TEST_F(StepOnDevice, OfDdpm) {
  for (const device::Conversion& c : kConversions) {
    for (const double next : {0.61, 1.0}) {
      for (const bool large : {false, true}) {
        const double beta = 1.0 - kA / next;
        const double variance = large ? beta : (1.0 - next) / (1.0 - kA) * beta;
        expect_step(device::ddpm(c, kA, next, INFINITY, large), c, INFINITY,
                    [&](double x, double, double x0, double noise) {
                      return std::sqrt(next) * beta / (1.0 - kA) * x0 +
                             std::sqrt(kA / next) * (1.0 - next) / (1.0 - kA) * x +
                             (next == 1.0 ? 0.0 : std::sqrt(variance)) * noise;
                    });
      }
    }
  }
}

TEST_F(StepOnDevice, OfEuler) {
  const device::Conversion c{1.0, -1.3, 0.0, 1.0};
  for (const double next : {0.4, 0.0}) {
    expect_step(device::euler(c, 1.3, next), c, INFINITY, [&](double x, double, double x0, double) {
      return x + (next - 1.3) * (x - x0) / 1.3;
    });
  }
}

TEST_F(StepOnDevice, LeavesNanWhereItWas) {
  const auto x_t = on_device(Floats{1.0F, NAN}), output = on_device(Floats{0.5F, 0.5F});
  device::Buffer<float> prev(2), x0(2);
  device::denoising_step(device::ddim(kConversions[2], kA, 0.6, 0.0, 1.0, true),
                         {x_t.data(), output.data(), nullptr, prev.data(), x0.data()}, 2);
  const Floats got = fetched(prev), aimed = fetched(x0);
  EXPECT_TRUE(std::isfinite(got[0]) && std::isfinite(aimed[0]));
  EXPECT_TRUE(std::isnan(got[1]) && std::isnan(aimed[1]));
}

TEST_F(DenoisingOnDevice, WeighsTheLossRowByRowAndGivesItsGradient) {
  for (const Sizes& s : kSizes) {
    if (s.n == 0) continue;
    const Floats o = draw(s), target = draw(s);
    std::vector<double> weight;
    for (Size row = 0; row < s.n; ++row) weight.push_back(0.1 + 0.3 * static_cast<double>(row));
    const auto output = on_device(o), wanted = on_device(target);
    const auto weights = on_device(weight);
    device::Buffer<float> gradient(s.n * s.d);
    device::Buffer<double> loss(1);
    device::denoiser_loss(output.data(), wanted.data(), weights.data(), gradient.data(),
                          loss.data(), s.n, s.d);
    double expected = 0.0;
    const auto elements = static_cast<double>(s.count());
    for (std::size_t i = 0; i < s.count(); ++i) {
      const double difference = double(o[i]) - double(target[i]);
      expected += weight[s.row(i)] * difference * difference / elements;
    }
    EXPECT_TRUE(std::abs(fetched(loss)[0] - expected) <= 1e-6 * expected) << s.n << " x " << s.d;
    expect_near(
        fetched(gradient),
        [&](std::size_t i) {
          return 2.0 * weight[s.row(i)] / elements * (double(o[i]) - double(target[i]));
        },
        2.0 * weight.back() / elements * 4.0);
  }
}

TEST_F(DenoisingOnDevice, ScalesAndWalks) {
  for (const Sizes& s : kSizes) {
    const Floats x = draw(s), p = draw(s), q = draw(s);
    const auto sample = on_device(x), there = on_device(p), here = on_device(q);
    device::Buffer<float> scaled(s.n * s.d), walked(s.n * s.d), away(s.n * s.d);
    device::scale_model_input(sample.data(), 1.7, scaled.data(), s.n * s.d);
    device::walk(sample.data(), -0.7, there.data(), nullptr, walked.data(), s.n * s.d);
    device::walk(sample.data(), 7.5, there.data(), here.data(), away.data(), s.n * s.d);
    expect_near(
        fetched(scaled), [&](std::size_t i) { return x[i] / std::sqrt(1.7 * 1.7 + 1.0); }, 4.0);
    expect_near(
        fetched(walked), [&](std::size_t i) { return x[i] - 0.7 * p[i]; }, 4.0);
    expect_near(
        fetched(away), [&](std::size_t i) { return x[i] + 7.5 * (double(p[i]) - double(q[i])); },
        32.0);
  }
}

TEST_F(DenoisingOnDevice, PullsEveryRowBackByItsOwnQuantile) {
  for (const Sizes& s : kSizes) {
    Floats x = draw(s);  // some rows stay within 1, most do not
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= static_cast<float>(s.row(i) % 5) * 0.5F;
    for (const double ratio : {0.0, 0.813, 1.0}) {
      auto result = on_device(x);
      device::dynamic_threshold(result.data(), ratio, result.data(), s.n, s.d);
      std::vector<double> limits;
      for (Size row = 0; row < s.n; ++row) {
        std::vector<double> sorted(x.begin() + row * s.d, x.begin() + (row + 1) * s.d);
        for (double& value : sorted) value = std::abs(value);
        std::sort(sorted.begin(), sorted.end());
        const double place = static_cast<double>(s.d - 1) * ratio, below = std::floor(place);
        const auto lower = static_cast<std::size_t>(below);
        const auto upper = std::min(lower + 1, sorted.size() - 1);
        limits.push_back(
            std::max(1.0, sorted[lower] + (place - below) * (sorted[upper] - sorted[lower])));
      }
      expect_near(fetched(result), [&](std::size_t i) {
        const double m = limits[s.row(i)];
        return std::clamp(double(x[i]), -m, m) / m;
      });
    }
  }
}

}  // namespace
}  // namespace latent

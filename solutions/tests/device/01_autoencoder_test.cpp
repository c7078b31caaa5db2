// The kernels of lab 01 at sizes that their tiles do not divide.

#include "solutions/01_autoencoder/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"
#include "solutions/tests/device/expect_close.hpp"

namespace latent {
namespace {

using device::Size;
using Doubles = std::vector<double>;

Doubles zeros(Size count) {
  return Doubles(static_cast<std::size_t>(count));
}

std::string sizes(Size n, Size in, Size out) {
  return std::to_string(n) + " x " + std::to_string(in) + " x " + std::to_string(out);
}

class LinearOnDevice : public DeviceTest {
 protected:
  LinearOnDevice() : random(20261128) {}

  /// What the layer yields, in double.
  static Doubles forward(const std::vector<float>& x, const std::vector<float>& weight,
                         const std::vector<float>& bias, Size n, Size in, Size out) {
    Doubles y = zeros(n * out);
    for (Size i = 0; i < n * out; ++i) {
      const Size row = i / out, o = i % out;
      double sum = double(bias[static_cast<std::size_t>(o)]);
      for (Size j = 0; j < in; ++j)
        sum += double(x[static_cast<std::size_t>(row * in + j)]) *
               double(weight[static_cast<std::size_t>(o * in + j)]);
      y[static_cast<std::size_t>(i)] = sum;
    }
    return y;
  }

  void check_forward(Size n, Size in, Size out) {
    const auto x = normal_floats(random, n * in), weight = normal_floats(random, out * in),
               bias = normal_floats(random, out);
    const auto on_x = on_device(x), on_weight = on_device(weight), on_bias = on_device(bias);
    device::Buffer<float> y(n * out);
    Doubles expected = forward(x, weight, bias, n, in, out);
    device::linear_forward(on_x.data(), on_weight.data(), on_bias.data(), y.data(), n, in, out);
    expect_close(fetched(y), expected, "linear_forward of " + sizes(n, in, out));
    for (double& value : expected) value = std::tanh(value);
    device::linear_tanh(on_x.data(), on_weight.data(), on_bias.data(), y.data(), n, in, out);
    expect_close(fetched(y), expected, "linear_tanh of " + sizes(n, in, out), 1e-5);
  }

  void check_backward(Size n, Size in, Size out, float keep) {
    const auto dy = normal_floats(random, n * out), x = normal_floats(random, n * in),
               weight = normal_floats(random, out * in), was = normal_floats(random, n * in);
    Doubles dx(was.begin(), was.end()), dweight = zeros(out * in), dbias = zeros(out);
    for (double& value : dx) value *= double(keep);
    for (Size row = 0; row < n; ++row) {
      for (Size o = 0; o < out; ++o) {
        const double d = double(dy[static_cast<std::size_t>(row * out + o)]);
        dbias[static_cast<std::size_t>(o)] += d;
        for (Size i = 0; i < in; ++i) {
          const auto at_x = static_cast<std::size_t>(row * in + i);
          const auto at_w = static_cast<std::size_t>(o * in + i);
          dx[at_x] += d * double(weight[at_w]);
          dweight[at_w] += d * double(x[at_x]);
        }
      }
    }
    const auto on_dy = on_device(dy), on_x = on_device(x), on_weight = on_device(weight);
    // Where nothing is kept nothing may be read either: a new buffer is full of NaN.
    auto on_dx = keep == 0.0F ? device::Buffer<float>(n * in) : on_device(was);
    device::Buffer<float> on_dweight(out * in), on_dbias(out);
    device::linear_backward(on_dy.data(), on_x.data(), on_weight.data(), on_dx.data(),
                            on_dweight.data(), on_dbias.data(), n, in, out, keep);
    expect_close(fetched(on_dx), dx, "dx of " + sizes(n, in, out));
    expect_close(fetched(on_dweight), dweight, "dW of " + sizes(n, in, out));
    expect_close(fetched(on_dbias), dbias, "db of " + sizes(n, in, out));
  }

  Random random;
};

TEST_F(LinearOnDevice, IsALinearLayerAtAwkwardSizes) {
  for (const Size n : kAwkward) {
    for (const Size out : kAwkward) check_forward(n, 37, out);
    check_forward(n, 1, 1100);  // more than a block of each() in a row
  }
  check_forward(3, 0, 5);
  check_forward(0, 4, 5);
}

TEST_F(LinearOnDevice, CarriesGradientsBackAtAwkwardSizes) {
  for (const Size n : kAwkward) {
    for (const Size out : kAwkward) check_backward(n, 5, out, 0.0F);
    check_backward(n, 3, 7, 1.0F);
  }
  check_backward(0, 4, 33, 0.0F);
}

TEST_F(LinearOnDevice, LeavesOutAGradientThatNobodyAsksFor) {
  const auto one = on_device(std::vector<float>{2.0F});
  device::Buffer<float> dweight(1), dbias(1);
  device::linear_backward(one.data(), one.data(), one.data(), nullptr, dweight.data(), dbias.data(),
                          1, 1, 1);
  EXPECT_EQ(fetched(dweight)[0], 4.0F);
  EXPECT_EQ(fetched(dbias)[0], 2.0F);
}

// Rows are cut into slices of 256, and of more where that would be more than 512 slices.
TEST_F(LinearOnDevice, SumsColumnsUpInSlices) {
  using Shape = std::pair<Size, Size>;
  for (const auto& [n, d] : {Shape(257, 33), Shape(523, 31), Shape(131073, 1)}) {
    const auto x = normal_floats(random, n * d);
    Doubles expected = zeros(d);
    for (Size i = 0; i < n * d; ++i)
      expected[static_cast<std::size_t>(i % d)] += double(x[static_cast<std::size_t>(i)]);
    const auto on_x = on_device(x);
    device::Buffer<float> sums(d);
    device::column_sums(on_x.data(), sums.data(), n, d);
    expect_close(fetched(sums), expected, sizes(n, d, 1), 1e-7);
  }
}

class ElementsOnDevice : public DeviceTest {};

constexpr Size kCounts[] = {0, 1, 67, 1031};  // each() takes 1024 to a block

TEST_F(ElementsOnDevice, TanhAndItsGradient) {
  Random random(4);
  for (const Size n : kCounts) {
    auto x = normal_floats(random, n, 2.0);
    if (n > 1) x[1] = 800.0F;
    const auto dy = normal_floats(random, n);
    Doubles y(x.begin(), x.end()), dx(dy.begin(), dy.end());
    for (double& value : y) value = std::tanh(value);
    for (std::size_t i = 0; i < dx.size(); ++i) dx[i] *= 1.0 - y[i] * y[i];
    auto on_y = on_device(x), on_dx = on_device(dy);
    device::tanh_forward(on_y.data(), on_y.data(), n);
    expect_close(fetched(on_y), y, "tanh of " + std::to_string(n), 5e-7);
    device::tanh_backward(on_dx.data(), on_y.data(), on_dx.data(), n);
    expect_close(fetched(on_dx), dx, "its gradient, of " + std::to_string(n), 1e-6);
  }
}

TEST_F(ElementsOnDevice, AdamStepsFromStepToStep) {
  Random random(5);
  const device::Adam adam{0.05, 0.8, 0.95, 1e-3};
  for (const Size n : kCounts) {
    const auto start = normal_floats(random, n);
    const std::vector<float> none(start.size());
    auto parameter = on_device(start), m = on_device(none), v = on_device(none);
    Doubles p(start.begin(), start.end()), first(none.size()), second(none.size());
    for (int step = 1; step <= 3; ++step) {
      const auto gradient = normal_floats(random, n, 0.1);
      const auto g = on_device(gradient);
      device::adam_step(parameter.data(), m.data(), v.data(), g.data(), n, step, adam);
      for (std::size_t i = 0; i < p.size(); ++i) {
        const double slope = double(gradient[i]);
        first[i] = 0.8 * first[i] + (1.0 - 0.8) * slope;
        second[i] = 0.95 * second[i] + (1.0 - 0.95) * slope * slope;
        const double m_hat = first[i] / (1.0 - std::pow(0.8, step));
        const double v_hat = second[i] / (1.0 - std::pow(0.95, step));
        p[i] -= 0.05 * m_hat / (std::sqrt(v_hat) + 1e-3);
      }
    }
    expect_close(fetched(parameter), p, "parameters, " + std::to_string(n), 1e-6);
    expect_close(fetched(m), first, "first moments, " + std::to_string(n), 1e-7);
    expect_close(fetched(v), second, "second moments, " + std::to_string(n), 1e-8);
  }
}

class ConvolutionOnDevice : public DeviceTest {
 protected:
  static Doubles convolved(const std::vector<float>& x, const std::vector<float>& weight,
                           const std::vector<float>& bias, const device::Convolution& c) {
    Doubles y;
    for (Size at = 0; at < c.n * c.co * c.out_h * c.out_w; ++at) {
      const Size j = at % c.out_w, i = at / c.out_w % c.out_h, o = at / c.out_w / c.out_h % c.co;
      const Size n = at / c.out_w / c.out_h / c.co;
      double sum = double(bias[static_cast<std::size_t>(o)]);
      for (Size tap = 0; tap < c.ci * c.k * c.k; ++tap) {
        const Size channel = tap / c.k / c.k, row = c.stride * i + tap / c.k % c.k - c.top;
        const Size column = c.stride * j + tap % c.k - c.left;
        if (row < 0 || row >= c.h || column < 0 || column >= c.w) continue;
        const Size from = ((n * c.ci + channel) * c.h + row) * c.w + column;
        sum += double(x[static_cast<std::size_t>(from)]) *
               double(weight[static_cast<std::size_t>(o * c.ci * c.k * c.k + tap)]);
      }
      y.push_back(sum);
    }
    return y;
  }

  void check(Size n, Size ci, Size h, Size w, Size co, Size k, Size stride, Size left, Size right,
             Size top, Size bottom) {
    const device::Convolution c{n,
                                ci,
                                h,
                                w,
                                co,
                                k,
                                (top + h + bottom - k) / stride + 1,
                                (left + w + right - k) / stride + 1,
                                stride,
                                left,
                                top};
    const auto x = normal_floats(random, n * ci * h * w), bias = normal_floats(random, co),
               weight = normal_floats(random, co * ci * k * k);
    const auto on_x = on_device(x), on_weight = on_device(weight), on_bias = on_device(bias);
    device::Buffer<float> y(n * co * c.out_h * c.out_w);
    device::conv2d_forward(on_x.data(), on_weight.data(), on_bias.data(), y.data(), c);
    expect_close(fetched(y), convolved(x, weight, bias, c),
                 sizes(n, ci, co) + ", " + sizes(h, w, k) + ", stride " + std::to_string(stride));
  }

  Random random{9};
};

TEST_F(ConvolutionOnDevice, IsTheSumOfProductsAtAwkwardSizes) {
  for (const Size co : {1, 16, 17, 64, 67}) check(2, 3, 5, 7, co, 3, 1, 1, 1, 1, 1);
  for (const Size ci : {1, 16, 31}) check(1, ci, 8, 9, 5, 1, 1, 0, 0, 0, 0);
}

TEST_F(ConvolutionOnDevice, PadsEachSideOnItsOwn) {
  check(1, 2, 4, 3, 3, 2, 1, 2, 0, 0, 1);
  check(3, 2, 4, 3, 18, 4, 2, 0, 5, 3, 0);
  check(2, 1, 9, 11, 2, 3, 3, 0, 1, 0, 1);
  check(1, 1, 1, 1, 1, 5, 1, 2, 2, 2, 2);
}

TEST_F(ConvolutionOnDevice, TakesNoSamplesAndNoChannels) {
  check(0, 2, 4, 4, 3, 3, 1, 1, 1, 1, 1);
  check(2, 0, 4, 4, 3, 3, 1, 1, 1, 1, 1);
}

}  // namespace
}  // namespace latent

// The kernels of lab 04 at sizes that no tile divides, and a VAE whose gradients are differences.

#include "solutions/04_training_a_vae/kernels.hpp"
#include "solutions/tests/device/device_test.hpp"
#include "solutions/tests/device/expect_close.hpp"

namespace latent {
namespace {

using device::Size;
using Doubles = std::vector<double>;

Doubles doubles(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

/// KL of one dimension.
double kl(double mu, double log_var) {
  return 0.5 * (mu * mu + (std::expm1(log_var) - log_var));
}

class LossOnDevice : public DeviceTest {
 protected:
  void check_beta_loss(Size n, Size d, Size l, double beta) {
    const auto x = normal_floats(random, n * d), x_hat = normal_floats(random, n * d),
               mu = normal_floats(random, n * l), log_var = normal_floats(random, n * l);
    const double share = 1.0 / static_cast<double>(n);
    Doubles terms(2), dx_hat, dmu, dlog_var;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = double(x_hat[i]) - double(x[i]);
      terms[0] += share * error * error;
      dx_hat.push_back(2.0 * share * error);
    }
    for (std::size_t i = 0; i < mu.size(); ++i) {
      terms[1] += share * kl(double(mu[i]), double(log_var[i]));
      dmu.push_back(beta * share * double(mu[i]));
      dlog_var.push_back(0.5 * beta * share * std::expm1(double(log_var[i])));
    }
    const auto on_x = on_device(x), on_x_hat = on_device(x_hat), on_mu = on_device(mu),
               on_log_var = on_device(log_var);
    device::Buffer<double> on_terms(2), per_sample(n);
    device::Buffer<float> on_dx_hat(n * d), on_dmu(n * l), on_dlog_var(n * l);
    device::beta_loss(on_x.data(), on_x_hat.data(), on_mu.data(), on_log_var.data(), beta,
                      on_terms.data(), per_sample.data(), on_dx_hat.data(), on_dmu.data(),
                      on_dlog_var.data(), n, d, l);
    expect_close(fetched(on_terms), terms, "terms", 1e-12);
    expect_close(fetched(on_dx_hat), dx_hat, "gradient for x_hat", 2e-7);
    expect_close(fetched(on_dmu), dmu, "gradient for mu", 2e-7);
    expect_close(fetched(on_dlog_var), dlog_var, "gradient for log_var", 2e-7);
  }

  /// Value and gradient of n x d pixels.
  static std::pair<double, std::vector<float>> bce(const std::vector<float>& logits,
                                                   const std::vector<float>& x, Size n, Size d) {
    const auto on_logits = on_device(logits), on_x = on_device(x);
    device::Buffer<double> value(1);
    device::Buffer<float> gradient(n * d);
    device::bce_with_logits(on_logits.data(), on_x.data(), value.data(), gradient.data(), n, d);
    return {fetched(value)[0], fetched(gradient)};
  }

  Random random{20261201};
};

TEST_F(LossOnDevice, BetaLossHasTermsAndGradientsAtAwkwardSizes) {
  for (const Size n : kAwkward) {
    for (const Size l : {1, 5, 33}) check_beta_loss(n, 37, l, 0.3);
  }
  check_beta_loss(3, 1, 2, 0.0);
}

TEST_F(LossOnDevice, BceHasAValueAndAGradientAtAwkwardSizes) {
  for (const Size n : kAwkward) {
    for (const Size d : {1, 37}) {
      const auto logits = normal_floats(random, n * d, 5.0);
      auto x = normal_floats(random, n * d);
      for (float& pixel : x) pixel = std::clamp(pixel, 0.0F, 1.0F);  // half of them are 0
      double value = 0.0;
      Doubles gradient;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double logit = double(logits[i]), pixel = double(x[i]);
        value += (std::max(logit, 0.0) - logit * pixel + std::log1p(std::exp(-std::abs(logit)))) /
                 static_cast<double>(n);
        gradient.push_back((1.0 / (1.0 + std::exp(-logit)) - pixel) / static_cast<double>(n));
      }
      const auto got = bce(logits, x, n, d);
      expect_close(Doubles{got.first}, {value}, "value", 2e-7);
      expect_close(got.second, gradient, "gradient", 2e-7);
    }
  }
}

TEST_F(LossOnDevice, BceKeepsItsDigitsFarOut) {
  const auto expect = [](float logit, float pixel, double cost, double slope) {
    const auto got = bce({logit}, {pixel}, 1, 1);
    EXPECT_LE(std::abs(got.first - cost), 1e-6 * cost) << logit << ", " << pixel;
    EXPECT_LE(std::abs(double(got.second[0]) - slope), 1e-6 * std::abs(slope)) << logit;
  };
  expect(-50.0F, 1.0F, 50.0, -1.0);
  expect(40.0F, 1.0F, std::exp(-40.0), 0.0);
  expect(-40.0F, 0.0F, std::exp(-40.0), std::exp(-40.0));
  expect(1000.0F, 0.0F, 1000.0, 1.0);
  expect(40.0F, 1.0F - 0x1p-24F, 40.0 * 0x1p-24, 0x1p-24);  // l and l x would cancel
}

/// A VAE in loops and doubles. Its gradients are differences of its losses.
class VaeOnDevice : public DeviceTest {
 protected:
  struct Pass {
    Doubles encoder_hidden, mu, log_var, z, decoder_hidden, x_hat;
  };

  VaeOnDevice() : random(20261202) {}

  static Doubles apply(const device::LayerAt& at, const Doubles& parameters, const Doubles& x) {
    const auto in = static_cast<std::size_t>(at.in), out = static_cast<std::size_t>(at.out);
    Doubles y;
    for (std::size_t row = 0; row < x.size() / in; ++row) {
      for (std::size_t o = 0; o < out; ++o) {
        const double* weight = parameters.data() + at.weight + o * in;
        double sum = parameters[static_cast<std::size_t>(at.bias) + o];
        for (std::size_t i = 0; i < in; ++i) sum += weight[i] * x[row * in + i];
        y.push_back(sum);
      }
    }
    return y;
  }

  static Doubles tanh_of(Doubles x) {
    for (double& value : x) value = std::tanh(value);
    return x;
  }

  static Pass forward(const device::VaeLayout& at, const Doubles& parameters, const Doubles& x,
                      const Doubles& eps) {
    Pass pass;
    pass.encoder_hidden = tanh_of(apply(at.encoder_hidden, parameters, x));
    pass.mu = apply(at.mu, parameters, pass.encoder_hidden);
    pass.log_var = apply(at.log_var, parameters, pass.encoder_hidden);
    for (std::size_t i = 0; i < eps.size(); ++i)
      pass.z.push_back(pass.mu[i] + std::exp(0.5 * pass.log_var[i]) * eps[i]);
    pass.decoder_hidden = tanh_of(apply(at.decoder_hidden, parameters, pass.z));
    pass.x_hat = apply(at.decoder_output, parameters, pass.decoder_hidden);
    return pass;
  }

  /// Where parameters lie; between them there are gaps.
  static std::vector<std::size_t> places(const device::LayerAt& layer, bool bias) {
    std::vector<std::size_t> at(static_cast<std::size_t>(layer.out * (bias ? 1 : layer.in)));
    for (std::size_t i = 0; i < at.size(); ++i)
      at[i] = static_cast<std::size_t>(bias ? layer.bias : layer.weight) + i;
    return at;
  }

  /// Of a loss with respect to all parameters; zeros in the gaps.
  template <class LossOf>
  static Doubles differences(const device::VaeLayout& layout, Doubles parameters, LossOf loss_of) {
    Doubles gradient(parameters.size());
    for (const device::LayerAt& layer : layout.layers()) {
      for (const bool bias : {false, true}) {
        for (const std::size_t i : places(layer, bias)) {
          const double was = parameters[i], step = 1e-5;
          parameters[i] = was + step;
          const double above = loss_of(parameters);
          parameters[i] = was - step;
          gradient[i] = (above - loss_of(parameters)) / (2.0 * step);
          parameters[i] = was;
        }
      }
    }
    return gradient;
  }

  /// Compares weight by weight and bias by bias, each by its own scale.
  static void expect_layers(const device::VaeLayout& layout, const std::vector<float>& got,
                            const Doubles& expected, const std::string& what, double tolerance) {
    for (std::size_t l = 0; l < 5; ++l) {
      for (const bool bias : {false, true}) {
        std::vector<float> a;
        Doubles b;
        for (const std::size_t i : places(layout.layers()[l], bias)) {
          a.push_back(got[i]);
          b.push_back(expected[i]);
        }
        expect_close(a, b, what + " of layer " + std::to_string(l) + (bias ? ", bias" : ""),
                     tolerance);
      }
    }
  }

  std::vector<float> parameters_for(const device::VaeLayout& layout) {
    std::vector<float> parameters(static_cast<std::size_t>(layout.size));
    for (const device::LayerAt& layer : layout.layers()) {
      for (const bool bias : {false, true}) {
        for (const std::size_t i : places(layer, bias))
          parameters[i] = static_cast<float>(random.normal()) /
                          std::sqrt(static_cast<float>(bias ? 4 : layer.in));
      }
    }
    return parameters;
  }

  static double dot(const std::vector<float>& a, const Doubles& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * b[i];
    return sum;
  }

  void check_pass(Size n, const device::VaeSizes& sizes);
  void check_training(Size n, const device::VaeSizes& sizes);

  Random random;
};

/// One pass forth and back, of a loss that is linear in what the pass yields.
void VaeOnDevice::check_pass(Size n, const device::VaeSizes& sizes) {
  const device::VaeLayout layout(sizes);
  const auto parameters = parameters_for(layout), x = normal_floats(random, n * sizes.d),
             eps = normal_floats(random, n * sizes.l), dx_hat = normal_floats(random, n * sizes.d),
             dmu = normal_floats(random, n * sizes.l),
             dlog_var = normal_floats(random, n * sizes.l);
  const auto on_parameters = on_device(parameters), on_x = on_device(x), on_eps = on_device(eps);
  device::VaeActivations pass(sizes, n), back(sizes, n);
  device::vae_forward(sizes, on_parameters.data(), on_x.data(), on_eps.data(), pass);
  const Pass expected = forward(layout, doubles(parameters), doubles(x), doubles(eps));
  expect_close(fetched(pass.encoder_hidden), expected.encoder_hidden, "encoder_hidden", 5e-6);
  expect_close(fetched(pass.mu), expected.mu, "mu", 5e-6);
  expect_close(fetched(pass.log_var), expected.log_var, "log_var", 5e-6);
  expect_close(fetched(pass.z), expected.z, "z", 5e-6);
  expect_close(fetched(pass.decoder_hidden), expected.decoder_hidden, "decoder_hidden", 5e-6);
  expect_close(fetched(pass.x_hat), expected.x_hat, "x_hat", 5e-6);

  back.x_hat = on_device(dx_hat);
  back.mu = on_device(dmu);
  back.log_var = on_device(dlog_var);
  device::Buffer<float> gradient(layout.size);
  device::vae_backward(sizes, on_parameters.data(), on_x.data(), on_eps.data(), pass, back,
                       gradient.data());
  const auto loss_of = [&](const Doubles& moved) {
    const Pass at = forward(layout, moved, doubles(x), doubles(eps));
    return dot(dx_hat, at.x_hat) + dot(dmu, at.mu) + dot(dlog_var, at.log_var);
  };
  expect_layers(layout, fetched(gradient), differences(layout, doubles(parameters), loss_of),
                "gradient", 1e-5);
}

TEST_F(VaeOnDevice, GoesForthAndBackAtAwkwardSizes) {
  check_pass(1, {1, 1, 1, 1});
  check_pass(5, {3, 7, 2, 4});
  check_pass(67, {5, 33, 3, 31});
}

/// Three steps with a batch each, and nothing else that is copied.
void VaeOnDevice::check_training(Size n, const device::VaeSizes& sizes) {
  const device::VaeLayout layout(sizes);
  const device::Adam adam{0.02, 0.8, 0.9, 1e-2};
  const double beta = 0.4, share = 1.0 / static_cast<double>(n);
  const auto start = parameters_for(layout);
  Doubles parameters = doubles(start), m(start.size()), v(start.size()), gradient, terms;
  device::VaeTrainer trainer(sizes, n);
  trainer.parameters = on_device(start);
  for (int step = 1; step <= 3; ++step) {
    const auto x = normal_floats(random, n * sizes.d), eps = normal_floats(random, n * sizes.l);
    const auto terms_of = [&](const Doubles& moved) {
      const Pass at = forward(layout, moved, doubles(x), doubles(eps));
      Doubles both(2);
      for (std::size_t i = 0; i < x.size(); ++i)
        both[0] += share * std::pow(at.x_hat[i] - double(x[i]), 2);
      for (std::size_t i = 0; i < eps.size(); ++i) both[1] += share * kl(at.mu[i], at.log_var[i]);
      return both;
    };
    terms = terms_of(parameters);
    gradient = differences(layout, parameters, [&](const Doubles& moved) {
      const Doubles both = terms_of(moved);
      return both[0] + beta * both[1];
    });
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      m[i] = 0.8 * m[i] + 0.2 * gradient[i];
      v[i] = 0.9 * v[i] + 0.1 * gradient[i] * gradient[i];
      parameters[i] -= 0.02 * m[i] / (1.0 - std::pow(0.8, step)) /
                       (std::sqrt(v[i] / (1.0 - std::pow(0.9, step))) + 1e-2);
    }
    const auto on_x = on_device(x), on_eps = on_device(eps);
    device::vae_train_step(trainer, on_x.data(), on_eps.data(), beta, adam);
  }
  EXPECT_EQ(trainer.steps, 3);
  expect_close(fetched(trainer.terms), terms, "terms of the last step", 1e-5);
  expect_layers(layout, fetched(trainer.gradient), gradient, "gradient", 1e-5);
  // Whole arrays: in the gaps there are zeros on both sides.
  expect_close(fetched(trainer.parameters), parameters, "parameters", 1e-5);
  expect_close(fetched(trainer.first_moment), m, "first moments", 1e-5);
  expect_close(fetched(trainer.second_moment), v, "second moments", 1e-5);
}

TEST_F(VaeOnDevice, TrainsStepAfterStep) {
  check_training(1, {1, 1, 1, 1});
  check_training(5, {3, 7, 2, 4});
  check_training(37, {5, 33, 3, 31});
}

// An order of additions that changes from run to run would show in the last bits.
TEST_F(VaeOnDevice, TrainsToTheSameBitsAgain) {
  const device::VaeSizes sizes{5, 33, 3, 31};
  const auto start = parameters_for(device::VaeLayout(sizes)), x = normal_floats(random, 67 * 5),
             eps = normal_floats(random, 67 * 3);
  const auto trained = [&] {
    device::VaeTrainer trainer(sizes, 67);
    trainer.parameters = on_device(start);
    const auto on_x = on_device(x), on_eps = on_device(eps);
    for (int step = 0; step < 3; ++step)
      device::vae_train_step(trainer, on_x.data(), on_eps.data(), 0.1, {1e-2, 0.9, 0.999, 1e-8});
    return fetched(trainer.parameters);
  };
  EXPECT_EQ(trained(), trained());
}

}  // namespace
}  // namespace latent

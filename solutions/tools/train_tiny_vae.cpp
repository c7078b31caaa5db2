// Trains the small autoencoder that `./lab run 8` shows where no weights are given, on scenes drawn
// by common/scene.hpp, and writes it as two .safetensors files. The same seed gives the same files
// on the same kind of processor: samples are shared out between a fixed number of threads, and
// their gradients are added in a fixed order.
//
//   train_tiny_vae OUT [--steps N] [--seed N]    trains, writes OUT/{encoder,decoder}.safetensors
//   train_tiny_vae --check                       compares gradients with central differences

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "common/random.hpp"
#include "common/safetensors.hpp"
#include "common/scene.hpp"
#include "common/types.hpp"

namespace latent {
namespace {

constexpr Index kLatent = 4;  // channels; an eighth of the image's side would be harder
constexpr Index kSide = 48;   // of a training scene
constexpr int kBatch = 4, kThreads = 2;
constexpr double kBeta = 1e-5;  // of the KL divergence, per latent: keeps it from growing
constexpr double kRate = 2e-3;

// ---- the network ----------------------------------------------------------------------------

/// One sample's feature map: channels in rows, positions in columns.
struct Map {
  Matrix values;
  Index h = 0, w = 0;
};

/// A 3x3 convolution with padding 1; its numbers lie in one long vector with all the others.
struct Conv {
  Index ci = 0, co = 0, stride = 1;
  bool has_bias = true;
  Index at = 0;      // of the weight in that vector; the bias follows it
  std::string name;  // "3.conv.0"

  Index weights() const { return co * ci * 9; }
  Index size() const { return weights() + (has_bias ? co : 0); }
};

enum class Step { kConv, kRelu, kClamp, kUpsample, kRemember, kAdd };

struct Operation {
  Step step = Step::kRelu;
  Conv conv;
};

/// Puts together a list of operations, numbered as `nn.Sequential` numbers its layers.
class Builder {
 public:
  explicit Builder(Index first_parameter) : parameters_(first_parameter) {}

  Builder& conv(Index ci, Index co, Index stride, bool has_bias) {
    add_conv({ci, co, stride, has_bias, 0, std::to_string(layer_++)});
    return *this;
  }
  Builder& plain(Step step) {
    operations_.push_back({step, {}});
    ++layer_;
    return *this;
  }
  Builder& block(Index c) {
    operations_.push_back({Step::kRemember, {}});
    for (const char* part : {"0", "2", "4"}) {
      add_conv({c, c, 1, true, 0, std::to_string(layer_) + ".conv." + part});
      operations_.push_back({part[0] == '4' ? Step::kAdd : Step::kRelu, {}});
    }
    operations_.push_back({Step::kRelu, {}});
    ++layer_;
    return *this;
  }

  std::vector<Operation> operations() const { return operations_; }
  Index parameters() const { return parameters_; }

 private:
  void add_conv(Conv conv) {
    conv.at = parameters_;
    parameters_ += conv.size();
    operations_.push_back({Step::kConv, conv});
  }

  std::vector<Operation> operations_;
  Index parameters_;
  int layer_ = 0;
};

/// Two lists over one vector of parameters. The encoder's last convolution puts out moments.
struct Network {
  std::vector<Operation> encoder, decoder;
  Index parameters = 0;
};

Network network() {
  Builder encoder(0);
  encoder.conv(3, 16, 1, true).plain(Step::kRelu);
  encoder.conv(16, 24, 2, false).block(24);
  encoder.conv(24, 32, 2, false).block(32).block(32);
  encoder.conv(32, 2 * kLatent, 1, true);
  Builder decoder(encoder.parameters());
  decoder.plain(Step::kClamp).conv(kLatent, 32, 1, true).plain(Step::kRelu);
  decoder.block(32).block(32).plain(Step::kUpsample);
  decoder.conv(32, 24, 1, false).block(24).plain(Step::kUpsample);
  decoder.conv(24, 16, 1, false).plain(Step::kRelu).conv(16, 3, 1, true);
  return {encoder.operations(), decoder.operations(), decoder.parameters()};
}

// ---- forward and backward -------------------------------------------------------------------

Index out_side(Index side, Index stride) {
  return (side - 1) / stride + 1;
}

/// Calls visit(row of columns, in row, in col, out position) wherever the kernel meets the image.
template <typename Visit>
void for_each_tap(const Conv& conv, Index h, Index w, const Visit& visit) {
  const Index out_h = out_side(h, conv.stride), out_w = out_side(w, conv.stride);
  for (Index tap = 0; tap < 9; ++tap) {
    for (Index i = 0; i < out_h; ++i) {
      const Index row = conv.stride * i + tap / 3 - 1;
      if (row < 0 || row >= h) continue;
      for (Index j = 0; j < out_w; ++j) {
        const Index col = conv.stride * j + tap % 3 - 1;
        if (col >= 0 && col < w) visit(tap, row * w + col, i * out_w + j);
      }
    }
  }
}

/// What the kernel sees at each position, in columns.
Matrix columns_of(const Conv& conv, const Map& x) {
  const Index positions = out_side(x.h, conv.stride) * out_side(x.w, conv.stride);
  Matrix columns = Matrix::Zero(conv.ci * 9, positions);
  for (Index c = 0; c < conv.ci; ++c) {
    const float* from = x.values.row(c).data();
    float* to = columns.row(c * 9).data();
    for_each_tap(conv, x.h, x.w,
                 [&](Index tap, Index in, Index out) { to[tap * positions + out] = from[in]; });
  }
  return columns;
}

Map conv_forward(const Conv& conv, const float* parameters, const Map& x) {
  const Eigen::Map<const Matrix> weight(parameters + conv.at, conv.co, conv.ci * 9);
  Map y{weight * columns_of(conv, x), out_side(x.h, conv.stride), out_side(x.w, conv.stride)};
  if (conv.has_bias) {
    y.values.colwise() +=
        Eigen::Map<const Eigen::VectorXf>(parameters + conv.at + conv.weights(), conv.co);
  }
  return y;
}

/// Adds to the gradient, returns that of x.
Map conv_backward(const Conv& conv, const float* parameters, const Map& x, const Map& dy,
                  float* gradient) {
  const Eigen::Map<const Matrix> weight(parameters + conv.at, conv.co, conv.ci * 9);
  Eigen::Map<Matrix> dweight(gradient + conv.at, conv.co, conv.ci * 9);
  dweight.noalias() += dy.values * columns_of(conv, x).transpose();
  if (conv.has_bias) {
    Eigen::Map<Eigen::VectorXf>(gradient + conv.at + conv.weights(), conv.co) +=
        dy.values.rowwise().sum();
  }
  const Matrix dcolumns = weight.transpose() * dy.values;
  Map dx{Matrix::Zero(conv.ci, x.values.cols()), x.h, x.w};
  for (Index c = 0; c < conv.ci; ++c) {
    const float* from = dcolumns.row(c * 9).data();
    float* to = dx.values.row(c).data();
    for_each_tap(conv, x.h, x.w, [&](Index tap, Index in, Index out) {
      to[in] += from[tap * dcolumns.cols() + out];
    });
  }
  return dx;
}

Map upsampled(const Map& x) {
  Map y{Matrix(x.values.rows(), 4 * x.values.cols()), 2 * x.h, 2 * x.w};
  for (Index at = 0; at < y.values.cols(); ++at)
    y.values.col(at) = x.values.col(at / y.w / 2 * x.w + at % y.w / 2);
  return y;
}

Map upsampled_backward(const Map& x, const Map& dy) {
  Map dx{Matrix::Zero(x.values.rows(), x.values.cols()), x.h, x.w};
  for (Index at = 0; at < dy.values.cols(); ++at)
    dx.values.col(at / dy.w / 2 * x.w + at % dy.w / 2) += dy.values.col(at);
  return dx;
}

/// Runs a list of operations and keeps the input of each: maps.back() is the result.
std::vector<Map> forward(const std::vector<Operation>& operations, const float* parameters, Map x) {
  std::vector<Map> maps{std::move(x)};
  std::vector<std::size_t> remembered;
  for (const Operation& operation : operations) {
    Map y = maps.back();
    if (operation.step == Step::kConv) y = conv_forward(operation.conv, parameters, maps.back());
    if (operation.step == Step::kRelu) y.values = y.values.cwiseMax(0.0F);
    if (operation.step == Step::kClamp) y.values = 3.0F * (y.values.array() / 3.0F).tanh();
    if (operation.step == Step::kUpsample) y = upsampled(maps.back());
    if (operation.step == Step::kRemember) remembered.push_back(maps.size() - 1);
    if (operation.step == Step::kAdd) {
      y.values += maps[remembered.back()].values;
      remembered.pop_back();
    }
    maps.push_back(std::move(y));
  }
  return maps;
}

/// The way back: adds to the gradient of the parameters, returns that of the input.
Map backward(const std::vector<Operation>& operations, const float* parameters,
             const std::vector<Map>& maps, Map d, float* gradient) {
  std::vector<Matrix> remembered;
  for (std::size_t i = operations.size(); i-- > 0;) {
    const Operation& operation = operations[i];
    if (operation.step == Step::kConv)
      d = conv_backward(operation.conv, parameters, maps[i], d, gradient);
    if (operation.step == Step::kRelu)
      d.values = (maps[i].values.array() > 0.0F).select(d.values, 0.0F);
    if (operation.step == Step::kClamp)
      d.values.array() *= 1.0F - (maps[i].values.array() / 3.0F).tanh().square();
    if (operation.step == Step::kUpsample) d = upsampled_backward(maps[i], d);
    if (operation.step == Step::kAdd) remembered.push_back(d.values);
    if (operation.step == Step::kRemember) {
      d.values += remembered.back();
      remembered.pop_back();
    }
  }
  return d;
}

/// Mean squared error plus beta KL per latent, of one sample; adds to the gradient.
/// @param noise  Shape `[kLatent, positions of the latent]`.
double loss(const Network& net, const float* parameters, const Map& image, const Matrix& noise,
            float* gradient, double* squared_error = nullptr) {
  const std::vector<Map> up = forward(net.encoder, parameters, image);
  const Map& moments = up.back();
  const Matrix mu = moments.values.topRows(kLatent);
  const Matrix log_var = moments.values.bottomRows(kLatent);
  const Matrix sigma = (0.5F * log_var.array()).exp();
  const Map z{mu + sigma.cwiseProduct(noise), moments.h, moments.w};
  const std::vector<Map> down = forward(net.decoder, parameters, z);
  const Matrix error = down.back().values - image.values;
  const double mse = error.cast<double>().squaredNorm() / static_cast<double>(error.size());
  const double kl =
      0.5 *
      (mu.array().square() + sigma.array().square() - 1.0F - log_var.array()).cast<double>().mean();
  if (squared_error != nullptr) *squared_error += mse;

  const Map d_image{error * (2.0F / static_cast<float>(error.size())), image.h, image.w};
  const Map dz = backward(net.decoder, parameters, down, d_image, gradient);
  const auto beta = static_cast<float>(kBeta / static_cast<double>(mu.size()));
  Map d_moments{Matrix(2 * kLatent, mu.cols()), moments.h, moments.w};
  d_moments.values.topRows(kLatent) = dz.values + beta * mu;
  d_moments.values.bottomRows(kLatent) = 0.5F * dz.values.array() * noise.array() * sigma.array() +
                                         0.5F * beta * (sigma.array().square() - 1.0F);
  backward(net.encoder, parameters, up, d_moments, gradient);
  return mse + kBeta * kl;
}

// ---- training -------------------------------------------------------------------------------

Map map_of(const Image& image) {
  Map x{Matrix(3, image.height * image.width), image.height, image.width};
  for (Index at = 0; at < x.values.cols(); ++at) {
    for (Index c = 0; c < 3; ++c)
      x.values(c, at) =
          static_cast<float>(image.pixels[static_cast<std::size_t>(3 * at + c)]) / 255.0F;
  }
  return x;
}

RowVector initial(const Network& net, Random& random) {
  RowVector parameters = RowVector::Zero(net.parameters);
  for (const auto* operations : {&net.encoder, &net.decoder}) {
    for (const Operation& operation : *operations) {
      if (operation.step != Step::kConv) continue;
      const Conv& conv = operation.conv;
      // He's initialisation; what is added to a skip starts small, so that blocks start as nothing.
      const bool added = conv.name.ends_with(".4");
      const double spread = std::sqrt(2.0 / static_cast<double>(9 * conv.ci)) * (added ? 0.2 : 1.0);
      for (Index i = 0; i < conv.weights(); ++i)
        parameters(conv.at + i) = static_cast<float>(spread * random.normal());
    }
  }
  // Deviations start at exp(-3): a latent that is all noise teaches nobody.
  const Conv& last = net.encoder.back().conv;
  parameters.segment(last.at + last.weights() + kLatent, kLatent).setConstant(-6.0F);
  return parameters;
}

/// Gradient of a batch, by a fixed number of threads. Sample s of step i is the same whoever
/// computes it.
double batch_gradient(const Network& net, const RowVector& parameters, std::uint64_t seed, int step,
                      RowVector& gradient) {
  std::vector<RowVector> sums(kThreads, RowVector::Zero(net.parameters));
  std::vector<double> errors(kThreads, 0.0);
  const auto work = [&](int thread) {
    const auto own = static_cast<std::size_t>(thread);
    for (int s = thread; s < kBatch; s += kThreads) {
      Random random(seed, static_cast<std::uint64_t>(step) * kBatch + std::uint64_t(s) + 1);
      const Map image = map_of(draw_scene(random, kSide, kSide));
      const Matrix noise = random.normal_matrix(kLatent, kSide * kSide / 16);
      loss(net, parameters.data(), image, noise, sums[own].data(), &errors[own]);
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < kThreads; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  gradient = sums[0];
  for (std::size_t thread = 1; thread < kThreads; ++thread) gradient += sums[thread];
  gradient /= static_cast<float>(kBatch);
  double error = 0.0;
  for (const double e : errors) error += e;
  return error / kBatch;
}

/// Adam, with a rate that rises for a moment and then falls along a cosine.
class Optimizer {
 public:
  Optimizer(Index parameters, int steps)
      : m_(RowVector::Zero(parameters)), v_(RowVector::Zero(parameters)), steps_(steps) {}

  void update(RowVector& parameters, RowVector gradient, int step) {
    const float norm = gradient.norm();  // one odd scene must not undo an hour
    if (norm > 1.0F) gradient /= norm;
    const double done = double(step) / steps_, t = step + 1;
    const double rate = kRate * std::min(1.0, t / 100.0) *
                        (0.02 + 0.49 * (1.0 + std::cos(std::numbers::pi * done)));
    m_ = 0.9F * m_ + 0.1F * gradient;
    v_ = 0.99F * v_ + 0.01F * gradient.cwiseAbs2();
    const auto m_scale = static_cast<float>(rate / (1.0 - std::pow(0.9, t)));
    const auto v_scale = static_cast<float>(1.0 / (1.0 - std::pow(0.99, t)));
    parameters.array() -= m_scale * m_.array() / ((v_ * v_scale).array().sqrt() + 1e-8F);
  }

 private:
  RowVector m_, v_;
  int steps_;
};

/// The tensors of a list; of the last one only the first `outputs` channels, which are the mean's.
StoredTensors stored(const std::vector<Operation>& operations, const RowVector& parameters,
                     Index outputs) {
  StoredTensors tensors;
  for (const Operation& operation : operations) {
    if (operation.step != Step::kConv) continue;
    const Conv& conv = operation.conv;
    const bool last = &operation == &operations.back();
    const Index co = last ? outputs : conv.co;
    const float* weight = parameters.data() + conv.at;
    const float* bias = weight + conv.weights();
    tensors[conv.name + ".weight"] = {
        {co, conv.ci, 3, 3}, {weight, weight + co * conv.ci * 9}, "F16"};
    if (conv.has_bias) tensors[conv.name + ".bias"] = {{co}, {bias, bias + co}, "F16"};
  }
  return tensors;
}

int train(const std::string& out, int steps, std::uint64_t seed) {
  const Network net = network();
  Random random(seed);
  RowVector parameters = initial(net, random), gradient;
  Optimizer optimizer(net.parameters, steps);
  std::printf("%td parameters, %d steps\n", net.parameters, steps);
  const auto begin = std::chrono::steady_clock::now();
  double error = 0.0;
  const auto write = [&] {
    write_safetensors(out + "/encoder.safetensors", stored(net.encoder, parameters, kLatent));
    write_safetensors(out + "/decoder.safetensors", stored(net.decoder, parameters, 3));
  };
  for (int step = 0; step < steps; ++step) {
    error += batch_gradient(net, parameters, seed, step, gradient);
    optimizer.update(parameters, gradient, step);
    if (step % 100 == 99) {
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      std::printf("step %5d   %.2f dB   %.0f s\n", step + 1, -10.0 * std::log10(error / 100),
                  seconds.count());
      std::fflush(stdout);
      error = 0.0;
      if (step % 500 == 499) write();  // whoever stops early has something
    }
  }
  write();
  return 0;
}

/// Central differences at a few parameters of every convolution.
int check() {
  const Network net = network();
  Random random(1);
  RowVector parameters = initial(net, random);
  // Positive features: at a kink of relu, central differences are no derivative.
  const Map image = map_of(draw_scene(random, 8, 8));
  const Matrix noise = random.normal_matrix(kLatent, 4);
  RowVector gradient = RowVector::Zero(net.parameters), ignored = gradient;
  loss(net, parameters.data(), image, noise, gradient.data());
  int wrong = 0, asked = 0;
  for (const auto* operations : {&net.encoder, &net.decoder}) {
    for (const Operation& operation : *operations) {
      if (operation.step != Step::kConv) continue;
      const Conv& conv = operation.conv;
      // The steepest one: float differences drown the others.
      Index at = 0;
      gradient.segment(conv.at, conv.size()).cwiseAbs().maxCoeff(&at);
      float& parameter = parameters(conv.at + at);
      const float was = parameter, h = 2e-3F;
      parameter = was + h;
      const double above = loss(net, parameters.data(), image, noise, ignored.data());
      parameter = was - h;
      const double below = loss(net, parameters.data(), image, noise, ignored.data());
      parameter = was;
      const double numeric = (above - below) / (2.0 * double(h)), analytic = gradient(conv.at + at);
      const bool close = std::abs(numeric - analytic) <= 0.05 * std::abs(numeric) + 1e-5;
      if (!close) std::printf("%s: %g, by differences %g\n", conv.name.c_str(), analytic, numeric);
      wrong += close ? 0 : 1;
      ++asked;
    }
  }
  std::printf("%d of %d gradients agree with central differences\n", asked - wrong, asked);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace latent

int main(int argc, char** argv) {
  std::string out;
  int steps = 3200;
  std::uint64_t seed = 8;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--check") return latent::check();
    if (word == "--steps" && i + 1 < argc)
      steps = std::atoi(argv[++i]);
    else if (word == "--seed" && i + 1 < argc)
      seed = std::strtoull(argv[++i], nullptr, 10);
    else
      out = word;
  }
  if (out.empty() || out[0] == '-' || steps < 1) {
    std::fputs("usage: train_tiny_vae OUT [--steps N] [--seed N]\n       train_tiny_vae --check\n",
               stderr);
    return 2;
  }
  try {
    return latent::train(out, steps, seed);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "train_tiny_vae: %s\n", e.what());
    return 1;
  }
}

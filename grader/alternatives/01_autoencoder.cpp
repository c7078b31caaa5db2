// Right answers to lab 01 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "grader/judge/misconception.hpp"

namespace latent {

// ---- 1.0 values_in -----------------------------------------------------------------------------

namespace values_accumulated {
std::int64_t values_in(const Shape& shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
    throw std::invalid_argument("negative");
  }
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}
}  // namespace values_accumulated
ALTERNATIVE(values_accumulated, values_in)

namespace values_backwards {
std::int64_t values_in(const Shape& shape) {
  std::int64_t product = 1;
  for (std::size_t i = shape.size(); i > 0; --i) {
    if (shape[i - 1] < 0) throw std::invalid_argument("a size is negative");
    product = shape[i - 1] * product;
  }
  return product;
}
}  // namespace values_backwards
ALTERNATIVE(values_backwards, values_in)

namespace values_recursive {
std::int64_t rest(const Shape& shape, std::size_t from) {
  if (from == shape.size()) return 1;
  require(shape[from] >= 0, "expected no negative size, got " + to_string(shape));
  return shape[from] * rest(shape, from + 1);
}
std::int64_t values_in(const Shape& shape) {
  return rest(shape, 0);
}
}  // namespace values_recursive
ALTERNATIVE(values_recursive, values_in)

// ---- 1.1 compression_ratio ---------------------------------------------------------------------

namespace ratio_of_bits_first {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const std::int64_t input = values_in(input_shape), latent = values_in(latent_shape);
  if (input <= 0 || latent <= 0) throw std::invalid_argument("no value");
  if (!(bits_per_value > 0) || !(bits_per_latent > 0)) throw std::invalid_argument("no bits");
  const double input_bits = bits_per_value * static_cast<double>(input);
  const double latent_bits = bits_per_latent * static_cast<double>(latent);
  CompressionRatio ratio;
  ratio.bits = input_bits / latent_bits;
  ratio.values = static_cast<double>(input) / static_cast<double>(latent);
  return ratio;
}
}  // namespace ratio_of_bits_first
ALTERNATIVE(ratio_of_bits_first, compression_ratio)

namespace ratio_in_doubles {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  require(bits_per_value > 0.0, "bits per value");
  require(bits_per_latent > 0.0, "bits per latent");
  double ratio = 1.0;
  for (const std::int64_t size : input_shape) {
    require(size > 0, "input shape");
    ratio *= static_cast<double>(size);
  }
  for (const std::int64_t size : latent_shape) {
    require(size > 0, "latent shape");
    ratio /= static_cast<double>(size);
  }
  return {ratio, ratio * (bits_per_value / bits_per_latent)};
}
}  // namespace ratio_in_doubles
ALTERNATIVE(ratio_in_doubles, compression_ratio)

namespace ratio_by_logarithms {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto input = static_cast<double>(values_in(input_shape));
  const auto latent = static_cast<double>(values_in(latent_shape));
  if (input == 0.0 || latent == 0.0 || bits_per_value <= 0.0 || bits_per_latent <= 0.0) {
    throw std::invalid_argument("compression_ratio");
  }
  return {std::exp2(std::log2(input) - std::log2(latent)),
          std::exp2(std::log2(input * bits_per_value) - std::log2(latent * bits_per_latent))};
}
}  // namespace ratio_by_logarithms
ALTERNATIVE(ratio_by_logarithms, compression_ratio)

namespace bits_by_change_of_base {
double bits_per_token(std::int64_t codebook_size) {
  if (codebook_size < 1) throw std::invalid_argument("no codes");
  return std::log(static_cast<double>(codebook_size)) / std::log(2.0);
}
}  // namespace bits_by_change_of_base
ALTERNATIVE(bits_by_change_of_base, bits_per_token)

namespace bits_by_halving {
double bits_per_token(std::int64_t codebook_size) {
  require(codebook_size > 0, "expected K of at least 1, got " + std::to_string(codebook_size));
  auto left = static_cast<double>(codebook_size);
  double bits = 0.0;
  for (; left >= 2.0; left /= 2.0) bits += 1.0;
  return bits + std::log2(left);
}
}  // namespace bits_by_halving
ALTERNATIVE(bits_by_halving, bits_per_token)

// ---- 1.2 linear_forward ------------------------------------------------------------------------

namespace linear_loops {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  if (x.cols() != weight.cols() || bias.size() != weight.rows()) {
    throw std::invalid_argument("shapes");
  }
  Matrix y(x.rows(), weight.rows());
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index o = 0; o < weight.rows(); ++o) {
      float sum = bias(o);
      for (Index i = 0; i < x.cols(); ++i) sum += x(n, i) * weight(o, i);
      y(n, o) = sum;
    }
  }
  return y;
}
}  // namespace linear_loops
ALTERNATIVE(linear_loops, linear_forward)

namespace linear_by_columns {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(weight.cols(), x.cols(), "columns of W");
  require_size(weight.rows(), bias.size(), "rows of W");
  Matrix y(x.rows(), weight.rows());
  for (Index o = 0; o < weight.rows(); ++o) {
    y.col(o) = (x * weight.row(o).transpose()).array() + bias(o);
  }
  return y;
}
}  // namespace linear_by_columns
ALTERNATIVE(linear_by_columns, linear_forward)

namespace linear_replicated {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require(x.cols() == weight.cols(), "x " + shape_of(x) + ", W " + shape_of(weight));
  require(bias.cols() == weight.rows(), "b " + shape_of(bias) + ", W " + shape_of(weight));
  Matrix y = bias.replicate(x.rows(), 1);
  y.noalias() += x * weight.transpose();
  return y;
}
}  // namespace linear_replicated
ALTERNATIVE(linear_replicated, linear_forward)

namespace linear_in_double {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "columns of x");
  require_size(bias.size(), weight.rows(), "size of bias");
  Eigen::MatrixXd y = x.cast<double>() * weight.cast<double>().transpose();
  y.rowwise() += bias.cast<double>();
  return y.cast<float>();
}
}  // namespace linear_in_double
ALTERNATIVE(linear_in_double, linear_forward)

namespace linear_with_a_one {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "columns of x");
  require_size(bias.size(), weight.rows(), "size of bias");
  // The bias as the weight of an input that is always 1.
  Matrix longer(x.rows(), x.cols() + 1), wider(weight.rows(), weight.cols() + 1);
  longer << x, Matrix::Ones(x.rows(), 1);
  wider << weight, bias.transpose();
  return longer * wider.transpose();
}
}  // namespace linear_with_a_one
ALTERNATIVE(linear_with_a_one, linear_forward)

// ---- 1.3 linear_backward -----------------------------------------------------------------------

namespace backward_loops {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  if (dy.rows() != x.rows() || dy.cols() != weight.rows() || x.cols() != weight.cols()) {
    throw std::invalid_argument("linear_backward");
  }
  LinearGradients g{Matrix::Zero(x.rows(), x.cols()), Matrix::Zero(weight.rows(), weight.cols()),
                    RowVector::Zero(weight.rows())};
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index o = 0; o < weight.rows(); ++o) {
      g.bias(o) += dy(n, o);
      for (Index i = 0; i < x.cols(); ++i) {
        g.weight(o, i) += dy(n, o) * x(n, i);
        g.x(n, i) += dy(n, o) * weight(o, i);
      }
    }
  }
  return g;
}
}  // namespace backward_loops
ALTERNATIVE(backward_loops, linear_backward)

namespace backward_outer_products {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(x.rows(), dy.rows(), "rows of x");
  require_size(weight.rows(), dy.cols(), "rows of W");
  require_size(weight.cols(), x.cols(), "columns of W");
  LinearGradients g{dy * weight, Matrix::Zero(weight.rows(), weight.cols()),
                    RowVector::Zero(dy.cols())};
  for (Index n = 0; n < x.rows(); ++n) {
    g.weight += dy.row(n).transpose() * x.row(n);
    g.bias += dy.row(n);
  }
  return g;
}
}  // namespace backward_outer_products
ALTERNATIVE(backward_outer_products, linear_backward)

namespace backward_in_double {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require(dy.rows() == x.rows(), "N");
  require(dy.cols() == weight.rows(), "Do");
  require(x.cols() == weight.cols(), "Di");
  const Eigen::MatrixXd dy_wide = dy.cast<double>(), ones = Eigen::MatrixXd::Ones(1, dy.rows());
  LinearGradients g;
  g.x = (dy_wide * weight.cast<double>()).cast<float>();
  g.weight = (x.cast<double>().transpose() * dy_wide).transpose().cast<float>();
  g.bias = (ones * dy_wide).cast<float>();
  return g;
}
}  // namespace backward_in_double
ALTERNATIVE(backward_in_double, linear_backward)

// ---- 1.4 tanh ----------------------------------------------------------------------------------

namespace tanh_by_element {
Matrix tanh_forward(const Matrix& x) {
  Matrix y(x.rows(), x.cols());
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index d = 0; d < x.cols(); ++d) y(n, d) = std::tanh(x(n, d));
  }
  return y;
}
}  // namespace tanh_by_element
ALTERNATIVE(tanh_by_element, tanh_forward)

namespace tanh_by_expm1 {
Matrix tanh_forward(const Matrix& x) {
  return x.unaryExpr([](float v) {
    // -|v| cannot overflow, and expm1 keeps its digits near 0.
    const double down = std::expm1(-2.0 * std::abs(static_cast<double>(v)));
    return std::copysign(static_cast<float>(-down / (2.0 + down)), v);
  });
}
}  // namespace tanh_by_expm1
ALTERNATIVE(tanh_by_expm1, tanh_forward)

namespace tanh_in_double {
Matrix tanh_forward(const Matrix& x) {
  return x.cast<double>().array().tanh().cast<float>();
}
}  // namespace tanh_in_double
ALTERNATIVE(tanh_in_double, tanh_forward)

namespace tanh_by_one_exponential {
Matrix tanh_forward(const Matrix& x) {
  // Loses digits near 0, which the contract does not forbid.
  return 1.0F - 2.0F / ((2.0F * x.array()).exp() + 1.0F);
}
}  // namespace tanh_by_one_exponential
ALTERNATIVE(tanh_by_one_exponential, tanh_forward)

namespace slope_by_element {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  if (dy.rows() != y.rows() || dy.cols() != y.cols()) throw std::invalid_argument("shapes");
  Matrix dx = dy;
  for (Index n = 0; n < y.rows(); ++n) {
    for (Index d = 0; d < y.cols(); ++d) dx(n, d) *= 1.0F - y(n, d) * y(n, d);
  }
  return dx;
}
}  // namespace slope_by_element
ALTERNATIVE(slope_by_element, tanh_backward)

namespace slope_multiplied_out {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require_size(dy.rows(), y.rows(), "rows of dy");
  require_size(dy.cols(), y.cols(), "columns of dy");
  return dy - dy.cwiseProduct(y).cwiseProduct(y);
}
}  // namespace slope_multiplied_out
ALTERNATIVE(slope_multiplied_out, tanh_backward)

namespace slope_factorised {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(shape_of(dy) == shape_of(y), "expected " + shape_of(y) + ", got " + shape_of(dy));
  return (1.0F - y.array()) * (1.0F + y.array()) * dy.array();
}
}  // namespace slope_factorised
ALTERNATIVE(slope_factorised, tanh_backward)

// ---- 1.5 mse_loss ------------------------------------------------------------------------------

namespace mse_loops {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  if (x_hat.rows() != x.rows() || x_hat.cols() != x.cols() || x.size() == 0) {
    throw std::invalid_argument("mse_loss");
  }
  double c = 1.0;
  if (reduction != Reduction::kSum) c = static_cast<double>(x.rows());
  if (reduction == Reduction::kMean) c *= static_cast<double>(x.cols());
  Loss loss{0.0, Matrix(x.rows(), x.cols())};
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index d = 0; d < x.cols(); ++d) {
      const double error = static_cast<double>(x_hat(n, d)) - static_cast<double>(x(n, d));
      loss.value += error * error / c;
      loss.gradient(n, d) = static_cast<float>(2.0 * error / c);
    }
  }
  return loss;
}
}  // namespace mse_loops
ALTERNATIVE(mse_loops, mse_loss)

namespace mse_in_double {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require_size(x_hat.rows(), x.rows(), "rows of x_hat");
  require_size(x_hat.cols(), x.cols(), "columns of x_hat");
  require(x.rows() > 0 && x.cols() > 0, "no element");
  const Eigen::ArrayXXd error = (x_hat.cast<double>() - x.cast<double>()).array();
  switch (reduction) {
    case Reduction::kSum:
      return {error.square().sum(), (2.0 * error).matrix().cast<float>()};
    case Reduction::kBatchMean: {
      const auto n = static_cast<double>(x.rows());
      return {error.square().rowwise().sum().mean(), (2.0 / n * error).matrix().cast<float>()};
    }
    case Reduction::kMean:
      break;
  }
  const auto all = static_cast<double>(x.size());
  return {error.square().mean(), (2.0 / all * error).matrix().cast<float>()};
}
}  // namespace mse_in_double
ALTERNATIVE(mse_in_double, mse_loss)

namespace mse_gradient_first {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require(shape_of(x_hat) == shape_of(x) && x.size() > 0, "two batches of one shape");
  const Index n = reduction == Reduction::kSum ? 1 : x.rows();
  const Index d = reduction == Reduction::kMean ? x.cols() : 1;
  const Matrix gradient = 2.0F * (x_hat - x) / static_cast<float>(n * d);
  // L = <gradient, error> / 2 for any loss that is quadratic in the error.
  const double product = gradient.cast<double>().cwiseProduct((x_hat - x).cast<double>()).sum();
  return {product / 2.0, gradient};
}
}  // namespace mse_gradient_first
ALTERNATIVE(mse_gradient_first, mse_loss)

// ---- 1.6 adam_step -----------------------------------------------------------------------------

namespace adam_by_element {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  for (const Matrix* m : {&gradient, &state.first_moment, &state.second_moment}) {
    require_size(m->rows(), state.parameter.rows(), "rows");
    require_size(m->cols(), state.parameter.cols(), "columns");
  }
  if (step < 1) throw std::invalid_argument("step");
  const double t = static_cast<double>(step), b1 = options.beta1, b2 = options.beta2;
  AdamState next = state;
  for (Index i = 0; i < gradient.size(); ++i) {
    const double g = gradient.data()[i];
    const double m = b1 * state.first_moment.data()[i] + (1.0 - b1) * g;
    const double v = b2 * state.second_moment.data()[i] + (1.0 - b2) * g * g;
    const double m_hat = m / (1.0 - std::pow(b1, t)), v_hat = v / (1.0 - std::pow(b2, t));
    const double move = options.learning_rate * m_hat / (std::sqrt(v_hat) + options.epsilon);
    next.first_moment.data()[i] = static_cast<float>(m);
    next.second_moment.data()[i] = static_cast<float>(v);
    next.parameter.data()[i] = static_cast<float>(state.parameter.data()[i] - move);
  }
  return next;
}
}  // namespace adam_by_element
ALTERNATIVE(adam_by_element, adam_step)

namespace adam_incremental {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  require(shape_of(gradient) == shape_of(state.parameter), "gradient");
  require(shape_of(state.first_moment) == shape_of(state.parameter), "first moment");
  require(shape_of(state.second_moment) == shape_of(state.parameter), "second moment");
  require(step > 0, "step");
  const auto rate1 = static_cast<float>(1.0 - options.beta1);
  const auto rate2 = static_cast<float>(1.0 - options.beta2);
  AdamState next = state;
  next.first_moment += rate1 * (gradient - state.first_moment);
  next.second_moment += rate2 * (gradient.cwiseProduct(gradient) - state.second_moment);
  double power1 = 1.0, power2 = 1.0;
  for (std::int64_t i = 0; i < step; ++i) power1 *= options.beta1, power2 *= options.beta2;
  const Matrix m_hat = next.first_moment / static_cast<float>(1.0 - power1);
  const Matrix v_hat = next.second_moment / static_cast<float>(1.0 - power2);
  const Matrix scale = v_hat.cwiseSqrt().array() + static_cast<float>(options.epsilon);
  next.parameter -= static_cast<float>(options.learning_rate) * m_hat.cwiseQuotient(scale);
  return next;
}
}  // namespace adam_incremental
ALTERNATIVE(adam_incremental, adam_step)

namespace adam_folded {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  const auto same = [&](const Matrix& m) { return shape_of(m) == shape_of(state.parameter); };
  if (!same(gradient) || !same(state.first_moment) || !same(state.second_moment) || step < 1) {
    throw std::invalid_argument("adam_step");
  }
  const double t = static_cast<double>(step);
  const double root = std::sqrt(1.0 - std::pow(options.beta2, t));
  const double rate = options.learning_rate * root / (1.0 - std::pow(options.beta1, t));
  const Eigen::ArrayXXd g = gradient.cast<double>().array();
  const Eigen::ArrayXXd m =
      options.beta1 * state.first_moment.cast<double>().array() + (1.0 - options.beta1) * g;
  const Eigen::ArrayXXd v = options.beta2 * state.second_moment.cast<double>().array() +
                            (1.0 - options.beta2) * g.square();
  // Both corrections in the rate; epsilon then has to carry the root's as well.
  const Eigen::ArrayXXd theta =
      state.parameter.cast<double>().array() - rate * m / (v.sqrt() + options.epsilon * root);
  return {theta.matrix().cast<float>(), m.matrix().cast<float>(), v.matrix().cast<float>()};
}
}  // namespace adam_folded
ALTERNATIVE(adam_folded, adam_step)

// ---- 1.7 autoencoder_gradients -----------------------------------------------------------------

namespace autoencoder_by_hand {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const auto& [one, two, three, four] = model;
  const Matrix h = linear_forward(x, one.weight, one.bias).array().tanh();
  const Matrix z = linear_forward(h, two.weight, two.bias);
  const Matrix k = linear_forward(z, three.weight, three.bias).array().tanh();
  const Matrix x_hat = linear_forward(k, four.weight, four.bias);
  require(x.rows() > 0 && x.cols() == x_hat.cols(), "x does not fit");
  const Matrix error = x_hat - x;
  const Matrix d4 = error * (2.0F / static_cast<float>(x.rows()));
  const Matrix d3 = (d4 * four.weight).array() * (1.0F - k.array().square());
  const Matrix d2 = d3 * three.weight;
  const Matrix d1 = (d2 * two.weight).array() * (1.0F - h.array().square());
  return {error.cast<double>().squaredNorm() / static_cast<double>(x.rows()),
          z,
          x_hat,
          {{d1.transpose() * x, d1.colwise().sum()},
           {d2.transpose() * h, d2.colwise().sum()},
           {d3.transpose() * z, d3.colwise().sum()},
           {d4.transpose() * k, d4.colwise().sum()}}};
}
}  // namespace autoencoder_by_hand
ALTERNATIVE(autoencoder_by_hand, autoencoder_gradients)

namespace autoencoder_layer_list {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const std::vector<const Layer*> layers = {&model.encoder_hidden, &model.encoder_output,
                                            &model.decoder_hidden, &model.decoder_output};
  std::vector<Matrix> inputs = {x};
  for (std::size_t i = 0; i < 4; ++i) {
    const Matrix y = linear_forward(inputs[i], layers[i]->weight, layers[i]->bias);
    inputs.push_back(i % 2 == 0 ? tanh_forward(y) : y);
  }
  const Loss loss = mse_loss(inputs[4], x, Reduction::kBatchMean);
  AutoencoderGradients result{loss.value, inputs[2], inputs[4], {}};
  Autoencoder& g = result.gradient;
  Layer* gradients[] = {&g.encoder_hidden, &g.encoder_output, &g.decoder_hidden, &g.decoder_output};
  Matrix dy = loss.gradient;
  for (std::size_t i = 4; i-- > 0;) {
    if (i % 2 == 0) dy = tanh_backward(dy, inputs[i + 1]);
    const LinearGradients d = linear_backward(dy, inputs[i], layers[i]->weight);
    *gradients[i] = {d.weight, d.bias};
    dy = d.x;
  }
  return result;
}
}  // namespace autoencoder_layer_list
ALTERNATIVE(autoencoder_layer_list, autoencoder_gradients)

namespace autoencoder_sample_by_sample {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const auto& [one, two, three, four] = model;
  const Matrix h = tanh_forward(linear_forward(x, one.weight, one.bias));
  const Matrix z = linear_forward(h, two.weight, two.bias);
  const Matrix k = tanh_forward(linear_forward(z, three.weight, three.bias));
  const Matrix x_hat = linear_forward(k, four.weight, four.bias);
  // Gradients of the sum, divided at the very end.
  const Loss loss = mse_loss(x_hat, x, Reduction::kSum);
  const auto n = static_cast<float>(x.rows());
  const auto d4 = linear_backward(loss.gradient, k, four.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, k), z, three.weight);
  const auto d2 = linear_backward(d3.x, h, two.weight);
  const auto d1 = linear_backward(tanh_backward(d2.x, h), x, one.weight);
  return {loss.value / static_cast<double>(x.rows()),
          z,
          x_hat,
          {{d1.weight / n, d1.bias / n},
           {d2.weight / n, d2.bias / n},
           {d3.weight / n, d3.bias / n},
           {d4.weight / n, d4.bias / n}}};
}
}  // namespace autoencoder_sample_by_sample
ALTERNATIVE(autoencoder_sample_by_sample, autoencoder_gradients)

// ---- 1.8 conv2d_out ----------------------------------------------------------------------------

namespace conv_out_counted {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(size >= 0 && kernel >= 1 && stride >= 1 && before >= 0 && after >= 0, "arguments");
  std::int64_t count = 0;
  for (std::int64_t at = -before; at + kernel <= size + after; at += stride) ++count;
  require(count > 0, "the kernel is too long");
  return count;
}
}  // namespace conv_out_counted
ALTERNATIVE(conv_out_counted, conv2d_out)

namespace conv_out_rounded_up {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  if (size < 0 || kernel < 1 || stride < 1 || before < 0 || after < 0) {
    throw std::invalid_argument("conv2d_out: argument below its minimum");
  }
  const std::int64_t places = size + before + after - kernel + 1;  // with a stride of 1
  if (places < 1) throw std::invalid_argument("conv2d_out: kernel too long");
  return (places + stride - 1) / stride;
}
}  // namespace conv_out_rounded_up
ALTERNATIVE(conv_out_rounded_up, conv2d_out)

namespace conv_out_in_double {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(std::min({size, before, after}) >= 0, "negative");
  require(std::min(kernel, stride) >= 1, "kernel and stride");
  const auto free = static_cast<double>(size + before + after - kernel);
  require(free >= 0.0, "kernel");
  return static_cast<std::int64_t>(std::floor(free / static_cast<double>(stride))) + 1;
}
}  // namespace conv_out_in_double
ALTERNATIVE(conv_out_in_double, conv2d_out)

// ---- 1.9 conv2d_forward ------------------------------------------------------------------------

namespace conv_seven_loops {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = weight.h(), s = options.stride;
  if (weight.c() != x.c() || weight.w() != k || bias.size() != weight.n()) {
    throw std::invalid_argument("conv2d_forward");
  }
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), k, s, options.top, options.bottom),
            conv2d_out(x.w(), k, s, options.left, options.right));
  for (Index n = 0; n < y.n(); ++n)
    for (Index o = 0; o < y.c(); ++o)
      for (Index i = 0; i < y.h(); ++i)
        for (Index j = 0; j < y.w(); ++j) {
          double sum = bias(o);
          for (Index c = 0; c < x.c(); ++c)
            for (Index u = 0; u < k; ++u)
              for (Index v = 0; v < k; ++v) {
                const Index row = s * i + u - options.top, col = s * j + v - options.left;
                if (row < 0 || col < 0 || row >= x.h() || col >= x.w()) continue;
                sum += static_cast<double>(weight(o, c, u, v)) * x(n, c, row, col);
              }
          y(n, o, i, j) = static_cast<float>(sum);
        }
  return y;
}
}  // namespace conv_seven_loops
ALTERNATIVE(conv_seven_loops, conv2d_forward)

namespace conv_padded_copy {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  require(weight.h() == weight.w(), "expected a square kernel, got " + shape_of(weight));
  require(weight.c() == x.c() && weight.n() == bias.size(), "channels");
  const Index k = weight.h(), s = options.stride;
  const Index rows = conv2d_out(x.h(), k, s, options.top, options.bottom);
  const Index cols = conv2d_out(x.w(), k, s, options.left, options.right);
  Tensor4 padded(x.n(), x.c(), options.top + x.h() + options.bottom,
                 options.left + x.w() + options.right);
  for (Index n = 0; n < x.n(); ++n)
    for (Index c = 0; c < x.c(); ++c)
      for (Index i = 0; i < x.h(); ++i)
        for (Index j = 0; j < x.w(); ++j)
          padded(n, c, i + options.top, j + options.left) = x(n, c, i, j);
  Tensor4 y(x.n(), weight.n(), rows, cols);
  for (Index at = 0; at < y.size(); ++at) {
    const Index j = at % cols, i = at / cols % rows, o = at / (cols * rows) % y.c();
    const Index n = at / (cols * rows * y.c());
    float sum = bias(o);
    for (Index tap = 0; tap < x.c() * k * k; ++tap) {
      const Index v = tap % k, u = tap / k % k, c = tap / (k * k);
      sum += weight(o, c, u, v) * padded(n, c, s * i + u, s * j + v);
    }
    y.data()[at] = sum;
  }
  return y;
}
}  // namespace conv_padded_copy
ALTERNATIVE(conv_padded_copy, conv2d_forward)

namespace conv_scattered {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = weight.h(), s = options.stride;
  require_size(weight.w(), k, "width of the kernel");
  require_size(weight.c(), x.c(), "channels");
  require_size(bias.size(), weight.n(), "bias");
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), k, s, options.top, options.bottom),
            conv2d_out(x.w(), k, s, options.left, options.right));
  const Index map = y.h() * y.w();
  for (Index at = 0; at < y.size(); ++at) y.data()[at] = bias(at / map % y.c());
  // From the kernel's point of view: every weight adds one shifted image.
  for (Index tap = 0; tap < weight.size(); ++tap) {
    const Index v = tap % k, u = tap / k % k, c = tap / (k * k) % x.c(), o = tap / (k * k * x.c());
    for (Index n = 0; n < x.n(); ++n)
      for (Index i = 0; i < y.h(); ++i)
        for (Index j = 0; j < y.w(); ++j) {
          const Index row = s * i + u - options.top, col = s * j + v - options.left;
          const bool inside = row >= 0 && row < x.h() && col >= 0 && col < x.w();
          if (inside) y(n, o, i, j) += weight.data()[tap] * x(n, c, row, col);
        }
  }
  return y;
}
}  // namespace conv_scattered
ALTERNATIVE(conv_scattered, conv2d_forward)

}  // namespace latent

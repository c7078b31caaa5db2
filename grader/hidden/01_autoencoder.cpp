// Hidden properties of lab 01. Oracles are double precision and naive loops, never the solution.

#include <cmath>

#include "autoencoder.hpp"
#include "grader/judge/property.hpp"

namespace latent::grader {
namespace {

Oracle wide(const Matrix& x) {
  return x.cast<double>();
}
OracleRow wide(const RowVector& x) {
  return x.cast<double>();
}

// ---- 1.0 values_in -----------------------------------------------------------------------------

DEFINES(values_in, "is the product of the sizes") {
  const Index c = draw.size("C", 1, 5), h = draw.size("H", 1, 9), w = draw.size("W", 1, 9);
  const std::int64_t image = ASK(values_in, Shape{c, h, w}), map = ASK(values_in, Shape{h, w});
  expect_equal("values in {C, H, W}", image, c * h * w);
  expect_equal("values in {H, W}", map, h * w);
}

PROPERTY(values_in, "is 1 for {}, and an axis of size 1 changes nothing") {
  const Index n = draw.size("n", 2, 9);
  const std::int64_t scalar = ASK(values_in, Shape{}), one = ASK(values_in, Shape{1});
  const std::int64_t first = ASK(values_in, Shape{1, n}), last = ASK(values_in, Shape{n, 1});
  expect_equal("values in {}", scalar, std::int64_t{1});
  expect_equal("values in {1}", one, std::int64_t{1});
  expect_equal("values in {1, n}", first, n);
  expect_equal("values in {n, 1}", last, n);
}

PROPERTY(values_in, "is 0 where a size is 0") {
  const Index n = draw.size("n", 1, 9), m = draw.size("m", 1, 9);
  const Reply none = REPLY(values_in, Shape{0});
  const std::int64_t middle = ASK(values_in, Shape{n, 0, m}), last = ASK(values_in, Shape{n, m, 0});
  expect(none.outcome == Outcome::kValue, "{0} holds no value, but it is a shape: expected 0");
  expect_equal("values in {0}", Numbers(none.values.at(0)), std::int64_t{0});
  expect_equal("values in {n, 0, m}", middle, std::int64_t{0});
  expect_equal("values in {n, m, 0}", last, std::int64_t{0});
}

PROPERTY(values_in, "is exact in 64 bits") {
  const std::int64_t large = ASK(values_in, Shape{3, 65536, 65536});
  const std::int64_t odd = ASK(values_in, Shape{94906267, 94906267});
  const std::int64_t huge = ASK(values_in, Shape{2147483647, 2147483647});
  const auto agree = [](std::int64_t got, std::int64_t expected, const std::string& shape) {
    expect(got == expected, "values in " + shape + ": expected " + std::to_string(expected) +
                                ", got " + std::to_string(got));
  };
  agree(large, 12884901888, "{3, 65536, 65536}");
  agree(odd, 94906267LL * 94906267LL, "{94906267, 94906267}");
  agree(huge, 2147483647LL * 2147483647LL, "{2147483647, 2147483647}");
}

PROPERTY(values_in, "refuses a negative size, two of them too") {
  const Index n = draw.size("n", 1, 9), m = draw.size("m", 1, 9);
  const Reply one = REPLY(values_in, Shape{n, -m}), two = REPLY(values_in, Shape{-n, -m});
  const Reply both = REPLY(values_in, Shape{-n, 2, -1}), zero = REPLY(values_in, Shape{0, -m});
  expect_refused(one, "{n, -m} has a negative size");
  expect_refused(two, "{-n, -m} has negative sizes, whose product is positive");
  expect_refused(both, "{-n, 2, -1} has negative sizes, whose product is positive");
  expect_refused(zero, "{0, -m} has a negative size, although the product is 0");
}

// ---- 1.1 compression_ratio ---------------------------------------------------------------------

double count(const Shape& shape) {
  double product = 1.0;
  for (const std::int64_t size : shape) product *= static_cast<double>(size);
  return product;
}

DEFINES(compression_ratio, "divides values by values, and bits by bits") {
  const Shape x =
      draw.show("x", Shape{draw.size("C", 1, 4), draw.size("H", 1, 9), draw.size("W", 1, 9)});
  const Shape z =
      draw.show("z", Shape{draw.size("c", 1, 4), draw.size("h", 1, 9), draw.size("w", 1, 9)});
  const double bits_x = draw.number("bits of x", 1.0, 16.0);
  const double bits_z = draw.number("bits of z", 1.0, 16.0);
  const CompressionRatio got = ASK(compression_ratio, x, bits_x, z, bits_z);
  expect_near("values", got.values, count(x) / count(z), kDouble);
  expect_near("bits", got.bits, count(x) * bits_x / (count(z) * bits_z), kDouble);
}

PROPERTY(compression_ratio, "inverts when x and z change places, below one bit too") {
  const Shape x = draw.show("x", Shape{3, draw.size("H", 2, 9), draw.size("W", 2, 9)});
  const Shape z = draw.show("z", Shape{draw.size("T", 5, 9)});
  const double bits_x = draw.number("bits of x", 1.0, 16.0);
  const double bits_z = draw.number("bits of z", 1.0, 16.0);
  const CompressionRatio there = ASK(compression_ratio, x, bits_x, z, bits_z);
  const CompressionRatio back = ASK(compression_ratio, z, bits_z, x, bits_x);
  expect_near("values, there and back", there.values * back.values, 1.0, kDouble);
  expect_near("bits, there and back", there.bits * back.bits, 1.0, kDouble);
  const double few = draw.number("bits below 1", 0.25, 1.0);  // and a shape of one value
  const CompressionRatio down = ASK(compression_ratio, z, bits_z, Shape{1}, few);
  const CompressionRatio up = ASK(compression_ratio, Shape{1}, few, z, bits_z);
  expect_near("values of one number, there and back", down.values * up.values, 1.0, kDouble);
  expect_near("bits of one number, there and back", down.bits * up.bits, 1.0, kDouble);
}

PROPERTY(compression_ratio, "gives 48, 12 and 36 for the shapes of SD, SD3 and Cosmos") {
  const auto ratio = [&](const Shape& x, const Shape& z) {
    return ASK(compression_ratio, x, 8.0, z, 16.0);
  };
  const CompressionRatio sd = ratio({3, 512, 512}, {4, 64, 64});
  const CompressionRatio sd3 = ratio({3, 1024, 1024}, {16, 128, 128});
  const CompressionRatio cosmos = ratio({3, 9, 512, 512}, {16, 3, 64, 64});
  const auto agree = [](const std::string& name, const CompressionRatio& got, double values) {
    expect_near(name + ", values", got.values, values, kDouble);
    expect_near(name + ", bits (8 to 16)", got.bits, values / 2.0, kDouble);
  };
  agree("Stable Diffusion", sd, 48.0);
  agree("SD3", sd3, 12.0);
  agree("Cosmos, 9 frames", cosmos, 36.0);
}

PROPERTY(compression_ratio, "gives 118.15 in bits for 1024 tokens of 13 bits, not 192") {
  const CompressionRatio grid = ASK(compression_ratio, Shape{3, 256, 256}, 8.0, Shape{1024}, 13.0);
  const CompressionRatio few = ASK(compression_ratio, Shape{3, 256, 256}, 8.0, Shape{16, 16}, 18.0);
  expect_near("1024 tokens, values", grid.values, 192.0, kDouble);
  expect_near("1024 tokens of 13 bits, bits", grid.bits, 1572864.0 / 13312.0, kDouble);
  expect_near("16x16 tokens of 18 bits, bits", few.bits, 1024.0 / 3.0, kDouble);
}

PROPERTY(compression_ratio, "counts shapes beyond 32 bits") {
  const Index n = draw.size("n", 1, 9);
  const Shape x{3, 65536, 65536}, z{draw.size("m", 1, 9)};
  const CompressionRatio got = ASK(compression_ratio, Shape{n, 65536, 65536}, 8.0, z, 4.0);
  const CompressionRatio other = ASK(compression_ratio, x, 8.0, z, 8.0);
  expect_near("values", got.values, count({n, 65536, 65536}) / count(z), kDouble);
  expect_near("values", other.values, count(x) / count(z), kDouble);
}

PROPERTY(compression_ratio, "gives a token log2 K bits, not rounded, and none for K = 1") {
  const Index power = draw.size("p", 2, 20);
  const std::int64_t k = draw.show("K", (std::int64_t{1} << power) - 1);
  const double bits = ASK(bits_per_token, k), thousand = ASK(bits_per_token, 1000);
  const double seed = ASK(bits_per_token, 8192), none = ASK(bits_per_token, 1);
  expect_near("bits of K", bits, std::log2(static_cast<double>(k)), kDouble);
  expect_near("bits of K = 1000", thousand, 9.965784284662087, kDouble);
  expect_near("bits of K = 8192", seed, 13.0, kDouble);
  expect_near("bits of K = 1", none, 0.0, kDouble);
}

PROPERTY(compression_ratio, "refuses an input or a latent that holds no value") {
  const Index n = draw.size("n", 1, 9), m = draw.size("m", 1, 9);
  const auto reply = [&](const Shape& x, const Shape& z) {
    return REPLY(compression_ratio, x, 8.0, z, 8.0);
  };
  const Reply latent = reply({n}, {m, 0}), input = reply({0, n}, {m}), neither = reply({0}, {0});
  expect_refused(latent, "the latent holds no value");
  expect_refused(input, "the input holds no value");
  expect_refused(neither, "neither holds a value");
}

PROPERTY(compression_ratio, "refuses negative sizes, two of them too") {
  const Index n = draw.size("n", 1, 9), m = draw.size("m", 1, 9);
  const auto reply = [&](const Shape& x, const Shape& z) {
    return REPLY(compression_ratio, x, 8.0, z, 8.0);
  };
  const Reply latent = reply({n}, {-m, -n}), input = reply({-n, -m}, {m}), both = reply({-n}, {-m});
  expect_refused(latent, "the latent has negative sizes");
  expect_refused(input, "the input has negative sizes");
  expect_refused(both, "both have a negative size");
}

PROPERTY(compression_ratio, "refuses a number of bits that is not above 0") {
  const Index n = draw.size("n", 1, 9), m = draw.size("m", 1, 9);
  const auto reply = [&](double x, double z) {
    return REPLY(compression_ratio, Shape{n}, x, Shape{m}, z);
  };
  const Reply latent = reply(8.0, 0.0), input = reply(0.0, 8.0), signs = reply(-8.0, -8.0);
  expect_refused(latent, "a latent value has 0 bits");
  expect_refused(input, "an input value has 0 bits");
  expect_refused(signs, "both numbers of bits are negative");
}

PROPERTY(compression_ratio, "refuses a codebook without entries") {
  const Index k = draw.size("k", 1, 9);
  const Reply none = REPLY(bits_per_token, 0), negative = REPLY(bits_per_token, -k);
  expect_refused(none, "K is 0");
  expect_refused(negative, "K is negative");
}

// ---- 1.2 linear_forward ------------------------------------------------------------------------

Oracle linear_oracle(const Oracle& x, const Oracle& weight, const OracleRow& bias) {
  Oracle y(x.rows(), weight.rows());
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index o = 0; o < weight.rows(); ++o) {
      y(n, o) = bias(o);
      for (Index i = 0; i < x.cols(); ++i) y(n, o) += x(n, i) * weight(o, i);
    }
  }
  return y;
}

// A sum of up to seven products of numbers up to about 4: 100 bounds what enters the result.
constexpr Tolerance kProducts{1e-6, 1e-6, 100.0};

DEFINES(linear_forward, "is x W^T + b, row by row") {
  const Index n = draw.size("N", 1, 7), in = draw.size("Di", 1, 6), out = draw.size("Do", 1, 6);
  const Matrix x = draw.matrix("x", n, in), weight = draw.matrix("W", out, in);
  const RowVector bias = draw.row("b", out);
  const Matrix y = ASK(linear_forward, x, weight, bias);
  expect_near("y", y, linear_oracle(wide(x), wide(weight), wide(bias)), kProducts);
}

PROPERTY(linear_forward, "is b in every row when x = 0") {
  const Index n = draw.size("N", 1, 5), in = draw.size("Di", 1, 4), out = draw.size("Do", 1, 4);
  const Matrix x = draw.show("x", Matrix(Matrix::Zero(n, in)));
  const Matrix weight = draw.matrix("W", out, in);
  const RowVector bias = draw.row("b", out);
  Oracle expected(n, out);
  for (Index i = 0; i < n; ++i) expected.row(i) = wide(bias);
  expect_near("y", ASK(linear_forward, x, weight, bias), expected, kProducts);
}

PROPERTY(linear_forward, "gives an empty batch for an empty batch") {
  const Index in = draw.size("Di", 1, 4), out = draw.size("Do", 1, 4);
  const Matrix weight = draw.matrix("W", out, in), back = draw.matrix("V", in, out);
  const RowVector bias = draw.row("b", out), c = draw.row("c", in);
  const Reply other = REPLY(linear_forward, Matrix(0, out), back, c);
  expect_near("y", ASK(linear_forward, Matrix(0, in), weight, bias), Oracle(0, out));
  expect(other.outcome == Outcome::kValue, "an empty batch is no mistake: expected shape [0, Di]");
}

PROPERTY(linear_forward, "refuses x and W with different numbers of columns") {
  const Index n = draw.size("N", 1, 4), in = draw.size("Di", 1, 5), out = draw.size("Do", 1, 4);
  const RowVector bias = draw.row("b", out);
  const Matrix narrow = draw.matrix("x", n, in), wide_weight = draw.matrix("W", out, in + 1);
  const Reply fewer = REPLY(linear_forward, narrow, wide_weight, bias);
  const Reply more = REPLY(linear_forward, Matrix(Matrix::Ones(n, in + 2)), wide_weight, bias);
  expect_refused(fewer, "x has one column fewer than W");
  expect_refused(more, "x has one column more than W");
}

PROPERTY(linear_forward, "refuses a bias that is not one number per output") {
  const Index n = draw.size("N", 1, 4), in = draw.size("Di", 1, 5), out = draw.size("Do", 2, 5);
  const Matrix x = draw.matrix("x", n, in), weight = draw.matrix("W", out, in);
  const Reply more = REPLY(linear_forward, x, weight, draw.row("b", out + 1));
  const Reply single = REPLY(linear_forward, x, weight, RowVector(RowVector::Ones(1)));
  expect_refused(more, "b has one number more than W has rows");
  expect_refused(single, "b has a single number, W has several rows");
}

// ---- 1.3 linear_backward -----------------------------------------------------------------------

/// The derivative of a scalar function by each element of `at`. Exact but for rounding where the
/// function is linear or quadratic.
template <typename Tensor, typename Function>
Tensor differences(Tensor& at, const Function& f, double step) {
  Tensor slope = at;
  for (Index i = 0; i < at.size(); ++i) {
    const double here = at.data()[i];
    at.data()[i] = here + step;
    const double above = f();
    at.data()[i] = here - step;
    const double below = f();
    at.data()[i] = here;
    slope.data()[i] = (above - below) / (2.0 * step);
  }
  return slope;
}

Oracle product_oracle(const Oracle& a, const Oracle& b) {
  return linear_oracle(a, b.transpose(), OracleRow::Zero(b.cols()));
}

DEFINES(linear_backward, "is the derivative of sum(dY * Y) by X, W and b") {
  const Index n = draw.size("N", 1, 7), in = draw.size("Di", 1, 6), out = draw.size("Do", 1, 6);
  const Matrix dy = draw.matrix("dY", n, out), x = draw.matrix("x", n, in),
               weight = draw.matrix("W", out, in);
  const LinearGradients got = ASK(linear_backward, dy, x, weight);
  Oracle a = wide(x), w = wide(weight);
  OracleRow b = OracleRow::Zero(out);
  const auto loss = [&] { return linear_oracle(a, w, b).cwiseProduct(wide(dy)).sum(); };
  expect_near("dX", got.x, differences(a, loss, 1.0), kProducts);
  expect_near("dW", got.weight, differences(w, loss, 1.0), kProducts);
  expect_near("db", got.bias, differences(b, loss, 1.0), kProducts);
}

PROPERTY(linear_backward, "lets a sample of zeros count in dX and db, not in dW") {
  const Index n = draw.size("N", 2, 6), in = draw.size("Di", 1, 5), out = draw.size("Do", 1, 5);
  const Matrix dy = draw.matrix("dY", n, out), weight = draw.matrix("W", out, in);
  Matrix x = draw.matrix("other samples", n, in);
  x.row(draw.integer("blank", 0, n - 1)).setZero();
  const LinearGradients got = ASK(linear_backward, dy, draw.show("x", x), weight);
  OracleRow sums = OracleRow::Zero(out);
  for (Index i = 0; i < n; ++i) sums += wide(dy).row(i);
  expect_near("dX", got.x, product_oracle(wide(dy), wide(weight)), kProducts);
  expect_near("dW", got.weight, product_oracle(wide(dy).transpose(), wide(x)), kProducts);
  expect_near("db", got.bias, sums, kProducts);
}

PROPERTY(linear_backward, "has dW = 0 and db = 0 for an empty batch") {
  const Index in = draw.size("Di", 1, 4), out = draw.size("Do", 1, 4);
  const Matrix weight = draw.matrix("W", out, in), back = draw.matrix("V", in, out);
  const Reply other = REPLY(linear_backward, Matrix(0, in), Matrix(0, out), back);
  const LinearGradients got = ASK(linear_backward, Matrix(0, out), Matrix(0, in), weight);
  expect_near("dX", got.x, Oracle(0, in));
  expect_near("dW", got.weight, Oracle(Oracle::Zero(out, in)));
  expect_near("db", got.bias, OracleRow(OracleRow::Zero(out)));
  expect(other.outcome == Outcome::kValue, "an empty batch is no mistake: expected gradients of 0");
}

PROPERTY(linear_backward, "refuses dY and X with different numbers of rows") {
  const Index n = draw.size("N", 1, 4), in = draw.size("Di", 1, 4), out = draw.size("Do", 1, 4);
  const Matrix x = draw.matrix("x", n + 1, in), weight = draw.matrix("W", out, in);
  const Reply fewer = REPLY(linear_backward, draw.matrix("dY", n, out), x, weight);
  const Reply more = REPLY(linear_backward, Matrix(Matrix::Ones(n + 2, out)), x, weight);
  expect_refused(fewer, "dY has one row fewer than X");
  expect_refused(more, "dY has one row more than X");
}

PROPERTY(linear_backward, "refuses dY unless it has a column per row of W") {
  const Index n = draw.size("N", 1, 4), in = draw.size("Di", 1, 4), out = draw.size("Do", 1, 4);
  const Matrix x = draw.matrix("x", n, in), weight = draw.matrix("W", out + 1, in);
  const Reply fewer = REPLY(linear_backward, draw.matrix("dY", n, out), x, weight);
  const Reply more = REPLY(linear_backward, Matrix(Matrix::Ones(n, out + 2)), x, weight);
  expect_refused(fewer, "dY has one column fewer than W has rows");
  expect_refused(more, "dY has one column more than W has rows");
}

PROPERTY(linear_backward, "refuses X and W with different numbers of columns") {
  const Index n = draw.size("N", 1, 4), in = draw.size("Di", 1, 4), out = draw.size("Do", 1, 4);
  const Matrix dy = draw.matrix("dY", n, out), weight = draw.matrix("W", out, in + 1);
  const Reply fewer = REPLY(linear_backward, dy, draw.matrix("x", n, in), weight);
  const Reply more = REPLY(linear_backward, dy, Matrix(Matrix::Ones(n, in + 2)), weight);
  expect_refused(fewer, "X has one column fewer than W");
  expect_refused(more, "X has one column more than W");
}

// ---- 1.4 tanh ----------------------------------------------------------------------------------

// Values up to 1 in floats, times dy up to about 4.
constexpr Tolerance kUnit{1e-6, 1e-6, 4.0};

DEFINES(tanh, "is tanh x, and backwards dy (1 - y^2)") {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 6);
  const Matrix x = draw.matrix("x", n, d), dy = draw.matrix("dy", n, d);
  const Oracle expected = wide(x).unaryExpr([](double v) { return std::tanh(v); });
  const Matrix y = expected.cast<float>();
  const Matrix got = ASK(tanh_forward, x);
  expect_near("y", got, expected, kUnit);
  const Oracle slope = wide(y).unaryExpr([](double v) { return 1.0 - v * v; });
  expect_near("dx", ASK(tanh_backward, dy, y), Oracle(wide(dy).cwiseProduct(slope)), kUnit);
}

PROPERTY(tanh, "is 1 or -1 far out, never NaN") {
  const Index n = draw.size("N", 1, 4);
  const Matrix far = draw.matrix("x", n, 2);
  const auto outward = [&](float distance) -> Matrix {
    return far.unaryExpr([&](float v) { return v < 0.0F ? v - distance : v + distance; });
  };
  const Oracle sign = wide(far).unaryExpr([](double v) { return v < 0.0 ? -1.0 : 1.0; });
  const Matrix near = ASK(tanh_forward, outward(100.0F));
  const Matrix far_out = ASK(tanh_forward, outward(800.0F));
  const Matrix furthest = ASK(tanh_forward, outward(1000.0F));
  expect_near("tanh 100 beyond x", near, sign, kUnit);
  expect_near("tanh 800 beyond x", far_out, sign, kUnit);
  expect_near("tanh 1000 beyond x", furthest, sign, kUnit);
}

PROPERTY(tanh, "passes nothing back where y is 1 or -1") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const Matrix dy = draw.matrix("dy", n, d), top = Matrix::Ones(n, d);
  const Matrix above = ASK(tanh_backward, dy, top), below = ASK(tanh_backward, dy, Matrix(-top));
  expect_near("dx at y = 1", above, Oracle(Oracle::Zero(n, d)), kUnit);
  expect_near("dx at y = -1", below, Oracle(Oracle::Zero(n, d)), kUnit);
}

PROPERTY(tanh, "passes dy through unchanged where y is 0") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const Matrix dy = draw.matrix("dy", n, d), y = Matrix::Zero(n, d);
  expect_near("dx", ASK(tanh_backward, dy, y), wide(dy), kUnit);
}

PROPERTY(tanh, "refuses dy and y of different shapes") {
  const Index n = draw.size("N", 1, 4), d = n + draw.size("D", 1, 4);
  const Matrix y = draw.matrix("y", n, d, 0.25);
  const Reply narrower = REPLY(tanh_backward, draw.matrix("dy", n, d - 1), y);
  const Reply turned = REPLY(tanh_backward, Matrix(Matrix::Ones(d, n)), y);
  const Reply folded =
      REPLY(tanh_backward, Matrix(Matrix::Ones(2 * n, d)), Matrix(Matrix::Zero(n, 2 * d)));
  expect_refused(narrower, "dy has one column fewer than y");
  expect_refused(turned, "dy is [D, N] and y is [N, D]: as many elements, another shape");
  expect_refused(folded, "dy is [2N, D] and y is [N, 2D]: as many elements, another shape");
}

// ---- 1.5 mse_loss ------------------------------------------------------------------------------

constexpr Reduction kReductions[] = {Reduction::kSum, Reduction::kBatchMean, Reduction::kMean};

std::string name_of(Reduction reduction) {
  return reduction == Reduction::kSum         ? "kSum"
         : reduction == Reduction::kBatchMean ? "kBatchMean"
                                              : "kMean";
}

double divisor(Reduction reduction, const Matrix& x) {
  if (reduction == Reduction::kSum) return 1.0;
  return static_cast<double>(reduction == Reduction::kBatchMean ? x.rows() : x.size());
}

/// The sum of squared differences.
double squares(const Oracle& x_hat, const Oracle& x) {
  double sum = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    sum += (x_hat.data()[i] - x.data()[i]) * (x_hat.data()[i] - x.data()[i]);
  }
  return sum;
}

// Differences of floats are rounded before they are squared.
constexpr Tolerance kSquares{2e-6, 1e-6, 0.0};

DEFINES(mse_loss, "is the squared error over 1, N or N D, with its gradient") {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 6);
  const Matrix x_hat = draw.matrix("x_hat", n, d), x = draw.matrix("x", n, d);
  std::vector<Loss> losses;
  for (const Reduction reduction : kReductions)
    losses.push_back(ASK(mse_loss, x_hat, x, reduction));
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const std::string name = name_of(kReductions[i]);
    const double c = divisor(kReductions[i], x);
    expect_near(name + ", value", losses[i].value, squares(wide(x_hat), wide(x)) / c, kSquares);
    expect_near(name + ", gradient", losses[i].gradient,
                Oracle((wide(x_hat) - wide(x)) * (2.0 / c)), {1e-6, 1e-6, 8.0});
  }
}

PROPERTY(mse_loss, "is 0 with a gradient of 0 where x_hat = x") {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 1, 5);
  const Matrix x = draw.matrix("x", n, d);
  for (const Reduction reduction : kReductions) {
    const Loss got = ASK(mse_loss, x, x, reduction);
    expect_near(name_of(reduction) + ", value", got.value, 0.0, kDouble);
    expect_near(name_of(reduction) + ", gradient", got.gradient, Oracle(Oracle::Zero(n, d)),
                kDouble);
  }
}

PROPERTY(mse_loss, "counts small errors beside a large one") {
  const Index n = draw.size("N", 10, 20), d = draw.size("D", 10, 20);
  Matrix x_hat = Matrix::Ones(n, d);
  const Matrix x = Matrix::Zero(n, d);
  x_hat(0, 0) =
      4096.0F;  // its square is 2^24: the first whole number to which a float cannot add 1
  const double expected = 4096.0 * 4096.0 + static_cast<double>(n * d - 1);
  const Loss sum = ASK(mse_loss, x_hat, x, Reduction::kSum);
  const Loss mean = ASK(mse_loss, x_hat, x, Reduction::kMean);
  expect_near("sum of 4096^2 and many times 1", sum.value, expected, {1e-7, 0.0, 0.0});
  expect_near("mean of 4096^2 and many times 1", mean.value, expected / static_cast<double>(n * d),
              {1e-7, 0.0, 0.0});
}

PROPERTY(mse_loss, "refuses x_hat and x of different shapes") {
  const Index n = draw.size("N", 1, 4), d = n + draw.size("D", 1, 4);
  const Matrix x = draw.matrix("x", n, d);
  const Reply wider = REPLY(mse_loss, draw.matrix("x_hat", n, d + 1), x, Reduction::kSum);
  const Reply turned = REPLY(mse_loss, Matrix(Matrix::Ones(d, n)), x, Reduction::kMean);
  const Reply folded = REPLY(mse_loss, Matrix(Matrix::Ones(2 * n, d)),
                             Matrix(Matrix::Zero(n, 2 * d)), Reduction::kMean);
  expect_refused(wider, "x_hat has one column more than x");
  expect_refused(turned, "x_hat is [D, N] and x is [N, D]: as many elements, another shape");
  expect_refused(folded, "x_hat is [2N, D] and x is [N, 2D]: as many elements, another shape");
}

PROPERTY(mse_loss, "refuses a batch without elements") {
  const Index n = draw.size("N", 1, 4), d = draw.size("D", 1, 4);
  const Reply rows = REPLY(mse_loss, Matrix(0, d), Matrix(0, d), Reduction::kBatchMean);
  const Reply cols = REPLY(mse_loss, Matrix(n, 0), Matrix(n, 0), Reduction::kMean);
  const Reply sum = REPLY(mse_loss, Matrix(0, d), Matrix(0, d), Reduction::kSum);
  expect_refused(rows, "there is no sample");
  expect_refused(cols, "there is no feature");
  expect_refused(sum, "there is no sample, whatever the reduction");
}

// ---- 1.6 adam_step -----------------------------------------------------------------------------

/// Moments as a run of Adam leaves them: v is never negative, and here never tiny.
AdamState draw_state(Draw& draw, Index rows, Index cols) {
  AdamState state{draw.matrix("theta", rows, cols), draw.matrix("m", rows, cols), Matrix()};
  Matrix v = Matrix::Zero(rows, cols);
  for (Index i = 0; i < v.size(); ++i)
    v.data()[i] = 0.25F + static_cast<float>(draw.random().integer(1, 12)) / 4.0F;
  state.second_moment = draw.show("v", v);
  return state;
}

/// Large enough a step and an epsilon to see both in a float.
AdamOptions draw_options(Draw& draw) {
  AdamOptions options;
  options.learning_rate = draw.number("eta", 0.125, 0.5);
  options.beta1 = draw.number("beta1", 0.3, 0.6);
  options.beta2 = draw.number("beta2", 0.7, 0.95);
  options.epsilon = draw.number("epsilon", 0.1, 0.5);
  return options;
}

AdamState still(Index rows, Index cols) {
  return {Matrix::Zero(rows, cols), Matrix::Zero(rows, cols), Matrix::Zero(rows, cols)};
}

struct AdamOracle {
  Oracle parameter, first_moment, second_moment;
};

AdamOracle adam_oracle(const AdamState& state, const Matrix& gradient, std::int64_t step,
                       const AdamOptions& options) {
  AdamOracle next{wide(state.parameter), wide(state.first_moment), wide(state.second_moment)};
  for (Index i = 0; i < gradient.size(); ++i) {
    const double g = gradient.data()[i];
    double& m = next.first_moment.data()[i];
    double& v = next.second_moment.data()[i];
    m = options.beta1 * m + (1.0 - options.beta1) * g;
    v = options.beta2 * v + (1.0 - options.beta2) * g * g;
    const double m_hat = m / (1.0 - std::pow(options.beta1, static_cast<double>(step)));
    const double v_hat = v / (1.0 - std::pow(options.beta2, static_cast<double>(step)));
    next.parameter.data()[i] -=
        options.learning_rate * m_hat / (std::sqrt(v_hat) + options.epsilon);
  }
  return next;
}

// theta, m and g reach about 4, v about 20; the step divides by 0.3 at least.
constexpr Tolerance kAdam{2e-6, 1e-6, 10.0};

DEFINES(adam_step, "moves by eta m^ / (sqrt(v^) + epsilon)") {
  const Index rows = draw.size("R", 1, 5), cols = draw.size("C", 1, 5), t = draw.size("t", 1, 9);
  const AdamState state = draw_state(draw, rows, cols);
  const Matrix g = draw.matrix("g", rows, cols);
  const AdamOptions options = draw_options(draw);
  const AdamState got = ASK(adam_step, state, g, t, options);
  expect_near("theta", got.parameter, adam_oracle(state, g, t, options).parameter, kAdam);
}

PROPERTY(adam_step, "keeps both moments, without their bias correction") {
  const Index rows = draw.size("R", 1, 5), cols = draw.size("C", 1, 5), t = draw.size("t", 1, 9);
  const AdamState state = draw_state(draw, rows, cols);
  const Matrix g = draw.matrix("g", rows, cols), h = draw.matrix("h", rows, cols);
  const AdamOptions options = draw_options(draw);
  const AdamState got = ASK(adam_step, state, g, t, options);
  const AdamState other = ASK(adam_step, state, h, 1, options);
  const AdamOracle expected = adam_oracle(state, g, t, options);
  expect_near("m", got.first_moment, expected.first_moment, kAdam);
  expect_near("v", got.second_moment, expected.second_moment, kAdam);
  const AdamOracle first = adam_oracle(state, h, 1, options);
  expect_near("m, with h at t = 1", other.first_moment, first.first_moment, kAdam);
  expect_near("v, with h at t = 1", other.second_moment, first.second_moment, kAdam);
}

PROPERTY(adam_step, "first moves by the learning rate, whatever the size of g") {
  const Index rows = draw.size("R", 1, 4), cols = draw.size("C", 1, 4);
  AdamOptions options;
  options.learning_rate = draw.number("eta", 0.125, 0.5);
  const Matrix g = draw.matrix("direction", rows, cols).unaryExpr([](float v) {
    return v < 0.0F ? v - 0.5F : v + 0.5F;
  });
  const Matrix steep = draw.show("g", Matrix(g * 1000.0F)),
               flat = draw.show("g'", Matrix(g / 1024.0F));
  const AdamState large = ASK(adam_step, still(rows, cols), steep, 1, options);
  const AdamState small = ASK(adam_step, still(rows, cols), flat, 1, options);
  const Oracle expected = wide(g).unaryExpr(
      [&](double v) { return v < 0.0 ? options.learning_rate : -options.learning_rate; });
  // epsilon is 1e-8 of a gradient of 5e-4; 1 - 0.999 may be taken between floats, at 5e-5 of v.
  expect_near("theta after g", large.parameter, expected, {1e-4, 1e-6, 0.0});
  expect_near("theta after g'", small.parameter, expected, {1e-4, 1e-6, 0.0});
}

PROPERTY(adam_step, "takes theta = 1 and g = 0.5 to 0.999") {
  const Matrix one = Matrix::Ones(1, 1), zero = Matrix::Zero(1, 1);
  const Matrix up = Matrix::Constant(1, 1, 0.5F), down = Matrix::Constant(1, 1, -0.5F);
  const AdamState state{one, zero, zero};
  const AdamState got = ASK(adam_step, state, up, 1, AdamOptions{});
  const AdamState other = ASK(adam_step, state, down, 1, AdamOptions{});
  expect_near("theta", got.parameter, Oracle(Oracle::Constant(1, 1, 0.999)), {0.0, 3e-7, 1.0});
  expect_near("theta, with g = -0.5", other.parameter, Oracle(Oracle::Constant(1, 1, 1.001)),
              {0.0, 3e-7, 1.0});
}

PROPERTY(adam_step, "moves on along the old moments when the gradient is 0") {
  const Index rows = draw.size("R", 1, 4), cols = draw.size("C", 1, 4), t = draw.size("t", 1, 9);
  const AdamState state = draw_state(draw, rows, cols);
  const Matrix g = Matrix::Zero(rows, cols);
  const AdamOptions options = draw_options(draw);
  const AdamState got = ASK(adam_step, state, g, t, options);
  const AdamState next = ASK(adam_step, state, g, t + 1, options);
  expect_near("theta", got.parameter, adam_oracle(state, g, t, options).parameter, kAdam);
  expect_near("theta at t + 1", next.parameter, adam_oracle(state, g, t + 1, options).parameter,
              kAdam);
}

PROPERTY(adam_step, "refuses a step before the first") {
  const Index rows = draw.size("R", 1, 4), cols = draw.size("C", 1, 4);
  const AdamState state = draw_state(draw, rows, cols);
  const Matrix g = draw.matrix("g", rows, cols);
  const Reply zero = REPLY(adam_step, state, g, 0, AdamOptions{});
  const Reply negative = REPLY(adam_step, state, g, -1, AdamOptions{});
  expect_refused(zero, "t = 0, but steps count from 1");
  expect_refused(negative, "t = -1, but steps count from 1");
}

PROPERTY(adam_step, "refuses a gradient or moments of another shape") {
  const Index rows = draw.size("R", 1, 4), cols = rows + draw.size("C", 1, 4);
  const AdamState state = draw_state(draw, rows, cols);
  const Matrix g = draw.matrix("g", rows, cols), turned = Matrix::Ones(cols, rows);
  const Matrix& m = state.first_moment;
  const Matrix& v = state.second_moment;
  const Reply gradient = REPLY(adam_step, state, turned, 1, AdamOptions{});
  const Reply first =
      REPLY(adam_step, (AdamState{state.parameter, turned, v}), g, 1, AdamOptions{});
  const Reply second =
      REPLY(adam_step, (AdamState{state.parameter, m, turned}), g, 1, AdamOptions{});
  const Reply all_but_theta = REPLY(adam_step, (AdamState{turned, m, v}), g, 1, AdamOptions{});
  const Matrix wider = Matrix::Ones(rows, cols + 1), taller = Matrix::Ones(rows + 1, cols);
  const Reply wide = REPLY(adam_step, state, wider, 1, AdamOptions{});
  const Reply tall = REPLY(adam_step, state, taller, 1, AdamOptions{});
  expect_refused(gradient, "g is [C, R] and theta is [R, C]");
  expect_refused(first, "m is [C, R] and theta is [R, C]");
  expect_refused(second, "v is [C, R] and theta is [R, C]");
  expect_refused(all_but_theta, "theta is [C, R], everything else is [R, C]");
  expect_refused(wide, "g has one column more than theta");
  expect_refused(tall, "g has one row more than theta");
}

// ---- 1.7 autoencoder_gradients -----------------------------------------------------------------

Layer draw_layer(Draw& draw, const std::string& number, Index in, Index out) {
  return {draw.matrix("W" + number, out, in, 0.5), draw.row("b" + number, out, 0.5)};
}

struct Example {
  Autoencoder model;
  Matrix x;
};

/// A model of 2 to 5 features, 2 to 6 hidden units and 1 to 4 latents, and a batch for it.
Example draw_example(Draw& draw) {
  const Index n = draw.size("N", 1, 5), d = draw.size("D", 2, 5), h = draw.size("H", 2, 6),
              l = draw.size("L", 1, 4);
  const Layer one = draw_layer(draw, "1", d, h), two = draw_layer(draw, "2", h, l);
  const Layer three = draw_layer(draw, "3", l, h), four = draw_layer(draw, "4", h, d);
  return {{one, two, three, four}, draw.matrix("x", n, d)};
}

struct WideAutoencoder {
  Oracle weight[4];
  OracleRow bias[4];
  explicit WideAutoencoder(const Autoencoder& model) {
    const Layer* layers[] = {&model.encoder_hidden, &model.encoder_output, &model.decoder_hidden,
                             &model.decoder_output};
    for (int i = 0; i < 4; ++i)
      weight[i] = wide(layers[i]->weight), bias[i] = wide(layers[i]->bias);
  }
};

struct Pass {
  double loss = 0.0;
  Oracle z, x_hat;
};

Pass autoencoder_oracle(const WideAutoencoder& model, const Oracle& x) {
  const auto bend = [](const Oracle& a) -> Oracle {
    return a.unaryExpr([](double v) { return std::tanh(v); });
  };
  Pass pass;
  pass.z = linear_oracle(bend(linear_oracle(x, model.weight[0], model.bias[0])), model.weight[1],
                         model.bias[1]);
  pass.x_hat = linear_oracle(bend(linear_oracle(pass.z, model.weight[2], model.bias[2])),
                             model.weight[3], model.bias[3]);
  pass.loss = squares(pass.x_hat, x) / static_cast<double>(x.rows());
  return pass;
}

// Activations of a few units; gradients reach a few tens.
constexpr Tolerance kActivations{2e-6, 1e-6, 20.0};
constexpr Tolerance kGradients{2e-5, 1e-4, 0.0};

DEFINES(autoencoder_gradients, "gives all eight derivatives of the loss") {
  const Example example = draw_example(draw);
  const Autoencoder got = ASK(autoencoder_gradients, example.model, example.x).gradient;
  WideAutoencoder model(example.model);
  const Oracle x = wide(example.x);
  const auto loss = [&] { return autoencoder_oracle(model, x).loss; };
  const Layer* layers[] = {&got.encoder_hidden, &got.encoder_output, &got.decoder_hidden,
                           &got.decoder_output};
  for (int i = 3; i >= 0; --i) {
    const std::string number = std::to_string(i + 1);
    expect_near("dW" + number, layers[i]->weight, differences(model.weight[i], loss, 1e-5),
                kGradients);
    expect_near("db" + number, layers[i]->bias, differences(model.bias[i], loss, 1e-5), kGradients);
  }
}

PROPERTY(autoencoder_gradients, "has the squared error per sample as its loss") {
  const Example example = draw_example(draw), other{example.model, example.x * 2.0F};
  const AutoencoderGradients got = ASK(autoencoder_gradients, example.model, example.x);
  const AutoencoderGradients next = ASK(autoencoder_gradients, other.model, other.x);
  const WideAutoencoder model(example.model);
  expect_near("loss", got.loss, autoencoder_oracle(model, wide(example.x)).loss, {5e-6, 1e-6, 0.0});
  expect_near("loss of 2 x", next.loss, autoencoder_oracle(model, wide(other.x)).loss,
              {5e-6, 1e-6, 0.0});
}

PROPERTY(autoencoder_gradients, "has the second layer's output as its latent, no tanh") {
  const Example example = draw_example(draw);
  const Matrix z = ASK(autoencoder_gradients, example.model, example.x).latent;
  expect_near("z", z, autoencoder_oracle(WideAutoencoder(example.model), wide(example.x)).z,
              kActivations);
}

PROPERTY(autoencoder_gradients, "has the fourth layer's output as reconstruction, no tanh") {
  const Example example = draw_example(draw);
  const Matrix x_hat = ASK(autoencoder_gradients, example.model, example.x).reconstruction;
  expect_near("x_hat", x_hat,
              autoencoder_oracle(WideAutoencoder(example.model), wide(example.x)).x_hat,
              kActivations);
}

PROPERTY(autoencoder_gradients, "refuses samples that do not fit the first layer") {
  const Example example = draw_example(draw);
  const Matrix wider = Matrix::Ones(example.x.rows(), example.x.cols() + 1);
  const Matrix narrower = Matrix::Ones(example.x.rows(), example.x.cols() - 1);
  const Reply more = REPLY(autoencoder_gradients, example.model, wider);
  const Reply fewer = REPLY(autoencoder_gradients, example.model, narrower);
  expect_refused(more, "x has one column more than W1");
  expect_refused(fewer, "x has one column fewer than W1");
}

PROPERTY(autoencoder_gradients, "refuses layers that do not fit one another") {
  const Example example = draw_example(draw);
  const Index h = example.model.encoder_hidden.weight.rows(),
              l = example.model.encoder_output.weight.rows();
  const Index d = example.x.cols();
  Autoencoder latent = example.model, hidden = example.model, output = example.model;
  latent.decoder_hidden.weight = Matrix::Ones(h, l + 1);
  hidden.encoder_output.weight = Matrix::Ones(l, h + 1);
  output.decoder_output = {Matrix::Ones(d + 1, h), RowVector::Ones(d + 1)};
  const Reply middle = REPLY(autoencoder_gradients, latent, example.x);
  const Reply inside = REPLY(autoencoder_gradients, hidden, example.x);
  const Reply end = REPLY(autoencoder_gradients, output, example.x);
  expect_refused(middle, "W3 has one column more than z");
  expect_refused(inside, "W2 has one column more than h");
  expect_refused(end, "the reconstruction has one feature more than x");
}

PROPERTY(autoencoder_gradients, "refuses an empty batch, which has no loss") {
  const Example example = draw_example(draw), other = draw_example(draw);
  const Reply none = REPLY(autoencoder_gradients, example.model, Matrix(0, example.x.cols()));
  const Reply again = REPLY(autoencoder_gradients, other.model, Matrix(0, other.x.cols()));
  expect_refused(none, "x has no row");
  expect_refused(again, "x has no row");
}

// ---- 1.8 conv2d_out ----------------------------------------------------------------------------

/// Lays the kernel down at one place after the other.
std::int64_t positions(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                       std::int64_t before, std::int64_t after) {
  std::int64_t found = 0;
  for (std::int64_t start = -before; start + kernel <= size + after; start += stride) ++found;
  return found;
}

DEFINES(conv2d_out, "counts the places where the kernel fits") {
  const Index n = draw.size("n", 6, 20), k = draw.size("k", 1, 5), s = draw.size("s", 1, 4);
  const Index before = draw.size("before", 0, 3), after = draw.size("after", 0, 3);
  const std::int64_t got = ASK(conv2d_out, n, k, s, before, after);
  const std::int64_t longer = ASK(conv2d_out, n + 13, k, s, before, after);
  expect_equal("n'", got, positions(n, k, s, before, after));
  expect_equal("n', for n + 13", longer, positions(n + 13, k, s, before, after));
}

PROPERTY(conv2d_out, "drops what the last stride does not reach, on long axes too") {
  const Index m = draw.size("m", 2, 6), k = draw.size("k", 1, 4), s = draw.size("s", 2, 5);
  const std::int64_t exact = ASK(conv2d_out, k + m * s, k, s, 0, 0);
  const std::int64_t short_by_one = ASK(conv2d_out, k + m * s - 1, k, s, 0, 0);
  const std::int64_t over_by_one = ASK(conv2d_out, k + m * s + 1, k, s, 0, 0);
  expect_equal("n', for n = k + m s", exact, m + 1);
  expect_equal("n', for n = k + m s - 1", short_by_one, m);
  expect_equal("n', for n = k + m s + 1", over_by_one, m + 1);
  const std::int64_t many = (1 << 24) + 8 * m;  // many s - 1 has no float of its own
  const std::int64_t far = ASK(conv2d_out, k + many * s - 1, k, s, 0, 0);
  expect(far == many, "n', for n = k + " + std::to_string(many) + " s - 1: expected " +
                          std::to_string(many) + ", got " + std::to_string(far));
}

PROPERTY(conv2d_out, "cares only for n plus both paddings, even where n = 0") {
  const Index n = draw.size("n", 5, 9), k = draw.size("k", 1, 4), s = draw.size("s", 1, 3),
              p = draw.size("p", 1, 4);
  const std::int64_t front = ASK(conv2d_out, n, k, s, p, 0), back = ASK(conv2d_out, n, k, s, 0, p);
  const std::int64_t spread = ASK(conv2d_out, n, k, s, p, 1),
                     plain = ASK(conv2d_out, n + p, k, s, 0, 0);
  const std::int64_t padding_alone = ASK(conv2d_out, 0, k, s, p, k);
  expect_equal("n', padded by p before", front, positions(n + p, k, s, 0, 0));
  expect_equal("n', padded by p after", back, positions(n + p, k, s, 0, 0));
  expect_equal("n', padded by p before, 1 after", spread, positions(n + p + 1, k, s, 0, 0));
  expect_equal("n', for n + p", plain, positions(n + p, k, s, 0, 0));
  expect_equal("n', for n = 0, padded by p before, k after", padding_alone,
               positions(p + k, k, s, 0, 0));
}

PROPERTY(conv2d_out, "keeps 512 with k = 3, s = 1 and halves it with s = 2, (0, 1)") {
  const std::int64_t same = ASK(conv2d_out, 512, 3, 1, 1, 1),
                     half = ASK(conv2d_out, 512, 3, 2, 0, 1);
  expect_equal("512, k = 3, s = 1, padding (1, 1)", same, std::int64_t{512});
  expect_equal("512, k = 3, s = 2, padding (0, 1)", half, std::int64_t{256});
}

PROPERTY(conv2d_out, "is 1 when the kernel covers the whole axis, whatever the stride") {
  const Index n = draw.size("n", 1, 9), s = draw.size("s", 1, 9), p = draw.size("p", 1, 3);
  const std::int64_t bare = ASK(conv2d_out, n, n, s, 0, 0),
                     padded = ASK(conv2d_out, n, n + p, s, p, 0);
  expect_equal("n', for k = n", bare, std::int64_t{1});
  expect_equal("n', for k = n + p", padded, std::int64_t{1});
}

PROPERTY(conv2d_out, "refuses a kernel longer than the padded axis") {
  const Index n = draw.size("n", 0, 6), before = draw.size("before", 0, 2),
              after = draw.size("after", 0, 2);
  const Reply by_one = REPLY(conv2d_out, n, n + before + after + 1, 2, before, after);
  const Reply by_two = REPLY(conv2d_out, n, n + before + after + 2, 4, before, after);
  const Reply by_nine = REPLY(conv2d_out, n, n + before + after + 9, 1, before, after);
  expect_refused(by_one, "the kernel is one cell too long");
  expect_refused(by_two, "the kernel is two cells too long");
  expect_refused(by_nine, "the kernel is nine cells too long");
}

PROPERTY(conv2d_out, "refuses a kernel of 0 cells") {
  const Index n = draw.size("n", 1, 9), s = draw.size("s", 1, 3);
  const Reply zero = REPLY(conv2d_out, n, 0, s, 0, 0), negative = REPLY(conv2d_out, n, -1, s, 1, 0);
  expect_refused(zero, "k = 0");
  expect_refused(negative, "k = -1");
}

PROPERTY(conv2d_out, "refuses a stride of 0") {
  const Index n = draw.size("n", 1, 9);
  const Reply zero = REPLY(conv2d_out, n, 1, 0, 0, 0), negative = REPLY(conv2d_out, n, 1, -1, 1, 0);
  expect_refused(zero, "s = 0");
  expect_refused(negative, "s = -1");
}

PROPERTY(conv2d_out, "refuses a negative size or padding") {
  const Index n = draw.size("n", 4, 9), p = draw.size("p", 1, 2);
  const Reply before = REPLY(conv2d_out, n, 1, 1, -p, 0), after = REPLY(conv2d_out, n, 1, 1, 0, -p);
  const Reply size = REPLY(conv2d_out, -1, 1, 1, 2, 2), both = REPLY(conv2d_out, n, 1, 1, -p, p);
  expect_refused(before, "the padding before is negative");
  expect_refused(after, "the padding after is negative");
  expect_refused(size, "n = -1");
  expect_refused(both, "the padding before is negative, though the sum of both is not");
}

// ---- 1.9 conv2d_forward ------------------------------------------------------------------------

Numbers conv2d_oracle(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                      const Conv2dOptions& options) {
  const std::int64_t k = weight.h(), s = options.stride;
  Numbers y;
  y.shape = {x.n(), weight.n(), positions(x.h(), k, s, options.top, options.bottom),
             positions(x.w(), k, s, options.left, options.right)};
  for (Index n = 0; n < y.shape[0]; ++n) {
    for (Index o = 0; o < y.shape[1]; ++o) {
      for (Index i = 0; i < y.shape[2]; ++i) {
        for (Index j = 0; j < y.shape[3]; ++j) {
          double sum = bias(o);
          for (Index c = 0; c < x.c(); ++c) {
            for (Index u = 0; u < k; ++u) {
              for (Index v = 0; v < k; ++v) {
                const Index row = s * i + u - options.top, col = s * j + v - options.left;
                const bool inside = row >= 0 && row < x.h() && col >= 0 && col < x.w();
                if (inside) sum += double(weight(o, c, u, v)) * double(x(n, c, row, col));
              }
            }
          }
          y.elements.push_back(sum);
        }
      }
    }
  }
  return y;
}

// Up to 36 products of numbers up to about 4.
constexpr Tolerance kWindow{2e-6, 1e-6, 100.0};

struct Convolution {
  Tensor4 x, weight;
  RowVector bias;
};

Convolution draw_convolution(Draw& draw, Index n, Index in, Index out, Index h, Index w, Index k) {
  Convolution drawn{draw.tensor("x", n, in, h, w), draw.tensor("w", out, in, k, k), {}};
  drawn.bias = draw.row("b", out);
  return drawn;
}

DEFINES(conv2d_forward, "is b plus the kernel times what lies under it, not flipped") {
  const Index w = draw.size("W", 3, 7), h = draw.size("H", 3, 6), k = draw.size("k", 2, 3);
  const Index out = draw.size("Co", 1, 4), in = draw.size("Ci", 1, 4);
  const Convolution c = draw_convolution(draw, 1, in, out, h, w, k);
  const Conv2dOptions options;
  expect_near("y", ASK(conv2d_forward, c.x, c.weight, c.bias, options),
              conv2d_oracle(c.x, c.weight, c.bias, options), kWindow);
}

PROPERTY(conv2d_forward, "moves by the stride along rows and columns alike") {
  const Index w = draw.size("W", 6, 9), h = draw.size("H", 4, 8), s = draw.size("s", 2, 3),
              k = draw.size("k", 1, 3);
  const Convolution c = draw_convolution(draw, 1, 2, 2, h, w, k);
  const Conv2dOptions options{s, 0, 0, 0, 0};
  expect_near("y", ASK(conv2d_forward, c.x, c.weight, c.bias, options),
              conv2d_oracle(c.x, c.weight, c.bias, options), kWindow);
}

PROPERTY(conv2d_forward, "pads each of the four sides by its own number of zeros") {
  const Index w = draw.size("W", 3, 6), h = draw.size("H", 3, 6), k = draw.size("k", 2, 3),
              turn = draw.size("r", 0, 3);
  const Convolution c = draw_convolution(draw, 1, 2, 1, h, w, k);
  const auto pad = [&](std::int64_t side) { return (turn + side) % 4; };
  const Conv2dOptions options{1, pad(0), pad(1), pad(2), pad(3)},
      turned{1, pad(3), pad(2), pad(0), pad(1)};
  draw.show("left, right, top, bottom",
            Shape{options.left, options.right, options.top, options.bottom});
  const Tensor4 y = ASK(conv2d_forward, c.x, c.weight, c.bias, options);
  const Reply other = REPLY(conv2d_forward, c.x, c.weight, c.bias, turned);
  expect_near("y", y, conv2d_oracle(c.x, c.weight, c.bias, options), kWindow);
  expect(other.outcome == Outcome::kValue, "other paddings of 0 to 3 are allowed as well");
}

PROPERTY(conv2d_forward, "pads (0, 1, 0, 1) right and below, (1, 0, 1, 0) left and above") {
  const Index m = draw.size("m", 2, 3), out = draw.size("Co", 1, 2);
  Tensor4 ramp(1, 1, 2 * m, 2 * m);
  for (Index i = 0; i < ramp.size(); ++i) ramp.data()[i] = static_cast<float>(i + 1) / 4.0F;
  draw.show("x", ramp);
  const Tensor4 weight = draw.tensor("w", out, 1, 3, 3);
  const RowVector bias = draw.row("b", out);
  for (const Conv2dOptions& options :
       {Conv2dOptions{2, 0, 1, 0, 1}, Conv2dOptions{2, 1, 0, 1, 0}}) {
    expect_near(options.left == 0 ? "y, padded right and below" : "y, padded left and above",
                ASK(conv2d_forward, ramp, weight, bias, options),
                conv2d_oracle(ramp, weight, bias, options), kWindow);
  }
}

PROPERTY(conv2d_forward, "is a linear layer at every pixel when k = 1") {
  const Index in = draw.size("Ci", 2, 5), out = draw.size("Co", 2, 5), w = draw.size("W", 1, 4),
              h = draw.size("H", 1, 4);
  const Convolution c = draw_convolution(draw, 1, in, out, h, w, 1);
  expect_near("y", ASK(conv2d_forward, c.x, c.weight, c.bias, Conv2dOptions{}),
              conv2d_oracle(c.x, c.weight, c.bias, {}), kWindow);
}

PROPERTY(conv2d_forward, "keeps the samples of a batch apart") {
  const Index n = draw.size("N", 2, 4), w = draw.size("W", 2, 4), h = draw.size("H", 2, 4),
              k = draw.size("k", 1, 2);
  const Convolution c = draw_convolution(draw, n, 2, 1, h, w, k);
  const Conv2dOptions options{1, 1, 1, 1, 1};
  expect_near("y", ASK(conv2d_forward, c.x, c.weight, c.bias, options),
              conv2d_oracle(c.x, c.weight, c.bias, options), kWindow);
}

PROPERTY(conv2d_forward, "refuses weights for another number of channels") {
  const Index in = draw.size("Ci", 1, 3), out = draw.size("Co", 1, 3), k = draw.size("k", 1, 2);
  const Tensor4 x = draw.tensor("x", 1, in + 1, 3, 4);
  const RowVector bias = draw.row("b", out);
  const Reply fewer =
      REPLY(conv2d_forward, x, draw.tensor("w", out, in, k, k), bias, Conv2dOptions{});
  const Reply more =
      REPLY(conv2d_forward, x, draw.tensor("w'", out, in + 2, k, k), bias, Conv2dOptions{});
  expect_refused(fewer, "w has one channel fewer than x");
  expect_refused(more, "w has one channel more than x");
}

PROPERTY(conv2d_forward, "refuses a bias that is not one number per output channel") {
  const Index in = draw.size("Ci", 1, 3), out = draw.size("Co", 2, 4), k = draw.size("k", 1, 2);
  const Tensor4 x = draw.tensor("x", 1, in, 3, 4), weight = draw.tensor("w", out, in, k, k);
  const Reply more = REPLY(conv2d_forward, x, weight, draw.row("b", out + 1), Conv2dOptions{});
  const Reply fewer = REPLY(conv2d_forward, x, weight, draw.row("b'", out - 1), Conv2dOptions{});
  const Reply no_sample = REPLY(conv2d_forward, Tensor4(0, in, 3, 4), weight,
                                draw.row("b''", out + 1), Conv2dOptions{});
  expect_refused(more, "b has one number more than w has output channels");
  expect_refused(fewer, "b has one number fewer than w has output channels");
  expect_refused(no_sample, "b has one number too many, also where there is no sample");
}

PROPERTY(conv2d_forward, "refuses a kernel that is not square") {
  const Index k = draw.size("k", 1, 3), out = draw.size("Co", 1, 3);
  const Tensor4 x = draw.tensor("x", 1, 2, 5, 6);
  const RowVector bias = draw.row("b", out);
  const Reply broad =
      REPLY(conv2d_forward, x, draw.tensor("w", out, 2, k, k + 1), bias, Conv2dOptions{});
  const Reply tall =
      REPLY(conv2d_forward, x, draw.tensor("w'", out, 2, k + 1, k), bias, Conv2dOptions{});
  expect_refused(broad, "the kernel has one column more than rows");
  expect_refused(tall, "the kernel has one row more than columns");
}

PROPERTY(conv2d_forward, "refuses a kernel larger than the padded image") {
  const Index h = draw.size("H", 1, 4), w = draw.size("W", 1, 4), p = draw.size("p", 0, 2);
  const Index k = std::min(h, w) + p + 1;
  const Convolution c = draw_convolution(draw, 1, 1, 1, h, w, k);
  const Reply bare = REPLY(conv2d_forward, c.x, c.weight, c.bias, Conv2dOptions{});
  const Reply padded = REPLY(conv2d_forward, c.x, c.weight, c.bias, (Conv2dOptions{2, p, 0, 0, p}));
  expect_refused(bare, "the kernel does not fit into the image");
  expect_refused(padded, "the kernel does not fit into the padded image");
}

}  // namespace
}  // namespace latent::grader

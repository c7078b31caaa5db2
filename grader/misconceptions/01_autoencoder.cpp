// Wrong answers to lab 01 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one. The first of each exercise calls
// nothing but Eigen and common/, so that it can be compiled as a submission.
//
// Left out, with the reason:
//   values_in counted in a double, whose answers differ by less than the precision at which answers
//     are compared for a diagnosis, or checking the product only, which nothing_refused explains as
//     well; tanh_backward comparing numbers of elements, likewise.
//   compression_ratio counting the batch twice: the contract asks for shapes without it.
//   linear_forward accumulating into a stale output, linear_backward overwriting one: the contracts
//     return values, there is no output argument to be stale.
//   tanh_backward with 1 - x^2: the contract hands over y, not x. Taking y for x is in
//     (tanh_of_the_output).
//   adam_step with moments shared between tensors: the state is an argument, one per tensor.
//   conv2d_out with a stride of 0 accepted: that is a division by zero, which ends the process.
//   autoencoder_gradients with the gradients of two layers exchanged: their shapes differ, so it
//     shows at once; the exchange that shapes do not show is in (encoder_as_decoder).

#include <algorithm>
#include <cmath>

#include "autoencoder.hpp"
#include "common/require.hpp"
#include "grader/judge/misconception.hpp"

namespace solution = latent;

namespace latent {

// ---- 1.0 values_in -----------------------------------------------------------------------------

namespace sum_of_sizes {
std::int64_t values_in(const Shape& shape) {
  std::int64_t count = 0;
  for (const std::int64_t size : shape) {
    require(size >= 0, "expected no negative size, got " + to_string(shape));
    count += size;
  }
  return count;
}
}  // namespace sum_of_sizes
MISCONCEPTION(sum_of_sizes, values_in, "values.sum",
              "You added the sizes. A tensor holds their product.",
              "A 2x3 matrix has 6 elements, not 5. The two agree for {2, 2} and {1, 2, 3}, so that "
              "a test with a lucky shape lets it pass.")

namespace starts_at_zero {
std::int64_t values_in(const Shape& shape) {
  return 0 * solution::values_in(shape);
}
}  // namespace starts_at_zero
MISCONCEPTION(starts_at_zero, values_in, "values.starts-at-zero",
              "Every answer is 0: your product starts at 0. A product starts at 1.",
              "0 is where sums begin, because it adds nothing; 1 is where products begin, because "
              "it multiplies by nothing. The product of no sizes at all is 1 for the same reason: "
              "a scalar holds one value.")

namespace thirty_two_bits {
std::int64_t values_in(const Shape& shape) {
  return static_cast<std::int32_t>(solution::values_in(shape));
}
}  // namespace thirty_two_bits
MISCONCEPTION(
    thirty_two_bits, values_in, "values.int-overflow",
    "You counted in a 32-bit int. {3, 65536, 65536} holds 12,884,901,888 values.",
    "An int ends at 2,147,483,647, which a batch of large feature maps passes easily: 64 "
    "maps of 128 channels at 512x512 are exactly 2^31 values. The product then wraps "
    "around, often to a number that looks possible. Sizes in Eigen and torch have 64 bits.")

namespace refuses_zero {
std::int64_t values_in(const Shape& shape) {
  for (const std::int64_t size : shape) require(size > 0, "expected sizes above 0");
  return solution::values_in(shape);
}
}  // namespace refuses_zero
MISCONCEPTION(refuses_zero, values_in, "values.zero-refused",
              "You refused a size of 0. Only negative sizes are refused; {0} holds no value.",
              "Empty batches are ordinary: the last part of a data set, the samples that passed a "
              "filter. A library that refuses them makes every caller write an if.")

namespace empty_is_zero {
std::int64_t values_in(const Shape& shape) {
  return shape.empty() ? 0 : solution::values_in(shape);
}
}  // namespace empty_is_zero
MISCONCEPTION(empty_is_zero, values_in, "values.scalar-is-empty",
              "You said that {} holds nothing. It is the shape of a scalar, which holds one value.",
              "No axes is not the same as an axis of length 0. The product over nothing is 1, so "
              "the loop is right without any special case.")

namespace nothing_refused {
std::int64_t values_in(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}
}  // namespace nothing_refused
MISCONCEPTION(nothing_refused, values_in, "values.negative-accepted",
              "The count is right, but a negative size goes through. The contract refuses it.",
              "A shape with a negative size is a mistake somewhere else, for example a kernel "
              "longer than its input. require() stops it where it can still be found.")

namespace without_the_first {
std::int64_t values_in(const Shape& shape) {
  const std::int64_t all = solution::values_in(shape);
  return shape.empty() || all == 0 ? all : all / shape.front();
}
}  // namespace without_the_first
MISCONCEPTION(
    without_the_first, values_in, "values.first-axis-skipped",
    "You left the first size out. For an image {C, H, W} that counts pixels, not values.",
    "A 256x256 colour image has 65,536 pixels and 196,608 values. Both numbers are called "
    "its size in the literature; this workbook counts values.")

// ---- 1.1 compression_ratio ---------------------------------------------------------------------

namespace integer_division {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto count = [](const Shape& shape) {
    std::int64_t product = 1;
    for (const std::int64_t size : shape) {
      require(size > 0, "expected sizes above 0, got " + to_string(shape));
      product *= size;
    }
    return product;
  };
  require(bits_per_value > 0.0 && bits_per_latent > 0.0, "expected bits above 0");
  const std::int64_t ratio = count(input_shape) / count(latent_shape);
  return {static_cast<double>(ratio),
          static_cast<double>(ratio) * bits_per_value / bits_per_latent};
}
}  // namespace integer_division
MISCONCEPTION(
    integer_division, compression_ratio, "compression.integer-division",
    "You divided two integers, which drops the fraction. Make one of them a double first.",
    "105 values in 4 are 26.25 times fewer, not 26. With 196,608 and 1,024 nothing shows, "
    "because one divides the other; and an expansion, a ratio below 1, becomes 0.")

namespace inverse_ratio {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  return solution::compression_ratio(latent_shape, bits_per_latent, input_shape, bits_per_value);
}
}  // namespace inverse_ratio
MISCONCEPTION(inverse_ratio, compression_ratio, "compression.inverse",
              "You divided latent by input. The ratio says how many times smaller the latent is.",
              "1/48 is the fraction that is kept, 48 the compression. Papers print either, so this "
              "contract says which.")

namespace bits_inverted {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const double values =
      solution::compression_ratio(input_shape, bits_per_value, latent_shape, bits_per_latent)
          .values;
  return {values, values * bits_per_latent / bits_per_value};
}
}  // namespace bits_inverted
MISCONCEPTION(
    bits_inverted, compression_ratio, "compression.bits-upside-down",
    "The values are right, the bits are upside down: bits of the input go on top.",
    "A latent of 16-bit numbers is twice as large as the same latent of 8-bit numbers, so "
    "its compression must fall, not rise.")

namespace bits_ignored {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const double values =
      solution::compression_ratio(input_shape, bits_per_value, latent_shape, bits_per_latent)
          .values;
  return {values, values};
}
}  // namespace bits_ignored
MISCONCEPTION(
    bits_ignored, compression_ratio, "compression.counts-values-twice",
    "You returned the ratio of values twice. A token of 13 bits is no 8-bit number.",
    "This is how a 256x256 image in 1,024 tokens comes to be called 192 times smaller. In "
    "bits it is 1,572,864 to 13,312, which is 118 times, with a codebook of 8,192.")

namespace whole_bytes {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto stored = [](double bits) { return 8.0 * std::ceil(bits / 8.0); };
  return solution::compression_ratio(input_shape, stored(bits_per_value), latent_shape,
                                     stored(bits_per_latent));
}
}  // namespace whole_bytes
MISCONCEPTION(whole_bytes, compression_ratio, "compression.whole-bytes",
              "You rounded the bits up to whole bytes. The contract counts the bits as given.",
              "In memory a 13-bit token does occupy an int16 or an int64. In a file that packs its "
              "tokens it does not, and a ratio in bits is about information, not about alignment.")

namespace pixels_for_values {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto both =
      solution::compression_ratio(input_shape, bits_per_value, latent_shape, bits_per_latent);
  const bool is_image = input_shape.size() > 2, is_map = latent_shape.size() > 2;
  const double channels = (is_image ? static_cast<double>(input_shape[0]) : 1.0) /
                          (is_map ? static_cast<double>(latent_shape[0]) : 1.0);
  return {both.values / channels, both.bits / channels};
}
}  // namespace pixels_for_values
MISCONCEPTION(
    pixels_for_values, compression_ratio, "compression.pixels",
    "You counted positions without channels. 3x512x512 to 4x64x64 is 48 in values, not 64.",
    "8x8 fewer positions are 64 times fewer, but each carries 4 numbers instead of 3. The "
    "number of channels is the knob that later models turn: SD3 has 16 at the same 8x8, "
    "which makes its ratio 12.")

namespace overflowing_product {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto right =
      solution::compression_ratio(input_shape, bits_per_value, latent_shape, bits_per_latent);
  const auto wrapped = [](const Shape& shape) {
    return static_cast<double>(static_cast<std::int32_t>(solution::values_in(shape)));
  };
  const double values = wrapped(input_shape) / wrapped(latent_shape);
  return {values, values * (right.bits / right.values)};
}
}  // namespace overflowing_product
MISCONCEPTION(overflowing_product, compression_ratio, "compression.int-overflow",
              "You counted in 32 bits. Your values_in of 1.0 counts in 64: call it.",
              "A product of int sizes wraps around at 2^31, before any division can make it small "
              "again. {n, 65536, 65536} becomes 0 values.")

namespace saved_share {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto right =
      solution::compression_ratio(input_shape, bits_per_value, latent_shape, bits_per_latent);
  return {1.0 - 1.0 / right.values, 1.0 - 1.0 / right.bits};
}
}  // namespace saved_share
MISCONCEPTION(saved_share, compression_ratio, "compression.share-saved",
              "You computed the share that is saved, 1 - z/x. The ratio is x/z.",
              "Both describe the same thing, but shares crowd together where it matters: 98 % and "
              "99 % saved are factors of 50 and 100.")

namespace empty_latent_accepted {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  require(bits_per_value > 0.0 && bits_per_latent > 0.0, "expected bits above 0");
  const double ratio = static_cast<double>(solution::values_in(input_shape)) /
                       static_cast<double>(solution::values_in(latent_shape));
  return {ratio, ratio * bits_per_value / bits_per_latent};
}
}  // namespace empty_latent_accepted
MISCONCEPTION(empty_latent_accepted, compression_ratio, "compression.empty-accepted",
              "A shape that holds no value goes through. The contract refuses it on both sides.",
              "An empty latent is compressed infinitely well, says the division, and nothing to "
              "nothing is NaN. Neither is a ratio anyone asked for.")

namespace signs_cancel {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const auto count = [](const Shape& shape) {
    double product = 1.0;
    for (const std::int64_t size : shape) product *= static_cast<double>(size);
    return product;
  };
  const double values = count(input_shape) / count(latent_shape);
  require(count(input_shape) != 0.0 && count(latent_shape) != 0.0 && values > 0.0, "shape");
  require(bits_per_value > 0.0 && bits_per_latent > 0.0, "expected bits above 0");
  return {values, values * bits_per_value / bits_per_latent};
}
}  // namespace signs_cancel
MISCONCEPTION(
    signs_cancel, compression_ratio, "compression.signs-cancel",
    "You refused a negative ratio, but two negative sizes cancel. values_in refuses each.",
    "{-2, -3} looks like 6 values once it is multiplied. The function of 1.0 already "
    "knows that; calling it is shorter than multiplying again.")

namespace bits_unchecked {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  const double values = solution::compression_ratio(input_shape, 1.0, latent_shape, 1.0).values;
  return {values, values * bits_per_value / bits_per_latent};
}
}  // namespace bits_unchecked
MISCONCEPTION(
    bits_unchecked, compression_ratio, "compression.bits-unchecked",
    "Numbers of bits that are not above 0 go through. The contract refuses them.",
    "With 0 bits per latent value the ratio is infinite. A codebook of one entry gives "
    "exactly that: its tokens carry log2 1 = 0 bits, and nothing can be decoded from them.")

namespace at_least_one_bit {
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  require(bits_per_value >= 1.0 && bits_per_latent >= 1.0, "expected at least one bit");
  return solution::compression_ratio(input_shape, bits_per_value, latent_shape, bits_per_latent);
}
}  // namespace at_least_one_bit
MISCONCEPTION(
    at_least_one_bit, compression_ratio, "compression.at-least-one-bit",
    "You refused less than one bit per value. Any number above 0 is allowed.",
    "No value can be stored alone in half a bit, but a thousand of them can be in 500: an "
    "entropy coder spends less than a bit on what it expects. Only a token that can be "
    "nothing else, K = 1, costs none.")

namespace floor_of_log2 {
double bits_per_token(std::int64_t codebook_size) {
  require(codebook_size >= 1, "expected at least 1 code, got " + std::to_string(codebook_size));
  return std::floor(std::log2(static_cast<double>(codebook_size)));
}
}  // namespace floor_of_log2
MISCONCEPTION(
    floor_of_log2, bits_per_token, "compression.bits-rounded-down",
    "You rounded the bits down. K = 1000 carries 9.966 bits, and the contract keeps them.",
    "Rounding down promises too much compression: with 9 bits only 512 of the 1000 codes "
    "could be told apart.")

namespace ceiling_of_log2 {
double bits_per_token(std::int64_t codebook_size) {
  return std::ceil(solution::bits_per_token(codebook_size) - 1e-12);
}
}  // namespace ceiling_of_log2
MISCONCEPTION(
    ceiling_of_log2, bits_per_token, "compression.bits-rounded-up",
    "You rounded the bits up. That is a fixed-length code; the contract asks for log2 K.",
    "A token on its own does need 10 bits for K = 1000. A row of tokens can share what is left "
    "over: a hundred of them fit in 997 bits, not 1000.")

namespace natural_logarithm {
double bits_per_token(std::int64_t codebook_size) {
  return solution::bits_per_token(codebook_size) * std::log(2.0);
}
}  // namespace natural_logarithm
MISCONCEPTION(natural_logarithm, bits_per_token, "compression.nats",
              "You took the natural logarithm, which counts nats. Bits need base 2: std::log2.",
              "std::log is the natural one. One bit is 0.693 nats; losses in later labs come in "
              "nats, sizes in bits, and mixing them is off by this factor without looking absurd.")

namespace one_bit_per_code {
double bits_per_token(std::int64_t codebook_size) {
  require(codebook_size >= 1, "expected at least 1 code");
  return static_cast<double>(codebook_size);
}
}  // namespace one_bit_per_code
MISCONCEPTION(
    one_bit_per_code, bits_per_token, "compression.one-hot",
    "You gave a token one bit per code. That is the one-hot vector, not its information.",
    "A one-hot vector of length 8,192 has 8,192 digits, of which exactly one is 1. Saying "
    "which one takes 13 bits.")

namespace any_codebook {
double bits_per_token(std::int64_t codebook_size) {
  return std::log2(static_cast<double>(codebook_size));
}
}  // namespace any_codebook
MISCONCEPTION(any_codebook, bits_per_token, "compression.codebook-unchecked",
              "The bits are right, but a codebook without entries goes through. Refuse K < 1.",
              "log2 0 is minus infinity and log2 of a negative number is NaN; both travel on into "
              "every sum that uses them.")

// ---- 1.2 linear_forward ------------------------------------------------------------------------

namespace product_with_w {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "columns of x");
  require_size(bias.size(), weight.rows(), "size of bias");
  return (x * weight).rowwise() + bias;
}
}  // namespace product_with_w
MISCONCEPTION(
    product_with_w, linear_forward, "linear.weight-not-transposed",
    "You multiplied by W. With one row of W per output, the product is with W^T.",
    "W has the shape [Do, Di], as in torch.nn.Linear: row o holds the weights of output o. "
    "x W exists only when Di = Do, and then it mixes the outputs up without an error. A "
    "test with a square W cannot see it, which is why this one never uses one first.")

namespace bias_omitted {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  return solution::linear_forward(x, weight, bias).rowwise() - bias;
}
}  // namespace bias_omitted
MISCONCEPTION(bias_omitted, linear_forward, "linear.no-bias",
              "The bias is missing: this is x W^T alone.",
              "Without b every output of the layer is 0 where x is 0, so the decoder of an "
              "autoencoder could not even learn the mean of its data.")

namespace bias_per_sample {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "columns of x");
  require_size(bias.size(), weight.rows(), "size of bias");
  return (x * weight.transpose()).colwise() + bias.transpose();
}
}  // namespace bias_per_sample
MISCONCEPTION(
    bias_per_sample, linear_forward, "linear.bias-per-sample",
    "You added b down the columns. It has one number per output, so it is added to rows.",
    "rowwise() + v adds v to every row, colwise() + v to every column. The second one "
    "needs as many samples as outputs, and where these agree by chance (N = Do) it adds a "
    "different bias to each sample.")

namespace bias_in_the_first_row {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  Matrix y = solution::linear_forward(x, weight, bias).rowwise() - bias;
  if (y.rows() > 0) y.row(0) += bias;
  return y;
}
}  // namespace bias_in_the_first_row
MISCONCEPTION(bias_in_the_first_row, linear_forward, "linear.bias-first-row-only",
              "Only the first sample got the bias. Every row of the batch needs it.",
              "With a batch of one nothing shows. rowwise() is Eigen's word for the broadcast that "
              "torch does silently.")

namespace bias_subtracted {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  return solution::linear_forward(x, weight, RowVector(-bias));
}
}  // namespace bias_subtracted
MISCONCEPTION(
    bias_subtracted, linear_forward, "linear.bias-as-threshold",
    "You subtracted b. This layer adds it.",
    "Early neurons fired when their sum exceeded a threshold, which is a bias of the "
    "other sign. Training would find -b just as well, but weights from elsewhere would be "
    "read wrongly.")

namespace reshaped_weight {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.cols(), "columns of x");
  require_size(bias.size(), weight.rows(), "size of bias");
  const Eigen::Map<const Matrix> reshaped(weight.data(), weight.cols(), weight.rows());
  return (x * reshaped).rowwise() + bias;
}
}  // namespace reshaped_weight
MISCONCEPTION(reshaped_weight, linear_forward, "linear.reshaped-not-transposed",
              "You read W's memory as [Di, Do]. That makes the shapes fit, but it is no transpose.",
              "A reshape keeps the order of the numbers in memory, a transpose exchanges rows and "
              "columns. Taking a row-major buffer for a column-major one does the same harm. Both "
              "go unnoticed where W has a single row or column, or is symmetric.")

namespace activated {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  return solution::linear_forward(x, weight, bias).array().tanh();
}
}  // namespace activated
MISCONCEPTION(
    activated, linear_forward, "linear.activation-inside",
    "You put a tanh into the linear layer. That is exercise 1.4, a function of its own.",
    "A layer that bends its own output cannot be the last one of a decoder: values beyond "
    "1 would be out of reach. Latents have no tanh after them either.")

namespace scaled_by_width {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  const auto width = static_cast<float>(std::max<Index>(1, weight.cols()));
  return solution::linear_forward(x, weight / width, bias);
}
}  // namespace scaled_by_width
MISCONCEPTION(scaled_by_width, linear_forward, "linear.mean-over-inputs",
              "You averaged over the inputs. A linear layer sums them.",
              "How large the sum grows is settled by the initial weights, which are drawn smaller "
              "for wider layers. Dividing once more in the forward pass makes trained weights mean "
              "something else.")

namespace no_empty_batch {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require(x.rows() > 0, "expected at least one sample");
  return solution::linear_forward(x, weight, bias);
}
}  // namespace no_empty_batch
MISCONCEPTION(no_empty_batch, linear_forward, "linear.empty-batch-refused",
              "You refused an empty batch. The contract allows N = 0: an answer without rows.",
              "Nothing in the formula needs a sample. Code that handles 0 rows the way it handles "
              "5 needs no special case, and neither do its callers.")

namespace checks_the_other_side {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(x.cols(), weight.rows(), "columns of x");
  require_size(bias.size(), weight.rows(), "size of bias");
  return (x * weight.transpose()).rowwise() + bias;
}
}  // namespace checks_the_other_side
MISCONCEPTION(checks_the_other_side, linear_forward, "linear.checks-rows-of-w",
              "You compare x's columns with W's rows. W is [Do, Di]: its columns are the inputs.",
              "The check describes x W, the code computes x W^T. With a square W both agree, so "
              "that this waits for the first layer that changes the width.")

namespace eigen_will_notice {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  return (x * weight.transpose()).rowwise() + bias;
}
}  // namespace eigen_will_notice
MISCONCEPTION(
    eigen_will_notice, linear_forward, "linear.shapes-not-refused",
    "The arithmetic is right. Shapes that do not fit are left to Eigen: refuse them first.",
    "Eigen's own checks are assertions, and a release build has none: with -DNDEBUG the "
    "product of sizes that do not fit reads memory that is not the matrix's. require_size "
    "works in every build, and says what was expected.")

namespace blank_sample_skipped {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  Matrix y = solution::linear_forward(x, weight, bias);
  for (Index n = 0; n < x.rows(); ++n) {
    if (x.row(n).isZero(0.0F)) y.row(n).setZero();
  }
  return y;
}
}  // namespace blank_sample_skipped
MISCONCEPTION(
    blank_sample_skipped, linear_forward, "linear.blank-sample-skipped",
    "You answer a sample of zeros with zeros. Its products are 0, the bias is added all the same.",
    "Skipping a product with zeros saves time, and the line that skips it has to stand behind the "
    "bias. A black image is a sample like any other, and b is what the layer says of it.")

namespace width_left_to_eigen {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  require_size(bias.size(), weight.rows(), "size of bias");
  return (x * weight.transpose()).rowwise() + bias;
}
}  // namespace width_left_to_eigen
MISCONCEPTION(
    width_left_to_eigen, linear_forward, "linear.width-unchecked",
    "The bias is checked, x is not: compare its columns with those of W before the product.",
    "A bias that does not fit would be read beyond its end without a word, so that it is the one "
    "remembered. The product relies on an assertion, which a release build leaves out.")

namespace bias_broadcast {
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias) {
  if (bias.size() != 1) return solution::linear_forward(x, weight, bias);
  return solution::linear_forward(x, weight, RowVector::Constant(weight.rows(), bias(0)));
}
}  // namespace bias_broadcast
MISCONCEPTION(bias_broadcast, linear_forward, "linear.bias-broadcast",
              "You spread a bias of one number over all outputs. It needs one number per output.",
              "NumPy and torch broadcast an axis of size 1 without being asked. It is handy until "
              "the bias of a layer with a single output ends up in a wider one.")

// ---- 1.3 linear_backward -----------------------------------------------------------------------

namespace means_for_sums {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(dy.rows(), x.rows(), "rows of dy");
  require_size(dy.cols(), weight.rows(), "columns of dy");
  require_size(x.cols(), weight.cols(), "columns of x");
  const float n = static_cast<float>(std::max<Index>(1, x.rows()));
  return {dy * weight, dy.transpose() * x / n, dy.colwise().sum() / n};
}
}  // namespace means_for_sums
MISCONCEPTION(
    means_for_sums, linear_backward, "linear-backward.means",
    "You divided dW and db by N. They are sums: an averaged loss has divided dY already.",
    "The average belongs to the loss, once. Divided again in every layer the gradient of "
    "a batch of 64 is 64 times too small. Adam hides that, because it does not care about "
    "the size of a gradient; plain gradient descent crawls.")

namespace everything_averaged {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  const float n = static_cast<float>(std::max<Index>(1, x.rows()));
  return solution::linear_backward(dy / n, x, weight);
}
}  // namespace everything_averaged
MISCONCEPTION(
    everything_averaged, linear_backward, "linear-backward.everything-averaged",
    "You divided all three gradients by N. Nothing is divided here: the loss has done it.",
    "dX goes on to the layer before, which divides once more: after four layers the first "
    "one gets N^4 times too little.")

namespace bias_mean {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  LinearGradients gradients = solution::linear_backward(dy, x, weight);
  gradients.bias /= static_cast<float>(std::max<Index>(1, x.rows()));
  return gradients;
}
}  // namespace bias_mean
MISCONCEPTION(
    bias_mean, linear_backward, "linear-backward.bias-mean",
    "db is a mean over the samples here. It is their sum, like dW.",
    "The product dY^T X sums over the samples without being asked, so only the bias tempts "
    "one to write mean(). Then weights and biases learn at different speeds.")

namespace weight_transposed {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  LinearGradients gradients = solution::linear_backward(dy, x, weight);
  gradients.weight.transposeInPlace();
  return gradients;
}
}  // namespace weight_transposed
MISCONCEPTION(
    weight_transposed, linear_backward, "linear-backward.weight-transposed",
    "Your dW is X^T dY, of shape [Di, Do]. It must have the shape of W: dY^T X.",
    "A gradient has the shape of what it belongs to, always. For a square W the transpose "
    "fits as well, and the step goes in a wrong direction without an error.")

namespace input_through_transpose {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  LinearGradients gradients = solution::linear_backward(dy, x, weight);
  gradients.x = dy * weight.transpose();
  return gradients;
}
}  // namespace input_through_transpose
MISCONCEPTION(
    input_through_transpose, linear_backward, "linear-backward.input-through-transpose",
    "You multiplied dY by W^T. Forward went through W^T, so backward goes through W.",
    "dY is [N, Do] and W is [Do, Di]: their product has X's shape as it stands. The extra "
    "transpose fits only a square W, and gives the gradient of another network.")

namespace bias_over_outputs {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  LinearGradients gradients = solution::linear_backward(dy, x, weight);
  gradients.bias = dy.rowwise().sum().transpose();
  return gradients;
}
}  // namespace bias_over_outputs
MISCONCEPTION(
    bias_over_outputs, linear_backward, "linear-backward.bias-over-outputs",
    "You summed dY along its rows, one number per sample. db has one number per output.",
    "In Eigen colwise() means \"for each column\": colwise().sum() adds up the rows and "
    "leaves one number per column. numpy names the axis that vanishes, Eigen the one that "
    "stays.")

namespace bias_is_one {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  LinearGradients gradients = solution::linear_backward(dy, x, weight);
  gradients.bias.setConstant(static_cast<float>(dy.rows()));
  return gradients;
}
}  // namespace bias_is_one
MISCONCEPTION(bias_is_one, linear_backward, "linear-backward.bias-is-one",
              "Your db counts the samples: dY/db is 1, but the chain rule multiplies it by dY.",
              "The derivative of the output by b is 1. The derivative of the *loss* by b is that "
              "times dY, summed over all the rows in which b was used.")

namespace first_sample_only {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  LinearGradients gradients = solution::linear_backward(dy, x, weight);
  if (dy.rows() == 0) return gradients;
  const Index last = dy.rows() - 1;
  gradients.weight = dy.row(last).transpose() * x.row(last);
  gradients.bias = dy.row(last);
  return gradients;
}
}  // namespace first_sample_only
MISCONCEPTION(first_sample_only, linear_backward, "linear-backward.overwritten",
              "dW and db hold the last sample only: each one overwrote those before. Use += .",
              "W is used once per sample, so its gradient is a sum with one term per sample. In a "
              "loop over n that is += into a matrix that starts as Zero, not = .")

namespace down_the_hill {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  return solution::linear_backward(-dy, x, weight);
}
}  // namespace down_the_hill
MISCONCEPTION(down_the_hill, linear_backward, "linear-backward.sign",
              "All three have the wrong sign. This is the gradient; the optimizer takes the minus.",
              "The minus of gradient descent belongs into the step, 1.6. Inside the chain two of "
              "them cancel and three do not, so that every second layer would climb.")

namespace empty_batch_refused {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require(x.rows() > 0, "expected at least one sample");
  return solution::linear_backward(dy, x, weight);
}
}  // namespace empty_batch_refused
MISCONCEPTION(
    empty_batch_refused, linear_backward, "linear-backward.empty-batch-refused",
    "You refused an empty batch. A sum over no samples is 0, so dW and db are zeros.",
    "The forward pass answers an empty batch, and so does its gradient: nothing was used, "
    "nothing has to change.")

namespace rows_unchecked {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  const Index n = std::min(dy.rows(), x.rows());
  return solution::linear_backward(dy.topRows(n), x.topRows(n), weight);
}
}  // namespace rows_unchecked
MISCONCEPTION(
    rows_unchecked, linear_backward, "linear-backward.rows-unchecked",
    "You used as many rows as both have. If dY and X disagree on N, refuse them.",
    "Two batches of different length come from two different batches. Cutting one of them "
    "to fit pairs gradients with inputs that they do not belong to.")

namespace left_to_eigen {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(dy.rows(), x.rows(), "rows of dy");
  return {dy * weight, dy.transpose() * x, dy.colwise().sum()};
}
}  // namespace left_to_eigen
MISCONCEPTION(
    left_to_eigen, linear_backward, "linear-backward.columns-unchecked",
    "The rows are checked, the columns are not: dY against W's rows, X against W's columns.",
    "Three sizes are named in the contract: N, Di and Do. Each of them occurs in two of "
    "the three arguments, so there are three pairs. Eigen notices one of the other two in "
    "a debug build, and X against W never: dW would simply have another shape than W.")

namespace blank_sample_ignored {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  Matrix seen = dy;
  for (Index n = 0; n < std::min(dy.rows(), x.rows()); ++n) {
    if (x.row(n).isZero(0.0F)) seen.row(n).setZero();
  }
  return solution::linear_backward(seen, x, weight);
}
}  // namespace blank_sample_ignored
MISCONCEPTION(
    blank_sample_ignored, linear_backward, "linear-backward.blank-sample-ignored",
    "You left samples of zeros out. They add nothing to dW, but their dY counts in db and dX.",
    "A row of zeros looks like padding. To the layer it is an input whose answer was b, so b "
    "hears of its error, and what made the row hears of it through dX.")

namespace outputs_left_to_eigen {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(dy.rows(), x.rows(), "rows of dy");
  require_size(x.cols(), weight.cols(), "columns of x");
  return {dy * weight, dy.transpose() * x, dy.colwise().sum()};
}
}  // namespace outputs_left_to_eigen
MISCONCEPTION(
    outputs_left_to_eigen, linear_backward, "linear-backward.outputs-unchecked",
    "N and Di are checked, Do is not: compare the columns of dY with the rows of W.",
    "x and W are compared because the forward pass compares them. dY is new here, and brings "
    "two sizes along: its rows are the samples, its columns the outputs.")

namespace inputs_unchecked {
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight) {
  require_size(dy.rows(), x.rows(), "rows of dy");
  require_size(dy.cols(), weight.rows(), "columns of dy");
  return {dy * weight, dy.transpose() * x, dy.colwise().sum()};
}
}  // namespace inputs_unchecked
MISCONCEPTION(
    inputs_unchecked, linear_backward, "linear-backward.inputs-unchecked",
    "Both sizes of dY are checked. X and W are not compared: refuse different columns.",
    "No product multiplies X with W, so nothing ever objects: dX takes its width from W, dW "
    "from X, and the optimizer is the first to find a gradient wider than its parameter.")

// ---- 1.4 tanh ----------------------------------------------------------------------------------

namespace quotient_of_exponentials {
Matrix tanh_forward(const Matrix& x) {
  return x.unaryExpr([](float v) {
    const double up = std::exp(static_cast<double>(v)), down = std::exp(-static_cast<double>(v));
    return static_cast<float>((up - down) / (up + down));
  });
}
}  // namespace quotient_of_exponentials
MISCONCEPTION(
    quotient_of_exponentials, tanh_forward, "tanh.exp-overflow",
    "Your quotient of exponentials is inf / inf = NaN far out. std::tanh is 1 there.",
    "exp overflows at 88 in float and at 709 in double. A network reaches such inputs "
    "when its learning rate is too high, and from the first NaN on every weight is NaN. "
    "Forms with a single exponential, as 1 - 2 / (e^2x + 1), survive that, and lose their digits "
    "near 0 instead: for x = 1e-8 they give 0.")

namespace logistic {
Matrix tanh_forward(const Matrix& x) {
  return 1.0F / (1.0F + (-x.array()).exp());
}
}  // namespace logistic
MISCONCEPTION(logistic, tanh_forward, "tanh.sigmoid",
              "This is the logistic sigmoid, between 0 and 1. tanh lies between -1 and 1.",
              "tanh x = 2 sigmoid(2x) - 1. The sigmoid's outputs are all positive, so that all "
              "weights of one unit in the next layer would move in the same direction at once.")

namespace half_the_slope {
Matrix tanh_forward(const Matrix& x) {
  return solution::tanh_forward(x / 2.0F);
}
}  // namespace half_the_slope
MISCONCEPTION(half_the_slope, tanh_forward, "tanh.half-argument",
              "You computed tanh(x / 2), which is 2 sigmoid(x) - 1. The argument needs doubling.",
              "The slope at 0 tells them apart: 1 for tanh, 1/2 for this one. Its backward pass "
              "would have to differ by the same factor.")

namespace clamped {
Matrix tanh_forward(const Matrix& x) {
  return x.cwiseMax(-1.0F).cwiseMin(1.0F);
}
}  // namespace clamped
MISCONCEPTION(
    clamped, tanh_forward, "tanh.clamp",
    "You cut x off at 1 and -1. tanh bends towards them: tanh 1 is 0.76.",
    "The clamp is sold as hard tanh. Its gradient is 0 everywhere outside [-1, 1] at once, "
    "and it does not belong to the backward pass that follows here.")

namespace tanh_twice {
Matrix tanh_forward(const Matrix& x) {
  return solution::tanh_forward(solution::tanh_forward(x));
}
}  // namespace tanh_twice
MISCONCEPTION(tanh_twice, tanh_forward, "tanh.twice", "You applied tanh twice.",
              "The outputs then never exceed tanh 1 = 0.76. It happens when the layer before has "
              "bent its output already.")

namespace tangent {
Matrix tanh_forward(const Matrix& x) {
  return x.array().tan();
}
}  // namespace tangent
MISCONCEPTION(tangent, tanh_forward, "tanh.tangent",
              "You called tan, the tangent of an angle. The hyperbolic one is tanh.",
              "Both are x near 0, so that small inputs hide it. It happens to experts: the FSQ "
              "notebook of google-research uses tan as the inverse of tanh, which its author has "
              "confirmed (lucidrains/vector-quantize-pytorch#94).")

namespace tanh_of_the_output {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  return solution::tanh_backward(dy, solution::tanh_forward(y));
}
}  // namespace tanh_of_the_output
MISCONCEPTION(
    tanh_of_the_output, tanh_backward, "tanh.output-taken-for-input",
    "You took y for the input and applied tanh again. y already is tanh x.",
    "1 - tanh^2 x is the derivative, and y = tanh x is what the forward pass kept. With "
    "tanh applied twice the gradient never falls below 0.42, so that saturated units seem "
    "to learn.")

namespace not_squared {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(), "shapes differ");
  return dy.array() * (1.0F - y.array());
}
}  // namespace not_squared
MISCONCEPTION(not_squared, tanh_backward, "tanh.y-not-squared",
              "You used 1 - y. The derivative is 1 - y^2.",
              "The slope is the same at y and -y, so it can only depend on the square. 1 - y is 2 "
              "where the curve is flat, at y = -1.")

namespace square_of_difference {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(), "shapes differ");
  return dy.array() * (1.0F - y.array()).square();
}
}  // namespace square_of_difference
MISCONCEPTION(square_of_difference, tanh_backward, "tanh.square-of-difference",
              "You squared 1 - y. Only y is squared: 1 - y^2.",
              "(1 - y)^2 and 1 - y^2 agree at y = 0 and y = 1 only. At y = -1 the first one is 4.")

namespace local_slope {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(), "shapes differ");
  return 1.0F - y.array().square();
}
}  // namespace local_slope
MISCONCEPTION(local_slope, tanh_backward, "tanh.dy-missing",
              "This is the slope of tanh alone. The chain rule multiplies it by dy.",
              "A backward function gets the loss's gradient with respect to its output and returns "
              "the one with respect to its input. Without dy the loss plays no part in it.")

namespace sigmoid_slope {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(), "shapes differ");
  return dy.array() * y.array() * (1.0F - y.array());
}
}  // namespace sigmoid_slope
MISCONCEPTION(sigmoid_slope, tanh_backward, "tanh.sigmoid-derivative",
              "y (1 - y) is the derivative of the sigmoid. That of tanh is 1 - y^2.",
              "At y = 0, where tanh is steepest, y (1 - y) is 0: the units that could learn most "
              "would learn nothing.")

namespace plus_square {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  require(dy.rows() == y.rows() && dy.cols() == y.cols(), "shapes differ");
  return dy.array() * (1.0F + y.array().square());
}
}  // namespace plus_square
MISCONCEPTION(plus_square, tanh_backward, "tanh.plus",
              "You used 1 + y^2. That is the derivative of tan; for tanh it is 1 - y^2.",
              "With a plus the gradient doubles where the unit is saturated, instead of vanishing.")

namespace shapes_left_to_eigen {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  return dy.array() * (1.0F - y.array().square());
}
}  // namespace shapes_left_to_eigen
MISCONCEPTION(shapes_left_to_eigen, tanh_backward, "tanh.shapes-not-refused",
              "The derivative is right. Refuse shapes that differ before Eigen meets them.",
              "Eigen checks with assertions, which a release build leaves out; it would then read "
              "beyond the smaller matrix.")

namespace slope_never_dies {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  const Matrix checked = solution::tanh_backward(dy, y);
  return dy.array() * (1.0F - y.array().square()).max(1e-4F);
}
}  // namespace slope_never_dies
MISCONCEPTION(
    slope_never_dies, tanh_backward, "tanh.slope-kept-alive",
    "You keep the slope at 1e-4 or more. At y = 1 and y = -1 it is 0, and stays it.",
    "A unit that is stuck seems to need a push, but the push is not a derivative: the loss does "
    "not change with x there, and a descent that says so is not stuck, it is done.")

namespace off_at_zero {
Matrix tanh_backward(const Matrix& dy, const Matrix& y) {
  const Matrix right = solution::tanh_backward(dy, y);
  return (y.array() == 0.0F).select(Matrix::Zero(y.rows(), y.cols()), right);
}
}  // namespace off_at_zero
MISCONCEPTION(
    off_at_zero, tanh_backward, "tanh.off-at-zero",
    "You pass nothing back where y is 0. That is a ReLU's rule; tanh has its slope 1 there.",
    "An output of exactly 0 means \"off\" behind a ReLU or a dropout. tanh passes through 0 "
    "on its way, at its steepest, and layers that start from zeros sit right there.")

// ---- 1.5 mse_loss ------------------------------------------------------------------------------

namespace without_the_two {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require(x_hat.rows() == x.rows() && x_hat.cols() == x.cols(), "shapes differ");
  require(x.size() > 0, "no element");
  double count = 1.0;
  if (reduction == Reduction::kBatchMean) count = static_cast<double>(x.rows());
  if (reduction == Reduction::kMean) count = static_cast<double>(x.size());
  const Matrix error = x_hat - x;
  return {error.cast<double>().squaredNorm() / count, error / static_cast<float>(count)};
}
}  // namespace without_the_two
MISCONCEPTION(without_the_two, mse_loss, "mse.gradient-half",
              "The gradient lacks its factor 2: the derivative of e^2 is 2e.",
              "The factor vanishes only for a loss that is defined with 1/2 in front. Value and "
              "gradient have to belong together, or any check against differences fails by "
              "exactly 2.")

namespace half_the_value {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  Loss loss = solution::mse_loss(x_hat, x, reduction);
  loss.value /= 2.0;
  return loss;
}
}  // namespace half_the_value
MISCONCEPTION(half_the_value, mse_loss, "mse.value-half",
              "The value has a 1/2 that the gradient lacks, and that the contract does not have.",
              "A Gaussian likelihood brings the 1/2, in lab 03. Here the loss is the plain square.")

namespace half_of_both {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  Loss loss = solution::mse_loss(x_hat, x, reduction);
  return {loss.value / 2.0, loss.gradient / 2.0F};
}
}  // namespace half_of_both
MISCONCEPTION(half_of_both, mse_loss, "mse.one-half",
              "You took 1/2 of the square. It is consistent, but this contract has no 1/2.",
              "Value and gradient fit each other, so a gradient check is silent. What changes is "
              "the weight of this loss against any other that is added to it, for example the KL "
              "of a VAE: with the 1/2 its beta counts twice.")

namespace mean_over_samples_only {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  const bool divides = reduction != Reduction::kSum;
  return solution::mse_loss(x_hat, x, divides ? Reduction::kBatchMean : Reduction::kSum);
}
}  // namespace mean_over_samples_only
MISCONCEPTION(mean_over_samples_only, mse_loss, "mse.mean-over-samples-only",
              "kMean divides by N only in your code. It is the mean over all N x D elements.",
              "With one feature nothing shows. torch's default averages over everything; the ELBO "
              "sums over features. Whoever mixes them up is off by D, which for a 28x28 digit is "
              "784.")

namespace mean_over_everything {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  const bool divides = reduction != Reduction::kSum;
  return solution::mse_loss(x_hat, x, divides ? Reduction::kMean : Reduction::kSum);
}
}  // namespace mean_over_everything
MISCONCEPTION(mean_over_everything, mse_loss, "mse.batch-mean-over-everything",
              "kBatchMean divides by N x D in your code. It sums over features, and divides by N.",
              "A VAE adds a KL that is summed over its latents. With the reconstruction averaged "
              "over D features the KL weighs D times more than the bound says. Reports of that "
              "kind: AntixK/PyTorch-VAE#11 and #56, podgorskiy/VAE#1.")

namespace divides_by_features {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  const Loss right = solution::mse_loss(x_hat, x, reduction);
  if (reduction != Reduction::kBatchMean) return right;
  const double wrong = static_cast<double>(x.rows()) / static_cast<double>(x.cols());
  return {right.value * wrong, right.gradient * static_cast<float>(wrong)};
}
}  // namespace divides_by_features
MISCONCEPTION(divides_by_features, mse_loss, "mse.divides-by-features",
              "kBatchMean divides by D in your code. The batch is the rows: divide by x.rows().",
              "One sample per row, so the number of samples is rows(). With D for N the loss grows "
              "with the batch.")

namespace divided_once {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  return {solution::mse_loss(x_hat, x, reduction).value,
          solution::mse_loss(x_hat, x, Reduction::kSum).gradient};
}
}  // namespace divided_once
MISCONCEPTION(
    divided_once, mse_loss, "mse.gradient-not-divided",
    "The value is divided, the gradient is not. Both carry the same 1/c.",
    "The curve of the loss looks right, and the step is N or N D times too long. A larger "
    "batch then needs a smaller learning rate for no reason.")

namespace reduction_ignored {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction) {
  return solution::mse_loss(x_hat, x, Reduction::kSum);
}
}  // namespace reduction_ignored
MISCONCEPTION(reduction_ignored, mse_loss, "mse.always-sum",
              "You always return the sum. The third argument says what to divide by.",
              "A sum over the batch makes the learning rate depend on the batch's size.")

namespace always_the_mean {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction) {
  return solution::mse_loss(x_hat, x, Reduction::kMean);
}
}  // namespace always_the_mean
MISCONCEPTION(always_the_mean, mse_loss, "mse.always-mean",
              "You always return the mean. The third argument says what to divide by, if anything.",
              "\"Mean\" is in the function's name, but c is the caller's choice: 1, N or N D.")

namespace wrong_way_round {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  return solution::mse_loss(x, x_hat, reduction);
}
}  // namespace wrong_way_round
MISCONCEPTION(wrong_way_round, mse_loss, "mse.gradient-sign",
              "The gradient points the other way: it belongs to x_hat, so it is 2/c (x_hat - x).",
              "The value is symmetric in its arguments and cannot show it. With the sign flipped "
              "every step moves the reconstruction away from the data.")

namespace root_of_the_mean {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  const Loss square = solution::mse_loss(x_hat, x, reduction);
  const double root = std::sqrt(square.value);
  return {root, square.gradient / static_cast<float>(2.0 * root)};
}
}  // namespace root_of_the_mean
MISCONCEPTION(root_of_the_mean, mse_loss, "mse.root",
              "You took the root. The loss is the squared error itself.",
              "The root has the unit of the data, which reads well in a table. As a loss it weighs "
              "every sample by the error of the others, and where the error is 0 its gradient is "
              "0/0 = NaN.")

namespace absolute_error {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require(x_hat.rows() == x.rows() && x_hat.cols() == x.cols(), "shapes differ");
  require(x.size() > 0, "no element");
  const Matrix error = x_hat - x;
  double count = 1.0;
  if (reduction == Reduction::kBatchMean) count = static_cast<double>(x.rows());
  if (reduction == Reduction::kMean) count = static_cast<double>(x.size());
  return {error.cast<double>().cwiseAbs().sum() / count,
          error.cwiseSign() / static_cast<float>(count)};
}
}  // namespace absolute_error
MISCONCEPTION(absolute_error, mse_loss, "mse.absolute",
              "This is the absolute error, L1. The contract asks for squares.",
              "L1 forgives large errors and does not blur as much, which is why image autoencoders "
              "are often trained with it. Its gradient has the same size for every error.")

namespace accumulated_in_float {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  Loss loss = solution::mse_loss(x_hat, x, reduction);
  const double divisor = solution::mse_loss(x_hat, x, Reduction::kSum).value / loss.value;
  float sum = 0.0F;
  for (Index n = 0; n < x.rows(); ++n) {
    for (Index d = 0; d < x.cols(); ++d) {
      sum += (x_hat(n, d) - x(n, d)) * (x_hat(n, d) - x(n, d));
    }
  }
  if (loss.value > 0.0) loss.value = static_cast<double>(sum) / divisor;
  return loss;
}
}  // namespace accumulated_in_float
MISCONCEPTION(
    accumulated_in_float, mse_loss, "mse.float-sum",
    "You summed in float. Beside 16777216 an error of 1 disappears: cast before the sum.",
    "A float has 24 bits, so adding 1 to 2^24 changes nothing. A single 512x512 image has "
    "786,432 terms, and adding up that many floats one by one can cost three of the seven "
    "digits. Casting the result afterwards brings none of them back.")

namespace never_zero {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  Loss loss = solution::mse_loss(x_hat, x, reduction);
  loss.value += 1e-8;
  return loss;
}
}  // namespace never_zero
MISCONCEPTION(never_zero, mse_loss, "mse.epsilon-added",
              "You added a small constant to the loss. Where x_hat = x it is 0.",
              "A constant protects a root, a quotient or a logarithm. Nothing of the kind follows "
              "here, and a caller who takes the logarithm can add one where it is seen.")

namespace empty_accepted {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  const bool same = x_hat.rows() == x.rows() && x_hat.cols() == x.cols();
  if (same && x.size() == 0) return {0.0, x};
  return solution::mse_loss(x_hat, x, reduction);
}
}  // namespace empty_accepted
MISCONCEPTION(empty_accepted, mse_loss, "mse.empty-accepted",
              "You gave an empty batch a loss of 0. A mean over nothing is refused.",
              "0 is the best loss there is. An empty validation set would win every comparison.")

namespace elements_compared {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require_size(x_hat.size(), x.size(), "elements of x_hat");
  const Eigen::Map<const Matrix> same(x_hat.data(), x.rows(), x.cols());
  return solution::mse_loss(same, x, reduction);
}
}  // namespace elements_compared
MISCONCEPTION(
    elements_compared, mse_loss, "mse.sizes-not-shapes",
    "You compared numbers of elements. [2, 3] and [3, 2] have as many; compare shapes.",
    "Two batches that agree in size() but not in shape are compared element by element in "
    "the wrong pairs, and the loss falls all the same.")

namespace shapes_unchecked {
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction) {
  require(x.size() > 0, "no element");
  const Matrix error = x_hat - x;
  double count = 1.0;
  if (reduction == Reduction::kBatchMean) count = static_cast<double>(x.rows());
  if (reduction == Reduction::kMean) count = static_cast<double>(x.size());
  return {error.cast<double>().squaredNorm() / count, error * static_cast<float>(2.0 / count)};
}
}  // namespace shapes_unchecked
MISCONCEPTION(shapes_unchecked, mse_loss, "mse.shapes-not-refused",
              "The loss is right. Shapes that differ are left to Eigen: refuse them first.",
              "Eigen's check is an assertion, gone in a release build, and torch would even "
              "broadcast a single row over the batch. Neither is what a caller with a wrong shape "
              "needs to hear.")

// ---- 1.6 adam_step -----------------------------------------------------------------------------

namespace no_bias_correction {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  const auto fits = [&](const Matrix& other) {
    return other.rows() == state.parameter.rows() && other.cols() == state.parameter.cols();
  };
  require(fits(gradient) && fits(state.first_moment) && fits(state.second_moment), "shapes");
  require(step >= 1, "expected a step of at least 1");
  const auto b1 = static_cast<float>(options.beta1), b2 = static_cast<float>(options.beta2);
  AdamState next = state;
  next.first_moment = b1 * state.first_moment + (1.0F - b1) * gradient;
  next.second_moment = b2 * state.second_moment + (1.0F - b2) * gradient.cwiseAbs2();
  next.parameter.array() -=
      static_cast<float>(options.learning_rate) * next.first_moment.array() /
      (next.second_moment.array().sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace no_bias_correction
MISCONCEPTION(
    no_bias_correction, adam_step, "adam.no-bias-correction",
    "The bias correction is missing: m and v start at 0 and are too small at first.",
    "After one step m holds a tenth of g and the root of v holds 3.2 % of it, so that the "
    "first step is 3.16 learning rates long instead of one. The steps shrink as t grows, "
    "which looks like a warm-up in reverse.")

namespace {

/// A step with the right moments and refusals, and a parameter that the caller moves.
AdamState moments_only(const AdamState& state, const Matrix& gradient, std::int64_t step,
                       const AdamOptions& options) {
  AdamState next = solution::adam_step(state, gradient, step, options);
  next.parameter = state.parameter;
  return next;
}

/// 1 - beta^t.
float corrected(double beta, std::int64_t step) {
  return static_cast<float>(1.0 - std::pow(beta, static_cast<double>(step)));
}

}  // namespace

namespace steps_from_zero {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = moments_only(state, gradient, step, options);
  const auto m_hat = next.first_moment.array() / corrected(options.beta1, step - 1);
  const auto v_hat = next.second_moment.array() / corrected(options.beta2, step - 1);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (v_hat.sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace steps_from_zero
MISCONCEPTION(
    steps_from_zero, adam_step, "adam.counts-from-zero",
    "You corrected with beta^(t-1). The first step is t = 1, and its correction 1 - beta.",
    "With t = 0 the correction is 1 - 1 = 0, and the division by it makes every parameter "
    "NaN or infinite in the first step.")

namespace epsilon_under_the_root {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = moments_only(state, gradient, step, options);
  const auto m_hat = next.first_moment.array() / corrected(options.beta1, step);
  const auto v_hat = next.second_moment.array() / corrected(options.beta2, step);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (v_hat + static_cast<float>(options.epsilon)).sqrt();
  return next;
}
}  // namespace epsilon_under_the_root
MISCONCEPTION(epsilon_under_the_root, adam_step, "adam.epsilon-under-root",
              "Your epsilon is under the root. It is added to the root.",
              "The root of 1e-8 is 1e-4: gradients of 1e-6 would then move a hundred times less "
              "than they should.")

namespace epsilon_before_correction {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = moments_only(state, gradient, step, options);
  const float rate = static_cast<float>(options.learning_rate) *
                     std::sqrt(corrected(options.beta2, step)) / corrected(options.beta1, step);
  next.parameter.array() -=
      rate * next.first_moment.array() /
      (next.second_moment.array().sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace epsilon_before_correction
MISCONCEPTION(epsilon_before_correction, adam_step, "adam.epsilon-before-correction",
              "You added epsilon to the root of v, not of v^: it must come after the correction.",
              "Folding both corrections into the learning rate saves work, and the paper describes "
              "it. Its epsilon is another one, though: in the first step it counts 32 times as "
              "much. The two forms agree only where epsilon does not matter.")

namespace gradient_not_squared {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  const Matrix root = gradient.cwiseAbs().cwiseSqrt();
  AdamState next = moments_only(state, root, step, options);
  next.first_moment = moments_only(state, gradient, step, options).first_moment;
  const auto m_hat = next.first_moment.array() / corrected(options.beta1, step);
  const auto v_hat = next.second_moment.array() / corrected(options.beta2, step);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (v_hat.sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace gradient_not_squared
MISCONCEPTION(
    gradient_not_squared, adam_step, "adam.gradient-not-squared",
    "Your second moment averages |g|. It averages g^2; that is what the root undoes.",
    "m / sqrt(v) is a pure number only if v has the unit of g squared. Otherwise the step "
    "depends on the scale of the loss, which Adam was made to avoid.")

namespace uphill {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = solution::adam_step(state, gradient, step, options);
  next.parameter = 2.0F * state.parameter - next.parameter;
  return next;
}
}  // namespace uphill
MISCONCEPTION(uphill, adam_step, "adam.sign", "You added the step. Descent subtracts it.",
              "The gradient points to where the loss grows. With a plus, training maximises it, "
              "steadily, at one learning rate per step.")

namespace correction_without_power {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = solution::adam_step(state, gradient, step, options);
  next.parameter = solution::adam_step(state, gradient, 1, options).parameter;
  return next;
}
}  // namespace correction_without_power
MISCONCEPTION(
    correction_without_power, adam_step, "adam.power-missing",
    "You divide by 1 - beta at every step. The correction is 1 - beta^t and fades away.",
    "The first step is right, so a test of a single step passes. From then on m^ is up to "
    "ten times too large, and v^ a thousand times.")

namespace betas_exchanged {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamOptions exchanged = options;
  std::swap(exchanged.beta1, exchanged.beta2);
  return solution::adam_step(state, gradient, step, exchanged);
}
}  // namespace betas_exchanged
MISCONCEPTION(
    betas_exchanged, adam_step, "adam.betas-exchanged",
    "You exchanged the betas. beta1 belongs to m, beta2, the slower one, to v.",
    "The direction should follow the last ten gradients, the scale the last thousand. The "
    "other way round the step chases a scale that flickers, in a direction that is stale.")

namespace weights_exchanged {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  const auto b1 = static_cast<float>(options.beta1), b2 = static_cast<float>(options.beta2);
  AdamState next = moments_only(state, gradient, step, options);
  next.first_moment = (1.0F - b1) * state.first_moment + b1 * gradient;
  next.second_moment = (1.0F - b2) * state.second_moment + b2 * gradient.cwiseAbs2();
  const auto m_hat = next.first_moment.array() / corrected(options.beta1, step);
  const auto v_hat = next.second_moment.array() / corrected(options.beta2, step);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (v_hat.sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace weights_exchanged
MISCONCEPTION(weights_exchanged, adam_step, "adam.weights-exchanged",
              "Your moments keep 1 - beta of the old and take beta of the new. It is the reverse.",
              "With 0.9 on the new gradient m forgets everything within two steps. beta says how "
              "much is remembered; some libraries call 1 - beta the momentum, which invites this.")

namespace corrected_moments_kept {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = solution::adam_step(state, gradient, step, options);
  next.first_moment /= corrected(options.beta1, step);
  next.second_moment /= corrected(options.beta2, step);
  return next;
}
}  // namespace corrected_moments_kept
MISCONCEPTION(corrected_moments_kept, adam_step, "adam.corrected-moments-kept",
              "You return the corrected moments. The state keeps m and v as they are.",
              "m^ and v^ are for this step only. Kept, they are corrected again in the next step, "
              "and the moments grow instead of settling.")

namespace old_moments_used {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = moments_only(state, gradient, step, options);
  const auto m_hat = state.first_moment.array() / corrected(options.beta1, step);
  const auto v_hat = state.second_moment.array() / corrected(options.beta2, step);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (v_hat.sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace old_moments_used
MISCONCEPTION(old_moments_used, adam_step, "adam.old-moments",
              "You moved the parameter with the moments before the update. Update them first.",
              "The first step then does nothing at all, m being 0, and every later one is a step "
              "late. The arrows in the contract are an order.")

namespace root_missing {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = moments_only(state, gradient, step, options);
  const auto m_hat = next.first_moment.array() / corrected(options.beta1, step);
  const auto v_hat = next.second_moment.array() / corrected(options.beta2, step);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (v_hat + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace root_missing
MISCONCEPTION(root_missing, adam_step, "adam.root-missing", "You divided by v^, not by its root.",
              "g / g^2 is 1/g: small gradients would make the largest steps.")

namespace epsilon_forgotten {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamOptions none = options;
  none.epsilon = 0.0;
  return solution::adam_step(state, gradient, step, none);
}
}  // namespace epsilon_forgotten
MISCONCEPTION(
    epsilon_forgotten, adam_step, "adam.epsilon-missing",
    "The epsilon is missing. A parameter that never had a gradient becomes 0/0 = NaN.",
    "A unit that is off for the whole first batch has m = 0 and v = 0. One NaN there, and "
    "the next forward pass spreads it everywhere.")

namespace usual_options {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions&) {
  return solution::adam_step(state, gradient, step, AdamOptions{});
}
}  // namespace usual_options
MISCONCEPTION(usual_options, adam_step, "adam.options-ignored",
              "You used 0.001, 0.9, 0.999 and 1e-8 whatever the options say.",
              "An option that is accepted and not used is worse than none: a search over learning "
              "rates then compares random seeds. Lightning Bolts once stored a kl_coeff and never "
              "used it (lightning-bolts#328).")

namespace idle_without_gradient {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  const AdamState next = solution::adam_step(state, gradient, step, options);
  return gradient.isZero(0.0F) ? state : next;
}
}  // namespace idle_without_gradient
MISCONCEPTION(
    idle_without_gradient, adam_step, "adam.skips-zero-gradients",
    "You skip the step when the gradient is 0. The moments decay and carry on moving.",
    "m still holds the direction of the last gradients, and forgets a tenth of it. Skipping "
    "is what a sparse variant does on purpose; it is another algorithm.")

namespace one_scale_for_all {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = moments_only(state, gradient, step, options);
  if (gradient.size() == 0) return next;
  const auto m_hat = next.first_moment.array() / corrected(options.beta1, step);
  const float v_hat = next.second_moment.mean() / corrected(options.beta2, step);
  next.parameter.array() -= static_cast<float>(options.learning_rate) * m_hat /
                            (std::sqrt(v_hat) + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace one_scale_for_all
MISCONCEPTION(one_scale_for_all, adam_step, "adam.one-scale",
              "You divided by one scale for the whole tensor. Every element has its own v.",
              "The point of v is that a weight with small gradients moves as fast as its neighbour "
              "with large ones.")

namespace scale_from_below {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  AdamState next = solution::adam_step(state, gradient, step, options);
  const auto t = static_cast<double>(step);
  const auto rate = static_cast<float>(options.learning_rate / (1.0 - std::pow(options.beta1, t)));
  const auto correction = static_cast<float>(1.0 - std::pow(options.beta2, t));
  const Matrix v_hat = (next.second_moment.array() / correction).max(1e-5F);
  next.parameter =
      state.parameter.array() - rate * next.first_moment.array() /
                                    (v_hat.array().sqrt() + static_cast<float>(options.epsilon));
  return next;
}
}  // namespace scale_from_below
MISCONCEPTION(
    scale_from_below, adam_step, "adam.small-scales-raised",
    "You do not let v^ fall below 1e-5. Epsilon alone guards the quotient.",
    "Adam's promise is a step of about eta whatever the size of g. With a floor under v^, "
    "gradients below its root make ever smaller steps: plain descent again, just where "
    "it is slowest.")

namespace any_step {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  if (step >= 1) return solution::adam_step(state, gradient, step, options);
  return solution::adam_step(state, gradient, 1, options);
}
}  // namespace any_step
MISCONCEPTION(
    any_step, adam_step, "adam.step-unchecked",
    "A step below 1 goes through. Steps count from 1: refuse the others.",
    "t = 0 divides by 1 - beta^0 = 0. A caller who counts from 0 must hear of it, because "
    "every later correction would be off by one as well.")

namespace shapes_of_moments {
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options) {
  const auto fit = [&](const Matrix& m) -> Matrix {
    const bool fits = m.rows() == gradient.rows() && m.cols() == gradient.cols();
    return fits ? m : Matrix::Zero(gradient.rows(), gradient.cols());
  };
  const AdamState fitted{state.parameter, fit(state.first_moment), fit(state.second_moment)};
  return solution::adam_step(fitted, gradient, step, options);
}
}  // namespace shapes_of_moments
MISCONCEPTION(shapes_of_moments, adam_step, "adam.moments-reset",
              "Moments of another shape were replaced by zeros. The contract refuses them.",
              "Starting moments afresh when they do not fit is handy for the first step, and hides "
              "that the state of another parameter was passed in.")

// ---- 1.7 autoencoder_gradients -----------------------------------------------------------------

namespace stops_at_the_latent {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const auto forward = [](const Layer& layer, const Matrix& in) {
    return linear_forward(in, layer.weight, layer.bias);
  };
  const Matrix h = tanh_forward(forward(model.encoder_hidden, x));
  const Matrix z = forward(model.encoder_output, h);
  const Matrix k = tanh_forward(forward(model.decoder_hidden, z));
  const Matrix x_hat = forward(model.decoder_output, k);
  const Loss loss = mse_loss(x_hat, x, Reduction::kBatchMean);
  const auto d4 = linear_backward(loss.gradient, k, model.decoder_output.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, k), z, model.decoder_hidden.weight);
  Autoencoder gradient{
      model.encoder_hidden, model.encoder_output, {d3.weight, d3.bias}, {d4.weight, d4.bias}};
  for (Layer* layer : {&gradient.encoder_hidden, &gradient.encoder_output}) {
    layer->weight.setZero();
    layer->bias.setZero();
  }
  return {loss.value, z, x_hat, gradient};
}
}  // namespace stops_at_the_latent
MISCONCEPTION(stops_at_the_latent, autoencoder_gradients, "autoencoder.decoder-only",
              "Only the decoder gets a gradient. dz, its gradient by z, goes on into the encoder.",
              "The reconstruction depends on the encoder through z, and on nothing else. Without "
              "that path the decoder learns to read random projections: the loss falls, but not as "
              "far as it could.")

namespace {

/// What an autoencoder computes, with every intermediate result at hand.
struct Steps {
  Matrix before_h, h, z, before_k, k, x_hat;
  explicit Steps(const Autoencoder& model, const Matrix& x)
      : before_h(linear_forward(x, model.encoder_hidden.weight, model.encoder_hidden.bias)),
        h(tanh_forward(before_h)),
        z(linear_forward(h, model.encoder_output.weight, model.encoder_output.bias)),
        before_k(linear_forward(z, model.decoder_hidden.weight, model.decoder_hidden.bias)),
        k(tanh_forward(before_k)),
        x_hat(linear_forward(k, model.decoder_output.weight, model.decoder_output.bias)) {}
};

/// The way back, with the inputs of the layers and the outputs of both tanh as the caller likes.
Autoencoder way_back(const Autoencoder& model, const Matrix& dx_hat, const Matrix& in4,
                     const Matrix& bent_k, const Matrix& in3, const Matrix& in2,
                     const Matrix& bent_h, const Matrix& in1) {
  const auto d4 = linear_backward(dx_hat, in4, model.decoder_output.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, bent_k), in3, model.decoder_hidden.weight);
  const auto d2 = linear_backward(d3.x, in2, model.encoder_output.weight);
  const auto d1 = linear_backward(tanh_backward(d2.x, bent_h), in1, model.encoder_hidden.weight);
  return {{d1.weight, d1.bias}, {d2.weight, d2.bias}, {d3.weight, d3.bias}, {d4.weight, d4.bias}};
}

}  // namespace

namespace slope_before_tanh {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  return {loss.value, s.z, s.x_hat,
          way_back(model, loss.gradient, s.k, s.before_k, s.z, s.h, s.before_h, x)};
}
}  // namespace slope_before_tanh
MISCONCEPTION(slope_before_tanh, autoencoder_gradients, "autoencoder.slope-before-tanh",
              "You gave tanh_backward what went into tanh. It wants what came out.",
              "1 - a^2 with the input a is not bounded below: at a = 2 it is -3, and the gradient "
              "turns round. For small a the two nearly agree, so that a network fresh from its "
              "initialisation seems to train.")

namespace inputs_before_tanh {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  return {loss.value, s.z, s.x_hat,
          way_back(model, loss.gradient, s.before_k, s.k, s.z, s.before_h, s.h, x)};
}
}  // namespace inputs_before_tanh
MISCONCEPTION(
    inputs_before_tanh, autoencoder_gradients, "autoencoder.inputs-before-tanh",
    "Layers 2 and 4 got their inputs from before the tanh. linear_backward wants h and k.",
    "dW = dY^T X needs the X that this very layer was given. The shapes before and after "
    "a tanh are the same, so that nothing but the numbers can tell.")

namespace no_slope_in_the_decoder {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  const Matrix flat = Matrix::Zero(s.k.rows(), s.k.cols());
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, flat, s.z, s.h, s.h, x)};
}
}  // namespace no_slope_in_the_decoder
MISCONCEPTION(no_slope_in_the_decoder, autoencoder_gradients, "autoencoder.decoder-slope-missing",
              "The decoder's tanh is missing on the way back: dk went into layer 3 unchanged.",
              "Four layers and two tanh are six steps forward, and six backward. Saturated units "
              "then get gradients as if they could still move.")

namespace no_slope_in_the_encoder {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  const Matrix flat = Matrix::Zero(s.h.rows(), s.h.cols());
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, s.k, s.z, s.h, flat, x)};
}
}  // namespace no_slope_in_the_encoder
MISCONCEPTION(no_slope_in_the_encoder, autoencoder_gradients, "autoencoder.encoder-slope-missing",
              "The encoder's tanh is missing on the way back: dh went into layer 1 unchanged.",
              "Only the very first layer is wrong, the last one to be reached. That is where "
              "mistakes of a backward pass hide longest, because all the others train.")

namespace no_slope_at_all {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  const Matrix flat = Matrix::Zero(s.k.rows(), s.k.cols());
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, flat, s.z, s.h, flat, x)};
}
}  // namespace no_slope_at_all
MISCONCEPTION(no_slope_at_all, autoencoder_gradients, "autoencoder.slopes-missing",
              "Neither tanh takes part in the way back. Call tanh_backward for each of them.",
              "This treats the network as if it were linear. The gradients of the last layer are "
              "right, which is easily taken for a sign that the rest is.")

namespace slopes_exchanged {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, s.h, s.z, s.h, s.k, x)};
}
}  // namespace slopes_exchanged
MISCONCEPTION(
    slopes_exchanged, autoencoder_gradients, "autoencoder.slopes-exchanged",
    "You exchanged h and k: each tanh_backward wants the output of its own tanh.",
    "Both hidden layers have the same width, so the shapes agree. The way back visits the "
    "decoder's tanh first.")

namespace mean_over_elements {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kMean);
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, s.k, s.z, s.h, s.h, x)};
}
}  // namespace mean_over_elements
MISCONCEPTION(
    mean_over_elements, autoencoder_gradients, "autoencoder.mean-over-elements",
    "You averaged over features too. The contract's loss sums them: Reduction::kBatchMean.",
    "Loss and gradients are D times too small. That changes nothing here but the learning "
    "rate; once a KL is added to it, it changes the model.")

namespace summed_over_samples {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kSum);
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, s.k, s.z, s.h, s.h, x)};
}
}  // namespace summed_over_samples
MISCONCEPTION(summed_over_samples, autoencoder_gradients, "autoencoder.sum-over-samples",
              "You summed over the samples. The contract averages them: Reduction::kBatchMean.",
              "Every sample twice should change nothing, and here it doubles the loss and all "
              "gradients, so that batch size and learning rate can no longer be chosen apart.")

namespace reported_per_element {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  AutoencoderGradients result = solution::autoencoder_gradients(model, x);
  result.loss /= static_cast<double>(x.cols());
  return result;
}
}  // namespace reported_per_element
MISCONCEPTION(
    reported_per_element, autoencoder_gradients, "autoencoder.loss-per-element",
    "The gradients are right, the loss is a mean over elements. Report what you minimise.",
    "A loss that is not the one whose gradient is taken cannot be checked with "
    "differences, and its curve answers a question nobody asked.")

namespace arguments_exchanged {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Steps s(model, x);
  const Loss loss = mse_loss(x, s.x_hat, Reduction::kBatchMean);
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, s.k, s.z, s.h, s.h, x)};
}
}  // namespace arguments_exchanged
MISCONCEPTION(arguments_exchanged, autoencoder_gradients, "autoencoder.loss-arguments-exchanged",
              "All gradients have the wrong sign: mse_loss takes the reconstruction first.",
              "The squared error is symmetric, its gradient is not: it belongs to the first "
              "argument. The loss printed at each step is right, and it grows.")

namespace bias_means {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  AutoencoderGradients result = solution::autoencoder_gradients(model, x);
  Autoencoder& g = result.gradient;
  for (Layer* layer :
       {&g.encoder_hidden, &g.encoder_output, &g.decoder_hidden, &g.decoder_output}) {
    layer->bias /= static_cast<float>(x.rows());
  }
  return result;
}
}  // namespace bias_means
MISCONCEPTION(bias_means, autoencoder_gradients, "autoencoder.bias-means",
              "The bias gradients are divided by N once more. The loss has done that already.",
              "dY is the gradient of an average. Summing it over the samples gives the average "
              "gradient; a mean of it divides twice.")

namespace bent_latent {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  Steps s(model, x);
  s.z = tanh_forward(s.z);
  s.k = tanh_forward(linear_forward(s.z, model.decoder_hidden.weight, model.decoder_hidden.bias));
  s.x_hat = linear_forward(s.k, model.decoder_output.weight, model.decoder_output.bias);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  const auto d4 = linear_backward(loss.gradient, s.k, model.decoder_output.weight);
  const auto d3 = linear_backward(tanh_backward(d4.x, s.k), s.z, model.decoder_hidden.weight);
  const auto d2 = linear_backward(tanh_backward(d3.x, s.z), s.h, model.encoder_output.weight);
  const auto d1 = linear_backward(tanh_backward(d2.x, s.h), x, model.encoder_hidden.weight);
  return {loss.value,
          s.z,
          s.x_hat,
          {{d1.weight, d1.bias}, {d2.weight, d2.bias}, {d3.weight, d3.bias}, {d4.weight, d4.bias}}};
}
}  // namespace bent_latent
MISCONCEPTION(bent_latent, autoencoder_gradients, "autoencoder.tanh-on-latent",
              "You bent the latent. There is no tanh after the encoder's second layer.",
              "It is a consistent network, with its own right gradients, but another one. A latent "
              "inside [-1, 1] could not match the normal distribution that lab 02 asks of it.")

namespace bent_reconstruction {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  Steps s(model, x);
  s.x_hat = tanh_forward(s.x_hat);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  const Matrix dx_hat = tanh_backward(loss.gradient, s.x_hat);
  return {loss.value, s.z, s.x_hat, way_back(model, dx_hat, s.k, s.k, s.z, s.h, s.h, x)};
}
}  // namespace bent_reconstruction
MISCONCEPTION(bent_reconstruction, autoencoder_gradients, "autoencoder.tanh-on-reconstruction",
              "You bent the reconstruction. There is no tanh after the last layer.",
              "Data outside [-1, 1] could then never be reconstructed. For images in that range "
              "some decoders do end in a tanh; this contract has none.")

namespace linear_throughout {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  Steps s(model, x);
  s.h = s.before_h;
  s.z = linear_forward(s.h, model.encoder_output.weight, model.encoder_output.bias);
  s.k = linear_forward(s.z, model.decoder_hidden.weight, model.decoder_hidden.bias);
  s.x_hat = linear_forward(s.k, model.decoder_output.weight, model.decoder_output.bias);
  const Loss loss = mse_loss(s.x_hat, x, Reduction::kBatchMean);
  const Matrix flat = Matrix::Zero(s.h.rows(), s.h.cols());
  return {loss.value, s.z, s.x_hat, way_back(model, loss.gradient, s.k, flat, s.z, s.h, flat, x)};
}
}  // namespace linear_throughout
MISCONCEPTION(linear_throughout, autoencoder_gradients, "autoencoder.no-tanh",
              "There is no tanh in your network. Four linear layers in a row are one linear map.",
              "Without a bend between them the layers multiply into a single matrix, and the best "
              "this autoencoder can do is PCA.")

namespace hidden_for_latent {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  AutoencoderGradients result = solution::autoencoder_gradients(model, x);
  result.latent = Steps(model, x).h;
  return result;
}
}  // namespace hidden_for_latent
MISCONCEPTION(hidden_for_latent, autoencoder_gradients, "autoencoder.hidden-for-latent",
              "You returned the encoder's hidden units as the latent. z comes one layer later.",
              "The bottleneck is the narrow layer. The hidden layer before it is wide, and its "
              "values say nothing about what the decoder gets to see.")

namespace error_for_reconstruction {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  AutoencoderGradients result = solution::autoencoder_gradients(model, x);
  result.reconstruction -= x;
  return result;
}
}  // namespace error_for_reconstruction
MISCONCEPTION(
    error_for_reconstruction, autoencoder_gradients, "autoencoder.error-for-reconstruction",
    "You returned the error x_hat - x as the reconstruction. Return x_hat.",
    "The difference was at hand from the loss. Drawn as an image it shows where the model "
    "fails, which is useful, but it is not what was decoded.")

namespace encoder_as_decoder {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  AutoencoderGradients result = solution::autoencoder_gradients(model, x);
  std::swap(result.gradient.encoder_hidden.bias, result.gradient.decoder_hidden.bias);
  return result;
}
}  // namespace encoder_as_decoder
MISCONCEPTION(encoder_as_decoder, autoencoder_gradients, "autoencoder.hidden-biases-exchanged",
              "You exchanged the bias gradients of the two hidden layers.",
              "Both have one number per hidden unit, so no shape objects. The way back runs from "
              "layer 4 to layer 1, the struct lists them from 1 to 4.")

namespace empty_batch_accepted {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  if (x.rows() > 0) return solution::autoencoder_gradients(model, x);
  const Steps s(model, x);
  return {0.0, s.z, s.x_hat, way_back(model, s.x_hat, s.k, s.k, s.z, s.h, s.h, x)};
}
}  // namespace empty_batch_accepted
MISCONCEPTION(empty_batch_accepted, autoencoder_gradients, "autoencoder.empty-batch",
              "You gave an empty batch a loss of 0. mse_loss refuses it; let it.",
              "An average over no samples has no value. Training on nothing would report success.")

namespace cut_to_fit {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const Index d = model.encoder_hidden.weight.cols();
  Matrix fitted = x;
  fitted.conservativeResize(x.rows(), d);
  if (d > x.cols()) fitted.rightCols(d - x.cols()).setZero();
  return solution::autoencoder_gradients(model, fitted);
}
}  // namespace cut_to_fit
MISCONCEPTION(cut_to_fit, autoencoder_gradients, "autoencoder.samples-cut-to-fit",
              "You cut or padded the samples to the width of layer 1. The contract refuses them.",
              "A sample with another number of features belongs to another data set. Zeros in its "
              "place are data too, and the model learns them.")

namespace no_refusals {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  const auto& [one, two, three, four] = model;
  const Matrix h = ((x * one.weight.transpose()).rowwise() + one.bias).array().tanh();
  const Matrix z = (h * two.weight.transpose()).rowwise() + two.bias;
  const Matrix k = ((z * three.weight.transpose()).rowwise() + three.bias).array().tanh();
  const Matrix x_hat = (k * four.weight.transpose()).rowwise() + four.bias;
  require(x.rows() > 0, "no sample");
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
}  // namespace no_refusals
MISCONCEPTION(no_refusals, autoencoder_gradients, "autoencoder.shapes-not-refused",
              "The gradients are right, but sizes that do not fit end in Eigen. Refuse them.",
              "Written out by hand it is one function without a single check. Built from "
              "linear_forward and mse_loss it would refuse by itself.")

namespace only_samples_checked {
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x) {
  require_size(x.cols(), model.encoder_hidden.weight.cols(), "features of x");
  return no_refusals::autoencoder_gradients(model, x);
}
}  // namespace only_samples_checked
MISCONCEPTION(
    only_samples_checked, autoencoder_gradients, "autoencoder.layers-unchecked",
    "The samples are checked against layer 1. Refuse layers that do not fit one another too.",
    "The parameters come from outside as well, for example from a file of a model with "
    "another width. linear_forward asks at every layer, so that calling it four times is enough.")

// ---- 1.8 conv2d_out ----------------------------------------------------------------------------

namespace rounded_up {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  const std::int64_t padded = before + size + after;
  require(size >= 0 && kernel >= 1 && stride >= 1 && before >= 0 && after >= 0, "minimum");
  require(kernel <= padded, "kernel too long");
  return (padded - kernel + stride - 1) / stride + 1;
}
}  // namespace rounded_up
MISCONCEPTION(rounded_up, conv2d_out, "conv-out.ceil",
              "You rounded up. A kernel that hangs over the end does not count: round down.",
              "Pooling layers offer this as ceil mode. For 6 cells, k = 3 and s = 2 there are two "
              "positions; a third one would begin at cell 4 and need a seventh.")

namespace one_too_few {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  return solution::conv2d_out(size, kernel, stride, before, after) - 1;
}
}  // namespace one_too_few
MISCONCEPTION(one_too_few, conv2d_out, "conv-out.plus-one-missing",
              "One position is missing. The quotient counts strides, and there is one place more.",
              "Fence posts: a kernel as long as the axis makes no stride at all, and still has one "
              "place.")

namespace padding_twice {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(after >= 0 && kernel <= before + size + after, "minimum");
  const std::int64_t longer = std::max<std::int64_t>(0, kernel - size - 2 * before);
  return solution::conv2d_out(size, kernel - longer, stride, before, before);
}
}  // namespace padding_twice
MISCONCEPTION(padding_twice, conv2d_out, "conv-out.padding-before-twice",
              "You counted the padding before twice. The one after may differ: add both.",
              "n + 2p is the textbook's formula, for one padding on both sides. Stable Diffusion's "
              "encoder pads (0, 1) when it halves an image; with 2 x 0 a 512 would become 255.")

namespace padding_forgotten {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(before >= 0 && after >= 0 && kernel <= before + size + after, "minimum");
  return solution::conv2d_out(std::max(size, kernel), kernel, stride, 0, 0);
}
}  // namespace padding_forgotten
MISCONCEPTION(padding_forgotten, conv2d_out, "conv-out.padding-missing",
              "The padding is missing. It makes the axis longer before the kernel is laid down.",
              "Without it every 3-wide kernel would cost the image two rows and two columns; after "
              "twenty layers a thumbnail is gone.")

namespace same_rule {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  (void)solution::conv2d_out(size, kernel, stride, before, after);  // refuses
  return (size + stride - 1) / stride;
}
}  // namespace same_rule
MISCONCEPTION(
    same_rule, conv2d_out, "conv-out.same-padding-rule",
    "You returned ceil(n / s), the rule of \"same\" padding. Use the paddings you are given.",
    "Some libraries choose the paddings so that this rule holds. Here they are arguments, "
    "and k and both of them count.")

namespace stride_before_kernel {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  (void)solution::conv2d_out(size, kernel, stride, before, after);  // refuses
  return (before + size + after - kernel + 1) / stride;
}
}  // namespace stride_before_kernel
MISCONCEPTION(stride_before_kernel, conv2d_out, "conv-out.one-inside-quotient",
              "You added the 1 before dividing. It comes after: floor((...) / s) + 1.",
              "With stride 1 both agree. With stride 2 an odd number of steps hides it half of the "
              "time.")

namespace kernel_not_divided {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  (void)solution::conv2d_out(size, kernel, stride, before, after);  // refuses
  return (before + size + after) / stride - kernel + 1;
}
}  // namespace kernel_not_divided
MISCONCEPTION(kernel_not_divided, conv2d_out, "conv-out.kernel-not-divided",
              "You divided the axis by the stride and took the kernel off afterwards.",
              "The kernel's length is measured in cells, the quotient in strides. Take k off "
              "first, then divide.")

namespace long_kernel_accepted {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(size >= 0 && kernel >= 1 && stride >= 1 && before >= 0 && after >= 0, "minimum");
  return (before + size + after - kernel) / stride + 1;
}
}  // namespace long_kernel_accepted
MISCONCEPTION(long_kernel_accepted, conv2d_out, "conv-out.long-kernel-accepted",
              "A kernel longer than the padded axis goes through. It fits nowhere: refuse it.",
              "C++ rounds quotients towards zero, so that (-1) / 2 + 1 is 1: one position for a "
              "kernel that is too long. Floor would have made it 0.")

namespace empty_axis_refused {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(size >= 1, "expected a size of at least 1");
  return solution::conv2d_out(size, kernel, stride, before, after);
}
}  // namespace empty_axis_refused
MISCONCEPTION(
    empty_axis_refused, conv2d_out, "conv-out.empty-axis-refused",
    "You refused n = 0. The contract allows it, if the padding holds the kernel.",
    "The formula has nothing against it, and 0 is a size like any other: the check on the "
    "kernel refuses what makes no sense.")

namespace kernel_fits_unpadded {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(kernel <= size, "kernel too long");
  return solution::conv2d_out(size, kernel, stride, before, after);
}
}  // namespace kernel_fits_unpadded
MISCONCEPTION(kernel_fits_unpadded, conv2d_out, "conv-out.kernel-against-bare-axis",
              "You compared the kernel with the bare axis. It has to fit into the padded one.",
              "A 3-wide kernel on a map of 1x1 with a padding of 1 is what the last layers of a "
              "small image see.")

namespace cropping_accepted {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(size >= 0 && kernel >= 1 && stride >= 1, "minimum");
  require(kernel <= before + size + after, "kernel too long");
  return (before + size + after - kernel) / stride + 1;
}
}  // namespace cropping_accepted
MISCONCEPTION(cropping_accepted, conv2d_out, "conv-out.negative-padding-accepted",
              "A negative padding goes through. It would crop; this contract refuses it.",
              "torch.nn.functional.pad does crop with negative numbers. A convolution that loses "
              "cells because a padding was computed wrongly would not tell.")

namespace kernel_zero_accepted {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  if (kernel >= 1) return solution::conv2d_out(size, kernel, stride, before, after);
  return solution::conv2d_out(size + 1 - kernel, 1, stride, before, after);
}
}  // namespace kernel_zero_accepted
MISCONCEPTION(kernel_zero_accepted, conv2d_out, "conv-out.kernel-unchecked",
              "A kernel of 0 cells goes through. There is nothing to slide: refuse k < 1.",
              "The formula answers n + 1 positions, one more than there are cells.")

namespace stride_zero_accepted {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  return solution::conv2d_out(size, kernel, std::max<std::int64_t>(1, stride), before, after);
}
}  // namespace stride_zero_accepted
MISCONCEPTION(stride_zero_accepted, conv2d_out, "conv-out.stride-repaired",
              "You turned a stride below 1 into 1. The contract refuses it.",
              "A stride of 0 never gets anywhere, so the caller meant something else. A silent "
              "repair produces a map of an unexpected size, several layers later.")

namespace counted_in_float {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  (void)solution::conv2d_out(size, kernel, stride, before, after);  // refuses
  const auto steps =
      static_cast<float>(before + size + after - kernel) / static_cast<float>(stride);
  return static_cast<std::int64_t>(std::floor(steps)) + 1;
}
}  // namespace counted_in_float
MISCONCEPTION(
    counted_in_float, conv2d_out, "conv-out.float-quotient",
    "You divided in float and took the floor. Integers divide exactly: (...) / s.",
    "A float holds whole numbers up to 2^24. Ten minutes of sound are 26 million samples, "
    "and their positions come out wrong by one. For sizes that are not negative, "
    "the integer quotient is the floor.")

namespace shorter_kernel_only {
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after) {
  require(kernel < before + size + after, "kernel too long");
  return solution::conv2d_out(size, kernel, stride, before, after);
}
}  // namespace shorter_kernel_only
MISCONCEPTION(
    shorter_kernel_only, conv2d_out, "conv-out.covering-kernel-refused",
    "You refused a kernel as long as the padded axis. It fits in one place: refuse longer ones.",
    "A kernel that covers the whole map is how a network ends in a single number per channel. "
    "The comparison is <=, not <.")

// ---- 1.9 conv2d_forward ------------------------------------------------------------------------

namespace flipped_kernel {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = weight.h(), s = options.stride;
  require(x.c() == weight.c() && bias.size() == weight.n() && weight.w() == k, "shapes");
  Tensor4 y(x.n(), weight.n(), conv2d_out(x.h(), k, s, options.top, options.bottom),
            conv2d_out(x.w(), k, s, options.left, options.right));
  for (Index at = 0; at < y.size(); ++at) {
    const Index j = at % y.w(), i = at / y.w() % y.h(), o = at / (y.w() * y.h()) % y.c();
    const Index n = at / (y.w() * y.h() * y.c());
    y(n, o, i, j) = bias(o);
    for (Index tap = 0; tap < x.c() * k * k; ++tap) {
      const Index c = tap / (k * k), u = tap / k % k, v = tap % k;
      const Index row = s * i + u - options.top, col = s * j + v - options.left;
      const bool inside = row >= 0 && row < x.h() && col >= 0 && col < x.w();
      if (inside) y(n, o, i, j) += weight(o, c, k - 1 - u, k - 1 - v) * x(n, c, row, col);
    }
  }
  return y;
}
}  // namespace flipped_kernel
MISCONCEPTION(
    flipped_kernel, conv2d_forward, "conv.kernel-flipped",
    "You flipped the kernel. Deep learning's convolution is a cross-correlation.",
    "Mathematics flips, so that convolution commutes; networks learn their kernels and do "
    "not care, but all of them agree on not flipping. A symmetric kernel hides it, and "
    "loaded weights give edges that point the wrong way.")

namespace symmetric_padding {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Tensor4 right = solution::conv2d_forward(x, weight, bias, options);
  Conv2dOptions even = options;
  even.left = even.right = std::max(options.left, options.right);
  even.top = even.bottom = std::max(options.top, options.bottom);
  const Tensor4 wider = solution::conv2d_forward(x, weight, bias, even);
  Tensor4 y = right;
  for (Index at = 0; at < y.size(); ++at) {
    const Index j = at % y.w(), i = at / y.w() % y.h(), o = at / (y.w() * y.h()) % y.c();
    y(at / (y.w() * y.h() * y.c()), o, i, j) = wider(at / (y.w() * y.h() * y.c()), o, i, j);
  }
  return y;
}
}  // namespace symmetric_padding
MISCONCEPTION(
    symmetric_padding, conv2d_forward, "conv.symmetric-padding",
    "You padded both sides alike. (0, 1, 0, 1) puts zeros right and below only.",
    "With k = 3 and s = 2 the result has the same shape either way, so nothing complains: "
    "every window just sits one cell further up and left, and the border turns grey. That "
    "shipped in an encoder of FLUX.2 for Apple hardware (VincentGourbin/flux-2-swift-mlx, "
    "pull request 106).")

namespace paddings_exchanged {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Conv2dOptions exchanged{options.stride, options.right, options.left, options.bottom,
                                options.top};
  return solution::conv2d_forward(x, weight, bias, exchanged);
}
}  // namespace paddings_exchanged
MISCONCEPTION(paddings_exchanged, conv2d_forward, "conv.padding-sides-exchanged",
              "You put the zeros on the opposite sides: left is before the first column.",
              "The shape depends on the sum of both paddings and is right. Only the picture is "
              "shifted, by the difference of the two.")

namespace axes_of_padding {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Conv2dOptions exchanged{options.stride, options.top, options.bottom, options.left,
                                options.right};
  return solution::conv2d_forward(x, weight, bias, exchanged);
}
}  // namespace axes_of_padding
MISCONCEPTION(axes_of_padding, conv2d_forward, "conv.padding-axes-exchanged",
              "You padded rows with left and right. These are columns; top and bottom are rows.",
              "Libraries disagree on the order: torch names the last axis first, left, right, top, "
              "bottom, others begin with the rows. A padding that is equal on both axes hides it.")

namespace border_repeated {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Tensor4 shape = solution::conv2d_forward(x, weight, bias, options);
  if (x.h() == 0 || x.w() == 0) return shape;
  Tensor4 padded(x.n(), x.c(), options.top + x.h() + options.bottom,
                 options.left + x.w() + options.right);
  for (Index at = 0; at < padded.size(); ++at) {
    const Index j = at % padded.w(), i = at / padded.w() % padded.h();
    const Index c = at / (padded.w() * padded.h()) % x.c();
    const Index n = at / (padded.w() * padded.h() * x.c());
    padded(n, c, i, j) = x(n, c, std::clamp<Index>(i - options.top, 0, x.h() - 1),
                           std::clamp<Index>(j - options.left, 0, x.w() - 1));
  }
  return solution::conv2d_forward(padded, weight, bias, Conv2dOptions{options.stride, 0, 0, 0, 0});
}
}  // namespace border_repeated
MISCONCEPTION(border_repeated, conv2d_forward, "conv.border-replicated",
              "You repeated the border pixels. The contract pads with zeros.",
              "Replication avoids the dark rim that zeros leave, and some models use it. Weights "
              "trained with one kind of border give artefacts at the edges with another.")

namespace stride_on_rows_only {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Conv2dOptions dense = options;
  dense.stride = 1;
  const Tensor4 checked = solution::conv2d_forward(x, weight, bias, options);
  const Tensor4 all = solution::conv2d_forward(x, weight, bias, dense);
  Tensor4 y(all.n(), all.c(), checked.h(), all.w());
  for (Index at = 0; at < y.size(); ++at) {
    const Index j = at % y.w(), i = at / y.w() % y.h(), o = at / (y.w() * y.h()) % y.c();
    const Index n = at / (y.w() * y.h() * y.c());
    y(n, o, i, j) = all(n, o, i * options.stride, j);
  }
  return y;
}
}  // namespace stride_on_rows_only
MISCONCEPTION(stride_on_rows_only, conv2d_forward, "conv.stride-rows-only",
              "You applied the stride to the rows only. It moves along the columns as well.",
              "The result is wider than it should be. Each axis has its own start, s i - top and "
              "s j - left.")

namespace stride_taken_as_one {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Conv2dOptions dense = options;
  dense.stride = 1;
  const Tensor4 all = solution::conv2d_forward(x, weight, bias, dense);
  Tensor4 y = solution::conv2d_forward(x, weight, bias, options);
  for (Index at = 0; at < y.size(); ++at) {
    const Index j = at % y.w(), i = at / y.w() % y.h(), o = at / (y.w() * y.h()) % y.c();
    const Index n = at / (y.w() * y.h() * y.c());
    y(n, o, i, j) = all(n, o, i, j);
  }
  return y;
}
}  // namespace stride_taken_as_one
MISCONCEPTION(
    stride_taken_as_one, conv2d_forward, "conv.stride-in-shape-only",
    "The shape knows the stride, the windows do not: row i of y begins at row s i of x.",
    "This looks at the upper left corner of the image only, at full resolution, and calls "
    "it the whole picture.")

namespace hanging_over {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Tensor4 checked = solution::conv2d_forward(x, weight, bias, options);
  const auto missing = [&](Index size, Index before, Index after) {
    const Index rest = (before + size + after - weight.h()) % options.stride;
    return rest == 0 ? 0 : options.stride - rest;
  };
  Conv2dOptions longer = options;
  longer.bottom += missing(x.h(), options.top, options.bottom);
  longer.right += missing(x.w(), options.left, options.right);
  return solution::conv2d_forward(x, weight, bias, longer);
}
}  // namespace hanging_over
MISCONCEPTION(hanging_over, conv2d_forward, "conv.ceil",
              "Your last window hangs over the edge. Positions are rounded down: ask conv2d_out.",
              "One row or column too many, filled with zeros nobody asked for. In a decoder that "
              "mirrors this encoder the sizes no longer meet.")

namespace stride_beyond_kernel_refused {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  require(options.stride <= weight.h(), "expected a stride of at most k, or cells are skipped");
  return solution::conv2d_forward(x, weight, bias, options);
}
}  // namespace stride_beyond_kernel_refused
MISCONCEPTION(stride_beyond_kernel_refused, conv2d_forward, "conv.stride-beyond-kernel-refused",
              "You refused a stride longer than the kernel. It leaves cells out, and may.",
              "k = 1 with s = 2 is how residual networks halve the shortcut past a block: three of "
              "four pixels are never read, on purpose.")

namespace stride_on_padding {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Tensor4 y = solution::conv2d_forward(x, weight, bias, options);
  const Index s = options.stride;
  const Tensor4 shifted = solution::conv2d_forward(
      x, weight, bias,
      {s, s * options.left, s * options.right, s * options.top, s * options.bottom});
  for (Index at = 0; at < y.size(); ++at) {
    const Index j = at % y.w(), i = at / y.w() % y.h(), o = at / (y.w() * y.h()) % y.c();
    const Index n = at / (y.w() * y.h() * y.c());
    y(n, o, i, j) = shifted(n, o, i, j);
  }
  return y;
}
}  // namespace stride_on_padding
MISCONCEPTION(stride_on_padding, conv2d_forward, "conv.stride-times-padding",
              "Your windows begin at s (i - top). The padding is counted in cells: s i - top.",
              "With stride 1, or without padding before the first cell, both are the same. A "
              "halving layer padded (1, 0) begins one cell too early, and its last column never "
              "sees the end of the image.")

namespace pixels_by_reshape {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Tensor4 y = solution::conv2d_forward(x, weight, bias, options);
  if (weight.h() != 1 || y.h() != x.h() || y.w() != x.w()) return y;
  const Matrix pixels = Eigen::Map<const Matrix>(x.data(), x.n() * x.h() * x.w(), x.c());
  const Matrix kernels = Eigen::Map<const Matrix>(weight.data(), weight.n(), x.c());
  const Matrix flat = linear_forward(pixels, kernels, bias);
  std::copy_n(flat.data(), y.size(), y.data());
  return y;
}
}  // namespace pixels_by_reshape
MISCONCEPTION(
    pixels_by_reshape, conv2d_forward, "conv.pixels-by-reshape",
    "Your shortcut for k = 1 reads the buffer as [H W, Ci]. It is [Ci, H W]: transpose it.",
    "A 1x1 kernel is a linear layer at every pixel, but its inputs, the channels of one pixel, "
    "lie a whole map apart in memory. A reshape moves nothing; it only calls neighbours in a row "
    "of the image channels.")

namespace first_sample_everywhere {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Tensor4 first = x;
  const Index values = x.c() * x.h() * x.w();
  for (Index at = 0; at < first.size(); ++at) first.data()[at] = x.data()[at % values];
  return solution::conv2d_forward(first, weight, bias, options);
}
}  // namespace first_sample_everywhere
MISCONCEPTION(first_sample_everywhere, conv2d_forward, "conv.first-sample-only",
              "Every sample of the batch got the answer of the first: x(0, c, ...) wants an n.",
              "Six loops, and the outermost is the one that a single test image leaves at 0.")

namespace bias_left_out {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  return solution::conv2d_forward(x, weight, RowVector(0.0F * bias), options);
}
}  // namespace bias_left_out
MISCONCEPTION(bias_left_out, conv2d_forward, "conv.no-bias",
              "The bias is missing: one number per output channel, added at every position.",
              "Layers without a bias exist, in front of a normalisation that would take it away "
              "again. This one has it.")

namespace bias_per_input_channel {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  return solution::conv2d_forward(x, weight, RowVector(static_cast<float>(x.c()) * bias), options);
}
}  // namespace bias_per_input_channel
MISCONCEPTION(bias_per_input_channel, conv2d_forward, "conv.bias-per-input-channel",
              "The bias was added once per input channel. It is added once per output value.",
              "The line stands inside the loop over c. With a single input channel nothing shows.")

namespace bias_of_the_row {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Tensor4 y = solution::conv2d_forward(x, weight, bias, options);
  for (Index at = 0; at < y.size(); ++at) {
    const Index i = at / y.w() % y.h(), o = at / (y.w() * y.h()) % y.c();
    y.data()[at] += bias(i % bias.size()) - bias(o);
  }
  return y;
}
}  // namespace bias_of_the_row
MISCONCEPTION(
    bias_of_the_row, conv2d_forward, "conv.bias-per-row",
    "The bias changes from row to row of your output. It belongs to the channel.",
    "b has one number per output channel, the same at all of its positions: a convolution "
    "treats every place of the image alike.")

namespace last_channel_only {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Tensor4 checked = solution::conv2d_forward(x, weight, bias, options);
  Tensor4 last = x;
  for (Index at = 0; at < last.size(); ++at) {
    if (at / (x.h() * x.w()) % x.c() != x.c() - 1) last.data()[at] = 0.0F;
  }
  return solution::conv2d_forward(last, weight, bias, options);
}
}  // namespace last_channel_only
MISCONCEPTION(
    last_channel_only, conv2d_forward, "conv.channels-overwritten",
    "Only the last input channel counts: each one overwrote those before. Sum them.",
    "A value of the output sees a k x k window in *all* channels. In loops that is one sum "
    "that starts before the loop over c.")

namespace channel_by_channel {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  Tensor4 own = weight;
  const Index taps = weight.h() * weight.w();
  for (Index at = 0; at < own.size(); ++at) {
    const Index c = at / taps % weight.c(), o = at / (taps * weight.c());
    if (c != o % weight.c()) own.data()[at] = 0.0F;
  }
  return solution::conv2d_forward(x, own, bias, options);
}
}  // namespace channel_by_channel
MISCONCEPTION(channel_by_channel, conv2d_forward, "conv.depthwise",
              "Each of your output channels sees one input channel. It must see all of them.",
              "That is a depthwise convolution, which needs a 1x1 convolution after it to mix the "
              "channels. This one mixes them itself, with Ci kernels per output.")

namespace channels_exchanged {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Tensor4 checked = solution::conv2d_forward(x, weight, bias, options);
  Tensor4 exchanged(weight.c(), weight.n(), weight.h(), weight.w());
  for (Index at = 0; at < exchanged.size(); ++at) exchanged.data()[at] = weight.data()[at];
  Tensor4 read = weight;
  const Index taps = weight.h() * weight.w();
  for (Index at = 0; at < read.size(); ++at) {
    const Index tap = at % taps, c = at / taps % weight.c(), o = at / (taps * weight.c());
    read.data()[at] = exchanged(c, o, tap / weight.w(), tap % weight.w());
  }
  return solution::conv2d_forward(x, read, bias, options);
}
}  // namespace channels_exchanged
MISCONCEPTION(channels_exchanged, conv2d_forward, "conv.channels-exchanged",
              "You read the weights as [Ci, Co, k, k]. Output channels come first: [Co, Ci, k, k].",
              "Transposed convolutions store their weights the other way round, and other "
              "frameworks put the channels last. The number of weights is the same.")

namespace kernel_transposed {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Tensor4 checked = solution::conv2d_forward(x, weight, bias, options);
  Tensor4 turned = weight;
  const Index k = weight.h();
  for (Index at = 0; at < turned.size(); ++at) {
    const Index v = at % k, u = at / k % k;
    turned.data()[at] = weight.data()[at - u * k - v + v * k + u];
  }
  return solution::conv2d_forward(x, turned, bias, options);
}
}  // namespace kernel_transposed
MISCONCEPTION(
    kernel_transposed, conv2d_forward, "conv.kernel-transposed",
    "You exchanged the kernel's rows and columns: u goes with the row, v with the column.",
    "An edge detector then finds horizontal edges where it should find vertical ones. "
    "Kernels that are symmetric about their diagonal do not show it.")

namespace extra_channels_ignored {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index channels = std::min(x.c(), weight.c());
  const auto first = [&](const Tensor4& all) {
    Tensor4 cut(all.n(), channels, all.h(), all.w());
    const Index map = all.h() * all.w();
    for (Index at = 0; at < cut.size(); ++at) {
      const Index n = at / (channels * map);
      cut.data()[at] = all.data()[n * all.c() * map + at % (channels * map)];
    }
    return cut;
  };
  return solution::conv2d_forward(first(x), first(weight), bias, options);
}
}  // namespace extra_channels_ignored
MISCONCEPTION(
    extra_channels_ignored, conv2d_forward, "conv.channels-unchecked",
    "Weights for another number of channels go through. Refuse them.",
    "A loop over the channels that both have finds nothing wrong with an image that still "
    "carries its alpha channel.")

namespace extra_bias_ignored {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  RowVector fitted = RowVector::Zero(weight.n());
  const Index shared = std::min(bias.size(), weight.n());
  fitted.head(shared) = bias.head(shared);
  return solution::conv2d_forward(x, weight, fitted, options);
}
}  // namespace extra_bias_ignored
MISCONCEPTION(extra_bias_ignored, conv2d_forward, "conv.bias-unchecked",
              "A bias of another length goes through. It has one number per output channel.",
              "Too long a bias belongs to another layer, and reading beyond a short one reads "
              "memory that is not its own.")

namespace oblong_accepted {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index k = std::min(weight.h(), weight.w());
  Tensor4 square(weight.n(), weight.c(), k, k);
  for (Index at = 0; at < square.size(); ++at) {
    const Index v = at % k, u = at / k % k, map = at / (k * k);
    square.data()[at] = weight.data()[(map * weight.h() + u) * weight.w() + v];
  }
  return solution::conv2d_forward(x, square, bias, options);
}
}  // namespace oblong_accepted
MISCONCEPTION(
    oblong_accepted, conv2d_forward, "conv.oblong-kernel-accepted",
    "A kernel that is not square goes through, cut to a square. Refuse it.",
    "Kernels of 1x7 exist elsewhere. Taking k from one side only drops or invents weights "
    "without a word.")

namespace nothing_fits {
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options) {
  const Index h = options.top + x.h() + options.bottom;
  const Index w = options.left + x.w() + options.right;
  const bool fits = weight.h() != weight.w() || (weight.h() <= h && weight.h() <= w);
  if (fits) return solution::conv2d_forward(x, weight, bias, options);
  return Tensor4(x.n(), weight.n(), 0, 0);
}
}  // namespace nothing_fits
MISCONCEPTION(nothing_fits, conv2d_forward, "conv.large-kernel-accepted",
              "A kernel that fits nowhere gave an empty image. conv2d_out refuses it; call it.",
              "An empty feature map travels on until some layer divides by its size. The first one "
              "that knows should speak.")

}  // namespace latent

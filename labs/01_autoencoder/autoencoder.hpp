/// @file
/// Lab 01, the autoencoder. This header is the contract: read it, do not edit it. What you write
/// goes into the numbered .cpp files beside it.
///
/// Letters: N samples, D features, Di and Do features in and out. One sample per row.
#pragma once

#include "common/types.hpp"

namespace latent {

// ---- 1.0 -----------------------------------------------------------------------------------

/// The number of values in a tensor: the product of its sizes.
///
/// State, axis, trade-off: nothing is transformed; this is the currency of the next exercise.
///
/// @param shape  Sizes, outermost first, none negative. `{}` is a scalar and holds one value.
/// @return       The product, exact in 64 bits: `{3, 65536, 65536}` holds 12,884,901,888 values.
/// @throws std::invalid_argument  if a size is negative.
std::int64_t values_in(const Shape& shape);

// ---- 1.1 -----------------------------------------------------------------------------------

/// How many times smaller the latent is, counted in two currencies.
struct CompressionRatio {
  double values = 0.0;  ///< Values in the input per value in the latent.
  double bits = 0.0;    ///< Bits of the input per bit of the latent.
};

/// Compares the sizes of an input and its latent.
///
/// \f$ r_\text{values} = |x| / |z| \f$ and \f$ r_\text{bits} = b_x |x| / (b_z |z|) \f$, where
/// \f$ |\cdot| \f$ counts values. Stable Diffusion: `{3, 512, 512}` to `{4, 64, 64}` is 48 in
/// values, whatever the bits.
///
/// State, axis, trade-off: an image becomes a latent, along all axes at once; what is not in the
/// latent must be invented by the decoder.
///
/// @param input_shape      Shape of one input, without the batch.
/// @param bits_per_value   Bits of one input value, for example 8; above 0.
/// @param latent_shape     Shape of one latent, without the batch.
/// @param bits_per_latent  Bits of one latent value; above 0. For a token: `bits_per_token(K)`.
/// @return                 Both ratios, without unit.
/// @throws std::invalid_argument  if a shape holds no value or a negative size, or if a number of
///                                bits is not above 0.
CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent);

/// The bits that one of K equally likely tokens carries: \f$ \log_2 K \f$, not rounded.
/// @param codebook_size  K, at least 1.
/// @return               Bits per token: 13 for K = 8192, 9.96578 for K = 1000.
/// @throws std::invalid_argument  if K < 1.
double bits_per_token(std::int64_t codebook_size);

// ---- 1.2 -----------------------------------------------------------------------------------

/// A fully connected layer: \f$ Y = X W^\top + \mathbf 1 b \f$, so
/// \f$ y_{no} = \sum_i x_{ni} w_{oi} + b_o \f$.
///
/// State, axis, trade-off: every sample is mapped from Di to Do features, row by row; a narrow Do
/// is the bottleneck.
///
/// @param x       Samples, shape `[N, Di]`; N may be 0.
/// @param weight  Shape `[Do, Di]`: one row per output, as in torch.nn.Linear.
/// @param bias    Shape `[Do]`, added to every row.
/// @return        Shape `[N, Do]`.
/// @throws std::invalid_argument  if x and weight differ in columns, or bias in size from the rows
///                                of weight.
Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector& bias);

// ---- 1.3 -----------------------------------------------------------------------------------

/// What the chain rule gives each part of a linear layer.
struct LinearGradients {
  Matrix x;        ///< \f$ \partial L / \partial X \f$, shape `[N, Di]`.
  Matrix weight;   ///< \f$ \partial L / \partial W \f$, shape `[Do, Di]`, summed over the samples.
  RowVector bias;  ///< \f$ \partial L / \partial b \f$, shape `[Do]`, summed over the samples.
};

/// The backward pass of `linear_forward`: \f$ dX = dY\,W,\; dW = dY^\top X,\; db = \mathbf 1^\top
/// dY \f$.
///
/// Sums over samples, never means: whoever averaged the loss has already divided dY.
///
/// @param dy      Gradient of the loss with respect to the output, shape `[N, Do]`. N may be 0: the
///                sums are then 0.
/// @param x       The input of the forward pass, shape `[N, Di]`.
/// @param weight  Shape `[Do, Di]`.
/// @return        The three gradients.
/// @throws std::invalid_argument  if dy and x differ in rows, dy's columns from the rows of weight,
///                                or x and weight in columns.
LinearGradients linear_backward(const Matrix& dy, const Matrix& x, const Matrix& weight);

// ---- 1.4 -----------------------------------------------------------------------------------

/// The hyperbolic tangent of every element: \f$ y = \tanh x \f$.
///
/// State, axis, trade-off: every element on its own; large inputs are squashed to ±1 and stop
/// learning.
///
/// @param x  Any shape, any finite value; for |x| = 800 the result is ±1, not NaN.
/// @return   The same shape, values in [-1, 1]. Throws nothing.
Matrix tanh_forward(const Matrix& x);

/// Its backward pass: \f$ dx = dy\,(1 - y^2) \f$, from the output, which is already at hand.
/// @param dy  Gradient with respect to the output.
/// @param y   The *output* of `tanh_forward`, same shape.
/// @return    Gradient with respect to the input, same shape.
/// @throws std::invalid_argument  if the shapes differ.
Matrix tanh_backward(const Matrix& dy, const Matrix& y);

// ---- 1.5 -----------------------------------------------------------------------------------

/// Over what a loss is divided.
enum class Reduction {
  kSum,        ///< Nothing: the sum over samples and features.
  kBatchMean,  ///< N: the sum over features, averaged over samples. The ELBO's choice.
  kMean,       ///< N * D: the average over everything. torch's default.
};

/// A loss and its gradient.
struct Loss {
  double value = 0.0;  ///< L.
  Matrix gradient;     ///< With respect to the first argument, same shape.
};

/// The squared error \f$ L = \frac1c \sum_{nd} (\hat x_{nd} - x_{nd})^2 \f$ with c = 1, N or N·D,
/// and its gradient \f$ \frac2c (\hat x - x) \f$.
///
/// State, axis, trade-off: two batches become one number; the reduction decides how much this loss
/// weighs against any other.
///
/// @param x_hat      Reconstruction, shape `[N, D]`.
/// @param x          Data, same shape.
/// @param reduction  What to divide by.
/// @return           The value, accumulated in double, and the gradient with respect to x_hat.
/// @throws std::invalid_argument  if the shapes differ or hold no element.
Loss mse_loss(const Matrix& x_hat, const Matrix& x, Reduction reduction);

// ---- 1.6 -----------------------------------------------------------------------------------

/// The settings of Adam, with the usual values.
struct AdamOptions {
  double learning_rate = 1e-3;  ///< \f$ \eta \f$
  double beta1 = 0.9;           ///< \f$ \beta_1 \f$, the memory of m.
  double beta2 = 0.999;         ///< \f$ \beta_2 \f$, the memory of v.
  double epsilon = 1e-8;        ///< \f$ \varepsilon \f$, added outside the root.
};

/// A parameter with its two running moments, all of one shape.
struct AdamState {
  Matrix parameter;      ///< \f$ \theta \f$
  Matrix first_moment;   ///< m, zero before the first step.
  Matrix second_moment;  ///< v, zero before the first step.
};

/// One step of Adam:
/// \f$ m \leftarrow \beta_1 m + (1-\beta_1) g,\; v \leftarrow \beta_2 v + (1-\beta_2) g^2,\;
///     \theta \leftarrow \theta - \eta\, \hat m / (\sqrt{\hat v} + \varepsilon) \f$ with
/// \f$ \hat m = m / (1-\beta_1^t),\; \hat v = v / (1-\beta_2^t) \f$.
///
/// State, axis, trade-off: every parameter on its own; a step of about the learning rate whatever
/// the gradient's size, for two more floats per parameter.
///
/// @param state     Before the step.
/// @param gradient  g, same shape.
/// @param step      t, counted from 1.
/// @param options   See AdamOptions.
/// @return          After the step; the moments are kept without bias correction.
/// @throws std::invalid_argument  if shapes differ or step < 1.
/// @see Kingma and Ba 2014, "Adam: a method for stochastic optimization", arXiv:1412.6980.
AdamState adam_step(const AdamState& state, const Matrix& gradient, std::int64_t step,
                    const AdamOptions& options);

// ---- 1.7 -----------------------------------------------------------------------------------

/// The weights of one linear layer.
struct Layer {
  Matrix weight;   ///< `[Do, Di]`
  RowVector bias;  ///< `[Do]`
};

/// A small autoencoder, x to z and back:
/// linear, tanh, linear (this is z), linear, tanh, linear. For the 8-D data: 8-16-2-16-8.
struct Autoencoder {
  Layer encoder_hidden;  ///< `[H, D]`
  Layer encoder_output;  ///< `[latent, H]`, no tanh after it
  Layer decoder_hidden;  ///< `[H, latent]`
  Layer decoder_output;  ///< `[D, H]`, no tanh after it
};

/// One forward and backward pass.
struct AutoencoderGradients {
  double loss = 0.0;      ///< `mse_loss` with Reduction::kBatchMean.
  Matrix latent;          ///< z, shape `[N, latent]`.
  Matrix reconstruction;  ///< \f$ \hat x \f$, shape `[N, D]`.
  Autoencoder gradient;   ///< Of the loss with respect to every weight and bias.
};

/// Encodes, decodes, compares with the input, and carries the gradient back to every parameter.
///
/// \f$ h = \tanh(x W_1^\top + b_1),\; z = h W_2^\top + b_2,\; k = \tanh(z W_3^\top + b_3),\;
///     \hat x = k W_4^\top + b_4 \f$. Built from your own functions of 1.2 to 1.5.
///
/// State, axis, trade-off: N samples become N latents and come back; all that the decoder knows of
/// a sample has passed through z.
///
/// @param model  The parameters, with sizes that fit one another.
/// @param x      Samples, shape `[N, D]`, N at least 1.
/// @return       Loss, latents, reconstructions and gradients.
/// @throws std::invalid_argument  if sizes do not fit, as `linear_forward` and `mse_loss` do.
AutoencoderGradients autoencoder_gradients(const Autoencoder& model, const Matrix& x);

// ---- 1.8 (stretch) ---------------------------------------------------------------------------

/// The number of positions of a sliding kernel along one axis:
/// \f$ \lfloor (n + p_\text{before} + p_\text{after} - k) / s \rfloor + 1 \f$.
/// @param size    n, at least 0.
/// @param kernel  k, at least 1.
/// @param stride  s, at least 1.
/// @param before  Zeros put before the first element, at least 0.
/// @param after   Zeros put after the last element, at least 0.
/// @return        How many outputs there are, at least 1.
/// @throws std::invalid_argument  if an argument is below its minimum, or the kernel is longer than
///                                the padded axis.
std::int64_t conv2d_out(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t before, std::int64_t after);

// ---- 1.9 (stretch) ---------------------------------------------------------------------------

/// Stride and zero padding of a convolution.
struct Conv2dOptions {
  std::int64_t stride = 1;  ///< The same along rows and columns.
  std::int64_t left = 0;    ///< Columns of zeros before the first.
  std::int64_t right = 0;   ///< Columns of zeros after the last.
  std::int64_t top = 0;     ///< Rows of zeros before the first.
  std::int64_t bottom = 0;  ///< Rows of zeros after the last.
};

/// The convolution of deep learning, which mathematics calls cross-correlation (the kernel is not
/// flipped): \f$ y_{noij} = b_o + \sum_{cuv} w_{ocuv}\,
/// x_{n,c,\,si+u-\text{top},\,sj+v-\text{left}} \f$, where x is 0 outside its borders.
///
/// State, axis, trade-off: every k×k neighbourhood across all channels becomes one value per output
/// channel; stride trades positions for cost.
///
/// @param x        Shape `[N, Ci, H, W]`.
/// @param weight   Shape `[Co, Ci, k, k]`, square kernels only.
/// @param bias     Shape `[Co]`.
/// @param options  Stride and the four paddings, which may all differ.
/// @return         Shape `[N, Co, H', W']` with H' and W' from `conv2d_out`.
/// @throws std::invalid_argument  if channels or bias do not fit, the kernel is not square, or
///                                `conv2d_out` refuses.
Tensor4 conv2d_forward(const Tensor4& x, const Tensor4& weight, const RowVector& bias,
                       const Conv2dOptions& options);

}  // namespace latent

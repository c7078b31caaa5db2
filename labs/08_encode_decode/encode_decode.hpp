/// @file
/// Lab 08, encode and decode: an image becomes a latent and an image again, and every stage on the
/// way is written down. This header is the contract: read it, do not edit it. What you write goes
/// into the numbered .cpp files beside it.
///
/// Letters: N samples, C channels, H rows, W columns; x an image or a feature map, z a latent.
/// Images and latents are `[N, C, H, W]`.
#pragma once

#include <cstdint>
#include <vector>

#include "autoencoder.hpp"
#include "common/layers.hpp"
#include "common/types.hpp"

namespace latent {

// ---- 8.0 -----------------------------------------------------------------------------------

/// The range of numbers that a model takes images in.
enum class PixelRange : std::int32_t {
  kMinusOneToOne,  ///< Black -1, white 1: the KL autoencoders of Stable Diffusion and Flux.
  kZeroToOne,      ///< Black 0, white 1: the tiny autoencoders of the TAESD family.
};

/// A picture as files and screens hold it.
struct Pixels {
  std::int64_t height = 0;           ///< Rows.
  std::int64_t width = 0;            ///< Columns.
  std::vector<std::int32_t> values;  ///< From 0 to 255, shape `[height, width, 3]`, red first.
};

/// Turns a picture into what a model takes: \f$ x = v / 127.5 - 1 \f$ or \f$ v / 255 \f$, and the
/// channels move to the front.
///
/// State, axis, trade-off: bytes become floats and the channel axis moves from last to second; a
/// model that is fed the other range still answers, only wrongly.
///
/// @param image  height * width * 3 values from 0 to 255; a side may be 0.
/// @param range  What the model was trained on.
/// @return       Shape `[1, 3, H, W]`.
/// @throws std::invalid_argument  if a side is negative, the number of values is not
///                                height * width * 3, or a value is not from 0 to 255.
Tensor4 image_to_model(const Pixels& image, PixelRange range);

/// The way back: \f$ v = \mathrm{rint}(255 \cdot \mathrm{clamp}(y, 0, 1)) \f$, where y is x for
/// kZeroToOne and (x + 1) / 2 for kMinusOneToOne. Rounds to nearest, ties to even.
/// @param x      Shape `[1, 3, H, W]`, finite; values outside the range are clamped.
/// @param range  What the model puts out.
/// @return       The picture.
/// @throws std::invalid_argument  if x does not hold one sample of three channels, or an element is
///                                infinite or no number.
Pixels model_to_image(const Tensor4& x, PixelRange range);

// ---- 8.1 -----------------------------------------------------------------------------------

/// What a trace says of a tensor's elements. NaN are counted and left out of the rest.
struct TensorStats {
  double min = 0.0;        ///< Smallest; 0 where nothing was counted.
  double max = 0.0;        ///< Largest.
  double mean = 0.0;       ///< Sum / number.
  double std = 0.0;        ///< Of the population: divided by the number, not by one less.
  double absmax = 0.0;     ///< Largest magnitude: above 65504, fp16 overflows.
  std::int64_t count = 0;  ///< Elements that entered.
  std::int64_t nans = 0;   ///< Elements that are no number.
};

/// One pass over a tensor, accumulated in double.
///
/// Keeps its digits where the elements are far from 0 and close together: around 10,000, a standard
/// deviation of 0.5 is right to 1e-9. Infinities enter min, max and absmax as they are; mean and
/// std are then what the arithmetic makes of them.
///
/// State, axis, trade-off: a whole tensor becomes seven numbers, over all axes at once; cheap
/// enough to take at every stage, and blind to where in the tensor something is wrong.
///
/// @param x  Any shape, empty included.
/// @return   All of `TensorStats`. Throws nothing.
/// @see Welford 1962, "Note on a method for calculating corrected sums of squares and products".
TensorStats tensor_stats(const Tensor4& x);

// ---- 8.2 -----------------------------------------------------------------------------------

/// How a pipeline moves latents into the range that its denoiser was trained on.
struct LatentScale {
  double scale = 1.0;  ///< Multiplies, after the shift was taken off. Not 0.
  double shift = 0.0;  ///< Taken off first.
};

/// \f$ z' = (z - \text{shift}) \cdot \text{scale} \f$, before the denoiser.
///
/// State, axis, trade-off: a latent becomes a latent of about unit variance, element by element;
/// the constant belongs to one autoencoder, and any other one's gives a picture that is merely bad.
///
/// @param z      What the encoder put out, any shape.
/// @param scale  Of the pipeline.
/// @return       Same shape.
/// @throws std::invalid_argument  if scale is 0 or either number is not finite.
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale);

/// \f$ z = z' / \text{scale} + \text{shift} \f$, before the decoder.
/// @param z      What the denoiser put out, any shape.
/// @param scale  Of the pipeline.
/// @return       Same shape.
/// @throws std::invalid_argument  as `scale_latents` does.
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale);

/// The scale that gives latents a standard deviation of 1: 1 / std over all elements, no shift.
/// Stable Diffusion's 0.18215 was found this way, on the first batch of its training.
/// @param z  Latents of any shape, at least one element, all finite, not all the same.
/// @return   {1 / std, 0}.
/// @throws std::invalid_argument  if z is empty, constant, or an element is not finite.
/// @see Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models",
///      arXiv:2112.10752, and `scale_by_std` in its code.
LatentScale fit_latent_scale(const Tensor4& z);

// ---- 8.3 -----------------------------------------------------------------------------------

/// Packs every 2x2 neighbourhood of a latent into channels: element (n, c, 2h + i, 2w + j) becomes
/// (n, 4c + 2i + j, h, w).
///
/// State, axis, trade-off: space becomes channels, no value changes; a quarter of the positions for
/// the transformer to attend to, four times the channels.
///
/// @param z  Shape `[N, C, H, W]`, H and W even.
/// @return   Shape `[N, 4C, H/2, W/2]`.
/// @throws std::invalid_argument  if H or W is odd.
Tensor4 patchify(const Tensor4& z);

/// The way back.
/// @param z  Shape `[N, 4C, H, W]`.
/// @return   Shape `[N, C, 2H, 2W]`.
/// @throws std::invalid_argument  if the number of channels is no multiple of 4.
Tensor4 unpatchify(const Tensor4& z);

/// Per-channel statistics, as Flux.2, Cosmos, Wan, LTX and Mochi keep them.
struct ChannelStats {
  RowVector mean;      ///< Shape `[C]`.
  RowVector variance;  ///< Shape `[C]`, not negative: a variance, no standard deviation.
  double eps = 1e-5;   ///< Added to the variance, under the root; not negative.
};

/// \f$ z'_{nchw} = (z_{nchw} - \mu_c) / \sqrt{\sigma^2_c + \epsilon} \f$.
/// @param z      Shape `[N, C, H, W]`.
/// @param stats  Of C channels.
/// @return       Same shape.
/// @throws std::invalid_argument  if the sizes do not fit, a variance or eps is negative, or
///                                variance + eps is 0.
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats);

/// The way back: \f$ z = z' \sqrt{\sigma^2_c + \epsilon} + \mu_c \f$.
/// @param z      Shape `[N, C, H, W]`.
/// @param stats  Of C channels.
/// @return       Same shape.
/// @throws std::invalid_argument  as `normalize_channels` does.
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats);

// ---- 8.4 -----------------------------------------------------------------------------------

/// The autoencoders that people confuse.
enum class AutoencoderFamily : std::int32_t {
  kSd1,    ///< Stable Diffusion 1.x and 2.x.
  kSdxl,   ///< SDXL: the same architecture, other weights.
  kSd3,    ///< Stable Diffusion 3 and 3.5.
  kFlux1,  ///< Flux.1.
  kFlux2,  ///< Flux.2.
};

/// What a pipeline has to know of its autoencoder.
struct LatentContract {
  std::int64_t channels = 0;  ///< Of the latent, not of the moments, which have twice as many.
  std::int64_t factor = 8;    ///< Pixels per latent position along each side.
  double scale = 1.0;         ///< As in `LatentScale`.
  double shift = 0.0;         ///< As in `LatentScale`.
  std::int64_t pack = 1;      ///< Latent positions per token along each side: 2 for `patchify`.
};

/// The table: SD 1.x/2.x 4 channels, 0.18215; SDXL 4, 0.13025; SD3/3.5 16, 1.5305 and 0.0609;
/// Flux.1 16, 0.3611 and 0.1159, packed 2x2 for its transformer; Flux.2 32, packed 2x2, statistics
/// per channel instead of one scale (1 and 0 here). All have factor 8.
///
/// @param family  Which.
/// @return        Its row.
/// @throws std::invalid_argument  if family is none of the five.
LatentContract latent_contract(AutoencoderFamily family);

/// The shape of one latent, without the batch: {C, H / f, W / f}, or packed
/// {p² C, H / (f p), W / (f p)}.
///
/// State, axis, trade-off: the three axes of an image become three others; nothing about pixels
/// says how many channels a latent has, so it has to be looked up.
///
/// @param family  Which autoencoder.
/// @param height  Rows of the image.
/// @param width   Columns of the image.
/// @param packed  Whether the 2x2 packing is asked for; it changes nothing for a family without.
/// @return        Three sizes.
/// @throws std::invalid_argument  if a side is below 1, or no multiple of the factor (packed: of
///                                factor * pack), with the nearest sizes that are.
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed);

// ---- 8.5 -----------------------------------------------------------------------------------

/// What a layer costs.
struct LayerCost {
  std::int64_t macs = 0;              ///< Multiply-accumulates; biases are not counted.
  std::int64_t flops = 0;             ///< 2 * macs.
  std::int64_t params = 0;            ///< Weights and biases.
  std::int64_t activation_bytes = 0;  ///< Of what it puts out.
};

/// A convolution to be counted.
struct ConvGeometry {
  std::int64_t out_channels = 0;  ///< Co, at least 1.
  std::int64_t kernel = 1;        ///< k, square.
  std::int64_t stride = 1;        ///< s.
  std::int64_t padding = 0;       ///< On each of the four sides.
  std::int64_t groups = 1;        ///< Divides Ci and Co; each output channel sees Ci / groups.
  bool has_bias = true;           ///< One more parameter per output channel.
};

/// \f$ \text{MACs} = N C_o H_o W_o (C_i / g) k^2 \f$, with the *output's* positions.
///
/// State, axis, trade-off: a layer becomes four numbers; cost grows with the square of the image's
/// side and with the product of the channels, parameters only with the latter.
///
/// @param input            `{N, Ci, H, W}`, all at least 1.
/// @param conv             The layer.
/// @param bytes_per_value  4 for fp32, 2 for fp16; at least 1.
/// @return                 Exact in 64 bits.
/// @throws std::invalid_argument  if input is not four sizes of at least 1, groups does not divide
///                                both numbers of channels, bytes_per_value or out_channels is
///                                below 1, or `conv2d_out` refuses.
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value);

/// Single-head self-attention over all n = H W positions, as in the middle of Stable Diffusion's
/// autoencoder: four projections \f$ 4 n C^2 \f$ and two products \f$ 2 n^2 C \f$, per sample.
/// @param input            `{N, C, H, W}`, all at least 1.
/// @param bytes_per_value  At least 1.
/// @return                 params: 4 (C² + C). activation_bytes: of the n x n scores, the largest
///                         tensor on the way, N n² bytes_per_value.
/// @throws std::invalid_argument  as `conv_cost` does.
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value);

// ---- 8.6 -----------------------------------------------------------------------------------

/// One operation of a computation, which makes one tensor out of earlier ones. Tensor 0 is the
/// computation's input; step i makes tensor i + 1.
struct GraphStep {
  std::vector<std::int64_t> inputs;  ///< Which tensors it reads: each from 0 to i, at least one.
  std::int64_t output_bytes = 0;     ///< Size of the tensor it makes, not negative.
};

/// How much memory the activations of a computation take.
struct ActivationMemory {
  std::int64_t peak_bytes = 0;     ///< Largest of `live`.
  std::int64_t peak_step = 0;      ///< The first step at which it is reached.
  std::vector<std::int64_t> live;  ///< Bytes alive while step i runs, one per step.
};

/// Walks through a computation and counts what is alive. Nothing is computed in place: while a step
/// runs, its inputs and its output are alive, and so is every earlier tensor that a later step
/// reads. A tensor is freed after the last step that reads it; one that no step reads, after the
/// step that made it, but for the last tensor, which is the result.
///
/// State, axis, trade-off: a graph becomes a profile over time; a skip connection keeps its input
/// alive across the whole block, and memory is where one pays for it. Weights are not counted.
///
/// @param input_bytes  Size of tensor 0, not negative.
/// @param steps        At least one, in order.
/// @return             The profile and its peak.
/// @throws std::invalid_argument  if there is no step, a size is negative, a step reads nothing, or
///                                it reads a tensor that is not there yet.
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps);

// ---- 8.7 -----------------------------------------------------------------------------------

/// A convolution with its weights; padded with k / 2 zeros (rounded down) on each side.
struct ConvLayer {
  Tensor4 weight;           ///< `[Co, Ci, k, k]`.
  RowVector bias;           ///< `[Co]`; zeros where the model has none.
  std::int64_t stride = 1;  ///< At least 1.
};

/// The middle-block branch of TAEF2: \f$ x + W_2 \star \mathrm{relu}(\mathrm{GN}(W_1 \star x)) \f$
/// with 1x1 kernels, without biases, GroupNorm over 4 groups with eps 1e-5. Empty weights: the
/// block has none.
struct TaePool {
  Tensor4 widen;    ///< W1, `[4C, C, 1, 1]`.
  RowVector gamma;  ///< `[4C]`, the scale of GroupNorm.
  RowVector beta;   ///< `[4C]`, its offset.
  Tensor4 narrow;   ///< W2, `[C, 4C, 1, 1]`.
};

/// A residual block of a TAESD-family autoencoder.
struct TaeBlock {
  TaePool pool;      ///< Comes first, where there is one.
  ConvLayer first;   ///< 3x3, followed by a ReLU.
  ConvLayer second;  ///< 3x3, followed by a ReLU.
  ConvLayer third;   ///< 3x3; then the block's input is added, then comes the last ReLU.
};

/// \f$ \mathrm{relu}(x' + f_3(\mathrm{relu}(f_2(\mathrm{relu}(f_1(x')))))) \f$, where x' is x, or
/// what the pool made of it.
///
/// Built from `conv2d_forward` of lab 01; `group_norm` and `relu` are given in common/layers.hpp.
///
/// State, axis, trade-off: a feature map becomes one of the same shape, position by position from
/// its 7x7 neighbourhood (through GroupNorm: from all positions); the skip lets a block that has
/// learned nothing pass its input on.
///
/// @param x      Shape `[N, C, H, W]`.
/// @param block  Weights for C channels in and out.
/// @return       Shape `[N, C, H, W]`, nothing below 0.
/// @throws std::invalid_argument  if weights do not fit, as `conv2d_forward` does.
/// @see Bohan 2023, TAESD, https://github.com/madebyollin/taesd.
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block);

/// What a layer of a `TaeLayer` list does.
enum class LayerKind : std::int32_t {
  kConv,      ///< `conv2d_forward`, padding k / 2.
  kRelu,      ///< max(x, 0).
  kClamp,     ///< 3 tanh(x / 3): what TAESD decoders start with.
  kBlock,     ///< `tae_block`.
  kUpsample,  ///< `upsample_nearest`: every value four times.
};

/// One layer of an encoder or decoder.
struct TaeLayer {
  LayerKind kind = LayerKind::kRelu;  ///< Which of the five.
  ConvLayer conv;                     ///< Where kind is kConv.
  TaeBlock block;                     ///< Where kind is kBlock.
};

/// Applies one layer.
/// @param x      Shape `[N, C, H, W]`.
/// @param layer  Which.
/// @return       What it puts out.
/// @throws std::invalid_argument  if weights do not fit, or kind is none of the five.
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer);

// ---- 8.8 -----------------------------------------------------------------------------------

/// One stage of a trace.
struct TraceRecord {
  Shape shape;                  ///< Of what the stage put out.
  std::int64_t bytes = 0;       ///< Of it, in fp32.
  TensorStats stats;            ///< Of it.
  std::int64_t macs = 0;        ///< Of the stage's convolutions.
  std::int64_t params = 0;      ///< Weights, biases (zeros, too), GroupNorm's two vectors.
  std::int64_t live_bytes = 0;  ///< Most bytes alive while the stage ran.
  std::int64_t peak_bytes = 0;  ///< Most bytes alive up to here.
};

/// A whole round trip.
struct AutoencoderTrace {
  Tensor4 latent;                    ///< What the encoder put out, before scaling.
  Tensor4 image;                     ///< What the decoder put out, not clamped.
  std::vector<TraceRecord> records;  ///< One per stage.
};

/// Encodes, scales, takes the scale off again, decodes, and writes down one record per stage:
/// the image, each layer of the encoder, the scaled latent, the latent with the scale taken off,
/// each layer of the decoder. With E and D layers that is 1 + E + 2 + D records.
///
/// Memory is counted as `peak_activation_bytes` does for the steps that a layer consists of: one
/// for a convolution, a ReLU, a clamp, an upsampling or a scaling; for a block its three
/// convolutions, three ReLUs and the addition; for a pool in front of it four more (1x1, GroupNorm,
/// ReLU, 1x1) and another addition. `latent` and `image` are kept by the caller and do not count
/// beyond their last use, nor does the image that came in once the encoder's first layer has run.
/// The first record has live_bytes = peak_bytes = bytes. Multiply-accumulates of upsampling,
/// scaling and norms are 0.
///
/// State, axis, trade-off: an image becomes a latent and an image again, with one line of numbers
/// for each tensor in between; where memory peaks is at the last full-resolution feature maps, not
/// at the latent.
///
/// @param image    Shape `[N, C, H, W]`.
/// @param encoder  Its layers, in order, at least one.
/// @param decoder  Its layers, in order, at least one.
/// @param scale    Applied to the latent and taken off again.
/// @return         Latent, image, records.
/// @throws std::invalid_argument  if a list is empty, scale is refused by `scale_latents`, or a
///                                layer by `run_layer`.
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale);

// ---- 8.9 (stretch) -------------------------------------------------------------------------

/// How a latent is cut for decoding.
struct Tiling {
  std::int64_t tile = 32;    ///< Side of a tile in latent positions, at least 1.
  std::int64_t overlap = 8;  ///< Positions that neighbours share, from 0 to tile - 1.
};

/// The first position of each tile along an axis of the latent: 0, tile - overlap, 2 (tile -
/// overlap), ...; the last one is moved back so that it ends with the axis. An axis no longer than
/// the tile has one tile.
/// @param size    Positions along the axis, at least 1.
/// @param tiling  Sizes of the tiles.
/// @return        Where each tile begins, ascending, without repetition.
/// @throws std::invalid_argument  if size or tile is below 1 or overlap is not from 0 to tile - 1.
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling);

/// Decodes tile by tile and blends: each tile's output pixel p along an axis weighs
/// min(p + 1, L - p, R) where L is the tile's side and R = overlap * factor in pixels (at least 1),
/// rows and columns multiply, and every output pixel is divided by the sum of its weights.
///
/// With layers that look no further than their own position, the result is that of decoding at
/// once. With wider ones seams shrink as the overlap grows; with GroupNorm they never go away.
///
/// State, axis, trade-off: one large decode becomes several small ones along H and W: memory of a
/// tile instead of an image, for the price of computing overlaps twice.
///
/// @param latent   Shape `[N, C, H, W]`, H and W at least 1.
/// @param decoder  Its layers; each kUpsample doubles H and W, so factor is 2 to their number.
///                 Strides are 1.
/// @param tiling   Sizes of the tiles.
/// @return         Shape of what decoding at once puts out.
/// @throws std::invalid_argument  as `tile_starts` and `run_layer` do.
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling);

}  // namespace latent

/// @file
/// Lab 10, tokenizers: residual and lookup-free quantization, causal convolution over time, a
/// budget for a design, and the losses of a real image autoencoder. This header is the contract:
/// read it, do not edit it. What you write goes into the numbered .cpp files beside it.
///
/// Letters: N rows to quantize, D numbers in a row, Q stages of a residual quantizer, K_q codes in
/// stage q; d bits of a lookup-free code; T frames, one per row, C channels; k taps of a kernel, s
/// its stride; f the factor by which an image becomes smaller per side. Stages, codes, taps and
/// frames count from 0. A learning rate, a batch or a network occurs nowhere: every function is
/// arithmetic on its arguments.
#pragma once

#include <cstdint>
#include <vector>

#include "common/types.hpp"
#include "vq_straight_through.hpp"

namespace latent {

// ---- 10.0 ----------------------------------------------------------------------------------

/// One stage of a residual quantizer.
struct RvqStage {
  Matrix codebook;  ///< One code per row, shape `[K_q, D]`; stages may differ in K_q.
};

/// Which code each row was given in each stage, shape `[N, Q]`.
using RvqIndices = Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What a residual quantizer puts out.
struct RvqOutput {
  RvqIndices indices;     ///< Shape `[N, Q]`.
  Matrix quantized;       ///< The sum of the chosen codes of all stages, shape `[N, D]`.
  Matrix residual_norms;  ///< Length of what is left of each row after each stage, `[N, Q]`.
};

/// Quantizes, then quantizes what is left, and so on: with \f$ r_0 = x \f$, stage q chooses the
/// code nearest to \f$ r_q \f$ (`nearest_code`'s choice, ties included) and leaves \f$ r_{q+1} =
/// r_q - e_q \f$. For x = (0.8, 0.45) and codebooks {±(1, 0)}, {±(0, 0.5)}, {±(0.1, 0.1)} the
/// indices are 0, 0, 1 and the sum is (0.9, 0.4).
///
/// State, axis, trade-off: a vector becomes Q small numbers, row by row; Q tables of K codes name
/// K^Q points, and nothing promises that the point they find is the nearest one.
///
/// @param x       Rows, shape `[N, D]`, finite; N may be 0.
/// @param stages  Q codebooks of D columns, Q at least 1, each with at least one code.
/// @return        Indices, sum and lengths.
/// @throws std::invalid_argument  if there is no stage, or as `nearest_code` does for any stage.
/// @see Zeghidour, Luebs, Omran, Skoglund and Tagliasacchi 2021, "SoundStream: an end-to-end neural
///      audio codec", arXiv:2107.03312, algorithm 1.
RvqOutput residual_quantize(const Matrix& x, const std::vector<RvqStage>& stages);

// ---- 10.1 ----------------------------------------------------------------------------------

/// The sum of the codes of the first `used` stages: \f$ \sum_{q < \text{used}} e_{q,\,i(n,q)} \f$.
/// An index of -1 says that the stage was dropped for this row, and contributes nothing.
///
/// State, axis, trade-off: integers become vectors, stages are summed away; a shorter prefix costs
/// fewer bits and is coarser, without another model.
///
/// @param indices  Shape `[N, Q]`; N may be 0. Columns from `used` on are not looked at.
/// @param stages   Q codebooks of D columns, Q at least 1.
/// @param used     How many stages, from 1 to Q.
/// @return         Shape `[N, D]`.
/// @throws std::invalid_argument  if there is no stage, codebooks differ in columns, indices has
/// not
///                                one column per stage, used is not from 1 to Q, or an index that
///                                is used is not from -1 to K_q - 1.
Matrix rvq_decode(const RvqIndices& indices, const std::vector<RvqStage>& stages,
                  std::int64_t used);

// ---- 10.2 ----------------------------------------------------------------------------------

/// What one stage sends back.
struct RvqStageGradients {
  Matrix x;         ///< Of its commitment term, with respect to x, shape `[N, D]`.
  Matrix codebook;  ///< Of its codebook term, with respect to its codes, shape `[K_q, D]`.
};

/// Everything a residual quantizer sends back.
struct RvqGradients {
  Matrix straight_through;                ///< Of the loss behind it, with respect to x, `[N, D]`.
  std::vector<RvqStageGradients> stages;  ///< Of the terms of each stage, Q of them.
  Matrix x;                               ///< The sum of all that x receives, `[N, D]`.
};

/// The gradients of \f$ L(\hat x) + \sum_q \big[ \text{mean}(\text{sg}[r_q] - e_q)^2
/// + \beta\,\text{mean}(r_q - \text{sg}[e_q])^2 \big] \f$, where
/// \f$ r_{q+1} = r_q - \text{sg}[e_q] \f$.
///
/// Straight through, x receives \f$ d\hat x \f$ once, however many stages there are. The codes are
/// detached where they are subtracted, so \f$ \partial r_q / \partial x = 1 \f$ for every q: stage
/// q's commitment term gives x \f$ \frac{2\beta}{ND}(r_q - e_q) \f$, and its codebook term gives
/// code k of this stage alone \f$ \frac{2}{ND}\sum_{n:\,i(n,q)=k}(e_k - r_{q,n}) \f$.
///
/// Reduction: the mean over all N·D elements within a stage, the sum over stages.
///
/// State, axis, trade-off: one gradient becomes 1 + 2Q, kept apart; each stage answers for what it
/// was given to quantize, and no stage for what later ones make of the rest.
///
/// @param d_quantized  Gradient of L with respect to the sum of codes, shape `[N, D]`.
/// @param x            Rows, same shape, not empty.
/// @param stages       As in the forward pass, Q at least 1.
/// @param indices      The codes that were chosen, shape `[N, Q]`; used as they are, nearest or
/// not.
/// @param beta         Weight of the commitment terms, at least 0.
/// @return             All of them.
/// @throws std::invalid_argument  if d_quantized and x differ in shape, x is empty, there is no
///                                stage, a codebook and x differ in columns, indices is not
///                                `[N, Q]`, an index is not from 0 to K_q - 1, or beta is negative.
RvqGradients rvq_backward(const Matrix& d_quantized, const Matrix& x,
                          const std::vector<RvqStage>& stages, const RvqIndices& indices,
                          double beta);

// ---- 10.3 ----------------------------------------------------------------------------------

/// What the indices cost: \f$ \text{stages} \cdot \log_2 K \cdot \text{sample\_rate} /
/// \text{hop} / 1000 \f$ kilobits per second, a kilobit being 1000 bits.
///
/// State, axis, trade-off: four sizes become a rate; the time axis counts in frames of `hop`
/// samples, not in samples.
///
/// @param sample_rate  Samples per second, at least 1.
/// @param hop          Samples per frame, at least 1; the frame rate need not be whole.
/// @param codes        K, codes per stage, at least 1; \f$ \log_2 K \f$ is not rounded.
/// @param stages       Stages used, at least 1.
/// @return             In kbit/s: 24,000, 320, 1024 and 8 give 6.
/// @throws std::invalid_argument  if an argument is below 1.
double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages);

/// How many stages fit: the largest whole number whose `rvq_bitrate` does not exceed the bandwidth,
/// but at least 1, since a decoder needs something to decode.
/// @param bandwidth    In kbit/s, finite and above 0.
/// @param sample_rate  As in `rvq_bitrate`.
/// @param hop          As in `rvq_bitrate`.
/// @param codes        K, at least 2.
/// @return             For 6, 24,000, 320 and 1024: 8.
/// @throws std::invalid_argument  if sample_rate or hop is below 1, codes below 2, or bandwidth not
///                                above 0 and finite.
std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes);

// ---- 10.4 ----------------------------------------------------------------------------------

/// Lookup-free quantization: \f$ q = \text{scale} \f$ where \f$ z > 0 \f$, else
/// \f$ -\text{scale} \f$. A latent of 0 becomes \f$ -\text{scale} \f$: there are two codes and no
/// third.
///
/// State, axis, trade-off: each element on its own becomes one bit; no table and no search, for
/// codes that sit in the corners of a cube and nowhere else.
///
/// @param z      Latents, shape `[N, d]`, finite.
/// @param scale  Above 0.
/// @return       Codes, same shape.
/// @throws std::invalid_argument  if scale is not above 0 or z holds an element that is not finite.
/// @see Yu et al. 2023, "Language model beats diffusion: tokenizer is key to visual generation",
///      arXiv:2310.05737.
Matrix lfq_quantize(const Matrix& z, double scale);

/// Straight through: \f$ dz = dq \f$, whatever z and the scale.
/// @param d_codes  Gradient with respect to the codes, shape `[N, d]`.
/// @param z        As in the forward pass, same shape.
/// @return         Gradient with respect to z, same shape.
/// @throws std::invalid_argument  if d_codes and z differ in shape.
Matrix lfq_quantize_backward(const Matrix& d_codes, const Matrix& z);

/// The token of each row of codes: bit i is 1 where code i is above 0, and counts
/// \f$ 2^i \f$: dimension 0 is the *least* significant bit. The codes (+, -, -, +, +), bits
/// 1 0 0 1 1 in the order of their dimensions, are 1 + 8 + 16 = 25.
/// @param codes  Shape `[N, d]`, d from 1 to 62.
/// @return       Indices from 0 to \f$ 2^d - 1 \f$, shape `[N]`.
/// @throws std::invalid_argument  if d is not from 1 to 62.
std::vector<std::int64_t> bits_to_index(const Matrix& codes);

/// The inverse of `bits_to_index`: the codes ±scale of each token.
/// @param indices     Shape `[N]`, each from 0 to \f$ 2^d - 1 \f$.
/// @param dimensions  d, from 1 to 62.
/// @param scale       Above 0.
/// @return            Codes, shape `[N, d]`.
/// @throws std::invalid_argument  if d is not from 1 to 62, scale not above 0, or an index out of
///                                range.
Matrix index_to_bits(const std::vector<std::int64_t>& indices, std::int64_t dimensions,
                     double scale);

// ---- 10.5 ----------------------------------------------------------------------------------

/// The two entropies of lookup-free quantization, in nats.
struct EntropyTerms {
  double per_sample = 0.0;  ///< Mean over rows of H(p_n): small where each row is sure of its code.
  double codebook = 0.0;    ///< H(mean over rows of p_n): large where all codes are used.
  double loss = 0.0;        ///< per_sample - gamma codebook, to be minimised; may be negative.
};

/// With the \f$ 2^d \f$ codes \f$ c_j \in \{-1, 1\}^d \f$ and
/// \f$ p_{nj} = \text{softmax}_j(2 \tau\, z_n \cdot c_j) \f$:
/// \f$ \frac1N\sum_n H(p_n) \f$ and \f$ H\big(\frac1N\sum_n p_n\big) \f$, where
/// \f$ H(p) = -\sum_j p_j \ln p_j \f$ and \f$ 0 \ln 0 = 0 \f$.
///
/// A row's \f$ p_n \f$ is a product over bits, bit i being 1 with probability
/// \f$ \sigma(4 \tau z_{ni}) \f$; a mean of products is not a product.
///
/// State, axis, trade-off: a batch becomes two numbers, codes and rows summed away; the joint
/// distribution has \f$ 2^d \f$ entries, which is why large codebooks estimate it in groups.
///
/// @param z      Latents, shape `[N, d]`, N at least 1, d from 1 to 16.
/// @param tau    Inverse temperature, above 0: a larger one makes every row surer.
/// @param gamma  Weight of the codebook's entropy, at least 0.
/// @return       Both entropies and the loss, in double.
/// @throws std::invalid_argument  if z has no row, d is not from 1 to 16, tau is not above 0 or
/// gamma
///                                is negative.
EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma);

/// The gradient of `entropy_terms`' loss with respect to z. Of the first term it is
/// \f$ -\frac{16 \tau^2}{N} z\, q (1 - q) \f$ with \f$ q = \sigma(4 \tau z) \f$; of the second,
/// \f$ \partial H(\bar p) / \partial z_{ni} =
/// -\frac{2\tau}{N}\sum_j p_{nj}\,(c_{ji} - m_{ni}) \ln \bar p_j \f$ with
/// \f$ m = 2 q - 1 \f$, the mean of the bit.
/// @param z      As in `entropy_terms`.
/// @param tau    As in `entropy_terms`.
/// @param gamma  As in `entropy_terms`.
/// @return       Shape `[N, d]`.
/// @throws std::invalid_argument  as `entropy_terms` does.
Matrix entropy_backward(const Matrix& z, double tau, double gamma);

// ---- 10.6 ----------------------------------------------------------------------------------

/// How many latent frames a causal tokenizer makes: \f$ 1 + (T - 1) / r \f$. The first frame stands
/// alone, each further latent frame for r of the rest; T has to be 1 + r m.
/// @param frames  T, at least 1.
/// @param factor  r, temporal compression, at least 1.
/// @return        33 frames and a factor of 4 give 9.
/// @throws std::invalid_argument  if frames or factor is below 1, or T - 1 is no multiple of r.
std::int64_t latent_frames(std::int64_t frames, std::int64_t factor);

/// The length to pad a clip to before `latent_frames` accepts it: the smallest 1 + r m that is at
/// least T.
/// @param frames  T, at least 1.
/// @param factor  r, at least 1.
/// @return        32 frames and a factor of 4 give 33.
/// @throws std::invalid_argument  if frames or factor is below 1.
std::int64_t padded_frames(std::int64_t frames, std::int64_t factor);

/// Puts `count` copies of frame 0 in front: what a causal convolution sees before the beginning.
/// @param x      Frames, shape `[T, C]`, T at least 1.
/// @param count  At least 0.
/// @return       Shape `[T + count, C]`.
/// @throws std::invalid_argument  if x has no frame or count is negative.
Matrix causal_pad(const Matrix& x, std::int64_t count);

/// A convolution over time that never looks ahead: with \f$ \tilde x \f$ = x, padded in front by
/// k - 1 copies of frame 0,
/// \f$ y_{t,o} = b_o + \sum_{j<k}\sum_i W_{oij}\,\tilde x_{st+j,\,i} \f$. Output t depends on the
/// frames up to s t, *including* s t, to which the last tap belongs.
///
/// State, axis, trade-off: frames become frames, each from itself and its past; a clip can be coded
/// while it is being recorded and an image is a clip of one frame, at the price of all that the
/// future would tell.
///
/// @param x       Frames, shape `[T, Ci]`, T at least 1.
/// @param weight  Shape `[Co, Ci, k, 1]`, k at least 1: tap j of output channel o and input channel
///                i is `weight(o, i, j, 0)`.
/// @param bias    Shape `[Co]`.
/// @param stride  s, at least 1.
/// @return        Shape `[(T - 1) / s + 1, Co]`, the quotient rounded down.
/// @throws std::invalid_argument  if x has no frame, stride is below 1, the weight has no tap, its
///                                last size is not 1, or its Ci or Co does not fit x or bias.
Matrix causal_conv_time(const Matrix& x, const Tensor4& weight, const RowVector& bias,
                        std::int64_t stride);

/// Gradients of `causal_conv_time`.
struct CausalConvGradients {
  Matrix x;        ///< Shape `[T, Ci]`.
  Tensor4 weight;  ///< Shape `[Co, Ci, k, 1]`.
  RowVector bias;  ///< Shape `[Co]`.
};

/// The backward pass. Frame 0 also receives what its k - 1 copies receive.
/// @param dy      Gradient with respect to y, shape `[(T - 1) / s + 1, Co]`.
/// @param x       As in the forward pass.
/// @param weight  As in the forward pass.
/// @param stride  As in the forward pass.
/// @return        Gradients with respect to x, weight and bias.
/// @throws std::invalid_argument  as `causal_conv_time` does, and if dy has not y's shape.
CausalConvGradients causal_conv_time_backward(const Matrix& dy, const Matrix& x,
                                              const Tensor4& weight, std::int64_t stride);

// ---- 10.7 ----------------------------------------------------------------------------------

/// What the latent consists of.
enum class LatentKind {
  kContinuous,  ///< A KL-regularised latent; its encoder puts out mean and log-variance.
  kDiscrete,    ///< A VQ latent; its encoder puts out the vectors to look up.
};

/// An image tokenizer of the latent-diffusion family, on paper.
struct TokenizerDesign {
  std::int64_t height = 256;              ///< Of the image, a multiple of f.
  std::int64_t width = 256;               ///< Of the image, a multiple of f.
  std::int64_t base = 128;                ///< Channels at full resolution, times multipliers[0].
  std::vector<std::int64_t> multipliers;  ///< {1, 2, 4, 4}: one per level, so f = 2^(levels - 1).
  std::int64_t channels = 4;              ///< z, of the latent.
  LatentKind kind = LatentKind::kContinuous;  ///< What the latent consists of.
  std::int64_t codes = 0;                     ///< K, if discrete; not looked at otherwise.
  std::int64_t bytes_per_number = 4;  ///< Of a weight, an activation and a stored latent value.
};

/// What the parts of a tokenizer weigh, in numbers that are trained.
struct ParameterCount {
  std::int64_t encoder = 0;   ///< Image to latent.
  std::int64_t decoder = 0;   ///< Latent to image.
  std::int64_t codebook = 0;  ///< K z, or 0 if continuous.
};

/// Counts the parameters of the autoencoder of latent diffusion, in closed form.
///
/// With \f$ c_i \f$ = base · multipliers[i], n levels, and the pieces
/// - 3 x 3 convolution \f$ C(a, b) = 9ab + b \f$, 1 x 1 convolution \f$ P(a, b) = ab + b \f$,
/// - residual block \f$ R(a, b) = 2a + C(a, b) + 2b + C(b, b) \f$, the 2a and 2b being two group
///   normalisations, plus \f$ P(a, b) \f$ for the shortcut where \f$ a \ne b \f$,
/// - attention \f$ A(c) = 2c + 4 P(c, c) \f$,
///
/// the encoder is C(3, c_0); for each level i two residual blocks, from c_{i-1} (c_0 for level 0)
/// to c_i and from c_i to c_i, and C(c_i, c_i) to halve the size, except after the last level; then
/// R, A, R at c_{n-1}; then 2 c_{n-1} + C(c_{n-1}, 2z), or z in place of 2z if discrete.
///
/// The decoder is C(z, c_{n-1}); R, A, R at c_{n-1}; for each level i from the last to the first
/// *three* residual blocks, the first from c_{i+1} (c_{n-1} for the last level) to c_i, and
/// C(c_i, c_i) behind doubling the size, except after level 0; then 2 c_0 + C(c_0, 3).
///
/// The 1 x 1 convolutions that some models have around the latent (72 and 20 numbers for z = 4)
/// belong to neither.
///
/// @param design  base, channels and each multiplier at least 1, at least one level, K at least 1
/// if
///                discrete.
/// @return        base 128, multipliers {1, 2, 4, 4}, z = 4: 34,163,592 and 49,490,179.
/// @throws std::invalid_argument  if one of these demands is not met.
/// @see Rombach, Blattmann, Lorenz, Esser and Ommer 2021, "High-resolution image synthesis with
///      latent diffusion models", arXiv:2112.10752.
ParameterCount autoencoder_parameters(const TokenizerDesign& design);

/// The memory for activations that the decoder needs at its worst moment, under one rule: a
/// residual block from a to b channels holds three tensors of max(a, b) channels (its own input,
/// and input and output of the layer at work), attention over P positions of c channels holds its
/// input, its normalised input, q, k, v and two tables of scores, \f$ 5cP + 2P^2 \f$. Nothing else
/// counts.
///
/// The blocks are those of `autoencoder_parameters`; level i works at height / 2^i x width / 2^i,
/// R, A, R at the size of the last level.
///
/// @param design  As in `autoencoder_parameters`; height and width at least 1 and multiples of f;
///                bytes_per_number at least 1.
/// @return        In bytes: 201,326,592 for the design above at 256 x 256 with 4 bytes a number.
/// @throws std::invalid_argument  if one of these demands is not met.
std::int64_t decoder_peak_bytes(const TokenizerDesign& design);

/// What is asked of a tokenizer.
struct TokenizerTargets {
  std::int64_t parameters = 0;  ///< At most so many, all three parts together.
  std::int64_t bytes = 0;       ///< At most so many for all parameters and the decoder's peak.
  double psnr = 0.0;            ///< At least so many dB.
};

/// Whether a target is met.
enum class TargetVerdict {
  kMet,      ///< It is.
  kMissed,   ///< It is not.
  kUnknown,  ///< No arithmetic on a design answers this; train it and measure.
};

/// The verdict on each target.
struct TokenizerVerdicts {
  TargetVerdict parameters = TargetVerdict::kUnknown;  ///< On the number of parameters.
  TargetVerdict bytes = TargetVerdict::kUnknown;       ///< On the memory.
  TargetVerdict psnr = TargetVerdict::kUnknown;        ///< kUnknown, always.
  double published_psnr = 0.0;  ///< Best published one of this kind and factor, 0 if none.
};

/// What a design costs.
struct TokenizerReport {
  std::int64_t positions = 0;      ///< height / f · width / f: tokens, if discrete.
  std::int64_t latent_values = 0;  ///< positions · channels.
  double bits = 0.0;  ///< positions · log2 K if discrete, else 8 bytes_per_number per value.
  ParameterCount parameters;            ///< `autoencoder_parameters`.
  std::int64_t decoder_peak_bytes = 0;  ///< `decoder_peak_bytes`.
  double conv_cost = 0.0;       ///< Of a convolution on the latent against one on pixels: 1 / f^2.
  double attention_cost = 0.0;  ///< Of attention's scores likewise: 1 / f^4.
  TokenizerVerdicts verdicts;   ///< Which targets are met.
};

/// A measured reconstruction, ImageNet validation images at 256 x 256.
struct PublishedTokenizer {
  LatentKind kind = LatentKind::kContinuous;  ///< KL or VQ.
  std::int64_t factor = 0;                    ///< f.
  std::int64_t channels = 0;                  ///< z, 0 where the table gives none.
  std::int64_t codes = 0;                     ///< K, 0 if continuous.
  double psnr = 0.0;                          ///< In dB.
};

/// Given: what the latent-diffusion repository reports of its own first stages.
/// @return Eight models. Throws nothing.
/// @see CompVis/latent-diffusion, README.md, table of pretrained autoencoding models.
inline std::vector<PublishedTokenizer> published_tokenizers() {
  return {
      {LatentKind::kContinuous, 4, 3, 0, 27.53},   {LatentKind::kContinuous, 8, 4, 0, 24.19},
      {LatentKind::kContinuous, 16, 16, 0, 24.08}, {LatentKind::kContinuous, 32, 64, 0, 22.27},
      {LatentKind::kDiscrete, 4, 3, 8192, 27.43},  {LatentKind::kDiscrete, 8, 4, 16384, 23.07},
      {LatentKind::kDiscrete, 8, 4, 256, 22.35},   {LatentKind::kDiscrete, 16, 8, 16384, 20.83}};
}

/// Sizes, costs and verdicts of a design, without training it.
///
/// The diffusion model's channels enter only at its first and last convolution, so neither cost
/// depends on z. The verdict on the PSNR is kUnknown whatever the target; what was published for
/// the same kind and factor stands beside it.
///
/// State, axis, trade-off: eight choices become a bill; a larger f makes the bill of the model
/// behind it smaller and the reconstruction worse, and only the first can be computed.
///
/// @param design   As in `decoder_peak_bytes`.
/// @param targets  Any.
/// @return         The report.
/// @throws std::invalid_argument  as `autoencoder_parameters` and `decoder_peak_bytes` do.
TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets);

// ---- 10.8 (stretch) ------------------------------------------------------------------------

/// The discriminator's loss with its gradients.
struct HingeLoss {
  double value = 0.0;  ///< L_D.
  Matrix d_real;       ///< With respect to the logits of real patches.
  Matrix d_fake;       ///< With respect to the logits of reconstructed patches.
};

/// \f$ \tfrac12\big[\text{mean}\max(0, 1 - r) + \text{mean}\max(0, 1 + f)\big] \f$. At a kink, r =
/// 1 or f = -1, the gradient is 0.
///
/// Reduction: each mean is over all elements of its own matrix.
///
/// @param real  Logits of real images, one row per image, not empty.
/// @param fake  Logits of reconstructions, not empty; may differ from real in shape.
/// @return      r = (1.5, 0.2, -0.3), f = (-1.2, 0.4, -0.5): 0.666667.
/// @throws std::invalid_argument  if real or fake has no element.
HingeLoss hinge_d_loss(const Matrix& real, const Matrix& fake);

/// The generator's adversarial loss with its gradient.
struct GeneratorLoss {
  double value = 0.0;  ///< L_G.
  Matrix d_fake;       ///< With respect to the logits of reconstructed patches.
};

/// \f$ -\text{mean}(f) \f$, over all elements: no hinge here, so the pull never ends.
/// @param fake  Logits of reconstructions, any shape, not empty.
/// @return      For (-1.2, 0.4, -0.5): 0.433333.
/// @throws std::invalid_argument  if fake has no element.
GeneratorLoss g_loss(const Matrix& fake);

/// How strongly the adversarial term may pull, measured at the decoder's last layer:
/// \f$ w \cdot \min\big(\lVert g_\text{nll}\rVert / (\lVert g_\text{adv}\rVert + 10^{-4}),
/// 10^4\big) \f$, Euclidean norms.
/// @param d_nll           Gradient of the reconstruction loss with respect to that layer's weight.
/// @param d_adversarial   Gradient of the adversarial loss, same shape.
/// @param weight          w, at least 0; 0.5 in Stable Diffusion's first stage.
/// @return                A factor that is treated as a constant. Norms 3 and 0.5, w = 1: 5.998800.
/// @throws std::invalid_argument  if the two differ in shape or weight is negative.
double adaptive_weight(const Matrix& d_nll, const Matrix& d_adversarial, double weight);

/// Nothing before the discriminator starts: 0 where step < threshold, else weight.
/// @param weight     What is adopted.
/// @param step       The step of training.
/// @param threshold  The first step with a discriminator; 50,001 in latent diffusion.
/// @return           0 or weight. Throws nothing.
double adopt_weight(double weight, std::int64_t step, std::int64_t threshold);

/// The weights of the sum.
struct LdmWeights {
  double perceptual = 1.0;  ///< w_p, of the perceptual distance.
  double kl = 1e-6;         ///< w_kl, of the KL divergence.
  double log_var = 0.0;     ///< s, logarithm of the scale of the reconstruction error.
};

/// The adversarial term in three factors.
struct LdmAdversarial {
  double g_loss = 0.0;    ///< `g_loss`'s value.
  double adaptive = 0.0;  ///< `adaptive_weight`'s value.
  double factor = 0.0;    ///< `adopt_weight`'s value.
};

/// The terms as they stand in the sum.
struct LdmLoss {
  double reconstruction = 0.0;  ///< Absolute error and perceptual distance, summed over an image.
  double kl = 0.0;              ///< Weighted.
  double adversarial = 0.0;     ///< With all three factors.
  double total = 0.0;           ///< Their sum.
};

/// The loss that Stable Diffusion's first stage was trained with, with its real reductions:
/// reconstruction = \f$ \frac1N \sum_{nchw}\Big[ \frac{|x - \hat x|_{nchw} + w_p\,\ell_n}{e^s} + s
/// \Big] \f$, kl = \f$ w_\text{kl}\frac1N\sum_n \text{KL}_n \f$, adversarial = the product of its
/// three factors, total = their sum.
///
/// Reduction: a *sum* over C·H·W and a mean over the batch. The perceptual distance is one number
/// per image and is added at every element, so it counts C·H·W times.
///
/// State, axis, trade-off: a batch becomes four numbers; the weights in a configuration file say
/// nothing until the reductions are known.
///
/// @param x            Images, shape `[N, C, H, W]`, not empty.
/// @param x_hat        Reconstructions, same shape.
/// @param perceptual   The distances l, shape `[N]`.
/// @param kl           KL divergence of each image's latent, summed over the latent, shape `[N]`.
/// @param adversarial  As above.
/// @param weights      As above.
/// @return             256 x 256, |x - x_hat| = 0.05, l = 0.2, s = 0: reconstruction 49,152.
/// @throws std::invalid_argument  if x is empty, x and x_hat differ in shape, or perceptual or kl
/// has
///                                not N elements.
/// @see CompVis/latent-diffusion, ldm/modules/losses/contperceptual.py.
LdmLoss ldm_total_loss(const Tensor4& x, const Tensor4& x_hat, const DoubleVector& perceptual,
                       const DoubleVector& kl, const LdmAdversarial& adversarial,
                       const LdmWeights& weights);

// ---- 10.9 (stretch) ------------------------------------------------------------------------

/// A piece of a stream, and what the next piece needs of it.
struct StreamStep {
  Matrix y;      ///< One output per frame of the chunk, shape `[t, Co]`.
  Matrix cache;  ///< The last k - 1 *input* frames seen, shape `[k - 1, Ci]`.
};

/// `causal_conv_time` with stride 1, piece by piece: fed chunk after chunk, each with the cache
/// that the one before returned, it puts out what the whole clip would give.
///
/// State, axis, trade-off: frames become frames with k - 1 of them remembered; memory does not grow
/// with the clip, and the state has to be carried by the caller.
///
/// @param chunk   The next t frames, shape `[t, Ci]`, t at least 1; t may be smaller than k - 1.
/// @param cache   What the previous call returned, or no rows at the beginning of a clip, where
///                frame 0 is repeated as in `causal_conv_time`.
/// @param weight  Shape `[Co, Ci, k, 1]`.
/// @param bias    Shape `[Co]`.
/// @return        Outputs and the next cache.
/// @throws std::invalid_argument  as `causal_conv_time` does, and if cache has rows, but not k - 1
///                                of them, or not Ci columns.
StreamStep streaming_conv(const Matrix& chunk, const Matrix& cache, const Tensor4& weight,
                          const RowVector& bias);

}  // namespace latent

/// @file
/// Lab 10 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of tokenizers.hpp, whose contract the .device.cpp files keep.
#pragma once

#include "common/device.hpp"
#include "solutions/05_vq_straight_through/kernels.hpp"

namespace latent::device {

// ---- 10.0 ----------------------------------------------------------------------------------

/// 10.0, stage q of Q: \f$ r \leftarrow r - e \f$ and \f$ \hat x \leftarrow \hat x + e \f$ with the
/// code e nearest to r. In stage 0 \f$ \hat x \leftarrow e \f$, and what it was is not read.
/// @param codebook   `[k, d]`, of this stage; k at least 1.
/// @param residual   `[n, d]`, r; x in stage 0.
/// @param quantized  `[n, d]`, the sum of codes.
/// @param indices    `[n, stages]`; column `stage` is set.
/// @param norms      `[n, stages]`; column `stage` is set to the lengths of what is left.
/// @param stage,stages  q and Q.
/// @param n,k,d      Sizes.
void residual_quantize(const float* codebook, float* residual, float* quantized,
                       std::int64_t* indices, float* norms, Size stage, Size stages, Size n, Size k,
                       Size d);

// ---- 10.4 ----------------------------------------------------------------------------------

/// 10.4: scale where z > 0, else -scale.
/// @param z      `[count]`
/// @param codes  `[count]`, the result.
/// @param scale  Above 0.
/// @param count  Size, of any shape.
void lfq_quantize(const float* z, float* codes, float scale, Size count);

/// 10.4: bit i of a row's index is whether its code i is above 0.
/// @param codes    `[n, d]`, d from 1 to 62.
/// @param indices  `[n]`, the result.
/// @param n,d      Sizes.
void bits_to_index(const float* codes, std::int64_t* indices, Size n, Size d);

/// 10.4, the way back: code i is scale where bit i is 1, else -scale.
/// @param indices  `[n]`, not negative.
/// @param codes    `[n, d]`, the result; d from 1 to 62.
/// @param scale    Above 0.
/// @param n,d      Sizes.
void index_to_bits(const std::int64_t* indices, float* codes, float scale, Size n, Size d);

// ---- 10.5 ----------------------------------------------------------------------------------

/// What both directions of 10.5 need of a batch. With the bits of a code in two halves, the low
/// ones and the high ones, \f$ p_{nj} = \text{low}_{n,\,j_\text{low}}\,
/// \text{high}_{n,\,j_\text{high}} \f$, and the table of all p is never made.
struct CodeProbabilities {
  Buffer<double> bits;  ///< `[n, d, 2]`: probability that bit i is 0, and that it is 1.
  Buffer<double> low;   ///< `[n, 2^low_bits]`: of what the low bits are.
  Buffer<double> high;  ///< `[n, 2^(d - low_bits)]`: of what the high ones are.
  Buffer<double> mean;  ///< `[2^d]`: of every code, over the rows.
  Size low_bits;        ///< d / 2, rounded up.
  Size n;               ///< Rows.
  Size d;               ///< Bits.
};

/// 10.5: the probabilities of bits and codes.
/// @param z    `[n, d]`, n at least 1, d from 1 to 16.
/// @param tau  Above 0.
/// @param n,d  Sizes.
/// @return     All of them.
CodeProbabilities code_probabilities(const float* z, double tau, Size n, Size d);

/// 10.5: both entropies, in nats.
/// @param p           Of `code_probabilities`.
/// @param per_sample  The sum over rows of the entropy of p_n; divided by n it is the term.
/// @param codebook    The entropy of the mean.
void entropy_terms(const CodeProbabilities& p, double* per_sample, double* codebook);

/// 10.5: the gradient of per_sample / n - gamma codebook.
/// @param p      Of `code_probabilities`.
/// @param z      `[n, d]`
/// @param tau    Above 0.
/// @param gamma  At least 0.
/// @param dz     `[n, d]`, the result.
void entropy_backward(const CodeProbabilities& p, const float* z, double tau, double gamma,
                      float* dz);

// ---- 10.6 ----------------------------------------------------------------------------------

/// Sizes of a causal convolution over time.
struct CausalConv {
  Size frames;    ///< T, at least 1.
  Size channels;  ///< Ci.
  Size out;       ///< Co.
  Size taps;      ///< k, at least 1.
  Size stride;    ///< s, at least 1.

  /// Frames of the output.
  /// @return  (T - 1) / s + 1.
  __host__ __device__ Size steps() const { return (frames - 1) / stride + 1; }

  /// Numbers that an output is made of.
  /// @return  Ci k.
  __host__ __device__ Size depth() const { return channels * taps; }
};

/// 10.6: \f$ \text{columns}_{t,\,ik+j} = \tilde x_{st+j,\,i} \f$, all that output t is made of, in
/// the order of the weight.
/// @param x        `[frames, channels]`
/// @param columns  `[steps, depth]`, the result.
/// @param sizes    Of the convolution.
void unfold_time(const float* x, float* columns, const CausalConv& sizes);

/// 10.6: the convolution.
/// @param x       `[frames, channels]`
/// @param weight  `[out, channels, taps, 1]`
/// @param bias    `[out]`
/// @param y       `[steps, out]`, the result.
/// @param sizes   Of the convolution.
void causal_conv_time(const float* x, const float* weight, const float* bias, float* y,
                      const CausalConv& sizes);

/// 10.6: its backward pass.
/// @param dy        `[steps, out]`
/// @param x         `[frames, channels]`
/// @param weight    `[out, channels, taps, 1]`
/// @param d_x       `[frames, channels]`, a result.
/// @param d_weight  `[out, channels, taps, 1]`, a result.
/// @param d_bias    `[out]`, a result.
/// @param sizes     Of the convolution.
void causal_conv_time_backward(const float* dy, const float* x, const float* weight, float* d_x,
                               float* d_weight, float* d_bias, const CausalConv& sizes);

}  // namespace latent::device

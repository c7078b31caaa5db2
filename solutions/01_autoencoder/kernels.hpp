/// @file
/// Lab 01 on a GPU: what the .cu files beside this one offer. All pointers are the device's;
/// letters and layouts are those of autoencoder.hpp, whose contract the .device.cpp files keep.
#pragma once

#include "common/device.hpp"

namespace latent::device {

/// 1.2, \f$ Y = X W^\top + \mathbf 1 b \f$.
/// @param x       `[n, in]`
/// @param weight  `[out, in]`
/// @param bias    `[out]`
/// @param y       `[n, out]`, the result.
/// @param n,in,out  Sizes; any may be 0.
void linear_forward(const float* x, const float* weight, const float* bias, float* y, Size n,
                    Size in, Size out);

/// \f$ s_j = \sum_n x_{nj} \f$, accumulated in double, the same bits each time.
/// @param x     `[n, d]`
/// @param sums  `[d]`, the result; zeros where n is 0.
/// @param n,d   Sizes.
void column_sums(const float* x, float* sums, Size n, Size d);

/// 1.3, \f$ dX = dY\,W + \text{keep}\,dX,\; dW = dY^\top X,\; db = \mathbf 1^\top dY \f$.
/// @param dy       `[n, out]`
/// @param x        `[n, in]`
/// @param weight   `[out, in]`
/// @param dx       `[n, in]`, a result; null if nobody asks for it.
/// @param dweight  `[out, in]`, a result.
/// @param dbias    `[out]`, a result.
/// @param n,in,out  Sizes; any may be 0.
/// @param keep     Factor of what dX was, for what has two layers behind it; not read if 0.
void linear_backward(const float* dy, const float* x, const float* weight, float* dx,
                     float* dweight, float* dbias, Size n, Size in, Size out, float keep = 0.0F);

/// 1.4, \f$ y = \tanh x \f$.
/// @param x  `[n]`
/// @param y  `[n]`, the result; may be x.
/// @param n  How many elements.
void tanh_forward(const float* x, float* y, Size n);

/// 1.4, \f$ dx = dy\,(1 - y^2) \f$.
/// @param dy  `[n]`
/// @param y   `[n]`, what `tanh_forward` made.
/// @param dx  `[n]`, the result; may be dy.
/// @param n   How many elements.
void tanh_backward(const float* dy, const float* y, float* dx, Size n);

/// 1.2 and 1.4 in one, \f$ Y = \tanh(X W^\top + \mathbf 1 b) \f$; shapes as in `linear_forward`.
void linear_tanh(const float* x, const float* weight, const float* bias, float* y, Size n, Size in,
                 Size out);

/// The settings of Adam: AdamOptions of the contract, which has no place among kernels.
struct Adam {
  double learning_rate, beta1, beta2, epsilon;
};

/// 1.6, one step of Adam, in place; parameters of any number of layers that lie in one array.
/// @param parameter      `[n]`, moved.
/// @param first_moment   `[n]`, updated.
/// @param second_moment  `[n]`, updated.
/// @param gradient       `[n]`
/// @param n              How many elements.
/// @param step           t, counted from 1.
/// @param adam           See Adam.
void adam_step(float* parameter, float* first_moment, float* second_moment, const float* gradient,
               Size n, std::int64_t step, const Adam& adam);

/// Sizes of a convolution: of x `[n, ci, h, w]`, of the weight `[co, ci, k, k]`, of y
/// `[n, co, out_h, out_w]`, and how they lie on one another.
struct Convolution {
  Size n, ci, h, w;
  Size co, k;
  Size out_h, out_w;
  Size stride, left, top;  ///< As in Conv2dOptions; right and bottom are in out_w and out_h.
};

/// 1.9, \f$ y_{noij} = b_o + \sum_{cuv} w_{ocuv}\, x_{n,c,\,si+u-\text{top},\,sj+v-\text{left}}
/// \f$.
/// @param x       `[n, ci, h, w]`
/// @param weight  `[co, ci, k, k]`
/// @param bias    `[co]`
/// @param y       `[n, co, out_h, out_w]`, the result.
/// @param sizes   All of them; n, ci and co may be 0.
void conv2d_forward(const float* x, const float* weight, const float* bias, float* y,
                    const Convolution& sizes);

}  // namespace latent::device

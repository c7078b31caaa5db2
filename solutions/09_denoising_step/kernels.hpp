/// @file
/// Lab 09 on a GPU: what the .cu files beside this one offer. All pointers are the device's unless
/// it says otherwise; letters and layouts are those of denoising_step.hpp, whose contract the
/// .device.cpp files keep.
#pragma once

#include "common/device.hpp"

namespace latent::device {

// ---- 9.1 -----------------------------------------------------------------------------------

/// How far the pair (x_0, eps) of a row is turned.
struct Turn {
  float signal;  ///< \f$ \sqrt{a_t} \f$
  float noise;   ///< \f$ \sqrt{1 - a_t} \f$
};

/// The turn of every row.
/// @param t       `[n]`, each from 0 to T - 1.
/// @param alphas  a, `[T]`.
/// @param turns   `[n]`, the result.
/// @param n       Rows.
void turns_of(const std::int64_t* t, const double* alphas, Turn* turns, Size n);

/// 9.1: \f$ x_t = \sqrt{a_t}\,x_0 + \sqrt{1 - a_t}\,\varepsilon \f$.
/// @param x0     `[n, d]`, read once.
/// @param eps    `[n, d]`, read once.
/// @param turns  `[n]`
/// @param x_t    `[n, d]`, the result.
/// @param n,d    Sizes.
void add_noise(const float* x0, const float* eps, const Turn* turns, float* x_t, Size n, Size d);

/// 9.1: \f$ v = \sqrt{a_t}\,\varepsilon - \sqrt{1 - a_t}\,x_0 \f$; as `add_noise`.
/// @param x0     `[n, d]`, read once.
/// @param eps    `[n, d]`, read once.
/// @param turns  `[n]`
/// @param v      `[n, d]`, the result.
/// @param n,d    Sizes.
void velocity(const float* x0, const float* eps, const Turn* turns, float* v, Size n, Size d);

// ---- 9.2 -----------------------------------------------------------------------------------

/// What every prediction is: x_0 and eps as sums of x_t and the model's output o.
struct Conversion {
  double x0_of_x;        ///< \f$ x_0 = \texttt{x0\_of\_x}\,x_t + \texttt{x0\_of\_output}\,o \f$
  double x0_of_output;   ///< See there.
  double eps_of_x;       ///< \f$ \varepsilon = \texttt{eps\_of\_x}\,x_t +
                         ///< \texttt{eps\_of\_output}\,o \f$
  double eps_of_output;  ///< See there.
};

/// 9.2: both sums.
/// @param conversion  Which; a number of the host.
/// @param x_t         `[count]`, read once.
/// @param output      `[count]`, read once.
/// @param x0,eps      `[count]` each, the results.
/// @param count       Elements.
void convert_prediction(const Conversion& conversion, const float* x_t, const float* output,
                        float* x0, float* eps, Size count);

// ---- 9.4, 9.5, 9.8 -------------------------------------------------------------------------

/// What every step of every sampler is: \f$ x_0 \f$, a sum of x_t and o that is kept within
/// +-limit, and \f$ x' = \texttt{of\_x0}\,x_0 + \texttt{of\_x}\,x_t + \texttt{of\_output}\,o +
/// \texttt{of\_noise}\,n \f$.
struct Step {
  float x0_of_x = 0.0F;       ///< x_0, before it is clipped.
  float x0_of_output = 0.0F;  ///< See there.
  float limit = 0.0F;         ///< Above 0; may be infinite.
  float of_x0 = 0.0F;         ///< x'
  float of_x = 0.0F;          ///< See there.
  float of_output = 0.0F;     ///< See there.
  float of_noise = 0.0F;      ///< See there.
};

/// A step's arrays, `[count]` each.
struct StepArrays {
  const float* x_t;
  const float* output;
  const float* noise;  ///< Not read, and may be null, where of_noise is 0.
  float* prev;         ///< x', written.
  float* x0;           ///< x_0, clipped, written.
};

/// Does it: each array is read or written once.
/// @param step    The sums.
/// @param arrays  Of `count` elements.
/// @param count   Elements.
void denoising_step(const Step& step, const StepArrays& arrays, Size count);

/// 9.4 as such sums. Runs on the host.
/// @param conversion  Of the prediction at a.
/// @param a           Of the timestep, above 0 and below 1.
/// @param next        a'.
/// @param eta         Fresh noise.
/// @param clip        Limit of x_0.
/// @param rederive    Whether eps is what x_t and the clipped x_0 leave.
/// @return            The step.
Step ddim(const Conversion& conversion, double a, double next, double eta, double clip,
          bool rederive);

/// 9.5 as such sums. Runs on the host.
/// @param conversion  Of the prediction at a.
/// @param a           Of the timestep, above 0 and below 1.
/// @param next        a'; 1 at the last step, which adds no noise.
/// @param clip        Limit of x_0.
/// @param large       Whether the variance is beta, not that of the posterior.
/// @return            The step.
Step ddpm(const Conversion& conversion, double a, double next, double clip, bool large);

/// 9.8's Euler step as such sums. Runs on the host.
/// @param conversion  Of x, which is \f$ x_0 + \sigma\varepsilon \f$, and o; eps is not looked at.
/// @param sigma       Of x.
/// @param next_sigma  \f$ \sigma' \f$
/// @return            The step.
Step euler(const Conversion& conversion, double sigma, double next_sigma);

// ---- 9.6 -----------------------------------------------------------------------------------

/// 9.6, the arrays of a task for velocities: \f$ x_t \f$ and \f$ v \f$ in one pass.
/// @param x0     `[n, d]`, read once.
/// @param eps    `[n, d]`, read once.
/// @param turns  `[n]`
/// @param x_t,v  `[n, d]` each, the results.
/// @param n,d    Sizes.
void noise_and_velocity(const float* x0, const float* eps, const Turn* turns, float* x_t, float* v,
                        Size n, Size d);

/// 9.6: \f$ L = \frac{1}{nd} \sum w (o - \text{target})^2 \f$, accumulated in double, and its
/// gradient, in one pass.
/// @param output    o, `[n, d]`, read once.
/// @param target    `[n, d]`, read once.
/// @param weight    `[n]`
/// @param gradient  `[n, d]`, written: \f$ \frac{2w}{nd} (o - \text{target}) \f$.
/// @param loss      One number, written.
/// @param n,d       Sizes, at least 1.
void denoiser_loss(const float* output, const float* target, const double* weight, float* gradient,
                   double* loss, Size n, Size d);

// ---- 9.8, 9.9 ------------------------------------------------------------------------------

/// 9.8: \f$ x / \sqrt{\sigma^2 + 1} \f$.
/// @param sample  `[count]`, read once.
/// @param sigma   A number of the host.
/// @param scaled  `[count]`, the result; may be the sample.
/// @param count   Elements.
void scale_model_input(const float* sample, double sigma, float* scaled, Size count);

/// 9.8 and 9.9, a walk along a straight line: \f$ y = x + \text{length}\,(p - q) \f$.
/// @param x       `[count]`, read once.
/// @param length  A number of the host.
/// @param p       `[count]`, read once.
/// @param q       `[count]`, read once, or null for zeros.
/// @param y       `[count]`, the result; may be one of the others.
/// @param count   Elements.
void walk(const float* x, double length, const float* p, const float* q, float* y, Size count);

/// 9.9: every row limited to \f$ \pm m \f$ and divided by it, \f$ m = \max(1, q) \f$ with q the
/// quantile of its magnitudes.
/// @param x0      `[n, d]`, finite.
/// @param ratio   Which quantile, from 0 to 1; a number of the host.
/// @param result  `[n, d]`, written; may be x0.
/// @param n,d     Sizes, d at least 1, n below 2^31.
void dynamic_threshold(const float* x0, double ratio, float* result, Size n, Size d);

}  // namespace latent::device

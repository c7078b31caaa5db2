// 3.1 kl_standard_normal on a GPU: two numbers come in and two go out for each element, 16 bytes,
// and a double for each sample. One pass makes the value and both gradients, which have
// e^log_var - 1 in common.
//
// That is an expm1 in double for each element: near log_var = 0 the terms of the KL cancel, and
// floats would have nothing left of it. On a GPU for computing, whose doubles are half as fast as
// its floats, it hides behind the memory; on one for games, where they are 64 times slower, it does
// not, and takes several times as long.
//
// A sample's sum is made by as many neighbouring lanes as it has dimensions, rounded up to a power
// of two, and at most a warp: with D = 2 a warp adds up 16 samples, and reads whole lines all the
// same.

#include "kernels.hpp"

namespace latent::device {
namespace {

/// `lanes` threads, a power of two up to 32, for each sample.
__global__ void __launch_bounds__(kThreads)
    divergences(const float* mu, const float* log_var, double* per_sample, float* dmu,
                float* dlog_var, Size n, Size d, int lanes, double share) {
  const Size thread = Size{blockIdx.x} * kThreads + threadIdx.x, sample = thread / lanes;
  double sum = 0.0;
  for (Size i = thread % lanes; i < d && sample < n; i += lanes) {
    const Size at = sample * d + i;
    const double m = mu[at], l = log_var[at], excess = expm1(l);
    sum += 0.5 * (m * m + (excess - l));
    dmu[at] = static_cast<float>(share * m);
    dlog_var[at] = static_cast<float>(0.5 * share * excess);
  }
  for (int distance = lanes / 2; distance > 0; distance /= 2)  // threads without a sample, too
    sum += __shfl_xor_sync(0xFFFFFFFFU, sum, distance);
  if (thread % lanes == 0 && sample < n) per_sample[sample] = sum;
}

}  // namespace

void kl_standard_normal(const float* mu, const float* log_var, double* per_sample, double* value,
                        float* dmu, float* dlog_var, Size n, Size d, double weight) {
  int lanes = 1;
  while (lanes < 32 && lanes < d) lanes *= 2;
  const double samples = static_cast<double>(n);
  launch(divergences, dim3(static_cast<unsigned>(pieces(n * lanes, kThreads))), dim3(kThreads), mu,
         log_var, per_sample, dmu, dlog_var, n, d, lanes, weight / samples);
  sum_into(value, n, [=] __device__(Size i) { return per_sample[i] / samples; });
}

}  // namespace latent::device

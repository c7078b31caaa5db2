// 8.7 tae_block on a GPU. Nearly all of its time is convolutions: 2 N Co Ci k^2 H W operations, 19
// billion for one of 64 channels at 512x512, on 64 MiB that come in and 64 that go out. So
// arithmetic can set the pace, if numbers are fetched seldom enough.
//
// A convolution is a product: W, [Co, Ci k^2], times the patches, [Ci k^2, N H W]. The patches
// would take k^2 times the memory of x, so they never exist: a block of threads makes 64 channels
// at 64 positions, and gathers from x only the 16 x 64 numbers that it multiplies next, into shared
// memory. A thread holds 4 x 4 sums in registers: 8 loads for 16 multiplications and additions.
// Where 16 channels or fewer go out (the latent, the image) a thread has one channel instead, and
// a block 16, so that it does not compute 64 for the sake of 3. Kernels of side 1 and 3 are known
// to the compiler, which turns the divisions that take a patch apart into multiplications.
//
// Bias, skip and ReLU happen while the sums are still in registers. Each would cost another 64 MiB
// read and written, as much as the convolution itself. GroupNorm cannot be so merged, for it has to
// know all of a group first: it reads it twice to measure it and once more to move it.

#include "kernels.hpp"

namespace latent::device {
namespace {

constexpr int kTile = 64;                  // positions of a block
constexpr int kDepth = 16;                 // elements of their patches in shared memory at a time
constexpr int kSide = 16;                  // threads of a block: kSide x kSide
constexpr int kPositions = kTile / kSide;  // of a thread
constexpr int kChannels = 4;               // of a thread, where there are many
constexpr int kRows = kSide * kSide / kTile;  // of a tile of patches, fetched at the same time

__device__ float positive(float x) {
  return x < 0.0F ? 0.0F : x;  // NaN stays NaN
}

/// Where the patch of an output position begins.
struct Window {
  const float* maps;  ///< The channels of its sample; null beyond the last position.
  Size row, column;   ///< Negative in the padding.
};

__device__ Window window_of(const TaeConvSizes& s, const float* x, Size position) {
  const Size width = s.out_width(), of_sample = s.out_height() * width;
  if (position >= s.n * of_sample) return {nullptr, 0, 0};
  return {x + position / of_sample * s.in_channels * s.height * s.width,
          position % of_sample / width * s.stride - s.kernel / 2,
          position % width * s.stride - s.kernel / 2};
}

/// Element `at` of a patch, counted as in a row of W; 0 in the padding and beyond the end.
template <int kKernel>
__device__ float patch_element(const TaeConvSizes& s, const Window& window, int at) {
  const int k = kKernel > 0 ? kKernel : static_cast<int>(s.kernel);
  const int channel = at / (k * k);
  const Size row = window.row + at / k % k, column = window.column + at % k;
  const bool inside = window.maps != nullptr && channel < s.in_channels && row >= 0 &&
                      row < s.height && column >= 0 && column < s.width;
  return inside ? window.maps[(channel * s.height + row) * s.width + column] : 0.0F;
}

/// Elements [from, from + kDepth) of the rows of W that a block needs, transposed; 0 beyond the
/// end.
template <int kTileChannels>
__device__ void fetch_weights(float (*tile)[kTileChannels + 1], const TaeConvSizes& s,
                              const float* weight, Size first_channel, int from) {
  const int thread = static_cast<int>(threadIdx.y * kSide + threadIdx.x);
  const Size depth = s.in_channels * s.kernel * s.kernel;
  for (int at = thread; at < kDepth * kTileChannels; at += kSide * kSide) {
    const int channel = at / kDepth, i = at % kDepth;
    const bool inside = first_channel + channel < s.out_channels && from + i < depth;
    tile[i][channel] = inside ? weight[(first_channel + channel) * depth + from + i] : 0.0F;
  }
}

/// The sums of kOwn channels, every kSide-th of the tile from first_channel on, at kPositions
/// positions.
template <int kKernel, int kOwn>
__device__ void tile_sums(float (&sums)[kOwn][kPositions], const TaeConvSizes& s,
                          const float* weight, const Window& window, Size first_channel) {
  constexpr int kTileChannels = kSide * kOwn;
  __shared__ float weights[kDepth][kTileChannels + 1], patches[kDepth][kTile + 1];
  const int thread = static_cast<int>(threadIdx.y * kSide + threadIdx.x);
  for (int from = 0; from < s.in_channels * s.kernel * s.kernel; from += kDepth) {
    fetch_weights<kTileChannels>(weights, s, weight, first_channel, from);
    for (int i = thread / kTile; i < kDepth; i += kRows)
      patches[i][thread % kTile] = patch_element<kKernel>(s, window, from + i);
    __syncthreads();
    for (int i = 0; i < kDepth; ++i) {
      for (int a = 0; a < kOwn; ++a) {
        for (int b = 0; b < kPositions; ++b)
          sums[a][b] += weights[i][threadIdx.y + a * kSide] * patches[i][threadIdx.x + b * kSide];
      }
    }
    __syncthreads();  // before the tiles are written again
  }
}

template <int kKernel, int kOwn>
__global__ void __launch_bounds__(kSide* kSide)
    convolve(TaeConvSizes s, TaeConvArrays arrays, bool relu) {
  const Size of_sample = s.out_height() * s.out_width();
  const Size first = Size{blockIdx.x} * kTile;
  const Size first_channel = Size{blockIdx.y} * kSide * kOwn;
  const Size fetched = first + (threadIdx.y * kSide + threadIdx.x) % kTile;
  float sums[kOwn][kPositions] = {};
  tile_sums<kKernel, kOwn>(sums, s, arrays.weight, window_of(s, arrays.x, fetched), first_channel);
  for (int a = 0; a < kOwn; ++a) {
    const Size channel = first_channel + threadIdx.y + a * kSide;
    for (int b = 0; b < kPositions; ++b) {
      const Size position = first + threadIdx.x + b * kSide;
      if (channel >= s.out_channels || position >= s.n * of_sample) continue;
      const Size at =
          (position / of_sample * s.out_channels + channel) * of_sample + position % of_sample;
      float y = sums[a][b];
      if (arrays.bias != nullptr) y += arrays.bias[channel];
      if (arrays.skip != nullptr) y += arrays.skip[at];
      arrays.y[at] = relu ? positive(y) : y;
    }
  }
}

// ---- GroupNorm -----------------------------------------------------------------------------

constexpr int kWarps = kThreads / 32;
constexpr Size kMostParts = 256;  // warps that share a group

/// Sums of every group's elements, or of their squared distances from means, where there are any,
/// times a factor. `count` warps share a group, and each writes what it has found.
template <class T>
__global__ void __launch_bounds__(kThreads)
    group_sums(const T* x, const double* means, double* sums, Size groups, Size count, Size size,
               double factor) {
  const Size warp = Size{blockIdx.x} * kWarps + threadIdx.x / 32, group = warp / count;
  if (group >= groups) return;  // all of its warp
  const double mean = means == nullptr ? 0.0 : means[group];
  double sum = 0.0;
  for (Size i = warp % count * 32 + threadIdx.x % 32; i < size; i += count * 32) {
    const double distance = x[group * size + i] - mean;
    sum += means == nullptr ? distance : distance * distance;
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) sums[warp] = factor * sum;
}

/// The mean of every group, or of its squared distances from means, where there are any.
void group_averages(const float* x, const double* means, double* averages, Size groups, Size size) {
  const Size wanted = pieces(size, 32 * kPerThread);
  const Size count = wanted < kMostParts ? wanted : kMostParts;
  const auto blocks_for = [](Size warps) {
    return dim3(static_cast<unsigned>(pieces(warps, kWarps)));
  };
  Buffer<double> parts(groups * count);
  launch(group_sums<float>, blocks_for(groups * count), dim3(kThreads), x, means, parts.data(),
         groups, count, size, 1.0);
  launch(group_sums<double>, blocks_for(groups), dim3(kThreads), parts.data(), nullptr, averages,
         groups, 1, count, 1.0 / static_cast<double>(size));
}

}  // namespace

void tae_convolve(const TaeConvSizes& sizes, const TaeConvArrays& arrays, bool relu) {
  const bool few = sizes.out_channels <= kSide;
  const auto kernel = sizes.kernel == 3   ? (few ? convolve<3, 1> : convolve<3, kChannels>)
                      : sizes.kernel == 1 ? (few ? convolve<1, 1> : convolve<1, kChannels>)
                                          : (few ? convolve<0, 1> : convolve<0, kChannels>);
  const Size positions = sizes.n * sizes.out_height() * sizes.out_width();
  const Size channels = kSide * (few ? 1 : kChannels);
  launch(kernel,
         dim3(static_cast<unsigned>(pieces(positions, kTile)),
              static_cast<unsigned>(pieces(sizes.out_channels, channels))),
         dim3(kSide, kSide), sizes, arrays, relu);
}

void tae_group_norm_relu(float* x, const float* gamma, const float* beta, Size n, Size c,
                         Size positions, Size groups) {
  const Size size = c / groups * positions;
  Buffer<double> means(n * groups), variances(n * groups), factors(n * groups);
  group_averages(x, nullptr, means.data(), n * groups, size);
  group_averages(x, means.data(), variances.data(), n * groups, size);
  const double *const mean = means.data(), *const variance = variances.data();
  double* const factor = factors.data();
  each(n * groups, [=] __device__(Size i) { factor[i] = 1.0 / sqrt(variance[i] + 1e-5); });
  each(n * c * positions, [=] __device__(Size i) {
    const Size group = i / size, channel = i / positions % c;
    const double centered = x[i] - mean[group];
    x[i] =
        positive(static_cast<float>(centered * (factor[group] * gamma[channel]) + beta[channel]));
  });
}

void tae_relu(float* x, Size size) {
  each(size, [=] __device__(Size i) { x[i] = positive(x[i]); });
}

void tae_clamp(float* x, Size size) {
  each(size, [=] __device__(Size i) { x[i] = 3.0F * tanhf(x[i] / 3.0F); });
}

void tae_upsample(const float* x, float* y, Size maps, Size h, Size w) {
  each(maps * 4 * h * w, [=] __device__(Size i) {  // of y, so that it is written in one piece
    const Size row = i / (2 * w), column = i % (2 * w);
    y[i] = x[row / 2 * w + column / 2];  // rows of all maps: each map has an even number of them
  });
}

}  // namespace latent::device

// 1.9 conv2d_forward on a GPU. Every output channel is a row of Ci k k weights, every output
// position a column of as many inputs, its patch, and y is the product of the two matrices:
// 2 Co Ci k k operations for each of N H' W' positions. With one 512 x 512 image and 64 channels in
// and out and k = 3 it is 19 billion operations on 64 MiB that come in and 64 MiB that go out.
//
// The matrix of patches, 576 MiB there, never exists: a block gathers the piece of it that it needs
// into shared memory, from an image of which the cache holds the rows that neighbouring patches
// have in common. A block makes 64 channels at 64 positions, 16 weights and inputs at a time:
// 2048 numbers are fetched for 131072 operations, and a thread, which holds 4 x 4 sums in
// registers, loads 8 numbers from shared memory for 32 operations. With 16 channels or fewer, as in
// front of an image, a block makes 16 of them, and a thread 1 x 4.
//
// Where a patch's element lies takes divisions, which cost more than the multiplications they
// serve. So the offsets within a patch are worked out once, into a table that every block reads,
// and a thread gathers for one position only, whose place it works out once, too.

#include "kernels.hpp"

namespace latent::device {
namespace {

constexpr int kSide = 16;         // threads of a block: kSide x kSide
constexpr int kOwnPositions = 4;  // of a thread
constexpr int kPositions = kSide * kOwnPositions;
constexpr int kDepth = 16;  // elements of patches that shared memory holds

/// Where element (c, u, v) of a patch lies, seen from element (0, 0, 0).
struct Tap {
  Size offset;
  int row, column;
};

/// A patch: where its first element lies, which may be outside of the image, as may its others.
struct Patch {
  const float* sample;  ///< Null if there is no such position.
  Size row, column;
};

__device__ Patch patch_at(const float* x, Size position, const Convolution& c) {
  const Size plane = c.out_h * c.out_w, n = position / plane, at = position % plane;
  if (n >= c.n) return {nullptr, 0, 0};
  return {x + n * c.ci * c.h * c.w, c.stride * (at / c.out_w) - c.top,
          c.stride * (at % c.out_w) - c.left};
}

__device__ float read(const Patch& patch, const Tap& tap, const Convolution& c) {
  const Size row = patch.row + tap.row, column = patch.column + tap.column;
  const bool inside =
      patch.sample != nullptr && row >= 0 && row < c.h && column >= 0 && column < c.w;
  return inside ? patch.sample[patch.row * c.w + patch.column + tap.offset] : 0.0F;
}

/// Elements [from, from + kDepth) of the weights of some channels, and of the patches. Beyond the
/// end there are zeros, whose products add nothing.
template <int kChannels>
__device__ void fetch(float (*weights)[kChannels + 1], float (*inputs)[kPositions],
                      const float* weight, const Patch& patch, const Tap* taps, Size from,
                      Size depth, const Convolution& c) {
  const int thread = static_cast<int>(threadIdx.y * kSide + threadIdx.x);
  for (int at = thread; at < kChannels * kDepth; at += kSide * kSide) {
    const Size channel = Size{blockIdx.y} * kChannels + at / kDepth, i = from + at % kDepth;
    weights[at % kDepth][at / kDepth] =
        channel < c.co && i < depth ? weight[channel * depth + i] : 0.0F;
  }
  for (int at = thread; at < kPositions * kDepth; at += kSide * kSide) {
    const Size i = from + at / kPositions;  // the position is the same for every at
    inputs[at / kPositions][at % kPositions] = i < depth ? read(patch, taps[i], c) : 0.0F;
  }
}

/// kSide kOwn channels at kPositions positions. A thread's own are every kSide-th of them, so that
/// neighbouring threads read, and in the end write, neighbouring words.
template <int kOwn>
__global__ void __launch_bounds__(kSide* kSide)
    convolve(const float* x, const float* weight, const float* bias, const Tap* taps, float* y,
             Convolution c) {
  __shared__ float weights[kDepth][kSide * kOwn + 1], inputs[kDepth][kPositions];
  const Size first = Size{blockIdx.x} * kPositions, depth = c.ci * c.k * c.k;
  const Patch patch = patch_at(x, first + (threadIdx.y * kSide + threadIdx.x) % kPositions, c);
  float sum[kOwn][kOwnPositions] = {};
  for (Size from = 0; from < depth; from += kDepth) {
    fetch<kSide * kOwn>(weights, inputs, weight, patch, taps, from, depth, c);
    __syncthreads();
    for (int i = 0; i < kDepth; ++i) {
      for (int a = 0; a < kOwn; ++a) {
        for (int b = 0; b < kOwnPositions; ++b)
          sum[a][b] += weights[i][threadIdx.y + a * kSide] * inputs[i][threadIdx.x + b * kSide];
      }
    }
    __syncthreads();  // before the tiles are written again
  }
  const Size plane = c.out_h * c.out_w;
  for (int b = 0; b < kOwnPositions; ++b) {
    const Size position = first + threadIdx.x + b * kSide, n = position / plane;
    for (int a = 0; a < kOwn; ++a) {
      const Size o = Size{blockIdx.y} * kSide * kOwn + threadIdx.y + a * kSide;
      if (n < c.n && o < c.co) y[(n * c.co + o) * plane + position % plane] = bias[o] + sum[a][b];
    }
  }
}

}  // namespace

void conv2d_forward(const float* x, const float* weight, const float* bias, float* y,
                    const Convolution& sizes) {
  const Convolution c = sizes;
  Buffer<Tap> table(c.ci * c.k * c.k);
  Tap* const taps = table.data();
  each(table.size(), [=] __device__(Size i) {
    const Size channel = i / (c.k * c.k), row = i / c.k % c.k, column = i % c.k;
    taps[i] = {(channel * c.h + row) * c.w + column, static_cast<int>(row),
               static_cast<int>(column)};
  });
  const bool few = c.co <= kSide;
  const Size channels = few ? kSide : 4 * kSide;
  const dim3 grid(static_cast<unsigned>(pieces(c.n * c.out_h * c.out_w, kPositions)),
                  static_cast<unsigned>(pieces(c.co, channels)));
  launch(few ? convolve<1> : convolve<4>, grid, dim3(kSide, kSide), x, weight, bias, taps, y, c);
}

}  // namespace latent::device

// 5.2 nearest_code on a GPU, three times. The work is 3 N K D operations on N D + K D numbers that
// come in and N that go out: with N = K = 8192 and D = 256 it is 52 billion operations on 16 MiB.
// What makes a version slow is never the arithmetic, but how often it fetches those 16 MiB.
//
// 1. One thread per row. Every thread reads the whole codebook: N K D loads, one for two
// operations.
//    The cache serves most of them, at a quarter of the speed at which the arithmetic could go on.
// 2. A block of threads works on 64 rows and 64 codes. Both wait in shared memory, and a thread
//    holds 4 x 4 distances in registers: 8 loads for 32 operations, and from global memory every
//    number is fetched N / 64 or K / 64 times instead of N or K times. Blocks also divide the
//    codebook among themselves where there are few rows, and agree through one atomic minimum.
// 3. The products z . e by tensor cores, which do in one step what a core does in hundreds, with
//    11 bits of each factor. So they only nominate: whose score is within twice the error of the
//    best is a candidate, and the difference, in double, decides. Scores come and go in blocks of
//    32 MiB, which stay in the L2 cache; the N x K table never exists.

#include "kernels.hpp"

namespace latent::device {
namespace {

// ---- 1 ------------------------------------------------------------------------------------------

__global__ void one_row_per_thread(const float* z, const float* codebook, std::int64_t* indices,
                                   Size n, Size k, Size d) {
  const Size row = Size{blockIdx.x} * kThreads + threadIdx.x;
  if (row >= n) return;
  float least = INFINITY;
  Size nearest = 0;
  for (Size code = 0; code < k; ++code) {
    float distance = 0.0F;
    for (Size i = 0; i < d; ++i) {
      const float difference = z[row * d + i] - codebook[code * d + i];
      distance += difference * difference;
    }
    if (distance < least) {  // <, so that the first one stays
      least = distance;
      nearest = code;
    }
  }
  indices[row] = nearest;
}

// ---- 2 ------------------------------------------------------------------------------------------

constexpr int kTile = 64;            // rows, and codes, of a block
constexpr int kDepth = 16;           // elements of them that shared memory holds at a time
constexpr int kSide = 16;            // threads of a block: kSide x kSide
constexpr int kOwn = kTile / kSide;  // rows, and codes, of a thread
constexpr Size kBlocksWanted = 512;  // a few for every multiprocessor there is

/// Distance and index in one number: the smallest is the nearest, and of equals the first. Squares
/// are not negative, and the bits of such floats are in the order of the floats.
__device__ unsigned long long key_of(float distance, Size code) {
  return static_cast<unsigned long long>(static_cast<unsigned>(__float_as_int(distance))) << 32 |
         static_cast<unsigned long long>(code);
}

/// Elements [from, from + kDepth) of kTile vectors, transposed: a thread reads its vectors side by
/// side. Beyond the end there are zeros, whose difference adds nothing.
__device__ void fetch(float (*tile)[kTile + 1], const float* vectors, Size first, Size count,
                      Size from, Size d) {
  const int thread = static_cast<int>(threadIdx.y * kSide + threadIdx.x);
  for (int at = thread; at < kTile * kDepth; at += kSide * kSide) {
    const int vector = at / kDepth, i = at % kDepth;
    const bool inside = first + vector < count && from + i < d;
    tile[i][vector] = inside ? vectors[(first + vector) * d + from + i] : 0.0F;
  }
}

/// The distances of kOwn rows to kOwn codes, every kSide-th of the tile, so that neighbouring
/// threads read neighbouring words.
__device__ void tile_distances(float (&distance)[kOwn][kOwn], const float* z, const float* codebook,
                               Size first_row, Size first_code, Size n, Size k, Size d) {
  __shared__ float rows[kDepth][kTile + 1], codes[kDepth][kTile + 1];
  for (Size from = 0; from < d; from += kDepth) {
    fetch(rows, z, first_row, n, from, d);
    fetch(codes, codebook, first_code, k, from, d);
    __syncthreads();
    for (int i = 0; i < kDepth; ++i) {
      for (int a = 0; a < kOwn; ++a) {
        for (int b = 0; b < kOwn; ++b) {
          const float difference =
              rows[i][threadIdx.y + a * kSide] - codes[i][threadIdx.x + b * kSide];
          distance[a][b] += difference * difference;
        }
      }
    }
    __syncthreads();  // before the tiles are written again
  }
}

__global__ void __launch_bounds__(kSide* kSide)
    tiled(const float* z, const float* codebook, unsigned long long* keys, Size n, Size k, Size d) {
  const Size first_row = Size{blockIdx.x} * kTile;
  unsigned long long best[kOwn];
  for (int a = 0; a < kOwn; ++a) best[a] = ~0ULL;
  for (Size first = Size{blockIdx.y} * kTile; first < k; first += Size{gridDim.y} * kTile) {
    float distance[kOwn][kOwn] = {};
    tile_distances(distance, z, codebook, first_row, first, n, k, d);
    for (int a = 0; a < kOwn; ++a) {
      for (int b = 0; b < kOwn; ++b) {
        const Size code = first + threadIdx.x + b * kSide;
        const unsigned long long key = key_of(distance[a][b], code);
        if (code < k && key < best[a]) best[a] = key;
      }
    }
  }
  for (int a = 0; a < kOwn; ++a) {
    for (int other = kSide / 2; other > 0; other /= 2) {  // the threads that share these rows
      const unsigned long long key = __shfl_xor_sync(0xFFFFFFFFU, best[a], other);
      if (key < best[a]) best[a] = key;
    }
    const Size row = first_row + threadIdx.y + a * kSide;
    if (threadIdx.x == 0 && row < n) atomicMin(&keys[row], best[a]);
  }
}

// ---- 3 ------------------------------------------------------------------------------------------

constexpr Size kRowsOfBlock = 4096, kCodesOfBlock = 2048;  // 32 MiB of scores
constexpr int kWarps = kThreads / 32;

/// |e|^2 / 2 of every code, and the length of the longest. One warp per code.
__global__ void measure_codes(const float* codebook, float* halves, int* longest, Size k, Size d) {
  const Size code = Size{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (code >= k) return;  // all of its warp
  double square = 0.0;
  for (Size i = threadIdx.x % 32; i < d; i += 32)
    square += double{codebook[code * d + i]} * codebook[code * d + i];
  square = warp_sum(square);
  if (threadIdx.x % 32 != 0) return;
  halves[code] = static_cast<float>(0.5 * square);
  atomicMax(longest, __float_as_int(static_cast<float>(sqrt(square))));  // not negative
}

/// What is known of a row so far.
struct Contest {
  float lowest;          ///< Of its scores.
  float slack;           ///< How far above that a candidate's score may be.
  double least;          ///< Distance of the nearest candidate.
  std::int64_t nearest;  ///< Which that is.
};

/// By how much two scores can be off together: factors lose 2^-11 each and are summed up in float,
/// the halves and the difference are rounded once. One warp per row.
__global__ void open_contests(const float* z, const int* longest, Contest* contests, Size n,
                              Size d) {
  const Size row = Size{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (row >= n) return;
  double square = 0.0;
  for (Size i = threadIdx.x % 32; i < d; i += 32) square += double{z[row * d + i]} * z[row * d + i];
  square = warp_sum(square);
  if (threadIdx.x % 32 != 0) return;
  const double length = sqrt(square), longest_code = __int_as_float(*longest);
  const double product = length * longest_code * (0x1p-10 + double(d + 8) * 0x1p-22);
  const double slack = 2.2 * (product + longest_code * longest_code * 0x1p-23);
  // Where products might overflow, no score is to be trusted: all codes are candidates.
  contests[row] = {INFINITY, slack < 1e20 ? static_cast<float>(slack) : INFINITY, INFINITY, 0};
}

/// A warp measures one distance, 32 elements at a time. Every lane gets it.
__device__ double distance_of(const float* row, const float* code, Size d) {
  double sum = 0.0;
  for (Size i = threadIdx.x % 32; i < d; i += 32) {
    const double difference = double{row[i]} - code[i];
    sum += difference * difference;
  }
  return __shfl_sync(0xFFFFFFFFU, warp_sum(sum), 0);
}

__device__ float warp_min(float x) {
  for (int other = 16; other > 0; other /= 2) x = fminf(x, __shfl_xor_sync(0xFFFFFFFFU, x, other));
  return x;
}

/// Looks through a block of products. One warp per row.
__global__ void __launch_bounds__(kThreads)
    scan(const float* products, const float* halves, const float* z, const float* codebook,
         Contest* contests, Size rows, Size first, Size codes, Size d) {
  const Size row = Size{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (row >= rows) return;
  const int lane = threadIdx.x % 32;
  const float* product = products + row * codes;
  Contest contest = contests[row];
  float low = INFINITY;
  for (Size i = lane; i < codes; i += 32) low = fminf(low, halves[first + i] - product[i]);
  low = warp_min(low);
  if (low > contest.lowest + contest.slack) return;  // most blocks, once a good code is known
  contest.lowest = fminf(low, contest.lowest);
  for (Size from = 0; from < codes; from += 32) {
    const Size i = from + lane;
    const bool candidate =
        i < codes && !(halves[first + i] - product[i] > contest.lowest + contest.slack);
    for (unsigned left = __ballot_sync(0xFFFFFFFFU, candidate); left != 0; left &= left - 1) {
      const Size code = first + from + __ffs(left) - 1;
      const double distance = distance_of(z + row * d, codebook + code * d, d);
      if (distance < contest.least) {
        contest.least = distance;
        contest.nearest = code;
      }
    }
  }
  if (lane == 0) contests[row] = contest;
}

}  // namespace

void nearest_code_1(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                    Size d) {
  launch(one_row_per_thread, dim3(static_cast<unsigned>(pieces(n, kThreads))), dim3(kThreads), z,
         codebook, indices, n, k, d);
}

void nearest_code_2(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                    Size d) {
  const Size row_blocks = pieces(n, kTile), code_blocks = pieces(k, kTile);
  if (row_blocks == 0) return;
  const Size wanted = pieces(kBlocksWanted, row_blocks);
  Buffer<unsigned long long> keys(n);
  unsigned long long* const key = keys.data();
  each(n, [=] __device__(Size i) { key[i] = ~0ULL; });
  launch(tiled,
         dim3(static_cast<unsigned>(row_blocks),
              static_cast<unsigned>(wanted < code_blocks ? wanted : code_blocks)),
         dim3(kSide, kSide), z, codebook, key, n, k, d);
  each(n,
       [=] __device__(Size i) { indices[i] = static_cast<std::int64_t>(key[i] & 0xFFFFFFFFULL); });
}

void nearest_code_3(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                    Size d) {
  const auto blocks_for = [](Size warps) {
    return dim3(static_cast<unsigned>(pieces(warps, kWarps)));
  };
  Buffer<float> halves(k), products((n < kRowsOfBlock ? n : kRowsOfBlock) * kCodesOfBlock);
  Buffer<int> longest(1);
  Buffer<Contest> contests(n);
  check(cudaMemset(longest.data(), 0, sizeof(int)), "cudaMemset");
  launch(measure_codes, blocks_for(k), dim3(kThreads), codebook, halves.data(), longest.data(), k,
         d);
  launch(open_contests, blocks_for(n), dim3(kThreads), z, longest.data(), contests.data(), n, d);
  for (Size row = 0; row < n; row += kRowsOfBlock) {
    const Size rows = n - row < kRowsOfBlock ? n - row : kRowsOfBlock;
    for (Size code = 0; code < k; code += kCodesOfBlock) {
      const Size codes = k - code < kCodesOfBlock ? k - code : kCodesOfBlock;
      multiply(z + row * d, Side::kAsIs, codebook + code * d, Side::kTransposed, products.data(),
               rows, codes, d, 0.0F, 1.0F, Precision::kTensor);
      launch(scan, blocks_for(rows), dim3(kThreads), products.data(), halves.data(), z + row * d,
             codebook, contests.data() + row, rows, code, codes, d);
    }
  }
  const Contest* const contest = contests.data();
  each(n, [=] __device__(Size i) { indices[i] = contest[i].nearest; });
}

void nearest_code(const float* z, const float* codebook, std::int64_t* indices, Size n, Size k,
                  Size d) {
  // A tensor core wants some work, and keys have 32 bits for an index.
  const bool large = d >= 32 && n * k >= Size{1} << 20;
  // A tile has 64 codes of 16 numbers. Where it would be zeros for the most part, a thread that
  // does a row's few operations does less, and is one launch instead of three.
  const bool small = k * d <= kTile * kDepth / 4;
  if (small)
    nearest_code_1(z, codebook, indices, n, k, d);
  else if (large || k > Size{1} << 32)
    nearest_code_3(z, codebook, indices, n, k, d);
  else
    nearest_code_2(z, codebook, indices, n, k, d);
}

}  // namespace latent::device

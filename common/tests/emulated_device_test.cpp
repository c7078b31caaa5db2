// The emulated device does what a GPU does, as far as kernels of this project ask.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/device.hpp"

namespace latent::device {
namespace {

__global__ void numbers(int* at) {
  const unsigned block = blockIdx.x + gridDim.x * blockIdx.y;
  const unsigned thread = threadIdx.x + blockDim.x * threadIdx.y;
  at[block * blockDim.x * blockDim.y + thread] += static_cast<int>(10 * block + thread);
}

TEST(EmulatedDevice, RunsEachThreadOfEachBlockOnce) {
  std::vector<int> at(6 * 8, 0);
  launch(numbers, dim3(3, 2), dim3(4, 2), at.data());
  for (int i = 0; i < 48; ++i) EXPECT_EQ(at[static_cast<std::size_t>(i)], 10 * (i / 8) + i % 8);
}

__global__ void reverse(int* at) {
  __shared__ int all[100];
  all[threadIdx.x] = at[threadIdx.x];
  __syncthreads();
  at[threadIdx.x] = all[99 - threadIdx.x];
}

TEST(EmulatedDevice, HasBarriersAndSharedMemory) {
  for (int round = 0; round < 2; ++round) {  // forwards and backwards
    std::vector<int> at(100);
    std::iota(at.begin(), at.end(), 0);
    launch(reverse, dim3(1), dim3(100), at.data());
    for (int i = 0; i < 100; ++i) ASSERT_EQ(at[static_cast<std::size_t>(i)], 99 - i);
  }
}

__global__ void reverse_without_barrier(int* at) {
  __shared__ int all[100];
  all[threadIdx.x] = at[threadIdx.x];
  at[threadIdx.x] = all[99 - threadIdx.x];
}

TEST(EmulatedDevice, ShowsAMissingBarrier) {
  std::vector<int> at(100);
  std::iota(at.begin(), at.end(), 1000);
  launch(reverse_without_barrier, dim3(1), dim3(100), at.data());
  std::reverse(at.begin(), at.end());
  EXPECT_FALSE(std::is_sorted(at.begin(), at.end()));
}

__global__ void warps(int* sums, int* neighbours, unsigned* votes) {
  const int thread = static_cast<int>(threadIdx.x);
  const int sum = warp_sum(thread);
  if (thread % 32 == 0) sums[thread / 32] = sum;
  neighbours[thread] = __shfl_xor_sync(0xFFFFFFFFU, thread, 1);
  votes[thread] = __ballot_sync(0xFFFFFFFFU, thread % 3 == 0);
}

TEST(EmulatedDevice, LetsLanesOfAWarpReadOneAnother) {
  std::vector<int> sums(2), neighbours(64);
  std::vector<unsigned> votes(64);
  launch(warps, dim3(1), dim3(64), sums.data(), neighbours.data(), votes.data());
  EXPECT_EQ(sums, (std::vector<int>{496, 1520}));
  for (int i = 0; i < 64; ++i) EXPECT_EQ(neighbours[static_cast<std::size_t>(i)], i ^ 1);
  EXPECT_EQ(votes[0], 0x49249249U);
  EXPECT_EQ(votes[63], 0x92492492U);
}

TEST(EmulatedDevice, HoldsNoNumberUntilOneIsWritten) {
  const Buffer<float> fresh(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(fresh.data()[i]));
}

__global__ void torn_apart() {
  if (threadIdx.x < 7)
    __syncthreads();
  else
    __syncwarp();
}

TEST(EmulatedDeviceDeathTest, EndsWhereThreadsWaitAtDifferentBarriers) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(launch(torn_apart, dim3(1), dim3(32)), "wait for one another at different barriers");
}

TEST(EmulatedDevice, TakesEachElementOnce) {
  for (const Size n : {0, 1, 1023, 1024, 1025, 5000}) {
    std::vector<int> times(static_cast<std::size_t>(n) + 1, 0);
    int* const at = times.data();
    each(n, [=] __device__(Size i) { at[i] += 1; });
    EXPECT_EQ(std::count(times.begin(), times.end(), 1), n);
    EXPECT_EQ(times.back(), 0);
  }
}

TEST(EmulatedDevice, SumsInDouble) {
  for (const Size n : {0, 1, 255, 1024, 300000}) {
    Buffer<double> sum(1);
    sum_into(sum.data(), n, [=] __device__(Size i) { return static_cast<double>(i) + 0.5; });
    EXPECT_EQ(sum.data()[0], static_cast<double>(n) * static_cast<double>(n) / 2);
  }
}

TEST(LaunchArithmetic, CoversEveryElementOnce) {
  EXPECT_EQ(pieces(0, 7), 0);
  EXPECT_EQ(pieces(7, 7), 1);
  EXPECT_EQ(pieces(8, 7), 2);
  EXPECT_EQ(pieces((Size{1} << 40) + 1, 2), (Size{1} << 39) + 1);
  std::vector<int> hits(3 * kThreads * kPerThread, 0);
  for (Size block = 0; block < 3; ++block) {
    for (Size thread = 0; thread < kThreads; ++thread) {
      for (Size turn = 0; turn < kPerThread; ++turn)
        ++hits[static_cast<std::size_t>(element_of(block, thread, turn))];
    }
  }
  EXPECT_EQ(std::count(hits.begin(), hits.end(), 1), std::ssize(hits));
}

}  // namespace
}  // namespace latent::device

/// @file
/// What tests of kernels have in common: arrays drawn, sent to the device and fetched back. They
/// run on a GPU, or emulated on the processor; without a GPU those for it skip.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "common/device.hpp"
#include "common/random.hpp"

namespace latent {

/// Skips where kernels cannot run.
class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (device::device_name() == nullptr) GTEST_SKIP() << "no GPU here";
  }
};

/// Sizes that are no multiple of any tile, and 1.
inline constexpr std::int64_t kAwkward[] = {1, 31, 64, 67};

inline std::vector<float> normal_floats(Random& random, std::int64_t count, double scale = 1.0) {
  std::vector<float> x(static_cast<std::size_t>(count));
  for (float& value : x) value = static_cast<float>(scale * random.normal());
  return x;
}

template <class T>
device::Buffer<T> on_device(const std::vector<T>& host) {
  return device::Buffer<T>(host.data(), static_cast<device::Size>(host.size()));
}

template <class T>
std::vector<T> fetched(const device::Buffer<T>& buffer) {
  std::vector<T> host(static_cast<std::size_t>(buffer.size()));
  buffer.copy_to(host.data());
  return host;
}

}  // namespace latent

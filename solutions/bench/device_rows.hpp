/// @file
/// What device_bench times: the kernels of the solutions, on arrays that lie on the device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/device.hpp"

namespace latent {

/// A row of the table.
struct DeviceRow {
  std::string name;           ///< As device_torch.py calls it.
  double bytes = 0.0;         ///< Read and written at least, each array once.
  double flops = 0.0;         ///< Of products; 0 where memory is all that counts.
  bool tensor_cores = false;  ///< Whether TF32's rate is the limit.
  std::function<std::function<void()>()> begin;  ///< Makes the inputs; returns what is timed.
};

/// @param tiny  Sizes that a test can wait for on an emulated device.
/// @return      All rows, in the order of the table.
std::vector<DeviceRow> device_rows(bool tiny);

}  // namespace latent

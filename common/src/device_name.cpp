// Prints the name of the GPU that kernels run on. Exit status 1 without one.

#include <cstdio>

#include "common/device.hpp"

int main() {
  const char* name = latent::device::device_name();
  if (name == nullptr) return 1;
  std::puts(name);
  return 0;
}

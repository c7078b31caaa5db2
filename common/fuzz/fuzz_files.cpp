// libFuzzer: whatever bytes come, a file is read or refused with a FileError, and nothing else
// happens. The first byte chooses the reader.
//
//   cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DLATENTLAB_FUZZ=ON
//   cmake --build build-fuzz --target fuzz_files && build-fuzz/bin/fuzz_files -max_total_time=3600

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/image.hpp"
#include "common/safetensors.hpp"

namespace {

void read_tensors(std::string_view bytes) {
  for (const auto& [name, tensor] : latent::parse_safetensors(bytes, "x")) {
    std::int64_t count = 1;
    for (const std::int64_t size : tensor.shape) count *= size;
    if (std::ssize(tensor.values) != count) std::abort();
  }
}

void read_picture(std::string_view bytes) {
  const latent::Image image = latent::parse_png(bytes, "x");
  if (std::ssize(image.pixels) != image.height * image.width * 3) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    data[0] % 2 == 0 ? read_tensors(bytes) : read_picture(bytes);
  } catch (const latent::FileError&) {
  }
  return 0;
}

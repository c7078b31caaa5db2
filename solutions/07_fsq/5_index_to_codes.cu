// 7.5 index_to_codes on a GPU: 8 bytes come in per row, 4 D go out, and each digit costs three
// divisions of integers. One thread per element, not per row: then the threads of a warp write one
// piece of memory, where a thread that writes its own D codes one after the other would send out
// every line D times in parts. The index is the same for D neighbours, and comes from the L1 cache.
// It need not be divided digit by digit: the weights of the places are known.

#include "kernels.hpp"

namespace latent::device {

void index_to_codes(const std::int64_t* indices, const FsqPlace* places, float* codes, Size n,
                    Size d) {
  each(n * d, [=] __device__(Size i) {
    const FsqPlace place = places[i % d];
    const std::int64_t half_width = place.levels / 2;
    const std::int64_t digit = indices[i / d] / place.weight % place.levels;
    codes[i] = static_cast<float>(digit - half_width) / static_cast<float>(half_width);
  });
}

}  // namespace latent::device

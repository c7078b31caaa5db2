// 5.5 vq_losses on a GPU: one sum, of which the codebook and the commitment term are both made. It
// reads z once, 4 N D bytes, and of the codebook, which stays in the L2 cache, a row for each row;
// a subtraction and a multiplication a number are nothing beside that. e(n) is looked up where it
// is used: a table of chosen codes would be written and read, and triple the traffic.

#include "kernels.hpp"

namespace latent::device {

void sqdist_to_codes(const float* z_e, const float* codebook, const std::int64_t* indices,
                     double* sum, Size n, Size d) {
  sum_into(sum, n * d, [=] __device__(Size i) {
    const double difference = double{z_e[i]} - codebook[indices[i / d] * d + i % d];
    return difference * difference;
  });
}

}  // namespace latent::device

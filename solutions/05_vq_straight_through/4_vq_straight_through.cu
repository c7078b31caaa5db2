// 5.4 vq_straight_through on a GPU: the search of 2_nearest_code.cu, then a copy of the chosen
// codes, which reads N indices and writes 4 N D bytes. Neighbouring threads copy neighbouring
// numbers of a code, so that reads and writes are whole pieces of memory. Backward there is nothing
// to compute: the gradient is what came.

#include "kernels.hpp"

namespace latent::device {

void gather_codes(const float* codebook, const std::int64_t* indices, float* z_q, Size n, Size d) {
  each(n * d, [=] __device__(Size i) { z_q[i] = codebook[indices[i / d] * d + i % d]; });
}

void vq_straight_through(const float* z_e, const float* codebook, float* z_q, std::int64_t* indices,
                         Size n, Size k, Size d) {
  nearest_code(z_e, codebook, indices, n, k, d);
  gather_codes(codebook, indices, z_q, n, d);
}

}  // namespace latent::device

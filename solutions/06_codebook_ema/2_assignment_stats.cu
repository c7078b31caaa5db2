// 6.2 assignment_stats on a GPU: rows are grouped by code once, and both results are read off the
// groups. The size of a group is where the next one begins minus where it begins; its sum is lab
// 05's, which reads z once and has a fixed order. See there, 6_vq_gradients.cu, for what it costs.

#include "kernels.hpp"

namespace latent::device {

void assignment_stats(const float* z, const std::int64_t* indices, double* size, float* sum, Size n,
                      Size k, Size d) {
  const Groups groups = group_rows(indices, n, k);
  const std::int64_t* const first = groups.first.data();
  each(k, [=] __device__(Size i) { size[i] = static_cast<double>(first[i + 1] - first[i]); });
  sum_by_code(groups, z, nullptr, 1.0F, sum, k, d);
}

}  // namespace latent::device

// 9.2 convert_prediction on a GPU: 16 bytes per element for six operations, so memory sets the
// pace, and both results are made of one reading. Every kind of prediction is two sums of x_t and
// the output. Their factors are computed once, in double, on the host: no division is left, and no
// kernel has to know the kinds.

#include "kernels.hpp"

namespace latent::device {

void convert_prediction(const Conversion& conversion, const float* x_t, const float* output,
                        float* x0, float* eps, Size count) {
  const auto x0_of_x = static_cast<float>(conversion.x0_of_x);
  const auto x0_of_output = static_cast<float>(conversion.x0_of_output);
  const auto eps_of_x = static_cast<float>(conversion.eps_of_x);
  const auto eps_of_output = static_cast<float>(conversion.eps_of_output);
  each(count, [=] __device__(Size i) {
    const float x = x_t[i], o = output[i];
    x0[i] = x0_of_x * x + x0_of_output * o;
    eps[i] = eps_of_x * x + eps_of_output * o;
  });
}

}  // namespace latent::device

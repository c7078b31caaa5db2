// 9.1 add_noise and velocity on a GPU: 12 bytes per element for three operations, so memory sets
// the pace. The two roots belong to a row. They are taken once per row, in double, as the schedule
// is, and wait as floats for the D elements of the row, which find them in the L1 cache: a root per
// element would cost more than all the rest.

#include "kernels.hpp"

namespace latent::device {

void turns_of(const std::int64_t* t, const double* alphas, Turn* turns, Size n) {
  each(n, [=] __device__(Size row) {
    const double a = alphas[t[row]];
    turns[row] = {static_cast<float>(sqrt(a)), static_cast<float>(sqrt(1.0 - a))};
  });
}

void add_noise(const float* x0, const float* eps, const Turn* turns, float* x_t, Size n, Size d) {
  each(n * d, [=] __device__(Size i) {
    const Turn turn = turns[i / d];
    x_t[i] = turn.signal * x0[i] + turn.noise * eps[i];
  });
}

void velocity(const float* x0, const float* eps, const Turn* turns, float* v, Size n, Size d) {
  each(n * d, [=] __device__(Size i) {
    const Turn turn = turns[i / d];
    v[i] = turn.signal * eps[i] - turn.noise * x0[i];
  });
}

}  // namespace latent::device

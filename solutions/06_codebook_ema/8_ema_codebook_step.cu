// 6.8 ema_codebook_step on a GPU. The whole step is kernels on buffers that stay where they are:
// what a step costs is lab 05's search for the nearest codes, 3 N K D operations; all that comes
// after it reads z twice (distances, sums), and codes and sums, 4 K D bytes each, once or twice.
//
// After the search and the sums of the batch, three things are left. The sizes decay, K numbers,
// and their total is needed by Laplace smoothing before any code can be divided. Who is dead gets
// the row that his number among the dead names; a stable sort of the codes by whether they live
// puts the dead first, in order, and no scan is needed. Then one pass over K D numbers lets the
// sums decay, divides them, and writes a row's numbers instead where a code is revived: every code
// and every sum is read once and written once, and what is replaced is never computed.

#include "kernels.hpp"

namespace latent::device {
namespace {

/// \f$ N_k \leftarrow \gamma N_k + (1 - \gamma) n_k \f$, and whether one is no size.
void decay_sizes(double decay, const double* fresh, double* size, Size k, int* refused) {
  const double rest = 1.0 - decay;
  check(cudaMemset(refused, 0, sizeof(int)), "cudaMemset");
  each(k, [=] __device__(Size i) {
    size[i] = decay * size[i] + rest * fresh[i];
    if (!(size[i] >= 0.0)) atomicMax(refused, 1);
  });
}

/// For each code the row that revives it, or -1.
Buffer<std::int64_t> rows_for_the_dead(const double* size, double limit, const std::int64_t* order,
                                       Size k, Size available) {
  Buffer<std::int64_t> alive(k), codes(k), rows(k);
  std::int64_t* const lives = alive.data();
  std::int64_t* const code = codes.data();
  std::int64_t* const row = rows.data();
  each(k, [=] __device__(Size i) {
    lives[i] = size[i] < limit ? 0 : 1;
    code[i] = i;
  });
  sort_pairs(lives, code, k);
  each(k,
       [=] __device__(Size i) { row[code[i]] = lives[i] == 0 && i < available ? order[i] : -1; });
  return rows;
}

/// Sums decay, codes are what they stand for, and the revived are rows of z.
void renew_codes(const float* z_e, const std::int64_t* row, const float* fresh, const double* total,
                 const EmaConstants& constants, double share, LivingCodebook& state) {
  const Size k = state.k, d = state.d;
  const double epsilon = constants.epsilon;
  const auto decay = static_cast<float>(constants.decay);
  const auto rest = static_cast<float>(1.0 - constants.decay);
  const auto revived = static_cast<float>(share);
  const double* const size = state.size.data();
  float* const code = state.codebook.data();
  float* const sum = state.sum.data();
  each(k * d, [=] __device__(Size i) {
    const Size of = i / d;
    if (row[of] >= 0) {
      code[i] = z_e[row[of] * d + i % d];
      sum[i] = revived * code[i];
      return;
    }
    const double smoothed =
        (size[of] + epsilon) / (*total + static_cast<double>(k) * epsilon) * *total;
    sum[i] = decay * sum[i] + rest * fresh[i];
    code[i] = sum[i] / static_cast<float>(smoothed);
  });
}

}  // namespace

QuantizedRows quantize(const float* z_e, const LivingCodebook& state, Size n) {
  QuantizedRows out{Buffer<float>(n * state.d), Buffer<std::int64_t>(n), Buffer<double>(1)};
  vq_straight_through(z_e, state.codebook.data(), out.z_q.data(), out.indices.data(), n, state.k,
                      state.d);
  sqdist_to_codes(z_e, state.codebook.data(), out.indices.data(), out.sqdist.data(), n, state.d);
  return out;
}

void ema_update(const float* z_e, const std::int64_t* indices, const std::int64_t* order,
                const EmaConstants& constants, LivingCodebook& state, Size n, Size available,
                int* refused) {
  const Size k = state.k;
  Buffer<double> batch_size(k), total(1);
  Buffer<float> batch_sum(k * state.d);
  assignment_stats(z_e, indices, batch_size.data(), batch_sum.data(), n, k, state.d);
  double* const size = state.size.data();
  decay_sizes(constants.decay, batch_size.data(), size, k, refused);
  sum_into(total.data(), k, [=] __device__(Size i) { return size[i]; });
  state.updates += 1;
  const double share = static_cast<double>(n) / static_cast<double>(k);
  const bool young = static_cast<double>(state.updates) <= 1.0 / (1.0 - constants.decay);
  const Buffer<std::int64_t> rows =
      rows_for_the_dead(size, young ? 0.0 : constants.threshold * share, order, k, available);
  const std::int64_t* const row = rows.data();
  renew_codes(z_e, row, batch_sum.data(), total.data(), constants, share, state);
  each(k, [=] __device__(Size i) {  // last: the others divide by the sizes before revival
    if (row[i] >= 0) size[i] = share;
  });
}

}  // namespace latent::device

// 10.5 entropy_terms on a GPU. A row's distribution over 2^d codes is a product over its bits, and
// that is used three times, so that the table of N 2^d probabilities is never made:
//
// - H(p_n) is the sum of the entropies of the bits: N d terms instead of N 2^d.
// - With a code's bits in two halves, p is the product of two numbers out of tables of N 2^(d/2).
//   The mean over rows then is 2^d sums of N products, one thread each: neighbouring threads read
//   neighbouring numbers of one table and the same number of the other. For d = 16 and N = 4096
//   that is 270 million multiplications on 17 MB, which the L2 cache holds; the table would have
//   been 2 GB.
// - Backward, sum_j p_nj (c_ji - m_ni) ln mean_j is a weighted mean over one half of the bits of a
//   weighted mean over the other. The inner one does not depend on i, and is computed once for all
//   bits of its half: N 2^d multiplications a half instead of N d 2^d.
//
// Where there are few codes, the rows of one are divided among several threads, and their sums are
// added in order.
// Everything is in double: the contract's numbers are doubles, and differences of probabilities are
// small. A GPU for graphics does doubles slowly; that is the price.

#include "kernels.hpp"

namespace latent::device {
namespace {

// About as many threads as a large GPU runs at once, each with a few sums.
constexpr Size kSumsWanted = (Size{1} << 18) * kPerThread;
constexpr Size kFewestRows = 32, kMostParts = 1024;  // of a sum; of a mean

__device__ double sigmoid(double x) {
  return 1.0 / (1.0 + exp(-x));
}

/// ln p, and 0 where p is 0, so that p ln p is 0 there.
__device__ double safe_log(double p) {
  return p > 0.0 ? log(p) : 0.0;
}

/// `[n, 2^count]`: the probability of every value of bits `first` to first + count - 1.
Buffer<double> half_probabilities(const Buffer<double>& bits, Size first, Size count, Size n,
                                  Size d) {
  Buffer<double> half(n << count);
  double* const p = half.data();
  const double* const bit = bits.data();
  each(n << count, [=] __device__(Size i) {
    const Size row = i >> count;
    double product = 1.0;
    for (Size b = 0; b < count; ++b) product *= bit[(row * d + first + b) * 2 + (i >> b) % 2];
    p[i] = product;
  });
  return half;
}

/// How many sums share the rows of a code. It depends on sizes alone, and so do all last bits.
Size parts_of(Size n, Size d) {
  const Size wanted = kSumsWanted >> d, most = pieces(n, kFewestRows);
  const Size parts = wanted < most ? wanted : most;
  return parts < kMostParts ? parts : kMostParts;
}

void mean_of_codes(CodeProbabilities& p) {
  const Size n = p.n, d = p.d, low_bits = p.low_bits;
  const Size parts = parts_of(n, d), rows = pieces(n, parts);
  Buffer<double> sums(parts << d);
  double* const sum = sums.data();
  double* const mean = p.mean.data();
  const double *const low = p.low.data(), *const high = p.high.data();
  each(parts << d, [=] __device__(Size i) {
    const Size code = i & ((Size{1} << d) - 1), begin = (i >> d) * rows;
    const Size l = code & ((Size{1} << low_bits) - 1), h = code >> low_bits;
    double of_part = 0.0;
    for (Size row = begin; row < begin + rows && row < n; ++row)
      of_part += low[(row << low_bits) + l] * high[(row << (d - low_bits)) + h];
    sum[i] = of_part;
  });
  each(Size{1} << d, [=] __device__(Size code) {
    double of_all = 0.0;
    for (Size part = 0; part < parts; ++part) of_all += sum[(part << d) + code];
    mean[code] = of_all / static_cast<double>(n);
  });
}

/// `[n, 2^to]`: \f$ \sum_h \text{half}_{nh}\, \text{table}_{h,\cdot} \f$, with a table `[2^from,
/// 2^to]`.
Buffer<double> averages(const Buffer<double>& half, const Buffer<double>& table, Size from, Size to,
                        Size n) {
  Buffer<double> result(n << to);
  double* const average = result.data();
  const double *const p = half.data(), *const value = table.data();
  each(n << to, [=] __device__(Size i) {
    const Size row = i >> to, column = i & ((Size{1} << to) - 1);
    double sum = 0.0;
    for (Size h = 0; h < Size{1} << from; ++h)
      sum += p[(row << from) + h] * value[(h << to) + column];
    average[i] = sum;
  });
  return result;
}

/// ln of the mean twice, low bits fastest and high bits fastest: both halves then read neighbours.
void logs_of_mean(const CodeProbabilities& p, double* by_low, double* by_high) {
  const Size low_bits = p.low_bits, high_bits = p.d - p.low_bits;
  const double* const mean = p.mean.data();
  each(Size{1} << p.d, [=] __device__(Size code) {
    const Size l = code & ((Size{1} << low_bits) - 1), h = code >> low_bits;
    by_low[code] = safe_log(mean[code]);
    by_high[(l << high_bits) + h] = by_low[code];
  });
}

/// The gradient for bits `first` to first + count - 1, whose probabilities are `half`; `logs` has
/// the average over the other bits of ln mean, for each row and each value of these.
void gradient_of_half(const CodeProbabilities& p, const Buffer<double>& half,
                      const Buffer<double>& logs, Size first, Size count, const float* z,
                      double tau, double gamma, float* dz) {
  const Size n = p.n, d = p.d;
  const double *const of_half = half.data(), *const log_mean = logs.data(),
                      *const bits = p.bits.data();
  each(n * count, [=] __device__(Size i) {
    const Size row = i / count, bit = i % count, at = row * d + first + bit;
    const double is_zero = bits[2 * at], is_one = bits[2 * at + 1];
    double sum = 0.0;  // c - m is 2 (1 - q) for a bit that is 1, and -2 q for one that is 0
    for (Size code = 0; code < Size{1} << count; ++code) {
      const Size of = (row << count) + code;
      sum += of_half[of] * ((code >> bit) % 2 == 1 ? is_zero : -is_one) * log_mean[of];
    }
    const double d_per_sample = -16.0 * tau * tau * z[at] * is_one * is_zero;
    const double d_codebook = -4.0 * tau * sum;
    dz[at] = static_cast<float>((d_per_sample - gamma * d_codebook) / static_cast<double>(n));
  });
}

}  // namespace

CodeProbabilities code_probabilities(const float* z, double tau, Size n, Size d) {
  const Size low_bits = (d + 1) / 2;
  Buffer<double> bits(n * d * 2);
  double* const bit = bits.data();
  each(n * d, [=] __device__(Size i) {
    bit[2 * i] = sigmoid(-4.0 * tau * z[i]);  // not 1 - the other: that has no small numbers
    bit[2 * i + 1] = sigmoid(4.0 * tau * z[i]);
  });
  Buffer<double> low = half_probabilities(bits, 0, low_bits, n, d);
  Buffer<double> high = half_probabilities(bits, low_bits, d - low_bits, n, d);
  CodeProbabilities p{std::move(bits),
                      std::move(low),
                      std::move(high),
                      Buffer<double>(Size{1} << d),
                      low_bits,
                      n,
                      d};
  mean_of_codes(p);
  return p;
}

void entropy_terms(const CodeProbabilities& p, double* per_sample, double* codebook) {
  const double *const bit = p.bits.data(), *const mean = p.mean.data();
  sum_into(per_sample, p.n * p.d * 2,
           [=] __device__(Size i) { return -bit[i] * safe_log(bit[i]); });
  sum_into(codebook, Size{1} << p.d,
           [=] __device__(Size i) { return -mean[i] * safe_log(mean[i]); });
}

void entropy_backward(const CodeProbabilities& p, const float* z, double tau, double gamma,
                      float* dz) {
  const Size n = p.n, d = p.d, low_bits = p.low_bits, high_bits = d - low_bits;
  Buffer<double> by_low(Size{1} << d), by_high(Size{1} << d);
  logs_of_mean(p, by_low.data(), by_high.data());
  gradient_of_half(p, p.low, averages(p.high, by_low, high_bits, low_bits, n), 0, low_bits, z, tau,
                   gamma, dz);
  gradient_of_half(p, p.high, averages(p.low, by_high, low_bits, high_bits, n), low_bits, high_bits,
                   z, tau, gamma, dz);
}

}  // namespace latent::device

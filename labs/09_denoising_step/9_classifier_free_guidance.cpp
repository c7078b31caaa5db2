// 9.9 classifier_free_guidance, dynamic_threshold and rescale_zero_terminal_snr: three repairs.
// Roughly 4, 15 and 10 lines. The contract is in denoising_step.hpp. Try it: ./lab grade 9.9 Stuck:
// ./lab hint 9.9

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

Matrix classifier_free_guidance(const Matrix& unconditional, const Matrix& conditional,
                                double scale) {
  // What should come out for a scale of 0, and for 1? Two points make a line.
  return todo(unconditional, conditional, scale);
}

Matrix dynamic_threshold(const Matrix& x0, double ratio) {
  // One quantile per what? Between which two of the sorted magnitudes does it lie? And why must the
  // divisor not be smaller than 1?
  return todo(x0, ratio);
}

DoubleVector rescale_zero_terminal_snr(const DoubleVector& alphas_cumprod) {
  // A line through two points again, but a line in which quantity: beta, a, or the root of a?
  return todo(alphas_cumprod);
}

}  // namespace latent

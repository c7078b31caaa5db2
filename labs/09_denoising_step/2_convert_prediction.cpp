// 9.2 convert_prediction and convert_flow: what a model's output means.  Roughly 14 and 5 lines,
// half of them refusals. The contract is in denoising_step.hpp. Try it: ./lab grade 9.2    Stuck:
// ./lab hint 9.2

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

Denoised convert_prediction(PredictionType type, const Matrix& x_t, const Matrix& output,
                            double a_t) {
  // One equation, x_t = sqrt(a) x_0 + sqrt(1 - a) eps. Which of its three letters are given, for
  // each type? For v there are two equations: which two products of them add up to x_0 alone? Where
  // would you divide by 0?
  return todo(type, x_t, output, a_t);
}

Denoised convert_flow(const Matrix& x_s, const Matrix& output, double s) {
  // A straight line from x_0 (s = 0) to eps (s = 1), and u is its direction. You stand at s. How
  // far is it to each end?
  return todo(x_s, output, s);
}

}  // namespace latent

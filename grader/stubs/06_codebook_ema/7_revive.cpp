// 6.7 revive: a dead code moves to where a row is.  Roughly 20 lines, half of them refusals.
// The contract is in codebook_ema.hpp. Try it: ./lab grade 6.7    Stuck: ./lab hint 6.7

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  // The next update computes this code afresh, from two numbers. If you leave them as they are,
  // what does it compute? Which two numbers have the row that you chose as their quotient? Who
  // takes the second entry of order: code 1, or the second dead code?
  return todo(state, dead, z, order);
}

}  // namespace latent

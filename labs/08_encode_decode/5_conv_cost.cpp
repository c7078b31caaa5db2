// 8.5 conv_cost and attention_cost: what a layer costs, before it runs.  Roughly 14 and 5 lines.
// The contract is in encode_decode.hpp. Try it: ./lab grade 8.5    Stuck: ./lab hint 8.5

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {

LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  // Take one output value: how many products is it the sum of? How many such values are there?
  // Which function of lab 01 knows the number of positions?
  return todo(input, conv, bytes_per_value);
}

LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  // Queries, keys, values, output: four matrices [C, C] applied to n rows. Then who is multiplied
  // with whom, twice?
  return todo(input, bytes_per_value);
}

}  // namespace latent

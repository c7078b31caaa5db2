#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

void require_countable(const Shape& input, std::int64_t bytes_per_value) {
  require(input.size() == 4 && input[0] >= 1 && input[1] >= 1 && input[2] >= 1 && input[3] >= 1,
          "conv_cost: expected four sizes of at least 1, got " + to_string(input));
  require(bytes_per_value >= 1, "conv_cost: expected at least one byte per value, got " +
                                    std::to_string(bytes_per_value));
}

}  // namespace

LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  require_countable(input, bytes_per_value);
  const std::int64_t channels = input[1], k = conv.kernel, pad = conv.padding;
  require(conv.out_channels >= 1 && conv.groups >= 1 && channels % conv.groups == 0 &&
              conv.out_channels % conv.groups == 0,
          "conv_cost: expected groups that divide both numbers of channels, got " +
              to_string(Shape{conv.groups, channels, conv.out_channels}));
  const std::int64_t values = input[0] * conv.out_channels *
                              conv2d_out(input[2], k, conv.stride, pad, pad) *
                              conv2d_out(input[3], k, conv.stride, pad, pad);
  const std::int64_t seen = channels / conv.groups * k * k;  // by one output value
  const std::int64_t biases = conv.has_bias ? conv.out_channels : 0;
  return {values * seen, 2 * values * seen, conv.out_channels * seen + biases,
          values * bytes_per_value};
}

LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  require_countable(input, bytes_per_value);
  const std::int64_t c = input[1], n = input[2] * input[3];
  const std::int64_t macs = input[0] * (4 * n * c * c + 2 * n * n * c);
  return {macs, 2 * macs, 4 * (c * c + c), input[0] * n * n * bytes_per_value};
}

}  // namespace latent

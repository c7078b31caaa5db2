#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

std::int64_t positions(std::int64_t side, std::int64_t step) {
  const std::int64_t below = side < step ? step : side / step * step;
  require(side >= 1 && side % step == 0,
          "latent_shape: expected a multiple of " + std::to_string(step) + " such as " +
              std::to_string(below) + " or " + std::to_string(below + step) + ", got " +
              std::to_string(side));
  return side / step;
}

}  // namespace

LatentContract latent_contract(AutoencoderFamily family) {
  switch (family) {
    case AutoencoderFamily::kSd1:
      return {4, 8, 0.18215, 0.0, 1};
    case AutoencoderFamily::kSdxl:
      return {4, 8, 0.13025, 0.0, 1};
    case AutoencoderFamily::kSd3:
      return {16, 8, 1.5305, 0.0609, 1};
    case AutoencoderFamily::kFlux1:
      return {16, 8, 0.3611, 0.1159, 2};
    case AutoencoderFamily::kFlux2:
      return {32, 8, 1.0, 0.0, 2};
  }
  throw std::invalid_argument("latent_contract: expected one of five families, got number " +
                              std::to_string(static_cast<int>(family)));
}

Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const LatentContract contract = latent_contract(family);
  const std::int64_t pack = packed ? contract.pack : 1;
  const std::int64_t step = contract.factor * pack;
  return {pack * pack * contract.channels, positions(height, step), positions(width, step)};
}

}  // namespace latent

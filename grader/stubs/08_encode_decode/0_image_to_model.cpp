// 8.0 image_to_model and model_to_image: bytes become numbers and bytes again.  Roughly 12 lines
// each.
// The contract is in encode_decode.hpp. Try it: ./lab grade 8.0    Stuck: ./lab hint 8.0

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {

Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  // Value number i of the picture: which channel is it of, and of which pixel? Where do the values
  // of one channel begin in a tensor [1, 3, H, W]?
  // Which value becomes 0, which 1, which -1?
  return todo(image, range);
}

Pixels model_to_image(const Tensor4& x, PixelRange range) {
  // In which order: to the range from 0 to 1, clamp, times 255, round? What would a byte make of
  // 280, and what of 254.9, if nobody clamped or rounded?
  return todo(x, range);
}

}  // namespace latent

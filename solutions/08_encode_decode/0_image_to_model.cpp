#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {

Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  require(image.height >= 0 && image.width >= 0,
          "image_to_model: expected sides of at least 0, got " +
              to_string(Shape{image.height, image.width}));
  const Index count = static_cast<Index>(image.values.size());
  require_size(count, image.height * image.width * 3, "image_to_model: number of values");
  Tensor4 x(1, 3, image.height, image.width);
  for (Index i = 0; i < count; ++i) {
    const std::int32_t v = image.values[static_cast<std::size_t>(i)];
    require(v >= 0 && v <= 255,
            "image_to_model: expected values from 0 to 255, got " + std::to_string(v));
    const float value = static_cast<float>(v);
    // Value i is channel i % 3 of pixel i / 3.
    x.data()[i % 3 * (count / 3) + i / 3] =
        range == PixelRange::kMinusOneToOne ? value / 127.5F - 1.0F : value / 255.0F;
  }
  return x;
}

Pixels model_to_image(const Tensor4& x, PixelRange range) {
  require(x.n() == 1 && x.c() == 3,
          "model_to_image: expected one sample of three channels, got " + shape_of(x));
  Pixels image{x.h(), x.w(), std::vector<std::int32_t>(static_cast<std::size_t>(x.size()))};
  for (Index i = 0; i < x.size(); ++i) {
    double y = x.data()[i % 3 * (x.size() / 3) + i / 3];
    require(std::isfinite(y), "model_to_image: expected finite elements, got " + std::to_string(y));
    if (range == PixelRange::kMinusOneToOne) y = (y + 1.0) / 2.0;
    image.values[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>(std::rint(255.0 * std::clamp(y, 0.0, 1.0)));
  }
  return image;
}

}  // namespace latent

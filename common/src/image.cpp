#include "common/image.hpp"

#include <png.h>

#include "common/require.hpp"

namespace latent {
namespace {

constexpr std::uintmax_t kMaxFile = std::uintmax_t{256} << 20;
constexpr png_uint_32 kMaxSide = 16'384;

/// libpng's own structure, which must be freed whatever happens.
struct Png : png_image {
  Png() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~Png() { png_image_free(this); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
};

}  // namespace

Image parse_png(std::string_view bytes, const std::string& name, Index channels) {
  require(channels == 1 || channels == 3,
          "parse_png: expected 1 or 3 channels, got " + std::to_string(channels));
  Png png;
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0)
    throw FileError(name + ": expected a PNG, but " + png.message);
  if (png.width > kMaxSide || png.height > kMaxSide)
    throw FileError(name + ": expected at most 16384 pixels a side, found " +
                    std::to_string(png.width) + " x " + std::to_string(png.height));
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  Image image{png.height, png.width, channels, {}};
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&png, &white, image.pixels.data(), 0, nullptr) == 0)
    throw FileError(name + ": expected a whole PNG, but " + png.message);
  return image;
}

Image read_png(const std::string& path, Index channels) {
  return parse_png(read_bytes(path, "a PNG", kMaxFile), path, channels);
}

std::string encode_png(const Image& image) {
  require(image.channels == 1 || image.channels == 3,
          "encode_png: expected 1 or 3 channels, got " + std::to_string(image.channels));
  require(image.height > 0 && image.width > 0,
          "encode_png: expected a pixel, got " + to_string(Shape{image.height, image.width}));
  require_size(std::ssize(image.pixels), image.height * image.width * image.channels,
               "encode_png: number of bytes");
  Png png;
  png.height = static_cast<png_uint_32>(image.height);
  png.width = static_cast<png_uint_32>(image.width);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(std::string("a PNG cannot be made: ") + png.message);
  bytes.resize(size);
  return bytes;
}

void write_png(const std::string& path, const Image& image) {
  write_bytes(path, encode_png(image));
}

}  // namespace latent

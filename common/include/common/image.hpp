/// @file
/// Pictures in files: PNG, through libpng.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/files.hpp"
#include "common/types.hpp"

namespace latent {

/// A picture as a file holds it: bytes, rows from the top, the channels of a pixel side by side.
struct Image {
  Index height = 0;                  ///< Rows.
  Index width = 0;                   ///< Columns.
  Index channels = 3;                ///< 3: red, green, blue; 1: grey.
  std::vector<std::uint8_t> pixels;  ///< height * width * channels of them, channel fastest.
};

/// Reads a PNG, of whatever kind: palettes are looked up, 16 bits become 8, and what is transparent
/// is laid over white.
/// @param path      Of a file of at most 256 MiB.
/// @param channels  3 or 1: colours are turned into grey or grey into colours.
/// @return          At most 16,384 pixels a side.
/// @throws FileError              if it cannot be read or is no such PNG.
/// @throws std::invalid_argument  if channels is neither.
Image read_png(const std::string& path, Index channels = 3);

/// The same for bytes that are already in memory.
/// @param bytes     The content of a file.
/// @param name      What to call it in messages.
/// @param channels  3 or 1.
/// @return          The picture.
/// @throws FileError  as `read_png` does.
Image parse_png(std::string_view bytes, const std::string& name, Index channels = 3);

/// A picture as the bytes of an 8-bit PNG.
/// @param image  What.
/// @return       What a file would hold.
/// @throws std::invalid_argument  if its sizes do not fit its pixels or it has none.
std::string encode_png(const Image& image);

/// Writes an 8-bit PNG, all of it or nothing.
/// @param path   Where to.
/// @param image  What.
/// @throws FileError              if it cannot be written.
/// @throws std::invalid_argument  if its sizes do not fit its pixels or it has none.
void write_png(const std::string& path, const Image& image);

}  // namespace latent

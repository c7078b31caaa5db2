/// @file
/// Files that come and go whole, and one way to say what is wrong with one.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace latent {

/// A file that cannot be used. The message names it and says what was expected and what was found.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads a whole file.
/// @param path   Where it is.
/// @param what   What it is expected to be, for the message: "a PNG".
/// @param limit  How many bytes it may have.
/// @return       Its bytes.
/// @throws FileError  if it is no regular file, larger than that, or cannot be read.
std::string read_bytes(const std::string& path, const std::string& what, std::uintmax_t limit);

/// Writes a whole file. It appears under its name when it is complete; until then, and if anything
/// fails, what was there before stays.
/// @param path   Where to.
/// @param bytes  What.
/// @throws FileError  if it cannot be written.
void write_bytes(const std::string& path, std::string_view bytes);

}  // namespace latent

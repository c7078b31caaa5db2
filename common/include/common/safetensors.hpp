/// @file
/// Tensors in files, in the .safetensors format: eight bytes that hold the length of a header, a
/// header in JSON that names each tensor with its type, shape and place, then the elements.
///
/// Nothing in such a file is believed: every length, place and shape is checked against the bytes
/// that are there before a single element is read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/files.hpp"
#include "common/types.hpp"

namespace latent {

/// A tensor of a file, as floats whatever the file holds.
struct StoredTensor {
  Shape shape;                ///< As the file states it; a scalar has the empty shape.
  std::vector<float> values;  ///< As many as the shape says, last index fastest.
  std::string dtype = "F32";  ///< What the file holds: "F16", "BF16" or "F32".
};

/// Tensors by name, for example "3.conv.0.weight".
using StoredTensors = std::map<std::string, StoredTensor>;

/// Reads a whole file.
/// @param path  Of a .safetensors file of at most 1 GiB.
/// @return      Its tensors.
/// @throws FileError  if it cannot be read, or is not well formed: a header longer than the file or
///                    than 64 MiB, JSON that is none, a type other than F16, BF16 or F32, a place
///                    outside of the data, overlapping or missing bytes, or bytes left over.
StoredTensors read_safetensors(const std::string& path);

/// The same for bytes that are already in memory.
/// @param bytes  The content of a file.
/// @param name   What to call it in messages.
/// @return       Its tensors.
/// @throws FileError  as `read_safetensors` does.
StoredTensors parse_safetensors(std::string_view bytes, const std::string& name);

/// Writes a file, all of it or nothing: it appears under its name when it is complete.
/// @param path     Where to.
/// @param tensors  What; elements are written as dtype says, F16 and BF16 rounded to nearest.
/// @throws FileError              if it cannot be written.
/// @throws std::invalid_argument  if a tensor's shape and number of values differ, or its dtype is
///                                none of the three.
void write_safetensors(const std::string& path, const StoredTensors& tensors);

/// A tensor that has to be there, with the shape that it has to have.
/// @param tensors  From `read_safetensors`.
/// @param name     Its name.
/// @param shape    Its shape.
/// @param file     What to call the file in the message.
/// @return         The tensor.
/// @throws FileError  if it is missing or has another shape.
const StoredTensor& expect_tensor(const StoredTensors& tensors, const std::string& name,
                                  const Shape& shape, const std::string& file);

}  // namespace latent

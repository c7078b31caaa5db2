/// @file
/// Files of our own, and their fingerprints.
#pragma once

#include <string>

namespace latent::grader {

/// SHA-256 as 64 hexadecimal digits.
std::string sha256(const std::string& bytes);

/// A whole file, or nothing if it cannot be read.
bool read_file(const std::string& path, std::string& content);

/// Replaces a file in one step.
void write_file(const std::string& path, const std::string& content);

}  // namespace latent::grader

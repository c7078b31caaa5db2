/// @file
/// Landlock: the kernel's way for a process to give up files for good.
#pragma once

#include <string>
#include <vector>

namespace latent::grader {

/// Leaves this process and its children nothing but these folders and files. Does nothing where the
/// kernel has no Landlock.
/// @param readable  To read and execute.
/// @param writable  To read, write and create in; may be empty.
void restrict_files(const std::vector<std::string>& readable, const std::string& writable);

}  // namespace latent::grader

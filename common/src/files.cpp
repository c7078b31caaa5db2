#include "common/files.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace latent {

std::string read_bytes(const std::string& path, const std::string& what, std::uintmax_t limit) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw FileError(path + ": expected " + what + ", found " +
                    (std::filesystem::exists(path, error) ? "something else" : "nothing"));
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > limit)
    throw FileError(path + ": expected " + what + " of at most " + std::to_string(limit >> 20) +
                    " MiB, found " + std::to_string(size >> 20) + " MiB");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::ifstream in(path, std::ios::binary);
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw FileError(path + " cannot be read; is it yours to read?");
  return bytes;
}

void write_bytes(const std::string& path, std::string_view bytes) {
  const std::string part = path + ".part" + std::to_string(::getpid());
  std::ofstream out(part, std::ios::binary);
  out << bytes;
  out.close();
  std::error_code error, ignored;
  if (out) std::filesystem::rename(part, path, error);
  if (out && !error) return;
  std::filesystem::remove(part, ignored);
  throw FileError(path +
                  " cannot be written: does its folder exist, is it yours, is the disk full?");
}

}  // namespace latent

#include "grader/judge/files.hpp"

#include <sha2.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace latent::grader {

std::string sha256(const std::string& bytes) {
  char hex[SHA256_DIGEST_STRING_LENGTH];
  ::SHA256Data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), hex);
  return hex;
}

bool read_file(const std::string& path, std::string& content) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return false;
  content.assign(std::istreambuf_iterator<char>(in), {});
  return true;
}

void write_file(const std::string& path, const std::string& content) {
  const std::string part = path + ".part" + std::to_string(::getpid());
  {
    std::ofstream out(part, std::ios::binary);
    out << content;
    if (!out.flush())
      throw std::runtime_error("cannot write " + path +
                               ": is the disk full, or the folder read-only?");
  }
  std::filesystem::rename(part, path);
}

}  // namespace latent::grader

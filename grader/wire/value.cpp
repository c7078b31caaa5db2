#include "grader/wire/value.hpp"

#include <cstring>

namespace latent::grader {
namespace {

template <typename T>
double load(const std::vector<std::byte>& bytes, std::size_t i) {
  T element;
  std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));
  return static_cast<double>(element);
}

}  // namespace

std::size_t size_of(Type type) {
  return type == Type::kFloat32 || type == Type::kInt32 ? 4 : 8;
}

double Value::at(std::size_t i) const {
  switch (type) {
    case Type::kFloat32:
      return load<float>(bytes, i);
    case Type::kFloat64:
      return load<double>(bytes, i);
    case Type::kInt32:
      return load<std::int32_t>(bytes, i);
    case Type::kInt64:
      return load<std::int64_t>(bytes, i);
  }
  throw WireError("an element type that does not exist");
}

}  // namespace latent::grader

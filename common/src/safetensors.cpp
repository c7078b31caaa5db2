#include "common/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "common/require.hpp"

namespace latent {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxHeader = std::uint64_t{64} << 20;

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

/// Where a tensor's bytes lie, counted from the end of the header.
struct Place {
  std::string name, dtype;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

std::uint64_t element_size(const std::string& dtype) {
  return dtype == "F32" ? 4 : dtype == "F16" || dtype == "BF16" ? 2 : 0;
}

/// Reads one file and complains in its name.
class Parser {
 public:
  Parser(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  StoredTensors parse() {
    const std::string_view header = header_bytes();
    data_ = bytes_.substr(8 + header.size());
    std::vector<Place> places = places_in(header);
    check_that_they_cover_the_data(places);
    StoredTensors tensors;
    for (const Place& place : places) tensors.emplace(place.name, tensor_at(place));
    return tensors;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw FileError(name_ + ": " + what); }

  std::string_view header_bytes() const {
    if (bytes_.size() < 8)
      fail("expected a .safetensors file, which starts with 8 bytes, found " +
           std::to_string(bytes_.size()) + " in all");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    if (length > kMaxHeader)
      fail("its header claims " + std::to_string(length) +
           " bytes, more than the 64 MiB that one may have; is it a .safetensors file?");
    if (length > bytes_.size() - 8)
      fail("its header claims " + std::to_string(length) + " bytes, but only " +
           std::to_string(bytes_.size() - 8) + " follow; was the download cut off?");
    return bytes_.substr(8, length);
  }

  std::vector<Place> places_in(std::string_view header) const {
    std::set<std::string> keys;
    bool doubled = false;
    // A later entry of the same name would silently win.
    const auto watch = [&](int depth, Json::parse_event_t event, Json& key) {
      if (depth == 1 && event == Json::parse_event_t::key)
        doubled = !keys.insert(key.get<std::string>()).second || doubled;
      return true;
    };
    const Json json = Json::parse(header, watch, false);
    if (!json.is_object()) fail("its header is not a JSON object; is it a .safetensors file?");
    if (doubled) fail("its header names a tensor twice");
    std::vector<Place> places;
    for (const auto& [name, entry] : json.items()) {
      if (name != "__metadata__") places.push_back(place_of(name, entry));
    }
    return places;
  }

  Place place_of(const std::string& name, const Json& entry) const {
    const std::string tensor = "tensor \"" + name.substr(0, 80) + "\"";
    const auto has = [&](const char* key) { return entry.is_object() && entry.contains(key); };
    if (!has("dtype") || !has("shape") || !has("data_offsets"))
      fail(tensor + " lacks one of dtype, shape and data_offsets");
    if (!entry["dtype"].is_string() || element_size(entry["dtype"]) == 0)
      fail(tensor + " has the dtype " + entry["dtype"].dump().substr(0, 40) +
           "; expected F16, BF16 or F32");
    Place place{name, entry["dtype"], {}, 0, 0};
    const Json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      fail(tensor + ": expected data_offsets to be two whole numbers");
    place.begin = offsets[0];
    place.end = offsets[1];
    if (place.begin > place.end || place.end > data_.size())
      fail(tensor + " claims bytes " + std::to_string(place.begin) + " to " +
           std::to_string(place.end) + " of " + std::to_string(data_.size()));
    place.shape = shape_of_entry(entry["shape"], tensor);
    const std::uint64_t expected = count(place.shape, tensor) * element_size(place.dtype);
    if (expected != place.end - place.begin)
      fail(tensor + " of shape " + to_string(place.shape) + " and dtype " + place.dtype +
           " takes " + std::to_string(expected) + " bytes, its place has " +
           std::to_string(place.end - place.begin));
    return place;
  }

  Shape shape_of_entry(const Json& json, const std::string& tensor) const {
    if (!json.is_array() || json.size() > 8)
      fail(tensor + ": expected its shape to be a list of at most 8 sizes");
    Shape shape;
    for (const Json& size : json) {
      if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kMaxFile)
        fail(tensor + ": " + size.dump().substr(0, 40) + " is no size");
      shape.push_back(size);
    }
    return shape;
  }

  std::uint64_t count(const Shape& shape, const std::string& tensor) const {
    std::uint64_t product = 1;
    for (const std::int64_t size : shape) {
      product *= static_cast<std::uint64_t>(size);  // both factors are at most 2^30
      if (product > kMaxFile) fail(tensor + " of shape " + to_string(shape) + " is too large");
    }
    return product;
  }

  void check_that_they_cover_the_data(std::vector<Place>& places) const {
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t at = 0;
    for (const Place& place : places) {
      if (place.begin < at) fail("tensor \"" + place.name + "\" overlaps the one before it");
      if (place.begin > at)
        fail(std::to_string(place.begin - at) + " bytes before tensor \"" + place.name +
             "\" belong to none");
      at = place.end;
    }
    if (at != data_.size())
      fail(std::to_string(data_.size() - at) + " bytes are left over behind the last tensor");
  }

  StoredTensor tensor_at(const Place& place) const {
    StoredTensor tensor{place.shape, {}, place.dtype};
    const char* from = data_.data() + place.begin;
    const std::size_t size = element_size(place.dtype), n = (place.end - place.begin) / size;
    tensor.values.resize(n);
    if (place.dtype == "F32") {
      if (n > 0) std::memcpy(tensor.values.data(), from, n * size);
      return tensor;
    }
    for (std::size_t i = 0; i < n; ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, from + i * size, size);
      tensor.values[i] =
          place.dtype == "F16"
              ? static_cast<float>(Eigen::half(Eigen::half_impl::raw_uint16_to_half(bits)))
              : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
    }
    return tensor;
  }

  std::string_view bytes_, data_;
  const std::string& name_;
};

std::string encoded(const StoredTensor& tensor) {
  std::string bytes(tensor.values.size() * element_size(tensor.dtype), '\0');
  if (tensor.dtype == "F32") {
    if (!bytes.empty()) std::memcpy(bytes.data(), tensor.values.data(), bytes.size());
    return bytes;
  }
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const float value = tensor.values[i];
    const std::uint16_t bits =
        tensor.dtype == "F16" ? Eigen::half(value).x : Eigen::bfloat16(value).value;
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
  return bytes;
}

}  // namespace

StoredTensors parse_safetensors(std::string_view bytes, const std::string& name) {
  return Parser(bytes, name).parse();
}

StoredTensors read_safetensors(const std::string& path) {
  return parse_safetensors(read_bytes(path, "a .safetensors file", kMaxFile), path);
}

void write_safetensors(const std::string& path, const StoredTensors& tensors) {
  Json header = Json::object();
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    std::int64_t expected = 1;
    for (const std::int64_t size : tensor.shape) expected *= size;
    require_size(std::ssize(tensor.values), expected, "write_safetensors: values of " + name);
    require(element_size(tensor.dtype) > 0,
            "write_safetensors: expected F16, BF16 or F32, got " + tensor.dtype);
    const std::size_t begin = data.size();
    data += encoded(tensor);
    header[name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // elements start at a multiple of 8
  const std::uint64_t length = text.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  write_bytes(path, file + text + data);
}

const StoredTensor& expect_tensor(const StoredTensors& tensors, const std::string& name,
                                  const Shape& shape, const std::string& file) {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    throw FileError(file + " has no tensor \"" + name + "\"; expected one of shape " +
                    to_string(shape));
  if (found->second.shape != shape)
    throw FileError(file + ": expected \"" + name + "\" to have the shape " + to_string(shape) +
                    ", found " + to_string(found->second.shape));
  return found->second;
}

}  // namespace latent

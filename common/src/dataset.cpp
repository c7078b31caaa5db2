#include "common/dataset.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "common/random.hpp"
#include "common/require.hpp"

// Built with -ffp-contract=off, and sums are plain loops: the same seed is the same data
// everywhere.

namespace latent {
namespace {

constexpr std::size_t kMaxFile = std::size_t{256} << 20;
constexpr Index kSide = 28;

Dataset empty_dataset(const std::string& name, Index n, const Shape& shape) {
  require(n >= 0, name + ": expected a number of samples, got " + std::to_string(n));
  Index size = 1;
  for (const std::int64_t side : shape) size *= side;
  const std::vector<std::int64_t> labels(static_cast<std::size_t>(n), 0);
  return {Matrix::Zero(n, size), labels, name, shape};
}

// ---- sprites ------------------------------------------------------------------------------------

/// How far a point lies inside of a figure, in pixels; negative outside. The figure is `a` long and
/// `b` wide to each side of its centre, u along and v across it.
double depth_inside(int figure, double u, double v, double a, double b) {
  if (figure == 0) return std::min(a - std::abs(u), b - std::abs(v));
  if (figure == 1) return (1.0 - std::sqrt(u * u / (a * a) + v * v / (b * b))) * b;
  // An isosceles triangle with its tip at u = a and its base at u = -a, two b long.
  const double slope = 2.0 * a / b, side = std::sqrt(1.0 + slope * slope);
  return std::min(u + a, (a - u - slope * std::abs(v)) / side);
}

/// Factors in the order of SpriteFactor: later columns must not move earlier ones.
std::array<double, kSpriteFactors> random_factors(Random& random) {
  std::array<double, kSpriteFactors> f{};
  f[kSpriteShape] = static_cast<double>(random.integer(0, 2));
  f[kSpriteColumn] = random.uniform(8.0, 20.0);
  f[kSpriteRow] = random.uniform(8.0, 20.0);
  f[kSpriteSize] = random.uniform(3.5, 7.0);
  f[kSpriteOrientation] = random.uniform(0.0, std::numbers::pi);
  f[kSpriteIntensity] = random.uniform(0.5, 1.0);
  return f;
}

void draw_sprite(const std::array<double, kSpriteFactors>& f, float* pixels) {
  const double c = std::cos(f[kSpriteOrientation]), s = std::sin(f[kSpriteOrientation]);
  const double a = f[kSpriteSize], b = 0.5 * a;
  for (Index row = 0; row < kSide; ++row) {
    for (Index col = 0; col < kSide; ++col) {
      const double dx = static_cast<double>(col) + 0.5 - f[kSpriteColumn];
      const double dy = static_cast<double>(row) + 0.5 - f[kSpriteRow];
      const double inside =
          depth_inside(static_cast<int>(f[kSpriteShape]), dx * c + dy * s, dy * c - dx * s, a, b);
      const double cover = std::clamp(0.5 + inside, 0.0, 1.0);
      pixels[row * kSide + col] = static_cast<float>(f[kSpriteIntensity] * cover);
    }
  }
}

// ---- IDX ----------------------------------------------------------------------------------------

bool is_gzip(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

/// zlib's own state, which must be freed whatever happens.
struct Inflater : z_stream {
  Inflater() : z_stream{} { ready = inflateInit2(this, 16 + MAX_WBITS) == Z_OK; }
  ~Inflater() { inflateEnd(this); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ready = false;
};

/// A few bytes of gzip can claim gigabytes: unpacked piece by piece, up to the limit.
std::string unpacked(std::string_view bytes, const std::string& name) {
  Inflater stream;
  if (!stream.ready) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string all;
  std::vector<char> piece(std::size_t{1} << 18);
  for (int status = Z_OK; status != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = piece.size() - stream.avail_out;
    if (status != Z_OK && status != Z_STREAM_END)
      throw FileError(name + ": its gzip data is damaged or ends early; was the download cut off?");
    if (all.size() + got > kMaxFile)
      throw FileError(name + ": expected at most 256 MiB when unpacked, found more");
    all.append(piece.data(), got);
  }
  return all;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t word) {
  std::uint32_t value = 0;
  for (std::size_t i = 4 * word; i < 4 * word + 4; ++i)
    value = value << 8U | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

/// The sizes in a header; afterwards as many bytes are known to follow as they say.
/// @param magic  2048 + the number of sizes.
std::vector<std::uint64_t> sizes_in(std::string_view bytes, std::uint32_t magic,
                                    const std::string& name) {
  const std::size_t sizes = magic - 2048, header = 4 + 4 * sizes;
  if (bytes.size() < header)
    throw FileError(name + ": expected an IDX file, which starts with " + std::to_string(header) +
                    " bytes, found " + std::to_string(bytes.size()) + " in all");
  if (big_endian(bytes, 0) != magic)
    throw FileError(name + ": expected the magic number " + std::to_string(magic) + ", found " +
                    std::to_string(big_endian(bytes, 0)) + "; is it an IDX file of this kind?");
  std::vector<std::uint64_t> found;
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < sizes; ++i) {
    found.push_back(big_endian(bytes, i + 1));
    // The product so far is at most 2^28 and the factor below 2^32.
    product *= found.back();
    if (product > kMaxFile || (i > 0 && found.back() == 0))
      throw FileError(name + ": its sizes make no sense: size " + std::to_string(i + 1) + " is " +
                      std::to_string(found.back()));
  }
  if (bytes.size() - header != product)
    throw FileError(name + ": its header claims " + std::to_string(product) + " bytes, but " +
                    std::to_string(bytes.size() - header) + " follow; was the download cut off?");
  return found;
}

Dataset dataset_of(std::string_view images, const std::string& images_name, std::string_view labels,
                   const std::string& labels_name) {
  const std::string image_bytes =
      is_gzip(images) ? unpacked(images, images_name) : std::string(images);
  const std::string label_bytes =
      is_gzip(labels) ? unpacked(labels, labels_name) : std::string(labels);
  const std::vector<std::uint64_t> sizes = sizes_in(image_bytes, 2051, images_name);
  const std::uint64_t count = sizes_in(label_bytes, 2049, labels_name)[0];
  if (count != sizes[0])
    throw FileError(labels_name + ": expected " + std::to_string(sizes[0]) +
                    " labels, as many as there are images, found " + std::to_string(count));
  Dataset data =
      empty_dataset("images", static_cast<Index>(count),
                    {1, static_cast<std::int64_t>(sizes[1]), static_cast<std::int64_t>(sizes[2])});
  for (Index i = 0; i < data.x.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(image_bytes[static_cast<std::size_t>(16 + i)]);
    data.x.data()[i] = static_cast<float>(byte) / 255.0F;
  }
  for (std::size_t i = 0; i < data.labels.size(); ++i)
    data.labels[i] = static_cast<std::uint8_t>(label_bytes[8 + i]);
  return data;
}

}  // namespace

Dataset mixture8(std::uint64_t seed, Index n) {
  Dataset data = empty_dataset("mixture of two Gaussians", n, {8});
  Random random(seed);
  for (Index i = 0; i < n; ++i) {
    const std::int64_t component = random.integer(0, 1);
    data.labels[static_cast<std::size_t>(i)] = component;
    for (Index k = 0; k < 8; ++k) {
      const double spread = std::sqrt(std::ldexp(1.0, -static_cast<int>(k)));
      data.x(i, k) = static_cast<float>((component == 1 ? 1.0 : -1.0) + spread * random.normal());
    }
  }
  return data;
}

DoubleVector gaussian8_spectrum() {
  DoubleVector spectrum(8);
  for (int k = 0; k < 8; ++k) spectrum(k) = std::ldexp(4.0, -k);
  return spectrum;
}

Dataset gaussian8(std::uint64_t seed, Index n) {
  Dataset data = empty_dataset("Gaussian", n, {8});
  const DoubleVector spectrum = gaussian8_spectrum();
  Random random(seed);
  for (Index i = 0; i < n; ++i) {
    std::array<double, 8> x{};
    for (unsigned k = 0; k < 8; ++k) {
      const double along = std::sqrt(spectrum(k) / 8.0) * random.normal();
      // Entry (d, k) of Sylvester's matrix: -1 to the number of ones that d and k share in binary.
      for (unsigned d = 0; d < 8; ++d) x[d] += std::popcount(d & k) % 2 == 0 ? along : -along;
    }
    for (unsigned d = 0; d < 8; ++d) data.x(i, d) = static_cast<float>(x[d]);
  }
  return data;
}

Sprites sprites(std::uint64_t seed, Index n) {
  Sprites all{empty_dataset("sprites", n, {1, kSide, kSide}), Matrix::Zero(n, kSpriteFactors)};
  Random random(seed);
  for (Index i = 0; i < n; ++i) {
    const auto factors = random_factors(random);
    for (int f = 0; f < kSpriteFactors; ++f)
      all.factors(i, f) = static_cast<float>(factors[static_cast<std::size_t>(f)]);
    all.data.labels[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(factors[kSpriteShape]);
    draw_sprite(factors, all.data.x.data() + i * all.data.x.cols());
  }
  return all;
}

Dataset read_idx(const std::string& images_file, const std::string& labels_file) {
  const std::string images = read_bytes(images_file, "an IDX file of images", kMaxFile);
  const std::string labels = read_bytes(labels_file, "an IDX file of labels", kMaxFile);
  return dataset_of(images, images_file, labels, labels_file);
}

Dataset parse_idx(std::string_view images, std::string_view labels) {
  return dataset_of(images, "images", labels, "labels");
}

}  // namespace latent

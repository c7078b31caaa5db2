#include "common/dataset.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <numeric>

#include "common/image.hpp"
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

MovingBars moving_bars(std::uint64_t seed, Index n, Index frames) {
  constexpr Index kPixels = 16;
  require(n >= 0 && frames >= 1, "moving bars: expected clips and frames, got " +
                                     std::to_string(n) + " and " + std::to_string(frames));
  MovingBars all{empty_dataset("moving bars", n * frames, {1, kPixels, kPixels}), frames,
                 Matrix::Zero(n, kBarFactors)};
  Random random(seed);
  for (Index i = 0; i < n; ++i) {
    // In the order of BarFactor: later columns must not move earlier ones.
    const bool vertical = random.integer(0, 1) == 1;
    const double start = random.uniform(0.0, 16.0), pace = random.uniform(0.25, 1.5),
                 speed = random.integer(0, 1) == 1 ? pace : -pace, width = random.uniform(2.0, 5.0),
                 brightness = random.uniform(0.5, 1.0);
    all.factors.row(i) << (vertical ? 1.0F : 0.0F), static_cast<float>(start),
        static_cast<float>(speed), static_cast<float>(width), static_cast<float>(brightness);
    for (Index t = 0; t < frames; ++t) {
      all.data.labels[static_cast<std::size_t>(i * frames + t)] = vertical ? 1 : 0;
      Eigen::Map<Matrix> frame(all.data.x.row(i * frames + t).data(), kPixels, kPixels);
      for (Index k = 0; k < kPixels; ++k) {
        // How far the middle of line k lies from the bar's, the short way round.
        const double apart =
            std::remainder(double(k) + 0.5 - start - speed * static_cast<double>(t), 16.0);
        const double cover = std::clamp(0.5 * (width + 1.0) - std::abs(apart), 0.0, 1.0);
        if (vertical)
          frame.col(k).setConstant(static_cast<float>(brightness * cover));
        else
          frame.row(k).setConstant(static_cast<float>(brightness * cover));
      }
    }
  }
  return all;
}

Dataset read_idx(const std::string& images_file, const std::string& labels_file) {
  const std::string images = read_bytes(images_file, "an IDX file of images", kMaxFile);
  const std::string labels = read_bytes(labels_file, "an IDX file of labels", kMaxFile);
  return dataset_of(images, images_file, labels, labels_file);
}

namespace {

namespace fs = std::filesystem;

constexpr Index kFewest = 10;
constexpr Index kLargestSide = 64;

Dataset rows_of(const Dataset& all, const std::vector<Index>& rows) {
  Dataset part{all.x(rows, Eigen::all), {}, all.name, all.shape};
  for (const Index row : rows) part.labels.push_back(all.labels[static_cast<std::size_t>(row)]);
  return part;
}

void require_usable(Index count, const Shape& shape, const std::string& folder) {
  if (count < kFewest)
    throw FileError(folder + ": expected at least " + std::to_string(kFewest) +
                    " pictures, found " + std::to_string(count));
  if (shape[1] > kLargestSide || shape[2] > kLargestSide)
    throw FileError(folder + ": expected pictures of at most 64 x 64, found " +
                    std::to_string(shape[1]) + " x " + std::to_string(shape[2]) +
                    "; make them smaller first");
}

/// The labels that belong to a file of images: the same name but for the kind.
std::string labels_beside(const fs::path& images) {
  std::string name = images.filename();
  name.replace(name.find("images"), 6, "labels");
  name.replace(name.find("idx3"), 4, "idx1");
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const char* ending : {"", ".gz"}) {
    const fs::path labels = images.parent_path() / (name + ending);
    if (fs::exists(labels)) return labels;
  }
  throw FileError(images.string() + ": expected its labels beside it, in " + name);
}

/// EMNIST's publishers store columns where others store rows.
void turn_upright(Dataset& data) {
  const Index h = data.shape[1], w = data.shape[2];
  if (h != w) return;
  for (Index i = 0; i < data.x.rows(); ++i)
    Eigen::Map<Matrix>(data.x.data() + i * data.x.cols(), h, w).transposeInPlace();
}

Dataset idx_pair(const fs::path& images) {
  Dataset data = read_idx(images, labels_beside(images));
  if (images.filename().string().starts_with("emnist")) turn_upright(data);
  data.name = images.parent_path().filename();
  return data;
}

ImageSplit idx_split(const std::vector<fs::path>& images, const std::string& folder) {
  const auto part = [&](auto... words) -> const fs::path* {
    for (const fs::path& path : images) {
      if (((path.filename().string().find(words) != std::string::npos) || ...)) return &path;
    }
    return nullptr;
  };
  const fs::path *train = part("train"), *test = part("t10k", "test");
  ImageSplit split;
  if (train != nullptr && test != nullptr) {
    split = {idx_pair(*train), idx_pair(*test)};
    if (split.train.shape != split.test.shape)
      throw FileError(test->string() + ": expected pictures of the shape " +
                      to_string(split.train.shape) + " as in " + train->filename().string() +
                      ", found " + to_string(split.test.shape));
  } else if (images.size() == 1) {
    const Dataset all = idx_pair(images[0]);
    std::vector<Index> rows(static_cast<std::size_t>(all.x.rows()));
    std::iota(rows.begin(), rows.end(), 0);
    const auto most = rows.begin() + std::ssize(rows) * 4 / 5;
    split = {rows_of(all, {rows.begin(), most}), rows_of(all, {most, rows.end()})};
  } else {
    throw FileError(folder +
                    ": expected one pair of IDX files, or one for train and one for t10k, "
                    "found " +
                    std::to_string(images.size()) + " files of images");
  }
  require_usable(split.train.x.rows() + split.test.x.rows(), split.train.shape, folder);
  return split;
}

/// Files with their labels, in the order of their names.
std::vector<std::pair<fs::path, std::int64_t>> pngs_in(const std::string& folder) {
  std::vector<fs::path> classes;
  std::vector<std::pair<fs::path, std::int64_t>> found;
  const auto collect = [&](const fs::path& from, std::int64_t label) {
    std::vector<fs::path> here;
    for (const auto& entry : fs::directory_iterator(from)) {
      if (entry.path().extension() == ".png") here.push_back(entry.path());
    }
    std::sort(here.begin(), here.end());
    for (const fs::path& path : here) found.emplace_back(path, label);
  };
  collect(folder, 0);
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) classes.push_back(entry.path());
  }
  std::sort(classes.begin(), classes.end());
  for (std::size_t i = 0; i < classes.size(); ++i)
    collect(classes[i], static_cast<std::int64_t>(i));
  return found;
}

/// The channels of the first picture are those of all; a grey file as RGB is a grey picture.
bool is_grey(const Image& image) {
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    if (image.pixels[i] != image.pixels[i + 1] || image.pixels[i] != image.pixels[i + 2])
      return false;
  }
  return true;
}

Dataset read_pngs(const std::string& folder) {
  const auto files = pngs_in(folder);
  if (files.empty())
    throw FileError(folder +
                    ": expected IDX files such as train-images-idx3-ubyte.gz, or PNGs, "
                    "found neither");
  const Image first = read_png(files[0].first);
  const Index channels = is_grey(first) ? 1 : 3;
  Dataset data = empty_dataset(fs::path(folder).filename(), std::ssize(files),
                               {channels, first.height, first.width});
  require_usable(data.x.rows(), data.shape, folder);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Image image = read_png(files[i].first, channels);
    if (image.height != first.height || image.width != first.width)
      throw FileError(files[i].first.string() + ": expected " + std::to_string(first.height) +
                      " x " + std::to_string(first.width) + " pixels as in " +
                      files[0].first.filename().string() + ", found " +
                      std::to_string(image.height) + " x " + std::to_string(image.width));
    const Index pixels = image.height * image.width;
    for (Index k = 0; k < channels * pixels; ++k)
      data.x(static_cast<Index>(i), k % channels * pixels + k / channels) =
          static_cast<float>(image.pixels[static_cast<std::size_t>(k)]) / 255.0F;
    data.labels[i] = files[i].second;
  }
  return data;
}

std::uint32_t fingerprint(const Dataset& data) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.x.data()),
              static_cast<std::size_t>(data.x.size()) * sizeof(float)));
}

}  // namespace

ImageSplit read_image_folder(const std::string& folder) {
  if (!fs::is_directory(folder)) throw FileError(folder + ": expected a folder of pictures");
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.find("images") != std::string::npos && name.find("idx3") != std::string::npos)
      images.push_back(entry.path());
  }
  std::sort(images.begin(), images.end());
  if (!images.empty()) return idx_split(images, folder);
  const Dataset all = read_pngs(folder);
  std::vector<Index> train, test;
  for (Index i = 0; i < all.x.rows(); ++i) (i % 5 == 4 ? test : train).push_back(i);
  return {rows_of(all, train), rows_of(all, test)};
}

ImageSplit images_for(Run& run, Index train, Index test) {
  const std::string folder = run.option("--data");
  ImageSplit split = folder.empty()
                         ? ImageSplit{sprites(run.seed(), train).data,
                                      sprites(run.seed() + 0x9E3779B97F4A7C15ULL, test).data}
                         : read_image_folder(folder);
  run.depends_on("the pictures", fingerprint(split.train));
  return split;
}

std::vector<ExperimentOption> picture_options() {
  std::vector<ExperimentOption> options = training_options();
  options.push_back({"--data", "DIR", "MNIST's files or its relatives', or PNGs, to train on"});
  return options;
}

Dataset parse_idx(std::string_view images, std::string_view labels) {
  return dataset_of(images, "images", labels, "labels");
}

}  // namespace latent

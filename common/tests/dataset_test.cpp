#include "common/dataset.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "common/image.hpp"
#include "common/random.hpp"

namespace latent {
namespace {

namespace fs = std::filesystem;

/// Mean of the products of two columns.
double second_moment(const Matrix& x, Index a, Index b) {
  double sum = 0.0;
  for (Index i = 0; i < x.rows(); ++i) sum += double(x(i, a)) * double(x(i, b));
  return sum / static_cast<double>(x.rows());
}

TEST(Mixture8, RepeatsItselfForTheSameSeedAndGrowsAtItsEnd) {
  const Dataset a = mixture8(5, 40), longer = mixture8(5, 60), other = mixture8(6, 40);
  EXPECT_EQ(a.x, longer.x.topRows(40));
  EXPECT_NE(a.x, other.x);
  EXPECT_EQ(a.shape, Shape{8});
  EXPECT_EQ(a.labels.size(), 40U);
}

// Computed by an implementation of the same specification in Python.
TEST(Mixture8, GivesTheRecordedNumbersBitForBit) {
  const Dataset data = mixture8(1, 2);
  EXPECT_EQ(data.labels, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(data.x(0, 0), 0x1.bbb768p-4F);
  EXPECT_EQ(data.x(0, 7), -0x1.06705cp+0F);
  EXPECT_EQ(data.x(1, 3), 0x1.a478d6p-1F);
}

TEST(Mixture8, HasTheStatedMeansAndCovariance) {
  const Dataset data = mixture8(2, 40'000);
  std::array<double, 2> count{};
  std::array<RowVector, 2> mean{RowVector::Zero(8), RowVector::Zero(8)};
  for (Index i = 0; i < data.x.rows(); ++i) {
    const auto label = static_cast<std::size_t>(data.labels[static_cast<std::size_t>(i)]);
    count[label] += 1;
    mean[label] += data.x.row(i);
  }
  EXPECT_NEAR(count[0], 20'000, 500);
  // Standard errors are at most 1 / sqrt(20000) = 0.007; covariances have at most 0.015.
  EXPECT_LE((mean[0] / float(count[0])).array().operator+(1.0F).abs().maxCoeff(), 0.03F);
  EXPECT_LE((mean[1] / float(count[1])).array().operator-(1.0F).abs().maxCoeff(), 0.03F);
  for (Index a = 0; a < 8; ++a) {
    for (Index b = 0; b < 8; ++b) {
      const double expected = 1.0 + (a == b ? std::exp2(-double(a)) : 0.0);
      EXPECT_NEAR(second_moment(data.x, a, b), expected, 0.06) << a << ' ' << b;
    }
  }
}

TEST(Gaussian8, HasTheStatedSpectrumAlongTheHadamardAxes) {
  const Dataset data = gaussian8(3, 40'000);
  const DoubleVector spectrum = gaussian8_spectrum();
  // The matrix by Sylvester's doubling, not by counting bits.
  Matrix h = Matrix::Ones(1, 1);
  for (int i = 0; i < 3; ++i) {
    Matrix next(2 * h.rows(), 2 * h.rows());
    next << h, h, h, -h;
    h = next;
  }
  const Matrix along = data.x * h / std::sqrt(8.0F);
  for (Index a = 0; a < 8; ++a) {
    for (Index b = 0; b < 8; ++b) {
      const double scale = std::sqrt(spectrum(a) * spectrum(b));
      EXPECT_NEAR(second_moment(along, a, b), a == b ? scale : 0.0, 0.04 * scale) << a << ' ' << b;
    }
  }
}

TEST(Datasets, MayBeEmptyButNotNegative) {
  EXPECT_EQ(shape_of(mixture8(1, 0).x), "[0, 8]");
  EXPECT_EQ(shape_of(gaussian8(1, 0).x), "[0, 8]");
  EXPECT_EQ(shape_of(sprites(1, 0).data.x), "[0, 784]");
  EXPECT_THROW(mixture8(1, -1), std::invalid_argument);
  EXPECT_THROW(gaussian8(1, -1), std::invalid_argument);
  EXPECT_EQ(shape_of(moving_bars(1, 0, 9).data.x), "[0, 256]");
  EXPECT_THROW(sprites(1, -1), std::invalid_argument);
  EXPECT_THROW(moving_bars(1, -1, 9), std::invalid_argument);
  EXPECT_THROW(moving_bars(1, 2, 0), std::invalid_argument);
}

TEST(SpritesTest, ShowWhatTheirFactorsSay) {
  const Sprites all = sprites(4, 300);
  for (Index i = 0; i < 300; ++i) {
    double sum = 0, x = 0, y = 0;
    for (Index p = 0; p < 784; ++p) {
      const double value = all.data.x(i, p);
      sum += value;
      x += value * (double(p % 28) + 0.5);
      y += value * (double(p / 28) + 0.5);
    }
    const auto f = [&](SpriteFactor column) { return double(all.factors(i, column)); };
    const int shape = static_cast<int>(f(kSpriteShape));
    EXPECT_EQ(all.data.labels[static_cast<std::size_t>(i)], shape);
    EXPECT_LE(double(all.data.x.row(i).maxCoeff()), f(kSpriteIntensity) + 1e-6);
    // A triangle's centroid lies a third of its half height from the middle, towards the base; its
    // tip is blunt.
    const double shift = shape == 2 ? -f(kSpriteSize) / 3.0 : 0.0;
    EXPECT_NEAR(x / sum, f(kSpriteColumn) + shift * std::cos(f(kSpriteOrientation)), 0.2) << i;
    EXPECT_NEAR(y / sum, f(kSpriteRow) + shift * std::sin(f(kSpriteOrientation)), 0.2) << i;
    // a long and b = a / 2 wide to each side; soft edges cost the sharpest corners a little.
    const double area = f(kSpriteSize) * f(kSpriteSize) / 2 *
                        (shape == 0   ? 4.0
                         : shape == 1 ? std::acos(-1.0)
                                      : 2.0);
    EXPECT_NEAR(sum / f(kSpriteIntensity), area, 0.12 * area) << "picture " << i;
  }
}

TEST(SpritesTest, CoverTheRangesOfTheirFactors) {
  const Matrix f = sprites(9, 2000).factors;
  const std::array<std::array<float, 2>, kSpriteFactors> ranges{
      {{0, 2}, {8, 20}, {8, 20}, {3.5F, 7}, {0, 3.14159F}, {0.5F, 1}}};
  for (int c = 0; c < kSpriteFactors; ++c) {
    const auto [low, high] = ranges[static_cast<std::size_t>(c)];
    EXPECT_GE(f.col(c).minCoeff(), low);
    EXPECT_LE(f.col(c).maxCoeff(), high + 1e-4F);
    EXPECT_LE(f.col(c).minCoeff(), low + 0.01F * (high - low));
    EXPECT_GE(f.col(c).maxCoeff(), high - 0.01F * (high - low));
  }
}

TEST(MovingBarsTest, ShowWhatTheirFactorsSay) {
  const MovingBars all = moving_bars(6, 200, 9);
  for (Index row = 0; row < all.data.x.rows(); ++row) {
    const RowVector f = all.factors.row(row / 9);
    Eigen::Map<const Matrix> frame(all.data.x.row(row).data(), 16, 16);
    const bool vertical = f(kBarVertical) == 1.0F;
    EXPECT_EQ(all.data.labels[static_cast<std::size_t>(row)], vertical ? 1 : 0);
    const Matrix lines = vertical ? Matrix(frame.transpose()) : Matrix(frame);
    EXPECT_EQ(lines, lines.col(0).replicate(1, 16)) << "a line has one brightness";
    EXPECT_NEAR(lines.col(0).sum(), f(kBarBrightness) * f(kBarWidth), 1e-4F);
    // The middle, as an angle: what leaves on one side comes in on the other.
    double x = 0, y = 0;
    for (Index k = 0; k < 16; ++k) {
      const double angle = (double(k) + 0.5) * std::acos(-1.0) / 8;
      x += double(lines(k, 0)) * std::cos(angle);
      y += double(lines(k, 0)) * std::sin(angle);
    }
    const double middle = std::atan2(y, x) * 8 / std::acos(-1.0);
    const double expected = double(f(kBarStart)) + double(f(kBarSpeed)) * double(row % 9);
    EXPECT_NEAR(std::remainder(middle - expected, 16.0), 0.0, 0.1) << "frame " << row;
  }
}

TEST(MovingBarsTest, CoverTheRangesOfTheirFactorsAndGrowAtTheirEnd) {
  const Matrix f = moving_bars(9, 2000, 1).factors;
  const std::array<std::array<float, 2>, kBarFactors> ranges{
      {{0, 1}, {0, 16}, {-1.5F, 1.5F}, {2, 5}, {0.5F, 1}}};
  for (int c = 0; c < kBarFactors; ++c) {
    const auto [low, high] = ranges[static_cast<std::size_t>(c)];
    EXPECT_GE(f.col(c).minCoeff(), low);
    EXPECT_LE(f.col(c).maxCoeff(), high);
    EXPECT_LE(f.col(c).minCoeff(), low + 0.01F * (high - low));
    EXPECT_GE(f.col(c).maxCoeff(), high - 0.01F * (high - low));
  }
  EXPECT_GE(f.col(kBarSpeed).cwiseAbs().minCoeff(), 0.25F);
  EXPECT_EQ(moving_bars(5, 4, 5).data.x, moving_bars(5, 7, 5).data.x.topRows(20));
}

// ---- IDX ----------------------------------------------------------------------------------------

std::string header(const std::vector<std::uint32_t>& words) {
  std::string bytes;
  for (const std::uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xFFU);
  }
  return bytes;
}

/// Two pictures, 1 x 3, and their labels.
const std::string kImages = header({2051, 2, 1, 3}) + std::string("\x00\x80\xff\x01\x02\x03", 6);
const std::string kLabels = header({2049, 2}) + "\x07\x09";

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void expect_complaint(const std::string& images, const std::string& labels,
                      const std::string& about) {
  try {
    parse_idx(images, labels);
    ADD_FAILURE() << "accepted; expected: " << about;
  } catch (const FileError& e) {
    const std::string said = e.what();
    EXPECT_NE(said.find(about), std::string::npos) << "said: " << said;
    EXPECT_LT(said.size(), 200U) << said;
  }
}

TEST(Idx, ReadsPicturesAndLabelsPlainAndCompressed) {
  for (const Dataset& data : {parse_idx(kImages, kLabels), parse_idx(gzip(kImages), gzip(kLabels)),
                              parse_idx(kImages, gzip(kLabels))}) {
    EXPECT_EQ(data.shape, (Shape{1, 1, 3}));
    EXPECT_EQ(data.labels, (std::vector<std::int64_t>{7, 9}));
    EXPECT_EQ(shape_of(data.x), "[2, 3]");
    EXPECT_EQ(data.x(0, 1), 128.0F / 255.0F);
    EXPECT_EQ(data.x(0, 2), 1.0F);
    EXPECT_EQ(data.x(1, 0), 1.0F / 255.0F);
  }
}

TEST(Idx, ReadsSizesThatTakeTheWholeByte) {
  const Dataset data = parse_idx(header({2051, 200, 1, 300}) + std::string(60'000, '\1'),
                                 header({2049, 200}) + std::string(200, '\xfe'));
  EXPECT_EQ(shape_of(data.x), "[200, 300]");
  EXPECT_EQ(data.labels[199], 254);
}

TEST(Idx, SaysWhatIsWrongWithAFile) {
  expect_complaint("", kLabels,
                   "images: expected an IDX file, which starts with 16 bytes, found 0");
  expect_complaint(kImages, "", "labels: expected an IDX file, which starts with 8 bytes, found 0");
  expect_complaint(kLabels + "12345678", kLabels, "images: expected the magic number 2051, found");
  expect_complaint(kImages, kImages, "labels: expected the magic number 2049, found 2051");
  expect_complaint(kImages.substr(0, 20), kLabels, "claims 6 bytes, but 4 follow");
  expect_complaint(kImages + "x", kLabels, "claims 6 bytes, but 7 follow");
  expect_complaint(kImages, kLabels.substr(0, 9),
                   "labels: its header claims 2 bytes, but 1 follow");
  expect_complaint(kImages, header({2049, 1}) + "\x07", "labels: expected 2 labels");
  expect_complaint(header({2051, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}), kLabels, "make no sense");
  expect_complaint(header({2051, 2, 0, 3}), kLabels, "size 2 is 0");
}

TEST(Idx, SaysWhatIsWrongWithCompressedData) {
  const std::string whole = gzip(kImages);
  expect_complaint(whole.substr(0, whole.size() / 2), kLabels, "images: its gzip data is damaged");
  expect_complaint(whole.substr(0, whole.size() - 1), kLabels, "images: its gzip data is damaged");
  std::string damaged = whole;
  damaged[damaged.size() - 5] ^= 1;  // the checksum
  expect_complaint(damaged, kLabels, "images: its gzip data is damaged");
  expect_complaint(gzip(std::string((std::size_t{256} << 20) + 1, '\0')), kLabels,
                   "at most 256 MiB when unpacked");
}

TEST(Idx, NeitherCrashesNorMisreadsDamagedFiles) {
  Random random(13);
  for (int i = 0; i < 50'000; ++i) {
    std::string images = i % 2 == 0 ? kImages : gzip(kImages);
    for (std::int64_t edits = random.integer(1, 3); edits > 0 && images.size() > 1; --edits) {
      const auto at = static_cast<std::size_t>(random.integer(0, std::ssize(images) - 1));
      if (random.integer(0, 2) == 0)
        images.erase(at, 1);
      else
        images[at] = static_cast<char>(random.integer(0, 255));
    }
    try {
      const Dataset data = parse_idx(images, kLabels);
      ASSERT_EQ(data.x.cols(), data.shape[1] * data.shape[2]);
      ASSERT_EQ(std::ssize(data.labels), data.x.rows());
    } catch (const FileError&) {
    }
  }
}

TEST(Idx, SaysWhenAFileIsNone) {
  EXPECT_THROW(read_idx("/nowhere/images", "/nowhere/labels"), FileError);
  EXPECT_THROW(read_idx("/dev/zero", "/dev/zero"), FileError);
}

TEST(Idx, ReadsThePublishedDigits) {
  const char* folder = std::getenv("LATENTLAB_DATA");
  const std::string start = std::string(folder == nullptr ? "" : folder) + "/mnist/t10k-";
  if (!fs::exists(start + "images-idx3-ubyte.gz")) GTEST_SKIP() << "LATENTLAB_DATA has no digits";
  const Dataset data = read_idx(start + "images-idx3-ubyte.gz", start + "labels-idx1-ubyte.gz");
  EXPECT_EQ(shape_of(data.x), "[10000, 784]");
  EXPECT_EQ(data.shape, (Shape{1, 28, 28}));
  std::array<int, 10> count{};
  for (const std::int64_t label : data.labels) ++count.at(static_cast<std::size_t>(label));
  // As the publisher states them.
  EXPECT_EQ(count, (std::array{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_EQ(data.x.minCoeff(), 0.0F);
  EXPECT_EQ(data.x.maxCoeff(), 1.0F);
}

// ---- folders of pictures ------------------------------------------------------------------------

/// An empty folder.
class ImageFolder : public testing::Test {
 protected:
  ImageFolder() : folder_(testing::TempDir() + "pictures-" + std::to_string(::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ImageFolder() override { fs::remove_all(folder_); }

  void put(const std::string& name, const std::string& bytes) const {
    fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
    write_bytes(folder_ + "/" + name, bytes);
  }

  /// Pictures of 1 x 2 pixels whose first value is their number, labelled with it modulo 7.
  void put_idx(const std::string& images, const std::string& labels, int count,
               int side = 1) const {
    std::string pixels = header({2051, std::uint32_t(count), std::uint32_t(side), 2}),
                classes = header({2049, std::uint32_t(count)});
    for (int i = 0; i < count; ++i) {
      pixels += static_cast<char>(i);
      pixels += std::string(static_cast<std::size_t>(2 * side - 1), '\xff');
      classes += static_cast<char>(i % 7);
    }
    put(images, pixels);
    put(labels, gzip(classes));
  }

  /// Why the folder is refused.
  std::string complaint() const {
    try {
      read_image_folder(folder_);
      return "";
    } catch (const FileError& e) {
      return e.what();
    }
  }

  std::string folder_;
};

std::vector<int> numbers_in(const Dataset& data) {
  std::vector<int> found;
  for (Index i = 0; i < data.x.rows(); ++i)
    found.push_back(static_cast<int>(std::lround(255.0F * data.x(i, 0))));
  return found;
}

TEST_F(ImageFolder, KeepsTheLastFifthOfASinglePairBack) {
  put_idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", 20);
  const ImageSplit split = read_image_folder(folder_);
  EXPECT_EQ(split.train.x.rows(), 16);
  EXPECT_EQ(numbers_in(split.test), (std::vector<int>{16, 17, 18, 19}));
  EXPECT_EQ(split.test.labels, (std::vector<std::int64_t>{2, 3, 4, 5}));
  EXPECT_EQ(split.train.shape, (Shape{1, 1, 2}));
}

TEST_F(ImageFolder, TakesTheFilesThatArePublishedForTraining) {
  put_idx("train-images.idx3-ubyte", "train-labels.idx1-ubyte", 12);
  put_idx("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte", 3);
  const ImageSplit split = read_image_folder(folder_);
  EXPECT_EQ(split.train.x.rows(), 12);
  EXPECT_EQ(split.test.x.rows(), 3);
}

TEST_F(ImageFolder, TurnsEmnistUpright) {
  put(
      "emnist-letters-test-images-idx3-ubyte", header({2051, 10, 2, 2}) + [] {
        std::string all;
        for (int i = 0; i < 10; ++i) all += std::string("\x01\x02\x03\x04", 4);
        return all;
      }());
  put("emnist-letters-test-labels-idx1-ubyte", header({2049, 10}) + std::string(10, '\1'));
  const ImageSplit split = read_image_folder(folder_);
  EXPECT_EQ(std::lround(255.0F * split.train.x(0, 1)), 3) << "the second row's first pixel";
}

TEST_F(ImageFolder, ReadsPngsByFolderAndKeepsEveryFifthBack) {
  for (int i = 0; i < 10; ++i) {
    const auto grey = static_cast<std::uint8_t>(20 * i);
    put(std::string(i < 5 ? "cats/" : "dogs/") + char('a' + i) + ".png",
        encode_png({1, 2, 1, {grey, 255}}));
  }
  put("dogs/readme.txt", "no picture");
  const ImageSplit split = read_image_folder(folder_);
  EXPECT_EQ(split.train.shape, (Shape{1, 1, 2}));
  EXPECT_EQ(numbers_in(split.test), (std::vector<int>{80, 180}));
  EXPECT_EQ(split.test.labels, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(split.train.labels, (std::vector<std::int64_t>{0, 0, 0, 0, 1, 1, 1, 1}));
}

TEST_F(ImageFolder, KeepsColoursChannelByChannel) {
  for (int i = 0; i < 10; ++i)
    put(std::string(1, char('a' + i)) + ".png", encode_png({1, 2, 3, {255, 0, 51, 0, 255, 102}}));
  const Dataset data = read_image_folder(folder_).train;
  EXPECT_EQ(data.shape, (Shape{3, 1, 2}));
  RowVector expected(6);
  expected << 1, 0, 0, 1, 0.2F, 0.4F;
  EXPECT_TRUE(data.x.row(0).isApprox(expected)) << data.x.row(0);
}

TEST_F(ImageFolder, SaysWhatIsWrongWithAFolder) {
  const auto complains = [&](const std::string& about) {
    const std::string said = complaint();
    EXPECT_NE(said.find(about), std::string::npos) << said;
  };
  complains("found neither");
  put_idx("train-images-idx3-ubyte", "labels", 12);
  complains("expected its labels beside it, in train-labels-idx1-ubyte");
  put_idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 5);
  put_idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 4);
  complains("at least 10 pictures, found 9");
  put_idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 12, 65);
  complains("expected pictures of the shape [1, 65, 2]");
  put_idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 12, 65);
  complains("at most 64 x 64, found 65 x 2");
  put_idx("extra-images-idx3-ubyte", "extra-labels-idx1-ubyte", 12);
  fs::remove(folder_ + "/t10k-images-idx3-ubyte");
  complains("found 2 files of images");
  fs::remove_all(folder_);
  complains("expected a folder");
  for (int i = 0; i < 10; ++i)
    put(std::string(1, char('a' + i)) + ".png",
        encode_png({1, i == 7 ? 3 : 2, 1, std::vector<std::uint8_t>(i == 7 ? 3 : 2)}));
  complains("h.png: expected 1 x 2 pixels as in a.png, found 1 x 3");
  put("h.png", "GIF89a");
  complains("h.png: expected a PNG");
}

TEST_F(ImageFolder, IsWhatARunTrainsOnIfItIsGiven) {
  put_idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 20);
  latent::Run with("labs/01_x", folder_ + "/out", {{"--data", folder_}});
  EXPECT_EQ(images_for(with, 5, 3).train.x.rows(), 16);
  latent::Run without("labs/01_x", folder_ + "/out", {});
  const ImageSplit drawn = images_for(without, 5, 3);
  EXPECT_EQ(drawn.train.x.rows(), 5);
  EXPECT_EQ(drawn.test.x.rows(), 3);
  EXPECT_NE(drawn.train.x.row(0), drawn.test.x.row(0));

  latent::Run resumed("labs/01_x", folder_ + "/more", {{"--resume", without.save_checkpoint()}});
  EXPECT_NO_THROW(images_for(resumed, 5, 3));
  EXPECT_THROW(images_for(resumed, 6, 3), RunUsageError) << "other pictures than before";
}

}  // namespace
}  // namespace latent

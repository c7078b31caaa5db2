#include "common/image.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/random.hpp"

namespace latent {
namespace {

namespace fs = std::filesystem;

std::string written(const Image& image) {
  const std::string path = testing::TempDir() + "image_test.png";
  write_png(path, image);
  const std::string bytes = read_bytes(path, "a PNG", 1 << 20);
  fs::remove(path);
  return bytes;
}

Image noise(Index height, Index width, Index channels) {
  Random random(3);
  Image image{height, width, channels, {}};
  for (Index i = 0; i < height * width * channels; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(random.integer(0, 255)));
  return image;
}

TEST(Png, ReadsWhatItWrote) {
  for (const Index channels : {1, 3}) {
    const Image image = noise(5, 7, channels);
    const Image read = parse_png(written(image), "x", channels);
    EXPECT_EQ(read.height, 5);
    EXPECT_EQ(read.width, 7);
    EXPECT_EQ(read.channels, channels);
    EXPECT_EQ(read.pixels, image.pixels);
  }
}

TEST(Png, TurnsGreyIntoThreeEqualColours) {
  const Image read = parse_png(written({1, 2, 1, {10, 200}}), "x", 3);
  EXPECT_EQ(read.pixels, (std::vector<std::uint8_t>{10, 10, 10, 200, 200, 200}));
}

TEST(Png, RefusesToWriteWhatIsNoPicture) {
  const std::string path = testing::TempDir() + "refused.png";
  EXPECT_THROW(write_png(path, {0, 3, 3, {}}), std::invalid_argument);
  EXPECT_THROW(write_png(path, {1, 1, 3, {0}}), std::invalid_argument);
  EXPECT_THROW(write_png(path, {1, 1, 4, {0, 0, 0, 0}}), std::invalid_argument);
  EXPECT_THROW(write_png("/nowhere/at/all.png", noise(1, 1, 3)), FileError);
  EXPECT_FALSE(fs::exists(path));
}

TEST(Png, SaysWhenAFileIsNone) {
  EXPECT_THROW(read_png("/nowhere/x.png"), FileError);
  EXPECT_THROW(read_png("/dev/zero"), FileError);
  EXPECT_THROW(parse_png("", "x"), FileError);
  EXPECT_THROW(parse_png("GIF89a", "x"), FileError);
  const std::string whole = written(noise(9, 9, 3));
  EXPECT_THROW(parse_png(whole.substr(0, whole.size() / 2), "x"), FileError);
  EXPECT_THROW(parse_png(whole, "x", 2), std::invalid_argument);
}

TEST(Png, DoesNotCrashOnDamagedFiles) {
  const std::string whole = written(noise(6, 5, 3));
  Random random(11);
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = whole;
    for (std::int64_t edits = random.integer(1, 4); edits > 0 && bytes.size() > 1; --edits) {
      const auto at = static_cast<std::size_t>(random.integer(0, std::ssize(bytes) - 1));
      if (random.integer(0, 2) == 0)
        bytes.erase(at, static_cast<std::size_t>(random.integer(1, 8)));
      else
        bytes[at] = static_cast<char>(random.integer(0, 255));
    }
    try {
      const Image image = parse_png(bytes, "x");
      ASSERT_EQ(std::ssize(image.pixels), image.height * image.width * 3);
    } catch (const FileError&) {
    }
  }
}

TEST(Png, ReadsAPhotograph) {
  const char* data = std::getenv("LATENTLAB_DATA");
  const std::string path = std::string(data == nullptr ? "" : data) + "/photo/shiba-512.png";
  if (!fs::exists(path)) GTEST_SKIP() << "LATENTLAB_DATA has no photograph";
  const Image image = read_png(path);
  EXPECT_EQ(image.height, 512);
  EXPECT_EQ(image.width, 512);
  EXPECT_EQ(image.channels, 3);
}

}  // namespace
}  // namespace latent

#include "common/safetensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/random.hpp"

namespace latent {
namespace {

namespace fs = std::filesystem;

/// A file with this header in front of these bytes.
std::string file_with(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

/// A file with one tensor of two floats.
std::string small_file() {
  return file_with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                   std::string(8, '\0'));
}

/// What is said about the bytes, or empty if they are accepted.
std::string complaint(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "x.safetensors");
  } catch (const FileError& e) {
    return e.what();
  }
  return "";
}

void expect_complaint(const std::string& bytes, const std::string& about) {
  const std::string said = complaint(bytes);
  EXPECT_NE(said.find(about), std::string::npos) << "said: " << said;
  EXPECT_EQ(said.rfind("x.safetensors: ", 0), 0U) << said;
  EXPECT_LT(said.size(), 300U) << said;
}

TEST(Safetensors, ReadsTheThreeTypesExactly) {
  // 1, -2 and the smallest subnormal as halves; 1, -2 as bfloat16; 0.1 as a float.
  const std::string halves = {'\x00', '\x3c', '\x00', '\xc0', '\x01', '\x00'},
                    bfloats = {'\x80', '\x3f', '\x00', '\xc0'},
                    floats = {'\xcd', '\xcc', '\xcc', '\x3d'};
  const StoredTensors read = parse_safetensors(file_with(R"({"__metadata__":{"format":"pt"},
        "h":{"dtype":"F16","shape":[1,3],"data_offsets":[0,6]},
        "b":{"dtype":"BF16","shape":[2,1],"data_offsets":[6,10]},
        "f":{"dtype":"F32","shape":[],"data_offsets":[10,14]}})",
                                                         halves + bfloats + floats),
                                               "x");
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read.at("h").values, (std::vector<float>{1.0F, -2.0F, std::ldexp(1.0F, -24)}));
  EXPECT_EQ(read.at("h").shape, (Shape{1, 3}));
  EXPECT_EQ(read.at("b").values, (std::vector<float>{1.0F, -2.0F}));
  EXPECT_EQ(read.at("f").values, (std::vector<float>{0.1F}));
  EXPECT_EQ(read.at("f").shape, Shape{});
  EXPECT_EQ(read.at("b").dtype, "BF16");
}

TEST(Safetensors, ReadsWhatItWrote) {
  const std::string path = testing::TempDir() + "written.safetensors";
  const StoredTensors tensors = {{"weight", {{2, 3}, {1, 2, 3, -4, 0.5F, 6}, "F32"}},
                                 {"half", {{2}, {65504, -0.25F}, "F16"}},
                                 {"brain", {{1}, {3e38F}, "BF16"}},
                                 {"none", {{0, 4}, {}, "F32"}},
                                 {"a \"name\"", {{}, {7}, "F32"}}};
  write_safetensors(path, tensors);
  const StoredTensors read = read_safetensors(path);
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(read.at(name).dtype, tensor.dtype) << name;
    if (name != "brain") {
      EXPECT_EQ(read.at(name).values, tensor.values) << name;
    }
  }
  EXPECT_NEAR(read.at("brain").values[0], 3e38F, 3e38F / 256);
  for (const auto& entry : fs::directory_iterator(testing::TempDir()))
    EXPECT_EQ(entry.path().string().find("written.safetensors.part"), std::string::npos);
  fs::remove(path);
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  const std::string path = testing::TempDir() + "refused.safetensors";
  EXPECT_THROW(write_safetensors(path, {{"a", {{2}, {1}, "F32"}}}), std::invalid_argument);
  EXPECT_THROW(write_safetensors(path, {{"a", {{1}, {1}, "I8"}}}), std::invalid_argument);
  EXPECT_THROW(write_safetensors("/nowhere/at/all/x", {}), FileError);
  EXPECT_FALSE(fs::exists(path));
}

TEST(Safetensors, SaysWhatIsWrongWithTheHeader) {
  expect_complaint("", "starts with 8 bytes, found 0");
  expect_complaint("1234567", "starts with 8 bytes, found 7");
  std::string huge = small_file();
  huge[7] = '\x10';  // 2^60 bytes
  expect_complaint(huge, "claims 1152921504606847030 bytes");
  expect_complaint(small_file().substr(0, 20), "was the download cut off?");
  expect_complaint(file_with("{\"a\":", ""), "not a JSON object");
  expect_complaint(file_with("[]", ""), "not a JSON object");
  expect_complaint(file_with(std::string(100'000, '['), ""), "not a JSON object");
}

TEST(Safetensors, SaysWhatIsWrongWithATensor) {
  const auto one = [](const std::string& entry, std::size_t bytes = 8) {
    return file_with("{\"a\":" + entry + "}", std::string(bytes, '\0'));
  };
  expect_complaint(one("7"), "lacks one of dtype, shape and data_offsets");
  expect_complaint(one(R"({"dtype":"F32","shape":[2]})"), "lacks one of");
  expect_complaint(one(R"({"dtype":"I64","shape":[1],"data_offsets":[0,8]})"),
                   "expected F16, BF16 or F32");
  expect_complaint(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "-2 is no size");
  expect_complaint(one(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"), "2.0 is no size");
  expect_complaint(one(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"), "a list of at most 8");
  expect_complaint(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,16]})"), "0 to 16 of 8");
  expect_complaint(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "8 to 0 of 8");
  expect_complaint(one(R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})"),
                   "two whole numbers");
  expect_complaint(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), "two whole numbers");
  expect_complaint(one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
                   "takes 12 bytes, its place has 8");
  expect_complaint(one(R"({"dtype":"F32","shape":[1073741824,1073741824],"data_offsets":[0,8]})"),
                   "too large");
}

TEST(Safetensors, LeavesNoByteUnexplained) {
  const auto two = [](int begin, int end, std::size_t bytes) {
    return file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32",)"
                     R"("shape":[1],"data_offsets":[)" +
                         std::to_string(begin) + "," + std::to_string(end) + "]}}",
                     std::string(bytes, '\0'));
  };
  EXPECT_EQ(complaint(two(4, 8, 8)), "");
  expect_complaint(two(0, 4, 8), "overlaps the one before it");
  expect_complaint(two(2, 6, 8), "overlaps the one before it");
  expect_complaint(two(8, 12, 12), "4 bytes before tensor \"b\" belong to none");
  expect_complaint(two(4, 8, 9), "1 bytes are left over");
  expect_complaint(file_with(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
                             R"("a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
                             ""),
                   "names a tensor twice");
}

TEST(Safetensors, SaysWhenAFileIsNone) {
  EXPECT_THROW(read_safetensors("/nowhere/x.safetensors"), FileError);
  EXPECT_THROW(read_safetensors("/tmp"), FileError);
  EXPECT_THROW(read_safetensors("/dev/zero"), FileError);
}

TEST(Safetensors, ExpectsATensorOfAName) {
  const StoredTensors read = parse_safetensors(small_file(), "x");
  EXPECT_EQ(expect_tensor(read, "a", {2}, "x").values.size(), 2U);
  EXPECT_THROW(expect_tensor(read, "b", {2}, "x"), FileError);
  EXPECT_THROW(expect_tensor(read, "a", {2, 1}, "x"), FileError);
}

TEST(Safetensors, NeitherCrashesNorMisreadsDamagedFiles) {
  const std::string whole = file_with(R"({"w":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},)"
                                      R"("b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})",
                                      std::string(20, 'x'));
  Random random(7);
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = whole;
    for (std::int64_t edits = random.integer(1, 4); edits > 0 && !bytes.empty(); --edits) {
      const auto at = static_cast<std::size_t>(random.integer(0, std::ssize(bytes) - 1));
      const std::int64_t kind = random.integer(0, 3);
      if (kind == 0) bytes[at] = static_cast<char>(random.integer(0, 255));
      if (kind == 1) bytes.erase(at, static_cast<std::size_t>(random.integer(1, 8)));
      if (kind == 2)
        bytes.insert(
            at,
            bytes.substr(static_cast<std::size_t>(random.integer(0, std::ssize(bytes) - 1)), 8));
      if (kind == 3) bytes[at] = "0123456789[]{},:\""[random.integer(0, 16)];
    }
    try {
      for (const auto& [name, tensor] : parse_safetensors(bytes, "x")) {
        std::int64_t count = 1;
        for (const std::int64_t size : tensor.shape) count *= size;
        ASSERT_EQ(std::ssize(tensor.values), count);
      }
      ++accepted;
    } catch (const FileError&) {
    }
  }
  EXPECT_GT(accepted, 0) << "damage to an element is no damage to the file";
}

TEST(Safetensors, ReadsAPublishedAutoencoder) {
  const char* data = std::getenv("LATENTLAB_DATA");
  if (data == nullptr) GTEST_SKIP() << "LATENTLAB_DATA is not set: no published weights to read";
  for (const auto& [file, parameters] :
       {std::pair("encoder", 1'338'528), std::pair("decoder", 1'338'499)}) {
    const std::string path = std::string(data) + "/taef2/" + file + ".safetensors";
    if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
    const StoredTensors read = read_safetensors(path);
    EXPECT_EQ(read.size(), 79U);
    std::int64_t total = 0;
    for (const auto& [name, tensor] : read) {
      total += std::ssize(tensor.values);
      for (const float value : tensor.values) ASSERT_TRUE(std::isfinite(value)) << name;
    }
    EXPECT_EQ(total, parameters);
  }
}

}  // namespace
}  // namespace latent

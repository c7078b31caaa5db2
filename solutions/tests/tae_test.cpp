// The weights that lab 08 is given: read as layers, refused with a sentence, and, run by the
// reference, the picture again.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>

#include "common/image.hpp"
#include "common/scene.hpp"
#include "tae_weights.hpp"

namespace latent {
namespace {

namespace fs = std::filesystem;

StoredTensor filled(const Shape& shape) {
  StoredTensor tensor{shape, {}, "F16"};
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  for (std::int64_t i = 0; i < count; ++i)
    tensor.values.push_back(static_cast<float>(i % 7) / 16.0F - 0.1F);
  return tensor;
}

void add_block(StoredTensors& tensors, const std::string& layer, std::int64_t c, bool pool) {
  for (const char* part : {"0", "2", "4"}) {
    tensors[layer + ".conv." + part + ".weight"] = filled({c, c, 3, 3});
    tensors[layer + ".conv." + part + ".bias"] = filled({c});
  }
  if (!pool) return;
  tensors[layer + ".pool.0.weight"] = filled({4 * c, c, 1, 1});
  tensors[layer + ".pool.1.weight"] = filled({4 * c});
  tensors[layer + ".pool.1.bias"] = filled({4 * c});
  tensors[layer + ".pool.3.weight"] = filled({c, 4 * c, 1, 1});
}

/// 0 conv, 1 relu, 2 conv that halves, 3 block with a pool, 4 conv.
StoredTensors small_encoder() {
  StoredTensors t;
  t["0.weight"] = filled({4, 3, 3, 3});
  t["0.bias"] = filled({4});
  t["2.weight"] = filled({8, 4, 3, 3});
  add_block(t, "3", 8, true);
  t["4.weight"] = filled({2, 8, 3, 3});
  t["4.bias"] = filled({2});
  return t;
}

/// 0 clamp, 1 conv, 2 relu, 3 block, 4 upsample, 5 conv, 6 conv.
StoredTensors small_decoder(int first = 0, const std::string& prefix = "") {
  const auto n = [&](int layer) { return prefix + std::to_string(layer + first); };
  StoredTensors t;
  t[n(1) + ".weight"] = filled({8, 2, 3, 3});
  t[n(1) + ".bias"] = filled({8});
  add_block(t, n(3), 8, false);
  t[n(5) + ".weight"] = filled({4, 8, 3, 3});
  t[n(6) + ".weight"] = filled({3, 4, 3, 3});
  t[n(6) + ".bias"] = filled({3});
  return t;
}

std::vector<LayerKind> kinds(const std::vector<TaeLayer>& layers) {
  std::vector<LayerKind> found;
  for (const TaeLayer& layer : layers) found.push_back(layer.kind);
  return found;
}

constexpr auto kC = LayerKind::kConv, kR = LayerKind::kRelu, kB = LayerKind::kBlock,
               kClamp = LayerKind::kClamp, kUp = LayerKind::kUpsample;

TEST(TaeWeights, BecomeLayersByTheirNames) {
  const TaeModel model = tae_model(small_encoder(), small_decoder(), "x");
  EXPECT_EQ(kinds(model.encoder), (std::vector{kC, kR, kC, kB, kC}));
  EXPECT_EQ(kinds(model.decoder), (std::vector{kClamp, kC, kR, kB, kUp, kC, kC}));
  EXPECT_EQ(model.channels, 2);
  EXPECT_EQ(model.factor, 2);
  EXPECT_EQ(model.encoder[0].conv.stride, 1);
  EXPECT_EQ(model.encoder[2].conv.stride, 2);
  EXPECT_EQ(model.encoder[2].conv.bias, RowVector::Zero(8));
  EXPECT_EQ(model.encoder[3].block.pool.widen.shape(), (Shape{32, 8, 1, 1}));
  EXPECT_EQ(model.decoder[3].block.pool.widen.size(), 0);
  EXPECT_EQ(model.decoder[5].conv.stride, 1);
  const StoredTensors encoder = small_encoder();
  EXPECT_EQ(model.encoder[3].block.third.weight(1, 2, 0, 1),
            encoder.at("3.conv.4.weight").values[1 * 72 + 2 * 9 + 1]);
  EXPECT_EQ(model.encoder[3].block.pool.beta(5), encoder.at("3.pool.1.bias").values[5]);
}

TEST(TaeWeights, MayBeNumberedWithoutTheClamp) {
  StoredTensors encoder;
  for (const auto& [name, tensor] : small_encoder()) encoder["encoder.layers." + name] = tensor;
  const TaeModel model = tae_model(encoder, small_decoder(-1, "decoder.layers."), "x");
  EXPECT_EQ(kinds(model.encoder), (std::vector{kC, kR, kC, kB, kC}));
  EXPECT_EQ(kinds(model.decoder), (std::vector{kClamp, kC, kR, kB, kUp, kC, kC}));
}

/// What is said of a pair after something was done to it, or empty.
std::string complaint(const std::function<void(StoredTensors&, StoredTensors&)>& damage) {
  StoredTensors encoder = small_encoder(), decoder = small_decoder();
  damage(encoder, decoder);
  try {
    tae_model(encoder, decoder, "x");
  } catch (const FileError& e) {
    return e.what();
  }
  return "";
}

TEST(TaeWeights, AreRefusedWithASentence) {
  using T = StoredTensors&;
  const auto says = [](const std::string& said, const std::string& about) {
    EXPECT_NE(said.find(about), std::string::npos) << "said: " << said;
    EXPECT_EQ(said.rfind("x", 0), 0U) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    EXPECT_LT(said.size(), 250U) << said;
  };
  EXPECT_EQ(complaint([](T, T) {}), "");
  says(complaint([](T e, T) { e.clear(); }), "no tensor");
  says(complaint([](T e, T) { e.erase("3.conv.2.bias"); }), "3.conv.2.bias");
  says(complaint([](T e, T) { e.erase("3.pool.3.weight"); }), "3.pool.3.weight");
  says(complaint([](T e, T) { e.erase("0.weight"); }), "0.");
  says(complaint([](T e, T) { e["0.weight"] = filled({4, 1, 3, 3}); }), "0.weight");
  says(complaint([](T e, T) { e["0.weight"] = filled({4, 3, 3}); }), "0.weight");
  says(complaint([](T e, T) { e["0.weight"] = filled({4, 3, 5, 5}); }), "0.weight");
  says(complaint([](T e, T) { e["0.weight"] = filled({0, 3, 3, 3}); }), "0.weight");
  says(complaint([](T e, T) { e["0.bias"] = filled({5}); }), "0.bias");
  says(complaint([](T e, T) { e["extra"] = filled({1}); }), "extra");
  says(complaint([](T e, T) { e["3.conv.6.weight"] = filled({1}); }), "belongs to no layer");
  says(complaint([](T e, T) { e["99.weight"] = filled({2, 2, 3, 3}); }), "have no tensors");
  says(complaint([](T e, T) { e["123456789.weight"] = filled({1}); }), "name of no layer");
  says(complaint([](T e, T) { e["encoder.layers.0.weight"] = filled({4, 3, 3, 3}); }), "two");
  says(complaint([](T, T d) { d["1.weight"] = filled({8, 3, 3, 3}); }), "1.weight");
  says(complaint([](T, T d) {
         d["6.weight"] = filled({1, 4, 3, 3}), d["6.bias"] = filled({1});
       }),
       "end with 3 channels");
  says(complaint([](T, T d) { d["5.bias"] = filled({4}); }), "are they of one model?");
  says(complaint([](T e, T) { e["0.bias"].values[1] = std::numeric_limits<float>::infinity(); }),
       "infinity");
  says(complaint([](T e, T d) { std::swap(e, d); }), "x/encoder.safetensors");
}

/// A folder with the small model in it, one of whose files can be replaced.
class TaeFiles : public testing::Test {
 protected:
  TaeFiles() : folder_(testing::TempDir() + "tae_test_" + std::to_string(std::rand())) {
    fs::create_directories(folder_);
    write_safetensors(folder_ + "/encoder.safetensors", small_encoder());
    write_safetensors(folder_ + "/decoder.safetensors", small_decoder());
    whole_ = read_bytes(folder_ + "/encoder.safetensors", "a file", 1 << 20);
  }
  ~TaeFiles() override { fs::remove_all(folder_); }

  std::string complaint_about(const std::string& bytes) const {
    write_bytes(folder_ + "/encoder.safetensors", bytes);
    try {
      read_tae(folder_);
    } catch (const FileError& e) {
      return e.what();
    }
    return "";
  }

  std::string folder_, whole_;
};

TEST_F(TaeFiles, AreRefusedWhenMalformed) {
  EXPECT_EQ(complaint_about(whole_), "");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string bytes = whole_;
    return bytes.replace(bytes.find(from), from.size(), to);
  };
  std::string header_of_2_60 = whole_;
  header_of_2_60[7] = '\x10';
  for (const auto& [bytes, about] :
       {std::pair(whole_.substr(0, whole_.size() - 9), ""), std::pair(whole_.substr(0, 5), "5"),
        std::pair(whole_ + "!", "left over"), std::pair(header_of_2_60, "claims"),
        std::pair(replaced("\"F16\"", "\"I16\""), "dtype"),
        std::pair(replaced("[4,3,3,3]", "[3,4,3,3]"), "0.weight"),
        std::pair(replaced("\"0.weight\"", "\"1.weight\""), ""), std::pair(std::string(), "8")}) {
    const std::string said = complaint_about(bytes);
    EXPECT_NE(said.find(about), std::string::npos) << said;
    EXPECT_EQ(said.rfind(folder_ + "/encoder.safetensors", 0), 0U) << said;
  }
  fs::remove(folder_ + "/decoder.safetensors");
  write_bytes(folder_ + "/encoder.safetensors", whole_);
  EXPECT_THROW(read_tae(folder_), FileError);
}

TEST_F(TaeFiles, NeverCrashWhenDamaged) {
  Random random(5);
  int accepted = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string bytes = whole_;
    // Mostly in the header, where it hurts.
    const std::int64_t end = i % 4 == 0 ? std::ssize(bytes) : 2000;
    for (std::int64_t edits = random.integer(1, 3); edits > 0; --edits)
      bytes[static_cast<std::size_t>(random.integer(0, end - 1))] =
          i % 2 == 0 ? static_cast<char>(random.integer(0, 255))
                     : "0123456789[]{},:\""[random.integer(0, 16)];
    accepted += complaint_about(bytes).empty() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0) << "damage to an element is no damage to the file";
}

// ---- the models themselves ----------------------------------------------------------------------

Tensor4 model_input(const Image& image) {
  return image_to_model({image.height, image.width, {image.pixels.begin(), image.pixels.end()}},
                        PixelRange::kZeroToOne);
}

double psnr(const Tensor4& a, const Tensor4& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double sum = 0.0;
  for (Index i = 0; i < a.size(); ++i) {
    const double error = double(std::clamp(b.data()[i], 0.0F, 1.0F)) - double(a.data()[i]);
    sum += error * error;
  }
  return -10.0 * std::log10(sum / static_cast<double>(a.size()));
}

std::int64_t macs(const AutoencoderTrace& trace, std::size_t begin, std::size_t end) {
  std::int64_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += trace.records[i].macs;
  return sum;
}

TEST(TinyVae, BringsAScenesColoursBack) {
  const TaeModel model =
      read_tae(std::string(LATENTLAB_SOURCE) + "/labs/08_encode_decode/tiny_vae");
  Random random(8);
  const Tensor4 image = model_input(draw_scene(random, 64, 64));
  const AutoencoderTrace trace = trace_autoencoder(image, model.encoder, model.decoder, {});
  EXPECT_EQ(trace.latent.shape(), (Shape{1, 4, 16, 16}));
  EXPECT_GT(psnr(image, trace.image), 22.0);
}

/// Every fourth row and column of the photograph's middle half: 64 x 64 pixels.
Image small_photograph(const std::string& path) {
  const Image photo = read_png(path);
  Image small{64, 64, 3, {}};
  for (Index row = 0; row < 64; ++row) {
    for (Index col = 0; col < 64; ++col) {
      for (Index c = 0; c < 3; ++c)
        small.pixels.push_back(photo.pixels[static_cast<std::size_t>(
            ((128 + 4 * row) * photo.width + 128 + 4 * col) * 3 + c)]);
    }
  }
  return small;
}

TEST(Taef2, BringsAPhotographBack) {
  const char* data = std::getenv("LATENTLAB_DATA");
  const std::string folder = data == nullptr ? "" : data;
  if (!fs::exists(folder + "/taef2") || !fs::exists(folder + "/photo/shiba-512.png"))
    GTEST_SKIP() << "LATENTLAB_DATA has no published weights and photograph";
  const TaeModel model = read_tae(folder + "/taef2");
  EXPECT_EQ(model.channels, 32);
  EXPECT_EQ(model.factor, 8);
  const Tensor4 image = model_input(small_photograph(folder + "/photo/shiba-512.png"));
  const AutoencoderTrace trace = trace_autoencoder(image, model.encoder, model.decoder, {});
  ASSERT_EQ(trace.records.size(), 1 + 15 + 2 + 20);
  EXPECT_EQ(trace.latent.shape(), (Shape{1, 32, 8, 8}));
  // From the code that gives 31.87 dB for the whole photograph, as published.
  EXPECT_NEAR(psnr(image, trace.image), 26.016, 0.01);
  // A sixteenth of the 15.408 and 17.786 GMACs at 256 x 256.
  EXPECT_NEAR(static_cast<double>(macs(trace, 0, 16)) / 1e9, 15.408 / 16, 0.0005);
  EXPECT_NEAR(static_cast<double>(macs(trace, 16, 38)) / 1e9, 17.786 / 16, 0.0005);
}

}  // namespace
}  // namespace latent

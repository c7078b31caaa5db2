#include "docs/tests/chapter.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

constexpr double kMiB = 1048576.0;

Tensor4 single(float value) {
  return Tensor4(1, 1, 1, 1, value);
}

Tensor4 row_of(const std::vector<float>& values) {
  Tensor4 x(1, 1, 1, static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

ConvLayer conv(Index out, Index in, Index k, std::int64_t stride) {
  return {Tensor4(out, in, k, k), RowVector::Zero(out), stride};
}

TaeLayer layer(const ConvLayer& conv) {
  TaeLayer it;
  it.kind = LayerKind::kConv;
  it.conv = conv;
  return it;
}

TaeLayer plain(LayerKind kind) {
  TaeLayer it;
  it.kind = kind;
  return it;
}

TaeLayer block(Index c, bool pooled) {
  TaeLayer it;
  it.kind = LayerKind::kBlock;
  it.block.first = it.block.second = it.block.third = conv(c, c, 3, 1);
  if (pooled) {
    it.block.pool = {Tensor4(4 * c, c, 1, 1), RowVector::Ones(4 * c), RowVector::Zero(4 * c),
                     Tensor4(c, 4 * c, 1, 1)};
  }
  return it;
}

// The layers of a TAESD, all weights 0.
struct Tiny {
  std::vector<TaeLayer> encoder, decoder;
};

Tiny tiny(Index c, Index z, bool pooled) {
  Tiny it;
  it.encoder = {layer(conv(c, 3, 3, 1)), block(c, false)};
  for (int level = 0; level < 3; ++level) {
    it.encoder.push_back(layer(conv(c, c, 3, 2)));
    for (int i = 0; i < 3; ++i) it.encoder.push_back(block(c, pooled && level == 2));
  }
  it.encoder.push_back(layer(conv(z, c, 3, 1)));
  it.decoder = {plain(LayerKind::kClamp), layer(conv(c, z, 3, 1)), plain(LayerKind::kRelu)};
  for (int level = 0; level < 3; ++level) {
    for (int i = 0; i < 3; ++i) it.decoder.push_back(block(c, pooled && level == 0));
    it.decoder.push_back(plain(LayerKind::kUpsample));
    it.decoder.push_back(layer(conv(c, c, 3, 1)));
  }
  it.decoder.push_back(block(c, false));
  it.decoder.push_back(layer(conv(3, c, 3, 1)));
  return it;
}

// From conv_cost, layer by layer.
double gmac(const std::vector<TaeLayer>& layers, Index channels, Index side) {
  Shape shape{1, channels, side, side};
  std::int64_t macs = 0;
  const auto count = [&](const Tensor4& weight, std::int64_t stride) {
    const std::int64_t k = weight.h();
    macs += conv_cost(shape, {weight.n(), k, stride, k / 2, 1, true}, 4).macs;
    shape = {1, weight.n(), conv2d_out(shape[2], k, stride, k / 2, k / 2),
             conv2d_out(shape[3], k, stride, k / 2, k / 2)};
  };
  for (const TaeLayer& it : layers) {
    if (it.kind == LayerKind::kConv) count(it.conv.weight, it.conv.stride);
    if (it.kind == LayerKind::kUpsample) shape = {1, shape[1], 2 * shape[2], 2 * shape[3]};
    if (it.kind != LayerKind::kBlock) continue;
    if (it.block.pool.widen.size() > 0) {
      count(it.block.pool.widen, 1);
      count(it.block.pool.narrow, 1);
    }
    for (int i = 0; i < 3; ++i) count(it.block.first.weight, 1);
  }
  return static_cast<double>(macs) / 1e9;
}

TEST(Chapter08, WorksTheRange) {
  const Chapter chapter("08_encode_decode");
  chapter.states("0.00196", 1.0 / 510.0);
  const Tensor4 middle(1, 3, 1, 1, 0.0F), over(1, 3, 1, 1, 1.1F);
  EXPECT_EQ(model_to_image(middle, PixelRange::kMinusOneToOne).values[0], 128);
  EXPECT_EQ(model_to_image(over, PixelRange::kZeroToOne).values[0], 255);
  chapter.states("280.5", 255 * 1.1);
}

TEST(Chapter08, WorksTheStatistics) {
  const Chapter chapter("08_encode_decode");
  const TensorStats stats = tensor_stats(row_of({1, 2, 3, 4}));
  EXPECT_EQ(stats.mean, 2.5);
  chapter.states("1.118034", stats.std);
  chapter.states("1.290994", stats.std * std::sqrt(4.0 / 3.0));
  const double sums[] = {0.0, 0.5, 2.0, 5.0};
  for (Index n = 1; n <= 4; ++n) {
    std::vector<float> first;
    for (Index i = 1; i <= n; ++i) first.push_back(static_cast<float>(i));
    const TensorStats s = tensor_stats(row_of(first));
    EXPECT_NEAR(s.std * s.std * double(n), sums[n - 1], 1e-12);
    EXPECT_EQ(s.mean, 0.5 * double(n + 1));
  }
}

TEST(Chapter08, WorksTheScales) {
  const Chapter chapter("08_encode_decode");
  struct Column {
    AutoencoderFamily family;
    const char *right, *behind, *left_out, *twice, *deviation;
  };
  for (const Column& c :
       {Column{AutoencoderFamily::kSd1, "0.18215", "0.18215", "0.18215", "0.03318", "5.49"},
        Column{AutoencoderFamily::kSdxl, "0.13025", "0.13025", "0.13025", "0.01697", "7.68"},
        Column{AutoencoderFamily::kSd3, "1.43729255", "1.4696", "1.5305", "2.10657", "0.653"},
        Column{AutoencoderFamily::kFlux1, "0.31924851", "0.2452", "0.3611", "0.07343", "2.77"}}) {
    const LatentContract it = latent_contract(c.family);
    const LatentScale scale{it.scale, it.shift};
    const Tensor4 once = scale_latents(single(1.0F), scale);
    chapter.states(c.right, once.data()[0]);
    chapter.states(c.behind, it.scale - it.shift);
    chapter.states(c.left_out, it.scale);
    chapter.states(c.twice, scale_latents(once, scale).data()[0]);
    chapter.states(c.deviation, 1.0 / it.scale);
  }
  chapter.states("5.490", 1.0 / 0.18215);
  chapter.states("1.398", 0.18215 / 0.13025);
}

TEST(Chapter08, WorksThePatches) {
  const Chapter chapter("08_encode_decode");
  Tensor4 z(1, 1, 2, 4);
  for (Index i = 0; i < 8; ++i) z.data()[i] = static_cast<float>(i);
  const Tensor4 packed = patchify(z);
  const float expected[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (Index i = 0; i < 8; ++i) EXPECT_EQ(packed.data()[i], expected[i]);
  chapter.prints("0 2, 1 3, 4 6, 5 7");
  const ChannelStats stats{one(1.0F).row(0), one(4.0F).row(0), 1e-5};
  chapter.states("1.999998", normalize_channels(single(5.0F), stats).data()[0]);
}

TEST(Chapter08, WorksTheShapes) {
  const Chapter chapter("08_encode_decode");
  const auto shape = [](AutoencoderFamily family, bool packed) {
    return latent_shape(family, 1024, 1024, packed);
  };
  EXPECT_EQ(shape(AutoencoderFamily::kSdxl, true), (Shape{4, 128, 128}));
  EXPECT_EQ(shape(AutoencoderFamily::kSd3, true), (Shape{16, 128, 128}));
  EXPECT_EQ(shape(AutoencoderFamily::kFlux1, true), (Shape{64, 64, 64}));
  EXPECT_EQ(shape(AutoencoderFamily::kFlux2, true), (Shape{128, 64, 64}));
  EXPECT_EQ(shape(AutoencoderFamily::kFlux2, false), (Shape{32, 128, 128}));
  chapter.states("65,536", 4 * 128 * 128);
  chapter.states("262,144", 16 * 128 * 128);
  chapter.states("524,288", 32 * 128 * 128);
  EXPECT_EQ(3 * 1024 * 1024 / (32 * 128 * 128), 6);
  chapter.states("118.2", 1572864.0 / 13312.0);
  EXPECT_NO_THROW(latent_shape(AutoencoderFamily::kFlux1, 1080, 1080, false));
  EXPECT_THROW(latent_shape(AutoencoderFamily::kFlux1, 1080, 1080, true), std::invalid_argument);
}

TEST(Chapter08, WorksTheCosts) {
  const Chapter chapter("08_encode_decode");
  const LayerCost cost = conv_cost({1, 64, 256, 256}, {64, 3, 1, 1, 1, true}, 4);
  EXPECT_EQ(cost.macs, 2415919104);
  chapter.prints("2{,}415{,}919{,}104");
  chapter.states("36,928", double(cost.params));
  EXPECT_EQ(double(cost.activation_bytes), 16 * kMiB);
  const LayerCost middle = attention_cost({1, 512, 128, 128}, 4);
  const double products = 2.0 * 16384 * 16384 * 512;
  chapter.states("274.9", products / 1e9);
  chapter.states("17.2", (double(middle.macs) - products) / 1e9);
  EXPECT_EQ(double(middle.activation_bytes), 1024 * kMiB);
}

TEST(Chapter08, WorksTheResidualBlock) {
  const Chapter chapter("08_encode_decode");
  constexpr std::int64_t kMap = 16 << 20;
  std::vector<GraphStep> steps;
  for (const std::vector<std::int64_t>& in :
       std::vector<std::vector<std::int64_t>>{{0}, {1}, {2}, {3}, {4}, {0, 5}, {6}}) {
    steps.push_back({in, kMap});
  }
  const ActivationMemory memory = peak_activation_bytes(kMap, steps);
  const double mebibytes[] = {32, 48, 48, 48, 48, 48, 32};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(double(memory.live[i]), mebibytes[i] * kMiB);
  chapter.states("128", 8.0 * 16);  // all tensors together
  chapter.prints("| add | x, e | f | x e f | 48 |");
}

TEST(Chapter08, WorksTheClamp) {
  const Chapter chapter("08_encode_decode");
  const TaeLayer clamp = plain(LayerKind::kClamp);
  chapter.states("1.748", run_layer(single(2.0F), clamp).data()[0]);
  chapter.states("2.715", run_layer(single(4.5F), clamp).data()[0]);
}

TEST(Chapter08, WorksTheTrace) {
  const Chapter chapter("08_encode_decode");
  // Bytes grow with side squared and channels: 4 channels at 32x32 are 1/1024 of 64 at 256x256.
  const Tiny small = tiny(4, 2, true);
  const AutoencoderTrace trace =
      trace_autoencoder(Tensor4(1, 3, 32, 32, 0.5F), small.encoder, small.decoder, {1.0, 0.0});
  EXPECT_EQ(small.encoder.size(), 15U);
  EXPECT_EQ(small.decoder.size(), 20U);
  chapter.states("38", double(trace.records.size()));
  EXPECT_EQ(trace.records.back().peak_bytes * 1024, 48 << 20);
  EXPECT_LT(trace.records[1].peak_bytes, trace.records[2].peak_bytes);
  EXPECT_EQ(trace.records[2].peak_bytes, trace.records.back().peak_bytes);
  EXPECT_EQ(trace.records[12].live_bytes, 9 * trace.records[12].bytes);
  EXPECT_EQ(trace.records[12].bytes * 1024, 256 << 10);
  chapter.states("2.25", 9 * 256.0 / 1024.0);
  // TAEF2 itself: six convolutions have no biases, three on each side.
  const Tiny taef2 = tiny(64, 32, true);
  const auto params = [](const std::vector<TaeLayer>& layers) {
    std::int64_t sum = -3 * 64;
    for (const TaeLayer& it : layers) {
      if (it.kind == LayerKind::kConv) sum += it.conv.weight.size() + it.conv.bias.size();
      if (it.kind != LayerKind::kBlock) continue;
      sum += 3 * (it.block.first.weight.size() + it.block.first.bias.size());
      const TaePool& pool = it.block.pool;
      sum += pool.widen.size() + pool.gamma.size() + pool.beta.size() + pool.narrow.size();
    }
    return double(sum);
  };
  chapter.states("1,338,528", params(taef2.encoder));
  chapter.states("1,338,499", params(taef2.decoder));
}

TEST(Chapter08, WorksTheTiles) {
  const Chapter chapter("08_encode_decode");
  EXPECT_EQ(tile_starts(128, {32, 8}), (std::vector<std::int64_t>{0, 24, 48, 72, 96}));
  chapter.states("1.5625", 25.0 * 32 * 32 / (128 * 128));
  EXPECT_EQ(tile_starts(6, {4, 2}), (std::vector<std::int64_t>{0, 2}));
}

TEST(Chapter08, AddsUpTheModels) {
  const Chapter chapter("08_encode_decode");
  const Tiny taef2 = tiny(64, 32, true), taesd = tiny(64, 4, false);
  chapter.states("15.408", gmac(taef2.encoder, 3, 256));
  chapter.states("17.786", gmac(taef2.decoder, 32, 32));
  chapter.states("61.162", gmac(taesd.encoder, 3, 512));
  chapter.states("70.675", gmac(taesd.decoder, 4, 64));
}

}  // namespace
}  // namespace latent

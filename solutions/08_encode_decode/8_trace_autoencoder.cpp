#include <algorithm>

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {
namespace {

// What a stage is made of: `shape` is that of the newest tensor.
struct Books {
  Shape shape;
  std::int64_t macs = 0, params = 0;
  std::vector<GraphStep> steps;

  // Writes down a step that keeps the shape, and says which tensor it made.
  std::int64_t step(std::vector<std::int64_t> inputs) {
    const std::int64_t bytes = 4 * shape[0] * shape[1] * shape[2] * shape[3];
    steps.push_back({std::move(inputs), bytes});
    return static_cast<std::int64_t>(steps.size());
  }

  std::int64_t convolution(std::int64_t input, const Tensor4& weight, bool has_bias,
                           std::int64_t stride) {
    const std::int64_t k = weight.h(), pad = k / 2;
    const LayerCost cost = conv_cost(shape, {weight.n(), k, stride, pad, 1, has_bias}, 4);
    macs += cost.macs;
    params += cost.params;
    shape = {shape[0], weight.n(), conv2d_out(shape[2], k, stride, pad, pad),
             conv2d_out(shape[3], k, stride, pad, pad)};
    return step({input});
  }

  void block(const TaeBlock& block) {
    std::int64_t start = 0;
    if (block.pool.widen.size() > 0) {
      const std::int64_t wide = step({convolution(0, block.pool.widen, false, 1)});  // GroupNorm
      params += block.pool.gamma.size() + block.pool.beta.size();
      start = step({0, convolution(step({wide}), block.pool.narrow, false, 1)});
    }
    std::int64_t y = step({convolution(start, block.first.weight, true, block.first.stride)});
    y = step({convolution(y, block.second.weight, true, block.second.stride)});
    y = convolution(y, block.third.weight, true, block.third.stride);
    step({step({start, y})});
  }
};

Books books_of(const TaeLayer& layer, const Shape& input) {
  Books books{input, 0, 0, {}};
  if (layer.kind == LayerKind::kConv) {
    books.convolution(0, layer.conv.weight, true, layer.conv.stride);
  } else if (layer.kind == LayerKind::kBlock) {
    books.block(layer.block);
  } else {
    if (layer.kind == LayerKind::kUpsample)
      books.shape = {input[0], input[1], 2 * input[2], 2 * input[3]};
    books.step({0});
  }
  return books;
}

std::int64_t bytes_of(const Tensor4& x) {
  return 4 * x.size();
}

void record(AutoencoderTrace& trace, const Tensor4& input, const Tensor4& output,
            const Books& books) {
  const std::int64_t live = peak_activation_bytes(bytes_of(input), books.steps).peak_bytes;
  trace.records.push_back({output.shape(), bytes_of(output), tensor_stats(output), books.macs,
                           books.params, live, std::max(live, trace.records.back().peak_bytes)});
}

Tensor4 run(AutoencoderTrace& trace, Tensor4 x, const std::vector<TaeLayer>& layers) {
  for (const TaeLayer& layer : layers) {
    Tensor4 y = run_layer(x, layer);
    record(trace, x, y, books_of(layer, x.shape()));
    x = std::move(y);
  }
  return x;
}

}  // namespace

AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  require(!encoder.empty() && !decoder.empty(),
          "trace_autoencoder: expected at least one layer each, got " +
              std::to_string(encoder.size()) + " and " + std::to_string(decoder.size()));
  AutoencoderTrace trace;
  const std::int64_t bytes = bytes_of(image);
  trace.records.push_back({image.shape(), bytes, tensor_stats(image), 0, 0, bytes, bytes});

  trace.latent = run(trace, image, encoder);
  const Books scaling = books_of({}, trace.latent.shape());  // one step, whatever it computes
  const Tensor4 scaled = scale_latents(trace.latent, scale);
  record(trace, trace.latent, scaled, scaling);
  Tensor4 raw = unscale_latents(scaled, scale);
  record(trace, scaled, raw, scaling);
  trace.image = run(trace, std::move(raw), decoder);
  return trace;
}

}  // namespace latent

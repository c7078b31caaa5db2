// Right answers to lab 08 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/require.hpp"
#include "encode_decode.hpp"
#include "grader/judge/misconception.hpp"

namespace latent {

// ---- 8.0 image_to_model ------------------------------------------------------------------------

namespace four_nested_loops {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  if (image.height < 0 || image.width < 0) throw std::invalid_argument("negative side");
  require_size(static_cast<Index>(image.values.size()), 3 * image.height * image.width, "values");
  Tensor4 x(1, 3, image.height, image.width);
  std::size_t at = 0;
  for (Index h = 0; h < x.h(); ++h) {
    for (Index w = 0; w < x.w(); ++w) {
      for (Index c = 0; c < 3; ++c) {
        const double v = image.values[at++];
        require(v >= 0.0 && v <= 255.0, "value");
        const double y = v / 255.0;
        x(0, c, h, w) = static_cast<float>(range == PixelRange::kZeroToOne ? y : 2.0 * y - 1.0);
      }
    }
  }
  return x;
}
}  // namespace four_nested_loops
ALTERNATIVE(four_nested_loops, image_to_model)

namespace plane_by_plane {
Tensor4 image_to_model(const Pixels& image, PixelRange range) {
  require(image.height >= 0 && image.width >= 0, "sides");
  const Index positions = image.height * image.width;
  require(static_cast<Index>(image.values.size()) == 3 * positions, "values");
  for (const std::int32_t v : image.values) require(!(v < 0 || v > 255), "value");
  Tensor4 x(1, 3, image.height, image.width);
  const float scale = range == PixelRange::kZeroToOne ? 1.0F / 255.0F : 2.0F / 255.0F;
  const float shift = range == PixelRange::kZeroToOne ? 0.0F : -1.0F;
  for (Index c = 0; c < 3; ++c) {
    for (Index i = 0; i < positions; ++i) {
      const auto v = static_cast<float>(image.values[static_cast<std::size_t>(3 * i + c)]);
      x.data()[c * positions + i] = v * scale + shift;
    }
  }
  return x;
}
}  // namespace plane_by_plane
ALTERNATIVE(plane_by_plane, image_to_model)

namespace half_added {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  require(x.n() == 1 && x.c() == 3, "shape");
  Pixels image{x.h(), x.w(), {}};
  for (Index h = 0; h < x.h(); ++h) {
    for (Index w = 0; w < x.w(); ++w) {
      for (Index c = 0; c < 3; ++c) {
        const float y = x(0, c, h, w);
        require(std::isfinite(y), "element");
        const float v = range == PixelRange::kZeroToOne ? 255.0F * y : 127.5F * y + 127.5F;
        const float clamped = std::min(std::max(v, 0.0F), 255.0F);
        image.values.push_back(static_cast<std::int32_t>(std::floor(clamped + 0.5F)));
      }
    }
  }
  return image;
}
}  // namespace half_added
ALTERNATIVE(half_added, model_to_image)

namespace rounded_by_lround {
Pixels model_to_image(const Tensor4& x, PixelRange range) {
  if (x.n() != 1 || x.c() != 3) throw std::invalid_argument("shape");
  const Eigen::Map<const Eigen::ArrayXf> all(x.data(), x.size());
  if (!all.isFinite().all()) throw std::invalid_argument("not finite");
  Pixels image{x.h(), x.w(), std::vector<std::int32_t>(static_cast<std::size_t>(x.size()))};
  const Index positions = x.h() * x.w();
  for (Index i = 0; i < positions; ++i) {
    for (Index c = 0; c < 3; ++c) {
      double y = x.data()[c * positions + i];
      if (range != PixelRange::kZeroToOne) y = 0.5 * y + 0.5;
      if (y < 0.0) y = 0.0;
      if (y > 1.0) y = 1.0;
      image.values[static_cast<std::size_t>(3 * i + c)] =
          static_cast<std::int32_t>(std::lround(y * 255.0));
    }
  }
  return image;
}
}  // namespace rounded_by_lround
ALTERNATIVE(rounded_by_lround, model_to_image)

// ---- 8.1 tensor_stats --------------------------------------------------------------------------

namespace in_two_passes {
TensorStats tensor_stats(const Tensor4& x) {
  std::vector<double> numbers;
  for (Index i = 0; i < x.size(); ++i) {
    if (!std::isnan(x.data()[i])) numbers.push_back(x.data()[i]);
  }
  TensorStats stats;
  stats.count = static_cast<std::int64_t>(numbers.size());
  stats.nans = x.size() - stats.count;
  if (numbers.empty()) return stats;
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  stats.min = *least;
  stats.max = *most;
  const double n = static_cast<double>(numbers.size());
  stats.mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / n;
  double squares = 0.0;
  for (const double v : numbers) {
    squares += (v - stats.mean) * (v - stats.mean);
    stats.absmax = std::max(stats.absmax, std::abs(v));
  }
  stats.std = std::sqrt(squares / n);
  return stats;
}
}  // namespace in_two_passes
ALTERNATIVE(in_two_passes, tensor_stats)

namespace from_the_first_element {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats stats;
  double origin = 0.0, sum = 0.0, squares = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double v = x.data()[i];
    if (v != v) {
      stats.nans += 1;
      continue;
    }
    if (stats.count++ == 0) origin = stats.min = stats.max = v;
    if (v < stats.min) stats.min = v;
    if (v > stats.max) stats.max = v;
    sum += v - origin;
    squares += (v - origin) * (v - origin);
  }
  if (stats.count == 0) return stats;
  const double n = static_cast<double>(stats.count), mean = sum / n;
  const double variance = squares / n - mean * mean;
  stats.mean = origin + mean;
  stats.std = variance < 0.0 ? 0.0 : std::sqrt(variance);
  stats.absmax = std::max(-stats.min, stats.max);
  return stats;
}
}  // namespace from_the_first_element
ALTERNATIVE(from_the_first_element, tensor_stats)

namespace merged_rows {
TensorStats tensor_stats(const Tensor4& x) {
  TensorStats all;
  double squares = 0.0;
  for (Index row = 0; row < x.n() * x.c() * x.h(); ++row) {
    // Statistics of one row, merged into those of all rows before (Chan, Golub and LeVeque).
    double n = 0.0, mean = 0.0, m2 = 0.0;
    for (Index w = 0; w < x.w(); ++w) {
      const double v = x.data()[row * x.w() + w];
      if (std::isnan(v)) {
        ++all.nans;
        continue;
      }
      all.min = all.count == 0 && n == 0.0 ? v : std::min(all.min, v);
      all.max = all.count == 0 && n == 0.0 ? v : std::max(all.max, v);
      n += 1.0;
      const double d = v - mean;
      mean += d / n;
      m2 += d * (v - mean);
    }
    if (n == 0.0) continue;
    const double before = static_cast<double>(all.count), total = before + n;
    const double apart = mean - all.mean;
    all.mean += apart * n / total;
    squares += m2 + apart * apart * before * n / total;
    all.count += static_cast<std::int64_t>(n);
  }
  if (all.count > 0) all.std = std::sqrt(squares / static_cast<double>(all.count));
  all.absmax = std::max(std::abs(all.min), std::abs(all.max));
  return all;
}
}  // namespace merged_rows
ALTERNATIVE(merged_rows, tensor_stats)

// ---- 8.2 scale_latents -------------------------------------------------------------------------

namespace in_float_arrays {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  if (!std::isfinite(scale.scale) || scale.scale == 0.0) throw std::invalid_argument("scale");
  if (!std::isfinite(scale.shift)) throw std::invalid_argument("shift");
  Tensor4 y = z;
  Eigen::Map<Eigen::ArrayXf> v(y.data(), y.size());
  v = (v - static_cast<float>(scale.shift)) * static_cast<float>(scale.scale);
  return y;
}
}  // namespace in_float_arrays
ALTERNATIVE(in_float_arrays, scale_latents)

namespace multiplied_out {
Tensor4 scale_latents(const Tensor4& z, const LatentScale& scale) {
  require(std::isfinite(scale.scale) && std::isfinite(scale.shift), "finite");
  require(scale.scale < 0.0 || scale.scale > 0.0, "zero");
  Tensor4 y(z.n(), z.c(), z.h(), z.w());
  const double offset = -scale.shift * scale.scale;
  for (Index i = 0; i < z.size(); ++i)
    y.data()[i] = static_cast<float>(z.data()[i] * scale.scale + offset);
  return y;
}
}  // namespace multiplied_out
ALTERNATIVE(multiplied_out, scale_latents)

namespace by_the_reciprocal {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  require(std::isfinite(scale.scale) && scale.scale != 0.0, "scale");
  require(std::isfinite(scale.shift), "shift");
  Tensor4 y = z;
  const double back = 1.0 / scale.scale;
  std::transform(z.data(), z.data() + z.size(), y.data(), [&](float v) {
    return static_cast<float>(static_cast<double>(v) * back + scale.shift);
  });
  return y;
}
}  // namespace by_the_reciprocal
ALTERNATIVE(by_the_reciprocal, unscale_latents)

namespace scaled_the_other_way {
Tensor4 unscale_latents(const Tensor4& z, const LatentScale& scale) {
  require(scale.scale != 0.0 && std::isfinite(scale.scale), "scale");
  // The inverse of (z - s) k is (z' - (-s k)) / k: the same function with other numbers.
  return scale_latents(z, {1.0 / scale.scale, -scale.shift * scale.scale});
}
}  // namespace scaled_the_other_way
ALTERNATIVE(scaled_the_other_way, unscale_latents)

namespace without_stats {
LatentScale fit_latent_scale(const Tensor4& z) {
  const Eigen::Map<const Eigen::ArrayXf> v(z.data(), z.size());
  require(v.size() > 0 && v.isFinite().all(), "finite elements");
  const Eigen::ArrayXd wide = v.cast<double>();
  const double deviation = std::sqrt((wide - wide.mean()).square().mean());
  require(wide.minCoeff() != wide.maxCoeff(), "spread");
  return {1.0 / deviation, 0.0};
}
}  // namespace without_stats
ALTERNATIVE(without_stats, fit_latent_scale)

// ---- 8.3 patchify ------------------------------------------------------------------------------

namespace by_packed_place {
Tensor4 patchify(const Tensor4& z) {
  require(z.h() % 2 == 0, "rows");
  require(z.w() % 2 == 0, "columns");
  Tensor4 packed(z.n(), z.c() * 4, z.h() / 2, z.w() / 2);
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < packed.c(); ++c) {
      for (Index h = 0; h < packed.h(); ++h) {
        for (Index w = 0; w < packed.w(); ++w)
          packed(n, c, h, w) = z(n, c / 4, 2 * h + c / 2 % 2, 2 * w + c % 2);
      }
    }
  }
  return packed;
}
}  // namespace by_packed_place
ALTERNATIVE(by_packed_place, patchify)

namespace by_flat_index {
Tensor4 patchify(const Tensor4& z) {
  if (z.h() % 2 + z.w() % 2 != 0) throw std::invalid_argument("odd");
  Tensor4 packed(z.n(), 4 * z.c(), z.h() / 2, z.w() / 2);
  for (Index i = 0; i < z.size(); ++i) {
    const Index w = i % z.w(), h = i / z.w() % z.h(), map = i / (z.w() * z.h());
    const Index corner = 2 * (h % 2) + w % 2;
    packed.data()[((4 * map + corner) * packed.h() + h / 2) * packed.w() + w / 2] = z.data()[i];
  }
  return packed;
}
}  // namespace by_flat_index
ALTERNATIVE(by_flat_index, patchify)

namespace corner_by_corner {
Tensor4 unpatchify(const Tensor4& z) {
  require(z.c() % 4 == 0, "channels");
  Tensor4 back(z.n(), z.c() / 4, 2 * z.h(), 2 * z.w());
  for (Index n = 0; n < back.n(); ++n) {
    for (Index c = 0; c < back.c(); ++c) {
      for (Index h = 0; h < back.h(); ++h) {
        for (Index w = 0; w < back.w(); ++w)
          back(n, c, h, w) = z(n, 4 * c + 2 * (h & 1) + (w & 1), h / 2, w / 2);
      }
    }
  }
  return back;
}
}  // namespace corner_by_corner
ALTERNATIVE(corner_by_corner, unpatchify)

namespace channel_loop {
Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  require_size(stats.mean.size(), z.c(), "mean");
  require_size(stats.variance.size(), z.c(), "variance");
  require(!(stats.eps < 0.0) && !(stats.variance.array() < 0.0F).any(), "negative");
  for (Index c = 0; c < z.c(); ++c) require(stats.variance(c) + stats.eps > 0.0, "zero");
  Tensor4 y = z;
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      const float scale = 1.0F / std::sqrt(stats.variance(c) + static_cast<float>(stats.eps));
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) y(n, c, h, w) = (z(n, c, h, w) - stats.mean(c)) * scale;
      }
    }
  }
  return y;
}
}  // namespace channel_loop
ALTERNATIVE(channel_loop, normalize_channels)

namespace through_flat_index {
Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  require(stats.mean.size() == z.c() && stats.variance.size() == z.c(), "sizes");
  require(stats.eps >= 0.0, "eps");
  RowVector deviation = stats.variance;
  for (Index c = 0; c < z.c(); ++c) {
    require(stats.variance(c) >= 0.0F && stats.variance(c) + stats.eps > 0.0, "variance");
    deviation(c) = static_cast<float>(std::sqrt(stats.variance(c) + stats.eps));
  }
  Tensor4 y = z;
  const Index positions = z.h() * z.w();
  for (Index i = 0; i < z.size(); ++i) {
    const Index c = i / positions % z.c();
    y.data()[i] = std::fma(z.data()[i], deviation(c), stats.mean(c));
  }
  return y;
}
}  // namespace through_flat_index
ALTERNATIVE(through_flat_index, denormalize_channels)

// ---- 8.4 latent_shape --------------------------------------------------------------------------

namespace by_table {
LatentContract latent_contract(AutoencoderFamily family) {
  static const LatentContract kTable[] = {{4, 8, 0.18215, 0.0, 1},
                                          {4, 8, 0.13025, 0.0, 1},
                                          {16, 8, 1.5305, 0.0609, 1},
                                          {16, 8, 0.3611, 0.1159, 2},
                                          {32, 8, 1.0, 0.0, 2}};
  const int row = static_cast<int>(family);
  require(row >= 0 && row < 5, "family");
  return kTable[row];
}
}  // namespace by_table
ALTERNATIVE(by_table, latent_contract)

namespace field_by_field {
LatentContract latent_contract(AutoencoderFamily family) {
  LatentContract contract;
  if (family == AutoencoderFamily::kSd1 || family == AutoencoderFamily::kSdxl) {
    contract.channels = 4;
    contract.scale = family == AutoencoderFamily::kSd1 ? 0.18215 : 0.13025;
    return contract;
  }
  if (family == AutoencoderFamily::kFlux2) {
    contract.channels = 32;
    contract.pack = 2;
    return contract;
  }
  contract.channels = 16;
  if (family == AutoencoderFamily::kSd3) {
    contract.scale = 1.5305;
    contract.shift = 0.0609;
  } else if (family == AutoencoderFamily::kFlux1) {
    contract.scale = 0.3611;
    contract.shift = 0.1159;
    contract.pack = 2;
  } else {
    throw std::invalid_argument("no such family");
  }
  return contract;
}
}  // namespace field_by_field
ALTERNATIVE(field_by_field, latent_contract)

namespace plain_then_packed {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const LatentContract contract = latent_contract(family);
  require(height > 0 && width > 0, "sides");
  require(height % contract.factor == 0 && width % contract.factor == 0, "factor");
  Shape shape{contract.channels, height / contract.factor, width / contract.factor};
  if (!packed) return shape;
  require(shape[1] % contract.pack == 0 && shape[2] % contract.pack == 0, "packing");
  shape[0] *= contract.pack * contract.pack;
  shape[1] /= contract.pack;
  shape[2] /= contract.pack;
  return shape;
}
}  // namespace plain_then_packed
ALTERNATIVE(plain_then_packed, latent_shape)

namespace in_powers_of_two {
Shape latent_shape(AutoencoderFamily family, std::int64_t height, std::int64_t width, bool packed) {
  const LatentContract contract = latent_contract(family);
  const int halvings = packed && contract.pack == 2 ? 4 : 3;
  const std::int64_t mask = (std::int64_t{1} << halvings) - 1;
  if (height < 1 || width < 1 || ((height | width) & mask) != 0)
    throw std::invalid_argument("sides");
  return {contract.channels << (2 * (halvings - 3)), height >> halvings, width >> halvings};
}
}  // namespace in_powers_of_two
ALTERNATIVE(in_powers_of_two, latent_shape)

// ---- 8.5 conv_cost -----------------------------------------------------------------------------

namespace from_weights {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  require(input.size() == 4 && bytes_per_value > 0, "input");
  require(*std::min_element(input.begin(), input.end()) > 0, "sizes");
  require(conv.groups > 0 && conv.out_channels > 0, "groups");
  require(input[1] % conv.groups == 0 && conv.out_channels % conv.groups == 0, "groups");
  const std::int64_t rows =
      conv2d_out(input[2], conv.kernel, conv.stride, conv.padding, conv.padding);
  const std::int64_t columns =
      conv2d_out(input[3], conv.kernel, conv.stride, conv.padding, conv.padding);
  const std::int64_t weights =
      conv.out_channels * (input[1] / conv.groups) * conv.kernel * conv.kernel;
  LayerCost cost;
  cost.macs = weights * rows * columns * input[0];  // each weight is used once per position
  cost.flops = cost.macs + cost.macs;
  cost.params = weights + (conv.has_bias ? conv.out_channels : 0);
  cost.activation_bytes = bytes_per_value * input[0] * conv.out_channels * rows * columns;
  return cost;
}
}  // namespace from_weights
ALTERNATIVE(from_weights, conv_cost)

namespace group_by_group {
LayerCost conv_cost(const Shape& input, const ConvGeometry& conv, std::int64_t bytes_per_value) {
  if (input.size() != 4) throw std::invalid_argument("shape");
  for (const std::int64_t size : input) require(size >= 1, "size");
  require(bytes_per_value >= 1 && conv.out_channels >= 1 && conv.groups >= 1, "numbers");
  require(input[1] % conv.groups == 0, "in");
  require(conv.out_channels % conv.groups == 0, "out");
  const std::int64_t in = input[1] / conv.groups, out = conv.out_channels / conv.groups;
  const std::int64_t p = conv.padding,
                     positions = conv2d_out(input[2], conv.kernel, conv.stride, p, p) *
                                 conv2d_out(input[3], conv.kernel, conv.stride, p, p);
  LayerCost cost;
  for (std::int64_t g = 0; g < conv.groups; ++g) {
    const std::int64_t weights = out * in * conv.kernel * conv.kernel;
    cost.macs += input[0] * positions * weights;
    cost.params += weights + (conv.has_bias ? out : 0);
    cost.activation_bytes += input[0] * positions * out * bytes_per_value;
  }
  cost.flops = 2 * cost.macs;
  return cost;
}
}  // namespace group_by_group
ALTERNATIVE(group_by_group, conv_cost)

namespace made_of_convolutions {
LayerCost attention_cost(const Shape& input, std::int64_t bytes_per_value) {
  require(input.size() == 4, "shape");
  const std::int64_t samples = input[0], c = input[1], n = input[2] * input[3];
  // A projection is a 1x1 convolution, which also refuses what is to be refused.
  const LayerCost projection = conv_cost(input, {c, 1, 1, 0, 1, true}, bytes_per_value);
  LayerCost cost;
  cost.macs = 4 * projection.macs + samples * n * n * c + samples * n * n * c;
  cost.flops = 2 * cost.macs;
  cost.params = 4 * projection.params;
  cost.activation_bytes = samples * n * n * bytes_per_value;
  return cost;
}
}  // namespace made_of_convolutions
ALTERNATIVE(made_of_convolutions, attention_cost)

// ---- 8.6 peak_activation_bytes -----------------------------------------------------------------

namespace reference_counts {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  require(!steps.empty() && input_bytes >= 0, "arguments");
  std::vector<std::int64_t> sizes{input_bytes}, readers(steps.size() + 1, 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    require(steps[i].output_bytes >= 0 && !steps[i].inputs.empty(), "step");
    for (const std::int64_t t : steps[i].inputs) {
      require(t >= 0 && static_cast<std::size_t>(t) <= i, "tensor");
      ++readers[static_cast<std::size_t>(t)];
    }
    sizes.push_back(steps[i].output_bytes);
  }
  ActivationMemory memory;
  std::int64_t alive = input_bytes;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    alive += sizes[i + 1];
    memory.live.push_back(alive);
    if (i == 0 || alive > memory.peak_bytes) {
      memory.peak_bytes = alive;
      memory.peak_step = static_cast<std::int64_t>(i);
    }
    for (const std::int64_t t : steps[i].inputs) {
      const auto at = static_cast<std::size_t>(t);
      if (--readers[at] == 0) alive -= sizes[at];
    }
    if (readers[i + 1] == 0) alive -= sizes[i + 1];
  }
  return memory;
}
}  // namespace reference_counts
ALTERNATIVE(reference_counts, peak_activation_bytes)

namespace intervals {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  require(!steps.empty(), "steps");
  ActivationMemory memory;
  memory.live.assign(steps.size(), 0);
  // Each tensor is alive from the step that makes it to its last reader.
  for (std::size_t t = 0; t <= steps.size(); ++t) {
    const std::int64_t size = t == 0 ? input_bytes : steps[t - 1].output_bytes;
    require(size >= 0, "size");
    const std::size_t born = t == 0 ? 0 : t - 1;
    std::size_t dies = born;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      require(!steps[i].inputs.empty(), "inputs");
      for (const std::int64_t in : steps[i].inputs) {
        require(in >= 0 && in <= static_cast<std::int64_t>(i), "order");
        if (in == static_cast<std::int64_t>(t)) dies = i;
      }
    }
    for (std::size_t i = born; i <= dies; ++i) memory.live[i] += size;
  }
  memory.peak_bytes = memory.live[0];
  for (std::size_t i = 1; i < steps.size(); ++i) {
    if (memory.live[i] <= memory.peak_bytes) continue;
    memory.peak_bytes = memory.live[i];
    memory.peak_step = static_cast<std::int64_t>(i);
  }
  return memory;
}
}  // namespace intervals
ALTERNATIVE(intervals, peak_activation_bytes)

namespace backwards_sets {
ActivationMemory peak_activation_bytes(std::int64_t input_bytes,
                                       const std::vector<GraphStep>& steps) {
  if (steps.empty() || input_bytes < 0) throw std::invalid_argument("arguments");
  const std::int64_t count = static_cast<std::int64_t>(steps.size());
  ActivationMemory memory;
  memory.live.resize(steps.size());
  std::vector<bool> wanted(steps.size() + 1, false);
  for (std::int64_t i = count - 1; i >= 0; --i) {
    const auto at = static_cast<std::size_t>(i);
    if (steps[at].output_bytes < 0 || steps[at].inputs.empty()) throw std::invalid_argument("step");
    wanted[at + 1] = true;
    for (const std::int64_t t : steps[at].inputs) {
      if (t < 0 || t > i) throw std::invalid_argument("tensor");
      wanted[static_cast<std::size_t>(t)] = true;
    }
    for (std::size_t t = 0; t <= at + 1; ++t) {
      const std::int64_t size = t == 0 ? input_bytes : steps[t - 1].output_bytes;
      memory.live[at] += wanted[t] ? size : 0;
    }
    wanted[at + 1] = false;  // before this step it does not exist
  }
  memory.peak_bytes = *std::max_element(memory.live.begin(), memory.live.end());
  while (memory.live[static_cast<std::size_t>(memory.peak_step)] != memory.peak_bytes)
    ++memory.peak_step;
  return memory;
}
}  // namespace backwards_sets
ALTERNATIVE(backwards_sets, peak_activation_bytes)

// ---- 8.7 tae_block -----------------------------------------------------------------------------

namespace in_place_sums {
Tensor4 padded(const Tensor4& x, const ConvLayer& conv) {
  Conv2dOptions options;
  options.stride = conv.stride;
  options.left = options.right = options.top = options.bottom = conv.weight.h() / 2;
  return conv2d_forward(x, conv.weight, conv.bias, options);
}
void add_to(Tensor4& x, const Tensor4& y) {
  if (x.shape() != y.shape()) throw std::invalid_argument("branch " + shape_of(y));
  for (Index i = 0; i < x.size(); ++i) x.data()[i] += y.data()[i];
}
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  Tensor4 start = x;
  const TaePool& pool = block.pool;
  if (pool.widen.size() != 0) {
    const ConvLayer in{pool.widen, RowVector::Zero(pool.widen.n()), 1};
    const ConvLayer out{pool.narrow, RowVector::Zero(pool.narrow.n()), 1};
    add_to(start, padded(relu(group_norm(padded(x, in), 4, pool.gamma, pool.beta, 1e-5)), out));
  }
  Tensor4 y = padded(relu(padded(relu(padded(start, block.first)), block.second)), block.third);
  add_to(y, start);
  return relu(y);
}
}  // namespace in_place_sums
ALTERNATIVE(in_place_sums, tae_block)

namespace stripped_of_its_pool {
Tensor4 tae_block(const Tensor4& x, const TaeBlock& block) {
  const auto conv = [](const Tensor4& input, const Tensor4& weight, const RowVector& bias,
                       std::int64_t stride) {
    const Index k = weight.h() / 2;
    return conv2d_forward(input, weight, bias, Conv2dOptions{stride, k, k, k, k});
  };
  Tensor4 start = x;
  if (block.pool.widen.size() > 0) {
    const RowVector none = RowVector::Zero(block.pool.widen.n());
    Tensor4 wide = conv(x, block.pool.widen, none, 1);
    wide = relu(group_norm(wide, 4, block.pool.gamma, block.pool.beta, 1e-5));
    // The narrow convolution and the addition in one: x enters through its own channel.
    const RowVector few = RowVector::Zero(block.pool.narrow.n());
    const Tensor4 narrow = conv(wide, block.pool.narrow, few, 1);
    require(narrow.shape() == x.shape(), "pool");
    for (Index i = 0; i < x.size(); ++i) start.data()[i] = narrow.data()[i] + x.data()[i];
  }
  Tensor4 y = start;
  for (const ConvLayer* layer : {&block.first, &block.second, &block.third}) {
    y = conv(y, layer->weight, layer->bias, layer->stride);
    if (layer != &block.third) y = relu(y);
  }
  require(y.shape() == start.shape(), "branch");
  Eigen::Map<Eigen::ArrayXf> sum(y.data(), y.size());
  sum = (sum + Eigen::Map<const Eigen::ArrayXf>(start.data(), start.size())).max(0.0F);
  return y;
}
}  // namespace stripped_of_its_pool
ALTERNATIVE(stripped_of_its_pool, tae_block)

namespace chain_of_ifs {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  if (layer.kind == LayerKind::kBlock) return tae_block(x, layer.block);
  if (layer.kind == LayerKind::kUpsample) return upsample_nearest(x);
  if (layer.kind == LayerKind::kRelu) return relu(x);
  if (layer.kind == LayerKind::kClamp) {
    Tensor4 y = x;
    for (Index i = 0; i < y.size(); ++i)
      y.data()[i] = static_cast<float>(3.0 * std::tanh(static_cast<double>(x.data()[i]) / 3.0));
    return y;
  }
  require(layer.kind == LayerKind::kConv, "kind");
  const Index pad = layer.conv.weight.h() / 2;
  return conv2d_forward(x, layer.conv.weight, layer.conv.bias,
                        {layer.conv.stride, pad, pad, pad, pad});
}
}  // namespace chain_of_ifs
ALTERNATIVE(chain_of_ifs, run_layer)

namespace repeats_by_hand {
Tensor4 run_layer(const Tensor4& x, const TaeLayer& layer) {
  const int kind = static_cast<int>(layer.kind);
  require(0 <= kind && kind <= 4, "kind");
  Tensor4 y = x;
  switch (layer.kind) {
    case LayerKind::kConv: {
      const std::int64_t p = layer.conv.weight.h() / 2;
      return conv2d_forward(x, layer.conv.weight, layer.conv.bias, {layer.conv.stride, p, p, p, p});
    }
    case LayerKind::kBlock:
      return tae_block(x, layer.block);
    case LayerKind::kRelu:
      for (Index i = 0; i < y.size(); ++i) y.data()[i] = std::max(y.data()[i], 0.0F);
      return y;
    case LayerKind::kClamp:
      for (Index i = 0; i < y.size(); ++i) {
        const double e = std::exp(2.0 * y.data()[i] / 3.0);
        y.data()[i] = static_cast<float>(3.0 * (1.0 - 2.0 / (e + 1.0)));
      }
      return y;
    case LayerKind::kUpsample:
      break;
  }
  y = Tensor4(x.n(), x.c(), 2 * x.h(), 2 * x.w());
  for (Index i = 0; i < y.size(); ++i) {
    const Index w = i % y.w() / 2, h = i / y.w() % y.h() / 2, map = i / (y.w() * y.h());
    y.data()[i] = x.data()[(map * x.h() + h) * x.w() + w];
  }
  return y;
}
}  // namespace repeats_by_hand
ALTERNATIVE(repeats_by_hand, run_layer)

// ---- 8.8 trace_autoencoder ---------------------------------------------------------------------

namespace by_formulas {
std::int64_t convolution_macs(const Tensor4& y, const Tensor4& weight) {
  return y.size() * weight.c() * weight.h() * weight.w();
}
// MACs, parameters and the most maps alive, from what a layer made of x.
TraceRecord describe(const Tensor4& x, const Tensor4& y, const TaeLayer& layer) {
  TraceRecord record{y.shape(), 4 * y.size(), tensor_stats(y), 0, 0, 4 * (x.size() + y.size()), 0};
  if (layer.kind == LayerKind::kConv) {
    record.macs = convolution_macs(y, layer.conv.weight);
    record.params = layer.conv.weight.size() + layer.conv.bias.size();
  }
  if (layer.kind != LayerKind::kBlock) return record;
  const TaeBlock& block = layer.block;
  for (const ConvLayer* conv : {&block.first, &block.second, &block.third}) {
    record.macs += convolution_macs(y, conv->weight);
    record.params += conv->weight.size() + conv->bias.size();
  }
  record.live_bytes = 3 * record.bytes;
  if (block.pool.widen.size() > 0) {
    record.macs += x.size() / x.c() * (block.pool.widen.size() + block.pool.narrow.size());
    record.params += block.pool.widen.size() + block.pool.narrow.size() + block.pool.gamma.size() +
                     block.pool.beta.size();
    record.live_bytes = (1 + 4 + 4) * record.bytes;
  }
  return record;
}
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  require(encoder.size() > 0 && decoder.size() > 0, "layers");
  AutoencoderTrace trace;
  const std::int64_t bytes = 4 * image.size();
  trace.records.push_back({image.shape(), bytes, tensor_stats(image), 0, 0, bytes, bytes});
  const auto note = [&](TraceRecord record) {
    record.peak_bytes = std::max(record.live_bytes, trace.records.back().peak_bytes);
    trace.records.push_back(record);
  };
  Tensor4 x = image;
  for (const TaeLayer& layer : encoder) {
    const Tensor4 y = run_layer(x, layer);
    note(describe(x, y, layer));
    x = y;
  }
  trace.latent = x;
  const Tensor4 scaled = scale_latents(x, scale);
  note(describe(x, scaled, TaeLayer{}));
  x = unscale_latents(scaled, scale);
  note(describe(scaled, x, TaeLayer{}));
  for (const TaeLayer& layer : decoder) {
    const Tensor4 y = run_layer(x, layer);
    note(describe(x, y, layer));
    x = y;
  }
  trace.image = x;
  return trace;
}
}  // namespace by_formulas
ALTERNATIVE(by_formulas, trace_autoencoder)

namespace stage_after_stage {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  if (encoder.empty() || decoder.empty()) throw std::invalid_argument("no layers");
  AutoencoderTrace trace;
  std::int64_t peak = 4 * image.size();
  trace.records.push_back({image.shape(), peak, tensor_stats(image), 0, 0, peak, peak});
  Tensor4 x = image;
  const auto note = [&](const Tensor4& y, std::int64_t macs, std::int64_t params,
                        const std::vector<GraphStep>& steps) {
    const std::int64_t live = peak_activation_bytes(4 * x.size(), steps).peak_bytes;
    peak = std::max(peak, live);
    trace.records.push_back({y.shape(), 4 * y.size(), tensor_stats(y), macs, params, live, peak});
    x = y;
  };
  const auto run = [&](const TaeLayer& layer) {
    const Tensor4 y = run_layer(x, layer);
    const std::int64_t in = 4 * x.size(), out = 4 * y.size();
    if (layer.kind == LayerKind::kConv) {
      const Tensor4& w = layer.conv.weight;
      const LayerCost cost =
          conv_cost(x.shape(), {w.n(), w.h(), layer.conv.stride, w.h() / 2, 1, true}, 4);
      return note(y, cost.macs, cost.params, {{{0}, out}});
    }
    if (layer.kind != LayerKind::kBlock) return note(y, 0, 0, {{{0}, out}});
    const LayerCost same = conv_cost(x.shape(), {x.c(), 3, 1, 1, 1, true}, 4);
    const TaePool& pool = layer.block.pool;
    std::vector<GraphStep> steps;
    std::int64_t macs = 3 * same.macs, params = 3 * same.params, at = 0;
    if (pool.widen.size() > 0) {
      const std::int64_t wide = 4 * in;
      steps = {{{0}, wide}, {{1}, wide}, {{2}, wide}, {{3}, in}, {{0, 4}, in}};
      at = 5;
      macs += (pool.widen.size() + pool.narrow.size()) * x.n() * x.h() * x.w();
      params += pool.widen.size() + pool.narrow.size() + pool.gamma.size() + pool.beta.size();
    }
    for (int i = 0; i < 5; ++i) steps.push_back({{at + i}, in});
    steps.push_back({{at, at + 5}, in});
    steps.push_back({{at + 6}, in});
    return note(y, macs, params, steps);
  };
  for (const TaeLayer& layer : encoder) run(layer);
  trace.latent = x;
  note(scale_latents(trace.latent, scale), 0, 0, {{{0}, 4 * x.size()}});
  note(unscale_latents(x, scale), 0, 0, {{{0}, 4 * x.size()}});
  for (const TaeLayer& layer : decoder) run(layer);
  trace.image = x;
  return trace;
}
}  // namespace stage_after_stage
ALTERNATIVE(stage_after_stage, trace_autoencoder)

namespace all_outputs_first {
AutoencoderTrace trace_autoencoder(const Tensor4& image, const std::vector<TaeLayer>& encoder,
                                   const std::vector<TaeLayer>& decoder, const LatentScale& scale) {
  require(!encoder.empty(), "encoder");
  require(!decoder.empty(), "decoder");
  std::vector<Tensor4> outputs{image};
  for (const TaeLayer& layer : encoder) outputs.push_back(run_layer(outputs.back(), layer));
  const Tensor4 latent = outputs.back();
  outputs.push_back(scale_latents(latent, scale));
  outputs.push_back(unscale_latents(outputs.back(), scale));
  for (const TaeLayer& layer : decoder) outputs.push_back(run_layer(outputs.back(), layer));

  AutoencoderTrace trace{latent, outputs.back(), {}};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor4& y = outputs[i];
    TraceRecord record{y.shape(), 4 * y.size(), tensor_stats(y), 0, 0, 4 * y.size(), 0};
    const std::size_t e = encoder.size();
    const TaeLayer* layer = i >= 1 && i <= e ? &encoder[i - 1] : nullptr;
    if (i >= e + 3) layer = &decoder[i - e - 3];
    if (i > 0) record.live_bytes += 4 * outputs[i - 1].size();
    std::vector<const ConvLayer*> convs;
    if (layer != nullptr && layer->kind == LayerKind::kConv) convs = {&layer->conv};
    if (layer != nullptr && layer->kind == LayerKind::kBlock) {
      const TaeBlock& block = layer->block;
      convs = {&block.first, &block.second, &block.third};
      const std::int64_t pool = block.pool.widen.size() + block.pool.narrow.size();
      record.macs = pool * y.n() * y.h() * y.w();
      record.params = pool + block.pool.gamma.size() + block.pool.beta.size();
      record.live_bytes = (pool > 0 ? 9 : 3) * record.bytes;
    }
    for (const ConvLayer* conv : convs) {
      record.macs += y.size() / y.c() * conv->weight.size();
      record.params += conv->weight.size() + conv->bias.size();
    }
    record.peak_bytes = record.live_bytes;
    if (i > 0) record.peak_bytes = std::max(record.live_bytes, trace.records[i - 1].peak_bytes);
    trace.records.push_back(record);
  }
  return trace;
}
}  // namespace all_outputs_first
ALTERNATIVE(all_outputs_first, trace_autoencoder)

// ---- 8.9 tiled_decode --------------------------------------------------------------------------

namespace counted_tiles {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  if (size < 1 || tiling.tile < 1) throw std::invalid_argument("sizes");
  if (tiling.overlap < 0 || tiling.overlap >= tiling.tile) throw std::invalid_argument("overlap");
  if (size <= tiling.tile) return {0};
  const std::int64_t step = tiling.tile - tiling.overlap, rest = size - tiling.tile;
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= (rest + step - 1) / step; ++i)
    starts.push_back(std::min(i * step, rest));
  return starts;
}
}  // namespace counted_tiles
ALTERNATIVE(counted_tiles, tile_starts)

namespace until_the_end {
std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  require(size > 0 && tiling.tile > 0, "sizes");
  require(0 <= tiling.overlap && tiling.overlap < tiling.tile, "overlap");
  std::vector<std::int64_t> starts{0};
  while (starts.back() + tiling.tile < size) {
    const std::int64_t next = starts.back() + tiling.tile - tiling.overlap;
    starts.push_back(next + tiling.tile > size ? size - tiling.tile : next);
  }
  return starts;
}
}  // namespace until_the_end
ALTERNATIVE(until_the_end, tile_starts)

namespace element_by_element {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  Index factor = 1;
  for (const TaeLayer& layer : decoder) {
    if (layer.kind == LayerKind::kUpsample) factor *= 2;
  }
  const Index reach = std::max<Index>(1, tiling.overlap * factor);
  Tensor4 image, weights;
  for (const std::int64_t top : tile_starts(latent.h(), tiling)) {
    for (const std::int64_t left : tile_starts(latent.w(), tiling)) {
      Tensor4 part(latent.n(), latent.c(), std::min<Index>(tiling.tile, latent.h()),
                   std::min<Index>(tiling.tile, latent.w()));
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        part.data()[i] = latent(map / part.c(), map % part.c(), top + h, left + w);
      }
      for (const TaeLayer& layer : decoder) part = run_layer(part, layer);
      if (image.n() == 0) {
        image = Tensor4(part.n(), part.c(), factor * latent.h(), factor * latent.w());
        weights = image;
      }
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        const Index row = std::min(std::min(h + 1, part.h() - h), reach);
        const Index column = std::min(std::min(w + 1, part.w() - w), reach);
        const float a = static_cast<float>(row * column);
        const Index n = map / part.c(), c = map % part.c();
        image(n, c, top * factor + h, left * factor + w) += a * part.data()[i];
        weights(n, c, top * factor + h, left * factor + w) += a;
      }
    }
  }
  for (Index i = 0; i < image.size(); ++i) image.data()[i] /= weights.data()[i];
  return image;
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, tiled_decode)

namespace weighted_in_double {
Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  const auto rows = tile_starts(latent.h(), tiling), columns = tile_starts(latent.w(), tiling);
  std::vector<double> sum, weight;
  Shape shape;
  for (const std::int64_t left : columns) {
    for (const std::int64_t top : rows) {
      const Index height = std::min<Index>(tiling.tile, latent.h());
      const Index width = std::min<Index>(tiling.tile, latent.w());
      Tensor4 part(latent.n(), latent.c(), height, width);
      for (Index n = 0; n < part.n(); ++n) {
        for (Index c = 0; c < part.c(); ++c) {
          for (Index i = 0; i < height * width; ++i)
            part(n, c, i / width, i % width) = latent(n, c, top + i / width, left + i % width);
        }
      }
      for (const TaeLayer& layer : decoder) part = run_layer(part, layer);
      const Index factor = part.h() / height;
      shape = {part.n(), part.c(), factor * latent.h(), factor * latent.w()};
      sum.resize(static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]), 0.0);
      weight.resize(sum.size(), 0.0);
      const double reach = static_cast<double>(std::max<Index>(tiling.overlap * factor, 1));
      for (Index i = 0; i < part.size(); ++i) {
        const Index w = i % part.w(), h = i / part.w() % part.h(), map = i / (part.w() * part.h());
        const double a = std::min({double(h + 1), double(part.h() - h), reach}) / reach;
        const double b = std::min({double(w + 1), double(part.w() - w), reach}) / reach;
        const auto at = static_cast<std::size_t>((map * shape[2] + top * factor + h) * shape[3] +
                                                 left * factor + w);
        sum[at] += a * b * double(part.data()[i]);
        weight[at] += a * b;
      }
    }
  }
  Tensor4 image(shape[0], shape[1], shape[2], shape[3]);
  for (std::size_t i = 0; i < sum.size(); ++i)
    image.data()[i] = static_cast<float>(sum[i] / weight[i]);
  return image;
}
}  // namespace weighted_in_double
ALTERNATIVE(weighted_in_double, tiled_decode)

}  // namespace latent

/// @file
/// Given: finds the layers of a TAESD-family autoencoder in two .safetensors files.
///
/// Names are those of the published weights, where N counts the layers of an encoder or decoder:
/// `N.weight` and `N.bias` of a convolution, `N.conv.{0,2,4}.{weight,bias}` of a block,
/// `N.pool.{0,3}.weight` and `N.pool.1.{weight,bias}` of the branch in front of it. Layers without
/// weights leave a gap in the numbers. Also read: diffusers' `encoder.layers.N` and
/// `decoder.layers.M`, where M = N - 1, because there the clamp is no layer.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/safetensors.hpp"
#include "encode_decode.hpp"

namespace latent {

/// Encoder and decoder, ready for `trace_autoencoder`.
struct TaeModel {
  std::vector<TaeLayer> encoder;  ///< From 3 channels to the latent's.
  std::vector<TaeLayer> decoder;  ///< And back to 3.
  std::int64_t channels = 0;      ///< Of the latent.
  std::int64_t factor = 1;        ///< Pixels per latent position along each side.
};

/// Turns the tensors of one file into layers, by looking at which there are.
class TaeReader {
 public:
  /// @param tensors  From `read_safetensors`.
  /// @param file     What to call the file in messages.
  /// @param decoder  Whether it is to be a decoder: gaps then mean other layers.
  TaeReader(const StoredTensors& tensors, const std::string& file, bool decoder)
      : file_(file), decoder_(decoder) {
    for (const auto& [name, tensor] : tensors) take_in(name, tensor);
  }

  /// @param channels  What goes in; 0: whatever the first convolution takes.
  /// @return          The layers, in order.
  /// @throws FileError  if a tensor is missing, has another shape, is not finite, or belongs to no
  ///                    layer.
  std::vector<TaeLayer> layers(std::int64_t channels) {
    if (names_.empty()) fail("no tensor in it has the name of a layer, like 0.weight");
    channels_ = channels;
    std::vector<TaeLayer> all;
    const std::int64_t last = names_.rbegin()->first;
    for (std::int64_t layer = 0; layer <= last; ++layer)
      all.push_back(names_.contains(layer) ? layer_at(layer) : layer_between(layer));
    if (!unused_.empty())
      fail("tensor \"" + original_[*unused_.begin()] + "\" belongs to no layer");
    return all;
  }

  /// @return  What comes out of the last layer that was read.
  std::int64_t channels() const { return channels_; }

 private:
  static constexpr std::int64_t kMostChannels = 1024;
  static constexpr std::size_t kMostDigits = 2;  // no such model has a hundred layers

  [[noreturn]] void fail(const std::string& what) const { throw FileError(file_ + ": " + what); }

  /// "decoder.layers.2.conv.0.bias" -> layer 3, "3.conv.0.bias"
  void take_in(const std::string& name, const StoredTensor& tensor) {
    const std::string prefix = decoder_ ? "decoder.layers." : "encoder.layers.";
    const bool prefixed = name.rfind(prefix, 0) == 0;
    const std::string inside = prefixed ? name.substr(prefix.size()) : name;
    const std::size_t digits = inside.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string::npos || digits > kMostDigits || inside[digits] != '.')
      fail("tensor \"" + name.substr(0, 80) + "\" has the name of no layer, like 0.weight");
    const std::int64_t layer = std::stol(inside.substr(0, digits)) + (prefixed && decoder_ ? 1 : 0);
    const std::string key = std::to_string(layer) + inside.substr(digits);
    if (!tensors_.emplace(key, tensor).second) fail("two tensors are called " + key);
    for (const float value : tensor.values) {
      if (!std::isfinite(value))
        fail("tensor \"" + name.substr(0, 80) + "\" holds an infinity or what is no number");
    }
    original_[key] = name.substr(0, 80);
    unused_.insert(key);
    names_[layer].insert(inside.substr(digits + 1));
  }

  TaeLayer layer_at(std::int64_t layer) {
    const std::string number = std::to_string(layer);
    TaeLayer made;
    if (names_[layer].contains("weight")) {
      made.kind = LayerKind::kConv;
      made.conv = convolution(number, names_[layer].contains("bias"));
      return made;
    }
    made.kind = LayerKind::kBlock;
    if (channels_ == 0) fail("it starts with a block; expected a convolution");
    const std::int64_t c = channels_, wide = 4 * c;
    if (names_[layer].contains("pool.0.weight")) {
      made.block.pool = {weight(number + ".pool.0.weight", {wide, c, 1, 1}),
                         vector(number + ".pool.1.weight", wide),
                         vector(number + ".pool.1.bias", wide),
                         weight(number + ".pool.3.weight", {c, wide, 1, 1})};
    }
    for (auto [part, conv] :
         {std::pair(".conv.0", &made.block.first), std::pair(".conv.2", &made.block.second),
          std::pair(".conv.4", &made.block.third)}) {
      *conv = {weight(number + part + ".weight", {c, c, 3, 3}), vector(number + part + ".bias", c),
               1};
    }
    return made;
  }

  /// Without a bias it is one of those that halve the encoder's maps, or follow an upsampling.
  ConvLayer convolution(const std::string& number, bool has_bias) {
    const std::string name = number + ".weight";
    const Shape& found = tensors_.at(name).shape;
    Shape expected = found;
    expected.resize(4, 1);
    if (channels_ != 0) expected[1] = channels_;
    expected[2] = expected[3] = expected[2] == 1 ? 1 : 3;
    expected[0] = std::max<std::int64_t>(expected[0], 1);
    expected[1] = std::max<std::int64_t>(expected[1], 1);
    ConvLayer conv{weight(name, expected), RowVector::Zero(expected[0]), 1};
    if (expected[0] > kMostChannels)
      fail(name + " makes " + std::to_string(expected[0]) + " channels; expected at most " +
           std::to_string(kMostChannels));
    if (has_bias) conv.bias = vector(number + ".bias", expected[0]);
    if (!has_bias && !decoder_) conv.stride = 2;
    channels_ = expected[0];
    return conv;
  }

  /// A gap: a layer without weights. What it is follows from its neighbours.
  TaeLayer layer_between(std::int64_t layer) {
    const auto next = names_.find(layer + 1);
    if (next == names_.end())
      fail("layers " + std::to_string(layer) + " and " + std::to_string(layer + 1) +
           " have no tensors; is a part of it missing?");
    TaeLayer made;
    const bool plain = next->second.contains("weight") && !next->second.contains("bias");
    made.kind = !decoder_    ? LayerKind::kRelu
                : layer == 0 ? LayerKind::kClamp
                : plain      ? LayerKind::kUpsample
                             : LayerKind::kRelu;
    return made;
  }

  const StoredTensor& tensor(const std::string& key, const Shape& shape) {
    unused_.erase(key);
    return expect_tensor(tensors_, key, shape, file_);
  }

  Tensor4 weight(const std::string& key, const Shape& shape) {
    const StoredTensor& stored = tensor(key, shape);
    Tensor4 made(shape[0], shape[1], shape[2], shape[3]);
    std::copy(stored.values.begin(), stored.values.end(), made.data());
    return made;
  }

  RowVector vector(const std::string& key, std::int64_t size) {
    const StoredTensor& stored = tensor(key, {size});
    return Eigen::Map<const RowVector>(stored.values.data(), size);
  }

  std::string file_;
  bool decoder_;
  StoredTensors tensors_;
  std::map<std::string, std::string> original_;          // names as they are in the file
  std::set<std::string> unused_;                         // not part of a layer so far
  std::map<std::int64_t, std::set<std::string>> names_;  // by layer, without the number
  std::int64_t channels_ = 0;
};

/// Puts encoder and decoder together.
/// @param encoder  The tensors of the one.
/// @param decoder  The tensors of the other.
/// @param folder   What to call where they come from.
/// @return         Both, of the same number of latent channels and the same factor.
/// @throws FileError  if either is not such a model, or they do not fit together.
inline TaeModel tae_model(const StoredTensors& encoder, const StoredTensors& decoder,
                          const std::string& folder) {
  TaeModel model;
  TaeReader up(encoder, folder + "/encoder.safetensors", false);
  model.encoder = up.layers(3);
  model.channels = up.channels();
  TaeReader down(decoder, folder + "/decoder.safetensors", true);
  model.decoder = down.layers(model.channels);
  if (down.channels() != 3)
    throw FileError(folder + "/decoder.safetensors: expected it to end with 3 channels, found " +
                    std::to_string(down.channels()));
  for (const TaeLayer& layer : model.encoder) model.factor *= layer.conv.stride;
  std::int64_t back = 1;
  for (const TaeLayer& layer : model.decoder) back *= layer.kind == LayerKind::kUpsample ? 2 : 1;
  if (back != model.factor)
    throw FileError(folder + ": the encoder makes sides " + std::to_string(model.factor) +
                    " times smaller, the decoder " + std::to_string(back) +
                    " times larger; are they of one model?");
  return model;
}

/// Reads encoder.safetensors and decoder.safetensors.
/// @param folder  Where they lie.
/// @return        The model.
/// @throws FileError  if either cannot be read or is not what it should be; one sentence.
inline TaeModel read_tae(const std::string& folder) {
  const StoredTensors encoder = read_safetensors(folder + "/encoder.safetensors");
  return tae_model(encoder, read_safetensors(folder + "/decoder.safetensors"), folder);
}

}  // namespace latent

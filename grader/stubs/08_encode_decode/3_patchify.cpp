// 8.3 patchify, unpatchify, normalize_channels, denormalize_channels: what Flux.2 does in place of
// one scale.  Roughly 10 lines each, most of them loops.
// The contract is in encode_decode.hpp. Try it: ./lab grade 8.3    Stuck: ./lab hint 8.3

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {

Tensor4 patchify(const Tensor4& z) {
  // Row h and column w: which patch are they in, and where inside of it?
  return todo(z);
}

Tensor4 unpatchify(const Tensor4& z) {
  // Packed channel 4c + 2i + j: how do you get c, i and j out of it?
  return todo(z);
}

Tensor4 normalize_channels(const Tensor4& z, const ChannelStats& stats) {
  // Which of the four axes has the statistics? What do you divide by: a variance?
  return todo(z, stats);
}

Tensor4 denormalize_channels(const Tensor4& z, const ChannelStats& stats) {
  // The same two steps undone, in which order?
  return todo(z, stats);
}

}  // namespace latent
